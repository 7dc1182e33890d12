/* Subtrees are keys without their final 00, so that a name below begins with them. Those that lie below another one
 * are left out when the list is sealed; then the greatest that is not above a name is the only one that can hold it:
 * whatever sorts between a subtree and a name in it begins with the subtree. */
#include "observe/policy.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/keysort.h"

enum { ARENA_CHUNK = 1 << 14, LIST_START = 64 };

struct list {
    struct keysort_item *items;
    size_t n, capacity;
};

struct policy {
    struct arena keys;
    struct list hosts, subtrees;
    uint8_t (*addresses)[16];
    unsigned n_addresses;
};

int policy_create(struct policy **ret)
{
    struct policy *p = calloc(1, sizeof *p);
    if (p == NULL)
        return E_NOMEM;
    arena_init(&p->keys, ARENA_CHUNK);
    *ret = p;
    return E_OK;
}

void policy_destroy(struct policy **policy)
{
    struct policy *p = *policy;
    if (p == NULL)
        return;
    arena_release(&p->keys);
    free(p->hosts.items);
    free(p->subtrees.items);
    free(p->addresses);
    free(p);
    *policy = NULL;
}

static bool has_room(struct list *l)
{
    if (l->n < l->capacity)
        return true;
    size_t capacity = l->capacity ? 2 * l->capacity : LIST_START;
    struct keysort_item *items = realloc(l->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    l->items = items;
    l->capacity = capacity;
    return true;
}

int policy_add_name(struct policy *p, struct slice owner, enum policy_scope scope)
{
    struct list *l = scope == POLICY_HOST ? &p->hosts : &p->subtrees;
    size_t len = scope == POLICY_HOST ? owner.len : owner.len - 1;
    if (len == 0)
        return E_USAGE;
    if (policy_names(p) == POLICY_NAMES_MAX)
        return E_LIMIT;
    uint8_t *key = has_room(l) ? arena_alloc(&p->keys, len) : NULL;
    if (key == NULL)
        return E_NOMEM;
    memcpy(key, owner.ptr, len);
    l->items[l->n++] = (struct keysort_item){ .key = key, .len = (uint32_t)len };
    return E_OK;
}

int policy_add_address(struct policy *p, const uint8_t address[16])
{
    if (p->n_addresses == POLICY_ADDRESSES_MAX)
        return E_LIMIT;
    uint8_t(*grown)[16] = realloc(p->addresses, (p->n_addresses + 1) * sizeof *grown);
    if (grown == NULL)
        return E_NOMEM;
    p->addresses = grown;
    memcpy(grown[p->n_addresses++], address, 16);
    return E_OK;
}

static bool begins_with(struct slice name, const struct keysort_item *item)
{
    return name.len >= item->len && memcmp(name.ptr, item->key, item->len) == 0;
}

static struct slice key_of(const struct keysort_item *item)
{
    return (struct slice){ item->key, item->len };
}

static int sort(struct list *l)
{
    struct keysort_item *spare = malloc((l->n + 1) * sizeof *spare);
    if (spare == NULL)
        return E_NOMEM;
    if (l->n > 0)
        keysort(l->items, spare, l->n);
    free(spare);
    return E_OK;
}

int policy_seal(struct policy *p)
{
    struct list *l = &p->subtrees;
    size_t kept = 0;
    if (sort(&p->hosts) != E_OK || sort(l) != E_OK)
        return E_NOMEM;
    for (size_t i = 0; i < l->n; i++)
        if (kept == 0 || !begins_with(key_of(&l->items[i]), &l->items[kept - 1]))
            l->items[kept++] = l->items[i];
    l->n = kept;
    return E_OK;
}

/* The greatest item that is not above the name, or NULL. */
static const struct keysort_item *last_up_to(const struct list *l, struct slice name)
{
    size_t low = 0, high = l->n; /* all before `low` are not above it, `high` and those behind are */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(key_of(&l->items[middle]), name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &l->items[low - 1] : NULL;
}

bool policy_has_name(const struct policy *p, struct slice owner)
{
    const struct keysort_item *host = last_up_to(&p->hosts, owner), *subtree = last_up_to(&p->subtrees, owner);
    return (host != NULL && host->len == owner.len && begins_with(owner, host)) ||
           (subtree != NULL && begins_with(owner, subtree));
}

bool policy_has_address(const struct policy *p, struct slice rdata)
{
    uint8_t address[16] = { [10] = 0xff, [11] = 0xff };
    if (rdata.len != 4 && rdata.len != 16)
        return false;
    memcpy(address + 16 - rdata.len, rdata.ptr, rdata.len);
    for (unsigned i = 0; i < p->n_addresses; i++)
        if (memcmp(p->addresses[i], address, 16) == 0)
            return true;
    return false;
}

size_t policy_names(const struct policy *p)
{
    return p->hosts.n + p->subtrees.n;
}
