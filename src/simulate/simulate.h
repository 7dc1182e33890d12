/* simulate: the traffic of a made-up network, as a capture at the client side of its resolver.
 *
 * A scenario says how large the network is, what it does, and which campaigns are in it; docs/scenarios.md explains
 * each number, docs/design/simulate.md the world. `simulate` runs it from start to end and hands out a capture (capture.h)
 * in strict order of time, then the truth. The same scenario and seed give the same
 * bytes. Memory grows with clients and distinct names, not with time. One run at a time in a process; one thread.
 */
#ifndef DNSMON_SIMULATE_SIMULATE_H
#define DNSMON_SIMULATE_SIMULATE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAMPAIGN_KIND_MAP(XX)                                                                                      \
    XX(WORKED_EXAMPLE, "worked_example") XX(BEACON, "beacon") XX(IOT_BOTNET, "iot_botnet")                          \
    XX(PHISHING_WAVE, "phishing_wave") XX(LOOK_ALIKE, "look_alike") XX(SHADOWED_HOSTS, "shadowed_hosts")            \
    XX(DGA, "dga") XX(FAST_FLUX, "fast_flux") XX(TUNNEL, "tunnel") XX(RANDOM_SUBDOMAIN, "random_subdomain")

enum campaign_kind {
#define XX(name, text) CAMPAIGN_##name,
    CAMPAIGN_KIND_MAP(XX)
#undef XX
    CAMPAIGN_KINDS
};

enum {
    SCENARIO_CAMPAIGNS_MAX = 64,
    SCENARIO_CLIENTS_MAX = 200000,
    SCENARIO_DAYS_MAX = 3660,
    SCENARIO_ID_MAX = 31,
};

struct scenario_campaign {
    enum campaign_kind kind;
    char id[SCENARIO_ID_MAX + 1];
    char suffix[32];     /* public suffix of its names, "" = drawn for each */
    uint32_t clients;
    uint32_t domains;    /* how many names: of dga a day */
    uint32_t unregistered; /* how many of them nobody has registered */
    double period_s;     /* between two rounds of a client; of visits, unused */
    double jitter;       /* 0.2: each period between 0.8 and 1.2 of it */
    double day;          /* begins so many days after the start */
    double days;         /* lasts so long; 0 = to the end */
    bool twin;
    bool words;          /* dga: out of words instead of letters */
};

struct scenario {
    uint64_t seed;
    uint32_t clients;
    double days;
    int64_t start_s;
    int32_t utc_offset_min;
    bool resolver_cache;
    double activity;     /* how much people do; 1 = about 300 transactions a client and day */
    double loss;         /* share of queries without an answer */
    struct scenario_shares {
        double iot, server, mail, translator; /* of the clients; the others are people's computers and telephones */
        double churn;                         /* of people's devices that come or go during the run */
    } shares;
    struct scenario_mix {
        uint32_t sites;       /* that have a place in the ranking */
        uint32_t vendors;     /* of software that calls home */
        uint32_t iot_vendors;
        uint32_t ad_networks; /* with domains that rotate */
        double long_tail;     /* sites never seen before that a person meets in a day */
        double junk;          /* names that cannot exist; 1 = as usual */
    } mix;
    struct scenario_campaign campaigns[SCENARIO_CAMPAIGNS_MAX];
    unsigned n_campaigns;
};

void scenario_defaults(struct scenario *s);
/* What a campaign of this kind is when nothing more is said. */
void scenario_campaign_defaults(struct scenario_campaign *c, enum campaign_kind kind);
/* E_USAGE when a number is outside of what can be simulated. */
int scenario_check(const struct scenario *s, struct fault *why) MUST_CHECK;

const char *campaign_kind_text(enum campaign_kind kind);

/* Takes the next bytes; not 0 ends the run. */
struct sink {
    int (*write)(void *ctx, const void *bytes, size_t len, struct fault *why);
    void *ctx;
};

struct simulate_counts {
    uint64_t queries, responses, bytes;
    uint64_t domains; /* registered domains asked for */
};

enum capture_form { CAPTURE_PCAP, CAPTURE_DNSTAP };

/* `truth` gets its lines at the end; write NULL = none. */
int simulate(const struct scenario *s, enum capture_form form, const struct sink *capture, const struct sink *truth,
             struct simulate_counts *ret, struct fault *why) MUST_CHECK;

#endif
