/* Who is in the network: people's devices, things, servers, mail servers, and address translators, which are many
 * people behind one address. */
#include "simulate/world.h"

#include <stdlib.h>

enum { STREAM_CLIENTS = 1000 };
enum curve { CURVE_OFFICE, CURVE_HOME, CURVE_LATE, CURVES };

/* In hundredths, by the hour of the person's clock; weekdays, then weekends. */
static const uint8_t curves[CURVES][2][24] = {
    [CURVE_OFFICE] = { { 1, 0, 0, 0, 0, 2, 8, 30, 80, 100, 100, 95, 60, 85, 100, 95, 85, 55, 20, 12, 10, 8, 4, 2 },
                       { 1, 0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 8, 6, 5, 5, 6, 5, 4, 4, 4, 4, 3, 2, 1 } },
    [CURVE_HOME] = { { 8, 3, 1, 1, 1, 4, 15, 30, 25, 20, 20, 22, 30, 28, 25, 28, 40, 60, 75, 90, 100, 95, 65, 25 },
                     { 15, 6, 3, 1, 1, 2, 5, 15, 35, 55, 65, 65, 60, 60, 60, 60, 65, 70, 80, 95, 100, 95, 75, 35 } },
    [CURVE_LATE] = { { 70, 55, 35, 20, 8, 3, 2, 3, 8, 20, 35, 45, 50, 55, 55, 55, 60, 60, 65, 75, 85, 95, 100, 90 },
                     { 85, 75, 60, 40, 20, 8, 3, 2, 3, 8, 20, 35, 50, 60, 65, 65, 70, 70, 75, 80, 90, 95, 100, 95 } },
};

double client_awake(const struct world *w, const struct client *c, int64_t now_s)
{
    int64_t local = now_s + w->scenario->utc_offset_min * 60 + c->offset_h * HOUR_S;
    int64_t day = local / DAY_S;
    unsigned hour = (unsigned)(local % DAY_S / HOUR_S);
    bool weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6; /* 1970-01-01 was a Thursday */
    return curves[c->curve][weekend][hour] / 100.0;
}

bool client_is_on(const struct world *w, const struct client *c, int64_t now_s)
{
    return c->flags & CLIENT_ALWAYS_ON || client_awake(w, c, now_s) > 0.12;
}

struct process *process_add(struct world *w, enum process_kind kind, uint32_t client, struct rng rng, int64_t first_s)
{
    static struct process none;
    if (w->n_processes == w->processes_capacity) {
        uint32_t capacity = w->processes_capacity ? w->processes_capacity * 2 : 1024;
        struct process *processes = realloc(w->processes, capacity * sizeof *processes);
        if (processes == NULL) {
            world_fail(w, E_NOMEM, "processes");
            return &none;
        }
        w->processes = processes;
        w->processes_capacity = capacity;
    }
    struct process *p = &w->processes[w->n_processes];
    *p = (struct process){ .kind = (uint8_t)kind, .client = client, .rng = rng };
    int64_t first_ns = first_s * NS_PER_S + rng_below(&p->rng, 1000000000);
    int rc = heap_push(&w->heap, first_ns, w->n_processes++);
    if (rc != 0)
        world_fail(w, rc, "events");
    return p;
}

/* ---- what is on a device ---- */

static struct rng stream_of(struct world *w, uint32_t client, uint32_t n)
{
    return rng_make(w->scenario->seed, (uint64_t)client * 4096 + n + STREAM_CLIENTS);
}

static struct process *add(struct world *w, enum process_kind kind, uint32_t client, uint32_t n, double within_s)
{
    struct rng r = stream_of(w, client, n);
    int64_t first_s = w->clients[client].from_s + (int64_t)(rng_real(&r) * within_s);
    return process_add(w, kind, client, r, first_s);
}

static void add_surfing(struct world *w, uint32_t client, uint32_t n, double level)
{
    add(w, PROCESS_SURF, client, n, HOUR_S * 4)->a = (uint32_t)(level * 100) + 1;
}

static void add_vendor(struct world *w, uint32_t client, uint32_t n, uint32_t vendor)
{
    add(w, PROCESS_VENDOR, client, n, w->vendors[vendor].period_s)->a = vendor;
}

static uint32_t add_software(struct world *w, struct rng *r, uint32_t client, enum client_role role, double times, uint32_t n)
{
    for (uint32_t v = 0; v < w->n_vendors; v++)
        if (w->vendors[v].role == role && rng_chance(r, w->vendors[v].share * times))
            add_vendor(w, client, n++, v);
    return n;
}

static void furnish_thing(struct world *w, struct rng *r, uint32_t client)
{
    uint32_t first = w->n_vendors - w->scenario->mix.iot_vendors, tries = 0, v;
    do
        v = first + (uint32_t)(rng_real(r) * rng_real(r) * w->scenario->mix.iot_vendors);
    while (!rng_chance(r, w->vendors[v].share * 3) && tries++ < 20);
    add_vendor(w, client, 0, v);
    for (v = 0; v < first; v++)
        if (w->vendors[v].role == CLIENT_IOT && rng_chance(r, w->vendors[v].share))
            add_vendor(w, client, v + 1, v);
}

static void furnish(struct world *w, struct rng *r, uint32_t client)
{
    struct client *c = &w->clients[client];
    double activity = w->scenario->activity;
    uint32_t n, people;
    switch (c->role) {
    case CLIENT_PERSON:
        add_surfing(w, client, 0, c->level);
        n = add_software(w, r, client, CLIENT_PERSON, 1, 1);
        if (c->flags & (CLIENT_WINDOWS | CLIENT_PROBES))
            add(w, PROCESS_JUNK, client, n++, DAY_S / 3);
        if (c->curve == CURVE_OFFICE)
            add(w, PROCESS_CORPORATE, client, n, HOUR_S);
        break;
    case CLIENT_IOT:
        furnish_thing(w, r, client);
        break;
    case CLIENT_SERVER:
        n = add_software(w, r, client, CLIENT_SERVER, 1.5, 0);
        for (uint32_t i = rng_range(r, 1, 4); i > 0; i--)
            add(w, PROCESS_SERVICE, client, n++, HOUR_S)->a = (uint32_t)rng_u64(r);
        if (rng_chance(r, 0.06))
            add(w, PROCESS_CRAWL, client, n, HOUR_S);
        break;
    case CLIENT_MAIL:
        add(w, PROCESS_MAIL, client, 0, HOUR_S)->a = rng_range(r, 100, 600);
        add_software(w, r, client, CLIENT_SERVER, 1, 1);
        break;
    default: /* translators: as many people as there are processes that surf */
        people = n = rng_range(r, 5, 31);
        for (uint32_t i = 0; i < people; i++)
            add_surfing(w, client, i, (1 + rng_real(r) * 12) * activity);
        for (uint32_t i = 0; i < people / 4; i++)
            n = add_software(w, r, client, CLIENT_PERSON, 1, n);
        add(w, PROCESS_JUNK, client, n, DAY_S / 3);
    }
}

/* ---- the devices ---- */

static enum client_role any_role(const struct scenario_shares *s, double x)
{
    if (x < s->iot)
        return CLIENT_IOT;
    if (x < s->iot + s->server)
        return CLIENT_SERVER;
    if (x < s->iot + s->server + s->mail)
        return CLIENT_MAIL;
    return x < s->iot + s->server + s->mail + s->translator ? CLIENT_TRANSLATOR : CLIENT_PERSON;
}

static void person_traits(struct world *w, struct rng *r, struct client *c)
{
    double x = rng_real(r);
    c->curve = (uint8_t)(x < 0.4 ? CURVE_OFFICE : x < 0.85 ? CURVE_HOME : CURVE_LATE);
    c->offset_h = (int8_t)(rng_chance(r, 0.1) ? (int)rng_range(r, 0, 4) - 2 : 0);
    x = rng_real(r);
    x *= rng_real(r);
    c->level = (float)((1 + 14 * x) * w->scenario->activity);
    c->flags = CLIENT_AAAA;
    x = rng_real(r);
    if (x < 0.45)
        c->flags |= CLIENT_WINDOWS;
    else if (x < 0.75)
        c->flags |= CLIENT_HTTPS;
    if (c->flags & CLIENT_WINDOWS && rng_chance(r, 0.5))
        c->flags |= CLIENT_REPUTATION;
    if (c->flags & CLIENT_WINDOWS && rng_chance(r, 0.5))
        c->flags |= CLIENT_SEARCHES;
    if (rng_chance(r, 0.15))
        c->flags &= (uint8_t)~CLIENT_AAAA;
    if (rng_chance(r, 0.35))
        c->flags |= CLIENT_PROBES;
    if (rng_chance(r, 0.35))
        c->flags |= CLIENT_ALWAYS_ON;
}

/* Devices that come or go. */
static void churn(struct world *w, struct rng *r, struct client *c)
{
    double span = (double)(w->end_s - w->start_s);
    c->from_s = w->start_s;
    c->to_s = w->end_s;
    if (c->role != CLIENT_PERSON || !rng_chance(r, w->scenario->shares.churn))
        return;
    if (rng_chance(r, 0.6))
        c->from_s += (int64_t)(rng_real(r) * span * 0.9);
    else
        c->to_s -= (int64_t)(rng_real(r) * span * 0.9);
}

static uint32_t cache_size(const struct client *c, struct rng *r)
{
    static const uint16_t sizes[CLIENT_ROLES] = { 128, 8, 64, 256, 1024 };
    static const uint8_t have[CLIENT_ROLES] = { 90, 40, 50, 90, 60 };
    return rng_below(r, 100) < have[c->role] ? sizes[c->role] : 0;
}

static void make_client(struct world *w, uint32_t i)
{
    struct rng r = stream_of(w, i, 4000);
    struct client *c = &w->clients[i];
    c->address = 10u << 24 | (1 + i / 62500) << 16 | i / 250 % 250 << 8 | (i % 250 + 1);
    /* The smallest network has one of each. */
    c->role = (uint8_t)(i < CLIENT_ROLES ? (enum client_role)i : any_role(&w->scenario->shares, rng_real(&r)));
    c->rng = stream_of(w, i, 4001);
    c->company = (uint16_t)rng_below(&r, 1 + w->n_clients / 25);
    if (c->role == CLIENT_PERSON || c->role == CLIENT_TRANSLATOR)
        person_traits(w, &r, c);
    else
        c->flags = CLIENT_ALWAYS_ON | (rng_chance(&r, c->role == CLIENT_IOT ? 0.3 : 0.7) ? CLIENT_AAAA : 0);
    if (c->role == CLIENT_TRANSLATOR)
        c->flags |= CLIENT_ALWAYS_ON;
    churn(w, &r, c);
    for (unsigned k = 0; k < FAVOURITES; k++)
        c->favourites[k] = network_site_by_rank(w, &r, w->start_s);
    uint32_t size = cache_size(c, &r);
    c->cache_mask = size ? size - 1 : 0;
    furnish(w, &r, i);
}

int clients_make(struct world *w)
{
    w->n_clients = w->scenario->clients;
    w->clients = calloc(w->n_clients, sizeof *w->clients);
    if (w->clients == NULL)
        return E_NOMEM;
    size_t entries = 0;
    for (uint32_t i = 0; i < w->n_clients && w->rc == 0; i++) {
        make_client(w, i);
        entries += w->clients[i].cache_mask + 1u;
    }
    w->caches = calloc(entries, sizeof *w->caches);
    if (w->caches == NULL)
        return E_NOMEM;
    for (uint32_t i = 0, at = 0; i < w->n_clients; at += w->clients[i++].cache_mask + 1u)
        w->clients[i].cache = &w->caches[at];
    return w->rc;
}

void clients_release(struct world *w)
{
    free(w->clients);
    free(w->caches);
    free(w->processes);
}
