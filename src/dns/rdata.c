#include "dns/rdata.h"

#include "dns/name.h"

struct rdata_layout rdata_layout(uint16_t type)
{
    enum { MD = 3, MF = 4, MB = 7, MG = 8, MR = 9, MINFO = 14, RP = 17, AFSDB = 18, RT = 21,
           PX = 26, KX = 36 };
    switch (type) {
    case TYPE_NS: case MD: case MF: case TYPE_CNAME: case MB: case MG: case MR: case TYPE_PTR:
        return (struct rdata_layout){ 0, 1, true };
    case TYPE_SOA: case MINFO:
        return (struct rdata_layout){ 0, 2, true };
    case TYPE_MX:
        return (struct rdata_layout){ 2, 1, true };
    case TYPE_DNAME:
        return (struct rdata_layout){ 0, 1, true }; /* RFC 6672 says no; servers do */
    case RP:
        return (struct rdata_layout){ 0, 2, true };
    case AFSDB: case RT: case KX:
        return (struct rdata_layout){ 2, 1, true };
    case PX:
        return (struct rdata_layout){ 2, 2, true };
    case TYPE_SRV:
        return (struct rdata_layout){ 6, 1, true };
    default:
        return (struct rdata_layout){ 0, 0, false };
    }
}

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
