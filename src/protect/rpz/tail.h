/* tail: what of a record stands behind its owner: TYPE, CLASS, TTL, RDLENGTH, RDATA (RFC 1035, 3.2.1). Zones keep records as tails, replies copy them. */
#ifndef DNSMON_PROTECT_RPZ_TAIL_H
#define DNSMON_PROTECT_RPZ_TAIL_H

#include "dns/decode.h"

enum { TAIL_HEAD = 10 };

/* All but RDATA, in class IN. Returns TAIL_HEAD. */
static inline size_t tail_begin(uint8_t to[TAIL_HEAD], uint16_t type, uint32_t ttl_s, size_t rdata_len)
{
    put_be16(to, type);
    put_be16(to + 2, CLASS_IN);
    put_be32(to + 4, ttl_s);
    put_be16(to + 8, (uint16_t)rdata_len);
    return TAIL_HEAD;
}

#endif
