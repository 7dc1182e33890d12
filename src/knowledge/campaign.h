/* campaign: names that belong together, who joined and left when, and which campaigns became one.
 *
 * A name is in one campaign at a time: joining another ends the former membership at that step.
 */
#ifndef DNSMON_KNOWLEDGE_CAMPAIGN_H
#define DNSMON_KNOWLEDGE_CAMPAIGN_H

#include "knowledge/knowledge.h"

struct campaign {
    int64_t id;
    const char *identity; /* stable text, unique */
    int64_t born;         /* step */
    const char *title;
    int64_t merged_into;  /* 0 = stands */
    int64_t merged_at;    /* step */
    uint64_t members;     /* as of the step asked for */
};

struct campaign_member {
    const char *name;
    int64_t joined; /* step */
    int64_t left;   /* step; 0 = still there */
    const char *why;
};

typedef int (*campaign_sink)(void *ctx, const struct campaign *c, struct fault *why);
typedef int (*campaign_member_sink)(void *ctx, const struct campaign_member *m, struct fault *why);

/* The campaign of this identity, made when there is none (`born` and `title` are then its own). *ret_id is what stands for it: where
 * it was merged into. */
int campaign_get(struct knowledge *k, const char *identity, int64_t born, const char *title, int64_t *ret_id,
                 struct fault *why) MUST_CHECK;
int campaign_set_title(struct knowledge *k, int64_t id, const char *title, struct fault *why) MUST_CHECK;

/* Joining where it is already, or leaving where it is not, does nothing. E_USAGE: earlier than it joined; the campaign was merged. */
int campaign_join(struct knowledge *k, int64_t id, const char *name, int64_t step, const char *because,
                  struct fault *why) MUST_CHECK;
int campaign_leave(struct knowledge *k, int64_t id, const char *name, int64_t step, struct fault *why) MUST_CHECK;

/* `id` becomes part of `into`: its members move there at this step. */
int campaign_merge(struct knowledge *k, int64_t id, int64_t into, int64_t step, const char *because,
                   struct fault *why) MUST_CHECK;

/* Forgets who was in which and what was merged, of all times: all of it is found out anew. Numbers, identities and titles stay. */
int campaign_forget(struct knowledge *k, struct fault *why) MUST_CHECK;

/* Those that stood as of a step (or KNOWLEDGE_NOW) with a member, oldest first. */
int campaign_each(struct knowledge *k, int64_t as_of, campaign_sink sink, void *ctx, struct fault *why) MUST_CHECK;
/* One of any time; the sink is called once, or not at all. */
int campaign_find(struct knowledge *k, int64_t id, campaign_sink sink, void *ctx, struct fault *why) MUST_CHECK;
/* By name. */
int campaign_members(struct knowledge *k, int64_t id, int64_t as_of, campaign_member_sink sink, void *ctx,
                     struct fault *why) MUST_CHECK;
/* Where a name was as of a step; 0 = nowhere. */
int campaign_of(struct knowledge *k, const char *name, int64_t as_of, int64_t *ret_id, struct fault *why) MUST_CHECK;

#endif
