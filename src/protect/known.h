/* known: all that is known of a trigger, out of the knowledge file and the guard, as the case for its passage.
 *
 * What is found is valid until the next known_find from the same place. Value types; one thread.
 */
#ifndef DNSMON_PROTECT_KNOWN_H
#define DNSMON_PROTECT_KNOWN_H

#include "protect/agenda.h"
#include "protect/passage.h"

/* Where it is found. */
struct known_from {
    struct knowledge *k;
    const struct protection *policy;
    const struct guard *guard;
    int64_t now;
    int64_t data_time; /* seconds; 0 = nothing was analysed */
    bool any_words;    /* there are decisions at all: most files have few, and look-ups cost */
    struct arena texts;
};

void known_init(struct known_from *from, struct knowledge *k, const struct protection *policy, const struct guard *guard, int64_t now);
void known_release(struct known_from *from);

/* The case, and what its pointers point to. */
struct known {
    struct passage_case c;
    struct indicator indicator;
    struct publication before;
    struct decision word, withdrawal;
    char guard_why[GUARD_REASON_MAX];
    struct arena *texts;
};

/* `capped`: the day's approvals are used up. */
int known_find(struct known_from *from, const struct agenda_item *item, bool capped, struct known *ret, struct fault *why) MUST_CHECK;

#endif
