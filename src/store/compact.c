/* Rewriting tables: writing from runs, merging periods, purging.
 *
 * A rewrite reads its inputs through handles, writes new files under new ids, and
 * takes effect by one commit. Its inputs are `busy` meanwhile: retention (expire.c) leaves them alone and
 * a purge waits for them. Dying anywhere before the commit loses nothing but the new files.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/compare.h"
#include "store/inside.h"

static int64_t floor_to(int64_t at, int64_t step)
{
    int64_t rest = at % step;
    return at - (rest < 0 ? rest + step : rest);
}

static int64_t month_start(int64_t at, int months_on)
{
    struct tm tm;
    time_t t = at;
    if (gmtime_r(&t, &tm) == NULL)
        return at;
    struct tm first = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + months_on, .tm_mday = 1 };
    return timegm(&first);
}

int64_t period_start(enum store_tier tier, int64_t at)
{
    switch (tier) {
    case TIER_HOUR:
        return floor_to(at, 3600);
    case TIER_DAY:
        return floor_to(at, 86400);
    case TIER_MONTH:
        return month_start(at, 0);
    default:
        return at;
    }
}

int64_t period_end(enum store_tier tier, int64_t start)
{
    switch (tier) {
    case TIER_HOUR:
        return start + 3600;
    case TIER_DAY:
        return start + 86400;
    case TIER_MONTH:
        return month_start(start, 1);
    default:
        return start + 60; /* no slot is shorter than this matters for */
    }
}

struct pace {
    uint64_t bytes_per_s, bytes;
    struct timespec started;
};

static void keep_pace(struct pace *p, uint64_t bytes)
{
    p->bytes += bytes;
    if (p->bytes_per_s == 0 || p->bytes < 1 << 20)
        return;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t gone = (now.tv_sec - p->started.tv_sec) * INT64_C(1000000000) + now.tv_nsec - p->started.tv_nsec;
    int64_t due = (int64_t)((double)p->bytes / (double)p->bytes_per_s * 1e9);
    if (due > gone) {
        struct timespec wait = { (due - gone) / 1000000000, (due - gone) % 1000000000 };
        nanosleep(&wait, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &p->started);
    p->bytes = 0;
}

/* Every value begins with its times. */
static bool widen(struct store_table *t, struct slice value)
{
    struct cursor c = cursor_over(value.ptr, value.len);
    uint64_t first = cursor_varint(&c), last = first + cursor_varint(&c);
    if (c.failed || last < first || last > INT64_MAX)
        return false;
    if ((int64_t)first < t->from)
        t->from = (int64_t)first;
    if ((int64_t)last > t->to)
        t->to = (int64_t)last;
    return true;
}

static int add_entry(struct table_writer *w, struct store_table *t, struct slice key, struct slice value, struct fault *why)
{
    if (!widen(t, value))
        return fault_set(why, E_MALFORMED, "%s value without times", record_kinds[t->kind].name);
    t->entries++;
    return table_writer_add(w, key, value, why);
}

static int copy_entries(struct table_writer *w, struct store_table *t, struct merge *m, struct table_build *b,
                        struct fault *why)
{
    struct pace pace = { .bytes_per_s = b->bytes_per_s };
    clock_gettime(CLOCK_MONOTONIC, &pace.started);
    for (;;) {
        struct slice key, value;
        int r = merge_next(m, &key, &value, why);
        if (r < 0 || key.ptr == NULL)
            return r;
        keep_pace(&pace, key.len + value.len);
        if (b->drop && b->drop(b->ctx, key)) {
            b->dropped++;
            continue;
        }
        r = add_entry(w, t, key, value, why);
        if (r < 0)
            return r;
    }
}

/* The entry that is being made of several that come one after another. */
struct rolling {
    struct buffer key, value;           /* so far; empty at the start */
    struct buffer next_key, next_value; /* what the next one makes */
    struct buffer both;
};

static void swap_buffers(struct buffer *a, struct buffer *b)
{
    struct buffer c = *a;
    *a = *b;
    *b = c;
}

static struct slice all_of(const struct buffer *b)
{
    return (struct slice){ b->ptr, b->len };
}

/* What is finished by the next one goes to the table. */
static int roll_on(struct rolling *g, struct table_writer *w, struct store_table *t, struct fault *why)
{
    int r = 0;
    if (g->key.len != 0 && slice_compare(all_of(&g->key), all_of(&g->next_key)) == 0) {
        buffer_clear(&g->both);
        r = record_kinds[t->kind].merge(all_of(&g->value), all_of(&g->next_value), &g->both);
        swap_buffers(&g->value, &g->both);
        return r < 0 ? fault_set(why, r, "%s value cannot be merged", record_kinds[t->kind].name) : 0;
    }
    if (g->key.len != 0)
        r = add_entry(w, t, all_of(&g->key), all_of(&g->value), why);
    swap_buffers(&g->key, &g->next_key);
    swap_buffers(&g->value, &g->next_value);
    return r;
}

static int roll_all(struct rolling *g, struct table_writer *w, struct store_table *t, struct merge *m, struct table_build *b,
                    struct fault *why)
{
    struct pace pace = { .bytes_per_s = b->bytes_per_s };
    struct slice key, value;
    clock_gettime(CLOCK_MONOTONIC, &pace.started);
    for (;;) {
        int r = merge_next(m, &key, &value, why);
        if (r < 0 || key.ptr == NULL)
            return r < 0 || g->key.len == 0 ? r : add_entry(w, t, all_of(&g->key), all_of(&g->value), why);
        keep_pace(&pace, key.len + value.len);
        buffer_clear(&g->next_key);
        buffer_clear(&g->next_value);
        r = m->kind->roll(key, value, &g->next_key, &g->next_value);
        if (r < 0)
            return fault_set(why, r, "a record in a %s table does not parse; run dnsmon fsck", m->kind->name);
        r = roll_on(g, w, t, why);
        if (r < 0)
            return r;
    }
}

static int roll_entries(struct table_writer *w, struct store_table *t, struct merge *m, struct table_build *b, struct fault *why)
{
    struct rolling g;
    struct buffer *all[] = { &g.key, &g.value, &g.next_key, &g.next_value, &g.both };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_init(all[i], TABLE_KEY_MAX);
    int r = roll_all(&g, w, t, m, b, why);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buffer_release(all[i]);
    return r;
}

static int finish(struct table_writer *w, struct store_table *t, struct fault *why)
{
    struct table_written done;
    if (t->entries == 0) {
        t->from = t->to = t->slot;
        return 0;
    }
    int r = table_writer_finish(w, &done, why);
    if (r < 0)
        return r;
    t->bytes = done.bytes;
    t->filter_bytes = done.filter_bytes;
    t->trailer_hash = done.trailer_hash;
    return 0;
}

/* Hours live for a day: zstd took a quarter less room and 4 % of ingest. */
static enum table_compression compression_of(uint8_t tier)
{
    return tier <= TIER_HOUR ? TABLE_LZ4 : TABLE_ZSTD;
}

int build_table(struct store *s, struct store_table *t, struct merge *m, struct table_build *b, struct fault *why)
{
    char path[PATH_BYTES];
    struct table_writer *w;
    t->from = INT64_MAX;
    t->to = INT64_MIN;
    t->entries = t->bytes = t->filter_bytes = t->trailer_hash = 0;
    table_path(s->dir, t, path);
    int r = merge_start(m, why);
    if (r == 0)
        r = table_writer_create(&w, path, &record_kinds[t->kind], compression_of(t->tier), why);
    if (r < 0)
        return r;
    r = (m->kind == &record_kinds[t->kind] ? copy_entries : roll_entries)(w, t, m, b, why);
    if (r == 0)
        r = finish(w, t, why);
    table_writer_destroy(&w);
    return r;
}

int store_write_table(struct store *s, struct store_table *table, const struct store_run *runs, size_t n_runs,
                      struct fault *why)
{
    if (s->mode != STORE_WRITE || table->kind >= KINDS || table->tier >= TIERS)
        return fault_set(why, E_USAGE, "%s: opened for reading, or no such kind or tier", s->dir);
    struct merge m;
    struct table_build b = { 0 };
    struct store_table t = *table;
    int r = 0;
    t.id = store_new_id(s);
    merge_init(&m);
    merge_clear(&m, &record_kinds[t.kind]);
    for (size_t i = 0; i < n_runs && r == 0; i++)
        r = merge_add_run(&m, runs[i].bytes, runs[i].len, why);
    if (r == 0)
        r = build_table(s, &t, &m, &b, why);
    merge_release(&m);
    if (r == 0)
        *table = t;
    return r;
}

static struct handle *find_handle(const struct snapshot *p, uint64_t id)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->handles[i]->table.id == id)
            return p->handles[i];
    return NULL;
}

void inputs_close(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        table_cursor_release(&in->cursors[i]);
    free(in->cursors);
    merge_release(&in->merge);
    snapshot_drop(&in->snapshot);
}

int inputs_open(struct inputs *in, struct store *s, const uint64_t *ids, size_t n, struct fault *why)
{
    *in = (struct inputs){ .snapshot = snapshot_hold(s) };
    merge_init(&in->merge);
    in->cursors = calloc(n, sizeof *in->cursors);
    int r = in->cursors ? 0 : fault_set(why, E_NOMEM, "out of memory");
    for (size_t i = 0; i < n && r == 0; i++) {
        struct table_reader *reader;
        struct handle *h = find_handle(in->snapshot, ids[i]);
        r = h ? handle_reader(h, &reader, why) : fault_set(why, E_ABSENT, "table %" PRIu64 " is gone", ids[i]);
        if (r < 0)
            break;
        if (i == 0)
            merge_clear(&in->merge, &record_kinds[h->table.kind]);
        struct table_cursor *c = &in->cursors[in->n++];
        table_cursor_attach(c, reader);
        r = table_cursor_first(c, why);
        if (r == 0)
            r = merge_add_table(&in->merge, c, why);
    }
    if (r < 0)
        inputs_close(in);
    return r;
}

bool is_busy(const struct store *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_busy; i++)
        if (s->busy[i] == id)
            return true;
    return false;
}

void unmark_busy(struct store *s, const uint64_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < s->n_busy; k++)
            if (s->busy[k] == ids[i]) {
                s->busy[k] = s->busy[--s->n_busy];
                break;
            }
    if (s->n_busy == 0)
        pthread_cond_broadcast(&s->idle);
}

static bool is_in_period(const struct store_table *t, const struct store_merge *m)
{
    return t->kind == m->kind && period_start(m->tier, t->slot) == m->slot;
}

/* Tables of the result's own tier and period. Late slots would write the large one again and again,
 * so a merge takes only those that are not over PEER_RATIO times what is merged with them. Each that
 * is left is larger than PEER_RATIO times all smaller ones: there are log5(largest / smallest) + 1 of
 * them, and never more than PEERS_MAX + 1. */
enum { PEERS_MAX = 31, PEER_RATIO = 4 };

struct peer {
    uint64_t id, bytes;
};

struct peers {
    struct peer at[PEERS_MAX];
    size_t n;
};

static int compare_peers(const void *a, const void *b)
{
    return compare_u64(&((const struct peer *)a)->bytes, &((const struct peer *)b)->bytes);
}

/* How many, the smallest first, are merged with `*bytes` from below; adds theirs. */
static size_t take_peers(struct peers *p, uint64_t *bytes)
{
    uint64_t sum = *bytes;
    size_t taken = 0;
    qsort(p->at, p->n, sizeof p->at[0], compare_peers);
    for (size_t i = 0; i < p->n; i++) {
        uint64_t before = sum;
        sum += p->at[i].bytes;
        if (p->at[i].bytes / PEER_RATIO <= before) {
            taken = i + 1;
            *bytes = sum;
        }
    }
    return taken;
}

/* Adds an input unless it is busy. */
static bool add_input(const struct store *s, uint64_t id, uint64_t *ids, size_t *n)
{
    if (is_busy(s, id))
        return false;
    if (s->n_busy + *n < BUSY_MAX) /* the rest another time */
        ids[(*n)++] = id;
    return true;
}

/* Fills ids (room BUSY_MAX) with the inputs; 0 when there is nothing of the lower tier, or it is busy. */
static size_t collect(const struct store *s, const struct store_merge *m, uint64_t *ids, uint64_t *ret_bytes)
{
    struct peers peers = { .n = 0 };
    size_t n = 0;
    bool lower = false;
    *ret_bytes = 0;
    for (size_t i = 0; i < s->catalog.n_tables; i++) {
        const struct store_table *t = &s->catalog.tables[i];
        bool peer = t->tier == m->tier;
        if (!is_in_period(t, m) || (!peer && t->tier + 1 != m->tier))
            continue;
        if (t->open)
            return 0; /* its slot is not finished */
        if (peer && peers.n < PEERS_MAX) {
            peers.at[peers.n++] = (struct peer){ t->id, t->bytes };
            continue;
        }
        if (!add_input(s, t->id, ids, &n))
            return 0;
        lower = lower || !peer;
        *ret_bytes += t->bytes;
    }
    size_t taken = lower ? take_peers(&peers, ret_bytes) : 0;
    for (size_t i = 0; i < taken; i++)
        if (!add_input(s, peers.at[i].id, ids, &n))
            return 0;
    return lower ? n : 0;
}

static bool is_listed(const struct store_merge *list, size_t n, const struct store_merge *m)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == m->kind && list[i].tier == m->tier && list[i].slot == m->slot)
            return true;
    return false;
}

/* Lower tiers first: an hour must be whole before its day. */
static size_t list_due(struct store *s, enum store_tier tier, struct store_merge *ret, size_t n, size_t room)
{
    uint64_t *ids = malloc(BUSY_MAX * sizeof *ids);
    for (size_t i = 0; ids && i < s->catalog.n_tables && n < room; i++) {
        const struct store_table *t = &s->catalog.tables[i];
        if (t->tier + 1 != tier || t->open)
            continue;
        struct store_merge m = { .kind = t->kind, .tier = tier, .slot = period_start(tier, t->slot) };
        if (period_end(tier, m.slot) > s->catalog.watermark || is_listed(ret, n, &m))
            continue;
        if (collect(s, &m, ids, &m.bytes))
            ret[n++] = m;
    }
    free(ids);
    return n;
}

size_t store_due_merges(struct store *s, struct store_merge *ret, size_t room)
{
    size_t n = 0;
    pthread_mutex_lock(&s->mutex);
    for (enum store_tier tier = TIER_HOUR; tier < TIERS && !s->purging; tier++)
        n = list_due(s, tier, ret, n, room);
    pthread_mutex_unlock(&s->mutex);
    return n;
}

/* What a merge of one table would write is in that table already: it gets another name. Where it would not be the
 * same, or there can be no other name, false. */
static bool promote(struct store *s, uint64_t id, struct store_table *t)
{
    struct snapshot *snapshot = snapshot_hold(s);
    const struct handle *h = find_handle(snapshot, id);
    bool done = false;
    if (h != NULL && compression_of(h->table.tier) == compression_of(t->tier)) {
        struct store_table to = h->table;
        to.id = t->id;
        to.tier = t->tier;
        to.slot = t->slot;
        done = link_table(s->dir, &h->table, &to);
        *t = done ? to : *t;
    }
    snapshot_drop(&snapshot);
    return done;
}

static int rewrite(struct store *s, struct store_table *t, const uint64_t *ids, size_t n, struct fault *why)
{
    struct inputs in;
    struct table_build b = { .bytes_per_s = s->options.merge_bytes_per_s };
    int r = inputs_open(&in, s, ids, n, why);
    if (r < 0)
        return r;
    r = build_table(s, t, &in.merge, &b, why);
    inputs_close(&in);
    return r;
}

static int merge_tables(struct store *s, const struct store_merge *merge, const uint64_t *ids, size_t n,
                        struct store_table *ret, struct fault *why)
{
    struct store_table t = { .id = store_new_id(s), .kind = merge->kind, .tier = merge->tier, .slot = merge->slot };
    int r = n == 1 && promote(s, ids[0], &t) ? 0 : rewrite(s, &t, ids, n, why);
    if (r == 0)
        *ret = t;
    return r;
}

static size_t begin_merge(struct store *s, const struct store_merge *merge, uint64_t *ids)
{
    uint64_t bytes;
    pthread_mutex_lock(&s->mutex);
    size_t n = s->purging ? 0 : collect(s, merge, ids, &bytes);
    for (size_t i = 0; i < n; i++)
        s->busy[s->n_busy++] = ids[i];
    pthread_mutex_unlock(&s->mutex);
    return n;
}

int store_run_merge(struct store *s, const struct store_merge *merge, struct fault *why)
{
    uint64_t *ids = malloc(BUSY_MAX * sizeof *ids);
    if (ids == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    struct store_table t = { 0 };
    int r = 0;
    size_t n = begin_merge(s, merge, ids);
    if (n)
        r = merge_tables(s, merge, ids, n, &t, why);
    pthread_mutex_lock(&s->mutex);
    if (n && r == 0) {
        struct delta d = { .change = { .add = &t, .n_add = t.entries > 0, .remove = ids, .n_remove = n } };
        r = commit_locked(s, &d, why);
        if (r < 0)
            store_discard(s, &t, 1);
    }
    unmark_busy(s, ids, n);
    pthread_mutex_unlock(&s->mutex);
    free(ids);
    return r;
}

struct purge {
    const struct record_kind *kind;
    struct slice prefix; /* of owner keys; without its last 00 for a subtree */
    bool subtree;
    struct store_table *add;
    uint64_t *remove;
    size_t n_add, n_remove;
    uint64_t entries;
};

static bool is_purged(void *ctx, struct slice key)
{
    const struct purge *p = ctx;
    uint8_t scratch[OWNER_KEY_MAX];
    struct slice owner;
    if (!p->kind->owner(key, scratch, &owner))
        return false;
    if (!p->subtree)
        return slice_compare(owner, p->prefix) == 0;
    return owner.len >= p->prefix.len && memcmp(owner.ptr, p->prefix.ptr, p->prefix.len) == 0;
}

static int holds_purged(struct store *s, const struct store_table *t, struct purge *p, bool *ret, struct fault *why)
{
    struct inputs in;
    struct slice key, value;
    int r = inputs_open(&in, s, &t->id, 1, why);
    if (r < 0)
        return r;
    r = merge_start(&in.merge, why);
    *ret = false;
    while (r == 0 && !*ret) {
        r = merge_next(&in.merge, &key, &value, why);
        if (r < 0 || key.ptr == NULL)
            break;
        *ret = is_purged(p, key);
    }
    inputs_close(&in);
    return r;
}

static int purge_table(struct store *s, const struct store_table *old, struct purge *p, struct fault *why)
{
    bool holds;
    p->kind = &record_kinds[old->kind];
    int r = holds_purged(s, old, p, &holds, why);
    if (r < 0 || !holds)
        return r;
    struct inputs in;
    struct table_build b = { .drop = is_purged, .ctx = p };
    struct store_table t = *old;
    t.id = store_new_id(s);
    r = inputs_open(&in, s, &old->id, 1, why);
    if (r < 0)
        return r;
    r = build_table(s, &t, &in.merge, &b, why);
    inputs_close(&in);
    if (r < 0)
        return r;
    p->remove[p->n_remove++] = old->id;
    if (t.entries)
        p->add[p->n_add++] = t;
    p->entries += b.dropped;
    return 0;
}

static int purge_all(struct store *s, struct purge *p, struct fault *why)
{
    int r = 0;
    struct snapshot *snapshot = snapshot_hold(s);
    p->add = calloc(snapshot->n + 1, sizeof *p->add);
    p->remove = calloc(snapshot->n + 1, sizeof *p->remove);
    if (!p->add || !p->remove)
        r = fault_set(why, E_NOMEM, "out of memory");
    for (size_t i = 0; i < snapshot->n && r == 0; i++)
        r = purge_table(s, &snapshot->handles[i]->table, p, why);
    snapshot_drop(&snapshot);
    if (r == 0 && p->n_remove) {
        struct store_change change = { .add = p->add, .n_add = p->n_add, .remove = p->remove, .n_remove = p->n_remove };
        r = store_commit(s, &change, why);
    }
    if (r < 0 && p->add)
        store_discard(s, p->add, p->n_add);
    free(p->add);
    free(p->remove);
    return r;
}

int store_purge(struct store *s, struct slice owner, bool subtree, uint64_t *ret_removed, struct fault *why)
{
    if (s->mode != STORE_WRITE || owner.len == 0)
        return fault_set(why, E_USAGE, "%s: opened for reading, or no owner", s->dir);
    struct purge p = { .prefix = { owner.ptr, owner.len - subtree }, .subtree = subtree };
    pthread_mutex_lock(&s->mutex);
    while (s->purging || s->n_busy)
        pthread_cond_wait(&s->idle, &s->mutex);
    s->purging = true;
    pthread_mutex_unlock(&s->mutex);
    int r = purge_all(s, &p, why);
    pthread_mutex_lock(&s->mutex);
    s->purging = false;
    pthread_cond_broadcast(&s->idle);
    pthread_mutex_unlock(&s->mutex);
    if (r == 0 && ret_removed)
        *ret_removed = p.entries;
    return r;
}
