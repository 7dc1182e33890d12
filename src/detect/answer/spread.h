/* spread: over how many places the answers of a subject are scattered. What a detector of fast flux starts from.
 *
 * Of addresses and name servers first seen in the view's window; counted for the one host that has the most networks, since a domain of
 * many hosts (devices, tenants) has many addresses by nature. Pure; any thread. */
#ifndef DNSMON_DETECT_ANSWER_SPREAD_H
#define DNSMON_DETECT_ANSWER_SPREAD_H

#include "detect/subject.h"

struct spread {
    struct slice host;    /* owner key; len 0: no addresses in the window */
    unsigned addresses;   /* global ones */
    unsigned networks;    /* /16, of IPv6 /32 */
    unsigned days;        /* on which new ones came */
    unsigned ns_domains;  /* different registered domains of the domain's name servers, first seen in the window */
    bool parked, sinkholed; /* by its name servers (lists/parking.list) */
    bool nowhere;         /* addresses are all of this host, private, or unspecified */
    char ns[NAME_TEXT_MAX]; /* the name server domain that told so */
};

void spread_of(const struct subject *s, struct spread *ret);

#endif
