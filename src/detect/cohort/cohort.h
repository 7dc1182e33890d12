/* cohort: names that the same few clients ask for. note.md beside this says why and how well.
 *
 * cohort_compare is what the detector does; the count is for tests, benchmarks and who wants to log it. One call, one thread; memory: what
 * kinship.h says, and 16 bytes a client of a portrait. */
#ifndef DNSMON_DETECT_COHORT_H
#define DNSMON_DETECT_COHORT_H

#include "detect/findings.h"
#include "detect/kinship.h"

enum {
    COHORT_CLIENTS_MIN = 2,     /* of a name: one client's names are that client's habits */
    COHORT_TIMED = 5,           /* so few in common count only for names asked for in the same hours */
    COHORT_HOURS_MIN = 6,       /* of these at least so many, and half of either's since both were there */
    COHORT_BLOCK = 1024,        /* names of like breadth among which decoys shuffle clients */
    COHORT_SLOTS_MAX = 1 << 24, /* clients of all names together; with more, each name keeps fewer, the smallest ids */
};

struct cohort_count {
    uint64_t narrow;     /* names left out for fewer than COHORT_CLIENTS_MIN clients */
    uint32_t kept;       /* the most clients that a name may keep: SUBJECT_CLIENTS, or fewer by COHORT_SLOTS_MAX */
    uint64_t clients;    /* different ones */
    uint64_t found;
    struct kinship_count real, decoy;
};

int cohort_compare(const struct panel *panel, struct findings *to, struct cohort_count *ret, struct fault *why) MUST_CHECK;

#endif
