/* policy_file: the names that we block ourselves, from a file, read again when it changes.
 *
 *     # what resolvers here enforce
 *     name.example          the name alone
 *     *.name.example        the name and all below it
 *     @192.0.2.1            an address of the walled garden
 *
 * One a line, blanks around it and lines that begin with # do not count. Whoever writes it anew gives it its name
 * when it is whole (rename). Handle type; one thread.
 */
#ifndef DNSMON_CMD_POLICY_FILE_H
#define DNSMON_CMD_POLICY_FILE_H

#include "base/fault.h"
#include "observe/policy.h"

enum { POLICY_FILE_BYTES_MAX = 1 << 30 };

struct policy_file;

/* E_MALFORMED with "file:line: what" when a line is none of the three. */
int policy_file_open(struct policy_file **ret, const char *path, struct fault *why) MUST_CHECK;
void policy_file_close(struct policy_file **file);

/* Valid until the next refresh that says true. */
const struct policy *policy_file_policy(const struct policy_file *file);

/* Reads the file again when it is another than before; true: there is a new policy. One that is gone or does not
 * parse leaves the old one, and is said on stderr once. Cheap: looks at the file at most once a second. */
bool policy_file_refresh(struct policy_file *file);

/* Of the text of such a file, called `path` in what it says. */
int policy_parse(struct policy **ret, struct slice text, const char *path, struct fault *why) MUST_CHECK;

#endif
