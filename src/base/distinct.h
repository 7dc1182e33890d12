/* distinct: how many different hashes were added.
 *
 * Keeps the smallest DISTINCT_KEPT of them (bottom-k, or KMV: Bar-Yossef et al., "Counting
 * Distinct Elements in a Data Stream", 2002, algorithm 2): exact up to that many, beyond it
 * (k - 1) / (k-th smallest as a fraction of the range), with a standard error of
 * 1 / sqrt(k - 2), 0.8 %. Sums of several over disjoint sets are better still. Additions are
 * gathered and sorted in when there are many: one costs some nanoseconds and no cache line.
 * 1 MiB each. One owner, one thread.
 */
#ifndef DNSMON_BASE_DISTINCT_H
#define DNSMON_BASE_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>

enum { DISTINCT_KEPT = 1 << 14, DISTINCT_ROOM = 4 * DISTINCT_KEPT };

struct distinct {
    uint64_t *hashes;
    uint64_t *spare;
    uint32_t n;
    uint64_t threshold; /* nothing above it is kept */
};

bool distinct_init(struct distinct *d);
void distinct_release(struct distinct *d);
uint64_t distinct_count(struct distinct *d);

/* After distinct_count: whether it counted, and did not estimate. */
static inline bool distinct_is_exact(const struct distinct *d)
{
    return d->threshold == UINT64_MAX;
}

/* Back to the DISTINCT_KEPT smallest, each once. */
void distinct_settle(struct distinct *d);

static inline void distinct_add(struct distinct *d, uint64_t hash)
{
    if (hash > d->threshold)
        return;
    d->hashes[d->n++] = hash;
    if (__builtin_expect(d->n == DISTINCT_ROOM, 0))
        distinct_settle(d);
}

#endif
