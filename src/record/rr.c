#include "record/rr.h"

size_t rr_value_put(const struct rr_value *v, uint8_t *to)
{
    uint8_t *p = to;
    p = put_varint(p, v->first);
    p = put_varint(p, v->last - v->first);
    p = put_varint(p, v->count);
    p = put_varint(p, v->upstream);
    p = put_varint(p, v->ttl_min);
    p = put_varint(p, v->ttl_max - v->ttl_min);
    p = put_varint(p, v->flags);
    p = put_varint(p, v->sensors);
    p = put_varint(p, v->threshold);
    return (size_t)(p - to);
}

static uint32_t varint32(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    c->failed |= v > UINT32_MAX;
    return (uint32_t)v;
}

/* The second of a pair that is stored as its distance from the first. */
static uint64_t varint_after(struct cursor *c, uint64_t first)
{
    uint64_t v = first + cursor_varint(c);
    c->failed |= v < first;
    return v;
}

bool rr_value_get(struct slice from, struct rr_value *ret)
{
    struct cursor c = cursor_over(from.ptr, from.len);
    ret->first = cursor_varint(&c);
    ret->last = varint_after(&c, ret->first);
    ret->count = cursor_varint(&c);
    ret->upstream = cursor_varint(&c);
    ret->ttl_min = varint32(&c);
    ret->ttl_max = ret->ttl_min + varint32(&c);
    c.failed |= ret->ttl_max < ret->ttl_min;
    ret->flags = varint32(&c);
    ret->sensors = cursor_varint(&c);
    ret->threshold = cursor_varint(&c);
    return !c.failed && c.ptr == c.end;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void rr_value_merge(struct rr_value *into, const struct rr_value *from)
{
    into->first = smaller(into->first, from->first);
    into->last = larger(into->last, from->last);
    into->count += from->count;
    into->upstream += from->upstream;
    /* 0 and 0 say "not known": they leave the other side alone. */
    if (from->ttl_max != 0) {
        into->ttl_min = into->ttl_max ? (uint32_t)smaller(into->ttl_min, from->ttl_min) : from->ttl_min;
        into->ttl_max = (uint32_t)larger(into->ttl_max, from->ttl_max);
    }
    into->flags |= from->flags;
    into->sensors |= from->sensors;
    if (from->threshold != 0)
        into->threshold = into->threshold ? smaller(into->threshold, from->threshold) : from->threshold;
}

static bool about_get(struct slice rest, struct rr_key *ret)
{
    struct cursor c = cursor_over(rest.ptr, rest.len);
    ret->about = cursor_u8(&c);
    switch (ret->about) {
    case RR_NXDOMAIN:
        break;
    case RR_COLLAPSED_NAMES:
        ret->subtype = cursor_u8(&c);
        break;
    case RR_NODATA:
    case RR_COLLAPSED_RDATA:
        ret->subtype = cursor_be16(&c);
        break;
    case RR_OUT_OF_BAILIWICK:
        ret->subtype = cursor_be16(&c);
        ret->rdata = (struct slice){ c.ptr, cursor_left(&c) };
        return !c.failed;
    default:
        return false;
    }
    return !c.failed && c.ptr == c.end;
}

bool rr_key_get(struct slice key, struct rr_key *ret)
{
    size_t owner = name_key_length(key.ptr, key.len);
    if (owner == 0 || key.len < owner + 2)
        return false;
    *ret = (struct rr_key){ .owner = { key.ptr, owner }, .type = get_be16(key.ptr + owner) };
    struct slice rest = { key.ptr + owner + 2, key.len - owner - 2 };
    if (ret->type == 0)
        return about_get(rest, ret);
    ret->rdata = rest;
    return true;
}

static uint8_t *put_cut(uint8_t *to, const uint8_t *limit, struct slice bytes)
{
    size_t room = (size_t)(limit - to);
    size_t n = bytes.len < room ? bytes.len : room;
    short_copy(to, bytes.ptr, n);
    return to + n;
}

size_t rr_key_put(struct slice owner, uint16_t type, struct slice rdata, uint8_t *to)
{
    uint8_t *p = to;
    short_copy(p, owner.ptr, owner.len);
    p += owner.len;
    put_be16(p, type);
    p = put_cut(p + 2, to + RR_KEY_MAX, rdata);
    return (size_t)(p - to);
}

size_t rr_about_put(struct slice owner, uint8_t about, uint16_t subtype, struct slice rdata, uint8_t *to)
{
    uint8_t *p = to;
    short_copy(p, owner.ptr, owner.len);
    p += owner.len;
    put_be16(p, 0);
    p[2] = about;
    p += 3;
    if (about == RR_COLLAPSED_NAMES) {
        *p++ = (uint8_t)subtype;
    } else if (about != RR_NXDOMAIN) {
        put_be16(p, subtype);
        p += 2;
    }
    if (about == RR_OUT_OF_BAILIWICK)
        p = put_cut(p, to + RR_KEY_MAX, rdata);
    return (size_t)(p - to);
}

/* The last two bytes of an inverse key. */
enum { TURN_SHIFT = 15, RDLENGTH_MASK = (1 << TURN_SHIFT) - 1 };
_Static_assert((int)RR_KEY_MAX <= RDLENGTH_MASK && RDATA_NAMES_MAX <= 2, "a turn of one bit beside the length");

static size_t put_by_name(struct slice owner, uint16_t type, unsigned turn, struct slice rdata, uint8_t *to)
{
    uint8_t *p = to;
    if (owner.len + 2 + rdata.len > RR_KEY_MAX)
        return 0;
    put_be16(p, type);
    p += 2;
    size_t n = rdata_searchable(type, turn, rdata.ptr, rdata.len, p);
    if (n == 0 && rdata.len != 0)
        return 0;
    p += n;
    short_copy(p, owner.ptr, owner.len);
    p += owner.len;
    put_be16(p, (uint16_t)(turn << TURN_SHIFT | rdata.len));
    return (size_t)(p + 2 - to);
}

/* 0000 | TYPE_A or TYPE_AAAA | address, and behind it the key by name. */
enum { HINT_HEAD = 4 };

static size_t put_by_hint(struct slice owner, uint16_t type, unsigned hint, struct slice rdata, uint8_t *to)
{
    struct slice hints[RDATA_HINTS];
    if (hint >= rdata_hints(type, rdata, hints))
        return 0;
    put_be16(to, 0);
    put_be16(to + 2, hints[hint].len == 4 ? TYPE_A : TYPE_AAAA);
    memcpy(to + HINT_HEAD, hints[hint].ptr, hints[hint].len);
    size_t head = HINT_HEAD + hints[hint].len;
    size_t n = put_by_name(owner, type, 0, rdata, to + head);
    return n ? head + n : 0;
}

size_t rr_inverse_put(struct slice owner, uint16_t type, unsigned turn, struct slice rdata, uint8_t *to)
{
    unsigned names = rdata_turns(type);
    return turn < names ? put_by_name(owner, type, turn, rdata, to) : put_by_hint(owner, type, turn - names, rdata, to);
}

static bool get_by_name(struct slice key, uint8_t *rdata, struct rr_key *ret)
{
    if (key.len < 5)
        return false;
    uint16_t type = get_be16(key.ptr);
    uint16_t last = get_be16(key.ptr + key.len - 2);
    unsigned turn = last >> TURN_SHIFT;
    size_t rdlength = last & RDLENGTH_MASK;
    size_t room = key.len - 4, used = 0;
    if (rdlength > RR_KEY_MAX)
        return false;
    if (rdata_from_searchable(type, turn, key.ptr + 2, room, rdlength, rdata, &used) == 0 && rdlength != 0)
        return false;
    struct slice owner = { key.ptr + 2 + used, room - used };
    if (name_key_length(owner.ptr, owner.len) != owner.len || owner.len == 0)
        return false;
    *ret = (struct rr_key){ .owner = owner, .type = type, .rdata = { rdata, rdlength }, .turn = (uint8_t)turn };
    return true;
}

size_t rr_hint_length(struct slice key)
{
    if (key.len < HINT_HEAD || get_be16(key.ptr) != 0)
        return 0;
    uint16_t type = get_be16(key.ptr + 2);
    size_t len = HINT_HEAD + (type == TYPE_A ? 4u : 16u);
    return (type == TYPE_A || type == TYPE_AAAA) && key.len > len ? len : 0;
}

/* Behind the address a record's first key, whose rdata has that address. */
static bool get_by_hint(struct slice key, uint8_t *rdata, struct rr_key *ret)
{
    struct slice hints[RDATA_HINTS];
    struct rr_key k;
    size_t head = rr_hint_length(key);
    if (head == 0 || !get_by_name((struct slice){ key.ptr + head, key.len - head }, rdata, &k) || k.turn != 0)
        return false;
    struct slice hint = { key.ptr + HINT_HEAD, head - HINT_HEAD };
    unsigned n = rdata_hints(k.type, k.rdata, hints);
    for (unsigned i = 0; i < n; i++)
        if (slice_compare(hint, hints[i]) == 0) {
            k.turn = (uint8_t)(rdata_turns(k.type) + i);
            *ret = k;
            return true;
        }
    return false;
}

bool rr_inverse_get(struct slice key, uint8_t *rdata, struct rr_key *ret)
{
    if (key.len < 2)
        return false;
    return get_be16(key.ptr) != 0 ? get_by_name(key, rdata, ret) : get_by_hint(key, rdata, ret);
}

size_t name_value_put(const struct name_value *v, uint8_t *to)
{
    uint8_t *p = put_varint(to, v->first);
    p = put_varint(p, v->last - v->first);
    return (size_t)(put_varint(p, v->count) - to);
}

bool name_value_get(struct slice from, struct name_value *ret)
{
    struct cursor c = cursor_over(from.ptr, from.len);
    ret->first = cursor_varint(&c);
    ret->last = varint_after(&c, ret->first);
    ret->count = cursor_varint(&c);
    return !c.failed && c.ptr == c.end;
}
