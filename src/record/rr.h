/* rr: the passive DNS record, its keys and its value (docs/format/records.md).
 *
 * Encoding writes to the caller's memory; decoding gives views into it. Every decoder
 * takes hostile bytes and answers false. Any thread.
 */
#ifndef DNSMON_RECORD_RR_H
#define DNSMON_RECORD_RR_H

#include "dns/name.h"
#include "dns/rdata.h"

enum {
    RR_KEY_MAX = 4096,
    RR_HINT_MAX = 2 + 2 + 16,
    RR_INVERSE_MAX = RR_HINT_MAX + RR_KEY_MAX + 2 * NAME_KEY_MAX + 8,
    RR_VALUE_MAX = 9 * VARINT_MAX,
};

/* Subtypes behind type 0. */
enum rr_about {
    RR_NXDOMAIN = 1,
    RR_NODATA = 2,
    RR_COLLAPSED_NAMES = 3,
    RR_OUT_OF_BAILIWICK = 4,
    RR_COLLAPSED_RDATA = 5,
};

enum rr_flag {
    RR_ANSWER = 1,
    RR_AUTHORITY = 2,
    RR_ADDITIONAL = 4,
    RR_PAIRED = 8,
    RR_UNPAIRED = 16,
    RR_TYPE_INFERRED = 32,
};

struct rr_value {
    uint64_t first, last; /* seconds since 1970 */
    uint64_t count;       /* client side */
    uint64_t upstream;
    uint32_t ttl_min, ttl_max;
    uint32_t flags;       /* enum rr_flag */
    uint64_t sensors;
    uint64_t threshold;
};

/* A decoded key of either table. `rdata` is in wire form. */
struct rr_key {
    struct slice owner; /* owner key */
    uint16_t type;      /* 0 for what is said about the owner */
    uint8_t about;      /* enum rr_about when type is 0 */
    uint16_t subtype;   /* NODATA, OUT_OF_BAILIWICK, COLLAPSED_RDATA: the type meant; COLLAPSED_NAMES: class */
    struct slice rdata;
    uint8_t turn;       /* of an inverse key: which of the rdata's names, or behind those of its hints, stands first */
};

size_t rr_value_put(const struct rr_value *value, uint8_t *to);
bool rr_value_get(struct slice from, struct rr_value *ret);
void rr_value_merge(struct rr_value *into, const struct rr_value *from);

bool rr_key_get(struct slice key, struct rr_key *ret);

/* owner | type | rdata, at most RR_KEY_MAX bytes; returns the length. Rdata that does not
 * fit is cut. `about` 0 for a record of `type`. */
size_t rr_key_put(struct slice owner, uint16_t type, struct slice rdata, uint8_t *to);
size_t rr_about_put(struct slice owner, uint8_t about, uint16_t subtype, struct slice rdata, uint8_t *to);

/* How many inverse keys records of a type may have: one for each name (one without), then one for each hint. */
static inline unsigned rr_turns(uint16_t type)
{
    return rdata_turns(type) + (rdata_may_hint(type) ? RDATA_HINTS : 0);
}

/* An inverse key of an ordinary record: that of `turn`, 0 to rr_turns(type) - 1. 0 when it has none.
 * `to` has RR_INVERSE_MAX bytes. */
size_t rr_inverse_put(struct slice owner, uint16_t type, unsigned turn, struct slice rdata, uint8_t *to);

/* The length of the address and what says so in front of an inverse key; 0 when it is not a hint's. */
size_t rr_hint_length(struct slice key);

/* Back; `rdata` scratch has RR_KEY_MAX bytes and holds ret->rdata. */
bool rr_inverse_get(struct slice key, uint8_t *rdata, struct rr_key *ret);

/* name table values. */
struct name_value {
    uint64_t first, last, count;
};
size_t name_value_put(const struct name_value *value, uint8_t *to);
bool name_value_get(struct slice from, struct name_value *ret);

#endif
