/* findings: what detectors said, kept until the steps are walked.
 *
 * Gathers findings of one thread; memory is its own. Value type; one thread. */
#ifndef DNSMON_DETECT_FINDINGS_H
#define DNSMON_DETECT_FINDINGS_H

#include "base/arena.h"
#include "detect/detector.h"

struct kept_finding {
    struct finding finding;
    struct slice domain; /* registered domain that was examined or, in comparing, of finding.owner */
    uint32_t step;
    uint16_t detector;   /* index in detectors() */
};

struct findings {
    struct arena memory;
    struct kept_finding *kept;
    size_t n, room;
    bool failed; /* no memory: look at it after a series of additions */

    /* Who speaks of what: set by the caller before it calls a detector. */
    struct slice domain; /* borrowed for as long as what is kept; len 0 in comparing: the finding's owner is it */
    uint32_t step;
    uint16_t detector;
};

void findings_init(struct findings *f);
void findings_clear(struct findings *f); /* keeps memory */
void findings_release(struct findings *f);

#endif
