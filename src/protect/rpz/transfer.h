/* transfer: a walk through a zone as the messages of a reply (RFC 5936, RFC 1995). Holds one record and no copy of the zone.
 * Value type, but linked to its zone while open: do not move it.
 */
#ifndef DNSMON_PROTECT_RPZ_TRANSFER_H
#define DNSMON_PROTECT_RPZ_TRANSFER_H

#include "protect/rpz/reply.h"

enum {
    /* Small enough for every client's buffer, large enough that headers and signatures do not count. */
    TRANSFER_MESSAGE_MAX = 16 << 10,
};

struct transfer {
    struct zone_walk walk; /* its zone is NULL when none is open */
    struct reply_head head;
    struct zone_record next;
    bool more;             /* `next` waits for a message */
    uint64_t records;
    uint64_t bytes;        /* of messages */
};

/* The walk is open. */
void transfer_begin(struct transfer *t, const struct reply_head *head);

/* The next message, into `room` of at least 2 KiB. Returns its length, 0 when all was told; -1 when it could not be signed. */
int transfer_message(struct transfer *t, uint8_t *to, size_t room, int64_t now_s);

void transfer_end(struct transfer *t);

#endif
