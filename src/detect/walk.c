#include "detect/walk.h"

#include "detect/amend.h"
#include "detect/campaign/campaign.h"
#include "detect/kin.h"
#include "dns/rdata.h"
#include "knowledge/campaign.h"
#include "knowledge/decision.h"
#include "knowledge/evidence.h"
#include "knowledge/funnel.h"
#include "knowledge/indicator.h"
#include "knowledge/memo.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEMO_CAMPAIGNS "campaigns"

/* A strength must change by so much, in nats, for a new ledger row. */
#define ROW_CHANGE 0.5

enum {
    INDICATOR_STEPS = 30 * DAY_STEPS, /* an indicator outlives the last question by so much */
    REASON_BYTES = 1 << 16,
    STATEMENT_BYTES = 512,
    FEATURES_BYTES = 4096,
};

struct walk {
    const struct analysis_options *o;
    struct knowledge *k;
    struct docket *docket;
    struct scene *scene;
    struct campaign_set campaigns;
    struct analysis_summary *sum;
    struct fault *why;

    const struct census *census;
    struct network network; /* at the step */
    uint32_t step;
    struct findings compared; /* of this period's end, by owner, then detector */
    double *confirmed;        /* what counts of each */
    uint64_t checked, blocked;
    struct buffer reason;
    bool any_words; /* an operator has decided something */
    bool provisional; /* judged for the campaigns' sake: nothing is written or remembered yet */
    int64_t amend_until; /* up to here the ledger tells of an earlier walk */
};

static int no_memory(struct fault *why)
{
    return fault_set(why, E_NOMEM, "no memory for verdicts");
}

/* ---- beginning and end ---- */

static int see_words(void *ctx, const struct decision *d, struct fault *why)
{
    (void)d;
    (void)why;
    *(bool *)ctx = true;
    return 1;
}

static int load_campaigns(void *ctx, const char *key, const char *value, struct fault *why)
{
    struct campaign_set *set = ctx;
    size_t len = strlen(value) / 2;
    uint8_t *bytes = malloc(len + 1);
    (void)key;
    if (bytes == NULL)
        return no_memory(why);
    for (size_t i = 0; i < len; i++) {
        char two[3] = { value[2 * i], value[2 * i + 1], '\0' };
        bytes[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    campaign_set_release(set);
    int rc = campaign_set_get(set, (struct slice){ bytes, len }, why);
    free(bytes);
    return rc;
}

static int load(struct walk *w)
{
    int rc = docket_load(w->docket, w->k, w->why);
    if (rc == 0)
        rc = memo_each(w->k, MEMO_CAMPAIGNS, load_campaigns, &w->campaigns, w->why);
    if (rc == 0)
        rc = amend_until(w->k, &w->amend_until, w->why);
    if (rc == 0)
        rc = decision_history(w->k, see_words, &w->any_words, w->why);
    return rc > 0 ? E_OK : rc;
}

int walk_create(struct walk **ret, const struct analysis_options *o, struct knowledge *k, struct store *store,
                struct docket *docket, struct analysis_summary *sum, struct fault *why)
{
    struct walk *w = calloc(1, sizeof *w);
    if (w == NULL)
        return no_memory(why);
    w->o = o;
    w->k = k;
    w->docket = docket;
    w->sum = sum;
    w->why = why;
    findings_init(&w->compared);
    buffer_init(&w->reason, REASON_BYTES);
    campaign_set_init(&w->campaigns);
    int rc = scene_create(&w->scene, store, o->suffixes, why);
    if (rc == 0)
        rc = load(w);
    if (rc != 0)
        walk_destroy(&w);
    else
        *ret = w;
    return rc;
}

void walk_destroy(struct walk **w)
{
    if (*w == NULL)
        return;
    scene_destroy(&(*w)->scene);
    findings_release(&(*w)->compared);
    campaign_set_release(&(*w)->campaigns);
    buffer_release(&(*w)->reason);
    free((*w)->confirmed);
    free(*w);
    *w = NULL;
}

int walk_wanted(struct walk *w, struct wanted **ret, size_t *ret_n, struct fault *why)
{
    struct docket_name *const *names;
    size_t n = docket_names(w->docket, &names);
    struct wanted *wanted = calloc(n + 1, sizeof *wanted);
    if (wanted == NULL)
        return no_memory(why);
    for (size_t i = 0; i < n; i++) {
        uint32_t idle = names[i]->idle_since;
        wanted[i] = (struct wanted){ names[i]->owner, names[i]->watched_since + WALK_WANTED,
                                     idle ? idle + WALK_WANTED - 1 : UINT32_MAX };
    }
    *ret = wanted;
    *ret_n = n;
    return E_OK;
}

int walk_save(struct walk *w, struct fault *why)
{
    struct buffer bytes, text;
    buffer_init(&bytes, SIZE_MAX / 4);
    buffer_init(&text, SIZE_MAX / 4);
    campaign_set_put(&w->campaigns, &bytes);
    for (size_t i = 0; i < bytes.len; i++)
        buffer_printf(&text, "%02x", bytes.ptr[i]);
    buffer_u8(&text, 0);
    int rc = bytes.failed || text.failed ? no_memory(why) : memo_put(w->k, MEMO_CAMPAIGNS, "set", (char *)text.ptr, why);
    buffer_release(&bytes);
    buffer_release(&text);
    return rc ? rc : docket_save(w->docket, w->k, why);
}

int walk_forget(struct knowledge *k, struct fault *why)
{
    static const char *const kinds[] = { "docket", "pending", MEMO_CAMPAIGNS };
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < sizeof kinds / sizeof *kinds; i++)
        rc = memo_clear(k, kinds[i], why);
    return rc ? rc : campaign_forget(k, why);
}

/* The ledger's time of a step is the moment at which it is over. */
static int64_t moment(const struct walk *w)
{
    return (int64_t)w->step + 1;
}

/* ---- evidence ---- */

static const struct detector *detector_at(uint16_t index)
{
    const struct detector *const *all;
    (void)detectors(&all);
    return all[index];
}

/* What alone keeps a name on the docket: it speaks for harm, or for one program. New names and bursts are too many. */
static bool is_charge(uint16_t detector)
{
    enum family family = group_family(detector_at(detector)->group);
    return family == FAMILY_AUTOMATION || family == FAMILY_HARM || family == FAMILY_LEXICAL;
}

static int write_evidence(struct walk *w, const struct docket_name *n, uint16_t detector, struct slice owner, double weight,
                          const char *summary, const char *facts)
{
    char name[NAME_TEXT_MAX];
    const struct detector *d = detector_at(detector);
    int64_t id = 0;
    if (knowledge_name(owner.ptr, owner.len, name) == 0)
        return fault_set(w->why, E_CORRUPT, "a finding is about no name");
    struct evidence e = {
        .name = name,
        .scope = owner.len == n->owner.len ? SCOPE_DOMAIN : SCOPE_HOST,
        .detector = d->name,
        .group = group_text(d->group),
        .step = moment(w),
        .known_at = w->o->now,
        .weight = weight,
        .summary = summary,
        .facts = facts,
    };
    int rc = evidence_add(w->k, &e, &id, w->why);
    w->sum->evidence += id != 0;
    return rc;
}

/* What is said of a domain at a step. */
struct said {
    const struct kept_finding *finding;
    double strength;
};

static int put_row(struct walk *w, struct docket_name *n, const struct said *s)
{
    const struct finding *f = &s->finding->finding;
    uint16_t detector = s->finding->detector;
    const struct docket_row *before = docket_row_find(n, detector, f->owner);
    bool former = before != NULL && before->since < n->figures.registered; /* said of the former registrant: now of this one */
    bool same = before != NULL && !former && fabs(before->weight - s->strength) < ROW_CHANGE && before->weight * s->strength > 0;
    if (same)
        return E_OK;
    struct docket_row row = { detector, f->owner, s->strength, before != NULL && !former ? before->since : w->step, f->peers, f->n_peers };
    int rc = docket_row_put(w->docket, n, &row, w->why);
    return rc ? rc : write_evidence(w, n, detector, f->owner, s->strength, f->summary, f->facts);
}

static int withdraw_row(struct walk *w, struct docket_name *n, struct docket_row row)
{
    row.weight = 0;
    int rc = write_evidence(w, n, row.detector, row.owner, 0, "no longer so", "{}");
    return rc ? rc : docket_row_put(w->docket, n, &row, w->why);
}

static bool is_said(const struct said *said, size_t n, const struct docket_row *row)
{
    for (size_t i = 0; i < n; i++)
        if (said[i].finding->detector == row->detector && slice_compare(said[i].finding->finding.owner, row->owner) == 0)
            return true;
    return false;
}

/* Rows of detectors that spoke and did not repeat it. */
static int withdraw_unsaid(struct walk *w, struct docket_name *n, const struct said *said, size_t n_said, bool compared)
{
    int rc = E_OK;
    for (size_t i = n->n_rows; rc == 0 && i-- > 0;) {
        bool spoke = compared || detector_at(n->rows[i].detector)->compare == NULL;
        if (spoke && !is_said(said, n_said, &n->rows[i]))
            rc = withdraw_row(w, n, n->rows[i]);
    }
    return rc;
}

/* A name enters by a little more than keeps it there, or many would come and go by the hour. */
static bool is_charged(const struct docket_name *n, const struct said *said, size_t n_said, bool compared)
{
    double least = n != NULL && n->n_rows ? FINDING_MIN : FINDING_MIN + ROW_CHANGE;
    for (size_t i = 0; i < n_said; i++)
        if (is_charge(said[i].finding->detector) && said[i].strength >= least)
            return true;
    for (size_t i = 0; !compared && n != NULL && i < n->n_rows; i++) /* what compares names goes on until it speaks again */
        if (detector_at(n->rows[i].detector)->compare != NULL && is_charge(n->rows[i].detector) && n->rows[i].weight > 0)
            return true;
    return false;
}

/* `compared`: what compares names has spoken, too. */
static int apply(struct walk *w, struct slice owner, const struct figures *figures, const struct said *said, size_t n_said,
                 bool compared)
{
    struct docket_name *n = docket_find(w->docket, owner);
    int rc = E_OK;
    bool charged = is_charged(n, said, n_said, compared);
    if (n == NULL && !charged)
        return E_OK;
    if (n == NULL && (n = docket_enter(w->docket, owner, w->step, w->why)) == NULL)
        return E_NOMEM;
    w->checked++;
    if (figures != NULL)
        rc = docket_figures_put(n, figures, w->why);
    if (rc == 0 && !charged)
        return withdraw_unsaid(w, n, NULL, 0, true);
    for (size_t i = 0; rc == 0 && i < n_said; i++)
        rc = put_row(w, n, &said[i]);
    return rc ? rc : withdraw_unsaid(w, n, said, n_said, compared);
}

/* ---- comparing ---- */

static int compare_kept(const void *a, const void *b)
{
    const struct kept_finding *x = a, *y = b;
    int c = slice_compare(x->domain, y->domain);
    if (c == 0)
        c = slice_compare(x->finding.owner, y->finding.owner);
    return c ? c : (x->detector > y->detector) - (x->detector < y->detector);
}

/* Findings about a host belong to its registered domain. */
static bool place_domains(struct walk *w)
{
    for (size_t i = 0; i < w->compared.n; i++) {
        struct kept_finding *k = &w->compared.kept[i];
        size_t registered = suffix_find(w->o->suffixes, k->finding.owner.ptr, k->finding.owner.len).registered;
        uint8_t key[NAME_KEY_MAX];
        if (registered == 0 || registered + 1 >= k->finding.owner.len)
            continue;
        memcpy(key, k->finding.owner.ptr, registered);
        key[registered] = 0;
        uint8_t *domain = arena_alloc(&w->compared.memory, registered + 1);
        if (domain == NULL)
            return false;
        k->domain = (struct slice){ memcpy(domain, key, registered + 1), registered + 1 };
    }
    return true;
}

static int compare_panel(struct walk *w, const struct inspected_panel *in)
{
    struct panel panel = { in->portraits, in->n, w->step };
    const struct detector *const *all;
    size_t n = detectors(&all);
    int rc = E_OK;
    findings_clear(&w->compared);
    w->compared.domain = (struct slice){ NULL, 0 };
    w->compared.step = w->step;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (all[i]->compare == NULL || (w->o->without != NULL && strcmp(w->o->without, all[i]->name) == 0))
            continue;
        w->compared.detector = (uint16_t)i;
        rc = all[i]->compare(&panel, w->scene, &w->compared, w->why);
    }
    if (rc == 0 && (w->compared.failed || !place_domains(w)))
        rc = no_memory(w->why);
    if (rc != 0)
        return rc;
    if (w->compared.n)
        qsort(w->compared.kept, w->compared.n, sizeof *w->compared.kept, compare_kept);
    free(w->confirmed);
    w->confirmed = calloc(w->compared.n + 1, sizeof *w->confirmed);
    return w->confirmed == NULL ? no_memory(w->why)
                                : docket_confirm(w->docket, w->compared.kept, w->compared.n, w->confirmed, w->why);
}

/* ---- judging ---- */

static enum word word_of_action(enum decision_action action)
{
    switch (action) {
    case DECISION_ALLOW: return WORD_ALLOW;
    case DECISION_BLOCK: return WORD_BLOCK;
    case DECISION_FEEDBACK: return WORD_OBJECTION;
    default: return WORD_NONE;
    }
}

static int take_word(void *ctx, const struct decision *d, struct fault *why)
{
    (void)why;
    *(enum word *)ctx = word_of_action(d->action);
    return E_OK;
}

static int find_word(struct walk *w, const char *name, enum word *ret)
{
    *ret = WORD_NONE;
    int rc = w->any_words ? decision_covering(w->k, name, w->o->now, take_word, ret, w->why) : E_OK;
    return rc == 0 && w->any_words && *ret == WORD_NONE ? decision_objection(w->k, name, w->o->now, take_word, ret, w->why)
                                                        : rc;
}

static uint32_t popular_rank(const struct walk *w, struct slice owner)
{
    for (size_t i = 0; i < w->network.n_popular; i++)
        if (slice_compare(w->network.popular[i].owner, owner) == 0)
            return (uint32_t)i + 1;
    return 0;
}

static int fill_hosts(struct walk *w, const struct docket_name *n, struct standing_host *hosts)
{
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < n->figures.n_hosts; i++) {
        const struct figures_host *h = &n->figures.hosts[i];
        char name[NAME_TEXT_MAX];
        enum word word = WORD_NONE;
        if (w->any_words && knowledge_name(h->owner.ptr, h->owner.len, name))
            rc = find_word(w, name, &word);
        hosts[i] = (struct standing_host){ h->owner, h->first, h->clients, h->queries, word == WORD_ALLOW };
    }
    return rc;
}

static void fill_rows(const struct docket_name *n, struct standing_row *rows)
{
    for (size_t i = 0; i < n->n_rows; i++) {
        const struct docket_row *r = &n->rows[i];
        const struct detector *d = detector_at(r->detector);
        rows[i] = (struct standing_row){ d->name, d->group, r->weight, r->since, r->owner, r->peers, r->n_peers, d->hosts_alone };
    }
}

static int fill_standing(struct walk *w, const struct docket_name *n, struct standing *s)
{
    struct suffix_match match = suffix_find(w->o->suffixes, n->owner.ptr, n->owner.len);
    const struct campaign_tie *tie = campaign_tie_of(&w->campaigns, n->owner);
    *s = (struct standing){
        .domain = n->owner,
        .step = w->step,
        .rows = s->rows,
        .n_rows = n->n_rows,
        .before = n->memory,
        .first = n->figures.first,
        .last_asked = n->figures.last_asked,
        .registered = n->figures.registered,
        .popular_rank = popular_rank(w, n->owner),
        .broad_days = n->figures.broad_days,
        .public_suffix = match.registered == 0,
        .shared_parent = !match.whole,
        .network_clients = w->network.clients,
        .clients = n->figures.clients,
        .queries = n->figures.queries,
        .hosts = s->hosts,
        .n_hosts = n->figures.n_hosts,
    };
    if (tie != NULL)
        s->campaign = (struct standing_campaign){ tie->strength, tie->harm };
    return find_word(w, n->name, &s->word);
}

static int write_features(struct walk *w, const struct docket_name *n, const struct standing *s, const struct judgement *j)
{
    struct buffer line;
    buffer_init(&line, FEATURES_BYTES);
    judgement_put_features(j, s, n->figures.first, &line);
    bool written = !line.failed && fwrite(line.ptr, 1, line.len, w->o->features) == line.len;
    buffer_release(&line);
    return written ? E_OK : fault_set(w->why, E_IO, "features cannot be written");
}

/* ---- verdicts and indicators ---- */

static struct docket_verdict *verdict_of(struct docket_name *n, struct slice owner)
{
    for (size_t i = 0; i < n->n_verdicts; i++)
        if (slice_compare(n->verdicts[i].owner, owner) == 0)
            return &n->verdicts[i];
    return NULL;
}

static struct docket_verdict *verdict_place(struct walk *w, struct docket_name *n, struct slice owner)
{
    struct docket_verdict *v = verdict_of(n, owner);
    if (v != NULL)
        return v;
    if (n->n_verdicts == n->verdicts_room) {
        size_t room = n->verdicts_room ? 2 * n->verdicts_room : 2;
        struct docket_verdict *more = reallocarray(n->verdicts, room, sizeof *more);
        if (more == NULL)
            return NULL;
        n->verdicts = more;
        n->verdicts_room = room;
    }
    v = &n->verdicts[n->n_verdicts];
    *v = (struct docket_verdict){ .owner = docket_copy(w->docket, owner), .level = VERDICT_BENIGN };
    return v->owner.ptr == NULL ? NULL : &n->verdicts[n->n_verdicts++];
}

/* What kind of harm, by the strongest group. */
static const char *category_of(const struct judgement *j)
{
    static const char *const categories[GROUPS] = {
        [GROUP_LABELS] = "[\"malware\"]",         [GROUP_DEMAND] = "[\"malware\"]",  [GROUP_LOOK_ALIKE] = "[\"phishing\"]",
        [GROUP_ANSWER] = "[\"malware\"]",         [GROUP_VOLUME] = "[\"tunnel\"]",
        [GROUP_INFRASTRUCTURE] = "[\"malware\"]", [GROUP_EXTERNAL] = "[\"reported\"]",
    };
    const char *category = "[\"suspicious\"]";
    double most = 0;
    for (unsigned g = 0; g < GROUPS; g++)
        if (categories[g] != NULL && j->contribution[g].part > most) {
            most = j->contribution[g].part;
            category = categories[g];
        }
    return category;
}

static int write_indicator(struct walk *w, const struct docket_name *n, struct docket_verdict *v, const struct judgement *j,
                           const char *name, enum scope scope)
{
    bool block = v->level >= VERDICT_HIGH_RISK;
    uint32_t valid_until = (n->figures.last_asked > w->step ? w->step : n->figures.last_asked) + INDICATOR_STEPS;
    char reason[STATEMENT_BYTES];
    if (!block && v->valid_until == 0)
        return E_OK;
    if (block && v->valid_until / DAY_STEPS == valid_until / DAY_STEPS)
        return E_OK;
    snprintf(reason, sizeof reason, "%s: %s", verdict_level_text(v->level), decided_text(j->decided));
    struct indicator i = {
        .name = name,
        .scope = scope,
        .level = v->level,
        .score = j->score,
        .categories = category_of(j),
        .family = "",
        .campaign = v->campaign,
        .first_seen = (int64_t)n->figures.first * STEP_S,
        .decided_at = moment(w),
        .valid_until = (int64_t)(block ? valid_until : w->step + 1) * STEP_S,
        .state = block ? INDICATOR_ACTIVE : j->decided == DECIDED_ALLOWED ? INDICATOR_WITHDRAWN : INDICATOR_EXPIRED,
        .reason = reason,
    };
    v->valid_until = block ? valid_until : 0;
    return indicator_put(w->k, &i, step_end_s(w->step), "dnsmon", w->why);
}

static int write_verdict(struct walk *w, struct docket_name *n, struct slice owner, enum verdict_level level,
                         const struct judgement *j)
{
    char name[NAME_TEXT_MAX];
    enum scope scope = owner.len == n->owner.len ? SCOPE_DOMAIN : SCOPE_HOST;
    struct docket_verdict *v = verdict_place(w, n, owner);
    int64_t id = 0;
    int rc = E_OK;
    if (v == NULL || knowledge_name(owner.ptr, owner.len, name) == 0)
        return no_memory(w->why);
    if (v->level != level || v->campaign != n->campaign) {
        struct verdict row = {
            .name = name, .scope = scope, .level = level, .score = j->score, .decided_at = moment(w),
            .known_at = w->o->now, .campaign = n->campaign, .reason = (const char *)w->reason.ptr,
        };
        if (level >= VERDICT_HIGH_RISK && v->level < VERDICT_HIGH_RISK)
            w->blocked++;
        v->level = level;
        v->campaign = n->campaign;
        n->unsaved = true;
        rc = verdict_add(w->k, &row, &id, w->why);
        w->sum->verdicts += id != 0;
    }
    return rc ? rc : write_indicator(w, n, v, j, name, scope);
}

static bool is_named(const struct judgement *j, struct slice owner)
{
    for (unsigned i = 0; i < j->n_hosts; i++)
        if (slice_compare(j->hosts[i], owner) == 0)
            return true;
    return false;
}

/* The domain as a whole, or hosts of it; then the domain is no more than watched. */
static int write_verdicts(struct walk *w, struct docket_name *n, const struct judgement *j)
{
    bool hosts = j->scope == SCOPE_HOST;
    enum verdict_level whole = hosts && j->level > VERDICT_WATCH ? VERDICT_WATCH : j->level;
    int rc = E_OK;
    if (whole != VERDICT_BENIGN || n->n_verdicts)
        rc = write_verdict(w, n, n->owner, whole, j);
    for (unsigned i = 0; rc == 0 && hosts && i < j->n_hosts; i++)
        rc = write_verdict(w, n, j->hosts[i], j->level, j);
    for (size_t i = 0; rc == 0 && i < n->n_verdicts; i++)
        if (n->verdicts[i].owner.len != n->owner.len && n->verdicts[i].level != VERDICT_BENIGN &&
            !(hosts && is_named(j, n->verdicts[i].owner)))
            rc = write_verdict(w, n, n->verdicts[i].owner, VERDICT_BENIGN, j);
    return rc;
}

/* What was judged is written and remembered. */
static int settle(struct walk *w, struct docket_name *n, const struct standing *s, const struct judgement *j)
{
    int rc = w->o->features != NULL ? write_features(w, n, s, j) : E_OK;
    buffer_clear(&w->reason);
    judgement_put(j, s, w->o->weights, &w->reason);
    buffer_u8(&w->reason, 0);
    n->unsaved |= memcmp(&n->memory, &j->after, sizeof j->after) != 0;
    n->memory = j->after;
    n->changed = false;
    if (rc == 0)
        rc = w->reason.failed ? no_memory(w->why) : write_verdicts(w, n, j);
    bool idle = rc == 0 && docket_is_idle(n);
    if (idle != (n->idle_since != 0)) {
        n->idle_since = idle ? w->step : 0;
        n->unsaved = true;
    }
    return rc;
}

/* Whether another domain that points into this one says that it is infrastructure: an old one, with nothing against it. */
static int is_dependent(struct walk *w, const struct docket_name *n, struct slice other, bool *ret)
{
    const struct docket_name *told = docket_find(w->docket, other);
    uint32_t first_s = 0;
    *ret = false;
    if (slice_compare(other, n->owner) == 0 || (told != NULL && told->memory.level >= VERDICT_SUSPICIOUS))
        return E_OK;
    int rc = scene_first(w->scene, other, true, &first_s, w->why);
    *ret = kin_old(w->scene, first_s);
    return rc;
}

/* Of the kind of pointer that most have; of those that the scene tells by name. */
static int count_dependents(struct walk *w, const struct docket_name *n, uint32_t *ret)
{
    static const uint16_t types[] = { TYPE_NS, TYPE_MX, TYPE_CNAME };
    *ret = 0;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        struct scene_owners at;
        uint32_t dependents = 0;
        int rc = scene_pointers_below(w->scene, types[t], n->owner, &at, w->why);
        for (unsigned i = 0; rc == 0 && i < at.n; i++) {
            bool one;
            rc = is_dependent(w, n, at.owners[i].owner, &one);
            dependents += rc == 0 && one;
        }
        if (rc != 0)
            return rc;
        *ret = dependents > *ret ? dependents : *ret;
    }
    return E_OK;
}

/* What others depend on is looked up for what would be blocked whole only: it takes a while. */
static int judge_standing(struct walk *w, const struct docket_name *n, struct standing *s, struct judgement *ret)
{
    verdict_judge(s, w->o->weights, ret);
    if (ret->level < VERDICT_HIGH_RISK || ret->scope != SCOPE_DOMAIN || ret->by_operator)
        return E_OK;
    int rc = count_dependents(w, n, &s->dependents);
    if (rc == 0 && s->dependents > 0)
        verdict_judge(s, w->o->weights, ret);
    return rc;
}

static int judge(struct walk *w, struct docket_name *n)
{
    struct standing_host hosts[FIGURES_HOSTS];
    struct standing_row *rows = calloc(n->n_rows + 1, sizeof *rows);
    struct standing s = { .rows = rows, .hosts = hosts };
    static _Thread_local struct judgement j;
    if (rows == NULL)
        return no_memory(w->why);
    fill_rows(n, rows);
    int rc = fill_standing(w, n, &s);
    if (rc == 0)
        rc = fill_hosts(w, n, hosts);
    if (rc == 0)
        rc = judge_standing(w, n, &s, &j);
    if (rc == 0) {
        n->passes_on = j.passes_on;
        n->apart = j.exonerated || j.scope_why == SCOPE_WHY_INFRASTRUCTURE || s.word == WORD_ALLOW;
    }
    if (rc == 0 && !w->provisional)
        rc = settle(w, n, &s, &j);
    free(rows);
    return rc;
}

static int judge_all(struct walk *w, bool period_end)
{
    struct docket_name *const *names;
    size_t n = docket_names(w->docket, &names);
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (names[i]->changed || (period_end && names[i]->idle_since == 0))
            rc = judge(w, names[i]);
    return rc;
}

/* ---- campaigns ---- */

static bool connects(enum group g)
{
    return g == GROUP_COHORT || g == GROUP_CURVE || g == GROUP_LABELS || g == GROUP_INFRASTRUCTURE;
}

static size_t count_links(struct docket_name *const *names, size_t n)
{
    size_t links = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < names[i]->n_rows; r++)
            links += names[i]->rows[r].n_peers;
    return links;
}

static void fill_links(const struct docket_name *n, struct campaign_link *links, size_t *at)
{
    for (size_t r = 0; r < n->n_rows; r++) {
        const struct docket_row *row = &n->rows[r];
        enum group g = detector_at(row->detector)->group;
        for (unsigned p = 0; connects(g) && row->weight > 0 && p < row->n_peers; p++)
            links[(*at)++] = (struct campaign_link){ n->owner, row->peers[p], g, row->weight };
    }
}

/* The number by which the ledger knows a campaign. */
static int campaign_number(struct walk *w, uint64_t identity, int64_t *ret)
{
    char text[32], title[48];
    snprintf(text, sizeof text, "%016" PRIx64, identity);
    snprintf(title, sizeof title, "campaign %.8s", text);
    return campaign_get(w->k, text, moment(w), title, ret, w->why);
}

static void change_text(const struct walk *w, const struct campaign_change *c, char text[STATEMENT_BYTES])
{
    char peer[NAME_TEXT_MAX] = "";
    size_t len = 0;
    (void)w;
    if (c->peer.len)
        (void)knowledge_name(c->peer.ptr, c->peer.len, peer);
    len += (size_t)snprintf(text, STATEMENT_BYTES, "tied to %.255s by", peer);
    for (unsigned g = 0; g < GROUPS && len < STATEMENT_BYTES - 64; g++)
        if (c->groups & 1u << g)
            len += (size_t)snprintf(text + len, STATEMENT_BYTES - len, " %s", group_text((enum group)g));
    snprintf(text + len, STATEMENT_BYTES - len, ", %.1f nats", c->strength);
}

static int write_change(struct walk *w, const struct campaign_change *c)
{
    char name[NAME_TEXT_MAX] = "", because[STATEMENT_BYTES];
    int64_t id = 0, other = 0;
    int rc = campaign_number(w, c->campaign, &id);
    if (rc != 0)
        return rc;
    if (c->name.len)
        (void)knowledge_name(c->name.ptr, c->name.len, name);
    switch (c->kind) {
    case CAMPAIGN_JOINED:
        change_text(w, c, because);
        return campaign_join(w->k, id, name, moment(w), because, w->why);
    case CAMPAIGN_LEFT:
        return campaign_leave(w->k, id, name, moment(w), w->why);
    case CAMPAIGN_MERGED:
        rc = campaign_number(w, c->other, &other);
        return rc || id == other ? rc : campaign_merge(w->k, id, other, moment(w), "their names are tied to one another", w->why);
    default:
        return E_OK;
    }
}

static int number_members(struct walk *w, struct docket_name *const *names, size_t n)
{
    int rc = E_OK;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct campaign_body *body = campaign_with(&w->campaigns, names[i]->owner);
        int64_t id = 0;
        if (body != NULL)
            rc = campaign_number(w, body->identity, &id);
        if (rc == 0 && names[i]->campaign != id) {
            names[i]->campaign = id;
            names[i]->changed = names[i]->unsaved = true;
        }
    }
    return rc;
}

static int update_campaigns(struct walk *w)
{
    struct docket_name *const *names;
    size_t n = docket_names(w->docket, &names), at = 0;
    struct campaign_name *known = calloc(n + 1, sizeof *known);
    struct campaign_link *links = calloc(count_links(names, n) + 1, sizeof *links);
    struct campaign_set next;
    int rc = known == NULL || links == NULL ? no_memory(w->why) : E_OK;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        known[i] = (struct campaign_name){
            .name = names[i]->owner,
            .active = w->step - names[i]->figures.last_asked < PERIOD_STEPS,
            .apart = names[i]->apart,
            .blocked = names[i]->passes_on,
        };
        fill_links(names[i], links, &at);
    }
    struct campaign_period period = { w->step, known, n, links, at };
    campaign_set_init(&next);
    if (rc == 0)
        rc = campaign_update(&w->campaigns, &period, &next, w->why);
    for (size_t i = 0; rc == 0 && i < next.n_changes; i++)
        rc = write_change(w, &next.changes[i]);
    free(known);
    free(links);
    if (rc != 0) {
        campaign_set_release(&next);
        return rc;
    }
    campaign_set_release(&w->campaigns);
    w->campaigns = next;
    w->sum->refused_edges += next.refused;
    return number_members(w, names, n);
}

/* Names with a tie to a campaign are judged whether anything else of them changed or not. */
static void mark_tied(struct walk *w)
{
    for (size_t i = 0; i < w->campaigns.n_ties; i++) {
        struct docket_name *n = docket_find(w->docket, w->campaigns.ties[i].name);
        if (n != NULL)
            n->changed = true;
    }
}

/* ---- steps ---- */

/* Those of a name of which only comparing speaks are the panel's. */
static const struct figures *figures_of(const struct examined *e, const struct inspected_panel *in)
{
    size_t low = 0, high = in->n;
    if (e->figures != NULL)
        return e->figures;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (slice_compare(in->portraits[middle]->owner, e->owner) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < in->n && slice_compare(in->portraits[low]->owner, e->owner) == 0 ? in->figures[low] : NULL;
}

/* What was said of a domain by examining it and, at the end of a period, by comparing. Both in the order of owners. */
static int apply_examined(struct walk *w, const struct examined *e, const struct inspected_panel *in, size_t *at_compared, bool compared)
{
    size_t n_compared = 0, n = 0;
    while (*at_compared < w->compared.n && compared && slice_compare(w->compared.kept[*at_compared].domain, e->owner) < 0)
        ++*at_compared; /* of names that are not in the panel */
    while (compared && *at_compared + n_compared < w->compared.n &&
           slice_compare(w->compared.kept[*at_compared + n_compared].domain, e->owner) == 0)
        n_compared++;
    struct said *said = calloc(e->n_findings + n_compared + 1, sizeof *said);
    if (said == NULL)
        return no_memory(w->why);
    for (size_t i = 0; i < e->n_findings; i++)
        said[n++] = (struct said){ &e->findings[i], e->findings[i].finding.strength };
    for (size_t i = *at_compared; i < *at_compared + n_compared; i++)
        if (fabs(w->confirmed[i]) >= FINDING_MIN)
            said[n++] = (struct said){ &w->compared.kept[i], w->confirmed[i] };
    *at_compared += n_compared;
    int rc = apply(w, e->owner, compared ? figures_of(e, in) : e->figures, said, n, compared);
    free(said);
    return rc;
}

/* Of hours in which something was asked for: a packet of a wrong clock leaves years of the others. */
static int write_funnel(struct walk *w)
{
    const struct census_step *s = &w->census->steps[w->step - w->census->from];
    if (s->names == 0 && w->checked == 0 && w->blocked == 0)
        return E_OK;
    int rc = funnel_put(w->k, moment(w), FUNNEL_MESSAGES, "", s->messages, w->why);
    if (rc == 0)
        rc = funnel_put(w->k, moment(w), FUNNEL_NAMES, "", s->names, w->why);
    for (unsigned i = 0; rc == 0 && i < SCREENS; i++)
        if (i != SCREEN_CANDIDATE && s->screened[i])
            rc = funnel_put(w->k, moment(w), FUNNEL_CLEANED, screen_text((enum screen)i), s->screened[i], w->why);
    if (rc == 0)
        rc = funnel_put(w->k, moment(w), FUNNEL_CANDIDATES, "", s->screened[SCREEN_CANDIDATE], w->why);
    if (rc == 0)
        rc = funnel_put(w->k, moment(w), FUNNEL_CHECKED, "", w->checked, w->why);
    if (rc == 0)
        rc = funnel_put(w->k, moment(w), FUNNEL_BLOCKED, "", w->blocked, w->why);
    w->sum->blocked += w->blocked;
    return rc;
}

/* Campaigns grow by what their names are judged, and names by their campaigns: so they are judged without it first, and then for good. */
static int end_period(struct walk *w)
{
    w->provisional = true;
    int rc = judge_all(w, true);
    w->provisional = false;
    if (rc == 0)
        rc = update_campaigns(w);
    if (rc != 0)
        return rc;
    mark_tied(w);
    rc = judge_all(w, true);
    if (rc == 0)
        docket_remove_idle(w->docket, w->step > WALK_WANTED ? w->step - WALK_WANTED : 0);
    return rc;
}

static int amend(struct walk *w)
{
    struct amend a = { w->k, w->docket, w->o->suffixes, moment(w), w->o->now, 0, 0 };
    int rc = moment(w) <= w->amend_until ? amend_step(&a, w->why) : E_OK;
    w->sum->evidence += a.evidence;
    w->sum->verdicts += a.verdicts;
    return rc;
}

static int walk_step(struct walk *w, const struct inspection *in, size_t *at)
{
    bool ends = step_ends_period(w->step);
    size_t panel = (w->step - w->census->from) / PERIOD_STEPS, at_compared = 0;
    int rc = E_OK;
    w->network = census_network(w->census, w->step);
    scene_at(w->scene, w->step, &w->network);
    w->checked = w->blocked = 0;
    if (ends)
        rc = compare_panel(w, &in->panels[panel]);
    for (; rc == 0 && *at < in->n_examined && in->examined[*at].step == w->step; ++*at)
        rc = apply_examined(w, &in->examined[*at], &in->panels[panel], &at_compared, ends);
    if (rc == 0)
        rc = ends ? end_period(w) : judge_all(w, false);
    if (rc == 0)
        rc = amend(w);
    return rc ? rc : write_funnel(w);
}

int walk_steps(struct walk *w, const struct census *census, const struct inspection *inspection, struct fault *why)
{
    size_t at = 0;
    int rc = E_OK;
    w->census = census;
    w->why = why;
    for (w->step = census->from; rc == 0 && w->step <= census->to; w->step++)
        rc = walk_step(w, inspection, &at);
    w->sum->campaigns = (uint32_t)w->campaigns.n;
    return rc;
}
