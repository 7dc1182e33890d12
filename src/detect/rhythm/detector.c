/* rhythm: a program asks, at its own intervals and whatever the time of day. */
#include "detect/beat.h"
#include "detect/daily.h"
#include "detect/facts.h"
#include "detect/steady.h"

#include <math.h>
#include <stdio.h>

static const double flat_max = 4;     /* that it is asked for at all hours is true of much */
static const double alone_max = 4; /* of one client: a monitor, a script, a tab left open are its owner's affair */
static const double slow_s = 3 * 3600; /* beats from here on could be meals, shifts, mornings and evenings */
static const double slow_unknown = 2;  /* and are worth no more before a day has shown the nights */
static const double steady_max = 8;

/* What the beat is worth: slow ones only when they go through the nights. */
static double of_beat(const struct beat *b, const struct daily *d)
{
    if (!b->sustained || b->nats <= 0)
        return 0;
    if (b->period_s < slow_s)
        return b->nats;
    if (d->quiet_network == 0)
        return fmin(b->nats, slow_unknown);
    return daily_nights(d) > 0 ? b->nats : 0;
}

static void state_beat(struct facts *f, const struct beat *b, uint32_t ttl_s)
{
    facts_open(f, "beat", FACTS_OBJECT);
    facts_number(f, "nats", b->nats);
    facts_flag(f, "sustained", b->sustained);
    facts_number(f, "period_s", nearbyint(b->period_s));
    facts_number(f, "jitter", b->jitter);
    facts_count(f, "clients", b->clients);
    facts_count(f, "clients_looked_at", b->looked);
    facts_count(f, "gaps", b->gaps);
    facts_count(f, "on_beat", b->on_beat);
    facts_count(f, "missed_beats", b->missed);
    facts_number(f, "longest_s", b->span_s);
    facts_number(f, "coverage", b->coverage);
    facts_count(f, "ttl_s", ttl_s);
    facts_close(f);
}

static void state_day(struct facts *f, const struct daily *d)
{
    facts_open(f, "day", FACTS_OBJECT);
    facts_number(f, "nats", d->flat);
    facts_count(f, "hours", d->hours);
    facts_count(f, "asked_hours", d->asked);
    facts_count(f, "client_hours", d->clients);
    facts_number(f, "quiet_share", d->quiet);
    facts_number(f, "quiet_hours_share", d->quiet_network);
    facts_close(f);
}

static void state_steady(struct facts *f, const struct steady *r)
{
    facts_open(f, "steady", FACTS_OBJECT);
    facts_number(f, "nats", r->nats);
    facts_count(f, "clients", r->clients);
    facts_count(f, "gaps", r->gaps);
    facts_count(f, "longest_run", r->longest);
    facts_close(f);
}

/* What was found, and the sentence that says so. */
struct rhythm {
    struct beat beat;
    struct daily day;
    struct steady steady;
    enum { BY_BEAT, BY_STEADINESS, BY_DAY } by;
    double strength;
};

static void say(const struct rhythm *r, char summary[FINDING_SUMMARY])
{
    const struct beat *b = &r->beat;
    switch (r->by) {
    case BY_BEAT:
        snprintf(summary, FINDING_SUMMARY,
                 "%u of %u clients ask every %.0f minutes, give or take %.0f %%: %u of %u intervals fit, through %.0f hours",
                 b->clients, b->looked, b->period_s / 60, 100 * b->jitter, b->on_beat, b->gaps, b->span_s / 3600);
        break;
    case BY_STEADINESS:
        snprintf(summary, FINDING_SUMMARY, "%u clients ask again each time that their cache lets them, up to %u times in a row", r->steady.clients,
                 r->steady.longest);
        break;
    case BY_DAY:
        snprintf(summary, FINDING_SUMMARY,
                 "asked for at all hours alike: %.0f %% of its clients come in the network's quiet hours, which are %.0f %% of all",
                 100 * r->day.quiet, 100 * r->day.quiet_network);
        break;
    }
}

static void tell(const struct subject *s, const struct rhythm *r, struct findings *to)
{
    char summary[FINDING_SUMMARY];
    struct facts f;
    facts_begin(&f);
    state_beat(&f, &r->beat, subject_ttl(s));
    state_day(&f, &r->day);
    if (r->by == BY_STEADINESS)
        state_steady(&f, &r->steady);
    say(r, summary);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = r->strength, .summary = summary, .facts = facts_end(&f) });
}

/* Where no beat of several is told: the cache's may hide one. */
static void find_steady(const struct subject *s, struct rhythm *r)
{
    r->steady = steady_of(s);
    double nats = fmin(r->steady.nats, steady_max);
    if (nats <= r->strength)
        return;
    r->by = BY_STEADINESS;
    r->strength = nats;
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct rhythm r = { .beat = beat_of(s), .day = daily_compare(s, scene_network(scene)) };
    double flat = fmax(0, fmin(r.day.flat, flat_max)), beat = of_beat(&r.beat, &r.day);
    bool alone = beat >= FINDING_MIN ? r.beat.clients == 1 : s->n_clients == 1;
    r.by = beat >= FINDING_MIN ? BY_BEAT : BY_DAY;
    r.strength = fmax(0, beat) + flat;
    if (alone)
        r.strength = fmin(r.strength, alone_max);
    if (r.by == BY_DAY || alone)
        find_steady(s, &r);
    if (r.strength >= FINDING_MIN)
        tell(s, &r, to);
    return E_OK;
}

const struct detector detector_rhythm = {
    .name = "rhythm",
    .group = GROUP_RHYTHM,
    .about = "asked for at near-constant intervals, or at all hours alike: by a program",
    .examine = examine,
};
