/* Every byte of every file flipped, and files cut: never a wrong answer, and fsck finds it. */
#include "world.h"

#include "store/inside.h"

static const int64_t NOON = 1700049600;

static uint8_t *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *p = malloc(1 << 20);
    *len = fread(p, 1, 1 << 20, f);
    fclose(f);
    return p;
}

static void put_byte(const char *path, size_t at, uint8_t v)
{
    FILE *f = fopen(path, "r+b");
    fseek(f, (long)at, SEEK_SET);
    fputc(v, f);
    fclose(f);
}

/* Opens and compares; wrong answers fail, errors are fine. */
static void look(const char *path, size_t at, const struct reference *ref)
{
    struct store *s;
    struct fault why = { 0 };
    if (store_open(&s, world_dir, STORE_READ, NULL, &why) < 0)
        return;
    if (world_compare(s, KIND_RR, ref) == 1)
        fail_msg("%s: offset %zu: wrong answer", path, at);
    struct buffer b;
    buffer_init(&b, 1000);
    if (store_state(s, &b, &why) == 0 && (b.len != 15 || memcmp(b.ptr, "state of things", 15) != 0))
        fail_msg("%s: offset %zu: wrong state", path, at);
    buffer_release(&b);
    store_close(&s);
}

static void flip_all(const char *path, const struct reference *ref)
{
    size_t len;
    uint8_t *bytes = slurp(path, &len);
    assert_true(len > 0);
    for (size_t at = 0; at < len; at++) {
        put_byte(path, at, bytes[at] ^ (uint8_t)(1u << at % 8));
        look(path, at, ref);
        if (world_fsck(false) == 0)
            fail_msg("%s: offset %zu: not found by fsck", path, at);
        put_byte(path, at, bytes[at]);
    }
    assert_int_equal(world_fsck(true), 0);
    free(bytes);
}

static void each_file(void (*fn)(const char *path, const struct reference *ref), const struct reference *ref)
{
    DIR *d = opendir(world_dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", world_dir, e->d_name);
        if (e->d_name[0] != '.' && strcmp(e->d_name, "LOCK") != 0)
            fn(path, ref);
    }
    closedir(d);
}

static void cut(const char *path, const struct reference *ref)
{
    size_t len;
    uint8_t *bytes = slurp(path, &len);
    if (strstr(path, "MANIFEST") == NULL)
        for (size_t keep = 0; keep < len; keep += 1 + len / 97) {
            assert_int_equal(truncate(path, (off_t)keep), 0);
            look(path, keep, ref);
            assert_true(world_fsck(false) > 0);
            FILE *f = fopen(path, "wb");
            fwrite(bytes, 1, len, f);
            fclose(f);
        }
    free(bytes);
}

static void make_world(struct reference *ref)
{
    struct fault why = { 0 };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(world_add(s, KIND_RR, NOON, 1, ref, &why), 0);
    assert_int_equal(world_add(s, KIND_RR, NOON + 60, 2, ref, &why), 0);
    store_close(&s);
}

static void test_flips(void **state)
{
    (void)state;
    struct reference ref = { 0 };
    make_world(&ref);
    each_file(flip_all, &ref);
    each_file(cut, &ref);
    world_remove();
}

/* Cutting the manifest inside its last record is a torn tail: the state before it, and no damage. */
static void test_torn_tail(void **state)
{
    (void)state;
    struct reference ref = { 0 }, before;
    struct fault why = { 0 };
    struct stat st;
    char path[512];
    make_world(&ref);
    snprintf(path, sizeof path, "%s/MANIFEST", world_dir);
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(stat(path, &st), 0);
    before = ref;
    size_t start = (size_t)st.st_size, len;
    assert_int_equal(world_add(s, KIND_RR, NOON + 120, 3, &ref, &why), 0);
    store_close(&s);
    uint8_t *bytes = slurp(path, &len);
    for (size_t keep = len - 1; keep >= start; keep--) {
        assert_int_equal(truncate(path, (off_t)keep), 0);
        s = world_open(STORE_READ, NULL);
        assert_int_equal(world_compare(s, KIND_RR, &before), 0);
        store_close(&s);
    }
    assert_int_equal(truncate(path, (off_t)start + 40), 0);
    s = world_open(STORE_WRITE, NULL);
    assert_int_equal(world_compare(s, KIND_RR, &before), 0);
    assert_int_equal(world_add(s, KIND_RR, NOON + 180, 3, &before, &why), 0);
    store_close(&s);
    s = world_open(STORE_READ, NULL);
    assert_int_equal(world_compare(s, KIND_RR, &before), 0);
    store_close(&s);
    free(bytes);
    world_remove();
}

/* Restart arrays that lie, under right checksums: no key is missed, and fsck says it. */
enum { MANY = 60000 };

static size_t many_key(unsigned i, uint8_t key[64])
{
    size_t n = (size_t)snprintf((char *)key, 64, "com%ck%06u%c%c", 0, i, 0, 0);
    memcpy(key + n, "tail", 4);
    return n + 4;
}

/* A database of one table that is not compressed, so that its blocks can be changed in place. */
static void make_plain(char path[PATH_BYTES])
{
    struct fault why = { 0 };
    struct table_writer *w;
    struct table_written done;
    static const uint8_t value[] = { 100, 5, 1 };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    struct store_table t = { .id = 1000, .kind = KIND_RR, .tier = TIER_SLOT, .slot = 60, .from = 100, .to = 105 };
    table_path(world_dir, &t, path);
    assert_int_equal(table_writer_create(&w, path, &record_kinds[KIND_RR], TABLE_NONE, &why), 0);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t key[64];
        size_t len = many_key(i, key);
        assert_int_equal(table_writer_add(w, (struct slice){ key, len }, (struct slice){ value, 3 }, &why), 0);
    }
    assert_int_equal(table_writer_finish(w, &done, &why), 0);
    table_writer_destroy(&w);
    t.entries = done.entries, t.bytes = done.bytes, t.filter_bytes = done.filter_bytes;
    t.trailer_hash = done.trailer_hash;
    struct store_change change = { .add = &t, .n_add = 1 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    store_close(&s);
}

/* Where a framed block begins in the file, and its parts. */
struct framed {
    uint8_t *crc, *bytes, *restarts;
    size_t len;
    uint32_t n;
};

static struct framed framed_at(uint8_t *at)
{
    struct cursor c = cursor_over(at, VARINT_MAX + 4);
    struct framed b = { .len = cursor_varint(&c) };
    b.crc = (uint8_t *)c.ptr;
    b.bytes = b.crc + 4;
    b.n = get_le32(b.bytes + b.len - 4);
    b.restarts = b.bytes + b.len - 4 - 4 * b.n;
    return b;
}

static void spill(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

/* Each key is there, or the store says that it cannot tell. */
static void look_up_many(bool sound)
{
    struct fault why = { 0 };
    struct slice found, value;
    struct store *s = world_open(STORE_READ, NULL);
    for (unsigned i = 0; i < MANY; i += 7) {
        uint8_t key[64];
        size_t len = many_key(i, key);
        struct store_range exact = { .kind = KIND_RR, .exact = { key, len - 4 } };
        struct store_scan *scan;
        int r = store_scan_open(&scan, s, &exact, &why);
        if (r == 0) {
            r = store_scan_next(scan, &found, &value, &why);
            assert_true(r < 0 || (found.ptr && found.len == len && memcmp(found.ptr, key, len) == 0));
            store_scan_close(&scan);
        }
        assert_true(r == 0 || (!sound && r == E_CORRUPT));
    }
    store_close(&s);
}

static void test_restarts(void **state)
{
    (void)state;
    static const struct {
        uint32_t restart, from; /* set to that of `from`, */
        int32_t add;            /* and so much more */
    } rows[] = {
        { 0, 1, 0 },         /* what comes before is missed */
        { 1, 2, 0 },         /* not rising */
        { 2, 1, 0 },
        { 1, 1, 1 },         /* not the start of an entry */
        { 1, 1, -3 },        /* inside the value before */
        { 0, 0, 21 },        /* an entry that shares */
        { 1, 1, 1 << 20 },   /* beyond */
        { 2, 2, INT32_MAX },
    };
    char path[PATH_BYTES];
    size_t len;
    make_plain(path);
    uint8_t *good = slurp(path, &len), *bytes = malloc(len);
    uint8_t *index = good + get_le64(good + len - TABLE_TRAILER_BYTES);
    assert_true(framed_at(good).n > 3 && framed_at(index).n > 3);
    assert_int_equal(world_fsck(true), 0);
    look_up_many(true);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const uint32_t restart = rows[i / 2].restart, from = rows[i / 2].from;
        memcpy(bytes, good, len);
        struct framed b = framed_at(bytes + (i % 2 ? index - good : 0));
        put_le32(b.restarts + 4 * restart, get_le32(b.restarts + 4 * from) + (uint32_t)rows[i / 2].add);
        put_le32(b.crc, crc32c(b.bytes, b.len));
        spill(path, bytes, len);
        assert_true(world_fsck(false) > 0);
        look_up_many(false);
    }
    free(bytes);
    free(good);
    world_remove();
}

/* An index key too high sends a seek to the block before: it says so, and so does fsck. */
static void test_index_key(void **state)
{
    (void)state;
    char path[PATH_BYTES];
    size_t len;
    make_plain(path);
    uint8_t *bytes = slurp(path, &len);
    struct framed b = framed_at(bytes + get_le64(bytes + len - TABLE_TRAILER_BYTES));
    b.bytes[3 + b.bytes[1] - 1]++; /* the last byte of the first key */
    put_le32(b.crc, crc32c(b.bytes, b.len));
    spill(path, bytes, len);
    assert_true(world_fsck(false) > 0);
    look_up_many(false);
    free(bytes);
    world_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_flips), cmocka_unit_test(test_torn_tail),
                                        cmocka_unit_test(test_restarts), cmocka_unit_test(test_index_key) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
