/* rhythm: a program asks, at its own intervals and whatever the time of day. */
#include "detect/beat.h"
#include "detect/daily.h"
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>

static const double flat_max = 4;     /* that it is asked for at all hours is true of much */
static const double alone_max = 4; /* of one client: a monitor, a script, a tab left open are its owner's affair */
static const double slow_s = 3 * 3600; /* beats from here on could be meals, shifts, mornings and evenings */
static const double slow_unknown = 2;  /* and are worth no more before a day has shown the nights */

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

static void tell(const struct subject *s, const struct beat *b, const struct daily *d, bool beats, double strength,
                 struct findings *to)
{
    char summary[FINDING_SUMMARY];
    struct facts f;
    facts_begin(&f);
    state_beat(&f, b, subject_ttl(s));
    state_day(&f, d);
    if (beats)
        snprintf(summary, sizeof summary,
                 "%u of %u clients ask every %.0f minutes, give or take %.0f %%: %u of %u intervals fit, through %.0f hours",
                 b->clients, b->looked, b->period_s / 60, 100 * b->jitter, b->on_beat, b->gaps, b->span_s / 3600);
    else
        snprintf(summary, sizeof summary,
                 "asked for at all hours alike: %.0f %% of its clients come in the network's quiet hours, which are %.0f %% of all",
                 100 * d->quiet, 100 * d->quiet_network);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = strength, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct beat b = beat_of(s);
    struct daily d = daily_compare(s, scene_network(scene));
    double flat = fmax(0, fmin(d.flat, flat_max)), beat = of_beat(&b, &d), strength = fmax(0, beat) + flat;
    bool beats = beat >= FINDING_MIN;
    if (beats ? b.clients == 1 : s->n_clients == 1)
        strength = fmin(strength, alone_max);
    if (strength >= FINDING_MIN)
        tell(s, &b, &d, beats, strength, to);
    return E_OK;
}

const struct detector detector_rhythm = {
    .name = "rhythm",
    .group = GROUP_RHYTHM,
    .about = "asked for at near-constant intervals, or at all hours alike: by a program",
    .examine = examine,
};
