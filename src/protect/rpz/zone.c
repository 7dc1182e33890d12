/* Memory: rules lie one after the other in chunks, in units of four bytes, and are named by a 32-bit reference: chunk and unit.
 * A walk over all goes through chunks in order, so it needs no index, and rules never move. Freed ones are listed by their size
 * in units and keep it, so that the walk can step over them.
 *
 * The index holds living rules alone, by the hash of their owner; dead ones are known to the journal, which frees them when
 * it forgets the version in which they died.
 *
 * Invariants (outside of a version under way):
 *     rules in the index == count == rules with died == 0
 *     changes of version v: rules with born == v or died == v, each once
 *     free rules: those that died in or before the journal's oldest version
 */
#include "protect/rpz/zone.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/pages.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

enum {
    CHUNK_BYTES = PAGES_HUGE,
    UNIT = 4,
    CHUNK_UNIT_BITS = 19,
    CHUNKS_MAX = 1 << (32 - CHUNK_UNIT_BITS),
    TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_AAAA = 28, CLASS_IN = 1,
    TAIL_MAX = 10 + NAME_WIRE_MAX,
    SOA_NUMBERS = 20,
    INDEX_FIRST = 1024,
};

enum rule_flag {
    RULE_SUBTREE = 1 << 0,
    RULE_WILD_ONLY = 1 << 1, /* of a subtree: its own name is a host's */
    RULE_FREE = 1 << 2,
};

struct rule {
    uint32_t born; /* number of a version; of a free rule: the next free one */
    uint32_t died; /* 0: lives. Equal to born: was undone within its version, nobody sees it */
    uint8_t action;
    uint8_t flags;
    uint8_t len;
    uint8_t labels[];
};

enum { RULE_HEAD = offsetof(struct rule, labels), SIZES = (RULE_HEAD + NAME_WIRE_MAX) / UNIT + 2 };

struct slot {
    uint32_t hash;
    uint32_t ref; /* 0: empty */
};

struct action {
    char *text;
    uint8_t *tails; /* each behind its length, 16 bits */
    size_t len;
};

struct past {
    uint32_t serial;
    uint64_t end; /* of its changes, counted from the first one ever */
};

struct zone {
    uint8_t origin[NAME_WIRE_MAX];
    size_t origin_len;
    uint32_t ttl_s, journal_max;
    uint8_t soa[ZONE_RECORD_MAX];
    size_t soa_len;
    uint8_t ns[TAIL_MAX];
    size_t ns_len;
    struct action actions[ZONE_ACTIONS_MAX];
    unsigned n_actions;

    uint8_t **chunks;
    uint32_t n_chunks;
    uint32_t *chunk_used; /* bytes */
    uint32_t free_heads[SIZES];

    struct slot *index;
    size_t index_size; /* a power of two */
    size_t count;

    /* Journal. Versions version - n_past + 1 ... version; their changes from `forgotten` on. */
    uint32_t version;
    struct past *past;
    size_t past_at, n_past, past_capacity;
    uint32_t *changes; /* references */
    size_t changes_at, n_changes, changes_capacity;
    uint64_t forgotten;

    bool under_way, broken;
    uint32_t next_serial;
    uint64_t next_begin; /* of the changes of the version under way */
    struct zone_walk *walks;
};

int serial_compare(uint32_t a, uint32_t b)
{
    return a == b ? 0 : b - a <= UINT32_C(1) << 31 ? -1 : 1;
}

/* Records */

static size_t put_head(uint8_t *to, uint16_t type, uint32_t ttl_s, size_t len)
{
    put_be16(to, type);
    put_be16(to + 2, CLASS_IN);
    put_be32(to + 4, ttl_s);
    put_be16(to + 8, (uint16_t)len);
    return 10;
}

static int parse_name(const char *text, const char *what, uint8_t wire[NAME_WIRE_MAX], size_t *ret, struct fault *why)
{
    size_t len = text ? name_from_text(text, strlen(text), wire) : 0;
    if (len == 0)
        return fault_set(why, E_USAGE, "%.256s: not a domain name (%s)", text ? text : "nothing", what);
    name_lower_copy(wire, wire, len);
    *ret = len;
    return 0;
}

static bool is_below(const uint8_t *name, size_t len, const uint8_t *parent, size_t parent_len)
{
    size_t at = 0;
    while (len - at > parent_len)
        at += name[at] + 1u;
    return len - at == parent_len && memcmp(name + at, parent, parent_len) == 0;
}

static int make_ns(struct zone *z, const char *ns, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len;
    int e = parse_name(ns, "the zone's NS", wire, &len, why);
    if (e != 0)
        return e;
    if (is_below(wire, len, z->origin, z->origin_len))
        return fault_set(why, E_USAGE, "%.256s: the zone's NS must lie outside of it", ns);
    z->ns_len = put_head(z->ns, TYPE_NS, z->ttl_s, len) + len;
    memcpy(z->ns + 10, wire, len);
    return 0;
}

static int make_soa(struct zone *z, const struct zone_options *o, struct fault *why)
{
    uint8_t mname[NAME_WIRE_MAX], rname[NAME_WIRE_MAX];
    size_t mname_len, rname_len;
    int e = parse_name(o->mname, "the SOA's MNAME", mname, &mname_len, why);
    if (e == 0)
        e = parse_name(o->rname, "the SOA's RNAME", rname, &rname_len, why);
    if (e != 0)
        return e;
    const uint32_t numbers[] = { 0, o->refresh_s, o->retry_s, o->expire_s, o->minimum_s };
    uint8_t *to = z->soa + put_head(z->soa, TYPE_SOA, z->ttl_s, mname_len + rname_len + SOA_NUMBERS);
    memcpy(to, mname, mname_len);
    memcpy(to + mname_len, rname, rname_len);
    to += mname_len + rname_len;
    for (unsigned i = 0; i < 5; i++)
        put_be32(to + 4 * i, numbers[i]);
    z->soa_len = (size_t)(to + SOA_NUMBERS - z->soa);
    return 0;
}

static size_t copy_soa(const struct zone *z, uint32_t serial, uint8_t *to)
{
    memcpy(to, z->soa, z->soa_len);
    put_be32(to + z->soa_len - SOA_NUMBERS, serial);
    return z->soa_len;
}

/* Life of a zone */

int zone_create(struct zone **ret, const struct zone_options *options, struct fault *why)
{
    struct zone *z = calloc(1, sizeof *z);
    if (z == NULL)
        return fault_set(why, E_NOMEM, "zone: out of memory");
    z->ttl_s = options->ttl_s;
    z->journal_max = options->journal_max;
    int e = parse_name(options->origin, "a zone", z->origin, &z->origin_len, why);
    if (e == 0)
        e = make_ns(z, options->ns, why);
    if (e == 0)
        e = make_soa(z, options, why);
    z->index_size = INDEX_FIRST;
    z->index = e == 0 ? pages_alloc_zeroed(z->index_size * sizeof *z->index) : NULL;
    if (e == 0 && z->index == NULL)
        e = fault_set(why, E_NOMEM, "zone: out of memory");
    if (e != 0)
        zone_destroy(&z);
    else
        *ret = z;
    return e;
}

void zone_destroy(struct zone **zone)
{
    struct zone *z = *zone;
    if (z == NULL)
        return;
    assert(z->walks == NULL);
    for (uint32_t i = 0; i < z->n_chunks; i++)
        pages_free(z->chunks[i], CHUNK_BYTES);
    for (unsigned i = 0; i < z->n_actions; i++) {
        free(z->actions[i].text);
        free(z->actions[i].tails);
    }
    pages_free(z->index, z->index_size * sizeof *z->index);
    free(z->chunks);
    free(z->chunk_used);
    free(z->past);
    free(z->changes);
    free(z);
    *zone = NULL;
}

/* Actions */

static void put_tail(struct buffer *b, uint16_t type, uint32_t ttl_s, const uint8_t *rdata, size_t len)
{
    uint8_t head[10];
    size_t head_len = put_head(head, type, ttl_s, len);
    buffer_be16(b, (uint16_t)(head_len + len));
    buffer_append(b, head, head_len);
    buffer_append(b, rdata, len);
}

static int put_cname(struct buffer *b, uint32_t ttl_s, const char *target, size_t target_len, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(target, target_len, wire);
    if (len == 0)
        return fault_set(why, E_MALFORMED, "%.256s: neither an address nor a name", target);
    put_tail(b, TYPE_CNAME, ttl_s, wire, len);
    return 0;
}

/* A target with a meaning of its own: it would turn the garden into another action. */
static bool has_meaning(const char *word, size_t len)
{
    while (len && word[len - 1] == '.')
        len--;
    size_t label = len;
    while (label && word[label - 1] != '.')
        label--;
    return len == 0 || (len == 1 && word[0] == '*') || (len - label >= 4 && strncasecmp(word + label, "rpz-", 4) == 0);
}

static int put_target(struct buffer *b, uint32_t ttl_s, const char *word, size_t len, struct fault *why)
{
    if (has_meaning(word, len))
        return fault_set(why, E_MALFORMED, "garden %.256s: a policy's own word is no target", word);
    return put_cname(b, ttl_s, word, len, why);
}

static int put_garden(struct buffer *b, uint32_t ttl_s, const char *words, struct fault *why)
{
    unsigned names = 0, addresses = 0;
    int e = 0;
    for (const char *at = words + strspn(words, " "); e == 0 && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        char word[INET6_ADDRSTRLEN] = "";
        uint8_t bytes[16];
        if (len < sizeof word)
            memcpy(word, at, len);
        bool is_v4 = inet_pton(AF_INET, word, bytes) == 1, is_v6 = !is_v4 && inet_pton(AF_INET6, word, bytes) == 1;
        if (is_v4 || is_v6) {
            addresses++;
            put_tail(b, is_v4 ? TYPE_A : TYPE_AAAA, ttl_s, bytes, is_v4 ? 4 : 16);
        } else {
            names++;
            e = put_target(b, ttl_s, at, len, why);
        }
        at += len;
    }
    if (e == 0 && (names > 1 || addresses > ZONE_GARDEN_MAX || !names == !addresses))
        e = fault_set(why, E_MALFORMED, "garden%.256s: one name, or up to %d addresses", words, ZONE_GARDEN_MAX);
    return e;
}

static int put_action(struct buffer *b, uint32_t ttl_s, const char *text, struct fault *why)
{
    static const char *const plain[][2] = { /* draft-vixie-dnsop-dns-rpz-00, 3 */
        { "nxdomain", "." }, { "nodata", "*." }, { "passthru", "rpz-passthru." }, { "drop", "rpz-drop." },
    };
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (strcmp(text, plain[i][0]) == 0)
            return put_cname(b, ttl_s, plain[i][1], strlen(plain[i][1]), why);
    if (strncmp(text, "garden ", 7) == 0)
        return put_garden(b, ttl_s, text + 6, why);
    return fault_set(why, E_MALFORMED, "%.256s: not an action (nxdomain, nodata, passthru, drop, garden NAME|ADDRESS...)", text);
}

int zone_action(struct zone *zone, const char *text, unsigned *ret, struct fault *why)
{
    for (unsigned i = 0; i < zone->n_actions; i++)
        if (strcmp(zone->actions[i].text, text) == 0) {
            *ret = i;
            return 0;
        }
    if (zone->n_actions == ZONE_ACTIONS_MAX)
        return fault_set(why, E_LIMIT, "%.256s: more than %d actions", text, ZONE_ACTIONS_MAX);
    struct buffer tails;
    buffer_init(&tails, 64 << 10);
    int e = put_action(&tails, zone->ttl_s, text, why);
    char *copy = e == 0 ? strdup(text) : NULL;
    if (e == 0 && (copy == NULL || tails.failed))
        e = fault_set(why, E_NOMEM, "zone: out of memory");
    if (e != 0) {
        free(copy);
        buffer_release(&tails);
        return e;
    }
    zone->actions[zone->n_actions] = (struct action){ copy, tails.ptr, tails.len };
    *ret = zone->n_actions++;
    return 0;
}

const char *zone_action_text(const struct zone *zone, unsigned action)
{
    return action < zone->n_actions ? zone->actions[action].text : NULL;
}

/* Rules in memory */

static struct rule *rule_at(const struct zone *z, uint32_t ref)
{
    uint32_t unit = ref & ((1u << CHUNK_UNIT_BITS) - 1);
    return (struct rule *)(z->chunks[ref >> CHUNK_UNIT_BITS] + (size_t)unit * UNIT);
}

static uint32_t rule_units(size_t len)
{
    return (uint32_t)((RULE_HEAD + len + UNIT - 1) / UNIT);
}

static int add_chunk(struct zone *z)
{
    if (z->n_chunks == CHUNKS_MAX)
        return E_LIMIT;
    uint8_t **chunks = realloc(z->chunks, (z->n_chunks + 1) * sizeof *chunks);
    if (chunks == NULL)
        return E_NOMEM;
    z->chunks = chunks;
    uint32_t *used = realloc(z->chunk_used, (z->n_chunks + 1) * sizeof *used);
    if (used == NULL)
        return E_NOMEM;
    z->chunk_used = used;
    chunks[z->n_chunks] = pages_alloc(CHUNK_BYTES);
    if (chunks[z->n_chunks] == NULL)
        return E_NOMEM;
    used[z->n_chunks] = z->n_chunks == 0 ? UNIT : 0; /* reference 0 is none */
    z->n_chunks++;
    return 0;
}

static int take_memory(struct zone *z, size_t len, uint32_t *ret)
{
    uint32_t units = rule_units(len), ref = z->free_heads[units];
    if (ref != 0) {
        z->free_heads[units] = rule_at(z, ref)->born;
    } else {
        int e = z->n_chunks == 0 || z->chunk_used[z->n_chunks - 1] + units * UNIT > CHUNK_BYTES ? add_chunk(z) : 0;
        if (e != 0)
            return e;
        uint32_t *used = &z->chunk_used[z->n_chunks - 1];
        ref = (z->n_chunks - 1) << CHUNK_UNIT_BITS | *used / UNIT;
        *used += units * UNIT;
    }
    *ret = ref;
    return 0;
}

static void free_rule(struct zone *z, uint32_t ref)
{
    struct rule *r = rule_at(z, ref);
    uint32_t *head = &z->free_heads[rule_units(r->len)];
    r->flags = RULE_FREE;
    r->born = *head;
    *head = ref;
}

/* Index: linear probing, deletion by moving back what follows. */

static uint32_t owner_hash(const uint8_t *labels, size_t len, bool subtree)
{
    return (uint32_t)hash_memory(labels, len, hash_secret() + subtree);
}

static uint32_t rule_hash(const struct rule *r)
{
    return owner_hash(r->labels, r->len, r->flags & RULE_SUBTREE);
}

static uint32_t index_find(const struct zone *z, const uint8_t *labels, size_t len, bool subtree)
{
    uint32_t hash = owner_hash(labels, len, subtree);
    for (size_t i = hash;; i++) {
        const struct slot *s = &z->index[i & (z->index_size - 1)];
        if (s->ref == 0)
            return 0;
        if (s->hash != hash)
            continue;
        const struct rule *r = rule_at(z, s->ref);
        if (r->len == len && !(r->flags & RULE_SUBTREE) == !subtree && short_equal(r->labels, labels, len))
            return s->ref;
    }
}

static void index_put(struct slot *index, size_t size, struct slot slot)
{
    size_t i = slot.hash;
    while (index[i & (size - 1)].ref != 0)
        i++;
    index[i & (size - 1)] = slot;
}

/* Room for one more, so that index_put cannot fail. */
static int index_reserve(struct zone *z)
{
    if (z->count + 1 <= z->index_size / 4 * 3)
        return 0;
    size_t size = z->index_size * 2;
    struct slot *index = pages_alloc_zeroed(size * sizeof *index);
    if (index == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < z->index_size; i++)
        if (z->index[i].ref != 0)
            index_put(index, size, z->index[i]);
    pages_free(z->index, z->index_size * sizeof *z->index);
    z->index = index;
    z->index_size = size;
    return 0;
}

static void index_remove(struct zone *z, uint32_t ref)
{
    size_t mask = z->index_size - 1, hole = rule_hash(rule_at(z, ref)) & mask;
    while (z->index[hole].ref != ref)
        hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; z->index[i].ref != 0; i = (i + 1) & mask) {
        size_t home = z->index[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            z->index[hole] = z->index[i];
            hole = i;
        }
    }
    z->index[hole].ref = 0;
}

static void enter(struct zone *z, uint32_t ref)
{
    index_put(z->index, z->index_size, (struct slot){ rule_hash(rule_at(z, ref)), ref });
    z->count++;
}

static void leave(struct zone *z, uint32_t ref)
{
    index_remove(z, ref);
    z->count--;
}

/* Journal */

/* Room for one more element at the end of a queue that starts at *at. */
static int queue_reserve(void **items, size_t size, size_t *at, size_t n, size_t *capacity)
{
    if (*at + n < *capacity)
        return 0;
    if (*at > n) { /* at least half is free: moved once for as many as were taken */
        memmove(*items, (uint8_t *)*items + *at * size, n * size);
        *at = 0;
        return 0;
    }
    size_t more = *capacity ? *capacity + *capacity / 2 : 64;
    void *bigger = realloc(*items, more * size);
    if (bigger == NULL)
        return E_NOMEM;
    *items = bigger;
    *capacity = more;
    return 0;
}

static int reserve_change(struct zone *z)
{
    return queue_reserve((void **)&z->changes, sizeof *z->changes, &z->changes_at, z->n_changes, &z->changes_capacity);
}

static void note_change(struct zone *z, uint32_t ref)
{
    z->changes[z->changes_at + z->n_changes++] = ref;
}

static uint32_t change_at(const struct zone *z, uint64_t change)
{
    return z->changes[z->changes_at + (size_t)(change - z->forgotten)];
}

static const struct past *past_of(const struct zone *z, uint32_t version)
{
    return &z->past[z->past_at + (version - (z->version - (uint32_t)z->n_past + 1))];
}

static uint32_t oldest(const struct zone *z)
{
    return z->version - (uint32_t)z->n_past + 1;
}

/* Whether a walk needs the difference from this version, or what died after it. */
static bool is_needed(const struct zone *z, uint32_t version)
{
    for (const struct zone_walk *w = z->walks; w; w = w->next)
        if ((w->from ? w->from : w->to) <= version)
            return true;
    return false;
}

static bool is_too_long(const struct zone *z)
{
    size_t rules = z->count > ZONE_JOURNAL_LEAST ? z->count : ZONE_JOURNAL_LEAST;
    return z->n_past > 1 && (z->n_changes > z->journal_max || z->n_changes > rules || z->n_past > z->journal_max + (size_t)1);
}

/* Forgets how the oldest version became the next one; who died then is free. */
static void forget_oldest(struct zone *z)
{
    uint32_t next = oldest(z) + 1;
    uint64_t end = past_of(z, next)->end;
    for (; z->forgotten < end; z->forgotten++, z->changes_at++, z->n_changes--) {
        uint32_t ref = z->changes[z->changes_at];
        if (rule_at(z, ref)->died == next)
            free_rule(z, ref);
    }
    z->past_at++;
    z->n_past--;
}

/* Making a version */

int zone_begin(struct zone *zone, uint32_t serial, struct fault *why)
{
    if (zone->under_way)
        return fault_set(why, E_USAGE, "zone: a version is under way");
    if (zone->version && serial_compare(serial, zone_serial(zone)) <= 0)
        return fault_set(why, E_USAGE, "zone: serial %u is not after %u", serial, zone_serial(zone));
    zone->under_way = true;
    zone->broken = false;
    zone->next_serial = serial;
    zone->next_begin = zone->forgotten + zone->n_changes;
    return 0;
}

static int broken(struct zone *z, int code, struct fault *why)
{
    z->broken = true;
    return fault_set(why, code, "zone: %s", code == E_LIMIT ? "16 GiB of rules" : "out of memory");
}

static int give_birth(struct zone *z, const struct owner *o, unsigned action, bool wild_only)
{
    uint32_t ref;
    int e = reserve_change(z);
    if (e == 0)
        e = index_reserve(z);
    if (e == 0)
        e = take_memory(z, o->len, &ref);
    if (e != 0)
        return e;
    struct rule *r = rule_at(z, ref);
    r->born = z->version + 1;
    r->died = 0;
    r->action = (uint8_t)action;
    r->flags = (uint8_t)((o->subtree ? RULE_SUBTREE : 0) | (wild_only ? RULE_WILD_ONLY : 0));
    r->len = o->len;
    memcpy(r->labels, o->labels, o->len);
    enter(z, ref);
    note_change(z, ref);
    return 0;
}

/* A rule of this very version stands among its changes already. */
static int let_die(struct zone *z, uint32_t ref)
{
    struct rule *r = rule_at(z, ref);
    int e = r->born == z->version + 1 ? 0 : reserve_change(z);
    if (e != 0)
        return e;
    leave(z, ref);
    r->died = z->version + 1;
    if (r->born != r->died)
        note_change(z, ref);
    return 0;
}

/* The domain of the same name as a host owns the name itself only as long as there is no such host. */
static int change_domain_of(struct zone *z, const struct owner *host, bool wild_only)
{
    uint32_t ref = host->subtree ? 0 : index_find(z, host->labels, host->len, true);
    if (ref == 0 || !(rule_at(z, ref)->flags & RULE_WILD_ONLY) == !wild_only)
        return 0;
    struct owner domain = *host;
    domain.subtree = true;
    unsigned action = rule_at(z, ref)->action;
    int e = let_die(z, ref);
    return e ? e : give_birth(z, &domain, action, wild_only);
}

static int make_owner(const struct zone *z, enum trigger trigger, const char *text, struct owner *ret, struct fault *why)
{
    return owner_make(trigger, text, NAME_WIRE_MAX - z->origin_len, ret, why);
}

int zone_add(struct zone *zone, enum trigger trigger, const char *text, unsigned action, struct fault *why)
{
    struct owner o;
    assert(zone->under_way && action < zone->n_actions);
    int e = make_owner(zone, trigger, text, &o, why);
    if (e != 0)
        return e;
    uint32_t ref = index_find(zone, o.labels, o.len, o.subtree);
    if (ref != 0 && rule_at(zone, ref)->action == action)
        return 0;
    if (ref != 0)
        e = let_die(zone, ref);
    if (e == 0)
        e = give_birth(zone, &o, action, o.subtree && index_find(zone, o.labels, o.len, false) != 0);
    if (e == 0)
        e = change_domain_of(zone, &o, true);
    return e ? broken(zone, e, why) : 0;
}

int zone_remove(struct zone *zone, enum trigger trigger, const char *text, struct fault *why)
{
    struct owner o;
    assert(zone->under_way);
    int e = make_owner(zone, trigger, text, &o, why);
    if (e != 0)
        return e;
    uint32_t ref = index_find(zone, o.labels, o.len, o.subtree);
    if (ref == 0)
        return fault_set(why, E_ABSENT, "%.256s: is not in the zone", text);
    e = let_die(zone, ref);
    if (e == 0)
        e = change_domain_of(zone, &o, false);
    return e ? broken(zone, e, why) : 0;
}

/* Takes those out of the new changes that were undone within the version: nobody will see them. */
static void drop_undone(struct zone *z)
{
    uint32_t *to = z->changes + z->changes_at + (size_t)(z->next_begin - z->forgotten);
    uint32_t *end = z->changes + z->changes_at + z->n_changes;
    for (const uint32_t *from = to; from < end; from++) {
        const struct rule *r = rule_at(z, *from);
        if (r->born == r->died)
            free_rule(z, *from);
        else
            *to++ = *from;
    }
    z->n_changes -= (size_t)(end - to);
}

int zone_commit(struct zone *zone, struct fault *why)
{
    assert(zone->under_way);
    if (zone->broken || queue_reserve((void **)&zone->past, sizeof *zone->past, &zone->past_at, zone->n_past,
                                      &zone->past_capacity) != 0)
        return fault_set(why, E_NOMEM, "zone: out of memory");
    if (zone->changes != NULL)
        drop_undone(zone);
    if (zone->version == 0) { /* nobody will ask how it came from nothing */
        free(zone->changes);
        zone->changes = NULL;
        zone->n_changes = zone->changes_at = zone->changes_capacity = 0;
    }
    zone->version++;
    zone->past[zone->past_at + zone->n_past++] = (struct past){ zone->next_serial, zone->forgotten + zone->n_changes };
    zone->under_way = false;
    while (is_too_long(zone) && !is_needed(zone, oldest(zone)))
        forget_oldest(zone);
    return 0;
}

/* Backwards, so that what died comes back after what took its place has left. */
void zone_abort(struct zone *zone)
{
    assert(zone->under_way);
    while (zone->forgotten + zone->n_changes > zone->next_begin) {
        uint32_t ref = zone->changes[zone->changes_at + --zone->n_changes];
        struct rule *r = rule_at(zone, ref);
        if (r->born == zone->version + 1) {
            if (r->died == 0)
                leave(zone, ref);
            free_rule(zone, ref);
        } else {
            r->died = 0;
            enter(zone, ref);
        }
    }
    zone->under_way = false;
}

/* What it is */

uint32_t zone_serial(const struct zone *zone)
{
    return zone->version ? past_of(zone, zone->version)->serial : 0;
}

bool zone_is_empty(const struct zone *zone)
{
    return zone->version == 0;
}

size_t zone_count(const struct zone *zone)
{
    return zone->count;
}

size_t zone_memory(const struct zone *zone)
{
    return sizeof *zone + (size_t)zone->n_chunks * CHUNK_BYTES + zone->index_size * sizeof *zone->index +
           zone->changes_capacity * sizeof *zone->changes + zone->past_capacity * sizeof *zone->past;
}

struct zone_journal zone_journal(const struct zone *zone)
{
    if (zone->version == 0)
        return (struct zone_journal){ 0 };
    return (struct zone_journal){ past_of(zone, oldest(zone))->serial, zone->n_past, zone->n_changes };
}

int zone_find(const struct zone *zone, enum trigger trigger, const char *text)
{
    struct owner o;
    if (make_owner(zone, trigger, text, &o, NULL) != 0)
        return -1;
    uint32_t ref = index_find(zone, o.labels, o.len, o.subtree);
    return ref ? rule_at(zone, ref)->action : -1;
}

struct slice zone_origin(const struct zone *zone)
{
    return (struct slice){ zone->origin, zone->origin_len };
}

/* Answers */

int zone_match(const struct zone *zone, const uint8_t *labels, size_t len)
{
    uint32_t ref = len ? index_find(zone, labels, len, false) : 0;
    for (size_t at = 0; ref == 0 && at < len; at += labels[at] + 1u)
        ref = index_find(zone, labels + at, len - at, true);
    return ref ? rule_at(zone, ref)->action : -1;
}

static struct slice action_tail(const struct action *a, unsigned n)
{
    size_t at = 0;
    while (n-- && at < a->len)
        at += 2u + get_be16(a->tails + at);
    return at < a->len ? (struct slice){ a->tails + at + 2, get_be16(a->tails + at) } : (struct slice){ NULL, 0 };
}

bool zone_action_record(const struct zone *zone, unsigned action, unsigned n, struct zone_record *ret)
{
    struct slice tail = action_tail(&zone->actions[action], n);
    if (tail.ptr == NULL)
        return false;
    *ret = (struct zone_record){ .rest = tail };
    return true;
}

void zone_soa(const struct zone *zone, uint8_t rest[ZONE_RECORD_MAX], size_t *ret_len)
{
    *ret_len = copy_soa(zone, zone_serial(zone), rest);
}

struct slice zone_ns(const struct zone *zone)
{
    return (struct slice){ zone->ns, zone->ns_len };
}

/* Walks */

enum phase { ALL_SOA, ALL_NS, ALL_RULES, SINCE_SOA, SINCE_THEN, SINCE_GONE, SINCE_NOW, SINCE_CAME, LAST_SOA, AT_END };

static void open_walk(struct zone_walk *w, struct zone *z, uint32_t from, unsigned phase)
{
    *w = (struct zone_walk){ .zone = z, .next = z->walks, .from = from, .to = z->version, .phase = phase };
    z->walks = w;
}

void zone_walk_all(struct zone_walk *walk, struct zone *zone)
{
    open_walk(walk, zone, 0, ALL_SOA);
}

bool zone_walk_since(struct zone_walk *walk, struct zone *zone, uint32_t serial)
{
    for (uint32_t version = zone->version; version + zone->n_past > zone->version; version--)
        if (past_of(zone, version)->serial == serial) {
            open_walk(walk, zone, version, SINCE_SOA);
            return true;
        }
    return false;
}

void zone_walk_close(struct zone_walk *walk)
{
    if (walk->zone == NULL)
        return;
    struct zone_walk **at = &walk->zone->walks;
    while (*at != walk)
        at = &(*at)->next;
    *at = walk->next;
    walk->zone = NULL;
}

uint32_t zone_walk_serial(const struct zone_walk *walk)
{
    return past_of(walk->zone, walk->to)->serial;
}

static bool lives_in(const struct rule *r, uint32_t version)
{
    return r->born <= version && (r->died == 0 || r->died > version);
}

/* The next rule of all, in the order of memory. */
static const struct rule *next_of_all(struct zone_walk *w)
{
    const struct zone *z = w->zone;
    for (; w->chunk < z->n_chunks; w->chunk++, w->at = 0) {
        if (w->chunk == 0 && w->at == 0)
            w->at = UNIT;
        while (w->at < z->chunk_used[w->chunk]) {
            const struct rule *r = (const struct rule *)(z->chunks[w->chunk] + w->at);
            w->at += rule_units(r->len) * UNIT;
            if (!(r->flags & RULE_FREE) && lives_in(r, w->to))
                return r;
        }
    }
    return NULL;
}

static const struct rule *next_of_changes(struct zone_walk *w)
{
    uint32_t in = w->phase == SINCE_GONE ? w->from : w->to, not_in = w->phase == SINCE_GONE ? w->to : w->from;
    while (w->change < w->end) {
        uint64_t change = w->change++;
        const struct rule *r = rule_at(w->zone, change_at(w->zone, change));
        /* One that came and went in between, or of which this is the other change. */
        if (lives_in(r, in) && !lives_in(r, not_in))
            return r;
    }
    return NULL;
}

/* The walk's rule has a record set at its name, and at "*." of it. */
static bool next_of_rule(struct zone_walk *w, struct zone_record *ret)
{
    const struct rule *r = w->rule;
    struct slice tail = action_tail(&w->zone->actions[r->action], w->n);
    if (tail.ptr == NULL && !w->wild && r->flags & RULE_SUBTREE) {
        w->wild = true;
        w->n = 0;
        tail = action_tail(&w->zone->actions[r->action], 0);
    }
    if (tail.ptr == NULL)
        return false;
    w->n++;
    *ret = (struct zone_record){ { r->labels, r->len }, w->wild, tail };
    return true;
}

static bool next_rule_record(struct zone_walk *w, struct zone_record *ret)
{
    while (w->rule == NULL || !next_of_rule(w, ret)) {
        w->rule = w->phase == ALL_RULES ? next_of_all(w) : next_of_changes(w);
        if (w->rule == NULL)
            return false;
        w->wild = w->rule->flags & RULE_WILD_ONLY;
        w->n = 0;
    }
    return true;
}

static void apex(struct zone_record *ret, const uint8_t *rest, size_t len)
{
    *ret = (struct zone_record){ .rest = { rest, len } };
}

static void begin_changes(struct zone_walk *w)
{
    w->change = past_of(w->zone, w->from)->end;
    w->end = past_of(w->zone, w->to)->end;
    w->rule = NULL;
}

bool zone_walk_next(struct zone_walk *w, struct zone_record *ret)
{
    switch (w->phase) {
    case ALL_RULES:
    case SINCE_GONE:
    case SINCE_CAME:
        if (next_rule_record(w, ret))
            return true;
        w->phase = w->phase == SINCE_GONE ? SINCE_NOW : LAST_SOA;
        return zone_walk_next(w, ret);
    case ALL_NS:
        apex(ret, w->zone->ns, w->zone->ns_len);
        break;
    case AT_END:
        return false;
    default: {
        uint32_t version = w->phase == SINCE_THEN ? w->from : w->to;
        apex(ret, w->soa, copy_soa(w->zone, past_of(w->zone, version)->serial, w->soa));
        if (w->phase == SINCE_THEN || w->phase == SINCE_NOW)
            begin_changes(w);
    }
    }
    w->phase++;
    return true;
}
