/* simulate: a scenario in, a capture and the truth about it out. */
#include "simulate/simulate.h"

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon simulate [OPTION...] SCENARIO.yaml\n"
    "\n"
    "Makes the DNS traffic of a made-up network, benign and malicious, as a capture between its clients\n"
    "and their resolver. The same scenario and seed give the same bytes. docs/scenarios.md explains the file.\n"
    "\n"
    "  --write FILE        where the capture goes; - is standard output, the default\n"
    "  --format FORMAT     pcap (the default) or dnstap\n"
    "  --truth FILE        what was in it: a JSON object for each name of a campaign and each domain\n"
    "  --seed N            instead of the scenario's, like the following\n"
    "  --clients N\n"
    "  --days D            also 0.5\n"
    "  --start TIME        epoch, 2026-01-31[T12:00:00Z], -7d\n"
    OPTIONS_COMMON_HELP;

enum { OWN_WRITE = OPTION_OWN, OWN_FORMAT, OWN_TRUTH, OWN_SEED, OWN_CLIENTS, OWN_DAYS, OWN_START };

static const struct option longs[] = {
    { "write", required_argument, NULL, OWN_WRITE },
    { "format", required_argument, NULL, OWN_FORMAT },
    { "truth", required_argument, NULL, OWN_TRUTH },
    { "seed", required_argument, NULL, OWN_SEED },
    { "clients", required_argument, NULL, OWN_CLIENTS },
    { "days", required_argument, NULL, OWN_DAYS },
    { "start", required_argument, NULL, OWN_START },
    OPTIONS_COMMON,
};

struct run {
    struct options options;
    const char *write, *truth;
    enum capture_form form;
    uint64_t seed, clients;
    int64_t start_s;
    double days; /* 0: the scenario's */
    bool has_seed, has_start;
    struct scenario scenario;
};

static void set_days(struct run *r)
{
    char *end;
    errno = 0;
    r->days = strtod(optarg, &end);
    if (errno != 0 || *end != '\0' || !(r->days > 0))
        options_wrong(&r->options, "--days: '%s' is not a number of days", optarg);
}

static void set_format(struct run *r)
{
    if (strcmp(optarg, "dnstap") == 0)
        r->form = CAPTURE_DNSTAP;
    else if (strcmp(optarg, "pcap") != 0)
        options_wrong(&r->options, "--format: '%s' is not one of pcap, dnstap", optarg);
}

static void set_option(struct run *r, int c)
{
    switch (c) {
    case OWN_WRITE: r->write = optarg; break;
    case OWN_FORMAT: set_format(r); break;
    case OWN_TRUTH: r->truth = optarg; break;
    case OWN_SEED: options_count(&r->options, "seed", &r->seed); r->has_seed = true; break;
    case OWN_CLIENTS: options_count(&r->options, "clients", &r->clients); break;
    case OWN_DAYS: set_days(r); break;
    case OWN_START: options_time(&r->options, "start", &r->start_s); r->has_start = true; break;
    }
}

static void take_options(struct run *r, int argc, char **argv)
{
    struct options *o = &r->options;
    int c;
    options_start(o, usage, longs, argc, argv);
    while ((c = options_next(o)) > 0)
        set_option(r, c);
    if (o->exit < 0 && argc - optind != 1)
        options_wrong(o, "one SCENARIO.yaml is needed");
    if (o->exit < 0 && strcmp(r->write, "-") == 0 && isatty(STDOUT_FILENO))
        options_wrong(o, "a capture is nothing for a terminal; use --write");
}

static int load(struct run *r, const char *path, struct fault *why)
{
    struct scenario *s = &r->scenario;
    int rc = scenario_load(s, path, why);
    if (rc != 0)
        return rc;
    if (r->has_seed)
        s->seed = r->seed;
    if (r->clients != 0)
        s->clients = r->clients < UINT32_MAX ? (uint32_t)r->clients : UINT32_MAX;
    if (r->days > 0)
        s->days = r->days;
    if (r->has_start)
        s->start_s = r->start_s;
    return scenario_check(s, why);
}

struct output {
    FILE *file;
    const char *path;
};

static int write_bytes(void *ctx, const void *bytes, size_t len, struct fault *why)
{
    struct output *o = ctx;
    if (fwrite(bytes, 1, len, o->file) != len)
        return fault_errno(why, errno, "%s", o->path);
    return E_OK;
}

static int output_open(struct output *o, const char *path, struct fault *why)
{
    o->path = path;
    o->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    return o->file != NULL ? E_OK : fault_errno(why, errno, "%s", path);
}

static int output_close(struct output *o, int rc, struct fault *why)
{
    if (o->file == NULL)
        return rc;
    int failed = o->file == stdout ? fflush(stdout) : fclose(o->file);
    return rc == 0 && failed != 0 ? fault_errno(why, errno, "%s", o->path) : rc;
}

static int run(struct run *r, const char *path, struct fault *why)
{
    struct output capture = { 0 }, truth = { 0 };
    struct simulate_counts counts;
    int rc = load(r, path, why);
    if (rc == 0)
        rc = output_open(&capture, r->write, why);
    if (rc == 0 && r->truth != NULL)
        rc = output_open(&truth, r->truth, why);
    if (rc == 0)
        rc = simulate(&r->scenario, r->form, &(struct sink){ write_bytes, &capture },
                      &(struct sink){ r->truth != NULL ? write_bytes : NULL, &truth }, &counts, why);
    rc = output_close(&capture, rc, why);
    rc = output_close(&truth, rc, why);
    if (rc == 0)
        command_say("%" PRIu64 " queries, %" PRIu64 " responses, %" PRIu64 " domains, %" PRIu64 " bytes", counts.queries,
                    counts.responses, counts.domains, counts.bytes);
    return rc;
}

int cmd_simulate(int argc, char **argv)
{
    static struct run r = { .write = "-" };
    struct fault why = { 0 };
    take_options(&r, argc, argv);
    if (r.options.exit < 0 && run(&r, argv[optind], &why) != 0)
        r.options.exit = command_fail(&why);
    return options_end(&r.options);
}
