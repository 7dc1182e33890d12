#include "protect/feed/cover.h"

#include "base/hash.h"

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

static int add(struct feed_cover *c, enum kind kind, const uint8_t *wire, size_t len, struct fault *why)
{
    return hashset_add(&c->names, hash_of(kind, wire, len)) < 0 ? fault_set(why, E_NOMEM, "no memory for the domains that are blocked") : E_OK;
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
    hashset_release(&c->names);
}

static bool has(const struct feed_cover *c, enum kind kind, const uint8_t *wire, size_t len)
{
    return hashset_has(&c->names, hash_of(kind, wire, len));
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
