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
};

size_t rdata_searchable(uint16_t type, const uint8_t *rdata, size_t len, uint8_t *to)
{
    struct rdata_layout layout = rdata_layout(type);
    uint8_t *start = to;
    if (layout.names == 0) {
        memcpy(to, rdata, len);
        return len;
    }
    size_t at = layout.lead;
    for (unsigned i = 0; i < layout.names; i++) {
        size_t n = at < len ? name_wire_length(rdata + at, len - at) : 0;
        if (n == 0)
            return 0;
        to += name_owner_key(rdata + at, n, to);
        at += n;
    }
    memcpy(to, rdata, layout.lead);
    to += layout.lead;
    memcpy(to, rdata + at, len - at);
    to += len - at;
    return (size_t)(to - start);
}

size_t rdata_from_searchable(uint16_t type, const uint8_t *from, size_t len, size_t rdlength,
                             uint8_t *rdata, size_t *ret_used)
{
    struct rdata_layout layout = rdata_layout(type);
    if (layout.names == 0) {
        if (rdlength > len)
            return 0;
        memcpy(rdata, from, rdlength);
        *ret_used = rdlength;
        return rdlength;
    }
    size_t at = 0, to = layout.lead;
    for (unsigned i = 0; i < layout.names; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        size_t key = name_key_length(from + at, len - at);
        size_t n = key ? name_from_owner_key(from + at, key, wire) : 0;
        if (n == 0 || to + n > rdlength)
            return 0;
        memcpy(rdata + to, wire, n);
        to += n;
        at += key;
    }
    size_t tail = rdlength - to;
    if (len - at < layout.lead + tail)
        return 0;
    memcpy(rdata, from + at, layout.lead);
    memcpy(rdata + to, from + at + layout.lead, tail);
    *ret_used = at + layout.lead + tail;
    return rdlength;
}
