/* Facts: one JSON object whatever is put into it, with everything whole that is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "detect/facts.h"

static void test_members(void **state)
{
    (void)state;
    struct facts f;
    facts_begin(&f);
    facts_number(&f, "mean", 1.5);
    facts_number(&f, "none", NAN);
    facts_count(&f, "queries", UINT64_MAX);
    facts_flag(&f, "whole", true);
    facts_text(&f, "host", "a\"\\\x01\xe4z", 6);
    facts_open(&f, "list", FACTS_LIST);
    facts_close(&f);
    facts_open(&f, "periods", FACTS_LIST);
    facts_count(&f, NULL, 1);
    facts_open(&f, NULL, FACTS_OBJECT);
    facts_text(&f, "x", "", 0);
    facts_close(&f);
    facts_count(&f, NULL, 2);
    facts_close(&f);
    facts_series(&f, "hourly", 480000, (const uint32_t[]){ 3, 0, 4294967295 }, 3);
    assert_string_equal(facts_end(&f), "{\"mean\":1.5,\"none\":null,\"queries\":18446744073709551615,\"whole\":true,"
                                       "\"host\":\"a\\\"\\\\\\u0001\\u00e4z\",\"list\":[],\"periods\":[1,{\"x\":\"\"},2],"
                                       "\"hourly\":{\"from\":480000,\"values\":[3,0,4294967295]}}");
}

static void test_empty(void **state)
{
    (void)state;
    struct facts f;
    facts_begin(&f);
    assert_string_equal(facts_end(&f), "{}");
}

/* A text that never fits: nothing but the mark. */
static void test_too_long(void **state)
{
    (void)state;
    static char text[2 * FINDING_FACTS];
    memset(text, 'x', sizeof text);
    struct facts f;
    facts_begin(&f);
    facts_text(&f, "text", text, sizeof text);
    facts_count(&f, "after", 1);
    assert_string_equal(facts_end(&f), "{\"cut\":true}");
}

/* Every length of what stands in front moves the cut through all that follows. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    static char text[FINDING_FACTS];
    memset(text, 'x', sizeof text);
    unsigned cut = 0, whole = 0;
    for (size_t lead = FINDING_FACTS - 160; lead < FINDING_FACTS; lead++) {
        struct facts f;
        facts_begin(&f);
        facts_text(&f, "a", text, lead);
        facts_open(&f, "l", FACTS_LIST);
        facts_open(&f, NULL, FACTS_LIST);
        facts_text(&f, NULL, "\x80\"", 2);
        facts_close(&f);
        facts_open(&f, NULL, FACTS_OBJECT);
        facts_series(&f, "s", 1, (const uint32_t[]){ 10, 20, 30 }, 3);
        facts_number(&f, "n", -1e-300);
        facts_close(&f);
        const char *end = facts_end(&f); /* the list is still open */
        assert_true(strlen(end) < FINDING_FACTS);
        json_t *json = json_loads(end, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        assert_int_equal(json_is_true(json_object_get(json, "cut")), f.cut);
        *(f.cut ? &cut : &whole) += 1;
        json_decref(json);
    }
    assert_true(cut > 50 && whole > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
