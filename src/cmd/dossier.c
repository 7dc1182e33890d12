#include "cmd/dossier.h"

#include <stdio.h>
#include <string.h>

#include "knowledge/analysis.h"
#include "knowledge/campaign.h"
#include "knowledge/decision.h"
#include "knowledge/evidence.h"
#include "knowledge/verdict.h"

struct dossier {
    struct knowledge *k;
    const char *domain;
    int64_t as_of;
    json_t *root;
    json_t *names; /* {"name": scope, ...}: the domain, and its hosts of which something was ever said */
    json_t *list;  /* that is being filled */
};

/* ---- parts ---- */

static json_t *text(const char *from)
{
    json_t *made = json_string(from);
    return made ? made : json_string("(not UTF-8)");
}

static json_t *time_of(int64_t step)
{
    return json_integer(step * KNOWLEDGE_HOUR_S);
}

/* JSON of the ledger; an empty object when it is none. */
static json_t *object(const char *from)
{
    json_t *made = json_loads(from, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(made))
        return made;
    json_decref(made);
    return json_object();
}

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "out of memory");
}

/* Takes the row; counts it instead when the list is full. */
static int append(struct dossier *d, const char *list, json_t *row, struct fault *why)
{
    char left_out[64];
    json_t *to = json_object_get(d->root, list);
    if (row == NULL || to == NULL) {
        json_decref(row);
        return no_memory(why);
    }
    if (json_array_size(to) < DOSSIER_ROWS)
        return json_array_append_new(to, row) ? no_memory(why) : E_OK;
    json_decref(row);
    snprintf(left_out, sizeof left_out, "%s_left_out", list);
    json_int_t n = json_integer_value(json_object_get(d->root, left_out));
    return json_object_set_new(d->root, left_out, json_integer(n + 1)) ? no_memory(why) : E_OK;
}

static bool is_known(const struct dossier *d, int64_t step)
{
    return d->as_of == KNOWLEDGE_NOW || step <= d->as_of;
}

/* ---- names ---- */

/* Below the domain, or it itself as a host. */
static bool is_below(const char *name, const char *domain)
{
    size_t n = strlen(name), m = strlen(domain);
    return n >= m && strcmp(name + n - m, domain) == 0 && (n == m || name[n - m - 1] == '.');
}

static bool is_taken(const struct dossier *d, const char *name, enum scope scope)
{
    size_t i;
    json_t *n;
    json_array_foreach(d->names, i, n)
        if (json_integer_value(json_object_get(n, "scope")) == (json_int_t)scope &&
            strcmp(json_string_value(json_object_get(n, "name")), name) == 0)
            return true;
    return false;
}

static int take_name(void *ctx, const char *name, enum scope scope, struct fault *why)
{
    struct dossier *d = ctx;
    if (!is_below(name, d->domain) || is_taken(d, name, scope))
        return E_OK;
    json_t *key = json_pack("{s:o,s:i}", "name", text(name), "scope", (int)scope);
    return key == NULL || json_array_append_new(d->names, key) ? no_memory(why) : E_OK;
}

typedef int (*each_name)(struct dossier *d, const char *name, enum scope scope, struct fault *why);

static int for_names(struct dossier *d, each_name each, struct fault *why)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < json_array_size(d->names); i++) {
        const json_t *n = json_array_get(d->names, i);
        rc = each(d, json_string_value(json_object_get(n, "name")), (enum scope)json_integer_value(json_object_get(n, "scope")), why);
    }
    return rc;
}

/* ---- verdicts and their history ---- */

/* Of a step the last row counts. */
struct level_run {
    struct dossier *d;
    int level, was_level;     /* of the last row, and before its step; -1 = none yet */
    int64_t since, was_since; /* steps */
    int64_t step;
};

static int take_decision(void *ctx, const struct verdict *v, struct fault *why)
{
    struct level_run *run = ctx;
    if (!is_known(run->d, v->decided_at))
        return E_OK;
    if (v->decided_at != run->step) {
        run->was_level = run->level;
        run->was_since = run->since;
        run->step = v->decided_at;
    }
    run->since = run->was_level == (int)v->level ? run->was_since : v->decided_at;
    run->level = (int)v->level;
    json_t *reason = object(v->reason);
    json_t *decided = json_object_get(reason, "decided");
    json_t *row = json_pack("{s:o,s:s,s:o,s:s,s:s,s:f,s:O*}", "at", time_of(v->decided_at), "what", "verdict", "name", text(v->name), "scope",
                            scope_text(v->scope), "level", verdict_level_text(v->level), "score", v->score, "decided", decided);
    json_decref(reason);
    return append(run->d, "history", row, why);
}

struct holding {
    struct dossier *d;
    const struct level_run *run;
};

static int take_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    const struct holding *h = ctx;
    json_t *row = json_pack("{s:o,s:s,s:s,s:f,s:o,s:o,s:o}", "name", text(v->name), "scope", scope_text(v->scope), "level",
                            verdict_level_text(v->level), "score", v->score, "decided_at", time_of(v->decided_at), "since",
                            time_of(h->run->since), "reason", object(v->reason));
    return append(h->d, "verdicts", row, why);
}

static int add_verdicts(struct dossier *d, const char *name, enum scope scope, struct fault *why)
{
    struct level_run run = { .d = d, .level = -1, .was_level = -1, .step = -1 };
    struct holding holding = { d, &run };
    int rc = verdict_history(d->k, name, scope, take_decision, &run, why);
    return rc ? rc : verdict_find(d->k, name, scope, d->as_of, take_verdict, &holding, why);
}

/* ---- evidence and its history ---- */

static int take_standing(void *ctx, const struct evidence *e, struct fault *why)
{
    json_t *row = json_pack("{s:o,s:s,s:o,s:o,s:f,s:o,s:o,s:o}", "name", text(e->name), "scope", scope_text(e->scope), "detector",
                            text(e->detector), "group", text(e->group), "weight", e->weight, "said_at", time_of(e->step), "summary",
                            text(e->summary), "facts", object(e->facts));
    return append(ctx, "evidence", row, why);
}

static int take_statement(void *ctx, const struct evidence *e, struct fault *why)
{
    struct dossier *d = ctx;
    if (!is_known(d, e->step))
        return E_OK;
    json_t *row = json_pack("{s:o,s:s,s:o,s:s,s:o,s:o,s:f,s:o}", "at", time_of(e->step), "what", "evidence", "name", text(e->name), "scope",
                            scope_text(e->scope), "detector", text(e->detector), "group", text(e->group), "weight", e->weight, "summary",
                            text(e->summary));
    return append(d, "history", row, why);
}

static int add_evidence(struct dossier *d, const char *name, enum scope scope, struct fault *why)
{
    int rc = evidence_standing(d->k, name, scope, d->as_of, take_standing, d, why);
    return rc ? rc : evidence_history(d->k, name, scope, take_statement, d, why);
}

static bool is_verdict(const json_t *row)
{
    const char *what = json_string_value(json_object_get(row, "what"));
    return what != NULL && strcmp(what, "verdict") == 0;
}

/* Of one hour what was said comes before what was made of it. */
static int by_time(const json_t *a, const json_t *b)
{
    json_int_t x = json_integer_value(json_object_get(a, "at")), y = json_integer_value(json_object_get(b, "at"));
    return x != y ? (x > y) - (x < y) : is_verdict(a) - is_verdict(b);
}

static int by_size(const json_t *a, const json_t *b)
{
    double x = json_real_value(json_object_get(a, "weight")), y = json_real_value(json_object_get(b, "weight"));
    x = x < 0 ? -x : x;
    y = y < 0 ? -y : y;
    return (x < y) - (x > y);
}

/* Stable, so that rows of one hour stay as the ledger has them. Some hundreds of rows, mostly in order already. */
static void sort(json_t *list, int (*compare)(const json_t *, const json_t *))
{
    for (size_t i = 1; i < json_array_size(list); i++) {
        json_t *row = json_incref(json_array_get(list, i));
        size_t at = i;
        while (at > 0 && compare(json_array_get(list, at - 1), row) > 0)
            at--;
        if (at < i) {
            json_array_remove(list, i);
            json_array_insert_new(list, at, row);
        } else {
            json_decref(row);
        }
    }
}

/* Since when a detector has been saying what it says now, without a break. */
static void add_since(json_t *evidence, const json_t *history)
{
    size_t i, j;
    json_t *e, *h;
    json_array_foreach (evidence, i, e) {
        json_t *since = NULL;
        json_array_foreach (history, j, h) {
            bool same = json_equal(json_object_get(e, "name"), json_object_get(h, "name")) &&
                        json_equal(json_object_get(e, "scope"), json_object_get(h, "scope")) &&
                        json_equal(json_object_get(e, "detector"), json_object_get(h, "detector"));
            if (same && json_real_value(json_object_get(h, "weight")) == 0)
                since = NULL;
            else if (same && since == NULL)
                since = json_object_get(h, "at");
        }
        json_object_set(e, "since", since ? since : json_object_get(e, "said_at"));
    }
}

/* ---- campaign ---- */

static int take_level(void *ctx, const struct verdict *v, struct fault *why)
{
    json_t *row = ctx;
    bool bad = json_object_set_new(row, "level", json_string(verdict_level_text(v->level))) ||
               json_object_set_new(row, "score", json_real(v->score));
    return bad ? no_memory(why) : E_OK;
}

static int take_member(void *ctx, const struct campaign_member *m, struct fault *why)
{
    struct dossier *d = ctx;
    if (json_array_size(d->list) == DOSSIER_MEMBERS)
        return E_OK;
    json_t *row = json_pack("{s:o,s:o,s:o}", "name", text(m->name), "joined", time_of(m->joined), "why", text(m->why));
    if (row == NULL || json_array_append_new(d->list, row))
        return no_memory(why);
    return verdict_find(d->k, m->name, SCOPE_DOMAIN, d->as_of, take_level, row, why);
}

static int take_campaign(void *ctx, const struct campaign *c, struct fault *why)
{
    struct dossier *d = ctx;
    d->list = json_array();
    json_t *made = json_pack("{s:o,s:o,s:o,s:o}", "identity", text(c->identity), "title", text(c->title), "born", time_of(c->born), "members",
                             d->list);
    return made == NULL || json_object_set_new(d->root, "campaign", made) ? no_memory(why) : E_OK;
}

static int add_campaign(struct dossier *d, struct fault *why)
{
    int64_t id = 0;
    int rc = campaign_of(d->k, d->domain, d->as_of, &id, why);
    if (rc != 0 || id == 0)
        return rc;
    rc = campaign_find(d->k, id, take_campaign, d, why);
    return rc ? rc : campaign_members(d->k, id, d->as_of, take_member, d, why);
}

/* ---- words ---- */

static int take_word(void *ctx, const struct decision *w, struct fault *why)
{
    struct dossier *d = ctx;
    bool above = w->scope == SCOPE_DOMAIN && is_below(d->domain, w->name);
    if (!above && !is_below(w->name, d->domain))
        return E_OK;
    json_t *row = json_pack("{s:I,s:o,s:s,s:o,s:s,s:o,s:I,s:I}", "at", (json_int_t)w->at, "author", text(w->author), "action",
                            decision_action_text(w->action), "name", text(w->name), "scope", scope_text(w->scope), "reason",
                            text(w->reason), "until", (json_int_t)w->until, "revoked", (json_int_t)w->revoked);
    return append(d, "words", row, why);
}

/* ---- all of it ---- */

static int begin(struct dossier *d, struct fault *why)
{
    struct analysis a;
    int rc = analysis_get(d->k, &a, why);
    if (rc != 0)
        return rc;
    d->names = json_array();
    d->root = json_pack("{s:o,s:o,s:o,s:[],s:[],s:n,s:[],s:[]}", "name", text(d->domain), "as_of",
                        d->as_of == KNOWLEDGE_NOW ? json_null() : time_of(d->as_of), "analysed_until",
                        a.analysed_until ? time_of(a.analysed_until + 1) : json_null(), "verdicts", "evidence", "campaign", "words",
                        "history");
    return d->names == NULL || d->root == NULL ? no_memory(why) : E_OK;
}

/* Names that an operator spoke of have verdicts without evidence. */
static int take_judged(void *ctx, const struct verdict *v, struct fault *why)
{
    return take_name(ctx, v->name, v->scope, why);
}

static int gather(struct dossier *d, struct fault *why)
{
    int rc = begin(d, why);
    if (rc == 0)
        rc = take_name(d, d->domain, SCOPE_DOMAIN, why);
    if (rc == 0)
        rc = evidence_changed(d->k, 0, take_name, d, why);
    if (rc == 0)
        rc = verdict_each(d->k, VERDICT_BENIGN, VERDICT_MALICIOUS, d->as_of, take_judged, d, why);
    if (rc == 0)
        rc = for_names(d, add_verdicts, why);
    if (rc == 0)
        rc = for_names(d, add_evidence, why);
    if (rc == 0)
        rc = add_campaign(d, why);
    return rc ? rc : decision_history(d->k, take_word, d, why);
}

int dossier_make(json_t **ret, struct knowledge *k, const char *domain, int64_t as_of, struct fault *why)
{
    struct dossier d = { .k = k, .domain = domain, .as_of = as_of };
    int rc = knowledge_begin(k, why); /* one view */
    if (rc != 0)
        return rc;
    rc = gather(&d, why);
    knowledge_rollback(k);
    json_decref(d.names);
    if (rc != 0) {
        json_decref(d.root);
        return rc;
    }
    sort(json_object_get(d.root, "history"), by_time);
    sort(json_object_get(d.root, "evidence"), by_size);
    add_since(json_object_get(d.root, "evidence"), json_object_get(d.root, "history"));
    *ret = d.root;
    return E_OK;
}
