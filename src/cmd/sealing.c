#include "cmd/sealing.h"

#include <assert.h>
#include <stdlib.h>

#include "cmd/counts.h"
#include "cmd/state.h"
#include "cmd/step.h"

enum { TABLES_MAX = PARTS * KINDS, RUN_LIMIT = 0x7fffffff };

struct table_job {
    struct sealing *sealing;
    const struct observer_part *part;
    int kind;
    struct store_table *table;
    struct fault why;
    struct task task;
};

struct sealing {
    struct sealing_options options;
    struct latch latch; /* of all tasks in the background */
    /* The cut: */
    struct observer_part parts[PARTS];
    struct table_job jobs[TABLES_MAX];
    struct store_table tables[TABLES_MAX]; /* a job's each */
    size_t n_tables;
    unsigned tables_left; /* under atomics: whoever brings it to 0 has seen all tables, and commits */
    struct task commit;
    struct store_move *moves;
    size_t n_moves;
    struct buffer state;
    char *totals; /* NULL = no cut */
    int64_t watermark;
    struct fault why;
    /* In the manifest: */
    uint64_t open_tables[TABLES_MAX];
    size_t n_open;
};

static int copy_open_tables(struct sealing *s, struct fault *why)
{
    const struct store_table *tables;
    size_t n = store_tables(s->options.store, &tables);
    for (size_t i = 0; i < n; i++) {
        if (!tables[i].open)
            continue;
        if (s->n_open == TABLES_MAX)
            return fault_set(why, E_CORRUPT, "manifest: too many tables of unfinished slots");
        s->open_tables[s->n_open++] = tables[i].id;
    }
    return E_OK;
}

static void each_run(struct sealing *s, void (*what)(struct buffer *run))
{
    for (int part = 0; part < PARTS; part++)
        for (int shard = 0; shard < SHARDS; shard++)
            for (int kind = 0; kind < KINDS; kind++)
                what(&s->parts[part].runs[shard][kind]);
}

static void init_run(struct buffer *run)
{
    buffer_init(run, RUN_LIMIT);
}

int sealing_create(struct sealing **ret, const struct sealing_options *options, struct fault *why)
{
    struct sealing *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fault_set(why, E_NOMEM, "sealing: out of memory");
    s->options = *options;
    s->latch.background = true;
    each_run(s, init_run);
    buffer_init(&s->state, STATE_LIMIT);
    int err = copy_open_tables(s, why);
    if (err) {
        sealing_destroy(&s);
        return err;
    }
    *ret = s;
    return E_OK;
}

static void clear(struct sealing *s)
{
    each_run(s, buffer_clear);
    buffer_clear(&s->state);
    free(s->totals);
    free(s->moves);
    s->totals = NULL;
    s->moves = NULL;
    s->n_moves = s->n_tables = 0;
    s->why = (struct fault){ 0 };
}

void sealing_destroy(struct sealing **sealing)
{
    struct sealing *s = *sealing;
    if (s == NULL)
        return;
    clear(s);
    each_run(s, buffer_release);
    buffer_release(&s->state);
    free(s);
    *sealing = NULL;
}

int sealing_wait(struct sealing *s, struct fault *why)
{
    crew_wait(s->options.crew, &s->latch);
    if (s->why.code) {
        *why = s->why;
        return why->code;
    }
    clear(s);
    return E_OK;
}

/* --- before the rounds go on ------------------------------------------------------- */

struct encode_task {
    struct sealing *sealing;
    const struct round *round;
    unsigned shard;
    struct task task;
    int err;
};

static void run_encode(void *arg)
{
    struct encode_task *t = arg;
    t->err = observer_encode(t->sealing->options.observer, t->round, t->shard, t->sealing->parts);
}

static int encode_shards(struct sealing *s, const struct round *round)
{
    struct encode_task tasks[SHARDS];
    struct latch latch = { 0 };
    for (unsigned i = 0; i < SHARDS; i++) {
        tasks[i] = (struct encode_task){ .sealing = s, .round = round, .shard = i };
        tasks[i].task = (struct task){ run_encode, &tasks[i], &latch, NULL };
        crew_submit(s->options.crew, &tasks[i].task);
    }
    crew_wait(s->options.crew, &latch);
    for (unsigned i = 0; i < SHARDS; i++)
        if (tasks[i].err)
            return tasks[i].err;
    return E_OK;
}

static void take_moves(struct sealing *s, struct step *step)
{
    s->moves = step->moves;
    s->n_moves = step->n_moves;
    step->moves = NULL;
    step->n_moves = 0;
}

/* Seconds; 0 when no time was seen yet. */
static int64_t watermark_of(const struct sealing *s, const struct round *round)
{
    int64_t newest_s = round->newest_ns == INT64_MIN ? 0 : round->newest_ns / 1000000000;
    return newest_s ? newest_s - s->options.lateness_ns / 1000000000 : 0;
}

/* All that the commit has besides tables. */
static int set_aside(struct sealing *s, struct step *step, const struct observer_counts *totals)
{
    s->totals = counts_to_json(totals, NULL, 0, 0);
    state_save(s->options.observer, step, &s->state);
    if (s->state.failed || s->totals == NULL)
        return E_NOMEM;
    take_moves(s, step);
    s->watermark = watermark_of(s, &step->round);
    return E_OK;
}

/* --- in the background ------------------------------------------------------------- */

static bool have_all_tables(struct sealing *s)
{
    for (size_t i = 0; i < s->n_tables; i++) {
        if (s->jobs[i].why.code) {
            s->why = s->jobs[i].why;
            return false;
        }
    }
    return true;
}

static void remember_open_tables(struct sealing *s)
{
    s->n_open = 0;
    for (size_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].open)
            s->open_tables[s->n_open++] = s->tables[i].id;
}

static void run_commit(void *arg)
{
    struct sealing *s = arg;
    if (!have_all_tables(s))
        return;
    struct store_change change = {
        .add = s->tables, .n_add = s->n_tables, .remove = s->open_tables, .n_remove = s->n_open,
        .moves = s->moves, .n_moves = s->n_moves, .state = s->state.ptr, .state_len = s->state.len,
        .totals = s->totals, .watermark = s->watermark,
    };
    if (store_commit(s->options.store, &change, &s->why) != E_OK)
        return;
    s->why.code = E_OK;
    remember_open_tables(s);
}

static size_t list_runs(const struct observer_part *part, int kind, struct store_run runs[SHARDS])
{
    size_t n = 0;
    for (int shard = 0; shard < SHARDS; shard++) {
        const struct buffer *run = &part->runs[shard][kind];
        if (run->len > 0)
            runs[n++] = (struct store_run){ run->ptr, run->len };
    }
    return n;
}

static void write_table(struct table_job *job)
{
    const struct observer_part *part = job->part;
    struct store_run runs[SHARDS];
    size_t n = list_runs(part, job->kind, runs);
    *job->table = (struct store_table){ .kind = (uint8_t)job->kind, .tier = TIER_SLOT, .open = part->open,
                                        .slot = part->slot_start, .from = part->from, .to = part->to };
    if (store_write_table(job->sealing->options.store, job->table, runs, n, &job->why) == E_OK)
        job->why.code = E_OK;
}

static void run_table(void *arg)
{
    struct table_job *job = arg;
    struct sealing *s = job->sealing;
    write_table(job);
    if (__atomic_sub_fetch(&s->tables_left, 1, __ATOMIC_ACQ_REL) == 0)
        crew_submit(s->options.crew, &s->commit);
}

static void add_table(struct sealing *s, const struct observer_part *part, int kind)
{
    struct table_job *job = &s->jobs[s->n_tables];
    *job = (struct table_job){ .sealing = s, .part = part, .kind = kind, .table = &s->tables[s->n_tables] };
    job->task = (struct task){ run_table, job, &s->latch, NULL };
    s->n_tables++;
}

static void list_tables(struct sealing *s)
{
    struct store_run runs[SHARDS];
    for (int part = 0; part < PARTS; part++)
        for (int kind = 0; kind < KINDS; kind++)
            if (s->parts[part].used && list_runs(&s->parts[part], kind, runs) > 0)
                add_table(s, &s->parts[part], kind);
}

static void submit(struct sealing *s)
{
    s->commit = (struct task){ run_commit, s, &s->latch, NULL };
    s->tables_left = (unsigned)s->n_tables;
    if (s->n_tables == 0)
        crew_submit(s->options.crew, &s->commit);
    for (size_t i = 0; i < s->n_tables; i++)
        crew_submit(s->options.crew, &s->jobs[i].task);
}

int sealing_start(struct sealing *s, struct step *step, const struct observer_counts *totals, struct fault *why)
{
    assert(s->totals == NULL);
    int err = encode_shards(s, &step->round);
    if (err)
        return fault_set(why, err, "sealing: %s", fault_text(err));
    observer_cut(s->options.observer, &step->round, s->parts);
    err = set_aside(s, step, totals);
    if (err)
        return fault_set(why, err, "sealing: out of memory for the open state");
    list_tables(s);
    submit(s);
    return E_OK;
}
