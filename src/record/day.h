/* day: how a name was asked for in one day: what is left of its hours when they are too old to be kept (docs/format/records.md,
 * hostday and domainday; why so: docs/design/activity.md).
 *
 * All hours of a day merged, without ask times, and which hours they were. Keys are those of activity, with days since 1970 in
 * the place of hours. Merging is commutative and associative, and making days of hours commutes with it. Hostile bytes are
 * answered with false. Pure; any thread. Large, as activity is.
 */
#ifndef DNSMON_RECORD_DAY_H
#define DNSMON_RECORD_DAY_H

#include "record/activity.h"

enum { DAY_HOURS = 24, DAY_S = DAY_HOURS * ACTIVITY_HOUR_S };

struct day {
    struct activity all; /* no client has ask times */
    uint32_t hours;      /* bit n: asked for in hour n of the day (UTC); never 0 */
};

/* Appends; look at to->failed. */
void day_put(const struct day *d, struct buffer *to);

/* *ret is undefined when it answers false. */
bool day_get(struct slice from, bool domain, struct day *ret);

/* Adds `from`, of the same kind, to `into`. */
void day_merge(struct day *into, const struct day *from);

/* How many hours it was asked for in. */
unsigned day_count(const struct day *d);

/* Appends key and value of the day that holds an hour. E_CORRUPT: key or value does not parse. Rising keys make keys that do not
 * fall: those of one day come one after another. */
int day_of_hour(bool domain, struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value) MUST_CHECK;

/* Whether all of it is of the key's day. */
bool day_valid(bool domain, struct slice key, struct slice value);

#endif
