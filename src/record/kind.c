#include "record/kind.h"

#include "record/day.h"
#include "record/rr.h"

static int merge_rr(struct slice a, struct slice b, struct buffer *to)
{
    struct rr_value into, from;
    if (!rr_value_get(a, &into) || !rr_value_get(b, &from))
        return E_CORRUPT;
    rr_value_merge(&into, &from);
    uint8_t *at = buffer_reserve(to, RR_VALUE_MAX);
    if (at == NULL)
        return E_NOMEM;
    to->len += rr_value_put(&into, at);
    return E_OK;
}

static int merge_name(struct slice a, struct slice b, struct buffer *to)
{
    struct name_value x, y;
    if (!name_value_get(a, &x) || !name_value_get(b, &y))
        return E_CORRUPT;
    x.first = x.first < y.first ? x.first : y.first;
    x.last = x.last > y.last ? x.last : y.last;
    x.count += y.count;
    uint8_t *at = buffer_reserve(to, 3 * VARINT_MAX);
    if (at == NULL)
        return E_NOMEM;
    to->len += name_value_put(&x, at);
    return E_OK;
}

static int merge_activity(bool domain, struct slice a, struct slice b, struct buffer *to)
{
    struct activity into, from;
    if (!activity_get(a, domain, &into) || !activity_get(b, domain, &from))
        return E_CORRUPT;
    activity_merge(&into, &from);
    activity_put(&into, to);
    return to->failed ? E_NOMEM : E_OK;
}

static int merge_host(struct slice a, struct slice b, struct buffer *to)
{
    return merge_activity(false, a, b, to);
}

static int merge_domain(struct slice a, struct slice b, struct buffer *to)
{
    return merge_activity(true, a, b, to);
}

static int merge_day(bool domain, struct slice a, struct slice b, struct buffer *to)
{
    struct day into, from;
    if (!day_get(a, domain, &into) || !day_get(b, domain, &from))
        return E_CORRUPT;
    day_merge(&into, &from);
    day_put(&into, to);
    return to->failed ? E_NOMEM : E_OK;
}

static int merge_host_day(struct slice a, struct slice b, struct buffer *to)
{
    return merge_day(false, a, b, to);
}

static int merge_domain_day(struct slice a, struct slice b, struct buffer *to)
{
    return merge_day(true, a, b, to);
}

static int roll_host(struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value)
{
    return day_of_hour(false, key, value, to_key, to_value);
}

static int roll_domain(struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value)
{
    return day_of_hour(true, key, value, to_key, to_value);
}

/* An owner, and the last two labels of it: the smallest subtree a look-up names often. */
static unsigned rr_filter_keys(struct slice key, size_t ret_lens[])
{
    size_t owner = name_key_length(key.ptr, key.len);
    if (owner == 0)
        return 0;
    ret_lens[0] = name_key_prefix(key.ptr, owner, 2);
    ret_lens[1] = owner;
    return 2;
}

static size_t inverse_split(struct slice key)
{
    uint8_t rdata[RR_KEY_MAX];
    struct rr_key parsed;
    return rr_inverse_get(key, rdata, &parsed) ? (size_t)(parsed.owner.ptr - key.ptr) : 0;
}

/* type | searchable. For types with names the name in front alone, as that is what a
 * look-up by name knows of an MX or an SOA; of a hint the address. */
static unsigned inverse_filter_keys(struct slice key, size_t ret_lens[])
{
    if (key.len < 5)
        return 0;
    ret_lens[0] = rr_hint_length(key);
    if (ret_lens[0] != 0)
        return 1;
    if (rdata_layout(get_be16(key.ptr)).names > 0) {
        ret_lens[0] = 2 + name_key_length(key.ptr + 2, key.len - 2);
        return 1;
    }
    size_t rdlength = get_be16(key.ptr + key.len - 2);
    if (rdlength > key.len - 4)
        return 0;
    ret_lens[0] = 2 + rdlength;
    return 1;
}

static unsigned name_filter_keys(struct slice key, size_t ret_lens[])
{
    ret_lens[0] = name_key_length(key.ptr, key.len);
    return ret_lens[0] != 0;
}

static bool rr_owner(struct slice key, uint8_t scratch[], struct slice *ret_owner)
{
    (void)scratch;
    size_t owner = name_key_length(key.ptr, key.len);
    *ret_owner = (struct slice){ key.ptr, owner };
    return owner != 0;
}

static bool inverse_owner(struct slice key, uint8_t scratch[], struct slice *ret_owner)
{
    (void)scratch;
    size_t split = inverse_split(key);
    *ret_owner = (struct slice){ key.ptr + split, key.len - split - 2 };
    return split != 0;
}

static bool name_owner(struct slice key, uint8_t scratch[], struct slice *ret_owner)
{
    size_t forward = name_key_length(key.ptr, key.len);
    size_t owner = forward ? name_key_reverse(key.ptr, forward, scratch) : 0;
    *ret_owner = (struct slice){ scratch, owner };
    return owner != 0;
}

static bool rr_valid(struct slice key, struct slice value)
{
    struct rr_key k;
    struct rr_value v;
    return rr_key_get(key, &k) && rr_value_get(value, &v) && v.first <= v.last;
}

static bool inverse_valid(struct slice key, struct slice value)
{
    struct rr_value v;
    return inverse_split(key) != 0 && rr_value_get(value, &v) && v.first <= v.last;
}

static bool name_valid(struct slice key, struct slice value)
{
    struct name_value v;
    size_t forward = name_key_length(key.ptr, key.len);
    bool domain = key.len == forward + 1 && key.ptr[forward] == 1;
    return forward != 0 && (key.len == forward || domain) && name_value_get(value, &v);
}

/* All that was asked is of the key's hour. */
static bool activity_valid(bool domain, struct slice key, struct slice value)
{
    struct slice owner;
    struct activity a;
    uint32_t hour;
    return activity_key_get(key, &owner, &hour) && activity_get(value, domain, &a) &&
           a.first / ACTIVITY_HOUR_S == hour && a.last / ACTIVITY_HOUR_S == hour;
}

static bool host_valid(struct slice key, struct slice value)
{
    return activity_valid(false, key, value);
}

static bool domain_valid(struct slice key, struct slice value)
{
    return activity_valid(true, key, value);
}

static bool host_day_valid(struct slice key, struct slice value)
{
    return day_valid(false, key, value);
}

static bool domain_day_valid(struct slice key, struct slice value)
{
    return day_valid(true, key, value);
}

/* rr_filter_keys and rr_owner ask no more of a key than an owner in front. */
const struct record_kind record_kinds[KINDS] = {
    [KIND_RR] = { "rr", false, merge_rr, rr_filter_keys, rr_owner, rr_valid, NULL, KINDS },
    [KIND_INVERSE] = { "inverse", false, merge_rr, inverse_filter_keys, inverse_owner, inverse_valid, NULL, KINDS },
    [KIND_NAME] = { "name", true, merge_name, name_filter_keys, name_owner, name_valid, NULL, KINDS },
    [KIND_HOST] = { "host", false, merge_host, rr_filter_keys, rr_owner, host_valid, roll_host, KIND_HOST_DAY },
    [KIND_DOMAIN] = { "domain", false, merge_domain, rr_filter_keys, rr_owner, domain_valid, roll_domain, KIND_DOMAIN_DAY },
    [KIND_HOST_DAY] = { "hostday", false, merge_host_day, rr_filter_keys, rr_owner, host_day_valid, NULL, KINDS },
    [KIND_DOMAIN_DAY] = { "domainday", false, merge_domain_day, rr_filter_keys, rr_owner, domain_day_valid, NULL, KINDS },
};
