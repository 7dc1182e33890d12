/* Every link layer and tunnel brings the same query through; every header that is
 * cut or wrong is counted once. */
#include "frames.h"

/* What lies around the packet, from the inside out; what a row leaves out is not there. */
struct wrap_case {
    const char *what;
    int linktype;
    bool inner_ethernet;
    const char *head; /* bytes in front */
    size_t head_len;
    uint16_t udp_port; /* a tunnel's */
    uint8_t ip_protocol;
    uint16_t ethertype; /* of an outer Ethernet header */
    void (*wrap)(struct frame *f); /* or what is not just bytes in front */
};

#define HEAD(bytes) .head = bytes, .head_len = sizeof bytes - 1

static void w_ethernet(struct frame *f)
{
    frame_ethernet(f, 0x0800);
    frame_zeros(f, 6); /* padding behind the IP packet */
}

static void w_snap(struct frame *f)
{
    frame_prepend(f, "\xaa\xaa\x03\x00\x00\x00\x08\x00", 8);
    frame_ethernet(f, (uint16_t)f->len);
}

static void w_nflog_le(struct frame *f)
{
    uint8_t h[4] = { 0, 0, 9, 0 };
    put_le32(h, (f->len + 4) | 9u << 16);
    frame_prepend(f, h, 4);
    frame_prepend(f, "\x08\x00\x01\x00\x08\x00\x01\x00", 8);
    frame_prepend(f, "\x02\x00\x00\x05", 4);
}

static void w_nflog_be(struct frame *f)
{
    uint8_t h[4];
    put_be16(h, (uint16_t)(f->len + 4));
    put_be16(h + 2, 9);
    frame_prepend(f, h, 4);
    frame_prepend(f, "\x00\x05\x00\x0a" "a\0\0\0", 8); /* an odd length, padded */
    frame_prepend(f, "\x02\x00\x00\x05", 4);
}

static void w_4in6(struct frame *f)
{
    frame_ip6(f, 4);
}

static void w_ip6_extensions(struct frame *f)
{
    frame_prepend(f, "\x04\x00\x01\x04\0\0\0\0", 8);         /* destination options */
    frame_prepend(f, "\x3c\x00\x00\x00\0\0\0\x09", 8);       /* an atomic fragment */
    frame_prepend(f, "\x2c\x01\x00\x00\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* routing */
    frame_prepend(f, "\x2b\x00\x01\x04\0\0\0\0", 8);         /* hop by hop */
    frame_ip6(f, 0);
}

static void w_deep(struct frame *f)
{
    for (int i = 0; i < 7; i++)
        frame_ip4(f, 4, 99, 0);
}

static const struct wrap_case cases[] = {
    { "raw", 101 },
    { "raw, BSD", 12 },
    { "raw, OpenBSD", 14 },
    { "IPv4", 228 },
    { "Ethernet", 1, .wrap = w_ethernet },
    { "802.1Q", 1, HEAD("\x00\x05\x08\x00"), .ethertype = 0x8100 },
    { "QinQ", 1, HEAD("\x00\x05\x81\x00\x00\x06\x08\x00"), .ethertype = 0x88a8 },
    { "QinQ before it was a standard", 1, HEAD("\x00\x05\x81\x00\x00\x06\x08\x00"), .ethertype = 0x9100 },
    { "two MPLS labels", 1, HEAD("\x00\x01\x00\x40\x00\x02\x01\x40"), .ethertype = 0x8847 },
    { "Ethernet over MPLS", 1, true, HEAD("\x00\x02\x01\x40\x00\x00\x00\x00"), .ethertype = 0x8847 },
    { "PPPoE", 1, HEAD("\x11\x00\x00\x01\x00\x50\x00\x21"), .ethertype = 0x8864 },
    { "802.2 SNAP", 1, .wrap = w_snap },
    { "PPP", 9, HEAD("\xff\x03\x00\x21") },
    { "PPP, fields compressed", 9, HEAD("\x21") },
    { "PPP in HDLC", 50, HEAD("\xff\x03\x00\x21") },
    { "Cisco HDLC", 104, HEAD("\x0f\x00\x08\x00") },
    { "Linux cooked", 113, HEAD("\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\x00") },
    { "Linux cooked v2", 276, HEAD("\x08\0\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\1\0\0") },
    { "null, little-endian", 0, HEAD("\x02\0\0\0") },
    { "null, big-endian", 0, HEAD("\0\0\0\x02") },
    { "loop", 108, HEAD("\0\0\0\x02") },
    { "NFLOG, little-endian", 239, .wrap = w_nflog_le },
    { "NFLOG, big-endian", 239, .wrap = w_nflog_be },
    { "IP in IP", 101, .ip_protocol = 4 },
    { "4in6", 229, .wrap = w_4in6 },
    { "IPv6 extension headers", 101, .wrap = w_ip6_extensions },
    { "GRE", 101, HEAD("\x00\x00\x08\x00"), .ip_protocol = 47 },
    { "GRE with all its fields", 101, HEAD("\xb0\x00\x08\x00" "\0\0\0\0" "\0\0\0\1" "\0\0\0\2"), .ip_protocol = 47 },
    { "GRE with Ethernet", 101, true, HEAD("\x00\x00\x65\x58"), .ip_protocol = 47 },
    { "GRE of PPTP", 101, HEAD("\x30\x81\x88\x0b" "\0\x10\0\1" "\0\0\0\2" "\0\0\0\3" "\xff\x03\x00\x21"),
      .ip_protocol = 47 },
    { "ERSPAN I", 101, true, HEAD("\x00\x00\x88\xbe"), .ip_protocol = 47 },
    { "ERSPAN II", 101, true, HEAD("\x10\x00\x88\xbe\0\0\0\1" "\x10\x05\0\1\0\0\0\2"), .ip_protocol = 47 },
    { "ERSPAN III with its subheader", 101, true,
      HEAD("\x10\x00\x22\xeb\0\0\0\1" "\x20\x05\0\1\0\0\0\2\0\0\0\1" "\0\0\0\0\0\0\0\0"), .ip_protocol = 47 },
    { "VXLAN", 101, true, HEAD("\x08\0\0\0\0\0\x05\0"), 4789, 17 },
    { "VXLAN-GPE", 101, false, HEAD("\x0c\0\0\1\0\0\x05\0"), 4790, 17 },
    { "Geneve with an option", 101, true, HEAD("\x01\0\x65\x58\0\0\x05\0\0\1\2\3"), 6081, 17 },
    { "MPLS in IP", 101, HEAD("\x00\x02\x01\x40"), .ip_protocol = 137 },
    { "eight IP headers", 101, .wrap = w_deep },
};

static void frame_wrapped(struct frame *f, const struct wrap_case *c)
{
    frame_plain(f);
    if (c->inner_ethernet)
        frame_ethernet(f, 0x0800);
    frame_prepend(f, c->head, c->head_len);
    if (c->udp_port)
        frame_udp(f, 50000, c->udp_port);
    if (c->ip_protocol)
        frame_ip4(f, c->ip_protocol, 99, 0);
    if (c->ethertype)
        frame_ethernet(f, c->ethertype);
    if (c->wrap)
        c->wrap(f);
}

static void test_every_layer(void **state)
{
    (void)state;
    struct frame f, dns;
    frame_dns(&dns, 0x1234, 33);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        rig_open(&r, NULL);
        frame_wrapped(&f, &cases[i]);
        rig_frame(&r, cases[i].linktype, 5 * SECOND, &f);
        if (r.batch.count != 1 || rig_set_aside(&r) != 0)
            fail_msg("%s: %u messages", cases[i].what, r.batch.count);
        const struct message *m = &r.batch.messages[0];
        assert_int_equal(m->wire_len, dns.len);
        assert_memory_equal(m->wire, dns.bytes, dns.len);
        assert_memory_equal(m->from.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
        assert_memory_equal(m->to.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
        assert_int_equal(m->from.port, 4000);
        assert_int_equal(m->to.port, 53);
        assert_int_equal(m->ip_id, 7);
        assert_int_equal(m->ts_ns, 5 * SECOND);
        assert_int_equal(m->transport, TRANSPORT_UDP);
        assert_false(m->truncated);
        rig_close(&r);
    }
}

/* Cut anywhere, a frame gives a message or exactly one cause. */
static void test_every_cut(void **state)
{
    (void)state;
    struct frame f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame_wrapped(&f, &cases[i]);
        for (uint32_t snapped = 0; snapped < 2; snapped++) {
            for (uint32_t len = 0; len < f.len; len++) {
                struct rig r;
                rig_open(&r, NULL);
                rig_cut(&r, cases[i].linktype, 0, &f, len, snapped ? f.len : len);
                if (r.batch.count + rig_set_aside(&r) != 1)
                    fail_msg("%s cut to %u: %u messages, %u causes", cases[i].what, len,
                             r.batch.count, (unsigned)rig_set_aside(&r));
                rig_close(&r);
            }
        }
    }
}

static void test_snapped_message(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    rig_open(&r, NULL);
    frame_plain(&f);
    rig_cut(&r, 101, 0, &f, f.len - 5, f.len);
    assert_int_equal(r.batch.count, 1);
    assert_true(r.batch.messages[0].truncated);
    assert_int_equal(r.batch.messages[0].wire_len, 28);
    rig_close(&r);
}

/* An empty datagram is a message for decoding to refuse; it once was the end, as the first of a run. */
static void test_empty_message(void **state)
{
    (void)state;
    struct rig r;
    struct frame f = { .len = 0 };
    rig_open(&r, NULL);
    frame_udp(&f, 4000, 53);
    frame_ip4(&f, 17, 7, 0);
    rig_frame(&r, 101, 0, &f);
    assert_int_equal(r.batch.count, 1);
    assert_int_equal(r.batch.messages[0].wire_len, 0);
    assert_int_equal(rig_set_aside(&r), 0);
    rig_close(&r);
}

static void test_lengths_of_offload(void **state)
{
    (void)state;
    static const uint16_t totals[] = { 0, 3, 60000 };
    struct frame f;
    for (int i = 0; i < 3; i++) {
        struct rig r;
        rig_open(&r, NULL);
        frame_plain(&f);
        put_be16(f.bytes + 2, totals[i]);
        rig_frame(&r, 101, 0, &f);
        assert_int_equal(r.batch.count, 1);
        assert_false(r.batch.messages[0].truncated);
        rig_close(&r);
    }
}

static void one_cause(int linktype, const struct frame *f, enum tally_cause cause)
{
    struct rig r;
    rig_open(&r, NULL);
    rig_frame(&r, linktype, 0, f);
    if (r.batch.count != 0 || rig_set_aside(&r) != 1 || r.tally.n[cause] != 1)
        fail_msg("not counted as %s", tally_text(cause));
    rig_close(&r);
}

static void udp_cause(uint16_t from, uint16_t to, enum tally_cause cause)
{
    struct frame f;
    frame_query(&f, from, to);
    one_cause(101, &f, cause);
}

static void test_causes(void **state)
{
    (void)state;
    struct frame f;
    udp_cause(4000, 80, TALLY_OTHER_PORT);
    udp_cause(5353, 5353, TALLY_MDNS);
    udp_cause(4000, 5355, TALLY_LLMNR);
    frame_plain(&f);
    one_cause(147, &f, TALLY_UNKNOWN_LINK);
    f.bytes[9] = 1;
    one_cause(101, &f, TALLY_ICMP);
    f.bytes[9] = 132;
    one_cause(101, &f, TALLY_NOT_TRANSPORT);
    f.bytes[0] = 0x44;
    one_cause(101, &f, TALLY_BAD_IP);
    f.bytes[0] = 0x55;
    one_cause(101, &f, TALLY_BAD_IP);
    frame_plain(&f);
    put_be16(f.bytes + 24, 7);
    one_cause(101, &f, TALLY_BAD_UDP);
    frame_plain(&f);
    frame_ethernet(&f, 0x0806);
    one_cause(1, &f, TALLY_NOT_IP);
    frame_plain(&f);
    w_deep(&f);
    frame_ip4(&f, 4, 99, 0);
    one_cause(101, &f, TALLY_BAD_TUNNEL);
    frame_tcp(&f, true, 1, 16, "", 0);
    one_cause(101, &f, TALLY_TCP_NO_DATA);
    f.bytes[32] = 0x40;
    one_cause(101, &f, TALLY_BAD_TCP);
}

static void test_ports(void **state)
{
    (void)state;
    struct rig r;
    struct frame f;
    const struct input_options options = { .ports = { 5300, 53 }, .n_ports = 2,
                                           .keep_multicast = true, .sensor = 3,
                                           .vantage = VANTAGE_UPSTREAM };
    static const uint16_t ports[] = { 5300, 53, 5353, 5355 };
    rig_open(&r, &options);
    for (int i = 0; i < 4; i++) {
        frame_dns(&f, 1, 33);
        frame_udp(&f, 4000, ports[i]);
        frame_ip6(&f, 17);
        rig_frame(&r, 101, 0, &f);
    }
    assert_int_equal(r.batch.count, 4);
    assert_int_equal(r.batch.messages[0].sensor, 3);
    assert_int_equal(r.batch.messages[0].vantage, VANTAGE_UPSTREAM);
    assert_int_equal(r.batch.messages[0].known, KNOWN_ALL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layer),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_snapped_message),
        cmocka_unit_test(test_empty_message),
        cmocka_unit_test(test_lengths_of_offload),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
