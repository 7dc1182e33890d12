/* Zones: what a transfer has must be what a simple list of records has, whatever happened before and meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "records.h"

static const struct zone_options options = {
    .origin = "rpz.test", .ns = "localhost", .mname = "localhost", .rname = "hostmaster.localhost", .ttl_s = 30,
    .refresh_s = 60, .retry_s = 5, .expire_s = 3600, .minimum_s = 30, .journal_max = 100000,
};

static struct zone *make(void)
{
    struct zone *z;
    struct fault why;
    assert_int_equal(zone_create(&z, &options, &why), 0);
    return z;
}

static unsigned action(struct zone *z, const char *text)
{
    unsigned a;
    assert_int_equal(zone_action(z, text, &a, NULL), 0);
    return a;
}

static void begin(struct zone *z, uint32_t serial)
{
    assert_int_equal(zone_begin(z, serial, NULL), 0);
}

static void commit(struct zone *z)
{
    assert_int_equal(zone_commit(z, NULL), 0);
}

static void add(struct zone *z, enum trigger trigger, const char *name, const char *text)
{
    assert_int_equal(zone_add(z, trigger, name, action(z, text), NULL), 0);
}

static void drop(struct zone *z, enum trigger trigger, const char *name)
{
    assert_int_equal(zone_remove(z, trigger, name, NULL), 0);
}

/* What is left of an open walk, of a zone as a whole; without SOA and NS. */
static void rest_of(struct zone_walk *w, struct records *ret)
{
    struct zone_record rr;
    char line[RECORD_LINE], head[RECORD_LINE], first[RECORD_LINE] = "";
    snprintf(head, sizeof head, "SOA %u", zone_walk_serial(w));
    unsigned heads = 0;
    ret->n = 0;
    while (zone_walk_next(w, &rr)) {
        record_line(&rr, line);
        if (first[0] == '\0')
            snprintf(first, sizeof first, "%s", line);
        if (strcmp(line, head) == 0)
            heads++;
        else if (strncmp(line, ". 2 ", 4) != 0)
            records_add(ret, line);
    }
    assert_string_equal(first, head);
    assert_string_equal(line, head);
    assert_int_equal(heads, 2);
}

static void all_of(struct zone *z, struct records *ret)
{
    struct zone_walk w;
    zone_walk_all(&w, z);
    rest_of(&w, ret);
    zone_walk_close(&w);
}

/* Applies a difference to what `records` had. False: it cannot be applied. */
static bool apply(struct zone_walk *w, uint32_t from, struct records *records)
{
    struct zone_record rr;
    char line[RECORD_LINE], to_soa[RECORD_LINE], from_soa[RECORD_LINE];
    const char *const heads[] = { to_soa, from_soa, to_soa, to_soa };
    unsigned at = 0;
    bool good = true;
    snprintf(to_soa, sizeof to_soa, "SOA %u", zone_walk_serial(w));
    snprintf(from_soa, sizeof from_soa, "SOA %u", from);
    while (zone_walk_next(w, &rr)) {
        record_line(&rr, line);
        if (strncmp(line, "SOA ", 4) == 0)
            good = good && at < 4 && strcmp(line, heads[at++]) == 0;
        else if (at == 2)
            good = good && records_take(records, line);
        else
            records_add(records, line);
    }
    return good && at == 4;
}

/* RFC 1982, 3.2 and 5: across the end of the numbers, and where there is no order. */
static void test_serials(void **state)
{
    (void)state;
    assert_int_equal(serial_compare(1, 1), 0);
    assert_int_equal(serial_compare(0, 1), -1);
    assert_int_equal(serial_compare(1, 0), 1);
    assert_int_equal(serial_compare(UINT32_MAX, 0), -1);
    assert_int_equal(serial_compare(100, UINT32_MAX - 100), 1);
    assert_int_equal(serial_compare(0, 0x7fffffff), -1);
    assert_int_equal(serial_compare(0x7fffffff, 0), 1);
    assert_int_equal(serial_compare(0, 0x80000001), 1);
    assert_int_equal(serial_compare(0, 0x80000000), -1);
}

static void test_records(void **state)
{
    struct records r;
    struct zone *z = make();
    (void)state;
    records_init(&r);
    begin(z, 7);
    add(z, TRIGGER_DOMAIN, "bad.example", "nxdomain");
    add(z, TRIGGER_HOST, "www.x.test", "garden 192.0.2.1 2001:db8::1");
    add(z, TRIGGER_ADDRESS, "192.0.2.1", "drop");
    add(z, TRIGGER_NAMESERVER, "ns.x.test", "passthru");
    add(z, TRIGGER_HOST, "no.test", "nodata");
    add(z, TRIGGER_HOST, "g.test", "garden walled.example");
    commit(z);
    all_of(z, &r);
    static const char *const expected[] = {
        "bad.example. 5 00", "*.bad.example. 5 00", "www.x.test. 1 c0000201", "www.x.test. 28 20010db8000000000000000000000001",
        "32.1.2.0.192.rpz-ip. 5 0872707a2d64726f7000", "ns.x.test.rpz-nsdname. 5 0c72707a2d706173737468727500",
        "*.ns.x.test.rpz-nsdname. 5 0c72707a2d706173737468727500", "no.test. 5 012a00", "g.test. 5 0677616c6c6564076578616d706c6500",
    };
    assert_int_equal(r.n, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < r.n; i++)
        assert_true(records_find(&r, expected[i]) >= 0);
    assert_int_equal(zone_count(z), 6);
    records_release(&r);
    zone_destroy(&z);
}

/* A name that is a host's and a domain's has one action, whichever came first. */
static void test_host_in_domain(void **state)
{
    struct records r;
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        struct zone *z = make();
        records_init(&r);
        begin(z, 1);
        add(z, order ? TRIGGER_DOMAIN : TRIGGER_HOST, "x.test", order ? "nxdomain" : "passthru");
        commit(z);
        begin(z, 2);
        add(z, order ? TRIGGER_HOST : TRIGGER_DOMAIN, "x.test", order ? "passthru" : "nxdomain");
        commit(z);
        all_of(z, &r);
        assert_int_equal(r.n, 2);
        assert_true(records_find(&r, "x.test. 5 0c72707a2d706173737468727500") >= 0);
        assert_true(records_find(&r, "*.x.test. 5 00") >= 0);
        begin(z, 3);
        drop(z, TRIGGER_HOST, "x.test");
        commit(z);
        all_of(z, &r);
        assert_int_equal(r.n, 2);
        assert_true(records_find(&r, "x.test. 5 00") >= 0);
        begin(z, 4);
        drop(z, TRIGGER_DOMAIN, "x.test");
        commit(z);
        assert_int_equal(zone_count(z), 0);
        records_release(&r);
        zone_destroy(&z);
    }
}

static void test_match(void **state)
{
    struct zone *z = make();
    uint8_t wire[NAME_WIRE_MAX];
    (void)state;
    static const struct { const char *name; const char *action; } rows[] = {
        { "bad.example", "nxdomain" }, { "a.b.bad.example", "nxdomain" }, { "www.bad.example", "passthru" },
        { "a.www.bad.example", "nxdomain" }, /* a host is the name alone */
        { "nobad.example", NULL }, { "example", NULL }, { "h.test", "nodata" }, { "x.h.test", NULL },
        { "32.1.2.0.192.rpz-ip", "drop" }, { "x.ns.test.rpz-nsdname", "drop" },
    };
    begin(z, 1);
    add(z, TRIGGER_DOMAIN, "bad.example", "nxdomain");
    add(z, TRIGGER_HOST, "www.bad.example", "passthru");
    add(z, TRIGGER_HOST, "h.test", "nodata");
    add(z, TRIGGER_ADDRESS, "192.0.2.1", "drop");
    add(z, TRIGGER_NAMESERVER, "ns.test", "drop");
    commit(z);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = name_from_text(rows[i].name, strlen(rows[i].name), wire);
        int found = zone_match(z, wire, len - 1);
        assert_int_equal(found >= 0, rows[i].action != NULL);
        if (found >= 0)
            assert_string_equal(zone_action_text(z, (unsigned)found), rows[i].action);
    }
    assert_int_equal(zone_match(z, wire, 0), -1);
    assert_int_equal(zone_find(z, TRIGGER_HOST, "bad.example"), -1);
    assert_int_equal(zone_find(z, TRIGGER_DOMAIN, "BAD.example."), (int)action(z, "nxdomain"));
    zone_destroy(&z);
}

static void test_actions(void **state)
{
    struct zone *z = make();
    unsigned a, b;
    (void)state;
    static const char *const bad[] = {
        "", "block", "garden", "garden ", "garden .", "garden *.", "garden rpz-drop.", "garden x.RPZ-passthru", "garden a b",
        "garden a 192.0.2.1", "garden 192.0.2.1 a", "garden a..b", "nxdomain ",
        "garden 192.0.2.1 2001:db8::1 192.0.2.1", "garden 2001:db8::1 2001:db8:0::1",
        "garden ::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 ::a ::b ::c ::d ::e ::f ::10 ::11",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fault why = { 0 };
        assert_int_equal(zone_action(z, bad[i], &a, &why), E_MALFORMED);
        assert_true(why.text[0] != '\0');
    }
    assert_int_equal(zone_action(z, "garden walled.example.", &a, NULL), 0);
    assert_int_equal(zone_action(z, "garden walled.example.", &b, NULL), 0);
    assert_int_equal(a, b);
    zone_destroy(&z);
}

/* A bad record is refused, the version goes on; an aborted one leaves all as before. */
static void test_refused_and_aborted(void **state)
{
    struct records before, after;
    struct zone *z = make();
    struct fault why;
    (void)state;
    records_init(&before);
    records_init(&after);
    begin(z, 1);
    assert_int_equal(zone_add(z, TRIGGER_HOST, "*.x", action(z, "drop"), &why), E_MALFORMED);
    add(z, TRIGGER_HOST, "a.test", "drop");
    add(z, TRIGGER_DOMAIN, "d.test", "drop");
    assert_int_equal(zone_remove(z, TRIGGER_HOST, "b.test", &why), E_ABSENT);
    commit(z);
    all_of(z, &before);
    assert_int_equal(zone_begin(z, 1, &why), E_USAGE);
    assert_int_equal(zone_begin(z, 0x80000002, &why), E_USAGE); /* before 1 */
    begin(z, 2);
    assert_int_equal(zone_begin(z, 3, &why), E_USAGE);
    add(z, TRIGGER_HOST, "a.test", "nxdomain");
    add(z, TRIGGER_HOST, "a.test", "nodata");
    add(z, TRIGGER_HOST, "c.test", "drop");
    drop(z, TRIGGER_HOST, "c.test");
    add(z, TRIGGER_HOST, "d.test", "nodata");
    drop(z, TRIGGER_DOMAIN, "d.test");
    zone_abort(z);
    all_of(z, &after);
    assert_true(records_equal(&before, &after));
    assert_int_equal(zone_serial(z), 1);
    assert_int_equal(zone_count(z), 2);
    assert_int_equal(zone_find(z, TRIGGER_HOST, "a.test"), (int)action(z, "drop"));
    begin(z, 2);
    commit(z);
    assert_int_equal(zone_journal(z).changes, 0);
    assert_int_equal(zone_journal(z).versions, 2);
    records_release(&before);
    records_release(&after);
    zone_destroy(&z);
}

enum { NAMES = 60, VERSIONS = 400, KEPT = 12 };

static uint32_t dice(void)
{
    static uint32_t x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

/* A simple opinion on what a zone has: an action per kind and name, 0 = none. */
struct model {
    unsigned actions[2][NAMES];
};

static const char *const texts[] = { "nxdomain", "nodata", "drop", "garden 192.0.2.1 192.0.2.2" };

static void name_of(unsigned i, char name[64])
{
    /* Of different lengths, so that memory is reused across names. */
    snprintf(name, 64, "%.*s%u.test", (int)(i % 7), "xxxxxxx", i);
}

static void model_records(struct zone *z, const struct model *m, struct records *ret)
{
    ret->n = 0;
    for (unsigned i = 0; i < NAMES; i++)
        for (unsigned wild = 0; wild < 2; wild++) {
            unsigned host = m->actions[0][i], domain = m->actions[1][i], a = wild ? domain : host ? host : domain;
            char name[64], line[RECORD_LINE];
            uint8_t wire[NAME_WIRE_MAX];
            struct zone_record rr;
            if (a == 0)
                continue;
            name_of(i, name);
            size_t len = name_from_text(name, strlen(name), wire);
            for (unsigned n = 0; zone_action_record(z, action(z, texts[a - 1]), n, &rr); n++) {
                rr.owner = (struct slice){ wire, len - 1 };
                rr.wild = wild;
                record_line(&rr, line);
                records_add(ret, line);
            }
        }
}

static void change_some(struct zone *z, struct model *m)
{
    for (unsigned n = dice() % 12; n > 0; n--) {
        unsigned kind = dice() % 2, i = dice() % NAMES, a = dice() % 6 < 2 ? 0 : 1 + dice() % 4;
        char name[64];
        name_of(i, name);
        enum trigger trigger = kind ? TRIGGER_DOMAIN : TRIGGER_HOST;
        if (a)
            add(z, trigger, name, texts[a - 1]);
        else
            assert_int_equal(zone_remove(z, trigger, name, NULL), m->actions[kind][i] ? 0 : E_ABSENT);
        m->actions[kind][i] = a;
    }
}

/* Hundreds of versions, some aborted; secondaries of several ages follow by differences; a walk that is open all the time. */
static void run_versions(uint32_t journal_max, uint32_t serial)
{
    struct zone_options o = options;
    struct zone *z;
    struct model m = { 0 };
    struct records now, kept[KEPT], long_ago, slow;
    uint32_t serials[KEPT] = { 0 };
    struct zone_walk walk = { 0 };
    unsigned followed = 0, unknown = 0;
    o.journal_max = journal_max;
    assert_int_equal(zone_create(&z, &o, NULL), 0);
    records_init(&now);
    records_init(&long_ago);
    records_init(&slow);
    for (unsigned k = 0; k < KEPT; k++)
        records_init(&kept[k]);
    for (unsigned v = 0; v < VERSIONS; v++) {
        struct model before = m;
        begin(z, ++serial);
        change_some(z, &m);
        if (v && dice() % 5 == 0) {
            zone_abort(z);
            m = before;
            serial--;
        } else {
            commit(z);
        }
        all_of(z, &slow);
        model_records(z, &m, &now);
        assert_true(records_equal(&now, &slow));
        unsigned k = dice() % KEPT;
        struct zone_walk since;
        if (v >= KEPT && zone_walk_since(&since, z, serials[k])) {
            assert_true(apply(&since, serials[k], &kept[k]));
            assert_true(records_equal(&kept[k], &now));
            zone_walk_close(&since);
            followed++;
        } else {
            unknown += v >= KEPT;
            records_copy(&kept[k], &now);
        }
        serials[k] = serial;
        if (v % 50 == 10) { /* a slow transfer: begun here, ended thirty versions later */
            zone_walk_all(&walk, z);
            records_copy(&long_ago, &now);
        }
        if (v % 50 == 40) {
            rest_of(&walk, &slow);
            assert_true(records_equal(&slow, &long_ago));
            zone_walk_close(&walk);
        }
    }
    assert_true(followed > 50);
    assert_true(journal_max > 100 || unknown > 0);
    for (unsigned k = 0; k < KEPT; k++)
        records_release(&kept[k]);
    records_release(&now);
    records_release(&long_ago);
    records_release(&slow);
    zone_destroy(&z);
}

static void test_versions(void **state)
{
    (void)state;
    run_versions(100000, 1);
    run_versions(60, 1);                /* old versions are forgotten, their memory is used again */
    run_versions(100000, UINT32_MAX - 100); /* serials go past their end */
}

/* Memory of the dead is used again: a zone that changes for ever does not grow. */
static void test_reuse(void **state)
{
    struct zone_options o = options;
    struct zone *z;
    (void)state;
    o.journal_max = 10;
    assert_int_equal(zone_create(&z, &o, NULL), 0);
    size_t held = 0;
    for (uint32_t v = 1; v < 50000; v++) {
        char name[64];
        begin(z, v);
        if (v > 20) {
            snprintf(name, sizeof name, "name-that-takes-some-room-%08u.test", v - 20);
            drop(z, TRIGGER_HOST, name);
        }
        snprintf(name, sizeof name, "name-that-takes-some-room-%08u.test", v);
        add(z, TRIGGER_HOST, name, "drop");
        commit(z);
        if (v == 1000)
            held = zone_memory(z);
    }
    assert_int_equal(zone_memory(z), held);
    zone_destroy(&z);
}

static void test_create_refuses(void **state)
{
    struct zone *z = NULL;
    struct fault why;
    (void)state;
    struct zone_options o = options;
    o.origin = "a..b";
    assert_int_equal(zone_create(&z, &o, &why), E_USAGE);
    o = options;
    o.ns = "ns.rpz.test";
    assert_int_equal(zone_create(&z, &o, &why), E_USAGE);
    o = options;
    o.rname = NULL;
    assert_int_equal(zone_create(&z, &o, &why), E_USAGE);
    assert_null(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serials), cmocka_unit_test(test_records),   cmocka_unit_test(test_host_in_domain),
        cmocka_unit_test(test_match),   cmocka_unit_test(test_actions),   cmocka_unit_test(test_refused_and_aborted),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_reuse),    cmocka_unit_test(test_create_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
