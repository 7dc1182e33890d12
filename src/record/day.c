#include "record/day.h"

enum { HOURS_BYTES = 3 };

void day_put(const struct day *d, struct buffer *to)
{
    activity_put(&d->all, to);
    for (unsigned i = 0; i < HOURS_BYTES; i++)
        buffer_u8(to, (uint8_t)(d->hours >> 8 * i));
}

static bool has_ask_times(const struct activity *a)
{
    for (unsigned i = 0; i < a->n_clients; i++)
        if (a->clients[i].n_asks != 0)
            return true;
    return false;
}

bool day_get(struct slice from, bool domain, struct day *ret)
{
    if (from.len < HOURS_BYTES)
        return false;
    const uint8_t *hours = from.ptr + from.len - HOURS_BYTES;
    ret->hours = hours[0] | (uint32_t)hours[1] << 8 | (uint32_t)hours[2] << 16;
    return ret->hours != 0 && activity_get((struct slice){ from.ptr, from.len - HOURS_BYTES }, domain, &ret->all) &&
           !has_ask_times(&ret->all);
}

void day_merge(struct day *into, const struct day *from)
{
    activity_merge(&into->all, &from->all);
    into->hours |= from->hours;
}

unsigned day_count(const struct day *d)
{
    return (unsigned)__builtin_popcount(d->hours);
}

static void forget_ask_times(struct activity *a)
{
    for (unsigned i = 0; i < a->n_clients; i++)
        a->clients[i].n_asks = 0;
}

int day_of_hour(bool domain, struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value)
{
    struct day d;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, domain, &d.all))
        return E_CORRUPT;
    d.hours = UINT32_C(1) << hour % DAY_HOURS;
    forget_ask_times(&d.all);
    uint8_t *at = buffer_reserve(to_key, ACTIVITY_KEY_MAX);
    if (at == NULL)
        return E_NOMEM;
    to_key->len += activity_key_put(owner, hour / DAY_HOURS, at);
    day_put(&d, to_value);
    return to_value->failed ? E_NOMEM : E_OK;
}

static bool holds(const struct day *d, uint64_t second)
{
    return d->hours >> second / ACTIVITY_HOUR_S % DAY_HOURS & 1;
}

bool day_valid(bool domain, struct slice key, struct slice value)
{
    struct slice owner;
    struct day d;
    uint32_t day;
    return activity_key_get(key, &owner, &day) && day_get(value, domain, &d) && d.all.first / DAY_S == day &&
           d.all.last / DAY_S == day && holds(&d, d.all.first) && holds(&d, d.all.last);
}
