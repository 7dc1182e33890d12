/* Demand: machines that keep asking for what does not exist; and what looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "synthetic.h"

enum { DAYS = 60, END = SYNTHETIC_EPOCH + 24 * DAYS };

static struct synthetic w;

struct row {
    const char *what, *name;
    unsigned clients;
    uint32_t first_before;      /* hours before the end of the first question; all of DAYS: since the database began */
    double every_h;             /* mean of what a client waits */
    uint32_t missing_from, missing_to; /* hours after the first question in which it is missing; to 0: until the end */
    bool people;                /* at day, and questions for HTTPS */
    bool directory;             /* for SRV */
    double least, most;
};

static double examine(const struct row *r)
{
    uint32_t first = END - r->first_before;
    synthetic_begin(&w, r->name, DAYS, first);
    w.missing_from = first + r->missing_from;
    w.missing_to = r->missing_to ? first + r->missing_to : END;
    for (unsigned i = 0; i < r->clients; i++)
        for (double at = first * 3600.0 + 60 * i; at < END * 3600.0; at -= 3600 * r->every_h * log(1 - synthetic_uniform(&w)))
            if (!r->people || synthetic_awake((uint32_t)(at / 3600)) > 1.1)
                synthetic_ask(&w, i, at);
    synthetic_end(&w, END - 1);
    synthetic_profile(&w);
    for (size_t i = 0; i < w.s.n_hours; i++) {
        uint32_t *c = w.hours[i].counters;
        c[ACTIVITY_HTTPS] = r->people ? c[ACTIVITY_QUERIES] / 2 : 0;
        c[ACTIVITY_SRV] = r->directory ? c[ACTIVITY_QUERIES] / 2 : 0;
    }
    return synthetic_examine(&w, &detector_demand);
}

static void test_rows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { .what = "a program that began a week ago on five clients", .name = "never.example", .clients = 5, .first_before = 7 * 24, .every_h = 1,
          .least = 2.5, .most = 2.5 },
        { .what = "two clients since two days", .name = "never.example", .clients = 2, .first_before = 48, .every_h = 1, .least = 2.5, .most = 2.5 },
        { .what = "one client", .name = "never.example", .clients = 1, .first_before = 7 * 24, .every_h = 1, .least = 1, .most = 1.5 },
        { .what = "a day so far", .name = "never.example", .clients = 4, .first_before = 24, .every_h = 1, .least = 2.5, .most = 2.5 },
        { .what = "then registered", .name = "supply.example", .clients = 4, .first_before = 7 * 24, .every_h = 1, .missing_to = 4 * 24,
          .least = 4, .most = 4 },
        { .what = "expired", .name = "gone.example", .clients = 5, .first_before = 7 * 24, .every_h = 1, .missing_from = 48, .least = 2,
          .most = 2 },
        { .what = "old firmware: since the database began", .name = "vendor.example", .clients = 20, .first_before = DAYS * 24, .every_h = 2,
          .least = 1, .most = 1.3 },
        { .what = "typed wrong", .name = "typo.example", .clients = 3, .first_before = 72, .every_h = 40 },
        { .what = "asked for in a few hours", .name = "probe.example", .clients = 30, .first_before = 5, .every_h = 0.5 },
        { .what = "a local network's own", .name = "printer.lan", .clients = 5, .first_before = 7 * 24, .every_h = 1 },
        { .what = "a directory looked for from elsewhere", .name = "corp.example", .clients = 5, .first_before = 7 * 24, .every_h = 1, .directory = true },
        { .what = "exists", .name = "site.example", .clients = 5, .first_before = 7 * 24, .every_h = 1, .missing_from = 9999 },
        { .what = "registered long ago", .name = "site.example", .clients = 5, .first_before = 40 * 24, .every_h = 1, .missing_to = 20 * 24 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double strength = examine(&rows[i]);
        print_message("# %-50s %.2f\n", rows[i].what, strength);
        assert_true(strength >= rows[i].least && strength <= rows[i].most);
    }
}

/* The same, but by people: weaker. */
static void test_people(void **state)
{
    (void)state;
    struct row r = { .name = "never.example", .clients = 5, .first_before = 7 * 24, .every_h = 1 };
    double machines = examine(&r);
    r.people = true;
    assert_true(examine(&r) < machines - 1.4);
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
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_people),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
