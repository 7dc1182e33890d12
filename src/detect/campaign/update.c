/* Nodes are names, sorted; edges are pairs of nodes, strongest first. Two forests stand over the nodes: `tied`, of this period's edges
 * alone, tells the core of each former campaign; `whole`, former membership first and edges after, tells the campaigns. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/campaign/campaign.h"

enum { NOWHERE = UINT32_MAX, SCRATCH_CHUNK = 1 << 16 };

struct node {
    struct slice name;
    bool known, active, apart, blocked;
    uint32_t former;  /* index of its former campaign, or NOWHERE */
    uint32_t joined;
    uint16_t idle;
    bool leaving;
    uint32_t body;    /* index in the new set, or NOWHERE */
    uint32_t strongest; /* edge into its campaign, or NOWHERE */
};

struct edge {
    uint32_t a, b; /* a < b */
    double strength;
    uint32_t groups;
    bool harm;
};

struct forest {
    uint32_t *parent;
    uint32_t *size;
};

struct work {
    const struct campaign_set *before;
    const struct campaign_period *period;
    struct campaign_set *to;
    struct arena scratch;
    struct node *nodes;
    uint32_t n_nodes;
    struct edge *edges;
    size_t n_edges;
    struct forest tied, whole;
    bool failed;
};

static void *need(struct work *w, struct arena *from, size_t n, size_t size)
{
    void *p = n <= SIZE_MAX / size ? arena_alloc(from, n * size) : NULL;
    w->failed |= p == NULL;
    return p;
}

/* Nodes. */

static int compare_nodes(const void *a, const void *b)
{
    const struct node *x = a, *y = b;
    int c = slice_compare(x->name, y->name);
    return c ? c : y->known - x->known;
}

/* Two nodes of one name: what the period knows comes first, what was before follows. */
static void fold_node(struct node *into, const struct node *former)
{
    if (into->former != NOWHERE || former->former == NOWHERE)
        return;
    into->former = former->former;
    into->joined = former->joined;
    into->idle = former->idle;
}

static void make_nodes(struct work *w)
{
    size_t n = w->period->n_names;
    for (size_t i = 0; i < w->before->n; i++)
        n += w->before->bodies[i].n;
    struct node *nodes = n < NOWHERE ? need(w, &w->scratch, n, sizeof *nodes) : NULL;
    if ((w->failed |= nodes == NULL))
        return;
    n = 0;
    for (size_t i = 0; i < w->period->n_names; i++) {
        const struct campaign_name *k = &w->period->names[i];
        nodes[n++] = (struct node){ .name = k->name, .known = true, .active = k->active, .apart = k->apart, .blocked = k->blocked,
                                    .former = NOWHERE };
    }
    for (size_t i = 0; i < w->before->n; i++)
        for (size_t m = 0; m < w->before->bodies[i].n; m++) {
            const struct campaign_part *part = &w->before->bodies[i].parts[m];
            nodes[n++] = (struct node){ .name = part->name, .former = (uint32_t)i, .joined = part->joined, .idle = part->idle };
        }
    qsort(nodes, n, sizeof *nodes, compare_nodes);
    w->nodes = nodes;
    for (size_t i = 0; i < n; i++) {
        if (w->n_nodes && slice_compare(nodes[w->n_nodes - 1].name, nodes[i].name) == 0)
            fold_node(&nodes[w->n_nodes - 1], &nodes[i]);
        else
            nodes[w->n_nodes++] = nodes[i];
    }
    for (uint32_t i = 0; i < w->n_nodes; i++)
        nodes[i].body = nodes[i].strongest = NOWHERE;
}

static uint32_t node_of(const struct work *w, struct slice name)
{
    uint32_t low = 0, high = w->n_nodes;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = slice_compare(w->nodes[middle].name, name);
        if (c == 0)
            return middle;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NOWHERE;
}

/* Edges. */

struct half { /* what one group says of a pair */
    uint32_t a, b;
    enum group group;
    double strength;
};

static int compare_halves(const void *a, const void *b)
{
    const struct half *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->strength < y->strength) - (x->strength > y->strength);
}

static int compare_edges(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->strength != y->strength)
        return x->strength > y->strength ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static bool is_harm(enum group group)
{
    return group == GROUP_LABELS || group == GROUP_INFRASTRUCTURE;
}

static bool connects(enum group group)
{
    return group == GROUP_COHORT || group == GROUP_CURVE || is_harm(group);
}

static bool may_bind(const struct work *w, uint32_t node)
{
    return node != NOWHERE && w->nodes[node].known && !w->nodes[node].apart;
}

static size_t make_halves(struct work *w, struct half *halves)
{
    size_t n = 0;
    for (size_t i = 0; i < w->period->n_links; i++) {
        const struct campaign_link *link = &w->period->links[i];
        uint32_t a = node_of(w, link->from), b = node_of(w, link->to);
        if (!connects(link->group) || link->strength <= 0 || a == b || !may_bind(w, a) || !may_bind(w, b))
            continue;
        halves[n++] = (struct half){ a < b ? a : b, a < b ? b : a, link->group, fmin(link->strength, CAMPAIGN_LINK_MAX) };
    }
    qsort(halves, n, sizeof *halves, compare_halves);
    return n;
}

/* The edge of the pair at `from`, of the strongest of each group; *ret_next: the next pair. */
static bool edge_joins(const struct half *halves, size_t n, size_t from, struct edge *ret, size_t *ret_next)
{
    struct edge e = { .a = halves[from].a, .b = halves[from].b };
    double harm = 0;
    size_t i = from;
    for (; i < n && halves[i].a == e.a && halves[i].b == e.b; i++) {
        if (e.groups >> halves[i].group & 1)
            continue;
        e.groups |= 1u << halves[i].group;
        e.strength += halves[i].strength;
        if (is_harm(halves[i].group))
            harm = fmax(harm, halves[i].strength);
    }
    e.harm = (e.groups & (1u << GROUP_LABELS | 1u << GROUP_INFRASTRUCTURE)) != 0;
    *ret = e;
    *ret_next = i;
    return harm >= CAMPAIGN_JOIN_HARM || (__builtin_popcount(e.groups) >= 2 && e.strength >= CAMPAIGN_JOIN_SUM);
}

static void make_edges(struct work *w)
{
    struct half *halves = need(w, &w->scratch, w->period->n_links, sizeof *halves);
    w->edges = need(w, &w->scratch, w->period->n_links, sizeof *w->edges);
    if (w->failed)
        return;
    size_t n = make_halves(w, halves);
    for (size_t i = 0; i < n;)
        w->n_edges += edge_joins(halves, n, i, &w->edges[w->n_edges], &i);
    qsort(w->edges, w->n_edges, sizeof *w->edges, compare_edges);
}

/* Forests. The root of a tree is its smallest node, so that nothing depends on the order of joining. */

static void forest_plant(struct work *w, struct forest *f)
{
    f->parent = need(w, &w->scratch, w->n_nodes, sizeof *f->parent);
    f->size = need(w, &w->scratch, w->n_nodes, sizeof *f->size);
    for (uint32_t i = 0; !w->failed && i < w->n_nodes; i++) {
        f->parent[i] = i;
        f->size[i] = 1;
    }
}

static uint32_t root(struct forest *f, uint32_t i)
{
    while (f->parent[i] != i)
        i = f->parent[i] = f->parent[f->parent[i]];
    return i;
}

/* False: it would be too large. */
static bool join(struct forest *f, uint32_t a, uint32_t b, uint32_t most)
{
    a = root(f, a);
    b = root(f, b);
    if (a == b)
        return true;
    if (f->size[a] + f->size[b] > most)
        return false;
    uint32_t top = a < b ? a : b, under = a < b ? b : a;
    f->parent[under] = top;
    f->size[top] += f->size[under];
    return true;
}

/* Former campaigns: who stays. */

static bool was_part(const struct node *n)
{
    return n->former != NOWHERE && !n->apart;
}

/* For each former campaign the tree of `tied` that is its core, or NOWHERE. */
static uint32_t *find_cores(struct work *w)
{
    uint32_t *count = need(w, &w->scratch, w->n_nodes, sizeof *count); /* members of the campaign at hand, by root */
    uint32_t *core = need(w, &w->scratch, w->before->n, sizeof *core);
    if (w->failed)
        return NULL;
    memset(count, 0, w->n_nodes * sizeof *count);
    for (size_t i = 0; i < w->before->n; i++) {
        const struct campaign_body *body = &w->before->bodies[i];
        core[i] = NOWHERE;
        for (int round = 0; round < 3; round++) /* count, choose, clear */
            for (size_t m = 0; m < body->n; m++) {
                uint32_t at = node_of(w, body->parts[m].name), r = root(&w->tied, at);
                if (w->nodes[at].former != i || !was_part(&w->nodes[at]))
                    continue;
                if (round == 0)
                    count[r]++;
                else if (round == 1 && count[r] >= 2 && (core[i] == NOWHERE || count[r] > count[core[i]] ||
                                                         (count[r] == count[core[i]] && r < core[i])))
                    core[i] = r;
                else if (round == 2)
                    count[r] = 0;
            }
    }
    return core;
}

static void age_members(struct work *w, const uint32_t *core)
{
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        struct node *n = &w->nodes[i];
        if (!was_part(n) || !n->active)
            continue;
        if (root(&w->tied, i) == core[n->former])
            n->idle = 0;
        else if (n->idle < CAMPAIGN_IDLE_MAX)
            n->idle++;
        n->leaving = n->idle == CAMPAIGN_IDLE_MAX;
    }
}

static void grow_whole(struct work *w)
{
    uint32_t *first = need(w, &w->scratch, w->before->n, sizeof *first);
    if (w->failed)
        return;
    memset(first, 0xff, w->before->n * sizeof *first);
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        const struct node *n = &w->nodes[i];
        if (!was_part(n) || n->leaving)
            continue;
        if (first[n->former] == NOWHERE)
            first[n->former] = i;
        (void)join(&w->whole, first[n->former], i, UINT32_MAX);
    }
    for (size_t i = 0; i < w->n_edges; i++)
        w->to->refused += !join(&w->whole, w->edges[i].a, w->edges[i].b, CAMPAIGN_PARTS_MAX);
}

/* New campaigns. */

struct claim { /* members of a tree that come from one former campaign */
    uint32_t root, former, n;
};

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    if (x->root != y->root)
        return x->root < y->root ? -1 : 1;
    return (x->former > y->former) - (x->former < y->former);
}

/* By tree and former campaign, each pair once. `leavers`: of those that leave, else of those that stay. */
static size_t make_claims(struct work *w, bool leavers, struct claim **ret)
{
    struct claim *claims = need(w, &w->scratch, w->n_nodes, sizeof *claims);
    size_t n = 0, kept = 0;
    if (w->failed)
        return 0;
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (was_part(&w->nodes[i]) && w->nodes[i].leaving == leavers)
            claims[n++] = (struct claim){ root(&w->whole, i), w->nodes[i].former, 1 };
    qsort(claims, n, sizeof *claims, compare_claims);
    for (size_t i = 0; i < n; i++)
        if (kept && compare_claims(&claims[kept - 1], &claims[i]) == 0)
            claims[kept - 1].n++;
        else
            claims[kept++] = claims[i];
    *ret = claims;
    return kept;
}

/* The former campaign with most members, of equals the oldest; NOWHERE: none. */
static uint32_t strongest_claim(const struct claim *claims, size_t n)
{
    const struct claim *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (best == NULL || claims[i].n > best->n)
            best = &claims[i];
    return best ? best->former : NOWHERE;
}

struct heir { /* a tree that is a campaign */
    uint32_t root;
    uint32_t former;     /* whose identity goes on; NOWHERE: a new one */
    uint32_t split_from; /* likewise */
    uint64_t identity;
    uint32_t born;
};

static int compare_heirs(const void *a, const void *b)
{
    const struct heir *x = a, *y = b;
    if (x->born != y->born)
        return x->born < y->born ? -1 : 1;
    return (x->identity > y->identity) - (x->identity < y->identity);
}

/* Of each tree, as if it were new; by root. */
static uint64_t *make_identities(struct work *w)
{
    uint64_t *identity = need(w, &w->scratch, w->n_nodes, sizeof *identity);
    for (uint32_t i = 0; !w->failed && i < w->n_nodes; i++) {
        uint32_t r = root(&w->whole, i); /* the first node of its tree */
        uint64_t h = r == i ? hash_mix(w->period->step) : identity[r];
        h = hash_mix(h ^ hash_stable(w->nodes[i].name.ptr, w->nodes[i].name.len));
        identity[r] = h ? h : 1;
    }
    return identity;
}

/* The part of a list of claims that is about `tree`. Trees rise in both, so that one pass serves all. */
static size_t claims_of(const struct claim *claims, size_t n, size_t *at, uint32_t tree, const struct claim **ret)
{
    while (*at < n && claims[*at].root < tree)
        ++*at;
    size_t from = *at;
    while (*at < n && claims[*at].root == tree)
        ++*at;
    *ret = claims + from;
    return *at - from;
}

static size_t make_heirs(struct work *w, const struct claim *stay, size_t n_stay, struct heir **ret)
{
    struct claim *leave = NULL;
    size_t n_leave = make_claims(w, true, &leave), n = 0, at_stay = 0, at_leave = 0;
    struct heir *heirs = need(w, &w->scratch, w->n_nodes, sizeof *heirs);
    const uint64_t *identity = make_identities(w);
    for (uint32_t i = 0; !w->failed && i < w->n_nodes; i++) {
        const struct claim *staying, *leaving;
        if (root(&w->whole, i) != i)
            continue;
        size_t claim_n = claims_of(stay, n_stay, &at_stay, i, &staying), left_n = claims_of(leave, n_leave, &at_leave, i, &leaving);
        uint32_t former = strongest_claim(staying, claim_n);
        if (former != NOWHERE) {
            const struct campaign_body *body = &w->before->bodies[former];
            heirs[n++] = (struct heir){ i, former, NOWHERE, body->identity, body->born };
        } else if (w->whole.size[i] >= 2) {
            heirs[n++] = (struct heir){ i, NOWHERE, strongest_claim(leaving, left_n), identity[i], w->period->step };
        }
    }
    if (!w->failed)
        qsort(heirs, n, sizeof *heirs, compare_heirs);
    *ret = heirs;
    return n;
}

static struct slice keep(struct work *w, struct slice name)
{
    uint8_t *to = need(w, &w->to->memory, name.len, 1);
    if (to != NULL && name.len)
        memcpy(to, name.ptr, name.len);
    return (struct slice){ to, to == NULL ? 0 : name.len };
}

static void fill_bodies(struct work *w, const struct heir *heirs, size_t n)
{
    uint32_t *body_of = need(w, &w->scratch, w->n_nodes, sizeof *body_of); /* by root */
    w->to->bodies = need(w, &w->to->memory, n, sizeof *w->to->bodies);
    if (w->failed)
        return;
    memset(body_of, 0xff, w->n_nodes * sizeof *body_of);
    for (size_t i = 0; i < n; i++) {
        size_t size = w->whole.size[heirs[i].root];
        body_of[heirs[i].root] = (uint32_t)i;
        w->to->bodies[i] = (struct campaign_body){ heirs[i].identity, heirs[i].born, need(w, &w->to->memory, size, sizeof(struct campaign_part)), 0 };
    }
    w->to->n = w->failed ? 0 : n;
    w->to->places = need(w, &w->to->memory, w->n_nodes, sizeof *w->to->places);
    for (uint32_t i = 0; !w->failed && i < w->n_nodes; i++) {
        struct node *node = &w->nodes[i];
        node->body = body_of[root(&w->whole, i)];
        if (node->body == NOWHERE)
            continue;
        struct campaign_body *body = &w->to->bodies[node->body];
        bool same = node->former != NOWHERE && w->before->bodies[node->former].identity == body->identity;
        struct slice name = keep(w, node->name);
        w->to->places[w->to->n_places++] = (struct campaign_place){ name, node->body };
        body->parts[body->n++] = (struct campaign_part){ name, same ? node->joined : w->period->step, same ? node->idle : 0 };
    }
}

/* Changes and ties. */

static void find_strongest(struct work *w)
{
    for (size_t i = w->n_edges; i-- > 0;) { /* the strongest come last and stay */
        struct node *a = &w->nodes[w->edges[i].a], *b = &w->nodes[w->edges[i].b];
        if (a->body == b->body)
            a->strongest = b->strongest = (uint32_t)i;
    }
}

static void say(struct work *w, struct campaign_change change)
{
    w->to->changes[w->to->n_changes++] = change;
}

/* The set's own copy of a member's name. */
static struct slice part_name(const struct work *w, const struct node *n)
{
    const struct campaign_place *places = w->to->places;
    size_t low = 0, high = w->to->n_places;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(places[middle].name, n->name) <= 0)
            low = middle;
        else
            high = middle;
    }
    return places[low].name;
}

static void say_left(struct work *w, const uint32_t *goes_on)
{
    for (uint32_t i = 0; i < w->n_nodes; i++) {
        const struct node *n = &w->nodes[i];
        if (n->former != NOWHERE && (n->body == NOWHERE || ((n->leaving || n->apart) && n->body != goes_on[n->former])))
            say(w, (struct campaign_change){ .kind = CAMPAIGN_LEFT, .campaign = w->before->bodies[n->former].identity, .name = keep(w, n->name) });
    }
}

static void say_joined(struct work *w, uint32_t node, const uint32_t *goes_on)
{
    const struct node *n = &w->nodes[node];
    struct campaign_change change = { .kind = CAMPAIGN_JOINED, .campaign = w->to->bodies[n->body].identity, .name = part_name(w, n) };
    if (n->former != NOWHERE && goes_on[n->former] == n->body)
        return; /* it was there, or came with its campaign */
    if (n->strongest != NOWHERE) {
        const struct edge *e = &w->edges[n->strongest];
        change.peer = part_name(w, &w->nodes[e->a == node ? e->b : e->a]);
        change.strength = e->strength;
        change.groups = e->groups;
    }
    say(w, change);
}

/* Where each former campaign is now: the body with those that stayed, or NOWHERE. */
static uint32_t *find_goes_on(struct work *w)
{
    uint32_t *goes_on = need(w, &w->scratch, w->before->n, sizeof *goes_on);
    if (w->failed)
        return NULL;
    memset(goes_on, 0xff, w->before->n * sizeof *goes_on);
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (was_part(&w->nodes[i]) && !w->nodes[i].leaving)
            goes_on[w->nodes[i].former] = w->nodes[i].body;
    return goes_on;
}

static int compare_changes(const void *a, const void *b)
{
    const struct campaign_change *x = a, *y = b;
    int c;
    if ((x->kind == CAMPAIGN_LEFT) != (y->kind == CAMPAIGN_LEFT))
        return x->kind == CAMPAIGN_LEFT ? -1 : 1;
    uint64_t at_x = x->kind == CAMPAIGN_MERGED ? x->other : x->campaign, at_y = y->kind == CAMPAIGN_MERGED ? y->other : y->campaign;
    if (at_x != at_y)
        return at_x < at_y ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if ((c = slice_compare(x->name, y->name)) != 0)
        return c;
    return (x->campaign > y->campaign) - (x->campaign < y->campaign);
}

static void say_changes(struct work *w, const struct heir *heirs, size_t n_heirs)
{
    const uint32_t *goes_on = find_goes_on(w);
    w->to->changes = need(w, &w->to->memory, 2 * (size_t)w->n_nodes + n_heirs + w->before->n, sizeof *w->to->changes);
    if (w->failed)
        return;
    say_left(w, goes_on);
    for (size_t i = 0; i < n_heirs; i++)
        if (heirs[i].former == NOWHERE)
            say(w, (struct campaign_change){ .kind = CAMPAIGN_CREATED, .campaign = heirs[i].identity,
                                             .other = heirs[i].split_from == NOWHERE ? 0 : w->before->bodies[heirs[i].split_from].identity });
    for (size_t i = 0; i < w->before->n; i++) {
        uint64_t was = w->before->bodies[i].identity;
        if (goes_on[i] != NOWHERE && w->to->bodies[goes_on[i]].identity != was)
            say(w, (struct campaign_change){ .kind = CAMPAIGN_MERGED, .campaign = was, .other = w->to->bodies[goes_on[i]].identity });
    }
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (w->nodes[i].body != NOWHERE)
            say_joined(w, i, goes_on);
    qsort(w->to->changes, w->to->n_changes, sizeof *w->to->changes, compare_changes);
}

static void make_ties(struct work *w)
{
    double *strength = need(w, &w->scratch, w->n_nodes, sizeof *strength);
    bool *harm = need(w, &w->scratch, w->n_nodes, sizeof *harm);
    w->to->ties = need(w, &w->to->memory, w->n_nodes, sizeof *w->to->ties);
    if (w->failed)
        return;
    memset(strength, 0, w->n_nodes * sizeof *strength);
    memset(harm, 0, w->n_nodes * sizeof *harm);
    for (size_t i = 0; i < w->n_edges; i++) {
        const struct edge *e = &w->edges[i];
        if (w->nodes[e->a].blocked == w->nodes[e->b].blocked || w->nodes[e->a].body != w->nodes[e->b].body)
            continue;
        uint32_t with = w->nodes[e->a].blocked ? e->b : e->a;
        strength[with] = fmax(strength[with], fmin(e->strength, CAMPAIGN_LINK_MAX));
        harm[with] |= e->harm;
    }
    for (uint32_t i = 0; i < w->n_nodes; i++)
        if (strength[i] > 0)
            w->to->ties[w->to->n_ties++] = (struct campaign_tie){ part_name(w, &w->nodes[i]), strength[i], harm[i] };
}

static void work_through(struct work *w)
{
    struct heir *heirs = NULL;
    struct claim *stay = NULL;
    make_nodes(w);
    if (!w->failed)
        make_edges(w);
    if (!w->failed) {
        forest_plant(w, &w->tied);
        forest_plant(w, &w->whole);
    }
    if (w->failed)
        return;
    for (size_t i = 0; i < w->n_edges; i++)
        (void)join(&w->tied, w->edges[i].a, w->edges[i].b, UINT32_MAX);
    const uint32_t *core = find_cores(w);
    if (core == NULL)
        return;
    age_members(w, core);
    grow_whole(w);
    size_t n_stay = w->failed ? 0 : make_claims(w, false, &stay);
    size_t n_heirs = w->failed ? 0 : make_heirs(w, stay, n_stay, &heirs);
    if (!w->failed)
        fill_bodies(w, heirs, n_heirs);
    if (w->failed)
        return;
    find_strongest(w);
    say_changes(w, heirs, n_heirs);
    if (!w->failed)
        make_ties(w);
}

static void empty(struct campaign_set *set)
{
    struct arena memory = set->memory;
    arena_reset(&memory);
    *set = (struct campaign_set){ .memory = memory };
}

int campaign_update(const struct campaign_set *before, const struct campaign_period *period, struct campaign_set *ret, struct fault *why)
{
    struct work w = { .before = before, .period = period, .to = ret };
    assert(before != ret);
    empty(ret);
    arena_init(&w.scratch, SCRATCH_CHUNK);
    work_through(&w);
    arena_release(&w.scratch);
    if (!w.failed)
        return 0;
    empty(ret);
    return fault_set(why, E_NOMEM, "campaigns: out of memory");
}
