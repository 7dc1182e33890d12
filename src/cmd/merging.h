/* merging: merges that are due, in the background, and retention beside them.
 *
 * Which ones are due says the store (store_due_merges), and each commits itself. A batch of them is under way
 * at a time, at most MERGING_AT_ONCE; the next is asked for when all of it is done, so that none is started
 * twice. A merge may make another due, but each makes one table of several, so in the end none is.
 *
 * With `expire`, what the retention no longer keeps goes with a batch, once in an hour of data time. That is counted from the
 * watermark, but never from later than the clock says: one packet of a wrong clock moves the watermark years ahead.
 *
 * Handle type. Store and crew are borrowed; its tasks are the crew's, so the crew ends first. Called by the
 * thread of the pipeline.
 */
#ifndef DNSMON_CMD_MERGING_H
#define DNSMON_CMD_MERGING_H

#include "base/crew.h"
#include "store/store.h"

enum { MERGING_AT_ONCE = 16 };

struct merging;

int merging_create(struct merging **ret, struct store *store, struct crew *crew, bool expire, struct fault *why) MUST_CHECK;
void merging_destroy(struct merging **merging);

/* Does not wait, while nobody else commits: starts those due unless a batch is under way. The fault is that of an ended batch. */
int merging_start(struct merging *merging, struct fault *why) MUST_CHECK;

/* Merges until nothing is due. */
int merging_finish(struct merging *merging, struct fault *why) MUST_CHECK;

/* Waits for the batch under way, whatever becomes of it. */
void merging_wait(struct merging *merging);

#endif
