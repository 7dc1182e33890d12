/* triggers: sorted lists of triggers, each with an action of a zone. For what is few; the many are in zones.
 *
 * Value type: {0} .. triggers_release. One thread. */
#ifndef DNSMON_PROTECT_TRIGGERS_H
#define DNSMON_PROTECT_TRIGGERS_H

#include "knowledge/publication.h"

struct triggers_item {
    char *name;
    enum trigger trigger;
    int action; /* the user's */
};

struct triggers {
    struct triggers_item *all; /* by name and trigger */
    size_t n, room;
};

void triggers_release(struct triggers *t);

/* NULL when it is not there; valid until the list changes. */
struct triggers_item *triggers_find(const struct triggers *t, enum trigger trigger, const char *name);

/* Adds it, or gives the one there is this action. Copies the name. */
int triggers_put(struct triggers *t, enum trigger trigger, const char *name, int action, struct fault *why) MUST_CHECK;
void triggers_drop(struct triggers *t, size_t i);

/* Replaces what `t` had by what operators allow at a moment of the wall clock: hosts and domains. */
int triggers_load_allowed(struct triggers *t, struct knowledge *k, int64_t at, struct fault *why) MUST_CHECK;

#endif
