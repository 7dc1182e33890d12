/* What a response says of the name that was asked for: a row a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "input/wire_builder.h"
#include "observe/observation.h"
#include "observe/sight.h"
#include "record/rr.h"

static const char list_text[] = "com\nnet\nco.uk\nuk\n// ===BEGIN PRIVATE DOMAINS===\ngithub.io\n";
static struct suffix_list *suffixes;
static struct policy *policy;
static struct wire_builder wire;

enum { NONE = ACTIVITY_COUNTERS, FLAGS = WIRE_QR | WIRE_RD | WIRE_RA };
/* What logs do not say. */
enum { LOG = KNOWN_ALL & ~(KNOWN_SECTIONS | KNOWN_SIZE), BARE_LOG = LOG & ~KNOWN_RCODE };

struct record {
    enum wire_section section;
    const char *owner;
    uint16_t type;
    const char *text;
};

#define SOA(zone) { WIRE_AUTHORITY, zone, WIRE_SOA, "ns.example.net. root.example.net. 1 2 3 4 5" }
#define NS(zone) { WIRE_AUTHORITY, zone, WIRE_NS, "ns.example.net." }
#define ADDRESS(name) { WIRE_ANSWER, name, WIRE_A, "192.0.2.1" }
#define ALIAS(name, target) { WIRE_ANSWER, name, WIRE_CNAME, target }

static const struct row {
    const char *what, *qname;
    uint16_t qtype;
    int flags; /* beside FLAGS; the rcode */
    int known; /* 0 = all */
    int upper; /* of the rcode, in an OPT record; 0 = none */
    bool truncated;
    bool upstream;
    bool enforced; /* blocked.example, and 192.0.2.1 is the walled garden */
    struct record records[4];
    int want;  /* enum activity_counter */
    uint32_t ttl; /* the first record's is 60, the next one's 61 */
    int about; /* of the observation it leaves: RR_NXDOMAIN, RR_NODATA, or 0 */
} rows[] = {
    { "data", "www.example.com", WIRE_A, .records = { ADDRESS("www.example.com") }, .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "data behind an alias", "www.example.com", WIRE_A,
      .records = { ALIAS("www.example.com", "a.example.net."), ADDRESS("a.example.net") }, .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "the alias asked for", "www.example.com", WIRE_CNAME, .records = { ALIAS("www.example.com", "a.example.net.") },
      .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "anything", "example.com", WIRE_ANY, .records = { { WIRE_ANSWER, "example.com", WIRE_TXT, "x" } },
      .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "data, and more that did not fit", "www.example.com", WIRE_A, WIRE_TC, .records = { ADDRESS("www.example.com") },
      .want = ACTIVITY_NOERROR, .ttl = 60 },

    { "data, the records in another order", "www.example.com", WIRE_A,
      .records = { ADDRESS("a.example.net"), ALIAS("www.example.com", "a.example.net.") }, .want = ACTIVITY_NOERROR, .ttl = 61 },
    { "data, a log without TTLs", "www.example.com", WIRE_A, .known = LOG & ~KNOWN_TTL,
      .records = { ADDRESS("www.example.com") }, .want = ACTIVITY_NOERROR },

    { "no data", "www.example.com", WIRE_AAAA, .records = { SOA("example.com") }, .want = ACTIVITY_NODATA, .about = RR_NODATA },
    { "no data and no SOA", "www.example.com", WIRE_AAAA, .want = ACTIVITY_NODATA, .about = RR_NODATA },
    { "no data behind an alias", "www.example.com", WIRE_AAAA,
      .records = { ALIAS("www.example.com", "a.example.net."), SOA("example.net") }, .want = ACTIVITY_NODATA,
      .about = RR_NODATA },
    { "other data alone", "www.example.com", WIRE_AAAA, .records = { ADDRESS("www.example.com") }, .want = ACTIVITY_NODATA,
      .about = RR_NODATA },
    { "no data, a log", "www.example.com", WIRE_AAAA, .known = LOG, .want = ACTIVITY_NODATA, .about = RR_NODATA },
    { "a referral", "www.example.com", WIRE_A, .records = { NS("example.com") }, .want = NONE },
    { "NS and AA are no referral", "www.example.com", WIRE_A, WIRE_AA, .records = { NS("example.com") },
      .want = ACTIVITY_NODATA, .about = RR_NODATA },
    { "truncated by the server", "www.example.com", WIRE_A, WIRE_TC, .want = NONE },
    { "cut by the capture", "www.example.com", WIRE_A, .truncated = true, .want = NONE },
    { "a type that is not known, data", "www.example.com", 0, .known = LOG, .records = { ADDRESS("www.example.com") },
      .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "a type that is not known, an alias", "www.example.com", 0, .known = LOG,
      .records = { ALIAS("www.example.com", "a.example.net.") }, .want = NONE },
    { "a type that is not known, nothing", "www.example.com", 0, .known = LOG, .want = NONE },
    { "an rcode that is not known", "www.example.com", WIRE_A, .known = BARE_LOG, .want = NONE },
    { "one with data", "www.example.com", WIRE_A, .known = BARE_LOG, .records = { ADDRESS("www.example.com") }, .want = NONE },
    { "one that stands there nevertheless", "www.example.com", WIRE_A, 2, BARE_LOG, .want = NONE },

    { "no such domain", "gone.com", WIRE_A, 3, .records = { SOA("com") }, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a host of none", "www.gone.com", WIRE_A, 3, .records = { SOA("com") }, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a suffix of two labels", "www.gone.co.uk", WIRE_A, 3, .records = { SOA("co.uk") }, .want = ACTIVITY_NX_DOMAIN,
      .about = RR_NXDOMAIN },
    { "the zone above it", "www.gone.co.uk", WIRE_A, 3, .records = { SOA("uk") }, .want = ACTIVITY_NX_DOMAIN,
      .about = RR_NXDOMAIN },
    { "a private suffix", "gone.github.io", WIRE_A, 3, .records = { SOA("github.io") }, .want = ACTIVITY_NX_DOMAIN,
      .about = RR_NXDOMAIN },
    { "no such TLD", "printer.lan", WIRE_A, 3, .records = { SOA(".") }, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "no such host", "no.example.com", WIRE_A, 3, .records = { SOA("example.com") }, .want = ACTIVITY_NX_HOST,
      .about = RR_NXDOMAIN },
    { "in a zone further down", "a.b.example.com", WIRE_A, 3, .records = { SOA("b.example.com") }, .want = ACTIVITY_NX_HOST,
      .about = RR_NXDOMAIN },
    { "an alias to no domain", "www.example.com", WIRE_A, 3,
      .records = { ALIAS("www.example.com", "a.gone.net."), SOA("net") }, .want = ACTIVITY_NX_HOST, .about = RR_NXDOMAIN },
    { "a domain, no SOA", "gone.com", WIRE_A, 3, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a TLD, no SOA", "lan", WIRE_A, 3, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a host, no SOA", "no.example.com", WIRE_A, 3, .want = ACTIVITY_NX_HOST, .about = RR_NXDOMAIN },
    { "a host, another's SOA", "no.example.com", WIRE_A, 3, .records = { SOA("net") }, .want = ACTIVITY_NX_HOST,
      .about = RR_NXDOMAIN },
    { "a host, a log without sections", "no.example.com", WIRE_A, 3, LOG, .want = NONE, .about = RR_NXDOMAIN },
    { "a host, a log with what it could write", "no.example.com", WIRE_A, 3, KNOWN_ALL & ~KNOWN_SIZE, .want = NONE,
      .about = RR_NXDOMAIN },
    { "a host, a log that has the SOA", "no.example.com", WIRE_A, 3, KNOWN_ALL & ~KNOWN_SIZE,
      .records = { SOA("com") }, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a domain, a log without sections", "gone.com", WIRE_A, 3, LOG, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "a host, cut by the capture", "no.example.com", WIRE_A, 3, .truncated = true, .want = NONE },
    { "a host, truncated by the server", "no.example.com", WIRE_A, 3 | WIRE_TC, .want = NONE },
    { "a domain, cut by the capture", "gone.com", WIRE_A, 3, .truncated = true, .want = ACTIVITY_NX_DOMAIN },

    { "blocked: no such name", "blocked.example", WIRE_A, 3, .enforced = true, .records = { SOA("rpz.example.net") },
      .want = ACTIVITY_POLICY },
    { "blocked: no such name, all cut", "blocked.example", WIRE_A, 3, .enforced = true, .truncated = true,
      .want = ACTIVITY_POLICY },
    { "blocked: no data", "blocked.example", WIRE_A, .enforced = true, .want = ACTIVITY_POLICY },
    { "blocked: the walled garden", "blocked.example", WIRE_A, .enforced = true, .records = { ADDRESS("blocked.example") },
      .want = ACTIVITY_POLICY },
    { "blocked: its name", "blocked.example", WIRE_A, .enforced = true,
      .records = { ALIAS("blocked.example", "a.example.net."), ADDRESS("a.example.net") }, .want = ACTIVITY_POLICY },
    { "blocked: other data", "blocked.example", WIRE_TXT, .enforced = true,
      .records = { { WIRE_ANSWER, "blocked.example", WIRE_TXT, "x" } }, .want = ACTIVITY_NOERROR, .ttl = 60 },
    { "blocked: refused", "blocked.example", WIRE_A, 5, .enforced = true, .want = ACTIVITY_REFUSED },
    { "blocked: a failure", "blocked.example", WIRE_A, 2, .enforced = true, .want = ACTIVITY_SERVFAIL },
    { "blocked, but said upstream", "blocked.example", WIRE_A, 3, .enforced = true, .upstream = true,
      .records = { SOA("example") }, .want = ACTIVITY_NX_DOMAIN, .about = RR_NXDOMAIN },
    { "not blocked", "www.example.com", WIRE_A, .enforced = true, .records = { ADDRESS("www.example.com") },
      .want = ACTIVITY_NOERROR, .ttl = 60 },

    { "SERVFAIL", "www.example.com", WIRE_A, 2, .want = ACTIVITY_SERVFAIL },
    { "REFUSED", "www.example.com", WIRE_A, 5, .want = ACTIVITY_REFUSED },
    { "REFUSED, a log", "www.example.com", WIRE_A, 5, LOG, .want = ACTIVITY_REFUSED },
    { "FORMERR", "www.example.com", WIRE_A, 1, .want = ACTIVITY_OTHER_RCODE },
    { "NOTIMP", "www.example.com", WIRE_A, 4, .want = ACTIVITY_OTHER_RCODE },
    /* RFC 6891, 6.1.3: BADVERS is 16, whose lower bits are those of NOERROR */
    { "BADVERS is not NODATA", "www.example.com", WIRE_A, 0, .upper = 1, .want = ACTIVITY_OTHER_RCODE },
    { "BADMODE is not NXDOMAIN", "www.example.com", WIRE_A, 3, .upper = 1, .want = ACTIVITY_OTHER_RCODE },
};

static struct slice text(const char *s)
{
    return (struct slice){ (const uint8_t *)s, strlen(s) };
}

static void build(const struct row *row)
{
    wire_begin(&wire, 7, (uint16_t)(FLAGS | row->flags));
    assert_int_equal(wire_question(&wire, text(row->qname), row->qtype, 1), 0);
    for (size_t i = 0; i < 4 && row->records[i].owner; i++) {
        const struct record *r = &row->records[i];
        assert_int_equal(wire_record(&wire, r->section, text(r->owner), r->type, 60 + (uint32_t)i, text(r->text)), 0);
    }
    if (row->upper)
        assert_int_equal(wire_record_bytes(&wire, WIRE_ADDITIONAL, text("."), WIRE_OPT, (uint32_t)row->upper << 24,
                                           (struct slice){ NULL, 0 }), 0);
}

/* What is said of an owner beside records: RR_NXDOMAIN, RR_NODATA; 0 = nothing. */
static int about_in(const struct buffer shards[SHARDS])
{
    int about = 0;
    for (int s = 0; s < SHARDS; s++)
        for (size_t at = 0; at < shards[s].len;) {
            const struct observation *o = (const void *)(shards[s].ptr + at);
            if (o->about == RR_NXDOMAIN || o->about == RR_NODATA)
                about = o->about;
            at += observation_size(o);
        }
    return about;
}

static void test_outcomes(void **state)
{
    (void)state;
    struct dns_decoder d;
    struct buffer shards[SHARDS];
    dns_decoder_init(&d);
    for (int i = 0; i < SHARDS; i++)
        buffer_init(&shards[i], 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        uint64_t records = 0;
        struct sight_rules rules = { suffixes, row->enforced ? policy : NULL };
        struct sight_answer answer = { .outcome = ACTIVITY_POLICY };
        build(row);
        for (int s = 0; s < SHARDS; s++)
            buffer_clear(&shards[s]);
        struct message m = { .wire = wire.bytes, .wire_len = wire.len, .truncated = row->truncated,
                             .known = (uint16_t)(row->known ? row->known : KNOWN_ALL), .vantage = row->upstream ? VANTAGE_UPSTREAM : VANTAGE_CLIENT };
        assert_int_equal(dns_decode(&d, m.wire, m.wire_len, m.truncated), TALLY_CAUSES);
        assert_true(dns_qname(&d));
        assert_int_equal(sight_response(&d, &m, true, &rules, shards, &records, &answer), 0);
        if ((int)answer.outcome != row->want || about_in(shards) != row->about)
            fail_msg("%s: outcome %d, want %d; about %d, want %d", row->what, answer.outcome, row->want, about_in(shards),
                     row->about);
        for (int s = 0; s < SHARDS && row->want == ACTIVITY_POLICY; s++)
            assert_int_equal(shards[s].len, 0);
        if (answer.ttl != row->ttl)
            fail_msg("%s: TTL %u, want %u", row->what, answer.ttl, row->ttl);
    }
    for (int i = 0; i < SHARDS; i++)
        buffer_release(&shards[i]);
    dns_decoder_release(&d);
}

static int make_policy(void)
{
    static const uint8_t key[] = "example\0blocked\0", garden[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
    int err = policy_create(&policy);
    if (err == E_OK)
        err = policy_add_name(policy, (struct slice){ key, sizeof key }, POLICY_HOST);
    if (err == E_OK)
        err = policy_add_address(policy, garden);
    return err ? err : policy_seal(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_outcomes) };
    if (make_policy() != E_OK)
        return 1;
    if (suffix_parse(&suffixes, list_text, sizeof list_text - 1, NULL) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    suffix_destroy(&suffixes);
    policy_destroy(&policy);
    return failed;
}
