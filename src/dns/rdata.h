/* rdata: where names stand inside record data.
 *
 * One table says for each type that embeds names how its rdata is laid out; it serves
 * decoding (names are decompressed and lower-cased) and the inverse key (names first).
 * Only the types of RFC 3597, section 4, may be compressed; others that hold names are
 * lower-cased as RFC 4034, 6.2, lists them. The target of SVCB and HTTPS is in neither list: it is
 * lower-cased all the same, since a name is one whatever its case. Pure; any thread.
 */
#ifndef DNSMON_DNS_RDATA_H
#define DNSMON_DNS_RDATA_H

#include "base/bytes.h"

enum dns_type {
    TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_NULL = 10, TYPE_PTR = 12,
    TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_DNAME = 39, TYPE_OPT = 41,
    TYPE_RRSIG = 46, TYPE_NSEC = 47, TYPE_SVCB = 64, TYPE_HTTPS = 65, TYPE_TSIG = 250, TYPE_IXFR = 251, TYPE_AXFR = 252,
    TYPE_ANY = 255,
};

enum { RDATA_NAMES_MAX = 2 };

/* `lead` bytes, then `names` names, then the rest. names 0: no names inside. Rdata of another form is
 * damage to the message where names may be compressed, and just bytes where they may not. */
struct rdata_layout {
    uint8_t lead;
    uint8_t names;
    bool compressible;
};

enum { RDATA_LAYOUTS = 66 };
extern const struct rdata_layout rdata_layouts[RDATA_LAYOUTS];

static inline struct rdata_layout rdata_layout(uint16_t type)
{
    return type < RDATA_LAYOUTS ? rdata_layouts[type] : (struct rdata_layout){ 0, 0, false };
}

/* In how many ways a type's rdata is searchable: one for each name, and one without names. */
static inline unsigned rdata_turns(uint16_t type)
{
    unsigned names = rdata_layout(type).names;
    return names ? names : 1;
}

/* The searchable form of rdata (docs/format/records.md, inverse) appended at `to`, which has
 * room for len + NAME_KEY_MAX * 2 bytes. Name `turn` stands first, the others behind it in their order.
 * Returns its length, 0 when rdata is not of the type's layout or turn > 0 has the same name as turn 0
 * (then the inverse key does not exist). */
size_t rdata_searchable(uint16_t type, unsigned turn, const uint8_t *rdata, size_t len, uint8_t *to);

/* Back: from the searchable form with the original length `rdlength`. `*ret_used` is how much
 * of `from` it took: the rest is the owner. Returns the rdata's length, 0 when malformed. */
size_t rdata_from_searchable(uint16_t type, unsigned turn, const uint8_t *from, size_t len, size_t rdlength,
                             uint8_t *rdata, size_t *ret_used);

/* The addresses that SVCB and HTTPS rdata in ServiceMode hints at (RFC 9460, 7.3): the first RDATA_HINTS different ones,
 * in their order, as views of 4 or 16 bytes. Returns how many; 0 when rdata is not of that form. */
enum { RDATA_HINTS = 8 };
unsigned rdata_hints(uint16_t type, struct slice rdata, struct slice ret[RDATA_HINTS]);

static inline bool rdata_may_hint(uint16_t type)
{
    return type == TYPE_SVCB || type == TYPE_HTTPS;
}

#endif
