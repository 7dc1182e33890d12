/* imitation: which names of a panel imitate a brand or a name that is used here (look-alike/note.md). Any thread. */
#ifndef DNSMON_DETECT_LOOK_ALIKE_IMITATION_H
#define DNSMON_DETECT_LOOK_ALIKE_IMITATION_H

#include "detect/detector.h"
#include "detect/look-alike/look.h"

struct imitation {
    struct look_match match; /* its brand's word and domains live as long as the scene's network */
    double young;  /* 0 to 1: youth */
    double nats;   /* of the match, times youth; 0 = it imitates nothing, or is the owner's */
};

/* One a portrait, in the panel's order; the caller frees it. About 2 us a name. E_NOMEM, and errors of the store. */
int imitations_find(const struct panel *panel, struct scene *scene, struct imitation **ret, struct fault *why) MUST_CHECK;

#endif
