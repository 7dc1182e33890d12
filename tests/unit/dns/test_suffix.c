/* Registered domains: the same as libpsl says, over the list's own rules and names made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/suffix.h"

static void test_rules(void **state)
{
    (void)state;
    static const char list_text[] = "com\nuk\nco.uk\n*.ck\n!www.ck\n// remark\nblog.example.com\n\xe4\xb8\xad\xe5\x9b\xbd\n";
    static const struct { const char *name, *registered; } rows[] = {
        { "com", NULL }, { "a.com", "a.com" }, { "b.a.com", "a.com" }, { "co.uk", NULL }, { "x.y.co.uk", "y.co.uk" },
        { "ck", NULL }, { "a.ck", NULL }, { "b.a.ck", "b.a.ck" }, { "www.ck", "www.ck" }, { "a.www.ck", "www.ck" },
        { "a.b.unknown", "b.unknown" }, { "x.blog.example.com", "x.blog.example.com" }, { "blog.example.com", NULL },
        { "z.example.com", "example.com" }, { "a.xn--fiqs8s", "a.xn--fiqs8s" },
    };
    struct suffix_list *list;
    assert_int_equal(suffix_parse(&list, list_text, sizeof list_text - 1, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX], back[NAME_WIRE_MAX];
        char text[NAME_TEXT_MAX], want[NAME_TEXT_MAX];
        size_t n = name_from_text(rows[i].name, strlen(rows[i].name), wire);
        n = name_owner_key(wire, n, key);
        size_t registered = suffix_find(list, key, n).registered;
        if (rows[i].registered == NULL) {
            assert_int_equal(registered, 0);
            continue;
        }
        assert_true(registered > 0);
        key[registered] = 0;
        name_to_text(back, name_from_owner_key(key, registered + 1, back), text);
        snprintf(want, sizeof want, "%s.", rows[i].registered);
        assert_string_equal(text, want);
    }
    suffix_destroy(&list);
}

static void test_tld(void **state)
{
    (void)state;
    static const char list_text[] = "com\nco.uk\n*.ck\n";
    static const struct {
        const char *name;
        bool listed;
    } rows[] = {
        { "com", true }, { "b.a.com", true }, { "a.uk", true }, { "a.ck", true }, { "a.lan", false }, { "com.lan", false }, { ".", false },
    };
    struct suffix_list *list;
    assert_int_equal(suffix_parse(&list, list_text, sizeof list_text - 1, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
        size_t n = name_from_text(rows[i].name, strlen(rows[i].name), wire);
        n = name_owner_key(wire, n, key);
        assert_int_equal(suffix_tld(list, key, n), rows[i].listed);
    }
    suffix_destroy(&list);
}

static void compare(const struct suffix_list *list, const psl_ctx_t *psl, const char *name, int *ret_compared)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX], back[NAME_WIRE_MAX];
    char ours[NAME_TEXT_MAX] = "";
    size_t n = name_from_text(name, strlen(name), wire);
    if (n == 0)
        return;
    n = name_owner_key(wire, n, key);
    size_t registered = suffix_find(list, key, n).registered;
    if (registered > 0) {
        key[registered] = 0;
        size_t len = name_to_text(back, name_from_owner_key(key, registered + 1, back), ours);
        ours[len - 1] = '\0';
    }
    const char *theirs = psl_registrable_domain(psl, name);
    if (strcmp(ours, theirs ? theirs : "") != 0)
        fail_msg("%s: ours %s, libpsl %s", name, ours, theirs ? theirs : "(none)");
    ++*ret_compared;
}

static void test_against_libpsl(void **state)
{
    (void)state;
    struct suffix_list *list;
    struct fault why;
    if (suffix_load(&list, SUFFIX_DEFAULT_PATH, &why) != 0)
        fail_msg("%s (make setup installs it)", why.text);
    psl_ctx_t *psl = psl_load_file(SUFFIX_DEFAULT_PATH);
    FILE *file = fopen(SUFFIX_DEFAULT_PATH, "r");
    char line[1024], name[2048];
    int compared = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] == '\0' || strncmp(line, "//", 2) == 0)
            continue;
        const char *rule = line[0] == '!' ? line + 1 : strncmp(line, "*.", 2) == 0 ? line + 2 : line;
        bool ascii = true;
        for (const char *c = rule; *c; c++)
            ascii &= (unsigned char)*c < 0x80;
        if (!ascii)
            continue; /* libpsl's look-ups by U-label; the A-label is in test_rules */
        static const char *const before[] = { "", "a.", "b.a.", "www.", "c.b.a." };
        for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
            snprintf(name, sizeof name, "%s%s", before[i], rule);
            compare(list, psl, name, &compared);
        }
    }
    assert_true(compared > 10000);
    fclose(file);
    psl_free(psl);
    suffix_destroy(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_tld),
        cmocka_unit_test(test_against_libpsl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
