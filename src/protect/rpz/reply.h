/* reply: a DNS message being written into memory of a fixed size: header, question, records, then OPT and TSIG where the request
 * had them, for which room is kept from the start.
 *
 * Owners are compressed against the question alone, which lies at a fixed place: so a message may have any
 * size, and nothing is searched for. Value type; no allocation but the signature's.
 */
#ifndef DNSMON_PROTECT_RPZ_REPLY_H
#define DNSMON_PROTECT_RPZ_REPLY_H

#include "protect/rpz/request.h"
#include "protect/rpz/zone.h"

enum { REPLY_LEAST = 2048 }; /* header, question, OPT and TSIG at their longest take 900 */

/* What all messages of a reply have in common. */
struct reply_head {
    uint16_t id;
    uint16_t flags;       /* QR, opcode, AA, TC, RD */
    uint16_t rcode;       /* 12 bits, with EDNS */
    unsigned has;         /* REQUEST_EDNS, REQUEST_DNSSEC_OK */
    uint8_t question[REQUEST_QUESTION_MAX];
    size_t question_len;  /* 0: none could be read */
    size_t origin_at;     /* where in the question's name the zone's begins; 0: the zone's apex was asked for */
    struct tsig_chain tsig;
    bool is_signed;
};

struct reply_head reply_head(const struct request *request);

struct reply {
    struct reply_head *head;
    uint8_t *bytes;
    size_t len, room;
    uint16_t n[3];
};

/* Memory of at least REPLY_LEAST bytes, whatever `room` says: it bounds the records. */
void reply_begin(struct reply *r, struct reply_head *head, uint8_t *bytes, size_t room);

/* The record's owner is relative to the zone; or it is what the question asks for, whatever the zone has it from ("*."). False when it
 * does not fit: nothing was written. */
bool reply_put(struct reply *r, enum dns_section section, const struct zone_record *record);
bool reply_put_at_question(struct reply *r, enum dns_section section, struct slice rest);

/* The message's length; 0 when it could not be signed. */
size_t reply_end(struct reply *r, int64_t now_s);

#endif
