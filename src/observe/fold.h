/* fold: one shard's records of one open slot, in memory.
 *
 * Three levels: registered domain -> owner -> record. A shard holds whole registered domains
 * (all names with the same last two labels), so limits are decided here alone.
 *
 * Limits, so that neither random sub-domains nor disposable answers grow memory: at most
 * FOLD_NAMES owners per registered domain and class (names that exist, names that do not) and
 * FOLD_RDATA records per owner and type stay; which ones is chosen by their hash, the
 * smallest stay. The others count under one collapsed record, which also holds the
 * threshold. Because the smallest hashes of a set are the same however the set is cut up,
 * the result does not depend on order:
 *
 *     kept = { x : rank(hash(x)) <= limit }       collapsed.count = sum of counts of the others
 *
 * While folding, twice the limit may be in memory; `fold_encode` trims exactly.
 *
 * All memory is the fold's arena; `fold_reset` empties it for the next slot. `fold_bytes` is what
 * the owner compares with its budget. One thread at a time.
 */
#ifndef DNSMON_OBSERVE_FOLD_H
#define DNSMON_OBSERVE_FOLD_H

#include "base/arena.h"
#include "base/distinct.h"
#include "base/buffer.h"
#include "base/fault.h"
#include "dns/suffix.h"
#include "record/kind.h"
#include "record/rr.h"

enum { FOLD_NAMES = 8192, FOLD_RDATA = 1024 };

struct fold;
struct fold_encoder;

struct fold_counts {
    uint64_t rdata_cut;       /* rdata longer than a key may be */
    uint64_t collapsed_names; /* observations counted under a collapsed child */
    uint64_t collapsed_rdata;
};

/* `distinct` (borrowed, NULL = none) is told of every record that is new to the fold, not of negative answers. */
int fold_create(struct fold **ret, const struct suffix_list *suffixes, struct distinct *distinct) MUST_CHECK;
void fold_destroy(struct fold **fold);
void fold_reset(struct fold *fold);
/* After a reset: gives memory to the fold that goes on, whose records stay. So a slot finds that of the one before. */
void fold_bequeath(struct fold *fold, struct fold *heir);
size_t fold_bytes(const struct fold *fold);
bool fold_is_empty(const struct fold *fold);

/* Adds observations that belong to this slot: `from`..`end` as decoding wrote them. Those for which
 * ts_s / slot_s > slot go to `next`. Folding stops at E_NOMEM. */
int fold_observations(struct fold *fold, struct fold *next, int64_t slot, uint32_t slot_s,
                      const uint8_t *from, const uint8_t *end, struct fold_counts *counts) MUST_CHECK;

/* Adds an entry read back from an unfinished slot's table. Those of rr come first: they know limits. */
int fold_restore(struct fold *fold, enum record_kind_id kind, struct slice key, struct slice value) MUST_CHECK;

/* The data time of what is inside, seconds. */
void fold_span(const struct fold *fold, int64_t *ret_from, int64_t *ret_to);

/* Working memory of encoding, kept from one fold to the next. */
int fold_encoder_create(struct fold_encoder **ret) MUST_CHECK;
void fold_encoder_destroy(struct fold_encoder **encoder);

/* Appends the sorted run of each kind (docs/format/records.md). The fold stays as it is. */
int fold_encode(struct fold *fold, struct fold_encoder *encoder, struct buffer runs[KINDS]) MUST_CHECK;

#endif
