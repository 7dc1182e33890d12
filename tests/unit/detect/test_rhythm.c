/* Rhythm: beats that programs have are told, what people and caches make is not; figures for src/detect/rhythm/note.md.
 *
 * The argument is the number of series made for the rate of false alarms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "detect/beat.h"
#include "detect/steady.h"
#include "synthetic.h"

enum { WATCHED_DAYS = 30, END = SYNTHETIC_EPOCH + 24 * WATCHED_DAYS, SESSION_MAX_S = 4 * 3600 /* then people sleep, eat, go out */ };

static struct synthetic w;
static unsigned rounds = 2000;

/* ---- programs ---- */

struct program {
    const char *what;
    unsigned clients;
    double period_s, jitter, missed;
    unsigned hours;
    double retries;  /* chance of asks again 1 and 60 seconds later */
    double restarts; /* chance of beginning anew at any part of the period */
    bool office;     /* machines that are on from 8 to 17 */
    bool cron;       /* jitter about a fixed grid */
};

static void run_program(const struct program *p, unsigned client)
{
    double from = (END - (double)p->hours) * 3600, base = from + p->period_s * synthetic_uniform(&w);
    while (base < END * 3600.0) {
        double at = base + (p->cron ? p->period_s * p->jitter * synthetic_uniform(&w) : 0);
        unsigned hour = (unsigned)(at / 3600) % 24;
        if (synthetic_uniform(&w) >= p->missed && (!p->office || (hour >= 8 && hour < 17)) && at < END * 3600.0) {
            synthetic_ask(&w, client, at);
            if (synthetic_uniform(&w) < p->retries) {
                synthetic_ask(&w, client, at + 1);
                synthetic_ask(&w, client, at + 60);
            }
        }
        base += p->period_s * (1 + (p->cron ? 0 : p->jitter * (2 * synthetic_uniform(&w) - 1)));
        if (synthetic_uniform(&w) < p->restarts)
            base -= p->period_s * synthetic_uniform(&w) * 0.9;
    }
}

static struct beat program_beat(const struct program *p, uint32_t ttl_s)
{
    synthetic_begin(&w, "beacon.example", WATCHED_DAYS, END - p->hours);
    for (unsigned i = 0; i < p->clients; i++)
        run_program(p, i);
    synthetic_end(&w, END - 1);
    return beat_find(&w.s, ttl_s);
}

static bool told(const struct beat *b)
{
    return b->sustained && b->nats >= 6;
}

/* How often of 100 a beat of six nats is told: `known` with the TTL known as 300 s, `unknown` without it. */
static void test_programs(void **state)
{
    (void)state;
    static const struct {
        struct program program;
        unsigned known, unknown; /* at least */
    } rows[] = {
        { { .what = "slow beacon, a day", .clients = 3, .period_s = 3600, .jitter = 0.2, .hours = 24 }, 100, 95 },
        { { .what = "slow beacon, two days", .clients = 3, .period_s = 3600, .jitter = 0.2, .hours = 48 }, 100, 99 },
        { { .what = "much jitter, missed beats", .clients = 3, .period_s = 3600, .jitter = 0.3, .missed = 0.1, .hours = 48 }, 99, 80 },
        { { .what = "one client", .clients = 1, .period_s = 3600, .jitter = 0.2, .missed = 0.1, .hours = 48 }, 99, 60 },
        { { .what = "four hours", .clients = 3, .period_s = 14400, .jitter = 0.2, .hours = 48 }, 95, 40 },
        { { .what = "six hours", .clients = 5, .period_s = 21600, .jitter = 0.2, .hours = 48 }, 99, 50 },
        { { .what = "seven minutes", .clients = 1, .period_s = 420, .jitter = 0.1, .hours = 24 }, 99, 60 },
        { { .what = "retries", .clients = 3, .period_s = 3600, .jitter = 0.2, .missed = 0.1, .retries = 0.4, .hours = 48 }, 99, 90 },
        { { .what = "restarts", .clients = 3, .period_s = 3600, .jitter = 0.1, .restarts = 0.1, .hours = 48 }, 99, 90 },
        { { .what = "machines off at night", .clients = 3, .period_s = 1800, .jitter = 0.2, .office = true, .hours = 72 }, 99, 70 },
        { { .what = "a fixed grid", .clients = 3, .period_s = 3600, .jitter = 0.1, .cron = true, .hours = 24 }, 100, 95 },
        { { .what = "to the second", .clients = 2, .period_s = 1800, .jitter = 0, .hours = 24 }, 100, 100 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned known = 0, unknown = 0, right = 0;
        for (unsigned n = 0; n < 100; n++) {
            struct beat a = program_beat(&rows[i].program, 300);
            right += fabs(a.period_s / rows[i].program.period_s - 1) < 0.15;
            known += told(&a);
            a = program_beat(&rows[i].program, 0);
            unknown += told(&a);
        }
        print_message("# %-40s TTL known %3u, unknown %3u of 100; period right %u\n", rows[i].program.what, known, unknown, right);
        assert_true(known >= rows[i].known && unknown >= rows[i].unknown);
        assert_true(right >= 95);
    }
}

/* Beats that others than programs have. */
static void test_not_told(void **state)
{
    (void)state;
    static const struct {
        struct program program;
        uint32_t ttl_s;
    } rows[] = {
        { { .what = "the TTL", .clients = 3, .period_s = 300, .jitter = 0.02, .hours = 48 }, 300 },
        { { .what = "the TTL, of a cache that fetches ahead", .clients = 3, .period_s = 540, .jitter = 0.02, .hours = 48 }, 600 },
        { { .what = "soon after the TTL", .clients = 3, .period_s = 3700, .jitter = 0.02, .hours = 48 }, 3600 },
        { { .what = "once a day: as people do", .clients = 3, .period_s = 86400, .jitter = 0.05, .hours = 300 }, 0 },
        { { .what = "every minute: as caches of browsers do", .clients = 3, .period_s = 60, .jitter = 0.1, .hours = 24 }, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned n_told = 0;
        for (unsigned n = 0; n < 100; n++) {
            struct beat b = program_beat(&rows[i].program, rows[i].ttl_s);
            n_told += told(&b);
        }
        print_message("# %-40s told %u of 100\n", rows[i].program.what, n_told);
        assert_true(n_told <= 1);
    }
}

/* ---- people ---- */

struct people {
    unsigned clients, days;
    double sessions_a_day, asks_a_session; /* means */
    double gap_s, gap_spread;              /* log-normal in a session */
    double ttl_s;                          /* of a cache before us; browsers keep names for a minute at least */
};

static double log_uniform(double from, double to)
{
    return from * exp(log(to / from) * synthetic_uniform(&w));
}

static void session(const struct people *p, unsigned client, double at, double *cached_until)
{
    unsigned asks = 1 + (unsigned)(-log(1 - synthetic_uniform(&w)) * p->asks_a_session);
    double end = fmin(END * 3600.0, at + SESSION_MAX_S);
    for (unsigned i = 0; i < asks && at < end; i++) {
        if (at >= *cached_until) {
            synthetic_ask(&w, client, at);
            *cached_until = at + fmax(60, p->ttl_s);
        }
        at += p->gap_s * exp(p->gap_spread * synthetic_normal(&w));
    }
}

/* Sessions come as the network is awake; what it does at night is mostly machines. */
static void live(const struct people *p, unsigned client)
{
    double at = (END - 24.0 * p->days) * 3600, cached_until = 0;
    for (;;) {
        at -= log(1 - synthetic_uniform(&w)) * 86400 / (1.6 * p->sessions_a_day);
        if (at >= END * 3600.0)
            return;
        if (1.6 * synthetic_uniform(&w) < 1.3 * (synthetic_awake((uint32_t)(at / 3600)) - 0.37))
            session(p, client, at, &cached_until);
    }
}

static void make_people(const struct people *p)
{
    synthetic_begin(&w, "site.example", WATCHED_DAYS, END - 24 * p->days);
    for (unsigned i = 0; i < p->clients; i++)
        live(p, i);
    synthetic_end(&w, END - 1);
}

static struct people random_people(void)
{
    static const double ttls_s[] = { 0, 60, 300, 600, 3600, 14400 };
    bool busy = synthetic_uniform(&w) < 0.2; /* tabs that stay open: the cache decides when to ask */
    return (struct people){
        .clients = (unsigned)log_uniform(1, 17),
        .days = 1 + (unsigned)(13 * synthetic_uniform(&w)),
        .sessions_a_day = busy ? log_uniform(3, 12) : log_uniform(0.3, 10),
        .asks_a_session = busy ? log_uniform(20, 200) : log_uniform(1, 60),
        .gap_s = log_uniform(5, 1200),
        .gap_spread = 0.8 + 1.2 * synthetic_uniform(&w),
        .ttl_s = ttls_s[(int)(6 * synthetic_uniform(&w))],
    };
}

/* note.md: of series that people and caches make at most one in 2,000 has a beat of 3 nats, and a finding of 3 nats one in 200. */
static void test_people(void **state)
{
    (void)state;
    unsigned beats = 0, blind = 0, found = 0, strong = 0, steady = 0;
    for (unsigned i = 0; i < rounds; i++) {
        struct people p = random_people();
        make_people(&p);
        struct beat known = beat_find(&w.s, p.ttl_s > 0 ? (uint32_t)p.ttl_s : 60), unknown = beat_find(&w.s, 0);
        beats += known.sustained && known.nats >= 3;
        blind += unknown.sustained && unknown.nats >= 3;
        double strength = synthetic_examine(&w, &detector_rhythm);
        found += strength >= FINDING_MIN;
        strong += strength >= 3;
        for (size_t h = 0; h < w.s.n_hours; h++)
            w.hours[h].counters[ACTIVITY_TTL] = (uint32_t)p.ttl_s;
        steady += steady_find(&w.s).nats >= 3;
    }
    print_message("# of %u series of people: beats of 3 nats %u, TTL not known %u; findings %u, of 3 nats %u; steady of 3 nats %u\n", rounds, beats,
                  blind, found, strong, steady);
    assert_true(beats <= 1 + rounds / 2000 && blind <= 1 + rounds / 2000);
    assert_true(strong <= 1 + rounds / 200 && steady <= 1 + rounds / 200);
}

/* People behind one address: no more of a beat than each has. */
static void test_many_behind_one(void **state)
{
    (void)state;
    synthetic_begin(&w, "site.example", WATCHED_DAYS, END - 72);
    struct people p = { .clients = 1, .days = 3, .sessions_a_day = 4, .asks_a_session = 5, .gap_s = 60, .gap_spread = 1.2, .ttl_s = 60 };
    for (unsigned i = 0; i < 40; i++)
        live(&p, 0);
    synthetic_end(&w, END - 1);
    struct beat b = beat_find(&w.s, 60);
    assert_false(told(&b));
}

/* What lies behind the 32 asks that an hour keeps is not a gap: else every busy client would beat by the hour. */
static void test_hours_that_are_cut(void **state)
{
    (void)state;
    synthetic_begin(&w, "busy.example", WATCHED_DAYS, END - 48);
    for (double at = (END - 48) * 3600.0; at < END * 3600.0; at += 5 + 60 * synthetic_uniform(&w))
        synthetic_ask(&w, 0, at);
    synthetic_end(&w, END - 1);
    struct beat b = beat_find(&w.s, 60);
    assert_true(b.seen > 0);
    assert_false(told(&b));
}

/* ---- findings ---- */

/* Hourly with 20 % jitter, as far as a cache of an hour lets it through; each day without the first `sleep` hours. */
static void cached_beacon(unsigned clients, unsigned hours, unsigned sleep)
{
    synthetic_begin(&w, "cached.example", WATCHED_DAYS, END - hours);
    for (unsigned client = 0; client < clients; client++) {
        double kept_until = 0;
        for (double at = (END - hours) * 3600.0; at < END * 3600.0; at += 3600 * (0.8 + 0.4 * synthetic_uniform(&w))) {
            if (at < kept_until || (unsigned)(at / 3600) % 24 < sleep)
                continue;
            synthetic_ask(&w, client, at);
            kept_until = at + 3600;
        }
    }
    synthetic_end(&w, END - 1);
    for (size_t i = 0; i < w.s.n_hours; i++)
        w.hours[i].counters[ACTIVITY_TTL] = 3600;
}

static void test_findings(void **state)
{
    (void)state;
    struct program beacon = { .clients = 3, .period_s = 3600, .jitter = 0.2, .hours = 48 };
    program_beat(&beacon, 0);
    assert_true(synthetic_examine(&w, &detector_rhythm) >= 10);
    assert_int_equal(w.found.n, 1);
    assert_non_null(strstr(w.found.kept[0].finding.summary, "3 of 3 clients ask every 60 minutes"));

    struct program slow = { .clients = 3, .period_s = 14400, .jitter = 0.2, .hours = 72 };
    program_beat(&slow, 0);
    assert_true(synthetic_examine(&w, &detector_rhythm) >= 6);

    /* Cached away: at all hours alike remains. */
    synthetic_begin(&w, "flat.example", WATCHED_DAYS, END - 24 * 7);
    for (unsigned client = 0; client < 5; client++)
        for (double at = (END - 24 * 7) * 3600.0; at < END * 3600.0; at -= 7200 * log(1 - synthetic_uniform(&w)))
            synthetic_ask(&w, client, at);
    synthetic_end(&w, END - 1);
    double flat = synthetic_examine(&w, &detector_rhythm);
    assert_true(flat >= 3 && flat <= 4);
    assert_non_null(strstr(w.found.kept[0].finding.summary, "at all hours alike"));

    /* At the pace of the TTL that the hours know. */
    struct program cached = { .clients = 1, .period_s = 3610, .jitter = 0.002, .hours = 48 };
    program_beat(&cached, 0);
    for (size_t i = 0; i < w.s.n_hours; i++)
        w.hours[i].counters[ACTIVITY_TTL] = i == 7 ? 3600 : 3000;
    assert_int_equal(subject_ttl(&w.s), 3600);
    double paced = synthetic_examine(&w, &detector_rhythm);
    assert_true(paced <= 4);
    for (size_t i = 0; i < w.found.n; i++)
        assert_null(strstr(w.found.kept[i].finding.summary, "ask every"));

    /* A program of an hour behind a cache of an hour: no beat, but steady, whether its machines sleep or not. */
    cached_beacon(3, 48, 0);
    assert_true(synthetic_examine(&w, &detector_rhythm) >= 8);
    assert_non_null(strstr(w.found.kept[0].finding.summary, "3 clients ask again each time that their cache lets them"));
    assert_true(synthetic_examine(&w, &detector_human) == 0);
    cached_beacon(3, 96, 12);
    assert_true(synthetic_examine(&w, &detector_rhythm) >= 4);
    assert_true(synthetic_examine(&w, &detector_human) == 0);
    cached_beacon(1, 80, 0);
    assert_true(synthetic_examine(&w, &detector_rhythm) <= 4);

    synthetic_begin(&w, "none.example", WATCHED_DAYS, END - 1);
    synthetic_end(&w, END - 1);
    assert_true(synthetic_examine(&w, &detector_rhythm) == 0);
}

/* Twice a day at people's hours is no beat of eight hours. */
static void test_morning_and_evening(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 50; n++) {
        synthetic_begin(&w, "news.example", WATCHED_DAYS, END - 24 * 14);
        for (unsigned client = 0; client < 4; client++)
            for (unsigned day = 0; day < 14; day++) {
                double start = (END - 24.0 * (14 - day)) * 3600;
                synthetic_ask(&w, client, start + 9 * 3600 + 1800 * synthetic_normal(&w));
                synthetic_ask(&w, client, start + 18 * 3600 + 1800 * synthetic_normal(&w));
            }
        synthetic_end(&w, END - 1);
        assert_true(synthetic_examine(&w, &detector_rhythm) < 1);
    }
}

static int release(void **state)
{
    (void)state;
    synthetic_release(&w);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_not_told),
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_many_behind_one),
        cmocka_unit_test(test_hours_that_are_cut),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_morning_and_evening),
    };
    if (argc > 1)
        rounds = (unsigned)atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, release);
}
