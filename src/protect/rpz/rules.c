#include "protect/rpz/rules.h"

#include "base/hash.h"

#include <stdlib.h>

enum { INDEX_FIRST = 1024 };

struct rules_place {
    uint32_t hash;
    uint32_t ref; /* 0: empty */
};

int rules_init(struct rules *rules)
{
    *rules = (struct rules){ .index_size = INDEX_FIRST };
    rules->index = pages_alloc_zeroed(rules->index_size * sizeof *rules->index);
    return rules->index ? 0 : E_NOMEM;
}

void rules_release(struct rules *rules)
{
    for (uint32_t i = 0; i < rules->n_chunks; i++)
        pages_free(rules->chunks[i], RULES_CHUNK_BYTES);
    if (rules->index != NULL)
        pages_free(rules->index, rules->index_size * sizeof *rules->index);
    free(rules->chunks);
    free(rules->used);
    *rules = (struct rules){ 0 };
}

size_t rules_memory(const struct rules *rules)
{
    return (size_t)rules->n_chunks * RULES_CHUNK_BYTES + rules->index_size * sizeof *rules->index;
}

/* Memory */

static uint32_t rule_units(size_t len)
{
    return (uint32_t)((RULE_HEAD + len + RULES_UNIT - 1) / RULES_UNIT);
}

static int add_chunk(struct rules *rules)
{
    if (rules->n_chunks == RULES_CHUNKS_MAX)
        return E_LIMIT;
    uint8_t **chunks = realloc(rules->chunks, (rules->n_chunks + 1) * sizeof *chunks);
    if (chunks == NULL)
        return E_NOMEM;
    rules->chunks = chunks;
    uint32_t *used = realloc(rules->used, (rules->n_chunks + 1) * sizeof *used);
    if (used == NULL)
        return E_NOMEM;
    rules->used = used;
    chunks[rules->n_chunks] = pages_alloc(RULES_CHUNK_BYTES);
    if (chunks[rules->n_chunks] == NULL)
        return E_NOMEM;
    used[rules->n_chunks] = rules->n_chunks == 0 ? RULES_UNIT : 0; /* reference 0 is none */
    rules->n_chunks++;
    return 0;
}

static int take_memory(struct rules *rules, size_t len, uint32_t *ret)
{
    uint32_t units = rule_units(len), ref = rules->free_heads[units];
    if (ref != 0) {
        rules->free_heads[units] = rules_at(rules, ref)->born;
    } else {
        int e = rules->n_chunks == 0 || rules->used[rules->n_chunks - 1] + units * RULES_UNIT > RULES_CHUNK_BYTES ? add_chunk(rules) : 0;
        if (e != 0)
            return e;
        uint32_t *used = &rules->used[rules->n_chunks - 1];
        ref = (rules->n_chunks - 1) << RULES_UNIT_BITS | *used / RULES_UNIT;
        *used += units * RULES_UNIT;
    }
    *ret = ref;
    return 0;
}

void rules_free(struct rules *rules, uint32_t ref)
{
    struct rule *r = rules_at(rules, ref);
    uint32_t *head = &rules->free_heads[rule_units(r->len)];
    r->flags = RULE_FREE;
    r->born = *head;
    *head = ref;
}

/* Index */

static uint32_t owner_hash(const uint8_t *labels, size_t len, bool subtree)
{
    return (uint32_t)hash_memory(labels, len, hash_secret() + subtree);
}

static uint32_t rule_hash(const struct rule *r)
{
    return owner_hash(r->labels, r->len, r->flags & RULE_SUBTREE);
}

uint32_t rules_find(const struct rules *rules, const uint8_t *labels, size_t len, bool subtree)
{
    uint32_t hash = owner_hash(labels, len, subtree);
    for (size_t i = hash;; i++) {
        const struct rules_place *s = &rules->index[i & (rules->index_size - 1)];
        if (s->ref == 0)
            return 0;
        if (s->hash != hash)
            continue;
        const struct rule *r = rules_at(rules, s->ref);
        if (r->len == len && !(r->flags & RULE_SUBTREE) == !subtree && short_equal(r->labels, labels, len))
            return s->ref;
    }
}

static void index_put(struct rules_place *index, size_t size, struct rules_place place)
{
    size_t i = place.hash;
    while (index[i & (size - 1)].ref != 0)
        i++;
    index[i & (size - 1)] = place;
}

/* Room for one more, so that index_put cannot fail. */
static int index_reserve(struct rules *rules)
{
    if (rules->count + 1 <= rules->index_size / 4 * 3)
        return 0;
    size_t size = rules->index_size * 2;
    struct rules_place *index = pages_alloc_zeroed(size * sizeof *index);
    if (index == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < rules->index_size; i++)
        if (rules->index[i].ref != 0)
            index_put(index, size, rules->index[i]);
    pages_free(rules->index, rules->index_size * sizeof *rules->index);
    rules->index = index;
    rules->index_size = size;
    return 0;
}

static void index_remove(struct rules *rules, uint32_t ref)
{
    size_t mask = rules->index_size - 1, hole = rule_hash(rules_at(rules, ref)) & mask;
    while (rules->index[hole].ref != ref)
        hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; rules->index[i].ref != 0; i = (i + 1) & mask) {
        size_t home = rules->index[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            rules->index[hole] = rules->index[i];
            hole = i;
        }
    }
    rules->index[hole].ref = 0;
}

void rules_enter(struct rules *rules, uint32_t ref)
{
    index_put(rules->index, rules->index_size, (struct rules_place){ rule_hash(rules_at(rules, ref)), ref });
    rules->count++;
}

void rules_leave(struct rules *rules, uint32_t ref)
{
    index_remove(rules, ref);
    rules->count--;
}


int rules_take(struct rules *rules, const struct owner *owner, uint32_t *ret_ref)
{
    uint32_t ref;
    int e = index_reserve(rules);
    if (e == 0)
        e = take_memory(rules, owner->len, &ref);
    if (e != 0)
        return e;
    struct rule *r = rules_at(rules, ref);
    r->flags = owner->subtree ? RULE_SUBTREE : 0;
    r->len = owner->len;
    memcpy(r->labels, owner->labels, owner->len);
    *ret_ref = ref;
    return 0;
}

const struct rule *rules_next(const struct rules *rules, struct rules_cursor *cursor)
{
    for (; cursor->chunk < rules->n_chunks; cursor->chunk++, cursor->at = 0) {
        if (cursor->chunk == 0 && cursor->at == 0)
            cursor->at = RULES_UNIT;
        while (cursor->at < rules->used[cursor->chunk]) {
            const struct rule *r = (const struct rule *)(rules->chunks[cursor->chunk] + cursor->at);
            cursor->at += rule_units(r->len) * RULES_UNIT;
            if (!(r->flags & RULE_FREE))
                return r;
        }
    }
    return NULL;
}
