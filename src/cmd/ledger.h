/* ledger: up to where sources are known, so that each byte of them counts once.
 *
 * A place is so many bytes of a source with their digest. The ledger knows all places that the manifest lists
 * (docs/format/manifest.md, Sources) and those this run reached since: a copy of its own, for the store's list
 * changes under commits while sources are read. It follows one open source at a time:
 *
 *   begin   the largest known place that the source begins with: it is read from there
 *   note    it has been read up to here: a move, from where it was noted last
 *   take    the moves noted since they were last taken, for a cut to commit
 *
 *     places == those of the manifest at the start, moved by all moves noted
 *     from of a move == the place of the one before it of the same source; of its first, the end it continues
 *
 * A former place is where a source ended once that has grown since. What begins with it and with nothing
 * larger is a copy made then, or one that went on otherwise: read from there, and noted as a source of its own.
 *
 * Handle type. One thread at a time. Cost: `begin` reads the source up to the largest place it may begin with.
 */
#ifndef DNSMON_CMD_LEDGER_H
#define DNSMON_CMD_LEDGER_H

#include "store/store.h"

struct ledger;
struct source;

/* How a source is known again. */
enum ledger_identity {
    LEDGER_BY_CONTENT, /* a file */
    LEDGER_BY_ID,      /* standard input with --source-id, whatever its bytes: the sender promises those */
    LEDGER_NEVER,      /* standard input without: it cannot be read twice, so what is compared would be lost */
};

/* `id` is --source-id or NULL, borrowed; sources of other ids are left out. */
int ledger_create(struct ledger **ret, const struct store *store, const char *id, struct fault *why) MUST_CHECK;
void ledger_destroy(struct ledger **ledger);

/* The source just opened is the one that notes are of from now on. Returns where it is to be read from,
 * and leaves it somewhere else if it was compared. E_NOMEM alone: what cannot be read is not known. */
int ledger_begin(struct ledger *ledger, struct source *source, enum ledger_identity identity, uint64_t *ret_offset,
                 struct fault *why) MUST_CHECK;

/* Where the open source stands now; nothing when it did not move. People know it by `name`. */
int ledger_note(struct ledger *ledger, const struct source *source, const char *name) MUST_CHECK;

/* The caller's, to free; NULL and 0 when nothing moved. */
void ledger_take(struct ledger *ledger, struct store_move **ret_moves, size_t *ret_n);

#endif
