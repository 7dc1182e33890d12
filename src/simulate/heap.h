/* heap: what happens next.
 *
 * A four-ary heap of (time, what). Equal times come out in the order in which they went in, so that a run is
 * determined by its seed alone. Value type; one thread. The entries grow up to the limit given.
 */
#ifndef DNSMON_SIMULATE_HEAP_H
#define DNSMON_SIMULATE_HEAP_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    int64_t time_ns;
    uint32_t order;
    uint32_t what;
};

struct heap {
    struct heap_entry *entries;
    size_t n, capacity, limit;
    uint32_t pushed;
};

void heap_init(struct heap *h, size_t limit);
void heap_release(struct heap *h);

/* E_NOMEM, or E_LIMIT when it is full. */
int heap_push(struct heap *h, int64_t time_ns, uint32_t what) MUST_CHECK;

/* The earliest; false when there is none. */
bool heap_pop(struct heap *h, struct heap_entry *ret);

#endif
