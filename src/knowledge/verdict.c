#include "knowledge/verdict.h"

#include "knowledge/inside.h"

#include <string.h>

#define COLUMNS "v.id, v.name, v.scope, v.level, v.score, v.decided_at, v.known_at, v.campaign, v.reason, v.previous"
/* Levels rise in this order, which is not that of their texts. */
#define RANK(column) \
    "CASE " column " WHEN 'benign' THEN 0 WHEN 'watch' THEN 1 WHEN 'suspicious' THEN 2 WHEN 'high_risk' THEN 3 ELSE 4 END"

static const char *const levels[VERDICT_LEVELS] = { "benign", "watch", "suspicious", "high_risk", "malicious" };

const char *verdict_level_text(enum verdict_level level)
{
    return levels[level];
}

bool verdict_level_parse(const char *text, enum verdict_level *ret)
{
    int i = knowledge_word(levels, VERDICT_LEVELS, text);
    if (i >= 0)
        *ret = (enum verdict_level)i;
    return i >= 0;
}

static struct verdict row_of(const struct statement *s)
{
    struct verdict v = {
        .id = sqlite3_column_int64(s->stmt, 0),
        .name = statement_column(s, 1),
        .score = sqlite3_column_double(s->stmt, 4),
        .decided_at = sqlite3_column_int64(s->stmt, 5),
        .known_at = sqlite3_column_int64(s->stmt, 6),
        .campaign = sqlite3_column_int64(s->stmt, 7),
        .reason = statement_column(s, 8),
        .previous = sqlite3_column_int64(s->stmt, 9),
    };
    scope_parse(statement_column(s, 2), &v.scope);
    verdict_level_parse(statement_column(s, 3), &v.level);
    return v;
}

static int walk(struct statement *s, verdict_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct verdict v = row_of(s);
        if (statement_ended_by(s, sink(ctx, &v, why)))
            break;
    }
    return statement_end(s, why);
}

static void find_as_of(struct statement *s, struct knowledge *k, const char *name, enum scope scope, int64_t as_of)
{
    static const char sql[] = "SELECT " COLUMNS " FROM verdict v WHERE name = ? AND scope = ? AND decided_at <= ?"
                              " ORDER BY decided_at DESC, id DESC LIMIT 1";
    statement_start(s, k, sql);
    statement_text(s, 1, name);
    statement_text(s, 2, scope_text(scope));
    statement_int(s, 3, as_of);
}

/* ---- adding ---- */

struct former {
    int64_t id;
    bool equal;
};

static int find_former(struct knowledge *k, const struct verdict *v, struct former *ret, struct fault *why)
{
    struct statement s;
    *ret = (struct former){ 0 };
    find_as_of(&s, k, v->name, v->scope, v->decided_at);
    if (statement_row(&s)) {
        struct verdict had = row_of(&s);
        ret->id = had.id;
        ret->equal = had.decided_at == v->decided_at && had.level == v->level && had.score == v->score &&
                     had.campaign == v->campaign && strcmp(had.reason, v->reason) == 0;
    }
    return statement_end(&s, why);
}

static int insert(struct knowledge *k, const struct verdict *v, int64_t previous, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "INSERT INTO verdict (name, scope, level, score, decided_at, known_at, campaign, reason,"
                              " previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, v->name);
    statement_text(&s, 2, scope_text(v->scope));
    statement_text(&s, 3, verdict_level_text(v->level));
    statement_real(&s, 4, v->score);
    statement_int(&s, 5, v->decided_at);
    statement_int(&s, 6, v->known_at);
    statement_id(&s, 7, v->campaign);
    statement_text(&s, 8, v->reason);
    statement_id(&s, 9, previous);
    int rc = statement_run(&s, why);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(k->db);
    return rc;
}

/* Unless a later step was decided already. */
static int update_current(struct knowledge *k, const struct verdict *v, int64_t id, struct fault *why)
{
    static const char sql[] =
        "INSERT INTO current_verdict (name, scope, verdict, level) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS"
        " (SELECT 1 FROM verdict WHERE name = ?1 AND scope = ?2 AND decided_at > ?5)"
        " ON CONFLICT DO UPDATE SET verdict = excluded.verdict, level = excluded.level";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, v->name);
    statement_text(&s, 2, scope_text(v->scope));
    statement_int(&s, 3, id);
    statement_text(&s, 4, verdict_level_text(v->level));
    statement_int(&s, 5, v->decided_at);
    return statement_run(&s, why);
}

static int add(struct knowledge *k, const struct verdict *v, int64_t *ret_id, struct fault *why)
{
    struct former former;
    int rc = find_former(k, v, &former, why);
    if (rc != 0 || former.equal)
        return rc;
    rc = insert(k, v, former.id, ret_id, why);
    return rc ? rc : update_current(k, v, *ret_id, why);
}

int verdict_add(struct knowledge *k, const struct verdict *v, int64_t *ret_id, struct fault *why)
{
    struct write w;
    int64_t id = 0;
    int rc = knowledge_check_name(v->name, why);
    if (rc == 0 && !(v->score >= 0 && v->score <= 1))
        rc = fault_set(why, E_MALFORMED, "verdict on %s: its score is not a probability", v->name);
    if (rc == 0)
        rc = knowledge_check_json(k, v->reason, "object", "reason of a verdict", why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    if (rc != 0)
        return rc;
    rc = knowledge_leave(k, &w, add(k, v, &id, why), why);
    if (rc == 0 && ret_id != NULL)
        *ret_id = id;
    return rc;
}

/* ---- asking ---- */

int verdict_find(struct knowledge *k, const char *name, enum scope scope, int64_t as_of, verdict_sink sink, void *ctx,
                 struct fault *why)
{
    struct statement s;
    find_as_of(&s, k, name, scope, knowledge_as_of(as_of));
    return walk(&s, sink, ctx, why);
}

int verdict_each(struct knowledge *k, enum verdict_level least, enum verdict_level most, int64_t as_of, verdict_sink sink,
                 void *ctx, struct fault *why)
{
    static const char now[] = "SELECT " COLUMNS " FROM current_verdict c JOIN verdict v ON v.id = c.verdict WHERE c.level IN"
                              " (?1, ?2, ?3, ?4, ?5) ORDER BY " RANK("v.level") " DESC, v.score DESC, v.name, v.scope";
    static const char then[] =
        "SELECT " COLUMNS " FROM verdict v WHERE v.level IN (?1, ?2, ?3, ?4, ?5) AND v.decided_at <= ?6 AND v.id ="
        " (SELECT id FROM verdict l WHERE l.name = v.name AND l.scope = v.scope AND l.decided_at <= ?6"
        " ORDER BY l.decided_at DESC, l.id DESC LIMIT 1) ORDER BY " RANK("v.level") " DESC, v.score DESC, v.name, v.scope";
    struct statement s;
    statement_start(&s, k, as_of == KNOWLEDGE_NOW ? now : then);
    for (int i = least; i <= (int)most; i++) /* what is not bound is NULL, which nothing equals */
        statement_text(&s, 1 + i, levels[i]);
    if (as_of != KNOWLEDGE_NOW)
        statement_int(&s, 6, as_of);
    return walk(&s, sink, ctx, why);
}

int verdict_history(struct knowledge *k, const char *name, enum scope scope, verdict_sink sink, void *ctx,
                    struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM verdict v WHERE name = ? AND scope = ? ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
    return walk(&s, sink, ctx, why);
}

int verdict_of_step(struct knowledge *k, int64_t decided_at, verdict_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM verdict v WHERE decided_at = ? AND id = (SELECT max(id) FROM verdict l"
                              " WHERE l.name = v.name AND l.scope = v.scope AND l.decided_at = v.decided_at) ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, decided_at);
    return walk(&s, sink, ctx, why);
}

int verdict_last_step(struct knowledge *k, int64_t *ret, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, "SELECT max(decided_at) FROM verdict");
    return statement_number(&s, ret, why);
}

int verdict_changes(struct knowledge *k, int64_t after_id, verdict_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM verdict v WHERE id > ? ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after_id);
    return walk(&s, sink, ctx, why);
}

int verdict_get(struct knowledge *k, int64_t id, verdict_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM verdict v WHERE id = ?";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, id);
    return walk(&s, sink, ctx, why);
}

int verdict_last(struct knowledge *k, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "SELECT max(id) FROM verdict";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret_id, why);
}
