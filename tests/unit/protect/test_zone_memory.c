/* A zone where each allocation fails in turn: what is under way can be aborted, and then all is as before; and the next try succeeds.
 * The linker puts these functions in place of the real ones (meson.build). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/pages.h"
#include "records.h"

void *__real_realloc(void *old, size_t size);
void *__real_pages_alloc(size_t size);
void *__real_pages_alloc_zeroed(size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_pages_alloc(size_t size);
void *__wrap_pages_alloc_zeroed(size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_pages_alloc(size_t size)
{
    return fails() ? NULL : __real_pages_alloc(size);
}

void *__wrap_pages_alloc_zeroed(size_t size)
{
    return fails() ? NULL : __real_pages_alloc_zeroed(size);
}

enum { FIRST = 700, SECOND = 1500 };

static void name_of(unsigned i, char name[64])
{
    snprintf(name, 64, "name-%u.test", i);
}

/* Hosts and domains of the same names, so that rules die and are born for others' sake. */
static int add_some(struct zone *z, unsigned from, unsigned to, const char *text)
{
    unsigned action;
    int e = zone_action(z, text, &action, NULL);
    for (unsigned i = from; e == 0 && i < to; i++) {
        char name[64];
        name_of(i / 2, name);
        e = zone_add(z, i % 2 ? TRIGGER_HOST : TRIGGER_DOMAIN, name, action, NULL);
    }
    return e;
}

static int make_version(struct zone *z, uint32_t serial, unsigned from, unsigned to, const char *text)
{
    int e = zone_begin(z, serial, NULL);
    assert_int_equal(e, 0);
    e = add_some(z, from, to, text);
    if (e == 0)
        e = zone_commit(z, NULL);
    if (e != 0)
        zone_abort(z);
    return e;
}

static void all_of(struct zone *z, struct records *ret)
{
    struct zone_walk w;
    struct zone_record rr;
    char line[RECORD_LINE];
    ret->n = 0;
    zone_walk_all(&w, z);
    while (zone_walk_next(&w, &rr)) {
        record_line(&rr, line);
        if (records_find(ret, line) < 0)
            records_add(ret, line);
    }
    zone_walk_close(&w);
}

static struct zone *make(void)
{
    const struct zone_options options = { .origin = "rpz.test", .ns = "localhost", .mname = "localhost", .rname = "localhost",
                                          .journal_max = 100000 };
    struct zone *z = NULL;
    while (zone_create(&z, &options, NULL) != 0)
        assert_null(z);
    return z;
}

static void test_each_allocation(void **state)
{
    struct records before, after;
    unsigned failed = 0;
    (void)state;
    records_init(&before);
    records_init(&after);
    for (long n = 0; n < 60; n++) {
        left = n;
        struct zone *z = make();
        while (make_version(z, 1, 0, FIRST, "drop") != 0)
            failed++;
        long then = left;
        left = -1;
        all_of(z, &before);
        left = then;
        if (make_version(z, 2, FIRST / 2, SECOND, "nodata") != 0) {
            failed++;
            all_of(z, &after);
            assert_true(records_equal(&before, &after));
            assert_int_equal(zone_serial(z), 1);
            assert_int_equal(make_version(z, 2, FIRST / 2, SECOND, "nodata"), 0);
        }
        assert_int_equal(zone_count(z), SECOND);
        zone_destroy(&z);
    }
    left = -1;
    assert_true(failed > 10);
    records_release(&before);
    records_release(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_allocation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
