/* dnsmon: one program, a table of subcommands. */
#include "cmd/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    { "ingest", "read capture files and logs into the database, exactly once", cmd_ingest },
    { "capture", "read live traffic from an interface or dnstap", cmd_capture },
    { "lookup", "what a name answered, who answered with this data", cmd_lookup },
    { "activity", "how a name was asked for, hour by hour", cmd_activity },
    { "clients", "which clients asked for a name, and when", cmd_clients },
    { "demand", "names asked for while not registered: what a sinkhole could answer", cmd_demand },
    { "analyze", "what the new data say: evidence, verdicts, campaigns, indicators", cmd_analyze },
    { "verdicts", "what was decided of names, and what changes", cmd_verdicts },
    { "explain", "why a name is held to be what it is", cmd_explain },
    { "campaigns", "names that belong together", cmd_campaigns },
    { "indicators", "what is to be blocked, for machines", cmd_indicators },
    { "allow", "the operator's word: never block a name", cmd_allow },
    { "block", "the operator's word: block a name", cmd_block },
    { "object", "hold a name for harmless, until an operator decides", cmd_object },
    { "audit", "what operators did, and who", cmd_audit },
    { "publish", "bring what is blocked up to what is held for harmful", cmd_publish },
    { "serve", "policy zones and feeds for resolvers and others", cmd_serve },
    { "withdraw", "the operator's word: a name, a campaign, all is not blocked any more", cmd_withdraw },
    { "approve", "the operator's word: what waits in review is blocked", cmd_approve },
    { "policy", "whether the policy is good, what is held and why", cmd_policy },
    { "listed", "whether a name is blocked, where, since when, and why", cmd_listed },
    { "receipts", "which resolver holds what, and who was protected", cmd_receipts },
    { "simulate", "make the traffic of a made-up network", cmd_simulate },
    { "dump", "every record as a line of text, in key order", cmd_dump },
    { "stat", "what the database holds", cmd_stat },
    { "fsck", "read every byte and report damage", cmd_fsck },
    { "merge", "run the merges that are due, now", cmd_merge },
    { "expire", "drop what is older than the retention keeps", cmd_expire },
    { "purge", "remove a name, or a subtree, from all tables", cmd_purge },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* The command that starts like what was typed, or NULL. */
static const struct command *command_like(const char *name)
{
    for (size_t n = strlen(name); n > 0; n--)
        for (size_t i = 0; i < COMMANDS; i++)
            if (strncmp(commands[i].name, name, n) == 0)
                return &commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const struct command *like = command_like(name);
    if (like != NULL)
        command_say("unknown command '%s'; did you mean '%s'?", name, like->name);
    else
        command_say("unknown command '%s'; see dnsmon --help", name);
    return EXIT_USAGE;
}

static int help(FILE *to, int code)
{
    fprintf(to, "usage: dnsmon COMMAND [OPTION...] [ARGUMENT...]\n\n"
                "Threat intelligence from DNS traffic: what names answered, who asks for them and how, and which serve malware.\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\n'dnsmon help COMMAND' tells more. The database is --db DIR, $DNSMON_DB or ./dnsmon-db.\n"
                "Exit: 0 done, 1 operational failure, 2 wrong usage.\n");
    return code;
}

static int help_of(char *name)
{
    const struct command *command = command_find(name);
    if (command == NULL)
        return unknown(name);
    char option[] = "--help";
    char *argv[] = { name, option, NULL };
    return command->run(2, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr, EXIT_USAGE);
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) {
        printf("dnsmon %s\n", DNSMON_VERSION);
        return EXIT_DONE;
    }
    bool asked = strcmp(name, "help") == 0;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (asked && argc == 2))
        return help(stdout, EXIT_DONE);
    if (asked)
        return help_of(argv[2]);
    const struct command *command = command_find(name);
    if (command == NULL)
        return unknown(name);
    return command->run(argc - 1, argv + 1);
}
