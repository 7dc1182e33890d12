#include "knowledge/indicator.h"

#include "knowledge/inside.h"

#include <string.h>

static const char *const states_text[INDICATOR_STATES] = { "active", "expired", "withdrawn", "held" };

const char *indicator_state_text(enum indicator_state state)
{
    return states_text[state];
}

bool indicator_state_parse(const char *text, enum indicator_state *ret)
{
    int i = knowledge_word(states_text, INDICATOR_STATES, text);
    if (i >= 0)
        *ret = (enum indicator_state)i;
    return i >= 0;
}

#define COLUMNS \
    "name, scope, level, score, categories, family, campaign, first_seen, decided_at, valid_until, state, reason"

/* From columns in this order, beginning with `at`. */
static struct indicator row_of(const struct statement *s, int at)
{
    struct indicator i = {
        .name = statement_column(s, at),
        .score = sqlite3_column_double(s->stmt, at + 3),
        .categories = statement_column(s, at + 4),
        .family = statement_column(s, at + 5),
        .campaign = sqlite3_column_int64(s->stmt, at + 6),
        .first_seen = sqlite3_column_int64(s->stmt, at + 7),
        .decided_at = sqlite3_column_int64(s->stmt, at + 8),
        .valid_until = sqlite3_column_int64(s->stmt, at + 9),
        .reason = statement_column(s, at + 11),
    };
    scope_parse(statement_column(s, at + 1), &i.scope);
    verdict_level_parse(statement_column(s, at + 2), &i.level);
    indicator_state_parse(statement_column(s, at + 10), &i.state);
    return i;
}

static void find(struct statement *s, struct knowledge *k, const char *name, enum scope scope)
{
    static const char sql[] = "SELECT " COLUMNS " FROM indicator WHERE name = ? AND scope = ?";
    statement_start(s, k, sql);
    statement_text(s, 1, name);
    statement_text(s, 2, scope_text(scope));
}

/* ---- writing ---- */

struct former {
    int state;  /* -1: there is none */
    bool equal; /* to what is put in its place */
};

static bool is_equal(const struct indicator *a, const struct indicator *b)
{
    return a->level == b->level && a->score == b->score && strcmp(a->categories, b->categories) == 0 &&
           strcmp(a->family, b->family) == 0 && a->campaign == b->campaign && a->first_seen == b->first_seen &&
           a->decided_at == b->decided_at && a->valid_until == b->valid_until && a->state == b->state &&
           strcmp(a->reason, b->reason) == 0;
}

static int find_former(struct knowledge *k, const struct indicator *next, struct former *ret, struct fault *why)
{
    struct statement s;
    *ret = (struct former){ .state = -1 };
    find(&s, k, next->name, next->scope);
    if (statement_row(&s)) {
        struct indicator had = row_of(&s, 0);
        *ret = (struct former){ (int)had.state, is_equal(&had, next) };
    }
    return statement_end(&s, why);
}

/* What the indicator is by now. */
static int add_change(struct knowledge *k, const struct indicator_change *c, struct fault *why)
{
    static const char sql[] =
        "INSERT INTO indicator_change (at, name, scope, was, now, author, reason, level, score, categories, family, campaign,"
        " first_seen, decided_at, valid_until) SELECT ?1, name, scope, ?2, state, ?3, reason, level, score, categories, family,"
        " campaign, first_seen, decided_at, valid_until FROM indicator WHERE name = ?4 AND scope = ?5";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, c->at);
    if (c->was >= 0)
        statement_text(&s, 2, states_text[c->was]);
    statement_text(&s, 3, c->author);
    statement_text(&s, 4, c->name);
    statement_text(&s, 5, scope_text(c->scope));
    return statement_run(&s, why);
}

static int replace(struct knowledge *k, const struct indicator *i, struct fault *why)
{
    static const char sql[] =
        "INSERT INTO indicator (name, scope, level, score, categories, family, campaign, first_seen, decided_at,"
        " valid_until, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " level = excluded.level, score = excluded.score, categories = excluded.categories, family = excluded.family,"
        " campaign = excluded.campaign, first_seen = excluded.first_seen, decided_at = excluded.decided_at,"
        " valid_until = excluded.valid_until, state = excluded.state, reason = excluded.reason";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, i->name);
    statement_text(&s, 2, scope_text(i->scope));
    statement_text(&s, 3, verdict_level_text(i->level));
    statement_real(&s, 4, i->score);
    statement_text(&s, 5, i->categories);
    statement_text(&s, 6, i->family);
    statement_id(&s, 7, i->campaign);
    statement_int(&s, 8, i->first_seen);
    statement_int(&s, 9, i->decided_at);
    statement_int(&s, 10, i->valid_until);
    statement_text(&s, 11, states_text[i->state]);
    statement_text(&s, 12, i->reason);
    return statement_run(&s, why);
}

/* Whether the history's last row of this step says the same: analysis walks hours again. */
static int is_told(struct knowledge *k, const struct indicator *i, bool *ret, struct fault *why)
{
    static const char sql[] = "SELECT name, scope, level, score, categories, family, campaign, first_seen, decided_at, valid_until,"
                              " now, reason FROM indicator_change WHERE name = ? AND scope = ? AND decided_at = ?"
                              " ORDER BY serial DESC LIMIT 1";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, i->name);
    statement_text(&s, 2, scope_text(i->scope));
    statement_int(&s, 3, i->decided_at);
    *ret = false;
    if (statement_row(&s)) {
        struct indicator told = row_of(&s, 0);
        *ret = is_equal(&told, i);
    }
    return statement_end(&s, why);
}

static int put(struct knowledge *k, const struct indicator *i, int64_t at, const char *author, struct fault *why)
{
    struct former former;
    int rc = find_former(k, i, &former, why);
    if (rc != 0 || former.equal)
        return rc;
    struct indicator_change c = { .at = at, .name = i->name, .scope = i->scope, .was = former.state, .author = author };
    bool told = false;
    if (former.state == (int)i->state)
        rc = is_told(k, i, &told, why);
    if (rc == 0)
        rc = replace(k, i, why);
    return rc || told ? rc : add_change(k, &c, why);
}

int indicator_put(struct knowledge *k, const struct indicator *i, int64_t at, const char *author, struct fault *why)
{
    struct write w;
    int rc = knowledge_check_name(i->name, why);
    if (rc == 0)
        rc = knowledge_check_json(k, i->categories, "array", "categories of an indicator", why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put(k, i, at, author, why), why);
}

static int find_state(struct knowledge *k, const char *name, enum scope scope, int *ret, struct fault *why)
{
    struct statement s;
    *ret = -1;
    find(&s, k, name, scope);
    if (statement_row(&s))
        *ret = (int)row_of(&s, 0).state;
    return statement_end(&s, why);
}

static int set_state(struct knowledge *k, struct indicator_change *c, struct fault *why)
{
    static const char sql[] = "UPDATE indicator SET state = ?, reason = ? WHERE name = ? AND scope = ?";
    struct statement s;
    int rc = find_state(k, c->name, c->scope, &c->was, why);
    if (rc == 0 && c->was < 0)
        rc = fault_set(why, E_ABSENT, "%s: there is no indicator of this %s", c->name, scope_text(c->scope));
    if (rc != 0 || c->was == (int)c->now)
        return rc;
    statement_start(&s, k, sql);
    statement_text(&s, 1, states_text[c->now]);
    statement_text(&s, 2, c->reason);
    statement_text(&s, 3, c->name);
    statement_text(&s, 4, scope_text(c->scope));
    rc = statement_run(&s, why);
    return rc ? rc : add_change(k, c, why);
}

int indicator_set_state(struct knowledge *k, const char *name, enum scope scope, enum indicator_state state, int64_t at,
                        const char *author, const char *reason, struct fault *why)
{
    struct indicator_change c = { .at = at, .name = name, .scope = scope, .now = state, .author = author, .reason = reason };
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, set_state(k, &c, why), why);
}

/* ---- asking ---- */

static int walk(struct statement *s, indicator_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct indicator i = row_of(s, 0);
        if (statement_ended_by(s, sink(ctx, &i, why)))
            break;
    }
    return statement_end(s, why);
}

int indicator_find(struct knowledge *k, const char *name, enum scope scope, indicator_sink sink, void *ctx,
                   struct fault *why)
{
    struct statement s;
    find(&s, k, name, scope);
    return walk(&s, sink, ctx, why);
}

int indicator_each(struct knowledge *k, unsigned states, indicator_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM indicator WHERE state IN (?, ?, ?, ?) ORDER BY name, scope";
    struct statement s;
    statement_start(&s, k, sql);
    for (int i = 0; i < INDICATOR_STATES; i++) /* what is not bound is NULL, which nothing equals */
        if (states & 1u << i)
            statement_text(&s, 1 + i, states_text[i]);
    return walk(&s, sink, ctx, why);
}

/* What version 2 wrote has no history but its state's: then it is the indicator itself, unless it was renewed since. */
int indicator_as_of(struct knowledge *k, const char *name, enum scope scope, int64_t step, indicator_sink sink, void *ctx,
                    struct fault *why)
{
    static const char sql[] =
        "SELECT * FROM (SELECT c.name, c.scope, c.level, c.score, c.categories, c.family, c.campaign, c.first_seen, c.decided_at,"
        " c.valid_until, i.state, c.reason, c.serial FROM indicator_change c JOIN indicator i ON i.name = c.name"
        " AND i.scope = c.scope WHERE c.name = ?1 AND c.scope = ?2 AND c.level IS NOT NULL UNION ALL SELECT " COLUMNS ", 0"
        " FROM indicator WHERE name = ?1 AND scope = ?2) WHERE decided_at <= ?3 ORDER BY decided_at DESC, serial DESC LIMIT 1";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
    statement_int(&s, 3, knowledge_as_of(step));
    return walk(&s, sink, ctx, why);
}

#define CHANGE_COLUMNS                                                                                                     \
    "at, was, author, name, scope, level, score, categories, family, campaign, first_seen, decided_at, valid_until, now," \
    " reason"

static int walk_changes(struct statement *s, indicator_change_sink sink, void *ctx, struct fault *why)
{
    enum { INDICATOR_AT = 4, LEVEL_AT = 6 };
    while (statement_row(s)) {
        struct indicator then = row_of(s, INDICATOR_AT);
        struct indicator_change c = {
            .serial = sqlite3_column_int64(s->stmt, 0),
            .at = sqlite3_column_int64(s->stmt, 1),
            .name = then.name,
            .scope = then.scope,
            .was = knowledge_word(states_text, INDICATOR_STATES, statement_column(s, 2)),
            .now = then.state,
            .author = statement_column(s, 3),
            .reason = then.reason,
            .then = statement_column(s, LEVEL_AT)[0] != '\0' ? &then : NULL,
        };
        if (statement_ended_by(s, sink(ctx, &c, why)))
            break;
    }
    return statement_end(s, why);
}

int indicator_changes(struct knowledge *k, int64_t after, indicator_change_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT serial, " CHANGE_COLUMNS " FROM indicator_change WHERE serial > ? ORDER BY serial";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after);
    return walk_changes(&s, sink, ctx, why);
}

/* Beside max(), SQLite takes the other columns of the row that has it. The plus keeps it from walking the whole index by name, which
 * would spare the sorting. */
int indicator_changed(struct knowledge *k, int64_t after, indicator_change_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT max(serial), " CHANGE_COLUMNS " FROM indicator_change WHERE serial > ?"
                              " GROUP BY +name, +scope ORDER BY 1";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after);
    return walk_changes(&s, sink, ctx, why);
}

int indicator_serial(struct knowledge *k, int64_t *ret, struct fault *why)
{
    static const char sql[] = "SELECT max(serial) FROM indicator_change";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret, why);
}
