#include "knowledge/funnel.h"

#include "knowledge/inside.h"

static const char *const stages[FUNNEL_STAGES] = { "messages", "names", "cleaned", "candidates", "checked", "blocked" };

const char *funnel_stage_text(enum funnel_stage stage)
{
    return stages[stage];
}

static int put(struct knowledge *k, int64_t step, enum funnel_stage stage, const char *reason, uint64_t count,
               struct fault *why)
{
    static const char sql[] = "INSERT INTO funnel (step, stage, reason, count) VALUES (?, ?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET count = excluded.count";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, step);
    statement_text(&s, 2, stages[stage]);
    statement_text(&s, 3, reason);
    statement_int(&s, 4, count > INT64_MAX ? INT64_MAX : (int64_t)count);
    return statement_run(&s, why);
}

int funnel_put(struct knowledge *k, int64_t step, enum funnel_stage stage, const char *reason, uint64_t count,
               struct fault *why)
{
    struct write w;
    int rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put(k, step, stage, reason, count, why), why);
}

int funnel_sum(struct knowledge *k, int64_t from, int64_t to, funnel_sink sink, void *ctx, struct fault *why)
{
    /* total() does not overflow, but for it counts beyond 2^53 are no longer exact. */
    static const char sql[] = "SELECT reason, total(count) FROM funnel WHERE step BETWEEN ? AND ? AND stage = ?"
                              " GROUP BY reason ORDER BY reason";
    int rc = E_OK;
    for (int stage = 0; rc == 0 && stage < FUNNEL_STAGES; stage++) {
        struct statement s;
        statement_start(&s, k, sql);
        statement_int(&s, 1, from);
        statement_int(&s, 2, to);
        statement_text(&s, 3, stages[stage]);
        while (statement_row(&s))
            if (statement_ended_by(&s, sink(ctx, (enum funnel_stage)stage, statement_column(&s, 0),
                                            (uint64_t)sqlite3_column_double(s.stmt, 1), why)))
                break;
        rc = statement_end(&s, why);
    }
    return rc;
}
