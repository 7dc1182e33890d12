/* turns: the hours in which a name's demand changed by more than its day and its network explain.
 *
 * A curve is a name's hourly queries beside what would be expected: its own mean by hour of the day (since its first question in the window)
 * times how the network's hour was against the network's mean at that hour of the day. So daily rhythm, weekends, holidays and
 * hours that nobody recorded are no turns. Turns are
 *
 *     up     its first question, a day or more after recording began;
 *            the end of a silence;
 *            a question after TURN_QUIET quiet hours at an hour of the day when it is rarely asked for, unless it lies on a
 *            fixed period of the name: two programs of one period are no kin;
 *            a surge: TURN_BLOCK hours at TURN_FACTOR times the level of those before
 *     down   the begin of a silence; a slump, the opposite of a surge
 *
 * A silence is a row of hours without a question that had a probability below exp(-TURN_SURPRISE), each hour being silent with the share of
 * days on which it was. Values; no allocation; any thread.
 */
#ifndef DNSMON_DETECT_CURVE_TURNS_H
#define DNSMON_DETECT_CURVE_TURNS_H

#include "detect/portrait.h"
#include "detect/scene.h"

enum {
    CURVE_HOURS = WINDOW_STEPS + PERIOD_STEPS,
    TURN_KINDS = 2,
    TURN_NUMBERS = TURN_KINDS * CURVE_HOURS, /* a turn's number: hour of the window, for those down CURVE_HOURS more */
    TURNS_MAX = 32,      /* with more than two a day a curve has no shape */
    TURN_QUIET = 6,
    TURN_BLOCK = 6,
    TURN_FACTOR = 4,
    TURN_SURPRISE = 6,
    CURVE_ACTIVE_MIN = 6 /* hours with questions that a curve needs */
};

/* What is the same for all names of a step. */
struct curve_grid {
    uint32_t from;              /* hour of index 0 */
    unsigned hours;             /* up to and with the step; at most CURVE_HOURS */
    unsigned first;             /* index at which recording begins */
    double ratio[CURVE_HOURS];  /* the network's queries against its mean at this hour of the day; 0: nothing recorded */
};

struct curve {
    unsigned born;              /* index of its first question in the window */
    unsigned active;            /* hours with questions */
    double queries[CURVE_HOURS];
    double expected[CURVE_HOURS];
    double lively[CURVE_HOURS]; /* probability of a question in this hour */
    unsigned days_active[24];   /* by hour of the day from `from` on */
    unsigned days[24];
};

void curve_grid_make(struct curve_grid *g, uint32_t step, const struct network *network);

/* False: too little was asked. */
bool curve_make(struct curve *c, const struct curve_grid *g, const struct portrait *p);

/* Rising numbers; returns how many, TURNS_MAX + 1 for more than fit. */
unsigned curve_turns(const struct curve *c, const struct curve_grid *g, uint32_t ret[TURNS_MAX]);

/* Correlation of log2((queries + 1) / (expected + 1)), `b` delayed by whole days around the recorded ones; 0 where nothing varies. */
double curve_correlation(const struct curve *a, const struct curve *b, const struct curve_grid *g, unsigned days);

#endif
