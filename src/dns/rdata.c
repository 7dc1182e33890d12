#include "dns/rdata.h"

#include "dns/name.h"

enum {
    TYPE_MD = 3, TYPE_MF = 4, TYPE_MB = 7, TYPE_MG = 8, TYPE_MR = 9, TYPE_MINFO = 14, TYPE_RP = 17,
    TYPE_AFSDB = 18, TYPE_RT = 21, TYPE_PX = 26, TYPE_KX = 36,
};

const struct rdata_layout rdata_layouts[RDATA_LAYOUTS] = {
    [TYPE_NS] = { 0, 1, true },    [TYPE_MD] = { 0, 1, true },  [TYPE_MF] = { 0, 1, true },
    [TYPE_CNAME] = { 0, 1, true }, [TYPE_SOA] = { 0, 2, true }, [TYPE_MB] = { 0, 1, true },
    [TYPE_MG] = { 0, 1, true },    [TYPE_MR] = { 0, 1, true },  [TYPE_PTR] = { 0, 1, true },
    [TYPE_MINFO] = { 0, 2, true }, [TYPE_MX] = { 2, 1, true },  [TYPE_RP] = { 0, 2, true },
    [TYPE_AFSDB] = { 2, 1, true }, [TYPE_RT] = { 2, 1, true },  [TYPE_PX] = { 2, 2, true },
    [TYPE_SRV] = { 6, 1, true },   [TYPE_KX] = { 2, 1, true },
    [TYPE_DNAME] = { 0, 1, true }, /* RFC 6672 says no; servers do */
    [TYPE_SVCB] = { 2, 1, false },  [TYPE_HTTPS] = { 2, 1, false },
};

/* The names of rdata, in their order; where they end, or 0. */
static size_t find_names(struct rdata_layout layout, const uint8_t *rdata, size_t len, struct slice ret[])
{
    size_t at = layout.lead;
    for (unsigned i = 0; i < layout.names; i++) {
        size_t n = at < len ? name_wire_length(rdata + at, len - at) : 0;
        if (n == 0)
            return 0;
        ret[i] = (struct slice){ rdata + at, n };
        at += n;
    }
    return at;
}

/* Which name stands at place `i` of a searchable form. */
static unsigned name_in_place(unsigned turn, unsigned i)
{
    return i == 0 ? turn : i - (i <= turn);
}

size_t rdata_searchable(uint16_t type, unsigned turn, const uint8_t *rdata, size_t len, uint8_t *to)
{
    struct rdata_layout layout = rdata_layout(type);
    struct slice names[RDATA_NAMES_MAX];
    uint8_t *start = to;
    if (layout.names == 0) {
        memcpy(to, rdata, len);
        return len;
    }
    size_t at = find_names(layout, rdata, len, names);
    if (at == 0 || (turn > 0 && slice_compare(names[turn], names[0]) == 0))
        return 0;
    for (unsigned i = 0; i < layout.names; i++) {
        struct slice name = names[name_in_place(turn, i)];
        to += name_owner_key(name.ptr, name.len, to);
    }
    for (unsigned i = 0; i < layout.lead; i++)
        *to++ = rdata[i];
    memcpy(to, rdata + at, len - at);
    to += len - at;
    return (size_t)(to - start);
}

/* The keys that stand at the start of a searchable form, by name; where they end, or 0. */
static size_t find_keys(unsigned names, unsigned turn, const uint8_t *from, size_t len, struct slice ret[])
{
    size_t at = 0;
    for (unsigned i = 0; i < names; i++) {
        size_t n = name_key_length(from + at, len - at);
        if (n == 0)
            return 0;
        ret[name_in_place(turn, i)] = (struct slice){ from + at, n };
        at += n;
    }
    return at;
}

size_t rdata_from_searchable(uint16_t type, unsigned turn, const uint8_t *from, size_t len, size_t rdlength,
                             uint8_t *rdata, size_t *ret_used)
{
    struct rdata_layout layout = rdata_layout(type);
    struct slice keys[RDATA_NAMES_MAX];
    if (turn >= rdata_turns(type))
        return 0;
    size_t at = find_keys(layout.names, turn, from, len, keys);
    if (at == 0 && layout.names > 0)
        return 0;
    size_t to = layout.lead;
    for (unsigned i = 0; i < layout.names; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        size_t n = name_from_owner_key(keys[i].ptr, keys[i].len, wire);
        if (n == 0 || to + n > rdlength)
            return 0;
        memcpy(rdata + to, wire, n);
        to += n;
    }
    if (to > rdlength || len - at < layout.lead + (rdlength - to))
        return 0;
    memcpy(rdata, from + at, layout.lead);
    memcpy(rdata + to, from + at + layout.lead, rdlength - to);
    *ret_used = at + layout.lead + (rdlength - to);
    return rdlength;
}

static bool is_among(struct slice hint, const struct slice hints[], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (slice_compare(hint, hints[i]) == 0)
            return true;
    return false;
}

/* The addresses of one parameter behind the n that there are; how many then. */
static unsigned add_hints(uint16_t key, struct slice value, struct slice ret[RDATA_HINTS], unsigned n)
{
    enum { IPV4HINT = 4, IPV6HINT = 6 };
    size_t size = key == IPV4HINT ? 4 : key == IPV6HINT ? 16 : 0;
    for (size_t at = 0; size != 0 && at + size <= value.len && n < RDATA_HINTS; at += size) {
        struct slice hint = { value.ptr + at, size };
        if (!is_among(hint, ret, n))
            ret[n++] = hint;
    }
    return n;
}

unsigned rdata_hints(uint16_t type, struct slice rdata, struct slice ret[RDATA_HINTS])
{
    enum { PRIORITY = 2 };
    size_t target = 0;
    unsigned n = 0;
    if (rdata_may_hint(type) && rdata.len > PRIORITY && get_be16(rdata.ptr) != 0)
        target = name_wire_length(rdata.ptr + PRIORITY, rdata.len - PRIORITY);
    if (target == 0)
        return 0;
    struct cursor c = cursor_over(rdata.ptr + PRIORITY + target, rdata.len - PRIORITY - target);
    while (cursor_left(&c) > 0 && !c.failed) {
        uint16_t key = cursor_be16(&c), len = cursor_be16(&c);
        const uint8_t *value = cursor_take(&c, len);
        if (value != NULL)
            n = add_hints(key, (struct slice){ value, len }, ret, n);
    }
    return c.failed ? 0 : n;
}
