/* decode: one DNS message from wire to names and records (RFC 1035, 4.1).
 *
 * The hot path. Names come out as keys, record data canonical: embedded names
 * decompressed and lower-cased (RFC 4034, 6.2). Names are cached by their offset in the
 * message, since most owners are pointers to a name already read. A message is taken
 * whole or not at all: damage anywhere gives a cause and no records, except that a message
 * known to be cut (snaplen, TC) keeps the records that are complete.
 *
 * A compression pointer must point backwards, to before the name it stands in, and one that follows
 * it to before that target (as BIND asks; libknot: to before itself); that bounds every walk. Memory
 * is the decoder's, reused; nothing is allocated in a steady state. One decoder, one thread; results
 * live until the next call.
 */
#ifndef DNSMON_DNS_DECODE_H
#define DNSMON_DNS_DECODE_H

#include "base/buffer.h"
#include "base/tally.h"
#include "dns/name.h"
#include "dns/rdata.h"

enum dns_section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL };
enum { DNS_QR = 0x8000, DNS_OPCODE = 0x7800, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080, DNS_RCODE = 0x000f };
enum {
    RCODE_NOERROR = 0, RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4, RCODE_REFUSED = 5,
    RCODE_NOTAUTH = 9, RCODE_BADVERS = 16,
};
enum { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4 };
enum { CLASS_IN = 1, CLASS_ANY = 255 };

struct dns_rr {
    const uint8_t *owner; /* owner key */
    uint32_t rdata_at;    /* in decoder->rdata */
    uint32_t ttl;
    uint16_t owner_len;
    uint16_t rdata_len;
    uint16_t type;
    uint16_t class;
    uint8_t section; /* enum dns_section */
};

enum { DNS_NAME_CACHE = 16 };

struct dns_cached_name {
    uint16_t offset;
    uint8_t wire_len;
    uint16_t key_len; /* 0: not made yet */
    uint8_t wire[NAME_WIRE_MAX + NAME_PADDING];
    uint8_t key[NAME_KEY_MAX + NAME_PADDING];
};

struct dns_decoder {
    uint16_t id, flags;
    uint16_t questions;
    uint16_t qtype, qclass;
    bool trailing;         /* bytes behind the last record */
    const uint8_t *qname;  /* owner key, once dns_qname made it */
    uint16_t qname_len;
    unsigned n_rrs;
    struct dns_rr *rrs;
    struct buffer rdata;

    struct dns_cached_name *question; /* the first one's name, NULL without */

    unsigned rr_capacity;
    unsigned n_names;
    struct dns_cached_name names[DNS_NAME_CACHE];
    struct dns_cached_name root;
    struct buffer keys;    /* owners that found no place in the cache */
    const uint8_t *wire;
    size_t len;
};

void dns_decoder_init(struct dns_decoder *d);
void dns_decoder_release(struct dns_decoder *d);

/* TALLY_CAUSES when all is well, else the cause. The header fields are set whenever there are
 * twelve bytes. `cut` allows the message to end early. */
enum tally_cause dns_decode(struct dns_decoder *d, const uint8_t *wire, size_t len, bool cut);

/* Makes `qname` of the question, when it is not there yet: of most queries the wire form is
 * enough. False when there is no question. */
bool dns_qname(struct dns_decoder *d);

static inline struct slice dns_rr_rdata(const struct dns_decoder *d, const struct dns_rr *rr)
{
    return (struct slice){ d->rdata.ptr + rr->rdata_at, rr->rdata_len };
}

#endif
