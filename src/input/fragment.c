#include "input/fragment.h"

#include "base/hash.h"

#include <stdlib.h>

#define FRAGMENT_WAIT_NS (INT64_C(30) * 1000000000)

enum {
    FRAGMENT_BUCKETS = 1 << 12,
    FRAGMENT_PIECES_MAX = 128, /* 64 KiB over links of 576 bytes */
    DATAGRAM_MAX = 65535,
};

struct piece {
    struct piece *next; /* by offset */
    uint32_t offset;
    uint32_t len;
    uint8_t data[];
};

struct datagram {
    struct fragment_key key;
    uint64_t hash;
    struct datagram *next_in_bucket;
    struct datagram *older, *newer;
    int64_t first_ns;
    struct piece *pieces;
    uint32_t n_pieces;
    uint32_t n_bytes; /* sum of the lengths: == total when whole, for nothing overlaps */
    uint32_t total;   /* 0 until the last piece came */
    uint8_t next_protocol;
    bool refused;
    uint8_t cause; /* when refused */
};

struct fragment_table {
    size_t limit;
    size_t held;
    uint64_t secret;
    struct datagram *oldest, *newest;
    struct datagram *buckets[FRAGMENT_BUCKETS];
    uint8_t whole[DATAGRAM_MAX];
};

struct fragment_table *fragment_table_create(size_t limit)
{
    struct fragment_table *t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->limit = limit;
        t->secret = hash_secret();
    }
    return t;
}

static void drop_pieces(struct fragment_table *t, struct datagram *d)
{
    while (d->pieces != NULL) {
        struct piece *p = d->pieces;
        d->pieces = p->next;
        t->held -= sizeof *p + p->len;
        free(p);
    }
    d->n_pieces = d->n_bytes = 0;
}

static void drop(struct fragment_table *t, struct datagram *d)
{
    drop_pieces(t, d);
    struct datagram **at = &t->buckets[d->hash % FRAGMENT_BUCKETS];
    while (*at != d)
        at = &(*at)->next_in_bucket;
    *at = d->next_in_bucket;
    *(d->older ? &d->older->newer : &t->oldest) = d->newer;
    *(d->newer ? &d->newer->older : &t->newest) = d->older;
    t->held -= sizeof *d;
    free(d);
}

void fragment_table_clear(struct fragment_table *t)
{
    while (t->oldest)
        drop(t, t->oldest);
}

void fragment_table_destroy(struct fragment_table **table)
{
    if (*table == NULL)
        return;
    fragment_table_clear(*table);
    free(*table);
    *table = NULL;
}

static void expire(struct fragment_table *t, int64_t now_ns, struct tally *tally)
{
    while (t->oldest && t->oldest->first_ns < now_ns - FRAGMENT_WAIT_NS) {
        tally->n[TALLY_FRAGMENT_EXPIRED] += t->oldest->n_pieces;
        drop(t, t->oldest);
    }
}

static void evict(struct fragment_table *t, size_t need, struct tally *tally)
{
    while (t->oldest && t->held + need > t->limit) {
        tally->n[TALLY_FRAGMENT_EVICTED] += t->oldest->n_pieces;
        drop(t, t->oldest);
    }
}

static struct datagram *find(const struct fragment_table *t, const struct fragment_key *key,
                             uint64_t hash)
{
    struct datagram *d = t->buckets[hash % FRAGMENT_BUCKETS];
    while (d && (d->hash != hash || memcmp(&d->key, key, sizeof *key) != 0))
        d = d->next_in_bucket;
    return d;
}

static struct datagram *begin(struct fragment_table *t, const struct fragment_key *key,
                              uint64_t hash, int64_t ts_ns)
{
    struct datagram *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->key = *key;
    d->hash = hash;
    d->first_ns = ts_ns;
    d->next_in_bucket = t->buckets[hash % FRAGMENT_BUCKETS];
    t->buckets[hash % FRAGMENT_BUCKETS] = d;
    d->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = d;
    t->newest = d;
    t->held += sizeof *d;
    return d;
}

static struct datagram *find_or_begin(struct fragment_table *t, const struct fragment_key *key,
                                      int64_t ts_ns, size_t need, struct tally *tally)
{
    expire(t, ts_ns, tally);
    evict(t, sizeof(struct datagram) + sizeof(struct piece) + need, tally);
    uint64_t hash = hash_memory(key, sizeof *key, t->secret);
    struct datagram *d = find(t, key, hash);
    return d ? d : begin(t, key, hash, ts_ns);
}

static void refuse(struct fragment_table *t, struct datagram *d, enum tally_cause cause,
                   struct tally *tally)
{
    tally->n[cause] += d->n_pieces + 1;
    drop_pieces(t, d);
    d->refused = true;
    d->cause = (uint8_t)cause;
}

int fragment_refuse(struct fragment_table *t, const struct fragment_key *key, int64_t ts_ns,
                    enum tally_cause cause, struct tally *tally)
{
    struct datagram *d = find_or_begin(t, key, ts_ns, 0, tally);
    if (d == NULL)
        return E_NOMEM;
    refuse(t, d, d->refused ? d->cause : cause, tally);
    return 0;
}

enum fit { FIT, FIT_COPY, FIT_WRONG };

static enum fit fits(const struct datagram *d, const struct fragment_piece *piece,
                     struct piece ***ret_at)
{
    uint32_t end = piece->offset + piece->len;
    if (end > DATAGRAM_MAX || piece->len == 0 || (piece->more && piece->len % 8 != 0))
        return FIT_WRONG;
    struct piece **at = (struct piece **)&d->pieces;
    while (*at && (*at)->offset + (*at)->len <= piece->offset)
        at = &(*at)->next;
    struct piece *next = *at;
    if (next && next->offset == piece->offset && next->len == piece->len)
        return memcmp(next->data, piece->ptr, piece->len) == 0 ? FIT_COPY : FIT_WRONG;
    if (next && next->offset < end)
        return FIT_WRONG;
    if (d->n_pieces == FRAGMENT_PIECES_MAX)
        return FIT_WRONG;
    if (piece->more ? d->total && end >= d->total : d->total || next)
        return FIT_WRONG;
    *ret_at = at;
    return FIT;
}

static int insert(struct fragment_table *t, struct datagram *d, struct piece **at,
                  const struct fragment_piece *piece)
{
    struct piece *p = malloc(sizeof *p + piece->len);
    if (p == NULL)
        return E_NOMEM;
    p->offset = piece->offset;
    p->len = piece->len;
    memcpy(p->data, piece->ptr, piece->len);
    p->next = *at;
    *at = p;
    t->held += sizeof *p + p->len;
    d->n_pieces++;
    d->n_bytes += p->len;
    if (!piece->more)
        d->total = piece->offset + piece->len;
    if (piece->offset == 0)
        d->next_protocol = piece->next_protocol;
    return 0;
}

static void assemble(struct fragment_table *t, struct datagram *d, struct fragment_whole *ret)
{
    for (const struct piece *p = d->pieces; p; p = p->next)
        memcpy(t->whole + p->offset, p->data, p->len);
    *ret = (struct fragment_whole){
        .ptr = t->whole,
        .len = d->total,
        .pieces = d->n_pieces,
        .next_protocol = d->next_protocol,
    };
    drop(t, d);
}

int fragment_add(struct fragment_table *t, const struct fragment_key *key, int64_t ts_ns,
                 const struct fragment_piece *piece, struct tally *tally,
                 struct fragment_whole *ret)
{
    struct datagram *d = find_or_begin(t, key, ts_ns, piece->len, tally);
    if (d == NULL)
        return E_NOMEM;
    if (d->refused) {
        tally->n[d->cause]++;
        return 0;
    }
    struct piece **at = NULL;
    switch (fits(d, piece, &at)) {
    case FIT_COPY:
        tally->n[TALLY_DUPLICATE]++;
        return 0;
    case FIT_WRONG:
        refuse(t, d, TALLY_BAD_FRAGMENT, tally);
        return 0;
    case FIT:
        break;
    }
    int rc = insert(t, d, at, piece);
    if (rc < 0)
        return rc;
    if (d->total == 0 || d->n_bytes != d->total)
        return 0;
    assemble(t, d, ret);
    return 1;
}

static void save_datagram(const struct datagram *d, struct buffer *to)
{
    buffer_append(to, d->key.from, 16);
    buffer_append(to, d->key.to, 16);
    buffer_le32(to, d->key.id);
    buffer_u8(to, d->key.protocol);
    buffer_u8(to, d->key.version);
    buffer_le64(to, (uint64_t)d->first_ns);
    buffer_u8(to, d->next_protocol);
    buffer_u8(to, d->refused);
    buffer_u8(to, d->cause);
    buffer_varint(to, d->total);
    buffer_varint(to, d->n_pieces);
    for (const struct piece *p = d->pieces; p; p = p->next) {
        buffer_varint(to, p->offset);
        buffer_varint(to, p->len);
        buffer_append(to, p->data, p->len);
    }
}

void fragment_save(const struct fragment_table *t, struct buffer *to)
{
    uint64_t n = 0;
    for (const struct datagram *d = t->oldest; d; d = d->newer)
        n++;
    buffer_varint(to, n);
    for (const struct datagram *d = t->oldest; d; d = d->newer)
        save_datagram(d, to);
}

static int load_piece(struct fragment_table *t, struct datagram *d, uint64_t total,
                      struct cursor *from)
{
    uint64_t offset = cursor_varint(from), len = cursor_varint(from);
    const uint8_t *data = cursor_take(from, len);
    if (data == NULL || offset > DATAGRAM_MAX || len > DATAGRAM_MAX)
        return E_CORRUPT;
    struct fragment_piece piece = {
        .ptr = data,
        .len = (uint32_t)len,
        .offset = (uint32_t)offset,
        .more = total == 0 || offset + len != total,
        .next_protocol = d->next_protocol,
    };
    struct piece **at = NULL;
    if (fits(d, &piece, &at) != FIT)
        return E_CORRUPT;
    return insert(t, d, at, &piece);
}

/* All but the memory limit is checked as if the pieces came from the wire. */
static int load_datagram(struct fragment_table *t, struct cursor *from)
{
    struct fragment_key key = { 0 };
    const uint8_t *addresses = cursor_take(from, 32);
    if (addresses == NULL)
        return E_CORRUPT;
    memcpy(key.from, addresses, 16);
    memcpy(key.to, addresses + 16, 16);
    key.id = cursor_le32(from);
    key.protocol = cursor_u8(from);
    key.version = cursor_u8(from);
    int64_t first_ns = (int64_t)cursor_le64(from);
    uint8_t next_protocol = cursor_u8(from);
    bool refused = cursor_u8(from);
    uint8_t cause = cursor_u8(from);
    uint64_t total = cursor_varint(from), n = cursor_varint(from);
    if (from->failed || cause >= TALLY_CAUSES || total > DATAGRAM_MAX || n > FRAGMENT_PIECES_MAX)
        return E_CORRUPT;
    struct tally nowhere = { 0 };
    evict(t, sizeof(struct datagram), &nowhere);
    uint64_t hash = hash_memory(&key, sizeof key, t->secret);
    struct datagram *d = find(t, &key, hash) ? NULL : begin(t, &key, hash, first_ns);
    if (d == NULL)
        return E_CORRUPT;
    d->next_protocol = next_protocol;
    d->refused = refused;
    d->cause = cause;
    for (; n > 0; n--) {
        int rc = load_piece(t, d, total, from);
        if (rc < 0)
            return rc;
    }
    if (d->total != total && !refused)
        return E_CORRUPT;
    d->total = (uint32_t)total;
    return d->total && d->n_bytes == d->total ? E_CORRUPT : 0;
}

int fragment_load(struct fragment_table *t, struct cursor *from)
{
    uint64_t n = cursor_varint(from);
    for (; n > 0; n--) {
        int rc = from->failed ? E_CORRUPT : load_datagram(t, from);
        if (rc < 0)
            return rc;
    }
    return from->failed ? E_CORRUPT : 0;
}
