/* refusals: what was asked and not given; counted, and told once for each source and reason.
 *
 * The set of those told is bounded (REFUSALS_TOLD) and begins anew every hour: a scan costs that many lines an hour, and trouble
 * that stays is told again. Value type. One thread.
 */
#ifndef DNSMON_PROTECT_RPZ_REFUSALS_H
#define DNSMON_PROTECT_RPZ_REFUSALS_H

#include "protect/rpz/peer.h"

#define REFUSAL_MAP(XX)                                          \
    XX(ADDRESS, "its address is not listed")                     \
    XX(KEY, "its address must sign, with another key or at all") \
    XX(BADKEY, "signed with a key or algorithm we do not know")  \
    XX(BADSIG, "the signature does not fit")                     \
    XX(BADTIME, "signed at another time than now: clocks differ") \
    XX(MALFORMED, "not a well-formed request")                   \
    XX(TOO_LONG, "a request of more than 4 KiB")                 \
    XX(OPCODE, "an operation that we do not offer")              \
    XX(EDNS, "an EDNS version we do not know")                   \
    XX(ZONE, "a zone that is not ours")                          \
    XX(NO_VERSION, "a zone that has no version yet")             \
    XX(UDP, "a whole zone over UDP")                             \
    XX(PLACE, "no place for one more connection")                \
    XX(SLOW, "took too long")                                    \
    XX(NOTIFY, "does not want to be notified")

enum refusal {
#define XX(name, text) REFUSAL_##name,
    REFUSAL_MAP(XX)
#undef XX
    REFUSALS
};

const char *refusal_text(enum refusal refusal);

enum { REFUSALS_TOLD = 512 };

struct refusals {
    uint64_t n[REFUSALS];
    uint64_t told[REFUSALS_TOLD]; /* hashes of source and reason */
    unsigned n_told;
    int64_t since_s;
};

/* Counts it. True: it is to be told. `now_s` of any clock. */
bool refusals_note(struct refusals *r, const struct sockaddr_storage *source, enum refusal why, int64_t now_s);

#endif
