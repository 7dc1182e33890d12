/* analysis: walks the steps of data time: detectors, verdicts, campaigns, the ledger (docs/design/detection.md).
 *
 * Goes on from where the last run ended, up to the watermark or `as_of`, in chunks that are committed one by one. Reads the store,
 * writes knowledge.db and one state file beside it. One run at a time a database; others read meanwhile.
 */
#ifndef DNSMON_DETECT_ANALYSIS_H
#define DNSMON_DETECT_ANALYSIS_H

#include "detect/step.h"
#include "dns/suffix.h"
#include "store/store.h"

#include <stdio.h>

struct verdict_weights;

struct analysis_options {
    const char *dir;
    const struct suffix_list *suffixes;
    const struct verdict_weights *weights;
    int64_t as_of;       /* judge no step that ends later; 0 = as far as the watermark allows, and not beyond `now` */
    int64_t now;         /* wall clock, seconds: what ledger rows are known at */
    unsigned threads;
    const char *without; /* leaves a detector out; NULL = none. For experiments, on a copy */
    FILE *features;      /* what was judged, a JSON line each; NULL = not wanted */
    bool again;          /* from the beginning: rows that are the same are not written twice */
    void (*progress)(void *ctx, uint32_t step, uint32_t from, uint32_t to); /* after a chunk; NULL = silent */
    void *ctx;
};

struct analysis_summary {
    uint32_t from, to;    /* steps walked; to < from: there was nothing new */
    uint64_t messages;
    uint64_t names;       /* names and hours */
    uint64_t cleaned;
    uint64_t candidates;
    uint64_t examined;
    uint64_t refused;     /* candidates beyond the limit of a chunk */
    uint64_t refused_edges;
    uint64_t evidence, verdicts; /* ledger rows added */
    uint64_t blocked;     /* names that became high_risk or malicious */
    uint32_t campaigns;   /* that stand */
};

/* E_ABSENT: there is no activity. E_LOCKED: another run is under way. Failures leave what was committed. */
int analysis_run(const struct analysis_options *options, struct analysis_summary *ret, struct fault *why) MUST_CHECK;

#endif
