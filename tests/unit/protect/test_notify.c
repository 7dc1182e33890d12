/* NOTIFY: when it is sent, again, and no more; and that it is a message as RFC 1996 has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protect/rpz/notify.h"
#include "questions.h"

#include <libknot/libknot.h>
#include <string.h>

static struct zone *zone;
static struct notify notify;
static uint8_t message[REPLY_LEAST];
static size_t message_len;

static void version(uint32_t serial)
{
    assert_int_equal(zone_begin(zone, serial, NULL), 0);
    assert_int_equal(zone_commit(zone, NULL), 0);
}

static int setup(void **state)
{
    const struct zone_options options = { .origin = "rpz.test", .ns = "localhost", .mname = "localhost", .rname = "localhost" };
    struct sockaddr_storage peer = peer_at("192.0.2.1");
    (void)state;
    memset(&notify, 0, sizeof notify);
    assert_int_equal(zone_create(&zone, &options, NULL), 0);
    assert_int_equal(notify_add(&notify, zone, &peer, NULL, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    zone_destroy(&zone);
    return 0;
}

static const struct notify_target *next(int64_t now_ms)
{
    return notify_next(&notify, now_ms, 1700000000, message, &message_len);
}

static bool answer(const char *from, uint16_t id, uint8_t rcode, struct delivery *ret)
{
    struct request r = { .id = id, .rcode = rcode };
    struct sockaddr_storage peer = peer_at(from);
    return notify_answer(&notify, &peer, &r, 5000, ret);
}

static void test_waits(void **state)
{
    static const int64_t waits_s[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
    int64_t now = 1000;
    (void)state;
    assert_int_equal(notify_wait_ms(&notify, now), -1); /* there is no version */
    version(1);
    assert_int_equal(notify_wait_ms(&notify, now), 0);
    for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
        assert_non_null(next(now));
        assert_null(next(now));
        assert_int_equal(notify_wait_ms(&notify, now), waits_s[i] * 1000);
        now += waits_s[i] * 1000;
    }
}

static void test_answers(void **state)
{
    struct delivery r;
    (void)state;
    version(1);
    (void)notify_wait_ms(&notify, 1000);
    const struct notify_target *t = next(1000);
    uint16_t id = get_be16(message);
    assert_false(answer("192.0.2.2", id, 0, &r));
    assert_false(answer("192.0.2.1", (uint16_t)(id + 1), 0, &r));
    assert_true(answer("192.0.2.1", id, 0, &r));
    assert_int_equal(r.serial, 1);
    assert_int_equal(r.outcome, OUTCOME_DONE);
    assert_int_equal(r.ms, 4000);
    assert_false(answer("192.0.2.1", id, 0, &r)); /* it waits no more */
    assert_int_equal(notify_wait_ms(&notify, 2000), -1);
    version(2);
    assert_int_equal(notify_wait_ms(&notify, 3000), 0);
    assert_ptr_equal(next(3000), t);
    assert_true(answer("192.0.2.1", get_be16(message), RCODE_REFUSED, &r));
    assert_int_equal(r.outcome, OUTCOME_UNWANTED);
    assert_int_equal(r.serial, 2);
}

/* A newer version while one waits: told at once, of the new one. */
static void test_newer(void **state)
{
    (void)state;
    version(1);
    (void)notify_wait_ms(&notify, 1000);
    assert_non_null(next(1000));
    version(2);
    assert_int_equal(notify_wait_ms(&notify, 1500), 0);
    assert_int_equal(next(1500)->serial, 2);
}

static void test_message(void **state)
{
    struct tsig_key key;
    struct sockaddr_storage peer = peer_at("192.0.2.1");
    (void)state;
    assert_int_equal(tsig_key_make(&key, "k", "hmac-sha512", "c2VjcmV0c2VjcmV0", NULL), 0);
    assert_int_equal(notify_add(&notify, zone, &peer, &key, NULL), 0);
    version(77);
    (void)notify_wait_ms(&notify, 0);
    for (unsigned is_signed = 0; is_signed < 2; is_signed++) {
        assert_non_null(next(0));
        knot_pkt_t *pkt = knot_pkt_new(message, (uint16_t)message_len, NULL);
        assert_int_equal(knot_pkt_parse(pkt, KNOT_PF_KEEPWIRE), 0);
        assert_int_equal(knot_wire_get_opcode(message), KNOT_OPCODE_NOTIFY);
        assert_true(knot_wire_get_aa(message) && !knot_wire_get_qr(message));
        assert_int_equal(knot_pkt_qtype(pkt), KNOT_RRTYPE_SOA);
        assert_int_equal(knot_wire_get_ancount(message), 1);
        assert_int_equal(pkt->tsig_rr != NULL, is_signed);
        knot_pkt_free(pkt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_message, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
