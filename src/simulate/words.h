/* words: the material of made-up names, each a list of words between spaces. Immutable. */
#ifndef DNSMON_SIMULATE_WORDS_H
#define DNSMON_SIMULATE_WORDS_H

#include "simulate/rng.h"

enum word_list {
    WORDS_ENGLISH, WORDS_TRADE, WORDS_PINYIN, WORDS_ROMANCE, WORDS_GERMAN, WORDS_SLAVIC, WORDS_JAPANESE,
    WORDS_BRAND, /* syllables of no language */
    WORDS_LISTS,
};

/* The n-th word (of as many as there are, again from the first). Valid for ever; ended by NUL. */
const char *words_nth(enum word_list list, uint32_t n);

static inline const char *words_any(enum word_list list, struct rng *r)
{
    return words_nth(list, (uint32_t)(rng_u64(r) >> 40));
}

#endif
