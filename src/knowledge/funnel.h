/* funnel: how many came through each stage of an analysis, and why the others did not. */
#ifndef DNSMON_KNOWLEDGE_FUNNEL_H
#define DNSMON_KNOWLEDGE_FUNNEL_H

#include "knowledge/knowledge.h"

enum funnel_stage { FUNNEL_MESSAGES, FUNNEL_NAMES, FUNNEL_CLEANED, FUNNEL_CANDIDATES, FUNNEL_CHECKED, FUNNEL_BLOCKED, FUNNEL_STAGES };
const char *funnel_stage_text(enum funnel_stage stage);

/* The count of a step, in place of what a former run of this step said. Reason "" = all that came to this stage. */
int funnel_put(struct knowledge *k, int64_t step, enum funnel_stage stage, const char *reason, uint64_t count,
               struct fault *why) MUST_CHECK;

/* Sums over steps from `from` to `to`, both included, by stage and reason. */
typedef int (*funnel_sink)(void *ctx, enum funnel_stage stage, const char *reason, uint64_t count, struct fault *why);
int funnel_sum(struct knowledge *k, int64_t from, int64_t to, funnel_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
