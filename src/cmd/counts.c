/* Both ways go by one list, so that they agree. */
#include "cmd/counts.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

#include "cmd/pipeline.h"

#define FIELD(name) { #name, offsetof(struct observer_counts, name) }
static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    FIELD(messages), FIELD(queries), FIELD(responses), FIELD(transactions), FIELD(unanswered),
    FIELD(unmatched_responses), FIELD(pair_evicted), FIELD(late), FIELD(rr_observed), FIELD(early_seals),
    { "rdata_cut", offsetof(struct observer_counts, folded.rdata_cut) },
    { "collapsed_names", offsetof(struct observer_counts, folded.collapsed_names) },
    { "collapsed_rdata", offsetof(struct observer_counts, folded.collapsed_rdata) },
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static uint64_t *field_in(struct observer_counts *counts, int i)
{
    return (uint64_t *)(void *)((char *)counts + fields[i].offset);
}

static json_t *tally_object(const struct tally *tally, bool malformed)
{
    json_t *object = json_object();
    for (int i = 0; i < TALLY_CAUSES; i++)
        if (tally_is_malformed(i) == malformed && tally->n[i])
            json_object_set_new(object, tally_text(i), json_integer((json_int_t)tally->n[i]));
    return object;
}

char *counts_to_json(const struct observer_counts *counts, const struct pipeline_result *run, double seconds,
                     double cpu_seconds)
{
    struct observer_counts copy = *counts;
    json_t *root = json_object();
    for (int i = 0; i < FIELDS; i++)
        json_object_set_new(root, fields[i].name, json_integer((json_int_t)*field_in(&copy, i)));
    json_object_set_new(root, "malformed", tally_object(&counts->tally, true));
    json_object_set_new(root, "skipped", tally_object(&counts->tally, false));
    json_object_set_new(root, "first", json_integer(counts->first_ns / 1000000000));
    json_object_set_new(root, "last", json_integer(counts->last_ns / 1000000000));
    if (run != NULL) {
        json_object_set_new(root, "packets", json_integer((json_int_t)run->read.packets));
        json_object_set_new(root, "waiting", json_integer((json_int_t)run->waiting));
        json_object_set_new(root, "rr_distinct", json_integer((json_int_t)run->rr_distinct));
        json_object_set_new(root, "rr_distinct_exact", json_boolean(run->rr_distinct_exact));
        json_object_set_new(root, "sources_new", json_integer((json_int_t)run->read.sources_new));
        json_object_set_new(root, "sources_grown", json_integer((json_int_t)run->read.sources_grown));
        json_object_set_new(root, "sources_known", json_integer((json_int_t)run->read.sources_known));
        json_object_set_new(root, "sources_empty", json_integer((json_int_t)run->read.sources_empty));
        json_object_set_new(root, "sources_damaged", json_integer((json_int_t)run->read.sources_damaged));
        json_object_set_new(root, "sources_failed", json_integer((json_int_t)run->read.sources_failed));
        json_object_set_new(root, "seconds", json_real(seconds));
        json_object_set_new(root, "cpu_seconds", json_real(cpu_seconds));
    } else {
        json_object_set_new(root, "first_ns", json_integer(counts->first_ns));
        json_object_set_new(root, "last_ns", json_integer(counts->last_ns));
    }
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(root);
    return text;
}

static void tally_from(const json_t *object, struct tally *tally)
{
    for (int i = 0; i < TALLY_CAUSES; i++)
        tally->n[i] += (uint64_t)json_integer_value(json_object_get(object, tally_text(i)));
}

int counts_from_json(const char *text, struct observer_counts *ret)
{
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return E_CORRUPT;
    }
    *ret = (struct observer_counts){ 0 };
    for (int i = 0; i < FIELDS; i++)
        *field_in(ret, i) = (uint64_t)json_integer_value(json_object_get(root, fields[i].name));
    tally_from(json_object_get(root, "malformed"), &ret->tally);
    tally_from(json_object_get(root, "skipped"), &ret->tally);
    ret->first_ns = json_integer_value(json_object_get(root, "first_ns"));
    ret->last_ns = json_integer_value(json_object_get(root, "last_ns"));
    json_decref(root);
    return E_OK;
}
