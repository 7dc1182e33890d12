/* nest: rules of a policy zone below other rules of it.
 *
 * A domain's rule owns "*.bad.example". A name below, x.bad.example, that has records of its own takes itself, what is below it, and the names
 * between the two out of that wildcard: the closest encloser is another then (RFC 4592, 3.3.1; resolvers differ, BIND keeps to it). So of the rules that are
 * wanted, one below a listed domain is *nested*, and what the zone holds follows:
 *
 *     the same action as the domain's      nothing: it is covered
 *     another                              its own rule; and for each name from it up to the topmost domain the domain's rule that holds there, so
 *                                          that nothing beside it falls through
 *
 * Nested rules are few and are kept in lists here; all others are the zone's. Of those it is counted below which names they lie (16 bytes
 * for each name that has some and has two labels at least), so that a new domain above them finds them.
 *
 *     nest_put ...      in a version under way: what is wanted of a trigger
 *     nest_mind ...     when nest_is_due: of each that was put, again
 *     nest_settle       before the version is committed
 *
 * After a failure other than E_MALFORMED neither nest nor zone are whole. Value type: {0} .. nest_release; one thread, the zone's. */
#ifndef DNSMON_PROTECT_NEST_H
#define DNSMON_PROTECT_NEST_H

#include "protect/rpz/zone.h"
#include "protect/triggers.h"

struct nest_count;

struct nest {
    struct triggers nested; /* that are wanted below a listed domain */
    struct triggers made;   /* that the zone has because of these */
    struct nest_count *below;
    size_t n_below, size_below;
    bool is_due;            /* something may have come above or below something else */
};

void nest_release(struct nest *n);

/* What is wanted: an action of the zone, or -1. Other triggers than hosts and domains have nothing above them. */
int nest_find(const struct nest *n, const struct zone *zone, enum trigger trigger, const char *name);
int nest_put(struct nest *n, struct zone *zone, enum trigger trigger, const char *name, int action, struct fault *why) MUST_CHECK;

int nest_mind(struct nest *n, struct zone *zone, enum trigger trigger, const char *name, struct fault *why) MUST_CHECK;
int nest_settle(struct nest *n, struct zone *zone, struct fault *why) MUST_CHECK;

/* The action that is wanted of the nearest domain above a name, -1 = none. */
int nest_above(const struct nest *n, const struct zone *zone, const char *name);

#endif
