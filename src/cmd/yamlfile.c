/* libcyaml tells lines only through its log, so the log is kept and cut to one message; for checks of our own
 * the line is where the key and its value stand. */
#include "cmd/yamlfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What libcyaml said: its first line, and the first line number. */
struct heard {
    char message[256];
    unsigned line;
};

static void hear(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
    struct heard *heard = ctx;
    char text[256];
    (void)level;
    vsnprintf(text, sizeof text, format, args);
    const char *line = strstr(text, "line: ");
    if (line != NULL && heard->line == 0)
        heard->line = (unsigned)strtoul(line + 6, NULL, 10);
    if (heard->message[0] != '\0' || strstr(text, "Backtrace") != NULL || strstr(text, "  in ") == text)
        return;
    const char *from = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
    snprintf(heard->message, sizeof heard->message, "%s", from);
    heard->message[strcspn(heard->message, "\n")] = '\0';
}

static cyaml_config_t reading(struct heard *heard)
{
    return (cyaml_config_t){ .log_fn = hear, .log_ctx = heard, .mem_fn = cyaml_mem,
                             .log_level = CYAML_LOG_ERROR };
}

unsigned yamlfile_line(const char *path, const char *key, const char *value)
{
    char line[1024];
    unsigned at = 0;
    bool seen = false;
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        at++;
        const char *found = strstr(line, key);
        seen = seen || found != NULL;
        if (seen && strstr(found ? found + strlen(key) : line, value) != NULL) {
            fclose(file);
            return at;
        }
    }
    if (file != NULL)
        fclose(file);
    return 0;
}

/* libcyaml places an unknown key at the start of its mapping: look for the key itself. */
static int bad_yaml(const char *path, const struct heard *heard, cyaml_err_t err, struct fault *why)
{
    static const char unknown[] = "Unexpected key: ";
    const char *message = heard->message[0] ? heard->message : cyaml_strerror(err);
    unsigned line = heard->line;
    if (strncmp(message, unknown, sizeof unknown - 1) == 0)
        line = yamlfile_line(path, message + sizeof unknown - 1, ":");
    return fault_set(why, E_MALFORMED, "%s:%u: %s", path, line, message);
}

int yamlfile_load(const char *path, const cyaml_schema_value_t *schema, void **ret, struct fault *why)
{
    struct heard heard = { .line = 0 };
    cyaml_config_t config = reading(&heard);
    if (access(path, R_OK) != 0)
        return fault_errno(why, errno, "%s", path);
    cyaml_err_t err = cyaml_load_file(path, &config, schema, ret, NULL);
    return err == CYAML_OK ? E_OK : bad_yaml(path, &heard, err, why);
}

void yamlfile_free(const cyaml_schema_value_t *schema, void *data)
{
    struct heard heard = { .line = 0 };
    cyaml_config_t config = reading(&heard);
    cyaml_free(&config, schema, data, 0);
}
