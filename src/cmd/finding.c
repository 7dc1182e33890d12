#include "cmd/finding.h"

#include "cmd/present.h"
#include "detect/first.h"
#include "knowledge/campaign.h"
#include "knowledge/evidence.h"
#include "protect/feed/format.h"

#include <inttypes.h>

int64_t finding_step(int64_t seconds)
{
    int64_t step = seconds / KNOWLEDGE_HOUR_S;
    return step > 0 ? step : -1; /* 0 would be KNOWLEDGE_NOW */
}

enum style { STYLE_JSON, STYLE_CSV, STYLE_ROW };

struct writer {
    struct buffer *to;
    enum style style;
    bool any; /* an element was written */
};

/* ---- the parts ---- */

static int write_identity(void *ctx, const struct campaign *c, struct fault *why)
{
    struct writer *w = ctx;
    (void)why;
    w->any = true;
    if (w->style == STYLE_JSON)
        present_json_text(w->to, c->identity);
    else
        present_csv(w->to, c->identity, strlen(c->identity));
    return E_OK;
}

int finding_campaign(struct buffer *to, struct knowledge *k, int64_t id, bool json, struct fault *why)
{
    struct writer w = { .to = to, .style = json ? STYLE_JSON : STYLE_CSV };
    int rc = id != 0 ? campaign_find(k, id, write_identity, &w, why) : E_OK;
    if (rc == 0 && !w.any && json)
        buffer_printf(to, "null");
    return rc;
}

static int write_evidence(void *ctx, const struct evidence *e, struct fault *why)
{
    struct writer *w = ctx;
    (void)why;
    if (w->style == STYLE_CSV) {
        buffer_printf(w->to, "%s%s=%.4g", w->any ? ";" : "", e->detector, e->weight);
    } else if (w->style == STYLE_ROW) {
        buffer_printf(w->to, "%s%s %+.1f", w->any ? ", " : "", e->detector, e->weight);
    } else {
        buffer_printf(w->to, "%s{\"detector\":", w->any ? "," : "");
        present_json_text(w->to, e->detector);
        buffer_printf(w->to, ",\"group\":");
        present_json_text(w->to, e->group);
        buffer_printf(w->to, ",\"weight\":%.6g,\"summary\":", e->weight);
        present_json_text(w->to, e->summary);
        buffer_u8(w->to, '}');
    }
    w->any = true;
    return E_OK;
}

/* What was said of the name in its scope, then in the other: a domain may be blocked for what its host does. */
static int write_all_evidence(struct writer *w, struct knowledge *k, const char *name, enum scope scope, int64_t as_of,
                              struct fault *why)
{
    enum scope other = scope == SCOPE_HOST ? SCOPE_DOMAIN : SCOPE_HOST;
    int rc = evidence_standing(k, name, scope, as_of, write_evidence, w, why);
    return rc ? rc : evidence_standing(k, name, other, as_of, write_evidence, w, why);
}

static void write_seconds(struct buffer *to, const char *field, int64_t seconds)
{
    if (seconds > 0)
        buffer_printf(to, ",\"%s\":%" PRId64, field, seconds);
    else
        buffer_printf(to, ",\"%s\":null", field);
}

/* ---- times ---- */

/* When the store first saw the name; else what is known besides. */
static int look_first(const struct finding_from *from, const char *name, enum scope scope, int64_t *seconds, struct fault *why)
{
    uint8_t key[NAME_KEY_MAX];
    uint64_t first = UINT64_MAX;
    size_t len = from->store != NULL ? knowledge_key(name, key) : 0;
    int rc = len != 0 ? first_seen(from->store, (struct slice){ key, len }, scope == SCOPE_DOMAIN, UINT64_MAX, &first, why) : E_OK;
    if (rc == 0 && first <= INT64_MAX)
        *seconds = (int64_t)first;
    return rc;
}

/* The levels of a name, one after another. Of a step the last row counts. */
struct blocking {
    bool blocked, was_blocked; /* by this row; before its step */
    int64_t since, was_since;  /* steps */
    int64_t step;
};

static int follow_level(void *ctx, const struct verdict *v, struct fault *why)
{
    struct blocking *b = ctx;
    (void)why;
    if (v->decided_at != b->step) {
        b->was_blocked = b->blocked;
        b->was_since = b->since;
        b->step = v->decided_at;
    }
    b->since = b->was_blocked ? b->was_since : v->decided_at;
    b->blocked = v->level >= VERDICT_HIGH_RISK;
    return E_OK;
}

/* An indicator is renewed day by day; what its readers want is since when. */
int finding_since(const struct finding_from *from, const struct indicator *i, int64_t *ret_step, struct fault *why)
{
    struct blocking b = { .step = -1 };
    int rc = verdict_history(from->k, i->name, i->scope, follow_level, &b, why);
    *ret_step = rc == 0 && b.blocked ? b.since : i->decided_at;
    return rc;
}

/* ---- the object ---- */

struct object {
    const char *name;
    enum scope scope;
    enum verdict_level level;
    double score;
    int64_t campaign, decided_at;
    int64_t first_seen; /* seconds; 0 = not known */
    int64_t as_of;
    bool evidence;
};

static const char *kind_of(const struct finding_from *from, enum scope scope)
{
    return from->kind != NULL ? from->kind : scope_text(scope);
}

/* `i` is NULL where there is no indicator. */
static int write_object(struct buffer *to, const struct finding_from *from, const struct object *o, const struct indicator *i,
                        struct fault *why)
{
    struct writer w = { .to = to };
    buffer_printf(to, "{\"name\":");
    present_json_text(to, o->name);
    buffer_printf(to, ",\"scope\":\"%s\",\"level\":\"%s\",\"score\":%.6g,\"categories\":", kind_of(from, o->scope),
                  verdict_level_text(o->level), o->score);
    present_json_value(to, i != NULL ? i->categories : "[]", "[]");
    buffer_printf(to, ",\"family\":");
    present_json_text(to, i != NULL ? i->family : "");
    buffer_printf(to, ",\"campaign\":");
    int rc = finding_campaign(to, from->k, o->campaign, true, why);
    write_seconds(to, "first_seen", o->first_seen);
    write_seconds(to, "decided_at", o->decided_at * KNOWLEDGE_HOUR_S);
    write_seconds(to, "valid_until", i != NULL ? i->valid_until : 0);
    if (rc == 0 && o->evidence) {
        buffer_printf(to, ",\"evidence\":[");
        rc = write_all_evidence(&w, from->k, o->name, o->scope, o->as_of, why);
        buffer_u8(to, ']');
    }
    buffer_u8(to, '}');
    return rc;
}

int finding_of_indicator(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why)
{
    struct object o = { .name = i->name, .scope = i->scope, .level = i->level, .score = i->score, .campaign = i->campaign,
                        .first_seen = i->first_seen, .evidence = true };
    int rc = finding_since(from, i, &o.decided_at, why);
    if (rc == 0)
        rc = look_first(from, i->name, i->scope, &o.first_seen, why);
    return rc ? rc : write_object(to, from, &o, i, why);
}

struct joined {
    struct buffer *to;
    const struct finding_from *from;
    struct object *object;
    bool written;
};

static int write_with_indicator(void *ctx, const struct indicator *i, struct fault *why)
{
    struct joined *j = ctx;
    j->written = true;
    if (j->object->first_seen == 0)
        j->object->first_seen = i->first_seen;
    return write_object(j->to, j->from, j->object, i, why);
}

int finding_of_verdict(struct buffer *to, const struct finding_from *from, const struct verdict *v, int64_t as_of, bool evidence,
                       struct fault *why)
{
    struct object o = { .name = v->name, .scope = v->scope, .level = v->level, .score = v->score, .campaign = v->campaign,
                        .decided_at = v->decided_at, .as_of = as_of, .evidence = evidence };
    struct joined j = { .to = to, .from = from, .object = &o };
    int rc = look_first(from, v->name, v->scope, &o.first_seen, why);
    if (rc == 0)
        rc = indicator_as_of(from->k, v->name, v->scope, as_of, write_with_indicator, &j, why);
    return rc || j.written ? rc : write_object(to, from, &o, NULL, why);
}

/* ---- CSV ---- */

static void write_categories(struct buffer *to, const char *text)
{
    struct buffer joined;
    buffer_init(&joined, KNOWLEDGE_TEXT_MAX);
    feed_categories(&joined, text, ";");
    present_csv(to, (const char *)joined.ptr, joined.len);
    buffer_release(&joined);
}

/* Nothing where nothing is known. */
static void csv_seconds(struct buffer *to, int64_t seconds)
{
    if (seconds > 0)
        buffer_printf(to, "%" PRId64, seconds);
    buffer_u8(to, ',');
}

int finding_csv(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why)
{
    struct buffer evidence;
    int64_t first = i->first_seen, since;
    buffer_init(&evidence, KNOWLEDGE_TEXT_MAX);
    struct writer w = { .to = &evidence, .style = STYLE_CSV };
    int rc = finding_since(from, i, &since, why);
    if (rc == 0)
        rc = look_first(from, i->name, i->scope, &first, why);
    if (rc != 0)
        return rc;
    present_csv(to, i->name, strlen(i->name));
    buffer_printf(to, ",%s,%s,%.6g,", kind_of(from, i->scope), verdict_level_text(i->level), i->score);
    write_categories(to, i->categories);
    buffer_u8(to, ',');
    present_csv(to, i->family, strlen(i->family));
    buffer_u8(to, ',');
    rc = finding_campaign(to, from->k, i->campaign, false, why);
    buffer_u8(to, ',');
    csv_seconds(to, first);
    csv_seconds(to, since * KNOWLEDGE_HOUR_S);
    csv_seconds(to, i->valid_until);
    if (rc == 0)
        rc = write_all_evidence(&w, from->k, i->name, i->scope, KNOWLEDGE_NOW, why);
    present_csv(to, (const char *)evidence.ptr, evidence.len);
    buffer_u8(to, '\n');
    buffer_release(&evidence);
    return rc;
}

/* ---- rows ---- */

int finding_evidence(struct buffer *to, struct knowledge *k, const char *name, enum scope scope, int64_t as_of, struct fault *why)
{
    struct writer w = { .to = to, .style = STYLE_ROW };
    return write_all_evidence(&w, k, name, scope, as_of, why);
}

int finding_row(struct buffer *to, const struct finding_from *from, const struct indicator *i, struct fault *why)
{
    char since[32], until[32];
    int64_t step;
    int rc = finding_since(from, i, &step, why);
    if (rc != 0)
        return rc;
    present_time((uint64_t)step * KNOWLEDGE_HOUR_S, since);
    present_time((uint64_t)i->valid_until, until);
    buffer_printf(to, "%-10s  %5.3f  %.16s  %.16s  %-6s  %-30s  ", verdict_level_text(i->level), i->score, since, until,
                  scope_text(i->scope), i->name);
    size_t before = to->len;
    rc = finding_evidence(to, from->k, i->name, i->scope, KNOWLEDGE_NOW, why);
    if (to->len == before)
        present_plain(to, i->reason);
    buffer_u8(to, '\n');
    return rc;
}
