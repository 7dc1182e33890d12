/* What was in the traffic, a JSON object a line: hosts and domains of campaigns, then every domain asked for. Names are
 * of letters, digits, hyphens and dots, so nothing needs escaping; ids are the scenario's, checked when it was read. */
#include "simulate/world.h"

#include "base/buffer.h"

#include <inttypes.h>

enum { FLUSH_AT = 1 << 16 };

static const char *class_text(const struct world *w, uint8_t role, uint16_t campaign)
{
    static const char *const texts[] = { [ROLE_BENIGN] = "benign", [ROLE_TWIN] = "twin", [ROLE_VICTIM] = "victim" };
    return role == ROLE_MALICIOUS ? campaign_kind_text(w->scenario->campaigns[campaign].kind) : texts[role];
}

static void put_name(struct buffer *b, const uint8_t *wire, size_t len, const char *scope)
{
    char text[NAME_TEXT_MAX];
    size_t n = name_to_text(wire, len, text);
    buffer_printf(b, "{\"name\":\"%.*s\",\"scope\":\"%s\"", (int)n - 1, text, scope);
}

static void put_counts(struct buffer *b, const struct client_set *clients, uint64_t queries, int64_t first_s)
{
    buffer_printf(b, ",\"first\":%" PRId64 ",\"clients\":%" PRIu32 ",\"queries\":%" PRIu64, first_s, clients->n, queries);
}

static void put_class(struct buffer *b, const struct world *w, uint8_t role, uint16_t campaign)
{
    buffer_printf(b, ",\"class\":\"%s\"", class_text(w, role, campaign));
    if (role != ROLE_BENIGN)
        buffer_printf(b, ",\"campaign\":\"%s\"", w->scenario->campaigns[campaign].id);
}

static void put_watch(struct buffer *b, const struct world *w, const struct watch *watch)
{
    uint8_t wire[NAME_WIRE_MAX];
    put_name(b, wire, target_wire(w, &watch->target, wire), "host");
    put_class(b, w, watch->role, watch->campaign);
    put_counts(b, &watch->clients, watch->queries, watch->first_s);
    buffer_printf(b, "}\n");
}

static void put_zone(struct buffer *b, const struct world *w, const struct zone *z)
{
    put_name(b, zones_wire(&w->zones, z), z->wire_len, "domain");
    put_class(b, w, z->role, z->campaign);
    if (z->role == ROLE_BENIGN || z->role == ROLE_VICTIM)
        buffer_printf(b, ",\"sub\":\"%s\"", zone_kind_text(z->kind));
    put_counts(b, &z->clients, z->queries, z->first_s);
    if (z->registered_s == ZONE_NEVER)
        buffer_printf(b, ",\"registered_at\":null");
    else
        buffer_printf(b, ",\"registered_at\":%" PRId64, z->registered_s);
    if (z->expires_s != ZONE_NEVER)
        buffer_printf(b, ",\"expires_at\":%" PRId64, z->expires_s);
    buffer_printf(b, "}\n");
}

static int flush_at(struct world *w, struct buffer *b, const struct sink *sink, size_t len)
{
    if (b->failed)
        return fault_set(w->why, E_NOMEM, "out of memory");
    if (b->len < len)
        return E_OK;
    int rc = sink->write(sink->ctx, b->ptr, b->len, w->why);
    buffer_clear(b);
    return rc;
}

int truth_write(struct world *w, const struct sink *sink)
{
    struct buffer b;
    int rc = E_OK;
    buffer_init(&b, 4 * FLUSH_AT);
    for (uint32_t i = 0; i < w->n_watches && rc == 0; i++) {
        if (w->watches[i].queries > 0)
            put_watch(&b, w, &w->watches[i]);
        rc = flush_at(w, &b, sink, FLUSH_AT);
    }
    /* What campaigns are about first. */
    for (int benign = 0; benign < 2; benign++)
        for (uint32_t i = 1; i < w->zones.n && rc == 0; i++) {
            const struct zone *z = world_zone(w, i);
            if (z->queries > 0 && (z->role == ROLE_BENIGN) == benign)
                put_zone(&b, w, z);
            rc = flush_at(w, &b, sink, FLUSH_AT);
        }
    if (rc == 0)
        rc = flush_at(w, &b, sink, 0);
    buffer_release(&b);
    return rc;
}
