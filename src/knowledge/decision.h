/* decision: the operator's word on names, and the audit of all that operators did.
 */
#ifndef DNSMON_KNOWLEDGE_DECISION_H
#define DNSMON_KNOWLEDGE_DECISION_H

#include "knowledge/knowledge.h"

enum decision_action { DECISION_ALLOW, DECISION_BLOCK, DECISION_WITHDRAW, DECISION_FEEDBACK, DECISION_ACTIONS };
const char *decision_action_text(enum decision_action action);

struct decision {
    int64_t id; /* given here */
    int64_t at; /* seconds, wall clock, as all times here */
    const char *author;
    enum decision_action action;
    const char *name;
    enum scope scope;
    const char *reason;
    int64_t until;   /* 0 = no end */
    int64_t revoked; /* 0 = holds */
};

struct audit {
    int64_t id; /* given here */
    int64_t at;
    const char *author;
    const char *action;
    const char *subject;
    const char *detail;
};

typedef int (*decision_sink)(void *ctx, const struct decision *d, struct fault *why);
typedef int (*audit_sink)(void *ctx, const struct audit *a, struct fault *why);

/* Adds and audits it. An allow or block revokes what was allowed or blocked of this name and scope before. E_USAGE: no author,
 * no reason, an end that is not after `at`. */
int decision_add(struct knowledge *k, const struct decision *d, int64_t *ret_id, struct fault *why) MUST_CHECK;

/* Takes back the word of this kind on a name and scope, and audits it. E_ABSENT: there is none that holds at `at`. */
int decision_revoke(struct knowledge *k, enum decision_action action, const char *name, enum scope scope, int64_t at,
                    const char *author, const char *reason, struct fault *why) MUST_CHECK;

/* Those of one kind that hold at `at`, by name; all of them ever, by id. */
int decision_each(struct knowledge *k, enum decision_action action, int64_t at, decision_sink sink, void *ctx,
                  struct fault *why) MUST_CHECK;
int decision_history(struct knowledge *k, decision_sink sink, void *ctx, struct fault *why) MUST_CHECK;

/* The allow or block that holds for a host at `at`: of the host itself, else of the nearest domain at or above it. The sink is
 * called once, or not at all. */
int decision_covering(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx,
                      struct fault *why) MUST_CHECK;

/* The same for what somebody holds against a verdict (feedback). */
int decision_objection(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx,
                       struct fault *why) MUST_CHECK;

/* The same for what an operator withdrew. */
int decision_withdrawal(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx,
                        struct fault *why) MUST_CHECK;

/* What else an operator did (who looked up clients, say), and the audit after an id. */
int audit_add(struct knowledge *k, const struct audit *a, struct fault *why) MUST_CHECK;
int audit_each(struct knowledge *k, int64_t after_id, audit_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
