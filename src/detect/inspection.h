/* inspection: the candidates of a chunk, examined name by name through all its steps.
 *
 * Each candidate's history is read once. Detectors examine it at each step in which it was asked for and screening lets it
 * through; at the end of each whole period in whose last 24 hours that was so they examine it, too, and its portrait is taken. Names
 * are shared among threads; what comes out is sorted, so it does not depend on how. Value type; one thread, which makes the others.
 */
#ifndef DNSMON_DETECT_INSPECTION_H
#define DNSMON_DETECT_INSPECTION_H

#include "detect/census.h"
#include "detect/findings.h"

enum { INSPECTION_THREADS = 64, FIGURES_DAYS = 3, FIGURES_HOSTS = 64 };

/* Who would be hit if a name were blocked, as of a step: of the last FIGURES_DAYS. */
struct figures_host {
    struct slice owner;
    uint32_t first;   /* hour */
    uint32_t clients; /* the most in an hour */
    uint64_t queries;
};
struct figures {
    uint32_t last_asked; /* hour */
    uint32_t first;      /* hour it was first seen */
    uint32_t registered; /* hour in which it was found registered after it had not been; 0 = never so */
    uint32_t broad_days;
    uint32_t clients;    /* different ones of the window, or more */
    uint64_t queries;
    const struct figures_host *hosts; /* the most asked for, by owner */
    unsigned n_hosts;
};

/* A name was examined at a step: what was said of it earlier and is not said again is over. */
struct examined {
    struct slice owner; /* of the registered domain; the census' */
    uint32_t step;
    const struct figures *figures; /* NULL: nothing was said */
    const struct kept_finding *findings;
    size_t n_findings;
};

/* The end of a whole period. */
struct inspected_panel {
    const struct portrait **portraits; /* by owner */
    const struct figures **figures;    /* of the same */
    size_t n;
};

struct inspection {
    struct examined *examined; /* by step, then owner */
    size_t n_examined;
    struct inspected_panel *panels; /* of each whole period of the chunk */
    size_t n_panels;
    struct inspector *inspectors; /* one a thread; they own the memory */
    unsigned n_inspectors;
};

/* `without`: a detector that is left out, or NULL. */
int inspection_run(struct inspection *ret, const struct census *census, struct store *store, const struct suffix_list *suffixes,
                   unsigned threads, const char *without, struct fault *why) MUST_CHECK;
void inspection_release(struct inspection *i);

#endif
