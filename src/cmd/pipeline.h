/* pipeline: inputs -> rounds -> observer -> tables -> commit -> merges.
 *
 * The one place that knows all stages. A crew of N threads (the caller is one of them) works
 * on three rounds at once: one is read, one decoded, one folded. At a cut the shards are
 * encoded to runs, and a job in the background writes them as tables and commits:
 * the tables, the positions of all sources and the open state as of that round, in one manifest record.
 * What a commit says is true together; a run killed anywhere goes on from the last one.
 *
 * One job is under way at most; a further cut waits for it. Merges that fall due run in the
 * background as well.
 */
#ifndef DNSMON_CMD_PIPELINE_H
#define DNSMON_CMD_PIPELINE_H

#include <stdatomic.h>

#include "input/source.h"
#include "observe/observer.h"
#include "store/store.h"

struct pipeline;

struct pipeline_file {
    const char *path; /* "-": standard input */
    struct input_options input;
};

/* A live input: appends messages, waits `timeout_ms` at most. */
struct live_input {
    int (*read)(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why);
    void *ctx;
};

struct pipeline_options {
    struct observer_options observer;
    struct input_options input;   /* of the transport that files share: its limit */
    unsigned threads;
    const char *source_id;        /* for standard input, or NULL */
    const atomic_int *stop;       /* becomes non-zero: stop reading, seal, return */
    /* Told now and then from the caller's thread; NULL = nobody asks. */
    void (*progress)(void *ctx, const struct observer_counts *counts, uint64_t done, uint64_t size, const char *name);
    void *progress_ctx;
};

struct pipeline_result {
    struct observer_counts counts; /* of this run */
    uint64_t packets;
    uint64_t rr_distinct;          /* observer_distinct */
    uint64_t sources_new, sources_grown, sources_known, sources_empty, sources_damaged, sources_failed;
};

/* Restores the open state of `store` (borrowed, open for writing). */
int pipeline_create(struct pipeline **ret, struct store *store, const struct pipeline_options *options,
                    struct fault *why) MUST_CHECK;
void pipeline_destroy(struct pipeline **pipeline);

/* Reads all files in order. Everything read is sealed on return, on errors as far as possible. */
int pipeline_files(struct pipeline *pipeline, const struct pipeline_file *files, size_t n, struct pipeline_result *ret,
                   struct fault *why) MUST_CHECK;

/* Reads live inputs in turn until *options.stop. What they keep open themselves (streams, fragments) is not
 * saved, waiting queries are; the open state of files stays as it is in the database. */
int pipeline_live(struct pipeline *pipeline, struct live_input *inputs, size_t n, struct pipeline_result *ret,
                  struct fault *why) MUST_CHECK;

/* Counts to a JSON object and back (the store's totals, ingest --json). */
char *counts_to_json(const struct observer_counts *counts, const struct pipeline_result *run, double seconds, double cpu_seconds);
int counts_from_json(const char *text, struct observer_counts *ret) MUST_CHECK;

#endif
