/* arena: many small allocations, freed together.
 *
 * Memory comes in chunks, which grow with the arena up to huge pages (base/pages.h);
 * `arena_reset` keeps the chunks for the next unit of work, so a steady state calls malloc
 * never. Allocations are 8-byte aligned and not zeroed. `used` counts bytes handed out and `held` bytes taken from the
 * system; owners compare them with their budgets. One owner, one thread.
 */
#ifndef DNSMON_BASE_ARENA_H
#define DNSMON_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* all, in order of use */
    struct arena_chunk *current;
    uint8_t *next;
    uint8_t *end;
    size_t chunk_bytes;
    size_t used;
    size_t held;
};

void arena_init(struct arena *a, size_t chunk_bytes);
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

/* Takes all memory of `from`, in which nothing is alive: it is reset, and then has none. */
void arena_take_over(struct arena *a, struct arena *from);

void *arena_alloc_slow(struct arena *a, size_t len);

/* NULL when the system has no memory left. No bytes are some, too, so that NULL has one meaning. */
static inline void *arena_alloc(struct arena *a, size_t len)
{
    len = (len + (len == 0) + 7) & ~(size_t)7;
    if (__builtin_expect((size_t)(a->end - a->next) < len, 0))
        return arena_alloc_slow(a, len);
    void *p = a->next;
    a->next += len;
    a->used += len;
    return p;
}

/* Keeps `len` bytes of the latest allocation, of which nothing else has been told yet. */
static inline void arena_keep(struct arena *a, void *latest, size_t len)
{
    uint8_t *end = (uint8_t *)latest + ((len + 7) & ~(size_t)7);
    a->used -= (size_t)(a->next - end);
    a->next = end;
}

#endif
