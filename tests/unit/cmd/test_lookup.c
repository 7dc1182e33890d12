/* A small database, and the real program on it: each form of look-up, compared by line.
 * Every record goes to two tables, so that what is printed is merged. */
#include "record/rr.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "scratch.h"

#define DATA(text) text, sizeof text - 1
#define NUMBERS "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
#define IP6(last) "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last

enum { DAY_1 = 1700006400, DAY_2 = DAY_1 + 86400, DAY_3 = DAY_2 + 86400 };

static const struct {
    const char *owner;
    uint16_t type; /* 0: about, of subtype */
    uint8_t about;
    uint16_t subtype;
    const char *rdata;
    size_t len;
    int64_t first, last; /* of the two tables */
    uint64_t count;      /* in each table */
} records[] = {
    { "example.com", TYPE_NS, 0, 0, DATA("\2ns\7example\3com\0"), DAY_1, DAY_3, 4 },
    { "example.com", TYPE_MX, 0, 0, DATA("\0\12\4mail\7example\3com\0"), DAY_1, DAY_2, 2 },
    { "example.com", 0, RR_NODATA, TYPE_AAAA, DATA(""), DAY_1, DAY_1, 1 },
    { "www.example.com", TYPE_A, 0, 0, DATA("\xc0\x00\x02\x01"), DAY_1, DAY_3, 50 },
    { "www.example.com", TYPE_A, 0, 0, DATA("\xc0\x00\x02\x02"), DAY_2, DAY_2, 5 },
    { "www.example.com", TYPE_AAAA, 0, 0, DATA(IP6("\1")), DAY_2, DAY_3, 7 },
    { "www.example.com", 0, RR_OUT_OF_BAILIWICK, TYPE_A, DATA("\xc0\x00\x02\x63"), DAY_1, DAY_1, 1 },
    { "ns.example.com", TYPE_A, 0, 0, DATA("\xc0\x00\x02\x35"), DAY_1, DAY_3, 8 },
    { "nx.example.com", 0, RR_NXDOMAIN, 0, DATA(""), DAY_2, DAY_2, 3 },
    { "a.b.example.com", TYPE_TXT, 0, 0, DATA("\4\"hi\\"), DAY_1, DAY_1, 1 },
    { "www.example.org", TYPE_CNAME, 0, 0, DATA("\3www\7example\3com\0"), DAY_3, DAY_3, 9 },
    { "example.net", TYPE_SOA, 0, 0, DATA("\2ns\7example\3net\0\4root\7example\3net\0" NUMBERS), DAY_1, DAY_2, 6 },
    { "w.example.net", TYPE_HTTPS, 0, 0, DATA("\0\0\3cdn\7example\3net\0"), DAY_1, DAY_1, 1 },
    { "h.example.net", TYPE_HTTPS, 0, 0, DATA("\0\1\0\0\4\0\10\xc0\x00\x02\x01\xc0\x00\x02\x09\0\6\0\20" IP6("\1")), DAY_1, DAY_1, 1 },
    { "odd\\032name.example", TYPE_A, 0, 0, DATA("\xc0\x00\x02"), DAY_1, DAY_1, 1 },
    { "odd\\032name.example", 65280, 0, 0, DATA("\xde\xad"), DAY_1, DAY_1, 1 },
};
enum { RECORDS = sizeof records / sizeof records[0], TURNS = 1 + RDATA_HINTS, KEYS_MAX = TURNS * RECORDS };
enum { TABLES = 2 * (KIND_NAME + 1) };

static const char *dir;

/* ---- the database ---- */

struct entry {
    uint8_t key[RR_INVERSE_MAX];
    size_t len;
    uint8_t value[RR_VALUE_MAX];
    size_t value_len;
};

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return slice_compare((struct slice){ x->key, x->len }, (struct slice){ y->key, y->len });
}

static size_t make_key(uint8_t kind, size_t i, unsigned turn, uint8_t *to)
{
    uint8_t wire[NAME_WIRE_MAX], owner[NAME_KEY_MAX];
    size_t n = name_from_text(records[i].owner, strlen(records[i].owner), wire);
    struct slice key = { owner, name_owner_key(wire, n, owner) };
    struct slice rdata = { (const uint8_t *)records[i].rdata, records[i].len };
    if (kind == KIND_NAME)
        return turn ? 0 : name_forward_key(wire, n, to);
    if (kind == KIND_RR && turn > 0)
        return 0;
    if (records[i].type == 0)
        return kind == KIND_RR ? rr_about_put(key, records[i].about, records[i].subtype, rdata, to) : 0;
    return kind == KIND_RR ? rr_key_put(key, records[i].type, rdata, to)
                           : rr_inverse_put(key, records[i].type, turn, rdata, to);
}

static size_t make_value(uint8_t kind, size_t i, int64_t at, uint8_t *to)
{
    struct rr_value v = { .first = (uint64_t)at, .last = (uint64_t)at, .count = records[i].count,
                          .flags = RR_ANSWER | RR_PAIRED };
    struct name_value name = { v.first, v.last, v.count };
    return kind == KIND_NAME ? name_value_put(&name, to) : rr_value_put(&v, to);
}

static void make_run(uint8_t kind, bool second, struct buffer *run)
{
    static struct entry entries[KEYS_MAX];
    size_t n = 0;
    for (size_t k = 0; k < KEYS_MAX; k++) {
        size_t i = k / TURNS;
        if (k % TURNS >= rr_turns(records[i].type))
            continue;
        entries[n].len = make_key(kind, i, k % TURNS, entries[n].key);
        entries[n].value_len = make_value(kind, i, second ? records[i].last : records[i].first, entries[n].value);
        n += entries[n].len != 0;
    }
    qsort(entries, n, sizeof entries[0], compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare(&entries[i - 1], &entries[i]) == 0)
            continue; /* names: one entry an owner is enough here */
        uint8_t head[4] = { entries[i].len & 255, (uint8_t)(entries[i].len >> 8), (uint8_t)entries[i].value_len, 0 };
        buffer_append(run, head, sizeof head);
        buffer_append(run, entries[i].key, entries[i].len);
        buffer_append(run, entries[i].value, entries[i].value_len);
    }
}

static void make_table(struct store *store, uint8_t kind, bool second, struct store_table *table)
{
    struct buffer bytes;
    struct fault why = { 0 };
    buffer_init(&bytes, 1 << 20);
    make_run(kind, second, &bytes);
    *table = (struct store_table){ .kind = kind, .tier = TIER_SLOT, .slot = second ? DAY_3 : DAY_1 };
    struct store_run run = { bytes.ptr, bytes.len };
    if (store_write_table(store, table, &run, 1, &why) != 0)
        fail_msg("%s", why.text);
    buffer_release(&bytes);
}

static int make_database(void **state)
{
    (void)state;
    struct store *store;
    struct fault why = { 0 };
    struct store_options options = { 0 };
    struct store_table tables[TABLES];
    dir = scratch_path("db");
    if (store_open(&store, dir, STORE_WRITE, &options, &why) != 0)
        fail_msg("%s", why.text);
    for (uint8_t i = 0; i < TABLES; i++)
        make_table(store, i / 2, i % 2, &tables[i]);
    struct store_change change = { .add = tables, .n_add = TABLES, .watermark = DAY_3 };
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

/* Only owner, type and data of the JSON lines, to keep the table below readable. */
static void shorten(const char *from, char *to)
{
    for (const char *line = from; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *end = strstr(line, ",\"time_first\"");
        if (strncmp(line, "{\"rrname\"", 9) != 0)
            end = strchr(line, '\n');
        memcpy(to, line, (size_t)(end - line));
        to += end - line;
        *to++ = '\n';
    }
    *to = '\0';
}

#define RR(name, type, data) "{\"rrname\":\"" name "\",\"rrtype\":\"" type "\",\"rdata\":[" data "]\n"
#define NS RR("example.com.", "NS", "\"ns.example.com.\"")
#define MX RR("example.com.", "MX", "\"10 mail.example.com.\"")
#define WWW_1 RR("www.example.com.", "A", "\"192.0.2.1\"")
#define WWW_2 RR("www.example.com.", "A", "\"192.0.2.2\"")
#define WWW_6 RR("www.example.com.", "AAAA", "\"2001:db8::1\"")
#define NS_A RR("ns.example.com.", "A", "\"192.0.2.53\"")
#define NX RR("nx.example.com.", "NXDOMAIN", "")
#define TXT RR("a.b.example.com.", "TXT", "\"\\\"\\\\\\\"hi\\\\\\\\\\\"\"")
#define ALIAS RR("www.example.org.", "CNAME", "\"www.example.com.\"")
#define ODD_A RR("odd\\\\032name.example.", "A", "\"\\\\# 3 C00002\"")
#define ODD_65280 RR("odd\\\\032name.example.", "TYPE65280", "\"\\\\# 2 DEAD\"")
#define SOA RR("example.net.", "SOA", "\"ns.example.net. root.example.net. 1 2 3 4 5\"")
#define HTTPS RR("w.example.net.", "HTTPS", "\"0 cdn.example.net.\"")
#define HINTS RR("h.example.net.", "HTTPS", "\"1 . ipv4hint=192.0.2.1,192.0.2.9 ipv6hint=2001:db8::1\"")
#define NODATA RR("example.com.", "NODATA", "\"AAAA\"")

static const struct {
    const char *arguments;
    int code;
    const char *out;
} lookups[] = {
    { "rrset www.example.com", 0, WWW_1 WWW_2 WWW_6 },
    { "rrset WWW.EXAMPLE.COM. A", 0, WWW_1 WWW_2 },
    { "rrset example.com", 0, NS MX },
    { "rrset example.com --negative", 0, NODATA NS MX },
    { "rrset nx.example.com", 0, "" },
    { "rrset nx.example.com NXDOMAIN", 0, NX },
    { "rrset '*.example.com'", 0, TXT NS_A WWW_1 WWW_2 WWW_6 },
    { "rrset '*.example.com' A --negative", 0, NS_A NX WWW_1 WWW_2 },
    { "rrset '*.b.example.com'", 0, TXT },
    { "rrset 'www.*'", 0, WWW_1 WWW_2 WWW_6 ALIAS },
    { "rrset 'www.*' CNAME", 0, ALIAS },
    { "rrset 'www.example.*' AAAA", 0, WWW_6 },
    { "rrset 'odd\\032name.example'", 0, ODD_A ODD_65280 },
    { "rrset absent.example", 0, "" },
    { "rrset www.example.com A --out-of-bailiwick", 0,
      RR("www.example.com.", "A", "\"192.0.2.99\"") WWW_1 WWW_2 },
    { "rdata 192.0.2.1", 0, HINTS WWW_1 },
    { "rdata 192.0.2.1 A", 0, WWW_1 },
    { "rdata 192.0.2.9 HTTPS", 0, HINTS },
    { "rdata 192.0.2.1 SVCB", 0, "" },
    { "rdata 192.0.2.1 MX", 2, "" },
    { "rdata 192.0.2.0/24", 0, HINTS WWW_1 WWW_2 NS_A }, /* once, though it has two of them */
    { "rdata 192.0.2.10-192.0.2.53", 0, NS_A },
    { "rdata 2001:db8::/32", 0, HINTS WWW_6 },
    { "rdata ns.example.com", 0, NS },
    { "rdata mail.example.com MX", 0, MX },
    { "rdata '*.example.com'", 0, NS ALIAS MX },
    { "rdata ns.example.net", 0, SOA },
    { "rdata root.example.net", 0, SOA },
    { "rdata '*.example.net'", 0, SOA HTTPS },
    { "rdata '*.net'", 0, SOA HTTPS },
    { "rdata cdn.example.net", 0, HTTPS },
    { "rdata raw:c0000201", 0, WWW_1 },
    { "rdata --raw dead TYPE65280", 0, ODD_65280 },
    /* fences: www A 2 was seen on the second day alone, AAAA from then to the third */
    { "rrset www.example.com --before 2023-11-15", 0, WWW_1 },
    { "rrset www.example.com --after 2023-11-17", 0, WWW_1 WWW_6 },
    { "rrset www.example.com --after 2023-11-16 --strict", 0, WWW_2 WWW_6 },
    { "rrset www.example.com --after 2023-11-16 --before 2023-11-16T12:00:00Z --strict", 0, WWW_2 },
    /* picks */
    { "rrset www.example.com --limit 2", 0, WWW_1 WWW_2 },
    { "rrset www.example.com --limit 1 --offset 1", 0, WWW_2 },
    { "rrset www.example.com --sort count", 0, WWW_2 WWW_6 WWW_1 },
    { "rrset www.example.com --sort count --reverse --limit 1", 0, WWW_1 },
    { "rrset www.example.com --sort count --limit 1 --offset 1", 0, WWW_6 },
    { "rdata 192.0.2.0/24 --sort name", 0, NS_A WWW_1 WWW_2 HINTS },
    { "rrset www.example.com A --sort first --reverse --limit 0", 0, WWW_2 WWW_1 },
    /* wrong usage */
    { "rrset", 2, "" },
    { "rrset a..b", 2, "" },
    { "rdata 192.0.2.0/40", 2, "" },
    { "rrset www.example.com --after noon", 2, "" },
    { "rrset www.example.com --no-such-option", 2, "" },
    { "rrset www.example.com --db no-such-database", 1, "" },
};

static void test_lookups(void **state)
{
    (void)state;
    static char out[65536], brief[65536];
    for (size_t i = 0; i < sizeof lookups / sizeof lookups[0]; i++) {
        char arguments[512];
        snprintf(arguments, sizeof arguments, "lookup %s", lookups[i].arguments);
        int code = run(arguments, out, sizeof out);
        shorten(out, brief);
        if (code != lookups[i].code || strcmp(brief, lookups[i].out) != 0)
            fail_msg("%s: exit %d\n%s\nnot\n%s", arguments, code, brief, lookups[i].out);
    }
}

static void expect(const char *arguments, int want_code, const char *want)
{
    static char out[65536];
    int code = run(arguments, out, sizeof out);
    if (code != want_code || strcmp(out, want) != 0)
        fail_msg("%s: exit %d\n%s\nnot\n%s", arguments, code, out, want);
}

/* Both tables' values in one line. */
static void test_whole_lines(void **state)
{
    (void)state;
    expect("lookup rrset ns.example.com", 0,
           "{\"rrname\":\"ns.example.com.\",\"rrtype\":\"A\",\"rdata\":[\"192.0.2.53\"],"
           "\"time_first\":1700006400,\"time_last\":1700179200,\"count\":16}\n");
    expect("lookup --table rrset nx.example.com NXDOMAIN", 0,
           "first seen (UTC)     last seen                 count  name                              type      data\n"
           "2023-11-16 00:00:00  2023-11-16 00:00:00           6  nx.example.com.                   NXDOMAIN  \n");
    expect("dump --kind name | head -2", 0, "a.b.example.com.\thost\t1700006400\t1700006400\t2\n"
                                            "example.com.\thost\t1700006400\t1700179200\t8\n");
    expect("dump | grep ^nx", 0,
           "nx.example.com.\tNXDOMAIN\t\t1700092800\t1700092800\t6\t0\t0\t0\t9\t-\t0\n");
}

static void test_batch(void **state)
{
    (void)state;
    static const char both[] = "lookup --batch - --json <<'END'\n"
                               "rrset nx.example.com NXDOMAIN\n\n# a comment\nrdata nothing.example\nrdata 1/2\nEND";
    static const char line[] = "{\"rrname\":\"nx.example.com.\",\"rrtype\":\"NXDOMAIN\",\"rdata\":[],"
                               "\"time_first\":1700092800,\"time_last\":1700092800,\"count\":6}\n";
    char want[1024];
    snprintf(want, sizeof want,
             "%s{\"query\":\"rrset nx.example.com NXDOMAIN\",\"results\":1}\n"
             "{\"query\":\"rdata nothing.example\",\"results\":0}\n"
             "{\"query\":\"rdata 1/2\",\"results\":0,\"error\":\"'1/2' is not an address or a network\"}\n", line);
    expect(both, 2, want);
    snprintf(want, sizeof want, "%s--\n--\n", line);
    expect("lookup --batch - <<'END'\nrrset nx.example.com nxdomain\nrrset absent.example\nEND", 0, want);
}

static void test_program(void **state)
{
    (void)state;
    static char out[65536];
    assert_int_equal(run("--help", out, sizeof out), 0);
    assert_non_null(strstr(out, "lookup"));
    assert_int_equal(run("--version", out, sizeof out), 0);
    assert_int_equal(run("help lookup", out, sizeof out), 0);
    assert_non_null(strstr(out, "--out-of-bailiwick"));
    assert_int_equal(run("lokup", out, sizeof out), 2);
    assert_int_equal(run("", out, sizeof out), 2);
    assert_int_equal(run("stat", out, sizeof out), 0);
    assert_int_equal(run("stat --json", out, sizeof out), 0);
    assert_int_equal(run("fsck", out, sizeof out), 0);
    assert_int_equal(run("purge example.com </dev/null", out, sizeof out), 2);
}

/* The last test, since it changes the database: no inverse key of what is gone stays. */
static void test_purge(void **state)
{
    (void)state;
    static char out[65536];
    assert_int_equal(run("purge --yes example.net", out, sizeof out), 0);
    expect("lookup rdata ns.example.net", 0, "");
    expect("lookup rdata root.example.net", 0, "");
    expect("dump --kind inverse | grep -c SOA", 1, "0\n");
    assert_int_equal(run("fsck", out, sizeof out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups), cmocka_unit_test(test_whole_lines), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_program), cmocka_unit_test(test_purge),
    };
    return cmocka_run_group_tests(tests, make_database, NULL);
}
