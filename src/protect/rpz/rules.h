/* rules: the memory of a policy zone's rules, and the index of those that live.
 *
 * Rules lie one after the other in chunks, in units of four bytes; a 32-bit reference (chunk and unit) names one, and it never
 * moves. So all can be walked through in the order of memory, without the index, while others come and go. Freed ones are listed
 * by their size and keep it, so that a walk can step over them.
 *
 * The index has living rules alone, by the hash of their owner: 8 bytes a place, between three and six eighths full. Linear probing; what is taken
 * out lets those behind it move up, so there are no marks of what was.
 *
 *     free -> rules_take -> (filled in) -> rules_enter -> rules_leave -> rules_free -> free
 *
 * Value type, part of a zone. One thread.
 */
#ifndef DNSMON_PROTECT_RPZ_RULES_H
#define DNSMON_PROTECT_RPZ_RULES_H

#include "base/pages.h"
#include "protect/rpz/owner.h"

enum {
    RULES_UNIT = 4,
    RULES_UNIT_BITS = 19, /* of a reference: which unit of its chunk */
    RULES_CHUNK_BYTES = PAGES_HUGE,
    RULES_CHUNKS_MAX = 1 << (32 - RULES_UNIT_BITS), /* 16 GiB in all */
};

enum rule_flag {
    RULE_SUBTREE = 1 << 0,
    RULE_WILD_ONLY = 1 << 1, /* of a subtree: its own name is a host's */
    RULE_FREE = 1 << 2,
};

struct rule {
    uint32_t born; /* number of a version; of a free rule: the next free one */
    uint32_t died; /* 0: lives. Equal to born: was undone within its version, nobody sees it */
    uint8_t action;
    uint8_t flags;
    uint8_t len;
    uint8_t labels[];
};

enum { RULE_HEAD = offsetof(struct rule, labels), RULE_SIZES = (RULE_HEAD + NAME_WIRE_MAX) / RULES_UNIT + 2 };

struct rules {
    uint8_t **chunks;
    uint32_t *used; /* bytes of each */
    uint32_t n_chunks;
    uint32_t free_heads[RULE_SIZES];
    struct rules_place *index;
    size_t index_size; /* a power of two */
    size_t count;      /* in the index */
};

/* E_NOMEM. */
int rules_init(struct rules *rules) MUST_CHECK;
void rules_release(struct rules *rules);
size_t rules_memory(const struct rules *rules);

static inline struct rule *rules_at(const struct rules *rules, uint32_t ref)
{
    uint32_t unit = ref & ((1u << RULES_UNIT_BITS) - 1);
    return (struct rule *)(rules->chunks[ref >> RULES_UNIT_BITS] + (size_t)unit * RULES_UNIT);
}

/* A new rule with this owner, and room for it in the index; it is not there yet. E_NOMEM, E_LIMIT. */
int rules_take(struct rules *rules, const struct owner *owner, uint32_t *ret_ref) MUST_CHECK;
void rules_free(struct rules *rules, uint32_t ref);

/* rules_enter needs the place that rules_take made, or that rules_leave left. */
void rules_enter(struct rules *rules, uint32_t ref);
void rules_leave(struct rules *rules, uint32_t ref);

/* The living rule of this owner; 0 = none. */
uint32_t rules_find(const struct rules *rules, const uint8_t *labels, size_t len, bool subtree);

/* Where a walk through memory is; begins as {0}. */
struct rules_cursor {
    uint32_t chunk, at;
};

/* The next one that is not free, living or dead; NULL at the end, which moves as rules are taken. */
const struct rule *rules_next(const struct rules *rules, struct rules_cursor *cursor);

#endif
