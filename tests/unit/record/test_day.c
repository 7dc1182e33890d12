/* Days: one encoding each, made of hours in any order and grouping, hostile bytes refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "record/day.h"
#include "record/kind.h"

enum { DAY = 19675, HOUR = DAY * DAY_HOURS, ROUNDS = 300, PARTS = 12 };

static const char owner_bytes[] = "com\0example\0";
static const struct slice owner = { (const uint8_t *)owner_bytes, sizeof owner_bytes };

static struct slice all_of(const struct buffer *b)
{
    return (struct slice){ b->ptr, b->len };
}

static struct slice key_of(uint32_t number, uint8_t key[ACTIVITY_KEY_MAX])
{
    return (struct slice){ key, activity_key_put(owner, number, key) };
}

/* Clients are few, so that those of hours overlap, or more than a sample holds. */
static void random_hour(struct activity *a, bool domain, uint32_t hour)
{
    int clients = rand() % 4 ? rand() % 20 : rand() % 200;
    uint64_t second = (uint64_t)hour * ACTIVITY_HOUR_S + (uint64_t)(rand() % ACTIVITY_HOUR_S);
    activity_init(a, domain);
    a->first = a->last = second;
    a->counters[ACTIVITY_QUERIES] = (uint64_t)(rand() % 1000);
    a->counters[ACTIVITY_TTL] = (uint64_t)(rand() % 1000);
    while (clients-- > 0)
        activity_add_client(a, (uint64_t)(rand() % 300) << 50, (uint16_t)(rand() % ACTIVITY_HOUR_S));
    for (int names = domain ? rand() % 100 : 0; names > 0; names--)
        activity_add_name(a, (struct activity_name){ (uint64_t)(rand() % 300), 3, 20 });
}

static void roll(bool domain, uint32_t hour, const struct activity *a, struct buffer *to_key, struct buffer *to_value)
{
    uint8_t key[ACTIVITY_KEY_MAX];
    struct buffer value;
    buffer_init(&value, ACTIVITY_VALUE_MAX);
    activity_put(a, &value);
    assert_int_equal(day_of_hour(domain, key_of(hour, key), all_of(&value), to_key, to_value), E_OK);
    buffer_release(&value);
}

static void merge_into(bool domain, struct buffer *into, const struct buffer *from)
{
    struct buffer both;
    buffer_init(&both, 1 << 16);
    if (into->len == 0)
        buffer_append(&both, from->ptr, from->len);
    else
        assert_int_equal(record_kinds[domain ? KIND_DOMAIN_DAY : KIND_HOST_DAY].merge(all_of(into), all_of(from), &both), E_OK);
    buffer_release(into);
    *into = both;
}

/* Hours as they are, and the same hours in two parts each that are rolled and merged backwards. */
static void test_commutes(void **state)
{
    (void)state;
    static struct activity a, b;
    for (int round = 0; round < ROUNDS; round++) {
        bool domain = round % 2;
        struct buffer forwards, backwards[2 * PARTS], sum, key;
        buffer_init(&forwards, 1 << 16);
        buffer_init(&sum, 1 << 16);
        buffer_init(&key, 1 << 16);
        for (unsigned i = 0; i < PARTS; i++) {
            struct buffer rolled;
            uint32_t hour = HOUR + (uint32_t)rand() % DAY_HOURS;
            buffer_init(&rolled, 1 << 16);
            for (unsigned half = 0; half < 2; half++) {
                buffer_init(&backwards[2 * i + half], 1 << 16);
                random_hour(half ? &b : &a, domain, hour);
                roll(domain, hour, half ? &b : &a, &key, &backwards[2 * i + half]);
            }
            activity_merge(&a, &b);
            roll(domain, hour, &a, &key, &rolled);
            merge_into(domain, &forwards, &rolled);
            buffer_release(&rolled);
        }
        for (unsigned i = 2 * PARTS; i-- > 0; buffer_release(&backwards[i]))
            merge_into(domain, &sum, &backwards[i]);
        assert_int_equal(sum.len, forwards.len);
        assert_memory_equal(sum.ptr, forwards.ptr, sum.len);
        buffer_release(&forwards);
        buffer_release(&sum);
        buffer_release(&key);
    }
}

static void test_rolling(void **state)
{
    (void)state;
    static struct activity a;
    static struct day d;
    struct buffer key, value;
    struct slice back;
    uint32_t day;
    buffer_init(&key, 1 << 10);
    buffer_init(&value, 1 << 16);
    activity_init(&a, true);
    a.first = a.last = (HOUR + 5) * (uint64_t)ACTIVITY_HOUR_S + 7;
    a.counters[ACTIVITY_QUERIES] = 9;
    activity_add_client(&a, 1, 7);
    roll(true, HOUR + 5, &a, &key, &value);
    assert_true(activity_key_get(all_of(&key), &back, &day));
    assert_int_equal(day, DAY);
    assert_int_equal(slice_compare(back, owner), 0);
    assert_true(day_get(all_of(&value), true, &d));
    assert_int_equal(d.hours, 1 << 5);
    assert_int_equal(day_count(&d), 1);
    assert_int_equal(d.all.counters[ACTIVITY_QUERIES], 9);
    assert_int_equal(d.all.n_clients, 1);
    assert_int_equal(d.all.clients[0].n_asks, 0);
    assert_int_equal(value.ptr[value.len - 3], 1 << 5); /* the last three bytes, smallest first */
    buffer_release(&key);
    buffer_release(&value);
}

static void test_hostile(void **state)
{
    (void)state;
    static struct activity a;
    static struct day d;
    struct buffer key, value, hour;
    uint8_t other[ACTIVITY_KEY_MAX];
    buffer_init(&key, 1 << 10);
    buffer_init(&value, 1 << 16);
    buffer_init(&hour, 1 << 16);
    random_hour(&a, false, HOUR + 3);
    a.n_clients = 0;
    activity_add_client(&a, 1, 7);
    roll(false, HOUR + 3, &a, &key, &value);
    assert_true(day_valid(false, all_of(&key), all_of(&value)));
    assert_false(day_valid(false, key_of(DAY + 1, other), all_of(&value)));
    for (size_t len = 0; len < value.len; len++)
        assert_false(day_get((struct slice){ value.ptr, len }, false, &d));
    value.ptr[value.len - 3] = 1 << 4; /* another hour than that of the times */
    assert_true(day_get(all_of(&value), false, &d));
    assert_false(day_valid(false, all_of(&key), all_of(&value)));
    value.ptr[value.len - 3] = 0; /* of no hour */
    assert_false(day_get(all_of(&value), false, &d));
    activity_put(&a, &hour); /* with an ask time */
    buffer_append(&hour, "\x08\0\0", 3);
    assert_false(day_get(all_of(&hour), false, &d));
    assert_int_equal(day_of_hour(false, all_of(&key), (struct slice){ hour.ptr, 3 }, &key, &value), E_CORRUPT);
    assert_int_equal(day_of_hour(false, (struct slice){ key.ptr, 4 }, all_of(&hour), &key, &value), E_CORRUPT);
    buffer_release(&key);
    buffer_release(&value);
    buffer_release(&hour);
}

static void test_kinds(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        bool rolls = kind == KIND_HOST || kind == KIND_DOMAIN;
        assert_int_equal(record_kinds[kind].roll != NULL, rolls);
        assert_true(!rolls || record_kinds[record_kinds[kind].rest].roll == NULL);
    }
    assert_string_equal(record_kinds[record_kinds[KIND_HOST].rest].name, "hostday");
    assert_string_equal(record_kinds[record_kinds[KIND_DOMAIN].rest].name, "domainday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commutes), cmocka_unit_test(test_rolling), cmocka_unit_test(test_hostile), cmocka_unit_test(test_kinds),
    };
    srand(5);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
