/* questions: requests in wire form, good ones and others, for tests of who answers them. */
#ifndef DNSMON_TEST_QUESTIONS_H
#define DNSMON_TEST_QUESTIONS_H

#include "base/buffer.h"
#include "protect/rpz/request.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

struct question {
    const char *name;
    uint16_t type;
    uint16_t flags;  /* opcode and RD */
    bool has_serial;
    uint32_t serial; /* IXFR */
    int edns;        /* version, -1: none */
    uint16_t room;   /* of EDNS */
};

static inline void question_name(struct buffer *b, const char *name)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(name, strlen(name), wire);
    if (len == 0)
        abort();
    buffer_append(b, wire, len);
}

static inline void question_header(struct buffer *b, uint16_t flags, unsigned n, unsigned authority, unsigned additional)
{
    buffer_clear(b);
    buffer_be16(b, 0x1234);
    buffer_be16(b, flags);
    buffer_be16(b, (uint16_t)n);
    buffer_be16(b, 0);
    buffer_be16(b, (uint16_t)authority);
    buffer_be16(b, (uint16_t)additional);
}

static inline void question_make(struct buffer *b, const struct question *q)
{
    question_header(b, q->flags, 1, q->has_serial, q->edns >= 0);
    question_name(b, q->name);
    buffer_be16(b, q->type);
    buffer_be16(b, 1);
    if (q->has_serial) {
        buffer_be16(b, 0xc00c);
        buffer_be16(b, TYPE_SOA);
        buffer_be16(b, 1);
        buffer_be32(b, 0);
        buffer_be16(b, 22);
        buffer_be16(b, 0);
        buffer_be32(b, q->serial);
        for (unsigned i = 0; i < 4; i++)
            buffer_be32(b, 1);
    }
    if (q->edns >= 0) {
        buffer_u8(b, 0);
        buffer_be16(b, TYPE_OPT);
        buffer_be16(b, q->room);
        buffer_be32(b, (uint32_t)q->edns << 16);
        buffer_be16(b, 0);
    }
}

static inline struct sockaddr_storage peer_at(const char *address)
{
    struct sockaddr_storage peer = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&peer;
    in->sin_family = AF_INET;
    in->sin_port = htons(5353);
    if (inet_pton(AF_INET, address, &in->sin_addr) != 1)
        abort();
    return peer;
}

#endif
