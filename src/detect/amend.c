#include "detect/amend.h"

#include "knowledge/decision.h"
#include "knowledge/evidence.h"
#include "knowledge/indicator.h"

#include <string.h>

#define NOT_AGAIN "not found again when this hour was walked anew"

/* ---- what the docket says ---- */

/* A name of the ledger, and the registered domain that the docket knows it by. */
struct subject_of {
    uint8_t key[NAME_KEY_MAX], domain[NAME_KEY_MAX];
    struct slice owner;
    const struct docket_name *name; /* NULL: not on it */
};

static void find(const struct amend *a, const char *text, struct subject_of *ret)
{
    size_t len = knowledge_key(text, ret->key);
    size_t registered = len ? suffix_find(a->suffixes, ret->key, len).registered : 0;
    ret->owner = (struct slice){ ret->key, len };
    ret->name = len ? docket_find(a->docket, ret->owner) : NULL;
    if (ret->name != NULL || registered == 0)
        return;
    memcpy(ret->domain, ret->key, registered);
    ret->domain[registered] = 0;
    ret->name = docket_find(a->docket, (struct slice){ ret->domain, registered + 1 });
}

static double weight_of(const struct subject_of *s, const char *detector)
{
    const struct detector *const *all;
    size_t n = s->name == NULL ? 0 : s->name->n_rows;
    (void)detectors(&all);
    for (size_t i = 0; i < n; i++) {
        const struct docket_row *row = &s->name->rows[i];
        if (strcmp(all[row->detector]->name, detector) == 0 && slice_compare(row->owner, s->owner) == 0)
            return row->weight;
    }
    return 0;
}

static struct docket_verdict verdict_of(const struct subject_of *s)
{
    for (size_t i = 0; s->name != NULL && i < s->name->n_verdicts; i++)
        if (slice_compare(s->name->verdicts[i].owner, s->owner) == 0)
            return s->name->verdicts[i];
    return (struct docket_verdict){ .level = VERDICT_BENIGN };
}

/* ---- evidence ---- */

struct repeat {
    struct amend *a;
    const struct evidence *of;
    bool found;
};

static int put_evidence(struct amend *a, const struct evidence *of, double weight, const char *summary, const char *facts,
                        struct fault *why)
{
    struct evidence e = *of;
    int64_t id = 0;
    e.step = a->step;
    e.known_at = a->known_at;
    e.weight = weight;
    e.summary = summary;
    e.facts = facts;
    int rc = evidence_add(a->k, &e, &id, why);
    a->evidence += id != 0;
    return rc;
}

/* What stood before the step stands again. */
static int repeat_evidence(void *ctx, const struct evidence *e, struct fault *why)
{
    struct repeat *r = ctx;
    if (strcmp(e->detector, r->of->detector) != 0)
        return E_OK;
    r->found = true;
    return put_evidence(r->a, r->of, e->weight, e->summary, e->facts, why);
}

static int amend_evidence(void *ctx, const struct evidence *e, struct fault *why)
{
    struct amend *a = ctx;
    struct subject_of s;
    struct repeat r = { a, e, false };
    find(a, e->name, &s);
    double weight = weight_of(&s, e->detector);
    if (weight == e->weight)
        return E_OK;
    int rc = weight == 0 ? E_OK : evidence_standing(a->k, e->name, e->scope, a->step - 1, repeat_evidence, &r, why);
    return rc || r.found ? rc : put_evidence(a, e, weight, NOT_AGAIN, "{}", why);
}

/* ---- verdicts ---- */

struct repeat_decided {
    struct amend *a;
    struct docket_verdict as; /* the docket's */
    bool found;
};

static int put_verdict(struct amend *a, struct verdict v, const struct docket_verdict *as, struct fault *why)
{
    int64_t id = 0;
    v.level = as->level;
    v.campaign = as->campaign;
    v.decided_at = a->step;
    v.known_at = a->known_at;
    int rc = verdict_add(a->k, &v, &id, why);
    a->verdicts += id != 0;
    return rc;
}

static int repeat_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    struct repeat_decided *d = ctx;
    if (v->level != d->as.level)
        return E_OK;
    d->found = true;
    return put_verdict(d->a, *v, &d->as, why);
}

static int set_indicator(const struct amend *a, const struct verdict *v, enum indicator_state state, struct fault *why)
{
    int rc = indicator_set_state(a->k, v->name, v->scope, state, a->step * KNOWLEDGE_HOUR_S, "dnsmon", NOT_AGAIN, why);
    return rc == E_ABSENT ? E_OK : rc;
}

static int see_active(void *ctx, const struct indicator *i, struct fault *why)
{
    (void)why;
    *(bool *)ctx = i->state == INDICATOR_ACTIVE;
    return E_OK;
}

static int see_word(void *ctx, const struct decision *d, struct fault *why)
{
    (void)why;
    *(bool *)ctx = d->action == DECISION_BLOCK;
    return E_OK;
}

static int see_level(void *ctx, const struct verdict *v, struct fault *why)
{
    (void)why;
    *(enum verdict_level *)ctx = v->level;
    return E_OK;
}

/* The indicator follows what holds now, which later rows of an earlier walk may still say; but one that the operator wants stays. The walk
 * itself may have taken the verdict back already: to it there was no indicator to end. */
static int amend_indicator(const struct amend *a, const struct verdict *v, const struct docket_verdict *as, struct fault *why)
{
    bool active = false, wanted = false;
    enum verdict_level now = VERDICT_BENIGN;
    if (as->level >= VERDICT_HIGH_RISK)
        return v->level < VERDICT_HIGH_RISK ? set_indicator(a, v, INDICATOR_ACTIVE, why) : E_OK;
    int rc = verdict_find(a->k, v->name, v->scope, KNOWLEDGE_NOW, see_level, &now, why);
    if (rc == 0 && now < VERDICT_HIGH_RISK)
        rc = indicator_find(a->k, v->name, v->scope, see_active, &active, why);
    if (rc == 0 && active)
        rc = decision_covering(a->k, v->name, a->known_at, see_word, &wanted, why);
    return rc == 0 && active && !wanted ? set_indicator(a, v, INDICATOR_WITHDRAWN, why) : rc;
}

static int amend_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    struct amend *a = ctx;
    struct subject_of s;
    find(a, v->name, &s);
    struct repeat_decided d = { a, verdict_of(&s), false };
    if (d.as.level == v->level && d.as.campaign == v->campaign)
        return amend_indicator(a, v, &d.as, why);
    struct verdict none = { .name = v->name, .scope = v->scope, .reason = "{\"decided\":\"" NOT_AGAIN "\"}" };
    int rc = verdict_find(a->k, v->name, v->scope, a->step - 1, repeat_verdict, &d, why);
    if (rc == 0 && !d.found)
        rc = put_verdict(a, none, &d.as, why);
    return rc ? rc : amend_indicator(a, v, &d.as, why);
}

/* ---- a step ---- */

int amend_until(struct knowledge *k, int64_t *ret, struct fault *why)
{
    int64_t evidence = 0, verdict = 0;
    int rc = evidence_last_step(k, &evidence, why);
    if (rc == 0)
        rc = verdict_last_step(k, &verdict, why);
    if (rc == 0)
        *ret = evidence > verdict ? evidence : verdict;
    return rc;
}

int amend_step(struct amend *a, struct fault *why)
{
    int rc = evidence_of_step(a->k, a->step, amend_evidence, a, why);
    return rc ? rc : verdict_of_step(a->k, a->step, amend_verdict, a, why);
}
