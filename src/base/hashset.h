/* hashset: a set of 64-bit hashes, none of which is 0. Open addressing with linear probing; 16 to 32 bytes a hash.
 *
 * The low bits choose the place: hand in hashes that are mixed. Who puts names in by their hashes takes two names for one once in 2^64 pairs.
 * Value type: {0} is empty, hashset_release ends it; one thread. */
#ifndef DNSMON_BASE_HASHSET_H
#define DNSMON_BASE_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashset {
    uint64_t *slots; /* 0 = free */
    size_t count, size; /* size: a power of two, or 0; at most half full */
};

/* 1: it is new, 0: it is there already, E_NOMEM. */
int hashset_add(struct hashset *s, uint64_t hash);
bool hashset_has(const struct hashset *s, uint64_t hash);
void hashset_release(struct hashset *s);

#endif
