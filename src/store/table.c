#include "store/table.h"

#include <inttypes.h>
#include <nmmintrin.h>

#include "base/hash.h"

enum { HASH_AT = 500, MAGIC_AT = 508 };

uint32_t crc32c(const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    uint64_t crc = 0xffffffff;
    for (; len >= 8; p += 8, len -= 8)
        crc = _mm_crc32_u64(crc, get_le64(p));
    for (; len; p++, len--)
        crc = _mm_crc32_u8((uint32_t)crc, *p);
    return (uint32_t)crc ^ 0xffffffff;
}

/* Over the whole trailer with the hash's own place zero. */
static uint64_t trailer_hash(const uint8_t trailer[TABLE_TRAILER_BYTES])
{
    uint8_t copy[TABLE_TRAILER_BYTES];
    memcpy(copy, trailer, sizeof copy);
    memset(copy + HASH_AT, 0, 8);
    return hash_stable(copy, sizeof copy);
}

void table_trailer_encode(const struct table_trailer *t, uint8_t to[TABLE_TRAILER_BYTES])
{
    const uint64_t fields[] = { t->index_offset, t->block_bytes, t->compression,
                                t->entries,      t->blocks,      t->data_bytes,
                                t->index_bytes,  t->key_bytes,   t->value_bytes };
    memset(to, 0, TABLE_TRAILER_BYTES);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put_le64(to + 8 * i, fields[i]);
    put_le32(to + MAGIC_AT, TABLE_MAGIC);
    put_le64(to + HASH_AT, trailer_hash(to));
}

static int check_parts(const struct table_trailer *t, uint64_t file_bytes, const char *path,
                       struct fault *why)
{
    if (t->index_offset > file_bytes || t->index_bytes > file_bytes ||
        t->index_offset + t->index_bytes + TABLE_TRAILER_BYTES != file_bytes ||
        t->data_bytes != t->index_offset)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": trailer does not fit the file",
                         path, file_bytes - TABLE_TRAILER_BYTES);
    if (t->compression > TABLE_ZSTD || t->compression == TABLE_SNAPPY)
        return fault_set(why, E_UNSUPPORTED, "%s: compression %" PRIu64 " is not supported",
                         path, t->compression);
    return 0;
}

int table_trailer_decode(struct table_trailer *ret, const uint8_t from[TABLE_TRAILER_BYTES],
                         uint64_t file_bytes, const char *path, struct fault *why)
{
    uint64_t at = file_bytes - TABLE_TRAILER_BYTES;
    if (get_le32(from + MAGIC_AT) != TABLE_MAGIC)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": not an MTBL v2 table", path,
                         at + MAGIC_AT);
    uint64_t hash = get_le64(from + HASH_AT);
    if (hash != 0 && hash != trailer_hash(from))
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad trailer checksum", path, at);
    struct table_trailer t = {
        .index_offset = get_le64(from),      .block_bytes = get_le64(from + 8),
        .compression = get_le64(from + 16),  .entries = get_le64(from + 24),
        .blocks = get_le64(from + 32),       .data_bytes = get_le64(from + 40),
        .index_bytes = get_le64(from + 48),  .key_bytes = get_le64(from + 56),
        .value_bytes = get_le64(from + 64),
    };
    int r = check_parts(&t, file_bytes, path, why);
    if (r == 0)
        *ret = t;
    return r;
}
