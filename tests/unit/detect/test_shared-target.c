/* shared-target: who stands at one new place, and which places say nothing. */
#include "small_world.h"

extern const struct detector detector_shared_target;

#define THREE "30 fruitbowl.tk A 66.9.0.1\n20 www.oldtower.xyz A 66.9.0.1\n10 saltmine.net A 66.9.0.1\n"

static void test_groups(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "two at an address", "30 fruitbowl.tk A 66.9.0.1\n20 www.oldtower.xyz A 66.9.0.1\n", "fruitbowl.tk", 0, 0 },
        { "three", THREE, "fruitbowl.tk", 1.1, 1.3 },
        { "four", "30 fruitbowl.tk A 66.9.0.1\n20 www.oldtower.xyz A 66.9.0.1\n9 moonlamp.com A 66.9.0.1\n9 saltmine.net A 66.9.0.1\n", "moonlamp.com", 1.4, 1.6 },
        { "four by name server", "30 fruitbowl.tk NS ns1.quickdns.xyz\n20 oldtower.xyz NS ns2.quickdns.xyz\n9 moonlamp.com NS ns1.quickdns.xyz\n9 saltmine.net NS ns1.quickdns.xyz\n",
          "moonlamp.com", 1.1, 1.3 },
        { "an old address", "900 www.elder.net A 66.9.0.1\n" THREE, "fruitbowl.tk", 0, 0 },
        { "an old name server, new here",
          "900 www.quickdns.xyz A 66.9.0.1\n30 fruitbowl.tk NS ns1.quickdns.xyz\n20 oldtower.xyz NS ns2.quickdns.xyz\n9 moonlamp.com NS ns1.quickdns.xyz\n9 saltmine.net NS ns1.quickdns.xyz\n",
          "moonlamp.com", 0, 0 },
        { "siblings", "30 fruitbowl.tk A 66.9.0.1\n20 fruitbowl.xyz A 66.9.0.1\n10 fruitbowl.com A 66.9.0.1\n", "fruitbowl.tk", 0, 0 },
        { "a private address", "30 fruitbowl.tk A 10.0.0.1\n20 www.oldtower.xyz A 10.0.0.1\n10 saltmine.net A 10.0.0.1\n", "fruitbowl.tk", 0, 0 },
        { "old names", "1600 oldtower.xyz A 66.7.0.1\n1600 fruitbowl.tk A 66.8.0.1\n1600 saltmine.net A 66.6.0.1\n" THREE, "fruitbowl.tk", 0, 0 },
        { "as the database began", "begin 50\n" THREE, "fruitbowl.tk", 0, 0 },
        { "alone", "30 fruitbowl.tk A 66.9.0.1\n20 oldtower.xyz A 66.9.0.2\n10 saltmine.net A 66.9.0.3\n", "fruitbowl.tk", 0, 0 },
    };
    world_check(&detector_shared_target, cases, sizeof cases / sizeof cases[0]);
}

/* More than are compared. */
static void test_crowd(void **state)
{
    (void)state;
    char lines[4096];
    int len = snprintf(lines, sizeof lines, THREE);
    for (int i = 0; i < 55; i++)
        len += snprintf(lines + len, sizeof lines - (size_t)len, "9 n%c%cx%d.com A 66.9.0.1\n", 'a' + i % 26, 'a' + i / 3, i);
    struct scene *w = world_make(lines);
    world_ask(w, &detector_shared_target);
    assert_true(world_strength(w, "fruitbowl.tk") == 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_groups), cmocka_unit_test(test_crowd) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
