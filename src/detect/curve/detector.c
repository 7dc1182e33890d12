/* Portraits become sets of turns, the same shifted by whole days become decoys, and kinship compares both. */
#include "detect/curve/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/curve/turns.h"
#include "detect/facts.h"

static const double CURVE_Q = 0.7; /* a turn of one of a program's names is found in the same hour for another one */
static const double CURVE_CORRELATION_MIN = 0.4; /* a sixth of the variance: with less there is no common shape */
static const double CURVE_MARGIN = 0.15;          /* over the largest when shifted by whole days; weekly habits have less */
static const uint64_t SEED = UINT64_C(0x6375727665);

enum { TOLD_EVENTS = 12, TOLD_PARTNERS = 3, SIX = 6 };

struct curves {
    struct curve_grid grid;
    unsigned days;                 /* whole ones on record */
    const struct portrait **names; /* those compared */
    uint32_t *begin, *tokens, *limit;
    float *breadth;
    size_t room;
    struct kinship_sets sets, decoys;
    uint32_t *decoy_begin, *decoy_tokens;
};

/* ---- sets ---- */

static int add_turns(struct curves *c, const struct portrait *p, const uint32_t *turns, unsigned n)
{
    size_t at = c->begin[c->sets.n];
    if (at + n > c->room) {
        size_t room = 2 * c->room + 4096;
        uint32_t *tokens = reallocarray(c->tokens, room, sizeof *tokens);
        if (tokens == NULL)
            return E_NOMEM;
        c->tokens = tokens;
        c->room = room;
    }
    memcpy(c->tokens + at, turns, n * sizeof *turns);
    c->names[c->sets.n] = p;
    c->breadth[c->sets.n] = (float)n;
    c->limit[c->sets.n] = KINSHIP_WHOLE;
    c->begin[++c->sets.n] = (uint32_t)(at + n);
    return 0;
}

static int make_sets(struct curves *c, const struct panel *panel, struct curve_count *count)
{
    size_t n = panel->n + 1;
    c->names = calloc(n, sizeof *c->names);
    c->begin = calloc(n, sizeof *c->begin);
    c->breadth = calloc(n, sizeof *c->breadth);
    c->limit = calloc(n, sizeof *c->limit);
    int e = c->names == NULL || c->begin == NULL || c->breadth == NULL || c->limit == NULL ? E_NOMEM : 0;
    for (size_t i = 0; e == 0 && i < panel->n; i++) {
        struct curve curve;
        uint32_t turns[TURNS_MAX];
        unsigned made = curve_make(&curve, &c->grid, panel->portraits[i]) ? curve_turns(&curve, &c->grid, turns) : 0;
        count->calm += made < CURVE_TURNS_MIN;
        count->restless += made > TURNS_MAX;
        if (made >= CURVE_TURNS_MIN && made <= TURNS_MAX)
            e = add_turns(c, panel->portraits[i], turns, made);
    }
    if (e != 0)
        return e;
    c->sets.begin = c->begin;
    c->sets.tokens = c->tokens;
    c->sets.n_tokens = TURN_NUMBERS;
    c->sets.breadth = c->breadth;
    c->sets.limit = c->limit;
    count->turns = c->begin[c->sets.n];
    return 0;
}

/* ---- decoys ---- */

/* By how much a name is shifted, always the same: 0 to all days but one. What matters is the difference of two. */
static unsigned decoy_days(const struct curves *c, size_t i)
{
    return (unsigned)(hash_memory(c->names[i]->owner.ptr, c->names[i]->owner.len, SEED) % c->days);
}

/* A turn moved on by whole days, around the days on record. */
static uint32_t shifted(const struct curves *c, uint32_t turn, unsigned days)
{
    uint32_t kind = turn / CURVE_HOURS, t = turn % CURVE_HOURS, first = c->grid.first;
    uint32_t since = t < first ? 0 : t - first;
    return kind * CURVE_HOURS + first + (since + 24 * days) % (24 * c->days);
}

static int rising(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int make_decoys(struct curves *c)
{
    size_t n = c->sets.n;
    uint32_t kept = 0;
    c->decoy_begin = calloc(n + 1, sizeof *c->decoy_begin);
    c->decoy_tokens = calloc(c->begin[n] + 1, sizeof *c->decoy_tokens);
    if (c->decoy_begin == NULL || c->decoy_tokens == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint32_t turns[TURNS_MAX], made = c->begin[i + 1] - c->begin[i];
        unsigned days = decoy_days(c, i);
        for (uint32_t k = 0; k < made; k++)
            turns[k] = shifted(c, c->tokens[c->begin[i] + k], days);
        qsort(turns, made, sizeof *turns, rising);
        c->decoy_begin[i] = kept;
        for (uint32_t k = 0; k < made; k++)
            if (k == 0 || turns[k] != turns[k - 1])
                c->decoy_tokens[kept++] = turns[k];
    }
    c->decoy_begin[n] = kept;
    c->decoys = c->sets;
    c->decoys.begin = c->decoy_begin;
    c->decoys.tokens = c->decoy_tokens;
    return 0;
}

static void curves_release(struct curves *c)
{
    free(c->names);
    free(c->begin);
    free(c->tokens);
    free(c->limit);
    free(c->breadth);
    free(c->decoy_begin);
    free(c->decoy_tokens);
}

/* ---- pairs ---- */

static unsigned common_turns(const struct kinship_sets *s, size_t a, size_t b, uint32_t ret[TURNS_MAX])
{
    unsigned n = 0;
    for (uint32_t i = s->begin[a], j = s->begin[b]; i < s->begin[a + 1] && j < s->begin[b + 1];) {
        uint32_t x = s->tokens[i], y = s->tokens[j];
        if (x == y)
            ret[n++] = x;
        i += x <= y;
        j += y <= x;
    }
    return n;
}

static bool on_several_days(const struct kinship_sets *s, size_t a, size_t b)
{
    uint32_t turns[TURNS_MAX];
    unsigned n = common_turns(s, a, b, turns), days = 0;
    uint32_t seen = 0;
    for (unsigned i = 0; i < n; i++)
        seen |= UINT32_C(1) << turns[i] % CURVE_HOURS / 24;
    for (; seen; seen &= seen - 1)
        days++;
    return days >= CURVE_DAYS_MIN;
}

struct likeness {
    double now;    /* correlation of the curves as they are */
    double best;   /* the largest when one is shifted by whole days */
};

static struct likeness compare_curves(const struct curves *c, size_t a, size_t b)
{
    struct curve x, y;
    struct likeness l = { 0, -1 };
    if (!curve_make(&x, &c->grid, c->names[a]) || !curve_make(&y, &c->grid, c->names[b]))
        return l;
    l.now = curve_correlation(&x, &y, &c->grid, 0);
    for (unsigned d = 1; d < c->days; d++)
        l.best = fmax(l.best, curve_correlation(&x, &y, &c->grid, d));
    return l;
}

static double weigh(void *context, size_t a, size_t b, unsigned shared, double score)
{
    const struct curves *c = context;
    (void)shared;
    if (!on_several_days(&c->sets, a, b))
        return 0;
    struct likeness l = compare_curves(c, a, b);
    return l.now >= CURVE_CORRELATION_MIN && l.now >= l.best + CURVE_MARGIN ? score : 0;
}

static double weigh_decoy(void *context, size_t a, size_t b, unsigned shared, double score)
{
    const struct curves *c = context;
    (void)shared;
    return decoy_days(c, a) != decoy_days(c, b) && on_several_days(&c->decoys, a, b) ? score : 0;
}

/* ---- findings ---- */

struct outcome {
    const struct curves *curves;
    const uint32_t *degree;
    struct kinship_ground ground;
    const struct kinship_result *real;
    const struct kinship_scale *scale;
};

static void tell_series(const struct curves *c, const char *what, const struct portrait *p, struct facts *f)
{
    uint64_t sum[CURVE_HOURS / SIX] = { 0 };
    for (unsigned i = 0; i < p->n_hours; i++) {
        uint32_t t = p->window_from + p->hours[i].at - c->grid.from;
        if (t < c->grid.hours)
            sum[t / SIX] += p->hours[i].queries;
    }
    facts_open(f, what, FACTS_LIST);
    for (unsigned k = 0; k < (c->grid.hours + SIX - 1) / SIX; k++)
        facts_count(f, NULL, sum[k]);
    facts_close(f);
}

static void tell_events(const struct outcome *o, size_t a, size_t b, struct facts *f)
{
    uint32_t turns[TURNS_MAX];
    unsigned n = common_turns(&o->curves->sets, a, b, turns);
    facts_open(f, "common_turns", FACTS_LIST);
    for (unsigned k = 0; k < n && k < TOLD_EVENTS; k++) {
        const char *way = turns[k] < CURVE_HOURS ? "up" : "down";
        facts_open(f, NULL, FACTS_OBJECT);
        facts_text(f, "way", way, strlen(way));
        facts_count(f, "hour", o->curves->grid.from + turns[k] % CURVE_HOURS);
        facts_count(f, "names", o->degree[turns[k]]);
        facts_close(f);
    }
    facts_close(f);
}

static void tell_partner(const struct outcome *o, size_t i, const struct kinship_partner *p, struct facts *f)
{
    const struct portrait *other = o->curves->names[p->other];
    struct kinship_pair pair = kinship_pair(&o->curves->sets, o->degree, &o->ground, CURVE_Q, i, p->other);
    struct likeness l = compare_curves(o->curves, i, p->other);
    facts_open(f, NULL, FACTS_OBJECT);
    facts_text(f, "name", other->name, strlen(other->name));
    facts_count(f, "common", pair.shared);
    facts_number(f, "expected_common", pair.expected);
    facts_count(f, "only_this", pair.only_a);
    facts_count(f, "only_other", pair.only_b);
    facts_number(f, "correlation", l.now);
    facts_number(f, "shifted_correlation", l.best);
    facts_number(f, "score", p->score);
    tell_events(o, i, p->other, f);
    tell_series(o->curves, "six_hourly", other, f);
    facts_close(f);
}

static void tell(const struct outcome *o, size_t i, double strength, struct findings *to)
{
    const struct portrait *name = o->curves->names[i];
    const struct kinship_partner *best = o->real->partners[i];
    struct kinship_pair pair = kinship_pair(&o->curves->sets, o->degree, &o->ground, CURVE_Q, i, best->other);
    struct likeness l = compare_curves(o->curves, i, best->other);
    struct slice peers[KINSHIP_PARTNERS];
    unsigned n = kinship_peers(o->real, o->scale, i, o->curves->names, peers);
    struct facts f;
    facts_begin(&f);
    facts_count(&f, "turns", pair.shared + pair.only_a);
    kinship_facts(o->real, o->scale, best->score, &f);
    facts_count(&f, "from_hour", o->curves->grid.from);
    tell_series(o->curves, "six_hourly", name, &f);
    facts_open(&f, "partners", FACTS_LIST);
    for (unsigned k = 0; k < n && k < TOLD_PARTNERS; k++)
        tell_partner(o, i, &best[k], &f);
    facts_close(&f);

    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary,
             "%u of its %u turns of demand fall in the same hours as those of %.80s, where chance makes %.2g; "
             "curves correlate with %.2f, at most %.2f when shifted by whole days; %u more %s with it",
             pair.shared, pair.shared + pair.only_a, o->curves->names[best->other]->name, pair.expected, l.now, l.best, n - 1,
             n == 2 ? "name moves" : "names move");
    struct finding finding = { .owner = name->owner, .strength = strength, .summary = summary, .facts = facts_end(&f),
                               .peers = peers, .n_peers = n };
    findings_add(to, &finding);
}

static int report(const struct curves *c, const struct kinship_result *real, const struct kinship_result *decoy, struct findings *to,
                  uint64_t *found)
{
    struct kinship_scale scale;
    uint32_t *degree = kinship_degrees(&c->sets);
    int e = degree == NULL ? E_NOMEM : kinship_scale_make(real, decoy, &scale);
    if (e != 0) {
        free(degree);
        return e;
    }
    struct outcome o = { c, degree, kinship_ground(&c->sets, degree), real, &scale };
    for (size_t i = 0; i < c->sets.n; i++) {
        double strength = kinship_strength(&scale, real->partners[i][0].score);
        if (strength < FINDING_MIN)
            continue;
        tell(&o, i, strength, to);
        (*found)++;
    }
    kinship_scale_release(&scale);
    free(degree);
    return to->failed ? E_NOMEM : 0;
}

static int compare_sets(struct curves *c, struct findings *to, struct curve_count *count)
{
    struct kinship_rule rule = { .together = CURVE_TURNS_MIN, .q = CURVE_Q, .seed = SEED, .weigh = weigh, .context = c };
    struct kinship_result real = { 0 }, decoy = { 0 };
    int e = kinship_find(&c->sets, &rule, &real);
    rule.weigh = weigh_decoy;
    if (e == 0)
        e = make_decoys(c);
    if (e == 0)
        e = kinship_find(&c->decoys, &rule, &decoy);
    if (e == 0)
        e = report(c, &real, &decoy, to, &count->found);
    count->real = real.count;
    count->decoy = decoy.count;
    kinship_result_release(&real);
    kinship_result_release(&decoy);
    return e;
}

int curve_compare(const struct panel *panel, const struct network *network, struct findings *to, struct curve_count *ret,
                  struct fault *why)
{
    struct curves c = { .days = 0 };
    struct curve_count count = { 0 };
    curve_grid_make(&c.grid, panel->step, network);
    c.days = (c.grid.hours - c.grid.first) / 24;
    int e = panel->n > KINSHIP_SETS_MAX ? E_LIMIT : 0;
    if (e == 0 && c.days >= CURVE_DAYS_MIN)
        e = make_sets(&c, panel, &count);
    if (e == 0 && c.sets.n >= 2)
        e = compare_sets(&c, to, &count);
    curves_release(&c);
    if (e != 0)
        return fault_set(why, e, "curve: %zu portraits: %s", panel->n, fault_text(e));
    if (ret != NULL)
        *ret = count;
    return 0;
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    return curve_compare(panel, scene_network(scene), to, NULL, why);
}

const struct detector detector_curve = {
    .name = "curve",
    .group = GROUP_CURVE,
    .about = "names whose demand turns in the same hours",
    .compare = compare,
};
