/* listed: whether a name or an address is blocked, in which view, since when and why; or why it is not. */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/present.h"
#include "knowledge/decision.h"
#include "knowledge/publication.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon listed [OPTION...] NAME\n"
    "\n"
    "Whether NAME, a domain name or an address, is blocked: by an entry of its own, as a name server, or of a domain above it, in which views\n"
    "and how, since when, by whom and why. When it is not: what is known of it, and what keeps it from being blocked.\n"
    "\n"
    OPTIONS_COMMON_HELP;

static const struct option longs[] = { OPTIONS_COMMON };

struct question {
    struct options options;
    struct knowledge *knowledge;
    struct present present;
    char name[NAME_TEXT_MAX];
    bool is_address;
    bool allowed;   /* by an operator, whatever is listed above it */
    bool listed;    /* something that covers it is enforced */
    bool any;       /* an entry was written */
    struct buffer entries, word, verdict; /* as they are printed */
};

static bool as_json(const struct question *q)
{
    return q->present.style == PRESENT_JSON;
}

/* ---- entries ---- */

static void put_views_json(struct question *q, const struct publication *p)
{
    const struct protection *policy = &q->options.settings.protect;
    bool any = false;
    buffer_printf(&q->entries, ",\"views\":[");
    for (unsigned i = 0; i < policy->n_views; i++) {
        if (!protection_shows(policy, &policy->views[i], p))
            continue;
        buffer_printf(&q->entries, "%s{\"zone\":", any ? "," : "");
        present_json_text(&q->entries, policy->views[i].zone);
        buffer_printf(&q->entries, ",\"action\":");
        present_json_text(&q->entries, protection_action(&policy->views[i], p));
        buffer_u8(&q->entries, '}');
        any = true;
    }
    buffer_u8(&q->entries, ']');
}

static void put_views(struct question *q, const struct publication *p)
{
    const struct protection *policy = &q->options.settings.protect;
    for (unsigned i = 0; i < policy->n_views; i++)
        if (protection_shows(policy, &policy->views[i], p))
            buffer_printf(&q->entries, "  in view %s: %s\n", policy->views[i].zone, protection_action(&policy->views[i], p));
}

static void put_json(struct question *q, const struct publication *p)
{
    struct buffer *to = &q->entries;
    buffer_printf(to, "%s{\"name\":", q->any ? "," : "");
    present_json_text(to, p->name);
    buffer_printf(to, ",\"trigger\":\"%s\",\"stage\":\"%s\",\"since\":%" PRId64 ",\"held\":\"%s\",\"approved_by\":", trigger_text(p->trigger),
                  stage_text(p->stage), p->since, held_text(p->held));
    present_json_text(to, p->approved_by);
    buffer_printf(to, ",\"reason\":");
    present_json_text(to, p->reason);
    buffer_printf(to, ",\"level\":\"%s\",\"score\":%.6g,\"categories\":", verdict_level_text(p->level), p->score);
    present_json_value(to, p->categories, "[]");
    buffer_printf(to, ",\"valid_until\":%" PRId64, p->valid_until);
    put_views_json(q, p);
    buffer_u8(to, '}');
}

static void put_text(struct question *q, const struct publication *p)
{
    struct buffer *to = &q->entries;
    char since[32];
    present_time((uint64_t)p->since, since);
    buffer_printf(to, "%s %s: %s since %s%s: ", trigger_text(p->trigger), p->name, stage_text(p->stage), since,
                  p->held == HELD_OUT ? ", and would not be any more but for a jump that is held" : "");
    present_plain(to, p->reason);
    buffer_u8(to, '\n');
    put_views(q, p);
}

static int put_entry(void *ctx, const struct publication *p, struct fault *why)
{
    struct question *q = ctx;
    (void)why;
    (as_json(q) ? put_json : put_text)(q, p);
    q->listed |= p->stage == STAGE_PUBLISHED;
    q->any = true;
    return E_OK;
}

/* In the order in which a resolver finds them: its own, then that of the nearest domain. */
static int find_entries(struct question *q, struct fault *why)
{
    if (q->is_address)
        return publication_find(q->knowledge, q->name, TRIGGER_ADDRESS, put_entry, q, why);
    int rc = publication_find(q->knowledge, q->name, TRIGGER_HOST, put_entry, q, why);
    for (const char *above = q->name; rc == 0 && above != NULL; above = knowledge_parent(above))
        rc = publication_find(q->knowledge, above, TRIGGER_DOMAIN, put_entry, q, why);
    return rc ? rc : publication_find(q->knowledge, q->name, TRIGGER_NAMESERVER, put_entry, q, why);
}

/* ---- what else is known ---- */

static int put_word(void *ctx, const struct decision *d, struct fault *why)
{
    struct question *q = ctx;
    (void)why;
    q->allowed = d->action == DECISION_ALLOW;
    if (as_json(q)) {
        buffer_printf(&q->word, "{\"action\":\"%s\",\"name\":", decision_action_text(d->action));
        present_json_text(&q->word, d->name);
        buffer_printf(&q->word, ",\"author\":");
        present_json_text(&q->word, d->author);
        buffer_printf(&q->word, ",\"reason\":");
        present_json_text(&q->word, d->reason);
        buffer_u8(&q->word, '}');
    } else {
        buffer_printf(&q->word, "%s: %s by ", d->name, q->allowed ? "allowed" : "blocked");
        present_plain(&q->word, d->author);
        buffer_printf(&q->word, ": ");
        present_plain(&q->word, d->reason);
        buffer_u8(&q->word, '\n');
    }
    return E_OK;
}

static int put_verdict(void *ctx, const struct verdict *v, struct fault *why)
{
    struct question *q = ctx;
    (void)why;
    if (q->verdict.len > 0)
        return E_OK;
    if (as_json(q)) {
        buffer_printf(&q->verdict, "{\"name\":");
        present_json_text(&q->verdict, v->name);
        buffer_printf(&q->verdict, ",\"level\":\"%s\",\"score\":%.6g}", verdict_level_text(v->level), v->score);
    } else {
        buffer_printf(&q->verdict, "%s: judged %s (%.3f); dnsmon explain tells why\n", v->name, verdict_level_text(v->level), v->score);
    }
    return E_OK;
}

/* Of the host, else of the nearest domain. */
static int find_verdict(struct question *q, struct fault *why)
{
    int rc = verdict_find(q->knowledge, q->name, SCOPE_HOST, KNOWLEDGE_NOW, put_verdict, q, why);
    for (const char *above = q->name; rc == 0 && above != NULL; above = knowledge_parent(above))
        rc = verdict_find(q->knowledge, above, SCOPE_DOMAIN, KNOWLEDGE_NOW, put_verdict, q, why);
    return rc;
}

static void put_buffer(struct buffer *to, const struct buffer *from, const char *otherwise)
{
    if (from->len > 0)
        buffer_append(to, from->ptr, from->len);
    else
        buffer_printf(to, "%s", otherwise);
}

static void print(struct question *q)
{
    struct buffer *to = &q->present.out;
    bool listed = q->listed && !q->allowed;
    if (as_json(q)) {
        buffer_printf(to, "{\"name\":");
        present_json_text(to, q->name);
        buffer_printf(to, ",\"listed\":%s,\"entries\":[", listed ? "true" : "false");
        put_buffer(to, &q->entries, "");
        buffer_printf(to, "],\"word\":");
        put_buffer(to, &q->word, "null");
        buffer_printf(to, ",\"verdict\":");
        put_buffer(to, &q->verdict, "null");
        buffer_printf(to, "}\n");
        return;
    }
    buffer_printf(to, "%s is %s\n", q->name, listed ? "listed" : "not listed");
    put_buffer(to, &q->word, "");
    put_buffer(to, &q->entries, "");
    put_buffer(to, &q->verdict, listed ? "" : "nothing was ever held against it\n");
}

static int answer(struct question *q, struct fault *why)
{
    int rc = options_find_store(&q->options, why);
    if (rc != 0)
        return rc;
    rc = options_open_knowledge(&q->options, KNOWLEDGE_READ, &q->knowledge, why);
    if (rc == E_ABSENT) /* nobody has said anything yet */
        return E_OK;
    if (rc == 0)
        rc = knowledge_begin(q->knowledge, why);
    if (rc == 0 && !q->is_address)
        rc = decision_covering(q->knowledge, q->name, time(NULL), put_word, q, why);
    if (rc == 0)
        rc = find_entries(q, why);
    return rc || q->is_address ? rc : find_verdict(q, why);
}

static int run(struct question *q, struct fault *why)
{
    struct buffer *const parts[] = { &q->entries, &q->word, &q->verdict };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buffer_init(parts[i], KNOWLEDGE_TEXT_MAX);
    int rc = answer(q, why);
    if (rc == 0)
        print(q);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buffer_release(parts[i]);
    knowledge_close(&q->knowledge);
    return rc ? rc : present_flush(&q->present, why);
}

static void take_options(struct question *q, int argc, char **argv)
{
    struct options *o = &q->options;
    options_start(o, usage, longs, argc, argv);
    while (options_next(o) > 0)
        ;
    if (o->exit < 0 && optind == argc) {
        options_wrong(o, "which NAME?");
    } else if (o->exit < 0 && optind + 1 < argc) {
        options_wrong(o, "'%s' is one word too many", argv[optind + 1]);
    } else if (o->exit < 0) {
        q->is_address = trigger_address(argv[optind], q->name);
        if (!q->is_address && knowledge_name_from_text(argv[optind], q->name) == 0)
            options_wrong(o, "'%s' is not a domain name, nor an address", argv[optind]);
    }
    q->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_listed(int argc, char **argv)
{
    static struct question q;
    struct fault why = { 0 };
    present_init(&q.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&q, argc, argv);
    if (q.options.exit < 0 && run(&q, &why) != 0)
        q.options.exit = command_fail(&why);
    present_release(&q.present);
    return options_end(&q.options);
}
