/* activity: how a name was asked for in one hour (docs/format/records.md, host and domain; why so:
 * docs/design/activity.md).
 *
 * A value to be decoded, merged and encoded again; the fold has a form of its own that grows. Decoding takes
 * hostile bytes and answers false; what it takes has one encoding only, so equal values are equal bytes.
 * Merging is commutative and associative, and `activity_init` makes its neutral element. Pure; any thread.
 * Large (6 KiB): not for recursion.
 */
#ifndef DNSMON_RECORD_ACTIVITY_H
#define DNSMON_RECORD_ACTIVITY_H

#include "base/buffer.h"
#include "dns/name.h"

enum activity_counter {
    ACTIVITY_QUERIES,
    ACTIVITY_ANSWERED,
    ACTIVITY_STRAY, /* responses that no query was seen for */
    ACTIVITY_NOERROR,
    ACTIVITY_NODATA,
    ACTIVITY_NX_DOMAIN, /* the registered domain does not exist */
    ACTIVITY_NX_HOST,
    ACTIVITY_SERVFAIL,
    ACTIVITY_REFUSED,
    ACTIVITY_OTHER_RCODE,
    ACTIVITY_A,
    ACTIVITY_AAAA,
    ACTIVITY_HTTPS,
    ACTIVITY_TXT,
    ACTIVITY_MX,
    ACTIVITY_NS,
    ACTIVITY_PTR,
    ACTIVITY_SRV,
    ACTIVITY_NULL,
    ACTIVITY_OTHER_TYPE,
    ACTIVITY_QUERY_BYTES,
    ACTIVITY_RESPONSE_BYTES,
    ACTIVITY_UNKNOWN_CLIENT,
    ACTIVITY_POLICY, /* answers made by our own blocking */
    ACTIVITY_TTL,    /* no sum: the largest, in seconds, of answers with data; 0 = not known */
    ACTIVITY_COUNTERS
};

enum {
    ACTIVITY_HOST_CLIENTS = 32,
    ACTIVITY_DOMAIN_CLIENTS = 64,
    ACTIVITY_ASKS = 32,
    ACTIVITY_NAMES = 64,
    ACTIVITY_HOUR_S = 3600,
    ACTIVITY_KEY_MAX = NAME_KEY_MAX + 4,
    ACTIVITY_VALUE_MAX = 8192, /* more than the largest takes */
};

struct activity_client {
    uint64_t id;
    uint8_t n_asks;
    uint16_t asks[ACTIVITY_ASKS]; /* seconds of the hour, rising; none in a full sample */
};

struct activity_name {
    uint64_t hash;   /* hash_stable of the owner key */
    uint8_t length;  /* of the part below the registered domain; 255 = that or more */
    uint8_t entropy; /* of its characters, 1/32 bit */
};

struct activity {
    bool domain;          /* else host: decides the size of the samples */
    uint64_t first, last; /* seconds since 1970 */
    uint64_t counters[ACTIVITY_COUNTERS];
    unsigned n_clients, n_names;
    struct activity_client clients[ACTIVITY_DOMAIN_CLIENTS]; /* by rising id */
    struct activity_name names[ACTIVITY_NAMES];              /* by rising hash; domain only */
};

/* The length of a key: owner | hour. `to` has room for it. */
size_t activity_key_put(struct slice owner, uint32_t hour, uint8_t *to);
bool activity_key_get(struct slice key, struct slice *ret_owner, uint32_t *ret_hour);

/* Of nothing: first is UINT64_MAX, last and all else 0. It has no encoding until times are in it. */
void activity_init(struct activity *a, bool domain);

/* Appends; look at to->failed. */
void activity_put(const struct activity *a, struct buffer *to);

/* *ret is undefined when it answers false. */
bool activity_get(struct slice from, bool domain, struct activity *ret);

/* Adds `from`, of the same kind, to `into`. Values of different hours may be merged as well, for what was
 * asked in a span of time; their ask times mean nothing then. */
void activity_merge(struct activity *into, const struct activity *from);

/* How many clients fill the sample; a full one has no ask times. */
static inline unsigned activity_clients_max(const struct activity *a)
{
    return a->domain ? ACTIVITY_DOMAIN_CLIENTS : ACTIVITY_HOST_CLIENTS;
}

/* Sample upkeep: the same as merging with a value of this alone, cheaper. An id or a hash that is not among
 * the smallest changes nothing. `second` of the hour; ACTIVITY_NO_SECOND = not known. */
enum { ACTIVITY_NO_SECOND = UINT16_MAX };
void activity_add_client(struct activity *a, uint64_t id, uint16_t second);
void activity_add_name(struct activity *a, struct activity_name name);

/* How many different clients asked, sub-names were asked for: exact while the sample is not full. */
uint64_t activity_clients(const struct activity *a);
uint64_t activity_names(const struct activity *a);

/* Shannon's entropy of at most 255 characters, 1/32 bit; in integers, so that every machine has the same. */
uint8_t activity_entropy(const uint8_t *ptr, size_t len);

/* "queries", "answered", ...: the names of counters in output. */
const char *activity_counter_name(enum activity_counter counter);

#endif
