/* list: the registered domains that were asked for in a span of hours and did not exist, those with the most clients first.
 *
 * Read from domain activity; names under a TLD that is not delegated are left out. Cost: one scan of the span's domain
 * activity. Memory: as many names as are wanted. Value type; one thread.
 */
#ifndef DNSMON_DETECT_DEMAND_LIST_H
#define DNSMON_DETECT_DEMAND_LIST_H

#include "dns/suffix.h"
#include "record/activity.h"
#include "store/store.h"

enum { DEMAND_NAMES = 1000 };

struct demand_name {
    uint8_t owner[NAME_KEY_MAX]; /* key */
    size_t owner_len;
    uint32_t first, last;   /* hours in which it was missing */
    uint32_t hours, days;   /* so many */
    uint64_t clients;       /* in these hours, estimated when there are many */
    uint64_t queries;       /* that were answered so */
    uint32_t exists;        /* the first hour, of the span, with an answer that says that it exists; 0 = none */
};

struct demand_list {
    struct demand_name *names; /* by clients, then queries, falling; then by owner */
    size_t n, room;
    uint64_t missing;          /* how many there were in all */
};

/* Of hours [from, to], at most `room` names, 1 to DEMAND_NAMES, each missing in `least_hours` hours or more. */
int demand_list_make(struct demand_list *ret, struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t to,
                     uint32_t least_hours, size_t room, struct fault *why) MUST_CHECK;
void demand_list_release(struct demand_list *l);

#endif
