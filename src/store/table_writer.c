#include "store/table_writer.h"

#include <inttypes.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/outfile.h"
#include "record/kind.h"
#include "store/block.h"
#include "store/filter.h"

enum { INDEX_MAX = 1 << 30 };

struct table_writer {
    struct outfile out;
    struct filter_builder *filter;
    const struct record_kind *kind;
    struct table_trailer trailer;
    struct block_builder block;
    struct block_builder index;
    size_t index_last_len;
    uint8_t index_last[TABLE_KEY_MAX];
    uint64_t block_at;   /* of the block that waits for its index entry */
    bool waiting;
    uint8_t *packed;     /* compressed form */
    size_t packed_capacity;
    void *lz4_state;
    ZSTD_CCtx *zstd;
    size_t filter_lens[KIND_FILTER_KEYS]; /* of the former key's prefixes */
    size_t last_len;
    uint8_t last[TABLE_KEY_MAX];
};

static int out_of_memory(struct table_writer *w, struct fault *why)
{
    return fault_set(why, E_NOMEM, "%s: out of memory", w->out.path);
}

static bool alloc_parts(struct table_writer *w)
{
    size_t largest = TABLE_BLOCK_BYTES + TABLE_KEY_MAX + TABLE_VALUE_MAX + 65536;
    block_builder_init(&w->block, largest);
    block_builder_init(&w->index, INDEX_MAX);
    size_t lz4 = (size_t)LZ4_compressBound((int)largest) + 4, zstd = ZSTD_compressBound(largest);
    w->packed_capacity = lz4 > zstd ? lz4 : zstd;
    w->packed = malloc(w->packed_capacity);
    w->lz4_state = malloc((size_t)LZ4_sizeofState());
    w->zstd = w->trailer.compression == TABLE_ZSTD ? ZSTD_createCCtx() : NULL;
    return w->packed && w->lz4_state && (w->zstd || w->trailer.compression != TABLE_ZSTD);
}

int table_writer_create(struct table_writer **ret, const char *path, const struct record_kind *kind,
                        enum table_compression compression, struct fault *why)
{
    struct table_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", path);
    w->out.fd = -1;
    w->kind = kind;
    w->trailer = (struct table_trailer){ .block_bytes = TABLE_BLOCK_BYTES, .compression = compression };
    int r = alloc_parts(w) ? 0 : out_of_memory(w, why);
    if (r == 0)
        r = outfile_open(&w->out, path, why);
    if (r == 0)
        r = filter_builder_create(&w->filter, path, why);
    if (r < 0)
        table_writer_destroy(&w);
    else
        *ret = w;
    return r;
}

void table_writer_destroy(struct table_writer **writer)
{
    struct table_writer *w = *writer;
    *writer = NULL;
    if (w == NULL)
        return;
    outfile_abandon(&w->out);
    filter_builder_destroy(&w->filter);
    block_builder_release(&w->block);
    block_builder_release(&w->index);
    free(w->packed);
    free(w->lz4_state);
    ZSTD_freeCCtx(w->zstd);
    free(w);
}

static struct slice compress(struct table_writer *w, struct slice raw)
{
    size_t n = 0;
    switch (w->trailer.compression) {
    case TABLE_LZ4:
        put_le32(w->packed, (uint32_t)raw.len);
        n = (size_t)LZ4_compress_fast_extState(w->lz4_state, (const char *)raw.ptr,
                                               (char *)w->packed + 4, (int)raw.len,
                                               (int)w->packed_capacity - 4, 1);
        return (struct slice){ w->packed, n + 4 };
    case TABLE_ZSTD:
        n = ZSTD_compressCCtx(w->zstd, w->packed, w->packed_capacity, raw.ptr, raw.len, 1);
        return (struct slice){ ZSTD_isError(n) ? NULL : w->packed, n };
    default:
        return raw;
    }
}

static void write_block(struct table_writer *w, struct slice bytes)
{
    uint8_t head[VARINT_MAX + 4];
    uint8_t *p = put_varint(head, bytes.len);
    put_le32(p, crc32c(bytes.ptr, bytes.len));
    outfile_write(&w->out, head, (size_t)(p + 4 - head));
    outfile_write(&w->out, bytes.ptr, bytes.len);
}

static size_t common_prefix(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t x = get_le64(a.ptr + i) ^ get_le64(b.ptr + i);
        if (x)
            return i + (size_t)__builtin_ctzll(x) / 8;
    }
    while (i < n && a.ptr[i] == b.ptr[i])
        i++;
    return i;
}

/* The index key of the block that ends with `last`: that key, or a shorter one below `next`. */
static void add_index_entry(struct table_writer *w, struct slice next)
{
    struct slice key = { w->last, w->last_len };
    size_t common = common_prefix(key, next);
    if (common < key.len && common + 1 < next.len && common + 1 < key.len)
        key = (struct slice){ next.ptr, common + 1 };
    uint8_t value[VARINT_MAX];
    struct slice offset = { value, (size_t)(put_varint(value, w->block_at) - value) };
    struct slice former = { w->index_last, w->index_last_len };
    block_builder_add(&w->index, key, common_prefix(former, key), offset);
    memcpy(w->index_last, key.ptr, key.len);
    w->index_last_len = key.len;
    w->waiting = false;
}

static int close_block(struct table_writer *w, struct fault *why)
{
    if (!block_builder_finish(&w->block))
        return out_of_memory(w, why);
    struct slice packed = compress(w, (struct slice){ w->block.bytes.ptr, w->block.bytes.len });
    if (packed.ptr == NULL)
        return fault_set(why, E_NOMEM, "%s: compression failed", w->out.path);
    w->block_at = w->out.offset;
    w->waiting = true;
    w->trailer.blocks++;
    write_block(w, packed);
    block_builder_clear(&w->block);
    return w->out.errnum ? fault_errno(why, w->out.errnum, "%s: cannot write", w->out.path) : 0;
}

/* Each prefix once: neighbours share theirs, and a prefix no longer than `shared` and of the
 * former length is the former prefix. */
static int add_filter_keys(struct table_writer *w, struct slice key, size_t shared, struct fault *why)
{
    size_t lens[KIND_FILTER_KEYS];
    unsigned n = w->kind->filter_keys(key, lens);
    for (unsigned i = 0; i < n && i < KIND_FILTER_KEYS; i++) {
        if (lens[i] > key.len)
            continue;
        if (lens[i] <= shared && w->filter_lens[i] == lens[i] && w->trailer.entries)
            continue;
        w->filter_lens[i] = lens[i];
        int r = filter_builder_add(w->filter, hash_stable(key.ptr, lens[i]), why);
        if (r < 0)
            return r;
    }
    for (unsigned i = n; i < KIND_FILTER_KEYS; i++)
        w->filter_lens[i] = SIZE_MAX;
    return 0;
}

int table_writer_add(struct table_writer *w, struct slice key, struct slice value, struct fault *why)
{
    if (key.len > TABLE_KEY_MAX || value.len > TABLE_VALUE_MAX)
        return fault_set(why, E_LIMIT, "%s: key or value is too long", w->out.path);
    struct slice last = { w->last, w->last_len };
    size_t shared = common_prefix(last, key);
    bool rises = shared == last.len ? key.len > shared || w->trailer.entries == 0
                                    : key.len > shared && last.ptr[shared] < key.ptr[shared];
    if (!rises)
        return fault_set(why, E_CORRUPT, "%s: entry %" PRIu64 ": keys do not rise", w->out.path,
                         w->trailer.entries);
    if (w->waiting)
        add_index_entry(w, key);
    int r = add_filter_keys(w, key, shared, why);
    if (r < 0)
        return r;
    block_builder_add(&w->block, key, shared, value);
    memcpy(w->last + shared, key.ptr + shared, key.len - shared);
    w->last_len = key.len;
    w->trailer.entries++;
    w->trailer.key_bytes += key.len;
    w->trailer.value_bytes += value.len;
    return block_builder_bytes(&w->block) >= TABLE_BLOCK_BYTES ? close_block(w, why) : 0;
}

static int write_end(struct table_writer *w, struct table_written *ret, struct fault *why)
{
    int r = w->block.bytes.len ? close_block(w, why) : 0;
    if (r < 0)
        return r;
    if (w->waiting)
        add_index_entry(w, (struct slice){ w->last, w->last_len });
    if (!block_builder_finish(&w->index))
        return fault_set(why, E_LIMIT, "%s: index is too large", w->out.path);
    w->trailer.index_offset = w->trailer.data_bytes = w->out.offset;
    write_block(w, (struct slice){ w->index.bytes.ptr, w->index.bytes.len });
    w->trailer.index_bytes = w->out.offset - w->trailer.index_offset;
    uint8_t trailer[TABLE_TRAILER_BYTES];
    table_trailer_encode(&w->trailer, trailer);
    outfile_write(&w->out, trailer, sizeof trailer);
    ret->entries = w->trailer.entries;
    ret->bytes = w->out.offset;
    ret->trailer_hash = hash_stable(trailer, sizeof trailer);
    return 0;
}

int table_writer_finish(struct table_writer *w, struct table_written *ret, struct fault *why)
{
    struct table_written done;
    int r = write_end(w, &done, why);
    if (r == 0)
        r = filter_builder_finish(w->filter, done.trailer_hash, &done.filter_bytes, why);
    if (r == 0)
        r = outfile_commit(&w->out, why);
    if (r < 0)
        filter_builder_remove(w->filter);
    else
        *ret = done;
    return r;
}
