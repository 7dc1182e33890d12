#include "detect/daily.h"

#include <math.h>

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

struct daily daily_compare(const struct subject *s, const struct network *network)
{
    struct paired p;
    pair_hours(s, network, &p);
    struct daily d = { .hours = (unsigned)p.n, .clients = (uint64_t)p.name_sum };
    double mean = p.network_sum / fmax(1, (double)p.n), flat = 0, quiet = 0, quiet_hours = 0;
    for (size_t i = 0; i < p.n; i++) {
        d.asked += p.name[i] > 0;
        flat += p.name[i] > 0 ? p.name[i] * log(mean / p.network[i]) : 0;
        quiet += p.network[i] < mean ? p.name[i] : 0;
        quiet_hours += p.network[i] < mean;
    }
    if (p.n < DAILY_HOURS || p.name_sum < DAILY_CLIENTS)
        return d;
    d.flat = flat / dispersion(&p, flat > 0);
    d.quiet = quiet / p.name_sum;
    d.quiet_network = quiet_hours / (double)p.n;
    return d;
}
