#include "knowledge/analysis.h"

#include "knowledge/inside.h"

#include <stdio.h>
#include <string.h>

static void copy(char to[ANALYSIS_TEXT_MAX], const struct statement *s, int column)
{
    snprintf(to, ANALYSIS_TEXT_MAX, "%s", statement_column(s, column));
}

int analysis_get(struct knowledge *k, struct analysis *ret, struct fault *why)
{
    static const char sql[] = "SELECT analysed_until, period_start, state_file, state_digest, weights_digest, psl_digest"
                              " FROM analysis";
    struct statement s;
    struct analysis a = { 0 };
    statement_start(&s, k, sql);
    if (statement_row(&s)) {
        a.analysed_until = sqlite3_column_int64(s.stmt, 0);
        a.period_start = sqlite3_column_int64(s.stmt, 1);
        copy(a.state_file, &s, 2);
        copy(a.state_digest, &s, 3);
        copy(a.weights_digest, &s, 4);
        copy(a.psl_digest, &s, 5);
    }
    int rc = statement_end(&s, why);
    if (rc == 0)
        *ret = a;
    return rc;
}

static int put(struct knowledge *k, const struct analysis *a, struct fault *why)
{
    static const char sql[] =
        "INSERT INTO analysis (one, analysed_until, period_start, state_file, state_digest, weights_digest, psl_digest)"
        " VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET analysed_until = excluded.analysed_until,"
        " period_start = excluded.period_start, state_file = excluded.state_file, state_digest = excluded.state_digest,"
        " weights_digest = excluded.weights_digest, psl_digest = excluded.psl_digest";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, a->analysed_until);
    statement_int(&s, 2, a->period_start);
    statement_text(&s, 3, a->state_file);
    statement_text(&s, 4, a->state_digest);
    statement_text(&s, 5, a->weights_digest);
    statement_text(&s, 6, a->psl_digest);
    return statement_run(&s, why);
}

int analysis_put(struct knowledge *k, const struct analysis *a, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put(k, a, why), why);
}

int setting_get(struct knowledge *k, const char *key, struct buffer *to, struct fault *why)
{
    static const char sql[] = "SELECT value FROM setting WHERE key = ?";
    struct statement s;
    bool found;
    statement_start(&s, k, sql);
    statement_text(&s, 1, key);
    if ((found = statement_row(&s)))
        buffer_append(to, statement_column(&s, 0), strlen(statement_column(&s, 0)));
    int rc = statement_end(&s, why);
    if (rc == 0 && !found)
        rc = fault_set(why, E_ABSENT, "%s: has no setting '%s'", k->path, key);
    else if (rc == 0 && to->failed)
        rc = fault_set(why, E_LIMIT, "%s: the setting '%s' is too long", k->path, key);
    return rc;
}

static int put_setting(struct knowledge *k, const char *key, const char *value, struct fault *why)
{
    static const char put_sql[] = "INSERT INTO setting (key, value) VALUES (?, ?)"
                                  " ON CONFLICT DO UPDATE SET value = excluded.value";
    static const char remove_sql[] = "DELETE FROM setting WHERE key = ?";
    struct statement s;
    statement_start(&s, k, value != NULL ? put_sql : remove_sql);
    statement_text(&s, 1, key);
    if (value != NULL)
        statement_text(&s, 2, value);
    return statement_run(&s, why);
}

int setting_put(struct knowledge *k, const char *key, const char *value, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put_setting(k, key, value, why), why);
}
