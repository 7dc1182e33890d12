/* A table file. The first byte 0: the rest is the whole file. Else its low bits are the
 * compression and the rest is `LE16 length | data block | index block`, which get framing,
 * checksums and a trailer here, so that what lies behind the checksums is reached.
 * Properties: keys rise; a seek ends at the key wanted or above it. */
#include "base/hash.h"
#include "must.h"
#include "scratch.h"
#include "store/table_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT = 64 };

static void frame(struct buffer *file, struct slice block)
{
    buffer_varint(file, block.len);
    buffer_le32(file, crc32c(block.ptr, block.len));
    buffer_append(file, block.ptr, block.len);
}

static void build(struct buffer *file, const uint8_t *data, size_t size)
{
    struct cursor c = cursor_over(data, size);
    struct table_trailer t = {.compression = cursor_u8(&c) & 7,
                              .block_bytes = TABLE_BLOCK_BYTES};
    uint8_t low = cursor_u8(&c);
    size_t len = low | (size_t)cursor_u8(&c) << 8;
    if (len > cursor_left(&c))
        len = cursor_left(&c);
    frame(file, (struct slice){c.ptr, len});
    t.index_offset = t.data_bytes = file->len;
    frame(file, (struct slice){c.ptr + len, cursor_left(&c) - len});
    t.index_bytes = file->len - t.index_offset;
    uint8_t *trailer = buffer_reserve(file, TABLE_TRAILER_BYTES);
    must(trailer != NULL);
    table_trailer_encode(&t, trailer);
    file->len += TABLE_TRAILER_BYTES;
}

struct kept {
    struct buffer keys[KEPT];
    unsigned n;
};

static void iterate(struct table_cursor *c, struct kept *kept)
{
    struct buffer last;
    struct fault why;
    bool first = true;
    buffer_init(&last, TABLE_KEY_MAX);
    int r = table_cursor_first(c, &why);
    while (r == 0 && c->block.valid) {
        struct slice key = block_cursor_key(&c->block);
        must(first || slice_compare((struct slice){last.ptr, last.len}, key) < 0);
        if (kept->n < KEPT)
            buffer_append(&kept->keys[kept->n++], key.ptr, key.len);
        first = false;
        buffer_clear(&last);
        buffer_append(&last, key.ptr, key.len);
        r = table_cursor_next(c, &why);
    }
    buffer_release(&last);
}

static void seek(struct table_cursor *c, struct slice key)
{
    struct fault why;
    if (table_cursor_seek(c, key, &why) == 0 && c->block.valid)
        must(slice_compare(block_cursor_key(&c->block), key) >= 0);
}

static void read_table(struct table_reader *r, const uint8_t *data, size_t size)
{
    static struct kept kept;
    struct table_cursor c = {0};
    kept.n = 0;
    for (unsigned i = 0; i < KEPT; i++)
        buffer_init(&kept.keys[i], TABLE_KEY_MAX);
    table_cursor_attach(&c, r);
    iterate(&c, &kept);
    for (unsigned i = 0; i < kept.n; i++)
        seek(&c, (struct slice){kept.keys[i].ptr, kept.keys[i].len});
    seek(&c, (struct slice){data, 0});
    seek(&c, (struct slice){data, size < 16 ? size : 16});
    for (unsigned i = 0; i < KEPT; i++)
        buffer_release(&kept.keys[i]);
    table_cursor_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_reader *r;
    struct fault why;
    struct buffer file;
    if (size == 0)
        return 0;
    buffer_init(&file, 4 << 20);
    if (data[0] == 0)
        buffer_append(&file, data + 1, size - 1);
    else
        build(&file, data, size);
    const char *path = scratch_file("table", file.ptr, file.len);
    if (table_reader_open(&r, path, 0, &why) == 0) {
        read_table(r, data, size);
        table_reader_close(&r);
    }
    buffer_release(&file);
    return 0;
}
