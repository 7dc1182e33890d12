#include "knowledge/evidence.h"

#include "knowledge/inside.h"

#include <math.h>
#include <string.h>

#define COLUMNS "e.id, e.name, e.scope, e.detector, e.grp, e.step, e.known_at, e.weight, e.summary, e.facts, e.supersedes"

static struct evidence row_of(const struct statement *s)
{
    struct evidence e = {
        .id = sqlite3_column_int64(s->stmt, 0),
        .name = statement_column(s, 1),
        .detector = statement_column(s, 3),
        .group = statement_column(s, 4),
        .step = sqlite3_column_int64(s->stmt, 5),
        .known_at = sqlite3_column_int64(s->stmt, 6),
        .weight = sqlite3_column_double(s->stmt, 7),
        .summary = statement_column(s, 8),
        .facts = statement_column(s, 9),
        .supersedes = sqlite3_column_int64(s->stmt, 10),
    };
    scope_parse(statement_column(s, 2), &e.scope);
    return e;
}

static int walk(struct statement *s, evidence_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct evidence e = row_of(s);
        if (statement_ended_by(s, sink(ctx, &e, why)))
            break;
    }
    return statement_end(s, why);
}

/* ---- adding ---- */

/* What the ledger has as of the step of a row to be added. */
struct former {
    int64_t id;   /* of the row that counts as of that step; 0 = none */
    bool stands;  /* its weight is not 0 */
    bool of_step; /* it is of that very step */
    bool equal;   /* and says the same */
};

static bool says_the_same(const struct evidence *a, const struct evidence *b)
{
    return a->weight == b->weight && strcmp(a->group, b->group) == 0 && strcmp(a->summary, b->summary) == 0 &&
           strcmp(a->facts, b->facts) == 0;
}

static void bind_subject(struct statement *s, const struct evidence *e)
{
    statement_text(s, 1, e->name);
    statement_text(s, 2, scope_text(e->scope));
    statement_text(s, 3, e->detector);
}

static int find_former(struct knowledge *k, const struct evidence *e, struct former *ret, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM evidence e WHERE name = ? AND scope = ? AND detector = ?"
                              " AND step <= ? ORDER BY step DESC, id DESC LIMIT 1";
    struct statement s;
    *ret = (struct former){ 0 };
    statement_start(&s, k, sql);
    bind_subject(&s, e);
    statement_int(&s, 4, e->step);
    if (statement_row(&s)) {
        struct evidence had = row_of(&s);
        bool of_step = had.step == e->step;
        *ret = (struct former){ had.id, had.weight != 0, of_step, of_step && says_the_same(&had, e) };
    }
    return statement_end(&s, why);
}

static int insert(struct knowledge *k, const struct evidence *e, int64_t supersedes, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "INSERT INTO evidence (name, scope, detector, grp, step, known_at, weight, summary, facts,"
                              " supersedes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    bind_subject(&s, e);
    statement_text(&s, 4, e->group);
    statement_int(&s, 5, e->step);
    statement_int(&s, 6, e->known_at);
    statement_real(&s, 7, e->weight);
    statement_text(&s, 8, e->summary);
    statement_text(&s, 9, e->facts);
    statement_id(&s, 10, supersedes);
    int rc = statement_run(&s, why);
    if (rc == 0)
        *ret_id = sqlite3_last_insert_rowid(k->db);
    return rc;
}

/* A row of an earlier step than the one that stands changes nothing now. */
static int update_standing(struct knowledge *k, const struct evidence *e, int64_t id, struct fault *why)
{
    static const char later[] = "SELECT id FROM evidence WHERE name = ? AND scope = ? AND detector = ? AND step > ? LIMIT 1";
    static const char remove[] = "DELETE FROM standing WHERE name = ? AND scope = ? AND detector = ?";
    static const char put[] = "INSERT INTO standing (name, scope, detector, evidence) VALUES (?, ?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET evidence = excluded.evidence";
    struct statement s;
    int64_t later_id = 0;
    statement_start(&s, k, later);
    bind_subject(&s, e);
    statement_int(&s, 4, e->step);
    int rc = statement_number(&s, &later_id, why);
    if (rc != 0 || later_id != 0)
        return rc;
    statement_start(&s, k, e->weight == 0 ? remove : put);
    bind_subject(&s, e);
    if (e->weight != 0)
        statement_int(&s, 4, id);
    return statement_run(&s, why);
}

static int add(struct knowledge *k, const struct evidence *e, int64_t *ret_id, struct fault *why)
{
    struct former former;
    int rc = find_former(k, e, &former, why);
    if (rc != 0 || former.equal || (e->weight == 0 && !former.stands))
        return rc;
    rc = insert(k, e, former.of_step ? former.id : 0, ret_id, why);
    return rc ? rc : update_standing(k, e, *ret_id, why);
}

int evidence_add(struct knowledge *k, const struct evidence *e, int64_t *ret_id, struct fault *why)
{
    struct write w;
    int64_t id = 0;
    int rc = knowledge_check_name(e->name, why);
    if (rc == 0 && !isfinite(e->weight))
        rc = fault_set(why, E_MALFORMED, "evidence of %s on %s: its weight is not a number", e->detector, e->name);
    if (rc == 0)
        rc = knowledge_check_json(k, e->facts, "object", "facts of evidence", why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    if (rc != 0)
        return rc;
    rc = knowledge_leave(k, &w, add(k, e, &id, why), why);
    if (rc == 0 && ret_id != NULL)
        *ret_id = id;
    return rc;
}

/* ---- asking ---- */

int evidence_standing(struct knowledge *k, const char *name, enum scope scope, int64_t as_of, evidence_sink sink,
                      void *ctx, struct fault *why)
{
    static const char now[] = "SELECT " COLUMNS " FROM standing s JOIN evidence e ON e.id = s.evidence"
                              " WHERE s.name = ? AND s.scope = ? ORDER BY abs(e.weight) DESC, e.detector";
    static const char then[] =
        "SELECT " COLUMNS " FROM evidence e WHERE e.name = ? AND e.scope = ? AND e.weight <> 0 AND e.id ="
        " (SELECT id FROM evidence l WHERE l.name = e.name AND l.scope = e.scope AND l.detector = e.detector AND l.step <= ?"
        " ORDER BY l.step DESC, l.id DESC LIMIT 1) ORDER BY abs(e.weight) DESC, e.detector";
    struct statement s;
    statement_start(&s, k, as_of == KNOWLEDGE_NOW ? now : then);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
    if (as_of != KNOWLEDGE_NOW)
        statement_int(&s, 3, as_of);
    return walk(&s, sink, ctx, why);
}

int evidence_of_detector(struct knowledge *k, const char *detector, evidence_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM standing s JOIN evidence e ON e.id = s.evidence WHERE s.detector = ?"
                              " ORDER BY s.name, s.scope";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, detector);
    return walk(&s, sink, ctx, why);
}

int evidence_history(struct knowledge *k, const char *name, enum scope scope, evidence_sink sink, void *ctx,
                     struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM evidence e WHERE name = ? AND scope = ? ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, scope_text(scope));
    return walk(&s, sink, ctx, why);
}

int evidence_of_step(struct knowledge *k, int64_t step, evidence_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM evidence e WHERE step = ?"
                              " AND NOT EXISTS (SELECT 1 FROM evidence l WHERE l.supersedes = e.id) ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, step);
    return walk(&s, sink, ctx, why);
}

int evidence_last_step(struct knowledge *k, int64_t *ret, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, "SELECT max(step) FROM evidence");
    return statement_number(&s, ret, why);
}

int evidence_changed(struct knowledge *k, int64_t after_id, evidence_name_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT DISTINCT name, scope FROM evidence WHERE id > ? ORDER BY name, scope";
    struct statement s;
    enum scope scope = SCOPE_DOMAIN;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after_id);
    while (statement_row(&s)) {
        scope_parse(statement_column(&s, 1), &scope);
        if (statement_ended_by(&s, sink(ctx, statement_column(&s, 0), scope, why)))
            break;
    }
    return statement_end(&s, why);
}

int evidence_last(struct knowledge *k, int64_t *ret_id, struct fault *why)
{
    static const char sql[] = "SELECT max(id) FROM evidence";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret_id, why);
}
