#include "cmd/options.h"

#include "cmd/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

void options_wrong(struct options *o, const char *format, ...)
{
    char text[512];
    va_list args;
    if (o->exit >= 0)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    command_say("%s; see dnsmon help %s", text, o->argv[0]);
    o->exit = EXIT_USAGE;
}

static void letters(struct options *o)
{
    size_t n = 0;
    o->shorts[n++] = ':';
    for (const struct option *l = o->longs; l->name != NULL && n + 3 < sizeof o->shorts; l++) {
        if (l->val >= 128)
            continue;
        o->shorts[n++] = (char)l->val;
        if (l->has_arg == required_argument)
            o->shorts[n++] = ':';
    }
    o->shorts[n] = '\0';
}

/* The file comes first, so that options override it wherever they stand. getopt moves the
 * words of argv behind the options here; the second pass finds them in that order. */
static void load_config(struct options *o)
{
    struct fault why = { 0 };
    int c;
    optind = 0;
    opterr = 0;
    while (o->exit < 0 && (c = getopt_long(o->argc, o->argv, o->shorts, o->longs, NULL)) != -1)
        if (c == OPTION_CONFIG && settings_load(&o->settings, optarg, &why) != 0)
            o->exit = command_fail(&why);
    optind = 0;
}

void options_start(struct options *o, const char *usage, const struct option *longs, int argc, char **argv)
{
    struct fault why = { 0 };
    *o = (struct options){ .exit = -1, .usage = usage, .longs = longs, .argc = argc, .argv = argv };
    letters(o);
    if (settings_init(&o->settings, &why) != 0) {
        o->exit = command_fail(&why);
        return;
    }
    load_config(o);
}

static void common(struct options *o, int c)
{
    struct fault why = { 0 };
    const char *word = o->argv[optind - 1];
    switch (c) {
    case OPTION_DB:
        if (settings_set(&o->settings.db, optarg, &why) != 0)
            o->exit = command_fail(&why);
        break;
    case OPTION_CONFIG:
        break;
    case OPTION_JSON:
        o->json = true;
        break;
    case OPTION_PROGRESS:
        o->progress = true;
        break;
    case OPTION_HELP:
        fputs(o->usage, stdout);
        o->exit = EXIT_DONE;
        break;
    case ':':
        options_wrong(o, "option %s needs a value", word);
        break;
    default:
        options_wrong(o, "unknown option %s", word);
    }
}

int options_next(struct options *o)
{
    while (o->exit < 0) {
        int c = getopt_long(o->argc, o->argv, o->shorts, o->longs, NULL);
        if (c == -1)
            return 0;
        bool own = c >= OPTION_OWN || (c < 128 && c != '?' && c != ':' && c != OPTION_HELP);
        if (own)
            return c;
        common(o, c);
    }
    return 0;
}

int options_end(struct options *o)
{
    settings_release(&o->settings);
    return o->exit < 0 ? EXIT_DONE : o->exit;
}

void options_count(struct options *o, const char *name, uint64_t *ret)
{
    if (!value_count(optarg, ret))
        options_wrong(o, "--%s: '%s' is not a number", name, optarg);
}

void options_size(struct options *o, const char *name, uint64_t *ret)
{
    if (!value_size(optarg, ret))
        options_wrong(o, "--%s: '%s' is not a size such as 64M", name, optarg);
}

void options_duration(struct options *o, const char *name, uint64_t *ret)
{
    if (!value_duration(optarg, ret))
        options_wrong(o, "--%s: '%s' is not a duration such as 35d", name, optarg);
}

void options_time(struct options *o, const char *name, int64_t *ret)
{
    if (!value_time(optarg, time(NULL), ret))
        options_wrong(o, "--%s: '%s' is not a time (epoch, 2026-01-31T12:00:00Z, -7d)", name, optarg);
}

int options_find_store(const struct options *o, struct fault *why)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/MANIFEST", o->settings.db);
    if (stat(path, &st) != 0)
        return fault_set(why, E_ABSENT, "%s: no database here (%s)", o->settings.db, strerror(errno));
    return E_OK;
}

int options_open_store(const struct options *o, enum store_mode mode, struct store **ret, struct fault *why)
{
    struct store_options options = settings_store(&o->settings);
    int rc = mode == STORE_READ ? options_find_store(o, why) : E_OK;
    return rc ? rc : store_open(ret, o->settings.db, mode, &options, why);
}

int options_open_store_if_whole(const struct options *o, struct store **ret, struct fault *why)
{
    *ret = NULL;
    int rc = options_open_store(o, STORE_READ, ret, why);
    if (rc == E_CORRUPT)
        command_say("%s", why->text);
    return rc == E_CORRUPT ? E_OK : rc;
}

int options_open_knowledge(const struct options *o, enum knowledge_mode mode, struct knowledge **ret, struct fault *why)
{
    int rc = options_find_store(o, why);
    return rc ? rc : knowledge_open(ret, o->settings.db, mode, why);
}
