#include "cmd/enforce.h"

#include "base/buffer.h"
#include "cmd/present.h"
#include "knowledge/analysis.h"
#include "knowledge/indicator.h"
#include "knowledge/verdict.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_BYTES = 64 << 20, REASON_BYTES = 16384, FOREVER_S = 10 * 366 * 86400 };

struct enforcement {
    struct knowledge *k;
    const struct decision *d;
    int64_t step;         /* the ledger's time: of what was judged last */
    struct buffer names;  /* "d" or "h", then the name and its NUL: found, to be changed after the walk */
    struct buffer reason; /* JSON */
};

/* At the name or, when the word is about a domain, below it. */
static bool is_meant(const struct decision *d, const char *name, enum scope scope)
{
    size_t len = strlen(name), of = strlen(d->name);
    if (d->scope == SCOPE_HOST)
        return scope == SCOPE_HOST && strcmp(name, d->name) == 0;
    return len >= of && strcmp(name + len - of, d->name) == 0 && (len == of || name[len - of - 1] == '.');
}

static void note(struct enforcement *e, const char *name, enum scope scope)
{
    buffer_u8(&e->names, scope == SCOPE_DOMAIN ? 'd' : 'h');
    buffer_append(&e->names, name, strlen(name) + 1);
}

static int note_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    struct enforcement *e = ctx;
    (void)why;
    if (is_meant(e->d, v->name, v->scope))
        note(e, v->name, v->scope);
    return E_OK;
}

static int note_indicator(void *ctx, const struct indicator *i, struct fault *why)
{
    struct enforcement *e = ctx;
    (void)why;
    if (is_meant(e->d, i->name, i->scope))
        note(e, i->name, i->scope);
    return E_OK;
}

typedef int (*step_of_change)(struct enforcement *e, const char *name, enum scope scope, struct fault *why);

static int for_noted(struct enforcement *e, step_of_change change, struct fault *why)
{
    int rc = e->names.failed ? fault_set(why, E_NOMEM, "no memory for the names below %s", e->d->name) : E_OK;
    for (size_t at = 0; rc == 0 && at < e->names.len;) {
        const char *name = (const char *)e->names.ptr + at + 1;
        rc = change(e, name, e->names.ptr[at] == 'd' ? SCOPE_DOMAIN : SCOPE_HOST, why);
        at += 1 + strlen(name) + 1;
    }
    buffer_clear(&e->names);
    return rc;
}

static int decide(struct enforcement *e, const char *name, enum scope scope, enum verdict_level level, double score,
                  struct fault *why)
{
    struct verdict v = {
        .name = name, .scope = scope, .level = level, .score = score, .decided_at = e->step,
        .known_at = e->d->at, .reason = (const char *)e->reason.ptr,
    };
    return verdict_add(e->k, &v, NULL, why);
}

static int acquit(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    return decide(e, name, scope, VERDICT_BENIGN, 0, why);
}

static int withdraw(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    return indicator_set_state(e->k, name, scope, INDICATOR_WITHDRAWN, e->d->at, e->d->author, e->d->reason, why);
}

static int take_back(struct enforcement *e, struct fault *why)
{
    int rc = verdict_each(e->k, VERDICT_WATCH, VERDICT_MALICIOUS, KNOWLEDGE_NOW, note_verdict, e, why);
    if (rc == 0)
        rc = for_noted(e, acquit, why);
    if (rc == 0)
        rc = indicator_each(e->k, 1u << INDICATOR_ACTIVE | 1u << INDICATOR_HELD, note_indicator, e, why);
    return rc ? rc : for_noted(e, withdraw, why);
}

static int keep_score(void *ctx, const struct verdict *v, struct fault *why)
{
    (void)why;
    *(double *)ctx = v->score;
    return E_OK;
}

static int note_block(void *ctx, const struct decision *d, struct fault *why)
{
    (void)why;
    *(bool *)ctx = d->action == DECISION_BLOCK;
    return E_OK;
}

/* Whoever blocked it has heard of it. */
static int is_blocked(const struct enforcement *e, const char *name, bool *ret, struct fault *why)
{
    *ret = false;
    return decision_covering(e->k, name, e->d->at, note_block, ret, why);
}

static int doubt(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    double score = 0;
    bool blocked;
    int rc = is_blocked(e, name, &blocked, why);
    if (rc != 0 || blocked)
        return rc;
    rc = verdict_find(e->k, name, scope, KNOWLEDGE_NOW, keep_score, &score, why);
    return rc ? rc : decide(e, name, scope, VERDICT_SUSPICIOUS, score, why);
}

static int hold(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    bool blocked;
    int rc = is_blocked(e, name, &blocked, why);
    if (rc != 0 || blocked)
        return rc;
    return indicator_set_state(e->k, name, scope, INDICATOR_HELD, e->d->at, e->d->author, e->d->reason, why);
}

static int object(struct enforcement *e, struct fault *why)
{
    int rc = verdict_each(e->k, VERDICT_HIGH_RISK, VERDICT_MALICIOUS, KNOWLEDGE_NOW, note_verdict, e, why);
    if (rc == 0)
        rc = for_noted(e, doubt, why);
    if (rc == 0)
        rc = indicator_each(e->k, 1u << INDICATOR_ACTIVE, note_indicator, e, why);
    return rc ? rc : for_noted(e, hold, why);
}

static int block(struct enforcement *e, struct fault *why)
{
    const struct decision *d = e->d;
    struct indicator i = {
        .name = d->name,
        .scope = d->scope,
        .level = VERDICT_MALICIOUS,
        .score = 1,
        .categories = "[\"operator\"]",
        .family = "",
        .first_seen = d->at,
        .decided_at = e->step,
        .valid_until = d->until ? d->until : d->at + FOREVER_S,
        .state = INDICATOR_ACTIVE,
        .reason = d->reason,
    };
    int rc = decide(e, d->name, d->scope, VERDICT_MALICIOUS, 1, why);
    return rc ? rc : indicator_put(e->k, &i, d->at, d->author, why);
}

static void put_reason(struct enforcement *e, bool revoked)
{
    const struct decision *d = e->d;
    const char *what = revoked                             ? "revoked by the operator"
                       : d->action == DECISION_BLOCK    ? "blocked by the operator"
                       : d->action == DECISION_FEEDBACK ? "somebody objected"
                                                        : "allowed by the operator";
    buffer_printf(&e->reason, "{\"decided\":\"%s\",\"author\":\"operator\",\"who\":", what);
    present_json_text(&e->reason, d->author);
    buffer_printf(&e->reason, ",\"words\":");
    present_json_text(&e->reason, d->reason);
    buffer_append(&e->reason, "}", 2);
}

int enforce_word(struct knowledge *k, const struct decision *d, bool revoked, struct fault *why)
{
    struct enforcement e = { .k = k, .d = d };
    struct analysis analysis;
    bool ends = revoked ? d->action == DECISION_BLOCK : d->action == DECISION_ALLOW;
    int rc = analysis_get(k, &analysis, why);
    if (rc != 0)
        return rc;
    e.step = analysis.analysed_until ? analysis.analysed_until + 1 : d->at / KNOWLEDGE_HOUR_S;
    buffer_init(&e.names, NAMES_BYTES);
    buffer_init(&e.reason, REASON_BYTES);
    put_reason(&e, revoked);
    if (e.reason.failed)
        rc = fault_set(why, E_NOMEM, "no memory for the reason");
    else if (ends)
        rc = take_back(&e, why);
    else if (!revoked && d->action == DECISION_BLOCK)
        rc = block(&e, why);
    else if (!revoked && d->action == DECISION_FEEDBACK)
        rc = object(&e, why);
    buffer_release(&e.names);
    buffer_release(&e.reason);
    return rc;
}
