/* nest: however rules come and go below each other, a server that keeps to RFC 4592 finds in the zone what a policy means: of each name the
 * host's action, else that of the nearest domain at or above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "protect/nest.h"
#include "records.h"

enum { DEPTH = 4, NAMES = 2 + 4 + 8 + 16 + 2, VERSIONS = 3000, ACTIONS = 3 };

static const struct zone_options options = {
    .origin = "rpz.test", .ns = "localhost", .mname = "localhost", .rname = "hostmaster.localhost", .ttl_s = 30,
    .refresh_s = 60, .retry_s = 5, .expire_s = 3600, .minimum_s = 30, .journal_max = 100000,
};

static struct fault why;

#define OK(call)                                                       \
    do {                                                               \
        int rc_ = (call);                                              \
        if (rc_ != 0)                                                  \
            fail_msg("%s: %s (%s)", #call, fault_text(rc_), why.text); \
    } while (0)

/* bad.example, a.bad.example, b.bad.example, a.a.bad.example, ...; and one that is not below it. */
static char names[NAMES][64];
static int wanted[NAMES][2]; /* as a host, as a domain; -1 = not */
static size_t n_names;

static void name_all(void)
{
    n_names = 0;
    snprintf(names[n_names++], sizeof names[0], "bad.example");
    snprintf(names[n_names++], sizeof names[0], "other.example");
    for (size_t from = 0, to = 1, depth = 1; depth <= DEPTH; depth++) {
        size_t first = n_names;
        for (size_t i = from; i < to; i++)
            for (int label = 'a'; label <= 'b'; label++) {
                char name[64];
                snprintf(name, sizeof name, "%c.%s", label, names[i]);
                snprintf(names[n_names++], sizeof names[0], "%s", name);
            }
        from = first;
        to = n_names;
    }
    for (size_t i = 0; i < n_names; i++)
        wanted[i][0] = wanted[i][1] = -1;
}

/* What a policy means. */
static int meant(const char *name)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], name) == 0 && wanted[i][0] >= 0)
            return wanted[i][0];
    for (const char *at = name; at != NULL; at = knowledge_parent(at))
        for (size_t i = 0; i < n_names; i++)
            if (strcmp(names[i], at) == 0 && wanted[i][1] >= 0)
                return wanted[i][1];
    return -1;
}

/* The records of a zone: owner without the final dot, and RDATA. */
static struct records zone_records;

static void read_zone(struct zone *zone)
{
    struct zone_walk w;
    struct zone_record rr;
    char line[RECORD_LINE];
    zone_records.n = 0;
    zone_walk_all(&w, zone);
    while (zone_walk_next(&w, &rr)) {
        record_line(&rr, line);
        if (rr.owner.len != 0)
            records_add(&zone_records, line);
    }
    zone_walk_close(&w);
}

static const char *rdata_at(const char *owner)
{
    size_t len = strlen(owner);
    for (size_t i = 0; i < zone_records.n; i++)
        if (strncmp(zone_records.lines[i], owner, len) == 0 && strncmp(zone_records.lines[i] + len, ". 5 ", 4) == 0)
            return zone_records.lines[i] + len + 4;
    return NULL;
}

static bool exists(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < zone_records.n; i++) {
        size_t owner = strcspn(zone_records.lines[i], " ") - 1;
        if (owner >= len && strncmp(zone_records.lines[i] + owner - len, name, len) == 0 && (owner == len || zone_records.lines[i][owner - len - 1] == '.'))
            return true;
    }
    return false;
}

/* As a server finds it (RFC 4592, 3.3.1). */
static const char *found(const char *name)
{
    char star[96];
    if (exists(name))
        return rdata_at(name);
    while (name != NULL && !exists(name))
        name = knowledge_parent(name);
    if (name == NULL)
        return NULL;
    snprintf(star, sizeof star, "*.%.64s", name);
    return rdata_at(star);
}

static const char *const actions[ACTIONS] = { "nxdomain", "nodata", "passthru" };
static const char *const rdata[ACTIONS] = { "00", "012a00", "0c72" };

static void compare(const char *name)
{
    int want = meant(name);
    const char *is = found(name);
    if (want < 0 ? is != NULL : is == NULL || strncmp(is, rdata[want], strlen(rdata[want])) != 0)
        fail_msg("%s: wanted %s, found %s", name, want < 0 ? "nothing" : actions[want], is ? is : "nothing");
}

static void compare_all(struct zone *zone)
{
    read_zone(zone);
    for (size_t i = 0; i < n_names; i++) {
        char below[80];
        compare(names[i]);
        snprintf(below, sizeof below, "x.%.64s", names[i]);
        compare(below);
    }
}

static void test_random(void **state)
{
    struct nest nest = { .below = NULL };
    struct zone *zone;
    uint64_t random = 1;
    unsigned numbers[ACTIONS];
    (void)state;
    name_all();
    records_init(&zone_records);
    OK(zone_create(&zone, &options, &why));
    for (int a = 0; a < ACTIONS; a++)
        OK(zone_action(zone, actions[a], &numbers[a], &why));
    for (uint32_t version = 1; version <= VERSIONS; version++) {
        struct { size_t name; int kind; } changed[3];
        OK(zone_begin(zone, version, &why));
        for (int i = 0; i < 3; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            size_t name = (size_t)(random >> 33) % n_names;
            int kind = (int)(random >> 20 & 1), action = (int)(random >> 24) % 6;
            action = action < ACTIONS ? action : -1;
            wanted[name][kind] = action;
            changed[i].name = name;
            changed[i].kind = kind;
            OK(nest_put(&nest, zone, kind ? TRIGGER_DOMAIN : TRIGGER_HOST, names[name], action < 0 ? -1 : (int)numbers[action], &why));
        }
        for (int i = 0; i < 3 && nest.is_due; i++)
            OK(nest_mind(&nest, zone, changed[i].kind ? TRIGGER_DOMAIN : TRIGGER_HOST, names[changed[i].name], &why));
        OK(nest_settle(&nest, zone, &why));
        OK(zone_commit(zone, &why));
        for (size_t i = 0; i < n_names; i++)
            for (int kind = 0; kind < 2; kind++)
                assert_int_equal(nest_find(&nest, zone, kind ? TRIGGER_DOMAIN : TRIGGER_HOST, names[i]),
                                 wanted[i][kind] < 0 ? -1 : (int)numbers[wanted[i][kind]]);
        compare_all(zone);
    }
    nest_release(&nest);
    zone_destroy(&zone);
    records_release(&zone_records);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
