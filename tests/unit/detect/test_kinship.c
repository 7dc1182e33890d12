/* Scores of single pairs against the formula, the bounds of buckets, and what scores are worth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "detect/kinship.h"

enum { SETS_MAX = 4096, TOKENS_MAX = 1 << 16 };

struct world {
    uint32_t begin[SETS_MAX + 1], tokens[TOKENS_MAX], limit[SETS_MAX];
    float breadth[SETS_MAX];
    struct kinship_sets sets;
};

static struct world world;

static void empty(uint32_t n_tokens)
{
    world.sets = (struct kinship_sets){ .begin = world.begin, .tokens = world.tokens, .n_tokens = n_tokens, .breadth = world.breadth,
                                        .limit = world.limit };
}

static void add(const uint32_t *tokens, uint32_t n, uint32_t limit, float breadth)
{
    size_t i = world.sets.n++;
    memcpy(world.tokens + world.begin[i], tokens, n * sizeof *tokens);
    world.begin[i + 1] = world.begin[i] + n;
    world.limit[i] = limit;
    world.breadth[i] = breadth;
}

/* n sets of 8 of 4096 tokens; `n_kin` of them share 7. */
static void fill_random(uint32_t n, uint32_t n_kin, uint64_t seed)
{
    empty(4096);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t[8];
        for (uint32_t k = 0; k < 8; k++) { /* one of each 512: rising */
            uint64_t of = i < n_kin && k > 0 ? seed : seed + i + 1;
            t[k] = 512 * k + (uint32_t)(hash_mix(of * 8 + k) % 512);
        }
        add(t, 8, KINSHIP_WHOLE, 8);
    }
}

static struct kinship_result find(unsigned together)
{
    struct kinship_rule rule = { .together = together, .q = 0.8, .seed = 5 };
    struct kinship_result r;
    assert_int_equal(kinship_find(&world.sets, &rule, &r), 0);
    return r;
}

static void a_pair_scores_as_the_formula_says(void **state)
{
    (void)state;
    static const uint32_t a[] = { 1, 2, 3, 9 }, b[] = { 2, 3, 4 };
    empty(600);
    add(a, 4, KINSHIP_WHOLE, 4);
    add(b, 3, KINSHIP_WHOLE, 100);
    for (uint32_t i = 0; i < 500; i++) /* token 9 is common, 3 less so */
        add(i < 20 ? (const uint32_t[]){ 3, 9 } : (const uint32_t[]){ 9, 10 + i }, 2, KINSHIP_WHOLE, 2);
    uint32_t *degree = kinship_degrees(&world.sets);
    assert_int_equal(degree[9], 501);
    assert_int_equal(degree[3], 22);
    struct kinship_ground ground = kinship_ground(&world.sets, degree);
    double edges = 4 + 100 + 1000 + 1, tokens = 5 + 480;
    assert_true(ground.edges == edges && ground.tokens == tokens);
    struct kinship_pair p = kinship_pair(&world.sets, degree, &ground, 0.8, 0, 1);
    assert_int_equal(p.shared, 2);
    assert_int_equal(p.only_a, 2);
    assert_int_equal(p.only_b, 1);
    double ab = log(0.8 / (100 / tokens)) + 2 * log(0.2); /* of 3 chance makes 100 * 22 / edges: more than a program */
    double ba = log(0.8 / 0.01) + log(0.8 / (4 * 22 / edges)) + log(0.2);
    assert_true(fabs(p.score - fmin(ab, ba)) < 1e-9);
    assert_true(fabs(p.expected - (2 * 100 / tokens + 1 + 1)) < 1e-9);
    struct kinship_pair q = kinship_pair(&world.sets, degree, &ground, 0.8, 1, 0);
    assert_true(fabs(p.score - q.score) < 1e-9);
    free(degree);
}

static void a_sample_is_compared_as_far_as_it_goes(void **state)
{
    (void)state;
    static const uint32_t whole[] = { 1, 2, 3, 7, 8, 9 }, sample[] = { 1, 2, 3, 4 };
    empty(10);
    add(whole, 6, KINSHIP_WHOLE, 6);
    add(sample, 4, 4, 400);
    uint32_t *degree = kinship_degrees(&world.sets);
    struct kinship_ground ground = kinship_ground(&world.sets, degree);
    struct kinship_pair p = kinship_pair(&world.sets, degree, &ground, 0.8, 0, 1);
    assert_int_equal(p.shared, 3);
    assert_int_equal(p.only_a, 0);
    assert_int_equal(p.only_b, 1);
    free(degree);
}

static void kin_are_found_and_others_not(void **state)
{
    (void)state;
    for (unsigned together = 2; together <= 3; together++) {
        fill_random(2000, 6, 17);
        struct kinship_result r = find(together);
        for (uint32_t i = 0; i < 2000; i++)
            assert_true(i < 6 ? r.partners[i][0].score > 10 && r.partners[i][4].other < 6 && r.partners[i][5].score == 0
                              : r.partners[i][0].score == 0);
        kinship_result_release(&r);
    }
}

static void found_pairs_score_as_told_pairs(void **state)
{
    (void)state;
    fill_random(2000, 2, 3);
    struct kinship_result r = find(2);
    uint32_t *degree = kinship_degrees(&world.sets);
    struct kinship_ground ground = kinship_ground(&world.sets, degree);
    struct kinship_pair p = kinship_pair(&world.sets, degree, &ground, 0.8, 0, 1);
    assert_int_equal(r.partners[0][0].other, 1);
    assert_true(fabs(r.partners[0][0].score - (p.score - log(2001))) < 1e-4);
    free(degree);
    kinship_result_release(&r);
}

/* 1000 equal sets are a bucket for each key: everybody meets his neighbours, and the rest is counted. */
static void wide_buckets_are_bounded(void **state)
{
    (void)state;
    static const uint32_t same[] = { 1, 2, 3 };
    empty(4000);
    for (uint32_t i = 0; i < 1000; i++)
        add(same, 3, KINSHIP_WHOLE, 3);
    struct kinship_result r = find(2);
    assert_int_equal(r.count.pairs, 1000 * KINSHIP_WINDOW - KINSHIP_WINDOW * (KINSHIP_WINDOW + 1) / 2);
    assert_int_equal(r.count.wide_buckets, 3);
    assert_int_equal(r.count.left_out, 3 * (1000 - KINSHIP_WINDOW - 1));
    assert_int_equal(r.count.keys, 3000);
    assert_true(r.partners[500][0].score == 0); /* what everybody has is no evidence */
    kinship_result_release(&r);
}

/* Eight of 64 tokens each: two in common with very many others. */
static void meetings_are_bounded(void **state)
{
    (void)state;
    empty(64);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t t[8];
        for (uint32_t k = 0; k < 8; k++)
            t[k] = 8 * k + (uint32_t)(hash_mix(8 * i + k) % 8);
        add(t, 8, KINSHIP_WHOLE, 8);
    }
    struct kinship_result r = find(2);
    assert_true(r.count.cut_short > 1000 && r.count.pairs <= 2000 * KINSHIP_MEETINGS);
    kinship_result_release(&r);
}

static void entries_are_sorted_by_key_and_stay_in_order(void **state)
{
    (void)state;
    enum { N = 5000 };
    static uint64_t entries[N], spare[N];
    for (uint64_t i = 0; i < N; i++)
        entries[i] = hash_mix(i) % 700 * UINT64_C(0x100060) << 32 | i;
    kinship_sort(entries, spare, N);
    for (unsigned i = 1; i < N; i++)
        assert_true(entries[i - 1] < entries[i]);
}

static void strength_follows_the_decoys(void **state)
{
    (void)state;
    enum { N = 1000 };
    static struct kinship_partner real[N][KINSHIP_PARTNERS], decoy[N][KINSHIP_PARTNERS];
    for (unsigned i = 0; i < N; i++) {
        decoy[i][0].score = i < 200 ? (float)(5 - 3 * log((i + 0.5) / 200)) : 0; /* exponential tail of mean 3 */
        real[i][0].score = i < 10 ? 40 : 0;
    }
    struct kinship_result r = { .n = N, .partners = real }, d = { .n = N, .partners = decoy };
    struct kinship_scale s;
    assert_int_equal(kinship_scale_make(&r, &d, &s), 0);
    assert_true(s.tail_mean > 2.7 && s.tail_mean < 3.3);
    assert_true(kinship_panel_share(&s, 40) == 0.01);
    assert_true(fabs(log(kinship_decoy_share(&s, 30)) - (log(0.2) - 25 / 3.0)) < 1);
    assert_true(kinship_strength(&s, 4) < 0.2); /* a fifth of the decoys reaches 5 */
    assert_true(kinship_strength(&s, 0) == 0);
    double p = kinship_decoy_share(&s, 20);
    assert_true(fabs(kinship_strength(&s, 20) - (-log(p) - log(-log(p)) - 1)) < 1e-9);
    assert_true(kinship_strength(&s, 30) > kinship_strength(&s, 20));
    kinship_scale_release(&s);
}

/* Without decoys that score at all the score itself is the bound. */
static void strength_is_at_most_the_score(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct kinship_result r = { .n = N, .partners = calloc(N, sizeof *r.partners) };
    struct kinship_scale s;
    assert_int_equal(kinship_scale_make(&r, &r, &s), 0);
    assert_true(kinship_strength(&s, 1.5) == 1.5);
    assert_true(kinship_strength(&s, 0) == 0);
    kinship_scale_release(&s);
    free(r.partners);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_scores_as_the_formula_says),
        cmocka_unit_test(a_sample_is_compared_as_far_as_it_goes),
        cmocka_unit_test(kin_are_found_and_others_not),
        cmocka_unit_test(found_pairs_score_as_told_pairs),
        cmocka_unit_test(wide_buckets_are_bounded),
        cmocka_unit_test(meetings_are_bounded),
        cmocka_unit_test(entries_are_sorted_by_key_and_stay_in_order),
        cmocka_unit_test(strength_follows_the_decoys),
        cmocka_unit_test(strength_is_at_most_the_score),
    };
    return cmocka_run_group_tests_name("kinship", tests, NULL, NULL);
}
