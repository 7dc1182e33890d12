/* Activity values: one encoding each, merging in any order and grouping, hostile bytes refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "record/activity.h"
#include "record/kind.h"

enum { HOUR = 472222, HOUR_STARTS = HOUR * ACTIVITY_HOUR_S, ROUNDS = 4000 };

static uint64_t random_bits(void)
{
    return (uint64_t)rand() << 62 ^ (uint64_t)rand() << 31 ^ (uint64_t)rand();
}

/* Few different ones, so that samples of two values overlap, and some at the ends of the range. */
static uint64_t random_id(void)
{
    uint64_t few = (uint64_t)(rand() % 120);
    return rand() % 40 == 0 ? UINT64_MAX - few % 3 : few * UINT64_C(0x9e3779b97f4a7c15) >> rand() % 2;
}

static uint16_t random_second(void)
{
    return rand() % 10 == 0 ? ACTIVITY_NO_SECOND : (uint16_t)(rand() % ACTIVITY_HOUR_S);
}

/* Some hashes come with different lengths and entropies. */
static struct activity_name random_name(void)
{
    return (struct activity_name){ random_id(), (uint8_t)(rand() % 3), (uint8_t)(rand() % 256) };
}

static uint64_t random_count(void)
{
    switch (rand() % 4) {
    case 0: return 0;
    case 1: return UINT64_MAX - (uint64_t)(rand() % 3);
    default: return random_bits() >> rand() % 64;
    }
}

static void add_time(struct activity *a, uint64_t at)
{
    a->first = at < a->first ? at : a->first;
    a->last = at > a->last ? at : a->last;
}

static void random_activity(struct activity *a, bool domain)
{
    int clients = rand() % 3 ? rand() % 20 : rand() % 300, names = domain ? rand() % 150 : 0;
    activity_init(a, domain);
    add_time(a, HOUR_STARTS + (uint64_t)(rand() % ACTIVITY_HOUR_S));
    add_time(a, HOUR_STARTS + (uint64_t)(rand() % ACTIVITY_HOUR_S));
    for (int i = 0; i < ACTIVITY_COUNTERS; i++)
        a->counters[i] = random_count();
    while (clients-- > 0)
        activity_add_client(a, random_id(), random_second());
    while (names-- > 0)
        activity_add_name(a, random_name());
}

/* ---- encodings ---- */

static void encode(const struct activity *a, struct buffer *to)
{
    buffer_clear(to);
    activity_put(a, to);
    assert_false(to->failed);
    assert_true(to->len <= ACTIVITY_VALUE_MAX);
}

static void assert_same(const struct buffer *a, const struct buffer *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->ptr, b->ptr, a->len);
}

static void assert_fields(const struct activity *a, const struct activity *b)
{
    assert_true(a->domain == b->domain && a->first == b->first && a->last == b->last);
    assert_memory_equal(a->counters, b->counters, sizeof a->counters);
    assert_int_equal(a->n_clients, b->n_clients);
    for (unsigned i = 0; i < a->n_clients; i++) {
        const struct activity_client *x = &a->clients[i], *y = &b->clients[i];
        assert_true(x->id == y->id && x->n_asks == y->n_asks);
        for (unsigned k = 0; k < x->n_asks; k++)
            assert_int_equal(x->asks[k], y->asks[k]);
    }
    assert_int_equal(a->n_names, b->n_names);
    for (unsigned i = 0; i < a->n_names; i++) {
        const struct activity_name *x = &a->names[i], *y = &b->names[i];
        assert_true(x->hash == y->hash && x->length == y->length && x->entropy == y->entropy);
    }
}

static struct buffer bytes, other; /* the tests' */

static int make_buffers(void **state)
{
    (void)state;
    buffer_init(&bytes, 1 << 16);
    buffer_init(&other, 1 << 16);
    srand(11);
    return 0;
}

static int release_buffers(void **state)
{
    (void)state;
    buffer_release(&bytes);
    buffer_release(&other);
    return 0;
}

static void test_round_trips(void **state)
{
    (void)state;
    static struct activity a, b;
    for (int i = 0; i < ROUNDS; i++) {
        random_activity(&a, i % 2);
        encode(&a, &bytes);
        assert_true(activity_get((struct slice){ bytes.ptr, bytes.len }, i % 2, &b));
        assert_fields(&a, &b);
        encode(&b, &other);
        assert_same(&bytes, &other);
    }
}

/* The bytes that docs/format/records.md promises. */
static void test_layout(void **state)
{
    (void)state;
    static struct activity a;
    activity_init(&a, true);
    a.first = 1000;
    a.last = 1003;
    a.counters[ACTIVITY_QUERIES] = 300;
    a.counters[ACTIVITY_POLICY] = 1;
    a.counters[ACTIVITY_TTL] = 60;
    activity_add_client(&a, 0x0102030405060708, 7);
    activity_add_client(&a, 0x0102030405060708, 8);
    activity_add_client(&a, 0x0102030405060708, 200);
    activity_add_client(&a, 5, ACTIVITY_NO_SECOND);
    activity_add_name(&a, (struct activity_name){ 9, 4, 64 });
    encode(&a, &bytes);
    static const uint8_t made[] = {
        0xe8, 0x07, 3,                               /* first, last - first */
        0x81, 0x80, 0x80, 0x0c, 0xac, 0x02, 1, 60,   /* counters 0, 23 and 24 */
        2,                                           /* clients */
        5, 0, 0, 0, 0, 0, 0, 0, 0,                   /* asked at times not known */
        8, 7, 6, 5, 4, 3, 2, 1, 3, 7, 0, 0xbf, 0x01, /* at 7, 8 and 200 */
        1, 9, 0, 0, 0, 0, 0, 0, 0, 4, 64,            /* a name */
    };
    assert_int_equal(bytes.len, sizeof made);
    assert_memory_equal(bytes.ptr, made, sizeof made);
}

/* ---- merging ---- */

static void merged(const struct activity *a, const struct activity *b, struct activity *ret)
{
    *ret = *a;
    activity_merge(ret, b);
}

static void assert_equal(const struct activity *a, const struct activity *b)
{
    encode(a, &bytes);
    encode(b, &other);
    assert_same(&bytes, &other);
}

static void test_merge_laws(void **state)
{
    (void)state;
    static struct activity a, b, c, x, y, left, right;
    for (int i = 0; i < ROUNDS; i++) {
        bool domain = i % 2;
        random_activity(&a, domain);
        random_activity(&b, domain);
        random_activity(&c, domain);
        merged(&a, &b, &x);
        merged(&b, &a, &y);
        assert_equal(&x, &y);
        merged(&x, &c, &left);
        merged(&b, &c, &y);
        merged(&a, &y, &right);
        assert_equal(&left, &right);
        activity_init(&x, domain);
        activity_merge(&x, &a);
        assert_equal(&x, &a);
        activity_init(&x, domain);
        merged(&a, &x, &y);
        assert_equal(&y, &a);
    }
}

/* Counters add up; the TTL is the largest. */
static void test_merged_counters(void **state)
{
    (void)state;
    static struct activity a, b;
    activity_init(&a, false);
    activity_init(&b, false);
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++) {
        a.counters[i] = 1000 + i;
        b.counters[i] = 300;
    }
    a.counters[ACTIVITY_POLICY] = UINT64_MAX - 299;
    activity_merge(&a, &b);
    for (unsigned i = 0; i < ACTIVITY_POLICY; i++)
        assert_int_equal(a.counters[i], 1300 + i);
    assert_true(a.counters[ACTIVITY_POLICY] == UINT64_MAX);
    assert_int_equal(a.counters[ACTIVITY_TTL], 1000 + ACTIVITY_TTL);
    activity_merge(&b, &a);
    assert_int_equal(b.counters[ACTIVITY_TTL], 1000 + ACTIVITY_TTL);
}

struct question {
    uint64_t at, id;
    uint16_t second;
    struct activity_name name;
};

static void count(struct activity *a, const struct question *q)
{
    add_time(a, q->at);
    a->counters[ACTIVITY_QUERIES]++;
    activity_add_client(a, q->id, q->second);
    if (a->domain)
        activity_add_name(a, q->name);
}

static int compare_questions(const void *a, const void *b)
{
    const struct question *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (int)x->second - (int)y->second;
}

/* The sample of clients by its definition: sorted questions, the first ids, of each the first seconds. */
static void expect_clients(struct question *q, size_t n, const struct activity *a)
{
    unsigned clients = 0, asks = 0;
    qsort(q, n, sizeof *q, compare_questions);
    bool full = a->n_clients == activity_clients_max(a);
    for (size_t i = 0; i < n; i++) {
        bool new = i == 0 || q[i].id != q[i - 1].id;
        if (new && clients > 0)
            assert_int_equal(a->clients[clients - 1].n_asks, full ? 0 : asks);
        if (new && clients == activity_clients_max(a))
            return;
        if (new) {
            asks = 0;
            assert_true(a->clients[clients++].id == q[i].id);
        }
        bool counts = q[i].second != ACTIVITY_NO_SECOND && (new || q[i].second != q[i - 1].second);
        if (counts && asks < ACTIVITY_ASKS) {
            if (!full)
                assert_int_equal(a->clients[clients - 1].asks[asks], q[i].second);
            asks++;
        }
    }
    assert_int_equal(a->n_clients, clients);
}

/* However questions are divided, and whichever order the parts merge in, it is as if counted at once. */
static void test_any_division(void **state)
{
    (void)state;
    enum { PARTS = 7, QUESTIONS = 700 };
    static struct activity whole, parts[PARTS];
    static struct question q[QUESTIONS];
    for (int round = 0; round < ROUNDS / 4; round++) {
        bool domain = round % 2;
        size_t n = 1 + (size_t)rand() % (round % 4 < 2 ? QUESTIONS : 60), clients = 1 + (size_t)rand() % 80;
        activity_init(&whole, domain);
        for (int p = 0; p < PARTS; p++)
            activity_init(&parts[p], domain);
        for (size_t i = 0; i < n; i++) {
            q[i] = (struct question){ HOUR_STARTS + (uint64_t)(rand() % 3600), (uint64_t)rand() % clients << 50,
                                      random_second(), random_name() };
            count(&whole, &q[i]);
            count(&parts[rand() % PARTS], &q[i]);
        }
        for (int left = PARTS; left > 1; left--) {
            int from = 1 + rand() % (left - 1), into = rand() % from;
            activity_merge(&parts[into], &parts[from]);
            parts[from] = parts[left - 1];
        }
        assert_equal(&parts[0], &whole);
        expect_clients(q, n, &whole);
    }
}

/* A sample that one of the last clients fills has no times, whoever that is and whoever merges it. */
static void test_full_samples(void **state)
{
    (void)state;
    static struct activity a, b, x;
    for (int domain = 0; domain < 2; domain++) {
        unsigned max = domain ? ACTIVITY_DOMAIN_CLIENTS : ACTIVITY_HOST_CLIENTS;
        for (unsigned in_a = 0; in_a <= max; in_a++) {
            activity_init(&a, domain);
            activity_init(&b, domain);
            add_time(&a, HOUR_STARTS);
            add_time(&b, HOUR_STARTS);
            for (unsigned i = 0; i < max; i++)
                activity_add_client(i < in_a ? &a : &b, i * 7919 % 101, (uint16_t)i);
            for (unsigned i = 0; i < a.n_clients; i++)
                assert_int_equal(a.clients[i].n_asks, in_a < max);
            for (int turned = 0; turned < 2; turned++) {
                merged(turned ? &b : &a, turned ? &a : &b, &x);
                assert_int_equal(x.n_clients, max);
                activity_add_client(&x, 0, 3); /* known */
                activity_add_client(&x, 1000, 3); /* too large */
                activity_merge(&x, &a);
                for (unsigned i = 0; i < max; i++)
                    assert_int_equal(x.clients[i].n_asks, 0);
            }
        }
    }
}

static void test_sums_stay(void **state)
{
    (void)state;
    static struct activity a, b;
    activity_init(&a, false);
    a.counters[0] = UINT64_MAX - 1;
    a.counters[1] = 5;
    b = a;
    activity_merge(&a, &b);
    assert_true(a.counters[0] == UINT64_MAX);
    assert_int_equal(a.counters[1], 10);
}

/* ---- hostile bytes ---- */

/* What is taken encodes to the same bytes. */
static void refused_or_same(const uint8_t *ptr, size_t len, bool domain)
{
    static struct activity a;
    uint8_t *copy = malloc(len + 1); /* exactly as long, for the sanitizers */
    assert_non_null(copy);
    memcpy(copy, ptr, len);
    if (activity_get((struct slice){ copy, len }, domain, &a)) {
        encode(&a, &other);
        assert_int_equal(other.len, len);
        assert_memory_equal(other.ptr, copy, len);
    }
    free(copy);
}

static void test_hostile(void **state)
{
    (void)state;
    static struct activity a;
    for (int i = 0; i < 60; i++) {
        bool domain = i % 2;
        random_activity(&a, domain);
        encode(&a, &bytes);
        for (size_t len = 0; len < bytes.len; len++)
            assert_false(activity_get((struct slice){ bytes.ptr, len }, domain, &a));
        refused_or_same(bytes.ptr, bytes.len, !domain);
        for (size_t at = 0; at < bytes.len; at++) {
            uint8_t was = bytes.ptr[at];
            for (int bit = 0; bit < 8; bit++) {
                bytes.ptr[at] = was ^ (uint8_t)(1 << bit);
                refused_or_same(bytes.ptr, bytes.len, domain);
            }
            bytes.ptr[at] = (uint8_t)rand();
            refused_or_same(bytes.ptr, bytes.len, domain);
            bytes.ptr[at] = was;
        }
    }
}

#define BYTES(text) text, sizeof text - 1
#define ID(n) n "\0\0\0\0\0\0\0"

static const struct {
    const char *text;
    size_t len;
    bool domain, taken;
} forms[] = {
    { BYTES("\1\2\0\0"), false, true },
    { BYTES("\1\2\0\0\0"), true, true },
    { BYTES("\1\2\0\0\0"), false, false },                            /* names of a host, or trailing */
    { BYTES("\1\2\0\0"), true, false },                               /* a domain without */
    { BYTES("\1\2\0\0\0\0"), true, false },                           /* trailing */
    { BYTES("\x81\0\2\0\0"), false, false },                          /* a longer varint than it takes */
    { BYTES("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0"), false, false }, /* last before first */
    { BYTES("\1\2\1\3\0"), false, true },
    { BYTES("\1\2\1\0\0"), false, false },                            /* a counter of zero */
    { BYTES("\1\2\x80\x80\x80\x08\3\0"), false, true },              /* the last counter */
    { BYTES("\1\2\x80\x80\x80\x10\3\0"), false, false },              /* behind the last */
    { BYTES("\1\2\0\1" ID("\1") "\0"), false, true },
    { BYTES("\1\2\0\2" ID("\1") "\0" ID("\2") "\0"), false, true },
    { BYTES("\1\2\0\2" ID("\2") "\0" ID("\1") "\0"), false, false },  /* not sorted */
    { BYTES("\1\2\0\2" ID("\1") "\0" ID("\1") "\0"), false, false },  /* twice */
    { BYTES("\1\2\0\1" ID("\1") "\2\0\0"), false, true },             /* seconds 0 and 1 */
    { BYTES("\1\2\0\1" ID("\1") "\1\x8f\x1c"), false, true },         /* 3599 */
    { BYTES("\1\2\0\1" ID("\1") "\1\x90\x1c"), false, false },        /* 3600 */
    { BYTES("\1\2\0\1" ID("\1") "\2\1\x8e\x1c"), false, false },      /* 1 and 3600 */
    { BYTES("\1\2\0\0\1" ID("\1") "\4\6"), true, true },
    { BYTES("\1\2\0\0\2" ID("\1") "\4\6" ID("\1") "\4\6"), true, false },
    { BYTES("\1\2\0\0\2" ID("\2") "\4\6" ID("\1") "\4\6"), true, false },
};

static void test_forms(void **state)
{
    (void)state;
    static struct activity a;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (activity_get((struct slice){ (const uint8_t *)forms[i].text, forms[i].len }, forms[i].domain, &a) != forms[i].taken)
            fail_msg("row %zu", i);
}

/* A value of `clients` clients, the first asking `asks` times, and `names` names. */
static bool takes(bool domain, unsigned clients, unsigned asks, unsigned names)
{
    static struct activity a;
    buffer_clear(&bytes);
    buffer_append(&bytes, "\1\1\0", 3);
    buffer_varint(&bytes, clients);
    for (unsigned i = 0; i < clients; i++) {
        buffer_le64(&bytes, i);
        buffer_varint(&bytes, i ? 0 : asks);
        for (unsigned k = 0; i == 0 && k < asks; k++)
            buffer_varint(&bytes, 0);
    }
    if (domain)
        buffer_varint(&bytes, names);
    for (unsigned i = 0; i < names; i++) {
        buffer_le64(&bytes, i);
        buffer_append(&bytes, "ab", 2);
    }
    return activity_get((struct slice){ bytes.ptr, bytes.len }, domain, &a);
}

static void test_limits(void **state)
{
    (void)state;
    assert_true(takes(false, 31, 32, 0));
    assert_false(takes(false, 31, 33, 0));
    assert_true(takes(false, 32, 0, 0));
    assert_false(takes(false, 32, 1, 0)); /* a full sample has no times */
    assert_false(takes(false, 33, 0, 0));
    assert_true(takes(true, 63, 32, 64));
    assert_true(takes(true, 64, 0, 64));
    assert_false(takes(true, 64, 1, 0));
    assert_false(takes(true, 65, 0, 0));
    assert_false(takes(true, 0, 0, 65));
}

/* ---- what is read from them ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* Exact below a full sample; above it the error is 1 / sqrt(k - 2): four times that is not met by chance. */
static void test_estimates(void **state)
{
    (void)state;
    static struct activity a;
    for (int domain = 0; domain < 2; domain++) {
        unsigned max = domain ? ACTIVITY_DOMAIN_CLIENTS : ACTIVITY_HOST_CLIENTS;
        double bound = domain ? 0.51 : 0.74;
        activity_init(&a, domain);
        assert_int_equal(activity_clients(&a), 0);
        for (unsigned n = 1; n <= 100000; n++) {
            activity_add_client(&a, mix(n + 77), 0);
            if (domain)
                activity_add_name(&a, (struct activity_name){ mix(n), 1, 1 });
            if (n < max) {
                assert_int_equal(activity_clients(&a), n);
                assert_int_equal(activity_names(&a), domain ? n : 0);
            } else if (n % 1000 == 0) {
                assert_true(activity_clients(&a) > n * (1 - bound) && activity_clients(&a) < n * (1 + bound));
                assert_true(!domain || (activity_names(&a) > n * (1 - bound) && activity_names(&a) < n * (1 + bound)));
            }
        }
    }
    activity_init(&a, false); /* the smallest there can be */
    for (unsigned i = 0; i < ACTIVITY_HOST_CLIENTS; i++)
        activity_add_client(&a, i, 0);
    assert_true(activity_clients(&a) == UINT64_MAX);
    activity_init(&a, false); /* and the largest */
    for (unsigned i = 0; i < ACTIVITY_HOST_CLIENTS; i++)
        activity_add_client(&a, UINT64_MAX - i, 0);
    assert_int_equal(activity_clients(&a), ACTIVITY_HOST_CLIENTS);
}

static void test_entropy(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t want;
    } rows[] = {
        { "", 0 }, { "a", 0 }, { "aaaa", 0 }, { "ab", 32 }, { "abab", 32 }, { "abcd", 64 }, { "aab", 29 }, /* 0.9183 */
        { "www", 0 }, { "rctl-443", 88 }, { "0123456789abcdef", 128 },
    };
    uint8_t every[300];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t is = activity_entropy((const uint8_t *)rows[i].text, strlen(rows[i].text));
        if (is != rows[i].want)
            fail_msg("%s: %u, not %u", rows[i].text, is, rows[i].want);
    }
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (uint8_t)i;
    assert_int_equal(activity_entropy(every, 255), 255);
    assert_int_equal(activity_entropy(every, sizeof every), 255);
}

static void test_counter_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACTIVITY_COUNTERS; i++) {
        assert_non_null(activity_counter_name(i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(activity_counter_name(i), activity_counter_name(k));
    }
}

/* ---- keys, and what the kinds say ---- */

#define OWNER "com\0example\0www\0\0"
#define KEY OWNER "\0\7\x34\x9e"

static void test_keys(void **state)
{
    (void)state;
    struct slice owner = { (const uint8_t *)OWNER, sizeof OWNER - 1 }, back;
    uint8_t key[ACTIVITY_KEY_MAX];
    uint32_t hour;
    size_t n = activity_key_put(owner, HOUR, key);
    assert_int_equal(n, sizeof KEY - 1);
    assert_memory_equal(key, KEY, n);
    assert_true(activity_key_get((struct slice){ key, n }, &back, &hour));
    assert_int_equal(hour, HOUR);
    assert_int_equal(slice_compare(back, owner), 0);
    for (size_t len = 0; len < n; len++)
        assert_false(activity_key_get((struct slice){ key, len }, &back, &hour));
    assert_false(activity_key_get((struct slice){ (const uint8_t *)KEY, sizeof KEY }, &back, &hour)); /* trailing */
}

static void test_kinds(void **state)
{
    (void)state;
    static struct activity a;
    struct slice key = { (const uint8_t *)KEY, sizeof KEY - 1 }, owner;
    for (int i = 0; i < 2; i++) {
        const struct record_kind *kind = &record_kinds[i ? KIND_DOMAIN : KIND_HOST];
        size_t lens[KIND_FILTER_KEYS];
        uint8_t scratch[OWNER_KEY_MAX];
        assert_string_equal(kind->name, i ? "domain" : "host");
        assert_false(kind->forever);
        assert_int_equal(kind->filter_keys(key, lens), 2);
        assert_int_equal(lens[0], sizeof "com\0example");
        assert_int_equal(lens[1], sizeof OWNER - 1);
        assert_true(kind->owner(key, scratch, &owner));
        assert_int_equal(owner.len, sizeof OWNER - 1);
        random_activity(&a, i);
        encode(&a, &bytes);
        struct slice value = { bytes.ptr, bytes.len };
        assert_true(kind->valid(key, value));
        assert_false(kind->valid((struct slice){ key.ptr, key.len - 1 }, value));
        assert_false(kind->valid(key, (struct slice){ value.ptr, value.len - 1 }));
        add_time(&a, HOUR_STARTS + ACTIVITY_HOUR_S); /* of the next hour */
        encode(&a, &bytes);
        assert_false(kind->valid(key, (struct slice){ bytes.ptr, bytes.len }));
    }
}

static void test_kinds_merge(void **state)
{
    (void)state;
    static struct activity a, b, x;
    struct buffer to, from;
    buffer_init(&to, 1 << 16);
    buffer_init(&from, 1 << 16);
    for (int i = 0; i < 200; i++) {
        const struct record_kind *kind = &record_kinds[i % 2 ? KIND_DOMAIN : KIND_HOST];
        random_activity(&a, i % 2);
        random_activity(&b, i % 2);
        merged(&a, &b, &x);
        encode(&a, &bytes);
        encode(&b, &from);
        buffer_clear(&to);
        buffer_u8(&to, 'x'); /* appended behind what is there */
        struct slice one = { bytes.ptr, bytes.len }, two = { from.ptr, from.len };
        assert_int_equal(kind->merge(one, two, &to), E_OK);
        encode(&x, &other);
        assert_int_equal(to.len, other.len + 1);
        assert_memory_equal(to.ptr + 1, other.ptr, other.len);
        two.len--;
        assert_int_equal(kind->merge(one, two, &to), E_CORRUPT);
        assert_int_equal(kind->merge(two, one, &to), E_CORRUPT);
    }
    struct buffer small;
    buffer_init(&small, 1);
    assert_int_equal(record_kinds[KIND_HOST].merge((struct slice){ (const uint8_t *)"\1\2\0", 4 },
                                                   (struct slice){ (const uint8_t *)"\1\2\0", 4 }, &small), E_NOMEM);
    buffer_release(&small);
    buffer_release(&to);
    buffer_release(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_layout), cmocka_unit_test(test_merge_laws),
        cmocka_unit_test(test_merged_counters),
        cmocka_unit_test(test_any_division), cmocka_unit_test(test_full_samples), cmocka_unit_test(test_sums_stay),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_forms), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_estimates), cmocka_unit_test(test_entropy), cmocka_unit_test(test_counter_names),
        cmocka_unit_test(test_keys), cmocka_unit_test(test_kinds), cmocka_unit_test(test_kinds_merge),
    };
    return cmocka_run_group_tests(tests, make_buffers, release_buffers);
}
