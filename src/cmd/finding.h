/* finding: a verdict or an indicator as one JSON object, the form that machines read:
 *
 *     name, scope, level, score, categories, family, campaign, first_seen, decided_at, valid_until,
 *     evidence: [{detector, group, weight, summary}]
 *
 * Names have no final dot; campaign is its identity, or null; times are seconds since 1970, null where nothing is known.
 * first_seen is when the store first saw the name, of a domain anything at or below it. Of an indicator decided_at is since when it has been
 * to be blocked without a break, score and valid_until those of its last renewal. Evidence is what stood as of the step asked for, the strongest
 * first.
 */
#ifndef DNSMON_CMD_FINDING_H
#define DNSMON_CMD_FINDING_H

#include "base/buffer.h"
#include "knowledge/indicator.h"
#include "store/store.h"

/* Where it comes from; borrowed. */
struct finding_from {
    struct knowledge *k;
    struct store *store; /* NULL: first_seen is what an indicator says */
    const char *kind;    /* what `scope` says of what is no name; NULL = the scope */
};

/* `as_of` is a step or KNOWLEDGE_NOW. Of a verdict, categories, family and valid_until are those of its indicator as it was
 * known then, if there was one. Without `evidence` that field is left out. The object ends without a line's end. */
int finding_of_verdict(struct buffer *to, const struct finding_from *from, const struct verdict *v, int64_t as_of, bool evidence,
                       struct fault *why) MUST_CHECK;
int finding_of_indicator(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why) MUST_CHECK;

/* A line of CSV for an indicator, and its header. Categories, and evidence as detector=weight, are joined by ';'. */
#define FINDING_CSV_HEADER \
    "name,scope,level,score,categories,family,campaign,first_seen,decided_at,valid_until,evidence\n"
int finding_csv(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why) MUST_CHECK;

/* Since which step it has been to be blocked without a break. */
int finding_since(const struct finding_from *from, const struct indicator *i, int64_t *ret_step, struct fault *why) MUST_CHECK;

/* What stands as of a step, in short: "rhythm +12.0, demand +5.6". */
int finding_evidence(struct buffer *to, struct knowledge *k, const char *name, enum scope scope, int64_t as_of, struct fault *why) MUST_CHECK;

/* A row of a table, and its header. */
#define FINDING_ROW_HEADER "level       score  since (UTC)       until             scope   name                            evidence\n"
int finding_row(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why) MUST_CHECK;

/* The identity of a campaign, JSON or plain; "null" or "" for none. */
int finding_campaign(struct buffer *to, struct knowledge *k, int64_t id, bool json, struct fault *why) MUST_CHECK;

/* A moment given as --as-of in seconds to a step; none is before the first. */
int64_t finding_step(int64_t seconds);

#endif
