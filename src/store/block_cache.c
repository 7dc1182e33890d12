#include "store/block_cache.h"

#include "base/hash.h"

#include <stdlib.h>

enum { ROOM = 12288 /* TABLE_BLOCK_BYTES and an entry beyond it */ };

struct place {
    uint64_t table, at, end;
    size_t len; /* 0: empty */
    uint8_t *bytes;
};

struct block_cache {
    struct place places[BLOCK_CACHE_PLACES];
};

struct block_cache *block_cache_create(void)
{
    return calloc(1, sizeof(struct block_cache));
}

void block_cache_destroy(struct block_cache **c)
{
    if (*c == NULL)
        return;
    for (size_t i = 0; i < BLOCK_CACHE_PLACES; i++)
        free((*c)->places[i].bytes);
    free(*c);
    *c = NULL;
}

static size_t place_of(uint64_t table, uint64_t at)
{
    return hash_mix(table * UINT64_C(0x9e3779b97f4a7c15) + at) % BLOCK_CACHE_PLACES;
}

size_t block_cache_get(const struct block_cache *c, uint64_t table, uint64_t at, uint8_t *to, size_t room, uint64_t *ret_end)
{
    const struct place *p = &c->places[place_of(table, at)];
    if (p->len == 0 || p->table != table || p->at != at || p->len > room)
        return 0;
    memcpy(to, p->bytes, p->len);
    *ret_end = p->end;
    return p->len;
}

void block_cache_put(struct block_cache *c, uint64_t table, uint64_t at, uint64_t end, struct slice block)
{
    struct place *p = &c->places[place_of(table, at)];
    if (block.len == 0 || block.len > ROOM)
        return;
    if (p->bytes == NULL && (p->bytes = malloc(ROOM)) == NULL)
        return;
    p->table = table;
    p->at = at;
    p->end = end;
    p->len = block.len;
    memcpy(p->bytes, block.ptr, block.len);
}
