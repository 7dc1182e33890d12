/* tunnel: so much is said through a domain's sub-names that somebody speaks through them. note.md says why these figures. */
#include "detect/channel.h"
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>

static const double carried_max = 6, names_max = 3;
static const double names_a_client = 20;
static const double odd_types = 3, odd_or_text = 1.5;

struct tunnel {
    const struct subject_hour *hour; /* of the last day's, in which most was carried; NULL: none carried enough */
    double names_each;               /* by client */
    double odd, text;                /* shares of types */
};

static void find(const struct subject *s, struct tunnel *t)
{
    *t = (struct tunnel){ .hour = NULL };
    uint32_t most = CHANNEL_BYTES;
    for (size_t i = s->n_hours; i > 0 && s->hours[i - 1].hour + DAY_STEPS > s->step; i--)
        if (s->hours[i - 1].carried > most) {
            most = s->hours[i - 1].carried;
            t->hour = &s->hours[i - 1];
        }
    if (t->hour == NULL)
        return;
    const uint32_t *n = t->hour->counters;
    double asked = fmax(1, n[ACTIVITY_QUERIES]);
    t->names_each = t->hour->names / fmax(1, t->hour->clients);
    t->odd = ((double)n[ACTIVITY_NULL] + n[ACTIVITY_OTHER_TYPE]) / asked;
    t->text = n[ACTIVITY_TXT] / asked;
}

static double strength_of(const struct tunnel *t)
{
    double volume = fmin(carried_max, log(t->hour->carried / (double)CHANNEL_BYTES));
    double few = fmin(names_max, fmax(0, log(t->names_each / names_a_client)));
    double types = t->odd >= 0.5 ? odd_types : t->odd + t->text >= 0.5 ? odd_or_text : 0;
    return volume + few + types;
}

static void tell(const struct subject *s, const struct tunnel *t, double strength, struct findings *to)
{
    char summary[FINDING_SUMMARY];
    struct facts f;
    const struct subject_hour *h = t->hour;
    facts_begin(&f);
    facts_count(&f, "hour", h->hour);
    facts_count(&f, "bytes_in_names", h->carried);
    facts_count(&f, "names", h->names);
    facts_count(&f, "clients", h->clients);
    facts_count(&f, "queries", h->counters[ACTIVITY_QUERIES]);
    facts_count(&f, "response_bytes", h->counters[ACTIVITY_RESPONSE_BYTES]);
    facts_number(&f, "share_odd_types", t->odd);
    facts_number(&f, "share_txt", t->text);
    snprintf(summary, sizeof summary, "%u different sub-names in one hour, by %u client%s, can carry %.1f KiB; %.0f %% of the questions are "
             "of types such as NULL, KEY and CNAME, %.0f %% TXT", h->names, h->clients, h->clients == 1 ? "" : "s", h->carried / 1024.0,
             100 * t->odd, 100 * t->text);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = strength, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    struct tunnel t;
    (void)scene;
    (void)why;
    find(s, &t);
    if (t.hour != NULL && strength_of(&t) >= FINDING_MIN)
        tell(s, &t, strength_of(&t), to);
    return E_OK;
}

const struct detector detector_tunnel = {
    .name = "tunnel",
    .group = GROUP_VOLUME,
    .about = "its sub-names carry more in an hour than names need to",
    .examine = examine,
};
