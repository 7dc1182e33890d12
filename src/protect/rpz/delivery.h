/* delivery: what a secondary was given, for who keeps account of it. Texts and the zone are lent for the call. */
#ifndef DNSMON_PROTECT_RPZ_DELIVERY_H
#define DNSMON_PROTECT_RPZ_DELIVERY_H

#include "protect/rpz/zone.h"

enum delivery_kind { DELIVERY_SOA, DELIVERY_AXFR, DELIVERY_IXFR, DELIVERY_NOTIFY, DELIVERY_KINDS };

enum delivery_outcome {
    OUTCOME_DONE,      /* the whole answer was handed to the network; NOTIFY: it was answered */
    OUTCOME_CURRENT,   /* IXFR: it has the newest already */
    OUTCOME_WHOLE,     /* IXFR: done, with all of the zone, since the version it has is not known */
    OUTCOME_USE_TCP,   /* IXFR over UDP: does not fit */
    OUTCOME_CUT,       /* the connection ended before the transfer did */
    OUTCOME_SLOW,      /* it was ended by us: too slow */
    OUTCOME_UNWANTED,  /* NOTIFY: answered with an error */
    OUTCOMES,
};

struct delivery {
    enum delivery_kind kind;
    enum delivery_outcome outcome;
    const char *secondary; /* its address */
    const struct zone *zone;
    uint32_t serial;       /* what was given or told of */
    bool had_one;
    uint32_t had;          /* IXFR: what it has by its own word */
    uint64_t records;
    uint64_t bytes;
    int64_t ms;
};

const char *delivery_kind_text(enum delivery_kind kind);
const char *delivery_outcome_text(enum delivery_outcome outcome);

#endif
