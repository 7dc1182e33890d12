/* evidence: the ledger of what detectors say of names, and what of it stands.
 *
 * Rows are only ever added. What stands as of a step is, for each name, scope and detector, the row with the largest
 * (step, id) at or before the step, unless its weight is 0 (withdrawn).
 */
#ifndef DNSMON_KNOWLEDGE_EVIDENCE_H
#define DNSMON_KNOWLEDGE_EVIDENCE_H

#include "knowledge/knowledge.h"

struct evidence {
    int64_t id; /* given by the ledger */
    const char *name;
    enum scope scope;
    const char *detector;
    const char *group;
    int64_t step;     /* data time in hours since 1970, from when on it holds */
    int64_t known_at; /* seconds, wall clock */
    double weight;    /* log-likelihood ratio; > 0 for harm, < 0 against, 0 withdraws */
    const char *summary;
    const char *facts; /* JSON object */
    int64_t supersedes; /* given by the ledger; 0 = none */
};

typedef int (*evidence_sink)(void *ctx, const struct evidence *e, struct fault *why);

/* Adds a row and gives its id. The row that is there already for this step with the same content, or a withdrawal of what
 * does not stand as of this step, adds nothing: *ret_id (NULL allowed) is then 0. E_MALFORMED: facts are not a JSON object, the weight is not finite. */
int evidence_add(struct knowledge *k, const struct evidence *e, int64_t *ret_id, struct fault *why) MUST_CHECK;

/* What stands of a name as of a step, or KNOWLEDGE_NOW; strongest first. */
int evidence_standing(struct knowledge *k, const char *name, enum scope scope, int64_t as_of, evidence_sink sink,
                      void *ctx, struct fault *why) MUST_CHECK;

/* What a detector says now, by name: so that it can withdraw what no longer holds. */
int evidence_of_detector(struct knowledge *k, const char *detector, evidence_sink sink, void *ctx,
                         struct fault *why) MUST_CHECK;

/* What the ledger says of this very step: of each name, scope and detector with rows of it, the last of these, by id. */
int evidence_of_step(struct knowledge *k, int64_t step, evidence_sink sink, void *ctx, struct fault *why) MUST_CHECK;
/* The last step with rows; 0 for an empty ledger. */
int evidence_last_step(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;

/* Every row of a name, by id. */
int evidence_history(struct knowledge *k, const char *name, enum scope scope, evidence_sink sink, void *ctx,
                     struct fault *why) MUST_CHECK;

/* The names of which rows after this id tell, each once, in order; and the last id, 0 for an empty ledger. */
typedef int (*evidence_name_sink)(void *ctx, const char *name, enum scope scope, struct fault *why);
int evidence_changed(struct knowledge *k, int64_t after_id, evidence_name_sink sink, void *ctx,
                     struct fault *why) MUST_CHECK;
int evidence_last(struct knowledge *k, int64_t *ret_id, struct fault *why) MUST_CHECK;

#endif
