#include "observe/fold.h"

#include <stdlib.h>

#include "base/keysort.h"
#include "base/pages.h"
#include "observe/fold_tree.h"

enum { ARENA_CHUNK = 1 << 16, ITEMS_START = 1024 };

/* Keys that await sorting, each with its value behind it in the arena: `index` of an item is the
 * value's length. */
struct entries {
    struct arena arena;
    struct keysort_item *items;
    size_t n, capacity;
};

struct fold_encoder {
    struct entries owners;  /* the fold's own keys, without values */
    struct entries inverse, names, domains;
    struct activity activity, other;
    struct buffer entry;
    struct entries extra;   /* collapsed children of domains */
    struct keysort_item *spare;
    size_t spare_capacity;
    struct buffer rr;       /* records while they wait for `extra` */
};

/* --- entries ----------------------------------------------------------------------- */

static void *grow_items(struct keysort_item *items, size_t from, size_t to)
{
    struct keysort_item *grown = pages_alloc(to * sizeof *grown);
    if (grown != NULL && items != NULL) {
        memcpy(grown, items, from * sizeof *grown);
        pages_free(items, from * sizeof *items);
    }
    return grown;
}

static int entries_add(struct entries *e, const uint8_t *key, size_t key_len, size_t value_len)
{
    if (e->n == e->capacity) {
        size_t capacity = e->capacity ? 2 * e->capacity : ITEMS_START;
        struct keysort_item *items = grow_items(e->items, e->capacity, capacity);
        if (items == NULL)
            return E_NOMEM;
        e->items = items;
        e->capacity = capacity;
    }
    e->items[e->n++] = (struct keysort_item){ .key = key, .len = (uint32_t)key_len, .index = (uint32_t)value_len };
    return E_OK;
}

static void entries_clear(struct entries *e)
{
    arena_reset(&e->arena);
    e->n = 0;
}

static void entries_release(struct entries *e)
{
    arena_release(&e->arena);
    pages_free(e->items, e->capacity * sizeof *e->items);
}

int fold_encoder_create(struct fold_encoder **ret)
{
    struct fold_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return E_NOMEM;
    struct entries *all[] = { &e->owners, &e->inverse, &e->names, &e->domains, &e->extra };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        arena_init(&all[i]->arena, ARENA_CHUNK);
    buffer_init(&e->rr, SIZE_MAX / 2);
    buffer_init(&e->entry, SIZE_MAX / 2);
    *ret = e;
    return E_OK;
}

void fold_encoder_destroy(struct fold_encoder **pointer)
{
    struct fold_encoder *e = *pointer;
    if (e == NULL)
        return;
    entries_release(&e->owners);
    entries_release(&e->inverse);
    entries_release(&e->names);
    entries_release(&e->domains);
    entries_release(&e->extra);
    pages_free(e->spare, e->spare_capacity * sizeof *e->spare);
    buffer_release(&e->rr);
    buffer_release(&e->entry);
    free(e);
    *pointer = NULL;
}

static int sort_entries(struct fold_encoder *e, struct entries *entries)
{
    if (entries->n > e->spare_capacity) {
        pages_free(e->spare, e->spare_capacity * sizeof *e->spare);
        e->spare_capacity = 0;
        e->spare = pages_alloc(entries->capacity * sizeof *e->spare);
        if (e->spare == NULL)
            return E_NOMEM;
        e->spare_capacity = entries->capacity;
    }
    keysort(entries->items, e->spare, entries->n);
    return E_OK;
}

/* --- runs: LE16 key length | LE16 value length | key | value ------------------------ */

static void put_lengths(uint8_t *to, size_t key_len, size_t value_len)
{
    to[0] = (uint8_t)key_len;
    to[1] = (uint8_t)(key_len >> 8);
    to[2] = (uint8_t)value_len;
    to[3] = (uint8_t)(value_len >> 8);
}

static void run_put(struct buffer *run, const struct keysort_item *item)
{
    size_t len = item->len + item->index;
    uint8_t *to = buffer_reserve(run, 4 + len);
    if (to == NULL)
        return;
    put_lengths(to, item->len, item->index);
    memcpy(to + 4, item->key, len);
    run->len += 4 + len;
}

static int put_sorted(struct fold_encoder *e, struct entries *entries, struct buffer *run)
{
    enum { AHEAD = 8 };
    int err = sort_entries(e, entries);
    for (size_t i = 0; i < entries->n && err == E_OK; i++) {
        if (i + AHEAD < entries->n)
            __builtin_prefetch(entries->items[i + AHEAD].key);
        run_put(run, &entries->items[i]);
    }
    return run->failed ? E_NOMEM : err;
}

/* Two runs into a third; keys are distinct. */
static void merge_runs(const struct buffer *a, const struct entries *b, struct buffer *to)
{
    const uint8_t *at = a->ptr, *end = a->ptr + a->len;
    size_t k = 0;
    while (at < end || k < b->n) {
        struct slice key = at < end ? (struct slice){ at + 4, get_le16(at) } : (struct slice){ 0 };
        if (k == b->n || (at < end && slice_compare(key, (struct slice){ b->items[k].key, b->items[k].len }) < 0)) {
            size_t size = 4u + get_le16(at) + get_le16(at + 2);
            buffer_append(to, at, size);
            at += size;
        } else {
            run_put(to, &b->items[k++]);
        }
    }
}

/* --- order ------------------------------------------------------------------------- */

/* As the keys sort: what is said about the name has type 0 there. */
static uint64_t record_order(const struct record *r)
{
    return r->about ? (uint64_t)r->about << 16 | r->type : (uint64_t)r->type << 32;
}

static bool record_less(const struct record *a, const struct record *b)
{
    uint64_t x = record_order(a), y = record_order(b);
    if (x != y)
        return x < y;
    return slice_compare((struct slice){ a->rdata, a->rdata_len }, (struct slice){ b->rdata, b->rdata_len }) < 0;
}

static struct record *merge_lists(struct record *a, struct record *b)
{
    struct record *head = NULL, **tail = &head;
    while (a != NULL && b != NULL) {
        struct record **least = record_less(b, a) ? &b : &a;
        *tail = *least;
        tail = &(*least)->next;
        *least = (*least)->next;
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

/* --- records and names ------------------------------------------------------------- */

static void total_add(struct name_value *into, uint64_t first, uint64_t last, uint64_t count)
{
    if (into->count == 0 || first < into->first)
        into->first = first;
    if (last > into->last)
        into->last = last;
    into->count += count;
}

static int add_inverse(struct entries *inverse, struct slice owner, const struct record *r, unsigned turn, struct slice value)
{
    uint8_t *key = arena_alloc(&inverse->arena, RR_INVERSE_MAX + RR_VALUE_MAX);
    if (key == NULL)
        return E_NOMEM;
    size_t len = rr_inverse_put(owner, r->type, turn, (struct slice){ r->rdata, r->rdata_len }, key);
    if (len == 0) {
        arena_keep(&inverse->arena, key, 0);
        return E_OK;
    }
    short_copy(key + len, value.ptr, value.len);
    arena_keep(&inverse->arena, key, len + value.len);
    return entries_add(inverse, key, len, value.len);
}

/* One for each name and address in the rdata that look-ups may begin with. */
static int add_inverses(struct entries *inverse, struct slice owner, const struct record *r, struct slice value)
{
    unsigned turns = r->about ? 0 : rr_turns(r->type);
    int err = E_OK;
    for (unsigned turn = 0; turn < turns && err == E_OK; turn++)
        err = add_inverse(inverse, owner, r, turn, value);
    return err;
}

static int put_record(struct slice owner, const struct record *r, struct buffer *run, struct entries *inverse)
{
    uint8_t *to = buffer_reserve(run, 4 + RR_KEY_MAX + RR_VALUE_MAX);
    if (to == NULL)
        return E_NOMEM;
    struct slice rdata = { r->rdata, r->rdata_len };
    struct rr_value value = record_value(r);
    size_t key_len = r->about ? rr_about_put(owner, r->about, r->type, rdata, to + 4)
                              : rr_key_put(owner, r->type, rdata, to + 4);
    size_t value_len = rr_value_put(&value, to + 4 + key_len);
    put_lengths(to, key_len, value_len);
    run->len += 4 + key_len + value_len;
    return add_inverses(inverse, owner, r, (struct slice){ to + 4 + key_len, value_len });
}

/* Both lists of an owner, in key order. */
static int put_owner(struct owner *o, struct buffer *run, struct entries *inverse, struct name_value *total)
{
    struct slice owner = { o->key, o->key_len };
    o->records = sort_list(o->records);
    if (o->excess != NULL)
        o->excess->collapsed = sort_list(o->excess->collapsed);
    int err = E_OK;
    for (const struct record *a = o->records, *b = owner_collapsed(o); (a || b) && err == E_OK;) {
        const struct record **next = b == NULL || (a != NULL && record_less(a, b)) ? &a : &b;
        const struct record *r = *next;
        total_add(total, r->first, r->last, r->count + r->upstream);
        err = put_record(owner, r, run, inverse);
        *next = r->next;
    }
    return err;
}

/* A name table entry: `domain` marks the key of a registered domain. */
static int add_name(struct entries *names, const uint8_t *owner, size_t len, bool domain, const struct name_value *total)
{
    uint8_t *key = arena_alloc(&names->arena, NAME_KEY_MAX + 1 + 3 * VARINT_MAX);
    if (key == NULL)
        return E_NOMEM;
    size_t n = name_key_reverse(owner, len, key);
    if (domain)
        key[n++] = 1;
    size_t value_len = name_value_put(total, key + n);
    arena_keep(&names->arena, key, n + value_len);
    return entries_add(names, key, n, value_len);
}

static int put_domain_names(const struct fold *fold, struct entries *names)
{
    const struct domain *d;
    int err = E_OK;
    for (size_t at = 0; err == E_OK && (d = fold_walk(&fold->domains, &at)) != NULL;) {
        uint8_t key[NAME_KEY_MAX];
        struct name_value total = d->total;
        for (unsigned class = 0; class < NAME_CLASSES; class++) {
            const struct rr_value *v = d->collapsed[class];
            if (v != NULL)
                total_add(&total, v->first, v->last, v->count + v->upstream);
        }
        if (d->key_len == 0 || total.count == 0)
            continue;
        memcpy(key, d->key, d->key_len);
        key[d->key_len] = 0;
        err = add_name(names, key, d->key_len + 1u, true, &total);
    }
    return err;
}

/* --- all of it --------------------------------------------------------------------- */

static int add_collapsed_names(const struct domain *d, struct entries *extra)
{
    uint8_t owner[NAME_KEY_MAX];
    memcpy(owner, d->key, d->key_len);
    owner[d->key_len] = 0;
    struct slice name = { owner, d->key_len + 1u };
    for (unsigned class = 0; class < NAME_CLASSES; class++) {
        if (d->threshold[class] == 0 || d->collapsed[class] == NULL)
            continue;
        struct rr_value v = *d->collapsed[class];
        v.threshold = d->threshold[class];
        uint8_t *key = arena_alloc(&extra->arena, RR_KEY_MAX + RR_VALUE_MAX);
        if (key == NULL)
            return E_NOMEM;
        size_t n = rr_about_put(name, RR_COLLAPSED_NAMES, (uint16_t)(class + 1), (struct slice){ 0 }, key);
        size_t value_len = rr_value_put(&v, key + n);
        arena_keep(&extra->arena, key, n + value_len);
        int err = entries_add(extra, key, n, value_len);
        if (err)
            return err;
    }
    return E_OK;
}

/* Brings the domains within their limits. */
static int trim_domains(struct fold *fold, struct entries *extra)
{
    struct domain *d;
    int err = E_OK;
    for (size_t at = 0; err == E_OK && (d = fold_walk(&fold->domains, &at)) != NULL;) {
        d->total = (struct name_value){ 0 };
        d->all_hours = NULL;
        for (unsigned class = 0; class < NAME_CLASSES && err == E_OK; class++)
            err = fold_trim_names(fold, d, class, FOLD_NAMES);
        if (err == E_OK)
            err = add_collapsed_names(d, extra);
    }
    return err;
}

/* All live owners, brought within theirs. */
static int collect_owners(struct fold *fold, struct entries *to)
{
    struct owner *o;
    int err = E_OK;
    for (size_t at = 0; err == E_OK && (o = fold_walk(&fold->owners, &at)) != NULL;) {
        if (o->dropped)
            continue;
        if (o->n_records > FOLD_RDATA)
            err = fold_trim_records(fold, o);
        if (err == E_OK)
            err = entries_add(to, o->key, o->key_len, 0);
    }
    return err;
}

static struct owner *owner_at(const struct entries *owners, size_t i)
{
    return (struct owner *)(uintptr_t)(owners->items[i].key - offsetof(struct owner, key));
}

/* The next owners are on their way while this one is written. */
static void ask_ahead(const struct entries *owners, size_t i)
{
    enum { OWNERS_AHEAD = 16, RECORDS_AHEAD = 8 };
    if (i + OWNERS_AHEAD < owners->n)
        ask_lines(owner_at(owners, i + OWNERS_AHEAD));
    if (i + RECORDS_AHEAD < owners->n) {
        /* The latest; those before it, being of one answer, mostly lie in front of it. */
        uintptr_t latest = (uintptr_t)owner_at(owners, i + RECORDS_AHEAD)->records;
        ask_lines((const void *)(latest - 128));
        ask_lines((const void *)latest);
    }
}

/* --- activity ---------------------------------------------------------------------- */

/* By hour; lists have one or two. */
static struct activity_hour *sort_hours(struct activity_hour *list)
{
    struct activity_hour *sorted = NULL;
    while (list != NULL) {
        struct activity_hour *h = list, **link = &sorted;
        list = h->next;
        while (*link != NULL && (*link)->hour < h->hour)
            link = &(*link)->next;
        h->next = *link;
        *link = h;
    }
    return sorted;
}

/* Appends key and value to a run or an arena's buffer as run entries are. */
static int put_hour(struct fold_encoder *e, struct slice owner, uint32_t hour, struct buffer *run)
{
    size_t start = run->len, key_len = owner.len + 4;
    uint8_t *to = buffer_reserve(run, 4 + key_len);
    if (to == NULL)
        return E_NOMEM;
    activity_key_put(owner, hour, to + 4);
    run->len += 4 + key_len;
    activity_put(&e->activity, run);
    if (run->failed)
        return E_NOMEM;
    put_lengths(run->ptr + start, key_len, run->len - start - 4 - key_len);
    return E_OK;
}

/* Takes what of a list is of `hour` into e->activity, which holds something already unless `first`. */
static bool take_hour(struct fold_encoder *e, const struct activity_hour **list, uint32_t hour, bool first)
{
    for (; *list != NULL && (*list)->hour == hour; *list = (*list)->next, first = false) {
        fold_activity_get(*list, false, first ? &e->activity : &e->other);
        if (!first)
            activity_merge(&e->activity, &e->other);
    }
    return first;
}

/* The hours of a host, which may be an owner in both classes: what was answered and what was not. */
static int put_host_hours(struct fold_encoder *e, struct slice owner, const struct activity_hour *a,
                          const struct activity_hour *b, struct buffer *run)
{
    int err = E_OK;
    while ((a || b) && err == E_OK) {
        uint32_t hour = b == NULL || (a != NULL && a->hour <= b->hour) ? a->hour : b->hour;
        bool first = take_hour(e, &a, hour, true);
        take_hour(e, &b, hour, first);
        err = put_hour(e, owner, hour, run);
    }
    return err;
}

/* The same bytes as a run's entry, to be sorted. */
static int add_domain_hour(struct fold_encoder *e, struct slice owner, const struct activity_hour *h)
{
    buffer_clear(&e->entry);
    fold_activity_get(h, true, &e->activity);
    int err = put_hour(e, owner, h->hour, &e->entry);
    if (err)
        return err;
    size_t key_len = owner.len + 4, len = e->entry.len - 4;
    uint8_t *kept = arena_alloc(&e->domains.arena, len);
    if (kept == NULL)
        return E_NOMEM;
    memcpy(kept, e->entry.ptr + 4, len);
    return entries_add(&e->domains, kept, key_len, len - key_len);
}

/* Hosts have added theirs. */
static int put_domain_hours(const struct fold *fold, struct fold_encoder *e)
{
    struct domain *d;
    int err = E_OK;
    for (size_t at = 0; err == E_OK && (d = fold_walk(&fold->domains, &at)) != NULL;) {
        uint8_t key[NAME_KEY_MAX];
        memcpy(key, d->key, d->key_len);
        key[d->key_len] = 0;
        struct slice owner = { key, d->key_len + 1u };
        for (const struct activity_hour *h = d->hours; h != NULL && err == E_OK; h = h->next)
            err = fold_activity_add(&e->domains.arena, &d->all_hours, h);
        for (const struct activity_hour *h = d->all_hours; h != NULL && err == E_OK; h = h->next)
            err = add_domain_hour(e, owner, h);
    }
    return err;
}

/* --- owners in order --------------------------------------------------------------- */

/* Is the next owner this name in the other class? */
static bool goes_on(const struct entries *owners, size_t i)
{
    if (i + 1 >= owners->n || owners->items[i].len != owners->items[i + 1].len)
        return false;
    return short_equal(owners->items[i].key, owners->items[i + 1].key, owners->items[i].len);
}

/* A name that is in both classes: that which does not exist first, as its record, of type 0, sorts. */
static struct owner *other_class(struct entries *owners, size_t i)
{
    if (!goes_on(owners, i))
        return NULL;
    if (owner_at(owners, i)->class != CLASS_ABSENT) {
        struct keysort_item swap = owners->items[i];
        owners->items[i] = owners->items[i + 1];
        owners->items[i + 1] = swap;
    }
    return owner_at(owners, i + 1);
}

static int gather_hours(struct fold_encoder *e, struct owner *o)
{
    o->hours = sort_hours(o->hours);
    return fold_activity_gather(&e->domains.arena, &o->domain->all_hours, o);
}

/* All of one name: its records, its hours, and, where there are records, its name. */
static int put_name(struct fold_encoder *e, struct owner *o, struct owner *other, struct buffer *rr, struct buffer *hosts)
{
    struct slice name = { o->key, o->key_len };
    struct name_value total = { 0 };
    int err = put_owner(o, rr, &e->inverse, &total);
    if (err == E_OK && other != NULL)
        err = put_owner(other, rr, &e->inverse, &total);
    if (err == E_OK)
        err = gather_hours(e, o);
    if (err == E_OK && other != NULL)
        err = gather_hours(e, other);
    if (err == E_OK)
        err = put_host_hours(e, name, o->hours, other ? other->hours : NULL, hosts);
    if (err || total.count == 0)
        return err;
    total_add(&o->domain->total, total.first, total.last, total.count);
    return add_name(&e->names, o->key, o->key_len, false, &total);
}

static int put_owners(struct fold_encoder *e, struct buffer *rr, struct buffer *hosts)
{
    struct entries *owners = &e->owners;
    int err = E_OK;
    for (size_t i = 0; i < owners->n && err == E_OK; i++) {
        ask_ahead(owners, i);
        struct owner *other = other_class(owners, i);
        err = put_name(e, owner_at(owners, i), other, rr, hosts);
        i += other != NULL;
    }
    return err;
}

static int put_records(struct fold_encoder *e, struct buffer runs[KINDS])
{
    int err = sort_entries(e, &e->owners);
    if (err == E_OK)
        err = sort_entries(e, &e->extra);
    if (err || e->extra.n == 0)
        return err ? err : put_owners(e, &runs[KIND_RR], &runs[KIND_HOST]);
    err = put_owners(e, &e->rr, &runs[KIND_HOST]);
    if (err == E_OK)
        merge_runs(&e->rr, &e->extra, &runs[KIND_RR]);
    return runs[KIND_RR].failed ? E_NOMEM : err;
}

int fold_encode(struct fold *fold, struct fold_encoder *e, struct buffer runs[KINDS])
{
    entries_clear(&e->owners);
    entries_clear(&e->inverse);
    entries_clear(&e->names);
    entries_clear(&e->domains);
    entries_clear(&e->extra);
    buffer_clear(&e->rr);
    int err = trim_domains(fold, &e->extra);
    if (err == E_OK)
        err = collect_owners(fold, &e->owners);
    if (err == E_OK)
        err = put_records(e, runs);
    if (err == E_OK)
        err = put_domain_names(fold, &e->names);
    if (err == E_OK)
        err = put_sorted(e, &e->inverse, &runs[KIND_INVERSE]);
    if (err == E_OK)
        err = put_sorted(e, &e->names, &runs[KIND_NAME]);
    if (err == E_OK)
        err = put_domain_hours(fold, e);
    if (err == E_OK)
        err = put_sorted(e, &e->domains, &runs[KIND_DOMAIN]);
    return err;
}
