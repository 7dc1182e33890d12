#include "cmd/pick.h"
#include "cmd/present.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <jansson.h>

#define DATA(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static const struct {
    uint16_t type;
    struct slice rdata;
    const char *type_text, *text;
} rdatas[] = {
    { TYPE_A, DATA("\xc0\x00\x02\x0a"), "A", "192.0.2.10" },
    { TYPE_A, DATA("\x00\x00\x00\xff"), "A", "0.0.0.255" },
    { TYPE_A, DATA("\xc0\x00\x02"), "A", "\\# 3 C00002" },
    { TYPE_A, DATA(""), "A", "\\# 0" },
    { TYPE_AAAA, DATA("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "AAAA", "2001:db8::1" },
    { TYPE_NS, DATA("\2ns\7example\3com\0"), "NS", "ns.example.com." },
    { TYPE_NS, DATA("\0"), "NS", "." },
    { TYPE_NS, DATA("\4n.\"s\0"), "NS", "n\\.\\\"s." },
    { TYPE_NS, DATA("\2ns"), "NS", "\\# 3 026E73" },
    { TYPE_MX, DATA("\0\12\4mail\7example\0"), "MX", "10 mail.example." },
    { TYPE_MX, DATA("\0"), "MX", "\\# 1 00" },
    { TYPE_MX, DATA("\0\1\77"), "MX", "\\# 3 00013F" }, /* a label that goes on behind the data */
    { TYPE_TXT, DATA("\5a\"b\\c\1\xff"), "TXT", "\"a\\\"b\\\\c\" \"\\255\"" },
    { TYPE_TXT, DATA("\0"), "TXT", "\"\"" },
    { TYPE_TXT, DATA("\5ab"), "TXT", "\\# 3 056162" },
    { 65280, DATA("\1\2"), "TYPE65280", "\\# 2 0102" },
    { 257, DATA("\0\5issueca.test"), "CAA", "0 issue \"ca.test\"" },
    { 50, DATA("\1\0\0\1\0\11abc"), "NSEC3", "\\# 9 010000010009616263" }, /* hash of 9 in 3 bytes */
    { 65, DATA("\0\1\0\0\1\0\3\2h2"), "HTTPS", "1 . alpn=h2" },
};

static void test_rdata(void **state)
{
    (void)state;
    static char text[PRESENT_RDATA_MAX], type[PRESENT_TYPE_MAX];
    for (size_t i = 0; i < sizeof rdatas / sizeof rdatas[0]; i++) {
        size_t n = present_rdata(rdatas[i].type, rdatas[i].rdata, text);
        assert_string_equal(text, rdatas[i].text);
        assert_int_equal(n, strlen(text));
        present_type(rdatas[i].type, type);
        assert_string_equal(type, rdatas[i].type_text);
    }
}

/* Any data of any type prints, within bounds (the sanitizers watch) and in JSON's alphabet. */
static void test_hostile_rdata(void **state)
{
    (void)state;
    static char text[PRESENT_RDATA_MAX];
    uint64_t seed = 1;
    for (unsigned type = 1; type < 300; type++)
        for (unsigned round = 0; round < 40; round++) {
            uint8_t bytes[300];
            for (size_t i = 0; i < sizeof bytes; i++) {
                seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
                bytes[i] = (uint8_t)(seed >> 56 >> (round % 3));
            }
            size_t n = present_rdata((uint16_t)type, (struct slice){ bytes, seed >> 33 & 255 }, text);
            assert_int_equal(strlen(text), n);
            assert_true(n < PRESENT_RDATA_MAX);
        }
    uint8_t big[RR_KEY_MAX];
    memset(big, 0xff, sizeof big);
    for (unsigned type = 1; type < 300; type++)
        assert_true(present_rdata((uint16_t)type, (struct slice){ big, sizeof big }, text) > 0);
}

static struct slice owner_of(const char *name, uint8_t *key)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(name, strlen(name), wire);
    assert_true(n > 0);
    return (struct slice){ key, name_owner_key(wire, n, key) };
}

static json_t *as_json(struct present *p, const struct rr_key *key, const struct rr_value *v)
{
    buffer_clear(&p->out);
    present_record(p, key, v);
    assert_int_equal(p->out.ptr[p->out.len - 1], '\n');
    json_t *line = json_loadb((const char *)p->out.ptr, p->out.len, 0, NULL);
    assert_non_null(line);
    return line;
}

static const char *text_of(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void test_json(void **state)
{
    (void)state;
    static struct present p;
    uint8_t key[NAME_KEY_MAX];
    struct rr_value v = { .first = 10, .last = 20, .count = 0, .upstream = 7, .flags = RR_ANSWER | RR_PAIRED,
                          .sensors = 2 };
    struct rr_key k = { .owner = owner_of("A\\032\\\"\\\\b.\\200.Example", key), .type = TYPE_TXT,
                        .rdata = DATA("\3\"\\\1") };
    present_init(&p, -1, PRESENT_JSON);
    p.sensors[1] = "ns\"1";
    json_t *line = as_json(&p, &k, &v);
    assert_string_equal(text_of(line, "rrname"), "a\\032\\\"\\\\b.\\200.example.");
    assert_string_equal(text_of(line, "rrtype"), "TXT");
    json_t *rdata = json_object_get(line, "rdata");
    assert_int_equal(json_array_size(rdata), 1);
    assert_string_equal(json_string_value(json_array_get(rdata, 0)), "\"\\\"\\\\\\001\"");
    assert_int_equal(json_integer_value(json_object_get(line, "count")), 7); /* upstream alone */
    assert_int_equal(json_integer_value(json_object_get(line, "time_first")), 10);
    assert_int_equal(json_integer_value(json_object_get(line, "time_last")), 20);
    assert_null(json_object_get(line, "ttl_min"));
    assert_null(json_object_get(line, "sensors"));
    json_decref(line);

    p.verbose = true;
    v.ttl_max = 300;
    line = as_json(&p, &k, &v);
    assert_int_equal(json_integer_value(json_object_get(line, "ttl_max")), 300);
    assert_string_equal(json_string_value(json_array_get(json_object_get(line, "sensors"), 0)), "ns\"1");
    json_decref(line);
    present_release(&p);
}

static void test_about(void **state)
{
    (void)state;
    static struct present p;
    uint8_t key[NAME_KEY_MAX];
    struct rr_value v = { .first = 1, .last = 2, .count = 3 };
    struct rr_key k = { .owner = owner_of("example", key), .about = RR_NXDOMAIN };
    present_init(&p, -1, PRESENT_JSON);
    json_t *line = as_json(&p, &k, &v);
    assert_string_equal(text_of(line, "rrtype"), "NXDOMAIN");
    assert_int_equal(json_array_size(json_object_get(line, "rdata")), 0);
    json_decref(line);
    k.about = RR_NODATA;
    k.subtype = TYPE_AAAA;
    line = as_json(&p, &k, &v);
    assert_string_equal(text_of(line, "rrtype"), "NODATA");
    assert_string_equal(json_string_value(json_array_get(json_object_get(line, "rdata"), 0)), "AAAA");
    json_decref(line);
    k.about = RR_OUT_OF_BAILIWICK;
    k.subtype = TYPE_A;
    k.rdata = (struct slice)DATA("\1\2\3\4");
    line = as_json(&p, &k, &v);
    assert_string_equal(text_of(line, "rrtype"), "A");
    assert_true(json_is_true(json_object_get(line, "out_of_bailiwick")));
    json_decref(line);
    present_release(&p);
}

static void test_table(void **state)
{
    (void)state;
    static struct present p;
    uint8_t key[NAME_KEY_MAX];
    struct rr_value v = { .first = 1709208000, .last = UINT64_MAX / 2, .count = 3 };
    struct rr_key k = { .owner = owner_of("example", key), .type = TYPE_A, .rdata = DATA("\1\2\3\4") };
    present_init(&p, -1, PRESENT_TABLE);
    present_record(&p, &k, &v);
    buffer_u8(&p.out, 0);
    assert_non_null(strstr((char *)p.out.ptr, "\n2024-02-29 12:00:00  9223372036854775807           3  example."));
    present_release(&p);
}

/* A pick of k is the first k of the whole, sorted. */
static void test_pick(void **state)
{
    (void)state;
    static const uint64_t counts[] = { 5, 1, 9, 9, 3, 7, 2, 8 };
    static const struct {
        bool reverse;
        size_t room;
        uint64_t want[8];
    } rows[] = { { false, 3, { 1, 2, 3 } }, { true, 3, { 9, 9, 8 } }, { false, 100, { 1, 2, 3, 5, 7, 8, 9, 9 } },
                 { true, 0, { 0 } } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pick pick;
        pick_init(&pick, PICK_COUNT, rows[i].reverse, rows[i].room, 1 << 20);
        for (size_t n = 0; n < 8; n++) {
            uint8_t key[NAME_KEY_MAX], rdata[1] = { (uint8_t)(8 - n) };
            struct rr_key k = { .owner = owner_of("example", key), .type = TYPE_TXT, .rdata = { rdata, 1 } };
            struct rr_value v = { .count = counts[n] };
            assert_int_equal(pick_offer(&pick, &k, &v), E_OK);
        }
        pick_sort(&pick);
        assert_int_equal(pick.n, rows[i].room < 8 ? rows[i].room : 8);
        for (size_t n = 0; n < pick.n; n++) {
            struct rr_key k;
            struct rr_value v;
            pick_get(&pick, n, &k, &v);
            assert_int_equal(v.count, rows[i].want[n]);
        }
        pick_release(&pick);
    }
}

static void test_pick_limit(void **state)
{
    (void)state;
    struct pick pick;
    uint8_t key[NAME_KEY_MAX];
    struct rr_key k = { .owner = owner_of("example", key), .type = TYPE_A, .rdata = DATA("") };
    struct rr_value v = { .count = 1 };
    int rc = E_OK;
    pick_init(&pick, PICK_LAST, false, SIZE_MAX, 4096);
    for (unsigned n = 0; n < 1000 && rc == 0; n++)
        rc = pick_offer(&pick, &k, &v);
    assert_int_equal(rc, E_LIMIT);
    pick_release(&pick);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rdata), cmocka_unit_test(test_hostile_rdata), cmocka_unit_test(test_json),
        cmocka_unit_test(test_about), cmocka_unit_test(test_table), cmocka_unit_test(test_pick),
        cmocka_unit_test(test_pick_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
