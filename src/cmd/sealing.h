/* sealing: what a cut hands to the background, until it is committed.
 *
 *   sealing_start    a task a shard encodes what is folded to runs; the observer moves on to the next slot;
 *                    moves, open state and totals are set aside: the rounds go on
 *   in background    a task a table writes the runs of all shards; whoever is last commits
 *   sealing_wait     the commit is done, or nothing of it is
 *
 * One manifest record has the tables, the moves of sources, the open state and the totals as of one round, so
 * what it says is true together, and a run killed anywhere goes on from the last one. One cut is under way at
 * most; a further one waits.
 *
 *     tables of a cut  == parts and kinds that have records, <= PARTS * KINDS
 *     open tables      == those of the last commit; the next one replaces them by what became of them
 *
 * Handle type. Store, observer and crew are borrowed; its tasks are the crew's, so the crew ends first. Called
 * by the thread of the pipeline.
 */
#ifndef DNSMON_CMD_SEALING_H
#define DNSMON_CMD_SEALING_H

#include "base/crew.h"
#include "observe/observer.h"
#include "store/store.h"

struct sealing;
struct step;

struct sealing_options {
    struct store *store;
    struct observer *observer;
    struct crew *crew;
    int64_t lateness_ns; /* from the newest time back to the watermark */
};

/* Copies from the store which tables are open, while nobody commits. */
int sealing_create(struct sealing **ret, const struct sealing_options *options, struct fault *why) MUST_CHECK;
void sealing_destroy(struct sealing **sealing);

/* Waits for the former cut, which may have failed. Nothing to wait for is no failure. */
int sealing_wait(struct sealing *sealing, struct fault *why) MUST_CHECK;

/* After that, and after the fold of a cut. Takes the moves of `step`; `totals` are those of all runs. */
int sealing_start(struct sealing *sealing, struct step *step, const struct observer_counts *totals,
                  struct fault *why) MUST_CHECK;

#endif
