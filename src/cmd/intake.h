/* intake: what ingest and capture share: their options, the pipeline made from the
 * settings, progress, and the summary at the end. */
#ifndef DNSMON_CMD_INTAKE_H
#define DNSMON_CMD_INTAKE_H

#include <stdatomic.h>

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/pipeline.h"

enum {
    INTAKE_THREADS = OPTION_OWN, INTAKE_MEMORY, INTAKE_SLOT, INTAKE_LATENESS, INTAKE_FORMAT, INTAKE_SENSOR,
    INTAKE_VANTAGE, INTAKE_PORT, INTAKE_MULTICAST, INTAKE_ZONE, INTAKE_CLIENT, INTAKE_SOURCE_ID, INTAKE_SUFFIXES,
    INTAKE_COPIES, INTAKE_ACTIVITY, INTAKE_NO_ACTIVITY, INTAKE_POLICY,
    INTAKE_OWN,
};

#define INTAKE_OPTIONS                                              \
    { "threads", required_argument, NULL, INTAKE_THREADS },         \
    { "memory", required_argument, NULL, INTAKE_MEMORY },           \
    { "slot", required_argument, NULL, INTAKE_SLOT },               \
    { "lateness", required_argument, NULL, INTAKE_LATENESS },       \
    { "format", required_argument, NULL, INTAKE_FORMAT },           \
    { "sensor", required_argument, NULL, INTAKE_SENSOR },           \
    { "vantage", required_argument, NULL, INTAKE_VANTAGE },         \
    { "port", required_argument, NULL, INTAKE_PORT },               \
    { "keep-multicast", no_argument, NULL, INTAKE_MULTICAST },      \
    { "activity", no_argument, NULL, INTAKE_ACTIVITY },             \
    { "no-activity", no_argument, NULL, INTAKE_NO_ACTIVITY },       \
    { "policy", required_argument, NULL, INTAKE_POLICY },           \
    { "exclude-zone", required_argument, NULL, INTAKE_ZONE },       \
    { "exclude-client", required_argument, NULL, INTAKE_CLIENT },   \
    { "source-id", required_argument, NULL, INTAKE_SOURCE_ID },     \
    { "public-suffixes", required_argument, NULL, INTAKE_SUFFIXES }, \
    { "copy-window", required_argument, NULL, INTAKE_COPIES }

#define INTAKE_HELP                                                                          \
    "  --threads N         worker threads (online cores)\n"                                  \
    "  --memory SIZE       bound of resident memory (1G)\n"                                  \
    "  --slot DURATION     data time folded before it is sealed (live 60s, files 1h) \n"     \
    "  --lateness DURATION disorder allowed between records (5s)\n"                          \
    "  --sensor NAME       where this was seen; kept with every record\n"                    \
    "  --vantage V         client, upstream or authoritative (told apart by RD)\n"           \
    "  --port N            a DNS port; may be repeated (53)\n"                               \
    "  --keep-multicast    mDNS and LLMNR are messages too\n"                                \
    "  --no-activity       not how names are asked for, by hour and hashed client; --activity\n" \
    "                      where the configuration says no\n"                                \
    "  --policy FILE       names that resolvers here block: a blocked answer is not recorded\n" \
    "  --exclude-zone NAME leave out names at and below; may be repeated\n"                  \
    "  --exclude-client N  leave out clients of a network; may be repeated\n"                \
    "  --public-suffixes F the Public Suffix List (" SUFFIX_DEFAULT_PATH ")\n"               \
    "  --copy-window MS    a mirror port's copies are dropped within this; 0 = never (10)\n"

struct intake {
    struct options options;
    uint64_t default_slot_s; /* of the command */
    bool live;               /* what changes while it runs counts, and retention is applied */

    struct suffix_list *suffixes;
    struct observer_exclusion *exclusions; /* for all, then of each configured input */
    struct policy_file *policy;            /* NULL = none */
    bool ports_given;                      /* on the command line: those of the file do not count */
    struct store *store;
    struct pipeline_options pipeline_options;
    struct pipeline *pipeline;
    int64_t started_ns, told_ns;
    bool bar;
};

/* One option of INTAKE_OPTIONS. */
void intake_option(struct intake *in, int option);

/* Opens the database and makes the pipeline; returns E_OK or fills `why`. */
int intake_open(struct intake *in, struct fault *why) MUST_CHECK;
void intake_close(struct intake *in);

/* How to read settings.inputs[index]: as all, but for what is said of it. After intake_open. */
int intake_input(struct intake *in, unsigned index, struct input_options *ret, struct fault *why) MUST_CHECK;

/* Prints the summary, a line or a JSON object, to stdout. */
void intake_summary(const struct intake *in, const struct pipeline_result *result);

/* Non-zero after SIGINT or SIGTERM; intake_open installs the handlers. */
extern atomic_int intake_stopped;

#endif
