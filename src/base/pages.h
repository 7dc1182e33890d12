/* pages: memory with regard to what the machine reads at once.
 *
 * Large memory that is read at random: asked to be of huge pages where it is large enough for one: hash tables and arenas
 * of hundreds of megabytes otherwise miss in the address translation on nearly every access, and
 * each new 4 KiB page costs a fault. Any thread.
 */
#ifndef DNSMON_BASE_PAGES_H
#define DNSMON_BASE_PAGES_H

#include <stddef.h>

enum { PAGES_HUGE = 2 << 20, CACHE_LINE = 64 };

/* NULL when the system has no memory left. Released by pages_free with the same size. */
void *pages_alloc(size_t bytes);
void *pages_alloc_zeroed(size_t bytes);
void pages_free(void *pages, size_t bytes);

/* For what threads write side by side: a line that two of them share goes to and fro between their
 * caches (decoding with two threads took half as long again). Zeroed; released by free. */
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE)))
void *lines_alloc_zeroed(size_t bytes);

#endif
