#include "detect/inspection.h"

#include "base/crew.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SHARE = 32 /* candidates that a thread takes at a time */ };

struct taken { /* a portrait, before sorting */
    const struct portrait *portrait;
    const struct figures *figures;
    uint32_t panel;
};

/* What all inspectors share; read-only but for `next`. */
struct job {
    const struct census *census;
    struct store *store; /* any number of threads read it */
    const struct suffix_list *suffixes;
    const char *without;
    atomic_size_t next; /* candidate; orders nothing else */
};

struct kept_host {
    const uint8_t *of; /* the subject's key: where it stands, while the candidate is at hand */
    struct slice owner;
};

struct inspector {
    struct job *job;
    struct task task;
    struct scene *scene;
    struct arena memory;
    struct findings findings;
    struct examined *examined;
    size_t *findings_at; /* of each examined: the index of its first finding */
    size_t n_examined, examined_room, at_room;
    struct taken *taken;
    size_t n_taken, taken_room;
    /* Of the candidate at hand. */
    struct slice owner; /* the census' */
    struct kept_host hosts[SUBJECT_HOSTS];
    size_t n_hosts;
    const struct figures *figures; /* of figures_step; NULL = none yet */
    uint32_t figures_step;
    int rc;
    struct fault why;
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for the candidates of a chunk");
}

static bool reserve(void *array, size_t n, size_t *room, size_t size)
{
    void *old, *grown;
    if (n < *room)
        return true;
    memcpy(&old, array, sizeof old);
    grown = reallocarray(old, *room ? 2 * *room : 256, size);
    if (grown == NULL)
        return false;
    memcpy(array, &grown, sizeof grown);
    *room = *room ? 2 * *room : 256;
    return true;
}

/* ---- figures ---- */

static int by_queries(const void *a, const void *b)
{
    const struct figures_host *x = a, *y = b;
    return x->queries != y->queries ? (x->queries < y->queries) - (x->queries > y->queries) : slice_compare(x->owner, y->owner);
}

static int by_owner(const void *a, const void *b)
{
    const struct figures_host *x = a, *y = b;
    return slice_compare(x->owner, y->owner);
}

static struct figures_host host_figures(const struct subject_host *host, uint32_t from)
{
    struct figures_host f = { .owner = host->owner, .first = host->first_s / STEP_S };
    for (uint32_t i = host->n_hours; i > 0 && host->hours[i - 1].hour >= from; i--) {
        f.queries += host->hours[i - 1].queries;
        f.clients = host->hours[i - 1].clients > f.clients ? host->hours[i - 1].clients : f.clients;
    }
    return f;
}

/* The key of a host, copied once for all that is said of the candidate; len 0: no memory. As steps go by a host may come into view in
 * the middle of those that were, so a place says nothing: the subject's own key does. */
static struct slice keep_host(struct inspector *in, struct slice owner, size_t likely)
{
    size_t i = likely < in->n_hosts && in->hosts[likely].of == owner.ptr ? likely : 0;
    while (i < in->n_hosts && in->hosts[i].of != owner.ptr)
        i++;
    if (i == in->n_hosts) {
        uint8_t *to = arena_alloc(&in->memory, owner.len);
        if (to == NULL)
            return (struct slice){ 0 };
        in->hosts[in->n_hosts++] = (struct kept_host){ owner.ptr, { memcpy(to, owner.ptr, owner.len), owner.len } };
    }
    return in->hosts[i].owner;
}

static bool figure_hosts(struct inspector *in, struct figures *f, const struct subject *s, uint32_t from)
{
    struct figures_host all[SUBJECT_HOSTS];
    unsigned n = 0;
    for (size_t i = 0; i < s->n_hosts; i++) {
        all[n] = host_figures(&s->hosts[i], from);
        all[n].owner = keep_host(in, s->hosts[i].owner, i);
        if (all[n++].owner.len == 0)
            return false;
    }
    if (n)
        qsort(all, n, sizeof *all, by_queries);
    f->n_hosts = n < FIGURES_HOSTS ? n : FIGURES_HOSTS;
    if (n)
        qsort(all, f->n_hosts, sizeof *all, by_owner);
    struct figures_host *hosts = arena_alloc(&in->memory, f->n_hosts * sizeof *hosts);
    f->hosts = hosts;
    if (hosts != NULL && n)
        memcpy(hosts, all, f->n_hosts * sizeof *hosts);
    return hosts != NULL;
}

static uint32_t recent_clients(const struct subject *s, uint32_t from)
{
    uint32_t known = 0, most = 0;
    for (size_t i = 0; i < s->n_clients; i++)
        known += s->clients[i].last_hour >= from;
    for (size_t i = s->n_hours; i > 0 && s->hours[i - 1].hour >= from; i--)
        most = s->hours[i - 1].clients > most ? s->hours[i - 1].clients : most;
    return known > most ? known : most;
}

/* As of the subject's step; those of the last step are kept. */
static const struct figures *figure(struct inspector *in, const struct subject *s)
{
    if (in->figures != NULL && in->figures_step == s->step)
        return in->figures;
    struct figures *f = arena_alloc(&in->memory, sizeof *f);
    uint32_t from = s->step >= FIGURES_DAYS * DAY_STEPS ? s->step - FIGURES_DAYS * DAY_STEPS + 1 : 0;
    const struct profile *p = &s->profile;
    if (f == NULL)
        return NULL;
    *f = (struct figures){
        .last_asked = p->last,
        .first = s->first_s / STEP_S,
        .registered = p->missing_first && p->exists_first > p->missing_first ? p->exists_first : 0,
        .broad_days = p->broad_days,
        .clients = recent_clients(s, from),
        .queries = subject_sum(s, ACTIVITY_QUERIES, from, s->step),
    };
    in->figures_step = s->step;
    return in->figures = figure_hosts(in, f, s, from) ? f : NULL;
}

/* ---- a candidate ---- */

static bool is_left_out(const struct job *job, const struct detector *d)
{
    return job->without != NULL && strcmp(job->without, d->name) == 0;
}

static int examine(struct inspector *in, const struct subject *s)
{
    const struct detector *const *all;
    size_t n = detectors(&all), before = in->findings.n;
    struct network network = census_network(in->job->census, s->step);
    scene_at(in->scene, s->step, &network);
    in->findings.domain = in->owner;
    in->findings.step = s->step;
    for (size_t i = 0; i < n; i++) {
        if (all[i]->examine == NULL || is_left_out(in->job, all[i]))
            continue;
        in->findings.detector = (uint16_t)i;
        int rc = all[i]->examine(s, in->scene, &in->findings, &in->why);
        if (rc != 0)
            return rc;
    }
    if (in->findings.failed || !reserve(&in->examined, in->n_examined, &in->examined_room, sizeof *in->examined) ||
        !reserve(&in->findings_at, in->n_examined, &in->at_room, sizeof *in->findings_at))
        return no_memory(&in->why);
    struct examined *e = &in->examined[in->n_examined];
    *e = (struct examined){ .owner = in->owner, .step = s->step, .n_findings = in->findings.n - before };
    in->findings_at[in->n_examined++] = before;
    e->figures = e->n_findings ? figure(in, s) : NULL;
    return e->n_findings && e->figures == NULL ? no_memory(&in->why) : E_OK;
}

static int take_portrait(struct inspector *in, const struct subject *s)
{
    if (!reserve(&in->taken, in->n_taken, &in->taken_room, sizeof *in->taken))
        return no_memory(&in->why);
    struct taken *t = &in->taken[in->n_taken++];
    t->panel = (s->step - in->job->census->from) / PERIOD_STEPS;
    t->portrait = portrait_make(s, &in->memory);
    t->figures = figure(in, s);
    return t->portrait == NULL || t->figures == NULL ? no_memory(&in->why) : E_OK;
}

static bool is_candidate_at(const struct inspector *in, const struct candidate *c, const struct subject *s, const struct activity *asked)
{
    bool wanted = s->step >= c->wanted_from && s->step <= c->wanted_until;
    return wanted || (screen_name(in->job->suffixes, s->owner) &&
                      screen(&s->profile, channel_carried(asked), s->step, in->job->census->first) == SCREEN_CANDIDATE);
}

static bool is_due(const struct subject *s)
{
    return step_ends_period(s->step) && s->profile.candidate_last != 0 && s->step - s->profile.candidate_last < DAY_STEPS;
}

/* The steps of a period, up to `end`. */
static int walk_period(struct inspector *in, const struct candidate *c, struct subject *s, uint32_t end)
{
    int rc = subject_begin(s, s->step + 1, &s->profile, &in->why);
    while (rc == 0 && s->step < end) {
        const struct activity *asked;
        rc = subject_advance(s, s->step + 1, &asked, &in->why);
        if (rc == 0 && asked != NULL && is_candidate_at(in, c, s, asked)) {
            s->profile.candidate_last = s->step;
            rc = examine(in, s);
        }
    }
    if (rc == 0 && is_due(s)) {
        if (s->profile.candidate_last != s->step)
            rc = examine(in, s); /* what compares names is judged together with what stands now */
        if (rc == 0)
            rc = take_portrait(in, s);
    }
    return rc;
}

/* Periods without a question, and no portrait due, change nothing. */
static bool is_idle(const struct subject *s, uint32_t period, uint32_t end)
{
    uint32_t last = s->profile.candidate_last;
    return !subject_will_be_asked(s, period, end) && (last == 0 || period - last >= DAY_STEPS);
}

static int inspect(struct inspector *in, const struct candidate *c)
{
    const struct census *census = in->job->census;
    struct subject *s;
    in->owner = c->owner;
    in->n_hosts = 0;
    in->figures = NULL;
    int rc = subject_load(&s, in->job->store, in->job->suffixes, c->owner, census->from, census->to, &in->why);
    if (rc != 0)
        return rc;
    s->profile = c->profile;
    for (uint32_t period = census->from; rc == 0 && period <= census->to; period += PERIOD_STEPS) {
        uint32_t end = period + PERIOD_STEPS - 1 < census->to ? period + PERIOD_STEPS - 1 : census->to;
        s->step = period - 1;
        if (!is_idle(s, period, end))
            rc = walk_period(in, c, s, end);
    }
    subject_destroy(&s);
    return rc;
}

static void inspect_shares(void *arg)
{
    struct inspector *in = arg;
    const struct census *c = in->job->census;
    in->rc = scene_create(&in->scene, in->job->store, in->job->suffixes, &in->why);
    while (in->rc == 0) {
        size_t from = atomic_fetch_add_explicit(&in->job->next, SHARE, memory_order_relaxed);
        if (from >= c->n_candidates)
            break;
        for (size_t i = from; in->rc == 0 && i < from + SHARE && i < c->n_candidates; i++)
            in->rc = inspect(in, &c->candidates[i]);
        store_give_back(in->job->store, MAPPED_MAX);
    }
    scene_destroy(&in->scene);
}

/* ---- all of them ---- */

static int compare_examined(const void *a, const void *b)
{
    const struct examined *x = a, *y = b;
    return x->step != y->step ? (x->step > y->step) - (x->step < y->step) : slice_compare(x->owner, y->owner);
}

static int compare_taken(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;
    return x->panel != y->panel ? (x->panel > y->panel) - (x->panel < y->panel)
                                : slice_compare(x->portrait->owner, y->portrait->owner);
}

static bool gather_examined(struct inspection *all)
{
    size_t n = 0;
    for (unsigned i = 0; i < all->n_inspectors; i++)
        n += all->inspectors[i].n_examined;
    all->examined = calloc(n + 1, sizeof *all->examined);
    if (all->examined == NULL)
        return false;
    for (unsigned i = 0; i < all->n_inspectors; i++) {
        struct inspector *in = &all->inspectors[i];
        for (size_t k = 0; k < in->n_examined; k++) {
            if (in->examined[k].n_findings)
                in->examined[k].findings = in->findings.kept + in->findings_at[k];
            all->examined[all->n_examined++] = in->examined[k];
        }
    }
    if (n)
        qsort(all->examined, n, sizeof *all->examined, compare_examined);
    return true;
}

static bool fill_panel(struct inspected_panel *panel, const struct taken *taken, size_t n)
{
    panel->portraits = calloc(n + 1, sizeof *panel->portraits);
    panel->figures = calloc(n + 1, sizeof *panel->figures);
    if (panel->portraits == NULL || panel->figures == NULL)
        return false;
    for (; panel->n < n; panel->n++) {
        panel->portraits[panel->n] = taken[panel->n].portrait;
        panel->figures[panel->n] = taken[panel->n].figures;
    }
    return true;
}

static bool gather_panels(struct inspection *all, const struct census *c)
{
    size_t n = 0, at = 0;
    for (unsigned i = 0; i < all->n_inspectors; i++)
        n += all->inspectors[i].n_taken;
    struct taken *taken = calloc(n + 1, sizeof *taken);
    all->n_panels = (c->to - c->from + 1) / PERIOD_STEPS;
    all->panels = calloc(all->n_panels + 1, sizeof *all->panels);
    bool filled = taken != NULL && all->panels != NULL;
    for (unsigned i = 0; filled && i < all->n_inspectors; i++) {
        const struct inspector *in = &all->inspectors[i];
        if (in->n_taken)
            memcpy(taken + at, in->taken, in->n_taken * sizeof *taken);
        at += in->n_taken;
    }
    if (filled && n)
        qsort(taken, n, sizeof *taken, compare_taken);
    at = 0;
    for (size_t p = 0; filled && p < all->n_panels; p++) {
        size_t begin = at;
        while (at < n && taken[at].panel == p)
            at++;
        filled = fill_panel(&all->panels[p], taken + begin, at - begin);
    }
    free(taken);
    return filled;
}

static int run_all(struct inspection *all, struct job *job, struct fault *why)
{
    struct crew *crew = crew_create(all->n_inspectors);
    struct latch latch = { 0 };
    if (crew == NULL)
        return no_memory(why);
    for (unsigned i = 0; i < all->n_inspectors; i++) {
        struct inspector *in = &all->inspectors[i];
        in->job = job;
        in->task = (struct task){ inspect_shares, in, &latch, NULL };
        arena_init(&in->memory, 1 << 18);
        findings_init(&in->findings);
        crew_submit(crew, &in->task);
    }
    crew_wait(crew, &latch);
    crew_destroy(&crew);
    for (unsigned i = 0; i < all->n_inspectors; i++)
        if (all->inspectors[i].rc != 0) {
            if (why != NULL)
                *why = all->inspectors[i].why;
            return all->inspectors[i].rc;
        }
    return E_OK;
}

int inspection_run(struct inspection *ret, const struct census *census, struct store *store, const struct suffix_list *suffixes,
                   unsigned threads, const char *without, struct fault *why)
{
    struct job job = { .census = census, .store = store, .suffixes = suffixes, .without = without };
    *ret = (struct inspection){ .n_inspectors = threads < INSPECTION_THREADS ? threads : INSPECTION_THREADS };
    ret->inspectors = calloc(ret->n_inspectors, sizeof *ret->inspectors);
    int rc = ret->inspectors == NULL ? no_memory(why) : run_all(ret, &job, why);
    if (rc == 0 && !(gather_examined(ret) && gather_panels(ret, census)))
        rc = no_memory(why);
    if (rc != 0)
        inspection_release(ret);
    return rc;
}

void inspection_release(struct inspection *all)
{
    for (unsigned i = 0; all->inspectors != NULL && i < all->n_inspectors; i++) {
        struct inspector *in = &all->inspectors[i];
        findings_release(&in->findings);
        arena_release(&in->memory);
        free(in->examined);
        free(in->findings_at);
        free(in->taken);
    }
    for (size_t p = 0; all->panels != NULL && p < all->n_panels; p++) {
        free(all->panels[p].portraits);
        free(all->panels[p].figures);
    }
    free(all->panels);
    free(all->examined);
    free(all->inspectors);
    *all = (struct inspection){ 0 };
}
