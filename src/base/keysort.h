/* keysort: sorts byte strings in memory.
 *
 * An item carries the first eight bytes of its key as a number, so most comparisons
 * touch nothing else (string sorting with cached prefixes: Kärkkäinen & Rantala,
 * "Engineering Radix Sort for Strings", 2008, section 2). Quicksort with median of three
 * and insertion sort for short ranges; a range that recurses too deep is heap-sorted, so
 * chosen keys cannot make it quadratic. Not stable. No allocation.
 */
#ifndef DNSMON_BASE_KEYSORT_H
#define DNSMON_BASE_KEYSORT_H

#include "base/bytes.h"

struct keysort_item {
    uint64_t prefix;
    const uint8_t *key;
    uint32_t len;
    uint32_t index; /* the caller's */
};

static inline uint64_t keysort_prefix(const uint8_t *key, size_t len)
{
    if (len >= 8)
        return get_be64(key);
    uint8_t padded[8] = { 0 };
    memcpy(padded, key, len);
    return get_be64(padded);
}

static inline bool keysort_less(const struct keysort_item *a, const struct keysort_item *b)
{
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix;
    return slice_compare((struct slice){ a->key, a->len }, (struct slice){ b->key, b->len }) < 0;
}

void keysort(struct keysort_item *items, size_t n);

#endif
