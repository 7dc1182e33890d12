/* In order: values of groups, families, score, what the evidence says, falling slowly, limits from above. Limits come last, so
 * that what protects from false blocks does not wait. */
#include "detect/verdict/judge.h"

#include <math.h>

#include "detect/step.h"
#include "detect/verdict/inside.h"

const char *decided_text(enum decided decided)
{
#define XX(id, text) text,
    static const char *const texts[] = { DECIDED_MAP(XX) };
#undef XX
    return texts[decided];
}

static double fade_of(const struct standing *s, const struct verdict_weights *w)
{
    double days = s->last_asked < s->step ? (s->step - s->last_asked) / (double)DAY_STEPS : 0;
    return days <= w->rule.fade_days ? 1 : exp2(-(days - w->rule.fade_days) / w->rule.fade_half_days);
}

/* What is said of who owns a domain, and not of who asks for it. */
static bool about_registrant(enum group group)
{
    return group == GROUP_ANSWER || group == GROUP_INFRASTRUCTURE || group == GROUP_STANDING || group == GROUP_SERVICE ||
           group == GROUP_ANCHOR;
}

static bool is_allowed_host(const struct standing *s, struct slice owner)
{
    for (size_t i = 0; i < s->n_hosts; i++)
        if (s->hosts[i].allowed && slice_compare(s->hosts[i].owner, owner) == 0)
            return true;
    return false;
}

double row_weight(const struct standing *s, const struct standing_row *row, double fade)
{
    bool against = group_family(row->group) == FAMILY_AGAINST;
    if (about_registrant(row->group) && row->since < s->registered)
        return 0;
    if (!against && is_allowed_host(s, row->owner))
        return 0;
    double strength = against ? -row->strength : row->group == GROUP_EXTERNAL ? row->strength : row->strength * fade;
    return fmax(strength, 0);
}

/* Of equals, the same whatever their order. */
static bool row_before(const struct standing_row *a, const struct standing_row *b)
{
    int c = strcmp(a->detector, b->detector);
    return (c ? c : slice_compare(a->owner, b->owner)) < 0;
}

static void gather(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct standing_row *row = &s->rows[i];
        struct contribution *c = &j->contribution[row->group];
        double x = row_weight(s, row, j->fade);
        if (x > c->x || (x > 0 && x == c->x && row_before(row, c->row)))
            *c = (struct contribution){ .x = x, .row = row };
    }
    j->contribution[JUDGED_CAMPAIGN].x = s->campaign.strength * j->fade;
    for (unsigned g = 0; g < JUDGED_GROUPS; g++) {
        struct contribution *c = &j->contribution[g];
        c->x = fmin(c->x, w->cap[g]);
        c->part = w->weight[g] * c->x;
        if (g != JUDGED_CAMPAIGN && group_family((enum group)g) == FAMILY_AGAINST)
            c->part = -c->part;
    }
}

static double score_without(const struct judgement *j, const struct verdict_weights *w, uint32_t left_out)
{
    double z = w->intercept;
    for (unsigned g = 0; g < JUDGED_GROUPS; g++)
        if (!(left_out >> g & 1))
            z += j->contribution[g].part;
    return 1 / (1 + exp(-z));
}

/* What speaks for a domain does not speak for hosts that somebody else has put below it. */
static void forget_domain(struct judgement *j)
{
    static const enum group about_domain[] = { GROUP_STANDING, GROUP_HUMAN };
    for (size_t i = 0; i < sizeof about_domain / sizeof *about_domain; i++)
        j->contribution[about_domain[i]] = (struct contribution){ .x = 0 };
}

/* The bit of the family to which a group counts; 0 for novelty, lexical and what speaks against. */
static uint32_t family_bit(enum group group)
{
    switch (group_family(group)) {
    case FAMILY_AUTOMATION:
        return 1u << GROUP_RHYTHM;
    case FAMILY_BURST:
    case FAMILY_HARM:
        return 1u << group;
    default:
        return 0;
    }
}

static uint32_t own_families(const struct judgement *j, const struct verdict_weights *w)
{
    uint32_t bits = 0;
    for (unsigned g = 0; g < GROUPS; g++)
        if (j->contribution[g].x >= w->rule.family_min)
            bits |= family_bit((enum group)g);
    return bits;
}

static uint32_t campaign_family(const struct standing *s, const struct judgement *j, const struct verdict_weights *w, uint32_t own)
{
    bool counts = s->campaign.harm && own != 0 && j->contribution[JUDGED_CAMPAIGN].x >= w->rule.family_min;
    return counts ? 1u << GROUP_INFRASTRUCTURE : 0;
}

static bool families_enough(uint32_t families)
{
    uint32_t not_harm = 1u << GROUP_RHYTHM | 1u << GROUP_BURST;
    return __builtin_popcount(families) >= 2 && (families & ~not_harm) != 0;
}

static bool is_conclusive(const struct standing *s, const struct judgement *j, const struct verdict_weights *w)
{
    for (size_t i = 0; i < s->n_rows; i++)
        for (unsigned d = 0; d < w->n_conclusive; d++)
            if (strcmp(s->rows[i].detector, w->conclusive[d].detector) == 0 &&
                group_family(s->rows[i].group) == FAMILY_HARM &&
                row_weight(s, &s->rows[i], j->fade) >= w->conclusive[d].strength)
                return true;
    return false;
}

static enum verdict_level level_of(const struct verdict_weights *w, double score)
{
    unsigned l = VERDICT_HIGH_RISK;
    while (l > VERDICT_BENIGN && score < w->level[l])
        l--;
    return (enum verdict_level)l;
}

/* Without external evidence: at most high_risk. */
static enum verdict_level traffic_says(const struct standing *s, const struct judgement *j, const struct verdict_weights *w,
                                       bool with_campaign, enum decided *ret_decided)
{
    uint32_t left_out = with_campaign ? 0 : 1u << JUDGED_CAMPAIGN;
    uint32_t own = own_families(j, w), families = own | (with_campaign ? campaign_family(s, j, w, own) : 0);
    enum verdict_level level = level_of(w, score_without(j, w, left_out));
    *ret_decided = DECIDED_SCORE;
    if (level >= VERDICT_SUSPICIOUS && is_conclusive(s, j, w)) {
        *ret_decided = DECIDED_CONCLUSIVE;
        return VERDICT_HIGH_RISK;
    }
    if (level < VERDICT_HIGH_RISK)
        return level;
    if (!families_enough(families))
        *ret_decided = DECIDED_FEW_FAMILIES;
    else if (score_without(j, w, left_out | 1u << GROUP_LEXICAL) < w->level[VERDICT_HIGH_RISK])
        *ret_decided = DECIDED_LEXICAL;
    else
        *ret_decided = DECIDED_FAMILIES;
    return *ret_decided == DECIDED_FAMILIES ? VERDICT_HIGH_RISK : VERDICT_SUSPICIOUS;
}

static enum verdict_level evidence_says(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    const struct contribution *external = &j->contribution[GROUP_EXTERNAL];
    enum decided aside;
    enum verdict_level level = traffic_says(s, j, w, true, &j->decided);
    j->passes_on = traffic_says(s, j, w, false, &aside) == VERDICT_HIGH_RISK;
    if (external->x == 0 || external->row->since < s->registered)
        return level;
    if (external->x >= w->rule.external_min)
        j->decided = DECIDED_EXTERNAL;
    else if (level == VERDICT_HIGH_RISK)
        j->decided = DECIDED_CONFIRMED;
    else
        return level;
    j->passes_on = true;
    return VERDICT_MALICIOUS;
}

/* One level at a time, each after some time below. What was said of hosts alone is not held: it would fall upon the whole domain. */
static enum verdict_level fall_slowly(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    struct verdict_memory m = s->before;
    bool anew = m.since < s->registered, only_hosts = m.scope == SCOPE_HOST && j->scope == SCOPE_DOMAIN;
    m.scope = j->scope;
    if (j->unheld >= m.level || anew || only_hosts) {
        m.since = j->unheld == m.level && m.since ? m.since : s->step;
        m.level = j->unheld;
        m.below_since = 0;
    } else if (m.below_since == 0) {
        m.below_since = s->step;
    } else if (s->step - m.below_since >= w->rule.fall_hours) {
        m.level--;
        m.since = s->step;
        m.below_since = m.level > j->unheld ? s->step : 0;
    }
    if (m.level > j->unheld)
        j->decided = DECIDED_HELD;
    j->after = m;
    return m.level;
}

static void limit(struct judgement *j, enum verdict_level most, enum decided decided)
{
    if (j->level <= most)
        return;
    j->level = most;
    j->passes_on &= most >= VERDICT_HIGH_RISK;
    j->decided = decided;
}

/* What was under suspicion before it became popular is not exonerated by that: a program that goes on asking makes it so. */
static bool is_popular(const struct standing *s, const struct verdict_weights *w)
{
    const struct verdict_memory *m = &s->before;
    bool suspect = m->level >= VERDICT_HIGH_RISK ||
                   (m->level == VERDICT_SUSPICIOUS && m->since < s->first + w->rule.popular_days * DAY_STEPS);
    return !suspect && s->popular_rank != 0 && s->broad_days >= w->rule.popular_days && s->network_clients != 0 &&
           s->clients >= w->rule.popular_share * s->network_clients;
}

static bool hits_many(const struct standing *s, const struct verdict_weights *w, const struct judgement *j)
{
    return j->hit_clients >= w->rule.blast_clients && j->hit_clients >= w->rule.blast_share * s->network_clients;
}

static void exonerate(const struct standing *s, const struct verdict_weights *w, struct judgement *j, enum decided decided)
{
    if (!scope_external_hosts(s, w, j)) {
        limit(j, VERDICT_WATCH, decided);
        return;
    }
    j->level = VERDICT_MALICIOUS;
    j->passes_on = false; /* the domain is somebody else's */
    j->decided = DECIDED_EXONERATED_HOSTS;
}

static void apply_limits(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    bool anchored = j->contribution[GROUP_ANCHOR].x >= w->rule.exonerate_anchor;
    j->exonerated = anchored || is_popular(s, w);
    if (j->exonerated)
        exonerate(s, w, j, anchored ? DECIDED_ANCHORED : DECIDED_POPULAR);
    if (s->word == WORD_OBJECTION)
        limit(j, VERDICT_SUSPICIOUS, DECIDED_OBJECTED);
    if (hits_many(s, w, j) && j->contribution[GROUP_EXTERNAL].x == 0)
        limit(j, VERDICT_SUSPICIOUS, DECIDED_BLAST);
    if (j->scope == SCOPE_HOST && j->n_hosts == 0) {
        limit(j, VERDICT_SUSPICIOUS, DECIDED_NOT_WHOLE);
        j->scope = SCOPE_DOMAIN; /* not enforced, so it may be said of the whole */
    }
}

static void obey(const struct standing *s, struct judgement *j)
{
    bool allow = s->word == WORD_ALLOW;
    j->by_operator = true;
    j->passes_on = !allow;
    j->decided = allow ? DECIDED_ALLOWED : DECIDED_BLOCKED;
    j->level = j->unheld = allow ? VERDICT_BENIGN : VERDICT_MALICIOUS;
    j->scope = SCOPE_DOMAIN;
    j->scope_why = SCOPE_WHY_ABOUT_DOMAIN;
    j->n_hosts = 0;
    j->hit_clients = s->clients;
    j->hit_queries = s->queries;
    j->after = (struct verdict_memory){ .since = s->step }; /* a word taken back leaves nothing that would have to fall */
}

void verdict_judge(const struct standing *s, const struct verdict_weights *w, struct judgement *ret)
{
    struct judgement j = { .fade = fade_of(s, w) };
    gather(s, w, &j);
    scope_choose(s, w, &j);
    if (j.scope_why == SCOPE_WHY_OTHERS)
        forget_domain(&j);
    uint32_t own = own_families(&j, w);
    j.families = own | campaign_family(s, &j, w, own);
    j.score = score_without(&j, w, 0);
    if (s->word == WORD_ALLOW || s->word == WORD_BLOCK) {
        obey(s, &j);
    } else {
        j.unheld = evidence_says(s, w, &j);
        j.level = fall_slowly(s, w, &j);
        apply_limits(s, w, &j);
    }
    *ret = j;
}

unsigned judgement_families(const struct judgement *j)
{
    return (unsigned)__builtin_popcount(j->families);
}
