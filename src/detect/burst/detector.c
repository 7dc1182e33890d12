/* burst: in the last day more clients, or far more questions, than the name ever had, or than new names have. */
#include "detect/facts.h"

#include <math.h>
#include <stdio.h>

/* note.md says why these. */
static const double client_tail = 1.5;   /* P(peak grows by a factor of r) = r^-1.5 */
static const double query_tail = 1;      /* one client can ask as often as it likes */
static const double first_look_days = 1; /* as in novelty */
static const double burst_max = 6, queries_max = 4;
enum {
    KNOWN_DAYS = 3, /* with less past it is compared with new names */
    FEW_CLIENTS = 5,
    FEW_QUERIES = 200,
    NEW_CLIENTS = 3,
};

struct peaks {
    uint32_t clients, queries, hour; /* the hour of most clients */
};

struct burst {
    struct peaks now, past;
    uint32_t past_days; /* of its own past that is looked at */
    uint32_t watched;   /* hours that the network was watched before it came */
};

static void raise_peaks(struct peaks *p, const struct subject_hour *h)
{
    if (h->clients > p->clients) {
        p->clients = h->clients;
        p->hour = h->hour;
    }
    p->queries = h->counters[ACTIVITY_QUERIES] > p->queries ? h->counters[ACTIVITY_QUERIES] : p->queries;
}

static void gather(const struct subject *s, uint32_t watched_from, struct burst *b)
{
    uint32_t first = s->first_s / STEP_S, today = s->step - DAY_STEPS + 1;
    uint32_t known_from = first > s->window_from ? first : s->window_from;
    *b = (struct burst){ .past_days = today > known_from ? (today - known_from) / DAY_STEPS : 0,
                         .watched = first > watched_from ? first - watched_from : 0 };
    for (size_t i = 0; i < s->n_hours; i++)
        raise_peaks(s->hours[i].hour >= today ? &b->now : &b->past, &s->hours[i]);
}

/* -log P(today's peak is the highest of so many days, and higher by that factor). */
static double record(uint32_t days, double factor, double tail)
{
    return log(days + 1.0) + tail * log(factor);
}

static double of_clients(const struct burst *b)
{
    double factor = b->now.clients / fmax(1, b->past.clients);
    if (b->now.clients < FEW_CLIENTS || factor < 2)
        return 0;
    return fmin(burst_max, record(b->past_days, factor, client_tail));
}

static double of_queries(const struct burst *b)
{
    double factor = b->now.queries / fmax(1, b->past.queries);
    if (b->now.queries < FEW_QUERIES || factor < 4)
        return 0;
    return fmin(queries_max, record(b->past_days, factor, query_tail));
}

/* A name that comes with many clients at once is rare among new ones; that it is new is only as sure as the network was watched. */
static double of_new(const struct burst *b)
{
    double late = 1 / (1 + b->watched / 24.0 / first_look_days);
    if (b->now.clients < NEW_CLIENTS)
        return 0;
    return fmin(burst_max, -log(late + (1 - late) * pow(b->now.clients, -client_tail)));
}

static void tell(const struct subject *s, const struct burst *b, double strength, bool is_new, bool by_clients,
                 struct findings *to)
{
    char summary[FINDING_SUMMARY];
    struct facts f;
    facts_begin(&f);
    facts_count(&f, "day_peak_clients", b->now.clients);
    facts_count(&f, "day_peak_hour", b->now.hour);
    facts_count(&f, "day_peak_queries", b->now.queries);
    facts_count(&f, "past_peak_clients", b->past.clients);
    facts_count(&f, "past_peak_queries", b->past.queries);
    facts_count(&f, "past_days", b->past_days);
    facts_count(&f, "watched_before_hours", b->watched);
    if (is_new)
        snprintf(summary, sizeof summary, "new, and already %u clients in one hour, of a network watched for %.0f days before",
                 b->now.clients, b->watched / 24.0);
    else if (by_clients)
        snprintf(summary, sizeof summary, "%u clients in one hour of the last day; %u at most in the %u days before", b->now.clients,
                 b->past.clients, b->past_days);
    else
        snprintf(summary, sizeof summary, "%u questions in one hour of the last day; %u at most in the %u days before",
                 b->now.queries, b->past.queries, b->past_days);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = strength, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct burst b;
    gather(s, scene_network(scene)->first, &b);
    bool is_new = b.past_days < KNOWN_DAYS;
    double clients = is_new ? of_new(&b) : of_clients(&b), queries = is_new ? 0 : of_queries(&b);
    double strength = fmax(clients, queries);
    if (strength >= FINDING_MIN)
        tell(s, &b, strength, is_new, clients >= queries, to);
    return E_OK;
}

const struct detector detector_burst = {
    .name = "burst",
    .group = GROUP_BURST,
    .about = "suddenly asked for by more clients, or far more often, than before, or than new names are",
    .examine = examine,
};
