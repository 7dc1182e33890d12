#include "detect/docket.h"

#include "base/arena.h"
#include "base/hash.h"
#include "knowledge/memo.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMO_NAME "docket"
#define MEMO_PENDING "pending"

enum { SLOTS_FIRST = 1024 };

/* A comparing finding of the last period. */
struct pending {
    struct slice owner;
    uint16_t detector;
    double strength;
};

struct docket {
    struct arena memory;
    struct docket_name **slots; /* open addressing; NULL = free */
    size_t room, n;
    struct docket_name **sorted;
    size_t sorted_room;
    bool is_sorted;
    char **gone; /* names whose memos are to be removed */
    size_t n_gone, gone_room;
    struct pending *pending; /* by owner, then detector */
    size_t n_pending;
    struct arena of_pending, of_former; /* owners in `pending`; before that */
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for the names under suspicion");
}

static bool reserve(void *array, size_t n, size_t *room, size_t size)
{
    void *old, *grown;
    if (n < *room)
        return true;
    memcpy(&old, array, sizeof old);
    grown = reallocarray(old, *room ? 2 * *room : 4, size);
    if (grown == NULL)
        return false;
    memcpy(array, &grown, sizeof grown);
    *room = *room ? 2 * *room : 4;
    return true;
}

int docket_create(struct docket **ret, struct fault *why)
{
    struct docket *d = calloc(1, sizeof *d);
    if (d != NULL)
        d->slots = calloc(d->room = SLOTS_FIRST, sizeof *d->slots);
    if (d == NULL || d->slots == NULL) {
        free(d);
        return no_memory(why);
    }
    arena_init(&d->memory, 1 << 16);
    arena_init(&d->of_pending, 1 << 12);
    arena_init(&d->of_former, 1 << 12);
    *ret = d;
    return E_OK;
}

static void free_name(struct docket_name *n)
{
    free(n->rows);
    free(n->verdicts);
    free((void *)(uintptr_t)n->figures.hosts);
    free(n);
}

void docket_destroy(struct docket **d)
{
    if (*d == NULL)
        return;
    for (size_t i = 0; i < (*d)->room; i++)
        if ((*d)->slots[i] != NULL)
            free_name((*d)->slots[i]);
    for (size_t i = 0; i < (*d)->n_gone; i++)
        free((*d)->gone[i]);
    free((*d)->gone);
    free((*d)->slots);
    free((*d)->sorted);
    free((*d)->pending);
    arena_release(&(*d)->memory);
    arena_release(&(*d)->of_pending);
    arena_release(&(*d)->of_former);
    free(*d);
    *d = NULL;
}

/* ---- names ---- */

static size_t slot_of(struct docket_name *const *slots, size_t room, struct slice owner)
{
    size_t at = hash_memory(owner.ptr, owner.len, hash_secret()) & (room - 1);
    while (slots[at] != NULL && slice_compare(slots[at]->owner, owner) != 0)
        at = (at + 1) & (room - 1);
    return at;
}

struct docket_name *docket_find(const struct docket *d, struct slice owner)
{
    return d->slots[slot_of(d->slots, d->room, owner)];
}

static bool grow(struct docket *d, size_t room)
{
    struct docket_name **slots = calloc(room, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < d->room; i++)
        if (d->slots[i] != NULL)
            slots[slot_of(slots, room, d->slots[i]->owner)] = d->slots[i];
    free(d->slots);
    d->slots = slots;
    d->room = room;
    return true;
}

static struct slice copy(struct arena *memory, struct slice from)
{
    uint8_t *to = arena_alloc(memory, from.len);
    if (to != NULL && from.len)
        memcpy(to, from.ptr, from.len);
    return (struct slice){ to, from.len };
}

struct slice docket_copy(struct docket *d, struct slice from)
{
    return copy(&d->memory, from);
}

static const char *name_text(struct docket *d, struct slice owner)
{
    char text[NAME_TEXT_MAX];
    size_t len = knowledge_name(owner.ptr, owner.len, text);
    return len ? (const char *)docket_copy(d, (struct slice){ (uint8_t *)text, len + 1 }).ptr : NULL;
}

struct docket_name *docket_enter(struct docket *d, struct slice owner, uint32_t step, struct fault *why)
{
    struct docket_name *n = docket_find(d, owner);
    if (n != NULL)
        return n;
    if (2 * (d->n + 1) <= d->room || grow(d, 2 * d->room))
        n = calloc(1, sizeof *n);
    if (n != NULL) {
        n->owner = docket_copy(d, owner);
        n->name = name_text(d, owner);
        n->watched_since = step;
    }
    if (n == NULL || n->owner.ptr == NULL || n->name == NULL) {
        free(n);
        (void)no_memory(why);
        return NULL;
    }
    d->slots[slot_of(d->slots, d->room, owner)] = n;
    d->n++;
    d->is_sorted = false;
    return n;
}

int docket_figures_put(struct docket_name *n, const struct figures *f, struct fault *why)
{
    size_t bytes = f->n_hosts * sizeof *f->hosts;
    for (unsigned i = 0; i < f->n_hosts; i++)
        bytes += f->hosts[i].owner.len;
    struct figures_host *hosts = malloc(bytes + 1);
    if (hosts == NULL)
        return no_memory(why);
    uint8_t *to = (uint8_t *)(hosts + f->n_hosts);
    for (unsigned i = 0; i < f->n_hosts; i++) {
        hosts[i] = f->hosts[i];
        hosts[i].owner.ptr = memcpy(to, f->hosts[i].owner.ptr, f->hosts[i].owner.len);
        to += f->hosts[i].owner.len;
    }
    free((void *)(uintptr_t)n->figures.hosts);
    n->figures = *f;
    n->figures.hosts = hosts;
    n->unsaved = true;
    return E_OK;
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare((*(struct docket_name *const *)a)->owner, (*(struct docket_name *const *)b)->owner);
}

size_t docket_names(struct docket *d, struct docket_name *const **ret)
{
    if (!d->is_sorted) {
        if (d->sorted_room < d->room) {
            struct docket_name **sorted = reallocarray(d->sorted, d->room, sizeof *sorted);
            if (sorted == NULL)
                return 0;
            d->sorted = sorted;
            d->sorted_room = d->room;
        }
        size_t n = 0;
        for (size_t i = 0; i < d->room; i++)
            if (d->slots[i] != NULL)
                d->sorted[n++] = d->slots[i];
        if (n)
            qsort(d->sorted, n, sizeof *d->sorted, compare_names);
        d->is_sorted = true;
    }
    *ret = d->sorted;
    return d->n;
}

bool docket_is_idle(const struct docket_name *n)
{
    bool idle = n->n_rows == 0;
    for (size_t i = 0; i < n->n_verdicts; i++)
        idle &= n->verdicts[i].level == VERDICT_BENIGN;
    return idle;
}

void docket_remove_idle(struct docket *d, uint32_t before)
{
    bool removed = false;
    for (size_t i = 0; i < d->room; i++) {
        struct docket_name *n = d->slots[i];
        if (n == NULL || n->idle_since == 0 || n->idle_since >= before)
            continue;
        if (reserve(&d->gone, d->n_gone, &d->gone_room, sizeof *d->gone) && (d->gone[d->n_gone] = strdup(n->name)) != NULL)
            d->n_gone++;
        free_name(n);
        d->slots[i] = NULL;
        d->n--;
        removed = true;
    }
    if (removed) { /* open addressing leaves no holes: all are put in anew; without memory they are looked for in vain no longer than this run */
        d->is_sorted = false;
        (void)grow(d, d->room);
    }
}

/* ---- rows ---- */

struct docket_row *docket_row_find(struct docket_name *n, uint16_t detector, struct slice owner)
{
    for (size_t i = 0; i < n->n_rows; i++)
        if (n->rows[i].detector == detector && slice_compare(n->rows[i].owner, owner) == 0)
            return &n->rows[i];
    return NULL;
}

static const struct slice *copy_peers(struct docket *d, const struct docket_row *row)
{
    struct slice *peers = arena_alloc(&d->memory, row->n_peers * sizeof *peers);
    for (unsigned i = 0; peers != NULL && i < row->n_peers; i++)
        peers[i] = docket_copy(d, row->peers[i]);
    return peers;
}

int docket_row_put(struct docket *d, struct docket_name *n, const struct docket_row *row, struct fault *why)
{
    struct docket_row *to = docket_row_find(n, row->detector, row->owner);
    n->changed = n->unsaved = true;
    if (row->weight == 0) {
        if (to != NULL)
            *to = n->rows[--n->n_rows];
        return E_OK;
    }
    struct slice owner = to != NULL ? to->owner : docket_copy(d, row->owner);
    const struct slice *peers = copy_peers(d, row);
    if (owner.ptr == NULL || peers == NULL)
        return no_memory(why);
    if (to == NULL) {
        if (!reserve(&n->rows, n->n_rows, &n->rows_room, sizeof *n->rows))
            return no_memory(why);
        to = &n->rows[n->n_rows++];
    }
    *to = *row;
    to->owner = owner;
    to->peers = peers;
    return E_OK;
}

/* ---- two periods in a row ---- */

static int compare_pending(const void *a, const void *b)
{
    const struct pending *x = a, *y = b;
    int c = slice_compare(x->owner, y->owner);
    return c ? c : (x->detector > y->detector) - (x->detector < y->detector);
}

int docket_confirm(struct docket *d, const struct kept_finding *findings, size_t n, double *ret_strengths, struct fault *why)
{
    struct pending *now = calloc(n + 1, sizeof *now);
    if (now == NULL)
        return no_memory(why);
    arena_reset(&d->of_former);
    for (size_t i = 0; i < n; i++) {
        const struct finding *f = &findings[i].finding;
        now[i] = (struct pending){ copy(&d->of_former, f->owner), findings[i].detector, f->strength };
        const struct pending *before =
            d->n_pending ? bsearch(&now[i], d->pending, d->n_pending, sizeof *now, compare_pending) : NULL;
        ret_strengths[i] = before == NULL ? 0 : before->strength < f->strength ? before->strength : f->strength;
        if (now[i].owner.ptr == NULL) {
            free(now);
            return no_memory(why);
        }
    }
    if (n)
        qsort(now, n, sizeof *now, compare_pending);
    struct arena former = d->of_pending;
    d->of_pending = d->of_former;
    d->of_former = former;
    free(d->pending);
    d->pending = now;
    d->n_pending = n;
    return E_OK;
}

/* ---- memos: JSON, keys as text, detectors by name ---- */

static json_t *owner_json(struct slice owner)
{
    char text[NAME_TEXT_MAX];
    return knowledge_name(owner.ptr, owner.len, text) ? json_string(text) : NULL;
}

static const char *detector_name(uint16_t detector)
{
    const struct detector *const *all;
    return detectors(&all) > detector ? all[detector]->name : "";
}

static int detector_index(const char *name)
{
    const struct detector *const *all;
    size_t n = detectors(&all);
    for (size_t i = 0; name != NULL && i < n; i++)
        if (strcmp(all[i]->name, name) == 0)
            return (int)i;
    return -1;
}

static json_t *row_json(const struct docket_row *row)
{
    json_t *peers = json_array();
    for (unsigned i = 0; i < row->n_peers; i++)
        json_array_append_new(peers, owner_json(row->peers[i]));
    return json_pack("{s:s, s:o, s:f, s:I, s:o}", "detector", detector_name(row->detector), "owner", owner_json(row->owner),
                     "weight", row->weight, "since", (json_int_t)row->since, "peers", peers);
}

static json_t *verdict_json(const struct docket_verdict *v)
{
    return json_pack("{s:o, s:i, s:I, s:I}", "owner", owner_json(v->owner), "level", (int)v->level, "campaign",
                     (json_int_t)v->campaign, "valid_until", (json_int_t)v->valid_until);
}

static json_t *host_json(const struct figures_host *h)
{
    return json_pack("[o, I, I, I]", owner_json(h->owner), (json_int_t)h->first, (json_int_t)h->clients,
                     (json_int_t)h->queries);
}

static json_t *figures_json(const struct figures *f)
{
    json_t *hosts = json_array();
    for (unsigned i = 0; i < f->n_hosts; i++)
        json_array_append_new(hosts, host_json(&f->hosts[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "last_asked", (json_int_t)f->last_asked, "first",
                     (json_int_t)f->first, "registered", (json_int_t)f->registered, "broad_days", (json_int_t)f->broad_days,
                     "clients", (json_int_t)f->clients, "queries", (json_int_t)f->queries, "hosts", hosts);
}

char *docket_name_text(const struct docket_name *n)
{
    json_t *rows = json_array(), *verdicts = json_array();
    for (size_t i = 0; i < n->n_rows; i++)
        json_array_append_new(rows, row_json(&n->rows[i]));
    for (size_t i = 0; i < n->n_verdicts; i++)
        json_array_append_new(verdicts, verdict_json(&n->verdicts[i]));
    json_t *all = json_pack("{s:[i, I, I, i], s:[I, I], s:b, s:I, s:o, s:o, s:o}", "memory", (int)n->memory.level,
                            (json_int_t)n->memory.since, (json_int_t)n->memory.below_since, (int)n->memory.scope, "docket",
                            (json_int_t)n->watched_since, (json_int_t)n->idle_since, "passes_on", (int)n->passes_on, "campaign", (json_int_t)n->campaign, "figures",
                            figures_json(&n->figures), "rows", rows, "verdicts", verdicts);
    char *text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(all);
    return text;
}

/* Texts of a memo to keys; those of owner_of live as long as the docket. */
static size_t key_of(const json_t *text, uint8_t key[NAME_KEY_MAX])
{
    const char *name = json_string_value(text);
    return name == NULL ? 0 : knowledge_key(name, key);
}

static struct slice owner_of(struct docket *d, const json_t *text)
{
    uint8_t key[NAME_KEY_MAX];
    size_t len = key_of(text, key);
    return len ? docket_copy(d, (struct slice){ key, len }) : (struct slice){ NULL, 0 };
}

static int bad_memo(const char *key, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "what analysis remembers of %s does not parse; run dnsmon analyze --again", key);
}

static int load_row(struct docket *d, struct docket_name *n, const json_t *from, struct fault *why)
{
    struct slice peers[FINDING_PEERS];
    struct docket_row row = { .peers = peers, .owner = owner_of(d, json_object_get(from, "owner")) };
    int detector = detector_index(json_string_value(json_object_get(from, "detector")));
    const json_t *texts = json_object_get(from, "peers");
    if (detector < 0)
        return E_OK; /* of a detector that is no more */
    row.detector = (uint16_t)detector;
    row.weight = json_number_value(json_object_get(from, "weight"));
    row.since = (uint32_t)json_integer_value(json_object_get(from, "since"));
    for (size_t i = 0; i < json_array_size(texts) && row.n_peers < FINDING_PEERS; i++)
        if ((peers[row.n_peers] = owner_of(d, json_array_get(texts, i))).ptr != NULL)
            row.n_peers++;
    return row.owner.ptr == NULL ? bad_memo(n->name, why) : docket_row_put(d, n, &row, why);
}

static int load_verdict(struct docket *d, struct docket_name *n, const json_t *from, struct fault *why)
{
    int level = (int)json_integer_value(json_object_get(from, "level"));
    struct docket_verdict v = {
        .owner = owner_of(d, json_object_get(from, "owner")),
        .level = (enum verdict_level)level,
        .campaign = json_integer_value(json_object_get(from, "campaign")),
        .valid_until = (uint32_t)json_integer_value(json_object_get(from, "valid_until")),
    };
    if (v.owner.ptr == NULL || level < 0 || level >= VERDICT_LEVELS)
        return bad_memo(n->name, why);
    if (!reserve(&n->verdicts, n->n_verdicts, &n->verdicts_room, sizeof *n->verdicts))
        return no_memory(why);
    n->verdicts[n->n_verdicts++] = v;
    return E_OK;
}

static uint32_t u32_of(const json_t *from, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(from, key));
    return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int load_figures(struct docket_name *n, const json_t *from, struct fault *why)
{
    const json_t *hosts = json_object_get(from, "hosts");
    size_t count = json_array_size(hosts);
    struct figures_host to[FIGURES_HOSTS];
    uint8_t keys[FIGURES_HOSTS][NAME_KEY_MAX];
    struct figures f = { u32_of(from, "last_asked"), u32_of(from, "first"), u32_of(from, "registered"), u32_of(from, "broad_days"),
                         u32_of(from, "clients"), (uint64_t)json_integer_value(json_object_get(from, "queries")), to, 0 };
    for (size_t i = 0; i < count && i < FIGURES_HOSTS; i++) {
        const json_t *h = json_array_get(hosts, i);
        size_t len = key_of(json_array_get(h, 0), keys[i]);
        to[i] = (struct figures_host){ { keys[i], len }, (uint32_t)json_integer_value(json_array_get(h, 1)),
                                       (uint32_t)json_integer_value(json_array_get(h, 2)),
                                       (uint64_t)json_integer_value(json_array_get(h, 3)) };
        if (len == 0)
            return bad_memo(n->name, why);
        f.n_hosts++;
    }
    return docket_figures_put(n, &f, why);
}

static int load_parts(struct docket *d, struct docket_name *n, const json_t *all, struct fault *why)
{
    const json_t *memory = json_object_get(all, "memory"), *rows = json_object_get(all, "rows"),
                 *verdicts = json_object_get(all, "verdicts");
    int level = (int)json_integer_value(json_array_get(memory, 0)), scope = (int)json_integer_value(json_array_get(memory, 3));
    if (level < 0 || level >= VERDICT_LEVELS || (scope != SCOPE_DOMAIN && scope != SCOPE_HOST))
        return bad_memo(n->name, why);
    n->memory = (struct verdict_memory){ (enum verdict_level)level, (uint32_t)json_integer_value(json_array_get(memory, 1)),
                                         (uint32_t)json_integer_value(json_array_get(memory, 2)), (enum scope)scope };
    n->watched_since = (uint32_t)json_integer_value(json_array_get(json_object_get(all, "docket"), 0));
    n->idle_since = (uint32_t)json_integer_value(json_array_get(json_object_get(all, "docket"), 1));
    n->passes_on = json_is_true(json_object_get(all, "passes_on"));
    n->campaign = json_integer_value(json_object_get(all, "campaign"));
    int rc = load_figures(n, json_object_get(all, "figures"), why);
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++)
        rc = load_row(d, n, json_array_get(rows, i), why);
    for (size_t i = 0; rc == 0 && i < json_array_size(verdicts); i++)
        rc = load_verdict(d, n, json_array_get(verdicts, i), why);
    n->changed = n->unsaved = false;
    return rc;
}

int docket_name_load(struct docket *d, const char *name, const char *text, struct fault *why)
{
    uint8_t owner[NAME_KEY_MAX];
    size_t len = knowledge_key(name, owner);
    json_t *all = json_loads(text, 0, NULL);
    struct docket_name *n = NULL;
    int rc = len == 0 || !json_is_object(all) ? bad_memo(name, why) : E_OK;
    if (rc == 0 && (n = docket_enter(d, (struct slice){ owner, len }, 0, why)) == NULL)
        rc = E_NOMEM;
    if (rc == 0)
        rc = load_parts(d, n, all, why);
    json_decref(all);
    return rc;
}

static int load_name(void *ctx, const char *key, const char *value, struct fault *why)
{
    return docket_name_load(ctx, key, value, why);
}

/* "detector name": strength. */
static int load_pending(void *ctx, const char *key, const char *value, struct fault *why)
{
    struct docket *d = ctx;
    char detector[64];
    uint8_t owner[NAME_KEY_MAX];
    int used = 0;
    if (sscanf(key, "%63s %n", detector, &used) != 1 || used == 0)
        return bad_memo(key, why);
    size_t len = knowledge_key(key + used, owner);
    int index = detector_index(detector);
    if (len == 0)
        return bad_memo(key, why);
    if (index < 0)
        return E_OK;
    struct pending *more = reallocarray(d->pending, d->n_pending + 1, sizeof *more);
    if (more == NULL)
        return no_memory(why);
    d->pending = more;
    d->pending[d->n_pending++] =
        (struct pending){ copy(&d->of_pending, (struct slice){ owner, len }), (uint16_t)index, strtod(value, NULL) };
    return E_OK;
}

int docket_load(struct docket *d, struct knowledge *k, struct fault *why)
{
    int rc = memo_each(k, MEMO_NAME, load_name, d, why);
    if (rc == 0)
        rc = memo_each(k, MEMO_PENDING, load_pending, d, why);
    if (rc == 0 && d->n_pending)
        qsort(d->pending, d->n_pending, sizeof *d->pending, compare_pending);
    return rc;
}

static int save_pending(const struct docket *d, struct knowledge *k, struct fault *why)
{
    int rc = memo_clear(k, MEMO_PENDING, why);
    for (size_t i = 0; rc == 0 && i < d->n_pending; i++) {
        char key[NAME_TEXT_MAX + 80], name[NAME_TEXT_MAX], value[40];
        const struct pending *p = &d->pending[i];
        if (knowledge_name(p->owner.ptr, p->owner.len, name) == 0)
            continue;
        snprintf(key, sizeof key, "%s %s", detector_name(p->detector), name);
        snprintf(value, sizeof value, "%.17g", p->strength);
        rc = memo_put(k, MEMO_PENDING, key, value, why);
    }
    return rc;
}

int docket_save(struct docket *d, struct knowledge *k, struct fault *why)
{
    int rc = save_pending(d, k, why);
    for (; rc == 0 && d->n_gone > 0; free(d->gone[--d->n_gone]))
        rc = memo_put(k, MEMO_NAME, d->gone[d->n_gone - 1], NULL, why);
    for (size_t i = 0; rc == 0 && i < d->room; i++) {
        struct docket_name *n = d->slots[i];
        if (n == NULL || !n->unsaved)
            continue;
        char *text = docket_name_text(n);
        rc = text == NULL ? no_memory(why) : memo_put(k, MEMO_NAME, n->name, text, why);
        free(text);
        n->unsaved = rc != 0;
    }
    return rc;
}
