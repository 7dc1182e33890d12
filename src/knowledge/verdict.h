/* verdict: what was decided of names, step by step. Rows are only ever added; what holds as of a step is the row with
 * the largest (decided_at, id) at or before it.
 */
#ifndef DNSMON_KNOWLEDGE_VERDICT_H
#define DNSMON_KNOWLEDGE_VERDICT_H

#include "knowledge/knowledge.h"

/* Rising. */
enum verdict_level { VERDICT_BENIGN, VERDICT_WATCH, VERDICT_SUSPICIOUS, VERDICT_HIGH_RISK, VERDICT_MALICIOUS, VERDICT_LEVELS };
const char *verdict_level_text(enum verdict_level level);
bool verdict_level_parse(const char *text, enum verdict_level *ret);

struct verdict {
    int64_t id; /* given by the ledger */
    const char *name;
    enum scope scope;
    enum verdict_level level;
    double score;       /* probability of harm, 0 to 1 */
    int64_t decided_at; /* step */
    int64_t known_at;   /* seconds, wall clock */
    int64_t campaign;   /* 0 = none */
    const char *reason; /* JSON object: contributions by group, scope reasoning, blast radius */
    int64_t previous;   /* given by the ledger; 0 = the first */
};

typedef int (*verdict_sink)(void *ctx, const struct verdict *v, struct fault *why);

/* Adds a row and gives its id; 0 (ret_id NULL allowed) when the one that holds as of this step is of this step and has the same
 * content. E_MALFORMED: the reason is not a JSON object, the score not a probability. */
int verdict_add(struct knowledge *k, const struct verdict *v, int64_t *ret_id, struct fault *why) MUST_CHECK;

/* What holds of a name as of a step or KNOWLEDGE_NOW: the sink is called once or, when nothing was decided, not at all. */
int verdict_find(struct knowledge *k, const char *name, enum scope scope, int64_t as_of, verdict_sink sink, void *ctx,
                 struct fault *why) MUST_CHECK;

/* What holds of all names, of the levels from `least` to `most`; the highest level and score first, then by name. */
int verdict_each(struct knowledge *k, enum verdict_level least, enum verdict_level most, int64_t as_of, verdict_sink sink,
                 void *ctx, struct fault *why) MUST_CHECK;

/* What the ledger says of this very step: of each name and scope with rows of it, the last of these, by id. */
int verdict_of_step(struct knowledge *k, int64_t decided_at, verdict_sink sink, void *ctx, struct fault *why) MUST_CHECK;
/* The last step with rows; 0 for an empty ledger. */
int verdict_last_step(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;

/* Every row of a name, by id; every row after an id; one row; the last id. */
int verdict_history(struct knowledge *k, const char *name, enum scope scope, verdict_sink sink, void *ctx,
                    struct fault *why) MUST_CHECK;
int verdict_changes(struct knowledge *k, int64_t after_id, verdict_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int verdict_get(struct knowledge *k, int64_t id, verdict_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int verdict_last(struct knowledge *k, int64_t *ret_id, struct fault *why) MUST_CHECK;

#endif
