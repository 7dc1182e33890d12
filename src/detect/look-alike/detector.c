/* look-alike: young names that imitate a brand or a popular name. The ways and their weights: note.md. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/brand.h"
#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/look-alike/look.h"
#include "detect/parts.h"
#include "detect/youth.h"

struct popular_brands {
    struct brand *brands;
    size_t n;
};

/* Words that are brands of the list keep their place there. */
static int popular_brands(const struct scene *scene, struct popular_brands *ret, struct fault *why)
{
    const struct network *network = scene_network(scene);
    ret->n = 0;
    ret->brands = reallocarray(NULL, network->n_popular + 1, sizeof *ret->brands);
    if (ret->brands == NULL)
        return fault_set(why, E_NOMEM, "look-alike: no memory for popular names");
    for (size_t i = 0; i < network->n_popular; i++) {
        const struct scene_popular *p = &network->popular[i];
        struct slice word = parts_word(scene_suffixes(scene), p->owner);
        struct brand listed;
        if (p->broad_days >= YOUTH_BROAD_DAYS && word.len > 0 && !brand_find((const char *)word.ptr, word.len, &listed))
            ret->brands[ret->n++] = (struct brand){ (const char *)word.ptr, word.len, BRAND_POPULAR, p->name };
    }
    return E_OK;
}

static bool owned(const struct brand *b, struct slice domain)
{
    char text[NAME_TEXT_MAX];
    parts_text(domain, text);
    return brand_owns(b, text, strlen(text));
}

/* Served by the brand's own name servers, or standing at an address of its that few others have: bought by it so that nobody
 * else does. */
static int of_brand(struct scene *scene, const struct portrait *p, const struct brand *b, bool *ret, struct fault *why)
{
    *ret = owned(b, p->owner);
    for (unsigned i = 0; i < p->n_targets && !*ret; i++) {
        const struct portrait_target *t = &p->targets[i];
        struct scene_owners at;
        if (t->kind == TARGET_NAME)
            continue;
        *ret = t->kind == TARGET_NS && owned(b, t->value);
        int rc = kin_pointers(scene, t, SCENE_OWNERS, &at, why);
        if (rc != E_OK)
            return rc;
        for (unsigned k = 0; k < at.n && at.count <= SCENE_OWNERS && !*ret; k++)
            *ret = owned(b, at.owners[k].owner);
    }
    return E_OK;
}

static void tell(const struct portrait *p, const struct look_match *m, double young, struct findings *to)
{
    struct facts f;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "%.120s %s %.*s, and is none of its owner's", p->name, look_text(m->how), (int)m->brand.len, m->brand.word);
    facts_begin(&f);
    facts_text(&f, "brand", m->brand.word, m->brand.len);
    facts_flag(&f, "listed", m->brand.kind != BRAND_POPULAR);
    facts_text(&f, "how", look_text(m->how), strlen(look_text(m->how)));
    facts_number(&f, "nats_when_new", m->nats);
    facts_number(&f, "youth", young);
    facts_count(&f, "first_s", p->first_s);
    findings_add(to, &(struct finding){ .owner = p->owner, .strength = m->nats * young, .summary = summary, .facts = facts_end(&f) });
}

static int judge(const struct portrait *p, const struct look_index *index, struct scene *scene, struct findings *to, struct fault *why)
{
    struct slice word = parts_word(scene_suffixes(scene), p->owner);
    struct look_match m;
    bool exempt;
    double young = youth(scene, p->first_s, &p->profile);
    if (young <= 0 || !look_at(index, (const char *)word.ptr, word.len, &m) || m.nats * young < FINDING_MIN)
        return E_OK;
    int rc = of_brand(scene, p, &m.brand, &exempt, why);
    if (rc == E_OK && !exempt)
        tell(p, &m, young, to);
    return rc;
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct popular_brands popular;
    struct look_index *index = NULL;
    int rc = popular_brands(scene, &popular, why);
    if (rc != E_OK)
        return rc;
    rc = look_index_create(&index, popular.brands, popular.n, why);
    for (size_t i = 0; rc == E_OK && i < panel->n; i++)
        rc = judge(panel->portraits[i], index, scene, to, why);
    look_index_destroy(&index);
    free(popular.brands);
    return rc;
}

const struct detector detector_look_alike = {
    .name = "look-alike",
    .group = GROUP_LOOK_ALIKE,
    .about = "young names that imitate a brand or a popular name",
    .compare = compare,
};
