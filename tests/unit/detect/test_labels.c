/* labels: which labels are anybody's, and who shares the others. */
#include "small_world.h"

#include "detect/labels/weight.h"

extern const struct detector detector_labels;

static void test_weight(void **state)
{
    (void)state;
    static const struct { const char *label; double least, most; } rows[] = {
        { "www", 0, 0 }, { "www2", 0, 0 }, { "ns-3", 0, 0 }, { "em4821", 0, 0 }, { "s3", 0, 0 }, { "img1", 0, 0 }, { "a", 0, 0 },
        { "1", 0, 0 }, { "10-0-0-1", 0, 0 }, { "_dmarc", 0, 0 }, { "_x7", 0, 0 }, { "cdn-img", 0, 0 }, { "api-v2-test", 0, 0 },
        { "autodiscover", 0, 0 }, { "", 0, 0 }, { "vm12", 0, 0 },
        { "pm", 0.1, 0.2 }, { "rctl", 0.6, 0.6 }, { "rctl-443", 0.9, 1 }, { "gate-keeperx", 0.9, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double w = label_weight(rows[i].label, strlen(rows[i].label));
        if (w < rows[i].least || w > rows[i].most)
            fail_msg("%s: %.2f", rows[i].label, w);
    }
    assert_int_equal(label_stem("rctl-443", 8), 4);
    assert_int_equal(label_stem("rctl", 4), 4);
    assert_int_equal(label_stem("www-443", 7), 0);
}

#define THIRTY(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) \
    X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)
#define COMMON_HOST(n) "2000 qrstv-11.shop" #n "q.net A 192.0.2." #n "\n"

static void test_sharing(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "two roles under two unrelated new names",
          "40 rctl.fruitbowl.tk A 192.0.2.1\n40 rctl-443.fruitbowl.tk A 192.0.2.1\n30 pm.fruitbowl.tk A 192.0.2.1\n"
          "20 rctl.oldtower.xyz A 198.51.100.1\n20 rctl-443.oldtower.xyz A 198.51.100.1\n20 pm.oldtower.xyz A 198.51.100.1\n",
          "oldtower.xyz", 4, 6 },
        { "asked for before they are registered",
          "40 rctl.fruitbowl.tk NX\n40 rctl-443.fruitbowl.tk NX\n20 rctl.oldtower.xyz NX\n20 rctl-443.oldtower.xyz NX\n",
          "fruitbowl.tk", 3, 6 },
        { "an older name of the same, known for months",
          "2000 rctl.fruitbowl.tk A 192.0.2.1\n2000 rctl-443.fruitbowl.tk A 192.0.2.1\n10 rctl.fruitbowl.tk A 192.0.2.1\n"
          "10 rctl-443.fruitbowl.tk A 192.0.2.1\n20 rctl.oldtower.xyz NX\n20 rctl-443.oldtower.xyz NX\n",
          "oldtower.xyz", 2.5, 4.5 },
        { "three names say more than two",
          "40 rctl-443.fruitbowl.tk A 192.0.2.1\n20 rctl-443.oldtower.xyz A 198.51.100.1\n9 rctl-443.moonlamp.com A 203.0.113.9\n",
          "moonlamp.com", 2.5, 4 },
        { "one stem in several labels of each",
          "40 qrctl-a.fruitbowl.tk A 192.0.2.1\n40 qrctl-b.fruitbowl.tk A 192.0.2.1\n20 qrctl-c.oldtower.xyz A 198.51.100.1\n20 qrctl-d.oldtower.xyz A 198.51.100.1\n"
          "9 qrctl-e.moonlamp.com A 203.0.113.9\n9 qrctl-f.moonlamp.com A 203.0.113.9\n9 qrctl-g.saltmine.net A 203.0.113.8\n9 qrctl-h.saltmine.net A 203.0.113.8\n",
          "moonlamp.com", 0, 1.8 },
        { "alike, not equal",
          "40 qrctl.fruitbowl.tk A 192.0.2.1\n20 qrctl-443.oldtower.xyz A 198.51.100.1\n", "oldtower.xyz", 0, 1.2 },
        { "common labels",
          "40 www.fruitbowl.tk A 192.0.2.1\n40 mail.fruitbowl.tk A 192.0.2.1\n40 em4821.fruitbowl.tk A 192.0.2.1\n"
          "20 www.oldtower.xyz A 198.51.100.1\n20 mail.oldtower.xyz A 198.51.100.1\n20 em4821.oldtower.xyz A 198.51.100.1\n",
          "oldtower.xyz", 0, 0 },
        { "a word that many here use",
          THIRTY(COMMON_HOST) "40 qrstv-11.fruitbowl.tk A 192.0.2.77\n20 qrstv-11.oldtower.xyz A 198.51.100.1\n", "oldtower.xyz", 0, 0 },
        { "siblings by name",
          "40 rctl-443.fruitbowl.tk A 192.0.2.1\n20 rctl-443.fruitbowl.com A 198.51.100.1\n", "fruitbowl.tk", 0, 0 },
        { "one owner's old address that few share",
          "2000 www.elder.net A 192.0.2.1\n40 rctl-443.fruitbowl.tk A 192.0.2.1\n20 rctl-443.oldtower.xyz A 192.0.2.1\n", "fruitbowl.tk", 0, 0 },
        { "a new address shared by new names only proves no owner",
          "40 rctl-443.fruitbowl.tk A 192.0.2.1\n20 rctl-443.oldtower.xyz A 192.0.2.1\n", "fruitbowl.tk", 2, 4 },
        { "tenants of one established provider",
          "2000 www.saas.net A 192.0.2.1\n40 rctl-443.fruitbowl.tk CNAME t1.saas.net\n20 rctl-443.oldtower.xyz CNAME t2.saas.net\n",
          "fruitbowl.tk", 0, 0 },
        { "a search list: nothing of it exists",
          "9 fileserver-a.fruitbowl.tk NX\n9 printbox-b.fruitbowl.tk NX\n9 nasbox-c.fruitbowl.tk NX\n9 laserjet-d.fruitbowl.tk NX\n9 buildbox-e.fruitbowl.tk NX\n"
          "9 tapebox-f.fruitbowl.tk NX\n9 scanbox-g.fruitbowl.tk NX\n9 telebox-h.fruitbowl.tk NX\n9 faxbox-i.fruitbowl.tk NX\n"
          "9 fileserver-a.oldtower.xyz NX\n9 printbox-b.oldtower.xyz NX\n9 nasbox-c.oldtower.xyz NX\n9 laserjet-d.oldtower.xyz NX\n9 buildbox-e.oldtower.xyz NX\n"
          "9 tapebox-f.oldtower.xyz NX\n9 scanbox-g.oldtower.xyz NX\n9 telebox-h.oldtower.xyz NX\n9 faxbox-i.oldtower.xyz NX\n",
          "oldtower.xyz", 0, 0 },
        { "hosts that nobody has, in zones that exist",
          "99 www.fruitbowl.tk A 192.0.2.1\n99 www.oldtower.xyz A 198.51.100.2\n40 rctl-443.fruitbowl.tk NXHOST\n20 rctl-443.oldtower.xyz NXHOST\n",
          "fruitbowl.tk", 0, 0 },
    };
    world_check(&detector_labels, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_weight), cmocka_unit_test(test_sharing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
