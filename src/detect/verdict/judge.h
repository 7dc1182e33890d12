/* judge: from what stands about a domain to a level, a scope and the reason (docs/design/verdict.md).
 *
 * Pure and deterministic: the order of rows and hosts does not matter. No allocation. Any thread.
 */
#ifndef DNSMON_DETECT_VERDICT_JUDGE_H
#define DNSMON_DETECT_VERDICT_JUDGE_H

#include "base/buffer.h"
#include "detect/verdict/standing.h"
#include "detect/verdict/weights.h"

/* What decided the level.  XX(identifier, text) */
#define DECIDED_MAP(XX)                                                             \
    XX(SCORE, "score")                                                              \
    XX(FAMILIES, "score and families")                                              \
    XX(FEW_FAMILIES, "families are missing")                                        \
    XX(LEXICAL, "only with lexical evidence")                                       \
    XX(CONCLUSIVE, "conclusive detector")                                           \
    XX(EXTERNAL, "external evidence")                                               \
    XX(CONFIRMED, "high risk, confirmed by external evidence")                      \
    XX(HELD, "below, but not for long enough")                                      \
    XX(ALLOWED, "allowed by the operator")                                          \
    XX(BLOCKED, "blocked by the operator")                                          \
    XX(ANCHORED, "exonerated by an anchor")                                         \
    XX(POPULAR, "exonerated by popularity")                                         \
    XX(EXONERATED_HOSTS, "external evidence about hosts of an exonerated domain")   \
    XX(OBJECTED, "somebody objected")                                               \
    XX(BLAST, "too many clients would be hit")                                      \
    XX(NOT_WHOLE, "must not be blocked whole, and no host stands out")

#define XX(id, text) DECIDED_##id,
enum decided { DECIDED_MAP(XX) DECIDED_RULES };
#undef XX
const char *decided_text(enum decided decided);

/* Why this scope.  XX(identifier, text) */
#define SCOPE_WHY_MAP(XX)                                                         \
    XX(ABOUT_DOMAIN, "not only hosts are spoken of")                              \
    XX(NO_OTHERS, "no other host is established")                                 \
    XX(OTHERS, "harm is about hosts, others are established")                     \
    XX(SUFFIX, "a public suffix")                                                 \
    XX(SHARED, "a parent of shared hosting")                                      \
    XX(INFRASTRUCTURE, "infrastructure of other domains")                         \
    XX(EXONERATED, "exonerated but for hosts")

#define XX(id, text) SCOPE_WHY_##id,
enum scope_why { SCOPE_WHY_MAP(XX) SCOPE_WHYS };
#undef XX
const char *scope_why_text(enum scope_why why);

enum { JUDGEMENT_HOSTS = 16 };

struct contribution {
    double x;    /* nats counted: faded, capped, >= 0 */
    double part; /* of z: weight * x, below zero for groups against */
    const struct standing_row *row; /* the strongest; NULL: none, or the campaign */
};

struct judgement {
    enum verdict_level level;
    double score;
    enum decided decided;
    bool by_operator;
    bool exonerated;  /* by an anchor or popularity, whatever the level */
    bool passes_on;   /* it is enforced, and this step's evidence without its campaign says so: struct campaign_name's `blocked` */
    enum scope scope;
    enum scope_why scope_why;
    struct slice hosts[JUDGEMENT_HOSTS]; /* of scope host, strongest evidence first */
    unsigned n_hosts;
    uint32_t hit_clients; /* of the last days, by what is named; of several hosts the sum, at most the domain's */
    uint64_t hit_queries;
    struct contribution contribution[JUDGED_GROUPS];
    uint32_t families; /* bits 1 << group; automation is GROUP_RHYTHM's, the campaign GROUP_INFRASTRUCTURE's */
    double fade;       /* factor on strengths for harm */
    enum verdict_level unheld; /* what this step's evidence alone says */
    struct verdict_memory after; /* to be handed in as `before` next time */
};

void verdict_judge(const struct standing *s, const struct verdict_weights *w, struct judgement *ret);

/* How many. */
unsigned judgement_families(const struct judgement *j);

/* What a fit needs, as a line of JSON with its end: what was counted by group, below zero against harm (scripts/fit-weights). `first`: hour
 * in which the domain was first asked for. */
void judgement_put_features(const struct judgement *j, const struct standing *s, uint32_t first, struct buffer *to);

/* The reason as a JSON object, for the ledger: everything above with names as text. */
void judgement_put(const struct judgement *j, const struct standing *s, const struct verdict_weights *w, struct buffer *to);

#endif
