/* fold_tree: what a fold is made of. For fold.c, which fills it, and fold_encode.c, which reads it.
 *
 * Registered domain -> owner -> record, each in the fold's arena and in a hash table of its level.
 * A record is kept to a cache line and its rdata: folding is bound by memory.
 */
#ifndef DNSMON_OBSERVE_FOLD_TREE_H
#define DNSMON_OBSERVE_FOLD_TREE_H

#include "observe/fold.h"
#include "observe/observation.h"
#include "record/activity.h"

enum name_class { CLASS_EXISTS, CLASS_ABSENT, NAME_CLASSES };

struct record {
    struct record *next; /* of the same owner */
    struct owner *owner;
    uint64_t count, upstream, sensors;
    uint32_t first, last;
    uint32_t ttl_min, ttl_max;
    uint16_t type; /* with `about` the type that is meant, 0 = none */
    uint16_t rdata_len;
    uint8_t about; /* enum rr_about; 0 = an ordinary record */
    uint8_t flags;
    bool dropped;  /* beyond the limit: counted under the collapsed record */
    uint8_t rdata[]; /* of a collapsed record (rdata_len is 0) the threshold, eight bytes */
};

/* When a sampled client asked, seconds of the hour. Most ask a few times; then there is room for all. */
enum { FEW_ASKS = 6 };
struct asks {
    uint16_t n, room;
    uint16_t seconds[];
};

/* Small, since samples are kept in order by moving what is behind. */
struct asker {
    uint64_t id;
    struct asks *asks; /* NULL: none known, or no longer kept */
};

/* What the questions of an hour add up to. The sample of clients is as large as a domain's for hosts, too: a
 * domain's is made of those of its hosts. */
struct activity_sums {
    uint32_t first, last;
    uint16_t n_clients, client_room;
    uint16_t n_names, name_room;
    uint64_t largest_id;          /* of a full sample: what lies beyond need not look there; else all ones */
    struct asker *clients;        /* by rising id */
    struct activity_name *names;  /* by rising hash; a domain's */
    uint64_t counters[ACTIVITY_COUNTERS];
};

/* Activity of a name in one hour. Most hosts are asked for once or twice in it: a host's questions are kept as they
 * came, and added up when there is no room for more. */
struct activity_hour {
    struct activity_hour *next; /* of the same name */
    struct activity_sums *sums; /* of what is no longer in `asked`; NULL: of nothing */
    uint32_t hour;
    uint8_t n_asked, room;
    bool in_domain;             /* a host's that was read back: the domain's, read back, has it already */
    struct asked asked[];
};

/* Of an owner with very many records. */
struct excess {
    struct record *collapsed; /* RR_COLLAPSED_RDATA, one a type that is over the limit */
    uint32_t trim_at;
};

/* With the key of most in a cache line. */
struct owner {
    struct owner *next; /* of the same domain and class */
    struct domain *domain;
    struct record *records; /* kept ones */
    struct excess *excess;  /* NULL for nearly all */
    struct activity_hour *hours;
    uint32_t n_records;
    uint16_t key_len;
    uint8_t class;
    bool dropped;
    uint8_t key[];
};

struct domain {
    struct owner *owners[NAME_CLASSES];
    struct rr_value *collapsed[NAME_CLASSES]; /* NULL: no limit reached */
    uint64_t threshold[NAME_CLASSES];
    struct activity_hour *hours; /* of names that are no owners; what was read back */
    struct name_value total;     /* fold_encode's */
    struct activity_hour *all_hours; /* the same: with those of the owners */
    uint32_t n_owners[NAME_CLASSES];
    uint16_t key_len; /* without the final 00 */
    bool whole;       /* no public suffix lies deeper: all names below are this domain's */
    uint8_t key[];
};

/* Open addressing, linear probing, at most three quarters full: half full was a tenth slower, for the memory. */
struct fold_entry {
    uint64_t hash;
    void *item;
};

struct fold_table {
    struct fold_entry *entries;
    size_t mask;
    size_t used;
};

struct fold {
    const struct suffix_list *suffixes;
    struct distinct *distinct;
    struct arena arena;
    struct fold_table owners, records, domains;
    uint64_t secret;
    int64_t from, to;
};

/* The items of a table one after the other, in no order that means anything: `*at`, from 0 on, is the
 * walk's. NULL at the end. */
static inline void *fold_walk(const struct fold_table *t, size_t *at)
{
    enum { AHEAD = 16 };
    while (*at <= t->mask) {
        size_t i = (*at)++;
        __builtin_prefetch(t->entries[(i + AHEAD) & t->mask].item);
        if (t->entries[i].item != NULL)
            return t->entries[i].item;
    }
    return NULL;
}

/* An owner or a record and its key or rdata: two cache lines at most, most of them. */
static inline void ask_lines(const void *item)
{
    __builtin_prefetch(item);
    __builtin_prefetch((const void *)((uintptr_t)item + 64)); /* NULL as well */
}

static inline struct record *owner_collapsed(const struct owner *o)
{
    return o->excess ? o->excess->collapsed : NULL;
}

/* Counts a question under its owner, or where that is NULL under its domain. */
int fold_activity(struct fold *fold, struct domain *domain, struct owner *owner, struct slice name,
                  const struct asked *asked, uint32_t hour) MUST_CHECK;

/* Adds a record read back: a host's, or a domain's. */
int fold_activity_restore(struct fold *fold, struct activity_hour **hours, uint32_t hour,
                          const struct activity *from) MUST_CHECK;

/* Adds an hour to that of the same time in another list, whose memory is `arena`. */
int fold_activity_add(struct arena *arena, struct activity_hour **hours, const struct activity_hour *from) MUST_CHECK;

/* Adds the hours of an owner to those of its domain, but for what these have already. */
int fold_activity_gather(struct arena *arena, struct activity_hour **hours, const struct owner *from) MUST_CHECK;

/* An hour as a value. */
void fold_activity_get(const struct activity_hour *hour, bool domain, struct activity *ret);

/* Keeps the `limit` owners of smallest rank; the others go to the collapsed child. */
int fold_trim_names(struct fold *fold, struct domain *domain, unsigned class, unsigned limit) MUST_CHECK;

/* Keeps per type the FOLD_RDATA records of smallest rank. */
int fold_trim_records(struct fold *fold, struct owner *owner) MUST_CHECK;

static inline struct rr_value record_value(const struct record *r)
{
    struct rr_value v = { .first = r->first, .last = r->last, .count = r->count, .upstream = r->upstream,
                          .ttl_min = r->ttl_min, .ttl_max = r->ttl_max, .flags = r->flags, .sensors = r->sensors };
    if (r->about == RR_COLLAPSED_RDATA)
        v.threshold = get_le64(r->rdata);
    return v;
}

#endif
