/* commands: the subcommands of dnsmon, and what they have in common.
 *
 * A command gets its own argv (argv[0] is its name) and returns the exit code of the
 * program: 0 done, 1 operational failure, 2 wrong usage. Results go to stdout, everything
 * else to stderr. Called once a process, in the main thread.
 */
#ifndef DNSMON_CMD_COMMANDS_H
#define DNSMON_CMD_COMMANDS_H

#include "base/fault.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int cmd_ingest(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_lookup(int argc, char **argv);
int cmd_activity(int argc, char **argv);
int cmd_clients(int argc, char **argv);
int cmd_demand(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_analyze(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_fsck(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_expire(int argc, char **argv);
int cmd_purge(int argc, char **argv);
int cmd_verdicts(int argc, char **argv);
int cmd_campaigns(int argc, char **argv);
int cmd_indicators(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_block(int argc, char **argv);
int cmd_object(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_publish(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_withdraw(int argc, char **argv);
int cmd_approve(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_listed(int argc, char **argv);
int cmd_receipts(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_dump(int argc, char **argv);

/* A line on stderr: "dnsmon: ...". */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Who runs this, for the audit: who sits in front, not whom sudo made them. */
enum { COMMAND_AUTHOR = 64 };
void command_author(char text[COMMAND_AUTHOR]);

/* Prints the fault and returns the exit code it asks for. */
int command_fail(const struct fault *why);

#endif
