/* portrait: what is compared of a subject, at the end of a period. Small: there are as many as candidates.
 *
 * Made from a subject's view; memory is of the arena it was made in. Read-only afterwards; any thread. */
#ifndef DNSMON_DETECT_PORTRAIT_H
#define DNSMON_DETECT_PORTRAIT_H

#include "base/arena.h"
#include "detect/subject.h"

enum { PORTRAIT_LABELS = 32, PORTRAIT_TARGETS = 32 };

enum target_kind { TARGET_ADDRESS, TARGET_NAME /* CNAME, MX, SRV, HTTPS target: its registered domain */, TARGET_NS /* likewise */ };

struct portrait_hour {
    uint16_t at; /* hours since window_from */
    uint32_t queries;
    uint32_t clients;
};

struct portrait_label { /* the first label of a host one level below the domain */
    const char *text;
    uint64_t hash;
    uint64_t alias; /* hash of the target that its CNAME leads to; 0 = none, or within the domain */
    uint32_t first_s;
    bool answered;  /* in the window, with data */
};

struct portrait_target {
    uint8_t kind;       /* enum target_kind */
    uint64_t hash;      /* of kind and value */
    struct slice value; /* 4 or 16 bytes of an address, else the owner key of a registered domain */
    uint32_t first_s;
};

struct portrait {
    struct slice owner;
    const char *name;
    uint32_t step;
    uint32_t first_s;
    uint32_t window_from;
    struct profile profile;
    const struct portrait_hour *hours;
    const uint64_t *clients; /* rising */
    const struct portrait_label *labels;     /* by first_s, at most PORTRAIT_LABELS */
    const struct portrait_target *targets;   /* by first_s, at most PORTRAIT_TARGETS */
    uint16_t n_hours, n_clients, n_labels, n_targets;
    bool clients_whole;
    bool exists;  /* in the window an answer said that it is registered */
    bool missing; /* ... that it is not */
};

struct portrait *portrait_make(const struct subject *s, struct arena *memory); /* NULL: no memory */

#endif
