/* buffer: a growable byte string with a limit.
 *
 * Value type. `buffer_init` sets the limit; growth beyond it, or a failed
 * allocation, sets `failed` and drops the bytes: check it once, after a series of
 * appends. `buffer_clear` keeps the memory for the next use. One owner, one thread.
 */
#ifndef DNSMON_BASE_BUFFER_H
#define DNSMON_BASE_BUFFER_H

#include "base/bytes.h"

struct buffer {
    uint8_t *ptr;
    size_t len;
    size_t capacity;
    size_t limit;
    bool failed;
};

void buffer_init(struct buffer *b, size_t limit);
void buffer_release(struct buffer *b);
void buffer_clear(struct buffer *b);

/* Room for `len` more bytes at ptr + b->len, or NULL (and failed). The caller
 * writes there and adds to b->len. */
uint8_t *buffer_reserve_slow(struct buffer *b, size_t len);

static inline uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
    if (__builtin_expect(b->capacity - b->len >= len && b->ptr != NULL, 1))
        return b->ptr + b->len;
    return buffer_reserve_slow(b, len);
}

static inline void buffer_append(struct buffer *b, const void *ptr, size_t len)
{
    uint8_t *to = buffer_reserve(b, len);
    if (to == NULL)
        return;
    if (len)
        memcpy(to, ptr, len);
    b->len += len;
}

static inline void buffer_u8(struct buffer *b, uint8_t v)
{
    buffer_append(b, &v, 1);
}

static inline void buffer_be16(struct buffer *b, uint16_t v)
{
    uint8_t p[2];
    put_be16(p, v);
    buffer_append(b, p, sizeof p);
}

static inline void buffer_be32(struct buffer *b, uint32_t v)
{
    uint8_t p[4];
    put_be32(p, v);
    buffer_append(b, p, sizeof p);
}

static inline void buffer_le32(struct buffer *b, uint32_t v)
{
    buffer_append(b, &v, sizeof v);
}

static inline void buffer_le64(struct buffer *b, uint64_t v)
{
    buffer_append(b, &v, sizeof v);
}

static inline void buffer_varint(struct buffer *b, uint64_t v)
{
    uint8_t *to = buffer_reserve(b, VARINT_MAX);
    if (to != NULL)
        b->len = (size_t)(put_varint(to, v) - b->ptr);
}

/* printf into the buffer, without a final NUL. */
void buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
