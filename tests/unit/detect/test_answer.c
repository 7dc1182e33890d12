/* answer: one host scattered over many networks; parked and sinkholed names. */
#include "small_world.h"

extern const struct detector detector_answer;

/* `hosts` hosts of a domain, with `networks` addresses each in networks of their own, one a `hours`. */
static double scattered(const char *domain, int hosts, int networks, int hours, const char *more)
{
    char lines[16384];
    int len = snprintf(lines, sizeof lines, "%s", more);
    for (int h = 0; h < hosts; h++)
        for (int i = 0; i < networks; i++)
            len += snprintf(lines + len, sizeof lines - (size_t)len, "%d h%d.%s A 66.%d.%d.1\n", 5 + i * hours, h, domain, h * networks + i, i);
    assert_true((size_t)len < sizeof lines);
    struct scene *w = world_make(lines);
    world_ask(w, &detector_answer);
    double strength = world_strength(w, domain);
    world_free(w);
    return strength;
}

static void test_scatter(void **state)
{
    (void)state;
    double eight = scattered("flux.tk", 1, 8, 12, ""), many = scattered("flux.tk", 1, 40, 4, "");
    assert_true(eight > 1 && eight < 1.4);
    assert_true(many > 2.5 && many < 4);
    assert_true(scattered("flux.tk", 1, 7, 12, "") == 0);
    assert_true(scattered("flux.tk", 1, 8, 1, "") == 0);              /* all within a day */
    assert_true(scattered("devices.tk", 20, 1, 12, "") == 0);         /* an address each */
    assert_true(scattered("pool.tk", 1, 40, 4, "1500 www.pool.tk A 66.0.0.9\n") == 0);
    assert_true(scattered("cdn.tk", 1, 40, 4, "popular cdn.tk 500 30\n") == 0);
    assert_true(scattered("flux.tk", 1, 8, 12, "30 flux.tk NS a.one.com\n40 flux.tk NS a.two.com\n50 flux.tk NS a.three.com\n") > eight + 1);
}

static void test_servers(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "parked", "30 fruitbowl.com NS ns1.sedoparking.com\n30 fruitbowl.com A 66.9.0.1\n", "fruitbowl.com", -1.5, -1.5 },
        { "sinkholed", "30 fruitbowl.com NS ns1.sinkhole.ch\n30 fruitbowl.com A 66.9.0.1\n", "fruitbowl.com", 4, 4 },
        { "both", "30 fruitbowl.com NS ns1.sinkhole.ch\n30 fruitbowl.com NS ns1.sedoparking.com\n", "fruitbowl.com", 4, 4 },
        { "the parking company itself", "30 sedoparking.com NS ns1.sedoparking.com\n", "sedoparking.com", 0, 0 },
        { "a host delegated, not the domain", "30 x.fruitbowl.com NS ns1.sedoparking.com\n", "fruitbowl.com", 0, 0 },
        { "ordinary", "30 fruitbowl.com NS ns1.example.net\n30 fruitbowl.com A 66.9.0.1\n", "fruitbowl.com", 0, 0 },
    };
    world_check(&detector_answer, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_scatter), cmocka_unit_test(test_servers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
