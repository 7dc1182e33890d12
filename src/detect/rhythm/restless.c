#include "detect/rhythm/restless.h"

static const double day_nats = 1.6; /* somebody's machine gets through one day in five without such a pause */
static const double least_of_ttl = 0.75, most_of_ttl = 2.5; /* what a program of about that period gets past a cache, aged answers included */
static const double near_share = 0.8; /* of the gaps of a stretch */
enum { DAY_S = DAY_STEPS * STEP_S, BURST_S = 10 /* asks that near one another are one */ };

struct stretch {
    uint32_t end_s, gaps, near;
};

static uint32_t length_of(const struct stretch *t, uint32_t begin_s)
{
    return t->near >= near_share * t->gaps ? t->end_s - begin_s : 0;
}

static uint32_t longest_stretch(const struct subject_client *c, int64_t from_s, uint32_t ttl_s)
{
    uint32_t longest = 0, at = c->n_asks;
    struct stretch now = { .end_s = at > 0 ? c->asks[at - 1] : 0 };
    for (; at-- > 1 && c->asks[at - 1] >= from_s;) {
        uint32_t before = c->asks[at - 1], gap_s = c->asks[at] - before;
        if (gap_s > RESTLESS_PAUSE_S)
            now = (struct stretch){ .end_s = before };
        else if (gap_s > BURST_S) {
            now.gaps++;
            now.near += gap_s >= least_of_ttl * ttl_s && gap_s <= most_of_ttl * ttl_s;
            uint32_t length = length_of(&now, before);
            longest = length > longest ? length : longest;
        }
    }
    return longest;
}

struct restless restless_find(const struct subject *s, uint32_t ttl_s)
{
    struct restless r = { 0 };
    int64_t from_s = step_end_s(s->step) - RESTLESS_DAYS * DAY_S;
    for (size_t i = 0; i < s->n_clients && ttl_s > 0; i++) {
        uint32_t stretch_s = longest_stretch(&s->clients[i], from_s, ttl_s), days = stretch_s / DAY_S;
        r.clients += days > 0;
        r.days += days;
        r.longest_s = stretch_s > r.longest_s ? stretch_s : r.longest_s;
    }
    r.nats = r.days * day_nats;
    return r;
}
