#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t round_up(size_t bytes)
{
    return (bytes + PAGES_HUGE - 1) & ~(size_t)(PAGES_HUGE - 1);
}

/* A mapping that begins at a multiple of a huge page: what is mapped too much is given back. */
static uint8_t *map_aligned(size_t bytes)
{
    uint8_t *all = mmap(NULL, bytes + PAGES_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    size_t before = (size_t)(-(uintptr_t)all & (PAGES_HUGE - 1));
    if (before)
        munmap(all, before);
    munmap(all + before + bytes, PAGES_HUGE - before);
    return all + before;
}

static void *map(size_t bytes)
{
    if (bytes > SIZE_MAX - 2 * (size_t)PAGES_HUGE)
        return NULL;
    bytes = round_up(bytes);
    uint8_t *pages = map_aligned(bytes);
    if (pages != NULL)
        madvise(pages, bytes, MADV_HUGEPAGE); /* a wish: small pages do as well */
    return pages;
}

void *pages_alloc(size_t bytes)
{
    return bytes < PAGES_HUGE ? malloc(bytes) : map(bytes);
}

/* What is mapped anew is zero. */
void *pages_alloc_zeroed(size_t bytes)
{
    return bytes < PAGES_HUGE ? calloc(1, bytes) : map(bytes);
}

void *lines_alloc_zeroed(size_t bytes)
{
    bytes = (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    void *lines = aligned_alloc(CACHE_LINE, bytes);
    return lines ? memset(lines, 0, bytes) : NULL;
}

void pages_free(void *pages, size_t bytes)
{
    if (bytes < PAGES_HUGE)
        free(pages);
    else if (pages != NULL)
        munmap(pages, round_up(bytes));
}
