/* demand: names that are asked for while they are not registered: what a sinkhole could answer. */
#include <inttypes.h>
#include <unistd.h>

#include "cmd/asked.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "detect/demand/list.h"

static const char usage[] =
    "usage: dnsmon demand [OPTION...]\n"
    "\n"
    "Registered domains that were asked for while they did not exist, the most promising for a sinkhole first:\n"
    "those that many clients go on asking for. Names registered by now come last, names below no known top level\n"
    "domain are left out.\n"
    "\n"
    "  --from TIME         from the hour of it: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --to TIME           up to it\n"
    "  --min-days N        missing on so many days at least; 2, which leaves most typing errors out\n"
    "  --limit N           at most so many; 100, at most 1000\n"
    "  --table             columns, the default on a terminal; otherwise JSON lines\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FROM = OPTION_OWN, OWN_TO, OWN_DAYS, OWN_LIMIT, OWN_TABLE, OWN_SUFFIXES };

static const struct option longs[] = {
    { "from", required_argument, NULL, OWN_FROM },
    { "to", required_argument, NULL, OWN_TO },
    { "min-days", required_argument, NULL, OWN_DAYS },
    { "limit", required_argument, NULL, OWN_LIMIT },
    { "table", no_argument, NULL, OWN_TABLE },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct demand {
    struct options options;
    int64_t from, to; /* seconds; 0 and INT64_MAX = open */
    uint64_t days, limit;
    bool table;
    const char *suffixes;
    struct present present;
};

/* Whether it was there before it was missing, and whether it is there again. */
static const char *past_of(const struct demand_name *n)
{
    bool before = n->exists != 0 && n->exists < n->first, now = demand_is_registered(n);
    return before ? now ? "gone for a while" : "existed before" : now ? "registered since" : "never registered";
}

static void print_json(struct present *p, const struct demand_name *n)
{
    char name[NAME_TEXT_MAX];
    size_t len = present_owner((struct slice){ n->owner, n->owner_len }, name);
    buffer_printf(&p->out, "{\"name\":");
    present_json_string(&p->out, name, len);
    buffer_printf(&p->out,
                  ",\"clients\":%" PRIu64 ",\"queries\":%" PRIu64 ",\"days\":%" PRIu32 ",\"hours\":%" PRIu32 ",\"first\":%" PRIu64
                  ",\"last\":%" PRIu64 ",\"past\":\"%s\",\"registered\":%s,\"promise\":%.6g}",
                  n->clients, n->queries, n->days, n->hours, (uint64_t)n->first * ACTIVITY_HOUR_S, (uint64_t)n->last * ACTIVITY_HOUR_S,
                  past_of(n), demand_is_registered(n) ? "true" : "false", n->promise);
    present_text(p, "\n");
}

static void print_row(struct present *p, const struct demand_name *n)
{
    char name[NAME_TEXT_MAX], first[32], last[32];
    (void)present_owner((struct slice){ n->owner, n->owner_len }, name);
    if (!p->headed)
        buffer_printf(&p->out, "%-32s  %8s %10s %5s  %-13s  %-13s  %s\n", "name", "clients", "queries", "days", "first (UTC)",
                      "last", "before and since");
    p->headed = true;
    present_time((uint64_t)n->first * ACTIVITY_HOUR_S, first);
    present_time((uint64_t)n->last * ACTIVITY_HOUR_S, last);
    buffer_printf(&p->out, "%-32s  %8" PRIu64 " %10" PRIu64 " %5" PRIu32 "  %.13s  %.13s  %s", name, n->clients, n->queries, n->days,
                  first, last, past_of(n));
    present_text(p, "\n");
}

static int list(struct demand *d, const struct suffix_list *suffixes, struct fault *why)
{
    struct store *store;
    struct demand_list l;
    struct asked_span span = asked_span(d->from, d->to);
    int rc = options_open_store(&d->options, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    if (span.end > UINT32_MAX)
        span.end = UINT32_MAX;
    rc = span.from >= span.end ? fault_set(why, E_USAGE, "no hour lies between --from and --to")
                               : demand_list_make(&l, store, suffixes, (uint32_t)span.from, (uint32_t)span.end - 1, (uint32_t)d->days,
                                                  (size_t)d->limit, why);
    store_close(&store);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < l.n && d->present.write_errno == 0; i++)
        (d->table ? print_row : print_json)(&d->present, &l.names[i]);
    rc = present_flush(&d->present, why);
    if (l.missing > l.n && d->table)
        command_say("%" PRIu64 " more; --limit shows more of them", l.missing - l.n);
    demand_list_release(&l);
    return rc;
}

static int run(struct demand *d, struct fault *why)
{
    struct suffix_list *suffixes;
    int rc = suffix_load(&suffixes, d->suffixes ? d->suffixes : SUFFIX_DEFAULT_PATH, why);
    if (rc != 0)
        return rc;
    rc = list(d, suffixes, why);
    suffix_destroy(&suffixes);
    return rc;
}

static void take_options(struct demand *d, int argc, char **argv)
{
    struct options *o = &d->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_FROM: options_time(o, "from", &d->from); break;
        case OWN_TO: options_time(o, "to", &d->to); break;
        case OWN_DAYS: options_count(o, "min-days", &d->days); break;
        case OWN_LIMIT: options_count(o, "limit", &d->limit); break;
        case OWN_TABLE: d->table = true; break;
        case OWN_SUFFIXES: d->suffixes = optarg; break;
        }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (d->limit < 1 || d->limit > DEMAND_NAMES)
        options_wrong(o, "--limit: 1 to %d", DEMAND_NAMES);
    if (d->days > UINT32_MAX)
        options_wrong(o, "--min-days: so many days there are not");
    if (d->from >= d->to)
        options_wrong(o, "--from is not before --to");
    if (d->table && o->json)
        options_wrong(o, "--table or --json, not both");
    d->table |= !o->json && isatty(STDOUT_FILENO);
}

int cmd_demand(int argc, char **argv)
{
    static struct demand d;
    struct fault why = { 0 };
    d.to = INT64_MAX;
    d.days = 2;
    d.limit = 100;
    present_init(&d.present, STDOUT_FILENO, PRESENT_TABLE);
    take_options(&d, argc, argv);
    if (d.options.exit < 0 && run(&d, &why) != 0)
        d.options.exit = command_fail(&why);
    present_release(&d.present);
    return options_end(&d.options);
}
