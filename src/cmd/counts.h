/* counts: what was counted, as a JSON object and back.
 *
 * Two readers have the same text: people (`ingest --json`, with what the run did besides) and the store,
 * which keeps the totals of all runs with every commit and gives them back at the next start:
 *
 *     counts_from_json(counts_to_json(c, NULL, 0, 0)) == c
 *
 * Functions only; any thread.
 */
#ifndef DNSMON_CMD_COUNTS_H
#define DNSMON_CMD_COUNTS_H

#include "observe/observer.h"

struct pipeline_result;

/* For the caller to free; NULL when there is no memory. With `run` NULL: totals, times to the nanosecond. */
char *counts_to_json(const struct observer_counts *counts, const struct pipeline_result *run, double seconds,
                     double cpu_seconds);

/* E_CORRUPT when it is no JSON object; what is not in it is 0. */
int counts_from_json(const char *text, struct observer_counts *ret) MUST_CHECK;

#endif
