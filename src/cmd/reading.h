/* reading: the read stage: files one after another, or live inputs in turn, a round at a time.
 *
 *   reading_round    fill the batch     files: open where the ledger knows it up to, read on, note its end
 *                                       live: ask each input until the round's time is up
 *                    admit it           observer_admit: deal it to partitions, decide whether it is a cut
 *                    if it is a cut     what it commits of the reader's: open packets, moves of sources
 *
 * A file that cannot be opened is said, counted and passed over; one that lies wholly in the past ends the open
 * slots first, in an empty round of its own, and waits for the next one. Once `stop` is set no file is begun
 * nor gone on with. The last round is a cut: nothing that was read stays unsealed.
 *
 *     files == new + grown + known + empty + failed + those not read to their end when stopped
 *
 * Handle type. The functions are called in turn: reading_round in any thread of the crew, the others between
 * rounds, with the crew's latch in between. Prints, on stderr, what people should know of a file.
 */
#ifndef DNSMON_CMD_READING_H
#define DNSMON_CMD_READING_H

#include <stdatomic.h>

#include "input/source.h"

struct observer;
struct reading;
struct step;
struct store;

struct file_input {
    const char *path; /* "-": standard input */
    struct input_options input;
};

/* Appends messages, waits `timeout_ms` at most. */
struct live_input {
    int (*read)(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why);
    void *ctx;
};

struct reading_options {
    struct observer *observer;   /* both borrowed */
    struct transport *transport; /* of files; live inputs have their own */
    const char *source_id;       /* for standard input, or NULL; borrowed */
    const atomic_int *stop;      /* becomes non-zero: read no more; NULL = never */
};

/* How many files turned out to be what; `damaged` ones are counted besides. */
struct reading_counts {
    uint64_t packets;
    uint64_t sources_new, sources_grown, sources_known, sources_empty, sources_damaged, sources_failed;
};

/* Copies from `store` what it knows of sources, while nobody commits. */
int reading_create(struct reading **ret, const struct store *store, const struct reading_options *options,
                   struct fault *why) MUST_CHECK;
void reading_destroy(struct reading **reading);

/* What the next rounds read, in order; borrowed until they have. Counts begin at 0. */
void reading_use_files(struct reading *reading, const struct file_input *files, size_t n);
void reading_use_live(struct reading *reading, struct live_input *inputs, size_t n);

/* Fills an empty step; it is `filled` unless this failed. */
void reading_round(struct reading *reading, struct step *step);

/* Nothing more comes: all was read, or stopped, or a round failed. */
bool reading_is_over(const struct reading *reading);
/* Why a round failed, or E_OK. A failed file is no failure. */
int reading_error(const struct reading *reading, struct fault *why) MUST_CHECK;

/* For a progress bar: the open file and its bytes; "" and 0 when there is none. */
const char *reading_progress(const struct reading *reading, uint64_t *ret_done, uint64_t *ret_size);
const struct reading_counts *reading_counts(const struct reading *reading);

#endif
