/* look: which brand a registered word imitates, and how (look-alike/note.md).
 *
 * The index is made of the shipped brands and of names popular in the network, once a comparison. It holds the skeleton of
 * each word, and each word with one letter left out (symmetric deletion): two words within one edit share one of
 * these. So a look-up is some hundred probes of a hash table whatever the number of brands. Matching is pure; read-only after
 * making: any thread. */
#ifndef DNSMON_DETECT_LOOK_ALIKE_LOOK_H
#define DNSMON_DETECT_LOOK_ALIKE_LOOK_H

#include "base/fault.h"
#include "detect/brand.h"

enum look {
    LOOK_NONE,
    LOOK_SUFFIX,      /* the brand itself below another suffix */
    LOOK_TYPING,      /* one edit away */
    LOOK_SWAPPED,     /* ... by two neighbours that changed places */
    LOOK_WORDS,       /* the brand beside other words */
    LOOK_LURE,        /* ... beside words of a lure */
    LOOK_ACCENTED,    /* letters with marks */
    LOOK_CHARACTERS,  /* digits and pairs of letters that look like the brand's */
    LOOK_SCRIPT,      /* letters of another script */
};

struct look_match {
    struct brand brand;
    enum look how;
    double nats; /* of a new name */
};

struct look_index;

/* `popular`: words with `domains` that outlive the index. */
int look_index_create(struct look_index **ret, const struct brand *popular, size_t n, struct fault *why) MUST_CHECK;
void look_index_destroy(struct look_index **x);

/* The strongest match of a registered word (lower-case); false when it is like none. */
bool look_at(const struct look_index *x, const char *word, size_t len, struct look_match *ret);

const char *look_text(enum look how); /* "has letters of another script that look like those of", ... */

#endif
