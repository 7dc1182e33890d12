#include "simulate/capture.h"

#include "base/bytes.h"

#include <stdlib.h>

enum {
    NS_PER_SECOND = 1000000000,
    OUT_BYTES = 1 << 20,
    RECORD_HEAD = 16,
    FRAME_HEAD = 14 + 20 + 8,
    PCAP_HEAD = RECORD_HEAD + FRAME_HEAD,
    DNSTAP_HEAD = 96, /* more than any message's */
    HEAD_MAX = DNSTAP_HEAD,
};

static const uint8_t resolver[4] = { 10, 255, 0, 53 };

static void flush(struct capture *c)
{
    if (c->rc == 0)
        c->rc = c->sink->write(c->sink->ctx, c->out, c->out_len, c->why);
    c->bytes += c->out_len;
    c->out_len = 0;
}

static size_t head_bytes(const struct capture *c)
{
    return c->form == CAPTURE_PCAP ? PCAP_HEAD : DNSTAP_HEAD;
}

uint8_t *capture_room(struct capture *c)
{
    if (c->out_len + HEAD_MAX + CAPTURE_MESSAGE_MAX > OUT_BYTES)
        flush(c);
    return c->out + c->out_len + head_bytes(c);
}

/* ---- pcap ---- */

static void pcap_begin(struct capture *c)
{
    uint8_t *p = c->out;
    memset(p, 0, 24);
    put_le32(p, 0xa1b23c4d); /* nanoseconds */
    p[4] = 2;
    p[6] = 4;
    put_le32(p + 16, 65535);
    put_le32(p + 20, 1); /* Ethernet */
    c->out_len = 24;
}

static void ip_checksum(uint8_t *ip)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += get_be16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    put_be16(ip + 10, (uint16_t)~(sum + (sum >> 16)));
}

static size_t pcap_head(struct capture *c, uint8_t *p, uint32_t client, uint16_t port, bool response, size_t len)
{
    uint8_t *ether = p + RECORD_HEAD, *ip = ether + 14, *udp = ip + 20, address[4];
    put_le32(p, (uint32_t)(c->last_ns / NS_PER_SECOND));
    put_le32(p + 4, (uint32_t)(c->last_ns % NS_PER_SECOND));
    put_le32(p + 8, (uint32_t)(FRAME_HEAD + len));
    put_le32(p + 12, (uint32_t)(FRAME_HEAD + len));
    put_be32(address, client);
    memcpy(ether, "\2\0\0\0\0\1\2\0\0\0\0\2\10\0", 14);
    memset(ip, 0, 28);
    ip[0] = 0x45;
    put_be16(ip + 2, (uint16_t)(28 + len));
    put_be16(ip + 4, c->ip_id++);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, response ? resolver : address, 4);
    memcpy(ip + 16, response ? address : resolver, 4);
    ip_checksum(ip);
    put_be16(udp, response ? 53 : port);
    put_be16(udp + 2, response ? port : 53);
    put_be16(udp + 4, (uint16_t)(8 + len));
    return PCAP_HEAD;
}

/* ---- dnstap ---- */

static const char content_type[] = "protobuf:dnstap.Dnstap";
enum { CONTENT_TYPE_LEN = sizeof content_type - 1, CONTROL_START = 2, CONTROL_STOP = 3 };

static void dnstap_begin(struct capture *c)
{
    uint8_t *p = c->out;
    put_be32(p, 0); /* an escape: a control frame follows */
    put_be32(p + 4, 12 + CONTENT_TYPE_LEN);
    put_be32(p + 8, CONTROL_START);
    put_be32(p + 12, 1); /* the field content type */
    put_be32(p + 16, CONTENT_TYPE_LEN);
    memcpy(p + 20, content_type, CONTENT_TYPE_LEN);
    c->out_len = 20 + CONTENT_TYPE_LEN;
}

static void dnstap_end(struct capture *c)
{
    uint8_t *p = c->out + c->out_len;
    put_be32(p, 0);
    put_be32(p + 4, 4);
    put_be32(p + 8, CONTROL_STOP);
    c->out_len += 12;
}

/* Fields of Protocol Buffers: number and wire type, then the value. */
static uint8_t *put_number(uint8_t *p, unsigned field, uint64_t n)
{
    return put_varint(put_varint(p, field << 3), n);
}

static uint8_t *put_fixed32(uint8_t *p, unsigned field, uint32_t n)
{
    p = put_varint(p, field << 3 | 5);
    put_le32(p, n);
    return p + 4;
}

static uint8_t *put_length(uint8_t *p, unsigned field, size_t len)
{
    return put_varint(put_varint(p, field << 3 | 2), len);
}

static uint8_t *put_address(uint8_t *p, unsigned field, uint32_t address)
{
    p = put_length(p, field, 4);
    put_be32(p, address);
    return p + 4;
}

/* message Message of dnstap.proto, up to the bytes of its last field. */
static size_t message_head(const struct capture *c, uint8_t *to, uint32_t client, uint16_t port, bool response, size_t len)
{
    unsigned time = response ? 12 : 8;
    uint8_t *p = put_number(to, 1, response ? 6 : 5); /* CLIENT_RESPONSE, CLIENT_QUERY */
    p = put_number(p, 2, 1); /* INET */
    p = put_number(p, 3, 1); /* UDP */
    p = put_address(p, 4, client);
    p = put_address(p, 5, get_be32(resolver));
    p = put_number(p, 6, port);
    p = put_number(p, 7, 53);
    p = put_number(p, time, (uint64_t)(c->last_ns / NS_PER_SECOND));
    p = put_fixed32(p, time + 1, (uint32_t)(c->last_ns % NS_PER_SECOND));
    p = put_length(p, time + 2, len);
    return (size_t)(p - to);
}

static size_t dnstap_head(const struct capture *c, uint8_t *to, uint32_t client, uint16_t port, bool response, size_t len)
{
    uint8_t message[DNSTAP_HEAD];
    size_t inner = message_head(c, message, client, port, response, len);
    uint8_t *p = put_number(to + 4, 15, 1); /* Dnstap.type = MESSAGE */
    p = put_length(p, 14, inner + len);
    memcpy(p, message, inner);
    p += inner;
    put_be32(to, (uint32_t)((size_t)(p - to) - 4 + len));
    return (size_t)(p - to);
}

/* ---- both ---- */

void capture_add(struct capture *c, int64_t at_ns, uint32_t client, uint16_t port, bool response, size_t len)
{
    uint8_t *to = c->out + c->out_len, *message = to + head_bytes(c);
    c->last_ns = at_ns > c->last_ns ? at_ns : c->last_ns + 1;
    size_t head = c->form == CAPTURE_PCAP ? pcap_head(c, to, client, port, response, len)
                                          : dnstap_head(c, to, client, port, response, len);
    if (to + head != message)
        memmove(to + head, message, len);
    c->out_len += head + len;
}

int capture_begin(struct capture *c, enum capture_form form, const struct sink *sink, struct fault *why)
{
    *c = (struct capture){ .form = form, .sink = sink, .why = why, .out = malloc(OUT_BYTES) };
    if (c->out == NULL)
        return fault_set(why, E_NOMEM, "no memory for the capture");
    if (form == CAPTURE_PCAP)
        pcap_begin(c);
    else
        dnstap_begin(c);
    return E_OK;
}

int capture_end(struct capture *c)
{
    (void)capture_room(c); /* for what ends it */
    if (c->form == CAPTURE_DNSTAP)
        dnstap_end(c);
    flush(c);
    return c->rc;
}

void capture_release(struct capture *c)
{
    free(c->out);
    c->out = NULL;
}
