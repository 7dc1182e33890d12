/* Reads every byte of a database and says what is wrong with it, a line a damage.
 *
 * Per table: trailer, index and every block by checksum; restarts that point at entries; blocks
 * that tile the file as the index says; keys that rise and lie between their index keys; counts as in trailer and manifest; entries the
 * kind accepts; every filter key in the filter, whose pages are all verified.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "store/inside.h"

struct fsck {
    void (*report)(void *ctx, const char *line);
    void *ctx;
    uint64_t damages;
};

static void damage(struct fsck *f, const char *line)
{
    f->damages++;
    if (f->report)
        f->report(f->ctx, line);
}

static void damage_of_fault(void *ctx, const struct fault *why)
{
    damage(ctx, why->text);
}

static void complain(struct fsck *f, const char *path, uint64_t at, const char *what)
{
    char line[PATH_BYTES + 128];
    snprintf(line, sizeof line, "%s: offset %" PRIu64 ": %s", path, at, what);
    damage(f, line);
}

struct counts {
    uint64_t entries, blocks, key_bytes, value_bytes, block_end;
    struct buffer index_key; /* of the block being read */
};

static int check_filter_keys(struct fsck *f, struct filter *filter, const struct record_kind *kind, const char *path,
                             const struct table_cursor *c)
{
    struct fault why;
    struct slice key = block_cursor_key(&c->block);
    size_t lens[KIND_FILTER_KEYS];
    unsigned n = kind->filter_keys(key, lens);
    for (unsigned i = 0; i < n && i < KIND_FILTER_KEYS; i++) {
        bool maybe = true;
        if (lens[i] > key.len)
            continue;
        int r = filter_test(filter, hash_stable(key.ptr, lens[i]), &maybe, &why);
        if (r < 0)
            return r; /* filter_verify reports it */
        if (!maybe) {
            complain(f, path, c->block_at, "a key is not in the filter");
            return E_CORRUPT;
        }
    }
    return 0;
}

static void check_block_start(struct fsck *f, const struct table_cursor *c, struct counts *n)
{
    const char *path = table_reader_path(c->reader);
    struct slice former = { n->index_key.ptr, n->index_key.len }, key = block_cursor_key(&c->index);
    if (c->block_at != n->block_end)
        complain(f, path, n->block_end, "blocks do not tile the file");
    if (block_cursor_check_restarts(&c->block) < 0)
        complain(f, path, c->block_at, "restarts do not fit the entries");
    if (n->blocks && slice_compare(block_cursor_key(&c->block), former) <= 0)
        complain(f, path, c->block_at, "a key lies below the former block's index key");
    buffer_clear(&n->index_key);
    buffer_append(&n->index_key, key.ptr, key.len);
    n->block_end = c->block_end;
    n->blocks++;
}

static void check_entries(struct fsck *f, struct table_cursor *c, const struct record_kind *kind,
                          struct filter *filter, struct counts *n)
{
    struct fault why;
    uint64_t block_at = UINT64_MAX;
    const char *path = table_reader_path(c->reader);
    bool valid = true;
    int r = table_cursor_first(c, &why);
    while (r == 0 && c->block.valid) {
        struct slice key = block_cursor_key(&c->block);
        if (c->block_at != block_at) {
            block_at = c->block_at;
            check_block_start(f, c, n);
        }
        if (slice_compare(key, block_cursor_key(&c->index)) > 0) {
            complain(f, path, block_at, "a key lies above its index key");
            break;
        }
        if (valid && !kind->valid(key, c->block.value)) {
            valid = false; /* once a table */
            complain(f, path, block_at, "an entry does not parse");
        }
        if (filter && check_filter_keys(f, filter, kind, path, c) < 0)
            filter = NULL;
        n->entries++;
        n->key_bytes += key.len;
        n->value_bytes += c->block.value.len;
        r = table_cursor_next(c, &why);
    }
    if (r < 0)
        damage_of_fault(f, &why);
}

static void check_counts(struct fsck *f, const struct table_reader *reader, const struct store_table *t,
                         const struct counts *n)
{
    const struct table_trailer *trailer = table_reader_trailer(reader);
    const char *path = table_reader_path(reader);
    uint64_t file = trailer->index_offset + trailer->index_bytes + TABLE_TRAILER_BYTES;
    if (n->entries != trailer->entries || n->blocks != trailer->blocks || n->key_bytes != trailer->key_bytes ||
        n->value_bytes != trailer->value_bytes || n->block_end != trailer->data_bytes)
        complain(f, path, file - TABLE_TRAILER_BYTES, "counts differ from the trailer");
    if (t->entries != trailer->entries || t->bytes != file)
        complain(f, path, file - TABLE_TRAILER_BYTES, "counts differ from the manifest");
}

static void check_table(struct fsck *f, const char *dir, const struct store_table *t)
{
    char path[PATH_BYTES];
    struct fault why;
    struct table_reader *reader;
    struct filter *filter = NULL;
    struct counts n = { 0 };
    buffer_init(&n.index_key, TABLE_KEY_MAX);
    table_path(dir, t, path);
    if (filter_open(&filter, path, t->trailer_hash, &why) < 0)
        damage_of_fault(f, &why);
    else
        filter_verify(filter, damage_of_fault, f);
    if (table_reader_open(&reader, path, t->trailer_hash, &why) < 0) {
        damage_of_fault(f, &why);
    } else {
        struct table_cursor c = { 0 };
        uint64_t before = f->damages;
        table_cursor_attach(&c, reader);
        check_entries(f, &c, &record_kinds[t->kind], filter, &n);
        if (f->damages == before)
            check_counts(f, reader, t, &n);
        table_cursor_release(&c);
        table_reader_close(&reader);
    }
    buffer_release(&n.index_key);
    filter_close(&filter);
}

/* A table that is gone since the manifest was read was merged away by a running writer. */
static bool is_gone(struct store *s, uint64_t id)
{
    struct fault why;
    return store_refresh(s, &why) == 0 && catalog_table(&s->catalog, id) == NULL;
}

static int check_tables(struct fsck *f, struct store *s, struct fault *why)
{
    const struct store_table *now;
    size_t n = store_tables(s, &now);
    struct store_table *tables = calloc(n + 1, sizeof *tables);
    if (tables == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    if (n)
        memcpy(tables, now, n * sizeof *tables);
    for (size_t i = 0; i < n; i++) {
        char path[PATH_BYTES];
        table_path(s->dir, &tables[i], path);
        FILE *file = fopen(path, "rbe");
        if (file == NULL && errno == ENOENT && is_gone(s, tables[i].id))
            continue;
        if (file)
            fclose(file);
        check_table(f, s->dir, &tables[i]);
    }
    free(tables);
    return 0;
}

int store_fsck(const char *dir, void (*report)(void *ctx, const char *line), void *ctx, uint64_t *ret_damages,
               struct fault *why)
{
    struct fsck f = { .report = report, .ctx = ctx };
    struct store *s = NULL;
    struct fault inner;
    int r = store_open(&s, dir, STORE_READ, NULL, &inner);
    if (r == E_CORRUPT || r == E_ABSENT)
        damage_of_fault(&f, &inner);
    else if (r < 0)
        return fault_set(why, r, "%s", inner.text);
    if (s) {
        struct buffer state;
        buffer_init(&state, (size_t)1 << 34);
        if (store_state(s, &state, &inner) < 0)
            damage_of_fault(&f, &inner);
        buffer_release(&state);
        if (s->catalog.client_key && secret_check(dir, &inner) < 0)
            damage_of_fault(&f, &inner);
        r = check_tables(&f, s, why);
        store_close(&s);
    } else {
        r = 0;
    }
    if (ret_damages)
        *ret_damages = f.damages;
    return r;
}
