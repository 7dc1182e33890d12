#include "knowledge/campaign.h"

#include "knowledge/inside.h"

/* ---- campaigns ---- */

/* Follows merges, which may chain; SQL's UNION ends should a damaged file have a circle. */
static const char stands_for[] =
    "WITH RECURSIVE chain (id, into_id) AS (SELECT id, merged_into FROM campaign WHERE id = ?"
    " UNION SELECT c.id, c.merged_into FROM campaign c JOIN chain ON c.id = chain.into_id)"
    " SELECT id FROM chain WHERE into_id IS NULL";

static int find_standing(struct knowledge *k, int64_t id, int64_t *ret, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, stands_for);
    statement_int(&s, 1, id);
    return statement_number(&s, ret, why);
}

static int get(struct knowledge *k, const char *identity, int64_t born, const char *title, int64_t *ret_id,
               struct fault *why)
{
    static const char find[] = "SELECT id FROM campaign WHERE identity = ?";
    static const char insert[] = "INSERT INTO campaign (identity, born, title) VALUES (?, ?, ?)";
    struct statement s;
    int64_t id = 0;
    statement_start(&s, k, find);
    statement_text(&s, 1, identity);
    int rc = statement_number(&s, &id, why);
    if (rc != 0 || id != 0)
        return rc ? rc : find_standing(k, id, ret_id, why);
    statement_start(&s, k, insert);
    statement_text(&s, 1, identity);
    statement_int(&s, 2, born);
    statement_text(&s, 3, title);
    rc = statement_run(&s, why);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(k->db);
    return rc;
}

int campaign_get(struct knowledge *k, const char *identity, int64_t born, const char *title, int64_t *ret_id,
                 struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, get(k, identity, born, title, ret_id, why), why);
}

int campaign_set_title(struct knowledge *k, int64_t id, const char *title, struct fault *why)
{
    static const char sql[] = "UPDATE campaign SET title = ? WHERE id = ?";
    struct write w;
    struct statement s;
    int rc = knowledge_enter(k, &w, why);
    if (rc != 0)
        return rc;
    statement_start(&s, k, sql);
    statement_text(&s, 1, title);
    statement_int(&s, 2, id);
    rc = statement_run(&s, why);
    if (rc == 0 && sqlite3_changes(k->db) == 0)
        rc = fault_set(why, E_ABSENT, "there is no campaign %lld", (long long)id);
    return knowledge_leave(k, &w, rc, why);
}

/* E_ABSENT without it, E_USAGE when it was merged. */
static int must_stand(struct knowledge *k, int64_t id, struct fault *why)
{
    int64_t standing = 0;
    int rc = find_standing(k, id, &standing, why);
    if (rc == 0 && standing == 0)
        rc = fault_set(why, E_ABSENT, "there is no campaign %lld", (long long)id);
    else if (rc == 0 && standing != id)
        rc = fault_set(why, E_USAGE, "campaign %lld is part of campaign %lld", (long long)id, (long long)standing);
    return rc;
}

/* ---- members ---- */

struct membership {
    int64_t campaign; /* 0 = none */
    int64_t joined;
};

static int find_membership(struct knowledge *k, const char *name, struct membership *ret, struct fault *why)
{
    static const char sql[] = "SELECT campaign, joined FROM campaign_member WHERE name = ? AND left IS NULL";
    struct statement s;
    *ret = (struct membership){ 0 };
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    if (statement_row(&s))
        *ret = (struct membership){ sqlite3_column_int64(s.stmt, 0), sqlite3_column_int64(s.stmt, 1) };
    return statement_end(&s, why);
}

static int end_membership(struct knowledge *k, const char *name, const struct membership *m, int64_t step,
                          struct fault *why)
{
    static const char sql[] = "UPDATE campaign_member SET left = ? WHERE name = ? AND left IS NULL";
    struct statement s;
    if (step < m->joined)
        return fault_set(why, E_USAGE, "%s joined campaign %lld after step %lld", name, (long long)m->campaign,
                         (long long)step);
    statement_start(&s, k, sql);
    statement_int(&s, 1, step);
    statement_text(&s, 2, name);
    return statement_run(&s, why);
}

static int begin_membership(struct knowledge *k, int64_t id, const char *name, int64_t step, const char *because,
                            struct fault *why)
{
    static const char sql[] = "INSERT INTO campaign_member (campaign, name, joined, why) VALUES (?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, id);
    statement_text(&s, 2, name);
    statement_int(&s, 3, step);
    statement_text(&s, 4, because);
    return statement_run(&s, why);
}

static int join(struct knowledge *k, int64_t id, const char *name, int64_t step, const char *because, struct fault *why)
{
    struct membership m;
    int rc = must_stand(k, id, why);
    if (rc == 0)
        rc = find_membership(k, name, &m, why);
    if (rc != 0 || m.campaign == id)
        return rc;
    if (m.campaign != 0)
        rc = end_membership(k, name, &m, step, why);
    return rc ? rc : begin_membership(k, id, name, step, because, why);
}

int campaign_join(struct knowledge *k, int64_t id, const char *name, int64_t step, const char *because,
                  struct fault *why)
{
    struct write w;
    int rc = knowledge_check_name(name, why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, join(k, id, name, step, because, why), why);
}

static int leave(struct knowledge *k, int64_t id, const char *name, int64_t step, struct fault *why)
{
    struct membership m;
    int rc = find_membership(k, name, &m, why);
    return rc || m.campaign != id ? rc : end_membership(k, name, &m, step, why);
}

static int forget(struct knowledge *k, struct fault *why)
{
    static const char *const sql[] = { "DELETE FROM campaign_member",
                                       "UPDATE campaign SET merged_into = NULL, merged_at = NULL, merged_why = NULL" };
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < sizeof sql / sizeof *sql; i++) {
        struct statement s;
        statement_start(&s, k, sql[i]);
        rc = statement_run(&s, why);
    }
    return rc;
}

int campaign_forget(struct knowledge *k, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, forget(k, why), why);
}

int campaign_leave(struct knowledge *k, int64_t id, const char *name, int64_t step, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, leave(k, id, name, step, why), why);
}

/* ---- merging ---- */

static int latest_joined(struct knowledge *k, int64_t id, int64_t *ret, struct fault *why)
{
    static const char sql[] = "SELECT max(joined) FROM campaign_member WHERE campaign = ? AND left IS NULL";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, id);
    return statement_number(&s, ret, why);
}

/* SQLite has made all updates before it returns the first row. */
static int move_members(struct knowledge *k, int64_t id, int64_t into, int64_t step, const char *because,
                        struct fault *why)
{
    static const char sql[] = "UPDATE campaign_member SET left = ? WHERE campaign = ? AND left IS NULL RETURNING name";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, step);
    statement_int(&s, 2, id);
    while (statement_row(&s))
        if (statement_ended_by(&s, begin_membership(k, into, statement_column(&s, 0), step, because, why)))
            break;
    return statement_end(&s, why);
}

static int merge(struct knowledge *k, int64_t id, int64_t into, int64_t step, const char *because, struct fault *why)
{
    static const char sql[] = "UPDATE campaign SET merged_into = ?, merged_at = ?, merged_why = ? WHERE id = ?";
    struct statement s;
    int64_t joined = 0;
    int rc = must_stand(k, id, why);
    if (rc == 0)
        rc = must_stand(k, into, why);
    if (rc == 0 && id == into)
        rc = fault_set(why, E_USAGE, "campaign %lld cannot be merged with itself", (long long)id);
    if (rc == 0)
        rc = latest_joined(k, id, &joined, why);
    if (rc == 0 && step < joined)
        rc = fault_set(why, E_USAGE, "campaign %lld has a member that joined after step %lld", (long long)id, (long long)step);
    if (rc == 0)
        rc = move_members(k, id, into, step, because, why);
    if (rc != 0)
        return rc;
    statement_start(&s, k, sql);
    statement_int(&s, 1, into);
    statement_int(&s, 2, step);
    statement_text(&s, 3, because);
    statement_int(&s, 4, id);
    return statement_run(&s, why);
}

int campaign_merge(struct knowledge *k, int64_t id, int64_t into, int64_t step, const char *because, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, merge(k, id, into, step, because, why), why);
}

/* ---- asking ---- */

/* ?1 is the step; a member is one who has joined and has not left. */
#define COLUMNS                                                                                                \
    "c.id, c.identity, c.born, c.title, c.merged_into, c.merged_at, (SELECT count(*) FROM campaign_member m"    \
    " WHERE m.campaign = c.id AND m.joined <= ?1 AND (m.left IS NULL OR m.left > ?1)) AS members"

static int walk(struct statement *s, campaign_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct campaign c = {
            .id = sqlite3_column_int64(s->stmt, 0),
            .identity = statement_column(s, 1),
            .born = sqlite3_column_int64(s->stmt, 2),
            .title = statement_column(s, 3),
            .merged_into = sqlite3_column_int64(s->stmt, 4),
            .merged_at = sqlite3_column_int64(s->stmt, 5),
            .members = (uint64_t)sqlite3_column_int64(s->stmt, 6),
        };
        if (statement_ended_by(s, sink(ctx, &c, why)))
            break;
    }
    return statement_end(s, why);
}

int campaign_each(struct knowledge *k, int64_t as_of, campaign_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM campaign c WHERE c.born <= ?1"
                              " AND (c.merged_at IS NULL OR c.merged_at > ?1) AND members > 0 ORDER BY c.born, c.id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, knowledge_as_of(as_of));
    return walk(&s, sink, ctx, why);
}

int campaign_find(struct knowledge *k, int64_t id, campaign_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM campaign c WHERE c.id = ?2";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, knowledge_as_of(KNOWLEDGE_NOW));
    statement_int(&s, 2, id);
    return walk(&s, sink, ctx, why);
}

int campaign_members(struct knowledge *k, int64_t id, int64_t as_of, campaign_member_sink sink, void *ctx,
                     struct fault *why)
{
    static const char sql[] = "SELECT name, joined, left, why FROM campaign_member WHERE campaign = ?1 AND joined <= ?2"
                              " AND (left IS NULL OR left > ?2) ORDER BY name";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, id);
    statement_int(&s, 2, knowledge_as_of(as_of));
    while (statement_row(&s)) {
        struct campaign_member m = { statement_column(&s, 0), sqlite3_column_int64(s.stmt, 1),
                                     sqlite3_column_int64(s.stmt, 2), statement_column(&s, 3) };
        if (statement_ended_by(&s, sink(ctx, &m, why)))
            break;
    }
    return statement_end(&s, why);
}

int campaign_of(struct knowledge *k, const char *name, int64_t as_of, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "SELECT campaign FROM campaign_member WHERE name = ?1 AND joined <= ?2"
                              " AND (left IS NULL OR left > ?2)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_int(&s, 2, knowledge_as_of(as_of));
    return statement_number(&s, ret_id, why);
}
