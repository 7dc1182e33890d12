/* The names of the world. Zones are drawn from `naming` streams of the seed, so that a world is the same whatever the
 * campaigns in it. */
#include "simulate/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { SITES_MAX = 200000, STREAM_NETWORK = 1 };

static const int64_t YEAR_S = INT64_C(365) * DAY_S;

uint16_t world_text(struct world *w, const char *text)
{
    for (uint32_t i = 0; i < w->n_texts; i++)
        if (strcmp(w->texts[i], text) == 0)
            return (uint16_t)i;
    char *copy = w->n_texts < TEXTS_MAX ? strdup(text) : NULL;
    if (copy == NULL) {
        world_fail(w, w->n_texts < TEXTS_MAX ? E_NOMEM : E_LIMIT, "labels");
        return 0;
    }
    w->texts[w->n_texts] = copy;
    return (uint16_t)w->n_texts++;
}

/* ---- traits ---- */

/* Most domains are years old; some are young. */
static int64_t some_age(struct rng *r)
{
    double x = rng_real(r);
    return x < 0.04 ? rng_below(r, 30 * DAY_S) : (int64_t)(x * x * 20 * (double)YEAR_S) + 30 * DAY_S;
}

static void small_hosting(struct zone *z, struct rng *r)
{
    static const uint32_t ttls[] = { 300, 600, 3600, 3600, 3600, 14400, 14400, 86400 };
    z->hosting = (uint16_t)rng_range(r, 16, 47);
    z->hosting_later = (uint16_t)rng_range(r, 16, 47);
    z->dns = (uint16_t)rng_below(r, DNS_COMPANIES);
    z->ttl_s = ttls[rng_below(r, 8)];
    z->flags = rng_chance(r, 0.7) ? ZONE_SHARED_HOST : 0;
    if (rng_chance(r, 0.25))
        z->flags |= ZONE_V6;
}

static void large_hosting(struct zone *z, struct rng *r)
{
    static const uint32_t ttls[] = { 60, 60, 300, 300, 300, 600, 3600 };
    z->hosting = (uint16_t)rng_below(r, 16);
    z->hosting_later = (uint16_t)rng_below(r, 16);
    z->dns = (uint16_t)rng_below(r, DNS_COMPANIES);
    z->ttl_s = ttls[rng_below(r, 7)];
    z->flags = rng_chance(r, 0.5) ? ZONE_V6 : 0;
    z->flags |= rng_chance(r, 0.25) ? ZONE_HTTPS : 0;
    z->flags |= rng_chance(r, 0.3) ? ZONE_OWN_NS : 0;
}

uint32_t network_small_zone(struct world *w, struct rng *r, enum zone_kind kind, int64_t registered_s)
{
    uint32_t zone = zones_make(&w->zones, r, NAMING_ANY, NULL);
    struct zone *z = world_zone(w, zone);
    small_hosting(z, r);
    z->kind = (uint8_t)kind;
    z->registered_s = registered_s;
    if (rng_chance(r, 0.12))
        z->cdn = (uint16_t)rng_range(r, 1, CDNS);
    return zone;
}

/* A company's zone on large hosting, years old. */
static uint32_t large_zone(struct world *w, struct rng *r, enum zone_kind kind, enum naming_manner manner, const char *suffix)
{
    uint32_t zone = zones_make(&w->zones, r, manner, suffix);
    struct zone *z = world_zone(w, zone);
    large_hosting(z, r);
    z->kind = (uint8_t)kind;
    z->registered_s = w->start_s - YEAR_S - some_age(r);
    return zone;
}

/* ---- infrastructure ---- */

static void make_networks(struct world *w, struct rng *r)
{
    for (unsigned i = 0; i < NETWORKS; i++) {
        uint8_t first;
        do
            first = (uint8_t)rng_range(r, 2, 222);
        while (first == 10 || first == 127 || first == 100 || first == 169 || first == 172 || first == 192 || first == 198);
        w->networks[i][0] = first;
        w->networks[i][1] = (uint8_t)rng_below(r, 256);
    }
}

static void make_infrastructure(struct world *w, struct rng *r)
{
    for (unsigned i = 0; i < DNS_COMPANIES; i++) {
        w->dns[i] = large_zone(w, r, ZONE_DNS_HOSTING, NAMING_ANY, rng_chance(r, 0.5) ? "net" : "com");
        world_zone(w, w->dns[i])->flags |= ZONE_OWN_NS;
    }
    for (unsigned i = 0; i < CDNS; i++) {
        w->cdns[i] = large_zone(w, r, ZONE_CDN, NAMING_BRAND, "net");
        struct zone *z = world_zone(w, w->cdns[i]);
        z->plan = PLAN_CDN;
        z->hosting = (uint16_t)(56 + i);
        z->ttl_s = 60;
        z->flags = ZONE_V6 | ZONE_OWN_NS;
    }
    for (unsigned i = 0; i < LISTINGS; i++) {
        w->listings[i] = large_zone(w, r, ZONE_DNSBL, NAMING_WORDS, "org");
        world_zone(w, w->listings[i])->plan = PLAN_LISTING;
        world_zone(w, w->listings[i])->ttl_s = 300;
    }
    for (unsigned i = 0; i < REPUTATIONS; i++) {
        w->reputations[i] = large_zone(w, r, ZONE_REPUTATION, NAMING_BRAND, "com");
        world_zone(w, w->reputations[i])->plan = PLAN_VERDICT;
        world_zone(w, w->reputations[i])->ttl_s = 300;
    }
    for (unsigned i = 0; i < THIRDS; i++) {
        w->thirds[i] = large_zone(w, r, i % 3 == 0 ? ZONE_AD_TECH : ZONE_TRACKER, NAMING_ANY, i % 4 ? "com" : "net");
        if (rng_chance(r, 0.4))
            world_zone(w, w->thirds[i])->cdn = (uint16_t)rng_range(r, 1, CDNS);
    }
    for (unsigned i = 0; i < CORPORATES; i++)
        w->corporates[i] = i == 0 ? 0 : large_zone(w, r, ZONE_CORPORATE, NAMING_TRADE, NULL);
}

static void make_providers(struct world *w, struct rng *r)
{
    static const char *const labels[PROVIDERS] = { "autodiscover", "selector1._domainkey", "selector2._domainkey", "em", "url",
                                                   "enterpriseregistration", "lyncdiscover", "k1._domainkey", "click", "status",
                                                   "help", "shop", "_acme-challenge", "careers" };
    for (unsigned i = 0; i < PROVIDERS; i++) {
        w->providers[i].zone = large_zone(w, r, ZONE_SAAS, NAMING_BRAND, "com");
        w->providers[i].text = world_text(w, labels[i]);
    }
}

/* ---- sites ---- */

static void make_sibling(struct world *w, struct rng *r, struct site *s)
{
    static const char *const forms[] = { "%s-cdn.net", "%sstatic.com", "%scdn.net", "%s-assets.com", "%susercontent.com", "%simg.com" };
    char label[NAMING_LABEL_MAX + 1], name[160];
    zones_label(&w->zones, s->zone, label);
    if (strlen(label) > 40)
        return;
    snprintf(name, sizeof name, forms[rng_below(r, 6)], label);
    bool fresh;
    uint32_t zone = zones_add(&w->zones, name, 1, &fresh);
    if (!fresh)
        return;
    struct zone *z = world_zone(w, zone), *brand = world_zone(w, s->zone);
    large_hosting(z, r);
    z->kind = ZONE_SIBLING;
    z->registered_s = brand->registered_s + rng_below(r, (uint32_t)YEAR_S);
    z->anchor = s->zone;
    brand->flags |= ZONE_OWN_NS;
    s->sibling = zone;
}

/* What happens to a site during the run: it is launched, moves, or is given up. */
static void make_fate(struct world *w, struct rng *r, struct site *s, uint32_t rank)
{
    struct zone *z = world_zone(w, s->zone);
    int64_t span = w->end_s - w->start_s;
    double fate = rng_real(r);
    int64_t when = w->start_s + (int64_t)(rng_real(r) * (double)span);
    if (fate < 0.03) {
        s->launched_s = when;
        z->kind = ZONE_NEW_SITE;
        z->registered_s = when - rng_below(r, 60 * DAY_S);
        w->sites_new[w->n_sites_new++] = rank;
    } else if (fate < 0.05) {
        z->moved_s = when;
    } else if (fate < 0.055 && rank > w->n_sites / 4) {
        z->expires_s = when;
    } else if (fate < 0.065 && rank > w->n_sites / 4) {
        z->plan = PLAN_LAME;
        z->kind = ZONE_LAME;
    }
}

static void make_site(struct world *w, struct rng *r, uint32_t rank)
{
    struct site *s = &w->sites[rank];
    bool large = rank < w->n_sites / 5 || rng_chance(r, 0.1);
    s->zone = large ? large_zone(w, r, ZONE_SITE, NAMING_ANY, NULL)
                    : network_small_zone(w, r, ZONE_SITE, w->start_s - 60 * DAY_S - some_age(r));
    s->traits = (uint32_t)rng_u64(r);
    s->assets = (uint8_t)rng_below(r, large ? 5 : 2);
    s->thirds = (uint8_t)rng_below(r, large ? 7 : 4);
    s->apex = rng_chance(r, 0.35);
    if (large && rng_chance(r, 0.4))
        world_zone(w, s->zone)->cdn = (uint16_t)rng_range(r, 1, CDNS);
    if (rank < 400 && rng_chance(r, 0.3))
        make_sibling(w, r, s);
    if (rank > 20)
        make_fate(w, r, s, rank);
}

static int make_sites(struct world *w, struct rng *r)
{
    w->n_sites = w->scenario->mix.sites;
    w->sites = calloc(w->n_sites, sizeof *w->sites);
    w->sites_new = calloc(w->n_sites, sizeof *w->sites_new);
    w->site_weights = calloc(w->n_sites, sizeof *w->site_weights);
    if (w->sites == NULL || w->sites_new == NULL || w->site_weights == NULL)
        return E_NOMEM;
    double sum = 0;
    for (uint32_t i = 0; i < w->n_sites; i++) {
        make_site(w, r, i);
        sum += 1.0 / (i + 4);
        w->site_weights[i] = sum;
    }
    return E_OK;
}

uint32_t network_site_by_rank(const struct world *w, struct rng *r, int64_t now_s)
{
    double x = rng_real(r) * w->site_weights[w->n_sites - 1];
    uint32_t lo = 0, hi = w->n_sites - 1;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (w->site_weights[mid] > x)
            hi = mid;
        else
            lo = mid + 1;
    }
    /* What is not launched yet nobody knows; then it spreads over ten days. */
    int64_t since = now_s - w->sites[lo].launched_s;
    bool known = w->sites[lo].launched_s == 0 || (since > 0 && rng_real(r) * 10 * DAY_S < (double)since);
    return known ? lo : rng_below(r, 20 < w->n_sites ? 20 : w->n_sites);
}

/* ---- software that calls home ---- */

static uint16_t vendor_host(struct world *w, struct rng *r, bool iot)
{
    static const char *const soft[] = { "update", "updates", "telemetry", "api", "license", "config", "dl", "download", "sync",
                                        "push", "notify", "metrics", "events", "client", "ping", "crash", "v2.api", "auth", "cfg",
                                        "time", "feed", "settings", "stats", "activation" };
    static const char *const things[] = { "mqtt", "iot", "device", "ota", "fw", "cloud", "p2p", "dev", "a1.tuya", "gw", "relay",
                                          "eu-mqtt", "eu.ota", "hb", "push2", "log", "time", "stun", "broker", "dcp", "ctl", "m2" };
    char text[48];
    const char *base = iot ? things[rng_below(r, 22)] : soft[rng_below(r, 24)];
    if (iot && strcmp(base, "a1.tuya") == 0)
        base = "a1";
    double x = rng_real(r);
    if (x < 0.15)
        snprintf(text, sizeof text, "%s%u", base, rng_range(r, 1, 9));
    else if (x < 0.25)
        snprintf(text, sizeof text, "%s-%u", base, rng_chance(r, 0.5) ? 443 : rng_range(r, 1, 40));
    else if (x < 0.35)
        snprintf(text, sizeof text, "%s.%s", rng_chance(r, 0.5) ? "eu" : "us", base);
    else
        snprintf(text, sizeof text, "%s", base);
    return world_text(w, text);
}

static void vendor_zones(struct world *w, struct rng *r, struct vendor *v, bool iot)
{
    v->n_zones = 1;
    v->zones[0] = large_zone(w, r, iot ? ZONE_IOT_VENDOR : ZONE_VENDOR, NAMING_ANY, iot || rng_chance(r, 0.7) ? "com" : NULL);
    if (iot && rng_chance(r, 0.5))
        small_hosting(world_zone(w, v->zones[0]), r);
    if (rng_chance(r, 0.15)) { /* out of business, still asked for */
        struct zone *z = world_zone(w, v->zones[0]);
        z->kind = ZONE_DEAD_VENDOR;
        z->expires_s = w->start_s - rng_below(r, (uint32_t)YEAR_S);
    } else if (rng_chance(r, 0.12)) { /* renames itself and its hosts keep their labels */
        v->n_zones = (uint8_t)rng_range(r, 2, 3);
        for (unsigned i = 1; i < v->n_zones; i++) {
            v->zones[i] = large_zone(w, r, iot ? ZONE_IOT_VENDOR : ZONE_VENDOR, NAMING_ANY, "com");
            world_zone(w, v->zones[i])->anchor = v->zones[0];
        }
        world_zone(w, v->zones[0])->flags |= ZONE_OWN_NS;
    } else if (rng_chance(r, 0.3)) {
        world_zone(w, v->zones[0])->cdn = (uint16_t)rng_range(r, 1, CDNS);
    }
}

static void make_vendor(struct world *w, struct rng *r, struct vendor *v, bool iot)
{
    static const uint32_t soft[] = { 900, 3600, 3600, 7200, 14400, 14400, 21600, 28800, 43200, 86400, 86400, 86400 };
    static const uint32_t things[] = { 120, 300, 600, 600, 900, 900, 1800, 3600, 3600, 7200, 21600, 86400 };
    static const enum client_role roles[] = { CLIENT_PERSON, CLIENT_PERSON, CLIENT_PERSON, CLIENT_SERVER };
    vendor_zones(w, r, v, iot);
    v->n_hosts = (uint8_t)rng_range(r, 1, 3);
    for (unsigned i = 0; i < v->n_hosts; i++)
        v->hosts[i] = vendor_host(w, r, iot);
    v->period_s = iot ? things[rng_below(r, 12)] : soft[rng_below(r, 12)];
    if (rng_chance(r, 0.12)) { /* new on the market, and all who have it begin within days */
        struct zone *z = world_zone(w, v->zones[0]);
        v->launched_s = w->start_s + (int64_t)(rng_real(r) * (double)(w->end_s - w->start_s));
        int64_t registered_s = v->launched_s - rng_range(r, 1, 90) * DAY_S;
        /* Or new in this network alone: second-hand, and its vendor is long gone. */
        z->registered_s = z->kind == ZONE_DEAD_VENDOR ? z->registered_s : registered_s;
    }
    v->jitter = (float)(rng_chance(r, 0.3) ? 0.01 : 0.05 + 0.45 * rng_real(r));
    v->role = (uint8_t)(iot ? CLIENT_IOT : roles[rng_below(r, 4)]);
    double share = rng_real(r); /* few have most of the users */
    share *= rng_real(r);
    share *= rng_real(r);
    v->share = (float)(0.01 + 0.5 * share);
    v->plain = iot && rng_chance(r, 0.6);
}

/* What everybody has: the time, and whether there is a connection. */
static void make_common_vendors(struct world *w, struct rng *r)
{
    static const struct { enum zone_kind kind; enum zone_plan plan; const char *host; uint32_t period_s, ttl_s; enum client_role role; float share; } rows[] = {
        { ZONE_TIME, PLAN_POOL, "0.pool", 3600, 150, CLIENT_SERVER, 0.8f },
        { ZONE_TIME, PLAN_POOL, "2.android.pool", 21600, 150, CLIENT_PERSON, 0.4f },
        { ZONE_TIME, PLAN_POOL, "pool", 1800, 150, CLIENT_IOT, 0.5f },
        { ZONE_TIME, PLAN_SITE, "time", 43200, 3600, CLIENT_PERSON, 0.5f },
        { ZONE_CONNECTIVITY, PLAN_SITE, "connectivitycheck", 7200, 300, CLIENT_PERSON, 0.4f },
        { ZONE_CONNECTIVITY, PLAN_SITE, "www.connecttest", 14400, 60, CLIENT_PERSON, 0.4f },
        { ZONE_CONNECTIVITY, PLAN_SITE, "captive", 7200, 300, CLIENT_PERSON, 0.3f },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vendor *v = &w->vendors[w->n_vendors++];
        v->zones[0] = i == 1 || i == 2 ? v[-1].zones[0] : large_zone(w, r, rows[i].kind, NAMING_WORDS, i < 4 ? "org" : "com");
        world_zone(w, v->zones[0])->plan = (uint8_t)rows[i].plan;
        world_zone(w, v->zones[0])->ttl_s = rows[i].ttl_s;
        v->n_zones = v->n_hosts = 1;
        v->hosts[0] = world_text(w, rows[i].host);
        v->period_s = rows[i].period_s;
        v->jitter = 0.1f;
        v->share = rows[i].share;
        v->role = (uint8_t)rows[i].role;
        }
}

static int make_vendors(struct world *w, struct rng *r)
{
    uint32_t soft = w->scenario->mix.vendors, things = w->scenario->mix.iot_vendors;
    w->vendors = calloc(soft + things + 8, sizeof *w->vendors);
    if (w->vendors == NULL)
        return E_NOMEM;
    make_common_vendors(w, r);
    for (uint32_t i = 0; i < soft + things; i++)
        make_vendor(w, r, &w->vendors[w->n_vendors++], i >= soft);
    return E_OK;
}

/* ---- advertising ---- */

static int make_ads(struct world *w, struct rng *r)
{
    w->n_ads = w->scenario->mix.ad_networks;
    w->ads = calloc(w->n_ads + 1, sizeof *w->ads);
    if (w->ads == NULL)
        return E_NOMEM;
    for (uint32_t i = 0; i < w->n_ads; i++) {
        struct ad_network *ad = &w->ads[i];
        ad->turn_s = rng_range(r, 6, 72) * HOUR_S;
        ad->turns = (uint32_t)((w->end_s - w->start_s) / ad->turn_s) + 2;
        ad->rotating = calloc(ad->turns, sizeof *ad->rotating);
        if (ad->rotating == NULL)
            return E_NOMEM;
    }
    return E_OK;
}

uint32_t network_rotating(struct world *w, uint32_t ad, int64_t now_s)
{
    struct ad_network *a = &w->ads[ad];
    uint32_t turn = (uint32_t)((now_s - w->start_s) / a->turn_s) % a->turns;
    if (a->rotating[turn] == 0) {
        struct rng r = rng_make(w->scenario->seed, hash_mix(ad * 1000003u + turn));
        enum naming_manner manner = rng_chance(&r, 0.5) ? NAMING_RANDOM : NAMING_WORDS;
        uint32_t zone = zones_make(&w->zones, &r, manner, rng_chance(&r, 0.7) ? "com" : "net");
        struct zone *z = world_zone(w, zone);
        large_hosting(z, &r);
        z->hosting = (uint16_t)(ad % 16);
        z->kind = ZONE_AD_ROTATING;
        z->registered_s = now_s - rng_range(&r, 1, 40) * DAY_S;
        a->rotating[turn] = zone;
    }
    return a->rotating[turn];
}

/* ---- made on the way ---- */

/* Most are never seen again; some are this client's, or were somebody's lately. */
uint32_t network_long_tail(struct world *w, struct rng *r, int64_t now_s)
{
    uint32_t zone = network_small_zone(w, &w->naming, ZONE_LONG_TAIL, now_s - some_age(r));
    struct zone *z = world_zone(w, zone);
    if (rng_chance(r, 0.02))
        z->plan = PLAN_LAME;
    else if (rng_chance(r, 0.02))
        z->expires_s = now_s - rng_below(r, (uint32_t)YEAR_S);
    w->tail[w->tail_next++ % LONG_TAIL_SHARED] = zone;
    return zone;
}

uint32_t network_typo(struct world *w, struct rng *r, uint32_t zone, int64_t now_s)
{
    char label[NAMING_LABEL_MAX + 1], wrong[NAMING_LABEL_MAX + 1], text[NAME_TEXT_MAX], name[NAME_TEXT_MAX + NAMING_LABEL_MAX + 2];
    const struct zone *right = world_zone(w, zone);
    const uint8_t *suffix = zones_wire(&w->zones, right) + right->wire_len - right->suffix_len;
    unsigned labels = 0;
    for (size_t at = 0; suffix[at] != 0; at += suffix[at] + 1u)
        labels++;
    zones_label(&w->zones, zone, label);
    naming_typo(r, label, wrong);
    name_to_text(suffix, right->suffix_len, text);
    snprintf(name, sizeof name, "%s.%s", wrong, text);
    bool fresh;
    uint32_t typo = zones_add(&w->zones, name, labels, &fresh);
    if (!fresh)
        return typo;
    struct zone *z = world_zone(w, typo);
    small_hosting(z, r);
    z->kind = ZONE_TYPO;
    double x = rng_real(r);
    z->registered_s = x < 0.35 ? now_s - some_age(r) : x < 0.4 ? now_s + rng_range(r, 1, 6) * DAY_S : ZONE_NEVER;
    return typo;
}

uint32_t network_junk(struct world *w, uint32_t zone, const char *last)
{
    char name[NAME_TEXT_MAX + 16], text[NAME_TEXT_MAX];
    const uint8_t *wire = zones_wire(&w->zones, world_zone(w, zone));
    size_t at = 0, len = world_zone(w, zone)->wire_len;
    while (wire[at] != 0 && wire[at + wire[at] + 1] != 0)
        at += wire[at] + 1u;
    name_to_text(wire + at, len - at, text);
    snprintf(name, sizeof name, "%s%s", text, last);
    bool fresh;
    uint32_t junk = zones_add(&w->zones, name, 0, &fresh);
    if (fresh) {
        world_zone(w, junk)->kind = ZONE_JUNK;
        world_zone(w, junk)->registered_s = ZONE_NEVER;
    }
    return junk;
}

uint32_t network_reverse(struct world *w, uint8_t first_byte)
{
    char name[32];
    snprintf(name, sizeof name, "%u.in-addr.arpa", first_byte);
    bool fresh;
    uint32_t zone = zones_add(&w->zones, name, 2, &fresh);
    if (fresh) {
        struct zone *z = world_zone(w, zone);
        z->kind = ZONE_REVERSE;
        z->plan = PLAN_REVERSE;
        z->ttl_s = 43200;
        z->dns = first_byte;
    }
    return zone;
}

int network_make(struct world *w)
{
    struct rng r = rng_make(w->scenario->seed, STREAM_NETWORK);
    w->naming = rng_make(w->scenario->seed, STREAM_NETWORK + 1);
    /* Those of pages come first: they are found soonest. */
    static const char *const common[] = { "", "www", "static", "cdn", "img", "api", "assets", "media", "fonts", "login", "images",
                                          "s1", "js", "tags", "pixel", "sync", "collect", "ads", "s" };
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        world_text(w, common[i]);
    w->text_none = world_text(w, "");
    w->text_www = world_text(w, "www");
    w->text_edge = world_text(w, "e");
    w->text_far_edge = world_text(w, "g.dsc");
    w->text_dmarc = world_text(w, "_dmarc");
    w->text_mta_sts = world_text(w, "mta-sts");
    make_networks(w, &r);
    make_infrastructure(w, &r);
    make_providers(w, &r);
    int rc = make_sites(w, &r);
    if (rc == 0)
        rc = make_vendors(w, &r);
    if (rc == 0)
        rc = make_ads(w, &r);
    for (unsigned i = 0; i < LONG_TAIL_SHARED && rc == 0; i++)
        w->tail[i] = w->sites[i % w->n_sites].zone;
    return rc == 0 && w->zones.failed ? E_NOMEM : rc;
}

void network_release(struct world *w)
{
    for (uint32_t i = 0; w->ads != NULL && i < w->n_ads; i++)
        free(w->ads[i].rotating);
    for (uint32_t i = 0; i < w->n_texts; i++)
        free(w->texts[i]);
    free(w->ads);
    free(w->vendors);
    free(w->sites);
    free(w->sites_new);
    free(w->site_weights);
}
