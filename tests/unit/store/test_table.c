/* Tables and filters by themselves, with libmtbl as oracle in both directions. */
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

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return slice_compare((struct slice){ x->key, x->key_len }, (struct slice){ y->key, y->key_len });
}

static struct row *random_rows(size_t *n)
{
    struct row *rows = calloc(*n, sizeof *rows);
    srandom(7);
    for (size_t i = 0; i < *n; i++) {
        rows[i].key_len = (size_t)random() % 90;
        for (size_t k = 0; k < rows[i].key_len; k++)
            rows[i].key[k] = (uint8_t)(random() % 3 ? 'a' + random() % 2 : random());
        rows[i].value_len = (size_t)random() % 200;
        for (size_t k = 0; k < rows[i].value_len; k++)
            rows[i].value[k] = (uint8_t)random();
    }
    qsort(rows, *n, sizeof *rows, compare_rows);
    size_t kept = 1;
    for (size_t i = 1; i < *n; i++)
        if (compare_rows(&rows[kept - 1], &rows[i]) != 0)
            rows[kept++] = rows[i];
    *n = kept;
    return rows;
}

static void write_ours(const struct row *rows, size_t n, enum table_compression compression)
{
    struct table_writer *w;
    struct table_written done;
    struct fault why = { 0 };
    assert_int_equal(table_writer_create(&w, PATH, &record_kinds[0], compression, &why), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(table_writer_add(w, (struct slice){ rows[i].key, rows[i].key_len },
                                          (struct slice){ rows[i].value, rows[i].value_len }, &why), 0);
    assert_int_equal(table_writer_finish(w, &done, &why), 0);
    assert_int_equal(done.entries, n);
    table_writer_destroy(&w);
}

static void check_ours(const struct row *rows, size_t n)
{
    struct table_reader *t;
    struct table_cursor c = { 0 };
    struct fault why = { 0 };
    assert_int_equal(table_reader_open(&t, PATH, 0, &why), 0);
    assert_int_equal(table_reader_trailer(t)->entries, n);
    table_cursor_attach(&c, t);
    assert_int_equal(table_cursor_first(&c, &why), 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(c.block.valid);
        assert_int_equal(c.block.key_len, rows[i].key_len);
        assert_memory_equal(c.block.key, rows[i].key, rows[i].key_len);
        assert_int_equal(c.block.value.len, rows[i].value_len);
        assert_memory_equal(c.block.value.ptr, rows[i].value, rows[i].value_len);
        assert_int_equal(table_cursor_next(&c, &why), 0);
    }
    assert_false(c.block.valid);
    for (size_t i = 0; i < n; i += 7) {
        struct slice key = { rows[i].key, rows[i].key_len };
        assert_int_equal(table_cursor_seek(&c, key, &why), 0);
        assert_true(c.block.valid && slice_compare(block_cursor_key(&c.block), key) == 0);
        uint8_t above[97];
        memcpy(above, key.ptr, key.len);
        above[key.len] = 0;
        key = (struct slice){ above, key.len + 1 };
        assert_int_equal(table_cursor_seek(&c, key, &why), 0);
        if (i + 1 < n)
            assert_memory_equal(c.block.key, rows[i + 1].key, rows[i + 1].key_len);
        else
            assert_false(c.block.valid);
    }
    table_cursor_release(&c);
    table_reader_close(&t);
}

static void test_libmtbl_reads_ours(void **state)
{
    (void)state;
    static const enum table_compression ways[] = { TABLE_NONE, TABLE_LZ4, TABLE_ZSTD };
    size_t n = ENTRIES;
    struct row *rows = random_rows(&n);
    for (size_t k = 0; k < 3; k++) {
        write_ours(rows, n, ways[k]);
        check_ours(rows, n);
        struct mtbl_reader_options *options = mtbl_reader_options_init();
        mtbl_reader_options_set_verify_checksums(options, true);
        struct mtbl_reader *r = mtbl_reader_init(PATH, options);
        assert_non_null(r);
        struct mtbl_iter *it = mtbl_source_iter(mtbl_reader_source(r));
        const uint8_t *key, *value;
        size_t key_len, value_len, i = 0;
        for (; mtbl_iter_next(it, &key, &key_len, &value, &value_len) == mtbl_res_success; i++) {
            assert_int_equal(key_len, rows[i].key_len);
            assert_memory_equal(key, rows[i].key, key_len);
            assert_memory_equal(value, rows[i].value, value_len);
        }
        assert_int_equal(i, n);
        mtbl_iter_destroy(&it);
        for (i = 0; i < n; i += 11) {
            it = mtbl_source_get(mtbl_reader_source(r), rows[i].key, rows[i].key_len);
            assert_int_equal(mtbl_iter_next(it, &key, &key_len, &value, &value_len), mtbl_res_success);
            mtbl_iter_destroy(&it);
        }
        mtbl_reader_destroy(&r);
        mtbl_reader_options_destroy(&options);
    }
    free(rows);
}

static void test_we_read_libmtbl(void **state)
{
    (void)state;
    static const mtbl_compression_type ways[] = { MTBL_COMPRESSION_NONE, MTBL_COMPRESSION_ZLIB, MTBL_COMPRESSION_LZ4,
                                                  MTBL_COMPRESSION_LZ4HC, MTBL_COMPRESSION_ZSTD };
    size_t n = ENTRIES;
    struct row *rows = random_rows(&n);
    for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
        unlink(PATH);
        struct mtbl_writer_options *options = mtbl_writer_options_init();
        mtbl_writer_options_set_compression(options, ways[k]);
        struct mtbl_writer *w = mtbl_writer_init(PATH, options);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(mtbl_writer_add(w, rows[i].key, rows[i].key_len, rows[i].value, rows[i].value_len),
                             mtbl_res_success);
        mtbl_writer_destroy(&w);
        mtbl_writer_options_destroy(&options);
        check_ours(rows, n);
    }
    free(rows);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),          cmocka_unit_test(test_libmtbl_reads_ours),
        cmocka_unit_test(test_we_read_libmtbl), cmocka_unit_test(test_keys_must_rise),
        cmocka_unit_test(test_filter_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
