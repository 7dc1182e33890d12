/* Transactions: each is told once, with what its messages said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "input/wire_builder.h"
#include "observe/observer.h"

#define SECOND INT64_C(1000000000)
#define START (INT64_C(1700000000) * SECOND)
enum { TIMEOUT_S = 10, DNS_PORT = 53, MDNS_PORT = 5353 };

static struct suffix_list *suffixes;
static struct wire_builder wire;
static struct round round_;

static const struct client_key a_key = { "sixteen bytes..." };

static struct observer *new_observer(const struct client_key *key)
{
    struct observer_options options = { .activity = true, .suffixes = suffixes, .slot_s = 60, .lateness_ns = 5 * SECOND,
                                        .pair_timeout_ns = TIMEOUT_S * SECOND, .client_key = *key, .memory = 1 << 26 };
    struct observer *o = NULL;
    assert_int_equal(observer_create(&o, &options), 0);
    return o;
}

static struct slice text(const char *s)
{
    return (struct slice){ (const uint8_t *)s, strlen(s) };
}

static struct endpoint at(uint32_t host, uint16_t port)
{
    struct endpoint e = { .address = { [10] = 0xff, [11] = 0xff, [12] = 10 }, .port = port };
    e.address[14] = (uint8_t)(host >> 8);
    e.address[15] = (uint8_t)host;
    return e;
}

/* What a message is told by, but for its bytes. */
struct said {
    int64_t ts_ns;
    uint32_t client;
    uint16_t id;
    uint16_t known;   /* what is not: 0 = all is */
    uint8_t vantage;
    bool multicast;
};

static void add(const struct said *said, bool response)
{
    uint16_t port = said->multicast ? MDNS_PORT : DNS_PORT;
    struct endpoint client = at(said->client, said->multicast ? MDNS_PORT : 4000), server = at(1, port);
    struct message m = { .ts_ns = said->ts_ns, .wire = wire.bytes, .wire_len = wire.len, .from = response ? server : client,
                         .to = response ? client : server, .known = KNOWN_ALL & ~said->known, .vantage = said->vantage };
    assert_int_equal(message_batch_add(&round_.batch, &m, &round_.tally), 0);
}

static void ask(const char *qname, const struct said *said)
{
    wire_begin(&wire, said->id, WIRE_RD);
    if (qname)
        assert_int_equal(wire_question(&wire, text(qname), 28, 1), 0);
    add(said, false);
}

static void answer(const char *qname, const struct said *said)
{
    wire_begin(&wire, said->id, WIRE_QR | WIRE_RD | WIRE_RA);
    if (qname)
        assert_int_equal(wire_question(&wire, text(qname), 28, 1), 0);
    assert_int_equal(wire_record(&wire, WIRE_ANSWER, text(qname ? qname : "a.example.com"), WIRE_AAAA, 60, text("2001:db8::1")), 0);
    add(said, true);
}

static struct observer_counts run(struct observer *o)
{
    struct observer_counts counts = { 0 };
    assert_int_equal(observer_admit(o, &round_), 0);
    for (unsigned i = 0; i < PARTITIONS; i++)
        observer_decode(o, &round_, i);
    for (unsigned i = 0; i < SHARDS; i++)
        observer_fold(o, &round_, i);
    assert_int_equal(observer_finish(&round_, &counts), 0);
    return counts;
}

static void check_told(const struct observer_counts *c, uint64_t told)
{
    assert_int_equal(c->told, c->transactions + c->unanswered + c->pair_evicted + c->unmatched_responses);
    assert_int_equal(c->told, told);
}

/* Random traffic over many rounds: nothing is told twice, nothing is left out. */
static void test_told_once(void **state)
{
    (void)state;
    enum { ROUNDS = 40, MESSAGES = 2000, FLOWS = 900 };
    struct observer *o = new_observer(&a_key);
    struct observer_counts total = { 0 };
    int64_t now = START;
    srand(5);
    for (int r = 0; r < ROUNDS; r++) {
        round_clear(&round_);
        for (int i = 0; i < MESSAGES; i++) {
            uint32_t n = (uint32_t)rand() % FLOWS;
            struct said said = { .ts_ns = now += SECOND / 200, .client = n, .id = (uint16_t)n };
            if (rand() % 2)
                ask("www.example.com", &said);
            else
                answer(rand() % 20 ? "www.example.com" : NULL, &said);
        }
        struct observer_counts counts = run(o);
        check_told(&counts, counts.told);
        observer_counts_add(&total, &counts);
    }
    assert_true(total.transactions > 5000 && total.unanswered > 5000 && total.unmatched_responses > 5000);
    assert_true(total.told > 0 && total.told <= total.messages);
    round_clear(&round_);
    struct said last = { .ts_ns = now + 2 * TIMEOUT_S * SECOND, .client = 1 };
    ask("last.example.com", &last);
    struct observer_counts counts = run(o);
    observer_counts_add(&total, &counts);
    check_told(&total, total.told);
    assert_int_equal(total.queries, total.transactions + total.unanswered + 1); /* the last one waits */
    observer_destroy(&o);
}

/* Lines of a log that are a record each are no responses; those that say nothing of the question are. */
static void test_parts(void **state)
{
    (void)state;
    struct observer *o = new_observer(&a_key);
    round_clear(&round_);
    answer(NULL, &(struct said){ START, .known = KNOWN_SIZE });
    struct observer_counts counts = run(o);
    assert_int_equal(counts.unmatched_responses, 1);
    assert_int_equal(counts.rr_observed, 1);
    assert_int_equal(counts.told, 0);
    round_clear(&round_);
    answer(NULL, &(struct said){ START });
    counts = run(o);
    assert_int_equal(counts.rr_observed, 0);
    check_told(&counts, 1);
    round_clear(&round_);
    ask(NULL, &(struct said){ START }); /* asks for nothing */
    counts = run(o);
    check_told(&counts, 0);
    observer_destroy(&o);
}

/* The open state of one waiting query, behind the number of those waiting (docs/format/state.md). */
static const uint8_t *waiting(struct observer *o)
{
    const uint8_t *found = NULL;
    round_.cut = true;
    struct observer_counts counts = run(o);
    assert_int_equal(counts.told, 0);
    for (int p = 0; p < PARTITIONS; p++) {
        assert_true(round_.pair_state[p].len >= 8);
        if (get_le32(round_.pair_state[p].ptr) == 1)
            found = round_.pair_state[p].ptr + 4;
    }
    assert_non_null(found);
    return found;
}

static void test_what_waits(void **state)
{
    (void)state;
    static const uint8_t qname[] = "\3www\7example\3com";
    enum { BYTES = 12 + sizeof qname + 4, WHO = KNOWN_ADDRESSES, LOG = KNOWN_SIZE };
    const struct {
        struct said said;
        int flags, bytes;
    } cases[] = {
        { { START, .client = 5 }, PAIR_CLIENT_KNOWN, BYTES },
        { { START, .client = 5, .vantage = VANTAGE_CLIENT }, PAIR_CLIENT_KNOWN, BYTES },
        { { START, .client = 5, .vantage = VANTAGE_UPSTREAM }, PAIR_UPSTREAM, BYTES },
        { { START, .client = 5, .vantage = VANTAGE_AUTHORITATIVE }, PAIR_UPSTREAM, BYTES },
        { { START, .client = 5, .known = WHO }, 0, BYTES },
        { { START, .client = 5, .known = LOG }, PAIR_CLIENT_KNOWN, 0 },
        { { START, .client = 5, .multicast = true }, PAIR_CLIENT_KNOWN | PAIR_MULTICAST, BYTES },
    };
    struct endpoint client = at(5, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct observer *o = new_observer(&a_key);
        round_clear(&round_);
        ask("WWW.Example.com", &cases[i].said);
        const uint8_t *w = waiting(o);
        bool known = cases[i].flags & PAIR_CLIENT_KNOWN;
        assert_int_equal(get_le64(w + 16), START);
        assert_true(get_le64(w + 24) == (known ? client_id(&a_key, client.address) : 0));
        assert_int_equal(get_le16(w + 32), 28);
        assert_int_equal(get_le16(w + 34), cases[i].bytes);
        assert_int_equal(w[36], cases[i].flags);
        assert_int_equal(w[37], sizeof qname);
        assert_memory_equal(w + 38, qname, sizeof qname);
        observer_destroy(&o);
    }
}

/* A query of before a restart is told after it, and under another key nothing goes on. */
static void test_restart(void **state)
{
    (void)state;
    struct client_key other = a_key;
    struct buffer saved;
    struct fault why = { 0 };
    buffer_init(&saved, 1 << 20);
    struct observer *o = new_observer(&a_key);
    round_clear(&round_);
    ask("a.example.com", &(struct said){ START, .client = 2, .id = 2 });
    ask("b.example.com", &(struct said){ START, .client = 3, .id = 3 });
    round_.cut = true;
    struct observer_counts counts = run(o);
    check_told(&counts, 0);
    observer_save(o, &round_, &saved);
    observer_destroy(&o);

    other.bytes[15] ^= 1;
    o = new_observer(&other);
    struct cursor c = cursor_over(saved.ptr, saved.len);
    assert_int_equal(observer_load(o, &c, &why), E_CORRUPT);
    assert_non_null(strstr(why.text, "client.key"));
    observer_destroy(&o);

    o = new_observer(&a_key);
    c = cursor_over(saved.ptr, saved.len);
    assert_int_equal(observer_load(o, &c, &why), 0);
    assert_int_equal(cursor_left(&c), 0);
    round_clear(&round_);
    answer("a.example.com", &(struct said){ START + SECOND, .client = 2, .id = 2 });
    counts = run(o);
    assert_int_equal(counts.transactions, 1);
    check_told(&counts, 1);
    round_clear(&round_);
    ask("c.example.com", &(struct said){ START + (TIMEOUT_S + 2) * SECOND, .client = 4, .id = 4 });
    counts = run(o);
    assert_int_equal(counts.unanswered, 1);
    check_told(&counts, 1);
    observer_destroy(&o);
    buffer_release(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_once), cmocka_unit_test(test_parts), cmocka_unit_test(test_what_waits),
        cmocka_unit_test(test_restart),
    };
    if (suffix_parse(&suffixes, "com\n", 4, NULL) != 0 || round_init(&round_) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    round_release(&round_);
    suffix_destroy(&suffixes);
    return failed;
}
