#include "observe/fold.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/pages.h"
#include "observe/fold_tree.h"
#include "observe/observation.h"

enum { ARENA_CHUNK = 1 << 16, TABLE_START = 1 << 10 };

/* What is said, apart from when and how often. */
struct fact {
    struct slice owner, rdata;
    uint64_t owner_hash, hash;
    uint16_t type;
    uint8_t about;
    uint8_t class; /* of the owner */
};

/* --- tables ------------------------------------------------------------------------ */

static size_t table_bytes(size_t mask)
{
    return (mask + 1) * sizeof(struct fold_entry);
}

static int table_init(struct fold_table *t, size_t size)
{
    *t = (struct fold_table){ .entries = pages_alloc_zeroed(table_bytes(size - 1)), .mask = size - 1 };
    return t->entries ? E_OK : E_NOMEM;
}

static void table_release(struct fold_table *t)
{
    pages_free(t->entries, table_bytes(t->mask));
    t->entries = NULL;
}

static void table_clear(struct fold_table *t)
{
    if (t->used > 0)
        memset(t->entries, 0, table_bytes(t->mask));
    t->used = 0;
}

static void table_add(struct fold_table *t, uint64_t hash, void *item)
{
    size_t i = hash & t->mask;
    while (t->entries[i].item != NULL)
        i = (i + 1) & t->mask;
    t->entries[i] = (struct fold_entry){ hash, item };
    t->used++;
}

/* Makes room for one more entry. */
static int table_grow(struct fold_table *t)
{
    if (__builtin_expect(t->used * 4 <= t->mask * 3, 1))
        return E_OK;
    struct fold_table bigger;
    if (table_init(&bigger, 2 * (t->mask + 1)) != E_OK)
        return E_NOMEM;
    for (size_t i = 0; i <= t->mask; i++)
        if (t->entries[i].item != NULL)
            table_add(&bigger, t->entries[i].hash, t->entries[i].item);
    table_release(t);
    *t = bigger;
    return E_OK;
}

static const struct fold_entry *table_at(const struct fold_table *t, uint64_t hash)
{
    return &t->entries[hash & t->mask];
}

static const struct fold_entry *table_next(const struct fold_table *t, const struct fold_entry *e)
{
    return &t->entries[(size_t)(e - t->entries + 1) & t->mask];
}

/* --- the fold ---------------------------------------------------------------------- */

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
    table_release(&fold->owners);
    table_release(&fold->records);
    table_release(&fold->domains);
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
    fold->from = INT64_MAX;
    fold->to = INT64_MIN;
}

/* Moves the entries of `heir` to the larger, empty table. */
static void table_bequeath(struct fold_table *t, struct fold_table *heir)
{
    if (t->mask <= heir->mask)
        return;
    for (size_t i = 0; i <= heir->mask; i++)
        if (heir->entries[i].item != NULL)
            table_add(t, heir->entries[i].hash, heir->entries[i].item);
    struct fold_table larger = *t;
    *t = *heir;
    *heir = larger;
    table_clear(t);
}

void fold_bequeath(struct fold *fold, struct fold *heir)
{
    assert(fold_is_empty(fold));
    table_bequeath(&fold->owners, &heir->owners);
    table_bequeath(&fold->records, &heir->records);
    table_bequeath(&fold->domains, &heir->domains);
    arena_take_over(&heir->arena, &fold->arena);
}

size_t fold_bytes(const struct fold *fold)
{
    return fold->arena.used + table_bytes(fold->owners.mask) + table_bytes(fold->records.mask) +
           table_bytes(fold->domains.mask);
}

bool fold_is_empty(const struct fold *fold)
{
    return fold->domains.used == 0;
}

void fold_span(const struct fold *fold, int64_t *ret_from, int64_t *ret_to)
{
    *ret_from = fold->from;
    *ret_to = fold->to;
}

static void widen_span(struct fold *fold, int64_t first, int64_t last)
{
    if (first < fold->from)
        fold->from = first;
    if (last > fold->to)
        fold->to = last;
}

/* --- values ------------------------------------------------------------------------ */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* As rr_value_merge, for times of 32 bits. */
static inline void record_add(struct record *r, const struct rr_value *v)
{
    r->first = smaller(r->first, (uint32_t)v->first);
    r->last = larger(r->last, (uint32_t)v->last);
    r->count += v->count;
    r->upstream += v->upstream;
    if (v->ttl_max != 0) {
        r->ttl_min = r->ttl_max ? smaller(r->ttl_min, v->ttl_min) : v->ttl_min;
        r->ttl_max = larger(r->ttl_max, v->ttl_max);
    }
    r->flags |= (uint8_t)v->flags;
    r->sensors |= v->sensors;
}

/* Of the TTLs of many records none is told. */
static struct rr_value without_ttl(const struct rr_value *value)
{
    struct rr_value v = *value;
    v.ttl_min = v.ttl_max = 0;
    v.threshold = 0;
    return v;
}

/* Counts `value` under the collapsed child of a domain. */
static int collapse_name(struct fold *fold, struct domain *d, unsigned class, const struct rr_value *value)
{
    struct rr_value v = without_ttl(value);
    if (d->collapsed[class] != NULL) {
        rr_value_merge(d->collapsed[class], &v);
        return E_OK;
    }
    d->collapsed[class] = arena_alloc(&fold->arena, sizeof v);
    if (d->collapsed[class] == NULL)
        return E_NOMEM;
    *d->collapsed[class] = v;
    return E_OK;
}

/* The collapsed record of a type, or NULL. */
static struct record *find_collapsed(const struct owner *o, uint16_t type)
{
    struct record *r = owner_collapsed(o);
    while (r != NULL && r->type != type)
        r = r->next;
    return r;
}

static struct excess *excess_of(struct fold *fold, struct owner *o)
{
    if (o->excess == NULL) {
        o->excess = arena_alloc(&fold->arena, sizeof *o->excess);
        if (o->excess != NULL)
            *o->excess = (struct excess){ .trim_at = 2 * FOLD_RDATA };
    }
    return o->excess;
}

/* Counts `value` under the collapsed record of a type; the smaller threshold stays. */
static int collapse_rdata(struct fold *fold, struct owner *o, uint16_t type, const struct rr_value *value, uint64_t threshold)
{
    struct rr_value v = without_ttl(value);
    struct record *r = find_collapsed(o, type);
    if (r == NULL) {
        struct excess *excess = excess_of(fold, o);
        r = excess ? arena_alloc(&fold->arena, sizeof *r + sizeof threshold) : NULL;
        if (r == NULL)
            return E_NOMEM;
        *r = (struct record){ .next = excess->collapsed, .owner = o, .first = UINT32_MAX, .type = type,
                              .about = RR_COLLAPSED_RDATA };
        put_le64(r->rdata, UINT64_MAX);
        excess->collapsed = r;
    }
    record_add(r, &v);
    if (threshold < get_le64(r->rdata))
        put_le64(r->rdata, threshold);
    return E_OK;
}

/* --- domains and owners ------------------------------------------------------------ */

static struct slice two_labels(struct slice owner)
{
    return (struct slice){ owner.ptr, name_key_prefix(owner.ptr, owner.len, 2) };
}

static uint64_t domain_hash(const struct fold *fold, struct slice key)
{
    return hash_memory(key.ptr, key.len, fold->secret);
}

static struct domain *find_domain(const struct fold *fold, struct slice key, uint64_t hash)
{
    const struct fold_table *t = &fold->domains;
    for (const struct fold_entry *e = table_at(t, hash); e->item != NULL; e = table_next(t, e)) {
        struct domain *d = e->item;
        if (e->hash == hash && d->key_len == key.len && short_equal(d->key, key.ptr, key.len))
            return d;
    }
    return NULL;
}

static struct domain *make_domain(struct fold *fold, struct slice key, uint64_t hash, bool whole)
{
    struct domain *d = table_grow(&fold->domains) == E_OK ? arena_alloc(&fold->arena, sizeof *d + key.len) : NULL;
    if (d == NULL)
        return NULL;
    *d = (struct domain){ .key_len = (uint16_t)key.len, .whole = whole };
    memcpy(d->key, key.ptr, key.len);
    table_add(&fold->domains, hash, d);
    return d;
}

/* Most registered domains have two labels, and were met before: those need no walk through the
 * public suffixes. */
static struct domain *domain_of(struct fold *fold, struct slice owner)
{
    struct slice key = two_labels(owner);
    uint64_t hash = domain_hash(fold, key);
    struct domain *d = find_domain(fold, key, hash);
    if (d != NULL && d->whole)
        return d;
    struct suffix_match match = suffix_find(fold->suffixes, owner.ptr, owner.len);
    size_t len = match.registered ? match.registered : match.suffix;
    if (len != key.len) {
        key.len = len;
        hash = domain_hash(fold, key);
        d = find_domain(fold, key, hash);
    }
    return d ? d : make_domain(fold, key, hash, match.whole);
}

static uint8_t class_of(uint8_t about)
{
    return about == RR_NXDOMAIN ? CLASS_ABSENT : CLASS_EXISTS;
}

static bool is_owner(const struct owner *o, const struct fact *f)
{
    return o->key_len == f->owner.len && short_equal(o->key, f->owner.ptr, f->owner.len);
}

static struct owner *find_owner(const struct fold *fold, const struct fact *f)
{
    const struct fold_table *t = &fold->owners;
    for (const struct fold_entry *e = table_at(t, f->owner_hash); e->item != NULL; e = table_next(t, e)) {
        struct owner *o = e->item;
        if (e->hash == f->owner_hash && o->class == f->class && is_owner(o, f))
            return o;
    }
    return NULL;
}

static int make_owner(struct fold *fold, struct domain *d, const struct fact *f, struct owner **ret)
{
    unsigned class = f->class;
    size_t len = f->owner.len;
    struct owner *o = table_grow(&fold->owners) == E_OK ? arena_alloc(&fold->arena, sizeof *o + len) : NULL;
    if (o == NULL)
        return E_NOMEM;
    *o = (struct owner){ .next = d->owners[class], .domain = d, .key_len = (uint16_t)len, .class = f->class };
    short_copy(o->key, f->owner.ptr, len);
    d->owners[class] = o;
    d->n_owners[class]++;
    table_add(&fold->owners, f->owner_hash, o);
    *ret = o;
    return d->n_owners[class] > 2 * FOLD_NAMES ? fold_trim_names(fold, d, class, FOLD_NAMES) : E_OK;
}

/* The owner of a fact, made when new; NULL where the limit of its domain keeps it out. */
static int owner_of(struct fold *fold, const struct fact *f, struct owner **ret, struct domain **ret_domain)
{
    struct owner *o = find_owner(fold, f);
    int err = E_OK;
    if (o != NULL) {
        *ret_domain = o->domain;
    } else {
        unsigned class = f->class;
        struct domain *d = domain_of(fold, f->owner);
        if (d == NULL)
            return E_NOMEM;
        *ret_domain = d;
        if (d->threshold[class] == 0 || hash_stable(f->owner.ptr, f->owner.len) <= d->threshold[class])
            err = make_owner(fold, d, f, &o);
    }
    *ret = o != NULL && o->dropped ? NULL : o;
    return err;
}

struct ranked_owner {
    uint64_t rank; /* stable: decides who stays */
    struct owner *owner;
};

static int compare_owners(const void *a, const void *b)
{
    const struct ranked_owner *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Counts an owner's records under the collapsed child, its questions under the domain. */
static int drop_owner(struct fold *fold, struct owner *o)
{
    int err = E_OK;
    o->dropped = true;
    const struct record *lists[] = { o->records, owner_collapsed(o) };
    err = fold_activity_gather(&fold->arena, &o->domain->hours, o);
    for (int i = 0; i < 2; i++) {
        for (const struct record *r = lists[i]; r != NULL && err == E_OK; r = r->next) {
            struct rr_value v = record_value(r);
            err = collapse_name(fold, o->domain, o->class, &v);
        }
    }
    return err;
}

int fold_trim_names(struct fold *fold, struct domain *d, unsigned class, unsigned limit)
{
    uint32_t n = d->n_owners[class], i = 0;
    if (n <= limit)
        return E_OK;
    struct ranked_owner *all = malloc(n * sizeof *all);
    if (all == NULL)
        return E_NOMEM;
    for (struct owner *o = d->owners[class]; o != NULL; o = o->next)
        all[i++] = (struct ranked_owner){ hash_stable(o->key, o->key_len), o };
    qsort(all, n, sizeof *all, compare_owners);
    uint64_t threshold = all[limit - 1].rank;
    d->threshold[class] = threshold;
    d->owners[class] = NULL;
    d->n_owners[class] = 0;
    int err = E_OK;
    for (i = 0; i < n && err == E_OK; i++) {
        struct owner *o = all[i].owner;
        if (all[i].rank > threshold) {
            err = drop_owner(fold, o);
            continue;
        }
        o->next = d->owners[class];
        d->owners[class] = o;
        d->n_owners[class]++;
    }
    free(all);
    return err;
}

/* --- records ----------------------------------------------------------------------- */

static uint64_t record_hash(const struct fold *fold, const struct fact *f)
{
    uint64_t seed = f->owner_hash ^ hash_mix((uint64_t)f->type << 8 | f->about);
    return f->rdata.len ? hash_memory(f->rdata.ptr, f->rdata.len, seed) : hash_mix(seed + fold->secret);
}

static bool is_record(const struct record *r, const struct fact *f)
{
    return r->type == f->type && r->about == f->about && r->rdata_len == f->rdata.len &&
           short_equal(r->rdata, f->rdata.ptr, f->rdata.len) && is_owner(r->owner, f);
}

/* Straight from the hash of all that a record is: most facts are known, and need no look at the
 * table of owners. */
static struct record *find_record(const struct fold *fold, const struct fact *f)
{
    const struct fold_table *t = &fold->records;
    for (const struct fold_entry *e = table_at(t, f->hash); e->item != NULL; e = table_next(t, e)) {
        struct record *r = e->item;
        if (e->hash == f->hash && is_record(r, f))
            return r;
    }
    return NULL;
}

static int trim_when_due(struct fold *fold, struct owner *o)
{
    const struct excess *excess = excess_of(fold, o);
    if (excess == NULL)
        return E_NOMEM;
    return o->n_records > excess->trim_at ? fold_trim_records(fold, o) : E_OK;
}

static int make_record(struct fold *fold, struct owner *o, const struct fact *f, const struct rr_value *v)
{
    struct record *r = table_grow(&fold->records) == E_OK ? arena_alloc(&fold->arena, sizeof *r + f->rdata.len) : NULL;
    if (r == NULL)
        return E_NOMEM;
    *r = (struct record){
        .next = o->records, .owner = o, .count = v->count, .upstream = v->upstream, .sensors = v->sensors,
        .first = (uint32_t)v->first, .last = (uint32_t)v->last, .ttl_min = v->ttl_min, .ttl_max = v->ttl_max,
        .type = f->type, .rdata_len = (uint16_t)f->rdata.len, .about = f->about, .flags = (uint8_t)v->flags,
    };
    short_copy(r->rdata, f->rdata.ptr, f->rdata.len);
    o->records = r;
    o->n_records++;
    table_add(&fold->records, f->hash, r);
    return o->n_records > 2 * FOLD_RDATA ? trim_when_due(fold, o) : E_OK;
}

/* The type a limit counts a record under; what is said about a name alone has none. */
static uint32_t limit_group(const struct record *r)
{
    if (r->about == RR_OUT_OF_BAILIWICK)
        return 0x10000u | r->type;
    return r->about ? 0 : r->type;
}

struct ranked_record {
    uint64_t rank;
    uint32_t group;
    struct record *record;
};

static int compare_records(const void *a, const void *b)
{
    const struct ranked_record *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
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

static int drop_record(struct fold *fold, struct owner *o, struct record *r, uint64_t threshold)
{
    struct rr_value v = record_value(r);
    r->dropped = true;
    return collapse_rdata(fold, o, r->type, &v, threshold);
}

int fold_trim_records(struct fold *fold, struct owner *o)
{
    struct ranked_record *all = malloc(o->n_records * sizeof *all);
    if (all == NULL)
        return E_NOMEM;
    size_t n = 0;
    for (struct record *r = o->records; r != NULL; r = r->next)
        if (limit_group(r) != 0)
            all[n++] = (struct ranked_record){ hash_stable(r->rdata, r->rdata_len), limit_group(r), r };
    qsort(all, n, sizeof *all, compare_records);
    int err = E_OK;
    uint32_t live = 0;
    for (size_t i = 0, group_start = 0; i < n && err == E_OK; i++) {
        if (all[i].group != all[group_start].group)
            group_start = i;
        if (i - group_start < FOLD_RDATA)
            live++;
        else
            err = drop_record(fold, o, all[i].record, all[group_start + FOLD_RDATA - 1].rank);
    }
    free(all);
    unlink_dropped(o);
    if (o->excess != NULL)
        o->excess->trim_at = o->n_records + (live < FOLD_RDATA ? FOLD_RDATA : live);
    return err;
}

/* Is rdata beyond what its type may keep? */
static bool is_beyond(const struct owner *o, const struct fact *f)
{
    const struct record *r = f->rdata.len ? find_collapsed(o, f->type) : NULL;
    return r != NULL && hash_stable(f->rdata.ptr, f->rdata.len) > get_le64(r->rdata);
}

/* A fact that the fold does not know, or may not keep. */
static int add_new(struct fold *fold, const struct fact *f, const struct rr_value *v, struct fold_counts *counts)
{
    struct owner *o;
    struct domain *d;
    int err = owner_of(fold, f, &o, &d);
    if (err)
        return err;
    if (o == NULL) {
        counts->collapsed_names += v->count + v->upstream;
        return collapse_name(fold, d, f->class, v);
    }
    if (is_beyond(o, f)) {
        counts->collapsed_rdata += v->count + v->upstream;
        return collapse_rdata(fold, o, f->type, v, UINT64_MAX);
    }
    return make_record(fold, o, f, v);
}

static inline int add_fact(struct fold *fold, const struct fact *f, const struct rr_value *v,
                           struct fold_counts *counts, bool *ret_new)
{
    struct record *r = find_record(fold, f);
    *ret_new = r == NULL;
    if (__builtin_expect(r == NULL || r->dropped || r->owner->dropped, 0))
        return add_new(fold, f, v, counts);
    record_add(r, v);
    return E_OK;
}

/* --- observations ------------------------------------------------------------------ */

/* How far the reading runs ahead of the folding. The tables are larger than the cache: an
 * observation's bucket is asked for LOOK_AHEAD before its turn; ASK_RECORD before it the record
 * there, or where there is none the buckets of owner and domain; ASK_OWNER before it the owner. Of
 * a question the owner and its hour, and ASK_HOURS before its turn what is added up when that is full. */
enum { LOOK_AHEAD = 32, ASK_RECORD = 24, ASK_OWNER = 14, ASK_HOURS = 6 }; /* the first a power of two */

struct upcoming {
    const struct observation *what;
    struct fold *fold;
    struct record *likely; /* by its hash alone; NULL when it seems to be new */
    struct fact fact;
};

struct look_ahead {
    struct upcoming ring[LOOK_AHEAD];
    unsigned n; /* read so far */
    const uint8_t *at, *end;
    struct slice owner; /* the last one told */
    uint64_t owner_hash;
};

/* Names that were answered and names that were not have separate limits. */
static uint8_t asked_class(const struct asked *a)
{
    return a->outcome == ACTIVITY_NOERROR || a->outcome == ACTIVITY_NODATA ? CLASS_EXISTS : CLASS_ABSENT;
}

static bool read_ahead(struct look_ahead *l, struct fold *fold, struct fold *next, int64_t slot_end,
                       struct fold_counts *counts)
{
    if (l->at >= l->end)
        return false;
    const struct observation *o = (const void *)l->at;
    l->at += observation_size(o);
    if (o->owner_len) {
        l->owner = (struct slice){ observation_owner(o), o->owner_len };
        l->owner_hash = o->owner_hash;
    }
    struct upcoming *u = &l->ring[l->n++ % LOOK_AHEAD];
    u->what = o;
    u->fold = o->ts_s >= slot_end ? next : fold;
    u->fact = (struct fact){ .owner = l->owner, .rdata = observation_rdata(o), .owner_hash = l->owner_hash,
                             .type = o->type, .about = o->about };
    size_t room = RR_KEY_MAX - l->owner.len - 5u;
    if (__builtin_expect(u->fact.rdata.len > room, 0)) {
        u->fact.rdata.len = room;
        counts->rdata_cut++;
    }
    if (o->about == OBSERVATION_ASKED) {
        u->fact.class = asked_class(observation_asked(o));
        __builtin_prefetch(table_at(&u->fold->owners, l->owner_hash));
        return true;
    }
    u->fact.class = class_of(o->about);
    u->fact.hash = record_hash(u->fold, &u->fact);
    __builtin_prefetch(table_at(&u->fold->records, u->fact.hash));
    return true;
}

static void *likely_item(const struct fold_table *t, uint64_t hash)
{
    const struct fold_entry *e = table_at(t, hash);
    while (e->item != NULL && e->hash != hash)
        e = table_next(t, e);
    return e->item;
}

static void ask_record(struct upcoming *u)
{
    if (u->what->about == OBSERVATION_ASKED) {
        ask_lines(likely_item(&u->fold->owners, u->fact.owner_hash));
        return;
    }
    u->likely = likely_item(&u->fold->records, u->fact.hash);
    if (u->likely != NULL) {
        ask_lines(u->likely);
        return;
    }
    struct slice key = two_labels(u->fact.owner);
    __builtin_prefetch(table_at(&u->fold->owners, u->fact.owner_hash));
    __builtin_prefetch(table_at(&u->fold->domains, domain_hash(u->fold, key)));
}

/* By now an owner is there, of which activity wants to know more. */
static void ask_activity(const struct upcoming *u)
{
    const struct owner *o = likely_item(&u->fold->owners, u->fact.owner_hash);
    if (o == NULL)
        return;
    ask_lines(o->hours);
}

static void ask_hours(const struct upcoming *u)
{
    const struct owner *o = u->what->about == OBSERVATION_ASKED ? likely_item(&u->fold->owners, u->fact.owner_hash) : NULL;
    const struct activity_hour *h = o ? o->hours : NULL;
    if (h == NULL || h->n_asked < h->room || h->sums == NULL)
        return;
    ask_lines(h->sums);
    ask_lines(h->sums->counters + ACTIVITY_OTHER_RCODE);
    ask_lines(h->sums->clients);
}

static void ask_owner(const struct upcoming *u)
{
    if (u->what->about == OBSERVATION_ASKED) {
        ask_activity(u);
        return;
    }
    ask_lines(u->likely ? u->likely->owner : likely_item(&u->fold->owners, u->fact.owner_hash));
}

static int fold_asked(const struct upcoming *u)
{
    const struct asked *asked = observation_asked(u->what);
    struct owner *o;
    struct domain *d;
    int err = owner_of(u->fold, &u->fact, &o, &d);
    return err ? err : fold_activity(u->fold, d, o, u->fact.owner, asked, u->what->ts_s / ACTIVITY_HOUR_S);
}

static int fold_one(const struct upcoming *u, struct fold_counts *counts)
{
    const struct observation *o = u->what;
    widen_span(u->fold, o->ts_s, o->ts_s);
    if (o->about == OBSERVATION_ASKED)
        return fold_asked(u);
    struct rr_value value = {
        .first = o->ts_s, .last = o->ts_s, .count = !o->upstream, .upstream = o->upstream,
        .ttl_min = o->ttl, .ttl_max = o->ttl, .flags = o->flags, .sensors = UINT64_C(1) << o->sensor,
    };
    bool is_new;
    int err = add_fact(u->fold, &u->fact, &value, counts, &is_new);
    if (is_new && u->fold->distinct != NULL && o->about != RR_NXDOMAIN && o->about != RR_NODATA)
        distinct_add(u->fold->distinct, u->fact.hash);
    return err;
}

int fold_observations(struct fold *fold, struct fold *next, int64_t slot, uint32_t slot_s,
                      const uint8_t *from, const uint8_t *end, struct fold_counts *counts)
{
    struct look_ahead ahead = { .at = from, .end = end };
    int64_t slot_end = (slot + 1) * (int64_t)slot_s;
    int err = E_OK;
    while (ahead.n < LOOK_AHEAD && read_ahead(&ahead, fold, next, slot_end, counts)) {
    }
    for (unsigned i = 0; i < ahead.n && err == E_OK; i++) {
        if (i + ASK_RECORD < ahead.n)
            ask_record(&ahead.ring[(i + ASK_RECORD) % LOOK_AHEAD]);
        if (i + ASK_OWNER < ahead.n)
            ask_owner(&ahead.ring[(i + ASK_OWNER) % LOOK_AHEAD]);
        if (i + ASK_HOURS < ahead.n)
            ask_hours(&ahead.ring[(i + ASK_HOURS) % LOOK_AHEAD]);
        err = fold_one(&ahead.ring[i % LOOK_AHEAD], counts);
        read_ahead(&ahead, fold, next, slot_end, counts);
    }
    return err;
}

/* --- records read back ------------------------------------------------------------- */

static int restore_names(struct fold *fold, const struct rr_key *k, const struct rr_value *v)
{
    struct domain *d = domain_of(fold, k->owner);
    unsigned class = k->subtype == 2 ? CLASS_ABSENT : CLASS_EXISTS;
    if (d == NULL)
        return E_NOMEM;
    d->threshold[class] = v->threshold;
    return collapse_name(fold, d, class, v);
}

static int restore_rdata(struct fold *fold, const struct fact *f, const struct rr_value *v)
{
    struct owner *o;
    struct domain *d;
    int err = owner_of(fold, f, &o, &d);
    if (err)
        return err;
    return o ? collapse_rdata(fold, o, f->type, v, v->threshold) : collapse_name(fold, d, f->class, v);
}

static int restore_record(struct fold *fold, struct slice key, struct slice value)
{
    struct rr_key k;
    struct rr_value v;
    struct fold_counts counts = { 0 };
    if (!rr_key_get(key, &k) || !rr_value_get(value, &v) || v.last > UINT32_MAX)
        return E_CORRUPT;
    widen_span(fold, (int64_t)v.first, (int64_t)v.last);
    if (k.about == RR_COLLAPSED_NAMES)
        return restore_names(fold, &k, &v);
    struct fact f = { .owner = k.owner, .rdata = k.rdata, .type = k.about ? k.subtype : k.type, .about = k.about,
                      .class = class_of(k.about) };
    f.owner_hash = hash_memory(k.owner.ptr, k.owner.len, fold->secret);
    f.hash = record_hash(fold, &f);
    if (k.about == RR_COLLAPSED_RDATA)
        return restore_rdata(fold, &f, &v);
    bool is_new;
    return add_fact(fold, &f, &v, &counts, &is_new);
}

static int restore_hours(struct fold *fold, struct slice key, struct slice value, bool domain)
{
    struct activity a;
    struct slice owner;
    uint32_t hour;
    if (!activity_key_get(key, &owner, &hour) || !activity_get(value, domain, &a) || a.last > UINT32_MAX)
        return E_CORRUPT;
    widen_span(fold, (int64_t)a.first, (int64_t)a.last);
    if (domain) {
        struct domain *d = domain_of(fold, owner);
        return d ? fold_activity_restore(fold, &d->hours, hour, &a) : E_NOMEM;
    }
    bool answered = a.counters[ACTIVITY_NOERROR] + a.counters[ACTIVITY_NODATA] > 0;
    struct fact f = { .owner = owner, .class = answered ? CLASS_EXISTS : CLASS_ABSENT };
    f.owner_hash = hash_memory(owner.ptr, owner.len, fold->secret);
    struct owner *o;
    struct domain *d;
    int err = owner_of(fold, &f, &o, &d);
    if (err || o == NULL)
        return err;
    return fold_activity_restore(fold, &o->hours, hour, &a);
}

int fold_restore(struct fold *fold, enum record_kind_id kind, struct slice key, struct slice value)
{
    switch (kind) {
    case KIND_RR:
        return restore_record(fold, key, value);
    case KIND_HOST:
        return restore_hours(fold, key, value, false);
    case KIND_DOMAIN:
        return restore_hours(fold, key, value, true);
    default:
        return E_OK; /* what is made of these */
    }
}
