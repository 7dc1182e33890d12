/* table_reader: one table, mapped; and cursors over it.
 *
 * Opening verifies size, trailer, and the index with its restarts. A data block's checksum
 * is verified each time it is read, its restarts when it is first sought in: a seek finds what
 * a walk would find, or fails, as long as keys rise. Every byte may be hostile: damage is
 * E_CORRUPT with file and offset. A file that shrinks while it is mapped would raise SIGBUS; tables
 * are never written again after their rename.
 *
 * Reader: immutable, any number of threads. Cursor: one thread; borrows the reader,
 * keeps its buffers over `table_cursor_attach` to another one.
 */
#ifndef DNSMON_STORE_TABLE_READER_H
#define DNSMON_STORE_TABLE_READER_H

#include "store/block.h"
#include "store/block_cache.h"

struct table_reader;

/* `trailer_hash` as the manifest has it, or 0 for any. */
int table_reader_open(struct table_reader **ret, const char *path, uint64_t trailer_hash,
                      struct fault *why) MUST_CHECK;
void table_reader_close(struct table_reader **r);
const struct table_trailer *table_reader_trailer(const struct table_reader *r);
const char *table_reader_path(const struct table_reader *r);
/* Its pages leave the process; they come back, from the system's cache or the file, when touched. Any thread. */
void table_reader_give_back(const struct table_reader *r);

struct ZSTD_DCtx_s;
struct table_cursor {
    struct table_reader *reader;
    struct block_cache *cache; /* borrowed; NULL = none. What is sought is looked for, and put, there */
    struct block_cursor index;
    struct block_cursor block;
    uint8_t *raw; /* the block, decompressed */
    size_t raw_capacity;
    struct ZSTD_DCtx_s *zstd;
    uint64_t block_at;  /* of the block held, UINT64_MAX = none */
    uint64_t block_end; /* of that one, in the file */
    size_t held_len;    /* of the decompressed block */
    const uint8_t *held;
    bool checked; /* the restarts of that block */
};

void table_cursor_release(struct table_cursor *c);
void table_cursor_attach(struct table_cursor *c, struct table_reader *r);

/* After each: on an entry when c->block.valid, else at the end. */
int table_cursor_first(struct table_cursor *c, struct fault *why) MUST_CHECK;
int table_cursor_seek(struct table_cursor *c, struct slice key, struct fault *why) MUST_CHECK;
int table_cursor_next_block(struct table_cursor *c, struct fault *why) MUST_CHECK;
int table_cursor_fault(const struct table_cursor *c, int code, struct fault *why);

static inline int table_cursor_next(struct table_cursor *c, struct fault *why)
{
    int r = block_cursor_next(&c->block);
    if (__builtin_expect(r == 0 && c->block.valid, 1))
        return 0;
    return r < 0 ? table_cursor_fault(c, r, why) : table_cursor_next_block(c, why);
}

#endif
