#include "base/distinct.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool distinct_init(struct distinct *d)
{
    *d = (struct distinct){ .hashes = malloc(2 * DISTINCT_ROOM * sizeof *d->hashes), .threshold = UINT64_MAX };
    if (d->hashes == NULL)
        return false;
    d->spare = d->hashes + DISTINCT_ROOM;
    return true;
}

void distinct_release(struct distinct *d)
{
    free(d->hashes);
    d->hashes = d->spare = NULL;
}

/* One pass of a radix sort, by the byte that begins at bit `shift`; what was sorted is in `spare`'s
 * place afterwards. */
static void radix_pass(struct distinct *d, unsigned shift)
{
    uint32_t starts[256] = { 0 };
    for (uint32_t i = 0; i < d->n; i++)
        starts[d->hashes[i] >> shift & 0xff]++;
    for (uint32_t i = 0, sum = 0; i < 256; i++) {
        uint32_t count = starts[i];
        starts[i] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < d->n; i++)
        d->spare[starts[d->hashes[i] >> shift & 0xff]++] = d->hashes[i];
    uint64_t *swap = d->hashes;
    d->hashes = d->spare;
    d->spare = swap;
}

void distinct_settle(struct distinct *d)
{
    for (unsigned shift = 0; shift < 64; shift += 8) /* eight passes: `hashes` is what was allocated again */
        radix_pass(d, shift);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->n && kept < DISTINCT_KEPT; i++)
        if (kept == 0 || d->hashes[i] != d->hashes[kept - 1])
            d->hashes[kept++] = d->hashes[i];
    d->n = kept;
    if (kept == DISTINCT_KEPT)
        d->threshold = d->hashes[kept - 1];
}

uint64_t distinct_count(struct distinct *d)
{
    distinct_settle(d);
    if (distinct_is_exact(d))
        return d->n;
    return (uint64_t)((double)(d->n - 1) / ((double)d->threshold / 18446744073709551616.0));
}
