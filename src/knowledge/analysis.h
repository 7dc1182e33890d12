/* analysis: up to where the data were analysed and with what, and settings that a run must remember. */
#ifndef DNSMON_KNOWLEDGE_ANALYSIS_H
#define DNSMON_KNOWLEDGE_ANALYSIS_H

#include "base/buffer.h"
#include "knowledge/knowledge.h"

enum { ANALYSIS_TEXT_MAX = 129 }; /* with the final NUL */

struct analysis {
    int64_t analysed_until; /* step; 0 = nothing yet */
    int64_t period_start;   /* step */
    char state_file[ANALYSIS_TEXT_MAX]; /* in the database folder; "" = none */
    char state_digest[ANALYSIS_TEXT_MAX];
    char weights_digest[ANALYSIS_TEXT_MAX];
    char psl_digest[ANALYSIS_TEXT_MAX];
};

/* All zero before the first put. */
int analysis_get(struct knowledge *k, struct analysis *ret, struct fault *why) MUST_CHECK;
int analysis_put(struct knowledge *k, const struct analysis *a, struct fault *why) MUST_CHECK;

/* Named texts. Get appends to `to`; E_ABSENT when there is none. NULL as value removes. */
int setting_get(struct knowledge *k, const char *key, struct buffer *to, struct fault *why) MUST_CHECK;
int setting_put(struct knowledge *k, const char *key, const char *value, struct fault *why) MUST_CHECK;

#endif
