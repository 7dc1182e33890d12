/* human: asked for when people are awake, at their intervals, by their browsers. Speaks against harm. */
#include "detect/beat.h"
#include "detect/daily.h"
#include "detect/facts.h"
#include "detect/steady.h"

#include <math.h>
#include <stdio.h>

/* note.md says why these. */
static const double day_max = 4;
static const double irregular_nats = 1;
static const double browser_nats = 1.1;
static const double beat_nats = 3; /* with such a beat it is a program, whatever its day: an office's machines sleep too */
/* Gaps of a Poisson process have a spread of 1.28, those of people more; what a cache lets through has little. */
enum { MANY_GAPS = 12, SOME_HTTPS = 3 };

struct manner {
    struct beat beat;
    struct daily day;
    uint64_t https, addresses; /* questions of the window for HTTPS, for A */
    double of_day, of_gaps, of_browser;
};

/* False when it is not people: flat, a program's beat, or one that a cache hides. What costs least is asked first. */
static bool judge(const struct subject *s, const struct network *network, struct manner *m)
{
    *m = (struct manner){ .day = daily_compare(s, network) };
    if (m->day.flat > 0)
        return false;
    m->beat = beat_of(s);
    if ((m->beat.sustained && m->beat.nats >= beat_nats) || steady_of(s).nats >= beat_nats)
        return false;
    m->https = subject_sum(s, ACTIVITY_HTTPS, s->window_from, s->step);
    m->addresses = subject_sum(s, ACTIVITY_A, s->window_from, s->step);
    m->of_day = fmin(day_max, -m->day.flat);
    m->of_gaps = m->beat.seen >= MANY_GAPS && m->beat.nats <= 0 && m->beat.spread >= 1 ? irregular_nats : 0;
    m->of_browser = m->https >= SOME_HTTPS && 10 * m->https >= m->addresses ? browser_nats : 0;
    return true;
}

static void tell(const struct subject *s, const struct manner *m, struct findings *to)
{
    char summary[FINDING_SUMMARY];
    struct facts f;
    facts_begin(&f);
    facts_number(&f, "day_nats", m->of_day);
    facts_number(&f, "intervals_nats", m->of_gaps);
    facts_number(&f, "browser_nats", m->of_browser);
    facts_number(&f, "quiet_share", m->day.quiet);
    facts_number(&f, "quiet_hours_share", m->day.quiet_network);
    facts_count(&f, "client_hours", m->day.clients);
    facts_count(&f, "intervals", m->beat.seen);
    facts_number(&f, "intervals_spread", m->beat.spread);
    facts_count(&f, "queries_https", m->https);
    facts_count(&f, "queries_a", m->addresses);
    snprintf(summary, sizeof summary,
             "%s: %.0f %% of its clients in the network's quiet hours (%.0f %% of all hours), %u intervals %s, %.0f questions for HTTPS beside %.0f for A",
             m->of_day >= FINDING_MIN ? "asked for when people are awake" : "asked for as people do", 100 * m->day.quiet,
             100 * m->day.quiet_network, m->beat.seen, m->of_gaps > 0 ? "without a rhythm" : "looked at", (double)m->https,
             (double)m->addresses);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = -(m->of_day + m->of_gaps + m->of_browser), .summary = summary,
                                        .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct manner m;
    if (judge(s, scene_network(scene), &m) && m.of_day + m.of_gaps + m.of_browser >= FINDING_MIN)
        tell(s, &m, to);
    return E_OK;
}

const struct detector detector_human = {
    .name = "human",
    .group = GROUP_HUMAN,
    .about = "asked for when people are awake, without a rhythm, by browsers",
    .examine = examine,
};
