/* A run with every kind of campaign, read again packet by packet with src/dns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "dns/decode.h"
#include "simulate/simulate.h"

enum { HEAD = 24, RECORD = 16, FRAME = 42, SIZE_MAX_TEST = 256 << 20 };

static struct buffer capture, truth;
static struct simulate_counts counts;

static int append(void *ctx, const void *bytes, size_t len, struct fault *why)
{
    buffer_append(ctx, bytes, len);
    return ((struct buffer *)ctx)->failed ? fault_set(why, E_LIMIT, "too large") : E_OK;
}

static struct scenario small(void)
{
    struct scenario s;
    scenario_defaults(&s);
    s.clients = 60;
    s.days = 2;
    s.mix.sites = 400;
    s.mix.vendors = 20;
    s.mix.iot_vendors = 10;
    for (int kind = 0; kind < CAMPAIGN_KINDS; kind++) {
        struct scenario_campaign *c = &s.campaigns[s.n_campaigns++];
        scenario_campaign_defaults(c, (enum campaign_kind)kind);
        snprintf(c->id, sizeof c->id, "c%d", kind);
        c->day = 0.3;
        c->clients = c->clients > 8 ? 8 : c->clients;
        c->days = kind == CAMPAIGN_RANDOM_SUBDOMAIN ? 0.02 : 1.5;
    }
    return s;
}

static void run_into(const struct scenario *s, struct buffer *to, struct buffer *truth_to)
{
    struct fault why;
    buffer_init(to, SIZE_MAX_TEST);
    buffer_init(truth_to, SIZE_MAX_TEST);
    if (simulate(s, CAPTURE_PCAP, &(struct sink){ append, to }, &(struct sink){ append, truth_to }, &counts, &why) != 0)
        fail_msg("%s", why.text);
}

static int run_once(void **state)
{
    (void)state;
    struct scenario s = small();
    run_into(&s, &capture, &truth);
    return 0;
}

static int release(void **state)
{
    (void)state;
    buffer_release(&capture);
    buffer_release(&truth);
    return 0;
}

struct packet {
    int64_t time_ns;
    const uint8_t *ip, *message;
    size_t len;
};

/* The packet at *at, which moves on. */
static bool next(size_t *at, struct packet *p)
{
    const uint8_t *r = capture.ptr + *at;
    if (*at == capture.len)
        return false;
    p->time_ns = (int64_t)get_le32(r) * 1000000000 + get_le32(r + 4);
    p->ip = r + RECORD + 14;
    p->message = r + RECORD + FRAME;
    p->len = get_le32(r + 8) - FRAME;
    assert_int_equal(get_le32(r + 8), get_le32(r + 12));
    assert_int_equal(get_be16(p->ip + 2), p->len + 28);
    *at += RECORD + FRAME + p->len;
    return true;
}

static void check_ip(const uint8_t *ip)
{
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += get_be16(ip + i);
    assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
}

/* The records' owners begin at the question or at what a CNAME said. */
static void check_answer(const struct dns_decoder *d)
{
    const uint8_t *owner = d->qname;
    size_t len = d->qname_len;
    uint8_t key[NAME_KEY_MAX];
    for (unsigned i = 0; i < d->n_rrs && d->rrs[i].section == SECTION_ANSWER; i++) {
        const struct dns_rr *rr = &d->rrs[i];
        assert_int_equal(rr->owner_len, len);
        assert_memory_equal(rr->owner, owner, len);
        if (rr->type == TYPE_CNAME) {
            struct slice target = dns_rr_rdata(d, rr);
            len = name_owner_key(target.ptr, target.len, key);
            owner = key;
        }
    }
}

/* What does not exist says in which zone, above the name. */
static void check_soa(const struct dns_decoder *d)
{
    assert_int_equal(d->n_rrs, 1);
    assert_int_equal(d->rrs[0].type, TYPE_SOA);
    assert_int_equal(d->rrs[0].section, SECTION_AUTHORITY);
    assert_true(d->rrs[0].owner_len <= d->qname_len);
    assert_memory_equal(d->rrs[0].owner, d->qname, d->rrs[0].owner_len - 1);
}

static void test_packets(void **state)
{
    (void)state;
    struct dns_decoder d;
    struct packet p;
    size_t at = HEAD;
    int64_t last_ns = 0;
    uint64_t queries = 0, responses = 0, rcodes[16] = { 0 }, nodata = 0;
    dns_decoder_init(&d);
    while (next(&at, &p)) {
        assert_true(p.time_ns > last_ns);
        last_ns = p.time_ns;
        check_ip(p.ip);
        enum tally_cause cause = dns_decode(&d, p.message, p.len, false);
        assert_int_equal(cause, TALLY_CAUSES);
        assert_false(d.trailing);
        assert_true(dns_qname(&d));
        assert_memory_equal(p.ip + (d.flags & DNS_QR ? 12 : 16), "\12\377\0\65", 4);
        if (!(d.flags & DNS_QR)) {
            queries++;
            assert_int_equal(d.n_rrs, 0);
            continue;
        }
        responses++;
        rcodes[d.flags & DNS_RCODE]++;
        if ((d.flags & DNS_RCODE) == RCODE_NXDOMAIN)
            check_soa(&d);
        else if ((d.flags & DNS_RCODE) == RCODE_NOERROR)
            check_answer(&d);
        nodata += (d.flags & DNS_RCODE) == RCODE_NOERROR && (d.n_rrs == 0 || d.rrs[0].section != SECTION_ANSWER);
        assert_true((d.flags & DNS_RCODE) == RCODE_SERVFAIL ? d.n_rrs == 0 : d.n_rrs > 0);
    }
    dns_decoder_release(&d);
    assert_int_equal(queries, counts.queries);
    assert_int_equal(responses, counts.responses);
    assert_int_equal(capture.len, counts.bytes);
    assert_true(queries > 50000 && responses > queries * 98 / 100 && responses < queries);
    assert_true(rcodes[RCODE_NXDOMAIN] * 20 > responses && rcodes[RCODE_NXDOMAIN] * 3 < responses);
    assert_true(rcodes[RCODE_SERVFAIL] > 0 && nodata > responses / 20);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct scenario s = small();
    struct buffer again, truth_again;
    run_into(&s, &again, &truth_again);
    assert_int_equal(again.len, capture.len);
    assert_memory_equal(again.ptr, capture.ptr, capture.len);
    assert_int_equal(truth_again.len, truth.len);
    assert_memory_equal(truth_again.ptr, truth.ptr, truth.len);
    buffer_release(&again);
    buffer_release(&truth_again);
    s.seed++;
    run_into(&s, &again, &truth_again);
    assert_true(again.len != capture.len || memcmp(again.ptr, capture.ptr, capture.len) != 0);
    buffer_release(&again);
    buffer_release(&truth_again);
}

static bool truth_has(const char *what, const char *and)
{
    const char *text = (const char *)truth.ptr;
    for (size_t at = 0; at < truth.len;) {
        const char *end = memchr(text + at, '\n', truth.len - at);
        size_t len = (size_t)(end - text) - at;
        if (memmem(text + at, len, what, strlen(what)) != NULL && memmem(text + at, len, and, strlen(and)) != NULL)
            return true;
        at += len + 1;
    }
    return false;
}

/* Every campaign and every twin was met, and said so. */
static void test_truth(void **state)
{
    (void)state;
    for (int kind = 0; kind < CAMPAIGN_KINDS; kind++) {
        char class[48], id[48];
        bool on_a_victim = kind == CAMPAIGN_RANDOM_SUBDOMAIN;
        snprintf(class, sizeof class, "\"class\":\"%s\"", on_a_victim ? "victim" : campaign_kind_text((enum campaign_kind)kind));
        snprintf(id, sizeof id, "\"campaign\":\"c%d\"", kind);
        if (!truth_has(class, id) || !truth_has("\"class\":\"twin\"", id))
            fail_msg("%s or its twin is not in the truth", campaign_kind_text((enum campaign_kind)kind));
    }
    assert_true(truth_has("\"sub\":\"long_tail\"", "\"class\":\"benign\""));
    assert_true(truth_has("\"class\":\"worked_example\"", "\"registered_at\":null"));
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct { size_t offset; double value; } reals[] = {
        { offsetof(struct scenario, days), 0 },     { offsetof(struct scenario, days), 1e9 },
        { offsetof(struct scenario, activity), 0 }, { offsetof(struct scenario, loss), 0.9 },
        { offsetof(struct scenario, loss), __builtin_nan("") },
        { offsetof(struct scenario, shares.iot), 1.5 }, { offsetof(struct scenario, mix.junk), -1 },
        { offsetof(struct scenario, campaigns[0].day), 2 }, { offsetof(struct scenario, campaigns[0].jitter), 1.5 },
    };
    struct fault why;
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        struct scenario s = small();
        assert_int_equal(scenario_check(&s, &why), 0);
        memcpy((char *)&s + reals[i].offset, &reals[i].value, sizeof reals[i].value);
        if (scenario_check(&s, &why) != E_USAGE)
            fail_msg("row %zu is taken", i);
    }
    struct scenario s = small();
    s.clients = 9;
    assert_int_equal(scenario_check(&s, &why), E_USAGE);
    s = small();
    s.campaigns[0].unregistered = s.campaigns[0].domains;
    assert_int_equal(scenario_check(&s, &why), E_USAGE);
}

static int refuse(void *ctx, const void *bytes, size_t len, struct fault *why)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return fault_set(why, E_NOSPACE, "full");
}

static void test_full_disk(void **state)
{
    (void)state;
    struct scenario s = small();
    struct fault why;
    struct simulate_counts ignored;
    assert_int_equal(simulate(&s, CAPTURE_PCAP, &(struct sink){ refuse, NULL }, &(struct sink){ refuse, NULL }, &ignored, &why), E_NOSPACE);
    assert_string_equal(why.text, "full");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_packets), cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_truth),
                                        cmocka_unit_test(test_bounds), cmocka_unit_test(test_full_disk) };
    return cmocka_run_group_tests(tests, run_once, release);
}
