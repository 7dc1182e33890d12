/* policy check: whether the configuration of protection is good, what is held and why, and how large each view is. */
#include "cmd/commands.h"
#include "cmd/protect_config.h"
#include "cmd/protecting.h"

#include <inttypes.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon policy check [OPTION...]\n"
    "\n"
    "Reads all that the configuration names for protection (lists, keys), and tells what each view shows, what waits for a person's word,\n"
    "and what a jump holds. Exit 1 when something of the configuration is wrong, or a jump holds something.\n"
    "\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_SUFFIXES = OPTION_OWN };
enum { JUMP_MAX = 1024, VIEWS_MAX = 256 };

static const struct option longs[] = {
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct check {
    struct options options;
    const char *suffixes;
    struct protecting protecting;
    struct present present;
    uint64_t shown[VIEWS_MAX], shadows[VIEWS_MAX]; /* by view */
    uint64_t in_review;
    bool is_held;
};

/* ---- views ---- */

static int count_views(void *ctx, const struct publication *p, struct fault *why)
{
    struct check *c = ctx;
    const struct protection *policy = &c->options.settings.protect;
    (void)why;
    for (unsigned i = 0; i < policy->n_views && i < VIEWS_MAX; i++)
        if (protection_shows(policy, &policy->views[i], p))
            ++*(p->stage == STAGE_SHADOW ? &c->shadows[i] : &c->shown[i]);
    return E_OK;
}

static void print_views(struct check *c)
{
    const struct protection *policy = &c->options.settings.protect;
    struct buffer *to = &c->present.out;
    for (unsigned i = 0; i < policy->n_views && i < VIEWS_MAX; i++) {
        if (c->present.style == PRESENT_TABLE) {
            buffer_printf(to, "view %s: %" PRIu64 " enforced, %" PRIu64 " shadow\n", policy->views[i].zone, c->shown[i], c->shadows[i]);
        } else {
            buffer_printf(to, "{\"view\":");
            present_json_text(to, policy->views[i].zone);
            buffer_printf(to, ",\"enforced\":%" PRIu64 ",\"shadow\":%" PRIu64 "}\n", c->shown[i], c->shadows[i]);
        }
    }
}

/* ---- what waits ---- */

static int print_waiting(void *ctx, const struct publication *p, struct fault *why)
{
    struct check *c = ctx;
    struct buffer *to = &c->present.out;
    char since[32];
    (void)why;
    c->in_review += p->stage == STAGE_REVIEW;
    if (c->present.style == PRESENT_TABLE) {
        present_time((uint64_t)p->since, since);
        buffer_printf(to, "%s %s %s since %s: ", p->held ? "held" : stage_text(p->stage), trigger_text(p->trigger), p->name, since);
        present_plain(to, p->held == HELD_OUT ? "would not be published any more" : p->reason);
        present_text(&c->present, "\n");
        return E_OK;
    }
    buffer_printf(to, "{\"name\":");
    present_json_text(to, p->name);
    buffer_printf(to, ",\"trigger\":\"%s\",\"stage\":\"%s\",\"held\":\"%s\",\"since\":%" PRId64 ",\"reason\":", trigger_text(p->trigger),
                  stage_text(p->stage), held_text(p->held), p->since);
    present_json_text(to, p->reason);
    present_text(&c->present, "}\n");
    return E_OK;
}

/* What a jump holds in review was printed with the rest of it. */
static int print_held(void *ctx, const struct publication *p, struct fault *why)
{
    return p->stage == STAGE_REVIEW ? E_OK : print_waiting(ctx, p, why);
}

/* ---- all of it ---- */

static void print_sizes(struct check *c, const struct publication_sizes *s, const char *jump)
{
    struct buffer *to = &c->present.out;
    if (c->present.style == PRESENT_TABLE) {
        buffer_printf(to, "%" PRId64 " published, %" PRId64 " shadow, %" PRIu64 " in review\n", s->published, s->shadow, c->in_review);
        if (jump[0] != '\0')
            buffer_printf(to, "a jump is held: %s\n", jump);
        return;
    }
    buffer_printf(to, "{\"sizes\":{\"published\":%" PRId64 ",\"shadow\":%" PRId64 ",\"review\":%" PRIu64 ",\"held_in\":%" PRId64
                  ",\"held_out\":%" PRId64 "},\"jump\":", s->published, s->shadow, c->in_review, s->held_in, s->held_out);
    if (jump[0] != '\0')
        present_json_text(to, jump);
    else
        buffer_printf(to, "null");
    present_text(&c->present, "}\n");
}

static int tell(struct check *c, struct buffer *jump, struct fault *why)
{
    struct knowledge *k = c->protecting.k;
    struct publication_sizes sizes;
    int rc = publication_each(k, 1u << STAGE_SHADOW | 1u << STAGE_PUBLISHED, count_views, c, why);
    if (rc == 0)
        print_views(c);
    if (rc == 0)
        rc = publication_each(k, 1u << STAGE_REVIEW, print_waiting, c, why);
    if (rc == 0)
        rc = publication_held(k, print_held, c, why);
    if (rc == 0)
        rc = publication_sizes(k, &sizes, why);
    if (rc == 0)
        rc = lifecycle_jump(k, jump, why);
    buffer_u8(jump, 0);
    if (rc != 0)
        return rc;
    c->is_held = sizes.held_in + sizes.held_out > 0;
    print_sizes(c, &sizes, (const char *)jump->ptr);
    return E_OK;
}

/* Nothing was analysed yet: then nothing is wrong with it. */
static int run(struct check *c, struct fault *why)
{
    struct buffer jump;
    buffer_init(&jump, JUMP_MAX);
    int rc = protect_config_load_keys(&c->options.settings.protect.server, why);
    if (rc == 0)
        rc = protecting_open(&c->protecting, &c->options, KNOWLEDGE_READ, c->suffixes, why);
    bool nothing = rc == E_ABSENT && c->protecting.guard != NULL;
    if (rc == 0)
        rc = knowledge_begin(c->protecting.k, why);
    if (rc == 0)
        rc = tell(c, &jump, why);
    buffer_release(&jump);
    protecting_close(&c->protecting);
    return rc && !nothing ? rc : present_flush(&c->present, why);
}

static void take_options(struct check *c, int argc, char **argv)
{
    struct options *o = &c->options;
    options_start(o, usage, longs, argc, argv);
    while (options_next(o) > 0)
        c->suffixes = optarg;
    if (o->exit < 0 && (optind == argc || strcmp(argv[optind], "check") != 0))
        options_wrong(o, "it is 'dnsmon policy check'");
    else if (o->exit < 0 && optind + 1 < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind + 1]);
    c->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_policy(int argc, char **argv)
{
    static struct check c;
    struct fault why = { 0 };
    present_init(&c.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&c, argc, argv);
    if (c.options.exit < 0 && run(&c, &why) != 0) {
        (void)command_fail(&why);
        c.options.exit = EXIT_FAILED;
    }
    if (c.options.exit < 0 && c.is_held)
        c.options.exit = EXIT_FAILED;
    present_release(&c.present);
    return options_end(&c.options);
}
