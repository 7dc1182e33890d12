/* events: dnstap frames, made field by field. */
#ifndef DNSMON_TESTS_LOGS_EVENTS_H
#define DNSMON_TESTS_LOGS_EVENTS_H

#include "base/buffer.h"

static inline void event_number(struct buffer *b, unsigned field, uint64_t value)
{
    buffer_varint(b, field << 3);
    buffer_varint(b, value);
}

static inline void event_fixed32(struct buffer *b, unsigned field, uint32_t value)
{
    buffer_varint(b, field << 3 | 5);
    buffer_le32(b, value);
}

static inline void event_bytes(struct buffer *b, unsigned field, const void *ptr, size_t len)
{
    buffer_varint(b, field << 3 | 2);
    buffer_varint(b, len);
    buffer_append(b, ptr, len);
}

/* A Dnstap around the fields of a Message. */
static inline void event_wrap(struct buffer *to, const struct buffer *message)
{
    event_bytes(to, 1, "ns1", 3);
    event_bytes(to, 14, message->ptr, message->len);
    event_number(to, 15, 1);
}

/* A CLIENT_QUERY for "a" with the id given. */
static inline void event_query(struct buffer *to, uint16_t id)
{
    uint8_t wire[] = { (uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1 };
    struct buffer m;
    buffer_init(&m, 4096);
    event_number(&m, 1, 5);
    event_number(&m, 2, 1);
    event_number(&m, 3, 1);
    event_bytes(&m, 4, "\x0a\0\0\1", 4);
    event_bytes(&m, 5, "\x0a\0\0\2", 4);
    event_number(&m, 6, 1024);
    event_number(&m, 7, 53);
    event_number(&m, 8, 1700000000);
    event_fixed32(&m, 9, 250000000);
    event_bytes(&m, 10, wire, sizeof wire);
    event_wrap(to, &m);
    buffer_release(&m);
}

#endif
