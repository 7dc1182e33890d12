/* anchor: only what the anchor's own zone says exonerates. */
#include "small_world.h"

extern const struct detector detector_anchor;

#define ANCHOR "popular bigshop.com 400 40\n1500 www.bigshop.com A 66.1.0.1\n"

static void test_links(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "an alias in the anchor's zone", ANCHOR "50 img.bigshop.com CNAME a.bsdelivery.net\n50 a.bsdelivery.net A 66.9.0.1\n", "bsdelivery.net", -5, -5 },
        { "its mail", ANCHOR "50 bigshop.com MX mx.bsmail.net\n50 mx.bsmail.net A 66.9.0.1\n", "bsmail.net", -5, -5 },
        { "its name servers", ANCHOR "50 bigshop.com NS ns1.bsdns.net\n50 ns1.bsdns.net A 66.9.0.1\n", "bsdns.net", -5, -5 },
        { "served by the anchor", ANCHOR "500 ns1.bigshop.com A 66.1.0.5\n500 ns2.bigshop.com A 66.1.0.6\n50 bsads.net NS ns1.bigshop.com\n50 bsads.net NS ns2.bigshop.com\n"
          "50 x.bsads.net A 66.9.0.1\n", "bsads.net", -4, -4 },
        { "served by others too", ANCHOR "500 ns1.bigshop.com A 66.1.0.5\n50 evil.tk NS ns1.bigshop.com\n50 evil.tk NS ns1.evil.tk\n50 x.evil.tk A 66.9.0.1\n", "evil.tk", 0, 0 },
        { "delegated to hosts that the anchor never had", ANCHOR "50 evil.tk NS ns9.bigshop.com\n50 x.evil.tk A 66.9.0.1\n", "evil.tk", 0, 0 },
        { "delegated, never answered", ANCHOR "500 ns1.bigshop.com A 66.1.0.5\n50 evil.tk NX\n", "evil.tk", 0, 0 },
        { "points at the anchor", ANCHOR "50 www.evil.tk CNAME www.bigshop.com\n50 evil.tk MX mx.bigshop.com\n", "evil.tk", 0, 0 },
        { "shares the anchor's address", ANCHOR "50 www.evil.tk A 66.1.0.1\n", "evil.tk", 0, 0 },
        { "pointed at by somebody else", ANCHOR "50 www.other.net CNAME a.evil.tk\n50 a.evil.tk A 66.9.0.1\n", "evil.tk", 0, 0 },
        { "a young anchor", "popular bigshop.com 400 40\n50 img.bigshop.com CNAME a.bsdelivery.net\n50 a.bsdelivery.net A 66.9.0.1\n", "bsdelivery.net", 0, 0 },
        { "an anchor of few", "popular bigshop.com 7 40\n1500 www.bigshop.com A 66.1.0.1\n50 img.bigshop.com CNAME a.bsdelivery.net\n50 a.bsdelivery.net A 66.9.0.1\n", "bsdelivery.net", 0, 0 },
        { "an alias left behind", ANCHOR "1400 old.bigshop.com CNAME a.expired.net\n50 a.expired.net A 66.9.0.1\n", "expired.net", 0, 0 },
    };
    world_check(&detector_anchor, cases, sizeof cases / sizeof cases[0]);
}

/* Name servers of many are a provider's. */
static void test_provider(void **state)
{
    (void)state;
    char lines[4096];
    int len = snprintf(lines, sizeof lines, ANCHOR "500 ns1.bigshop.com A 66.1.0.5\n50 evil.tk NS ns1.bigshop.com\n50 x.evil.tk A 66.9.0.1\n");
    for (int i = 0; i < 12; i++)
        len += snprintf(lines + len, sizeof lines - (size_t)len, "500 customer%d.com NS ns1.bigshop.com\n", i);
    struct scene *w = world_make(lines);
    world_ask(w, &detector_anchor);
    assert_true(world_strength(w, "evil.tk") == 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_links), cmocka_unit_test(test_provider) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
