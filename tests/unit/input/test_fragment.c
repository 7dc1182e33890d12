/* Datagrams in pieces: any order, overlaps, time, memory, and state saved in between. */
#include "frames.h"

#define PIECES 4

/* A UDP datagram of 33 + 8 .. bytes in PIECES fragments, the last one shorter. */
static void make_pieces(struct frame pieces[PIECES], bool ip6, uint16_t id)
{
    struct frame whole;
    frame_dns(&whole, id, 100 - 8);
    frame_udp(&whole, 53, 4000);
    for (uint32_t i = 0; i < PIECES; i++) {
        uint32_t at = i * 32, len = whole.len - at < 32 ? whole.len - at : 32;
        bool more = i + 1 < PIECES;
        pieces[i].len = 0;
        frame_append(&pieces[i], whole.bytes + at, len);
        if (ip6) {
            uint8_t h[8] = { 17, 0 };
            put_be16(h + 2, (uint16_t)(at | more));
            put_be32(h + 4, id);
            frame_prepend(&pieces[i], h, 8);
            frame_ip6(&pieces[i], 44);
        } else {
            frame_ip4(&pieces[i], 17, id, (uint16_t)(at / 8 | more << 13));
        }
    }
}

static void check_whole(const struct rig *r, uint16_t id)
{
    struct frame dns;
    frame_dns(&dns, id, 92);
    assert_int_equal(r->batch.count, 1);
    assert_int_equal(r->batch.messages[0].wire_len, dns.len);
    assert_memory_equal(r->batch.messages[0].wire, dns.bytes, dns.len);
    assert_int_equal(rig_set_aside(r), 0);
}

static void test_all_orders(void **state)
{
    (void)state;
    struct frame pieces[PIECES];
    for (int ip6 = 0; ip6 < 2; ip6++) {
        make_pieces(pieces, ip6, 77);
        for (int order = 0; order < 256; order++) {
            int at[PIECES] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3 };
            if ((1 << at[0] | 1 << at[1] | 1 << at[2] | 1 << at[3]) != 15)
                continue;
            struct rig r;
            rig_open(&r, NULL);
            for (int i = 0; i < PIECES; i++)
                rig_frame(&r, 101, i, &pieces[at[i]]);
            check_whole(&r, 77);
            rig_close(&r);
        }
    }
}

static void test_copy_of_a_piece(void **state)
{
    (void)state;
    struct rig r;
    struct frame pieces[PIECES];
    make_pieces(pieces, false, 1);
    rig_open(&r, NULL);
    for (int i = 0; i < PIECES; i++) {
        rig_frame(&r, 101, 0, &pieces[i]);
        if (i < 2)
            rig_frame(&r, 101, 0, &pieces[i]);
    }
    assert_int_equal(r.batch.count, 1);
    assert_int_equal(r.tally.n[TALLY_DUPLICATE], 2);
    rig_close(&r);
}

static void test_overlap_refuses_all(void **state)
{
    (void)state;
    struct rig r;
    struct frame pieces[PIECES];
    make_pieces(pieces, false, 1);
    rig_open(&r, NULL);
    rig_frame(&r, 101, 0, &pieces[0]);
    rig_frame(&r, 101, 0, &pieces[1]);
    struct frame wrong = pieces[1];
    put_be16(wrong.bytes + 6, 3 | 1 << 13); /* offset 24, inside the first piece */
    rig_frame(&r, 101, 0, &wrong);
    rig_frame(&r, 101, 0, &pieces[2]);
    rig_frame(&r, 101, 0, &pieces[3]);
    assert_int_equal(r.batch.count, 0);
    assert_int_equal(r.tally.n[TALLY_BAD_FRAGMENT], 5);
    rig_close(&r);
}

static void test_beyond_64k(void **state)
{
    (void)state;
    struct rig r;
    struct frame f = { .len = 0 };
    rig_open(&r, NULL);
    frame_zeros(&f, 64);
    frame_ip4(&f, 17, 1, 0x1fff);
    rig_frame(&r, 101, 0, &f);
    assert_int_equal(r.tally.n[TALLY_BAD_FRAGMENT], 1);
    rig_close(&r);
}

static void test_expires_by_data_time(void **state)
{
    (void)state;
    struct rig r;
    struct frame pieces[PIECES];
    make_pieces(pieces, false, 1);
    rig_open(&r, NULL);
    rig_frame(&r, 101, 0, &pieces[0]);
    rig_frame(&r, 101, SECOND, &pieces[1]);
    rig_frame(&r, 101, 31 * SECOND, &pieces[2]);
    assert_int_equal(r.tally.n[TALLY_FRAGMENT_EXPIRED], 2);
    assert_int_equal(r.batch.count, 0);
    rig_close(&r);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    struct frame pieces[PIECES];
    const struct input_options options = { .transport_limit = 64 << 10 };
    rig_open(&r, &options);
    for (uint16_t id = 0; id < 1000; id++) {
        make_pieces(pieces, false, id);
        rig_frame(&r, 101, 0, &pieces[1]);
    }
    assert_in_range(r.tally.n[TALLY_FRAGMENT_EVICTED], 850, 980);
    rig_close(&r);
}

/* Other traffic is not gathered, and all its pieces count. */
static void test_other_port(void **state)
{
    (void)state;
    struct rig r;
    struct frame pieces[PIECES];
    make_pieces(pieces, true, 1);
    put_be16(pieces[0].bytes + 48, 80);
    rig_open(&r, NULL);
    rig_frame(&r, 101, 0, &pieces[1]);
    rig_frame(&r, 101, 0, &pieces[0]);
    rig_frame(&r, 101, 0, &pieces[3]);
    rig_frame(&r, 101, 0, &pieces[2]);
    assert_int_equal(r.tally.n[TALLY_OTHER_PORT], 4);
    assert_int_equal(rig_set_aside(&r), 4);
    rig_close(&r);
}

static void test_saved_in_between(void **state)
{
    (void)state;
    struct frame pieces[PIECES];
    make_pieces(pieces, true, 1);
    for (int cut = 1; cut < PIECES; cut++) {
        struct rig first, second;
        rig_open(&first, NULL);
        rig_open(&second, NULL);
        for (int i = 0; i < cut; i++)
            rig_frame(&first, 101, 0, &pieces[PIECES - 1 - i]);
        rig_hand_over(&second, &first);
        for (int i = cut; i < PIECES; i++)
            rig_frame(&second, 101, 0, &pieces[PIECES - 1 - i]);
        check_whole(&second, 1);
        rig_close(&first);
        rig_close(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_copy_of_a_piece),
        cmocka_unit_test(test_overlap_refuses_all),
        cmocka_unit_test(test_beyond_64k),
        cmocka_unit_test(test_expires_by_data_time),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_other_port),
        cmocka_unit_test(test_saved_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
