#include "observe/pair.h"

#include <stdlib.h>

#include "dns/name.h"

enum { PAIR_START = 1 << 10, NAME_BYTES_START = PAIR_START * 32, SAVED_BYTES = 38 };
#define PAIR_NONE UINT32_MAX

static int allocate(struct pair *pair, uint32_t size, uint32_t name_bytes)
{
    pair->ring = malloc(size * sizeof *pair->ring);
    pair->chains = malloc(size * sizeof *pair->chains);
    pair->names = malloc(name_bytes);
    if (pair->ring == NULL || pair->chains == NULL || pair->names == NULL)
        return E_NOMEM;
    memset(pair->chains, 0xff, size * sizeof *pair->chains);
    pair->mask = size - 1;
    pair->names_mask = name_bytes - 1;
    pair->first = pair->last = pair->names_first = pair->names_last = 0;
    return E_OK;
}

int pair_init(struct pair *pair, int64_t timeout_ns, pair_lost lost, void *lost_ctx)
{
    *pair = (struct pair){ .timeout_ns = timeout_ns, .lost = lost, .lost_ctx = lost_ctx };
    int err = allocate(pair, PAIR_START, NAME_BYTES_START);
    if (err)
        pair_release(pair);
    return err;
}

void pair_release(struct pair *pair)
{
    free(pair->ring);
    free(pair->chains);
    free(pair->names);
    pair->ring = NULL;
    pair->chains = NULL;
    pair->names = NULL;
}

static uint32_t *chain_of(struct pair *pair, struct pair_key key)
{
    return &pair->chains[(key.low ^ key.high >> 32) & pair->mask];
}

/* Unused bytes at the end of the ring of names, when a name of `len` does not fit there. */
static uint32_t padding(const struct pair *pair, uint8_t len)
{
    uint32_t at = (uint32_t)pair->names_last & pair->names_mask;
    return at + len > pair->names_mask + 1 ? pair->names_mask + 1 - at : 0;
}

static bool has_place(const struct pair *pair)
{
    return pair->last - pair->first <= pair->mask;
}

static bool has_name_bytes(const struct pair *pair, uint8_t len)
{
    return pair->names_last + padding(pair, len) + len - pair->names_first <= pair->names_mask + UINT64_C(1);
}

static void append(struct pair *pair, struct pair_key key, const struct pair_asked *asked)
{
    uint32_t *link = chain_of(pair, key);
    __builtin_prefetch(link, 1); /* cold; what is written first takes some of the time */
    uint32_t at = (uint32_t)(pair->last++ & pair->mask);
    pair->names_last += padding(pair, asked->qname_len);
    uint32_t name_at = (uint32_t)pair->names_last & pair->names_mask;
    pair->names_last += asked->qname_len;
    short_copy(pair->names + name_at, asked->qname, asked->qname_len);
    pair->ring[at] = (struct pair_waiting){
        .key = key, .ts_ns = asked->ts_ns, .client = asked->client, .next = PAIR_NONE, .name_at = name_at,
        .qtype = asked->qtype, .bytes = asked->bytes, .name_len = asked->qname_len, .flags = asked->flags & PAIR_FLAGS,
        .waiting = 1,
    };
    while (*link != PAIR_NONE)
        link = &pair->ring[*link].next;
    *link = at;
}

static struct pair_asked asked_of(const struct pair *pair, const struct pair_waiting *w)
{
    return (struct pair_asked){ .ts_ns = w->ts_ns, .client = w->client, .qname = pair->names + w->name_at,
                                .qname_len = w->name_len, .flags = w->flags, .qtype = w->qtype, .bytes = w->bytes };
}

static void unlink_entry(struct pair *pair, uint32_t at)
{
    uint32_t *link = chain_of(pair, pair->ring[at].key);
    while (*link != at)
        link = &pair->ring[*link].next;
    *link = pair->ring[at].next;
    pair->ring[at].waiting = 0;
}

/* Whether it was waiting, and was told as lost. */
static bool drop_front(struct pair *pair)
{
    uint32_t at = (uint32_t)(pair->first++ & pair->mask);
    const struct pair_waiting *w = &pair->ring[at];
    bool waited = w->waiting;
    if (waited) {
        unlink_entry(pair, at);
        struct pair_asked asked = asked_of(pair, w);
        if (pair->lost)
            pair->lost(pair->lost_ctx, &asked);
    }
    pair->names_first += (w->name_at + w->name_len - (uint32_t)pair->names_first) & pair->names_mask;
    if (pair->first == pair->last) /* padding in front of a name to come would be in use for nobody */
        pair->names_first = pair->names_last = 0;
    return waited;
}

static int resize(struct pair *pair, uint32_t size, uint32_t name_bytes)
{
    struct pair old = *pair;
    int err = allocate(pair, size, name_bytes);
    if (err) {
        pair_release(pair);
        *pair = old;
        return err;
    }
    for (uint64_t i = old.first; i < old.last; i++) {
        const struct pair_waiting *w = &old.ring[i & old.mask];
        struct pair_asked asked = asked_of(&old, w);
        if (w->waiting)
            append(pair, w->key, &asked);
    }
    pair_release(&old);
    return E_OK;
}

/* A ring that is full doubles up to its bound; there the oldest goes. */
static int make_room(struct pair *pair, uint8_t name_len)
{
    for (;;) {
        uint32_t size = pair->mask + 1, name_bytes = pair->names_mask + 1;
        bool crowded = !has_place(pair), names_crowded = !has_name_bytes(pair, name_len);
        if (!crowded && !names_crowded)
            return E_OK;
        if ((crowded && size >= PAIR_WAITING_MAX) || (names_crowded && name_bytes >= PAIR_NAME_BYTES_MAX)) {
            pair->evicted += drop_front(pair);
            continue;
        }
        int err = resize(pair, size << crowded, name_bytes << names_crowded);
        if (err)
            return err;
    }
}

int pair_query(struct pair *pair, struct pair_key key, const struct pair_asked *asked)
{
    int err = make_room(pair, asked->qname_len);
    if (err == E_OK)
        append(pair, key, asked);
    return err;
}

bool pair_response(struct pair *pair, struct pair_key key, int64_t ts_ns, struct pair_asked *ret_asked)
{
    for (uint32_t at = *chain_of(pair, key); at != PAIR_NONE; at = pair->ring[at].next) {
        const struct pair_waiting *w = &pair->ring[at];
        if (w->key.low != key.low || w->key.high != key.high || time_since(ts_ns, w->ts_ns) > pair->timeout_ns)
            continue;
        *ret_asked = asked_of(pair, w);
        unlink_entry(pair, at);
        return true;
    }
    return false;
}

void pair_expire(struct pair *pair, int64_t now_ns)
{
    while (pair->first < pair->last) {
        const struct pair_waiting *w = &pair->ring[pair->first & pair->mask];
        if (w->waiting && time_since(now_ns, w->ts_ns) <= pair->timeout_ns)
            break;
        pair->unanswered += drop_front(pair);
    }
}

static void save_waiting(const struct pair *pair, const struct pair_waiting *w, struct buffer *to)
{
    uint8_t *p = buffer_reserve(to, SAVED_BYTES + w->name_len);
    if (p == NULL)
        return;
    put_le64(p, w->key.low);
    put_le64(p + 8, w->key.high);
    put_le64(p + 16, (uint64_t)w->ts_ns);
    put_le64(p + 24, w->client);
    put_le32(p + 32, w->qtype | (uint32_t)w->bytes << 16);
    p[36] = w->flags;
    p[37] = w->name_len;
    memcpy(p + SAVED_BYTES, pair->names + w->name_at, w->name_len);
    to->len += SAVED_BYTES + w->name_len;
}

uint64_t pair_count_waiting(const struct pair *pair)
{
    uint64_t n = 0;
    for (uint64_t at = pair->first; at < pair->last; at++)
        n += pair->ring[at & pair->mask].waiting;
    return n;
}

void pair_save(const struct pair *pair, struct buffer *to)
{
    uint32_t n = 0;
    for (uint64_t i = pair->first; i < pair->last; i++)
        n += pair->ring[i & pair->mask].waiting;
    buffer_le32(to, n);
    for (uint64_t i = pair->first; i < pair->last; i++)
        if (pair->ring[i & pair->mask].waiting)
            save_waiting(pair, &pair->ring[i & pair->mask], to);
}

static int load_waiting(struct pair *pair, struct cursor *from)
{
    const uint8_t *p = cursor_take(from, SAVED_BYTES);
    const uint8_t *name = p ? cursor_take(from, p[37]) : NULL;
    if (name == NULL || (p[37] && name_wire_length(name, p[37]) != p[37]) || p[36] & ~PAIR_FLAGS)
        return E_CORRUPT;
    struct pair_key key = { get_le64(p), get_le64(p + 8) };
    struct pair_asked asked = {
        .ts_ns = (int64_t)get_le64(p + 16), .client = get_le64(p + 24), .qname = name, .qname_len = p[37],
        .flags = p[36], .qtype = get_le16(p + 32), .bytes = get_le16(p + 34),
    };
    if (pair->names_last + asked.qname_len > PAIR_NAME_BYTES_MAX) /* more than ever waited */
        return E_CORRUPT;
    return pair_query(pair, key, &asked);
}

int pair_load(struct pair *pair, struct cursor *from)
{
    uint32_t n = cursor_le32(from);
    if (from->failed || n > PAIR_WAITING_MAX || cursor_left(from) / SAVED_BYTES < n)
        return E_CORRUPT;
    while (n-- > 0) {
        int err = load_waiting(pair, from);
        if (err)
            return err;
    }
    return E_OK;
}
