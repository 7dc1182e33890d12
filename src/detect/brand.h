/* brand: the shipped list of imitated brands, and who they are (lists/brands.list). Immutable; any thread. */
#ifndef DNSMON_DETECT_BRAND_H
#define DNSMON_DETECT_BRAND_H

#include <stdbool.h>
#include <stddef.h>

enum brand_kind {
    BRAND_NAME,    /* a coined word */
    BRAND_WORD,    /* of the language, or short: counts beside a lure word only */
    BRAND_POPULAR, /* not of the list: the registered word of a name that is popular in this network */
    BRAND_KNOWN,   /* ... of one that several use here: counts with a hyphen and a lure word only */
};

struct brand {
    const char *word; /* not ended by NUL; the same pointer for the same entry of the list */
    size_t len;
    enum brand_kind kind;
    const char *domains; /* its owner's registered domains, with blanks between */
};

size_t brands_count(void);
struct brand brand_at(size_t i);

/* The brand of that word. */
bool brand_find(const char *word, size_t len, struct brand *ret);

/* Is the registered domain (text) among the brand's own? */
bool brand_owns(const struct brand *b, const char *domain, size_t len);

/* Is it any brand's own? Goes through the whole list: microseconds. */
bool brand_owned(const char *domain, size_t len);

#endif
