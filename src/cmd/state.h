/* state: what is open at a cut, as the bytes of docs/format/state.md, and back.
 *
 * A run goes on from what the last commit says of unfinished things, in two places: the state file has the
 * newest time, queries that wait, copies, and the packets of files that are not whole; tables marked open have
 * the records of unfinished slots. A cut saves the former here and writes the latter as it does all tables
 * (cmd/sealing.h); both come back at once, so that
 *
 *     load(commit at a cut); read on  ==  read on behind the cut
 *
 * Functions only, in the thread of the pipeline.
 */
#ifndef DNSMON_CMD_STATE_H
#define DNSMON_CMD_STATE_H

#include "observe/observer.h"
#include "store/store.h"

struct step;
struct transport;

/* Bytes of a state; larger ones are neither written nor read. */
enum { STATE_LIMIT = 512 << 20 };

/* Puts observer and transport, both new, where the last commit was; without any they stay as they are. */
int state_load(struct store *store, struct observer *observer, struct transport *transport,
               struct fault *why) MUST_CHECK;

/* Appends the state as of a cut, after its fold. */
void state_save(const struct observer *observer, const struct step *step, struct buffer *to);

#endif
