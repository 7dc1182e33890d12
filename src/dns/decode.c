#include "dns/decode.h"

#include <stdlib.h>

enum {
    HEADER = 12,
    RR_FIXED = 10,
    RR_MAX = 65535 / (1 + RR_FIXED) + 1,
    /* A two-byte pointer becomes a 255-byte name at most, one in every RR of twelve bytes. */
    RDATA_LIMIT = 4 << 20,
    KEYS_LIMIT = 8 << 20,
};

void dns_decoder_init(struct dns_decoder *d)
{
    memset(d, 0, sizeof *d);
    d->root.wire_len = 1;
    d->root.key_len = 1;
    buffer_init(&d->rdata, RDATA_LIMIT);
    buffer_init(&d->keys, KEYS_LIMIT);
}

void dns_decoder_release(struct dns_decoder *d)
{
    buffer_release(&d->rdata);
    buffer_release(&d->keys);
    free(d->rrs);
    d->rrs = NULL;
}

/* Decompresses and lower-cases the name at `at`, a run of labels up to a pointer or the end at a
 * time. *ret_next is what follows it there. */
static enum tally_cause read_name(const uint8_t *wire, size_t len, size_t at, uint8_t *to,
                                  uint8_t *ret_len, size_t *ret_next)
{
    size_t bound = at; /* pointers go to before this */
    size_t n = 0;
    bool jumped = false;
    for (;;) {
        size_t start = at;
        while (at < len && wire[at] - 1u < 63)
            at += 1u + wire[at];
        if (at >= len)
            return TALLY_DNS_NAME;
        bool ends = wire[at] == 0;
        size_t run = at - start + ends;
        if (n + run > NAME_WIRE_MAX)
            return TALLY_DNS_NAME;
        name_lower_copy(to + n, wire + start, run);
        n += run;
        if (ends)
            break;
        if (wire[at] < 0xc0)
            return TALLY_DNS_NAME;
        if (at + 2 > len)
            return TALLY_DNS_POINTER;
        size_t target = get_be16(wire + at) & 0x3fff;
        if (!jumped)
            *ret_next = at + 2;
        jumped = true;
        if (target >= bound)
            return TALLY_DNS_POINTER;
        bound = at = target;
    }
    if (!jumped)
        *ret_next = at + 1;
    *ret_len = (uint8_t)n;
    return TALLY_CAUSES;
}

/* The name at `at` through the cache. Where the cache is full the spare entry is used. */
static enum tally_cause take_name(struct dns_decoder *d, size_t *at, struct dns_cached_name *spare,
                                  struct dns_cached_name **ret)
{
    size_t offset = *at;
    if (offset < d->len && d->wire[offset] == 0) { /* OPT's owner, in most messages */
        *ret = &d->root;
        *at = offset + 1;
        return TALLY_CAUSES;
    }
    if (offset + 2 <= d->len && d->wire[offset] >= 0xc0) {
        size_t target = get_be16(d->wire + offset) & 0x3fff;
        if (target >= offset)
            return TALLY_DNS_POINTER;
        for (unsigned i = 0; i < d->n_names; i++) {
            if (d->names[i].offset == target) {
                *ret = &d->names[i];
                *at = offset + 2;
                return TALLY_CAUSES;
            }
        }
    }
    struct dns_cached_name *name = d->n_names < DNS_NAME_CACHE ? &d->names[d->n_names] : spare;
    enum tally_cause cause = read_name(d->wire, d->len, offset, name->wire, &name->wire_len, at);
    if (cause != TALLY_CAUSES)
        return cause;
    /* A pure pointer is entered under its target: that is what others point to as well. */
    name->offset = (uint16_t)(d->wire[offset] >= 0xc0 ? get_be16(d->wire + offset) & 0x3fff : offset);
    name->key_len = 0;
    if (name != spare)
        d->n_names++;
    *ret = name;
    return TALLY_CAUSES;
}

/* The key of a name, in memory that lasts for the message; NULL when there is none. */
static const uint8_t *name_key(struct dns_decoder *d, struct dns_cached_name *name, bool is_spare)
{
    if (name->key_len == 0)
        name->key_len = (uint16_t)name_owner_key_padded(name->wire, name->wire_len, name->key);
    if (!is_spare)
        return name->key;
    /* buffer growth would move what earlier records point to: callers hold offsets until the end */
    size_t at = d->keys.len;
    buffer_append(&d->keys, name->key, name->key_len);
    return d->keys.failed ? NULL : (const uint8_t *)(uintptr_t)(at + 1);
}

bool dns_qname(struct dns_decoder *d)
{
    if (d->qname == NULL && d->question != NULL) {
        d->qname = name_key(d, d->question, false);
        d->qname_len = d->question->key_len;
    }
    return d->qname != NULL;
}

/* A word at a time, beyond its end too: a cached name is padded, and so is the room. */
static void append_name(struct buffer *to, const struct dns_cached_name *name)
{
    uint8_t *end = buffer_reserve(to, name->wire_len + NAME_PADDING);
    if (end == NULL)
        return;
    for (size_t i = 0; i < name->wire_len; i += 8)
        memcpy(end + i, name->wire + i, 8);
    to->len += name->wire_len;
}

static enum tally_cause rdata_names(struct dns_decoder *d, struct rdata_layout layout, size_t at, size_t end)
{
    for (unsigned i = 0; i < layout.lead; i++)
        buffer_u8(&d->rdata, d->wire[at++]);
    for (unsigned i = 0; i < layout.names; i++) {
        struct dns_cached_name spare, *name;
        if (at >= end)
            return TALLY_DNS_RDATA;
        enum tally_cause cause = take_name(d, &at, &spare, &name);
        if (cause != TALLY_CAUSES)
            return cause;
        if (at > end)
            return TALLY_DNS_RDATA;
        append_name(&d->rdata, name);
    }
    buffer_append(&d->rdata, d->wire + at, end - at);
    return TALLY_CAUSES;
}

/* Names that nobody may compress (RFC 9460, 2.2) stand where they stood. Where there is none, because
 * somebody did or the data is another's, the record is kept as it is. */
static void rdata_with_target(struct dns_decoder *d, struct rdata_layout layout, const uint8_t *rdata, size_t len)
{
    size_t at = d->rdata.len + layout.lead;
    buffer_append(&d->rdata, rdata, len);
    if (d->rdata.failed || len <= layout.lead)
        return;
    uint8_t *name = d->rdata.ptr + at;
    name_lower_copy(name, name, name_wire_length(name, len - layout.lead));
}

/* Bytes that must follow the names, by type; SIZE_MAX = any. */
static size_t tail_size(uint16_t type)
{
    switch (type) {
    case TYPE_A:
        return 4;
    case TYPE_AAAA:
        return 16;
    case TYPE_SOA:
        return 20;
    default:
        return rdata_layout(type).names ? 0 : SIZE_MAX;
    }
}

static enum tally_cause read_rdata(struct dns_decoder *d, struct dns_rr *rr, size_t at, size_t rdlength)
{
    struct rdata_layout layout = rdata_layout(rr->type);
    size_t tail = tail_size(rr->type);
    rr->rdata_at = (uint32_t)d->rdata.len;
    /* RFC 2136, 2.4 and 2.5: UPDATE speaks of types without data. */
    bool no_data = rdlength == 0 && rr->class != CLASS_IN;
    if (layout.names == 0 || no_data) {
        if (tail != SIZE_MAX && rdlength != tail && rr->class == CLASS_IN)
            return TALLY_DNS_RDATA;
        buffer_append(&d->rdata, d->wire + at, rdlength);
    } else if (!layout.compressible) {
        rdata_with_target(d, layout, d->wire + at, rdlength);
    } else {
        if (rdlength < layout.lead + tail)
            return TALLY_DNS_RDATA;
        enum tally_cause cause = rdata_names(d, layout, at, at + rdlength - tail);
        if (cause != TALLY_CAUSES)
            return cause;
        buffer_append(&d->rdata, d->wire + at + rdlength - tail, tail);
        /* the name must end where the tail begins: nothing between */
        struct slice made = { d->rdata.ptr + rr->rdata_at, d->rdata.len - rr->rdata_at };
        if (d->rdata.failed)
            return TALLY_DNS_RDATA;
        size_t used = layout.lead;
        for (unsigned i = 0; i < layout.names; i++)
            used += name_wire_length(made.ptr + used, made.len - used);
        if (used + tail != made.len)
            return TALLY_DNS_RDATA;
    }
    if (d->rdata.failed || d->rdata.len - rr->rdata_at > UINT16_MAX)
        return TALLY_DNS_RDATA;
    rr->rdata_len = (uint16_t)(d->rdata.len - rr->rdata_at);
    return TALLY_CAUSES;
}

static bool grow_rrs(struct dns_decoder *d)
{
    unsigned capacity = d->rr_capacity ? d->rr_capacity * 2 : 64;
    struct dns_rr *rrs = realloc(d->rrs, capacity * sizeof *rrs);
    if (rrs == NULL)
        return false;
    d->rrs = rrs;
    d->rr_capacity = capacity;
    return true;
}

static enum tally_cause read_rr(struct dns_decoder *d, size_t *at, uint8_t section)
{
    struct dns_cached_name spare, *owner;
    enum tally_cause cause = take_name(d, at, &spare, &owner);
    if (cause != TALLY_CAUSES)
        return cause;
    if (*at + RR_FIXED > d->len)
        return TALLY_DNS_RR;
    if (d->n_rrs == d->rr_capacity && !grow_rrs(d))
        return TALLY_DNS_RR;
    const uint8_t *fixed = d->wire + *at;
    size_t rdlength = get_be16(fixed + 8);
    *at += RR_FIXED;
    if (*at + rdlength > d->len)
        return TALLY_DNS_RR;
    struct dns_rr *rr = &d->rrs[d->n_rrs];
    *rr = (struct dns_rr){ .ttl = get_be32(fixed + 4), .type = get_be16(fixed),
                           .class = get_be16(fixed + 2), .section = section };
    rr->owner = name_key(d, owner, owner == &spare);
    rr->owner_len = owner->key_len;
    if (rr->owner == NULL)
        return TALLY_DNS_RR;
    cause = read_rdata(d, rr, *at, rdlength);
    if (cause != TALLY_CAUSES)
        return cause;
    *at += rdlength;
    d->n_rrs++;
    return TALLY_CAUSES;
}

static enum tally_cause read_questions(struct dns_decoder *d, size_t *at)
{
    for (unsigned i = 0; i < d->questions; i++) {
        struct dns_cached_name spare, *name;
        enum tally_cause cause = take_name(d, at, &spare, &name);
        if (cause != TALLY_CAUSES)
            return cause;
        if (*at + 4 > d->len)
            return TALLY_DNS_QUESTION;
        if (i == 0) {
            d->question = name;
            d->qtype = get_be16(d->wire + *at);
            d->qclass = get_be16(d->wire + *at + 2);
        }
        *at += 4;
    }
    return TALLY_CAUSES;
}

/* Owners that went to `keys` were remembered as offset + 1, since the buffer may have moved. */
static void settle_owners(struct dns_decoder *d)
{
    if (d->keys.len == 0)
        return;
    for (unsigned i = 0; i < d->n_rrs; i++)
        if ((uintptr_t)d->rrs[i].owner <= d->keys.len)
            d->rrs[i].owner = d->keys.ptr + ((uintptr_t)d->rrs[i].owner - 1);
}

static enum tally_cause read_sections(struct dns_decoder *d, size_t *at)
{
    for (uint8_t section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++) {
        unsigned count = get_be16(d->wire + 6 + 2 * section);
        for (unsigned i = 0; i < count; i++) {
            enum tally_cause cause = read_rr(d, at, section);
            if (cause != TALLY_CAUSES)
                return cause;
        }
    }
    return TALLY_CAUSES;
}

enum tally_cause dns_decode(struct dns_decoder *d, const uint8_t *wire, size_t len, bool cut)
{
    d->question = NULL;
    d->qname = NULL;
    d->qname_len = 0;
    d->n_rrs = d->n_names = 0;
    d->trailing = false;
    buffer_clear(&d->rdata);
    buffer_clear(&d->keys);
    if (len < HEADER)
        return TALLY_DNS_SHORT;
    d->wire = wire;
    d->len = len;
    d->id = get_be16(wire);
    d->flags = get_be16(wire + 2);
    d->questions = get_be16(wire + 4);
    size_t at = HEADER;
    enum tally_cause cause = read_questions(d, &at);
    if (cause != TALLY_CAUSES)
        return cause;
    cause = read_sections(d, &at);
    settle_owners(d);
    if (cause != TALLY_CAUSES)
        return cut ? TALLY_CAUSES : cause;
    d->trailing = at < len && !cut;
    return TALLY_CAUSES;
}
