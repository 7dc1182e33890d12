#include "protect/feed/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

/* As python's uuid.uuid5 says. */
static const struct {
    const char *kind, *name, *text;
} rows[] = {
    { "", "python.org", "886313e1-3b8a-5372-9b90-0c9aee199e5d" },
    { "", "dnsmon.invalid", "136a3722-b209-55ab-b548-043aaeacac75" },
    { "two", "parts", "4d7d0378-a15a-5b1b-a386-78daa03cfd15" },
};

static const struct uuid dns = { { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 } };

static void test_names(void **state)
{
    (void)state;
    char text[UUID_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uuid id = uuid_of(&dns, rows[i].kind, rows[i].name), again;
        uuid_text(&id, text);
        assert_string_equal(text, rows[i].text);
        assert_true(uuid_parse(text, &again));
        assert_memory_equal(&id, &again, sizeof id);
    }
    uuid_text(&uuid_dnsmon, text);
    assert_string_equal(text, rows[1].text);
}

static void test_parse(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "136a3722", "136a3722-b209-55ab-b548-043aaeacac7", "136A3722-b209-55ab-b548-043aaeacac75",
                                         "136a3722b-209-55ab-b548-043aaeacac75", "../a3722-b209-55ab-b548-043aaeacac75" };
    struct uuid id;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(uuid_parse(wrong[i], &id));
    assert_true(uuid_parse("136a3722-b209-55ab-b548-043aaeacac75.json", &id));
}

static void test_set(void **state)
{
    (void)state;
    struct uuid_set set = { .count = 0 };
    enum { COUNT = 5000 };
    assert_false(uuid_set_has(&set, &dns));
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < COUNT; i++) {
            char name[16];
            size_t number;
            bool is_new;
            snprintf(name, sizeof name, "%zu", i);
            const struct uuid id = uuid_of(&dns, "", name);
            assert_int_equal(uuid_set_add(&set, &id, &number, &is_new), 0);
            assert_int_equal(number, i);
            assert_int_equal(is_new, round == 0);
            assert_true(uuid_set_has(&set, &id));
        }
    assert_int_equal(set.count, COUNT);
    assert_false(uuid_set_has(&set, &dns));
    uuid_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_parse), cmocka_unit_test(test_set) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
