#include "harness.h"

#include "input/sensor.h"

static int parse(void *sensor, struct slice line, struct log_sink *sink)
{
    return sensor_line(sensor, line, sink);
}

#define WIRE "36 48 AAeBgAABAAEAAAAAAWEAAAEAAQFhAAABAAEAAAA8AAQBAgME"
#define WAY " 10.0.0.1 1024 10.0.0.2 53 "
#define MESSAGE(time) time " 10.0.0.2:53>10.0.0.1:1024 other known=1ff id=7 flags=8180 a A; a A 60 1.2.3.4"
#define PLAIN "1700000000.250000000"

static const struct line_case cases[] = {
    { "CLIENT_RESPONSE 1700000000.25" WAY WIRE, MESSAGE(PLAIN), "" },
    { "CR 1700000000" WAY WIRE, MESSAGE("1700000000.000000000"), "" },
    { "CR 1700000000250" WAY WIRE, MESSAGE(PLAIN), "" },
    { "CR 1700000000250000" WAY WIRE, MESSAGE(PLAIN), "" },
    { "CR 1700000000250000000" WAY WIRE, MESSAGE(PLAIN), "" },
    { "<134>Nov 14 22:13:20 ns1 dnstap[12]: CR 1700000000.25" WAY WIRE, MESSAGE(PLAIN), "" },
    { "<134>1 2023-11-14T22:13:20Z ns1 dnstap: CLIENT_RESPONSE 1700000000.25" WAY WIRE, MESSAGE(PLAIN), "" },
    { "UPDATE_QUERY 1700000000" WAY WIRE, "", "not_dns_record=1" },
    { "hello world", "", "not_dns_record=1" },
    { "CR 1700000000" WAY "1 48 AAeBgAABAAEAAAAAAWEAAAEAAQFhAAABAAEAAAA8AAQBAgME", "", "bad_line=1" },
    { "CR 1700000000" WAY "36 1 AAeBgAABAAEAAAAAAWEAAAEAAQFhAAABAAEAAAA8AAQBAgME", "", "bad_line=1" },
    { "CR 1700000000" WAY WIRE " more", "", "bad_line=1" },
    { "CR 1700000000 10.0.0.1 1024 10.0.0 53 " WIRE, "", "bad_line=1" },
    { "CR 1700000000 10.0.0.1 1024", "", "bad_line=1" },
    { "CR 99999999999999999999" WAY WIRE, "", "bad_line=1" },
    { "CR 1700000000" WAY "3 4 AA!A", "", "bad_line=1" },
};

static void test_lines(void **state)
{
    (void)state;
    static struct harness h;
    struct sensor *sensor;
    harness_init(&h);
    assert_int_equal(sensor_create(&sensor), 0);
    check_lines(&h, sensor, parse, cases, sizeof cases / sizeof *cases);
    sensor_destroy(&sensor);
    harness_release(&h);
}

static void test_base64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t room;
        ptrdiff_t len;
        const char *bytes;
    } rows[] = {
        { "", 0, 0, "" },          { "Zg==", 1, 1, "f" },   { "Zg", 1, 1, "f" },
        { "Zm8=", 2, 2, "fo" },    { "Zm8", 2, 2, "fo" },   { "Zm9v", 3, 3, "foo" },
        { "Zm9v", 2, -1, "" },     { "Z", 9, -1, "" },      { "Zh==", 9, -1, "" },
        { "Zg=", 9, -1, "" },      { "====", 9, -1, "" },   { "Z===", 9, -1, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t to[16];
        assert_int_equal(sensor_base64(text_slice(rows[i].text), to, rows[i].room), rows[i].len);
        if (rows[i].len > 0)
            assert_memory_equal(to, rows[i].bytes, (size_t)rows[i].len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_base64) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
