#include "protect/feed/cover.h"
#include "protect/feed/serial.h"
#include "protect/feed/set.h"

#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <jansson.h>
#include <sys/stat.h>

#define LABEL_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
/* 4 * 61 + 6 + 1 = 251 bytes in wire form: with "*" and the zone's name it is too long. */
#define LONG LABEL_60 "." LABEL_60 "." LABEL_60 "." LABEL_60 ".tests"

static struct feed_about about = { .publisher = "DNSMon at \"home\"", .zone = "rpz.test", .serial = 7, .ttl_s = 30, .link = "" };

static int collect(void *to, const void *ptr, size_t len, struct fault *why)
{
    (void)why;
    buffer_append(to, ptr, len);
    return 0;
}

struct one {
    const char *name;
    enum trigger trigger;
    enum feed_action action;
    const char *garden, *campaign, *family;
};

static struct publication publication_of(const struct one *one)
{
    return (struct publication){
        .name = one->name, .trigger = one->trigger, .stage = STAGE_PUBLISHED, .since = 1700000000, .approved_by = "dnsmon",
        .reason = "asked for \"every\" minute;\nreally: \xc3\xbc", .level = VERDICT_MALICIOUS, .score = 0.987, .categories = "[\"malware\",\"odd \\\"word\\\"\"]",
        .family = one->family ? one->family : "", .first_seen = 1690000000, .valid_until = 1710000000,
    };
}

static int put(struct feed *f, const struct one *one, struct fault *why)
{
    const struct publication p = publication_of(one);
    const struct feed_item item = {
        .p = &p, .action = one->action, .garden = one->garden ? one->garden : "", .campaign = one->campaign ? one->campaign : "",
        .evidence = "",
    };
    return feed_item(f, &item, why);
}

static void put_all(struct feed *f, const struct one *ones, size_t count)
{
    struct fault why;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(put(f, &ones[i], &why), 0);
}

/* Text with a NUL, of a stream. */
static struct feed_result stream(struct buffer *to, const char *format, const struct one *ones, size_t count)
{
    struct feed *f;
    struct feed_result result;
    struct fault why;
    buffer_init(to, 1 << 26);
    assert_int_equal(feed_open_stream(&f, feed_format_of(format), &about, collect, to, NULL, &why), 0);
    put_all(f, ones, count);
    assert_int_equal(feed_commit(&f, &result, &why), 0);
    assert_null(f);
    buffer_u8(to, '\0');
    return result;
}

/* ---- what a line says ---- */

static const struct {
    const char *format;
    struct one one;
    const char *lines; /* NULL: it is left out */
} rows[] = {
    { "rpz", { "bad.example", TRIGGER_HOST }, "bad.example CNAME .\n" },
    { "rpz", { "bad.example", TRIGGER_DOMAIN }, "bad.example CNAME .\n*.bad.example CNAME .\n" },
    { "rpz", { "BAD.example", TRIGGER_HOST, FEED_NODATA }, "bad.example CNAME *.\n" },
    { "rpz", { "bad.example", TRIGGER_HOST, FEED_PASSTHRU }, "bad.example CNAME rpz-passthru.\n" },
    { "rpz", { "bad.example", TRIGGER_HOST, FEED_DROP }, "bad.example CNAME rpz-drop.\n" },
    { "rpz", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "walled.test" }, "bad.example CNAME walled.test.\n" },
    { "rpz", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "192.0.2.1 2001:db8::1" }, "bad.example A 192.0.2.1\nbad.example AAAA 2001:db8::1\n" },
    { "rpz", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "" }, "bad.example CNAME .\n" },
    { "rpz", { "192.0.2.1", TRIGGER_ADDRESS }, "32.1.2.0.192.rpz-ip CNAME .\n" },
    { "rpz", { "192.0.2.77/24", TRIGGER_ADDRESS }, "24.0.2.0.192.rpz-ip CNAME .\n" },
    { "rpz", { "2001:db8::/48", TRIGGER_ADDRESS }, "48.zz.db8.2001.rpz-ip CNAME .\n" },
    { "rpz", { "2001:db8::1", TRIGGER_ADDRESS }, "128.1.zz.db8.2001.rpz-ip CNAME .\n" },
    { "rpz", { "2001:db8:0:1:0:0:0:1", TRIGGER_ADDRESS }, "128.1.zz.1.0.db8.2001.rpz-ip CNAME .\n" },
    { "rpz", { "2001:db8:1:2:3:4:5:6", TRIGGER_ADDRESS }, "128.6.5.4.3.2.1.db8.2001.rpz-ip CNAME .\n" },
    { "rpz", { "::", TRIGGER_ADDRESS }, "128.zz.rpz-ip CNAME .\n" },
    { "rpz", { "192.0.2.1/33", TRIGGER_ADDRESS }, NULL },
    { "rpz", { "192.0.2.1/", TRIGGER_ADDRESS }, NULL },
    { "rpz", { "192.0.2.1/8x", TRIGGER_ADDRESS }, NULL },
    { "rpz", { "nowhere", TRIGGER_ADDRESS }, NULL },
    { "rpz", { "ns.bad.example", TRIGGER_NAMESERVER }, "ns.bad.example.rpz-nsdname CNAME .\n*.ns.bad.example.rpz-nsdname CNAME .\n" },
    { "rpz", { "a\\;b\\\"\\032\\$.example", TRIGGER_HOST }, "a\\059b\\034\\032\\036.example CNAME .\n" },
    { "rpz", { "#a/b*.example", TRIGGER_HOST }, "\\035a\\047b\\042.example CNAME .\n" },
    { "rpz", { "a\\010b.example", TRIGGER_HOST }, "a\\010b.example CNAME .\n" },
    { "rpz", { "*.example", TRIGGER_HOST }, NULL },                /* would be all beside it */
    { "rpz", { "32.1.2.0.192.rpz-ip", TRIGGER_HOST }, NULL },      /* would be an address */
    { "rpz", { "com.rpz-nsdname", TRIGGER_DOMAIN }, NULL },
    { "rpz", { "rpz-client-ip", TRIGGER_HOST }, NULL },
    { "rpz", { "", TRIGGER_HOST }, NULL },
    { "rpz", { ".", TRIGGER_DOMAIN }, NULL },                      /* would be everything */
    { "rpz", { "a..example", TRIGGER_HOST }, NULL },
    { "rpz", { LONG, TRIGGER_HOST }, NULL },
    { "hosts", { LONG, TRIGGER_HOST }, "0.0.0.0 " LONG "\n:: " LONG "\n" },
    { "hosts", { "bad.example", TRIGGER_DOMAIN }, "0.0.0.0 bad.example\n:: bad.example\n" },
    { "hosts", { "xn--bcher-kva.example", TRIGGER_HOST }, "0.0.0.0 xn--bcher-kva.example\n:: xn--bcher-kva.example\n" },
    { "hosts", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "192.0.2.1" }, "192.0.2.1 bad.example\n" },
    { "hosts", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "walled.test" }, "0.0.0.0 bad.example\n:: bad.example\n" },
    { "hosts", { "bad.example", TRIGGER_HOST, FEED_PASSTHRU }, NULL },
    { "hosts", { "a\\032b.example", TRIGGER_HOST }, NULL },
    { "hosts", { "b\xc3\xbc.example", TRIGGER_HOST }, NULL },
    { "hosts", { "a#b.example", TRIGGER_HOST }, NULL },
    { "hosts", { "192.0.2.1", TRIGGER_ADDRESS }, NULL },
    { "adblock", { "bad.example", TRIGGER_DOMAIN }, "||bad.example^\n" },
    { "adblock", { "bad.example", TRIGGER_HOST }, "|bad.example^\n" },
    { "adblock", { "a|b.example", TRIGGER_HOST }, NULL },
    { "dnsmasq", { "bad.example", TRIGGER_DOMAIN }, "address=/bad.example/\n" },
    { "dnsmasq", { "bad.example", TRIGGER_DOMAIN, FEED_GARDEN, "192.0.2.1 ::1" }, "address=/bad.example/192.0.2.1\naddress=/bad.example/::1\n" },
    { "dnsmasq", { "bad.example", TRIGGER_DOMAIN, FEED_GARDEN, "walled.test" }, "address=/bad.example/\n" },
    { "dnsmasq", { "bad.example", TRIGGER_HOST }, "host-record=bad.example,0.0.0.0,::\n" },
    { "dnsmasq", { "a/b.example", TRIGGER_DOMAIN }, NULL },
    { "unbound", { "bad.example", TRIGGER_DOMAIN }, "local-zone: \"bad.example.\" always_nxdomain\n" },
    { "unbound", { "bad.example", TRIGGER_DOMAIN, FEED_NODATA }, "local-zone: \"bad.example.\" always_nodata\n" },
    { "unbound", { "bad.example", TRIGGER_HOST }, "local-data: 'bad.example. TXT \"blocked: malicious\"'\n" },
    { "unbound", { "a\\\"b.example", TRIGGER_DOMAIN }, NULL },
    { "suricata", { "bad.example", TRIGGER_DOMAIN },
      "alert dns any any -> any any (msg:\"DNSMon malicious bad.example\"; dns.query; dotprefix; content:\".bad.example\"; nocase; endswith; "
      "metadata:dnsmon_level malicious, dnsmon_score 0.987, dnsmon_category malware_odd__word_; sid:3294798237; rev:1;)\n" },
    { "suricata", { "a\\;b.example", TRIGGER_DOMAIN }, NULL },
    { "zeek", { "bad.example", TRIGGER_DOMAIN },
      "bad.example\tIntel::DOMAIN\tDNSMon\tmalicious malware odd \"word\": asked for \"every\" minute;?really: ?\t-\n" },
    { "zeek", { "2001:db8::/32", TRIGGER_ADDRESS },
      "2001:db8::/32\tIntel::SUBNET\tDNSMon\tmalicious malware odd \"word\": asked for \"every\" minute;?really: ?\t-\n" },
    { "policy", { "bad.example", TRIGGER_DOMAIN }, "*.bad.example\n" },
    { "policy", { "bad.example", TRIGGER_HOST, FEED_GARDEN, "192.0.2.1 ::1" }, "bad.example\n@192.0.2.1\n@::1\n" },
    { "policy", { "#a.example", TRIGGER_HOST }, "\\035a.example\n" },
    { "policy", { "a\\010b.example", TRIGGER_HOST }, "a\\010b.example\n" },
};

static size_t count_of(const struct feed_counts *c)
{
    size_t left = 0;
    for (int i = 0; i < FEED_LEFTS; i++)
        left += c->left[i];
    return left;
}

/* In an otherwise empty feed. */
static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer none, some;
        stream(&none, rows[i].format, NULL, 0);
        const struct feed_result result = stream(&some, rows[i].format, &rows[i].one, 1);
        const char *foot = rows[i].lines ? strstr((char *)some.ptr, "items: 1") : strstr((char *)some.ptr, "items: 0, 1 ");
        if (foot == NULL || (rows[i].lines != NULL && strstr((char *)some.ptr, rows[i].lines) == NULL))
            fail_msg("row %zu: %s", i, some.ptr);
        size_t lines = rows[i].lines != NULL ? strlen(rows[i].lines) : 0;
        size_t body = (size_t)(foot - (char *)some.ptr);
        size_t empty = (size_t)(strstr((char *)none.ptr, "items: 0") - (char *)none.ptr);
        assert_int_equal(body, empty + lines); /* nothing else is there */
        assert_int_equal(result.counts.items, rows[i].lines != NULL);
        assert_int_equal(count_of(&result.counts), rows[i].lines == NULL);
        buffer_release(&none);
        buffer_release(&some);
    }
}

/* ---- feeds as a whole ---- */

static const struct one several[] = {
    { "192.0.2.1", TRIGGER_ADDRESS },
    { "2001:db8::/32", TRIGGER_ADDRESS },
    { "a\\010\\\"b.example", TRIGGER_HOST },
    { "bad.example", TRIGGER_DOMAIN, FEED_NXDOMAIN, NULL, "c-1", "emotet \"x\"" },
    { "bad.example", TRIGGER_HOST, FEED_NODATA },
    { "bad.example", TRIGGER_NAMESERVER },
    { "no name", TRIGGER_HOST },
    { "under_score.example", TRIGGER_DOMAIN, FEED_NXDOMAIN, NULL, "c-1", "emotet \"x\"" },
    { "www.bad.example", TRIGGER_HOST, FEED_GARDEN, "walled.test", "c-2" },
    { "z.example", TRIGGER_HOST },
};
enum { SEVERAL = sizeof several / sizeof several[0] };

/* What lies below a domain that is blocked is left out by those who block, where they know wildcards. */
static void test_cover(void **state)
{
    (void)state;
    static const struct one ones[] = {
        { "bad.example", TRIGGER_DOMAIN }, { "BAD.example", TRIGGER_HOST, FEED_NODATA }, { "bad.example", TRIGGER_NAMESERVER },
        { "deep.inner.bad.example", TRIGGER_DOMAIN }, { "inner.bad.example", TRIGGER_HOST, FEED_PASSTHRU },
        { "notbad.example", TRIGGER_HOST }, { "ns.bad.example", TRIGGER_NAMESERVER }, { "shadow.example", TRIGGER_DOMAIN, FEED_PASSTHRU },
        { "www.shadow.example", TRIGGER_HOST },
    };
    static const struct {
        const char *format;
        uint64_t items, covered;
    } wanted[] = { { "rpz", 5, 4 }, { "adblock", 3, 2 }, { "hosts", 4, 1 }, { "suricata", 7, 0 }, { "stix", 9, 0 } };
    struct feed_cover cover = { .names = { .count = 0 } };
    struct fault why;
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        const struct publication p = publication_of(&ones[i]);
        assert_int_equal(feed_cover_add(&cover, &p, ones[i].action, &why), 0);
    }
    assert_int_equal(cover.names.count, 4);
    about.cover = &cover;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct buffer b;
        const struct feed_result result = stream(&b, wanted[i].format, ones, sizeof ones / sizeof ones[0]);
        assert_int_equal(result.counts.items, wanted[i].items);
        assert_int_equal(result.counts.left[FEED_LEFT_COVERED], wanted[i].covered);
        buffer_release(&b);
    }
    about.cover = NULL;
    feed_cover_release(&cover);
}

/* Without and with a host that is listed at the name; what lies between is said once; a host that is allowed has its own wildcard. */
static void test_exceptions(void **state)
{
    (void)state;
    static const struct one listed[] = { { "bad.example", TRIGGER_DOMAIN, FEED_NODATA }, { "evil.www.bad.example", TRIGGER_DOMAIN },
                                         { "shop.bad.example", TRIGGER_HOST }, { "www.bad.example", TRIGGER_HOST } };
    static const struct one allowed[] = { { "www.bad.example", TRIGGER_DOMAIN, FEED_PASSTHRU }, { "a.b.c.bad.example", TRIGGER_DOMAIN, FEED_PASSTHRU },
                                          { "d.b.c.bad.example", TRIGGER_HOST, FEED_PASSTHRU }, { "c.bad.example", TRIGGER_HOST, FEED_PASSTHRU } };
    static const struct {
        const char *format, *lines; /* behind what is listed */
        uint64_t items, left;
    } wanted[] = {
        { "rpz", "*.www.bad.example CNAME rpz-passthru.\n"
                 "a.b.c.bad.example CNAME rpz-passthru.\n*.a.b.c.bad.example CNAME rpz-passthru.\nb.c.bad.example CNAME *.\n*.b.c.bad.example CNAME *.\n"
                 "d.b.c.bad.example CNAME rpz-passthru.\n*.d.b.c.bad.example CNAME *.\n"
                 "c.bad.example CNAME rpz-passthru.\n*.c.bad.example CNAME *.\n;", 7, 0 },
        { "adblock", "||evil.www.bad.example^$important\n|www.bad.example^$important\n@@||www.bad.example^\n@@||a.b.c.bad.example^\n"
                     "@@|d.b.c.bad.example^\n@@|c.bad.example^\n!", 7, 0 },
        { "unbound", "local-zone: \"www.bad.example.\" transparent\nlocal-zone: \"a.b.c.bad.example.\" transparent\n#", 5, 2 },
        { "dnsmasq", "server=/www.bad.example/#\nserver=/a.b.c.bad.example/#\n#", 5, 2 },
        { "policy", "www.bad.example\n#", 3, 4 },
        { "suricata", "\n#", 4, 4 },
        { "hosts", ":: www.bad.example\n#", 4, 0 },
    };
    struct feed_cover cover = { .names = { .count = 0 } };
    struct fault why;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        const struct publication p = publication_of(&listed[i]);
        assert_int_equal(feed_cover_add(&cover, &p, listed[i].action, &why), 0);
    }
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        assert_int_equal(feed_cover_except(&cover, allowed[i].trigger, allowed[i].name, &why), 0);
    about.cover = &cover;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct buffer b;
        struct feed *f;
        struct feed_result result;
        buffer_init(&b, 1 << 20);
        assert_int_equal(feed_open_stream(&f, feed_format_of(wanted[i].format), &about, collect, &b, NULL, &why), 0);
        put_all(f, listed, sizeof listed / sizeof listed[0]);
        for (size_t a = 0; a < sizeof allowed / sizeof allowed[0]; a++) {
            const struct publication p = publication_of(&allowed[a]);
            const struct feed_above above = { .domain = "bad.example", .action = FEED_NODATA, .garden = "", .host_listed = a == 0 };
            const struct feed_item item = { .p = &p, .action = FEED_PASSTHRU, .garden = "", .campaign = "", .evidence = "", .above = &above };
            assert_int_equal(feed_item(f, &item, &why), 0);
        }
        assert_int_equal(feed_commit(&f, &result, &why), 0);
        buffer_u8(&b, '\0');
        if (strstr((char *)b.ptr, wanted[i].lines) == NULL)
            fail_msg("%s: %s", wanted[i].format, b.ptr);
        assert_int_equal(result.counts.items, wanted[i].items);
        assert_int_equal(result.counts.left[FEED_LEFT_EXCEPTION], wanted[i].left);
        buffer_release(&b);
    }
    about.cover = NULL;
    feed_cover_release(&cover);
}

/* It stays with what is said, and rises with anything else, whatever the version is, also where it wraps. */
static void test_serial(void **state)
{
    (void)state;
    static const struct {
        char what;
        uint32_t version, serial;
    } steps[] = { { 'a', 100, 100 }, { 'a', 200, 100 }, { 'b', 300, 300 }, { 'a', 300, 301 }, { 'a', 250, 301 }, { 'c', 250, 302 },
                  { 'd', 2000000000, 2000000000 }, { 'e', 4000000000, 4000000000 }, { 'f', UINT32_MAX, UINT32_MAX }, { 'g', UINT32_MAX, 0 }, { 'h', 7, 7 } };
    const char *folder = scratch_folder();
    struct fault why;
    uint32_t serial;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char digest[DIGEST_TEXT] = { 0 };
        memset(digest, steps[i].what, DIGEST_TEXT - 1);
        assert_int_equal(feed_serial(folder, digest, steps[i].version, &serial, &why), 0);
        assert_int_equal(serial, steps[i].serial);
    }
    scratch_file(".serial", "of another hand\n", strlen("of another hand\n"));
    assert_int_equal(feed_serial(folder, "0123456789abcdef0123456789abcdef", 5, &serial, &why), 0);
    assert_int_equal(serial, 5);
}

/* All that were added are found, and no others. */
static void test_cover_of_many(void **state)
{
    (void)state;
    struct feed_cover cover = { .names = { .count = 0 } };
    struct fault why;
    enum { MANY = 3000 };
    for (int i = 0; i < 2 * MANY; i++) {
        char name[32];
        uint8_t wire[NAME_WIRE_MAX];
        snprintf(name, sizeof name, "n%d.example", i % MANY);
        const struct publication p = publication_of(&(struct one){ name, TRIGGER_DOMAIN });
        assert_int_equal(feed_cover_add(&cover, &p, FEED_NXDOMAIN, &why), 0);
        size_t len = name_from_text(name, strlen(name), wire);
        assert_true(feed_cover_has(&cover, TRIGGER_HOST, wire, len));
        assert_false(feed_cover_has_above(&cover, TRIGGER_HOST, wire, len));
        assert_false(feed_cover_has(&cover, TRIGGER_NAMESERVER, wire, len));
    }
    assert_int_equal(cover.names.count, MANY);
    feed_cover_release(&cover);
}

static void test_stream_needs_a_stream(void **state)
{
    (void)state;
    struct feed *f = NULL;
    struct fault why;
    assert_int_equal(feed_open_stream(&f, feed_format_of("cdb"), &about, collect, NULL, NULL, &why), E_UNSUPPORTED);
    assert_int_equal(feed_open_stream(&f, feed_format_of("misp"), &about, collect, NULL, NULL, &why), E_UNSUPPORTED);
    assert_null(feed_format_of("xml"));
}

static const char *object_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* It parses, ids are of version 5 and there once, and what is referred to is there. */
static void test_stix(void **state)
{
    (void)state;
    struct buffer b;
    json_error_t error;
    stream(&b, "stix", several, SEVERAL);
    json_t *bundle = json_loads((char *)b.ptr, JSON_REJECT_DUPLICATES, &error), *ids = json_object(), *object;
    size_t i;
    if (bundle == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    json_t *objects = json_object_get(bundle, "objects");
    json_array_foreach(objects, i, object) {
        const char *id = object_text(object, "id");
        assert_int_equal(strncmp(id, object_text(object, "type"), strlen(object_text(object, "type"))), 0);
        assert_int_equal(id[strlen(id) - 22], '5');
        if (json_object_get(ids, id) != NULL)
            fail_msg("twice: %s", id);
        json_object_set(ids, id, object);
    }
    json_array_foreach(objects, i, object) {
        if (strcmp(object_text(object, "type"), "relationship") == 0) {
            assert_non_null(json_object_get(ids, object_text(object, "source_ref")));
            assert_non_null(json_object_get(ids, object_text(object, "target_ref")));
        }
    }
    assert_non_null(strstr((char *)b.ptr, "[domain-name:value = 'bad.example' OR domain-name:value LIKE '%.bad.example']"));
    assert_non_null(strstr((char *)b.ptr, "MATCHES '\\\\\\\\.under_score\\\\\\\\.example$']"));
    assert_non_null(strstr((char *)b.ptr, "[ipv6-addr:value ISSUBSET '2001:db8::/32']"));
    /* uuid5 of the specification's name space, by python */
    assert_non_null(strstr((char *)b.ptr, "domain-name--3feb0435-4cfe-526c-ad29-7497916a7c8c"));
    json_decref(ids);
    json_decref(bundle);
    buffer_release(&b);
}

/* The number of a rule is that of its name: others come and go without it. Every rule has another. */
static void test_sids(void **state)
{
    (void)state;
    struct buffer all, one;
    enum { MANY = 3000 };
    static char names[MANY][32];
    static struct one many[MANY];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "n%zu.example", i);
        many[i] = (struct one){ names[i], TRIGGER_DOMAIN };
    }
    stream(&all, "suricata", many, MANY);
    stream(&one, "suricata", &many[MANY / 2], 1);
    const char *rule = strstr((char *)one.ptr, "\nalert") + 1;
    char line[512];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(rule, "\n"), rule);
    assert_non_null(strstr((char *)all.ptr, line));
    static uint32_t sids[MANY];
    size_t count = 0;
    for (const char *at = (char *)all.ptr; (at = strstr(at, " sid:")) != NULL; at++)
        sids[count++] = (uint32_t)strtoul(at + 5, NULL, 10);
    assert_int_equal(count, MANY);
    for (size_t i = 0; i < MANY; i++)
        for (size_t j = i + 1; j < MANY && j < i + 300; j++) /* a sample: twins are rare anyway */
            assert_int_not_equal(sids[i], sids[j]);
    buffer_release(&all);
    buffer_release(&one);
}

/* The longest texts that the knowledge keeps, of bytes that every format writes at length. */
static void test_large_texts(void **state)
{
    (void)state;
    char *text = malloc(KNOWLEDGE_TEXT_MAX), *list = malloc(KNOWLEDGE_TEXT_MAX);
    assert_true(text != NULL && list != NULL);
    memset(text, 1, KNOWLEDGE_TEXT_MAX - 1);
    memset(list, 'c', KNOWLEDGE_TEXT_MAX - 1);
    memcpy(list, "[\"", 2);
    memcpy(list + KNOWLEDGE_TEXT_MAX - 3, "\"]", 3);
    text[KNOWLEDGE_TEXT_MAX - 1] = '\0';
    const struct one one = { "bad.example", TRIGGER_DOMAIN, FEED_NXDOMAIN, NULL, text, text };
    struct publication p = publication_of(&one);
    p.reason = text;
    p.categories = list;
    for (size_t i = 0; feed_formats[i] != NULL; i++) {
        const struct feed_item item = { .p = &p, .garden = "", .campaign = text, .evidence = text };
        struct feed *f;
        struct feed_result result;
        struct fault why;
        assert_int_equal(feed_open(&f, feed_formats[i], &about, scratch_path(feed_formats[i]->file), NULL, &why), 0);
        assert_int_equal(feed_item(f, &item, &why), 0);
        assert_int_equal(feed_item(f, &item, &why), 0);
        assert_int_equal(feed_commit(&f, &result, &why), 0);
        assert_int_equal(result.counts.items, 2);
    }
    free(text);
    free(list);
}

/* ---- files ---- */

static struct feed_result write_feed(const struct feed_format *format, const char *path, size_t count)
{
    struct feed *f;
    struct feed_result result;
    struct fault why = { 0 };
    if (feed_open(&f, format, &about, path, NULL, &why) != 0)
        fail_msg("%s", why.text);
    put_all(f, several, count);
    if (feed_commit(&f, &result, &why) != 0)
        fail_msg("%s", why.text);
    return result;
}

static struct timespec changed(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mtim;
}

static size_t entries(const char *path)
{
    char command[256];
    snprintf(command, sizeof command, "ls -A %s | wc -l", path);
    FILE *f = popen(command, "r");
    int count = -1;
    assert_int_equal(fscanf(f, "%d", &count), 1);
    pclose(f);
    return (size_t)count;
}

/* Each format: written, left alone when it is the same, another when that is so; and with nothing in it. */
static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; feed_formats[i] != NULL; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s", scratch_path(feed_formats[i]->file));
        assert_true(write_feed(feed_formats[i], path, SEVERAL).changed);
        const struct timespec then = changed(path);
        usleep(20000);
        const struct feed_result again = write_feed(feed_formats[i], path, SEVERAL);
        assert_false(again.changed);
        assert_int_equal(count_of(&again.counts) + again.counts.items, SEVERAL);
        if (feed_formats[i]->place != FEED_FOLDER) {
            assert_int_equal(changed(path).tv_sec, then.tv_sec);
            assert_int_equal(changed(path).tv_nsec, then.tv_nsec);
        }
        assert_true(write_feed(feed_formats[i], path, 0).changed);
        if (feed_formats[i]->place != FEED_FOLDER)
            assert_true(changed(path).tv_sec > then.tv_sec); /* within the same second as well */
        assert_false(write_feed(feed_formats[i], path, 0).changed);
    }
    /* a file and its digest each, and of misp a folder */
    size_t formats = 0;
    while (feed_formats[formats] != NULL)
        formats++;
    assert_int_equal(entries(scratch_folder()), 2 * formats - 1);
}

static void test_misp(void **state)
{
    (void)state;
    char path[200], file[300];
    snprintf(path, sizeof path, "%s", scratch_path("folder"));
    write_feed(feed_format_of("misp"), path, SEVERAL);
    assert_int_equal(entries(path), 3 + 2 + 2); /* two campaigns, a day; two files more, with their digests */
    snprintf(file, sizeof file, "%s/manifest.json", path);
    json_t *manifest = json_load_file(file, JSON_REJECT_DUPLICATES, NULL), *about_event;
    const char *uuid;
    assert_int_equal(json_object_size(manifest), 3);
    json_object_foreach(manifest, uuid, about_event) {
        snprintf(file, sizeof file, "%s/%s.json", path, uuid);
        json_t *document = json_load_file(file, JSON_REJECT_DUPLICATES, NULL), *event = json_object_get(document, "Event");
        assert_string_equal(object_text(event, "uuid"), uuid);
        assert_string_equal(object_text(event, "info"), object_text(about_event, "info"));
        assert_true(json_array_size(json_object_get(event, "Attribute")) > 0);
        json_decref(document);
    }
    json_decref(manifest);
    write_feed(feed_format_of("misp"), path, 4); /* one campaign, and a day */
    assert_int_equal(entries(path), 2 + 2 + 2);
    write_feed(feed_format_of("misp"), path, 0);
    assert_int_equal(entries(path), 2 + 2);
}

/* One that is given up, or fails, leaves what was. */
static void test_abandon(void **state)
{
    (void)state;
    struct fault why;
    for (size_t i = 0; feed_formats[i] != NULL; i++) {
        char path[200];
        struct feed *f;
        snprintf(path, sizeof path, "%s", scratch_path(feed_formats[i]->file));
        write_feed(feed_formats[i], path, SEVERAL);
        assert_int_equal(feed_open(&f, feed_formats[i], &about, path, NULL, &why), 0);
        put_all(f, several, 2);
        feed_abandon(&f);
        assert_null(f);
        feed_abandon(&f);
        assert_false(write_feed(feed_formats[i], path, SEVERAL).changed);
        assert_int_not_equal(feed_open(&f, feed_formats[i], &about, "/nowhere/at/all", NULL, &why), 0);
    }
}

/* A folder of all of them; one that cannot be written holds up none; two writers do not meet. */
static void test_set(void **state)
{
    (void)state;
    char folder[200], path[300], command[400];
    struct feed_set *set, *other = NULL;
    struct feed_result results[FEED_SET_MAX];
    struct fault why;
    snprintf(folder, sizeof folder, "%s", scratch_path("set"));
    snprintf(path, sizeof path, "%s/hosts.txt.tmp", folder);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(feed_set_open(&set, folder, feed_formats, &about, NULL, &why), 0);
        assert_int_equal(feed_set_open(&other, folder, feed_formats, &about, NULL, &why), E_LOCKED);
        for (size_t i = 0; i < SEVERAL; i++) {
            const struct publication p = publication_of(&several[i]);
            const struct feed_item item = { .p = &p, .action = several[i].action, .garden = "walled.test", .campaign = "", .evidence = "" };
            feed_set_item(set, &item);
        }
        assert_int_equal(feed_set_commit(&set, results, &why), round < 2 ? 0 : E_IO);
        assert_null(set);
        for (size_t i = 0; feed_formats[i] != NULL; i++) {
            assert_int_equal(results[i].changed, round == 0);
            assert_int_equal(results[i].counts.items != 0, round < 2 || strcmp(feed_formats[i]->name, "hosts") != 0);
        }
        if (round == 1) { /* nobody can write there, not even root */
            snprintf(command, sizeof command, "mkdir %s", path);
            assert_int_equal(system(command), 0);
        }
    }
    assert_int_equal(feed_set_open(&set, "/nowhere/at/all", feed_formats, &about, NULL, &why), E_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_cover), cmocka_unit_test(test_exceptions), cmocka_unit_test(test_cover_of_many),
        cmocka_unit_test(test_stream_needs_a_stream), cmocka_unit_test(test_stix), cmocka_unit_test(test_sids), cmocka_unit_test(test_files),
        cmocka_unit_test(test_large_texts), cmocka_unit_test(test_misp), cmocka_unit_test(test_abandon), cmocka_unit_test(test_set),
        cmocka_unit_test(test_serial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
