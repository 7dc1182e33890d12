/* must: a property of a fuzz target; says which one broke. Holds whatever NDEBUG says. */
#ifndef DNSMON_FUZZ_MUST_H
#define DNSMON_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define must(property) ((property) ? (void)0 : must_failed(__FILE__, __LINE__, #property))

static inline void must_failed(const char *file, int line, const char *property)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    abort();
}

#endif
