/* standing: existing and in use here for long, by many, day after day. Speaks against harm. */
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>

/* note.md says why these. */
static const double age_days = 30, age_max = 3;
static const double broad_days_scale = 2, broad_max = 3.5;
static const double breadth_scale = 0.05, breadth_max = 2;
enum { ENOUGH_NETWORK = 20 /* clients, below which a share of them says little */ };

struct standing {
    double age_days;   /* in use and existing, as far as the database goes back */
    double steady;     /* share of its days that are broad */
    double breadth;    /* the most clients of an hour, of those of the network */
    double of_age, of_broad, of_breadth;
};

/* Since it is known to exist; anew after a long silence: it may have another owner. */
static uint32_t stands_since(const struct profile *p)
{
    return p->returned > p->exists_first ? p->returned : p->exists_first;
}

static void judge(const struct subject *s, const struct network *network, struct standing *r)
{
    const struct profile *p = &s->profile;
    r->age_days = (s->step - stands_since(p)) / 24.0;
    r->steady = p->days ? fmin(1, (double)p->broad_days / p->days) : 0;
    r->breadth = network->clients >= ENOUGH_NETWORK ? fmin(1, (double)p->peak_clients / network->clients) : 0;
    r->of_age = fmin(age_max, log1p(r->age_days / age_days));
    r->of_broad = fmin(broad_max, log1p(p->broad_days * r->steady / broad_days_scale));
    r->of_breadth = p->broad_days > 1 ? fmin(breadth_max, log1p(r->breadth / breadth_scale)) : 0;
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct standing r;
    struct facts f;
    char summary[FINDING_SUMMARY];
    if (s->profile.exists_first == 0)
        return E_OK;
    judge(s, scene_network(scene), &r);
    facts_begin(&f);
    facts_number(&f, "age_nats", r.of_age);
    facts_number(&f, "broad_nats", r.of_broad);
    facts_number(&f, "breadth_nats", r.of_breadth);
    facts_number(&f, "known_days", r.age_days);
    facts_count(&f, "days", s->profile.days);
    facts_count(&f, "broad_days", s->profile.broad_days);
    facts_count(&f, "peak_clients", s->profile.peak_clients);
    facts_count(&f, "network_clients", scene_network(scene)->clients);
    snprintf(summary, sizeof summary, "known for %.0f days; broad (%u clients in an hour) on %u of %u days; at most %u clients in an hour",
             r.age_days, (unsigned)PROFILE_BROAD_CLIENTS, s->profile.broad_days, s->profile.days, s->profile.peak_clients);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = -(r.of_age + r.of_broad + r.of_breadth), .summary = summary,
                                        .facts = facts_end(&f) });
    return E_OK;
}

const struct detector detector_standing = {
    .name = "standing",
    .group = GROUP_STANDING,
    .about = "existing and in use here for long, by many, day after day",
    .examine = examine,
};
