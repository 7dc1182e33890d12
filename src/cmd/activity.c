/* activity: how names were asked for, hour by hour. JSON lines and CSV come as the hours are read; the
 * chart needs the largest hour first, so it gathers one number an hour. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cmd/activity_chart.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/spark.h"
#include "knowledge/campaign.h"

static const char usage[] =
    "usage: dnsmon activity [OPTION...] NAME...\n"
    "       dnsmon activity [OPTION...] --campaign ID\n"
    "\n"
    "How NAME was asked for, hour by hour: of a registered domain all that was asked at or below\n"
    "it, of other names what was asked for themselves. Several names: one after another, and in the\n"
    "chart a curve each, on one time axis. Of times longer ago than hours are kept (dnsmon help expire) one\n"
    "record a day is left, without ask times.\n"
    "\n"
    "  --campaign ID       the members of this campaign, by its identity or how that begins\n"
    "  --from TIME         from the hour of it: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --to TIME           up to it; the hour that it lies in counts, one that it begins does not\n"
    "  --domain            the registered domain that NAME is or belongs to\n"
    "  --host              NAME itself, also when it is a registered domain\n"
    "  --csv               columns, with a header\n"
    "  --chart             totals and a row a day, or a curve a name; the default on a terminal.\n"
    "                      Otherwise JSON lines\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FROM = OPTION_OWN, OWN_TO, OWN_DOMAIN, OWN_HOST, OWN_CSV, OWN_CHART, OWN_SUFFIXES, OWN_CAMPAIGN };

static const struct option longs[] = {
    { "from", required_argument, NULL, OWN_FROM },
    { "to", required_argument, NULL, OWN_TO },
    { "domain", no_argument, NULL, OWN_DOMAIN },
    { "host", no_argument, NULL, OWN_HOST },
    { "csv", no_argument, NULL, OWN_CSV },
    { "chart", no_argument, NULL, OWN_CHART },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    { "campaign", required_argument, NULL, OWN_CAMPAIGN },
    OPTIONS_COMMON,
};

enum style { STYLE_JSON, STYLE_CSV, STYLE_CHART };

struct reading {
    struct options options;
    bool as_domain, as_host, csv, chart;
    enum style style;
    const char *suffixes;
    const char *campaign;
    int64_t from, to;   /* seconds; 0 and INT64_MAX = open */
    struct asked_span span;

    struct suffix_list *list;
    struct store *store;
    struct present present; /* for its output */
    struct asked asked;     /* the name that is being read */
    struct chart curves;
    uint64_t hours;
};

/* ---- JSON and CSV ---- */

static void json_begin(struct reading *r, uint8_t kind, const char *field, uint64_t seconds)
{
    struct buffer *to = &r->present.out;
    buffer_printf(to, "{\"name\":");
    present_json_string(to, r->asked.name, r->asked.name_len);
    buffer_printf(to, ",\"kind\":\"%s\",\"%s\":%" PRIu64, record_kinds[kind].name, field, seconds);
}

static void json_asked(struct reading *r, const struct activity *a)
{
    struct buffer *to = &r->present.out;
    const char *before = "";
    buffer_printf(to, ",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"counters\":{", a->first, a->last);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        if (a->counters[i] != 0) {
            buffer_printf(to, "%s\"%s\":%" PRIu64, before, activity_counter_name(i), a->counters[i]);
            before = ",";
        }
    buffer_printf(to, "},\"clients\":%" PRIu64 ",\"clients_exact\":%s", activity_clients(a),
                  asked_all_clients(a) ? "true" : "false");
    if (a->domain)
        buffer_printf(to, ",\"names\":%" PRIu64 ",\"names_exact\":%s", activity_names(a), asked_all_names(a) ? "true" : "false");
    present_text(&r->present, "}\n");
}

static void json_hours(struct reading *r, uint32_t hours)
{
    const char *before = ",\"hours\":[";
    for (unsigned hour = 0; hour < DAY_HOURS; hour++)
        if (hours >> hour & 1) {
            buffer_printf(&r->present.out, "%s%u", before, hour);
            before = ",";
        }
    buffer_u8(&r->present.out, ']');
}

static void csv_header(struct reading *r)
{
    present_text(&r->present, "name,kind,hour,first,last");
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        buffer_printf(&r->present.out, ",%s", activity_counter_name(i));
    present_text(&r->present, ",clients,clients_exact,names,names_exact,hours\n");
}

static void csv_row(struct reading *r, uint8_t kind, uint64_t seconds, const struct activity *a, unsigned hours)
{
    struct buffer *to = &r->present.out;
    present_csv(to, r->asked.name, r->asked.name_len);
    buffer_printf(to, ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64, record_kinds[kind].name, seconds, a->first, a->last);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        buffer_printf(to, ",%" PRIu64, a->counters[i]);
    buffer_printf(to, ",%" PRIu64 ",%d,", activity_clients(a), asked_all_clients(a));
    if (a->domain)
        buffer_printf(to, "%" PRIu64 ",%d", activity_names(a), asked_all_names(a));
    else
        buffer_u8(to, ',');
    buffer_printf(to, ",%u", hours);
    present_text(&r->present, "\n");
}

/* ---- reading ---- */

static int take_hour(void *ctx, uint32_t hour, const struct activity *a, struct fault *why)
{
    struct reading *r = ctx;
    r->hours++;
    switch (r->style) {
    case STYLE_JSON:
        json_begin(r, r->asked.kind, "hour", (uint64_t)hour * ACTIVITY_HOUR_S);
        json_asked(r, a);
        break;
    case STYLE_CSV:
        csv_row(r, r->asked.kind, (uint64_t)hour * ACTIVITY_HOUR_S, a, 1);
        break;
    default:
        return chart_hour(&r->curves, hour, a, why);
    }
    return r->present.write_errno ? ASKED_STOP : E_OK;
}

static int take_day(void *ctx, uint32_t day, const struct day *d, struct fault *why)
{
    struct reading *r = ctx;
    uint8_t kind = (uint8_t)record_kinds[r->asked.kind].rest;
    r->hours++;
    switch (r->style) {
    case STYLE_JSON:
        json_begin(r, kind, "day", (uint64_t)day * DAY_S);
        json_hours(r, d->hours);
        json_asked(r, &d->all);
        break;
    case STYLE_CSV:
        csv_row(r, kind, (uint64_t)day * DAY_S, &d->all, day_count(d));
        break;
    default:
        return chart_day(&r->curves, day, d, why);
    }
    return r->present.write_errno ? ASKED_STOP : E_OK;
}

/* What is there instead, for people. */
static void note_nothing(struct reading *r)
{
    bool domain = r->asked.kind == KIND_DOMAIN;
    bool limited = r->from != 0 || r->to != INT64_MAX;
    if (limited && asked_ever(&r->asked, r->store)) {
        command_say("%s no activity in this time, but there is at other times", r->asked.name);
        return;
    }
    asked_turn(&r->asked);
    if (asked_ever(&r->asked, r->store))
        command_say("%s no activity of this %s, but of the %s of that name (--%s)", r->asked.name, domain ? "domain" : "host",
                    domain ? "host" : "domain", domain ? "host" : "domain");
    else
        command_say("%s no activity", r->asked.name);
}

static int read_name(struct reading *r, const char *text, struct fault *why)
{
    enum asked_as as = r->as_host ? ASKED_HOST : r->as_domain ? ASKED_DOMAIN : ASKED_BEST;
    uint64_t before = r->hours;
    int rc = asked_take(&r->asked, text, as, r->list, why);
    if (rc == 0 && r->style == STYLE_CHART)
        rc = chart_name(&r->curves, &r->asked, why);
    if (rc == 0)
        rc = asked_each_day(&r->asked, r->store, r->span, take_day, r, why);
    if (rc == 0)
        rc = asked_each(&r->asked, r->store, r->span, take_hour, r, why);
    if (rc == 0 && r->hours == before && isatty(STDERR_FILENO))
        note_nothing(r);
    return rc;
}

static int read_member(void *ctx, const struct campaign_member *m, struct fault *why)
{
    return read_name(ctx, m->name, why);
}

struct sought {
    const char *identity; /* or how it begins */
    int64_t id;           /* 0: not found yet */
    bool several;
};

static int find_campaign(void *ctx, const struct campaign *c, struct fault *why)
{
    struct sought *s = ctx;
    (void)why;
    if (strncmp(c->identity, s->identity, strlen(s->identity)) == 0) {
        s->several = s->id != 0;
        s->id = c->id;
    }
    return E_OK;
}

static int read_campaign(struct reading *r, struct fault *why)
{
    struct knowledge *k;
    struct sought s = { .identity = r->campaign };
    int rc = options_open_knowledge(&r->options, KNOWLEDGE_READ, &k, why);
    if (rc != 0)
        return rc;
    rc = campaign_each(k, KNOWLEDGE_NOW, find_campaign, &s, why);
    if (rc == 0 && (s.id == 0 || s.several))
        rc = fault_set(why, E_ABSENT, s.several ? "several campaigns begin with '%s'" : "there is no campaign '%s'", s.identity);
    if (rc == 0)
        rc = campaign_members(k, s.id, KNOWLEDGE_NOW, read_member, r, why);
    knowledge_close(&k);
    return rc;
}

static int read_all(struct reading *r, char **names, struct fault *why)
{
    if (r->style == STYLE_CSV)
        csv_header(r);
    int rc = r->campaign ? read_campaign(r, why) : E_OK;
    for (; rc == 0 && *names != NULL && r->present.write_errno == 0; names++)
        rc = read_name(r, *names, why);
    if (rc == 0 && r->style == STYLE_CHART)
        chart_print(&r->curves, spark_columns(), &r->present);
    return rc ? rc : present_flush(&r->present, why);
}

/* ---- the command ---- */

/* Wrong names are wrong usage, whatever the database. */
static int check_names(struct reading *r, char **names, struct fault *why)
{
    int rc = r->as_host ? E_OK : suffix_load(&r->list, r->suffixes ? r->suffixes : SUFFIX_DEFAULT_PATH, why);
    for (; rc == 0 && *names != NULL; names++)
        rc = asked_take(&r->asked, *names, r->as_host ? ASKED_HOST : r->as_domain ? ASKED_DOMAIN : ASKED_BEST, r->list, why);
    return rc;
}

static int run(struct reading *r, char **names, struct fault *why)
{
    int rc = check_names(r, names, why);
    if (rc == 0)
        rc = options_open_store(&r->options, STORE_READ, &r->store, why);
    if (rc == 0)
        rc = read_all(r, names, why);
    store_close(&r->store);
    suffix_destroy(&r->list);
    return rc;
}

static void check_options(struct reading *r, int words)
{
    struct options *o = &r->options;
    if (o->exit < 0 && words == 0 && r->campaign == NULL)
        options_wrong(o, "which NAME?");
    if (r->as_domain && r->as_host)
        options_wrong(o, "--domain or --host, not both");
    if (r->csv + r->chart + o->json > 1)
        options_wrong(o, "one of --json, --csv and --chart");
    if (r->from >= r->to)
        options_wrong(o, "--from is not before --to");
    r->span = asked_span(r->from, r->to);
    if (r->csv)
        r->style = STYLE_CSV;
    else if (r->chart || (!o->json && isatty(STDOUT_FILENO)))
        r->style = STYLE_CHART;
}

static void take_options(struct reading *r, int argc, char **argv)
{
    struct options *o = &r->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_FROM: options_time(o, "from", &r->from); break;
        case OWN_TO: options_time(o, "to", &r->to); break;
        case OWN_DOMAIN: r->as_domain = true; break;
        case OWN_HOST: r->as_host = true; break;
        case OWN_CSV: r->csv = true; break;
        case OWN_CHART: r->chart = true; break;
        case OWN_SUFFIXES: r->suffixes = optarg; break;
        case OWN_CAMPAIGN: r->campaign = optarg; break;
        }
    check_options(r, argc - optind);
}

int cmd_activity(int argc, char **argv)
{
    static struct reading r;
    struct fault why = { 0 };
    r.to = INT64_MAX;
    present_init(&r.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&r, argc, argv);
    chart_init(&r.curves, r.span, r.options.settings.memory);
    if (r.options.exit < 0 && run(&r, argv + optind, &why) != 0)
        r.options.exit = command_fail(&why);
    chart_release(&r.curves);
    present_release(&r.present);
    return options_end(&r.options);
}
