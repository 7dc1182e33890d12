/* Owners: the examples of draft-vixie-dnsop-dns-rpz-00, section 4, and what a zone must not hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protect/rpz/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 200 };

struct good {
    enum trigger trigger;
    const char *text, *owner;
    bool subtree;
};

static const struct good goods[] = {
    { TRIGGER_HOST, "Example.COM", "example.com.", false },
    { TRIGGER_DOMAIN, "example.com.", "example.com.", true },
    { TRIGGER_HOST, "a\\.b.example", "a\\.b.example.", false },
    /* 4.1.1 of the draft (there as rpz-client-ip and rpz-ip, the encoding is one) */
    { TRIGGER_ADDRESS, "192.0.2.1", "32.1.2.0.192.rpz-ip.", false },
    { TRIGGER_ADDRESS, "192.0.2.0/24", "24.0.2.0.192.rpz-ip.", false },
    { TRIGGER_ADDRESS, "10.0.0.0/8", "8.0.0.0.10.rpz-ip.", false },
    { TRIGGER_ADDRESS, "2001:db8:101::3", "128.3.zz.101.db8.2001.rpz-ip.", false },
    { TRIGGER_ADDRESS, "2001:db8::3", "128.3.zz.db8.2001.rpz-ip.", false },
    { TRIGGER_ADDRESS, "2001:db8::/48", "48.zz.db8.2001.rpz-ip.", false },
    { TRIGGER_ADDRESS, "2001:db8:0:0:1:0:0:1", "128.1.0.0.1.zz.db8.2001.rpz-ip.", false }, /* the first of equals */
    { TRIGGER_ADDRESS, "2001:db8:0:1:1:0:0:0", "128.zz.1.1.0.db8.2001.rpz-ip.", false },   /* the longest */
    { TRIGGER_ADDRESS, "2001:db8:0:1:1:1:1:1", "128.1.1.1.1.1.0.db8.2001.rpz-ip.", false }, /* one word is no run */
    { TRIGGER_ADDRESS, "1:2:3:4:5:6:7:8", "128.8.7.6.5.4.3.2.1.rpz-ip.", false },
    { TRIGGER_ADDRESS, "::1", "128.1.zz.rpz-ip.", false },
    { TRIGGER_ADDRESS, "8000::/1", "1.zz.8000.rpz-ip.", false },
    { TRIGGER_NAMESERVER, "ns.example.net", "ns.example.net.rpz-nsdname.", true },
};

/* The text makes the same owner again, whatever its form was before. */
static void must_read_back(const struct good *g, const struct owner *o)
{
    enum trigger trigger;
    struct owner again;
    char text[NAME_TEXT_MAX];
    assert_true(owner_text(o->labels, o->len, &trigger, text));
    assert_int_equal(trigger, g->trigger == TRIGGER_DOMAIN ? TRIGGER_HOST : g->trigger);
    assert_int_equal(owner_make(trigger, text, ROOM, &again, NULL), 0);
    assert_int_equal(again.len, o->len);
    assert_memory_equal(again.labels, o->labels, o->len);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        struct owner o;
        struct fault why;
        char text[NAME_TEXT_MAX];
        assert_int_equal(owner_make(goods[i].trigger, goods[i].text, ROOM, &o, &why), 0);
        assert_true(o.len < NAME_WIRE_MAX);
        o.labels[o.len] = 0;
        assert_int_not_equal(name_to_text(o.labels, o.len + 1u, text), 0);
        assert_string_equal(text, goods[i].owner);
        assert_int_equal(o.subtree, goods[i].subtree);
        must_read_back(&goods[i], &o);
    }
}

static const struct good bads[] = {
    { TRIGGER_HOST, "", NULL, false },
    { TRIGGER_HOST, ".", NULL, false },
    { TRIGGER_DOMAIN, "*.example", NULL, false },
    { TRIGGER_DOMAIN, "a.*.example", NULL, false },
    { TRIGGER_HOST, "a..example", NULL, false },
    { TRIGGER_HOST, "32.1.2.0.192.rpz-ip", NULL, false }, /* would be another trigger */
    { TRIGGER_HOST, "x.RPZ-client-ip", NULL, false },
    { TRIGGER_HOST, "x._why", NULL, false },
    { TRIGGER_NAMESERVER, "*.example", NULL, false },
    { TRIGGER_ADDRESS, "192.0.2.1/24", NULL, false }, /* bits beyond */
    { TRIGGER_ADDRESS, "2001:db8::1/64", NULL, false },
    { TRIGGER_ADDRESS, "0.0.0.0/0", NULL, false },
    { TRIGGER_ADDRESS, "::/0", NULL, false },
    { TRIGGER_ADDRESS, "192.0.2.1/33", NULL, false },
    { TRIGGER_ADDRESS, "192.0.2.0/", NULL, false },
    { TRIGGER_ADDRESS, "192.0.2.0/2x", NULL, false },
    { TRIGGER_ADDRESS, "192.0.2", NULL, false },
    { TRIGGER_ADDRESS, "bad.example", NULL, false },
    { TRIGGER_ADDRESS, "", NULL, false },
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        struct owner o;
        struct fault why = { 0 };
        assert_int_equal(owner_make(bads[i].trigger, bads[i].text, ROOM, &o, &why), E_MALFORMED);
        assert_true(why.text[0] != '\0');
    }
}

/* What no trigger has: not in the form that we write, or of a kind that we do not publish. */
static void test_no_trigger(void **state)
{
    static const char *const rows[] = {
        "rpz-ip", "32.rpz-ip", "1.2.0.192.rpz-ip", "33.1.2.0.192.rpz-ip", "24.1.2.0.192.rpz-ip", "032.1.2.0.192.rpz-ip",
        "128.1.zz.zz.rpz-ip", "128.zz.1.0.0.0.0.0.0.0.1.rpz-ip", "128.1.0.0.0.0.0.0.2001.rpz-ip", "rpz-nsdname",
        "32.1.2.0.192.rpz-client-ip", "x.rpz-drop", "*.example", "a._why",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        char text[NAME_TEXT_MAX];
        enum trigger trigger;
        size_t len = name_from_text(rows[i], strlen(rows[i]), wire);
        assert_false(owner_text(wire, len - 1, &trigger, text));
    }
    assert_false(owner_text((const uint8_t *)"", 0, &(enum trigger){ 0 }, (char[NAME_TEXT_MAX]){ 0 }));
}

/* Up to the last byte, "*." included. */
static void test_room(void **state)
{
    struct owner o;
    (void)state;
    assert_int_equal(owner_make(TRIGGER_HOST, "bad.example", 12, &o, NULL), 0);
    assert_int_equal(owner_make(TRIGGER_HOST, "bad.example", 11, &o, NULL), E_MALFORMED);
    assert_int_equal(owner_make(TRIGGER_DOMAIN, "bad.example", 14, &o, NULL), 0);
    assert_int_equal(owner_make(TRIGGER_DOMAIN, "bad.example", 13, &o, NULL), E_MALFORMED);
    assert_int_equal(owner_make(TRIGGER_NAMESERVER, "bad.example", 26, &o, NULL), 0);
    assert_int_equal(owner_make(TRIGGER_NAMESERVER, "bad.example", 25, &o, NULL), E_MALFORMED);
    assert_int_equal(owner_make(TRIGGER_ADDRESS, "192.0.2.1", 20, &o, NULL), 0);
    assert_int_equal(owner_make(TRIGGER_ADDRESS, "192.0.2.1", 19, &o, NULL), E_MALFORMED);
    assert_int_equal(owner_make(TRIGGER_NAMESERVER, "bad.example", 5, &o, NULL), E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_no_trigger),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
