/* amend: what an earlier walk wrote of a step, and the one at hand does not say.
 *
 * The ledger only grows. So when a step is walked again, with late data, other weights or other detectors (`--again`), what is no
 * longer found out must be superseded, or it would stand for ever. After a step, each row that the ledger has of it is held against
 * the docket; where they differ, a row is added that says what the docket says.
 */
#ifndef DNSMON_DETECT_AMEND_H
#define DNSMON_DETECT_AMEND_H

#include "detect/docket.h"
#include "dns/suffix.h"

struct amend {
    struct knowledge *k;
    const struct docket *docket;
    const struct suffix_list *suffixes;
    int64_t step;     /* of the ledger: the moment at which the hour is over */
    int64_t known_at; /* seconds, wall clock */
    uint64_t evidence, verdicts; /* rows added; counted up */
};

/* The last step that the ledger tells of: later ones need no amending. */
int amend_until(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;
int amend_step(struct amend *a, struct fault *why) MUST_CHECK;

#endif
