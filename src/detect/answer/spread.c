#include "detect/answer/spread.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/list.h"
#include "detect/parts.h"

enum { NS_DOMAINS_MAX = 16 };

struct place {
    struct slice host;
    uint64_t network;
    uint32_t day;
};

static int by_host_network(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = slice_compare(x->host, y->host);
    if (c != 0)
        return c;
    return (x->network > y->network) - (x->network < y->network);
}

static int by_day(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->day > y->day) - (x->day < y->day);
}

/* Global addresses first seen in the window. */
static size_t gather(const struct subject *s, struct place *to, bool *ret_nowhere)
{
    size_t n = 0, all = 0;
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        if (r->type != TYPE_A && r->type != TYPE_AAAA)
            continue;
        uint64_t network = parts_network(r->rdata);
        all++;
        *ret_nowhere &= network == 0;
        if (network != 0 && r->first_s / STEP_S >= s->window_from)
            to[n++] = (struct place){ r->owner, network, r->first_s / 86400 };
    }
    *ret_nowhere &= all > 0;
    return n;
}

static unsigned networks_of(const struct place *p, size_t n)
{
    unsigned networks = 0;
    for (size_t i = 0; i < n; i++)
        networks += i == 0 || p[i].network != p[i - 1].network;
    return networks;
}

static unsigned days_of(struct place *p, size_t n)
{
    unsigned days = 0;
    qsort(p, n, sizeof *p, by_day);
    for (size_t i = 0; i < n; i++)
        days += i == 0 || p[i].day != p[i - 1].day;
    return days;
}

static void widest_host(struct place *p, size_t n, struct spread *ret)
{
    size_t at = 0;
    qsort(p, n, sizeof *p, by_host_network);
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && slice_compare(p[i + same].host, p[i].host) == 0; same++)
            ;
        unsigned networks = networks_of(&p[i], same);
        if (networks <= ret->networks)
            continue;
        ret->networks = networks;
        ret->addresses = (unsigned)same;
        ret->host = p[i].host;
        at = i;
    }
    ret->days = days_of(&p[at], ret->addresses);
}

static void look_at_servers(const struct subject *s, struct spread *ret)
{
    uint64_t seen[NS_DOMAINS_MAX];
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        uint8_t target[NAME_KEY_MAX], domain[NAME_KEY_MAX];
        char text[NAME_TEXT_MAX];
        if (r->type != TYPE_NS || slice_compare(r->owner, s->owner) != 0)
            continue;
        struct slice key = parts_registered(s->suffixes, parts_target(TYPE_NS, r->rdata, target), domain);
        if (key.len == 0)
            continue;
        parts_text(key, text);
        const char *state = list_find(&list_parking, text, strlen(text));
        if (state != NULL && slice_compare(key, s->owner) != 0) {
            ret->sinkholed |= strcmp(state, "sinkhole") == 0;
            ret->parked |= strcmp(state, "parked") == 0;
            memcpy(ret->ns, text, sizeof text);
        }
        uint64_t hash = hash_stable(key.ptr, key.len);
        bool known = r->first_s / STEP_S < s->window_from || ret->ns_domains == NS_DOMAINS_MAX;
        for (unsigned k = 0; k < ret->ns_domains && !known; k++)
            known = seen[k] == hash;
        if (!known)
            seen[ret->ns_domains++] = hash;
    }
}

void spread_of(const struct subject *s, struct spread *ret)
{
    struct place places[SUBJECT_RECORDS];
    *ret = (struct spread){ .nowhere = true };
    size_t n = gather(s, places, &ret->nowhere);
    if (n > 0)
        widest_host(places, n, ret);
    look_at_servers(s, ret);
}
