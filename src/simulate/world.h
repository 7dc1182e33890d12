/* world: everything there is in a run; shared by the files of this folder.
 *
 *     network.c   the names that exist: sites, vendors, CDNs, providers
 *     client.c    who asks, and when people are awake
 *     habit.c     what clients do: a step function for each kind of process
 *     campaign.c  the malicious and their twins
 *     answer.c    what the resolver says
 *     run.c       events in order of time: ask, send, answer
 *
 * A process is something that acts again and again for one client: its step asks for names and says when it acts
 * next. Times are nanoseconds since 1970 inside events and seconds elsewhere.
 */
#ifndef DNSMON_SIMULATE_WORLD_H
#define DNSMON_SIMULATE_WORLD_H

#include "dns/rdata.h"
#include "simulate/capture.h"
#include "simulate/heap.h"
#include "simulate/simulate.h"
#include "simulate/zones.h"

#define NS_PER_S INT64_C(1000000000)
enum { DAY_S = 86400, HOUR_S = 3600 };

/* ---- names asked for ---- */

/* How the labels in front of a zone's name come from `label`. */
enum label_style {
    LABEL_NONE,     /* the zone's own name */
    LABEL_TEXT,     /* number in world.texts */
    LABEL_NUMBERED, /* low half: number in world.texts; high half: a number appended to it */
    LABEL_HEX,      /* 32 hexadecimal digits and a short one: a file's digest */
    LABEL_LETTERS,  /* 7 to 15 letters */
    LABEL_WORDS,    /* a made-up label */
    LABEL_ADDRESS,  /* an IPv4 address, last byte first */
    LABEL_REVERSE,  /* the same without the first byte, which the zone has */
    LABEL_DATA,     /* long labels full of data */
    LABEL_SHORT_DATA, /* one label of some 24 characters */
    LABEL_CUSTOMER, /* low half: number in world.texts; high half: zone whose label stands in front */
    LABEL_OTHER,    /* low half: zone whose whole name but its last label stands in front; high half: text before it */
};

enum target_flag { TARGET_ABSENT = 1, TARGET_AWAY = 2 }; /* no such host; away from the zone's other hosts */

struct target {
    uint64_t label;
    uint32_t zone;
    uint16_t watch; /* 1 + number in world.watches; 0 = none */
    uint8_t style;  /* enum label_style */
    uint8_t flags;  /* enum target_flag */
};

/* A host that the truth file tells of beside its domain. */
struct watch {
    struct target target;
    uint8_t role;
    uint16_t campaign;
    uint64_t queries;
    int64_t first_s;
    struct client_set clients;
};

/* ---- clients ---- */

enum client_role { CLIENT_PERSON, CLIENT_IOT, CLIENT_SERVER, CLIENT_MAIL, CLIENT_TRANSLATOR, CLIENT_ROLES };
enum client_flag {
    CLIENT_AAAA = 1, CLIENT_HTTPS = 2, CLIENT_SEARCHES = 4, CLIENT_REPUTATION = 8, CLIENT_ALWAYS_ON = 16,
    CLIENT_WINDOWS = 32, CLIENT_PROBES = 64,
};
enum { FAVOURITES = 12, RECENT = 6 };

struct cached {
    uint32_t tag;
    uint32_t until_s; /* after the start */
};

struct client {
    uint32_t address;
    uint8_t role, flags, curve;
    int8_t offset_h;    /* of its person from the network's clock */
    uint16_t company;
    float level;        /* sessions a day */
    int64_t from_s, to_s;
    struct rng rng;     /* of its network: ports, losses, delays */
    struct cached *cache;
    uint32_t cache_mask; /* 0 = none */
    uint32_t favourites[FAVOURITES]; /* sites */
    uint32_t recent[RECENT];         /* zones of the long tail */
    uint32_t window;                 /* next of recent */
};

/* ---- things that act ---- */

struct process {
    uint8_t kind;      /* enum process_kind */
    uint32_t client;
    uint32_t a, b;     /* as the kind has them */
    struct rng rng;
};

#define PROCESS_MAP(XX)                                                                                            \
    XX(SURF) XX(VENDOR) XX(MAIL) XX(SERVICE) XX(CRAWL) XX(JUNK) XX(CORPORATE)                                       \
    XX(PROGRAM) XX(VISITS) XX(DGA)

enum process_kind {
#define XX(name) PROCESS_##name,
    PROCESS_MAP(XX)
#undef XX
    PROCESS_KINDS
};

struct site {
    uint32_t zone;
    uint32_t sibling;   /* zone of its assets, or 0 */
    uint32_t traits;    /* hash: which assets, which third parties */
    uint8_t assets, thirds;
    bool apex;          /* asked for without www */
    int64_t launched_s;
};

/* Software that calls home. */
struct vendor {
    uint32_t zones[3];  /* asked in turn over the run: a vendor that renames */
    uint8_t n_zones, n_hosts;
    uint16_t hosts[3];  /* number in world.texts */
    uint32_t period_s;
    float jitter;
    float share;        /* of the clients it is for */
    uint8_t role;       /* enum client_role */
    bool plain;         /* asks for A alone */
    int64_t launched_s; /* nobody has it before */
};

struct ad_network {
    uint32_t *rotating; /* a zone for each turn; 0 = not made yet */
    uint32_t turns, turn_s;
};

struct provider { uint32_t zone; uint16_t text; };

/* ---- campaigns ---- */

struct aim {
    struct target target;
    int64_t from_s, to_s;
    uint16_t qtype;   /* 0 = addresses */
    bool fresh;       /* a new label each time */
};

enum program_mode { PROGRAM_ALL, PROGRAM_FAIL_OVER };

struct program {
    uint8_t mode;     /* enum program_mode */
    bool outages;     /* now and then all of its clients stop and begin anew together */
    uint16_t visits;  /* of a person */
    int64_t from_s, to_s;
    double period_s, jitter;
    uint32_t first_aim, n_aims;
    uint32_t names_a_day; /* dga: so many aims, then those of the next day */
};

/* ---- all ---- */

enum {
    NETWORKS = 96, CDNS = 6, DNS_COMPANIES = 24, PROVIDERS = 14, CORPORATES = 6, THIRDS = 80, LISTINGS = 4, REPUTATIONS = 3,
    TEXTS_MAX = 4096, LONG_TAIL_SHARED = 256, RESOLVER_CACHE = 1 << 17, NOBODY = UINT32_MAX,
};

struct pending {
    struct target target;
    uint32_t client;
    uint32_t next_free;
    uint16_t id, port, qtype;
    uint8_t types;   /* of enum ask_type, still to ask; 0: an answer is under way */
    uint8_t tries;
    bool follows;    /* after a search suffix */
};

enum ask_type { ASK_A = 1, ASK_AAAA = 2, ASK_HTTPS = 4, ASK_OTHER = 8 };

struct resolver_entry { uint64_t tag; int64_t from_s; int64_t until_s; };

struct world {
    const struct scenario *scenario;
    int64_t start_s, end_s;
    struct zones zones;
    struct rng naming;   /* of names made on the way */

    char *texts[TEXTS_MAX];
    uint32_t n_texts;
    uint16_t text_none, text_www, text_edge, text_far_edge, text_dmarc, text_mta_sts;

    struct site *sites;
    double *site_weights;  /* sums of weights up to each */
    uint32_t n_sites;
    uint32_t *sites_new;   /* launched during the run */
    uint32_t n_sites_new;
    struct vendor *vendors;
    uint32_t n_vendors;
    struct ad_network *ads;
    uint32_t n_ads;
    uint32_t cdns[CDNS], dns[DNS_COMPANIES], corporates[CORPORATES], thirds[THIRDS], listings[LISTINGS],
        reputations[REPUTATIONS];
    struct provider providers[PROVIDERS];
    uint8_t networks[NETWORKS][2]; /* /16 */
    uint32_t tail[LONG_TAIL_SHARED];
    uint32_t tail_next;

    struct client *clients;
    uint32_t n_clients;
    struct cached *caches;

    struct process *processes;
    uint32_t n_processes, processes_capacity;

    struct program *programs;
    uint32_t n_programs;
    struct aim *aims;
    uint32_t n_aims, aims_capacity;
    struct watch *watches;
    uint32_t n_watches, watches_capacity;

    struct heap heap;
    struct pending *pending;
    uint32_t n_pending, pending_capacity, pending_free;
    struct resolver_entry *resolver;

    struct capture capture;
    struct simulate_counts counts;
    int rc;              /* the first failure; nothing more happens then */
    struct fault *why;
};

/* Remembers the first failure. */
void world_fail(struct world *w, int rc, const char *what);

/* Number of a label's text, interned. */
uint16_t world_text(struct world *w, const char *text);

static inline struct zone *world_zone(const struct world *w, uint32_t zone)
{
    return &w->zones.all[zone];
}

static inline struct target target_of(uint32_t zone, enum label_style style, uint64_t label)
{
    return (struct target){ .zone = zone, .style = (uint8_t)style, .label = label };
}

static inline struct target target_text(struct world *w, uint32_t zone, const char *text)
{
    return target_of(zone, LABEL_TEXT, world_text(w, text));
}

/* network.c: the names that exist at the start, and those made on the way. */
int network_make(struct world *w) MUST_CHECK;
void network_release(struct world *w);
uint32_t network_site_by_rank(const struct world *w, struct rng *r, int64_t now_s);
/* A zone of small hosting and usual traits; registered before `now_s`. */
uint32_t network_small_zone(struct world *w, struct rng *r, enum zone_kind kind, int64_t registered_s);
uint32_t network_long_tail(struct world *w, struct rng *r, int64_t now_s);
uint32_t network_typo(struct world *w, struct rng *r, uint32_t zone, int64_t now_s);
uint32_t network_rotating(struct world *w, uint32_t ad, int64_t now_s);
/* The zone that holds `zone`'s name with `last` appended ("example.com" and "lan": com.lan). */
uint32_t network_junk(struct world *w, uint32_t zone, const char *last);
uint32_t network_reverse(struct world *w, uint8_t first_byte);

/* client.c */
int clients_make(struct world *w) MUST_CHECK;
void clients_release(struct world *w);
/* 0 to 1: how awake the client's person is. */
double client_awake(const struct world *w, const struct client *c, int64_t now_s);
bool client_is_on(const struct world *w, const struct client *c, int64_t now_s);
struct process *process_add(struct world *w, enum process_kind kind, uint32_t client, struct rng rng, int64_t first_s);

/* habit.c: each returns when it acts next, 0 = never again. */
typedef int64_t process_step(struct world *w, struct process *p, int64_t now_ns);
#define XX(name) process_step step_##name;
PROCESS_MAP(XX)
#undef XX
int64_t in_seconds(int64_t now_ns, double seconds);
/* A page is looked at. */
void visit_zone(struct world *w, struct process *p, int64_t now_ns, struct target page);

/* campaign.c */
int campaigns_make(struct world *w) MUST_CHECK;
void campaigns_release(struct world *w);

/* answer.c: the response to a question into `to` (of ANSWER_MAX bytes). */
enum { ANSWER_MAX = 1024 };
struct answer {
    size_t len;
    uint8_t rcode;
    uint32_t ttl_s; /* the smallest; what a cache keeps it for */
};
size_t target_wire(const struct world *w, const struct target *t, uint8_t wire[NAME_WIRE_MAX]);
size_t question_write(const struct world *w, const struct target *t, uint16_t qtype, uint16_t id, uint8_t *to);
/* `age_s`: for how long the resolver has had it; nothing of a zone is given beyond its TTL. */
void answer_write(struct world *w, const struct target *t, uint16_t qtype, uint16_t id, int64_t now_s, uint32_t age_s,
                  struct answer *ret, uint8_t *to);

/* run.c */
void ask(struct world *w, uint32_t client, int64_t at_ns, struct target target);
void ask_type(struct world *w, uint32_t client, int64_t at_ns, struct target target, uint16_t qtype);
void ask_plain(struct world *w, uint32_t client, int64_t at_ns, struct target target);
int world_run(struct world *w) MUST_CHECK;

/* truth.c */
int truth_write(struct world *w, const struct sink *sink) MUST_CHECK;

#endif
