/* first: when a name was first seen, by the name table, which never forgets. */
#ifndef DNSMON_DETECT_FIRST_H
#define DNSMON_DETECT_FIRST_H

#include "store/store.h"

/* Of a host, or of a registered domain at or below it; `owner` is an owner key. `before_s` when it was not seen before that: tables that
 * begin later are not looked at, so whoever knows an earliest time already asks cheaply. UINT64_MAX: of all. */
int first_seen(struct store *store, struct slice owner, bool domain, uint64_t before_s, uint64_t *ret_s,
               struct fault *why) MUST_CHECK;

#endif
