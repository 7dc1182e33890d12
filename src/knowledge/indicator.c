#include "knowledge/indicator.h"

#include "knowledge/inside.h"

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

/* ---- writing ---- */

/* -1: there is no such indicator. */
static int find_state(struct knowledge *k, const char *name, enum scope scope, int *ret, struct fault *why)
{
    static const char sql[] = "SELECT state FROM indicator WHERE name = ? AND scope = ?";
    struct statement s;
    *ret = -1;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
    if (statement_row(&s))
        *ret = knowledge_word(states_text, INDICATOR_STATES, statement_column(&s, 0));
    return statement_end(&s, why);
}

static int add_change(struct knowledge *k, const struct indicator_change *c, struct fault *why)
{
    static const char sql[] = "INSERT INTO indicator_change (at, name, scope, was, now, author, reason)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, c->at);
    statement_text(&s, 2, c->name);
    statement_text(&s, 3, scope_text(c->scope));
    if (c->was >= 0)
        statement_text(&s, 4, states_text[c->was]);
    statement_text(&s, 5, states_text[c->now]);
    statement_text(&s, 6, c->author);
    statement_text(&s, 7, c->reason);
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

static int put(struct knowledge *k, const struct indicator *i, int64_t at, const char *author, struct fault *why)
{
    struct indicator_change c = { .at = at, .name = i->name, .scope = i->scope, .now = i->state, .author = author,
                                  .reason = i->reason };
    int rc = find_state(k, i->name, i->scope, &c.was, why);
    if (rc == 0)
        rc = replace(k, i, why);
    return rc || c.was == (int)i->state ? rc : add_change(k, &c, why);
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

#define COLUMNS \
    "name, scope, level, score, categories, family, campaign, first_seen, decided_at, valid_until, state, reason"

static int walk(struct statement *s, indicator_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct indicator i = {
            .name = statement_column(s, 0),
            .score = sqlite3_column_double(s->stmt, 3),
            .categories = statement_column(s, 4),
            .family = statement_column(s, 5),
            .campaign = sqlite3_column_int64(s->stmt, 6),
            .first_seen = sqlite3_column_int64(s->stmt, 7),
            .decided_at = sqlite3_column_int64(s->stmt, 8),
            .valid_until = sqlite3_column_int64(s->stmt, 9),
            .reason = statement_column(s, 11),
        };
        scope_parse(statement_column(s, 1), &i.scope);
        verdict_level_parse(statement_column(s, 2), &i.level);
        indicator_state_parse(statement_column(s, 10), &i.state);
        if (statement_ended_by(s, sink(ctx, &i, why)))
            break;
    }
    return statement_end(s, why);
}

int indicator_find(struct knowledge *k, const char *name, enum scope scope, indicator_sink sink, void *ctx,
                   struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM indicator WHERE name = ? AND scope = ?";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
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

int indicator_changes(struct knowledge *k, int64_t after, indicator_change_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT serial, at, name, scope, was, now, author, reason FROM indicator_change"
                              " WHERE serial > ? ORDER BY serial";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after);
    while (statement_row(&s)) {
        struct indicator_change c = {
            .serial = sqlite3_column_int64(s.stmt, 0),
            .at = sqlite3_column_int64(s.stmt, 1),
            .name = statement_column(&s, 2),
            .was = knowledge_word(states_text, INDICATOR_STATES, statement_column(&s, 4)),
            .author = statement_column(&s, 6),
            .reason = statement_column(&s, 7),
        };
        scope_parse(statement_column(&s, 3), &c.scope);
        indicator_state_parse(statement_column(&s, 5), &c.now);
        if (statement_ended_by(&s, sink(ctx, &c, why)))
            break;
    }
    return statement_end(&s, why);
}

int indicator_serial(struct knowledge *k, int64_t *ret, struct fault *why)
{
    static const char sql[] = "SELECT max(serial) FROM indicator_change";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret, why);
}
