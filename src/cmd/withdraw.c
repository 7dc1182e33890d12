/* withdraw, approve: a person's word on what is published, at once. */
#include "cmd/commands.h"
#include "cmd/enforce.h"
#include "cmd/protecting.h"
#include "knowledge/campaign.h"
#include "protect/agenda.h"

#include <unistd.h>

static const char usage_withdraw[] =
    "usage: dnsmon withdraw [OPTION...] --reason TEXT NAME\n"
    "       dnsmon withdraw [OPTION...] --reason TEXT --campaign ID\n"
    "       dnsmon withdraw [OPTION...] --reason TEXT --all\n"
    "\n"
    "NAME, a domain name or an address, and all below it is not blocked any more, as a name server neither, from the next version on, which is\n"
    "made at once; an operator's block of it is taken back. When analysis goes on to hold it for harmful, it waits for 'dnsmon approve'. To exempt\n"
    "a domain name for good: dnsmon allow.\n"
    "\n"
    "  --reason TEXT       why, for whoever reads it later\n"
    "  --campaign ID       all names of a campaign\n"
    "  --all               all that is published\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

static const char usage_approve[] =
    "usage: dnsmon approve [OPTION...] --reason TEXT NAME\n"
    "\n"
    "NAME, a domain name or an address, which waits in review or as a shadow, is blocked, from the next version on, which is made at\n"
    "once.\n"
    "\n"
    "  --reason TEXT       why, for whoever reads it later\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_REASON = OPTION_OWN, OWN_SUFFIXES, OWN_CAMPAIGN, OWN_ALL };

static const struct option longs_withdraw[] = {
    { "reason", required_argument, NULL, OWN_REASON },
    { "campaign", required_argument, NULL, OWN_CAMPAIGN },
    { "all", no_argument, NULL, OWN_ALL },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};
static const struct option longs_approve[] = {
    { "reason", required_argument, NULL, OWN_REASON },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct word {
    struct options options;
    const char *reason, *suffixes, *campaign;
    bool all;
    char name[NAME_TEXT_MAX]; /* "" = none was given */
    bool is_address;          /* the name is one */
    char author[COMMAND_AUTHOR];
    int64_t campaign_id;
    struct agenda agenda; /* what is meant */
    struct protecting protecting;
    struct present present;
};

/* ---- what is meant ---- */

static int take_campaign(void *ctx, const struct campaign *c, struct fault *why)
{
    struct word *w = ctx;
    (void)why;
    if (strcmp(c->identity, w->campaign) == 0)
        w->campaign_id = c->id;
    return E_OK;
}

static int find_campaign(struct word *w, struct fault *why)
{
    int rc = w->campaign ? campaign_each(w->protecting.k, KNOWLEDGE_NOW, take_campaign, w, why) : E_OK;
    return rc == 0 && w->campaign && w->campaign_id == 0 ? fault_set(why, E_ABSENT, "there is no campaign %s", w->campaign) : rc;
}

static bool is_meant(const struct word *w, const char *name, enum trigger trigger, int64_t campaign)
{
    if (w->all || w->campaign_id != 0)
        return w->all || campaign == w->campaign_id;
    if (w->is_address || trigger == TRIGGER_ADDRESS)
        return trigger == TRIGGER_ADDRESS && strcmp(name, w->name) == 0;
    return knowledge_is_within(name, w->name);
}

static int note_publication(void *ctx, const struct publication *p, struct fault *why)
{
    struct word *w = ctx;
    return is_meant(w, p->name, p->trigger, p->campaign) ? agenda_add(&w->agenda, p->name, p->trigger, "", why) : E_OK;
}

static int note_indicator(void *ctx, const struct indicator *i, struct fault *why)
{
    struct word *w = ctx;
    enum trigger trigger = trigger_of_scope(i->scope);
    return is_meant(w, i->name, trigger, i->campaign) ? agenda_add(&w->agenda, i->name, trigger, "", why) : E_OK;
}

/* What is published or waits to be, and what no run has looked at yet. */
static int find_meant(struct word *w, struct fault *why)
{
    int rc = find_campaign(w, why);
    if (rc == 0)
        rc = publication_each(w->protecting.k, ~(1u << STAGE_OUT), note_publication, w, why);
    if (rc == 0)
        rc = indicator_each(w->protecting.k, 1u << INDICATOR_ACTIVE, note_indicator, w, why);
    agenda_close(&w->agenda);
    return rc || w->agenda.n ? rc : fault_set(why, E_ABSENT, "nothing of it is published, or waits to be");
}

/* ---- withdrawing ---- */

static int take_block_back(struct word *w, const struct decision *d, struct fault *why)
{
    struct knowledge *k = w->protecting.k;
    struct decision block = *d;
    block.action = DECISION_BLOCK;
    int rc = decision_revoke(k, DECISION_BLOCK, d->name, d->scope, d->at, d->author, d->reason, why);
    return rc == 0 ? enforce_word(k, &block, true, why) : rc == E_ABSENT ? E_OK : rc;
}

static int withdraw_one(struct word *w, const struct agenda_item *item, struct fault *why)
{
    struct knowledge *k = w->protecting.k;
    if (!trigger_has_scope(item->trigger))
        return targets_withdraw(k, item->name, item->trigger, w->protecting.life.now, w->author, w->reason, why);
    struct decision d = { .at = w->protecting.life.now, .author = w->author, .action = DECISION_WITHDRAW, .name = item->name,
                          .scope = trigger_scope(item->trigger), .reason = w->reason };
    int rc = take_block_back(w, &d, why);
    if (rc == 0)
        rc = decision_add(k, &d, NULL, why);
    if (rc == 0)
        rc = indicator_set_state(k, d.name, d.scope, INDICATOR_WITHDRAWN, d.at, d.author, d.reason, why);
    return rc == E_ABSENT ? E_OK : rc;
}

static int withdraw_all(struct word *w, struct fault *why)
{
    int rc = knowledge_begin(w->protecting.k, why);
    if (rc == 0)
        rc = find_meant(w, why);
    for (size_t i = 0; rc == 0 && i < w->agenda.n; i++)
        rc = withdraw_one(w, &w->agenda.items[i], why);
    if (rc == 0)
        return knowledge_commit(w->protecting.k, why);
    knowledge_rollback(w->protecting.k);
    return rc;
}

/* ---- approving ---- */

/* Whichever triggers of the name wait. */
static int approve(struct word *w, struct fault *why)
{
    unsigned n = 0;
    int rc = E_OK;
    for (enum trigger t = 0; rc == 0 && t < TRIGGERS; t++) {
        rc = lifecycle_approve(w->protecting.k, &w->protecting.life, w->name, t, w->author, w->reason, why);
        n += rc == 0;
        rc = rc == E_ABSENT ? E_OK : rc;
    }
    return rc || n ? rc : fault_set(why, E_ABSENT, "%s: nothing of this name waits for a word", w->name);
}

/* ---- the commands ---- */

/* What was withdrawn may be at an address that is published. */
static int run(struct word *w, int (*act)(struct word *w, struct fault *why), struct fault *why)
{
    struct targets_result targets;
    int rc = protecting_open(&w->protecting, &w->options, KNOWLEDGE_WRITE, w->suffixes, why);
    agenda_init(&w->agenda);
    if (rc == 0)
        rc = act(w, why);
    if (rc == 0)
        rc = protecting_run(&w->protecting, &w->present, why);
    if (rc == 0)
        rc = protecting_targets(&w->protecting, TARGETS_KNOWN, &targets, why);
    agenda_release(&w->agenda);
    protecting_close(&w->protecting);
    return rc ? rc : present_flush(&w->present, why);
}

static void take_name(struct word *w, int argc, char **argv)
{
    struct options *o = &w->options;
    unsigned n = (w->campaign != NULL) + w->all + (optind < argc);
    if (o->exit >= 0)
        return;
    w->is_address = optind < argc && trigger_address(argv[optind], w->name);
    if (optind + 1 < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind + 1]);
    else if (n != 1)
        options_wrong(o, n ? "one of NAME, --campaign and --all" : "which NAME?");
    else if (optind < argc && !w->is_address && knowledge_name_from_text(argv[optind], w->name) == 0)
        options_wrong(o, "'%s' is not a domain name, nor an address", argv[optind]);
    else if (w->reason == NULL)
        options_wrong(o, "--reason TEXT is needed");
}

static void take_options(struct word *w, const char *usage, const struct option *longs, int argc, char **argv)
{
    struct options *o = &w->options;
    int option;
    options_start(o, usage, longs, argc, argv);
    while ((option = options_next(o)) > 0)
        switch (option) {
        case OWN_REASON: w->reason = protecting_reason(o, optarg); break;
        case OWN_SUFFIXES: w->suffixes = optarg; break;
        case OWN_CAMPAIGN: w->campaign = optarg; break;
        case OWN_ALL: w->all = true; break;
        }
    take_name(w, argc, argv);
    w->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

static int say(int (*act)(struct word *w, struct fault *why), const char *usage, const struct option *longs, int argc, char **argv)
{
    static struct word w;
    struct fault why = { 0 };
    command_author(w.author);
    present_init(&w.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&w, usage, longs, argc, argv);
    if (w.options.exit < 0 && run(&w, act, &why) != 0)
        w.options.exit = command_fail(&why);
    present_release(&w.present);
    return options_end(&w.options);
}

int cmd_withdraw(int argc, char **argv)
{
    return say(withdraw_all, usage_withdraw, longs_withdraw, argc, argv);
}

int cmd_approve(int argc, char **argv)
{
    return say(approve, usage_approve, longs_approve, argc, argv);
}
