/* knowledge.db: what the ledgers promise, what a file that is not ours is told, and what survives a kill.
 * All clocks are the test's: T0 is an hour, NOW seconds. */
#include "knowledge/analysis.h"
#include "knowledge/campaign.h"
#include "knowledge/decision.h"
#include "knowledge/evidence.h"
#include "knowledge/funnel.h"
#include "knowledge/indicator.h"
#include "knowledge/inside.h"
#include "knowledge/publication.h"
#include "knowledge/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scratch.h"

enum { T0 = 472224, NOW = 1700006400 };

static const char *dir;
static struct fault why;

static const char *file_path(const char *suffix)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/" KNOWLEDGE_FILE "%s", dir, suffix);
    return path;
}

/* Every test has a folder of its own. */
static int new_folder(void **state)
{
    static char path[160];
    static int n;
    (void)state;
    snprintf(path, sizeof path, "%s/%d", scratch_folder(), n++);
    dir = path;
    return mkdir(path, 0755);
}

#define OK(call)                                                       \
    do {                                                               \
        why = (struct fault){ 0 };                                     \
        int rc_ = (call);                                              \
        if (rc_ != 0)                                                  \
            fail_msg("%s: %s (%s)", #call, fault_text(rc_), why.text); \
    } while (0)

#define FAILS(code, call)                         \
    do {                                          \
        why = (struct fault){ 0 };                \
        assert_int_equal((call), (code));         \
        assert_true(why.text[0] != '\0');         \
    } while (0)

static struct knowledge *open_in(enum knowledge_mode mode)
{
    struct knowledge *k = NULL;
    OK(knowledge_open(&k, dir, mode, &why));
    return k;
}

static void report(void *ctx, const char *line)
{
    fprintf(ctx, "%s\n", line);
}

static uint64_t check_into(char *lines, size_t room)
{
    uint64_t damages = 0;
    FILE *f = fmemopen(lines, room, "w");
    OK(knowledge_check(dir, report, f, &damages, &why));
    fclose(f);
    return damages;
}

static void assert_clean(void)
{
    char lines[4096] = "";
    if (check_into(lines, sizeof lines) != 0)
        fail_msg("%s", lines);
}

/* ---- rows as text: what sinks saw ---- */

static char seen[4096];

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    size_t used = strlen(seen);
    va_list args;
    va_start(args, format);
    vsnprintf(seen + used, sizeof seen - used, format, args);
    va_end(args);
}

static int note_evidence(void *ctx, const struct evidence *e, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %s@%d=%g;", e->name, scope_text(e->scope), e->detector, (int)(e->step - T0), e->weight);
    return 0;
}

static int note_verdict(void *ctx, const struct verdict *v, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %s@%d;", v->name, scope_text(v->scope), verdict_level_text(v->level), (int)(v->decided_at - T0));
    return 0;
}

static int note_campaign(void *ctx, const struct campaign *c, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s:%d;", c->identity, (int)c->members);
    return 0;
}

static int note_member(void *ctx, const struct campaign_member *m, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s;", m->name);
    return 0;
}

static int note_indicator(void *ctx, const struct indicator *i, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %s;", i->name, verdict_level_text(i->level), indicator_state_text(i->state));
    return 0;
}

static int note_change(void *ctx, const struct indicator_change *c, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%d %s %s-%s", (int)c->serial, c->name, c->was < 0 ? "" : indicator_state_text((enum indicator_state)c->was),
         indicator_state_text(c->now));
    note(c->then != NULL ? " %s;" : ";", c->then != NULL ? verdict_level_text(c->then->level) : "");
    return 0;
}

static int note_decision(void *ctx, const struct decision *d, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %s;", decision_action_text(d->action), scope_text(d->scope), d->name);
    return 0;
}

static int note_audit(void *ctx, const struct audit *a, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s: %s;", a->author, a->action, a->subject);
    return 0;
}

static int note_funnel(void *ctx, enum funnel_stage stage, const char *reason, uint64_t count, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %d;", funnel_stage_text(stage), reason, (int)count);
    return 0;
}

#define SEES(text, call)                   \
    do {                                   \
        seen[0] = '\0';                    \
        OK(call);                          \
        assert_string_equal(seen, (text)); \
    } while (0)

/* ---- evidence ---- */

static struct evidence evidence_of(const char *name, const char *detector, int hour, double weight)
{
    return (struct evidence){ .name = name, .scope = SCOPE_DOMAIN, .detector = detector, .group = "rhythm",
                              .step = T0 + hour, .known_at = NOW + hour, .weight = weight,
                              .summary = "asked for every hour", .facts = "{\"asks\":24}" };
}

static int64_t say(struct knowledge *k, const char *name, const char *detector, int hour, double weight)
{
    struct evidence e = evidence_of(name, detector, hour, weight);
    int64_t id = -1;
    OK(evidence_add(k, &e, &id, &why));
    return id;
}

static void what_stands(void **state)
{
    static const struct {
        int as_of; /* hours after T0; -1 = now */
        const char *stands;
    } rows[] = {
        { 0, "" },
        { 1, "a.example domain beat@1=2;" },
        { 2, "a.example domain curve@2=-3;a.example domain beat@1=2;" },
        { 3, "a.example domain curve@2=-3;a.example domain beat@3=2.5;" },
        { 4, "a.example domain curve@2=-3;" }, /* withdrawn */
        { 9, "a.example domain curve@6=4;" },
        { -1, "a.example domain curve@6=4;" },
    };
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    say(k, "a.example", "beat", 1, 2);
    say(k, "a.example", "curve", 2, -3);
    say(k, "a.example", "beat", 3, 2.5);
    say(k, "a.example", "beat", 4, 0);
    say(k, "a.example", "curve", 6, 4);
    say(k, "b.example", "beat", 1, 1);
    struct evidence host = evidence_of("a.example", "beat", 1, 7);
    host.scope = SCOPE_HOST;
    OK(evidence_add(k, &host, NULL, &why));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SEES(rows[i].stands, evidence_standing(k, "a.example", SCOPE_DOMAIN, rows[i].as_of < 0 ? KNOWLEDGE_NOW : T0 + rows[i].as_of,
                                               note_evidence, NULL, &why));
    SEES("a.example host beat@1=7;b.example domain beat@1=1;", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    knowledge_close(&k);
    assert_clean();
}

static int keep_superseded(void *ctx, const struct evidence *e, struct fault *sink_why)
{
    (void)sink_why;
    *(int64_t *)ctx = e->supersedes;
    return 0;
}

/* A run that is killed says the same again; late data say something else of the same hour. */
static void replays_and_corrections(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    int64_t first = say(k, "a.example", "beat", 1, 2), last;
    assert_true(first > 0);
    assert_int_equal(say(k, "a.example", "beat", 1, 2), 0);
    say(k, "a.example", "beat", 3, 5);
    int64_t late = say(k, "a.example", "beat", 1, 1);
    assert_true(late > first);
    SEES("a.example domain beat@1=1;", evidence_standing(k, "a.example", SCOPE_DOMAIN, T0 + 2, note_evidence, NULL, &why));
    SEES("a.example domain beat@3=5;", evidence_standing(k, "a.example", SCOPE_DOMAIN, KNOWLEDGE_NOW, note_evidence, NULL, &why));
    assert_int_equal(say(k, "a.example", "curve", 1, 0), 0); /* nothing to withdraw */
    OK(evidence_last(k, &last, &why));
    assert_int_equal(last, late);
    OK(evidence_history(k, "a.example", SCOPE_DOMAIN, keep_superseded, &last, &why));
    assert_int_equal(last, first);
    knowledge_close(&k);
    assert_clean();
}

static void refuses_what_is_no_evidence(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    static const char *const names[] = { "", ".", "A.example", "a.example.", "a..example", "a.example\n" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct evidence e = evidence_of(names[i], "beat", 1, 1);
        FAILS(E_USAGE, evidence_add(k, &e, NULL, &why));
    }
    struct evidence e = evidence_of("a.example", "beat", 1, 1.0 / 0.0);
    FAILS(E_MALFORMED, evidence_add(k, &e, NULL, &why));
    e.weight = 1;
    e.facts = "[1]";
    FAILS(E_MALFORMED, evidence_add(k, &e, NULL, &why));
    e.facts = "{";
    FAILS(E_MALFORMED, evidence_add(k, &e, NULL, &why));
    char *large = malloc(2 * KNOWLEDGE_TEXT_MAX);
    memset(large, 'x', 2 * KNOWLEDGE_TEXT_MAX - 1);
    large[2 * KNOWLEDGE_TEXT_MAX - 1] = '\0';
    e.facts = "{}";
    e.summary = large;
    FAILS(E_LIMIT, evidence_add(k, &e, NULL, &why));
    free(large);
    knowledge_close(&k);
    assert_clean();
}

/* ---- verdicts, campaigns, indicators, decisions ---- */

static int64_t decide(struct knowledge *k, const char *name, enum verdict_level level, double score, int hour)
{
    struct verdict v = { .name = name, .scope = SCOPE_DOMAIN, .level = level, .score = score, .decided_at = T0 + hour,
                         .known_at = NOW, .reason = "{}" };
    int64_t id = -1;
    OK(verdict_add(k, &v, &id, &why));
    return id;
}

static void verdicts_hold_from_their_step(void **state)
{
    int64_t last;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    decide(k, "a.example", VERDICT_WATCH, .4, 1);
    decide(k, "b.example", VERDICT_MALICIOUS, .9, 2);
    decide(k, "c.example", VERDICT_HIGH_RISK, .8, 2);
    int64_t id = decide(k, "a.example", VERDICT_HIGH_RISK, .85, 5);
    assert_int_equal(decide(k, "a.example", VERDICT_HIGH_RISK, .85, 5), 0);
    decide(k, "c.example", VERDICT_BENIGN, .1, 6);
    decide(k, "a.example", VERDICT_SUSPICIOUS, .6, 3); /* late data: changes then, not now */
    SEES("b.example domain malicious@2;a.example domain high_risk@5;",
         verdict_each(k, VERDICT_WATCH, VERDICT_MALICIOUS, KNOWLEDGE_NOW, note_verdict, NULL, &why));
    SEES("b.example domain malicious@2;c.example domain high_risk@2;a.example domain suspicious@3;",
         verdict_each(k, VERDICT_WATCH, VERDICT_MALICIOUS, T0 + 4, note_verdict, NULL, &why));
    SEES("c.example domain high_risk@2;", verdict_each(k, VERDICT_HIGH_RISK, VERDICT_HIGH_RISK, T0 + 4, note_verdict, NULL, &why));
    SEES("a.example domain watch@1;", verdict_find(k, "a.example", SCOPE_DOMAIN, T0 + 2, note_verdict, NULL, &why));
    SEES("", verdict_find(k, "a.example", SCOPE_DOMAIN, T0, note_verdict, NULL, &why));
    SEES("", verdict_find(k, "a.example", SCOPE_HOST, KNOWLEDGE_NOW, note_verdict, NULL, &why));
    SEES("a.example domain watch@1;a.example domain high_risk@5;a.example domain suspicious@3;",
         verdict_history(k, "a.example", SCOPE_DOMAIN, note_verdict, NULL, &why));
    SEES("c.example domain benign@6;a.example domain suspicious@3;", verdict_changes(k, id, note_verdict, NULL, &why));
    OK(verdict_last(k, &last, &why));
    assert_int_equal(last, id + 2);
    struct verdict v = { .name = "a.example", .score = 1.5, .reason = "{}" };
    FAILS(E_MALFORMED, verdict_add(k, &v, NULL, &why));
    v.score = .5, v.campaign = 99; /* which there is not */
    FAILS(E_MALFORMED, verdict_add(k, &v, NULL, &why));
    knowledge_close(&k);
    assert_clean();
}

static void campaigns_grow_and_merge(void **state)
{
    int64_t a, b, again, of;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    OK(campaign_get(k, "a", T0 + 1, "the a", &a, &why));
    OK(campaign_get(k, "b", T0 + 2, "the b", &b, &why));
    OK(campaign_join(k, a, "x.example", T0 + 1, "same clients", &why));
    OK(campaign_join(k, a, "y.example", T0 + 2, "same clients", &why));
    OK(campaign_join(k, a, "y.example", T0 + 3, "again", &why));
    OK(campaign_join(k, b, "z.example", T0 + 2, "first", &why));
    OK(campaign_join(k, b, "y.example", T0 + 4, "closer", &why)); /* leaves a */
    OK(campaign_leave(k, a, "x.example", T0 + 6, &why));
    OK(campaign_leave(k, a, "z.example", T0 + 6, &why)); /* where it is not */
    OK(campaign_join(k, a, "x.example", T0 + 6, "back", &why));
    FAILS(E_USAGE, campaign_merge(k, a, b, T0 + 5, "too early", &why));
    FAILS(E_USAGE, campaign_merge(k, a, a, T0 + 8, "itself", &why));
    FAILS(E_ABSENT, campaign_merge(k, a, 77, T0 + 8, "into nothing", &why));
    OK(campaign_merge(k, a, b, T0 + 8, "one actor", &why));
    SEES("a:2;b:1;", campaign_each(k, T0 + 3, note_campaign, NULL, &why));
    SEES("a:1;b:2;", campaign_each(k, T0 + 7, note_campaign, NULL, &why));
    SEES("b:3;", campaign_each(k, KNOWLEDGE_NOW, note_campaign, NULL, &why));
    SEES("x.example;y.example;z.example;", campaign_members(k, b, KNOWLEDGE_NOW, note_member, NULL, &why));
    SEES("y.example;z.example;", campaign_members(k, b, T0 + 7, note_member, NULL, &why));
    OK(campaign_of(k, "x.example", T0 + 7, &of, &why));
    assert_int_equal(of, a);
    OK(campaign_of(k, "x.example", KNOWLEDGE_NOW, &of, &why));
    assert_int_equal(of, b);
    OK(campaign_get(k, "a", T0 + 9, "the a", &again, &why));
    assert_int_equal(again, b);
    FAILS(E_USAGE, campaign_join(k, a, "w.example", T0 + 9, "too late", &why));
    OK(campaign_set_title(k, b, "both", &why));
    FAILS(E_ABSENT, campaign_set_title(k, 77, "none", &why));
    knowledge_close(&k);
    assert_clean();
}

static void indicators_have_a_history(void **state)
{
    int64_t serial;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct indicator i = { .name = "a.example", .level = VERDICT_HIGH_RISK, .score = .9, .categories = "[\"c2\"]", .family = "",
                           .first_seen = NOW, .decided_at = T0, .valid_until = NOW + 86400, .reason = "found" };
    OK(indicator_put(k, &i, NOW, "dnsmon", &why));
    i.level = VERDICT_MALICIOUS;
    OK(indicator_put(k, &i, NOW + 1, "dnsmon", &why)); /* the state is the same */
    OK(indicator_set_state(k, "a.example", SCOPE_DOMAIN, INDICATOR_WITHDRAWN, NOW + 2, "ann", "ours", &why));
    OK(indicator_set_state(k, "a.example", SCOPE_DOMAIN, INDICATOR_WITHDRAWN, NOW + 3, "ann", "ours", &why));
    FAILS(E_ABSENT, indicator_set_state(k, "a.example", SCOPE_HOST, INDICATOR_HELD, NOW, "ann", "none", &why));
    i.name = "b.example";
    OK(indicator_put(k, &i, NOW + 4, "dnsmon", &why));
    SEES("b.example malicious active;", indicator_each(k, 1u << INDICATOR_ACTIVE, note_indicator, NULL, &why));
    SEES("a.example malicious withdrawn;b.example malicious active;", indicator_each(k, ~0u, note_indicator, NULL, &why));
    SEES("a.example malicious withdrawn;", indicator_find(k, "a.example", SCOPE_DOMAIN, note_indicator, NULL, &why));
    SEES("1 a.example -active high_risk;2 a.example active-active malicious;3 a.example active-withdrawn malicious;"
         "4 b.example -active malicious;", indicator_changes(k, 0, note_change, NULL, &why));
    SEES("4 b.example -active malicious;", indicator_changes(k, 3, note_change, NULL, &why));
    SEES("3 a.example active-withdrawn malicious;4 b.example -active malicious;", indicator_changed(k, 0, note_change, NULL, &why));
    OK(indicator_put(k, &i, NOW + 5, "dnsmon", &why)); /* the same again */
    OK(indicator_serial(k, &serial, &why));
    assert_int_equal(serial, 4);
    i.categories = "{}";
    FAILS(E_MALFORMED, indicator_put(k, &i, NOW, "dnsmon", &why));
    knowledge_close(&k);
    assert_clean();
}

static int note_known(void *ctx, const struct indicator *i, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s until %d;", i->categories, (int)(i->valid_until - NOW));
    return 0;
}

/* Renewals do not hide what was known before them; nor does a walk through the same hours again. */
static void indicators_are_known_as_they_were(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct indicator i = { .name = "a.example", .level = VERDICT_HIGH_RISK, .score = .9, .family = "", .reason = "found" };
    for (int again = 0; again < 2; again++)
        for (int day = 0; day < 3; day++) {
            i.categories = day == 0 ? "[\"malware\"]" : "[\"phishing\"]";
            i.decided_at = T0 + 24 * day;
            i.valid_until = NOW + day;
            OK(indicator_put(k, &i, NOW, "dnsmon", &why));
        }
    int64_t serial;
    OK(indicator_serial(k, &serial, &why));
    assert_int_equal(serial, 3);
    SEES("", indicator_as_of(k, "a.example", SCOPE_DOMAIN, T0 - 1, note_known, NULL, &why));
    SEES("[\"malware\"] until 0;", indicator_as_of(k, "a.example", SCOPE_DOMAIN, T0 + 23, note_known, NULL, &why));
    SEES("[\"phishing\"] until 1;", indicator_as_of(k, "a.example", SCOPE_DOMAIN, T0 + 24, note_known, NULL, &why));
    SEES("[\"phishing\"] until 2;", indicator_as_of(k, "a.example", SCOPE_DOMAIN, KNOWLEDGE_NOW, note_known, NULL, &why));
    knowledge_close(&k);
    assert_clean();
}

/* ---- publications and receipts ---- */

static int note_publication(void *ctx, const struct publication *p, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %s %s%s%s;", p->name, trigger_text(p->trigger), stage_text(p->stage), p->held ? " held " : "", held_text(p->held));
    return 0;
}

static int note_publication_change(void *ctx, const struct publication_change *c, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%d/%d %s %s-%s;", (int)c->serial, (int)(c->version ? c->version - NOW : -1), c->now.name,
         c->was < 0 ? "" : stage_text((enum stage)c->was), stage_text(c->now.stage));
    return 0;
}

static int note_version(void *ctx, const struct version *v, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%d: to %d, %d changes, %d+%d, %d in, %d out;", (int)(v->serial - NOW), (int)v->last_change, (int)v->changes, (int)v->published,
         (int)v->shadow, (int)v->added, (int)v->dropped);
    return 0;
}

static struct publication publication_of(const char *name, enum stage stage, int at)
{
    return (struct publication){ .name = name, .trigger = TRIGGER_DOMAIN, .stage = stage, .since = NOW + at, .approved_by = "dnsmon",
                                 .reason = "by policy", .level = VERDICT_HIGH_RISK, .score = .9, .categories = "[\"malware\"]",
                                 .family = "", .first_seen = NOW - 99, .valid_until = NOW + 1000 };
}

static void put_stage(struct knowledge *k, const char *name, enum stage stage, int at, const char *author)
{
    struct publication p = publication_of(name, stage, at);
    OK(publication_put(k, &p, NOW + at, author, &why));
}

static void publications_have_a_journal(void **state)
{
    int64_t serial;
    struct publication_sizes sizes;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    SEES("", version_last(k, note_version, NULL, &why));
    put_stage(k, "b.example", STAGE_SHADOW, 0, "dnsmon");
    put_stage(k, "a.example", STAGE_REVIEW, 0, "dnsmon");
    put_stage(k, "a.example", STAGE_REVIEW, 0, "dnsmon"); /* the same again */
    OK(publication_seal(k, NOW, "first", &serial, &why));
    assert_int_equal(serial, NOW);
    put_stage(k, "a.example", STAGE_PUBLISHED, 1, "ann");
    put_stage(k, "b.example", STAGE_PUBLISHED, 1, "dnsmon");
    OK(publication_seal(k, NOW - 50, "the clock went back", &serial, &why));
    assert_int_equal(serial, NOW + 1);
    OK(publication_seal(k, NOW + 9, "nothing new", &serial, &why));
    put_stage(k, "b.example", STAGE_OUT, 9, "dnsmon");
    SEES("1/0 b.example -shadow;2/0 a.example -review;3/1 a.example review-published;4/1 b.example shadow-published;"
         "5/-1 b.example published-out;", publication_changes(k, 0, INT64_MAX, note_publication_change, NULL, &why));
    SEES("3/1 a.example review-published;", publication_changes(k, 2, 3, note_publication_change, NULL, &why));
    SEES("2/0 a.example -review;3/1 a.example review-published;",
         publication_history(k, "a.example", TRIGGER_DOMAIN, note_publication_change, NULL, &why));
    SEES("0: to 2, 2 changes, 0+1, 0 in, 0 out;1: to 4, 2 changes, 2+0, 1 in, 0 out;9: to 4, 0 changes, 2+0, 0 in, 0 out;",
         version_each(k, 0, note_version, NULL, &why));
    SEES("9: to 4, 0 changes, 2+0, 0 in, 0 out;", version_last(k, note_version, NULL, &why));
    OK(publication_serial(k, &serial, &why));
    assert_int_equal(serial, 5);
    OK(publication_sizes(k, &sizes, &why));
    assert_true(sizes.published == 1 && sizes.shadow == 0 && sizes.held_in == 0 && sizes.held_out == 0);
    knowledge_close(&k);
    assert_clean();
}

static int note_changed(void *ctx, const struct publication *p, struct fault *sink_why)
{
    (void)ctx, (void)sink_why;
    note("%s %d;", p->name, (int)(p->changed - NOW));
    return 0;
}

/* What the journal does not tell is no change. */
static void publications_say_when_they_changed(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct publication p = publication_of("a.example", STAGE_PUBLISHED, 0);
    OK(publication_put(k, &p, NOW + 3, "dnsmon", &why));
    p.due = NOW + 99, p.held = HELD_OUT, p.changed = NOW + 50;
    OK(publication_put(k, &p, NOW + 5, "dnsmon", &why));
    SEES("a.example 3;", publication_find(k, "a.example", TRIGGER_DOMAIN, note_changed, NULL, &why));
    p.score = .8;
    OK(publication_put(k, &p, NOW + 7, "dnsmon", &why));
    SEES("a.example 7;", publication_find(k, "a.example", TRIGGER_DOMAIN, note_changed, NULL, &why));
    knowledge_close(&k);
    assert_clean();
}

static void publications_are_found(void **state)
{
    struct publication_sizes sizes;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    put_stage(k, "a.example", STAGE_REVIEW, 0, "dnsmon");
    put_stage(k, "b.example", STAGE_OUT, 0, "dnsmon");
    struct publication p = publication_of("c.example", STAGE_PUBLISHED, 0);
    p.due = NOW + 5;
    OK(publication_put(k, &p, NOW, "dnsmon", &why));
    p.name = "d.example", p.due = 0, p.held = HELD_OUT;
    OK(publication_put(k, &p, NOW, "dnsmon", &why));
    p.name = "192.0.2.0/24", p.trigger = TRIGGER_ADDRESS, p.held = HELD_NOT, p.valid_until = 0;
    OK(publication_put(k, &p, NOW, "dnsmon", &why));
    SEES("a.example domain review;", publication_each(k, 1u << STAGE_REVIEW, note_publication, NULL, &why));
    SEES("192.0.2.0/24 address published;c.example domain published;d.example domain published held out;",
         publication_each(k, 1u << STAGE_PUBLISHED, note_publication, NULL, &why));
    SEES("", publication_due(k, NOW + 4, note_publication, NULL, &why));
    SEES("c.example domain published;", publication_due(k, NOW + 5, note_publication, NULL, &why));
    SEES("a.example domain review;c.example domain published;", publication_ended(k, NOW + 1000, note_publication, NULL, &why));
    SEES("", publication_ended(k, NOW + 999, note_publication, NULL, &why));
    SEES("d.example domain published held out;", publication_held(k, note_publication, NULL, &why));
    SEES("c.example domain published;", publication_find(k, "c.example", TRIGGER_DOMAIN, note_publication, NULL, &why));
    SEES("", publication_find(k, "c.example", TRIGGER_HOST, note_publication, NULL, &why));
    OK(publication_sizes(k, &sizes, &why));
    assert_true(sizes.published == 3 && sizes.held_out == 1 && sizes.held_in == 0);
    static const struct {
        const char *text;
        int rc;
    } addresses[] = {
        { "192.0.2.1", 0 }, { "2001:db8::", 0 }, { "2001:db8::/33", 0 }, { "10.0.0.0/8", 0 }, { "0.0.0.0/0", 0 },
        { "192.0.2.1/24", E_USAGE }, { "192.0.2.1/32", E_USAGE }, { "2001:DB8::1", E_USAGE }, { "10.0.0.0/08", E_USAGE },
        { "10.0.0.0/", E_USAGE }, { "10.0.0.0/40", E_USAGE }, { "a.example", E_USAGE }, { "", E_USAGE },
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        p.name = addresses[i].text;
        assert_int_equal(publication_put(k, &p, NOW, "dnsmon", &why), addresses[i].rc);
    }
    p = publication_of("A.example", STAGE_REVIEW, 0);
    FAILS(E_USAGE, publication_put(k, &p, NOW, "dnsmon", &why));
    p.name = "e.example", p.categories = "{}";
    FAILS(E_MALFORMED, publication_put(k, &p, NOW, "dnsmon", &why));
    knowledge_close(&k);
    assert_clean();
}

static int note_receipt(void *ctx, const struct receipt *r, struct fault *sink_why)
{
    ++*(int *)ctx;
    (void)sink_why;
    note("%s %s %s %u;", r->secondary, r->zone, receipt_kind_text(r->kind), r->serial);
    return 0;
}

static void receipts_are_bounded(void **state)
{
    int n = 0;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct receipt r = { .at = NOW, .secondary = "192.0.2.1", .zone = "rpz.example", .serial = 4000000000u, .kind = RECEIPT_AXFR,
                         .records = 10, .bytes = 1000, .ms = 3, .outcome = "" };
    OK(knowledge_begin(k, &why));
    OK(receipt_add(k, &r, &why));
    r.kind = RECEIPT_SOA;
    for (uint32_t i = 0; i < RECEIPTS_KEPT + 50; i++) {
        r.serial = i;
        OK(receipt_add(k, &r, &why));
    }
    r.secondary = "192.0.2.2", r.kind = RECEIPT_IXFR, r.serial = 7;
    OK(receipt_add(k, &r, &why));
    r.outcome = "connection reset", r.serial = 8;
    OK(receipt_add(k, &r, &why));
    r.outcome = "", r.kind = RECEIPT_NOTIFY, r.serial = 9;
    OK(receipt_add(k, &r, &why));
    OK(knowledge_commit(k, &why));
    OK(receipt_each(k, "192.0.2.1", "", note_receipt, &n, &why));
    assert_int_equal(n, RECEIPTS_KEPT + 1); /* the transfer is still there */
    SEES("192.0.2.2 rpz.example ixfr 7;192.0.2.2 rpz.example ixfr 8;192.0.2.2 rpz.example notify 9;",
         receipt_each(k, "192.0.2.2", "rpz.example", note_receipt, &n, &why));
    SEES("192.0.2.1 rpz.example soa 149;192.0.2.2 rpz.example ixfr 7;", receipt_latest(k, note_receipt, &n, &why));
    knowledge_close(&k);
    assert_clean();
}

/* A file of version 2 with an indicator that was renewed: only its last state is known. */
static void version_2_is_brought_forward(void **state)
{
    static const char rows[] =
        "INSERT INTO indicator VALUES ('a.example', 'domain', 'high_risk', 0.9, '[]', '', NULL, 1, 472224, 1700006400, 'active', 'x');"
        "INSERT INTO indicator_change VALUES (1, 1700006400, 'a.example', 'domain', NULL, 'active', 'dnsmon', 'x');";
    (void)state;
    struct knowledge *k = calloc(1, sizeof *k), *old = NULL;
    k->mode = KNOWLEDGE_WRITE;
    snprintf(k->path, sizeof k->path, "%s", file_path(""));
    assert_int_equal(knowledge_connect(&k->db, k->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE), SQLITE_OK);
    OK(schema_migrate(k, knowledge_steps, 2, &why));
    assert_int_equal(sqlite3_exec(k->db, rows, NULL, NULL, NULL), SQLITE_OK);
    knowledge_close(&k);
    FAILS(E_VERSION, knowledge_open(&old, dir, KNOWLEDGE_READ, &why));
    k = open_in(KNOWLEDGE_WRITE);
    SEES("1 a.example -active;", indicator_changes(k, 0, note_change, NULL, &why));
    SEES("[] until 0;", indicator_as_of(k, "a.example", SCOPE_DOMAIN, T0, note_known, NULL, &why));
    SEES("", indicator_as_of(k, "a.example", SCOPE_DOMAIN, T0 - 1, note_known, NULL, &why));
    OK(indicator_set_state(k, "a.example", SCOPE_DOMAIN, INDICATOR_EXPIRED, NOW, "dnsmon", "silent", &why));
    SEES("1 a.example -active;2 a.example active-expired high_risk;", indicator_changes(k, 0, note_change, NULL, &why));
    put_stage(k, "a.example", STAGE_REVIEW, 0, "dnsmon");
    knowledge_close(&k);
    assert_clean();
}

static void rule(struct knowledge *k, enum decision_action action, const char *name, enum scope scope, int64_t at, int64_t until)
{
    struct decision d = { .at = at, .author = "ann", .action = action, .name = name, .scope = scope, .reason = "said so", .until = until };
    OK(decision_add(k, &d, NULL, &why));
}

static void the_nearest_decision_covers(void **state)
{
    static const struct {
        const char *name;
        int64_t at;
        const char *covered_by;
    } rows[] = {
        { "example.com", NOW + 50, "block domain example.com;" },
        { "a.b.example.com", NOW + 50, "block domain example.com;" },
        { "www.example.com", NOW + 50, "allow host www.example.com;" },
        { "x.www.example.com", NOW + 50, "block domain example.com;" }, /* a host's word is not of what is below */
        { "www.shop.example.com", NOW + 50, "allow domain shop.example.com;" },
        { "www.shop.example.com", NOW + 500, "block domain example.com;" }, /* it has ended */
        { "com", NOW + 50, "" },
        { "notexample.com", NOW + 50, "" },
        { "a\\.example.com", NOW + 50, "" }, /* one label and com */
        { "example.com", NOW + 5, "allow domain example.com;" }, /* as it was then */
        { "example.com", NOW - 5, "" },
    };
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    rule(k, DECISION_ALLOW, "example.com", SCOPE_DOMAIN, NOW, 0);
    rule(k, DECISION_BLOCK, "example.com", SCOPE_DOMAIN, NOW + 10, 0);
    rule(k, DECISION_ALLOW, "www.example.com", SCOPE_HOST, NOW + 10, 0);
    rule(k, DECISION_ALLOW, "shop.example.com", SCOPE_DOMAIN, NOW + 10, NOW + 100);
    rule(k, DECISION_FEEDBACK, "example.com", SCOPE_DOMAIN, NOW + 20, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        SEES(rows[i].covered_by, decision_covering(k, rows[i].name, rows[i].at, note_decision, NULL, &why));
    OK(decision_revoke(k, DECISION_BLOCK, "example.com", SCOPE_DOMAIN, NOW + 60, "bob", "was ours", &why));
    FAILS(E_ABSENT, decision_revoke(k, DECISION_BLOCK, "example.com", SCOPE_DOMAIN, NOW + 61, "bob", "again", &why));
    SEES("", decision_covering(k, "example.com", NOW + 70, note_decision, NULL, &why));
    SEES("allow domain shop.example.com;allow host www.example.com;", decision_each(k, DECISION_ALLOW, NOW + 70, note_decision, NULL, &why));
    SEES("ann allow: domain example.com;ann revoke: domain example.com;ann block: domain example.com;"
         "ann allow: host www.example.com;ann allow: domain shop.example.com;ann feedback: domain example.com;"
         "bob revoke: domain example.com;", audit_each(k, 0, note_audit, NULL, &why));
    struct decision d = { .at = NOW, .author = "ann", .action = DECISION_ALLOW, .name = "a.example", .reason = "" };
    FAILS(E_USAGE, decision_add(k, &d, NULL, &why));
    d.reason = "r", d.until = NOW;
    FAILS(E_USAGE, decision_add(k, &d, NULL, &why));
    knowledge_close(&k);
    assert_clean();
}

static void remembers_runs(void **state)
{
    struct analysis a = { .analysed_until = T0, .period_start = T0 - 9, .state_file = "s", .state_digest = "ab" }, b;
    struct buffer text;
    (void)state;
    buffer_init(&text, 1000);
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    OK(analysis_get(k, &b, &why));
    assert_int_equal(b.analysed_until, 0);
    OK(analysis_put(k, &a, &why));
    a.analysed_until++;
    OK(analysis_put(k, &a, &why));
    OK(analysis_get(k, &b, &why));
    assert_memory_equal(&a, &b, sizeof a);
    FAILS(E_ABSENT, setting_get(k, "seed", &text, &why));
    OK(setting_put(k, "seed", "1", &why));
    OK(setting_put(k, "seed", "23", &why));
    OK(setting_get(k, "seed", &text, &why));
    assert_int_equal(text.len, 2);
    OK(setting_put(k, "seed", NULL, &why));
    FAILS(E_ABSENT, setting_get(k, "seed", &text, &why));
    OK(funnel_put(k, T0, FUNNEL_NAMES, "", 100, &why));
    OK(funnel_put(k, T0, FUNNEL_NAMES, "", 90, &why)); /* a replay */
    OK(funnel_put(k, T0, FUNNEL_CLEANED, "popular", 60, &why));
    OK(funnel_put(k, T0 + 1, FUNNEL_NAMES, "", 7, &why));
    OK(funnel_put(k, T0 + 2, FUNNEL_NAMES, "", 1000, &why));
    SEES("names  97;cleaned popular 60;", funnel_sum(k, T0, T0 + 1, note_funnel, NULL, &why));
    buffer_release(&text);
    knowledge_close(&k);
    assert_clean();
}

/* ---- transactions, kills, two at once ---- */

static void ledgers_only_grow(void **state)
{
    static const char *const refused[] = {
        "UPDATE evidence SET weight = 0", "DELETE FROM evidence", "REPLACE INTO evidence SELECT * FROM evidence",
        "UPDATE verdict SET level = 'benign'", "DELETE FROM verdict", "REPLACE INTO verdict SELECT * FROM verdict",
        "UPDATE audit SET author = 'eve'", "DELETE FROM audit", "REPLACE INTO audit SELECT * FROM audit",
        "UPDATE indicator_change SET at = 0", "DELETE FROM indicator_change",
        "REPLACE INTO indicator_change SELECT * FROM indicator_change",
        "UPDATE publication_change SET at = 0", "DELETE FROM publication_change",
        "REPLACE INTO publication_change SELECT * FROM publication_change",
        "UPDATE version SET last_change = 0", "DELETE FROM version", "REPLACE INTO version SELECT * FROM version",
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
    };
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct indicator i = { .name = "a.example", .categories = "[]", .family = "", .reason = "" };
    int64_t version;
    say(k, "a.example", "beat", 1, 2);
    decide(k, "a.example", VERDICT_WATCH, .4, 1);
    rule(k, DECISION_ALLOW, "a.example", SCOPE_DOMAIN, NOW, 0);
    OK(indicator_put(k, &i, NOW, "dnsmon", &why));
    put_stage(k, "a.example", STAGE_REVIEW, 0, "dnsmon");
    OK(publication_seal(k, NOW, "first", &version, &why));
    for (size_t n = 0; n < sizeof refused / sizeof refused[0]; n++)
        if (sqlite3_exec(k->db, refused[n], NULL, NULL, NULL) == SQLITE_OK)
            fail_msg("allowed: %s", refused[n]);
    knowledge_close(&k);
    assert_clean();
}

static void all_or_nothing(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    OK(knowledge_begin(k, &why));
    say(k, "a.example", "beat", 1, 2);
    knowledge_rollback(k);
    OK(knowledge_begin(k, &why));
    say(k, "b.example", "beat", 1, 2);
    struct verdict bad = { .name = "c.example", .campaign = 99 /* which there is not */, .reason = "{}" };
    FAILS(E_MALFORMED, verdict_add(k, &bad, NULL, &why));
    FAILS(E_MALFORMED, knowledge_commit(k, &why)); /* it must not be half */
    SEES("", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    OK(knowledge_begin(k, &why));
    say(k, "d.example", "beat", 1, 2);
    FAILS(E_ABSENT, indicator_set_state(k, "a.example", SCOPE_HOST, INDICATOR_HELD, NOW, "ann", "none", &why));
    OK(knowledge_commit(k, &why)); /* that wrote nothing, and may be so */
    SEES("d.example domain beat@1=2;", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    knowledge_close(&k);
    struct knowledge *reader = open_in(KNOWLEDGE_READ);
    FAILS(E_USAGE, verdict_add(reader, &bad, NULL, &why));
    knowledge_close(&reader);
}

/* A child commits, goes on and is killed. */
static void a_kill_leaves_what_was_committed(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct knowledge *k = open_in(KNOWLEDGE_WRITE);
        OK(knowledge_begin(k, &why));
        say(k, "a.example", "beat", 1, 2);
        OK(knowledge_commit(k, &why));
        OK(knowledge_begin(k, &why));
        for (int i = 0; i < 3000; i++) /* more than SQLite's cache needs to hold */
            say(k, "b.example", "beat", i, i + 1);
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_clean();
    struct knowledge *k = open_in(KNOWLEDGE_READ);
    SEES("a.example domain beat@1=2;", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    knowledge_close(&k);
}

static void readers_go_on_while_one_writes(void **state)
{
    (void)state;
    struct knowledge *w = open_in(KNOWLEDGE_WRITE), *r = open_in(KNOWLEDGE_READ), *other = open_in(KNOWLEDGE_WRITE);
    say(w, "a.example", "beat", 1, 2);
    OK(knowledge_begin(r, &why));
    SEES("a.example domain beat@1=2;", evidence_of_detector(r, "beat", note_evidence, NULL, &why));
    OK(knowledge_begin(w, &why));
    say(w, "b.example", "beat", 1, 3);
    sqlite3_busy_timeout(other->db, 10);
    FAILS(E_LOCKED, knowledge_begin(other, &why));
    OK(knowledge_commit(w, &why));
    SEES("a.example domain beat@1=2;", evidence_of_detector(r, "beat", note_evidence, NULL, &why)); /* its view */
    knowledge_rollback(r);
    SEES("a.example domain beat@1=2;b.example domain beat@1=3;", evidence_of_detector(r, "beat", note_evidence, NULL, &why));
    int64_t before, after;
    OK(knowledge_stamp(r, &before, &why));
    OK(knowledge_stamp(r, &after, &why));
    assert_int_equal(before, after);
    say(w, "c.example", "beat", 1, 3);
    OK(knowledge_stamp(r, &after, &why));
    assert_int_not_equal(before, after);
    knowledge_close(&other);
    knowledge_close(&r);
    knowledge_close(&w);
}

static int ask_again(void *ctx, const struct evidence *e, struct fault *sink_why)
{
    note("%s<", e->name);
    return evidence_of_detector(ctx, "beat", note_evidence, NULL, sink_why);
}

static int stop(void *ctx, const struct evidence *e, struct fault *sink_why)
{
    (void)ctx, (void)e, (void)sink_why;
    return 42;
}

static void callbacks_may_ask(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    say(k, "a.example", "beat", 1, 2);
    SEES("a.example<a.example domain beat@1=2;", evidence_of_detector(k, "beat", ask_again, k, &why));
    assert_int_equal(evidence_of_detector(k, "beat", stop, NULL, NULL), 42);
    SEES("a.example domain beat@1=2;", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    knowledge_close(&k);
}

/* Files may not grow: as on a full disk, but for SIGXFSZ. */
static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    say(k, "a.example", "beat", 1, 2);
    knowledge_close(&k);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = { 600000, 600000 };
        int rc = 0;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why) != 0 || knowledge_begin(k, &why) != 0)
            _exit(1);
        for (int i = 0; rc == 0 && i < 20000; i++) {
            struct evidence e = evidence_of("b.example", "beat", i, i + 1);
            rc = evidence_add(k, &e, NULL, &why);
        }
        _exit((rc == E_IO || rc == E_NOSPACE) && strstr(why.text, KNOWLEDGE_FILE) && knowledge_commit(k, NULL) == rc ? 0 : 2);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_clean();
    k = open_in(KNOWLEDGE_WRITE);
    SEES("a.example domain beat@1=2;", evidence_of_detector(k, "beat", note_evidence, NULL, &why));
    say(k, "c.example", "beat", 1, 2);
    knowledge_close(&k);
}

/* ---- files ---- */

static void the_file_is_the_owners(void **state)
{
    struct stat st;
    struct knowledge *k = NULL;
    (void)state;
    FAILS(E_ABSENT, knowledge_open(&k, dir, KNOWLEDGE_READ, &why));
    assert_int_equal(access(file_path(""), F_OK), -1);
    assert_clean(); /* none at all is fine */
    mode_t former = umask(0);
    k = open_in(KNOWLEDGE_WRITE);
    umask(former);
    say(k, "a.example", "beat", 1, 1);
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(file_path(suffixes[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    knowledge_close(&k);
    FAILS(E_ABSENT, knowledge_open(&k, scratch_path("no-such-folder"), KNOWLEDGE_WRITE, &why));
}

/* Root may write everything, so the child becomes nobody. */
static void a_file_that_cannot_be_written_is_told(void **state)
{
    int status;
    (void)state;
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    knowledge_close(&k);
    bool root = geteuid() == 0;
    assert_int_equal(chmod(file_path(""), 0400), 0);
    if (root) {
        assert_int_equal(chown(file_path(""), 65534, (gid_t)-1), 0);
        assert_int_equal(chmod(scratch_folder(), 0711), 0);
    }
    pid_t child = fork();
    if (child == 0) {
        if (root && setuid(65534) != 0)
            _exit(1);
        _exit(knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why) == E_IO && strstr(why.text, KNOWLEDGE_FILE) != NULL ? 0 : 2);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static struct {
    uint8_t *bytes;
    size_t len;
} sample;

static void read_sample(void)
{
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    struct stat st;
    int64_t version;
    say(k, "a.example", "beat", 1, 2);
    say(k, "a.example", "beat", 1, 1);
    decide(k, "a.example", VERDICT_WATCH, .4, 1);
    decide(k, "a.example", VERDICT_HIGH_RISK, .8, 2);
    rule(k, DECISION_ALLOW, "b.example", SCOPE_DOMAIN, NOW, 0);
    struct indicator i = { .name = "a.example", .level = VERDICT_HIGH_RISK, .categories = "[]", .family = "", .reason = "" };
    OK(indicator_put(k, &i, NOW, "dnsmon", &why));
    put_stage(k, "a.example", STAGE_PUBLISHED, 0, "dnsmon");
    OK(publication_seal(k, NOW, "first", &version, &why));
    knowledge_close(&k);
    int fd = open(file_path(""), O_RDONLY);
    fstat(fd, &st);
    sample.len = (size_t)st.st_size;
    sample.bytes = malloc(sample.len);
    assert_int_equal(read(fd, sample.bytes, sample.len), st.st_size);
    close(fd);
}

static void write_file(const void *bytes, size_t len)
{
    int fd = open(file_path(""), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
    unlink(file_path("-wal"));
    unlink(file_path("-shm"));
}

static void expect_left_as_it_is(const void *bytes, size_t len, int code)
{
    struct knowledge *k = NULL;
    struct stat st;
    write_file(bytes, len);
    for (int mode = KNOWLEDGE_READ; mode <= KNOWLEDGE_WRITE; mode++) {
        FAILS(code, knowledge_open(&k, dir, (enum knowledge_mode)mode, &why));
        assert_non_null(strstr(why.text, KNOWLEDGE_FILE));
    }
    assert_int_equal(stat(file_path(""), &st), 0);
    assert_int_equal(st.st_size, len);
}

static void other_files_are_left_alone(void **state)
{
    static const char text[] = "this is no database, but somebody's notes that must not be lost";
    char lines[4096];
    (void)state;
    read_sample();
    expect_left_as_it_is("", 0, E_CORRUPT);
    expect_left_as_it_is(text, sizeof text, E_CORRUPT);
    expect_left_as_it_is(sample.bytes, 50, E_CORRUPT);
    expect_left_as_it_is(sample.bytes, 4096, E_CORRUPT);
    expect_left_as_it_is(sample.bytes, 2 * 4096, E_CORRUPT);
    assert_true(check_into(lines, sizeof lines) > 0);
    /* Someone else's SQLite file; one of ours with a trigger more; one of a later version. */
    static const struct {
        const char *sql;
        bool ours;
        int code;
    } rows[] = {
        { "CREATE TABLE t (x)", false, E_CORRUPT },
        { "PRAGMA application_id = 7", false, E_CORRUPT },
        { "CREATE TRIGGER evil AFTER INSERT ON setting BEGIN DELETE FROM setting; END", true, E_CORRUPT },
        { "DROP TRIGGER evidence_no_update", true, E_CORRUPT },
        { "PRAGMA user_version = 99", true, E_VERSION },
        { "PRAGMA user_version = 0", true, E_CORRUPT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct knowledge *k = NULL;
        sqlite3 *db;
        write_file(sample.bytes, rows[i].ours ? sample.len : 0);
        assert_int_equal(sqlite3_open(file_path(""), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, rows[i].sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        FAILS(rows[i].code, knowledge_open(&k, dir, KNOWLEDGE_READ, &why));
        FAILS(rows[i].code, knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why));
    }
    free(sample.bytes);
}

static void ask_everything(struct knowledge *k)
{
    struct analysis a;
    seen[0] = '\0';
    (void)!evidence_standing(k, "a.example", SCOPE_DOMAIN, T0 + 1, note_evidence, NULL, &why);
    (void)!evidence_of_detector(k, "beat", note_evidence, NULL, &why);
    (void)!verdict_each(k, VERDICT_BENIGN, VERDICT_MALICIOUS, KNOWLEDGE_NOW, note_verdict, NULL, &why);
    (void)!decision_history(k, note_decision, NULL, &why);
    (void)!decision_covering(k, "x.b.example", NOW, note_decision, NULL, &why);
    (void)!audit_each(k, 0, note_audit, NULL, &why);
    (void)!publication_each(k, ~0u, note_publication, NULL, &why);
    (void)!publication_changes(k, 0, INT64_MAX, note_publication_change, NULL, &why);
    (void)!version_each(k, 0, note_version, NULL, &why);
    (void)!analysis_get(k, &a, &why);
}

/* Bytes of every page's start and of where the rows are, each with one bit other, and with all. */
static void flipped_bytes_never_crash(void **state)
{
    unsigned refused = 0, found = 0, tried = 0;
    uint32_t random = 1;
    (void)state;
    read_sample();
    for (size_t at = 0; at < sample.len; at += 1 + (random >> 16) % (at % 4096 < 64 ? 5 : 211)) {
        struct knowledge *k = NULL;
        random = random * 1103515245 + 12345;
        uint8_t flip = random & 0x10000 ? 0xff : (uint8_t)(1u << ((random >> 20) & 7));
        sample.bytes[at] ^= flip;
        write_file(sample.bytes, sample.len);
        sample.bytes[at] ^= flip;
        tried++;
        if (knowledge_open(&k, dir, KNOWLEDGE_READ, &why) != 0) {
            assert_true(why.text[0] != '\0');
            refused++;
        } else {
            ask_everything(k);
        }
        knowledge_close(&k);
        uint64_t damages = 0;
        found += knowledge_check(dir, NULL, NULL, &damages, &why) != 0 || damages > 0;
    }
    free(sample.bytes);
    print_message("# %u flips: %u refused at opening, %u found by the check\n", tried, refused, found);
    assert_true(tried > 500 && refused > 0 && found >= refused);
}

/* What the check says of rows that lie, written past the API. */
static void the_check_finds_lies(void **state)
{
    static const struct {
        const char *sql, *told;
    } rows[] = {
        { "DELETE FROM standing", "standing lacks the evidence" },
        { "INSERT INTO evidence SELECT id + 1000, name, scope, detector, grp, step, known_at, 5, summary, facts, NULL FROM evidence",
          "standing does not point to the latest" },
        { "DELETE FROM current_verdict", "current_verdict lacks" },
        { "UPDATE current_verdict SET level = 'benign'", "current_verdict does not point" },
        { "INSERT INTO verdict SELECT id + 1000, name, scope, level, score, decided_at - 9, known_at, NULL, reason, id FROM verdict",
          "a verdict follows one" },
        { "INSERT INTO indicator VALUES ('z.example', 'host', 'watch', 0, '[]', '', NULL, 0, 0, 0, 'held', '')",
          "indicator and its last change" },
        { "INSERT INTO indicator_change (serial, at, name, scope, was, now, author, reason)"
          " VALUES (9, 0, 'z.example', 'host', 'held', 'active', '', '')", "does not continue the change" },
        { "UPDATE indicator SET valid_until = 5", "indicator is not what its last change of that step says: a.example" },
        { "UPDATE publication SET stage = 'out'", "publication is not what its last change says: a.example" },
        { "UPDATE publication SET campaign = 1", "publication is not what its last change says: a.example" },
        { "UPDATE publication SET held = 'in'", "a publication is held where nothing can be: a.example" },
        { "UPDATE publication SET categories = '{}'", "categories of a publication" },
        { "DELETE FROM publication", "publication lacks a.example" },
        { "INSERT INTO publication_change SELECT serial + 9, at, name, kind, 'out', now, author, since, approved_by, reason, level, score,"
          " categories, family, campaign, first_seen, valid_until FROM publication_change", "publication_change does not continue" },
        { "INSERT INTO version VALUES (2000000000, 0, 0, 1, 0, 0, 0, '')", "a version goes beyond the journal" },
        { "INSERT INTO version VALUES (2000000000, 99, 0, 1, 0, 0, 0, '')", "a version goes beyond the journal" },
        { "INSERT INTO version VALUES (2000000000, 1, 0, 7, 0, 0, 0, '')", "a version does not count" },
        { "PRAGMA foreign_keys = OFF; INSERT INTO standing VALUES ('q.example', 'host', 'beat', 9999)", "refers to a row" },
    };
    char lines[8192];
    (void)state;
    read_sample();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sqlite3 *db;
        write_file(sample.bytes, sample.len);
        assert_clean();
        assert_int_equal(sqlite3_open(file_path(""), &db), SQLITE_OK);
        if (sqlite3_exec(db, rows[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", rows[i].sql, sqlite3_errmsg(db));
        sqlite3_close(db);
        assert_true(check_into(lines, sizeof lines) > 0);
        if (strstr(lines, rows[i].told) == NULL)
            fail_msg("%s: %s", rows[i].sql, lines);
    }
    free(sample.bytes);
}

/* A file of version 1 as it was written then (version_1.sql) opens now, and grows by what a version adds. */
static void older_versions_are_brought_forward(void **state)
{
    enum { STEPS_MAX = 64 };
    static const char *steps[STEPS_MAX];
    char *sql = calloc(1, 1 << 20);
    sqlite3 *db;
    (void)state;
    FILE *f = fopen(getenv("KNOWLEDGE_VERSION_1"), "r");
    assert_non_null(f);
    assert_true(fread(sql, 1, (1 << 20) - 1, f) > 1000);
    fclose(f);
    assert_int_equal(sqlite3_open(file_path(""), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    free(sql);
    struct knowledge *k = open_in(KNOWLEDGE_WRITE);
    SEES("a.example domain beat@1=1;", evidence_standing(k, "a.example", SCOPE_DOMAIN, KNOWLEDGE_NOW, note_evidence, NULL, &why));
    memcpy(steps, knowledge_steps, (size_t)knowledge_version * sizeof *steps);
    steps[knowledge_version] = "CREATE TABLE later (x TEXT) STRICT; INSERT INTO later SELECT name FROM verdict";
    steps[knowledge_version + 1] = "CREATE TABLE never (x TEXT) STRICT; INSERT INTO nowhere VALUES (1)";
    assert_true(schema_migrate(k, steps, knowledge_version + 2, &why) < 0); /* wholly, or not at all */
    OK(schema_compare(k, knowledge_steps, knowledge_version, &why));
    OK(schema_migrate(k, steps, knowledge_version + 1, &why));
    OK(schema_compare(k, steps, knowledge_version + 1, &why));
    FAILS(E_VERSION, schema_migrate(k, knowledge_steps, knowledge_version, &why));
    knowledge_close(&k);
    FAILS(E_VERSION, knowledge_open(&k, dir, KNOWLEDGE_WRITE, &why));
}

static void names_have_one_form(void **state)
{
    static const struct {
        const char *any, *stored;
    } rows[] = {
        { "WWW.Example.COM.", "www.example.com" }, { "example.com", "example.com" }, { "a\\.b.Example", "a\\.b.example" },
        { "\\065.example", "a.example" }, { "", NULL }, { ".", NULL }, { "a..b", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[NAME_TEXT_MAX], again[NAME_TEXT_MAX];
        uint8_t key[NAME_KEY_MAX];
        size_t n = knowledge_name_from_text(rows[i].any, text);
        assert_int_equal(n, rows[i].stored ? strlen(rows[i].stored) : 0);
        if (rows[i].stored == NULL)
            continue;
        assert_string_equal(text, rows[i].stored);
        n = knowledge_key(text, key);
        assert_true(n > 0);
        assert_int_equal(knowledge_name(key, n, again), strlen(text));
        assert_string_equal(again, text);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, new_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_stands),
        TEST(replays_and_corrections),
        TEST(refuses_what_is_no_evidence),
        TEST(verdicts_hold_from_their_step),
        TEST(campaigns_grow_and_merge),
        TEST(indicators_have_a_history),
        TEST(indicators_are_known_as_they_were),
        TEST(publications_have_a_journal),
        TEST(publications_say_when_they_changed),
        TEST(publications_are_found),
        TEST(receipts_are_bounded),
        TEST(version_2_is_brought_forward),
        TEST(the_nearest_decision_covers),
        TEST(remembers_runs),
        TEST(ledgers_only_grow),
        TEST(all_or_nothing),
        TEST(a_kill_leaves_what_was_committed),
        TEST(readers_go_on_while_one_writes),
        TEST(callbacks_may_ask),
        TEST(a_full_disk_is_told),
        TEST(the_file_is_the_owners),
        TEST(a_file_that_cannot_be_written_is_told),
        TEST(other_files_are_left_alone),
        TEST(flipped_bytes_never_crash),
        TEST(the_check_finds_lies),
        TEST(older_versions_are_brought_forward),
        TEST(names_have_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
