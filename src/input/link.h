/* link: from the outside of a frame to the IP header in it.
 *
 * A view is what a layer has: `len` bytes that were captured and `missing` bytes
 * that were on the wire behind them. `link_to_ip` moves the view forward until it
 * stands at an IPv4 or IPv6 header, or says with a tally cause why there is none.
 * Pure functions.
 */
#ifndef DNSMON_INPUT_LINK_H
#define DNSMON_INPUT_LINK_H

#include "base/bytes.h"
#include "base/tally.h"

/* 16 bytes, to be passed by value in two registers. */
struct view {
    const uint8_t *ptr;
    uint32_t len;
    uint32_t missing;
};

/* What a view stands at. */
enum link_kind { LINK_ETHERNET, LINK_ETHERTYPE, LINK_PPP, LINK_MPLS, LINK_IP };

static inline void view_advance(struct view *v, size_t len)
{
    v->ptr += len;
    v->len -= (uint32_t)len;
}

/* What to count when a header does not fit: cut by the capture, or wrong. */
static inline enum tally_cause view_short(const struct view *v, enum tally_cause wrong)
{
    return v->missing ? TALLY_SNAPPED : wrong;
}

/* 0, or the cause + 1. `kind` LINK_ETHERTYPE needs `ethertype`. */
int link_to_ip(enum link_kind kind, uint16_t ethertype, struct view *v);

/* The same from a LINKTYPE_ value of a capture file. */
int link_frame_to_ip(int linktype, struct view *v);

#endif
