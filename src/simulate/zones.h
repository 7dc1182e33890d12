/* zones: the registered domains of the simulated world, and what was asked of them.
 *
 * A zone is a name below a public suffix, whether registered or not: who answers for it, since when, until when,
 * and counters for the truth file. Zones are numbered from 0 (the root, which holds what has no registered domain)
 * and never removed; there are as many as distinct domains asked for, about 120 bytes each. Handle-like value:
 * `zones_init`, `zones_release`; a pointer to a zone is valid until the next one is added. One thread.
 */
#ifndef DNSMON_SIMULATE_ZONES_H
#define DNSMON_SIMULATE_ZONES_H

#include "base/arena.h"
#include "dns/name.h"
#include "simulate/naming.h"

/* What it is, for the truth file. */
#define ZONE_KIND_MAP(XX)                                                                                          \
    XX(ROOT, "root") XX(SITE, "site") XX(NEW_SITE, "new_site") XX(LONG_TAIL, "long_tail") XX(SIBLING, "sibling")    \
    XX(CDN, "cdn") XX(AD_TECH, "ad_tech") XX(AD_ROTATING, "ad_rotating") XX(TRACKER, "tracker") XX(VENDOR, "vendor") \
    XX(DEAD_VENDOR, "dead_vendor") XX(IOT_VENDOR, "iot_vendor") XX(TIME, "time") XX(CONNECTIVITY, "connectivity")   \
    XX(REPUTATION, "reputation") XX(DNSBL, "dnsbl") XX(SAAS, "saas") XX(CUSTOMER, "saas_customer")                  \
    XX(DNS_HOSTING, "dns_hosting") XX(MAIL_PEER, "mail_peer") XX(CORPORATE, "corporate") XX(JUNK, "search_junk")    \
    XX(TYPO, "typo") XX(REVERSE, "reverse") XX(LAME, "lame") XX(CAMPAIGN, "campaign")

enum zone_kind {
#define XX(name, text) ZONE_##name,
    ZONE_KIND_MAP(XX)
#undef XX
    ZONE_KINDS
};

/* How its name servers answer (simulate/answer.c). */
enum zone_plan {
    PLAN_SITE,    /* hosts with addresses, some by CNAME at a CDN or a provider */
    PLAN_CDN,     /* several addresses, which change */
    PLAN_FLUX,    /* several addresses in many networks, which change */
    PLAN_POOL,    /* volunteers anywhere */
    PLAN_LISTING, /* 127.0.0.x for some names, NXDOMAIN for others */
    PLAN_VERDICT, /* 127.0.0.x or TXT for all names */
    PLAN_TUNNEL,  /* data in whatever type is asked for */
    PLAN_REVERSE,
    PLAN_LAME,    /* SERVFAIL */
    PLAN_ROOT,    /* nothing is below it */
};

enum zone_flag { ZONE_V6 = 1, ZONE_HTTPS = 2, ZONE_OWN_NS = 4, ZONE_SHARED_HOST = 8 };

#define ZONE_NEVER INT64_MAX

/* Who asked: a few numbers, then a bit for each client. */
struct client_set {
    uint32_t n;
    uint32_t few[3];
    uint64_t *bits;
};

struct zone {
    uint32_t wire_at;    /* its name: zones_wire */
    uint8_t wire_len;
    uint8_t suffix_len;  /* of the public suffix at the name's end, in wire form */
    uint8_t kind;        /* enum zone_kind */
    uint8_t plan;        /* enum zone_plan */
    uint8_t flags;       /* enum zone_flag */
    uint8_t role;        /* enum truth_role */
    uint16_t campaign;   /* when role is not benign */
    uint16_t hosting, hosting_later; /* the network, and that after moved_s */
    uint16_t dns;        /* which DNS hosting company, unless ZONE_OWN_NS */
    uint16_t cdn;        /* 1 + number of the CDN that www and assets are CNAMEs to; 0 = none */
    uint32_t ttl_s;
    uint32_t away;       /* hosts away from the others stand at this number in hosting_later */
    uint32_t anchor;     /* zone that its name servers lie in, or 0 */
    int64_t registered_s, expires_s, moved_s; /* ZONE_NEVER */
    uint64_t queries;
    int64_t first_s;
    struct client_set clients;
};

enum truth_role { ROLE_BENIGN, ROLE_TWIN, ROLE_VICTIM, ROLE_MALICIOUS };

struct zones {
    struct zone *all;
    uint32_t n, capacity;
    uint8_t *names;     /* all wires, one behind the other */
    uint32_t names_len, names_capacity;
    uint32_t *map;      /* 1 + number, by hash of the name; open addressing */
    uint32_t map_mask;
    uint32_t client_words; /* of a set's bits */
    bool failed;        /* no memory for one: what was to be added is the root instead */
};

/* With the root. `clients`: how many there can be. */
int zones_init(struct zones *z, uint32_t clients) MUST_CHECK;
void zones_release(struct zones *z);

static inline const uint8_t *zones_wire(const struct zones *z, const struct zone *zone)
{
    return z->names + zone->wire_at;
}

/* The zone of this name, or 0. */
uint32_t zones_find(const struct zones *z, const char *name);

/* A further zone, or the one that has this name already (*ret_new false). `name` is registered below the public
 * suffix of `suffix_labels` labels. 0 when it is no name, or there is no memory. Fresh zones are benign sites
 * registered for ever. */
uint32_t zones_add(struct zones *z, const char *name, unsigned suffix_labels, bool *ret_new);

/* A further zone with a new made-up name of that manner; `suffix` NULL = any. */
uint32_t zones_make(struct zones *z, struct rng *r, enum naming_manner manner, const char *suffix);

/* The label below the public suffix, as text with NUL. */
void zones_label(const struct zones *z, uint32_t zone, char ret[NAMING_LABEL_MAX + 1]);

/* Counts a client; false when there is no memory. */
bool client_set_add(struct client_set *set, uint32_t client, uint32_t words);

const char *zone_kind_text(enum zone_kind kind);

#endif
