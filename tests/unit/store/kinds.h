/* A small record_kinds table for the store's tests: keys are `owner 00 00 | tail`. */
#ifndef DNSMON_TEST_STORE_KINDS_H
#define DNSMON_TEST_STORE_KINDS_H

#include "record/kind.h"

static bool kind_value(struct slice v, uint64_t ret[3])
{
    struct cursor c = cursor_over(v.ptr, v.len);
    for (unsigned i = 0; i < 3; i++)
        ret[i] = cursor_varint(&c);
    return !c.failed && cursor_left(&c) == 0;
}

static int kind_merge(struct slice a, struct slice b, struct buffer *to)
{
    uint64_t x[3], y[3];
    if (!kind_value(a, x) || !kind_value(b, y))
        return E_CORRUPT;
    uint64_t first = x[0] < y[0] ? x[0] : y[0], last_x = x[0] + x[1], last_y = y[0] + y[1];
    buffer_varint(to, first);
    buffer_varint(to, (last_x > last_y ? last_x : last_y) - first);
    buffer_varint(to, x[2] + y[2]);
    return 0;
}

static size_t kind_owner_len(struct slice key)
{
    for (size_t i = 0; i + 1 < key.len; i++)
        if (key.ptr[i] == 0 && key.ptr[i + 1] == 0)
            return i + 2;
    return 0;
}

static unsigned kind_filter_keys(struct slice key, size_t ret_lens[])
{
    ret_lens[0] = kind_owner_len(key);
    return ret_lens[0] > 0;
}

static bool kind_owner(struct slice key, uint8_t scratch[], struct slice *ret)
{
    (void)scratch;
    *ret = (struct slice){ key.ptr, kind_owner_len(key) };
    return ret->len > 0;
}

static bool kind_valid(struct slice key, struct slice value)
{
    uint64_t v[3];
    return kind_owner_len(key) > 0 && kind_value(value, v);
}

/* All that is known of an owner becomes one entry. */
static int kind_roll(struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value)
{
    size_t owner = kind_owner_len(key);
    if (owner == 0)
        return E_CORRUPT;
    buffer_append(to_key, key.ptr, owner);
    buffer_append(to_key, "rest", 4);
    buffer_append(to_value, value.ptr, value.len);
    return to_key->failed || to_value->failed ? E_NOMEM : 0;
}

#define TEST_KIND(n, keep, ...) \
    { .name = n, .forever = keep, .merge = kind_merge, .filter_keys = kind_filter_keys, .owner = kind_owner, .valid = kind_valid, __VA_ARGS__ }
const struct record_kind record_kinds[KINDS] = {
    TEST_KIND("rr", false), TEST_KIND("inverse", false), TEST_KIND("name", true),
    TEST_KIND("host", false, .roll = kind_roll, .rest = KIND_HOST_DAY),
    TEST_KIND("domain", false, .roll = kind_roll, .rest = KIND_DOMAIN_DAY),
    TEST_KIND("hostday", false), TEST_KIND("domainday", false),
};

#endif
