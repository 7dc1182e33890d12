/* parts, lists, brands, kin by name: what the detectors that read names stand on. */
#include "small_world.h"

#include "detect/brand.h"
#include "detect/kin.h"
#include "detect/list.h"
#include "detect/youth.h"

static void test_lists(void **state)
{
    (void)state;
    static const struct list *const all[] = { &list_brands, &list_common_labels, &list_lure_words, &list_parking, &list_services };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t k = 0; k < all[i]->n; k++) {
            const char *at = all[i]->lines[k], *word;
            size_t len = list_word(&at, &word);
            const char *rest = list_find(all[i], word, len);
            assert_non_null(rest); /* sorted as list_find seeks */
            assert_string_equal(rest, *at ? at + 1 : at);
        }
    assert_null(list_find(&list_common_labels, "ww", 2));
    assert_null(list_find(&list_common_labels, "wwww", 4));
    assert_null(list_find(&list_common_labels, "", 0));
    assert_null(list_find(&list_services, "spamhaus.org blocklist", 22));
}

static void test_brands(void **state)
{
    (void)state;
    struct brand b;
    for (size_t i = 0; i < brands_count(); i++) {
        b = brand_at(i);
        assert_true(b.len >= 3 && *b.domains != '\0');
    }
    assert_true(brand_find("paypal", 6, &b) && b.kind == BRAND_NAME && brand_owns(&b, "paypal.com", 10));
    assert_false(brand_owns(&b, "paypal.co", 9));
    assert_false(brand_find("paypa", 5, &b));
    assert_true(brand_owned("ytimg.com", 9));
    assert_false(brand_owned("example.com", 11));
}

static void test_same_brand(void **state)
{
    (void)state;
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "fruitbowl", "fruitbowl", true }, { "fruitbowl", "fruitbowl-cdn", true }, { "myfruitbowl", "fruitbowl", true },
        { "fruitbowlads", "fruitbowlcdn", true }, { "fruitbowl", "oldtower", false }, { "abc", "abcdef", false }, { "online-shop", "online-bank", false },
        { "", "fruitbowl", false }, { "fruitbowl", "fruitfly", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice a = { (const uint8_t *)rows[i].a, strlen(rows[i].a) }, b = { (const uint8_t *)rows[i].b, strlen(rows[i].b) };
        if (parts_same_brand(a, b) != rows[i].same || parts_same_brand(b, a) != rows[i].same)
            fail_msg("%s, %s", rows[i].a, rows[i].b);
    }
}

static void test_random(void **state)
{
    (void)state;
    static const struct { const char *label; bool random; } rows[] = {
        { "x7k2q9", true }, { "qwrtzpsd", true }, { "a1b2c3", true }, { "harvest", false }, { "rctl-443", false }, { "mail2024", false }, { "ab1", false }, { "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (parts_random(rows[i].label, strlen(rows[i].label)) != rows[i].random)
            fail_msg("%s", rows[i].label);
}

static void test_networks(void **state)
{
    (void)state;
    static const struct { const char *a, *b; bool global, same; } rows[] = {
        { "66.9.0.1", "66.9.255.7", true, true }, { "66.9.0.1", "66.8.0.1", true, false }, { "2001:db8:1::1", "2001:db8:ffff::2", true, true },
        { "2001:db8::1", "2001:db9::1", true, false }, { "10.1.2.3", "10.1.2.3", false, true }, { "127.0.0.1", "127.0.0.2", false, true },
        { "0.0.0.0", "0.0.0.0", false, true }, { "192.168.1.1", "192.168.1.1", false, true }, { "172.31.0.1", "172.16.0.1", false, true },
        { "169.254.1.1", "224.0.0.1", false, true }, { "100.64.0.1", "255.255.255.255", false, true }, { "::1", "fe80::1", false, true }, { "fd00::1", "::", false, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t a[16], b[16];
        bool v6 = strchr(rows[i].a, ':') != NULL;
        assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, rows[i].a, a), 1);
        assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, rows[i].b, b), 1);
        uint64_t x = parts_network((struct slice){ a, v6 ? 16 : 4 }), y = parts_network((struct slice){ b, v6 ? 16 : 4 });
        if ((x != 0) != rows[i].global || (x == y) != rows[i].same)
            fail_msg("%s, %s", rows[i].a, rows[i].b);
    }
    assert_true(parts_network((struct slice){ (const uint8_t *)"\1\2\3", 3 }) == 0);
}

static void test_keys(void **state)
{
    (void)state;
    struct scene *w = world_make("5 www.example.co.uk MX mx.example.net\n5 www.example.co.uk A 66.9.0.1\n");
    uint8_t domain[NAME_KEY_MAX], target[NAME_KEY_MAX];
    char text[NAME_TEXT_MAX];
    struct slice key = parts_registered(w->suffixes, w->rows[0].key, domain);
    struct slice word = parts_word(w->suffixes, key);
    parts_text(key, text);
    assert_string_equal(text, "example.co.uk");
    assert_true(word.len == 7 && memcmp(word.ptr, "example", 7) == 0);
    assert_true(parts_within(w->rows[0].key, key) && !parts_within(key, w->rows[0].key));
    parts_text(parts_target(TYPE_MX, w->rows[0].rdata, target), text);
    assert_string_equal(text, "mx.example.net");
    for (size_t cut = 0; cut < w->rows[0].rdata.len; cut++)
        assert_int_equal(parts_target(TYPE_MX, (struct slice){ w->rows[0].rdata.ptr, cut }, target).len, 0);
    assert_int_equal(parts_target(TYPE_A, w->rows[1].rdata, target).len, 0);
    parts_text((struct slice){ (const uint8_t *)"com", 3 }, text); /* no end */
    assert_string_equal(text, "");
    assert_int_equal(parts_key("co.uk", 5, target).len, 7);
    assert_int_equal(parts_registered(w->suffixes, parts_key("co.uk", 5, target), domain).len, 0);
    assert_int_equal(parts_key("a..b", 4, target).len, 0);
    world_free(w);
}

static void test_youth(void **state)
{
    (void)state;
    struct scene *w = world_make("");
    struct profile p;
    profile_init(&p);
    int64_t now_s = step_end_s(WORLD_STEP);
    assert_true(youth(w, (uint32_t)(now_s - 6 * 86400), &p) == 1);
    double month = youth(w, (uint32_t)(now_s - 30 * 86400), &p);
    assert_true(month > 0.5 && month < 0.6);
    assert_true(youth(w, (uint32_t)(now_s - 60 * 86400), &p) == 0);
    w->network.first = WORLD_STEP - 48;
    assert_true(youth(w, (uint32_t)(now_s - 40 * 3600), &p) == 0.5);
    p.broad_days = YOUTH_BROAD_DAYS;
    assert_true(youth(w, (uint32_t)(now_s - 3600), &p) == 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists), cmocka_unit_test(test_brands), cmocka_unit_test(test_same_brand), cmocka_unit_test(test_random),
        cmocka_unit_test(test_networks), cmocka_unit_test(test_keys), cmocka_unit_test(test_youth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
