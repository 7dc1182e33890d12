/* Made-up names are host names, each once, and registered domains by the Public Suffix List. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "dns/suffix.h"
#include "simulate/zones.h"

enum { NAMES = 20000 };

static bool is_label(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= 63 && text[0] != '-' && text[n - 1] != '-' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static void test_labels(void **state)
{
    (void)state;
    struct rng r = rng_make(1, 1);
    char label[NAMING_LABEL_MAX + 1], typo[NAMING_LABEL_MAX + 1];
    for (int manner = NAMING_ANY; manner <= NAMING_RANDOM; manner++)
        for (int i = 0; i < 3000; i++) {
            naming_label(&r, (enum naming_manner)manner, label);
            if (!is_label(label))
                fail_msg("manner %d: '%s'", manner, label);
            naming_typo(&r, label, typo);
            if (!is_label(typo))
                fail_msg("'%s' became '%s'", label, typo);
        }
}

static void text_of(const struct zones *z, uint32_t zone, char text[NAME_TEXT_MAX])
{
    name_to_text(zones_wire(z, &z->all[zone]), z->all[zone].wire_len, text);
}

static void test_zones(void **state)
{
    (void)state;
    struct zones z;
    struct rng r = rng_make(2, 2);
    struct suffix_list *list;
    struct fault why;
    if (suffix_load(&list, SUFFIX_DEFAULT_PATH, &why) != 0)
        fail_msg("%s", why.text);
    assert_int_equal(zones_init(&z, 100), 0);
    for (uint32_t i = 1; i <= NAMES; i++) {
        char text[NAME_TEXT_MAX];
        uint8_t key[NAME_KEY_MAX];
        assert_int_equal(zones_make(&z, &r, NAMING_ANY, i % 5 ? NULL : naming_cheap_suffix(&r)), i);
        const struct zone *zone = &z.all[i];
        size_t len = name_owner_key(zones_wire(&z, zone), zone->wire_len, key);
        struct suffix_match match = suffix_find(list, key, len);
        text_of(&z, i, text);
        if (match.registered != len - 1)
            fail_msg("%s is not a registered domain", text);
        uint8_t suffix_key[NAME_KEY_MAX];
        size_t suffix_len = name_owner_key(zones_wire(&z, zone) + zone->wire_len - zone->suffix_len, zone->suffix_len, suffix_key);
        assert_int_equal(match.suffix, suffix_len - 1);
        assert_int_equal(zones_find(&z, text), i); /* not one before it: each name once */
    }
    assert_int_equal(zones_find(&z, "nobody-has-this-name.example"), 0);
    bool fresh;
    char text[NAME_TEXT_MAX];
    text_of(&z, 77, text);
    assert_int_equal(zones_add(&z, text, 1, &fresh), 77);
    assert_false(fresh);
    assert_int_equal(zones_add(&z, "..", 1, &fresh), 0);
    assert_false(z.failed);
    zones_release(&z);
    suffix_destroy(&list);
}

static void test_client_sets(void **state)
{
    (void)state;
    enum { CLIENTS = 1000 };
    struct client_set set = { 0 };
    bool seen[CLIENTS] = { false };
    struct rng r = rng_make(3, 3);
    uint32_t n = 0;
    for (int i = 0; i < 3000; i++) {
        uint32_t client = rng_below(&r, i < 10 ? 3 : CLIENTS);
        n += !seen[client];
        seen[client] = true;
        assert_true(client_set_add(&set, client, CLIENTS / 64 + 1));
        assert_int_equal(set.n, n);
    }
    free(set.bits);
}

static void test_logarithm(void **state)
{
    (void)state;
    static const struct { double x, ln; } rows[] = { { 1, 0 }, { 2.718281828459045, 1 }, { 0.5, -0.6931471805599453 },
                                                     { 1e-9, -20.72326583694641 }, { 1000, 6.907755278982137 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(rng_log(rows[i].x) - rows[i].ln < 1e-6 && rows[i].ln - rng_log(rows[i].x) < 1e-6);
    struct rng r = rng_make(4, 4);
    double sum = 0;
    for (int i = 0; i < 100000; i++)
        sum += rng_exponential(&r, 3);
    assert_true(sum / 100000 > 2.95 && sum / 100000 < 3.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_labels), cmocka_unit_test(test_zones),
                                        cmocka_unit_test(test_client_sets), cmocka_unit_test(test_logarithm) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
