/* Portraits become sets of client numbers, the same shuffled become decoys, and kinship compares both. */
#include "detect/cohort/cohort.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/facts.h"

static const double COHORT_Q = 0.8; /* a client of one of a program's names asks within the window for another one */
static const uint64_t SEED = UINT64_C(0x636f686f7274);

struct cohort {
    const struct portrait **names; /* those compared */
    uint32_t *begin, *tokens, *limit;
    float *breadth;
    struct kinship_sets sets;
    struct kinship_sets decoys; /* own begin, tokens and limit; the same breadths */
    uint32_t *decoy_begin, *decoy_tokens, *decoy_limit;
    uint64_t *entries, *spare;
};

/* ---- sets ---- */

static size_t kept_of(const struct portrait *p, uint32_t most)
{
    return p->n_clients < most ? p->n_clients : most;
}

/* The most clients that a name may keep, so that all together are not too many. */
static uint32_t choose_kept(const struct panel *panel)
{
    for (uint32_t most = SUBJECT_CLIENTS; most > COHORT_CLIENTS_MIN; most /= 2) {
        uint64_t sum = 0;
        for (size_t i = 0; i < panel->n; i++)
            sum += kept_of(panel->portraits[i], most);
        if (sum <= COHORT_SLOTS_MAX)
            return most;
    }
    return COHORT_CLIENTS_MIN;
}

/* Different clients of the network that ask for the name: counted, or estimated from a sample of the smallest ids. */
static float breadth_of(const struct portrait *p, size_t kept)
{
    if (p->clients_whole && kept == p->n_clients)
        return (float)kept;
    return (float)((double)(kept - 1) / ldexp((double)p->clients[kept - 1] + 1, -64));
}

static size_t select_names(struct cohort *c, const struct panel *panel, uint32_t most)
{
    size_t slots = 0;
    for (size_t i = 0; i < panel->n; i++) {
        const struct portrait *p = panel->portraits[i];
        size_t kept = kept_of(p, most);
        if (kept < COHORT_CLIENTS_MIN)
            continue;
        size_t n = c->sets.n++;
        c->names[n] = p;
        c->begin[n] = (uint32_t)slots;
        c->breadth[n] = breadth_of(p, kept);
        c->limit[n] = p->clients_whole && kept == p->n_clients ? KINSHIP_WHOLE : 0; /* 0: becomes its last token */
        slots += kept;
    }
    c->begin[c->sets.n] = (uint32_t)slots;
    return slots;
}

static void set_limits(const struct kinship_sets *s, uint32_t *limit)
{
    for (size_t i = 0; i < s->n; i++)
        if (limit[i] != KINSHIP_WHOLE)
            limit[i] = s->tokens[s->begin[i + 1] - 1];
}

/* Clients are numbered by rising id; of ids the upper half is looked at: of a million clients about a hundred get another's number. */
static void number_clients(struct cohort *c, size_t slots)
{
    for (size_t i = 0; i < c->sets.n; i++)
        for (uint32_t s = c->begin[i]; s < c->begin[i + 1]; s++)
            c->entries[s] = (c->names[i]->clients[s - c->begin[i]] & ~(uint64_t)UINT32_MAX) | s;
    kinship_sort(c->entries, c->spare, slots);
    uint32_t number = 0;
    for (size_t e = 0; e < slots; e++) {
        number += e > 0 && c->entries[e] >> 32 != c->entries[e - 1] >> 32;
        c->tokens[(uint32_t)c->entries[e]] = number;
    }
    c->sets.n_tokens = number + 1;
}

static int make_sets(struct cohort *c, const struct panel *panel, uint32_t most)
{
    size_t n = panel->n + 1;
    c->names = calloc(n, sizeof *c->names);
    c->begin = calloc(n + 1, sizeof *c->begin);
    c->breadth = calloc(n, sizeof *c->breadth);
    c->limit = calloc(n, sizeof *c->limit);
    if (c->names == NULL || c->begin == NULL || c->breadth == NULL || c->limit == NULL)
        return E_NOMEM;
    size_t slots = select_names(c, panel, most);
    size_t entries = slots > panel->n ? slots : panel->n; /* decoys sort names in them */
    c->tokens = calloc(slots + 1, sizeof *c->tokens);
    c->entries = calloc(entries + 1, sizeof *c->entries);
    c->spare = calloc(entries + 1, sizeof *c->spare);
    if (c->tokens == NULL || c->entries == NULL || c->spare == NULL)
        return E_NOMEM;
    number_clients(c, slots);
    c->sets.begin = c->begin;
    c->sets.tokens = c->tokens;
    c->sets.breadth = c->breadth;
    c->sets.limit = c->limit;
    set_limits(&c->sets, c->limit);
    return 0;
}

/* ---- decoys ---- */

/* Fisher and Yates over the clients of a block of names; `slot` says where each of them stands. */
static void shuffle(uint32_t *tokens, const uint64_t *slot, size_t n, uint64_t seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = hash_mix(seed + i) % i;
        uint32_t swap = tokens[slot[i - 1]];
        tokens[slot[i - 1]] = tokens[slot[j]];
        tokens[slot[j]] = swap;
    }
}

static void shuffle_alike(struct cohort *c)
{
    size_t n = c->sets.n;
    uint64_t *order = c->spare, *slot = c->entries;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &c->breadth[i], sizeof bits); /* of positive floats: rises with them */
        slot[i] = (uint64_t)bits << 32 | i;
    }
    kinship_sort(slot, order, n);
    memcpy(order, slot, n * sizeof *order);
    for (size_t from = 0; from < n; from += COHORT_BLOCK) {
        size_t slots = 0;
        for (size_t k = from; k < n && k < from + COHORT_BLOCK; k++)
            for (uint32_t s = c->begin[(uint32_t)order[k]]; s < c->begin[(uint32_t)order[k] + 1]; s++)
                slot[slots++] = s;
        shuffle(c->decoy_tokens, slot, slots, hash_mix(SEED + from));
    }
}

static int rising(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In each decoy the clients in order, each once. */
static void tidy_decoys(struct cohort *c)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < c->sets.n; i++) {
        uint32_t *t = c->decoy_tokens + c->begin[i];
        size_t n = c->begin[i + 1] - c->begin[i];
        qsort(t, n, sizeof *t, rising);
        c->decoy_begin[i] = kept;
        for (size_t k = 0; k < n; k++)
            if (k == 0 || t[k] != c->decoy_tokens[kept - 1])
                c->decoy_tokens[kept++] = t[k];
    }
    c->decoy_begin[c->sets.n] = kept;
}

static int make_decoys(struct cohort *c)
{
    size_t n = c->sets.n, slots = c->begin[n];
    c->decoy_begin = calloc(n + 1, sizeof *c->decoy_begin);
    c->decoy_tokens = calloc(slots + 1, sizeof *c->decoy_tokens);
    c->decoy_limit = calloc(n + 1, sizeof *c->decoy_limit);
    if (c->decoy_begin == NULL || c->decoy_tokens == NULL || c->decoy_limit == NULL)
        return E_NOMEM;
    memcpy(c->decoy_tokens, c->tokens, slots * sizeof *c->tokens);
    memcpy(c->decoy_limit, c->limit, n * sizeof *c->limit);
    shuffle_alike(c);
    tidy_decoys(c);
    c->decoys = c->sets;
    c->decoys.begin = c->decoy_begin;
    c->decoys.tokens = c->decoy_tokens;
    c->decoys.limit = c->decoy_limit;
    set_limits(&c->decoys, c->decoy_limit);
    return 0;
}

static void cohort_release(struct cohort *c)
{
    free(c->names);
    free(c->begin);
    free(c->tokens);
    free(c->limit);
    free(c->breadth);
    free(c->decoy_begin);
    free(c->decoy_tokens);
    free(c->decoy_limit);
    free(c->entries);
    free(c->spare);
}

/* ---- hours ---- */

static unsigned common_hours(const struct portrait *a, const struct portrait *b)
{
    unsigned n = 0, i = 0, j = 0;
    while (i < a->n_hours && j < b->n_hours) {
        uint32_t x = a->window_from + a->hours[i].at, y = b->window_from + b->hours[j].at;
        n += x == y;
        i += x <= y;
        j += y <= x;
    }
    return n;
}

/* Hours in which it was asked for, from the first one of the other on: what was before that says nothing of both. */
static unsigned hours_beside(const struct portrait *p, const struct portrait *other)
{
    uint32_t from = other->n_hours ? other->window_from + other->hours[0].at : 0;
    unsigned before = 0;
    while (before < p->n_hours && p->window_from + p->hours[before].at < from)
        before++;
    return p->n_hours - before;
}

/* The most hours in common when one of both is moved by whole days. */
static unsigned common_hours_moved(const struct portrait *a, const struct portrait *b)
{
    bool asked[WINDOW_STEPS + PERIOD_STEPS] = { false };
    enum { HOURS = sizeof asked / sizeof *asked, DAYS = HOURS / DAY_STEPS };
    unsigned most = 0;
    for (unsigned i = 0; i < a->n_hours; i++)
        asked[a->hours[i].at % HOURS] = true;
    for (unsigned d = 1; d < DAYS; d++) {
        unsigned n = 0;
        for (unsigned i = 0; i < b->n_hours; i++)
            n += asked[(b->hours[i].at + d * DAY_STEPS) % (DAYS * DAY_STEPS)];
        most = n > most ? n : most;
    }
    return most;
}

/* Few clients in common are many coincidences among many names: they must have asked at the same times, too. Where these times are
 * not those of every day, the clock says as much as one more of these clients. */
static double weigh(void *context, size_t a, size_t b, unsigned shared, double score)
{
    const struct cohort *c = context;
    if (shared > COHORT_TIMED)
        return score;
    const struct portrait *x = c->names[a], *y = c->names[b];
    unsigned common = common_hours(x, y), of_x = hours_beside(x, y), of_y = hours_beside(y, x), most = of_x > of_y ? of_x : of_y;
    if (common < COHORT_HOURS_MIN || 2 * common < most)
        return 0;
    double of_a_client = (score + log((double)c->sets.n + 1)) / shared;
    return common >= 2 * common_hours_moved(x, y) ? score + fmax(0, of_a_client) : score;
}

/* ---- findings ---- */

struct outcome {
    const struct cohort *cohort;
    const uint32_t *degree;
    struct kinship_ground ground;
    const struct kinship_result *real;
    const struct kinship_scale *scale;
};

static void tell_partner(const struct outcome *o, size_t i, const struct kinship_partner *p, struct facts *f)
{
    const struct portrait *other = o->cohort->names[p->other];
    struct kinship_pair pair = kinship_pair(&o->cohort->sets, o->degree, &o->ground, COHORT_Q, i, p->other);
    facts_open(f, NULL, FACTS_OBJECT);
    facts_text(f, "name", other->name, strlen(other->name));
    facts_count(f, "common_clients", pair.shared);
    facts_number(f, "expected_common", pair.expected);
    facts_count(f, "only_this", pair.only_a);
    facts_count(f, "only_other", pair.only_b);
    facts_number(f, "clients", o->cohort->breadth[p->other]);
    facts_count(f, "common_hours", common_hours(o->cohort->names[i], other));
    facts_number(f, "score", p->score);
    facts_close(f);
}

static void tell(const struct outcome *o, size_t i, double strength, struct findings *to)
{
    const struct portrait *name = o->cohort->names[i];
    const struct kinship_partner *best = o->real->partners[i];
    struct kinship_pair pair = kinship_pair(&o->cohort->sets, o->degree, &o->ground, COHORT_Q, i, best->other);
    struct slice peers[KINSHIP_PARTNERS];
    unsigned n = kinship_peers(o->real, o->scale, i, o->cohort->names, peers);
    struct facts f;
    facts_begin(&f);
    facts_number(&f, "clients", o->cohort->breadth[i]);
    kinship_facts(o->real, o->scale, best->score, &f);
    facts_open(&f, "partners", FACTS_LIST);
    for (unsigned k = 0; k < n; k++)
        tell_partner(o, i, &best[k], &f);
    facts_close(&f);

    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary,
             "%u of its %u clients asked for %.80s, too, where chance makes %.2g; %u more %s like it; one name in %.3g here has so close a cohort",
             pair.shared, pair.shared + pair.only_a, o->cohort->names[best->other]->name, pair.expected, n - 1,
             n == 2 ? "name is" : "names are", 1 / kinship_panel_share(o->scale, best->score));
    struct finding finding = { .owner = name->owner, .strength = strength, .summary = summary, .facts = facts_end(&f),
                               .peers = peers, .n_peers = n };
    findings_add(to, &finding);
}

static int report(const struct cohort *c, const struct kinship_result *real, const struct kinship_result *decoy,
                  struct findings *to, uint64_t *found)
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

static int compare_sets(struct cohort *c, struct findings *to, struct cohort_count *count)
{
    struct kinship_rule rule = { .together = COHORT_CLIENTS_MIN, .q = COHORT_Q, .seed = SEED, .weigh = weigh,
                                .more = kinship_token_most(COHORT_Q), .context = c };
    struct kinship_result real = { 0 }, decoy = { 0 };
    int e = kinship_find(&c->sets, &rule, &real);
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

int cohort_compare(const struct panel *panel, struct findings *to, struct cohort_count *ret, struct fault *why)
{
    struct cohort c = { 0 };
    struct cohort_count count = { .kept = choose_kept(panel) };
    int e = panel->n > KINSHIP_SETS_MAX ? E_LIMIT : make_sets(&c, panel, count.kept);
    if (e == 0) {
        count.narrow = panel->n - c.sets.n;
        count.clients = c.sets.n ? c.sets.n_tokens : 0;
        if (c.sets.n >= 2)
            e = compare_sets(&c, to, &count);
    }
    cohort_release(&c);
    if (e != 0)
        return fault_set(why, e, "cohort: %zu portraits: %s", panel->n, fault_text(e));
    if (ret != NULL)
        *ret = count;
    return 0;
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)scene;
    return cohort_compare(panel, to, NULL, why);
}

const struct detector detector_cohort = {
    .name = "cohort",
    .group = GROUP_COHORT,
    .about = "names that the same few clients ask for",
    .compare = compare,
};
