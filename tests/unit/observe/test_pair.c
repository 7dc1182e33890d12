/* Pairing: queries == matched + unanswered + waiting, whatever comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "observe/pair.h"

enum { SECOND = 1000000000 };

static struct pair_key key(uint64_t n)
{
    return (struct pair_key){ n * UINT64_C(0x9e3779b97f4a7c15), n };
}

static uint64_t waiting(const struct pair *p)
{
    uint64_t n = 0;
    for (uint64_t i = p->first; i < p->last; i++)
        n += p->ring[i & p->mask].waiting;
    return n;
}

static void test_oldest_first(void **state)
{
    (void)state;
    struct pair p;
    int64_t asked;
    assert_int_equal(pair_init(&p, 5ll * SECOND), 0);
    assert_int_equal(pair_query(&p, key(1), 100), 0);
    assert_int_equal(pair_query(&p, key(1), 200), 0);
    assert_true(pair_response(&p, key(1), 300, &asked));
    assert_int_equal(asked, 100);
    assert_true(pair_response(&p, key(1), 400, &asked));
    assert_int_equal(asked, 200);
    assert_false(pair_response(&p, key(1), 500, &asked));
    assert_false(pair_response(&p, key(2), 500, &asked));
    pair_release(&p);
}

static void test_timeout(void **state)
{
    (void)state;
    struct pair p;
    int64_t asked;
    assert_int_equal(pair_init(&p, 5ll * SECOND), 0);
    assert_int_equal(pair_query(&p, key(1), 0), 0);
    assert_false(pair_response(&p, key(1), 5ll * SECOND + 1, &asked));
    pair_expire(&p, 5ll * SECOND);
    assert_int_equal(p.unanswered, 0);
    pair_expire(&p, 5ll * SECOND + 1);
    assert_int_equal(p.unanswered, 1);
    pair_release(&p);
}

/* Random traffic; now and then the state is saved and goes on in another pair. */
static void test_balance(void **state)
{
    (void)state;
    struct pair p, q;
    struct buffer saved;
    uint64_t queries = 0, matched = 0;
    buffer_init(&saved, 64 << 20);
    assert_int_equal(pair_init(&p, 2ll * SECOND), 0);
    srand(3);
    for (int64_t i = 0; i < 300000; i++) {
        int64_t now = i * 20000, asked;
        if (rand() % 3) {
            assert_int_equal(pair_query(&p, key((uint64_t)rand() % 50000), now), 0);
            queries++;
        } else {
            matched += pair_response(&p, key((uint64_t)rand() % 50000), now, &asked);
        }
        if (i % 1000 == 0)
            pair_expire(&p, now);
        if (i % 50000 == 49999) {
            buffer_clear(&saved);
            pair_save(&p, &saved);
            struct cursor c = cursor_over(saved.ptr, saved.len);
            assert_int_equal(pair_init(&q, 2ll * SECOND), 0);
            assert_int_equal(pair_load(&q, &c), 0);
            q.unanswered = p.unanswered;
            q.evicted = p.evicted;
            pair_release(&p);
            p = q;
        }
        if (i % 10000 == 0)
            assert_int_equal(queries, matched + p.unanswered + p.evicted + waiting(&p));
    }
    assert_true(matched > 10000 && p.unanswered > 10000);
    pair_release(&p);
    buffer_release(&saved);
}

static void test_bounded(void **state)
{
    (void)state;
    struct pair p;
    assert_int_equal(pair_init(&p, INT64_MAX), 0);
    for (uint64_t i = 0; i < 2 * PAIR_WAITING_MAX; i++)
        assert_int_equal(pair_query(&p, key(i), (int64_t)i), 0);
    assert_int_equal(p.evicted, PAIR_WAITING_MAX);
    assert_int_equal(p.mask + 1, PAIR_WAITING_MAX);
    pair_release(&p);
}

static void test_damaged_state(void **state)
{
    (void)state;
    struct pair p;
    static const uint8_t absurd[] = { 0xff, 0xff, 0xff, 0xff, 1, 2, 3 };
    struct cursor c = cursor_over(absurd, sizeof absurd);
    assert_int_equal(pair_init(&p, SECOND), 0);
    assert_int_equal(pair_load(&p, &c), E_CORRUPT);
    pair_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_first), cmocka_unit_test(test_timeout), cmocka_unit_test(test_balance),
        cmocka_unit_test(test_bounded),      cmocka_unit_test(test_damaged_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
