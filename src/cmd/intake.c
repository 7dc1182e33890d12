#include "cmd/intake.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cmd/counts.h"

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

static int add_port(struct intake *in, struct fault *why)
{
    struct settings_ports *ports = &in->options.settings.ports;
    if (!in->ports_given)
        ports->n = 0;
    in->ports_given = true;
    return settings_add_port(ports, optarg, why);
}

static const char *name_of(const struct options *o, int option)
{
    const struct option *l = o->longs;
    while (l->name != NULL && l->val != option)
        l++;
    return l->name;
}

/* Options whose values settings check. */
static void add_checked(struct intake *in, int option)
{
    struct settings *s = &in->options.settings;
    struct fault why;
    int err = E_OK;
    switch (option) {
    case INTAKE_PORT: err = add_port(in, &why); break;
    case INTAKE_ZONE: err = settings_add_zone(&s->exclude, optarg, &why); break;
    case INTAKE_CLIENT: err = settings_add_client(&s->exclude, optarg, &why); break;
    case INTAKE_VANTAGE: err = settings_set_vantage(&s->vantage, optarg, &why); break;
    case INTAKE_POLICY: err = settings_set(&s->policy, optarg, &why); break;
    case INTAKE_FORMAT: err = settings_set_format(&s->format, optarg, &why); break;
    case INTAKE_SENSOR: err = settings_set(&s->sensor, optarg, &why); break;
    case INTAKE_SOURCE_ID: err = settings_set(&s->source_id, optarg, &why); break;
    case INTAKE_SUFFIXES: err = settings_set(&s->public_suffixes, optarg, &why); break;
    }
    if (err)
        options_wrong(&in->options, "--%s: %s", name_of(&in->options, option), why.text);
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
    case INTAKE_ACTIVITY: o->settings.activity = true; break;
    case INTAKE_NO_ACTIVITY: o->settings.activity = false; break;
    case INTAKE_MULTICAST: o->settings.keep_multicast = true; break;
    case INTAKE_COPIES: options_count(o, "copy-window", &o->settings.copy_window_ms); break;
    default: add_checked(in, option);
    }
}

/* The settings' lists have been checked to be names and networks. */
static int zones_to_keys(const struct settings_exclude *from, struct observer_exclusion *to)
{
    uint8_t(*zones)[NAME_KEY_MAX] = calloc(from->n_zones + 1, sizeof *zones);
    size_t *lens = calloc(from->n_zones + 1, sizeof *lens);
    to->zones = (const uint8_t(*)[NAME_KEY_MAX])zones;
    to->zone_lens = lens;
    if (zones == NULL || lens == NULL)
        return E_NOMEM;
    for (unsigned i = 0; i < from->n_zones; i++) {
        uint8_t wire[NAME_WIRE_MAX];
        size_t n = name_from_text(from->zones[i], strlen(from->zones[i]), wire);
        lens[i] = name_owner_key(wire, n, zones[i]) - 1;
    }
    to->n_zones = from->n_zones;
    return E_OK;
}

static void map_address(const uint8_t *address, uint8_t len, uint8_t mapped[16])
{
    memset(mapped, 0, 16);
    if (len == 4)
        mapped[10] = mapped[11] = 0xff;
    memcpy(mapped + 16 - len, address, len);
}

static int clients_to_networks(const struct settings_exclude *from, struct observer_exclusion *to)
{
    struct observer_network *clients = calloc(from->n_clients + 1, sizeof *clients);
    to->clients = clients;
    if (clients == NULL)
        return E_NOMEM;
    for (unsigned i = 0; i < from->n_clients; i++) {
        const struct value_net *net = &from->clients[i];
        map_address(net->lo, net->len, clients[i].low);
        map_address(net->hi, net->len, clients[i].high);
    }
    to->n_clients = from->n_clients;
    return E_OK;
}

static int build_exclusions(struct intake *in, struct fault *why)
{
    const struct settings *s = &in->options.settings;
    in->exclusions = calloc(s->n_inputs + 1, sizeof *in->exclusions);
    int err = in->exclusions ? E_OK : E_NOMEM;
    for (unsigned i = 0; i <= s->n_inputs && err == E_OK; i++) {
        const struct settings_exclude *from = i == 0 ? &s->exclude : &s->inputs[i - 1].exclude;
        in->exclusions[i].also = i == 0 ? NULL : in->exclusions;
        err = zones_to_keys(from, &in->exclusions[i]);
        if (err == E_OK)
            err = clients_to_networks(from, &in->exclusions[i]);
    }
    return err ? fault_set(why, err, "out of memory") : E_OK;
}

static void release_exclusions(struct intake *in)
{
    for (unsigned i = 0; in->exclusions != NULL && i <= in->options.settings.n_inputs; i++) {
        free((void *)in->exclusions[i].zones);
        free((void *)in->exclusions[i].zone_lens);
        free((void *)in->exclusions[i].clients);
    }
    free(in->exclusions);
    in->exclusions = NULL;
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

static void use_ports(struct input_options *to, const struct settings_ports *from)
{
    memcpy(to->ports, from->port, sizeof to->ports);
    to->n_ports = from->n;
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
            .copy_window_ns = (int64_t)s->copy_window_ms * 1000000,
            .memory = s->memory / 3,
            .exclusions = in->exclusions,
            .activity = s->activity,
            .policy = in->policy ? policy_file_policy(in->policy) : NULL,
        },
        .input = { .format = s->format, .keep_multicast = s->keep_multicast,
                   .vantage = s->vantage, .sensor = sensor, .transport_limit = s->memory / 16 },
        .threads = s->threads,
        .source_id = s->source_id,
        .stop = &intake_stopped,
        .expire = in->live,
        .policy_file = in->live ? in->policy : NULL,
        .progress = in->bar ? tell : NULL,
        .progress_ctx = in,
    };
    use_ports(&p->input, &s->ports);
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

_Static_assert(CLIENT_KEY_BYTES == (int)STORE_CLIENT_KEY_BYTES, "what the store keeps is what observing needs");

static int check_times(const struct settings *s, struct fault *why)
{
    enum { DAY_S = 86400 };
    if (s->slot_s < 1 || 3600 % s->slot_s != 0)
        return fault_set(why, E_USAGE, "slot: a divisor of 3600 seconds, so that hours are whole");
    if (s->lateness_s > DAY_S || s->copy_window_ms > DAY_S * UINT64_C(1000))
        return fault_set(why, E_USAGE, "lateness, copy window: a day at most");
    return E_OK;
}

int intake_open(struct intake *in, struct fault *why)
{
    struct settings *s = &in->options.settings;
    uint8_t sensor = 0;
    if (s->slot_s == 0)
        s->slot_s = in->default_slot_s;
    int err = check_times(s, why);
    if (err)
        return err;
    keep_freed_memory();
    err = suffix_load(&in->suffixes, s->public_suffixes ? s->public_suffixes : SUFFIX_DEFAULT_PATH, why);
    if (err == E_OK)
        err = build_exclusions(in, why);
    if (err == E_OK && s->policy != NULL)
        err = policy_file_open(&in->policy, s->policy, why);
    struct store_options store_options = settings_store(s);
    if (err == E_OK)
        err = store_open(&in->store, s->db, STORE_WRITE, &store_options, why);
    if (err == E_OK && s->sensor != NULL)
        err = store_sensor(in->store, s->sensor, &sensor, why);
    if (err)
        return err;
    in->bar = in->options.progress || isatty(STDERR_FILENO);
    in->started_ns = monotonic_ns();
    catch_signals();
    fill_pipeline_options(in, sensor);
    err = store_client_key(in->store, in->pipeline_options.observer.client_key.bytes, why);
    if (err)
        return err;
    return pipeline_create(&in->pipeline, in->store, &in->pipeline_options, why);
}

void intake_close(struct intake *in)
{
    if (in->bar && in->told_ns)
        fprintf(stderr, "\r\033[K");
    pipeline_destroy(&in->pipeline);
    store_close(&in->store);
    suffix_destroy(&in->suffixes);
    policy_file_close(&in->policy);
    release_exclusions(in);
}

int intake_input(struct intake *in, unsigned index, struct input_options *ret, struct fault *why)
{
    const struct settings_input *input = &in->options.settings.inputs[index];
    *ret = in->pipeline_options.input;
    ret->exclusion = (uint8_t)(index + 1);
    if (input->vantage != VANTAGE_UNKNOWN)
        ret->vantage = input->vantage;
    if (input->ports.n > 0)
        use_ports(ret, &input->ports);
    return input->sensor ? store_sensor(in->store, input->sensor, &ret->sensor, why) : E_OK;
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
    if (r->waiting > 0)
        printf(", %" PRIu64 " waiting", r->waiting);
    print_causes("malformed", &c->tally, true);
    print_causes("skipped", &c->tally, false);
    printf("; %" PRIu64 " records seen, %s%" PRIu64 " distinct", c->rr_observed, r->rr_distinct_exact ? "" : "about ",
           r->rr_distinct);
    if (c->late > 0)
        printf(", %" PRIu64 " messages late", c->late);
    if (c->first_ns != 0) {
        print_time("; ", c->first_ns);
        print_time(" to ", c->last_ns);
    }
    if (r->read.sources_known > 0)
        printf("; %" PRIu64 " sources known already", r->read.sources_known);
    if (r->read.sources_empty > 0)
        printf("; %" PRIu64 " source%s empty", r->read.sources_empty, r->read.sources_empty == 1 ? "" : "s");
    printf("; %.2f s, %.2f s CPU\n", seconds, cpu_seconds());
}
