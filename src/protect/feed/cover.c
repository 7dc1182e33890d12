#include "protect/feed/cover.h"

#include "base/hash.h"

static uint64_t hash_of(enum trigger trigger, const uint8_t *wire, size_t len)
{
    uint64_t hash = hash_memory(wire, len, hash_secret() + (trigger == TRIGGER_NAMESERVER));
    return hash != 0 ? hash : 1;
}

static size_t slot_of(const struct feed_cover *c, uint64_t hash)
{
    size_t at = hash & (c->size - 1);
    while (c->slots[at] != 0 && c->slots[at] != hash)
        at = (at + 1) & (c->size - 1);
    return at;
}

static int grow(struct feed_cover *c)
{
    struct feed_cover larger = { .size = c->size ? 2 * c->size : 1024, .count = c->count };
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < c->size; i++)
        if (c->slots[i] != 0)
            larger.slots[slot_of(&larger, c->slots[i])] = c->slots[i];
    free(c->slots);
    *c = larger;
    return E_OK;
}

int feed_cover_add(struct feed_cover *c, const struct publication *p, enum feed_action action, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    if (action == FEED_PASSTHRU || (p->trigger != TRIGGER_DOMAIN && p->trigger != TRIGGER_NAMESERVER))
        return E_OK;
    size_t len = name_from_text(p->name, strlen(p->name), wire);
    if (len <= 1)
        return E_OK; /* no name: no feed has it */
    if (c->count >= c->size / 2 && grow(c) != 0)
        return fault_set(why, E_NOMEM, "no memory for the domains that are blocked");
    name_lower_copy(wire, wire, len);
    uint64_t hash = hash_of(p->trigger, wire, len), *slot = &c->slots[slot_of(c, hash)];
    c->count += *slot == 0;
    *slot = hash;
    return E_OK;
}

void feed_cover_release(struct feed_cover *c)
{
    free(c->slots);
    *c = (struct feed_cover){ .count = 0 };
}

bool feed_cover_has(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len)
{
    return c->count != 0 && c->slots[slot_of(c, hash_of(trigger, wire, len))] != 0;
}

bool feed_cover_has_above(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len)
{
    for (size_t at = 1u + wire[0]; at + 1 < len; at += 1u + wire[at])
        if (feed_cover_has(c, trigger, wire + at, len - at))
            return true;
    return false;
}
