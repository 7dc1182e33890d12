/* indicators: what is to be blocked, for machines, in any format of the feeds. */
#include "cmd/commands.h"
#include "cmd/enforce.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "cmd/published.h"
#include "protect/feed/cover.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon indicators [OPTION...]\n"
    "\n"
    "The active indicators: what is to be blocked, why, and until when.\n"
    "\n"
    "  --format FORMAT     table, the default on a terminal; otherwise jsonl; csv;\n"
    "                      for resolvers rpz, hosts, dnsmasq, unbound, cdb (dnsdist),\n"
    "                      adblock; for networks suricata, zeek; for other people\n"
    "                      stix, misp; policy, for dnsmon ingest --policy\n"
    "  --out PATH          write this file, or of misp this folder, whole or not at\n"
    "                      all, and only when it would be another; cdb and misp need it\n"
    OPTIONS_COMMON_HELP;

enum { OWN_FORMAT = OPTION_OWN, OWN_OUT };

static const struct option longs[] = {
    { "format", required_argument, NULL, OWN_FORMAT },
    { "out", required_argument, NULL, OWN_OUT },
    OPTIONS_COMMON,
};

enum { TTL_S = 30 };

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct store *store;
    struct present present;
    const struct feed_format *format; /* NULL: a table */
    const char *out;                  /* NULL: standard output */
    int64_t now;
    struct finding_from from;
    struct feed_about about;
    struct feed_cover cover;
    struct feed *feed;
    struct published published;
};

/* ---- the table ---- */

static int print_row(struct listing *l, const struct indicator *i, struct fault *why)
{
    if (!l->present.headed)
        present_text(&l->present, FINDING_ROW_HEADER);
    l->present.headed = true;
    int rc = finding_row(&l->present.out, &l->from, i, why);
    present_text(&l->present, "");
    return rc;
}

/* ---- feeds ---- */

static int note_domain(void *ctx, const struct indicator *i, struct fault *why)
{
    struct listing *l = ctx;
    const struct publication p = { .name = i->name, .trigger = i->scope == SCOPE_DOMAIN ? TRIGGER_DOMAIN : TRIGGER_HOST };
    return enforce_has_ended(i, l->now) ? E_OK : feed_cover_add(&l->cover, &p, FEED_NXDOMAIN, why);
}

static int print(void *ctx, const void *ptr, size_t len, struct fault *why)
{
    struct present *p = ctx;
    buffer_append(&p->out, ptr, len);
    return present_flush(p, why);
}

static int open_feed(struct listing *l, struct fault *why)
{
    int64_t serial = 0;
    int rc = l->knowledge != NULL ? indicator_serial(l->knowledge, &serial, why) : E_OK;
    if (rc == 0 && l->knowledge != NULL && l->format->enforces)
        rc = indicator_each(l->knowledge, 1u << INDICATOR_ACTIVE, note_domain, l, why);
    l->about = (struct feed_about){ .publisher = "DNSMon", .zone = "", .serial = (uint32_t)serial, .ttl_s = TTL_S, .cover = &l->cover, .link = "" };
    if (rc != 0)
        return rc;
    return l->out != NULL ? feed_open(&l->feed, l->format, &l->about, l->out, &l->from, why)
                          : feed_open_stream(&l->feed, l->format, &l->about, print, &l->present, &l->from, why);
}

static int put_item(struct listing *l, const struct indicator *i, struct fault *why)
{
    struct publication p;
    struct feed_item item;
    int rc = published_indicator(&l->from, i, &p, why);
    if (rc == 0)
        rc = published_item(&l->published, &p, l->format, &item, why);
    return rc ? rc : feed_item(l->feed, &item, why);
}

/* Most formats say it themselves, in a comment. */
static void say_left(const struct listing *l, const struct feed_counts *c)
{
    uint64_t left = 0;
    for (int i = 0; i < FEED_LEFTS; i++)
        left += i != FEED_LEFT_COVERED ? c->left[i] : 0;
    if (left != 0 && l->format->says == NULL)
        command_say("%s cannot express %" PRIu64 " indicators: they are left out", l->format->name, left);
}

static int close_feed(struct listing *l, int rc, struct fault *why)
{
    struct feed_result result;
    if (rc != 0) {
        feed_abandon(&l->feed);
        return rc;
    }
    rc = feed_commit(&l->feed, &result, why);
    if (rc == 0)
        say_left(l, &result.counts);
    return rc;
}

/* ---- all ---- */

static int put(void *ctx, const struct indicator *i, struct fault *why)
{
    struct listing *l = ctx;
    if (enforce_has_ended(i, l->now))
        return E_OK;
    return l->format != NULL ? put_item(l, i, why) : print_row(l, i, why);
}

static int walk(struct listing *l, struct fault *why)
{
    int rc = l->format != NULL ? open_feed(l, why) : E_OK;
    if (rc == 0 && l->knowledge != NULL)
        rc = indicator_each(l->knowledge, 1u << INDICATOR_ACTIVE, put, l, why);
    return l->format != NULL ? close_feed(l, rc, why) : rc;
}

static int list(struct listing *l, struct fault *why)
{
    int rc = options_open_store_if_whole(&l->options, &l->store, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    else if (rc == E_ABSENT)
        rc = E_OK; /* nothing is known yet */
    l->from = (struct finding_from){ .k = l->knowledge, .store = l->store };
    l->now = time(NULL);
    published_init(&l->published, &l->from);
    if (rc == 0)
        rc = walk(l, why);
    published_release(&l->published);
    feed_cover_release(&l->cover);
    knowledge_close(&l->knowledge);
    store_close(&l->store);
    return rc ? rc : present_flush(&l->present, why);
}

static void take_format(struct listing *l, const char *name)
{
    l->format = published_format(name);
    if (l->format == NULL && strcmp(name, "table") != 0)
        options_wrong(&l->options, "--format: '%s' is not one of table, jsonl, csv, rpz, hosts, adblock, dnsmasq, unbound, cdb, suricata, "
                      "zeek, stix, misp, policy", name);
}

static void take_options(struct listing *l, int argc, char **argv)
{
    struct options *o = &l->options;
    l->format = isatty(STDOUT_FILENO) ? NULL : &published_jsonl;
    options_start(o, usage, longs, argc, argv);
    for (int option; (option = options_next(o)) > 0;) {
        if (option == OWN_FORMAT)
            take_format(l, optarg);
        else
            l->out = optarg;
    }
    if (o->json)
        l->format = &published_jsonl;
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (o->exit < 0 && l->format == NULL && l->out != NULL)
        options_wrong(o, "--out: a table is for people; say --format");
    if (o->exit < 0 && l->format != NULL && l->format->place != FEED_STREAM && l->out == NULL)
        options_wrong(o, "--format %s needs --out", l->format->name);
}

int cmd_indicators(int argc, char **argv)
{
    static struct listing l;
    struct fault why = { 0 };
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&l, argc, argv);
    if (l.options.exit < 0 && list(&l, &why) != 0)
        l.options.exit = command_fail(&why);
    present_release(&l.present);
    return options_end(&l.options);
}
