/* Who is answered what: codes for what is refused, records for what is not, signatures as libknot makes and checks them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protect/rpz/responder.h"
#include "questions.h"

#include <libknot/libknot.h>
#include <stdio.h>

enum { NOW = 1700000000 };

static const char secret[] = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==";

static struct zone *zone, *empty;
static struct responder *responder;
static unsigned n_said;
static struct transfer transfer;
static uint8_t answer[RESPONDER_ANSWER_MAX];

static const char *why_listed(void *ctx, const struct zone *z, enum trigger trigger, const char *name)
{
    static char text[1600];
    (void)ctx;
    (void)z;
    if (trigger == TRIGGER_ADDRESS)
        return strcmp(name, "2001:db8::/48") == 0 ? "an address" : NULL;
    if (strcmp(name, "long.test") == 0) {
        memset(text, 'x', sizeof text - 1);
        return text;
    }
    return strcmp(name, "bad.example") == 0 ? "beacons since 2023-11-01" : NULL;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
    n_said++;
}

static struct zone *make_zone(const char *origin)
{
    const struct zone_options options = {
        .origin = origin, .ns = "localhost", .mname = "localhost", .rname = "hostmaster.localhost", .ttl_s = 30,
        .refresh_s = 60, .retry_s = 5, .expire_s = 3600, .minimum_s = 30, .journal_max = 10000,
    };
    struct zone *z;
    assert_int_equal(zone_create(&z, &options, NULL), 0);
    return z;
}

static void version(uint32_t serial, unsigned first, unsigned n)
{
    unsigned action;
    assert_int_equal(zone_action(zone, "nxdomain", &action, NULL), 0);
    assert_int_equal(zone_begin(zone, serial, NULL), 0);
    for (unsigned i = first; i < first + n; i++) {
        char name[64];
        snprintf(name, sizeof name, "host-%u.fill.test", i);
        assert_int_equal(zone_add(zone, TRIGGER_HOST, name, action, NULL), 0);
    }
    if (serial == 10) {
        assert_int_equal(zone_add(zone, TRIGGER_DOMAIN, "bad.example", action, NULL), 0);
        assert_int_equal(zone_action(zone, "garden 192.0.2.1 2001:db8::1", &action, NULL), 0);
        assert_int_equal(zone_add(zone, TRIGGER_HOST, "g.test", action, NULL), 0);
    }
    assert_int_equal(zone_commit(zone, NULL), 0);
}

static int setup(void **state)
{
    const struct responder_options options = { .why = why_listed, .say = say };
    struct fault why;
    (void)state;
    zone = make_zone("rpz.test");
    empty = make_zone("empty.test");
    version(10, 0, 2000);
    version(20, 2000, 3);
    version(30, 2003, 500);
    assert_int_equal(responder_create(&responder, &options, &why), 0);
    assert_int_equal(responder_add_key(responder, "good.key", "hmac-sha256", secret, &why), 0);
    assert_int_equal(responder_add_key(responder, "other.key", "hmac-sha512", secret, &why), 0);
    assert_int_equal(responder_add_key(responder, "other.key", "hmac-sha512", secret, &why), E_USAGE);
    assert_int_equal(responder_add_key(responder, "c", "hmac-md5", secret, &why), E_USAGE);
    assert_int_equal(responder_add_key(responder, "c", "hmac-sha256", "!", &why), E_USAGE);
    assert_int_equal(responder_add_key(responder, "c", "hmac-sha256", "", &why), E_USAGE);
    assert_int_equal(responder_add_zone(responder, zone, &why), 0);
    assert_int_equal(responder_add_zone(responder, empty, &why), 0);
    assert_int_equal(responder_allow(responder, zone, "192.0.2.1", NULL, &why), 0);
    assert_int_equal(responder_allow(responder, zone, "198.51.100.0/24", "Good.Key", &why), 0);
    assert_int_equal(responder_allow(responder, empty, "192.0.2.0/30", NULL, &why), 0);
    assert_int_equal(responder_allow(responder, zone, "192.0.2.0/33", NULL, &why), E_USAGE);
    assert_int_equal(responder_allow(responder, zone, "192.0.2.1", "no.key", &why), E_USAGE);
    n_said = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    responder_destroy(&responder);
    zone_destroy(&zone);
    zone_destroy(&empty);
    return 0;
}

static struct exchange ask(const char *from, bool over_tcp, const uint8_t *bytes, size_t len)
{
    struct sockaddr_storage peer = peer_at(from);
    struct asked asked = { .peer = &peer, .over_tcp = over_tcp, .bytes = bytes, .len = len, .now_s = NOW };
    struct exchange e;
    responder_answer(responder, &asked, answer, &transfer, &e);
    return e;
}

static int rcode_of(const struct exchange *e)
{
    int high = 0;
    if (e->len > 11 && get_be16(answer + 10) == 1) { /* OPT is last where nothing is signed */
        const uint8_t *opt = answer + e->len - 11;
        high = opt[0] == 0 && get_be16(opt + 1) == TYPE_OPT ? opt[5] << 4 : 0;
    }
    return e->len ? high | (answer[3] & 15) : -1;
}

struct row {
    const char *from;
    struct question q;
    bool over_tcp;
    int rcode;       /* -1: none; a transfer */
    int answers, authorities;
    bool truncated;
};

static const struct row rows[] = {
    /* the apex */
    { "192.0.2.1", { "rpz.test", TYPE_SOA, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "RPZ.Test", TYPE_SOA, 0x100, .edns = 0, .room = 1232 }, true, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_NS, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_ANY, 0, .edns = -1 }, false, RCODE_NOERROR, 2, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NOERROR, 0, 1, false },
    /* names */
    { "192.0.2.1", { "bad.example.rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "a.b.bad.example.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "good.example.rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NXDOMAIN, 0, 1, false },
    { "192.0.2.1", { "g.test.rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "g.test.rpz.test", TYPE_ANY, 0, .edns = -1 }, false, RCODE_NOERROR, 2, 0, false },
    { "192.0.2.1", { "g.test.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 0, 1, false },
    { "192.0.2.1", { "x.g.test.rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NXDOMAIN, 0, 1, false },
    /* why */
    { "192.0.2.1", { "bad.example._why.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "bad.example._why.rpz.test", TYPE_A, 0, .edns = -1 }, false, RCODE_NOERROR, 0, 1, false },
    { "192.0.2.1", { "good.example._why.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NXDOMAIN, 0, 1, false },
    { "192.0.2.1", { "48.zz.db8.2001.rpz-ip._why.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "_why.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 0, 1, false },
    { "192.0.2.1", { "long.test._why.rpz.test", TYPE_TXT, 0, .edns = -1 }, false, RCODE_NOERROR, 0, 0, true },
    { "192.0.2.1", { "long.test._why.rpz.test", TYPE_TXT, 0, .edns = -1 }, true, RCODE_NOERROR, 1, 0, false },
    /* transfers */
    { "192.0.2.1", { "rpz.test", TYPE_AXFR, 0, .edns = -1 }, true, -1, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_AXFR, 0, .edns = -1 }, false, RCODE_FORMERR, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 10, -1, 0 }, true, -1, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 11, -1, 0 }, true, -1, 0, 0, false },    /* not known: all of it */
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 30, -1, 0 }, true, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 31, -1, 0 }, true, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 20, -1, 0 }, false, RCODE_NOERROR, 1, 0, false }, /* does not fit */
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, true, 11, -1, 0 }, false, RCODE_NOERROR, 1, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_IXFR, 0, .edns = -1 }, true, RCODE_FORMERR, 0, 0, false },       /* no serial */
    /* what is not given */
    { "203.0.113.1", { "rpz.test", TYPE_SOA, 0, .edns = -1 }, false, RCODE_REFUSED, 0, 0, false },
    { "192.0.2.2", { "rpz.test", TYPE_SOA, 0, .edns = -1 }, false, RCODE_REFUSED, 0, 0, false },     /* of another view */
    { "198.51.100.9", { "rpz.test", TYPE_AXFR, 0, .edns = -1 }, true, RCODE_REFUSED, 0, 0, false },  /* without its key */
    { "192.0.2.1", { "empty.test", TYPE_AXFR, 0, .edns = -1 }, true, RCODE_SERVFAIL, 0, 0, false },
    { "192.0.2.1", { "other.test", TYPE_AXFR, 0, .edns = -1 }, true, RCODE_NOTAUTH, 0, 0, false },
    { "192.0.2.1", { "a.rpz.test", TYPE_AXFR, 0, .edns = -1 }, true, RCODE_NOTAUTH, 0, 0, false },
    { "192.0.2.1", { "test", TYPE_IXFR, 0, true, 1, -1, 0 }, true, RCODE_NOTAUTH, 0, 0, false },
    { "192.0.2.1", { "example.com", TYPE_A, 0, .edns = -1 }, false, RCODE_REFUSED, 0, 0, false },
    { "192.0.2.1", { ".", TYPE_NS, 0, .edns = -1 }, false, RCODE_REFUSED, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_SOA, OPCODE_NOTIFY << 11, .edns = -1 }, false, RCODE_NOTIMP, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_SOA, 5 << 11, .edns = -1 }, false, RCODE_NOTIMP, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_SOA, 0, .edns = 1, .room = 1232 }, false, RCODE_BADVERS, 0, 0, false },
    { "192.0.2.1", { "rpz.test", TYPE_SOA, 0x8000, .edns = -1 }, false, -1, 0, 0, false }, /* a reply */
};

static void test_table(void **state)
{
    struct buffer b;
    (void)state;
    buffer_init(&b, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        question_make(&b, &row->q);
        struct exchange e = ask(row->from, row->over_tcp, b.ptr, b.len);
        if (rcode_of(&e) != row->rcode)
            print_message("row %zu: %s type %u: %d\n", i, row->q.name, row->q.type, rcode_of(&e));
        assert_int_equal(rcode_of(&e), row->rcode);
        assert_int_equal(e.is_transfer, row->rcode == -1 && !(row->q.flags & 0x8000));
        transfer_end(&transfer);
        if (e.len == 0)
            continue;
        assert_int_equal(get_be16(answer), 0x1234);
        assert_int_equal(get_be16(answer + 6), row->answers);
        assert_int_equal(get_be16(answer + 8), row->authorities);
        assert_int_equal(!!(answer[2] & 2), row->truncated);
        assert_int_equal(answer[2] & 0x81, 0x80 | (row->q.flags >> 8 & 1));
        assert_true(row->over_tcp || e.len <= 512 || row->q.edns >= 0);
    }
    buffer_release(&b);
}

static void test_receipts(void **state)
{
    struct buffer b;
    (void)state;
    buffer_init(&b, 4096);
    const struct { struct question q; enum delivery_kind kind; enum delivery_outcome outcome; bool over_tcp; } kinds[] = {
        { { "rpz.test", TYPE_SOA, 0, .edns = -1 }, DELIVERY_SOA, OUTCOME_DONE, false },
        { { "rpz.test", TYPE_IXFR, 0, true, 30, -1, 0 }, DELIVERY_IXFR, OUTCOME_CURRENT, false },
        { { "rpz.test", TYPE_IXFR, 0, true, 20, -1, 0 }, DELIVERY_IXFR, OUTCOME_USE_TCP, false },
        { { "rpz.test", TYPE_IXFR, 0, true, 20, -1, 0 }, DELIVERY_IXFR, OUTCOME_DONE, true },
        { { "rpz.test", TYPE_IXFR, 0, true, 1, -1, 0 }, DELIVERY_IXFR, OUTCOME_WHOLE, true },
        { { "rpz.test", TYPE_AXFR, 0, .edns = -1 }, DELIVERY_AXFR, OUTCOME_DONE, true },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        question_make(&b, &kinds[i].q);
        struct exchange e = ask("192.0.2.1", kinds[i].over_tcp, b.ptr, b.len);
        assert_true(e.has_delivery);
        assert_int_equal(e.delivery.kind, kinds[i].kind);
        assert_int_equal(e.delivery.outcome, kinds[i].outcome);
        assert_int_equal(e.delivery.serial, 30);
        assert_int_equal(e.delivery.had, kinds[i].q.serial);
        transfer_end(&transfer);
    }
    buffer_release(&b);
}

/* A difference that fits into a datagram comes by one. */
static void test_ixfr_over_udp(void **state)
{
    struct buffer b;
    (void)state;
    version(40, 3000, 2);
    buffer_init(&b, 4096);
    question_make(&b, &(struct question){ "rpz.test", TYPE_IXFR, 0, true, 30, 0, 1232 });
    struct exchange e = ask("192.0.2.1", false, b.ptr, b.len);
    assert_int_equal(rcode_of(&e), 0);
    assert_int_equal(get_be16(answer + 6), 6);
    assert_int_equal(e.delivery.outcome, OUTCOME_DONE);
    assert_null(transfer.walk.zone);
    buffer_release(&b);
}

/* Bytes that are no request: nothing, or FORMERR, and it is told once. */
static void test_malformed(void **state)
{
    struct buffer b;
    (void)state;
    buffer_init(&b, 4096);
    question_make(&b, &(struct question){ "rpz.test", TYPE_IXFR, 0, true, 30, 0, 1232 });
    n_said = 0;
    for (size_t len = 0; len < b.len; len++) {
        struct exchange e = ask("192.0.2.1", true, b.ptr, len);
        assert_int_equal(rcode_of(&e), len < REQUEST_HEADER ? -1 : RCODE_FORMERR);
    }
    buffer_u8(&b, 0); /* more than it says */
    struct exchange e = ask("192.0.2.1", true, b.ptr, b.len);
    assert_int_equal(rcode_of(&e), RCODE_FORMERR);
    for (unsigned n = 0; n < 3; n += 2) { /* no question, two */
        question_header(&b, 0, n, 0, 0);
        for (unsigned i = 0; i < n; i++) {
            question_name(&b, "rpz.test");
            buffer_be32(&b, 0x00060001);
        }
        e = ask("192.0.2.1", true, b.ptr, b.len);
        assert_int_equal(rcode_of(&e), RCODE_FORMERR);
    }
    for (unsigned way = 0; way < 2; way++) { /* two OPTs; one that is owned by a name */
        question_header(&b, 0, 1, 0, way ? 1 : 2);
        question_name(&b, "rpz.test");
        buffer_be32(&b, 0x00060001);
        for (unsigned i = way; i < 2; i++) {
            question_name(&b, way ? "x" : ".");
            buffer_be32(&b, TYPE_OPT << 16 | 1232);
            buffer_be32(&b, 0);
            buffer_be16(&b, 0);
        }
        e = ask("192.0.2.1", true, b.ptr, b.len);
        assert_int_equal(rcode_of(&e), RCODE_FORMERR);
    }
    assert_int_equal(n_said, 0); /* the table before had told of this source */
    question_make(&b, &(struct question){ "rpz.test", TYPE_SOA, 0, .edns = -1 });
    struct sockaddr_storage peer = peer_at("192.0.2.3"), foreign = peer_at("203.0.113.7");
    for (unsigned i = 0; i < 3; i++) {
        struct asked asked = { .peer = i < 2 ? &peer : &foreign, .bytes = b.ptr, .len = b.len, .now_s = NOW };
        assert_int_equal(responder_answer_too_long(responder, &asked, answer), 12);
        assert_int_equal(answer[3] & 15, i < 2 ? RCODE_FORMERR : RCODE_REFUSED);
    }
    assert_int_equal(n_said, 2);
    buffer_release(&b);
}

/* TSIG, with libknot at the other end. */

struct client {
    knot_tsig_key_t key;
    uint8_t message[4096];
    size_t len;
    uint8_t mac[64];
    size_t mac_len;
};

static void sign(struct client *c, const char *algorithm, const char *name, const char *with, const struct question *q)
{
    struct buffer b;
    buffer_init(&b, 4096);
    question_make(&b, q);
    assert_int_equal(knot_tsig_key_init(&c->key, algorithm, name, with), 0);
    memcpy(c->message, b.ptr, c->len = b.len);
    c->mac_len = sizeof c->mac;
    assert_int_equal(knot_tsig_sign(c->message, &c->len, sizeof c->message, NULL, 0, c->mac, &c->mac_len, &c->key, 0, 0), 0);
    buffer_release(&b);
}

/* What libknot thinks of a reply, the first or a later one. */
static int check(struct client *c, const uint8_t *bytes, size_t len, bool first)
{
    uint8_t *copy = malloc(len); /* parsing takes the signature off */
    memcpy(copy, bytes, len);
    knot_pkt_t *pkt = knot_pkt_new(copy, (uint16_t)len, NULL);
    assert_int_equal(knot_pkt_parse(pkt, 0), 0);
    assert_non_null(pkt->tsig_rr);
    int e = first ? knot_tsig_client_check(pkt->tsig_rr, pkt->wire, pkt->size, c->mac, c->mac_len, &c->key, 0)
                  : knot_tsig_client_check_next(pkt->tsig_rr, pkt->wire, pkt->size, c->mac, c->mac_len, &c->key, 0);
    c->mac_len = knot_tsig_rdata_mac_length(pkt->tsig_rr);
    memcpy(c->mac, knot_tsig_rdata_mac(pkt->tsig_rr), c->mac_len);
    knot_pkt_free(pkt);
    free(copy);
    return e;
}

static struct exchange ask_at(const char *from, const struct client *c, int64_t now_s)
{
    struct sockaddr_storage peer = peer_at(from);
    struct asked asked = { .peer = &peer, .over_tcp = true, .bytes = c->message, .len = c->len, .now_s = now_s };
    struct exchange e;
    responder_answer(responder, &asked, answer, &transfer, &e);
    return e;
}

static const struct question soa = { "rpz.test", TYPE_SOA, 0, .edns = 0, .room = 1232 };

static unsigned tsig_error_of(const struct exchange *e)
{
    knot_pkt_t *pkt = knot_pkt_new(answer, (uint16_t)e->len, NULL);
    assert_int_equal(knot_pkt_parse(pkt, KNOT_PF_KEEPWIRE), 0);
    unsigned error = pkt->tsig_rr ? knot_tsig_rdata_error(pkt->tsig_rr) : 999;
    knot_pkt_free(pkt);
    return error;
}

static void test_signed(void **state)
{
    struct client c;
    int64_t now = time(NULL);
    (void)state;
    static const struct { const char *algorithm, *key, *from; int rcode; } ways[] = {
        { "hmac-sha256", "good.key", "198.51.100.7", RCODE_NOERROR },
        { "hmac-sha256", "GOOD.key", "198.51.100.7", RCODE_NOERROR },
        { "hmac-sha512", "other.key", "198.51.100.7", RCODE_REFUSED }, /* known, but not this entry's */
        { "hmac-sha512", "other.key", "192.0.2.1", RCODE_NOERROR },    /* needs none, may have one */
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        sign(&c, ways[i].algorithm, ways[i].key, secret, &soa);
        struct exchange e = ask_at(ways[i].from, &c, now);
        assert_int_equal(answer[3] & 15, ways[i].rcode);
        assert_int_equal(check(&c, answer, e.len, true), 0);
        knot_tsig_key_deinit(&c.key);
    }
}

/* RFC 8945, 5.2. */
static void test_badly_signed(void **state)
{
    struct client c;
    struct exchange e;
    int64_t now = time(NULL);
    (void)state;
    sign(&c, "hmac-sha256", "no.key", secret, &soa);
    e = ask_at("198.51.100.7", &c, now);
    assert_int_equal(answer[3] & 15, RCODE_NOTAUTH);
    assert_int_equal(tsig_error_of(&e), TSIG_BADKEY);
    knot_tsig_key_deinit(&c.key);

    sign(&c, "hmac-sha512", "good.key", secret, &soa); /* of another algorithm */
    e = ask_at("198.51.100.7", &c, now);
    assert_int_equal(tsig_error_of(&e), TSIG_BADKEY);
    knot_tsig_key_deinit(&c.key);

    sign(&c, "hmac-sha256", "good.key", "d3Jvbmc=", &soa);
    e = ask_at("198.51.100.7", &c, now);
    assert_int_equal(answer[3] & 15, RCODE_NOTAUTH);
    assert_int_equal(tsig_error_of(&e), TSIG_BADSIG);
    knot_tsig_key_deinit(&c.key);

    sign(&c, "hmac-sha256", "good.key", secret, &soa);
    c.message[13] ^= 0x20; /* the name's case is signed, too */
    e = ask_at("198.51.100.7", &c, now);
    assert_int_equal(tsig_error_of(&e), TSIG_BADSIG);
    c.message[13] ^= 0x20;
    e = ask_at("198.51.100.7", &c, now + 299);
    assert_int_equal(answer[3] & 15, RCODE_NOERROR);
    e = ask_at("198.51.100.7", &c, now + 302);
    assert_int_equal(answer[3] & 15, RCODE_NOTAUTH);
    assert_int_equal(tsig_error_of(&e), TSIG_BADTIME);
    assert_int_equal(check(&c, answer, e.len, true), 0); /* its MAC holds, so that the client may believe our time */
    knot_tsig_key_deinit(&c.key);
}

/* Every message of a transfer holds, each with the MAC of the one before. */
static void test_signed_transfer(void **state)
{
    static uint8_t message[TRANSFER_MESSAGE_MAX];
    struct client c;
    unsigned n = 0;
    int len;
    (void)state;
    sign(&c, "hmac-sha256", "good.key", secret, &(struct question){ "rpz.test", TYPE_AXFR, 0, .edns = -1 });
    struct exchange e = ask_at("198.51.100.7", &c, time(NULL));
    assert_true(e.is_transfer);
    while ((len = transfer_message(&transfer, message, sizeof message, time(NULL))) > 0)
        assert_int_equal(check(&c, message, (size_t)len, n++ == 0), 0);
    assert_int_equal(len, 0);
    assert_true(n > 3);
    assert_int_equal(transfer.records, zone_count(zone) + 2 + 3); /* a domain has two records, g.test has, and SOA, NS, SOA */
    transfer_end(&transfer);
    knot_tsig_key_deinit(&c.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),       cmocka_unit_test(test_receipts),     cmocka_unit_test(test_ixfr_over_udp),
        cmocka_unit_test(test_malformed),   cmocka_unit_test(test_signed),       cmocka_unit_test(test_badly_signed),
        cmocka_unit_test(test_signed_transfer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
