/* brand-host: a brand's domain as host labels below a young domain of somebody else's (paypal.com.login.example). */
#include <stdio.h>
#include <string.h>

#include "detect/brand.h"
#include "detect/detector.h"
#include "detect/facts.h"
#include "detect/list.h"
#include "detect/youth.h"

enum {
    MANY_BRANDS = 4, /* a search list, a proxy, a reputation service: all brands are below it */
    LABELS_MAX = 16,
    NAME_MIN = 5,
};

#define WHOLE_DOMAIN 5.0 /* paypal.com.example: nobody calls a host so but to be taken for it */
#define WITH_LURE 3.0    /* paypal.login.example */

struct labels {
    const char *text[LABELS_MAX];
    size_t len[LABELS_MAX];
    unsigned n;
};

struct likeness { /* the strongest */
    struct brand brand;
    const struct subject_host *host;
    double nats;
    const char *brands[MANY_BRANDS]; /* words of all */
    unsigned n_brands;
};

static struct labels split(const char *sub)
{
    struct labels l = { 0 };
    for (const char *at = sub; *at && l.n < LABELS_MAX; at += *at == '.') {
        l.text[l.n] = at;
        l.len[l.n] = strcspn(at, ".");
        at += l.len[l.n++];
    }
    return l;
}

static bool has_lure(const struct labels *l, unsigned except)
{
    for (unsigned i = 0; i < l->n; i++)
        if (i != except && list_find(&list_lure_words, l->text[i], l->len[i]) != NULL)
            return true;
    return false;
}

/* The brand's word stands at label `i`: with its own suffix behind it? Both forms, paypal.com and paypal-com, are told. */
static bool whole_domain(const struct brand *b, const struct labels *l, unsigned i)
{
    size_t two = i + 1 < l->n ? l->len[i] + 1 + l->len[i + 1] : 0;
    size_t three = two && i + 2 < l->n ? two + 1 + l->len[i + 2] : 0;
    return (two && brand_owns(b, l->text[i], two)) || (three && brand_owns(b, l->text[i], three));
}

/* Of one label, as it stands or up to a hyphen: "paypal", "paypal-com". */
static double judge_label(const struct labels *l, unsigned i, struct brand *ret)
{
    char domain[64];
    size_t len = l->len[i], part = len;
    const char *dash = memchr(l->text[i], '-', len);
    if (dash != NULL)
        part = (size_t)(dash - l->text[i]);
    if (len >= sizeof domain || !brand_find(l->text[i], part, ret))
        return 0;
    memcpy(domain, l->text[i], len);
    if (part < len)
        domain[part] = '.';
    if (part < len ? brand_owns(ret, domain, len) : whole_domain(ret, l, i))
        return WHOLE_DOMAIN;
    return part == len && ret->kind == BRAND_NAME && len >= NAME_MIN && has_lure(l, i) ? WITH_LURE : 0;
}

static bool was_answered(const struct subject_host *h)
{
    for (uint32_t i = 0; i < h->n_hours; i++)
        if (h->hours[i].noerror)
            return true;
    return false;
}

static void count_brand(struct likeness *m, const struct brand *b)
{
    for (unsigned i = 0; i < m->n_brands; i++)
        if (m->brands[i] == b->word)
            return;
    if (m->n_brands < MANY_BRANDS)
        m->brands[m->n_brands++] = b->word;
}

static void judge_host(const struct subject_host *h, struct likeness *best)
{
    struct labels l = split(h->sub);
    for (unsigned i = 0; i < l.n; i++) {
        struct brand b;
        double nats = judge_label(&l, i, &b);
        if (nats <= 0)
            continue;
        count_brand(best, &b);
        if (was_answered(h) && nats > best->nats) {
            best->brand = b;
            best->host = h;
            best->nats = nats;
        }
    }
}

static void tell(const struct subject *s, const struct likeness *m, double young, struct findings *to)
{
    struct facts f;
    char summary[FINDING_SUMMARY];
    snprintf(summary, sizeof summary, "%.100s.%.80s has the name of %.*s in front of a domain that is not its owner's", m->host->sub, s->name,
             (int)m->brand.len, m->brand.word);
    facts_begin(&f);
    facts_text(&f, "brand", m->brand.word, m->brand.len);
    facts_text(&f, "host", m->host->sub, strlen(m->host->sub));
    facts_number(&f, "nats_when_new", m->nats);
    facts_number(&f, "youth", young);
    findings_add(to, &(struct finding){ .owner = s->owner, .strength = m->nats * young, .summary = summary, .facts = facts_end(&f) });
}

static int examine(const struct subject *s, struct scene *scene, struct findings *to, struct fault *why)
{
    (void)why;
    struct likeness best = { .nats = 0 };
    double young = youth(scene, s->first_s, &s->profile);
    if (young <= 0)
        return E_OK;
    for (size_t i = 0; i < s->n_hosts; i++)
        judge_host(&s->hosts[i], &best);
    if (best.host != NULL && best.n_brands < MANY_BRANDS && !brand_owned(s->name, strlen(s->name)))
        tell(s, &best, young, to);
    return E_OK;
}

const struct detector detector_brand_host = {
    .name = "brand-host",
    .group = GROUP_LOOK_ALIKE,
    .about = "a brand's domain as host labels below a young domain of somebody else's",
    .examine = examine,
};
