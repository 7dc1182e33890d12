/* A small database of activity, and the real program on it. Every hour goes to two tables, so that
 * what is printed is merged. */
#include "record/activity.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "scratch.h"

enum { DAY_1 = 1700006400, HOUR_S = ACTIVITY_HOUR_S, DAY_S = 86400, MINUTE = 60 };

/* In each table; sorted by owner key and hour. */
static const struct {
    const char *owner;
    bool domain;
    unsigned hour;    /* since DAY_1 */
    unsigned queries; /* for A */
    unsigned clients;
} records[] = {
    { "example.com", false, 2, 3, 1 },
    { "www.example.com", false, 2, 4, 2 },
    { "www.example.com", false, 3, 1, 1 },
    { "www.example.com", false, 30, 50, 40 },
    { "odd\\,name.example.com", false, 2, 1, 1 },
    { "a.example.net", false, 5, 1, 1 },
    { "example.com", true, 2, 8, 3 },
    { "example.com", true, 3, 1, 1 },
    { "example.com", true, 30, 50, 40 },
    { "example.com", true, 150, 2, 2 },
    { "example.co.uk", true, 1, 1, 1 },
};
enum { RECORDS = sizeof records / sizeof records[0], TABLES = 4 };

static const char *dir, *list;

/* ---- the database ---- */

/* The first table has the first half hour, of clients 1, 2, ...; the second the other half, of 2, 3, ... */
static void make_value(size_t i, bool second, struct buffer *to)
{
    static struct activity a;
    unsigned from = second ? 1800 : 0;
    uint64_t start = DAY_1 + (uint64_t)records[i].hour * HOUR_S + from;
    activity_init(&a, records[i].domain);
    a.first = start;
    a.last = start + MINUTE;
    a.counters[ACTIVITY_QUERIES] = a.counters[ACTIVITY_A] = records[i].queries;
    if (second)
        a.counters[ACTIVITY_ANSWERED] = a.counters[ACTIVITY_NOERROR] = records[i].queries;
    a.counters[ACTIVITY_QUERY_BYTES] = 40 * records[i].queries;
    a.counters[ACTIVITY_TTL] = second ? 300 : 60;
    for (unsigned k = 1; k <= records[i].clients; k++)
        activity_add_client(&a, (uint64_t)(k + second) << 56, (uint16_t)(from + k));
    if (records[i].domain)
        for (unsigned k = 0; k <= records[i].clients && k < 2; k++)
            activity_add_name(&a, (struct activity_name){ k << second, 3, 20 });
    activity_put(&a, to);
}

struct entry {
    uint8_t key[ACTIVITY_KEY_MAX];
    size_t len, record;
};

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return slice_compare((struct slice){ x->key, x->len }, (struct slice){ y->key, y->len });
}

static void make_run(bool domain, bool second, struct buffer *run)
{
    static struct entry entries[RECORDS];
    struct buffer value;
    size_t n = 0;
    buffer_init(&value, ACTIVITY_VALUE_MAX);
    for (size_t i = 0; i < RECORDS; i++) {
        uint8_t wire[NAME_WIRE_MAX], owner[NAME_KEY_MAX];
        size_t len = name_from_text(records[i].owner, strlen(records[i].owner), wire);
        if (records[i].domain != domain)
            continue;
        struct slice key = { owner, name_owner_key(wire, len, owner) };
        entries[n].record = i;
        entries[n].len = activity_key_put(key, (uint32_t)(DAY_1 / HOUR_S + records[i].hour), entries[n].key);
        n++;
    }
    qsort(entries, n, sizeof entries[0], compare);
    for (size_t i = 0; i < n; i++) {
        buffer_clear(&value);
        make_value(entries[i].record, second, &value);
        uint8_t head[4] = { (uint8_t)entries[i].len, 0, (uint8_t)value.len, (uint8_t)(value.len >> 8) };
        buffer_append(run, head, sizeof head);
        buffer_append(run, entries[i].key, entries[i].len);
        buffer_append(run, value.ptr, value.len);
    }
    buffer_release(&value);
}

static int make_database(void **state)
{
    (void)state;
    static const char suffixes[] = "com\nnet\nuk\nco.uk\n";
    struct store *store;
    struct fault why = { 0 };
    struct store_options options = { 0 };
    struct store_table tables[TABLES];
    list = strdup(scratch_file("suffixes", suffixes, sizeof suffixes - 1));
    dir = scratch_path("db");
    if (store_open(&store, dir, STORE_WRITE, &options, &why) != 0)
        fail_msg("%s", why.text);
    for (uint8_t i = 0; i < TABLES; i++) {
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        make_run(i / 2, i % 2, &bytes);
        tables[i] = (struct store_table){ .kind = i / 2 ? KIND_DOMAIN : KIND_HOST, .tier = TIER_SLOT,
                                          .slot = DAY_1 + i % 2 * 1800 };
        struct store_run run = { bytes.ptr, bytes.len };
        if (store_write_table(store, &tables[i], &run, 1, &why) != 0)
            fail_msg("%s", why.text);
        buffer_release(&bytes);
    }
    struct store_change change = { .add = tables, .n_add = TABLES, .watermark = DAY_1 + DAY_S };
    if (store_commit(store, &change, &why) != 0)
        fail_msg("%s", why.text);
    store_close(&store);
    return 0;
}

/* ---- the program ---- */

static int run(const char *arguments, char *out, size_t room)
{
    char command[1024];
    snprintf(command, sizeof command, "exec 2>/dev/null; \"$DNSMON_BIN\" %s", arguments);
    setenv("DNSMON_DB", dir, 1);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(out, 1, room - 1, pipe);
    out[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void expect(const char *arguments, int want_code, const char *want)
{
    static char out[65536];
    int code = run(arguments, out, sizeof out);
    if (code != want_code || strcmp(out, want) != 0)
        fail_msg("%s: exit %d\n%s\nnot\n%s", arguments, code, out, want);
}

/* "host 2 8 3": kind, hour since DAY_1, queries and clients of each JSON line. */
static void shorten(const char *from, char *to)
{
    *to = '\0';
    for (const char *line = from; *line != '\0'; line = strchr(line, '\n') + 1) {
        char kind[16];
        unsigned long long hour = 0, queries = 0, clients = 0;
        const char *counters = strstr(line, "\"queries\":"), *who = strstr(line, "\"clients\":");
        if (counters == NULL || sscanf(strstr(line, "\"kind\""), "\"kind\":\"%15[a-z]\",\"hour\":%llu", kind, &hour) != 2 ||
            sscanf(counters, "\"queries\":%llu", &queries) != 1 || sscanf(who, "\"clients\":%llu", &clients) != 1)
            fail_msg("not such a line: %s", line);
        to += snprintf(to, 64, "%s %llu %llu %llu\n", kind, (hour - DAY_1) / HOUR_S, queries, clients);
    }
}

#define HOST_2 "host 2 6 2\n"
#define WWW_2 "host 2 8 3\n"
#define WWW_3 "host 3 2 2\n"
#define WWW_30 "host 30 100 248\n" /* of 32 in the sample, the largest being 32 of 256 */
#define DOMAIN_2 "domain 2 16 4\n"
#define DOMAIN_3 "domain 3 2 2\n"
#define DOMAIN_30 "domain 30 100 41\n"
#define DOMAIN_150 "domain 150 4 3\n"
#define DOMAIN DOMAIN_2 DOMAIN_3 DOMAIN_30 DOMAIN_150

static const struct {
    const char *arguments;
    int code;
    const char *out;
} rows[] = {
    { "example.com", 0, DOMAIN },
    { "EXAMPLE.com.", 0, DOMAIN },
    { "example.com --host", 0, HOST_2 },
    { "example.com --domain", 0, DOMAIN },
    { "www.example.com", 0, WWW_2 WWW_3 WWW_30 },
    { "www.example.com --domain --json", 0, DOMAIN },
    { "a.example.net", 0, "host 5 2 2\n" },
    { "example.co.uk", 0, "domain 1 2 2\n" },
    { "a.b.example.co.uk --domain", 0, "domain 1 2 2\n" },
    { "example.net", 0, "" }, /* of hosts below it alone */
    { "ww.example.com", 0, "" },
    { "com", 0, "" }, /* a host of that name was not asked for */
    { ".", 0, "" },
    /* spans: hours that they have a part of */
    { "www.example.com --from 2023-11-15T02:59:59Z", 0, WWW_2 WWW_3 WWW_30 },
    { "www.example.com --from 2023-11-15T03:00:00Z", 0, WWW_3 WWW_30 },
    { "www.example.com --to 2023-11-15T03:00:00Z", 0, WWW_2 },
    { "www.example.com --to 2023-11-15T03:00:01Z", 0, WWW_2 WWW_3 },
    { "example.com --from 2023-11-16 --to 2023-11-17", 0, DOMAIN_30 },
    { "example.com --from 2023-11-15T03:30:00Z --to 2023-11-15T03:31:00Z", 0, DOMAIN_3 },
    { "example.com --from 2024-01-01", 0, "" },
    { "example.com --to 9223372036854775806", 0, DOMAIN },
    { "example.com --from 9223372036854775806", 0, "" },
    { "example.com example.net", 0, DOMAIN }, /* nothing of the second */
    /* wrong usage */
    { "", 2, "" },
    { "a..b", 2, "" },
    { "co.uk --domain", 2, "" },
    { "example.com --host --domain", 2, "" },
    { "example.com --json --csv", 2, "" },
    { "example.com --from noon", 2, "" },
    { "example.com --from 2023-11-16 --to 2023-11-16", 2, "" },
    { "example.com --no-such-option", 2, "" },
    /* and what is not there */
    { "example.com --db no-such-database", 1, "" },
};

static void test_hours(void **state)
{
    (void)state;
    static char out[65536], brief[65536];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char arguments[512];
        snprintf(arguments, sizeof arguments, "activity --public-suffixes %s %s", list, rows[i].arguments);
        int code = run(arguments, out, sizeof out);
        shorten(out, brief);
        if (code != rows[i].code || strcmp(brief, rows[i].out) != 0)
            fail_msg("%s: exit %d\n%s\nnot\n%s", arguments, code, brief, rows[i].out);
    }
    assert_int_equal(run("activity --public-suffixes no-such-list example.com", out, sizeof out), 1);
    assert_int_equal(run("activity --public-suffixes no-such-list example.com --host", out, sizeof out), 0);
}

static void test_lines(void **state)
{
    (void)state;
    expect("activity --host --to 2023-11-15T03:00:00Z www.example.com", 0,
           "{\"name\":\"www.example.com.\",\"kind\":\"host\",\"hour\":1700013600,\"first\":1700013600,\"last\":1700015460,"
           "\"counters\":{\"queries\":8,\"answered\":4,\"noerror\":4,\"a\":8,\"query_bytes\":320,\"ttl\":300},\"clients\":3,"
           "\"clients_exact\":true}\n");
    expect("activity --domain --from 2023-11-16 --to 2023-11-17 --public-suffixes /dev/null example.com", 0,
           "{\"name\":\"example.com.\",\"kind\":\"domain\",\"hour\":1700114400,\"first\":1700114400,\"last\":1700116260,"
           "\"counters\":{\"queries\":100,\"answered\":50,\"noerror\":50,\"a\":100,\"query_bytes\":4000,\"ttl\":300},\"clients\":41,"
           "\"clients_exact\":true,\"names\":3,\"names_exact\":true}\n");
    expect("activity --host --from 2023-11-16 www.example.com | grep -o '\"clients.*'", 0,
           "\"clients\":248,\"clients_exact\":false}\n");
}

#define CSV_HEAD                                                                                              \
    "name,kind,hour,first,last,queries,answered,stray,noerror,nodata,nx_domain,nx_host,servfail,refused,"     \
    "other_rcode,a,aaaa,https,txt,mx,ns,ptr,srv,null,other_type,query_bytes,response_bytes,unknown_client,"  \
    "policy,ttl,clients,clients_exact,names,names_exact,hours\n"

static void test_csv(void **state)
{
    (void)state;
    char arguments[512];
    expect("activity --csv --host 'odd\\,name.example.com'", 0,
           CSV_HEAD "\"odd,name.example.com.\",host,1700013600,1700013600,1700015460,2,1,0,1,0,0,0,0,0,0,2,0,0,0,0,0,0,0,0,"
                    "0,80,0,0,0,300,2,1,,,1\n");
    expect("activity --csv --host absent.example", 0, CSV_HEAD);
    snprintf(arguments, sizeof arguments, "activity --csv --public-suffixes %s example.co.uk", list);
    expect(arguments, 0, CSV_HEAD "example.co.uk.,domain,1700010000,1700010000,1700011860,2,1,0,1,0,0,0,0,0,0,2,0,0,0,0,0,0,"
                                  "0,0,0,80,0,0,0,300,2,1,3,1,1\n");
}

#define NONE_3 "\u00b7\u00b7\u00b7"
#define NONE_6 NONE_3 NONE_3
#define NONE_18 NONE_6 NONE_6 NONE_6
#define BLANK_20 "                    "

static void test_chart(void **state)
{
    (void)state;
    char arguments[512];
    expect("activity --chart --host absent.example", 0, "");
    expect("activity --chart --host www.example.com", 0,
           "www.example.com.  host, 2023-11-15 02:00 to 2023-11-16 07:00 (UTC), asked for in 3 of 29 hours\n\n"
           "queries    110, of them 55 answered\n"
           "clients    about 248, by a sample of 32\n"
           "ask times  kept in 2 hours, not in 1 with a full sample of clients\n"
           "answers    55 NOERROR\n"
           "types      110 A\n"
           "bytes      4400 of queries\n"
           "ttl        at most 300 s\n\n"
           "UTC         0     6     12    18       queries; a full block is 100 in an hour\n"
           "2023-11-15    \u2581\u2581" NONE_18 "\u00b7\u00b7          10\n"
           "2023-11-16  " NONE_6 "\u2588                          100\n");
    snprintf(arguments, sizeof arguments,
             "activity --chart --public-suffixes %s --from 2023-11-14T20:00:00Z --to 2023-11-23 example.com", list);
    expect(arguments, 0,
           "example.com.  domain, 2023-11-14 20:00 to 2023-11-23 00:00 (UTC), asked for in 4 of 196 hours\n\n"
           "queries    122, of them 61 answered\n"
           "clients    41, all of them known\n"
           "names      3, all of them known\n"
           "ask times  kept in 4 hours\n"
           "answers    61 NOERROR\n"
           "types      122 A\n"
           "bytes      4880 of queries\n"
           "ttl        at most 300 s\n\n"
           "UTC         0     6     12    18       queries; a full block is 100 in an hour\n"
           "2023-11-14  " BLANK_20 NONE_3 "\u00b7           0\n"
           "2023-11-15  \u00b7\u00b7\u2582\u2581" NONE_18 "\u00b7\u00b7          18\n"
           "2023-11-16  " NONE_6 "\u2588" NONE_6 NONE_6 NONE_3 "\u00b7\u00b7         100\n"
           "            (4 days without)\n"
           "2023-11-21  " NONE_6 "\u2581" NONE_6 NONE_6 NONE_3 "\u00b7\u00b7           4\n"
           "2023-11-22  " NONE_6 NONE_18 "           0\n");
}

/* The commands for all kinds know these. */
static void test_other_commands(void **state)
{
    (void)state;
    static char out[65536];
    expect("dump --kind host | head -1", 0,
           "example.com.\t1700013600\t1700013600\t1700015460\tqueries=6,answered=3,noerror=3,a=6,query_bytes=240,ttl=300\t"
           "0100000000000000:1,0200000000000000:1801\n");
    expect("dump --kind domain | grep uk", 0,
           "example.co.uk.\t1700010000\t1700010000\t1700011860\tqueries=2,answered=1,noerror=1,a=2,query_bytes=80,ttl=300\t"
           "0100000000000000:1,0200000000000000:1801\t"
           "0000000000000000:3:20,0000000000000001:3:20,0000000000000002:3:20\n");
    expect("dump --kind host | grep -c .", 0, "6\n");
    expect("dump --kind label", 2, "");
    assert_int_equal(run("fsck", out, sizeof out), 0);
    assert_int_equal(run("stat", out, sizeof out), 0);
    assert_non_null(strstr(out, "\ndomain     slot "));
    assert_int_equal(run("help activity", out, sizeof out), 0);
    assert_non_null(strstr(out, "--chart"));
}

/* Of the hours days are left. */
static void test_days(void)
{
    char arguments[512];
    expect("dump --kind domainday", 0,
           "example.co.uk.\t1700006400\t1\t1700010000\t1700011860\tqueries=2,answered=1,noerror=1,a=2,query_bytes=80,ttl=300\t"
           "0100000000000000,0200000000000000\t0000000000000000:3:20,0000000000000001:3:20,0000000000000002:3:20\n");
    expect("dump --kind hostday | cut -f 1-4", 0, "a.example.net.\t1700006400\t5\t1700024400\n");
    snprintf(arguments, sizeof arguments, "activity --public-suffixes %s example.co.uk", list);
    expect(arguments, 0,
           "{\"name\":\"example.co.uk.\",\"kind\":\"domainday\",\"day\":1700006400,\"hours\":[1],\"first\":1700010000,\"last\":1700011860,"
           "\"counters\":{\"queries\":2,\"answered\":1,\"noerror\":1,\"a\":2,\"query_bytes\":80,\"ttl\":300},\"clients\":2,"
           "\"clients_exact\":true,\"names\":3,\"names_exact\":true}\n");
    snprintf(arguments, sizeof arguments, "activity --csv --public-suffixes %s example.co.uk | tail -1", list);
    expect(arguments, 0, "example.co.uk.,domainday,1700006400,1700010000,1700011860,2,1,0,1,0,0,0,0,0,0,2,0,0,0,0,0,0,"
                         "0,0,0,80,0,0,0,300,2,1,3,1,1\n");
    snprintf(arguments, sizeof arguments, "activity --chart --public-suffixes %s example.co.uk | tail -1", list);
    expect(arguments, 0, "2023-11-15   \u2588                                 2  by day\n");
    snprintf(arguments, sizeof arguments, "activity --public-suffixes %s --from 2023-11-16 example.co.uk", list);
    expect(arguments, 0, "");
    expect("clients --host a.example.net --json", 0,
           "{\"name\":\"a.example.net.\",\"kind\":\"host\",\"hours\":0,\"hours_with_full_sample\":0,\"days\":1,"
           "\"days_with_full_sample\":0,\"clients\":2,\"clients_exact\":true,\"queries_of_unknown_clients\":0,\"sample\":["
           "{\"client\":\"0100000000000000\",\"first\":1700006400,\"last\":1700092799,\"hours\":[],\"days\":[1700006400],\"asks\":[]},"
           "{\"client\":\"0200000000000000\",\"first\":1700006400,\"last\":1700092799,\"hours\":[],\"days\":[1700006400],\"asks\":[]}]}\n");
    expect("clients --host a.example.net --table | sed -n 2p", 0,
           "Of 1 day the hours are no longer kept: each counts below as an hour without ask times.\n");
    expect("fsck >/dev/null", 0, "");
}

/* The last one, since it changes the database. */
static void test_purge_and_expire(void **state)
{
    (void)state;
    expect("purge --yes www.example.com", 0, "entries_removed: 6\n");
    expect("dump --kind host | cut -f 1 | uniq", 0, "example.com.\nodd,name.example.com.\na.example.net.\n");
    expect("purge --yes --subtree example.com", 0, "entries_removed: 12\n");
    expect("dump --kind domain | cut -f 1", 0, "example.co.uk.\n");
    expect("fsck >/dev/null", 0, "");
    expect("expire --as-of 2023-12-20", 0, "tables_dropped: 0\ntables_of_days_made: 0\n"); /* by default 35 days after the slot */
    expect("expire --as-of 2023-12-21 --keep-activity 0", 0, "tables_dropped: 0\ntables_of_days_made: 0\n");
    expect("expire --as-of 2023-12-21", 0, "tables_dropped: 4\ntables_of_days_made: 2\n");
    expect("dump --kind domain", 0, "");
    test_days();
    expect("expire --as-of 2027-01-01 --json", 0, "{\"tables_dropped\":2,\"tables_of_days_made\":0}\n");
    expect("dump --kind domainday", 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours), cmocka_unit_test(test_lines), cmocka_unit_test(test_csv),
        cmocka_unit_test(test_chart), cmocka_unit_test(test_other_commands), cmocka_unit_test(test_purge_and_expire),
    };
    return cmocka_run_group_tests(tests, make_database, NULL);
}
