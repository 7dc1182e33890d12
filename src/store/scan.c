/* Reading: k-way merge of the tables that may hold the range.
 *
 * An exact scan asks all filters first: it prefetches every line, then tests, so that
 * sixty tables cost about one wait for memory. Scans are pooled with their cursors, buffers and unpacked blocks.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/inside.h"

struct store_scan {
    struct store_scan *next_free;
    struct store *store;
    struct snapshot *snapshot;
    struct merge merge;
    struct table_cursor **cursors;
    size_t n_cursors, cursors_capacity; /* in use; allocated */
    struct handle **candidates;
    size_t candidates_capacity;
    struct buffer end, exact; /* copies */
    bool has_end, has_exact;
    struct block_cache *cache; /* of scans that do not begin at the first key; NULL: none yet, or no memory */
};

void scan_free(struct store_scan *scan)
{
    while (scan) {
        struct store_scan *next = scan->next_free;
        for (size_t i = 0; i < scan->cursors_capacity; i++) {
            table_cursor_release(scan->cursors[i]);
            free(scan->cursors[i]);
        }
        block_cache_destroy(&scan->cache);
        merge_release(&scan->merge);
        buffer_release(&scan->end);
        buffer_release(&scan->exact);
        free(scan->cursors);
        free(scan->candidates);
        free(scan);
        scan = next;
    }
}

static struct store_scan *take_scan(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    struct store_scan *scan = s->free_scans;
    if (scan)
        s->free_scans = scan->next_free;
    struct snapshot *snapshot = s->snapshot;
    atomic_fetch_add(&snapshot->refs, 1);
    pthread_mutex_unlock(&s->mutex);
    if (scan == NULL && (scan = calloc(1, sizeof *scan)) != NULL) {
        merge_init(&scan->merge);
        buffer_init(&scan->end, TABLE_KEY_MAX);
        buffer_init(&scan->exact, TABLE_KEY_MAX);
    }
    if (scan == NULL) {
        snapshot_drop(&snapshot);
        return NULL;
    }
    scan->next_free = NULL;
    scan->store = s;
    scan->snapshot = snapshot;
    scan->n_cursors = 0;
    return scan;
}

void store_scan_close(struct store_scan **ret)
{
    struct store_scan *scan = *ret;
    *ret = NULL;
    if (scan == NULL)
        return;
    for (size_t i = 0; i < scan->n_cursors; i++)
        scan->cursors[i]->reader = NULL; /* may be unmapped from now on */
    snapshot_drop(&scan->snapshot);
    pthread_mutex_lock(&scan->store->mutex);
    scan->next_free = scan->store->free_scans;
    scan->store->free_scans = scan;
    pthread_mutex_unlock(&scan->store->mutex);
}

static struct table_cursor *take_cursor(struct store_scan *scan)
{
    if (scan->n_cursors == scan->cursors_capacity) {
        struct table_cursor **cursors = realloc(scan->cursors, (scan->n_cursors + 1) * sizeof *cursors);
        if (cursors == NULL)
            return NULL;
        scan->cursors = cursors;
        if ((cursors[scan->n_cursors] = calloc(1, sizeof **cursors)) == NULL)
            return NULL;
        scan->cursors_capacity++;
    }
    return scan->cursors[scan->n_cursors++];
}

static bool starts_with(struct slice key, const struct buffer *prefix)
{
    return key.len >= prefix->len && (prefix->len == 0 || memcmp(key.ptr, prefix->ptr, prefix->len) == 0);
}

static bool is_behind(const struct store_scan *scan, struct slice key)
{
    if (scan->has_exact && !starts_with(key, &scan->exact))
        return true;
    return scan->has_end && slice_compare(key, (struct slice){ scan->end.ptr, scan->end.len }) >= 0;
}

static int open_table(struct store_scan *scan, struct handle *h, struct slice start, struct fault *why)
{
    struct table_reader *reader;
    int r = handle_reader(h, &reader, why);
    if (r < 0)
        return r;
    struct table_cursor *c = take_cursor(scan);
    if (c == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    if (scan->cache == NULL && start.len)
        scan->cache = block_cache_create();
    c->cache = scan->cache;
    table_cursor_attach(c, reader);
    r = start.len ? table_cursor_seek(c, start, why) : table_cursor_first(c, why);
    if (r < 0)
        return r;
    if (!c->block.valid || is_behind(scan, block_cursor_key(&c->block)))
        return 0;
    return merge_add_table(&scan->merge, c, why);
}

static bool is_wanted(const struct store_table *t, const struct store_range *range)
{
    return t->kind == range->kind && (!range->open_only || t->open) &&
           (range->after == 0 || t->to >= range->after) && (range->before == 0 || t->from <= range->before);
}

static int list_candidates(struct store_scan *scan, const struct store_range *range, size_t *ret, struct fault *why)
{
    size_t n = scan->snapshot->n;
    if (n > scan->candidates_capacity) {
        free(scan->candidates);
        scan->candidates = malloc(n * 2 * sizeof *scan->candidates);
        scan->candidates_capacity = scan->candidates ? n * 2 : 0;
        if (scan->candidates == NULL)
            return fault_set(why, E_NOMEM, "out of memory");
    }
    *ret = 0;
    for (size_t i = 0; i < n; i++)
        if (is_wanted(&scan->snapshot->handles[i]->table, range))
            scan->candidates[(*ret)++] = scan->snapshot->handles[i];
    return 0;
}

/* Leaves those whose filter may hold the key. */
static int ask_filters(struct store_scan *scan, struct slice exact, size_t *n, struct fault *why)
{
    uint64_t hash = hash_stable(exact.ptr, exact.len);
    struct filter *filter;
    for (size_t i = 0; i < *n; i++) {
        int r = handle_filter(scan->candidates[i], &filter, why);
        if (r < 0)
            return r;
        filter_prefetch(filter, hash);
    }
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        bool maybe = false;
        int r = handle_filter(scan->candidates[i], &filter, why);
        if (r == 0)
            r = filter_test(filter, hash, &maybe, why);
        if (r < 0)
            return r;
        if (maybe)
            scan->candidates[kept++] = scan->candidates[i];
    }
    *n = kept;
    return 0;
}

static int open_tables(struct store_scan *scan, const struct store_range *range, struct fault *why)
{
    size_t n = 0;
    struct slice start = range->start;
    if (scan->has_exact && slice_compare(range->exact, start) > 0)
        start = range->exact;
    int r = list_candidates(scan, range, &n, why);
    if (r == 0 && scan->has_exact)
        r = ask_filters(scan, range->exact, &n, why);
    for (size_t i = 0; i < n && r == 0; i++)
        r = open_table(scan, scan->candidates[i], start, why);
    return r < 0 ? r : merge_start(&scan->merge, why);
}

static int try_open(struct store_scan **ret, struct store *s, const struct store_range *range, struct fault *why)
{
    struct store_scan *scan = take_scan(s);
    if (scan == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    buffer_clear(&scan->end);
    buffer_clear(&scan->exact);
    buffer_append(&scan->end, range->end.ptr, range->end.len);
    buffer_append(&scan->exact, range->exact.ptr, range->exact.len);
    scan->has_end = range->end.len > 0;
    scan->has_exact = range->exact.len > 0;
    merge_clear(&scan->merge, &record_kinds[range->kind]);
    int r = scan->end.failed || scan->exact.failed ? fault_set(why, E_LIMIT, "key is too long")
                                                   : open_tables(scan, range, why);
    if (r < 0)
        store_scan_close(&scan);
    else
        *ret = scan;
    return r;
}

/* A reader's snapshot may be older than the writer's last merge, which unlinked tables the reader had
 * not opened yet: then it looks at the manifest again. */
int store_scan_open(struct store_scan **ret, struct store *s, const struct store_range *range, struct fault *why)
{
    int r = try_open(ret, s, range, why);
    for (unsigned tries = 0; r == E_ABSENT && s->mode == STORE_READ && tries < 5; tries++) {
        int refreshed = store_refresh(s, why);
        if (refreshed < 0)
            return refreshed;
        r = try_open(ret, s, range, why);
    }
    return r == E_ABSENT ? fault_set(why, E_CORRUPT, "%s: a table is missing", s->dir) : r;
}

int store_scan_next(struct store_scan *scan, struct slice *ret_key, struct slice *ret_value, struct fault *why)
{
    int r = merge_next(&scan->merge, ret_key, ret_value, why);
    if (r < 0)
        return r;
    if (ret_key->ptr && is_behind(scan, *ret_key)) {
        ret_key->ptr = NULL;
        merge_clear(&scan->merge, scan->merge.kind); /* stays at the end */
    }
    return 0;
}

int store_scan_each(struct store *s, const struct store_range *range, store_entry entry, void *ctx, struct fault *why)
{
    struct store_scan *scan;
    struct slice key, value;
    int r = store_scan_open(&scan, s, range, why);
    if (r < 0)
        return r;
    do {
        r = store_scan_next(scan, &key, &value, why);
        if (r == 0 && key.ptr)
            r = entry(ctx, key, value, why);
    } while (r == 0 && key.ptr);
    store_scan_close(&scan);
    return r;
}

/* Bytes of files and shared memory that the process has in memory; 0 where it cannot be told. */
static uint64_t mapped_bytes(void)
{
    char line[128], *at = line;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        (void)close(fd);
    if (n <= 0)
        return 0;
    line[n] = '\0';
    for (unsigned field = 0; field < 2 && at != NULL; field++) /* size, resident, shared */
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void store_give_back(struct store *s, uint64_t most)
{
    uint64_t mapped = mapped_bytes();
    if (mapped <= most || mapped <= atomic_load(&s->left_mapped) + most / 4)
        return;
    struct snapshot *snapshot = snapshot_hold(s);
    for (size_t i = 0; i < snapshot->n; i++) {
        const struct table_reader *reader = atomic_load(&snapshot->handles[i]->reader);
        if (reader != NULL)
            table_reader_give_back(reader);
    }
    snapshot_drop(&snapshot);
    atomic_store(&s->left_mapped, mapped_bytes());
}
