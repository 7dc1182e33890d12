#include "protect/nest.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

struct nest_count {
    uint64_t hash; /* of a name; 0 = free */
    uint32_t count;
};

void nest_release(struct nest *n)
{
    triggers_release(&n->nested);
    triggers_release(&n->made);
    free(n->below);
    *n = (struct nest){ .below = NULL };
}

/* ---- how many lie below a name ---- */

static uint64_t hash_of(const char *name)
{
    return hash_stable(name, strlen(name)) | 1;
}

/* Where it is, or would be. */
static struct nest_count *place_of(struct nest_count *below, size_t size, uint64_t hash)
{
    size_t at = hash_mix(hash) & (size - 1);
    while (below[at].hash != 0 && below[at].hash != hash)
        at = (at + 1) & (size - 1);
    return &below[at];
}

/* Leaves out those whose count has come to nothing. */
static bool widen(struct nest *n)
{
    size_t size = n->size_below ? 2 * n->size_below : 256;
    struct nest_count *wide = calloc(size, sizeof *wide);
    if (wide == NULL)
        return false;
    n->n_below = 0;
    for (size_t i = 0; i < n->size_below; i++)
        if (n->below[i].count != 0) {
            *place_of(wide, size, n->below[i].hash) = n->below[i];
            n->n_below++;
        }
    free(n->below);
    n->below = wide;
    n->size_below = size;
    return true;
}

/* Names of one label are TLDs: nobody lists them. */
static const char *parent(const char *name)
{
    name = knowledge_parent(name);
    return name != NULL && strchr(name, '.') != NULL ? name : NULL;
}

static int count_below(struct nest *n, const char *name, int by, struct fault *why)
{
    for (name = parent(name); name != NULL; name = parent(name)) {
        if (2 * (n->n_below + 1) > n->size_below && !widen(n))
            return fault_set(why, E_NOMEM, "no memory for counting rules");
        struct nest_count *c = place_of(n->below, n->size_below, hash_of(name));
        n->n_below += c->hash == 0;
        c->hash = hash_of(name);
        c->count += (uint32_t)by;
    }
    return E_OK;
}

static bool has_below(const struct nest *n, const char *name)
{
    return n->size_below != 0 && place_of(n->below, n->size_below, hash_of(name))->count != 0;
}

/* ---- what is wanted ---- */

static bool may_nest(enum trigger trigger)
{
    return trigger == TRIGGER_HOST || trigger == TRIGGER_DOMAIN;
}

/* In the zone for its own sake. */
static int find_flat(const struct nest *n, const struct zone *zone, enum trigger trigger, const char *name)
{
    return triggers_find(&n->made, trigger, name) != NULL ? -1 : zone_find(zone, trigger, name);
}

int nest_find(const struct nest *n, const struct zone *zone, enum trigger trigger, const char *name)
{
    const struct triggers_item *nested = triggers_find(&n->nested, trigger, name);
    return nested != NULL ? nested->action : find_flat(n, zone, trigger, name);
}

int nest_above(const struct nest *n, const struct zone *zone, const char *name)
{
    int action = -1;
    for (name = parent(name); name != NULL && action < 0; name = parent(name))
        action = nest_find(n, zone, TRIGGER_DOMAIN, name);
    return action;
}

static int set_flat(struct zone *zone, enum trigger trigger, const char *name, int action, struct fault *why)
{
    return action >= 0 ? zone_add(zone, trigger, name, (unsigned)action, why) : zone_remove(zone, trigger, name, why);
}

static int put_nested(struct nest *n, struct triggers_item *nested, int action, struct fault *why)
{
    n->is_due = true;
    if (action >= 0) {
        nested->action = action;
        return E_OK;
    }
    int rc = count_below(n, nested->name, -1, why);
    triggers_drop(&n->nested, (size_t)(nested - n->nested.all));
    return rc;
}

int nest_put(struct nest *n, struct zone *zone, enum trigger trigger, const char *name, int action, struct fault *why)
{
    struct triggers_item *nested = triggers_find(&n->nested, trigger, name);
    if (nested != NULL)
        return put_nested(n, nested, action, why);
    int before = find_flat(n, zone, trigger, name);
    if (before == action)
        return E_OK;
    if (before < 0 && triggers_find(&n->made, trigger, name) != NULL) { /* the zone has it already, for another's sake */
        int rc = triggers_put(&n->nested, trigger, name, action, why);
        n->is_due = true;
        return rc ? rc : count_below(n, name, 1, why);
    }
    int rc = set_flat(zone, trigger, name, action, why);
    if (rc != 0 || !may_nest(trigger))
        return rc;
    bool came = before < 0, went = action < 0;
    n->is_due |= n->nested.n > 0 || ((came || went) && trigger == TRIGGER_DOMAIN && has_below(n, name)) || nest_above(n, zone, name) >= 0;
    return came || went ? count_below(n, name, came ? 1 : -1, why) : E_OK;
}

/* ---- from the zone to the lists ---- */

static int take_in(struct nest *n, struct zone *zone, enum trigger trigger, const char *name, struct fault *why)
{
    int action = find_flat(n, zone, trigger, name);
    if (action < 0 || nest_above(n, zone, name) < 0)
        return E_OK;
    int rc = triggers_put(&n->nested, trigger, name, action, why);
    return rc ? rc : zone_remove(zone, trigger, name, why);
}

static bool is_below(const uint8_t *labels, size_t len, const uint8_t *above, size_t above_len)
{
    return len > above_len && memcmp(labels + len - above_len, above, above_len) == 0;
}

/* Those of the last version that lie below it, by going through all: it is rare that a domain comes above others. */
static int take_in_below(struct nest *n, struct zone *zone, const char *name, struct fault *why)
{
    struct triggers found = { .all = NULL };
    struct zone_walk walk;
    struct zone_record record;
    struct owner above;
    char text[NAME_TEXT_MAX];
    uint8_t wire[NAME_WIRE_MAX];
    int rc = zone_is_empty(zone) ? E_ABSENT : owner_make(TRIGGER_DOMAIN, name, NAME_WIRE_MAX, &above, why);
    if (rc != 0)
        return rc == E_ABSENT || rc == E_MALFORMED ? E_OK : rc;
    zone_walk_all(&walk, zone);
    while (rc == 0 && zone_walk_next(&walk, &record)) {
        if (!is_below(record.owner.ptr, record.owner.len, above.labels, above.len))
            continue;
        memcpy(wire, record.owner.ptr, record.owner.len);
        wire[record.owner.len] = 0;
        size_t len = name_to_text(wire, record.owner.len + 1, text);
        text[len - 1] = '\0';
        rc = triggers_put(&found, TRIGGER_HOST, text, 0, why);
    }
    zone_walk_close(&walk);
    for (size_t i = 0; rc == 0 && i < found.n; i++) {
        rc = take_in(n, zone, TRIGGER_HOST, found.all[i].name, why);
        rc = rc ? rc : take_in(n, zone, TRIGGER_DOMAIN, found.all[i].name, why);
    }
    triggers_release(&found);
    return rc;
}

int nest_mind(struct nest *n, struct zone *zone, enum trigger trigger, const char *name, struct fault *why)
{
    if (!may_nest(trigger))
        return E_OK;
    bool listed = trigger == TRIGGER_DOMAIN && nest_find(n, zone, trigger, name) >= 0;
    int rc = take_in(n, zone, trigger, name, why);
    return rc == 0 && listed && has_below(n, name) ? take_in_below(n, zone, name, why) : rc;
}

/* ---- from the lists to the zone ---- */

/* Those above which no domain is listed any more. */
static int let_out(struct nest *n, struct zone *zone, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = n->nested.n; rc == 0 && i > 0; i--) {
        struct triggers_item *item = &n->nested.all[i - 1];
        if (nest_above(n, zone, item->name) >= 0)
            continue;
        rc = zone_add(zone, item->trigger, item->name, (unsigned)item->action, why);
        for (size_t m = n->made.n; m > 0; m--) /* it is there for its own sake now */
            if (n->made.all[m - 1].trigger == item->trigger && strcmp(n->made.all[m - 1].name, item->name) == 0)
                triggers_drop(&n->made, m - 1);
        triggers_drop(&n->nested, i - 1);
    }
    return rc;
}

/* The domain's rule that holds at a name: its own, or of the nearest above. */
static int holding(const struct nest *n, const struct zone *zone, const char *name)
{
    int own = nest_find(n, zone, TRIGGER_DOMAIN, name);
    return own >= 0 ? own : nest_above(n, zone, name);
}

static int make_for(const struct nest *n, const struct zone *zone, const struct triggers_item *item, struct triggers *made, struct fault *why)
{
    bool is_host = item->trigger == TRIGGER_HOST;
    if ((is_host ? holding(n, zone, item->name) : nest_above(n, zone, item->name)) == item->action)
        return E_OK;
    int rc = triggers_put(made, item->trigger, item->name, item->action, why);
    const char *at = is_host ? item->name : parent(item->name);
    for (; rc == 0 && at != NULL && find_flat(n, zone, TRIGGER_DOMAIN, at) < 0; at = parent(at))
        rc = triggers_put(made, TRIGGER_DOMAIN, at, holding(n, zone, at), why);
    return rc;
}

/* Of `to` all that `from` does not have so is set in the zone; of `from` all that is not in `to` goes. */
static int change_made(struct nest *n, struct zone *zone, struct triggers *to, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < n->made.n; i++) {
        const struct triggers_item *old = &n->made.all[i];
        if (triggers_find(to, old->trigger, old->name) == NULL)
            rc = zone_remove(zone, old->trigger, old->name, why);
    }
    for (size_t i = to->n; rc == 0 && i > 0; i--) {
        struct triggers_item *new = &to->all[i - 1];
        const struct triggers_item *old = triggers_find(&n->made, new->trigger, new->name);
        rc = old != NULL && old->action == new->action ? E_OK : zone_add(zone, new->trigger, new->name, (unsigned)new->action, why);
        if (rc == E_MALFORMED) { /* too long for the zone */
            triggers_drop(to, i - 1);
            rc = E_OK;
        }
    }
    return rc;
}

int nest_settle(struct nest *n, struct zone *zone, struct fault *why)
{
    struct triggers made = { .all = NULL };
    if (!n->is_due)
        return E_OK;
    int rc = let_out(n, zone, why);
    for (size_t i = 0; rc == 0 && i < n->nested.n; i++)
        rc = make_for(n, zone, &n->nested.all[i], &made, why);
    if (rc == 0)
        rc = change_made(n, zone, &made, why);
    triggers_release(&n->made);
    n->made = made;
    n->is_due = false;
    return rc;
}
