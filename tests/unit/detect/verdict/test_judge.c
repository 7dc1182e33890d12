/* Judging: a row for every rule of docs/design/verdict.md, with weights of the test's own: all 1, so that nats add up by eye. The base
 * rate takes 9.21 of them: from 3.0 nats on it is watch, from 7.8 suspicious, from 11.4 high_risk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "detect/verdict/judge.h"

enum { NOW = 500000, DAY = 24, ROWS = 4, HOSTS = 3, MEMORY = 40000 };

#define DOMAIN "com\0bad\0"
#define HOST_A DOMAIN "a\0"
#define HOST_B DOMAIN "b\0"
#define HOST_C DOMAIN "c\0"
#define KEY(text) { (const uint8_t *)text, sizeof text }

static struct verdict_weights plain_weights(void)
{
    struct verdict_weights w;
    weights_default(&w);
    w.intercept = -9.21;
    for (unsigned g = 0; g < JUDGED_GROUPS; g++) {
        w.weight[g] = 1;
        w.cap[g] = 12;
    }
    w.cap[GROUP_BURST] = 5;
    w.level[VERDICT_WATCH] = 0.002;
    w.level[VERDICT_SUSPICIOUS] = 0.2;
    w.level[VERDICT_HIGH_RISK] = 0.9;
    w.rule.family_min = 2;
    w.rule.external_min = 4;
    w.rule.exonerate_anchor = 4;
    w.rule.popular_days = 7;
    w.rule.popular_share = 0.02;
    w.rule.infrastructure_min = 3;
    w.rule.established_days = 7;
    w.rule.blast_clients = 50;
    w.rule.blast_share = 0.1;
    w.rule.fade_days = 3;
    w.rule.fade_half_days = 14;
    w.rule.fall_hours = 24;
    w.n_conclusive = 1;
    snprintf(w.conclusive[0].detector, WEIGHTS_NAME, "sure");
    w.conclusive[0].strength = 8;
    return w;
}

struct example {
    const char *what;
    struct standing_row rows[ROWS]; /* detector "d" unless said; owner the domain unless said */
    struct standing context;
    struct standing_host hosts[HOSTS];
    enum verdict_level level;
    enum decided decided;
    enum scope scope;
    enum scope_why why;
    unsigned n_hosts;
};

static void judge_example(const struct example *e, const struct verdict_weights *w, bool reversed, struct judgement *ret, char json[MEMORY])
{
    struct standing_row rows[ROWS];
    struct standing s = e->context;
    for (unsigned i = 0; i < ROWS && e->rows[i].strength != 0; i++)
        s.n_rows++;
    for (unsigned i = 0; i < s.n_rows; i++) {
        struct standing_row *row = &rows[reversed ? s.n_rows - 1 - i : i];
        *row = e->rows[i];
        row->detector = row->detector ? row->detector : "d";
        row->since = row->since ? row->since : NOW - 10;
        if (row->owner.len == 0)
            row->owner = (struct slice)KEY(DOMAIN);
    }
    for (; s.n_hosts < HOSTS && e->hosts[s.n_hosts].owner.len; s.n_hosts++)
        s.first = s.first == 0 || e->hosts[s.n_hosts].first < s.first ? e->hosts[s.n_hosts].first : s.first;
    s.domain = (struct slice)KEY(DOMAIN);
    s.step = NOW;
    s.rows = rows;
    s.hosts = e->hosts;
    s.last_asked = s.last_asked ? s.last_asked : NOW;
    s.network_clients = s.network_clients ? s.network_clients : 1000;
    verdict_judge(&s, w, ret);
    struct buffer to;
    buffer_init(&to, MEMORY - 1);
    judgement_put(ret, &s, w, &to);
    assert_false(to.failed);
    memcpy(json, to.ptr, to.len);
    json[to.len] = '\0';
    buffer_release(&to);
}

#define R(g, nats) { .group = GROUP_##g, .strength = nats }
#define AT(g, nats, key) { .group = GROUP_##g, .strength = nats, .owner = KEY(key) }
#define OLD(g, nats) { .group = GROUP_##g, .strength = nats, .since = NOW - 100 }
#define SAYS(d, g, nats) { .detector = d, .group = GROUP_##g, .strength = nats }
#define BAD { R(RHYTHM, 6), R(LABELS, 6) }
#define WELL_KNOWN { KEY(HOST_C), NOW - 30 * DAY, 3, 9, false }

static const struct example examples[] = {
    /* Score. */
    { "nothing", { { 0 } }, .level = VERDICT_BENIGN },
    { "little", { R(RHYTHM, 2.9) }, .level = VERDICT_BENIGN },
    { "watch", { R(RHYTHM, 3.1) }, .level = VERDICT_WATCH },
    { "suspicious", { R(RHYTHM, 8) }, .level = VERDICT_SUSPICIOUS },
    { "the strongest of a group, not the sum", { SAYS("x", LABELS, 6), SAYS("y", LABELS, 5), R(RHYTHM, 3) }, .level = VERDICT_SUSPICIOUS },
    { "caps", { R(BURST, 12), R(LABELS, 6) }, .level = VERDICT_SUSPICIOUS },
    { "the wrong sign counts for nothing", { SAYS("x", RHYTHM, -9), R(RHYTHM, 6), R(LABELS, 6), R(STANDING, 9) },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "against", { R(RHYTHM, 6), R(LABELS, 6), R(STANDING, -7) }, .level = VERDICT_WATCH },

    /* Families. */
    { "automation is one family", { R(RHYTHM, 6), R(COHORT, 6), R(CURVE, 6) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "novelty is none", { R(LABELS, 9), R(NOVELTY, 6) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "lexical is none", { R(LABELS, 12), R(LEXICAL, 6) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "one of harm", { R(RHYTHM, 9), R(BURST, 5) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "automation and harm", BAD, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "burst and harm", { R(BURST, 5), R(LABELS, 7) }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "groups of harm are families each", { R(DEMAND, 6), R(LABELS, 6) }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "too weak for a family", { R(RHYTHM, 1.9), R(LABELS, 12) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "lexical never blocks", { R(RHYTHM, 5), R(LABELS, 5), R(LEXICAL, 4) }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_LEXICAL },
    { "conclusive", { SAYS("sure", VOLUME, 8) }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_CONCLUSIVE },
    { "not conclusive enough", { SAYS("sure", VOLUME, 7.9) }, .level = VERDICT_SUSPICIOUS },
    { "conclusive is not against the score", { SAYS("sure", VOLUME, 8), R(STANDING, -1) }, .level = VERDICT_WATCH },
    { "no automation is conclusive", { SAYS("sure", RHYTHM, 9) }, .level = VERDICT_SUSPICIOUS },

    /* External. */
    { "a report", { R(EXTERNAL, 4) }, .level = VERDICT_MALICIOUS, .decided = DECIDED_EXTERNAL },
    { "a mention", { R(EXTERNAL, 3.9) }, .level = VERDICT_WATCH },
    { "a mention confirms", { R(EXTERNAL, 2), R(RHYTHM, 6), R(LABELS, 6) }, .level = VERDICT_MALICIOUS, .decided = DECIDED_CONFIRMED },
    { "a report about the former registrant", { OLD(EXTERNAL, 6) }, .context = { .registered = NOW - 50 }, .level = VERDICT_WATCH },

    /* The operator. */
    { "allowed", { R(EXTERNAL, 12) }, .context = { .word = WORD_ALLOW }, .level = VERDICT_BENIGN, .decided = DECIDED_ALLOWED },
    { "blocked", { R(ANCHOR, -12) }, .context = { .word = WORD_BLOCK }, .level = VERDICT_MALICIOUS, .decided = DECIDED_BLOCKED },
    { "objected", BAD, .context = { .word = WORD_OBJECTION }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_OBJECTED },

    /* Exonerated. */
    { "an anchor's", { R(RHYTHM, 12), R(LABELS, 12), R(ANCHOR, -4) }, .level = VERDICT_WATCH, .decided = DECIDED_ANCHORED },
    { "hardly an anchor's", { R(RHYTHM, 12), R(LABELS, 12), R(ANCHOR, -3.9) }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "popular", BAD, .context = { .popular_rank = 1000, .broad_days = 7, .clients = 20 }, .level = VERDICT_WATCH, .decided = DECIDED_POPULAR },
    { "popular since yesterday", BAD, .context = { .popular_rank = 1, .broad_days = 6, .clients = 20 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "popular, but suspect before", BAD, .context = { .popular_rank = 1, .broad_days = 9, .clients = 20, .first = NOW - 9 * DAY,
      .before = { VERDICT_SUSPICIOUS, NOW - 8 * DAY } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "popular, and suspect since", BAD, .context = { .popular_rank = 1, .broad_days = 9, .clients = 20, .first = NOW - 9 * DAY,
      .before = { VERDICT_SUSPICIOUS, NOW - DAY } }, .level = VERDICT_WATCH, .decided = DECIDED_POPULAR },
    { "popular, and blocked before", BAD, .context = { .popular_rank = 1, .broad_days = 9, .clients = 20, .first = NOW - 9 * DAY,
      .before = { VERDICT_HIGH_RISK, NOW - DAY } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "popular with few", BAD, .context = { .popular_rank = 1, .broad_days = 90, .clients = 19 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "not popular", BAD, .context = { .broad_days = 90, .clients = 20 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "a report about an anchor's", { R(EXTERNAL, 12), R(ANCHOR, -4) }, .level = VERDICT_WATCH, .decided = DECIDED_ANCHORED },
    { "a report about a host of an anchor's", { AT(EXTERNAL, 5, HOST_A), R(ANCHOR, -4), AT(LABELS, 9, HOST_B) }, .level = VERDICT_MALICIOUS,
      .decided = DECIDED_EXONERATED_HOSTS, .scope = SCOPE_HOST, .why = SCOPE_WHY_EXONERATED, .n_hosts = 1 },

    /* Blast radius. */
    { "many clients", BAD, .context = { .clients = 100 }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_BLAST },
    { "many, but a small share", BAD, .context = { .clients = 99 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "a large share, but few", BAD, .context = { .clients = 49, .network_clients = 100 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "many, and a report", { R(EXTERNAL, 5) }, .context = { .clients = 100 }, .level = VERDICT_MALICIOUS, .decided = DECIDED_EXTERNAL },
    { "few clients of the host that is named", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .context = { .clients = 900 },
      .hosts = { { KEY(HOST_A), NOW - 5, 4, 9, false }, WELL_KNOWN }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES,
      .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },

    /* Scope. */
    { "hosts, and no others", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .hosts = { { KEY(HOST_A), NOW - 30 * DAY, 9, 9, false } },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .why = SCOPE_WHY_NO_OTHERS },
    { "hosts, and young others", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .hosts = { { KEY(HOST_B), NOW - 7 * DAY + 1, 9, 9, false } },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .why = SCOPE_WHY_NO_OTHERS },
    { "hosts, and others that few ask for", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .hosts = { { KEY(HOST_B), NOW - 90 * DAY, 1, 9, false } },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },
    { "hosts, and others that nobody asked for lately", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .context = { .first = NOW - 90 * DAY },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },
    { "what speaks for the domain is not about the hosts", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6), R(STANDING, -7), R(HUMAN, -6) },
      .hosts = { { KEY(HOST_A), NOW - 5, 4, 9, false }, WELL_KNOWN }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES,
      .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },
    { "hosts, and established others", { AT(LABELS, 4, HOST_A), AT(DEMAND, 8, HOST_B), AT(LABELS, 3, HOST_A) }, .hosts = { WELL_KNOWN },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 2 },
    { "hosts, and one the operator allowed", { AT(LABELS, 6, HOST_A), R(RHYTHM, 6) }, .hosts = { { KEY(HOST_B), NOW, 0, 0, true } },
      .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST, .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },
    { "hosts that are somebody else's than their domain", { { .detector = "d", .group = GROUP_INFRASTRUCTURE, .strength = 6, .owner = KEY(HOST_A), .hosts_alone = true }, R(RHYTHM, 6) },
      .hosts = { { KEY(HOST_A), NOW - 5, 9, 9, false } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST,
      .why = SCOPE_WHY_OTHERS, .n_hosts = 1 },
    { "... and more that is not", { { .detector = "d", .group = GROUP_INFRASTRUCTURE, .strength = 6, .owner = KEY(HOST_A), .hosts_alone = true }, AT(LABELS, 6, HOST_B) },
      .hosts = { { KEY(HOST_A), NOW - 5, 9, 9, false } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES, .why = SCOPE_WHY_NO_OTHERS },
    { "hosts and the domain", { AT(LABELS, 6, HOST_A), R(DEMAND, 6) }, .hosts = { WELL_KNOWN }, .level = VERDICT_HIGH_RISK,
      .decided = DECIDED_FAMILIES },
    { "an allowed host's evidence does not count", { AT(LABELS, 9, HOST_A), R(DEMAND, 4) }, .hosts = { { KEY(HOST_A), NOW, 1, 1, true } },
      .level = VERDICT_WATCH },
    { "a public suffix", BAD, .context = { .public_suffix = true }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_NOT_WHOLE,
      .why = SCOPE_WHY_SUFFIX },
    { "shared hosting", BAD, .context = { .shared_parent = true }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_NOT_WHOLE,
      .why = SCOPE_WHY_SHARED },
    { "a host of shared hosting", { AT(LABELS, 6, HOST_A), R(DEMAND, 6) }, .context = { .shared_parent = true }, .level = VERDICT_HIGH_RISK,
      .decided = DECIDED_FAMILIES, .scope = SCOPE_HOST, .why = SCOPE_WHY_SHARED, .n_hosts = 1 },
    { "infrastructure", BAD, .context = { .dependents = 3 }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_NOT_WHOLE,
      .why = SCOPE_WHY_INFRASTRUCTURE },
    { "hardly infrastructure", BAD, .context = { .dependents = 2 }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },

    /* Time. */
    { "silent for three days", BAD, .context = { .last_asked = NOW - 3 * DAY }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "less than before is held", { R(RHYTHM, 3.1) }, .context = { .before = { VERDICT_HIGH_RISK, NOW - DAY } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_HELD },
    { "but not what was said of hosts", { R(RHYTHM, 3.1) }, .context = { .before = { VERDICT_HIGH_RISK, NOW - DAY, 0, SCOPE_HOST } }, .level = VERDICT_WATCH },
    { "silent for seventeen: half", BAD, .context = { .last_asked = NOW - 17 * DAY }, .level = VERDICT_WATCH },
    { "reports do not fade", { R(EXTERNAL, 5) }, .context = { .last_asked = NOW - 90 * DAY }, .level = VERDICT_MALICIOUS, .decided = DECIDED_EXTERNAL },
    { "nor does what speaks against", { R(LABELS, 12), R(STANDING, -4) }, .context = { .last_asked = NOW - 17 * DAY }, .level = VERDICT_BENIGN },
    { "said of the former registrant", { OLD(ANSWER, 6), R(RHYTHM, 6) }, .context = { .registered = NOW - 50 }, .level = VERDICT_WATCH },
    { "for him, too", { OLD(STANDING, -6), R(RHYTHM, 6) }, .context = { .registered = NOW - 50 }, .level = VERDICT_WATCH },
    { "said of those who ask", { OLD(LABELS, 6), OLD(RHYTHM, 6) }, .context = { .registered = NOW - 50 }, .level = VERDICT_HIGH_RISK,
      .decided = DECIDED_FAMILIES },

    /* Campaigns. */
    { "tied to a blocked name", { R(RHYTHM, 6) }, .context = { .campaign = { 6, true } }, .level = VERDICT_HIGH_RISK, .decided = DECIDED_FAMILIES },
    { "tied by automation alone", { R(RHYTHM, 6) }, .context = { .campaign = { 6, false } }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "tied, and nothing of its own", { R(NOVELTY, 6) }, .context = { .campaign = { 6, true } }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
    { "the tie is infrastructure", { R(INFRASTRUCTURE, 6) }, .context = { .campaign = { 6, true } }, .level = VERDICT_SUSPICIOUS, .decided = DECIDED_FEW_FAMILIES },
};

static void test_examples(void **state)
{
    (void)state;
    static char json[MEMORY], again[MEMORY];
    struct verdict_weights w = plain_weights();
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        struct judgement j, k;
        json_error_t error;
        judge_example(e, &w, false, &j, json);
        if (j.level != e->level || j.decided != e->decided || j.scope != e->scope || j.scope_why != e->why || j.n_hosts != e->n_hosts)
            fail_msg("%s: %s, %s", e->what, verdict_level_text(j.level), json);
        json_t *object = json_loads(json, 0, &error);
        if (!json_is_object(object))
            fail_msg("%s: %s: %s", e->what, error.text, json);
        json_decref(object);
        judge_example(e, &w, true, &k, again);
        assert_string_equal(json, again);
    }
}

/* Hosts come strongest first, at most so many, and what is hit is theirs. */
static void test_hosts(void **state)
{
    (void)state;
    enum { N = 40 };
    struct verdict_weights w = plain_weights();
    uint8_t keys[N][16];
    struct standing_row rows[N];
    struct standing_host hosts[N];
    for (unsigned i = 0; i < N; i++) {
        int len = snprintf((char *)keys[i], sizeof keys[i], "com%cbad%ch%02u", 0, 0, i);
        keys[i][len + 1] = 0;
        struct slice owner = { keys[i], (size_t)len + 2 };
        rows[i] = (struct standing_row){ "d", GROUP_LABELS, 3 + (i * 7 % N) / 8.0, NOW, owner };
        hosts[i] = (struct standing_host){ owner, NOW - 1, 2, 10, false };
    }
    struct standing s = { .domain = KEY(DOMAIN), .step = NOW, .last_asked = NOW, .rows = rows, .n_rows = N, .hosts = hosts, .n_hosts = N,
                          .shared_parent = true, .clients = 30, .network_clients = 1000 };
    struct judgement j;
    verdict_judge(&s, &w, &j);
    assert_int_equal(j.n_hosts, JUDGEMENT_HOSTS);
    for (unsigned i = 0; i < JUDGEMENT_HOSTS; i++) { /* i * 7 % 40 == 39 - rank: h17 (7 * 17 % 40 == 39), h34, ... */
        unsigned of = (N - 1 - i) * 23 % N; /* 23 is 7's inverse modulo 40 */
        assert_memory_equal(j.hosts[i].ptr, keys[of], j.hosts[i].len);
    }
    assert_int_equal(j.hit_queries, 160);
    assert_int_equal(j.hit_clients, 30); /* 32 summed, but the domain has 30 */
}

/* Only who is enforced, and by its own evidence, passes that on. */
static void test_passing_on(void **state)
{
    (void)state;
    static const struct { struct example e; bool passes; } rows[] = {
        { { "with the campaign", { R(RHYTHM, 6) }, .context = { .campaign = { 6, true } } }, false },
        { { "own", BAD, .context = { .campaign = { 6, true } } }, true },
        { { "alone", BAD }, true },
        { { "a report", { R(RHYTHM, 6), R(EXTERNAL, 5) }, .context = { .campaign = { 6, true } } }, true },
        { { "not enforced", { R(RHYTHM, 6) } }, false },
        { { "limited", BAD, .context = { .word = WORD_OBJECTION } }, false },
        { { "an anchor's host", { AT(EXTERNAL, 5, HOST_A), R(ANCHOR, -4) } }, false },
        { { "blocked", { { 0 } }, .context = { .word = WORD_BLOCK } }, true },
        { { "allowed", BAD, .context = { .word = WORD_ALLOW } }, false },
        { { "held", { R(RHYTHM, 6) }, .context = { .before = { VERDICT_HIGH_RISK, NOW - 1, 0 } } }, false },
    };
    static char json[MEMORY];
    struct verdict_weights w = plain_weights();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judgement j;
        judge_example(&rows[i].e, &w, false, &j, json);
        if (j.passes_on != rows[i].passes)
            fail_msg("%s: %s", rows[i].e.what, json);
    }
}

/* Steps of one name: at `hour` the labels have `nats` beside a rhythm of 6. */
static void test_time(void **state)
{
    (void)state;
    static const struct { uint32_t hour; double nats; enum word word; uint32_t registered; enum verdict_level level; } rows[] = {
        { 0, 1, 0, 0, VERDICT_WATCH },
        { 1, 6, 0, 0, VERDICT_HIGH_RISK },                  /* rises at once */
        { 2, 1, 0, 0, VERDICT_HIGH_RISK },                  /* below from here on */
        { 25, 1, 0, 0, VERDICT_HIGH_RISK },                 /* not for a day yet */
        { 26, 1, 0, 0, VERDICT_SUSPICIOUS },                /* one level */
        { 49, 1, 0, 0, VERDICT_SUSPICIOUS },
        { 50, 1, 0, 0, VERDICT_WATCH },                     /* and one more, a day later */
        { 100, 1, 0, 0, VERDICT_WATCH },
        { 101, 6, 0, 0, VERDICT_HIGH_RISK },
        { 102, 1, 0, 0, VERDICT_HIGH_RISK },
        { 110, 6, 0, 0, VERDICT_HIGH_RISK },                /* back: the clock starts again */
        { 111, 1, 0, 0, VERDICT_HIGH_RISK },
        { 130, 1, 0, 0, VERDICT_HIGH_RISK },
        { 131, 1, WORD_OBJECTION, 0, VERDICT_SUSPICIOUS },  /* limits do not wait */
        { 132, 1, WORD_ALLOW, 0, VERDICT_BENIGN },          /* nor does the operator */
        { 133, 6, 0, 0, VERDICT_HIGH_RISK },
        { 134, 1, 0, 134, VERDICT_WATCH },                  /* nor a new registration */
        { 135, 1, WORD_BLOCK, 134, VERDICT_MALICIOUS },
        { 136, 1, 0, 134, VERDICT_WATCH },                  /* a word taken back is gone */
    };
    struct verdict_weights w = plain_weights();
    struct verdict_memory memory = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct standing_row row[2] = { R(RHYTHM, 6), R(LABELS, rows[i].nats) };
        row[0].detector = row[1].detector = "d";
        struct standing s = { .domain = KEY(DOMAIN), .step = NOW + rows[i].hour, .last_asked = NOW + rows[i].hour, .rows = row, .n_rows = 2,
                              .before = memory, .word = rows[i].word, .registered = rows[i].registered ? NOW + rows[i].registered : 0,
                              .network_clients = 10 };
        row[0].owner = row[1].owner = s.domain;
        struct judgement j;
        verdict_judge(&s, &w, &j);
        if (j.level != rows[i].level)
            fail_msg("hour %u: %s", rows[i].hour, verdict_level_text(j.level));
        memory = j.after;
    }
}

/* The figures of the reason, and names that JSON must escape. */
static void test_reason(void **state)
{
    (void)state;
    static char json[MEMORY];
    struct verdict_weights w = plain_weights();
    struct judgement j;
    struct example e = { "", { AT(LABELS, 6.5, DOMAIN "q\"\\\x07\0"), R(RHYTHM, 6) }, .context = { .clients = 12 }, .hosts = { WELL_KNOWN } };
    judge_example(&e, &w, false, &j, json);
    json_t *o = json_loads(json, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "hosts"), 0)), "q\\\"\\\\\\007.bad.com");
    json_t *labels = json_object_get(json_object_get(o, "groups"), "labels");
    assert_true(json_real_value(json_object_get(labels, "nats")) == 6.5);
    assert_string_equal(json_string_value(json_object_get(labels, "detector")), "d");
    assert_string_equal(json_string_value(json_object_get(o, "weights")), w.digest);
    assert_int_equal(json_array_size(json_object_get(o, "families")), 2);
    assert_int_equal(judgement_families(&j), 2);
    assert_true(fabs(j.score - 1 / (1 + exp(9.21 - 12.5))) < 1e-12);
    json_decref(o);
}

static void test_features(void **state)
{
    (void)state;
    struct verdict_weights w = plain_weights();
    static const struct standing_row rows[] = { { "d", GROUP_BURST, 9, NOW, KEY("com\0q\"\0") }, { "d", GROUP_HUMAN, -3, NOW, KEY("com\0q\"\0") } };
    struct standing s = { .domain = KEY("com\0q\"\0"), .step = NOW, .last_asked = NOW, .rows = rows, .n_rows = 2, .campaign = { 4, true }, .clients = 12 };
    struct judgement j;
    struct buffer to;
    verdict_judge(&s, &w, &j);
    buffer_init(&to, MEMORY);
    judgement_put_features(&j, &s, NOW - 36, &to);
    buffer_u8(&to, 0);
    assert_string_equal(to.ptr, "{\"name\":\"q\\\\\\\".com\",\"step\":500000,\"level\":\"watch\",\"score\":0.038791,"
                                "\"groups\":{\"burst\":5.000,\"human\":-3.000,\"campaign\":4.000},\"age_days\":1.50,\"clients\":12}\n");
    buffer_release(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_hosts), cmocka_unit_test(test_passing_on),
        cmocka_unit_test(test_time),     cmocka_unit_test(test_reason),   cmocka_unit_test(test_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
