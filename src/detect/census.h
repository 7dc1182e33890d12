/* census: one pass over all names that were asked for in a chunk of steps.
 *
 * Reads the profiles of the chunk's start beside the domain activity of its steps, both in the order of owners. Brings profiles up to
 * date, counts the network's hours and the funnel by step, finds the names most used at each period's start, and keeps the candidates: names
 * that screening (screen.h) let through at a step of the chunk, or in the last day before it. Value type; one thread.
 */
#ifndef DNSMON_DETECT_CENSUS_H
#define DNSMON_DETECT_CENSUS_H

#include "base/arena.h"
#include "detect/profiles.h"
#include "detect/screen.h"

enum {
    CENSUS_STEPS = 28 * PERIOD_STEPS, /* the most steps of a chunk */
    CENSUS_EMPTY = 64 * CENSUS_STEPS, /* ... in which nothing was asked for */
    CENSUS_CANDIDATES = 2000000,      /* the most of a chunk; what is beyond is counted */
};

struct candidate {
    struct slice owner;
    struct profile profile; /* as of the chunk's start; hours 0: none yet */
    uint32_t wanted_from, wanted_until; /* struct wanted; from > until: not wanted */
};

/* Names that are looked at in steps [from, until], whatever screening says: those with a verdict to be kept up. */
struct wanted {
    struct slice owner;
    uint32_t from, until;
};

struct census_step {
    uint64_t messages; /* queries, and responses to them */
    uint32_t names;    /* registered domains asked for */
    uint32_t screened[SCREENS];
};

struct census_popular {
    struct scene_popular *names; /* broadest first, then those of most days, then by owner */
    size_t n;
};

struct census {
    uint32_t from, to;  /* steps; `from` begins a period */
    uint32_t first;     /* hour in which the database begins */
    struct network_hour *hours; /* of before and of the chunk, rising */
    size_t n_hours;
    struct census_step *steps;  /* to - from + 1 */
    struct census_popular *popular; /* of each period in the chunk, as of its start */
    size_t n_periods;
    struct candidate *candidates; /* by owner */
    size_t n_candidates;
    uint64_t refused;   /* candidates beyond the limit */
    struct arena memory;
};

/* The first hour of domain activity that there is: E_ABSENT when there is none. */
int census_first(struct store *store, uint32_t *ret, struct fault *why) MUST_CHECK;

/* Steps from `from` on in which no name was asked for, UINT32_MAX: to the end. Reads all activity from there on. */
int census_empty(struct store *store, uint32_t from, uint32_t *ret, struct fault *why) MUST_CHECK;

/* `before`: profiles of step `from`, NULL = there are none yet. `after` gets those of step to + 1, but is not finished; NULL = not wanted. */
int census_take(struct census *ret, struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t to, uint32_t first,
                const struct wanted *wanted /* by owner */, size_t n_wanted, struct profiles_reader *before,
                struct profiles_writer *after, struct fault *why) MUST_CHECK;
void census_release(struct census *c);

/* The network as of a step of the chunk; borrows from the census. */
struct network census_network(const struct census *c, uint32_t step);

#endif
