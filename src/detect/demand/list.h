/* list: the registered domains that were asked for in a span of hours and did not exist, the most promising for a sinkhole first.
 *
 * Promising is what many clients go on asking for. Typing errors have many clients, too, but each asks in an hour or two; so the
 * hours in which a client asks again count squared: promise = clients * (client hours / clients - 1)^2. Names that are registered by now
 * come last.
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
    uint32_t exists_last;   /* and the last */
    uint64_t client_hours;  /* sum of the clients of each hour in which it was missing */
    double promise;
};

/* The last that was said of it is that it exists. */
static inline bool demand_is_registered(const struct demand_name *n)
{
    return n->exists_last > n->last;
}

struct demand_list {
    struct demand_name *names; /* in this order; of equals by clients, queries, owner */
    size_t n, room;
    uint64_t missing;          /* how many there were in all */
};

/* Of hours [from, to], at most `room` names, 1 to DEMAND_NAMES, each missing on `least_days` days or more. */
int demand_list_make(struct demand_list *ret, struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t to,
                     uint32_t least_days, size_t room, struct fault *why) MUST_CHECK;
void demand_list_release(struct demand_list *l);

#endif
