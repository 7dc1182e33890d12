#include "knowledge/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- words ---- */

int knowledge_word(const char *const texts[], int n, const char *text)
{
    for (int i = 0; i < n; i++)
        if (strcmp(texts[i], text) == 0)
            return i;
    return -1;
}

static const char *const scopes[] = { [SCOPE_DOMAIN] = "domain", [SCOPE_HOST] = "host" };

const char *scope_text(enum scope scope)
{
    return scopes[scope];
}

bool scope_parse(const char *text, enum scope *ret)
{
    int i = knowledge_word(scopes, 2, text);
    if (i >= 0)
        *ret = (enum scope)i;
    return i >= 0;
}

int64_t knowledge_as_of(int64_t step)
{
    return step == KNOWLEDGE_NOW ? INT64_MAX : step;
}

/* ---- names ---- */

static size_t text_of_wire(const uint8_t *wire, size_t len, char text[NAME_TEXT_MAX])
{
    size_t n = len > 1 ? name_to_text(wire, len, text) : 0;
    if (n == 0)
        return 0;
    text[--n] = '\0';
    return n;
}

size_t knowledge_name(const uint8_t *owner_key, size_t len, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    return text_of_wire(wire, name_from_owner_key(owner_key, len, wire), text);
}

size_t knowledge_name_from_text(const char *any, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(any, strlen(any), wire);
    for (size_t i = 0; i < len; i++)
        wire[i] = name_lower[wire[i]]; /* length bytes lie below 'A' */
    return text_of_wire(wire, len, text);
}

size_t knowledge_key(const char *text, uint8_t key[NAME_KEY_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(text, strlen(text), wire);
    return len > 1 ? name_owner_key(wire, len, key) : 0;
}

const char *knowledge_parent(const char *name)
{
    for (; *name != '\0'; name++)
        if (*name == '\\' && name[1] != '\0')
            name++; /* a dot behind it is part of the label; of \DDD the digits that are left are no dots */
        else if (*name == '.')
            return name + 1;
    return NULL;
}

bool knowledge_is_within(const char *name, const char *domain)
{
    for (; name != NULL; name = knowledge_parent(name))
        if (strcmp(name, domain) == 0)
            return true;
    return false;
}

int knowledge_check_name(const char *name, struct fault *why)
{
    char text[NAME_TEXT_MAX];
    if (knowledge_name_from_text(name, text) == 0 || strcmp(text, name) != 0)
        return fault_set(why, E_USAGE, "'%.300s' is not a name as knowledge.db keeps them", name);
    return E_OK;
}

int knowledge_check_json(struct knowledge *k, const char *text, const char *type, const char *what, struct fault *why)
{
    static const char sql[] = "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) = ?2 ELSE 0 END";
    struct statement s;
    int64_t good = 0;
    statement_start(&s, k, sql);
    statement_text(&s, 1, text);
    statement_text(&s, 2, type);
    int rc = statement_number(&s, &good, why);
    return rc || good ? rc : fault_set(why, E_MALFORMED, "%s: not a JSON %s", what, type);
}

/* ---- opening ---- */

/* What SQLite may be made to do by a file that somebody else wrote. */
static const struct {
    int id, value;
} limits[] = {
    { SQLITE_LIMIT_LENGTH, KNOWLEDGE_TEXT_MAX },
    { SQLITE_LIMIT_SQL_LENGTH, 1 << 16 },
    { SQLITE_LIMIT_COLUMN, 64 },
    { SQLITE_LIMIT_EXPR_DEPTH, 64 },
    { SQLITE_LIMIT_COMPOUND_SELECT, 8 },
    { SQLITE_LIMIT_VDBE_OP, 50000 },
    { SQLITE_LIMIT_FUNCTION_ARG, 8 },
    { SQLITE_LIMIT_ATTACHED, 0 },
    { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64 },
    { SQLITE_LIMIT_VARIABLE_NUMBER, 32 },
    { SQLITE_LIMIT_TRIGGER_DEPTH, 2 },
    { SQLITE_LIMIT_WORKER_THREADS, 0 },
};

int knowledge_connect(sqlite3 **ret, const char *path, int flags)
{
    int rc = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (rc != SQLITE_OK)
        return rc;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        (void)sqlite3_limit(*ret, limits[i].id, limits[i].value);
    (void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_busy_timeout(*ret, KNOWLEDGE_BUSY_MS);
    return sqlite3_exec(*ret,
                        "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0;"
                        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY",
                        NULL, NULL, NULL);
}

static int connect_path(struct knowledge *k, const char *path, int flags, struct fault *why)
{
    int rc = knowledge_connect(&k->db, path, flags);
    return rc == SQLITE_OK ? E_OK : knowledge_fault(k, rc, why);
}

static void disconnect(struct knowledge *k)
{
    for (size_t i = 0; i < k->n_cached; i++)
        sqlite3_finalize(k->cache[i].stmt);
    k->n_cached = 0;
    sqlite3_close(k->db);
    k->db = NULL;
}

static int sync_dir(const char *dir, struct fault *why)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) < 0 ? fault_errno(why, errno, "%s", dir) : E_OK;
    if (fd >= 0)
        close(fd);
    return rc;
}

static int fill_new(struct knowledge *k, const char *path, struct fault *why)
{
    int rc = connect_path(k, path, SQLITE_OPEN_READWRITE, why);
    if (rc == 0)
        rc = schema_migrate(k, knowledge_steps, knowledge_version, why);
    disconnect(k);
    return rc;
}

/* The file gets its name when it is whole, unless somebody else was faster, which is as good. */
static int create(struct knowledge *k, const char *dir, struct fault *why)
{
    char path[KNOWLEDGE_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.XXXXXX", k->path);
    int fd = mkostemp(path, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot create", k->path);
    close(fd);
    int rc = fill_new(k, path, why);
    if (rc == 0 && link(path, k->path) < 0 && errno != EEXIST)
        rc = fault_errno(why, errno, "%s: cannot create", k->path);
    unlink(path);
    return rc ? rc : sync_dir(dir, why);
}

static int find_file(struct knowledge *k, const char *dir, struct fault *why)
{
    struct stat st;
    if (stat(k->path, &st) < 0) {
        if (errno != ENOENT)
            return fault_errno(why, errno, "%s", k->path);
        if (k->mode == KNOWLEDGE_READ)
            return fault_set(why, E_ABSENT, "%s: nothing was analysed, decided or imported yet", k->path);
        return create(k, dir, why);
    }
    if (!S_ISREG(st.st_mode))
        return fault_set(why, E_CORRUPT, "%s: not a file", k->path);
    if (st.st_size == 0)
        return fault_set(why, E_CORRUPT, "%s: damaged: it is empty; it is left as it is", k->path);
    /* SQLite would open it for reading and tell only when it is to write. */
    if (k->mode == KNOWLEDGE_WRITE && access(k->path, W_OK) < 0)
        return fault_errno(why, errno, "%s: cannot be written", k->path);
    return E_OK;
}

static int old_version(struct knowledge *k, int version, struct fault *why)
{
    return fault_set(why, E_VERSION, "%s: of version %d; 'dnsmon analyze', or whatever else writes, brings it to %d",
                     k->path, version, knowledge_version);
}

static int settle_version(struct knowledge *k, struct fault *why)
{
    int version;
    int rc = schema_version(k, &version, why);
    if (rc == 0 && version > knowledge_version)
        rc = fault_set(why, E_VERSION, "%s: of version %d, newer than the %d that this program knows", k->path, version,
                       knowledge_version);
    if (rc == 0)
        rc = schema_compare(k, knowledge_steps, version, why);
    if (rc != 0 || version == knowledge_version)
        return rc;
    return k->mode == KNOWLEDGE_READ ? old_version(k, version, why)
                                     : schema_migrate(k, knowledge_steps, knowledge_version, why);
}

static int set_journal(struct knowledge *k, struct fault *why)
{
    int rc = sqlite3_exec(k->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    return rc == SQLITE_OK ? E_OK : knowledge_fault(k, rc, why);
}

int knowledge_open(struct knowledge **ret, const char *dir, enum knowledge_mode mode, struct fault *why)
{
    struct knowledge *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    k->mode = mode;
    int n = snprintf(k->path, sizeof k->path, "%s/" KNOWLEDGE_FILE, dir);
    int rc = n < 0 || (size_t)n >= sizeof k->path ? fault_set(why, E_LIMIT, "%.200s...: too long a path", dir)
                                                  : find_file(k, dir, why);
    if (rc == 0)
        rc = connect_path(k, k->path, mode == KNOWLEDGE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, why);
    if (rc == 0)
        rc = settle_version(k, why);
    if (rc == 0 && mode == KNOWLEDGE_WRITE)
        rc = set_journal(k, why);
    if (rc != 0)
        knowledge_close(&k);
    else
        *ret = k;
    return rc;
}

void knowledge_close(struct knowledge **k)
{
    if (*k == NULL)
        return;
    knowledge_rollback(*k);
    disconnect(*k);
    free(*k);
    *k = NULL;
}

/* ---- transactions ---- */

static int command(struct knowledge *k, const char *sql, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, sql);
    return statement_run(&s, why);
}

static const char begin_read[] = "BEGIN", begin_write[] = "BEGIN IMMEDIATE", commit[] = "COMMIT", rollback[] = "ROLLBACK";

static void undo(struct knowledge *k)
{
    if (!sqlite3_get_autocommit(k->db)) /* SQLite rolls back itself after some failures */
        (void)command(k, rollback, NULL);
}

int knowledge_begin(struct knowledge *k, struct fault *why)
{
    int rc = command(k, k->mode == KNOWLEDGE_READ ? begin_read : begin_write, why);
    if (rc == 0) {
        k->within = true;
        k->failure.code = 0;
    }
    return rc;
}

void knowledge_rollback(struct knowledge *k)
{
    if (k->db != NULL && k->within)
        undo(k);
    k->within = false;
}

int knowledge_commit(struct knowledge *k, struct fault *why)
{
    int rc = k->failure.code != 0 ? fault_set(why, k->failure.code, "%s", k->failure.text) : command(k, commit, why);
    if (rc != 0)
        undo(k);
    k->within = false;
    return rc;
}

int knowledge_stamp(struct knowledge *k, int64_t *ret, struct fault *why)
{
    static const char sql[] = "PRAGMA data_version";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret, why);
}

int knowledge_enter(struct knowledge *k, struct write *w, struct fault *why)
{
    if (k->mode == KNOWLEDGE_READ)
        return fault_set(why, E_USAGE, "%s: opened for reading", k->path);
    w->own = !k->within;
    return w->own ? command(k, begin_write, why) : E_OK;
}

int knowledge_leave(struct knowledge *k, const struct write *w, int rc, struct fault *why)
{
    if (w->own) {
        if (rc == 0)
            rc = command(k, commit, why);
        if (rc != 0)
            undo(k);
    } else if (rc != 0 && rc != E_ABSENT && rc != E_USAGE && k->failure.code == 0) { /* those two wrote nothing */
        fault_set(&k->failure, rc, "%s", why != NULL && why->text[0] ? why->text : fault_text(rc));
    }
    return rc;
}
