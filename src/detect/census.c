#include "detect/census.h"

#include <stdlib.h>
#include <string.h>

enum {
    OWNERS_AT_ONCE = 1 << 16, /* between looks at what of the store is in memory */
    POPULAR_ROOM = 4 * SCENE_POPULAR, /* then the least are forgotten */
    POPULAR_CLIENTS = 2, /* in an hour, at least once */
    POPULAR_RECENT = 7 * DAY_STEPS, /* asked for since */
};

/* The pass: what is at hand of both streams, and of the owner in work. */
struct pass {
    struct census *c;
    struct store_scan *scan;
    struct slice key, value; /* of the next activity in the chunk; key.ptr NULL at the end */
    struct slice owner;      /* of it */
    uint32_t hour;
    struct profiles_reader *before;
    struct slice known;      /* the next profile's owner; ptr NULL at the end */
    struct profile known_profile;
    struct profiles_writer *after;
    struct activity activity;
    size_t candidates_room;
    const struct suffix_list *suffixes;
    const struct wanted *wanted; /* those not passed yet */
    size_t n_wanted;

    uint8_t at[NAME_KEY_MAX];
    size_t at_len;
    struct profile profile, start;
    bool is_candidate;
    struct wanted as_wanted; /* from > until: it is not */
    bool named;              /* screen_name */
    uint32_t next_period; /* whose start is still to be looked at, by number in the chunk */
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for the names of a chunk");
}

static int bad_record(struct fault *why)
{
    return fault_set(why, E_CORRUPT, "a record in a domain table does not parse; run dnsmon fsck");
}

/* ---- the streams ---- */

static int next_activity(struct pass *p, struct fault *why)
{
    do {
        int rc = store_scan_next(p->scan, &p->key, &p->value, why);
        if (rc != 0 || p->key.ptr == NULL)
            return rc;
        if (!activity_key_get(p->key, &p->owner, &p->hour))
            return bad_record(why);
    } while (p->hour < p->c->from || p->hour > p->c->to);
    return E_OK;
}

static int next_known(struct pass *p, struct fault *why)
{
    if (p->before != NULL)
        return profiles_next(p->before, &p->known, &p->known_profile, why);
    p->known.ptr = NULL;
    return E_OK;
}

/* ---- the names most used ---- */

static int compare_popular(const void *a, const void *b)
{
    const struct scene_popular *x = a, *y = b;
    if (x->clients != y->clients)
        return (x->clients < y->clients) - (x->clients > y->clients);
    if (x->days != y->days)
        return (x->days < y->days) - (x->days > y->days);
    return slice_compare(x->owner, y->owner);
}

static void settle_popular(struct census_popular *popular)
{
    if (popular->n)
        qsort(popular->names, popular->n, sizeof *popular->names, compare_popular);
    if (popular->n > SCENE_POPULAR)
        popular->n = SCENE_POPULAR;
}

static bool text_of(struct slice owner, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_owner_key(owner.ptr, owner.len, wire);
    size_t n = len ? name_to_text(wire, len, text) : 0;
    if (n > 1)
        text[n - 1] = '\0';
    return n != 0;
}

static void *copy(struct arena *memory, const void *ptr, size_t len)
{
    void *to = arena_alloc(memory, len);
    return to == NULL ? NULL : memcpy(to, ptr, len);
}

static int add_popular(struct pass *p, struct census_popular *popular, struct fault *why)
{
    char text[NAME_TEXT_MAX];
    struct slice owner = { p->at, p->at_len };
    if (popular->names == NULL)
        popular->names = calloc(POPULAR_ROOM, sizeof *popular->names);
    if (popular->n == POPULAR_ROOM)
        settle_popular(popular);
    if (popular->names == NULL || !text_of(owner, text))
        return no_memory(why);
    struct scene_popular *to = &popular->names[popular->n++];
    to->owner = (struct slice){ copy(&p->c->memory, p->at, p->at_len), p->at_len };
    to->name = copy(&p->c->memory, text, strlen(text) + 1);
    to->clients = p->profile.peak_clients;
    to->broad_days = p->profile.broad_days;
    to->days = p->profile.days;
    return to->owner.ptr == NULL || to->name == NULL ? no_memory(why) : E_OK;
}

/* The starts of periods up to that of `hour`, with the profile as it was then. */
static int pass_periods(struct pass *p, uint32_t hour, struct fault *why)
{
    int rc = E_OK;
    for (uint32_t start; rc == 0 && (start = p->c->from + p->next_period * PERIOD_STEPS) <= hour; p->next_period++)
        if (p->profile.peak_clients >= POPULAR_CLIENTS && start - p->profile.first >= DAY_STEPS && start - p->profile.last <= POPULAR_RECENT)
            rc = add_popular(p, &p->c->popular[p->next_period], why);
    return rc;
}

/* ---- an owner ---- */

static bool was_candidate(const struct pass *p)
{
    return p->profile.candidate_last != 0 && p->c->from - p->profile.candidate_last <= DAY_STEPS;
}

static void count_step(struct pass *p, enum screen s)
{
    struct census *c = p->c;
    const uint64_t *n = p->activity.counters;
    struct census_step *step = &c->steps[p->hour - c->from];
    struct network_hour *hour = &c->hours[c->n_hours - (c->to - p->hour) - 1];
    uint64_t clients = activity_clients(&p->activity);
    step->messages += n[ACTIVITY_QUERIES] + n[ACTIVITY_ANSWERED] + n[ACTIVITY_STRAY];
    step->names++;
    step->screened[s]++;
    hour->domains++;
    hour->queries += n[ACTIVITY_QUERIES];
    if (clients > hour->clients)
        hour->clients = clients < UINT32_MAX ? (uint32_t)clients : UINT32_MAX;
}

static int take_hour(struct pass *p, struct fault *why)
{
    if (!activity_get(p->value, true, &p->activity))
        return bad_record(why);
    if (p->profile.hours && p->hour <= p->profile.last)
        return fault_set(why, E_CORRUPT, "activity does not rise by hour; run dnsmon fsck");
    int rc = pass_periods(p, p->hour, why);
    profile_add(&p->profile, p->hour, &p->activity);
    enum screen s = p->named ? screen(&p->profile, channel_carried(&p->activity), p->hour, p->c->first) : SCREEN_NO_DOMAIN;
    if (s == SCREEN_CANDIDATE || (p->hour >= p->as_wanted.from && p->hour <= p->as_wanted.until)) {
        p->profile.candidate_last = p->hour;
        p->is_candidate = true;
    }
    count_step(p, s);
    return rc;
}

static int keep_candidate(struct pass *p, struct fault *why)
{
    struct census *c = p->c;
    if (c->n_candidates == CENSUS_CANDIDATES) {
        c->refused++;
        return E_OK;
    }
    if (c->n_candidates == p->candidates_room) {
        size_t room = p->candidates_room ? 2 * p->candidates_room : 1024;
        struct candidate *more = reallocarray(c->candidates, room, sizeof *more);
        if (more == NULL)
            return no_memory(why);
        c->candidates = more;
        p->candidates_room = room;
    }
    struct candidate *to = &c->candidates[c->n_candidates++];
    to->wanted_from = p->as_wanted.from;
    to->wanted_until = p->as_wanted.until;
    to->owner = (struct slice){ copy(&c->memory, p->at, p->at_len), p->at_len };
    to->profile = p->start;
    return to->owner.ptr == NULL ? no_memory(why) : E_OK;
}

/* Owners come in order, so what is before this one is passed. */
static struct wanted find_wanted(struct pass *p)
{
    struct slice owner = { p->at, p->at_len };
    for (; p->n_wanted > 0 && slice_compare(p->wanted->owner, owner) < 0; p->n_wanted--)
        p->wanted++;
    bool found = p->n_wanted > 0 && slice_compare(p->wanted->owner, owner) == 0;
    bool in_chunk = found && p->wanted->from <= p->c->to && p->wanted->until >= p->c->from;
    return in_chunk ? *p->wanted : (struct wanted){ .from = 1, .until = 0 };
}

/* The smaller owner of both streams, with what both have of it. */
static int take_owner(struct pass *p, struct fault *why)
{
    int order = p->key.ptr == NULL ? 1 : p->known.ptr == NULL ? -1 : slice_compare(p->owner, p->known);
    struct slice owner = order <= 0 ? p->owner : p->known;
    int rc = E_OK;
    if (owner.len > sizeof p->at)
        return bad_record(why);
    memcpy(p->at, owner.ptr, p->at_len = owner.len);
    profile_init(&p->profile);
    if (order >= 0) {
        p->profile = p->known_profile;
        rc = next_known(p, why);
    }
    p->start = p->profile;
    p->as_wanted = find_wanted(p);
    p->named = screen_name(p->suffixes, (struct slice){ p->at, p->at_len });
    p->is_candidate = was_candidate(p) || p->as_wanted.from <= p->as_wanted.until;
    p->next_period = 0;
    while (rc == 0 && p->key.ptr != NULL && p->owner.len == p->at_len && memcmp(p->owner.ptr, p->at, p->at_len) == 0) {
        rc = take_hour(p, why);
        if (rc == 0)
            rc = next_activity(p, why);
    }
    if (rc == 0)
        rc = pass_periods(p, p->c->to, why);
    if (rc == 0 && p->is_candidate)
        rc = keep_candidate(p, why);
    if (rc == 0 && p->after != NULL && p->c->to - p->profile.last <= PROFILES_FORGET)
        rc = profiles_add(p->after, (struct slice){ p->at, p->at_len }, &p->profile, why);
    return rc;
}

/* ---- the whole ---- */

static int begin(struct census *c, const struct profiles_reader *before, struct fault *why)
{
    const struct network_hour *old = NULL;
    size_t n_old = before == NULL ? 0 : profiles_hours(before, &old), n = c->to - c->from + 1;
    c->n_periods = (n + PERIOD_STEPS - 1) / PERIOD_STEPS;
    c->hours = calloc(n_old + n, sizeof *c->hours);
    c->steps = calloc(n, sizeof *c->steps);
    c->popular = calloc(c->n_periods, sizeof *c->popular);
    if (c->hours == NULL || c->steps == NULL || c->popular == NULL)
        return no_memory(why);
    if (n_old)
        memcpy(c->hours, old, n_old * sizeof *old);
    for (size_t i = 0; i < n; i++)
        c->hours[n_old + i].hour = c->from + (uint32_t)i;
    c->n_hours = n_old + n;
    return E_OK;
}

int census_take(struct census *ret, struct store *store, const struct suffix_list *suffixes, uint32_t from, uint32_t to, uint32_t first,
                const struct wanted *wanted, size_t n_wanted, struct profiles_reader *before, struct profiles_writer *after,
                struct fault *why)
{
    struct store_range range = { .kind = KIND_DOMAIN, .after = (int64_t)from * STEP_S, .before = step_end_s(to) };
    struct pass *p = calloc(1, sizeof *p);
    if (p == NULL)
        return no_memory(why);
    *ret = (struct census){ .from = from, .to = to, .first = first };
    arena_init(&ret->memory, 1 << 20);
    p->c = ret;
    p->before = before;
    p->after = after;
    p->suffixes = suffixes;
    p->wanted = wanted;
    p->n_wanted = n_wanted;
    int rc = begin(ret, before, why);
    if (rc == 0)
        rc = store_scan_open(&p->scan, store, &range, why);
    if (rc == 0)
        rc = next_activity(p, why);
    if (rc == 0)
        rc = next_known(p, why);
    for (unsigned n = 1; rc == 0 && (p->key.ptr != NULL || p->known.ptr != NULL); n++) {
        rc = take_owner(p, why);
        if (n % OWNERS_AT_ONCE == 0)
            store_give_back(store, MAPPED_MAX);
    }
    for (size_t i = 0; ret->popular != NULL && i < ret->n_periods; i++)
        settle_popular(&ret->popular[i]);
    if (p->scan != NULL)
        store_scan_close(&p->scan);
    free(p);
    if (rc != 0)
        census_release(ret);
    return rc;
}

struct network census_network(const struct census *c, uint32_t step)
{
    size_t n = c->n_hours - (c->to - step);
    const struct census_popular *popular = &c->popular[(step - c->from) / PERIOD_STEPS];
    struct network network = {
        .first = c->first, .hours = c->hours, .n_hours = n, .popular = popular->names, .n_popular = popular->n,
    };
    for (size_t i = n > DAY_STEPS ? n - DAY_STEPS : 0; i < n; i++)
        network.clients = c->hours[i].clients > network.clients ? c->hours[i].clients : network.clients;
    return network;
}

void census_release(struct census *c)
{
    for (size_t i = 0; c->popular != NULL && i < c->n_periods; i++)
        free(c->popular[i].names);
    free(c->popular);
    free(c->hours);
    free(c->steps);
    free(c->candidates);
    arena_release(&c->memory);
    *c = (struct census){ 0 };
}

int census_first(struct store *store, uint32_t *ret, struct fault *why)
{
    const struct store_table *tables;
    size_t n = store_tables(store, &tables);
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (tables[i].kind == KIND_DOMAIN && tables[i].from < first)
            first = tables[i].from;
    if (first == INT64_MAX)
        return fault_set(why, E_ABSENT, "there is no activity to analyse: ingest with --activity first");
    *ret = (uint32_t)(first / STEP_S);
    return E_OK;
}

struct until {
    uint32_t from, next;
};

static int see_hour(void *ctx, struct slice key, struct slice value, struct fault *why)
{
    struct until *u = ctx;
    struct slice owner;
    uint32_t hour;
    (void)value;
    if (!activity_key_get(key, &owner, &hour))
        return bad_record(why);
    if (hour >= u->from && hour < u->next)
        u->next = hour;
    return E_OK;
}

int census_empty(struct store *store, uint32_t from, uint32_t *ret, struct fault *why)
{
    struct store_range range = { .kind = KIND_DOMAIN, .after = (int64_t)from * STEP_S };
    struct until u = { from, UINT32_MAX };
    int rc = store_scan_each(store, &range, see_hour, &u, why);
    if (rc == 0)
        *ret = u.next == UINT32_MAX ? UINT32_MAX : u.next - from;
    return rc;
}
