/* crowd: a made-up network for detectors that compare names, seeded.
 *
 * People are online by day or in the evening, some machines always. People browse in sessions: favourites (a third of them opens the same four each morning), else names by
 * Zipf's law (s = 1) out of ten times as many as the panel shows, mostly of their topics; a twentieth of the sites bring third-party names
 * along, asked for by whoever visits. Apps ask their vendor's one to three names at their period on the clients that have
 * them. Three clients are forwarders with hundreds of people behind. Planted groups come on top. `truth` says which
 * names belong together by cause: 0 alone, else the number of a bundle, an app or a planted group.
 */
#ifndef DNSMON_TEST_CROWD_H
#define DNSMON_TEST_CROWD_H

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "detect/findings.h"

enum { CROWD_HOURS = WINDOW_STEPS + PERIOD_STEPS, CROWD_FROM = 19676 * 24 /* a Thursday, 00:00 */ };

enum crowd_kind { CROWD_ALONE, CROWD_BUNDLE, CROWD_APP, CROWD_PLANT };

struct crowd_plant {
    unsigned names, clients;
    double keeps;       /* probability that a client asks for a name at all */
    bool in_phases;     /* all names are active in the same phases only, drawn at random; else whenever a client is online */
    unsigned born;      /* hour of the window */
    double rate;        /* probability that an active client asks for a name in an hour */
    bool own_clients;   /* each name has clients of its own: nothing but the curve is common */
};

struct visit {
    uint32_t name, client;
    uint16_t hour, queries;
};

struct crowd {
    uint64_t state;
    size_t n_names, room_names, n_clients;
    uint32_t *truth; /* of a name */
    uint8_t *kind;
    uint32_t groups;
    struct visit *visits;
    size_t n_visits, room_visits;
    struct arena memory;
    struct portrait *portraits;
    const struct portrait **list;
    struct panel panel;
    struct network_hour hours[CROWD_HOURS];
    struct network network;
};

static inline uint64_t crowd_draw(struct crowd *c)
{
    return hash_mix(++c->state * UINT64_C(0x9e3779b97f4a7c15));
}

static inline double crowd_unit(struct crowd *c)
{
    return (double)(crowd_draw(c) >> 11) / 9007199254740992.0;
}

static inline uint32_t crowd_below(struct crowd *c, uint32_t n)
{
    return (uint32_t)(crowd_draw(c) % n);
}

static inline uint32_t crowd_name(struct crowd *c, uint32_t truth, enum crowd_kind kind)
{
    if (c->n_names == c->room_names) {
        c->room_names = 2 * c->room_names + 1024;
        c->truth = reallocarray(c->truth, c->room_names, sizeof *c->truth);
        c->kind = reallocarray(c->kind, c->room_names, sizeof *c->kind);
        assert(c->truth != NULL && c->kind != NULL);
    }
    c->truth[c->n_names] = truth;
    c->kind[c->n_names] = (uint8_t)kind;
    return (uint32_t)c->n_names++;
}

static inline void crowd_visit(struct crowd *c, uint32_t name, uint32_t client, unsigned hour, unsigned queries)
{
    if (c->n_visits == c->room_visits) {
        c->room_visits = 2 * c->room_visits + 65536;
        c->visits = reallocarray(c->visits, c->room_visits, sizeof *c->visits);
        assert(c->visits != NULL);
    }
    c->visits[c->n_visits++] = (struct visit){ name, client, (uint16_t)hour, (uint16_t)queries };
}

/* ---- clients ---- */

enum { FORWARDERS = 3, TOPICS = 24, FAVOURITES = 12, ROUTINE = 4 };

struct crowd_person {
    uint8_t from, to;      /* hours of the day; to may be above 24; 0 to 24: a machine */
    bool weekends;
    double sessions;       /* an hour */
    uint32_t topics[3];
    uint32_t favourites[FAVOURITES];
    bool routine;          /* opens the first ROUTINE of them together when the day begins */
};

static inline bool crowd_online(const struct crowd_person *p, unsigned hour)
{
    unsigned of_day = hour % 24, day = hour / 24 % 7; /* 2 and 3: Saturday, Sunday */
    if (!p->weekends && (day == 2 || day == 3))
        return false;
    return (of_day >= p->from && of_day < p->to) || of_day + 24u < p->to;
}

static inline uint32_t crowd_zipf(struct crowd *c, uint32_t n)
{
    uint32_t rank = (uint32_t)exp(crowd_unit(c) * log(n));
    return rank < 1 ? 1 : rank > n ? n : rank;
}

static inline uint32_t crowd_pick(struct crowd *c, const struct crowd_person *p, uint32_t universe)
{
    for (unsigned tries = 0;; tries++) {
        uint32_t rank = crowd_zipf(c, universe), topic = (uint32_t)(hash_mix(rank) % TOPICS);
        if (tries == 4 || rank < 200 || topic == p->topics[0] || topic == p->topics[1] || topic == p->topics[2])
            return rank;
    }
}

static inline void crowd_people(struct crowd *c, struct crowd_person *people, uint32_t universe)
{
    for (size_t i = 0; i < c->n_clients; i++) {
        struct crowd_person *p = &people[i];
        double kind = crowd_unit(c);
        *p = (struct crowd_person){ .sessions = 0.8 * exp(1.0 * (crowd_unit(c) + crowd_unit(c) + crowd_unit(c) - 1.5)) };
        if (i < FORWARDERS || kind < 0.15) {
            p->to = 24;
            p->weekends = true;
            p->sessions = i < FORWARDERS ? 40 : 0.002;
        } else if (kind < 0.65) {
            p->from = (uint8_t)(6 + crowd_below(c, 4));
            p->to = (uint8_t)(p->from + 7 + crowd_below(c, 4));
        } else {
            p->from = (uint8_t)(14 + crowd_below(c, 5));
            p->to = (uint8_t)(p->from + 5 + crowd_below(c, 5));
            p->weekends = true;
        }
        for (unsigned k = 0; k < 3; k++)
            p->topics[k] = crowd_below(c, TOPICS / 2) + (p->weekends ? TOPICS / 2 : 0); /* of work, or of home */
        p->routine = i >= FORWARDERS && p->to - p->from < 24 && crowd_below(c, 3) == 0;
        for (unsigned k = 0; k < FAVOURITES; k++)
            p->favourites[k] = crowd_pick(c, p, universe);
    }
}

/* ---- what is asked for ---- */

struct crowd_site {
    uint32_t name;        /* UINT32_MAX: not of the panel */
    uint32_t third, n_third;
};

static inline void crowd_sites(struct crowd *c, struct crowd_site *sites, uint32_t universe)
{
    for (uint32_t rank = 1; rank <= universe; rank++) {
        struct crowd_site *s = &sites[rank];
        *s = (struct crowd_site){ .name = UINT32_MAX };
        if (rank % 10 != 0)
            continue;
        uint32_t group = 0;
        if (crowd_below(c, 20) == 0) {
            s->n_third = 1 + crowd_below(c, 4);
            group = ++c->groups;
        }
        s->name = crowd_name(c, group, group ? CROWD_BUNDLE : CROWD_ALONE);
        s->third = (uint32_t)c->n_names;
        for (uint32_t k = 0; k < s->n_third; k++)
            crowd_name(c, group, CROWD_BUNDLE);
    }
}

static inline void crowd_open(struct crowd *c, const struct crowd_site *s, uint32_t client, unsigned hour)
{
    if (s->name == UINT32_MAX)
        return;
    crowd_visit(c, s->name, client, hour, 1 + crowd_below(c, 3));
    for (uint32_t k = 0; k < s->n_third; k++)
        if (crowd_below(c, 20))
            crowd_visit(c, s->third + k, client, hour, 1 + crowd_below(c, 2));
}

static inline void crowd_session(struct crowd *c, const struct crowd_person *p, const struct crowd_site *sites, uint32_t universe,
                                 uint32_t client, unsigned hour)
{
    for (unsigned n = 3 + crowd_below(c, 6); n > 0; n--) {
        bool favourite = client >= FORWARDERS && crowd_below(c, 2);
        crowd_open(c, &sites[favourite ? p->favourites[crowd_below(c, FAVOURITES)] : crowd_pick(c, p, universe)], client, hour);
    }
}

/* Four of five on each of nine days out of ten, within two hours. */
static inline void crowd_routine(struct crowd *c, const struct crowd_person *p, const struct crowd_site *sites, uint32_t client,
                                 unsigned hour)
{
    unsigned at = hour + crowd_below(c, 2);
    if (at >= CROWD_HOURS || crowd_below(c, 10) == 0)
        return;
    for (unsigned k = 0; k < ROUTINE; k++)
        if (crowd_below(c, 5))
            crowd_open(c, &sites[p->favourites[k]], client, at);
}

static inline void crowd_browse(struct crowd *c, const struct crowd_person *people, const struct crowd_site *sites, uint32_t universe)
{
    for (uint32_t i = 0; i < c->n_clients; i++)
        for (unsigned h = 0; h < CROWD_HOURS; h++) {
            if (!crowd_online(&people[i], h))
                continue;
            if (people[i].routine && h % 24 == people[i].from)
                crowd_routine(c, &people[i], sites, i, h);
            double people_awake = i < FORWARDERS ? 0.15 + 0.85 * (h % 24 >= 8 && h % 24 < 22) : 1;
            double sessions = people[i].sessions * people_awake;
            for (unsigned n = (unsigned)(sessions + crowd_unit(c)); n > 0; n--)
                crowd_session(c, &people[i], sites, universe, i, h);
        }
}

static inline void crowd_apps(struct crowd *c, const struct crowd_person *people, size_t apps)
{
    for (size_t a = 0; a < apps; a++) {
        uint32_t names = 1 + crowd_below(c, 3), group = names > 1 ? ++c->groups : 0, first = (uint32_t)c->n_names;
        uint32_t installed = crowd_zipf(c, 200) + 1, period = 1 + crowd_below(c, 24);
        unsigned born = crowd_below(c, 4) ? 0 : crowd_below(c, CROWD_HOURS);
        for (uint32_t k = 0; k < names; k++)
            crowd_name(c, group, CROWD_APP);
        for (uint32_t i = 0; i < installed; i++) {
            uint32_t client = crowd_below(c, (uint32_t)c->n_clients), phase = crowd_below(c, period);
            for (unsigned h = born; h < CROWD_HOURS; h++)
                if (h % period == phase && crowd_online(&people[client], h))
                    for (uint32_t k = 0; k < names; k++)
                        if (crowd_below(c, 10) || k == 0)
                            crowd_visit(c, first + k, client, h, 1 + crowd_below(c, 2));
        }
    }
}

static inline void crowd_plant(struct crowd *c, const struct crowd_person *people, const struct crowd_plant *plant)
{
    uint32_t group = ++c->groups, first = (uint32_t)c->n_names;
    bool active[CROWD_HOURS];
    bool on = true;
    for (unsigned h = plant->born; h < CROWD_HOURS; h++) {
        if (plant->in_phases && crowd_unit(c) < 1 / 14.0)
            on = !on;
        active[h] = on;
    }
    for (unsigned k = 0; k < plant->names; k++)
        crowd_name(c, group, CROWD_PLANT);
    for (unsigned k = 0; k < plant->names * plant->clients; k++) {
        static uint32_t common[1024];
        unsigned i = k % plant->clients;
        if (k < plant->clients || plant->own_clients)
            common[i] = FORWARDERS + crowd_below(c, (uint32_t)c->n_clients - FORWARDERS);
        if (crowd_unit(c) >= plant->keeps)
            continue;
        for (unsigned h = plant->born; h < CROWD_HOURS; h++)
            if (active[h] && (plant->in_phases || crowd_online(&people[common[i]], h)) && crowd_unit(c) < plant->rate)
                crowd_visit(c, first + k / plant->clients, common[i], h, 1 + crowd_below(c, 3));
    }
}

/* ---- portraits ---- */

static inline int crowd_by_name(const void *a, const void *b)
{
    const struct visit *x = a, *y = b;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    if (x->hour != y->hour)
        return x->hour < y->hour ? -1 : 1;
    return (x->client > y->client) - (x->client < y->client);
}

static inline int crowd_by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static inline void crowd_portrait(struct crowd *c, struct portrait *p, const struct visit *v, size_t n, uint64_t *ids)
{
    struct portrait_hour *hours = arena_alloc(&c->memory, CROWD_HOURS * sizeof *hours);
    uint16_t n_hours = 0;
    size_t n_ids = 0, each = 0;
    for (size_t k = 0; k < n; k++) {
        if (n_hours == 0 || hours[n_hours - 1].at != v[k].hour)
            hours[n_hours++] = (struct portrait_hour){ .at = v[k].hour };
        hours[n_hours - 1].queries += v[k].queries;
        hours[n_hours - 1].clients += k == 0 || v[k - 1].hour != v[k].hour || v[k - 1].client != v[k].client;
        ids[k] = hash_mix(v[k].client + 77777);
        n_ids++;
    }
    arena_keep(&c->memory, hours, n_hours * sizeof *hours);
    qsort(ids, n_ids, sizeof *ids, crowd_by_id);
    for (size_t k = 0; k < n_ids; k++)
        if (k == 0 || ids[k] != ids[each - 1])
            ids[each++] = ids[k];
    p->n_clients = (uint16_t)(each < SUBJECT_CLIENTS ? each : SUBJECT_CLIENTS);
    p->clients_whole = each <= SUBJECT_CLIENTS;
    uint64_t *kept = arena_alloc(&c->memory, p->n_clients * sizeof *kept);
    memcpy(kept, ids, p->n_clients * sizeof *kept);
    p->clients = kept;
    p->hours = hours;
    p->n_hours = n_hours;
    p->window_from = CROWD_FROM;
    p->step = CROWD_FROM + CROWD_HOURS - 1;
    p->first_s = (CROWD_FROM + hours[0].at) * 3600u;
}

static inline void crowd_portraits(struct crowd *c)
{
    qsort(c->visits, c->n_visits, sizeof *c->visits, crowd_by_name);
    c->portraits = calloc(c->n_names, sizeof *c->portraits);
    c->list = calloc(c->n_names, sizeof *c->list);
    uint64_t *ids = calloc(c->n_visits + 1, sizeof *ids);
    size_t n = 0;
    for (size_t from = 0, to; from < c->n_visits; from = to) {
        uint32_t name = c->visits[from].name;
        for (to = from; to < c->n_visits && c->visits[to].name == name; to++)
            ;
        struct portrait *p = &c->portraits[n];
        char *text = arena_alloc(&c->memory, 16);
        uint8_t *key = arena_alloc(&c->memory, 20);
        snprintf(text, 16, "n%07u.test", name);
        memcpy(key, "test", 5);
        memcpy(key + 5, text, 8);
        memset(key + 13, 0, 2);
        p->owner = (struct slice){ key, 15 };
        p->name = text;
        crowd_portrait(c, p, c->visits + from, to - from, ids);
        c->list[n++] = p;
    }
    free(ids);
    c->panel = (struct panel){ .portraits = c->list, .n = n, .step = CROWD_FROM + CROWD_HOURS - 1 };
}

static inline void crowd_network(struct crowd *c)
{
    for (unsigned h = 0; h < CROWD_HOURS; h++)
        c->hours[h] = (struct network_hour){ .hour = CROWD_FROM + h };
    for (size_t i = 0; i < c->n_visits; i++)
        c->hours[c->visits[i].hour].queries += c->visits[i].queries;
    c->network = (struct network){ .first = CROWD_FROM, .hours = c->hours, .n_hours = CROWD_HOURS };
}

/* The number of a portrait's name: index in truth and kind. */
static inline uint32_t crowd_number(const struct portrait *p)
{
    return (uint32_t)strtoul(p->name + 1, NULL, 10);
}

static inline uint32_t crowd_number_of_key(struct slice owner)
{
    char digits[8] = { 0 };
    memcpy(digits, owner.ptr + 6, 7);
    return (uint32_t)strtoul(digits, NULL, 10);
}

/* About `names` background names. In [gap, gap + 3) nothing is recorded; gap 0: always. */
static inline struct crowd *crowd_make(uint64_t seed, size_t names, size_t clients, const struct crowd_plant *plants, size_t n_plants,
                                       unsigned gap)
{
    struct crowd *c = calloc(1, sizeof *c);
    uint32_t universe = (uint32_t)(10 * (names - names / 10) / 1.12);
    c->state = seed << 32;
    c->n_clients = clients;
    arena_init(&c->memory, 1 << 20);
    struct crowd_person *people = calloc(clients, sizeof *people);
    struct crowd_site *sites = calloc(universe + 1, sizeof *sites);
    crowd_people(c, people, universe);
    crowd_sites(c, sites, universe);
    crowd_browse(c, people, sites, universe);
    crowd_apps(c, people, names / 20);
    for (size_t i = 0; i < n_plants; i++)
        crowd_plant(c, people, &plants[i]);
    size_t kept = 0;
    for (size_t i = 0; i < c->n_visits; i++)
        if (gap == 0 || c->visits[i].hour < gap || c->visits[i].hour >= gap + 3)
            c->visits[kept++] = c->visits[i];
    c->n_visits = kept;
    crowd_network(c);
    crowd_portraits(c);
    free(people);
    free(sites);
    return c;
}

static inline void crowd_free(struct crowd *c)
{
    arena_release(&c->memory);
    free(c->truth);
    free(c->kind);
    free(c->visits);
    free(c->portraits);
    free(c->list);
    free(c);
}

/* ---- how well ---- */

struct crowd_score {
    size_t names[4], found[4];  /* by enum crowd_kind; of the panel */
    size_t right[4];            /* with a strongest peer that belongs to it by cause */
    double strength[4];         /* sum */
};

static inline void crowd_judge(const struct crowd *c, const struct findings *f, struct crowd_score *s)
{
    for (size_t i = 0; i < c->panel.n; i++)
        s->names[c->kind[crowd_number(c->panel.portraits[i])]]++;
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *x = &f->kept[i].finding;
        uint32_t name = crowd_number_of_key(x->owner), peer = crowd_number_of_key(x->peers[0]);
        unsigned kind = c->kind[name];
        s->found[kind]++;
        s->right[kind] += c->truth[name] != 0 && c->truth[name] == c->truth[peer];
        s->strength[kind] += x->strength;
    }
}

static inline void crowd_print(const char *what, const struct crowd_score *s)
{
    static const char *const kinds[] = { "alone", "bundle", "app", "planted" };
    for (unsigned k = 0; k < 4; k++)
        fprintf(stderr, "%s %-7s names %7zu found %6zu right %6zu mean strength %.2f\n", what, kinds[k], s->names[k], s->found[k],
                s->right[k], s->found[k] ? s->strength[k] / (double)s->found[k] : 0);
}

#endif
