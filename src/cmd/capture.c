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
    "  -i, --interface IF  an interface to listen on; may be repeated\n"
    "      --dnstap ADDR   a socket that resolvers send dnstap to; may be repeated\n"
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
    struct settings_input wanted[INPUTS_MAX];
    struct feed feeds[INPUTS_MAX];
    struct live_input inputs[INPUTS_MAX];
    unsigned n;
};

static int read_feed(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why)
{
    struct feed *f = ctx;
    int err = f->live ? live_read(f->live, f->transport, batch, tally, timeout_ms, why)
                      : dnstap_server_read(f->server, batch, tally, timeout_ms, why);
    return err == E_INTERRUPTED ? E_OK : err;
}

static void want(struct capture *c, enum settings_input_kind kind, char *where)
{
    if (c->n == INPUTS_MAX)
        options_wrong(&c->intake.options, "at most %d inputs", INPUTS_MAX);
    else
        c->wanted[c->n++] = (struct settings_input){ .kind = kind, .where = where, .sensor = NULL, .vantage = c->intake.vantage };
}

static void want_configured(struct capture *c)
{
    const struct settings *s = &c->intake.options.settings;
    for (unsigned i = 0; i < s->n_inputs && c->n < INPUTS_MAX; i++)
        if (s->inputs[i].kind != INPUT_FILE)
            c->wanted[c->n++] = s->inputs[i];
}

static int open_input(struct capture *c, unsigned i, struct fault *why)
{
    const struct settings_input *w = &c->wanted[i];
    struct feed *f = &c->feeds[i];
    c->inputs[i] = (struct live_input){ read_feed, f };
    if (w->kind == INPUT_INTERFACE)
        return live_open(&f->live, w->where, NULL, why);
    int err = dnstap_server_open(&f->server, w->where, &f->options, why);
    if (err == E_OK && c->account.from_root)
        err = dnstap_server_give(f->server, c->account.uid, c->account.gid, why);
    return err;
}

/* What is said of the input, once there is a database that knows sensors. Open streams end with the
 * run: what passed on the wire cannot be read again. */
static int ready_input(struct capture *c, unsigned i, struct fault *why)
{
    const struct settings_input *w = &c->wanted[i];
    struct feed *f = &c->feeds[i];
    int err = E_OK;
    f->options = c->intake.pipeline_options.input;
    if (w->vantage != VANTAGE_UNKNOWN)
        f->options.vantage = w->vantage;
    if (w->sensor != NULL)
        err = store_sensor(c->intake.store, w->sensor, &f->options.sensor, why);
    if (err == E_OK && f->live != NULL && (f->transport = transport_create(&f->options)) == NULL)
        err = fault_set(why, E_NOMEM, "%s: out of memory", w->where);
    return err;
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
        command_say("listening on %s", c->wanted[i].where);
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
    c.intake.copy_window_ms = 10;
    c.intake.default_slot_s = 60;
    options_start(&c.intake.options, usage, longs, argc, argv);
    while ((option = options_next(&c.intake.options)) > 0) {
        if (option == 'i')
            want(&c, INPUT_INTERFACE, optarg);
        else if (option == CAPTURE_DNSTAP)
            want(&c, INPUT_DNSTAP, optarg);
        else if (option == CAPTURE_USER)
            set_user(&c.intake.options);
        else
            intake_option(&c.intake, option);
    }
    if (c.n == 0 && c.intake.options.exit < 0)
        want_configured(&c);
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
