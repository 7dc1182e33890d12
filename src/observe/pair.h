/* pair: finds the query of a response, and keeps what must be known of it until then.
 *
 * A query waits under a 128-bit hash of (both endpoints, id, qtype, qclass, qname) until a
 * response with the same hash comes or the time-out passes. Equal queries (repetitions) wait
 * one behind the other; a response takes the oldest. A query is told of once: by
 * pair_response, or as given up.
 *
 *     queries == matched + unanswered + evicted + waiting
 *
 * The waiting ones form a ring in order of arrival, so expiry looks only at its front, and
 * their names a ring of bytes beside it: both are written one after another, and nothing is allocated
 * once they have grown to what the traffic needs. Names are whole in their ring; where one does not fit in
 * front of the end it goes to the start. At most PAIR_WAITING_MAX wait, with names of PAIR_NAME_BYTES_MAX:
 * beyond that the oldest is given up and counted. What was answered keeps its place until it is the oldest.
 * 48 bytes a place and its name, so at most 42 MiB. Time is the data's. One owner, one thread at a time.
 */
#ifndef DNSMON_OBSERVE_PAIR_H
#define DNSMON_OBSERVE_PAIR_H

#include "base/buffer.h"
#include "base/fault.h"

enum { PAIR_WAITING_MAX = 1 << 19, PAIR_NAME_BYTES_MAX = 1 << 24 };

struct pair_key {
    uint64_t low, high;
};

enum pair_flag {
    PAIR_CLIENT_KNOWN = 1 << 0,
    PAIR_UPSTREAM = 1 << 1,  /* asked by a resolver, not by a client */
    PAIR_MULTICAST = 1 << 2, /* multicast DNS: asked of no server, and mostly not answered */
    PAIR_FLAGS = (1 << 3) - 1
};

/* What is kept of a query. */
struct pair_asked {
    int64_t ts_ns;
    uint64_t client; /* observe/client.h; 0 without PAIR_CLIENT_KNOWN */
    const uint8_t *qname; /* wire form, lower-case */
    uint8_t qname_len;
    uint8_t flags;   /* enum pair_flag */
    uint16_t qtype;  /* 0 = not known */
    uint16_t bytes;  /* of the message; 0 = not known */
};

/* Told of a query that is given up. Views are valid until it returns; it leaves the pair alone. */
typedef void (*pair_lost)(void *ctx, const struct pair_asked *asked);

struct pair_waiting {
    struct pair_key key;
    int64_t ts_ns;
    uint64_t client;
    uint32_t next;    /* in its chain: an older or younger query; PAIR_NONE at the end */
    uint32_t name_at; /* in the ring of names */
    uint16_t qtype, bytes;
    uint8_t name_len;
    uint8_t flags : 7;
    uint8_t waiting : 1;
};
_Static_assert(sizeof(struct pair_waiting) == 48, "the bound above counts on it");

struct pair {
    int64_t timeout_ns;
    pair_lost lost;
    void *lost_ctx;
    struct pair_waiting *ring;
    uint32_t *chains;     /* heads, oldest first */
    uint32_t mask;        /* ring and chains have mask + 1 entries */
    uint64_t first, last; /* ring positions: [first, last) */
    uint8_t *names;
    uint32_t names_mask;
    uint64_t names_first, names_last; /* what of it is in use, for [first, last) */
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

/* `lost` NULL: nobody asks. */
int pair_init(struct pair *pair, int64_t timeout_ns, pair_lost lost, void *lost_ctx) MUST_CHECK;
void pair_release(struct pair *pair);

/* Copies what `asked` says; may give up others to make room. */
int pair_query(struct pair *pair, struct pair_key key, const struct pair_asked *asked) MUST_CHECK;

/* True, and what waited, when a query did; it then waits no longer. The name is valid until the next query. */
bool pair_response(struct pair *pair, struct pair_key key, int64_t ts_ns, struct pair_asked *ret_asked);

/* Gives up what has waited longer than the time-out at `now_ns`, oldest first. */
void pair_expire(struct pair *pair, int64_t now_ns);

/* How many wait. Looks at each. */
uint64_t pair_count_waiting(const struct pair *pair);

/* The waiting queries in order; docs/format/state.md. Loads into a new pair. */
void pair_save(const struct pair *pair, struct buffer *to);
int pair_load(struct pair *pair, struct cursor *from) MUST_CHECK;

#endif
