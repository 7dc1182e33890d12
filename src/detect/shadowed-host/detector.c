/* shadowed-host: new hosts under an old domain that lead away from all its others, to where other old domains' new hosts lead too. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/list.h"
#include "detect/parts.h"

enum {
    NEW_S = 7 * 86400,          /* hosts and their addresses */
    ESTABLISHED_S = 14 * 86400, /* what was there before that is the domain's own way */
    EARLIER_S = 6 * 3600,       /* by so much a domain that is not old has to be there before its hosts */
    YOUNG_OTHERS = 2,           /* and so many further ones with it */
    ANY_OTHERS = 3,             /* as many, of any age, for one of any age, if none of their sites is there */
    TARGET_FEW = 12,            /* registered domains at an address; with more it is a provider's */
    NETWORKS_MAX = 64,
    HOSTS_TOLD = 16,
};

#define VICTIM 1.0 /* nats for each doubling of the domains concerned */
#define RANDOM 3.0 /* a random-looking host there */
#define MORE 1.0   /* for each doubling of such hosts */

struct home {
    uint64_t networks[NETWORKS_MAX];
    unsigned n;       /* 0: none */
    uint32_t first_s; /* it was there since */
};

struct shadow {
    const struct subject_host *host;
    struct slice address;
    unsigned random; /* the domain's new hosts at the address that look random */
    struct slice others[FINDING_PEERS];
    unsigned n_others, n_older; /* older: than their hosts there */
    bool sites; /* one of them, or the domain itself, has its site there: then it is a machine of theirs */
};

static bool is_address(const struct subject_record *r)
{
    return r->type == TYPE_A || r->type == TYPE_AAAA;
}

static bool in_home(const struct home *h, uint64_t network)
{
    for (unsigned i = 0; i < h->n; i++)
        if (h->networks[i] == network)
            return true;
    return false;
}

static const struct subject_host *host_of(const struct subject *s, struct slice owner)
{
    for (size_t i = 0; i < s->n_hosts; i++)
        if (slice_compare(s->hosts[i].owner, owner) == 0)
            return &s->hosts[i];
    return NULL;
}

static size_t first_label(const struct subject_host *h)
{
    return strcspn(h->sub, ".");
}

/* The domain's own name, www, mail and the like: where these go is the owner's business. */
static bool is_everyday(const struct subject_host *h)
{
    size_t len = first_label(h);
    return len == 0 || list_find(&list_common_labels, h->sub, len) != NULL;
}

/* Whether a record says where home is: it or its host was there before, or the host is one that every domain has. */
static bool is_of_home(const struct subject *s, const struct scene *scene, const struct subject_record *r)
{
    if (kin_since(scene, r->first_s, ESTABLISHED_S))
        return true;
    const struct subject_host *host = host_of(s, r->owner);
    return host == NULL || kin_since(scene, host->first_s, ESTABLISHED_S) || is_everyday(host);
}

/* Networks of what is not new: hosts that were there keep their right to move. False when there are too many. */
static bool find_home(const struct subject *s, const struct scene *scene, struct home *ret)
{
    *ret = (struct home){ .first_s = UINT32_MAX };
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        uint64_t network = is_address(r) ? parts_network(r->rdata) : 0;
        if (network == 0 || !is_of_home(s, scene, r))
            continue;
        ret->first_s = r->first_s < ret->first_s ? r->first_s : ret->first_s;
        if (in_home(ret, network))
            continue;
        if (ret->n == NETWORKS_MAX)
            return false;
        ret->networks[ret->n++] = network;
    }
    return true;
}

static bool worth(const struct subject_host *h, const struct scene *scene)
{
    return h->sub[0] != '_' && !kin_since(scene, h->first_s, NEW_S) && !is_everyday(h);
}

/* The only place the host has, away from home; NULL when it has none, or more of another kind. */
static const struct subject_record *away(const struct subject *s, const struct subject_host *h, const struct home *home)
{
    const struct subject_record *found = NULL;
    for (size_t i = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        if (slice_compare(r->owner, h->owner) != 0)
            continue;
        if (r->type == TYPE_CNAME)
            return NULL;
        if (!is_address(r))
            continue;
        uint64_t network = parts_network(r->rdata);
        if (network == 0 || in_home(home, network))
            return NULL;
        found = found == NULL ? r : found;
    }
    return found;
}

/* Other domains of other owners that came to that address lately; none when it is a provider's or was used before. */
static int victims(const struct subject *s, struct scene *scene, struct shadow *ret, struct fault *why)
{
    struct scene_owners at;
    int rc = scene_pointers_up_to(scene, ret->address.len == 4 ? TYPE_A : TYPE_AAAA, ret->address, TARGET_FEW, &at, why);
    ret->n_others = ret->n_older = 0;
    ret->sites = false;
    if (rc != E_OK || at.count > TARGET_FEW || at.n == 0 || kin_since(scene, at.owners[0].first_s, ESTABLISHED_S))
        return rc;
    for (unsigned i = 0; i < at.n && ret->n_others < FINDING_PEERS; i++) {
        struct slice other = at.owners[i].owner;
        uint32_t first_s;
        ret->sites |= at.owners[i].site_s != 0;
        if (slice_compare(other, s->owner) == 0 || kin_alike(scene_suffixes(scene), other, s->owner))
            continue;
        if ((rc = scene_first(scene, other, true, &first_s, why)) != E_OK)
            return rc;
        ret->others[ret->n_others++] = other;
        ret->n_older += kin_old(scene, first_s) || (first_s != 0 && first_s + (int64_t)EARLIER_S <= at.owners[i].first_s);
    }
    return E_OK;
}

static void tell(const struct subject *s, const struct shadow *w, struct findings *to)
{
    struct facts f;
    char summary[FINDING_SUMMARY], network[32];
    const uint8_t *a = w->address.ptr;
    if (w->address.len == 4)
        snprintf(network, sizeof network, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    else
        snprintf(network, sizeof network, "%x:%x::/32", get_be16(a), get_be16(a + 2));
    snprintf(summary, sizeof summary, "new host %.60s of the older %.60s leads away from its networks, to %s (%u of its hosts there look random), as new hosts of %u other domain%s do",
             w->host->sub, s->name, network, w->random, w->n_others, w->n_others == 1 ? "" : "s");
    facts_begin(&f);
    facts_text(&f, "address", network, strlen(network));
    facts_count(&f, "random_hosts", w->random);
    facts_count(&f, "host_first_s", w->host->first_s);
    facts_count(&f, "domain_first_s", s->first_s);
    facts_open(&f, "others", FACTS_LIST);
    for (unsigned i = 0; i < w->n_others; i++) {
        char text[NAME_TEXT_MAX];
        parts_text(w->others[i], text);
        facts_text(&f, NULL, text, strlen(text));
    }
    facts_close(&f);
    findings_add(to, &(struct finding){
        .owner = w->host->owner,
        .strength = VICTIM * log2(1 + w->n_others) + (w->random ? RANDOM + MORE * log2(w->random) : 0),
        .summary = summary,
        .facts = facts_end(&f),
        .peers = w->others,
        .n_peers = w->n_others,
    });
}

/* New hosts that lead away from home. */
static unsigned find_shadows(const struct subject *s, const struct scene *scene, const struct home *home, struct shadow ret[HOSTS_TOLD])
{
    unsigned n = 0;
    for (size_t i = s->n_hosts; i-- > 0 && n < HOSTS_TOLD;) {
        const struct subject_record *r = worth(&s->hosts[i], scene) ? away(s, &s->hosts[i], home) : NULL;
        if (r != NULL)
            ret[n++] = (struct shadow){ .host = &s->hosts[i], .address = r->rdata };
    }
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++)
            ret[i].random += slice_compare(ret[i].address, ret[k].address) == 0 && parts_random(ret[k].host->sub, first_label(ret[k].host));
    return n;
}

/* The younger the domain, the more others: for one that is old, one whose home was there for some hours before the host, any other. */
static bool enough_others(const struct subject *s, const struct scene *scene, const struct home *home, const struct shadow *w)
{
    if (home->n > 0 && kin_old(scene, s->first_s) && w->n_older > 0)
        return true;
    if (home->n > 0 && home->first_s + (int64_t)EARLIER_S <= w->host->first_s && w->n_older >= YOUNG_OTHERS)
        return true;
    return w->n_others >= ANY_OTHERS && !w->sites;
}

/* Before others are looked for, which costs: an ordinary label says something below an old domain only. */
static bool worth_asking(const struct subject *s, const struct scene *scene, const struct shadow *w)
{
    return w->random > 0 || kin_old(scene, s->first_s);
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    struct shadow shadows[HOSTS_TOLD];
    struct home home;
    int rc = E_OK;
    if (!find_home(s, scene, &home))
        return E_OK;
    unsigned n = find_shadows(s, scene, &home, shadows);
    for (unsigned i = 0; rc == E_OK && i < n; i++) {
        if (!worth_asking(s, scene, &shadows[i]))
            continue;
        rc = victims(s, scene, &shadows[i], why);
        if (rc == E_OK && enough_others(s, scene, &home, &shadows[i]))
            tell(s, &shadows[i], to);
    }
    return rc;
}

const struct detector detector_shadowed_host = {
    .name = "shadowed-host",
    .group = GROUP_INFRASTRUCTURE,
    .hosts_alone = true,
    .about = "new hosts under older domains that lead away from all their others, to one new place",
    .examine = examine,
};
