/* keysort: sorts byte strings in memory.
 *
 * Radix sort over windows of eight bytes (Kärkkäinen & Rantala, "Engineering Radix Sort for
 * Strings", 2008, section 2). An item carries the window at hand as a number. A range is sorted
 * by it, byte by byte from the last (only bytes that differ somewhere cost a pass); items whose
 * windows are equal go on to the next one. So a key's memory is read once for each eight bytes
 * that it shares, not once a comparison, and no choice of keys makes it slow: time is linear in
 * the bytes that tell keys apart. Not stable. No allocation.
 */
#ifndef DNSMON_BASE_KEYSORT_H
#define DNSMON_BASE_KEYSORT_H

#include "base/bytes.h"

struct keysort_item {
    uint64_t window;    /* keysort's own */
    const uint8_t *key; /* borrowed */
    uint32_t len;       /* of the key */
    uint32_t index;     /* the caller's */
};

/* Sorts by key, shorter first where one begins the other. `spare` has room for n items. */
void keysort(struct keysort_item *items, struct keysort_item *spare, size_t n);

#endif
