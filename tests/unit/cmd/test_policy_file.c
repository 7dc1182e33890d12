/* The text of a policy: a row a form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "cmd/policy_file.h"
#include "dns/name.h"
#include "scratch.h"

static const struct {
    const char *text, *wrong; /* what is said, or NULL */
    size_t names;
} rows[] = {
    { "", NULL, 0 },
    { "a.example\n", NULL, 1 },
    { "a.example", NULL, 1 },
    { "a.example.\r\n\r\n  # a comment\n\tb.example  \n", NULL, 2 },
    { "*.a.example\nb.a.example\nc.example\nc.example\n", NULL, 4 },
    { "*.a.example\n*.b.a.example\n", NULL, 1 },
    { "@192.0.2.1\n@2001:db8::1\n", NULL, 0 },
    { "a.example\n@192.0.2\n", "p:2: neither a name, *.name nor @address", 0 },
    { "a..example\n", "p:1: neither a name, *.name nor @address", 0 },
    { "a example\n", NULL, 1 }, /* a name may hold a blank */
    { "*.\n", "p:1: neither a name, *.name nor @address", 0 },
    { "*..\n", "p:1: that would be all names", 0 },
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault why = { 0 };
        struct policy *p = NULL;
        struct slice text = { (const uint8_t *)rows[i].text, strlen(rows[i].text) };
        int err = policy_parse(&p, text, "p", &why);
        if ((err != 0) != (rows[i].wrong != NULL))
            fail_msg("row %zu: %s", i, why.text);
        if (err == 0)
            assert_int_equal(policy_names(p), rows[i].names);
        else
            assert_string_equal(why.text, rows[i].wrong);
        policy_destroy(&p);
    }
}

static bool has(const struct policy_file *f, const char *name)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t n = name_from_text(name, strlen(name), wire);
    return policy_has_name(policy_file_policy(f), (struct slice){ key, name_owner_key(wire, n, key) });
}

/* A refresh looks once a second. */
static bool refresh(struct policy_file *f)
{
    nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 10000000 }, NULL);
    return policy_file_refresh(f);
}

static void test_refresh(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct policy_file *f = NULL;
    const char *path = scratch_file("policy", (const uint8_t *)"a.example\n", 10);
    assert_int_equal(policy_file_open(&f, path, &why), 0);
    assert_true(has(f, "a.example"));
    assert_false(refresh(f));
    scratch_file("policy", (const uint8_t *)"*.b.example\n", 12);
    assert_true(refresh(f));
    assert_false(policy_file_refresh(f));
    assert_true(has(f, "x.b.example") && !has(f, "a.example"));
    scratch_file("policy", (const uint8_t *)"@nothing\n", 9);
    assert_false(refresh(f));
    assert_true(has(f, "x.b.example"));
    unlink(path);
    assert_false(refresh(f));
    scratch_file("policy", (const uint8_t *)"c.example\n", 10);
    assert_true(refresh(f));
    assert_true(has(f, "c.example"));
    policy_file_close(&f);
    assert_int_equal(policy_file_open(&f, "/no/such/file", &why), E_ABSENT);
    assert_int_not_equal(policy_file_open(&f, scratch_folder(), &why), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms), cmocka_unit_test(test_refresh) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
