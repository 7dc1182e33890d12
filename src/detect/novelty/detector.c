/* novelty: a registered domain, or a host of an old one, that this network never asked for before; or not for long. */
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* note.md says why these. */
static const double benign_days = 3650;  /* ages of benign names in use spread evenly in log(1 + days) up to here */
static const double first_look_days = 1; /* of the time until a benign name in use is first asked for in a network: its median */
static const double host_max = 2.5;
enum {
    HOST_OLD_HOURS = 14 * DAY_STEPS, /* after which what hosts a domain has is known */
    HOST_NEW_HOURS = 7 * DAY_STEPS,
    HOSTS_TOLD = 4,
};

/* The share of benign names in use that are no older than that. */
static double young(double days)
{
    return fmin(1, log1p(days) / log1p(benign_days));
}

/* That a benign old name is asked for the first time only after so long. */
static double unseen(double days)
{
    return 1 / (1 + days / first_look_days);
}

/* -log P(as young, or as late | benign). `quiet_h`: hours that the network was watched, or the name silent, before it came. */
static double surprise(uint32_t quiet_h, uint32_t age_h)
{
    double recent = young(age_h / 24.0);
    return -log(recent + (1 - recent) * unseen(quiet_h / 24.0));
}

static uint32_t since(uint32_t later, uint32_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

static void tell(const struct slice owner, double strength, const char *summary, const char *what, uint32_t quiet_h,
                 uint32_t age_h, struct findings *to)
{
    struct facts f;
    facts_begin(&f);
    facts_text(&f, "new", what, strlen(what));
    facts_count(&f, "age_hours", age_h);
    facts_count(&f, "watched_or_silent_before_hours", quiet_h);
    findings_add(to, &(struct finding){ .owner = owner, .strength = strength, .summary = summary, .facts = facts_end(&f) });
}

static void new_domain(const struct subject *s, uint32_t watched_from, struct findings *to)
{
    uint32_t first = s->first_s / STEP_S, before = since(first, watched_from), age = since(s->step, first);
    double strength = surprise(before, age);
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "first asked for %.1f days ago, after this network was watched for %.0f days without it",
             age / 24.0, before / 24.0);
    if (strength >= FINDING_MIN)
        tell(s->owner, strength, summary, "domain", before, age, to);
}

static void returned(const struct subject *s, struct findings *to)
{
    const struct profile *p = &s->profile;
    uint32_t age = since(s->step, p->returned);
    double strength = p->returned ? surprise(p->silent_before, age) : 0;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "asked for again %.1f days ago, after %.0f days of silence", age / 24.0,
             p->silent_before / 24.0);
    if (strength >= FINDING_MIN)
        tell(s->owner, strength, summary, "return", p->silent_before, age, to);
}

/* -log P(a domain with so many hosts in so many hours brings one in this age); Laplace's rule for the rate. */
static double host_surprise(unsigned hosts, uint32_t known_h, uint32_t age_h)
{
    double expected = (hosts + 1.0) / fmax(1, known_h) * (age_h + 24.0); /* a day is the least that is looked at */
    return fmin(host_max, -log(-expm1(-expected)));
}

/* Hosts are by first seen: those before `i` were known when host i came. */
static void new_hosts(const struct subject *s, uint32_t watched_from, struct findings *to)
{
    uint32_t domain_first = s->first_s / STEP_S;
    uint32_t known_from = domain_first > watched_from ? domain_first : watched_from;
    unsigned told = 0;
    for (size_t i = s->n_hosts; s->hosts_whole && i-- > 0 && told < HOSTS_TOLD;) {
        const struct subject_host *h = &s->hosts[i];
        uint32_t first = h->first_s / STEP_S, known = since(first, known_from), age = since(s->step, first);
        if (age >= HOST_NEW_HOURS || known < HOST_OLD_HOURS)
            break;
        double strength = host_surprise((unsigned)i, known, age);
        if (strength < FINDING_MIN || strlen(h->sub) == 0)
            continue;
        char summary[FINDING_SUMMARY];
        snprintf(summary, sizeof summary, "new host %.1f days ago, below a domain known for %.0f days with %zu hosts before it",
                 age / 24.0, known / 24.0, i);
        tell(h->owner, strength, summary, "host", known, age, to);
        told++;
    }
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    uint32_t watched_from = scene_network(scene)->first;
    new_domain(s, watched_from, to);
    returned(s, to);
    new_hosts(s, watched_from, to);
    return E_OK;
}

const struct detector detector_novelty = {
    .name = "novelty",
    .group = GROUP_NOVELTY,
    .about = "never asked for before, or not for long: a registered domain, or a host of an old one",
    .examine = examine,
};
