/* Human and standing: what speaks against harm, and for whom it does not speak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "synthetic.h"

enum { DAYS = 60, END = SYNTHETIC_EPOCH + 24 * DAYS };

static struct synthetic w;

enum manner { PEOPLE, FLAT, BEACON, OFFICE_BEACON, CACHED };

static void ask(enum manner manner, unsigned client, uint32_t hours)
{
    double wait = manner == PEOPLE || manner == FLAT ? 0 : manner == CACHED ? 3600 : 1800;
    for (double at = (END - (double)hours) * 3600 + 600 * client; at < END * 3600.0;) {
        uint32_t hour = (uint32_t)(at / 3600);
        bool asks = manner == PEOPLE          ? 1.3 * (synthetic_awake(hour) - 0.37) > 1.6 * synthetic_uniform(&w)
                    : manner == OFFICE_BEACON ? hour % 24 >= 8 && hour % 24 < 18
                                              : true;
        if (asks)
            synthetic_ask(&w, client, at);
        at += wait > 0 ? wait * (manner == CACHED ? 1.01 : 0.9 + 0.2 * synthetic_uniform(&w))
                       : 3600 * exp(1.2 * synthetic_normal(&w));
    }
}

static double human(enum manner manner, unsigned clients, uint32_t hours, double https)
{
    synthetic_begin(&w, "site.example", DAYS, END - hours);
    for (unsigned i = 0; i < clients; i++)
        ask(manner, i, hours);
    synthetic_end(&w, END - 1);
    for (size_t i = 0; i < w.s.n_hours; i++)
        w.hours[i].counters[ACTIVITY_HTTPS] = (uint32_t)ceil(https * w.hours[i].counters[ACTIVITY_A]);
    return synthetic_examine(&w, &detector_human);
}

static void test_human(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum manner manner;
        unsigned clients;
        uint32_t hours;
        double https, least, most;
    } rows[] = {
        { "people for a week, with browsers", PEOPLE, 10, 168, 0.5, -6.1, -5 },
        { "people for a week, nothing asks for HTTPS", PEOPLE, 10, 168, 0, -5, -4 },
        { "a few people for two days", PEOPLE, 2, 48, 0.5, -6.1, -1 },
        { "at all hours, though HTTPS is asked for", FLAT, 10, 168, 0.5, 0, 0 },
        { "a beacon", BEACON, 3, 96, 0.5, 0, 0 },
        { "a beacon on machines that sleep at night", OFFICE_BEACON, 3, 96, 0, 0, 0 },
        { "a beacon at the pace of its cache", CACHED, 3, 96, 0, 0, 0 },
        { "an hour of one client", PEOPLE, 1, 1, 0, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double strength = human(rows[i].manner, rows[i].clients, rows[i].hours, rows[i].https);
        print_message("# %-45s %.2f\n", rows[i].what, strength);
        assert_true(strength >= rows[i].least && strength <= rows[i].most);
    }
}

static void test_standing(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t exists_days, returned_days, days, broad_days, peak_clients;
        double least, most;
    } rows[] = {
        { "new", 1, 0, 1, 0, 2, 0, 0 },
        { "two months, by few", 60, 0, 40, 0, 3, -1.2, -1 },
        { "years, by few", 1000, 0, 700, 0, 3, -3, -3 },
        { "years, by many every day", 1000, 0, 1000, 900, 150, -8.5, -8 },
        { "a week, by many every day", 7, 0, 7, 7, 100, -4, -3 },
        { "broad on one day of a hundred", 120, 0, 100, 1, 100, -1.7, -1.5 },
        { "back after a long silence", 1000, 2, 100, 0, 3, 0, 0 },
        { "never existed", 0, 0, 700, 300, 100, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        synthetic_begin(&w, "site.example", DAYS, SYNTHETIC_EPOCH);
        synthetic_end(&w, END - 1);
        w.s.profile = (struct profile){
            .exists_first = rows[i].exists_days ? w.s.step - 24 * rows[i].exists_days : 0,
            .returned = rows[i].returned_days ? w.s.step - 24 * rows[i].returned_days : 0,
            .hours = 1, .days = rows[i].days, .broad_days = rows[i].broad_days, .peak_clients = rows[i].peak_clients,
        };
        double strength = synthetic_examine(&w, &detector_standing);
        print_message("# %-45s %.2f\n", rows[i].what, strength);
        assert_true(strength >= rows[i].least && strength <= rows[i].most);
    }
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
        cmocka_unit_test(test_human),
        cmocka_unit_test(test_standing),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
