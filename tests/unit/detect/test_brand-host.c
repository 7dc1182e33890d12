/* brand-host: brands in front of other domains, and services that have every brand below them. */
#include "small_world.h"

extern const struct detector detector_brand_host;

static void test_hosts(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "a domain in front", "9 paypal.com.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "deep inside", "9 www.paypal.com.cgi.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "three labels", "9 www.google.co.uk.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "with hyphens", "9 paypal-com.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "a word and a lure", "9 paypal.login.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 3, 3 },
        { "a word alone", "9 google.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 0, 0 },
        { "a word of the language", "9 apple.login.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 0, 0 },
        { "its domain, though", "9 apple.com.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "never answered", "99 www.verify-xq.tk A 192.0.2.1\n9 paypal.com.verify-xq.tk NXHOST\n", "verify-xq.tk", 0, 0 },
        { "a search list or a proxy",
          "9 paypal.com.corp-xq.com A 192.0.2.1\n9 www.google.com.corp-xq.com NXHOST\n9 facebook.com.corp-xq.com NXHOST\n9 github.com.corp-xq.com NXHOST\n",
          "corp-xq.com", 0, 0 },
        { "one brand often is one", "9 paypal.com.a.verify-xq.tk A 192.0.2.1\n9 paypal.com.b.verify-xq.tk A 192.0.2.1\n9 paypal.com.c.verify-xq.tk A 192.0.2.1\n"
          "9 paypal.com.d.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 5, 5 },
        { "old", "1700 www.verify-xq.tk A 192.0.2.1\n9 paypal.com.verify-xq.tk A 192.0.2.1\n", "verify-xq.tk", 0, 0 },
        { "the brand's own", "9 google.login.microsoftonline.com A 192.0.2.1\n", "microsoftonline.com", 0, 0 },
    };
    world_check(&detector_brand_host, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
