/* check: what docs/format/knowledge.md promises of the rows, as queries that must find nothing. */
#include "knowledge/inside.h"

#include <stdio.h>

struct check {
    struct knowledge *k;
    void (*report)(void *ctx, const char *line);
    void *ctx;
    uint64_t damages;
};

enum { LINES_MAX = 100 /* of SQLite's own check */ };

static void damage(struct check *c, const char *line)
{
    c->damages++;
    if (c->report != NULL)
        c->report(c->ctx, line);
}

/* Damage as the answer to a question is damage found; anything else kept us from looking. */
static int conclude(struct check *c, int rc, const struct fault *inner, struct fault *why)
{
    if (rc != E_CORRUPT)
        return rc ? fault_set(why, rc, "%s", inner->text) : E_OK;
    damage(c, inner->text);
    return E_OK;
}

static int check_sqlite(struct check *c, struct fault *why)
{
    static const char sql[] = "PRAGMA integrity_check";
    struct statement s;
    struct fault inner;
    char line[KNOWLEDGE_PATH_MAX + 512];
    statement_start(&s, c->k, sql);
    for (int n = 0; n < LINES_MAX && statement_row(&s); n++)
        if (sqlite3_stricmp(statement_column(&s, 0), "ok") != 0) {
            snprintf(line, sizeof line, "%s: %.400s", c->k->path, statement_column(&s, 0));
            damage(c, line);
        }
    return conclude(c, statement_end(&s, &inner), &inner, why);
}

/* The first column of a row says which it is. */
static const struct promise {
    const char *broken; /* what a row that is found says */
    const char *sql;
} promises[] = {
    { "refers to a row that is not there: table", "SELECT \"table\" || ', row ' || coalesce(rowid, '?') FROM pragma_foreign_key_check" },
    { "facts of evidence are not a JSON object: row",
      "SELECT id FROM evidence WHERE CASE WHEN json_valid(facts) THEN json_type(facts) <> 'object' ELSE 1 END" },
    { "reason of a verdict is not a JSON object: row",
      "SELECT id FROM verdict WHERE CASE WHEN json_valid(reason) THEN json_type(reason) <> 'object' ELSE 1 END" },
    { "categories of an indicator are not a JSON array:",
      "SELECT name FROM indicator WHERE CASE WHEN json_valid(categories) THEN json_type(categories) <> 'array' ELSE 1 END" },
    { "evidence supersedes a row of another name, scope, detector or step, or a later one",
      "SELECT e.id FROM evidence e JOIN evidence f ON f.id = e.supersedes WHERE f.id >= e.id OR f.name <> e.name"
      " OR f.scope <> e.scope OR f.detector <> e.detector OR f.step <> e.step" },
    { "standing does not point to the latest evidence of",
      "SELECT s.name || ' by ' || s.detector FROM standing s LEFT JOIN evidence e ON e.id = s.evidence WHERE e.weight = 0"
      " OR e.name IS NOT s.name OR e.scope IS NOT s.scope OR e.detector IS NOT s.detector OR EXISTS (SELECT 1 FROM evidence l"
      " WHERE l.name = s.name AND l.scope = s.scope AND l.detector = s.detector AND (l.step, l.id) > (e.step, e.id))" },
    { "standing lacks the evidence", "SELECT e.id FROM evidence e WHERE e.weight <> 0 AND NOT EXISTS (SELECT 1 FROM evidence l"
      " WHERE l.name = e.name AND l.scope = e.scope AND l.detector = e.detector AND (l.step, l.id) > (e.step, e.id))"
      " AND NOT EXISTS (SELECT 1 FROM standing s WHERE s.evidence = e.id)" },
    { "a verdict follows one of another name or scope, or a later one",
      "SELECT v.id FROM verdict v JOIN verdict p ON p.id = v.previous WHERE p.id >= v.id OR p.name <> v.name"
      " OR p.scope <> v.scope OR p.decided_at > v.decided_at" },
    { "a verdict does not say what it follows", "SELECT v.id FROM verdict v WHERE v.previous IS NULL AND EXISTS"
      " (SELECT 1 FROM verdict p WHERE p.name = v.name AND p.scope = v.scope AND p.id < v.id AND p.decided_at <= v.decided_at)" },
    { "current_verdict does not point to the latest verdict of",
      "SELECT c.name FROM current_verdict c LEFT JOIN verdict v ON v.id = c.verdict WHERE v.name IS NOT c.name"
      " OR v.scope IS NOT c.scope OR v.level IS NOT c.level OR EXISTS (SELECT 1 FROM verdict l WHERE l.name = c.name"
      " AND l.scope = c.scope AND (l.decided_at, l.id) > (v.decided_at, v.id))" },
    { "current_verdict lacks", "SELECT DISTINCT v.name FROM verdict v WHERE NOT EXISTS (SELECT 1 FROM current_verdict c"
      " WHERE c.name = v.name AND c.scope = v.scope)" },
    { "a merged campaign still has the member", "SELECT m.name FROM campaign c JOIN campaign_member m ON m.campaign = c.id"
      " WHERE c.merged_into IS NOT NULL AND m.left IS NULL" },
    { "indicator and its last change tell different states of",
      "SELECT i.name FROM indicator i WHERE i.state IS NOT (SELECT now FROM indicator_change c WHERE c.name = i.name"
      " AND c.scope = i.scope ORDER BY serial DESC LIMIT 1)" },
    { "indicator is not what its last change of that step says:",
      "SELECT i.name FROM indicator i JOIN indicator_change c ON c.serial = (SELECT max(serial) FROM indicator_change l"
      " WHERE l.name = i.name AND l.scope = i.scope AND l.decided_at = i.decided_at) WHERE (i.reason, i.level, i.score, i.categories, i.family,"
      " i.first_seen, i.decided_at, i.valid_until) <> (c.reason, c.level, c.score, c.categories, c.family, c.first_seen, c.decided_at,"
      " c.valid_until) OR i.campaign IS NOT c.campaign" },
    { "indicator_change does not continue the change before it: serial",
      "SELECT c.serial FROM indicator_change c WHERE c.was IS NOT (SELECT now FROM indicator_change p WHERE p.name = c.name"
      " AND p.scope = c.scope AND p.serial < c.serial ORDER BY p.serial DESC LIMIT 1)" },
    { "categories of a publication are not a JSON array:",
      "SELECT name FROM publication WHERE CASE WHEN json_valid(categories) THEN json_type(categories) <> 'array' ELSE 1 END" },
    { "publication is not what its last change says:",
      "SELECT p.name FROM publication p LEFT JOIN publication_change c ON c.serial = (SELECT max(serial) FROM publication_change l"
      " WHERE l.name = p.name AND l.kind = p.kind) WHERE (p.stage, p.since, p.approved_by, p.reason, p.level, p.score, p.categories,"
      " p.family, p.first_seen, p.valid_until, p.changed) IS NOT (c.now, c.since, c.approved_by, c.reason, c.level, c.score, c.categories, c.family,"
      " c.first_seen, c.valid_until, c.at) OR p.campaign IS NOT c.campaign" },
    { "a publication is held where nothing can be:",
      "SELECT name FROM publication WHERE held = 'in' AND stage NOT IN ('review', 'shadow') OR held = 'out' AND stage <> 'published'" },
    { "publication lacks", "SELECT DISTINCT c.name FROM publication_change c WHERE NOT EXISTS (SELECT 1 FROM publication p"
      " WHERE p.name = c.name AND p.kind = c.kind)" },
    { "publication_change does not continue the change before it: serial",
      "SELECT c.serial FROM publication_change c WHERE c.was IS NOT (SELECT now FROM publication_change p WHERE p.name = c.name"
      " AND p.kind = c.kind AND p.serial < c.serial ORDER BY p.serial DESC LIMIT 1)" },
    { "a version goes beyond the journal, or behind the version before it: serial",
      "SELECT serial FROM (SELECT serial, last_change, lag(last_change, 1, 0) OVER (ORDER BY serial) AS former FROM version)"
      " WHERE last_change < former OR last_change > (SELECT coalesce(max(serial), 0) FROM publication_change)" },
    { "a version does not count its changes: serial",
      "SELECT v.serial FROM (SELECT *, lag(last_change, 1, 0) OVER w AS former, lag(published, 1, 0) OVER w AS p, lag(shadow, 1, 0)"
      " OVER w AS s FROM version WINDOW w AS (ORDER BY serial)) v WHERE (changes, published - p, shadow - s, added, dropped) IS NOT (SELECT"
      " count(*), CAST(total(now = 'published') - total(was IS 'published') AS INTEGER), CAST(total(now = 'shadow') -"
      " total(was IS 'shadow') AS INTEGER), CAST(total(now = 'published' AND was IS NOT 'published' AND author = 'dnsmon') AS INTEGER),"
      " CAST(total(now <> 'published' AND was IS 'published' AND author = 'dnsmon') AS INTEGER) FROM publication_change c"
      " WHERE c.serial > v.former AND c.serial <= v.last_change)" },
};

static int check_promise(struct check *c, const struct promise *p, struct fault *why)
{
    struct statement s;
    struct fault inner;
    char line[KNOWLEDGE_PATH_MAX + 512];
    statement_start(&s, c->k, p->sql);
    for (int n = 0; n < LINES_MAX && statement_row(&s); n++) {
        snprintf(line, sizeof line, "%s: %s %.200s", c->k->path, p->broken, statement_column(&s, 0));
        damage(c, line);
    }
    return conclude(c, statement_end(&s, &inner), &inner, why);
}

/* All in one view of the file, or a writer's commit would look like damage. */
static int check_rows(struct check *c, struct fault *why)
{
    struct fault inner;
    int rc = conclude(c, knowledge_begin(c->k, &inner), &inner, why);
    if (rc != 0)
        return rc;
    rc = check_sqlite(c, why);
    for (size_t i = 0; rc == 0 && i < sizeof promises / sizeof promises[0]; i++)
        rc = check_promise(c, &promises[i], why);
    knowledge_rollback(c->k);
    return rc;
}

int knowledge_check(const char *dir, void (*report)(void *ctx, const char *line), void *ctx, uint64_t *ret_damages,
                    struct fault *why)
{
    struct check c = { .report = report, .ctx = ctx };
    struct fault inner;
    int rc = knowledge_open(&c.k, dir, KNOWLEDGE_READ, &inner);
    if (rc == E_ABSENT)
        rc = E_OK;
    else if (rc != 0)
        rc = conclude(&c, rc, &inner, why);
    else
        rc = check_rows(&c, why);
    knowledge_close(&c.k);
    if (rc == 0)
        *ret_damages = c.damages;
    return rc;
}
