#include "harness.h"

#include "input/wire_builder.h"

static void test_names(void **state)
{
    (void)state;
    static char label63[64], longest[256], too_long[260];
    memset(label63, 'a', 63);
    sprintf(longest, "%s.%s.%s.%.61s", label63, label63, label63, label63);
    sprintf(too_long, "%s.%s.%s.%.62s", label63, label63, label63, label63);
    const struct {
        const char *text;
        size_t len;
        const char *wire;
    } rows[] = {
        { "", 1, "\0" },          { ".", 1, "\0" },           { "a", 3, "\1a" },
        { "a.", 3, "\1a" },       { "a.b", 5, "\1a\1b" },     { ".a", 0, "" },
        { "a..b", 0, "" },        { "a..", 0, "" },           { "a\\.b", 5, "\3a.b" },
        { "\\065", 3, "\1A" },    { "\\x41", 3, "\1A" },      { "\\xz", 4, "\2xz" },
        { "\\256", 0, "" },       { "a\\", 0, "" },           { "..", 0, "" },
        { label63, 65, NULL },    { longest, 255, NULL },     { too_long, 0, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t wire[WIRE_NAME_MAX];
        assert_int_equal(wire_name(text_slice(rows[i].text), wire), rows[i].len);
        if (rows[i].len && rows[i].wire)
            assert_memory_equal(wire, rows[i].wire, rows[i].len);
    }
}

static const struct {
    uint16_t type;
    const char *text;
    const char *hex; /* NULL: left out */
} rdata[] = {
    { WIRE_A, "1.2.3.4", "01020304" },
    { WIRE_A, "1.2.3", NULL },
    { WIRE_A, "1.2.3.4 x", NULL },
    { WIRE_AAAA, "::2", "00000000000000000000000000000002" },
    { WIRE_NS, "a.b", "0161016200" },
    { WIRE_DNAME, "a", "016100" },
    { WIRE_NS, "", NULL },
    { WIRE_MX, "10 a", "000a016100" },
    { WIRE_MX, "a", NULL },
    { WIRE_MX, "65536 a", NULL },
    { WIRE_SRV, "1 2 3 a", "000100020003016100" },
    { WIRE_TXT, "a b", "03612062" },
    { WIRE_TXT, "\"a b\" \"c\"", "036120620163" },
    { WIRE_TXT, "\"a", NULL },
    { WIRE_TXT, "", "00" },
    { WIRE_SOA, "m r 1 2 3 4 5", "016d000172000000000100000002000000030000000400000005" },
    { WIRE_SOA, "m r 1 2 3 4", NULL },
    { WIRE_HTTPS, "1 . alpn=\"h2,h3\" port=443 ipv4hint=1.2.3.4", "000100" "00010006" "026832026833"
      "00030002" "01bb" "00040004" "01020304" },
    { WIRE_HTTPS, "0 a", "0000016100" },
    { WIRE_HTTPS, "1 . port=443 alpn=h2", NULL }, /* keys must rise */
    { WIRE_HTTPS, "1 . ech=AAAA", NULL },
    { WIRE_RRSIG, "A 5 3", NULL },
};

static void test_rdata(void **state)
{
    (void)state;
    static struct wire_builder w;
    for (size_t i = 0; i < sizeof rdata / sizeof *rdata; i++) {
        char hex[512] = "";
        wire_begin(&w, 1, 0);
        int e = wire_record(&w, WIRE_ANSWER, text_slice("o"), rdata[i].type, 60,
                            text_slice(rdata[i].text));
        assert_int_equal(e == 0, rdata[i].hex != NULL);
        assert_int_equal(w.left_out, rdata[i].hex == NULL);
        assert_int_equal(w.counts[WIRE_ANSWER], rdata[i].hex != NULL);
        if (rdata[i].hex == NULL) {
            assert_int_equal(w.len, WIRE_HEADER);
            continue;
        }
        for (uint32_t k = WIRE_HEADER + 13; k < w.len; k++)
            sprintf(hex + strlen(hex), "%02x", w.bytes[k]);
        assert_string_equal(hex, rdata[i].hex);
    }
}

static void test_full(void **state)
{
    (void)state;
    static struct wire_builder w;
    static uint8_t big[40000];
    struct slice bytes = { big, sizeof big };
    wire_begin(&w, 1, 0);
    assert_int_equal(wire_record_bytes(&w, WIRE_ANSWER, text_slice("o"), 10, 0, bytes), 0);
    uint32_t len = w.len;
    assert_int_equal(wire_record_bytes(&w, WIRE_ANSWER, text_slice("o"), 10, 0, bytes), E_LIMIT);
    assert_int_equal(w.len, len);
    assert_int_equal(w.counts[WIRE_ANSWER], 1);
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(wire_type_number(text_slice("aaaa")), 28);
    assert_int_equal(wire_type_number(text_slice("TYPE65")), 65);
    assert_int_equal(wire_type_number(text_slice("TYPE65536")), 0);
    assert_int_equal(wire_type_number(text_slice("65")), 65);
    assert_int_equal(wire_type_number(text_slice("65536")), 0);
    assert_int_equal(wire_type_number(text_slice("0041/65")), 65);
    assert_int_equal(wire_type_number(text_slice("0041/")), 0);
    assert_int_equal(wire_type_number(text_slice("amtrelay")), 260);
    assert_int_equal(wire_type_number(text_slice("")), 0);
    assert_int_equal(wire_rcode_number(text_slice("NXDOMAIN")), 3);
    assert_int_equal(wire_rcode_number(text_slice("9")), 9);
    assert_int_equal(wire_rcode_number(text_slice("16")), -1);
    assert_int_equal(wire_rcode_number(text_slice("")), -1);
}

static void test_times(void **state)
{
    (void)state;
    int64_t ns;
    assert_true(log_seconds(text_slice("1.000000001"), &ns) && ns == 1000000001);
    assert_true(log_seconds(text_slice("1.0000000019"), &ns) && ns == 1000000001);
    assert_true(log_seconds(text_slice("7"), &ns) && ns == INT64_C(7000000000));
    assert_false(log_seconds(text_slice(""), &ns));
    assert_false(log_seconds(text_slice("-1"), &ns));
    assert_false(log_seconds(text_slice("99999999999"), &ns));
    assert_true(log_date(text_slice("2019-08-23T01:22:31.812655+0000"), &ns) &&
                ns == INT64_C(1566523351812655000));
    assert_true(log_date(text_slice("2019-08-23T03:22:31+02:00"), &ns) &&
                ns == INT64_C(1566523351000000000));
    assert_false(log_date(text_slice("2019-13-23T03:22:31Z"), &ns));
    assert_false(log_date(text_slice("1969-12-31T23:59:59Z"), &ns));
    assert_false(log_date(text_slice("2019-08-23T03:22"), &ns));
    assert_false(log_date(text_slice("2019-08-23T03:22:31Z+"), &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_rdata), cmocka_unit_test(test_full),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
