/* walk: step after step through a chunk: what stands, what is judged, what the ledger gets.
 *
 * At each step the names that were examined get their findings; those that changed are judged. At the end of a period
 * names are compared, all that is above benign is judged again, and campaigns are brought up to date. Writes within the
 * caller's transaction. Handle; one thread.
 */
#ifndef DNSMON_DETECT_WALK_H
#define DNSMON_DETECT_WALK_H

#include "detect/analysis.h"
#include "detect/docket.h"

struct walk;

/* Loads what the last run remembered. All are borrowed. */
int walk_create(struct walk **ret, const struct analysis_options *o, struct knowledge *k, struct store *store,
                struct docket *docket, struct analysis_summary *sum, struct fault *why) MUST_CHECK;
void walk_destroy(struct walk **w);

/* Names to be looked at whatever screening says, by owner; the caller frees the array. Names are wanted WALK_WANTED steps after they came to
 * be watched: longer than a chunk, so that it is known when the chunk begins; screening lets them through until then. */
enum { WALK_WANTED = CENSUS_STEPS };
int walk_wanted(struct walk *w, struct wanted **ret, size_t *ret_n, struct fault *why) MUST_CHECK;

int walk_steps(struct walk *w, const struct census *census, const struct inspection *inspection, struct fault *why) MUST_CHECK;

/* Memos, as of the end of what was walked. */
int walk_save(struct walk *w, struct fault *why) MUST_CHECK;
int walk_forget(struct knowledge *k, struct fault *why) MUST_CHECK;

#endif
