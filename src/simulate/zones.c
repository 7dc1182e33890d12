#include "simulate/zones.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAP_FIRST = 1 << 14, ZONES_MAX = 1 << 24 };

const char *zone_kind_text(enum zone_kind kind)
{
    static const char *const texts[] = {
#define XX(name, text) text,
        ZONE_KIND_MAP(XX)
#undef XX
    };
    return texts[kind];
}

int zones_init(struct zones *z, uint32_t clients)
{
    *z = (struct zones){ .client_words = clients / 64 + 1, .map_mask = MAP_FIRST - 1 };
    z->map = calloc(MAP_FIRST, sizeof *z->map);
    if (z->map == NULL)
        return E_NOMEM;
    bool fresh;
    zones_add(z, ".", 0, &fresh);
    if (z->n == 0)
        return E_NOMEM;
    z->all[0].kind = ZONE_ROOT;
    z->all[0].plan = PLAN_ROOT;
    return E_OK;
}

void zones_release(struct zones *z)
{
    for (uint32_t i = 0; i < z->n; i++)
        free(z->all[i].clients.bits);
    free(z->all);
    free(z->names);
    free(z->map);
    *z = (struct zones){ 0 };
}

static uint32_t *slot_of(const struct zones *z, uint32_t *map, uint32_t mask, const uint8_t *wire, size_t len)
{
    uint32_t at = (uint32_t)hash_stable(wire, len) & mask;
    while (map[at] != 0) {
        const struct zone *zone = &z->all[map[at] - 1];
        if (zone->wire_len == len && memcmp(zones_wire(z, zone), wire, len) == 0)
            break;
        at = (at + 1) & mask;
    }
    return &map[at];
}

uint32_t zones_find(const struct zones *z, const char *name)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(name, strlen(name), wire);
    uint32_t found = len ? *slot_of(z, z->map, z->map_mask, wire, len) : 0;
    return found ? found - 1 : 0;
}

static bool grow_map(struct zones *z)
{
    uint32_t mask = z->map_mask * 2 + 1, *map = calloc((size_t)mask + 1, sizeof *map);
    if (map == NULL)
        return false;
    for (uint32_t i = 0; i < z->n; i++)
        *slot_of(z, map, mask, zones_wire(z, &z->all[i]), z->all[i].wire_len) = i + 1;
    free(z->map);
    z->map = map;
    z->map_mask = mask;
    return true;
}

/* Room for one more zone and its name. */
static bool make_room(struct zones *z)
{
    if (z->n == z->capacity) {
        uint32_t capacity = z->capacity ? z->capacity * 2 : 4096;
        struct zone *all = z->n < ZONES_MAX ? realloc(z->all, capacity * sizeof *all) : NULL;
        if (all == NULL)
            return false;
        z->all = all;
        z->capacity = capacity;
    }
    if (z->names_capacity - z->names_len < NAME_WIRE_MAX) {
        uint32_t capacity = z->names_capacity ? z->names_capacity * 2 : 1 << 16;
        uint8_t *names = realloc(z->names, capacity);
        if (names == NULL)
            return false;
        z->names = names;
        z->names_capacity = capacity;
    }
    return z->n * 2 < z->map_mask || grow_map(z);
}

/* Length of the last `labels` labels with the root. */
static uint8_t tail_length(const uint8_t *wire, size_t len, unsigned labels)
{
    unsigned n = 0;
    for (size_t i = 0; wire[i] != 0; i += wire[i] + 1u)
        n++;
    size_t at = 0;
    for (; n > labels; n--)
        at += wire[at] + 1u;
    return (uint8_t)(len - at);
}

uint32_t zones_add(struct zones *z, const char *name, unsigned suffix_labels, bool *ret_new)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(name, strlen(name), wire);
    *ret_new = false;
    if (len == 0 || !make_room(z)) {
        z->failed = z->failed || len != 0;
        return 0;
    }
    uint32_t *slot = slot_of(z, z->map, z->map_mask, wire, len);
    if (*slot != 0)
        return *slot - 1;
    memcpy(z->names + z->names_len, wire, len);
    z->all[z->n] = (struct zone){ .wire_at = z->names_len, .wire_len = (uint8_t)len, .kind = ZONE_SITE, .ttl_s = 3600,
                                  .suffix_len = tail_length(wire, len, suffix_labels), .expires_s = ZONE_NEVER,
                                  .moved_s = ZONE_NEVER };
    z->names_len += (uint32_t)len;
    *slot = ++z->n;
    *ret_new = true;
    return z->n - 1;
}

uint32_t zones_make(struct zones *z, struct rng *r, enum naming_manner manner, const char *suffix)
{
    char label[NAMING_LABEL_MAX + 1], name[160];
    bool fresh = false;
    uint32_t zone = 0;
    while (!fresh && !z->failed) {
        naming_label(r, manner, label);
        const char *under = suffix != NULL ? suffix : naming_suffix(r);
        snprintf(name, sizeof name, "%s.%s", label, under);
        unsigned labels = 1;
        for (const char *dot = under; (dot = strchr(dot, '.')) != NULL; dot++)
            labels++;
        zone = zones_add(z, name, labels, &fresh);
    }
    return zone;
}

void zones_label(const struct zones *z, uint32_t zone, char ret[NAMING_LABEL_MAX + 1])
{
    const uint8_t *wire = zones_wire(z, &z->all[zone]);
    memcpy(ret, wire + 1, wire[0]);
    ret[wire[0]] = '\0';
}

static bool to_bits(struct client_set *set, uint32_t words)
{
    set->bits = calloc(words, sizeof *set->bits);
    for (uint32_t i = 0; set->bits != NULL && i < set->n; i++)
        set->bits[set->few[i] / 64] |= UINT64_C(1) << set->few[i] % 64;
    return set->bits != NULL;
}

bool client_set_add(struct client_set *set, uint32_t client, uint32_t words)
{
    if (set->bits == NULL) {
        for (uint32_t i = 0; i < set->n; i++)
            if (set->few[i] == client)
                return true;
        if (set->n < 3) {
            set->few[set->n++] = client;
            return true;
        }
        if (!to_bits(set, words))
            return false;
    }
    uint64_t bit = UINT64_C(1) << client % 64, *word = &set->bits[client / 64];
    set->n += (*word & bit) == 0;
    *word |= bit;
    return true;
}
