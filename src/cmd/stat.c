/* stat: what the database holds, from the manifest and, of analysis, from the ledger. */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "knowledge/analysis.h"
#include "knowledge/funnel.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static const char usage[] = "usage: dnsmon stat [OPTION...]\n\n"
                            "Tables by kind and tier, time covered, sources and totals; up to where it was analysed, and what\n"
                            "came through each stage of that.\n\n" OPTIONS_COMMON_HELP;

static const struct option longs[] = { OPTIONS_COMMON };

static const char *const tier_names[TIERS] = { "slot", "hour", "day", "month" };

struct group {
    uint64_t tables, open, entries, bytes, filter_bytes;
    int64_t from, to;
};

static void group_add(struct group *g, const struct store_table *t)
{
    if (g->tables == 0 || t->from < g->from)
        g->from = t->from;
    if (g->tables == 0 || t->to > g->to)
        g->to = t->to;
    g->tables++;
    g->open += t->open;
    g->entries += t->entries;
    g->bytes += t->bytes;
    g->filter_bytes += t->filter_bytes;
}

static void count_tables(const struct store *store, struct group groups[KINDS][TIERS], struct group *all)
{
    const struct store_table *tables;
    size_t n = store_tables(store, &tables);
    for (size_t i = 0; i < n; i++) {
        if (tables[i].kind < KINDS && tables[i].tier < TIERS)
            group_add(&groups[tables[i].kind][tables[i].tier], &tables[i]);
        group_add(all, &tables[i]);
    }
}

static json_t *group_json(const struct group *g)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "tables", (json_int_t)g->tables, "open",
                     (json_int_t)g->open, "entries", (json_int_t)g->entries, "bytes", (json_int_t)g->bytes,
                     "filter_bytes", (json_int_t)g->filter_bytes, "from", (json_int_t)g->from, "to",
                     (json_int_t)g->to);
}

static json_t *sources_json(const struct store *store)
{
    const struct store_source *sources;
    size_t n = store_sources(store, &sources);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "name", sources[i].name, "id", sources[i].id,
                                              "offset", (json_int_t)sources[i].at.offset));
    return list;
}

static json_t *totals_json(const struct store *store)
{
    json_t *totals = json_loads(store_totals(store), 0, NULL);
    return totals ? totals : json_object();
}

/* ---- analysis ---- */

/* {"until": seconds, "funnel": [{"stage", "reason", "count"}]}: names are counted once an hour. NULL: nothing was analysed. */
static int add_stage(void *ctx, enum funnel_stage stage, const char *reason, uint64_t count, struct fault *why)
{
    json_t *row = json_pack("{s:s, s:s, s:I}", "stage", funnel_stage_text(stage), "reason", reason, "count", (json_int_t)count);
    return row != NULL && json_array_append_new(ctx, row) == 0 ? E_OK : fault_set(why, E_NOMEM, "no memory for the funnel");
}

static int read_analysis(const struct options *o, json_t **ret, struct fault *why)
{
    struct knowledge *k = NULL;
    struct analysis a;
    json_t *funnel = json_array();
    *ret = NULL;
    int rc = options_open_knowledge(o, KNOWLEDGE_READ, &k, why);
    if (rc == 0)
        rc = analysis_get(k, &a, why);
    if (rc == 0)
        rc = funnel_sum(k, 0, INT64_MAX, add_stage, funnel, why);
    knowledge_close(&k);
    if (rc == 0 && a.analysed_until != 0)
        *ret = json_pack("{s:I, s:O}", "until", (json_int_t)(a.analysed_until + 1) * KNOWLEDGE_HOUR_S, "funnel", funnel);
    json_decref(funnel);
    if (rc == E_VERSION) /* the rest can be told */
        command_say("%s", why->text);
    return rc == E_ABSENT || rc == E_VERSION ? E_OK : rc;
}

static void print_analysis(const json_t *analysis)
{
    char until[32];
    size_t i;
    json_t *row;
    if (analysis == NULL)
        return;
    present_time((uint64_t)json_integer_value(json_object_get(analysis, "until")), until);
    printf("analysed   up to %s; names by hour:\n", until);
    json_array_foreach(json_object_get(analysis, "funnel"), i, row) {
        const char *reason = json_string_value(json_object_get(row, "reason"));
        printf("  %-11s%-34s%12" JSON_INTEGER_FORMAT "\n", json_string_value(json_object_get(row, "stage")), reason,
               json_integer_value(json_object_get(row, "count")));
    }
}

/* ---- all of it ---- */

static int print_json(const struct store *store, json_t *analysis, const char *db)
{
    struct group groups[KINDS][TIERS] = { 0 }, all = { 0 };
    json_t *root = json_object(), *kinds = json_object();
    count_tables(store, groups, &all);
    for (int kind = 0; kind < KINDS; kind++) {
        json_t *tiers = json_object();
        for (int tier = 0; tier < TIERS; tier++)
            if (groups[kind][tier].tables > 0)
                json_object_set_new(tiers, tier_names[tier], group_json(&groups[kind][tier]));
        json_object_set_new(kinds, record_kinds[kind].name, tiers);
    }
    json_object_set_new(root, "db", json_string(db));
    json_object_set_new(root, "kinds", kinds);
    json_object_set_new(root, "all", group_json(&all));
    json_object_set_new(root, "watermark", json_integer(store_watermark(store)));
    json_object_set_new(root, "sources", sources_json(store));
    json_object_set_new(root, "totals", totals_json(store));
    if (analysis != NULL)
        json_object_set(root, "analysis", analysis);
    int rc = json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return rc;
}

static void print_group(const char *kind, const char *tier, const struct group *g)
{
    char from[32], to[32];
    if (g->tables == 0)
        return;
    present_time((uint64_t)g->from, from);
    present_time((uint64_t)g->to, to);
    printf("%-9s  %-5s  %6" PRIu64 "  %12" PRIu64 "  %14" PRIu64 "  %12" PRIu64 "  %s  %s\n", kind, tier,
           g->tables, g->entries, g->bytes, g->filter_bytes, from, to);
}

/* The nanoseconds beside first and last are for the program. */
static bool is_for_people(const char *key)
{
    size_t n = strlen(key);
    return n < 3 || strcmp(key + n - 3, "_ns") != 0;
}

static bool is_time(const char *key)
{
    return strcmp(key, "first") == 0 || strcmp(key, "last") == 0;
}

/* Nested objects print as dotted names. */
static void print_totals(const char *prefix, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        char name[256], when[32];
        if (!is_for_people(key))
            continue;
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_object(value))
            print_totals(name, value);
        else if (is_time(key)) {
            present_time((uint64_t)json_integer_value(value), when);
            printf("  %-35s %s\n", name, when);
        } else if (json_is_integer(value))
            printf("  %-40s %14" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
        else if (json_is_string(value))
            printf("  %-40s %s\n", name, json_string_value(value));
    }
}

static void print_text(const struct store *store, const json_t *analysis, const char *db)
{
    struct group groups[KINDS][TIERS] = { 0 }, all = { 0 };
    const struct store_source *sources;
    char watermark[32];
    count_tables(store, groups, &all);
    printf("%-9s  %-5s  %6s  %12s  %14s  %12s  %-19s  %s\n", "kind", "tier", "tables", "entries", "bytes",
           "filters", "from (UTC)", "to");
    for (int kind = 0; kind < KINDS; kind++)
        for (int tier = 0; tier < TIERS; tier++)
            print_group(record_kinds[kind].name, tier_names[tier], &groups[kind][tier]);
    print_group("all", "", &all);
    present_time((uint64_t)store_watermark(store), watermark);
    printf("\ndatabase   %s\nopen       %" PRIu64 " tables of unfinished slots\nwatermark  %s\nsources    %zu\n",
           db, all.open, store_watermark(store) ? watermark : "none", store_sources(store, &sources));
    print_analysis(analysis);
    json_t *totals = totals_json(store);
    if (json_object_size(totals) > 0)
        printf("totals\n");
    print_totals("", totals);
    json_decref(totals);
}

static int run(const struct options *o, struct fault *why)
{
    struct store *store;
    json_t *analysis = NULL;
    int rc = options_open_store(o, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    int known = read_analysis(o, &analysis, why); /* the rest can be told first */
    if (o->json)
        rc = print_json(store, analysis, o->settings.db);
    else
        print_text(store, analysis, o->settings.db);
    json_decref(analysis);
    store_close(&store);
    if (rc != 0 || fflush(stdout) != 0)
        return fault_set(why, E_IO, "standard output: write failed");
    return known;
}

int cmd_stat(int argc, char **argv)
{
    struct options o;
    struct fault why = { 0 };
    options_start(&o, usage, longs, argc, argv);
    while (options_next(&o) > 0)
        ;
    if (o.exit < 0 && optind < argc)
        options_wrong(&o, "'%s' is one word too many", argv[optind]);
    if (o.exit < 0 && run(&o, &why) != 0)
        o.exit = command_fail(&why);
    return options_end(&o);
}
