/* Names: the three forms agree, keys sort as subtrees, hostile bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "dns/name.h"
#include "dns/rdata.h"

static const struct {
    const char *text;  /* as typed */
    const char *shown; /* as printed; NULL: refused */
    const char *key;
    size_t key_len;
} rows[] = {
    { ".", ".", "", 1 },
    { "com", "com.", "com\0", 5 },
    { "www.Example.COM.", "www.Example.COM.", "com\0example\0www\0", 17 },
    { "a\\.b.c", "a\\.b.c.", "c\0a.b\0", 7 },
    { "\\000x.c", "\\000x.c.", "c\0\1\1x\0", 7 },       /* a zero byte in a label is escaped */
    { "\\001x.c", "\\001x.c.", "c\0\1\2x\0", 7 },       /* and so is the escape itself */
    { "sp\\032ace", "sp\\032ace.", "sp ace\0", 8 },
    { "", NULL, NULL, 0 },
    { "a..b", NULL, NULL, 0 },
    { ".a", NULL, NULL, 0 },
    { "\\256", NULL, NULL, 0 },
    { "\\12", NULL, NULL, 0 },
    { "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg", NULL, NULL, 0 }, /* 64 */
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX], back[NAME_WIRE_MAX];
        char text[NAME_TEXT_MAX];
        size_t n = name_from_text(rows[i].text, strlen(rows[i].text), wire);
        if (rows[i].shown == NULL) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_true(n > 0);
        name_to_text(wire, n, text);
        assert_string_equal(text, rows[i].shown);
        size_t k = name_owner_key(wire, n, key);
        assert_int_equal(k, rows[i].key_len);
        assert_memory_equal(key, rows[i].key, k);
        assert_int_equal(name_key_length(key, k), k);
        assert_int_equal(name_from_owner_key(key, k, back), n);
    }
}

static size_t random_name(uint8_t *wire)
{
    size_t n = 0;
    for (int labels = rand() % 8; labels > 0; labels--) {
        size_t len = 1 + (size_t)rand() % (rand() % 10 ? 12 : 63);
        if (n + len + 2 > NAME_WIRE_MAX)
            break;
        wire[n++] = (uint8_t)len;
        while (len-- > 0)
            wire[n++] = (uint8_t)(rand() % 4 ? 'a' + rand() % 26 : rand() % 256);
    }
    wire[n++] = 0;
    return n;
}

/* Text, owner key and forward key each lead back to the lower-cased name. */
static void test_round_trips(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 20000; i++) {
        uint8_t wire[NAME_WIRE_MAX], lower[NAME_WIRE_MAX], key[NAME_KEY_MAX], other[NAME_KEY_MAX], back[NAME_WIRE_MAX];
        char text[NAME_TEXT_MAX];
        size_t n = random_name(wire);
        for (size_t k = 0; k < n; k++)
            lower[k] = name_lower[wire[k]];
        assert_int_equal(name_from_text(text, name_to_text(wire, n, text), back), n);
        assert_memory_equal(back, wire, n);
        size_t owner = name_owner_key(wire, n, key);
        assert_int_equal(name_from_owner_key(key, owner, back), n);
        assert_memory_equal(back, lower, n);
        assert_int_equal(name_key_reverse(key, owner, other), owner);
        assert_int_equal(name_from_forward_key(other, owner, back), n);
        assert_memory_equal(back, lower, n);
    }
}

static void test_hostile_keys(void **state)
{
    (void)state;
    srand(8);
    for (int i = 0; i < 200000; i++) {
        uint8_t key[64], wire[NAME_WIRE_MAX];
        size_t len = (size_t)rand() % sizeof key;
        for (size_t k = 0; k < len; k++)
            key[k] = (uint8_t)(rand() % 5 ? rand() % 4 : rand());
        size_t n = name_from_owner_key(key, len, wire);
        uint8_t again[NAME_KEY_MAX];
        if (n > 0 && name_owner_key(wire, n, again) == len && memchr(key, 'A', len) == NULL)
            assert_int_equal(name_key_length(key, len), len);
    }
}

static void test_searchable_rdata(void **state)
{
    (void)state;
    static const uint8_t mx[] = "\0\12\4mail\7example\0", soa[] = "\2ns\1x\0\4root\1x\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
    static const struct { uint16_t type; const uint8_t *rdata; size_t len; } cases[] = {
        { TYPE_MX, mx, sizeof mx - 1 }, { TYPE_SOA, soa, sizeof soa - 1 }, { TYPE_A, (const uint8_t *)"\1\2\3\4", 4 },
        { TYPE_TXT, (const uint8_t *)"\0", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned turn = 0; turn < rdata_turns(cases[i].type); turn++) {
            uint8_t form[1024], back[1024];
            size_t used, n = rdata_searchable(cases[i].type, turn, cases[i].rdata, cases[i].len, form);
            assert_true(n > 0);
            memcpy(form + n, "owner", 5);
            assert_int_equal(rdata_from_searchable(cases[i].type, turn, form, n + 5, cases[i].len, back, &used), cases[i].len);
            assert_int_equal(used, n);
            assert_memory_equal(back, cases[i].rdata, cases[i].len);
        }
    }
}

static void test_what_is_not_searchable(void **state)
{
    (void)state;
    uint8_t form[1024], back[1024];
    size_t used;
    static const uint8_t same[] = "\1a\0\1a\0", pointer[] = "\0\1\300\14";
    assert_int_equal(rdata_turns(14), 2); /* MINFO */
    assert_int_equal(rdata_searchable(14, 0, same, 6, form), 6);
    assert_int_equal(rdata_searchable(14, 1, same, 6, form), 0);
    assert_int_equal(rdata_searchable(14, 0, same, 3, form), 0);
    assert_int_equal(rdata_searchable(TYPE_HTTPS, 0, pointer, 4, form), 0);
    assert_int_equal(rdata_searchable(TYPE_HTTPS, 0, pointer, 2, form), 0);
    /* no second name, and a length that cannot be */
    assert_int_equal(rdata_from_searchable(TYPE_NS, 1, (const uint8_t *)"a\0", 3, 3, back, &used), 0);
    assert_int_equal(rdata_from_searchable(TYPE_A, 1, (const uint8_t *)"\1\2\3\4", 4, 4, back, &used), 0);
    assert_int_equal(rdata_from_searchable(TYPE_MX, 0, (const uint8_t *)"\0\1\2\3", 4, 1, back, &used), 0);
}

static void test_hints(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        const char *rdata;
        size_t len;
        unsigned n;
        const char *first, *last;
    } hinting[] = {
#define DATA(text) text, sizeof text - 1
        { TYPE_HTTPS, DATA("\0\1\0"), 0, NULL, NULL },
        { TYPE_HTTPS, DATA("\0\1\0\0\4\0\4abcd"), 1, "abcd", "abcd" },
        { TYPE_SVCB, DATA("\0\1\1x\0\0\1\0\3\2h2\0\4\0\10abcdefgh"), 2, "abcd", "efgh" },
        { TYPE_SVCB, DATA("\0\1\0\0\4\0\10abcdabcd"), 1, "abcd", "abcd" },
        { TYPE_SVCB, DATA("\0\1\0\0\4\0\6abcdef"), 1, "abcd", "abcd" }, /* the rest is no address */
        { TYPE_HTTPS, DATA("\0\1\0\0\4\0\4abcd\0\6\0\20" "0123456789abcdef"), 2, "abcd", "0123456789abcdef" },
        { TYPE_HTTPS, DATA("\0\1\0\0\4\0\50" "aaaabbbbccccddddeeeeffffgggghhhhiiiijjjj"), RDATA_HINTS, "aaaa", "hhhh" },
        { TYPE_HTTPS, DATA("\0\0\0\0\4\0\4abcd"), 0, NULL, NULL },   /* AliasMode */
        { TYPE_HTTPS, DATA("\0\1\0\0\4\0\5abcd"), 0, NULL, NULL },   /* beyond the end */
        { TYPE_HTTPS, DATA("\0\1\0\0\4\0\4abcd\0"), 0, NULL, NULL },
        { TYPE_HTTPS, DATA("\0\1\300\14\0\4\0\4abcd"), 0, NULL, NULL }, /* a compressed target */
        { TYPE_HTTPS, DATA("\0"), 0, NULL, NULL },
        { TYPE_TXT, DATA("\0\1\0\0\4\0\4abcd"), 0, NULL, NULL },
#undef DATA
    };
    for (size_t i = 0; i < sizeof hinting / sizeof hinting[0]; i++) {
        struct slice hints[RDATA_HINTS];
        unsigned n = rdata_hints(hinting[i].type, (struct slice){ (const uint8_t *)hinting[i].rdata, hinting[i].len }, hints);
        assert_int_equal(n, hinting[i].n);
        if (n == 0)
            continue;
        assert_int_equal(hints[0].len, strlen(hinting[i].first));
        assert_memory_equal(hints[0].ptr, hinting[i].first, hints[0].len);
        assert_int_equal(hints[n - 1].len, strlen(hinting[i].last));
        assert_memory_equal(hints[n - 1].ptr, hinting[i].last, hints[n - 1].len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_hostile_keys),
        cmocka_unit_test(test_searchable_rdata),
        cmocka_unit_test(test_what_is_not_searchable),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
