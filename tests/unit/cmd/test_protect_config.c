/* protect_config: the section `protect`, and the keys it names. */
#include "cmd/config.h"
#include "cmd/protect_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "scratch.h"

static int load(struct settings *s, const char *text, struct fault *why)
{
    const char *path = scratch_file("dnsmon.yaml", text, strlen(text));
    assert_int_equal(settings_init(s, why), E_OK);
    return settings_load(s, path, why);
}

static void test_defaults(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    assert_int_equal(load(&s, "db: x\n", &why), E_OK);
    assert_int_equal(s.protect.approve.least, VERDICT_HIGH_RISK);
    assert_int_equal(s.protect.approve.clients, 100);
    assert_int_equal(s.protect.approve.per_day, 1000);
    assert_int_equal(s.protect.shadow_s, 0);
    assert_true(s.protect.jump.add == 10 && s.protect.jump.drop == 10 && s.protect.jump.least == 100);
    assert_int_equal(s.protect.n_views, 0);
    settings_release(&s);
}

static void test_full(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    int rc = load(&s,
                  "protect:\n"
                  "  approve: {level: malicious, not: [tunnel, reported], clients: 5, per_day: 7}\n"
                  "  shadow: 2d\n"
                  "  jump: {add: 2.5, drop: 1, least: 9}\n"
                  "  top_list: {file: /var/lib/top.csv, first: 1000}\n"
                  "  infrastructure: 3\n"
                  "  views:\n"
                  "    - zone: RPZ.Example.\n"
                  "      level: suspicious\n"
                  "      categories: [malware]\n"
                  "      stages: [shadow, published]\n"
                  "      action: nodata\n"
                  "      actions: [{category: phishing, action: 'garden 192.0.2.80 2001:db8::80'}, {category: miner, action: garden wall.example}]\n"
                  "      ttl: 60\n"
                  "    - zone: strict.example\n"
                  "  server:\n"
                  "    listen: ['192.0.2.1:53', '[2001:db8::1]:53']\n"
                  "    secondaries: [{address: 192.0.2.53, key: transfer}, {address: '[2001:db8::53]:5353'}]\n"
                  "    allow: [{address: 192.0.2.0/24}, {address: '2001:db8::/64', key: transfer}]\n"
                  "    keys: /etc/dnsmon/keys\n"
                  "  feeds: {dir: /var/lib/feeds, listen: '127.0.0.1:8053', formats: [hosts, stix]}\n",
                  &why);
    if (rc != 0)
        fail_msg("%s", why.text);
    const struct protection *p = &s.protect;
    assert_int_equal(p->approve.least, VERDICT_MALICIOUS);
    assert_string_equal(p->approve.not.text[1], "reported");
    assert_true(p->approve.clients == 5 && p->approve.per_day == 7);
    assert_int_equal(p->shadow_s, 2 * 86400);
    assert_true(p->jump.add == 2.5 && p->jump.drop == 1 && p->jump.least == 9);
    assert_string_equal(p->top_list.file, "/var/lib/top.csv");
    assert_int_equal(p->top_list.first, 1000);
    assert_int_equal(p->infrastructure, 3);
    assert_int_equal(p->n_views, 2);
    const struct protection_view *v = &p->views[0];
    assert_string_equal(v->zone, "rpz.example");
    assert_int_equal(v->least, VERDICT_SUSPICIOUS);
    assert_int_equal(v->stages, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED);
    assert_string_equal(v->action, "nodata");
    assert_string_equal(v->actions[1].action, "garden wall.example");
    assert_int_equal(v->ttl_s, 60);
    v = &p->views[1];
    assert_true(v->least == VERDICT_HIGH_RISK && v->stages == 1u << STAGE_PUBLISHED && v->ttl_s == 30 && v->categories.n == 0);
    assert_string_equal(v->action, "nxdomain");
    assert_string_equal(p->server.listen.text[1], "[2001:db8::1]:53");
    assert_string_equal(p->server.secondaries[0].key, "transfer");
    assert_null(p->server.allow[0].key);
    assert_string_equal(p->server.keys_file, "/etc/dnsmon/keys");
    assert_string_equal(p->feeds.formats.text[1], "stix");
    settings_release(&s);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        { "protect:\n  approve: {level: evil}\n", ":2: level: 'evil' is not one of benign" },
        { "protect:\n  approve:\n    not: ['A\"b']\n", ":3: not: 'A\"b' is not a category" },
        { "protect:\n  approve: {clients: -1}\n", ":2: " },
        { "protect:\n  shadow: soon\n", ":2: shadow: 'soon' is not a duration" },
        { "protect:\n  infrastructure: 65\n", ":2: infrastructure" },
        { "protect:\n  jump: {add: -3}\n", ":2: add" },
        { "protect:\n  views:\n    - level: watch\n", ":3: " },
        { "protect:\n  views:\n    - zone: a..b\n", ":3: zone: 'a..b' is not a domain name" },
        { "protect:\n  views:\n    - zone: a.example\n    - zone: A.example\n", "zone: 'A.example' is not another" },
        { "protect:\n  views:\n    - zone: a.example\n      stages: [out]\n", ":4: stages: 'out' is not shadow or published" },
        { "protect:\n  views:\n    - zone: a.example\n      ttl: 3600\n", ":4: ttl" },
        { "protect:\n  views:\n    - zone: a.example\n      action: burn\n", ":4: action: 'burn' is not one of nxdomain" },
        { "protect:\n  views:\n    - zone: a.example\n      action: garden\n", ":4: action" },
        { "protect:\n  views:\n    - zone: a.example\n      action: 'garden 192.0.2.1 wall.example'\n", ":4: action" },
        { "protect:\n  server:\n    listen: [192.0.2.1]\n", ":3: listen: '192.0.2.1' is not ADDRESS:PORT" },
        { "protect:\n  server:\n    listen: ['2001:db8::1:53']\n", ":3: listen" },
        { "protect:\n  server:\n    listen: ['[192.0.2.1]:53']\n", ":3: listen" },
        { "protect:\n  server:\n    listen: ['ns.example:53']\n", ":3: listen" },
        { "protect:\n  server:\n    allow: [{address: 192.0.2.0/40}]\n", ":3: allow" },
        { "protect:\n  server:\n    secondaries: [{address: '192.0.2.1:0'}]\n", ":3: secondaries" },
        { "protect:\n  feeds: {listen: nowhere}\n", ":2: listen" },
        { "protect:\n  feeds:\n    dir: /x\n    formats: [hosts, xml]\n",
          ":4: formats: 'xml' is not one of rpz, hosts, adblock, dnsmasq, unbound, cdb, suricata, zeek, stix, misp, policy, jsonl, csv" },
        { "protect:\n  feeds: {formats: [csv, hosts, csv]}\n", ":2: formats: 'csv' is not another than those before it" },
        { "protect:\n  veiws: []\n", ":2: Unexpected key: veiws" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings s;
        struct fault why = { 0 };
        const char *path = scratch_path("dnsmon.yaml");
        int rc = load(&s, rows[i].text, &why);
        if (rc != E_MALFORMED || strncmp(why.text, path, strlen(path)) != 0 || strstr(why.text, rows[i].message) == NULL)
            fail_msg("row %zu: %d, %s", i, rc, why.text);
        settings_release(&s);
    }
}

static int load_keys(const char *text, mode_t mode, const char *named, struct settings *s, struct fault *why)
{
    char yaml[1024], path[300];
    snprintf(path, sizeof path, "%s", scratch_file("keys", text, strlen(text)));
    assert_int_equal(chmod(path, mode), 0);
    snprintf(yaml, sizeof yaml, "protect:\n  server:\n    allow: [{address: 192.0.2.0/24, key: %s}]\n    keys: %s\n", named, path);
    assert_int_equal(load(s, yaml, why), E_OK);
    return protect_config_load_keys(&s->protect.server, why);
}

static void test_keys(void **state)
{
    static const char good[] = "# of the resolvers\n\ntransfer hmac-sha256 c2VjcmV0\nother\thmac-sha512  b3RoZXI=\n";
    static const struct {
        const char *text;
        mode_t mode;
        const char *named;
        int rc;
        const char *message;
    } rows[] = {
        { good, 0600, "transfer", E_OK, "" },
        { good, 0640, "other", E_OK, "" },
        { good, 0644, "transfer", E_USAGE, "chmod 600" },
        { good, 0620, "transfer", E_USAGE, "its mode is 620" },
        { good, 0600, "third", E_MALFORMED, "the key 'third' of 192.0.2.0/24" },
        { "transfer c2VjcmV0\n", 0600, "transfer", E_MALFORMED, "keys:1: is not NAME ALGORITHM SECRET" },
        { "\na b c2VjcmV0 d\n", 0600, "transfer", E_MALFORMED, "keys:2: " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct settings s;
        struct fault why = { 0 };
        int rc = load_keys(rows[i].text, rows[i].mode, rows[i].named, &s, &why);
        if (rc != rows[i].rc || strstr(why.text, rows[i].message) == NULL || strstr(why.text, "c2VjcmV0") != NULL)
            fail_msg("row %zu: %d, %s", i, rc, why.text);
        if (rc == 0) {
            assert_int_equal(s.protect.server.n_keys, 2);
            assert_string_equal(s.protect.server.keys[1].algorithm, "hmac-sha512");
            assert_string_equal(s.protect.server.keys[0].secret, "c2VjcmV0");
        }
        settings_release(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_full), cmocka_unit_test(test_wrong), cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
