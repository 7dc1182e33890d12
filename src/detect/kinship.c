#include "detect/kinship.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/facts.h"

static const double P_MIN = 0.01;

/* ---- sorting ---- */

enum { DIGIT_BITS = 11, DIGITS = 3 };

void kinship_sort(uint64_t *entries, uint64_t *spare, size_t n)
{
    uint64_t *from = entries, *to = spare;
    for (unsigned d = 0; d < DIGITS; d++) {
        unsigned shift = 32 + d * DIGIT_BITS;
        size_t at[1 << DIGIT_BITS] = { 0 }, sum = 0;
        const uint64_t mask = (1 << DIGIT_BITS) - 1;
        for (size_t i = 0; i < n; i++)
            at[from[i] >> shift & mask]++;
        for (size_t i = 0; i <= mask; i++) {
            size_t count = at[i];
            at[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[at[from[i] >> shift & mask]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (n)
        memcpy(entries, spare, n * sizeof *entries); /* an odd number of passes ends in `spare` */
}

/* ---- scores ---- */

struct model {
    const struct kinship_sets *sets;
    double log_q, log_miss; /* log(1 - q) */
    float *log_degree;      /* of tokens, less the logarithm of the number of edges */
    float *log_breadth;
    float *log_floor;       /* of sets: the least chance that a token is theirs */
    double log_names;
};

static const uint32_t *set_of(const struct kinship_sets *s, size_t i, size_t *ret_n)
{
    *ret_n = s->begin[i + 1] - s->begin[i];
    return s->tokens + s->begin[i];
}

static uint32_t common_limit(const struct kinship_sets *s, size_t a, size_t b)
{
    return s->limit[a] < s->limit[b] ? s->limit[a] : s->limit[b];
}

static size_t count_up_to(const uint32_t *tokens, size_t n, uint32_t limit)
{
    while (n && tokens[n - 1] > limit)
        n--;
    return n;
}

double kinship_token_most(double q)
{
    return log(q / P_MIN);
}

/* What sharing a token says, when the set has a token like it with this chance: nothing where that is as well as a program does. */
static double gain(double log_q, double log_chance, double log_floor)
{
    return fmax(0, log_q - fmax(log_chance, log_floor));
}

/* 0 with fewer than `together` in common. */
static double score_pair(const struct model *m, unsigned together, size_t a, size_t b, unsigned *ret_shared)
{
    const struct kinship_sets *s = m->sets;
    size_t na, nb, i = 0, j = 0;
    const uint32_t *ta = set_of(s, a, &na), *tb = set_of(s, b, &nb);
    uint32_t limit = common_limit(s, a, b);
    na = count_up_to(ta, na, limit);
    nb = count_up_to(tb, nb, limit);
    unsigned shared = 0;
    double ab = 0, ba = 0;
    while (i < na && j < nb) {
        uint32_t x = ta[i], y = tb[j];
        if (x == y) {
            ab += gain(m->log_q, m->log_degree[x] + m->log_breadth[b], m->log_floor[b]);
            ba += gain(m->log_q, m->log_degree[x] + m->log_breadth[a], m->log_floor[a]);
            shared++;
        }
        i += x <= y;
        j += y <= x;
    }
    *ret_shared = shared;
    if (shared < together)
        return 0;
    return fmin(ab + (double)(na - shared) * m->log_miss, ba + (double)(nb - shared) * m->log_miss);
}

uint32_t *kinship_degrees(const struct kinship_sets *s)
{
    uint32_t *degree = calloc(s->n_tokens + 1, sizeof *degree);
    for (size_t i = 0; degree != NULL && i < s->begin[s->n]; i++)
        degree[s->tokens[i]]++;
    return degree;
}

struct kinship_ground kinship_ground(const struct kinship_sets *s, const uint32_t *degree)
{
    struct kinship_ground g = { .edges = 1, .tokens = 1 };
    for (size_t i = 0; i < s->n; i++) {
        g.edges += fmax(s->breadth[i], 1);
        g.tokens = fmax(g.tokens, s->breadth[i]);
    }
    size_t used = 0;
    for (uint32_t t = 0; t < s->n_tokens; t++)
        used += degree[t] > 0;
    g.tokens = fmax(g.tokens, (double)used);
    return g;
}

static double floor_of(const struct kinship_ground *g, double breadth)
{
    return fmax(P_MIN, breadth / g->tokens);
}

static int model_make(struct model *m, const struct kinship_sets *s, const uint32_t *degree, double q)
{
    *m = (struct model){ .sets = s, .log_q = log(q), .log_miss = log(1 - q) };
    m->log_degree = calloc(s->n_tokens + 1, sizeof *m->log_degree);
    m->log_breadth = calloc(s->n + 1, sizeof *m->log_breadth);
    m->log_floor = calloc(s->n + 1, sizeof *m->log_floor);
    if (m->log_degree == NULL || m->log_breadth == NULL || m->log_floor == NULL)
        return E_NOMEM;
    struct kinship_ground ground = kinship_ground(s, degree);
    double edges = log(ground.edges);
    for (uint32_t t = 0; t < s->n_tokens; t++)
        m->log_degree[t] = (float)(log(degree[t] + 1e-9) - edges);
    for (size_t i = 0; i < s->n; i++) {
        m->log_breadth[i] = (float)log(fmax(s->breadth[i], 1));
        m->log_floor[i] = (float)log(floor_of(&ground, s->breadth[i]));
    }
    m->log_names = log((double)s->n + 1);
    return 0;
}

static void model_release(struct model *m)
{
    free(m->log_degree);
    free(m->log_breadth);
    free(m->log_floor);
}

struct kinship_pair kinship_pair(const struct kinship_sets *s, const uint32_t *degree, const struct kinship_ground *g, double q, size_t a,
                                 size_t b)
{
    size_t na, nb, j = 0;
    const uint32_t *ta = set_of(s, a, &na), *tb = set_of(s, b, &nb);
    uint32_t limit = common_limit(s, a, b);
    struct kinship_pair p = { 0 };
    double breadth_a = fmax(s->breadth[a], 1), breadth_b = fmax(s->breadth[b], 1), ab = 0, ba = 0;
    double floor_a = log(floor_of(g, breadth_a)), floor_b = log(floor_of(g, breadth_b));
    na = count_up_to(ta, na, limit);
    nb = count_up_to(tb, nb, limit);
    for (size_t i = 0; i < na; i++) {
        double to_a = degree[ta[i]] * breadth_a / g->edges, to_b = degree[ta[i]] * breadth_b / g->edges;
        p.expected += fmin(1, fmax(to_b, breadth_b / g->tokens));
        while (j < nb && tb[j] < ta[i])
            j++;
        if (j == nb || tb[j] != ta[i])
            continue;
        p.shared++;
        ab += gain(log(q), log(to_b), floor_b);
        ba += gain(log(q), log(to_a), floor_a);
    }
    p.only_a = (unsigned)na - p.shared;
    p.only_b = (unsigned)nb - p.shared;
    p.score = fmin(ab + p.only_a * log(1 - q), ba + p.only_b * log(1 - q));
    return p;
}

/* ---- candidates ---- */

struct prefix {
    uint64_t order[KINSHIP_PREFIX];
    uint32_t token[KINSHIP_PREFIX];
    unsigned n;
};

/* Keeps the KINSHIP_PREFIX tokens of smallest order. */
static void prefix_add(struct prefix *p, uint64_t order, uint32_t token)
{
    unsigned at = p->n;
    while (at > 0 && p->order[at - 1] > order)
        at--;
    if (at == KINSHIP_PREFIX)
        return;
    if (p->n < KINSHIP_PREFIX)
        p->n++;
    for (unsigned k = p->n - 1; k > at; k--) {
        p->order[k] = p->order[k - 1];
        p->token[k] = p->token[k - 1];
    }
    p->order[at] = order;
    p->token[at] = token;
}

/* Keys of all pairs or triples of a prefix; a sum of mixed tokens, for their order in it must not matter. */
static unsigned prefix_keys(const struct prefix *p, unsigned together, uint64_t seed, uint32_t *to)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n; i++)
        for (unsigned j = i + 1; j < p->n; j++) {
            uint64_t two = hash_mix(p->token[i] + seed) + hash_mix(p->token[j] + seed);
            if (together == 2)
                to[n++] = (uint32_t)(hash_mix(two) >> 32);
            for (unsigned k = j + 1; together == 3 && k < p->n; k++)
                to[n++] = (uint32_t)(hash_mix(two + hash_mix(p->token[k] + seed)) >> 32);
        }
    return n;
}

static unsigned keys_of(const struct kinship_sets *s, const uint32_t *degree, const struct kinship_rule *rule, size_t i,
                        uint32_t to[KINSHIP_KEYS])
{
    size_t n;
    const uint32_t *tokens = set_of(s, i, &n);
    struct prefix rare = { .n = 0 }, random = { .n = 0 };
    for (size_t k = 0; k < n; k++) {
        uint32_t t = tokens[k];
        if (degree[t] < 2)
            continue; /* nobody else has it */
        prefix_add(&rare, (uint64_t)degree[t] << 32 | t, t);
        prefix_add(&random, hash_mix(t ^ hash_mix(rule->seed + 1)), t);
    }
    unsigned made = prefix_keys(&rare, rule->together, rule->seed, to);
    if (n > KINSHIP_PREFIX) /* else the other prefix is the same */
        made += prefix_keys(&random, rule->together, rule->seed, to + made);
    return made;
}

struct index {
    uint64_t *entries; /* key above set, sorted */
    size_t n;
    uint32_t *places;  /* of each set's entries, from first[set] on */
    uint32_t *first;   /* n + 1 */
};

static int index_fill(struct index *x, const struct kinship_sets *s, const uint32_t *degree, const struct kinship_rule *rule)
{
    size_t room = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint32_t keys[KINSHIP_KEYS];
        unsigned n = keys_of(s, degree, rule, i, keys);
        if (x->n + n > room) {
            room = 2 * room + 1024;
            uint64_t *entries = reallocarray(x->entries, room, sizeof *entries);
            if (entries == NULL)
                return E_NOMEM;
            x->entries = entries;
        }
        for (unsigned k = 0; k < n; k++)
            x->entries[x->n++] = (uint64_t)keys[k] << 32 | i;
    }
    uint64_t *spare = calloc(x->n + 1, sizeof *spare);
    if (spare == NULL)
        return E_NOMEM;
    kinship_sort(x->entries, spare, x->n);
    free(spare);
    return 0;
}

/* Keys that one set only has are left out, and so is a key that a set has twice. */
static void index_thin(struct index *x, struct kinship_count *count)
{
    size_t kept = 0;
    for (size_t from = 0, to; from < x->n; from = to) {
        size_t begin = kept;
        for (to = from; to < x->n && x->entries[to] >> 32 == x->entries[from] >> 32; to++)
            if (to == from || x->entries[to] != x->entries[to - 1])
                x->entries[kept++] = x->entries[to];
        size_t size = kept - begin;
        if (size < 2)
            kept = begin;
        if (size > KINSHIP_WINDOW + 1) {
            count->wide_buckets++;
            count->left_out += size - (KINSHIP_WINDOW + 1);
        }
    }
    x->n = kept;
    count->keys = kept;
}

static int index_place(struct index *x, size_t n_sets)
{
    x->first = calloc(n_sets + 2, sizeof *x->first);
    x->places = calloc(x->n + 1, sizeof *x->places);
    if (x->first == NULL || x->places == NULL)
        return E_NOMEM;
    for (size_t e = 0; e < x->n; e++)
        x->first[(uint32_t)x->entries[e] + 2]++;
    for (size_t i = 2; i < n_sets + 2; i++)
        x->first[i] += x->first[i - 1];
    for (size_t e = 0; e < x->n; e++) /* first[i + 1] runs from the begin of set i to its end, which is where i + 1 begins */
        x->places[x->first[(uint32_t)x->entries[e] + 1]++] = (uint32_t)e;
    return 0;
}

static void index_release(struct index *x)
{
    free(x->entries);
    free(x->places);
    free(x->first);
}

static void partner_add(struct kinship_partner *list, uint32_t other, double score)
{
    unsigned at = KINSHIP_PARTNERS;
    while (at > 0 && list[at - 1].score < (float)score)
        at--;
    if (at == KINSHIP_PARTNERS)
        return;
    memmove(&list[at + 1], &list[at], (KINSHIP_PARTNERS - 1 - at) * sizeof *list);
    list[at] = (struct kinship_partner){ other, (float)score };
}

static void judge(const struct model *m, const struct kinship_rule *rule, uint32_t a, uint32_t b, struct kinship_result *r)
{
    unsigned shared;
    double score = score_pair(m, rule->together, a, b, &shared) - m->log_names;
    r->count.pairs++;
    if (shared < rule->together || score <= -rule->more)
        return;
    if (rule->weigh != NULL)
        score = rule->weigh(rule->context, a, b, shared, score);
    if (score <= 0)
        return;
    partner_add(r->partners[a], b, score);
    partner_add(r->partners[b], a, score);
}

/* A set with those after it in its buckets, each once; `met` holds for every set the last one that met it, plus 1. */
static void meet(const struct index *x, const struct model *m, const struct kinship_rule *rule, uint32_t i, uint32_t *met,
                 struct kinship_result *r)
{
    unsigned meetings = 0;
    for (uint32_t p = x->first[i]; p < x->first[i + 1]; p++) {
        size_t e = x->places[p];
        uint64_t key = x->entries[e] >> 32;
        for (size_t to = e + 1; to <= e + KINSHIP_WINDOW && to < x->n && x->entries[to] >> 32 == key; to++) {
            uint32_t other = (uint32_t)x->entries[to];
            if (met[other] == i + 1)
                continue;
            if (meetings == KINSHIP_MEETINGS) {
                r->count.cut_short++;
                return;
            }
            met[other] = i + 1;
            meetings++;
            judge(m, rule, i, other, r);
        }
    }
}

static int walk(const struct index *x, const struct model *m, const struct kinship_rule *rule, struct kinship_result *r)
{
    uint32_t *met = calloc(m->sets->n + 1, sizeof *met);
    if (met == NULL)
        return E_NOMEM;
    for (uint32_t i = 0; i < m->sets->n; i++)
        meet(x, m, rule, i, met, r);
    free(met);
    return 0;
}

static int find(const struct kinship_sets *s, const uint32_t *degree, const struct kinship_rule *rule, struct index *x,
                struct model *m, struct kinship_result *r)
{
    int e = index_fill(x, s, degree, rule);
    if (e == 0) {
        index_thin(x, &r->count);
        e = index_place(x, s->n);
    }
    if (e == 0)
        e = model_make(m, s, degree, rule->q);
    if (e == 0)
        e = walk(x, m, rule, r);
    return e;
}

int kinship_find(const struct kinship_sets *s, const struct kinship_rule *rule, struct kinship_result *ret)
{
    assert(s->n <= KINSHIP_SETS_MAX && (rule->together == 2 || rule->together == 3));
    struct kinship_result r = { .n = s->n, .partners = calloc(s->n + 1, sizeof *r.partners) };
    uint32_t *degree = kinship_degrees(s);
    struct index x = { 0 };
    struct model m = { 0 };
    int e = r.partners == NULL || degree == NULL ? E_NOMEM : find(s, degree, rule, &x, &m, &r);
    model_release(&m);
    index_release(&x);
    free(degree);
    if (e != 0)
        kinship_result_release(&r);
    else
        *ret = r;
    return e;
}

void kinship_result_release(struct kinship_result *r)
{
    free(r->partners);
    *r = (struct kinship_result){ 0 };
}

/* ---- what scores are worth ---- */

enum { TAIL_MAX = 200, TAIL_PART = 10 /* the tail is a tenth of the decoys, or TAIL_MAX of them */ };

static int falling(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void fit_tail(struct kinship_scale *s)
{
    size_t k = s->decoys / TAIL_PART < TAIL_MAX ? s->decoys / TAIL_PART : TAIL_MAX;
    double sum = 0;
    if (k == 0)
        k = 1;
    s->tail_from = s->decoys ? s->decoy[k - 1] : 0;
    for (size_t i = 0; i < k && i < s->decoys; i++)
        sum += s->decoy[i] - s->tail_from;
    s->tail_share = (double)k / (double)(s->decoys + 1);
    s->tail_mean = fmax(1, sum / (double)k);
}

static float *maxima(const struct kinship_result *r)
{
    float *m = calloc(r->n + 1, sizeof *m);
    for (size_t i = 0; m != NULL && i < r->n; i++)
        m[i] = r->partners[i][0].score;
    if (m != NULL)
        qsort(m, r->n, sizeof *m, falling);
    return m;
}

int kinship_scale_make(const struct kinship_result *real, const struct kinship_result *decoy, struct kinship_scale *ret)
{
    struct kinship_scale s = { .decoys = decoy->n, .names = real->n, .decoy = maxima(decoy), .name = maxima(real) };
    if (s.decoy == NULL || s.name == NULL) {
        kinship_scale_release(&s);
        return E_NOMEM;
    }
    fit_tail(&s);
    *ret = s;
    return 0;
}

void kinship_scale_release(struct kinship_scale *s)
{
    free(s->decoy);
    free(s->name);
    *s = (struct kinship_scale){ 0 };
}

/* How many of the falling values are at least `score`. */
static size_t reach(const float *values, size_t n, double score)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (values[mid] >= (float)score)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

double kinship_decoy_share(const struct kinship_scale *s, double score)
{
    if (score > s->tail_from)
        return s->tail_share * exp(-(score - s->tail_from) / s->tail_mean);
    return fmin(1, ((double)reach(s->decoy, s->decoys, score) + 1) / (double)(s->decoys + 1));
}

double kinship_panel_share(const struct kinship_scale *s, double score)
{
    return s->names ? (double)reach(s->name, s->names, score) / (double)s->names : 0;
}

double kinship_strength(const struct kinship_scale *s, double score)
{
    double log_p = log(fmax(kinship_decoy_share(s, score), 1e-300));
    return log_p < -1 ? fmax(0, fmin(score, -log_p - log(-log_p) - 1)) : 0;
}

/* ---- telling ---- */

unsigned kinship_peers(const struct kinship_result *r, const struct kinship_scale *s, size_t i, const struct portrait *const *owners,
                       struct slice peers[KINSHIP_PARTNERS])
{
    unsigned n = 0;
    while (n < KINSHIP_PARTNERS && kinship_strength(s, r->partners[i][n].score) >= FINDING_MIN) {
        peers[n] = owners[r->partners[i][n].other]->owner;
        n++;
    }
    return n;
}

void kinship_facts(const struct kinship_result *r, const struct kinship_scale *s, double score, struct facts *to)
{
    facts_number(to, "score", score);
    facts_number(to, "decoy_share", kinship_decoy_share(s, score));
    facts_number(to, "panel_share", kinship_panel_share(s, score));
    facts_count(to, "names_compared", r->n);
    facts_count(to, "pairs_scored", r->count.pairs);
    facts_count(to, "left_out", r->count.left_out);
    facts_count(to, "cut_short", r->count.cut_short);
}
