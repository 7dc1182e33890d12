/* The set of enforced names, beside what its definition says of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "dns/name.h"
#include "observe/policy.h"

static struct slice key_of(const char *name, uint8_t key[NAME_KEY_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(name, strlen(name), wire);
    assert_true(n != 0);
    return (struct slice){ key, name_owner_key(wire, n, key) };
}

static void add(struct policy *p, const char *name, enum policy_scope scope)
{
    uint8_t key[NAME_KEY_MAX];
    assert_int_equal(policy_add_name(p, key_of(name, key), scope), E_OK);
}

static bool has(const struct policy *p, const char *name)
{
    uint8_t key[NAME_KEY_MAX];
    return policy_has_name(p, key_of(name, key));
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool has;
    } rows[] = {
        { "host.example", true },      { "below.host.example", false }, { "example", false },
        { "tree.example", true },      { "www.tree.example", true },    { "zz.tree.example", true },
        { "a.aa.tree.example", true }, { "treee.example", false },      { "tre.example", false },
        { "a.tree.examplf", false },   { "zzz.example", false },        { "m.com", true },
        { "a.m.com", true },           { "n.com", false },              { ".", false },
    };
    struct policy *p;
    assert_int_equal(policy_create(&p), E_OK);
    add(p, "aa.tree.example", POLICY_SUBTREE); /* sorts between tree.example and zz.tree.example */
    add(p, "tree.example", POLICY_SUBTREE);
    add(p, "tree.example", POLICY_SUBTREE);
    add(p, "host.example", POLICY_HOST);
    add(p, "x.tree.example", POLICY_HOST);
    add(p, "m.com", POLICY_SUBTREE);
    assert_int_equal(policy_seal(p), E_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has(p, rows[i].name) != rows[i].has)
            fail_msg("%s", rows[i].name);
    assert_int_equal(policy_names(p), 4);
    policy_destroy(&p);
}

/* Labels of one of three letters, so that all kinds of nesting occur. */
static void random_name(char *name)
{
    unsigned labels = 1 + (unsigned)rand() % 5;
    for (unsigned i = 0; i < labels; i++, name += 2)
        snprintf(name, 3, "%c.", 'a' + rand() % 3);
}

static bool is_at_or_below(const char *name, const char *top)
{
    size_t n = strlen(name), t = strlen(top);
    return n >= t && strcmp(name + n - t, top) == 0; /* labels have one letter */
}

static void test_as_defined(void **state)
{
    (void)state;
    enum { LISTED = 12 };
    srand(7);
    for (int round = 0; round < 500; round++) {
        char listed[LISTED][16], asked[16];
        struct policy *p;
        assert_int_equal(policy_create(&p), E_OK);
        for (int i = 0; i < LISTED; i++) {
            random_name(listed[i]);
            add(p, listed[i], i % 2 ? POLICY_SUBTREE : POLICY_HOST);
        }
        assert_int_equal(policy_seal(p), E_OK);
        for (int k = 0; k < 60; k++) {
            bool want = false;
            random_name(asked);
            for (int i = 0; i < LISTED; i++)
                want |= i % 2 ? is_at_or_below(asked, listed[i]) : strcmp(asked, listed[i]) == 0;
            if (has(p, asked) != want)
                fail_msg("round %d: %s", round, asked);
        }
        policy_destroy(&p);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const uint8_t four[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 }, six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
    struct policy *p;
    assert_int_equal(policy_create(&p), E_OK);
    assert_false(policy_has_address(p, (struct slice){ six, 16 }));
    assert_int_equal(policy_add_address(p, four), E_OK);
    assert_int_equal(policy_add_address(p, six), E_OK);
    for (int i = 2; i < POLICY_ADDRESSES_MAX; i++)
        assert_int_equal(policy_add_address(p, six), E_OK);
    assert_int_equal(policy_add_address(p, six), E_LIMIT);
    assert_int_equal(policy_seal(p), E_OK);
    assert_true(policy_has_address(p, (struct slice){ four + 12, 4 }));
    assert_true(policy_has_address(p, (struct slice){ six, 16 }));
    assert_false(policy_has_address(p, (struct slice){ six, 4 }));
    assert_false(policy_has_address(p, (struct slice){ six + 1, 15 }));
    assert_false(policy_has_address(p, (struct slice){ NULL, 0 }));
    policy_destroy(&p);
}

static void test_bounds(void **state)
{
    (void)state;
    uint8_t key[NAME_KEY_MAX];
    struct policy *p;
    assert_int_equal(policy_create(&p), E_OK);
    assert_int_equal(policy_add_name(p, key_of(".", key), POLICY_SUBTREE), E_USAGE);
    assert_int_equal(policy_seal(p), E_OK);
    assert_false(has(p, "example.com"));
    policy_destroy(&p);
    policy_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_as_defined),
                                        cmocka_unit_test(test_addresses), cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
