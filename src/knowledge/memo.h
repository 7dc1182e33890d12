/* memo: what analysis must remember from one run to the next, by kind and key; replaced, not kept.
 */
#ifndef DNSMON_KNOWLEDGE_MEMO_H
#define DNSMON_KNOWLEDGE_MEMO_H

#include "knowledge/knowledge.h"

/* In place of what was there; NULL as value removes it. */
int memo_put(struct knowledge *k, const char *kind, const char *key, const char *value, struct fault *why) MUST_CHECK;
int memo_clear(struct knowledge *k, const char *kind, struct fault *why) MUST_CHECK;

/* All of a kind, by key. */
typedef int (*memo_sink)(void *ctx, const char *key, const char *value, struct fault *why);
int memo_each(struct knowledge *k, const char *kind, memo_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
