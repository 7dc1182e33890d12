/* look-alike: young names that imitate a brand or a popular name. The ways and their weights: note.md. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/facts.h"
#include "detect/look-alike/imitation.h"

static void tell(const struct portrait *p, const struct imitation *x, struct findings *to)
{
    const struct look_match *m = &x->match;
    struct facts f;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "%.120s %s %.*s, and is none of its owner's", p->name, look_text(m->how), (int)m->brand.len, m->brand.word);
    facts_begin(&f);
    facts_text(&f, "brand", m->brand.word, m->brand.len);
    facts_flag(&f, "listed", m->brand.kind == BRAND_NAME || m->brand.kind == BRAND_WORD);
    facts_text(&f, "how", look_text(m->how), strlen(look_text(m->how)));
    facts_number(&f, "nats_when_new", m->nats);
    facts_number(&f, "youth", x->young);
    facts_count(&f, "first_s", p->first_s);
    findings_add(to, &(struct finding){ .owner = p->owner, .strength = x->nats, .summary = summary, .facts = facts_end(&f) });
}

static int compare(const struct panel *panel, struct scene *scene, struct findings *to, struct fault *why)
{
    struct imitation *all;
    int rc = imitations_find(panel, scene, &all, why);
    if (rc != E_OK)
        return rc;
    for (size_t i = 0; i < panel->n; i++)
        if (all[i].nats > 0)
            tell(panel->portraits[i], &all[i], to);
    free(all);
    return E_OK;
}

const struct detector detector_look_alike = {
    .name = "look-alike",
    .group = GROUP_LOOK_ALIKE,
    .about = "young names that imitate a brand or a popular name",
    .compare = compare,
};
