/* steady: do clients ask for a cached name again and again as soon as the cache lets them?
 *
 * A cache between program and resolver has a period of its own, the TTL, and hides that of a program which is near it: a beat is not told there
 * (beat.h). What it cannot hide is how steadily the program goes on. A gap is *near* when it lies between 0.75 and 2.5 TTL
 * (aged answers, and a round that the cache swallowed) and is no pause (STEADY_PAUSE_S); one at the TTL itself says nothing, since who always asks
 * has those. Runs of more than STEADY_RUN near gaps count by their
 * length: people come back to a site, but not every time. Pure; any thread; no allocation; linear in the ask times of STEADY_DAYS.
 */
#ifndef DNSMON_DETECT_STEADY_H
#define DNSMON_DETECT_STEADY_H

#include "detect/subject.h"

enum {
    STEADY_TTL_MIN_S = 900,  /* below, people's sessions have such gaps, */
    STEADY_TTL_MAX_S = 7200, /* above, their days */
    STEADY_PAUSE_S = 5 * 3600,
    STEADY_RUN = 5,
    STEADY_DAYS = 4, /* up to the step: looked at */
    STEADY_CLIENTS = 2, /* what one machine does is its owner's affair */
};

struct steady {
    double nats;      /* 0 with fewer clients than STEADY_CLIENTS, or when two fifths of the gaps and more are in no run */
    unsigned clients; /* with runs */
    unsigned gaps;    /* in runs, of all these together */
    unsigned longest; /* of one run */
};

/* Of the view, with subject_ttl(). */
struct steady steady_find(const struct subject *s);

/* The same, found once for a view (memo.h). */
struct steady steady_of(const struct subject *s);

#endif
