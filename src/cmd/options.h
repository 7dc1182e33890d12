/* options: the command line of every subcommand, on getopt_long.
 *
 * A command lists its own options in front of OPTIONS_COMMON, then:
 *
 *     options_start(&o, usage, longs, argc, argv)   loads --config, wherever it stands
 *     while ((c = options_next(&o)) > 0) ...        its own options; the common ones are done
 *     if (o.exit >= 0) return options_end(&o);      --help, or a mistake already reported
 *
 * Then argv[optind...] are its words. What the command line says wins over the file.
 */
#ifndef DNSMON_CMD_OPTIONS_H
#define DNSMON_CMD_OPTIONS_H

#include "cmd/config.h"
#include "knowledge/knowledge.h"

#include <getopt.h>

enum {
    OPTION_HELP = 'h',
    OPTION_DB = 0x1000,
    OPTION_CONFIG,
    OPTION_JSON,
    OPTION_PROGRESS,
    OPTION_OWN = 0x2000, /* commands number theirs from here */
};

/* `short` option letters are the values below 128 in the list. */
#define OPTIONS_COMMON                                            \
    { "db", required_argument, NULL, OPTION_DB },                 \
    { "config", required_argument, NULL, OPTION_CONFIG },         \
    { "json", no_argument, NULL, OPTION_JSON },                   \
    { "progress", no_argument, NULL, OPTION_PROGRESS },           \
    { "help", no_argument, NULL, OPTION_HELP },                   \
    { NULL, 0, NULL, 0 }

#define OPTIONS_COMMON_HELP                                                        \
    "  --db DIR            the database ($DNSMON_DB, ./dnsmon-db)\n"               \
    "  --config FILE       read settings from a YAML file\n"                       \
    "  --json              output for machines\n"                                  \
    "  --progress          progress on stderr even when it is not a terminal\n"

struct options {
    struct settings settings;
    bool json;
    bool progress;
    int exit; /* -1: go on */

    const char *usage;
    const struct option *longs;
    char shorts[64];
    int argc;
    char **argv;
};

void options_start(struct options *o, const char *usage, const struct option *longs, int argc, char **argv);

/* The next option of the command (its argument is optarg), or 0 at the end. */
int options_next(struct options *o);

/* Releases the settings; returns o->exit, 0 when the command went through. */
int options_end(struct options *o);

/* Reports a wrong usage, once, and sets o->exit. */
void options_wrong(struct options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Option values, reported when wrong. `name` is the option's long name. */
void options_count(struct options *o, const char *name, uint64_t *ret);
void options_size(struct options *o, const char *name, uint64_t *ret);
void options_duration(struct options *o, const char *name, uint64_t *ret);
void options_time(struct options *o, const char *name, int64_t *ret);

/* E_ABSENT when there is no database: for commands that write but should not create one. */
int options_find_store(const struct options *o, struct fault *why) MUST_CHECK;

/* The database of the settings. STORE_WRITE creates it when absent. */
int options_open_store(const struct options *o, enum store_mode mode, struct store **ret,
                       struct fault *why) MUST_CHECK;

/* The same for reading, for whoever can do without: damage is told, and *ret is NULL. */
int options_open_store_if_whole(const struct options *o, struct store **ret, struct fault *why) MUST_CHECK;

/* What is known beside the store's files; E_ABSENT when there is no database, or for readers no such knowledge. */
int options_open_knowledge(const struct options *o, enum knowledge_mode mode, struct knowledge **ret,
                           struct fault *why) MUST_CHECK;

#endif
