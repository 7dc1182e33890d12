/* indicators: what is to be blocked, for machines. */
#include "cmd/commands.h"
#include "cmd/enforce.h"
#include "cmd/finding.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon indicators [OPTION...]\n"
    "\n"
    "The active indicators: what is to be blocked, why, and until when.\n"
    "\n"
    "  --format FORMAT     table, the default on a terminal; otherwise jsonl; csv\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FORMAT = OPTION_OWN };

static const struct option longs[] = {
    { "format", required_argument, NULL, OWN_FORMAT },
    OPTIONS_COMMON,
};

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct store *store;
    struct present present;
    int format; /* of formats */
};

enum { FORMAT_JSONL, FORMAT_CSV, FORMAT_TABLE };
static const char *const formats[] = { "jsonl", "csv", "table" };

static int print(void *ctx, const struct indicator *i, struct fault *why)
{
    struct listing *l = ctx;
    const struct finding_from from = { l->knowledge, l->store };
    struct buffer *to = &l->present.out;
    if (enforce_has_ended(i, time(NULL)))
        return E_OK;
    if (l->format == FORMAT_TABLE && !l->present.headed)
        present_text(&l->present, FINDING_ROW_HEADER);
    l->present.headed = true;
    int rc = l->format == FORMAT_CSV     ? finding_csv(to, &from, i, why)
             : l->format == FORMAT_TABLE ? finding_row(to, &from, i, why)
                                         : finding_of_indicator(to, &from, i, why);
    if (rc == 0)
        present_text(&l->present, l->format == FORMAT_JSONL ? "\n" : "");
    return rc;
}

static int list(struct listing *l, struct fault *why)
{
    int rc = options_open_store_if_whole(&l->options, &l->store, why);
    if (rc != 0)
        return rc;
    if (l->format == FORMAT_CSV)
        present_text(&l->present, FINDING_CSV_HEADER);
    rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    bool nothing = rc == E_ABSENT;
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    if (rc == 0)
        rc = indicator_each(l->knowledge, 1u << INDICATOR_ACTIVE, print, l, why);
    if (nothing)
        rc = E_OK;
    knowledge_close(&l->knowledge);
    store_close(&l->store);
    return rc ? rc : present_flush(&l->present, why);
}

static void take_options(struct listing *l, int argc, char **argv)
{
    struct options *o = &l->options;
    l->format = isatty(STDOUT_FILENO) ? FORMAT_TABLE : FORMAT_JSONL;
    options_start(o, usage, longs, argc, argv);
    while (options_next(o) > 0) {
        for (l->format = 0; l->format <= FORMAT_TABLE && strcmp(optarg, formats[l->format]) != 0;)
            l->format++;
        if (l->format > FORMAT_TABLE)
            options_wrong(o, "--format: '%s' is not one of jsonl, csv, table", optarg);
    }
    if (o->json)
        l->format = FORMAT_JSONL;
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
