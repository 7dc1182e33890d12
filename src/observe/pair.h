/* pair: finds the query of a response.
 *
 * A query waits under a 128-bit hash of (both endpoints, id, qtype, qclass, qname) until a
 * response with the same hash comes or the time-out passes. Equal queries (repetitions) wait
 * one behind the other; a response takes the oldest.
 *
 *     queries == matched + unanswered + waiting
 *
 * The waiting ones form a ring in order of arrival, so expiry looks only at its front. At
 * most PAIR_WAITING_MAX wait: beyond that the oldest is given up and counted. Time is the
 * data's. One owner, one thread at a time.
 */
#ifndef DNSMON_OBSERVE_PAIR_H
#define DNSMON_OBSERVE_PAIR_H

#include "base/buffer.h"
#include "base/fault.h"

enum { PAIR_WAITING_MAX = 1 << 19 };

struct pair_key {
    uint64_t low, high;
};

struct pair_waiting {
    struct pair_key key;
    int64_t ts_ns;
    uint32_t next;  /* in its chain: an older or younger query; PAIR_NONE at the end */
    bool waiting;
};

struct pair {
    int64_t timeout_ns;
    struct pair_waiting *ring;
    uint32_t *chains;     /* heads, oldest first */
    uint32_t mask;        /* ring and chains have mask + 1 entries */
    uint64_t first, last; /* ring positions: [first, last) */
    uint64_t unanswered, evicted;
};

/* now - then, or the end of the range where that does not fit: times come from files. */
static inline int64_t time_since(int64_t now_ns, int64_t then_ns)
{
    int64_t d;
    if (__builtin_expect(__builtin_sub_overflow(now_ns, then_ns, &d), 0))
        return now_ns < then_ns ? INT64_MIN : INT64_MAX;
    return d;
}

int pair_init(struct pair *pair, int64_t timeout_ns) MUST_CHECK;
void pair_release(struct pair *pair);

int pair_query(struct pair *pair, struct pair_key key, int64_t ts_ns) MUST_CHECK;

/* True, and the query's time, when one waited; it then waits no longer. */
bool pair_response(struct pair *pair, struct pair_key key, int64_t ts_ns, int64_t *ret_asked_ns);

/* Gives up what has waited longer than the time-out at `now_ns`. */
void pair_expire(struct pair *pair, int64_t now_ns);

/* The waiting queries in order; docs/format/state.md. */
void pair_save(const struct pair *pair, struct buffer *to);
int pair_load(struct pair *pair, struct cursor *from) MUST_CHECK;

#endif
