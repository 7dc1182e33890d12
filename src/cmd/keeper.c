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
    pthread_t thread;
    pthread_mutex_t lock; /* of the queue */
    atomic_bool stop;
    atomic_ullong lost;
    unsigned first, n;
    struct kept queue[KEEPER_QUEUE];
    int64_t seen; /* the file's change counter */
    time_t ran;   /* monotonic seconds */
    char jump[LIFECYCLE_JUMP_TEXT]; /* that was said */
    time_t searched; /* monotonic seconds; 0 = not yet */
    bool changed;    /* since then something was published or withdrawn */
    bool doubted;    /* what is published as infrastructure may hold no more */
    struct fault said;
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
    k->changed = k->changed || r->version != 0;
    k->doubted = k->doubted || r->out + r->reviewed > 0 || r->heard;
}

static bool is_search_due(const struct keeper *k)
{
    time_t past = now_s() - k->searched;
    return k->searched == 0 || past >= SEARCH_S || (k->changed && past >= SEARCH_AGAIN_S);
}

static int look_at_targets(struct keeper *k, struct fault *why)
{
    struct targets_result result;
    bool search = is_search_due(k);
    if (!search && !k->doubted)
        return E_OK;
    int rc = protecting_targets(k->protecting, search ? TARGETS_ALL : TARGETS_KNOWN, &result, why);
    if (rc != 0)
        return rc;
    k->doubted = result.stale;
    if (search) {
        k->searched = now_s();
        k->changed = result.stale;
    }
    return E_OK;
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
        rc = look_at_targets(k, why);
    }
    return rc;
}

static void tell(struct keeper *k, const struct fault *why)
{
    if (strcmp(why->text, k->said.text) != 0)
        command_say("%s; tried again", why->text);
    k->said = *why;
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
            tell(k, &why);
        if (!last)
            nanosleep(&(struct timespec){ .tv_sec = rc ? AGAIN_MS / 1000 : 0, .tv_nsec = rc ? 0 : LOOK_MS * 1000000L }, NULL);
    } while (!last);
    return NULL;
}

int keeper_start(struct keeper **ret, struct protecting *protecting, struct fault *why)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fault_set(why, E_NOMEM, "no memory for the keeper of receipts");
    k->protecting = protecting;
    pthread_mutex_init(&k->lock, NULL);
    int error = pthread_create(&k->thread, NULL, keep, k);
    if (error != 0) {
        pthread_mutex_destroy(&k->lock);
        free(k);
        return fault_errno(why, error, "no thread for the life cycle");
    }
    *ret = k;
    return E_OK;
}

void keeper_stop(struct keeper **k)
{
    if (*k == NULL)
        return;
    atomic_store(&(*k)->stop, true);
    pthread_join((*k)->thread, NULL);
    pthread_mutex_destroy(&(*k)->lock);
    free(*k);
    *k = NULL;
}
