/* guard: what is never blocked, and what not without a person; policy: what a view shows, and as what. */
#include "protect/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "scratch.h"

static struct fault why;
static struct suffix_list *suffixes;

static const char psl[] = "com\nnet\norg\nuk\nco.uk\nexample\ngithub.io\ns3.storage.com\n*.sites.net\nio\narpa\n";

static int load(void **state)
{
    (void)state;
    return suffix_parse(&suffixes, psl, sizeof psl - 1, &why);
}

static int unload(void **state)
{
    (void)state;
    suffix_destroy(&suffixes);
    return 0;
}

static char *write_file(const char *text)
{
    static char path[200];
    snprintf(path, sizeof path, "%s", scratch_path("top"));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void answers(void **state)
{
    static const struct {
        const char *name;
        enum trigger trigger;
        enum guard_answer answer;
    } rows[] = {
        { "bad.example", TRIGGER_DOMAIN, GUARD_FREE },
        { "www.bad.example", TRIGGER_HOST, GUARD_FREE },
        /* public suffixes, and above */
        { "com", TRIGGER_DOMAIN, GUARD_NEVER },
        { "co.uk", TRIGGER_DOMAIN, GUARD_NEVER },
        { "uk", TRIGGER_DOMAIN, GUARD_NEVER },
        { "co.uk", TRIGGER_HOST, GUARD_ASKS },
        { "unheard", TRIGGER_DOMAIN, GUARD_NEVER },
        { "com", TRIGGER_NAMESERVER, GUARD_NEVER },
        /* shared hosting */
        { "github.io", TRIGGER_DOMAIN, GUARD_NEVER },
        { "somebody.github.io", TRIGGER_DOMAIN, GUARD_FREE },
        { "storage.com", TRIGGER_DOMAIN, GUARD_NEVER },
        { "storage.com", TRIGGER_HOST, GUARD_FREE },
        { "sites.net", TRIGGER_DOMAIN, GUARD_NEVER },
        { "a.b.sites.net", TRIGGER_DOMAIN, GUARD_FREE },
        /* infrastructure */
        { "a.root-servers.net", TRIGGER_HOST, GUARD_NEVER },
        { "root-servers.net", TRIGGER_DOMAIN, GUARD_NEVER },
        { "notroot-servers.net", TRIGGER_DOMAIN, GUARD_FREE },
        { "in-addr.arpa", TRIGGER_DOMAIN, GUARD_NEVER },
        { "a.root-servers.net", TRIGGER_NAMESERVER, GUARD_NEVER },
        { "rpz.ours.example", TRIGGER_DOMAIN, GUARD_NEVER },
        { "ours.example", TRIGGER_DOMAIN, GUARD_NEVER }, /* above the zone */
        { "ours.example", TRIGGER_HOST, GUARD_FREE },
        { "garden.shop.example", TRIGGER_HOST, GUARD_NEVER },
        { "wall.shop.example", TRIGGER_HOST, GUARD_NEVER },
        { "ns1.own.example", TRIGGER_HOST, GUARD_NEVER },
        { "a\\.own.example", TRIGGER_HOST, GUARD_FREE }, /* one label */
        /* the top list */
        { "popular.example", TRIGGER_DOMAIN, GUARD_ASKS },
        { "popular.example", TRIGGER_HOST, GUARD_ASKS },
        { "deep.example", TRIGGER_DOMAIN, GUARD_ASKS }, /* above www.deep.example */
        { "www.deep.example", TRIGGER_HOST, GUARD_ASKS },
        { "evil.popular.example", TRIGGER_HOST, GUARD_FREE }, /* below */
        { "fourth.example", TRIGGER_DOMAIN, GUARD_FREE }, /* beyond the first three */
        /* addresses */
        { "192.0.2.1", TRIGGER_ADDRESS, GUARD_FREE },
        { "192.0.2.0/24", TRIGGER_ADDRESS, GUARD_ASKS },
        { "192.0.2.80", TRIGGER_ADDRESS, GUARD_NEVER }, /* a garden's */
        { "2001:db8::80", TRIGGER_ADDRESS, GUARD_NEVER },
        { "192.0.2.53", TRIGGER_ADDRESS, GUARD_NEVER }, /* our server's */
        { "2001:db8::53", TRIGGER_ADDRESS, GUARD_NEVER }, /* a secondary's */
    };
    char zone[] = "rpz.ours.example", garden[] = "garden garden.shop.example", wall[] = "garden wall.shop.example",
         category[] = "phishing";
    char addresses[] = "garden 192.0.2.80 2001:DB8::80", malware[] = "malware", place[] = "192.0.2.53:53", second[] = "2001:db8::53";
    char *places[] = { place };
    struct protection_action actions[] = { { category, wall }, { malware, addresses } };
    struct protection_peer secondary = { .address = second };
    struct protection_view view = { .zone = zone, .action = garden, .actions = actions, .n_actions = 2 };
    struct protection p = { .views = &view, .n_views = 1,
                            .server = { .listen = { places, 1 }, .secondaries = &secondary, .n_secondaries = 1 } };
    struct guard *g;
    (void)state;
    p.top_list.file = write_file("# a comment\n1,Popular.Example\r\n2,www.deep.example\nthird.example,7,8\nfourth.example\n");
    p.top_list.first = 3;
    assert_int_equal(guard_create(&g, suffixes, &p, &why), 0);
    assert_int_equal(guard_add_needed(g, "own.example", &why), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[GUARD_REASON_MAX] = "";
        enum guard_answer answer = guard_check(g, rows[i].trigger, rows[i].name, text);
        if (answer != rows[i].answer || (answer != GUARD_FREE && text[0] == '\0'))
            fail_msg("%s %s: %d (%s)", trigger_text(rows[i].trigger), rows[i].name, (int)answer, text);
    }
    guard_destroy(&g);
}

static void other_lists_are_told(void **state)
{
    struct protection p = { .n_views = 0 };
    struct guard *plain, *listed;
    (void)state;
    assert_int_equal(guard_create(&plain, suffixes, &p, &why), 0);
    p.top_list.file = write_file("popular.example\n");
    assert_int_equal(guard_create(&listed, suffixes, &p, &why), 0);
    assert_true(guard_digest(plain) != guard_digest(listed));
    guard_destroy(&listed);
    p.top_list.file = write_file("...\n\n");
    assert_int_equal(guard_create(&listed, suffixes, &p, &why), E_MALFORMED);
    static char none[200];
    snprintf(none, sizeof none, "%s", scratch_path("no-such-list"));
    p.top_list.file = none;
    assert_int_equal(guard_create(&listed, suffixes, &p, &why), E_ABSENT);
    guard_destroy(&plain);
}

static void views_show(void **state)
{
    char phishing[] = "phishing", malware[] = "malware", garden[] = "garden 192.0.2.1", nodata[] = "nodata";
    char *only[] = { phishing, malware };
    struct protection_action actions[] = { { malware, garden } };
    struct protection p = { .n_views = 0 };
    const struct {
        enum stage stage;
        enum verdict_level level;
        enum trigger trigger;
        const char *categories;
        const char *action; /* NULL: not shown */
    } rows[] = {
        { STAGE_PUBLISHED, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"phishing\"]", "nodata" },
        { STAGE_PUBLISHED, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"tunnel\",\"malware\"]", "garden 192.0.2.1" },
        { STAGE_SHADOW, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"malware\"]", "passthru" },
        { STAGE_REVIEW, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"malware\"]", NULL },
        { STAGE_OUT, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"malware\"]", NULL },
        { STAGE_PUBLISHED, VERDICT_SUSPICIOUS, TRIGGER_DOMAIN, "[\"malware\"]", NULL },
        { STAGE_PUBLISHED, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"tunnel\"]", NULL },
        { STAGE_PUBLISHED, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"no malware\"]", NULL },
        { STAGE_PUBLISHED, VERDICT_HIGH_RISK, TRIGGER_DOMAIN, "[\"a \\\"malware\\\" b\"]", NULL },
        { STAGE_PUBLISHED, VERDICT_MALICIOUS, TRIGGER_ADDRESS, "[\"malware\"]", NULL },
    };
    (void)state;
    struct protection_view v = { .least = VERDICT_HIGH_RISK, .categories = { only, 2 }, .stages = 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED,
                             .action = nodata, .actions = actions, .n_actions = 1 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct publication pub = { .stage = rows[i].stage, .level = rows[i].level, .trigger = rows[i].trigger, .categories = rows[i].categories };
        bool shown = protection_shows(&p, &v, &pub);
        if (shown != (rows[i].action != NULL) || (shown && strcmp(protection_action(&v, &pub), rows[i].action) != 0))
            fail_msg("row %zu: %d, %s", i, shown, protection_action(&v, &pub));
    }
    struct publication address = { .stage = STAGE_PUBLISHED, .level = VERDICT_MALICIOUS, .trigger = TRIGGER_ADDRESS, .categories = "[\"malware\"]" };
    p.infrastructure = 3;
    assert_true(protection_shows(&p, &v, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(other_lists_are_told), cmocka_unit_test(views_show) };
    return cmocka_run_group_tests(tests, load, unload);
}
