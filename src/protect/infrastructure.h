/* infrastructure: addresses and name servers that published names alone use.
 *
 * A target is what A, AAAA and NS records of published names say. It is infrastructure when, in the last INFRASTRUCTURE_DAYS before `now`,
 *
 *     different registered domains that point at it >= least, and every host that points at it is published
 *
 * as far as the database saw (at a name server: or at one below it, which its trigger has, too): whoever blocks it hits nobody else. A host is published when it is, or a domain at or above it, and no
 * operator's allow is nearer. Of special
 * addresses (RFC 6890: private, loopback, multicast, ...) nothing is said, nor of a target at which more than INFRASTRUCTURE_HOSTS point,
 * which is a hoster's. Reads the store and the publications; writes nothing. Any thread with handles of its own.
 *
 * Cost: a scan of the store for each published name and one for each target: 1 us each where all is in memory (60,000 names at 20,000
 * addresses took 0.07 s), a seek or two where it is not. 16 bytes a name and its text; 300 MB at most for the targets. */
#ifndef DNSMON_PROTECT_INFRASTRUCTURE_H
#define DNSMON_PROTECT_INFRASTRUCTURE_H

#include "knowledge/publication.h"
#include "dns/suffix.h"
#include "store/store.h"

#include <stdatomic.h>

enum {
    INFRASTRUCTURE_DAYS = 7,
    INFRASTRUCTURE_HOSTS = 4096,
    INFRASTRUCTURE_TARGETS = 1 << 20, /* looked at; what is beyond is counted */
    INFRASTRUCTURE_DOMAINS = 64,      /* told apart at one target; more are as many */
};

struct infrastructure {
    enum trigger trigger; /* TRIGGER_ADDRESS or TRIGGER_NAMESERVER */
    const char *text;     /* valid until the sink returns */
    unsigned domains;     /* registered domains that point at it; at most INFRASTRUCTURE_DOMAINS */
    unsigned hosts;
};

typedef int (*infrastructure_sink)(void *ctx, const struct infrastructure *i, struct fault *why);

/* All borrowed. */
struct infrastructure_search {
    struct store *store;
    const struct suffix_list *suffixes;
    struct knowledge *k;
    int64_t now;   /* seconds: which allows hold */
    int64_t until; /* seconds of data time: where the days end */
    unsigned least;
    const atomic_bool *stop; /* ends it once it is true; NULL = nobody does */
    bool known;    /* looks only at what is published as infrastructure already, which costs little */
};

/* Each once, in no order that means something; *ret_skipped: targets beyond the limit. 1: it was stopped. */
int infrastructure_find(const struct infrastructure_search *search, infrastructure_sink sink, void *ctx, uint64_t *ret_skipped,
                        struct fault *why) MUST_CHECK;

#endif
