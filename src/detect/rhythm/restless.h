/* restless: do clients go on asking for a cached name without the pause that a person makes every day?
 *
 * A cache between program and resolver has a period of its own, the TTL, and hides that of a program which is near it: a beat is not told there
 * (beat.h). What it cannot hide is that nobody sleeps. A stretch of a client's asks is one without a gap of more than
 * RESTLESS_PAUSE_S, nearly all of whose gaps lie near the TTL. That not all asks are kept shortens stretches, and never makes one.
 * Pure; any thread; no allocation; linear in the ask times of RESTLESS_DAYS.
 */
#ifndef DNSMON_DETECT_RHYTHM_RESTLESS_H
#define DNSMON_DETECT_RHYTHM_RESTLESS_H

#include "detect/subject.h"

enum {
    RESTLESS_PAUSE_S = 5 * 3600,
    RESTLESS_DAYS = 4, /* up to the step: looked at */
};

struct restless {
    double nats;
    unsigned clients;   /* with a stretch of a day or more */
    unsigned days;      /* of all these together */
    uint32_t longest_s; /* stretch of one client */
};

/* `ttl_s`: subject_ttl(); of 0 nothing is said. */
struct restless restless_find(const struct subject *s, uint32_t ttl_s);

#endif
