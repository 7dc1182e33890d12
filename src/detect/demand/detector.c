/* demand: a registered domain that machines ask for again and again, and that does not exist; and its registration. */
#include "detect/daily.h"
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>

/* note.md says why these. */
static const double typed_share = 0.7;   /* of the missing domains that are asked for: mistakes, probes; the rest is dead names */
static const double typed_again = 0.7;   /* a mistake is made in another hour as well */
static const double first_look_days = 1; /* as in novelty */
static const double existed_nats = 3;    /* what existed and expired is asked for by what used it */
static const double expired_max = 2;     /* no family: programs outlive names */
static const double registered_nats = 1.5;
static const double client_nats = 1.5;   /* the most that each client that keeps asking is good for */
static const double alone_max = 2.5;     /* a fleet with a dead vendor's name looks like this, however many: more takes company (fail-over) */
enum {
    KEEPS_ASKING_HOURS = 3,
    PERSISTS_HOURS = 6,
    PERSISTS_SPAN = 12,
    NEWS_HOURS = 14 * DAY_STEPS, /* after its registration */
};

struct demand {
    uint32_t first, last; /* hours in which it was missing */
    uint32_t hours;       /* so many */
    uint32_t exists_first, exists_last;
    uint32_t clients;     /* that keep asking */
    uint32_t watched;     /* hours that the network was watched before it came */
    uint64_t missing, queries, services, https; /* of the window */
    bool before, registered;
};

static bool exists(const struct subject_hour *h)
{
    return h->counters[ACTIVITY_NOERROR] || h->counters[ACTIVITY_NODATA] || h->counters[ACTIVITY_NX_HOST];
}

/* Profile up to the period, the window's hours from there on. */
static void gather_existence(const struct subject *s, struct demand *d)
{
    const struct profile *p = &s->profile;
    *d = (struct demand){ .first = p->missing_first, .last = p->missing_last, .hours = p->missing_hours,
                          .exists_first = p->exists_first, .exists_last = p->exists_last };
    for (size_t i = s->n_hours; i-- > 0 && s->hours[i].hour >= period_start(s->step);) {
        const struct subject_hour *h = &s->hours[i];
        if (h->counters[ACTIVITY_NX_DOMAIN]) {
            d->hours++;
            d->first = p->missing_hours ? d->first : h->hour;
            d->last = h->hour > d->last ? h->hour : d->last;
        }
        if (exists(h)) {
            d->exists_first = p->exists_first ? d->exists_first : h->hour;
            d->exists_last = h->hour > d->exists_last ? h->hour : d->exists_last;
        }
    }
    d->before = d->exists_first != 0 && d->exists_first <= d->last;
    d->registered = d->exists_first > d->last;
}

static void gather(const struct subject *s, const struct network *network, struct demand *d)
{
    gather_existence(s, d);
    uint32_t first = s->first_s / STEP_S;
    d->watched = first > network->first ? first - network->first : 0;
    for (size_t i = 0; i < s->n_clients; i++)
        d->clients += s->clients[i].hours >= KEEPS_ASKING_HOURS;
    for (size_t i = 0; i < s->n_hours; i++) {
        const uint32_t *c = s->hours[i].counters;
        d->missing += c[ACTIVITY_NX_DOMAIN];
        d->queries += c[ACTIVITY_QUERIES];
        d->services += c[ACTIVITY_SRV];
        d->https += c[ACTIVITY_HTTPS];
    }
}

/* Of what persists. Own directories looked for from elsewhere (SRV), and domains of local networks, are not it. */
static bool is_demand(const struct subject *s, const struct demand *d, const struct suffix_list *suffixes)
{
    if (d->hours < PERSISTS_HOURS || d->last - d->first < PERSISTS_SPAN || d->clients == 0)
        return false;
    if (d->registered ? s->step - d->exists_first > NEWS_HOURS : s->step - d->last >= DAY_STEPS)
        return false;
    return 10 * d->services < 3 * d->queries && suffix_tld(suffixes, s->owner.ptr, s->owner.len);
}

/* -log P(so long, by so many, beginning so late | mistakes or dead names). The day tells mistakes from machines, not dead
 * names: they are machines' too. */
static double strength_of(const struct demand *d, double flat)
{
    double late = 1 / (1 + d->watched / 24.0 / first_look_days);
    double typed = typed_share * pow(typed_again, d->hours - 1) * pow(0.5, d->clients - 1) * exp(-fmax(0, flat));
    double dead = (1 - typed_share) * late * pow(d->clients, late - 1);
    double nats = fmin(-log(typed + dead), client_nats * d->clients) - (d->before ? existed_nats : 0);
    nats = fmin(nats, d->before ? expired_max : alone_max) + fmax(-3, fmin(0, flat)) - (5 * d->https > d->queries ? 1 : 0);
    return nats + (d->registered && nats > 0 ? registered_nats : 0);
}

static void tell(const struct subject *s, const struct demand *d, const struct daily *day, double strength, struct findings *to)
{
    char summary[FINDING_SUMMARY], existence[64];
    struct facts f;
    facts_begin(&f);
    facts_count(&f, "missing_first_hour", d->first);
    facts_count(&f, "missing_last_hour", d->last);
    facts_count(&f, "missing_hours", d->hours);
    facts_count(&f, "exists_first_hour", d->exists_first);
    facts_count(&f, "exists_last_hour", d->exists_last);
    facts_count(&f, "clients_that_keep_asking", d->clients);
    facts_flag(&f, "clients_whole", s->clients_whole);
    facts_count(&f, "window_missing", d->missing);
    facts_count(&f, "window_queries", d->queries);
    facts_count(&f, "watched_before_hours", d->watched);
    facts_number(&f, "flat_nats", day->flat);
    if (d->registered)
        snprintf(existence, sizeof existence, "and exists since %u hours ago", s->step - d->exists_first);
    else
        snprintf(existence, sizeof existence, "%s", d->before ? "after it existed" : "and never existed here");
    snprintf(summary, sizeof summary, "asked for in %u hours over %.1f days while not registered, %s: %u clients keep asking", d->hours,
             (d->last - d->first) / 24.0, existence, d->clients);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = strength, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct demand d;
    if (s->profile.missing_hours == 0 && s->n_hours < PERSISTS_HOURS)
        return E_OK;
    gather(s, scene_network(scene), &d);
    if (!is_demand(s, &d, scene_suffixes(scene)))
        return E_OK;
    struct daily day = daily_compare(s, scene_network(scene));
    double strength = strength_of(&d, day.flat);
    if (strength >= FINDING_MIN)
        tell(s, &d, &day, strength, to);
    return E_OK;
}

const struct detector detector_demand = {
    .name = "demand",
    .group = GROUP_DEMAND,
    .about = "machines keep asking for a registered domain that does not exist, or began to exist after that",
    .examine = examine,
};
