/* campaigns: names that belong together, as of now or of a moment. */
#include "knowledge/campaign.h"
#include "knowledge/verdict.h"

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
    "  --table             columns, also elsewhere than on a terminal\n"
    OPTIONS_COMMON_HELP;

enum { OWN_AS_OF = OPTION_OWN, OWN_TABLE };
enum { SHOWN_NAMES = 6 };

static const struct option longs[] = {
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "table", no_argument, NULL, OWN_TABLE },
    OPTIONS_COMMON,
};

struct judged {
    bool known;
    enum verdict_level level;
    double score;
};

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct present present;
    int64_t as_of; /* step */
    /* Of the campaign under way: */
    size_t members;
    struct judged worst;
    struct buffer names;
};

static int keep_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    (void)why;
    *(struct judged *)ctx = (struct judged){ true, v->level, v->score };
    return E_OK;
}

static int find_verdict(const struct listing *l, const char *name, struct judged *ret, struct fault *why)
{
    *ret = (struct judged){ .known = false };
    return verdict_find(l->knowledge, name, SCOPE_DOMAIN, l->as_of, keep_verdict, ret, why);
}

static int print_member(void *ctx, const struct campaign_member *m, struct fault *why)
{
    struct listing *l = ctx;
    struct buffer *to = &l->present.out;
    struct judged verdict;
    buffer_printf(to, "%s{\"name\":", l->members++ ? "," : "");
    present_json_text(to, m->name);
    int rc = find_verdict(l, m->name, &verdict, why);
    if (verdict.known)
        buffer_printf(to, ",\"level\":\"%s\",\"score\":%.6g", verdict_level_text(verdict.level), verdict.score);
    else
        buffer_printf(to, ",\"level\":null,\"score\":null");
    buffer_printf(to, ",\"joined\":%" PRId64 ",\"why\":", m->joined * KNOWLEDGE_HOUR_S);
    present_json_text(to, m->why);
    buffer_u8(to, '}');
    return rc;
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
    l->members = 0;
    int rc = campaign_members(l->knowledge, c->id, l->as_of, print_member, l, why);
    present_text(&l->present, "]}\n");
    return rc;
}

static int take_member(void *ctx, const struct campaign_member *m, struct fault *why)
{
    struct listing *l = ctx;
    struct judged verdict;
    int rc = find_verdict(l, m->name, &verdict, why);
    if (verdict.known && (!l->worst.known || verdict.level > l->worst.level))
        l->worst = verdict;
    if (l->members < SHOWN_NAMES)
        buffer_printf(&l->names, "%s%s", l->members ? ", " : "", m->name);
    l->members++;
    return rc;
}

/* The worst level among its members, and the first of these. */
static int print_row(void *ctx, const struct campaign *c, struct fault *why)
{
    struct listing *l = ctx;
    struct buffer *to = &l->present.out;
    char born[32];
    l->members = 0;
    l->worst = (struct judged){ .known = false };
    buffer_clear(&l->names);
    int rc = campaign_members(l->knowledge, c->id, l->as_of, take_member, l, why);
    if (!l->present.headed)
        buffer_printf(to, "%-16s  %-16s  %7s  %-10s  %s\n", "born (UTC)", "campaign", "members", "at worst", "names");
    l->present.headed = true;
    present_time((uint64_t)c->born * KNOWLEDGE_HOUR_S, born);
    buffer_printf(to, "%.16s  %-16s  %7zu  %-10s  %.*s", born, c->identity, l->members, l->worst.known ? verdict_level_text(l->worst.level) : "-",
                  (int)l->names.len, (const char *)l->names.ptr);
    if (l->members > SHOWN_NAMES)
        buffer_printf(to, " and %zu more", l->members - SHOWN_NAMES);
    present_text(&l->present, "\n");
    return rc;
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
    bool table = false;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0) {
        table = table || word == OWN_TABLE;
        if (word == OWN_AS_OF) {
            options_time(o, "as-of", &as_of);
            l->as_of = finding_step(as_of);
        }
    }
    if (table && o->json)
        options_wrong(o, "--table or --json, not both");
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    l->present.style = table || (!o->json && isatty(STDOUT_FILENO)) ? PRESENT_TABLE : PRESENT_JSON;
}

int cmd_campaigns(int argc, char **argv)
{
    static struct listing l;
    struct fault why = { 0 };
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    buffer_init(&l.names, SHOWN_NAMES * (NAME_TEXT_MAX + 2));
    take_options(&l, argc, argv);
    if (l.options.exit < 0 && list(&l, &why) != 0)
        l.options.exit = command_fail(&why);
    buffer_release(&l.names);
    present_release(&l.present);
    return options_end(&l.options);
}
