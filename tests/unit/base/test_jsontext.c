#include "base/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <jansson.h>

static const char *const texts[] = {
    "", "plain", "\"quoted\" \\ back", "a\tb\nc\rd\be\ff\vg\x01h\x1fi\x7f", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac \xf0\x9f\x90\x9b", "/",
};

/* The same bytes as another program's. */
static void test_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buffer b;
        json_t *string = json_string(texts[i]);
        char *expected = json_dumps(string, JSON_ENCODE_ANY);
        buffer_init(&b, 1 << 16);
        jsontext_put(&b, texts[i]);
        assert_int_equal(b.len, strlen(expected));
        assert_memory_equal(b.ptr, expected, b.len);
        buffer_release(&b);
        free(expected);
        json_decref(string);
    }
}

/* What is not UTF-8 is Latin-1: cut short, overlong, a surrogate, beyond Unicode. */
static void test_not_utf8(void **state)
{
    (void)state;
    static const char *const wrong[] = { "a\xff", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf", "\x80" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buffer put, bytes;
        buffer_init(&put, 1 << 16);
        buffer_init(&bytes, 1 << 16);
        jsontext_put(&put, wrong[i]);
        jsontext_bytes(&bytes, wrong[i], strlen(wrong[i]));
        assert_null(json_string(wrong[i]));
        assert_int_equal(put.len, bytes.len);
        assert_memory_equal(put.ptr, bytes.ptr, put.len);
        json_t *value = json_loadb((const char *)put.ptr, put.len, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        json_decref(value);
        buffer_release(&put);
        buffer_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_utf8), cmocka_unit_test(test_not_utf8) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
