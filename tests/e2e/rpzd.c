/* rpzd OPTION...: src/protect alone, for tests: policy zones whose versions are made by lines on standard input.
 *
 *     --zone NAME        a view; what follows is for it
 *     --allow NETWORK[ KEY]
 *     --notify ADDRESS:PORT[ KEY]
 *     --key "NAME ALGORITHM SECRET"    before those who use it
 *     --listen ADDRESS:PORT
 *     --journal N  --refresh S  --idle MS  --clients N
 *
 *     begin SERIAL | commit | abort
 *     add KIND NAME ACTION... | remove KIND NAME | fill N (hosts n0.fill.example ...)
 *     zone NAME          what follows is for that one
 *     stat
 *
 * Each line is answered on standard output with "ok ..." or "error ..."; receipts and what is refused come as
 * "receipt ..." and "say ...". Ends with its input. */
#include "protect/rpz/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { ZONES_MAX = 4, LINE_MAX_BYTES = 4096 };

struct daemon {
    struct responder *responder;
    struct server *server;
    struct zone *zones[ZONES_MAX];
    const char *names[ZONES_MAX];
    unsigned n_zones, current;
};

static void fail(const struct fault *why)
{
    fprintf(stderr, "rpzd: %s\n", why->text);
    exit(1);
}

static const char *tell_why(void *ctx, const struct zone *zone, enum trigger trigger, const char *name)
{
    static char text[256];
    (void)ctx;
    (void)trigger;
    snprintf(text, sizeof text, "%s: listed by hand", name);
    return zone_find(zone, TRIGGER_DOMAIN, name) >= 0 || zone_find(zone, TRIGGER_HOST, name) >= 0 ? text : NULL;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    printf("say %s\n", line);
}

static void receive(void *ctx, const struct delivery *r)
{
    (void)ctx;
    printf("receipt %s %s %s serial %u had %lld records %llu bytes %llu ms %lld\n", r->secondary, delivery_kind_text(r->kind),
           delivery_outcome_text(r->outcome), r->serial, r->had_one ? (long long)r->had : -1LL, (unsigned long long)r->records,
           (unsigned long long)r->bytes, (long long)r->ms);
}

static struct zone *make_zone(const char *name, uint32_t journal, uint32_t refresh_s, struct fault *why)
{
    const struct zone_options options = {
        .origin = name, .ns = "localhost.", .mname = "localhost.", .rname = "hostmaster.localhost.", .ttl_s = 30,
        .refresh_s = refresh_s, .retry_s = 1, .expire_s = 30 * 86400, .minimum_s = 30, .journal_max = journal,
    };
    struct zone *zone;
    if (zone_create(&zone, &options, why) != 0)
        fail(why);
    return zone;
}

static unsigned action_of(struct zone *zone, const char *text, struct fault *why)
{
    unsigned action;
    return zone_action(zone, text, &action, why) == 0 ? action : ZONE_ACTIONS_MAX;
}

static int fill(struct zone *zone, unsigned long n, struct fault *why)
{
    unsigned action = action_of(zone, "nxdomain", why);
    int e = 0;
    for (unsigned long i = 0; i < n && e == 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%lu.fill.example", i);
        e = zone_add(zone, TRIGGER_HOST, name, action, why);
    }
    return e;
}

static bool kind_of(const char *text, enum trigger *ret)
{
    static const char *const kinds[TRIGGERS] = { "domain", "host", "address", "nameserver" };
    for (unsigned i = 0; i < TRIGGERS; i++)
        if (strcmp(text, kinds[i]) == 0) {
            *ret = (enum trigger)i;
            return true;
        }
    return false;
}

static int change(struct zone *zone, char *words, bool adds, struct fault *why)
{
    enum trigger trigger;
    char *rest = NULL, *kind = strtok_r(words, " ", &rest), *name = strtok_r(NULL, " ", &rest);
    if (name == NULL || !kind_of(kind, &trigger))
        return fault_set(why, E_USAGE, "a kind and a name are needed");
    if (!adds)
        return zone_remove(zone, trigger, name, why);
    unsigned action = action_of(zone, rest, why);
    return action < ZONE_ACTIONS_MAX ? zone_add(zone, trigger, name, action, why) : E_USAGE;
}

static int choose(struct daemon *d, const char *name, struct fault *why)
{
    for (unsigned i = 0; i < d->n_zones; i++)
        if (strcmp(d->names[i], name) == 0) {
            d->current = i;
            return 0;
        }
    return fault_set(why, E_USAGE, "%s: no such zone", name);
}

static int stat(const struct zone *zone)
{
    struct zone_journal j = zone_journal(zone);
    printf("zone serial %u rules %zu bytes %zu oldest %u versions %zu changes %zu\n", zone_serial(zone), zone_count(zone),
           zone_memory(zone), j.oldest, j.versions, j.changes);
    return 0;
}

static int obey(struct daemon *d, char *line, struct fault *why)
{
    struct zone *zone = d->zones[d->current];
    char *rest = NULL;
    const char *verb = strtok_r(line, " ", &rest);
    if (verb == NULL)
        return 0;
    if (strcmp(verb, "begin") == 0)
        return zone_begin(zone, (uint32_t)strtoul(rest, NULL, 10), why);
    if (strcmp(verb, "commit") == 0)
        return zone_commit(zone, why);
    if (strcmp(verb, "abort") == 0)
        return zone_abort(zone), 0;
    if (strcmp(verb, "add") == 0 || strcmp(verb, "remove") == 0)
        return change(zone, rest, verb[0] == 'a', why);
    if (strcmp(verb, "fill") == 0)
        return fill(zone, strtoul(rest, NULL, 10), why);
    if (strcmp(verb, "zone") == 0)
        return choose(d, rest, why);
    if (strcmp(verb, "stat") == 0)
        return stat(zone);
    return fault_set(why, E_USAGE, "%s: no such word", verb);
}

/* False at the end of input. */
static bool read_lines(struct daemon *d)
{
    static char bytes[LINE_MAX_BYTES];
    static size_t len;
    ssize_t n = read(STDIN_FILENO, bytes + len, sizeof bytes - len);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    len += (size_t)n;
    char *line = bytes, *end;
    while ((end = memchr(line, '\n', len - (size_t)(line - bytes))) != NULL) {
        struct fault why = { 0 };
        *end = '\0';
        int e = obey(d, line, &why);
        printf("%s %s\n", e ? "error" : "ok", e ? why.text : "");
        line = end + 1;
    }
    len -= (size_t)(line - bytes);
    memmove(bytes, line, len);
    return true;
}

/* "NAME REST" into two; NULL when there is no rest. */
static const char *split(char *text)
{
    char *space = strchr(text, ' ');
    if (space == NULL)
        return NULL;
    *space = '\0';
    return space + 1;
}

static int take_option(struct daemon *d, const char *option, char *value, struct fault *why)
{
    struct zone *zone = d->n_zones ? d->zones[d->n_zones - 1] : NULL;
    if (strcmp(option, "--key") == 0) {
        char *algorithm = (char *)(uintptr_t)split(value), *secret = algorithm ? (char *)(uintptr_t)split(algorithm) : NULL;
        return secret ? responder_add_key(d->responder, value, algorithm, secret, why) : fault_set(why, E_USAGE, "--key");
    }
    if (strcmp(option, "--listen") == 0)
        return server_listen(d->server, value, why);
    if (zone == NULL)
        return fault_set(why, E_USAGE, "%s: no --zone before it", option);
    const char *key = split(value);
    if (strcmp(option, "--allow") == 0)
        return responder_allow(d->responder, zone, value, key, why);
    if (strcmp(option, "--notify") == 0)
        return server_notify(d->server, zone, value, key, why);
    return fault_set(why, E_USAGE, "%s: no such option", option);
}

static bool is_number_option(const char *option)
{
    static const char *const options[] = { "--journal", "--refresh", "--idle", "--clients" };
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(option, options[i]) == 0)
            return true;
    return false;
}

/* These must be known first. */
static unsigned number_of(int argc, char **argv, const char *option, unsigned otherwise)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], option) == 0)
            otherwise = (unsigned)strtoul(argv[i + 1], NULL, 10);
    return otherwise;
}

static void set_up(struct daemon *d, int argc, char **argv)
{
    struct fault why;
    const struct responder_options responder = { .why = tell_why, .say = say };
    const struct server_options server = { .receive = receive, .idle_ms = number_of(argc, argv, "--idle", 0),
                                           .clients_max = number_of(argc, argv, "--clients", 0) };
    if (responder_create(&d->responder, &responder, &why) != 0 || server_create(&d->server, d->responder, &server, &why) != 0)
        fail(&why);
    for (int i = 1; i + 1 < argc; i += 2) {
        int e = 0;
        if (strcmp(argv[i], "--zone") == 0 && d->n_zones < ZONES_MAX) {
            d->names[d->n_zones] = argv[i + 1];
            d->zones[d->n_zones] = make_zone(argv[i + 1], number_of(argc, argv, "--journal", 100000),
                                              number_of(argc, argv, "--refresh", 60), &why);
            e = responder_add_zone(d->responder, d->zones[d->n_zones++], &why);
        } else if (!is_number_option(argv[i])) {
            e = take_option(d, argv[i], argv[i + 1], &why);
        }
        if (e != 0)
            fail(&why);
    }
}

int main(int argc, char **argv)
{
    struct daemon d = { 0 };
    struct fault why;
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up(&d, argc, argv);
    (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    while (read_lines(&d))
        if (server_poll(d.server, 10, &why) != 0)
            fail(&why);
    server_destroy(&d.server);
    responder_destroy(&d.responder);
    for (unsigned i = 0; i < d.n_zones; i++)
        zone_destroy(&d.zones[i]);
    return 0;
}
