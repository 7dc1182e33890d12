#include "observe/fold.h"

#include <stdlib.h>

#include "base/compare.h"
#include "base/hash.h"
#include "base/keysort.h"
#include "observe/observation.h"

enum { ARENA_CHUNK = 1 << 18, TABLE_START = 1 << 10 };
enum name_class { CLASS_EXISTS, CLASS_ABSENT, NAME_CLASSES };

struct record {
    struct record *next; /* of the same owner */
    struct owner *owner;
    uint64_t hash;
    struct rr_value value;
    uint16_t type;
    uint16_t subtype;
    uint16_t rdata_len;
    uint8_t about;
    bool dropped; /* beyond the limit: counted under the collapsed record */
    uint8_t rdata[];
};

struct owner {
    struct owner *next; /* of the same domain and class */
    struct domain *domain;
    struct record *records;   /* kept ones */
    struct record *collapsed; /* RR_COLLAPSED_RDATA, one a type that is over the limit */
    uint64_t hash;   /* in-memory */
    uint64_t rank;   /* stable: decides who stays */
    uint32_t n_records;
    uint32_t trim_at;
    uint16_t key_len;
    uint8_t class;
    bool dropped;
    uint8_t key[];
};

struct domain {
    struct domain *next; /* all of the fold */
    struct owner *owners[NAME_CLASSES];
    uint32_t n_owners[NAME_CLASSES];
    uint64_t threshold[NAME_CLASSES]; /* 0: no limit reached */
    struct rr_value collapsed[NAME_CLASSES];
    uint64_t hash;
    uint16_t key_len; /* without the final 00 */
    uint8_t key[];
};

/* Open addressing, linear probing, at most half full. */
struct entry {
    uint64_t hash;
    void *item;
};

struct table {
    struct entry *entries;
    size_t mask;
    size_t used;
};

struct fold {
    const struct suffix_list *suffixes;
    struct distinct *distinct;
    struct arena arena;
    struct table owners, records, domains;
    struct domain *all_domains;
    uint64_t secret;
    int64_t from, to;
};

static int table_init(struct table *t, size_t size)
{
    *t = (struct table){ .entries = calloc(size, sizeof *t->entries), .mask = size - 1 };
    return t->entries ? E_OK : E_NOMEM;
}

static void table_clear(struct table *t)
{
    if (t->used > 0)
        memset(t->entries, 0, (t->mask + 1) * sizeof *t->entries);
    t->used = 0;
}

/* Keeps room for one more entry. */
static int table_grow(struct table *t)
{
    if (__builtin_expect(t->used * 2 <= t->mask, 1))
        return E_OK;
    struct table bigger;
    if (table_init(&bigger, 2 * (t->mask + 1)) != E_OK)
        return E_NOMEM;
    for (size_t i = 0; i <= t->mask; i++) {
        if (t->entries[i].item == NULL)
            continue;
        size_t k = t->entries[i].hash & bigger.mask;
        while (bigger.entries[k].item != NULL)
            k = (k + 1) & bigger.mask;
        bigger.entries[k] = t->entries[i];
    }
    bigger.used = t->used;
    free(t->entries);
    *t = bigger;
    return E_OK;
}

int fold_create(struct fold **ret, const struct suffix_list *suffixes, struct distinct *distinct)
{
    struct fold *fold = calloc(1, sizeof *fold);
    if (fold == NULL)
        return E_NOMEM;
    fold->suffixes = suffixes;
    fold->distinct = distinct;
    fold->secret = hash_secret();
    arena_init(&fold->arena, ARENA_CHUNK);
    if (table_init(&fold->owners, TABLE_START) || table_init(&fold->records, TABLE_START) ||
        table_init(&fold->domains, TABLE_START)) {
        fold_destroy(&fold);
        return E_NOMEM;
    }
    fold_reset(fold);
    *ret = fold;
    return E_OK;
}

void fold_destroy(struct fold **pointer)
{
    struct fold *fold = *pointer;
    if (fold == NULL)
        return;
    free(fold->owners.entries);
    free(fold->records.entries);
    free(fold->domains.entries);
    arena_release(&fold->arena);
    free(fold);
    *pointer = NULL;
}

void fold_reset(struct fold *fold)
{
    table_clear(&fold->owners);
    table_clear(&fold->records);
    table_clear(&fold->domains);
    arena_reset(&fold->arena);
    fold->all_domains = NULL;
    fold->from = INT64_MAX;
    fold->to = INT64_MIN;
}

size_t fold_bytes(const struct fold *fold)
{
    size_t entries = fold->owners.mask + fold->records.mask + fold->domains.mask + 3;
    return fold->arena.used + entries * sizeof(struct entry);
}

bool fold_is_empty(const struct fold *fold)
{
    return fold->all_domains == NULL;
}

void fold_span(const struct fold *fold, int64_t *ret_from, int64_t *ret_to)
{
    *ret_from = fold->from;
    *ret_to = fold->to;
}

static struct domain *domain_of(struct fold *fold, const uint8_t *key, size_t len)
{
    size_t registered = 0;
    size_t suffix = suffix_find(fold->suffixes, key, len, &registered);
    size_t n = registered ? registered : suffix;
    uint64_t hash = hash_memory(key, n, fold->secret);
    struct table *t = &fold->domains;
    if (table_grow(t) != E_OK)
        return NULL;
    size_t i = hash & t->mask;
    for (; t->entries[i].item != NULL; i = (i + 1) & t->mask) {
        struct domain *d = t->entries[i].item;
        if (t->entries[i].hash == hash && d->key_len == n && memcmp(d->key, key, n) == 0)
            return d;
    }
    struct domain *d = arena_alloc(&fold->arena, sizeof *d + n);
    if (d == NULL)
        return NULL;
    memset(d, 0, sizeof *d);
    d->next = fold->all_domains;
    d->hash = hash;
    d->key_len = (uint16_t)n;
    memcpy(d->key, key, n);
    fold->all_domains = d;
    t->entries[i] = (struct entry){ hash, d };
    t->used++;
    return d;
}

static void collapse(struct rr_value *into, const struct rr_value *value)
{
    struct rr_value v = *value;
    v.ttl_min = v.ttl_max = 0;
    v.threshold = 0;
    if (into->first == 0 && into->last == 0)
        *into = v;
    else
        rr_value_merge(into, &v);
}

/* Keeps the `limit` owners of smallest rank; the others go to the collapsed child. */
static int trim_names(struct domain *d, unsigned class, unsigned limit)
{
    uint32_t n = d->n_owners[class];
    if (n <= limit)
        return E_OK;
    uint64_t *ranks = malloc(n * sizeof *ranks);
    if (ranks == NULL)
        return E_NOMEM;
    uint32_t i = 0;
    for (struct owner *o = d->owners[class]; o != NULL; o = o->next)
        ranks[i++] = o->rank;
    qsort(ranks, n, sizeof *ranks, compare_u64);
    uint64_t threshold = ranks[limit - 1];
    free(ranks);
    d->threshold[class] = threshold;
    struct owner **link = &d->owners[class];
    for (struct owner *o; (o = *link) != NULL;) {
        if (o->rank <= threshold) {
            link = &o->next;
            continue;
        }
        for (const struct record *r = o->records; r != NULL; r = r->next)
            collapse(&d->collapsed[class], &r->value);
        for (const struct record *r = o->collapsed; r != NULL; r = r->next)
            collapse(&d->collapsed[class], &r->value);
        o->dropped = true;
        *link = o->next;
        d->n_owners[class]--;
    }
    return E_OK;
}

static size_t owner_slot(const struct fold *fold, const uint8_t *key, size_t len, unsigned class, uint64_t hash)
{
    const struct table *t = &fold->owners;
    size_t i = hash & t->mask;
    for (; t->entries[i].item != NULL; i = (i + 1) & t->mask) {
        const struct owner *o = t->entries[i].item;
        if (t->entries[i].hash == hash && o->key_len == len && o->class == class && memcmp(o->key, key, len) == 0)
            break;
    }
    return i;
}

/* The owner, made when new. Where the limit keeps it out, NULL and *ret_domain set. */
static int find_owner(struct fold *fold, const uint8_t *key, size_t len, unsigned class, uint64_t hash,
                      struct owner **ret, struct domain **ret_domain)
{
    if (table_grow(&fold->owners) != E_OK)
        return E_NOMEM;
    size_t i = owner_slot(fold, key, len, class, hash);
    struct owner *o = fold->owners.entries[i].item;
    if (o != NULL) {
        *ret = o->dropped ? NULL : o;
        *ret_domain = o->domain;
        return E_OK;
    }
    struct domain *d = domain_of(fold, key, len);
    if (d == NULL)
        return E_NOMEM;
    uint64_t rank = hash_stable(key, len);
    *ret_domain = d;
    *ret = NULL;
    if (d->threshold[class] != 0 && rank > d->threshold[class])
        return E_OK;
    o = arena_alloc(&fold->arena, sizeof *o + len);
    if (o == NULL)
        return E_NOMEM;
    *o = (struct owner){ .next = d->owners[class], .domain = d, .hash = hash, .rank = rank,
                         .trim_at = 2 * FOLD_RDATA, .key_len = (uint16_t)len, .class = (uint8_t)class };
    memcpy(o->key, key, len);
    d->owners[class] = o;
    d->n_owners[class]++;
    fold->owners.entries[i] = (struct entry){ hash, o };
    fold->owners.used++;
    if (d->n_owners[class] > 2 * FOLD_NAMES) {
        int err = trim_names(d, class, FOLD_NAMES);
        if (err)
            return err;
    }
    *ret = o->dropped ? NULL : o;
    return E_OK;
}

static uint64_t record_hash(const struct fold *fold, uint64_t owner_hash, uint16_t type, uint8_t about,
                            uint16_t subtype, struct slice rdata)
{
    uint64_t seed = owner_hash ^ hash_mix((uint64_t)type << 32 | (uint64_t)about << 16 | subtype);
    return rdata.len ? hash_memory(rdata.ptr, rdata.len, seed) : hash_mix(seed + fold->secret);
}

static int find_record(struct fold *fold, struct owner *o, uint64_t hash, uint16_t type, uint8_t about,
                       uint16_t subtype, struct slice rdata, struct record **ret, bool *ret_new)
{
    struct table *t = &fold->records;
    if (table_grow(t) != E_OK)
        return E_NOMEM;
    size_t i = hash & t->mask;
    *ret_new = false;
    for (; t->entries[i].item != NULL; i = (i + 1) & t->mask) {
        struct record *r = t->entries[i].item;
        if (t->entries[i].hash == hash && r->owner == o && r->type == type && r->about == about &&
            r->subtype == subtype && r->rdata_len == rdata.len &&
            (rdata.len == 0 || memcmp(r->rdata, rdata.ptr, rdata.len) == 0)) {
            *ret = r;
            return E_OK;
        }
    }
    struct record *r = arena_alloc(&fold->arena, sizeof *r + rdata.len);
    if (r == NULL)
        return E_NOMEM;
    *r = (struct record){ .owner = o, .hash = hash, .type = type, .subtype = subtype,
                          .rdata_len = (uint16_t)rdata.len, .about = about };
    if (rdata.len)
        memcpy(r->rdata, rdata.ptr, rdata.len);
    struct record **list = about == RR_COLLAPSED_RDATA ? &o->collapsed : &o->records;
    r->next = *list;
    *list = r;
    o->n_records += list == &o->records;
    t->entries[i] = (struct entry){ hash, r };
    t->used++;
    *ret = r;
    *ret_new = true;
    return E_OK;
}

/* The type a limit counts a record under; records that are counts themselves have none. */
static uint32_t limit_group(const struct record *r)
{
    if (r->about == RR_OUT_OF_BAILIWICK)
        return 0x10000u | r->subtype;
    return r->about ? 0 : r->type;
}

struct ranked {
    uint64_t rank;
    uint32_t group;
    struct record *record;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static int collapse_record(struct fold *fold, struct owner *o, struct record *r, uint64_t threshold)
{
    struct record *into;
    bool is_new;
    uint16_t subtype = r->about ? r->subtype : r->type;
    uint64_t hash = record_hash(fold, o->hash, 0, RR_COLLAPSED_RDATA, subtype, (struct slice){ 0 });
    int err = find_record(fold, o, hash, 0, RR_COLLAPSED_RDATA, subtype, (struct slice){ 0 }, &into, &is_new);
    if (err)
        return err;
    r->dropped = true;
    collapse(&into->value, &r->value);
    into->value.threshold = threshold;
    return E_OK;
}

static void unlink_dropped(struct owner *o)
{
    for (struct record **link = &o->records; *link != NULL;) {
        if ((*link)->dropped) {
            *link = (*link)->next;
            o->n_records--;
        } else {
            link = &(*link)->next;
        }
    }
}

/* Keeps per type the FOLD_RDATA records of smallest rank. */
static int trim_records(struct fold *fold, struct owner *o)
{
    struct ranked *all = malloc(o->n_records * sizeof *all);
    if (all == NULL)
        return E_NOMEM;
    size_t n = 0;
    for (struct record *r = o->records; r != NULL; r = r->next)
        if (limit_group(r) != 0)
            all[n++] = (struct ranked){ hash_stable(r->rdata, r->rdata_len), limit_group(r), r };
    qsort(all, n, sizeof *all, compare_ranked);
    int err = E_OK;
    uint32_t kept = 0;
    size_t live = 0;
    for (size_t i = 0, group_start = 0; i < n && err == E_OK; i++) {
        if (i > 0 && all[i].group != all[i - 1].group) {
            group_start = i;
            kept = 0;
        }
        if (kept++ < FOLD_RDATA)
            live++;
        else
            err = collapse_record(fold, o, all[i].record, all[group_start + FOLD_RDATA - 1].rank);
    }
    free(all);
    unlink_dropped(o);
    o->trim_at = o->n_records + (uint32_t)(live < FOLD_RDATA ? FOLD_RDATA : live);
    return err;
}

/* The collapsed record that rdata beyond the threshold belongs to, or NULL. */
static struct record *beyond_threshold(struct owner *o, uint16_t type, uint8_t about, uint16_t subtype, struct slice rdata)
{
    uint16_t group = about ? subtype : type;
    struct record *r = o->collapsed;
    while (r != NULL && r->subtype != group)
        r = r->next;
    bool beyond = r != NULL && rdata.len > 0 && hash_stable(rdata.ptr, rdata.len) > r->value.threshold;
    return beyond ? r : NULL;
}

static int add_record(struct fold *fold, struct owner *o, uint64_t hash, uint16_t type, uint8_t about,
                      uint16_t subtype, struct slice rdata, const struct rr_value *value, struct fold_counts *counts)
{
    struct record *r = o->collapsed ? beyond_threshold(o, type, about, subtype, rdata) : NULL;
    if (r != NULL) {
        collapse(&r->value, value);
        counts->collapsed_rdata += value->count + value->upstream;
        return E_OK;
    }
    bool is_new;
    int err = find_record(fold, o, hash, type, about, subtype, rdata, &r, &is_new);
    if (err)
        return err;
    if (!is_new) {
        rr_value_merge(&r->value, value);
        return E_OK;
    }
    r->value = *value;
    if (fold->distinct != NULL)
        distinct_add(fold->distinct, hash);
    return o->n_records > o->trim_at ? trim_records(fold, o) : E_OK;
}

static void widen_span(struct fold *fold, int64_t first, int64_t last)
{
    if (first < fold->from)
        fold->from = first;
    if (last > fold->to)
        fold->to = last;
}

/* An observation with all that is known of it before the tables are asked. */
struct upcoming {
    const struct observation *what;
    const uint8_t *owner;
    struct slice rdata;
    uint64_t owner_hash, record_hash;
    uint16_t owner_len;
    bool same_owner; /* as the one before */
    struct fold *fold;
};

/* How far the reading runs ahead of the folding. Both tables are larger than the cache, so an
 * observation's buckets are asked for LOOK_AHEAD before its turn and what they point to half as
 * long before: fold time fell by a quarter. A power of two. */
enum { LOOK_AHEAD = 16 };

struct look_ahead {
    struct upcoming ring[LOOK_AHEAD];
    unsigned n; /* read so far */
    const uint8_t *at, *end;
    const uint8_t *owner;
    uint64_t owner_hash;
    uint16_t owner_len;
};

static bool read_ahead(struct look_ahead *l, struct fold *fold, struct fold *next, int64_t slot_end,
                       struct fold_counts *counts)
{
    if (l->at >= l->end)
        return false;
    const struct observation *o = (const void *)l->at;
    struct upcoming *u = &l->ring[l->n++ % LOOK_AHEAD];
    l->at += o->size;
    u->what = o;
    u->same_owner = o->owner_len == 0;
    if (!u->same_owner) {
        l->owner = observation_owner(o);
        l->owner_len = o->owner_len;
        l->owner_hash = o->owner_hash;
    }
    u->owner = l->owner;
    u->owner_len = l->owner_len;
    u->owner_hash = l->owner_hash;
    u->rdata = observation_rdata(o);
    size_t room = RR_KEY_MAX - u->owner_len - 5u;
    if (__builtin_expect(u->rdata.len > room, 0)) {
        u->rdata.len = room;
        counts->rdata_cut++;
    }
    u->fold = o->ts_s >= slot_end ? next : fold;
    u->record_hash = record_hash(u->fold, u->owner_hash, o->type, o->about, o->subtype, u->rdata);
    if (!u->same_owner)
        __builtin_prefetch(&u->fold->owners.entries[u->owner_hash & u->fold->owners.mask]);
    __builtin_prefetch(&u->fold->records.entries[u->record_hash & u->fold->records.mask]);
    return true;
}

static void prefetch_items(const struct upcoming *u)
{
    __builtin_prefetch(u->fold->owners.entries[u->owner_hash & u->fold->owners.mask].item);
    __builtin_prefetch(u->fold->records.entries[u->record_hash & u->fold->records.mask].item);
}

/* The owner that the last observation went to. */
struct current_owner {
    struct owner *owner; /* NULL: kept out by the limit */
    struct domain *domain;
    struct fold *fold;
    unsigned class;
};

static int fold_one(struct current_owner *c, const struct upcoming *u, struct fold_counts *counts)
{
    const struct observation *o = u->what;
    unsigned class = o->about == RR_NXDOMAIN ? CLASS_ABSENT : CLASS_EXISTS;
    if (!u->same_owner || u->fold != c->fold || class != c->class || c->owner == NULL || c->owner->dropped) {
        int err = find_owner(u->fold, u->owner, u->owner_len, class, u->owner_hash, &c->owner, &c->domain);
        if (err)
            return err;
        c->fold = u->fold;
        c->class = class;
    }
    struct rr_value value = {
        .first = o->ts_s, .last = o->ts_s, .count = !o->upstream, .upstream = o->upstream,
        .ttl_min = o->ttl, .ttl_max = o->ttl, .flags = o->flags, .sensors = UINT64_C(1) << o->sensor,
    };
    widen_span(u->fold, o->ts_s, o->ts_s);
    if (c->owner == NULL) {
        collapse(&c->domain->collapsed[class], &value);
        counts->collapsed_names++;
        return E_OK;
    }
    return add_record(u->fold, c->owner, u->record_hash, o->type, o->about, o->subtype, u->rdata, &value, counts);
}

int fold_observations(struct fold *fold, struct fold *next, int64_t slot, uint32_t slot_s,
                      const uint8_t *from, const uint8_t *end, struct fold_counts *counts)
{
    struct look_ahead ahead = { .at = from, .end = end };
    struct current_owner current = { 0 };
    int64_t slot_end = (slot + 1) * (int64_t)slot_s;
    int err = E_OK;
    while (ahead.n < LOOK_AHEAD && read_ahead(&ahead, fold, next, slot_end, counts)) {
    }
    for (unsigned i = 0; i < ahead.n && err == E_OK; i++) {
        if (i + LOOK_AHEAD / 2 < ahead.n)
            prefetch_items(&ahead.ring[(i + LOOK_AHEAD / 2) % LOOK_AHEAD]);
        err = fold_one(&current, &ahead.ring[i % LOOK_AHEAD], counts);
        read_ahead(&ahead, fold, next, slot_end, counts);
    }
    return err;
}

int fold_record(struct fold *fold, struct slice key, struct slice value)
{
    struct rr_key k;
    struct rr_value v;
    struct fold_counts counts = { 0 };
    if (!rr_key_get(key, &k) || !rr_value_get(value, &v))
        return E_CORRUPT;
    widen_span(fold, (int64_t)v.first, (int64_t)v.last);
    if (k.about == RR_COLLAPSED_NAMES) {
        struct domain *d = domain_of(fold, k.owner.ptr, k.owner.len);
        unsigned class = k.subtype == 2 ? CLASS_ABSENT : CLASS_EXISTS;
        if (d == NULL)
            return E_NOMEM;
        collapse(&d->collapsed[class], &v);
        d->threshold[class] = v.threshold;
        return E_OK;
    }
    struct owner *o;
    struct domain *d;
    unsigned class = k.about == RR_NXDOMAIN ? CLASS_ABSENT : CLASS_EXISTS;
    uint64_t hash = hash_memory(k.owner.ptr, k.owner.len, fold->secret);
    int err = find_owner(fold, k.owner.ptr, k.owner.len, class, hash, &o, &d);
    if (err)
        return err;
    if (o == NULL) {
        collapse(&d->collapsed[class], &v);
        return E_OK;
    }
    uint64_t record = record_hash(fold, hash, k.type, k.about, k.subtype, k.rdata);
    struct distinct *distinct = fold->distinct;
    fold->distinct = NULL; /* read back, not seen */
    err = add_record(fold, o, record, k.type, k.about, k.subtype, k.rdata, &v, &counts);
    fold->distinct = distinct;
    return err;
}

/* --- encoding ---------------------------------------------------------------------- */

/* Entries of one kind while they are sorted: keys and values live in an arena. */
struct encoder {
    struct arena arena;
    struct keysort_item *items;
    struct slice *values;
    size_t n, capacity;
};

static int encoder_add(struct encoder *e, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    if (e->n == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : 1024;
        struct keysort_item *items = realloc(e->items, capacity * sizeof *items);
        if (items == NULL)
            return E_NOMEM;
        e->items = items;
        struct slice *values = realloc(e->values, capacity * sizeof *values);
        if (values == NULL)
            return E_NOMEM;
        e->values = values;
        e->capacity = capacity;
    }
    uint8_t *copy = arena_alloc(&e->arena, key_len + value_len);
    if (copy == NULL)
        return E_NOMEM;
    memcpy(copy, key, key_len);
    memcpy(copy + key_len, value, value_len);
    e->items[e->n] = (struct keysort_item){ keysort_prefix(key, key_len), copy, (uint32_t)key_len, (uint32_t)e->n };
    e->values[e->n++] = (struct slice){ copy + key_len, value_len };
    return E_OK;
}

static void run_put(struct buffer *run, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    uint8_t *to = buffer_reserve(run, 4 + key_len + value_len);
    if (to == NULL)
        return;
    to[0] = (uint8_t)key_len;
    to[1] = (uint8_t)(key_len >> 8);
    to[2] = (uint8_t)value_len;
    to[3] = (uint8_t)(value_len >> 8);
    memcpy(to + 4, key, key_len);
    memcpy(to + 4 + key_len, value, value_len);
    run->len += 4 + key_len + value_len;
}

static int encoder_finish(struct encoder *e, struct buffer *run)
{
    keysort(e->items, e->n);
    for (size_t i = 0; i < e->n; i++) {
        struct slice v = e->values[e->items[i].index];
        run_put(run, e->items[i].key, e->items[i].len, v.ptr, v.len);
    }
    return run->failed ? E_NOMEM : E_OK;
}

static void encoder_release(struct encoder *e)
{
    arena_release(&e->arena);
    free(e->items);
    free(e->values);
}

static bool record_less(const struct record *a, const struct record *b)
{
    if (a->type != b->type)
        return a->type < b->type;
    if (a->about != b->about)
        return a->about < b->about;
    if (a->subtype != b->subtype)
        return a->subtype < b->subtype;
    return slice_compare((struct slice){ a->rdata, a->rdata_len }, (struct slice){ b->rdata, b->rdata_len }) < 0;
}

static struct record *merge_lists(struct record *a, struct record *b)
{
    struct record *head = NULL, **tail = &head;
    while (a != NULL && b != NULL) {
        struct record **smaller = record_less(b, a) ? &b : &a;
        *tail = *smaller;
        tail = &(*smaller)->next;
        *smaller = (*smaller)->next;
    }
    *tail = a ? a : b;
    return head;
}

/* Merge sort of an owner's list; most have one to four records. */
static struct record *sort_list(struct record *list)
{
    if (list == NULL || list->next == NULL)
        return list;
    struct record *slow = list, *fast = list->next;
    while (fast != NULL && fast->next != NULL) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct record *half = slow->next;
    slow->next = NULL;
    return merge_lists(sort_list(list), sort_list(half));
}

static void name_value_add(struct name_value *into, const struct rr_value *v)
{
    if (into->count == 0 || v->first < into->first)
        into->first = v->first;
    if (v->last > into->last)
        into->last = v->last;
    into->count += v->count + v->upstream;
}

static int encode_inverse(struct encoder *inverse, struct slice owner, const struct record *r,
                          const uint8_t *value, size_t value_len)
{
    uint8_t key[RR_INVERSE_MAX];
    size_t n = r->about ? 0 : rr_inverse_put(owner, r->type, (struct slice){ r->rdata, r->rdata_len }, key);
    return n ? encoder_add(inverse, key, n, value, value_len) : E_OK;
}

static void owner_value_add(struct name_value *into, const struct owner *o)
{
    for (const struct record *r = o->records; r != NULL; r = r->next)
        name_value_add(into, &r->value);
    for (const struct record *r = o->collapsed; r != NULL; r = r->next)
        name_value_add(into, &r->value);
}

static int encode_record(struct slice owner, const struct record *r, struct buffer *rr, struct encoder *inverse)
{
    uint8_t key[RR_KEY_MAX], value[RR_VALUE_MAX];
    struct slice rdata = { r->rdata, r->rdata_len };
    size_t value_len = rr_value_put(&r->value, value);
    size_t key_len = r->about ? rr_about_put(owner, r->about, r->subtype, rdata, key)
                              : rr_key_put(owner, r->type, rdata, key);
    run_put(rr, key, key_len, value, value_len);
    return encode_inverse(inverse, owner, r, value, value_len);
}

/* Both lists of an owner, in key order. */
static int encode_owner(struct owner *o, struct buffer *rr, struct encoder *inverse)
{
    struct slice owner = { o->key, o->key_len };
    o->records = sort_list(o->records);
    o->collapsed = sort_list(o->collapsed);
    int err = E_OK;
    for (const struct record *a = o->records, *b = o->collapsed; (a || b) && err == E_OK;) {
        const struct record **next = b == NULL || (a != NULL && record_less(a, b)) ? &a : &b;
        err = encode_record(owner, *next, rr, inverse);
        *next = (*next)->next;
    }
    return err;
}

static int add_name(struct encoder *names, const uint8_t *owner, size_t len, bool domain, const struct name_value *v)
{
    uint8_t key[NAME_KEY_MAX + 1], value[3 * VARINT_MAX];
    size_t n = name_key_reverse(owner, len, key);
    if (n == 0)
        return E_OK;
    if (domain)
        key[n++] = 1;
    return encoder_add(names, key, n, value, name_value_put(v, value));
}

static int encode_collapsed(struct domain *d, struct encoder *extra)
{
    uint8_t owner[NAME_KEY_MAX], key[RR_KEY_MAX], value[RR_VALUE_MAX];
    memcpy(owner, d->key, d->key_len);
    owner[d->key_len] = 0;
    struct slice name = { owner, d->key_len + 1u };
    for (unsigned class = 0; class < NAME_CLASSES; class++) {
        if (d->threshold[class] == 0 || d->collapsed[class].last == 0)
            continue;
        struct rr_value v = d->collapsed[class];
        v.threshold = d->threshold[class];
        size_t n = rr_about_put(name, RR_COLLAPSED_NAMES, (uint16_t)(class + 1), (struct slice){ 0 }, key);
        int err = encoder_add(extra, key, n, value, rr_value_put(&v, value));
        if (err)
            return err;
    }
    return E_OK;
}

/* All live owners, trimmed to the limits; the two classes of one name are neighbours. */
static int collect_owners(struct fold *fold, struct encoder *extra, struct keysort_item **ret, struct owner ***ret_owners, size_t *ret_n)
{
    size_t n = 0;
    for (struct domain *d = fold->all_domains; d != NULL; d = d->next) {
        for (unsigned class = 0; class < NAME_CLASSES; class++) {
            int err = trim_names(d, class, FOLD_NAMES);
            if (err)
                return err;
            n += d->n_owners[class];
        }
        int err = encode_collapsed(d, extra);
        if (err)
            return err;
    }
    *ret = malloc((n + 1) * sizeof **ret);
    *ret_owners = malloc((n + 1) * sizeof **ret_owners);
    if (*ret == NULL || *ret_owners == NULL)
        return E_NOMEM;
    size_t i = 0;
    for (struct domain *d = fold->all_domains; d != NULL; d = d->next) {
        for (unsigned class = 0; class < NAME_CLASSES; class++) {
            for (struct owner *o = d->owners[class]; o != NULL; o = o->next, i++) {
                int err = o->n_records > FOLD_RDATA ? trim_records(fold, o) : E_OK;
                if (err)
                    return err;
                (*ret_owners)[i] = o;
                (*ret)[i] = (struct keysort_item){ keysort_prefix(o->key, o->key_len), o->key, o->key_len, (uint32_t)i };
            }
        }
    }
    *ret_n = n;
    return E_OK;
}

/* Merges two runs into a third; keys are distinct. */
static void merge_runs(const struct buffer *a, const struct encoder *b, struct buffer *to)
{
    const uint8_t *at = a->ptr, *end = a->ptr + a->len;
    size_t k = 0;
    while (at < end || k < b->n) {
        struct slice key = at < end ? (struct slice){ at + 4, get_le16(at) } : (struct slice){ 0 };
        if (k == b->n || (at < end && slice_compare(key, (struct slice){ b->items[k].key, b->items[k].len }) < 0)) {
            size_t size = 4u + get_le16(at) + get_le16(at + 2);
            buffer_append(to, at, size);
            at += size;
            continue;
        }
        struct slice v = b->values[b->items[k].index];
        run_put(to, b->items[k].key, b->items[k].len, v.ptr, v.len);
        k++;
    }
}


static int encode_names(struct fold *fold, struct owner **owners, const struct name_value *values, size_t n, struct encoder *names)
{
    /* Same name in both classes: one host record. They meet in sorted order of `owners`. */
    for (size_t i = 0; i < n; i++) {
        struct name_value v = values[i];
        if (i + 1 < n && owners[i]->key_len == owners[i + 1]->key_len &&
            memcmp(owners[i]->key, owners[i + 1]->key, owners[i]->key_len) == 0) {
            const struct name_value *w = &values[++i];
            v.first = v.first < w->first ? v.first : w->first;
            v.last = v.last > w->last ? v.last : w->last;
            v.count += w->count;
        }
        int err = add_name(names, owners[i]->key, owners[i]->key_len, false, &v);
        if (err)
            return err;
    }
    for (struct domain *d = fold->all_domains; d != NULL; d = d->next) {
        uint8_t key[NAME_KEY_MAX];
        struct name_value v = { 0 };
        for (unsigned class = 0; class < NAME_CLASSES; class++) {
            for (struct owner *o = d->owners[class]; o != NULL; o = o->next)
                owner_value_add(&v, o);
            if (d->collapsed[class].last != 0)
                name_value_add(&v, &d->collapsed[class]);
        }
        if (d->key_len == 0)
            continue;
        memcpy(key, d->key, d->key_len);
        key[d->key_len] = 0;
        int err = add_name(names, key, d->key_len + 1u, true, &v);
        if (err)
            return err;
    }
    return E_OK;
}

static bool same_name(const struct owner *a, const struct owner *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* The records of one name in key order. A name that is in both classes has NXDOMAIN (type 0)
 * in one and the rest in the other: joined for the time of encoding. */
static int encode_owners(struct fold *fold, struct keysort_item *items, struct owner **owners, size_t n,
                         struct buffer *rr, struct encoder *inverse, struct encoder *names)
{
    struct owner **sorted = malloc((n + 1) * sizeof *sorted);
    struct name_value *values = calloc(n + 1, sizeof *values);
    int err = sorted && values ? E_OK : E_NOMEM;
    for (size_t i = 0; i < n && err == E_OK; i++)
        sorted[i] = owners[items[i].index];
    for (size_t i = 0; i + 1 < n && err == E_OK; i++) {
        if (same_name(sorted[i], sorted[i + 1]) && sorted[i]->class != CLASS_ABSENT) {
            struct owner *swap = sorted[i];
            sorted[i] = sorted[i + 1];
            sorted[i + 1] = swap;
        }
    }
    for (size_t i = 0; i < n && err == E_OK; i++)
        if ((err = encode_owner(sorted[i], rr, inverse)) == E_OK)
            owner_value_add(&values[i], sorted[i]);
    if (err == E_OK)
        err = encode_names(fold, sorted, values, n, names);
    free(sorted);
    free(values);
    return err;
}

int fold_encode(struct fold *fold, struct buffer runs[KINDS])
{
    struct encoder extra = { 0 }, inverse = { 0 }, names = { 0 };
    struct keysort_item *items = NULL;
    struct owner **owners = NULL;
    struct buffer rr;
    size_t n = 0;
    buffer_init(&rr, SIZE_MAX / 2);
    arena_init(&extra.arena, 4096);
    arena_init(&inverse.arena, ARENA_CHUNK);
    arena_init(&names.arena, ARENA_CHUNK);
    int err = collect_owners(fold, &extra, &items, &owners, &n);
    if (err == E_OK) {
        keysort(items, n);
        keysort(extra.items, extra.n);
        struct buffer *target = extra.n ? &rr : &runs[KIND_RR];
        err = encode_owners(fold, items, owners, n, target, &inverse, &names);
        if (err == E_OK && extra.n)
            merge_runs(&rr, &extra, &runs[KIND_RR]);
    }
    if (err == E_OK)
        err = encoder_finish(&inverse, &runs[KIND_INVERSE]);
    if (err == E_OK)
        err = encoder_finish(&names, &runs[KIND_NAME]);
    if (err == E_OK && runs[KIND_RR].failed)
        err = E_NOMEM;
    encoder_release(&extra);
    encoder_release(&inverse);
    encoder_release(&names);
    buffer_release(&rr);
    free(items);
    free(owners);
    return err;
}
