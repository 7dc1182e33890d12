#include "base/arena.h"

#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t bytes;
    uint8_t data[];
};

void arena_init(struct arena *a, size_t chunk_bytes)
{
    *a = (struct arena){ .chunk_bytes = chunk_bytes };
}

static void use_chunk(struct arena *a, struct arena_chunk *chunk)
{
    a->current = chunk;
    a->next = chunk ? chunk->data : NULL;
    a->end = chunk ? chunk->data + chunk->bytes : NULL;
}

void arena_reset(struct arena *a)
{
    use_chunk(a, a->chunks);
    a->used = 0;
}

void arena_release(struct arena *a)
{
    for (struct arena_chunk *c = a->chunks; c != NULL;) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    arena_init(a, a->chunk_bytes);
}

/* The next kept chunk if it is large enough, else a new one put in front of it. */
void *arena_alloc_slow(struct arena *a, size_t len)
{
    struct arena_chunk *kept = a->current ? a->current->next : a->chunks;
    if (kept == NULL || kept->bytes < len) {
        size_t bytes = len > a->chunk_bytes ? len : a->chunk_bytes;
        struct arena_chunk *fresh = malloc(sizeof *fresh + bytes);
        if (fresh == NULL)
            return NULL;
        fresh->bytes = bytes;
        fresh->next = kept;
        if (a->current)
            a->current->next = fresh;
        else
            a->chunks = fresh;
        a->held += bytes;
        kept = fresh;
    }
    use_chunk(a, kept);
    void *p = a->next;
    a->next += len;
    a->used += len;
    return p;
}
