/* lure-place: new names at one new address where other names imitate somebody.
 *
 * The addresses of imitations (look-alike/imitation.h) are sorted; every young portrait's addresses are looked up in them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/look-alike/imitation.h"
#include "detect/parts.h"
#include "detect/youth.h"

enum { PLACE_MAX = 50 }; /* names at an address; with more it is a provider's */

static const double told = 2;   /* nats from which an imitation counts */
static const double one = 1.5;  /* nats for one other imitation there */
static const double twice = 3; /* for each doubling of them */
static const double most = 8;
static const double mixed_most = 4.5; /* where most of the names imitate nobody: a hoster's machine, with neighbours of all sorts */

struct place {
    uint64_t hash;
    uint32_t portrait; /* of the imitation */
};

struct places {
    struct place *at;
    size_t n;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->portrait > y->portrait) - (x->portrait < y->portrait);
}

static bool is_place(const struct portrait_target *t)
{
    return t->kind == TARGET_ADDRESS && parts_network(t->value) != 0;
}

static int index_places(const struct panel *panel, const struct imitation *all, struct places *ret, struct fault *why)
{
    size_t room = 1;
    for (size_t i = 0; i < panel->n; i++)
        room += all[i].nats >= told ? panel->portraits[i]->n_targets : 0;
    *ret = (struct places){ reallocarray(NULL, room, sizeof *ret->at), 0 };
    if (ret->at == NULL)
        return fault_set(why, E_NOMEM, "lure-place: no memory for %zu addresses", room);
    for (size_t i = 0; i < panel->n; i++)
        for (unsigned k = 0; all[i].nats >= told && k < panel->portraits[i]->n_targets; k++)
            if (is_place(&panel->portraits[i]->targets[k]))
                ret->at[ret->n++] = (struct place){ panel->portraits[i]->targets[k].hash, (uint32_t)i };
    qsort(ret->at, ret->n, sizeof *ret->at, compare_places);
    return E_OK;
}

static const struct place *places_find(const struct places *p, uint64_t hash)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->at[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->n && p->at[low].hash == hash ? &p->at[low] : NULL;
}

/* Other imitations at a place; at most FINDING_PEERS are named. */
struct company {
    struct slice peers[FINDING_PEERS];
    unsigned n_peers, n;
    bool most; /* of the names there, the one looked at apart, are such */
    const struct portrait_target *target;
};

static void count_company(const struct places *places, const struct place *first, const struct panel *panel, const struct portrait *p,
                          struct company *ret)
{
    for (const struct place *at = first; at < places->at + places->n && at->hash == first->hash; at++) {
        const struct portrait *other = panel->portraits[at->portrait];
        if (other == p)
            continue;
        if (ret->n_peers < FINDING_PEERS)
            ret->peers[ret->n_peers++] = other->owner;
        ret->n++;
    }
}

/* New to the network, and no provider's. */
static int is_new_place(struct scene *scene, struct company *c, bool *ret, struct fault *why)
{
    struct scene_owners at;
    int rc = kin_pointers(scene, c->target, SCENE_OWNERS, &at, why);
    *ret = rc == E_OK && at.count <= PLACE_MAX && (at.n == 0 || !kin_old(scene, at.owners[0].first_s));
    c->most = rc == E_OK && 2 * c->n + 1 > at.count;
    return rc;
}

static int find_company(const struct panel *panel, const struct portrait *p, const struct places *places, struct scene *scene,
                        struct company *ret, struct fault *why)
{
    *ret = (struct company){ .n = 0 };
    for (unsigned k = 0; k < p->n_targets; k++) {
        const struct portrait_target *t = &p->targets[k];
        const struct place *first = is_place(t) ? places_find(places, t->hash) : NULL;
        struct company c = { .target = t };
        bool new_place = false;
        if (first == NULL)
            continue;
        count_company(places, first, panel, p, &c);
        int rc = c.n > ret->n ? is_new_place(scene, &c, &new_place, why) : E_OK;
        if (rc != E_OK)
            return rc;
        if (new_place)
            *ret = c;
    }
    return E_OK;
}

static void tell(const struct portrait *p, const struct company *c, struct findings *to)
{
    struct facts f;
    char summary[FINDING_SUMMARY], text[NAME_TEXT_MAX], first[NAME_TEXT_MAX];
    parts_text(c->peers[0], first);
    snprintf(summary, sizeof summary, "new, and at a new address where %u other new name%s imitate%s somebody, such as %.100s", c->n,
             c->n == 1 ? "" : "s", c->n == 1 ? "s" : "", first);
    facts_begin(&f);
    facts_count(&f, "imitations", c->n);
    facts_flag(&f, "most_names_there", c->most);
    facts_open(&f, "peers", FACTS_LIST);
    for (unsigned i = 0; i < c->n_peers; i++) {
        parts_text(c->peers[i], text);
        facts_text(&f, NULL, text, strlen(text));
    }
    facts_close(&f);
    findings_add(to, &(struct finding){ .owner = p->owner, .strength = fmin(c->most ? most : mixed_most, one + twice * log2(c->n)), .summary = summary,
                                        .facts = facts_end(&f), .peers = c->peers, .n_peers = c->n_peers });
}

static int judge_all(const struct panel *panel, const struct places *places, struct scene *scene, struct findings *to, struct fault *why)
{
    for (size_t i = 0; i < panel->n; i++) {
        const struct portrait *p = panel->portraits[i];
        struct company c;
        if (places->n == 0 || !youth_is_news(scene, p->first_s, &p->profile))
            continue;
        int rc = find_company(panel, p, places, scene, &c, why);
        if (rc != E_OK)
            return rc;
        if (c.n > 0)
            tell(p, &c, to);
    }
    return E_OK;
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct imitation *all;
    struct places places;
    int rc = imitations_find(panel, scene, &all, why);
    if (rc != E_OK)
        return rc;
    rc = index_places(panel, all, &places, why);
    if (rc == E_OK)
        rc = judge_all(panel, &places, scene, to, why);
    free(places.at);
    free(all);
    return rc;
}

const struct detector detector_lure_place = {
    .name = "lure-place",
    .group = GROUP_INFRASTRUCTURE,
    .about = "new names at one new address, where other names imitate somebody",
    .compare = compare,
};
