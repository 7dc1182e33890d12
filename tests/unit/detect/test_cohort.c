/* Cohorts by hand, and in made-up networks whose seeds were not used for any choice of constants.
 *
 * With arguments: a report for the note: SEEDS NAMES CLIENTS. */
#include "pairs.h"

#include "detect/cohort/cohort.h"

/* ---- by hand ---- */

enum { BACKGROUND = 600, HAND_MAX = 700 };

struct hand {
    struct portrait portraits[HAND_MAX];
    const struct portrait *list[HAND_MAX];
    uint64_t clients[HAND_MAX][SUBJECT_CLIENTS];
    struct portrait_hour hours[HAND_MAX][CROWD_HOURS];
    char names[HAND_MAX][16];
    uint8_t keys[HAND_MAX][20];
    size_t n;
    struct panel panel;
};

static struct hand hand;

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Clients are numbers; a name is asked for in `hours` hours from `from` on. */
static struct portrait *give(const uint32_t *clients, unsigned n, unsigned from, unsigned hours)
{
    struct portrait *p = &hand.portraits[hand.n];
    uint64_t *ids = hand.clients[hand.n];
    for (unsigned i = 0; i < n; i++)
        ids[i] = hash_mix(clients[i] + 1000);
    qsort(ids, n, sizeof *ids, by_number);
    for (unsigned i = 0; i < hours; i++)
        hand.hours[hand.n][i] = (struct portrait_hour){ .at = (uint16_t)(from + i), .queries = n, .clients = n };
    snprintf(hand.names[hand.n], 16, "n%07zu.test", hand.n);
    memcpy(hand.keys[hand.n], "test", 5);
    memcpy(hand.keys[hand.n] + 5, hand.names[hand.n], 8);
    *p = (struct portrait){ .owner = { hand.keys[hand.n], 15 }, .name = hand.names[hand.n], .step = CROWD_FROM + CROWD_HOURS - 1,
                            .window_from = CROWD_FROM, .clients = ids, .n_clients = (uint16_t)n, .clients_whole = true,
                            .hours = hand.hours[hand.n], .n_hours = (uint16_t)hours };
    hand.list[hand.n] = p;
    hand.panel = (struct panel){ .portraits = hand.list, .n = ++hand.n, .step = p->step };
    return p;
}

/* Names with 2 to 9 clients at random out of 5000, each at hours of its own. */
static void background(void)
{
    memset(&hand, 0, sizeof hand);
    for (unsigned i = 0; i < BACKGROUND; i++) {
        uint32_t clients[9];
        unsigned n = 2 + hash_mix(i) % 8;
        for (unsigned k = 0; k < n; k++)
            clients[k] = 5000 / 9 * k + hash_mix(100 * i + k) % 500;
        give(clients, n, hash_mix(i + 7) % 300, 10);
    }
}

static struct findings run(void)
{
    struct findings f;
    findings_init(&f);
    assert_int_equal(cohort_compare(&hand.panel, &f, NULL, NULL), 0);
    check_findings(&f);
    return f;
}

struct plan {
    const char *what;
    unsigned clients, other_from; /* both names' clients: [9000, + clients), the second's from `other_from` on */
    unsigned hours, delay;        /* of both; of the second */
    unsigned habit;               /* this many background names have the same clients, too */
    bool found;
};

static const struct plan plans[] = {
    { "six clients in common", 6, 0, 10, 0, 0, true },
    { "six, at other times: enough clients do without", 6, 0, 10, 100, 0, true },
    { "eight of ten", 10, 2, 10, 0, 0, true },
    { "two of six", 6, 4, 10, 0, 0, false },
    { "three at the same hours", 3, 0, 10, 0, 0, true },
    { "two at the same hours", 2, 0, 10, 0, 0, true },
    { "two at other hours", 2, 0, 10, 100, 0, false },
    { "two in five hours", 2, 0, 5, 0, 0, false },
    { "three at other hours", 3, 0, 10, 100, 0, false },
    { "three in five hours", 3, 0, 5, 0, 0, false },
    { "one client in common", 1, 0, 10, 0, 0, false },
    { "clients that ask for half of all names", 6, 0, 10, 100, BACKGROUND / 2, false },
};

static void cohorts_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        const struct plan *p = &plans[i];
        uint32_t clients[32];
        background();
        for (unsigned k = 0; k < 32; k++)
            clients[k] = 9000 + k;
        for (unsigned k = 0; k < p->habit; k++) {
            struct portrait *b = &hand.portraits[k];
            uint64_t *ids = hand.clients[k];
            for (unsigned j = 0; j < p->clients; j++)
                ids[b->n_clients++] = hash_mix(clients[j] + 1000);
            qsort(ids, b->n_clients, sizeof *ids, by_number);
        }
        give(clients, p->clients, 50, p->hours);
        give(clients + p->other_from, p->clients, 50 + p->delay, p->hours);
        struct findings f = run();
        bool found = finding_of(&f, hand.names[BACKGROUND]) != NULL && finding_of(&f, hand.names[BACKGROUND + 1]) != NULL;
        if (found != p->found)
            print_error("%s\n", p->what);
        assert_int_equal(found, p->found);
        assert_int_equal(f.n, p->found ? 2 : 0);
        findings_release(&f);
    }
}

/* 128 clients of smallest id out of a thousand, and out of these and none, some, a thousand more. */
static void samples_are_compared(void **state)
{
    (void)state;
    static const unsigned extras[] = { 0, 250, 1000 };
    for (unsigned i = 0; i < 3; i++) {
        unsigned extra = extras[i];
        background();
        for (unsigned name = 0; name < 2; name++) {
            static uint64_t ids[2000];
            unsigned n = name ? 1000 + extra : 1000;
            for (unsigned k = 0; k < n; k++)
                ids[k] = hash_mix(20000 + k);
            qsort(ids, n, sizeof *ids, by_number);
            struct portrait *p = give(NULL, 0, 50, 10);
            memcpy(hand.clients[hand.n - 1], ids, SUBJECT_CLIENTS * sizeof *ids);
            p->n_clients = SUBJECT_CLIENTS;
            p->clients_whole = false;
        }
        struct findings f = run();
        assert_int_equal(f.n, extra < 1000 ? 2 : 0);
        if (f.n > 0) {
            json_t *facts = json_loads(f.kept[1].finding.facts, 0, NULL);
            double clients = json_number_value(json_object_get(facts, "clients"));
            assert_true(fabs(clients / (1000 + extra) - 1) < 0.25);
            json_decref(facts);
        }
        findings_release(&f);
    }
}

static void few_portraits_are_no_error(void **state)
{
    (void)state;
    static const uint32_t clients[] = { 1, 2, 3 };
    memset(&hand, 0, sizeof hand);
    for (unsigned n = 0; n < 3; n++) {
        struct findings f = run();
        assert_int_equal(f.n, 0);
        findings_release(&f);
        give(clients, 3, 0, 10);
    }
}

/* ---- crowds ---- */

static const struct crowd_plant plants[] = {
    { .names = 6, .clients = 12, .keeps = 0.9, .rate = 0.5 },
    { .names = 4, .clients = 3, .keeps = 1, .in_phases = true, .born = 100, .rate = 0.6 },
    { .names = 2, .clients = 40, .keeps = 0.85, .rate = 0.3 },
    { .names = 100, .clients = 15, .keeps = 0.8, .born = 200, .rate = 0.1 },
    { .names = 8, .clients = 5, .keeps = 0.9, .in_phases = true, .rate = 0.4 },
    { .names = 5, .clients = 1, .keeps = 1, .rate = 0.5 }, /* one client's habits: not to be found */
};
enum { PLANTS = sizeof plants / sizeof *plants };

static void compare_crowd(const struct crowd *c, struct findings *to)
{
    assert_int_equal(cohort_compare(&c->panel, to, NULL, NULL), 0);
}

static void crowds(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 102; seed++) {
        struct crowd *c = crowd_make(seed, 10000, 8000, plants, PLANTS, 0);
        struct findings f;
        struct crowd_score s = { .names = { 0 } };
        findings_init(&f);
        compare_crowd(c, &f);
        crowd_judge(c, &f, &s);
        assert_true(s.found[CROWD_ALONE] <= 5);
        assert_true(s.right[CROWD_BUNDLE] + s.right[CROWD_APP] + 5 >= s.found[CROWD_BUNDLE] + s.found[CROWD_APP]);
        for (unsigned i = 0; i + 1 < PLANTS; i++)
            assert_true(found_of_plant(c, &f, i, PLANTS) >= 0.9 * plants[i].names);
        assert_int_equal(found_of_plant(c, &f, PLANTS - 1, PLANTS), 0);
        findings_release(&f);
        crowd_free(c);
    }
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
    struct crowd_score s = { .names = { 0 } };
    unsigned found[PLANTS] = { 0 };
    for (uint64_t seed = 1001; seed < 1001 + seeds; seed++) {
        struct crowd *c = crowd_make(seed, names, clients, plants, PLANTS, 0);
        struct findings f;
        findings_init(&f);
        compare_crowd(c, &f);
        crowd_judge(c, &f, &s);
        for (unsigned i = 0; i < PLANTS; i++)
            found[i] += found_of_plant(c, &f, i, PLANTS);
        findings_release(&f);
        crowd_free(c);
    }
    crowd_print("cohort", &s);
    for (unsigned i = 0; i < PLANTS; i++)
        fprintf(stderr, "plant %u: %u of %u\n", i, found[i], seeds * plants[i].names);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cohorts_by_hand),
        cmocka_unit_test(samples_are_compared),
        cmocka_unit_test(few_portraits_are_no_error),
        cmocka_unit_test(crowds),
        cmocka_unit_test(runs_are_equal),
    };
    if (argc == 4)
        return report_crowds((unsigned)atoi(argv[1]), strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    return cmocka_run_group_tests_name("cohort", tests, NULL, NULL);
}
