/* indicators: what is to be blocked, for machines. */
#include "cmd/commands.h"
#include "cmd/finding.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include <unistd.h>

static const char usage[] =
    "usage: dnsmon indicators [OPTION...]\n"
    "\n"
    "The active indicators: what is to be blocked, why, and until when.\n"
    "\n"
    "  --format FORMAT     jsonl (the default), csv\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FORMAT = OPTION_OWN };

static const struct option longs[] = {
    { "format", required_argument, NULL, OWN_FORMAT },
    OPTIONS_COMMON,
};

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct present present;
    bool csv;
};

static int print(void *ctx, const struct indicator *i, struct fault *why)
{
    struct listing *l = ctx;
    int rc = l->csv ? finding_csv(&l->present.out, l->knowledge, i, why)
                    : finding_of_indicator(&l->present.out, l->knowledge, i, why);
    if (rc == 0)
        present_text(&l->present, l->csv ? "" : "\n");
    return rc;
}

static int list(struct listing *l, struct fault *why)
{
    int rc = options_find_store(&l->options, why);
    if (rc != 0)
        return rc;
    if (l->csv)
        present_text(&l->present, FINDING_CSV_HEADER);
    rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    if (rc == E_ABSENT)
        return present_flush(&l->present, why);
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    if (rc == 0)
        rc = indicator_each(l->knowledge, 1u << INDICATOR_ACTIVE, print, l, why);
    knowledge_close(&l->knowledge);
    return rc ? rc : present_flush(&l->present, why);
}

static void take_options(struct listing *l, int argc, char **argv)
{
    struct options *o = &l->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0) {
        l->csv = strcmp(optarg, "csv") == 0;
        if (!l->csv && strcmp(optarg, "jsonl") != 0)
            options_wrong(o, "--format: '%s' is not one of jsonl, csv", optarg);
    }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
}

int cmd_indicators(int argc, char **argv)
{
    static struct listing l;
    struct fault why = { 0 };
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&l, argc, argv);
    if (l.options.exit < 0 && list(&l, &why) != 0)
        l.options.exit = command_fail(&why);
    present_release(&l.present);
    return options_end(&l.options);
}
