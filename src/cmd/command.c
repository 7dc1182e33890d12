#include "cmd/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void command_say(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fputs("dnsmon: ", stderr);
    for (const char *c = line; *c; c++) /* damaged files speak here, too: nothing that a terminal obeys */
        fprintf(stderr, (unsigned char)*c < ' ' || *c == 0x7f ? "\\x%02x" : "%c", (unsigned char)*c);
    fputc('\n', stderr);
}

int command_fail(const struct fault *why)
{
    command_say("%s", why->text[0] ? why->text : fault_text(why->code));
    return why->code == E_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

void command_author(char text[COMMAND_AUTHOR])
{
    const char *who = getenv("SUDO_USER");
    if (who == NULL || who[0] == '\0')
        who = getenv("USER");
    if (who != NULL && who[0] != '\0')
        snprintf(text, COMMAND_AUTHOR, "%s", who);
    else
        snprintf(text, COMMAND_AUTHOR, "uid %u", (unsigned)getuid());
}
