/* indicator: verdicts made enforceable, and their history, from which publication follows (publication.h).
 */
#ifndef DNSMON_KNOWLEDGE_INDICATOR_H
#define DNSMON_KNOWLEDGE_INDICATOR_H

#include "knowledge/verdict.h"

enum indicator_state { INDICATOR_ACTIVE, INDICATOR_EXPIRED, INDICATOR_WITHDRAWN, INDICATOR_HELD, INDICATOR_STATES };
const char *indicator_state_text(enum indicator_state state);
bool indicator_state_parse(const char *text, enum indicator_state *ret);

struct indicator {
    const char *name;
    enum scope scope;
    enum verdict_level level;
    double score;
    const char *categories; /* JSON array of strings */
    const char *family;     /* "" = not known */
    int64_t campaign;       /* 0 = none */
    int64_t first_seen;     /* seconds */
    int64_t decided_at;     /* step */
    int64_t valid_until;    /* seconds */
    enum indicator_state state;
    const char *reason;
};

struct indicator_change {
    int64_t serial; /* given by the history */
    int64_t at;     /* seconds */
    const char *name;
    enum scope scope;
    int was; /* enum indicator_state, or -1: it is new */
    enum indicator_state now;
    const char *author;
    const char *reason;
    const struct indicator *then; /* as it was from then on; NULL: only the state is known, of a row of an older version */
};

typedef int (*indicator_sink)(void *ctx, const struct indicator *i, struct fault *why);
typedef int (*indicator_change_sink)(void *ctx, const struct indicator_change *c, struct fault *why);

/* Adds or replaces the indicator of its name and scope. When anything of it is another than before, the history gets a row with
 * `at` and `author`; of a renewal, `was` and `now` are the same, and one that the history has of this step already writes none. */
int indicator_put(struct knowledge *k, const struct indicator *i, int64_t at, const char *author,
                  struct fault *why) MUST_CHECK;

/* Changes the state alone. E_ABSENT: there is no such indicator. The same state again changes nothing. */
int indicator_set_state(struct knowledge *k, const char *name, enum scope scope, enum indicator_state state, int64_t at,
                        const char *author, const char *reason, struct fault *why) MUST_CHECK;

/* One: the sink is called once, or not at all. All whose state is in `states` (bits 1 << state), by name. */
int indicator_find(struct knowledge *k, const char *name, enum scope scope, indicator_sink sink, void *ctx,
                   struct fault *why) MUST_CHECK;
int indicator_each(struct knowledge *k, unsigned states, indicator_sink sink, void *ctx, struct fault *why) MUST_CHECK;

/* One as it was known as of a step, but for its state, which is today's. Of what version 2 wrote only the last is known. */
int indicator_as_of(struct knowledge *k, const char *name, enum scope scope, int64_t step, indicator_sink sink, void *ctx,
                    struct fault *why) MUST_CHECK;

/* The history after a serial, and its last one (0 = empty). */
int indicator_changes(struct knowledge *k, int64_t after, indicator_change_sink sink, void *ctx, struct fault *why) MUST_CHECK;
int indicator_serial(struct knowledge *k, int64_t *ret, struct fault *why) MUST_CHECK;

/* Of each name and scope with changes after a serial the last one, by serial. */
int indicator_changed(struct knowledge *k, int64_t after, indicator_change_sink sink, void *ctx, struct fault *why) MUST_CHECK;

#endif
