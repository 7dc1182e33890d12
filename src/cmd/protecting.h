/* protecting: what commands need that publish: the knowledge file, the guard, a run of the life cycle, and infrastructure.
 *
 *     protecting_open -> protecting_run ... -> protecting_close
 *
 * Value type; one thread.
 */
#ifndef DNSMON_CMD_PROTECTING_H
#define DNSMON_CMD_PROTECTING_H

#include "cmd/options.h"
#include "cmd/present.h"
#include "protect/targets.h"

struct protecting {
    struct knowledge *k;
    const struct options *options; /* borrowed */
    struct suffix_list *suffixes;
    struct guard *guard;
    struct lifecycle_options life; /* at the time of opening */
    const atomic_bool *stop;       /* for those who look at infrastructure; NULL = nothing does */
};

/* The guard of the settings; `suffixes` is the path that was said on the command line, NULL = none. E_ABSENT: there is no database, or for readers no
 * knowledge in it. To be closed also when it failed. */
int protecting_open(struct protecting *p, const struct options *o, enum knowledge_mode mode, const char *suffixes, struct fault *why) MUST_CHECK;
void protecting_close(struct protecting *p);

/* One run; what came of it goes to `to`, as a line or an object, and a jump that holds something is said on stderr. */
int protecting_run(struct protecting *p, struct present *to, struct fault *why) MUST_CHECK;

/* Looks at infrastructure, again when it was stale, and says what came of it on stderr. A database that is damaged, or none, is no fault: what is published stays. */
int protecting_targets(struct protecting *p, enum targets_look look, struct targets_result *ret, struct fault *why) MUST_CHECK;

/* Says on stderr what a jump holds, if one does. */
void protecting_say_jump(const struct lifecycle_result *result);

/* A reason as operators give one: a line of at most 1000 bytes. Reports what is wrong with it. */
const char *protecting_reason(struct options *o, const char *text);

#endif
