/* step: the grid of data time that analysis walks on (docs/design/detection.md).
 *
 * A step is an hour, numbered since 1970; it knows what was seen before its end. A period is six steps. */
#ifndef DNSMON_DETECT_STEP_H
#define DNSMON_DETECT_STEP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    STEP_S = 3600,
    PERIOD_STEPS = 6,
    DAY_STEPS = 24,
    WINDOW_STEPS = 14 * DAY_STEPS, /* how far back subjects look */
};

/* The first second that the step does not know. */
static inline int64_t step_end_s(uint32_t step)
{
    return ((int64_t)step + 1) * STEP_S;
}

static inline uint32_t period_start(uint32_t step)
{
    return step - step % PERIOD_STEPS;
}

/* Names are compared with one another at the last step of a period. */
static inline bool step_ends_period(uint32_t step)
{
    return step % PERIOD_STEPS == PERIOD_STEPS - 1;
}

#endif
