/* The list of names that are asked for and do not exist, from a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "detect/demand/list.h"
#include "scratch.h"

enum { HOUR = 480000 };

static const char suffix_text[] = "com\nnet\n";
static struct suffix_list *suffixes;
static struct store *store;

struct row {
    const char *tld, *label;
    uint32_t hour;
    unsigned clients; /* one question each */
    enum activity_counter outcome;
};

static const struct row rows[] = { /* in key order */
    { "com", "few", HOUR, 1, ACTIVITY_NX_DOMAIN },
    { "com", "few", HOUR + 1, 1, ACTIVITY_NX_DOMAIN },
    { "com", "few", HOUR + 30, 1, ACTIVITY_NX_DOMAIN },
    { "com", "host", HOUR, 9, ACTIVITY_NX_HOST },
    { "com", "many", HOUR + 2, 3, ACTIVITY_NX_DOMAIN },
    { "com", "many", HOUR + 3, 5, ACTIVITY_NX_DOMAIN },
    { "com", "many", HOUR + 4, 20, ACTIVITY_NOERROR },
    { "lan", "printer", HOUR, 9, ACTIVITY_NX_DOMAIN },
    { "lan", "printer", HOUR + 1, 9, ACTIVITY_NX_DOMAIN },
    { "net", "once", HOUR + 2, 7, ACTIVITY_NX_DOMAIN },
};

static size_t owner_key(const char *tld, const char *label, uint8_t key[NAME_KEY_MAX])
{
    return (size_t)snprintf((char *)key, NAME_KEY_MAX, "%s%c%s%c", tld, 0, label, 0) + 1;
}

static void put_row(struct buffer *run, const struct row *r)
{
    static struct activity a;
    uint8_t owner[NAME_KEY_MAX], key[ACTIVITY_KEY_MAX];
    size_t n = owner_key(r->tld, r->label, owner);
    n = activity_key_put((struct slice){ owner, n }, r->hour, key);
    struct buffer value;
    buffer_init(&value, ACTIVITY_VALUE_MAX);
    activity_init(&a, true);
    a.first = a.last = (uint64_t)r->hour * ACTIVITY_HOUR_S;
    a.counters[ACTIVITY_QUERIES] = a.counters[ACTIVITY_ANSWERED] = a.counters[ACTIVITY_A] = a.counters[r->outcome] = r->clients;
    for (unsigned i = 0; i < r->clients; i++)
        activity_add_client(&a, i + 1, 0);
    activity_put(&a, &value);
    uint16_t lengths[2] = { (uint16_t)n, (uint16_t)value.len };
    buffer_append(run, lengths, sizeof lengths);
    buffer_append(run, key, n);
    buffer_append(run, value.ptr, value.len);
    buffer_release(&value);
}

static int make(void **state)
{
    (void)state;
    struct fault why = { 0 };
    struct buffer run;
    buffer_init(&run, 1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_row(&run, &rows[i]);
    struct store_run runs = { run.ptr, run.len };
    struct store_table table = { .kind = KIND_DOMAIN, .tier = TIER_DAY, .slot = (int64_t)HOUR * ACTIVITY_HOUR_S };
    struct store_change change = { .add = &table, .n_add = 1, .watermark = (HOUR + 40) * (int64_t)ACTIVITY_HOUR_S };
    int rc = suffix_parse(&suffixes, suffix_text, sizeof suffix_text - 1, &why);
    if (rc != 0 || (rc = store_open(&store, scratch_folder(), STORE_WRITE, NULL, &why)) != 0 ||
        (rc = store_write_table(store, &table, &runs, 1, &why)) != 0 || (rc = store_commit(store, &change, &why)) != 0)
        fail_msg("%s", why.text);
    buffer_release(&run);
    return rc;
}

static int drop(void **state)
{
    (void)state;
    store_close(&store);
    suffix_destroy(&suffixes);
    return 0;
}

static struct demand_list list(uint32_t from, uint32_t to, uint32_t least_days, size_t room)
{
    struct demand_list l;
    struct fault why = { 0 };
    if (demand_list_make(&l, store, suffixes, from, to, least_days, room, &why) != 0)
        fail_msg("%s", why.text);
    return l;
}

static void test_all(void **state)
{
    (void)state;
    struct demand_list l = list(HOUR, HOUR + 40, 1, 10);
    static const struct {
        const char *tld, *label;
        uint32_t first, last, hours, days, clients, queries, exists;
    } want[] = {
        { "com", "few", HOUR, HOUR + 30, 3, 2, 1, 3, 0 },              /* one client, again and again */
        { "net", "once", HOUR + 2, HOUR + 2, 1, 1, 7, 7, 0 },          /* seven, once each */
        { "com", "many", HOUR + 2, HOUR + 3, 2, 1, 5, 8, HOUR + 4 },   /* registered by now */
    };
    assert_int_equal(l.n, 3);
    assert_int_equal(l.missing, 3);
    for (size_t i = 0; i < l.n; i++) {
        const struct demand_name *n = &l.names[i];
        uint8_t owner[NAME_KEY_MAX];
        assert_int_equal(n->owner_len, owner_key(want[i].tld, want[i].label, owner));
        assert_memory_equal(n->owner, owner, n->owner_len);
        assert_int_equal(n->first, want[i].first);
        assert_int_equal(n->last, want[i].last);
        assert_int_equal(n->hours, want[i].hours);
        assert_int_equal(n->days, want[i].days);
        assert_int_equal(n->clients, want[i].clients);
        assert_int_equal(n->queries, want[i].queries);
        assert_int_equal(n->exists, want[i].exists);
    }
    demand_list_release(&l);
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to, least_days;
        size_t room, n, missing;
    } cases[] = {
        { HOUR, HOUR + 40, 2, 10, 1, 1 },  /* only few comes back on another day */
        { HOUR, HOUR + 40, 1, 1, 1, 3 },   /* room for the first only */
        { HOUR, HOUR + 1, 1, 10, 1, 1 },
        { HOUR + 31, HOUR + 40, 1, 10, 0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct demand_list l = list(cases[i].from, cases[i].to, cases[i].least_days, cases[i].room);
        assert_int_equal(l.n, cases[i].n);
        assert_int_equal(l.missing, cases[i].missing);
        demand_list_release(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
