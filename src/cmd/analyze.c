/* analyze: detectors, verdicts and campaigns over what was recorded since the last run. */
#include "cmd/commands.h"
#include "cmd/enforce.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include "detect/analysis.h"
#include "detect/census.h"
#include "detect/detector.h"
#include "detect/verdict/weights.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon analyze [OPTION...]\n\n"
    "Looks at what was recorded since the last run, hour by hour of data time: which names are worth a closer look, what\n"
    "detectors find about them, what follows from it. Evidence, verdicts, campaigns and indicators go to knowledge.db in the\n"
    "database. Run it as often as you like: the result does not depend on it.\n\n"
    "  --as-of TIME        judge no hour that ends later (the newest whole one)\n"
    "  --again             from the first hour on, with the detectors and weights of now; what is in the ledger stays\n"
    "  --threads N         examine with N threads (the online cores)\n"
    "  --weights FILE      instead of the weights that are built in (docs/design/verdict.md)\n"
    "  --without DETECTOR  leave one out. An experiment: use a copy of the database\n"
    "  --features FILE     write what was judged, a JSON line each, for scripts/fit-weights\n"
    "  --list-detectors    print what there is, and end\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List (" SUFFIX_DEFAULT_PATH ")\n" OPTIONS_COMMON_HELP;

enum { OWN_AS_OF = OPTION_OWN, OWN_AGAIN, OWN_THREADS, OWN_WEIGHTS, OWN_WITHOUT, OWN_FEATURES, OWN_LIST, OWN_SUFFIXES };

static const struct option longs[] = {
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "again", no_argument, NULL, OWN_AGAIN },
    { "threads", required_argument, NULL, OWN_THREADS },
    { "weights", required_argument, NULL, OWN_WEIGHTS },
    { "without", required_argument, NULL, OWN_WITHOUT },
    { "features", required_argument, NULL, OWN_FEATURES },
    { "list-detectors", no_argument, NULL, OWN_LIST },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    { "suffixes", required_argument, NULL, OWN_SUFFIXES }, /* its former name */
    OPTIONS_COMMON,
};

struct analyze {
    struct options options;
    struct analysis_options how;
    struct verdict_weights weights;
    const char *suffixes_path, *weights_path, *features_path;
    bool list;
    bool lost; /* analysis begins where hours do, because those before were not kept */
};

static void show_progress(void *ctx, uint32_t step, uint32_t from, uint32_t to)
{
    char text[32];
    (void)ctx;
    present_time((uint64_t)step * STEP_S, text);
    fprintf(stderr, "%sanalysed to %.16s, %3.0f %%%s", isatty(STDERR_FILENO) ? "\r" : "", text,
            100.0 * (step - from + 1) / (to - from + 1), isatty(STDERR_FILENO) && step < to ? "" : "\n");
}

static void print_json(const struct analyze *a, const struct analysis_summary *s, double seconds)
{
    printf("{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"messages\":%" PRIu64 ",\"names\":%" PRIu64 ",\"cleaned\":%" PRIu64
           ",\"candidates\":%" PRIu64 ",\"examined\":%" PRIu64 ",\"candidates_refused\":%" PRIu64 ",\"evidence\":%" PRIu64
           ",\"verdicts\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"campaigns\":%" PRIu32 ",\"earlier_hours_lost\":%s,\"seconds\":%.3f}\n",
           (uint64_t)s->from * STEP_S, ((uint64_t)s->to + 1) * STEP_S, s->messages, s->names, s->cleaned, s->candidates,
           s->examined, s->refused, s->evidence, s->verdicts, s->blocked, s->campaigns,
           a->lost ? "true" : "false", seconds);
}

static void print_nothing(const struct analyze *a, const char *from)
{
    if (a->how.as_of == 0)
        printf("nothing new: no whole hour since the last run\n");
    else if (a->lost)
        printf("nothing to judge: hours before %.16s are no longer kept; what was known then is in the ledger (--as-of of\n"
               "verdicts, explain, campaigns)\n", from);
    else
        printf("nothing to judge: analysis goes on from %.16s; what was known before is in the ledger (--as-of of verdicts,\n"
               "explain, campaigns)\n", from);
}

static void print_text(const struct analyze *a, const struct analysis_summary *s, double seconds)
{
    char from[32], to[32];
    present_time((uint64_t)s->from * STEP_S, from);
    if (s->to + 1 == s->from) {
        print_nothing(a, from);
        return;
    }
    if (a->lost)
        printf("hours before %.16s are no longer kept: analysis begins there\n", from);
    present_time(((uint64_t)s->to + 1) * STEP_S, to);
    printf("%.16s to %.16s (UTC): %" PRIu64 " messages, %" PRIu64 " names by hour, %" PRIu64 " of them cleaned, %" PRIu64
           " candidates examined %" PRIu64 " times\n",
           from, to, s->messages, s->names, s->cleaned, s->candidates, s->examined);
    if (s->refused != 0)
        printf("%" PRIu64 " candidates were beyond the limit and not examined\n", s->refused);
    printf("%" PRIu64 " rows of evidence, %" PRIu64 " of verdicts; %" PRIu64 " names blocked, %" PRIu32
           " campaigns stand; %.1f s\n",
           s->evidence, s->verdicts, s->blocked, s->campaigns, seconds);
}

static int list_detectors(void)
{
    const struct detector *const *all;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++)
        printf("%-14s  %-14s  %s\n", all[i]->name, group_text(all[i]->group), all[i]->about);
    return EXIT_DONE;
}

static int open_features(struct analyze *a, struct fault *why)
{
    a->how.features = a->features_path == NULL ? NULL : fopen(a->features_path, "we");
    return a->features_path != NULL && a->how.features == NULL ? fault_set(why, E_IO, "%s: cannot be written", a->features_path)
                                                               : E_OK;
}

static int check_without(const struct analyze *a, struct fault *why)
{
    const struct detector *const *all;
    size_t n = detectors(&all);
    for (size_t i = 0; a->how.without != NULL && i < n; i++)
        if (strcmp(all[i]->name, a->how.without) == 0)
            return E_OK;
    return a->how.without == NULL ? E_OK
                                  : fault_set(why, E_USAGE, "no detector is called '%s'; see --list-detectors", a->how.without);
}

static bool has_days(const struct store *store)
{
    const struct store_table *tables;
    size_t n = store_tables(store, &tables);
    for (size_t i = 0; i < n; i++)
        if (tables[i].kind == KIND_DOMAIN_DAY)
            return true;
    return false;
}

static int look_for_loss(struct analyze *a, const struct analysis_summary *sum, struct fault *why)
{
    struct store *store;
    uint32_t first;
    int rc = options_open_store(&a->options, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    rc = census_first(store, &first, why);
    a->lost = rc == 0 && period_start(first) == sum->from && has_days(store);
    store_close(&store);
    return rc;
}

/* Before the hours that follow are judged. */
static int end_words(const struct analyze *a, struct fault *why)
{
    struct knowledge *k = NULL;
    int rc = options_open_knowledge(&a->options, KNOWLEDGE_READ, &k, why); /* which makes none */
    if (rc == E_ABSENT)
        return E_OK;
    knowledge_close(&k);
    rc = rc ? rc : options_open_knowledge(&a->options, KNOWLEDGE_WRITE, &k, why);
    if (rc != 0)
        return rc;
    rc = enforce_ended(k, a->how.now, why);
    knowledge_close(&k);
    return rc;
}

static int analyse(struct analyze *a, struct analysis_summary *sum, struct fault *why)
{
    struct suffix_list *suffixes = NULL;
    int rc = check_without(a, why);
    if (rc == 0)
        rc = options_find_store(&a->options, why);
    if (rc == 0)
        rc = suffix_load(&suffixes, a->suffixes_path ? a->suffixes_path : SUFFIX_DEFAULT_PATH, why);
    if (rc == 0 && a->weights_path != NULL)
        rc = weights_read(a->weights_path, &a->weights, why);
    else if (rc == 0)
        weights_default(&a->weights);
    if (rc == 0)
        rc = open_features(a, why);
    a->how.dir = a->options.settings.db;
    a->how.suffixes = suffixes;
    a->how.weights = &a->weights;
    a->how.threads = a->options.settings.threads;
    a->how.now = time(NULL);
    if (a->options.progress || isatty(STDERR_FILENO))
        a->how.progress = show_progress;
    if (rc == 0)
        rc = end_words(a, why);
    if (rc == 0)
        rc = analysis_run(&a->how, sum, why);
    if (rc == 0)
        rc = look_for_loss(a, sum, why);
    if (a->how.features != NULL && fclose(a->how.features) != 0 && rc == 0)
        rc = fault_set(why, E_IO, "%s: cannot be written", a->features_path);
    suffix_destroy(&suffixes);
    return rc;
}

static void take_options(struct analyze *a, int argc, char **argv)
{
    struct options *o = &a->options;
    uint64_t threads;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_AS_OF: options_time(o, "as-of", &a->how.as_of); break;
        case OWN_AGAIN: a->how.again = true; break;
        case OWN_THREADS:
            options_count(o, "threads", &threads);
            if (o->exit < 0 && (threads < 1 || threads > 256))
                options_wrong(o, "--threads %s: 1 to 256", optarg);
            o->settings.threads = (unsigned)threads;
            break;
        case OWN_WEIGHTS: a->weights_path = optarg; break;
        case OWN_WITHOUT: a->how.without = optarg; break;
        case OWN_FEATURES: a->features_path = optarg; break;
        case OWN_LIST: a->list = true; break;
        case OWN_SUFFIXES: a->suffixes_path = optarg; break;
        }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
}

int cmd_analyze(int argc, char **argv)
{
    static struct analyze a;
    struct analysis_summary sum;
    struct fault why = { 0 };
    struct timespec before, after;
    take_options(&a, argc, argv);
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (a.options.exit < 0 && a.list) {
        a.options.exit = list_detectors();
    } else if (a.options.exit < 0) {
        int rc = analyse(&a, &sum, &why);
        clock_gettime(CLOCK_MONOTONIC, &after);
        double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) * 1e-9;
        if (rc != 0)
            a.options.exit = command_fail(&why);
        else if (a.options.json)
            print_json(&a, &sum, seconds);
        else
            print_text(&a, &sum, seconds);
    }
    return options_end(&a.options);
}
