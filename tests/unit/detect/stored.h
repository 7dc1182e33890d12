/* stored: a database of made-up activity and records, for tests of what reads a store.
 *
 *     stored_new(); stored_ask(...); stored_record(...); ... store = stored_open(); ... store_close(&store);
 *
 * Entries are kept until stored_open sorts them into one table a kind. Names are of "example" and "test". */
#ifndef TESTS_DETECT_STORED_H
#define TESTS_DETECT_STORED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dns/suffix.h"
#include "record/activity.h"
#include "record/rr.h"
#include "scratch.h"
#include "store/store.h"

enum { STORED_ENTRIES = 1 << 16 };

struct stored_entry {
    uint8_t *bytes; /* key, then value */
    uint16_t key, value;
};

static struct stored_entry stored[KINDS][STORED_ENTRIES];
static size_t n_stored[KINDS];
static struct fault why;

#define OK(call) do { if ((call) != 0) fail_msg("%s: %s", #call, why.text); } while (0)

static inline void stored_new(void)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (; n_stored[kind] > 0; n_stored[kind]--)
            free(stored[kind][n_stored[kind] - 1].bytes);
}

static inline struct slice stored_key(const char *name)
{
    static uint8_t room[16][NAME_KEY_MAX];
    static unsigned turn;
    uint8_t wire[NAME_WIRE_MAX], *key = room[turn++ % 16];
    size_t n = name_from_text(name, strlen(name), wire);
    assert_true(n > 0);
    return (struct slice){ key, name_owner_key(wire, n, key) };
}

static inline void stored_put(int kind, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    assert_true(n_stored[kind] < STORED_ENTRIES);
    struct stored_entry *e = &stored[kind][n_stored[kind]++];
    e->bytes = malloc(key_len + value_len);
    memcpy(e->bytes, key, key_len);
    memcpy(e->bytes + key_len, value, value_len);
    e->key = (uint16_t)key_len;
    e->value = (uint16_t)value_len;
}

/* An hour of a host or a registered domain, with clients [client, client + clients). */
static inline void stored_ask(int kind, const char *name, uint32_t hour, unsigned queries, enum activity_counter answer, uint64_t client,
                              unsigned clients, uint64_t sub_name)
{
    static struct activity a;
    uint8_t key[ACTIVITY_KEY_MAX];
    struct buffer value;
    activity_init(&a, kind == KIND_DOMAIN);
    a.first = (uint64_t)hour * 3600 + queries % 3600;
    a.last = (uint64_t)hour * 3600 + 3599;
    a.counters[ACTIVITY_QUERIES] = a.counters[ACTIVITY_ANSWERED] = a.counters[answer] = queries;
    for (unsigned i = 0; i < clients; i++)
        activity_add_client(&a, client + i + 1, (uint16_t)((client * 7 + i * 13) % 3600));
    if (kind == KIND_DOMAIN && sub_name != 0)
        activity_add_name(&a, (struct activity_name){ .hash = sub_name, .length = 3 });
    buffer_init(&value, ACTIVITY_VALUE_MAX);
    activity_put(&a, &value);
    assert_false(value.failed);
    stored_put(kind, key, activity_key_put(stored_key(name), hour, key), value.ptr, value.len);
    buffer_release(&value);
}

/* A record, its inverse, and the names of its owner (a host and its registered domain). */
static inline void stored_name(const char *host, const char *domain, uint64_t first_s)
{
    uint8_t key[NAME_KEY_MAX + 1], value[4 * VARINT_MAX];
    struct name_value v = { first_s, first_s + 9, 1 };
    struct slice owner = stored_key(host);
    size_t n = name_key_reverse(owner.ptr, owner.len, key);
    stored_put(KIND_NAME, key, n, value, name_value_put(&v, value));
    owner = stored_key(domain);
    n = name_key_reverse(owner.ptr, owner.len, key);
    key[n] = 1;
    stored_put(KIND_NAME, key, n + 1, value, name_value_put(&v, value));
}

static inline void stored_record(const char *host, uint16_t type, struct slice rdata, uint64_t first_s)
{
    uint8_t key[RR_INVERSE_MAX], value[RR_VALUE_MAX];
    struct rr_value v = { .first = first_s, .last = first_s + 9, .count = 1, .flags = RR_ANSWER };
    size_t n = rr_value_put(&v, value);
    stored_put(KIND_RR, key, rr_key_put(stored_key(host), type, rdata, key), value, n);
    stored_put(KIND_INVERSE, key, rr_inverse_put(stored_key(host), type, 0, rdata, key), value, n);
}

static inline int stored_order(const void *a, const void *b)
{
    const struct stored_entry *x = a, *y = b;
    return slice_compare((struct slice){ x->bytes, x->key }, (struct slice){ y->bytes, y->key });
}

/* The first of equal keys stays, which has to be the earliest. */
static inline void stored_run(int kind, struct buffer *to)
{
    qsort(stored[kind], n_stored[kind], sizeof *stored[kind], stored_order);
    for (size_t i = 0; i < n_stored[kind]; i++) {
        const struct stored_entry *e = &stored[kind][i];
        uint8_t head[4] = { (uint8_t)e->key, (uint8_t)(e->key >> 8), (uint8_t)e->value, (uint8_t)(e->value >> 8) };
        if (i > 0 && stored_order(e - 1, e) == 0)
            continue;
        buffer_append(to, head, 4);
        buffer_append(to, e->bytes, (size_t)e->key + e->value);
    }
}

static inline struct store *stored_open(void)
{
    static unsigned number;
    char dir[160];
    struct store *s;
    snprintf(dir, sizeof dir, "%s/db%u", scratch_folder(), number++);
    OK(store_open(&s, dir, STORE_WRITE, NULL, &why));
    for (int kind = 0; kind < KINDS; kind++) {
        struct buffer b;
        buffer_init(&b, 1 << 28);
        stored_run(kind, &b);
        struct store_run run = { b.ptr, b.len };
        struct store_table t = { .kind = (uint8_t)kind, .tier = TIER_SLOT };
        if (b.len > 0) {
            OK(store_write_table(s, &t, &run, 1, &why));
            struct store_change change = { .add = &t, .n_add = 1, .watermark = t.to, .totals = "{}" };
            OK(store_commit(s, &change, &why));
        }
        buffer_release(&b);
    }
    return s;
}

static inline struct suffix_list *stored_suffixes(void)
{
    static const char list[] = "example\ntest\n";
    struct suffix_list *suffixes;
    OK(suffix_parse(&suffixes, list, sizeof list - 1, &why));
    return suffixes;
}

#endif
