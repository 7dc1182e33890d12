/* Commits, scans, merges, retention, purge, full disks and crashes. */
#include "world.h"

#include <signal.h>

#include "store/inside.h"

static const int64_t NOON = 1700049600; /* 2023-11-15 12:00 */

static void test_round_trip(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference ref = { 0 };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL), *other;
    assert_int_equal(store_open(&other, world_dir, STORE_WRITE, NULL, &why), E_LOCKED);
    for (int i = 0; i < 10; i++)
        assert_int_equal(world_add(s, KIND_RR, NOON + 60 * i, (unsigned)(1 + i), &ref, &why), 0);
    struct store_move move = { .source = { .head = 7, .name = "a \xff%.pcap", .at = { 100, { ~UINT64_C(0), 2 } } } };
    struct store_change change = { .moves = &move, .n_moves = 1 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    move.from = move.source.at;
    move.source.at.offset = 200;
    assert_int_equal(store_commit(s, &change, &why), 0);
    uint8_t bit;
    assert_int_equal(store_sensor(s, "north", &bit, &why), 0);
    assert_int_equal(bit, 1);
    assert_int_equal(store_sensor(s, "south", &bit, &why), 0);
    assert_int_equal(bit, 2);
    for (int pass = 0; pass < 2; pass++) {
        const struct store_source *sources;
        const struct store_table *tables;
        assert_int_equal(store_sources(s, &sources), 1);
        assert_memory_equal(sources, &move.source, sizeof move.source);
        assert_int_equal(store_tables(s, &tables), 10);
        assert_int_equal(tables[3].from, NOON + 180);
        assert_int_equal(tables[3].to, NOON + 185);
        assert_string_equal(store_totals(s), "{\"packets\":1}");
        assert_string_equal(store_sensor_name(s, 2), "south");
        assert_int_equal(store_watermark(s), NOON + 600);
        struct buffer b;
        buffer_init(&b, 1000);
        assert_int_equal(store_state(s, &b, &why), 0);
        assert_int_equal(b.len, 15);
        buffer_release(&b);
        assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
        store_close(&s);
        assert_int_equal(world_fsck(true), 0);
        s = world_open(pass ? STORE_READ : STORE_WRITE, NULL);
    }
    store_close(&s);
    world_remove();
}

static const char *client_key_path(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/client.key", world_dir);
    return path;
}

static void put_client_key(const void *bytes, size_t len, mode_t mode)
{
    FILE *f = fopen(client_key_path(), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fchmod(fileno(f), mode), 0);
    assert_int_equal(fclose(f), 0);
}

/* Opened for writing: the key, or the code of what is wrong with it. */
static int ask_client_key(uint8_t key[STORE_CLIENT_KEY_BYTES])
{
    struct fault why = { 0 };
    struct store *s = world_open(STORE_WRITE, NULL);
    int r = store_client_key(s, key, &why);
    assert_int_equal(r == 0, why.text[0] == 0);
    assert_true(r == 0 || strstr(why.text, "client.key") != NULL);
    store_close(&s);
    return r;
}

static void test_client_key(void **state)
{
    (void)state;
    enum { LEN = 32 };
    uint8_t key[16], again[16], bytes[LEN + 1] = { 0 };
    struct stat st;
    struct fault why = { 0 };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    store_close(&s);
    assert_int_equal(access(client_key_path(), F_OK), -1); /* who makes no ids makes no key */
    mode_t mask = umask(0);
    assert_int_equal(ask_client_key(key), 0);
    umask(mask);
    assert_int_equal(stat(client_key_path(), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, LEN);
    ino_t inode = st.st_ino;
    for (int i = 0; i < 3; i++) { /* once */
        assert_int_equal(ask_client_key(again), 0);
        assert_memory_equal(again, key, sizeof key);
    }
    assert_int_equal(stat(client_key_path(), &st), 0);
    assert_int_equal(st.st_ino, inode);
    assert_int_equal(world_fsck(true), 0);

    FILE *f = fopen(client_key_path(), "rb");
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), LEN);
    fclose(f);
    assert_memory_equal(bytes, "DMCK\1\0\0\0", 8);
    assert_memory_equal(bytes + 8, key, sizeof key);
    for (size_t i = 0; i < LEN; i++) { /* any byte */
        bytes[i] ^= 4;
        put_client_key(bytes, LEN, 0600);
        assert_int_equal(ask_client_key(again), E_CORRUPT);
        assert_int_equal(world_fsck(false), 1);
        bytes[i] ^= 4;
    }
    put_client_key(bytes, LEN - 1, 0600);
    assert_int_equal(ask_client_key(again), E_CORRUPT);
    put_client_key(bytes, LEN + 1, 0600);
    assert_int_equal(ask_client_key(again), E_CORRUPT);
    assert_int_equal(unlink(client_key_path()), 0);
    assert_int_equal(ask_client_key(again), E_CORRUPT);
    assert_int_equal(access(client_key_path(), F_OK), -1); /* none is made in its place */
    assert_int_equal(world_fsck(false), 1);
    s = world_open(STORE_READ, NULL); /* readers do without */
    assert_int_not_equal(store_client_key(s, again, &why), 0);
    store_close(&s);
    put_client_key(bytes, LEN, 0600);
    assert_int_equal(ask_client_key(again), 0);
    assert_memory_equal(again, key, sizeof key);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* A key that no record names: a writer was killed in between, or somebody brought it. */
static void test_client_key_found(void **state)
{
    (void)state;
    uint8_t key[16], again[16], bytes[32];
    char tmp[136];
    world_new();
    assert_int_equal(ask_client_key(key), 0);
    FILE *f = fopen(client_key_path(), "rb");
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    store_close(&s);
    put_client_key(bytes, sizeof bytes, 0600);
    snprintf(tmp, sizeof tmp, "%s.tmp", client_key_path());
    assert_int_equal(link(client_key_path(), tmp), 0);
    assert_int_equal(ask_client_key(again), 0);
    assert_memory_equal(again, key, sizeof key);
    assert_int_equal(access(tmp, F_OK), -1);
    world_new();
    s = world_open(STORE_WRITE, NULL);
    store_close(&s);
    put_client_key("torn", 4, 0600);
    assert_int_equal(ask_client_key(again), E_CORRUPT);
    world_remove();
    assert_int_equal(ask_client_key(again), 0); /* another database, another key */
    assert_memory_not_equal(again, key, sizeof key);
    world_remove();
}

/* A file that grows, a step a run: one source, whose former places are few, the young ones all. */
static void test_growing_source(void **state)
{
    (void)state;
    enum { RUNS = 1000, CUTS = 2 };
    struct fault why = { 0 };
    const struct store_source *sources;
    const struct store_former *formers;
    struct store_move other = { .source = { .head = 8, .name = "other.pcap", .at = { 500, { 1, 2 } } } };
    struct store_move move = { .source = { .head = 7, .name = "grows.pcap" } };
    struct store_change change = { .moves = &other, .n_moves = 1 };
    struct stat st;
    char path[128];
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(store_commit(s, &change, &why), 0);
    change.moves = &move;
    for (uint64_t i = 1; i <= RUNS * CUTS; i++) {
        move.from = move.source.at;
        move.keep = i > 1 && i % CUTS == 1; /* the first cut of a run */
        move.source.at = (struct store_place){ 10 * i, { i, ~i } };
        assert_int_equal(store_commit(s, &change, &why), 0);
        if (i == CUTS * 10) /* a young file keeps all */
            assert_int_equal(store_formers(s, &formers), 9);
    }
    for (int pass = 0; pass < 3; pass++) { /* as applied, as rewritten, as read */
        assert_int_equal(store_sources(s, &sources), 2);
        assert_memory_equal(&sources[1], &move.source, sizeof move.source);
        size_t n = store_formers(s, &formers);
        assert_true(n <= FORMERS_MAX && n >= FORMERS_MAX / 2);
        assert_int_equal(formers[0].place.offset, 10 * CUTS);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(formers[i].source, 1);
        for (uint64_t i = 1; i <= FORMERS_MAX / 2; i++) {
            const struct store_place *place = &formers[n - (size_t)i].place;
            assert_int_equal(place->offset, 10 * CUTS * (RUNS - i));
            assert_int_equal(place->digest[0], CUTS * (RUNS - i));
        }
        store_close(&s);
        s = world_open(pass == 0 ? STORE_WRITE : STORE_READ, NULL);
    }
    snprintf(path, sizeof path, "%s/MANIFEST", world_dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 64 * FORMERS_MAX + 1024);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* Two sources that begin alike do not take each other's place, and a moved one keeps its formers apart. */
static void test_sources_alike(void **state)
{
    (void)state;
    struct fault why = { 0 };
    const struct store_source *sources;
    const struct store_former *formers;
    const struct store_place start = { 100, { 1, 1 } }, a = { 200, { 2, 2 } }, b = { 200, { 3, 3 } }, a2 = { 300, { 4, 4 } };
    const struct store_move moves[] = {
        { .source = { .at = start, .name = "a" } },
        { .source = { .at = a, .name = "a" }, .from = start, .keep = true },
        { .source = { .at = b, .name = "b" } },
        { .source = { .at = b, .name = "copy of b" } },
        { .source = { .at = a2, .name = "a" }, .from = a, .keep = true },
        { .source = { .at = start, .name = "-", .id = "tap" } },
        { .source = { .at = a, .name = "-", .id = "tap" } },
    };
    struct store_change change = { .moves = moves, .n_moves = sizeof moves / sizeof moves[0] };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(store_commit(s, &change, &why), 0);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(store_sources(s, &sources), 3);
        assert_int_equal(sources[0].at.offset, 300);
        assert_string_equal(sources[1].name, "copy of b");
        assert_int_equal(sources[2].at.offset, 200);
        assert_int_equal(store_formers(s, &formers), 2);
        assert_true(formers[0].source == 0 && formers[0].place.offset == 100);
        assert_true(formers[1].source == 0 && formers[1].place.offset == 200);
        store_close(&s);
        s = world_open(STORE_WRITE, NULL);
    }
    store_close(&s);
    world_remove();
}

/* Commits of a long-lived writer: the file is written anew before it is much over its bound. */
static void test_manifest_stays_short(void **state)
{
    (void)state;
    enum { TOTALS = 200 << 10, COMMITS = 60 };
    struct fault why = { 0 };
    struct reference ref = { 0 };
    struct stat st;
    char path[128], *totals = malloc(TOTALS + 1);
    off_t longest = 0;
    unsigned shorter = 0;
    memset(totals, 'x', TOTALS);
    memcpy(totals, "{\"a\":\"", 6);
    memcpy(totals + TOTALS - 2, "\"}", 3);
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL), *reader = world_open(STORE_READ, NULL);
    assert_int_equal(world_add(s, KIND_RR, NOON, 1, &ref, &why), 0);
    snprintf(path, sizeof path, "%s/MANIFEST", world_dir);
    for (unsigned i = 0; i < COMMITS; i++) {
        struct store_change change = { .totals = totals, .watermark = NOON + 3600 + i };
        off_t before = stat(path, &st) == 0 ? st.st_size : 0;
        assert_int_equal(store_commit(s, &change, &why), 0);
        assert_int_equal(stat(path, &st), 0);
        shorter += st.st_size < before;
        longest = st.st_size > longest ? st.st_size : longest;
        assert_int_equal(store_refresh(reader, &why), 0);
        assert_int_equal(store_watermark(reader), NOON + 3600 + i);
    }
    assert_true(shorter >= 2 && longest < (4 << 20) + 2 * TOTALS);
    assert_int_equal(world_compare(reader, KIND_RR, &ref), 0);
    store_close(&reader);
    store_close(&s);
    free(totals);
    world_remove();
}

static int take_three(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    unsigned *n = ctx;
    (void)key, (void)value, (void)why;
    return ++*n == 3 ? 7 : 0;
}

static void test_scan_each_stops(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference ref = { 0 };
    struct store_range range = { .kind = KIND_RR }, none = { .kind = KIND_NAME };
    unsigned n = 0;
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(world_add(s, KIND_RR, NOON, 1, &ref, &why), 0);
    assert_int_equal(store_scan_each(s, &range, take_three, &n, &why), 7);
    assert_int_equal(n, 3);
    assert_int_equal(store_scan_each(s, &range, take_three, &n, &why), 0);
    assert_int_equal(n, 3 + OWNERS);
    assert_int_equal(store_scan_each(s, &none, take_three, &n, &why), 0);
    assert_int_equal(n, 3 + OWNERS);
    store_close(&s);
    world_remove();
}

static void test_merges(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference rr = { 0 }, name = { 0 };
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL), *reader = world_open(STORE_READ, NULL);
    const struct store_table *t;
    for (int64_t hour = 0; hour < 60; hour++)
        for (int64_t i = 0; i < 3; i++) {
            assert_int_equal(world_add(s, KIND_RR, NOON + 3600 * hour + 60 * i, (unsigned)(1 + (hour + i) % 7), &rr, &why), 0);
            assert_int_equal(world_add(s, KIND_NAME, NOON + 3600 * hour + 60 * i, 2, &name, &why), 0);
            if (hour == 30)
                world_merge_all(s);
        }
    assert_int_equal(store_refresh(reader, &why), 0);
    world_merge_all(s);
    assert_int_equal(world_compare(s, KIND_RR, &rr), 0);
    /* The reader's snapshot names tables that are gone: it must find the way. */
    assert_int_equal(world_compare(reader, KIND_RR, &rr), 0);
    /* Late data for a merged hour, and the month closes. */
    assert_int_equal(world_add(s, KIND_RR, NOON + 120, 5, &rr, &why), 0);
    struct store_change change = { .watermark = NOON + 40 * 86400 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    world_merge_all(s);
    assert_int_equal(store_tables(s, &t), 2);
    assert_int_equal(t[0].tier, TIER_MONTH);
    assert_int_equal(t[0].slot, 1698796800); /* 2023-11-01 */
    assert_int_equal(world_compare(s, KIND_RR, &rr), 0);
    assert_int_equal(world_compare(s, KIND_NAME, &name), 0);
    assert_int_equal(store_refresh(reader, &why), 0);
    assert_int_equal(world_compare(reader, KIND_NAME, &name), 0);
    store_close(&reader);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    /* Retention drops the month, but names stay. */
    struct store_options options = { .keep_s = { [KIND_RR][TIER_MONTH] = 86400, [KIND_NAME][TIER_MONTH] = 86400 } };
    struct store_expired done;
    s = world_open(STORE_WRITE, &options);
    assert_int_equal(store_expire(s, NOON + 30 * 86400, &done, &why), 0);
    assert_int_equal(done.dropped, 1);
    assert_int_equal(world_compare(s, KIND_NAME, &name), 0);
    store_close(&s);
    world_remove();
}

static struct stat file_of(uint64_t id, const char *kind_and_tier)
{
    char path[192];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s-%016llx.mtbl", world_dir, kind_and_tier, (unsigned long long)id);
    if (stat(path, &st) < 0)
        fail_msg("%s", path);
    return st;
}

/* An hour of one slot is that table under another name; a day is compressed in another way. */
static void test_merge_of_one(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference ref = { 0 };
    const struct store_table *t;
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL), *reader = world_open(STORE_READ, NULL);
    assert_int_equal(world_add(s, KIND_RR, NOON, 1, &ref, &why), 0);
    assert_int_equal(store_refresh(reader, &why), 0);
    assert_int_equal(store_tables(s, &t), 1);
    struct store_table slot = t[0];
    struct stat before = file_of(slot.id, "rr-slot");
    struct store_change change = { .watermark = NOON + 3601 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    world_merge_all(s);
    assert_int_equal(store_tables(s, &t), 1);
    struct store_table hour = t[0];
    assert_int_equal(hour.tier, TIER_HOUR);
    assert_int_equal(hour.slot, NOON / 3600 * 3600);
    assert_true(hour.from == slot.from && hour.to == slot.to && hour.entries == slot.entries);
    struct stat after = file_of(hour.id, "rr-hour");
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(after.st_nlink, 1);
    assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
    assert_int_equal(world_compare(reader, KIND_RR, &ref), 0);
    change.watermark = NOON + 86401;
    assert_int_equal(store_commit(s, &change, &why), 0);
    world_merge_all(s);
    assert_int_equal(store_tables(s, &t), 1);
    assert_int_equal(t[0].tier, TIER_DAY);
    assert_true(file_of(t[0].id, "rr-day").st_ino != after.st_ino);
    assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
    store_close(&reader);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* Each kind has its own ages, of which a table's tier decides; those without stay. */
static void test_retention(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference refs[KINDS] = { 0 };
    struct store_options options = { .keep_s = { [KIND_RR][TIER_SLOT] = 20 * 86400, [KIND_RR][TIER_MONTH] = 86400,
                                                 [KIND_HOST][TIER_SLOT] = 9 * 86400 } };
    struct store_expired done;
    const struct store_table *t;
    world_new();
    struct store *s = world_open(STORE_WRITE, &options);
    for (uint8_t kind = 0; kind < KINDS; kind++)
        assert_int_equal(world_add(s, kind, NOON, 1, &refs[kind], &why), 0);
    assert_int_equal(store_expire(s, NOON + 9 * 86400, &done, &why), 0);
    assert_int_equal(done.dropped, 0);
    assert_int_equal(store_expire(s, NOON + 10 * 86400, &done, &why), 0);
    assert_int_equal(done.dropped, 1);
    assert_int_equal(done.made, 1);
    assert_int_equal(store_tables(s, &t), KINDS);
    for (uint8_t kind = 0; kind < KINDS; kind++)
        if (kind != KIND_HOST && kind != KIND_HOST_DAY)
            assert_int_equal(world_compare(s, kind, &refs[kind]), 0);
    assert_int_equal(store_expire(s, NOON + 1000 * 86400, &done, &why), 0);
    assert_int_equal(done.dropped, 1);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* A table of hosts in which each of `n` owners has an entry a tail. */
static void add_hosts(struct store *s, enum store_tier tier, int64_t slot, unsigned n, const char *const tails[2])
{
    struct fault why = { 0 };
    struct buffer b;
    buffer_init(&b, 1 << 24);
    for (unsigned owner = 0; owner < n; owner++)
        for (unsigned i = 0; i < 2; i++) {
            uint8_t key[64], value[30], *end = put_varint(put_varint(put_varint(value, (uint64_t)slot + i), 0), 1);
            size_t len = world_key(owner, key);
            memcpy(key + len - 4, tails[i], 4);
            uint8_t head[4] = { (uint8_t)len, 0, (uint8_t)(end - value), 0 };
            buffer_append(&b, head, 4);
            buffer_append(&b, key, len);
            buffer_append(&b, value, (size_t)(end - value));
        }
    struct store_run run = { b.ptr, b.len };
    struct store_table t = { .kind = KIND_HOST, .tier = (uint8_t)tier, .slot = slot };
    assert_int_equal(store_write_table(s, &t, &run, 1, &why), 0);
    struct store_change change = { .add = &t, .n_add = 1 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    buffer_release(&b);
}

/* Owners in rising order, each with one entry of these sums. */
struct rests {
    unsigned n;
    uint64_t first, last, count;
};

static int see_rest(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    const struct rests *want = ctx;
    uint8_t expected[64];
    uint64_t v[3];
    (void)why;
    size_t len = world_key(((struct rests *)ctx)->n++, expected);
    memcpy(expected + len - 4, "rest", 4);
    assert_int_equal(key.len, len);
    assert_memory_equal(key.ptr, expected, len);
    assert_true(kind_value(value, v));
    assert_int_equal(v[0], want->first);
    assert_int_equal(v[0] + v[1], want->last);
    assert_int_equal(v[2], want->count);
    return 0;
}

static void expect_rests(struct store *s, struct rests want, unsigned n)
{
    struct fault why = { 0 };
    struct store_range range = { .kind = KIND_HOST_DAY };
    assert_int_equal(store_scan_each(s, &range, see_rest, &want, &why), 0);
    assert_int_equal(want.n, n);
}

/* What is dropped leaves its rest: a month in one table, whatever the tables were; late ones add to it; the rest has its own age. */
static void test_rests(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    static const char *const early[] = { "t0:1", "t0:2" }, *const late[] = { "t0:2", "t0:3" };
    struct fault why = { 0 };
    struct store_options options = { .keep_s = { [KIND_HOST_DAY][TIER_MONTH] = 100 * DAY } };
    struct store_expired done;
    const struct store_table *t;
    for (int tier = 0; tier < TIERS; tier++)
        options.keep_s[KIND_HOST][tier] = 10 * DAY;
    world_new();
    struct store *s = world_open(STORE_WRITE, &options), *reader = world_open(STORE_READ, NULL);
    int64_t month = period_start(TIER_MONTH, NOON), end = period_end(TIER_MONTH, NOON);
    add_hosts(s, TIER_DAY, month, 100, early);
    add_hosts(s, TIER_SLOT, month + DAY, 100, late);
    add_hosts(s, TIER_SLOT, end, 7, early); /* of the next month */
    assert_int_equal(store_expire(s, end + 9 * DAY, &done, &why), 0);
    assert_int_equal(done.dropped, 2);
    assert_int_equal(done.made, 1);
    expect_rests(s, (struct rests){ .first = (uint64_t)month, .last = (uint64_t)month + DAY + 1, .count = 4 }, 100);
    assert_int_equal(store_tables(s, &t), 2);
    add_hosts(s, TIER_SLOT, month + 2 * DAY, 100, early);
    assert_int_equal(store_expire(s, end + 9 * DAY, &done, &why), 0);
    assert_int_equal(done.dropped, 1);
    assert_int_equal(store_refresh(reader, &why), 0);
    expect_rests(reader, (struct rests){ .first = (uint64_t)month, .last = (uint64_t)month + 2 * DAY + 1, .count = 6 }, 100);
    assert_int_equal(world_fsck(true), 0);
    assert_int_equal(store_expire(s, end + 101 * DAY, &done, &why), 0); /* of the next month something is left */
    assert_int_equal(done.dropped, 3);
    assert_int_equal(done.made, 1);
    expect_rests(s, (struct rests){ .first = (uint64_t)end, .last = (uint64_t)end + 1, .count = 2 }, 7);
    add_hosts(s, TIER_SLOT, month, 5, early);
    assert_int_equal(store_expire(s, end + 1000 * DAY, &done, &why), 0); /* too old even for that */
    assert_int_equal(done.made, 0);
    assert_int_equal(store_tables(s, &t), 0);
    assert_int_equal(store_expire(reader, end, &done, &why), E_USAGE);
    store_close(&reader);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* Data of much later in a table: it is as old as those. */
static void test_retention_of_long_tables(void **state)
{
    (void)state;
    enum { DAY = 86400 };
    struct fault why = { 0 };
    struct reference ref = { 0 };
    struct buffer bytes;
    struct store_options options = { .keep_s = { [KIND_RR][TIER_SLOT] = 2 * DAY } };
    struct store_expired done;
    world_new();
    struct store *s = world_open(STORE_WRITE, &options);
    struct store_run run = world_run(1, NOON + 30 * DAY, &bytes, &ref);
    struct store_table t = { .kind = KIND_RR, .tier = TIER_SLOT, .slot = NOON };
    assert_int_equal(store_write_table(s, &t, &run, 1, &why), 0);
    buffer_release(&bytes);
    struct store_change change = { .add = &t, .n_add = 1, .watermark = NOON + 31 * DAY };
    assert_int_equal(store_commit(s, &change, &why), 0);
    assert_int_equal(store_expire(s, NOON + 31 * DAY, &done, &why), 0);
    assert_int_equal(done.dropped, 0);
    assert_int_equal(store_expire(s, NOON + 33 * DAY, &done, &why), 0);
    assert_int_equal(done.dropped, 1);
    store_close(&s);
    world_remove();
}

/* One slot of `n` keys, every `step`-th from `first` on, each seen once. */
static void add_keys(struct store *s, int64_t slot, unsigned first, unsigned n, unsigned step)
{
    struct fault why = { 0 };
    struct buffer b;
    buffer_init(&b, 1 << 24);
    for (unsigned i = 0; i < n; i++) {
        uint8_t key[64], value[30];
        uint8_t *end = put_varint(put_varint(put_varint(value, (uint64_t)slot), 5), 1);
        size_t len = (size_t)snprintf((char *)key, sizeof key, "com%c%06u%c%c", 0, first + i * step, 0, 0);
        uint8_t head[4] = { (uint8_t)len, 0, (uint8_t)(end - value), 0 };
        buffer_append(&b, head, 4);
        buffer_append(&b, key, len);
        buffer_append(&b, value, (size_t)(end - value));
    }
    struct store_run run = { b.ptr, b.len };
    struct store_table t = { .kind = KIND_RR, .tier = TIER_SLOT, .slot = slot };
    assert_int_equal(store_write_table(s, &t, &run, 1, &why), 0);
    struct store_change change = { .add = &t, .n_add = 1 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    buffer_release(&b);
}

static int sum_counts(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    uint64_t v[3], *sums = ctx;
    (void)key, (void)why;
    sums[0]++;
    sums[1] += kind_value(value, v) ? v[2] : 0;
    return 0;
}

/* Bytes of the tables whose ids are at least `id`. */
static uint64_t bytes_since(const struct store *s, uint64_t id)
{
    const struct store_table *t;
    uint64_t bytes = 0;
    for (size_t i = store_tables(s, &t); i-- > 0;)
        bytes += t[i].id >= id ? t[i].bytes : 0;
    return bytes;
}

/* Late slots for a day that was merged: each goes up in small tables of its own; the large one is
 * written again when what came late is a share of it, so that writing stays in proportion. */
static void test_late_slots(void **state)
{
    (void)state;
    enum { DAY_KEYS = 40000, LATE = 200, LATE_KEYS = 400 };
    const int64_t day = NOON - NOON % 86400;
    struct fault why = { 0 };
    const struct store_table *t;
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    add_keys(s, NOON, 0, DAY_KEYS, 1);
    struct store_change change = { .watermark = day + 86400 };
    assert_int_equal(store_commit(s, &change, &why), 0);
    world_merge_all(s);
    assert_int_equal(store_tables(s, &t), 1);
    const uint64_t large = t[0].id, large_bytes = t[0].bytes;
    uint64_t written = 0, came = 0, most = 0, times = 0;
    for (unsigned i = 0; i < LATE; i++) {
        uint64_t next = store_new_id(s);
        add_keys(s, day + i * 400, i % 100, LATE_KEYS, 100);
        came += bytes_since(s, next);
        next = store_new_id(s);
        world_merge_all(s);
        size_t n = store_tables(s, &t);
        most = n > most ? n : most;
        times += t[0].id != large && t[0].id >= next;
        written += bytes_since(s, next);
        assert_int_equal(t[0].tier, TIER_DAY);
        assert_true(i > 0 || (n == 2 && t[0].id == large));
    }
    uint64_t sums[2] = { 0 };
    struct store_range range = { .kind = KIND_RR };
    assert_int_equal(store_scan_each(s, &range, sum_counts, sums, &why), 0);
    assert_int_equal(sums[0], DAY_KEYS);
    assert_int_equal(sums[1], DAY_KEYS + LATE * LATE_KEYS);
    print_message("# late: %.1f times the day came, at most %u tables, the day written %u times, %.1f bytes a byte\n",
                  (double)came / (double)large_bytes, (unsigned)most, (unsigned)times, (double)written / (double)came);
    assert_true(most <= 6 && times <= 8 && written < 8 * came);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

static void test_purge(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference ref = { 0 };
    uint64_t removed;
    uint8_t key[64];
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(world_add(s, KIND_RR, NOON + 60 * i, 1, &ref, &why), 0);
    size_t len = world_key(17, key);
    assert_int_equal(store_purge(s, (struct slice){ key, len - 4 }, false, &removed, &why), 0);
    assert_int_equal(removed, 5);
    ref.count[17] = 0;
    assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    s = world_open(STORE_WRITE, NULL);
    assert_int_equal(store_purge(s, (struct slice){ (const uint8_t *)"com\0", 5 }, true, &removed, &why), 0);
    assert_int_equal(removed, 5 * (OWNERS - 1));
    const struct store_table *t;
    assert_int_equal(store_tables(s, &t), 0);
    store_close(&s);
    assert_int_equal(world_fsck(true), 0);
    world_remove();
}

/* Every limit on file size, until the work fits: each failure leaves an intact, usable database. */
static void test_full_disk(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct reference ref = { 0 };
    struct rlimit old, limit;
    unsigned failures = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    world_new();
    struct store *s = world_open(STORE_WRITE, NULL);
    assert_int_equal(world_add(s, KIND_RR, NOON, 1, &ref, &why), 0);
    for (rlim_t bytes = 0; bytes < 16384; bytes += 97) {
        struct reference next = ref;
        limit = (struct rlimit){ bytes, old.rlim_max };
        setrlimit(RLIMIT_FSIZE, &limit);
        int r = world_add(s, KIND_RR, NOON + 60, 3, &next, &why);
        setrlimit(RLIMIT_FSIZE, &old);
        if (r == 0)
            ref = next;
        failures += r < 0;
        assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
        assert_int_equal(world_fsck(true), 0);
    }
    assert_true(failures > 10);
    assert_int_equal(world_add(s, KIND_RR, NOON + 120, 2, &ref, &why), 0);
    store_close(&s);
    s = world_open(STORE_READ, NULL);
    assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
    store_close(&s);
    world_remove();
}

static const char *die_at;
static void die(const char *name)
{
    if (strcmp(name, die_at) == 0)
        _exit(7);
}

static size_t count_files(void)
{
    size_t files = 0;
    DIR *d = opendir(world_dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        files += strstr(e->d_name, ".mtbl") != NULL;
    closedir(d);
    return files;
}

static void test_crashes(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        bool done;
    } rows[] = { { "commit", false }, { "state", false }, { "append", false }, { "appended", true }, { "unlinked", true } };
    struct fault why = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct reference ref = { 0 };
        world_new();
        struct store *s = world_open(STORE_WRITE, NULL);
        for (int k = 0; k < 3; k++)
            assert_int_equal(world_add(s, KIND_RR, NOON + 60 * k, 1, &ref, &why), 0);
        store_close(&s);
        for (int merging = 0; merging < 2; merging++) {
            struct reference next = ref;
            struct buffer unused;
            world_run(2, (uint64_t)NOON + 240, &unused, &next);
            buffer_release(&unused);
            fflush(NULL);
            pid_t pid = fork();
            if (pid == 0) {
                struct store_options options = { .step = die };
                die_at = merging ? "" : rows[i].step;
                s = world_open(STORE_WRITE, &options);
                int r = merging ? 0 : world_add(s, KIND_RR, NOON + 240, 2, NULL, &why);
                if (r == 0 && merging) {
                    struct store_change change = { .watermark = NOON + 7200 };
                    r = store_commit(s, &change, &why);
                    die_at = rows[i].step;
                    world_merge_all(s);
                }
                _exit(1);
            }
            int status;
            waitpid(pid, &status, 0);
            assert_int_equal(WEXITSTATUS(status), 7);
            if (!merging && rows[i].done)
                ref = next;
            assert_int_equal(world_fsck(true), 0);
            s = world_open(STORE_WRITE, NULL);
            assert_int_equal(world_compare(s, KIND_RR, &ref), 0);
            const struct store_table *t;
            size_t n = store_tables(s, &t);
            assert_int_equal(count_files(), 2 * n);
            store_close(&s);
        }
        world_remove();
    }
}

/* Dying while days are made of hours: there are either these or those, and no files that nobody names. */
static void test_crashes_of_retention(void **state)
{
    (void)state;
    static const char *const tails[] = { "t0:1", "t0:2" };
    static const struct {
        const char *step;
        bool done;
    } rows[] = { { "commit", false }, { "append", false }, { "appended", true }, { "unlinked", true } };
    struct store_options options = { .keep_s = { [KIND_HOST][TIER_SLOT] = 86400 }, .step = die };
    struct fault why = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_new();
        struct store *s = world_open(STORE_WRITE, NULL);
        add_hosts(s, TIER_SLOT, NOON, 50, tails);
        add_hosts(s, TIER_SLOT, NOON + 60, 50, tails);
        store_close(&s);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            die_at = "";
            s = world_open(STORE_WRITE, &options);
            die_at = rows[i].step;
            _exit(store_expire(s, NOON + 10 * 86400, NULL, &why) ? 2 : 1);
        }
        int status;
        waitpid(pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), 7);
        assert_int_equal(world_fsck(true), 0);
        s = world_open(STORE_WRITE, NULL);
        expect_rests(s, (struct rests){ .first = NOON, .last = NOON + 61, .count = 4 }, rows[i].done ? 50 : 0);
        const struct store_table *t;
        size_t n = store_tables(s, &t);
        assert_int_equal(n, rows[i].done ? 1 : 2);
        assert_int_equal(count_files(), 2 * n);
        store_close(&s);
        world_remove();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_client_key), cmocka_unit_test(test_client_key_found),
        cmocka_unit_test(test_growing_source), cmocka_unit_test(test_sources_alike),
        cmocka_unit_test(test_manifest_stays_short), cmocka_unit_test(test_scan_each_stops), cmocka_unit_test(test_merges),
        cmocka_unit_test(test_merge_of_one), cmocka_unit_test(test_retention), cmocka_unit_test(test_retention_of_long_tables),
        cmocka_unit_test(test_rests), cmocka_unit_test(test_late_slots),
        cmocka_unit_test(test_purge),      cmocka_unit_test(test_full_disk),       cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_crashes_of_retention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
