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

/* What query n said, made from n alone. */
struct said {
    struct pair_asked asked;
    uint8_t qname[255];
};

static const struct pair_asked *said(uint64_t n, int64_t ts_ns)
{
    static struct said s;
    uint64_t mix = n * UINT64_C(0xff51afd7ed558ccd);
    uint8_t label = (uint8_t)(1 + mix % 50), parts = (uint8_t)(1 + mix / 64 % 4), len = 0;
    for (uint8_t part = 0; part < parts; part++) {
        s.qname[len++] = label;
        memset(s.qname + len, 'a' + (int)(n % 26), label);
        len = (uint8_t)(len + label);
    }
    s.qname[len++] = 0;
    s.asked = (struct pair_asked){ .ts_ns = ts_ns, .client = ~mix, .qname = s.qname, .qname_len = len,
                                   .flags = (uint8_t)(n % (PAIR_FLAGS + 1)), .qtype = (uint16_t)mix,
                                   .bytes = (uint16_t)(mix >> 16) };
    return &s.asked;
}

static bool is_said(const struct pair_asked *a, uint64_t n)
{
    const struct pair_asked *want = said(n, 0);
    return a->client == want->client && a->qtype == want->qtype && a->bytes == want->bytes && a->flags == want->flags &&
           a->qname_len == want->qname_len && memcmp(a->qname, want->qname, want->qname_len) == 0;
}

static int ask(struct pair *p, uint64_t n, int64_t ts_ns)
{
    return pair_query(p, key(n), said(n, ts_ns));
}

/* Given up: how many, when the last was asked, and which it was if they come in order from `next` on. */
struct losses {
    uint64_t n, next, strange;
    int64_t last_ns;
};

static void lose(void *ctx, const struct pair_asked *asked)
{
    struct losses *l = ctx;
    l->strange += !is_said(asked, l->next++) || asked->ts_ns < l->last_ns;
    l->last_ns = asked->ts_ns;
    l->n++;
}

static void count_loss(void *ctx, const struct pair_asked *asked)
{
    struct losses *l = ctx;
    assert_int_equal(asked->qname[asked->qname_len - 1], 0);
    l->n++;
}

static void test_oldest_first(void **state)
{
    (void)state;
    struct pair p;
    struct pair_asked asked;
    assert_int_equal(pair_init(&p, 5ll * SECOND, NULL, NULL), 0);
    assert_int_equal(ask(&p, 1, 100), 0);
    assert_int_equal(ask(&p, 1, 200), 0);
    assert_true(pair_response(&p, key(1), 300, &asked));
    assert_int_equal(asked.ts_ns, 100);
    assert_true(is_said(&asked, 1));
    assert_true(pair_response(&p, key(1), 400, &asked));
    assert_int_equal(asked.ts_ns, 200);
    assert_false(pair_response(&p, key(1), 500, &asked));
    assert_false(pair_response(&p, key(2), 500, &asked));
    pair_release(&p);
}

static void test_timeout(void **state)
{
    (void)state;
    struct pair p;
    struct pair_asked asked;
    struct losses lost = { .next = 1 };
    assert_int_equal(pair_init(&p, 5ll * SECOND, lose, &lost), 0);
    assert_int_equal(ask(&p, 1, 0), 0);
    assert_int_equal(ask(&p, 2, 1), 0);
    assert_false(pair_response(&p, key(1), 5ll * SECOND + 1, &asked));
    pair_expire(&p, 5ll * SECOND);
    assert_int_equal(p.unanswered, 0);
    pair_expire(&p, 5ll * SECOND + 1);
    assert_int_equal(p.unanswered, 1);
    assert_int_equal(lost.n, 1);
    pair_expire(&p, 5ll * SECOND + 2);
    assert_int_equal(lost.n, 2);
    assert_int_equal(lost.strange, 0);
    pair_release(&p);
}

/* Random traffic; now and then the state is saved and goes on in another pair. */
static void test_balance(void **state)
{
    (void)state;
    struct pair p, q;
    struct pair_asked asked;
    struct losses lost = { 0 };
    struct buffer saved, again;
    uint64_t queries = 0, matched = 0;
    buffer_init(&saved, 64 << 20);
    buffer_init(&again, 64 << 20);
    assert_int_equal(pair_init(&p, 2ll * SECOND, count_loss, &lost), 0);
    srand(3);
    for (int64_t i = 0; i < 300000; i++) {
        int64_t now = i * 20000;
        uint64_t n = (uint64_t)rand() % 50000;
        if (rand() % 3) {
            assert_int_equal(ask(&p, n, now), 0);
            queries++;
        } else if (pair_response(&p, key(n), now, &asked)) {
            assert_true(is_said(&asked, n));
            matched++;
        }
        if (i % 1000 == 0)
            pair_expire(&p, now);
        if (i % 50000 == 49999) {
            buffer_clear(&saved);
            buffer_clear(&again);
            pair_save(&p, &saved);
            struct cursor c = cursor_over(saved.ptr, saved.len);
            assert_int_equal(pair_init(&q, 2ll * SECOND, count_loss, &lost), 0);
            assert_int_equal(pair_load(&q, &c), 0);
            assert_int_equal(cursor_left(&c), 0);
            pair_save(&q, &again);
            assert_int_equal(again.len, saved.len);
            assert_memory_equal(again.ptr, saved.ptr, saved.len);
            q.unanswered = p.unanswered;
            q.evicted = p.evicted;
            pair_release(&p);
            p = q;
        }
        if (i % 10000 == 0)
            assert_int_equal(queries, matched + p.unanswered + p.evicted + pair_count_waiting(&p));
    }
    assert_true(matched > 10000 && p.unanswered > 10000);
    assert_int_equal(lost.n, p.unanswered + p.evicted);
    pair_release(&p);
    buffer_release(&saved);
    buffer_release(&again);
}

/* As many as there may be, whichever bound comes first; those given up are told in order, and what is
 * left fits again after a restart. */
static void check_bound(bool long_names, uint64_t n, uint64_t most)
{
    struct pair p, q;
    struct losses lost = { 0 };
    struct buffer saved;
    uint8_t qname[255];
    for (int i = 0; i < 254; i++)
        qname[i] = i % 2 ? 'x' : 1;
    qname[254] = 0;
    buffer_init(&saved, 64 << 20);
    assert_int_equal(pair_init(&p, INT64_MAX, long_names ? count_loss : lose, &lost), 0);
    for (uint64_t i = 0; i < n; i++) {
        struct pair_asked asked = { .qname = qname, .qname_len = sizeof qname };
        assert_int_equal(long_names ? pair_query(&p, key(i), &asked) : ask(&p, i, (int64_t)i), 0);
    }
    assert_int_equal(pair_count_waiting(&p), most);
    assert_int_equal(p.evicted, n - most);
    assert_int_equal(lost.n, n - most);
    assert_int_equal(lost.strange, 0);
    assert_true(p.mask + 1 <= PAIR_WAITING_MAX && p.names_mask + 1 <= PAIR_NAME_BYTES_MAX);
    pair_save(&p, &saved);
    struct cursor c = cursor_over(saved.ptr, saved.len);
    assert_int_equal(pair_init(&q, INT64_MAX, NULL, NULL), 0);
    assert_int_equal(pair_load(&q, &c), 0);
    assert_int_equal(pair_count_waiting(&q), most);
    pair_release(&p);
    pair_release(&q);
    buffer_release(&saved);
}

static void test_bounded(void **state)
{
    (void)state;
    struct pair p;
    assert_int_equal(pair_init(&p, INT64_MAX, NULL, NULL), 0);
    struct pair_asked root = { .qname = (const uint8_t *)"", .qname_len = 1 };
    for (uint64_t i = 0; i < 2 * PAIR_WAITING_MAX; i++)
        assert_int_equal(pair_query(&p, key(i), &root), 0);
    assert_int_equal(p.evicted, PAIR_WAITING_MAX);
    assert_int_equal(p.mask + 1, PAIR_WAITING_MAX);
    pair_release(&p);
    check_bound(true, 200000, PAIR_NAME_BYTES_MAX / 255);
    check_bound(false, 100000, 100000);
}

/* Names of all lengths through a ring that goes around often and does not grow. */
static void test_names_go_around(void **state)
{
    (void)state;
    enum { BEHIND = 200 };
    struct pair p;
    struct losses lost = { 0 };
    struct pair_asked asked;
    assert_int_equal(pair_init(&p, INT64_MAX, lose, &lost), 0);
    uint32_t name_bytes = p.names_mask + 1;
    const uint8_t *names = p.names;
    for (uint64_t n = 0; n < 100000; n++) {
        assert_int_equal(ask(&p, n, (int64_t)n), 0);
        if (n < BEHIND)
            continue;
        assert_true(pair_response(&p, key(n - BEHIND), (int64_t)n, &asked));
        assert_true(is_said(&asked, n - BEHIND));
        pair_expire(&p, (int64_t)n);
    }
    assert_int_equal(p.names_mask + 1, name_bytes);
    assert_ptr_equal(p.names, names);
    assert_int_equal(pair_count_waiting(&p), BEHIND);
    assert_int_equal(lost.n, 0);
    pair_release(&p);
}

static void test_damaged_state(void **state)
{
    (void)state;
#define SAVED(n, flags, rest) n "\0\0\0" "keykeykeykeykey." "timetime" "clientid" "ty" "by" flags rest
    static const struct {
        const char *bytes;
        size_t len;
        int want;
    } cases[] = {
#define CASE(text, want) { text, sizeof(text) - 1, want }
        CASE(SAVED("\1", "\7", "\3" "\1a\0"), E_OK),
        CASE(SAVED("\1", "\0", "\1" "\0"), E_OK), /* the root */
        CASE("\377\377\377\377\1\2\3", E_CORRUPT),
        CASE(SAVED("\2", "\0", "\3" "\1a\0"), E_CORRUPT),
        CASE(SAVED("\1", "\10", "\3" "\1a\0"), E_CORRUPT), /* an unknown flag */
        CASE(SAVED("\1", "\0", "\0"), E_OK),                /* no name: activity is not recorded */
        CASE(SAVED("\1", "\0", "\3" "\1a"), E_CORRUPT),     /* ends early */
        CASE(SAVED("\1", "\0", "\3" "\2a\0"), E_CORRUPT),   /* a name without an end */
        CASE(SAVED("\1", "\0", "\3" "\0a\0"), E_CORRUPT),   /* one that ends before */
#undef CASE
    };
#undef SAVED
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        struct cursor c = cursor_over(cases[i].bytes, cases[i].len);
        assert_int_equal(pair_init(&p, SECOND, NULL, NULL), 0);
        int err = pair_load(&p, &c);
        if (err != cases[i].want)
            fail_msg("case %zu: %d, want %d", i, err, cases[i].want);
        pair_release(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_first), cmocka_unit_test(test_timeout),         cmocka_unit_test(test_balance),
        cmocka_unit_test(test_bounded),      cmocka_unit_test(test_names_go_around), cmocka_unit_test(test_damaged_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
