/* audit: what operators did, and who: their words on names, looks at clients' addresses. */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "knowledge/decision.h"

#include <inttypes.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon audit [OPTION...]\n"
    "\n"
    "What operators did, and who, the oldest first: words on names (allow, block, object, withdraw, approve), words taken back, jumps\n"
    "let through, looks at the addresses of clients. Nothing of it can be taken away.\n"
    "\n"
    "  --table             columns, the default on a terminal; otherwise JSON lines\n"
    OPTIONS_COMMON_HELP;

enum { OWN_TABLE = OPTION_OWN };

static const struct option longs[] = {
    { "table", no_argument, NULL, OWN_TABLE },
    OPTIONS_COMMON,
};

static void print_json(struct present *p, const struct audit *a)
{
    const struct {
        const char *name, *text;
    } fields[] = { { "author", a->author }, { "action", a->action }, { "subject", a->subject }, { "detail", a->detail } };
    buffer_printf(&p->out, "{\"at\":%" PRId64, a->at);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        buffer_printf(&p->out, ",\"%s\":", fields[i].name);
        present_json_text(&p->out, fields[i].text);
    }
    buffer_u8(&p->out, '}');
}

static void print_row(struct present *p, const struct audit *a)
{
    char at[32];
    if (!p->headed)
        buffer_printf(&p->out, "%-19s  %-12s  %-15s  %s\n", "at (UTC)", "who", "what", "of: why, or what came of it");
    p->headed = true;
    present_time(a->at > 0 ? (uint64_t)a->at : 0, at);
    buffer_printf(&p->out, "%s  %-12s  %-15s  ", at, a->author, a->action);
    present_plain(&p->out, a->subject);
    buffer_printf(&p->out, a->detail[0] != '\0' ? ": " : "");
    present_plain(&p->out, a->detail);
}

static int print(void *ctx, const struct audit *a, struct fault *why)
{
    struct present *p = ctx;
    (void)why;
    (p->style == PRESENT_TABLE ? print_row : print_json)(p, a);
    present_text(p, "\n");
    return E_OK;
}

static int list(const struct options *o, struct present *p, struct fault *why)
{
    struct knowledge *k = NULL;
    int rc = options_find_store(o, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(o, KNOWLEDGE_READ, &k, why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == 0)
        rc = audit_each(k, 0, print, p, why);
    knowledge_close(&k);
    return rc ? rc : present_flush(p, why);
}

int cmd_audit(int argc, char **argv)
{
    static struct present p;
    struct options o;
    struct fault why = { 0 };
    bool table = false;
    present_init(&p, STDOUT_FILENO, PRESENT_JSON);
    options_start(&o, usage, longs, argc, argv);
    while (options_next(&o) > 0)
        table = true;
    if (o.exit < 0 && optind < argc)
        options_wrong(&o, "'%s' is one word too many", argv[optind]);
    if (table && o.json)
        options_wrong(&o, "--table or --json, not both");
    p.style = table || (!o.json && isatty(STDOUT_FILENO)) ? PRESENT_TABLE : PRESENT_JSON;
    if (o.exit < 0 && list(&o, &p, &why) != 0)
        o.exit = command_fail(&why);
    present_release(&p);
    return options_end(&o);
}
