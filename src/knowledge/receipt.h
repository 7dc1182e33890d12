/* receipt: what secondaries took of zones, and what they were told: protection that is measured, not assumed.
 *
 * The newest RECEIPTS_KEPT of a secondary, zone and kind stay, and RECEIPTS_MAX of all: an address that asks all day washes
 * nobody else's away.
 */
#ifndef DNSMON_KNOWLEDGE_RECEIPT_H
#define DNSMON_KNOWLEDGE_RECEIPT_H

#include "knowledge/knowledge.h"

enum { RECEIPTS_KEPT = 100, RECEIPTS_MAX = 100000 };

enum receipt_kind { RECEIPT_SOA, RECEIPT_AXFR, RECEIPT_IXFR, RECEIPT_NOTIFY, RECEIPT_KINDS };
const char *receipt_kind_text(enum receipt_kind kind);

struct receipt {
    int64_t id;            /* given here */
    int64_t at;            /* seconds, wall clock */
    const char *secondary; /* its address */
    const char *zone;      /* in the form of names */
    uint32_t serial;       /* that it was given or told */
    enum receipt_kind kind;
    int64_t records, bytes, ms; /* of a transfer; 0 of the others */
    const char *outcome;   /* "" = all went well; else what happened */
};

typedef int (*receipt_sink)(void *ctx, const struct receipt *r, struct fault *why);

int receipt_add(struct knowledge *k, const struct receipt *r, struct fault *why) MUST_CHECK;

/* All of a secondary and zone ("" = of any), by id. Of each secondary and zone the last that went well and carried the zone or said that it is
 * up to date (all kinds but NOTIFY): the serial that it holds, by secondary and zone. */
int receipt_each(struct knowledge *k, const char *secondary, const char *zone, receipt_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int receipt_latest(struct knowledge *k, receipt_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
