#include "cmd/merging.h"

#include <stdlib.h>
#include <time.h>

struct merge_job {
    struct store *store;
    struct store_merge merge;
    struct fault why;
    struct task task;
};

struct expiry {
    struct store *store;
    int64_t now; /* of the last one, seconds */
    struct fault why;
    struct task task;
};

enum { EXPIRY_S = 3600 };

struct merging {
    struct store *store;
    struct crew *crew;
    struct latch latch;
    struct merge_job jobs[MERGING_AT_ONCE]; /* the batch under way, or the one that ended last */
    size_t n;
    bool expire;          /* wanted */
    bool expiring;        /* part of that batch */
    struct expiry expiry;
};

int merging_create(struct merging **ret, struct store *store, struct crew *crew, bool expire, struct fault *why)
{
    struct merging *m = calloc(1, sizeof *m);
    if (m == NULL)
        return fault_set(why, E_NOMEM, "merging: out of memory");
    m->store = store;
    m->crew = crew;
    m->expire = expire;
    m->latch.background = true;
    *ret = m;
    return E_OK;
}

void merging_destroy(struct merging **merging)
{
    free(*merging);
    *merging = NULL;
}

static int first_fault(const struct merging *m, struct fault *why)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->jobs[i].why.code) {
            *why = m->jobs[i].why;
            return why->code;
        }
    }
    if (m->expiry.why.code)
        *why = m->expiry.why;
    return m->expiry.why.code;
}

static void run_merge(void *arg)
{
    struct merge_job *job = arg;
    if (store_run_merge(job->store, &job->merge, &job->why) == E_OK)
        job->why.code = E_OK;
}

static void run_expiry(void *arg)
{
    struct expiry *e = arg;
    if (store_expire(e->store, e->now, NULL, &e->why) == E_OK)
        e->why.code = E_OK;
}

static void start_expiry(struct merging *m)
{
    int64_t now = store_watermark(m->store), clock = time(NULL);
    now = now < clock ? now : clock;
    m->expiring = m->expire && now - m->expiry.now >= EXPIRY_S;
    if (!m->expiring)
        return;
    m->expiry = (struct expiry){ .store = m->store, .now = now };
    m->expiry.task = (struct task){ run_expiry, &m->expiry, &m->latch, NULL };
    crew_submit(m->crew, &m->expiry.task);
}

static void start_due(struct merging *m)
{
    struct store_merge due[MERGING_AT_ONCE];
    start_expiry(m); /* first: it looks at the watermark, and merges commit */
    m->n = store_due_merges(m->store, due, MERGING_AT_ONCE);
    for (size_t i = 0; i < m->n; i++) {
        struct merge_job *job = &m->jobs[i];
        *job = (struct merge_job){ .store = m->store, .merge = due[i] };
        job->task = (struct task){ run_merge, job, &m->latch, NULL };
        crew_submit(m->crew, &job->task);
    }
}

int merging_start(struct merging *m, struct fault *why)
{
    if (!crew_is_done(m->crew, &m->latch))
        return E_OK;
    int err = first_fault(m, why);
    if (err == E_OK)
        start_due(m);
    return err;
}

int merging_finish(struct merging *m, struct fault *why)
{
    int err;
    do {
        merging_wait(m);
        err = merging_start(m, why);
    } while (err == E_OK && (m->n > 0 || m->expiring));
    return err;
}

void merging_wait(struct merging *m)
{
    crew_wait(m->crew, &m->latch);
}
