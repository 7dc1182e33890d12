/* naming: made-up names, as people, companies and programs make them.
 *
 * `naming_label` makes the label below a public suffix in one of several manners; `naming_suffix` draws a public
 * suffix about as often as it is met. Nothing here remembers: who needs unique names asks again (simulate/zones.h).
 * Pure, but for the generator.
 */
#ifndef DNSMON_SIMULATE_NAMING_H
#define DNSMON_SIMULATE_NAMING_H

#include "simulate/rng.h"

enum naming_manner {
    NAMING_ANY,    /* drawn among the following as the world has them */
    NAMING_WORDS,  /* two words, perhaps with a hyphen */
    NAMING_TRADE,  /* a word and a trade */
    NAMING_BRAND,  /* syllables */
    NAMING_ABBR,   /* two to five letters, perhaps a number */
    NAMING_NUMBER, /* a word and a number, or digits alone */
    NAMING_PINYIN, NAMING_ROMANCE, NAMING_GERMAN, NAMING_SLAVIC, NAMING_JAPANESE,
    NAMING_PHRASE, /* three or four words */
    NAMING_RANDOM, /* 8 to 14 letters and digits by a program */
};

enum { NAMING_LABEL_MAX = 63 };

/* A label with its final NUL. */
void naming_label(struct rng *r, enum naming_manner manner, char ret[NAMING_LABEL_MAX + 1]);

/* Letters of a keyboard slip: one dropped, doubled, swapped or replaced. */
void naming_typo(struct rng *r, const char *label, char ret[NAMING_LABEL_MAX + 1]);

/* "com", "co.uk", "github.io"; valid for ever. */
const char *naming_suffix(struct rng *r);

/* A suffix where names cost nothing or little. */
const char *naming_cheap_suffix(struct rng *r);

/* `n` random letters and digits (first a letter), or letters alone; without a NUL. */
void naming_random(struct rng *r, char *to, size_t n, bool digits);

#endif
