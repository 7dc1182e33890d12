#include "simulate/heap.h"

#include <stdlib.h>

void heap_init(struct heap *h, size_t limit)
{
    *h = (struct heap){ .limit = limit };
}

void heap_release(struct heap *h)
{
    free(h->entries);
    *h = (struct heap){ 0 };
}

/* Orders wrap after 2^32 pushes: their distance tells which is older. */
static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : (int32_t)(a->order - b->order) < 0;
}

static int grow(struct heap *h)
{
    size_t capacity = h->capacity ? h->capacity * 2 : 1024;
    if (h->n >= h->limit)
        return E_LIMIT;
    struct heap_entry *entries = realloc(h->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return E_NOMEM;
    h->entries = entries;
    h->capacity = capacity;
    return E_OK;
}

int heap_push(struct heap *h, int64_t time_ns, uint32_t what)
{
    int rc = h->n == h->capacity || h->n >= h->limit ? grow(h) : E_OK;
    if (rc != 0)
        return rc;
    struct heap_entry e = { time_ns, h->pushed++, what };
    size_t at = h->n++;
    for (size_t up; at > 0 && before(&e, &h->entries[up = (at - 1) / 4]); at = up)
        h->entries[at] = h->entries[up];
    h->entries[at] = e;
    return E_OK;
}

static size_t first_child(const struct heap *h, size_t at)
{
    size_t child = 4 * at + 1, end = child + 4 < h->n ? child + 4 : h->n, first = child;
    for (size_t i = child + 1; i < end; i++)
        if (before(&h->entries[i], &h->entries[first]))
            first = i;
    return first;
}

bool heap_pop(struct heap *h, struct heap_entry *ret)
{
    if (h->n == 0)
        return false;
    *ret = h->entries[0];
    struct heap_entry last = h->entries[--h->n];
    size_t at = 0;
    for (size_t child; 4 * at + 1 < h->n && before(&h->entries[child = first_child(h, at)], &last); at = child)
        h->entries[at] = h->entries[child];
    if (h->n > 0)
        h->entries[at] = last;
    return true;
}
