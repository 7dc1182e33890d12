/* A throw-away database and an in-memory reference, for the store's tests. */
#ifndef DNSMON_TEST_STORE_WORLD_H
#define DNSMON_TEST_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds.h"
#include "scratch.h"
#include "store/store.h"

enum { OWNERS = 300 };
struct reference { /* count, first, last of each owner's one key */
    uint64_t count[OWNERS], first[OWNERS], last[OWNERS];
};

static char world_dir[96];

static void world_remove(void)
{
    DIR *d = opendir(world_dir);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(world_dir);
}

static void world_new(void)
{
    snprintf(world_dir, sizeof world_dir, "%s/world", scratch_folder());
    world_remove();
}

static struct store *world_open(enum store_mode mode, const struct store_options *options)
{
    struct store *s = NULL;
    struct fault why = { 0 };
    if (store_open(&s, world_dir, mode, options, &why) < 0)
        fail_msg("%s", why.text);
    return s;
}

/* "com" 00 "o<owner>" 00 00 | tail */
static size_t world_key(unsigned owner, uint8_t key[64])
{
    size_t n = (size_t)snprintf((char *)key, 64, "com%co%06u%c%c", 0, owner, 0, 0);
    memcpy(key + n, "tail", 4);
    return n + 4;
}

/* A run of the owners with `owner % step == 0`, seen at `at`. */
static struct store_run world_run(unsigned step, uint64_t at, struct buffer *b, struct reference *ref)
{
    buffer_init(b, 1 << 24);
    for (unsigned owner = 0; owner < OWNERS; owner += step) {
        uint8_t key[64], value[30], *end = value;
        size_t len = world_key(owner, key);
        end = put_varint(put_varint(put_varint(end, at), 5), 1);
        uint8_t head[4] = { (uint8_t)len, 0, (uint8_t)(end - value), 0 };
        buffer_append(b, head, 4);
        buffer_append(b, key, len);
        buffer_append(b, value, (size_t)(end - value));
        if (ref == NULL)
            continue;
        ref->first[owner] = ref->count[owner] && ref->first[owner] < at ? ref->first[owner] : at;
        ref->last[owner] = ref->last[owner] > at + 5 ? ref->last[owner] : at + 5;
        ref->count[owner]++;
    }
    return (struct store_run){ b->ptr, b->len };
}

static int world_add(struct store *s, uint8_t kind, int64_t slot, unsigned step, struct reference *ref, struct fault *why)
{
    struct buffer b;
    struct store_run run = world_run(step, (uint64_t)slot, &b, ref);
    struct store_table t = { .kind = kind, .tier = TIER_SLOT, .slot = slot };
    int r = store_write_table(s, &t, &run, 1, why);
    buffer_release(&b);
    if (r < 0)
        return r;
    struct store_change change = { .add = &t, .n_add = 1, .watermark = slot + 60, .state = "state of things",
                                   .state_len = 15, .totals = "{\"packets\":1}" };
    r = store_commit(s, &change, why);
    if (r < 0)
        store_discard(s, &t, 1);
    return r;
}

/* 0 when every answer is the reference's, an error code when the store says so, 1 when it is wrong. */
static inline int world_compare(struct store *s, uint8_t kind, const struct reference *ref)
{
    struct fault why = { 0 };
    struct store_scan *scan;
    struct slice key, value;
    struct store_range range = { .kind = kind };
    uint64_t v[3];
    unsigned owner = 0;
    int r = store_scan_open(&scan, s, &range, &why);
    if (r < 0)
        return r;
    while ((r = store_scan_next(scan, &key, &value, &why)) == 0 && key.ptr) {
        uint8_t want[64];
        while (owner < OWNERS && ref->count[owner] == 0)
            owner++;
        size_t len = owner < OWNERS ? world_key(owner, want) : 0;
        if (owner == OWNERS || key.len != len || memcmp(key.ptr, want, len) || !kind_value(value, v) ||
            v[0] != ref->first[owner] || v[0] + v[1] != ref->last[owner] || v[2] != ref->count[owner]) {
            r = 1;
            break;
        }
        owner++;
    }
    store_scan_close(&scan);
    while (r == 0 && owner < OWNERS)
        r = ref->count[owner++] != 0;
    for (owner = 0; owner < OWNERS + 20 && r == 0; owner += 3) {
        uint8_t want[64];
        size_t len = world_key(owner, want);
        struct store_range exact = { .kind = kind, .exact = { want, len - 4 } };
        r = store_scan_open(&scan, s, &exact, &why);
        if (r < 0)
            return r;
        r = store_scan_next(scan, &key, &value, &why);
        if (r == 0 && (key.ptr != NULL) != (owner < OWNERS && ref->count[owner] != 0))
            r = 1;
        if (r == 0 && key.ptr && (!kind_value(value, v) || v[2] != ref->count[owner]))
            r = 1;
        store_scan_close(&scan);
    }
    return r;
}

static void print_damage(void *ctx, const char *line)
{
    if (ctx)
        print_message("%s\n", line);
}

static uint64_t world_fsck(bool print)
{
    uint64_t damages = 0;
    struct fault why = { 0 };
    if (store_fsck(world_dir, print_damage, print ? &damages : NULL, &damages, &why) < 0)
        fail_msg("%s", why.text);
    return damages;
}

static inline void world_merge_all(struct store *s)
{
    struct store_merge due[32];
    struct fault why = { 0 };
    for (size_t n; (n = store_due_merges(s, due, 32)) > 0;)
        for (size_t i = 0; i < n; i++)
            if (store_run_merge(s, &due[i], &why) < 0)
                fail_msg("%s", why.text);
}

#endif
