/* bench_lookup DB [SECONDS [OWNERS]]: look-ups per second of one core.
 *
 * Owners are sampled from the database (reservoir, fixed seed) and asked for by text, through
 * the functions that `dnsmon lookup` uses: parse, ranges, scan; then once more with the COF
 * lines written to /dev/null. Workloads: uniform over the sample; Zipf (s = 1) over it;
 * absent names below known domains; absent domains. One JSON object on stdout.
 */
#include "cmd/answer.h"
#include "cmd/present.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LATENCIES_MAX = 1 << 21 };

struct bench {
    struct store *store;
    double seconds;
    char (*owners)[NAME_TEXT_MAX];
    size_t n_owners, room;
    double *zipf; /* cumulated weights */
    uint64_t seed;
    struct query query;
    struct present present;
    uint64_t records;
    bool print;
    uint32_t *latency_ns;
};

static uint64_t draw(struct bench *b)
{
    b->seed ^= b->seed << 13;
    b->seed ^= b->seed >> 7;
    return b->seed ^= b->seed << 17;
}

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void die(const struct fault *why)
{
    fprintf(stderr, "bench_lookup: %s\n", why->text);
    exit(1);
}

/* ---- the sample ---- */

static void sample_owner(struct bench *b, struct slice owner, uint64_t seen)
{
    uint64_t at = seen < b->room ? seen : draw(b) % (seen + 1);
    if (at >= b->room)
        return;
    present_owner(owner, b->owners[at]);
    if (at == b->n_owners)
        b->n_owners++;
}

static uint64_t sample(struct bench *b)
{
    struct store_range all = { .kind = KIND_RR };
    struct store_scan *scan;
    struct fault why = { 0 };
    uint8_t last[NAME_KEY_MAX];
    size_t last_len = 0;
    uint64_t seen = 0;
    struct slice key, value;
    if (store_scan_open(&scan, b->store, &all, &why) != 0)
        die(&why);
    while (true) {
        if (store_scan_next(scan, &key, &value, &why) != 0)
            die(&why);
        if (key.ptr == NULL)
            break;
        size_t len = name_key_length(key.ptr, key.len);
        if (len == 0 || (len == last_len && memcmp(last, key.ptr, len) == 0))
            continue;
        memcpy(last, key.ptr, len);
        last_len = len;
        sample_owner(b, (struct slice){ key.ptr, len }, seen++);
    }
    store_scan_close(&scan);
    return seen;
}

/* Ranks are handed out at random: the reservoir is in no order of popularity. */
static void make_zipf(struct bench *b)
{
    double sum = 0;
    b->zipf = malloc(b->n_owners * sizeof *b->zipf);
    for (size_t i = 0; i < b->n_owners; i++)
        b->zipf[i] = sum += 1.0 / (double)(i + 1);
}

/* ---- workloads: the next name to ask for ---- */

static void next_uniform(struct bench *b, char *name)
{
    memcpy(name, b->owners[draw(b) % b->n_owners], NAME_TEXT_MAX);
}

static void next_zipf(struct bench *b, char *name)
{
    double at = (double)(draw(b) >> 11) * 0x1p-53 * b->zipf[b->n_owners - 1];
    size_t low = 0, high = b->n_owners - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->zipf[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    memcpy(name, b->owners[low], NAME_TEXT_MAX);
}

static void next_absent_below(struct bench *b, char *name)
{
    const char *owner = b->owners[draw(b) % b->n_owners];
    snprintf(name, NAME_TEXT_MAX, "%08x.%.900s", (unsigned)draw(b), strlen(owner) < 200 ? owner : "example.");
}

static void next_absent_domain(struct bench *b, char *name)
{
    snprintf(name, NAME_TEXT_MAX, "www.%016" PRIx64 ".com.", draw(b));
}

static const struct workload {
    const char *name;
    void (*next)(struct bench *b, char *name);
} workloads[] = {
    { "uniform", next_uniform },
    { "zipf", next_zipf },
    { "absent_below", next_absent_below },
    { "absent_domain", next_absent_domain },
};

/* ---- the measurement ---- */

static int take(void *ctx, const struct rr_key *key, const struct rr_value *value)
{
    struct bench *b = ctx;
    b->records++;
    if (b->print)
        present_record(&b->present, key, value);
    return E_OK;
}

static void ask(struct bench *b, char *name)
{
    static const struct answer_fence always;
    char rrset[] = "rrset";
    char *words[] = { rrset, name };
    struct fault why = { 0 };
    if (query_parse(&b->query, words, 2, 0, &why) != 0 ||
        answer_run(b->store, &b->query, &always, take, b, &why) != 0)
        die(&why);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void measure(struct bench *b, const struct workload *w, bool first)
{
    char name[NAME_TEXT_MAX];
    uint64_t n = 0;
    double start = now_s(), end = start, busy = 0;
    struct fault why = { 0 };
    b->records = 0;
    while (end - start < b->seconds && n < LATENCIES_MAX) {
        w->next(b, name);
        double from = now_s();
        ask(b, name);
        end = now_s();
        busy += end - from;
        b->latency_ns[n++] = (uint32_t)fmin((end - from) * 1e9, UINT32_MAX);
    }
    if (present_flush(&b->present, &why) != 0)
        die(&why);
    qsort(b->latency_ns, n, sizeof *b->latency_ns, by_size);
    printf("%s\n    {\"workload\":\"%s\",\"print\":%s,\"lookups\":%" PRIu64 ",\"lookups_per_s\":%.0f,"
           "\"records_per_lookup\":%.2f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}",
           first ? "" : ",", w->name, b->print ? "true" : "false", n, (double)n / busy,
           (double)b->records / (double)n, b->latency_ns[n / 2] / 1e3, b->latency_ns[n * 99 / 100] / 1e3,
           b->latency_ns[n - 1] / 1e3);
    fflush(stdout);
}

static void run(struct bench *b, const char *dir)
{
    const struct store_options options = { 0 };
    struct fault why = { 0 };
    if (store_open(&b->store, dir, STORE_READ, &options, &why) != 0)
        die(&why);
    const struct store_table *tables;
    uint64_t owners = sample(b);
    if (b->n_owners == 0)
        die(&(struct fault){ .text = "the database has no records" });
    make_zipf(b);
    printf("{\"bench\":\"lookup\",\"tables\":%zu,\"owners\":%" PRIu64 ",\"sampled\":%zu,\"results\":[",
           store_tables(b->store, &tables), owners, b->n_owners);
    bool first = true;
    for (int print = 0; print < 2; print++)
        for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++, first = false) {
            b->print = print;
            measure(b, &workloads[i], first);
        }
    printf("\n]}\n");
    store_close(&b->store);
}

int main(int argc, char **argv)
{
    static struct bench b = { .seconds = 3, .room = 100000, .seed = UINT64_C(0x9e3779b97f4a7c15) };
    if (argc < 2) {
        fprintf(stderr, "usage: bench_lookup DB [SECONDS [OWNERS]]\n");
        return 2;
    }
    if (argc > 2)
        b.seconds = strtod(argv[2], NULL);
    if (argc > 3 && strtoull(argv[3], NULL, 10) > 0)
        b.room = strtoull(argv[3], NULL, 10);
    b.owners = malloc(b.room * sizeof *b.owners);
    b.latency_ns = malloc(LATENCIES_MAX * sizeof *b.latency_ns);
    if (b.owners == NULL || b.latency_ns == NULL)
        die(&(struct fault){ .text = "out of memory" });
    query_init(&b.query);
    present_init(&b.present, open("/dev/null", O_WRONLY | O_CLOEXEC), PRESENT_JSON);
    run(&b, argv[1]);
    present_release(&b.present);
    query_release(&b.query);
    free(b.owners);
    free(b.latency_ns);
    free(b.zipf);
    return 0;
}
