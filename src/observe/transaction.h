/* transaction: a question with its response, or without one, or a response without a question: what an
 * activity record needs of it (docs/design/activity.md).
 *
 * Told once, when the response comes or the question is given up. What the source did not say is not
 * known here either, which is never the same as zero of something or as another class.
 */
#ifndef DNSMON_OBSERVE_TRANSACTION_H
#define DNSMON_OBSERVE_TRANSACTION_H

#include "base/bytes.h"
#include "record/activity.h"

struct transaction {
    struct slice qname;     /* wire form, lower-case; len 0 for a response without question section */
    struct slice owner;     /* its owner key where that is made already, else len 0 */
    int64_t asked_ns;       /* when it was asked; a stray response's own time */
    uint64_t client;        /* id, where client_known */
    uint16_t qtype;         /* 0 = not known */
    uint16_t query_bytes;   /* 0 = not known, or none */
    uint16_t response_bytes;
    uint8_t outcome;        /* enum activity_counter, ACTIVITY_NOERROR to ACTIVITY_OTHER_RCODE; ACTIVITY_COUNTERS = none */
    bool answered;          /* a response that belongs to a question */
    bool stray;             /* a response that belongs to none; neither: not answered in time */
    bool client_known;      /* never upstream: who asks there is a resolver */
    bool upstream;
    bool multicast;         /* multicast DNS, which has no servers and seldom pairs */
};

#endif
