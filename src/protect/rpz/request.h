/* request: a DNS message that asks something of us, as parsed from hostile bytes (RFC 1035, 4; IXFR: RFC 1995, 3; EDNS: RFC 6891;
 * TSIG: RFC 8945). Value; its slices are the message's. Pure function; no allocation; any thread.
 */
#ifndef DNSMON_PROTECT_RPZ_REQUEST_H
#define DNSMON_PROTECT_RPZ_REQUEST_H

#include "dns/decode.h"
#include "protect/rpz/tsig.h"

enum {
    REQUEST_HEADER = 12,
    REQUEST_QUESTION_MAX = NAME_WIRE_MAX + 4,
    REQUEST_SIGNED = 1 << 0,
    REQUEST_EDNS = 1 << 1,
    REQUEST_DNSSEC_OK = 1 << 2,
    REQUEST_HAS_SERIAL = 1 << 3,
    REQUEST_IS_REPLY = 1 << 4, /* QR */
};

struct request {
    uint16_t id;
    uint8_t opcode;
    uint8_t rcode;                 /* of a reply */
    bool recursion_desired;
    unsigned has;                  /* REQUEST_* */
    struct slice question;         /* as it came; empty when none could be read */
    uint8_t name[NAME_WIRE_MAX];   /* of the question, lower case */
    size_t name_len;
    uint16_t type, class;
    uint32_t serial;               /* IXFR: what the asker has */
    uint8_t edns_version;
    uint16_t udp_room;             /* how much a reply over UDP may be; 512 without EDNS */
    struct tsig_record tsig;
};

/* 0; E_TRUNCATED: no header, nothing to reply to; E_MALFORMED: id, opcode and, if it was readable, the question are filled in for
 * the reply, and nothing else. */
int request_parse(struct request *ret, const uint8_t *message, size_t len);

#endif
