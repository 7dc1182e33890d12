/* bench_rpz [--rules N]: a policy zone of N made-up indicators (1,000,000), served over the loopback to a client that counts records.
 *
 * A line of JSON: bytes a rule, now and when the journal is as long as it gets, seconds to load, AXFR records a second and the server's CPU time for it, the same signed
 * (HMAC-SHA256), milliseconds of a version of 1,000 changes and of the IXFR that has them. Client and server take turns in one
 * thread, so the rates are of both together on one core. */
#include "protect/rpz/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CHANGES = 1000, BUFFER = 1 << 20 };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_rpz: %s\n", what);
    exit(1);
}

/* As long as those of real lists: 19.6 bytes as text on average; half of them domains, half hosts. */
static void make_name(uint64_t i, char name[64], enum trigger *ret)
{
    static const char *const ends[] = { "com", "net", "top", "xyz", "info", "online", "co.uk", "ru" };
    uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
    char label[24];
    unsigned len = 8 + (unsigned)(x >> 60);
    x ^= x >> 29;
    for (unsigned k = 0; k < len; k++, x = x * UINT64_C(0xbf58476d1ce4e5b9) + i)
        label[k] = (char)('a' + (x >> 59) % 26);
    snprintf(name, 64, "%.*s%llx.%s", (int)len - 6, label, (unsigned long long)i, ends[i % 8]);
    *ret = i & 8 ? TRIGGER_HOST : TRIGGER_DOMAIN;
}

static size_t add_some(struct zone *zone, uint64_t first, uint64_t n, unsigned action)
{
    size_t text = 0;
    struct fault why;
    for (uint64_t i = first; i < first + n; i++) {
        enum trigger trigger;
        char name[64];
        make_name(i, name, &trigger);
        text += strlen(name);
        if (zone_add(zone, trigger, name, action, &why) != 0)
            fail(why.text);
    }
    return text;
}

static void remove_some(struct zone *zone, uint64_t first, uint64_t n)
{
    struct fault why;
    for (uint64_t i = first; i < first + n; i++) {
        enum trigger trigger;
        char name[64];
        make_name(i, name, &trigger);
        if (zone_remove(zone, trigger, name, &why) != 0)
            fail(why.text);
    }
}

struct client {
    struct server *server;
    int fd;
    uint8_t *bytes;
    size_t len;
    uint64_t records, messages, soas;
    double server_s; /* CPU */
};

static void turn(struct client *c)
{
    struct fault why;
    double begun = seconds(CLOCK_THREAD_CPUTIME_ID);
    if (server_poll(c->server, 0, &why) != 0)
        fail(why.text);
    c->server_s += seconds(CLOCK_THREAD_CPUTIME_ID) - begun;
}

static void ask(struct client *c, uint16_t type, uint32_t serial, const struct tsig_key *key)
{
    static const uint8_t name[] = "\3rpz\5bench";
    uint8_t q[512] = { 0 }, *p = q + 2 + 12;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(server_port(c->server, 0)) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    put_be16(q + 6, 1);
    memcpy(p, name, sizeof name);
    p += sizeof name;
    put_be16(p, type);
    put_be16(p + 2, 1);
    p += 4;
    if (type == TYPE_IXFR) {
        put_be16(q + 10, 1);
        put_be16(p, 0xc00c);
        put_be16(p + 2, TYPE_SOA);
        put_be16(p + 4, 1);
        put_be16(p + 10, 22);
        put_be32(p + 14, serial);
        p += 34;
    }
    if (key != NULL) {
        struct tsig_chain chain;
        tsig_begin(&chain, key, 0);
        p = q + 2 + tsig_sign(&chain, q + 2, (size_t)(p - q - 2), time(NULL));
    }
    put_be16(q, (uint16_t)(p - q - 2));
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at) != 0 || send(c->fd, q, (size_t)(p - q), 0) != p - q)
        fail("connect");
    c->len = 0;
    c->records = c->messages = c->soas = 0;
    c->server_s = 0;
}

/* Steps over the records, as a client must that wants to know where it ends. */
static void count_message(struct client *c, const uint8_t *m, size_t len)
{
    const uint8_t *p = m + 12, *end = m + len;
    unsigned n = get_be16(m + 6);
    while (*p)
        p += *p + 1;
    p += 5;
    for (unsigned i = 0; i < n; i++) {
        while (*p && *p < 0xc0)
            p += *p + 1;
        p += *p ? 2 : 1;
        c->soas += get_be16(p) == TYPE_SOA;
        p += 10 + get_be16(p + 8);
    }
    if ((get_be16(m + 10) ? p >= end : p != end) || (m[3] & 15) != 0) /* a signature may follow */
        fail("a message that does not hold together");
    c->records += n;
    c->messages++;
}

static void read_some(struct client *c)
{
    ssize_t n;
    while ((n = recv(c->fd, c->bytes + c->len, BUFFER - c->len, MSG_DONTWAIT)) > 0) {
        size_t at = 0;
        c->len += (size_t)n;
        while (c->len - at >= 2 && c->len - at >= 2u + get_be16(c->bytes + at)) {
            count_message(c, c->bytes + at + 2, get_be16(c->bytes + at));
            at += 2u + get_be16(c->bytes + at);
        }
        c->len -= at;
        memmove(c->bytes, c->bytes + at, c->len);
    }
    if (n == 0)
        fail("the server hung up");
}

/* Until the last SOA is there; seconds. */
static double transfer(struct client *c, uint16_t type, uint32_t serial, unsigned soas, const struct tsig_key *key)
{
    double begun = seconds(CLOCK_MONOTONIC);
    ask(c, type, serial, key);
    while (c->soas < soas) {
        turn(c);
        read_some(c);
    }
    close(c->fd);
    return seconds(CLOCK_MONOTONIC) - begun;
}

static struct zone *make_zone(struct fault *why)
{
    const struct zone_options options = {
        .origin = "rpz.bench", .ns = "localhost", .mname = "localhost", .rname = "hostmaster.localhost", .ttl_s = 30,
        .refresh_s = 60, .retry_s = 5, .expire_s = 2592000, .minimum_s = 30, .journal_max = UINT32_MAX,
    };
    struct zone *zone;
    if (zone_create(&zone, &options, why) != 0)
        fail(why->text);
    return zone;
}

struct bench {
    struct zone *zone;
    struct responder *responder;
    struct client client;
    unsigned action;
    uint64_t oldest, next; /* numbers of names */
    size_t text;           /* bytes of all names */
};

static void set_up(struct bench *b)
{
    struct fault why;
    const struct responder_options responder_options = { 0 };
    const struct server_options server_options = { 0 };
    b->client.bytes = malloc(BUFFER);
    if (b->client.bytes == NULL)
        fail("out of memory");
    b->zone = make_zone(&why);
    if (zone_action(b->zone, "nxdomain", &b->action, &why) != 0 || responder_create(&b->responder, &responder_options, &why) != 0 ||
        responder_add_key(b->responder, "bench", "hmac-sha256", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", &why) != 0 ||
        responder_add_zone(b->responder, b->zone, &why) != 0 || responder_allow(b->responder, b->zone, "127.0.0.1", NULL, &why) != 0 ||
        server_create(&b->client.server, b->responder, &server_options, &why) != 0 ||
        server_listen(b->client.server, "127.0.0.1:0", &why) != 0)
        fail(why.text);
}

/* A version that goes on with the names: takes `removed` of the oldest ones and adds `added`; seconds. */
static double make_version(struct bench *b, uint64_t removed, uint64_t added)
{
    struct fault why;
    double begun = seconds(CLOCK_MONOTONIC);
    if (zone_begin(b->zone, zone_serial(b->zone) + 1, &why) != 0)
        fail(why.text);
    remove_some(b->zone, b->oldest, removed);
    b->text += add_some(b->zone, b->next, added, b->action);
    b->oldest += removed;
    b->next += added;
    if (zone_commit(b->zone, &why) != 0)
        fail(why.text);
    return seconds(CLOCK_MONOTONIC) - begun;
}

int main(int argc, char **argv)
{
    uint64_t rules = argc == 3 && strcmp(argv[1], "--rules") == 0 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct bench b = { 0 };
    struct client *c = &b.client;
    struct rusage usage;
    set_up(&b);
    double load_s = make_version(&b, 0, rules);
    double bytes = (double)zone_memory(b.zone) / (double)rules;
    double axfr_s = transfer(c, TYPE_AXFR, 0, 2, NULL), axfr_cpu_s = c->server_s;
    double records = (double)c->records;
    double signed_s = transfer(c, TYPE_AXFR, 0, 2, responder_key(b.responder, "bench"));
    double version_s = make_version(&b, CHANGES / 2, CHANGES / 2);
    double ixfr_s = transfer(c, TYPE_IXFR, 1, 4, NULL);
    for (uint64_t n = 0; n < 2 * rules; n += CHANGES)
        (void)make_version(&b, CHANGES / 2, CHANGES / 2);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bench\": \"rpz\", \"rules\": %zu, \"name_bytes\": %.1f, \"bytes_per_rule\": %.1f, \"with_full_journal\": %.1f, \"resident_mb\": %ld, \"load_s\": %.2f, "
           "\"axfr_records\": %.0f, \"axfr_records_per_s\": %.0f, \"axfr_server_cpu_s\": %.3f, \"signed_records_per_s\": %.0f, "
           "\"version_ms\": %.2f, \"ixfr_records\": %llu, \"ixfr_ms\": %.2f}\n",
           zone_count(b.zone), (double)b.text / (double)b.next, bytes, (double)zone_memory(b.zone) / (double)rules,
           usage.ru_maxrss / 1024, load_s, records, records / axfr_s, axfr_cpu_s, records / signed_s, version_s * 1e3,
           (unsigned long long)c->records, ixfr_s * 1e3);
    server_destroy(&c->server);
    responder_destroy(&b.responder);
    zone_destroy(&b.zone);
    free(c->bytes);
    return 0;
}
