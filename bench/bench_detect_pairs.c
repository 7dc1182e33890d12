/* bench_detect_pairs [--dense] [NAMES ...]: seconds and memory of the comparing detectors over made-up panels
 * (tests/unit/detect/crowd.h), or dense ones: every name with 24 clients and 30 hours at random, as hard as it gets.
 *
 * Memory is what a detector adds to the resident set at most, findings included. One JSON object a panel, with how many of six planted
 * names were found. */
#include "../tests/unit/detect/crowd.h"

#include <time.h>

#include "detect/cohort/cohort.h"
#include "detect/curve/curve.h"

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of /proc/self/status, MiB. */
static double resident(const char *what)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtod(line + strlen(what) + 1, NULL);
    if (f != NULL)
        fclose(f);
    return kib / 1024;
}

static void forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f == NULL)
        return;
    fputs("5", f);
    fclose(f);
}

static size_t planted(const struct crowd *c, const struct findings *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += c->kind[crowd_number_of_key(f->kept[i].finding.owner)] == CROWD_PLANT;
    return n;
}

static void measure(const struct crowd *c, const char *name)
{
    struct findings found;
    struct cohort_count cohort = { 0 };
    struct curve_count curve = { 0 };
    bool is_cohort = strcmp(name, "cohort") == 0;
    findings_init(&found);
    forget_peak();
    double before = resident("VmRSS"), start = now_s();
    int e = is_cohort ? cohort_compare(&c->panel, &found, &cohort, NULL)
                      : curve_compare(&c->panel, &c->network, &found, &curve, NULL);
    double seconds = now_s() - start;
    const struct kinship_count *count = is_cohort ? &cohort.real : &curve.real;
    printf(", \"%s\": {\"result\": %d, \"seconds\": %.2f, \"mib\": %.0f, \"findings\": %zu, \"planted\": %zu, \"pairs\": %lu, \"left_out\": %lu}",
           name, e, seconds, resident("VmHWM") - before, found.n, planted(c, &found), (unsigned long)count->pairs,
           (unsigned long)count->left_out);
    findings_release(&found);
}

static struct crowd *dense(size_t names, const struct crowd_plant *plant)
{
    struct crowd *c = calloc(1, sizeof *c);
    c->state = 7;
    c->n_clients = names / 4;
    arena_init(&c->memory, 1 << 20);
    for (size_t i = 0; i < names; i++) {
        uint32_t name = crowd_name(c, 0, CROWD_ALONE);
        for (unsigned k = 0; k < 30; k++)
            crowd_visit(c, name, k < 24 ? crowd_below(c, (uint32_t)c->n_clients) : c->visits[c->n_visits - 24].client,
                        crowd_below(c, CROWD_HOURS), 1);
    }
    crowd_plant(c, NULL, plant);
    crowd_network(c);
    crowd_portraits(c);
    return c;
}

static void run(size_t names, bool is_dense)
{
    static const struct crowd_plant plant = { .names = 6, .clients = 12, .keeps = 0.9, .in_phases = true, .rate = 0.5 };
    struct crowd *c = is_dense ? dense(names, &plant) : crowd_make(7, names, names, &plant, 1, 0);
    free(c->visits);
    c->visits = NULL;
    printf("{\"portraits\": %zu, \"dense\": %s", c->panel.n, is_dense ? "true" : "false");
    measure(c, "cohort");
    measure(c, "curve");
    printf("}\n");
    fflush(stdout);
    crowd_free(c);
}

int main(int argc, char **argv)
{
    bool is_dense = argc > 1 && strcmp(argv[1], "--dense") == 0;
    for (int i = 1 + is_dense; i < argc; i++)
        run(strtoul(argv[i], NULL, 10), is_dense);
    if (argc == 1 + is_dense) {
        run(10000, is_dense);
        run(100000, is_dense);
    }
    return 0;
}
