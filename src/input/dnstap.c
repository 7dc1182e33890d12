#include "input/dnstap.h"

#include "input/frames.h"
#include "input/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *initials;
    uint8_t vantage;
} types[] = {
    { "", "", 0 },
    { "AUTH_QUERY", "AQ", VANTAGE_AUTHORITATIVE },
    { "AUTH_RESPONSE", "AR", VANTAGE_AUTHORITATIVE },
    { "RESOLVER_QUERY", "RQ", VANTAGE_UPSTREAM },
    { "RESOLVER_RESPONSE", "RR", VANTAGE_UPSTREAM },
    { "CLIENT_QUERY", "CQ", VANTAGE_CLIENT },
    { "CLIENT_RESPONSE", "CR", VANTAGE_CLIENT },
    { "FORWARDER_QUERY", "FQ", VANTAGE_UPSTREAM },
    { "FORWARDER_RESPONSE", "FR", VANTAGE_UPSTREAM },
    { "STUB_QUERY", "SQ", VANTAGE_CLIENT },
    { "STUB_RESPONSE", "SR", VANTAGE_CLIENT },
    { "TOOL_QUERY", "TQ", VANTAGE_CLIENT },
    { "TOOL_RESPONSE", "TR", VANTAGE_CLIENT },
    { "UPDATE_QUERY", "UQ", 0 },
    { "UPDATE_RESPONSE", "UR", 0 },
};

enum { TYPES = sizeof types / sizeof *types };

enum dnstap_kind dnstap_type(uint64_t type, uint8_t *ret_vantage, bool *ret_is_response)
{
    if (type == 0)
        return DNSTAP_KIND_BAD;
    if (type >= TYPES || types[type].vantage == 0)
        return DNSTAP_KIND_OTHER;
    *ret_vantage = types[type].vantage;
    *ret_is_response = type % 2 == 0;
    return DNSTAP_KIND_DNS;
}

unsigned dnstap_type_number(struct slice text)
{
    for (unsigned i = 1; i < TYPES; i++)
        if (slice_compare(text, slice_of(types[i].name)) == 0 ||
            slice_compare(text, slice_of(types[i].initials)) == 0)
            return i;
    return 0;
}

/* One field of a Protocol Buffers message. */
struct field {
    uint32_t number;
    uint32_t wire_type;
    uint64_t value;
    struct slice bytes;
};

enum { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

/* False at the end, and on damage: then c->failed is set. */
static bool field_next(struct cursor *c, struct field *ret)
{
    if (c->failed || cursor_left(c) == 0)
        return false;
    uint64_t tag = cursor_varint(c), len;
    *ret = (struct field){ .number = (uint32_t)(tag >> 3), .wire_type = tag & 7 };
    if (tag >> 32 || ret->number == 0)
        c->failed = true;
    switch (ret->wire_type) {
    case PB_VARINT:
        ret->value = cursor_varint(c);
        break;
    case PB_FIXED64:
        ret->value = cursor_le64(c);
        break;
    case PB_FIXED32:
        ret->value = cursor_le32(c);
        break;
    case PB_BYTES:
        len = cursor_varint(c);
        ret->bytes = (struct slice){ cursor_take(c, len), len };
        break;
    default: /* groups are not in proto2 as used here */
        c->failed = true;
    }
    return !c->failed;
}

/* The last Message and type of an event; the last one counts, as in Protocol Buffers. */
static bool event_message(struct slice frame, uint64_t *ret_type, struct slice *ret_message)
{
    struct cursor c = cursor_over(frame.ptr, frame.len);
    struct field f;
    while (field_next(&c, &f)) {
        if (f.number == 14 && f.wire_type == PB_BYTES)
            *ret_message = f.bytes;
        else if (f.number == 15 && f.wire_type == PB_VARINT)
            *ret_type = f.value;
    }
    return !c.failed;
}

enum { MESSAGE_FIELDS = 17 };

struct event {
    struct field fields[MESSAGE_FIELDS];
    uint32_t present; /* 1 << number */
};

/* Fields of a wire type that is not theirs are as good as absent. */
static bool expected(const struct field *f)
{
    static const uint8_t wire_types[MESSAGE_FIELDS] = {
        [4] = PB_BYTES,  [5] = PB_BYTES,  [9] = PB_FIXED32, [10] = PB_BYTES, [11] = PB_BYTES,
        [13] = PB_FIXED32, [14] = PB_BYTES, [15] = PB_BYTES,
    };
    return f->number < MESSAGE_FIELDS && wire_types[f->number] == f->wire_type;
}

static bool event_fields(struct slice message, struct event *ret)
{
    struct cursor c = cursor_over(message.ptr, message.len);
    struct field f;
    ret->present = 0;
    while (field_next(&c, &f)) {
        if (!expected(&f))
            continue;
        ret->fields[f.number] = f;
        ret->present |= UINT32_C(1) << f.number;
    }
    return !c.failed;
}

static bool has(const struct event *e, unsigned number)
{
    return e->present >> number & 1;
}

/* False for a time that is absent or cannot be. `sec` is followed by its nsec. */
static bool event_time(const struct event *e, unsigned sec, int64_t *ret_ns)
{
    uint64_t ns = has(e, sec + 1) ? e->fields[sec + 1].value : 0;
    if (!has(e, sec) || e->fields[sec].value > UINT64_C(9200000000) || ns > 999999999)
        return false;
    *ret_ns = (int64_t)(e->fields[sec].value * 1000000000 + ns);
    return true;
}

static void event_endpoints(const struct event *e, struct log_record *r)
{
    if (has(e, 4) && log_address_bytes(e->fields[4].bytes, r->client.address))
        r->known |= KNOWN_ADDRESSES;
    if (has(e, 5))
        (void)log_address_bytes(e->fields[5].bytes, r->server.address);
    if (has(e, 6) && e->fields[6].value <= UINT16_MAX) {
        r->client.port = (uint16_t)e->fields[6].value;
        r->known |= KNOWN_PORTS;
    }
    if (has(e, 7) && e->fields[7].value <= UINT16_MAX)
        r->server.port = (uint16_t)e->fields[7].value;
}

static uint8_t event_transport(const struct event *e)
{
    uint64_t protocol = has(e, 3) ? e->fields[3].value : 0;
    return protocol == 1 ? TRANSPORT_UDP : protocol == 2 ? TRANSPORT_TCP : TRANSPORT_OTHER;
}

static bool event_when(const struct event *e, struct log_record *r)
{
    if (r->is_response && has(e, 12))
        return event_time(e, 12, &r->ts_ns);
    return event_time(e, 8, &r->ts_ns);
}

int dnstap_event(struct slice frame, struct log_sink *sink)
{
    struct event e;
    struct slice message = { NULL, 0 };
    uint64_t type = 0;
    if (!event_message(frame, &type, &message))
        return log_count(sink, TALLY_BAD_RECORD);
    if (type > 1)
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    if (type == 0 || message.ptr == NULL || !event_fields(message, &e))
        return log_count(sink, TALLY_BAD_RECORD);

    struct log_record r = { .known = KNOWN_ALL & ~(KNOWN_ADDRESSES | KNOWN_PORTS) };
    switch (dnstap_type(has(&e, 1) ? e.fields[1].value : 0, &r.vantage, &r.is_response)) {
    case DNSTAP_KIND_BAD:
        return log_count(sink, TALLY_BAD_RECORD);
    case DNSTAP_KIND_OTHER:
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    case DNSTAP_KIND_DNS:
        break;
    }
    unsigned part = r.is_response ? 14 : 10;
    if (!has(&e, part) || e.fields[part].bytes.len == 0)
        return log_count(sink, TALLY_NO_MESSAGE);
    if (e.fields[part].bytes.len > WIRE_MAX || !event_when(&e, &r))
        return log_count(sink, TALLY_BAD_RECORD);
    event_endpoints(&e, &r);
    r.transport = event_transport(&e);
    return log_add(sink, &r, e.fields[part].bytes.ptr, (uint32_t)e.fields[part].bytes.len);
}

/* The reader of files. */

struct dnstap {
    const struct input_options *options;
};

static bool dnstap_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    struct frame f = frames_next(head, len);
    if (f.kind != FRAMES_CONTROL)
        return false;
    struct frames_control c = frames_control(f.payload);
    return !c.malformed && c.type == FRAMES_START && c.is_dnstap;
}

static int dnstap_open(void **ret_state, struct stream *stream,
                       const struct input_options *options, struct transport *transport,
                       struct fault *why)
{
    (void)transport;
    size_t have;
    const uint8_t *p = stream_peek(stream, FRAMES_CONTROL_MAX + 8, &have);
    if (!dnstap_probe(p, have, NULL))
        return fault_set(why, E_MALFORMED, "%s: offset 0: no START frame of dnstap",
                         stream_path(stream));
    struct dnstap *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    d->options = options;
    stream_consume(stream, (size_t)frames_next(p, have).size);
    *ret_state = d;
    return 0;
}

static int give_up(struct stream *stream, struct tally *tally, bool *ret_more,
                   char damage[READER_DAMAGE], const char *reason)
{
    tally->n[TALLY_BAD_RECORD]++;
    snprintf(damage, READER_DAMAGE, "%.150s: offset %" PRIu64 ": %s", stream_path(stream),
             stream_offset(stream), reason);
    *ret_more = false;
    return 0;
}

/* The frame at the front, with as many bytes peeked as it needs. */
static struct frame peek_frame(struct stream *stream, size_t *ret_have)
{
    const uint8_t *p = stream_peek(stream, 8, ret_have);
    struct frame f = frames_next(p, *ret_have);
    while (f.kind == FRAMES_MORE && *ret_have < f.size) {
        size_t had = *ret_have;
        p = stream_peek(stream, (size_t)f.size, ret_have);
        f = frames_next(p, *ret_have);
        if (*ret_have <= had)
            break;
    }
    return f;
}

static int dnstap_read(void *state, struct stream *stream, struct message_batch *batch,
                       struct tally *tally, uint64_t *packets, bool *ret_more,
                       char damage[READER_DAMAGE], struct fault *why)
{
    struct dnstap *d = state;
    struct log_sink sink = { d->options, batch, tally };
    *ret_more = true;
    while (!message_batch_is_full(batch)) {
        size_t have;
        struct frame f = peek_frame(stream, &have);
        if (f.kind == FRAMES_BAD)
            return give_up(stream, tally, ret_more, damage, "bad control frame");
        if (f.kind == FRAMES_MORE && have == 0) {
            *ret_more = false;
            return 0; /* without STOP: still being written, or rotated */
        }
        if (f.kind == FRAMES_MORE)
            return give_up(stream, tally, ret_more, damage, "frame cut at the end of the file");
        if (f.kind == FRAMES_BIG)
            return give_up(stream, tally, ret_more, damage, "frame longer than dnstap has");
        if (f.kind == FRAMES_DATA) {
            ++*packets;
            if (dnstap_event(f.payload, &sink) != 0)
                return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
        }
        stream_consume(stream, (size_t)f.size);
        if (f.kind == FRAMES_CONTROL && frames_control(f.payload).type == FRAMES_STOP) {
            *ret_more = false;
            return 0;
        }
    }
    return 0;
}

const struct reader_ops reader_dnstap = {
    .name = "dnstap",
    .probe = dnstap_probe,
    .open = dnstap_open,
    .read = dnstap_read,
    .close = free,
};
