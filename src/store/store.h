/* store: immutable sorted tables, one manifest, one writer, any number of readers.
 *
 * A database is a folder: MANIFEST (append-only, checksummed, docs/format/manifest.md),
 * tables (MTBL v2, docs/format/table.md) each with a filter sidecar, one state file,
 * the key of the client ids, and LOCK. Nothing exists until a manifest record names it; files nobody names are
 * left-overs of a killed writer and are removed by the next one.
 *
 * The store knows no packets: keys and values are bytes, merged through record_kinds.
 * Tiers: slot -> hour -> day -> month; a table belongs to one period of its tier. What comes late
 * for a merged period stands beside its large table until it is worth a merge with it.
 */
#ifndef DNSMON_STORE_STORE_H
#define DNSMON_STORE_STORE_H

#include "record/kind.h"

enum store_tier { TIER_SLOT, TIER_HOUR, TIER_DAY, TIER_MONTH, TIERS };
enum store_mode { STORE_READ, STORE_WRITE /* creates it when absent, takes the lock */ };

struct store;

struct store_options {
    uint64_t keep_s[KINDS][TIERS]; /* expire tables of a kind and tier this long after their period and all that is in them; 0 = keep */
    uint64_t merge_bytes_per_s;    /* pace of background merges; 0 = no limit */
    int (*log)(const char *line);  /* recovery notes; NULL = silent */
    void (*step)(const char *name); /* tests: called between the steps of a commit; may _exit */
};

/* Sorted entries in memory: see docs/format/records.md, Runs. */
struct store_run {
    const uint8_t *bytes;
    size_t len;
};

/* A table in the manifest. */
struct store_table {
    uint64_t id;
    uint8_t kind;  /* enum record_kind_id */
    uint8_t tier;  /* enum store_tier */
    bool open;     /* an unfinished slot: replaced by the next commit */
    int64_t slot;  /* start of the period, seconds */
    int64_t from;  /* data time covered, seconds: smallest first, largest last */
    int64_t to;
    uint64_t entries;
    uint64_t bytes;        /* of the file */
    uint64_t filter_bytes; /* of the sidecar */
    uint64_t trailer_hash; /* XXH3-64 of the table's 512-byte trailer */
};

/* So many bytes of a source, and what they were: see source_position. */
struct store_place {
    uint64_t offset;
    uint64_t digest[2];
};

struct store_source {
    uint64_t head;
    struct store_place at; /* everything up to here is in the database */
    char id[64];        /* --source-id, or "" for a source known by content */
    char name[128];     /* the last path component, for people */
};

/* Where a source ended that has grown since: a copy made then has nothing new. */
struct store_former {
    size_t source; /* its index; formers are in the order of sources, then of time */
    struct store_place place;
};

/* A source was read up to there. */
struct store_move {
    struct store_source source; /* takes the place of the entry with its id, or that is at `from`, or at the same place */
    struct store_place from;    /* offset 0 = none */
    bool keep;                  /* `from` becomes a former place of it */
};

int store_open(struct store **ret, const char *dir, enum store_mode mode,
               const struct store_options *options, struct fault *why) MUST_CHECK;
void store_close(struct store **store);

/* Writes one table from runs (k-way merged, equal keys merged by kind), its filter too:
 * .tmp, fdatasync, rename. Not in the manifest yet. Threads: may run in parallel.
 * `from` and `to` come from the values, which begin with `varint first, varint last - first`
 * in every kind; a value that does not is E_MALFORMED. Without entries no file is left and
 * `entries` is 0: do not commit that table. */
int store_write_table(struct store *store, struct store_table *table /* kind, tier, open, slot in; rest out */,
                      const struct store_run *runs, size_t n_runs, struct fault *why) MUST_CHECK;

/* Removes the files of written tables that will not be committed after all. */
void store_discard(struct store *store, const struct store_table *tables, size_t n);

/* One atomic step of the database: all of it or nothing. Afterwards the removed tables'
 * files are deleted. `totals` is a JSON object text of counters, replacing the former. */
struct store_change {
    const struct store_table *add;
    size_t n_add;
    const uint64_t *remove; /* ids */
    size_t n_remove;
    const struct store_move *moves; /* in this order */
    size_t n_moves;
    const void *state;        /* open state, written to a file of its own; NULL = unchanged */
    size_t state_len;
    const char *totals;       /* NULL = unchanged */
    int64_t watermark;        /* seconds; what is not later than before changes nothing */
};
int store_commit(struct store *store, const struct store_change *change, struct fault *why) MUST_CHECK;

/* What the manifest says now. Views are valid until the next commit (a merge's, too) or close. */
size_t store_tables(const struct store *store, const struct store_table **ret);
size_t store_sources(const struct store *store, const struct store_source **ret);
size_t store_formers(const struct store *store, const struct store_former **ret);
int64_t store_watermark(const struct store *store);
const char *store_totals(const struct store *store); /* "" when none */
int store_state(struct store *store, struct buffer *to, struct fault *why) MUST_CHECK; /* verified */

/* The key of the client ids: made when the database has none yet, which commits, and read. A writer's. */
enum { STORE_CLIENT_KEY_BYTES = 16 };
int store_client_key(struct store *store, uint8_t ret_key[STORE_CLIENT_KEY_BYTES], struct fault *why) MUST_CHECK;

/* Sensor names <-> bit numbers (1..62; 63 = others); registering commits. */
int store_sensor(struct store *store, const char *name, uint8_t *ret_bit, struct fault *why) MUST_CHECK;
const char *store_sensor_name(const struct store *store, uint8_t bit);

/* Merges: the due ones given the watermark, each one period of one kind: all tables of the tier below,
 * with those of the result's own tier that are not over four times as large as what they are merged
 * with. So a byte is written a few times and not once for each late slot, and the tables that are left
 * in a period grow by a factor of five from one to the next: a few, at most 32. A merge
 * runs anywhere (thread-safe against readers and store_write_table); it then takes
 * effect by a commit that store_merge makes itself under the store's own mutex. */
struct store_merge {
    uint8_t kind, tier; /* of the result */
    int64_t slot;
    uint64_t bytes;     /* of the inputs */
};
size_t store_due_merges(struct store *store, struct store_merge *ret, size_t room);
int store_run_merge(struct store *store, const struct store_merge *merge, struct fault *why) MUST_CHECK;

/* Retention: drops what keep_s says. Of kinds that leave a rest (record_kind.roll) a month's tables become one of the rest in the same
 * commit; then that has an age of its own. Runs anywhere, beside merges too. */
struct store_expired {
    uint64_t dropped; /* tables */
    uint64_t made;    /* of the rest of those */
};
int store_expire(struct store *store, int64_t now, struct store_expired *ret, struct fault *why) MUST_CHECK;

/* Purge of one owner or its subtree from all tables. */
int store_purge(struct store *store, struct slice owner, bool subtree, uint64_t *ret_removed,
                struct fault *why) MUST_CHECK;

/* Reading. A scan yields the keys of one kind in [start, end) in order (end.len 0 = no end),
 * equal keys of different tables merged, from the snapshot at its opening. With `exact` set
 * (a filter key: all keys starting with it are wanted) tables whose filter lacks it are not opened.
 * Tables wholly outside [after, before] (0 = open) are skipped; values are not looked at. */
struct store_scan;
struct store_range {
    uint8_t kind;
    struct slice start, end;
    struct slice exact;
    int64_t after, before;
    bool open_only; /* only tables of unfinished slots (for loading them back) */
};
int store_scan_open(struct store_scan **ret, struct store *store, const struct store_range *range,
                    struct fault *why) MUST_CHECK;
/* *ret_key.ptr NULL at the end. Views are valid until the next call. */
int store_scan_next(struct store_scan *scan, struct slice *ret_key, struct slice *ret_value,
                    struct fault *why) MUST_CHECK;
void store_scan_close(struct store_scan **scan);

/* All of it at once. `entry` returns 0 to go on; anything else ends the scan and is returned. */
typedef int (*store_entry)(void *ctx, struct slice key, struct slice value, struct fault *why);
int store_scan_each(struct store *store, const struct store_range *range, store_entry entry, void *ctx,
                    struct fault *why) MUST_CHECK;

/* When more than `most` bytes of mapped files are in the process' memory, those of this store's tables leave it (filters do not: every
 * look-up needs them): they stay in the system's cache while that has room. For whoever reads much of a large database; costs a look at
 * /proc when there is nothing to do. Any thread. */
void store_give_back(struct store *store, uint64_t most);

/* Readers: picks up commits made by the writer since. */
int store_refresh(struct store *store, struct fault *why) MUST_CHECK;

/* Reads every byte; calls `report` with a line for each damage found. */
int store_fsck(const char *dir, void (*report)(void *ctx, const char *line), void *ctx,
               uint64_t *ret_damages, struct fault *why) MUST_CHECK;

#endif
