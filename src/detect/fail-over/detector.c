/* fail-over: new names of different owners that the same clients ask for, one of which is not registered.
 *
 * Clients of missing names are sorted; how many names each asks for is counted over the panel. Every new name's clients are looked up in them,
 * which proposes pairs, and pairs are compared. Time: n log n in clients, and of each name's proposals the best FINDING_PEERS
 * are compared. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/youth.h"

enum {
    CLIENTS_MIN = 3,     /* two may be one person's */
    MISSING_HOURS = 6,
    CLIENT_NAMES = 256,  /* missing ones of one client; with more it is a forwarder */
};
static const double share_min = 0.7;  /* of either's clients */
static const double program = 0.8, interests = 0.01; /* P(a client of one asks for the other): kinship.h */
static const double three = 3;        /* nats for CLIENTS_MIN; one more for each doubling */
static const double most = 6;
static const double existed_before = 1;

struct entry { /* a client of a missing name */
    uint64_t client;
    uint32_t name; /* in `missing` */
};

struct asker { /* a client of missing names */
    uint64_t client;
    size_t from;     /* its entries; they end where the next one's begin */
    uint32_t degree; /* names of the panel that it asks for */
};

struct proposal {
    uint32_t name, clients;
};

struct pair { /* said of portrait `of` */
    uint32_t of, with;
    unsigned clients;
    double nats;
};

struct work {
    const struct panel *panel;
    struct scene *scene;
    struct fault *why;
    uint32_t *missing;     /* portraits */
    size_t n_missing;
    struct entry *entries; /* by client, then name */
    size_t n_entries;
    struct asker *askers;  /* by client, and one behind the last */
    size_t n_askers;
    double edges;          /* between names and clients, of the whole panel */
    uint32_t *common;      /* of each missing name with the name at hand; 0 between names */
    struct proposal *proposals;
    size_t n_proposals;
    struct pair *pairs;
    size_t n_pairs, pairs_room;
};

static const struct portrait *portrait_of(const struct work *w, uint32_t missing)
{
    return w->panel->portraits[w->missing[missing]];
}

static bool is_news(const struct work *w, const struct portrait *p)
{
    return p->n_clients >= CLIENTS_MIN && youth_is_news(w->scene, p->first_s, &p->profile);
}

static bool is_missing(const struct work *w, const struct portrait *p)
{
    const struct profile *f = &p->profile;
    return f->missing_hours >= MISSING_HOURS && f->missing_last >= f->exists_last && p->step - f->missing_last < DAY_STEPS &&
           suffix_tld(scene_suffixes(w->scene), p->owner.ptr, p->owner.len);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

static int compare_proposals(const void *a, const void *b)
{
    const struct proposal *x = a, *y = b;
    if (x->clients != y->clients)
        return x->clients > y->clients ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

static int find_missing(struct work *w)
{
    size_t clients = 0;
    w->missing = calloc(w->panel->n + 1, sizeof *w->missing);
    for (size_t i = 0; w->missing != NULL && i < w->panel->n; i++) {
        const struct portrait *p = w->panel->portraits[i];
        if (is_news(w, p) && is_missing(w, p)) {
            w->missing[w->n_missing++] = (uint32_t)i;
            clients += p->n_clients;
        }
    }
    w->entries = calloc(clients + 1, sizeof *w->entries);
    w->askers = calloc(clients + 1, sizeof *w->askers);
    w->common = calloc(w->n_missing + 1, sizeof *w->common);
    w->proposals = calloc(w->n_missing + 1, sizeof *w->proposals);
    if (w->missing == NULL || w->entries == NULL || w->askers == NULL || w->common == NULL || w->proposals == NULL)
        return fault_set(w->why, E_NOMEM, "fail-over: no memory for %zu names", w->panel->n);
    return E_OK;
}

static void index_clients(struct work *w)
{
    for (uint32_t m = 0; m < w->n_missing; m++)
        for (unsigned k = 0; k < portrait_of(w, m)->n_clients; k++)
            w->entries[w->n_entries++] = (struct entry){ portrait_of(w, m)->clients[k], m };
    qsort(w->entries, w->n_entries, sizeof *w->entries, compare_entries);
    for (size_t e = 0; e < w->n_entries; e++)
        if (e == 0 || w->entries[e].client != w->entries[e - 1].client)
            w->askers[w->n_askers++] = (struct asker){ .client = w->entries[e].client, .from = e };
    w->askers[w->n_askers].from = w->n_entries;
}

static struct asker *asker_of(const struct work *w, uint64_t client)
{
    size_t low = 0, high = w->n_askers;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->askers[middle].client < client)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->n_askers && w->askers[low].client == client ? &w->askers[low] : NULL;
}

static void count_degrees(struct work *w)
{
    for (size_t i = 0; i < w->panel->n; i++) {
        const struct portrait *p = w->panel->portraits[i];
        w->edges += p->n_clients;
        for (unsigned k = 0; k < p->n_clients; k++) {
            struct asker *a = asker_of(w, p->clients[k]);
            if (a != NULL)
                a->degree++;
        }
    }
}

/* ---- pairs ---- */

static void propose_by_client(struct work *w, uint64_t client)
{
    const struct asker *a = asker_of(w, client);
    if (a == NULL || a[1].from - a->from > CLIENT_NAMES)
        return;
    for (size_t e = a->from; e < a[1].from; e++)
        if (w->common[w->entries[e].name]++ == 0)
            w->proposals[w->n_proposals++].name = w->entries[e].name;
}

/* Missing names that have clients in common with the name, those with most first. */
static void propose(struct work *w, const struct portrait *p)
{
    size_t kept = 0;
    w->n_proposals = 0;
    for (unsigned k = 0; k < p->n_clients; k++)
        propose_by_client(w, p->clients[k]);
    for (size_t i = 0; i < w->n_proposals; i++) {
        uint32_t name = w->proposals[i].name, clients = w->common[name];
        w->common[name] = 0;
        if (clients >= CLIENTS_MIN && portrait_of(w, name) != p)
            w->proposals[kept++] = (struct proposal){ name, clients };
    }
    w->n_proposals = kept;
    qsort(w->proposals, kept, sizeof *w->proposals, compare_proposals);
}

static unsigned clients_up_to(const struct portrait *p, uint64_t limit)
{
    unsigned n = p->n_clients;
    while (n > 0 && p->clients[n - 1] > limit)
        n--;
    return n;
}

/* Two names' clients, as far as the samples of both reach. */
struct overlap {
    unsigned common, larger; /* of the larger set */
    double nats;             /* log-likelihood ratio of one program against chance, as in kinship.h */
};

/* What a client in common says: little when it asks for everything. */
static double client_nats(const struct work *w, uint64_t client, unsigned breadth)
{
    const struct asker *a = asker_of(w, client);
    double chance = a != NULL ? breadth * (double)a->degree / w->edges : interests;
    return fmax(0, log(program / fmax(chance, interests)));
}

static struct overlap overlap_of(const struct work *w, const struct portrait *a, const struct portrait *b)
{
    uint64_t last_a = a->clients_whole ? UINT64_MAX : a->clients[a->n_clients - 1];
    uint64_t last_b = b->clients_whole ? UINT64_MAX : b->clients[b->n_clients - 1], limit = last_a < last_b ? last_a : last_b;
    unsigned n_a = clients_up_to(a, limit), n_b = clients_up_to(b, limit);
    struct overlap o = { .larger = n_a > n_b ? n_a : n_b };
    for (unsigned i = 0, k = 0; i < n_a && k < n_b;) {
        uint64_t x = a->clients[i], y = b->clients[k];
        if (x == y) {
            o.common++;
            o.nats += client_nats(w, x, o.larger);
        }
        i += x <= y;
        k += y <= x;
    }
    o.nats += (o.larger - o.common) * log(1 - program) - log((double)w->n_missing);
    return o;
}

static bool is_one_program(const struct overlap *o)
{
    return o->common >= CLIENTS_MIN && o->common >= share_min * o->larger && o->nats >= FINDING_MIN;
}

static double nats_of(const struct portrait *missing, const struct overlap *o)
{
    double nats = fmin(most, three + log2(o->common / (double)CLIENTS_MIN));
    return fmin(o->nats, missing->profile.exists_first != 0 ? nats - existed_before : nats);
}

static int add_pair(struct work *w, uint32_t of, uint32_t with, const struct overlap *o, const struct portrait *missing)
{
    if (w->n_pairs == w->pairs_room) {
        size_t room = w->pairs_room ? 2 * w->pairs_room : 256;
        struct pair *more = reallocarray(w->pairs, room, sizeof *more);
        if (more == NULL)
            return fault_set(w->why, E_NOMEM, "fail-over: no memory for %zu pairs", room);
        w->pairs = more;
        w->pairs_room = room;
    }
    w->pairs[w->n_pairs++] = (struct pair){ of, with, o->common, nats_of(missing, o) };
    return E_OK;
}

/* Said of the name; and of the missing one, when the other exists. Two missing names find each other. */
static int pair_up(struct work *w, uint32_t name)
{
    const struct portrait *p = w->panel->portraits[name];
    bool exists = !is_missing(w, p);
    int rc = E_OK;
    propose(w, p);
    for (size_t i = 0; rc == E_OK && i < w->n_proposals && i < FINDING_PEERS; i++) {
        const struct portrait *missing = portrait_of(w, w->proposals[i].name);
        struct overlap o = overlap_of(w, p, missing);
        bool kin = false;
        if (!is_one_program(&o))
            continue;
        rc = kin_related(w->scene, p, missing, &kin, w->why);
        if (rc == E_OK && !kin)
            rc = add_pair(w, name, w->missing[w->proposals[i].name], &o, missing);
        if (rc == E_OK && !kin && exists)
            rc = add_pair(w, w->missing[w->proposals[i].name], name, &o, missing);
    }
    return rc;
}

/* ---- findings ---- */

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->of != y->of)
        return x->of < y->of ? -1 : 1;
    if (x->nats < y->nats || x->nats > y->nats)
        return x->nats > y->nats ? -1 : 1;
    return (x->with > y->with) - (x->with < y->with);
}

static void say(const struct work *w, const struct pair *best, size_t n, char summary[FINDING_SUMMARY])
{
    const struct portrait *p = w->panel->portraits[best->of], *with = w->panel->portraits[best->with];
    int len;
    if (is_missing(w, p))
        len = snprintf(summary, FINDING_SUMMARY, "not registered, and its clients (%u of %u) ask for somebody else's new %.100s beside it", best->clients,
                       p->n_clients, with->name);
    else
        len = snprintf(summary, FINDING_SUMMARY, "new, and its clients (%u of %u) ask for %.100s beside it, which is not registered and %s", best->clients,
                       p->n_clients, with->name, with->profile.exists_first == 0 ? "never existed here" : "existed before");
    if (n > 1)
        snprintf(summary + len, (size_t)(FINDING_SUMMARY - len), ", and for %zu more such name%s", n - 1, n == 2 ? "" : "s");
}

static void tell(const struct work *w, const struct pair *pairs, size_t n, struct findings *to)
{
    const struct portrait *p = w->panel->portraits[pairs->of];
    struct slice peers[FINDING_PEERS];
    unsigned n_peers = 0;
    char summary[FINDING_SUMMARY];
    struct facts f;
    say(w, pairs, n, summary);
    facts_begin(&f);
    facts_count(&f, "clients", p->n_clients);
    facts_flag(&f, "clients_whole", p->clients_whole);
    facts_open(&f, "partners", FACTS_LIST);
    for (size_t i = 0; i < n && n_peers < FINDING_PEERS; i++) {
        const struct portrait *with = w->panel->portraits[pairs[i].with];
        peers[n_peers++] = with->owner;
        facts_open(&f, NULL, FACTS_OBJECT);
        facts_text(&f, "name", with->name, strlen(with->name));
        facts_count(&f, "common_clients", pairs[i].clients);
        facts_count(&f, "missing_hours", with->profile.missing_hours);
        facts_flag(&f, "missing", is_missing(w, with));
        facts_close(&f);
    }
    facts_close(&f);
    findings_add(to, &(struct finding){ .owner = p->owner, .strength = pairs->nats, .summary = summary, .facts = facts_end(&f),
                                        .peers = peers, .n_peers = n_peers });
}

static void tell_all(const struct work *w, struct findings *to)
{
    for (size_t i = 0, end; i < w->n_pairs; i = end) {
        for (end = i + 1; end < w->n_pairs && w->pairs[end].of == w->pairs[i].of;)
            end++;
        tell(w, &w->pairs[i], end - i, to);
    }
}

static void release(struct work *w)
{
    free(w->missing);
    free(w->entries);
    free(w->askers);
    free(w->common);
    free(w->proposals);
    free(w->pairs);
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct work w = { .panel = panel, .scene = scene, .why = why };
    int rc = find_missing(&w);
    if (rc == E_OK && w.n_missing > 0) {
        index_clients(&w);
        count_degrees(&w);
    }
    for (size_t i = 0; rc == E_OK && w.n_missing > 0 && i < panel->n; i++)
        if (is_news(&w, panel->portraits[i]))
            rc = pair_up(&w, (uint32_t)i);
    if (rc == E_OK) {
        if (w.n_pairs > 0)
            qsort(w.pairs, w.n_pairs, sizeof *w.pairs, compare_pairs);
        tell_all(&w, to);
    }
    release(&w);
    return rc;
}

const struct detector detector_fail_over = {
    .name = "fail-over",
    .group = GROUP_DEMAND,
    .about = "new names of different owners that the same clients ask for, of which one is not registered",
    .compare = compare,
};
