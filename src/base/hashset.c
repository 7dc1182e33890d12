#include "base/hashset.h"

#include "base/fault.h"

#include <stdlib.h>

/* Where it is, or would be. */
static uint64_t *place_of(const struct hashset *s, uint64_t hash)
{
    size_t at = hash & (s->size - 1);
    while (s->slots[at] != 0 && s->slots[at] != hash)
        at = (at + 1) & (s->size - 1);
    return &s->slots[at];
}

static bool grow(struct hashset *s)
{
    struct hashset wide = { .size = s->size ? 2 * s->size : 1024, .count = s->count };
    wide.slots = calloc(wide.size, sizeof *wide.slots);
    if (wide.slots == NULL)
        return false;
    for (size_t i = 0; i < s->size; i++)
        if (s->slots[i] != 0)
            *place_of(&wide, s->slots[i]) = s->slots[i];
    free(s->slots);
    *s = wide;
    return true;
}

int hashset_add(struct hashset *s, uint64_t hash)
{
    if (2 * s->count >= s->size && !grow(s))
        return E_NOMEM;
    uint64_t *place = place_of(s, hash);
    if (*place != 0)
        return 0;
    *place = hash;
    s->count++;
    return 1;
}

bool hashset_has(const struct hashset *s, uint64_t hash)
{
    return s->size != 0 && *place_of(s, hash) != 0;
}

void hashset_release(struct hashset *s)
{
    free(s->slots);
    *s = (struct hashset){ .count = 0 };
}
