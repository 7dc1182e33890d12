/* The decoder against libknot: 10,000 generated messages, well formed and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "oracle.h"

enum { WIRE_MAX = 16384 };

struct builder {
    uint8_t wire[WIRE_MAX];
    size_t len;
    uint16_t offsets[64]; /* of names written */
    unsigned n_offsets;
};

static void put_name(struct builder *b)
{
    if (b->n_offsets > 0 && rand() % 2) { /* a pointer to a name before */
        uint16_t to = b->offsets[(unsigned)rand() % b->n_offsets];
        put_be16(b->wire + b->len, (uint16_t)(0xc000 | to));
        b->len += 2;
        return;
    }
    if (b->n_offsets < 64 && b->len < 0x3fff)
        b->offsets[b->n_offsets++] = (uint16_t)b->len;
    for (int labels = rand() % 4; labels > 0; labels--) {
        size_t n = 1 + (size_t)rand() % 9;
        b->wire[b->len++] = (uint8_t)n;
        while (n-- > 0)
            b->wire[b->len++] = (uint8_t)("abcXYZ019-_"[rand() % 11]);
        if (labels == 1 && b->n_offsets > 1 && rand() % 3 == 0) { /* labels, then a pointer */
            uint16_t to = b->offsets[(unsigned)rand() % (b->n_offsets - 1)];
            put_be16(b->wire + b->len, (uint16_t)(0xc000 | to));
            b->len += 2;
            return;
        }
    }
    b->wire[b->len++] = 0;
}

static void put_random(struct builder *b, size_t n)
{
    while (n-- > 0)
        b->wire[b->len++] = (uint8_t)rand();
}

static void put_rr(struct builder *b)
{
    static const uint16_t types[] = { TYPE_A, TYPE_AAAA, TYPE_NS, TYPE_CNAME, TYPE_SOA, TYPE_PTR, TYPE_MX, TYPE_TXT, TYPE_SRV, 43, 65280 };
    uint16_t type = types[(size_t)rand() % (sizeof types / sizeof types[0])];
    put_name(b);
    put_be16(b->wire + b->len, type);
    put_be16(b->wire + b->len + 2, 1);
    put_be32(b->wire + b->len + 4, (uint32_t)rand() % 100000);
    size_t rdlength_at = b->len + 8;
    b->len += 10;
    size_t start = b->len;
    struct rdata_layout layout = rdata_layout(type);
    put_random(b, layout.lead);
    for (unsigned i = 0; i < layout.names; i++)
        put_name(b);
    if (type == TYPE_TXT) {
        size_t n = (size_t)rand() % 60;
        b->wire[b->len++] = (uint8_t)n;
        put_random(b, n);
    } else {
        put_random(b, type == TYPE_A ? 4 : type == TYPE_AAAA ? 16 : type == TYPE_SOA ? 20 : layout.names ? 0 : 8 + (size_t)rand() % 20);
    }
    put_be16(b->wire + rdlength_at, (uint16_t)(b->len - start));
}

static void build(struct builder *b)
{
    memset(b, 0, sizeof *b);
    put_random(b, 2);
    put_be16(b->wire + 2, 0x8180);
    b->len = 12;
    put_be16(b->wire + 4, 1);
    b->offsets[b->n_offsets++] = 12;
    put_random(b, 0);
    b->wire[b->len++] = 3;
    memcpy(b->wire + b->len, "wWw\0", 4);
    b->len += 4;
    put_be16(b->wire + b->len, 1);
    put_be16(b->wire + b->len + 2, 1);
    b->len += 4;
    for (int section = 0; section < 3; section++) {
        int n = rand() % 5;
        put_be16(b->wire + 6 + 2 * section, (uint16_t)n);
        while (n-- > 0)
            put_rr(b);
    }
}

static void test_agrees_with_libknot(void **state)
{
    (void)state;
    static struct builder b;
    static struct dns_decoder d;
    unsigned good = 0, bad = 0;
    dns_decoder_init(&d);
    srand(42);
    for (int i = 0; i < 10000; i++) {
        build(&b);
        size_t len = b.len;
        if (i % 4 == 3) { /* damage: cut, or a few bytes changed */
            if (rand() % 2)
                len = 12 + (size_t)rand() % (b.len - 12);
            else
                b.wire[12 + (size_t)rand() % (b.len - 12)] = (uint8_t)rand();
        }
        bool takes;
        enum tally_cause cause = dns_decode(&d, b.wire, len, false);
        const char *differs = oracle_differs(&d, cause, b.wire, len, &takes);
        if (differs != NULL)
            fail_msg("message %d: not as libknot says: %s", i, differs);
        good += takes && cause == TALLY_CAUSES;
        bad += !takes;
    }
    print_message("# %u messages agree record by record, %u were damaged\n", good, bad);
    assert_true(good > 6000 && bad > 100);
    dns_decoder_release(&d);
}

static const struct {
    const char *what;
    const char *wire;
    size_t len;
    enum tally_cause cause;
} hostile[] = {
#define HEADER(q, a) "\0\1\x81\x80\0" q "\0" a "\0\0\0\0"
    { "eleven bytes", "\0\1\x81\x80\0\1\0\0\0\0\0", 11, TALLY_DNS_SHORT },
    { "a pointer to itself", HEADER("\1", "\0") "\xc0\x0c\0\1\0\1", 18, TALLY_DNS_POINTER },
    { "a pointer forward", HEADER("\1", "\0") "\xc0\x10\0\1\0\1\0", 19, TALLY_DNS_POINTER },
    { "two that point at each other", HEADER("\1", "\1") "\1a\xc0\x0c\0\1\0\1", 20, TALLY_DNS_POINTER },
    { "a label beyond the end", HEADER("\1", "\0") "\x3f" "a", 14, TALLY_DNS_NAME },
    { "a reserved label type", HEADER("\1", "\0") "\x80" "a\0\0\1\0\1", 19, TALLY_DNS_NAME },
    { "no room for type and class", HEADER("\1", "\0") "\0\0\1", 15, TALLY_DNS_QUESTION },
    { "a record that is not there", HEADER("\1", "\1") "\0\0\1\0\1", 17, TALLY_DNS_NAME },
    { "rdata beyond the end", HEADER("\0", "\1") "\0\0\1\0\1\0\0\0\0\0\4\1\2\3", 26, TALLY_DNS_RR },
    { "an address of three bytes", HEADER("\0", "\1") "\0\0\1\0\1\0\0\0\0\0\3\1\2\3", 26, TALLY_DNS_RDATA },
};

static void test_hostile(void **state)
{
    (void)state;
    static struct dns_decoder d;
    dns_decoder_init(&d);
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        enum tally_cause cause = dns_decode(&d, (const uint8_t *)hostile[i].wire, hostile[i].len, false);
        if (cause != hostile[i].cause)
            fail_msg("%s: %s", hostile[i].what, cause == TALLY_CAUSES ? "taken" : tally_text(cause));
    }
    dns_decoder_release(&d);
}

/* The target of HTTPS and SVCB is lower-cased where it is a name, and costs no message where it is none. */
static const struct {
    const char *given, *kept;
    size_t len;
} targets[] = {
    { "\0\1\3Svc\1X\0\0\1\0\3\2H2", "\0\1\3svc\1x\0\0\1\0\3\2H2", 16 },
    { "\0\0\3CDN\0", "\0\0\3cdn\0", 7 },
    { "\0\1\0", "\0\1\0", 3 },
    { "\0\1\300\14", "\0\1\300\14", 4 }, /* a pointer */
    { "\0\1\77AB", "\0\1\77AB", 5 },
    { "\0\1", "\0\1", 2 },
    { "A", "A", 1 },
    { "", "", 0 },
};

static void test_targets(void **state)
{
    (void)state;
    static struct dns_decoder d;
    dns_decoder_init(&d);
    for (size_t i = 0; i < 2 * sizeof targets / sizeof targets[0]; i++) {
        uint8_t wire[64] = HEADER("\0", "\1") "\0\0\0\0\1";
        size_t k = i / 2, len = 23 + targets[k].len;
        wire[14] = i % 2 ? TYPE_HTTPS : TYPE_SVCB;
        wire[22] = (uint8_t)targets[k].len;
        memcpy(wire + 23, targets[k].given, targets[k].len);
        assert_int_equal(dns_decode(&d, wire, len, false), TALLY_CAUSES);
        assert_int_equal(d.n_rrs, 1);
        struct slice rdata = dns_rr_rdata(&d, &d.rrs[0]);
        assert_int_equal(rdata.len, targets[k].len);
        assert_memory_equal(rdata.ptr, targets[k].kept, rdata.len);
    }
    dns_decoder_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_libknot),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
