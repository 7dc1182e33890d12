/* block: the inside of a data or index block, built and read.
 *
 * Entries are `varint shared | varint unshared | varint value length | key tail |
 * value`; every TABLE_RESTART_INTERVAL-th stores its key whole and is listed in the
 * restart array at the end. Building keeps memory between blocks.
 *
 * A block cursor borrows the block's bytes and keeps the current key in memory of
 * its own. Each decoded length is bounded and keys must rise: blocks are hostile.
 */
#ifndef DNSMON_STORE_BLOCK_H
#define DNSMON_STORE_BLOCK_H

#include "base/buffer.h"
#include "store/table.h"

struct block_builder {
    struct buffer bytes;
    struct buffer restarts; /* LE32 each */
    unsigned since_restart;
};

void block_builder_init(struct block_builder *b, size_t limit);
void block_builder_release(struct block_builder *b);
void block_builder_clear(struct block_builder *b);

/* `shared`: bytes the key has in common with the former one of this block. */
static inline void block_builder_add(struct block_builder *b, struct slice key, size_t shared,
                                     struct slice value)
{
    if (b->since_restart == TABLE_RESTART_INTERVAL || b->bytes.len == 0) {
        buffer_le32(&b->restarts, (uint32_t)b->bytes.len);
        b->since_restart = 0;
        shared = 0;
    }
    b->since_restart++;
    size_t tail = key.len - shared;
    uint8_t *p = buffer_reserve(&b->bytes, 3 * VARINT_MAX + tail + value.len);
    if (p == NULL)
        return;
    p = put_varint(p, shared);
    p = put_varint(p, tail);
    p = put_varint(p, value.len);
    memcpy(p, key.ptr + shared, tail);
    if (value.len)
        memcpy(p + tail, value.ptr, value.len);
    b->bytes.len = (size_t)(p + tail + value.len - b->bytes.ptr);
}

static inline size_t block_builder_bytes(const struct block_builder *b)
{
    return b->bytes.len + b->restarts.len + 4;
}

/* Appends the restart array; false when memory or the limit ran out. */
bool block_builder_finish(struct block_builder *b);

struct block_cursor {
    const uint8_t *start; /* entries, then the restart array */
    const uint8_t *entries_end;
    const uint8_t *next;
    uint32_t restarts;
    uint8_t *key; /* grows up to TABLE_KEY_MAX */
    size_t key_len;
    size_t key_capacity;
    struct slice value;
    bool valid;      /* on an entry */
    bool first;      /* the next entry has no former one to rise above */
};

void block_cursor_release(struct block_cursor *c);

/* These return 0, E_CORRUPT or E_NOMEM, without words: the caller knows file and offset. */
int block_cursor_over(struct block_cursor *c, const uint8_t *bytes, size_t len) MUST_CHECK;
int block_cursor_next(struct block_cursor *c) MUST_CHECK; /* then look at `valid` */
int block_cursor_seek(struct block_cursor *c, struct slice key) MUST_CHECK; /* first >= key */

/* Does each restart point at an entry that stores its key whole, rising from the first? Only then
 * does a seek miss nothing; checksums do not tell. Reads the lengths of all entries, moves nothing. */
int block_cursor_check_restarts(const struct block_cursor *c) MUST_CHECK;

static inline struct slice block_cursor_key(const struct block_cursor *c)
{
    return (struct slice){ c->key, c->key_len };
}

#endif
