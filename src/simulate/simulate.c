#include "simulate/world.h"

#include <stdlib.h>

const char *campaign_kind_text(enum campaign_kind kind)
{
    static const char *const texts[] = {
#define XX(name, text) text,
        CAMPAIGN_KIND_MAP(XX)
#undef XX
    };
    return texts[kind];
}

void scenario_defaults(struct scenario *s)
{
    *s = (struct scenario){
        .seed = 1, .clients = 400, .days = 30, .start_s = 1709510400 /* 2024-03-04, a Monday */, .resolver_cache = true,
        .activity = 1, .loss = 0.003,
        .shares = { .iot = 0.2, .server = 0.08, .mail = 0.01, .translator = 0.015, .churn = 0.2 },
        .mix = { .sites = 4000, .vendors = 70, .iot_vendors = 40, .ad_networks = 12, .long_tail = 3, .junk = 1 },
    };
}

void scenario_campaign_defaults(struct scenario_campaign *c, enum campaign_kind kind)
{
    static const struct scenario_campaign defaults[CAMPAIGN_KINDS] = {
        [CAMPAIGN_WORKED_EXAMPLE] = { .clients = 4, .domains = 6, .unregistered = 2, .period_s = 1200, .jitter = 0.25, .day = 16 },
        [CAMPAIGN_BEACON] = { .clients = 3, .domains = 1, .period_s = 3600, .jitter = 0.2, .day = 5 },
        [CAMPAIGN_IOT_BOTNET] = { .clients = 40, .domains = 5, .unregistered = 1, .period_s = 900, .jitter = 0.3, .day = 8 },
        [CAMPAIGN_PHISHING_WAVE] = { .clients = 12, .domains = 5, .day = 10, .days = 2 },
        [CAMPAIGN_LOOK_ALIKE] = { .clients = 2, .domains = 1, .day = 6, .days = 14 },
        [CAMPAIGN_SHADOWED_HOSTS] = { .clients = 20, .domains = 4, .day = 12, .days = 4 },
        [CAMPAIGN_DGA] = { .clients = 3, .domains = 40, .period_s = 10800, .jitter = 0.3, .day = 9 },
        [CAMPAIGN_FAST_FLUX] = { .clients = 15, .domains = 3, .period_s = 7200, .jitter = 0.5, .day = 7 },
        [CAMPAIGN_TUNNEL] = { .clients = 1, .domains = 1, .period_s = 60, .jitter = 0.5, .day = 11, .days = 3 },
        [CAMPAIGN_RANDOM_SUBDOMAIN] = { .clients = 10, .domains = 1, .period_s = 1, .jitter = 0.9, .day = 13, .days = 0.08 },
    };
    *c = defaults[kind];
    c->kind = kind;
    c->twin = true;
}

static int check_campaign(const struct scenario *s, const struct scenario_campaign *c, struct fault *why)
{
    if (c->clients == 0 || c->clients > s->clients / 2)
        return fault_set(why, E_USAGE, "campaign %s: clients: from 1 to half of all", c->id);
    if (c->domains == 0 || c->domains > 1000 || c->unregistered >= c->domains)
        return fault_set(why, E_USAGE, "campaign %s: domains: from 1 to 1000, more than unregistered", c->id);
    if (!(c->period_s >= 0 && c->period_s <= 366.0 * DAY_S) || !(c->jitter >= 0 && c->jitter <= 1))
        return fault_set(why, E_USAGE, "campaign %s: period up to a year, jitter from 0 to 1", c->id);
    if (!(c->day >= 0 && c->day < s->days) || !(c->days >= 0 && c->days <= SCENARIO_DAYS_MAX))
        return fault_set(why, E_USAGE, "campaign %s: begins on day %g of %g", c->id, c->day, s->days);
    return E_OK;
}

int scenario_check(const struct scenario *s, struct fault *why)
{
    const struct scenario_shares *part = &s->shares;
    double devices = part->iot + part->server + part->mail + part->translator;
    if (s->clients < 10 || s->clients > SCENARIO_CLIENTS_MAX)
        return fault_set(why, E_USAGE, "clients: from 10 to %d", SCENARIO_CLIENTS_MAX);
    if (!(s->days > 0 && s->days <= SCENARIO_DAYS_MAX))
        return fault_set(why, E_USAGE, "days: more than 0, at most %d", SCENARIO_DAYS_MAX);
    if (s->start_s < 0 || s->start_s > UINT32_MAX - (int64_t)SCENARIO_DAYS_MAX * DAY_S)
        return fault_set(why, E_USAGE, "start: outside of what a capture can tell");
    if (!(s->activity >= 0.01 && s->activity <= 20) || !(s->loss >= 0 && s->loss <= 0.5))
        return fault_set(why, E_USAGE, "activity: from 0.01 to 20; loss: from 0 to 0.5");
    if (!(part->iot >= 0 && part->server >= 0 && part->mail >= 0 && part->translator >= 0 && devices <= 1) ||
        !(part->churn >= 0 && part->churn <= 1))
        return fault_set(why, E_USAGE, "shares: none below 0, together at most 1");
    if (s->mix.sites < 100 || s->mix.sites > 100000 || s->mix.vendors < 4 || s->mix.vendors > 1000 ||
        s->mix.iot_vendors < 4 || s->mix.iot_vendors > 1000 || s->mix.ad_networks > 1000)
        return fault_set(why, E_USAGE, "mix: sites 100 to 100000, vendors and iot_vendors 4 to 1000, ad_networks to 1000");
    if (!(s->mix.long_tail >= 0 && s->mix.long_tail <= 20) || !(s->mix.junk >= 0 && s->mix.junk <= 10))
        return fault_set(why, E_USAGE, "mix: long_tail from 0 to 20, junk from 0 to 10");
    for (unsigned i = 0; i < s->n_campaigns; i++)
        if (check_campaign(s, &s->campaigns[i], why) != 0)
            return E_USAGE;
    return E_OK;
}

static int make(struct world *w)
{
    heap_init(&w->heap, (size_t)1 << 26);
    w->pending_free = NOBODY;
    w->resolver = calloc(RESOLVER_CACHE, sizeof *w->resolver);
    int rc = w->resolver == NULL ? E_NOMEM : zones_init(&w->zones, w->scenario->clients);
    if (rc == 0)
        rc = network_make(w);
    if (rc == 0)
        rc = clients_make(w);
    return rc ? rc : campaigns_make(w);
}

static void release(struct world *w)
{
    campaigns_release(w);
    clients_release(w);
    network_release(w);
    zones_release(&w->zones);
    heap_release(&w->heap);
    free(w->pending);
    free(w->resolver);
    capture_release(&w->capture);
}

int simulate(const struct scenario *s, enum capture_form form, const struct sink *capture, const struct sink *truth,
             struct simulate_counts *ret, struct fault *why)
{
    struct world w = { .scenario = s, .start_s = s->start_s, .end_s = s->start_s + (int64_t)(s->days * DAY_S),
                       .why = why };
    int rc = scenario_check(s, why);
    if (rc == 0)
        rc = capture_begin(&w.capture, form, capture, why);
    if (rc != 0)
        return rc;
    rc = make(&w);
    if (rc != 0)
        world_fail(&w, rc, "the world");
    rc = w.rc ? w.rc : world_run(&w);
    if (rc == 0 && truth->write != NULL)
        rc = truth_write(&w, truth);
    w.counts.bytes = w.capture.bytes;
    *ret = w.counts;
    release(&w);
    return rc;
}
