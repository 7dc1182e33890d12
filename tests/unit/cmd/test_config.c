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
    assert_int_equal(s.lateness_s, 5);
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
                  "db: /var/lib/dnsmon\nthreads: 3\nmemory: 256M\nslot_s: 30\nlateness_s: 9\n"
                  "ports: [53, 5353]\nkeep_multicast: true\n"
                  "inputs:\n  - interface: eth0\n    sensor: ns1\n    vantage: client\n"
                  "  - dnstap: unix:/run/dnstap.sock\n"
                  "exclude:\n  zones: [corp.example]\n  clients: [192.0.2.0/24, '2001:db8::1']\n"
                  "retention: {slot: 2d, hour: 35d, day: 1y, month: 0}\nmerge_bytes_per_s: 64M\n",
                  &why);
    if (rc != 0)
        fail_msg("%s", why.text);
    assert_string_equal(s.db, "/var/lib/dnsmon");
    assert_int_equal(s.threads, 3);
    assert_int_equal(s.memory, 256 << 20);
    assert_int_equal(s.slot_s, 30);
    assert_int_equal(s.lateness_s, 9);
    assert_int_equal(s.n_ports, 2);
    assert_int_equal(s.ports[1], 5353);
    assert_true(s.keep_multicast);
    assert_int_equal(s.n_inputs, 2);
    assert_int_equal(s.inputs[0].kind, INPUT_INTERFACE);
    assert_string_equal(s.inputs[0].sensor, "ns1");
    assert_int_equal(s.inputs[0].vantage, VANTAGE_CLIENT);
    assert_int_equal(s.inputs[1].kind, INPUT_DNSTAP);
    assert_null(s.inputs[1].sensor);
    assert_string_equal(s.exclude_zones[0], "corp.example");
    assert_int_equal(s.n_exclude_clients, 2);
    assert_int_equal(s.exclude_clients[1].len, 16);
    assert_int_equal(s.keep_s[TIER_HOUR], 35 * 86400);
    assert_int_equal(s.keep_s[TIER_MONTH], 0);
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

static void test_empty_and_absent(void **state)
{
    (void)state;
    struct settings s;
    struct fault why = { 0 };
    assert_int_equal(load(&s, "exclude:\n  zones: []\n", &why), E_OK);
    assert_int_equal(s.n_exclude_zones, 0);
    settings_release(&s);
    assert_int_equal(load(&s, "", &why), E_OK);
    assert_int_not_equal(settings_load(&s, "no-such-file.yaml", &why), E_OK);
    settings_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_full), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_empty_and_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
