/* frames: packets made by hand, from the inside out, and transports to put them in. */
#ifndef DNSMON_TESTS_FRAMES_H
#define DNSMON_TESTS_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "input/source.h"

#define SECOND INT64_C(1000000000)

struct frame {
    uint8_t bytes[70000];
    uint32_t len;
};

static inline void frame_append(struct frame *f, const void *ptr, size_t len)
{
    assert_true(f->len + len <= sizeof f->bytes);
    memcpy(f->bytes + f->len, ptr, len);
    f->len += (uint32_t)len;
}

static inline void frame_prepend(struct frame *f, const void *ptr, size_t len)
{
    assert_true(f->len + len <= sizeof f->bytes);
    memmove(f->bytes + len, f->bytes, f->len);
    if (len)
        memcpy(f->bytes, ptr, len);
    f->len += (uint32_t)len;
}

static inline void frame_zeros(struct frame *f, size_t len)
{
    memset(f->bytes + f->len, 0, len);
    f->len += (uint32_t)len;
}

/* A query for "www.example.com" A, padded to `len` (at least 33) with bytes after it. */
static inline void frame_dns(struct frame *f, uint16_t id, uint32_t len)
{
    uint8_t header[12] = { id >> 8, id & 255, 1, 0, 0, 1 };
    f->len = 0;
    frame_append(f, header, sizeof header);
    frame_append(f, "\3www\7example\3com\0\0\1\0\1", 21);
    for (uint32_t i = f->len; i < len; i++)
        frame_append(f, &(uint8_t){ (uint8_t)(i * 7 + id) }, 1);
}

static inline void frame_udp(struct frame *f, uint16_t from, uint16_t to)
{
    uint8_t h[8] = { 0 };
    put_be16(h, from);
    put_be16(h + 2, to);
    put_be16(h + 4, (uint16_t)(f->len + 8));
    frame_prepend(f, h, sizeof h);
}

static inline void frame_ip4(struct frame *f, uint8_t protocol, uint16_t id, uint16_t fragment)
{
    uint8_t h[20] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0,
                      10, 0, 0, 1, 10, 0, 0, 2 };
    put_be16(h + 2, (uint16_t)(f->len + 20));
    put_be16(h + 4, id);
    put_be16(h + 6, fragment);
    frame_prepend(f, h, sizeof h);
}

static inline void frame_ip6(struct frame *f, uint8_t protocol)
{
    uint8_t h[40] = { 0x60, 0, 0, 0, 0, 0, protocol, 64, 0x20, 1, 0xd, 0xb8 };
    h[23] = 1;
    h[24] = 0x20;
    h[39] = 2;
    put_be16(h + 4, (uint16_t)f->len);
    frame_prepend(f, h, sizeof h);
}

static inline void frame_ethernet(struct frame *f, uint16_t type)
{
    uint8_t h[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
    put_be16(h + 12, type);
    frame_prepend(f, h, sizeof h);
}

/* A query over UDP and IPv4. */
static inline void frame_query(struct frame *f, uint16_t from, uint16_t to)
{
    frame_dns(f, 0x1234, 33);
    frame_udp(f, from, to);
    frame_ip4(f, 17, 7, 0);
}

static inline void frame_plain(struct frame *f)
{
    frame_query(f, 4000, 53);
}

static inline void frame_tcp(struct frame *f, bool from_client, uint32_t seq, uint8_t flags,
                             const void *data, size_t len)
{
    uint8_t h[20] = { 0 };
    put_be16(h, from_client ? 4000 : 53);
    put_be16(h + 2, from_client ? 53 : 4000);
    put_be32(h + 4, seq);
    h[12] = 0x50;
    h[13] = flags;
    f->len = 0;
    frame_append(f, h, sizeof h);
    frame_append(f, data, len);
    frame_ip4(f, 6, 9, 0);
    if (!from_client) {
        f->bytes[15] = 2;
        f->bytes[19] = 1;
    }
}

struct rig {
    struct transport *transport;
    struct message_batch batch;
    struct tally tally;
};

static inline void rig_open(struct rig *r, const struct input_options *options)
{
    memset(r, 0, sizeof *r);
    r->transport = transport_create(options);
    assert_non_null(r->transport);
    assert_int_equal(message_batch_init(&r->batch, 1024), 0);
}

static inline void rig_close(struct rig *r)
{
    transport_destroy(&r->transport);
    message_batch_release(&r->batch);
}

/* The first `caplen` bytes of a frame that was `len` long. */
static inline void rig_cut(struct rig *r, int linktype, int64_t ts_ns, const struct frame *f,
                           uint32_t caplen, uint32_t len)
{
    /* A copy of the exact size, so that sanitizers see reads beyond it. */
    uint8_t *exact = malloc(caplen + 1);
    memcpy(exact, f->bytes, caplen);
    assert_int_equal(transport_frame(r->transport, linktype, ts_ns, exact, caplen, len, &r->batch,
                                     &r->tally), 0);
    free(exact);
}

static inline void rig_frame(struct rig *r, int linktype, int64_t ts_ns, const struct frame *f)
{
    rig_cut(r, linktype, ts_ns, f, f->len, f->len);
}

/* The open state of `from` goes to `to` through bytes, and comes out the same. */
static inline void rig_hand_over(struct rig *to, const struct rig *from)
{
    struct buffer saved, again;
    buffer_init(&saved, 1 << 20);
    buffer_init(&again, 1 << 20);
    transport_save(from->transport, &saved);
    assert_false(saved.failed);
    struct cursor c = cursor_over(saved.ptr, saved.len);
    assert_int_equal(transport_load(to->transport, &c, NULL), 0);
    assert_int_equal(cursor_left(&c), 0);
    transport_save(to->transport, &again);
    assert_int_equal(again.len, saved.len);
    assert_memory_equal(again.ptr, saved.ptr, saved.len);
    buffer_release(&saved);
    buffer_release(&again);
}

static inline uint64_t rig_set_aside(const struct rig *r)
{
    uint64_t n = 0;
    for (int i = 0; i < TALLY_CAUSES; i++)
        n += r->tally.n[i];
    return n;
}

#endif
