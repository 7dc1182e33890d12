#include "detect/analysis.h"

#include "base/outfile.h"
#include "detect/campaign/campaign.h"
#include "detect/docket.h"
#include "detect/walk.h"
#include "knowledge/analysis.h"
#include "knowledge/memo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define STATE_PREFIX "analysis-"

enum { CHUNK_CANDIDATES = 300000 }; /* times periods: what a chunk holds in memory, some KiB each. A single period may have more */

struct run {
    const struct analysis_options *o;
    int lock; /* the folder, locked: one run at a time, which may remove what others left */
    struct store *store;
    struct knowledge *knowledge;
    struct docket *docket;
    struct walk *walk;
    struct analysis at;     /* as of the last commit */
    uint32_t steps;         /* the most of the next chunk: follows from how many candidates the last one had */
    struct analysis_summary *sum;
    struct fault *why;
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for the analysis");
}

static void state_path(const struct run *r, const char *file, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", r->o->dir, file);
}

static int lock_folder(struct run *r)
{
    r->lock = open(r->o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->lock < 0)
        return fault_errno(r->why, errno, "%s: cannot open", r->o->dir);
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
        return E_OK;
    return errno == EWOULDBLOCK ? fault_set(r->why, E_LOCKED, "%s: another analysis is running", r->o->dir)
                                : fault_errno(r->why, errno, "%s: cannot lock", r->o->dir);
}

/* ---- state files ---- */

/* What a killed run, or the one before, left behind. */
static void remove_other_states(const struct run *r)
{
    DIR *dir = opendir(r->o->dir);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, STATE_PREFIX, strlen(STATE_PREFIX)) == 0 &&
            strncmp(e->d_name, r->at.state_file, strlen(r->at.state_file) ? strlen(r->at.state_file) : 1) != 0)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

static int open_state(struct run *r, struct profiles_reader **ret)
{
    char path[PATH_BYTES];
    *ret = NULL;
    if (r->at.state_file[0] == '\0')
        return E_OK;
    state_path(r, r->at.state_file, path);
    int rc = profiles_open(ret, path, strtoull(r->at.state_digest, NULL, 16), r->why);
    if (rc == 0 && profiles_period(*ret) != (uint32_t)r->at.period_start) {
        profiles_close(ret);
        return fault_set(r->why, E_CORRUPT, "%s: is of another time than the ledger; run dnsmon analyze --again", path);
    }
    return rc;
}

/* ---- a chunk ---- */

struct chunk {
    uint32_t from, to;
    bool whole; /* ends a period: state is kept */
    struct profiles_reader *before;
    struct profiles_writer *after;
    struct census census;
    struct inspection inspection;
    char file[64];
    uint64_t digest;
};

static int take_census(struct run *r, struct chunk *c)
{
    char path[PATH_BYTES];
    uint32_t first = 0;
    struct wanted *wanted;
    size_t n_wanted;
    int rc = open_state(r, &c->before);
    if (rc == 0 && c->before == NULL)
        rc = census_first(r->store, &first, r->why);
    else if (rc == 0)
        first = profiles_first(c->before);
    if (rc == 0 && c->whole) {
        snprintf(c->file, sizeof c->file, STATE_PREFIX "%" PRIu32 ".mtbl", c->to + 1);
        state_path(r, c->file, path);
        rc = profiles_create(&c->after, path, c->to + 1, first, r->why);
    }
    if (rc == 0)
        rc = walk_wanted(r->walk, &wanted, &n_wanted, r->why);
    if (rc != 0)
        return rc;
    rc = census_take(&c->census, r->store, r->o->suffixes, c->from, c->to, first, wanted, n_wanted, c->before, c->after, r->why);
    free(wanted);
    return rc;
}

static int finish_state(struct run *r, struct chunk *c)
{
    int rc = profiles_finish(&c->after, c->census.hours, c->census.n_hours, &c->digest, r->why);
    return rc ? rc : sync_folder(r->o->dir, r->why);
}

static int check_place(struct run *r)
{
    struct analysis now;
    int rc = analysis_get(r->knowledge, &now, r->why);
    if (rc == 0 && (now.analysed_until != r->at.analysed_until || now.period_start != r->at.period_start))
        rc = fault_set(r->why, E_LOCKED, "%s: another analysis ran meanwhile; run it again", r->o->dir);
    return rc;
}

static int write_place(struct run *r, const struct chunk *c)
{
    struct analysis next = r->at;
    next.analysed_until = c->to;
    if (c->whole) {
        next.period_start = c->to + 1;
        snprintf(next.state_file, sizeof next.state_file, "%s", c->file);
        snprintf(next.state_digest, sizeof next.state_digest, "%016" PRIx64, c->digest);
    } else if (next.state_file[0] == '\0') {
        next.period_start = c->from;
    }
    snprintf(next.weights_digest, sizeof next.weights_digest, "%s", r->o->weights->digest);
    snprintf(next.psl_digest, sizeof next.psl_digest, "%016" PRIx64, suffix_digest(r->o->suffixes));
    int rc = analysis_put(r->knowledge, &next, r->why);
    if (rc == 0)
        r->at = next;
    return rc;
}

/* All rows of the chunk, what is remembered, and the place: one transaction. */
static int write_chunk(struct run *r, struct chunk *c)
{
    struct analysis before = r->at;
    int rc = knowledge_begin(r->knowledge, r->why);
    if (rc != 0)
        return rc;
    rc = check_place(r);
    if (rc == 0)
        rc = walk_steps(r->walk, &c->census, &c->inspection, r->why);
    if (rc == 0 && c->whole)
        rc = walk_save(r->walk, r->why);
    if (rc == 0)
        rc = write_place(r, c);
    if (rc == 0)
        rc = knowledge_commit(r->knowledge, r->why);
    if (rc != 0) {
        knowledge_rollback(r->knowledge);
        r->at = before;
    }
    return rc;
}

static void count_chunk(struct run *r, const struct chunk *c)
{
    for (uint32_t step = c->from; step <= c->to; step++) {
        const struct census_step *s = &c->census.steps[step - c->from];
        r->sum->messages += s->messages;
        r->sum->names += s->names;
        r->sum->cleaned += s->names - s->screened[SCREEN_CANDIDATE];
    }
    r->sum->candidates += c->census.n_candidates;
    r->sum->refused += c->census.refused;
    r->sum->examined += c->inspection.n_examined;
    r->sum->to = c->to;
}

static void drop_census(struct chunk *c)
{
    census_release(&c->census);
    profiles_abandon(&c->after);
    profiles_close(&c->before);
}

/* As many periods as its candidates leave room for: a part of it, when there turn out to be too many. Results do not depend on it. */
static int take_fitting_census(struct run *r, struct chunk *c)
{
    int rc = take_census(r, c);
    if (rc != 0)
        return rc;
    size_t fit = CHUNK_CANDIDATES / (c->census.n_candidates + 1), periods = (c->to - c->from + 1) / PERIOD_STEPS;
    r->steps = (uint32_t)(fit < 1 ? 1 : fit < CENSUS_STEPS / PERIOD_STEPS ? fit : CENSUS_STEPS / PERIOD_STEPS) * PERIOD_STEPS;
    if (!c->whole || periods < 2 || fit >= periods)
        return E_OK;
    drop_census(c);
    c->to = c->from + r->steps - 1;
    return take_census(r, c);
}

static int run_chunk(struct run *r, uint32_t from, uint32_t to, bool whole, uint32_t *ret_end)
{
    struct chunk c = { .from = from, .to = to, .whole = whole };
    int rc = take_fitting_census(r, &c);
    bool inspected = false;
    if (rc == 0 && whole)
        rc = finish_state(r, &c);
    if (rc == 0)
        rc = inspection_run(&c.inspection, &c.census, r->store, r->o->suffixes, r->o->threads, r->o->without, r->why);
    inspected = rc == 0;
    if (rc == 0)
        rc = write_chunk(r, &c);
    if (rc == 0) {
        count_chunk(r, &c);
        remove_other_states(r);
    }
    if (inspected)
        inspection_release(&c.inspection);
    drop_census(&c);
    *ret_end = c.to;
    return rc;
}

/* ---- the run ---- */

/* The last step that ends by the watermark, and by as_of or else by now: one packet of a wrong clock moves the watermark into the
 * future, and what comes after it would never be judged. False when there is none. */
static bool last_step(const struct run *r, uint32_t *ret)
{
    int64_t end = store_watermark(r->store), most = r->o->as_of != 0 ? r->o->as_of : r->o->now;
    if (most < end)
        end = most;
    if (end < STEP_S)
        return false;
    *ret = (uint32_t)(end / STEP_S - 1);
    return true;
}

static int first_step(struct run *r, uint32_t *ret)
{
    uint32_t first;
    if (r->at.analysed_until != 0) {
        *ret = (uint32_t)r->at.period_start;
        return E_OK;
    }
    int rc = census_first(r->store, &first, r->why);
    if (rc == 0)
        *ret = period_start(first);
    return rc;
}

/* Whole periods first, in chunks; the hours of an open one last. `empty`: so many steps have no activity. Then a chunk may be longer,
 * for nobody is a candidate in it; a packet of a wrong clock leaves years without a question. */
static uint32_t chunk_end(const struct run *r, uint32_t from, uint32_t last, uint32_t empty, bool *ret_whole)
{
    uint32_t steps = last - from + 1, whole = steps - steps % PERIOD_STEPS, most = period_start(empty);
    most = most > CENSUS_EMPTY ? CENSUS_EMPTY : most > r->steps ? most : r->steps;
    *ret_whole = whole != 0;
    if (whole == 0)
        return last;
    return from + (whole < most ? whole : most) - 1;
}

static int walk_chunks(struct run *r, uint32_t from, uint32_t last)
{
    uint32_t begin = from, empty = 0;
    int rc = E_OK;
    r->steps = CENSUS_STEPS;
    while (rc == 0 && from <= last) {
        bool whole;
        uint64_t names = r->sum->names;
        uint32_t to = chunk_end(r, from, last, empty, &whole);
        rc = run_chunk(r, from, to, whole, &to);
        if (rc == 0 && r->o->progress != NULL)
            r->o->progress(r->o->ctx, to, begin, last);
        from = to + 1;
        empty = 0;
        if (rc == 0 && r->sum->names == names && from <= last) /* it was empty: how long does that last? */
            rc = census_empty(r->store, from, &empty, r->why);
    }
    return rc;
}

static int start_again(struct run *r)
{
    r->at = (struct analysis){ 0 };
    int rc = knowledge_begin(r->knowledge, r->why);
    if (rc == 0)
        rc = analysis_put(r->knowledge, &r->at, r->why);
    if (rc == 0)
        rc = walk_forget(r->knowledge, r->why);
    if (rc == 0)
        rc = knowledge_commit(r->knowledge, r->why);
    if (rc != 0)
        knowledge_rollback(r->knowledge);
    return rc;
}

static int run_all(struct run *r)
{
    uint32_t from, last;
    int rc = analysis_get(r->knowledge, &r->at, r->why);
    if (rc == 0 && r->o->again)
        rc = start_again(r);
    if (rc == 0)
        rc = first_step(r, &from);
    if (rc == 0)
        rc = walk_create(&r->walk, r->o, r->knowledge, r->store, r->docket, r->sum, r->why);
    if (rc != 0)
        return rc;
    r->sum->from = from;
    r->sum->to = from - 1;
    if (!last_step(r, &last) || last < from || (r->at.analysed_until != 0 && last <= r->at.analysed_until))
        return E_OK;
    return walk_chunks(r, from, last);
}

int analysis_run(const struct analysis_options *options, struct analysis_summary *ret, struct fault *why)
{
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return no_memory(why);
    *ret = (struct analysis_summary){ 0 };
    r->o = options;
    r->sum = ret;
    r->why = why;
    r->lock = -1;
    int rc = store_open(&r->store, options->dir, STORE_READ, NULL, why);
    if (rc == 0)
        rc = lock_folder(r);
    if (rc == 0)
        rc = knowledge_open(&r->knowledge, options->dir, KNOWLEDGE_WRITE, why);
    if (rc == 0)
        rc = docket_create(&r->docket, why);
    if (rc == 0)
        rc = run_all(r);
    walk_destroy(&r->walk);
    docket_destroy(&r->docket);
    if (r->knowledge != NULL)
        knowledge_close(&r->knowledge);
    if (r->store != NULL)
        store_close(&r->store);
    if (r->lock >= 0)
        close(r->lock);
    free(r);
    return rc;
}
