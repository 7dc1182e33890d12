/* campaigns: names that belong together, as of now or of a moment. */
#include "knowledge/campaign.h"

#include "cmd/commands.h"
#include "cmd/finding.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include <inttypes.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon campaigns [OPTION...]\n"
    "\n"
    "Names that belong together: a table on a terminal, otherwise JSON lines with the members.\n"
    "\n"
    "  --as-of TIME        as it was then: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    OPTIONS_COMMON_HELP;

enum { OWN_AS_OF = OPTION_OWN };

static const struct option longs[] = {
    { "as-of", required_argument, NULL, OWN_AS_OF },
    OPTIONS_COMMON,
};

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct present present;
    int64_t as_of; /* step */
    bool any;      /* of members: one was written */
};

static int print_member(void *ctx, const struct campaign_member *m, struct fault *why)
{
    struct listing *l = ctx;
    struct buffer *to = &l->present.out;
    (void)why;
    buffer_printf(to, "%s{\"name\":", l->any ? "," : "");
    present_json_text(to, m->name);
    buffer_printf(to, ",\"joined\":%" PRId64 ",\"why\":", m->joined * KNOWLEDGE_HOUR_S);
    present_json_text(to, m->why);
    buffer_u8(to, '}');
    l->any = true;
    return E_OK;
}

static int print_json(void *ctx, const struct campaign *c, struct fault *why)
{
    struct listing *l = ctx;
    struct buffer *to = &l->present.out;
    buffer_printf(to, "{\"campaign\":");
    present_json_text(to, c->identity);
    buffer_printf(to, ",\"title\":");
    present_json_text(to, c->title);
    buffer_printf(to, ",\"born\":%" PRId64 ",\"members\":[", c->born * KNOWLEDGE_HOUR_S);
    l->any = false;
    int rc = campaign_members(l->knowledge, c->id, l->as_of, print_member, l, why);
    present_text(&l->present, "]}\n");
    return rc;
}

static int print_row(void *ctx, const struct campaign *c, struct fault *why)
{
    struct listing *l = ctx;
    struct buffer *to = &l->present.out;
    char born[32];
    (void)why;
    if (!l->present.headed)
        buffer_printf(to, "%-19s  %7s  %s\n", "born (UTC)", "members", "campaign");
    l->present.headed = true;
    present_time((uint64_t)c->born * KNOWLEDGE_HOUR_S, born);
    buffer_printf(to, "%-19s  %7" PRIu64 "  ", born, c->members);
    present_plain(to, c->identity);
    buffer_printf(to, ": ");
    present_plain(to, c->title);
    present_text(&l->present, "\n");
    return E_OK;
}

static int list(struct listing *l, struct fault *why)
{
    bool table = l->present.style == PRESENT_TABLE;
    int rc = options_find_store(&l->options, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    if (rc == 0)
        rc = campaign_each(l->knowledge, l->as_of, table ? print_row : print_json, l, why);
    knowledge_close(&l->knowledge);
    return rc ? rc : present_flush(&l->present, why);
}

static void take_options(struct listing *l, int argc, char **argv)
{
    struct options *o = &l->options;
    int64_t as_of = 0;
    options_start(o, usage, longs, argc, argv);
    while (options_next(o) > 0) {
        options_time(o, "as-of", &as_of);
        l->as_of = finding_step(as_of);
    }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    l->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_campaigns(int argc, char **argv)
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
