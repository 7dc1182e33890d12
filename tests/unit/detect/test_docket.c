/* What stands against names: rows, confirmation over two periods, memos; and how findings are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "detect/docket.h"
#include "knowledge/memo.h"
#include "scratch.h"

static struct fault why;

#define OK(call) do { if ((call) != 0) fail_msg("%s: %s", #call, why.text); } while (0)

static struct slice key(const char *text)
{
    static uint8_t room[16][NAME_KEY_MAX];
    static unsigned turn;
    uint8_t *bytes = room[turn++ % 16];
    return (struct slice){ bytes, knowledge_key(text, bytes) };
}

static uint16_t detector(const char *name)
{
    const struct detector *const *all;
    size_t n = detectors(&all);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, name) == 0)
            return (uint16_t)i;
    fail_msg("no detector %s", name);
    return 0;
}

static struct docket_name *enter(struct docket *d, const char *name, uint32_t step)
{
    struct docket_name *n = docket_enter(d, key(name), step, &why);
    assert_non_null(n);
    return n;
}

static void put(struct docket *d, struct docket_name *n, const char *by, const char *owner, double weight, uint32_t since, const char *peer)
{
    struct slice peers[1] = { peer != NULL ? key(peer) : (struct slice){ NULL, 0 } };
    struct docket_row row = { detector(by), key(owner), weight, since, peers, peer != NULL };
    OK(docket_row_put(d, n, &row, &why));
}

/* ---- findings ---- */

static void findings_are_kept(void **state)
{
    struct findings f;
    char summary[32] = "a summary", facts[32] = "{\"n\":1}";
    uint8_t owner[4] = "ab";
    struct slice peer = { owner, 2 };
    struct finding said = { .owner = { owner, 3 }, .summary = summary, .facts = facts, .peers = &peer, .n_peers = 1 };
    static const struct {
        double said, kept;
    } rows[] = { { 0.99, 0 }, { -0.99, 0 }, { 1, 1 }, { -1.5, -1.5 }, { 99, FINDING_MAX }, { -99, -FINDING_MAX } };
    (void)state;
    findings_init(&f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        findings_clear(&f);
        f.domain = (struct slice){ NULL, 0 };
        said.strength = rows[i].said;
        findings_add(&f, &said);
        assert_int_equal(f.n, rows[i].kept != 0);
        if (f.n)
            assert_true(f.kept[0].finding.strength == rows[i].kept);
    }
    memset(owner, 'x', 3); /* what was handed in may go */
    memcpy(summary, "gone", 5);
    assert_memory_equal(f.kept[0].finding.owner.ptr, "ab", 3);
    assert_memory_equal(f.kept[0].domain.ptr, "ab", 3);
    assert_memory_equal(f.kept[0].finding.peers[0].ptr, "ab", 2);
    assert_string_equal(f.kept[0].finding.summary, "a summary");
    f.domain = (struct slice){ (const uint8_t *)"dom", 3 };
    for (int i = 0; i < 1000; i++)
        findings_add(&f, &said);
    assert_true(f.n == 1001 && !f.failed);
    assert_memory_equal(f.kept[1000].domain.ptr, "dom", 3);
    findings_release(&f);
}

/* ---- names and rows ---- */

static void names_and_rows(void **state)
{
    struct docket *d;
    struct docket_name *const *names;
    char text[40];
    (void)state;
    OK(docket_create(&d, &why));
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "n%u.example", i * 7919 % 3000);
        enter(d, text, i);
    }
    assert_int_equal(docket_names(d, &names), 3000);
    for (unsigned i = 1; i < 3000; i++)
        assert_true(slice_compare(names[i - 1]->owner, names[i]->owner) < 0);
    struct docket_name *n = docket_find(d, key("n17.example"));
    assert_ptr_equal(n, enter(d, "n17.example", 99)); /* stays where it is */
    assert_string_equal(n->name, "n17.example");
    assert_true(docket_is_idle(n));
    put(d, n, "rhythm", "n17.example", 5, 10, NULL);
    put(d, n, "rhythm", "www.n17.example", 4, 11, NULL); /* of a host: another row */
    put(d, n, "labels", "n17.example", 3, 12, "other.example");
    put(d, n, "rhythm", "n17.example", 6, 10, NULL); /* in its place */
    assert_true(n->n_rows == 3 && n->changed && n->unsaved && !docket_is_idle(n));
    assert_true(docket_row_find(n, detector("rhythm"), key("n17.example"))->weight == 6);
    assert_int_equal(slice_compare(docket_row_find(n, detector("labels"), key("n17.example"))->peers[0], key("other.example")), 0);
    put(d, n, "rhythm", "n17.example", 0, 0, NULL);
    assert_true(n->n_rows == 2 && docket_row_find(n, detector("rhythm"), key("n17.example")) == NULL);
    docket_destroy(&d);
    assert_null(d);
}

static void idle_names_go(void **state)
{
    struct docket *d;
    struct docket_name *const *names;
    (void)state;
    OK(docket_create(&d, &why));
    for (unsigned i = 0; i < 400; i++) {
        char text[40];
        snprintf(text, sizeof text, "n%u.example", i);
        enter(d, text, 1)->idle_since = i % 4 * 100; /* 0: not idle */
    }
    docket_remove_idle(d, 200);
    assert_int_equal(docket_names(d, &names), 300);
    for (unsigned i = 0; i < 400; i++) {
        char text[40];
        snprintf(text, sizeof text, "n%u.example", i);
        assert_int_equal(docket_find(d, key(text)) != NULL, i % 4 != 1);
    }
    docket_destroy(&d);
}

/* ---- two periods ---- */

static void seen_twice_counts(void **state)
{
    static const struct {
        const char *name[3];
        double strength[3], counts[3];
    } periods[] = {
        { { "a.example", "b.example", "c.example" }, { 3, 4, -2 }, { 0, 0, 0 } },
        { { "b.example", "a.example", "d.example" }, { 2, 5, 9 }, { 2, 3, 0 } }, /* the smaller of both; c is forgotten */
        { { "a.example", "c.example", "d.example" }, { 1, 7, 8 }, { 1, 0, 8 } },
    };
    struct docket *d;
    (void)state;
    OK(docket_create(&d, &why));
    for (size_t p = 0; p < sizeof periods / sizeof periods[0]; p++) {
        struct kept_finding found[3] = { 0 };
        double counts[3];
        for (unsigned i = 0; i < 3; i++) {
            found[i].finding.owner = key(periods[p].name[i]);
            found[i].finding.strength = periods[p].strength[i];
            found[i].detector = detector("cohort");
        }
        OK(docket_confirm(d, found, 3, counts, &why));
        for (unsigned i = 0; i < 3; i++)
            assert_true(counts[i] == periods[p].counts[i]);
    }
    docket_destroy(&d);
}

/* ---- memos ---- */

static struct knowledge *open_knowledge(void)
{
    struct knowledge *k;
    char path[200];
    snprintf(path, sizeof path, "%s/docket", scratch_folder());
    (void)mkdir(path, 0700);
    OK(knowledge_open(&k, path, KNOWLEDGE_WRITE, &why));
    return k;
}

static void remembered_from_run_to_run(void **state)
{
    struct knowledge *k = open_knowledge();
    struct docket *d, *again;
    struct docket_name *const *names;
    struct figures_host hosts[] = { { key("www.a.example"), 7, 8, 9 } };
    struct figures figures = { 100, 50, 60, 2, 11, 1ull << 40, hosts, 1 };
    struct kept_finding found = { .finding = { .owner = key("a.example"), .strength = 1.0 / 3 }, .detector = detector("cohort") };
    double counts;
    (void)state;
    OK(docket_create(&d, &why));
    struct docket_name *n = enter(d, "a.example", 90);
    put(d, n, "labels", "www.a.example", 1.0 / 3 + 1, 91, "peer.example");
    OK(docket_figures_put(n, &figures, &why));
    OK(docket_figures_put(n, &n->figures, &why)); /* of itself */
    n->memory = (struct verdict_memory){ VERDICT_SUSPICIOUS, 92, 93 };
    n->passes_on = true;
    n->campaign = 5;
    struct docket_name *idle = enter(d, "b.example", 1);
    idle->idle_since = 5;
    idle->unsaved = true;
    OK(docket_confirm(d, &found, 1, &counts, &why));
    OK(docket_save(d, k, &why));
    OK(docket_create(&again, &why));
    OK(docket_load(again, k, &why));
    assert_int_equal(docket_names(again, &names), 2);
    n = docket_find(again, key("a.example"));
    char *one = docket_name_text(docket_find(d, key("a.example"))), *two = docket_name_text(n);
    assert_string_equal(one, two);
    free(one);
    free(two);
    assert_true(n->n_rows == 1 && n->rows[0].weight == 1.0 / 3 + 1 && !n->changed && !n->unsaved && n->watched_since == 90);
    assert_true(n->figures.queries == 1ull << 40 && n->figures.n_hosts == 1 && n->figures.hosts[0].clients == 8);
    assert_int_equal(slice_compare(n->figures.hosts[0].owner, key("www.a.example")), 0);
    OK(docket_confirm(again, &found, 1, &counts, &why));
    assert_true(counts == 1.0 / 3); /* seen the second time */
    docket_remove_idle(again, 10);
    OK(docket_save(again, k, &why)); /* the memo goes, too */
    docket_destroy(&again);
    OK(docket_create(&again, &why));
    OK(docket_load(again, k, &why));
    assert_int_equal(docket_names(again, &names), 1);
    docket_destroy(&again);
    docket_destroy(&d);
    knowledge_close(&k);
}

static void damaged_memos(void **state)
{
    static const struct {
        const char *name, *text;
        int rc;
    } rows[] = {
        { "a.example", "{}", 0 }, /* nothing is known of it */
        { "a.example", "", E_CORRUPT },
        { "a.example", "[]", E_CORRUPT },
        { "a.example", "{\"memory\":[7,1,1]}", E_CORRUPT },
        { "a.example", "{\"memory\":[-1,1,1]}", E_CORRUPT },
        { "a.example", "{\"rows\":[{\"detector\":\"rhythm\",\"weight\":2}]}", E_CORRUPT },
        { "a.example", "{\"rows\":[{\"detector\":\"rhythm\",\"owner\":\"a..example\",\"weight\":2}]}", E_CORRUPT },
        { "a.example", "{\"rows\":[{\"detector\":\"of-old\",\"owner\":\"a.example\",\"weight\":2}]}", 0 }, /* a detector that is no more */
        { "a.example", "{\"verdicts\":[{\"owner\":\"a.example\",\"level\":99}]}", E_CORRUPT },
        { "a.example", "{\"figures\":{\"hosts\":[[7,1,1,1]]}}", E_CORRUPT },
        { "a.example", "{\"figures\":{\"hosts\":7,\"queries\":-1,\"first\":-5,\"clients\":99999999999}}", 0 },
        { "..", "{}", E_CORRUPT },
        { "", "{}", E_CORRUPT },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct docket *d;
        OK(docket_create(&d, &why));
        int rc = docket_name_load(d, rows[i].name, rows[i].text, &why);
        if (rc != rows[i].rc || (rc != 0 && strstr(why.text, "--again") == NULL))
            fail_msg("%s %s: %d %s", rows[i].name, rows[i].text, rc, why.text);
        docket_destroy(&d);
    }
}

static void damaged_pending(void **state)
{
    static const struct {
        const char *key;
        int rc;
    } rows[] = { { "cohort a.example", 0 }, { "of-old a.example", 0 }, { "cohort", E_CORRUPT }, { "", E_CORRUPT }, { "cohort a..b", E_CORRUPT } };
    struct knowledge *k = open_knowledge();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct docket *d;
        OK(memo_clear(k, "docket", &why));
        OK(memo_clear(k, "pending", &why));
        OK(memo_put(k, "pending", rows[i].key, "2.5", &why));
        OK(docket_create(&d, &why));
        int rc = docket_load(d, k, &why);
        if (rc != rows[i].rc)
            fail_msg("'%s': %d", rows[i].key, rc);
        docket_destroy(&d);
    }
    knowledge_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_kept), cmocka_unit_test(names_and_rows), cmocka_unit_test(idle_names_go),
        cmocka_unit_test(seen_twice_counts), cmocka_unit_test(remembered_from_run_to_run), cmocka_unit_test(damaged_memos),
        cmocka_unit_test(damaged_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
