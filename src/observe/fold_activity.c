#include "base/hash.h"
#include "observe/fold_tree.h"

enum { HOUR_S = 3600 };

/* Nearly always the first one: a slot is shorter than an hour. */
static struct activity_hour *find_hour(struct activity_hour *hours, uint32_t hour)
{
    while (hours != NULL && hours->hour != hour)
        hours = hours->next;
    return hours;
}

/* The hour of a list, made when new. */
static struct activity_hour *hour_of(struct fold *fold, struct activity_hour **hours, uint32_t hour)
{
    struct activity_hour *h = find_hour(*hours, hour);
    if (h != NULL)
        return h;
    h = arena_alloc(&fold->arena, sizeof *h);
    if (h == NULL)
        return NULL;
    *h = (struct activity_hour){ .next = *hours, .hour = hour, .first = UINT32_MAX, .largest_id = UINT64_MAX };
    *hours = h;
    return h;
}

/* --- samples ----------------------------------------------------------------------- */

/* Room for one more of `size` bytes each, up to `most`: the array grows fourfold, in the arena. */
static bool grow(struct fold *fold, void **items, unsigned n, uint16_t *room, size_t size, unsigned most)
{
    if (n < *room)
        return true;
    unsigned larger = *room ? 4u * *room : 2;
    larger = larger < most ? larger : most;
    void *grown = arena_alloc(&fold->arena, larger * size);
    if (grown == NULL)
        return false;
    if (n)
        memcpy(grown, *items, n * size);
    *items = grown;
    *room = (uint16_t)larger;
    return true;
}

static struct asks *asks_with_room(struct fold *fold, struct asks *asks)
{
    if (asks != NULL && asks->n < asks->room)
        return asks;
    unsigned room = asks ? ACTIVITY_ASKS : FEW_ASKS;
    struct asks *grown = arena_alloc(&fold->arena, sizeof *grown + room * sizeof grown->seconds[0]);
    if (grown == NULL)
        return NULL;
    grown->n = asks ? asks->n : 0;
    grown->room = (uint16_t)room;
    if (asks != NULL)
        memcpy(grown->seconds, asks->seconds, asks->n * sizeof asks->seconds[0]);
    return grown;
}

/* The smallest ACTIVITY_ASKS stay, each once. */
static int add_ask(struct fold *fold, struct asker *a, uint16_t second)
{
    unsigned n = a->asks ? a->asks->n : 0, at = n;
    while (at > 0 && a->asks->seconds[at - 1] > second)
        at--;
    if (at == ACTIVITY_ASKS || (at > 0 && a->asks->seconds[at - 1] == second))
        return E_OK;
    struct asks *asks = n < ACTIVITY_ASKS ? asks_with_room(fold, a->asks) : a->asks;
    if (asks == NULL)
        return E_NOMEM;
    unsigned kept = n < ACTIVITY_ASKS ? n : ACTIVITY_ASKS - 1;
    memmove(asks->seconds + at + 1, asks->seconds + at, (kept - at) * sizeof asks->seconds[0]);
    asks->seconds[at] = second;
    asks->n = (uint16_t)(kept + 1);
    a->asks = asks;
    return E_OK;
}

/* Where `id` is or belongs in the sample. */
static unsigned client_place(const struct activity_hour *h, uint64_t id)
{
    unsigned low = 0, high = h->n_clients;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (h->clients[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The client in the sample, entered when it belongs there; NULL in *ret when it does not. */
static int sample_client(struct fold *fold, struct activity_hour *h, uint64_t id, unsigned most, struct asker **ret)
{
    *ret = NULL;
    if (id > h->largest_id)
        return E_OK;
    unsigned at = client_place(h, id);
    if (at == h->n_clients || h->clients[at].id != id) {
        if (h->n_clients < most && !grow(fold, (void **)&h->clients, h->n_clients, &h->client_room, sizeof *h->clients, most))
            return E_NOMEM;
        unsigned kept = h->n_clients < most ? h->n_clients : most - 1;
        memmove(h->clients + at + 1, h->clients + at, (kept - at) * sizeof *h->clients);
        h->clients[at] = (struct asker){ .id = id };
        h->n_clients = (uint16_t)(kept + 1);
        if (h->n_clients == most)
            h->largest_id = h->clients[most - 1].id;
    }
    *ret = &h->clients[at];
    return E_OK;
}

/* A full sample has no ask times: docs/design/activity.md. */
static int add_client(struct fold *fold, struct activity_hour *h, uint64_t id, uint16_t second, unsigned most)
{
    struct asker *asker;
    int err = sample_client(fold, h, id, most, &asker);
    return err == E_OK && asker != NULL && h->n_clients < most ? add_ask(fold, asker, second) : err;
}

static int add_name(struct fold *fold, struct activity_hour *h, const struct activity_name *name)
{
    unsigned at = h->n_names;
    while (at > 0 && h->names[at - 1].hash > name->hash)
        at--;
    if (at == ACTIVITY_NAMES || (at > 0 && h->names[at - 1].hash == name->hash))
        return E_OK;
    if (h->n_names < ACTIVITY_NAMES &&
        !grow(fold, (void **)&h->names, h->n_names, &h->name_room, sizeof *h->names, ACTIVITY_NAMES))
        return E_NOMEM;
    unsigned kept = h->n_names < ACTIVITY_NAMES ? h->n_names : ACTIVITY_NAMES - 1;
    memmove(h->names + at + 1, h->names + at, (kept - at) * sizeof *h->names);
    h->names[at] = *name;
    h->n_names = (uint16_t)(kept + 1);
    return E_OK;
}

/* What of `name` is below the domain, its labels but not the 00 behind the last. */
static int sample_name(struct fold *fold, struct activity_hour *h, const struct domain *d, struct slice name)
{
    uint64_t hash = hash_stable(name.ptr, name.len);
    if (h->n_names == ACTIVITY_NAMES && hash >= h->names[ACTIVITY_NAMES - 1].hash)
        return E_OK;
    size_t skip = d->key_len, len = name.len > skip + 1 ? name.len - skip - 2 : 0;
    if (len == 0) /* the domain itself */
        return E_OK;
    struct activity_name entry = { hash, (uint8_t)(len < 255 ? len : 255), activity_entropy(name.ptr + skip, len) };
    return add_name(fold, h, &entry);
}

/* --- counting ---------------------------------------------------------------------- */

static void widen_ttl(struct activity_hour *h, uint64_t ttl)
{
    if (ttl > h->counters[ACTIVITY_TTL])
        h->counters[ACTIVITY_TTL] = (uint32_t)ttl;
}

static int count(struct fold *fold, struct activity_hour *h, const struct asked *a, uint32_t ts_s, unsigned most)
{
    if (ts_s < h->first)
        h->first = ts_s;
    if (ts_s > h->last)
        h->last = ts_s;
    bool query = a->flags & ASKED_QUERY;
    h->counters[ACTIVITY_QUERIES] += query;
    h->counters[ACTIVITY_ANSWERED] += (a->flags & ASKED_ANSWERED) != 0;
    h->counters[ACTIVITY_STRAY] += !query;
    h->counters[ACTIVITY_UNKNOWN_CLIENT] += query && !(a->flags & ASKED_CLIENT_KNOWN);
    h->query_bytes += a->query_bytes;
    h->response_bytes += a->response_bytes;
    if (a->outcome < ACTIVITY_COUNTERS)
        h->counters[a->outcome]++;
    widen_ttl(h, a->ttl);
    if (!query)
        return E_OK;
    h->counters[a->type]++;
    return a->flags & ASKED_CLIENT_KNOWN ? add_client(fold, h, a->client, (uint16_t)(ts_s % HOUR_S), most) : E_OK;
}

int fold_activity(struct fold *fold, struct domain *d, struct owner *o, struct slice name, const struct asked *a,
                  uint32_t ts_s)
{
    uint32_t hour = ts_s / HOUR_S;
    struct activity_hour *whole = hour_of(fold, &d->hours, hour);
    int err = whole ? count(fold, whole, a, ts_s, ACTIVITY_DOMAIN_CLIENTS) : E_NOMEM;
    bool known = o != NULL && find_hour(o->hours, hour) != NULL;
    if (err == E_OK && !known)
        err = sample_name(fold, whole, d, name);
    if (err || o == NULL)
        return err;
    struct activity_hour *host = hour_of(fold, &o->hours, hour);
    return host ? count(fold, host, a, ts_s, ACTIVITY_HOST_CLIENTS) : E_NOMEM;
}

/* --- to and from values ------------------------------------------------------------ */

static uint64_t counter_of(const struct activity_hour *h, unsigned i)
{
    return i == ACTIVITY_QUERY_BYTES ? h->query_bytes : i == ACTIVITY_RESPONSE_BYTES ? h->response_bytes : h->counters[i];
}

void fold_activity_get(const struct activity_hour *h, bool domain, struct activity *ret)
{
    unsigned most = domain ? ACTIVITY_DOMAIN_CLIENTS : ACTIVITY_HOST_CLIENTS;
    ret->domain = domain;
    ret->first = h->first;
    ret->last = h->last;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        ret->counters[i] = counter_of(h, i);
    ret->n_clients = h->n_clients;
    for (unsigned i = 0; i < h->n_clients; i++) {
        const struct asker *from = &h->clients[i];
        struct activity_client *to = &ret->clients[i];
        to->id = from->id;
        to->n_asks = h->n_clients < most && from->asks ? (uint8_t)from->asks->n : 0;
        if (to->n_asks)
            memcpy(to->asks, from->asks->seconds, to->n_asks * sizeof to->asks[0]);
    }
    ret->n_names = h->n_names;
    if (h->n_names)
        memcpy(ret->names, h->names, h->n_names * sizeof h->names[0]);
}

int fold_activity_restore(struct fold *fold, struct activity_hour **hours, uint32_t hour, const struct activity *from)
{
    unsigned most = from->domain ? ACTIVITY_DOMAIN_CLIENTS : ACTIVITY_HOST_CLIENTS;
    struct activity_hour *h = hour_of(fold, hours, hour);
    if (h == NULL)
        return E_NOMEM;
    h->first = from->first < h->first ? (uint32_t)from->first : h->first;
    h->last = from->last > h->last ? (uint32_t)from->last : h->last;
    h->query_bytes += from->counters[ACTIVITY_QUERY_BYTES];
    h->response_bytes += from->counters[ACTIVITY_RESPONSE_BYTES];
    for (unsigned i = 0; i < ACTIVITY_TTL; i++)
        h->counters[i] += (uint32_t)from->counters[i];
    widen_ttl(h, from->counters[ACTIVITY_TTL]);
    int err = E_OK;
    for (unsigned i = 0; i < from->n_clients && err == E_OK; i++) {
        const struct activity_client *c = &from->clients[i];
        struct asker *asker;
        err = sample_client(fold, h, c->id, most, &asker);
        for (unsigned k = 0; k < c->n_asks && err == E_OK && asker != NULL; k++)
            err = add_ask(fold, asker, c->asks[k]);
    }
    for (unsigned i = 0; i < from->n_names && err == E_OK; i++)
        err = add_name(fold, h, &from->names[i]);
    return err;
}
