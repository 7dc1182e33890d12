/* The weights file: what is compiled in is whole, and every way of being wrong is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "detect/verdict/weights.h"

static void test_default(void **state)
{
    (void)state;
    struct verdict_weights w;
    weights_default(&w);
    assert_true(w.intercept < -5);
    assert_true(w.weight[GROUP_LABELS] > 0 && w.cap[JUDGED_CAMPAIGN] > 0);
    assert_true(w.level[VERDICT_WATCH] < w.level[VERDICT_SUSPICIOUS] && w.level[VERDICT_SUSPICIOUS] < w.level[VERDICT_HIGH_RISK]);
    assert_int_equal(strlen(w.digest), WEIGHTS_DIGEST - 1);
}

/* The compiled-in text with the first `from` replaced. */
static char *edited(const char *from, const char *to)
{
    const char *text = weights_text(), *at = strstr(text, from);
    assert_non_null(at);
    size_t size = strlen(text) + strlen(to) + 1;
    char *all = malloc(size);
    assert_non_null(all);
    snprintf(all, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return all;
}

static void test_bad(void **state)
{
    (void)state;
    static const struct { const char *from, *to, *why; } rows[] = {
        { "intercept\t-9.21", "intercept\t1", "out of its range" },
        { "intercept\t-9.21", "intercept\tnan", "out of its range" },
        { "intercept\t-9.21", "intercept\t", "missing or too long" },
        { "intercept\t-9.21\t", "intercept\t-9.21", "number of fields" },
        { "group\tcohort", "group\trhythm", "group twice" },
        { "group\tcohort", "group\tcohorts", "no such group" },
        { "group\tcohort", "# group\tcohort", "group cohort is missing" },
        { "group\trhythm\t0.58", "group\trhythm\t-0.58", "out of its range" },
        { "group\trhythm\t0.58", "group\trhythm\t0.58x", "not a number" },
        { "group\trhythm\t0.58\t8", "group\trhythm\t0.58\t13", "out of its range" },
        { "level\twatch", "level\tmalicious", "no such level" },
        { "level\twatch", "level\thigh_risk", "level twice" },
        { "level\twatch\t0.002", "level\twatch\t0.3", "does not rise" },
        { "level\twatch", "#", "level watch is missing" },
        { "rule\tfade_days", "rule\tfade_dayz", "no such rule" },
        { "rule\tfade_days", "rule\tfade_half_days", "rule twice" },
        { "rule\tfade_days", "#", "rule fade_days is missing" },
        { "rule\tfade_days", "conclusive\tx\t3\t\nconclusive\tx", "conclusive detector twice" },
        { "rule\tfade_days", "conclusive\t\t3\t\nrule\tfade_days", "not a detector's name" },
        { "intercept\t", "# ", "intercept is missing" },
        { "rule\tfade_days", "weight\tfade_days", "no such kind" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct verdict_weights w = { .intercept = 7 };
        struct fault why = { 0 };
        char *text = edited(rows[i].from, rows[i].to);
        if (weights_parse(text, strlen(text), &w, &why) != E_MALFORMED || strstr(why.text, rows[i].why) == NULL)
            fail_msg("row %zu: %s", i, why.text);
        assert_true(w.intercept == 7);
        free(text);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct verdict_weights w, shipped;
    struct fault why;
    weights_default(&shipped);
    char *many = edited("rule\tfade_days", "conclusive\ta\t3\t\nrule\tfade_days");
    assert_int_equal(weights_parse(many, strlen(many), &w, &why), 0);
    assert_int_equal(w.n_conclusive, shipped.n_conclusive + 1);
    assert_string_equal(w.conclusive[0].detector, "a");
    free(many);

    static char long_text[WEIGHTS_BYTES_MAX + 1];
    memset(long_text, '#', sizeof long_text);
    assert_int_equal(weights_parse(long_text, sizeof long_text, &w, &why), E_LIMIT);
    assert_int_equal(weights_read("/nonexistent", &w, &why), E_ABSENT);
}

/* Another text, another digest; the same, the same. */
static void test_digest(void **state)
{
    (void)state;
    struct verdict_weights a, b, c;
    char *text = edited("punctual", "exact");
    weights_default(&a);
    weights_default(&b);
    assert_int_equal(weights_parse(text, strlen(text), &c, NULL), 0);
    assert_string_equal(a.digest, b.digest);
    assert_string_not_equal(a.digest, c.digest);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default), cmocka_unit_test(test_bad), cmocka_unit_test(test_limits), cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
