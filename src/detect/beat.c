#include "detect/memo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double jitters[] = { 0.05, 0.1, 0.2, 0.3 };
static const double few_missing = 0.1, many_missing = 0.4; /* shares of missed beats */
static const uint32_t bursts_s[] = { 10, 300 };      /* asks that near one another are one event */
enum { JITTERS = 4, MISSING = 2 /* shares */, BURSTS = 2, ALONE = 3 /* clients whose own best period is tried beside that of all */ };

static const double stray = 0.2;    /* share of gaps that are anything */
static const double log_stray = -1.6094379124341003;
static const double hourly = 2;     /* gaps of a client and hour that count */
/* Of which one may be when the TTL is not known: those that zones and stub resolvers have most. */
static const uint32_t common_ttls_s[] = { 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200 };
enum { COMMON = sizeof common_ttls_s / sizeof *common_ttls_s };
static const double promising = 0.3; /* share of the weight near one period, below which no model wins against `stray` */
static const double sustained_s = 6 * 3600;
static const double sustained_share = 0.2; /* of the time: a machine on at working hours has more, sessions of people less */
enum { SUSTAINED_GAPS = 6 };
static const double enough = 24; /* nats: twice what counts at all; no more is tried then */

struct gap {
    double s, log_s, weight;
    double people; /* density of log(s); of series that are judged */
};

struct gaps {
    unsigned n;
    double span_s;
    double mean, squares; /* of the logs, and about the mean */
    struct gap gap[BEAT_GAPS]; /* latest first */
};

/* Hours of the view with a full sample. */
struct sampled {
    size_t n;
    uint32_t hours[WINDOW_STEPS + PERIOD_STEPS]; /* rising */
};

struct series {
    unsigned n;
    bool judged;
    uint32_t ttl_s;
    struct gaps client[BEAT_CLIENTS];
};

struct model {
    double period_s, jitter, missing;
};

uint32_t subject_ttl(const struct subject *s)
{
    uint32_t most = 0;
    for (size_t i = 0; i < s->n_hours; i++)
        most = s->hours[i].counters[ACTIVITY_TTL] > most ? s->hours[i].counters[ACTIVITY_TTL] : most;
    return most;
}

/* ---- gaps ---- */

/* Whether something may have been asked after asks[i - 1] that was not kept. */
static bool blind(const struct sampled *sampled, const struct subject_client *c, uint32_t i)
{
    uint32_t before = c->asks[i - 1] / STEP_S, after = c->asks[i] / STEP_S;
    if (before == after)
        return false;
    if (i >= ACTIVITY_ASKS && c->asks[i - ACTIVITY_ASKS] / STEP_S == before)
        return true;
    size_t lo = 0, hi = sampled->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sampled->hours[mid] <= before)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sampled->n && sampled->hours[lo] < after;
}

static void find_sampled(const struct subject *s, struct sampled *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < s->n_hours && ret->n < sizeof ret->hours / sizeof *ret->hours; i++)
        if (s->hours[i].sampled)
            ret->hours[ret->n++] = s->hours[i].hour;
}

static void add_gap(struct gaps *g, uint32_t s)
{
    g->gap[g->n++] = (struct gap){ .s = s };
    g->span_s += s;
}

/* Gaps of one hour share the weight that an hour has. `ends` are the hours in which they end. */
static void weigh(struct gaps *g, const uint32_t *ends)
{
    for (unsigned i = 0, end; i < g->n; i = end) {
        for (end = i + 1; end < g->n && ends[end] == ends[i];)
            end++;
        for (unsigned j = i; j < end; j++)
            g->gap[j].weight = fmin(1, hourly / (end - i));
    }
}

static void find_gaps(const struct sampled *sampled, const struct subject_client *c, uint32_t burst_s, unsigned room, struct gaps *ret)
{
    uint32_t ends[BEAT_GAPS], later = 0;
    bool broken = true;
    ret->n = 0;
    ret->span_s = 0;
    for (uint32_t i = c->n_asks; i-- > 0 && ret->n < room;) {
        if (i > 0 && c->asks[i] - c->asks[i - 1] <= burst_s)
            continue;
        if (!broken) {
            ends[ret->n] = later / STEP_S;
            add_gap(ret, later - c->asks[i]);
        }
        later = c->asks[i];
        broken = i > 0 && blind(sampled, c, i);
    }
    weigh(ret, ends);
}

/* ---- people ---- */

static double log_normal(double x, double mean, double deviation)
{
    double z = (x - mean) / deviation;
    return -0.5 * z * z - log(deviation) - 0.9189385332046727; /* log(sqrt(2 pi)) */
}

/* Of n logs: the mean, and the squares about it. */
static double moments(const double *x, unsigned n, double *ret_squares)
{
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    double mean = n ? sum / n : 0;
    *ret_squares = fmax(0, squares - sum * mean);
    return mean;
}

static double deviation(unsigned n, double squares)
{
    return n ? fmax(1, sqrt(squares / n)) : 1;
}

static void find_spread(struct gaps *g)
{
    double logs[BEAT_GAPS];
    for (unsigned i = 0; i < g->n; i++)
        logs[i] = g->gap[i].log_s = log(g->gap[i].s);
    g->mean = moments(logs, g->n, &g->squares);
}

/* Logs of the gaps' densities when a cache of that TTL decides, at least those in `density`. Returns their sum. */
static double judge_cached(const struct gaps *g, uint32_t ttl_s, double density[BEAT_GAPS])
{
    double over[BEAT_GAPS], sum = 0, squares, mean;
    unsigned n = 0, at = 0;
    for (unsigned i = 0; i < g->n; i++)
        if (g->gap[i].s > ttl_s)
            over[n++] = log(g->gap[i].s - ttl_s);
    mean = moments(over, n, &squares);
    for (unsigned i = 0; i < g->n; i++) {
        if (g->gap[i].s > ttl_s) { /* d log(s) = (s - TTL) / s d log(s - TTL) */
            double cached = log_normal(over[at], mean, deviation(n, squares)) + g->gap[i].log_s - over[at];
            density[i] = fmax(density[i], cached);
            at++;
        }
        sum += g->gap[i].weight * density[i];
    }
    return sum;
}

/* Between these a TTL can be what makes most gaps; far below the gaps it changes nothing. */
static bool may_cache(const struct gaps *g, uint32_t ttl_s)
{
    double log_ttl = log(ttl_s);
    return log_ttl < g->mean && log_ttl > g->mean - 2.5;
}

static void judge_client(struct gaps *g, uint32_t ttl_s)
{
    double plain[BEAT_GAPS], now[BEAT_GAPS], best[BEAT_GAPS], most = -INFINITY;
    for (unsigned i = 0; i < g->n; i++)
        best[i] = plain[i] = log_normal(g->gap[i].log_s, g->mean, deviation(g->n, g->squares));
    for (unsigned t = 0; t < (ttl_s ? 1 : COMMON); t++) {
        uint32_t of_cache_s = ttl_s ? ttl_s : common_ttls_s[t];
        if (!may_cache(g, of_cache_s))
            continue;
        memcpy(now, plain, g->n * sizeof *now);
        double sum = judge_cached(g, of_cache_s, now);
        if (sum > most) {
            most = sum;
            memcpy(best, now, g->n * sizeof *best);
        }
    }
    for (unsigned i = 0; i < g->n; i++)
        g->gap[i].people = exp(best[i]);
}

/* When there is a period to try: for most names there is none. */
static void judge_people(struct series *all)
{
    for (unsigned i = 0; i < all->n && !all->judged; i++)
        judge_client(&all->client[i], all->ttl_s);
    all->judged = true;
}

/* ---- beat ---- */

/* Which multiple of the period a gap is, or 0. */
static unsigned multiple(const struct model *m, double s)
{
    double k = nearbyint(s / m->period_s);
    if (k < 1 || k > BEAT_MISSED)
        return 0;
    return fabs(s / (k * m->period_s) - 1) <= m->jitter / sqrt(k) ? (unsigned)k : 0;
}

static double gap_nats(const struct model *m, const struct gap *g)
{
    unsigned k = multiple(m, g->s);
    double chance = 1 - m->missing;
    if (k == 0)
        return log_stray;
    for (unsigned i = 1; i < k; i++)
        chance *= m->missing;
    double relative = g->s / (k * m->period_s);
    return log(stray + (1 - stray) * chance * relative * sqrt(k) / (2 * m->jitter) / g->people);
}

static double client_nats(const struct model *m, const struct gaps *g)
{
    double sum = 0;
    for (unsigned i = 0; i < g->n; i++)
        sum += g->gap[i].weight * gap_nats(m, &g->gap[i]);
    return sum;
}

/* How many models there were to choose from: periods that differ, times the grids. */
static double tried(const struct model *m)
{
    return log(log((double)BEAT_MAX_S / BEAT_MIN_S) / (2 * m->jitter)) + log(JITTERS * MISSING * BURSTS * (1 + ALONE));
}

/* Each client takes part or does not, evenly: log(1/2 + 1/2 e^x), without overflow. */
static double take_part(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x))) - M_LN2;
}

static double model_nats(const struct model *m, const struct series *all)
{
    double sum = -tried(m);
    for (unsigned i = 0; i < all->n; i++)
        if (all->client[i].n > 0)
            sum += take_part(client_nats(m, &all->client[i]));
    return sum;
}

/* ---- periods to try ---- */

struct weighed {
    double s, weight;
};

static int by_length(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    return (x->s > y->s) - (x->s < y->s);
}

static size_t collect(const struct gaps *from, size_t n, struct weighed *to)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned j = 0; j < from[i].n; j++)
            if (from[i].gap[j].s >= BEAT_MIN_S && from[i].gap[j].s <= BEAT_MAX_S)
                to[count++] = (struct weighed){ from[i].gap[j].s, from[i].gap[j].weight };
    qsort(to, count, sizeof *to, by_length);
    return count;
}

/* The middle of the heaviest stretch that is as wide as the jitter; 0 when it is not worth trying. */
static double heaviest(const struct weighed *w, size_t n, double jitter)
{
    double wide = (1 + jitter) / (1 - jitter), sum = 0, most = 0, all = 0, middle = 0;
    for (size_t low = 0, high = 0; high < n; high++) {
        sum += w[high].weight;
        all += w[high].weight;
        for (; w[high].s > w[low].s * wide; low++)
            sum -= w[low].weight;
        if (sum > most + 1e-9) {
            most = sum;
            middle = (w[low].s + w[high].s) / 2;
        }
    }
    return most >= promising * all ? middle : 0;
}

/* Around the TTL it is caches that ask, their prefetching included. */
static bool cached(double period_s, uint32_t ttl_s)
{
    return ttl_s > 0 && period_s > 0.85 * ttl_s && period_s < 1.1 * ttl_s;
}

struct best {
    struct model model;
    double nats;
};

static void try_model(const struct series *all, const struct model *m, struct best *best)
{
    double nats = model_nats(m, all);
    if (nats > best->nats)
        *best = (struct best){ *m, nats };
}

/* Periods from these gaps, judged by all. */
static void try_gaps(struct series *all, const struct gaps *from, size_t n, struct best *best)
{
    struct weighed gaps[BEAT_TOTAL];
    size_t count = collect(from, n, gaps);
    double before = best->nats;
    for (unsigned j = 0; j < JITTERS; j++) {
        struct model m = { .period_s = heaviest(gaps, count, jitters[j]), .jitter = jitters[j], .missing = few_missing };
        if (m.period_s < BEAT_MIN_S || cached(m.period_s, all->ttl_s))
            continue;
        judge_people(all);
        try_model(all, &m, best);
    }
    if (best->nats > before) {
        struct model m = best->model;
        m.missing = many_missing;
        try_model(all, &m, best);
    }
}

/* ---- telling ---- */

static struct beat describe(const struct best *best, const struct series *all)
{
    struct beat b = { 0 };
    double on_beat_s = 0, span_s = 0, squares = 0;
    bool none = best->nats == -INFINITY;
    if (!none)
        b = (struct beat){ .nats = best->nats, .period_s = best->model.period_s, .jitter = best->model.jitter };
    for (unsigned i = 0; i < all->n; i++) {
        const struct gaps *g = &all->client[i];
        b.looked += g->n > 0;
        b.seen += g->n;
        squares += g->squares;
        if (none || g->n == 0 || client_nats(&best->model, g) <= 0)
            continue;
        b.clients++;
        b.gaps += g->n;
        b.span_s = fmax(b.span_s, g->span_s);
        span_s += g->span_s;
        for (unsigned j = 0; j < g->n; j++) {
            unsigned k = multiple(&best->model, g->gap[j].s);
            b.on_beat += k > 0;
            b.missed += k > 1;
            on_beat_s += k > 0 ? g->gap[j].s : 0;
        }
    }
    b.spread = b.seen ? sqrt(squares / b.seen) : 0;
    b.coverage = span_s > 0 ? on_beat_s / span_s : 0;
    b.sustained = b.on_beat >= SUSTAINED_GAPS && 2 * b.missed <= b.on_beat && b.span_s >= sustained_s &&
                  b.coverage >= sustained_share;
    return b;
}

/* The clients with the most ask times, most first; of equal ones that of smaller id. */
static unsigned choose(const struct subject *s, const struct subject_client *ret[BEAT_CLIENTS])
{
    unsigned n = 0;
    for (size_t i = 0; i < s->n_clients; i++) {
        const struct subject_client *c = &s->clients[i];
        if (c->n_asks < 2 || (n == BEAT_CLIENTS && c->n_asks <= ret[n - 1]->n_asks))
            continue;
        unsigned at = n < BEAT_CLIENTS ? n++ : n - 1;
        for (; at > 0 && ret[at - 1]->n_asks < c->n_asks; at--)
            ret[at] = ret[at - 1];
        ret[at] = c;
    }
    return n;
}

static unsigned gather(const struct sampled *sampled, const struct subject_client *const *chosen, uint32_t burst_s,
                       struct series *all)
{
    unsigned total = 0, room = BEAT_TOTAL / all->n < BEAT_GAPS ? BEAT_TOTAL / all->n : BEAT_GAPS;
    all->judged = false;
    for (unsigned i = 0; i < all->n; i++) {
        find_gaps(sampled, chosen[i], burst_s, room, &all->client[i]);
        total += all->client[i].n;
    }
    return total;
}

struct beat beat_find(const struct subject *s, uint32_t ttl_s)
{
    const struct subject_client *chosen[BEAT_CLIENTS];
    struct series all; /* large: only what is used is set */
    struct best best = { .nats = -INFINITY };
    struct beat ret = { 0 };
    struct sampled sampled;
    unsigned gaps = 0;
    find_sampled(s, &sampled);
    all.n = choose(s, chosen);
    all.ttl_s = ttl_s;
    for (unsigned b = 0; all.n > 0 && b < BURSTS && best.nats < enough; b++) {
        double before = best.nats;
        unsigned total = gather(&sampled, chosen, bursts_s[b], &all);
        if (total == gaps)
            break; /* nothing more came together */
        gaps = total;
        for (unsigned i = 0; i < all.n; i++)
            find_spread(&all.client[i]);
        try_gaps(&all, all.client, all.n, &best);
        for (unsigned i = 0; i < all.n && i < ALONE && all.n > 1 && best.nats < enough; i++)
            try_gaps(&all, &all.client[i], 1, &best);
        if (best.nats > before || b == 0)
            ret = describe(&best, &all);
    }
    return ret;
}

struct beat beat_of(const struct subject *s)
{
    struct subject_memo *memo = s->memo;
    if (memo == NULL)
        return beat_find(s, subject_ttl(s));
    if (!memo->has_beat)
        memo->beat = beat_find(s, subject_ttl(s));
    memo->has_beat = true;
    return memo->beat;
}
