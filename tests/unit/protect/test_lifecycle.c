/* lifecycle: each passage from stage to stage, what holds it up, and what is public of it. All clocks are the test's. */
#include "protect/lifecycle.h"

#include "knowledge/analysis.h"
#include "knowledge/decision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scratch.h"

enum { NOW = 1700006400, STEP = NOW / 3600, DAY = 86400 }; /* NOW is a midnight */

static const char psl[] = "com\nexample\ngithub.io\n";

static struct fault why;
static struct suffix_list *suffixes;
static struct guard *guard;
static struct protection policy;
static struct knowledge *k;
static const char *dir;
static struct lifecycle_result last;
static int64_t now;

#define OK(call)                                                       \
    do {                                                               \
        why = (struct fault){ 0 };                                     \
        int rc_ = (call);                                              \
        if (rc_ != 0)                                                  \
            fail_msg("%s: %s (%s)", #call, fault_text(rc_), why.text); \
    } while (0)

static int begin(void **state)
{
    static char path[160];
    static int n;
    (void)state;
    snprintf(path, sizeof path, "%s/%d", scratch_folder(), n++);
    dir = path;
    assert_int_equal(mkdir(path, 0755), 0);
    now = NOW;
    protection_init(&policy);
    OK(suffix_parse(&suffixes, psl, sizeof psl - 1, &why));
    OK(guard_create(&guard, suffixes, &policy, &why));
    OK(knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why));
    return 0;
}

static void report(void *ctx, const char *line)
{
    (void)ctx;
    print_error("%s\n", line);
}

static int end(void **state)
{
    uint64_t damages = 0;
    (void)state;
    knowledge_close(&k);
    OK(knowledge_check(dir, report, NULL, &damages, &why));
    assert_int_equal(damages, 0);
    guard_destroy(&guard);
    suffix_destroy(&suffixes);
    protection_release(&policy);
    return 0;
}

/* ---- what is said ---- */

static void put(const char *name, enum indicator_state state, const char *categories, const char *author)
{
    struct indicator i = { .name = name, .level = VERDICT_HIGH_RISK, .score = .9, .categories = categories, .family = "", .first_seen = NOW - DAY,
                           .decided_at = STEP + (now - NOW) / 3600, .valid_until = now + 30 * DAY, .state = state, .reason = "seen" };
    OK(indicator_put(k, &i, now, author, &why));
}

static void find(const char *name)
{
    put(name, INDICATOR_ACTIVE, "[\"malware\"]", "dnsmon");
}

static void find_many(const char *format, int from, int to)
{
    char name[64];
    OK(knowledge_begin(k, &why));
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof name, "%s%d.example", format, i);
        find(name);
    }
    OK(knowledge_commit(k, &why));
}

static void set(const char *name, enum indicator_state state, const char *author)
{
    OK(indicator_set_state(k, name, SCOPE_DOMAIN, state, now, author, "so it is", &why));
}

static void say_until(enum decision_action action, const char *name, int64_t until)
{
    struct decision d = { .at = now, .author = "ann", .action = action, .name = name, .scope = SCOPE_DOMAIN, .reason = "I know", .until = until };
    OK(decision_add(k, &d, NULL, &why));
}

static void say(enum decision_action action, const char *name)
{
    say_until(action, name, 0);
}

static void block_until(const char *name, int64_t until)
{
    say_until(DECISION_BLOCK, name, until);
    put(name, INDICATOR_ACTIVE, "[\"operator\"]", "ann");
}

static void block(const char *name)
{
    block_until(name, 0);
}

static void run_as(const char *confirmed_by)
{
    struct lifecycle_options o = { &policy, guard, now, confirmed_by };
    OK(lifecycle_run(k, &o, &last, &why));
    int64_t version = last.version;
    struct lifecycle_result again;
    o.confirmed_by = NULL;
    bool due = true;
    OK(lifecycle_is_due(k, &o, &due, &why));
    assert_int_equal(due, last.sizes.held_in + last.sizes.held_out > 0);
    OK(lifecycle_run(k, &o, &again, &why)); /* changes nothing */
    assert_int_equal(again.version, 0);
    assert_int_equal(again.published + again.shadowed + again.reviewed + again.out + again.renewed, 0);
    assert_memory_equal(&again.sizes, &last.sizes, sizeof again.sizes);
    last.version = version;
}

static void run(void)
{
    run_as(NULL);
}

/* ---- what came of it ---- */

static char seen[4096];

static int note(void *ctx, const struct publication *p, struct fault *sink_why)
{
    size_t used = strlen(seen);
    (void)ctx, (void)sink_why;
    snprintf(seen + used, sizeof seen - used, "%s %s%s%s %s;", p->name, stage_text(p->stage), p->held ? " held " : "", held_text(p->held),
             p->approved_by[0] ? p->approved_by : "-");
    return 0;
}

static int note_reason(void *ctx, const struct publication *p, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    snprintf(seen, sizeof seen, "%s", p->reason);
    return 0;
}

static void expect(const char *text)
{
    seen[0] = '\0';
    OK(publication_each(k, ~0u, note, NULL, &why));
    assert_string_equal(seen, text);
}

static void expect_reason(const char *name, const char *part)
{
    seen[0] = '\0';
    OK(publication_find(k, name, TRIGGER_DOMAIN, note_reason, NULL, &why));
    if (strstr(seen, part) == NULL)
        fail_msg("%s: %s", name, seen);
}

static int note_author(void *ctx, const struct publication_change *c, struct fault *sink_why)
{
    size_t used = strlen(seen);
    (void)ctx, (void)sink_why;
    snprintf(seen + used, sizeof seen - used, "%s>%s by %s%s;", c->was < 0 ? "" : stage_text((enum stage)c->was), stage_text(c->now.stage), c->author,
             c->version ? "" : " not public");
    return 0;
}

static void expect_history(const char *name, const char *text)
{
    seen[0] = '\0';
    OK(publication_history(k, name, TRIGGER_DOMAIN, note_author, NULL, &why));
    assert_string_equal(seen, text);
}

/* ---- stages ---- */

static void found_renewed_and_silent(void **state)
{
    (void)state;
    run();
    assert_int_equal(last.version, 0);
    find("a.example");
    run();
    expect("a.example published dnsmon;");
    assert_true(last.version == NOW && last.published == 1 && last.sizes.published == 1);
    now += DAY;
    find("a.example");
    run();
    assert_true(last.renewed == 1 && last.version == now);
    set("a.example", INDICATOR_EXPIRED, "dnsmon");
    run();
    expect("a.example out -;");
    expect_reason("a.example", "expired: so it is");
    expect_history("a.example", ">published by dnsmon;published>published by dnsmon;published>out by dnsmon;");
    assert_int_equal(last.version, now + 1); /* the same second */
    find("a.example");
    run();
    expect("a.example published dnsmon;");
    find("b.example");
    set("b.example", INDICATOR_EXPIRED, "dnsmon"); /* before anybody looked */
    run();
    expect("a.example published dnsmon;");
}

static void words_of_operators(void **state)
{
    (void)state;
    find("a.example");
    find("b.example");
    find("c.example");
    run();
    say(DECISION_ALLOW, "a.example");
    set("a.example", INDICATOR_WITHDRAWN, "ann");
    set("b.example", INDICATOR_HELD, "bob");
    block_until("d.example", now + 30 * DAY);
    block("e.example");
    run();
    expect("a.example out -;b.example out -;c.example published dnsmon;d.example published ann;e.example published ann;");
    expect_reason("a.example", "allowed by ann: I know");
    expect_reason("b.example", "held: so it is");
    expect_reason("d.example", "blocked by ann: I know");
    expect_history("a.example", ">published by dnsmon;published>out by ann;");
    expect_history("d.example", ">published by ann;");
    find("a.example"); /* analysis has not heard of it */
    run();
    expect_reason("a.example", "allowed by ann: I know");
    now += 40 * DAY; /* words end by the wall clock, what analysis found by the data's, which stands still */
    run();
    expect("a.example out -;b.example out -;c.example published dnsmon;d.example out -;e.example published ann;");
    expect_reason("d.example", "has come to its end");
    struct analysis a = { .analysed_until = now / 3600 };
    OK(analysis_put(k, &a, &why));
    run();
    expect_reason("c.example", "its time has passed");
}

/* A word on a name below what is published makes no change of a trigger, but a version: views show the exception. */
static void an_allowed_name_below_makes_a_version(void **state)
{
    (void)state;
    find("a.example");
    run();
    now += 10;
    say(DECISION_ALLOW, "www.a.example");
    run();
    assert_int_equal(last.version, now);
    expect("a.example published dnsmon;");
    say(DECISION_FEEDBACK, "www.a.example");
    run();
    assert_int_equal(last.version, 0);
}

static void a_block_ends_with_the_block(void **state)
{
    (void)state;
    policy.approve.least = VERDICT_MALICIOUS;
    block("a.example");
    run();
    find("a.example"); /* renewed by analysis, which knows of the block */
    run();
    expect("a.example published ann;");
    OK(decision_revoke(k, DECISION_BLOCK, "a.example", SCOPE_DOMAIN, now, "ann", "well", &why));
    now += DAY;
    find("a.example");
    run();
    expect("a.example review -;");
    expect_reason("a.example", "high_risk is less than malicious");
}

static void withdrawn_waits_for_a_person(void **state)
{
    struct lifecycle_options o = { &policy, guard, NOW, NULL };
    (void)state;
    find("a.example");
    run();
    say(DECISION_WITHDRAW, "a.example");
    set("a.example", INDICATOR_WITHDRAWN, "ann");
    run();
    expect("a.example out -;");
    now += DAY;
    find("a.example"); /* analysis still holds it for what it is */
    run();
    expect("a.example review -;");
    expect_reason("a.example", "withdrawn by ann: I know");
    OK(lifecycle_approve(k, &o, "a.example", TRIGGER_DOMAIN, "bob", "seen in a report", &why));
    expect_history("a.example", ">published by dnsmon;published>out by ann;out>review by dnsmon;review>published by bob not public;");
    run();
    expect("a.example published bob;");
    expect_reason("a.example", "approved by bob: seen in a report");
    set("a.example", INDICATOR_EXPIRED, "dnsmon");
    run();
    find("a.example");
    run();
    expect("a.example published dnsmon;"); /* the withdrawal went with the approval */
    assert_int_equal(lifecycle_approve(k, &o, "a.example", TRIGGER_DOMAIN, "bob", "again", &why), E_ABSENT);
    assert_int_equal(lifecycle_approve(k, &o, "z.example", TRIGGER_DOMAIN, "bob", "again", &why), E_ABSENT);
}

static void shadows_come_first(void **state)
{
    struct lifecycle_options o = { &policy, guard, NOW, NULL };
    (void)state;
    policy.shadow_s = 3600;
    find("a.example");
    find("b.example");
    block("c.example");
    run();
    expect("a.example shadow dnsmon;b.example shadow dnsmon;c.example published ann;");
    assert_true(last.sizes.shadow == 2 && last.sizes.published == 1);
    OK(lifecycle_approve(k, &o, "b.example", TRIGGER_DOMAIN, "ann", "sure", &why));
    now += 3599;
    run();
    expect("a.example shadow dnsmon;b.example published ann;c.example published ann;");
    now += 1;
    run();
    expect("a.example published dnsmon;b.example published ann;c.example published ann;");
    expect_reason("a.example", "approved by policy, and was shadow before");
    now -= 5000; /* the clock goes back: nothing does */
    find("d.example");
    run();
    expect("a.example published dnsmon;b.example published ann;c.example published ann;d.example shadow dnsmon;");
    assert_int_equal(last.version, now + 5000 + 1);
}

/* ---- what needs a person ---- */

static void add_verdict(const char *name, int clients)
{
    char reason[80];
    snprintf(reason, sizeof reason, "{\"hit\":{\"clients\":%d}}", clients);
    struct verdict v = { .name = name, .level = VERDICT_HIGH_RISK, .score = .9, .decided_at = STEP, .known_at = now, .reason = reason };
    OK(verdict_add(k, &v, NULL, &why));
}

static void review_and_why(void **state)
{
    char tunnel[] = "tunnel", *not[] = { tunnel };
    static const struct {
        const char *name, *why;
    } rows[] = {
        { "suspicious.example", "suspicious is less than high_risk" },
        { "tunnel.example", "tunnel needs a person's word" },
        { "many.example", "51 clients would have been hit, more than 50" },
        { "example", "never: what lies below a public suffix" },
        { "github.io", "never: what lies below a public suffix" },
        { "root-servers.net", "never: infrastructure" },
    };
    (void)state;
    policy.approve.not = (struct protection_texts){ not, 1 };
    policy.approve.clients = 50;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put(rows[i].name, INDICATOR_ACTIVE, i == 1 ? "[\"tunnel\"]" : "[]", "dnsmon");
    struct indicator weak = { .name = "suspicious.example", .level = VERDICT_SUSPICIOUS, .score = .5, .categories = "[]", .family = "", .decided_at = STEP,
                              .valid_until = NOW + DAY, .reason = "seen" };
    OK(indicator_put(k, &weak, now, "dnsmon", &why));
    add_verdict("many.example", 51);
    find("some.example");
    add_verdict("some.example", 50);
    block("github.io"); /* whoever wants it */
    run();
    assert_int_equal(last.reviewed, 6);
    assert_int_equal(last.published, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_reason(rows[i].name, rows[i].why);
    struct lifecycle_options o = { &policy, guard, now, NULL };
    assert_int_equal(lifecycle_approve(k, &o, "github.io", TRIGGER_DOMAIN, "ann", "please", &why), E_USAGE);
    policy.approve.not = (struct protection_texts){ NULL, 0 }; /* another policy: all is looked at anew */
    policy.approve.clients = 60;
    run();
    assert_int_equal(last.published, 2);
    assert_int_equal(last.looked_at, 7);
}

/* What was approved by policy goes back to review when a list comes to have it; what a person approved stays. */
static void lists_change(void **state)
{
    struct lifecycle_options o = { &policy, guard, NOW, NULL };
    (void)state;
    policy.shadow_s = 3600;
    find("a.example");
    find("b.example");
    run();
    OK(lifecycle_approve(k, &o, "b.example", TRIGGER_DOMAIN, "ann", "sure", &why));
    char path[200];
    snprintf(path, sizeof path, "%s", scratch_path("top"));
    FILE *f = fopen(path, "w");
    fputs("1,www.a.example\n2,b.example\n", f);
    fclose(f);
    policy.top_list.file = strdup(path);
    guard_destroy(&guard);
    OK(guard_create(&guard, suffixes, &policy, &why));
    run();
    expect("a.example review -;b.example published ann;");
    expect_reason("a.example", "top list");
}

static void a_day_has_a_cap(void **state)
{
    (void)state;
    policy.approve.per_day = 2;
    find("c.example");
    find("b.example");
    find("a.example");
    run();
    expect("a.example review -;b.example published dnsmon;c.example published dnsmon;"); /* in the order they were found */
    expect_reason("a.example", "2 a day");
    block("d.example"); /* is no approval */
    knowledge_close(&k); /* it is remembered */
    OK(knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why));
    now -= 2 * DAY; /* nor does it help that the clock goes back */
    find("e.example");
    run();
    expect("a.example review -;b.example published dnsmon;c.example published dnsmon;d.example published ann;e.example review -;");
    now += 3 * DAY;
    run();
    expect("a.example published dnsmon;b.example published dnsmon;c.example published dnsmon;d.example published ann;e.example published dnsmon;");
}

/* ---- jumps ---- */

/* What is one of too many now is not an hour later, when the others are no news any more. */
static void jumps_pass(void **state)
{
    (void)state;
    policy.jump = (struct protection_jump){ 10, 10, 5 };
    find_many("a", 0, 5);
    run();
    find_many("b", 0, 1);
    run();
    assert_true(last.sizes.published == 5 && last.sizes.held_in == 1);
    now += 3700;
    run();
    assert_true(last.sizes.published == 6 && last.sizes.held_in == 0);
}

static void jumps_wait(void **state)
{
    (void)state;
    policy.jump = (struct protection_jump){ 10, 10, 5 };
    find_many("a", 0, 6);
    run();
    assert_true(last.sizes.published == 0 && last.sizes.held_in == 6 && last.jump[0] != '\0');
    expect_reason("a0.example", "part of a jump");
    block("b.example"); /* at once, whatever is held */
    run();
    assert_true(last.sizes.published == 1 && last.sizes.held_in == 6 && last.version != 0);
    set("a0.example", INDICATOR_EXPIRED, "dnsmon"); /* what is left is none */
    run();
    assert_true(last.sizes.published == 6 && last.sizes.held_in == 0 && last.jump[0] == '\0');
    find_many("c", 0, 1); /* little by little is a jump, too: the sixth within the hour */
    run();
    assert_true(last.sizes.published == 6 && last.sizes.held_in == 1);
    run_as("ann");
    assert_true(last.sizes.published == 7 && last.sizes.held_in == 0 && last.jump[0] == '\0');
    find_many("d", 0, 5); /* from the confirmation on */
    run();
    assert_true(last.sizes.published == 12 && last.sizes.held_in == 0);
    now += 3700; /* serials have gone some seconds ahead */
    find_many("e", 0, 5);
    run();
    assert_true(last.sizes.published == 17 && last.sizes.held_in == 0);
}

static void drops_wait(void **state)
{
    (void)state;
    policy.jump = (struct protection_jump){ 1000, 10, 5 };
    find_many("a", 0, 5);
    run();
    now += 2 * 3600;
    find_many("b", 0, 15);
    run_as("ann");
    assert_int_equal(last.sizes.published, 20);
    now += 2 * 3600;
    for (int i = 0; i < 7; i++) {
        char name[32];
        snprintf(name, sizeof name, "b%d.example", i);
        set(name, INDICATOR_EXPIRED, "dnsmon");
    }
    run();
    assert_true(last.sizes.published == 20 && last.sizes.held_out == 7 && last.jump[0] != '\0');
    say(DECISION_WITHDRAW, "a0.example");
    set("a0.example", INDICATOR_WITHDRAWN, "ann"); /* must not wait for it */
    run();
    assert_true(last.sizes.published == 19 && last.sizes.held_out == 7);
    say(DECISION_ALLOW, "b2.example"); /* of which there is no indicator any more that could tell of it */
    run();
    assert_true(last.sizes.published == 18 && last.sizes.held_out == 6);
    now += DAY;
    find("b0.example"); /* it is back, so that it need not go */
    run();
    assert_true(last.sizes.published == 13 && last.sizes.held_out == 0);
    expect_history("b0.example", ">published by dnsmon;published>published by dnsmon;");
    expect_history("b1.example", ">published by dnsmon;published>out by dnsmon;");
}

static int note_audit(void *ctx, const struct audit *a, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    snprintf(seen, sizeof seen, "%s %s %s: %s", a->author, a->action, a->subject, a->detail);
    return 0;
}

static void confirmations_are_audited(void **state)
{
    struct buffer jump;
    (void)state;
    policy.jump = (struct protection_jump){ 10, 10, 5 };
    find_many("a", 0, 7);
    run();
    buffer_init(&jump, 1000);
    OK(lifecycle_jump(k, &jump, &why));
    assert_true(jump.len > 0);
    run_as("ann");
    buffer_clear(&jump);
    OK(lifecycle_jump(k, &jump, &why));
    assert_int_equal(jump.len, 0);
    buffer_release(&jump);
    OK(audit_each(k, 0, note_audit, NULL, &why));
    assert_non_null(strstr(seen, "ann confirm publication: within an hour 7 would be published and 0 taken back, of 0"));
    assert_int_equal(last.sizes.published, 7);
}

/* Shadows whose time is over are held as shadows. */
static void shadows_are_held_as_shadows(void **state)
{
    (void)state;
    policy.shadow_s = 60;
    policy.jump = (struct protection_jump){ 10, 10, 5 };
    find_many("a", 0, 6);
    run();
    assert_true(last.sizes.shadow == 6 && last.sizes.held_in == 0);
    now += 60;
    run();
    assert_true(last.sizes.shadow == 6 && last.sizes.held_in == 6 && last.version == 0);
    run_as("ann");
    assert_true(last.sizes.shadow == 0 && last.sizes.published == 6);
}

static void a_reader_cannot_run(void **state)
{
    struct knowledge *reader;
    struct lifecycle_options o = { &policy, guard, now, NULL };
    (void)state;
    find("a.example");
    OK(knowledge_open(&reader, dir, KNOWLEDGE_READ, &why));
    assert_int_equal(lifecycle_run(reader, &o, &last, &why), E_USAGE);
    knowledge_close(&reader);
    OK(setting_put(k, "lifecycle", "not ours", &why));
    assert_int_equal(lifecycle_run(k, &o, &last, &why), E_CORRUPT);
    OK(setting_put(k, "lifecycle", NULL, &why));
    run();
    expect("a.example published dnsmon;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(found_renewed_and_silent),
        TEST(words_of_operators),
        TEST(an_allowed_name_below_makes_a_version),
        TEST(a_block_ends_with_the_block),
        TEST(withdrawn_waits_for_a_person),
        TEST(shadows_come_first),
        TEST(review_and_why),
        TEST(lists_change),
        TEST(a_day_has_a_cap),
        TEST(jumps_wait),
        TEST(jumps_pass),
        TEST(drops_wait),
        TEST(confirmations_are_audited),
        TEST(shadows_are_held_as_shadows),
        TEST(a_reader_cannot_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
