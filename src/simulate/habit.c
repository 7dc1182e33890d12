/* What clients do, one step a process: people look at pages in sessions, software calls home, mail servers check
 * senders, Windows looks for what is not there. */
#include "simulate/world.h"

enum { PAGES_A_SESSION = 6, CRAWL_PAGES = 4, ASSETS = 10 };

int64_t in_seconds(int64_t now_ns, double seconds)
{
    return now_ns + (int64_t)(seconds * 1e9) + 1;
}

/* ---- pages ---- */

static uint32_t third_party(struct world *w, const struct site *s, unsigned i)
{
    /* A few are on every second page: squaring twice makes a long tail of shares. */
    double x = (double)(hash_mix(s->traits + i * 7919u) >> 40) / (1 << 24);
    return w->thirds[(uint32_t)(x * x * THIRDS)];
}

static struct target asset(struct world *w, uint32_t zone, uint32_t traits, unsigned i)
{
    static const char *const labels[ASSETS] = { "static", "cdn", "img", "api", "assets", "media", "fonts", "login", "images", "s1" };
    return target_text(w, zone, labels[hash_mix(traits + i) % ASSETS]);
}

static void ask_third_parties(struct world *w, struct process *p, int64_t now_ns, const struct site *s)
{
    static const char *const hosts[] = { "www", "cdn", "js", "tags", "pixel", "sync", "api", "collect", "ads" };
    for (unsigned i = 0; i < s->thirds; i++) {
        uint32_t zone = third_party(w, s, i);
        if (rng_chance(&p->rng, 0.7))
            ask(w, p->client, in_seconds(now_ns, 0.2 + rng_real(&p->rng) * 2), target_text(w, zone, hosts[zone % 9]));
    }
    if (s->thirds > 1 && w->n_ads > 0 && rng_chance(&p->rng, 0.12)) {
        uint32_t zone = network_rotating(w, (s->traits >> 8) % w->n_ads, now_ns / NS_PER_S);
        int64_t at_ns = in_seconds(now_ns, 0.5 + rng_real(&p->rng) * 3);
        ask(w, p->client, at_ns, rng_chance(&p->rng, 0.5) ? target_of(zone, LABEL_NONE, 0) : target_text(w, zone, "s"));
    }
}

/* The computer asks a reputation service about a file or an address on the page. */
static void ask_reputation(struct world *w, struct process *p, int64_t now_ns)
{
    const struct client *c = &w->clients[p->client];
    if (!(c->flags & CLIENT_REPUTATION) || !rng_chance(&p->rng, 0.15))
        return;
    uint32_t zone = w->reputations[c->company % REPUTATIONS];
    ask_plain(w, p->client, in_seconds(now_ns, 0.1), target_of(zone, LABEL_HEX, rng_u64(&p->rng)));
}

static void visit_site(struct world *w, struct process *p, int64_t now_ns, uint32_t site)
{
    const struct site *s = &w->sites[site];
    ask(w, p->client, now_ns, s->apex ? target_of(s->zone, LABEL_NONE, 0) : target_of(s->zone, LABEL_TEXT, w->text_www));
    for (unsigned i = 0; i < s->assets; i++)
        if (rng_chance(&p->rng, 0.6))
            ask(w, p->client, in_seconds(now_ns, 0.1 + rng_real(&p->rng)), asset(w, s->sibling && i > 1 ? s->sibling : s->zone, s->traits, i));
    ask_third_parties(w, p, now_ns, s);
    ask_reputation(w, p, now_ns);
}

void visit_zone(struct world *w, struct process *p, int64_t now_ns, struct target page)
{
    struct site like = { .zone = page.zone, .traits = (uint32_t)hash_mix(page.zone), .thirds = (uint8_t)(hash_mix(page.zone) % 4) };
    ask(w, p->client, now_ns, page);
    ask_third_parties(w, p, now_ns, &like);
    ask_reputation(w, p, now_ns);
}

static void visit_tail(struct world *w, struct process *p, int64_t now_ns)
{
    struct client *c = &w->clients[p->client];
    double x = rng_real(&p->rng);
    uint32_t zone;
    if (x < 0.72)
        zone = network_long_tail(w, &p->rng, now_ns / NS_PER_S);
    else if (x < 0.92)
        zone = c->recent[rng_below(&p->rng, RECENT)];
    else
        zone = w->tail[rng_below(&p->rng, LONG_TAIL_SHARED)];
    if (zone == 0)
        return;
    c->recent[c->window++ % RECENT] = zone;
    bool www = hash_mix(zone) % 3 != 0;
    visit_zone(w, p, now_ns, www ? target_of(zone, LABEL_TEXT, w->text_www) : target_of(zone, LABEL_NONE, 0));
    if (hash_mix(zone) % 11 == 0)
        ask(w, p->client, in_seconds(now_ns, 0.4), target_of(zone, LABEL_TEXT, world_text(w, hash_mix(zone) % 2 ? "img" : "cdn")));
}

/* A link in a letter: the customer's name, the provider's host. */
static void visit_customer(struct world *w, struct process *p, int64_t now_ns)
{
    uint32_t site = network_site_by_rank(w, &p->rng, now_ns / NS_PER_S), zone = w->sites[site].zone;
    const struct provider *provider = &w->providers[3 + zone % 8];
    bool numbered = provider == &w->providers[3];
    ask(w, p->client, now_ns, numbered ? target_of(zone, LABEL_NUMBERED, (uint64_t)(1000 + zone % 9000) << 32 | provider->text)
                                       : target_of(zone, LABEL_TEXT, provider->text));
}

static void visit_something(struct world *w, struct process *p, int64_t now_ns)
{
    const struct client *c = &w->clients[p->client];
    /* A person looks at some 27 pages a day, and 0.72 of what visit_tail shows is new. */
    double tail = w->scenario->mix.long_tail / (27 * 0.72), x = rng_real(&p->rng);
    int64_t now_s = now_ns / NS_PER_S;
    if (x < tail) {
        visit_tail(w, p, now_ns);
    } else if (x < tail + 0.01 * w->scenario->mix.junk) {
        uint32_t zone = w->sites[network_site_by_rank(w, &p->rng, now_s)].zone;
        visit_zone(w, p, now_ns, target_of(network_typo(w, &p->rng, zone, now_s), LABEL_TEXT, w->text_www));
    } else if (x < tail + 0.03) {
        visit_customer(w, p, now_ns);
    } else if (x < tail + 0.03 + 0.45) {
        uint32_t i = (uint32_t)(rng_real(&p->rng) * rng_real(&p->rng) * FAVOURITES);
        visit_site(w, p, now_ns, c->favourites[i]);
    } else if (x < tail + 0.03 + 0.47 && w->n_sites_new > 0) {
        const uint32_t site = w->sites_new[rng_below(&p->rng, w->n_sites_new)];
        if (w->sites[site].launched_s < now_s)
            visit_site(w, p, now_ns, site);
    } else {
        visit_site(w, p, now_ns, network_site_by_rank(w, &p->rng, now_s));
    }
}

/* A browser finds out whether the resolver lies: three names of one random label. */
static void probe(struct world *w, struct process *p, int64_t now_ns)
{
    for (unsigned i = 0; i < 3; i++)
        ask_plain(w, p->client, in_seconds(now_ns, 0.01 * i), target_of(0, LABEL_LETTERS, rng_u64(&p->rng)));
}

/* a: sessions a day, in hundredths; b: pages left of this one. */
int64_t step_SURF(struct world *w, struct process *p, int64_t now_ns)
{
    const struct client *c = &w->clients[p->client];
    if (p->b > 0) {
        p->b--;
        visit_something(w, p, now_ns);
        return in_seconds(now_ns, p->b ? 2 + rng_exponential(&p->rng, 25) : 60 + rng_exponential(&p->rng, DAY_S * 35.0 / p->a));
    }
    /* Thinning: candidates at the rate of the busiest hour, taken as often as the person is awake. */
    if (!rng_chance(&p->rng, client_awake(w, c, now_ns / NS_PER_S)))
        return in_seconds(now_ns, rng_exponential(&p->rng, DAY_S * 35.0 / p->a));
    p->b = 1 + (uint32_t)rng_exponential(&p->rng, PAGES_A_SESSION - 0.5);
    if (c->flags & CLIENT_PROBES && rng_chance(&p->rng, 0.25 * w->scenario->mix.junk))
        probe(w, p, now_ns);
    return in_seconds(now_ns, 1);
}

/* ---- software ---- */

/* Where people do little, programs do less, too. */
static double slower(const struct world *w)
{
    return w->scenario->activity < 1 ? 1 / w->scenario->activity : 1;
}

/* a: the vendor */
int64_t step_VENDOR(struct world *w, struct process *p, int64_t now_ns)
{
    const struct vendor *v = &w->vendors[p->a];
    int64_t now_s = now_ns / NS_PER_S;
    double jitter = v->jitter * (2 * rng_real(&p->rng) - 1);
    if (now_s >= v->launched_s && client_is_on(w, &w->clients[p->client], now_s)) {
        double through = (double)(now_s - w->start_s) / (double)(w->end_s - w->start_s);
        uint32_t zone = v->zones[(unsigned)(through * v->n_zones) % v->n_zones];
        for (unsigned i = 0; i < v->n_hosts; i++) {
            if (i > 0 && rng_chance(&p->rng, 0.6))
                continue;
            struct target t = target_of(zone, LABEL_TEXT, v->hosts[i]);
            int64_t at_ns = in_seconds(now_ns, i * 0.3);
            if (v->plain)
                ask_plain(w, p->client, at_ns, t);
            else
                ask(w, p->client, at_ns, t);
        }
    }
    return in_seconds(now_ns, v->period_s * slower(w) * (1 + jitter));
}

/* a: letters a day. Each: who is it (PTR), who does it say it is (A, MX, TXT, a signature's key), is it listed. */
int64_t step_MAIL(struct world *w, struct process *p, int64_t now_ns)
{
    struct rng *r = &p->rng;
    int64_t now_s = now_ns / NS_PER_S;
    uint32_t address = (uint32_t)rng_u64(r) | 0x01000000, from;
    double x = rng_real(r);
    if (x < 0.35)
        from = w->tail[rng_below(r, LONG_TAIL_SHARED)];
    else if (x < 0.65)
        from = w->sites[network_site_by_rank(w, r, now_s)].zone;
    else {
        from = network_long_tail(w, r, now_s);
        world_zone(w, from)->kind = ZONE_MAIL_PEER;
    }
    if (address >> 24 < 224)
        ask_type(w, p->client, now_ns, target_of(network_reverse(w, (uint8_t)(address >> 24)), LABEL_REVERSE, address), TYPE_PTR);
    for (unsigned i = 0; i < LISTINGS; i++)
        if (hash_mix(p->client * 8 + i) % 2 == 0 || i == 0)
            ask_plain(w, p->client, in_seconds(now_ns, 0.05), target_of(w->listings[i], LABEL_ADDRESS, address));
    ask_type(w, p->client, in_seconds(now_ns, 0.1), target_of(from, LABEL_NONE, 0), TYPE_MX);
    ask_type(w, p->client, in_seconds(now_ns, 0.15), target_of(from, LABEL_NONE, 0), TYPE_TXT);
    if (rng_chance(r, 0.7))
        ask_type(w, p->client, in_seconds(now_ns, 0.2), target_of(from, LABEL_TEXT, w->providers[1 + (from % 3 == 0)].text), TYPE_TXT);
    if (rng_chance(r, 0.6))
        ask_type(w, p->client, in_seconds(now_ns, 0.25), target_of(from, LABEL_TEXT, w->text_dmarc), TYPE_TXT);
    if (rng_chance(r, 0.2)) { /* few have one */
        struct target policy = target_of(from, LABEL_TEXT, w->text_mta_sts);
        policy.flags = hash_mix(from) % 10 == 0 ? 0 : TARGET_ABSENT;
        ask(w, p->client, in_seconds(now_ns, 0.3), policy);
    }
    double busy = w->clients[p->client].flags & CLIENT_AAAA ? 1 : 0.7;
    return in_seconds(now_ns, rng_exponential(r, DAY_S * slower(w) / (p->a * busy)));
}

/* a: what a server uses again and again: a partner's or its own company's host. Some stubs try the search suffix first
 * (resolv.conf's ndots), each time in vain. */
int64_t step_SERVICE(struct world *w, struct process *p, int64_t now_ns)
{
    static const char *const hosts[] = { "api", "db", "repo", "mirror", "ldap", "s3", "queue", "registry", "git", "auth" };
    static const uint16_t periods_s[] = { 300, 600, 900, 1800, 3600, 3600, 7200, 14400 };
    const struct client *c = &w->clients[p->client];
    uint32_t corporate = w->corporates[c->company % CORPORATES];
    uint32_t zone = p->a % 3 == 0 && corporate != 0 ? corporate : w->sites[(p->a >> 4) % w->n_sites].zone;
    if (zone == corporate && rng_chance(&p->rng, 0.1))
        ask_type(w, p->client, now_ns, target_text(w, zone, "_ldap._tcp.dc._msdcs"), TYPE_SRV);
    if (corporate != 0 && zone != corporate && p->a % 4 == 1) {
        struct target vain = target_of(corporate, LABEL_OTHER, (uint64_t)(1u + world_text(w, hosts[(p->a >> 2) % 10])) << 32 | zone);
        vain.flags = TARGET_ABSENT;
        ask(w, p->client, now_ns, vain);
    }
    ask(w, p->client, in_seconds(now_ns, 0.02), target_text(w, zone, hosts[(p->a >> 2) % 10]));
    return in_seconds(now_ns, periods_s[p->a % 8] * slower(w) * (0.95 + 0.1 * rng_real(&p->rng)));
}

/* A link checker, an archive, a feed reader: pages at random, day and night. */
int64_t step_CRAWL(struct world *w, struct process *p, int64_t now_ns)
{
    for (unsigned i = 0; i < CRAWL_PAGES; i++) {
        int64_t at_ns = in_seconds(now_ns, i * 1.5);
        if (rng_chance(&p->rng, 0.5))
            visit_tail(w, p, at_ns);
        else
            ask(w, p->client, at_ns, target_of(w->sites[rng_below(&p->rng, w->n_sites)].zone, LABEL_TEXT, w->text_www));
    }
    return in_seconds(now_ns, rng_exponential(&p->rng, 600 / w->scenario->activity));
}

/* Single labels, proxies that nobody has, neighbours by number, services by broadcast of a kind. */
int64_t step_JUNK(struct world *w, struct process *p, int64_t now_ns)
{
    static const char *const labels[] = { "wpad", "localhost", "printer", "fileserver", "isatap", "nas", "intranet", "router" };
    const struct client *c = &w->clients[p->client];
    struct rng *r = &p->rng;
    uint32_t corporate = w->corporates[c->company % CORPORATES];
    if (client_is_on(w, c, now_ns / NS_PER_S)) {
        double x = rng_real(r);
        struct target wpad = target_text(w, 0, labels[(unsigned)(rng_real(r) * rng_real(r) * 8)]);
        if (x < 0.5)
            ask_plain(w, p->client, now_ns, wpad);
        else if (x < 0.75)
            ask_type(w, p->client, now_ns, target_of(network_reverse(w, 10), LABEL_REVERSE, c->address ^ rng_below(r, 250)), TYPE_PTR);
        else if (corporate != 0) {
            wpad = target_text(w, corporate, x < 0.9 ? "wpad" : "b._dns-sd._udp");
            wpad.flags = TARGET_ABSENT;
            ask_type(w, p->client, now_ns, wpad, x < 0.9 ? TYPE_A : TYPE_PTR);
        }
    }
    return in_seconds(now_ns, rng_exponential(r, 900 * slower(w) / (w->scenario->mix.junk + 0.01)));
}

/* The software services that a company has, by its own name at the provider and by the provider's host in its zone. */
int64_t step_CORPORATE(struct world *w, struct process *p, int64_t now_ns)
{
    const struct client *c = &w->clients[p->client];
    if (client_awake(w, c, now_ns / NS_PER_S) > 0.3) {
        uint32_t corporate = w->corporates[1 + c->company % (CORPORATES - 1)];
        const struct provider *provider = &w->providers[(c->company + rng_below(&p->rng, 4)) % PROVIDERS];
        struct target tenant = target_of(provider->zone, LABEL_CUSTOMER, (uint64_t)corporate << 32 | w->text_none);
        ask(w, p->client, now_ns, rng_chance(&p->rng, 0.6) ? tenant : target_of(corporate, LABEL_TEXT, w->providers[0].text));
    }
    return in_seconds(now_ns, rng_exponential(&p->rng, 5400 / w->scenario->activity));
}
