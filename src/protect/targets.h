/* targets: what is published of infrastructure (infrastructure.h), and that it stays true (docs/design/protection.md, Infrastructure).
 *
 *     found, and it was not          -> shadow or published; review when something objects, as of names
 *     published, and not found       -> out, at once and whoever approved it: somebody else is at it, or those are gone who were
 *     the policy wants none          -> out
 *     an operator withdrew it        -> out; found again -> review until an operator approves it
 *     somebody else published it     -> left alone
 *
 * What it put has the one category "infrastructure". It is told from other publications by that, and from what operators did by the journal.
 *
 * The store is read before anything is written: analysis is not kept waiting. When publications changed meanwhile, nothing is done
 * (targets_result.stale), since what was found may be so no more. Otherwise one transaction, with a version of what changed. Running it again
 * changes nothing.
 *
 * Cost: the search (infrastructure.h), then 15 us for each that is published or found in that transaction. Functions; the caller's thread. */
#ifndef DNSMON_PROTECT_TARGETS_H
#define DNSMON_PROTECT_TARGETS_H

#include "protect/infrastructure.h"
#include "protect/lifecycle.h"

enum targets_look {
    TARGETS_KNOWN, /* whether what is published still holds */
    TARGETS_ALL,   /* what else there is, too */
};

/* All borrowed. */
struct targets_options {
    const struct lifecycle_options *life; /* confirmed_by: no jump holds anything */
    const struct suffix_list *suffixes;
    struct store *store; /* NULL: none can be read; then only a policy that wants nothing is followed */
    enum targets_look look;
    const atomic_bool *stop; /* ends the search, and is stale, once it is true; NULL = nobody does */
};

struct targets_result {
    uint64_t published, shadowed, reviewed, out; /* that came to these stages */
    uint64_t kept;                               /* that are not out */
    uint64_t skipped;                            /* not looked at: too many */
    int64_t version;                             /* serial of the one that was made; 0 = none was */
    bool stale;                                  /* nothing was done; to be run again */
};

int targets_keep(struct knowledge *k, const struct targets_options *o, struct targets_result *ret, struct fault *why) MUST_CHECK;

/* An operator's word that it is out. Audited; public with the next version. E_ABSENT: it is not published, and does not wait to be. */
int targets_withdraw(struct knowledge *k, const char *name, enum trigger trigger, int64_t at, const char *author, const char *reason,
                     struct fault *why) MUST_CHECK;

#endif
