/* activity: how a name was asked for, hour by hour. JSON lines and CSV come as the hours are read; the
 * chart needs the largest hour first, so it gathers one number an hour. */
#include "record/activity.h"

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "dns/suffix.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon activity [OPTION...] NAME\n"
    "\n"
    "How NAME was asked for, hour by hour: of a registered domain all that was asked at or below\n"
    "it, of other names what was asked for themselves.\n"
    "\n"
    "  --from TIME         from the hour of it: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --to TIME           up to it; the hour that it lies in counts, one that it begins does not\n"
    "  --domain            the registered domain that NAME is or belongs to\n"
    "  --host              NAME itself, also when it is a registered domain\n"
    "  --csv               columns, with a header\n"
    "  --chart             totals and a row a day, the default on a terminal; otherwise JSON lines\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FROM = OPTION_OWN, OWN_TO, OWN_DOMAIN, OWN_HOST, OWN_CSV, OWN_CHART, OWN_SUFFIXES };

static const struct option longs[] = {
    { "from", required_argument, NULL, OWN_FROM },
    { "to", required_argument, NULL, OWN_TO },
    { "domain", no_argument, NULL, OWN_DOMAIN },
    { "host", no_argument, NULL, OWN_HOST },
    { "csv", no_argument, NULL, OWN_CSV },
    { "chart", no_argument, NULL, OWN_CHART },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

enum style { STYLE_JSON, STYLE_CSV, STYLE_CHART };
enum { DAY_HOURS = 24, STOP = 1 };

struct point {
    uint64_t asked;
    uint32_t hour;
};

struct curve {
    struct options options;
    bool as_domain, as_host, csv, chart;
    enum style style;
    const char *suffixes;
    int64_t from, to;              /* seconds; 0 and INT64_MAX = open */
    uint64_t from_hour, end_hour;  /* the same in hours, the end not included */

    uint8_t kind;
    uint8_t key[NAME_KEY_MAX];
    struct slice owner;
    char name[NAME_TEXT_MAX];
    size_t name_len;

    struct store *store;
    struct present present; /* for its output */
    uint64_t hours;
    struct activity hour;

    /* of the chart */
    struct buffer points; /* struct point each */
    struct activity all;  /* the hours merged */
    uint64_t without_asks; /* hours in which the sample of clients is full */
};

/* A query that was not seen has left its answer. */
static uint64_t asked(const struct activity *a)
{
    uint64_t both;
    return __builtin_add_overflow(a->counters[ACTIVITY_QUERIES], a->counters[ACTIVITY_STRAY], &both) ? UINT64_MAX : both;
}

static bool are_all_clients(const struct activity *a)
{
    return a->n_clients < activity_clients_max(a);
}

static bool are_all_names(const struct activity *a)
{
    return a->n_names < ACTIVITY_NAMES;
}

/* ---- JSON and CSV ---- */

static void json_hour(struct curve *c, uint32_t hour)
{
    const struct activity *a = &c->hour;
    struct buffer *to = &c->present.out;
    const char *before = "";
    buffer_printf(to, "{\"name\":");
    present_json_string(to, c->name, c->name_len);
    buffer_printf(to, ",\"kind\":\"%s\",\"hour\":%" PRIu64 ",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"counters\":{",
                  record_kinds[c->kind].name, (uint64_t)hour * ACTIVITY_HOUR_S, a->first, a->last);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        if (a->counters[i] != 0) {
            buffer_printf(to, "%s\"%s\":%" PRIu64, before, activity_counter_name(i), a->counters[i]);
            before = ",";
        }
    buffer_printf(to, "},\"clients\":%" PRIu64 ",\"clients_exact\":%s", activity_clients(a),
                  are_all_clients(a) ? "true" : "false");
    if (a->domain)
        buffer_printf(to, ",\"names\":%" PRIu64 ",\"names_exact\":%s", activity_names(a), are_all_names(a) ? "true" : "false");
    present_text(&c->present, "}\n");
}

static void csv_header(struct curve *c)
{
    present_text(&c->present, "name,kind,hour,first,last");
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        buffer_printf(&c->present.out, ",%s", activity_counter_name(i));
    present_text(&c->present, ",clients,clients_exact,names,names_exact\n");
}

/* RFC 4180: a field with a comma or a quote stands in quotes, and a quote in it twice. */
static void csv_text(struct buffer *to, const char *text, size_t len)
{
    bool quoted = memchr(text, ',', len) != NULL || memchr(text, '"', len) != NULL;
    if (!quoted) {
        buffer_append(to, text, len);
        return;
    }
    buffer_u8(to, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buffer_u8(to, '"');
        buffer_u8(to, (uint8_t)text[i]);
    }
    buffer_u8(to, '"');
}

static void csv_hour(struct curve *c, uint32_t hour)
{
    const struct activity *a = &c->hour;
    struct buffer *to = &c->present.out;
    csv_text(to, c->name, c->name_len);
    buffer_printf(to, ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64, record_kinds[c->kind].name,
                  (uint64_t)hour * ACTIVITY_HOUR_S, a->first, a->last);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        buffer_printf(to, ",%" PRIu64, a->counters[i]);
    buffer_printf(to, ",%" PRIu64 ",%d,", activity_clients(a), are_all_clients(a));
    if (a->domain)
        buffer_printf(to, "%" PRIu64 ",%d", activity_names(a), are_all_names(a));
    else
        buffer_u8(to, ',');
    present_text(&c->present, "\n");
}

/* ---- the chart: what it says above the days ---- */

struct label {
    enum activity_counter counter;
    const char *text;
};

static const struct label answers[] = {
    { ACTIVITY_NOERROR, "NOERROR" },
    { ACTIVITY_NODATA, "NODATA" },
    { ACTIVITY_NX_DOMAIN, "NXDOMAIN (no such domain)" },
    { ACTIVITY_NX_HOST, "NXDOMAIN (in an existing one)" },
    { ACTIVITY_SERVFAIL, "SERVFAIL" },
    { ACTIVITY_REFUSED, "REFUSED" },
    { ACTIVITY_OTHER_RCODE, "other" },
    { ACTIVITY_POLICY, "of our own blocking" },
    { ACTIVITY_COUNTERS, NULL },
};
static const struct label types[] = {
    { ACTIVITY_A, "A" },     { ACTIVITY_AAAA, "AAAA" }, { ACTIVITY_HTTPS, "HTTPS" },  { ACTIVITY_TXT, "TXT" },
    { ACTIVITY_MX, "MX" },   { ACTIVITY_NS, "NS" },     { ACTIVITY_PTR, "PTR" },      { ACTIVITY_SRV, "SRV" },
    { ACTIVITY_NULL, "NULL" }, { ACTIVITY_OTHER_TYPE, "other" }, { ACTIVITY_COUNTERS, NULL },
};
static const struct label sizes[] = {
    { ACTIVITY_QUERY_BYTES, "of queries" }, { ACTIVITY_RESPONSE_BYTES, "of answers" }, { ACTIVITY_COUNTERS, NULL },
};

static void print_labels(struct curve *c, const char *head, const struct label *labels)
{
    const char *before = head;
    for (const struct label *l = labels; l->text != NULL; l++)
        if (c->all.counters[l->counter] != 0) {
            buffer_printf(&c->present.out, "%s%" PRIu64 " %s", before, c->all.counters[l->counter], l->text);
            before = ", ";
        }
    if (before != head)
        present_text(&c->present, "\n");
}

static void print_queries(struct curve *c)
{
    struct buffer *to = &c->present.out;
    const uint64_t *n = c->all.counters;
    buffer_printf(to, "queries    %" PRIu64 ", of them %" PRIu64 " answered", n[ACTIVITY_QUERIES], n[ACTIVITY_ANSWERED]);
    if (n[ACTIVITY_STRAY] != 0)
        buffer_printf(to, "; %" PRIu64 " answers to queries that were not seen", n[ACTIVITY_STRAY]);
    present_text(&c->present, "\n");
}

/* "clients    87, all of them known" or "clients    about 1240, by a sample of 64" */
static void print_number_of(struct curve *c, const char *what, uint64_t number, unsigned in_sample, bool all)
{
    if (all)
        buffer_printf(&c->present.out, "%-9s  %" PRIu64 ", all of them known\n", what, number);
    else
        buffer_printf(&c->present.out, "%-9s  about %" PRIu64 ", by a sample of %u\n", what, number, in_sample);
}

static void print_samples(struct curve *c)
{
    struct buffer *to = &c->present.out;
    const struct activity *a = &c->all;
    print_number_of(c, "clients", activity_clients(a), a->n_clients, are_all_clients(a));
    if (a->counters[ACTIVITY_UNKNOWN_CLIENT] != 0)
        buffer_printf(to, "           and %" PRIu64 " queries of unknown clients\n", a->counters[ACTIVITY_UNKNOWN_CLIENT]);
    if (a->domain)
        print_number_of(c, "names", activity_names(a), a->n_names, are_all_names(a));
    buffer_printf(to, "ask times  kept in %" PRIu64 " hours", c->hours - c->without_asks);
    if (c->without_asks != 0)
        buffer_printf(to, ", not in %" PRIu64 " with a full sample of clients", c->without_asks);
    present_text(&c->present, "\n");
}

/* ---- the chart: a row a day ---- */

static const struct point *points_of(const struct curve *c)
{
    return (const struct point *)(const void *)c->points.ptr;
}

/* Eighths of a block; what was asked at all shows. */
static const char *spark(uint64_t n, uint64_t most)
{
    static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" };
    double eighths = (double)n * 8 / (double)most;
    unsigned level = (unsigned)eighths;
    return n == 0 ? "\u00b7" : blocks[level < eighths || level == 0 ? level : level - 1];
}

static void hour_text(uint64_t hour, char text[32])
{
    present_time(hour * ACTIVITY_HOUR_S, text);
    text[strlen("2026-01-31 12:00")] = '\0';
}

/* The points from `at` on that are of this day; returns the first that is not. */
static size_t print_day(struct curve *c, uint64_t day, size_t at, uint64_t most)
{
    const struct point *points = points_of(c);
    char date[32];
    uint64_t total = 0;
    present_time(day * DAY_HOURS * ACTIVITY_HOUR_S, date);
    buffer_printf(&c->present.out, "%.10s  ", date);
    for (uint64_t hour = day * DAY_HOURS; hour < (day + 1) * DAY_HOURS; hour++) {
        uint64_t n = 0;
        if (at < c->hours && points[at].hour == hour)
            n = points[at++].asked;
        bool inside = hour >= c->from_hour && hour < c->end_hour;
        buffer_printf(&c->present.out, "%s", inside ? spark(n, most) : " ");
        total = total + n < total ? UINT64_MAX : total + n;
    }
    buffer_printf(&c->present.out, "  %10" PRIu64, total);
    present_text(&c->present, "\n");
    return at;
}

/* Days without, up to the one of point `at` or the end; more than two are one line. */
static uint64_t print_gap(struct curve *c, uint64_t day, size_t at, uint64_t most)
{
    uint64_t next = at < c->hours ? points_of(c)[at].hour / DAY_HOURS : (c->end_hour + DAY_HOURS - 1) / DAY_HOURS;
    if (next - day > 2)
        buffer_printf(&c->present.out, "            (%" PRIu64 " days without)\n", next - day);
    else
        for (; day < next; day++)
            (void)print_day(c, day, at, most);
    return next;
}

static void print_days(struct curve *c)
{
    const struct point *points = points_of(c);
    uint64_t most = 1, day = c->from_hour / DAY_HOURS;
    size_t at = 0;
    for (uint64_t i = 0; i < c->hours; i++)
        most = points[i].asked > most ? points[i].asked : most;
    buffer_printf(&c->present.out, "\nUTC         0     6     12    18       queries; a full block is %" PRIu64 " in an hour\n",
                  most);
    while (day * DAY_HOURS < c->end_hour && c->present.write_errno == 0) {
        day = print_gap(c, day, at, most);
        if (at < c->hours)
            at = print_day(c, day++, at, most);
    }
}

/* What was not said begins and ends with the hours that there are. */
static void close_span(struct curve *c)
{
    const struct point *points = points_of(c);
    if (c->from == 0)
        c->from_hour = points[0].hour;
    if (c->to == INT64_MAX)
        c->end_hour = points[c->hours - 1].hour + UINT64_C(1);
}

static void print_ttl(struct curve *c)
{
    if (c->all.counters[ACTIVITY_TTL] != 0)
        buffer_printf(&c->present.out, "ttl        at most %" PRIu64 " s\n", c->all.counters[ACTIVITY_TTL]);
}

static void print_chart(struct curve *c)
{
    char from[32], end[32];
    if (c->hours == 0)
        return;
    close_span(c);
    hour_text(c->from_hour, from);
    hour_text(c->end_hour, end);
    buffer_printf(&c->present.out, "%s  %s, %s to %s (UTC), asked for in %" PRIu64 " of %" PRIu64 " hours\n\n", c->name,
                  record_kinds[c->kind].name, from, end, c->hours, c->end_hour - c->from_hour);
    print_queries(c);
    print_samples(c);
    print_labels(c, "answers    ", answers);
    print_labels(c, "types      ", types);
    print_labels(c, "bytes      ", sizes);
    print_ttl(c);
    print_days(c);
}

static int chart_hour(struct curve *c, uint32_t hour, struct fault *why)
{
    struct point point = { asked(&c->hour), hour };
    buffer_append(&c->points, &point, sizeof point);
    activity_merge(&c->all, &c->hour);
    c->without_asks += !are_all_clients(&c->hour);
    return c->points.failed ? fault_set(why, E_LIMIT, "the hours do not fit in memory; use --from and --to") : E_OK;
}

/* ---- reading ---- */

static int take_hour(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct curve *c = ctx;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, c->kind == KIND_DOMAIN, &c->hour))
        return fault_set(why, E_CORRUPT, "a record in a %s table does not parse; run dnsmon fsck", record_kinds[c->kind].name);
    c->hours++;
    switch (c->style) {
    case STYLE_JSON:
        json_hour(c, hour);
        break;
    case STYLE_CSV:
        csv_hour(c, hour);
        break;
    default:
        return chart_hour(c, hour, why);
    }
    return c->present.write_errno ? STOP : E_OK;
}

/* The hours of `kind` from one up to another, not included. */
static int each_hour(struct curve *c, uint8_t kind, uint64_t from_hour, uint64_t end_hour, store_entry entry, void *ctx,
                     struct fault *why)
{
    uint8_t start[ACTIVITY_KEY_MAX], end[ACTIVITY_KEY_MAX];
    if (from_hour >= end_hour || from_hour > UINT32_MAX)
        return E_OK;
    struct store_range range = { .kind = kind, .exact = c->owner, .after = (int64_t)from_hour * ACTIVITY_HOUR_S };
    range.start = (struct slice){ start, activity_key_put(c->owner, (uint32_t)from_hour, start) };
    if (end_hour <= UINT32_MAX) {
        range.end = (struct slice){ end, activity_key_put(c->owner, (uint32_t)end_hour, end) };
        range.before = (int64_t)end_hour * ACTIVITY_HOUR_S;
    } else { /* an owner ends with 00, and no other key begins with it: up to the next such key */
        memcpy(end, c->owner.ptr, c->owner.len);
        end[c->owner.len - 1] = 1;
        range.end = (struct slice){ end, c->owner.len };
    }
    int rc = store_scan_each(c->store, &range, entry, ctx, why);
    return rc == STOP ? E_OK : rc;
}

static int stop_at_first(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    (void)key;
    (void)value;
    (void)why;
    *(bool *)ctx = true;
    return STOP;
}

static bool any_ever(struct curve *c, uint8_t kind)
{
    struct fault why = { 0 };
    bool found = false;
    return each_hour(c, kind, 0, UINT64_MAX, stop_at_first, &found, &why) == 0 && found;
}

/* What is there instead, for people. */
static void note_nothing(struct curve *c)
{
    bool domain = c->kind == KIND_DOMAIN;
    if ((c->from != 0 || c->to != INT64_MAX) && any_ever(c, c->kind))
        command_say("no activity in this time, but there is at other times");
    else if (any_ever(c, domain ? KIND_HOST : KIND_DOMAIN))
        command_say("no activity of this %s, but of the %s of that name (--%s)", domain ? "domain" : "host",
                    domain ? "host" : "domain", domain ? "host" : "domain");
    else
        command_say("no activity");
}

static int read_hours(struct curve *c, struct fault *why)
{
    if (c->style == STYLE_CSV)
        csv_header(c);
    int rc = each_hour(c, c->kind, c->from_hour, c->end_hour, take_hour, c, why);
    if (rc == 0 && c->style == STYLE_CHART)
        print_chart(c);
    if (rc == 0)
        rc = present_flush(&c->present, why);
    if (rc == 0 && c->hours == 0 && isatty(STDERR_FILENO))
        note_nothing(c);
    return rc;
}

/* ---- the command ---- */

/* The kind, and for --domain the part of the key that is the registered domain. */
static int choose_kind(struct curve *c, const char *text, size_t len, struct fault *why)
{
    struct suffix_list *list;
    c->kind = KIND_HOST;
    if (c->as_host)
        return E_OK;
    int rc = suffix_load(&list, c->suffixes ? c->suffixes : SUFFIX_DEFAULT_PATH, why);
    if (rc != 0)
        return rc;
    size_t registered = suffix_find(list, c->key, len).registered;
    suffix_destroy(&list);
    if (c->as_domain && registered == 0)
        return fault_set(why, E_USAGE, "'%s' is a public suffix, not of a registered domain", text);
    if (!c->as_domain && registered != len - 1)
        return E_OK;
    c->kind = KIND_DOMAIN;
    c->owner.len = registered + 1;
    c->key[registered] = 0;
    return E_OK;
}

static int take_name(struct curve *c, const char *text, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(text, strlen(text), wire);
    if (n == 0)
        return fault_set(why, E_USAGE, "'%s' is not a domain name", text);
    c->owner = (struct slice){ c->key, name_owner_key(wire, n, c->key) };
    int rc = choose_kind(c, text, c->owner.len, why);
    c->name_len = present_owner(c->owner, c->name);
    return rc;
}

static int run(struct curve *c, const char *text, struct fault *why)
{
    /* The name first: a wrong one is wrong usage, whatever the database. */
    int rc = take_name(c, text, why);
    if (rc == 0)
        rc = options_open_store(&c->options, STORE_READ, &c->store, why);
    if (rc != 0)
        return rc;
    activity_init(&c->all, c->kind == KIND_DOMAIN);
    rc = read_hours(c, why);
    store_close(&c->store);
    return rc;
}

static void take_span(struct curve *c)
{
    if (c->from >= c->to)
        options_wrong(&c->options, "--from is not before --to");
    c->from_hour = (uint64_t)c->from / ACTIVITY_HOUR_S;
    c->end_hour = c->to == INT64_MAX ? UINT64_MAX : ((uint64_t)c->to + ACTIVITY_HOUR_S - 1) / ACTIVITY_HOUR_S;
}

static void take_options(struct curve *c, int argc, char **argv)
{
    struct options *o = &c->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_FROM: options_time(o, "from", &c->from); break;
        case OWN_TO: options_time(o, "to", &c->to); break;
        case OWN_DOMAIN: c->as_domain = true; break;
        case OWN_HOST: c->as_host = true; break;
        case OWN_CSV: c->csv = true; break;
        case OWN_CHART: c->chart = true; break;
        case OWN_SUFFIXES: c->suffixes = optarg; break;
        }
    if (o->exit < 0 && optind == argc)
        options_wrong(o, "which NAME?");
    if (o->exit < 0 && optind + 1 < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind + 1]);
    if (c->as_domain && c->as_host)
        options_wrong(o, "--domain or --host, not both");
    if (c->csv + c->chart + o->json > 1)
        options_wrong(o, "one of --json, --csv and --chart");
    take_span(c);
    if (c->csv)
        c->style = STYLE_CSV;
    else if (c->chart || (!o->json && isatty(STDOUT_FILENO)))
        c->style = STYLE_CHART;
}

int cmd_activity(int argc, char **argv)
{
    static struct curve c;
    struct fault why = { 0 };
    c.to = INT64_MAX;
    present_init(&c.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&c, argc, argv);
    buffer_init(&c.points, c.options.settings.memory);
    if (c.options.exit < 0 && run(&c, argv[optind], &why) != 0)
        c.options.exit = command_fail(&why);
    buffer_release(&c.points);
    present_release(&c.present);
    return options_end(&c.options);
}
