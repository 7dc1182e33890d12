#include "knowledge/memo.h"

#include "knowledge/inside.h"

#include <string.h>

static int put(struct knowledge *k, const char *kind, const char *key, const char *value, struct fault *why)
{
    static const char insert[] = "INSERT INTO memo (kind, key, value) VALUES (?, ?, ?)"
                                 " ON CONFLICT DO UPDATE SET value = excluded.value";
    static const char remove[] = "DELETE FROM memo WHERE kind = ? AND key = ?";
    struct statement s;
    if (value != NULL && strlen(value) > KNOWLEDGE_TEXT_MAX)
        return fault_set(why, E_LIMIT, "%s: what is to be remembered of %s is too long", k->path, key);
    statement_start(&s, k, value == NULL ? remove : insert);
    statement_text(&s, 1, kind);
    statement_text(&s, 2, key);
    if (value != NULL)
        statement_text(&s, 3, value);
    return statement_run(&s, why);
}

int memo_put(struct knowledge *k, const char *kind, const char *key, const char *value, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put(k, kind, key, value, why), why);
}

static int clear(struct knowledge *k, const char *kind, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, "DELETE FROM memo WHERE kind = ?");
    statement_text(&s, 1, kind);
    return statement_run(&s, why);
}

int memo_clear(struct knowledge *k, const char *kind, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, clear(k, kind, why), why);
}

int memo_each(struct knowledge *k, const char *kind, memo_sink sink, void *ctx, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, "SELECT key, value FROM memo WHERE kind = ? ORDER BY key");
    statement_text(&s, 1, kind);
    while (statement_row(&s))
        if (statement_ended_by(&s, sink(ctx, statement_column(&s, 0), statement_column(&s, 1), why)))
            break;
    return statement_end(&s, why);
}
