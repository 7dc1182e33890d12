#include "base/distinct.h"

#include <stdlib.h>
#include <string.h>

#include "base/compare.h"

bool distinct_init(struct distinct *d)
{
    d->places = malloc(DISTINCT_PLACES * sizeof *d->places);
    if (d->places != NULL)
        distinct_clear(d);
    return d->places != NULL;
}

void distinct_release(struct distinct *d)
{
    free(d->places);
    d->places = NULL;
}

void distinct_clear(struct distinct *d)
{
    memset(d->places, 0, DISTINCT_PLACES * sizeof *d->places);
    d->n = 0;
    d->threshold = UINT64_MAX;
}

static bool put(struct distinct *d, uint64_t hash)
{
    uint32_t i = (uint32_t)(hash % DISTINCT_PLACES);
    for (; d->places[i] != 0; i = (i + 1) % DISTINCT_PLACES)
        if (d->places[i] == hash)
            return false;
    d->places[i] = hash;
    d->n++;
    return true;
}

/* Back to the DISTINCT_KEPT smallest. */
static void shrink(struct distinct *d)
{
    uint64_t *all = malloc(d->n * sizeof *all);
    if (all == NULL)
        return; /* the next addition tries again; at worst the set fills up and counts no more */
    uint32_t n = 0;
    for (uint32_t i = 0; i < DISTINCT_PLACES; i++)
        if (d->places[i] != 0)
            all[n++] = d->places[i];
    qsort(all, n, sizeof *all, compare_u64);
    distinct_clear(d);
    for (uint32_t i = 0; i < DISTINCT_KEPT; i++)
        put(d, all[i]);
    d->threshold = all[DISTINCT_KEPT - 1];
    free(all);
}

void distinct_add_slow(struct distinct *d, uint64_t hash)
{
    if (d->n < DISTINCT_PLACES / 2 && put(d, hash ? hash : 1) && d->n >= 2 * DISTINCT_KEPT)
        shrink(d);
}

uint64_t distinct_count(const struct distinct *d)
{
    if (d->threshold == UINT64_MAX)
        return d->n;
    /* what came since the last shrink is above nothing: the n-th smallest is the largest kept */
    uint64_t largest = 0;
    for (uint32_t i = 0; i < DISTINCT_PLACES; i++)
        if (d->places[i] > largest)
            largest = d->places[i];
    return (uint64_t)((double)(d->n - 1) / ((double)largest / 18446744073709551616.0));
}
