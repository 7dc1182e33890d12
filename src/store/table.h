/* table: the constants and the trailer of the MTBL v2 format; docs/format/table.md.
 *
 * A table is data blocks, one index block, and a 512-byte trailer. Our own XXH3 of the
 * trailer lies in its padding, so that each byte of the file is under a checksum; files
 * of other writers have zero there and are believed without.
 */
#ifndef DNSMON_STORE_TABLE_H
#define DNSMON_STORE_TABLE_H

#include "base/bytes.h"
#include "base/fault.h"

enum {
    TABLE_TRAILER_BYTES = 512,
    TABLE_BLOCK_BYTES = 8192,      /* a block is closed when it reaches this */
    TABLE_BLOCK_MAX = 4 << 20,     /* larger ones are refused on reading */
    TABLE_RESTART_INTERVAL = 16,
    TABLE_KEY_MAX = 65535,         /* the limit of runs, too */
    TABLE_VALUE_MAX = 65535,
};
#define TABLE_MAGIC UINT32_C(0x4D54424C)

/* libmtbl's numbers. */
enum table_compression {
    TABLE_NONE = 0,
    TABLE_SNAPPY = 1, /* not supported here */
    TABLE_ZLIB = 2,   /* read only */
    TABLE_LZ4 = 3,
    TABLE_LZ4HC = 4, /* read only: the same frames as LZ4 */
    TABLE_ZSTD = 5,
};

struct table_trailer {
    uint64_t index_offset;
    uint64_t block_bytes;
    uint64_t compression;
    uint64_t entries;
    uint64_t blocks;
    uint64_t data_bytes;
    uint64_t index_bytes;
    uint64_t key_bytes;
    uint64_t value_bytes;
};

void table_trailer_encode(const struct table_trailer *t, uint8_t to[TABLE_TRAILER_BYTES]);

/* Checks the magic, our hash where there is one, and that the parts tile a file of `file_bytes`. */
int table_trailer_decode(struct table_trailer *ret, const uint8_t from[TABLE_TRAILER_BYTES],
                         uint64_t file_bytes, const char *path, struct fault *why) MUST_CHECK;

/* CRC-32C (Castagnoli) as MTBL stores it: not masked. */
uint32_t crc32c(const void *ptr, size_t len);

#endif
