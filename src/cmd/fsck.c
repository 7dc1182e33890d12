/* fsck: reads every byte of the database and says what is damaged. */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include <inttypes.h>
#include <stdio.h>

static const char usage[] = "usage: dnsmon fsck [OPTION...]\n\n"
                            "Reads every byte; a line for each damage. Exit 1 when there is any.\n"
                            "With --json a line each: {\"damage\":...}, and {\"damages\":N} at the end.\n\n"
                            OPTIONS_COMMON_HELP;

static const struct option longs[] = { OPTIONS_COMMON };

static void report_text(void *ctx, const char *line)
{
    (void)ctx;
    printf("%s\n", line);
}

static void report_json(void *ctx, const char *line)
{
    struct buffer *text = ctx;
    buffer_clear(text);
    present_json_string(text, line, strlen(line));
    printf("{\"damage\":%.*s}\n", (int)text->len, (const char *)text->ptr);
}

static int check(const struct options *o, uint64_t *ret_damages, struct fault *why)
{
    struct buffer text;
    uint64_t of_knowledge = 0;
    int rc = options_find_store(o, why);
    if (rc != 0)
        return rc;
    buffer_init(&text, 1 << 20);
    rc = store_fsck(o->settings.db, o->json ? report_json : report_text, &text, ret_damages, why);
    if (rc == 0)
        rc = knowledge_check(o->settings.db, o->json ? report_json : report_text, &text, &of_knowledge, why);
    if (rc == 0)
        *ret_damages += of_knowledge;
    buffer_release(&text);
    return rc;
}

static void conclude(const struct options *o, uint64_t damages)
{
    if (o->json)
        printf("{\"damages\":%" PRIu64 "}\n", damages);
    else if (damages == 0)
        printf("%s: clean\n", o->settings.db);
    else
        printf("%s: %" PRIu64 " damage%s\n", o->settings.db, damages, damages == 1 ? "" : "s");
}

int cmd_fsck(int argc, char **argv)
{
    struct options o;
    struct fault why = { 0 };
    uint64_t damages = 0;
    options_start(&o, usage, longs, argc, argv);
    while (options_next(&o) > 0)
        ;
    if (o.exit < 0 && optind < argc)
        options_wrong(&o, "'%s' is one word too many", argv[optind]);
    if (o.exit < 0 && check(&o, &damages, &why) != 0)
        o.exit = command_fail(&why);
    if (o.exit < 0) {
        conclude(&o, damages);
        o.exit = damages ? EXIT_FAILED : EXIT_DONE;
    }
    return options_end(&o);
}
