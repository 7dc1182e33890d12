/* Burst: against the name's own past, and against new names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "synthetic.h"

enum { DAYS = 30, END = SYNTHETIC_EPOCH + 24 * DAYS };

static struct synthetic w;

/* Every hour but the last `usual` clients ask once; in the last `now` clients `each` times. */
static double burst(uint32_t known_days, unsigned usual, unsigned now, unsigned each)
{
    uint32_t first = END - (known_days ? 24 * known_days : 1);
    synthetic_begin(&w, "sudden.example", DAYS, first);
    for (uint32_t hour = first; hour < END; hour++)
        for (unsigned c = 0; c < (hour == END - 1 ? now : usual); c++)
            for (unsigned i = 0; i < (hour == END - 1 ? each : 1); i++)
                synthetic_ask(&w, c, hour * 3600.0 + 10 * c + i);
    synthetic_end(&w, END - 1);
    return synthetic_examine(&w, &detector_burst);
}

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t known_days;
        unsigned usual, now, each;
        double least, most;
    } rows[] = {
        { "as ever", 20, 5, 5, 1, 0, 0 },
        { "half more", 20, 20, 30, 1, 0, 0 },
        { "four clients are few", 20, 1, 4, 1, 0, 0 },
        { "from 2 clients to 40", 20, 2, 40, 1, 5.9, 6 },
        { "from 10 to 40, a week known", 7, 10, 40, 1, 3.5, 4.5 },
        { "one client asks and asks", 20, 1, 1, 1000, 4, 4 },
        { "a hundred questions are few", 20, 1, 1, 100, 0, 0 },
        { "new, with 30 clients", 0, 0, 30, 1, 3, 3.5 },
        { "new, with 2", 0, 0, 2, 1, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double strength = burst(rows[i].known_days, rows[i].usual, rows[i].now, rows[i].each);
        print_message("# %-40s %.2f\n", rows[i].what, strength);
        assert_true(strength >= rows[i].least && strength <= rows[i].most);
    }
}

/* Nothing is known of what new names do when everything is new. */
static void test_young_database(void **state)
{
    (void)state;
    synthetic_begin(&w, "sudden.example", 1, SYNTHETIC_EPOCH + 5);
    for (unsigned c = 0; c < 30; c++)
        synthetic_ask(&w, c, (SYNTHETIC_EPOCH + 5) * 3600.0 + c);
    synthetic_end(&w, SYNTHETIC_EPOCH + 6);
    assert_true(synthetic_examine(&w, &detector_burst) == 0);
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
        cmocka_unit_test(test_young_database),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
