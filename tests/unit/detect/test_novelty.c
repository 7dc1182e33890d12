/* Novelty: how new, and how sure that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "synthetic.h"

static struct synthetic w;

static double domain(uint32_t watched_days, uint32_t age_hours)
{
    uint32_t first = SYNTHETIC_EPOCH + 24 * watched_days;
    synthetic_begin(&w, "new.example", watched_days + age_hours / 24 + 1, first);
    synthetic_end(&w, first + age_hours);
    return synthetic_examine(&w, &detector_novelty);
}

static void test_domains(void **state)
{
    (void)state;
    static const struct {
        uint32_t watched_days, age_hours;
        double least, most;
    } rows[] = {
        { 0, 0, 0, 0 },          /* everything is new to a young database */
        { 1, 5, 0, 1.1 },
        { 14, 0, 2.5, 3 },
        { 60, 0, 4, 4.2 },
        { 14, 24, 1.8, 2.1 },
        { 14, 24 * 7, 1, 1.3 },
        { 60, 24 * 14, 1, 1.2 }, /* fades */
        { 60, 24 * 30, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double strength = domain(rows[i].watched_days, rows[i].age_hours);
        if (strength < rows[i].least || strength > rows[i].most)
            fail_msg("watched %u days, %u hours old: %g", rows[i].watched_days, rows[i].age_hours, strength);
    }
}

static void test_returns(void **state)
{
    (void)state;
    synthetic_begin(&w, "old.example", 60, SYNTHETIC_EPOCH);
    synthetic_end(&w, SYNTHETIC_EPOCH + 60 * 24);
    w.s.profile = (struct profile){ .hours = 9, .first = SYNTHETIC_EPOCH, .last = w.s.step - 1, .returned = w.s.step - 2, .silent_before = 45 * 24 };
    assert_true(synthetic_examine(&w, &detector_novelty) >= 3);
    assert_non_null(strstr(w.found.kept[0].finding.summary, "after 45 days of silence"));
    w.s.profile.returned = w.s.step - 30 * 24;
    assert_true(synthetic_examine(&w, &detector_novelty) == 0);
}

/* `before` hosts in the domain's first day, then one `age_hours` before the step. */
static double host(unsigned before, uint32_t known_days, uint32_t age_hours, uint32_t every_days)
{
    static const uint8_t key[] = "example\0old\0host\0";
    uint32_t first = SYNTHETIC_EPOCH;
    synthetic_begin(&w, "old.example", known_days + 1, first);
    synthetic_end(&w, first + 24 * known_days);
    for (unsigned i = 0; i <= before; i++)
        w.hosts[i] = (struct subject_host){ .owner = { key, sizeof key }, .sub = "host", .first_s = (first + every_days * 24 * i) * STEP_S };
    w.hosts[before].first_s = (w.s.step - age_hours) * STEP_S;
    w.s.n_hosts = before + 1;
    return synthetic_examine(&w, &detector_novelty);
}

static void test_hosts(void **state)
{
    (void)state;
    assert_true(host(1, 60, 0, 0) >= 2);
    assert_int_equal(w.found.kept[0].finding.owner.len, 18); /* about the host */
    assert_true(host(1, 60, 24 * 6, 0) < host(1, 60, 0, 0)); /* fades */
    assert_true(host(1, 60, 24 * 8, 0) == 0);
    assert_true(host(12, 60, 0, 4) < 2);   /* it brings new ones all the time */
    assert_true(host(1, 10, 0, 0) == 0);  /* not known long enough */
    host(1, 60, 0, 0);
    w.s.hosts_whole = false; /* as of a CDN: nobody knows which are new */
    assert_true(synthetic_examine(&w, &detector_novelty) == 0);
}

static int release(void **state)
{
    (void)state;
    synthetic_release(&w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_returns),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
