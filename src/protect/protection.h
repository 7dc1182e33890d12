/* protection: what an operator wants of it: what is approved by itself, what is shown where and as what, who may have it.
 *
 * Plain values; whoever reads the configuration fills them in (cmd/protect_config.h) and hands them around as const. All texts are the policy's:
 * malloc'd, freed by protection_release.
 */
#ifndef DNSMON_PROTECT_PROTECTION_H
#define DNSMON_PROTECT_PROTECTION_H

#include "knowledge/publication.h"

struct protection_texts {
    char **text;
    unsigned n;
};

/* What a trigger needs for being published without a person's word. */
struct protection_approve {
    enum verdict_level least;
    struct protection_texts not; /* categories that a person must see */
    uint64_t clients;        /* at most so many would have been hit, over the last days */
    uint64_t per_day;        /* approvals a day of UTC */
};

/* How much of what is published may come or go within an hour without a person's word. */
struct protection_jump {
    double add, drop; /* percent of what is published */
    uint64_t least;   /* names: fewer are no jump, whatever the percentage */
};

struct protection_top_list {
    char *file;     /* NULL: none. A name a line, or rank,name */
    uint64_t first; /* so many of it; 0 = all */
};

/* What is done where a category is met: "nxdomain", "nodata", "passthru", "drop", "garden NAME", "garden ADDRESS...". */
struct protection_action {
    char *category;
    char *action;
};

/* A policy zone, or a set of feeds: what of all that is published it shows. */
struct protection_view {
    char *zone;                     /* its name, in the form of knowledge.h */
    enum verdict_level least;
    struct protection_texts categories; /* only with one of these; none: any */
    unsigned stages;                /* bits 1 << stage, of shadow and published */
    char *action;                   /* of what no entry below names */
    struct protection_action *actions;
    unsigned n_actions;
    uint32_t ttl_s;
};

struct protection_key {
    char *name, *algorithm, *secret; /* the secret in base64; printed nowhere */
};

/* Who may ask, or is told: an address or network, or ADDRESS[:PORT]; by which key, NULL = none. */
struct protection_peer {
    char *address;
    char *key;
};

struct protection_server {
    struct protection_texts listen; /* ADDRESS:PORT */
    struct protection_peer *secondaries;
    unsigned n_secondaries;
    struct protection_peer *allow;
    unsigned n_allow;
    char *keys_file;            /* NULL: none */
    struct protection_key *keys; /* what it holds, once it was read */
    unsigned n_keys;
};

struct protection_feeds {
    char *dir;              /* NULL: none are written */
    char *listen;           /* NULL: they are not served */
    struct protection_texts formats;
};

struct protection {
    struct protection_approve approve;
    int64_t shadow_s; /* how long a trigger is shadow before it is enforced; 0 = not at all */
    struct protection_jump jump;
    struct protection_top_list top_list;
    uint64_t infrastructure; /* addresses and name servers, too, at which so many registered domains point (infrastructure.h); 0 = none */
    struct protection_view *views;
    unsigned n_views;
    struct protection_server server;
    struct protection_feeds feeds;
};

enum { PROTECTION_TTL_S = 30, PROTECTION_TTL_MAX_S = 60 /* so that withdrawal is prompt */ };

/* What holds where nothing is said: high_risk, 100 clients, 1000 a day; 10 percent and 100 names; no view. */
void protection_init(struct protection *p);
void protection_release(struct protection *p);

/* Whether the view shows it, and what is done: a shadow is never enforced. The action is the first whose category it has. Cost: a scan of
 * its categories for each that the view names. */
bool protection_shows(const struct protection *p, const struct protection_view *v, const struct publication *published);
const char *protection_action(const struct protection_view *v, const struct publication *published);

/* Whether a JSON array of categories has one of the texts; which have nothing in them that JSON escapes. */
const char *protection_category(const char *categories, const struct protection_texts *of);

/* Of what the life cycle decides by: another digest, and all is to be looked at anew. */
uint64_t protection_digest(const struct protection *p);

#endif
