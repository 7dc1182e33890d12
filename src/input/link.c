#include "input/link.h"

enum {
    LINKTYPE_NULL = 0,
    LINKTYPE_ETHERNET = 1,
    LINKTYPE_PPP = 9,
    LINKTYPE_RAW_BSD = 12,
    LINKTYPE_RAW_OPENBSD = 14,
    LINKTYPE_PPP_HDLC = 50,
    LINKTYPE_PPP_ETHER = 51,
    LINKTYPE_RAW = 101,
    LINKTYPE_C_HDLC = 104,
    LINKTYPE_LOOP = 108,
    LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_IPV4 = 228,
    LINKTYPE_IPV6 = 229,
    LINKTYPE_NFLOG = 239,
    LINKTYPE_LINUX_SLL2 = 276,

    NFLOG_PAYLOAD = 9,
};

static int short_of(const struct view *v)
{
    return (int)view_short(v, TALLY_BAD_LINK) + 1;
}

/* The label stack, then what its first nibble tells (RFC 4928): IP, or after a
 * control word (RFC 4385) an Ethernet pseudo-wire. */
static int mpls_to_ip(struct view *v)
{
    bool bottom = false;
    while (!bottom) {
        if (v->len < 4)
            return short_of(v);
        bottom = v->ptr[2] & 1;
        view_advance(v, 4);
    }
    if (v->len < 4)
        return short_of(v);
    switch (v->ptr[0] >> 4) {
    case 4:
    case 6:
        return 0;
    case 0:
        view_advance(v, 4);
        return link_to_ip(LINK_ETHERNET, 0, v);
    default:
        return TALLY_NOT_IP + 1;
    }
}

static int ppp_to_ip(struct view *v)
{
    if (v->len >= 2 && v->ptr[0] == 0xff && v->ptr[1] == 0x03)
        view_advance(v, 2);
    if (v->len < 2)
        return short_of(v);
    bool compressed = v->ptr[0] & 1; /* RFC 1661, 6.5 */
    uint16_t protocol = compressed ? v->ptr[0] : get_be16(v->ptr);
    view_advance(v, compressed ? 1 : 2);
    switch (protocol) {
    case 0x0021:
    case 0x0057:
        return 0;
    case 0x0281:
        return mpls_to_ip(v);
    default:
        return TALLY_NOT_IP + 1;
    }
}

static int pppoe_to_ip(struct view *v)
{
    if (v->len < 6)
        return short_of(v);
    if (v->ptr[0] != 0x11)
        return TALLY_BAD_LINK + 1;
    if (v->ptr[1] != 0)
        return TALLY_NOT_IP + 1;
    view_advance(v, 6);
    return ppp_to_ip(v);
}

/* IEEE 802.2: only SNAP carries IP. */
static int llc_to_ip(struct view *v)
{
    if (v->len < 8)
        return TALLY_NOT_IP + 1;
    if (memcmp(v->ptr, "\xaa\xaa\x03\x00\x00\x00", 6) != 0)
        return TALLY_NOT_IP + 1;
    uint16_t type = get_be16(v->ptr + 6);
    if (type < 1536)
        return TALLY_NOT_IP + 1;
    view_advance(v, 8);
    return link_to_ip(LINK_ETHERTYPE, type, v);
}

static int ethertype_to_ip(uint16_t type, struct view *v)
{
    for (;;) {
        switch (type) {
        case 0x0800:
        case 0x86dd:
            return 0;
        case 0x8100:
        case 0x88a8:
        case 0x9100:
            if (v->len < 4)
                return short_of(v);
            type = get_be16(v->ptr + 2);
            view_advance(v, 4);
            continue;
        case 0x8847:
        case 0x8848:
            return mpls_to_ip(v);
        case 0x8864:
            return pppoe_to_ip(v);
        case 0x880b:
            return ppp_to_ip(v);
        default:
            return type < 1536 ? llc_to_ip(v) : TALLY_NOT_IP + 1;
        }
    }
}

int link_to_ip(enum link_kind kind, uint16_t ethertype, struct view *v)
{
    switch (kind) {
    case LINK_ETHERNET:
        if (v->len < 14)
            return short_of(v);
        ethertype = get_be16(v->ptr + 12);
        view_advance(v, 14);
        return ethertype_to_ip(ethertype, v);
    case LINK_ETHERTYPE:
        return ethertype_to_ip(ethertype, v);
    case LINK_PPP:
        return ppp_to_ip(v);
    case LINK_MPLS:
        return mpls_to_ip(v);
    case LINK_IP:
        return 0;
    }
    return TALLY_UNKNOWN_LINK + 1;
}

/* The address family in the byte order of the machine that captured; IPv6 has a
 * different number on every system. */
static int null_to_ip(struct view *v)
{
    if (v->len < 4)
        return short_of(v);
    uint32_t family = get_le32(v->ptr);
    if (family > 0xffff)
        family = get_be32(v->ptr);
    view_advance(v, 4);
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30
               ? 0
               : TALLY_NOT_IP + 1;
}

static int cooked_to_ip(struct view *v, size_t header, size_t protocol_at)
{
    if (v->len < header)
        return short_of(v);
    uint16_t type = get_be16(v->ptr + protocol_at);
    view_advance(v, header);
    return ethertype_to_ip(type, v);
}

/* Attributes with lengths in the byte order of the machine that captured. */
static int nflog_to_ip(struct view *v)
{
    if (v->len < 4)
        return short_of(v);
    uint8_t family = v->ptr[0];
    view_advance(v, 4);
    if (family != 2 && family != 10)
        return TALLY_NOT_IP + 1;
    while (v->len >= 4) {
        uint16_t len = get_le16(v->ptr), type = get_le16(v->ptr + 2);
        if (type > 255) {
            len = get_be16(v->ptr);
            type = get_be16(v->ptr + 2);
        }
        if (len < 4)
            return TALLY_BAD_LINK + 1;
        if ((type & 0x7fff) == NFLOG_PAYLOAD) {
            view_advance(v, 4);
            return 0;
        }
        size_t padded = (len + 3u) & ~3u;
        if (padded > v->len)
            return short_of(v);
        view_advance(v, padded);
    }
    return v->len || v->missing ? short_of(v) : TALLY_NOT_IP + 1;
}

int link_frame_to_ip(int linktype, struct view *v)
{
    switch (linktype) {
    case LINKTYPE_ETHERNET:
        return link_to_ip(LINK_ETHERNET, 0, v);
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
        return null_to_ip(v);
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_HDLC:
        return ppp_to_ip(v);
    case LINKTYPE_PPP_ETHER:
        return pppoe_to_ip(v);
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
    case LINKTYPE_RAW:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
        return 0;
    case LINKTYPE_C_HDLC:
        return cooked_to_ip(v, 4, 2);
    case LINKTYPE_LINUX_SLL:
        return cooked_to_ip(v, 16, 14);
    case LINKTYPE_LINUX_SLL2:
        return cooked_to_ip(v, 20, 0);
    case LINKTYPE_NFLOG:
        return nflog_to_ip(v);
    default:
        return TALLY_UNKNOWN_LINK + 1;
    }
}
