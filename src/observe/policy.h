/* policy: what we block ourselves, so that our own answers are not taken for the world's.
 *
 * A resolver that enforces a policy says of a blocked name that it does not exist, or has no data, or gives
 * the address of a walled garden (draft-vixie-dnsop-dns-rpz-00, section 3, has the kinds of answers). Such a response, at the client
 * side, to a question for a name of this set leaves no record: the question counts, its outcome is
 * ACTIVITY_POLICY (observe/sight.h).
 *
 * Filled, then sealed, then asked: after policy_seal it does not change, and any thread may ask. Two sorted lists, so
 * a question costs two binary searches. At most POLICY_NAMES_MAX names, each copied; handle type.
 */
#ifndef DNSMON_OBSERVE_POLICY_H
#define DNSMON_OBSERVE_POLICY_H

#include "base/bytes.h"
#include "base/fault.h"

enum { POLICY_NAMES_MAX = 1 << 24, POLICY_ADDRESSES_MAX = 256 };

enum policy_scope {
    POLICY_HOST,    /* the name alone */
    POLICY_SUBTREE, /* the name and all below it */
};

struct policy;

int policy_create(struct policy **ret) MUST_CHECK;
void policy_destroy(struct policy **policy);

/* Before policy_seal. `owner` is a whole owner key; `address` is IPv6, or IPv4 mapped. E_LIMIT beyond the maximum, E_USAGE
 * for the root's subtree, which would be everything. What is said twice counts once. */
int policy_add_name(struct policy *policy, struct slice owner, enum policy_scope scope) MUST_CHECK;
int policy_add_address(struct policy *policy, const uint8_t address[16]) MUST_CHECK;
int policy_seal(struct policy *policy) MUST_CHECK;

bool policy_has_name(const struct policy *policy, struct slice owner);

/* Of an A or AAAA record's rdata: an address of the walled garden? */
bool policy_has_address(const struct policy *policy, struct slice rdata);

/* How many names it has that no other one covers; all when it is not sealed. */
size_t policy_names(const struct policy *policy);

#endif
