/* wire_builder: a DNS message in wire form, made from the fields of a log.
 *
 * Logs speak of names, types and rdata as text; everything after the reader wants
 * wire bytes. One builder writes one message at a time into its own 64 KiB, with
 * uncompressed names. Call order: `wire_begin`, `wire_question`, `wire_record` for
 * the sections in rising order; then `bytes` and `len` are the message.
 *
 * A call that fails leaves the message as it was before it, so that one odd record
 * does not cost the others. A record whose type we cannot write from text, or whose
 * text says less than the rdata holds (the exchange of an MX without its
 * preference), is left out and counted in `left_out` (RECORD_LEFT_OUT of the tally): nothing is made up.
 *
 * Names: labels separated by dots, a final dot or none, "" and "." are the root.
 * Escapes are \DDD (decimal), \xHH (Zeek, Suricata) and \c for c itself; any other
 * byte stands for itself, so raw bytes of a JSON string are fine.
 *
 * Value type of about 64 KiB: keep it in a reader's state, not on the stack.
 */
#ifndef DNSMON_INPUT_WIRE_BUILDER_H
#define DNSMON_INPUT_WIRE_BUILDER_H

#include "base/bytes.h"
#include "base/fault.h"

enum {
    WIRE_MAX = 65535,
    WIRE_HEADER = 12,
    WIRE_NAME_MAX = 255,
};

/* Every type that has a name: logs name what was asked for. Few of them have rdata that can be
 * written from text. */
#define WIRE_TYPE_MAP(XX)                                                                  \
    XX(A, 1) XX(NS, 2) XX(MD, 3) XX(MF, 4) XX(CNAME, 5) XX(SOA, 6) XX(MB, 7) XX(MG, 8)     \
    XX(MR, 9) XX(NULL, 10) XX(WKS, 11) XX(PTR, 12) XX(HINFO, 13) XX(MINFO, 14) XX(MX, 15)  \
    XX(TXT, 16) XX(RP, 17) XX(AFSDB, 18) XX(X25, 19) XX(ISDN, 20) XX(RT, 21) XX(NSAP, 22)  \
    XX(NSAPPTR, 23) XX(SIG, 24) XX(KEY, 25) XX(PX, 26) XX(GPOS, 27) XX(AAAA, 28)           \
    XX(LOC, 29) XX(NXT, 30) XX(EID, 31) XX(NIMLOC, 32) XX(SRV, 33) XX(ATMA, 34)            \
    XX(NAPTR, 35) XX(KX, 36) XX(CERT, 37) XX(A6, 38) XX(DNAME, 39) XX(SINK, 40)            \
    XX(OPT, 41) XX(APL, 42) XX(DS, 43) XX(SSHFP, 44) XX(IPSECKEY, 45) XX(RRSIG, 46)        \
    XX(NSEC, 47) XX(DNSKEY, 48) XX(DHCID, 49) XX(NSEC3, 50) XX(NSEC3PARAM, 51)             \
    XX(TLSA, 52) XX(SMIMEA, 53) XX(HIP, 55) XX(NINFO, 56) XX(RKEY, 57) XX(TALINK, 58)      \
    XX(CDS, 59) XX(CDNSKEY, 60) XX(OPENPGPKEY, 61) XX(CSYNC, 62) XX(ZONEMD, 63)            \
    XX(SVCB, 64) XX(HTTPS, 65) XX(SPF, 99) XX(UINFO, 100) XX(UID, 101) XX(GID, 102)        \
    XX(UNSPEC, 103) XX(NID, 104) XX(L32, 105) XX(L64, 106) XX(LP, 107) XX(EUI48, 108)      \
    XX(EUI64, 109) XX(TKEY, 249) XX(TSIG, 250) XX(IXFR, 251) XX(AXFR, 252) XX(MAILB, 253)  \
    XX(MAILA, 254) XX(ANY, 255) XX(URI, 256) XX(CAA, 257) XX(AVC, 258) XX(DOA, 259)        \
    XX(AMTRELAY, 260) XX(TA, 32768) XX(DLV, 32769)

enum wire_type {
#define XX(name, number) WIRE_##name = number,
    WIRE_TYPE_MAP(XX)
#undef XX
};

enum wire_section { WIRE_QUESTION, WIRE_ANSWER, WIRE_AUTHORITY, WIRE_ADDITIONAL };

enum wire_flag {
    WIRE_QR = 0x8000,
    WIRE_AA = 0x0400,
    WIRE_TC = 0x0200,
    WIRE_RD = 0x0100,
    WIRE_RA = 0x0080,
};

struct wire_builder {
    uint32_t len;
    uint32_t left_out; /* records of this message that are not in it */
    uint16_t counts[4];
    uint8_t bytes[WIRE_MAX];
};

/* `flags` is the second word of the header (RFC 1035, 4.1.1), rcode included. */
void wire_begin(struct wire_builder *w, uint16_t id, uint16_t flags);

/* E_MALFORMED for text that is not a name. */
int wire_question(struct wire_builder *w, struct slice name, uint16_t type,
                  uint16_t class) MUST_CHECK;

/* Class IN. E_UNSUPPORTED: type left out. E_MALFORMED: text that does not parse.
 * E_LIMIT: the message is full. All three count in left_out. */
int wire_record(struct wire_builder *w, enum wire_section section, struct slice owner,
                uint16_t type, uint32_t ttl, struct slice text);

/* The same with rdata in wire form. */
int wire_record_bytes(struct wire_builder *w, enum wire_section section, struct slice owner,
                      uint16_t type, uint32_t ttl, struct slice rdata);

/* Presentation text to wire form: its length, or 0 for text that is not a name. */
size_t wire_name(struct slice text, uint8_t ret[WIRE_NAME_MAX]);

/* "AAAA", "TYPE65", "65", and old Suricata's "0041/65"; 0 (reserved) when unknown. Case does
 * not matter. */
uint16_t wire_type_number(struct slice text);

/* "NXDOMAIN", "RCODE23" or a number; -1 when unknown. */
int wire_rcode_number(struct slice text);

static inline struct slice slice_of(const char *text)
{
    return (struct slice){ (const uint8_t *)text, strlen(text) };
}

#endif
