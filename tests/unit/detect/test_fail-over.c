/* Names that the same clients ask for, of which one is not registered; and what is not one program's. */
#include "small_world.h"

extern const struct detector detector_fail_over;

/* Seven hours in which a name does not exist. */
#define MISSING(name, who) "30 " name " NX - " who "\n26 " name " NX - " who "\n22 " name " NX - " who "\n18 " name " NX - " who "\n" \
                           "14 " name " NX - " who "\n10 " name " NX - " who "\n8 " name " NX - " who "\n"
#define OTHERS "20 one.org A 192.0.2.1 9 100\n20 two.org A 192.0.2.2 9 120\n20 three.org A 192.0.2.3 9 140\n20 four.org A 192.0.2.4 40 200\n"

static void test_worlds(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "a bot's second name", OTHERS MISSING("never.com", "12") "28 backup.tk A 203.0.113.9 12\n9 backup.tk A 203.0.113.9 12\n", "backup.tk", 5, 5 },
        { "and its first", OTHERS MISSING("never.com", "12") "28 backup.tk A 203.0.113.9 12\n", "never.com", 5, 5 },
        { "both missing", OTHERS MISSING("never.com", "6") MISSING("neither.tk", "6"), "neither.tk", 4, 4 },
        { "it existed before", OTHERS "40 lost.com A 203.0.113.1 12\n" MISSING("lost.com", "12") "28 backup.tk A 203.0.113.9 12\n", "backup.tk", 4, 4 },
        { "a dead vendor's name, alone", OTHERS MISSING("vendor.com", "12"), "vendor.com", 0, 0 },
        { "other clients", OTHERS MISSING("never.com", "12") "28 site.tk A 203.0.113.9 12 50\n", "site.tk", 0, 0 },
        { "some of its clients", OTHERS MISSING("never.com", "12") "28 site.tk A 203.0.113.9 12 7\n", "site.tk", 0, 0 },
        { "two clients", OTHERS MISSING("never.com", "2") "28 site.tk A 203.0.113.9 2\n", "site.tk", 0, 0 },
        { "of old standing", OTHERS "1000 vendor.net A 203.0.113.9 12\n28 vendor.net A 203.0.113.9 12\n" MISSING("never.com", "12"), "vendor.net", 0, 0 },
        { "since the database began", "begin 30\n" OTHERS MISSING("never.com", "12") "28 site.tk A 203.0.113.9 12\n", "site.tk", 0, 0 },
        { "one owner by name", OTHERS MISSING("example.com", "12") "28 example.tk A 203.0.113.9 12\n", "example.tk", 0, 0 },
        { "not missing for long", OTHERS "28 never.com NX - 12\n20 never.com NX - 12\n28 site.tk A 203.0.113.9 12\n", "site.tk", 0, 0 },
        { "registered since", OTHERS MISSING("soon.com", "12") "7 soon.com A 203.0.113.7 12\n28 site.tk A 203.0.113.9 12\n", "site.tk", 0, 0 },
        { "clients that ask for everything",
          "9 a.org A 192.0.2.1 12\n9 b.org A 192.0.2.1 12\n9 c.org A 192.0.2.1 12\n9 d.org A 192.0.2.1 12\n" MISSING("gone.com", "12")
          "28 site.tk A 203.0.113.9 12\n", "site.tk", 0, 0 },
    };
    world_check(&detector_fail_over, cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_worlds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
