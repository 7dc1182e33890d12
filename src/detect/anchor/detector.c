/* anchor: an old, broad domain of this network whose own zone leads here. */
#include <stdio.h>
#include <string.h>

#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/kin.h"
#include "detect/parts.h"

enum {
    ANCHOR_BROAD_DAYS = 7,
    ANCHOR_CLIENTS = 8,          /* in an hour; and of the network's a fiftieth */
    ANCHOR_SHARE = 50,
    DANGLING_S = 30 * 86400,     /* a pointer so much older than what it leads to was left behind */
    NS_MAX = 16,
};

#define POINTS_HERE (-5.0)
#define SERVES (-4.0)

struct link {
    const struct scene_popular *anchor;
    const char *how;
    double nats;
};

static bool is_broad(const struct network *n, const struct scene_popular *p)
{
    return p->broad_days >= ANCHOR_BROAD_DAYS && p->clients >= ANCHOR_CLIENTS && p->clients >= n->clients / ANCHOR_SHARE;
}

static const struct scene_popular *anchor_of(const struct scene *scene, struct slice domain)
{
    const struct network *n = scene_network(scene);
    for (size_t i = 0; i < n->n_popular; i++)
        if (slice_compare(n->popular[i].owner, domain) == 0)
            return is_broad(n, &n->popular[i]) ? &n->popular[i] : NULL;
    return NULL;
}

/* In a young database there is none, and nothing to look for. */
static bool any_anchor(const struct network *n)
{
    for (size_t i = 0; i < n->n_popular; i++)
        if (is_broad(n, &n->popular[i]))
            return true;
    return false;
}

static int old_anchor(struct scene *scene, struct slice domain, const struct scene_popular **ret, struct fault *why)
{
    uint32_t first_s;
    *ret = anchor_of(scene, domain);
    if (*ret == NULL)
        return E_OK;
    int rc = scene_first(scene, domain, true, &first_s, why);
    if (rc == E_OK && !kin_old(scene, first_s))
        *ret = NULL;
    return rc;
}

/* When the subject came into being, as far as we know: a record of the anchor's that is much older led to a holder before. */
static bool dangling(const struct subject *s, uint32_t pointer_s)
{
    int64_t began_s = s->profile.exists_first ? (int64_t)s->profile.exists_first * STEP_S : s->first_s;
    return pointer_s + (int64_t)DANGLING_S < began_s;
}

/* The anchor's own zone has a record that leads into the subject. */
static int points_here(const struct subject *s, struct scene *scene, uint16_t type, const char *how, struct link *ret, struct fault *why)
{
    struct scene_owners at;
    int rc = scene_pointers_below(scene, type, s->owner, &at, why);
    for (unsigned i = 0; rc == E_OK && ret->anchor == NULL && i < at.n; i++) {
        if (slice_compare(at.owners[i].owner, s->owner) == 0 || dangling(s, at.owners[i].first_s))
            continue;
        rc = old_anchor(scene, at.owners[i].owner, &ret->anchor, why);
        ret->how = how;
        ret->nats = POINTS_HERE;
    }
    return rc;
}

/* The registered domain that all of the subject's name servers are in, and that they are known hosts of; empty when there is none. */
static int served_by(const struct subject *s, struct scene *scene, uint8_t key[NAME_KEY_MAX], struct slice *ret, struct fault *why)
{
    *ret = (struct slice){ key, 0 };
    for (size_t i = 0, n = 0; i < s->n_records; i++) {
        const struct subject_record *r = &s->records[i];
        uint8_t host_bytes[NAME_KEY_MAX], domain_bytes[NAME_KEY_MAX];
        uint32_t first_s;
        if (r->type != TYPE_NS || slice_compare(r->owner, s->owner) != 0)
            continue;
        struct slice host = parts_target(TYPE_NS, r->rdata, host_bytes);
        struct slice domain = parts_registered(s->suffixes, host, domain_bytes);
        bool other = domain.len == 0 || (ret->len != 0 && slice_compare(domain, *ret) != 0) || ++n > NS_MAX;
        int rc = other ? E_OK : scene_first(scene, host, false, &first_s, why);
        if (rc != E_OK || other || first_s == 0) {
            ret->len = 0;
            return rc;
        }
        memcpy(key, domain.ptr, domain.len);
        ret->len = domain.len;
    }
    return E_OK;
}

/* It is answered by the anchor's name servers and by no others, and they serve few: no provider's customer. */
static int served_by_anchor(const struct subject *s, struct scene *scene, struct link *ret, struct fault *why)
{
    uint8_t key[NAME_KEY_MAX];
    struct slice server;
    struct scene_owners at;
    if (s->profile.exists_last == 0)
        return E_OK;
    int rc = served_by(s, scene, key, &server, why);
    if (rc != E_OK || server.len == 0 || slice_compare(server, s->owner) == 0)
        return rc;
    rc = scene_pointers_below(scene, TYPE_NS, server, &at, why);
    if (rc != E_OK || at.count > KIN_FEW)
        return rc;
    ret->how = "answers for it with name servers of its own";
    ret->nats = SERVES;
    return old_anchor(scene, server, &ret->anchor, why);
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    struct link link = { .anchor = NULL };
    if (!any_anchor(scene_network(scene)))
        return E_OK;
    int rc = points_here(s, scene, TYPE_CNAME, "has hosts that are aliases of hosts in it", &link, why);
    if (rc == E_OK && link.anchor == NULL)
        rc = points_here(s, scene, TYPE_MX, "has its mail brought to it", &link, why);
    if (rc == E_OK && link.anchor == NULL)
        rc = points_here(s, scene, TYPE_NS, "is served by name servers in it", &link, why);
    if (rc == E_OK && link.anchor == NULL)
        rc = served_by_anchor(s, scene, &link, why);
    if (rc != E_OK || link.anchor == NULL)
        return rc;
    struct facts f;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "%.100s, asked for by %u clients in an hour and broad on %u days, %s", link.anchor->name, link.anchor->clients,
             link.anchor->broad_days, link.how);
    facts_begin(&f);
    facts_text(&f, "anchor", link.anchor->name, strlen(link.anchor->name));
    facts_count(&f, "clients", link.anchor->clients);
    facts_count(&f, "broad_days", link.anchor->broad_days);
    facts_text(&f, "how", link.how, strlen(link.how));
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = link.nats, .summary = summary, .facts = facts_end(&f) });
    return E_OK;
}

const struct detector detector_anchor = {
    .name = "anchor",
    .group = GROUP_ANCHOR,
    .about = "an old, broad domain whose own zone leads here",
    .examine = examine,
};
