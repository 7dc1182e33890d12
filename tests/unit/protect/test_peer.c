/* Addresses and networks: what is read, and who is in; refusals are told once for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protect/rpz/refusals.h"

#include <stdio.h>
#include <string.h>

static void test_networks(void **state)
{
    static const struct { const char *network, *in, *out; } rows[] = {
        { "192.0.2.1", "192.0.2.1", "192.0.2.2" },       { "192.0.2.128/25", "192.0.2.200", "192.0.2.127" },
        { "192.0.2.0/31", "192.0.2.1", "192.0.2.2" },    { "0.0.0.0/0", "203.0.113.9", "::1" },
        { "::/0", "2001:db8::1", "192.0.2.1" },          { "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1" },
        { "2001:db8::1", "2001:db8::1", "2001:db8::2" }, { "2001:db8::/127", "2001:db8::1", "2001:db8::2" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network n;
        struct sockaddr_storage in, out;
        assert_int_equal(network_parse(rows[i].network, &n, NULL), 0);
        assert_int_equal(peer_parse(rows[i].in, 53, &in, NULL), 0);
        assert_int_equal(peer_parse(rows[i].out, 53, &out, NULL), 0);
        assert_true(network_has(&n, &in));
        assert_false(network_has(&n, &out));
    }
    static const char *const bad[] = { "", "192.0.2", "192.0.2.1/", "192.0.2.1/33", "::/129", "192.0.2.1/2x", "192.0.2.1/-1", "x",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct network n;
        struct fault why = { 0 };
        assert_int_equal(network_parse(bad[i], &n, &why), E_USAGE);
        assert_true(why.text[0] != '\0');
    }
}

static void test_peers(void **state)
{
    static const struct { const char *text, *address; uint16_t otherwise, port; } rows[] = {
        { "192.0.2.1", "192.0.2.1", 53, 53 },     { "192.0.2.1:5353", "192.0.2.1", 53, 5353 },
        { "2001:db8::1", "2001:db8::1", 53, 53 }, { "[2001:db8::1]", "2001:db8::1", 53, 53 },
        { "[::1]:0", "::1", 0, 0 },               { "192.0.2.1:0", "192.0.2.1", 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_storage p;
        char text[PEER_TEXT_MAX];
        assert_int_equal(peer_parse(rows[i].text, rows[i].otherwise, &p, NULL), 0);
        assert_int_equal(peer_port(&p), rows[i].port);
        assert_string_equal(peer_text(&p, text), rows[i].address);
        assert_true(peer_is_same(&p, &p));
    }
    static const char *const bad[] = { "", "192.0.2.1", "::1", "[::1]", "[::1", "[::1]x", "[::1]:", "[192.0.2.1]:53", "192.0.2.1:",
                                       "192.0.2.1:65536", "192.0.2.1:5x", "localhost:53" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sockaddr_storage p;
        struct fault why = { 0 };
        assert_int_equal(peer_parse(bad[i], 0, &p, &why), E_USAGE);
        assert_true(why.text[0] != '\0');
    }
}

static void test_refusals(void **state)
{
    struct refusals r = { 0 };
    struct sockaddr_storage a, b;
    (void)state;
    assert_int_equal(peer_parse("192.0.2.1", 53, &a, NULL), 0);
    assert_int_equal(peer_parse("192.0.2.1", 54, &b, NULL), 0);
    assert_true(refusals_note(&r, &a, REFUSAL_BADSIG, 10000));
    assert_false(refusals_note(&r, &b, REFUSAL_BADSIG, 10001)); /* another port is no other source */
    assert_true(refusals_note(&r, &b, REFUSAL_BADKEY, 10002));
    assert_true(refusals_note(&r, &a, REFUSAL_BADSIG, 13700)); /* the hour is over */
    assert_int_equal(r.n[REFUSAL_BADSIG], 3);
    unsigned told = 0;
    for (unsigned i = 0; i < 2 * REFUSALS_TOLD; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.%u.%u", i / 256, i % 256);
        assert_int_equal(peer_parse(text, 53, &b, NULL), 0);
        told += refusals_note(&r, &b, REFUSAL_ADDRESS, 13701);
    }
    assert_int_equal(told, REFUSALS_TOLD - 1);
    assert_int_equal(r.n[REFUSAL_ADDRESS], 2 * REFUSALS_TOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
