/* dnsmon capture: live traffic into the database, from interfaces and from resolvers' dnstap.
 *
 * Interfaces and sockets are opened first, with whatever privileges there are; then those are given
 * up, and only then is a packet read, the database opened or a thread made. */
#include "cmd/account.h"
#include "cmd/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "input/dnstap_server.h"
#include "input/live.h"

static const char usage[] =
    "usage: dnsmon capture [OPTION]... -i IFACE... | --dnstap unix:PATH|tcp:ADDR:PORT...\n"
    "\n"
    "Reads DNS traffic as it happens until SIGINT or SIGTERM, then seals everything. Inputs may\n"
    "also stand in the configuration file.\n"
    "\n" OPTIONS_COMMON_HELP
    "  -i, --interface IF[,KEY=VALUE]...  an interface to listen on; may be repeated\n"
    "      --dnstap ADDR[,KEY=VALUE]...   a socket that resolvers send dnstap to; may be repeated\n"
    "                      KEY: sensor, vantage, port, exclude-zone, exclude-client of this one alone\n"
    "      --user NAME     what root becomes once all is open (" ACCOUNT_DEFAULT ")\n"
    INTAKE_HELP;

enum { CAPTURE_DNSTAP = INTAKE_OWN, CAPTURE_USER, INPUTS_MAX = 64 };

static const struct option longs[] = {
    { "interface", required_argument, NULL, 'i' },
    { "dnstap", required_argument, NULL, CAPTURE_DNSTAP },
    { "user", required_argument, NULL, CAPTURE_USER },
    INTAKE_OPTIONS,
    OPTIONS_COMMON,
};

/* One input: an interface with a transport of its own, since vantage and sensor are the interface's,
 * or a server. */
struct feed {
    struct input_options options;
    struct live *live;
    struct transport *transport;
    struct dnstap_server *server;
};

struct capture {
    struct intake intake;
    struct account account;
    unsigned wanted[INPUTS_MAX]; /* places in settings.inputs */
    struct feed feeds[INPUTS_MAX];
    struct live_input inputs[INPUTS_MAX];
    unsigned n, interfaces;
};

static int read_feed(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why)
{
    struct feed *f = ctx;
    int err = f->live ? live_read(f->live, f->transport, batch, tally, timeout_ms, why)
                      : dnstap_server_read(f->server, batch, tally, timeout_ms, why);
    return err == E_INTERRUPTED ? E_OK : err;
}

static const struct settings_input *wanted(const struct capture *c, unsigned i)
{
    return &c->intake.options.settings.inputs[c->wanted[i]];
}

static void add_input(struct options *o, enum settings_input_kind kind)
{
    struct fault why = { 0 };
    if (settings_add_input(&o->settings, kind, optarg, &why) != E_OK)
        options_wrong(o, "%s", why.text);
}

/* The live ones of the command line, which stand behind the `configured`; without any, of the file. */
static void choose_inputs(struct capture *c, unsigned configured)
{
    const struct settings *s = &c->intake.options.settings;
    for (unsigned i = s->n_inputs > configured ? configured : 0; i < s->n_inputs; i++) {
        if (s->inputs[i].kind == INPUT_FILE)
            continue;
        if (c->n == INPUTS_MAX) {
            options_wrong(&c->intake.options, "at most %d inputs", INPUTS_MAX);
            return;
        }
        c->interfaces += s->inputs[i].kind == INPUT_INTERFACE;
        c->wanted[c->n++] = i;
    }
}

static int open_input(struct capture *c, unsigned i, struct fault *why)
{
    const struct settings_input *w = wanted(c, i);
    struct feed *f = &c->feeds[i];
    c->inputs[i] = (struct live_input){ read_feed, f };
    if (w->kind == INPUT_INTERFACE)
        return live_open(&f->live, w->where, NULL, why);
    int err = dnstap_server_open(&f->server, w->where, &f->options, why);
    if (err == E_OK && c->account.from_root)
        err = dnstap_server_give(f->server, c->account.uid, c->account.gid, why);
    return err;
}

/* What is said of the input, once there is a database that knows sensors. Interfaces share the memory that
 * open streams may take. Those end with the run and are not saved, since a wire cannot be read on from where
 * it was left: docs/format/state.md. */
static int ready_input(struct capture *c, unsigned i, struct fault *why)
{
    struct feed *f = &c->feeds[i];
    int err = intake_input(&c->intake, c->wanted[i], &f->options, why);
    if (err || f->live == NULL)
        return err;
    f->options.transport_limit /= c->interfaces;
    f->transport = transport_create(&f->options);
    return f->transport ? E_OK : fault_set(why, E_NOMEM, "%s: out of memory", wanted(c, i)->where);
}

static void close_inputs(struct capture *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        live_close(&c->feeds[i].live);
        transport_destroy(&c->feeds[i].transport);
        dnstap_server_close(&c->feeds[i].server);
    }
}

/* With the privileges of the start. */
static int open_inputs(struct capture *c, struct fault *why)
{
    int err = account_find(&c->account, c->intake.options.settings.user, why);
    for (unsigned i = 0; i < c->n && err == E_OK; i++)
        err = open_input(c, i, why);
    return err;
}

/* Without any. */
static int ready_inputs(struct capture *c, struct fault *why)
{
    int err = account_enter(&c->account, why);
    if (err == E_OK)
        err = account_check_folder(&c->account, c->intake.options.settings.db, why);
    if (err == E_OK)
        err = intake_open(&c->intake, why);
    for (unsigned i = 0; i < c->n && err == E_OK; i++)
        err = ready_input(c, i, why);
    return err;
}

static void tell_start(const struct capture *c)
{
    if (c->account.from_root)
        command_say("started as root, goes on as user %s without capabilities", c->account.name);
    for (unsigned i = 0; i < c->n; i++)
        command_say("listening on %s", wanted(c, i)->where);
}

static int run(struct capture *c, struct fault *why)
{
    struct pipeline_result result;
    int err = open_inputs(c, why);
    if (err == E_OK)
        err = ready_inputs(c, why);
    if (err == E_OK) {
        tell_start(c);
        err = pipeline_live(c->intake.pipeline, c->inputs, c->n, &result, why);
    }
    if (err == E_OK)
        intake_summary(&c->intake, &result);
    return err;
}

static void set_user(struct options *o)
{
    struct fault why = { 0 };
    if (settings_set(&o->settings.user, optarg, &why) != 0)
        options_wrong(o, "%s", why.text);
}

int cmd_capture(int argc, char **argv)
{
    static struct capture c;
    struct fault why = { 0 };
    int option;
    c.intake.default_slot_s = 60;
    c.intake.live = true;
    options_start(&c.intake.options, usage, longs, argc, argv);
    unsigned configured = c.intake.options.settings.n_inputs;
    while ((option = options_next(&c.intake.options)) > 0) {
        if (option == 'i')
            add_input(&c.intake.options, INPUT_INTERFACE);
        else if (option == CAPTURE_DNSTAP)
            add_input(&c.intake.options, INPUT_DNSTAP);
        else if (option == CAPTURE_USER)
            set_user(&c.intake.options);
        else
            intake_option(&c.intake, option);
    }
    choose_inputs(&c, configured);
    if (c.intake.options.exit < 0 && (c.n == 0 || optind < argc))
        options_wrong(&c.intake.options, optind < argc ? "files are for dnsmon ingest" : "no input; give -i IFACE or --dnstap ADDR");
    if (c.intake.options.exit >= 0)
        return options_end(&c.intake.options);
    int err = run(&c, &why);
    close_inputs(&c);
    intake_close(&c.intake);
    int code = options_end(&c.intake.options);
    return err ? command_fail(&why) : code;
}
