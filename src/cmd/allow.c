/* allow, block, object: the word of people on a name, audited. */
#include "cmd/commands.h"
#include "cmd/enforce.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "cmd/protecting.h"
#include "dns/suffix.h"
#include "knowledge/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define USAGE(word, what)                                                                  \
    "usage: dnsmon " word " [OPTION...] --reason TEXT NAME\n"                              \
    "       dnsmon " word " --revoke NAME\n"                                               \
    "       dnsmon " word " --list\n"                                                      \
    "\n"                                                                                   \
    what                                                                                   \
    "\n"                                                                                   \
    "  --reason TEXT       why, for whoever reads it later\n"                              \
    "  --scope SCOPE       domain: NAME and all below it (the default); host: NAME alone\n" \
    "  --until TIME        up to then: epoch, 2026-01-31[T12:00:00Z], +30d\n"              \
    "  --revoke            take back what was said of NAME\n"                              \
    "  --list              what holds now\n"                                               \
    "  --public-suffixes FILE\n"                                                           \
    "                      the Public Suffix List\n"                                       \
    OPTIONS_COMMON_HELP

static const char usage_allow[] = USAGE("allow", "NAME is never blocked, whatever is found.\n"
                                                 "A newer word on the same name and scope takes the place of an older one.\n");
static const char usage_block[] = USAGE("block", "NAME is blocked, whatever is found.\n"
                                                 "A newer word on the same name and scope takes the place of an older one.\n");

static const char usage_object[] = USAGE("object", "You hold NAME for harmless, without deciding it: it is no more than suspicious until somebody\n"
                                                   "allows or blocks it.\n");

enum { OWN_REASON = OPTION_OWN, OWN_SCOPE, OWN_UNTIL, OWN_REVOKE, OWN_LIST, OWN_SUFFIXES };

static const struct option longs[] = {
    { "reason", required_argument, NULL, OWN_REASON },
    { "scope", required_argument, NULL, OWN_SCOPE },
    { "until", required_argument, NULL, OWN_UNTIL },
    { "revoke", no_argument, NULL, OWN_REVOKE },
    { "list", no_argument, NULL, OWN_LIST },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct word {
    struct options options;
    struct decision decision;
    bool revoke, list;
    const char *suffixes;
    char name[NAME_TEXT_MAX];
    char author[COMMAND_AUTHOR];
    struct knowledge *knowledge;
    struct present present;
};

/* ---- what is printed ---- */

static void print_json(struct buffer *to, const struct decision *d)
{
    buffer_printf(to, "{\"action\":\"%s\",\"name\":", decision_action_text(d->action));
    present_json_text(to, d->name);
    buffer_printf(to, ",\"scope\":\"%s\",\"author\":", scope_text(d->scope));
    present_json_text(to, d->author);
    buffer_printf(to, ",\"reason\":");
    present_json_text(to, d->reason);
    buffer_printf(to, ",\"at\":%" PRId64 ",\"until\":", d->at);
    if (d->until != 0)
        buffer_printf(to, "%" PRId64, d->until);
    else
        buffer_printf(to, "null");
    buffer_u8(to, '}');
}

static void print_row(struct present *p, const struct decision *d)
{
    char at[32], until[32] = "-";
    if (!p->headed)
        buffer_printf(&p->out, "%-6s  %-32s  %-19s  %-19s  %s\n", "scope", "name", "since (UTC)", "until (UTC)", "who: why");
    p->headed = true;
    present_time((uint64_t)d->at, at);
    if (d->until != 0)
        present_time((uint64_t)d->until, until);
    buffer_printf(&p->out, "%-6s  %-32s  %-19s  %-19s  ", scope_text(d->scope), d->name, at, until);
    present_plain(&p->out, d->author);
    buffer_printf(&p->out, ": ");
    present_plain(&p->out, d->reason);
}

static int print(void *ctx, const struct decision *d, struct fault *why)
{
    struct present *p = ctx;
    (void)why;
    if (p->style == PRESENT_TABLE)
        print_row(p, d);
    else
        print_json(&p->out, d);
    present_text(p, "\n");
    return E_OK;
}

/* ---- what is done ---- */

/* A public suffix is not one owner's: www.example.co.uk may be blocked, co.uk not. */
static int check_suffix(const struct word *w, struct fault *why)
{
    struct suffix_list *suffixes;
    uint8_t key[NAME_KEY_MAX];
    size_t len = knowledge_key(w->name, key);
    if (w->decision.scope == SCOPE_HOST || w->revoke)
        return E_OK;
    int rc = suffix_load(&suffixes, w->suffixes ? w->suffixes : SUFFIX_DEFAULT_PATH, why);
    if (rc != 0)
        return rc;
    if (suffix_find(suffixes, key, len).registered == 0)
        rc = fault_set(why, E_USAGE, "'%s' is a public suffix: what lies below it has many owners; name one of them, or use"
                                     " --scope host", w->name);
    suffix_destroy(&suffixes);
    return rc;
}

static int list(struct word *w, struct fault *why)
{
    int rc = options_find_store(&w->options, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(&w->options, KNOWLEDGE_READ, &w->knowledge, why);
    if (rc == E_ABSENT)
        return E_OK;
    return rc ? rc : decision_each(w->knowledge, w->decision.action, w->decision.at, print, &w->present, why);
}

static int take_back(struct word *w, struct fault *why)
{
    const struct decision *d = &w->decision;
    return decision_revoke(w->knowledge, d->action, d->name, d->scope, d->at, d->author, d->reason, why);
}

static int decide(struct word *w, struct fault *why)
{
    int rc = check_suffix(w, why);
    if (rc == 0)
        rc = options_open_knowledge(&w->options, KNOWLEDGE_WRITE, &w->knowledge, why);
    if (rc == 0)
        rc = knowledge_begin(w->knowledge, why);
    if (rc != 0)
        return rc;
    rc = w->revoke ? take_back(w, why) : decision_add(w->knowledge, &w->decision, NULL, why);
    if (rc == 0)
        rc = enforce_word(w->knowledge, &w->decision, w->revoke, why);
    if (rc == 0)
        rc = knowledge_commit(w->knowledge, why);
    else
        knowledge_rollback(w->knowledge);
    if (rc == 0 && w->options.json && !w->revoke)
        rc = print(&w->present, &w->decision, why);
    return rc;
}

static int run(struct word *w, struct fault *why)
{
    int rc = w->list ? list(w, why) : decide(w, why);
    knowledge_close(&w->knowledge);
    return rc ? rc : present_flush(&w->present, why);
}

/* ---- options ---- */

static void take_until(struct word *w)
{
    uint64_t after = 0;
    if (optarg[0] != '+')
        options_time(&w->options, "until", &w->decision.until);
    else if (value_duration(optarg + 1, &after) && after < UINT64_C(1) << 40)
        w->decision.until = w->decision.at + (int64_t)after;
    else
        options_wrong(&w->options, "--until: '%s' is not a duration such as +30d", optarg);
    if (w->options.exit < 0 && w->decision.until <= w->decision.at)
        options_wrong(&w->options, "--until: '%s' has passed", optarg);
}

static void take_name(struct word *w, int argc, char **argv)
{
    struct options *o = &w->options;
    if (o->exit < 0 && w->list && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (o->exit >= 0 || w->list)
        return;
    if (optind == argc)
        options_wrong(o, "which NAME?");
    else if (optind + 1 < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind + 1]);
    else if (knowledge_name_from_text(argv[optind], w->name) == 0)
        options_wrong(o, "'%s' is not a domain name", argv[optind]);
    else if (w->decision.reason[0] == '\0' && !w->revoke)
        options_wrong(o, "--reason TEXT is needed");
    w->decision.name = w->name;
}

static void take_options(struct word *w, const char *usage, int argc, char **argv)
{
    struct options *o = &w->options;
    int option;
    options_start(o, usage, longs, argc, argv);
    while ((option = options_next(o)) > 0)
        switch (option) {
        case OWN_REASON: w->decision.reason = protecting_reason(o, optarg); break;
        case OWN_SCOPE:
            if (!scope_parse(optarg, &w->decision.scope))
                options_wrong(o, "--scope: '%s' is not host or domain", optarg);
            break;
        case OWN_UNTIL: take_until(w); break;
        case OWN_REVOKE: w->revoke = true; break;
        case OWN_LIST: w->list = true; break;
        case OWN_SUFFIXES: w->suffixes = optarg; break;
        }
    if (w->list && w->revoke)
        options_wrong(o, "--list or --revoke, not both");
    take_name(w, argc, argv);
    w->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

static int say(enum decision_action action, const char *usage, int argc, char **argv)
{
    static struct word w;
    struct fault why = { 0 };
    w.decision = (struct decision){ .action = action, .at = time(NULL), .reason = "" };
    command_author(w.author);
    w.decision.author = w.author;
    present_init(&w.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&w, usage, argc, argv);
    if (w.options.exit < 0 && run(&w, &why) != 0)
        w.options.exit = command_fail(&why);
    present_release(&w.present);
    return options_end(&w.options);
}

int cmd_allow(int argc, char **argv)
{
    return say(DECISION_ALLOW, usage_allow, argc, argv);
}

int cmd_object(int argc, char **argv)
{
    return say(DECISION_FEEDBACK, usage_object, argc, argv);
}

int cmd_block(int argc, char **argv)
{
    return say(DECISION_BLOCK, usage_block, argc, argv);
}
