/* upkeep: merge, expire and purge: the commands that change a database without input. */
#include "cmd/commands.h"
#include "cmd/options.h"

#include "dns/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char merge_usage[] =
    "usage: dnsmon merge [OPTION...]\n\n"
    "Runs every merge that is due (slots to hours, hours to days, days to months) and ends.\n\n"
    OPTIONS_COMMON_HELP;
static const char expire_usage[] =
    "usage: dnsmon expire [OPTION...] [--as-of TIME]\n\n"
    "Drops the tables that the retention no longer keeps. Name tables stay. dnsmon capture does so by itself, once an\n"
    "hour of data time.\n\n"
    "  --keep-slot, --keep-hour, --keep-day, --keep-month DURATION\n"
    "                      how long after their period tables of a tier stay; 0 = for ever\n"
    "  --keep-activity DURATION\n"
    "                      the same for how hosts and domains were asked for by hour, in every tier (35d)\n"
    "  --keep-activity-days DURATION\n"
    "                      the same for what is left of those by day (3y)\n"
    "  --as-of TIME        as if it were this time\n" OPTIONS_COMMON_HELP;
static const char purge_usage[] =
    "usage: dnsmon purge [OPTION...] NAME\n\n"
    "Removes all that is known of NAME, from every table, for good. *.NAME is NAME --subtree.\n\n"
    "  --subtree           and of all names below it\n"
    "  --yes               do not ask\n" OPTIONS_COMMON_HELP;

enum { OWN_AS_OF = OPTION_OWN, OWN_SUBTREE, OWN_YES, OWN_KEEP };

static const struct option merge_longs[] = { OPTIONS_COMMON };
static const struct option expire_longs[] = {
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "keep-slot", required_argument, NULL, OWN_KEEP + TIER_SLOT },
    { "keep-hour", required_argument, NULL, OWN_KEEP + TIER_HOUR },
    { "keep-day", required_argument, NULL, OWN_KEEP + TIER_DAY },
    { "keep-month", required_argument, NULL, OWN_KEEP + TIER_MONTH },
    { "keep-activity", required_argument, NULL, OWN_KEEP + TIERS },
    { "keep-activity-days", required_argument, NULL, OWN_KEEP + TIERS + 1 },
    OPTIONS_COMMON,
};
static const struct option purge_longs[] = {
    { "subtree", no_argument, NULL, OWN_SUBTREE },
    { "yes", no_argument, NULL, OWN_YES },
    OPTIONS_COMMON,
};

static void tell(const struct options *o, const char *what, uint64_t n)
{
    if (o->json)
        printf("{\"%s\":%" PRIu64 "}\n", what, n);
    else
        printf("%s: %" PRIu64 "\n", what, n);
}

static void no_more_words(struct options *o, int from)
{
    if (o->exit < 0 && from < o->argc)
        options_wrong(o, "'%s' is one word too many", o->argv[from]);
}

static int open_to_change(const struct options *o, struct store **ret, struct fault *why)
{
    int rc = options_find_store(o, why);
    return rc ? rc : options_open_store(o, STORE_WRITE, ret, why);
}

/* ---- merge ---- */

static int merge_due(struct store *store, bool progress, uint64_t *ret_done, struct fault *why)
{
    struct store_merge due[64];
    size_t n;
    while ((n = store_due_merges(store, due, 64)) > 0)
        for (size_t i = 0; i < n; i++) {
            int rc = store_run_merge(store, &due[i], why);
            if (rc != 0)
                return rc;
            ++*ret_done;
            if (progress)
                command_say("merged %s, tier %u, %" PRIu64 " bytes", record_kinds[due[i].kind].name,
                            due[i].tier, due[i].bytes);
        }
    return E_OK;
}

static int merge(const struct options *o, struct fault *why)
{
    struct store *store;
    uint64_t done = 0;
    int rc = open_to_change(o, &store, why);
    if (rc != 0)
        return rc;
    rc = merge_due(store, o->progress || isatty(STDERR_FILENO), &done, why);
    store_close(&store);
    if (rc == 0)
        tell(o, "merges", done);
    return rc;
}

int cmd_merge(int argc, char **argv)
{
    struct options o;
    struct fault why = { 0 };
    options_start(&o, merge_usage, merge_longs, argc, argv);
    while (options_next(&o) > 0)
        ;
    no_more_words(&o, optind);
    if (o.exit < 0 && merge(&o, &why) != 0)
        o.exit = command_fail(&why);
    return options_end(&o);
}

/* ---- expire ---- */

static int expire(const struct options *o, int64_t now, struct fault *why)
{
    struct store *store;
    struct store_expired done = { 0 };
    int rc = open_to_change(o, &store, why);
    if (rc != 0)
        return rc;
    rc = store_expire(store, now, &done, why);
    store_close(&store);
    if (rc == 0 && o->json)
        printf("{\"tables_dropped\":%" PRIu64 ",\"tables_of_days_made\":%" PRIu64 "}\n", done.dropped, done.made);
    else if (rc == 0)
        printf("tables_dropped: %" PRIu64 "\ntables_of_days_made: %" PRIu64 "\n", done.dropped, done.made);
    return rc;
}

int cmd_expire(int argc, char **argv)
{
    static const char *const names[TIERS] = { "keep-slot", "keep-hour", "keep-day", "keep-month" };
    struct options o;
    struct fault why = { 0 };
    int64_t now = time(NULL);
    int c;
    options_start(&o, expire_usage, expire_longs, argc, argv);
    while ((c = options_next(&o)) > 0) {
        if (c == OWN_AS_OF)
            options_time(&o, "as-of", &now);
        else if (c == OWN_KEEP + TIERS)
            options_duration(&o, "keep-activity", &o.settings.keep_activity_s);
        else if (c == OWN_KEEP + TIERS + 1)
            options_duration(&o, "keep-activity-days", &o.settings.keep_days_s);
        else
            options_duration(&o, names[c - OWN_KEEP], &o.settings.keep_s[c - OWN_KEEP]);
    }
    no_more_words(&o, optind);
    if (o.exit < 0 && expire(&o, now, &why) != 0)
        o.exit = command_fail(&why);
    return options_end(&o);
}

/* ---- purge ---- */

struct purge {
    const char *name;
    bool subtree, yes;
};

static bool agreed(const struct purge *p, const char *db)
{
    char answer[16];
    if (p->yes)
        return true;
    fprintf(stderr, "Remove %s%s from %s for good? [y/N] ", p->name, p->subtree ? " and all names below it" : "", db);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int purge(const struct options *o, const struct purge *p, struct slice owner, struct fault *why)
{
    struct store *store;
    uint64_t removed = 0;
    int rc = open_to_change(o, &store, why);
    if (rc != 0)
        return rc;
    rc = store_purge(store, owner, p->subtree, &removed, why);
    store_close(&store);
    if (rc == 0)
        tell(o, "entries_removed", removed);
    return rc;
}

static void run_purge(struct options *o, const struct purge *p)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    struct fault why = { 0 };
    size_t n = name_from_text(p->name, strlen(p->name), wire);
    if (n == 0) {
        options_wrong(o, "'%s' is not a domain name", p->name);
        return;
    }
    if (!p->yes && !isatty(STDIN_FILENO)) {
        options_wrong(o, "purge asks on a terminal; elsewhere say --yes");
        return;
    }
    if (!agreed(p, o->settings.db)) {
        o->exit = EXIT_FAILED;
        command_say("nothing removed");
        return;
    }
    if (purge(o, p, (struct slice){ key, name_owner_key(wire, n, key) }, &why) != 0)
        o->exit = command_fail(&why);
}

int cmd_purge(int argc, char **argv)
{
    struct options o;
    struct purge p = { 0 };
    int c;
    options_start(&o, purge_usage, purge_longs, argc, argv);
    while ((c = options_next(&o)) > 0) {
        p.subtree |= c == OWN_SUBTREE;
        p.yes |= c == OWN_YES;
    }
    if (o.exit < 0 && optind == argc)
        options_wrong(&o, "which NAME?");
    no_more_words(&o, optind + 1);
    if (o.exit < 0) {
        p.name = argv[optind];
        if (strncmp(p.name, "*.", 2) == 0 && p.name[2] != '\0') {
            p.name += 2;
            p.subtree = true;
        }
        run_purge(&o, &p);
    }
    return options_end(&o);
}
