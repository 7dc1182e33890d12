#include "cmd/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "scratch.h"

#include <string.h>

static int load(struct scenario *s, const char *text, struct fault *why)
{
    return scenario_load(s, scratch_file("scenario.yaml", text, strlen(text)), why);
}

static void test_full(void **state)
{
    (void)state;
    struct scenario s;
    struct fault why = { 0 };
    int rc = load(&s,
                  "seed: 5\nclients: 77\ndays: 2.5\nstart: 2024-02-29T12:00:00Z\nutc_offset_min: -90\nresolver_cache: false\n"
                  "activity: 0.5\nloss: 0.01\nshares: {iot: 0.3, churn: 0.4}\nmix: {sites: 900, junk: 2}\n"
                  "campaigns:\n  - {kind: beacon, clients: 4, period: 30m, suffix: co.uk, twin: false}\n"
                  "  - {kind: dga, id: loud, words: true, day: 1.5, jitter: 0.9}\n",
                  &why);
    if (rc != 0)
        fail_msg("%s", why.text);
    assert_true(s.seed == 5 && s.clients == 77 && s.days == 2.5 && s.start_s == 1709208000 && s.utc_offset_min == -90);
    assert_true(!s.resolver_cache && s.activity == 0.5 && s.loss == 0.01 && s.shares.iot == 0.3 && s.shares.churn == 0.4);
    assert_true(s.shares.server == 0.08); /* unsaid */
    assert_true(s.mix.sites == 900 && s.mix.junk == 2 && s.n_campaigns == 2);
    const struct scenario_campaign *beacon = &s.campaigns[0], *dga = &s.campaigns[1];
    assert_true(beacon->kind == CAMPAIGN_BEACON && beacon->clients == 4 && beacon->period_s == 1800 && !beacon->twin);
    assert_string_equal(beacon->id, "beacon-1");
    assert_string_equal(beacon->suffix, "co.uk");
    assert_true(dga->kind == CAMPAIGN_DGA && dga->words && dga->day == 1.5 && dga->jitter == 0.9 && dga->domains == 40 && dga->twin);
    assert_string_equal(dga->id, "loud");
}

static const struct {
    const char *text, *says;
} wrong[] = {
    { "clients: many\n", "scenario.yaml:1:" },
    { "seed: 1\nclents: 5\n", "scenario.yaml:2: Unexpected key: clents" },
    { "start: soon\n", "scenario.yaml:1: start: 'soon' is not a time" },
    { "campaigns:\n  - {kind: flood}\n", "scenario.yaml:2: kind: 'flood' is not a kind" },
    { "campaigns:\n  - {clients: 4}\n", "kind" },
    { "campaigns:\n  - {kind: dga, period: often}\n", "scenario.yaml:2: period: 'often' is not a duration" },
    { "campaigns:\n  - {kind: dga, id: 'a\"b'}\n", "id: 'a\"b' is not a word" }, /* it goes into JSON */
    { "campaigns:\n  - {kind: dga, suffix: 'co..uk'}\n", "suffix" },
    { "campaigns:\n  - {kind: dga, suffix: 'UK'}\n", "suffix" },
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct scenario s;
        struct fault why = { 0 };
        assert_int_equal(load(&s, wrong[i].text, &why), E_MALFORMED);
        if (strstr(why.text, wrong[i].says) == NULL)
            fail_msg("row %zu says: %s", i, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_full), cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
