/* rng: pseudo-random numbers that are the same on every machine.
 *
 * SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): eight bytes of state,
 * so that every process of the simulation has a stream of its own and what one draws changes nothing for another.
 * In C the order in which operands and arguments are evaluated is open: no expression draws twice, unless in a product
 * of two or behind a condition. The logarithm is our own: that of the C library may differ in its last bit between processors. Value type.
 */
#ifndef DNSMON_SIMULATE_RNG_H
#define DNSMON_SIMULATE_RNG_H

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* A stream of its own for each (seed, stream). */
static inline struct rng rng_make(uint64_t seed, uint64_t stream)
{
    return (struct rng){ hash_mix(hash_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ (stream * UINT64_C(0xd1b54a32d192ed03))) };
}

static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 0 to n - 1; n > 0. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)((rng_u64(r) >> 32) * n >> 32);
}

/* lo to hi, both included. */
static inline uint32_t rng_range(struct rng *r, uint32_t lo, uint32_t hi)
{
    return lo + rng_below(r, hi - lo + 1);
}

/* [0, 1) */
static inline double rng_real(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

static inline bool rng_chance(struct rng *r, double p)
{
    return rng_real(r) < p;
}

/* Natural logarithm of x > 0, to 1e-7. */
double rng_log(double x);

/* Exponentially distributed. */
static inline double rng_exponential(struct rng *r, double mean)
{
    return -mean * rng_log(rng_real(r) + 0x1p-54);
}

#endif
