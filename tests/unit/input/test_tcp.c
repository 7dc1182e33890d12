/* Streams: however the bytes of eight messages are cut, ordered and repeated, the
 * same messages come out. */
#include "frames.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, MESSAGES = 8, START = 0xffffff80u /* wraps */ };

struct talk {
    uint8_t bytes[8192];
    uint32_t len;
    uint32_t at[MESSAGES + 1];
};

static void talk_make(struct talk *t)
{
    struct frame f;
    t->len = 0;
    for (uint16_t i = 0; i < MESSAGES; i++) {
        frame_dns(&f, (uint16_t)(i + 1), 40 + i * 30u);
        t->at[i] = t->len;
        put_be16(t->bytes + t->len, (uint16_t)f.len);
        memcpy(t->bytes + t->len + 2, f.bytes, f.len);
        t->len += f.len + 2;
    }
    t->at[MESSAGES] = t->len;
}

static void send_at(struct rig *r, int64_t ts_ns, bool from_client, uint32_t seq, uint8_t flags,
                    const void *data, size_t len)
{
    struct frame f;
    frame_tcp(&f, from_client, seq, flags, data, len);
    rig_frame(r, 101, ts_ns, &f);
}

static void send_part(struct rig *r, const struct talk *t, uint32_t at, uint32_t len)
{
    if (at + len > t->len)
        len = t->len - at;
    send_at(r, 0, true, START + 1 + at, ACK, t->bytes + at, len);
}

static void syn(struct rig *r)
{
    send_at(r, 0, true, START, SYN, "", 0);
}

static bool has_message(const struct rig *r, const struct talk *t, int i)
{
    uint32_t len = t->at[i + 1] - t->at[i] - 2;
    for (uint32_t k = 0; k < r->batch.count; k++) {
        const struct message *m = &r->batch.messages[k];
        if (m->wire_len == len && memcmp(m->wire, t->bytes + t->at[i] + 2, len) == 0)
            return true;
    }
    return false;
}

static void check_all(const struct rig *r, const struct talk *t)
{
    assert_int_equal(r->batch.count, MESSAGES);
    for (int i = 0; i < MESSAGES; i++) {
        const struct message *m = &r->batch.messages[i];
        assert_int_equal(m->wire_len, t->at[i + 1] - t->at[i] - 2);
        assert_memory_equal(m->wire, t->bytes + t->at[i] + 2, m->wire_len);
        assert_int_equal(m->transport, TRANSPORT_TCP);
    }
}

static void test_every_segment_size(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    for (uint32_t size = 1; size < t.len + 2; size++) {
        struct rig r;
        rig_open(&r, NULL);
        syn(&r);
        for (uint32_t at = 0; at < t.len; at += size)
            send_part(&r, &t, at, size);
        check_all(&r, &t);
        assert_int_equal(rig_set_aside(&r), 1); /* the SYN */
        rig_close(&r);
    }
}

static void test_reversed_and_repeated(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    for (uint32_t size = 13; size < t.len; size += 29) {
        struct rig r;
        rig_open(&r, NULL);
        syn(&r);
        int32_t last = (int32_t)((t.len - 1) / size * size);
        for (int32_t at = last; at >= 0; at -= (int32_t)size)
            send_part(&r, &t, (uint32_t)at, size);
        check_all(&r, &t);
        uint64_t n = (uint64_t)(last / (int32_t)size) + 1;
        for (int32_t at = last; at >= 0; at -= (int32_t)size)
            send_part(&r, &t, (uint32_t)at, size);
        check_all(&r, &t);
        assert_int_equal(r.tally.n[TALLY_TCP_RETRANSMITTED], n);
        assert_int_equal(rig_set_aside(&r), n + 1);
        rig_close(&r);
    }
}

/* Segments that overlap in all ways, in a random order that every seed repeats. */
static void test_random_overlaps(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    for (unsigned seed = 1; seed < 300; seed++) {
        struct rig r;
        rig_open(&r, NULL);
        syn(&r);
        uint32_t x = seed * 2654435761u;
        for (int i = 0; i < 60; i++) {
            x = x * 1664525 + 1013904223;
            uint32_t at = (x >> 8) % t.len;
            x = x * 1664525 + 1013904223;
            send_part(&r, &t, at, 1 + (x >> 8) % 300);
        }
        for (uint32_t at = 0; at < t.len; at += 50) /* what chance left out */
            send_part(&r, &t, at, 50);
        check_all(&r, &t);
        assert_int_equal(r.tally.n[TALLY_TCP_GAP], 0);
        rig_close(&r);
    }
}

static void test_fast_open(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    talk_make(&t);
    rig_open(&r, NULL);
    send_at(&r, 0, true, START, SYN, t.bytes, t.len);
    check_all(&r, &t);
    send_at(&r, 0, true, START, SYN, t.bytes, t.len); /* a copy */
    check_all(&r, &t);
    assert_int_equal(r.tally.n[TALLY_TCP_RETRANSMITTED], 1);
    rig_close(&r);
}

static void test_begins_in_the_middle(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    for (uint32_t skip = 0; skip < t.at[1]; skip++) { /* anywhere in the first message */
        struct rig r;
        rig_open(&r, NULL);
        for (uint32_t at = skip; at < t.len; at += 100)
            send_part(&r, &t, at, 100);
        int found = 0;
        for (int i = skip == 0 ? 0 : 1; i < MESSAGES; i++)
            found += has_message(&r, &t, i);
        if (found < MESSAGES - 3)
            fail_msg("begun at %u: %d messages", skip, found);
        assert_int_equal(r.batch.count, found);
        assert_int_equal(r.tally.n[TALLY_TCP_GARBAGE], 0);
        rig_close(&r);
    }
}

static void test_gap_is_given_up(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    talk_make(&t);
    rig_open(&r, NULL);
    syn(&r);
    send_part(&r, &t, 0, t.at[2] + 10); /* two messages and a piece */
    assert_int_equal(r.batch.count, 2);
    for (int i = 4; i < MESSAGES; i++) /* the rest of [2] and [3] never come */
        send_part(&r, &t, t.at[i], t.at[i + 1] - t.at[i]);
    assert_int_equal(r.batch.count, 2);
    send_at(&r, 6 * SECOND, true, START + 1 + t.len, ACK, t.bytes, t.at[1]);
    assert_int_equal(r.batch.count, 2 + MESSAGES - 4 + 1);
    rig_close(&r);
}

static void test_end_delivers_what_waits(void **state)
{
    (void)state;
    static const uint8_t ends[] = { RST, 0 };
    struct talk t;
    talk_make(&t);
    for (int i = 0; i < 2; i++) {
        struct rig r;
        rig_open(&r, NULL);
        syn(&r);
        send_part(&r, &t, t.at[3], t.len - t.at[3]);
        assert_int_equal(r.batch.count, 0);
        if (ends[i])
            send_at(&r, 0, true, START + 1 + t.len, ends[i], "", 0);
        else /* another flow's packet, long after */
            send_at(&r, 200 * SECOND, false, 5, SYN, "", 0);
        assert_int_equal(r.batch.count, MESSAGES - 3);
        assert_int_equal(r.batch.messages[0].from.port, 4000);
        rig_close(&r);
    }
}

static void test_both_directions_and_end(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    struct buffer empty, saved;
    buffer_init(&empty, 1 << 20);
    buffer_init(&saved, 1 << 20);
    talk_make(&t);
    rig_open(&r, NULL);
    transport_save(r.transport, &empty);
    syn(&r);
    send_at(&r, 0, false, 900, SYN | ACK, "", 0);
    send_part(&r, &t, 0, t.len);
    send_at(&r, 0, false, 901, ACK, t.bytes, t.len);
    send_at(&r, 0, true, START + 1 + t.len, FIN | ACK, "", 0);
    send_at(&r, 0, false, 901 + t.len, FIN | ACK, "", 0);
    send_at(&r, 0, true, START + 2 + t.len, ACK, "", 0);
    assert_int_equal(r.batch.count, 2 * MESSAGES);
    assert_int_equal(r.batch.messages[MESSAGES].from.port, 53);
    assert_int_equal(rig_set_aside(&r), 5);
    transport_save(r.transport, &saved);
    assert_int_equal(saved.len, empty.len); /* the flow is gone */
    buffer_release(&empty);
    buffer_release(&saved);
    rig_close(&r);
}

static void test_ports_used_again(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    talk_make(&t);
    rig_open(&r, NULL);
    syn(&r);
    send_part(&r, &t, 0, 20);
    send_at(&r, 0, true, 12345, SYN, "", 0);
    send_at(&r, 0, true, 12346, ACK, t.bytes, t.len);
    check_all(&r, &t);
    assert_int_equal(r.tally.n[TALLY_TCP_GAP], 1);
    rig_close(&r);
}

static void test_garbage(void **state)
{
    (void)state;
    static const char http[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    static const uint8_t tls[40] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
    struct rig r;
    rig_open(&r, NULL);
    syn(&r);
    send_at(&r, 0, true, START + 1, ACK, http, 5);
    send_at(&r, 0, true, START + 6, ACK, http + 5, sizeof http - 6);
    send_at(&r, 0, true, START + sizeof http, ACK, http, 5);
    assert_int_equal(r.tally.n[TALLY_TCP_GARBAGE], 3);
    send_at(&r, 0, true, 7777, SYN, "", 0);
    send_at(&r, 0, true, 7778, ACK, tls, sizeof tls);
    assert_int_equal(r.tally.n[TALLY_TCP_GARBAGE], 4);
    assert_int_equal(r.batch.count, 0);
    assert_int_equal(rig_set_aside(&r), 6);
    rig_close(&r);
}

static void test_cut_by_snaplen(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    struct frame f;
    talk_make(&t);
    rig_open(&r, NULL);
    syn(&r);
    /* [0] and [1] whole, [2] cut; the next segment goes on inside [2]. */
    frame_tcp(&f, true, START + 1, ACK, t.bytes, t.at[2] + 60);
    assert_int_equal(transport_frame(r.transport, 101, 0, f.bytes, f.len - 20, f.len, &r.batch,
                                     &r.tally), 0);
    assert_int_equal(r.batch.count, 3);
    assert_true(r.batch.messages[2].truncated);
    assert_int_equal(r.batch.messages[2].wire_len, 38);
    send_part(&r, &t, t.at[2] + 60, t.len);
    assert_int_equal(r.batch.count, MESSAGES);
    assert_true(has_message(&r, &t, 3));
    rig_close(&r);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    struct frame f;
    const struct input_options options = { .transport_limit = 128 << 10 };
    talk_make(&t);
    rig_open(&r, &options);
    for (uint16_t port = 1000; port < 3000; port++) {
        frame_tcp(&f, true, 1, ACK, t.bytes, 30);
        put_be16(f.bytes + 20, port);
        rig_frame(&r, 101, 0, &f);
    }
    struct buffer saved;
    buffer_init(&saved, 1 << 20);
    transport_save(r.transport, &saved);
    assert_false(saved.failed);
    assert_in_range(r.tally.n[TALLY_TCP_EVICTED], 1500, 1999);
    assert_int_equal(rig_set_aside(&r), r.tally.n[TALLY_TCP_EVICTED]);
    buffer_release(&saved);
    rig_close(&r);
}

/* Early segments do not grow without end either. */
static void test_early_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    uint8_t junk[1000] = { 0 };
    rig_open(&r, NULL);
    syn(&r);
    for (uint32_t i = 0; i < 4000; i++)
        send_at(&r, 0, true, START + 100 + i * 1001, ACK, junk, sizeof junk);
    struct buffer saved;
    buffer_init(&saved, 1 << 20);
    transport_save(r.transport, &saved);
    assert_false(saved.failed);
    buffer_release(&saved);
    rig_close(&r);
}

static void test_saved_anywhere(void **state)
{
    (void)state;
    struct talk t;
    talk_make(&t);
    for (uint32_t cut = 0; cut <= t.len; cut += 7) {
        struct rig first, second;
        rig_open(&first, NULL);
        rig_open(&second, NULL);
        syn(&first);
        send_part(&first, &t, t.at[6], 50); /* something early, too */
        send_part(&first, &t, 0, cut);
        rig_hand_over(&second, &first);
        send_part(&first, &t, cut, t.len);
        send_part(&second, &t, cut, t.len);
        check_all(&first, &t);
        uint32_t before = first.batch.count - second.batch.count;
        for (uint32_t i = 0; i < second.batch.count; i++) {
            const struct message *a = &first.batch.messages[before + i];
            const struct message *b = &second.batch.messages[i];
            assert_int_equal(a->wire_len, b->wire_len);
            assert_memory_equal(a->wire, b->wire, a->wire_len);
        }
        rig_close(&first);
        rig_close(&second);
    }
}

/* Any damage to saved state is refused or harmless; cut state is always refused. */
static void test_hostile_state(void **state)
{
    (void)state;
    struct talk t;
    struct rig r;
    struct buffer saved;
    struct fault why;
    buffer_init(&saved, 1 << 20);
    talk_make(&t);
    rig_open(&r, NULL);
    syn(&r);
    send_part(&r, &t, t.at[6], 50);
    send_part(&r, &t, 0, 30);
    transport_save(r.transport, &saved);
    for (size_t i = 0; i < saved.len; i++) {
        struct cursor cut = cursor_over(saved.ptr, i);
        assert_true(transport_load(r.transport, &cut, &why) < 0);
        for (int bit = 0; bit < 8; bit++) {
            uint8_t *bad = malloc(saved.len);
            memcpy(bad, saved.ptr, saved.len);
            bad[i] ^= (uint8_t)(1 << bit);
            struct cursor from = cursor_over(bad, saved.len);
            if (transport_load(r.transport, &from, &why) == 0)
                send_part(&r, &t, 30, t.len);
            free(bad);
            message_batch_clear(&r.batch);
        }
    }
    buffer_release(&saved);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_segment_size),
        cmocka_unit_test(test_reversed_and_repeated),
        cmocka_unit_test(test_random_overlaps),
        cmocka_unit_test(test_fast_open),
        cmocka_unit_test(test_begins_in_the_middle),
        cmocka_unit_test(test_gap_is_given_up),
        cmocka_unit_test(test_end_delivers_what_waits),
        cmocka_unit_test(test_both_directions_and_end),
        cmocka_unit_test(test_ports_used_again),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_cut_by_snaplen),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_early_is_bounded),
        cmocka_unit_test(test_saved_anywhere),
        cmocka_unit_test(test_hostile_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
