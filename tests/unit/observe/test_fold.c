/* Folding: the same runs for any order, any cut and any restart, limits included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "observe/fold.h"
#include "observe/observation.h"
#include "observe/sight.h"
#include "record/activity.h"

static const char list_text[] = "com\nnet\nco.uk\n";
static struct suffix_list *suffixes;
static struct fold_encoder *encoder;

static void observe(struct buffer *b, const char *name, uint16_t type, uint8_t about, const void *rdata, size_t len, uint32_t ts)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t n = name_owner_key(wire, name_from_text(name, strlen(name), wire), key);
    size_t size = observation_bytes(n, len);
    struct observation *o = (void *)buffer_reserve(b, size);
    memset(o, 0, size);
    *o = (struct observation){ .owner_hash = hash_memory(key, n, hash_secret()), .ts_s = ts, .ttl = 60 + ts % 7, .type = type,
                               .owner_len = (uint16_t)n, .rdata_len = (uint16_t)len, .about = about, .flags = RR_ANSWER };
    memcpy(o + 1, key, n);
    memcpy((uint8_t *)(o + 1) + n, rdata, len);
    b->len += size;
}

/* Asked by one of `clients` clients, in either of two hours. */
static void ask(struct buffer *b, const char *name, uint8_t outcome, unsigned clients)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t n = name_owner_key(wire, name_from_text(name, strlen(name), wire), key);
    struct buffer shards[SHARDS];
    for (int i = 0; i < SHARDS; i++)
        buffer_init(&shards[i], SIZE_MAX / 2);
    struct asked asked = { .client = hash_mix((uint64_t)rand() % clients + 1), .query_bytes = 50, .outcome = outcome,
                           .response_bytes = 100, .type = rand() % 2 ? ACTIVITY_A : ACTIVITY_AAAA,
                           .flags = ASKED_QUERY | ASKED_ANSWERED | ASKED_CLIENT_KNOWN };
    uint32_t ts_s = 3600 * (1 + (uint32_t)rand() % 2) + (uint32_t)rand() % 3600;
    asked.second = (uint16_t)(ts_s % 3600);
    *sight_asked((struct slice){ key, n }, ts_s, shards) = asked;
    for (int i = 0; i < SHARDS; i++) {
        buffer_append(b, shards[i].ptr, shards[i].len);
        buffer_release(&shards[i]);
    }
}

/* Some names of many kinds, one domain far beyond the limit, one owner with too many addresses. */
static void make(struct buffer *b, unsigned n, unsigned flood)
{
    char name[64];
    srand(11);
    for (unsigned i = 0; i < n; i++) {
        uint32_t v = (uint32_t)rand() % 500;
        snprintf(name, sizeof name, "h%u.d%u.com", v % 7, v);
        observe(b, name, TYPE_A, 0, &v, 4, 1000 + (uint32_t)rand() % 50);
        if (i % 5 == 0)
            observe(b, name, 0, RR_NXDOMAIN, "", 0, 1000 + i % 50);
        ask(b, name, i % 5 ? ACTIVITY_NOERROR : ACTIVITY_NX_HOST, v % 3 ? 5 : 200);
    }
    for (unsigned i = 0; i < flood; i++) {
        uint32_t v = (uint32_t)rand();
        snprintf(name, sizeof name, "x%u.flood.co.uk", v % (3 * flood));
        observe(b, name, 0, RR_NXDOMAIN, "", 0, 1010);
        ask(b, name, ACTIVITY_NX_HOST, 3);
        observe(b, "www.flood.co.uk", TYPE_A, 0, "\1\2\3\4", 4, 1011);
        observe(b, "many.example.net", TYPE_A, 0, &v, 4, 1012);
    }
}

static void shuffle(const struct buffer *from, struct buffer *to, int seed)
{
    size_t n = 0;
    for (size_t at = 0; at < from->len; n++)
        at += observation_size((const void *)(from->ptr + at));
    size_t *starts = malloc(n * sizeof *starts), i = 0;
    for (size_t at = 0; at < from->len; i++) {
        starts[i] = at;
        at += observation_size((const void *)(from->ptr + at));
    }
    srand(seed);
    for (i = n; i > 1; i--) {
        size_t k = (size_t)rand() % i, t = starts[i - 1];
        starts[i - 1] = starts[k];
        starts[k] = t;
    }
    for (i = 0; i < n; i++)
        buffer_append(to, from->ptr + starts[i], observation_size((const void *)(from->ptr + starts[i])));
    free(starts);
}

static void encode(struct fold *fold, struct buffer runs[KINDS])
{
    for (int k = 0; k < KINDS; k++)
        buffer_init(&runs[k], SIZE_MAX / 2);
    assert_int_equal(fold_encode(fold, encoder, runs), 0);
}

static void restore(struct fold *fold, enum record_kind_id kind, const struct buffer *run)
{
    for (size_t at = 0; at < run->len;) {
        size_t klen = get_le16(run->ptr + at), vlen = get_le16(run->ptr + at + 2);
        const uint8_t *key = run->ptr + at + 4;
        assert_int_equal(fold_restore(fold, kind, (struct slice){ key, klen }, (struct slice){ key + klen, vlen }), 0);
        at += 4 + klen + vlen;
    }
}

static void fold_all(struct fold *fold, struct fold *next, const struct buffer *b)
{
    struct fold_counts counts = { 0 };
    assert_int_equal(fold_observations(fold, next, 0, 1 << 30, b->ptr, b->ptr + b->len, &counts), 0);
}

static void assert_sorted(const struct buffer *run)
{
    struct slice before = { 0 };
    for (size_t at = 0; at < run->len; at += 4u + get_le16(run->ptr + at) + get_le16(run->ptr + at + 2)) {
        struct slice key = { run->ptr + at + 4, get_le16(run->ptr + at) };
        if (before.ptr != NULL)
            assert_true(slice_compare(before, key) < 0);
        before = key;
    }
}

static void check_all(struct buffer runs[KINDS], struct buffer want[KINDS])
{
    for (int k = 0; k < KINDS; k++) {
        assert_sorted(&runs[k]);
        assert_int_equal(runs[k].len, want[k].len);
        assert_memory_equal(runs[k].ptr, want[k].ptr, want[k].len);
        buffer_release(&runs[k]);
    }
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    struct fold *fold, *next;
    struct buffer observations, mixed, want[KINDS], runs[KINDS];
    buffer_init(&observations, SIZE_MAX / 2);
    buffer_init(&mixed, SIZE_MAX / 2);
    make(&observations, 5000, 6 * FOLD_NAMES);
    assert_int_equal(fold_create(&fold, suffixes, NULL), 0);
    assert_int_equal(fold_create(&next, suffixes, NULL), 0);
    fold_all(fold, next, &observations);
    encode(fold, want);
    assert_true(want[KIND_RR].len > 0 && fold_is_empty(next));
    for (int seed = 1; seed < 4; seed++) {
        buffer_clear(&mixed);
        shuffle(&observations, &mixed, seed);
        fold_reset(fold);
        fold_all(fold, next, &mixed);
        encode(fold, runs);
        check_all(runs, want);
    }
    for (int k = 0; k < KINDS; k++)
        buffer_release(&want[k]);
    buffer_release(&observations);
    buffer_release(&mixed);
    fold_destroy(&fold);
    fold_destroy(&next);
}

/* Half of it, encoded and read back as from an unfinished slot's table, then the rest. */
static void test_restart(void **state)
{
    (void)state;
    struct fold *fold, *next;
    struct buffer observations, want[KINDS], runs[KINDS];
    buffer_init(&observations, SIZE_MAX / 2);
    make(&observations, 3000, 4 * FOLD_NAMES);
    assert_int_equal(fold_create(&fold, suffixes, NULL), 0);
    assert_int_equal(fold_create(&next, suffixes, NULL), 0);
    fold_all(fold, next, &observations);
    encode(fold, want);
    size_t half = 0;
    while (half < observations.len / 2)
        half += observation_size((const void *)(observations.ptr + half));
    struct buffer first = observations, second = observations;
    first.len = half;
    second.ptr += half;
    second.len -= half;
    fold_reset(fold);
    fold_all(fold, next, &first);
    encode(fold, runs);
    fold_reset(fold);
    restore(fold, KIND_RR, &runs[KIND_RR]);
    restore(fold, KIND_HOST, &runs[KIND_HOST]);
    restore(fold, KIND_DOMAIN, &runs[KIND_DOMAIN]);
    for (int k = 0; k < KINDS; k++)
        buffer_release(&runs[k]);
    fold_all(fold, next, &second);
    encode(fold, runs);
    check_all(runs, want);
    for (int k = 0; k < KINDS; k++)
        buffer_release(&want[k]);
    buffer_release(&observations);
    fold_destroy(&fold);
    fold_destroy(&next);
}

/* A flood stays within the limit, says how much it hides, and never evicts www. */
static void test_limits(void **state)
{
    (void)state;
    struct fold *fold, *next;
    struct buffer observations, runs[KINDS];
    buffer_init(&observations, SIZE_MAX / 2);
    make(&observations, 0, 6 * FOLD_NAMES);
    assert_int_equal(fold_create(&fold, suffixes, NULL), 0);
    assert_int_equal(fold_create(&next, suffixes, NULL), 0);
    fold_all(fold, next, &observations);
    encode(fold, runs);
    uint64_t names = 0, hidden = 0, seen = 0, addresses = 0, www = 0;
    const uint8_t *run = runs[KIND_RR].ptr;
    for (size_t at = 0; at < runs[KIND_RR].len;) {
        struct rr_key k;
        struct rr_value v;
        size_t klen = get_le16(run + at), vlen = get_le16(run + at + 2);
        assert_true(rr_key_get((struct slice){ run + at + 4, klen }, &k));
        assert_true(rr_value_get((struct slice){ run + at + 4 + klen, vlen }, &v));
        names += k.about == RR_NXDOMAIN;
        seen += k.about == RR_NXDOMAIN ? v.count : 0;
        hidden += k.about == RR_COLLAPSED_NAMES ? v.count : 0;
        addresses += k.type == TYPE_A && k.owner.ptr[0] == 'n';
        www += k.type == TYPE_A && k.owner.ptr[0] == 'u' ? v.count : 0;
        at += 4 + klen + vlen;
    }
    assert_int_equal(names, FOLD_NAMES);
    assert_int_equal(seen + hidden, 6 * FOLD_NAMES);
    assert_int_equal(addresses, FOLD_RDATA);
    assert_int_equal(www, 6 * FOLD_NAMES);
    for (int k = 0; k < KINDS; k++)
        buffer_release(&runs[k]);
    buffer_release(&observations);
    fold_destroy(&fold);
    fold_destroy(&next);
}

/* A record has an inverse key for each of its names that differ and of its hints, all with its value. */
static void test_inverse_keys(void **state)
{
    (void)state;
    static const char soa[] = "\2ns\3com\0\4root\3com\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
    static const char rp[] = "\1a\0\1a\0", https[] = "\0\1\3svc\3com\0\0\1\0\3\2h2", odd[] = "\0\1\300\14";
    static const char hints[] = "\0\1\0\0\4\0\10\1\2\3\4\1\2\3\5\0\6\0\20" "0123456789abcdef";
    static const struct {
        uint16_t type;
        const char *rdata;
        size_t len;
        unsigned keys;
    } rows[] = {
        { TYPE_A, "\1\2\3\4", 4, 1 }, { TYPE_SOA, soa, sizeof soa - 1, 2 },       { 17, rp, sizeof rp - 1, 1 },
        { TYPE_HTTPS, https, sizeof https - 1, 1 }, { TYPE_HTTPS, odd, sizeof odd - 1, 0 },
        { TYPE_HTTPS, hints, sizeof hints - 1, 4 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fold *fold;
        struct buffer observations, runs[KINDS];
        unsigned keys = 0;
        buffer_init(&observations, SIZE_MAX / 2);
        observe(&observations, "www.example.com", rows[i].type, 0, rows[i].rdata, rows[i].len, 1000);
        assert_int_equal(fold_create(&fold, suffixes, NULL), 0);
        fold_all(fold, fold, &observations);
        encode(fold, runs);
        assert_sorted(&runs[KIND_INVERSE]);
        const uint8_t *run = runs[KIND_INVERSE].ptr, *rr = runs[KIND_RR].ptr;
        struct slice value = { rr + 4 + get_le16(rr), get_le16(rr + 2) };
        for (size_t at = 0; at < runs[KIND_INVERSE].len; keys++) {
            struct rr_key k;
            uint8_t rdata[RR_KEY_MAX];
            size_t klen = get_le16(run + at), vlen = get_le16(run + at + 2);
            assert_true(rr_inverse_get((struct slice){ run + at + 4, klen }, rdata, &k));
            assert_int_equal(slice_compare(k.rdata, (struct slice){ (const uint8_t *)rows[i].rdata, rows[i].len }), 0);
            assert_int_equal(slice_compare((struct slice){ run + at + 4 + klen, vlen }, value), 0);
            at += 4 + klen + vlen;
        }
        assert_int_equal(keys, rows[i].keys);
        for (int k = 0; k < KINDS; k++)
            buffer_release(&runs[k]);
        buffer_release(&observations);
        fold_destroy(&fold);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_inverse_keys),
    };
    if (suffix_parse(&suffixes, list_text, sizeof list_text - 1, NULL) != 0 || fold_encoder_create(&encoder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fold_encoder_destroy(&encoder);
    suffix_destroy(&suffixes);
    return failed;
}
