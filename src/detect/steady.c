#include "detect/memo.h"

#include <math.h>

static const double gap_nats = 0.25;  /* people's next question is so near the TTL at most three times of four */
static const double client_max = 5;
static const double share_min = 0.6;  /* of all gaps, in runs: of many visitors some are steady */
static const double least_of_ttl = 0.75, most_of_ttl = 2.5;
static const double at_ttl = 0.02;    /* so near to it whoever always asks asks again: a tab that is left open */
enum { BURST_S = 10 /* asks that near one another are one */ };

static bool is_near(uint32_t gap_s, uint32_t ttl_s)
{
    return gap_s <= STEADY_PAUSE_S && gap_s >= least_of_ttl * ttl_s && gap_s <= most_of_ttl * ttl_s;
}

static bool is_at_ttl(uint32_t gap_s, uint32_t ttl_s)
{
    return gap_s >= (1 - at_ttl) * ttl_s && gap_s <= (1 + at_ttl) * ttl_s;
}

static void end_run(unsigned run, double *nats, struct steady *all)
{
    if (run <= STEADY_RUN)
        return;
    *nats += (run - STEADY_RUN) * gap_nats;
    all->gaps += run;
    all->longest = run > all->longest ? run : all->longest;
}

static double client_nats(const struct subject_client *c, int64_t from_s, uint32_t ttl_s, struct steady *all, unsigned *seen)
{
    double nats = 0;
    unsigned run = 0;
    for (uint32_t i = c->n_asks; i-- > 1 && c->asks[i - 1] >= from_s;) {
        uint32_t gap_s = c->asks[i] - c->asks[i - 1];
        if (gap_s <= BURST_S || is_at_ttl(gap_s, ttl_s))
            continue;
        ++*seen;
        if (is_near(gap_s, ttl_s)) {
            run++;
            continue;
        }
        end_run(run, &nats, all);
        run = 0;
    }
    end_run(run, &nats, all);
    return fmin(nats, client_max);
}

struct steady steady_find(const struct subject *s)
{
    struct steady r = { 0 };
    unsigned seen = 0;
    uint32_t ttl_s = s->n_clients >= STEADY_CLIENTS ? subject_ttl(s) : 0;
    if (ttl_s < STEADY_TTL_MIN_S || ttl_s > STEADY_TTL_MAX_S)
        return r;
    int64_t from_s = step_end_s(s->step) - STEADY_DAYS * DAY_STEPS * STEP_S;
    for (size_t i = 0; i < s->n_clients; i++) {
        double nats = client_nats(&s->clients[i], from_s, ttl_s, &r, &seen);
        r.clients += nats > 0;
        r.nats += nats;
    }
    if (r.clients < STEADY_CLIENTS || r.gaps < share_min * seen)
        r.nats = 0;
    return r;
}

struct steady steady_of(const struct subject *s)
{
    struct subject_memo *memo = s->memo;
    if (memo == NULL)
        return steady_find(s);
    if (!memo->has_steady)
        memo->steady = steady_find(s);
    memo->has_steady = true;
    return memo->steady;
}
