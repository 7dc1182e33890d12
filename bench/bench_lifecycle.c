/* bench_lifecycle [--names N] [--changes M] [--days D] [--keep DIR]: the life cycle over N published names, then M changes among them; a JSON line.
 *
 * Names are found in one go, confirmed as the jump they are, and then after D days, 1 if not said, half of M are renewed and half of
 * them expire. With 0 names that is done to what was kept. The
 * seconds are of the wall clock, commits and their syncs among them. */
#include "protect/lifecycle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1700006400, DAY = 86400 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc, const struct fault *why)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_lifecycle: %s\n", why->text);
    exit(1);
}

static void find(struct knowledge *k, long n, enum indicator_state state, int64_t at)
{
    char name[64];
    struct fault why = { 0 };
    snprintf(name, sizeof name, "name%08lx.zone%ld.example", (unsigned long)(n * 2654435761u) & 0xffffffff, n % 1000);
    struct indicator i = { .name = name, .level = VERDICT_HIGH_RISK, .score = .95, .categories = "[\"malware\"]", .family = "", .first_seen = at - DAY,
                           .decided_at = at / 3600, .valid_until = at + 30 * DAY, .state = state, .reason = "high_risk: score and families" };
    must(indicator_put(k, &i, at, "dnsmon", &why), &why);
}

static void find_all(struct knowledge *k, long from, long to, enum indicator_state state, int64_t at)
{
    struct fault why = { 0 };
    must(knowledge_begin(k, &why), &why);
    for (long n = from; n < to; n++)
        find(k, n, state, at);
    must(knowledge_commit(k, &why), &why);
}

static double run(struct knowledge *k, struct lifecycle_options *o, struct lifecycle_result *ret)
{
    struct fault why = { 0 };
    double from = seconds();
    must(lifecycle_run(k, o, ret, &why), &why);
    return seconds() - from;
}

int main(int argc, char **argv)
{
    long names = 1000000, changes = 1000, days = 1;
    const char *dir = "bench-lifecycle";
    struct fault why = { 0 };
    struct suffix_list *suffixes;
    struct guard *guard;
    struct knowledge *k;
    struct protection policy;
    struct lifecycle_result first, confirmed, second, idle;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--names") == 0)
            names = atol(argv[i + 1]);
        else if (strcmp(argv[i], "--changes") == 0)
            changes = atol(argv[i + 1]);
        else if (strcmp(argv[i], "--days") == 0)
            days = atol(argv[i + 1]);
        else if (strcmp(argv[i], "--keep") == 0)
            dir = argv[i + 1];
    }
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return 1;
    protection_init(&policy);
    policy.approve.per_day = UINT64_MAX;
    must(suffix_load(&suffixes, SUFFIX_DEFAULT_PATH, &why), &why);
    must(guard_create(&guard, suffixes, &policy, &why), &why);
    must(knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why), &why);
    find_all(k, 0, names, INDICATOR_ACTIVE, NOW);
    struct lifecycle_options o = { &policy, guard, NOW, NULL };
    double held_s = run(k, &o, &first);
    o.confirmed_by = "bench";
    double confirmed_s = run(k, &o, &confirmed);
    o = (struct lifecycle_options){ &policy, guard, NOW + days * DAY, NULL };
    find_all(k, 0, changes / 2, INDICATOR_ACTIVE, NOW + days * DAY);
    find_all(k, changes / 2, changes, INDICATOR_EXPIRED, NOW + days * DAY);
    double changes_s = run(k, &o, &second), idle_s = run(k, &o, &idle);
    printf("{\"names\":%ld,\"held_s\":%.3f,\"confirmed_s\":%.3f,\"published\":%lld,\"changes\":%llu,\"changes_s\":%.4f,\"idle_s\":%.4f}\n", names,
           held_s, confirmed_s, (long long)confirmed.sizes.published, (unsigned long long)(second.renewed + second.out), changes_s, idle_s);
    knowledge_close(&k);
    guard_destroy(&guard);
    suffix_destroy(&suffixes);
    return 0;
}
