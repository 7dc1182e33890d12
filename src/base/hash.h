/* hash: XXH3 under the names we use it by.
 *
 * Hashes that reach the disk (filters, thresholds, digests) use a fixed seed;
 * in-memory tables fed by outside names add `hash_secret`, drawn once a process,
 * so that nobody can aim at their buckets.
 */
#ifndef DNSMON_BASE_HASH_H
#define DNSMON_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The hash of bytes that is stored: the same on every machine, for ever. */
static inline uint64_t hash_stable(const void *ptr, size_t len)
{
    return XXH3_64bits(ptr, len);
}

/* A cheap bijective mix (the finalizer of MurmurHash3, 64 bits). */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    x ^= x >> 33;
    return x;
}

/* Random, constant for the life of the process. */
uint64_t hash_secret(void);

static inline uint64_t hash_memory(const void *ptr, size_t len, uint64_t secret)
{
    return XXH3_64bits_withSeed(ptr, len, secret);
}

#endif
