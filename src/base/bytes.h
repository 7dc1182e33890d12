/* bytes: views, unaligned integers, varints, and a cursor with a sticky error.
 *
 * A cursor reads outside bytes. Every read checks the bound; the first one that
 * does not fit sets `failed`, and all later reads return zero and move nothing,
 * so a parser reads a whole structure and asks `failed` once.
 */
#ifndef DNSMON_BASE_BYTES_H
#define DNSMON_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view: valid as long as whoever lent it says. */
struct slice {
    const uint8_t *ptr;
    size_t len;
};

static inline int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline uint16_t get_be16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t get_be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t get_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

static inline uint16_t get_le16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t get_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t get_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Eight bytes at a time, and fewer at the end: `n` of 1 to 7 bytes as the low end of a word, the
 * rest zero, without touching others (the loads overlap). */
static inline uint64_t get_le_short(const uint8_t *p, size_t n)
{
    if (n >= 4)
        return get_le32(p) | (uint64_t)get_le32(p + n - 4) << 8 * (n - 4);
    if (n >= 2)
        return get_le16(p) | (uint64_t)p[n - 1] << 8 * (n - 1);
    return p[0];
}

static inline void put_le_short(uint8_t *p, uint64_t v, size_t n)
{
    uint32_t low = (uint32_t)v;
    if (n >= 4) {
        uint32_t high = (uint32_t)(v >> 8 * (n - 4));
        memcpy(p, &low, 4);
        memcpy(p + n - 4, &high, 4);
    } else if (n >= 2) {
        memcpy(p, &low, 2);
        p[n - 1] = (uint8_t)(v >> 8 * (n - 1));
    } else {
        p[0] = (uint8_t)v;
    }
}

static inline void put_be16(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof v);
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

/* memcmp(a, b, n) == 0 and memcpy for what is mostly shorter than a call of these is worth: names,
 * addresses. */
static inline bool short_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    if (n < 8)
        return n == 0 || get_le_short(a, n) == get_le_short(b, n);
    for (size_t i = 0; i + 8 < n; i += 8)
        if (get_le64(a + i) != get_le64(b + i))
            return false;
    return get_le64(a + n - 8) == get_le64(b + n - 8);
}

static inline void short_copy(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n < 8) {
        if (n)
            put_le_short(to, get_le_short(from, n), n);
        return;
    }
    uint64_t last = get_le64(from + n - 8);
    for (size_t i = 0; i + 8 < n; i += 8)
        put_le64(to + i, get_le64(from + i));
    put_le64(to + n - 8, last);
}

/* Little-endian base 128 (as in Protocol Buffers and MTBL): seven bits a byte,
 * the high bit says that more follow. At most VARINT_MAX bytes. */
enum { VARINT_MAX = 10 };

static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

struct cursor {
    const uint8_t *ptr;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_over(const void *ptr, size_t len)
{
    const uint8_t *end = len ? (const uint8_t *)ptr + len : ptr; /* nothing may be NULL */
    return (struct cursor){ .ptr = ptr, .end = end, .failed = false };
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->ptr);
}

/* The next `len` bytes, or NULL when they are not there. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t len)
{
    if (c->failed || cursor_left(c) < len) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->ptr;
    c->ptr += len;
    return p;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);
    return p ? *p : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    return p ? get_be16(p) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p ? get_be32(p) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p ? get_le32(p) : 0;
}

static inline uint64_t cursor_le64(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    return p ? get_le64(p) : 0;
}

/* Fails on more than VARINT_MAX bytes and on bits beyond the 64th. */
static inline uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->failed || c->ptr == c->end)
            break;
        uint8_t b = *c->ptr++;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    c->failed = true;
    return 0;
}

#endif
