#include "protect/targets.h"

#include "base/arena.h"
#include "knowledge/decision.h"
#include "protect/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATEGORIES "[\"infrastructure\"]"
#define LEVEL VERDICT_HIGH_RISK
#define SCORE 0.9 /* the least of its level */

enum { TEXTS_CHUNK = 1 << 16 };

struct found {
    const char *name;
    enum trigger trigger;
    unsigned domains, hosts;
};

struct keeping {
    struct knowledge *k;
    const struct targets_options *o;
    int64_t serial; /* of the journal, when the search began */
    uint64_t room;  /* for more, until it is a jump */
    struct arena texts;
    struct found *found; /* sorted, once all is */
    size_t n, size;
    struct known_from from;
    struct targets_result result;
};

/* ---- what is found ---- */

static int by_target(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->trigger != y->trigger ? (int)x->trigger - (int)y->trigger : strcmp(x->name, y->name);
}

static bool make_room(struct keeping *t)
{
    size_t size = t->size ? 2 * t->size : 256;
    struct found *more = t->n == t->size ? reallocarray(t->found, size, sizeof *more) : t->found;
    if (more == NULL)
        return false;
    t->size = t->n == t->size ? size : t->size;
    t->found = more;
    return true;
}

static int take_found(void *ctx, const struct infrastructure *i, struct fault *why)
{
    struct keeping *t = ctx;
    size_t len = strlen(i->text) + 1;
    char *name = arena_alloc(&t->texts, len);
    if (name == NULL || !make_room(t))
        return fault_set(why, E_NOMEM, "no memory for infrastructure");
    t->found[t->n++] = (struct found){ memcpy(name, i->text, len), i->trigger, i->domains, i->hosts };
    return E_OK;
}

static int search(struct keeping *t, struct fault *why)
{
    const struct protection *policy = t->o->life->policy;
    if (policy->infrastructure == 0)
        return E_OK;
    const struct infrastructure_search s = {
        .store = t->o->store, .suffixes = t->o->suffixes, .k = t->k, .now = t->o->life->now, .until = store_watermark(t->o->store),
        .least = (unsigned)policy->infrastructure, .known = t->o->look == TARGETS_KNOWN, .stop = t->o->stop,
    };
    int rc = infrastructure_find(&s, take_found, t, &t->result.skipped, why);
    if (t->n > 0)
        qsort(t->found, t->n, sizeof *t->found, by_target);
    return rc;
}

static bool is_found(const struct keeping *t, const struct agenda_item *item)
{
    const struct found key = { .name = item->name, .trigger = item->trigger };
    return t->n != 0 && bsearch(&key, t->found, t->n, sizeof key, by_target) != NULL;
}

/* ---- operators' words ---- */

static bool is_person(const char *author)
{
    return author[0] != '\0' && strcmp(author, PASSAGE_AUTHOR) != 0;
}

/* The last thing that an operator did with it. */
struct word {
    bool withdrawn, allowed;
    char reason[PASSAGE_REASON_MAX];
};

static int note_word(void *ctx, const struct publication_change *c, struct fault *why)
{
    struct word *w = ctx;
    (void)why;
    if (!is_person(c->author))
        return E_OK;
    w->withdrawn = c->now.stage == STAGE_OUT;
    snprintf(w->reason, sizeof w->reason, "%s", c->now.reason);
    return E_OK;
}

static int note_allow(void *ctx, const struct decision *d, struct fault *why)
{
    struct word *w = ctx;
    (void)why;
    w->allowed = d->action == DECISION_ALLOW;
    return E_OK;
}

static int find_word(struct keeping *t, const struct found *f, struct word *ret, struct fault *why)
{
    *ret = (struct word){ .withdrawn = false };
    int rc = publication_history(t->k, f->name, f->trigger, note_word, ret, why);
    return rc || f->trigger != TRIGGER_NAMESERVER ? rc : decision_covering(t->k, f->name, t->o->life->now, note_allow, ret, why);
}

/* ---- where it belongs ---- */

static bool is_ours(const struct publication *p)
{
    return strcmp(p->categories, CATEGORIES) == 0;
}

static bool is_shown(const struct publication *p)
{
    return p != NULL && (p->stage == STAGE_SHADOW || p->stage == STAGE_PUBLISHED);
}

/* What keeps policy from publishing it; false: nothing. */
static bool find_objection(const struct keeping *t, const struct known *n, const struct word *w, char reason[PASSAGE_REASON_MAX])
{
    const struct protection_approve *a = &t->o->life->policy->approve;
    bool approved = is_shown(n->c.before) && is_person(n->c.before->approved_by);
    const char *category = protection_category(CATEGORIES, &a->not);
    if (n->c.guard == GUARD_NEVER)
        snprintf(reason, PASSAGE_REASON_MAX, "never: %s", n->c.guard_why);
    else if (approved)
        return false;
    else if (w->withdrawn)
        snprintf(reason, PASSAGE_REASON_MAX, "%s", w->reason);
    else if (n->c.guard != GUARD_FREE)
        snprintf(reason, PASSAGE_REASON_MAX, "%s", n->c.guard_why);
    else if (LEVEL < a->least)
        snprintf(reason, PASSAGE_REASON_MAX, "%s is less than %s", verdict_level_text(LEVEL), verdict_level_text(a->least));
    else if (category != NULL)
        snprintf(reason, PASSAGE_REASON_MAX, "%s needs a person's word", category);
    else if (t->room == 0 && !is_shown(n->c.before))
        snprintf(reason, PASSAGE_REASON_MAX, "more would be a jump; it has its turn within an hour");
    else
        return false;
    return true;
}

static enum stage stage_by_policy(const struct keeping *t, const struct publication *before)
{
    int64_t shadow_s = t->o->life->policy->shadow_s;
    if (is_shown(before))
        return before->stage == STAGE_SHADOW && t->o->life->now < before->since + shadow_s ? STAGE_SHADOW : STAGE_PUBLISHED;
    return shadow_s > 0 ? STAGE_SHADOW : STAGE_PUBLISHED;
}

static void say_found(const struct found *f, char reason[PASSAGE_REASON_MAX])
{
    snprintf(reason, PASSAGE_REASON_MAX, "%u hosts of %u%s registered domains point at it, all of them published", f->hosts, f->domains,
             f->domains < INFRASTRUCTURE_DOMAINS ? "" : " or more");
}

/* ---- moving it ---- */

static void count(struct keeping *t, enum stage stage)
{
    struct targets_result *r = &t->result;
    uint64_t *const to[STAGES] = { &r->reviewed, &r->shadowed, &r->published, &r->out };
    ++*to[stage];
}

/* In the same stage, figures may differ: that is no change that anybody should have to transfer. */
static bool is_same(const struct publication *before, const struct publication *next)
{
    return before != NULL && before->stage == next->stage && (is_shown(next) || strcmp(before->reason, next->reason) == 0);
}

static int move(struct keeping *t, const struct known *n, struct publication *next, struct fault *why)
{
    const struct publication *before = n->c.before;
    t->result.kept += next->stage != STAGE_OUT;
    if (is_same(before, next))
        return E_OK;
    bool stays = before != NULL && before->stage == next->stage;
    next->since = stays ? before->since : t->o->life->now;
    t->room -= !is_shown(before) && is_shown(next);
    if (!stays)
        count(t, next->stage);
    return publication_put(t->k, next, t->o->life->now, PASSAGE_AUTHOR, why);
}

static int put(struct keeping *t, const struct found *f, const struct known *n, const struct word *w, struct fault *why)
{
    char reason[PASSAGE_REASON_MAX];
    const struct publication *before = n->c.before;
    struct publication next = { .name = f->name, .trigger = f->trigger, .stage = STAGE_REVIEW, .approved_by = "", .reason = reason,
                                .level = LEVEL, .score = SCORE, .categories = CATEGORIES, .family = "", .first_seen = t->o->life->now };
    if (before != NULL)
        next.first_seen = before->first_seen;
    if (!find_objection(t, n, w, reason)) {
        next.stage = stage_by_policy(t, before);
        next.approved_by = is_shown(before) ? before->approved_by : PASSAGE_AUTHOR;
        say_found(f, reason);
    }
    return move(t, n, &next, why);
}

/* Of what is out, what it was. */
static int take_out(struct keeping *t, const struct known *n, const char *reason, struct fault *why)
{
    if (n->c.before == NULL || n->c.before->stage == STAGE_OUT)
        return E_OK;
    struct publication next = n->before;
    next.stage = STAGE_OUT;
    next.approved_by = "";
    next.reason = reason;
    return move(t, n, &next, why);
}

static int find_known(struct keeping *t, const char *name, enum trigger trigger, struct known *ret, struct fault *why)
{
    const struct agenda_item item = { .name = name, .trigger = trigger, .author = "" };
    return known_find(&t->from, &item, false, ret, why);
}

static int look_at_found(struct keeping *t, const struct found *f, struct fault *why)
{
    struct known n;
    struct word w;
    int rc = find_known(t, f->name, f->trigger, &n, why);
    if (rc == 0)
        rc = find_word(t, f, &w, why);
    if (rc != 0 || (n.c.before != NULL && !is_ours(n.c.before)))
        return rc;
    return w.allowed ? take_out(t, &n, "allowed by an operator", why) : put(t, f, &n, &w, why);
}

static int look_at_lost(struct keeping *t, const struct agenda_item *item, struct fault *why)
{
    struct known n;
    bool wanted = t->o->life->policy->infrastructure > 0;
    int rc = find_known(t, item->name, item->trigger, &n, why);
    if (rc != 0 || !is_ours(n.c.before))
        return rc;
    return take_out(t, &n, wanted ? "what is published is not alone at it any more, or too few of it are" : "policy wants no infrastructure", why);
}

/* ---- all of it ---- */

static int note_known(void *ctx, const struct publication *p, struct fault *why)
{
    return agenda_add(ctx, p->name, p->trigger, "", why);
}

static int move_all(struct keeping *t, struct agenda *known, struct fault *why)
{
    int rc = publication_infrastructure(t->k, note_known, known, why);
    for (size_t i = 0; rc == 0 && i < known->n; i++)
        if (!is_found(t, &known->items[i]))
            rc = look_at_lost(t, &known->items[i], why);
    if (rc == 0)
        rc = lifecycle_room(t->k, t->o->life, &t->room, why);
    for (size_t i = 0; rc == 0 && i < t->n; i++)
        rc = look_at_found(t, &t->found[i], why);
    return rc;
}

static int seal(struct keeping *t, struct fault *why)
{
    const struct targets_result *r = &t->result;
    int64_t serial = 0;
    char reason[160];
    int rc = publication_serial(t->k, &serial, why);
    if (rc != 0 || serial == t->serial)
        return rc;
    snprintf(reason, sizeof reason, "infrastructure: %" PRIu64 " published, %" PRIu64 " shadow, %" PRIu64 " in review, %" PRIu64 " out",
             r->published, r->shadowed, r->reviewed, r->out);
    return publication_seal(t->k, t->o->life->now, reason, &t->result.version, why);
}

static int apply(struct keeping *t, struct fault *why)
{
    struct agenda known;
    int64_t serial = 0;
    int rc = publication_serial(t->k, &serial, why);
    t->result.stale = rc == 0 && serial != t->serial;
    if (rc != 0 || t->result.stale)
        return rc;
    agenda_init(&known);
    rc = move_all(t, &known, why);
    agenda_release(&known);
    return rc ? rc : seal(t, why);
}

static int keep(struct keeping *t, struct fault *why)
{
    int rc = publication_serial(t->k, &t->serial, why);
    if (rc == 0)
        rc = search(t, why);
    t->result.stale = rc > 0;
    if (rc == 0)
        rc = knowledge_begin(t->k, why);
    if (rc != 0)
        return rc > 0 ? E_OK : rc;
    rc = apply(t, why);
    if (rc == 0)
        return knowledge_commit(t->k, why);
    knowledge_rollback(t->k);
    return rc;
}

int targets_keep(struct knowledge *k, const struct targets_options *o, struct targets_result *ret, struct fault *why)
{
    struct keeping t = { .k = k, .o = o };
    if (o->store == NULL && o->life->policy->infrastructure > 0) {
        *ret = t.result;
        return E_OK;
    }
    arena_init(&t.texts, TEXTS_CHUNK);
    known_init(&t.from, k, o->life->policy, o->life->guard, o->life->now);
    int rc = keep(&t, why);
    if (rc == 0)
        *ret = t.result;
    known_release(&t.from);
    arena_release(&t.texts);
    free(t.found);
    return rc;
}

/* ---- an operator's word ---- */

static int record(struct knowledge *k, const struct publication *p, int64_t at, const char *author, const char *reason, struct fault *why)
{
    char subject[NAME_TEXT_MAX + 16];
    snprintf(subject, sizeof subject, "%s %s", trigger_text(p->trigger), p->name);
    struct audit a = { .at = at, .author = author, .action = "withdraw", .subject = subject, .detail = reason };
    return audit_add(k, &a, why);
}

struct withdrawal {
    struct knowledge *k;
    int64_t at;
    const char *author, *reason;
    bool done;
};

static int withdraw(void *ctx, const struct publication *p, struct fault *why)
{
    struct withdrawal *w = ctx;
    char text[PASSAGE_REASON_MAX];
    struct publication next = *p;
    if (p->stage == STAGE_OUT)
        return E_OK;
    snprintf(text, sizeof text, "withdrawn by %.128s: %.1100s", w->author, w->reason);
    next.stage = STAGE_OUT;
    next.since = w->at;
    next.due = 0;
    next.held = HELD_NOT;
    next.approved_by = "";
    next.reason = text;
    w->done = true;
    int rc = publication_put(w->k, &next, w->at, w->author, why);
    return rc ? rc : record(w->k, p, w->at, w->author, w->reason, why);
}

int targets_withdraw(struct knowledge *k, const char *name, enum trigger trigger, int64_t at, const char *author, const char *reason,
                     struct fault *why)
{
    struct withdrawal w = { .k = k, .at = at, .author = author, .reason = reason };
    int rc = publication_find(k, name, trigger, withdraw, &w, why);
    return rc || w.done ? rc : fault_set(why, E_ABSENT, "%s: nothing of this name is published, or waits to be", name);
}
