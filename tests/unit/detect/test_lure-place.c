/* lure-place: what stands where imitations stand, and where one happens to. */
#include "small_world.h"

extern const struct detector detector_lure_place;

#define KNOWN "popular harborlights.com 30 30\npopular townlibrary.org 30 30\npopular violinmakers.de 4 0\n"
#define LURES "30 harborlights-login.xyz A 66.9.0.1\n30 townlibrary-account.top A 66.9.0.1\n30 secure-violinmakers.info A 66.9.0.1\n"

static void test_places(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "two others", KNOWN LURES, "harborlights-login.xyz", 4.4, 4.6 },
        { "one that imitates nobody known, at three", KNOWN LURES "20 parcel-hour.com A 66.9.0.1\n", "parcel-hour.com", 6.2, 6.3 },
        { "at a machine with names of all sorts",
          KNOWN LURES "20 parcel-hour.com A 66.9.0.1\n20 choir.org A 66.9.0.1\n20 bakery.de A 66.9.0.1\n20 plumber.net A 66.9.0.1\n20 weaver.uk A 66.9.0.1\n",
          "parcel-hour.com", 4.4, 4.6 },
        { "beside one imitation", KNOWN "30 harborlights-login.xyz A 66.9.0.1\n30 choir.org A 66.9.0.1\n", "choir.org", 1.4, 1.6 },
        { "alone", KNOWN "30 harborlights-login.xyz A 66.9.0.1\n", "harborlights-login.xyz", 0, 0 },
        { "elsewhere", KNOWN LURES "20 parcel-hour.com A 66.9.0.2\n", "parcel-hour.com", 0, 0 },
        { "an old server", KNOWN LURES "1500 choir.org A 66.9.0.1\n20 parcel-hour.com A 66.9.0.1\n", "parcel-hour.com", 0, 0 },
        { "an old name there", KNOWN LURES "1500 www.choir.org A 66.8.0.1\n20 www.choir.org A 66.9.0.1\n", "choir.org", 0, 0 },
        { "with other words", KNOWN "30 harborlights-garden.xyz A 66.9.0.1\n30 townlibrary-music.top A 66.9.0.1\n20 parcel-hour.com A 66.9.0.1\n", "parcel-hour.com", 0, 0 },
        { "a private address", KNOWN "30 harborlights-login.xyz A 10.9.0.1\n30 townlibrary-account.top A 10.9.0.1\n20 parcel-hour.com A 10.9.0.1\n", "parcel-hour.com", 0, 0 },
    };
    world_check(&detector_lure_place, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_places) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
