/* merge: sorted inputs into one sorted stream, equal keys merged by their kind.
 *
 * A loser tree over runs and table cursors. Each input keeps the first eight bytes of
 * its key as a number, so most comparisons touch no key. A comparison that finds two
 * keys equal marks the winner `tied`: only then are keys and values copied and merged.
 * Value type; one thread. Cursors are borrowed and already on their first entry.
 */
#ifndef DNSMON_STORE_MERGE_H
#define DNSMON_STORE_MERGE_H

#include "record/kind.h"
#include "store/table_reader.h"

struct merge_input {
    uint64_t prefix;
    struct slice key, value; /* key.ptr NULL at the end */
    bool tied;
    struct table_cursor *table; /* or a run: */
    const uint8_t *next, *end;
};

struct merge {
    const struct record_kind *kind;
    struct merge_input *inputs;
    uint32_t *tree; /* [0] the winner, then the losers */
    unsigned n, capacity;
    bool advance;   /* the winner was handed out and must move on */
    struct buffer key, value, next_value;
};

void merge_init(struct merge *m);
void merge_release(struct merge *m);
void merge_clear(struct merge *m, const struct record_kind *kind); /* keeps memory */
int merge_add_run(struct merge *m, const uint8_t *bytes, size_t len, struct fault *why) MUST_CHECK;
int merge_add_table(struct merge *m, struct table_cursor *c, struct fault *why) MUST_CHECK;
int merge_start(struct merge *m, struct fault *why) MUST_CHECK;

/* ret_key->ptr NULL at the end. Views are valid until the next call. */
int merge_next(struct merge *m, struct slice *ret_key, struct slice *ret_value, struct fault *why) MUST_CHECK;

#endif
