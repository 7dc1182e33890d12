/* What would be blocked: the domain whole or some of its hosts, and who would have been hit. */
#include <math.h>

#include "detect/step.h"
#include "detect/verdict/inside.h"

const char *scope_why_text(enum scope_why why)
{
#define XX(id, text) text,
    static const char *const texts[] = { SCOPE_WHY_MAP(XX) };
#undef XX
    return texts[why];
}

/* The hosts of which evidence of harm speaks, strongest first, and whether it speaks of the domain itself. */
struct accused {
    struct {
        struct slice owner;
        double strength;
    } hosts[JUDGEMENT_HOSTS];
    unsigned n;
    bool domain;
    bool alone; /* all that is said of hosts leaves their domain out */
};

static void insert(struct accused *to, struct slice owner, double strength)
{
    unsigned i = to->n;
    while (i && (to->hosts[i - 1].strength < strength ||
                 (to->hosts[i - 1].strength == strength && slice_compare(owner, to->hosts[i - 1].owner) < 0)))
        i--;
    if (i == JUDGEMENT_HOSTS)
        return;
    unsigned last = to->n < JUDGEMENT_HOSTS ? to->n++ : JUDGEMENT_HOSTS - 1;
    memmove(&to->hosts[i + 1], &to->hosts[i], (last - i) * sizeof to->hosts[0]);
    to->hosts[i].owner = owner;
    to->hosts[i].strength = strength;
}

static void accuse(struct accused *to, struct slice owner, double strength)
{
    for (unsigned i = 0; i < to->n; i++)
        if (slice_compare(to->hosts[i].owner, owner) == 0) {
            if (to->hosts[i].strength >= strength)
                return;
            to->n--;
            memmove(&to->hosts[i], &to->hosts[i + 1], (to->n - i) * sizeof to->hosts[0]);
            break;
        }
    insert(to, owner, strength);
}

static struct accused accused_by(const struct standing *s, double fade, double least, bool only_external)
{
    struct accused a = { .alone = true };
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct standing_row *row = &s->rows[i];
        double strength = row_weight(s, row, fade);
        if (group_family(row->group) != FAMILY_HARM || strength < least || (only_external && row->group != GROUP_EXTERNAL))
            continue;
        if (slice_compare(row->owner, s->domain) == 0)
            a.domain = true;
        else {
            accuse(&a, row->owner, strength);
            a.alone &= row->hosts_alone;
        }
    }
    return a;
}

static bool is_accused(const struct accused *a, struct slice owner)
{
    for (unsigned i = 0; i < a->n; i++)
        if (slice_compare(a->hosts[i].owner, owner) == 0)
            return true;
    return false;
}

/* When the first of the accused hosts was seen. */
static uint32_t accused_since(const struct standing *s, const struct accused *a)
{
    uint32_t since = s->step;
    for (size_t i = 0; i < s->n_hosts; i++)
        if (is_accused(a, s->hosts[i].owner) && s->hosts[i].first < since)
            since = s->hosts[i].first;
    return since;
}

/* The domain was in use before them, or has a host that the operator allowed. */
static bool others_established(const struct standing *s, const struct verdict_weights *w, const struct accused *a)
{
    for (size_t i = 0; i < s->n_hosts; i++)
        if (s->hosts[i].allowed && !is_accused(a, s->hosts[i].owner))
            return true;
    return s->first != 0 && s->first + w->rule.established_days * DAY_STEPS <= accused_since(s, a);
}

static void name_domain(const struct standing *s, struct judgement *j, enum scope_why why)
{
    j->scope = SCOPE_DOMAIN;
    j->scope_why = why;
    j->hit_clients = s->clients;
    j->hit_queries = s->queries;
}

static void name_hosts(const struct standing *s, struct judgement *j, enum scope_why why, const struct accused *a)
{
    uint64_t clients = 0, queries = 0;
    j->scope = SCOPE_HOST;
    j->scope_why = why;
    j->n_hosts = a->n;
    for (unsigned i = 0; i < a->n; i++)
        j->hosts[i] = a->hosts[i].owner;
    for (size_t i = 0; i < s->n_hosts; i++)
        if (is_accused(a, s->hosts[i].owner)) {
            clients += s->hosts[i].clients;
            queries += s->hosts[i].queries;
        }
    j->hit_clients = (uint32_t)(clients < s->clients ? clients : s->clients);
    j->hit_queries = queries;
}

static bool never_whole(const struct standing *s, const struct verdict_weights *w, enum scope_why *ret)
{
    if (s->public_suffix)
        *ret = SCOPE_WHY_SUFFIX;
    else if (s->shared_parent)
        *ret = SCOPE_WHY_SHARED;
    else if (s->dependents >= w->rule.infrastructure_min)
        *ret = SCOPE_WHY_INFRASTRUCTURE;
    else
        return false;
    return true;
}

void scope_choose(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    struct accused a = accused_by(s, j->fade, w->rule.family_min, false);
    enum scope_why why;
    if (never_whole(s, w, &why))
        name_hosts(s, j, why, &a);
    else if (a.domain || a.n == 0)
        name_domain(s, j, SCOPE_WHY_ABOUT_DOMAIN);
    else if (!a.alone && !others_established(s, w, &a))
        name_domain(s, j, SCOPE_WHY_NO_OTHERS);
    else
        name_hosts(s, j, SCOPE_WHY_OTHERS, &a);
}

bool scope_external_hosts(const struct standing *s, const struct verdict_weights *w, struct judgement *j)
{
    struct accused a = accused_by(s, j->fade, w->rule.external_min, true);
    if (a.n)
        name_hosts(s, j, SCOPE_WHY_EXONERATED, &a);
    return a.n != 0;
}
