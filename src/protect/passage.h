/* passage: at which stage a trigger belongs, by all that is known of it (docs/design/protection.md, Stages). Pure; any thread.
 *
 *     gone?       the operator allows it; the indicator is not active, or has come to its end     -> out
 *     never?      a guard that nobody overrides                                                   -> review
 *     blocked?    by an operator's word                                                           -> published
 *     approved?   earlier, and the guards still do not ask                                        -> shadow, then published
 *     passes?     level, categories, clients, the day's cap, no withdrawal, no guard              -> shadow or published
 *     otherwise                                                                                   -> review
 */
#ifndef DNSMON_PROTECT_PASSAGE_H
#define DNSMON_PROTECT_PASSAGE_H

#include "knowledge/decision.h"
#include "protect/guard.h"

#define PASSAGE_AUTHOR "dnsmon" /* who approves and changes by policy */
#define PASSAGE_OPERATOR "[\"operator\"]" /* the categories of what is blocked by word alone */

enum { PASSAGE_REASON_MAX = 1400 };

/* What is known. All borrowed; NULL = there is none. */
struct passage_case {
    const struct protection *policy;
    int64_t now;       /* seconds, wall clock */
    int64_t data_time; /* seconds up to where data were analysed; 0 = nothing was */
    enum guard_answer guard;
    const char *guard_why;
    const struct indicator *indicator;
    const char *author;                /* of the indicator's last change; "" = not known */
    const struct publication *before;
    const struct decision *word;       /* the allow or block that covers it */
    const struct decision *withdrawal; /* of an operator, that covers it */
    uint64_t clients;                  /* that would have been hit */
    bool capped;                       /* the day's approvals are used up */
};

struct passage {
    bool nothing;            /* there is no publication, and need be none */
    enum stage stage;
    int64_t since, due;
    const char *approved_by; /* borrowed from the case, or static */
    const char *author;      /* of the change; likewise */
    bool approves;           /* policy does so now: it counts for the day */
    bool by_word;            /* an operator's: no jump holds it */
    char reason[PASSAGE_REASON_MAX];
};

void passage_find(const struct passage_case *c, struct passage *ret);

/* The reason of what an operator let through, as passage_find leaves it. */
void passage_approved(const char *author, const char *words, char reason[PASSAGE_REASON_MAX]);

#endif
