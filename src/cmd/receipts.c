/* receipts: which secondary holds which version of which zone, and who was protected from what. */
#include "knowledge/receipt.h"

#include "cmd/asked.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "knowledge/publication.h"

#include <inttypes.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon receipts [OPTION...]\n"
    "       dnsmon receipts --history [OPTION...]\n"
    "       dnsmon receipts --blocked [OPTION...]\n"
    "\n"
    "Which secondary holds which version of which zone, as far as is known from what it asked for.\n"
    "\n"
    "  --history           every transfer, look at the serial and notification that is remembered, oldest first\n"
    "  --blocked           instead, for each name that is or was published, how often resolvers blocked it for how many\n"
    "                      clients, where their traffic is fed in (dnstap) and 'policy' tells what they enforce\n"
    "  --from TIME         of --blocked: from the hour of it: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --to TIME           up to it\n"
    OPTIONS_COMMON_HELP;

enum { OWN_HISTORY = OPTION_OWN, OWN_BLOCKED, OWN_FROM, OWN_TO };

static const struct option longs[] = {
    { "history", no_argument, NULL, OWN_HISTORY },
    { "blocked", no_argument, NULL, OWN_BLOCKED },
    { "from", required_argument, NULL, OWN_FROM },
    { "to", required_argument, NULL, OWN_TO },
    OPTIONS_COMMON,
};

struct receipts {
    struct options options;
    bool history, blocked;
    int64_t from, to; /* seconds; 0 and INT64_MAX = open */
    struct knowledge *knowledge;
    struct store *store;
    struct present present;
    struct asked asked;  /* of the name at hand */
    struct activity sum; /* of its hours and days with blocked answers */
};

/* ---- transfers ---- */

static void put_json(struct buffer *to, const struct receipt *r)
{
    buffer_printf(to, "{\"at\":%" PRId64 ",\"secondary\":", r->at);
    present_json_text(to, r->secondary);
    buffer_printf(to, ",\"zone\":");
    present_json_text(to, r->zone);
    buffer_printf(to, ",\"serial\":%" PRIu32 ",\"kind\":\"%s\",\"records\":%" PRId64 ",\"bytes\":%" PRId64 ",\"ms\":%" PRId64
                  ",\"outcome\":", r->serial, receipt_kind_text(r->kind), r->records, r->bytes, r->ms);
    present_json_text(to, r->outcome);
    buffer_u8(to, '}');
}

static void put_row(struct present *p, const struct receipt *r)
{
    struct buffer *to = &p->out;
    char at[32];
    if (!p->headed)
        buffer_printf(to, "%-19s  %-24s  %-28s  %10s  %-6s  %9s  %11s  %7s  %s\n", "at (UTC)", "secondary", "zone", "serial", "kind", "records",
                      "bytes", "ms", "outcome");
    p->headed = true;
    present_time((uint64_t)r->at, at);
    buffer_printf(to, "%-19s  %-24s  %-28s  %10" PRIu32 "  %-6s  %9" PRId64 "  %11" PRId64 "  %7" PRId64 "  ", at, r->secondary, r->zone, r->serial,
                  receipt_kind_text(r->kind), r->records, r->bytes, r->ms);
    present_plain(to, r->outcome[0] ? r->outcome : "well");
}

static int print_receipt(void *ctx, const struct receipt *r, struct fault *why)
{
    struct receipts *l = ctx;
    (void)why;
    if (l->present.style == PRESENT_JSON)
        put_json(&l->present.out, r);
    else
        put_row(&l->present, r);
    present_text(&l->present, "\n");
    return E_OK;
}

/* ---- who was protected ---- */

static int add_hour(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    struct receipts *l = ctx;
    (void)hour;
    (void)why;
    if (a->counters[ACTIVITY_POLICY] > 0)
        activity_merge(&l->sum, a);
    return E_OK;
}

static int add_day(void *ctx, uint32_t day, const struct day *d, struct fault *why)
{
    return add_hour(ctx, day, &d->all, why);
}

static void print_blocked(struct receipts *l, const struct publication *p)
{
    struct buffer *to = &l->present.out;
    uint64_t queries = l->sum.counters[ACTIVITY_POLICY], clients = activity_clients(&l->sum);
    char first[32], last[32];
    if (l->present.style == PRESENT_JSON) {
        buffer_printf(to, "{\"name\":");
        present_json_text(to, p->name);
        buffer_printf(to, ",\"trigger\":\"%s\",\"stage\":\"%s\",\"queries\":%" PRIu64 ",\"clients\":%" PRIu64 ",\"first\":%" PRIu64
                      ",\"last\":%" PRIu64 "}", trigger_text(p->trigger), stage_text(p->stage), queries, clients, l->sum.first, l->sum.last);
        return;
    }
    if (!l->present.headed)
        buffer_printf(to, "%-40s  %-9s  %10s  %8s  %-19s  %-19s\n", "name", "stage", "blocked", "clients", "first asked (UTC)", "last asked");
    l->present.headed = true;
    present_time(l->sum.first, first);
    present_time(l->sum.last, last);
    buffer_printf(to, "%-40s  %-9s  %10" PRIu64 "  %8" PRIu64 "  %-19s  %-19s", p->name, stage_text(p->stage), queries, clients, first, last);
}

/* A registered domain has records of all below it; of other names there are those of the host alone. */
static int find_blocked(void *ctx, const struct publication *p, struct fault *why)
{
    struct receipts *l = ctx;
    struct asked_span span = asked_span(l->from, l->to);
    if (!trigger_has_scope(p->trigger))
        return E_OK;
    int rc = asked_take(&l->asked, p->name, ASKED_HOST, NULL, why);
    if (rc != 0)
        return rc;
    if (p->trigger == TRIGGER_DOMAIN) {
        asked_turn(&l->asked);
        if (!asked_ever(&l->asked, l->store))
            asked_turn(&l->asked);
    }
    activity_init(&l->sum, l->asked.kind == KIND_DOMAIN);
    rc = asked_each(&l->asked, l->store, span, add_hour, l, why);
    if (rc == 0)
        rc = asked_each_day(&l->asked, l->store, span, add_day, l, why);
    if (rc == 0 && l->sum.counters[ACTIVITY_POLICY] > 0) {
        print_blocked(l, p);
        present_text(&l->present, "\n");
    }
    return rc;
}

/* ---- the command ---- */

static int list(struct receipts *l, struct fault *why)
{
    int rc = options_find_store(&l->options, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    if (rc == 0 && l->blocked)
        rc = options_open_store(&l->options, STORE_READ, &l->store, why);
    if (rc != 0)
        return rc;
    return l->blocked   ? publication_each(l->knowledge, ~(1u << STAGE_REVIEW), find_blocked, l, why)
           : l->history ? receipt_each(l->knowledge, "", "", print_receipt, l, why)
                        : receipt_latest(l->knowledge, print_receipt, l, why);
}

static int run(struct receipts *l, struct fault *why)
{
    int rc = list(l, why);
    knowledge_close(&l->knowledge);
    store_close(&l->store);
    return rc ? rc : present_flush(&l->present, why);
}

static void take_options(struct receipts *l, int argc, char **argv)
{
    struct options *o = &l->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_HISTORY: l->history = true; break;
        case OWN_BLOCKED: l->blocked = true; break;
        case OWN_FROM: options_time(o, "from", &l->from); break;
        case OWN_TO: options_time(o, "to", &l->to); break;
        }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (l->history && l->blocked)
        options_wrong(o, "--history or --blocked, not both");
    if (!l->blocked && (l->from != 0 || l->to != INT64_MAX))
        options_wrong(o, "--from and --to are for --blocked");
    if (l->from >= l->to)
        options_wrong(o, "--from is not before --to");
    l->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_receipts(int argc, char **argv)
{
    static struct receipts l;
    struct fault why = { 0 };
    l.to = INT64_MAX;
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&l, argc, argv);
    if (l.options.exit < 0 && run(&l, &why) != 0)
        l.options.exit = command_fail(&why);
    present_release(&l.present);
    return options_end(&l.options);
}
