#include "base/hash.h"
#include "observe/fold_tree.h"

/* A name's questions of an hour wait one by one up to so many; then they are added up. */
enum { FEW_ASKED = 4 };

/* Nearly always the first one: a slot is no longer than an hour. */
static struct activity_hour **find_hour(struct activity_hour **hours, uint32_t hour, bool in_domain)
{
    while (*hours != NULL && ((*hours)->hour != hour || (*hours)->in_domain != in_domain))
        hours = &(*hours)->next;
    return hours;
}

/* In the place of the hour at *link, or a new one at the end of its list. */
static struct activity_hour *put_hour(struct arena *arena, struct activity_hour **link, unsigned room)
{
    const struct activity_hour *old = *link;
    struct activity_hour *h = arena_alloc(arena, sizeof *h + room * sizeof h->asked[0]);
    if (h == NULL)
        return NULL;
    *h = old ? *old : (struct activity_hour){ 0 };
    h->room = (uint8_t)room;
    if (old != NULL)
        memcpy(h->asked, old->asked, old->n_asked * sizeof h->asked[0]);
    *link = h;
    return h;
}

static struct activity_sums *make_sums(struct arena *arena)
{
    struct activity_sums *sums = arena_alloc(arena, sizeof *sums);
    if (sums != NULL)
        *sums = (struct activity_sums){ .first = UINT32_MAX, .largest_id = UINT64_MAX };
    return sums;
}

/* The sums of an hour in a list, made when new. */
static struct activity_sums *sums_of(struct arena *arena, struct activity_hour **hours, uint32_t hour, bool in_domain)
{
    struct activity_hour **link = find_hour(hours, hour, in_domain);
    struct activity_hour *h = *link;
    if (h == NULL) {
        h = put_hour(arena, link, 0);
        if (h == NULL)
            return NULL;
        h->hour = hour;
        h->in_domain = in_domain;
    }
    if (h->sums == NULL)
        h->sums = make_sums(arena);
    return h->sums;
}

/* --- samples ----------------------------------------------------------------------- */

/* Room for one more of `size` bytes each, up to `most`: the array grows fourfold, in the arena. */
static bool grow(struct arena *arena, void **items, unsigned n, uint16_t *room, size_t size, unsigned most)
{
    if (n < *room)
        return true;
    unsigned larger = *room ? 4u * *room : 2;
    larger = larger < most ? larger : most;
    void *grown = arena_alloc(arena, larger * size);
    if (grown == NULL)
        return false;
    if (n)
        memcpy(grown, *items, n * size);
    *items = grown;
    *room = (uint16_t)larger;
    return true;
}

static struct asks *asks_with_room(struct arena *arena, struct asks *asks)
{
    if (asks != NULL && asks->n < asks->room)
        return asks;
    unsigned room = asks ? ACTIVITY_ASKS : FEW_ASKS;
    struct asks *grown = arena_alloc(arena, sizeof *grown + room * sizeof grown->seconds[0]);
    if (grown == NULL)
        return NULL;
    grown->n = asks ? asks->n : 0;
    grown->room = (uint16_t)room;
    if (asks != NULL)
        memcpy(grown->seconds, asks->seconds, asks->n * sizeof asks->seconds[0]);
    return grown;
}

/* The smallest ACTIVITY_ASKS stay, each once. */
static int add_ask(struct arena *arena, struct asker *a, uint16_t second)
{
    unsigned n = a->asks ? a->asks->n : 0, at = n;
    while (at > 0 && a->asks->seconds[at - 1] > second)
        at--;
    if (at == ACTIVITY_ASKS || (at > 0 && a->asks->seconds[at - 1] == second))
        return E_OK;
    struct asks *asks = n < ACTIVITY_ASKS ? asks_with_room(arena, a->asks) : a->asks;
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
static unsigned client_place(const struct activity_sums *s, uint64_t id)
{
    unsigned low = 0, high = s->n_clients;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (s->clients[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum { MOST_CLIENTS = ACTIVITY_DOMAIN_CLIENTS };

/* The client in the sample, entered when it belongs there; NULL in *ret when it does not. */
static int sample_client(struct arena *arena, struct activity_sums *s, uint64_t id, struct asker **ret)
{
    *ret = NULL;
    if (id > s->largest_id)
        return E_OK;
    unsigned at = client_place(s, id);
    if (at == s->n_clients || s->clients[at].id != id) {
        bool full = s->n_clients == MOST_CLIENTS;
        if (!full && !grow(arena, (void **)&s->clients, s->n_clients, &s->client_room, sizeof *s->clients, MOST_CLIENTS))
            return E_NOMEM;
        s->n_clients += !full;
        memmove(s->clients + at + 1, s->clients + at, (s->n_clients - at - 1u) * sizeof *s->clients);
        s->clients[at] = (struct asker){ .id = id };
        if (s->n_clients == MOST_CLIENTS)
            s->largest_id = s->clients[MOST_CLIENTS - 1].id;
    }
    *ret = &s->clients[at];
    return E_OK;
}

/* A full sample has no ask times: docs/design/activity.md. */
static int add_client(struct arena *arena, struct activity_sums *s, uint64_t id, uint16_t second)
{
    struct asker *asker;
    int err = sample_client(arena, s, id, &asker);
    return err == E_OK && asker != NULL && s->n_clients < MOST_CLIENTS ? add_ask(arena, asker, second) : err;
}

static int add_name(struct arena *arena, struct activity_sums *s, const struct activity_name *name)
{
    unsigned at = s->n_names;
    while (at > 0 && s->names[at - 1].hash > name->hash)
        at--;
    if (at == ACTIVITY_NAMES || (at > 0 && s->names[at - 1].hash == name->hash))
        return E_OK;
    if (s->n_names < ACTIVITY_NAMES &&
        !grow(arena, (void **)&s->names, s->n_names, &s->name_room, sizeof *s->names, ACTIVITY_NAMES))
        return E_NOMEM;
    unsigned kept = s->n_names < ACTIVITY_NAMES ? s->n_names : ACTIVITY_NAMES - 1;
    memmove(s->names + at + 1, s->names + at, (kept - at) * sizeof *s->names);
    s->names[at] = *name;
    s->n_names = (uint16_t)(kept + 1);
    return E_OK;
}

/* What of `name` is below the domain, its labels but not the 00 behind the last. */
static int sample_name(struct arena *arena, struct activity_sums *s, const struct domain *d, struct slice name)
{
    uint64_t hash = hash_stable(name.ptr, name.len);
    if (s->n_names == ACTIVITY_NAMES && hash >= s->names[ACTIVITY_NAMES - 1].hash)
        return E_OK;
    size_t skip = d->key_len, len = name.len > skip + 1 ? name.len - skip - 2 : 0;
    if (len == 0) /* the domain itself */
        return E_OK;
    struct activity_name entry = { hash, (uint8_t)(len < 255 ? len : 255), activity_entropy(name.ptr + skip, len) };
    return add_name(arena, s, &entry);
}

/* --- counting ---------------------------------------------------------------------- */

static void widen_times(struct activity_sums *s, uint32_t first, uint32_t last)
{
    s->first = first < s->first ? first : s->first;
    s->last = last > s->last ? last : s->last;
}

static void count_numbers(uint64_t n[ACTIVITY_COUNTERS], const struct asked *a)
{
    bool query = a->flags & ASKED_QUERY;
    n[ACTIVITY_QUERIES] += query;
    n[ACTIVITY_ANSWERED] += (a->flags & ASKED_ANSWERED) != 0;
    n[ACTIVITY_STRAY] += !query;
    n[ACTIVITY_UNKNOWN_CLIENT] += query && !(a->flags & ASKED_CLIENT_KNOWN);
    n[ACTIVITY_QUERY_BYTES] += a->query_bytes;
    n[ACTIVITY_RESPONSE_BYTES] += a->response_bytes;
    if (a->outcome < ACTIVITY_COUNTERS)
        n[a->outcome]++;
    if (query)
        n[a->type]++;
    if (a->ttl > n[ACTIVITY_TTL])
        n[ACTIVITY_TTL] = a->ttl;
}

static bool has_client(const struct asked *a)
{
    enum { BOTH = ASKED_QUERY | ASKED_CLIENT_KNOWN };
    return (a->flags & BOTH) == BOTH;
}

static int count(struct arena *arena, struct activity_sums *s, uint32_t hour, const struct asked *a)
{
    uint32_t ts_s = hour * ACTIVITY_HOUR_S + a->second;
    widen_times(s, ts_s, ts_s);
    count_numbers(s->counters, a);
    return has_client(a) ? add_client(arena, s, a->client, a->second) : E_OK;
}

static int count_all(struct arena *arena, struct activity_sums *s, const struct activity_hour *h)
{
    int err = E_OK;
    for (unsigned i = 0; i < h->n_asked && err == E_OK; i++)
        err = count(arena, s, h->hour, &h->asked[i]);
    return err;
}

/* The hour at *link with room for one more question: for one, for a few, then by adding up what waits. */
static int make_room(struct arena *arena, struct activity_hour **link, struct activity_hour **ret)
{
    struct activity_hour *h = *link;
    if (h == NULL || h->room < FEW_ASKED) {
        *ret = put_hour(arena, link, h ? FEW_ASKED : 1);
        return *ret ? E_OK : E_NOMEM;
    }
    if (h->sums == NULL)
        h->sums = make_sums(arena);
    int err = h->sums ? count_all(arena, h->sums, h) : E_NOMEM;
    h->n_asked = 0;
    *ret = h;
    return err;
}

static int keep_asked(struct arena *arena, struct activity_hour **hours, uint32_t hour, const struct asked *a)
{
    struct activity_hour **link = find_hour(hours, hour, false), *h = *link;
    int err = h == NULL || h->n_asked == h->room ? make_room(arena, link, &h) : E_OK;
    if (err)
        return err;
    h->hour = hour;
    h->asked[h->n_asked++] = *a;
    return E_OK;
}

int fold_activity(struct fold *fold, struct domain *d, struct owner *o, struct slice name, const struct asked *a,
                  uint32_t hour)
{
    if (o != NULL)
        return keep_asked(&fold->arena, &o->hours, hour, a);
    struct activity_sums *s = sums_of(&fold->arena, &d->hours, hour, false);
    int err = s ? count(&fold->arena, s, hour, a) : E_NOMEM;
    return err ? err : sample_name(&fold->arena, s, d, name);
}

/* --- adding up --------------------------------------------------------------------- */

static void add_numbers(uint64_t to[ACTIVITY_COUNTERS], const uint64_t from[ACTIVITY_COUNTERS])
{
    for (unsigned i = 0; i < ACTIVITY_TTL; i++)
        to[i] += from[i];
    if (from[ACTIVITY_TTL] > to[ACTIVITY_TTL])
        to[ACTIVITY_TTL] = from[ACTIVITY_TTL];
}

static int add_asker(struct arena *arena, struct activity_sums *s, uint64_t id, const uint16_t *seconds, unsigned n)
{
    struct asker *asker;
    int err = sample_client(arena, s, id, &asker);
    for (unsigned i = 0; i < n && err == E_OK && asker != NULL && s->n_clients < MOST_CLIENTS; i++)
        err = add_ask(arena, asker, seconds[i]);
    return err;
}

static int add_sums(struct arena *arena, struct activity_sums *to, const struct activity_sums *from)
{
    int err = E_OK;
    widen_times(to, from->first, from->last);
    add_numbers(to->counters, from->counters);
    for (unsigned i = 0; i < from->n_clients && from->clients[i].id <= to->largest_id && err == E_OK; i++) {
        const struct asks *asks = from->clients[i].asks;
        err = add_asker(arena, to, from->clients[i].id, asks ? asks->seconds : NULL, asks ? asks->n : 0);
    }
    for (unsigned i = 0; i < from->n_names && err == E_OK; i++)
        err = add_name(arena, to, &from->names[i]);
    return err;
}

static int add_hour(struct arena *arena, struct activity_sums *to, const struct activity_hour *from)
{
    int err = from->sums ? add_sums(arena, to, from->sums) : E_OK;
    return err ? err : count_all(arena, to, from);
}

int fold_activity_add(struct arena *arena, struct activity_hour **hours, const struct activity_hour *from)
{
    struct activity_sums *to = sums_of(arena, hours, from->hour, false);
    return to ? add_hour(arena, to, from) : E_NOMEM;
}

int fold_activity_gather(struct arena *arena, struct activity_hour **hours, const struct owner *o)
{
    int err = E_OK;
    for (const struct activity_hour *h = o->hours; h != NULL && err == E_OK; h = h->next) {
        if (h->in_domain)
            continue;
        struct activity_sums *to = sums_of(arena, hours, h->hour, false);
        err = to ? add_hour(arena, to, h) : E_NOMEM;
        if (err == E_OK)
            err = sample_name(arena, to, o->domain, (struct slice){ o->key, o->key_len });
    }
    return err;
}

/* --- to and from values ------------------------------------------------------------ */

static void get_sums(const struct activity_sums *s, struct activity *ret)
{
    unsigned most = activity_clients_max(ret);
    ret->first = s->first;
    ret->last = s->last;
    memcpy(ret->counters, s->counters, sizeof ret->counters);
    ret->n_clients = s->n_clients < most ? s->n_clients : most;
    for (unsigned i = 0; i < ret->n_clients; i++) {
        const struct asker *from = &s->clients[i];
        struct activity_client *to = &ret->clients[i];
        to->id = from->id;
        to->n_asks = ret->n_clients < most && from->asks ? (uint8_t)from->asks->n : 0;
        if (to->n_asks)
            memcpy(to->asks, from->asks->seconds, to->n_asks * sizeof to->asks[0]);
    }
    ret->n_names = s->n_names;
    if (s->n_names)
        memcpy(ret->names, s->names, s->n_names * sizeof s->names[0]);
}

void fold_activity_get(const struct activity_hour *h, bool domain, struct activity *ret)
{
    static const struct activity_sums none = { .first = UINT32_MAX };
    ret->domain = domain;
    get_sums(h->sums ? h->sums : &none, ret);
    for (unsigned i = 0; i < h->n_asked; i++) {
        const struct asked *a = &h->asked[i];
        uint64_t ts_s = (uint64_t)h->hour * ACTIVITY_HOUR_S + a->second;
        ret->first = ts_s < ret->first ? ts_s : ret->first;
        ret->last = ts_s > ret->last ? ts_s : ret->last;
        count_numbers(ret->counters, a);
        if (has_client(a))
            activity_add_client(ret, a->client, a->second);
    }
}

int fold_activity_restore(struct fold *fold, struct activity_hour **hours, uint32_t hour, const struct activity *from)
{
    struct arena *arena = &fold->arena;
    struct activity_sums *s = sums_of(arena, hours, hour, !from->domain);
    int err = s ? E_OK : E_NOMEM;
    if (err)
        return err;
    widen_times(s, (uint32_t)from->first, (uint32_t)from->last);
    add_numbers(s->counters, from->counters);
    for (unsigned i = 0; i < from->n_clients && err == E_OK; i++)
        err = add_asker(arena, s, from->clients[i].id, from->clients[i].asks, from->clients[i].n_asks);
    for (unsigned i = 0; i < from->n_names && err == E_OK; i++)
        err = add_name(arena, s, &from->names[i]);
    return err;
}
