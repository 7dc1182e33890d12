/* kin: whether two names have one owner, as far as names and infrastructure say it.
 *
 * Two domains are kin when their registered words share the main part, or when both lead to one target (address, name server,
 * CNAME) that few point at and that one of old standing had long before them. A target of many is a provider's, one of
 * new names only may be what makes them harmful: neither proves an owner. One look-up of the scene per shared
 * target. Any thread. */
#ifndef DNSMON_DETECT_KIN_H
#define DNSMON_DETECT_KIN_H

#include "detect/portrait.h"
#include "detect/scene.h"

enum {
    KIN_FEW = 10,           /* registered domains at a target that still may be one owner's */
    KIN_OLD_S = 30 * 86400, /* before the step */
    KIN_BEGAN_S = 86400,    /* of a database: what came in its first day was there before it */
};

int kin_related(struct scene *scene, const struct portrait *a, const struct portrait *b, bool *ret, struct fault *why) MUST_CHECK;

/* By what is registered alone. */
bool kin_alike(const struct suffix_list *suffixes, struct slice a, struct slice b);

/* Who points at a portrait's target: of a domain as CNAME or MX the kind that more do. Of a target that more than `most` point at, that
 * it is so (scene_pointers_up_to): those of hosters have hundreds. */
int kin_pointers(struct scene *scene, const struct portrait_target *target, unsigned most, struct scene_owners *ret,
                 struct fault *why) MUST_CHECK;

/* Known for so many seconds at the scene's step, or since the database's first day, of which it is old. */
bool kin_since(const struct scene *scene, uint32_t first_s, int64_t span_s);
/* ... for KIN_OLD_S. */
bool kin_old(const struct scene *scene, uint32_t first_s);

#endif
