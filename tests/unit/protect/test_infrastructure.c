/* infrastructure, targets: at which places published names are alone, and what is published of that as others come and operators speak.
 * store_watermark is wrapped: it says NOW, and what else happens while the store is searched. */
#include "protect/targets.h"

#include "../detect/stored.h"
#include "knowledge/decision.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { NOW = 1700006400, DAY = 86400, LEAST = 2 };

static struct suffix_list *suffixes;
static struct guard *guard;
static struct protection policy;
static struct knowledge *k;
static struct store *store;
static int64_t now;

static int begin(void **state)
{
    static char path[160];
    static int n;
    (void)state;
    snprintf(path, sizeof path, "%s/k%d", scratch_folder(), n++);
    assert_int_equal(mkdir(path, 0755), 0);
    now = NOW;
    protection_init(&policy);
    policy.infrastructure = LEAST;
    suffixes = stored_suffixes();
    OK(guard_create(&guard, suffixes, &policy, &why));
    OK(knowledge_open(&k, path, KNOWLEDGE_WRITE, &why));
    stored_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    store_close(&store);
    stored_new();
    knowledge_close(&k);
    guard_destroy(&guard);
    suffix_destroy(&suffixes);
    protection_release(&policy);
    return 0;
}

/* ---- what there is ---- */

/* "HOST PLACE", days before NOW; a place is an address or a name server. */
static void points_then(const char *text, int days)
{
    char host[64], place[64];
    uint8_t bytes[NAME_WIRE_MAX];
    uint64_t at = (uint64_t)(NOW - days * DAY);
    assert_int_equal(sscanf(text, "%63s %63s", host, place), 2);
    if (inet_pton(AF_INET, place, bytes) == 1)
        stored_record(host, TYPE_A, (struct slice){ bytes, 4 }, at);
    else if (inet_pton(AF_INET6, place, bytes) == 1)
        stored_record(host, TYPE_AAAA, (struct slice){ bytes, 16 }, at);
    else
        stored_record(host, TYPE_NS, (struct slice){ bytes, name_from_text(place, strlen(place), bytes) }, at);
}

static void points(const char *text)
{
    points_then(text, 1);
}

static void put(const char *name, enum trigger trigger, enum stage stage)
{
    struct publication p = { .name = name, .trigger = trigger, .stage = stage, .since = now, .approved_by = "dnsmon", .reason = "seen",
                             .level = VERDICT_HIGH_RISK, .score = .9, .categories = "[\"malware\"]", .family = "", .first_seen = now };
    OK(publication_put(k, &p, now, "dnsmon", &why));
}

static void publish(const char *name)
{
    put(name, TRIGGER_DOMAIN, STAGE_PUBLISHED);
}

static void allow(const char *name, enum scope scope)
{
    struct decision d = { .at = now, .author = "ann", .action = DECISION_ALLOW, .name = name, .scope = scope, .reason = "ours" };
    OK(decision_add(k, &d, NULL, &why));
}

/* The store anew, with what is pointed at by now. */
static void restore(void)
{
    store_close(&store);
    store = stored_open();
}

static void (*meanwhile)(void);

int64_t __wrap_store_watermark(const struct store *s);
int64_t __wrap_store_watermark(const struct store *s)
{
    (void)s;
    if (meanwhile != NULL)
        meanwhile();
    return NOW;
}

/* ---- what is found ---- */

static char seen[1024];

static int note_found(void *ctx, const struct infrastructure *i, struct fault *sink_why)
{
    size_t used = strlen(seen);
    (void)ctx, (void)sink_why;
    snprintf(seen + used, sizeof seen - used, "%s %s %u %u;", trigger_text(i->trigger), i->text, i->domains, i->hosts);
    return 0;
}

static void expect_found(const char *text)
{
    struct infrastructure_search s = { .store = store, .suffixes = suffixes, .k = k, .now = NOW, .until = NOW, .least = LEAST };
    uint64_t skipped = 1;
    seen[0] = '\0';
    OK(infrastructure_find(&s, note_found, NULL, &skipped, &why));
    assert_string_equal(seen, text);
    assert_int_equal(skipped, 0);
}

struct row {
    const char *what;
    const char *points[6];
    const char *published[4]; /* with a star: the host alone */
    const char *found;
};

static const struct row rows[] = {
    { "all are published", { "www.a.test 192.0.2.1", "b.test 192.0.2.1" }, { "a.test", "b.test" }, "address 192.0.2.1 2 2;" },
    { "an innocent host", { "www.a.test 192.0.2.1", "b.test 192.0.2.1", "c.test 192.0.2.1" }, { "a.test", "b.test" }, "" },
    { "one domain alone", { "www.a.test 192.0.2.1", "x.a.test 192.0.2.1" }, { "a.test" }, "" },
    { "hosts", { "www.a.test 192.0.2.1", "b.test 192.0.2.1" }, { "*www.a.test", "b.test" }, "address 192.0.2.1 2 2;" },
    { "a neighbour of a host", { "www.a.test 192.0.2.1", "x.a.test 192.0.2.1", "b.test 192.0.2.1" }, { "*www.a.test", "b.test" }, "" },
    { "a name that ends like it", { "a.test 192.0.2.1", "b.test 192.0.2.1", "xa.test 192.0.2.1" }, { "a.test", "b.test" }, "" },
    { "two versions", { "a.test 2001:db8::1", "b.test 2001:db8::1" }, { "a.test", "b.test" }, "address 2001:db8::1 2 2;" },
    { "the next address", { "a.test 192.0.2.255", "b.test 192.0.2.255", "c.test 192.0.3.0" }, { "a.test", "b.test" }, "address 192.0.2.255 2 2;" },
    { "private", { "a.test 10.0.0.1", "b.test 10.0.0.1" }, { "a.test", "b.test" }, "" },
    { "loopback", { "a.test 127.0.0.1", "b.test 127.0.0.1" }, { "a.test", "b.test" }, "" },
    { "of no one", { "a.test 0.0.0.0", "b.test 0.0.0.0", "a.test 100.64.0.1", "b.test 100.64.0.1" }, { "a.test", "b.test" }, "" },
    { "local", { "a.test fe80::1", "b.test fe80::1", "a.test fd00::1", "b.test fd00::1" }, { "a.test", "b.test" }, "" },
    { "name servers", { "a.test NS1.evil.test", "b.test ns1.evil.test" }, { "a.test", "b.test" }, "nameserver ns1.evil.test 2 2;" },
    { "of others, too", { "a.test ns1.evil.test", "b.test ns1.evil.test", "c.test ns1.evil.test" }, { "a.test", "b.test" }, "" },
    { "of others below it", { "a.test ns1.evil.test", "b.test ns1.evil.test", "c.test x.ns1.evil.test" }, { "a.test", "b.test" }, "" },
    { "below it", { "a.test ns1.evil.test", "b.test x.ns1.evil.test" }, { "a.test", "b.test" }, "nameserver ns1.evil.test 2 2;" },
    { "beside it", { "a.test ns1.evil.test", "b.test ns1.evil.test", "c.test xns1.evil.test", "d.test ns10.evil.test" }, { "a.test", "b.test" },
      "nameserver ns1.evil.test 2 2;" },
};

static void publish_row(const struct row *r)
{
    for (size_t i = 0; i < 4 && r->published[i] != NULL; i++)
        put(r->published[i] + (r->published[i][0] == '*'), r->published[i][0] == '*' ? TRIGGER_HOST : TRIGGER_DOMAIN, STAGE_PUBLISHED);
}

static void finds(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i > 0)
            begin(state);
        for (size_t j = 0; j < 6 && rows[i].points[j] != NULL; j++)
            points(rows[i].points[j]);
        publish_row(&rows[i]);
        restore();
        print_message("# %s\n", rows[i].what);
        expect_found(rows[i].found);
        if (i + 1 < sizeof rows / sizeof rows[0])
            end(state);
    }
}

/* An innocent host of eight days ago is no longer there; a published one counts no more. */
static void of_seven_days(void **state)
{
    (void)state;
    points("a.test 192.0.2.1");
    points("b.test 192.0.2.1");
    points_then("c.test 192.0.2.1", 8);
    points("a.test 192.0.2.2");
    points_then("b.test 192.0.2.2", 8);
    publish("a.test");
    publish("b.test");
    restore();
    expect_found("address 192.0.2.1 2 2;");
}

static void not_what_waits(void **state)
{
    (void)state;
    points("a.test 192.0.2.1");
    points("b.test 192.0.2.1");
    publish("a.test");
    put("b.test", TRIGGER_DOMAIN, STAGE_SHADOW);
    restore();
    expect_found("");
}

/* The nearest word holds. */
static void not_what_is_allowed(void **state)
{
    (void)state;
    points("www.a.test 192.0.2.1");
    points("b.test 192.0.2.1");
    publish("a.test");
    publish("b.test");
    restore();
    allow("other.a.test", SCOPE_DOMAIN);
    allow("a.test", SCOPE_HOST);
    expect_found("address 192.0.2.1 2 2;");
    allow("www.a.test", SCOPE_HOST);
    expect_found("");
    publish("www.a.test");
    allow("b.test", SCOPE_DOMAIN);
    expect_found("");
}

static void no_hoster(void **state)
{
    char line[64];
    (void)state;
    for (int i = 0; i <= INFRASTRUCTURE_HOSTS; i++) {
        snprintf(line, sizeof line, "h%d.%c.test 192.0.2.1", i, 'a' + i % 2);
        points(line);
        snprintf(line, sizeof line, "h%d.%c.test 192.0.2.2", i, 'a' + i % 2);
        if (i < INFRASTRUCTURE_HOSTS)
            points(line);
    }
    publish("a.test");
    publish("b.test");
    restore();
    expect_found("address 192.0.2.2 2 4096;");
}

/* ---- what is kept ---- */

static struct targets_result last;

static void keep_by(enum targets_look look, const char *confirmed_by)
{
    const struct lifecycle_options life = { &policy, guard, now, confirmed_by };
    const struct targets_options o = { .life = &life, .suffixes = suffixes, .store = store, .look = look };
    struct targets_result again;
    OK(targets_keep(k, &o, &last, &why));
    OK(targets_keep(k, &o, &again, &why)); /* changes nothing */
    assert_int_equal(again.version, 0);
    assert_int_equal(again.published + again.shadowed + again.reviewed + again.out, 0);
    assert_int_equal(again.kept, last.kept);
}

static void keep(void)
{
    keep_by(TARGETS_ALL, NULL);
}

static int note(void *ctx, const struct publication *p, struct fault *sink_why)
{
    size_t used = strlen(seen);
    (void)ctx, (void)sink_why;
    if (!trigger_has_scope(p->trigger))
        snprintf(seen + used, sizeof seen - used, "%s %s by %s;", p->name, stage_text(p->stage), p->approved_by[0] ? p->approved_by : "-");
    return 0;
}

static void expect(const char *text)
{
    seen[0] = '\0';
    OK(publication_each(k, ~0u, note, NULL, &why));
    assert_string_equal(seen, text);
}

static int note_reason(void *ctx, const struct publication *p, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    snprintf(seen, sizeof seen, "%s", p->reason);
    return 0;
}

static void expect_reason(const char *name, enum trigger trigger, const char *text)
{
    seen[0] = '\0';
    OK(publication_find(k, name, trigger, note_reason, NULL, &why));
    assert_string_equal(seen, text);
}

static void two_at(const char *place)
{
    char line[64];
    snprintf(line, sizeof line, "a.test %s", place);
    points(line);
    snprintf(line, sizeof line, "b.test %s", place);
    points(line);
}

static void start(void)
{
    publish("a.test");
    publish("b.test");
    restore();
}

static void an_innocent_one_comes(void **state)
{
    (void)state;
    two_at("192.0.2.1");
    two_at("ns1.evil.test");
    start();
    keep();
    expect("192.0.2.1 published by dnsmon;ns1.evil.test published by dnsmon;");
    expect_reason("192.0.2.1", TRIGGER_ADDRESS, "2 hosts of 2 registered domains point at it, all of them published");
    assert_true(last.version != 0 && last.published == 2 && last.kept == 2);
    points("c.test 192.0.2.1");
    restore();
    keep_by(TARGETS_KNOWN, NULL);
    expect("192.0.2.1 out by -;ns1.evil.test published by dnsmon;");
    assert_true(last.version != 0 && last.out == 1 && last.kept == 1);
    publish("c.test");
    keep_by(TARGETS_KNOWN, NULL);
    expect("192.0.2.1 out by -;ns1.evil.test published by dnsmon;");
    keep();
    expect("192.0.2.1 published by dnsmon;ns1.evil.test published by dnsmon;");
}

/* A name that is taken back is an innocent one. */
static void a_name_is_taken_back(void **state)
{
    (void)state;
    two_at("192.0.2.1");
    start();
    keep();
    put("b.test", TRIGGER_DOMAIN, STAGE_OUT);
    keep_by(TARGETS_KNOWN, NULL);
    expect("192.0.2.1 out by -;");
}

static void policy_is_followed(void **state)
{
    static char infrastructure[] = "infrastructure";
    static char *not[] = { infrastructure };
    (void)state;
    two_at("192.0.2.1");
    start();
    policy.infrastructure = 3;
    keep();
    expect("");
    policy.infrastructure = LEAST;
    policy.approve.least = VERDICT_MALICIOUS;
    keep();
    expect_reason("192.0.2.1", TRIGGER_ADDRESS, "high_risk is less than malicious");
    policy.approve.least = VERDICT_HIGH_RISK;
    policy.approve.not = (struct protection_texts){ not, 1 };
    keep();
    expect_reason("192.0.2.1", TRIGGER_ADDRESS, "infrastructure needs a person's word");
    expect("192.0.2.1 review by -;");
    policy.approve.not = (struct protection_texts){ NULL, 0 };
    policy.shadow_s = DAY;
    keep();
    expect("192.0.2.1 shadow by dnsmon;");
    now += DAY;
    keep();
    expect("192.0.2.1 published by dnsmon;");
    store_close(&store); /* damaged, say */
    keep();
    expect("192.0.2.1 published by dnsmon;");
    policy.infrastructure = 0;
    keep();
    expect("192.0.2.1 out by -;");
    expect_reason("192.0.2.1", TRIGGER_ADDRESS, "policy wants no infrastructure");
}

static void guards_are_asked(void **state)
{
    char popular[] = "popular.test\n", garden[] = "garden 192.0.2.80", zone[] = "rpz.test";
    struct protection_view view = { .zone = zone, .action = garden };
    struct protection guarded = { .views = &view, .n_views = 1 };
    (void)state;
    guarded.top_list.file = (char *)scratch_file("top", popular, strlen(popular));
    guard_destroy(&guard);
    OK(guard_create(&guard, suffixes, &guarded, &why));
    two_at("192.0.2.80");
    two_at("popular.test");
    two_at("a.root-servers.net");
    start();
    keep();
    expect("192.0.2.80 review by -;a.root-servers.net review by -;popular.test review by -;");
    expect_reason("192.0.2.80", TRIGGER_ADDRESS, "never: our own server, secondary or garden");
    expect_reason("popular.test", TRIGGER_NAMESERVER, "on the top list, or above a name of it");
}

/* What operators withdraw stays so until one approves it, whatever is found meanwhile. */
static void a_withdrawal_stays(void **state)
{
    const struct lifecycle_options life = { &policy, guard, NOW, NULL };
    (void)state;
    two_at("192.0.2.1");
    start();
    assert_int_equal(targets_withdraw(k, "192.0.2.1", TRIGGER_ADDRESS, now, "ann", "a customer's", &why), E_ABSENT);
    keep();
    OK(targets_withdraw(k, "192.0.2.1", TRIGGER_ADDRESS, now, "ann", "a customer's", &why));
    expect("192.0.2.1 out by -;");
    keep_by(TARGETS_KNOWN, NULL);
    expect("192.0.2.1 out by -;");
    keep();
    expect("192.0.2.1 review by -;");
    expect_reason("192.0.2.1", TRIGGER_ADDRESS, "withdrawn by ann: a customer's");
    policy.infrastructure = 0;
    keep();
    policy.infrastructure = LEAST;
    keep();
    expect("192.0.2.1 review by -;");
    OK(lifecycle_approve(k, &life, "192.0.2.1", TRIGGER_ADDRESS, "ann", "no customer any more", &why));
    keep();
    expect("192.0.2.1 published by ann;");
    put("b.test", TRIGGER_DOMAIN, STAGE_OUT);
    keep();
    publish("b.test");
    keep();
    expect("192.0.2.1 published by dnsmon;");
}

static void take_b_back(void)
{
    meanwhile = NULL;
    put("b.test", TRIGGER_DOMAIN, STAGE_OUT);
}

/* What was found with what is withdrawn by now is not published. */
static void publications_change_meanwhile(void **state)
{
    const struct lifecycle_options life = { &policy, guard, now, NULL };
    (void)state;
    two_at("192.0.2.1");
    start();
    const struct targets_options o = { .life = &life, .suffixes = suffixes, .store = store, .look = TARGETS_ALL };
    meanwhile = take_b_back;
    OK(targets_keep(k, &o, &last, &why));
    assert_true(last.stale && last.version == 0);
    expect("");
    keep();
    assert_false(last.stale);
    expect("");
}

static void it_may_be_stopped(void **state)
{
    const struct lifecycle_options life = { &policy, guard, now, NULL };
    const atomic_bool stop = true;
    (void)state;
    two_at("192.0.2.1");
    start();
    const struct targets_options o = { .life = &life, .suffixes = suffixes, .store = store, .look = TARGETS_ALL, .stop = &stop };
    OK(targets_keep(k, &o, &last, &why));
    assert_true(last.stale);
    expect("");
}

static void an_allowed_name_server(void **state)
{
    (void)state;
    two_at("ns1.evil.test");
    start();
    allow("evil.test", SCOPE_DOMAIN);
    keep();
    expect("");
}

/* What somebody put there by other means is not ours to take out, or to keep. */
static void those_of_others(void **state)
{
    (void)state;
    two_at("192.0.2.1");
    start();
    put("192.0.2.1", TRIGGER_ADDRESS, STAGE_SHADOW);
    put("192.0.2.0/24", TRIGGER_ADDRESS, STAGE_PUBLISHED);
    keep();
    expect("192.0.2.0/24 published by dnsmon;192.0.2.1 shadow by dnsmon;");
    policy.infrastructure = 0;
    keep();
    expect("192.0.2.0/24 published by dnsmon;192.0.2.1 shadow by dnsmon;");
}

static void no_jump(void **state)
{
    (void)state;
    two_at("192.0.2.1");
    two_at("192.0.2.2");
    start();
    policy.jump.least = 0;
    keep();
    expect("192.0.2.1 review by -;192.0.2.2 review by -;");
    keep_by(TARGETS_ALL, "ann");
    expect("192.0.2.1 published by dnsmon;192.0.2.2 published by dnsmon;");
}

/* The life cycle knows of no indicator behind them. */
static void the_life_cycle_leaves_them(void **state)
{
    const struct lifecycle_options life = { &policy, guard, NOW, NULL };
    struct lifecycle_result result;
    (void)state;
    two_at("192.0.2.1");
    two_at("ns1.evil.test");
    start();
    keep();
    for (int i = 0; i < 3; i++) {
        policy.approve.clients++; /* it looks at all anew */
        OK(lifecycle_run(k, &life, &result, &why));
        assert_int_equal(result.version, 0);
        expect("192.0.2.1 published by dnsmon;ns1.evil.test published by dnsmon;");
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(finds), TEST(of_seven_days), TEST(not_what_waits), TEST(not_what_is_allowed), TEST(no_hoster), TEST(an_innocent_one_comes),
        TEST(a_name_is_taken_back), TEST(policy_is_followed), TEST(guards_are_asked), TEST(a_withdrawal_stays),
        TEST(publications_change_meanwhile), TEST(it_may_be_stopped), TEST(an_allowed_name_server), TEST(those_of_others), TEST(no_jump),
        TEST(the_life_cycle_leaves_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
