#include "cmd/enforce.h"

#include "base/buffer.h"
#include "cmd/present.h"
#include "detect/verdict/judge.h"
#include "knowledge/analysis.h"
#include "knowledge/indicator.h"
#include "knowledge/verdict.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OPERATOR "[\"operator\"]" /* the category of what is blocked by word alone */

enum { NAMES_BYTES = 64 << 20, REASON_BYTES = 16384, FOREVER_S = 10 * 366 * 86400, AGAIN_S = 30 * 86400 };

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
    return d->scope == SCOPE_HOST ? scope == SCOPE_HOST && strcmp(name, d->name) == 0 : knowledge_is_within(name, d->name);
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
        .categories = OPERATOR,
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

/* ---- words that are taken back ---- */

/* The rows of a name, one after another. */
struct former {
    bool by_operator; /* the last one, which holds, was written here */
    bool any;         /* there is one of analysis, the last of which: */
    bool by_word;     /* was decided by a word */
    enum verdict_level level;
    double score;
    int64_t campaign;
    struct buffer reason;
};

static bool is_word(const char *decided)
{
    return strcmp(decided, decided_text(DECIDED_ALLOWED)) == 0 || strcmp(decided, decided_text(DECIDED_BLOCKED)) == 0 ||
           strcmp(decided, decided_text(DECIDED_OBJECTED)) == 0;
}

static int see_row(void *ctx, const struct verdict *v, struct fault *why)
{
    struct former *f = ctx;
    json_t *reason = json_loads(v->reason, 0, NULL);
    const char *author = json_string_value(json_object_get(reason, "author"));
    const char *decided = json_string_value(json_object_get(reason, "decided"));
    f->by_operator = author != NULL && strcmp(author, "operator") == 0;
    if (!f->by_operator) {
        f->any = true;
        f->by_word = decided != NULL && is_word(decided);
        f->level = v->level;
        f->score = v->score;
        f->campaign = v->campaign;
        buffer_clear(&f->reason);
        buffer_append(&f->reason, v->reason, strlen(v->reason) + 1);
    }
    json_decref(reason);
    return f->reason.failed ? fault_set(why, E_NOMEM, "no memory for a reason") : E_OK;
}

static int note_any(void *ctx, const struct decision *d, struct fault *why)
{
    (void)d;
    (void)why;
    *(bool *)ctx = true;
    return E_OK;
}

static int keep_category(void *ctx, const struct indicator *i, struct fault *why)
{
    (void)why;
    *(bool *)ctx = strcmp(i->categories, OPERATOR) == 0;
    return E_OK;
}

static int end_indicator(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    int rc = withdraw(e, name, scope, why);
    return rc == E_ABSENT ? E_OK : rc;
}

/* What the operator's own took the place of is made anew as far as it is known; analysis renews it with the next questions. */
static int begin_indicator(struct enforcement *e, const char *name, enum scope scope, const struct former *f, struct fault *why)
{
    bool operators = true;
    struct indicator i = {
        .name = name, .scope = scope, .level = f->level, .score = f->score, .categories = "[\"suspicious\"]", .family = "",
        .campaign = f->campaign, .first_seen = 0, .decided_at = e->step, .valid_until = e->step * KNOWLEDGE_HOUR_S + AGAIN_S,
        .state = INDICATOR_ACTIVE, .reason = e->d->reason,
    };
    int rc = indicator_find(e->k, name, scope, keep_category, &operators, why);
    if (rc != 0)
        return rc;
    return operators ? indicator_put(e->k, &i, e->d->at, e->d->author, why)
                     : indicator_set_state(e->k, name, scope, INDICATOR_ACTIVE, e->d->at, e->d->author, e->d->reason, why);
}

static int restore(struct enforcement *e, const char *name, enum scope scope, struct former *f, struct fault *why)
{
    bool objected = false;
    int rc = decision_objection(e->k, name, e->d->at, note_any, &objected, why);
    if (objected && f->level > VERDICT_SUSPICIOUS)
        f->level = VERDICT_SUSPICIOUS;
    struct verdict v = {
        .name = name, .scope = scope, .level = f->level, .score = f->score, .decided_at = e->step, .known_at = e->d->at,
        .campaign = f->campaign, .reason = (const char *)f->reason.ptr,
    };
    if (rc == 0)
        rc = verdict_add(e->k, &v, NULL, why);
    if (rc != 0)
        return rc;
    return f->level >= VERDICT_HIGH_RISK ? begin_indicator(e, name, scope, f, why) : end_indicator(e, name, scope, why);
}

static int end_block(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    int rc = acquit(e, name, scope, why);
    return rc ? rc : end_indicator(e, name, scope, why);
}

static int give_back(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    struct former f = { .any = false };
    bool covered = false;
    buffer_init(&f.reason, KNOWLEDGE_TEXT_MAX);
    int rc = decision_covering(e->k, name, e->d->at, note_any, &covered, why); /* by another word */
    if (rc == 0 && !covered)
        rc = verdict_history(e->k, name, scope, see_row, &f, why);
    if (rc == 0 && f.by_operator) {
        if (f.any && !f.by_word)
            rc = restore(e, name, scope, &f, why);
        else if (e->d->action == DECISION_BLOCK)
            rc = end_block(e, name, scope, why);
    }
    buffer_release(&f.reason);
    return rc;
}

static int give_all_back(struct enforcement *e, struct fault *why)
{
    int rc = verdict_each(e->k, VERDICT_BENIGN, VERDICT_MALICIOUS, KNOWLEDGE_NOW, note_verdict, e, why);
    return rc ? rc : for_noted(e, give_back, why);
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
    int rc = analysis_get(k, &analysis, why);
    if (rc != 0)
        return rc;
    e.step = analysis.analysed_until ? analysis.analysed_until + 1 : d->at / KNOWLEDGE_HOUR_S;
    buffer_init(&e.names, NAMES_BYTES);
    buffer_init(&e.reason, REASON_BYTES);
    put_reason(&e, revoked);
    if (e.reason.failed)
        rc = fault_set(why, E_NOMEM, "no memory for the reason");
    else if (revoked)
        rc = give_all_back(&e, why);
    else if (d->action == DECISION_ALLOW)
        rc = take_back(&e, why);
    else if (d->action == DECISION_BLOCK)
        rc = block(&e, why);
    else if (d->action == DECISION_FEEDBACK)
        rc = object(&e, why);
    buffer_release(&e.names);
    buffer_release(&e.reason);
    return rc;
}

/* ---- words that have an end ---- */

bool enforce_has_ended(const struct indicator *i, int64_t now)
{
    return strcmp(i->categories, OPERATOR) == 0 && i->valid_until <= now;
}

struct ending {
    struct enforcement e;
    int64_t now;
};

static int note_ended(void *ctx, const struct indicator *i, struct fault *why)
{
    struct ending *ending = ctx;
    (void)why;
    if (enforce_has_ended(i, ending->now))
        note(&ending->e, i->name, i->scope);
    return E_OK;
}

static int end_word(struct enforcement *e, const char *name, enum scope scope, struct fault *why)
{
    struct decision d = { .at = e->d->at, .author = "dnsmon", .action = DECISION_BLOCK, .name = name, .scope = scope,
                          .reason = "the operator's word has come to its end" };
    return enforce_word(e->k, &d, true, why);
}

int enforce_ended(struct knowledge *k, int64_t now, struct fault *why)
{
    struct decision at = { .at = now };
    struct ending ending = { .e = { .k = k, .d = &at }, .now = now };
    buffer_init(&ending.e.names, NAMES_BYTES);
    int rc = indicator_each(k, 1u << INDICATOR_ACTIVE, note_ended, &ending, why);
    if (rc == 0 && ending.e.names.len != 0)
        rc = knowledge_begin(k, why);
    if (rc == 0 && ending.e.names.len != 0) {
        rc = for_noted(&ending.e, end_word, why);
        rc = rc ? rc : knowledge_commit(k, why);
        if (rc != 0)
            knowledge_rollback(k);
    }
    buffer_release(&ending.e.names);
    return rc;
}
