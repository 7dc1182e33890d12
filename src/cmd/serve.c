/* dnsmon serve: policy zones for resolvers, and feeds by HTTP, kept up with what analysis and operators decide.
 *
 * Sockets are opened first, with whatever privileges there are; then those are given up, and only then is the database
 * opened or a thread made. Four threads, each with its own handle of the knowledge file: this one answers, the keeper's two write, feeding
 * writes files. None waits for another. */
#include "cmd/account.h"
#include "cmd/commands.h"
#include "cmd/feeding.h"
#include "cmd/keeper.h"
#include "cmd/present.h"
#include "cmd/protect_config.h"
#include "protect/rpz/server.h"
#include "protect/views.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: dnsmon serve [OPTION...]\n"
    "\n"
    "Publishes by the section 'protect' of the configuration until SIGINT or SIGTERM: policy zones (RPZ) for resolvers by AXFR, IXFR and\n"
    "NOTIFY, and feeds as files and by HTTP. What changes in the knowledge file is published within a second.\n"
    "\n"
    "      --user NAME     what root becomes once all sockets are open (" ACCOUNT_DEFAULT ")\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_USER = OPTION_OWN, OWN_SUFFIXES };
enum { POLL_MS = 100, AGAIN_S = 1 };

static const struct option longs[] = {
    { "user", required_argument, NULL, OWN_USER },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct serve {
    struct options options;
    const char *suffixes;
    struct account account;
    struct protection *protection;
    struct views *views;
    struct responder *responder;
    struct server *server;
    struct feed_http *http;
    struct protecting protecting; /* the keeper's once that runs */
    struct keeper *keeper;
    struct feeding *feeding;
    struct knowledge *k;          /* ours, for reading */
    int64_t seen;                 /* its change counter */
    time_t failed;                /* monotonic seconds of the last failure to follow */
    struct fault said;
    struct buffer why;            /* the last answer of why a name is listed */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* ---- what the server asks and tells ---- */

struct why_listed {
    const struct serve *s;
    const struct protection_view *view;
    struct buffer *to;
};

static int put_why(void *ctx, const struct publication *p, struct fault *why)
{
    const struct why_listed *l = ctx;
    char since[32];
    (void)why;
    if (!protection_shows(l->s->protection, l->view, p))
        return E_OK;
    present_time((uint64_t)p->since, since);
    buffer_printf(l->to, "%s %s, %s since %s UTC, approved by %s: %s; %s, score %.2f, categories %s", trigger_text(p->trigger), p->name,
                  stage_text(p->stage), since, p->approved_by[0] ? p->approved_by : "nobody", p->reason, verdict_level_text(p->level), p->score,
                  p->categories);
    return E_OK;
}

/* A name by itself, else by the nearest domain at or above it. */
static int find_why(struct why_listed *l, enum trigger trigger, const char *name, struct fault *why)
{
    if (trigger == TRIGGER_ADDRESS || trigger == TRIGGER_NAMESERVER)
        return publication_find(l->s->k, name, trigger, put_why, l, why);
    int rc = publication_find(l->s->k, name, TRIGGER_HOST, put_why, l, why);
    for (; rc == 0 && name != NULL && l->to->len == 0; name = knowledge_parent(name))
        rc = publication_find(l->s->k, name, TRIGGER_DOMAIN, put_why, l, why);
    return rc;
}

static const char *tell_why(void *ctx, const struct zone *zone, enum trigger trigger, const char *name)
{
    struct serve *s = ctx;
    struct why_listed l = { .s = s, .to = &s->why };
    struct fault why = { 0 };
    for (unsigned i = 0; i < views_count(s->views); i++)
        if (views_zone(s->views, i) == zone)
            l.view = &s->protection->views[i];
    buffer_clear(&s->why);
    if (find_why(&l, trigger, name, &why) != 0 || s->why.len == 0)
        return NULL;
    buffer_u8(&s->why, '\0');
    return s->why.failed ? NULL : (const char *)s->why.ptr;
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    command_say("%s", line);
}

/* ---- setting up ---- */

static int allow(struct serve *s, const struct zone *zone, struct fault *why)
{
    const struct protection_server *config = &s->protection->server;
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < config->n_allow; i++)
        rc = responder_allow(s->responder, zone, config->allow[i].address, config->allow[i].key, why);
    return rc;
}

static int notify(struct serve *s, struct zone *zone, struct fault *why)
{
    const struct protection_server *config = &s->protection->server;
    int rc = E_OK;
    for (unsigned i = 0; rc == 0 && i < config->n_secondaries; i++)
        rc = server_notify(s->server, zone, config->secondaries[i].address, config->secondaries[i].key, why);
    return rc;
}

static const enum receipt_kind receipt_kinds[DELIVERY_KINDS] = {
    [DELIVERY_SOA] = RECEIPT_SOA, [DELIVERY_AXFR] = RECEIPT_AXFR, [DELIVERY_IXFR] = RECEIPT_IXFR, [DELIVERY_NOTIFY] = RECEIPT_NOTIFY,
};

/* After which the secondary does not have what it asked for. */
static bool is_failure(enum delivery_outcome outcome)
{
    return outcome == OUTCOME_CUT || outcome == OUTCOME_SLOW || outcome == OUTCOME_UNWANTED || outcome == OUTCOME_USE_TCP;
}

static void receive(void *ctx, const struct delivery *d)
{
    struct serve *s = ctx;
    uint8_t wire[NAME_WIRE_MAX];
    char zone[NAME_TEXT_MAX];
    struct slice origin = zone_origin(d->zone);
    memcpy(wire, origin.ptr, origin.len);
    size_t n = name_to_text(wire, origin.len, zone);
    if (n > 1)
        zone[n - 1] = '\0';
    const struct receipt r = {
        .at = time(NULL), .secondary = d->secondary, .zone = zone, .serial = d->serial, .kind = receipt_kinds[d->kind],
        .records = (int64_t)d->records, .bytes = (int64_t)d->bytes, .ms = d->ms, .outcome = is_failure(d->outcome) ? delivery_outcome_text(d->outcome) : "",
    };
    if (s->keeper != NULL)
        keeper_receive(s->keeper, &r);
}

static int make_responder(struct serve *s, struct fault *why)
{
    const struct responder_options options = { .why = tell_why, .say = say, .ctx = s };
    const struct protection_server *config = &s->protection->server;
    int rc = views_create(&s->views, s->protection, why);
    if (rc == 0)
        rc = responder_create(&s->responder, &options, why);
    for (unsigned i = 0; rc == 0 && i < config->n_keys; i++)
        rc = responder_add_key(s->responder, config->keys[i].name, config->keys[i].algorithm, config->keys[i].secret, why);
    for (unsigned i = 0; rc == 0 && i < views_count(s->views); i++) {
        rc = responder_add_zone(s->responder, views_zone(s->views, i), why);
        rc = rc ? rc : allow(s, views_zone(s->views, i), why);
    }
    return rc;
}

static int open_server(struct serve *s, struct fault *why)
{
    const struct server_options options = { .receive = receive, .ctx = s };
    const struct protection_texts *listen = &s->protection->server.listen;
    int rc = server_create(&s->server, s->responder, &options, why);
    for (unsigned i = 0; rc == 0 && i < listen->n; i++)
        rc = server_listen(s->server, listen->text[i], why);
    for (unsigned i = 0; rc == 0 && i < views_count(s->views); i++)
        rc = notify(s, views_zone(s->views, i), why);
    return rc;
}

/* With the privileges of the start. */
static int open_sockets(struct serve *s, struct fault *why)
{
    int rc = account_find(&s->account, s->options.settings.user, why);
    if (rc == 0)
        rc = protect_config_load_keys(&s->protection->server, why);
    if (rc == 0)
        rc = make_responder(s, why);
    if (rc == 0)
        rc = open_server(s, why);
    if (rc == 0 && s->protection->feeds.listen != NULL)
        rc = feeding_listen(&s->http, s->protection, why);
    return rc;
}

/* Without any: all that is published by now, as a version of this life of the server. */
static int load(struct serve *s, struct fault *why)
{
    struct lifecycle_result result;
    int rc = account_enter(&s->account, why);
    if (rc == 0)
        rc = account_check_folder(&s->account, s->options.settings.db, why);
    if (rc == 0)
        rc = protecting_open(&s->protecting, &s->options, KNOWLEDGE_WRITE, s->suffixes, why);
    if (rc == 0)
        rc = lifecycle_run(s->protecting.k, &s->protecting.life, &result, why);
    if (rc == 0)
        rc = views_begin(s->views, s->protecting.k, s->protecting.life.now, why);
    if (rc == 0)
        rc = options_open_knowledge(&s->options, KNOWLEDGE_READ, &s->k, why);
    return rc ? rc : views_load(s->views, s->k, why);
}

static int start_threads(struct serve *s, struct fault *why)
{
    int rc = keeper_start(&s->keeper, &s->protecting, why);
    if (rc == 0 && s->protection->feeds.dir != NULL)
        rc = feeding_start(&s->feeding, &s->options.settings, why);
    if (rc == 0 && s->http != NULL)
        rc = feed_http_start(s->http, why);
    return rc;
}

static void tell_start(const struct serve *s)
{
    const char *refused;
    uint64_t n = views_refused(s->views, &refused);
    if (s->account.from_root)
        command_say("started as root, goes on as user %s without capabilities", s->account.name);
    for (unsigned i = 0; i < views_count(s->views); i++)
        command_say("%s: version %" PRIu32 ", %zu triggers", s->protection->views[i].zone, zone_serial(views_zone(s->views, i)),
                    zone_count(views_zone(s->views, i)));
    for (unsigned i = 0; i < s->protection->server.listen.n; i++)
        command_say("answers on %s, port %u", s->protection->server.listen.text[i], server_port(s->server, i));
    if (s->http != NULL)
        command_say("feeds on %s, port %u", s->protection->feeds.listen, feed_http_port(s->http));
    if (n != 0)
        command_say("%" PRIu64 " triggers are in no zone; the last: %s", n, refused);
}

/* ---- serving ---- */

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int follow(struct serve *s, struct fault *why)
{
    int64_t changed;
    bool any;
    int rc = knowledge_stamp(s->k, &changed, why);
    if (rc != 0 || changed == s->seen)
        return rc;
    rc = views_follow(s->views, s->k, &any, why);
    if (rc == 0)
        s->seen = changed;
    return rc;
}

/* A version that cannot be read is tried again; what was published stays. */
static void keep_up(struct serve *s)
{
    struct fault why = { 0 };
    if (s->failed != 0 && now_s() - s->failed < AGAIN_S)
        return;
    s->failed = 0;
    if (follow(s, &why) == 0)
        return;
    s->failed = now_s();
    if (strcmp(why.text, s->said.text) != 0)
        command_say("stays at the former version: %s; tried again", why.text);
    s->said = why;
}

static int serve(struct serve *s, struct fault *why)
{
    const struct sigaction on_stop = { .sa_handler = stop };
    sigaction(SIGINT, &on_stop, NULL);
    sigaction(SIGTERM, &on_stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    int rc = open_sockets(s, why);
    if (rc == 0)
        rc = load(s, why);
    if (rc == 0)
        rc = start_threads(s, why);
    if (rc == 0)
        tell_start(s);
    while (rc == 0 && !stopped) {
        rc = server_poll(s->server, POLL_MS, why);
        keep_up(s);
    }
    return rc;
}

static void tell_end(const struct serve *s)
{
    struct server_stats stats;
    if (s->server == NULL || s->keeper == NULL)
        return;
    server_stats(s->server, &stats);
    command_say("%" PRIu64 " messages by UDP, %" PRIu64 " connections, %" PRIu64 " transfers of %" PRIu64 " records, %" PRIu64 " notified, %" PRIu64
                " receipts lost", stats.udp_messages, stats.connections, stats.transfers, stats.records, stats.notified, keeper_lost(s->keeper));
}

static void close_all(struct serve *s)
{
    tell_end(s);
    server_destroy(&s->server);
    responder_destroy(&s->responder);
    views_destroy(&s->views);
    feed_http_close(&s->http);
    feeding_stop(&s->feeding);
    keeper_stop(&s->keeper);
    protecting_close(&s->protecting);
    knowledge_close(&s->k);
    buffer_release(&s->why);
}

static void set_user(struct options *o)
{
    struct fault why = { 0 };
    if (settings_set(&o->settings.user, optarg, &why) != 0)
        options_wrong(o, "%s", why.text);
}

static void take_options(struct serve *s, int argc, char **argv)
{
    struct options *o = &s->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_USER: set_user(o); break;
        case OWN_SUFFIXES: s->suffixes = optarg; break;
        }
    s->protection = &o->settings.protect;
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    else if (o->exit < 0 && s->protection->n_views == 0)
        options_wrong(o, "the configuration has no view to serve; see 'protect' in dnsmon.yaml, and --config");
}

int cmd_serve(int argc, char **argv)
{
    static struct serve s;
    struct fault why = { 0 };
    buffer_init(&s.why, KNOWLEDGE_TEXT_MAX);
    take_options(&s, argc, argv);
    if (s.options.exit < 0 && serve(&s, &why) != 0)
        s.options.exit = command_fail(&why);
    close_all(&s);
    return options_end(&s.options);
}
