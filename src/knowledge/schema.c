/* schema: the versions of knowledge.db, as an ordered list of steps (docs/format/knowledge.md).
 *
 * A step once released never changes: files of its version exist. A new version is a new step at the end.
 */
#include "knowledge/inside.h"

#include <stdio.h>
#include <string.h>

/* REPLACE deletes without firing delete triggers, so an id that is there is refused, too. */
#define APPEND_ONLY(table, id)                                                                                     \
    "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table                                                   \
    " BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END;"                                                 \
    "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                                                   \
    " BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END;"                                                 \
    "CREATE TRIGGER " table "_no_replace BEFORE INSERT ON " table " WHEN EXISTS (SELECT 1 FROM " table             \
    " WHERE " id " = NEW." id ") BEGIN SELECT RAISE(ABORT, '" table " is append-only'); END;"

#define NAME "name TEXT NOT NULL CHECK (name <> '')"
#define SCOPE "scope TEXT NOT NULL CHECK (scope IN ('domain', 'host'))"
#define LEVEL "level TEXT NOT NULL CHECK (level IN ('benign', 'watch', 'suspicious', 'high_risk', 'malicious'))"
#define SCORE "score REAL NOT NULL CHECK (score BETWEEN 0 AND 1)"
#define STATES "('active', 'expired', 'withdrawn', 'held')"

static const char version_1[] =
    "CREATE TABLE evidence (id INTEGER PRIMARY KEY, " NAME ", " SCOPE ","
    " detector TEXT NOT NULL CHECK (detector <> ''), grp TEXT NOT NULL CHECK (grp <> ''), step INTEGER NOT NULL,"
    " known_at INTEGER NOT NULL, weight REAL NOT NULL, summary TEXT NOT NULL, facts TEXT NOT NULL,"
    " supersedes INTEGER UNIQUE REFERENCES evidence (id)) STRICT;"
    "CREATE INDEX evidence_by_name ON evidence (name, scope, detector, step, id);"
    APPEND_ONLY("evidence", "id")
    "CREATE TABLE standing (" NAME ", " SCOPE ", detector TEXT NOT NULL,"
    " evidence INTEGER NOT NULL UNIQUE REFERENCES evidence (id), PRIMARY KEY (name, scope, detector)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX standing_by_detector ON standing (detector, name, scope);"

    "CREATE TABLE campaign (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE CHECK (identity <> ''),"
    " born INTEGER NOT NULL, title TEXT NOT NULL, merged_into INTEGER REFERENCES campaign (id) CHECK (merged_into <> id),"
    " merged_at INTEGER, merged_why TEXT, CHECK ((merged_into IS NULL) = (merged_at IS NULL))) STRICT;"
    "CREATE INDEX campaign_by_merged ON campaign (merged_into);"
    "CREATE TABLE campaign_member (campaign INTEGER NOT NULL REFERENCES campaign (id), " NAME ", joined INTEGER NOT NULL,"
    " left INTEGER CHECK (left >= joined), why TEXT NOT NULL) STRICT;"
    "CREATE INDEX campaign_member_by_campaign ON campaign_member (campaign, name, joined);"
    "CREATE INDEX campaign_member_by_name ON campaign_member (name, joined);"
    "CREATE UNIQUE INDEX campaign_member_now ON campaign_member (name) WHERE left IS NULL;"

    "CREATE TABLE verdict (id INTEGER PRIMARY KEY, " NAME ", " SCOPE ", " LEVEL ", " SCORE ", decided_at INTEGER NOT NULL,"
    " known_at INTEGER NOT NULL, campaign INTEGER REFERENCES campaign (id), reason TEXT NOT NULL,"
    " previous INTEGER REFERENCES verdict (id)) STRICT;"
    "CREATE INDEX verdict_by_name ON verdict (name, scope, decided_at, id);"
    APPEND_ONLY("verdict", "id")
    "CREATE TABLE current_verdict (" NAME ", " SCOPE ", verdict INTEGER NOT NULL UNIQUE REFERENCES verdict (id), " LEVEL ","
    " PRIMARY KEY (name, scope)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX current_verdict_by_level ON current_verdict (level, name);"

    "CREATE TABLE indicator (" NAME ", " SCOPE ", " LEVEL ", " SCORE ", categories TEXT NOT NULL, family TEXT NOT NULL,"
    " campaign INTEGER REFERENCES campaign (id), first_seen INTEGER NOT NULL, decided_at INTEGER NOT NULL,"
    " valid_until INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN " STATES "), reason TEXT NOT NULL,"
    " PRIMARY KEY (name, scope)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE indicator_change (serial INTEGER PRIMARY KEY, at INTEGER NOT NULL, " NAME ", " SCOPE ","
    " was TEXT CHECK (was IN " STATES "), now TEXT NOT NULL CHECK (now IN " STATES "), author TEXT NOT NULL,"
    " reason TEXT NOT NULL) STRICT;"
    "CREATE INDEX indicator_change_by_name ON indicator_change (name, scope, serial);"
    APPEND_ONLY("indicator_change", "serial")

    "CREATE TABLE decision (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, author TEXT NOT NULL CHECK (author <> ''),"
    " action TEXT NOT NULL CHECK (action IN ('allow', 'block', 'withdraw', 'feedback')), " NAME ", " SCOPE ","
    " reason TEXT NOT NULL CHECK (reason <> ''), until INTEGER CHECK (until > at), revoked INTEGER) STRICT;"
    "CREATE INDEX decision_by_name ON decision (name, scope, action);"
    "CREATE UNIQUE INDEX decision_now ON decision (name, scope) WHERE revoked IS NULL AND action IN ('allow', 'block');"
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, author TEXT NOT NULL CHECK (author <> ''),"
    " action TEXT NOT NULL CHECK (action <> ''), subject TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    APPEND_ONLY("audit", "id")

    "CREATE TABLE funnel (step INTEGER NOT NULL, stage TEXT NOT NULL CHECK (stage IN ('messages', 'names', 'cleaned',"
    " 'candidates', 'checked', 'blocked')), reason TEXT NOT NULL, count INTEGER NOT NULL CHECK (count >= 0),"
    " PRIMARY KEY (step, stage, reason)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE analysis (one INTEGER PRIMARY KEY CHECK (one = 1), analysed_until INTEGER NOT NULL,"
    " period_start INTEGER NOT NULL, state_file TEXT NOT NULL, state_digest TEXT NOT NULL, weights_digest TEXT NOT NULL,"
    " psl_digest TEXT NOT NULL) STRICT;"
    "CREATE TABLE memo (kind TEXT NOT NULL CHECK (kind <> ''), key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE setting (key TEXT PRIMARY KEY CHECK (key <> ''), value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/* What was said of a step, for walking it again. */
static const char version_2[] = "CREATE INDEX evidence_by_step ON evidence (step);"
                                "CREATE INDEX verdict_by_step ON verdict (decided_at);";

#define KIND "kind TEXT NOT NULL CHECK (kind IN ('domain', 'host', 'address', 'nameserver'))"
#define STAGES_SQL "('review', 'shadow', 'published', 'out')"
/* Of a publication, and of its changes. */
#define PUBLISHED                                                                                                  \
    "since INTEGER NOT NULL, approved_by TEXT NOT NULL, reason TEXT NOT NULL, " LEVEL ", " SCORE ", categories TEXT NOT NULL," \
    " family TEXT NOT NULL, campaign INTEGER REFERENCES campaign (id), first_seen INTEGER NOT NULL, valid_until INTEGER NOT NULL"

/* What is published, and the whole indicator in its history. Columns are added without NOT NULL: rows of before have none. */
static const char version_3[] =
    "ALTER TABLE indicator_change ADD COLUMN level TEXT CHECK (level IN ('benign', 'watch', 'suspicious', 'high_risk', 'malicious'));"
    "ALTER TABLE indicator_change ADD COLUMN score REAL CHECK (score BETWEEN 0 AND 1);"
    "ALTER TABLE indicator_change ADD COLUMN categories TEXT;"
    "ALTER TABLE indicator_change ADD COLUMN family TEXT;"
    "ALTER TABLE indicator_change ADD COLUMN campaign INTEGER REFERENCES campaign (id);"
    "ALTER TABLE indicator_change ADD COLUMN first_seen INTEGER;"
    "ALTER TABLE indicator_change ADD COLUMN decided_at INTEGER;"
    "ALTER TABLE indicator_change ADD COLUMN valid_until INTEGER;"

    "CREATE TABLE publication (" NAME ", " KIND ", stage TEXT NOT NULL CHECK (stage IN " STAGES_SQL "), due INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, held TEXT NOT NULL CHECK (held IN ('', 'in', 'out')), " PUBLISHED ", PRIMARY KEY (name, kind)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX publication_by_due ON publication (due) WHERE due <> 0;"
    "CREATE INDEX publication_by_end ON publication (valid_until) WHERE stage <> 'out' AND held = '';"
    "CREATE INDEX publication_in_review ON publication (name, kind) WHERE stage = 'review';"
    "CREATE INDEX publication_held ON publication (held, name, kind) WHERE held <> '';"
    "CREATE TABLE publication_change (serial INTEGER PRIMARY KEY, at INTEGER NOT NULL, " NAME ", " KIND ","
    " was TEXT CHECK (was IN " STAGES_SQL "), now TEXT NOT NULL CHECK (now IN " STAGES_SQL "), author TEXT NOT NULL,"
    " " PUBLISHED ") STRICT;"
    "CREATE INDEX publication_change_by_name ON publication_change (name, kind, serial);"
    APPEND_ONLY("publication_change", "serial")
    "CREATE TABLE version (serial INTEGER PRIMARY KEY, last_change INTEGER NOT NULL, changes INTEGER NOT NULL,"
    " published INTEGER NOT NULL, shadow INTEGER NOT NULL, added INTEGER NOT NULL, dropped INTEGER NOT NULL,"
    " reason TEXT NOT NULL) STRICT;"
    APPEND_ONLY("version", "serial")

    "CREATE TABLE receipt (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, secondary TEXT NOT NULL CHECK (secondary <> ''),"
    " zone TEXT NOT NULL, serial INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('soa', 'axfr', 'ixfr', 'notify')),"
    " records INTEGER NOT NULL, bytes INTEGER NOT NULL, ms INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT;"
    "CREATE INDEX receipt_by_secondary ON receipt (secondary, zone, kind, id);";

const char *const knowledge_steps[] = { version_1, version_2, version_3 };
const int knowledge_version = sizeof knowledge_steps / sizeof knowledge_steps[0];

static int pragma_number(struct knowledge *k, const char *sql, int64_t *ret, struct fault *why)
{
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret, why);
}

int schema_version(struct knowledge *k, int *ret, struct fault *why)
{
    int64_t application = 0, version = 0, objects = 0;
    int rc = pragma_number(k, "PRAGMA application_id", &application, why);
    if (rc == 0)
        rc = pragma_number(k, "PRAGMA user_version", &version, why);
    if (rc == 0)
        rc = pragma_number(k, "SELECT count(*) FROM sqlite_schema", &objects, why);
    if (rc != 0)
        return rc;
    bool fresh = application == 0 && version == 0 && objects == 0;
    if (!fresh && (application != KNOWLEDGE_APPLICATION || version < 1))
        return fault_set(why, E_CORRUPT, "%s: not a knowledge file of DNSMon; it is left as it is", k->path);
    *ret = (int)version;
    return E_OK;
}

static int execute(struct knowledge *k, const char *sql, struct fault *why)
{
    int rc = sqlite3_exec(k->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? E_OK : knowledge_fault(k, rc, why);
}

static int run_steps(struct knowledge *k, const char *const steps[], int n, struct fault *why)
{
    char numbers[96];
    int version;
    int rc = schema_version(k, &version, why); /* again, now that nobody else can change it */
    if (rc == 0 && version > n)
        rc = fault_set(why, E_VERSION, "%s: of version %d, newer than the %d that this program knows", k->path, version, n);
    for (int i = version; rc == 0 && i < n; i++)
        rc = execute(k, steps[i], why);
    snprintf(numbers, sizeof numbers, "PRAGMA application_id = %d; PRAGMA user_version = %d", KNOWLEDGE_APPLICATION, n);
    return rc ? rc : execute(k, numbers, why);
}

int schema_migrate(struct knowledge *k, const char *const steps[], int n, struct fault *why)
{
    int rc = execute(k, "BEGIN IMMEDIATE", why);
    if (rc != 0)
        return rc;
    rc = run_steps(k, steps, n, why);
    if (rc == 0)
        rc = execute(k, "COMMIT", why);
    if (rc != 0)
        (void)sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Every object of a schema that has a text of its own; the indexes that SQLite makes for itself follow from the tables. */
static const char schema_objects[] =
    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'"
    " ORDER BY type, name";

static bool same_row(const struct statement *a, const struct statement *b)
{
    for (int column = 0; column < 4; column++)
        if (strcmp(statement_column(a, column), statement_column(b, column)) != 0)
            return false;
    return true;
}

static int compare_with(struct knowledge *k, struct knowledge *model, struct fault *why)
{
    struct statement ours, theirs;
    bool same = true, more = true;
    statement_start(&ours, model, schema_objects);
    statement_start(&theirs, k, schema_objects);
    while (same && more) {
        more = statement_row(&ours);
        same = statement_row(&theirs) == more && (!more || same_row(&ours, &theirs));
    }
    int rc = statement_end(&theirs, why), rc_model = statement_end(&ours, rc ? NULL : why);
    if (rc != 0 || rc_model != 0)
        return rc ? rc : rc_model;
    return same ? E_OK : fault_set(why, E_CORRUPT, "%s: its tables are not those of a knowledge file; it is left as it is", k->path);
}

int schema_compare(struct knowledge *k, const char *const steps[], int n, struct fault *why)
{
    static const char memory[] = ":memory:";
    struct knowledge model = { .path = "the model of the schema" };
    int rc = knowledge_connect(&model.db, memory, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (rc != SQLITE_OK)
        rc = knowledge_fault(&model, rc, why);
    if (rc == 0)
        rc = run_steps(&model, steps, n, why);
    if (rc == 0)
        rc = compare_with(k, &model, why);
    for (size_t i = 0; i < model.n_cached; i++)
        sqlite3_finalize(model.cache[i].stmt);
    sqlite3_close(model.db);
    return rc;
}
