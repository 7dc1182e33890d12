/* What an hour's names can carry, and what the tunnel detector says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/channel.h"
#include "detect/findings.h"

extern const struct detector detector_tunnel;

enum { HOUR = 480000 };

struct hour {
    const char *what;
    unsigned names, length, clients; /* different names of so many characters, each asked for once */
    enum activity_counter type;
    bool denied;
    double least, most; /* what the detector says, in nats */
};

/* Names as base32 has them. */
static void fill(struct activity *a, const struct hour *h)
{
    uint8_t text[255];
    activity_init(a, true);
    for (unsigned i = 0; i < h->names; i++) {
        for (unsigned at = 0; at < h->length; at++)
            text[at] = (uint8_t)("abcdefghijklmnopqrstuvwxyz234567"[hash_mix(i * 257 + at + 1) >> 40 & 31]);
        activity_add_name(a, (struct activity_name){ hash_stable(text, h->length), (uint8_t)h->length, activity_entropy(text, h->length) });
    }
    for (unsigned i = 0; i < h->clients; i++)
        activity_add_client(a, hash_mix(i + 1), ACTIVITY_NO_SECOND);
    a->first = (uint64_t)HOUR * 3600;
    a->last = a->first + 3599;
    a->counters[ACTIVITY_QUERIES] = a->counters[ACTIVITY_ANSWERED] = a->counters[h->type] = h->names;
    a->counters[h->denied ? ACTIVITY_NX_HOST : ACTIVITY_NOERROR] = h->names;
}

static double examine(const struct hour *h)
{
    static struct activity a;
    struct suffix_list *suffixes;
    struct subject *s;
    struct profile none;
    struct fault why;
    struct findings found;
    const struct activity *asked;
    fill(&a, h);
    assert_int_equal(suffix_parse(&suffixes, "example\n", 8, &why), 0);
    assert_int_equal(subject_make(&s, "tunnel.example", suffixes, &why), 0);
    assert_int_equal(subject_give_hour(s, HOUR, &a), 0);
    profile_init(&none);
    assert_int_equal(subject_begin(s, HOUR, &none, &why), 0);
    assert_int_equal(subject_advance(s, HOUR, &asked, &why), 0);
    assert_non_null(asked);
    findings_init(&found);
    assert_int_equal(detector_tunnel.examine(s, NULL, &found, &why), 0);
    double strength = found.n ? found.kept[0].finding.strength : 0;
    findings_release(&found);
    subject_destroy(&s);
    suffix_destroy(&suffixes);
    return strength;
}

static void test_rows(void **state)
{
    (void)state;
    static const struct hour rows[] = {
        { "a name as long as can be, but few", 20, 200, 1, ACTIVITY_NULL, false, 0, 0 },
        { "www1 to www200", 200, 4, 50, ACTIVITY_A, false, 0, 0 },
        { "200 hosts of a network's customers", 200, 16, 60, ACTIVITY_A, false, 0, 1 },
        { "digests, by a whole office", 500, 32, 30, ACTIVITY_A, false, 2, 3 },
        { "a client's own in the office's time", 100, 60, 1, ACTIVITY_A, false, 2, 5 },
        { "iodine", 5000, 100, 1, ACTIVITY_NULL, false, 8, 12 },
        { "the same in TXT", 5000, 100, 1, ACTIVITY_TXT, false, 7, 10.5 },
        { "the same, none of which exists", 5000, 100, 1, ACTIVITY_A, true, 0, 0 },
        { "reversed addresses", 5000, 100, 1, ACTIVITY_PTR, false, 0, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double strength = examine(&rows[i]);
        print_message("# %-40s %.2f\n", rows[i].what, strength);
        assert_true(strength >= rows[i].least && strength <= rows[i].most);
    }
}

/* All names are in the sample as long as they are few: the sum is exact. */
static void test_carried(void **state)
{
    static struct activity a;
    struct hour h = { .names = 40, .length = 32, .type = ACTIVITY_A };
    double bits = 0;
    (void)state;
    fill(&a, &h);
    for (unsigned i = 0; i < a.n_names; i++)
        bits += 32 * a.names[i].entropy / 32.0;
    assert_int_equal(a.n_names, 40);
    assert_int_equal(channel_carried(&a), (uint32_t)(bits / 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_carried) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
