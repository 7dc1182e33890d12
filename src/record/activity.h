/* activity: how a name was asked for in one hour (docs/format/records.md, host and domain; why so:
 * docs/design/activity.md).
 *
 * A value to be decoded, merged and encoded again; the fold has a form of its own that grows. Decoding takes
 * hostile bytes and answers false. Pure; any thread. Large (10 KiB): not for recursion.
 */
#ifndef DNSMON_RECORD_ACTIVITY_H
#define DNSMON_RECORD_ACTIVITY_H

#include "base/buffer.h"

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
    ACTIVITY_COUNTERS
};

enum {
    ACTIVITY_HOST_CLIENTS = 32,
    ACTIVITY_DOMAIN_CLIENTS = 64,
    ACTIVITY_ASKS = 32,
    ACTIVITY_NAMES = 64,
};

struct activity_client {
    uint64_t id;
    uint8_t n_asks;
    uint16_t asks[ACTIVITY_ASKS]; /* seconds of the hour, rising */
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

void activity_put(const struct activity *a, struct buffer *to);
bool activity_get(struct slice from, bool domain, struct activity *ret);

/* Adds `from`, of the same kind, to `into`. */
void activity_merge(struct activity *into, const struct activity *from);

/* Sample upkeep, each mergeable: an id or a hash that is not among the smallest changes nothing.
 * `second` of the hour; ACTIVITY_NO_SECOND = not known. */
enum { ACTIVITY_NO_SECOND = UINT16_MAX };
void activity_add_client(struct activity *a, uint64_t id, uint16_t second);
void activity_add_name(struct activity *a, struct activity_name name);

/* How many different clients asked, sub-names were asked for: exact while the sample is not full. */
uint64_t activity_clients(const struct activity *a);
uint64_t activity_names(const struct activity *a);

/* Entropy of the characters, 1/32 bit. */
uint8_t activity_entropy(const uint8_t *ptr, size_t len);

/* "queries", "answered", ...: the names of counters in output. */
const char *activity_counter_name(enum activity_counter counter);

#endif
