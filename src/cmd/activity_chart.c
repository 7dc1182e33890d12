#include "cmd/activity_chart.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cmd/spark.h"

enum { NAME_COLUMNS = 40, FIGURES_COLUMNS = 32 };

struct chart_curve {
    char name[NAME_TEXT_MAX];
    uint8_t kind;
    size_t first, hours; /* of the points */
    size_t first_day, days; /* of the days */
    uint64_t asked, clients;
    uint64_t without_asks; /* hours in which the sample of clients is full */
    uint64_t day_hours;    /* hours of days known by day alone */
    bool all_clients;
};

void chart_init(struct chart *c, struct asked_span span, size_t limit_bytes)
{
    c->span = span;
    buffer_init(&c->points, limit_bytes);
    buffer_init(&c->days, limit_bytes);
    buffer_init(&c->curves, limit_bytes);
}

void chart_release(struct chart *c)
{
    buffer_release(&c->points);
    buffer_release(&c->days);
    buffer_release(&c->curves);
}

static const struct spark_point *points_of(const struct chart *c, const struct chart_curve *curve)
{
    return (const struct spark_point *)(const void *)c->points.ptr + curve->first;
}

static size_t n_curves(const struct chart *c)
{
    return c->curves.len / sizeof(struct chart_curve);
}

static struct chart_curve *curves_of(const struct chart *c)
{
    return (struct chart_curve *)(void *)c->curves.ptr;
}

static int too_much(struct fault *why)
{
    return fault_set(why, E_LIMIT, "the hours do not fit in memory; use --from and --to");
}

int chart_name(struct chart *c, const struct asked *name, struct fault *why)
{
    struct chart_curve curve = { .kind = name->kind, .first = c->points.len / sizeof(struct spark_point),
                                 .first_day = c->days.len / sizeof(uint32_t), .all_clients = true };
    memcpy(curve.name, name->name, name->name_len + 1);
    buffer_append(&c->curves, &curve, sizeof curve);
    activity_init(&c->all, name->kind == KIND_DOMAIN);
    return c->curves.failed ? too_much(why) : E_OK;
}

static void add_point(struct chart *c, struct chart_curve *curve, uint64_t asked, uint32_t hour)
{
    struct spark_point point = { asked, hour };
    buffer_append(&c->points, &point, sizeof point);
    curve->hours++;
}

static void add_activity(struct chart *c, struct chart_curve *curve, const struct activity *a)
{
    uint64_t asked = asked_count(a);
    activity_merge(&c->all, a);
    curve->asked = __builtin_add_overflow(curve->asked, asked, &curve->asked) ? UINT64_MAX : curve->asked;
    curve->clients = activity_clients(&c->all);
    curve->all_clients = asked_all_clients(&c->all);
}

int chart_hour(struct chart *c, uint32_t hour, const struct activity *a, struct fault *why)
{
    struct chart_curve *curve = &curves_of(c)[n_curves(c) - 1];
    add_point(c, curve, asked_count(a), hour);
    add_activity(c, curve, a);
    curve->without_asks += !asked_all_clients(a);
    return c->points.failed ? too_much(why) : E_OK;
}

int chart_day(struct chart *c, uint32_t day, const struct day *d, struct fault *why)
{
    struct chart_curve *curve = &curves_of(c)[n_curves(c) - 1];
    uint64_t left = asked_count(&d->all);
    unsigned hours = day_count(d);
    for (unsigned hour = 0; hour < DAY_HOURS; hour++) {
        if ((d->hours >> hour & 1) == 0)
            continue;
        uint64_t share = left / hours;
        add_point(c, curve, share, day * DAY_HOURS + hour);
        left -= share;
        hours--;
    }
    add_activity(c, curve, &d->all);
    buffer_append(&c->days, &day, sizeof day);
    curve->days++;
    curve->day_hours += day_count(d);
    return c->points.failed || c->days.failed ? too_much(why) : E_OK;
}

/* ---- one name: what is said above the days ---- */

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

static void print_labels(const struct chart *c, const char *head, const struct label *labels, struct present *to)
{
    const char *before = head;
    for (const struct label *l = labels; l->text != NULL; l++)
        if (c->all.counters[l->counter] != 0) {
            buffer_printf(&to->out, "%s%" PRIu64 " %s", before, c->all.counters[l->counter], l->text);
            before = ", ";
        }
    if (before != head)
        present_text(to, "\n");
}

static void print_queries(const struct chart *c, struct present *to)
{
    const uint64_t *n = c->all.counters;
    buffer_printf(&to->out, "queries    %" PRIu64 ", of them %" PRIu64 " answered", n[ACTIVITY_QUERIES], n[ACTIVITY_ANSWERED]);
    if (n[ACTIVITY_STRAY] != 0)
        buffer_printf(&to->out, "; %" PRIu64 " answers to queries that were not seen", n[ACTIVITY_STRAY]);
    present_text(to, "\n");
}

/* "clients    87, all of them known" or "clients    about 1240, by a sample of 64" */
static void print_number_of(const char *what, uint64_t number, unsigned in_sample, bool all, struct present *to)
{
    if (all)
        buffer_printf(&to->out, "%-9s  %" PRIu64 ", all of them known\n", what, number);
    else
        buffer_printf(&to->out, "%-9s  about %" PRIu64 ", by a sample of %u\n", what, number, in_sample);
}

static void print_samples(const struct chart *c, const struct chart_curve *curve, struct present *to)
{
    const struct activity *a = &c->all;
    print_number_of("clients", activity_clients(a), a->n_clients, asked_all_clients(a), to);
    if (a->counters[ACTIVITY_UNKNOWN_CLIENT] != 0)
        buffer_printf(&to->out, "           and %" PRIu64 " queries of unknown clients\n", a->counters[ACTIVITY_UNKNOWN_CLIENT]);
    if (a->domain)
        print_number_of("names", activity_names(a), a->n_names, asked_all_names(a), to);
    uint64_t without = curve->without_asks + curve->day_hours, hours = curve->hours;
    buffer_printf(&to->out, "ask times  kept in %" PRIu64 " hours", hours > without ? hours - without : 0);
    if (curve->without_asks != 0)
        buffer_printf(&to->out, ", not in %" PRIu64 " with a full sample of clients", curve->without_asks);
    if (curve->days != 0)
        buffer_printf(&to->out, ", not in %zu days of which the hours are no longer kept", curve->days);
    present_text(to, "\n");
}

static void print_ttl(const struct chart *c, struct present *to)
{
    if (c->all.counters[ACTIVITY_TTL] != 0)
        buffer_printf(&to->out, "ttl        at most %" PRIu64 " s\n", c->all.counters[ACTIVITY_TTL]);
}

/* ---- one name: a row a day ---- */

static void hour_text(uint64_t hour, char text[32])
{
    present_time(hour * ACTIVITY_HOUR_S, text);
    text[strlen("2026-01-31 12:00")] = '\0';
}

static int compare_days(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_day_alone(const struct chart *c, const struct chart_curve *curve, uint64_t day)
{
    uint32_t key = (uint32_t)day;
    if (curve->days == 0) /* nor is there memory to point to */
        return false;
    const uint32_t *days = (const uint32_t *)(const void *)c->days.ptr + curve->first_day;
    return bsearch(&key, days, curve->days, sizeof key, compare_days) != NULL;
}

/* The points from `at` on that are of this day; returns the first that is not. */
static size_t print_day(const struct chart *c, const struct chart_curve *curve, uint64_t day, size_t at, uint64_t most,
                        struct present *to)
{
    const struct spark_point *points = points_of(c, curve);
    char date[32];
    uint64_t total = 0;
    present_time(day * DAY_HOURS * ACTIVITY_HOUR_S, date);
    buffer_printf(&to->out, "%.10s  ", date);
    for (uint64_t hour = day * DAY_HOURS; hour < (day + 1) * DAY_HOURS; hour++) {
        uint64_t n = 0;
        if (at < curve->hours && points[at].hour == hour)
            n = points[at++].value;
        bool inside = hour >= c->span.from && hour < c->span.end;
        buffer_printf(&to->out, "%s", inside ? spark_block(n, most) : " ");
        total = total + n < total ? UINT64_MAX : total + n;
    }
    buffer_printf(&to->out, "  %10" PRIu64 "%s", total, is_day_alone(c, curve, day) ? "  by day" : "");
    present_text(to, "\n");
    return at;
}

/* Days without, up to the one of point `at` or the end; more than two are one line. */
static uint64_t print_gap(const struct chart *c, const struct chart_curve *curve, uint64_t day, size_t at, uint64_t most,
                          struct present *to)
{
    uint64_t next = at < curve->hours ? points_of(c, curve)[at].hour / DAY_HOURS : (c->span.end + DAY_HOURS - 1) / DAY_HOURS;
    if (next - day > 2)
        buffer_printf(&to->out, "            (%" PRIu64 " days without)\n", next - day);
    else
        for (; day < next; day++)
            (void)print_day(c, curve, day, at, most, to);
    return next;
}

static void print_days(const struct chart *c, const struct chart_curve *curve, struct present *to)
{
    const struct spark_point *points = points_of(c, curve);
    uint64_t most = 1, day = c->span.from / DAY_HOURS;
    size_t at = 0;
    for (size_t i = 0; i < curve->hours; i++)
        most = points[i].value > most ? points[i].value : most;
    buffer_printf(&to->out, "\nUTC         0     6     12    18       queries; a full block is %" PRIu64 " in an hour\n", most);
    while (day * DAY_HOURS < c->span.end && to->write_errno == 0) {
        day = print_gap(c, curve, day, at, most, to);
        if (at < curve->hours)
            at = print_day(c, curve, day++, at, most, to);
    }
}

static void print_one(const struct chart *c, struct present *to)
{
    const struct chart_curve *curve = curves_of(c);
    char from[32], end[32];
    hour_text(c->span.from, from);
    hour_text(c->span.end, end);
    buffer_printf(&to->out, "%s  %s, %s to %s (UTC), asked for in %zu of %" PRIu64 " hours\n\n", curve->name,
                  record_kinds[curve->kind].name, from, end, curve->hours, c->span.end - c->span.from);
    print_queries(c, to);
    print_samples(c, curve, to);
    print_labels(c, "answers    ", answers, to);
    print_labels(c, "types      ", types, to);
    print_labels(c, "bytes      ", sizes, to);
    print_ttl(c, to);
    print_days(c, curve, to);
}

/* ---- several ---- */

/* Columns of the longest name, within limits. */
static unsigned name_columns(const struct chart *c)
{
    size_t most = 4;
    for (size_t i = 0; i < n_curves(c); i++) {
        size_t n = strlen(curves_of(c)[i].name);
        most = n > most ? n : most;
    }
    return most > NAME_COLUMNS ? NAME_COLUMNS : (unsigned)most;
}

/* The end of a long name tells more than its beginning. */
static void print_name(const char *name, unsigned columns, struct present *to)
{
    size_t n = strlen(name);
    if (n > columns)
        buffer_printf(&to->out, "\u2026%s", name + n - columns + 1);
    else
        buffer_printf(&to->out, "%-*s", (int)columns, name);
}

static void print_curve(const struct chart *c, const struct chart_curve *curve, const struct spark_axis *axis, unsigned columns,
                        struct present *to)
{
    print_name(curve->name, columns, to);
    buffer_printf(&to->out, "  ");
    uint64_t most = spark_draw(&to->out, axis, points_of(c, curve), curve->hours);
    buffer_printf(&to->out, " %10" PRIu64 " %8" PRIu64 " %8" PRIu64 "%s", most, curve->asked, curve->clients,
                  curve->all_clients ? "" : "+");
    present_text(to, "\n");
}

static void print_several(const struct chart *c, unsigned columns, struct present *to)
{
    unsigned names = name_columns(c), others = names + FIGURES_COLUMNS;
    struct spark_axis axis = spark_axis(c->span.from, c->span.end, columns > others + 12 ? columns - others : 12);
    char cell[32];
    spark_cell_text(&axis, cell);
    buffer_printf(&to->out, "Each block is %s (UTC), each curve has a scale of its own.\n\n%-*s  ", cell, (int)names, "");
    spark_dates(&to->out, &axis);
    buffer_printf(&to->out, " %10s %8s %8s\n", "full block", "queries", "clients");
    for (size_t i = 0; i < n_curves(c) && to->write_errno == 0; i++)
        print_curve(c, &curves_of(c)[i], &axis, names, to);
}

static int compare_points(const void *a, const void *b)
{
    const struct spark_point *x = a, *y = b;
    return (x->hour > y->hour) - (x->hour < y->hour);
}

/* Days come before hours, so late data may give an hour twice and out of order. */
static void order_points(struct chart *c, struct chart_curve *curve)
{
    struct spark_point *points = (struct spark_point *)(void *)c->points.ptr + curve->first;
    size_t n = 0;
    if (curve->days == 0)
        return;
    qsort(points, curve->hours, sizeof *points, compare_points);
    for (size_t i = 0; i < curve->hours; i++)
        if (n > 0 && points[n - 1].hour == points[i].hour)
            points[n - 1].value += points[i].value;
        else
            points[n++] = points[i];
    curve->hours = n;
}

/* What was not said begins and ends with the hours that there are. False: there are none. */
static bool close_span(struct chart *c)
{
    const struct spark_point *points = (const struct spark_point *)(const void *)c->points.ptr;
    size_t n = c->points.len / sizeof *points;
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < n; i++) {
        first = points[i].hour < first ? points[i].hour : first;
        last = points[i].hour > last ? points[i].hour : last;
    }
    if (c->span.from == 0)
        c->span.from = first;
    if (c->span.end == UINT64_MAX)
        c->span.end = last + 1;
    return n != 0;
}

void chart_print(struct chart *c, unsigned columns, struct present *to)
{
    if (!close_span(c))
        return;
    for (size_t i = 0; i < n_curves(c); i++)
        order_points(c, &curves_of(c)[i]);
    if (n_curves(c) == 1)
        print_one(c, to);
    else
        print_several(c, columns, to);
}
