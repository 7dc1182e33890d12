/* Ranges against keys: which records lie inside, and which pass the test. */
#include "cmd/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>

struct built {
    uint8_t bytes[RR_INVERSE_MAX];
    size_t len;
    struct rr_key key;
    uint8_t rdata[RR_KEY_MAX];
};

static struct slice owner_of(const char *name, uint8_t *key)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(name, strlen(name), wire);
    return (struct slice){ key, name_owner_key(wire, n, key) };
}

static void build_rr(struct built *b, const char *name, uint16_t type, const char *rdata, size_t len)
{
    uint8_t key[NAME_KEY_MAX];
    b->len = rr_key_put(owner_of(name, key), type, (struct slice){ (const uint8_t *)rdata, len }, b->bytes);
    assert_true(rr_key_get((struct slice){ b->bytes, b->len }, &b->key));
}

static void build_about(struct built *b, const char *name, uint8_t about, uint16_t subtype)
{
    uint8_t key[NAME_KEY_MAX];
    b->len = rr_about_put(owner_of(name, key), about, subtype, (struct slice){ NULL, 0 }, b->bytes);
    assert_true(rr_key_get((struct slice){ b->bytes, b->len }, &b->key));
}

/* False when the record has no such key. */
static bool build_inverse(struct built *b, const char *name, uint16_t type, unsigned turn, struct slice rdata)
{
    uint8_t key[NAME_KEY_MAX];
    struct slice owner = owner_of(name, key);
    b->len = rr_inverse_put(owner, type, turn, rdata, b->bytes);
    if (b->len == 0)
        return false;
    assert_true(rr_inverse_get((struct slice){ b->bytes, b->len }, b->rdata, &b->key));
    assert_true(b->key.type == type && b->key.turn == turn);
    assert_int_equal(slice_compare(b->key.owner, owner), 0);
    assert_int_equal(slice_compare(b->key.rdata, rdata), 0);
    return true;
}

static bool in_range(const struct store_range *r, struct slice key)
{
    return slice_compare(key, r->start) >= 0 && (r->end.len == 0 || slice_compare(key, r->end) < 0);
}

static bool has_filter_key(const struct store_range *r, struct slice key)
{
    size_t lens[KIND_FILTER_KEYS];
    unsigned n = record_kinds[r->kind].filter_keys(key, lens);
    for (unsigned i = 0; i < n; i++)
        if (lens[i] == r->exact.len && memcmp(key.ptr, r->exact.ptr, lens[i]) == 0)
            return true;
    return r->exact.len == 0;
}

/* How often a record comes out; what is wanted must pass the filter of its range too. */
static unsigned found(const struct query *q, const struct built *b)
{
    struct slice key = { b->bytes, b->len };
    unsigned n = 0;
    for (size_t i = 0; i < q->n_ranges; i++) {
        if (!in_range(&q->ranges[i], key) || !query_wants(q, &b->key))
            continue;
        assert_true(has_filter_key(&q->ranges[i], key));
        n++;
    }
    return n;
}

static int parse(struct query *q, const char *text, unsigned extra)
{
    static char line[9000];
    char *words[4];
    size_t n = 0;
    struct fault why = { 0 };
    snprintf(line, sizeof line, "%s", text);
    char *rest = line;
    for (char *word; n < 4 && (word = strtok_r(n ? NULL : line, " ", &rest)) != NULL;)
        words[n++] = word;
    return query_parse(q, words, n, extra, &why);
}

static const struct {
    const char *query;
    unsigned extra;
    const char *owner;
    uint16_t type; /* 0: about */
    uint8_t about;
    uint16_t subtype;
    bool wanted;
} rrsets[] = {
    { "rrset www.example.com", 0, "www.example.com", TYPE_A, 0, 0, true },
    { "rrset WWW.Example.COM.", 0, "www.example.com", TYPE_TXT, 0, 0, true },
    { "rrset www.example.com", 0, "example.com", TYPE_A, 0, 0, false },
    { "rrset www.example.com", 0, "a.www.example.com", TYPE_A, 0, 0, false },
    { "rrset www.example.com", 0, "wwww.example.com", TYPE_A, 0, 0, false },
    { "rrset www.example.com A", 0, "www.example.com", TYPE_A, 0, 0, true },
    { "rrset www.example.com a", 0, "www.example.com", TYPE_AAAA, 0, 0, false },
    { "rrset www.example.com TYPE65535", 0, "www.example.com", 65535, 0, 0, true },
    { "rrset www.example.com ANY", 0, "www.example.com", 65535, 0, 0, true },
    { "rrset .", 0, ".", TYPE_NS, 0, 0, true },
    { "rrset .", 0, "com", TYPE_NS, 0, 0, false },
    /* what is said about names comes only when asked for */
    { "rrset example.com", 0, "example.com", 0, RR_NXDOMAIN, 0, false },
    { "rrset example.com", WANT_NXDOMAIN | WANT_NODATA, "example.com", 0, RR_NXDOMAIN, 0, true },
    { "rrset example.com NXDOMAIN", 0, "example.com", 0, RR_NXDOMAIN, 0, true },
    { "rrset example.com NXDOMAIN", 0, "example.com", TYPE_A, 0, 0, false },
    { "rrset example.com nodata", 0, "example.com", 0, RR_NODATA, TYPE_AAAA, true },
    { "rrset example.com A", WANT_NODATA, "example.com", 0, RR_NODATA, TYPE_AAAA, false },
    { "rrset example.com A", WANT_NODATA, "example.com", 0, RR_NODATA, TYPE_A, true },
    { "rrset example.com A", WANT_NODATA, "example.com", TYPE_A, 0, 0, true },
    { "rrset example.com A", WANT_OUTSIDE, "example.com", 0, RR_OUT_OF_BAILIWICK, TYPE_A, true },
    { "rrset example.com", 0, "example.com", 0, RR_OUT_OF_BAILIWICK, TYPE_A, false },
    { "rrset example.com collapsed", 0, "example.com", 0, RR_COLLAPSED_RDATA, TYPE_A, true },
    /* below */
    { "rrset *.example.com", 0, "www.example.com", TYPE_A, 0, 0, true },
    { "rrset *.example.com", 0, "a.b.c.example.com", TYPE_A, 0, 0, true },
    { "rrset *.example.com", 0, "\\000.example.com", TYPE_A, 0, 0, true },
    { "rrset *.example.com", 0, "\\255.example.com", TYPE_A, 0, 0, true },
    { "rrset *.example.com", 0, "example.com", TYPE_A, 0, 0, false },
    { "rrset *.example.com", 0, "example.com", 0xffff, 0, 0, false },
    { "rrset *.example.com", 0, "www.example2.com", TYPE_A, 0, 0, false },
    { "rrset *.example.com", 0, "www.example\\000.com", TYPE_A, 0, 0, false },
    { "rrset *.example.com A", 0, "www.example.com", TYPE_AAAA, 0, 0, false },
    { "rrset *.example.com", WANT_NXDOMAIN, "www.example.com", 0, RR_NXDOMAIN, 0, true },
    { "rrset *.com", 0, "example.com", TYPE_A, 0, 0, true },
    { "rrset *.", 0, "com", TYPE_A, 0, 0, true },
    { "rrset *.", 0, ".", TYPE_A, 0, 0, false },
    /* the wildcard's own name */
    { "rrset \\*.example.com", 0, "*.example.com", TYPE_A, 0, 0, true },
    { "rrset \\*.example.com", 0, "www.example.com", TYPE_A, 0, 0, false },
};

static void test_rrset(void **state)
{
    (void)state;
    struct query q;
    struct built b;
    query_init(&q);
    for (size_t i = 0; i < sizeof rrsets / sizeof rrsets[0]; i++) {
        assert_int_equal(parse(&q, rrsets[i].query, rrsets[i].extra), E_OK);
        if (rrsets[i].type != 0)
            build_rr(&b, rrsets[i].owner, rrsets[i].type, "\1\2\3\4", 4);
        else
            build_about(&b, rrsets[i].owner, rrsets[i].about, rrsets[i].subtype);
        if (found(&q, &b) != rrsets[i].wanted)
            fail_msg("row %zu: %s", i, rrsets[i].query);
    }
    query_release(&q);
}

#define DATA(text) text, sizeof text - 1
#define NUMBERS "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
#define HEX_NUMBERS "0000000100000002000000030000000400000005"

static const struct {
    const char *query;
    uint16_t type;
    const char *rdata;
    size_t len;
    bool wanted;
} rdatas[] = {
    { "rdata 192.0.2.1", TYPE_A, DATA("\xc0\x00\x02\x01"), true },
    { "rdata 192.0.2.1 A", TYPE_A, DATA("\xc0\x00\x02\x01"), true },
    { "rdata 192.0.2.1", TYPE_A, DATA("\xc0\x00\x02\x02"), false },
    { "rdata 192.0.2.1", TYPE_A, DATA("\xc0\x00\x02\x01\x00"), false }, /* not an A record's data */
    { "rdata 192.0.2.0/24", TYPE_A, DATA("\xc0\x00\x02\xff"), true },
    { "rdata 192.0.2.0/24", TYPE_A, DATA("\xc0\x00\x03\x00"), false },
    { "rdata 192.0.2.0/24", TYPE_A, DATA("\xc0\x00\x02"), false },
    { "rdata 192.0.2.3-192.0.2.5", TYPE_A, DATA("\xc0\x00\x02\x05"), true },
    { "rdata 192.0.2.3-192.0.2.5", TYPE_A, DATA("\xc0\x00\x02\x06"), false },
    { "rdata 0.0.0.0/0", TYPE_A, DATA("\xff\xff\xff\xff"), true },
    { "rdata 0.0.0.0/0", TYPE_NS, DATA("\1a\0"), false },
    { "rdata ::1", TYPE_AAAA, DATA("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), true },
    /* hints: several keys, once each */
    { "rdata 192.0.2.1", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), true },
    { "rdata 192.0.2.2 HTTPS", TYPE_HTTPS, DATA("\0\1\0\0\4\0\10\xc0\x00\x02\x01\xc0\x00\x02\x02"), true },
    { "rdata 192.0.2.0/24", TYPE_SVCB, DATA("\0\1\0\0\4\0\10\xc0\x00\x02\x01\xc0\x00\x02\x02"), true },
    { "rdata 192.0.2.3", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), false },
    { "rdata 192.0.2.1 A", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), false },
    { "rdata 192.0.2.1 SVCB", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), false },
    { "rdata 192.0.2.1", TYPE_HTTPS, DATA("\0\0\0\0\4\0\4\xc0\x00\x02\x01"), false }, /* AliasMode */
    { "rdata ::1", TYPE_HTTPS, DATA("\0\1\0\0\6\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), true },
    { "rdata raw:00010000040004C0000201 HTTPS", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), true },
    { "rdata .", TYPE_HTTPS, DATA("\0\1\0\0\4\0\4\xc0\x00\x02\x01"), true },
    { "rdata ns.example.com", TYPE_NS, DATA("\2ns\7example\3com\0"), true },
    { "rdata ns.example.com", TYPE_CNAME, DATA("\2ns\7example\3com\0"), true },
    { "rdata ns.example.com", TYPE_PTR, DATA("\2ns\7example\3com\0"), true },
    { "rdata ns.example.com", TYPE_MX, DATA("\0\12\2ns\7example\3com\0"), true },
    { "rdata ns.example.com", TYPE_SRV, DATA("\0\1\0\2\0\3\2ns\7example\3com\0"), true },
    { "rdata ns.example.com", TYPE_NS, DATA("\3nss\7example\3com\0"), false },
    { "rdata ns.example.com MX", TYPE_NS, DATA("\2ns\7example\3com\0"), false },
    { "rdata ns.example.com MX", TYPE_MX, DATA("\0\12\2ns\7example\3com\0"), true },
    { "rdata *.example.com", TYPE_NS, DATA("\2ns\7example\3com\0"), true },
    { "rdata *.example.com", TYPE_MX, DATA("\0\12\2ns\7example\3com\0"), true },
    { "rdata *.ns.example.com", TYPE_NS, DATA("\2ns\7example\3com\0"), false },
    { "rdata raw:C0000201 A", TYPE_A, DATA("\xc0\x00\x02\x01"), true },
    { "rdata raw:C0000201 A", TYPE_A, DATA("\xc0\x00\x02\x01\x02"), false },
    { "rdata raw:0161 TXT", TYPE_TXT, DATA("\1a"), true },
    { "rdata raw:000A026e7300 MX", TYPE_MX, DATA("\0\12\2ns\0"), true },
    /* the second of two names: found by either, once by both */
    { "rdata ns.example.com", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3net\0" NUMBERS), true },
    { "rdata h.example.net", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3net\0" NUMBERS), true },
    { "rdata h.example.net SOA", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3net\0" NUMBERS), true },
    { "rdata *.example.net", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3net\0" NUMBERS), true },
    { "rdata *.example.com", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3com\0" NUMBERS), true },
    { "rdata h.example.com", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\7example\3com\0" NUMBERS), true },
    { "rdata *.ns.example.com", TYPE_SOA, DATA("\2ns\7example\3com\0\1h\2ns\7example\3com\0" NUMBERS), true },
    { "rdata *.", TYPE_SOA, DATA("\0\1h\0" NUMBERS), true },
    { "rdata *.", TYPE_SOA, DATA("\1n\0\1h\0" NUMBERS), true },
    { "rdata n", TYPE_SOA, DATA("\1n\0\1n\0" NUMBERS), true },
    { "rdata other.example", TYPE_SOA, DATA("\1n\0\1h\0" NUMBERS), false },
    { "rdata raw:02616100016100" HEX_NUMBERS " SOA", TYPE_SOA, DATA("\1a\0\2aa\0" NUMBERS), false },
    { "rdata raw:01610002616100" HEX_NUMBERS " SOA", TYPE_SOA, DATA("\1a\0\2aa\0" NUMBERS), true },
    { "rdata raw:016100" HEX_NUMBERS " SOA", TYPE_SOA, DATA("\1a\0\2aa\0" NUMBERS), false },
    { "rdata t.example", 17, DATA("\1m\7example\0\1t\7example\0"), true }, /* RP */
    { "rdata *.example MINFO", 14, DATA("\1m\7example\0\1t\7example\0"), true },
    { "rdata x.example TYPE26", 26, DATA("\0\1\1m\7example\0\1x\7example\0"), true },
    { "rdata svc.example", TYPE_HTTPS, DATA("\0\0\3svc\7example\0"), true },
    { "rdata svc.example HTTPS", TYPE_HTTPS, DATA("\0\1\3svc\7example\0\0\1\0\3\2h2"), true },
    { "rdata *.example", TYPE_SVCB, DATA("\0\1\3svc\7example\0\0\3\0\2\1\273"), true },
    { "rdata .", TYPE_HTTPS, DATA("\0\1\0\0\1\0\3\2h2"), true }, /* the owner itself */
    { "rdata raw:0001000001000302 HTTPS", TYPE_HTTPS, DATA("\0\1\0\0\1\0\3\2h2"), false },
};

static void test_rdata(void **state)
{
    (void)state;
    struct query q;
    struct built b;
    query_init(&q);
    for (size_t i = 0; i < sizeof rdatas / sizeof rdatas[0]; i++) {
        assert_int_equal(parse(&q, rdatas[i].query, 0), E_OK);
        struct slice rdata = { (const uint8_t *)rdatas[i].rdata, rdatas[i].len };
        unsigned n = 0;
        for (unsigned turn = 0; turn < rr_turns(rdatas[i].type); turn++)
            if (build_inverse(&b, "www.example.net", rdatas[i].type, turn, rdata))
                n += found(&q, &b);
        if (n != rdatas[i].wanted)
            fail_msg("row %zu: %s", i, rdatas[i].query);
    }
    query_release(&q);
}

static void test_forward(void **state)
{
    (void)state;
    struct query q, point;
    struct built b;
    struct fault why;
    static const struct {
        const char *query, *name;
        bool wanted;
    } rows[] = {
        { "rrset www.*", "www.example.com", true },      { "rrset www.*", "www.com", true },
        { "rrset www.*", "www", false },                 { "rrset www.*", "wwww.com", false },
        { "rrset www.example.*", "www.example.co.uk", true }, { "rrset www.example.*.", "www.examples.com", false },
    };
    query_init(&q);
    query_init(&point);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        size_t n = name_from_text(rows[i].name, strlen(rows[i].name), wire);
        assert_int_equal(parse(&q, rows[i].query, 0), E_OK);
        assert_true(q.forward);
        b.len = name_forward_key(wire, n, b.bytes);
        assert_int_equal(in_range(&q.ranges[0], (struct slice){ b.bytes, b.len }), rows[i].wanted);
    }
    uint8_t key[NAME_KEY_MAX];
    assert_int_equal(parse(&q, "rrset www.* AAAA", 0), E_OK);
    assert_int_equal(query_owner(&point, &q, owner_of("www.example.com", key), &why), E_OK);
    build_rr(&b, "www.example.com", TYPE_AAAA, "", 0);
    assert_int_equal(found(&point, &b), 1);
    build_rr(&b, "www.example.com", TYPE_A, "", 0);
    assert_int_equal(found(&point, &b), 0);
    /* an escaped star ends a name like any label */
    assert_int_equal(parse(&q, "rrset www.\\*", 0), E_OK);
    assert_false(q.forward);
    query_release(&q);
    query_release(&point);
}

static void test_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "rrset", "rrset a b c", "name a", "rrset a..b", "rrset a NOTYPE", "rrset a TYPE65536", "rrset a TYPE0",
        "rdata 192.0.2.1 AAAA", "rdata 192.0.2.0/33", "rdata 2001:db8::/129", "rdata www.*", "rdata raw:C0A",
        "rdata ns.example.com A", "rdata ns.example.com TXT", "rdata 192.0.2.1 NXDOMAIN", "rdata 10.0.0.0/",
    };
    struct query q;
    query_init(&q);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (parse(&q, wrong[i], 0) != E_USAGE)
            fail_msg("%s", wrong[i]);
    query_release(&q);
}

/* Ranges of one query come in order and apart, so that output is in key order, each once. */
static void test_ranges_are_apart(void **state)
{
    (void)state;
    static const char *const queries[] = { "rrset example.com A", "rrset example.com", "rdata ns.example.com",
                                           "rdata *.example.com", "rdata 192.0.2.1", "rdata ::/0" };
    struct query q;
    query_init(&q);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        assert_int_equal(parse(&q, queries[i], i < 2 ? WANT_NXDOMAIN : 0), E_OK);
        assert_true(q.n_ranges >= 2);
        for (size_t k = 1; k < q.n_ranges; k++)
            assert_true(slice_compare(q.ranges[k - 1].end, q.ranges[k].start) <= 0);
    }
    query_release(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rrset), cmocka_unit_test(test_rdata), cmocka_unit_test(test_forward),
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_ranges_are_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
