/* policy: what an operator wants of protection: what is approved by itself, what is shown where and as what, who may have it.
 *
 * Plain values; whoever reads the configuration fills them in (cmd/protect_config.h) and hands them around as const. All texts are the policy's:
 * malloc'd, freed by policy_release.
 */
#ifndef DNSMON_PROTECT_POLICY_H
#define DNSMON_PROTECT_POLICY_H

#include "knowledge/publication.h"

struct policy_texts {
    char **text;
    unsigned n;
};

/* What a trigger needs for being published without a person's word. */
struct policy_approve {
    enum verdict_level least;
    struct policy_texts not; /* categories that a person must see */
    uint64_t clients;        /* at most so many would have been hit, over the last days */
    uint64_t per_day;        /* approvals a day of UTC */
};

/* How much of what is published may come or go within an hour without a person's word. */
struct policy_jump {
    double add, drop; /* percent of what is published */
    uint64_t least;   /* names: fewer are no jump, whatever the percentage */
};

struct policy_top_list {
    char *file;     /* NULL: none. A name a line, or rank,name */
    uint64_t first; /* so many of it; 0 = all */
};

/* What is done where a category is met: "nxdomain", "nodata", "passthru", "drop", "garden NAME", "garden ADDRESS...". */
struct policy_action {
    char *category;
    char *action;
};

/* A policy zone, or a set of feeds: what of all that is published it shows. */
struct policy_view {
    char *zone;                     /* its name, in the form of knowledge.h */
    enum verdict_level least;
    struct policy_texts categories; /* only with one of these; none: any */
    unsigned stages;                /* bits 1 << stage, of shadow and published */
    char *action;                   /* of what no entry below names */
    struct policy_action *actions;
    unsigned n_actions;
    uint32_t ttl_s;
};

struct policy_key {
    char *name, *algorithm, *secret; /* the secret in base64; printed nowhere */
};

/* Who may ask, or is told: an address or network, or ADDRESS[:PORT]; by which key, NULL = none. */
struct policy_peer {
    char *address;
    char *key;
};

struct policy_server {
    struct policy_texts listen; /* ADDRESS:PORT */
    struct policy_peer *secondaries;
    unsigned n_secondaries;
    struct policy_peer *allow;
    unsigned n_allow;
    struct policy_key *keys;
    unsigned n_keys;
};

struct policy_feeds {
    char *dir;              /* NULL: none are written */
    char *listen;           /* NULL: they are not served */
    struct policy_texts formats;
};

struct policy {
    struct policy_approve approve;
    int64_t shadow_s; /* how long a trigger is shadow before it is enforced; 0 = not at all */
    struct policy_jump jump;
    struct policy_top_list top_list;
    bool infrastructure; /* addresses and name servers, too */
    struct policy_view *views;
    unsigned n_views;
    struct policy_server server;
    struct policy_feeds feeds;
};

enum { POLICY_TTL_S = 30, POLICY_TTL_MAX_S = 60 /* so that withdrawal is prompt */ };

/* What holds where nothing is said: high_risk, 100 clients, 1000 a day; 10 percent and 100 names; no view. */
void policy_init(struct policy *p);
void policy_release(struct policy *p);

/* Whether the view shows it, and what is done: a shadow is never enforced. The action is the first whose category it has. Cost: a scan of
 * its categories for each that the view names. */
bool policy_shows(const struct policy *p, const struct policy_view *v, const struct publication *published);
const char *policy_action(const struct policy_view *v, const struct publication *published);

/* Whether a JSON array of categories has one of the texts; which have nothing in them that JSON escapes. */
const char *policy_category(const char *categories, const struct policy_texts *of);

/* Of what the life cycle decides by: another digest, and all is to be looked at anew. */
uint64_t policy_digest(const struct policy *p);

#endif
