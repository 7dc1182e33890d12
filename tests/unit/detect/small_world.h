/* small_world: a network in some lines of text, for detectors that read names; instead of a store.
 *
 *     AGO NAME TYPE [VALUE [CLIENTS [FROM]]]  AGO hours before the step NAME was asked for by so many clients, the first of them number
 *                                         FROM (1), and answered so; TYPE is A, AAAA, CNAME, NS, MX, SRV, TXT, NODATA, NXHOST (in an
 *                                         existing zone) or NX (nothing is registered)
 *     popular NAME CLIENTS BROAD_DAYS     used by many
 *     begin AGO                           of the database; 90 days without it
 *
 * It stands in for scene.c: what scene_* answer is read from the lines. Values are documentation addresses and names. */
#ifndef TESTS_DETECT_SMALL_WORLD_H
#define TESTS_DETECT_SMALL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "detect/findings.h"
#include "detect/parts.h"
#include "dns/rdata.h"

enum { WORLD_STEP = 80000 * PERIOD_STEPS - 1, WORLD_ROWS = 512, WORLD_SUBJECTS = 64, WORLD_RDATA = 300 };

struct world_row {
    uint32_t hour, first_s;
    char name[256], type[16], value[256];
    unsigned clients, from;
    uint8_t key_bytes[NAME_KEY_MAX], domain_bytes[NAME_KEY_MAX], rdata_bytes[WORLD_RDATA];
    struct slice key, domain, rdata;
    uint16_t rrtype; /* 0: an answer without records */
};

struct scene {
    struct suffix_list *suffixes;
    struct world_row rows[WORLD_ROWS];
    unsigned n_rows;
    struct network network;
    struct scene_popular popular[64];
    uint8_t popular_keys[64][NAME_KEY_MAX];
    char popular_names[64][256];
    struct subject *subjects[WORLD_SUBJECTS];
    const struct portrait *portraits[WORLD_SUBJECTS];
    unsigned n_subjects;
    struct arena memory;
    struct findings findings;
};

/* ---- what scene.c would say ---- */

uint32_t scene_step(const struct scene *s)
{
    (void)s;
    return WORLD_STEP;
}

const struct network *scene_network(const struct scene *s)
{
    return &s->network;
}

const struct suffix_list *scene_suffixes(const struct scene *s)
{
    return s->suffixes;
}

static int world_by_first(const void *a, const void *b)
{
    const struct scene_owner *x = a, *y = b;
    return x->first_s != y->first_s ? (x->first_s > y->first_s) - (x->first_s < y->first_s) : slice_compare(x->owner, y->owner);
}

static bool world_is_site(const struct world_row *row)
{
    return row->key.len == row->domain.len || strncmp(row->name, "www.", 4) == 0;
}

static void world_gather(struct scene_owners *to, const struct world_row *row)
{
    for (unsigned i = 0; i < to->n; i++)
        if (slice_compare(to->owners[i].owner, row->domain) == 0) {
            if (row->first_s < to->owners[i].first_s)
                to->owners[i].first_s = row->first_s;
            if (world_is_site(row) && (to->owners[i].site_s == 0 || row->first_s < to->owners[i].site_s))
                to->owners[i].site_s = row->first_s;
            return;
        }
    to->count++;
    if (to->n < SCENE_OWNERS)
        to->owners[to->n++] = (struct scene_owner){ row->domain, row->first_s, world_is_site(row) ? row->first_s : 0 };
    qsort(to->owners, to->n, sizeof to->owners[0], world_by_first);
}

int scene_label(struct scene *s, const char *label, struct scene_owners *ret, struct fault *why)
{
    (void)why;
    size_t len = strlen(label);
    ret->n = ret->count = 0;
    for (unsigned i = 0; i < s->n_rows; i++)
        if (strncmp(s->rows[i].name, label, len) == 0 && s->rows[i].name[len] == '.' &&
            name_key_labels(s->rows[i].key.ptr, s->rows[i].key.len) == name_key_labels(s->rows[i].domain.ptr, s->rows[i].domain.len) + 1)
            world_gather(ret, &s->rows[i]);
    return 0;
}

int scene_pointers(struct scene *s, uint16_t type, struct slice rdata, struct scene_owners *ret, struct fault *why)
{
    (void)why;
    ret->n = ret->count = 0;
    for (unsigned i = 0; i < s->n_rows; i++)
        if (s->rows[i].rrtype == type && slice_compare(s->rows[i].rdata, rdata) == 0)
            world_gather(ret, &s->rows[i]);
    return 0;
}

static void world_cut(struct scene_owners *at, unsigned most)
{
    at->n = at->n > most + 1 ? most + 1 : at->n;
    at->count = at->count > most + 1 ? most + 1 : at->count;
}

int scene_pointers_up_to(struct scene *s, uint16_t type, struct slice rdata, unsigned most, struct scene_owners *ret, struct fault *why)
{
    int rc = scene_pointers(s, type, rdata, ret, why);
    world_cut(ret, most);
    return rc;
}

int scene_pointers_below(struct scene *s, uint16_t type, struct slice domain, struct scene_owners *ret, struct fault *why)
{
    (void)why;
    ret->n = ret->count = 0;
    for (unsigned i = 0; i < s->n_rows; i++) {
        uint8_t key[NAME_KEY_MAX];
        if (s->rows[i].rrtype == type && parts_within(parts_target(type, s->rows[i].rdata, key), domain))
            world_gather(ret, &s->rows[i]);
    }
    return 0;
}

int scene_pointers_below_up_to(struct scene *s, uint16_t type, struct slice domain, unsigned most, struct scene_owners *ret,
                               struct fault *why)
{
    int rc = scene_pointers_below(s, type, domain, ret, why);
    world_cut(ret, most);
    return rc;
}

int scene_first(struct scene *s, struct slice owner, bool domain, uint32_t *ret_s, struct fault *why)
{
    (void)why;
    *ret_s = 0;
    for (unsigned i = 0; i < s->n_rows; i++)
        if ((domain ? parts_within(s->rows[i].key, owner) : slice_compare(s->rows[i].key, owner) == 0) &&
            (*ret_s == 0 || s->rows[i].first_s < *ret_s))
            *ret_s = s->rows[i].first_s;
    return 0;
}

/* ---- reading the lines ---- */

static void world_rdata(struct world_row *r)
{
    static const struct { const char *text; uint16_t type; uint8_t lead; } types[] = {
        { "A", TYPE_A, 0 }, { "AAAA", TYPE_AAAA, 0 }, { "CNAME", TYPE_CNAME, 0 }, { "NS", TYPE_NS, 0 },
        { "MX", TYPE_MX, 2 }, { "SRV", TYPE_SRV, 6 }, { "TXT", TYPE_TXT, 0 },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(r->type, types[i].text) != 0)
            continue;
        r->rrtype = types[i].type;
        r->rdata.ptr = r->rdata_bytes;
        if (r->rrtype == TYPE_A || r->rrtype == TYPE_AAAA) {
            assert_int_equal(inet_pton(r->rrtype == TYPE_A ? AF_INET : AF_INET6, r->value, r->rdata_bytes), 1);
            r->rdata.len = r->rrtype == TYPE_A ? 4 : 16;
        } else if (r->rrtype == TYPE_TXT) {
            r->rdata.len = strlen(r->value);
            memcpy(r->rdata_bytes, r->value, r->rdata.len);
        } else {
            size_t n = name_from_text(r->value, strlen(r->value), r->rdata_bytes + types[i].lead);
            assert_true(n > 0);
            r->rdata.len = types[i].lead + n;
        }
    }
}

static void world_line(struct scene *w, const char *line)
{
    struct world_row *r = &w->rows[w->n_rows];
    unsigned ago, clients, days;
    if (sscanf(line, "begin %u", &ago) == 1) {
        w->network.first = WORLD_STEP - ago;
        return;
    }
    if (sscanf(line, "popular %255s %u %u", w->popular_names[w->network.n_popular], &clients, &days) == 3) {
        size_t i = w->network.n_popular++;
        struct slice key = parts_key(w->popular_names[i], strlen(w->popular_names[i]), w->popular_keys[i]);
        w->popular[i] = (struct scene_popular){ key, w->popular_names[i], clients, days };
        return;
    }
    int n = sscanf(line, "%u %255s %15s %255s %u %u", &ago, r->name, r->type, r->value, &r->clients, &r->from);
    if (n < 3)
        return;
    assert_true(w->n_rows + 1 < WORLD_ROWS);
    r->clients = n >= 5 ? r->clients : 3;
    r->from = n >= 6 ? r->from : 1;
    r->hour = WORLD_STEP - ago;
    r->first_s = r->hour * STEP_S;
    r->key = parts_key(r->name, strlen(r->name), r->key_bytes);
    r->domain = parts_registered(w->suffixes, r->key, r->domain_bytes);
    assert_true(r->domain.len > 0);
    world_rdata(r);
    w->n_rows++;
}

static int world_by_hour(const void *a, const void *b)
{
    const struct world_row *x = *(const struct world_row *const *)a, *y = *(const struct world_row *const *)b;
    return x->hour != y->hour ? (x->hour > y->hour) - (x->hour < y->hour) : (x > y) - (x < y);
}

static struct activity world_activity(const struct world_row *r)
{
    struct activity a;
    activity_init(&a, true);
    a.first = a.last = r->first_s;
    a.counters[ACTIVITY_QUERIES] = a.counters[ACTIVITY_ANSWERED] = r->clients;
    if (strcmp(r->type, "NX") == 0)
        a.counters[ACTIVITY_NX_DOMAIN] = r->clients;
    else if (strcmp(r->type, "NXHOST") == 0)
        a.counters[ACTIVITY_NX_HOST] = r->clients;
    else if (strcmp(r->type, "NODATA") == 0)
        a.counters[ACTIVITY_NODATA] = r->clients;
    else
        a.counters[ACTIVITY_NOERROR] = r->clients;
    a.counters[r->rrtype == TYPE_SRV ? ACTIVITY_SRV : r->rrtype == TYPE_TXT ? ACTIVITY_TXT : ACTIVITY_A] = r->clients;
    for (unsigned i = 0; i < r->clients; i++)
        activity_add_client(&a, r->from + i, (uint16_t)i);
    return a;
}

/* Hands over the rows of one domain, by hour, and walks to the step. */
static void world_subject(struct scene *w, struct slice domain)
{
    const struct world_row *rows[WORLD_ROWS];
    struct activity hours[64];
    size_t n = 0, n_hours = 0;
    char name[NAME_TEXT_MAX];
    struct subject *s;
    struct profile profile;
    const struct activity *asked;
    profile_init(&profile);
    parts_text(domain, name);
    assert_int_equal(subject_make(&s, name, w->suffixes, NULL), 0);
    for (unsigned i = 0; i < w->n_rows; i++)
        if (slice_compare(w->rows[i].domain, domain) == 0)
            rows[n++] = &w->rows[i];
    qsort(rows, n, sizeof rows[0], world_by_hour);
    for (size_t i = 0; i < n; i++) {
        struct activity a = world_activity(rows[i]);
        assert_int_equal(subject_give_host_hour(s, rows[i]->name, rows[i]->hour, &a), 0);
        if (rows[i]->rrtype)
            assert_int_equal(subject_give_record(s, rows[i]->name, rows[i]->rrtype, rows[i]->rdata, rows[i]->first_s), 0);
        if (i > 0 && rows[i]->hour == rows[i - 1]->hour) {
            activity_merge(&hours[n_hours - 1], &a);
        } else {
            assert_true(n_hours < 64);
            hours[n_hours++] = a;
        }
    }
    for (size_t i = 0; i < n_hours; i++) {
        uint32_t hour = (uint32_t)(hours[i].first / STEP_S);
        assert_int_equal(subject_give_hour(s, hour, &hours[i]), 0);
        profile_add(&profile, hour, &hours[i]);
    }
    for (size_t i = 0; i < w->network.n_popular; i++)
        if (slice_compare(w->popular[i].owner, domain) == 0)
            profile.broad_days = w->popular[i].broad_days;
    assert_int_equal(subject_begin(s, period_start(WORLD_STEP), &profile, NULL), 0);
    for (uint32_t step = period_start(WORLD_STEP); step <= WORLD_STEP; step++)
        assert_int_equal(subject_advance(s, step, &asked, NULL), 0);
    assert_true(w->n_subjects < WORLD_SUBJECTS);
    w->portraits[w->n_subjects] = portrait_make(s, &w->memory);
    assert_non_null(w->portraits[w->n_subjects]);
    w->subjects[w->n_subjects++] = s;
}

static int world_by_owner(const void *a, const void *b)
{
    return slice_compare((*(struct slice *const *)a)[0], (*(struct slice *const *)b)[0]);
}

static struct scene *world_make(const char *lines)
{
    static const char suffixes[] = "com\nnet\norg\nde\ntk\nxyz\nuk\nco.uk\n";
    struct scene *w = calloc(1, sizeof *w);
    assert_non_null(w);
    arena_init(&w->memory, 1 << 16);
    findings_init(&w->findings);
    w->findings.step = WORLD_STEP;
    w->network.first = WORLD_STEP - 90 * DAY_STEPS;
    w->network.popular = w->popular;
    w->network.clients = 1000;
    assert_int_equal(suffix_parse(&w->suffixes, suffixes, sizeof suffixes - 1, NULL), 0);
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        char line[600];
        size_t len = strcspn(at, "\n");
        assert_true(len < sizeof line);
        memcpy(line, at, len);
        line[len] = '\0';
        world_line(w, line);
    }
    const struct slice *domains[WORLD_ROWS];
    for (unsigned i = 0; i < w->n_rows; i++)
        domains[i] = &w->rows[i].domain;
    qsort(domains, w->n_rows, sizeof domains[0], world_by_owner);
    for (unsigned i = 0; i < w->n_rows; i++)
        if (i == 0 || slice_compare(*domains[i], *domains[i - 1]) != 0)
            world_subject(w, *domains[i]);
    return w;
}

static void world_free(struct scene *w)
{
    for (unsigned i = 0; i < w->n_subjects; i++)
        subject_destroy(&w->subjects[i]);
    findings_release(&w->findings);
    arena_release(&w->memory);
    suffix_destroy(&w->suffixes);
    free(w);
}

/* Asks the detector of every name. */
static void world_ask(struct scene *w, const struct detector *d)
{
    struct fault why = { 0 };
    if (d->examine != NULL)
        for (unsigned i = 0; i < w->n_subjects; i++) {
            w->findings.domain = w->subjects[i]->owner;
            assert_int_equal(d->examine(w->subjects[i], w, &w->findings, &why), 0);
        }
    w->findings.domain.len = 0;
    struct panel panel = { w->portraits, w->n_subjects, WORLD_STEP };
    if (d->compare != NULL)
        assert_int_equal(d->compare(&panel, w, &w->findings, &why), 0);
    assert_false(w->findings.failed);
}

/* The strength of what was found of a name (domain or host), 0 when nothing was. Facts must be JSON. */
static double world_strength(const struct scene *w, const char *name)
{
    uint8_t bytes[NAME_KEY_MAX];
    struct slice key = parts_key(name, strlen(name), bytes);
    for (size_t i = 0; i < w->findings.n; i++) {
        const struct finding *f = &w->findings.kept[i].finding;
        json_t *facts = json_loads(f->facts, 0, NULL);
        assert_non_null(facts);
        json_decref(facts);
        if (slice_compare(f->owner, key) == 0)
            return f->strength;
    }
    return 0;
}

/* A table of worlds, and how strongly the detector speaks of one name in each. */
struct world_case {
    const char *what, *lines, *name;
    double least, most;
};

static inline void world_check(const struct detector *d, const struct world_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct scene *w = world_make(cases[i].lines);
        world_ask(w, d);
        double strength = world_strength(w, cases[i].name);
        if (strength < cases[i].least || strength > cases[i].most) {
            for (size_t k = 0; k < w->findings.n; k++)
                print_message("%+.2f %s %s\n", w->findings.kept[k].finding.strength, w->findings.kept[k].finding.summary,
                              w->findings.kept[k].finding.facts);
            fail_msg("%s: %s is %.2f, not in [%.2f, %.2f]", cases[i].what, cases[i].name, strength, cases[i].least, cases[i].most);
        }
        world_free(w);
    }
}

#endif
