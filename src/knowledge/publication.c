#include "knowledge/publication.h"

#include "knowledge/inside.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const triggers[TRIGGERS] = { "domain", "host", "address", "nameserver" };
static const char *const stages_text[STAGES] = { "review", "shadow", "published", "out" };
static const char *const helds[HELDS] = { "", "in", "out" };

const char *trigger_text(enum trigger trigger)
{
    return triggers[trigger];
}

bool trigger_parse(const char *text, enum trigger *ret)
{
    int i = knowledge_word(triggers, TRIGGERS, text);
    if (i >= 0)
        *ret = (enum trigger)i;
    return i >= 0;
}

bool trigger_address(const char *any, char text[NAME_TEXT_MAX])
{
    uint8_t bytes[16];
    int family = strchr(any, ':') != NULL ? AF_INET6 : AF_INET;
    return inet_pton(family, any, bytes) == 1 && inet_ntop(family, bytes, text, NAME_TEXT_MAX) != NULL;
}

bool trigger_has_scope(enum trigger trigger)
{
    return trigger == TRIGGER_DOMAIN || trigger == TRIGGER_HOST;
}

enum scope trigger_scope(enum trigger trigger)
{
    return trigger == TRIGGER_HOST ? SCOPE_HOST : SCOPE_DOMAIN;
}

enum trigger trigger_of_scope(enum scope scope)
{
    return scope == SCOPE_HOST ? TRIGGER_HOST : TRIGGER_DOMAIN;
}

const char *stage_text(enum stage stage)
{
    return stages_text[stage];
}

bool stage_parse(const char *text, enum stage *ret)
{
    int i = knowledge_word(stages_text, STAGES, text);
    if (i >= 0)
        *ret = (enum stage)i;
    return i >= 0;
}

const char *held_text(enum held held)
{
    return helds[held];
}

/* ---- rows ---- */

#define COLUMNS                                                                                                          \
    "name, kind, since, approved_by, reason, level, score, categories, family, campaign, first_seen, valid_until"
enum { STAGE_AT = 12, DUE_AT, HELD_AT, CHANGED_AT };
#define ALL_COLUMNS COLUMNS ", stage, due, held, changed"

/* But for due and held, which the journal does not keep, and the time of the change. */
static struct publication row_of(const struct statement *s)
{
    struct publication p = {
        .name = statement_column(s, 0),
        .since = sqlite3_column_int64(s->stmt, 2),
        .approved_by = statement_column(s, 3),
        .reason = statement_column(s, 4),
        .score = sqlite3_column_double(s->stmt, 6),
        .categories = statement_column(s, 7),
        .family = statement_column(s, 8),
        .campaign = sqlite3_column_int64(s->stmt, 9),
        .first_seen = sqlite3_column_int64(s->stmt, 10),
        .valid_until = sqlite3_column_int64(s->stmt, 11),
    };
    trigger_parse(statement_column(s, 1), &p.trigger);
    verdict_level_parse(statement_column(s, 5), &p.level);
    stage_parse(statement_column(s, STAGE_AT), &p.stage);
    return p;
}

static struct publication whole_row(const struct statement *s)
{
    struct publication p = row_of(s);
    int held = knowledge_word(helds, HELDS, statement_column(s, HELD_AT));
    p.due = sqlite3_column_int64(s->stmt, DUE_AT);
    p.held = held < 0 ? HELD_NOT : (enum held)held;
    p.changed = sqlite3_column_int64(s->stmt, CHANGED_AT);
    return p;
}

static void find(struct statement *s, struct knowledge *k, const char *name, enum trigger trigger)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE name = ? AND kind = ?";
    statement_start(s, k, sql);
    statement_text(s, 1, name);
    statement_text(s, 2, triggers[trigger]);
}

/* ---- writing ---- */

struct former {
    int stage;   /* -1: there is none */
    bool equal;  /* for the journal */
    bool same;   /* in all */
    int64_t changed;
};

static bool is_equal(const struct publication *a, const struct publication *b)
{
    return a->stage == b->stage && a->since == b->since && strcmp(a->approved_by, b->approved_by) == 0 &&
           strcmp(a->reason, b->reason) == 0 && a->level == b->level && a->score == b->score &&
           strcmp(a->categories, b->categories) == 0 && strcmp(a->family, b->family) == 0 && a->campaign == b->campaign &&
           a->first_seen == b->first_seen && a->valid_until == b->valid_until;
}

static int find_former(struct knowledge *k, const struct publication *next, struct former *ret, struct fault *why)
{
    struct statement s;
    *ret = (struct former){ .stage = -1 };
    find(&s, k, next->name, next->trigger);
    if (statement_row(&s)) {
        struct publication had = whole_row(&s);
        bool equal = is_equal(&had, next);
        *ret = (struct former){ (int)had.stage, equal, equal && had.due == next->due && had.held == next->held, had.changed };
    }
    return statement_end(&s, why);
}

static int replace(struct knowledge *k, const struct publication *p, int64_t changed, struct fault *why)
{
    static const char sql[] =
        "INSERT INTO publication (" ALL_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " since = excluded.since, approved_by = excluded.approved_by, reason = excluded.reason, level = excluded.level,"
        " score = excluded.score, categories = excluded.categories, family = excluded.family, campaign = excluded.campaign,"
        " first_seen = excluded.first_seen, valid_until = excluded.valid_until, stage = excluded.stage, due = excluded.due,"
        " held = excluded.held, changed = excluded.changed";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, p->name);
    statement_text(&s, 2, triggers[p->trigger]);
    statement_int(&s, 3, p->since);
    statement_text(&s, 4, p->approved_by);
    statement_text(&s, 5, p->reason);
    statement_text(&s, 6, verdict_level_text(p->level));
    statement_real(&s, 7, p->score);
    statement_text(&s, 8, p->categories);
    statement_text(&s, 9, p->family);
    statement_id(&s, 10, p->campaign);
    statement_int(&s, 11, p->first_seen);
    statement_int(&s, 12, p->valid_until);
    statement_text(&s, 1 + STAGE_AT, stages_text[p->stage]);
    statement_int(&s, 1 + DUE_AT, p->due);
    statement_text(&s, 1 + HELD_AT, helds[p->held]);
    statement_int(&s, 1 + CHANGED_AT, changed);
    return statement_run(&s, why);
}

/* What the publication is by now. */
static int add_change(struct knowledge *k, const struct publication *p, int was, int64_t at, const char *author, struct fault *why)
{
    static const char sql[] = "INSERT INTO publication_change (at, was, author, now, " COLUMNS ") SELECT ?1, ?2, ?3, stage, " COLUMNS
                              " FROM publication WHERE name = ?4 AND kind = ?5";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, at);
    if (was >= 0)
        statement_text(&s, 2, stages_text[was]);
    statement_text(&s, 3, author);
    statement_text(&s, 4, p->name);
    statement_text(&s, 5, triggers[p->trigger]);
    return statement_run(&s, why);
}

static int put(struct knowledge *k, const struct publication *p, int64_t at, const char *author, struct fault *why)
{
    struct former former;
    int rc = find_former(k, p, &former, why);
    if (rc != 0 || former.same)
        return rc;
    rc = replace(k, p, former.equal ? former.changed : at, why);
    return rc || former.equal ? rc : add_change(k, p, former.stage, at, author, why);
}

/* As inet_ntop writes it, alone or with the length of a network below the whole one; bits behind it are 0. */
static bool is_address(const char *text)
{
    uint8_t bytes[16], zero[16] = { 0 };
    char address[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN], whole[INET6_ADDRSTRLEN + 8];
    size_t n = strcspn(text, "/");
    int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    unsigned bits = family == AF_INET6 ? 128 : 32, length = bits;
    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    if (inet_pton(family, address, bytes) != 1)
        return false;
    if (text[n] == '/')
        length = (unsigned)strtoul(text + n + 1, NULL, 10);
    if (length > bits || inet_ntop(family, bytes, again, sizeof again) == NULL)
        return false;
    snprintf(whole, sizeof whole, length == bits ? "%s" : "%s/%u", again, length);
    if (length % 8 != 0 && (bytes[length / 8] & (0xff >> length % 8)) != 0)
        return false;
    size_t used = (length + 7) / 8;
    return strcmp(whole, text) == 0 && memcmp(bytes + used, zero, bits / 8 - used) == 0;
}

static int check(struct knowledge *k, const struct publication *p, struct fault *why)
{
    if (p->trigger == TRIGGER_ADDRESS && !is_address(p->name))
        return fault_set(why, E_USAGE, "'%s' is not an address or a network as they are stored", p->name);
    int rc = p->trigger != TRIGGER_ADDRESS ? knowledge_check_name(p->name, why) : E_OK;
    return rc ? rc : knowledge_check_json(k, p->categories, "array", "categories of a publication", why);
}

int publication_put(struct knowledge *k, const struct publication *p, int64_t at, const char *author, struct fault *why)
{
    struct write w;
    int rc = check(k, p, why);
    if (rc == 0)
        rc = knowledge_enter(k, &w, why);
    return rc ? rc : knowledge_leave(k, &w, put(k, p, at, author, why), why);
}

/* ---- asking ---- */

static int walk(struct statement *s, publication_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct publication p = whole_row(s);
        if (statement_ended_by(s, sink(ctx, &p, why)))
            break;
    }
    return statement_end(s, why);
}

int publication_find(struct knowledge *k, const char *name, enum trigger trigger, publication_sink sink, void *ctx, struct fault *why)
{
    struct statement s;
    find(&s, k, name, trigger);
    return walk(&s, sink, ctx, why);
}

/* What waits for a person is little beside the rest, and has an index. */
static int each_in_review(struct knowledge *k, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE stage = 'review' ORDER BY name, kind";
    struct statement s;
    statement_start(&s, k, sql);
    return walk(&s, sink, ctx, why);
}

int publication_each(struct knowledge *k, unsigned stages, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE stage IN (?, ?, ?, ?) ORDER BY name, kind";
    struct statement s;
    if (stages == 1u << STAGE_REVIEW)
        return each_in_review(k, sink, ctx, why);
    statement_start(&s, k, sql);
    for (int i = 0; i < STAGES; i++) /* what is not bound is NULL, which nothing equals */
        if (stages & 1u << i)
            statement_text(&s, 1 + i, stages_text[i]);
    return walk(&s, sink, ctx, why);
}

int publication_due(struct knowledge *k, int64_t now, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE due <> 0 AND due <= ? ORDER BY due, name, kind";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, now);
    return walk(&s, sink, ctx, why);
}

int publication_ended(struct knowledge *k, int64_t until, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE stage <> 'out' AND held = '' AND valid_until > 0"
                              " AND valid_until <= ? AND categories <> '[\"operator\"]' ORDER BY valid_until, name, kind";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, until);
    return walk(&s, sink, ctx, why);
}

int publication_held(struct knowledge *k, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE held <> '' ORDER BY held, name, kind";
    struct statement s;
    statement_start(&s, k, sql);
    return walk(&s, sink, ctx, why);
}

int publication_infrastructure(struct knowledge *k, publication_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " ALL_COLUMNS " FROM publication WHERE kind IN ('address', 'nameserver') AND stage <> 'out' ORDER BY name, kind";
    struct statement s;
    statement_start(&s, k, sql);
    return walk(&s, sink, ctx, why);
}

/* ---- the journal ---- */

/* The version that a change is part of is the first that goes so far. */
#define CHANGE_COLUMNS                                                                                                       \
    COLUMNS ", now, serial, at, was, author, coalesce((SELECT v.serial FROM version v WHERE v.last_change >= c.serial"       \
            " ORDER BY v.serial LIMIT 1), 0)"

static int walk_changes(struct statement *s, publication_change_sink sink, void *ctx, struct fault *why)
{
    enum { SERIAL_AT = STAGE_AT + 1, AT_AT, WAS_AT, AUTHOR_AT, VERSION_AT };
    while (statement_row(s)) {
        struct publication_change c = {
            .serial = sqlite3_column_int64(s->stmt, SERIAL_AT),
            .version = sqlite3_column_int64(s->stmt, VERSION_AT),
            .at = sqlite3_column_int64(s->stmt, AT_AT),
            .was = knowledge_word(stages_text, STAGES, statement_column(s, WAS_AT)),
            .author = statement_column(s, AUTHOR_AT),
            .now = row_of(s),
        };
        c.now.changed = c.at;
        if (statement_ended_by(s, sink(ctx, &c, why)))
            break;
    }
    return statement_end(s, why);
}

int publication_changes(struct knowledge *k, int64_t after, int64_t until, publication_change_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " CHANGE_COLUMNS " FROM publication_change c WHERE serial > ? AND serial <= ? ORDER BY serial";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after);
    statement_int(&s, 2, until);
    return walk_changes(&s, sink, ctx, why);
}

int publication_history(struct knowledge *k, const char *name, enum trigger trigger, publication_change_sink sink, void *ctx,
                        struct fault *why)
{
    static const char sql[] = "SELECT " CHANGE_COLUMNS " FROM publication_change c WHERE name = ? AND kind = ? ORDER BY serial";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, name);
    statement_text(&s, 2, triggers[trigger]);
    return walk_changes(&s, sink, ctx, why);
}

int publication_serial(struct knowledge *k, int64_t *ret, struct fault *why)
{
    static const char sql[] = "SELECT max(serial) FROM publication_change";
    struct statement s;
    statement_start(&s, k, sql);
    return statement_number(&s, ret, why);
}

/* ---- versions ---- */

#define VERSION_COLUMNS "serial, last_change, changes, published, shadow, added, dropped, reason"

static int walk_versions(struct statement *s, version_sink sink, void *ctx, struct fault *why)
{
    while (statement_row(s)) {
        struct version v = {
            .serial = sqlite3_column_int64(s->stmt, 0),
            .last_change = sqlite3_column_int64(s->stmt, 1),
            .changes = sqlite3_column_int64(s->stmt, 2),
            .published = sqlite3_column_int64(s->stmt, 3),
            .shadow = sqlite3_column_int64(s->stmt, 4),
            .added = sqlite3_column_int64(s->stmt, 5),
            .dropped = sqlite3_column_int64(s->stmt, 6),
            .reason = statement_column(s, 7),
        };
        if (statement_ended_by(s, sink(ctx, &v, why)))
            break;
    }
    return statement_end(s, why);
}

int version_each(struct knowledge *k, int64_t after, version_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " VERSION_COLUMNS " FROM version WHERE serial > ? ORDER BY serial";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, after);
    return walk_versions(&s, sink, ctx, why);
}

int version_at(struct knowledge *k, int64_t serial, version_sink sink, void *ctx, struct fault *why)
{
    static const char sql[] = "SELECT " VERSION_COLUMNS " FROM version WHERE serial <= ? ORDER BY serial DESC LIMIT 1";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, serial);
    return walk_versions(&s, sink, ctx, why);
}

int version_last(struct knowledge *k, version_sink sink, void *ctx, struct fault *why)
{
    return version_at(k, INT64_MAX, sink, ctx, why);
}

static int keep_version(void *ctx, const struct version *v, struct fault *why)
{
    struct version *kept = ctx;
    (void)why;
    *kept = *v;
    kept->reason = "";
    return E_OK;
}

/* What the next version would be. */
static int draft(struct knowledge *k, struct version *ret, struct fault *why)
{
    static const char sql[] =
        "SELECT max(serial), count(*), total(now = 'published') - total(was IS 'published'), total(now = 'shadow') - total(was IS 'shadow'),"
        " total(now = 'published' AND was IS NOT 'published' AND author = 'dnsmon'),"
        " total(now <> 'published' AND was IS 'published' AND author = 'dnsmon') FROM publication_change WHERE serial > ?";
    struct statement s;
    struct version v = { 0 };
    int rc = version_last(k, keep_version, &v, why);
    if (rc != 0)
        return rc;
    statement_start(&s, k, sql);
    statement_int(&s, 1, v.last_change);
    if (statement_row(&s)) {
        int64_t last = sqlite3_column_int64(s.stmt, 0);
        v.last_change = last > v.last_change ? last : v.last_change;
        v.changes = sqlite3_column_int64(s.stmt, 1);
        v.published += sqlite3_column_int64(s.stmt, 2);
        v.shadow += sqlite3_column_int64(s.stmt, 3);
        v.added = sqlite3_column_int64(s.stmt, 4);
        v.dropped = sqlite3_column_int64(s.stmt, 5);
    }
    rc = statement_end(&s, why);
    if (rc == 0)
        *ret = v;
    return rc;
}

static int add_version(struct knowledge *k, const struct version *v, struct fault *why)
{
    static const char sql[] = "INSERT INTO version (" VERSION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    struct statement s;
    statement_start(&s, k, sql);
    statement_int(&s, 1, v->serial);
    statement_int(&s, 2, v->last_change);
    statement_int(&s, 3, v->changes);
    statement_int(&s, 4, v->published);
    statement_int(&s, 5, v->shadow);
    statement_int(&s, 6, v->added);
    statement_int(&s, 7, v->dropped);
    statement_text(&s, 8, v->reason);
    return statement_run(&s, why);
}

static int seal(struct knowledge *k, int64_t now, const char *reason, int64_t *ret_serial, struct fault *why)
{
    struct version v;
    int rc = draft(k, &v, why);
    if (rc != 0)
        return rc;
    v.serial = v.serial + 1 > now ? v.serial + 1 : now;
    v.reason = reason;
    rc = add_version(k, &v, why);
    if (rc == 0)
        *ret_serial = v.serial;
    return rc;
}

int publication_seal(struct knowledge *k, int64_t now, const char *reason, int64_t *ret_serial, struct fault *why)
{
    struct write w;
    int64_t serial = 0;
    int rc = knowledge_enter(k, &w, why);
    rc = rc ? rc : knowledge_leave(k, &w, seal(k, now, reason, &serial, why), why);
    if (rc == 0)
        *ret_serial = serial;
    return rc;
}

static int count_held(struct knowledge *k, enum held held, int64_t *ret, struct fault *why)
{
    static const char sql[] = "SELECT count(*) FROM publication WHERE held <> '' AND held = ?";
    struct statement s;
    statement_start(&s, k, sql);
    statement_text(&s, 1, helds[held]);
    return statement_number(&s, ret, why);
}

int publication_sizes(struct knowledge *k, struct publication_sizes *ret, struct fault *why)
{
    struct publication_sizes sizes;
    struct version v;
    int rc = draft(k, &v, why);
    if (rc == 0)
        rc = count_held(k, HELD_IN, &sizes.held_in, why);
    if (rc == 0)
        rc = count_held(k, HELD_OUT, &sizes.held_out, why);
    if (rc != 0)
        return rc;
    sizes.published = v.published;
    sizes.shadow = v.shadow;
    *ret = sizes;
    return E_OK;
}
