/* Counts are exact as long as they say so, and near beyond. */
#include "base/distinct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hash.h"

static void add(struct distinct *d, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        distinct_add(d, hash_stable((const uint8_t *)&i, sizeof i));
}

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        uint64_t different;
        bool exact;
    } rows[] = { { 0, true }, { 1, true }, { DISTINCT_KEPT - 1, true }, { DISTINCT_KEPT + 1, false }, { 1000000, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct distinct d;
        uint64_t n = rows[i].different;
        assert_true(distinct_init(&d));
        for (int times = 0; times < 3; times++)
            add(&d, 0, n);
        uint64_t count = distinct_count(&d);
        assert_int_equal(distinct_is_exact(&d), rows[i].exact);
        if (rows[i].exact)
            assert_int_equal(count, n);
        else
            assert_in_range(count, n - n / 25, n + n / 25); /* five standard errors */
        distinct_release(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
