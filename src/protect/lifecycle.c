/* A run, in order: memory (what the last run left), agenda (which triggers to look at), known (what there is of each), passage (where it belongs),
 * then it is moved, or waits until it is known whether all that waits is a jump. */
#include "protect/lifecycle.h"

#include "base/hash.h"
#include "knowledge/analysis.h"
#include "protect/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY "lifecycle"    /* settings */
#define JUMP "lifecycle.jump"

enum { DAY_S = 86400, MEMORY_MAX = 256 };

/* What a run tells the next one. */
struct memory {
    int64_t followed; /* serial of indicator_change up to which was followed */
    int64_t heard;    /* id of audit up to which words were heard */
    int64_t day;      /* of the wall clock; never goes back */
    uint64_t approved; /* by policy on that day */
    int64_t confirmed; /* serial of the last version that an operator confirmed */
    uint64_t digest;   /* of policy and guard */
};

struct run {
    struct knowledge *k;
    const struct lifecycle_options *o;
    struct lifecycle_result result;
    struct memory memory;
    char remembered[MEMORY_MAX]; /* the memory as it was loaded */
    struct agenda agenda;
    struct known_from from;
    bool word;            /* an operator said something since the last run */
    uint64_t waiting_in, waiting_out; /* of the agenda, until it is known whether they are a jump */
};

/* ---- memory ---- */

static int load_memory(struct run *r, struct fault *why)
{
    struct memory *m = &r->memory;
    struct buffer text;
    buffer_init(&text, MEMORY_MAX);
    int rc = setting_get(r->k, MEMORY, &text, why);
    buffer_u8(&text, 0);
    if (rc == 0)
        snprintf(r->remembered, sizeof r->remembered, "%s", (const char *)text.ptr);
    if (rc == 0 && sscanf((const char *)text.ptr, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNd64 " %" SCNx64, &m->followed, &m->heard,
                          &m->day, &m->approved, &m->confirmed, &m->digest) != 6)
        rc = fault_set(why, E_CORRUPT, "the setting '%s' is damaged", MEMORY);
    buffer_release(&text);
    return rc == E_ABSENT ? E_OK : rc;
}

int lifecycle_jump(struct knowledge *k, struct buffer *to, struct fault *why)
{
    int rc = setting_get(k, JUMP, to, why);
    return rc == E_ABSENT ? E_OK : rc;
}

static int save_jump(struct run *r, struct fault *why)
{
    struct buffer text;
    buffer_init(&text, 2 * LIFECYCLE_JUMP_TEXT);
    int rc = lifecycle_jump(r->k, &text, why);
    buffer_u8(&text, 0);
    bool same = rc == 0 && strcmp((const char *)text.ptr, r->result.jump) == 0;
    buffer_release(&text);
    return rc || same ? rc : setting_put(r->k, JUMP, r->result.jump[0] ? r->result.jump : NULL, why);
}

/* What is the same is not written: whoever waits makes many runs. */
static int save_memory(struct run *r, struct fault *why)
{
    const struct memory *m = &r->memory;
    char text[MEMORY_MAX];
    snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 " %" PRId64 " %016" PRIx64, m->followed, m->heard, m->day,
             m->approved, m->confirmed, m->digest);
    int rc = strcmp(text, r->remembered) != 0 ? setting_put(r->k, MEMORY, text, why) : E_OK;
    return rc ? rc : save_jump(r, why);
}

/* Another policy or guard: all is followed from the beginning. Another day: approvals count from 0. */
static void renew_memory(struct run *r)
{
    struct memory *m = &r->memory;
    uint64_t digest = hash_mix(protection_digest(r->o->policy) ^ guard_digest(r->o->guard));
    int64_t day = r->o->now / DAY_S;
    if (m->digest != digest)
        m->followed = 0;
    m->digest = digest;
    if (day > m->day) {
        m->day = day;
        m->approved = 0;
    }
}

/* ---- what to look at ---- */

static int note_change(void *ctx, const struct indicator_change *c, struct fault *why)
{
    struct run *r = ctx;
    r->memory.followed = c->serial;
    return agenda_add(&r->agenda, c->name, trigger_of_scope(c->scope), c->author, why);
}

static int note_publication(void *ctx, const struct publication *p, struct fault *why)
{
    struct run *r = ctx;
    return agenda_add(&r->agenda, p->name, p->trigger, "", why);
}

/* Of a block, indicators tell. */
static bool is_exception(const struct audit *a)
{
    return strcmp(a->action, "allow") == 0 || strcmp(a->action, "revoke") == 0;
}

static int hear(void *ctx, const struct audit *a, struct fault *why)
{
    struct run *r = ctx;
    (void)why;
    r->memory.heard = a->id;
    r->word |= is_exception(a);
    return E_OK;
}

static int see_decision(void *ctx, const struct decision *d, struct fault *why)
{
    (void)d;
    (void)why;
    *(bool *)ctx = true;
    return 1;
}

static int fill_agenda(struct run *r, struct fault *why)
{
    int rc = indicator_changed(r->k, r->memory.followed, note_change, r, why);
    if (rc == 0)
        rc = publication_due(r->k, r->o->now, note_publication, r, why);
    if (rc == 0)
        rc = publication_ended(r->k, r->from.data_time, note_publication, r, why);
    if (rc == 0)
        rc = audit_each(r->k, r->memory.heard, hear, r, why);
    if (rc == 0 && r->word) /* what only a jump keeps published has no active indicator, whose change would tell */
        rc = publication_held(r->k, note_publication, r, why);
    if (rc == 0)
        rc = decision_history(r->k, see_decision, &r->from.any_words, why);
    agenda_close(&r->agenda);
    r->result.looked_at = r->agenda.n;
    return rc > 0 ? E_OK : rc;
}

/* ---- moving a trigger ---- */

static int find_known(struct run *r, const struct agenda_item *item, struct known *ret, struct fault *why)
{
    bool capped = r->memory.approved >= r->o->policy->approve.per_day && !item->approved;
    return known_find(&r->from, item, capped, ret, why);
}

/* And where it belongs by that. */
static int find_passage(struct run *r, const struct agenda_item *item, struct known *ret, struct passage *ret_passage, struct fault *why)
{
    int rc = find_known(r, item, ret, why);
    if (rc == 0)
        passage_find(&ret->c, ret_passage);
    return rc;
}

static enum held held_by(const struct known *n, const struct passage *p)
{
    bool is = n->c.before != NULL && n->c.before->stage == STAGE_PUBLISHED, will = p->stage == STAGE_PUBLISHED;
    return p->by_word || p->nothing || is == will ? HELD_NOT : will ? HELD_IN : HELD_OUT;
}

/* As the passage says, with what the indicator says by now. */
static struct publication moved(const struct agenda_item *item, const struct known *n, const struct passage *p)
{
    struct publication next = n->before;
    const struct indicator *i = n->c.indicator;
    next.name = item->name;
    next.trigger = item->trigger;
    next.stage = p->stage;
    next.since = p->since;
    next.due = p->due;
    next.held = HELD_NOT;
    next.approved_by = p->approved_by;
    next.reason = p->reason;
    if (i != NULL && (p->stage != STAGE_OUT || n->c.before == NULL)) { /* of what is out, what it was */
        next.level = i->level;
        next.score = i->score;
        next.categories = i->categories;
        next.family = i->family;
        next.campaign = i->campaign;
        next.first_seen = i->first_seen;
        next.valid_until = i->valid_until;
    }
    return next;
}

static void count(struct run *r, const struct known *n, const struct publication *next)
{
    struct lifecycle_result *t = &r->result;
    uint64_t *const to[STAGES] = { &t->reviewed, &t->shadowed, &t->published, &t->out };
    if (n->c.before == NULL || n->c.before->stage != next->stage)
        ++*to[next->stage];
    else
        t->renewed++;
}

static int put(struct run *r, const struct known *n, const struct publication *next, const char *author, struct fault *why)
{
    int64_t before = 0, after = 0;
    int rc = publication_serial(r->k, &before, why);
    if (rc == 0)
        rc = publication_put(r->k, next, r->o->now, author, why);
    if (rc == 0)
        rc = publication_serial(r->k, &after, why);
    if (rc == 0 && after != before)
        count(r, n, next);
    return rc;
}

/* At first only what no jump can hold is moved; the rest waits until it is known how much of it there is. */
static int look_at(struct run *r, struct agenda_item *item, struct fault *why)
{
    struct known n;
    struct passage p;
    int rc = find_passage(r, item, &n, &p, why);
    if (rc != 0)
        return rc;
    enum held held = held_by(&n, &p);
    bool is_held = n.c.before != NULL && n.c.before->held == held && held != HELD_NOT;
    r->memory.approved += p.approves;
    item->approved = p.approves;
    item->waits = held != HELD_NOT && !is_held;
    r->waiting_in += item->waits && held == HELD_IN;
    r->waiting_out += item->waits && held == HELD_OUT;
    if (item->waits || is_held || p.nothing)
        return E_OK;
    struct publication next = moved(item, &n, &p);
    return put(r, &n, &next, p.author, why);
}

static int look_at_all(struct run *r, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < r->agenda.n; i++)
        rc = look_at(r, &r->agenda.items[i], why);
    return rc;
}

/* What a jump keeps from being published is in review, or goes on being a shadow; what it keeps from going stays as it is. */
static int hold(struct run *r, struct agenda_item *item, struct fault *why)
{
    struct known n;
    struct passage p;
    int rc = find_passage(r, item, &n, &p, why);
    if (rc != 0)
        return rc;
    bool review = p.stage == STAGE_PUBLISHED && (n.c.before == NULL || n.c.before->stage != STAGE_SHADOW);
    struct publication next = review ? moved(item, &n, &p) : n.before;
    next.held = held_by(&n, &p);
    next.due = 0;
    if (review) {
        next.stage = STAGE_REVIEW;
        next.since = n.c.before != NULL && n.c.before->stage == STAGE_REVIEW ? n.c.before->since : r->o->now;
        next.reason = "held: part of a jump";
    }
    return put(r, &n, &next, PASSAGE_AUTHOR, why);
}

static int let(struct run *r, struct agenda_item *item, struct fault *why)
{
    struct known n;
    struct passage p;
    int rc = find_passage(r, item, &n, &p, why);
    if (rc != 0)
        return rc;
    struct publication next = moved(item, &n, &p);
    return p.nothing ? E_OK : put(r, &n, &next, p.author, why);
}

static int for_waiting(struct run *r, int (*move)(struct run *r, struct agenda_item *item, struct fault *why), struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < r->agenda.n; i++)
        if (r->agenda.items[i].waits)
            rc = move(r, &r->agenda.items[i], why);
    return rc;
}

/* ---- jumps ---- */

struct window {
    uint64_t added, dropped;
    int64_t published; /* when it began */
};

static int sum_window(void *ctx, const struct version *v, struct fault *why)
{
    struct window *w = ctx;
    (void)why;
    w->added += (uint64_t)v->added;
    w->dropped += (uint64_t)v->dropped;
    return E_OK;
}

static int begin_window(void *ctx, const struct version *v, struct fault *why)
{
    (void)why;
    ((struct window *)ctx)->published = v->published;
    return E_OK;
}

static uint64_t limit_of(const struct protection_jump *jump, double percent, int64_t published)
{
    double share = percent / 100 * (double)published;
    return share > (double)jump->least ? (uint64_t)share : jump->least;
}

static void say_jump(struct run *r, const struct window *w)
{
    const struct protection_jump *j = &r->o->policy->jump;
    snprintf(r->result.jump, sizeof r->result.jump,
             "within an hour %" PRIu64 " would be published and %" PRIu64 " taken back, of %" PRId64
             ": a jump is more than %g %% or %g %%, and more than %" PRIu64, w->added, w->dropped, w->published, j->add, j->drop, j->least);
}

static int keep_serial(void *ctx, const struct version *v, struct fault *why)
{
    (void)why;
    *(int64_t *)ctx = v->serial;
    return E_OK;
}

/* The last hour, or since an operator confirmed what came before. By the serials, which do not go back with the clock. */
static int find_window(struct run *r, struct window *ret, struct fault *why)
{
    int64_t last = 0;
    int rc = version_last(r->k, keep_serial, &last, why);
    int64_t start = (last > r->o->now ? last : r->o->now) - LIFECYCLE_JUMP_S;
    if (start < r->memory.confirmed)
        start = r->memory.confirmed;
    if (rc == 0)
        rc = version_at(r->k, start, begin_window, ret, why);
    return rc ? rc : version_each(r->k, start, sum_window, ret, why);
}

static int find_jump(struct run *r, struct fault *why)
{
    const struct protection_jump *j = &r->o->policy->jump;
    struct publication_sizes sizes;
    struct window w = { .published = 0 };
    int rc = find_window(r, &w, why);
    if (rc == 0)
        rc = publication_sizes(r->k, &sizes, why);
    if (rc != 0)
        return rc;
    w.added += r->waiting_in + (uint64_t)sizes.held_in;
    w.dropped += r->waiting_out + (uint64_t)sizes.held_out;
    bool waits = r->waiting_in + r->waiting_out + (uint64_t)(sizes.held_in + sizes.held_out) > 0;
    if (waits && (w.added > limit_of(j, j->add, w.published) || w.dropped > limit_of(j, j->drop, w.published)))
        say_jump(r, &w);
    return E_OK;
}

static int find_room(struct run *r, uint64_t *ret, struct fault *why)
{
    struct window w = { .published = 0 };
    int rc = find_window(r, &w, why);
    if (rc != 0)
        return rc;
    uint64_t limit = limit_of(&r->o->policy->jump, r->o->policy->jump.add, w.published);
    *ret = limit > w.added ? limit - w.added : 0;
    return E_OK;
}

/* All that was held in former runs is done now. */
static int release_held(struct run *r, struct fault *why)
{
    struct agenda now = r->agenda;
    agenda_init(&r->agenda);
    int rc = publication_held(r->k, note_publication, r, why);
    agenda_close(&r->agenda);
    for (size_t i = 0; rc == 0 && i < r->agenda.n; i++)
        rc = let(r, &r->agenda.items[i], why);
    agenda_release(&r->agenda);
    r->agenda = now;
    return rc;
}

static int settle(struct run *r, struct fault *why)
{
    int rc = find_jump(r, why);
    if (rc == 0 && r->result.jump[0] != '\0' && r->o->confirmed_by == NULL)
        return for_waiting(r, hold, why);
    if (rc == 0)
        rc = for_waiting(r, let, why);
    return rc ? rc : release_held(r, why);
}

/* ---- versions ---- */

static int audit_confirmation(struct run *r, struct fault *why)
{
    struct audit a = { .at = r->o->now, .author = r->o->confirmed_by, .action = "confirm", .subject = "publication",
                       .detail = r->result.jump[0] ? r->result.jump : "nothing was held" };
    int rc = audit_add(r->k, &a, why);
    r->result.jump[0] = '\0';
    return rc;
}

static int keep_last_change(void *ctx, const struct version *v, struct fault *why)
{
    (void)why;
    *(int64_t *)ctx = v->last_change;
    return E_OK;
}

/* What changed; also when an operator allowed something, since a view shows what is excepted of it. */
static int seal(struct run *r, struct fault *why)
{
    struct lifecycle_result *t = &r->result;
    t->heard = r->word;
    int64_t sealed = 0, last = 0;
    char reason[160];
    int rc = version_last(r->k, keep_last_change, &sealed, why);
    if (rc == 0)
        rc = publication_serial(r->k, &last, why);
    if (rc != 0 || (last == sealed && !r->word))
        return rc;
    snprintf(reason, sizeof reason, "%" PRIu64 " published, %" PRIu64 " shadow, %" PRIu64 " in review, %" PRIu64 " out, %" PRIu64 " renewed",
             t->published, t->shadowed, t->reviewed, t->out, t->renewed);
    return publication_seal(r->k, r->o->now, reason, &t->version, why);
}

static int finish(struct run *r, struct fault *why)
{
    int rc = r->o->confirmed_by != NULL ? audit_confirmation(r, why) : E_OK;
    if (rc == 0)
        rc = seal(r, why);
    if (rc == 0 && r->o->confirmed_by != NULL && r->result.version != 0)
        r->memory.confirmed = r->result.version;
    if (rc == 0)
        rc = save_memory(r, why);
    return rc ? rc : publication_sizes(r->k, &r->result.sizes, why);
}

/* ---- whether there is something to do ---- */

static int see_publication(void *ctx, const struct publication *p, struct fault *why)
{
    (void)p;
    (void)why;
    *(bool *)ctx = true;
    return 1;
}

static int see_exception(void *ctx, const struct audit *a, struct fault *why)
{
    (void)why;
    *(bool *)ctx = is_exception(a);
    return is_exception(a);
}

/* What changed; what is not public yet; what is held, which an hour later may be no jump any more. */
static int see_changes(struct run *r, bool *ret, struct fault *why)
{
    int64_t changed = 0, journal = 0, sealed = 0;
    struct publication_sizes sizes;
    int rc = indicator_serial(r->k, &changed, why);
    if (rc == 0)
        rc = publication_serial(r->k, &journal, why);
    if (rc == 0)
        rc = version_last(r->k, keep_last_change, &sealed, why);
    if (rc == 0)
        rc = publication_sizes(r->k, &sizes, why);
    if (rc == 0)
        *ret = changed > r->memory.followed || journal != sealed || sizes.held_in + sizes.held_out > 0;
    return rc;
}

static int see_all(struct run *r, bool *ret, struct fault *why)
{
    int rc = see_changes(r, ret, why);
    if (rc == 0 && !*ret)
        rc = publication_due(r->k, r->o->now, see_publication, ret, why);
    if (rc == 0 && !*ret)
        rc = publication_ended(r->k, r->from.data_time, see_publication, ret, why);
    if (rc == 0 && !*ret)
        rc = audit_each(r->k, r->memory.heard, see_exception, ret, why);
    return rc > 0 ? E_OK : rc;
}

static int begin(struct run *r, struct fault *why)
{
    struct analysis analysis;
    known_init(&r->from, r->k, r->o->policy, r->o->guard, r->o->now);
    int rc = analysis_get(r->k, &analysis, why);
    if (rc == 0)
        rc = load_memory(r, why);
    if (rc != 0)
        return rc;
    r->from.data_time = analysis.analysed_until * KNOWLEDGE_HOUR_S;
    renew_memory(r);
    return E_OK;
}

int lifecycle_is_due(struct knowledge *k, const struct lifecycle_options *o, bool *ret, struct fault *why)
{
    struct run r = { .k = k, .o = o };
    bool due = false;
    int rc = begin(&r, why);
    if (rc == 0)
        rc = see_all(&r, &due, why);
    if (rc == 0)
        *ret = due;
    known_release(&r.from);
    return rc;
}

int lifecycle_room(struct knowledge *k, const struct lifecycle_options *o, uint64_t *ret, struct fault *why)
{
    struct run r = { .k = k, .o = o };
    if (o->confirmed_by != NULL) {
        *ret = UINT64_MAX;
        return E_OK;
    }
    int rc = begin(&r, why);
    if (rc == 0)
        rc = find_room(&r, ret, why);
    known_release(&r.from);
    return rc;
}

/* ---- a run ---- */

static int run(struct run *r, struct fault *why)
{
    int rc = begin(r, why);
    if (rc == 0)
        rc = fill_agenda(r, why);
    if (rc == 0)
        rc = look_at_all(r, why);
    if (rc == 0)
        rc = settle(r, why);
    return rc ? rc : finish(r, why);
}

static int run_within(struct run *r, struct fault *why)
{
    int rc = knowledge_begin(r->k, why);
    if (rc != 0)
        return rc;
    agenda_init(&r->agenda);
    rc = run(r, why);
    if (rc == 0)
        rc = knowledge_commit(r->k, why);
    else
        knowledge_rollback(r->k);
    agenda_release(&r->agenda);
    known_release(&r->from);
    return rc;
}

int lifecycle_run(struct knowledge *k, const struct lifecycle_options *o, struct lifecycle_result *ret, struct fault *why)
{
    struct run r = { .k = k, .o = o };
    bool due = true;
    int rc = o->confirmed_by == NULL ? lifecycle_is_due(k, o, &due, why) : E_OK;
    if (rc == 0)
        rc = due ? run_within(&r, why) : publication_sizes(k, &r.result.sizes, why);
    if (rc == 0)
        *ret = r.result;
    return rc;
}

/* ---- a person's word ---- */

static int approve(struct run *r, const struct agenda_item *item, const char *reason, struct fault *why)
{
    struct known n;
    char text[PASSAGE_REASON_MAX];
    int rc = find_known(r, item, &n, why);
    if (rc != 0)
        return rc;
    if (n.c.before == NULL || (n.c.before->stage != STAGE_REVIEW && n.c.before->stage != STAGE_SHADOW))
        return fault_set(why, E_ABSENT, "%s: nothing of this name waits for a word", item->name);
    if (n.c.guard == GUARD_NEVER)
        return fault_set(why, E_USAGE, "%s: cannot be published: %s", item->name, n.guard_why);
    struct publication next = n.before;
    passage_approved(item->author, reason, text);
    next.stage = STAGE_PUBLISHED;
    next.since = r->o->now;
    next.due = 0;
    next.held = HELD_NOT;
    next.approved_by = item->author;
    next.reason = text;
    return publication_put(r->k, &next, r->o->now, item->author, why);
}

static int record_approval(struct run *r, const struct agenda_item *item, const char *reason, struct fault *why)
{
    char subject[NAME_TEXT_MAX + 16];
    snprintf(subject, sizeof subject, "%s %s", trigger_text(item->trigger), item->name);
    struct audit a = { .at = r->o->now, .author = item->author, .action = "approve", .subject = subject, .detail = reason };
    int rc = audit_add(r->k, &a, why);
    if (rc == 0 && trigger_has_scope(item->trigger))
        rc = decision_revoke(r->k, DECISION_WITHDRAW, item->name, trigger_scope(item->trigger), r->o->now,
                             item->author, reason, why);
    return rc == E_ABSENT ? E_OK : rc;
}

int lifecycle_approve(struct knowledge *k, const struct lifecycle_options *o, const char *name, enum trigger trigger, const char *author,
                      const char *reason, struct fault *why)
{
    struct run r = { .k = k, .o = o };
    struct agenda_item item = { .name = name, .trigger = trigger, .author = author };
    known_init(&r.from, k, o->policy, o->guard, o->now);
    int rc = knowledge_begin(k, why);
    if (rc == 0) {
        rc = approve(&r, &item, reason, why);
        if (rc == 0)
            rc = record_approval(&r, &item, reason, why);
        if (rc == 0)
            rc = knowledge_commit(k, why);
        else
            knowledge_rollback(k);
    }
    known_release(&r.from);
    return rc;
}
