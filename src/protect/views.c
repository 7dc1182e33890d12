#include "protect/views.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "knowledge/analysis.h"
#include "protect/agenda.h"
#include "protect/nest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASS "passthru"
#define MEMORY "views" /* setting: digest of the views and the serial of the version since which they are so */

enum {
    REFRESH_S = 60,
    RETRY_S = 30,
    EXPIRE_S = 30 * 86400, /* secondaries go on without us */
    MINIMUM_S = 30,
    MEMORY_MAX = 64,
    VERSIONS_MAX = 1 << 20,
};

struct view {
    const struct protection_view *config;
    struct zone *zone;
    bool making; /* a version is under way */
    struct nest nest;
    struct triggers excepted; /* of what operators allow, what lies below something that it blocks */
};

struct views {
    const struct protection *p;
    struct view *view;
    unsigned n;
    int64_t serial;      /* of the last version that was applied */
    int64_t last_change; /* of the journal, in it */
    uint64_t refused;
    struct fault refused_why; /* the last time */
    struct triggers allowed;  /* in the version under way */
    struct agenda changed;    /* by it */
    bool broken;              /* a version failed half-way: nests are not whole */
};

/* ---- zones ---- */

static int create_zone(struct view *v, struct fault *why)
{
    const struct zone_options options = {
        .origin = v->config->zone, .ns = "localhost.", .mname = "localhost.", .rname = "hostmaster.localhost.",
        .ttl_s = v->config->ttl_s, .refresh_s = REFRESH_S, .retry_s = RETRY_S, .expire_s = EXPIRE_S, .minimum_s = MINIMUM_S,
        .journal_max = VIEWS_JOURNAL,
    };
    unsigned action;
    int rc = zone_create(&v->zone, &options, why);
    if (rc == 0)
        rc = zone_action(v->zone, v->config->action, &action, why);
    for (unsigned i = 0; rc == 0 && i < v->config->n_actions; i++)
        rc = zone_action(v->zone, v->config->actions[i].action, &action, why);
    return rc;
}

int views_create(struct views **ret, const struct protection *p, struct fault *why)
{
    struct views *v = calloc(1, sizeof *v);
    int rc = v != NULL && (v->view = calloc(p->n_views + 1, sizeof *v->view)) != NULL
                 ? E_OK
                 : fault_set(why, E_NOMEM, "no memory for policy zones");
    if (rc == 0)
        v->p = p;
    for (unsigned i = 0; rc == 0 && i < p->n_views; i++) {
        v->view[i].config = &p->views[i];
        v->n++;
        rc = create_zone(&v->view[i], why);
    }
    if (rc != 0)
        views_destroy(&v);
    *ret = v;
    return rc;
}

void views_destroy(struct views **v)
{
    if (*v == NULL)
        return;
    for (unsigned i = 0; i < (*v)->n; i++) {
        zone_destroy(&(*v)->view[i].zone);
        nest_release(&(*v)->view[i].nest);
        triggers_release(&(*v)->view[i].excepted);
    }
    triggers_release(&(*v)->allowed);
    agenda_release(&(*v)->changed);
    free((*v)->view);
    free(*v);
    *v = NULL;
}

unsigned views_count(const struct views *v)
{
    return v->n;
}

struct zone *views_zone(const struct views *v, unsigned i)
{
    return v->view[i].zone;
}

uint64_t views_refused(const struct views *v, const char **ret_why)
{
    *ret_why = v->refused_why.text;
    return v->refused;
}

/* ---- versions ---- */

static int begin(struct view *v, int64_t serial, struct fault *why)
{
    int rc = v->making ? E_OK : zone_begin(v->zone, (uint32_t)serial, why);
    v->making = v->making || rc == 0;
    return rc;
}

static void abort_all(struct views *v)
{
    for (unsigned i = 0; i < v->n; i++) {
        if (v->view[i].making)
            zone_abort(v->view[i].zone);
        v->view[i].making = false;
    }
}

static int commit_all(struct views *v, struct fault *why)
{
    for (unsigned i = 0; i < v->n; i++) {
        if (!v->view[i].making)
            continue;
        int rc = zone_commit(v->view[i].zone, why);
        if (rc != 0)
            return rc;
        v->view[i].making = false;
    }
    return E_OK;
}

/* Counts what a zone refused; other failures are the caller's. */
static int refuse(struct views *v, int rc, const struct fault *why)
{
    if (rc != E_MALFORMED)
        return rc;
    v->refused++;
    v->refused_why = *why;
    return E_OK;
}

/* Makes what a view wants of a trigger what it has to be, in the version `serial`. */
static int want(struct views *v, struct view *view, enum trigger trigger, const char *name, int action, int64_t serial, struct fault *why)
{
    if (nest_find(&view->nest, view->zone, trigger, name) == action)
        return E_OK;
    int rc = begin(view, serial, why);
    return rc ? rc : refuse(v, nest_put(&view->nest, view->zone, trigger, name, action, why), why);
}

static int show_in(struct views *v, struct view *view, const struct publication *p, int64_t serial, struct fault *why)
{
    unsigned action = 0;
    bool shown = protection_shows(v->p, view->config, p);
    int rc = shown ? zone_action(view->zone, protection_action(view->config, p), &action, why) : E_OK;
    return rc ? rc : want(v, view, p->trigger, p->name, shown ? (int)action : -1, serial, why);
}

struct showing {
    struct views *v;
    int64_t serial;
};

static int show(void *ctx, const struct publication *p, struct fault *why)
{
    struct showing *s = ctx;
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < s->v->n; i++)
        rc = show_in(s->v, &s->v->view[i], p, s->serial, why);
    return rc;
}

static int show_change(void *ctx, const struct publication_change *c, struct fault *why)
{
    struct showing *s = ctx;
    int rc = agenda_add(&s->v->changed, c->now.name, c->now.trigger, "", why);
    return rc ? rc : show(ctx, &c->now, why);
}

static int begin_all(struct views *v, int64_t serial, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < v->n; i++)
        rc = begin(&v->view[i], serial, why);
    return rc;
}

/* ---- what is allowed below what is blocked ---- */

static int passing(struct view *view)
{
    unsigned action = 0;
    return zone_action(view->zone, PASS, &action, NULL) == 0 ? (int)action : -1;
}

/* Of a trigger whose exception ends; what is published of it is put by the version's changes, which come after. */
static int end_exception(struct views *v, struct view *view, size_t i, int64_t serial, struct fault *why)
{
    const struct triggers_item *e = &view->excepted.all[i];
    int rc = want(v, view, e->trigger, e->name, -1, serial, why);
    rc = rc ? rc : agenda_add(&v->changed, e->name, e->trigger, "", why);
    triggers_drop(&view->excepted, i);
    return rc;
}

static int end_exceptions(struct views *v, struct view *view, int64_t serial, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = view->excepted.n; rc == 0 && i > 0; i--)
        if (triggers_find(&v->allowed, view->excepted.all[i - 1].trigger, view->excepted.all[i - 1].name) == NULL)
            rc = end_exception(v, view, i - 1, serial, why);
    return rc;
}

static bool is_below_blocked(struct view *view, const char *name)
{
    int above = nest_above(&view->nest, view->zone, name);
    return above >= 0 && above != passing(view);
}

static int begin_exception(struct views *v, struct view *view, const struct triggers_item *e, int64_t serial, struct fault *why)
{
    int rc = want(v, view, e->trigger, e->name, passing(view), serial, why);
    rc = rc ? rc : agenda_add(&v->changed, e->name, e->trigger, "", why);
    return rc ? rc : triggers_put(&view->excepted, e->trigger, e->name, 0, why);
}

/* Of what is allowed, what lies below something that is blocked now. */
static int begin_exceptions(struct views *v, struct view *view, int64_t serial, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = view->excepted.n; rc == 0 && i > 0; i--)
        if (!is_below_blocked(view, view->excepted.all[i - 1].name))
            rc = end_exception(v, view, i - 1, serial, why);
    for (size_t i = 0; rc == 0 && i < v->allowed.n; i++) {
        const struct triggers_item *e = &v->allowed.all[i];
        if (triggers_find(&view->excepted, e->trigger, e->name) == NULL && is_below_blocked(view, e->name))
            rc = begin_exception(v, view, e, serial, why);
    }
    return rc;
}

/* ---- rules below others ---- */

static int settle(struct views *v, struct view *view, int64_t serial, struct fault *why)
{
    int rc = E_OK;
    (void)serial;
    if (!view->making || !view->nest.is_due)
        return E_OK;
    for (size_t i = 0; rc == 0 && i < v->changed.n; i++)
        rc = nest_mind(&view->nest, view->zone, v->changed.items[i].trigger, v->changed.items[i].name, why);
    return rc ? rc : nest_settle(&view->nest, view->zone, why);
}

static int for_views(struct views *v, int64_t serial, int (*what)(struct views *v, struct view *view, int64_t serial, struct fault *why),
                     struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < v->n; i++)
        rc = what(v, &v->view[i], serial, why);
    return rc;
}

/* The next version, its changes being those of the journal after v->last_change. */
static int make_version(struct views *v, struct knowledge *k, const struct version *version, struct fault *why)
{
    struct showing s = { v, version->serial };
    agenda_release(&v->changed);
    agenda_init(&v->changed);
    int rc = triggers_load_allowed(&v->allowed, k, version->serial, why);
    if (rc == 0)
        rc = for_views(v, version->serial, end_exceptions, why);
    if (rc == 0)
        rc = version->changes == 0 ? begin_all(v, version->serial, why)
                                   : publication_changes(k, v->last_change, version->last_change, show_change, &s, why);
    if (rc == 0)
        rc = for_views(v, version->serial, begin_exceptions, why);
    if (rc == 0)
        rc = for_views(v, version->serial, settle, why);
    return rc ? rc : commit_all(v, why);
}

static int apply(struct views *v, struct knowledge *k, const struct version *version, struct fault *why)
{
    if (v->broken)
        return fault_set(why, E_NOMEM, "a version could not be made and was left; start the server anew");
    int rc = make_version(v, k, version, why);
    if (rc != 0) {
        abort_all(v);
        v->broken = true;
        return rc;
    }
    v->serial = version->serial;
    v->last_change = version->last_change;
    return E_OK;
}

/* ---- the version of a new life ---- */

/* Of all that decides which records a history becomes. */
static uint64_t digest_of(const struct views *v)
{
    struct buffer b;
    buffer_init(&b, 16 << 20);
    for (unsigned i = 0; i < v->n; i++) {
        const struct protection_view *c = v->view[i].config;
        buffer_printf(&b, "%s %d %u %s %" PRIu32 " %d\n", c->zone, (int)c->least, c->stages, c->action, c->ttl_s,
                      v->p->infrastructure > 0);
        for (unsigned j = 0; j < c->categories.n; j++)
            buffer_printf(&b, " only %s", c->categories.text[j]);
        for (unsigned j = 0; j < c->n_actions; j++)
            buffer_printf(&b, " %s %s", c->actions[j].category, c->actions[j].action);
    }
    uint64_t digest = hash_stable(b.ptr, b.len);
    buffer_release(&b);
    return digest;
}

/* Since which version the views are as they are; 0 = they are not. */
static int configured_since(const struct views *v, struct knowledge *k, int64_t *ret, struct fault *why)
{
    struct buffer text;
    uint64_t digest = 0;
    int64_t serial = 0;
    buffer_init(&text, MEMORY_MAX);
    int rc = setting_get(k, MEMORY, &text, why);
    buffer_u8(&text, '\0');
    if (rc == 0 && !text.failed && sscanf((const char *)text.ptr, "%" SCNx64 " %" SCNd64, &digest, &serial) == 2 && digest == digest_of(v))
        *ret = serial;
    else
        *ret = 0;
    buffer_release(&text);
    return rc == E_ABSENT ? E_OK : rc;
}

int views_begin(const struct views *v, struct knowledge *k, int64_t now, struct fault *why)
{
    char text[MEMORY_MAX];
    int64_t since, serial;
    int rc = configured_since(v, k, &since, why);
    if (rc == 0)
        rc = publication_seal(k, now, since ? "the server starts" : "the views are configured anew", &serial, why);
    if (rc != 0 || since != 0)
        return rc;
    snprintf(text, sizeof text, "%016" PRIx64 " %" PRId64, digest_of(v), serial);
    return setting_put(k, MEMORY, text, why);
}

/* ---- loading ---- */

struct versions {
    struct version *all; /* their reasons are not kept */
    size_t n, room;
};

static int keep_version(void *ctx, const struct version *version, struct fault *why)
{
    struct versions *of = ctx;
    if (of->n == of->room) {
        size_t room = of->room ? 2 * of->room : 256;
        struct version *more = room <= VERSIONS_MAX ? reallocarray(of->all, room, sizeof *more) : NULL;
        if (more == NULL)
            return fault_set(why, E_NOMEM, "no memory for the versions of what is published");
        of->all = more;
        of->room = room;
    }
    of->all[of->n] = *version;
    of->all[of->n++].reason = NULL;
    return E_OK;
}

/* The version with which the zones begin: the oldest after which no more changed than a journal holds. */
static size_t choose_first(const struct versions *of)
{
    size_t first = of->n - 1;
    for (int64_t changes = 0; first > 0; first--) {
        changes += of->all[first].changes;
        if (changes > VIEWS_JOURNAL || of->n - first >= VIEWS_JOURNAL_VERSIONS)
            break;
    }
    return first;
}

struct loading {
    struct showing showing;
    struct agenda changed; /* triggers that did after the first version: what is stored of them is not what they were then */
    int64_t until;         /* of the journal, in the first version */
    struct knowledge *k;
};

static int note_change(void *ctx, const struct publication_change *c, struct fault *why)
{
    return agenda_add(ctx, c->now.name, c->now.trigger, "", why);
}

static int show_row(void *ctx, const struct publication_change *c, struct fault *why)
{
    struct loading *l = ctx;
    return c->serial <= l->until ? show(&l->showing, &c->now, why) : E_OK;
}

/* A trigger as it was in the first version: as nothing, or as its last row of then. */
static int show_then(struct views *v, struct loading *l, const struct agenda_item *item, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < v->n; i++)
        rc = want(v, &v->view[i], item->trigger, item->name, -1, l->showing.serial, why);
    return rc ? rc : publication_history(l->k, item->name, item->trigger, show_row, l, why);
}

static int mind(struct views *v, enum trigger trigger, const char *name, struct fault *why)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < v->n; i++)
        rc = nest_mind(&v->view[i].nest, v->view[i].zone, trigger, name, why);
    return rc;
}

static int mind_publication(void *ctx, const struct publication *p, struct fault *why)
{
    return mind(ctx, p->trigger, p->name, why);
}

/* All of them once more, if any lies below another: while they came nobody knew who else would. */
static int nest_all(struct views *v, struct loading *l, struct fault *why)
{
    bool due = false;
    int rc = E_OK;
    for (unsigned i = 0; i < v->n; i++)
        due |= v->view[i].nest.is_due;
    if (due)
        rc = publication_each(l->k, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED, mind_publication, v, why);
    for (size_t i = 0; rc == 0 && due && i < l->changed.n; i++)
        rc = mind(v, l->changed.items[i].trigger, l->changed.items[i].name, why);
    return rc ? rc : for_views(v, l->showing.serial, settle, why);
}

static int load_first(struct views *v, struct loading *l, struct fault *why)
{
    int rc = publication_changes(l->k, l->until, INT64_MAX, note_change, &l->changed, why);
    agenda_close(&l->changed);
    if (rc == 0)
        rc = begin_all(v, l->showing.serial, why);
    if (rc == 0)
        rc = publication_each(l->k, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED, show, &l->showing, why);
    for (size_t i = 0; rc == 0 && i < l->changed.n; i++)
        rc = show_then(v, l, &l->changed.items[i], why);
    if (rc == 0)
        rc = triggers_load_allowed(&v->allowed, l->k, l->showing.serial, why);
    if (rc == 0)
        rc = for_views(v, l->showing.serial, begin_exceptions, why);
    if (rc == 0)
        rc = nest_all(v, l, why);
    return rc ? rc : commit_all(v, why);
}

static int load_from(struct views *v, struct knowledge *k, const struct version *first, struct fault *why)
{
    struct loading l = { .showing = { v, first->serial }, .until = first->last_change, .k = k };
    agenda_init(&l.changed);
    int rc = load_first(v, &l, why);
    if (rc != 0)
        abort_all(v);
    v->serial = first->serial;
    v->last_change = first->last_change;
    agenda_release(&l.changed);
    return rc;
}

static int load(struct views *v, struct knowledge *k, struct fault *why)
{
    struct versions of = { .n = 0 };
    int64_t since;
    int rc = configured_since(v, k, &since, why);
    if (rc == 0)
        rc = version_each(k, since - 1, keep_version, &of, why);
    if (rc == 0 && (since == 0 || of.n == 0))
        rc = fault_set(why, E_ABSENT, "nothing was published yet in these views");
    size_t first = rc == 0 ? choose_first(&of) : 0;
    if (rc == 0)
        rc = load_from(v, k, &of.all[first], why);
    for (size_t i = first + 1; rc == 0 && i < of.n; i++)
        rc = apply(v, k, &of.all[i], why);
    free(of.all);
    return rc;
}

/* Within one view of the file. */
static int reading(struct views *v, struct knowledge *k, int (*what)(struct views *v, struct knowledge *k, struct fault *why),
                   struct fault *why)
{
    int rc = knowledge_begin(k, why);
    if (rc != 0)
        return rc;
    rc = what(v, k, why);
    knowledge_rollback(k);
    return rc;
}

int views_load(struct views *v, struct knowledge *k, struct fault *why)
{
    v->refused = 0;
    return reading(v, k, load, why);
}

static int follow(struct views *v, struct knowledge *k, struct fault *why)
{
    struct versions of = { .n = 0 };
    int rc = version_each(k, v->serial, keep_version, &of, why);
    for (size_t i = 0; rc == 0 && i < of.n; i++)
        rc = apply(v, k, &of.all[i], why);
    free(of.all);
    return rc;
}

int views_follow(struct views *v, struct knowledge *k, bool *ret_changed, struct fault *why)
{
    int64_t before = v->serial;
    int rc = reading(v, k, follow, why);
    *ret_changed = v->serial != before;
    return rc;
}
