/* inside: what the files of judging share. */
#ifndef DNSMON_DETECT_VERDICT_INSIDE_H
#define DNSMON_DETECT_VERDICT_INSIDE_H

#include "detect/verdict/judge.h"

/* Strength in the direction of its group, faded, not capped; 0 when it does not count: its owner is allowed, it was said of a former
 * registrant, or its sign is not its group's. */
double row_weight(const struct standing *s, const struct standing_row *row, double fade);

/* Fills scope, scope_why, hosts and what is hit. */
void scope_choose(const struct standing *s, const struct verdict_weights *w, struct judgement *j);
/* The same for a domain that is exonerated: the hosts of which external evidence speaks. False: there are none. */
bool scope_external_hosts(const struct standing *s, const struct verdict_weights *w, struct judgement *j);

#endif
