#include "protect/agenda.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS_CHUNK = 1 << 16 };

void agenda_init(struct agenda *a)
{
    *a = (struct agenda){ 0 };
    arena_init(&a->texts, TEXTS_CHUNK);
}

void agenda_release(struct agenda *a)
{
    arena_release(&a->texts);
    free(a->items);
    *a = (struct agenda){ 0 };
}

static const char *copy(struct agenda *a, const char *text)
{
    size_t len = strlen(text) + 1;
    char *to = arena_alloc(&a->texts, len);
    return to != NULL ? memcpy(to, text, len) : NULL;
}

static bool make_room(struct agenda *a)
{
    size_t room = a->room ? 2 * a->room : 256;
    struct agenda_item *more = a->n < UINT32_MAX ? reallocarray(a->items, room, sizeof *more) : NULL;
    if (more == NULL)
        return false;
    a->items = more;
    a->room = room;
    return true;
}

int agenda_add(struct agenda *a, const char *name, enum trigger trigger, const char *author, struct fault *why)
{
    struct agenda_item item = { .name = copy(a, name), .trigger = trigger, .order = (uint32_t)a->n,
                                .author = author[0] != '\0' ? copy(a, author) : "" };
    if (item.name == NULL || item.author == NULL || (a->n == a->room && !make_room(a)))
        return fault_set(why, E_NOMEM, "no memory for what is to be published");
    a->items[a->n++] = item;
    return E_OK;
}

static int by_trigger(const void *a, const void *b)
{
    const struct agenda_item *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (c == 0)
        c = (int)x->trigger - (int)y->trigger;
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct agenda_item *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static bool is_same(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->trigger == b->trigger && strcmp(a->name, b->name) == 0;
}

void agenda_close(struct agenda *a)
{
    size_t kept = 0;
    if (a->n == 0)
        return;
    qsort(a->items, a->n, sizeof *a->items, by_trigger);
    for (size_t i = 0; i < a->n; i++) {
        struct agenda_item *last = kept > 0 ? &a->items[kept - 1] : NULL;
        if (last == NULL || !is_same(last, &a->items[i]))
            a->items[kept++] = a->items[i];
        else if (last->author[0] == '\0')
            last->author = a->items[i].author;
    }
    a->n = kept;
    qsort(a->items, a->n, sizeof *a->items, by_order);
}
