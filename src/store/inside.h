/* inside: what the store's own modules share (store, scan, compact, fsck). Not for others.
 *
 * A handle is one table of the manifest with its reader and filter, opened when first
 * wanted and kept. A snapshot is the immutable list of handles between two commits.
 * Both are counted: a scan holds its snapshot and so outlives commits that unlink
 * its files. `store->mutex` guards catalog, manifest, the current snapshot and the pools;
 * a handle's mutex guards its opening.
 */
#ifndef DNSMON_STORE_INSIDE_H
#define DNSMON_STORE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/outfile.h"
#include "store/filter.h"
#include "store/manifest.h"
#include "store/merge.h"
#include "store/secret.h"
#include "store/table_writer.h"

struct handle {
    atomic_uint refs;
    struct store_table table;
    pthread_mutex_t opening;
    _Atomic(struct filter *) filter;
    _Atomic(struct table_reader *) reader;
    char path[PATH_BYTES];
};

struct snapshot {
    atomic_uint refs;
    size_t n;
    struct handle *handles[];
};

enum { BUSY_MAX = 4096 };

struct store {
    char dir[PATH_BYTES / 2];
    enum store_mode mode;
    struct store_options options;
    pthread_mutex_t mutex;
    pthread_cond_t idle;      /* no table is busy */
    int lock_fd;
    struct manifest manifest;
    struct catalog catalog;
    struct snapshot *snapshot;
    uint64_t next_id;
    uint64_t busy[BUSY_MAX];  /* tables being merged or purged */
    size_t n_busy;
    bool purging;
    struct store_scan *free_scans;
    atomic_uint_fast64_t left_mapped; /* bytes, after the last store_give_back: filters, other files */
};

void table_path(const char *dir, const struct store_table *t, char ret[PATH_BYTES]);

/* Gives the files of `t` the names of `also` besides. False where the file system has no second names, for one. */
bool link_table(const char *dir, const struct store_table *t, const struct store_table *also) MUST_CHECK;
void state_path(const char *dir, uint64_t id, char ret[PATH_BYTES]);

struct snapshot *snapshot_hold(struct store *s);
void snapshot_drop(struct snapshot **snapshot);
int handle_reader(struct handle *h, struct table_reader **ret, struct fault *why) MUST_CHECK;
int handle_filter(struct handle *h, struct filter **ret, struct fault *why) MUST_CHECK;

/* With the mutex held. */
int commit_locked(struct store *s, struct delta *d, struct fault *why) MUST_CHECK;

uint64_t store_new_id(struct store *s);
void store_log(struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scan_free(struct store_scan *scan);

/* Tables as merge inputs, of one kind: cursors of their own over the handles of a snapshot. */
struct inputs {
    struct snapshot *snapshot;
    struct merge merge;
    struct table_cursor *cursors;
    size_t n;
};
int inputs_open(struct inputs *in, struct store *s, const uint64_t *ids, size_t n, struct fault *why) MUST_CHECK;
void inputs_close(struct inputs *in);

/* With the mutex held. */
bool is_busy(const struct store *s, uint64_t id);
void unmark_busy(struct store *s, const uint64_t *ids, size_t n);

/* Writes what `m` yields as the files of `t` (id, kind, tier in; the rest out). Where `m` is of a kind that `t` is the rest
 * of, its entries are rolled. Entries for which `drop` says so are left out and counted; rolling asks nobody. */
struct table_build {
    bool (*drop)(void *ctx, struct slice key);
    void *ctx;
    uint64_t dropped;
    uint64_t bytes_per_s; /* 0 = no limit */
};
int build_table(struct store *s, struct store_table *t, struct merge *m, struct table_build *b,
                struct fault *why) MUST_CHECK;

/* The period of `tier` that holds `at`; slots have no fixed length and are their own start. */
int64_t period_start(enum store_tier tier, int64_t at);
int64_t period_end(enum store_tier tier, int64_t start);

#endif
