#include "detect/portrait.h"

#include "base/hash.h"
#include "dns/rdata.h"

#include <string.h>

static const void *copy(struct arena *memory, const void *ptr, size_t len)
{
    void *to = arena_alloc(memory, len);
    if (to != NULL && len)
        memcpy(to, ptr, len);
    return to;
}

static bool copy_hours(struct portrait *p, const struct subject *s, struct arena *memory)
{
    struct portrait_hour *hours = arena_alloc(memory, s->n_hours * sizeof *hours);
    if (hours == NULL)
        return false;
    for (size_t i = 0; i < s->n_hours; i++) {
        const struct subject_hour *h = &s->hours[i];
        hours[i] = (struct portrait_hour){ (uint16_t)(h->hour - s->window_from), h->counters[ACTIVITY_QUERIES], h->clients };
        p->exists |= h->counters[ACTIVITY_NOERROR] || h->counters[ACTIVITY_NODATA] || h->counters[ACTIVITY_NX_HOST];
        p->missing |= h->counters[ACTIVITY_NX_DOMAIN] != 0;
    }
    p->hours = hours;
    p->n_hours = (uint16_t)s->n_hours;
    return true;
}

static bool copy_clients(struct portrait *p, const struct subject *s, struct arena *memory)
{
    uint64_t *clients = arena_alloc(memory, s->n_clients * sizeof *clients);
    if (clients == NULL)
        return false;
    for (size_t i = 0; i < s->n_clients; i++)
        clients[i] = s->clients[i].id;
    p->clients = clients;
    p->n_clients = (uint16_t)s->n_clients;
    p->clients_whole = s->clients_whole;
    return true;
}

/* The registered domain of a name in wire form, as an owner key; len 0 when it has none. */
static size_t registered_key(const struct suffix_list *suffixes, const uint8_t *wire, size_t len, uint8_t key[NAME_KEY_MAX])
{
    size_t whole = name_owner_key(wire, len, key);
    size_t registered = whole ? suffix_find(suffixes, key, whole).registered : 0;
    if (registered == 0)
        return 0;
    key[registered] = 0;
    return registered + 1;
}

/* Which part of rdata points somewhere: kind and value. False when none does. */
static bool target_of(const struct subject *s, const struct subject_record *r, struct portrait_target *ret,
                      uint8_t key[NAME_KEY_MAX])
{
    size_t len = 0;
    ret->first_s = r->first_s;
    ret->kind = r->type == TYPE_NS ? TARGET_NS : TARGET_NAME;
    ret->value = (struct slice){ key, 0 };
    switch (r->type) {
    case TYPE_A:
    case TYPE_AAAA:
        ret->kind = TARGET_ADDRESS;
        ret->value = r->rdata;
        return r->rdata.len == (r->type == TYPE_A ? 4 : 16);
    case TYPE_NS:
    case TYPE_CNAME:
        len = registered_key(s->suffixes, r->rdata.ptr, r->rdata.len, key);
        break;
    case TYPE_MX:
    case TYPE_HTTPS:
        if (r->rdata.len > 2)
            len = registered_key(s->suffixes, r->rdata.ptr + 2, name_wire_length(r->rdata.ptr + 2, r->rdata.len - 2), key);
        break;
    }
    ret->value.len = len;
    return len != 0 && !(len == s->owner.len && memcmp(key, s->owner.ptr, len) == 0);
}

static uint64_t target_hash(const struct portrait_target *t)
{
    return hash_mix(hash_stable(t->value.ptr, t->value.len) + t->kind);
}

static uint64_t alias_of(const struct subject *s, const struct subject_host *h)
{
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        uint8_t key[NAME_KEY_MAX];
        struct portrait_target t;
        if (r->type == TYPE_CNAME && slice_compare(r->owner, h->owner) == 0 && target_of(s, r, &t, key))
            return target_hash(&t);
    }
    return 0;
}

static bool was_answered(const struct subject_host *h)
{
    for (uint32_t i = 0; i < h->n_hours; i++)
        if (h->hours[i].noerror)
            return true;
    return false;
}

static bool copy_labels(struct portrait *p, const struct subject *s, struct arena *memory)
{
    struct portrait_label labels[PORTRAIT_LABELS];
    for (size_t i = 0; i < s->n_hosts && p->n_labels < PORTRAIT_LABELS; i++) {
        const struct subject_host *h = &s->hosts[i];
        size_t len = strlen(h->sub);
        if (len == 0 || strchr(h->sub, '.') != NULL)
            continue;
        const char *text = copy(memory, h->sub, len + 1);
        if (text == NULL)
            return false;
        labels[p->n_labels++] = (struct portrait_label){
            .text = text,
            .hash = hash_stable(h->sub, len),
            .alias = alias_of(s, h),
            .first_s = h->first_s,
            .answered = was_answered(h),
        };
    }
    p->labels = copy(memory, labels, p->n_labels * sizeof *labels);
    return p->labels != NULL;
}

static bool has_target(const struct portrait_target *targets, unsigned n, uint64_t hash)
{
    for (unsigned i = 0; i < n; i++)
        if (targets[i].hash == hash)
            return true;
    return false;
}

static bool copy_targets(struct portrait *p, const struct subject *s, struct arena *memory)
{
    struct portrait_target targets[PORTRAIT_TARGETS];
    for (size_t i = 0; i < s->n_records && p->n_targets < PORTRAIT_TARGETS; i++) {
        uint8_t key[NAME_KEY_MAX];
        struct portrait_target t;
        if (!target_of(s, &s->records[i], &t, key))
            continue;
        t.hash = target_hash(&t);
        if (has_target(targets, p->n_targets, t.hash))
            continue;
        t.value.ptr = copy(memory, t.value.ptr, t.value.len);
        if (t.value.ptr == NULL)
            return false;
        targets[p->n_targets++] = t;
    }
    p->targets = copy(memory, targets, p->n_targets * sizeof *targets);
    return p->targets != NULL;
}

struct portrait *portrait_make(const struct subject *s, struct arena *memory)
{
    struct portrait *p = arena_alloc(memory, sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct portrait){ .step = s->step, .first_s = s->first_s, .window_from = s->window_from, .profile = s->profile };
    p->owner = (struct slice){ copy(memory, s->owner.ptr, s->owner.len), s->owner.len };
    p->name = copy(memory, s->name, strlen(s->name) + 1);
    bool whole = p->owner.ptr != NULL && p->name != NULL && copy_hours(p, s, memory) && copy_clients(p, s, memory) &&
                 copy_labels(p, s, memory) && copy_targets(p, s, memory);
    return whole ? p : NULL;
}
