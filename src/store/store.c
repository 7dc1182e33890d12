/* Opening, committing, and what the manifest says. */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/inside.h"

enum { MANIFEST_REWRITE_BYTES = 4 << 20 };

static const char *const TIER_NAMES[TIERS] = { "slot", "hour", "day", "month" };

void table_path(const char *dir, const struct store_table *t, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "%s/%s-%s-%016" PRIx64 ".mtbl", dir, record_kinds[t->kind].name,
             TIER_NAMES[t->tier], t->id);
}

void state_path(const char *dir, uint64_t id, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "%s/state-%016" PRIx64, dir, id);
}

void store_log(struct store *s, const char *format, ...)
{
    char line[PATH_BYTES];
    va_list args;
    if (s->options.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    s->options.log(line);
}

static void step(struct store *s, const char *name)
{
    if (s->options.step)
        s->options.step(name);
}

static void handle_drop(struct handle *h)
{
    if (h == NULL || atomic_fetch_sub(&h->refs, 1) != 1)
        return;
    struct filter *filter = atomic_load(&h->filter);
    struct table_reader *reader = atomic_load(&h->reader);
    filter_close(&filter);
    table_reader_close(&reader);
    pthread_mutex_destroy(&h->opening);
    free(h);
}

static struct handle *handle_new(const struct store *s, const struct store_table *t)
{
    struct handle *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    atomic_store(&h->refs, 1);
    h->table = *t;
    pthread_mutex_init(&h->opening, NULL);
    table_path(s->dir, t, h->path);
    return h;
}

int handle_reader(struct handle *h, struct table_reader **ret, struct fault *why)
{
    struct table_reader *reader = atomic_load_explicit(&h->reader, memory_order_acquire);
    int r = 0;
    if (reader == NULL) {
        pthread_mutex_lock(&h->opening);
        reader = atomic_load(&h->reader);
        if (reader == NULL)
            r = table_reader_open(&reader, h->path, h->table.trailer_hash, why);
        if (r == 0)
            atomic_store_explicit(&h->reader, reader, memory_order_release);
        pthread_mutex_unlock(&h->opening);
    }
    if (r == 0)
        *ret = reader;
    return r;
}

int handle_filter(struct handle *h, struct filter **ret, struct fault *why)
{
    struct filter *filter = atomic_load_explicit(&h->filter, memory_order_acquire);
    int r = 0;
    if (filter == NULL) {
        pthread_mutex_lock(&h->opening);
        filter = atomic_load(&h->filter);
        if (filter == NULL)
            r = filter_open(&filter, h->path, h->table.trailer_hash, why);
        if (r == 0)
            atomic_store_explicit(&h->filter, filter, memory_order_release);
        pthread_mutex_unlock(&h->opening);
    }
    if (r == 0)
        *ret = filter;
    return r;
}

struct snapshot *snapshot_hold(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    struct snapshot *p = s->snapshot;
    atomic_fetch_add(&p->refs, 1);
    pthread_mutex_unlock(&s->mutex);
    return p;
}

void snapshot_drop(struct snapshot **snapshot)
{
    struct snapshot *p = *snapshot;
    *snapshot = NULL;
    if (p == NULL || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (size_t i = 0; i < p->n; i++)
        handle_drop(p->handles[i]);
    free(p);
}

static bool is_removed(const struct delta *d, uint64_t id)
{
    for (size_t i = 0; d && i < d->change.n_remove; i++)
        if (d->change.remove[i] == id)
            return true;
    return false;
}

static bool snapshot_add(struct store *s, struct snapshot *to, const struct store_table *t, size_t *hint)
{
    const struct snapshot *old = s->snapshot;
    struct handle *h = NULL;
    for (size_t i = *hint; old && i < old->n && !h; i++) /* both lists keep their order */
        if (old->handles[i]->table.id == t->id) {
            h = old->handles[i];
            *hint = i + 1;
        }
    if (h)
        atomic_fetch_add(&h->refs, 1);
    else if ((h = handle_new(s, t)) == NULL)
        return false;
    to->handles[to->n++] = h;
    return true;
}

/* The snapshot as it will be after `d` (NULL = of the catalog now). */
static int snapshot_build(struct store *s, const struct delta *d, struct snapshot **ret, struct fault *why)
{
    const struct catalog *c = &s->catalog;
    size_t n_add = d ? d->change.n_add : 0, hint = 0;
    struct snapshot *p = calloc(1, sizeof *p + (c->n_tables + n_add) * sizeof p->handles[0]);
    bool good = p != NULL;
    if (good)
        atomic_store(&p->refs, 1);
    for (size_t i = 0; good && i < c->n_tables; i++)
        if (!is_removed(d, c->tables[i].id))
            good = snapshot_add(s, p, &c->tables[i], &hint);
    for (size_t i = 0; good && i < n_add; i++)
        good = snapshot_add(s, p, &d->change.add[i], &hint);
    if (!good) {
        snapshot_drop(&p);
        return fault_set(why, E_NOMEM, "out of memory");
    }
    *ret = p;
    return 0;
}

static void publish(struct store *s, struct snapshot *next)
{
    snapshot_drop(&s->snapshot);
    s->snapshot = next;
}

/* A table is two files. */
struct table_files {
    char table[PATH_BYTES], filter[PATH_BYTES + 8];
};

static void table_files(const char *dir, const struct store_table *t, struct table_files *ret)
{
    table_path(dir, t, ret->table);
    snprintf(ret->filter, sizeof ret->filter, "%s.filter", ret->table);
}

static void unlink_table(const char *dir, const struct store_table *t)
{
    struct table_files files;
    table_files(dir, t, &files);
    unlink(files.table);
    unlink(files.filter);
}

bool link_table(const char *dir, const struct store_table *t, const struct store_table *also)
{
    struct table_files old, new;
    table_files(dir, t, &old);
    table_files(dir, also, &new);
    return link(old.table, new.table) == 0 && link(old.filter, new.filter) == 0;
}

void store_discard(struct store *s, const struct store_table *tables, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tables[i].id)
            unlink_table(s->dir, &tables[i]);
}

uint64_t store_new_id(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    uint64_t id = s->next_id++;
    pthread_mutex_unlock(&s->mutex);
    return id;
}

static int write_state(struct store *s, struct delta *d, struct fault *why)
{
    char path[PATH_BYTES];
    struct outfile out;
    d->has_state = true;
    d->state = (struct state_file){ s->next_id++, d->change.state_len,
                                    hash_stable(d->change.state, d->change.state_len) };
    state_path(s->dir, d->state.id, path);
    int r = outfile_open(&out, path, why);
    if (r < 0)
        return r;
    outfile_write(&out, d->change.state, d->change.state_len);
    return outfile_commit(&out, why);
}

/* The commit itself: the append of one record. Everything that can fail comes before it. */
static int append_delta(struct store *s, const struct delta *d, struct fault *why)
{
    struct snapshot *next;
    int r = catalog_reserve(&s->catalog, d, why);
    if (r == 0)
        r = snapshot_build(s, d, &next, why);
    if (r < 0)
        return r;
    step(s, "append");
    r = manifest_append(&s->manifest, d, why);
    if (r < 0) {
        snapshot_drop(&next);
        return r;
    }
    step(s, "appended");
    for (size_t i = 0; i < d->change.n_remove; i++)
        unlink_table(s->dir, catalog_table(&s->catalog, d->change.remove[i]));
    step(s, "unlinked");
    publish(s, next);
    return 0;
}

static void shorten_manifest(struct store *s)
{
    struct fault why;
    if (s->manifest.end < MANIFEST_REWRITE_BYTES || s->manifest.end < 4 * s->manifest.base)
        return;
    if (manifest_rewrite(&s->manifest, &s->catalog, &why) < 0)
        store_log(s, "%s", why.text);
}

int commit_locked(struct store *s, struct delta *d, struct fault *why)
{
    if (s->mode != STORE_WRITE)
        return fault_set(why, E_USAGE, "%s: opened for reading", s->dir);
    char path[PATH_BYTES];
    uint64_t old_state = s->catalog.state.id;
    step(s, "commit");
    int r = d->change.state ? write_state(s, d, why) : 0;
    step(s, "state");
    if (r == 0 && (d->change.n_add || d->has_state))
        r = sync_folder(s->dir, why);
    d->next_id = s->next_id;
    if (r == 0)
        r = append_delta(s, d, why);
    if (r < 0) {
        if (d->has_state) {
            state_path(s->dir, d->state.id, path);
            unlink(path);
        }
        return r;
    }
    catalog_apply(&s->catalog, d);
    if (d->has_state && old_state) {
        state_path(s->dir, old_state, path);
        unlink(path);
    }
    shorten_manifest(s);
    return 0;
}

int store_commit(struct store *s, const struct store_change *change, struct fault *why)
{
    struct delta d = { .change = *change };
    pthread_mutex_lock(&s->mutex);
    int r = commit_locked(s, &d, why);
    pthread_mutex_unlock(&s->mutex);
    return r;
}

/* What follows "KIND-TIER-ID.mtbl" in a name that begins so, or NULL. */
static const char *after_table(const char *name)
{
    for (size_t k = 0; k < KINDS; k++)
        for (size_t t = 0; t < TIERS; t++) {
            char prefix[64];
            size_t n = (size_t)snprintf(prefix, sizeof prefix, "%s-%s-", record_kinds[k].name, TIER_NAMES[t]);
            if (strncmp(name, prefix, n) == 0 && strspn(name + n, "0123456789abcdef") == 16 && strncmp(name + n + 16, ".mtbl", 5) == 0)
                return name + n + 21;
        }
    return NULL;
}

/* Is this one of our names? Then it is ours to remove when nobody names it. Analysis writes tables of its own here meanwhile. */
static bool is_our_file(const char *name)
{
    size_t len = strlen(name);
    const char *rest = after_table(name);
    if (len > 4 && strcmp(name + len - 4, ".tmp") == 0)
        return strncmp(name, "MANIFEST", 8) == 0 || strncmp(name, "state-", 6) == 0 || strcmp(name, "client.key.tmp") == 0 || rest != NULL;
    if (strncmp(name, "state-", 6) == 0 && strspn(name + 6, "0123456789abcdef") == 16 && len == 22)
        return true;
    return rest != NULL && (*rest == '\0' || strcmp(rest, ".filter") == 0);
}

static bool is_named(const struct store *s, const char *name)
{
    char path[PATH_BYTES];
    size_t skip = strlen(s->dir) + 1;
    state_path(s->dir, s->catalog.state.id, path);
    if (s->catalog.state.id && strcmp(path + skip, name) == 0)
        return true;
    for (size_t i = 0; i < s->catalog.n_tables; i++) {
        table_path(s->dir, &s->catalog.tables[i], path);
        size_t n = strlen(path + skip);
        if (strncmp(path + skip, name, n) == 0 && (name[n] == 0 || strcmp(name + n, ".filter") == 0))
            return true;
    }
    return false;
}

static void remove_left_overs(struct store *s)
{
    DIR *dir = opendir(s->dir);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (is_our_file(e->d_name) && !is_named(s, e->d_name) && unlinkat(dirfd(dir), e->d_name, 0) == 0)
            store_log(s, "%s/%s: left over by a killed writer, removed", s->dir, e->d_name);
    closedir(dir);
}

static int take_lock(struct store *s, struct fault *why)
{
    char path[PATH_BYTES];
    if (mkdir(s->dir, 0755) < 0 && errno != EEXIST)
        return fault_errno(why, errno, "%s: cannot create", s->dir);
    snprintf(path, sizeof path, "%s/LOCK", s->dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->lock_fd < 0)
        return fault_errno(why, errno, "%s: cannot open", path);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? fault_set(why, E_LOCKED, "%s: in use by another writer", s->dir)
                                    : fault_errno(why, errno, "%s: cannot lock", path);
    return 0;
}

/* A folder without a manifest is a new database, unless tables lie in it: every writer makes the
 * manifest before its first table, so somebody lost it, and the tables are no left-overs. */
static int begin_new(struct store *s, struct fault *why)
{
    DIR *dir = opendir(s->dir);
    if (dir == NULL)
        return fault_errno(why, errno, "%s: cannot open folder", s->dir);
    bool lost = false;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        lost |= strstr(e->d_name, ".mtbl") != NULL && is_our_file(e->d_name);
    closedir(dir);
    return lost ? fault_set(why, E_CORRUPT, "%s/MANIFEST: is missing, and there are tables that it named", s->dir) : 0;
}

static int open_parts(struct store *s, struct fault *why)
{
    int r = s->mode == STORE_WRITE ? take_lock(s, why) : 0;
    if (r < 0)
        return r;
    r = manifest_read(&s->manifest, &s->catalog, why);
    if (r == E_ABSENT && s->mode == STORE_WRITE)
        r = begin_new(s, why);
    if (r == 0 && s->manifest.torn)
        store_log(s, "%s/MANIFEST: offset %" PRIu64 ": torn tail of a killed writer, ignored", s->dir, s->manifest.end);
    if (r == 0 && s->catalog.next_id == 0)
        s->catalog.next_id = 1;
    s->next_id = s->catalog.next_id;
    if (r == 0 && s->mode == STORE_WRITE) {
        r = manifest_rewrite(&s->manifest, &s->catalog, why);
        if (r == 0)
            remove_left_overs(s);
    }
    return r < 0 ? r : snapshot_build(s, NULL, &s->snapshot, why);
}

int store_open(struct store **ret, const char *dir, enum store_mode mode, const struct store_options *options,
               struct fault *why)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    s->mode = mode;
    s->lock_fd = s->manifest.fd = -1;
    s->manifest.dir = s->dir;
    if (options)
        s->options = *options;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->idle, NULL);
    int r = 0;
    if ((size_t)snprintf(s->dir, sizeof s->dir, "%s", dir) >= sizeof s->dir)
        r = fault_set(why, E_LIMIT, "path is too long: %.100s...", dir);
    if (r == 0)
        r = open_parts(s, why);
    if (r < 0)
        store_close(&s);
    else
        *ret = s;
    return r;
}

void store_close(struct store **store)
{
    struct store *s = *store;
    *store = NULL;
    if (s == NULL)
        return;
    scan_free(s->free_scans);
    snapshot_drop(&s->snapshot);
    manifest_close(&s->manifest);
    catalog_release(&s->catalog);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

int store_refresh(struct store *s, struct fault *why)
{
    if (s->mode == STORE_WRITE)
        return 0;
    struct snapshot *next;
    pthread_mutex_lock(&s->mutex);
    int r = manifest_read(&s->manifest, &s->catalog, why);
    if (r == 0)
        r = snapshot_build(s, NULL, &next, why);
    if (r == 0)
        publish(s, next);
    pthread_mutex_unlock(&s->mutex);
    return r;
}

size_t store_tables(const struct store *s, const struct store_table **ret)
{
    *ret = s->catalog.tables;
    return s->catalog.n_tables;
}

size_t store_sources(const struct store *s, const struct store_source **ret)
{
    *ret = s->catalog.sources;
    return s->catalog.n_sources;
}

size_t store_formers(const struct store *s, const struct store_former **ret)
{
    *ret = s->catalog.formers;
    return s->catalog.n_formers;
}

int64_t store_watermark(const struct store *s)
{
    return s->catalog.watermark;
}

const char *store_totals(const struct store *s)
{
    return s->catalog.totals ? s->catalog.totals : "";
}

static int read_state(const struct store *s, const struct state_file *state, struct buffer *to, struct fault *why)
{
    char path[PATH_BYTES];
    state_path(s->dir, state->id, path);
    FILE *f = fopen(path, "rbe");
    if (f == NULL)
        return fault_errno(why, errno, "%s: cannot open", path);
    struct stat st;
    int r = 0;
    uint8_t *p = NULL;
    if (fstat(fileno(f), &st) < 0 || (uint64_t)st.st_size != state->len)
        r = fault_set(why, E_CORRUPT, "%s: offset 0: size is not the one the manifest names", path);
    else if ((p = buffer_reserve(to, state->len)) == NULL)
        r = fault_set(why, E_NOMEM, "%s: out of memory", path);
    else if (fread(p, 1, state->len, f) != state->len)
        r = fault_set(why, E_IO, "%s: cannot read", path);
    else if (hash_stable(p, state->len) != state->hash)
        r = fault_set(why, E_CORRUPT, "%s: offset 0: bad checksum", path);
    else
        to->len += state->len;
    fclose(f);
    return r;
}

int store_state(struct store *s, struct buffer *to, struct fault *why)
{
    pthread_mutex_lock(&s->mutex);
    int r = s->catalog.state.id ? read_state(s, &s->catalog.state, to, why) : 0;
    pthread_mutex_unlock(&s->mutex);
    return r;
}

/* A file that no record names is one that somebody put there, or a killed writer's: as good as any, if whole. */
static int first_client_key(struct store *s, uint8_t ret_key[SECRET_BYTES], struct fault *why)
{
    struct delta d = { .client_key = true };
    uint8_t key[SECRET_BYTES];
    struct fault found;
    int r = secret_read(s->dir, key, &found);
    if (r == E_ABSENT)
        r = secret_create(s->dir, key, why);
    else if (r < 0)
        fault_set(why, r, "%s", found.text);
    if (r == 0)
        r = commit_locked(s, &d, why);
    if (r == 0)
        memcpy(ret_key, key, SECRET_BYTES);
    return r;
}

int store_client_key(struct store *s, uint8_t ret_key[STORE_CLIENT_KEY_BYTES], struct fault *why)
{
    _Static_assert(STORE_CLIENT_KEY_BYTES == (int)SECRET_BYTES, "one key");
    pthread_mutex_lock(&s->mutex);
    int r = s->catalog.client_key ? secret_read(s->dir, ret_key, why) : first_client_key(s, ret_key, why);
    pthread_mutex_unlock(&s->mutex);
    if (r == E_ABSENT)
        r = fault_set(why, E_CORRUPT, "%s/client.key: is missing; put it back, for without it new client ids would have "
                      "nothing to do with those in the database", s->dir);
    return r;
}

static int register_sensor(struct store *s, const char *name, uint8_t *ret_bit, struct fault *why)
{
    uint8_t bit = 1;
    for (; bit < SENSOR_OTHERS && s->catalog.sensors[bit][0]; bit++)
        if (strcmp(s->catalog.sensors[bit], name) == 0) {
            *ret_bit = bit;
            return 0;
        }
    if (bit == SENSOR_OTHERS) {
        *ret_bit = bit;
        return 0;
    }
    if (s->mode != STORE_WRITE)
        return fault_set(why, E_ABSENT, "%s: no sensor of that name", name);
    struct delta d = { .sensor = bit };
    snprintf(d.sensor_name, sizeof d.sensor_name, "%s", name);
    int r = commit_locked(s, &d, why);
    if (r == 0)
        *ret_bit = bit;
    return r;
}

int store_sensor(struct store *s, const char *name, uint8_t *ret_bit, struct fault *why)
{
    if (strlen(name) >= SENSOR_NAME_BYTES)
        return fault_set(why, E_LIMIT, "sensor name is longer than %d bytes", SENSOR_NAME_BYTES - 1);
    if (name[0] == 0) {
        *ret_bit = 0;
        return 0;
    }
    pthread_mutex_lock(&s->mutex);
    int r = register_sensor(s, name, ret_bit, why);
    pthread_mutex_unlock(&s->mutex);
    return r;
}

const char *store_sensor_name(const struct store *s, uint8_t bit)
{
    return bit == SENSOR_OTHERS ? "others" : bit < SENSORS ? s->catalog.sensors[bit] : "";
}
