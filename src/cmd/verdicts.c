/* verdicts: what was decided of names, as of now or of a moment, and with --follow what changes from now on. */
#include "cmd/commands.h"
#include "cmd/finding.h"
#include "cmd/options.h"
#include "cmd/present.h"

#include <signal.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon verdicts [OPTION...]\n"
    "\n"
    "What was decided of names, the worst first, and why: a table on a terminal, otherwise JSON lines.\n"
    "\n"
    "  --level LEVEL       at least benign, watch (the default), suspicious, high_risk, malicious\n"
    "  --as-of TIME        as it was then: epoch, 2026-01-31[T12:00:00Z], -7d\n"
    "  --history           JSON lines of all that was ever decided, in the order it was\n"
    "  --follow            JSON lines of what is decided from now on, until interrupted; with\n"
    "                      --level also of what falls below it\n"
    "  --table             columns, also elsewhere than on a terminal\n"
    "  --syslog            to the system log as well, without the evidence\n"
    OPTIONS_COMMON_HELP;

enum { OWN_LEVEL = OPTION_OWN, OWN_AS_OF, OWN_HISTORY, OWN_FOLLOW, OWN_SYSLOG, OWN_TABLE };

static const struct option longs[] = {
    { "level", required_argument, NULL, OWN_LEVEL },
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "history", no_argument, NULL, OWN_HISTORY },
    { "follow", no_argument, NULL, OWN_FOLLOW },
    { "syslog", no_argument, NULL, OWN_SYSLOG },
    { "table", no_argument, NULL, OWN_TABLE },
    OPTIONS_COMMON,
};

enum { POLL_NS = 500 * 1000 * 1000 };

struct listing {
    struct options options;
    struct knowledge *knowledge;
    struct store *store;
    struct present present;
    enum verdict_level least;
    bool any_level; /* of changes: --level was not given */
    int64_t as_of;  /* step */
    bool history, follow, syslog, table;
    int64_t last;   /* id up to which changes are told */
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- one verdict ---- */

static int log_line(struct listing *l, const struct verdict *v, struct fault *why)
{
    struct buffer line;
    buffer_init(&line, KNOWLEDGE_TEXT_MAX);
    int rc = finding_of_verdict(&line, &(struct finding_from){ l->knowledge, l->store }, v, l->as_of, false, why);
    if (rc == 0 && !line.failed)
        syslog(v->level >= VERDICT_HIGH_RISK ? LOG_WARNING : LOG_NOTICE, "verdict %.*s", (int)line.len, (const char *)line.ptr);
    buffer_release(&line);
    return rc;
}

static int print_json(struct listing *l, const struct verdict *v, struct fault *why)
{
    int rc = finding_of_verdict(&l->present.out, &(struct finding_from){ l->knowledge, l->store }, v, l->as_of, true, why);
    if (rc == 0)
        present_text(&l->present, "\n");
    return rc;
}

static int print_row(struct listing *l, const struct verdict *v, struct fault *why)
{
    struct buffer *to = &l->present.out;
    char decided[32];
    if (!l->present.headed)
        buffer_printf(to, "%-10s  %5s  %-16s  %-6s  %-30s  %-16s  %s\n", "level", "score", "decided (UTC)", "scope", "name", "campaign",
                      "evidence");
    l->present.headed = true;
    present_time((uint64_t)v->decided_at * KNOWLEDGE_HOUR_S, decided);
    buffer_printf(to, "%-10s  %5.3f  %.16s  %-6s  %-30s  ", verdict_level_text(v->level), v->score, decided, scope_text(v->scope), v->name);
    int rc = v->campaign != 0 ? finding_campaign(to, l->knowledge, v->campaign, false, why) : E_OK;
    buffer_printf(to, v->campaign != 0 ? "  " : "%-16s  ", "-");
    if (rc == 0)
        rc = finding_evidence(to, l->knowledge, v->name, v->scope, l->as_of, why);
    present_text(&l->present, "\n");
    return rc;
}

static int tell(void *ctx, const struct verdict *v, struct fault *why)
{
    struct listing *l = ctx;
    int rc = l->present.style == PRESENT_TABLE ? print_row(l, v, why) : print_json(l, v, why);
    return rc || !l->syslog ? rc : log_line(l, v, why);
}

/* ---- changes ---- */

static int keep_level(void *ctx, const struct verdict *v, struct fault *why)
{
    (void)why;
    *(enum verdict_level *)ctx = v->level;
    return E_OK;
}

static int tell_change(void *ctx, const struct verdict *v, struct fault *why)
{
    struct listing *l = ctx;
    enum verdict_level former = VERDICT_BENIGN;
    int rc = v->previous != 0 ? verdict_get(l->knowledge, v->previous, keep_level, &former, why) : E_OK;
    l->last = v->id;
    if (rc != 0 || !(l->any_level || v->level >= l->least || former >= l->least))
        return rc;
    return tell(l, v, why);
}

static int tell_changes(struct listing *l, struct fault *why)
{
    int64_t newest = l->last;
    int rc = verdict_last(l->knowledge, &newest, why);
    if (rc == 0 && newest != l->last && l->store != NULL)
        rc = store_refresh(l->store, why);
    return rc ? rc : verdict_changes(l->knowledge, l->last, tell_change, l, why);
}

static void wait_a_little(void)
{
    struct timespec pause = { .tv_nsec = POLL_NS };
    (void)nanosleep(&pause, NULL);
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = stop };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* The first analysis may be still to come; what it decides is all new. */
static int wait_for_knowledge(struct listing *l, struct fault *why)
{
    int rc;
    bool absent = false;
    while ((rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why)) == E_ABSENT && !stopped) {
        absent = true;
        wait_a_little();
    }
    return rc || absent ? rc : verdict_last(l->knowledge, &l->last, why);
}

static int follow(struct listing *l, struct fault *why)
{
    catch_signals();
    int rc = wait_for_knowledge(l, why);
    while (rc == 0 && !stopped) {
        rc = tell_changes(l, why);
        if (rc == 0)
            rc = present_flush(&l->present, why);
        if (rc == 0)
            wait_a_little();
    }
    return stopped ? E_OK : rc;
}

/* ---- the command ---- */

static int list(struct listing *l, struct fault *why)
{
    int rc = options_open_knowledge(&l->options, KNOWLEDGE_READ, &l->knowledge, why);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc == 0)
        rc = knowledge_begin(l->knowledge, why);
    if (rc == 0 && l->history)
        rc = verdict_changes(l->knowledge, 0, tell_change, l, why);
    else if (rc == 0)
        rc = verdict_each(l->knowledge, l->least, VERDICT_MALICIOUS, l->as_of, tell, l, why);
    return rc ? rc : present_flush(&l->present, why);
}

static int run(struct listing *l, struct fault *why)
{
    int rc = options_open_store_if_whole(&l->options, &l->store, why);
    if (rc != 0)
        return rc;
    if (l->syslog)
        openlog("dnsmon", LOG_PID, LOG_DAEMON);
    rc = l->follow ? follow(l, why) : list(l, why);
    knowledge_close(&l->knowledge);
    store_close(&l->store);
    return rc;
}

static void take_options(struct listing *l, int argc, char **argv)
{
    struct options *o = &l->options;
    int64_t as_of = 0;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_LEVEL:
            l->any_level = false;
            if (!verdict_level_parse(optarg, &l->least))
                options_wrong(o, "--level: '%s' is not one of benign, watch, suspicious, high_risk, malicious", optarg);
            break;
        case OWN_AS_OF:
            options_time(o, "as-of", &as_of);
            l->as_of = finding_step(as_of);
            break;
        case OWN_HISTORY: l->history = true; break;
        case OWN_FOLLOW: l->follow = true; break;
        case OWN_SYSLOG: l->syslog = true; break;
        case OWN_TABLE: l->table = true; break;
        }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (l->follow + l->history + (l->as_of != KNOWLEDGE_NOW) > 1)
        options_wrong(o, "one of --history, --follow and --as-of");
    if (l->table && (o->json || l->follow || l->history))
        options_wrong(o, "--table is not for --json, --follow and --history");
    bool lines = o->json || l->follow || l->history || !(l->table || isatty(STDOUT_FILENO));
    l->present.style = lines ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_verdicts(int argc, char **argv)
{
    static struct listing l;
    struct fault why = { 0 };
    l.least = VERDICT_WATCH;
    l.any_level = true;
    present_init(&l.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&l, argc, argv);
    if (l.options.exit < 0 && run(&l, &why) != 0)
        l.options.exit = command_fail(&why);
    present_release(&l.present);
    return options_end(&l.options);
}
