#include "detect/findings.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_CHUNK = 1 << 18 };

void findings_init(struct findings *f)
{
    *f = (struct findings){ 0 };
    arena_init(&f->memory, FINDINGS_CHUNK);
}

void findings_clear(struct findings *f)
{
    f->n = 0;
    f->failed = false;
    arena_reset(&f->memory);
}

void findings_release(struct findings *f)
{
    arena_release(&f->memory);
    free(f->kept);
    f->kept = NULL;
}

static void *copy(struct findings *f, const void *ptr, size_t len)
{
    void *to = arena_alloc(&f->memory, len);
    if (to == NULL)
        f->failed = true;
    else if (len)
        memcpy(to, ptr, len);
    return to;
}

static struct slice copy_slice(struct findings *f, struct slice from)
{
    const uint8_t *to = copy(f, from.ptr, from.len);
    return (struct slice){ to, to == NULL ? 0 : from.len };
}

static bool grow(struct findings *f)
{
    if (f->n < f->room)
        return true;
    size_t room = f->room ? 2 * f->room : 256;
    struct kept_finding *kept = reallocarray(f->kept, room, sizeof *kept);
    if (kept == NULL)
        return false;
    f->kept = kept;
    f->room = room;
    return true;
}

static const struct slice *copy_peers(struct findings *f, const struct finding *from)
{
    struct slice *peers = copy(f, from->peers, from->n_peers * sizeof *peers);
    for (unsigned i = 0; peers != NULL && i < from->n_peers; i++)
        peers[i] = copy_slice(f, from->peers[i]);
    return peers;
}

void findings_add(struct findings *f, const struct finding *from)
{
    size_t summary = strlen(from->summary) + 1, facts = strlen(from->facts) + 1;
    assert(isfinite(from->strength) && summary <= FINDING_SUMMARY && facts <= FINDING_FACTS);
    assert(from->n_peers <= FINDING_PEERS);
    if (fabs(from->strength) < FINDING_MIN)
        return;
    if (!grow(f)) {
        f->failed = true;
        return;
    }
    struct kept_finding *k = &f->kept[f->n++];
    k->step = f->step;
    k->detector = f->detector;
    k->finding = *from;
    k->finding.strength = fmax(-FINDING_MAX, fmin(FINDING_MAX, from->strength));
    bool of_domain = f->domain.len && slice_compare(f->domain, from->owner) == 0;
    k->finding.owner = of_domain ? f->domain : copy_slice(f, from->owner);
    k->finding.summary = copy(f, from->summary, summary);
    k->finding.facts = copy(f, from->facts, facts);
    k->finding.peers = copy_peers(f, from);
    k->domain = f->domain.len ? f->domain : k->finding.owner;
}
