#include "protect/rpz/request.h"

enum { UDP_LEAST = 512, RECORDS_MAX = 16 };

/* A name that may be compressed: *c moves behind it, and the name itself is copied, in lower case. Pointers must go back,
 * each behind the one before, so that they end. */
static size_t read_name(struct cursor *c, const uint8_t *message, uint8_t name[NAME_WIRE_MAX])
{
    struct cursor at = *c;
    const uint8_t *bound = c->ptr;
    bool jumped = false;
    size_t len = 0;
    while (!at.failed) {
        uint8_t label = cursor_u8(&at);
        if (label >= 0xc0) {
            size_t to = (size_t)(label & 0x3f) << 8 | cursor_u8(&at);
            if (!jumped)
                *c = at;
            jumped = true;
            if (at.failed || to >= (size_t)(bound - message))
                break;
            bound = message + to;
            at = (struct cursor){ .ptr = bound, .end = at.end };
            continue;
        }
        const uint8_t *bytes = label < 0x40 ? cursor_take(&at, label) : NULL;
        if (bytes == NULL || len + 1 + label > NAME_WIRE_MAX)
            break;
        name[len] = label;
        name_lower_copy(name + len + 1, bytes, label);
        len += 1u + label;
        if (label == 0) {
            if (!jumped)
                *c = at;
            return len;
        }
    }
    c->failed = true;
    return 0;
}

struct record {
    uint8_t owner[NAME_WIRE_MAX];
    size_t owner_len;
    uint16_t type, class;
    uint32_t ttl;
    struct cursor rdata;
};

static struct record read_record(struct cursor *c, const uint8_t *message)
{
    struct record r = { .owner_len = read_name(c, message, r.owner) };
    r.type = cursor_be16(c);
    r.class = cursor_be16(c);
    r.ttl = cursor_be32(c);
    size_t len = cursor_be16(c);
    const uint8_t *rdata = cursor_take(c, len);
    r.rdata = cursor_over(rdata, rdata ? len : 0);
    return r;
}

static void read_question(struct request *r, struct cursor *c)
{
    const uint8_t *begin = c->ptr;
    r->name_len = name_wire_length(c->ptr, cursor_left(c)); /* there is nothing that it could point to */
    const uint8_t *name = cursor_take(c, r->name_len);
    r->type = cursor_be16(c);
    r->class = cursor_be16(c);
    if (c->failed || r->name_len == 0) {
        c->failed = true;
        r->name_len = 0;
        return;
    }
    name_lower_copy(r->name, name, r->name_len);
    r->question = (struct slice){ begin, (size_t)(c->ptr - begin) };
}

/* The SOA that an IXFR has in its authority section. */
static void read_serial(struct request *r, struct record *soa, const uint8_t *message)
{
    uint8_t name[NAME_WIRE_MAX];
    (void)read_name(&soa->rdata, message, name);
    (void)read_name(&soa->rdata, message, name);
    r->serial = cursor_be32(&soa->rdata);
    (void)cursor_take(&soa->rdata, 16);
    r->has |= REQUEST_HAS_SERIAL;
}

static void read_edns(struct request *r, const struct record *opt)
{
    uint16_t room = opt->class;
    r->has |= REQUEST_EDNS | (opt->ttl & 0x8000 ? REQUEST_DNSSEC_OK : 0);
    r->edns_version = (uint8_t)(opt->ttl >> 16);
    r->udp_room = room > UDP_LEAST ? room : UDP_LEAST;
}

static void read_tsig(struct request *r, struct record *rr, const uint8_t *message, size_t at)
{
    struct tsig_record *t = &r->tsig;
    struct cursor *c = &rr->rdata;
    memcpy(t->name, rr->owner, t->name_len = rr->owner_len);
    t->algorithm_len = read_name(c, message, t->algorithm);
    t->time_s = (uint64_t)cursor_be16(c) << 32;
    t->time_s |= cursor_be32(c);
    t->fudge_s = cursor_be16(c);
    t->mac.len = cursor_be16(c);
    t->mac.ptr = cursor_take(c, t->mac.len);
    t->original_id = cursor_be16(c);
    t->error = cursor_be16(c);
    t->other.len = cursor_be16(c);
    t->other.ptr = cursor_take(c, t->other.len);
    t->at = at;
    r->has |= REQUEST_SIGNED;
}

/* Additional section: at most one OPT, at most one TSIG, that last (RFC 8945, 5.1); others do not matter. */
static bool read_additional(struct request *r, struct cursor *c, unsigned n, const uint8_t *message)
{
    for (unsigned i = 0; i < n && !c->failed; i++) {
        size_t at = (size_t)(c->ptr - message);
        struct record rr = read_record(c, message);
        if (c->failed)
            return false;
        if (rr.type == TYPE_OPT) {
            if (r->has & REQUEST_EDNS || rr.owner_len != 1)
                return false;
            read_edns(r, &rr);
        } else if (rr.type == TYPE_TSIG) {
            if (i + 1 != n || rr.class != CLASS_ANY || rr.ttl != 0)
                return false;
            read_tsig(r, &rr, message, at);
            if (rr.rdata.failed || cursor_left(&rr.rdata) != 0)
                return false;
        }
    }
    return !c->failed;
}

static bool read_records(struct request *r, struct cursor *c, const uint8_t *message)
{
    unsigned answers = get_be16(message + 6), authorities = get_be16(message + 8), additional = get_be16(message + 10);
    if (answers + authorities + additional > RECORDS_MAX)
        return false;
    for (unsigned i = 0; i < answers && !c->failed; i++)
        (void)read_record(c, message);
    for (unsigned i = 0; i < authorities && !c->failed; i++) {
        struct record rr = read_record(c, message);
        if (r->type != TYPE_IXFR || rr.type != TYPE_SOA || c->failed)
            continue;
        read_serial(r, &rr, message);
        if (rr.rdata.failed)
            return false;
    }
    return read_additional(r, c, additional, message) && cursor_left(c) == 0 &&
           (r->type != TYPE_IXFR || r->has & (REQUEST_HAS_SERIAL | REQUEST_IS_REPLY));
}

int request_parse(struct request *ret, const uint8_t *message, size_t len)
{
    if (len < REQUEST_HEADER)
        return E_TRUNCATED;
    struct cursor c = cursor_over(message + REQUEST_HEADER, len - REQUEST_HEADER);
    *ret = (struct request){ .id = get_be16(message), .opcode = message[2] >> 3 & 15, .rcode = message[3] & 15,
                             .recursion_desired = message[2] & 1, .has = message[2] & 0x80 ? REQUEST_IS_REPLY : 0,
                             .udp_room = UDP_LEAST };
    if (get_be16(message + 4) != 1)
        return E_MALFORMED;
    read_question(ret, &c);
    if (c.failed)
        return E_MALFORMED;
    struct request before = *ret;
    if (read_records(ret, &c, message))
        return 0;
    *ret = before;
    return E_MALFORMED;
}
