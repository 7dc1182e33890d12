#include "cmd/config.h"

#include "input/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

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
    struct fault why;
    unsetenv("DNSMON_DB");
    assert_int_equal(settings_init(&s, &why), E_OK);
    assert_string_equal(s.db, "./dnsmon-db");
    assert_true(s.threads >= 1);
    assert_int_equal(s.memory, 1 << 30);
    assert_int_equal(s.slot_s, 0);
    assert_int_equal(s.copy_window_ms, 10);
    assert_int_equal(s.lateness_s, 5);
    assert_int_equal(settings_store(&s).keep_s[KIND_RR][TIER_HOUR], 0);
    assert_int_equal(settings_store(&s).keep_s[KIND_HOST][TIER_DAY], 35 * 86400);
    assert_int_equal(settings_store(&s).keep_s[KIND_HOST_DAY][TIER_MONTH], 3 * 365 * 86400);
    settings_release(&s);
    setenv("DNSMON_DB", "/srv/dns", 1);
    assert_int_equal(settings_init(&s, &why), E_OK);
    assert_string_equal(s.db, "/srv/dns");
    settings_release(&s);
    unsetenv("DNSMON_DB");
}

static void test_full(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    int rc = load(&s,
                  "# a comment\n"
                  "db: /var/lib/dnsmon\nuser: dns\nthreads: 3\nmemory: 256M\nslot_s: 30\nlateness_s: 9\n"
                  "ports: [53, 5353]\nkeep_multicast: true\n"
                  "inputs:\n  - interface: eth0\n    sensor: ns1\n    vantage: client\n"
                  "    ports: [5354]\n    exclude: {zones: [home.arpa, b.example], clients: [198.51.100.7]}\n"
                  "  - dnstap: unix:/run/dnstap.sock\n"
                  "exclude:\n  zones: [corp.example]\n  clients: [192.0.2.0/24, '2001:db8::1']\n"
                  "sensor: edge\nvantage: upstream\nformat: zeek\nsource_id: tap1\ncopy_window_ms: 0\npublic_suffixes: /etc/psl\n"
                  "activity: false\npolicy: /etc/enforced\nretention: {slot: 2d, hour: 35d, day: 1y, month: 0, activity: 9d, activity_days: 2y}\nmerge_bytes_per_s: 64M\n",
                  &why);
    if (rc != 0)
        fail_msg("%s", why.text);
    assert_string_equal(s.db, "/var/lib/dnsmon");
    assert_string_equal(s.user, "dns");
    assert_int_equal(s.threads, 3);
    assert_false(s.activity);
    assert_string_equal(s.policy, "/etc/enforced");
    assert_string_equal(s.sensor, "edge");
    assert_int_equal(s.vantage, VANTAGE_UPSTREAM);
    assert_string_equal(s.format, "zeek");
    assert_string_equal(s.source_id, "tap1");
    assert_int_equal(s.copy_window_ms, 0);
    assert_string_equal(s.public_suffixes, "/etc/psl");
    assert_int_equal(s.memory, 256 << 20);
    assert_int_equal(s.slot_s, 30);
    assert_int_equal(s.lateness_s, 9);
    assert_int_equal(s.ports.n, 2);
    assert_int_equal(s.ports.port[1], 5353);
    assert_true(s.keep_multicast);
    assert_int_equal(s.n_inputs, 2);
    assert_int_equal(s.inputs[0].kind, INPUT_INTERFACE);
    assert_string_equal(s.inputs[0].sensor, "ns1");
    assert_int_equal(s.inputs[0].vantage, VANTAGE_CLIENT);
    assert_int_equal(s.inputs[1].kind, INPUT_DNSTAP);
    assert_null(s.inputs[1].sensor);
    assert_int_equal(s.inputs[0].ports.n, 1);
    assert_int_equal(s.inputs[0].ports.port[0], 5354);
    assert_int_equal(s.inputs[0].exclude.n_zones, 2);
    assert_string_equal(s.inputs[0].exclude.zones[1], "b.example");
    assert_int_equal(s.inputs[0].exclude.n_clients, 1);
    assert_int_equal(s.inputs[1].ports.n + s.inputs[1].exclude.n_zones + s.inputs[1].exclude.n_clients, 0);
    assert_string_equal(s.exclude.zones[0], "corp.example");
    assert_int_equal(s.exclude.n_clients, 2);
    assert_int_equal(s.exclude.clients[1].len, 16);
    assert_int_equal(s.keep_s[TIER_HOUR], 35 * 86400);
    assert_int_equal(s.keep_s[TIER_MONTH], 0);
    assert_int_equal(settings_store(&s).keep_s[KIND_INVERSE][TIER_SLOT], 2 * 86400);
    assert_int_equal(settings_store(&s).keep_s[KIND_DOMAIN][TIER_SLOT], 9 * 86400);
    assert_int_equal(settings_store(&s).keep_s[KIND_DOMAIN][TIER_MONTH], 9 * 86400);
    assert_int_equal(settings_store(&s).keep_s[KIND_DOMAIN_DAY][TIER_MONTH], 2 * 365 * 86400);
    assert_int_equal(settings_store(&s).merge_bytes_per_s, 64 << 20);
    settings_release(&s);
}

static const struct {
    const char *text, *message; /* the message after the file's name contains this */
} wrong[] = {
    { "db: x\nmemory: lots\n", ":2: memory: 'lots' is not a size" },
    { "retention:\n  hour: 3q\n", ":2: hour: '3q' is not a duration" },
    { "threads: 0\n", ":1: threads" },
    { "threads: many\n", ":1: " },
    { "slot_s: 7\n", ":1: slot_s" },
    { "db: x\nslots: 7\n", ":2: Unexpected key: slots" },
    { "ports: [53, 70000]\n", ":1: " },
    { "exclude:\n  zones:\n    - a..b\n", ":3: zones: 'a..b' is not a domain name" },
    { "exclude:\n  clients: [10.0.0.0/64]\n", ":2: clients" },
    { "inputs:\n  - sensor: x\n", ":1: inputs" },
    { "inputs:\n  - interface: eth0\n    vantage: moon\n", ":3: vantage: 'moon'" },
    { "inputs:\n  - interface: eth0\n    dnstap: tcp:127.0.0.1:1\n", ":1: inputs" },
    { "inputs:\n  - interface: eth0\n    exclude:\n      zones: [a..b]\n", ":4: zones: 'a..b'" },
    { "inputs:\n  - interface: eth0\n    exclude:\n      clients: [192.0.2.0/33]\n", ":4: clients" },
    { "inputs:\n  - file: x\n    ports: [0x10000]\n", ":3: " },
    { "vantage: moon\n", ":1: vantage: 'moon'" },
    { "db: x\nformat: paper\n", ":2: format: 'paper' is not auto" },
    { "db: [\n", ":" },
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct settings s;
        struct fault why = { 0 };
        const char *path = scratch_path("dnsmon.yaml");
        assert_int_equal(load(&s, wrong[i].text, &why), E_MALFORMED);
        if (strncmp(why.text, path, strlen(path)) != 0 || strstr(why.text, wrong[i].message) == NULL)
            fail_msg("row %zu: %s", i, why.text);
        settings_release(&s);
    }
}

static void test_input_words(void **state)
{
    (void)state;
    static const char *const bad[] = { "eth0,", "eth0,sensor", "eth0,sensor=", "eth0,colour=red", "eth0,port=0",
                                       "eth0,vantage=moon", "eth0,exclude-zone=a..b", "eth0,exclude-client=x", "eth0,,port=53" };
    struct settings s;
    struct fault why = { 0 };
    assert_int_equal(settings_init(&s, &why), E_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(settings_add_input(&s, INPUT_INTERFACE, bad[i], &why), E_USAGE);
        assert_non_null(strstr(why.text, bad[i]));
    }
    settings_release(&s);
    assert_int_equal(settings_init(&s, &why), E_OK);
    assert_int_equal(settings_add_input(&s, INPUT_DNSTAP, "tcp:[::1]:6000", &why), E_OK);
    assert_int_equal(settings_add_input(&s, INPUT_INTERFACE,
                                        "eth0,port=53,vantage=upstream,port=5353,exclude-zone=a.example,sensor=a=b,"
                                        "exclude-client=192.0.2.0/24,exclude-client=2001:db8::1", &why), E_OK);
    assert_int_equal(s.n_inputs, 2);
    assert_string_equal(s.inputs[0].where, "tcp:[::1]:6000");
    const struct settings_input *input = &s.inputs[1];
    assert_string_equal(input->where, "eth0");
    assert_string_equal(input->sensor, "a=b");
    assert_int_equal(input->vantage, VANTAGE_UPSTREAM);
    assert_int_equal(input->ports.n, 2);
    assert_int_equal(input->exclude.n_zones, 1);
    assert_int_equal(input->exclude.n_clients, 2);
    settings_release(&s);
}

static void test_input_limit(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    assert_int_equal(settings_init(&s, &why), E_OK);
    for (int i = 0; i < SETTINGS_INPUTS_MAX; i++)
        assert_int_equal(settings_add_input(&s, INPUT_INTERFACE, "eth0", &why), E_OK);
    assert_int_equal(settings_add_input(&s, INPUT_INTERFACE, "eth0", &why), E_USAGE);
    settings_release(&s);
}

static void test_empty_and_absent(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    assert_int_equal(load(&s, "exclude:\n  zones: []\n", &why), E_OK);
    assert_int_equal(s.exclude.n_zones, 0);
    settings_release(&s);
    assert_int_equal(load(&s, "", &why), E_OK);
    assert_int_not_equal(settings_load(&s, "no-such-file.yaml", &why), E_OK);
    settings_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_full), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_input_words), cmocka_unit_test(test_input_limit), cmocka_unit_test(test_empty_and_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
