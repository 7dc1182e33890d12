/* pipeline: inputs -> rounds -> observer -> tables -> commit -> merges.
 *
 * Joins the stages; what each is about stands in a module of its own:
 *
 *   reading   cmd/reading.h      rounds out of files and live inputs;
 *                                cmd/ledger.h: up to where which source is known
 *   folding   observe/observer.h rounds into open slots
 *   sealing   cmd/sealing.h      slots into tables and a commit; cmd/state.h: what stays open
 *   merging   cmd/merging.h      tables into fewer
 *
 * A crew of N threads (the caller is one of them) works on three rounds at once, each in a `struct step`
 * (cmd/step.h): one is read, one decoded, one folded, and all wait for the slowest.
 *
 *           turn n:     read n | decode n-1 | fold n-2 | if that is a cut: seal and merge in the background
 *
 * Handle type. Called by one thread. Store and options' pointers are borrowed.
 */
#ifndef DNSMON_CMD_PIPELINE_H
#define DNSMON_CMD_PIPELINE_H

#include "cmd/policy_file.h"
#include "cmd/reading.h"
#include "observe/observer.h"
#include "store/store.h"

struct pipeline;

struct pipeline_options {
    struct observer_options observer;
    struct input_options input;   /* of the transport that files share: its limit */
    unsigned threads;
    const char *source_id;        /* for standard input, or NULL */
    bool expire;                  /* apply the store's retention while running */
    struct policy_file *policy_file; /* whose policy the observer's is, to be read again when it changes; NULL = it stays */
    const atomic_int *stop;       /* becomes non-zero: stop reading, seal, return */
    /* Told now and then from the caller's thread; NULL = nobody asks. */
    void (*progress)(void *ctx, const struct observer_counts *counts, uint64_t done, uint64_t size, const char *name);
    void *progress_ctx;
};

struct pipeline_result {
    struct observer_counts counts; /* of this run */
    struct reading_counts read;
    uint64_t rr_distinct;          /* observer_distinct */
    bool rr_distinct_exact;
    uint64_t waiting;              /* observer_waiting, at the end */
};

/* Restores the open state of `store` (borrowed, open for writing). */
int pipeline_create(struct pipeline **ret, struct store *store, const struct pipeline_options *options,
                    struct fault *why) MUST_CHECK;
void pipeline_destroy(struct pipeline **pipeline);

/* Reads all files in order. Everything read is sealed on return, on errors as far as possible. */
int pipeline_files(struct pipeline *pipeline, const struct file_input *files, size_t n, struct pipeline_result *ret,
                   struct fault *why) MUST_CHECK;

/* Reads live inputs in turn until *options.stop. What they keep open themselves (streams, fragments) is not
 * saved, waiting queries are; the open state of files stays as it is in the database. */
int pipeline_live(struct pipeline *pipeline, struct live_input *inputs, size_t n, struct pipeline_result *ret,
                  struct fault *why) MUST_CHECK;

#endif
