#include "harness.h"

#include "events.h"
#include "input/dnstap.h"
#include "input/frames.h"
#include "input/reader.h"
#include "scratch.h"

static const uint8_t wire[] = { 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1 };

/* Which fields a row leaves out or has otherwise. */
struct event_case {
    unsigned type;
    unsigned protocol;
    bool no_query_address, no_ports, no_response_time, no_time, no_wire, v6;
    uint32_t nsec;
    const char *messages;
    const char *counts;
};

#define QUERY "1700000000.250000000 10.0.0.1:1024>10.0.0.2:53 "
#define RESPONSE "1700000001.250000000 10.0.0.2:53>10.0.0.1:1024 "
#define WIRE " id=7 flags=0100 a A"

static const struct event_case cases[] = {
    { 5, 1, .nsec = 250000000, .messages = QUERY "udp known=1ff" WIRE, .counts = "" },
    { 6, 2, .nsec = 250000000, .messages = RESPONSE "tcp known=1ff" WIRE, .counts = "" },
    { 6, 4, .nsec = 250000000, .messages = RESPONSE "other known=1ff" WIRE, .counts = "" },
    { 6, 1, .nsec = 250000000, .no_response_time = true,
      .messages = "1700000000.250000000 10.0.0.2:53>10.0.0.1:1024 udp known=1ff" WIRE, .counts = "" },
    { 3, 1, .nsec = 0, .no_query_address = true, .no_ports = true,
      .messages = "1700000000.000000000 :::0>10.0.0.2:0 udp known=1fc" WIRE, .counts = "" },
    { 1, 1, .nsec = 0, .v6 = true,
      .messages = "1700000000.000000000 a00::1:1024>10.0.0.2:53 udp known=1ff" WIRE, .counts = "" },
    { 5, 1, .no_wire = true, .messages = "", .counts = "no_message=1" },
    { 5, 1, .no_time = true, .messages = "", .counts = "bad_record=1" },
    { 5, 1, .nsec = 1000000000, .messages = "", .counts = "bad_record=1" },
    { 0, 1, .messages = "", .counts = "bad_record=1" },
    { 13, 1, .messages = "", .counts = "not_dns_record=1" },
    { 99, 1, .messages = "", .counts = "not_dns_record=1" },
};

static void build(struct buffer *to, const struct event_case *c)
{
    static const uint8_t v6[16] = { 10, [15] = 1 };
    struct buffer m;
    buffer_init(&m, 4096);
    event_number(&m, 1, c->type);
    event_number(&m, 3, c->protocol);
    if (!c->no_query_address)
        event_bytes(&m, 4, c->v6 ? v6 : (const uint8_t *)"\x0a\0\0\1", c->v6 ? 16 : 4);
    event_bytes(&m, 5, "\x0a\0\0\2", 4);
    if (!c->no_ports) {
        event_number(&m, 6, 1024);
        event_number(&m, 7, 53);
    }
    if (!c->no_time) {
        event_number(&m, 8, 1700000000);
        event_fixed32(&m, 9, c->nsec);
    }
    if (!c->no_time && !c->no_response_time) {
        event_number(&m, 12, 1700000001);
        event_fixed32(&m, 13, c->nsec);
    }
    event_number(&m, 100, 5); /* a field to come */
    if (!c->no_wire) {
        event_bytes(&m, 10, wire, sizeof wire);
        event_bytes(&m, 14, wire, sizeof wire);
    }
    event_wrap(to, &m);
    buffer_release(&m);
}

static void test_events(void **state)
{
    (void)state;
    static struct harness h;
    struct buffer frame;
    harness_init(&h);
    buffer_init(&frame, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        harness_clear(&h);
        buffer_clear(&frame);
        build(&frame, &cases[i]);
        assert_int_equal(dnstap_event((struct slice){ frame.ptr, frame.len }, &h.sink), 0);
        assert_string_equal(harness_text(&h), cases[i].messages);
        assert_string_equal(harness_counts(&h), cases[i].counts);
    }
    buffer_release(&frame);
    harness_release(&h);
}

/* A frame cut anywhere is damage, never a message and never a read beyond it. */
static void test_cut(void **state)
{
    (void)state;
    static struct harness h;
    struct buffer frame;
    harness_init(&h);
    buffer_init(&frame, 4096);
    event_query(&frame, 1);
    for (size_t len = 0; len < frame.len; len++) {
        uint8_t *copy = test_malloc(len + 1);
        memcpy(copy, frame.ptr, len);
        assert_int_equal(dnstap_event((struct slice){ copy, len }, &h.sink), 0);
        test_free(copy);
    }
    assert_int_equal(h.batch.count, 0);
    assert_int_equal(h.tally.n[TALLY_BAD_RECORD], frame.len);
    buffer_release(&frame);
    harness_release(&h);
}

static void test_frames(void **state)
{
    (void)state;
    uint8_t bytes[FRAMES_WRITE_MAX];
    size_t len = frames_write(bytes, FRAMES_START, true);
    for (size_t i = 0; i < len; i++) {
        struct frame f = frames_next(bytes, i);
        assert_int_equal(f.kind, FRAMES_MORE);
        assert_true(f.size > i && f.size <= len);
    }
    struct frame f = frames_next(bytes, len);
    assert_int_equal(f.kind, FRAMES_CONTROL);
    assert_int_equal(f.size, len);
    struct frames_control c = frames_control(f.payload);
    assert_true(c.type == FRAMES_START && c.names_content && c.is_dnstap && !c.malformed);
    bytes[len - 1] ^= 1;
    assert_false(frames_control(f.payload).is_dnstap);
    f.payload.len--;
    assert_true(frames_control(f.payload).malformed);
    assert_int_equal(frames_next((const uint8_t *)"\xff\xff\xff\xff", 4).kind, FRAMES_BIG);
    assert_int_equal(frames_next((const uint8_t *)"\0\0\0\0\0\0\0\3", 8).kind, FRAMES_BAD);
    assert_int_equal(frames_next((const uint8_t *)"\0\0\0\0\0\0\2\1", 8).kind, FRAMES_BAD);
}

/* The reader of files over a real stream. */

static void put_frame(struct buffer *to, const struct buffer *frame)
{
    buffer_be32(to, (uint32_t)frame->len);
    buffer_append(to, frame->ptr, frame->len);
}

static void put_control(struct buffer *to, enum frames_type type)
{
    uint8_t bytes[FRAMES_WRITE_MAX];
    buffer_append(to, bytes, frames_write(bytes, type, type == FRAMES_START));
}

static void read_file(struct harness *h, const struct buffer *file, char damage[READER_DAMAGE])
{
    const char *path = scratch_file("frames", file->ptr, file->len);
    struct fault why;
    struct stream *stream;
    void *reader;
    uint64_t packets = 0;
    bool more = true;
    assert_int_equal(stream_open(&stream, path, &why), 0);
    assert_true(reader_dnstap.probe(file->ptr, file->len, path));
    assert_int_equal(reader_dnstap.open(&reader, stream, &h->options, NULL, &why), 0);
    *damage = '\0';
    while (more)
        assert_int_equal(reader_dnstap.read(reader, stream, &h->batch, &h->tally, &packets, &more,
                                            damage, &why), 0);
    reader_dnstap.close(reader);
    stream_close(&stream);
}

static void test_file(void **state)
{
    (void)state;
    static struct harness h;
    char damage[READER_DAMAGE];
    struct buffer file, frame;
    harness_init(&h);
    buffer_init(&file, 1 << 20);
    buffer_init(&frame, 4096);
    put_control(&file, FRAMES_START);
    for (uint16_t i = 0; i < 100; i++) {
        buffer_clear(&frame);
        event_query(&frame, i);
        put_frame(&file, &frame);
    }
    size_t whole = file.len;
    put_control(&file, FRAMES_STOP);

    read_file(&h, &file, damage);
    assert_int_equal(h.batch.count, 100);
    assert_string_equal(damage, "");

    /* Without STOP: fine. Cut: what came before is kept, and the cause told. */
    harness_clear(&h);
    file.len = whole;
    read_file(&h, &file, damage);
    assert_int_equal(h.batch.count, 100);
    assert_string_equal(damage, "");
    harness_clear(&h);
    file.len = whole - 1;
    read_file(&h, &file, damage);
    assert_int_equal(h.batch.count, 99);
    assert_int_equal(h.tally.n[TALLY_BAD_RECORD], 1);
    assert_non_null(strstr(damage, "cut"));

    /* A length beyond reason. */
    harness_clear(&h);
    file.len = whole;
    buffer_be32(&file, 0x7fffffff);
    read_file(&h, &file, damage);
    assert_int_equal(h.batch.count, 100);
    assert_non_null(strstr(damage, "longer"));
    buffer_release(&frame);
    buffer_release(&file);
    harness_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events), cmocka_unit_test(test_cut), cmocka_unit_test(test_frames),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
