/* bench_analyze [--names N] [--messages F] [--news P] [--threads N] [--past] [--keep] FOLDER: what `dnsmon analyze` takes for a day of N registered domains.
 *
 * Writes made-up records straight into the tables of a new database in FOLDER: a past of seven weeks, then a day in which N
 * domains (default 100,000) with five times as many hosts are asked for, F times (default 1) as often. Three in ten are new that day, and of the
 * others P in a hundred (default 10) have a host that is. Analyses the past, then the day, each in a process of its own, and prints one JSON object: the second analysis' seconds, CPU seconds and resident memory.
 * --past stops before the day; a FOLDER that is there is taken for the one that it left.
 * `anon_mb` is what the process holds by itself, `max_rss_mb` with the pages of mapped tables, which the system may take back at any time. */
#include "base/hash.h"
#include "base/keysort.h"
#include "detect/analysis.h"
#include "detect/verdict/weights.h"
#include "record/activity.h"
#include "record/rr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    HOURS = 24,
    PAST_DAYS = 50,
    COMING_DAYS = 4, /* in which all old names are asked for first, and again half the past later */
    RECENT_DAYS = 5, /* the last of the past, in which some are */
    FIRST_HOUR = 475200, /* 2024-03-18 */
    DAY_HOUR = FIRST_HOUR + PAST_DAYS * HOURS,
    TLDS = 8,
    SUBS = 12,
    LABEL_MAX = 32,
    HOSTS_MAX = 400,
};

static const struct tld {
    const char *text;
    unsigned percent; /* of all domains */
} tlds[TLDS] = { { "com", 45 }, { "de", 10 }, { "info", 5 }, { "net", 12 }, { "org", 10 }, { "ru", 6 }, { "top", 4 }, { "xyz", 8 } };

static const char *const subs[SUBS] = { "api", "app", "blog", "cdn", "dev", "ftp", "img", "mail", "shop", "static", "webmail", "www" };

struct options {
    const char *folder;
    uint64_t names;
    unsigned messages, news, threads;
    bool past, keep;
};

/* A registered domain: all about it follows from its number. */
struct domain {
    uint64_t number;
    uint64_t chance;      /* drawn once */
    bool fresh;           /* first asked for on the day itself */
    bool missing;         /* NXDOMAIN */
    bool periodic;        /* asked for by a program */
    unsigned hours;       /* of the day, in which it is asked for */
    unsigned clients;     /* in an hour */
    unsigned hosts;
    uint8_t key[NAME_KEY_MAX]; /* owner key */
    size_t len;
};

struct making {
    const struct options *o;
    struct store *store;
    uint64_t clients; /* in the network */
    struct buffer run[KINDS];
    struct activity host, whole;
    struct buffer value;
    uint32_t hour;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_analyze: %s\n", what);
    exit(1);
}

static void check(int rc, const struct fault *why)
{
    if (rc < 0)
        die(why->text);
}

static uint64_t draw(uint64_t number, uint64_t salt)
{
    return hash_mix(number * UINT64_C(0x9e3779b97f4a7c15) + salt * UINT64_C(0xd1342543de82ef95) + 1);
}

/* ---- names ---- */

static unsigned tld_of(uint64_t number)
{
    unsigned at = (unsigned)(draw(number, 1) % 100), t = 0;
    while (at >= tlds[t].percent)
        at -= tlds[t++].percent;
    return t;
}

/* Ten letters that rise with the number, and an ending. */
static size_t label_of(uint64_t number, uint64_t names, char label[LABEL_MAX])
{
    static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aeio";
    static const char *const endings[] = { "", "", "", "s", "24", "-shop", "online", "media" };
    uint64_t stride = (UINT64_C(1) << 30) / names, code = number * stride + draw(number, 2) % stride;
    size_t n = 0;
    for (int shift = 24; shift >= 0; shift -= 6) {
        label[n++] = consonants[code >> (shift + 2) & 15];
        label[n++] = vowels[code >> shift & 3];
    }
    const char *ending = endings[draw(number, 3) & 7];
    memcpy(label + n, ending, strlen(ending));
    return n + strlen(ending);
}

static size_t put_label(uint8_t *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    to[len] = 0;
    return len + 1;
}

static unsigned share(uint64_t chance, unsigned of, const unsigned parts[], unsigned n)
{
    unsigned at = (unsigned)(chance % of), i = 0;
    while (i + 1 < n && at >= parts[i])
        at -= parts[i++];
    return i;
}

/* Thirty of a hundred are new, few of which are asked for in a second hour. One of a hundred is asked for all day, by many. */
static void draw_activity(struct domain *d, uint64_t clients)
{
    static const unsigned old_hours[] = { 700, 200, 90, 10 }, new_hours[] = { 880, 90, 29, 1 };
    d->fresh = draw(d->number, 4) % 100 < 30;
    d->missing = draw(d->number, 5) % 1000 < (d->fresh ? 40 : 5);
    d->periodic = draw(d->number, 6) % 100 < 10;
    unsigned kind = share(draw(d->number, 7), 1000, d->fresh ? new_hours : old_hours, 4);
    uint64_t r = draw(d->number, 8);
    d->hours = kind == 0 ? 1 : kind == 1 ? 2 + (unsigned)(r & 1) : kind == 2 ? 4 + (unsigned)(r % 17) : HOURS;
    d->clients = kind < 2 ? 1 + (r >> 8) % 4 / 3 : kind == 2 ? 1 + (unsigned)((r >> 8) % 12) : 8 + (unsigned)((r >> 8) % 2000);
    if (d->clients > clients / 4)
        d->clients = (unsigned)(clients / 4);
}

static void draw_hosts(struct domain *d)
{
    static const unsigned parts[] = { 700, 250, 40, 10 };
    uint64_t r = draw(d->number, 9);
    unsigned kind = share(r >> 32, 1000, parts, 4);
    d->hosts = kind == 0 ? 1 + (unsigned)(r & 1) : kind == 1 ? 3 + (unsigned)(r % 5) : kind == 2 ? 20 : 200;
    if (d->missing)
        d->hosts = 1;
}

static void make_key(const struct making *m, unsigned tld, struct domain *d)
{
    char label[LABEL_MAX];
    d->len = put_label(d->key, tlds[tld].text, strlen(tlds[tld].text));
    d->len += put_label(d->key + d->len, label, label_of(d->number, m->o->names, label));
    d->key[d->len++] = 0;
}

/* The first is the domain itself. In the order of keys. */
static size_t host_key(const struct domain *d, unsigned host, uint8_t key[NAME_KEY_MAX])
{
    char text[16];
    const char *sub = text;
    memcpy(key, d->key, d->len);
    if (host == 0)
        return d->len;
    if (d->hosts > SUBS)
        snprintf(text, sizeof text, "h%03u", host);
    else
        sub = subs[SUBS - d->hosts + host];
    size_t len = d->len - 1 + put_label(key + d->len - 1, sub, strlen(sub));
    key[len++] = 0;
    return len;
}

static bool asked_in(const struct domain *d, unsigned hour)
{
    unsigned first = (unsigned)(draw(d->number, 10) % HOURS), step = d->hours > 12 ? 1 : 1 + (unsigned)(draw(d->number, 11) % (HOURS / d->hours));
    unsigned since = (hour + HOURS - first) % HOURS;
    return since % step == 0 && since / step < d->hours;
}

/* A domain's hosts are all asked for in its hours' first; later on a few. */
static bool host_asked_in(const struct domain *d, unsigned host, unsigned hour)
{
    return hour == draw(d->number, 10) % HOURS || host < 2 || draw(d->number * HOSTS_MAX + host, hour) % 8 == 0;
}

/* ---- entries ---- */

static void add(struct making *m, unsigned kind, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
    uint8_t head[4] = { (uint8_t)key_len, (uint8_t)(key_len >> 8), (uint8_t)len, (uint8_t)(len >> 8) };
    buffer_append(&m->run[kind], head, sizeof head);
    buffer_append(&m->run[kind], key, key_len);
    buffer_append(&m->run[kind], value, len);
}

static void clear(struct activity *a)
{
    a->first = UINT64_MAX;
    a->last = 0;
    a->n_clients = a->n_names = 0;
    memset(a->counters, 0, sizeof a->counters);
}

static void fill_asks(const struct making *m, const struct domain *d, struct activity_client *c, unsigned asked)
{
    unsigned gap = ACTIVITY_HOUR_S / (asked + 1), at = (unsigned)(draw(c->id, m->hour ^ d->number) % gap);
    c->n_asks = 0;
    for (unsigned i = 0; i < asked && i < ACTIVITY_ASKS && at < ACTIVITY_HOUR_S; i++) {
        c->asks[c->n_asks++] = (uint16_t)at;
        at += 1 + (d->periodic ? gap - 1 : (unsigned)(draw(c->id + i, d->number) % gap));
    }
}

/* `n` clients ask so many times each; those of a domain are always the same. */
static void fill_clients(const struct making *m, const struct domain *d, unsigned n, unsigned asked, struct activity *a)
{
    unsigned max = activity_clients_max(a);
    uint64_t apart = m->clients / n, wide = UINT64_MAX / m->clients;
    a->n_clients = n < max ? n : max;
    for (unsigned i = 0; i < a->n_clients; i++) {
        uint64_t client = i * apart + draw(d->number, 1000 + i) % apart;
        a->clients[i].id = client * wide + draw(client, 12) % wide;
        a->clients[i].n_asks = 0;
        if (n < max)
            fill_asks(m, d, &a->clients[i], asked);
    }
}

static void count(const struct making *m, const struct domain *d, unsigned queries, struct activity *a)
{
    uint64_t *n = a->counters, start = (uint64_t)m->hour * ACTIVITY_HOUR_S;
    uint64_t first = draw(d->number, m->hour) % 1800;
    a->first = start + first < a->first ? start + first : a->first;
    a->last = start + 1800 + first > a->last ? start + 1800 + first : a->last;
    n[ACTIVITY_QUERIES] += queries;
    n[ACTIVITY_ANSWERED] += queries;
    n[d->missing ? ACTIVITY_NX_DOMAIN : ACTIVITY_NOERROR] += queries;
    n[ACTIVITY_A] += queries - queries / 3;
    n[ACTIVITY_AAAA] += queries / 3;
    n[ACTIVITY_QUERY_BYTES] += queries * UINT64_C(60);
    n[ACTIVITY_RESPONSE_BYTES] += queries * UINT64_C(150);
    n[ACTIVITY_TTL] = d->missing ? 0 : 300;
}

static void add_activity(struct making *m, unsigned kind, const uint8_t *owner, size_t len, const struct activity *a)
{
    uint8_t key[ACTIVITY_KEY_MAX];
    buffer_clear(&m->value);
    activity_put(a, &m->value);
    add(m, kind, key, activity_key_put((struct slice){ owner, len }, m->hour, key), m->value.ptr, m->value.len);
}

static void add_name(struct making *m, const uint8_t *owner, size_t len, bool domain, const struct activity *a)
{
    uint8_t key[NAME_KEY_MAX + 1], value[3 * VARINT_MAX];
    struct name_value v = { a->first, a->last, a->counters[ACTIVITY_QUERIES] };
    size_t n = name_key_reverse(owner, len, key);
    if (domain)
        key[n++] = 1;
    add(m, KIND_NAME, key, n, value, name_value_put(&v, value));
}

/* A quarter of hosts have an address of their own, others share one of many tenants. */
static void add_record(struct making *m, const struct domain *d, unsigned host, const uint8_t *owner, size_t len, const struct activity *a)
{
    static uint8_t key[RR_INVERSE_MAX], value[RR_VALUE_MAX];
    uint64_t r = draw(d->number, 20 + (host > 4 ? 4 : host));
    uint64_t at = r % 4 == 0 ? (r >> 8) % (UINT64_C(1) << 31) : hash_mix((r >> 8) % (m->o->names / 50 + 1)) % (UINT64_C(1) << 31);
    uint8_t address[4] = { (uint8_t)(1 + (at >> 24)), (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at };
    struct slice rdata = { address, sizeof address }, name = { owner, len };
    struct rr_value v = { .first = a->first, .last = a->last, .count = a->counters[ACTIVITY_QUERIES], .ttl_min = 300, .ttl_max = 300,
                          .flags = RR_ANSWER | RR_PAIRED, .sensors = 1 };
    size_t n = rr_value_put(&v, value);
    if (d->missing) {
        add(m, KIND_RR, key, rr_about_put(name, RR_NXDOMAIN, 0, (struct slice){ NULL, 0 }, key), value, n);
        return;
    }
    add(m, KIND_RR, key, rr_key_put(name, TYPE_A, rdata, key), value, n);
    add(m, KIND_INVERSE, key, rr_inverse_put(name, TYPE_A, 0, rdata, key), value, n);
}

static void add_domain(struct making *m, const struct domain *d, unsigned hosts, bool all)
{
    uint8_t key[NAME_KEY_MAX];
    unsigned asked = (2 + (unsigned)(draw(d->number, 13) & 1)) * m->o->messages, hour = m->hour % HOURS;
    clear(&m->whole);
    fill_clients(m, d, d->clients, asked, &m->whole);
    for (unsigned i = 0; i < hosts; i++) {
        if (i > 0 && !all && !host_asked_in(d, i, hour))
            continue;
        unsigned clients = i < 2 ? d->clients : 1 + d->clients / 4;
        size_t len = host_key(d, i, key);
        clear(&m->host);
        fill_clients(m, d, clients, asked, &m->host);
        count(m, d, clients * asked, &m->host);
        count(m, d, clients * asked, &m->whole);
        activity_add_name(&m->whole, (struct activity_name){ hash_stable(key, len), (uint8_t)(len - d->len), 80 });
        add_activity(m, KIND_HOST, key, len, &m->host);
        add_name(m, key, len, false, &m->host);
        add_record(m, d, i, key, len, &m->host);
    }
    add_activity(m, KIND_DOMAIN, d->key, d->len, &m->whole);
    add_name(m, d->key, d->len, true, &m->whole);
}

/* ---- tables ---- */

/* Entries that were not made in the order of their keys. */
static void sort_run(struct buffer *run)
{
    size_t n = 0;
    for (size_t at = 0; at < run->len; at += 4 + get_le16(run->ptr + at) + get_le16(run->ptr + at + 2))
        n++;
    struct keysort_item *items = calloc(2 * n + 1, sizeof *items);
    uint8_t *sorted = malloc(run->len + 1), *to = sorted;
    if (items == NULL || sorted == NULL)
        die("no memory");
    size_t i = 0;
    for (size_t at = 0; at < run->len; at += 4 + get_le16(run->ptr + at) + get_le16(run->ptr + at + 2))
        items[i++] = (struct keysort_item){ .key = run->ptr + at + 4, .len = get_le16(run->ptr + at) };
    keysort(items, items + n, n);
    for (i = 0; i < n; i++) {
        const uint8_t *entry = items[i].key - 4;
        size_t len = 4 + (size_t)get_le16(entry) + get_le16(entry + 2);
        memcpy(to, entry, len);
        to += len;
    }
    memcpy(run->ptr, sorted, run->len);
    free(sorted);
    free(items);
}

static void write_tables(struct making *m, enum store_tier tier, uint32_t from, uint32_t until)
{
    struct store_table tables[KINDS];
    struct store_change change = { .add = tables, .watermark = (int64_t)until * ACTIVITY_HOUR_S };
    struct fault why;
    sort_run(&m->run[KIND_NAME]);
    sort_run(&m->run[KIND_INVERSE]);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct store_run run = { m->run[kind].ptr, m->run[kind].len };
        struct store_table *t = &tables[change.n_add];
        *t = (struct store_table){ .kind = (uint8_t)kind, .tier = (uint8_t)tier, .slot = (int64_t)from * ACTIVITY_HOUR_S };
        if (m->run[kind].failed)
            die("no memory");
        check(store_write_table(m->store, t, &run, 1, &why), &why);
        change.n_add += t->entries != 0;
        buffer_clear(&m->run[kind]);
    }
    check(store_commit(m->store, &change, &why), &why);
}

static bool is_coming(const struct domain *d, unsigned day)
{
    return day == draw(d->number, 14) % COMING_DAYS;
}

/* In one hour of the day. So that none has been silent for so long that its return is news. */
static bool asked_on(const struct domain *d, unsigned day)
{
    bool recent = day >= PAST_DAYS - RECENT_DAYS && draw(d->number, 100 + day) % 10 == 0;
    return !d->fresh && (is_coming(d, day) || is_coming(d, day - PAST_DAYS / 2) || recent);
}

/* Which of its hosts a day of the past asks for: all that were known by then, or the domain alone. */
static unsigned past_hosts(const struct making *m, const struct domain *d, unsigned day)
{
    bool has_news = draw(d->number, 15) % 100 < m->o->news;
    return !is_coming(d, day) || d->hosts == 1 ? 1 : d->hosts - has_news;
}

/* In the order of owner keys. `day`: a whole one of the past; else the hour at hand. */
static void add_domains(struct making *m, bool past, unsigned day)
{
    struct domain d;
    for (unsigned tld = 0; tld < TLDS; tld++)
        for (d.number = 0; d.number < m->o->names; d.number++) {
            if (tld_of(d.number) != tld)
                continue;
            draw_activity(&d, m->clients);
            if (past ? !asked_on(&d, day) : !asked_in(&d, m->hour % HOURS))
                continue;
            draw_hosts(&d);
            make_key(m, tld, &d);
            if (past)
                m->hour = FIRST_HOUR + day * HOURS + (uint32_t)(draw(d.number, 200 + day) % HOURS);
            add_domain(m, &d, past ? past_hosts(m, &d, day) : d.hosts, past);
        }
}

static void make_database(const struct options *o)
{
    struct making m = { .o = o, .clients = o->names / 50 < 400 ? 400 : o->names / 50 };
    struct fault why;
    activity_init(&m.host, false);
    activity_init(&m.whole, true);
    buffer_init(&m.value, ACTIVITY_VALUE_MAX);
    for (unsigned kind = 0; kind < KINDS; kind++)
        buffer_init(&m.run[kind], (size_t)1 << 34);
    check(store_open(&m.store, o->folder, STORE_WRITE, NULL, &why), &why);
    for (unsigned day = 0; day < PAST_DAYS; day++) {
        add_domains(&m, true, day);
        if (m.run[KIND_DOMAIN].len != 0)
            write_tables(&m, TIER_DAY, FIRST_HOUR + day * HOURS, FIRST_HOUR + (day + 1) * HOURS);
    }
    for (m.hour = DAY_HOUR; m.hour < DAY_HOUR + HOURS; m.hour++) {
        add_domains(&m, false, PAST_DAYS);
        write_tables(&m, TIER_HOUR, m.hour, m.hour + 1);
    }
    for (unsigned kind = 0; kind < KINDS; kind++)
        buffer_release(&m.run[kind]);
    buffer_release(&m.value);
    store_close(&m.store);
}

/* ---- measuring ---- */

struct taken {
    double seconds, cpu_s;
    uint64_t rss_kib, anon_kib; /* at most */
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t anonymous_kib(pid_t pid)
{
    char path[64], line[256];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtoull(line + 8, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

/* Runs it in a process of its own, whose memory is looked at twenty times a second. */
static struct taken run_apart(void (*run)(const struct options *, uint32_t, struct analysis_summary *), const struct options *o,
                              uint32_t until, struct analysis_summary *ret)
{
    struct taken taken = { .seconds = -now_s() };
    struct rusage use;
    int pipes[2], status;
    pid_t done;
    if (pipe(pipes) != 0)
        die("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        run(o, until, ret);
        _exit(write(pipes[1], ret, sizeof *ret) != sizeof *ret);
    }
    close(pipes[1]);
    while ((done = wait4(pid, &status, WNOHANG, &use)) == 0) {
        uint64_t kib = anonymous_kib(pid);
        taken.anon_kib = kib > taken.anon_kib ? kib : taken.anon_kib;
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    }
    if (done < 0 || status != 0 || read(pipes[0], ret, sizeof *ret) != sizeof *ret)
        die("a run failed");
    close(pipes[0]);
    taken.seconds += now_s();
    taken.cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    taken.rss_kib = (uint64_t)use.ru_maxrss;
    return taken;
}

static void make(const struct options *o, uint32_t until, struct analysis_summary *ret)
{
    (void)until;
    make_database(o);
    *ret = (struct analysis_summary){ 0 };
}

static void analyse(const struct options *o, uint32_t until, struct analysis_summary *ret)
{
    struct suffix_list *suffixes;
    struct verdict_weights weights;
    struct fault why;
    check(suffix_load(&suffixes, SUFFIX_DEFAULT_PATH, &why), &why);
    weights_default(&weights);
    struct analysis_options how = {
        .dir = o->folder, .suffixes = suffixes, .weights = &weights, .threads = o->threads, .now = (int64_t)until * ACTIVITY_HOUR_S,
        .as_of = (int64_t)until * ACTIVITY_HOUR_S,
    };
    check(analysis_run(&how, ret, &why), &why);
}

static void remove_database(const char *folder)
{
    char command[4096];
    snprintf(command, sizeof command, "rm -r -- '%s'", folder);
    if (system(command) != 0)
        die("the database cannot be removed");
}

static struct options parse(int argc, char **argv)
{
    struct options o = { .names = 100000, .messages = 1, .news = 10, .threads = 2 };
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (more && strcmp(argv[i], "--names") == 0)
            o.names = strtoull(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--messages") == 0)
            o.messages = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--news") == 0)
            o.news = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (more && strcmp(argv[i], "--threads") == 0)
            o.threads = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--past") == 0)
            o.past = true;
        else if (strcmp(argv[i], "--keep") == 0)
            o.keep = true;
        else
            o.folder = argv[i];
    }
    if (o.folder == NULL || o.names == 0 || o.names > 1 << 26 || o.messages == 0 || o.news > 100 || o.threads == 0)
        die("usage: bench_analyze [--names N] [--messages F] [--news P] [--threads N] [--past] [--keep] FOLDER");
    return o;
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct analysis_summary sum;
    struct taken making = { 0 }, past = { 0 };
    struct stat there;
    if (stat(o.folder, &there) != 0) {
        making = run_apart(make, &o, 0, &sum);
        past = run_apart(analyse, &o, DAY_HOUR, &sum);
    } else if (o.past) {
        die("the folder is there already");
    }
    if (o.past)
        return 0;
    struct taken day = run_apart(analyse, &o, DAY_HOUR + HOURS, &sum);
    printf("{\"names\": %" PRIu64 ", \"factor\": %u, \"news\": %u, \"threads\": %u, \"messages\": %" PRIu64 ", \"names_hours\": %" PRIu64
           ", \"candidates\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"examined\": %" PRIu64 ", \"evidence\": %" PRIu64
           ", \"seconds\": %.1f, \"cpu_s\": %.1f, \"max_rss_mb\": %" PRIu64 ", \"anon_mb\": %" PRIu64
           ", \"past_cpu_s\": %.1f, \"past_max_rss_mb\": %" PRIu64 ", \"making_cpu_s\": %.1f}\n",
           o.names, o.messages, o.news, o.threads, sum.messages, sum.names, sum.candidates, sum.refused, sum.examined, sum.evidence, day.seconds,
           day.cpu_s, day.rss_kib / 1024, day.anon_kib / 1024, past.cpu_s, past.rss_kib / 1024, making.cpu_s);
    if (!o.keep)
        remove_database(o.folder);
    return 0;
}
