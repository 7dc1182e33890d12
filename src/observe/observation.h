/* observation: one thing said about one owner, on its way from decoding to folding.
 *
 * Decoding appends observations to a byte buffer per shard; folding reads them back in
 * order. An observation with owner_len 0 is about the same owner as the one before it in
 * the buffer, so a run of address records carries its name once. The bytes behind the
 * struct are the owner key, then rdata, padded to eight.
 */
#ifndef DNSMON_OBSERVE_OBSERVATION_H
#define DNSMON_OBSERVE_OBSERVATION_H

#include "base/buffer.h"

struct observation {
    uint64_t owner_hash; /* in-memory hash of the owner key */
    uint32_t ts_s;
    uint32_t ttl;
    uint16_t type;       /* with `about` the type that is meant, 0 = none */
    uint16_t owner_len;
    uint16_t rdata_len;
    uint8_t about;       /* enum rr_about */
    uint8_t flags;       /* enum rr_flag */
    uint8_t upstream;    /* 1: seen upstream or at an authoritative server */
    uint8_t sensor;
};

/* With this for `about` it is a question that was asked, ts_s the question's time: a struct asked, of
 * rdata_len bytes, stands in front of the owner key, where it is aligned. */
enum { OBSERVATION_ASKED = 0xff };

enum asked_flag {
    ASKED_QUERY = 1,        /* the query was seen; else a response alone */
    ASKED_ANSWERED = 2,     /* and it was answered in time */
    ASKED_CLIENT_KNOWN = 4,
};

struct asked {
    uint64_t client; /* id */
    uint32_t ttl;    /* of the first record in the answer that the name asked for owns; 0 = not known */
    uint16_t query_bytes, response_bytes;
    uint16_t second; /* of the hour; sight_asked's */
    uint8_t outcome; /* enum activity_counter; ACTIVITY_COUNTERS = not known */
    uint8_t type;    /* enum activity_counter */
    uint8_t flags;   /* enum asked_flag */
};

static inline size_t observation_bytes(size_t owner_len, size_t rdata_len)
{
    return (sizeof(struct observation) + owner_len + rdata_len + 7) & ~(size_t)7;
}

static inline size_t observation_size(const struct observation *o)
{
    return observation_bytes(o->owner_len, o->rdata_len);
}

static inline const uint8_t *observation_owner(const struct observation *o)
{
    return (const uint8_t *)(o + 1) + (o->about == OBSERVATION_ASKED ? sizeof(struct asked) : 0);
}

static inline struct slice observation_rdata(const struct observation *o)
{
    return (struct slice){ observation_owner(o) + o->owner_len, o->rdata_len };
}

/* Of OBSERVATION_ASKED. */
static inline const struct asked *observation_asked(const struct observation *o)
{
    return (const void *)(o + 1);
}

#endif
