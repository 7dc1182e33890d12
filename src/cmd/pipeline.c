/* See the header for how the stages run. */
#include "cmd/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/compare.h"

enum {
    ROUNDS = 3,
    STATE_LIMIT = 512 << 20,
    RUN_LIMIT = 0x7fffffff,
    MERGES_AT_ONCE = 16,
    LIVE_ROUND_MS = 200,
    STATE_VERSION = 2,
    OPEN_TABLES_MAX = PARTS * KINDS,
};
static const char state_magic[4] = "DMST";

/* A round and what its cut, if it is one, commits besides records. */
struct step {
    struct round round;
    struct buffer transport;
    struct store_move *moves;
    size_t n_moves, move_capacity;
    bool filled;
};

/* What the background writes and commits. */
struct job {
    struct pipeline *pipeline;
    struct latch latch;
    struct task tasks[PARTS * KINDS], commit;
    struct table_job {
        struct job *job;
        int part, kind;
    } table_jobs[PARTS * KINDS];
    struct store_table tables[PARTS * KINDS];
    struct fault faults[PARTS * KINDS];
    size_t n_tables;
    unsigned tables_left; /* under atomics: whoever brings it to 0 commits */
    struct observer_part parts[PARTS];
    struct buffer state;
    struct store_move *moves;
    size_t n_moves;
    char *totals;
    int64_t watermark;
    struct fault why;
};

struct merge_job {
    struct pipeline *pipeline;
    struct store_merge merge;
    struct task task;
    struct fault why;
};

/* A source, or a former place of one: small, for a database may know many. */
struct known {
    uint64_t head;
    struct store_place at;
    bool by_id;  /* the one with the id given; those with others are not listed */
    bool former; /* it has grown since: what goes on otherwise from here is another one */
};

struct reading {
    const struct pipeline_file *files;
    size_t n_files, at;
    struct source *source;
    /* All sources the database knows and those read since; the reader's own copy, since the
     * store's list changes under commits. Of the open source: what it `continues`, and what this
     * run added for it; SIZE_MAX = none. */
    struct known *known;
    size_t n_known, known_capacity, continues, current;
    uint64_t opened_at;     /* offset up to which the database knew the source when it was opened */
    uint64_t noted_at;      /* where it stood when it was written down last */
    struct store_place from; /* of its entry in the manifest; offset 0 = none yet */
    bool fresh;             /* nothing of it read yet */
    struct message_batch stash;
    struct tally stash_tally;
    bool stashed;
    bool ended;
    struct fault why;
    int err;
};

struct pipeline {
    struct store *store;
    struct pipeline_options options;
    struct crew *crew;
    struct observer *observer;
    struct transport *transport;
    struct step steps[ROUNDS];
    struct job job;
    struct reading reading;
    struct live_input *inputs;
    size_t n_inputs;
    struct observer_counts base, run; /* before this run; since */
    struct pipeline_result *result;
    uint64_t open_tables[OPEN_TABLES_MAX]; /* of unfinished slots: the next commit replaces them */
    size_t n_open;
    struct latch merge_latch;
    struct merge_job merges[MERGES_AT_ONCE];
    size_t n_merges;
    /* sources finished or moved on since the last cut, reader's view */
    struct step *noting;
};

/* --- open state -------------------------------------------------------------------- */

static int check_state(struct cursor *c, struct fault *why)
{
    const uint8_t *magic = cursor_take(c, sizeof state_magic);
    if (magic == NULL || memcmp(magic, state_magic, sizeof state_magic) != 0)
        return fault_set(why, E_CORRUPT, "open state: bad magic");
    uint32_t version = cursor_le32(c);
    if (version > STATE_VERSION)
        return fault_set(why, E_VERSION, "open state: version %" PRIu32 " is unknown; made by a newer dnsmon?", version);
    if (version < STATE_VERSION)
        return fault_set(why, E_VERSION, "open state: version %" PRIu32 " is of an older dnsmon, and cannot be gone on "
                         "from; the database can be read, new data need a new one", version);
    return E_OK;
}

static int load_state(struct pipeline *p, struct fault *why)
{
    struct buffer state;
    buffer_init(&state, STATE_LIMIT);
    int err = store_state(p->store, &state, why);
    if (err == E_OK && state.len > 0) {
        struct cursor c = cursor_over(state.ptr, state.len);
        err = check_state(&c, why);
        if (err == E_OK)
            err = observer_load(p->observer, &c, why);
        if (err == E_OK)
            err = transport_load(p->transport, &c, why);
        if (err == E_OK && (c.failed || cursor_left(&c) > 0))
            err = fault_set(why, E_CORRUPT, "open state: wrong length");
    }
    buffer_release(&state);
    return err;
}

static int restore_entry(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct pipeline *p = ctx;
    int err = observer_restore(p->observer, key, value);
    return err ? fault_set(why, err, "unfinished slot: %s", fault_text(err)) : E_OK;
}

/* Unfinished slots' records go back into memory, so that limits see whole slots. */
static int load_open_slots(struct pipeline *p, struct fault *why)
{
    struct store_range range = { .kind = KIND_RR, .open_only = true };
    return store_scan_each(p->store, &range, restore_entry, p, why);
}

static int add_known(struct reading *r, const struct known *known)
{
    if (r->n_known == r->known_capacity) {
        size_t capacity = 2 * r->known_capacity + 64;
        struct known *all = realloc(r->known, capacity * sizeof *all);
        if (all == NULL)
            return E_NOMEM;
        r->known = all;
        r->known_capacity = capacity;
    }
    r->known[r->n_known++] = *known;
    return E_OK;
}

static int copy_sources(struct pipeline *p)
{
    const struct store_source *sources;
    const struct store_former *formers;
    size_t n = store_sources(p->store, &sources);
    int err = E_OK;
    for (size_t i = 0; i < n && err == E_OK; i++) {
        struct known known = { .head = sources[i].head, .at = sources[i].at, .by_id = sources[i].id[0] != '\0' };
        if (!known.by_id || (p->options.source_id && strcmp(sources[i].id, p->options.source_id) == 0))
            err = add_known(&p->reading, &known);
    }
    n = store_formers(p->store, &formers);
    for (size_t i = 0; i < n && err == E_OK; i++) {
        struct known known = { .head = sources[formers[i].source].head, .at = formers[i].place, .former = true };
        err = add_known(&p->reading, &known);
    }
    return err;
}

/* What the reader and the committer must know of the manifest, copied while nobody commits. */
static int copy_manifest(struct pipeline *p, struct fault *why)
{
    const struct store_table *tables;
    int err = copy_sources(p);
    size_t n = store_tables(p->store, &tables);
    for (size_t i = 0; i < n; i++) {
        if (!tables[i].open)
            continue;
        if (p->n_open == OPEN_TABLES_MAX)
            return fault_set(why, E_CORRUPT, "manifest: too many tables of unfinished slots");
        p->open_tables[p->n_open++] = tables[i].id;
    }
    return err ? fault_set(why, err, "sources: %s", fault_text(err)) : E_OK;
}

static int load_totals(struct pipeline *p, struct fault *why)
{
    const char *totals = store_totals(p->store);
    if (totals[0] != '\0' && counts_from_json(totals, &p->base) != E_OK)
        return fault_set(why, E_CORRUPT, "manifest: totals do not parse");
    return E_OK;
}

static int create_steps(struct pipeline *p)
{
    for (int i = 0; i < ROUNDS; i++) {
        buffer_init(&p->steps[i].transport, STATE_LIMIT);
        if (round_init(&p->steps[i].round) != E_OK)
            return E_NOMEM;
    }
    for (int part = 0; part < PARTS; part++)
        for (int s = 0; s < SHARDS; s++)
            for (int k = 0; k < KINDS; k++)
                buffer_init(&p->job.parts[part].runs[s][k], RUN_LIMIT);
    buffer_init(&p->job.state, STATE_LIMIT);
    p->job.pipeline = p;
    p->job.latch.background = true;
    p->merge_latch.background = true;
    return message_batch_init(&p->reading.stash, ROUND_MESSAGES);
}

int pipeline_create(struct pipeline **ret, struct store *store, const struct pipeline_options *options, struct fault *why)
{
    struct pipeline *p = lines_alloc_zeroed(sizeof *p);
    if (p == NULL)
        return fault_set(why, E_NOMEM, "pipeline: out of memory");
    p->store = store;
    p->options = *options;
    p->crew = crew_create(options->threads);
    p->transport = transport_create(&options->input);
    int err = create_steps(p);
    if (err == E_OK)
        err = observer_create(&p->observer, &options->observer);
    if (err || p->crew == NULL || p->transport == NULL)
        err = fault_set(why, E_NOMEM, "pipeline: out of memory");
    if (err == E_OK)
        err = copy_manifest(p, why);
    if (err == E_OK)
        err = load_totals(p, why);
    if (err == E_OK)
        err = load_state(p, why);
    if (err == E_OK)
        err = load_open_slots(p, why);
    if (err) {
        pipeline_destroy(&p);
        return err;
    }
    *ret = p;
    return E_OK;
}

static void clear_job(struct job *job)
{
    for (int part = 0; part < PARTS; part++)
        for (int s = 0; s < SHARDS; s++)
            for (int k = 0; k < KINDS; k++)
                buffer_clear(&job->parts[part].runs[s][k]);
    buffer_clear(&job->state);
    free(job->totals);
    free(job->moves);
    job->totals = NULL;
    job->moves = NULL;
    job->n_moves = job->n_tables = 0;
    job->why = (struct fault){ 0 };
}

void pipeline_destroy(struct pipeline **pointer)
{
    struct pipeline *p = *pointer;
    if (p == NULL)
        return;
    crew_destroy(&p->crew);
    clear_job(&p->job);
    for (int i = 0; i < ROUNDS; i++) {
        round_release(&p->steps[i].round);
        buffer_release(&p->steps[i].transport);
        free(p->steps[i].moves);
    }
    for (int part = 0; part < PARTS; part++)
        for (int s = 0; s < SHARDS; s++)
            for (int k = 0; k < KINDS; k++)
                buffer_release(&p->job.parts[part].runs[s][k]);
    buffer_release(&p->job.state);
    message_batch_release(&p->reading.stash);
    free(p->reading.known);
    source_close(&p->reading.source);
    observer_destroy(&p->observer);
    transport_destroy(&p->transport);
    free(p);
    *pointer = NULL;
}

/* --- reading ----------------------------------------------------------------------- */

/* By offset; at the same one a source's end comes after former ones, for it wins. */
static int compare_known(const void *a, const void *b)
{
    const struct known *x = *(const struct known *const *)a, *y = *(const struct known *const *)b;
    int c = compare_u64(&x->at.offset, &y->at.offset);
    return c ? c : (x->former < y->former) - (x->former > y->former);
}

static bool may_be_prefix(const struct known *known, const struct source_position *head, const char *id)
{
    enum { HEAD = 4096 };
    if (id != NULL || known->by_id)
        return id != NULL && known->by_id;
    return known->head == head->head || known->at.offset < HEAD; /* a short file may have grown */
}

/* What is known of the open source: the largest committed prefix, by digest; SIZE_MAX when it is new.
 * Leaves the source somewhere behind that. */
static int find_prefix(struct pipeline *p, const char *id, size_t *ret_known, struct fault *why)
{
    struct source *source = p->reading.source;
    struct source_position here;
    const struct reading *r = &p->reading;
    size_t kept = 0;
    const struct known **known = malloc((r->n_known + 1) * sizeof *known);
    if (known == NULL)
        return fault_set(why, E_NOMEM, "sources: out of memory");
    source_position(source, &here);
    for (size_t i = 0; i < r->n_known; i++)
        if (may_be_prefix(&r->known[i], &here, id))
            known[kept++] = &r->known[i];
    qsort(known, kept, sizeof *known, compare_known);
    int err = E_OK;
    for (size_t i = 0; i < kept; i++) {
        const struct store_place *at = &known[i]->at;
        err = source_skip(source, at->offset, NULL);
        if (err)
            break;
        source_position(source, &here);
        if (id != NULL || (here.digest[0] == at->digest[0] && here.digest[1] == at->digest[1]))
            *ret_known = (size_t)(known[i] - r->known);
    }
    free(known);
    return err == E_NOMEM ? err : E_OK;
}

/* From where the open source is read, as what of it is known. A copy of a former state that went on
 * otherwise is a source of its own. */
static uint64_t begin_known(struct reading *r, size_t known)
{
    r->current = r->continues = SIZE_MAX;
    r->from = (struct store_place){ 0 };
    if (known == SIZE_MAX)
        return 0;
    const struct known *k = &r->known[known];
    if (!k->former && k->at.offset > 0) {
        r->continues = known;
        r->from = k->at;
    }
    return k->at.offset;
}

/* Opens a file where the database knows it up to. */
static int open_known(struct pipeline *p, const struct pipeline_file *file, struct fault *why)
{
    struct reading *r = &p->reading;
    const char *path = file->path;
    const char *id = strcmp(path, "-") == 0 ? p->options.source_id : NULL;
    bool seekable = strcmp(path, "-") != 0;
    size_t known = SIZE_MAX;
    transport_use(p->transport, &file->input);
    int err = source_open(&r->source, path, &file->input, p->transport, why);
    if (err)
        return err;
    if (seekable || id != NULL)
        err = find_prefix(p, id, &known, why);
    uint64_t offset = begin_known(r, known);
    struct source_position here;
    source_position(r->source, &here);
    if (err == E_OK && here.offset != offset && seekable) {
        source_close(&r->source);
        err = source_open(&r->source, path, &file->input, p->transport, why);
        if (err == E_OK && offset > 0)
            err = source_skip(r->source, offset, why);
    }
    r->opened_at = r->noted_at = offset;
    r->fresh = offset == 0;
    return err;
}

static void copy_name(char *to, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strnlen(name, size - 1);
    memcpy(to, name, n);
    to[n] = '\0';
}

/* The open source was read up to *source: the same file further on knows it from there. */
static int know_source(struct reading *r, const struct store_source *source)
{
    struct known known = { .head = source->head, .at = source->at, .by_id = source->id[0] != '\0' };
    if (r->current != SIZE_MAX) {
        r->known[r->current] = known;
        return E_OK;
    }
    if (r->continues != SIZE_MAX)
        r->known[r->continues].former = true;
    r->current = r->n_known;
    return add_known(r, &known);
}

static struct store_move *add_move(struct step *step)
{
    if (step->n_moves == step->move_capacity) {
        size_t capacity = 2 * step->move_capacity + 8;
        struct store_move *moves = realloc(step->moves, capacity * sizeof *moves);
        if (moves == NULL)
            return NULL;
        step->moves = moves;
        step->move_capacity = capacity;
    }
    return &step->moves[step->n_moves++];
}

/* Writes down where the open source stands, for the cut that comes next. What this run noted before
 * is replaced; what it grew from stays known, for a copy made then may be read some day. */
static int note_source(struct pipeline *p, struct step *step)
{
    struct reading *r = &p->reading;
    struct source_position here;
    source_position(r->source, &here);
    if (here.offset == r->noted_at)
        return E_OK;
    struct store_move *m = add_move(step);
    if (m == NULL)
        return E_NOMEM;
    const char *path = r->files[r->at].path;
    *m = (struct store_move){ .from = r->from, .keep = r->from.offset && r->current == SIZE_MAX };
    m->source.head = here.head;
    m->source.at = (struct store_place){ here.offset, { here.digest[0], here.digest[1] } };
    copy_name(m->source.name, sizeof m->source.name, path);
    if (strcmp(path, "-") == 0 && p->options.source_id != NULL) {
        snprintf(m->source.id, sizeof m->source.id, "%s", p->options.source_id);
        m->keep = false; /* the id finds it */
    }
    r->noted_at = here.offset;
    r->from = m->source.at;
    return know_source(r, &m->source);
}

/* By what it turned out to be. An empty one is not remembered: it may be written yet. */
static void count_source(struct pipeline_result *result, const struct reading *r)
{
    struct source_position here;
    source_position(r->source, &here);
    if (source_is_empty(r->source)) {
        fprintf(stderr, "dnsmon: %s: empty\n", r->files[r->at].path);
        result->sources_empty++;
    } else if (here.offset == r->opened_at && r->opened_at > 0) {
        result->sources_known++;
    } else if (r->opened_at > 0) {
        result->sources_grown++;
    } else {
        result->sources_new++;
    }
}

static int finish_source(struct pipeline *p, struct step *step)
{
    struct reading *r = &p->reading;
    int err = note_source(p, step);
    struct pipeline_result *result = p->result;
    count_source(result, r);
    const char *damage = source_damage(r->source);
    if (damage != NULL) {
        fprintf(stderr, "dnsmon: %s\n", damage);
        result->sources_damaged++;
    }
    result->packets += source_packets(r->source);
    source_close(&r->source);
    r->at++;
    return err;
}

/* A file that cannot be opened: said, counted, and the others go on. */
static int pass_over(struct pipeline *p, struct fault *why)
{
    fprintf(stderr, "dnsmon: %s\n", why->text);
    why->code = E_OK;
    p->result->sources_failed++;
    source_close(&p->reading.source);
    p->reading.at++;
    return E_OK;
}

static bool is_stopped(const struct pipeline *p)
{
    return p->options.stop != NULL && atomic_load_explicit(p->options.stop, memory_order_relaxed);
}

/* The read stage for files: one batch of one source. */
static int read_files(struct pipeline *p, struct step *step, struct fault *why)
{
    struct reading *r = &p->reading;
    struct round *round = &step->round;
    if (r->stashed) {
        struct message_batch swap = round->batch;
        round->batch = r->stash;
        r->stash = swap;
        tally_add(&round->tally, &r->stash_tally);
        memset(&r->stash_tally, 0, sizeof r->stash_tally);
        r->stashed = false;
        return E_OK;
    }
    bool stop = is_stopped(p);
    if (r->source == NULL && (r->at == r->n_files || stop)) {
        r->ended = true;
        return E_OK;
    }
    if (r->source == NULL) {
        int err = open_known(p, &r->files[r->at], why);
        if (err == E_NOMEM)
            return err;
        if (err)
            return pass_over(p, why);
    }
    if (stop) {
        r->ended = true;
        return E_OK;
    }
    bool more = true;
    int err = source_read(r->source, &round->batch, &round->tally, &more, why);
    if (err)
        return err;
    if (r->fresh && round->batch.count > 0 && observer_is_behind(p->observer, round->batch.newest_ns)) {
        /* Another time: what is open ends first, in an empty round of its own. */
        struct message_batch swap = r->stash;
        r->stash = round->batch;
        round->batch = swap;
        r->stash_tally = round->tally;
        memset(&round->tally, 0, sizeof round->tally);
        r->stashed = true;
        observer_end_slots(p->observer, round);
    }
    r->fresh = r->fresh && round->batch.count == 0 && !r->stashed;
    if (!more && !r->stashed)
        return finish_source(p, step);
    return E_OK;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Inputs wait one after another, a quarter of a round all together; but never not at all, which
 * with many of them would be a busy loop. */
static int live_wait_ms(const struct pipeline *p)
{
    int each = (int)(LIVE_ROUND_MS / 4 / p->n_inputs);
    return each > 0 ? each : 1;
}

static int read_live(struct pipeline *p, struct step *step, struct fault *why)
{
    int64_t until = now_ns() + LIVE_ROUND_MS * INT64_C(1000000);
    while (!message_batch_is_full(&step->round.batch) && now_ns() < until) {
        if (is_stopped(p)) {
            p->reading.ended = true;
            break;
        }
        for (size_t i = 0; i < p->n_inputs; i++) {
            int err = p->inputs[i].read(p->inputs[i].ctx, &step->round.batch, &step->round.tally, live_wait_ms(p), why);
            if (err)
                return err;
        }
    }
    observer_advance(p->observer, now_ns());
    return E_OK;
}

struct read_task {
    struct pipeline *pipeline;
    struct step *step;
};

/* What sources are noted but not yet cut moves along from round to round. */
static void carry_sources(struct pipeline *p, struct step *step)
{
    if (p->noting != NULL && p->noting != step && !p->noting->round.cut) {
        struct step *from = p->noting;
        struct step swap = *step;
        step->moves = from->moves;
        step->n_moves = from->n_moves;
        step->move_capacity = from->move_capacity;
        from->moves = swap.moves;
        from->move_capacity = swap.move_capacity;
        from->n_moves = 0;
    }
    p->noting = step;
}

static int save_open_state(struct pipeline *p, struct step *step)
{
    struct reading *r = &p->reading;
    transport_save(p->transport, &step->transport);
    if (step->transport.failed)
        return E_NOMEM;
    if (r->source == NULL || r->stashed)
        return E_OK;
    return note_source(p, step);
}

static void run_read(void *arg)
{
    struct read_task *task = arg;
    struct pipeline *p = task->pipeline;
    struct step *step = task->step;
    struct reading *r = &p->reading;
    carry_sources(p, step);
    r->err = p->n_inputs ? read_live(p, step, &r->why) : read_files(p, step, &r->why);
    if (r->ended)
        step->round.cut = true; /* the last round seals what is open */
    if (r->err == E_OK)
        r->err = observer_admit(p->observer, &step->round);
    if (r->err == E_OK && step->round.cut)
        r->err = save_open_state(p, step);
}

/* --- writing and committing -------------------------------------------------------- */

static void commit_job(struct job *job)
{
    struct pipeline *p = job->pipeline;
    for (size_t i = 0; i < job->n_tables; i++) {
        if (job->faults[i].code) {
            job->why = job->faults[i];
            return;
        }
    }
    struct store_change change = {
        .add = job->tables, .n_add = job->n_tables, .remove = p->open_tables, .n_remove = p->n_open,
        .moves = job->moves, .n_moves = job->n_moves, .state = job->state.ptr, .state_len = job->state.len,
        .totals = job->totals, .watermark = job->watermark,
    };
    if (store_commit(p->store, &change, &job->why) != E_OK)
        return;
    job->why.code = E_OK;
    p->n_open = 0;
    for (size_t i = 0; i < job->n_tables; i++)
        if (job->tables[i].open)
            p->open_tables[p->n_open++] = job->tables[i].id;
}

static void run_commit(void *arg)
{
    commit_job(arg);
}

static void run_table(void *arg)
{
    struct table_job *t = arg;
    struct job *job = t->job;
    size_t index = (size_t)(t - job->table_jobs);
    struct observer_part *part = &job->parts[t->part];
    struct store_table *table = &job->tables[index];
    struct store_run runs[SHARDS];
    size_t n = 0;
    for (int s = 0; s < SHARDS; s++)
        if (part->runs[s][t->kind].len > 0)
            runs[n++] = (struct store_run){ part->runs[s][t->kind].ptr, part->runs[s][t->kind].len };
    *table = (struct store_table){ .kind = (uint8_t)t->kind, .tier = TIER_SLOT, .open = part->open,
                                   .slot = part->slot_start, .from = part->from, .to = part->to };
    job->faults[index].code = E_OK;
    if (store_write_table(job->pipeline->store, table, runs, n, &job->faults[index]) == E_OK)
        job->faults[index].code = E_OK;
    if (__atomic_sub_fetch(&job->tables_left, 1, __ATOMIC_ACQ_REL) == 0)
        crew_submit(job->pipeline->crew, &job->commit);
}

static bool has_runs(const struct observer_part *part, int kind)
{
    for (int s = 0; s < SHARDS; s++)
        if (part->runs[s][kind].len > 0)
            return true;
    return false;
}

static void start_job(struct pipeline *p)
{
    struct job *job = &p->job;
    for (int part = 0; part < PARTS; part++)
        for (int kind = 0; kind < KINDS; kind++)
            if (job->parts[part].used && has_runs(&job->parts[part], kind))
                job->table_jobs[job->n_tables++] = (struct table_job){ job, part, kind };
    job->commit = (struct task){ run_commit, job, &job->latch, NULL };
    job->tables_left = (unsigned)job->n_tables;
    if (job->n_tables == 0)
        crew_submit(p->crew, &job->commit);
    for (size_t i = 0; i < job->n_tables; i++) {
        job->tasks[i] = (struct task){ run_table, &job->table_jobs[i], &job->latch, NULL };
        crew_submit(p->crew, &job->tasks[i]);
    }
}

static int finish_job(struct pipeline *p, struct fault *why)
{
    struct job *job = &p->job;
    crew_wait(p->crew, &job->latch);
    if (job->why.code) {
        *why = job->why;
        return why->code;
    }
    clear_job(job);
    return E_OK;
}

struct encode_task {
    struct pipeline *pipeline;
    struct round *round;
    unsigned shard;
    struct task task;
    int err;
};

static void run_encode(void *arg)
{
    struct encode_task *t = arg;
    t->err = observer_encode(t->pipeline->observer, t->round, t->shard, t->pipeline->job.parts);
}

static int encode_shards(struct pipeline *p, struct round *round)
{
    struct encode_task tasks[SHARDS];
    struct latch latch = { 0 };
    for (unsigned i = 0; i < SHARDS; i++) {
        tasks[i] = (struct encode_task){ .pipeline = p, .round = round, .shard = i };
        tasks[i].task = (struct task){ run_encode, &tasks[i], &latch, NULL };
        crew_submit(p->crew, &tasks[i].task);
    }
    crew_wait(p->crew, &latch);
    for (unsigned i = 0; i < SHARDS; i++)
        if (tasks[i].err)
            return tasks[i].err;
    return E_OK;
}

static void run_merge(void *arg)
{
    struct merge_job *m = arg;
    m->why.code = E_OK;
    if (store_run_merge(m->pipeline->store, &m->merge, &m->why) == E_OK)
        m->why.code = E_OK;
}

/* Collects finished merges, starts those that are due. */
static int merge_due(struct pipeline *p, bool wait, struct fault *why)
{
    if (wait)
        crew_wait(p->crew, &p->merge_latch);
    if (!crew_is_done(p->crew, &p->merge_latch))
        return E_OK;
    for (size_t i = 0; i < p->n_merges; i++) {
        if (p->merges[i].why.code) {
            *why = p->merges[i].why;
            return why->code;
        }
    }
    struct store_merge due[MERGES_AT_ONCE];
    p->n_merges = store_due_merges(p->store, due, MERGES_AT_ONCE);
    for (size_t i = 0; i < p->n_merges; i++) {
        struct merge_job *m = &p->merges[i];
        *m = (struct merge_job){ .pipeline = p, .merge = due[i] };
        m->task = (struct task){ run_merge, m, &p->merge_latch, NULL };
        crew_submit(p->crew, &m->task);
    }
    return E_OK;
}

static int cut(struct pipeline *p, struct step *step, struct fault *why)
{
    struct job *job = &p->job;
    int err = finish_job(p, why);
    if (err == E_OK)
        err = merge_due(p, false, why);
    if (err)
        return err;
    err = encode_shards(p, &step->round);
    if (err)
        return fault_set(why, err, "sealing: %s", fault_text(err));
    observer_cut(p->observer, &step->round, job->parts);
    struct observer_counts totals = p->base;
    observer_counts_add(&totals, &p->run);
    job->totals = counts_to_json(&totals, NULL, 0, 0);
    buffer_append(&job->state, state_magic, sizeof state_magic);
    buffer_le32(&job->state, STATE_VERSION);
    observer_save(p->observer, &step->round, &job->state);
    buffer_append(&job->state, step->transport.ptr, step->transport.len);
    if (job->state.failed || job->totals == NULL)
        return fault_set(why, E_NOMEM, "sealing: out of memory for the open state");
    job->moves = step->moves;
    job->n_moves = step->n_moves;
    step->moves = NULL;
    step->n_moves = step->move_capacity = 0;
    int64_t newest_s = step->round.newest_ns == INT64_MIN ? 0 : step->round.newest_ns / 1000000000;
    job->watermark = newest_s ? newest_s - p->options.observer.lateness_ns / 1000000000 : 0;
    start_job(p);
    return E_OK;
}

/* --- the three stages -------------------------------------------------------------- */

struct stage_task {
    struct pipeline *pipeline;
    struct step *step;
    unsigned index;
    struct task task;
};

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
    for (unsigned i = 0; i < n && step->filled; i++) {
        tasks[i] = (struct stage_task){ p, step, i, { run, &tasks[i], latch, NULL } };
        crew_submit(p->crew, &tasks[i].task);
    }
}

static void tell_progress(struct pipeline *p)
{
    if (p->options.progress == NULL)
        return;
    uint64_t done = 0, size = 0;
    struct reading *r = &p->reading;
    if (r->source != NULL)
        source_progress(r->source, &done, &size);
    const char *name = r->at < r->n_files ? r->files[r->at].path : "";
    p->options.progress(p->options.progress_ctx, &p->run, done, size, name);
}

static void clear_step(struct step *step)
{
    round_clear(&step->round);
    buffer_clear(&step->transport);
    step->filled = false;
}

static int run_rounds(struct pipeline *p, struct fault *why)
{
    struct reading *r = &p->reading;
    int err = E_OK;
    for (unsigned n = 0; err == E_OK; n++) {
        struct step *read = &p->steps[n % ROUNDS], *decode = &p->steps[(n + 2) % ROUNDS], *fold = &p->steps[(n + 1) % ROUNDS];
        struct latch latch = { 0 };
        struct stage_task decodes[PARTITIONS], folds[SHARDS];
        struct read_task reading = { p, read };
        struct task read_task = { run_read, &reading, &latch, NULL };
        clear_step(read);
        bool reads = !r->ended && r->err == E_OK;
        if (!reads && !decode->filled && !fold->filled)
            break;
        if (reads)
            crew_submit(p->crew, &read_task);
        submit_stage(p, fold, folds, SHARDS, run_fold, &latch);
        submit_stage(p, decode, decodes, PARTITIONS, run_decode, &latch);
        crew_wait(p->crew, &latch);
        read->filled = reads && r->err == E_OK;
        if (fold->filled) {
            err = observer_finish(&fold->round, &p->run);
            if (err)
                fault_set(why, err, "observing: %s", fault_text(err));
            observer_check_memory(p->observer);
            if (err == E_OK && fold->round.cut)
                err = cut(p, fold, why);
            tell_progress(p);
        }
    }
    if (err == E_OK && r->err) {
        *why = r->why;
        if (why->code == E_OK)
            fault_set(why, r->err, "reading: %s", fault_text(r->err));
        err = r->err;
    }
    return err;
}

static int run_to_end(struct pipeline *p, struct pipeline_result *result, struct fault *why)
{
    memset(result, 0, sizeof *result);
    p->result = result;
    p->run = (struct observer_counts){ 0 };
    struct fault late;
    int err = run_rounds(p, why);
    int sealed = finish_job(p, err ? &late : why);
    while (err == E_OK && sealed == E_OK) {
        err = merge_due(p, true, why);
        if (p->n_merges == 0)
            break;
    }
    crew_wait(p->crew, &p->merge_latch);
    result->counts = p->run;
    result->rr_distinct = observer_distinct(p->observer);
    return err ? err : sealed;
}

int pipeline_files(struct pipeline *p, const struct pipeline_file *files, size_t n, struct pipeline_result *ret, struct fault *why)
{
    struct reading *r = &p->reading;
    r->files = files;
    r->n_files = n;
    r->at = 0;
    r->ended = false;
    r->err = E_OK;
    return run_to_end(p, ret, why);
}

int pipeline_live(struct pipeline *p, struct live_input *inputs, size_t n, struct pipeline_result *ret, struct fault *why)
{
    p->inputs = inputs;
    p->n_inputs = n;
    return run_to_end(p, ret, why);
}
