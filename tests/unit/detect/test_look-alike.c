/* look-alike: Punycode and skeletons, which words imitate which brands, and who is let off. */
#include "small_world.h"

#include "detect/look-alike/look.h"
#include "detect/look-alike/skeleton.h"

extern const struct detector detector_look_alike;

/* RFC 3492, 7.1, (B), (F), (L) and (I), and what must be refused. */
static void test_punycode(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t points[32]; size_t n; } rows[] = {
        { "ihqwcrb4cv8a8dqg056pqjye", { 0x4ed6, 0x4eec, 0x4e3a, 0x4ec0, 0x4e48, 0x4e0d, 0x8bf4, 0x4e2d, 0x6587 }, 9 },
        { "3B-ww4c5e180e575a65lsy2b", { 0x33, 0x5e74, 0x42, 0x7d44, 0x91d1, 0x516b, 0x5148, 0x751f }, 8 },
        { "b1abfaaepdrnnbgefbadotcwatmq2g4l",
          { 0x43f, 0x43e, 0x447, 0x435, 0x43c, 0x443, 0x436, 0x435, 0x43e, 0x43d, 0x438, 0x43d, 0x435, 0x433, 0x43e, 0x432, 0x43e, 0x440,
            0x44f, 0x442, 0x43f, 0x43e, 0x440, 0x443, 0x441, 0x441, 0x43a, 0x438 }, 28 },
        { "-> $1.00 <--", { '-', '>', ' ', '$', '1', '.', '0', '0', ' ', '<', '-' }, 11 },
        { "", { 0 }, 0 }, { "a-99999999", { 0 }, 0 }, { "!", { 0 }, 0 }, { "a-b", { 0 }, 0 }, { "zzzzzzzzzzzz", { 0 }, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t points[64];
        size_t n = punycode_decode(rows[i].text, strlen(rows[i].text), points, 64);
        if (n != rows[i].n)
            fail_msg("%s: %zu points", rows[i].text, n);
        assert_memory_equal(points, rows[i].points, n * sizeof *points);
    }
    uint32_t few[4];
    assert_int_equal(punycode_decode("ihqwcrb4cv8a8dqg056pqjye", 24, few, 4), 0);
}

static void test_words(void **state)
{
    (void)state;
    static const struct brand popular[] = { { "weatherchannel", 14, BRAND_POPULAR, "weatherchannel.com" }, { "kicker", 6, BRAND_POPULAR, "kicker.de" },
                                           { "hund-weiss-welt", 15, BRAND_KNOWN, "hund-weiss-welt.de" }, { "nxqhr", 5, BRAND_KNOWN, "nxqhr.net" } };
    static const struct { const char *word, *brand; enum look how; double least, most; } rows[] = {
        { "paypa1", "paypal", LOOK_CHARACTERS, 4, 5 },
        { "paypai", "paypal", LOOK_CHARACTERS, 4, 5 },
        { "rnicrosoft", "microsoft", LOOK_CHARACTERS, 4, 5 },
        { "g00gle", "google", LOOK_CHARACTERS, 4, 5 },
        { "xn--pypal-4ve", "paypal", LOOK_SCRIPT, 5, 7 },  /* Cyrillic a */
        { "xn--80ak6aa92e", "apple", LOOK_SCRIPT, 5, 7 },  /* all Cyrillic: Zheng 2017 */
        { "xn--googl-fsa", "google", LOOK_ACCENTED, 2, 4 },
        { "paypla", "paypal", LOOK_SWAPPED, 2.5, 4 },
        { "gooogle", "google", LOOK_TYPING, 2, 3 },
        { "micosoft", "microsoft", LOOK_TYPING, 2, 3 },
        { "faceboik", "facebook", LOOK_TYPING, 2, 3 },
        { "paypal-login", "paypal", LOOK_LURE, 4, 4 },
        { "secure-paypal-update", "paypal", LOOK_LURE, 4, 4 },
        { "paypalsecurelogin", "paypal", LOOK_LURE, 3, 4 },
        { "verifypaypal", "paypal", LOOK_LURE, 3, 4 },
        { "paypa1-login", "paypal", LOOK_CHARACTERS, 5, 5 },
        { "paypal-fans", "paypal", LOOK_WORDS, 1, 2 },
        { "apple-id-verify", "apple", LOOK_LURE, 2, 3 },
        { "paypal", "paypal", LOOK_SUFFIX, 1, 2 },
        { "weatherchanel", "weatherchannel", LOOK_TYPING, 1.5, 2 },
        { "hund-weiss-welt-support24", "hund-weiss-welt", LOOK_LURE, 2.8, 2.8 },
        { "credit-agricole-login", "credit-agricole", LOOK_LURE, 4, 4 },
        { "nxqhr-login", "nxqhr", LOOK_LURE, 2.8, 2.8 },
        { "mypaypal-info", "paypal", LOOK_LURE, 4, 4 },
        { "hund-weiss", NULL, 0, 0, 0 }, { "nxqhr-music", NULL, 0, 0, 0 }, { "my-login", NULL, 0, 0, 0 },
        { "apple-pie", NULL, 0, 0, 0 }, { "pineapple", NULL, 0, 0, 0 }, { "ebayern", NULL, 0, 0, 0 }, { "target-shooting", NULL, 0, 0, 0 },
        { "purchase", NULL, 0, 0, 0 }, { "kicked", NULL, 0, 0, 0 }, { "kickers", NULL, 0, 0, 0 }, { "groups-home", NULL, 0, 0, 0 },
        { "amazonas", NULL, 0, 0, 0 }, { "boogie", NULL, 0, 0, 0 }, { "example", NULL, 0, 0, 0 }, { "xn--mller-kva", NULL, 0, 0, 0 },
        { "-", NULL, 0, 0, 0 }, { "--------", NULL, 0, 0, 0 }, { "xn--", NULL, 0, 0, 0 }, { "office364", NULL, 0, 0, 0 },
    };
    struct look_index *x;
    assert_int_equal(look_index_create(&x, popular, 4, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct look_match m = { .how = LOOK_NONE };
        look_at(x, rows[i].word, strlen(rows[i].word), &m);
        if (rows[i].brand == NULL ? m.nats >= FINDING_MIN : m.how != rows[i].how || m.nats < rows[i].least || m.nats > rows[i].most)
            fail_msg("%s: %s %.*s, %.2f", rows[i].word, look_text(m.how), (int)m.brand.len, m.how ? m.brand.word : "", m.nats);
        if (rows[i].brand != NULL)
            assert_true(m.brand.len == strlen(rows[i].brand) && memcmp(m.brand.word, rows[i].brand, m.brand.len) == 0);
    }
    look_index_destroy(&x);
}

static void test_names(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "new", "30 paypal-login.com A 192.0.2.1\n", "paypal-login.com", 4, 4 },
        { "asked for, not registered", "30 paypal-login.com NX\n", "paypal-login.com", 4, 4 },
        { "a month old", "800 paypal-login.com A 192.0.2.1\n3 paypal-login.com A 192.0.2.1\n", "paypal-login.com", 1.5, 3 },
        { "old", "1700 paypal-login.com A 192.0.2.1\n3 paypal-login.com A 192.0.2.1\n", "paypal-login.com", 0, 0 },
        { "as old as the database", "begin 40\n30 paypal-login.com A 192.0.2.1\n", "paypal-login.com", 2, 2 },
        { "the brand's own", "30 www.paypal-corp.com A 192.0.2.1\n", "paypal-corp.com", 0, 0 },
        { "served by the brand", "30 paypa1.com NS ns1.paypal.com\n30 paypa1.com A 192.0.2.1\n", "paypa1.com", 0, 0 },
        { "at the brand's address", "500 paypal.com A 192.0.2.1\n30 paypa1.com A 192.0.2.1\n", "paypa1.com", 0, 0 },
        { "mail at the brand proves nothing", "30 goog1e.com MX mx.google.com\n30 goog1e.com A 192.0.2.1\n", "goog1e.com", 4, 5 },
        { "like a popular name", "popular weatherchannel.com 500 30\n30 weatherchanel.com A 192.0.2.1\n", "weatherchanel.com", 1, 2 },
        { "like a name not popular for long", "popular weatherchannel.com 500 3\n30 weatherchanel.com A 192.0.2.1\n", "weatherchanel.com", 0, 0 },
        { "itself broad for days", "popular paypal-login.com 500 30\n30 paypal-login.com A 192.0.2.1\n", "paypal-login.com", 0, 0 },
    };
    world_check(&detector_look_alike, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_punycode), cmocka_unit_test(test_words), cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
