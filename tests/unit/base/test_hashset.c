/* hashset: what was added is there, once, through every growth; nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/hashset.h"

enum { MANY = 100000 };

static void test_many(void **state)
{
    struct hashset s = { .count = 0 };
    (void)state;
    assert_false(hashset_has(&s, 1));
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(hashset_add(&s, hash_mix(i)), 1);
    for (uint64_t i = 1; i <= MANY; i++) {
        assert_int_equal(hashset_add(&s, hash_mix(i)), 0);
        assert_true(hashset_has(&s, hash_mix(i)));
        assert_false(hashset_has(&s, hash_mix(i + MANY)));
    }
    assert_int_equal(s.count, MANY);
    assert_true(2 * s.count <= s.size);
    hashset_release(&s);
    assert_false(hashset_has(&s, hash_mix(1)));
}

/* All in one place: they lie one behind the other. */
static void test_collisions(void **state)
{
    struct hashset s = { .count = 0 };
    (void)state;
    for (uint64_t i = 1; i <= 300; i++)
        assert_int_equal(hashset_add(&s, i << 32 | 1023), 1);
    for (uint64_t i = 1; i <= 300; i++)
        assert_true(hashset_has(&s, i << 32 | 1023));
    assert_false(hashset_has(&s, UINT64_C(301) << 32 | 1023));
    hashset_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_many), cmocka_unit_test(test_collisions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
