/* curve: names whose demand turns in the same hours. note.md beside this says why and how well.
 *
 * curve_compare is what the detector does; the count is for tests, benchmarks and who wants to log it. One call, one thread; memory: what
 * kinship.h says, and 8 bytes a turn. */
#ifndef DNSMON_DETECT_CURVE_H
#define DNSMON_DETECT_CURVE_H

#include "detect/findings.h"
#include "detect/kinship.h"

enum {
    CURVE_TURNS_MIN = 3, /* of a name, and in common */
    CURVE_DAYS_MIN = 3,  /* days of the network needed, and days on which the common turns fall */
};

struct curve_count {
    uint64_t calm;     /* names left out: too little demand or too few turns */
    uint64_t restless; /* left out: more than TURNS_MAX turns */
    uint64_t turns;
    uint64_t found;
    struct kinship_count real, decoy;
};

int curve_compare(const struct panel *panel, const struct network *network, struct findings *to, struct curve_count *ret,
                  struct fault *why) MUST_CHECK;

#endif
