/* A filter sidecar. `flags | pages | trailer hash LE64 | bytes`: the bytes are laid over the
 * header (flag 1) or the first page, the rest is zero, and the checksums are made right unless
 * flag 2 is set. Flag 4: the bytes are instead hashes for a builder, and what it wrote must
 * hold each of them. */
#include "base/bytes.h"
#include "base/hash.h"
#include "must.h"
#include "scratch.h"
#include "store/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES = 4, HEADER_BYTES = 32 };

static void ignore(void *ctx, const struct fault *damage)
{
    (void)damage;
    ++*(unsigned *)ctx;
}

static void ask(struct filter *f, const uint8_t *data, size_t size)
{
    struct fault why;
    bool maybe;
    unsigned bad = 0;
    for (uint64_t i = 0; i < 64; i++) {
        uint64_t hash = hash_mix(i) << (i & 7);
        filter_prefetch(f, hash);
        (void)!filter_test(f, hash, &maybe, &why);
    }
    (void)!filter_test(f, 0, &maybe, &why);
    (void)!filter_test(f, UINT64_MAX, &maybe, &why);
    for (size_t at = 0; at + 8 <= size; at += 8)
        (void)!filter_test(f, get_le64(data + at), &maybe, &why);
    filter_verify(f, ignore, &bad);
}

/* As docs/format/table.md has it. */
static void seal(uint8_t *page, uint64_t number, uint64_t trailer)
{
    put_le64(page + FILTER_PAGE_BYTES - 8,
             XXH3_64bits_withSeed(page, FILTER_PAGE_BYTES - 8, hash_mix(number + 1) ^ trailer));
}

static void open_made(unsigned flags, unsigned pages, uint64_t trailer, struct slice bytes)
{
    static uint8_t file[(PAGES + 1) * FILTER_PAGE_BYTES];
    memset(file, 0, sizeof file);
    memcpy(file, "DNSMBLM1", 8);
    put_le64(file + 8, pages);
    put_le64(file + 24, trailer);
    size_t room = flags & 1 ? HEADER_BYTES : FILTER_PAGE_BYTES;
    memcpy(file + (flags & 1 ? 0 : FILTER_PAGE_BYTES), bytes.ptr,
           bytes.len < room ? bytes.len : room);
    for (unsigned i = 0; i <= pages && !(flags & 2); i++)
        seal(file + i * FILTER_PAGE_BYTES, i, trailer);
    struct filter *f;
    struct fault why;
    (void)scratch_file("table.filter", file, (pages + 1) * FILTER_PAGE_BYTES);
    if (filter_open(&f, scratch_path("table"), trailer, &why) != 0)
        return;
    ask(f, bytes.ptr, bytes.len);
    filter_close(&f);
}

static void build(uint64_t trailer, struct slice bytes)
{
    struct filter_builder *b;
    struct filter *f;
    struct fault why;
    uint64_t len;
    const char *table = scratch_path("table");
    must(filter_builder_create(&b, table, &why) == 0);
    for (size_t at = 0; at + 8 <= bytes.len; at += 8)
        must(filter_builder_add(b, get_le64(bytes.ptr + at), &why) == 0);
    must(filter_builder_finish(b, trailer, &len, &why) == 0);
    filter_builder_destroy(&b);
    must(filter_open(&f, table, trailer, &why) == 0);
    for (size_t at = 0; at + 8 <= bytes.len; at += 8) {
        bool maybe = false;
        must(filter_test(f, get_le64(bytes.ptr + at), &maybe, &why) == 0 && maybe);
    }
    filter_close(&f);
    must(filter_open(&f, table, trailer + 1, &why) == E_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_over(data, size);
    uint8_t flags = cursor_u8(&c), pages = cursor_u8(&c);
    uint64_t trailer = cursor_le64(&c);
    struct slice rest = {c.ptr, cursor_left(&c)};
    if (c.failed)
        return 0;
    if (flags & 4)
        build(trailer, rest);
    else
        open_made(flags, pages % (PAGES + 1), trailer, rest);
    return 0;
}
