/* profile: what analysis remembers of every registered domain (docs/format/analysis.md).
 *
 * Made of domain activity, hour by hour in rising order; a fold, so that it does not matter in how many runs. Small, because a
 * network has millions. Value type; decoding takes hostile bytes and answers false. Any thread.
 */
#ifndef DNSMON_DETECT_PROFILE_H
#define DNSMON_DETECT_PROFILE_H

#include "base/buffer.h"
#include "record/activity.h"

enum {
    PROFILE_FILTER_BYTES = 32,
    PROFILE_FILTER_FULL = 128, /* bits set: with more, a sub-name that is not there is no news */
    PROFILE_VALUE_MAX = 192,
    PROFILE_BROAD_CLIENTS = 8, /* a day is broad when an hour of it had so many */
};

struct profile {
    uint32_t first;         /* hour it was first asked for */
    uint32_t last;          /* and last */
    uint32_t silent_before; /* hours of the longest silence before `returned` */
    uint32_t returned;      /* hour in which that ended; 0 = never silent for long (PROFILE_SILENCE) */
    uint32_t hours, days;   /* in which it was asked for */
    uint32_t broad_days;
    uint32_t peak_clients;  /* in an hour */
    uint64_t queries;
    uint32_t exists_first, exists_last;   /* hours in which an answer said that it is registered; 0 = never */
    uint32_t missing_first, missing_last; /* ... that it is not */
    uint32_t missing_hours;
    uint32_t new_hosts_last; /* the last hour with a sub-name that the filter did not have; 0 = never */
    uint32_t candidate_last; /* the last hour in which it was worth a closer look (screen.h); 0 = never */
    bool broad_today;        /* of the day of `last` */
    uint8_t filter[PROFILE_FILTER_BYTES]; /* Bloom filter of sub-names, two bits each */
};

enum { PROFILE_SILENCE = 30 * 24 /* hours without a question that make a return */ };

/* Of nothing yet: hours is 0. */
void profile_init(struct profile *p);

/* Adds the activity of an hour later than p->last. */
void profile_add(struct profile *p, uint32_t hour, const struct activity *a);

/* The filter tells new sub-names from known ones. */
bool profile_filter_full(const struct profile *p);

void profile_put(const struct profile *p, struct buffer *to);
bool profile_get(struct slice from, struct profile *ret);

#endif
