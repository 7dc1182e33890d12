/* observer: messages in, sorted runs out.
 *
 * Work comes in rounds. A round is a batch of messages, at most ROUND_MESSAGES, in the
 * order of the source, and goes through three stages, each a set of tasks for a crew:
 *
 *   read    one task: fills the batch, deals the messages to PARTITIONS by flow, and decides
 *           whether the slot ends here (`observer_admit`)
 *   decode  a task a partition: decode, drop copies, pair; appends observations to one
 *           buffer a shard
 *   fold    a task a shard: adds the observations of all partitions to the open slots
 *
 *           round n:   read | decode | fold
 *           round n+1:        read   | decode | fold      each column runs at once
 *
 * Partitions and shards are fixed in number, whatever the threads, so results do not depend
 * on those. Pairing state belongs to a partition, records to a shard; no locks.
 *
 * Slots: `slot` is the oldest open one, everything later folds into `next`. A slot ends when
 * the watermark (newest time less the allowed lateness) passes its end; the round that
 * brings this about is a cut: after its fold, `observer_encode` gives the runs of what
 * ended and of what is still open, and the state to go on from (docs/format/state.md). Messages for a slot
 * that has ended are late: counted, and folded into the oldest open one.
 *
 *     messages == queries + responses + malformed + skipped (of those that reach decoding)
 *     told == transactions + unanswered + pair_evicted + unmatched_responses
 *
 * but for the lines of some logs that are one record of a response each: those are unmatched responses, and not
 * told. A question is told of when it is answered or given up, by its own time: up to
 * the pairing time-out later.
 */
#ifndef DNSMON_OBSERVE_OBSERVER_H
#define DNSMON_OBSERVE_OBSERVER_H

#include "base/crew.h"
#include "base/pages.h"
#include "observe/client.h"
#include "observe/fold.h"
#include "observe/pair.h"
#include "observe/policy.h"
#include "observe/sight.h"

enum { PARTITIONS = 8, ROUND_MESSAGES = 16384 };

struct observer_network {
    uint8_t low[16], high[16]; /* both included; IPv4 mapped */
};

/* What is not recorded. A message names its own by number (`message.exclusion`). */
struct observer_exclusion {
    const uint8_t (*zones)[NAME_KEY_MAX]; /* owner keys without final 00 */
    const size_t *zone_lens;
    unsigned n_zones;
    const struct observer_network *clients;
    unsigned n_clients;
    const struct observer_exclusion *also; /* holds besides; NULL = nothing */
};

struct observer_options {
    const struct suffix_list *suffixes; /* borrowed */
    uint32_t slot_s;
    int64_t lateness_ns;
    int64_t pair_timeout_ns;
    int64_t copy_window_ns;  /* 0: copies are not looked for */
    bool activity;                /* record how names are asked for */
    struct client_key client_key; /* of the database; for activity */
    const struct policy *policy;  /* what we block ourselves; borrowed, NULL = nothing */
    size_t memory;           /* bytes of folds before a slot is sealed early */
    const struct observer_exclusion *exclusions; /* borrowed; one for each number in messages, NULL = none at all */
};

struct CACHE_ALIGNED observer_counts { /* one a partition, one a shard */
    uint64_t messages, queries, responses;
    uint64_t transactions, unanswered, unmatched_responses, pair_evicted;
    uint64_t told; /* transactions, with or without response */
    uint64_t late, rr_observed, early_seals;
    struct fold_counts folded;
    struct tally tally;
    int64_t first_ns, last_ns; /* data time seen; first_ns 0 = nothing */
};

void observer_counts_add(struct observer_counts *to, const struct observer_counts *from);

struct observer;

struct round {
    struct message_batch batch;
    struct tally tally;   /* of reading */
    bool cut;             /* decided by observer_admit, or set by the caller in advance */
    bool ends_slot;       /* the cut ends at least the oldest slot */
    bool ends_next;       /* and what is in `next` as well */
    int64_t slot;         /* the oldest open slot while this round folds */
    int64_t slot_begins_ns;
    int64_t newest_ns;    /* the newest time of all rounds up to this */
    struct observer_counts counts[PARTITIONS], fold_counts[SHARDS];
    struct buffer observations[PARTITIONS][SHARDS];
    struct buffer pair_state[PARTITIONS]; /* on a cut */
    uint32_t *order;      /* message indices by partition */
    uint32_t starts[PARTITIONS + 1];
    uint32_t order_capacity;
    int decode_errors[PARTITIONS], fold_errors[SHARDS];
};

int observer_create(struct observer **ret, const struct observer_options *options) MUST_CHECK;
void observer_destroy(struct observer **observer);

/* Between rounds, when nothing is decoded: `policy` (borrowed, NULL = nothing is enforced) holds from the next one on. */
void observer_set_policy(struct observer *observer, const struct policy *policy);

int round_init(struct round *round) MUST_CHECK;
void round_release(struct round *round);
/* Empties a round for reuse. */
void round_clear(struct round *round);

/* After the batch is read; in order of rounds, one at a time. `round->cut` may be set before. */
int observer_admit(struct observer *observer, struct round *round) MUST_CHECK;

/* Ends all open slots at this round: for data that jumps back in time, and memory. */
void observer_end_slots(struct observer *observer, struct round *round);

/* One partition's, one shard's part. Different ones may run at once; rounds in order. */
void observer_decode(struct observer *observer, struct round *round, unsigned partition);
void observer_fold(struct observer *observer, struct round *round, unsigned shard);

/* After its fold: the round's first error, and its counts added to `total`. */
int observer_finish(const struct round *round, struct observer_counts *total);

/* What a cut gives for one shard: part 0 the oldest slot, part 1 what came later. */
enum { PARTS = 2 };
struct observer_part {
    bool used, open;
    int64_t slot_start, from, to; /* seconds */
    struct buffer runs[SHARDS][KINDS];
};
/* Encodes one shard's folds (may run at once for different shards), after the fold of a cut. */
int observer_encode(struct observer *observer, const struct round *round, unsigned shard, struct observer_part parts[PARTS]) MUST_CHECK;
/* After all shards: sets the parts' times and moves on to the next slot. */
void observer_cut(struct observer *observer, const struct round *round, struct observer_part parts[PARTS]);

/* Between stages: when the folds hold more than their budget, the next round admitted is a cut
 * that seals the slot early. Returns the bytes held. */
size_t observer_check_memory(struct observer *observer);

/* Different records among rr_observed: exact up to 131,072 or so, as *ret_exact tells, then within 0.3 %. */
uint64_t observer_distinct(struct observer *observer, bool *ret_exact);

/* Queries that wait for their answers: neither transactions nor unanswered yet. */
uint64_t observer_waiting(const struct observer *observer);

/* Whether data of `newest_ns` lie wholly before the oldest open slot: another file's past. */
bool observer_is_behind(const struct observer *observer, int64_t newest_ns);

/* Live inputs: time passes although nothing is seen. */
void observer_advance(struct observer *observer, int64_t now_ns);

/* Open state but for transport: slot, newest time, waiting queries as of the cut. */
void observer_save(const struct observer *observer, const struct round *round, struct buffer *to);
int observer_load(struct observer *observer, struct cursor *from, struct fault *why) MUST_CHECK;
/* An entry of an unfinished slot's table; those of KIND_RR before others. */
int observer_restore(struct observer *observer, enum record_kind_id kind, struct slice key, struct slice value) MUST_CHECK;

#endif
