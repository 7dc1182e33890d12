/* views: followed version by version, or made anew by a restart, a zone has the same records, and tells the same differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "knowledge/decision.h"
#include "knowledge/publication.h"
#include "protect/views.h"
#include "records.h"
#include "scratch.h"

enum { NOW = 1700006400, NAMES = 300 };

static struct fault why;
static struct knowledge *k;
static struct protection config;
static int64_t now;

#define OK(call)                                                       \
    do {                                                               \
        int rc_ = (call);                                              \
        if (rc_ != 0)                                                  \
            fail_msg("%s: %s (%s)", #call, fault_text(rc_), why.text); \
    } while (0)

/* One view of all that is enforced, one of high confidence that shows shadows. */
static int begin(void **state)
{
    static char path[160];
    static int n;
    (void)state;
    snprintf(path, sizeof path, "%s/%d", scratch_folder(), n++);
    assert_int_equal(mkdir(path, 0755), 0);
    OK(knowledge_open(&k, path, KNOWLEDGE_WRITE, &why));
    protection_init(&config);
    config.views = calloc(2, sizeof *config.views);
    config.n_views = 2;
    config.views[0] = (struct protection_view){ .zone = strdup("rpz.test"), .least = VERDICT_HIGH_RISK, .stages = 1u << STAGE_PUBLISHED,
                                                .action = strdup("nxdomain"), .ttl_s = 30 };
    config.views[1] = (struct protection_view){ .zone = strdup("sure.test"), .least = VERDICT_MALICIOUS, .ttl_s = 30,
                                                .stages = 1u << STAGE_PUBLISHED | 1u << STAGE_SHADOW, .action = strdup("nodata") };
    now = NOW;
    return 0;
}

static int end(void **state)
{
    (void)state;
    knowledge_close(&k);
    protection_release(&config);
    return 0;
}

static void put(const char *name, enum trigger trigger, enum stage stage, enum verdict_level level)
{
    struct publication p = { .name = name, .trigger = trigger, .stage = stage, .since = now, .approved_by = "dnsmon", .reason = "seen",
                             .level = level, .score = .9, .categories = "[\"malware\"]", .family = "" };
    OK(publication_put(k, &p, now, "dnsmon", &why));
}

static void seal(void)
{
    int64_t serial;
    OK(publication_seal(k, ++now, "test", &serial, &why));
}

static struct views *start(void)
{
    struct views *v;
    OK(views_create(&v, &config, &why));
    OK(views_begin(v, k, ++now, &why));
    OK(views_load(v, k, &why));
    return v;
}

/* The SOA's serial aside, of which a record set has two. */
static void all_of(struct zone *zone, struct records *ret)
{
    char line[RECORD_LINE];
    struct zone_walk w;
    struct zone_record rr;
    ret->n = 0;
    zone_walk_all(&w, zone);
    while (zone_walk_next(&w, &rr)) {
        record_line(&rr, line);
        if (strncmp(line, "SOA", 3) != 0)
            records_add(ret, line);
    }
    zone_walk_close(&w);
}

static void assert_same(struct views *a, struct views *b)
{
    struct records x, y;
    records_init(&x);
    records_init(&y);
    for (unsigned i = 0; i < views_count(a); i++) {
        all_of(views_zone(a, i), &x);
        all_of(views_zone(b, i), &y);
        assert_int_equal(zone_serial(views_zone(a, i)), zone_serial(views_zone(b, i)));
        assert_true(records_equal(&x, &y));
    }
    records_release(&x);
    records_release(&y);
}

static bool has(const struct views *v, unsigned view, enum trigger trigger, const char *name)
{
    return zone_find(views_zone(v, view), trigger, name) >= 0;
}

static void follow(struct views *v, bool expected)
{
    bool changed;
    OK(views_follow(v, k, &changed, &why));
    assert_int_equal(changed, expected);
}

static void test_follow(void **state)
{
    (void)state;
    put("old.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    seal();
    struct views *v = start();
    assert_true(has(v, 0, TRIGGER_DOMAIN, "old.example") && !has(v, 1, TRIGGER_DOMAIN, "old.example"));
    put("new.example", TRIGGER_HOST, STAGE_PUBLISHED, VERDICT_MALICIOUS);
    put("later.example", TRIGGER_DOMAIN, STAGE_SHADOW, VERDICT_MALICIOUS);
    follow(v, false); /* it is in no version yet */
    uint32_t quiet = zone_serial(views_zone(v, 0));
    seal();
    follow(v, true);
    assert_true(has(v, 0, TRIGGER_HOST, "new.example") && has(v, 1, TRIGGER_HOST, "new.example"));
    assert_true(!has(v, 0, TRIGGER_DOMAIN, "later.example") && has(v, 1, TRIGGER_DOMAIN, "later.example"));
    assert_string_equal(zone_action_text(views_zone(v, 1), (unsigned)zone_find(views_zone(v, 1), TRIGGER_DOMAIN, "later.example")), "passthru");
    put("old.example", TRIGGER_DOMAIN, STAGE_OUT, VERDICT_HIGH_RISK);
    uint32_t sure = zone_serial(views_zone(v, 1));
    seal();
    follow(v, true);
    assert_false(has(v, 0, TRIGGER_DOMAIN, "old.example"));
    assert_true(zone_serial(views_zone(v, 0)) > quiet);
    assert_int_equal(zone_serial(views_zone(v, 1)), sure); /* nothing of it changed */
    views_destroy(&v);
}

static void say(enum decision_action action, const char *name, enum scope scope, bool revoked)
{
    const struct decision d = { .at = now, .author = "ann", .action = action, .name = name, .scope = scope, .reason = "because" };
    if (revoked)
        OK(decision_revoke(k, action, name, scope, now, "ann", "no more", &why));
    else
        OK(decision_add(k, &d, NULL, &why));
}

static bool passes(const struct views *v, unsigned view, enum trigger trigger, const char *name)
{
    int action = zone_find(views_zone(v, view), trigger, name);
    return action >= 0 && strcmp(zone_action_text(views_zone(v, view), (unsigned)action), "passthru") == 0;
}

/* Allowed below a domain that a view blocks: passed through there, as long as both hold; the same after a restart. */
static void test_exceptions(void **state)
{
    (void)state;
    put("bad.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    seal();
    struct views *v = start();
    say(DECISION_ALLOW, "shop.bad.example", SCOPE_DOMAIN, false);
    say(DECISION_ALLOW, "harmless.example", SCOPE_DOMAIN, false);
    seal();
    follow(v, true);
    assert_true(passes(v, 0, TRIGGER_DOMAIN, "shop.bad.example") && !passes(v, 1, TRIGGER_DOMAIN, "shop.bad.example"));
    assert_false(has(v, 0, TRIGGER_DOMAIN, "harmless.example"));
    struct views *anew = start();
    follow(v, true);
    assert_same(v, anew);
    views_destroy(&anew);
    put("bad.example", TRIGGER_DOMAIN, STAGE_OUT, VERDICT_HIGH_RISK);
    seal();
    follow(v, true);
    assert_false(has(v, 0, TRIGGER_DOMAIN, "shop.bad.example"));
    put("bad.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    seal();
    follow(v, true);
    assert_true(passes(v, 0, TRIGGER_DOMAIN, "shop.bad.example"));
    now += 10; /* revoked later than it held */
    say(DECISION_ALLOW, "shop.bad.example", SCOPE_DOMAIN, true);
    put("shop.bad.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    seal();
    follow(v, true);
    assert_false(has(v, 0, TRIGGER_DOMAIN, "shop.bad.example")); /* bad.example covers it */
    anew = start();
    follow(v, true);
    assert_same(v, anew);
    views_destroy(&anew);
    views_destroy(&v);
}

/* What no zone can hold keeps nobody else out. */
static void test_refused(void **state)
{
    char name[256] = "";
    const char *text;
    (void)state;
    for (int i = 0; i < 4; i++)
        snprintf(name + strlen(name), sizeof name - strlen(name), "%060d.", i);
    name[strlen(name) - 1] = '\0';
    put(name, TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    put("short.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_HIGH_RISK);
    seal();
    struct views *v = start();
    assert_int_equal(views_refused(v, &text), 1);
    assert_true(text[0] != '\0');
    assert_true(has(v, 0, TRIGGER_DOMAIN, "short.example"));
    views_destroy(&v);
}

/* A hundred versions of random changes; each tenth the server is started anew, and has what the one that went on has. */
static void test_restart(void **state)
{
    uint64_t random = 42;
    (void)state;
    put("first.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_MALICIOUS);
    seal();
    struct views *v = start();
    uint32_t beginning = zone_serial(views_zone(v, 0));
    for (int version = 1; version <= 100; version++) {
        for (int i = 0; i < 20; i++) {
            char name[64];
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            snprintf(name, sizeof name, "n%d.example", (int)(random >> 33) % NAMES);
            put(name, (random >> 20 & 1) ? TRIGGER_DOMAIN : TRIGGER_HOST, (enum stage)(random >> 22 & 3), (random >> 24 & 1) ? VERDICT_HIGH_RISK : VERDICT_MALICIOUS);
        }
        seal();
        follow(v, true);
        if (version % 10 == 0) {
            struct views *anew = start();
            struct zone_walk w;
            follow(v, true); /* the version that the other one began with */
            assert_same(v, anew);
            assert_true(zone_walk_since(&w, views_zone(anew, 0), beginning)); /* secondaries of the former life get differences */
            zone_walk_close(&w);
            views_destroy(&anew);
        }
    }
    views_destroy(&v);
}

/* Other actions make other records of the same history: nobody gets differences across that. */
static void test_configured_anew(void **state)
{
    struct zone_walk w;
    (void)state;
    put("a.example", TRIGGER_DOMAIN, STAGE_PUBLISHED, VERDICT_MALICIOUS);
    seal();
    struct views *v = start();
    uint32_t before = zone_serial(views_zone(v, 0));
    views_destroy(&v);
    free(config.views[0].action);
    config.views[0].action = strdup("nodata");
    v = start();
    assert_false(zone_walk_since(&w, views_zone(v, 0), before));
    assert_true(zone_serial(views_zone(v, 0)) > before);
    assert_string_equal(zone_action_text(views_zone(v, 0), (unsigned)zone_find(views_zone(v, 0), TRIGGER_DOMAIN, "a.example")), "nodata");
    views_destroy(&v);
}

/* Serials rise when the clock goes back. */
static void test_clock(void **state)
{
    (void)state;
    struct views *v = start();
    uint32_t before = zone_serial(views_zone(v, 0));
    views_destroy(&v);
    now -= 86400;
    v = start();
    assert_true(zone_serial(views_zone(v, 0)) == before + 1);
    views_destroy(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_follow, begin, end),
        cmocka_unit_test_setup_teardown(test_exceptions, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_restart, begin, end),
        cmocka_unit_test_setup_teardown(test_configured_anew, begin, end),
        cmocka_unit_test_setup_teardown(test_clock, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
