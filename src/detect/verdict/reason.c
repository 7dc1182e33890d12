/* The reason of a judgement as JSON. Texts of ours need no escapes; names are presentation form (RFC 1035, 5.1), printable ASCII in which
 * only '"' and '\' do. */
#include "detect/step.h"
#include "detect/verdict/inside.h"
#include "dns/name.h"

static void put_name(struct buffer *to, struct slice owner)
{
    uint8_t wire[NAME_WIRE_MAX];
    char text[NAME_TEXT_MAX];
    size_t len = name_from_owner_key(owner.ptr, owner.len, wire);
    size_t n = len ? name_to_text(wire, len, text) : 0;
    buffer_u8(to, '"');
    for (size_t i = 0; i + 1 < n; i++) { /* without the final dot */
        if (text[i] == '"' || text[i] == '\\')
            buffer_u8(to, '\\');
        buffer_u8(to, (uint8_t)text[i]);
    }
    buffer_u8(to, '"');
}

static void put_groups(const struct judgement *j, struct buffer *to)
{
    const char *comma = "";
    buffer_printf(to, ",\"groups\":{");
    for (unsigned g = 0; g < JUDGED_GROUPS; g++) {
        const struct contribution *c = &j->contribution[g];
        if (c->x == 0)
            continue;
        buffer_printf(to, "%s\"%s\":{\"nats\":%.2f,\"part\":%.2f", comma, judged_group_text(g), c->x, c->part);
        if (c->row != NULL)
            buffer_printf(to, ",\"detector\":\"%s\",\"since\":%u", c->row->detector, c->row->since);
        buffer_u8(to, '}');
        comma = ",";
    }
    buffer_u8(to, '}');
}

void judgement_put_features(const struct judgement *j, const struct standing *s, uint32_t first, struct buffer *to)
{
    const char *comma = "";
    buffer_printf(to, "{\"name\":");
    put_name(to, s->domain);
    buffer_printf(to, ",\"step\":%u,\"level\":\"%s\",\"score\":%.6f,\"groups\":{", s->step, verdict_level_text(j->level), j->score);
    for (unsigned g = 0; g < JUDGED_GROUPS; g++) {
        const struct contribution *c = &j->contribution[g];
        bool against = g != JUDGED_CAMPAIGN && group_family((enum group)g) == FAMILY_AGAINST;
        if (c->x == 0)
            continue;
        buffer_printf(to, "%s\"%s\":%.3f", comma, judged_group_text(g), against ? -c->x : c->x);
        comma = ",";
    }
    buffer_printf(to, "},\"age_days\":%.2f,\"clients\":%u}\n", s->step > first ? (s->step - first) / (double)DAY_STEPS : 0, s->clients);
}

static void put_families(const struct judgement *j, struct buffer *to)
{
    const char *comma = "";
    buffer_printf(to, ",\"families\":[");
    for (unsigned g = 0; g < GROUPS; g++)
        if (j->families >> g & 1) {
            buffer_printf(to, "%s\"%s\"", comma, g == GROUP_RHYTHM ? "automation" : group_text((enum group)g));
            comma = ",";
        }
    buffer_u8(to, ']');
}

static void put_scope(const struct judgement *j, const struct standing *s, struct buffer *to)
{
    buffer_printf(to, ",\"scope\":\"%s\",\"scope_because\":\"%s\"", j->scope == SCOPE_HOST ? "host" : "domain",
                  scope_why_text(j->scope_why));
    if (j->scope == SCOPE_HOST) {
        buffer_printf(to, ",\"hosts\":[");
        for (unsigned i = 0; i < j->n_hosts; i++) {
            if (i)
                buffer_u8(to, ',');
            put_name(to, j->hosts[i]);
        }
        buffer_u8(to, ']');
    }
    buffer_printf(to, ",\"hit\":{\"clients\":%u,\"queries\":%llu,\"network_clients\":%u}", j->hit_clients,
                  (unsigned long long)j->hit_queries, s->network_clients);
}

void judgement_put(const struct judgement *j, const struct standing *s, const struct verdict_weights *w, struct buffer *to)
{
    buffer_printf(to, "{\"decided\":\"%s\",\"author\":\"%s\",\"evidence_says\":\"%s\",\"weights\":\"%s\",\"intercept\":%.2f",
                  decided_text(j->decided), j->by_operator ? "operator" : "dnsmon", verdict_level_text(j->unheld), w->digest,
                  w->intercept);
    put_families(j, to);
    put_groups(j, to);
    put_scope(j, s, to);
    if (j->fade < 1)
        buffer_printf(to, ",\"fade\":%.3f", j->fade);
    buffer_u8(to, '}');
}
