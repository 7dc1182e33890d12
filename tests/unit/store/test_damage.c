/* Every byte of every file flipped, and files cut: never a wrong answer, and fsck finds it. */
#include "world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_flips), cmocka_unit_test(test_torn_tail) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
