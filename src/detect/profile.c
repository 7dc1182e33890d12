#include "detect/profile.h"

#include "detect/step.h"

#include <string.h>

void profile_init(struct profile *p)
{
    memset(p, 0, sizeof *p);
}

static bool filter_has(const struct profile *p, unsigned bit)
{
    return p->filter[bit / 8] >> bit % 8 & 1;
}

/* Sets the two bits of a hash; returns whether one was not set. */
static bool filter_add(struct profile *p, uint64_t hash)
{
    unsigned a = hash & 0xff, b = hash >> 8 & 0xff;
    bool added = !filter_has(p, a) || !filter_has(p, b);
    p->filter[a / 8] |= (uint8_t)(1 << a % 8);
    p->filter[b / 8] |= (uint8_t)(1 << b % 8);
    return added;
}

bool profile_filter_full(const struct profile *p)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < PROFILE_FILTER_BYTES; i++)
        bits += (unsigned)__builtin_popcount(p->filter[i]);
    return bits >= PROFILE_FILTER_FULL;
}

static void add_time(struct profile *p, uint32_t hour)
{
    if (p->hours == 0) {
        p->first = hour;
        p->days = 1;
    } else {
        uint32_t silence = hour - p->last;
        if (silence > PROFILE_SILENCE) {
            p->silent_before = silence;
            p->returned = hour;
        }
        if (hour / DAY_STEPS != p->last / DAY_STEPS) {
            p->days++;
            p->broad_today = false;
        }
    }
    p->hours++;
    p->last = hour;
}

static void add_clients(struct profile *p, uint64_t clients)
{
    uint32_t n = clients < UINT32_MAX ? (uint32_t)clients : UINT32_MAX;
    p->peak_clients = n > p->peak_clients ? n : p->peak_clients;
    if (n >= PROFILE_BROAD_CLIENTS && !p->broad_today) {
        p->broad_today = true;
        p->broad_days++;
    }
}

static void add_existence(struct profile *p, uint32_t hour, const struct activity *a)
{
    if (a->counters[ACTIVITY_NOERROR] || a->counters[ACTIVITY_NODATA] || a->counters[ACTIVITY_NX_HOST]) {
        p->exists_first = p->exists_first ? p->exists_first : hour;
        p->exists_last = hour;
    }
    if (a->counters[ACTIVITY_NX_DOMAIN]) {
        p->missing_first = p->missing_first ? p->missing_first : hour;
        p->missing_last = hour;
        p->missing_hours++;
    }
}

void profile_add(struct profile *p, uint32_t hour, const struct activity *a)
{
    bool was_full = profile_filter_full(p), added = false;
    add_time(p, hour);
    add_clients(p, activity_clients(a));
    add_existence(p, hour, a);
    p->queries = p->queries + a->counters[ACTIVITY_QUERIES] < p->queries ? UINT64_MAX
                                                                         : p->queries + a->counters[ACTIVITY_QUERIES];
    for (unsigned i = 0; i < a->n_names; i++)
        added |= filter_add(p, a->names[i].hash);
    if (added && !was_full && p->hours > 1)
        p->new_hosts_last = hour;
}

/* ---- bytes ---- */

/* Hours are kept relative to `first`, plus one, so that 0 stays "never". */
static uint64_t since(const struct profile *p, uint32_t hour)
{
    return hour ? (uint64_t)hour - p->first + 1 : 0;
}

void profile_put(const struct profile *p, struct buffer *to)
{
    const uint64_t fields[] = {
        p->first, p->last - p->first, p->silent_before, since(p, p->returned), p->hours, p->days, p->broad_days,
        p->peak_clients, p->queries, since(p, p->exists_first), since(p, p->exists_last), since(p, p->missing_first),
        since(p, p->missing_last), p->missing_hours, since(p, p->new_hosts_last), since(p, p->candidate_last),
        p->broad_today,
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        buffer_varint(to, fields[i]);
    buffer_append(to, p->filter, sizeof p->filter);
}

static uint32_t get_u32(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    if (v > UINT32_MAX)
        c->failed = true;
    return (uint32_t)v;
}

static uint32_t get_hour(struct cursor *c, uint32_t first)
{
    uint64_t v = cursor_varint(c);
    if (v > (uint64_t)UINT32_MAX - first)
        c->failed = true;
    return v && !c->failed ? (uint32_t)(first + v - 1) : 0;
}

bool profile_get(struct slice from, struct profile *ret)
{
    struct cursor c = cursor_over(from.ptr, from.len);
    ret->first = get_u32(&c);
    uint32_t span = get_u32(&c);
    ret->last = ret->first + span;
    ret->silent_before = get_u32(&c);
    ret->returned = get_hour(&c, ret->first);
    ret->hours = get_u32(&c);
    ret->days = get_u32(&c);
    ret->broad_days = get_u32(&c);
    ret->peak_clients = get_u32(&c);
    ret->queries = cursor_varint(&c);
    ret->exists_first = get_hour(&c, ret->first);
    ret->exists_last = get_hour(&c, ret->first);
    ret->missing_first = get_hour(&c, ret->first);
    ret->missing_last = get_hour(&c, ret->first);
    ret->missing_hours = get_u32(&c);
    ret->new_hosts_last = get_hour(&c, ret->first);
    ret->candidate_last = get_hour(&c, ret->first);
    uint32_t broad = get_u32(&c);
    ret->broad_today = broad != 0;
    const uint8_t *filter = cursor_take(&c, PROFILE_FILTER_BYTES);
    if (c.failed || cursor_left(&c) != 0 || broad > 1 || ret->last < ret->first)
        return false;
    memcpy(ret->filter, filter, PROFILE_FILTER_BYTES);
    return true;
}
