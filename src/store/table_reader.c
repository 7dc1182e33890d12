#include "store/table_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/outfile.h"

struct table_reader {
    const uint8_t *map;
    size_t map_len;
    struct table_trailer trailer;
    struct slice index;
    uint64_t serial; /* of all readers of the process: addresses come back */
    char path[PATH_BYTES];
};

static int map_table(struct table_reader *t, struct fault *why)
{
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot open", t->path);
    struct stat st;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = fault_errno(why, errno, "%s: cannot stat", t->path);
    else if (st.st_size < TABLE_TRAILER_BYTES)
        r = fault_set(why, E_CORRUPT, "%s: offset 0: too short for a table", t->path);
    if (r == 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            r = fault_errno(why, errno, "%s: cannot map", t->path);
        else
            t->map = map, t->map_len = (size_t)st.st_size;
    }
    close(fd);
    return r;
}

/* A framed block at `at`, which must end at or before `limit`; its checksum holds. */
static int framed_block(const struct table_reader *t, uint64_t at, uint64_t limit,
                        struct slice *ret, struct fault *why)
{
    if (at >= limit)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": block beyond its part", t->path, at);
    struct cursor c = cursor_over(t->map + at, limit - at);
    uint64_t len = cursor_varint(&c);
    uint32_t crc = cursor_le32(&c);
    const uint8_t *bytes = len <= SIZE_MAX / 2 ? cursor_take(&c, len) : NULL;
    if (bytes == NULL)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad block length", t->path, at);
    if (crc32c(bytes, len) != crc)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad block checksum", t->path, at);
    *ret = (struct slice){ bytes, len };
    return 0;
}

static int open_index(struct table_reader *t, struct fault *why)
{
    uint64_t end = t->trailer.index_offset + t->trailer.index_bytes;
    int r = framed_block(t, t->trailer.index_offset, end, &t->index, why);
    if (r < 0)
        return r;
    struct block_cursor probe = { 0 };
    if (t->index.ptr + t->index.len != t->map + end ||
        block_cursor_over(&probe, t->index.ptr, t->index.len) < 0 || block_cursor_check_restarts(&probe) < 0)
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad index block", t->path,
                         t->trailer.index_offset);
    return 0;
}

static int open_parts(struct table_reader *t, uint64_t trailer_hash, struct fault *why)
{
    int r = map_table(t, why);
    if (r < 0)
        return r;
    const uint8_t *trailer = t->map + t->map_len - TABLE_TRAILER_BYTES;
    if (trailer_hash && hash_stable(trailer, TABLE_TRAILER_BYTES) != trailer_hash)
        return fault_set(why, E_CORRUPT,
                         "%s: offset %" PRIu64 ": trailer is not the one the manifest names",
                         t->path, (uint64_t)(t->map_len - TABLE_TRAILER_BYTES));
    r = table_trailer_decode(&t->trailer, trailer, t->map_len, t->path, why);
    return r < 0 ? r : open_index(t, why);
}

int table_reader_open(struct table_reader **ret, const char *path, uint64_t trailer_hash,
                      struct fault *why)
{
    static atomic_uint_fast64_t serials; /* orders nothing */
    struct table_reader *t = calloc(1, sizeof *t);
    if (t == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", path);
    t->serial = atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed);
    snprintf(t->path, sizeof t->path, "%s", path);
    int r = open_parts(t, trailer_hash, why);
    if (r < 0)
        table_reader_close(&t);
    else
        *ret = t;
    return r;
}

void table_reader_close(struct table_reader **reader)
{
    struct table_reader *t = *reader;
    *reader = NULL;
    if (t == NULL)
        return;
    if (t->map != NULL)
        munmap((void *)t->map, t->map_len);
    free(t);
}

void table_reader_give_back(const struct table_reader *t)
{
    if (t->map != NULL)
        (void)madvise((void *)(uintptr_t)t->map, t->map_len, MADV_DONTNEED); /* of a shared mapping: nothing is lost */
}

const struct table_trailer *table_reader_trailer(const struct table_reader *t)
{
    return &t->trailer;
}

const char *table_reader_path(const struct table_reader *t)
{
    return t->path;
}

void table_cursor_release(struct table_cursor *c)
{
    block_cursor_release(&c->index);
    block_cursor_release(&c->block);
    free(c->raw);
    ZSTD_freeDCtx(c->zstd);
    *c = (struct table_cursor){ 0 };
}

void table_cursor_attach(struct table_cursor *c, struct table_reader *r)
{
    if (c->reader != r || c->held == NULL)
        c->block_at = UINT64_MAX;
    c->reader = r;
    c->block.valid = false;
    if (block_cursor_over(&c->index, r->index.ptr, r->index.len) < 0)
        c->index.valid = false; /* cannot be: checked at opening */
}

int table_cursor_fault(const struct table_cursor *c, int code, struct fault *why)
{
    if (code == E_NOMEM)
        return fault_set(why, code, "%s: out of memory", c->reader->path);
    return fault_set(why, code, "%s: offset %" PRIu64 ": bad entry in block", c->reader->path,
                     c->block_at == UINT64_MAX ? c->reader->trailer.index_offset : c->block_at);
}

static int raw_room(struct table_cursor *c, size_t len)
{
    if (len > TABLE_BLOCK_MAX)
        return E_CORRUPT;
    if (len <= c->raw_capacity && c->raw)
        return 0;
    size_t capacity = len < 16384 ? 16384 : len;
    free(c->raw);
    c->raw = malloc(capacity);
    c->raw_capacity = c->raw ? capacity : 0;
    return c->raw ? 0 : E_NOMEM;
}

static int unpack_lz4(struct table_cursor *c, struct slice packed)
{
    if (packed.len < 4)
        return E_CORRUPT;
    uint32_t len = get_le32(packed.ptr);
    int r = raw_room(c, len);
    if (r < 0)
        return r;
    if (packed.len - 4 > INT32_MAX ||
        LZ4_decompress_safe((const char *)packed.ptr + 4, (char *)c->raw, (int)packed.len - 4,
                            (int)len) != (int)len)
        return E_CORRUPT;
    c->held = c->raw;
    c->held_len = len;
    return 0;
}

static int unpack_zstd(struct table_cursor *c, struct slice packed)
{
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (len > TABLE_BLOCK_MAX)
        return E_CORRUPT;
    int r = raw_room(c, len);
    if (r < 0)
        return r;
    if (c->zstd == NULL && (c->zstd = ZSTD_createDCtx()) == NULL)
        return E_NOMEM;
    if (ZSTD_decompressDCtx(c->zstd, c->raw, len, packed.ptr, packed.len) != len)
        return E_CORRUPT;
    c->held = c->raw;
    c->held_len = len;
    return 0;
}

/* The length is not stored: try larger rooms. */
static int unpack_zlib(struct table_cursor *c, struct slice packed)
{
    for (size_t room = 65536; room <= TABLE_BLOCK_MAX; room *= 4) {
        int r = raw_room(c, room);
        if (r < 0)
            return r;
        uLongf len = room;
        int z = uncompress(c->raw, &len, packed.ptr, packed.len);
        if (z == Z_BUF_ERROR)
            continue;
        c->held = c->raw;
        c->held_len = len;
        return z == Z_OK ? 0 : z == Z_MEM_ERROR ? E_NOMEM : E_CORRUPT;
    }
    return E_CORRUPT;
}

static int unpack(struct table_cursor *c, struct slice packed)
{
    switch (c->reader->trailer.compression) {
    case TABLE_NONE:
        c->held = packed.ptr;
        c->held_len = packed.len;
        return 0;
    case TABLE_LZ4:
    case TABLE_LZ4HC:
        return unpack_lz4(c, packed);
    case TABLE_ZSTD:
        return unpack_zstd(c, packed);
    default:
        return unpack_zlib(c, packed);
    }
}

/* Only blocks in which a seek has been are in the cache, so their restarts are checked. */
static bool from_cache(struct table_cursor *c, uint64_t at)
{
    if (c->cache == NULL || c->raw == NULL)
        return false;
    size_t len = block_cache_get(c->cache, c->reader->serial, at, c->raw, c->raw_capacity, &c->block_end);
    if (len == 0)
        return false;
    c->held = c->raw;
    c->held_len = len;
    c->block_at = at;
    return c->checked = true;
}

static void to_cache(struct table_cursor *c)
{
    if (c->cache != NULL && c->held == c->raw)
        block_cache_put(c->cache, c->reader->serial, c->block_at, c->block_end, (struct slice){ c->held, c->held_len });
}

/* The block the index cursor stands on, unless it is held already. */
static int load_block(struct table_cursor *c, struct fault *why)
{
    const struct table_reader *t = c->reader;
    struct cursor value = cursor_over(c->index.value.ptr, c->index.value.len);
    uint64_t at = cursor_varint(&value);
    if (value.failed || cursor_left(&value))
        return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad index entry", t->path,
                         t->trailer.index_offset);
    int r = 0;
    if (at != c->block_at && !from_cache(c, at)) {
        struct slice packed = { NULL, 0 };
        c->block_at = UINT64_MAX;
        c->checked = false;
        r = framed_block(t, at, t->trailer.index_offset, &packed, why);
        if (r < 0)
            return r;
        r = unpack(c, packed);
        if (r == 0)
            c->block_at = at;
        c->block_end = (uint64_t)(packed.ptr + packed.len - t->map);
    }
    if (r == 0)
        r = block_cursor_over(&c->block, c->held, c->held_len);
    if (r == 0)
        return 0;
    c->block_at = UINT64_MAX;
    return fault_set(why, r, "%s: offset %" PRIu64 ": block does not unpack", t->path, at);
}

/* From where the index stands to the first entry there is. */
static int first_of_index(struct table_cursor *c, int r, struct fault *why)
{
    c->block.valid = false;
    while (r == 0 && c->index.valid) {
        r = load_block(c, why);
        if (r < 0)
            return r;
        r = block_cursor_next(&c->block);
        if (r < 0)
            return table_cursor_fault(c, r, why);
        if (c->block.valid)
            return 0;
        r = block_cursor_next(&c->index);
    }
    return r < 0 ? table_cursor_fault(c, r, why) : 0;
}

int table_cursor_first(struct table_cursor *c, struct fault *why)
{
    int r = block_cursor_over(&c->index, c->reader->index.ptr, c->reader->index.len);
    if (r == 0)
        r = block_cursor_next(&c->index);
    return first_of_index(c, r, why);
}

static int seek_in_block(struct table_cursor *c, struct slice key)
{
    int r = c->checked ? 0 : block_cursor_check_restarts(&c->block);
    if (r < 0)
        return r;
    if (!c->checked)
        to_cache(c);
    c->checked = true;
    return block_cursor_seek(&c->block, key);
}

/* The entry found must be where the index says: else one before it may have been missed. */
static bool is_in_place(const struct table_cursor *c, struct slice key)
{
    struct slice found = block_cursor_key(&c->block);
    return slice_compare(found, key) >= 0 && slice_compare(found, block_cursor_key(&c->index)) <= 0;
}

int table_cursor_seek(struct table_cursor *c, struct slice key, struct fault *why)
{
    c->block.valid = false;
    int r = block_cursor_seek(&c->index, key);
    if (r < 0)
        return table_cursor_fault(c, r, why);
    if (!c->index.valid)
        return 0;
    r = load_block(c, why);
    if (r < 0)
        return r;
    r = seek_in_block(c, key);
    if (r < 0)
        return table_cursor_fault(c, r, why);
    if (!c->block.valid)
        r = table_cursor_next_block(c, why);
    if (r == 0 && c->block.valid && !is_in_place(c, key)) {
        c->block.valid = false;
        return table_cursor_fault(c, E_CORRUPT, why);
    }
    return r;
}

/* Blocks must rise too: the first key of the next is above the last of this one. */
int table_cursor_next_block(struct table_cursor *c, struct fault *why)
{
    struct buffer last;
    if (!c->index.valid)
        return 0;
    buffer_init(&last, TABLE_KEY_MAX);
    buffer_append(&last, c->block.key, c->block.key_len);
    int r = last.failed ? table_cursor_fault(c, E_NOMEM, why)
                        : first_of_index(c, block_cursor_next(&c->index), why);
    if (r == 0 && c->block.valid &&
        slice_compare((struct slice){ last.ptr, last.len }, block_cursor_key(&c->block)) >= 0) {
        c->block.valid = false;
        r = table_cursor_fault(c, E_CORRUPT, why);
    }
    buffer_release(&last);
    return r;
}
