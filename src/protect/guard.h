/* guard: names that must not be blocked, whatever was found out about them (docs/design/protection.md, Guards).
 *
 * What the operator allows is not here, but in the knowledge file. A trigger covers a name when blocking the one breaks the
 * other: a domain all that is at or below it, a host itself.
 *
 * Cost: 8 bytes a name of the top list and of each domain above it; a look-up takes some steps of a binary search. Handle; const after
 * guard_create and guard_add_needed, then any thread.
 */
#ifndef DNSMON_PROTECT_GUARD_H
#define DNSMON_PROTECT_GUARD_H

#include "dns/suffix.h"
#include "protect/protection.h"

struct guard;

enum guard_answer {
    GUARD_FREE,
    GUARD_ASKS,  /* not by itself: a person may */
    GUARD_NEVER, /* not at all */
};

enum { GUARD_REASON_MAX = 320 };

/* The suffixes are borrowed. The policy's top list is read; the gardens and views that it names are needed, and the addresses
 * of gardens, of the server and of its secondaries. E_MALFORMED: no line of the list is a
 * name. */
int guard_create(struct guard **ret, const struct suffix_list *suffixes, const struct protection *policy, struct fault *why) MUST_CHECK;
void guard_destroy(struct guard **guard);

/* A name that DNS or the network needs, and all below it. In the form of knowledge.h. */
int guard_add_needed(struct guard *guard, const char *name, struct fault *why) MUST_CHECK;

/* `why` gets one readable phrase unless it is free. */
enum guard_answer guard_check(const struct guard *guard, enum trigger trigger, const char *name, char why[GUARD_REASON_MAX]);

/* Of all it knows. */
uint64_t guard_digest(const struct guard *guard);

#endif
