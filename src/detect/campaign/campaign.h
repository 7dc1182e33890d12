/* campaign: which domains belong together, and how that goes on from period to period (docs/design/verdict.md, Campaigns).
 *
 * `campaign_update` takes the set as it was and what findings connect at the end of a period, and makes the set as it is, with a
 * list of changes for the ledger. Pure and deterministic: names are taken by key, links may come in any order. Sets own their memory, and
 * every slice that they hand out is theirs. One thread a set.
 */
#ifndef DNSMON_DETECT_CAMPAIGN_CAMPAIGN_H
#define DNSMON_DETECT_CAMPAIGN_CAMPAIGN_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/fault.h"
#include "detect/group.h"

#define CAMPAIGN_LINK_MAX 6.0  /* nats that one group gives an edge at most; and a tie */
#define CAMPAIGN_JOIN_HARM 4.0 /* of labels or infrastructure that join alone */
#define CAMPAIGN_JOIN_SUM 6.0  /* of two groups or more */

enum {
    CAMPAIGN_PARTS_MAX = 1024,
    CAMPAIGN_IDLE_MAX = 56, /* periods: 14 days */
};

struct campaign_part {
    struct slice name;  /* owner key of a registered domain */
    uint32_t joined;    /* step */
    uint16_t idle;      /* periods in which it was active and not tied to the core */
};

struct campaign_body {
    uint64_t identity; /* hash of founders and step; never 0 */
    uint32_t born;     /* step */
    struct campaign_part *parts; /* by name */
    size_t n;
};

/* A name with an edge of its own to one that is blocked by its own evidence: struct standing_campaign. */
struct campaign_tie {
    struct slice name;
    double strength; /* nats */
    bool harm;
};

/*  XX(identifier, text) */
#define CAMPAIGN_CHANGE_MAP(XX) XX(LEFT, "left") XX(CREATED, "created") XX(MERGED, "merged") XX(JOINED, "joined")

struct campaign_change {
#define XX(id, text) CAMPAIGN_##id,
    enum campaign_change_kind { CAMPAIGN_CHANGE_MAP(XX) CAMPAIGN_CHANGES } kind;
#undef XX
    uint64_t campaign;
    uint64_t other;    /* CREATED: it split from this one, or 0. MERGED: it became part of this one, with all its members */
    struct slice name; /* JOINED, LEFT */
    struct slice peer; /* JOINED: the member that it is tied to most, and by what */
    double strength;
    uint32_t groups;   /* bits 1 << group */
};

struct campaign_place {
    struct slice name;
    size_t body;
};

struct campaign_set {
    struct arena memory;
    struct campaign_body *bodies; /* oldest first, then by identity */
    size_t n;
    struct campaign_place *places; /* of every member, by name */
    size_t n_places;
    /* Of the latest update: */
    struct campaign_change *changes; /* those that left, then by campaign: created, merged, joined */
    size_t n_changes;
    struct campaign_tie *ties; /* by name */
    size_t n_ties;
    size_t refused; /* edges that would have made a campaign too large */
};

struct campaign_name { /* one of which links or former campaigns speak */
    struct slice name;
    bool active;  /* asked for in the period */
    bool apart;   /* an anchor's, popular, infrastructure, allowed: no member and no bridge */
    bool blocked; /* high_risk or malicious, and not leaning on its campaign (struct judgement) */
};

struct campaign_link { /* a standing finding with one of its peers */
    struct slice from, to;
    enum group group; /* others than cohort, curve, labels and infrastructure connect nothing */
    double strength;
};

struct campaign_period {
    uint32_t step;
    const struct campaign_name *names; /* by key, each once; links to others are left out, members among others are silent */
    size_t n_names;
    const struct campaign_link *links;
    size_t n_links;
};

void campaign_set_init(struct campaign_set *set);
void campaign_set_release(struct campaign_set *set);

/* `ret` is initialised, not `before`, and is overwritten. E_NOMEM. */
int campaign_update(const struct campaign_set *before, const struct campaign_period *period, struct campaign_set *ret,
                    struct fault *why) MUST_CHECK;

/* NULL: the name is in none, or not tied. */
const struct campaign_body *campaign_with(const struct campaign_set *set, struct slice name);
const struct campaign_tie *campaign_tie_of(const struct campaign_set *set, struct slice name);

/* The bodies as bytes, for the state of analysis, and back. Bytes are taken for hostile: E_CORRUPT, E_NOMEM. */
void campaign_set_put(const struct campaign_set *set, struct buffer *to);
int campaign_set_get(struct campaign_set *ret, struct slice from, struct fault *why) MUST_CHECK;

#endif
