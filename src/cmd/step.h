/* step: a round on its way through the stages, and what else is committed when it is a cut.
 *
 * This is what reading hands to sealing. The read stage fills it; the stages of observe/observer.h use `round`
 * alone; at a cut sealing takes the rest.
 *
 *     packets is empty and n_moves == 0, unless round.cut
 *
 * Value type, of zeroed memory aligned to cache lines as counts in rounds are. One stage has it at a time; the
 * crew's latch between them orders what they wrote.
 */
#ifndef DNSMON_CMD_STEP_H
#define DNSMON_CMD_STEP_H

#include "observe/observer.h"
#include "store/store.h"

struct step {
    bool filled;              /* was read: is to be decoded and folded */
    struct round round;
    struct buffer packets;    /* open streams and fragments of files when it had been read, of transport_save */
    struct store_move *moves; /* of sources, since the last cut; owned, by whoever takes them afterwards */
    size_t n_moves;
};

int step_init(struct step *step) MUST_CHECK;
void step_release(struct step *step);
/* Empties a step for reuse. */
void step_clear(struct step *step);

#endif
