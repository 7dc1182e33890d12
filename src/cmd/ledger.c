#include "cmd/ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/compare.h"
#include "input/source.h"

/* Small, for a database may know many. */
struct entry {
    uint64_t head;
    struct store_place at;
    bool by_id;  /* the one with the id given */
    bool former; /* it has grown since: what goes on otherwise from here is another one */
};

enum { NONE = -1 };

struct ledger {
    const char *id;
    struct entry *entries;
    size_t n, capacity;
    struct store_move *moves; /* not yet taken */
    size_t n_moves, move_capacity;
    /* The open source: */
    enum ledger_identity identity;
    ptrdiff_t continues;     /* the entry that it was read up to by earlier runs; NONE */
    ptrdiff_t current;       /* the entry that this run added for it; NONE */
    uint64_t noted_at;       /* where it stood when it was noted last */
    struct store_place from; /* of its source in the manifest; offset 0 = none yet */
};

/* --- what the manifest lists ------------------------------------------------------- */

/* The array with room behind `n` items of `size`; NULL without memory, and then it stays as it was. */
static void *with_room(void *items, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return items;
    size_t larger = 2 * *capacity + 8;
    void *grown = realloc(items, larger * size);
    if (grown != NULL)
        *capacity = larger;
    return grown;
}

static int add_entry(struct ledger *l, const struct entry *entry)
{
    struct entry *entries = with_room(l->entries, l->n, &l->capacity, sizeof *entries);
    if (entries == NULL)
        return E_NOMEM;
    l->entries = entries;
    l->entries[l->n++] = *entry;
    return E_OK;
}

static struct entry entry_of(const struct store_source *source)
{
    return (struct entry){ .head = source->head, .at = source->at, .by_id = source->id[0] != '\0' };
}

static bool has_other_id(const struct ledger *l, const struct store_source *source)
{
    return source->id[0] != '\0' && (l->id == NULL || strcmp(source->id, l->id) != 0);
}

static int copy_manifest(struct ledger *l, const struct store *store)
{
    const struct store_source *sources;
    const struct store_former *formers;
    size_t n = store_sources(store, &sources);
    int err = E_OK;
    for (size_t i = 0; i < n && err == E_OK; i++) {
        struct entry entry = entry_of(&sources[i]);
        if (!has_other_id(l, &sources[i]))
            err = add_entry(l, &entry);
    }
    n = store_formers(store, &formers);
    for (size_t i = 0; i < n && err == E_OK; i++) {
        struct entry entry = { .head = sources[formers[i].source].head, .at = formers[i].place, .former = true };
        err = add_entry(l, &entry);
    }
    return err;
}

int ledger_create(struct ledger **ret, const struct store *store, const char *id, struct fault *why)
{
    struct ledger *l = calloc(1, sizeof *l);
    int err = E_NOMEM;
    if (l != NULL) {
        l->id = id;
        err = copy_manifest(l, store);
    }
    if (err) {
        ledger_destroy(&l);
        return fault_set(why, err, "sources: %s", fault_text(err));
    }
    *ret = l;
    return E_OK;
}

void ledger_destroy(struct ledger **ledger)
{
    struct ledger *l = *ledger;
    if (l == NULL)
        return;
    free(l->entries);
    free(l->moves);
    free(l);
    *ledger = NULL;
}

/* --- begin ------------------------------------------------------------------------- */

static bool may_begin_with(const struct entry *entry, const struct source_position *here, enum ledger_identity identity)
{
    enum { HEAD = 4096 };
    if (identity == LEDGER_BY_ID || entry->by_id)
        return identity == LEDGER_BY_ID && entry->by_id;
    return entry->head == here->head || entry->at.offset < HEAD; /* a short file may have grown */
}

/* By offset; at the same one a source's end comes after former ones, for it wins. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;
    int c = compare_u64(&x->at.offset, &y->at.offset);
    return c ? c : (x->former < y->former) - (x->former > y->former);
}

/* Those that the source may begin with, in the order to compare them in. */
static size_t list_candidates(const struct ledger *l, const struct source *source, const struct entry **ret)
{
    struct source_position here;
    size_t n = 0;
    source_position(source, &here);
    for (size_t i = 0; i < l->n; i++)
        if (may_begin_with(&l->entries[i], &here, l->identity))
            ret[n++] = &l->entries[i];
    qsort(ret, n, sizeof *ret, compare_entries);
    return n;
}

static bool stands_at(const struct source *source, const struct store_place *at)
{
    struct source_position here;
    source_position(source, &here);
    return here.digest[0] == at->digest[0] && here.digest[1] == at->digest[1];
}

/* Standard input cannot be opened again, so its reader must see every record on the way to the one place that
 * it is compared with. The places of other files, to which a file is compared by bytes, lie anywhere in it. */
static int go_on_to(const struct ledger *l, struct source *source, uint64_t offset)
{
    return l->identity == LEDGER_BY_ID ? source_skip(source, offset, NULL) : source_pass(source, offset, NULL);
}

/* The largest committed prefix, by digest; NONE when the source is new. A place inside what opening
 * consumed (a header) is no end of this source. */
static int find_prefix(const struct ledger *l, struct source *source, ptrdiff_t *ret_entry, struct fault *why)
{
    const struct entry **candidates = malloc((l->n + 1) * sizeof *candidates);
    if (candidates == NULL)
        return fault_set(why, E_NOMEM, "sources: out of memory");
    size_t n = list_candidates(l, source, candidates);
    int err = E_OK;
    for (size_t i = 0; i < n; i++) {
        const struct store_place *at = &candidates[i]->at;
        err = go_on_to(l, source, at->offset);
        if (err == E_USAGE)
            continue;
        if (err)
            break;
        if (l->identity == LEDGER_BY_ID || stands_at(source, at))
            *ret_entry = candidates[i] - l->entries;
    }
    free(candidates);
    return err == E_NOMEM ? err : E_OK;
}

/* A copy of a former state that went on otherwise is a source of its own: it continues none. */
static uint64_t go_on_from(struct ledger *l, ptrdiff_t found)
{
    l->current = l->continues = NONE;
    l->from = (struct store_place){ 0 };
    l->noted_at = 0;
    if (found == NONE)
        return 0;
    const struct entry *entry = &l->entries[found];
    if (!entry->former && entry->at.offset > 0) {
        l->continues = found;
        l->from = entry->at;
    }
    return l->noted_at = entry->at.offset;
}

int ledger_begin(struct ledger *l, struct source *source, enum ledger_identity identity, uint64_t *ret_offset,
                 struct fault *why)
{
    ptrdiff_t found = NONE;
    int err = E_OK;
    l->identity = identity;
    if (identity != LEDGER_NEVER)
        err = find_prefix(l, source, &found, why);
    if (err)
        return err;
    *ret_offset = go_on_from(l, found);
    return E_OK;
}

/* --- note -------------------------------------------------------------------------- */

static struct store_move *add_move(struct ledger *l)
{
    struct store_move *moves = with_room(l->moves, l->n_moves, &l->move_capacity, sizeof *moves);
    if (moves == NULL)
        return NULL;
    l->moves = moves;
    return &l->moves[l->n_moves++];
}

static void copy_name(char *to, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strnlen(name, size - 1);
    memcpy(to, name, n);
    to[n] = '\0';
}

/* What this run noted before is replaced; what it grew from stays known, for a copy made then may be read
 * some day. An id finds it, though. */
static void fill_move(const struct ledger *l, const struct source_position *here, const char *name,
                      struct store_move *ret)
{
    *ret = (struct store_move){ .from = l->from, .keep = l->from.offset && l->current == NONE };
    ret->source.head = here->head;
    ret->source.at = (struct store_place){ here->offset, { here->digest[0], here->digest[1] } };
    copy_name(ret->source.name, sizeof ret->source.name, name);
    if (l->identity == LEDGER_BY_ID) {
        snprintf(ret->source.id, sizeof ret->source.id, "%s", l->id);
        ret->keep = false;
    }
}

/* The same file further on, opened again, is known from there. */
static int enter(struct ledger *l, const struct store_source *source)
{
    struct entry entry = entry_of(source);
    if (l->current != NONE) {
        l->entries[l->current] = entry;
        return E_OK;
    }
    if (l->continues != NONE)
        l->entries[l->continues].former = true;
    l->current = (ptrdiff_t)l->n;
    return add_entry(l, &entry);
}

int ledger_note(struct ledger *l, const struct source *source, const char *name)
{
    struct source_position here;
    source_position(source, &here);
    if (here.offset == l->noted_at)
        return E_OK;
    struct store_move *move = add_move(l);
    if (move == NULL)
        return E_NOMEM;
    fill_move(l, &here, name, move);
    l->noted_at = here.offset;
    l->from = move->source.at;
    return enter(l, &move->source);
}

void ledger_take(struct ledger *l, struct store_move **ret_moves, size_t *ret_n)
{
    *ret_moves = l->moves;
    *ret_n = l->n_moves;
    l->moves = NULL;
    l->n_moves = l->move_capacity = 0;
}
