/* activity_chart: activity as people look at it: of one name its totals and a row a day, of several a curve each on one time axis.
 *
 * chart_name starts a name, chart_day adds its days, chart_hour its hours, both in rising order, chart_print says it all. Memory is bounded by the limit
 * given at the start (E_LIMIT). Value type; one thread.
 */
#ifndef DNSMON_CMD_ACTIVITY_CHART_H
#define DNSMON_CMD_ACTIVITY_CHART_H

#include "cmd/asked.h"
#include "cmd/present.h"

struct chart {
    struct asked_span span; /* what was asked for; open ends are closed by the hours that there are */
    struct buffer points;   /* struct spark_point, of all names one after another */
    struct buffer days;     /* uint32_t: those known by day alone, likewise */
    struct buffer curves;   /* struct chart_curve each */
    struct activity all;    /* hours merged, of the name that is being read */
};

void chart_init(struct chart *c, struct asked_span span, size_t limit_bytes);
void chart_release(struct chart *c);

int chart_name(struct chart *c, const struct asked *name, struct fault *why) MUST_CHECK;
/* Its hours are drawn alike: what it had in all, spread. */
int chart_day(struct chart *c, uint32_t day, const struct day *d, struct fault *why) MUST_CHECK;
int chart_hour(struct chart *c, uint32_t hour, const struct activity *a, struct fault *why) MUST_CHECK;

/* Nothing when there were no hours. `columns` is the width of several curves. */
void chart_print(struct chart *c, unsigned columns, struct present *to);

#endif
