#include "detect/curve/turns.h"

#include <math.h>

enum { RATIO_MAX = 3, SURGE_QUERIES = 24, SURGE_SIGMAS = 5, PERIOD_MAX = 72, BEATS_MIN = 4 };

/* ---- the network ---- */

void curve_grid_make(struct curve_grid *g, uint32_t step, const struct network *network)
{
    *g = (struct curve_grid){ .from = period_start(step) - WINDOW_STEPS };
    g->hours = step - g->from + 1;
    g->first = network->first > g->from ? network->first - g->from : 0;
    if (g->first > g->hours)
        g->first = g->hours;
    double sum[24] = { 0 };
    unsigned days[24] = { 0 };
    for (size_t i = 0; i < network->n_hours; i++) {
        uint32_t hour = network->hours[i].hour;
        if (hour < g->from + g->first || hour > step || network->hours[i].queries == 0)
            continue;
        unsigned t = hour - g->from;
        g->ratio[t] = (double)network->hours[i].queries;
        sum[t % 24] += g->ratio[t];
        days[t % 24]++;
    }
    for (unsigned t = 0; t < g->hours; t++)
        if (g->ratio[t] > 0)
            g->ratio[t] = fmin(RATIO_MAX, g->ratio[t] * days[t % 24] / sum[t % 24]);
}

/* ---- a name ---- */

static void fill_queries(struct curve *c, const struct curve_grid *g, const struct portrait *p)
{
    c->born = g->hours;
    for (unsigned i = 0; i < p->n_hours; i++) {
        uint32_t t = p->window_from + p->hours[i].at - g->from;
        if (t >= g->hours || p->hours[i].queries == 0)
            continue;
        c->queries[t] = p->hours[i].queries;
        c->active++;
        if (t < c->born)
            c->born = t;
    }
}

static void fill_expected(struct curve *c, const struct curve_grid *g)
{
    double sum[24] = { 0 };
    for (unsigned t = c->born; t < g->hours; t++) {
        if (g->ratio[t] == 0)
            continue;
        sum[t % 24] += c->queries[t];
        c->days_active[t % 24] += c->queries[t] > 0;
        c->days[t % 24]++;
    }
    for (unsigned t = c->born; t < g->hours; t++) {
        unsigned h = t % 24;
        c->expected[t] = c->days[h] ? sum[h] / c->days[h] * g->ratio[t] : 0;
        c->lively[t] = (c->days_active[h] + 0.5) / (c->days[h] + 1) * fmin(1, g->ratio[t]);
    }
}

bool curve_make(struct curve *c, const struct curve_grid *g, const struct portrait *p)
{
    *c = (struct curve){ .active = 0 };
    fill_queries(c, g, p);
    if (c->active < CURVE_ACTIVE_MIN)
        return false;
    fill_expected(c, g);
    return true;
}

/* ---- turns ---- */

struct turns {
    uint8_t up[CURVE_HOURS], down[CURVE_HOURS];
};

/* Whether a question in hour t is rare on other days. */
static bool unusual(const struct curve *c, unsigned t)
{
    unsigned h = t % 24;
    return 3 * (c->days_active[h] - 1) < c->days[h] - 1 || c->days[h] < 2;
}

/* Whether some program asks in hour t by a fixed period, which rhythm tells: a name with few clients asked for in half of the hours that
 * lie whole periods from t, and three times as often as in others. */
static bool on_beat(const struct curve *c, const struct curve_grid *g, unsigned t)
{
    double share = 3.0 * c->active / (g->hours - c->born);
    for (unsigned period = TURN_QUIET + 1; period <= PERIOD_MAX; period++) {
        bool before = t >= period && c->queries[t - period] > 0, after = t + period < g->hours && c->queries[t + period] > 0;
        if (!before && !after)
            continue;
        unsigned times = 0, asked = 0;
        for (unsigned k = t - (t - c->born) / period * period; k < g->hours; k += period) {
            times++;
            asked += c->queries[k] > 0;
        }
        if (asked >= BEATS_MIN && 2 * asked >= times && asked >= share * times)
            return true;
    }
    return false;
}

/* Nothing was asked in (last, next); next == hours: until now. */
static void look_at_gap(const struct curve *c, const struct curve_grid *g, unsigned last, unsigned next, struct turns *to)
{
    double surprise = 0;
    unsigned quiet = 0;
    for (unsigned t = last + 1; t < next; t++) {
        surprise -= log1p(-c->lively[t]);
        quiet += g->ratio[t] > 0;
    }
    if (surprise >= TURN_SURPRISE) {
        to->down[last + 1] = 1;
        if (next < g->hours)
            to->up[next] = 1;
    } else if (next < g->hours && quiet >= TURN_QUIET && unusual(c, next) && !on_beat(c, g, next)) {
        to->up[next] = 1;
    }
}

static void find_gaps(const struct curve *c, const struct curve_grid *g, struct turns *to)
{
    unsigned last = c->born;
    if (c->born >= g->first + 24)
        to->up[c->born] = 1;
    for (unsigned t = c->born + 1; t <= g->hours; t++) {
        if (t < g->hours && c->queries[t] == 0)
            continue;
        if (t > last + 1)
            look_at_gap(c, g, last, t, to);
        last = t;
    }
}

/* log2 of the level of [t, t + BLOCK) over that of the block before, each against what was expected; 0: not more than chance. */
static double level_change(const double *queries, const double *expected, unsigned t)
{
    double after = queries[t + TURN_BLOCK] - queries[t], before = queries[t] - queries[t - TURN_BLOCK];
    double e_after = expected[t + TURN_BLOCK] - expected[t] + 1, e_before = expected[t] - expected[t - TURN_BLOCK] + 1;
    if (fmax(after, before) < SURGE_QUERIES)
        return 0;
    double sigma = sqrt(e_after * e_before * (after + before));
    if (fabs(after * e_before - before * e_after) < SURGE_SIGMAS * sigma)
        return 0;
    double change = log2((after + 1) / e_after) - log2((before + 1) / e_before);
    return fabs(change) < log2(TURN_FACTOR) ? 0 : change;
}

/* The first of the largest changes within a block's length of it. */
static bool is_peak(const double *change, unsigned t, unsigned n)
{
    if (change[t] == 0)
        return false;
    for (unsigned k = t > TURN_BLOCK ? t - TURN_BLOCK : 0; k < n && k <= t + TURN_BLOCK; k++)
        if (fabs(change[k]) > fabs(change[t]) || (k < t && fabs(change[k]) == fabs(change[t])))
            return false;
    return true;
}

static void find_levels(const struct curve *c, const struct curve_grid *g, struct turns *to)
{
    double queries[CURVE_HOURS + 1] = { 0 }, expected[CURVE_HOURS + 1] = { 0 }, change[CURVE_HOURS] = { 0 };
    for (unsigned t = 0; t < g->hours; t++) {
        queries[t + 1] = queries[t] + c->queries[t];
        expected[t + 1] = expected[t] + c->expected[t];
    }
    for (unsigned t = c->born + TURN_BLOCK; t + TURN_BLOCK <= g->hours; t++)
        change[t] = level_change(queries, expected, t);
    for (unsigned t = c->born + TURN_BLOCK; t + TURN_BLOCK <= g->hours; t++)
        if (is_peak(change, t, g->hours))
            (change[t] > 0 ? to->up : to->down)[t] = 1;
}

unsigned curve_turns(const struct curve *c, const struct curve_grid *g, uint32_t ret[TURNS_MAX])
{
    struct turns turns = { 0 };
    unsigned n = 0;
    find_gaps(c, g, &turns);
    find_levels(c, g, &turns);
    for (unsigned k = 0; k < TURN_NUMBERS; k++) {
        if (!(k < CURVE_HOURS ? turns.up[k] : turns.down[k - CURVE_HOURS]))
            continue;
        if (n == TURNS_MAX)
            return TURNS_MAX + 1;
        ret[n++] = k;
    }
    return n;
}

/* ---- correlation ---- */

static void residual(const struct curve *c, const struct curve_grid *g, unsigned n, double *to)
{
    double sum = 0;
    for (unsigned t = 0; t < n; t++)
        sum += to[t] = log2((c->queries[g->first + t] + 1) / (c->expected[g->first + t] + 1));
    for (unsigned t = 0; t < n; t++)
        to[t] -= sum / n;
}

double curve_correlation(const struct curve *a, const struct curve *b, const struct curve_grid *g, unsigned days)
{
    double x[CURVE_HOURS], y[CURVE_HOURS], xx = 0, yy = 0, xy = 0;
    unsigned n = (g->hours - g->first) / 24 * 24;
    if (n == 0)
        return 0;
    residual(a, g, n, x);
    residual(b, g, n, y);
    for (unsigned t = 0; t < n; t++) {
        double shifted = y[(t + n - days * 24 % n) % n];
        xx += x[t] * x[t];
        yy += shifted * shifted;
        xy += x[t] * shifted;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}
