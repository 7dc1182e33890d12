/* Capabilities go by capset itself: the sets are empty, so there is nothing for libcap or libcap-ng
 * to put together. The bounding set may stay, since no_new_privs keeps exec from drawing on it. */
#include "cmd/account.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAPABILITY_WORDS = _LINUX_CAPABILITY_U32S_3 };

static void take(struct account *ret, const char *name, uid_t uid, gid_t gid)
{
    *ret = (struct account){ .uid = uid, .gid = gid, .from_root = geteuid() == 0 };
    snprintf(ret->name, sizeof ret->name, "%s", name);
}

static int stay(struct account *ret)
{
    char number[32];
    const struct passwd *self = getpwuid(geteuid());
    snprintf(number, sizeof number, "%u", (unsigned)geteuid());
    take(ret, self ? self->pw_name : number, geteuid(), getegid());
    return E_OK;
}

static int no_such_user(const char *name, struct fault *why)
{
    if (name != NULL)
        return fault_set(why, E_USAGE, "user %s: there is none", name);
    return fault_set(why, E_USAGE,
                     "started as root, and there is no user " ACCOUNT_DEFAULT " to go on as: give --user NAME, who then "
                     "owns the database (root, if it must be), or create " ACCOUNT_DEFAULT
                     " (useradd --system " ACCOUNT_DEFAULT ")");
}

int account_find(struct account *ret, const char *name, struct fault *why)
{
    bool root = geteuid() == 0;
    if (name == NULL && !root)
        return stay(ret);
    errno = 0;
    const struct passwd *found = getpwnam(name ? name : ACCOUNT_DEFAULT);
    if (found == NULL)
        return no_such_user(name, why);
    if (!root && found->pw_uid != geteuid())
        return fault_set(why, E_USAGE, "user %s: only root can become another user", found->pw_name);
    take(ret, found->pw_name, found->pw_uid, found->pw_gid);
    return E_OK;
}

static int become(const struct account *a, struct fault *why)
{
    if (!a->from_root)
        return E_OK;
    if (initgroups(a->name, a->gid) != 0 || setresgid(a->gid, a->gid, a->gid) != 0 || setresuid(a->uid, a->uid, a->uid) != 0)
        return fault_errno(why, errno, "user %s: cannot become it", a->name);
    return E_OK;
}

static int give_up_capabilities(struct fault *why)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[CAPABILITY_WORDS] = { { 0 } };
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || syscall(SYS_capset, &header, none) != 0)
        return fault_errno(why, errno, "cannot give up capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault_errno(why, errno, "no_new_privs");
    return E_OK;
}

static bool has_ids(const struct account *a)
{
    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        if (uids[i] != a->uid || gids[i] != a->gid)
            return false;
    return true;
}

static bool has_no_capability(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct held[CAPABILITY_WORDS];
    if (syscall(SYS_capget, &header, held) != 0)
        return false;
    uint32_t any = 0;
    for (int i = 0; i < CAPABILITY_WORDS; i++)
        any |= held[i].effective | held[i].permitted | held[i].inheritable;
    return any == 0;
}

/* The answer is in asking: a process that can become root again has not left it. */
static bool can_be_root_again(const struct account *a)
{
    bool user = a->uid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0;
    bool group = a->gid != 0 && setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
    return user || group;
}

static int verify(const struct account *a, struct fault *why)
{
    if (a->from_root && (!has_ids(a) || can_be_root_again(a)))
        return fault_set(why, E_IO, "user %s: root could be regained; stopped", a->name);
    if (!has_no_capability() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return fault_set(why, E_IO, "user %s: privileges are still there after giving them up; stopped", a->name);
    return E_OK;
}

int account_enter(const struct account *account, struct fault *why)
{
    int err = become(account, why);
    if (err == E_OK)
        err = give_up_capabilities(why);
    return err ? err : verify(account, why);
}

static int check_parent(const struct account *a, const char *folder, struct fault *why)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", folder);
    if (access(dirname(copy), W_OK | X_OK) == 0)
        return E_OK;
    return fault_set(why, E_IO, "%s: user %s may not create it: install -d -o %s %s", folder, a->name, a->name, folder);
}

int account_check_folder(const struct account *account, const char *folder, struct fault *why)
{
    static const char *const names[] = { "", "/LOCK", "/MANIFEST", "/client.key" };
    char path[4096];
    if (access(folder, F_OK) != 0 && errno == ENOENT)
        return check_parent(account, folder, why);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        if (access(path, i == 0 ? R_OK | W_OK | X_OK : R_OK | W_OK) != 0 && errno != ENOENT)
            return fault_set(why, E_IO, "%s: user %s may not write it: chown -R %s: %s", path, account->name,
                             account->name, folder);
    }
    return E_OK;
}
