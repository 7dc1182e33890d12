/* views: what is published, as policy zones in memory: one for each view of the configuration, made from the knowledge file and kept
 * up with it.
 *
 *     views_create
 *     views_begin     by whoever may write: a version for this life of the server
 *     views_load      all that is published, and the journal
 *     views_follow    versions that were made since, again and again
 *
 * A zone's versions are those of the knowledge file in which something of its view changed, and those in which nothing changed at all, which are
 * made so that serials rise. Made anew they are the same, so differences are answered over restarts. The journal
 * begins where the views were last configured otherwise, for then other records follow from the same history.
 *
 * What operators allow below a domain that a view shows is an exception in it: a rule that passes it through.
 *
 * What no zone can hold (a name that is too long below the view's) is left out and counted: it never keeps the others from being published.
 * Handle type. One thread, that of the server which answers for the zones.
 */
#ifndef DNSMON_PROTECT_VIEWS_H
#define DNSMON_PROTECT_VIEWS_H

#include "protect/protection.h"
#include "protect/rpz/zone.h"

enum {
    VIEWS_JOURNAL = 100000,         /* changes that a restart reads back */
    VIEWS_JOURNAL_VERSIONS = 10000,
};

struct views;

/* The configuration is borrowed. E_USAGE: a view's zone or action is none. */
int views_create(struct views **ret, const struct protection *p, struct fault *why) MUST_CHECK;
void views_destroy(struct views **v);

unsigned views_count(const struct views *v);
struct zone *views_zone(const struct views *v, unsigned i); /* of p->views[i] */

/* Seals a version at `now` even if nothing changed: a zone that lost part of its past (a restored backup) goes on above what secondaries have
 * seen, and what they hold of the lost part is told from what is known. */
int views_begin(const struct views *v, struct knowledge *k, int64_t now, struct fault *why) MUST_CHECK;

/* Once. E_ABSENT: there is no version yet. */
int views_load(struct views *v, struct knowledge *k, struct fault *why) MUST_CHECK;

/* *ret_changed: there is a version that was not there before. On a failure the zones are at a former version, whole. */
int views_follow(struct views *v, struct knowledge *k, bool *ret_changed, struct fault *why) MUST_CHECK;

/* What no zone could hold, since views_load, and why the last one could not. */
uint64_t views_refused(const struct views *v, const char **ret_why);

#endif
