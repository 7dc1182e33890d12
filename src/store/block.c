#include "store/block.h"

#include <stdlib.h>

void block_builder_init(struct block_builder *b, size_t limit)
{
    buffer_init(&b->bytes, limit);
    buffer_init(&b->restarts, limit);
    b->since_restart = 0;
}

void block_builder_release(struct block_builder *b)
{
    buffer_release(&b->bytes);
    buffer_release(&b->restarts);
}

void block_builder_clear(struct block_builder *b)
{
    buffer_clear(&b->bytes);
    buffer_clear(&b->restarts);
    b->since_restart = 0;
}

bool block_builder_finish(struct block_builder *b)
{
    if (b->restarts.len == 0)
        buffer_le32(&b->restarts, 0); /* MTBL wants one even in an empty index */
    uint32_t restarts = (uint32_t)(b->restarts.len / 4);
    if (b->bytes.failed || b->restarts.failed)
        return false;
    buffer_append(&b->bytes, b->restarts.ptr, b->restarts.len);
    buffer_le32(&b->bytes, restarts);
    return !b->bytes.failed;
}

void block_cursor_release(struct block_cursor *c)
{
    free(c->key);
    *c = (struct block_cursor){ 0 };
}

int block_cursor_over(struct block_cursor *c, const uint8_t *bytes, size_t len)
{
    c->valid = false;
    c->first = true;
    c->key_len = 0;
    c->entries_end = c->next = c->start = bytes;
    c->restarts = 0;
    if (len < 8)
        return E_CORRUPT;
    uint32_t restarts = get_le32(bytes + len - 4);
    if (restarts == 0 || restarts > (len - 4) / 4)
        return E_CORRUPT;
    c->restarts = restarts;
    c->entries_end = bytes + len - 4 - (size_t)restarts * 4;
    return 0;
}

static bool grow_key(struct block_cursor *c, size_t len)
{
    size_t capacity = len < 256 ? 256 : len < 4096 ? 8192 : TABLE_KEY_MAX;
    uint8_t *key = realloc(c->key, capacity);
    if (key == NULL)
        return false;
    c->key = key;
    c->key_capacity = capacity;
    return true;
}

struct entry {
    size_t shared, tail, value_len;
    const uint8_t *bytes; /* key tail, value */
};

static inline bool decode_entry(const uint8_t *p, const uint8_t *end, struct entry *ret)
{
    if (__builtin_expect(end - p >= 3 && (p[0] | p[1] | p[2]) < 0x80, 1)) {
        *ret = (struct entry){ p[0], p[1], p[2], p + 3 };
    } else {
        struct cursor c = cursor_over(p, (size_t)(end - p));
        ret->shared = cursor_varint(&c);
        ret->tail = cursor_varint(&c);
        ret->value_len = cursor_varint(&c);
        ret->bytes = c.ptr;
        if (c.failed || ret->shared > TABLE_KEY_MAX || ret->tail > TABLE_KEY_MAX ||
            ret->value_len > TABLE_VALUE_MAX || ret->shared + ret->tail > TABLE_KEY_MAX)
            return false;
    }
    return ret->tail + ret->value_len <= (size_t)(end - ret->bytes);
}

/* Is the new key (its tail after `shared`) above the one in `key`? */
static inline bool rises(const struct block_cursor *c, const struct entry *e)
{
    if (c->key_len == 0) /* then there may be no memory to point to */
        return e->tail > 0;
    size_t old_len = c->key_len - e->shared;
    const uint8_t *old = c->key + e->shared;
    if (old_len && e->tail && *old != *e->bytes)
        return *old < *e->bytes;
    return slice_compare((struct slice){ old, old_len }, (struct slice){ e->bytes, e->tail }) < 0;
}

int block_cursor_next(struct block_cursor *c)
{
    c->valid = false;
    if (c->next >= c->entries_end)
        return 0;
    struct entry e;
    if (!decode_entry(c->next, c->entries_end, &e) || e.shared > c->key_len)
        return E_CORRUPT;
    if (!c->first && !rises(c, &e))
        return E_CORRUPT;
    if (e.shared + e.tail > c->key_capacity && !grow_key(c, e.shared + e.tail))
        return E_NOMEM;
    if (e.tail)
        memcpy(c->key + e.shared, e.bytes, e.tail);
    c->key_len = e.shared + e.tail;
    c->value = (struct slice){ e.bytes + e.tail, e.value_len };
    c->next = e.bytes + e.tail + e.value_len;
    c->first = false;
    c->valid = true;
    return 0;
}

static uint32_t restart_offset(const struct block_cursor *c, uint32_t i)
{
    return get_le32(c->entries_end + (size_t)i * 4);
}

int block_cursor_check_restarts(const struct block_cursor *c)
{
    uint32_t i = 0;
    if (c->restarts == 0 || restart_offset(c, 0) != 0)
        return E_CORRUPT;
    for (const uint8_t *p = c->start; p < c->entries_end;) {
        struct entry e;
        if (!decode_entry(p, c->entries_end, &e))
            return E_CORRUPT;
        if (i < c->restarts && restart_offset(c, i) == (size_t)(p - c->start)) {
            if (e.shared != 0)
                return E_CORRUPT;
            i++;
        }
        p = e.bytes + e.tail + e.value_len;
    }
    bool empty = c->start == c->entries_end; /* whose one restart points at nothing */
    return i + empty == c->restarts ? 0 : E_CORRUPT;
}

/* The whole key at a restart point. */
static bool restart_key(const struct block_cursor *c, uint32_t i, const uint8_t **ret_at,
                        struct slice *ret_key)
{
    uint32_t offset = restart_offset(c, i);
    struct entry e;
    if (offset > (size_t)(c->entries_end - c->start) ||
        !decode_entry(c->start + offset, c->entries_end, &e) || e.shared != 0)
        return false;
    *ret_at = c->start + offset;
    *ret_key = (struct slice){ e.bytes, e.tail };
    return true;
}

int block_cursor_seek(struct block_cursor *c, struct slice key)
{
    c->first = true;
    c->key_len = 0;
    c->valid = false;
    c->next = c->start;
    if (c->start == c->entries_end)
        return 0;
    const uint8_t *at = c->start;
    struct slice found;
    uint32_t low = 0, high = c->restarts; /* the last restart with a key < `key`, or 0 */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (!restart_key(c, middle, &at, &found))
            return E_CORRUPT;
        if (slice_compare(found, key) < 0)
            low = middle;
        else
            high = middle;
    }
    if (!restart_key(c, low, &at, &found))
        return E_CORRUPT;
    c->next = at;
    do {
        int r = block_cursor_next(c);
        if (r < 0)
            return r;
    } while (c->valid && slice_compare(block_cursor_key(c), key) < 0);
    return 0;
}
