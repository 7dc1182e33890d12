#include "record/activity.h"

#include <assert.h>

static const char *const counter_names[ACTIVITY_COUNTERS] = {
    [ACTIVITY_QUERIES] = "queries",
    [ACTIVITY_ANSWERED] = "answered",
    [ACTIVITY_STRAY] = "stray",
    [ACTIVITY_NOERROR] = "noerror",
    [ACTIVITY_NODATA] = "nodata",
    [ACTIVITY_NX_DOMAIN] = "nx_domain",
    [ACTIVITY_NX_HOST] = "nx_host",
    [ACTIVITY_SERVFAIL] = "servfail",
    [ACTIVITY_REFUSED] = "refused",
    [ACTIVITY_OTHER_RCODE] = "other_rcode",
    [ACTIVITY_A] = "a",
    [ACTIVITY_AAAA] = "aaaa",
    [ACTIVITY_HTTPS] = "https",
    [ACTIVITY_TXT] = "txt",
    [ACTIVITY_MX] = "mx",
    [ACTIVITY_NS] = "ns",
    [ACTIVITY_PTR] = "ptr",
    [ACTIVITY_SRV] = "srv",
    [ACTIVITY_NULL] = "null",
    [ACTIVITY_OTHER_TYPE] = "other_type",
    [ACTIVITY_QUERY_BYTES] = "query_bytes",
    [ACTIVITY_RESPONSE_BYTES] = "response_bytes",
    [ACTIVITY_UNKNOWN_CLIENT] = "unknown_client",
    [ACTIVITY_POLICY] = "policy",
    [ACTIVITY_TTL] = "ttl",
};

const char *activity_counter_name(enum activity_counter counter)
{
    return counter_names[counter];
}

size_t activity_key_put(struct slice owner, uint32_t hour, uint8_t *to)
{
    short_copy(to, owner.ptr, owner.len);
    put_be32(to + owner.len, hour);
    return owner.len + 4;
}

bool activity_key_get(struct slice key, struct slice *ret_owner, uint32_t *ret_hour)
{
    size_t owner = name_key_length(key.ptr, key.len);
    if (owner == 0 || key.len != owner + 4)
        return false;
    *ret_owner = (struct slice){ key.ptr, owner };
    *ret_hour = get_be32(key.ptr + owner);
    return true;
}

void activity_init(struct activity *a, bool domain)
{
    *a = (struct activity){ .domain = domain, .first = UINT64_MAX };
}

/* ---- encoding ---- */

static uint8_t *put_counters(uint8_t *p, const uint64_t counters[ACTIVITY_COUNTERS])
{
    uint32_t present = 0;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        present |= (uint32_t)(counters[i] != 0) << i;
    p = put_varint(p, present);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++)
        if (counters[i] != 0)
            p = put_varint(p, counters[i]);
    return p;
}

static uint8_t *put_client(uint8_t *p, const struct activity_client *client)
{
    put_le64(p, client->id);
    p = put_varint(p + 8, client->n_asks);
    for (unsigned i = 0, next = 0; i < client->n_asks; next = client->asks[i++] + 1u)
        p = put_varint(p, client->asks[i] - next);
    return p;
}

static uint8_t *put_name(uint8_t *p, const struct activity_name *name)
{
    put_le64(p, name->hash);
    p[8] = name->length;
    p[9] = name->entropy;
    return p + 10;
}

void activity_put(const struct activity *a, struct buffer *to)
{
    enum {
        HEAD = (2 + 1 + ACTIVITY_COUNTERS + 2) * VARINT_MAX,
        CLIENT = 8 + 1 + 2 * ACTIVITY_ASKS, /* gaps are below 2^14 */
        NAME = 10,
    };
    _Static_assert(HEAD + ACTIVITY_DOMAIN_CLIENTS * CLIENT + ACTIVITY_NAMES * NAME <= ACTIVITY_VALUE_MAX, "room");
    assert(a->first <= a->last && a->n_clients <= activity_clients_max(a) && a->n_names <= ACTIVITY_NAMES);
    uint8_t *p = buffer_reserve(to, HEAD + a->n_clients * CLIENT + a->n_names * NAME);
    if (p == NULL)
        return;
    p = put_varint(p, a->first);
    p = put_varint(p, a->last - a->first);
    p = put_counters(p, a->counters);
    p = put_varint(p, a->n_clients);
    for (unsigned i = 0; i < a->n_clients; i++)
        p = put_client(p, &a->clients[i]);
    if (a->domain) {
        p = put_varint(p, a->n_names);
        for (unsigned i = 0; i < a->n_names; i++)
            p = put_name(p, &a->names[i]);
    }
    to->len = (size_t)(p - to->ptr);
}

/* ---- decoding ---- */

/* Only in its shortest form. */
static uint64_t take_varint(struct cursor *c)
{
    const uint8_t *from = c->ptr;
    uint64_t v = cursor_varint(c);
    c->failed |= !c->failed && c->ptr - from > 1 && c->ptr[-1] == 0;
    return v;
}

/* A number that is at most `max`; 0 when it is not. */
static unsigned take_up_to(struct cursor *c, unsigned max)
{
    uint64_t v = take_varint(c);
    c->failed |= v > max;
    return c->failed ? 0 : (unsigned)v;
}

static void take_counters(struct cursor *c, uint64_t counters[ACTIVITY_COUNTERS])
{
    uint64_t present = take_varint(c);
    c->failed |= present >> ACTIVITY_COUNTERS != 0;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++) {
        bool here = present >> i & 1;
        counters[i] = here ? take_varint(c) : 0;
        c->failed |= here && counters[i] == 0;
    }
}

static void take_client(struct cursor *c, struct activity_client *client, unsigned asks_max)
{
    client->id = cursor_le64(c);
    client->n_asks = (uint8_t)take_up_to(c, asks_max);
    for (unsigned i = 0, next = 0; i < client->n_asks; next = client->asks[i++] + 1u) {
        unsigned second = next + take_up_to(c, ACTIVITY_HOUR_S);
        c->failed |= second >= ACTIVITY_HOUR_S;
        client->asks[i] = c->failed ? 0 : (uint16_t)second;
    }
}

static void take_clients(struct cursor *c, struct activity *ret)
{
    unsigned max = activity_clients_max(ret);
    ret->n_clients = take_up_to(c, max);
    for (unsigned i = 0; i < ret->n_clients && !c->failed; i++) {
        take_client(c, &ret->clients[i], ret->n_clients == max ? 0 : ACTIVITY_ASKS);
        c->failed |= i > 0 && ret->clients[i].id <= ret->clients[i - 1].id;
    }
}

static void take_names(struct cursor *c, struct activity *ret)
{
    ret->n_names = take_up_to(c, ACTIVITY_NAMES);
    for (unsigned i = 0; i < ret->n_names && !c->failed; i++) {
        struct activity_name *name = &ret->names[i];
        name->hash = cursor_le64(c);
        name->length = cursor_u8(c);
        name->entropy = cursor_u8(c);
        c->failed |= i > 0 && name->hash <= name[-1].hash;
    }
}

bool activity_get(struct slice from, bool domain, struct activity *ret)
{
    struct cursor c = cursor_over(from.ptr, from.len);
    ret->domain = domain;
    ret->n_names = 0;
    ret->first = take_varint(&c);
    c.failed |= __builtin_add_overflow(ret->first, take_varint(&c), &ret->last);
    take_counters(&c, ret->counters);
    take_clients(&c, ret);
    if (domain)
        take_names(&c, ret);
    return !c.failed && c.ptr == c.end;
}

/* ---- merging ---- */

static uint64_t sum(uint64_t a, uint64_t b)
{
    uint64_t both;
    return __builtin_add_overflow(a, b, &both) ? UINT64_MAX : both;
}

static void merge_counters(uint64_t into[ACTIVITY_COUNTERS], const uint64_t from[ACTIVITY_COUNTERS])
{
    for (unsigned i = 0; i < ACTIVITY_TTL; i++)
        into[i] = sum(into[i], from[i]);
    if (from[ACTIVITY_TTL] > into[ACTIVITY_TTL])
        into[ACTIVITY_TTL] = from[ACTIVITY_TTL];
}
_Static_assert(ACTIVITY_TTL + 1 == ACTIVITY_COUNTERS, "all before are sums");

/* The ask times that are there, not the room for more. */
static void copy_client(struct activity_client *to, const struct activity_client *from)
{
    memcpy(to, from, offsetof(struct activity_client, asks) + from->n_asks * sizeof from->asks[0]);
}

static void merge_asks(struct activity_client *into, const struct activity_client *from)
{
    uint16_t both[ACTIVITY_ASKS];
    unsigned n = 0;
    for (unsigned i = 0, k = 0; n < ACTIVITY_ASKS && (i < into->n_asks || k < from->n_asks);) {
        uint16_t a = i < into->n_asks ? into->asks[i] : UINT16_MAX;
        uint16_t b = k < from->n_asks ? from->asks[k] : UINT16_MAX;
        both[n++] = a < b ? a : b;
        i += a <= b;
        k += b <= a;
    }
    memcpy(into->asks, both, n * sizeof both[0]);
    into->n_asks = (uint8_t)n;
}

/* A full sample says of a name that it is broad, and stays full: so do its ask times stay away. */
static void drop_asks_when_full(struct activity *a)
{
    if (a->n_clients == activity_clients_max(a))
        for (unsigned i = 0; i < a->n_clients; i++)
            a->clients[i].n_asks = 0;
}

static void merge_clients(struct activity *into, const struct activity *from)
{
    struct activity_client both[ACTIVITY_DOMAIN_CLIENTS];
    unsigned max = activity_clients_max(into), n = 0;
    for (unsigned i = 0, k = 0; n < max && (i < into->n_clients || k < from->n_clients); n++) {
        const struct activity_client *a = i < into->n_clients ? &into->clients[i] : NULL;
        const struct activity_client *b = k < from->n_clients ? &from->clients[k] : NULL;
        bool take_a = a != NULL && (b == NULL || a->id <= b->id), take_b = b != NULL && (a == NULL || b->id <= a->id);
        copy_client(&both[n], take_a ? a : b);
        if (take_a && take_b)
            merge_asks(&both[n], b);
        i += take_a;
        k += take_b;
    }
    for (unsigned i = 0; i < n; i++)
        copy_client(&into->clients[i], &both[i]);
    into->n_clients = n;
    drop_asks_when_full(into);
}

/* Two names of one hash: whichever it is, it is the same for any order. */
static bool is_smaller_name(const struct activity_name *a, const struct activity_name *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    return a->length != b->length ? a->length < b->length : a->entropy < b->entropy;
}

static void merge_names(struct activity *into, const struct activity *from)
{
    struct activity_name both[ACTIVITY_NAMES];
    unsigned n = 0;
    for (unsigned i = 0, k = 0; n < ACTIVITY_NAMES && (i < into->n_names || k < from->n_names); n++) {
        const struct activity_name *a = i < into->n_names ? &into->names[i] : NULL;
        const struct activity_name *b = k < from->n_names ? &from->names[k] : NULL;
        both[n] = b == NULL || (a != NULL && is_smaller_name(a, b)) ? *a : *b;
        i += a != NULL && a->hash == both[n].hash;
        k += b != NULL && b->hash == both[n].hash;
    }
    memcpy(into->names, both, n * sizeof both[0]);
    into->n_names = n;
}

void activity_merge(struct activity *into, const struct activity *from)
{
    assert(into->domain == from->domain);
    if (from->first < into->first)
        into->first = from->first;
    if (from->last > into->last)
        into->last = from->last;
    merge_counters(into->counters, from->counters);
    if (from->n_clients > 0)
        merge_clients(into, from);
    if (from->n_names > 0)
        merge_names(into, from);
}

/* ---- sample upkeep ---- */

static void add_ask(struct activity_client *client, uint16_t second)
{
    struct activity_client one = { .n_asks = 1, .asks = { second } };
    if (second < ACTIVITY_HOUR_S)
        merge_asks(client, &one);
}

void activity_add_client(struct activity *a, uint64_t id, uint16_t second)
{
    unsigned max = activity_clients_max(a), at = a->n_clients;
    while (at > 0 && a->clients[at - 1].id >= id)
        at--;
    bool known = at < a->n_clients && a->clients[at].id == id;
    if (!known) {
        if (at == max)
            return;
        a->n_clients += a->n_clients < max;
        memmove(&a->clients[at + 1], &a->clients[at], (a->n_clients - at - 1) * sizeof a->clients[0]);
        a->clients[at] = (struct activity_client){ .id = id };
    }
    if (a->n_clients < max)
        add_ask(&a->clients[at], second);
    else if (!known)
        drop_asks_when_full(a);
}

void activity_add_name(struct activity *a, struct activity_name name)
{
    unsigned at = a->n_names;
    assert(a->domain);
    while (at > 0 && a->names[at - 1].hash >= name.hash)
        at--;
    if (at == ACTIVITY_NAMES)
        return;
    if (at == a->n_names || a->names[at].hash != name.hash) {
        a->n_names += a->n_names < ACTIVITY_NAMES;
        memmove(&a->names[at + 1], &a->names[at], (a->n_names - at - 1) * sizeof a->names[0]);
        a->names[at] = name;
    } else if (is_smaller_name(&name, &a->names[at])) {
        a->names[at] = name;
    }
}

/* Bar-Yossef et al., 2002, algorithm 2, as in base/distinct; never below what is there. */
static uint64_t estimate(unsigned n, unsigned max, uint64_t largest)
{
    if (n < max)
        return n;
    double all = (n - 1) / ((double)largest / 18446744073709551616.0);
    if (all < n)
        return n;
    return all < 18446744073709549568.0 ? (uint64_t)all : UINT64_MAX;
}

uint64_t activity_clients(const struct activity *a)
{
    unsigned n = a->n_clients;
    return estimate(n, activity_clients_max(a), n ? a->clients[n - 1].id : 0);
}

uint64_t activity_names(const struct activity *a)
{
    unsigned n = a->n_names;
    return estimate(n, ACTIVITY_NAMES, n ? a->names[n - 1].hash : 0);
}

/* ---- entropy ---- */

enum { LOG_BITS = 16 };

/* The logarithm to base 2 of 1 to 255, in 2^-16: squaring a number of [1, 2) doubles its logarithm. */
static uint32_t log2_of(uint32_t x)
{
    unsigned whole = 31u - (unsigned)__builtin_clz(x);
    uint64_t y = (uint64_t)x << (31 - whole); /* 1.31 bits */
    uint32_t log = whole;
    for (int i = 0; i < LOG_BITS; i++) {
        y = y * y >> 31;
        log = log << 1 | (uint32_t)(y >> 32);
        y >>= y >> 32;
    }
    return log;
}

/* log2(n) - sum of c log2(c) / n, over the numbers c of equal characters. */
uint8_t activity_entropy(const uint8_t *ptr, size_t len)
{
    uint8_t times[256] = { 0 };
    uint32_t n = len < 255 ? (uint32_t)len : 255;
    if (n < 2)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        times[ptr[i]]++;
    uint64_t bits = (uint64_t)n * log2_of(n);
    for (unsigned i = 0; i < 256; i++)
        if (times[i] > 1)
            bits -= (uint64_t)times[i] * log2_of(times[i]);
    uint64_t rounded = (bits * 32 / n + (1 << (LOG_BITS - 1))) >> LOG_BITS;
    return rounded < 255 ? (uint8_t)rounded : 255;
}
