#include "detect/scene.h"

#include "base/arena.h"
#include "base/hash.h"
#include "detect/first.h"
#include "dns/rdata.h"
#include "record/rr.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCANNED_MAX = 4096,     /* entries looked at for one question */
    CACHE_SLOTS = 1 << 16,
    CACHE_BYTES = 64 << 20, /* then it is emptied */
    STOP = 1,
    ASKED_AT_ONCE = 256,    /* questions between looks at what of the store is in memory */
    POINTER_MAX = 2 + RR_KEY_MAX + 2 * NAME_KEY_MAX,
};

/* A whole answer is all there is to say, of whatever time: steps see the front of it. One that was cut holds for its step alone:
 * what was known then stands in front in the order of keys, whatever came later. */
struct answer {
    uint64_t question;
    uint32_t step; /* when it was cut */
    bool cut;
    unsigned n;
    struct scene_owner owners[]; /* by first_s */
};

struct scene {
    struct store *store;
    const struct suffix_list *suffixes;
    const struct network *network;
    uint32_t step;
    struct arena memory;
    struct answer *cache[CACHE_SLOTS];
    /* The answer being gathered. */
    struct scene_owner gathered[SCENE_COUNTED];
    unsigned n_gathered;
    unsigned n_known; /* of them, as of the step */
    unsigned enough;  /* of those: then no more is gathered */
    unsigned scanned;
    unsigned asked;
    bool by_label;
    bool only_known; /* at the step: what came later is passed over */
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for what is known of the network");
}

int scene_create(struct scene **ret, struct store *store, const struct suffix_list *suffixes, struct fault *why)
{
    struct scene *s = calloc(1, sizeof *s);
    if (s == NULL)
        return no_memory(why);
    s->store = store;
    s->suffixes = suffixes;
    arena_init(&s->memory, 1 << 18);
    *ret = s;
    return E_OK;
}

void scene_destroy(struct scene **s)
{
    if (*s == NULL)
        return;
    arena_release(&(*s)->memory);
    free(*s);
    *s = NULL;
}

void scene_at(struct scene *s, uint32_t step, const struct network *network)
{
    s->step = step;
    s->network = network;
}

uint32_t scene_step(const struct scene *s)
{
    return s->step;
}

const struct network *scene_network(const struct scene *s)
{
    return s->network;
}

const struct suffix_list *scene_suffixes(const struct scene *s)
{
    return s->suffixes;
}

/* ---- gathering registered domains from a range ---- */

/* Whether an owner key is that of a registered domain (without its final 00), or of its www. */
static bool is_site(struct slice owner, size_t registered)
{
    static const char www[] = "www\0"; /* with the name's end */
    return owner.len == registered + 1 || (owner.len == registered + sizeof www && memcmp(owner.ptr + registered, www, sizeof www) == 0);
}

/* An owner's first times become earlier. */
static int date(struct scene *s, struct scene_owner *owner, uint64_t first, bool site)
{
    int64_t end_s = step_end_s(s->step);
    if (site && (owner->site_s == 0 || first < owner->site_s))
        owner->site_s = (uint32_t)first;
    if (first >= owner->first_s)
        return E_OK;
    s->n_known += owner->first_s >= end_s && first < (uint64_t)end_s;
    owner->first_s = (uint32_t)first;
    return s->n_known >= s->enough ? STOP : E_OK;
}

/* The latest is the likeliest: keys of one value come by owner. */
static int gather(struct scene *s, struct slice key, size_t registered, uint64_t first, struct fault *why)
{
    bool site = is_site(key, registered);
    for (unsigned i = s->n_gathered; i-- > 0;) {
        struct scene_owner *known = &s->gathered[i];
        if (known->owner.len == registered + 1 && memcmp(known->owner.ptr, key.ptr, registered) == 0)
            return date(s, known, first, site);
    }
    if (s->n_gathered == SCENE_COUNTED)
        return STOP;
    uint8_t *owner = arena_alloc(&s->memory, registered + 1);
    if (owner == NULL)
        return no_memory(why);
    memcpy(owner, key.ptr, registered);
    owner[registered] = 0;
    s->gathered[s->n_gathered] = (struct scene_owner){ { owner, registered + 1 }, UINT32_MAX, 0 };
    return date(s, &s->gathered[s->n_gathered++], first, site);
}

/* `owner` is an owner key; counts when it is of a registered domain, and for labels one level below it. */
static int gather_owner(struct scene *s, struct slice owner, uint64_t first, struct fault *why)
{
    if (s->only_known && first >= (uint64_t)step_end_s(s->step))
        return E_OK;
    if (s->scanned++ == SCANNED_MAX)
        return STOP;
    size_t registered = suffix_find(s->suffixes, owner.ptr, owner.len).registered;
    if (registered == 0)
        return E_OK;
    if (s->by_label && name_key_labels(owner.ptr, owner.len) != name_key_labels(owner.ptr, registered) + 1)
        return E_OK;
    return gather(s, owner, registered, first, why);
}

static int bad_record(struct fault *why)
{
    return fault_set(why, E_CORRUPT, "a record does not parse; run dnsmon fsck");
}

static int take_name(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    uint8_t owner[NAME_KEY_MAX];
    struct name_value v;
    size_t len = name_key_length(key.ptr, key.len);
    if (len == 0 || !name_value_get(value, &v))
        return bad_record(why);
    if (key.len != len) /* a registered domain's own entry */
        return E_OK;
    return gather_owner(ctx, (struct slice){ owner, name_key_reverse(key.ptr, len, owner) }, v.first, why);
}

static int take_inverse(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    uint8_t rdata[RR_KEY_MAX];
    struct rr_key k;
    struct rr_value v;
    if (!rr_inverse_get(key, rdata, &k) || !rr_value_get(value, &v))
        return bad_record(why);
    return gather_owner(ctx, k.owner, v.first, why);
}

static int by_first(const void *a, const void *b)
{
    const struct scene_owner *x = a, *y = b;
    return x->first_s != y->first_s ? (x->first_s > y->first_s) - (x->first_s < y->first_s)
                                    : slice_compare(x->owner, y->owner);
}

static void forget_all(struct scene *s)
{
    memset(s->cache, 0, sizeof s->cache);
    arena_reset(&s->memory);
}

/* Runs the scan and keeps what it gathered, unless that is no more than enough. */
static int ask(struct scene *s, uint64_t question, const struct store_range *range, store_entry entry, unsigned enough,
               const struct answer **ret, struct fault *why)
{
    if (s->memory.used > CACHE_BYTES)
        forget_all(s);
    if (s->store != NULL && ++s->asked % ASKED_AT_ONCE == 0)
        store_give_back(s->store, MAPPED_MAX);
    int rc = E_OK;
    bool cut = false;
    s->enough = enough;
    for (int pass = 0; pass < 2 && (pass == 0 || cut); pass++) {
        s->n_gathered = s->n_known = s->scanned = 0;
        s->only_known = cut;
        rc = s->store == NULL ? E_OK : store_scan_each(s->store, range, entry, s, why);
        if (rc < 0)
            return rc;
        cut |= rc == STOP && s->n_known < enough;
    }
    struct answer *a = arena_alloc(&s->memory, sizeof *a + s->n_gathered * sizeof *a->owners);
    if (a == NULL)
        return no_memory(why);
    qsort(s->gathered, s->n_gathered, sizeof *s->gathered, by_first);
    a->question = question;
    a->step = s->step;
    a->cut = cut;
    a->n = s->n_gathered;
    if (a->n)
        memcpy(a->owners, s->gathered, a->n * sizeof *a->owners);
    if (s->n_known < enough)
        s->cache[question % CACHE_SLOTS] = a;
    *ret = a;
    return E_OK;
}

/* What was known before the step's end. */
static void show(const struct scene *s, const struct answer *a, struct scene_owners *ret)
{
    ret->n = ret->count = 0;
    int64_t end_s = step_end_s(s->step);
    for (unsigned i = 0; i < a->n && a->owners[i].first_s < end_s; i++, ret->count++) {
        if (ret->n == SCENE_OWNERS)
            continue;
        struct scene_owner *o = &ret->owners[ret->n++];
        *o = a->owners[i];
        o->site_s = o->site_s < end_s ? o->site_s : 0;
    }
}

static const struct answer *cached(const struct scene *s, uint64_t question)
{
    const struct answer *a = s->cache[question % CACHE_SLOTS];
    return a != NULL && a->question == question && (!a->cut || a->step == s->step) ? a : NULL;
}

int scene_label(struct scene *s, const char *label, struct scene_owners *ret, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX], start[NAME_KEY_MAX], end[NAME_KEY_MAX];
    size_t n = name_from_text(label, strlen(label), wire);
    size_t len = n ? name_forward_key(wire, n, start) : 0;
    if (len < 2 || name_key_labels(start, len) != 1)
        return fault_set(why, E_USAGE, "'%s' is not a label", label);
    len--; /* without the final 00: label 00 is in front of all its names */
    uint64_t question = hash_stable(start, len);
    const struct answer *a = cached(s, question);
    memcpy(end, start, len);
    end[len - 1] = 1;
    struct store_range range = { .kind = KIND_NAME, .start = { start, len }, .end = { end, len } };
    s->by_label = true;
    int rc = a != NULL ? E_OK : ask(s, question, &range, take_name, UINT_MAX, &a, why);
    if (rc == 0)
        show(s, a, ret);
    return rc;
}

/* The first key that does not begin with these bytes. */
static size_t after(const uint8_t *prefix, size_t len, uint8_t *end)
{
    while (len > 0 && prefix[len - 1] == 0xff)
        len--;
    memcpy(end, prefix, len);
    if (len > 0)
        end[len - 1]++;
    return len;
}

/* `start` is an inverse key's beginning, `len` bytes of it; `exact`: one that filters know. */
static int pointers(struct scene *s, const uint8_t *start, size_t len, bool exact, unsigned enough, struct scene_owners *ret,
                    struct fault *why)
{
    uint8_t end[POINTER_MAX];
    uint64_t question = hash_mix(hash_stable(start, len));
    const struct answer *a = cached(s, question);
    struct store_range range = { .kind = KIND_INVERSE, .start = { start, len }, .end = { end, after(start, len, end) } };
    if (exact)
        range.exact = range.start;
    s->by_label = false;
    int rc = a != NULL ? E_OK : ask(s, question, &range, take_inverse, enough, &a, why);
    if (rc == 0)
        show(s, a, ret);
    return rc;
}

static int point_at(struct scene *s, uint16_t type, struct slice rdata, unsigned enough, struct scene_owners *ret, struct fault *why)
{
    uint8_t start[POINTER_MAX];
    if (rdata.len > RR_KEY_MAX)
        return fault_set(why, E_USAGE, "record data is too long");
    put_be16(start, type);
    size_t len = rdata_searchable(type, 0, rdata.ptr, rdata.len, start + 2);
    if (len == 0)
        return fault_set(why, E_USAGE, "record data is not of its type's form");
    return pointers(s, start, 2 + len, rdata_layout(type).names == 0, enough, ret, why);
}

int scene_pointers(struct scene *s, uint16_t type, struct slice rdata, struct scene_owners *ret, struct fault *why)
{
    return point_at(s, type, rdata, UINT_MAX, ret, why);
}

int scene_pointers_up_to(struct scene *s, uint16_t type, struct slice rdata, unsigned most, struct scene_owners *ret, struct fault *why)
{
    return point_at(s, type, rdata, most + 1, ret, why);
}

static int point_below(struct scene *s, uint16_t type, struct slice domain, unsigned enough, struct scene_owners *ret, struct fault *why)
{
    uint8_t start[2 + NAME_KEY_MAX];
    if (domain.len < 2 || domain.len > NAME_KEY_MAX)
        return fault_set(why, E_USAGE, "not the key of a domain");
    put_be16(start, type);
    memcpy(start + 2, domain.ptr, domain.len - 1);
    return pointers(s, start, domain.len + 1, false, enough, ret, why);
}

int scene_pointers_below(struct scene *s, uint16_t type, struct slice domain, struct scene_owners *ret, struct fault *why)
{
    return point_below(s, type, domain, UINT_MAX, ret, why);
}

int scene_pointers_below_up_to(struct scene *s, uint16_t type, struct slice domain, unsigned most, struct scene_owners *ret,
                               struct fault *why)
{
    return point_below(s, type, domain, most + 1, ret, why);
}

int scene_first(struct scene *s, struct slice owner, bool domain, uint32_t *ret_s, struct fault *why)
{
    uint64_t end_s = (uint64_t)step_end_s(s->step), first = end_s;
    int rc = s->store == NULL ? E_OK : first_seen(s->store, owner, domain, end_s, &first, why);
    if (rc == 0)
        *ret_s = first < end_s ? (uint32_t)first : 0;
    return rc;
}
