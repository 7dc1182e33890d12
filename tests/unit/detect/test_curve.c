/* Curves by hand, and in made-up networks whose seeds were not used for any choice of constants.
 *
 * With arguments: a report for the note: SEEDS NAMES CLIENTS. */
#include "pairs.h"

#include "detect/curve/curve.h"
#include "detect/curve/turns.h"

enum { STEP = CROWD_FROM + CROWD_HOURS - 1, GAP = 150 };

/* ---- turns ---- */

struct series {
    double q[CROWD_HOURS];
};

static struct network_hour network_hours[CROWD_HOURS];

/* 2000 queries by night, 10000 by day; nothing recorded in [gap, gap + 5). */
static struct network rhythm(unsigned gap)
{
    for (unsigned h = 0; h < CROWD_HOURS; h++)
        network_hours[h] = (struct network_hour){ .hour = CROWD_FROM + h, .queries = gap && h >= gap && h < gap + 5 ? 0
                                                                          : h % 24 >= 8 && h % 24 < 20      ? 10000
                                                                                                            : 2000 };
    return (struct network){ .first = CROWD_FROM, .hours = network_hours, .n_hours = CROWD_HOURS };
}

static unsigned turns_of(const struct series *s, unsigned gap, uint32_t turns[TURNS_MAX])
{
    static struct portrait_hour hours[CROWD_HOURS];
    struct portrait p = { .window_from = CROWD_FROM, .step = STEP, .hours = hours };
    struct network network = rhythm(gap);
    struct curve_grid grid;
    struct curve curve;
    for (unsigned h = 0; h < CROWD_HOURS; h++)
        if (s->q[h] > 0 && (gap == 0 || h < gap || h >= gap + 5))
            hours[p.n_hours++] = (struct portrait_hour){ .at = (uint16_t)h, .queries = (uint32_t)s->q[h], .clients = 1 };
    curve_grid_make(&grid, STEP, &network);
    return curve_make(&curve, &grid, &p) ? curve_turns(&curve, &grid, turns) : 0;
}

enum shape { ALWAYS, OFFICE, NIGHTLY, LATE, OUTAGE, ENDS, SURGE, BEAT, RARE };

static struct series make_series(enum shape shape)
{
    struct series s = { { 0 } };
    for (unsigned h = 0; h < CROWD_HOURS; h++) {
        unsigned of_day = h % 24;
        switch (shape) {
        case ALWAYS: s.q[h] = 20 + h % 3; break;
        case OFFICE: s.q[h] = of_day >= 8 && of_day < 20 ? 50 : of_day == 21; break;
        case NIGHTLY: s.q[h] = of_day == 3 ? 5 : 0; break;
        case LATE: s.q[h] = h >= 100 ? 20 : 0; break;
        case OUTAGE: s.q[h] = h >= 100 && h < 110 ? 0 : 20; break;
        case ENDS: s.q[h] = h < 200 ? 20 : 0; break;
        case SURGE: s.q[h] = h >= 120 && h < 150 ? 200 : 10; break;
        case BEAT: s.q[h] = h % 13 == 5 && h / 13 % 5 != 4; break; /* it sleeps now and then */
        case RARE: s.q[h] = h == 17 || h == 76 || h == 131 || h == 170 || h == 233 || h == 290 || h == 335; break;
        }
    }
    return s;
}

static void turns_are_what_day_and_network_do_not_explain(void **state)
{
    (void)state;
    static const struct {
        enum shape shape;
        unsigned gap, n;
        uint32_t turns[8];
    } cases[] = {
        { ALWAYS, 0, 0, { 0 } },
        { OFFICE, 0, 0, { 0 } },
        { NIGHTLY, 0, 0, { 0 } },
        { ALWAYS, GAP, 0, { 0 } }, /* the sensor's silence, not the name's */
        { LATE, 0, 1, { 100 } },
        { OUTAGE, 0, 2, { 110, CURVE_HOURS + 100 } },
        { ENDS, 0, 1, { CURVE_HOURS + 200 } },
        { SURGE, 0, 2, { 120, CURVE_HOURS + 150 } },
        { BEAT, 0, 0, { 0 } },
        { RARE, 0, 6, { 76, 131, 170, 233, 290, 335 } }, /* hours at which it is else not asked for; the first is as old as the record */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct series s = make_series(cases[i].shape);
        uint32_t turns[TURNS_MAX];
        unsigned n = turns_of(&s, cases[i].gap, turns);
        if (n != cases[i].n || memcmp(turns, cases[i].turns, n * sizeof *turns) != 0)
            print_error("case %zu: %u turns, first %u\n", i, n, n ? turns[0] : 0);
        assert_int_equal(n, cases[i].n);
        assert_memory_equal(turns, cases[i].turns, n * sizeof *turns);
    }
}

static void restless_curves_have_no_shape(void **state)
{
    (void)state;
    struct series s = { { 0 } };
    for (unsigned h = 0; h < CROWD_HOURS; h += 7 + hash_mix(h + 1) % 4)
        s.q[h] = 300;
    uint32_t turns[TURNS_MAX];
    assert_int_equal(turns_of(&s, 0, turns), TURNS_MAX + 1);
}

/* ---- crowds ---- */

static const struct crowd_plant plants[] = {
    { .names = 6, .clients = 12, .keeps = 0.9, .in_phases = true, .rate = 0.5 },
    { .names = 4, .clients = 3, .keeps = 1, .in_phases = true, .born = 100, .rate = 0.6 },
    { .names = 5, .clients = 20, .keeps = 1, .in_phases = true, .rate = 0.9, .own_clients = true },
    { .names = 8, .clients = 5, .keeps = 0.9, .in_phases = true, .rate = 0.4 },
    { .names = 6, .clients = 40, .keeps = 1, .rate = 0.9 }, /* whenever people are there: nothing turns; not to be found */
};
enum { PLANTS = sizeof plants / sizeof *plants };

static void compare_crowd(const struct crowd *c, struct findings *to)
{
    assert_int_equal(curve_compare(&c->panel, &c->network, to, NULL, NULL), 0);
}

static void judge(uint64_t seed, size_t names, size_t clients, unsigned gap, struct crowd_score *s, unsigned found[PLANTS])
{
    struct crowd *c = crowd_make(seed, names, clients, plants, PLANTS, gap);
    struct findings f;
    findings_init(&f);
    compare_crowd(c, &f);
    crowd_judge(c, &f, s);
    for (unsigned i = 0; i < PLANTS; i++)
        found[i] += found_of_plant(c, &f, i, PLANTS);
    findings_release(&f);
    crowd_free(c);
}

static void crowds(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct crowd_score s = { .names = { 0 } };
        unsigned found[PLANTS] = { 0 };
        judge(101 + k, 10000, 8000, k ? GAP : 0, &s, found);
        assert_true(s.found[CROWD_ALONE] <= 10);
        assert_true(s.right[CROWD_BUNDLE] + s.right[CROWD_APP] + 20 >= s.found[CROWD_BUNDLE] + s.found[CROWD_APP]);
        for (unsigned i = 0; i + 1 < PLANTS; i++)
            assert_true(found[i] >= 0.7 * plants[i].names); /* of four one may be missing */
        assert_int_equal(found[PLANTS - 1], 0);
    }
}

/* A young database has no days to compare. */
static void two_days_are_too_few(void **state)
{
    (void)state;
    struct crowd *c = crowd_make(104, 1000, 700, plants, PLANTS, 0);
    struct findings f;
    struct curve_count count;
    findings_init(&f);
    c->network.first = STEP - 50;
    assert_int_equal(curve_compare(&c->panel, &c->network, &f, &count, NULL), 0);
    assert_int_equal(f.n, 0);
    c->network.first = STEP + 10; /* none at all */
    assert_int_equal(curve_compare(&c->panel, &c->network, &f, &count, NULL), 0);
    c->panel.n = 0;
    c->network.first = CROWD_FROM;
    assert_int_equal(curve_compare(&c->panel, &c->network, &f, &count, NULL), 0);
    findings_release(&f);
    crowd_free(c);
}

static void runs_are_equal(void **state)
{
    (void)state;
    struct crowd *c = crowd_make(103, 3000, 2000, plants, PLANTS, 0);
    check_deterministic(c, compare_crowd);
    crowd_free(c);
}

static int report_crowds(unsigned seeds, size_t names, size_t clients)
{
    for (unsigned gap = 0; gap <= GAP; gap += GAP) {
        struct crowd_score s = { .names = { 0 } };
        unsigned found[PLANTS] = { 0 };
        for (uint64_t seed = 1001; seed < 1001 + seeds; seed++)
            judge(seed, names, clients, gap, &s, found);
        crowd_print(gap ? "curve, with a gap" : "curve", &s);
        for (unsigned i = 0; i < PLANTS; i++)
            fprintf(stderr, "plant %u: %u of %u\n", i, found[i], seeds * plants[i].names);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_what_day_and_network_do_not_explain),
        cmocka_unit_test(restless_curves_have_no_shape),
        cmocka_unit_test(crowds),
        cmocka_unit_test(two_days_are_too_few),
        cmocka_unit_test(runs_are_equal),
    };
    if (argc == 4)
        return report_crowds((unsigned)atoi(argv[1]), strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
