#include "detect/kin.h"

#include "detect/parts.h"

bool kin_since(const struct scene *scene, uint32_t first_s, int64_t span_s)
{
    int64_t end_s = step_end_s(scene_step(scene)), began_s = (int64_t)scene_network(scene)->first * STEP_S + KIN_BEGAN_S;
    return first_s != 0 && (first_s + span_s < end_s || (first_s < began_s && began_s < end_s));
}

bool kin_old(const struct scene *scene, uint32_t first_s)
{
    return kin_since(scene, first_s, KIN_OLD_S);
}

bool kin_alike(const struct suffix_list *suffixes, struct slice a, struct slice b)
{
    return parts_same_brand(parts_word(suffixes, a), parts_word(suffixes, b));
}

int kin_pointers(struct scene *scene, const struct portrait_target *target, unsigned most, struct scene_owners *ret,
                 struct fault *why)
{
    if (target->kind == TARGET_ADDRESS)
        return scene_pointers_up_to(scene, target->value.len == 4 ? TYPE_A : TYPE_AAAA, target->value, most, ret, why);
    if (target->kind == TARGET_NS)
        return scene_pointers_below_up_to(scene, TYPE_NS, target->value, most, ret, why);
    struct scene_owners mail;
    int rc = scene_pointers_below_up_to(scene, TYPE_MX, target->value, most, &mail, why);
    if (rc == E_OK)
        rc = scene_pointers_below_up_to(scene, TYPE_CNAME, target->value, most, ret, why);
    if (rc == E_OK && mail.count > ret->count)
        *ret = mail;
    return rc;
}

static int established_few(struct scene *scene, const struct portrait_target *target, bool *ret, struct fault *why)
{
    struct scene_owners at;
    int rc = kin_pointers(scene, target, KIN_FEW, &at, why);
    if (rc != E_OK)
        return rc;
    *ret = at.count <= KIN_FEW && at.n > 0 && kin_old(scene, at.owners[0].first_s);
    return E_OK;
}

static bool is_target(const struct scene *scene, const struct portrait *from, const struct portrait *to)
{
    for (unsigned i = 0; i < from->n_targets; i++)
        if (from->targets[i].kind != TARGET_ADDRESS && slice_compare(from->targets[i].value, to->owner) == 0)
            return kin_old(scene, to->first_s);
    return false;
}

int kin_related(struct scene *scene, const struct portrait *a, const struct portrait *b, bool *ret, struct fault *why)
{
    *ret = kin_alike(scene_suffixes(scene), a->owner, b->owner) || is_target(scene, a, b) || is_target(scene, b, a);
    for (unsigned i = 0; !*ret && i < a->n_targets; i++)
        for (unsigned j = 0; !*ret && j < b->n_targets; j++) {
            if (a->targets[i].hash != b->targets[j].hash)
                continue;
            int rc = established_few(scene, &a->targets[i], ret, why);
            if (rc != E_OK)
                return rc;
        }
    return E_OK;
}
