#include "protect/excepted.h"

#include "knowledge/decision.h"

#include <stdlib.h>
#include <string.h>

void excepted_release(struct excepted *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->all[i].name);
    free(e->all);
    *e = (struct excepted){ .all = NULL };
}

static int compare(const struct excepted_name *a, const struct excepted_name *b)
{
    int order = strcmp(a->name, b->name);
    return order ? order : (a->trigger > b->trigger) - (a->trigger < b->trigger);
}

/* Where it is, or would be. */
static size_t place_of(const struct excepted *e, const struct excepted_name *name)
{
    size_t low = 0, high = e->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&e->all[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool excepted_has(const struct excepted *e, const struct excepted_name *name)
{
    size_t at = place_of(e, name);
    return at < e->n && compare(&e->all[at], name) == 0;
}

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for what is allowed");
}

int excepted_add(struct excepted *e, const struct excepted_name *name, struct fault *why)
{
    if (e->n == e->room) {
        size_t room = e->room ? 2 * e->room : 64;
        struct excepted_name *more = reallocarray(e->all, room, sizeof *more);
        if (more == NULL)
            return no_memory(why);
        e->all = more;
        e->room = room;
    }
    char *copy = strdup(name->name);
    if (copy == NULL)
        return no_memory(why);
    size_t at = place_of(e, name);
    memmove(&e->all[at + 1], &e->all[at], (e->n++ - at) * sizeof *e->all);
    e->all[at] = (struct excepted_name){ copy, name->trigger };
    return E_OK;
}

void excepted_drop(struct excepted *e, size_t i)
{
    free(e->all[i].name);
    memmove(&e->all[i], &e->all[i + 1], (--e->n - i) * sizeof *e->all);
}

static int take(void *ctx, const struct decision *d, struct fault *why)
{
    const struct excepted_name name = { (char *)d->name, d->scope == SCOPE_HOST ? TRIGGER_HOST : TRIGGER_DOMAIN };
    return excepted_has(ctx, &name) ? E_OK : excepted_add(ctx, &name, why);
}

int excepted_load(struct excepted *ret, struct knowledge *k, int64_t at, struct fault *why)
{
    while (ret->n > 0)
        excepted_drop(ret, ret->n - 1);
    return decision_each(k, DECISION_ALLOW, at, take, ret, why);
}
