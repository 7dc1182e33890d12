#include "protect/feed/uuid.h"

#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>

/* uuid5(DNS name space, "dnsmon.invalid"), and the constant of the STIX specification. */
const struct uuid uuid_dnsmon = { { 0x13, 0x6a, 0x37, 0x22, 0xb2, 0x09, 0x55, 0xab, 0xb5, 0x48, 0x04, 0x3a, 0xae, 0xac, 0xac, 0x75 } };
const struct uuid uuid_stix = { { 0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7 } };

struct uuid uuid_of(const struct uuid *space, const char *kind, const char *name)
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct uuid id;
    struct sha1_ctx sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, sizeof space->bytes, space->bytes);
    if (kind[0] != '\0') {
        sha1_update(&sha1, strlen(kind), (const uint8_t *)kind);
        sha1_update(&sha1, 1, (const uint8_t *)" ");
    }
    sha1_update(&sha1, strlen(name), (const uint8_t *)name);
    sha1_digest(&sha1, sizeof digest, digest);
    memcpy(id.bytes, digest, sizeof id.bytes);
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x50);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

void uuid_text(const struct uuid *id, char text[UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *text++ = '-';
        *text++ = hex[id->bytes[i] >> 4];
        *text++ = hex[id->bytes[i] & 15];
    }
    *text = '\0';
}

static bool is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool uuid_parse(const char *text, struct uuid *ret)
{
    static const char hex[] = "0123456789abcdef";
    struct uuid id = { { 0 } };
    size_t digits = 0;
    for (size_t at = 0; at < UUID_TEXT - 1; at++) {
        const char *digit = text[at] != '\0' ? strchr(hex, text[at]) : NULL;
        if (is_dash(at) ? text[at] != '-' : digit == NULL)
            return false;
        if (!is_dash(at)) {
            id.bytes[digits / 2] |= (uint8_t)((digit - hex) << (digits % 2 ? 0 : 4));
            digits++;
        }
    }
    *ret = id;
    return true;
}

/* ---- a set ---- */

/* They are hashes of their own. */
static size_t slot_of(const struct uuid_set *set, const struct uuid *id)
{
    size_t at = get_le64(id->bytes) & (set->slot_count - 1);
    while (set->slots[at] != 0 && memcmp(set->ids[set->slots[at] - 1].bytes, id->bytes, 16) != 0)
        at = (at + 1) & (set->slot_count - 1);
    return at;
}

static int grow(struct uuid_set *set)
{
    size_t capacity = set->capacity ? 2 * set->capacity : 64;
    struct uuid *ids = realloc(set->ids, capacity * sizeof *ids);
    if (ids == NULL)
        return E_NOMEM;
    set->ids = ids;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (slots == NULL)
        return E_NOMEM;
    free(set->slots);
    set->slots = slots;
    set->slot_count = 2 * capacity;
    set->capacity = capacity;
    for (size_t i = 0; i < set->count; i++)
        slots[slot_of(set, &ids[i])] = (uint32_t)i + 1;
    return E_OK;
}

int uuid_set_add(struct uuid_set *set, const struct uuid *id, size_t *ret_number, bool *ret_new)
{
    if (set->count == set->capacity && grow(set) != 0)
        return E_NOMEM;
    size_t slot = slot_of(set, id);
    *ret_new = set->slots[slot] == 0;
    if (*ret_new) {
        set->ids[set->count++] = *id;
        set->slots[slot] = (uint32_t)set->count;
    }
    *ret_number = set->slots[slot] - 1;
    return E_OK;
}

bool uuid_set_has(const struct uuid_set *set, const struct uuid *id)
{
    return set->count != 0 && set->slots[slot_of(set, id)] != 0;
}

void uuid_set_release(struct uuid_set *set)
{
    free(set->ids);
    free(set->slots);
    *set = (struct uuid_set){ .count = 0 };
}
