#include "observe/pair.h"

#include <stdlib.h>

enum { PAIR_START = 1 << 10, SAVED_BYTES = 24 };
#define PAIR_NONE UINT32_MAX

static int allocate(struct pair *pair, uint32_t size)
{
    pair->ring = malloc(size * sizeof *pair->ring);
    pair->chains = malloc(size * sizeof *pair->chains);
    if (pair->ring == NULL || pair->chains == NULL)
        return E_NOMEM;
    memset(pair->chains, 0xff, size * sizeof *pair->chains);
    pair->mask = size - 1;
    pair->first = pair->last = 0;
    return E_OK;
}

int pair_init(struct pair *pair, int64_t timeout_ns)
{
    *pair = (struct pair){ .timeout_ns = timeout_ns };
    int err = allocate(pair, PAIR_START);
    if (err)
        pair_release(pair);
    return err;
}

void pair_release(struct pair *pair)
{
    free(pair->ring);
    free(pair->chains);
    pair->ring = NULL;
    pair->chains = NULL;
}

static uint32_t *chain_of(struct pair *pair, struct pair_key key)
{
    return &pair->chains[(key.low ^ key.high >> 32) & pair->mask];
}

static void append(struct pair *pair, struct pair_key key, int64_t ts_ns)
{
    uint32_t at = (uint32_t)(pair->last++ & pair->mask);
    pair->ring[at] = (struct pair_waiting){ key, ts_ns, PAIR_NONE, true };
    uint32_t *link = chain_of(pair, key);
    while (*link != PAIR_NONE)
        link = &pair->ring[*link].next;
    *link = at;
}

static void unlink_entry(struct pair *pair, uint32_t at)
{
    uint32_t *link = chain_of(pair, pair->ring[at].key);
    while (*link != at)
        link = &pair->ring[*link].next;
    *link = pair->ring[at].next;
    pair->ring[at].waiting = false;
}

static bool drop_front(struct pair *pair)
{
    uint32_t at = (uint32_t)(pair->first++ & pair->mask);
    bool waited = pair->ring[at].waiting;
    if (waited)
        unlink_entry(pair, at);
    return waited;
}

static int make_room(struct pair *pair)
{
    if (pair->last - pair->first <= pair->mask)
        return E_OK;
    if (pair->mask + 1 >= PAIR_WAITING_MAX) {
        pair->evicted += drop_front(pair);
        return E_OK;
    }
    struct pair old = *pair;
    int err = allocate(pair, 2 * (old.mask + 1));
    if (err) {
        pair_release(pair);
        *pair = old;
        return err;
    }
    for (uint64_t i = old.first; i < old.last; i++) {
        const struct pair_waiting *w = &old.ring[i & old.mask];
        if (w->waiting)
            append(pair, w->key, w->ts_ns);
    }
    pair_release(&old);
    return E_OK;
}

int pair_query(struct pair *pair, struct pair_key key, int64_t ts_ns)
{
    int err = make_room(pair);
    if (err == E_OK)
        append(pair, key, ts_ns);
    return err;
}

bool pair_response(struct pair *pair, struct pair_key key, int64_t ts_ns, int64_t *ret_asked_ns)
{
    for (uint32_t at = *chain_of(pair, key); at != PAIR_NONE; at = pair->ring[at].next) {
        const struct pair_waiting *w = &pair->ring[at];
        if (w->key.low != key.low || w->key.high != key.high || time_since(ts_ns, w->ts_ns) > pair->timeout_ns)
            continue;
        *ret_asked_ns = w->ts_ns;
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

void pair_save(const struct pair *pair, struct buffer *to)
{
    uint32_t n = 0;
    for (uint64_t i = pair->first; i < pair->last; i++)
        n += pair->ring[i & pair->mask].waiting;
    buffer_le32(to, n);
    for (uint64_t i = pair->first; i < pair->last; i++) {
        const struct pair_waiting *w = &pair->ring[i & pair->mask];
        if (!w->waiting)
            continue;
        buffer_le64(to, w->key.low);
        buffer_le64(to, w->key.high);
        buffer_le64(to, (uint64_t)w->ts_ns);
    }
}

int pair_load(struct pair *pair, struct cursor *from)
{
    uint32_t n = cursor_le32(from);
    if (cursor_left(from) / SAVED_BYTES < n)
        return E_CORRUPT;
    while (n-- > 0) {
        struct pair_key key = { cursor_le64(from), cursor_le64(from) };
        int err = pair_query(pair, key, (int64_t)cursor_le64(from));
        if (err)
            return err;
    }
    return from->failed ? E_CORRUPT : E_OK;
}
