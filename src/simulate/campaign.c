/* The malicious, and beside each a benign twin.
 *
 * Both halves of a campaign are made by one function from two generators: `shape` is the same for both and draws
 * everything about time (ages, spans, who begins when), `names` is a half's own. So a twin has the same number of
 * clients, the same age, period, jitter and span, and differs in what makes it benign: whose names they are, whether
 * they exist, where they stand.
 */
#include "simulate/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { STREAM_CAMPAIGNS = 1 << 20, BAD_HOSTING = 16, HOSTINGS = 32, SHADOWS = 8 };

struct half {
    struct world *w;
    const struct scenario_campaign *c;
    struct rng shape, names;
    struct program program; /* becomes the world's at the end */
    uint16_t number;
    bool twin;
    uint8_t *taken;         /* clients, of both halves */
    uint16_t network;       /* of its hosting */
    uint32_t machine;
    uint16_t dns;
    uint8_t flags;
    uint32_t ttl_s;
};

/* ---- tables of the world ---- */

static struct aim *add_aim(struct half *h, struct target target, int64_t from_s, int64_t to_s)
{
    static struct aim none;
    struct world *w = h->w;
    if (w->n_aims == w->aims_capacity) {
        uint32_t capacity = w->aims_capacity ? w->aims_capacity * 2 : 256;
        struct aim *aims = realloc(w->aims, capacity * sizeof *aims);
        if (aims == NULL) {
            world_fail(w, E_NOMEM, "campaigns");
            return &none;
        }
        w->aims = aims;
        w->aims_capacity = capacity;
    }
    h->program.n_aims++;
    w->aims[w->n_aims] = (struct aim){ .target = target, .from_s = from_s, .to_s = to_s };
    return &w->aims[w->n_aims++];
}

static uint8_t role_of(const struct half *h)
{
    return h->twin ? ROLE_TWIN : ROLE_MALICIOUS;
}

/* Marks a target as one that the truth tells of. */
static struct target watched(struct half *h, struct target t)
{
    struct world *w = h->w;
    if (w->n_watches == w->watches_capacity) {
        uint32_t capacity = w->watches_capacity ? w->watches_capacity * 2 : 64;
        struct watch *watches = capacity < UINT16_MAX ? realloc(w->watches, capacity * sizeof *watches) : NULL;
        if (watches == NULL) {
            world_fail(w, E_NOMEM, "campaigns");
            return t;
        }
        w->watches = watches;
        w->watches_capacity = capacity;
    }
    t.watch = (uint16_t)(w->n_watches + 1);
    w->watches[w->n_watches++] = (struct watch){ .target = t, .role = role_of(h), .campaign = h->number };
    return t;
}

/* ---- names ---- */

static int64_t days_before(struct half *h, uint32_t least, uint32_t most)
{
    return h->program.from_s - (int64_t)rng_range(&h->shape, least * DAY_S, most * DAY_S);
}

static void belongs(struct half *h, uint32_t zone, int64_t registered_s)
{
    struct zone *z = world_zone(h->w, zone);
    z->kind = ZONE_CAMPAIGN;
    z->role = role_of(h);
    z->campaign = h->number;
    z->registered_s = registered_s;
    z->hosting = z->hosting_later = h->network;
    z->dns = h->dns;
    z->away = h->machine;
    z->ttl_s = h->ttl_s;
    z->flags = h->flags;
}

static const char *suffix_of(struct half *h)
{
    return h->c->suffix[0] != '\0' ? h->c->suffix : h->twin ? naming_suffix(&h->names) : naming_cheap_suffix(&h->names);
}

static uint32_t own_zone(struct half *h, enum naming_manner manner, int64_t registered_s)
{
    uint32_t zone = zones_make(&h->w->zones, &h->names, manner, suffix_of(h));
    belongs(h, zone, registered_s);
    return zone;
}

/* A name given as a label; made up when somebody has it. */
static uint32_t named_zone(struct half *h, const char *label, int64_t registered_s)
{
    char name[160];
    bool fresh;
    const char *suffix = suffix_of(h);
    unsigned labels = 1;
    for (const char *dot = suffix; (dot = strchr(dot, '.')) != NULL; dot++)
        labels++;
    snprintf(name, sizeof name, "%s.%s", label, suffix);
    uint32_t zone = zones_add(&h->w->zones, name, labels, &fresh);
    if (!fresh)
        return own_zone(h, NAMING_ANY, registered_s);
    belongs(h, zone, registered_s);
    return zone;
}

static uint32_t popular_zone(struct half *h)
{
    return h->w->sites[rng_below(&h->names, 60)].zone;
}

/* A small old site, that nothing else happens to. */
static uint32_t old_site(struct half *h)
{
    struct world *w = h->w;
    uint32_t zone;
    struct zone *z;
    do {
        zone = w->sites[w->n_sites / 5 + rng_below(&h->names, w->n_sites - w->n_sites / 5)].zone;
        z = world_zone(w, zone);
    } while (z->role != ROLE_BENIGN || z->kind != ZONE_SITE || z->expires_s != ZONE_NEVER || z->cdn != 0 || z->moved_s != ZONE_NEVER);
    return zone;
}

/* ---- who takes part ---- */

static bool suits(const struct client *c, enum client_role role, bool any_role, int64_t from_s, int64_t to_s)
{
    return (any_role || c->role == role) && c->from_s <= from_s && c->to_s >= to_s;
}

static enum client_role role_for(enum campaign_kind kind)
{
    return kind == CAMPAIGN_WORKED_EXAMPLE ? CLIENT_SERVER : kind == CAMPAIGN_IOT_BOTNET ? CLIENT_IOT : CLIENT_PERSON;
}

/* A client of the right sort that takes no part yet; of any sort when there is none left. */
static uint32_t recruit(struct half *h)
{
    struct world *w = h->w;
    for (int any = 0; any < 2; any++) {
        uint32_t at = rng_below(&h->names, w->n_clients);
        for (uint32_t i = 0; i < w->n_clients; i++, at = (at + 1) % w->n_clients)
            if (!h->taken[at] && suits(&w->clients[at], role_for(h->c->kind), any, h->program.from_s, h->program.to_s)) {
                h->taken[at] = 1;
                return at;
            }
    }
    return rng_below(&h->names, w->n_clients);
}

static void recruit_all(struct half *h, enum process_kind kind, double within_s)
{
    for (uint32_t i = 0; i < h->c->clients; i++) {
        int64_t first_s = h->program.from_s + (int64_t)(rng_real(&h->shape) * within_s);
        uint32_t client = recruit(h);
        struct rng r = rng_make(h->w->scenario->seed, STREAM_CAMPAIGNS + (uint64_t)h->number * 200003 + h->twin * 100000 + i);
        struct process *p = process_add(h->w, kind, client, r, first_s);
        p->a = h->w->n_programs;
        p->b = h->program.visits;
    }
}

/* ---- the kinds ---- */

/* One program, some servers: hosts of uncommon labels, the same under one domain after the other. The last domains are
 * asked for before anybody has registered them; one of those is, later. The twin's vendor owns all of its names. */
static void make_worked_example(struct half *h)
{
    char base[8], port[16], two[4];
    int64_t span = h->program.to_s - h->program.from_s;
    naming_random(&h->names, base, 4, false);
    base[4] = '\0';
    snprintf(port, sizeof port, "%s-443", h->twin ? "agent" : base);
    naming_random(&h->names, two, 2, false);
    two[2] = '\0';
    const char *labels[] = { port, h->twin ? "agent" : base, h->twin ? "dl" : two, h->twin ? "status" : "info" };
    uint32_t first = 0;
    for (uint32_t i = 0; i < h->c->domains; i++) {
        int64_t from_s = h->program.from_s + span * i / (h->c->domains + 1);
        int64_t registered_s = from_s - rng_range(&h->shape, 1 * DAY_S, 9 * DAY_S);
        uint32_t unknown = h->c->domains - h->c->unregistered;
        if (!h->twin && i >= unknown)
            registered_s = i == unknown ? from_s + (h->program.to_s - from_s) / 2 : ZONE_NEVER;
        uint32_t zone = own_zone(h, i % 3 == 0 ? NAMING_NUMBER : i % 3 == 1 ? NAMING_WORDS : NAMING_PHRASE, registered_s);
        first = i == 0 ? zone : first;
        if (h->twin && i > 0)
            world_zone(h->w, zone)->anchor = first;
        if (!h->twin) {
            world_zone(h->w, zone)->dns = (uint16_t)rng_below(&h->names, DNS_COMPANIES);
            world_zone(h->w, zone)->hosting = (uint16_t)(BAD_HOSTING + rng_below(&h->names, HOSTINGS));
        }
        for (unsigned l = 0; l < (i < 2 ? 4u : 2u); l++)
            add_aim(h, target_text(h->w, zone, labels[l]), from_s + (l > 1 ? span * l / 16 : 0), h->program.to_s);
    }
    if (h->twin)
        world_zone(h->w, first)->flags |= ZONE_OWN_NS;
    h->program.outages = true;
    recruit_all(h, PROCESS_PROGRAM, DAY_S);
}

static void make_beacon(struct half *h)
{
    static const char *const benign[] = { "update", "sync", "status", "api" }, *const bad[] = { "cdn", "ns1", "mail", "www" };
    int64_t registered_s = days_before(h, 2, 40);
    for (uint32_t i = 0; i < h->c->domains; i++) {
        uint32_t zone = own_zone(h, NAMING_ANY, registered_s);
        add_aim(h, target_text(h->w, zone, (h->twin ? benign : bad)[rng_below(&h->names, 4)]), h->program.from_s, h->program.to_s);
    }
    recruit_all(h, PROCESS_PROGRAM, 2 * DAY_S);
}

/* Devices try one name after the other until one exists; names are lost one by one. */
static void make_iot_botnet(struct half *h)
{
    int64_t span = h->program.to_s - h->program.from_s;
    uint32_t living = h->c->domains - h->c->unregistered;
    for (uint32_t i = 0; i < h->c->domains; i++) {
        int64_t registered_s = days_before(h, 3, 60);
        bool never = !h->twin && i < h->c->unregistered;
        uint32_t zone = own_zone(h, NAMING_ANY, never ? ZONE_NEVER : registered_s);
        if (!h->twin && !never && i + 1 < h->c->domains)
            world_zone(h->w, zone)->expires_s = h->program.from_s + span * (i - h->c->unregistered + 1) / living;
        add_aim(h, i % 2 == 0 ? target_of(zone, LABEL_NONE, 0) : target_text(h->w, zone, h->twin ? "mqtt" : "bot"),
                h->program.from_s, h->program.to_s);
    }
    h->program.mode = PROGRAM_FAIL_OVER;
    recruit_all(h, PROCESS_PROGRAM, (double)span / 3);
}

static void phishing_label(struct half *h, char label[NAMING_LABEL_MAX + 1])
{
    static const char *const brands[] = { "paypal", "microsoft", "dhl", "amazon", "netflix", "office365", "dpd", "apple-id", "facebook",
                                          "postbank", "steam", "binance", "outlook", "coinbase" };
    static const char *const forms[] = { "%s-login", "secure-%s", "%s-account-verify", "my%s-info", "%s-support24", "%s-paket-status",
                                         "login-%s-web", "%s-security-update" };
    char of_world[NAMING_LABEL_MAX + 1], label_long[160];
    zones_label(&h->w->zones, popular_zone(h), of_world);
    const char *brand = rng_chance(&h->names, 0.5) || strlen(of_world) > 24 ? brands[rng_below(&h->names, 14)] : of_world;
    snprintf(label_long, sizeof label_long, forms[rng_below(&h->names, 8)], brand);
    memcpy(label, label_long, NAMING_LABEL_MAX);
    label[NAMING_LABEL_MAX] = '\0';
}

/* Names like known ones, all new and at one machine; people follow a link once or twice. The twin: a shop opens. */
static void make_phishing_wave(struct half *h)
{
    char label[NAMING_LABEL_MAX + 1];
    for (uint32_t i = 0; i < h->c->domains; i++) {
        int64_t registered_s = days_before(h, 0, 4);
        uint32_t zone;
        if (h->twin) {
            zone = own_zone(h, NAMING_TRADE, registered_s);
        } else {
            phishing_label(h, label);
            zone = named_zone(h, label, registered_s);
        }
        struct target t = rng_chance(&h->names, 0.5) ? target_text(h->w, zone, "www") : target_of(zone, LABEL_NONE, 0);
        t.flags = TARGET_AWAY;
        add_aim(h, t, h->program.from_s, h->program.to_s);
    }
    h->program.visits = 2;
    recruit_all(h, PROCESS_VISITS, HOUR_S);
}

static void make_look_alike(struct half *h)
{
    char label[NAMING_LABEL_MAX + 1], typo[NAMING_LABEL_MAX + 1];
    for (uint32_t i = 0; i < h->c->domains; i++) {
        int64_t registered_s = days_before(h, 1, 30);
        zones_label(&h->w->zones, popular_zone(h), label);
        naming_typo(&h->names, label, typo);
        uint32_t zone = h->twin ? own_zone(h, NAMING_ANY, registered_s) : named_zone(h, typo, registered_s);
        add_aim(h, target_text(h->w, zone, "www"), h->program.from_s, h->program.to_s);
    }
    h->program.visits = 6;
    recruit_all(h, PROCESS_VISITS, DAY_S);
}

/* Old sites of others get new hosts at one new address. The twin: customers' hosts at a software service. */
static void make_shadowed_hosts(struct half *h)
{
    struct world *w = h->w;
    int64_t span = h->program.to_s - h->program.from_s;
    for (uint32_t i = 0; i < h->c->domains; i++) {
        uint32_t zone = old_site(h);
        if (!h->twin) {
            struct zone *z = world_zone(w, zone);
            z->role = ROLE_VICTIM;
            z->campaign = h->number;
            z->hosting_later = h->network;
            z->away = h->machine;
        }
        for (unsigned k = 0; k < SHADOWS; k++) {
            struct target t = h->twin ? target_of(zone, LABEL_NUMBERED, (uint64_t)rng_range(&h->names, 1000, 9999) << 32 | w->providers[3].text)
                                      : target_of(zone, LABEL_LETTERS, rng_u64(&h->names));
            t.flags = h->twin ? 0 : TARGET_AWAY;
            int64_t from_s = h->program.from_s + span * k / (SHADOWS + 2);
            add_aim(h, watched(h, t), from_s, from_s + span * 3 / (SHADOWS + 2));
        }
    }
    h->program.visits = 4;
    recruit_all(h, PROCESS_VISITS, HOUR_S);
}

/* Names by a program, others each day, of which one exists. The twin's all exist. */
static void make_dga(struct half *h)
{
    uint32_t days = (uint32_t)((h->program.to_s - h->program.from_s + DAY_S - 1) / DAY_S);
    uint32_t a_day = h->twin && h->c->domains > 4 ? 4 : h->c->domains;
    for (uint32_t day = 0; day < days && h->w->rc == 0; day++) {
        int64_t day_s = h->program.from_s + (int64_t)day * DAY_S;
        uint32_t rendezvous = rng_below(&h->names, a_day);
        for (uint32_t i = 0; i < a_day; i++) {
            uint32_t zone = own_zone(h, h->c->words ? NAMING_WORDS : NAMING_RANDOM, h->twin || i == rendezvous ? day_s - DAY_S : ZONE_NEVER);
            add_aim(h, target_of(zone, LABEL_NONE, 0), day_s, day_s + DAY_S);
        }
    }
    h->program.names_a_day = a_day;
    recruit_all(h, PROCESS_DGA, DAY_S);
}

static void make_fast_flux(struct half *h)
{
    int64_t registered_s = days_before(h, 2, 20);
    for (uint32_t i = 0; i < h->c->domains; i++) {
        uint32_t zone = own_zone(h, NAMING_ANY, registered_s);
        struct zone *z = world_zone(h->w, zone);
        z->plan = h->twin ? PLAN_CDN : PLAN_FLUX;
        z->hosting = h->twin ? 60 : z->hosting;
        z->ttl_s = 120;
        add_aim(h, target_text(h->w, zone, "www"), h->program.from_s, h->program.to_s);
    }
    recruit_all(h, PROCESS_PROGRAM, DAY_S);
}

/* Data in labels: with rounds of seconds a tunnel that people work through, else something that seeps out. The twin: a
 * service that is asked about files. */
static void make_tunnel(struct half *h)
{
    bool fast = h->c->period_s < 10;
    uint32_t zone = own_zone(h, NAMING_ANY, days_before(h, 2, 60));
    struct zone *z = world_zone(h->w, zone);
    z->plan = h->twin ? PLAN_VERDICT : PLAN_TUNNEL;
    struct aim *aim = add_aim(h, target_of(zone, h->twin ? LABEL_HEX : fast ? LABEL_DATA : LABEL_SHORT_DATA, 0), h->program.from_s, h->program.to_s);
    aim->fresh = true;
    aim->qtype = h->twin ? TYPE_A : fast ? TYPE_NULL : TYPE_TXT;
    recruit_all(h, PROCESS_PROGRAM, h->c->period_s);
}

/* Questions for hosts of somebody's domain that do not exist. The twin: a host for each user, and they do. */
static void make_random_subdomain(struct half *h)
{
    uint32_t zone = h->twin ? own_zone(h, NAMING_BRAND, days_before(h, 200, 2000)) : old_site(h);
    struct target t = target_of(zone, LABEL_LETTERS, 0);
    if (!h->twin) {
        world_zone(h->w, zone)->role = ROLE_VICTIM;
        world_zone(h->w, zone)->campaign = h->number;
        t.flags = TARGET_ABSENT;
    }
    struct aim *aim = add_aim(h, t, h->program.from_s, h->program.to_s);
    aim->fresh = true;
    aim->qtype = TYPE_A;
    recruit_all(h, PROCESS_PROGRAM, 60);
}

/* ---- all ---- */

/* Neither half gives itself away by a number that only such zones have. */
static void traits(struct half *h)
{
    static const uint32_t ttls[] = { 60, 300, 300, 600, 3600 };
    bool large = rng_chance(&h->names, h->twin ? 0.6 : 0.15);
    h->network = (uint16_t)(large ? rng_below(&h->names, BAD_HOSTING) : BAD_HOSTING + rng_below(&h->names, HOSTINGS));
    h->machine = (uint32_t)rng_u64(&h->names);
    h->dns = (uint16_t)rng_below(&h->names, DNS_COMPANIES);
    h->ttl_s = ttls[rng_below(&h->names, 5)];
    h->flags = rng_chance(&h->names, h->twin ? 0.4 : 0.15) ? ZONE_V6 : 0;
}

static void make_half(struct world *w, uint16_t number, bool twin, uint8_t *taken)
{
    static void (*const kinds[CAMPAIGN_KINDS])(struct half *) = {
        [CAMPAIGN_WORKED_EXAMPLE] = make_worked_example, [CAMPAIGN_BEACON] = make_beacon,
        [CAMPAIGN_IOT_BOTNET] = make_iot_botnet,         [CAMPAIGN_PHISHING_WAVE] = make_phishing_wave,
        [CAMPAIGN_LOOK_ALIKE] = make_look_alike,         [CAMPAIGN_SHADOWED_HOSTS] = make_shadowed_hosts,
        [CAMPAIGN_DGA] = make_dga,                       [CAMPAIGN_FAST_FLUX] = make_fast_flux,
        [CAMPAIGN_TUNNEL] = make_tunnel,                 [CAMPAIGN_RANDOM_SUBDOMAIN] = make_random_subdomain,
    };
    const struct scenario_campaign *c = &w->scenario->campaigns[number];
    struct half h = { .w = w, .c = c, .number = number, .twin = twin, .taken = taken,
                      .shape = rng_make(w->scenario->seed, STREAM_CAMPAIGNS - 1 - number),
                      .names = rng_make(w->scenario->seed, STREAM_CAMPAIGNS * 2 + number * 2u + twin) };
    h.program = (struct program){ .period_s = c->period_s, .jitter = c->jitter, .first_aim = w->n_aims,
                                  .from_s = w->start_s + (int64_t)(c->day * DAY_S), .to_s = w->end_s };
    if (c->days > 0 && h.program.from_s + (int64_t)(c->days * DAY_S) < w->end_s)
        h.program.to_s = h.program.from_s + (int64_t)(c->days * DAY_S);
    traits(&h);
    kinds[c->kind](&h);
    w->programs[w->n_programs++] = h.program;
}

int campaigns_make(struct world *w)
{
    w->programs = calloc(w->scenario->n_campaigns * 2 + 1, sizeof *w->programs);
    uint8_t *taken = malloc(w->n_clients);
    for (uint16_t i = 0; w->programs != NULL && taken != NULL && i < w->scenario->n_campaigns && w->rc == 0; i++) {
        memset(taken, 0, w->n_clients);
        make_half(w, i, false, taken);
        if (w->scenario->campaigns[i].twin)
            make_half(w, i, true, taken);
    }
    int rc = w->programs == NULL || taken == NULL ? E_NOMEM : w->rc;
    free(taken);
    return rc;
}

void campaigns_release(struct world *w)
{
    for (uint32_t i = 0; i < w->n_watches; i++)
        free(w->watches[i].clients.bits);
    free(w->watches);
    free(w->aims);
    free(w->programs);
}

/* ---- what they do ---- */

/* When the outage that `now_s` lies in ends, else 0: on one of five days for some hours, for all clients alike. */
static int64_t outage_end(const struct program *g, int64_t now_s)
{
    int64_t day = (now_s - g->from_s) / DAY_S;
    uint64_t hash = hash_mix((uint64_t)g->from_s + g->first_aim * 977u + (uint64_t)day);
    int64_t begin_s = g->from_s + day * DAY_S + (int64_t)(hash >> 8 & 15) * HOUR_S, end_s = begin_s + (int64_t)(1 + (hash >> 16 & 3)) * HOUR_S;
    return g->outages && day > 0 && hash % 5 == 0 && now_s >= begin_s && now_s < end_s ? end_s : 0;
}

static bool exists(const struct world *w, uint32_t zone, int64_t now_s)
{
    return now_s >= world_zone(w, zone)->registered_s && now_s < world_zone(w, zone)->expires_s;
}

static void ask_aim(struct world *w, struct process *p, int64_t at_ns, const struct aim *aim)
{
    struct target t = aim->target;
    if (aim->fresh)
        t.label = rng_u64(&p->rng);
    if (aim->qtype != 0)
        ask_type(w, p->client, at_ns, t, aim->qtype);
    else
        ask(w, p->client, at_ns, t);
}

static int64_t next_round(const struct program *g, struct process *p, int64_t now_ns)
{
    return in_seconds(now_ns, g->period_s * (1 + g->jitter * (2 * rng_real(&p->rng) - 1)) + 0.001);
}

/* a: the program */
int64_t step_PROGRAM(struct world *w, struct process *p, int64_t now_ns)
{
    const struct program *g = &w->programs[p->a];
    int64_t now_s = now_ns / NS_PER_S, outage_s = outage_end(g, now_s), at_ns = now_ns;
    if (now_s >= g->to_s)
        return 0;
    if (outage_s != 0)
        return in_seconds(outage_s * NS_PER_S, rng_real(&p->rng) * 60);
    if (!client_is_on(w, &w->clients[p->client], now_s))
        return next_round(g, p, now_ns);
    for (uint32_t i = 0; i < g->n_aims; i++) {
        const struct aim *aim = &w->aims[g->first_aim + i];
        if (now_s < aim->from_s || now_s >= aim->to_s)
            continue;
        ask_aim(w, p, at_ns, aim);
        if (g->mode == PROGRAM_FAIL_OVER && exists(w, aim->target.zone, now_s))
            break;
        at_ns = in_seconds(at_ns, 0.2 + rng_real(&p->rng) * 2);
    }
    return next_round(g, p, now_ns);
}

/* a: the program; b: visits left. Only somebody awake follows a link. */
int64_t step_VISITS(struct world *w, struct process *p, int64_t now_ns)
{
    const struct program *g = &w->programs[p->a];
    int64_t now_s = now_ns / NS_PER_S;
    const struct aim *aim = &w->aims[g->first_aim + rng_below(&p->rng, g->n_aims)];
    if (p->b == 0 || now_s >= g->to_s)
        return 0;
    if (now_s >= aim->from_s && now_s < aim->to_s && rng_chance(&p->rng, client_awake(w, &w->clients[p->client], now_s))) {
        visit_zone(w, p, now_ns, aim->target);
        p->b--;
    }
    return in_seconds(now_ns, rng_exponential(&p->rng, 0.2 * (double)(g->to_s - g->from_s) / g->visits));
}

/* a: the program. Through the names of the day until one exists. */
int64_t step_DGA(struct world *w, struct process *p, int64_t now_ns)
{
    const struct program *g = &w->programs[p->a];
    int64_t now_s = now_ns / NS_PER_S, at_ns = now_ns;
    if (now_s >= g->to_s)
        return 0;
    uint32_t day = (uint32_t)((now_s - g->from_s) / DAY_S), first = day * g->names_a_day;
    for (uint32_t i = first; i < first + g->names_a_day && client_is_on(w, &w->clients[p->client], now_s); i++) {
        const struct aim *aim = &w->aims[g->first_aim + i];
        ask_aim(w, p, at_ns, aim);
        if (exists(w, aim->target.zone, now_s))
            break;
        at_ns = in_seconds(at_ns, 0.3 + rng_real(&p->rng));
    }
    return next_round(g, p, now_ns);
}
