/* answer: runs a query over the store and hands over what it finds.
 *
 * The fence tests times of merged records: a record's first seen and its count are those of the whole database,
 * so tables outside the fence matter, too. But where those inside it are the smaller part, they alone are
 * scanned, and what they have is looked up in all, as long as it is little. Records come in key
 * order (prefix.*: in the order of names read forwards). One thread.
 */
#ifndef DNSMON_CMD_ANSWER_H
#define DNSMON_CMD_ANSWER_H

#include "cmd/query.h"

/* DNSDB's: last >= after and first <= before; strict: first >= after and last <= before.
 * 0 = open. */
struct answer_fence {
    int64_t after, before;
    bool strict;
};

/* Views are valid during the call. Returns 0 to go on, ANSWER_STOP to end well, or a fault. */
enum { ANSWER_STOP = 1 };
typedef int (*answer_sink)(void *ctx, const struct rr_key *key, const struct rr_value *value);

int answer_run(struct store *store, const struct query *q, const struct answer_fence *fence, answer_sink sink,
               void *ctx, struct fault *why) MUST_CHECK;

#endif
