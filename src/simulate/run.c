/* Events in order of time.
 *
 *     a process acts     ->  ask(): a pending question for each name, unless the client knows the answer
 *     a question is due  ->  a packet; then its answer is pending, or nothing comes and it is asked again
 *     an answer is due   ->  a packet; the client keeps it, or tries its search suffix
 *
 * A question of several types is sent type by type, a moment apart, as stubs do.
 */
#include "simulate/world.h"

#include "base/bytes.h"
#include "dns/decode.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PENDING_BIT = 1u << 31, PENDING_MAX = 1 << 22, TRIES = 3,
};
_Static_assert(ANSWER_MAX + NAME_WIRE_MAX <= CAPTURE_MESSAGE_MAX, "a message fits");

void world_fail(struct world *w, int rc, const char *what)
{
    if (w->rc == 0)
        w->rc = fault_set(w->why, rc, "%s: %s", what, fault_text(rc));
}

/* ---- pending questions and answers ---- */

static uint32_t pending_new(struct world *w)
{
    uint32_t i = w->pending_free;
    if (i != NOBODY) {
        w->pending_free = w->pending[i].next_free;
        return i;
    }
    if (w->n_pending == w->pending_capacity) {
        uint32_t capacity = w->pending_capacity ? w->pending_capacity * 2 : 4096;
        struct pending *pending = capacity <= PENDING_MAX ? realloc(w->pending, capacity * sizeof *pending) : NULL;
        if (pending == NULL) {
            world_fail(w, capacity <= PENDING_MAX ? E_NOMEM : E_LIMIT, "pending questions");
            return NOBODY;
        }
        w->pending = pending;
        w->pending_capacity = capacity;
    }
    return w->n_pending++;
}

static void pending_drop(struct world *w, uint32_t i)
{
    w->pending[i].next_free = w->pending_free;
    w->pending_free = i;
}

static void schedule(struct world *w, int64_t at_ns, uint32_t i)
{
    int rc = heap_push(&w->heap, at_ns, i | PENDING_BIT);
    if (rc != 0)
        world_fail(w, rc, "events");
}

/* ---- caches ---- */

static uint64_t tag_of(const struct target *t, uint16_t qtype)
{
    return hash_mix(t->label * 31 + ((uint64_t)t->zone << 20) + qtype + ((uint64_t)t->style << 56)) | 1;
}

static struct cached *cached_at(const struct client *c, uint64_t tag)
{
    return &c->cache[(uint32_t)(tag >> 32) & c->cache_mask];
}

static bool client_knows(const struct world *w, const struct client *c, const struct target *t, uint16_t qtype, int64_t now_s)
{
    uint64_t tag = tag_of(t, qtype);
    const struct cached *at = cached_at(c, tag);
    return c->cache_mask != 0 && at->tag == (uint32_t)tag && w->start_s + at->until_s > now_s;
}

static void client_keeps(const struct world *w, const struct client *c, const struct target *t, uint16_t qtype, int64_t now_s,
                         uint32_t ttl_s)
{
    uint64_t tag = tag_of(t, qtype);
    if (c->cache_mask != 0)
        *cached_at(c, tag) = (struct cached){ (uint32_t)tag, (uint32_t)(now_s - w->start_s) + ttl_s };
}

/* ---- asking ---- */

static void ask_types(struct world *w, uint32_t client, int64_t at_ns, struct target target, uint8_t types, uint16_t other)
{
    const struct client *c = &w->clients[client];
    int64_t at_s = at_ns / NS_PER_S;
    if (at_s >= c->to_s || at_s < c->from_s || client_knows(w, c, &target, types & ASK_A ? TYPE_A : other, at_s))
        return;
    uint32_t i = pending_new(w);
    if (i == NOBODY)
        return;
    w->pending[i] = (struct pending){ .target = target, .client = client, .types = types, .qtype = other };
    schedule(w, at_ns, i);
}

void ask(struct world *w, uint32_t client, int64_t at_ns, struct target target)
{
    uint8_t flags = w->clients[client].flags, types = ASK_A;
    if (flags & CLIENT_AAAA)
        types |= ASK_AAAA;
    if (flags & CLIENT_HTTPS)
        types |= ASK_HTTPS;
    ask_types(w, client, at_ns, target, types, 0);
}

void ask_type(struct world *w, uint32_t client, int64_t at_ns, struct target target, uint16_t qtype)
{
    ask_types(w, client, at_ns, target, ASK_OTHER, qtype);
}

void ask_plain(struct world *w, uint32_t client, int64_t at_ns, struct target target)
{
    ask_types(w, client, at_ns, target, ASK_A, 0);
}

/* Takes the next type off. */
static uint16_t next_type(struct pending *p)
{
    static const struct { uint8_t bit; uint16_t type; } order[] = { { ASK_A, TYPE_A }, { ASK_AAAA, TYPE_AAAA }, { ASK_HTTPS, TYPE_HTTPS } };
    for (unsigned i = 0; i < 3; i++)
        if (p->types & order[i].bit) {
            p->types &= (uint8_t)~order[i].bit;
            return order[i].type;
        }
    p->types = 0;
    return p->qtype;
}

static void count_query(struct world *w, const struct pending *p, int64_t now_s)
{
    struct zone *z = world_zone(w, p->target.zone);
    bool kept = true;
    if (z->queries++ == 0) {
        z->first_s = now_s;
        w->counts.domains += z->kind != ZONE_ROOT;
    }
    if (z->kind != ZONE_ROOT)
        kept = client_set_add(&z->clients, p->client, w->zones.client_words);
    if (p->target.watch != 0) {
        struct watch *watch = &w->watches[p->target.watch - 1];
        if (watch->queries++ == 0)
            watch->first_s = now_s;
        kept = client_set_add(&watch->clients, p->client, w->zones.client_words) && kept;
    }
    w->counts.queries++;
    if (!kept)
        world_fail(w, E_NOMEM, "clients of a name");
}

/* How long the resolver takes; *ret_age_s: for how long it has had the answer. */
static int64_t resolve_ns(struct world *w, struct rng *r, const struct target *t, uint16_t qtype, int64_t now_s)
{
    const struct resolver_entry *e = &w->resolver[tag_of(t, qtype) % RESOLVER_CACHE];
    if (w->scenario->resolver_cache && e->tag == tag_of(t, qtype) && e->until_s > now_s)
        return 150000 + (int64_t)rng_exponential(r, 300000);
    return 6000000 + (int64_t)rng_exponential(r, 35e6);
}

static void send_query(struct world *w, uint32_t i, int64_t now_ns)
{
    struct pending *p = &w->pending[i];
    struct client *c = &w->clients[p->client];
    int64_t now_s = now_ns / NS_PER_S;
    uint16_t qtype = next_type(p);
    if (p->types != 0) { /* the rest a moment later */
        struct pending rest = *p;
        uint32_t more = pending_new(w);
        if (more == NOBODY)
            return;
        w->pending[more] = rest;
        schedule(w, now_ns + 40000 + rng_below(&c->rng, 1500000), more);
        p = &w->pending[i];
        p->types = 0;
    }
    if (p->tries == 0 && client_knows(w, c, &p->target, qtype, now_s)) {
        pending_drop(w, i);
        return;
    }
    p->qtype = qtype;
    p->id = (uint16_t)rng_u64(&c->rng);
    p->port = (uint16_t)rng_range(&c->rng, 1024, 65535);
    size_t len = question_write(w, &p->target, qtype, p->id, capture_room(&w->capture));
    capture_add(&w->capture, now_ns, c->address, p->port, false, len);
    count_query(w, p, now_s);
    if (!rng_chance(&c->rng, w->scenario->loss)) {
        int64_t takes_ns = resolve_ns(w, &c->rng, &p->target, qtype, now_s);
        schedule(w, now_ns + takes_ns, i);
        return;
    }
    if (++p->tries >= TRIES) {
        pending_drop(w, i);
        return;
    }
    p->types = qtype == TYPE_A ? ASK_A : qtype == TYPE_AAAA ? ASK_AAAA : qtype == TYPE_HTTPS ? ASK_HTTPS : ASK_OTHER;
    schedule(w, now_ns + p->tries * NS_PER_S + rng_below(&c->rng, 500000000), i);
}

/* For how long the resolver has had it; makes it known from now on if it was not. */
static uint32_t resolver_age(struct world *w, const struct target *t, uint16_t qtype, int64_t now_s)
{
    uint64_t tag = tag_of(t, qtype);
    struct resolver_entry *e = &w->resolver[tag % RESOLVER_CACHE];
    if (!w->scenario->resolver_cache)
        return 0;
    if (e->tag == tag && e->until_s > now_s)
        return (uint32_t)(now_s - e->from_s);
    *e = (struct resolver_entry){ tag, now_s, 0 };
    return 0;
}

/* Short names and mistyped ones are tried below the search suffix, too. */
static void search(struct world *w, const struct pending *p, int64_t now_ns)
{
    struct client *c = &w->clients[p->client];
    if (!(c->flags & CLIENT_SEARCHES) || p->follows || p->qtype == TYPE_PTR || !rng_chance(&c->rng, 0.8 * w->scenario->mix.junk))
        return;
    uint32_t corporate = w->corporates[c->company % CORPORATES];
    struct target t = target_of(corporate, LABEL_OTHER, p->target.zone);
    t.flags = TARGET_ABSENT;
    if (p->target.zone == 0)
        t = p->target, t.zone = corporate, t.flags = TARGET_ABSENT;
    else if (corporate == 0)
        t = target_of(network_junk(w, p->target.zone, "lan"), LABEL_OTHER, p->target.zone);
    if (corporate == 0 && p->target.zone == 0)
        return;
    uint32_t i = pending_new(w);
    if (i == NOBODY)
        return;
    w->pending[i] = (struct pending){ .target = t, .client = p->client, .types = ASK_A, .follows = true };
    schedule(w, now_ns + 300000 + rng_below(&c->rng, 3000000), i);
}

static void send_answer(struct world *w, uint32_t i, int64_t now_ns)
{
    struct pending p = w->pending[i];
    struct client *c = &w->clients[p.client];
    int64_t now_s = now_ns / NS_PER_S;
    uint32_t age_s = resolver_age(w, &p.target, p.qtype, now_s);
    struct answer answer;
    /* Content is that of the time when it was fetched. */
    answer_write(w, &p.target, p.qtype, p.id, now_s - age_s, age_s, &answer, capture_room(&w->capture));
    capture_add(&w->capture, now_ns, c->address, p.port, true, answer.len);
    w->counts.responses++;
    if (age_s == 0)
        w->resolver[tag_of(&p.target, p.qtype) % RESOLVER_CACHE].until_s = now_s + (answer.rcode == RCODE_SERVFAIL ? 0 : answer.ttl_s);
    if (answer.rcode != RCODE_SERVFAIL)
        client_keeps(w, c, &p.target, p.qtype, now_s, answer.ttl_s);
    pending_drop(w, i);
    if (answer.rcode == RCODE_NXDOMAIN && p.qtype == TYPE_A)
        search(w, &p, now_ns);
}

/* ---- the run ---- */

static void act(struct world *w, uint32_t process, int64_t now_ns)
{
    static process_step *const steps[] = {
#define XX(name) [PROCESS_##name] = step_##name,
        PROCESS_MAP(XX)
#undef XX
    };
    struct process *p = &w->processes[process];
    int64_t next_ns = steps[p->kind](w, p, now_ns);
    if (next_ns == 0 || next_ns / NS_PER_S >= w->end_s)
        return;
    int rc = heap_push(&w->heap, next_ns, process);
    if (rc != 0)
        world_fail(w, rc, "events");
}

static void pending_due(struct world *w, uint32_t i, int64_t now_ns)
{
    if (w->pending[i].types != 0)
        send_query(w, i, now_ns);
    else
        send_answer(w, i, now_ns);
}

int world_run(struct world *w)
{
    struct heap_entry e;
    while (w->rc == 0 && w->capture.rc == 0 && heap_pop(&w->heap, &e) && e.time_ns < w->end_s * NS_PER_S) {
        if (e.what & PENDING_BIT)
            pending_due(w, e.what & ~PENDING_BIT, e.time_ns);
        else
            act(w, e.what, e.time_ns);
        if (w->zones.failed)
            world_fail(w, E_NOMEM, "names");
    }
    int rc = capture_end(&w->capture);
    return w->rc ? w->rc : rc;
}
