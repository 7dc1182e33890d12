/* subject: one registered domain under examination, as it was known at a step.
 *
 * `subject_load` reads its history from the store, once for a chunk of periods. `subject_begin` sets the view to what was
 * known before a period; `subject_advance` adds a step. What the view shows depends on the period and the step alone, not on
 * when or in what chunks it was loaded:
 *
 *     hours, clients: of [window_from, step], where window_from = period_start(step) - WINDOW_STEPS
 *     hosts:          those asked for before step_end_s(step), whenever, as far as activity is kept
 *     records:        those first seen before step_end_s(step), whenever
 *
 * Arrays belong to the subject and are valid until its next call. Handle; one thread. Memory is bounded by the limits below.
 */
#ifndef DNSMON_DETECT_SUBJECT_H
#define DNSMON_DETECT_SUBJECT_H

#include "detect/profile.h"
#include "detect/step.h"
#include "dns/suffix.h"
#include "store/store.h"

enum {
    SUBJECT_CLIENTS = 128, /* those of smallest id; with more, the sample is not whole */
    SUBJECT_HOSTS = 256,
    SUBJECT_RECORDS = 1024,
};

struct subject_hour {
    uint32_t hour;
    uint32_t counters[ACTIVITY_COUNTERS]; /* stop at UINT32_MAX */
    uint32_t clients; /* different ones, estimated when the hour's sample is full */
    uint32_t names;   /* sub-names, likewise */
    uint32_t carried; /* bytes that they could carry (channel.h) */
    bool sampled;     /* the client sample was full: no ask times in this hour */
};

struct subject_client {
    uint64_t id;
    uint32_t first_hour, last_hour;
    uint32_t hours;       /* in which it asked */
    const uint32_t *asks; /* seconds since 1970, rising, each once; none of hours with a full sample */
    uint32_t n_asks;
};

struct subject_host_hour {
    uint32_t hour;
    uint32_t queries, noerror, missing; /* missing: NXDOMAIN of either kind */
    uint32_t clients;
};

struct subject_host {
    struct slice owner;     /* its key */
    const char *sub;        /* text of the part below the registered domain, "" for the domain itself; lower-case */
    uint32_t first_s;       /* first seen at all, by the name table or its activity */
    uint32_t asked_hour;    /* first asked for, by its activity */
    const struct subject_host_hour *hours; /* of the window */
    uint32_t n_hours;
};

struct subject_record {
    struct slice owner;
    uint16_t type; /* TYPE_A, ...; negative answers are in activity, not here */
    struct slice rdata;
    uint32_t first_s;
};

struct subject_memo;

struct subject {
    struct slice owner;     /* key of the registered domain, with its final 00 */
    const char *name;       /* its text, lower-case, without the final dot */
    size_t suffix;          /* bytes of `owner` that are the public suffix */
    const struct suffix_list *suffixes;
    uint32_t first_s;       /* first seen, by the name table or its activity */
    struct profile profile; /* at the step; analysis keeps candidate_last in it */
    uint32_t step;
    uint32_t window_from;   /* hour */
    const struct subject_hour *hours; /* rising; only those in which it was asked for */
    size_t n_hours;
    const struct subject_client *clients; /* by rising id */
    size_t n_clients;
    bool clients_whole;     /* else `clients` is a bottom-k sample */
    const struct subject_host *hosts; /* by first_s, then owner */
    size_t n_hosts;
    bool hosts_whole;
    const struct subject_record *records; /* by first_s */
    size_t n_records;
    bool records_whole;
    struct subject_memo *memo; /* what detectors share that was computed of this view (memo.h); NULL: nothing is kept */
};

/* The history for steps [from, to]; `from` begins a period. */
int subject_load(struct subject **ret, struct store *store, const struct suffix_list *suffixes, struct slice owner,
                 uint32_t from, uint32_t to, struct fault *why) MUST_CHECK;
void subject_destroy(struct subject **s);

/* To the end of the step before `period`, the first step of a period; `profile` as of there (may be &s->profile). */
int subject_begin(struct subject *s, uint32_t period, const struct profile *profile, struct fault *why) MUST_CHECK;

/* To the end of `step`, the one after s->step. Its activity, or NULL when it was not asked for then. */
int subject_advance(struct subject *s, uint32_t step, const struct activity **ret, struct fault *why) MUST_CHECK;

/* Whether it was asked for in hours [from, to], seen yet or not. For the driver. */
bool subject_will_be_asked(const struct subject *s, uint32_t from, uint32_t to);

/* The hour of the view, or NULL when it was not asked for then. */
const struct subject_hour *subject_hour_at(const struct subject *s, uint32_t hour);

/* Sum of a counter over hours [from, to]. */
uint64_t subject_sum(const struct subject *s, enum activity_counter counter, uint32_t from, uint32_t to);

/* For tests: a subject without a store. Activity is handed in, rising by hour, before subject_begin; hosts and records likewise. */
int subject_make(struct subject **ret, const char *name, const struct suffix_list *suffixes, struct fault *why) MUST_CHECK;
int subject_give_hour(struct subject *s, uint32_t hour, const struct activity *a) MUST_CHECK;
int subject_give_host_hour(struct subject *s, const char *host, uint32_t hour, const struct activity *a) MUST_CHECK;
int subject_give_record(struct subject *s, const char *owner, uint16_t type, struct slice rdata, uint32_t first_s) MUST_CHECK;

#endif
