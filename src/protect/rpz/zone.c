/* Living rules are in the index; dead ones are known to the journal alone, which frees them when it forgets the version in which
 * they died.
 *
 * Invariants (outside of a version under way):
 *     rules in the index == rules with died == 0
 *     changes of version v: rules with born == v or died == v, each once
 *     free rules: those that died in or before the journal's oldest version
 */
#include "protect/rpz/zone.h"

#include "protect/rpz/action.h"
#include "protect/rpz/rules.h"
#include "protect/rpz/tail.h"

#include <assert.h>
#include <stdlib.h>

enum { SOA_NUMBERS = 20 };

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
    uint8_t ns[TAIL_HEAD + NAME_WIRE_MAX];
    size_t ns_len;
    struct action actions[ZONE_ACTIONS_MAX];
    unsigned n_actions;

    struct rules rules;

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
    z->ns_len = tail_begin(z->ns, TYPE_NS, z->ttl_s, len) + len;
    memcpy(z->ns + TAIL_HEAD, wire, len);
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
    uint8_t *to = z->soa + tail_begin(z->soa, TYPE_SOA, z->ttl_s, mname_len + rname_len + SOA_NUMBERS);
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
    if (e == 0 && rules_init(&z->rules) != 0)
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
    for (unsigned i = 0; i < z->n_actions; i++)
        action_release(&z->actions[i]);
    rules_release(&z->rules);
    free(z->past);
    free(z->changes);
    free(z);
    *zone = NULL;
}

/* Actions */

int zone_action(struct zone *zone, const char *text, unsigned *ret, struct fault *why)
{
    for (unsigned i = 0; i < zone->n_actions; i++)
        if (strcmp(zone->actions[i].text, text) == 0) {
            *ret = i;
            return 0;
        }
    if (zone->n_actions == ZONE_ACTIONS_MAX)
        return fault_set(why, E_LIMIT, "%.256s: more than %d actions", text, ZONE_ACTIONS_MAX);
    int e = action_make(&zone->actions[zone->n_actions], text, zone->ttl_s, why);
    if (e == 0)
        *ret = zone->n_actions++;
    return e;
}

const char *zone_action_text(const struct zone *zone, unsigned action)
{
    return action < zone->n_actions ? zone->actions[action].text : NULL;
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
    size_t rules = z->rules.count > ZONE_JOURNAL_LEAST ? z->rules.count : ZONE_JOURNAL_LEAST;
    return z->n_past > 1 && (z->n_changes > z->journal_max || z->n_changes > rules || z->n_past > z->journal_max + (size_t)1);
}

/* Forgets how the oldest version became the next one; who died then is free. */
static void forget_oldest(struct zone *z)
{
    uint32_t next = oldest(z) + 1;
    uint64_t end = past_of(z, next)->end;
    for (; z->forgotten < end; z->forgotten++, z->changes_at++, z->n_changes--) {
        uint32_t ref = z->changes[z->changes_at];
        if (rules_at(&z->rules, ref)->died == next)
            rules_free(&z->rules, ref);
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
        e = rules_take(&z->rules, o, &ref);
    if (e != 0)
        return e;
    struct rule *r = rules_at(&z->rules, ref);
    r->born = z->version + 1;
    r->died = 0;
    r->action = (uint8_t)action;
    r->flags |= wild_only ? RULE_WILD_ONLY : 0;
    rules_enter(&z->rules, ref);
    note_change(z, ref);
    return 0;
}

/* A rule of this very version stands among its changes already. */
static int let_die(struct zone *z, uint32_t ref)
{
    struct rule *r = rules_at(&z->rules, ref);
    int e = r->born == z->version + 1 ? 0 : reserve_change(z);
    if (e != 0)
        return e;
    rules_leave(&z->rules, ref);
    r->died = z->version + 1;
    if (r->born != r->died)
        note_change(z, ref);
    return 0;
}

/* The domain of the same name as a host owns the name itself only as long as there is no such host. */
static int change_domain_of(struct zone *z, const struct owner *host, bool wild_only)
{
    uint32_t ref = host->subtree ? 0 : rules_find(&z->rules, host->labels, host->len, true);
    if (ref == 0 || !(rules_at(&z->rules, ref)->flags & RULE_WILD_ONLY) == !wild_only)
        return 0;
    struct owner domain = *host;
    domain.subtree = true;
    unsigned action = rules_at(&z->rules, ref)->action;
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
    uint32_t ref = rules_find(&zone->rules, o.labels, o.len, o.subtree);
    if (ref != 0 && rules_at(&zone->rules, ref)->action == action)
        return 0;
    if (ref != 0)
        e = let_die(zone, ref);
    if (e == 0)
        e = give_birth(zone, &o, action, o.subtree && rules_find(&zone->rules, o.labels, o.len, false) != 0);
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
    uint32_t ref = rules_find(&zone->rules, o.labels, o.len, o.subtree);
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
        const struct rule *r = rules_at(&z->rules, *from);
        if (r->born == r->died)
            rules_free(&z->rules, *from);
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
        struct rule *r = rules_at(&zone->rules, ref);
        if (r->born == zone->version + 1) {
            if (r->died == 0)
                rules_leave(&zone->rules, ref);
            rules_free(&zone->rules, ref);
        } else {
            r->died = 0;
            rules_enter(&zone->rules, ref);
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
    return zone->rules.count;
}

size_t zone_memory(const struct zone *zone)
{
    return sizeof *zone + rules_memory(&zone->rules) + zone->changes_capacity * sizeof *zone->changes +
           zone->past_capacity * sizeof *zone->past;
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
    uint32_t ref = rules_find(&zone->rules, o.labels, o.len, o.subtree);
    return ref ? rules_at(&zone->rules, ref)->action : -1;
}

struct slice zone_origin(const struct zone *zone)
{
    return (struct slice){ zone->origin, zone->origin_len };
}

/* Answers */

int zone_match(const struct zone *zone, const uint8_t *labels, size_t len)
{
    uint32_t ref = len ? rules_find(&zone->rules, labels, len, false) : 0;
    for (size_t at = 0; ref == 0 && at < len; at += labels[at] + 1u)
        ref = rules_find(&zone->rules, labels + at, len - at, true);
    return ref ? rules_at(&zone->rules, ref)->action : -1;
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

static const struct rule *next_of_all(struct zone_walk *w)
{
    const struct rule *r;
    do
        r = rules_next(&w->zone->rules, &w->memory);
    while (r != NULL && !lives_in(r, w->to));
    return r;
}

static const struct rule *next_of_changes(struct zone_walk *w)
{
    uint32_t in = w->phase == SINCE_GONE ? w->from : w->to, not_in = w->phase == SINCE_GONE ? w->to : w->from;
    while (w->change < w->end) {
        uint64_t change = w->change++;
        const struct rule *r = rules_at(&w->zone->rules, change_at(w->zone, change));
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
