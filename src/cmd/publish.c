/* publish: one run of the life cycle, for those who have no server running, and the word that lets a jump through. */
#include "cmd/commands.h"
#include "cmd/feeding.h"
#include "cmd/protecting.h"

#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsmon publish [OPTION...]\n"
    "\n"
    "Brings what is published up to what analysis and operators hold for harmful, by the policy of the configuration, and says what changed. What a\n"
    "jump of the whole set holds back is told.\n"
    "\n"
    "  --confirm           let through what a jump holds\n"
    "  --as-of TIME        as if it were then, in the past: to replay on a copy what a policy would have done\n"
    "  --public-suffixes FILE\n"
    "                      the Public Suffix List\n"
    OPTIONS_COMMON_HELP;

enum { OWN_CONFIRM = OPTION_OWN, OWN_AS_OF, OWN_SUFFIXES };

static const struct option longs[] = {
    { "confirm", no_argument, NULL, OWN_CONFIRM },
    { "as-of", required_argument, NULL, OWN_AS_OF },
    { "public-suffixes", required_argument, NULL, OWN_SUFFIXES },
    OPTIONS_COMMON,
};

struct publish {
    struct options options;
    bool confirm;
    int64_t as_of; /* seconds; 0 = now */
    const char *suffixes;
    struct protecting protecting;
    struct present present;
};

static int run(struct publish *p, struct fault *why)
{
    char author[COMMAND_AUTHOR];
    struct targets_result targets;
    int rc = protecting_open(&p->protecting, &p->options, KNOWLEDGE_WRITE, p->suffixes, why);
    command_author(author);
    if (p->as_of != 0)
        p->protecting.life.now = p->as_of;
    if (p->confirm)
        p->protecting.life.confirmed_by = author;
    if (rc == 0)
        rc = protecting_run(&p->protecting, &p->present, why);
    if (rc == 0 && p->as_of == 0) /* the store is as it is now */
        rc = protecting_targets(&p->protecting, TARGETS_ALL, &targets, why);
    if (rc == 0 && p->as_of == 0 && p->options.settings.protect.feeds.dir != NULL)
        rc = feeding_write(&p->options.settings.protect, p->protecting.k, NULL, why);
    protecting_close(&p->protecting);
    return rc ? rc : present_flush(&p->present, why);
}

static void take_options(struct publish *p, int argc, char **argv)
{
    struct options *o = &p->options;
    int word;
    options_start(o, usage, longs, argc, argv);
    while ((word = options_next(o)) > 0)
        switch (word) {
        case OWN_CONFIRM: p->confirm = true; break;
        case OWN_AS_OF: options_time(o, "as-of", &p->as_of); break;
        case OWN_SUFFIXES: p->suffixes = optarg; break;
        }
    if (o->exit < 0 && optind < argc)
        options_wrong(o, "'%s' is one word too many", argv[optind]);
    if (p->as_of > time(NULL)) /* serials would go ahead of the clock for good */
        options_wrong(o, "--as-of: that is still to come");
    p->present.style = o->json || !isatty(STDOUT_FILENO) ? PRESENT_JSON : PRESENT_TABLE;
}

int cmd_publish(int argc, char **argv)
{
    static struct publish p;
    struct fault why = { 0 };
    present_init(&p.present, STDOUT_FILENO, PRESENT_JSON);
    take_options(&p, argc, argv);
    if (p.options.exit < 0 && run(&p, &why) != 0)
        p.options.exit = command_fail(&why);
    present_release(&p.present);
    return options_end(&p.options);
}
