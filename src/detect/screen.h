/* screen: who is worth a closer look, told from the profile and the hour alone; and why the others are not.
 *
 * Pure; any thread. Cost: some comparisons, for it is asked of every name and hour. */
#ifndef DNSMON_DETECT_SCREEN_H
#define DNSMON_DETECT_SCREEN_H

#include "detect/channel.h"
#include "detect/profile.h"
#include "dns/suffix.h"

/*  XX(identifier, text in the funnel) */
#define SCREEN_MAP(XX)                                                                   \
    XX(CANDIDATE, "candidate")                                                           \
    XX(NO_DOMAIN, "no registered domain") /* a public suffix, or of a TLD that nobody delegated */ \
    XX(LITTLE, "asked for too little")    /* less than SCREEN_HOURS hours or SCREEN_QUERIES queries */ \
    XX(ESTABLISHED, "established")        /* known for SCREEN_YOUNG, with nothing new about it */ \
    XX(YOUNG_DATABASE, "database too young to tell") /* it may be as old as anything */ \
    XX(POPULAR, "popular for days")       /* broad on SCREEN_BROAD_DAYS days and more */

#define XX(id, text) SCREEN_##id,
enum screen { SCREEN_MAP(XX) SCREENS };
#undef XX

enum {
    SCREEN_HOURS = 2,
    SCREEN_QUERIES = 3,
    SCREEN_LEARNING = 24,       /* hours: what came in the first day of a database may be old; detectors know how young it is */
    SCREEN_YOUNG = 45 * 24,     /* hours since first asked for */
    SCREEN_NEWS = 7 * 24,       /* hours for which a return, or a new host, is news */
    SCREEN_HOSTS_KNOWN = 24,    /* hours after which a domain's new host is news */
    SCREEN_BROAD_DAYS = 7,
};

/* `first` is the database's first hour. The profile has the activity of `hour` in it, in which sub-names carried so many bytes
 * (channel.h). */
enum screen screen(const struct profile *p, uint32_t carried, uint32_t hour, uint32_t first);
/* Whether it can be a registered domain: else SCREEN_NO_DOMAIN. `owner` is a key. */
bool screen_name(const struct suffix_list *suffixes, struct slice owner);
const char *screen_text(enum screen s);

#endif
