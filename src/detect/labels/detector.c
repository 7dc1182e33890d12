/* labels: the same uncommon host labels under otherwise unrelated registered domains. The idea and the figures: note.md.
 *
 * An inverted index over the panel, label -> portraits, sorted; labels of 2 to LABEL_COMMON portraits make pairs, pairs are
 * summed, and of each name the best pairs are told. Time n log n in labels, memory bounded by PAIRS_MAX. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/labels/weight.h"
#include "detect/parts.h"

enum {
    LABEL_COMMON = 30,        /* registered domains with it: nobody's any more */
    PAIRS_MAX = 4000000,
    SEARCH_PATH = 8,          /* labels that two missing domains share: names of a network, by way of a search list */
    NEW_S = 14 * 86400,
    LEARNING_S = 3 * 86400,   /* of a database: what came then may be old */
    BROAD_DAYS = 7,
    SHARED_TOLD = 8,
};

#define STEM_WEIGHT 0.4    /* of an equal label's */
#define UNANSWERED 0.3     /* a host that does not exist in a zone that does: rather somebody's typing */
#define ONE_NEW 0.75
#define NONE_NEW 0.4
#define BROAD 0.3
#define MORE_PEERS 0.7     /* nats for each factor e of further peers */

struct entry {
    uint64_t hash;
    uint32_t portrait;
    uint16_t label;
    bool stem;
};

struct pair {
    uint32_t a, b; /* portraits; each pair stands in both directions, so that a's are together */
    uint16_t label_a, label_b;
    uint32_t users; /* portraits of the panel with it */
    bool stem;
};

struct work {
    const struct panel *panel;
    struct scene *scene;
    struct findings *to;
    struct fault *why;
    struct entry *entries;
    struct pair *pairs;
    size_t n_entries, n_pairs;
    bool cut; /* PAIRS_MAX */
};

struct match {
    uint32_t peer;
    double nats;
    size_t first, n; /* its pairs */
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->portrait != y->portrait)
        return x->portrait < y->portrait ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    if (x->stem != y->stem)
        return x->stem ? 1 : -1;
    return (x->label_a > y->label_a) - (x->label_a < y->label_a);
}

/* ---- the index ---- */

static void enter(struct work *w, uint32_t portrait, uint16_t label)
{
    const struct portrait_label *l = &w->panel->portraits[portrait]->labels[label];
    size_t len = strlen(l->text);
    if (label_weight(l->text, len) <= 0)
        return;
    w->entries[w->n_entries++] = (struct entry){ l->hash, portrait, label, false };
    size_t stem = label_stem(l->text, len);
    if (stem)
        w->entries[w->n_entries++] = (struct entry){ hash_mix(hash_stable(l->text, stem) + 1), portrait, label, true };
}

/* One entry for each portrait with a hash: a stem may stand in several of its labels. */
static void drop_repeated(struct work *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n_entries; i++)
        if (kept == 0 || w->entries[kept - 1].hash != w->entries[i].hash || w->entries[kept - 1].portrait != w->entries[i].portrait)
            w->entries[kept++] = w->entries[i];
    w->n_entries = kept;
}

static int index_labels(struct work *w)
{
    size_t room = 1;
    for (size_t i = 0; i < w->panel->n; i++)
        room += 2 * (size_t)w->panel->portraits[i]->n_labels;
    w->entries = reallocarray(NULL, room, sizeof *w->entries);
    if (w->entries == NULL)
        return fault_set(w->why, E_NOMEM, "labels: no memory for %zu entries", room);
    for (size_t i = 0; i < w->panel->n; i++)
        for (uint16_t k = 0; k < w->panel->portraits[i]->n_labels; k++)
            enter(w, (uint32_t)i, k);
    qsort(w->entries, w->n_entries, sizeof *w->entries, compare_entries);
    drop_repeated(w);
    return E_OK;
}

static size_t run_length(const struct work *w, size_t from)
{
    size_t n = 1;
    while (from + n < w->n_entries && w->entries[from + n].hash == w->entries[from].hash)
        n++;
    return n;
}

static const struct portrait_label *label_at(const struct work *w, uint32_t portrait, uint16_t label)
{
    return &w->panel->portraits[portrait]->labels[label];
}

static void pair_up(struct work *w, const struct entry *x, const struct entry *y, size_t users)
{
    bool equal = strcmp(label_at(w, x->portrait, x->label)->text, label_at(w, y->portrait, y->label)->text) == 0;
    if (x->stem == equal) /* a stem for labels that differ; and hashes may collide */
        return;
    if (w->n_pairs + 2 > PAIRS_MAX) {
        w->cut = true;
        return;
    }
    w->pairs[w->n_pairs++] = (struct pair){ x->portrait, y->portrait, x->label, y->label, (uint32_t)users, x->stem };
    w->pairs[w->n_pairs++] = (struct pair){ y->portrait, x->portrait, y->label, x->label, (uint32_t)users, x->stem };
}

/* Calls pair_up, or counts only when there is no room yet. */
static size_t all_pairs(struct work *w, bool make)
{
    size_t total = 0;
    for (size_t i = 0, users; i < w->n_entries; i += users) {
        users = run_length(w, i);
        if (users < 2 || users >= LABEL_COMMON)
            continue;
        total += users * (users - 1);
        for (size_t x = i; make && x < i + users; x++)
            for (size_t y = x + 1; y < i + users; y++)
                pair_up(w, &w->entries[x], &w->entries[y], users);
    }
    return total;
}

static int make_pairs(struct work *w)
{
    size_t total = all_pairs(w, false);
    w->pairs = reallocarray(NULL, total < PAIRS_MAX ? total + 1 : PAIRS_MAX, sizeof *w->pairs);
    if (w->pairs == NULL)
        return fault_set(w->why, E_NOMEM, "labels: no memory for %zu pairs", total);
    all_pairs(w, true);
    qsort(w->pairs, w->n_pairs, sizeof *w->pairs, compare_pairs);
    return E_OK;
}

/* ---- what a pair says ---- */

static bool is_new(const struct work *w, uint32_t first_s)
{
    int64_t learnt = (int64_t)scene_network(w->scene)->first * STEP_S + LEARNING_S;
    return first_s >= learnt && first_s + (int64_t)NEW_S >= step_end_s(w->panel->step);
}

static double credit(const struct portrait *p, const struct portrait_label *l)
{
    double c = l->answered || !p->exists ? 1 : UNANSWERED;
    return p->profile.broad_days >= BROAD_DAYS ? c * BROAD : c;
}

/* Both hosts are names of one provider that many use: tenants have the labels that it prescribes. */
static int tenants(struct work *w, const struct pair *p, bool *ret)
{
    const struct portrait *a = w->panel->portraits[p->a];
    uint64_t alias = a->labels[p->label_a].alias;
    *ret = false;
    if (alias == 0 || alias != label_at(w, p->b, p->label_b)->alias)
        return E_OK;
    for (unsigned i = 0; i < a->n_targets; i++) {
        if (a->targets[i].hash != alias)
            continue;
        struct scene_owners at;
        uint32_t first_s;
        int rc = kin_pointers(w->scene, &a->targets[i], KIN_FEW, &at, w->why);
        bool many = rc == E_OK && at.count > KIN_FEW;
        if (rc == E_OK)
            rc = scene_first(w->scene, a->targets[i].value, true, &first_s, w->why);
        if (rc == E_OK)
            *ret = many || kin_old(w->scene, first_s);
        return rc;
    }
    *ret = true; /* beyond what the portrait keeps: rather a tenant than evidence */
    return E_OK;
}

/* How many registered domains have the label, as far as it matters. */
static int users_of(struct work *w, const struct pair *p, unsigned *ret)
{
    struct scene_owners known;
    *ret = p->users;
    if (p->stem)
        return E_OK;
    int rc = scene_label(w->scene, label_at(w, p->a, p->label_a)->text, &known, w->why);
    if (rc == E_OK && known.count > *ret)
        *ret = known.count;
    return rc;
}

static int label_nats(struct work *w, const struct pair *p, double *ret)
{
    const struct portrait_label *x = label_at(w, p->a, p->label_a), *y = label_at(w, p->b, p->label_b);
    unsigned users;
    bool tenant;
    *ret = 0;
    int rc = tenants(w, p, &tenant);
    if (rc != E_OK || tenant)
        return rc;
    if ((rc = users_of(w, p, &users)) != E_OK || users >= LABEL_COMMON)
        return rc;
    int fresh = is_new(w, x->first_s) + is_new(w, y->first_s);
    double nats = log((double)LABEL_COMMON / users) * label_weight(x->text, strlen(x->text));
    nats *= credit(w->panel->portraits[p->a], x) * credit(w->panel->portraits[p->b], y);
    nats *= fresh == 2 ? 1 : fresh == 1 ? ONE_NEW : NONE_NEW;
    *ret = p->stem ? nats * STEM_WEIGHT : nats;
    return E_OK;
}

/* Labels add up; stems count where no label is equal, the best of them. */
static int pair_nats(struct work *w, struct match *m)
{
    const struct pair *pairs = &w->pairs[m->first];
    const struct portrait *a = w->panel->portraits[pairs[0].a], *b = w->panel->portraits[pairs[0].b];
    bool related;
    m->nats = 0;
    if (m->n > SEARCH_PATH && !a->exists && !b->exists)
        return E_OK;
    for (size_t i = 0; i < m->n && (!pairs[i].stem || m->nats <= 0); i++) {
        double nats;
        int rc = label_nats(w, &pairs[i], &nats);
        if (rc != E_OK)
            return rc;
        m->nats += nats;
    }
    if (m->nats < FINDING_MIN)
        return E_OK;
    int rc = kin_related(w->scene, a, b, &related, w->why);
    if (rc == E_OK && related)
        m->nats = 0;
    return rc;
}

/* ---- telling ---- */

static int compare_matches(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    if (x->nats != y->nats)
        return x->nats > y->nats ? -1 : 1;
    return (x->peer > y->peer) - (x->peer < y->peer);
}

static void tell_labels(const struct work *w, const struct match *m, struct facts *f)
{
    facts_open(f, "labels", FACTS_LIST);
    for (size_t i = m->first; i < m->first + m->n && i < m->first + SHARED_TOLD; i++) {
        const struct pair *p = &w->pairs[i];
        const struct portrait_label *x = label_at(w, p->a, p->label_a), *y = label_at(w, p->b, p->label_b);
        facts_open(f, NULL, FACTS_OBJECT);
        facts_text(f, "label", x->text, strlen(x->text));
        facts_text(f, "theirs", y->text, strlen(y->text));
        facts_count(f, "candidates_with_it", p->users);
        facts_count(f, "first_s", x->first_s);
        facts_count(f, "theirs_first_s", y->first_s);
        facts_close(f);
    }
    facts_close(f);
}

static void tell(struct work *w, const struct match *matches, size_t n)
{
    struct slice peers[FINDING_PEERS];
    struct facts f;
    char summary[FINDING_SUMMARY];
    const struct match *best = &matches[0];
    const struct pair *p = &w->pairs[best->first];
    const struct portrait_label *x = label_at(w, p->a, p->label_a), *y = label_at(w, p->b, p->label_b);
    size_t alike = 0, equal = 0;
    while (equal < best->n && !w->pairs[best->first + equal].stem)
        equal++;
    while (alike < n && matches[alike].nats >= best->nats / 2)
        alike++;
    facts_begin(&f);
    facts_number(&f, "best_pair_nats", best->nats);
    facts_count(&f, "peers", alike);
    facts_flag(&f, "pairs_cut", w->cut);
    tell_labels(w, best, &f);
    facts_open(&f, "domains", FACTS_LIST);
    for (size_t i = 0; i < alike && i < FINDING_PEERS; i++) {
        const struct portrait *peer = w->panel->portraits[matches[i].peer];
        peers[i] = peer->owner;
        facts_text(&f, NULL, peer->name, strlen(peer->name));
    }
    facts_close(&f);
    int len = p->stem ? snprintf(summary, sizeof summary, "its host label %.63s is much like %.63s", x->text, y->text)
                      : snprintf(summary, sizeof summary, "has %zu uncommon host label%s, %.63s among them, in common with", equal,
                                 equal == 1 ? "" : "s", x->text);
    snprintf(summary + len, sizeof summary - (size_t)len, "%s %.80s and %zu further names of other owners", p->stem ? " of" : "",
             w->panel->portraits[best->peer]->name, alike - 1);
    findings_add(w->to, &(struct finding){
        .owner = w->panel->portraits[p->a]->owner,
        .strength = best->nats + MORE_PEERS * log((double)alike),
        .summary = summary,
        .facts = facts_end(&f),
        .peers = peers,
        .n_peers = (unsigned)(alike < FINDING_PEERS ? alike : FINDING_PEERS),
    });
}

/* The pairs of one name, [from, end): its matches, best first. */
static int judge(struct work *w, size_t from, size_t end, struct match *matches)
{
    size_t n = 0;
    for (size_t i = from, next; i < end; i = next) {
        for (next = i + 1; next < end && w->pairs[next].b == w->pairs[i].b; next++)
            ;
        matches[n] = (struct match){ .peer = w->pairs[i].b, .first = i, .n = next - i };
        int rc = pair_nats(w, &matches[n]);
        if (rc != E_OK)
            return rc;
        n += matches[n].nats >= FINDING_MIN;
    }
    if (n == 0)
        return E_OK;
    qsort(matches, n, sizeof *matches, compare_matches);
    tell(w, matches, n);
    return E_OK;
}

static int judge_all(struct work *w)
{
    struct match *matches = reallocarray(NULL, w->n_pairs + 1, sizeof *matches);
    int rc = matches == NULL ? fault_set(w->why, E_NOMEM, "labels: no memory for matches") : E_OK;
    for (size_t i = 0, end; rc == E_OK && i < w->n_pairs; i = end) {
        end = i + 1;
        while (end < w->n_pairs && w->pairs[end].a == w->pairs[i].a)
            end++;
        rc = judge(w, i, end, matches);
    }
    free(matches);
    return rc;
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct work w = { .panel = panel, .scene = scene, .to = to, .why = why };
    int rc = index_labels(&w);
    if (rc == E_OK)
        rc = make_pairs(&w);
    if (rc == E_OK)
        rc = judge_all(&w);
    free(w.pairs);
    free(w.entries);
    return rc;
}

const struct detector detector_labels = {
    .name = "labels",
    .group = GROUP_LABELS,
    .about = "the same uncommon host labels under otherwise unrelated registered domains",
    .compare = compare,
};
