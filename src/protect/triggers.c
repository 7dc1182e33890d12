#include "protect/triggers.h"

#include "knowledge/decision.h"

#include <stdlib.h>
#include <string.h>

static void clear(struct triggers *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->all[i].name);
    t->n = 0;
}

void triggers_release(struct triggers *t)
{
    clear(t);
    free(t->all);
    *t = (struct triggers){ .all = NULL };
}

static int compare(const struct triggers_item *item, enum trigger trigger, const char *name)
{
    int order = strcmp(item->name, name);
    return order ? order : (item->trigger > trigger) - (item->trigger < trigger);
}

/* Where it is, or would be. */
static size_t place_of(const struct triggers *t, enum trigger trigger, const char *name)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&t->all[middle], trigger, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct triggers_item *triggers_find(const struct triggers *t, enum trigger trigger, const char *name)
{
    size_t at = place_of(t, trigger, name);
    return at < t->n && compare(&t->all[at], trigger, name) == 0 ? &t->all[at] : NULL;
}

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for a list of triggers");
}

int triggers_put(struct triggers *t, enum trigger trigger, const char *name, int action, struct fault *why)
{
    struct triggers_item *there = triggers_find(t, trigger, name);
    if (there != NULL) {
        there->action = action;
        return E_OK;
    }
    if (t->n == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct triggers_item *more = reallocarray(t->all, room, sizeof *more);
        if (more == NULL)
            return no_memory(why);
        t->all = more;
        t->room = room;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return no_memory(why);
    size_t at = place_of(t, trigger, name);
    memmove(t->all + at + 1, t->all + at, (t->n++ - at) * sizeof *t->all);
    t->all[at] = (struct triggers_item){ copy, trigger, action };
    return E_OK;
}

void triggers_drop(struct triggers *t, size_t i)
{
    free(t->all[i].name);
    memmove(t->all + i, t->all + i + 1, (--t->n - i) * sizeof *t->all);
}

static int take(void *ctx, const struct decision *d, struct fault *why)
{
    return triggers_put(ctx, d->scope == SCOPE_HOST ? TRIGGER_HOST : TRIGGER_DOMAIN, d->name, 0, why);
}

int triggers_load_allowed(struct triggers *t, struct knowledge *k, int64_t at, struct fault *why)
{
    clear(t);
    return decision_each(k, DECISION_ALLOW, at, take, t, why);
}
