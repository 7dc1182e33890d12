/* excepted: what operators allow below a domain that is published, as sorted lists. A view shows it as PASSTHRU beside the domain's own rule.
 *
 * Value type: {0} .. excepted_release; one thread. Lists are as long as operators have patience. */
#ifndef DNSMON_PROTECT_EXCEPTED_H
#define DNSMON_PROTECT_EXCEPTED_H

#include "knowledge/publication.h"

struct excepted_name {
    char *name;
    enum trigger trigger; /* TRIGGER_HOST or TRIGGER_DOMAIN */
};

struct excepted {
    struct excepted_name *all; /* by name and trigger */
    size_t n, room;
};

void excepted_release(struct excepted *e);

/* What is allowed at a moment of the wall clock; replaces what `ret` had. */
int excepted_load(struct excepted *ret, struct knowledge *k, int64_t at, struct fault *why) MUST_CHECK;

bool excepted_has(const struct excepted *e, const struct excepted_name *name);
int excepted_add(struct excepted *e, const struct excepted_name *name, struct fault *why) MUST_CHECK; /* copies it; keeps the order */
void excepted_drop(struct excepted *e, size_t i);

#endif
