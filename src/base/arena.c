#include "base/arena.h"

#include "base/pages.h"

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
        pages_free(c, sizeof *c + c->bytes);
        c = next;
    }
    arena_init(a, a->chunk_bytes);
}

void arena_take_over(struct arena *a, struct arena *from)
{
    struct arena_chunk **end = a->current ? &a->current->next : &a->chunks;
    while (*end != NULL)
        end = &(*end)->next;
    *end = from->chunks;
    a->held += from->held;
    arena_init(from, from->chunk_bytes);
}

/* An arena doubles until its chunks are huge pages. */
static size_t chunk_size(const struct arena *a, size_t len)
{
    size_t bytes = a->held > a->chunk_bytes ? a->held : a->chunk_bytes;
    if (bytes > PAGES_HUGE - sizeof(struct arena_chunk))
        bytes = PAGES_HUGE - sizeof(struct arena_chunk);
    return len > bytes ? len : bytes;
}

/* The next kept chunk if it is large enough, else a new one put in front of it. */
void *arena_alloc_slow(struct arena *a, size_t len)
{
    struct arena_chunk *kept = a->current ? a->current->next : a->chunks;
    if (kept == NULL || kept->bytes < len) {
        size_t bytes = chunk_size(a, len);
        struct arena_chunk *fresh = pages_alloc(sizeof *fresh + bytes);
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
