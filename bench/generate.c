/* generate: synthetic DNS traffic as a capture file, fast enough to feed benchmarks.
 *
 * Transactions start at an even rate with jitter; answers come 5 to 80 ms later and so
 * interleave with other queries. Time advances in ticks; a ring of ticks holds the answers
 * under way, and each tick's few packets are sorted before they are written, so the file is
 * ordered by time without a heap. Everything of a transaction is drawn from one 64-bit
 * generator and its answer is built when it is due: no record pool to miss the cache in.
 *
 * Names are made up: pronounceable labels from a bijection of a number, under real public
 * suffixes, since registered domains must be found. Client and server addresses are private.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum mode { MIX, DISTINCT, FLOOD };
enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, HTTPS = 65 };
enum outcome { ANSWER, NODATA, NXDOMAIN, UNANSWERED };
enum { ZIPF_BITS = 16, SERVERS = 4, PACKET_MAX = 1024, OUT_BYTES = 4 << 20 };

static const int64_t START_S = 1704067200; /* 2024-01-01T00:00:00Z */

static struct {
    uint64_t transactions;
    int64_t seconds;
    uint64_t seed;
    uint32_t names;
    uint32_t clients;
    enum mode mode;
} opt = {5000000, 3600, 1, 48000, 20000, MIX};

/* ---- numbers ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static uint64_t random_state;

static uint64_t draw(void)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(random_state);
}

/* Scales 32 random bits to [0, n). */
static uint32_t below(uint32_t bits, uint32_t n)
{
    return (uint32_t)((uint64_t)bits * n >> 32);
}

/* Ranks of popularity ~ 1/rank: equal steps of log(rank), each a range to draw from. */
static uint32_t zipf_from[(1 << ZIPF_BITS) + 1];

static void zipf_init(uint32_t n)
{
    for (uint32_t i = 0; i <= 1 << ZIPF_BITS; i++)
        zipf_from[i] = (uint32_t)(exp(log(n + 1.0) * i / (1 << ZIPF_BITS)) - 1.0);
    zipf_from[1 << ZIPF_BITS] = n;
}

static uint32_t zipf(uint64_t bits)
{
    uint32_t step = bits & ((1 << ZIPF_BITS) - 1);
    uint32_t from = zipf_from[step], to = zipf_from[step + 1];
    return from + (to > from ? below((uint32_t)(bits >> 32), to - from) : 0);
}

/* ---- names ---- */

static char syllable[64][2];

static void syllables_init(void)
{
    for (unsigned i = 0; i < 64; i++) {
        static const char consonants[] = "bcdfghklmnprstvz", vowels[] = "aeio";
        syllable[i][0] = consonants[i >> 2];
        syllable[i][1] = vowels[i & 3];
    }
}

static uint8_t *put_label(uint8_t *at, const char *text, unsigned len)
{
    *at++ = (uint8_t)len;
    memcpy(at, text, len);
    return at + len;
}

/* `n` syllables that spell the low 6n bits of `number`. */
static uint8_t *put_spelled(uint8_t *at, uint32_t number, unsigned n)
{
    *at++ = (uint8_t)(2 * n);
    for (unsigned i = 0; i < n; i++, number >>= 6) {
        memcpy(at, syllable[number & 63], 2);
        at += 2;
    }
    return at;
}

/* A registered domain: distinct numbers below 2^30 give distinct labels. */
static uint8_t *put_domain(uint8_t *at, uint32_t number)
{
    uint32_t spelled;
    if (number < 1 << 18) {
        spelled = (number * 0x2f0b5u + 0x1357bu) & 0x3ffff;
        spelled ^= spelled >> 9;
        at = put_spelled(at, spelled, 3);
    } else {
        spelled = (number * 0x2545f491u + 0x1234567u) & 0x3fffffff;
        spelled ^= spelled >> 15;
        at = put_spelled(at, spelled, 5);
    }
    unsigned suffix = mix(spelled) & 31;
    if (suffix < 18)
        at = put_label(at, "com", 3);
    else if (suffix < 22)
        at = put_label(at, "net", 3);
    else if (suffix < 26)
        at = put_label(at, "org", 3);
    else if (suffix < 28)
        at = put_label(put_label(at, "co", 2), "uk", 2);
    else if (suffix < 30)
        at = put_label(at, "de", 2);
    else
        at = put_label(put_label(at, "com", 3), "br", 2);
    *at++ = 0;
    return at;
}

/* ---- one transaction ---- */

struct transaction {
    uint64_t bits;     /* what the answer draws from */
    uint64_t name_id;  /* the same for every transaction about one name */
    uint32_t domain;
    uint32_t client;
    uint32_t tick_ns;  /* when in its tick the next packet goes */
    uint32_t next;     /* in the tick's list, or the free list */
    uint16_t id;
    uint16_t port;
    uint16_t qtype;
    uint8_t host;      /* which host of the domain */
    uint8_t outcome;
    uint8_t server;
    bool v6;
    bool mixed_case;
    bool edns;
};

static const char *const HOSTS[] = {"www", "api", "mail", "cdn", "static", "img", "m", "app",
                                    "ns1", "login", "shop", "blog", "imap", "data", "s3", "edge"};

static void transaction_make(struct transaction *t, uint64_t number)
{
    uint64_t r = draw(), q = draw();
    t->bits = draw();
    t->id = (uint16_t)r;
    t->port = (uint16_t)(1024 + below((uint32_t)(r >> 32), 64512));
    t->client = below((uint32_t)q, opt.clients);
    t->server = (r >> 16) & (SERVERS - 1);
    t->v6 = (r >> 18 & 0xff) < 38; /* 15 % */
    t->mixed_case = (r >> 26 & 0x3f) == 0 && (q >> 40 & 1);
    t->edns = (q >> 32 & 7) != 0;
    uint32_t chance = (uint32_t)(q >> 44) % 1000;

    if (opt.mode == DISTINCT) {
        t->domain = (uint32_t)number + (1 << 18);
        t->host = 0;
        t->qtype = A;
        t->outcome = ANSWER;
        t->name_id = t->domain;
        return;
    }
    if (opt.mode == FLOOD) {
        t->domain = 7;
        t->host = 255;
        t->name_id = mix(number + opt.seed);
        t->qtype = A;
        t->outcome = NXDOMAIN;
        return;
    }

    t->domain = zipf(t->bits);
    uint32_t pick = (uint32_t)(t->bits >> 16) & 0xff;
    /* Half of the look-ups go to www, the rest spreads over a few hosts of each domain. */
    t->host = pick < 128 ? 0 : (uint8_t)((pick * 7 + t->domain) % (1 + t->domain % 7) & 15);
    uint32_t type = (uint32_t)(t->bits >> 24) & 0xff;
    t->qtype = type < 138 ? A : type < 192 ? AAAA : type < 222 ? HTTPS : type < 230 ? TXT
               : type < 240 ? MX : PTR;
    if (t->qtype == MX || t->qtype == TXT)
        t->host = 254; /* the domain itself */
    t->name_id = mix((uint64_t)t->domain << 8 | t->host);
    if (t->qtype == PTR)
        t->name_id = mix(t->name_id ^ (t->bits >> 40 & 3));
    t->outcome = chance < 20    ? UNANSWERED
                 : chance < 140 ? NXDOMAIN
                 : (t->qtype == HTTPS && t->name_id % 4) || (t->qtype == AAAA && t->name_id % 3 == 0) ? NODATA
                                                                                                      : ANSWER;
    if (t->outcome == NXDOMAIN) {
        t->host = 253; /* a name that is not there; a few keep coming back */
        t->name_id = mix(t->bits >> 30 & 0x7ff);
        if (t->qtype == PTR)
            t->qtype = A;
    }
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, 4);
    return at + 4;
}

/* Writes the question's name; tells where the registered domain begins in it. */
static uint8_t *put_question(uint8_t *at, const struct transaction *t, uint8_t **ret_domain)
{
    uint8_t *begin = at;
    if (t->qtype == PTR) {
        for (unsigned i = 0; i < 4; i++) {
            unsigned octet = i == 3 ? 11 + (t->name_id & 63) : t->name_id >> 8 * i & 0xff;
            char text[4];
            unsigned len = octet >= 100 ? 3 : octet >= 10 ? 2 : 1;
            for (unsigned k = len; k--; octet /= 10)
                text[k] = (char)('0' + octet % 10);
            at = put_label(at, text, len);
        }
        *ret_domain = begin;
        at = put_label(put_label(at, "in-addr", 7), "arpa", 4);
        *at++ = 0;
        return at;
    }
    if (t->host == 255)
        at = put_spelled(put_spelled(at, (uint32_t)t->name_id, 5), (uint32_t)(t->name_id >> 32), 4);
    else if (t->host == 253)
        at = put_spelled(at, (uint32_t)t->name_id, 4);
    else if (t->host < 16)
        at = put_label(at, HOSTS[t->host], (unsigned)strlen(HOSTS[t->host]));
    *ret_domain = at;
    at = put_domain(at, t->domain);
    if (t->mixed_case)
        for (uint8_t *c = begin; c < at; c++)
            if (*c >= 'a' && *c <= 'z' && (t->bits >> ((c - begin) & 63) & 1))
                *c ^= 0x20;
    return at;
}

/* A record's head with a compressed owner, up to its length. */
static uint8_t *put_record(uint8_t *at, unsigned owner, unsigned type, uint32_t ttl, unsigned rdlen)
{
    at = put16(at, 0xc000 | owner);
    at = put16(at, type);
    at = put16(at, 1);
    at = put32(at, ttl);
    return put16(at, rdlen);
}

static uint8_t *put_opt(uint8_t *at)
{
    static const uint8_t record[] = {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0};
    memcpy(at, record, sizeof(record));
    return at + sizeof(record);
}

static uint8_t *put_soa(uint8_t *at, unsigned zone)
{
    uint8_t *soa = at;
    at = put_record(at, zone, SOA, 300, 0);
    uint8_t *rdata = at;
    at = put_label(at, "ns1", 3);
    at = put16(at, 0xc000 | zone);
    at = put_label(at, "hostmaster", 10);
    at = put16(at, 0xc000 | zone);
    at = put32(at, 2024010100);
    at = put32(at, 7200);
    at = put32(at, 900);
    at = put32(at, 1209600);
    at = put32(at, 300);
    put16(soa + 10, (unsigned)(at - rdata));
    return at;
}

static uint8_t *put_addresses(uint8_t *at, unsigned owner, unsigned type, uint32_t ttl, uint64_t id,
                              unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        uint64_t address = mix(id + i * UINT64_C(0x9e3779b97f4a7c15));
        if (type == A) {
            at = put_record(at, owner, A, ttl, 4);
            at = put32(at, (uint32_t)address);
            at[-4] = (uint8_t)(20 + (at[-4] & 127)); /* a unicast address */
        } else {
            at = put_record(at, owner, AAAA, ttl, 16);
            at = put32(at, 0x26000000 | (uint32_t)(address >> 48));
            at = put32(at, (uint32_t)(address >> 32) & 0xffff);
            at = put32(at, 0);
            at = put32(at, (uint32_t)address);
        }
    }
    return at;
}

static unsigned message_query(uint8_t *wire, const struct transaction *t)
{
    uint8_t *domain, *at = put16(wire, t->id);
    at = put16(at, 0x0100);
    at = put16(at, 1);
    at = put32(at, 0);
    at = put16(at, t->edns);
    at = put_question(at, t, &domain);
    at = put16(put16(at, t->qtype), 1);
    if (t->edns)
        at = put_opt(at);
    return (unsigned)(at - wire);
}

static unsigned message_response(uint8_t *wire, const struct transaction *t)
{
    uint8_t *domain, *at = wire + 12;
    unsigned answers = 0, authority = 0;
    at = put_question(at, t, &domain);
    unsigned zone = (unsigned)(domain - wire), owner = 12;
    at = put16(put16(at, t->qtype), 1);
    uint64_t kind = mix(t->name_id ^ 0x55);
    uint32_t ttl = (uint32_t)(20 + (kind >> 48 & 0xff)) - (uint32_t)(t->bits >> 56 & 15);

    if (t->outcome != ANSWER) {
        at = put_soa(at, zone);
        authority = 1;
    } else if (opt.mode == MIX && t->host < 4 && (kind & 7) < 3 && t->qtype != PTR) {
        /* A name at a content network: one alias or two, then addresses that rotate. */
        for (unsigned hop = 0; hop <= (kind >> 3 & 1); hop++) {
            uint8_t *record = at;
            at = put_record(at, owner, CNAME, 300, 0);
            owner = (unsigned)(at - wire);
            uint8_t *rdata = at;
            at = put_spelled(at, (uint32_t)(t->name_id >> 8 * hop), 4);
            at = put_label(at, "edge", 4);
            at = put_domain(at, (uint32_t)(kind >> 4 & 7));
            put16(record + 10, (unsigned)(at - rdata));
            answers++;
        }
        unsigned type = t->qtype == AAAA ? AAAA : A;
        if (t->qtype == A || t->qtype == AAAA) {
            unsigned n = 1 + (kind >> 8 & 3);
            at = put_addresses(at, owner, type, ttl, kind >> 16 & 0xffff, (t->bits >> 50 & 7), n);
            answers += n;
        }
    } else {
        switch (t->qtype) {
        case A:
        case AAAA: {
            unsigned n = opt.mode == DISTINCT ? 1 : 1 + (kind >> 8 & 3) * (kind >> 10 & 1);
            unsigned first = (kind >> 11 & 3) == 0 ? t->bits >> 50 & 15 : 0;
            at = put_addresses(at, owner, t->qtype, ttl, t->name_id, first, n);
            answers = n;
            break;
        }
        case HTTPS: {
            static const uint8_t rdata[] = {0, 1, 0, 0, 1, 0, 6, 2, 'h', '3', 2, 'h', '2'};
            at = put_record(at, owner, HTTPS, ttl, sizeof(rdata));
            memcpy(at, rdata, sizeof(rdata));
            at += sizeof(rdata);
            answers = 1;
            break;
        }
        case TXT: {
            at = put_record(at, owner, TXT, 3600, 30);
            memcpy(at, "\035v=spf1 ip4:198.51.100.0/24 -a", 30);
            at[29] = (uint8_t)('a' + t->name_id % 26);
            at += 30;
            answers = 1;
            break;
        }
        case MX:
            for (unsigned i = 0; i < 2; i++) {
                at = put_record(at, owner, MX, 3600, 2 + 4 + 2);
                at = put16(at, 10 * (i + 1));
                at = put_label(at, i ? "mx2" : "mx1", 3);
                at = put16(at, 0xc000 | zone);
            }
            answers = 2;
            break;
        default: {
            uint8_t *record = at;
            at = put_record(at, owner, PTR, 3600, 0);
            uint8_t *rdata = at;
            at = put_spelled(at, (uint32_t)(t->name_id >> 9), 3);
            at = put_domain(at, t->domain);
            put16(record + 10, (unsigned)(at - rdata));
            answers = 1;
        }
        }
    }
    if (t->edns)
        at = put_opt(at);
    put16(wire, t->id);
    put16(wire + 2, 0x8180 | (t->outcome == NXDOMAIN ? 3 : 0));
    put16(wire + 4, 1);
    put16(wire + 6, answers);
    put16(wire + 8, authority);
    put16(wire + 10, t->edns);
    return (unsigned)(at - wire);
}

/* ---- packets ---- */

static uint8_t *out, *out_at;
static int out_fd;

static void out_flush(void)
{
    for (uint8_t *from = out; from < out_at;) {
        ssize_t wrote = write(out_fd, from, (size_t)(out_at - from));
        if (wrote < 0) {
            if (errno == EINTR)
                continue;
            fprintf(stderr, "generate: write: %s\n", strerror(errno));
            exit(1);
        }
        from += wrote;
    }
    out_at = out;
}

static uint32_t sum16(const uint8_t *at, unsigned len, uint64_t sum)
{
    for (; len >= 4; at += 4, len -= 4) {
        uint32_t word;
        memcpy(&word, at, 4);
        sum += word;
    }
    if (len) {
        uint32_t word = 0;
        memcpy(&word, at, len);
        sum += word;
    }
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)((sum & 0xffff) + (sum >> 16)); /* in network order as it lies in memory */
}

static void put_address(uint8_t *at, const struct transaction *t, bool client)
{
    if (t->v6) {
        static const uint8_t prefix[8] = {0xfd, 0x00, 0x20, 0x24};
        memcpy(at, prefix, 8);
        put32(at + 8, client ? 1 : 0);
        put32(at + 12, client ? t->client : 0x53u + t->server);
    } else if (client) {
        put32(at, 0x0a000000 + 256 + t->client); /* 10.0.1.0 on */
    } else {
        put32(at, 0x0a000001 + t->server);
    }
}

static void write_packet(const struct transaction *t, int64_t ts_ns, bool response)
{
    if (out_at + PACKET_MAX > out + OUT_BYTES)
        out_flush();
    uint8_t *frame = out_at + 16;
    unsigned ip_len = t->v6 ? 40 : 20;
    uint8_t *ip = frame + 14, *udp = ip + ip_len, *wire = udp + 8;
    unsigned len = response ? message_response(wire, t) : message_query(wire, t);

    static const uint8_t macs[2][12] = {{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}};
    memcpy(frame, macs[response], 12);
    put16(frame + 12, t->v6 ? 0x86dd : 0x0800);
    put16(udp, response ? 53 : t->port);
    put16(udp + 2, response ? t->port : 53);
    put16(udp + 4, 8 + len);
    put16(udp + 6, 0);
    uint32_t sum;
    if (t->v6) {
        put32(ip, 0x60000000);
        put16(ip + 4, 8 + len);
        put16(ip + 6, 17 << 8 | 64);
        put_address(ip + 8, t, !response);
        put_address(ip + 24, t, response);
        /* Pseudo-header: addresses, length, next header (RFC 8200, 8.1). */
        uint8_t tail[4];
        put16(put16(tail, 8 + len), 17);
        sum = sum16(ip + 8, 32 + 8 + len, sum16(tail, 4, 0)) ^ 0xffff;
        if (sum == 0)
            sum = 0xffff;
        uint16_t stored = (uint16_t)sum;
        memcpy(udp + 6, &stored, 2);
    } else {
        put32(ip, 0x45000000 | (28 + len));
        put32(ip + 4, (uint32_t)(mix(t->bits + response) & 0xffff) << 16);
        put32(ip + 8, 64u << 24 | 17u << 16);
        put_address(ip + 12, t, !response);
        put_address(ip + 16, t, response);
        uint16_t stored = (uint16_t)(sum16(ip, 20, 0) ^ 0xffff);
        memcpy(ip + 10, &stored, 2);
    }
    uint32_t frame_len = 14 + ip_len + 8 + len;
    uint32_t head[4] = {(uint32_t)(ts_ns / 1000000000), (uint32_t)(ts_ns % 1000000000 / 1000), frame_len, frame_len};
    memcpy(out_at, head, 16);
    out_at = frame + frame_len;
}

/* ---- time ---- */

struct packet {
    uint32_t tick_ns;
    uint32_t transaction; /* index into the pool */
    bool response;
};

static struct transaction *pool;
static uint32_t pool_size, pool_free;

static uint32_t pool_take(void)
{
    if (pool_free == UINT32_MAX) {
        uint32_t grown = pool_size ? pool_size * 2 : 4096;
        pool = realloc(pool, grown * sizeof(*pool));
        if (!pool) {
            fprintf(stderr, "generate: out of memory\n");
            exit(1);
        }
        for (uint32_t i = pool_size; i < grown; i++)
            pool[i].next = i + 1 < grown ? i + 1 : UINT32_MAX;
        pool_free = pool_size;
        pool_size = grown;
    }
    uint32_t taken = pool_free;
    pool_free = pool[taken].next;
    return taken;
}

static void generate(void)
{
    /* A tick holds about one transaction and is never longer than the shortest answer time. */
    int64_t span_ns = opt.seconds * INT64_C(1000000000);
    int64_t tick_ns = span_ns / (int64_t)(opt.transactions ? opt.transactions : 1);
    tick_ns = tick_ns < 500 ? 500 : tick_ns > 1000000 ? 1000000 : tick_ns;
    uint64_t ticks = (uint64_t)(span_ns / tick_ns) + 1;
    uint32_t ring_size = 1;
    while (ring_size < 80000000 / tick_ns + 2)
        ring_size *= 2;
    uint32_t *ring = malloc(ring_size * sizeof(*ring));
    uint32_t capacity = 1024;
    struct packet *due = malloc(capacity * sizeof(*due));
    if (!ring || !due) {
        fprintf(stderr, "generate: out of memory\n");
        exit(1);
    }
    memset(ring, 0xff, ring_size * sizeof(*ring));
    pool_free = UINT32_MAX;

    uint64_t made = 0, under_way = 0;
    for (uint64_t tick = 0; made < opt.transactions || under_way; tick++) {
        uint32_t n = 0;
        uint64_t until = tick >= ticks - 1 ? opt.transactions
                                           : (uint64_t)((__uint128_t)opt.transactions * (tick + 1) / ticks);
        uint32_t waiting = ring[tick & (ring_size - 1)];
        ring[tick & (ring_size - 1)] = UINT32_MAX;
        while (made < until || waiting != UINT32_MAX) {
            if (n == capacity) {
                capacity *= 2;
                due = realloc(due, capacity * sizeof(*due));
                if (!due)
                    exit(1);
            }
            struct packet packet;
            if (waiting != UINT32_MAX) {
                packet = (struct packet){pool[waiting].tick_ns, waiting, true};
                waiting = pool[waiting].next;
            } else {
                uint32_t taken = pool_take();
                transaction_make(&pool[taken], made++);
                packet = (struct packet){below((uint32_t)(pool[taken].bits >> 13), (uint32_t)tick_ns), taken, false};
            }
            uint32_t i = n++;
            for (; i > 0 && due[i - 1].tick_ns > packet.tick_ns; i--)
                due[i] = due[i - 1];
            due[i] = packet;
        }
        int64_t base_ns = START_S * INT64_C(1000000000) + (int64_t)tick * tick_ns;
        for (uint32_t i = 0; i < n; i++) {
            struct transaction *t = &pool[due[i].transaction];
            write_packet(t, base_ns + due[i].tick_ns, due[i].response);
            if (due[i].response || t->outcome == UNANSWERED) {
                under_way -= due[i].response;
                t->next = pool_free;
                pool_free = due[i].transaction;
                continue;
            }
            /* 5 to 80 ms, short ones more often. */
            uint64_t r = mix(t->bits ^ 0xabcdef);
            uint64_t x = (r & 0xffff) * (r >> 16 & 0xffff) >> 16;
            int64_t at_ns = due[i].tick_ns + 5000000 + (int64_t)(x * 74000000 >> 16);
            uint64_t due_tick = tick + (uint64_t)(at_ns / tick_ns);
            t->tick_ns = (uint32_t)(at_ns % tick_ns);
            t->next = ring[due_tick & (ring_size - 1)];
            ring[due_tick & (ring_size - 1)] = due[i].transaction;
            under_way++;
        }
    }
    out_flush();
    free(ring);
    free(due);
    free(pool);
}

/* ---- command line ---- */

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < least || value > most) {
        fprintf(stderr, "generate: %s: a number from %" PRIu64 " to %" PRIu64 " is wanted\n", text, least, most);
        exit(2);
    }
    return value;
}

static void show(uint64_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t wire[256];
        put_domain(wire, i);
        for (uint8_t *at = wire; *at; at += *at + 1)
            printf("%.*s%s", *at, (const char *)at + 1, at[*at + 1] ? "." : "\n");
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"transactions", required_argument, NULL, 't'}, {"seconds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'r'},         {"names", required_argument, NULL, 'n'},
        {"clients", required_argument, NULL, 'c'},      {"mode", required_argument, NULL, 'm'},
        {"show", required_argument, NULL, 'w'},         {NULL, 0, NULL, 0}};
    syllables_init();
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 't':
            opt.transactions = number(optarg, 1, UINT32_C(1) << 29);
            break;
        case 's':
            opt.seconds = (int64_t)number(optarg, 1, 366 * 86400);
            break;
        case 'r':
            opt.seed = number(optarg, 0, UINT64_MAX);
            break;
        case 'n':
            opt.names = (uint32_t)number(optarg, 8, 1 << 29);
            break;
        case 'c':
            opt.clients = (uint32_t)number(optarg, 1, 1 << 23);
            break;
        case 'm':
            if (!strcmp(optarg, "mix"))
                opt.mode = MIX;
            else if (!strcmp(optarg, "distinct"))
                opt.mode = DISTINCT;
            else if (!strcmp(optarg, "flood"))
                opt.mode = FLOOD;
            else
                goto usage;
            break;
        case 'w':
            show(number(optarg, 1, 1 << 29));
            return 0;
        default:
            goto usage;
        }
    }
    if (optind + 1 != argc)
        goto usage;
    out_fd = strcmp(argv[optind], "-") ? open(argv[optind], O_WRONLY | O_CREAT | O_TRUNC, 0644) : STDOUT_FILENO;
    out = out_at = malloc(OUT_BYTES);
    if (out_fd < 0 || !out) {
        fprintf(stderr, "generate: %s: %s\n", argv[optind], strerror(errno));
        return 1;
    }
    random_state = mix(opt.seed + 1);
    zipf_init(opt.names);
    static const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    memcpy(out_at, head, sizeof(head));
    out_at += sizeof(head);
    generate();
    free(out);
    if (close(out_fd) != 0) {
        fprintf(stderr, "generate: %s: %s\n", argv[optind], strerror(errno));
        return 1;
    }
    return 0;

usage:
    fprintf(stderr, "usage: generate [--transactions N] [--seconds S] [--seed N] [--names N] [--clients N]\n"
                    "                [--mode mix|distinct|flood] FILE | -\n"
                    "       generate --show N      the most popular registered domains\n");
    return 2;
}
