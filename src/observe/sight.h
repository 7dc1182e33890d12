/* sight: what one message says, as observations.
 *
 * Decides three things a record cannot say by itself:
 *
 * Vantage: told by the source, else by RD: a stub asks for recursion, a resolver does not.
 *
 * Bailiwick: upstream, the zone the answering server speaks for: the owner of the SOA, or of
 * the NS set with AA, in the authority section when it is at or above qname; in a referral
 * the parent of the NS owner; else the registered domain of qname. At the client side the
 * names that were asked for: qname, what its CNAME and DNAME records lead to, and below the zones that the
 * authority section names for those. What is outside is recorded as such, apart (RFC 2181,
 * section 5.4.1, ranks it lowest; Edmonds, "ISC Passive DNS Architecture", 2012, section 2.4,
 * is the idea). Multicast DNS, which has no question and no zones: names below local. and reverse names of
 * link-local addresses (docs/design/bailiwick.md).
 *
 * Outcome, for the activity of the question's name: the rcode, its extension included (RFC 6891, 6.1.3). NOERROR
 * without data is NODATA as below. NXDOMAIN means that the registered domain is missing when the zone that says so,
 * the owner of the SOA, is a public suffix or the root, and a name inside an existing zone otherwise; a qname that is
 * an alias exists, so what is missing is another's. Without an SOA the name itself tells when it is a registered
 * domain, else its absence counts only where the message is known to be whole. None: unknown, a referral,
 * a truncated response without the data asked for.
 *
 * Whose answer it is: one that our own blocking makes (observe/policy.h) has outcome ACTIVITY_POLICY, no TTL and no
 * observations. That is, at the client side, a response without data or with an address of the walled garden
 * to a question for an enforced name. A refusal is nobody's word on a name, and counts as one.
 *
 * Negative answers (RFC 2308, section 2): NXDOMAIN is said of the last name of the CNAME chain; NODATA
 * when the chain ends without the type asked for, if that is known, and the response is no referral.
 * Multicast DNS has none.
 */
#ifndef DNSMON_OBSERVE_SIGHT_H
#define DNSMON_OBSERVE_SIGHT_H

#include "dns/decode.h"
#include "dns/suffix.h"
#include "input/message.h"
#include "observe/policy.h"
#include "record/activity.h"

/* What a response says of the question it answers. */
struct sight_answer {
    enum activity_counter outcome; /* ACTIVITY_COUNTERS = none */
    uint32_t ttl;                  /* of data: the first answer record of the name asked for; 0 = not known */
};

/* What decides how a response is understood; borrowed. */
struct sight_rules {
    const struct suffix_list *suffixes;
    const struct policy *policy; /* NULL: nothing is enforced */
};

enum { SHARD_BITS = 3, SHARDS = 1 << SHARD_BITS };

/* The shard of an owner: all names with the same last two labels, so whole registered domains. */
unsigned sight_shard(const uint8_t *key, size_t len);

bool sight_is_upstream(const struct message *message, uint16_t dns_flags);

/* Appends the observations of a decoded response, which has a question or is multicast DNS, to
 * the shards' buffers; *ret_records grows by the records among them. */
int sight_response(struct dns_decoder *d, const struct message *message, bool paired,
                   const struct sight_rules *rules, struct buffer shards[SHARDS], uint64_t *ret_records,
                   struct sight_answer *ret_answer) MUST_CHECK;

struct asked;

/* Appends that a question was asked for `owner` (key) at `ts_s`. What else there is to say is written where it stays, in
 * what is returned, all of it but `second`: copying it from elsewhere would wait for the stores (4 % of ingest). NULL without
 * memory: the buffer has failed. */
struct asked *sight_asked(struct slice owner, uint32_t ts_s, struct buffer shards[SHARDS]);

#endif
