/* account: the user that capture runs as once it has what only root may open.
 *
 *     account_find(&account, settings.user, &why)    who; before anything is opened
 *     ... interfaces and sockets ...
 *     account_enter(&account, &why)                  for good
 *     account_check_folder(settings.db, &why)
 *     ... the database, threads ...
 *
 * Entering sets groups, all group ids and all user ids, empties every capability set and
 * turns on no_new_privs, then looks whether all of it holds and root cannot come back.
 * Who is not root already keeps the ids and loses the rest. Ids are the process's;
 * capabilities are a thread's and are inherited, so enter before there are threads.
 */
#ifndef DNSMON_CMD_ACCOUNT_H
#define DNSMON_CMD_ACCOUNT_H

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

#define ACCOUNT_DEFAULT "dnsmon"

struct account {
    char name[64];
    uid_t uid;
    gid_t gid;
    bool from_root; /* the process is root: ids change */
};

/* `name` NULL: root becomes ACCOUNT_DEFAULT, and E_USAGE when there is no such user; others stay
 * who they are. Staying root is only by name. */
int account_find(struct account *ret, const char *name, struct fault *why) MUST_CHECK;

int account_enter(const struct account *account, struct fault *why) MUST_CHECK;

/* Whether the process may write the database in `folder`, or make it; `why` says what to do. */
int account_check_folder(const struct account *account, const char *folder, struct fault *why) MUST_CHECK;

#endif
