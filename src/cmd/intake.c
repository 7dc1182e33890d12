#include "cmd/intake.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Set by a signal handler in any thread, read by whichever thread reads input: lock-free, and
 * relaxed order is enough, since nothing else is handed over with it. */
atomic_int intake_stopped;

static void on_signal(int number)
{
    (void)number;
    atomic_store_explicit(&intake_stopped, 1, memory_order_relaxed);
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void add_port(struct intake *in)
{
    struct settings *s = &in->options.settings;
    uint16_t port;
    if (!value_port(optarg, &port))
        options_wrong(&in->options, "--port %s: not a port", optarg);
    else if (s->n_ports == SETTINGS_PORTS_MAX)
        options_wrong(&in->options, "--port: at most %d ports", SETTINGS_PORTS_MAX);
    else
        s->ports[s->n_ports++] = port;
}

static void add_zone(struct intake *in)
{
    struct settings *s = &in->options.settings;
    uint8_t wire[NAME_WIRE_MAX];
    if (name_from_text(optarg, strlen(optarg), wire) == 0) {
        options_wrong(&in->options, "--exclude-zone %s: not a name", optarg);
        return;
    }
    char **zones = realloc(s->exclude_zones, (s->n_exclude_zones + 1) * sizeof *zones);
    char *copy = strdup(optarg);
    if (zones != NULL)
        s->exclude_zones = zones;
    if (zones == NULL || copy == NULL)
        options_wrong(&in->options, "out of memory");
    else
        s->exclude_zones[s->n_exclude_zones++] = copy;
}

static void add_client(struct intake *in)
{
    struct settings *s = &in->options.settings;
    struct value_net net;
    if (!value_net(optarg, &net)) {
        options_wrong(&in->options, "--exclude-client %s: not a network", optarg);
        return;
    }
    struct value_net *nets = realloc(s->exclude_clients, (s->n_exclude_clients + 1) * sizeof *nets);
    if (nets == NULL) {
        options_wrong(&in->options, "out of memory");
        return;
    }
    s->exclude_clients = nets;
    nets[s->n_exclude_clients++] = net;
}

static void set_vantage(struct intake *in)
{
    static const char *const names[] = { "unknown", "client", "upstream", "authoritative" };
    for (uint8_t i = 1; i < 4; i++)
        if (strcmp(optarg, names[i]) == 0)
            in->vantage = i;
    if (in->vantage == VANTAGE_UNKNOWN)
        options_wrong(&in->options, "--vantage %s: client, upstream or authoritative", optarg);
}

void intake_option(struct intake *in, int option)
{
    struct options *o = &in->options;
    uint64_t n = 0;
    switch (option) {
    case INTAKE_THREADS:
        options_count(o, "threads", &n);
        if (o->exit < 0 && (n < 1 || n > 256))
            options_wrong(o, "--threads %s: 1 to 256", optarg);
        o->settings.threads = (unsigned)n;
        break;
    case INTAKE_MEMORY: options_size(o, "memory", &o->settings.memory); break;
    case INTAKE_SLOT: options_duration(o, "slot", &o->settings.slot_s); break;
    case INTAKE_LATENESS: options_duration(o, "lateness", &o->settings.lateness_s); break;
    case INTAKE_FORMAT: in->format = optarg; break;
    case INTAKE_SENSOR: in->sensor = optarg; break;
    case INTAKE_VANTAGE: set_vantage(in); break;
    case INTAKE_PORT: add_port(in); break;
    case INTAKE_MULTICAST: o->settings.keep_multicast = true; break;
    case INTAKE_ZONE: add_zone(in); break;
    case INTAKE_CLIENT: add_client(in); break;
    case INTAKE_SOURCE_ID: in->source_id = optarg; break;
    case INTAKE_SUFFIXES: in->suffix_path = optarg; break;
    case INTAKE_COPIES: options_count(o, "copy-window", &in->copy_window_ms); break;
    }
}

static int zones_to_keys(struct intake *in, struct fault *why)
{
    const struct settings *s = &in->options.settings;
    in->zones = calloc(s->n_exclude_zones + 1, sizeof *in->zones);
    in->zone_lens = calloc(s->n_exclude_zones + 1, sizeof *in->zone_lens);
    if (in->zones == NULL || in->zone_lens == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    for (unsigned i = 0; i < s->n_exclude_zones; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        size_t n = name_from_text(s->exclude_zones[i], strlen(s->exclude_zones[i]), wire);
        in->zone_lens[i] = n ? name_owner_key(wire, n, in->zones[i]) - 1 : 0;
        if (n == 0)
            return fault_set(why, E_USAGE, "excluded zone %s: not a name", s->exclude_zones[i]);
    }
    return E_OK;
}

static void map_address(const uint8_t *address, uint8_t len, uint8_t mapped[16])
{
    memset(mapped, 0, 16);
    if (len == 4)
        mapped[10] = mapped[11] = 0xff;
    memcpy(mapped + 16 - len, address, len);
}

static int clients_to_networks(struct intake *in, struct fault *why)
{
    const struct settings *s = &in->options.settings;
    in->clients = calloc(s->n_exclude_clients + 1, sizeof *in->clients);
    if (in->clients == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    for (unsigned i = 0; i < s->n_exclude_clients; i++) {
        const struct value_net *net = &s->exclude_clients[i];
        map_address(net->lo, net->len, in->clients[i].low);
        map_address(net->hi, net->len, in->clients[i].high);
    }
    return E_OK;
}

static void tell(void *ctx, const struct observer_counts *counts, uint64_t done, uint64_t size, const char *name)
{
    enum { WIDTH = 24, EVERY_MS = 200 };
    struct intake *in = ctx;
    int64_t now = monotonic_ns();
    if (now - in->told_ns < EVERY_MS * INT64_C(1000000))
        return;
    in->told_ns = now;
    double seconds = (double)(now - in->started_ns) / 1e9;
    const char *slash = strrchr(name, '/');
    fprintf(stderr, "\r\033[K%.40s ", slash ? slash + 1 : name);
    if (size > 0) {
        int filled = (int)(done * WIDTH / size);
        fprintf(stderr, "[%.*s%.*s] %3d%% ", filled, "########################", WIDTH - filled,
                "........................", (int)(done * 100 / size));
    }
    fprintf(stderr, "%" PRIu64 " messages, %.0f/s", counts->messages, seconds > 0 ? (double)counts->messages / seconds : 0);
    fflush(stderr);
}

/* Shares of the memory bound: folds take a third, as their runs and the rounds' buffers need
 * as much again while a slot is written. */
static void fill_pipeline_options(struct intake *in, uint8_t sensor)
{
    const struct settings *s = &in->options.settings;
    struct pipeline_options *p = &in->pipeline_options;
    *p = (struct pipeline_options){
        .observer = {
            .suffixes = in->suffixes,
            .slot_s = (uint32_t)s->slot_s,
            .lateness_ns = (int64_t)s->lateness_s * 1000000000,
            .pair_timeout_ns = INT64_C(10) * 1000000000,
            .copy_window_ns = (int64_t)in->copy_window_ms * 1000000,
            .memory = s->memory / 4,
            .zones = (const uint8_t(*)[NAME_KEY_MAX])in->zones,
            .zone_lens = in->zone_lens,
            .n_zones = s->n_exclude_zones,
            .clients = in->clients,
            .n_clients = s->n_exclude_clients,
        },
        .input = { .format = in->format, .n_ports = s->n_ports, .keep_multicast = s->keep_multicast,
                   .vantage = in->vantage, .sensor = sensor, .transport_limit = s->memory / 16 },
        .threads = s->threads,
        .source_id = in->source_id,
        .stop = &intake_stopped,
        .progress = in->bar ? tell : NULL,
        .progress_ctx = in,
    };
    memcpy(p->input.ports, s->ports, sizeof p->input.ports);
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Runs and tables come and go in sizes of tens of megabytes; given back to the kernel each
 * time, their pages cost a tenth of the run in faults. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
}

int intake_open(struct intake *in, struct fault *why)
{
    struct settings *s = &in->options.settings;
    uint8_t sensor = 0;
    if (s->slot_s == 0)
        s->slot_s = in->default_slot_s;
    if (s->slot_s < 1 || 3600 % s->slot_s != 0)
        return fault_set(why, E_USAGE, "slot: a divisor of 3600 seconds, so that hours are whole");
    keep_freed_memory();
    int err = suffix_load(&in->suffixes, in->suffix_path ? in->suffix_path : SUFFIX_DEFAULT_PATH, why);
    if (err == E_OK)
        err = zones_to_keys(in, why);
    if (err == E_OK)
        err = clients_to_networks(in, why);
    struct store_options store_options = settings_store(s);
    if (err == E_OK)
        err = store_open(&in->store, s->db, STORE_WRITE, &store_options, why);
    if (err == E_OK && in->sensor != NULL)
        err = store_sensor(in->store, in->sensor, &sensor, why);
    if (err)
        return err;
    in->bar = in->options.progress || isatty(STDERR_FILENO);
    in->started_ns = monotonic_ns();
    catch_signals();
    fill_pipeline_options(in, sensor);
    return pipeline_create(&in->pipeline, in->store, &in->pipeline_options, why);
}

void intake_close(struct intake *in)
{
    if (in->bar && in->told_ns)
        fprintf(stderr, "\r\033[K");
    pipeline_destroy(&in->pipeline);
    store_close(&in->store);
    suffix_destroy(&in->suffixes);
    free(in->zones);
    free(in->zone_lens);
    free(in->clients);
}

static double cpu_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static uint64_t sum_causes(const struct tally *tally, bool malformed)
{
    uint64_t sum = 0;
    for (int i = 0; i < TALLY_CAUSES; i++)
        if (tally_is_malformed(i) == malformed)
            sum += tally->n[i];
    return sum;
}

static void print_causes(const char *what, const struct tally *tally, bool malformed)
{
    uint64_t sum = sum_causes(tally, malformed);
    if (sum == 0)
        return;
    printf(", %" PRIu64 " %s", sum, what);
    const char *between = " (";
    for (int i = 0; i < TALLY_CAUSES; i++) {
        if (tally->n[i] == 0 || tally_is_malformed(i) != malformed)
            continue;
        printf("%s%s %" PRIu64, between, tally_text(i), tally->n[i]);
        between = ", ";
    }
    printf(")");
}

static void print_time(const char *before, int64_t ns)
{
    time_t seconds = ns / 1000000000;
    struct tm tm;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    printf("%s%s", before, text);
}

void intake_summary(const struct intake *in, const struct pipeline_result *r)
{
    const struct observer_counts *c = &r->counts;
    double seconds = (double)(monotonic_ns() - in->started_ns) / 1e9;
    if (in->options.json) {
        char *text = counts_to_json(c, r, seconds, cpu_seconds());
        if (text != NULL)
            puts(text);
        free(text);
        return;
    }
    printf("%" PRIu64 " messages: %" PRIu64 " queries, %" PRIu64 " responses, %" PRIu64 " transactions, %" PRIu64
           " unanswered, %" PRIu64 " responses without query", c->messages, c->queries, c->responses, c->transactions,
           c->unanswered, c->unmatched_responses);
    print_causes("malformed", &c->tally, true);
    print_causes("skipped", &c->tally, false);
    printf("; %" PRIu64 " records seen, %" PRIu64 " distinct", c->rr_observed, r->rr_distinct);
    if (c->late > 0)
        printf(", %" PRIu64 " messages late", c->late);
    if (c->first_ns != 0) {
        print_time("; ", c->first_ns);
        print_time(" to ", c->last_ns);
    }
    if (r->sources_known > 0)
        printf("; %" PRIu64 " sources known already", r->sources_known);
    if (r->sources_empty > 0)
        printf("; %" PRIu64 " source%s empty", r->sources_empty, r->sources_empty == 1 ? "" : "s");
    printf("; %.2f s, %.2f s CPU\n", seconds, cpu_seconds());
}
