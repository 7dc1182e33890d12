/* inside: what the parts of knowledge share; for this folder and its tests.
 *
 * A statement is used as a cursor with a sticky error: bind, step, end.
 *
 *     struct statement s;
 *     statement_start(&s, k, sql);          a failure is remembered
 *     statement_text(&s, 1, name);          1 is the first ?
 *     while (statement_row(&s)) ...         columns by sqlite3_column_*
 *     return statement_end(&s, why);        the first failure, named after the file
 *
 * Prepared statements are cached by the address of their text, which is static. One that is in use (a callback
 * asks the same again) is prepared once more. What sinks return is kept in `rc`, too.
 */
#ifndef DNSMON_KNOWLEDGE_INSIDE_H
#define DNSMON_KNOWLEDGE_INSIDE_H

#include "knowledge/knowledge.h"

#include <sqlite3.h>

enum { KNOWLEDGE_PATH_MAX = 4096, STATEMENTS_MAX = 160 };

struct cached {
    const char *sql;
    sqlite3_stmt *stmt;
    bool busy;
};

struct knowledge {
    sqlite3 *db;
    enum knowledge_mode mode;
    bool within;          /* a transaction of the caller's */
    struct fault failure; /* of a write within it; code 0 = none */
    struct cached cache[STATEMENTS_MAX];
    size_t n_cached;
    char path[KNOWLEDGE_PATH_MAX];
};

struct statement {
    struct knowledge *k;
    sqlite3_stmt *stmt;
    struct cached *cached; /* NULL: finalized at the end */
    int rc;                /* SQLite's, or what ended the walk */
    bool sink_ended;       /* rc is of a sink */
};

void statement_start(struct statement *s, struct knowledge *k, const char *sql);
void statement_text(struct statement *s, int at, const char *text);
void statement_int(struct statement *s, int at, int64_t number);
void statement_id(struct statement *s, int at, int64_t id); /* 0 = NULL */
void statement_real(struct statement *s, int at, double number);
bool statement_row(struct statement *s);
const char *statement_column(const struct statement *s, int column); /* never NULL */
bool statement_ended_by(struct statement *s, int rc); /* of a sink: true when it is not 0 */
int statement_end(struct statement *s, struct fault *why) MUST_CHECK;
/* Steps through to the end. */
int statement_run(struct statement *s, struct fault *why) MUST_CHECK;
/* The first column of the first row, 0 without one. */
int statement_number(struct statement *s, int64_t *ret, struct fault *why) MUST_CHECK;

/* SQLite's code as a fault that names the file. */
int knowledge_fault(struct knowledge *k, int sqlite_rc, struct fault *why);

/* Around what a writing function does: a transaction of its own unless the caller has one. `leave` gets what went before
 * (0 commits) and returns it, or what kept it from committing. E_USAGE for a reader. */
struct write {
    bool own;
};
int knowledge_enter(struct knowledge *k, struct write *w, struct fault *why) MUST_CHECK;
int knowledge_leave(struct knowledge *k, const struct write *w, int rc, struct fault *why) MUST_CHECK;

/* E_USAGE unless `name` is in the stored form. */
int knowledge_check_name(const char *name, struct fault *why) MUST_CHECK;
/* E_MALFORMED unless `text` is JSON of this type, "object" or "array"; `what` says what it is of. (SQLite 3.40 does not let
 * an untrusted schema call json_valid, so that it cannot be a CHECK.) */
int knowledge_check_json(struct knowledge *k, const char *text, const char *type, const char *what,
                         struct fault *why) MUST_CHECK;
/* KNOWLEDGE_NOW is after every step. */
int64_t knowledge_as_of(int64_t step);
/* The index of `text` among n texts, -1 when it is none. */
int knowledge_word(const char *const texts[], int n, const char *text);

/* schema.c: versions of the file. Each step is SQL that brings version i to i + 1. */
extern const char *const knowledge_steps[];
extern const int knowledge_version; /* how many there are */
enum { KNOWLEDGE_APPLICATION = 0x444e534d };

/* The version of the open file; E_CORRUPT when it is no file of ours. */
int schema_version(struct knowledge *k, int *ret, struct fault *why) MUST_CHECK;
/* Brings it to version n, in one transaction. E_VERSION when it is beyond that. */
int schema_migrate(struct knowledge *k, const char *const steps[], int n, struct fault *why) MUST_CHECK;
/* E_CORRUPT unless its tables, indexes and triggers are those that the first n steps make. */
int schema_compare(struct knowledge *k, const char *const steps[], int n, struct fault *why) MUST_CHECK;

/* A connection with our settings; `flags` are of sqlite3_open_v2. */
int knowledge_connect(sqlite3 **ret, const char *path, int flags);

#endif
