#include "detect/channel.h"

/* Of length times entropy, in bits; activity has entropy in 1/32 bit. */
static double bits_per_name(const struct activity *a)
{
    double bits = 0;
    for (unsigned i = 0; i < a->n_names; i++)
        bits += a->names[i].length * (a->names[i].entropy / 32.0);
    return bits / a->n_names;
}

uint32_t channel_carried(const struct activity *a)
{
    const uint64_t *n = a->counters;
    uint64_t names = activity_names(a), there = n[ACTIVITY_NOERROR] + n[ACTIVITY_NODATA];
    if (names < CHANNEL_NAMES || 2 * n[ACTIVITY_PTR] >= n[ACTIVITY_QUERIES] || 2 * there < n[ACTIVITY_ANSWERED])
        return 0;
    double bytes = (double)names * bits_per_name(a) / 8;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}
