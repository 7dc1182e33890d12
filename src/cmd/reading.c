#include "cmd/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/ledger.h"
#include "cmd/step.h"

enum { LIVE_ROUND_MS = 200 };

struct reading {
    struct reading_options options;
    struct ledger *ledger;
    int (*fill)(struct reading *r, struct round *round); /* read_files or read_live */
    const struct file_input *files;
    size_t n_files, at;
    struct live_input *inputs;
    size_t n_inputs;
    struct source *source; /* of files[at]; NULL = not open */
    uint64_t opened_at;    /* up to where it was known */
    bool fresh;            /* nothing of it read yet */
    bool stashed;          /* a batch that waits for the next round */
    struct message_batch stash;
    struct tally stash_tally;
    struct reading_counts counts;
    bool ended;
    int err;
    struct fault why;
};

int reading_create(struct reading **ret, const struct store *store, const struct reading_options *options,
                   struct fault *why)
{
    struct reading *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault_set(why, E_NOMEM, "reading: out of memory");
    r->options = *options;
    int err = message_batch_init(&r->stash, ROUND_MESSAGES);
    if (err)
        fault_set(why, err, "reading: %s", fault_text(err));
    if (err == E_OK)
        err = ledger_create(&r->ledger, store, options->source_id, why);
    if (err) {
        reading_destroy(&r);
        return err;
    }
    *ret = r;
    return E_OK;
}

void reading_destroy(struct reading **reading)
{
    struct reading *r = *reading;
    if (r == NULL)
        return;
    source_close(&r->source);
    message_batch_release(&r->stash);
    ledger_destroy(&r->ledger);
    free(r);
    *reading = NULL;
}

static bool is_stopped(const struct reading *r)
{
    return r->options.stop != NULL && atomic_load_explicit(r->options.stop, memory_order_relaxed);
}

/* --- a file ------------------------------------------------------------------------ */

static bool is_standard_input(const struct file_input *file)
{
    return strcmp(file->path, "-") == 0;
}

static enum ledger_identity identity_of(const struct reading *r, const struct file_input *file)
{
    if (!is_standard_input(file))
        return LEDGER_BY_CONTENT;
    return r->options.source_id ? LEDGER_BY_ID : LEDGER_NEVER;
}

static int open_source(struct reading *r, const struct file_input *file)
{
    return source_open(&r->source, file->path, &file->input, r->options.transport, &r->why);
}

/* Comparing may have gone beyond, or past what the reader must see: then the file is opened once more. */
static int go_to(struct reading *r, const struct file_input *file, uint64_t offset)
{
    struct source_position here;
    source_position(r->source, &here);
    if ((here.offset == offset && !source_is_lost(r->source)) || is_standard_input(file))
        return E_OK;
    source_close(&r->source);
    int err = open_source(r, file);
    if (err == E_OK && offset > 0)
        err = source_skip(r->source, offset, &r->why);
    return err;
}

/* Opens a file where the ledger knows it up to. */
static int open_known(struct reading *r, const struct file_input *file)
{
    transport_use(r->options.transport, &file->input);
    int err = open_source(r, file);
    if (err == E_OK)
        err = ledger_begin(r->ledger, r->source, identity_of(r, file), &r->opened_at, &r->why);
    if (err == E_OK)
        err = go_to(r, file, r->opened_at);
    r->fresh = r->opened_at == 0;
    return err;
}

static void close_file(struct reading *r)
{
    source_close(&r->source);
    r->at++;
}

/* A file that cannot be opened: said, counted, and the others go on. */
static void pass_over(struct reading *r)
{
    fprintf(stderr, "dnsmon: %s\n", r->why.text);
    r->why.code = E_OK;
    r->counts.sources_failed++;
    close_file(r);
}

static int note_file(struct reading *r)
{
    return ledger_note(r->ledger, r->source, r->files[r->at].path);
}

/* By what it turned out to be. An empty one is not remembered: it may be written yet. */
static void count_file(struct reading *r)
{
    struct reading_counts *counts = &r->counts;
    struct source_position here;
    source_position(r->source, &here);
    if (source_is_empty(r->source)) {
        fprintf(stderr, "dnsmon: %s: empty\n", r->files[r->at].path);
        counts->sources_empty++;
    } else if (here.offset == r->opened_at && r->opened_at > 0) {
        counts->sources_known++;
    } else if (r->opened_at > 0) {
        counts->sources_grown++;
    } else {
        counts->sources_new++;
    }
    counts->packets += source_packets(r->source);
}

static void tell_damage(struct reading *r)
{
    const char *damage = source_damage(r->source);
    if (damage == NULL)
        return;
    fprintf(stderr, "dnsmon: %s\n", damage);
    r->counts.sources_damaged++;
}

static int finish_file(struct reading *r)
{
    int err = note_file(r);
    count_file(r);
    tell_damage(r);
    close_file(r);
    return err;
}

/* --- files ------------------------------------------------------------------------- */

static void swap_batches(struct message_batch *a, struct message_batch *b)
{
    struct message_batch swap = *a;
    *a = *b;
    *b = swap;
}

static void put_aside(struct reading *r, struct round *round)
{
    swap_batches(&round->batch, &r->stash);
    r->stash_tally = round->tally;
    memset(&round->tally, 0, sizeof round->tally);
    r->stashed = true;
}

static void take_back(struct reading *r, struct round *round)
{
    swap_batches(&round->batch, &r->stash);
    tally_add(&round->tally, &r->stash_tally);
    memset(&r->stash_tally, 0, sizeof r->stash_tally);
    r->stashed = false;
}

/* The first messages of a file are of another time: what is open ends before them. */
static bool begins_behind(const struct reading *r, const struct round *round)
{
    return r->fresh && round->batch.count > 0 && observer_is_behind(r->options.observer, round->batch.newest_ns);
}

static int read_source(struct reading *r, struct round *round)
{
    bool more = true;
    int err = source_read(r->source, &round->batch, &round->tally, &more, &r->why);
    if (err)
        return err;
    if (begins_behind(r, round)) {
        put_aside(r, round);
        observer_end_slots(r->options.observer, round);
    }
    r->fresh = r->fresh && round->batch.count == 0 && !r->stashed;
    return more || r->stashed ? E_OK : finish_file(r);
}

/* One batch of one file. */
static int read_files(struct reading *r, struct round *round)
{
    if (r->stashed) {
        take_back(r, round);
        return E_OK;
    }
    if (is_stopped(r) || (r->source == NULL && r->at == r->n_files)) {
        r->ended = true;
        return E_OK;
    }
    int err = r->source ? E_OK : open_known(r, &r->files[r->at]);
    if (err == E_NOMEM)
        return err;
    if (err) {
        pass_over(r);
        return E_OK;
    }
    return read_source(r, round);
}

/* --- live inputs ------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Inputs wait one after another, a quarter of a round all together; but never not at all, which
 * with many of them would be a busy loop. */
static int live_wait_ms(const struct reading *r)
{
    int each = (int)(LIVE_ROUND_MS / 4 / r->n_inputs);
    return each > 0 ? each : 1;
}

static int ask_each(struct reading *r, struct round *round)
{
    for (size_t i = 0; i < r->n_inputs; i++) {
        struct live_input *input = &r->inputs[i];
        int err = input->read(input->ctx, &round->batch, &round->tally, live_wait_ms(r), &r->why);
        if (err)
            return err;
    }
    return E_OK;
}

static int read_live(struct reading *r, struct round *round)
{
    int64_t until = now_ns() + LIVE_ROUND_MS * INT64_C(1000000);
    while (!message_batch_is_full(&round->batch) && now_ns() < until) {
        if (is_stopped(r)) {
            r->ended = true;
            break;
        }
        int err = ask_each(r, round);
        if (err)
            return err;
    }
    observer_advance(r->options.observer, now_ns());
    return E_OK;
}

/* --- rounds ------------------------------------------------------------------------ */

static void begin(struct reading *r, int (*fill)(struct reading *r, struct round *round))
{
    r->fill = fill;
    r->counts = (struct reading_counts){ 0 };
    r->ended = false;
    r->err = E_OK;
}

void reading_use_files(struct reading *r, const struct file_input *files, size_t n)
{
    begin(r, read_files);
    r->files = files;
    r->n_files = n;
    r->at = 0;
}

void reading_use_live(struct reading *r, struct live_input *inputs, size_t n)
{
    begin(r, read_live);
    r->inputs = inputs;
    r->n_inputs = n;
}

/* Messages put aside are not in this cut, so their file is not noted with it. */
static int save_for_cut(struct reading *r, struct step *step)
{
    transport_save(r->options.transport, &step->packets);
    if (step->packets.failed)
        return E_NOMEM;
    int err = r->source == NULL || r->stashed ? E_OK : note_file(r);
    if (err == E_OK)
        ledger_take(r->ledger, &step->moves, &step->n_moves);
    return err;
}

void reading_round(struct reading *r, struct step *step)
{
    r->err = r->fill(r, &step->round);
    if (r->ended)
        step->round.cut = true; /* seals what is open */
    if (r->err == E_OK)
        r->err = observer_admit(r->options.observer, &step->round);
    if (r->err == E_OK && step->round.cut)
        r->err = save_for_cut(r, step);
    step->filled = r->err == E_OK;
}

bool reading_is_over(const struct reading *r)
{
    return r->ended || r->err;
}

int reading_error(const struct reading *r, struct fault *why)
{
    if (r->err == E_OK)
        return E_OK;
    if (r->why.code == E_OK)
        return fault_set(why, r->err, "reading: %s", fault_text(r->err));
    *why = r->why;
    return r->err;
}

const char *reading_progress(const struct reading *r, uint64_t *ret_done, uint64_t *ret_size)
{
    *ret_done = *ret_size = 0;
    if (r->source != NULL)
        source_progress(r->source, ret_done, ret_size);
    return r->at < r->n_files ? r->files[r->at].path : "";
}

const struct reading_counts *reading_counts(const struct reading *r)
{
    return &r->counts;
}
