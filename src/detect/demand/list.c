#include "detect/demand/list.h"

#include <assert.h>
#include <stdlib.h>

struct making {
    struct demand_list *list;
    const struct suffix_list *suffixes;
    uint32_t from, to, least_days;
    struct demand_name now; /* the name that is being read; owner_len 0 = none */
    struct activity clients; /* of its hours in which it was missing */
    struct activity hour;
};

static int order(const struct demand_name *a, const struct demand_name *b)
{
    if (demand_is_registered(a) != demand_is_registered(b))
        return demand_is_registered(a) ? 1 : -1;
    if (a->promise != b->promise)
        return a->promise > b->promise ? -1 : 1;
    if (a->clients != b->clients)
        return a->clients > b->clients ? -1 : 1;
    if (a->queries != b->queries)
        return a->queries > b->queries ? -1 : 1;
    return slice_compare((struct slice){ a->owner, a->owner_len }, (struct slice){ b->owner, b->owner_len });
}

static void keep(struct demand_list *l, const struct demand_name *name)
{
    if (l->n == l->room && order(name, &l->names[l->n - 1]) > 0)
        return;
    size_t at = l->n < l->room ? l->n++ : l->n - 1;
    for (; at > 0 && order(name, &l->names[at - 1]) < 0; at--)
        l->names[at] = l->names[at - 1];
    l->names[at] = *name;
}

static double promise_of(const struct demand_name *n)
{
    double clients = n->clients ? (double)n->clients : 1, again = (double)n->client_hours / clients - 1;
    return again > 0 ? clients * again * again : 0;
}

static void finish_name(struct making *m)
{
    struct demand_name *now = &m->now;
    if (now->days >= m->least_days && now->hours > 0 && suffix_tld(m->suffixes, now->owner, now->owner_len)) {
        now->clients = activity_clients(&m->clients);
        now->promise = promise_of(now);
        m->list->missing++;
        keep(m->list, now);
    }
}

static void begin_name(struct making *m, struct slice owner)
{
    m->now = (struct demand_name){ .owner_len = owner.len };
    memcpy(m->now.owner, owner.ptr, owner.len);
    activity_init(&m->clients, true);
}

static void add_hour(struct making *m, uint32_t hour)
{
    const uint64_t *c = m->hour.counters;
    struct demand_name *now = &m->now;
    if (c[ACTIVITY_NOERROR] || c[ACTIVITY_NODATA] || c[ACTIVITY_NX_HOST]) {
        now->exists = now->exists ? now->exists : hour;
        now->exists_last = hour;
    }
    if (c[ACTIVITY_NX_DOMAIN] == 0)
        return;
    now->first = now->hours ? now->first : hour;
    now->days += now->hours == 0 || now->last / 24 != hour / 24;
    now->last = hour;
    now->hours++;
    now->queries += c[ACTIVITY_NX_DOMAIN];
    now->client_hours += activity_clients(&m->hour);
    activity_merge(&m->clients, &m->hour);
}

static int entry(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct making *m = ctx;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || owner.len > sizeof m->now.owner)
        return fault_set(why, E_CORRUPT, "domain activity: bad key");
    if (hour < m->from || hour > m->to)
        return E_OK;
    if (!activity_get(value, true, &m->hour))
        return fault_set(why, E_CORRUPT, "domain activity: bad value");
    if (slice_compare(owner, (struct slice){ m->now.owner, m->now.owner_len }) != 0) {
        finish_name(m);
        begin_name(m, owner);
    }
    add_hour(m, hour);
    return E_OK;
}

int demand_list_make(struct demand_list *ret, struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t to,
                     uint32_t least_days, size_t room, struct fault *why)
{
    assert(room >= 1 && room <= DEMAND_NAMES);
    struct demand_list list = { .room = room, .names = calloc(room, sizeof *list.names) };
    struct making *m = calloc(1, sizeof *m);
    struct store_range range = { .kind = KIND_DOMAIN, .after = (int64_t)from * ACTIVITY_HOUR_S,
                                 .before = ((int64_t)to + 1) * ACTIVITY_HOUR_S - 1 };
    int rc = E_NOMEM;
    if (list.names == NULL || m == NULL) {
        fault_set(why, E_NOMEM, "list of missing names");
        goto out;
    }
    *m = (struct making){ .list = &list, .suffixes = suffixes, .from = from, .to = to, .least_days = least_days };
    rc = store_scan_each(store, &range, entry, m, why);
    if (rc != E_OK)
        goto out;
    finish_name(m);
    *ret = list;
    list.names = NULL;
out:
    free(m);
    free(list.names);
    return rc;
}

void demand_list_release(struct demand_list *l)
{
    free(l->names);
    *l = (struct demand_list){ 0 };
}
