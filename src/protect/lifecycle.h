/* lifecycle: from indicators and operators' words to what is published, and versions of that (docs/design/protection.md).
 *
 * A run follows the history of indicators from where the last one ended, looks at what is due, moves each trigger to the stage where it belongs
 * (passage.h), and seals a version of what changed. It is determined by the knowledge file, the policy, the guard and the time; a run after
 * which nothing changed changes nothing. When policy or guard are others than at the last run, all is looked at anew.
 *
 * A jump: when analysis would publish, or take back, too much of what is published within an hour, none of it is done: these triggers are marked
 * (publication.held) and stay as they are until a run of an operator confirms it, or what is left of it is no jump any more. What operators say by
 * name is done at once meanwhile.
 *
 * A run that has nothing to do reads a little and writes nothing: whoever serves may make one whenever knowledge_stamp says that somebody
 * wrote, and every second besides, for what is due. Otherwise it is one transaction, of a knowledge file opened for writing.
 *
 * Cost: 15 us of CPU for each indicator that is looked at, some 50 more when it changes what is published, and a commit; however many are
 * published (bench_lifecycle). Looking at all anew takes a quarter of a minute a million, in which nobody else writes. Functions; the caller's
 * thread.
 */
#ifndef DNSMON_PROTECT_LIFECYCLE_H
#define DNSMON_PROTECT_LIFECYCLE_H

#include "base/buffer.h"
#include "protect/guard.h"

enum { LIFECYCLE_JUMP_S = 3600, LIFECYCLE_JUMP_TEXT = 256 };

/* All borrowed. */
struct lifecycle_options {
    const struct protection *policy;
    const struct guard *guard;
    int64_t now;              /* seconds, wall clock */
    const char *confirmed_by; /* an operator, who lets through what a jump holds; NULL = nobody. Audited */
};

struct lifecycle_result {
    uint64_t looked_at;
    uint64_t published, shadowed, reviewed, out; /* triggers that came to these stages */
    uint64_t renewed;                            /* in their stage, with other figures or reasons */
    bool heard;                                  /* an operator allowed something, or took that back */
    struct publication_sizes sizes;
    int64_t version;                             /* serial of the one that was made; 0 = none was */
    char jump[LIFECYCLE_JUMP_TEXT];              /* why what is held is; "" = no jump is */
};

int lifecycle_run(struct knowledge *k, const struct lifecycle_options *o, struct lifecycle_result *ret, struct fault *why) MUST_CHECK;

/* Whether a run has something to do. */
int lifecycle_is_due(struct knowledge *k, const struct lifecycle_options *o, bool *ret, struct fault *why) MUST_CHECK;

/* How many more analysis may publish by now before it is a jump; as many as you like when an operator confirms it. */
int lifecycle_room(struct knowledge *k, const struct lifecycle_options *o, uint64_t *ret, struct fault *why) MUST_CHECK;

/* A person's word that a trigger in review or shadow is published, at once; what this changes the next run makes public. Audited. E_ABSENT: it is
 * in neither of these; E_USAGE: a guard that nobody overrides. */
int lifecycle_approve(struct knowledge *k, const struct lifecycle_options *o, const char *name, enum trigger trigger, const char *author,
                      const char *reason, struct fault *why) MUST_CHECK;

/* The jump that holds something since the last run, appended to `to`; nothing if none does. */
int lifecycle_jump(struct knowledge *k, struct buffer *to, struct fault *why) MUST_CHECK;

#endif
