/* facts: the JSON object of a finding, made in a fixed buffer.
 *
 *     struct facts f;
 *     facts_begin(&f);
 *     facts_number(&f, "period_s", 3600);
 *     facts_text(&f, "host", host, strlen(host));
 *     facts_open(&f, "clients", FACTS_LIST);
 *     for (...)
 *         facts_number(&f, NULL, asks[i]);
 *     facts_close(&f);
 *     finding.facts = facts_end(&f);
 *
 * Never fails and never overflows: what does not fit into FINDING_FACTS is left out with all that comes after it, what
 * is open is closed, and the object ends with "cut":true. So say the figures first and the long lists last. Value type;
 * the text is valid as long as the struct. No allocation. One thread.
 */
#ifndef DNSMON_DETECT_FACTS_H
#define DNSMON_DETECT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/detector.h"

enum facts_nest { FACTS_LIST, FACTS_OBJECT };
enum { FACTS_DEPTH = 6 };

struct facts {
    bool cut;
    bool first; /* of its list or object: no comma before it */
    unsigned depth;
    uint8_t kind[FACTS_DEPTH];
    bool shown[FACTS_DEPTH]; /* it has its bracket in the text */
    size_t len;
    char text[FINDING_FACTS];
};

void facts_begin(struct facts *f);

/* Members. `name` is our own word, without anything to escape; NULL inside a list. */
void facts_number(struct facts *f, const char *name, double value); /* six digits; no number: null */
void facts_count(struct facts *f, const char *name, uint64_t value);
void facts_flag(struct facts *f, const char *name, bool value);
void facts_text(struct facts *f, const char *name, const char *text, size_t len); /* any bytes; non-ASCII taken for Latin-1 */

/* Hourly values of consecutive hours: {"from":HOUR,"values":[...]}. The first is of hour `from`. */
void facts_series(struct facts *f, const char *name, uint32_t from, const uint32_t *values, size_t n);

/* Lists and objects inside, to FACTS_DEPTH. */
void facts_open(struct facts *f, const char *name, enum facts_nest nest);
void facts_close(struct facts *f);

/* Closes what is open. */
const char *facts_end(struct facts *f);

#endif
