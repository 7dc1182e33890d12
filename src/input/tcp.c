#include "input/tcp.h"

#include "base/hash.h"

#include <stdlib.h>

#define TCP_IDLE_NS (INT64_C(120) * 1000000000)
#define TCP_GAP_NS (INT64_C(5) * 1000000000)

enum {
    TCP_BUCKETS = 1 << 14,
    TCP_EARLY_SEGMENTS = 256,
    TCP_EARLY_BYTES = 512 << 10,
    TCP_SEEK_MAX = 256 << 10,
    TCP_WINDOW = 16 << 20, /* farther away is another connection on the same ports */
    TCP_FLOWS_MAX = 1 << 20,

    FLAG_FIN = 1,
    FLAG_SYN = 2,
    FLAG_RST = 4,
    FLAG_ACK = 16,

    DNS_HEADER = 12,
    MESSAGE_MAX = 2 + 65535, /* with its length in front */
};

enum half_state { HALF_NEW, HALF_ALIGNED, HALF_SEEKING, HALF_GARBAGE };

struct early {
    struct early *next; /* by sequence number, without overlaps */
    uint32_t seq;
    uint32_t len;
    uint32_t missing; /* cut by snaplen, behind the data */
    uint32_t weight;  /* packets it stands for; 0 for the further parts of one */
    int64_t ts_ns;
    uint8_t data[];
};

struct half {
    uint8_t state;      /* enum half_state */
    bool proven;        /* a message was delivered: framing is to be trusted */
    bool midstream;     /* began without a SYN: the first try may be wrong */
    bool fin;
    uint32_t fin_seq;
    uint32_t next_seq;
    uint32_t skip;      /* bytes of a message that was delivered cut */
    uint32_t seeking;   /* bytes searched since framing was lost */
    uint32_t pending;   /* packets behind `buffered` that gave no message yet */
    uint32_t len;       /* of the message being gathered, with its length field */
    uint32_t capacity;
    uint8_t *buffered;
    struct early *early;
    uint32_t n_early;
    uint32_t early_bytes;
    uint32_t early_packets; /* sum of the weights */
};

struct flow_key {
    uint8_t low[18]; /* address and port, the smaller one first */
    uint8_t high[18];
};

struct flow {
    struct flow_key key;
    uint64_t hash;
    struct flow *next_in_bucket;
    struct flow *older, *newer;
    int64_t last_ns;
    struct half half[2]; /* [0]: sent by key.low */
};

struct tcp_table {
    size_t limit;
    size_t held;
    uint64_t secret;
    uint32_t n_flows;
    struct flow *oldest, *newest;
    struct flow *buckets[TCP_BUCKETS];
};

/* What one call is busy with. */
struct run {
    struct tcp_table *table;
    struct half *half;
    const struct packet *packet;
    uint32_t weight; /* of the bytes being fed */
    uint32_t emitted;
    int rc;
};

struct tcp_table *tcp_table_create(size_t limit)
{
    struct tcp_table *t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->limit = limit;
        t->secret = hash_secret();
    }
    return t;
}

static void half_drop_buffered(struct tcp_table *t, struct half *h)
{
    t->held -= h->capacity;
    free(h->buffered);
    h->buffered = NULL;
    h->len = h->capacity = 0;
}

static void half_drop_early(struct tcp_table *t, struct half *h)
{
    while (h->early) {
        struct early *e = h->early;
        h->early = e->next;
        t->held -= sizeof *e + e->len;
        free(e);
    }
    h->n_early = h->early_bytes = h->early_packets = 0;
}

static void half_reset(struct tcp_table *t, struct half *h)
{
    half_drop_buffered(t, h);
    half_drop_early(t, h);
    *h = (struct half){ 0 };
}

/* Packets that this half holds and that have not given a message. */
static uint32_t half_waiting(const struct half *h)
{
    return h->pending + h->early_packets;
}

static void flow_drop(struct tcp_table *t, struct flow *f)
{
    half_reset(t, &f->half[0]);
    half_reset(t, &f->half[1]);
    struct flow **at = &t->buckets[f->hash % TCP_BUCKETS];
    while (*at != f)
        at = &(*at)->next_in_bucket;
    *at = f->next_in_bucket;
    *(f->older ? &f->older->newer : &t->oldest) = f->newer;
    *(f->newer ? &f->newer->older : &t->newest) = f->older;
    t->held -= sizeof *f;
    t->n_flows--;
    free(f);
}

void tcp_table_clear(struct tcp_table *t)
{
    while (t->oldest)
        flow_drop(t, t->oldest);
}

void tcp_table_destroy(struct tcp_table **table)
{
    if (*table == NULL)
        return;
    tcp_table_clear(*table);
    free(*table);
    *table = NULL;
}

static void list_append(struct tcp_table *t, struct flow *f)
{
    f->older = t->newest;
    f->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = f;
    t->newest = f;
}

static void flow_touch(struct tcp_table *t, struct flow *f, int64_t now_ns)
{
    if (now_ns > f->last_ns)
        f->last_ns = now_ns;
    if (f == t->newest)
        return;
    *(f->older ? &f->older->newer : &t->oldest) = f->newer;
    f->newer->older = f->older;
    list_append(t, f);
}

/* Room for `need` bytes; `spare` is the flow being worked on. */
static void evict(struct tcp_table *t, size_t need, const struct flow *spare, struct tally *tally)
{
    while (t->oldest && t->oldest != spare &&
           (t->held + need > t->limit || t->n_flows >= TCP_FLOWS_MAX)) {
        struct flow *f = t->oldest;
        tally->n[TALLY_TCP_EVICTED] += half_waiting(&f->half[0]) + half_waiting(&f->half[1]);
        flow_drop(t, f);
    }
}

static struct flow *flow_find(const struct tcp_table *t, const struct flow_key *key, uint64_t hash)
{
    struct flow *f = t->buckets[hash % TCP_BUCKETS];
    while (f && (f->hash != hash || memcmp(&f->key, key, sizeof *key) != 0))
        f = f->next_in_bucket;
    return f;
}

static struct flow *flow_begin(struct tcp_table *t, const struct flow_key *key, uint64_t hash,
                               int64_t ts_ns)
{
    struct flow *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->key = *key;
    f->hash = hash;
    f->last_ns = ts_ns;
    f->next_in_bucket = t->buckets[hash % TCP_BUCKETS];
    t->buckets[hash % TCP_BUCKETS] = f;
    list_append(t, f);
    t->held += sizeof *f;
    t->n_flows++;
    return f;
}

/* Returns which half the sender of the packet is. */
static int flow_key_of(const struct packet *p, struct flow_key *ret)
{
    uint8_t from[18], to[18];
    memcpy(from, p->from.address, 16);
    put_be16(from + 16, p->from.port);
    memcpy(to, p->to.address, 16);
    put_be16(to + 16, p->to.port);
    int side = memcmp(from, to, sizeof from) > 0;
    memcpy(ret->low, side ? to : from, 18);
    memcpy(ret->high, side ? from : to, 18);
    return side;
}

/* Framing. */

/* Could a message of `len` bytes begin with these? Records take 11 bytes at least
 * and questions 5, which is what other protocols' bytes fail. */
static bool header_plausible(const uint8_t *header, uint32_t len)
{
    unsigned opcode = header[2] >> 3 & 15;
    unsigned questions = get_be16(header + 4);
    unsigned records = get_be16(header + 6) + get_be16(header + 8) + get_be16(header + 10);
    return opcode <= 6 && questions <= 4 && questions * 5 + records * 11 <= len - DNS_HEADER;
}

/* In the middle of a stream only a plain question in class IN is believed; when
 * searching (`whole`) it has to be wholly there. */
static bool start_believable(const uint8_t *p, size_t have, bool whole)
{
    if (have < 2 + DNS_HEADER + 5)
        return !whole;
    uint32_t len = get_be16(p);
    if (len < DNS_HEADER + 5 || !header_plausible(p + 2, len) || (p[4] >> 3 & 15) != 0 ||
        (p[5] & 0x40) || get_be16(p + 6) != 1)
        return false;
    size_t at = 2 + DNS_HEADER;
    while (at < have && p[at] != 0 && p[at] < 64 && at < 2 + DNS_HEADER + 255)
        at += 1u + p[at];
    if (at + 5 > have && at < 2 + DNS_HEADER + 255)
        return !whole;
    return at + 5 <= have && at + 5 <= 2u + len && p[at] == 0 && get_be16(p + at + 3) == 1;
}

static void run_count(struct run *run, enum tally_cause cause, uint32_t n)
{
    run->packet->tally->n[cause] += n;
}

static void run_emit(struct run *run, const uint8_t *wire, uint32_t len, bool truncated)
{
    run->rc = packet_emit(run->packet, TRANSPORT_TCP, wire, len, truncated);
    run->emitted++;
    run->half->proven = true;
    run->half->pending = 0;
}

/* The current packet is not in `pending` yet; the caller counts it. */
static void half_garbage(struct run *run)
{
    struct half *h = run->half;
    run_count(run, TALLY_TCP_GARBAGE, half_waiting(h));
    half_drop_buffered(run->table, h);
    half_drop_early(run->table, h);
    h->pending = 0;
    h->state = HALF_GARBAGE;
}

static void half_lose_framing(struct run *run, enum tally_cause cause)
{
    struct half *h = run->half;
    run_count(run, cause, h->pending);
    h->pending = 0;
    h->skip = 0;
    h->seeking = 0;
    half_drop_buffered(run->table, h);
    if (h->state != HALF_GARBAGE)
        h->state = HALF_SEEKING;
}

static bool half_reserve(struct run *run, uint32_t want)
{
    struct half *h = run->half;
    if (want <= h->capacity)
        return true;
    uint32_t capacity = h->capacity ? h->capacity : 512;
    while (capacity < want)
        capacity *= 2;
    uint8_t *grown = realloc(h->buffered, capacity);
    if (grown == NULL) {
        run->rc = E_NOMEM;
        return false;
    }
    run->table->held += capacity - h->capacity;
    h->buffered = grown;
    h->capacity = capacity;
    return true;
}

/* Is what begins here (with its length) a message, as far as the bytes tell? After
 * a SYN it is likely; in the middle of a stream it has to be shown. */
static bool start_acceptable(const struct half *h, const uint8_t *p, size_t have)
{
    if (h->midstream && !h->proven && have >= 2 + DNS_HEADER + 5)
        return start_believable(p, have, false);
    if (have < 2)
        return true;
    uint32_t len = get_be16(p);
    if (len < DNS_HEADER)
        return false;
    return h->proven || have < 2 + DNS_HEADER || header_plausible(p + 2, len);
}

static void half_seek(struct run *run, const uint8_t *p, size_t len);

/* A wrong start: the capture may have begun inside a message, else it is no DNS. */
static void half_refuse_start(struct run *run, const uint8_t *p, size_t len)
{
    if (run->half->midstream && !run->half->proven) {
        half_lose_framing(run, TALLY_TCP_GAP);
        half_seek(run, p, len);
    } else {
        half_garbage(run);
    }
}

/* Bytes in order, framing known, nothing gathered yet: whole messages are
 * delivered from where they are, the rest is gathered. */
static void half_deliver(struct run *run, const uint8_t *p, size_t len)
{
    struct half *h = run->half;
    while (len > 0 && run->rc == 0) {
        if (!start_acceptable(h, p, len)) {
            half_refuse_start(run, p, len);
            return;
        }
        uint32_t message = len >= 2 ? 2u + get_be16(p) : MESSAGE_MAX;
        if (message > len) {
            if (half_reserve(run, (uint32_t)len)) {
                memcpy(h->buffered, p, len);
                h->len = (uint32_t)len;
            }
            return;
        }
        run_emit(run, p + 2, message - 2, false);
        p += message;
        len -= message;
    }
}

/* Gathers what the begun message lacks; returns how many bytes it took. */
static size_t half_gather(struct run *run, const uint8_t *p, size_t len)
{
    struct half *h = run->half;
    size_t took = 0;
    while (took < len) {
        uint32_t want = h->len < 2 ? 2 : 2u + get_be16(h->buffered);
        if (h->len == want)
            break;
        size_t n = want - h->len < len - took ? want - h->len : len - took;
        if (!half_reserve(run, h->len + (uint32_t)n))
            return len;
        memcpy(h->buffered + h->len, p + took, n);
        h->len += (uint32_t)n;
        took += n;
    }
    if (!start_acceptable(h, h->buffered, h->len)) {
        half_refuse_start(run, p + took, len - took);
        return len;
    }
    if (h->len >= 2 && h->len == 2u + get_be16(h->buffered)) {
        run_emit(run, h->buffered + 2, h->len - 2, false);
        h->len = 0;
        if (h->capacity > 4096)
            half_drop_buffered(run->table, h);
    }
    return took;
}

/* Looks for the start of a message in a segment. */
static void half_seek(struct run *run, const uint8_t *p, size_t len)
{
    struct half *h = run->half;
    for (size_t at = 0; at + 2 + DNS_HEADER + 5 <= len; at++) {
        if (start_believable(p + at, len - at, true)) {
            h->state = HALF_ALIGNED;
            h->seeking = 0;
            half_deliver(run, p + at, len - at);
            return;
        }
    }
    h->seeking += (uint32_t)len;
    if (h->seeking > TCP_SEEK_MAX)
        half_garbage(run);
}

/* Bytes in order. */
static void half_feed(struct run *run, const uint8_t *p, size_t len)
{
    struct half *h = run->half;
    h->next_seq += (uint32_t)len;
    size_t skipped = h->skip < len ? h->skip : len;
    h->skip -= (uint32_t)skipped;
    p += skipped;
    len -= skipped;
    if (h->state == HALF_SEEKING) {
        half_seek(run, p, len);
    } else if (h->state == HALF_ALIGNED) {
        size_t took = h->len && len ? half_gather(run, p, len) : 0;
        if (took < len)
            half_deliver(run, p + took, len - took);
    }
}

/* The capture cut the segment: the begun message is delivered cut, and the stream
 * goes on where the next one must begin, if that can be known. */
static void half_feed_missing(struct run *run, uint32_t missing)
{
    struct half *h = run->half;
    h->next_seq += missing;
    if (h->state != HALF_ALIGNED)
        return;
    uint32_t known = h->skip;
    if (h->len >= 2 + DNS_HEADER) {
        known = 2u + get_be16(h->buffered) - h->len;
        run_emit(run, h->buffered + 2, h->len - 2, true);
        h->len = 0;
    } else if (h->len >= 2) {
        known = 2u + get_be16(h->buffered) - h->len;
        run_count(run, TALLY_SNAPPED, h->pending);
        h->pending = 0;
        h->len = 0;
    }
    if (missing <= known)
        h->skip = known - missing;
    else
        half_lose_framing(run, TALLY_SNAPPED);
}

/* Feeds one packet's bytes and settles what that packet counts as. */
static void half_take(struct run *run, const uint8_t *p, uint32_t len, uint32_t missing)
{
    struct half *h = run->half;
    run->emitted = 0;
    uint32_t was_skip = h->skip;
    half_feed(run, p, len);
    if (missing)
        half_feed_missing(run, missing);
    uint32_t weight = run->weight;
    if (run->emitted)
        return;
    if (h->state == HALF_GARBAGE)
        run_count(run, TALLY_TCP_GARBAGE, weight);
    else if (h->state == HALF_SEEKING)
        run_count(run, missing ? TALLY_SNAPPED : TALLY_TCP_GAP, weight);
    else if (h->len)
        h->pending += weight;
    else if (was_skip || missing)
        run_count(run, TALLY_SNAPPED, weight);
}

/* Segments out of order. */

static uint32_t early_end(const struct early *e)
{
    return e->seq + e->len + e->missing;
}

static int32_t seq_distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* Feeds early segments that have become due. */
static void half_drain(struct run *run)
{
    struct half *h = run->half;
    while (run->rc == 0 && h->early && seq_distance(h->next_seq, h->early->seq) <= 0) {
        struct early *e = h->early;
        h->early = e->next;
        h->n_early--;
        h->early_bytes -= e->len;
        h->early_packets -= e->weight;
        run->weight = e->weight;
        run->table->held -= sizeof *e + e->len;
        uint32_t known = (uint32_t)seq_distance(e->seq, h->next_seq);
        if (known <= e->len && known < e->len + e->missing)
            half_take(run, e->data + known, e->len - known, e->missing);
        else
            run_count(run, TALLY_TCP_RETRANSMITTED, e->weight);
        free(e);
    }
}

/* Gives up what lies before the first early segment. */
static void half_jump(struct run *run)
{
    struct half *h = run->half;
    if (h->early == NULL)
        return;
    uint32_t gap = h->early->seq - h->next_seq;
    if (h->state == HALF_ALIGNED && h->skip >= gap)
        h->skip -= gap;
    else
        half_lose_framing(run, TALLY_TCP_GAP);
    h->next_seq = h->early->seq;
    half_drain(run);
}

static void half_flush(struct run *run)
{
    while (run->half->early && run->rc == 0)
        half_jump(run);
    run_count(run, TALLY_TCP_GAP, run->half->pending);
    run->half->pending = 0;
    half_drop_buffered(run->table, run->half);
}

static struct early *early_insert(struct run *run, struct early **at, uint32_t seq,
                                  const uint8_t *p, uint32_t len)
{
    struct early *e = malloc(sizeof *e + len);
    if (e == NULL) {
        run->rc = E_NOMEM;
        return NULL;
    }
    *e = (struct early){ .next = *at, .seq = seq, .len = len, .weight = run->weight,
                         .ts_ns = run->packet->ts_ns };
    memcpy(e->data, p, len);
    *at = e;
    run->half->n_early++;
    run->half->early_bytes += len;
    run->half->early_packets += e->weight;
    run->table->held += sizeof *e + len;
    run->weight = 0;
    return e;
}

/* Keeps a segment for later: those parts of it that are not there yet. */
static void half_keep_early(struct run *run, uint32_t seq, const uint8_t *p, uint32_t len,
                            uint32_t missing)
{
    struct early **at = &run->half->early, *last = NULL;
    uint32_t done = 0;
    while (done < len && run->rc == 0) {
        struct early *e = *at;
        if (e && seq_distance(e->seq, seq + done) >= 0) {
            int32_t known = seq_distance(seq + done, early_end(e));
            if (known > 0)
                done += (uint32_t)known;
            at = &e->next;
            continue;
        }
        uint32_t end = len;
        if (e && seq_distance(seq, e->seq) < (int32_t)len)
            end = e->seq - seq;
        last = early_insert(run, at, seq + done, p + done, end - done);
        done = end;
    }
    if (last && last->seq + last->len == seq + len)
        last->missing = missing;
    run_count(run, TALLY_TCP_RETRANSMITTED, run->weight);
}

static int64_t half_waits_since(const struct half *h)
{
    int64_t since = INT64_MAX;
    for (const struct early *e = h->early; e; e = e->next)
        since = e->ts_ns < since ? e->ts_ns : since;
    return since;
}

static void half_limit_early(struct run *run)
{
    struct half *h = run->half;
    while (run->rc == 0 && h->early &&
           (h->n_early > TCP_EARLY_SEGMENTS || h->early_bytes > TCP_EARLY_BYTES ||
            half_waits_since(h) < run->packet->ts_ns - TCP_GAP_NS))
        half_jump(run);
}

static void half_start(struct run *run, uint32_t seq, const uint8_t *p, uint32_t len)
{
    struct half *h = run->half;
    h->next_seq = seq;
    h->midstream = true;
    h->state = start_acceptable(h, p, len) ? HALF_ALIGNED : HALF_SEEKING;
}

/* Data, anywhere against what is expected. */
static void half_data(struct run *run, uint32_t seq, const uint8_t *p, uint32_t len,
                      uint32_t missing)
{
    struct half *h = run->half;
    run->weight = run->packet->weight;
    int32_t ahead = seq_distance(h->next_seq, seq);
    if (h->state != HALF_NEW && (ahead > TCP_WINDOW || ahead < -TCP_WINDOW)) {
        half_flush(run);
        half_reset(run->table, h);
    }
    if (h->state == HALF_NEW)
        half_start(run, seq, p, len);
    ahead = seq_distance(h->next_seq, seq);
    if (h->state == HALF_GARBAGE && ahead >= 0) {
        h->next_seq = seq + len + missing;
        run_count(run, TALLY_TCP_GARBAGE, run->weight);
        return;
    }
    if (ahead > 0) {
        half_keep_early(run, seq, p, len, missing);
        half_limit_early(run);
        return;
    }
    uint32_t known = (uint32_t)-ahead;
    if (known >= len + missing || known > len) {
        run_count(run, TALLY_TCP_RETRANSMITTED, run->packet->weight);
        return;
    }
    half_take(run, p + known, len - known, missing);
    half_drain(run);
    half_limit_early(run);
}

/* Segments. */

struct segment {
    uint32_t seq;
    uint8_t flags;
    const uint8_t *ptr;
    uint32_t len;
    uint32_t missing;
};

static bool segment_parse(const struct packet *p, struct view v, struct segment *ret)
{
    if (v.len < 20) {
        packet_count(p, view_short(&v, TALLY_BAD_TCP));
        return false;
    }
    unsigned header = (v.ptr[12] >> 4) * 4u;
    if (header < 20 || header > v.len + v.missing) {
        packet_count(p, TALLY_BAD_TCP);
        return false;
    }
    ret->seq = get_be32(v.ptr + 4);
    ret->flags = v.ptr[13];
    ret->missing = (uint32_t)v.missing;
    if (header > v.len) { /* options cut */
        ret->missing -= header - (uint32_t)v.len;
        header = (unsigned)v.len;
    }
    ret->ptr = v.ptr + header;
    ret->len = (uint32_t)v.len - header;
    return true;
}

/* Ends one half with what it holds: messages behind a gap are still messages, with
 * the addresses of their own direction. */
static int flow_flush_half(struct tcp_table *t, struct flow *f, int side, const struct packet *p,
                           int64_t ts_ns)
{
    struct packet own = *p;
    const uint8_t *from = side ? f->key.high : f->key.low;
    const uint8_t *to = side ? f->key.low : f->key.high;
    memcpy(own.from.address, from, 16);
    own.from.port = get_be16(from + 16);
    memcpy(own.to.address, to, 16);
    own.to.port = get_be16(to + 16);
    own.ts_ns = ts_ns;
    own.ip_id = 0;
    struct run run = { .table = t, .half = &f->half[side], .packet = &own };
    half_flush(&run);
    half_reset(t, run.half);
    return run.rc;
}

static int flow_end(struct tcp_table *t, struct flow *f, const struct packet *p, int64_t ts_ns)
{
    int rc = 0;
    for (int side = 0; side < 2 && rc == 0; side++)
        rc = flow_flush_half(t, f, side, p, ts_ns);
    flow_drop(t, f);
    return rc;
}

static int expire(struct tcp_table *t, const struct packet *p)
{
    int rc = 0;
    while (rc == 0 && t->oldest && t->oldest->last_ns < p->ts_ns - TCP_IDLE_NS)
        rc = flow_end(t, t->oldest, p, t->oldest->last_ns);
    return rc;
}

/* A SYN opens its half, and without ACK it ends what was on these ports before. */
static void on_syn(struct run *run, struct flow *f, const struct segment *s)
{
    uint32_t first = s->seq + 1;
    struct half *h = run->half;
    int side = h == &f->half[1];
    int32_t since = seq_distance(first, h->next_seq);
    bool fresh = h->state == HALF_NEW;
    if (!fresh && !h->midstream && since >= 0 && since <= TCP_WINDOW && !h->fin)
        return; /* a copy */
    if (!fresh && !(s->flags & FLAG_ACK))
        run->rc = flow_flush_half(run->table, f, !side, run->packet, run->packet->ts_ns);
    if (run->rc == 0)
        run->rc = flow_flush_half(run->table, f, side, run->packet, run->packet->ts_ns);
    h->state = HALF_ALIGNED;
    h->next_seq = first;
}

static bool half_done(const struct half *h)
{
    return h->fin && h->early == NULL && seq_distance(h->fin_seq, h->next_seq) >= 0;
}

static void on_segment(struct run *run, struct flow *f, const struct segment *s)
{
    uint32_t seq = s->seq;
    if (s->flags & FLAG_SYN) {
        on_syn(run, f, s);
        seq++;
        if (run->rc < 0)
            return;
    }
    struct half *h = run->half;
    if (s->len + s->missing)
        half_data(run, seq, s->ptr, s->len, s->missing);
    else
        packet_count(run->packet, TALLY_TCP_NO_DATA);
    if (run->rc < 0)
        return;
    if (s->flags & FLAG_FIN) {
        h->fin = true;
        h->fin_seq = seq + s->len + s->missing;
        if (h->state == HALF_NEW)
            h->next_seq = h->fin_seq;
    }
    if ((s->flags & FLAG_RST) || (half_done(&f->half[0]) && half_done(&f->half[1])))
        run->rc = flow_end(run->table, f, run->packet, run->packet->ts_ns);
}

int tcp_segment(struct tcp_table *t, const struct packet *p, struct view v)
{
    struct segment s;
    if (!segment_parse(p, v, &s))
        return 0;
    int rc = expire(t, p);
    if (rc < 0)
        return rc;
    struct flow_key key;
    int side = flow_key_of(p, &key);
    uint64_t hash = hash_memory(&key, sizeof key, t->secret);
    struct flow *f = flow_find(t, &key, hash);
    if (f == NULL) {
        if (s.len + s.missing == 0 && !(s.flags & FLAG_SYN)) {
            packet_count(p, TALLY_TCP_NO_DATA);
            return 0;
        }
        evict(t, sizeof *f + s.len, NULL, p->tally);
        f = flow_begin(t, &key, hash, p->ts_ns);
        if (f == NULL)
            return E_NOMEM;
    } else {
        flow_touch(t, f, p->ts_ns);
        evict(t, s.len, f, p->tally);
    }
    struct run run = { .table = t, .half = &f->half[side], .packet = p };
    on_segment(&run, f, &s);
    return run.rc;
}

/* Saving: flows from the least to the most recently used. */

static void save_half(const struct half *h, struct buffer *to)
{
    buffer_u8(to, h->state);
    buffer_u8(to, (uint8_t)(h->proven | h->midstream << 1 | h->fin << 2));
    buffer_le32(to, h->fin_seq);
    buffer_le32(to, h->next_seq);
    buffer_varint(to, h->skip);
    buffer_varint(to, h->seeking);
    buffer_varint(to, h->pending);
    buffer_varint(to, h->len);
    buffer_append(to, h->buffered, h->len);
    buffer_varint(to, h->n_early);
    for (const struct early *e = h->early; e; e = e->next) {
        buffer_le32(to, e->seq);
        buffer_varint(to, e->len);
        buffer_varint(to, e->missing);
        buffer_varint(to, e->weight);
        buffer_le64(to, (uint64_t)e->ts_ns);
        buffer_append(to, e->data, e->len);
    }
}

void tcp_save(const struct tcp_table *t, struct buffer *to)
{
    buffer_varint(to, t->n_flows);
    for (const struct flow *f = t->oldest; f; f = f->newer) {
        buffer_append(to, f->key.low, sizeof f->key.low);
        buffer_append(to, f->key.high, sizeof f->key.high);
        buffer_le64(to, (uint64_t)f->last_ns);
        save_half(&f->half[0], to);
        save_half(&f->half[1], to);
    }
}

static int load_early(struct run *run, struct cursor *from, struct early ***at)
{
    struct half *h = run->half;
    uint32_t seq = cursor_le32(from);
    uint64_t len = cursor_varint(from), missing = cursor_varint(from);
    uint64_t weight = cursor_varint(from);
    int64_t ts_ns = (int64_t)cursor_le64(from);
    const uint8_t *data = cursor_take(from, len);
    if (data == NULL || len > 1 << 18 || missing > 1 << 18 ||
        weight > 1 << 16)
        return E_CORRUPT;
    if (seq_distance(h->next_seq, seq) <= 0)
        return E_CORRUPT;
    struct early *e = malloc(sizeof *e + len);
    if (e == NULL)
        return E_NOMEM;
    *e = (struct early){ .seq = seq, .len = (uint32_t)len, .missing = (uint32_t)missing,
                         .weight = (uint32_t)weight, .ts_ns = ts_ns };
    if (len)
        memcpy(e->data, data, len);
    **at = e;
    *at = &e->next;
    h->n_early++;
    h->early_bytes += (uint32_t)len;
    h->early_packets += (uint32_t)weight;
    run->table->held += sizeof *e + len;
    return 0;
}

static bool early_in_order(const struct half *h)
{
    for (const struct early *e = h->early; e && e->next; e = e->next)
        if (seq_distance(e->seq, e->next->seq) < (int32_t)(e->len ? e->len : 1))
            return false;
    return true;
}

static int load_half(struct tcp_table *t, struct half *h, struct cursor *from)
{
    struct run run = { .table = t, .half = h };
    uint8_t state = cursor_u8(from), flags = cursor_u8(from);
    uint32_t fin_seq = cursor_le32(from), next_seq = cursor_le32(from);
    uint64_t skip = cursor_varint(from), seeking = cursor_varint(from);
    uint64_t pending = cursor_varint(from), len = cursor_varint(from);
    const uint8_t *data = cursor_take(from, len);
    uint64_t n = cursor_varint(from);
    if (from->failed || state > HALF_GARBAGE || flags > 7 || skip > MESSAGE_MAX ||
        seeking > 2 * TCP_SEEK_MAX || pending > UINT32_MAX || len >= MESSAGE_MAX ||
        n > 2 * TCP_EARLY_SEGMENTS || (len && state != HALF_ALIGNED) || (len && skip))
        return E_CORRUPT;
    if (len >= 2 && (get_be16(data) < DNS_HEADER || len >= 2u + get_be16(data)))
        return E_CORRUPT;
    h->state = state;
    h->proven = flags & 1;
    h->midstream = flags >> 1 & 1;
    h->fin = flags >> 2 & 1;
    h->fin_seq = fin_seq;
    h->next_seq = next_seq;
    h->skip = (uint32_t)skip;
    h->seeking = (uint32_t)seeking;
    h->pending = (uint32_t)pending;
    if (len && !half_reserve(&run, (uint32_t)len))
        return run.rc;
    if (len)
        memcpy(h->buffered, data, len);
    h->len = (uint32_t)len;
    struct early **at = &h->early;
    for (; n > 0; n--) {
        int rc = load_early(&run, from, &at);
        if (rc < 0)
            return rc;
    }
    return early_in_order(h) ? 0 : E_CORRUPT;
}

static int load_flow(struct tcp_table *t, struct cursor *from)
{
    struct flow_key key;
    const uint8_t *p = cursor_take(from, sizeof key);
    int64_t last_ns = (int64_t)cursor_le64(from);
    if (from->failed)
        return E_CORRUPT;
    memcpy(&key, p, sizeof key);
    if (memcmp(key.low, key.high, sizeof key.low) > 0)
        return E_CORRUPT;
    struct tally nowhere = { 0 };
    evict(t, sizeof(struct flow), NULL, &nowhere);
    uint64_t hash = hash_memory(&key, sizeof key, t->secret);
    struct flow *f = flow_find(t, &key, hash) ? NULL : flow_begin(t, &key, hash, last_ns);
    if (f == NULL)
        return E_CORRUPT;
    int rc = load_half(t, &f->half[0], from);
    return rc < 0 ? rc : load_half(t, &f->half[1], from);
}

int tcp_load(struct tcp_table *t, struct cursor *from)
{
    uint64_t n = cursor_varint(from);
    for (; n > 0; n--) {
        int rc = from->failed ? E_CORRUPT : load_flow(t, from);
        if (rc < 0)
            return rc;
    }
    return from->failed ? E_CORRUPT : 0;
}
