/* policy: what resolvers here enforce, for --policy of those DNSMon that are fed their traffic (cmd/policy_file.h), so that
 * what was blocked is not taken for what the world answers. A walled garden that is a name has no place there.
 */
#include "base/hash.h"
#include "protect/feed/format.h"
#include "protect/feed/formats.h"

enum { GARDENS = 16 };

struct gardens {
    uint64_t seen[GARDENS]; /* hashes of those that have been written */
    unsigned count;
};

static bool is_new(struct gardens *g, const char *garden)
{
    uint64_t hash = hash_stable(garden, strlen(garden));
    for (unsigned i = 0; i < g->count; i++)
        if (g->seen[i] == hash)
            return false;
    if (g->count < GARDENS)
        g->seen[g->count++] = hash;
    return true;
}

static void put_garden(struct feed *f, const char *at)
{
    char address[64];
    int family;
    if (!is_new(f->state, at))
        return;
    while (feed_garden_address(&at, address, &family))
        buffer_printf(&f->out, "@%s\n", address);
}

static int item(struct feed *f, const struct feed_entry *e, struct fault *why)
{
    (void)why;
    if (e->name[0] == '#') /* would be a comment; escaped it is the same name */
        buffer_printf(&f->out, "%s\\035%s\n", e->p->trigger == TRIGGER_DOMAIN ? "*." : "", e->name + 1);
    else
        buffer_printf(&f->out, "%s%s\n", e->p->trigger == TRIGGER_DOMAIN ? "*." : "", e->name);
    if (e->item->action == FEED_GARDEN)
        put_garden(f, e->item->garden);
    return E_OK;
}

const struct feed_format feed_policy = {
    .name = "policy",
    .file = "policy.txt",
    .media = "text/plain; charset=utf-8",
    .says = "addresses and name servers are left out, and walled gardens that are a name",
    .sign = "#",
    .triggers = FEED_NAMES,
    .actions = FEED_BLOCKS,
    .enforces = true,
    .odd_names = true,
    .state_bytes = sizeof(struct gardens),
    .item = item,
};
