#include "cmd/keeper.h"

#include "cmd/commands.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 100,
    DUE_S = 10,    /* what is due is looked for so often */
    AGAIN_MS = 1000,
    SEARCH_S = 3600, /* infrastructure is looked for so often */
    SEARCH_AGAIN_S = 600, /* and no more often than that: it reads much of the database */
    TEXT_MAX = NAME_TEXT_MAX,
};

/* A receipt with its texts. */
struct kept {
    struct receipt receipt;
    char secondary[64], zone[TEXT_MAX], outcome[64];
};

struct keeper {
    struct protecting *protecting;
    struct protecting searching; /* the same, with a handle of its own */
    pthread_t thread, searcher;
    pthread_mutex_t lock; /* of the queue */
    atomic_bool stop;
    atomic_ullong lost;
    unsigned first, n;
    struct kept queue[KEEPER_QUEUE];
    int64_t seen; /* the file's change counter */
    time_t ran;   /* monotonic seconds */
    char jump[LIFECYCLE_JUMP_TEXT]; /* that was said */
    struct fault said;
    /* of the searcher, who is told by the other thread */
    time_t searched;     /* monotonic seconds; 0 = not yet */
    atomic_bool changed; /* since then something was published or withdrawn */
    atomic_bool doubted; /* what is published as infrastructure may hold no more */
    struct fault search_said;
};

/* ---- receipts ---- */

void keeper_receive(struct keeper *k, const struct receipt *r)
{
    pthread_mutex_lock(&k->lock);
    if (k->n == KEEPER_QUEUE) {
        atomic_fetch_add(&k->lost, 1);
    } else {
        struct kept *to = &k->queue[(k->first + k->n++) % KEEPER_QUEUE];
        to->receipt = *r;
        snprintf(to->secondary, sizeof to->secondary, "%s", r->secondary);
        snprintf(to->zone, sizeof to->zone, "%s", r->zone);
        snprintf(to->outcome, sizeof to->outcome, "%s", r->outcome);
    }
    pthread_mutex_unlock(&k->lock);
}

uint64_t keeper_lost(const struct keeper *k)
{
    return atomic_load(&k->lost);
}

static bool next_receipt(struct keeper *k, struct kept *ret)
{
    pthread_mutex_lock(&k->lock);
    bool any = k->n > 0;
    if (any) {
        *ret = k->queue[k->first];
        k->first = (k->first + 1) % KEEPER_QUEUE;
        k->n--;
    }
    pthread_mutex_unlock(&k->lock);
    return any;
}

static int write_receipts(struct keeper *k, struct fault *why)
{
    struct kept kept;
    struct knowledge *file = k->protecting->k;
    if (!next_receipt(k, &kept))
        return E_OK;
    int rc = knowledge_begin(file, why);
    do {
        kept.receipt.secondary = kept.secondary;
        kept.receipt.zone = kept.zone;
        kept.receipt.outcome = kept.outcome;
        rc = rc ? rc : receipt_add(file, &kept.receipt, why);
        if (rc != 0)
            atomic_fetch_add(&k->lost, 1);
    } while (next_receipt(k, &kept));
    rc = rc ? rc : knowledge_commit(file, why);
    if (rc != 0)
        knowledge_rollback(file);
    return rc;
}

/* ---- the life cycle ---- */

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void note_version(struct keeper *k, const struct lifecycle_result *r)
{
    if (r->version != 0)
        atomic_store(&k->changed, true);
    if (r->out + r->reviewed > 0 || r->heard)
        atomic_store(&k->doubted, true);
}

static int live_on(struct keeper *k, struct fault *why)
{
    struct lifecycle_result result;
    int64_t changed;
    int rc = knowledge_stamp(k->protecting->k, &changed, why);
    if (rc != 0 || (changed == k->seen && now_s() - k->ran < DUE_S))
        return rc;
    k->protecting->life.now = time(NULL);
    rc = lifecycle_run(k->protecting->k, &k->protecting->life, &result, why);
    if (rc == 0) {
        k->seen = changed;
        k->ran = now_s();
        if (strcmp(result.jump, k->jump) != 0)
            protecting_say_jump(&result);
        memcpy(k->jump, result.jump, sizeof k->jump);
        note_version(k, &result);
    }
    return rc;
}

static void tell(const struct fault *why, struct fault *said)
{
    if (strcmp(why->text, said->text) != 0)
        command_say("%s; tried again", why->text);
    *said = *why;
}

static void rest(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void *keep(void *ctx)
{
    struct keeper *k = ctx;
    bool last;
    do {
        struct fault why = { 0 };
        last = atomic_load(&k->stop);
        int rc = write_receipts(k, &why);
        if (rc == 0 && !last)
            rc = live_on(k, &why);
        if (rc != 0)
            tell(&why, &k->said);
        if (!last)
            rest(rc ? AGAIN_MS : LOOK_MS);
    } while (!last);
    return NULL;
}

/* ---- infrastructure ---- */

static bool is_search_due(const struct keeper *k)
{
    time_t past = now_s() - k->searched;
    return k->searched == 0 || past >= SEARCH_S || (atomic_load(&k->changed) && past >= SEARCH_AGAIN_S);
}

/* What is told meanwhile is for the next time. */
static int look_at_targets(struct keeper *k, struct fault *why)
{
    struct targets_result result;
    bool search = is_search_due(k), doubted = atomic_exchange(&k->doubted, false);
    if (!search && !doubted)
        return E_OK;
    if (search) {
        k->searched = now_s();
        atomic_store(&k->changed, false);
    }
    k->searching.life.now = time(NULL);
    int rc = protecting_targets(&k->searching, search ? TARGETS_ALL : TARGETS_KNOWN, &result, why);
    if (rc != 0 || result.stale) {
        atomic_store(&k->doubted, true);
        if (search)
            atomic_store(&k->changed, true);
    }
    return rc;
}

static void *look(void *ctx)
{
    struct keeper *k = ctx;
    while (!atomic_load(&k->stop)) {
        struct fault why = { 0 };
        int rc = look_at_targets(k, &why);
        if (rc != 0)
            tell(&why, &k->search_said);
        rest(rc ? AGAIN_MS : LOOK_MS);
    }
    return NULL;
}

/* ---- both threads ---- */

static int start(struct keeper *k, struct fault *why)
{
    k->searching = *k->protecting;
    k->searching.k = NULL;
    k->searching.stop = &k->stop;
    int rc = options_open_knowledge(k->protecting->options, KNOWLEDGE_WRITE, &k->searching.k, why);
    if (rc != 0)
        return rc;
    int error = pthread_create(&k->thread, NULL, keep, k);
    if (error != 0)
        return fault_errno(why, error, "no thread for the life cycle");
    error = pthread_create(&k->searcher, NULL, look, k);
    if (error == 0)
        return E_OK;
    atomic_store(&k->stop, true);
    pthread_join(k->thread, NULL);
    return fault_errno(why, error, "no thread for infrastructure");
}

static void release(struct keeper *k)
{
    knowledge_close(&k->searching.k);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

int keeper_start(struct keeper **ret, struct protecting *protecting, struct fault *why)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fault_set(why, E_NOMEM, "no memory for the keeper of receipts");
    k->protecting = protecting;
    pthread_mutex_init(&k->lock, NULL);
    int rc = start(k, why);
    if (rc != 0)
        release(k);
    else
        *ret = k;
    return rc;
}

void keeper_stop(struct keeper **k)
{
    if (*k == NULL)
        return;
    atomic_store(&(*k)->stop, true);
    pthread_join((*k)->thread, NULL);
    pthread_join((*k)->searcher, NULL);
    release(*k);
    *k = NULL;
}
