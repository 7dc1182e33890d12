#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "simulate/heap.h"
#include "simulate/rng.h"

enum { MANY = 20000 };

/* Any order in, order of time out; equal times as they came. */
static void test_order(void **state)
{
    (void)state;
    struct heap h;
    struct heap_entry e, last = { -1, 0, 0 };
    struct rng r = rng_make(1, 2);
    heap_init(&h, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(heap_push(&h, rng_below(&r, 500), i), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_true(heap_pop(&h, &e));
        assert_true(e.time_ns > last.time_ns || (e.time_ns == last.time_ns && e.what > last.what));
        last = e;
    }
    assert_false(heap_pop(&h, &e));
    heap_release(&h);
}

/* As in a run: what comes out goes in again, later. */
static void test_steady(void **state)
{
    (void)state;
    struct heap h;
    struct heap_entry e;
    struct rng r = rng_make(3, 4);
    int64_t now = 0;
    heap_init(&h, 100);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(heap_push(&h, rng_below(&r, 1000), i), 0);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_true(heap_pop(&h, &e));
        assert_true(e.time_ns >= now);
        now = e.time_ns;
        assert_int_equal(heap_push(&h, now + rng_below(&r, 1000), e.what), 0);
    }
    heap_release(&h);
}

static void test_limit(void **state)
{
    (void)state;
    struct heap h;
    heap_init(&h, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(heap_push(&h, i, i), 0);
    assert_int_equal(heap_push(&h, 9, 9), E_LIMIT);
    heap_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_steady), cmocka_unit_test(test_limit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
