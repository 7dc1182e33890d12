/* youth: how much a name is news. Any thread. */
#ifndef DNSMON_DETECT_YOUTH_H
#define DNSMON_DETECT_YOUTH_H

#include "detect/scene.h"

enum {
    YOUTH_FRESH_DAYS = 7,    /* wholly, up to this age */
    YOUTH_FADED_DAYS = 60,   /* not at all, from this age on */
    YOUTH_LEARNING_DAYS = 1, /* of a database: what came then may be older */
    YOUTH_BROAD_DAYS = 7,    /* days on which it was broad (profile.h): too well known */
};

/* 1 for a name first seen within the fresh days before the scene's step, falling to 0; half of that when it was there as the database
 * began; 0 when it is broad. */
double youth(const struct scene *scene, uint32_t first_s, const struct profile *p);

/* More than half of that: it came after the database's first day, and less than five weeks ago. */
bool youth_is_news(const struct scene *scene, uint32_t first_s, const struct profile *p);

#endif
