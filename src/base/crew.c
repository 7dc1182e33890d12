#include "base/crew.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    struct task *head;
    struct task **tail;
};

struct crew {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a task came, a latch opened, or the end */
    struct queue queues[2]; /* foreground, background */
    bool ending;
    unsigned threads;
    pthread_t ids[];
};

static struct task *take(struct queue *q)
{
    struct task *task = q->head;
    if (task != NULL) {
        q->head = task->next;
        if (q->head == NULL)
            q->tail = &q->head;
    }
    return task;
}

/* Called with the mutex held; runs one task without it. */
static void run_task(struct crew *crew, struct task *task)
{
    struct latch *latch = task->latch;
    pthread_mutex_unlock(&crew->mutex);
    task->run(task->arg);
    pthread_mutex_lock(&crew->mutex);
    if (--latch->pending == 0)
        pthread_cond_broadcast(&crew->changed);
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        struct task *task = take(&crew->queues[0]);
        if (task == NULL)
            task = take(&crew->queues[1]);
        if (task != NULL)
            run_task(crew, task);
        else if (crew->ending)
            break;
        else
            pthread_cond_wait(&crew->changed, &crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

struct crew *crew_create(unsigned threads)
{
    struct crew *crew = calloc(1, sizeof *crew + threads * sizeof crew->ids[0]);
    if (crew == NULL)
        return NULL;
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->changed, NULL);
    for (int i = 0; i < 2; i++)
        crew->queues[i].tail = &crew->queues[i].head;
    crew->threads = 1;
    while (crew->threads < threads) {
        if (pthread_create(&crew->ids[crew->threads], NULL, work, crew) != 0)
            break;
        crew->threads++;
    }
    return crew;
}

void crew_destroy(struct crew **pointer)
{
    struct crew *crew = *pointer;
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->mutex);
    for (int i = 0; i < 2; i++)
        for (struct task *task; (task = take(&crew->queues[i])) != NULL;)
            run_task(crew, task);
    crew->ending = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    for (unsigned i = 1; i < crew->threads; i++)
        pthread_join(crew->ids[i], NULL);
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->mutex);
    free(crew);
    *pointer = NULL;
}

unsigned crew_threads(const struct crew *crew)
{
    return crew->threads;
}

void crew_submit(struct crew *crew, struct task *task)
{
    pthread_mutex_lock(&crew->mutex);
    struct queue *q = &crew->queues[task->latch->background];
    task->next = NULL;
    *q->tail = task;
    q->tail = &task->next;
    task->latch->pending++;
    pthread_cond_signal(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
}

void crew_wait(struct crew *crew, struct latch *latch)
{
    pthread_mutex_lock(&crew->mutex);
    while (latch->pending > 0) {
        struct task *task = take(&crew->queues[0]);
        if (task == NULL && latch->background)
            task = take(&crew->queues[1]);
        if (task != NULL)
            run_task(crew, task);
        else
            pthread_cond_wait(&crew->changed, &crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
}

bool crew_is_done(struct crew *crew, const struct latch *latch)
{
    pthread_mutex_lock(&crew->mutex);
    bool done = latch->pending == 0;
    pthread_mutex_unlock(&crew->mutex);
    return done;
}
