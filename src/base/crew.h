/* crew: a pool of threads that work off tasks.
 *
 * `crew_create(n)` makes n - 1 threads; the caller of `crew_wait` is the n-th. Tasks wait
 * in two queues: foreground tasks are what somebody waits for in the next milliseconds,
 * background tasks (writing, merging) run when no foreground task is ready. Whoever waits
 * works: on foreground tasks always, on background tasks only when waiting for one, so
 * that the thread that steers is not caught in a long merge.
 *
 * A latch counts tasks not yet finished. Tasks may submit tasks. Everything a task wrote is
 * visible to whoever waited for its latch (one mutex orders it all).
 */
#ifndef DNSMON_BASE_CREW_H
#define DNSMON_BASE_CREW_H

#include <stdbool.h>

struct crew;

struct latch {
    unsigned pending;
    bool background;
};

struct task {
    void (*run)(void *arg);
    void *arg;
    struct latch *latch;
    struct task *next;
};

struct crew *crew_create(unsigned threads);
/* Runs what is still queued, then joins the threads. */
void crew_destroy(struct crew **crew);
unsigned crew_threads(const struct crew *crew);

/* The task's memory is the caller's until its latch opens. The queue follows latch->background. */
void crew_submit(struct crew *crew, struct task *task);
void crew_wait(struct crew *crew, struct latch *latch);
bool crew_is_done(struct crew *crew, const struct latch *latch);

#endif
