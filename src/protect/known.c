#include "protect/known.h"

#include <jansson.h>
#include <string.h>

enum { TEXTS_CHUNK = 1 << 14 };

void known_init(struct known_from *from, struct knowledge *k, const struct protection *policy, const struct guard *guard, int64_t now)
{
    *from = (struct known_from){ .k = k, .policy = policy, .guard = guard, .now = now };
    arena_init(&from->texts, TEXTS_CHUNK);
}

void known_release(struct known_from *from)
{
    arena_release(&from->texts);
}

/* ---- rows, whose texts are copied ---- */

static const char *keep(struct known *n, const char *text)
{
    size_t len = strlen(text) + 1;
    char *to = arena_alloc(n->texts, len);
    return to != NULL ? memcpy(to, text, len) : NULL;
}

static int kept(bool whole, struct fault *why)
{
    return whole ? E_OK : fault_set(why, E_NOMEM, "no memory for what is known of a name");
}

static int keep_indicator(void *ctx, const struct indicator *i, struct fault *why)
{
    struct known *n = ctx;
    n->indicator = *i;
    n->indicator.name = keep(n, i->name);
    n->indicator.categories = keep(n, i->categories);
    n->indicator.family = keep(n, i->family);
    n->indicator.reason = keep(n, i->reason);
    n->c.indicator = &n->indicator;
    return kept(n->indicator.name && n->indicator.categories && n->indicator.family && n->indicator.reason, why);
}

static int keep_publication(void *ctx, const struct publication *p, struct fault *why)
{
    struct known *n = ctx;
    n->before = *p;
    n->before.name = keep(n, p->name);
    n->before.approved_by = keep(n, p->approved_by);
    n->before.reason = keep(n, p->reason);
    n->before.categories = keep(n, p->categories);
    n->before.family = keep(n, p->family);
    n->c.before = &n->before;
    return kept(n->before.name && n->before.approved_by && n->before.reason && n->before.categories && n->before.family, why);
}

static int keep_decision(struct known *n, struct decision *to, const struct decision *d, struct fault *why)
{
    *to = *d;
    to->name = keep(n, d->name);
    to->author = keep(n, d->author);
    to->reason = keep(n, d->reason);
    return kept(to->name && to->author && to->reason, why);
}

/* A word on the host alone is none on the domain. */
static int keep_word(void *ctx, const struct decision *d, struct fault *why)
{
    struct known *n = ctx;
    if (d->scope == SCOPE_HOST && n->indicator.scope == SCOPE_DOMAIN)
        return E_OK;
    n->c.word = &n->word;
    return keep_decision(n, &n->word, d, why);
}

static int keep_withdrawal(void *ctx, const struct decision *d, struct fault *why)
{
    struct known *n = ctx;
    n->c.withdrawal = &n->withdrawal;
    return keep_decision(n, &n->withdrawal, d, why);
}

/* The blast radius, as the verdict's reason tells. */
static int keep_clients(void *ctx, const struct verdict *v, struct fault *why)
{
    struct known *n = ctx;
    json_t *reason = json_loads(v->reason, 0, NULL);
    json_int_t clients = json_integer_value(json_object_get(json_object_get(reason, "hit"), "clients"));
    (void)why;
    n->c.clients = clients > 0 ? (uint64_t)clients : 0;
    json_decref(reason);
    return E_OK;
}

/* ---- finding ---- */

static int find_words(const struct known_from *from, struct known *n, const char *name, struct fault *why)
{
    if (!from->any_words)
        return E_OK;
    int rc = decision_covering(from->k, name, from->now, keep_word, n, why);
    return rc ? rc : decision_withdrawal(from->k, name, from->now, keep_withdrawal, n, why);
}

/* Of what was approved, nobody asks any more how many it hits. */
static int find_indicator(const struct known_from *from, const struct agenda_item *item, struct known *n, struct fault *why)
{
    enum scope scope = trigger_scope(item->trigger);
    if (!trigger_has_scope(item->trigger))
        return E_OK;
    int rc = indicator_find(from->k, item->name, scope, keep_indicator, n, why);
    if (rc == 0 && n->c.indicator != NULL)
        rc = find_words(from, n, item->name, why);
    bool approved = n->c.before != NULL && n->c.before->approved_by[0] != '\0';
    return rc || approved ? rc : verdict_find(from->k, item->name, scope, KNOWLEDGE_NOW, keep_clients, n, why);
}

int known_find(struct known_from *from, const struct agenda_item *item, bool capped, struct known *ret, struct fault *why)
{
    *ret = (struct known){
        .c = { .policy = from->policy, .now = from->now, .data_time = from->data_time, .author = item->author, .capped = capped },
        .texts = &from->texts,
    };
    arena_reset(&from->texts);
    ret->c.guard = guard_check(from->guard, item->trigger, item->name, ret->guard_why);
    ret->c.guard_why = ret->guard_why;
    int rc = publication_find(from->k, item->name, item->trigger, keep_publication, ret, why);
    return rc ? rc : find_indicator(from, item, ret, why);
}
