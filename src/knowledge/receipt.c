#include "knowledge/receipt.h"

#include "knowledge/inside.h"

static const char *const kinds[RECEIPT_KINDS] = { "soa", "axfr", "ixfr", "notify" };

const char *receipt_kind_text(enum receipt_kind kind)
{
    return kinds[kind];
}

static int insert(struct knowledge *k, const struct receipt *r, struct fault *why)
{
    static const char sql[] = "INSERT INTO receipt (at, secondary, zone, serial, kind, records, bytes, ms, outcome)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, r->at);
    statement_text(&s, 2, r->secondary);
    statement_text(&s, 3, r->zone);
    statement_int(&s, 4, r->serial);
    statement_text(&s, 5, kinds[r->kind]);
    statement_int(&s, 6, r->records);
    statement_int(&s, 7, r->bytes);
    statement_int(&s, 8, r->ms);
    statement_text(&s, 9, r->outcome);
    return statement_run(&s, why);
}

static int forget(struct knowledge *k, const struct receipt *r, struct fault *why)
{
    static const char sql[] =
        "DELETE FROM receipt WHERE id <= (SELECT max(id) FROM receipt) - ?4 OR id <= (SELECT id FROM receipt"
        " WHERE secondary = ?1 AND zone = ?2 AND kind = ?3 ORDER BY id DESC LIMIT 1 OFFSET ?5)"
        " AND secondary = ?1 AND zone = ?2 AND kind = ?3";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, r->secondary);
    statement_text(&s, 2, r->zone);
    statement_text(&s, 3, kinds[r->kind]);
    statement_int(&s, 4, RECEIPTS_MAX);
    statement_int(&s, 5, RECEIPTS_KEPT);
    return statement_run(&s, why);
}

int receipt_add(struct knowledge *k, const struct receipt *r, struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    if (rc != 0)
        return rc;
    rc = insert(k, r, why);
    return knowledge_leave(k, &w, rc ? rc : forget(k, r, why), why);
}

#define COLUMNS "id, at, secondary, zone, serial, kind, records, bytes, ms, outcome"

static int walk(struct statement *s, receipt_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        int kind = knowledge_word(kinds, RECEIPT_KINDS, statement_column(s, 5));
        struct receipt r = {
            .id = sqlite3_column_int64(s->stmt, 0),
            .at = sqlite3_column_int64(s->stmt, 1),
            .secondary = statement_column(s, 2),
            .zone = statement_column(s, 3),
            .serial = (uint32_t)sqlite3_column_int64(s->stmt, 4),
            .kind = kind < 0 ? RECEIPT_SOA : (enum receipt_kind)kind,
            .records = sqlite3_column_int64(s->stmt, 6),
            .bytes = sqlite3_column_int64(s->stmt, 7),
            .ms = sqlite3_column_int64(s->stmt, 8),
            .outcome = statement_column(s, 9),
        };
        if (statement_ended_by(s, sink(ctx, &r, why)))
            break;
    }
    return statement_end(s, why);
}

int receipt_each(struct knowledge *k, const char *secondary, const char *zone, receipt_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " COLUMNS " FROM receipt WHERE ?1 IN ('', secondary) AND ?2 IN ('', zone) ORDER BY id";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, secondary);
    statement_text(&s, 2, zone);
    return walk(&s, sink, ctx, why);
}

/* Beside max(), SQLite takes the other columns of the row that has it. */
int receipt_latest(struct knowledge *k, receipt_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT max(id), at, secondary, zone, serial, kind, records, bytes, ms, outcome FROM receipt"
                              " WHERE kind <> 'notify' AND outcome = '' GROUP BY secondary, zone ORDER BY secondary, zone";
    struct statement s;
    statement_start(&s, k, sql);
    return walk(&s, sink, ctx, why);
}
