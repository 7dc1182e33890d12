#include "protect/feed/cover.h"

#include "base/hash.h"

/* All in one table: each kind hashes otherwise. */
enum kind { DOMAINS, NAMESERVERS, EXCEPTED_DOMAINS, EXCEPTED_HOSTS };

static enum kind listed(enum trigger trigger)
{
    return trigger == TRIGGER_NAMESERVER ? NAMESERVERS : DOMAINS;
}

static enum kind excepted(enum trigger trigger)
{
    return trigger == TRIGGER_HOST ? EXCEPTED_HOSTS : EXCEPTED_DOMAINS;
}

static uint64_t hash_of(enum kind kind, const uint8_t *wire, size_t len)
{
    uint64_t hash = hash_memory(wire, len, hash_secret() + kind);
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

static int add(struct feed_cover *c, enum kind kind, const uint8_t *wire, size_t len, struct fault *why)
{
    if (c->count >= c->size / 2 && grow(c) != 0)
        return fault_set(why, E_NOMEM, "no memory for the domains that are blocked");
    uint64_t hash = hash_of(kind, wire, len), *slot = &c->slots[slot_of(c, hash)];
    c->count += *slot == 0;
    *slot = hash;
    return E_OK;
}

/* What is no name is in no feed. */
static int add_text(struct feed_cover *c, enum kind kind, const char *name, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(name, strlen(name), wire);
    if (len <= 1)
        return E_OK;
    name_lower_copy(wire, wire, len);
    return add(c, kind, wire, len, why);
}

int feed_cover_add(struct feed_cover *c, const struct publication *p, enum feed_action action, struct fault *why)
{
    if (action == FEED_PASSTHRU || (p->trigger != TRIGGER_DOMAIN && p->trigger != TRIGGER_NAMESERVER))
        return E_OK;
    return add_text(c, listed(p->trigger), p->name, why);
}

int feed_cover_add_name(struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len, struct fault *why)
{
    return add(c, listed(trigger), wire, len, why);
}

int feed_cover_except(struct feed_cover *c, enum trigger trigger, const char *name, struct fault *why)
{
    return add_text(c, excepted(trigger), name, why);
}

void feed_cover_release(struct feed_cover *c)
{
    free(c->slots);
    *c = (struct feed_cover){ .count = 0 };
}

static bool has(const struct feed_cover *c, enum kind kind, const uint8_t *wire, size_t len)
{
    return c->count != 0 && c->slots[slot_of(c, hash_of(kind, wire, len))] != 0;
}

bool feed_cover_has(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len)
{
    return has(c, listed(trigger), wire, len);
}

bool feed_cover_has_above(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len)
{
    for (size_t at = 1u + wire[0]; at + 1 < len; at += 1u + wire[at]) {
        if (trigger != TRIGGER_NAMESERVER && has(c, EXCEPTED_DOMAINS, wire + at, len - at))
            return false;
        if (has(c, listed(trigger), wire + at, len - at))
            return true;
    }
    return false;
}

bool feed_cover_excepts(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len)
{
    return has(c, excepted(trigger), wire, len);
}

bool feed_cover_excepts_above(const struct feed_cover *c, const uint8_t *wire, size_t len)
{
    for (size_t at = 1u + wire[0]; at + 1 < len; at += 1u + wire[at])
        if (has(c, EXCEPTED_DOMAINS, wire + at, len - at))
            return true;
    return false;
}
