/* pages: large memory that is read at random.
 *
 * Asked to be of huge pages where it is large enough for one: hash tables and arenas
 * of hundreds of megabytes otherwise miss in the address translation on nearly every access, and
 * each new 4 KiB page costs a fault. Any thread.
 */
#ifndef DNSMON_BASE_PAGES_H
#define DNSMON_BASE_PAGES_H

#include <stddef.h>

enum { PAGES_HUGE = 2 << 20 };

/* NULL when the system has no memory left. Released by pages_free with the same size. */
void *pages_alloc(size_t bytes);
void *pages_alloc_zeroed(size_t bytes);
void pages_free(void *pages, size_t bytes);

#endif
