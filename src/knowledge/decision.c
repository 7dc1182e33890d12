#include "knowledge/decision.h"

#include "knowledge/inside.h"

#include <stdio.h>
#include <string.h>

static const char *const actions[DECISION_ACTIONS] = { "allow", "block", "withdraw", "feedback" };

const char *decision_action_text(enum decision_action action)
{
    return actions[action];
}

/* ---- the audit ---- */

static int add_audit(struct knowledge *k, const struct audit *a, struct fault *why)
{
    static const char sql[] = "INSERT INTO audit (at, author, action, subject, detail) VALUES (?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, a->at);
    statement_text(&s, 2, a->author);
    statement_text(&s, 3, a->action);
    statement_text(&s, 4, a->subject);
    statement_text(&s, 5, a->detail);
    return statement_run(&s, why);
}

int audit_add(struct knowledge *k, const struct audit *a, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, add_audit(k, a, why), why);
}

static int audit_decision(struct knowledge *k, const struct decision *d, const char *action, struct fault *why)
{
    char subject[NAME_TEXT_MAX + 16];
    snprintf(subject, sizeof subject, "%s %s", scope_text(d->scope), d->name);
    struct audit a = { .at = d->at, .author = d->author, .action = action, .subject = subject, .detail = d->reason };
    return add_audit(k, &a, why);
}

int audit_each(struct knowledge *k, int64_t after_id, audit_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT id, at, author, action, subject, detail FROM audit WHERE id > ? ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after_id);
    while (statement_row(&s)) {
        struct audit a = { sqlite3_column_int64(s.stmt, 0), sqlite3_column_int64(s.stmt, 1), statement_column(&s, 2),
                           statement_column(&s, 3), statement_column(&s, 4), statement_column(&s, 5) };
        if (statement_ended_by(&s, sink(ctx, &a, why)))
            break;
    }
    return statement_end(&s, why);
}

/* ---- deciding ---- */

static bool is_ruling(enum decision_action action)
{
    return action == DECISION_ALLOW || action == DECISION_BLOCK;
}

/* What was allowed or blocked of this name and scope and is not revoked, whether it still holds or has ended. */
static int revoke_former(struct knowledge *k, const struct decision *d, struct fault *why)
{
    static const char sql[] = "UPDATE decision SET revoked = ? WHERE name = ? AND scope = ? AND revoked IS NULL"
                              " AND action IN ('allow', 'block')";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, d->at);
    statement_text(&s, 2, d->name);
    statement_text(&s, 3, scope_text(d->scope));
    int rc = statement_run(&s, why);
    return rc || sqlite3_changes(k->db) == 0 ? rc : audit_decision(k, d, "revoke", why);
}

static int add(struct knowledge *k, const struct decision *d, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "INSERT INTO decision (at, author, action, name, scope, reason, until)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    int rc = is_ruling(d->action) ? revoke_former(k, d, why) : E_OK;
    if (rc != 0)
        return rc;
    statement_start(&s, k, sql);
    statement_int(&s, 1, d->at);
    statement_text(&s, 2, d->author);
    statement_text(&s, 3, actions[d->action]);
    statement_text(&s, 4, d->name);
    statement_text(&s, 5, scope_text(d->scope));
    statement_text(&s, 6, d->reason);
    statement_id(&s, 7, d->until);
    rc = statement_run(&s, why);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(k->db);
    return rc ? rc : audit_decision(k, d, actions[d->action], why);
}

static int check(const struct decision *d, struct fault *why)
{
    if (d->author[0] == '\0' || d->reason[0] == '\0')
        return fault_set(why, E_USAGE, "a decision needs an author and a reason");
    if (d->until != 0 && d->until <= d->at)
        return fault_set(why, E_USAGE, "the decision would end before it begins");
    return knowledge_check_name(d->name, why);
}

int decision_add(struct knowledge *k, const struct decision *d, int64_t *ret_id, struct fault *why)
{
    struct write w;
    int64_t id = 0;
    int rc = check(d, why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    if (rc != 0)
        return rc;
    rc = knowledge_leave(k, &w, add(k, d, &id, why), why);
    if (rc == 0 && ret_id != NULL)
        *ret_id = id;
    return rc;
}

/* ?1 is the time */
#define HOLDS "d.at <= ?1 AND (d.revoked IS NULL OR d.revoked > ?1) AND (d.until IS NULL OR d.until > ?1)"

static int revoke(struct knowledge *k, const struct decision *d, struct fault *why)
{
    static const char sql[] = "UPDATE decision AS d SET revoked = ?1 WHERE name = ?2 AND scope = ?3 AND action = ?4"
                              " AND d.revoked IS NULL AND " HOLDS;
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, d->at);
    statement_text(&s, 2, d->name);
    statement_text(&s, 3, scope_text(d->scope));
    statement_text(&s, 4, actions[d->action]);
    int rc = statement_run(&s, why);
    if (rc == 0 && sqlite3_changes(k->db) == 0)
        rc = fault_set(why, E_ABSENT, "%s: nothing to revoke: there is no '%s' of this %s", d->name, actions[d->action],
                       scope_text(d->scope));
    return rc ? rc : audit_decision(k, d, "revoke", why);
}

int decision_revoke(struct knowledge *k, enum decision_action action, const char *name, enum scope scope, int64_t at,
                    const char *author, const char *reason, struct fault *why)
{
    struct decision d = { .at = at, .author = author, .action = action, .name = name, .scope = scope, .reason = reason };
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, revoke(k, &d, why), why);
}

/* ---- asking ---- */

#define COLUMNS "d.id, d.at, d.author, d.action, d.name, d.scope, d.reason, d.until, d.revoked"

static int walk_counted(struct statement *s, decision_sink sink, void *ctx, size_t *ret_n, struct fault *why)
{
    for (*ret_n = 0; statement_row(s); ++*ret_n) {
        struct decision d = {
            .id = sqlite3_column_int64(s->stmt, 0),
            .at = sqlite3_column_int64(s->stmt, 1),
            .author = statement_column(s, 2),
            .name = statement_column(s, 4),
            .reason = statement_column(s, 6),
            .until = sqlite3_column_int64(s->stmt, 7),
            .revoked = sqlite3_column_int64(s->stmt, 8),
        };
        int action = knowledge_word(actions, DECISION_ACTIONS, statement_column(s, 3));
        d.action = action < 0 ? DECISION_FEEDBACK : (enum decision_action)action;
        scope_parse(statement_column(s, 5), &d.scope);
        if (statement_ended_by(s, sink(ctx, &d, why)))
            break;
    }
    return statement_end(s, why);
}

static int walk(struct statement *s, decision_sink sink, void *ctx, struct fault *why)
{
    size_t n;
    return walk_counted(s, sink, ctx, &n, why);
}

int decision_each(struct knowledge *k, enum decision_action action, int64_t at, decision_sink sink, void *ctx,
                  struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM decision d WHERE d.action = ?2 AND " HOLDS " ORDER BY d.name, d.scope, d.id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, at);
    statement_text(&s, 2, actions[action]);
    return walk(&s, sink, ctx, why);
}

int decision_history(struct knowledge *k, decision_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM decision d ORDER BY d.id";
    struct statement s;
    statement_start(&s, k, sql);
    return walk(&s, sink, ctx, why);
}

static int ruling(struct knowledge *k, const char *sql, const char *name, enum scope scope, int64_t at, decision_sink sink,
                  void *ctx, size_t *ret_n, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, at);
    statement_text(&s, 2, name);
    statement_text(&s, 3, scope_text(scope));
    return walk_counted(&s, sink, ctx, ret_n, why);
}

/* Of the host itself, else of the nearest domain at or above it. */
static int nearest(struct knowledge *k, const char *sql, const char *name, int64_t at, decision_sink sink, void *ctx,
                   struct fault *why)
{
    size_t n = 0;
    int rc = knowledge_check_name(name, why);
    if (rc == 0)
        rc = ruling(k, sql, name, SCOPE_HOST, at, sink, ctx, &n, why);
    for (const char *above = name; rc == 0 && n == 0 && above != NULL; above = knowledge_parent(above))
        rc = ruling(k, sql, above, SCOPE_DOMAIN, at, sink, ctx, &n, why);
    return rc;
}

#define OF_NAME(actions)                                                                                       \
    "SELECT " COLUMNS " FROM decision d WHERE d.name = ?2 AND d.scope = ?3 AND d.action IN (" actions ") AND " HOLDS \
    " ORDER BY d.id DESC LIMIT 1"

int decision_covering(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx,
                      struct fault *why)
{
    static const char sql[] = OF_NAME("'allow', 'block'");
    return nearest(k, sql, name, at, sink, ctx, why);
}

int decision_objection(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = OF_NAME("'feedback'");
    return nearest(k, sql, name, at, sink, ctx, why);
}

int decision_withdrawal(struct knowledge *k, const char *name, int64_t at, decision_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = OF_NAME("'withdraw'");
    return nearest(k, sql, name, at, sink, ctx, why);
}
