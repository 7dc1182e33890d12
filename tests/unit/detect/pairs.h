/* pairs: what the tests of both comparing detectors need: portraits by hand, and two runs at once. */
#ifndef DNSMON_TEST_PAIRS_H
#define DNSMON_TEST_PAIRS_H

#include "crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <pthread.h>

/* Facts are JSON, peers there are, strengths in their bounds. */
static inline void check_findings(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct finding *x = &f->kept[i].finding;
        json_t *facts = json_loads(x->facts, JSON_REJECT_DUPLICATES, NULL);
        assert_true(json_is_object(facts));
        assert_null(json_object_get(facts, "cut"));
        json_t *partners = json_object_get(facts, "partners");
        assert_true(json_is_array(partners) && json_array_size(partners) > 0);
        json_decref(facts);
        assert_true(x->n_peers > 0 && x->strength >= FINDING_MIN && x->strength <= FINDING_MAX);
        assert_true(strlen(x->summary) > 60);
    }
}

static inline const struct finding *finding_of(const struct findings *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (memcmp(f->kept[i].finding.owner.ptr + 5, name, 8) == 0)
            return &f->kept[i].finding;
    return NULL;
}

static inline void check_equal(const struct findings *a, const struct findings *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct finding *x = &a->kept[i].finding, *y = &b->kept[i].finding;
        assert_int_equal(slice_compare(x->owner, y->owner), 0);
        assert_true(x->strength == y->strength);
        assert_string_equal(x->summary, y->summary);
        assert_string_equal(x->facts, y->facts);
        assert_int_equal(x->n_peers, y->n_peers);
        for (unsigned k = 0; k < x->n_peers; k++)
            assert_int_equal(slice_compare(x->peers[k], y->peers[k]), 0);
    }
}

struct parallel {
    void (*compare)(const struct crowd *c, struct findings *to);
    const struct crowd *crowd;
    struct findings found;
};

static inline void *parallel_run(void *argument)
{
    struct parallel *p = argument;
    p->compare(p->crowd, &p->found);
    return NULL;
}

/* The same in two threads at once, and once more alone. */
static inline void check_deterministic(const struct crowd *c, void (*compare)(const struct crowd *c, struct findings *to))
{
    struct parallel p[3];
    pthread_t threads[2];
    for (unsigned i = 0; i < 3; i++) {
        p[i] = (struct parallel){ .compare = compare, .crowd = c };
        findings_init(&p[i].found);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parallel_run, &p[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    compare(c, &p[2].found);
    assert_true(p[2].found.n > 0);
    check_findings(&p[2].found);
    for (unsigned i = 0; i < 2; i++)
        check_equal(&p[i].found, &p[2].found);
    for (unsigned i = 0; i < 3; i++)
        findings_release(&p[i].found);
}

/* Findings of planted group `plant` of `n_plants`. */
static inline unsigned found_of_plant(const struct crowd *c, const struct findings *f, unsigned plant, unsigned n_plants)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->n; i++) {
        uint32_t name = crowd_number_of_key(f->kept[i].finding.owner);
        n += c->kind[name] == CROWD_PLANT && c->truth[name] == c->groups - n_plants + 1 + plant;
    }
    return n;
}

#endif
