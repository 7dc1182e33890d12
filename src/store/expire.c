/* Retention: what is too old goes, and of some kinds a shorter form stays.
 *
 * Tables whose kind leaves a rest are taken a month at a time: all that are due become one table of the rest, and one commit
 * takes them away and adds it. So there is no moment in which a day is known by hours and as a day, or not at all. Late data of a month
 * that was rolled before make a further table of it; reading merges them.
 */
#include <stdlib.h>

#include "store/inside.h"

/* Of a quiet source a table may hold more than its period. */
static int64_t end_of(const struct store_table *t, enum store_tier tier)
{
    int64_t end = period_end(tier, period_start(tier, t->slot));
    return end > t->to ? end : t->to;
}

static bool is_older(int64_t end, int64_t now, uint64_t keep_s)
{
    return keep_s != 0 && now > end && (uint64_t)(now - end) > keep_s;
}

static bool is_expired(const struct store *s, const struct store_table *t, int64_t now)
{
    return !record_kinds[t->kind].forever && !t->open && !is_busy(s, t->id) &&
           is_older(end_of(t, t->tier), now, s->options.keep_s[t->kind][t->tier]);
}

/* Whether a rest of the table is to be kept. */
static bool leaves_rest(const struct store *s, const struct store_table *t, int64_t now)
{
    const struct record_kind *kind = &record_kinds[t->kind];
    return kind->roll != NULL && !is_older(end_of(t, TIER_MONTH), now, s->options.keep_s[kind->rest][TIER_MONTH]);
}

/* Those of one month of one kind. */
struct leaving {
    uint8_t kind;
    int64_t month;
    uint64_t *ids; /* BUSY_MAX at most; the rest another time */
    size_t n;
};

static void begin_rolling(struct store *s, int64_t now, struct leaving *l)
{
    l->n = 0;
    pthread_mutex_lock(&s->mutex);
    for (size_t i = 0; i < s->catalog.n_tables && !s->purging && s->n_busy < BUSY_MAX; i++) {
        const struct store_table *t = &s->catalog.tables[i];
        int64_t month = period_start(TIER_MONTH, t->slot);
        if (!is_expired(s, t, now) || !leaves_rest(s, t, now) || (l->n > 0 && (t->kind != l->kind || month != l->month)))
            continue;
        l->kind = t->kind;
        l->month = month;
        l->ids[l->n++] = s->busy[s->n_busy++] = t->id;
    }
    pthread_mutex_unlock(&s->mutex);
}

static int write_rest(struct store *s, const struct leaving *l, struct store_table *ret, struct fault *why)
{
    struct inputs in;
    struct table_build b = { .bytes_per_s = s->options.merge_bytes_per_s };
    struct store_table t = { .id = store_new_id(s), .kind = (uint8_t)record_kinds[l->kind].rest, .tier = TIER_MONTH, .slot = l->month };
    int r = inputs_open(&in, s, l->ids, l->n, why);
    if (r < 0)
        return r;
    r = build_table(s, &t, &in.merge, &b, why);
    inputs_close(&in);
    if (r == 0)
        *ret = t;
    return r;
}

static int roll_month(struct store *s, const struct leaving *l, struct store_expired *done, struct fault *why)
{
    struct store_table t = { 0 };
    int r = write_rest(s, l, &t, why);
    pthread_mutex_lock(&s->mutex);
    if (r == 0) {
        struct delta d = { .change = { .add = &t, .n_add = t.entries > 0, .remove = l->ids, .n_remove = l->n } };
        r = commit_locked(s, &d, why);
        if (r < 0)
            store_discard(s, &t, 1);
    }
    unmark_busy(s, l->ids, l->n);
    pthread_mutex_unlock(&s->mutex);
    if (r == 0) {
        done->dropped += l->n;
        done->made += t.entries > 0;
    }
    return r;
}

static int roll(struct store *s, int64_t now, struct store_expired *done, struct fault *why)
{
    struct leaving l = { .ids = malloc(BUSY_MAX * sizeof *l.ids) };
    int r = l.ids ? 0 : fault_set(why, E_NOMEM, "out of memory");
    while (r == 0) {
        begin_rolling(s, now, &l);
        if (l.n == 0)
            break;
        r = roll_month(s, &l, done, why);
    }
    free(l.ids);
    return r;
}

/* What leaves no rest. */
static int drop(struct store *s, int64_t now, struct store_expired *done, struct fault *why)
{
    pthread_mutex_lock(&s->mutex);
    uint64_t *ids = malloc((s->catalog.n_tables + 1) * sizeof *ids);
    int r = ids ? 0 : fault_set(why, E_NOMEM, "out of memory");
    struct delta d = { .change = { .remove = ids } };
    for (size_t i = 0; ids && i < s->catalog.n_tables; i++)
        if (is_expired(s, &s->catalog.tables[i], now) && !leaves_rest(s, &s->catalog.tables[i], now))
            ids[d.change.n_remove++] = s->catalog.tables[i].id;
    if (r == 0 && d.change.n_remove)
        r = commit_locked(s, &d, why);
    pthread_mutex_unlock(&s->mutex);
    if (r == 0)
        done->dropped += d.change.n_remove;
    free(ids);
    return r;
}

int store_expire(struct store *s, int64_t now, struct store_expired *ret, struct fault *why)
{
    struct store_expired done = { 0 };
    if (s->mode != STORE_WRITE)
        return fault_set(why, E_USAGE, "%s: opened for reading", s->dir);
    int r = roll(s, now, &done, why);
    if (r == 0)
        r = drop(s, now, &done, why);
    if (r == 0 && ret)
        *ret = done;
    return r;
}
