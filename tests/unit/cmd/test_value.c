#include "cmd/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <string.h>

enum { NOW = 1700000000 };

static const struct {
    const char *text;
    bool ok;
    uint64_t bytes;
} sizes[] = {
    { "0", true, 0 },       { "512", true, 512 },          { "64M", true, 64 << 20 },
    { "1g", true, 1 << 30 }, { "1GiB", true, 1 << 30 },    { "2T", true, UINT64_C(2) << 40 },
    { "", false, 0 },       { "M", false, 0 },             { "-1", false, 0 },
    { "1X", false, 0 },     { "1Mx", false, 0 },           { "1.5G", false, 0 },
    { "18446744073709551616", false, 0 }, /* one beyond 64 bits */
    { "99999999P", false, 0 },
};

static void test_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t bytes = 7;
        assert_int_equal(value_size(sizes[i].text, &bytes), sizes[i].ok);
        assert_int_equal(bytes, sizes[i].ok ? sizes[i].bytes : 7);
    }
}

static const struct {
    const char *text;
    bool ok;
    uint64_t seconds;
} durations[] = {
    { "90", true, 90 },         { "90s", true, 90 },  { "15m", true, 900 }, { "12h", true, 43200 },
    { "35d", true, 35 * 86400 }, { "2w", true, 14 * 86400 }, { "3y", true, 3 * 365 * 86400 },
    { "", false, 0 },           { "d", false, 0 },    { "1dd", false, 0 },  { "1M", false, 0 },
};

static void test_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        uint64_t seconds = 7;
        assert_int_equal(value_duration(durations[i].text, &seconds), durations[i].ok);
        assert_int_equal(seconds, durations[i].ok ? durations[i].seconds : 7);
    }
}

static const struct {
    const char *text;
    bool ok;
    int64_t at;
} times[] = {
    { "0", true, 0 },
    { "1700000000", true, 1700000000 },
    { "-7d", true, NOW - 7 * 86400 },
    { "-90", true, NOW - 90 },
    { "2024-02-29", true, 1709164800 },
    { "2024-02-29T12:00:00Z", true, 1709208000 },
    { "2024-02-29 12:00:00", true, 1709208000 },
    { "2024-02-29T14:00:00+02:00", true, 1709208000 },
    { "2024-02-29T12:00:00.75Z", true, 1709208000 },
    { "2016-12-31T23:59:60Z", true, 1483228799 },
    { "2023-02-29", false, 0 },
    { "2024-13-01", false, 0 },
    { "2024-02-29T12:00", false, 0 },
    { "2024-02-29T12:00:00+2", false, 0 },
    { "yesterday", false, 0 },
    { "-60y", false, 0 }, /* before 1970 */
    { "", false, 0 },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t at = 7;
        if (value_time(times[i].text, NOW, &at) != times[i].ok)
            fail_msg("%s", times[i].text);
        assert_int_equal(at, times[i].ok ? times[i].at : 7);
    }
}

static void test_nets(void **state)
{
    (void)state;
    struct value_net net;
    assert_true(value_net("192.0.2.130/25", &net));
    assert_int_equal(net.len, 4);
    assert_memory_equal(net.lo, "\xc0\x00\x02\x80", 4);
    assert_memory_equal(net.hi, "\xc0\x00\x02\xff", 4);
    assert_true(value_net("0.0.0.0/0", &net));
    assert_memory_equal(net.hi, "\xff\xff\xff\xff", 4);
    assert_true(value_net("2001:db8::/33", &net));
    assert_int_equal(net.len, 16);
    assert_memory_equal(net.hi, "\x20\x01\x0d\xb8\x7f\xff", 6);
    assert_true(value_net("10.0.0.9-10.0.1.3", &net));
    assert_memory_equal(net.lo, "\x0a\x00\x00\x09", 4);
    assert_memory_equal(net.hi, "\x0a\x00\x01\x03", 4);
    static const char *const wrong[] = { "", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.9-10.0.0.8",
                                         "10.0.0.1-::1", "10.0.0.0/", "example.com", "10.0.0.0/x" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(value_net(wrong[i], &net));
}

static void test_ports_and_hex(void **state)
{
    (void)state;
    uint16_t port = 7;
    uint8_t bytes[4];
    size_t len = 0;
    assert_true(value_port("53", &port));
    assert_int_equal(port, 53);
    assert_false(value_port("0", &port));
    assert_false(value_port("65536", &port));
    assert_true(value_hex("C0a80001", bytes, sizeof bytes, &len));
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "\xc0\xa8\x00\x01", 4);
    assert_false(value_hex("c0a", bytes, sizeof bytes, &len));
    assert_false(value_hex("zz", bytes, sizeof bytes, &len));
    assert_false(value_hex("0102030405", bytes, sizeof bytes, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_durations), cmocka_unit_test(test_times),
        cmocka_unit_test(test_nets), cmocka_unit_test(test_ports_and_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
