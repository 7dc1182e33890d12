#include "detect/look-alike/imitation.h"

#include <stdlib.h>

#include "detect/kin.h"
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
        enum brand_kind kind = p->broad_days >= YOUTH_BROAD_DAYS ? BRAND_POPULAR : BRAND_KNOWN;
        if (word.len > 0 && !brand_find((const char *)word.ptr, word.len, &listed))
            ret->brands[ret->n++] = (struct brand){ (const char *)word.ptr, word.len, kind, p->name };
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

static int judge(const struct portrait *p, const struct look_index *index, struct scene *scene, struct imitation *ret, struct fault *why)
{
    struct slice word = parts_word(scene_suffixes(scene), p->owner);
    struct look_match m;
    bool exempt;
    double young = youth(scene, p->first_s, &p->profile);
    if (young <= 0 || !look_at(index, (const char *)word.ptr, word.len, &m) || m.nats * young < FINDING_MIN)
        return E_OK;
    int rc = of_brand(scene, p, &m.brand, &exempt, why);
    if (rc == E_OK && !exempt)
        *ret = (struct imitation){ m, young, m.nats * young };
    return rc;
}

int imitations_find(const struct panel *panel, struct scene *scene, struct imitation **ret, struct fault *why)
{
    struct popular_brands popular;
    struct look_index *index = NULL;
    struct imitation *all = calloc(panel->n + 1, sizeof *all);
    if (all == NULL)
        return fault_set(why, E_NOMEM, "no memory for imitations among %zu names", panel->n);
    int rc = popular_brands(scene, &popular, why);
    if (rc == E_OK)
        rc = look_index_create(&index, popular.brands, popular.n, why);
    for (size_t i = 0; rc == E_OK && i < panel->n; i++)
        rc = judge(panel->portraits[i], index, scene, &all[i], why);
    look_index_destroy(&index);
    free(popular.brands);
    if (rc != E_OK)
        free(all);
    else
        *ret = all;
    return rc;
}
