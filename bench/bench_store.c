/* The store by itself: entries written and merged, look-ups present and absent over 60 tables. Prints JSON.
 *
 *     bench_store <empty folder> [entries a table, default 1000000]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/unit/store/kinds.h"
#include "store/store.h"

enum { TABLES = 60 };
static const int64_t START = 1700049600;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(int r, const struct fault *why)
{
    if (r >= 0)
        return;
    fprintf(stderr, "%s\n", why->text);
    exit(1);
}

/* About 30 bytes: "com" 00 "xxxxxxxx" 00 "yyyy" 00 00 | 5 bytes. */
static size_t make_key(uint64_t n, uint8_t key[64])
{
    return (size_t)sprintf((char *)key, "com%cd%08" PRIx64 "%cwww%02" PRIx64 "%c%c%c%c%c%c%c", 0, n >> 4, 0, n & 15, 0, 0, 0, 1, 10, 0, 1);
}

/* `entries` rising keys out of four times as many; tables share a quarter of theirs. */
static struct store_run make_run(uint64_t entries, unsigned table, struct buffer *b)
{
    uint64_t seed = table + 1;
    buffer_init(b, (size_t)1 << 32);
    for (uint64_t i = 0; i < entries; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint8_t key[64], value[30];
        size_t len = make_key(4 * i + (seed >> 62), key);
        uint8_t *end = put_varint(put_varint(put_varint(value, (uint64_t)START + 60 * table), 30), 3);
        uint8_t head[4] = { (uint8_t)len, 0, (uint8_t)(end - value), 0 };
        buffer_append(b, head, 4);
        buffer_append(b, key, len);
        buffer_append(b, value, (size_t)(end - value));
    }
    return (struct store_run){ b->ptr, b->len };
}

static double look_up(struct store *s, uint64_t entries, uint64_t n, bool present, uint64_t *ret_found)
{
    struct fault why;
    uint64_t seed = 99;
    double start = now();
    *ret_found = 0;
    for (uint64_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint8_t key[64];
        uint64_t id = (seed >> 20) % (4 * entries);
        size_t len = make_key(present ? id : id + (UINT64_C(1) << 34), key);
        struct store_range range = { .kind = KIND_RR, .exact = { key, len - 5 } };
        struct store_scan *scan;
        struct slice k, v;
        check(store_scan_open(&scan, s, &range, &why), &why);
        check(store_scan_next(scan, &k, &v, &why), &why);
        *ret_found += k.ptr != NULL;
        store_scan_close(&scan);
    }
    return (double)n / (now() - start);
}

int main(int argc, char **argv)
{
    uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, found, hits, bytes = 0;
    struct fault why;
    struct store *s;
    double writing = 0;
    if (argc < 2)
        return 2;
    check(store_open(&s, argv[1], STORE_WRITE, NULL, &why), &why);
    for (unsigned i = 0; i < TABLES; i++) {
        struct buffer b;
        struct store_run run = make_run(entries, i, &b);
        struct store_table t = { .kind = KIND_RR, .tier = TIER_SLOT, .slot = START + 60 * i };
        double start = now();
        check(store_write_table(s, &t, &run, 1, &why), &why);
        writing += now() - start;
        struct store_change change = { .add = &t, .n_add = 1, .watermark = START + 7200 };
        check(store_commit(s, &change, &why), &why);
        bytes += t.bytes;
        buffer_release(&b);
    }
    look_up(s, entries, 200000, true, &found); /* warm: filters verified, tables open */
    double absent = look_up(s, entries, 400000, false, &found);
    double few = look_up(s, entries, 20000, true, &hits);
    struct store_merge due[8];
    size_t n = store_due_merges(s, due, 8);
    double start = now();
    for (size_t i = 0; i < n && due[i].tier == TIER_HOUR; i++)
        check(store_run_merge(s, &due[i], &why), &why);
    double merging = now() - start;
    const struct store_table *t;
    store_tables(s, &t);
    look_up(s, entries, 20000, true, &hits);
    double one = look_up(s, entries, 100000, true, &hits);
    printf("{\"tables\": %d, \"entries_per_table\": %" PRIu64 ", \"write_per_s\": %.0f, \"bytes_per_entry\": %.2f, "
           "\"merge_in_per_s\": %.0f, \"merged_entries\": %" PRIu64 ", \"merged_bytes_per_entry\": %.2f, "
           "\"absent_per_s\": %.0f, \"absent_found\": %" PRIu64 ", \"present_in_15_of_60_per_s\": %.0f, "
           "\"present_in_1_per_s\": %.0f}\n",
           TABLES, entries, TABLES * (double)entries / writing, (double)bytes / TABLES / (double)entries,
           TABLES * (double)entries / merging, t[0].entries, (double)t[0].bytes / (double)t[0].entries, absent, found, few, one);
    store_close(&s);
    return 0;
}
