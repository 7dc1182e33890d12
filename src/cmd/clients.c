/* clients: which hosts asked for a name. The store keeps ids, not addresses; --resolve finds the addresses among those that
 * the operator names, and every such look is in the audit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/asked.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "cmd/spark.h"
#include "cmd/unmask.h"
#include "knowledge/decision.h"

static const char usage[] =
    "usage: dnsmon clients [OPTION...] NAME\n"
    "\n"
    "Which clients asked for NAME and when, by the samples of its activity: of a registered domain at\n"
    "or below it, of other names for themselves. Busiest first. Clients are ids; --resolve finds their addresses.\n"
    "\n"
    "  --from TIME         from the hour of it: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --to TIME           up to it; the hour that it lies in counts, one that it begins does not\n"
    "  --domain            the registered domain that NAME is or belongs to\n"
    "  --host              NAME itself, also when it is a registered domain\n"
    "  --resolve WHAT      try the addresses of a network (10.0.0.0/8), of a range, or of a file with one of these a\n"
    "                      line, 16777216 in all; may be repeated. Needs the database's client.key; is audited\n"
    "  --table             a row a client, the default on a terminal; otherwise one JSON object\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FROM = OPTION_OWN, OWN_TO, OWN_DOMAIN, OWN_HOST, OWN_RESOLVE, OWN_SUFFIXES, OWN_TABLE };
enum { RESOLVE_WORDS = 64, ROW_COLUMNS = 108, CURVE_COLUMNS = 24 };

static const struct option longs[] = {
    { "from", required_argument, NULL, OWN_FROM },
    { "to", required_argument, NULL, OWN_TO },
    { "domain", no_argument, NULL, OWN_DOMAIN },
    { "host", no_argument, NULL, OWN_HOST },
    { "resolve", required_argument, NULL, OWN_RESOLVE },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    { "table", no_argument, NULL, OWN_TABLE },
    OPTIONS_COMMON,
};

/* A client in an hour, or in a day of which the hours are no longer kept. */
struct sighting {
    uint64_t id;
    uint32_t hour;    /* of a day its first */
    uint32_t asks_at; /* in the ask times; none when the hour's sample is full */
    uint8_t n_asks;
    bool day;
};

struct client {
    uint64_t id;
    size_t at, n; /* of the sightings */
    uint64_t asks;
    uint64_t first, last; /* seconds; of an hour without ask times its start and end */
};

struct who {
    struct options options;
    bool as_domain, as_host, table;
    const char *suffixes;
    int64_t from, to; /* seconds; 0 and INT64_MAX = open */
    const char *resolve[RESOLVE_WORDS];
    unsigned n_resolve;

    struct asked asked;
    struct buffer sightings; /* struct sighting, by id and hour once read */
    struct buffer ask_times; /* uint16_t seconds of the hour */
    struct buffer clients;   /* struct client */
    struct buffer ids;       /* uint64_t, rising, of the clients before they are ranked */
    struct activity all;
    uint64_t hours, full_hours, days, full_days, unknown;
    uint32_t first_hour, last_hour;
    struct unmask *unmask; /* NULL: not wanted */
    struct present present;
};

/* ---- gathering ---- */

static int take(struct who *w, uint32_t hour, bool day, const struct activity *a, struct fault *why)
{
    uint32_t last = day ? hour + DAY_HOURS - 1 : hour;
    w->first_hour = w->all.first == UINT64_MAX || hour < w->first_hour ? hour : w->first_hour;
    w->last_hour = last > w->last_hour ? last : w->last_hour;
    w->unknown += a->counters[ACTIVITY_UNKNOWN_CLIENT];
    activity_merge(&w->all, a);
    for (unsigned i = 0; i < a->n_clients; i++) {
        const struct activity_client *c = &a->clients[i];
        struct sighting s = { c->id, hour, (uint32_t)(w->ask_times.len / sizeof c->asks[0]), c->n_asks, day };
        buffer_append(&w->sightings, &s, sizeof s);
        buffer_append(&w->ask_times, c->asks, c->n_asks * sizeof c->asks[0]);
    }
    if (w->sightings.failed || w->ask_times.failed || w->ask_times.len / sizeof(uint16_t) > UINT32_MAX)
        return fault_set(why, E_LIMIT, "the clients do not fit in memory; use --from and --to");
    return E_OK;
}

static int take_hour(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    struct who *w = ctx;
    w->hours++;
    w->full_hours += !asked_all_clients(a);
    return take(w, hour, false, a, why);
}

static int take_day(void *ctx, uint32_t day, const struct day *d, struct fault *why)
{
    struct who *w = ctx;
    w->days++;
    w->full_days += !asked_all_clients(&d->all);
    return take(w, day * DAY_HOURS, true, &d->all, why);
}

static int compare_sightings(const void *a, const void *b)
{
    const struct sighting *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->hour > y->hour) - (x->hour < y->hour);
}

/* Most hours first, then most asks, then by id. */
static int compare_clients(const void *a, const void *b)
{
    const struct client *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    if (x->asks != y->asks)
        return x->asks > y->asks ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static const struct sighting *sightings_of(const struct who *w)
{
    return (const struct sighting *)(const void *)w->sightings.ptr;
}

static const uint16_t *asks_of(const struct who *w, const struct sighting *s)
{
    return (const uint16_t *)(const void *)w->ask_times.ptr + s->asks_at;
}

static struct client *clients_of(const struct who *w)
{
    return (struct client *)(void *)w->clients.ptr;
}

static size_t n_clients(const struct who *w)
{
    return w->clients.len / sizeof(struct client);
}

static uint64_t first_of(const struct who *w, const struct sighting *s)
{
    return (uint64_t)s->hour * ACTIVITY_HOUR_S + (s->n_asks ? asks_of(w, s)[0] : 0);
}

static uint64_t last_of(const struct who *w, const struct sighting *s)
{
    unsigned end = s->day ? DAY_S - 1 : ACTIVITY_HOUR_S - 1;
    return (uint64_t)s->hour * ACTIVITY_HOUR_S + (s->n_asks ? asks_of(w, s)[s->n_asks - 1] : end);
}

static int group_clients(struct who *w, struct fault *why)
{
    size_t n = w->sightings.len / sizeof(struct sighting);
    const struct sighting *s = sightings_of(w);
    if (n != 0)
        qsort(w->sightings.ptr, n, sizeof *s, compare_sightings);
    for (size_t at = 0, end; at < n; at = end) {
        struct client c = { .id = s[at].id, .at = at, .first = first_of(w, &s[at]) };
        for (end = at; end < n && s[end].id == c.id; end++)
            c.asks += s[end].n_asks;
        c.n = end - at;
        c.last = last_of(w, &s[end - 1]);
        buffer_append(&w->clients, &c, sizeof c);
        buffer_append(&w->ids, &c.id, sizeof c.id);
    }
    return w->clients.failed || w->ids.failed ? fault_set(why, E_NOMEM, "out of memory") : E_OK;
}

static void rank_clients(struct who *w)
{
    if (n_clients(w) != 0)
        qsort(w->clients.ptr, n_clients(w), sizeof(struct client), compare_clients);
}

/* ---- addresses ---- */

/* Before anything is shown. */
static int audit(struct who *w, struct fault *why)
{
    struct knowledge *k;
    char author[COMMAND_AUTHOR], detail[256];
    int rc = knowledge_open(&k, w->options.settings.db, KNOWLEDGE_WRITE, why);
    if (rc != 0)
        return rc;
    command_author(author);
    snprintf(detail, sizeof detail, "%zu of %zu clients found among %" PRIu64 " addresses", unmask_found(w->unmask),
             n_clients(w), unmask_tried(w->unmask));
    w->asked.name[w->asked.name_len - 1] = '\0'; /* as knowledge writes names */
    struct audit a = { .at = time(NULL), .author = author, .action = "resolve clients", .subject = w->asked.name, .detail = detail };
    rc = audit_add(k, &a, why);
    w->asked.name[w->asked.name_len - 1] = '.';
    knowledge_close(&k);
    return rc;
}

static int resolve(struct who *w, struct fault *why)
{
    if (w->n_resolve == 0)
        return E_OK;
    int rc = unmask_create(&w->unmask, w->options.settings.db, (const uint64_t *)(const void *)w->ids.ptr, n_clients(w), why);
    for (unsigned i = 0; rc == 0 && i < w->n_resolve; i++)
        rc = unmask_try(w->unmask, w->resolve[i], why);
    return rc ? rc : audit(w, why);
}

static bool address_of(const struct who *w, const struct client *c, char text[UNMASK_TEXT])
{
    const uint64_t *ids = (const uint64_t *)(const void *)w->ids.ptr;
    size_t low = 0, high = n_clients(w);
    if (w->unmask == NULL)
        return false;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(ids[middle] <= c->id ? &low : &high) = middle;
    }
    return unmask_text(w->unmask, low, text);
}

/* ---- JSON ---- */

/* The beginnings of hours, or of days. */
static void json_spans(struct who *w, const struct client *c, const char *field, bool day)
{
    struct buffer *to = &w->present.out;
    const struct sighting *s = sightings_of(w) + c->at;
    const char *comma = "";
    buffer_printf(to, ",\"%s\":[", field);
    for (size_t i = 0; i < c->n; i++)
        if (s[i].day == day) {
            buffer_printf(to, "%s%" PRIu64, comma, (uint64_t)s[i].hour * ACTIVITY_HOUR_S);
            comma = ",";
        }
    buffer_u8(to, ']');
}

static void json_times(struct who *w, const struct client *c)
{
    struct buffer *to = &w->present.out;
    const struct sighting *s = sightings_of(w) + c->at;
    const char *comma = "";
    json_spans(w, c, "hours", false);
    if (w->days != 0)
        json_spans(w, c, "days", true);
    buffer_printf(to, ",\"asks\":[");
    for (size_t i = 0; i < c->n; i++)
        for (unsigned j = 0; j < s[i].n_asks; j++, comma = ",")
            buffer_printf(to, "%s%" PRIu64, comma, (uint64_t)s[i].hour * ACTIVITY_HOUR_S + asks_of(w, &s[i])[j]);
    buffer_u8(to, ']');
}

static void json_client(struct who *w, const struct client *c)
{
    struct buffer *to = &w->present.out;
    char address[UNMASK_TEXT];
    buffer_printf(to, "{\"client\":\"%016" PRIx64 "\"", c->id);
    if (address_of(w, c, address))
        buffer_printf(to, ",\"address\":\"%s\"", address);
    buffer_printf(to, ",\"first\":%" PRIu64 ",\"last\":%" PRIu64, c->first, c->last);
    json_times(w, c);
    present_text(&w->present, "}");
}

static void print_json(struct who *w)
{
    struct buffer *to = &w->present.out;
    buffer_printf(to, "{\"name\":");
    present_json_string(to, w->asked.name, w->asked.name_len);
    bool whole = w->full_hours + w->full_days == 0;
    buffer_printf(to, ",\"kind\":\"%s\",\"hours\":%" PRIu64 ",\"hours_with_full_sample\":%" PRIu64,
                  record_kinds[w->asked.kind].name, w->hours, w->full_hours);
    if (w->days != 0)
        buffer_printf(to, ",\"days\":%" PRIu64 ",\"days_with_full_sample\":%" PRIu64, w->days, w->full_days);
    buffer_printf(to, ",\"clients\":%" PRIu64 ",\"clients_exact\":%s,\"queries_of_unknown_clients\":%" PRIu64,
                  whole ? n_clients(w) : activity_clients(&w->all), whole ? "true" : "false", w->unknown);
    if (w->unmask != NULL)
        buffer_printf(to, ",\"addresses_tried\":%" PRIu64 ",\"resolved\":%zu", unmask_tried(w->unmask), unmask_found(w->unmask));
    buffer_printf(to, ",\"sample\":[");
    for (size_t i = 0; i < n_clients(w) && w->present.write_errno == 0; i++) {
        if (i)
            buffer_u8(to, ',');
        json_client(w, &clients_of(w)[i]);
    }
    present_text(&w->present, "]}\n");
}

/* ---- table ---- */

static void print_head(struct who *w)
{
    struct buffer *to = &w->present.out;
    uint64_t spans = w->hours + w->days, full = w->full_hours + w->full_days;
    const char *what = w->days == 0 ? "hours" : "hours and days";
    if (full == 0)
        buffer_printf(to, "%s  %s: %zu clients, all that asked in %" PRIu64 " %s\n", w->asked.name, record_kinds[w->asked.kind].name,
                      n_clients(w), spans, what);
    else
        buffer_printf(to, "%s  %s: about %" PRIu64 " clients in %" PRIu64 " %s. Incomplete: in %" PRIu64 " of them more asked than a\n"
                      "sample holds (%u), so others are missing, these may have asked in more hours, and ask times are not kept.\n",
                      w->asked.name, record_kinds[w->asked.kind].name, activity_clients(&w->all), spans, what, full,
                      activity_clients_max(&w->all));
    if (w->days != 0)
        buffer_printf(to, "Of %" PRIu64 " day%s the hours are no longer kept: each counts below as an hour without ask times.\n", w->days,
                      w->days == 1 ? "" : "s");
    if (w->unknown != 0)
        buffer_printf(to, "%" PRIu64 " queries came from clients that the source did not tell.\n", w->unknown);
    if (w->unmask != NULL)
        buffer_printf(to, "%zu of %zu found among %" PRIu64 " addresses; this is in the audit.\n", unmask_found(w->unmask), n_clients(w),
                      unmask_tried(w->unmask));
    present_text(&w->present, "\n");
}

static void print_curve(struct who *w, const struct client *c, const struct spark_axis *axis)
{
    struct buffer points;
    buffer_init(&points, c->n * DAY_HOURS * sizeof(struct spark_point));
    for (size_t i = 0; i < c->n; i++) {
        const struct sighting *s = sightings_of(w) + c->at + i;
        for (uint32_t hour = 0; hour < (s->day ? DAY_HOURS : 1); hour++) {
            struct spark_point p = { s->n_asks ? s->n_asks : 1, s->hour + hour };
            buffer_append(&points, &p, sizeof p);
        }
    }
    if (!points.failed)
        (void)spark_draw(&w->present.out, axis, (const struct spark_point *)(const void *)points.ptr, points.len / sizeof(struct spark_point));
    buffer_release(&points);
}

static void print_client(struct who *w, const struct client *c, const struct spark_axis *axis)
{
    char address[UNMASK_TEXT] = "", first[32], last[32];
    bool known = address_of(w, c, address);
    present_time(c->first, first);
    present_time(c->last, last);
    buffer_printf(&w->present.out, "%016" PRIx64 "  %-*s%6zu %6" PRIu64 "  %s  %s  ", c->id, w->unmask ? 20 : 0,
                  known ? address : w->unmask ? "-" : "", c->n, c->asks, first, last);
    print_curve(w, c, axis);
    present_text(&w->present, "\n");
}

static void print_table(struct who *w)
{
    if (w->hours + w->days == 0)
        return;
    unsigned columns = spark_columns();
    struct spark_axis axis = spark_axis(w->first_hour, w->last_hour + UINT64_C(1),
                                        columns > ROW_COLUMNS + CURVE_COLUMNS ? columns - ROW_COLUMNS : CURVE_COLUMNS);
    char cell[32];
    spark_cell_text(&axis, cell);
    print_head(w);
    buffer_printf(&w->present.out, "%-16s  %-*s%6s %6s  %-19s  %-19s  asks, a block %s\n", "client", w->unmask ? 20 : 0,
                  w->unmask ? "address" : "", "hours", "asks", "first", "last", cell);
    for (size_t i = 0; i < n_clients(w) && w->present.write_errno == 0; i++)
        print_client(w, &clients_of(w)[i], &axis);
}

/* ---- the command ---- */

static int look(struct who *w, struct fault *why)
{
    struct store *store;
    int rc = options_open_store(&w->options, STORE_READ, &store, why);
    if (rc != 0)
        return rc;
    activity_init(&w->all, w->asked.kind == KIND_DOMAIN);
    rc = asked_each_day(&w->asked, store, asked_span(w->from, w->to), take_day, w, why);
    if (rc == 0)
        rc = asked_each(&w->asked, store, asked_span(w->from, w->to), take_hour, w, why);
    if (rc == 0 && w->hours + w->days == 0 && isatty(STDERR_FILENO))
        command_say("%s no activity%s", w->asked.name, asked_ever(&w->asked, store) ? " in this time, but at other times" : "");
    store_close(&store);
    return rc;
}

static int run(struct who *w, const char *name, struct fault *why)
{
    struct suffix_list *list = NULL;
    int rc = w->as_host ? E_OK : suffix_load(&list, w->suffixes ? w->suffixes : SUFFIX_DEFAULT_PATH, why);
    if (rc == 0)
        rc = asked_take(&w->asked, name, w->as_host ? ASKED_HOST : w->as_domain ? ASKED_DOMAIN : ASKED_BEST, list, why);
    suffix_destroy(&list);
    if (rc == 0)
        rc = look(w, why);
    if (rc == 0)
        rc = group_clients(w, why);
    if (rc == 0)
        rc = resolve(w, why);
    if (rc != 0)
        return rc;
    rank_clients(w);
    if (w->table || (!w->options.json && isatty(STDOUT_FILENO)))
        print_table(w);
    else
        print_json(w);
    return present_flush(&w->present, why);
}

static void take_resolve(struct who *w)
{
    if (w->n_resolve == RESOLVE_WORDS)
        options_wrong(&w->options, "--resolve: at most %d times", RESOLVE_WORDS);
    else
        w->resolve[w->n_resolve++] = optarg;
}

static void take_options(struct who *w, int argc, char **argv)
{
    struct options *o = &w->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_FROM: options_time(o, "from", &w->from); break;
        case OWN_TO: options_time(o, "to", &w->to); break;
        case OWN_DOMAIN: w->as_domain = true; break;
        case OWN_HOST: w->as_host = true; break;
        case OWN_RESOLVE: take_resolve(w); break;
        case OWN_SUFFIXES: w->suffixes = optarg; break;
        case OWN_TABLE: w->table = true; break;
        }
    if (o->exit < 0 && optind + 1 != argc)
        options_wrong(o, optind == argc ? "which NAME?" : "one NAME");
    if (w->as_domain && w->as_host)
        options_wrong(o, "--domain or --host, not both");
    if (w->table && o->json)
        options_wrong(o, "--table or --json, not both");
    if (w->from >= w->to)
        options_wrong(o, "--from is not before --to");
}

static void release(struct who *w)
{
    unmask_destroy(&w->unmask);
    buffer_release(&w->sightings);
    buffer_release(&w->ask_times);
    buffer_release(&w->clients);
    buffer_release(&w->ids);
    present_release(&w->present);
}

int cmd_clients(int argc, char **argv)
{
    static struct who w;
    struct fault why = { 0 };
    w.to = INT64_MAX;
    present_init(&w.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&w, argc, argv);
    buffer_init(&w.sightings, w.options.settings.memory);
    buffer_init(&w.ask_times, w.options.settings.memory);
    buffer_init(&w.clients, w.options.settings.memory);
    buffer_init(&w.ids, w.options.settings.memory);
    if (w.options.exit < 0 && run(&w, argv[optind], &why) != 0)
        w.options.exit = command_fail(&why);
    release(&w);
    return options_end(&w.options);
}
