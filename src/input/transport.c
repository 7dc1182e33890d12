/* transport: frames to messages. IP headers, tunnels and UDP are here; links,
 * fragments and TCP streams have their own files. */
#include "input/fragment.h"
#include "input/packet.h"
#include "input/source.h"
#include "input/tcp.h"

#include <stdlib.h>

enum {
    TRANSPORT_LIMIT = 64 << 20,
    NESTING_MAX = 8,    /* IP headers in one frame */
    EXTENSIONS_MAX = 16, /* IPv6 extension headers in one packet */
    STATE_VERSION = 1,

    PROTOCOL_ICMP = 1,
    PROTOCOL_IPIP = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_GRE = 47,
    PROTOCOL_ICMP6 = 58,
    PROTOCOL_MPLS = 137,

    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_MDNS = 5353,
    PORT_LLMNR = 5355,
    PORT_GENEVE = 6081,
};

enum port_use { PORT_OTHER, PORT_DNS, PORT_IS_MDNS, PORT_IS_LLMNR, PORT_TUNNEL };

struct transport {
    struct fragment_table *fragments;
    struct tcp_table *tcp;
    uint8_t vantage;
    uint8_t sensor;
    uint8_t exclusion;
    bool keep_multicast;
    uint64_t ports[65536 / 64];
};

static int on_ip(struct transport *t, struct packet *p, struct view v, unsigned depth);

struct transport *transport_create(const struct input_options *options)
{
    struct transport *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    size_t limit = options && options->transport_limit ? options->transport_limit : TRANSPORT_LIMIT;
    t->fragments = fragment_table_create(limit / 4);
    t->tcp = tcp_table_create(limit - limit / 4);
    if (t->fragments == NULL || t->tcp == NULL) {
        transport_destroy(&t);
        return NULL;
    }
    const struct input_options defaults = { 0 };
    transport_use(t, options ? options : &defaults);
    return t;
}

void transport_use(struct transport *t, const struct input_options *options)
{
    memset(t->ports, 0, sizeof t->ports);
    if (options->n_ports == 0)
        t->ports[53 / 64] |= UINT64_C(1) << 53 % 64;
    for (unsigned i = 0; i < options->n_ports && i < 16; i++)
        t->ports[options->ports[i] / 64] |= UINT64_C(1) << options->ports[i] % 64;
    t->vantage = options->vantage;
    t->sensor = options->sensor;
    t->exclusion = options->exclusion;
    t->keep_multicast = options->keep_multicast;
}

void transport_destroy(struct transport **transport)
{
    struct transport *t = *transport;
    *transport = NULL;
    if (t == NULL)
        return;
    fragment_table_destroy(&t->fragments);
    tcp_table_destroy(&t->tcp);
    free(t);
}

static bool is_dns_port(const struct transport *t, uint16_t port)
{
    return t->ports[port / 64] >> port % 64 & 1;
}

static bool is_tunnel_port(uint16_t port)
{
    return port == PORT_VXLAN || port == PORT_VXLAN_GPE || port == PORT_GENEVE;
}

/* A resolver may ask from any port, also from 5353 or 4789: DNS comes first. Tunnels are
 * taken in either direction, as some ends answer from the port they listen on. */
static enum port_use port_use(const struct transport *t, uint16_t from, uint16_t to)
{
    if (is_dns_port(t, from) || is_dns_port(t, to))
        return PORT_DNS;
    if (is_tunnel_port(to) || is_tunnel_port(from))
        return PORT_TUNNEL;
    if (from == PORT_MDNS || to == PORT_MDNS)
        return PORT_IS_MDNS;
    if (from == PORT_LLMNR || to == PORT_LLMNR)
        return PORT_IS_LLMNR;
    return PORT_OTHER;
}

/* Tunnels. */

static int on_link(struct transport *t, struct packet *p, enum link_kind kind, uint16_t ethertype,
                   struct view v, unsigned depth)
{
    int cause = link_to_ip(kind, ethertype, &v);
    if (cause) {
        packet_count(p, (enum tally_cause)(cause - 1));
        return 0;
    }
    return on_ip(t, p, v, depth + 1);
}

static int tunnel_short(struct packet *p, const struct view *v)
{
    packet_count(p, view_short(v, TALLY_BAD_TUNNEL));
    return 0;
}

/* ERSPAN: type I has no header and no sequence number, II has 8 bytes, III 12 and
 * with O another 8 (draft-foschiano-erspan). */
static int on_erspan(struct transport *t, struct packet *p, struct view v, bool sequenced,
                     unsigned depth)
{
    size_t header = 0;
    if (sequenced) {
        if (v.len < 12)
            return tunnel_short(p, &v);
        header = v.ptr[0] >> 4 == 2 ? 12 + (v.ptr[11] & 1) * 8u : 8;
    }
    if (v.len < header)
        return tunnel_short(p, &v);
    view_advance(&v, header);
    return on_link(t, p, LINK_ETHERNET, 0, v, depth);
}

/* RFC 2784, 2890; version 1 is RFC 2637. */
static int on_gre(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 4)
        return tunnel_short(p, &v);
    uint16_t flags = get_be16(v.ptr), type = get_be16(v.ptr + 2);
    unsigned version = flags & 7;
    if (version > 1 || (flags & 0x4000)) { /* routing was withdrawn */
        packet_count(p, TALLY_BAD_TUNNEL);
        return 0;
    }
    size_t header = 4;
    header += flags & 0x8000 ? 4 : 0;
    header += flags & 0x2000 ? 4 : 0;
    header += flags & 0x1000 ? 4 : 0;
    header += version == 1 && (flags & 0x0080) ? 4 : 0;
    if (v.len < header)
        return tunnel_short(p, &v);
    view_advance(&v, header);
    switch (type) {
    case 0x6558:
        return on_link(t, p, LINK_ETHERNET, 0, v, depth);
    case 0x880b:
        return on_link(t, p, LINK_PPP, 0, v, depth);
    case 0x88be:
    case 0x22eb:
        return on_erspan(t, p, v, flags & 0x1000, depth);
    default:
        return on_link(t, p, LINK_ETHERTYPE, type, v, depth);
    }
}

static int on_vxlan(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 8)
        return tunnel_short(p, &v);
    view_advance(&v, 8);
    return on_link(t, p, LINK_ETHERNET, 0, v, depth);
}

/* draft-ietf-nvo3-vxlan-gpe: the fourth byte says what follows; some senders forget
 * to set P. */
static int on_vxlan_gpe(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 8)
        return tunnel_short(p, &v);
    uint8_t next = v.ptr[3] ? v.ptr[3] : 3;
    view_advance(&v, 8);
    switch (next) {
    case 1:
    case 2:
        return on_ip(t, p, v, depth + 1);
    case 3:
        return on_link(t, p, LINK_ETHERNET, 0, v, depth);
    case 5:
        return on_link(t, p, LINK_MPLS, 0, v, depth);
    default:
        packet_count(p, TALLY_NOT_IP);
        return 0;
    }
}

static int on_geneve(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 8)
        return tunnel_short(p, &v);
    if (v.ptr[0] >> 6 != 0) {
        packet_count(p, TALLY_BAD_TUNNEL);
        return 0;
    }
    size_t header = 8 + 4u * (v.ptr[0] & 63);
    uint16_t type = get_be16(v.ptr + 2);
    if (v.len < header)
        return tunnel_short(p, &v);
    view_advance(&v, header);
    if (type == 0x6558)
        return on_link(t, p, LINK_ETHERNET, 0, v, depth);
    return on_link(t, p, LINK_ETHERTYPE, type, v, depth);
}

static int on_tunnel(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    switch (is_tunnel_port(p->to.port) ? p->to.port : p->from.port) {
    case PORT_VXLAN:
        return on_vxlan(t, p, v, depth);
    case PORT_VXLAN_GPE:
        return on_vxlan_gpe(t, p, v, depth);
    default:
        return on_geneve(t, p, v, depth);
    }
}

/* UDP and TCP. */

/* A length of zero stands for a large send that the card cuts up later. Bytes that
 * the header promises and the packet lacks make the message a prefix. */
static int on_dns_udp(struct packet *p, struct view v, uint32_t udp_len)
{
    uint32_t want = udp_len ? udp_len - 8 : (uint32_t)(v.len + v.missing);
    bool truncated = want > v.len;
    uint32_t len = truncated ? (uint32_t)v.len : want;
    if (truncated && len < 12) {
        packet_count(p, view_short(&v, TALLY_BAD_UDP));
        return 0;
    }
    return packet_emit(p, TRANSPORT_UDP, v.ptr, len, truncated);
}

static int on_udp(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 8) {
        packet_count(p, view_short(&v, TALLY_BAD_UDP));
        return 0;
    }
    p->from.port = get_be16(v.ptr);
    p->to.port = get_be16(v.ptr + 2);
    uint32_t udp_len = get_be16(v.ptr + 4);
    if (udp_len != 0 && udp_len < 8) {
        packet_count(p, TALLY_BAD_UDP);
        return 0;
    }
    view_advance(&v, 8);
    switch (port_use(t, p->from.port, p->to.port)) {
    case PORT_DNS:
        return on_dns_udp(p, v, udp_len);
    case PORT_TUNNEL:
        return on_tunnel(t, p, v, depth);
    case PORT_IS_MDNS:
        if (t->keep_multicast)
            return on_dns_udp(p, v, udp_len);
        packet_count(p, TALLY_MDNS);
        return 0;
    case PORT_IS_LLMNR:
        if (t->keep_multicast)
            return on_dns_udp(p, v, udp_len);
        packet_count(p, TALLY_LLMNR);
        return 0;
    case PORT_OTHER:
        break;
    }
    packet_count(p, TALLY_OTHER_PORT);
    return 0;
}

static int on_tcp(struct transport *t, struct packet *p, struct view v)
{
    if (v.len < 4) {
        packet_count(p, view_short(&v, TALLY_BAD_TCP));
        return 0;
    }
    p->from.port = get_be16(v.ptr);
    p->to.port = get_be16(v.ptr + 2);
    enum port_use use = port_use(t, p->from.port, p->to.port);
    if (use == PORT_DNS || (use == PORT_IS_LLMNR && t->keep_multicast))
        return tcp_segment(t->tcp, p, v);
    packet_count(p, use == PORT_IS_LLMNR ? TALLY_LLMNR : TALLY_OTHER_PORT);
    return 0;
}

static int on_protocol(struct transport *t, struct packet *p, uint8_t protocol, struct view v,
                       unsigned depth)
{
    switch (protocol) {
    case PROTOCOL_UDP:
        return on_udp(t, p, v, depth);
    case PROTOCOL_TCP:
        return on_tcp(t, p, v);
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMP6:
        packet_count(p, TALLY_ICMP);
        return 0;
    case PROTOCOL_IPIP:
    case PROTOCOL_IPV6:
        return on_ip(t, p, v, depth + 1);
    case PROTOCOL_GRE:
        return on_gre(t, p, v, depth);
    case PROTOCOL_MPLS:
        return on_link(t, p, LINK_MPLS, 0, v, depth);
    default:
        packet_count(p, TALLY_NOT_TRANSPORT);
        return 0;
    }
}

/* Fragments. */

/* Why the datagram need not be gathered, as its first piece shows: 0 or cause + 1. */
static int first_piece_useless(const struct transport *t, uint8_t protocol, const struct view *v)
{
    switch (protocol) {
    case PROTOCOL_UDP:
    case PROTOCOL_TCP:
        if (v->len >= 4 && port_use(t, get_be16(v->ptr), get_be16(v->ptr + 2)) == PORT_OTHER)
            return TALLY_OTHER_PORT + 1;
        return 0;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMP6:
        return TALLY_ICMP + 1;
    case PROTOCOL_IPIP:
    case PROTOCOL_IPV6:
    case PROTOCOL_GRE:
    case PROTOCOL_MPLS:
        return 0;
    default: /* IPv6 extension headers may hide UDP */
        return 0;
    }
}

static int on_extensions(struct transport *t, struct packet *p, uint8_t protocol, struct view v,
                         const uint8_t *addresses, unsigned depth);

struct piece_of {
    uint32_t id;
    uint32_t offset;
    bool more;
    uint8_t protocol;
    const uint8_t *addresses; /* IPv6 only, to go on with extension headers */
};

static int on_whole(struct transport *t, struct packet *p, const struct piece_of *of,
                    const struct fragment_whole *whole, unsigned depth)
{
    struct view v = { .ptr = whole->ptr, .len = whole->len };
    uint32_t weight = p->weight;
    p->weight = whole->pieces;
    int rc = of->addresses ? on_extensions(t, p, whole->next_protocol, v, of->addresses, depth)
                           : on_protocol(t, p, whole->next_protocol, v, depth);
    p->weight = weight;
    return rc;
}

/* A first piece that the capture cut still may hold the start of a message. */
static int on_fragment(struct transport *t, struct packet *p, const struct piece_of *of,
                       struct view v, unsigned depth)
{
    struct fragment_key key = { .id = of->id, .version = of->addresses ? 6 : 4,
                                .protocol = of->addresses ? 0 : of->protocol };
    memcpy(key.from, p->from.address, 16);
    memcpy(key.to, p->to.address, 16);
    if (v.missing) {
        if (of->offset == 0 && !of->addresses)
            return on_protocol(t, p, of->protocol, v, depth);
        packet_count(p, TALLY_SNAPPED);
        return 0;
    }
    int useless = of->offset == 0 ? first_piece_useless(t, of->protocol, &v) : 0;
    if (useless)
        return fragment_refuse(t->fragments, &key, p->ts_ns, (enum tally_cause)(useless - 1),
                               p->tally);
    const struct fragment_piece piece = {
        .ptr = v.ptr,
        .len = (uint32_t)v.len,
        .offset = of->offset,
        .more = of->more,
        .next_protocol = of->protocol,
    };
    struct fragment_whole whole;
    int rc = fragment_add(t->fragments, &key, p->ts_ns, &piece, p->tally, &whole);
    return rc == 1 ? on_whole(t, p, of, &whole, depth) : rc;
}

/* IP. */

/* One 16-byte store: the copy into the message loads 16 bytes, and a load that
 * spans several stores waits for them all. */
static void set_ipv4(uint8_t to[16], const uint8_t *from)
{
    typedef uint64_t pair __attribute__((vector_size(16)));
    const pair mapped = { 0, (uint64_t)get_le32(from) << 32 | 0xffff0000 };
    memcpy(to, &mapped, sizeof mapped);
}

/* Lengths that cannot be (0 of segmentation offload, longer than the frame) give
 * way to what is there, as in tshark. */
static void trim(struct view *v, size_t header, size_t total)
{
    size_t wire = (size_t)v->len + v->missing;
    if (total < header || total > wire)
        total = wire;
    if (total <= v->len) {
        v->len = (uint32_t)total;
        v->missing = 0;
    } else {
        v->missing = (uint32_t)total - v->len;
    }
}

static int on_ipv4(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 20) {
        packet_count(p, view_short(&v, TALLY_BAD_IP));
        return 0;
    }
    const uint8_t *ip = v.ptr;
    size_t header = (ip[0] & 15) * 4u;
    if (header < 20) {
        packet_count(p, TALLY_BAD_IP);
        return 0;
    }
    trim(&v, header, get_be16(ip + 2));
    if (v.len < header) {
        packet_count(p, view_short(&v, TALLY_BAD_IP));
        return 0;
    }
    set_ipv4(p->from.address, ip + 12);
    set_ipv4(p->to.address, ip + 16);
    p->ip_id = get_be16(ip + 4);
    view_advance(&v, header);
    uint16_t fragment = get_be16(ip + 6);
    if (__builtin_expect((fragment & 0x3fff) == 0, 1))
        return on_protocol(t, p, ip[9], v, depth);
    const struct piece_of of = {
        .id = p->ip_id,
        .offset = (fragment & 0x1fff) * 8u,
        .more = fragment & 0x2000,
        .protocol = ip[9],
    };
    return on_fragment(t, p, &of, v, depth);
}

/* Length of an IPv6 extension header, or 0 when `protocol` is none. */
static size_t extension_len(uint8_t protocol, const struct view *v)
{
    switch (protocol) {
    case 0:   /* hop-by-hop */
    case 43:  /* routing */
    case 60:  /* destination options */
    case 135: /* mobility */
    case 139: /* HIP */
    case 140: /* shim6 */
        return v->len >= 2 ? (v->ptr[1] + 1u) * 8 : 8;
    case 44: /* fragment */
        return 8;
    case 51: /* authentication */
        return v->len >= 2 ? (v->ptr[1] + 2u) * 4 : 8;
    default:
        return 0;
    }
}

static int on_extensions(struct transport *t, struct packet *p, uint8_t protocol, struct view v,
                         const uint8_t *addresses, unsigned depth)
{
    for (int n = 0; n < EXTENSIONS_MAX; n++) {
        size_t len = extension_len(protocol, &v);
        if (len == 0)
            return on_protocol(t, p, protocol, v, depth);
        if (v.len < len) {
            packet_count(p, view_short(&v, TALLY_BAD_IP));
            return 0;
        }
        const uint8_t *header = v.ptr;
        uint8_t next = header[0];
        view_advance(&v, len);
        uint16_t where = protocol == 44 ? get_be16(header + 2) : 0;
        if (protocol == 44 && (where & 0xfff9)) {
            const struct piece_of of = {
                .id = get_be32(header + 4),
                .offset = where & 0xfff8,
                .more = where & 1,
                .protocol = next,
                .addresses = addresses,
            };
            if (depth >= NESTING_MAX) {
                packet_count(p, TALLY_BAD_TUNNEL);
                return 0;
            }
            return on_fragment(t, p, &of, v, depth + 1);
        }
        protocol = next;
    }
    packet_count(p, TALLY_BAD_IP);
    return 0;
}

static int on_ipv6(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (v.len < 40) {
        packet_count(p, view_short(&v, TALLY_BAD_IP));
        return 0;
    }
    const uint8_t *ip = v.ptr;
    size_t payload = get_be16(ip + 4);
    trim(&v, 40, payload ? 40 + payload : 0);
    memcpy(p->from.address, ip + 8, 16);
    memcpy(p->to.address, ip + 24, 16);
    p->ip_id = 0;
    view_advance(&v, 40);
    return on_extensions(t, p, ip[6], v, ip + 8, depth);
}

static int on_ip(struct transport *t, struct packet *p, struct view v, unsigned depth)
{
    if (depth >= NESTING_MAX) {
        packet_count(p, TALLY_BAD_TUNNEL);
        return 0;
    }
    if (v.len == 0) {
        packet_count(p, view_short(&v, TALLY_BAD_IP));
        return 0;
    }
    switch (v.ptr[0] >> 4) {
    case 4:
        return on_ipv4(t, p, v, depth);
    case 6:
        return on_ipv6(t, p, v, depth);
    default:
        packet_count(p, TALLY_BAD_IP);
        return 0;
    }
}

int transport_frame(struct transport *t, int linktype, int64_t ts_ns, const uint8_t *frame,
                    uint32_t caplen, uint32_t len, struct message_batch *batch,
                    struct tally *tally)
{
    struct packet p = {
        .ts_ns = ts_ns,
        .batch = batch,
        .tally = tally,
        .weight = 1,
        .vantage = t->vantage,
        .sensor = t->sensor,
        .exclusion = t->exclusion,
    };
    struct view v = { .ptr = frame, .len = caplen, .missing = len > caplen ? len - caplen : 0 };
    if (v.missing > 1 << 18)
        v.missing = 1 << 18; /* no packet is longer; sequence numbers stay in bounds */
    int cause = link_frame_to_ip(linktype, &v);
    if (cause) {
        packet_count(&p, (enum tally_cause)(cause - 1));
        return 0;
    }
    return on_ip(t, &p, v, 0);
}

/* State. */

void transport_save(const struct transport *t, struct buffer *to)
{
    buffer_varint(to, STATE_VERSION);
    fragment_save(t->fragments, to);
    tcp_save(t->tcp, to);
}

int transport_load(struct transport *t, struct cursor *from, struct fault *why)
{
    fragment_table_clear(t->fragments);
    tcp_table_clear(t->tcp);
    uint64_t version = cursor_varint(from);
    if (version != STATE_VERSION)
        return fault_set(why, from->failed ? E_CORRUPT : E_VERSION,
                         "open packets: unknown version of state");
    int rc = fragment_load(t->fragments, from);
    const char *part = "fragments";
    if (rc == 0) {
        rc = tcp_load(t->tcp, from);
        part = "TCP streams";
    }
    if (rc == 0)
        return 0;
    fragment_table_clear(t->fragments);
    tcp_table_clear(t->tcp);
    return fault_set(why, rc, "open packets: state of %s is damaged", part);
}
