/* What is remembered of every name: the fold, its bytes, screening by it, and the file of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "detect/profiles.h"
#include "detect/screen.h"
#include "scratch.h"

enum { T = 475008 }; /* begins a day, and a period */

static struct activity *asked(unsigned queries, unsigned clients, enum activity_counter answer)
{
    static struct activity a;
    activity_init(&a, true);
    a.first = a.last = (uint64_t)T * 3600;
    a.counters[ACTIVITY_QUERIES] = queries;
    a.counters[answer] += queries;
    for (unsigned i = 0; i < clients; i++)
        activity_add_client(&a, i + 1, ACTIVITY_NO_SECOND);
    return &a;
}

static struct activity *with_name(struct activity *a, uint64_t hash)
{
    activity_add_name(a, (struct activity_name){ .hash = hash, .length = 3 });
    return a;
}

/* ---- the fold ---- */

static void hours_are_folded(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    profile_add(&p, T, asked(3, 2, ACTIVITY_NX_DOMAIN));
    assert_int_equal(p.first, T);
    assert_int_equal(p.last, T);
    assert_true(p.hours == 1 && p.days == 1 && p.queries == 3 && p.peak_clients == 2);
    assert_true(p.missing_first == T && p.missing_last == T && p.missing_hours == 1 && p.exists_first == 0);
    profile_add(&p, T + 5, asked(1, PROFILE_BROAD_CLIENTS, ACTIVITY_NOERROR));
    profile_add(&p, T + 6, asked(1, PROFILE_BROAD_CLIENTS + 1, ACTIVITY_NX_HOST)); /* the same day counts once */
    assert_true(p.broad_days == 1 && p.days == 1 && p.peak_clients == PROFILE_BROAD_CLIENTS + 1);
    assert_true(p.exists_first == T + 5 && p.exists_last == T + 6 && p.missing_hours == 1);
    profile_add(&p, T + 24, asked(1, PROFILE_BROAD_CLIENTS, ACTIVITY_NODATA));
    assert_true(p.broad_days == 2 && p.days == 2 && p.returned == 0);
    profile_add(&p, T + 24 + PROFILE_SILENCE, asked(1, 1, ACTIVITY_SERVFAIL));
    assert_true(p.returned == 0 && p.exists_last == T + 24 && p.days == 3);
    profile_add(&p, p.last + PROFILE_SILENCE + 1, asked(1, 1, ACTIVITY_SERVFAIL));
    assert_true(p.returned == p.last && p.silent_before == PROFILE_SILENCE + 1);
}

static void sub_names_are_news_once(void **state)
{
    struct profile p;
    (void)state;
    profile_init(&p);
    profile_add(&p, T, with_name(asked(1, 1, ACTIVITY_NOERROR), 0x1234));
    assert_int_equal(p.new_hosts_last, 0); /* in its first hour all is new */
    profile_add(&p, T + 1, with_name(asked(1, 1, ACTIVITY_NOERROR), 0x1234));
    assert_int_equal(p.new_hosts_last, 0);
    profile_add(&p, T + 2, with_name(asked(1, 1, ACTIVITY_NOERROR), 0x5678));
    assert_int_equal(p.new_hosts_last, T + 2);
    for (uint32_t i = 0; i < 128; i++)
        profile_add(&p, T + 3 + i, with_name(asked(1, 1, ACTIVITY_NOERROR), (uint64_t)(2 * i + 1) << 8 | 2 * i));
    assert_true(profile_filter_full(&p));
    uint32_t last = p.new_hosts_last;
    assert_true(last < p.last); /* full: nothing is news any more */
    profile_add(&p, p.last + 1, with_name(asked(1, 1, ACTIVITY_NOERROR), 0xfffe));
    assert_int_equal(p.new_hosts_last, last);
}

static void queries_stop_at_the_end(void **state)
{
    struct profile p;
    struct activity *a = asked(1, 1, ACTIVITY_NOERROR);
    (void)state;
    profile_init(&p);
    a->counters[ACTIVITY_QUERIES] = UINT64_MAX;
    profile_add(&p, T, a);
    profile_add(&p, T + 1, a);
    assert_true(p.queries == UINT64_MAX);
}

/* ---- bytes ---- */

static bool is_same(const struct profile *a, const struct profile *b)
{
    uint8_t x[PROFILE_VALUE_MAX], y[PROFILE_VALUE_MAX];
    struct buffer p, q;
    buffer_init(&p, PROFILE_VALUE_MAX);
    buffer_init(&q, PROFILE_VALUE_MAX);
    profile_put(a, &p);
    profile_put(b, &q);
    assert_false(p.failed || q.failed);
    size_t n = p.len, m = q.len;
    memcpy(x, p.ptr, n);
    memcpy(y, q.ptr, m);
    buffer_release(&p);
    buffer_release(&q);
    return n == m && memcmp(x, y, n) == 0;
}

static struct profile lived(unsigned seed)
{
    static const enum activity_counter answers[] = { ACTIVITY_NOERROR, ACTIVITY_NX_DOMAIN, ACTIVITY_SERVFAIL };
    struct profile p;
    profile_init(&p);
    uint32_t hour = T;
    for (unsigned i = 0; i < 200; i++) {
        seed = seed * 1103515245 + 12345;
        hour += 1 + (seed >> 16) % 7 * ((seed >> 20) % 5 == 0 ? 200 : 1);
        profile_add(&p, hour, with_name(asked(1 + seed % 9, seed >> 8 & 15, answers[seed >> 12 & 1]), seed >> 3));
    }
    p.candidate_last = seed & 1 ? hour : 0;
    return p;
}

static void bytes_and_back(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 40; seed++) {
        struct profile p = lived(seed), again;
        struct buffer b;
        buffer_init(&b, PROFILE_VALUE_MAX);
        profile_put(&p, &b);
        assert_true(profile_get((struct slice){ b.ptr, b.len }, &again));
        assert_true(is_same(&p, &again) && p.last == again.last && p.candidate_last == again.candidate_last);
        for (size_t len = 0; len < b.len; len++) /* nothing shorter */
            assert_false(profile_get((struct slice){ b.ptr, len }, &again));
        buffer_u8(&b, 0); /* nor longer */
        assert_false(profile_get((struct slice){ b.ptr, b.len }, &again));
        buffer_release(&b);
    }
}

static void hostile_bytes(void **state)
{
    static const struct {
        const char *what;
        unsigned field;
        uint64_t value;
    } rows[] = {
        { "first beyond 32 bits", 0, 1ull << 32 }, { "last beyond them", 1, UINT32_MAX },   { "returned beyond", 3, UINT32_MAX },
        { "hours", 4, 1ull << 32 },                { "exists", 9, 1ull << 33 },             { "broad_today", 16, 2 },
    };
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        uint64_t fields[17] = { T, 5, 0, 0, 3, 1, 0, 2, 7, 1, 2, 0, 0, 0, 0, 0, 0 };
        static const uint8_t filter[PROFILE_FILTER_BYTES];
        struct profile p;
        struct buffer b;
        fields[rows[r].field] = rows[r].value;
        buffer_init(&b, PROFILE_VALUE_MAX);
        for (size_t i = 0; i < 17; i++)
            buffer_varint(&b, fields[i]);
        buffer_append(&b, filter, sizeof filter);
        if (profile_get((struct slice){ b.ptr, b.len }, &p))
            fail_msg("%s was taken", rows[r].what);
        buffer_release(&b);
    }
}

/* ---- screening ---- */

static void who_is_worth_a_look(void **state)
{
    enum { DB = T, LATER = T + 100 * 24 }; /* the database's first hour; now */
    static const struct {
        const char *what;
        struct profile p;
        uint32_t hour, database;
        enum screen is;
        uint32_t carried;
    } rows[] = {
        { "one question", { .first = LATER, .last = LATER, .hours = 1, .queries = 1 }, LATER, DB, SCREEN_LITTLE },
        { "an hour of much in its names", { .first = LATER, .last = LATER, .hours = 1, .queries = 90 }, LATER, LATER, SCREEN_CANDIDATE, CHANNEL_BYTES },
        { "two hours, two questions", { .first = LATER - 1, .last = LATER, .hours = 2, .queries = 2 }, LATER, DB, SCREEN_LITTLE },
        { "new", { .first = LATER - 1, .last = LATER, .hours = 2, .queries = 3 }, LATER, DB, SCREEN_CANDIDATE },
        { "new when all was", { .first = DB + 5, .last = DB + 9, .hours = 4, .queries = 30 }, DB + 9, DB, SCREEN_YOUNG_DATABASE },
        { "of then, and young no more", { .first = DB + 5, .last = LATER, .hours = 40, .queries = 300 }, LATER, DB, SCREEN_ESTABLISHED },
        { "the hour learning ends", { .first = DB + SCREEN_LEARNING, .last = DB + SCREEN_LEARNING + 2, .hours = 3, .queries = 9 },
          DB + SCREEN_LEARNING + 2, DB, SCREEN_CANDIDATE },
        { "the last hour of youth", { .first = LATER - SCREEN_YOUNG + 1, .last = LATER, .hours = 9, .queries = 9 }, LATER, DB, SCREEN_CANDIDATE },
        { "and the next", { .first = LATER - SCREEN_YOUNG, .last = LATER, .hours = 9, .queries = 9 }, LATER, DB, SCREEN_ESTABLISHED },
        { "old and missing", { .first = DB + 99, .last = LATER, .hours = 9, .queries = 9, .missing_last = LATER }, LATER, DB, SCREEN_CANDIDATE },
        { "missing, but there since", { .first = DB + 99, .last = LATER, .hours = 9, .queries = 9, .missing_last = LATER - 2, .exists_last = LATER },
          LATER, DB, SCREEN_ESTABLISHED },
        { "missing two days ago", { .first = DB + 99, .last = LATER, .hours = 9, .queries = 9, .missing_last = LATER - 48 }, LATER, DB, SCREEN_ESTABLISHED },
        { "back after long", { .first = DB + 99, .last = LATER, .hours = 9, .queries = 9, .returned = LATER - 5 }, LATER, DB, SCREEN_CANDIDATE },
        { "a new host where hosts are known", { .first = DB + 99, .last = LATER, .hours = 9, .queries = 9, .new_hosts_last = LATER }, LATER, DB, SCREEN_CANDIDATE },
        { "popular", { .first = LATER - 200, .last = LATER, .hours = 90, .queries = 999, .broad_days = 7 }, LATER, DB, SCREEN_POPULAR },
        { "popular and gone", { .first = LATER - 200, .last = LATER, .hours = 90, .queries = 999, .broad_days = 7, .missing_last = LATER }, LATER, DB, SCREEN_CANDIDATE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (screen(&rows[i].p, rows[i].carried, rows[i].hour, rows[i].database) != rows[i].is)
            fail_msg("%s: %s", rows[i].what, screen_text(screen(&rows[i].p, rows[i].carried, rows[i].hour, rows[i].database)));
}

static struct slice key(const char *text, uint8_t bytes[NAME_KEY_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(text, strlen(text), wire);
    assert_true(n > 0);
    return (struct slice){ bytes, name_owner_key(wire, n, bytes) };
}

static void what_can_be_registered(void **state)
{
    static const char list[] = "example\nco.example\n";
    struct suffix_list *suffixes;
    uint8_t bytes[NAME_KEY_MAX];
    (void)state;
    assert_int_equal(suffix_parse(&suffixes, list, sizeof list - 1, NULL), 0);
    assert_true(screen_name(suffixes, key("name.example", bytes)));
    assert_true(screen_name(suffixes, key("name.co.example", bytes)));
    assert_false(screen_name(suffixes, key("co.example", bytes)));
    assert_false(screen_name(suffixes, key("example", bytes)));
    assert_false(screen_name(suffixes, key(".", bytes)));
    assert_false(screen_name(suffixes, key("printer.lan", bytes)));
    suffix_destroy(&suffixes);
}

/* ---- the file ---- */

static const char *const names[] = { ".", "a.example", "b.example", "z.test" };
enum { NAMES = sizeof names / sizeof names[0], HOURS = PROFILES_HOURS + 10 };

static uint64_t write_file(const char *path)
{
    static struct network_hour hours[HOURS];
    struct profiles_writer *w;
    struct fault why = { 0 };
    uint8_t bytes[NAME_KEY_MAX];
    uint64_t digest = 0;
    assert_int_equal(profiles_create(&w, path, T, T - 900, &why), 0);
    for (unsigned i = 0; i < NAMES; i++) {
        struct profile p = lived(i + 1);
        assert_int_equal(profiles_add(w, key(names[i], bytes), &p, &why), 0);
    }
    for (uint32_t i = 0; i < HOURS; i++)
        hours[i] = (struct network_hour){ .hour = T - HOURS + i, .domains = i, .clients = 2 * i, .queries = 3 * i };
    assert_int_equal(profiles_finish(&w, hours, HOURS, &digest, &why), 0);
    assert_null(w);
    return digest;
}

static void a_file_and_back(void **state)
{
    const struct network_hour *hours;
    struct profiles_reader *r;
    struct fault why = { 0 };
    struct slice owner;
    struct profile p;
    uint8_t bytes[NAME_KEY_MAX];
    const char *path = scratch_path("profiles.mtbl");
    (void)state;
    uint64_t digest = write_file(path);
    assert_int_equal(profiles_open(&r, path, digest, &why), 0);
    assert_true(profiles_period(r) == T && profiles_first(r) == T - 900);
    assert_int_equal(profiles_hours(r, &hours), PROFILES_HOURS); /* the last ones */
    for (uint32_t i = 0; i < PROFILES_HOURS; i++)
        assert_true(hours[i].hour == T - PROFILES_HOURS + i && hours[i].clients == 2 * (i + 10) && hours[i].queries == 3 * (i + 10));
    for (unsigned i = 0; i < NAMES; i++) {
        struct profile want = lived(i + 1);
        assert_int_equal(profiles_next(r, &owner, &p, &why), 0);
        assert_int_equal(slice_compare(owner, key(names[i], bytes)), 0);
        assert_true(is_same(&p, &want));
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(profiles_next(r, &owner, &p, &why), 0);
        assert_null(owner.ptr);
    }
    profiles_close(&r);
    assert_int_equal(profiles_open(&r, path, digest + 1, &why), E_CORRUPT); /* another file of the same name */
    assert_int_equal(profiles_open(&r, scratch_path("none"), digest, &why), E_ABSENT);
    assert_non_null(strstr(why.text, "--again"));
}

/* Any byte damaged: told, or the same is read. */
static void damage_is_told(void **state)
{
    static uint8_t whole[1 << 16], damaged[1 << 16];
    struct fault why = { 0 };
    char path[160];
    unsigned told = 0;
    (void)state;
    snprintf(path, sizeof path, "%s", scratch_path("profiles.mtbl"));
    uint64_t digest = write_file(path);
    FILE *f = fopen(path, "rb");
    size_t n = fread(whole, 1, sizeof whole, f);
    fclose(f);
    assert_true(n > 512 && n < sizeof whole);
    for (size_t at = 0; at < n; at += 1 + at % 7) {
        struct profiles_reader *r = NULL;
        struct slice owner = { whole, 1 };
        struct profile p;
        memcpy(damaged, whole, n);
        damaged[at] ^= (uint8_t)(1 << at % 8);
        const char *bad = scratch_file("bad.mtbl", damaged, n);
        int rc = profiles_open(&r, bad, digest, &why);
        for (unsigned i = 0; rc == 0 && owner.ptr != NULL; i++) {
            struct profile want = lived(i + 1);
            rc = profiles_next(r, &owner, &p, &why);
            if (rc == 0 && owner.ptr != NULL)
                assert_true(i < NAMES && is_same(&p, &want));
        }
        told += rc != 0;
        profiles_close(&r);
    }
    assert_true(told > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_folded),    cmocka_unit_test(sub_names_are_news_once), cmocka_unit_test(queries_stop_at_the_end),
        cmocka_unit_test(bytes_and_back),      cmocka_unit_test(hostile_bytes),           cmocka_unit_test(who_is_worth_a_look),
        cmocka_unit_test(what_can_be_registered), cmocka_unit_test(a_file_and_back),      cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
