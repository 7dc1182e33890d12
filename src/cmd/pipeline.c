#include "cmd/pipeline.h"

#include <stdlib.h>

#include "cmd/counts.h"
#include "cmd/merging.h"
#include "cmd/sealing.h"
#include "cmd/state.h"
#include "cmd/step.h"

enum { ROUNDS = 3 };

struct pipeline {
    struct store *store;
    struct pipeline_options options;
    struct crew *crew;
    struct transport *transport;
    struct observer *observer;
    struct reading *reading;
    struct sealing *sealing;
    struct merging *merging;
    struct step steps[ROUNDS];
    struct observer_counts base, run; /* before this run; since */
};

/* --- create ------------------------------------------------------------------------ */

static int create_parts(struct pipeline *p)
{
    int err = E_OK;
    p->crew = crew_create(p->options.threads);
    p->transport = transport_create(&p->options.input);
    for (int i = 0; i < ROUNDS && err == E_OK; i++)
        err = step_init(&p->steps[i]);
    if (err == E_OK)
        err = observer_create(&p->observer, &p->options.observer);
    return p->crew && p->transport ? err : E_NOMEM;
}

/* Nobody commits yet: all may look at the manifest. */
static int create_stages(struct pipeline *p, struct fault *why)
{
    struct reading_options reading = { p->observer, p->transport, p->options.source_id, p->options.stop };
    struct sealing_options sealing = { p->store, p->observer, p->crew, p->options.observer.lateness_ns };
    int err = reading_create(&p->reading, p->store, &reading, why);
    if (err == E_OK)
        err = sealing_create(&p->sealing, &sealing, why);
    if (err == E_OK)
        err = merging_create(&p->merging, p->store, p->crew, p->options.expire, why);
    return err;
}

static int load_totals(struct pipeline *p, struct fault *why)
{
    const char *totals = store_totals(p->store);
    if (totals[0] != '\0' && counts_from_json(totals, &p->base) != E_OK)
        return fault_set(why, E_CORRUPT, "manifest: totals do not parse");
    return E_OK;
}

int pipeline_create(struct pipeline **ret, struct store *store, const struct pipeline_options *options,
                    struct fault *why)
{
    struct pipeline *p = lines_alloc_zeroed(sizeof *p);
    if (p == NULL)
        return fault_set(why, E_NOMEM, "pipeline: out of memory");
    p->store = store;
    p->options = *options;
    int err = create_parts(p);
    if (err)
        err = fault_set(why, E_NOMEM, "pipeline: out of memory");
    if (err == E_OK)
        err = create_stages(p, why);
    if (err == E_OK)
        err = load_totals(p, why);
    if (err == E_OK)
        err = state_load(store, p->observer, p->transport, why);
    if (err) {
        pipeline_destroy(&p);
        return err;
    }
    *ret = p;
    return E_OK;
}

/* The crew first: its last tasks may be those of the others. */
void pipeline_destroy(struct pipeline **pipeline)
{
    struct pipeline *p = *pipeline;
    if (p == NULL)
        return;
    crew_destroy(&p->crew);
    merging_destroy(&p->merging);
    sealing_destroy(&p->sealing);
    reading_destroy(&p->reading);
    for (int i = 0; i < ROUNDS; i++)
        step_release(&p->steps[i]);
    observer_destroy(&p->observer);
    transport_destroy(&p->transport);
    free(p);
    *pipeline = NULL;
}

/* --- the three stages -------------------------------------------------------------- */

struct stage_task {
    struct pipeline *pipeline;
    struct step *step;
    unsigned index;
    struct task task;
};

static void run_read(void *arg)
{
    struct stage_task *t = arg;
    reading_round(t->pipeline->reading, t->step);
}

static void run_decode(void *arg)
{
    struct stage_task *t = arg;
    observer_decode(t->pipeline->observer, &t->step->round, t->index);
}

static void run_fold(void *arg)
{
    struct stage_task *t = arg;
    observer_fold(t->pipeline->observer, &t->step->round, t->index);
}

static void submit_stage(struct pipeline *p, struct step *step, struct stage_task *tasks, unsigned n,
                         void (*run)(void *), struct latch *latch)
{
    for (unsigned i = 0; i < n; i++) {
        tasks[i] = (struct stage_task){ p, step, i, { run, &tasks[i], latch, NULL } };
        crew_submit(p->crew, &tasks[i].task);
    }
}

/* A stage each, at once. False when there is nothing left for any. */
static bool run_stages(struct pipeline *p, struct step *read, struct step *decode, struct step *fold)
{
    struct stage_task reads[1], decodes[PARTITIONS], folds[SHARDS];
    struct latch latch = { 0 };
    step_clear(read);
    bool over = reading_is_over(p->reading);
    if (over && !decode->filled && !fold->filled)
        return false;
    if (!over)
        submit_stage(p, read, reads, 1, run_read, &latch);
    if (fold->filled)
        submit_stage(p, fold, folds, SHARDS, run_fold, &latch);
    if (decode->filled)
        submit_stage(p, decode, decodes, PARTITIONS, run_decode, &latch);
    crew_wait(p->crew, &latch);
    return true;
}

/* --- rounds ------------------------------------------------------------------------ */

static int cut(struct pipeline *p, struct step *step, struct fault *why)
{
    struct observer_counts totals = p->base;
    observer_counts_add(&totals, &p->run);
    int err = sealing_wait(p->sealing, why);
    if (err == E_OK)
        err = merging_start(p->merging, why);
    if (err == E_OK)
        err = sealing_start(p->sealing, step, &totals, why);
    return err;
}

static void tell_progress(struct pipeline *p)
{
    uint64_t done, size;
    if (p->options.progress == NULL)
        return;
    const char *name = reading_progress(p->reading, &done, &size);
    p->options.progress(p->options.progress_ctx, &p->run, done, size, name);
}

/* After its fold. */
static int end_round(struct pipeline *p, struct step *step, struct fault *why)
{
    int err = observer_finish(&step->round, &p->run);
    if (err)
        fault_set(why, err, "observing: %s", fault_text(err));
    observer_check_memory(p->observer);
    if (err == E_OK && step->round.cut)
        err = cut(p, step, why);
    tell_progress(p);
    return err;
}

/* While nothing is decoded. */
static void refresh_policy(struct pipeline *p)
{
    struct policy_file *file = p->options.policy_file;
    if (file != NULL && policy_file_refresh(file))
        observer_set_policy(p->observer, policy_file_policy(file));
}

static int run_rounds(struct pipeline *p, struct fault *why)
{
    int err = E_OK;
    for (unsigned n = 0; err == E_OK; n++) {
        struct step *read = &p->steps[n % ROUNDS];
        struct step *decode = &p->steps[(n + 2) % ROUNDS];
        struct step *fold = &p->steps[(n + 1) % ROUNDS];
        if (!run_stages(p, read, decode, fold))
            break;
        refresh_policy(p);
        if (fold->filled)
            err = end_round(p, fold, why);
    }
    return err ? err : reading_error(p->reading, why);
}

/* Nothing runs in the background on return; the first fault is told. */
static int end_background(struct pipeline *p, int err, struct fault *why)
{
    struct fault late;
    int sealed = sealing_wait(p->sealing, err ? &late : why);
    if (err == E_OK && sealed == E_OK)
        return merging_finish(p->merging, why);
    merging_wait(p->merging);
    return err ? err : sealed;
}

static int run_to_end(struct pipeline *p, struct pipeline_result *result, struct fault *why)
{
    p->run = (struct observer_counts){ 0 };
    int err = run_rounds(p, why);
    err = end_background(p, err, why);
    result->counts = p->run;
    result->read = *reading_counts(p->reading);
    result->rr_distinct = observer_distinct(p->observer, &result->rr_distinct_exact);
    result->waiting = observer_waiting(p->observer);
    if (result->rr_distinct > result->counts.rr_observed) /* an estimate of records that hardly repeat */
        result->rr_distinct = result->counts.rr_observed;
    return err;
}

int pipeline_files(struct pipeline *p, const struct file_input *files, size_t n, struct pipeline_result *ret,
                   struct fault *why)
{
    reading_use_files(p->reading, files, n);
    return run_to_end(p, ret, why);
}

int pipeline_live(struct pipeline *p, struct live_input *inputs, size_t n, struct pipeline_result *ret,
                  struct fault *why)
{
    reading_use_live(p->reading, inputs, n);
    return run_to_end(p, ret, why);
}
