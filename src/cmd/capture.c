/* dnsmon capture: live traffic into the database, from interfaces and from resolvers' dnstap. */
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
    INTAKE_HELP;

enum { CAPTURE_DNSTAP = INTAKE_OWN, INPUTS_MAX = 64 };

static const struct option longs[] = {
    { "interface", required_argument, NULL, 'i' },
    { "dnstap", required_argument, NULL, CAPTURE_DNSTAP },
    INTAKE_OPTIONS,
    OPTIONS_COMMON,
};

struct capture {
    struct intake intake;
    struct settings_input wanted[INPUTS_MAX];
    unsigned n;
    struct input_options options[INPUTS_MAX];
    struct live *lives[INPUTS_MAX];
    struct transport *transports[INPUTS_MAX];
    struct dnstap_server *servers[INPUTS_MAX];
    struct live_input inputs[INPUTS_MAX];
};

static int read_interface(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why)
{
    int err = live_read(ctx, batch, tally, timeout_ms, why);
    return err == E_INTERRUPTED ? E_OK : err;
}

static int read_dnstap(void *ctx, struct message_batch *batch, struct tally *tally, int timeout_ms, struct fault *why)
{
    int err = dnstap_server_read(ctx, batch, tally, timeout_ms, why);
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
    struct input_options *options = &c->options[i];
    int err = E_OK;
    *options = c->intake.pipeline_options.input;
    if (w->vantage != VANTAGE_UNKNOWN)
        options->vantage = w->vantage;
    if (w->sensor != NULL)
        err = store_sensor(c->intake.store, w->sensor, &options->sensor, why);
    if (err)
        return err;
    if (w->kind == INPUT_INTERFACE) {
        /* A transport of its own, since vantage and sensor are the interface's. Its open streams
         * end with the run: what passed on the wire cannot be read again. */
        c->transports[i] = transport_create(options);
        if (c->transports[i] == NULL)
            return fault_set(why, E_NOMEM, "%s: out of memory", w->where);
        err = live_open(&c->lives[i], w->where, NULL, c->transports[i], why);
        c->inputs[i] = (struct live_input){ read_interface, c->lives[i] };
    } else {
        err = dnstap_server_open(&c->servers[i], w->where, options, why);
        c->inputs[i] = (struct live_input){ read_dnstap, c->servers[i] };
    }
    return err;
}

static void close_inputs(struct capture *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        live_close(&c->lives[i]);
        transport_destroy(&c->transports[i]);
        dnstap_server_close(&c->servers[i]);
    }
}

static int run(struct capture *c, struct fault *why)
{
    struct pipeline_result result;
    int err = intake_open(&c->intake, why);
    for (unsigned i = 0; i < c->n && err == E_OK; i++)
        err = open_input(c, i, why);
    if (err == E_OK) {
        for (unsigned i = 0; i < c->n; i++)
            command_say("listening on %s", c->wanted[i].where);
        err = pipeline_live(c->intake.pipeline, c->inputs, c->n, &result, why);
    }
    if (err == E_OK)
        intake_summary(&c->intake, &result);
    return err;
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
