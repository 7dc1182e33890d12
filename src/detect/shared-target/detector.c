/* shared-target: several new names of different owners at one new address, name server or alias that serves few others.
 *
 * An inverted index target -> portraits; groups of 2 to GROUP_MAX. n log n in targets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/parts.h"
#include "detect/youth.h"

enum {
    GROUP_MAX = 50,
    OTHERS = 2, /* names at the target beside the group, or as many as the group has */
    LEARNING_S = YOUTH_LEARNING_DAYS * 86400,
};

struct entry {
    uint64_t hash;
    uint32_t portrait;
    uint16_t target;
};

struct best { /* of a portrait */
    double nats;
    size_t group; /* index of its first entry */
};

struct target_group {
    const struct portrait_target *target;
    size_t first, n; /* its entries */
    size_t owners;
};

struct work {
    const struct panel *panel;
    struct scene *scene;
    struct fault *why;
    struct entry *entries;
    size_t n;
    struct target_group *groups; /* those with names of several owners */
    size_t n_groups;
    struct best *best;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->portrait > y->portrait) - (x->portrait < y->portrait);
}

static const struct portrait_target *target_at(const struct work *w, const struct entry *e)
{
    return &w->panel->portraits[e->portrait]->targets[e->target];
}

static bool usable(const struct portrait_target *t)
{
    return t->kind != TARGET_ADDRESS || parts_network(t->value) != 0;
}

static bool is_new(const struct work *w, uint32_t first_s)
{
    int64_t learnt = (int64_t)scene_network(w->scene)->first * STEP_S + LEARNING_S;
    return first_s >= learnt && !kin_old(w->scene, first_s);
}

static int index_targets(struct work *w)
{
    size_t room = 1;
    for (size_t i = 0; i < w->panel->n; i++)
        room += w->panel->portraits[i]->n_targets;
    w->entries = reallocarray(NULL, room, sizeof *w->entries);
    w->best = calloc(w->panel->n + 1, sizeof *w->best);
    if (w->entries == NULL || w->best == NULL)
        return fault_set(w->why, E_NOMEM, "shared-target: no memory for %zu targets", room);
    for (size_t i = 0; i < w->panel->n; i++) {
        const struct portrait *p = w->panel->portraits[i];
        bool news = is_new(w, p->first_s) && p->profile.broad_days < YOUTH_BROAD_DAYS;
        for (uint16_t k = 0; news && k < p->n_targets; k++)
            if (usable(&p->targets[k]))
                w->entries[w->n++] = (struct entry){ p->targets[k].hash, (uint32_t)i, k };
    }
    qsort(w->entries, w->n, sizeof *w->entries, compare_entries);
    return E_OK;
}

static size_t run_length(const struct work *w, size_t from)
{
    size_t n = 1;
    while (from + n < w->n && w->entries[from + n].hash == w->entries[from].hash)
        n++;
    return n;
}

/* How many owners there are, by names: each stands for those alike. */
static size_t owners_of(const struct work *w, const struct entry *e, size_t n)
{
    struct slice kept[GROUP_MAX];
    size_t owners = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice word = parts_word(scene_suffixes(w->scene), w->panel->portraits[e[i].portrait]->owner);
        size_t k = 0;
        while (k < owners && !parts_same_brand(kept[k], word))
            k++;
        if (k == owners)
            kept[owners++] = word;
    }
    return owners;
}

/* New to the network, and with few names but these. */
static int is_their_own(struct work *w, const struct portrait_target *t, size_t n, size_t owners, bool *ret)
{
    struct scene_owners at;
    uint32_t first_s = 0;
    unsigned few = (unsigned)(owners > OTHERS ? owners : OTHERS);
    int rc = kin_pointers(w->scene, t, (unsigned)n + few, &at, w->why);
    *ret = false;
    if (rc == E_OK && t->kind != TARGET_ADDRESS)
        rc = scene_first(w->scene, t->value, true, &first_s, w->why);
    if (rc != E_OK)
        return rc;
    size_t others = at.count > n ? at.count - n : 0;
    bool new_itself = t->kind == TARGET_ADDRESS || first_s == 0 || is_new(w, first_s);
    *ret = new_itself && (at.n == 0 || is_new(w, at.owners[0].first_s)) && others <= few;
    return E_OK;
}

static double nats_of(uint8_t kind, size_t owners)
{
    static const double by_kind[] = { [TARGET_ADDRESS] = 1, [TARGET_NS] = 0.8, [TARGET_NAME] = 0.6 };
    return by_kind[kind] * (0.1 + log((double)owners));
}

static int compare_groups(const void *a, const void *b)
{
    const struct target_group *x = a, *y = b;
    return x->target->kind != y->target->kind ? (x->target->kind > y->target->kind) - (x->target->kind < y->target->kind)
                                              : slice_compare(x->target->value, y->target->value);
}

/* In the order in which the store has targets: so what is asked next is near. */
static int find_groups(struct work *w)
{
    size_t room = 0;
    for (size_t i = 0, n; i < w->n; i += n) {
        n = run_length(w, i);
        size_t owners = n < 2 || n > GROUP_MAX ? 0 : owners_of(w, &w->entries[i], n);
        if (owners < 2)
            continue;
        if (w->n_groups == room) {
            struct target_group *more = reallocarray(w->groups, room = room ? 2 * room : 256, sizeof *more);
            if (more == NULL)
                return fault_set(w->why, E_NOMEM, "shared-target: no memory for %zu groups", room);
            w->groups = more;
        }
        w->groups[w->n_groups++] = (struct target_group){ target_at(w, &w->entries[i]), i, n, owners };
    }
    if (w->n_groups)
        qsort(w->groups, w->n_groups, sizeof *w->groups, compare_groups);
    return E_OK;
}

/* Of equal ones the first group's. */
static void take_best(struct best *best, double nats, size_t group)
{
    if (nats > best->nats || (nats > 0 && nats >= best->nats && group < best->group))
        *best = (struct best){ nats, group };
}

static int judge_groups(struct work *w)
{
    for (size_t i = 0; i < w->n_groups; i++) {
        const struct target_group *g = &w->groups[i];
        bool theirs;
        int rc = is_their_own(w, g->target, g->n, g->owners, &theirs);
        if (rc != E_OK)
            return rc;
        for (size_t k = g->first; theirs && k < g->first + g->n; k++)
            take_best(&w->best[w->entries[k].portrait], nats_of(g->target->kind, g->owners), g->first);
    }
    return E_OK;
}

static void target_text(const struct portrait_target *t, char text[NAME_TEXT_MAX])
{
    if (t->kind != TARGET_ADDRESS)
        parts_text(t->value, text);
    else if (t->value.len == 4)
        snprintf(text, NAME_TEXT_MAX, "%u.%u.%u.%u", t->value.ptr[0], t->value.ptr[1], t->value.ptr[2], t->value.ptr[3]);
    else
        snprintf(text, NAME_TEXT_MAX, "%x:%x:%x:%x::/64", get_be16(t->value.ptr), get_be16(t->value.ptr + 2), get_be16(t->value.ptr + 4),
                 get_be16(t->value.ptr + 6));
}

static void tell(const struct work *w, size_t portrait, struct findings *to)
{
    static const char *const kinds[] = { [TARGET_ADDRESS] = "address", [TARGET_NS] = "name servers of", [TARGET_NAME] = "alias of" };
    const struct portrait *p = w->panel->portraits[portrait];
    const struct entry *group = &w->entries[w->best[portrait].group];
    const struct portrait_target *t = target_at(w, group);
    size_t n = run_length(w, w->best[portrait].group);
    struct slice peers[FINDING_PEERS];
    unsigned n_peers = 0;
    struct facts f;
    char target[NAME_TEXT_MAX], summary[FINDING_SUMMARY];
    target_text(t, target);
    snprintf(summary, sizeof summary, "new, and at the new %s %.100s, as %zu other new name%s of other owners and few else", kinds[t->kind], target,
             n - 1, n == 2 ? "" : "s");
    facts_begin(&f);
    facts_text(&f, "target", target, strlen(target));
    facts_count(&f, "names", n);
    facts_open(&f, "peers", FACTS_LIST);
    for (size_t i = 0; i < n && n_peers < FINDING_PEERS; i++) {
        const struct portrait *peer = w->panel->portraits[group[i].portrait];
        if (peer == p)
            continue;
        peers[n_peers++] = peer->owner;
        facts_text(&f, NULL, peer->name, strlen(peer->name));
    }
    facts_close(&f);
    findings_add(to, &(struct finding){
        .owner = p->owner, .strength = w->best[portrait].nats, .summary = summary, .facts = facts_end(&f), .peers = peers, .n_peers = n_peers });
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct work w = { .panel = panel, .scene = scene, .why = why };
    int rc = index_targets(&w);
    if (rc == E_OK)
        rc = find_groups(&w);
    if (rc == E_OK)
        rc = judge_groups(&w);
    for (size_t i = 0; rc == E_OK && i < panel->n; i++)
        if (w.best[i].nats >= FINDING_MIN)
            tell(&w, i, to);
    free(w.entries);
    free(w.groups);
    free(w.best);
    return rc;
}

const struct detector detector_shared_target = {
    .name = "shared-target",
    .group = GROUP_INFRASTRUCTURE,
    .about = "several new names of different owners at one new address, name server or alias",
    .compare = compare,
};
