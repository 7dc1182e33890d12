/* synthetic: a subject and its network, made of ask times by hand. No store; the view is filled directly.
 *
 *     synthetic_begin(&w, "name.example", days the network was watched, first hour of the name)
 *     synthetic_ask(&w, client, second) ... in any order
 *     synthetic_end(&w, step)
 *     detector.examine(&w.s, w.scene, &w.found, &why); w.found.kept[0]...
 *
 * The network sleeps: 2,000 registered domains an hour by day, 500 at night (a cosine with its trough at 3 o'clock UTC). */
#ifndef DNSMON_TESTS_SYNTHETIC_H
#define DNSMON_TESTS_SYNTHETIC_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/findings.h"

extern const struct detector detector_burst, detector_demand, detector_human, detector_novelty, detector_rhythm, detector_standing;

enum {
    SYNTHETIC_CLIENTS = 64,
    SYNTHETIC_ASKS = 1 << 17,
    SYNTHETIC_HOURS = 120 * 24,
    SYNTHETIC_HOSTS = 16,
    SYNTHETIC_EPOCH = 480000, /* an hour that begins a day (UTC) */
};

struct synthetic_ask {
    uint64_t client;
    uint32_t second;
};

struct synthetic {
    struct subject s;
    struct network network;
    struct scene *scene;
    struct findings found;
    uint8_t owner[256];
    size_t n_asks, n_kept;
    struct synthetic_ask asks[SYNTHETIC_ASKS];
    uint32_t kept[SYNTHETIC_ASKS];
    struct subject_client clients[SYNTHETIC_CLIENTS];
    struct subject_hour hours[SYNTHETIC_HOURS];
    struct subject_host hosts[SYNTHETIC_HOSTS];
    struct network_hour all[SYNTHETIC_HOURS];
    uint64_t rng;
    uint32_t missing_from, missing_to; /* hours in which the answer is NXDOMAIN, the last one excluded; else NOERROR */
    struct suffix_list *suffixes;
    struct activity activity;
};

static inline double synthetic_uniform(struct synthetic *w)
{
    w->rng ^= w->rng << 13;
    w->rng ^= w->rng >> 7;
    w->rng ^= w->rng << 17;
    return (double)((w->rng * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

static inline double synthetic_normal(struct synthetic *w)
{
    return sqrt(-2 * log(1 - synthetic_uniform(w))) * cos(2 * M_PI * synthetic_uniform(w));
}

/* How awake the network is at an hour, mean 1. */
static inline double synthetic_awake(uint32_t hour)
{
    return 1 - 0.6 * cos(2 * M_PI * ((double)hour - 3) / 24);
}

/* The name of one label and a TLD. */
static inline void synthetic_owner(struct synthetic *w, const char *name)
{
    const char *dot = strchr(name, '.');
    size_t suffix = strlen(dot + 1), label = (size_t)(dot - name);
    memset(w->owner, 0, sizeof w->owner);
    memcpy(w->owner, dot + 1, suffix);
    memcpy(w->owner + suffix + 1, name, label);
    w->s.owner = (struct slice){ w->owner, suffix + label + 3 };
    w->s.suffix = suffix + 1;
    w->s.name = name;
}

static inline void synthetic_begin(struct synthetic *w, const char *name, uint32_t watched_days, uint32_t first_hour)
{
    uint64_t rng = w->rng ? w->rng : 88172645463325252u;
    memset(&w->s, 0, sizeof w->s);
    memset(w->hours, 0, sizeof w->hours);
    synthetic_owner(w, name);
    w->rng = rng;
    w->n_asks = 0;
    w->missing_from = w->missing_to = 0;
    w->s.first_s = first_hour * STEP_S;
    w->network = (struct network){ .first = SYNTHETIC_EPOCH, .hours = w->all, .n_hours = watched_days * 24, .clients = 300 };
    for (uint32_t i = 0; i < watched_days * 24; i++) {
        double domains = 1250 * synthetic_awake(SYNTHETIC_EPOCH + i);
        w->all[i] = (struct network_hour){ SYNTHETIC_EPOCH + i, (uint32_t)domains, (uint64_t)(40 * domains) };
    }
}

static inline void synthetic_ask(struct synthetic *w, unsigned client, double second)
{
    if (w->n_asks < SYNTHETIC_ASKS && client < SYNTHETIC_CLIENTS)
        w->asks[w->n_asks++] = (struct synthetic_ask){ client, (uint32_t)second };
}

static inline int synthetic_order(const void *a, const void *b)
{
    const struct synthetic_ask *x = a, *y = b;
    if (x->client != y->client)
        return (x->client > y->client) - (x->client < y->client);
    return (x->second > y->second) - (x->second < y->second);
}

/* As activity keeps them: a second once, the first 32 of an hour. Counts queries and clients of hours on the way. */
static inline void synthetic_client(struct synthetic *w, size_t from, size_t to)
{
    struct subject_client *c = &w->clients[w->s.n_clients++];
    *c = (struct subject_client){ .id = w->asks[from].client + 1, .asks = w->kept + w->n_kept };
    uint32_t hour = 0, in_hour = 0, last = 0;
    for (size_t i = from; i < to; i++) {
        uint32_t second = w->asks[i].second, at = second / STEP_S;
        if (at > w->s.step || at < w->s.window_from)
            continue;
        struct subject_hour *h = &w->hours[at - w->s.window_from];
        h->hour = at;
        h->counters[ACTIVITY_QUERIES]++;
        h->counters[ACTIVITY_A]++;
        h->counters[at >= w->missing_from && at < w->missing_to ? ACTIVITY_NX_DOMAIN : ACTIVITY_NOERROR]++;
        if (at != hour) {
            h->clients++;
            c->hours++;
            in_hour = 0;
        } else if (second == last) {
            continue;
        }
        if (in_hour++ < ACTIVITY_ASKS)
            w->kept[w->n_kept++] = second;
        c->first_hour = c->first_hour ? c->first_hour : at;
        c->last_hour = hour = at;
        last = second;
    }
    c->n_asks = (uint32_t)(w->kept + w->n_kept - c->asks);
}

static inline void synthetic_hours(struct synthetic *w)
{
    for (size_t i = 0; i < SYNTHETIC_HOURS; i++)
        if (w->hours[i].counters[ACTIVITY_QUERIES] > 0)
            w->hours[w->s.n_hours++] = w->hours[i];
}

/* The profile as of the period's begin, of the hours of the view. For detectors that look at it, after synthetic_end. */
static inline void synthetic_profile(struct synthetic *w)
{
    profile_init(&w->s.profile);
    for (size_t i = 0; i < w->s.n_hours && w->s.hours[i].hour < period_start(w->s.step); i++) {
        const struct subject_hour *h = &w->s.hours[i];
        activity_init(&w->activity, true);
        for (int c = 0; c < ACTIVITY_COUNTERS; c++)
            w->activity.counters[c] = h->counters[c];
        for (unsigned c = 0; c < h->clients; c++)
            activity_add_client(&w->activity, c + 1, ACTIVITY_NO_SECOND);
        profile_add(&w->s.profile, h->hour, &w->activity);
    }
}

static inline void synthetic_end(struct synthetic *w, uint32_t step)
{
    if (w->scene == NULL) {
        static const char list[] = "example\ntest\n";
        if (suffix_parse(&w->suffixes, list, sizeof list - 1, NULL) != 0 || scene_create(&w->scene, NULL, w->suffixes, NULL) != 0)
            abort();
        findings_init(&w->found);
    }
    w->s.step = step;
    w->s.window_from = period_start(step) - WINDOW_STEPS;
    w->s.n_clients = w->s.n_hours = w->n_kept = 0;
    w->s.clients_whole = w->s.hosts_whole = w->s.records_whole = true;
    qsort(w->asks, w->n_asks, sizeof *w->asks, synthetic_order);
    for (size_t i = 0, end; i < w->n_asks; i = end) {
        for (end = i; end < w->n_asks && w->asks[end].client == w->asks[i].client;)
            end++;
        synthetic_client(w, i, end);
    }
    synthetic_hours(w);
    w->s.hours = w->hours;
    w->s.clients = w->clients;
    w->s.hosts = w->hosts;
    if (w->network.n_hours > step - SYNTHETIC_EPOCH + 1)
        w->network.n_hours = step - SYNTHETIC_EPOCH + 1;
    scene_at(w->scene, step, &w->network);
    findings_clear(&w->found);
    w->found.step = step;
    w->found.domain = w->s.owner;
}

static inline void synthetic_release(struct synthetic *w)
{
    scene_destroy(&w->scene);
    suffix_destroy(&w->suffixes);
    findings_release(&w->found);
}

/* What a detector says of it: the strength of its strongest finding, 0 for none. */
static inline double synthetic_examine(struct synthetic *w, const struct detector *detector)
{
    double most = 0;
    findings_clear(&w->found);
    if (detector->examine(&w->s, w->scene, &w->found, NULL) != 0 || w->found.failed)
        abort();
    for (size_t i = 0; i < w->found.n; i++) {
        double strength = w->found.kept[i].finding.strength;
        most = fabs(strength) > fabs(most) ? strength : most;
    }
    return most;
}

#endif
