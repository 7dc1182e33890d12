/* shadowed-host: hosts that are not the owner's, and all the moves that are. */
#include "small_world.h"

extern const struct detector detector_shadowed_host;

#define OLD(domain, address) "1500 www." domain " A " address "\n1000 mail." domain " A " address "\n"

static void test_hosts(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "three victims",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n", "x7k2q9.bakery.de", 4.5, 4.7 },
        { "with ordinary labels",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1")
          "30 gallop.bakery.de A 66.9.0.1\n40 harvest.plumber.com A 66.9.0.1\n20 meadow.choir.org A 66.9.0.1\n", "gallop.bakery.de", 1.5, 1.7 },
        { "more of them",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n29 b5n8v1.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n",
          "b5n8v1.bakery.de", 5.5, 5.7 },
        { "in a database of ten days, there as it began",
          "begin 240\n235 www.bakery.de A 11.1.0.1\n230 www.plumber.com A 12.1.0.1\n30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 3.9, 4.1 },
        { "... and later than that",
          "begin 240\n180 www.bakery.de A 11.1.0.1\n230 www.plumber.com A 12.1.0.1\n30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "the domain itself is not blamed",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "bakery.de", 0, 0 },
        { "alone", OLD("bakery.de", "11.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "with new domains only", OLD("bakery.de", "11.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n40 www.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "in its own network",
          OLD("bakery.de", "66.9.3.1") OLD("plumber.com", "12.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "an established host went there first",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1")
          "50 www.bakery.de A 66.9.0.7\n30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "an old server",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") OLD("choir.org", "66.9.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "siblings of one owner",
          OLD("bakery.de", "11.1.0.1") OLD("bakery.com", "12.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.bakery.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "a verification by CNAME",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") "30 x7k2q9.bakery.de CNAME v.saas.net\n30 h3j8w2.plumber.com CNAME v.saas.net\n", "x7k2q9.bakery.de", 0, 0 },
        { "everyday hosts that move",
          OLD("bakery.de", "11.1.0.1") OLD("plumber.com", "12.1.0.1") "30 shop.bakery.de A 66.9.0.1\n40 shop.plumber.com A 66.9.0.1\n", "shop.bakery.de", 0, 0 },
        { "young domains, there before their hosts, at three",
          "200 www.bakery.de A 11.1.0.1\n150 www.plumber.com A 12.1.0.1\n90 www.choir.org A 13.1.0.1\n"
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n", "x7k2q9.bakery.de", 4.5, 4.7 },
        { "... at two", "200 www.bakery.de A 11.1.0.1\n150 www.plumber.com A 12.1.0.1\n30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n",
          "x7k2q9.bakery.de", 0, 0 },
        { "as old as its host, at three",
          "31 www.bakery.de A 11.1.0.1\n" OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
        { "... at four",
          "31 www.bakery.de A 11.1.0.1\n" OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1") OLD("weaver.net", "14.1.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n25 q8r3t7.weaver.net A 66.9.0.1\n",
          "x7k2q9.bakery.de", 4.9, 5.1 },
        { "nothing else is known of the domain, at four",
          OLD("plumber.com", "12.1.0.1") OLD("choir.org", "13.1.0.1") OLD("weaver.net", "14.1.0.1")
          "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n20 p4n6d1.choir.org A 66.9.0.1\n25 q8r3t7.weaver.net A 66.9.0.1\n",
          "x7k2q9.bakery.de", 4.9, 5.1 },
        { "a young domain, at two", "200 www.bakery.de A 11.1.0.1\n" OLD("plumber.com", "12.1.0.1") "30 x7k2q9.bakery.de A 66.9.0.1\n40 h3j8w2.plumber.com A 66.9.0.1\n", "x7k2q9.bakery.de", 0, 0 },
    };
    world_check(&detector_shadowed_host, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
