/* Sets of campaigns: look-ups, and bytes: a version, the number of campaigns, and of each identity, born, number of members; of each member
 * its key's length, key, joined, idle. Numbers are varints. */
#include <stdlib.h>

#include "detect/campaign/campaign.h"
#include "dns/name.h"

enum { SET_CHUNK = 1 << 16, SET_VERSION = 1, PART_BYTES_MIN = 4, BODY_BYTES_MIN = 3 };

void campaign_set_init(struct campaign_set *set)
{
    *set = (struct campaign_set){ 0 };
    arena_init(&set->memory, SET_CHUNK);
}

void campaign_set_release(struct campaign_set *set)
{
    arena_release(&set->memory);
    *set = (struct campaign_set){ 0 };
}

static int compare_place(const void *name, const void *place)
{
    return slice_compare(*(const struct slice *)name, ((const struct campaign_place *)place)->name);
}

static int compare_tie(const void *name, const void *tie)
{
    return slice_compare(*(const struct slice *)name, ((const struct campaign_tie *)tie)->name);
}

const struct campaign_body *campaign_with(const struct campaign_set *set, struct slice name)
{
    const struct campaign_place *place =
        set->n_places ? bsearch(&name, set->places, set->n_places, sizeof *set->places, compare_place) : NULL;
    return place == NULL ? NULL : &set->bodies[place->body];
}

const struct campaign_tie *campaign_tie_of(const struct campaign_set *set, struct slice name)
{
    return set->n_ties ? bsearch(&name, set->ties, set->n_ties, sizeof *set->ties, compare_tie) : NULL;
}

void campaign_set_put(const struct campaign_set *set, struct buffer *to)
{
    buffer_u8(to, SET_VERSION);
    buffer_varint(to, set->n);
    for (size_t i = 0; i < set->n; i++) {
        const struct campaign_body *body = &set->bodies[i];
        buffer_varint(to, body->identity);
        buffer_varint(to, body->born);
        buffer_varint(to, body->n);
        for (size_t m = 0; m < body->n; m++) {
            buffer_varint(to, body->parts[m].name.len);
            buffer_append(to, body->parts[m].name.ptr, body->parts[m].name.len);
            buffer_varint(to, body->parts[m].joined);
            buffer_varint(to, body->parts[m].idle);
        }
    }
}

static uint64_t number(struct cursor *c, uint64_t most)
{
    uint64_t v = cursor_varint(c);
    c->failed |= v > most;
    return c->failed ? 0 : v;
}

static void get_part(struct cursor *c, struct arena *memory, struct campaign_part *part)
{
    size_t len = number(c, NAME_KEY_MAX);
    const uint8_t *key = cursor_take(c, len);
    if (key == NULL || name_key_length(key, len) != len || len < 2) {
        c->failed = true;
        return;
    }
    uint8_t *copy = arena_alloc(memory, len);
    if (copy != NULL)
        memcpy(copy, key, len);
    part->name = (struct slice){ copy, copy == NULL ? 0 : len };
    part->joined = (uint32_t)number(c, UINT32_MAX);
    part->idle = (uint16_t)number(c, CAMPAIGN_IDLE_MAX);
}

static bool get_body(struct cursor *c, struct arena *memory, struct campaign_body *body)
{
    body->identity = cursor_varint(c);
    body->born = (uint32_t)number(c, UINT32_MAX);
    size_t n = number(c, CAMPAIGN_PARTS_MAX);
    c->failed |= n == 0 || n > cursor_left(c) / PART_BYTES_MIN || body->identity == 0;
    body->parts = c->failed ? NULL : arena_alloc(memory, n * sizeof *body->parts);
    for (body->n = 0; body->parts != NULL && !c->failed && body->n < n; body->n++) {
        struct campaign_part *part = &body->parts[body->n];
        *part = (struct campaign_part){ 0 };
        get_part(c, memory, part);
        if (!c->failed && part->name.ptr == NULL)
            return false;
        c->failed |= body->n && slice_compare(part[-1].name, part->name) >= 0;
    }
    return c->failed || body->parts != NULL;
}

static bool older(const struct campaign_body *a, const struct campaign_body *b)
{
    return a->born < b->born || (a->born == b->born && a->identity < b->identity);
}

static int compare_places(const void *a, const void *b)
{
    return slice_compare(((const struct campaign_place *)a)->name, ((const struct campaign_place *)b)->name);
}

/* A name may be in one campaign. */
static bool make_places(struct campaign_set *set, struct cursor *c)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        n += set->bodies[i].n;
    set->places = arena_alloc(&set->memory, n * sizeof *set->places);
    if (set->places == NULL)
        return false;
    for (size_t i = 0; i < set->n; i++)
        for (size_t m = 0; m < set->bodies[i].n; m++)
            set->places[set->n_places++] = (struct campaign_place){ set->bodies[i].parts[m].name, i };
    qsort(set->places, n, sizeof *set->places, compare_places);
    for (size_t i = 1; i < n; i++)
        c->failed |= compare_places(&set->places[i - 1], &set->places[i]) == 0;
    return true;
}

int campaign_set_get(struct campaign_set *ret, struct slice from, struct fault *why)
{
    struct cursor c = cursor_over(from.ptr, from.len);
    struct campaign_set set;
    campaign_set_init(&set);
    c.failed |= cursor_u8(&c) != SET_VERSION;
    size_t n = number(&c, cursor_left(&c) / BODY_BYTES_MIN);
    set.bodies = arena_alloc(&set.memory, n * sizeof *set.bodies);
    bool memory = set.bodies != NULL;
    for (; memory && !c.failed && set.n < n; set.n++) {
        memory = get_body(&c, &set.memory, &set.bodies[set.n]);
        c.failed |= set.n && !older(&set.bodies[set.n - 1], &set.bodies[set.n]);
    }
    c.failed |= cursor_left(&c) != 0;
    if (memory && !c.failed)
        memory = make_places(&set, &c);
    if (memory && !c.failed) {
        campaign_set_release(ret);
        *ret = set;
        return 0;
    }
    campaign_set_release(&set);
    return memory ? fault_set(why, E_CORRUPT, "campaigns: not as they were written") : fault_set(why, E_NOMEM, "campaigns: out of memory");
}
