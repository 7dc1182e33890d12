/* Tables and filters by themselves, with libmtbl as oracle in both directions. With a number as
 * argument: only what libmtbl is asked about, over so many entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mtbl.h>

#include "kinds.h"
#include "base/hash.h"
#include "scratch.h"
#include "store/filter.h"
#include "store/table_reader.h"
#include "store/table_writer.h"

enum { ENTRIES = 20000 };
#define PATH scratch_path("table.mtbl")

struct row {
    uint8_t key[96];
    size_t key_len;
    uint8_t value[200];
    size_t value_len;
};

/* A sorted array of random rows, or, when they are too many for that, each made from its number. */
struct rows {
    size_t n;
    struct row *all;
    struct row made;
};
static size_t made_rows;

static uint8_t *put_random(uint8_t *to, uint64_t seed, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(hash_mix(seed + i / 8) >> i % 8 * 8);
    return to + len;
}

/* The key is 4 bytes | 1 to 20 bytes that follow from them | 2 bytes | up to 15 bytes: in order, with
 * shared parts of all lengths. */
static void make_row(struct row *row, size_t i)
{
    uint64_t high = i >> 10, low = i & 1023, seed = hash_mix(i + 1);
    uint8_t *p = row->key;
    put_be32(p, (uint32_t)high);
    p = put_random(p + 4, hash_mix(high), 1 + high % 20);
    put_be16(p, (uint16_t)low);
    p = put_random(p + 2, seed, seed % 16);
    row->key_len = (size_t)(p - row->key);
    row->value_len = (size_t)(put_random(row->value, ~seed, seed >> 32 & 15) - row->value);
}

static const struct row *row_at(struct rows *rows, size_t i)
{
    if (rows->all)
        return &rows->all[i];
    make_row(&rows->made, i);
    return &rows->made;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return slice_compare((struct slice){ x->key, x->key_len }, (struct slice){ y->key, y->key_len });
}

static struct rows get_rows(void)
{
    if (made_rows)
        return (struct rows){ .n = made_rows };
    struct row *rows = calloc(ENTRIES, sizeof *rows);
    srandom(7);
    for (size_t i = 0; i < ENTRIES; i++) {
        rows[i].key_len = (size_t)random() % 90;
        for (size_t k = 0; k < rows[i].key_len; k++)
            rows[i].key[k] = (uint8_t)(random() % 3 ? 'a' + random() % 2 : random());
        rows[i].value_len = (size_t)random() % 200;
        for (size_t k = 0; k < rows[i].value_len; k++)
            rows[i].value[k] = (uint8_t)random();
    }
    qsort(rows, ENTRIES, sizeof *rows, compare_rows);
    size_t kept = 1;
    for (size_t i = 1; i < ENTRIES; i++)
        if (compare_rows(&rows[kept - 1], &rows[i]) != 0)
            rows[kept++] = rows[i];
    return (struct rows){ .n = kept, .all = rows };
}

static void write_ours(struct rows *rows, enum table_compression compression)
{
    struct table_writer *w;
    struct table_written done;
    struct fault why = { 0 };
    assert_int_equal(table_writer_create(&w, PATH, &record_kinds[0], compression, &why), 0);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = row_at(rows, i);
        assert_int_equal(table_writer_add(w, (struct slice){ row->key, row->key_len },
                                          (struct slice){ row->value, row->value_len }, &why), 0);
    }
    assert_int_equal(table_writer_finish(w, &done, &why), 0);
    assert_int_equal(done.entries, rows->n);
    table_writer_destroy(&w);
}

static void check_row(const struct row *row, struct slice key, struct slice value)
{
    assert_int_equal(key.len, row->key_len);
    assert_memory_equal(key.ptr, row->key, row->key_len);
    assert_int_equal(value.len, row->value_len);
    assert_memory_equal(value.ptr, row->value, row->value_len);
}

/* Some rows are sought: the number says how far apart. */
static size_t stride(const struct rows *rows)
{
    return 5 + rows->n / 10000;
}

static void check_seeks(struct table_cursor *c, struct rows *rows)
{
    struct fault why = { 0 };
    for (size_t i = 0; i < rows->n; i += stride(rows)) {
        const struct row *row = row_at(rows, i);
        uint8_t above[97] = { 0 };
        struct slice key = { row->key, row->key_len };
        assert_int_equal(table_cursor_seek(c, key, &why), 0);
        assert_true(c->block.valid && slice_compare(block_cursor_key(&c->block), key) == 0);
        memcpy(above, key.ptr, key.len);
        key = (struct slice){ above, key.len + 1 };
        assert_int_equal(table_cursor_seek(c, key, &why), 0);
        if (i + 1 < rows->n)
            check_row(row_at(rows, i + 1), block_cursor_key(&c->block), c->block.value);
        else
            assert_false(c->block.valid);
    }
}

static void check_ours(struct rows *rows)
{
    struct table_reader *t;
    struct table_cursor c = { 0 };
    struct fault why = { 0 };
    assert_int_equal(table_reader_open(&t, PATH, 0, &why), 0);
    assert_int_equal(table_reader_trailer(t)->entries, rows->n);
    table_cursor_attach(&c, t);
    assert_int_equal(table_cursor_first(&c, &why), 0);
    for (size_t i = 0; i < rows->n; i++) {
        assert_true(c.block.valid);
        check_row(row_at(rows, i), block_cursor_key(&c.block), c.block.value);
        assert_int_equal(table_cursor_next(&c, &why), 0);
    }
    assert_false(c.block.valid);
    check_seeks(&c, rows);
    table_cursor_release(&c);
    table_reader_close(&t);
}

static void check_with_libmtbl(struct rows *rows)
{
    struct mtbl_reader_options *options = mtbl_reader_options_init();
    mtbl_reader_options_set_verify_checksums(options, true);
    struct mtbl_reader *r = mtbl_reader_init(PATH, options);
    assert_non_null(r);
    struct mtbl_iter *it = mtbl_source_iter(mtbl_reader_source(r));
    struct slice key, value;
    size_t n = 0;
    for (; mtbl_iter_next(it, &key.ptr, &key.len, &value.ptr, &value.len) == mtbl_res_success; n++)
        check_row(row_at(rows, n), key, value);
    assert_int_equal(n, rows->n);
    mtbl_iter_destroy(&it);
    for (size_t i = 0; i < rows->n; i += stride(rows)) {
        const struct row *row = row_at(rows, i);
        it = mtbl_source_get(mtbl_reader_source(r), row->key, row->key_len);
        assert_int_equal(mtbl_iter_next(it, &key.ptr, &key.len, &value.ptr, &value.len), mtbl_res_success);
        check_row(row, key, value);
        mtbl_iter_destroy(&it);
    }
    mtbl_reader_destroy(&r);
    mtbl_reader_options_destroy(&options);
}

static void test_libmtbl_reads_ours(void **state)
{
    (void)state;
    static const enum table_compression ways[] = { TABLE_LZ4, TABLE_ZSTD, TABLE_NONE };
    struct rows rows = get_rows();
    for (size_t k = 0; k < (made_rows ? 2 : 3); k++) {
        write_ours(&rows, ways[k]);
        check_ours(&rows);
        check_with_libmtbl(&rows);
    }
    free(rows.all);
    unlink(PATH);
}

static void write_with_libmtbl(struct rows *rows, mtbl_compression_type compression)
{
    unlink(PATH);
    struct mtbl_writer_options *options = mtbl_writer_options_init();
    mtbl_writer_options_set_compression(options, compression);
    struct mtbl_writer *w = mtbl_writer_init(PATH, options);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = row_at(rows, i);
        assert_int_equal(mtbl_writer_add(w, row->key, row->key_len, row->value, row->value_len), mtbl_res_success);
    }
    mtbl_writer_destroy(&w);
    mtbl_writer_options_destroy(&options);
}

static void test_we_read_libmtbl(void **state)
{
    (void)state;
    static const mtbl_compression_type ways[] = { MTBL_COMPRESSION_LZ4, MTBL_COMPRESSION_ZSTD, MTBL_COMPRESSION_NONE,
                                                  MTBL_COMPRESSION_ZLIB, MTBL_COMPRESSION_LZ4HC };
    struct rows rows = get_rows();
    for (size_t k = 0; k < (made_rows ? 2 : 5); k++) {
        write_with_libmtbl(&rows, ways[k]);
        check_ours(&rows);
    }
    free(rows.all);
    unlink(PATH);
}

static void test_keys_must_rise(void **state)
{
    (void)state;
    struct table_writer *w;
    struct fault why;
    assert_int_equal(table_writer_create(&w, PATH, &record_kinds[0], TABLE_LZ4, &why), 0);
    struct slice b = { (const uint8_t *)"b", 1 }, a = { (const uint8_t *)"a", 1 };
    assert_int_equal(table_writer_add(w, b, a, &why), 0);
    assert_int_equal(table_writer_add(w, b, a, &why), E_CORRUPT);
    assert_int_equal(table_writer_add(w, a, a, &why), E_CORRUPT);
    table_writer_destroy(&w);
}

/* Every restart set to every offset: the check accepts it exactly when a search would miss nothing. */
static void test_restarts_checked(void **state)
{
    (void)state;
    enum { KEYS = 100 };
    struct block_builder b;
    struct block_cursor c = { 0 };
    size_t starts[KEYS];
    block_builder_init(&b, 1 << 16);
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t key[8], value[2] = { 0, 1 }; /* which looks like the start of an entry */
        size_t len = (size_t)snprintf((char *)key, sizeof key, "%c%03u", i < 40 ? 'a' : 'b', i);
        starts[i] = b.bytes.len;
        block_builder_add(&b, (struct slice){ key, len }, i && i != 40 ? 2 : 0, (struct slice){ value, 2 });
    }
    assert_true(block_builder_finish(&b));
    uint8_t *bytes = b.bytes.ptr;
    const size_t len = b.bytes.len, n = (KEYS + TABLE_RESTART_INTERVAL - 1) / TABLE_RESTART_INTERVAL;
    uint8_t *restarts = bytes + len - 4 - 4 * n;
    for (size_t i = 0; i < n; i++) {
        uint32_t right = get_le32(restarts + 4 * i);
        for (uint32_t to = 0; to < len + 8; to++) {
            put_le32(restarts + 4 * i, to);
            assert_int_equal(block_cursor_over(&c, bytes, len), 0);
            bool good = to == right || (to == starts[40] && i == 2) || (to == starts[40] && i == 3);
            assert_int_equal(block_cursor_check_restarts(&c) == 0, good);
        }
        put_le32(restarts + 4 * i, right);
    }
    block_cursor_release(&c);
    block_builder_release(&b);
}

static void test_filter_rate(void **state)
{
    (void)state;
    enum { KEYS = 1000000 };
    struct filter_builder *b;
    struct filter *f;
    struct fault why;
    uint64_t bytes, wrong = 0;
    bool maybe;
    assert_int_equal(filter_builder_create(&b, scratch_path("filter"), &why), 0);
    for (uint64_t i = 0; i < KEYS; i++)
        assert_int_equal(filter_builder_add(b, hash_stable(&i, 8), &why), 0);
    assert_int_equal(filter_builder_finish(b, 42, &bytes, &why), 0);
    filter_builder_destroy(&b);
    assert_int_equal(filter_open(&f, scratch_path("filter"), 42, &why), 0);
    for (uint64_t i = 0; i < 2 * KEYS; i++) {
        assert_int_equal(filter_test(f, hash_stable(&i, 8), &maybe, &why), 0);
        if (i < KEYS)
            assert_true(maybe);
        else
            wrong += maybe;
    }
    print_message("# filter: %.4f %% false positives, %.2f bits a key\n", 100.0 * (double)wrong / KEYS,
                  8.0 * (double)bytes / KEYS);
    assert_true(wrong < KEYS / 500);
    filter_close(&f);
    assert_int_equal(filter_open(&f, scratch_path("filter"), 43, &why), E_CORRUPT);
}

static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libmtbl_reads_ours), cmocka_unit_test(test_we_read_libmtbl),
        cmocka_unit_test(test_crc),                cmocka_unit_test(test_keys_must_rise),
        cmocka_unit_test(test_restarts_checked),   cmocka_unit_test(test_filter_rate),
    };
    if (argc > 1) {
        made_rows = strtoull(argv[1], NULL, 10);
        cmocka_set_test_filter("*libmtbl*");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
