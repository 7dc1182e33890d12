#include "detect/daily.h"

#include <math.h>

static const double sleepless = 1.3; /* a network whose busiest hour has less than so many times the quietest's domains */

/* The hours that both know of, paired: who the name had, what the network did. */
struct paired {
    size_t n;
    double name[WINDOW_STEPS + DAY_STEPS], network[WINDOW_STEPS + DAY_STEPS];
    double name_sum, network_sum;
};

static void pair_hours(const struct subject *s, const struct network *network, struct paired *ret)
{
    uint32_t first = s->first_s / STEP_S, from = first > s->window_from ? first : s->window_from;
    size_t at = 0;
    ret->n = 0;
    ret->name_sum = ret->network_sum = 0;
    for (size_t i = 0; i < network->n_hours; i++) {
        const struct network_hour *all = &network->hours[i];
        if (all->hour < from || all->hour > s->step || all->domains == 0)
            continue;
        while (at < s->n_hours && s->hours[at].hour < all->hour)
            at++;
        bool asked = at < s->n_hours && s->hours[at].hour == all->hour;
        if (ret->n == sizeof ret->name / sizeof *ret->name)
            break;
        ret->name[ret->n] = asked ? s->hours[at].clients : 0;
        ret->network[ret->n] = all->domains;
        ret->name_sum += ret->name[ret->n];
        ret->network_sum += ret->network[ret->n++];
    }
}

static double dispersion(const struct paired *p, bool flat)
{
    double x2 = 0;
    for (size_t i = 0; i < p->n; i++) {
        double expected = p->name_sum * (flat ? 1.0 / (double)p->n : p->network[i] / p->network_sum);
        x2 += (p->name[i] - expected) * (p->name[i] - expected) / expected;
    }
    return fmax(1.0, x2 / (double)(p->n - 1));
}

/* Below this the network is quiet; 0 when it hardly sleeps. */
static double quiet_below(const struct paired *p)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < p->n; i++) {
        low = fmin(low, p->network[i]);
        high = fmax(high, p->network[i]);
    }
    return high > sleepless * low ? low + (high - low) / 4 : 0;
}

static void find_quiet(const struct paired *p, struct daily *d)
{
    double below = quiet_below(p), name = 0, hours = 0;
    for (size_t i = 0; i < p->n; i++) {
        bool quiet = p->network[i] < below;
        name += quiet ? p->name[i] : 0;
        hours += quiet;
    }
    d->quiet_network = hours / (double)p->n;
    d->quiet = name / fmax(1, p->name_sum);
}

struct daily daily_compare(const struct subject *s, const struct network *network)
{
    struct paired p;
    pair_hours(s, network, &p);
    struct daily d = { .hours = (unsigned)p.n, .clients = (uint64_t)p.name_sum };
    double mean = p.network_sum / fmax(1, (double)p.n), flat = 0;
    for (size_t i = 0; i < p.n; i++) {
        d.asked += p.name[i] > 0;
        flat += p.name[i] > 0 ? p.name[i] * log(mean / p.network[i]) : 0;
    }
    if (p.n < DAILY_HOURS)
        return d;
    find_quiet(&p, &d);
    if (p.name_sum >= DAILY_CLIENTS)
        d.flat = flat / dispersion(&p, flat > 0);
    return d;
}

double daily_nights(const struct daily *d)
{
    double people = d->quiet_network / 10;
    if (d->quiet_network <= 0 || d->clients == 0)
        return 0;
    return (double)d->clients * (d->quiet * log(10) + (1 - d->quiet) * log((1 - d->quiet_network) / (1 - people)));
}
