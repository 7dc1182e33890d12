#include "protect/feed/set.h"

#include "base/outfile.h"
#include "protect/feed/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct feed_set {
    int lock;
    struct feed_about about;
    size_t count;
    struct feed *feeds[FEED_SET_MAX]; /* NULL: it has failed */
    struct fault why;                 /* of the first that did; code 0: none */
};

static void keep(struct feed_set *set, const struct fault *why)
{
    if (set->why.code == 0)
        set->why = *why;
}

static int lock_folder(struct feed_set *set, const char *folder, struct fault *why)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/.lock", folder) >= PATH_BYTES)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", folder);
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return fault_errno(why, errno, "%s: cannot make the folder", folder);
    set->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (set->lock < 0)
        return fault_errno(why, errno, "%s: cannot open", path);
    if (flock(set->lock, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? fault_set(why, E_LOCKED, "%s: these feeds are being written by another", folder)
                                    : fault_errno(why, errno, "%s: cannot lock", path);
    return E_OK;
}

static int find_serial(struct feed_set *set, const char *folder, struct fault *why)
{
    if (set->about.digest == NULL)
        return E_OK;
    return feed_serial(folder, set->about.digest, set->about.serial, &set->about.serial, why);
}

static void open_one(struct feed_set *set, const char *folder, const struct feed_format *format, void *ctx)
{
    char path[PATH_BYTES];
    struct fault why;
    struct feed **feed = &set->feeds[set->count++];
    int rc = snprintf(path, sizeof path, "%s/%s", folder, format->file) < PATH_BYTES
                 ? feed_open(feed, format, &set->about, path, ctx, &why)
                 : fault_set(&why, E_LIMIT, "path is too long: %.100s...", folder);
    if (rc != 0)
        keep(set, &why);
}

int feed_set_open(struct feed_set **ret, const char *folder, const struct feed_format *const *formats, const struct feed_about *about,
                  void *ctx, struct fault *why)
{
    struct feed_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return fault_set(why, E_NOMEM, "no memory for feeds");
    set->lock = -1;
    set->about = *about;
    int rc = lock_folder(set, folder, why);
    if (rc == 0)
        rc = find_serial(set, folder, why);
    for (; rc == 0 && *formats != NULL; formats++)
        if (set->count < FEED_SET_MAX)
            open_one(set, folder, *formats, ctx);
        else
            rc = fault_set(why, E_LIMIT, "more than %d formats", FEED_SET_MAX);
    if (rc != 0)
        feed_set_abandon(&set);
    else
        *ret = set;
    return rc;
}

void feed_set_item(struct feed_set *set, const struct feed_item *item)
{
    struct fault why;
    for (size_t i = 0; i < set->count; i++)
        if (set->feeds[i] != NULL && feed_item(set->feeds[i], item, &why) != 0) {
            feed_abandon(&set->feeds[i]);
            keep(set, &why);
        }
}

int feed_set_commit(struct feed_set **ret, struct feed_result *results, struct fault *why)
{
    struct feed_set *set = *ret;
    struct fault failed;
    for (size_t i = 0; i < set->count; i++) {
        struct feed_result result = { .changed = false };
        if (set->feeds[i] != NULL && feed_commit(&set->feeds[i], &result, &failed) != 0)
            keep(set, &failed);
        if (results != NULL)
            results[i] = result;
    }
    int rc = set->why.code != 0 ? fault_set(why, set->why.code, "%s", set->why.text) : E_OK;
    feed_set_abandon(ret);
    return rc;
}

void feed_set_abandon(struct feed_set **ret)
{
    struct feed_set *set = *ret;
    *ret = NULL;
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        feed_abandon(&set->feeds[i]);
    if (set->lock >= 0)
        close(set->lock);
    free(set);
}
