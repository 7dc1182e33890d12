#include "knowledge/inside.h"

#include <errno.h>
#include <string.h>

static int code_of(struct knowledge *k, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return E_NOSPACE;
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_LOCKED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR: /* our SQL is right for our schema */
        return E_CORRUPT;
    case SQLITE_TOOBIG:
        return E_LIMIT;
    case SQLITE_CONSTRAINT:
        return E_MALFORMED;
    case SQLITE_INTERRUPT:
        return E_INTERRUPTED;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return E_USAGE;
    default:
        return sqlite3_system_errno(k->db) == ENOSPC ? E_NOSPACE : E_IO;
    }
}

int knowledge_fault(struct knowledge *k, int rc, struct fault *why)
{
    int code = code_of(k, rc);
    const char *text = k->db != NULL ? sqlite3_errmsg(k->db) : sqlite3_errstr(rc);
    if (code == E_LOCKED)
        return fault_set(why, code, "%s: in use by another writer", k->path);
    if (code == E_CORRUPT)
        return fault_set(why, code, "%s: damaged, or not a knowledge file (%s); it is left as it is", k->path, text);
    if ((rc & 0xff) == SQLITE_READONLY) /* a reader, too, keeps the journal's index beside the file */
        return fault_set(why, code, "%s: the file or its folder cannot be written", k->path);
    int errnum = sqlite3_system_errno(k->db);
    if ((code == E_IO || code == E_NOSPACE) && errnum != 0)
        return fault_set(why, code, "%s: %s (%s)", k->path, text, strerror(errnum));
    return fault_set(why, code, "%s: %s", k->path, text);
}

static int prepare(struct statement *s, const char *sql, unsigned flags)
{
    return sqlite3_prepare_v3(s->k->db, sql, -1, flags, &s->stmt, NULL);
}

static struct cached *cache_find(struct knowledge *k, const char *sql)
{
    for (size_t i = 0; i < k->n_cached; i++)
        if (k->cache[i].sql == sql)
            return &k->cache[i];
    return NULL;
}

void statement_start(struct statement *s, struct knowledge *k, const char *sql)
{
    struct cached *c = cache_find(k, sql);
    *s = (struct statement){ .k = k };
    if (c != NULL && !c->busy) {
        s->stmt = c->stmt;
    } else {
        bool keep = c == NULL && k->n_cached < STATEMENTS_MAX;
        s->rc = prepare(s, sql, keep ? SQLITE_PREPARE_PERSISTENT : 0);
        if (s->rc != SQLITE_OK || !keep)
            return;
        c = &k->cache[k->n_cached++];
        *c = (struct cached){ .sql = sql, .stmt = s->stmt };
    }
    c->busy = true;
    s->cached = c;
}

/* Texts are borrowed: they outlive the statement's use. */
void statement_text(struct statement *s, int at, const char *text)
{
    if (s->rc == SQLITE_OK)
        s->rc = sqlite3_bind_text(s->stmt, at, text, -1, SQLITE_STATIC);
}

void statement_int(struct statement *s, int at, int64_t number)
{
    if (s->rc == SQLITE_OK)
        s->rc = sqlite3_bind_int64(s->stmt, at, number);
}

void statement_id(struct statement *s, int at, int64_t id)
{
    if (id != 0)
        statement_int(s, at, id);
    else if (s->rc == SQLITE_OK)
        s->rc = sqlite3_bind_null(s->stmt, at);
}

void statement_real(struct statement *s, int at, double number)
{
    if (s->rc == SQLITE_OK)
        s->rc = sqlite3_bind_double(s->stmt, at, number);
}

bool statement_row(struct statement *s)
{
    if (s->rc != SQLITE_OK || s->sink_ended)
        return false;
    int rc = sqlite3_step(s->stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        s->rc = rc;
    return rc == SQLITE_ROW;
}

const char *statement_column(const struct statement *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->stmt, column);
    return text != NULL ? (const char *)text : "";
}

bool statement_ended_by(struct statement *s, int rc)
{
    s->sink_ended = rc != 0;
    if (rc != 0)
        s->rc = rc;
    return rc != 0;
}

int statement_end(struct statement *s, struct fault *why)
{
    int rc = s->rc;
    if (rc != SQLITE_OK && !s->sink_ended)
        rc = knowledge_fault(s->k, rc, why);
    if (s->cached != NULL) {
        sqlite3_reset(s->stmt);
        sqlite3_clear_bindings(s->stmt);
        s->cached->busy = false;
    } else {
        sqlite3_finalize(s->stmt);
    }
    s->stmt = NULL;
    return rc;
}

int statement_run(struct statement *s, struct fault *why)
{
    while (statement_row(s))
        ;
    return statement_end(s, why);
}

int statement_number(struct statement *s, int64_t *ret, struct fault *why)
{
    int64_t number = statement_row(s) ? sqlite3_column_int64(s->stmt, 0) : 0;
    int rc = statement_end(s, why);
    if (rc == 0)
        *ret = number;
    return rc;
}
