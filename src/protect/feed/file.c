#include "protect/feed/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int feed_file_open(struct feed_file *file, const char *path, struct fault *why)
{
    int rc = outfile_open(&file->out, path, why);
    file->is_open = rc == 0;
    file->direct = false;
    digest_begin(&file->digest);
    return rc;
}

void feed_file_write(struct feed_file *file, const void *ptr, size_t len)
{
    outfile_write(&file->out, ptr, len);
    digest_add(&file->digest, ptr, len);
}

void feed_file_abandon(struct feed_file *file)
{
    if (file->is_open)
        outfile_abandon(&file->out);
    file->is_open = false;
}

static int take_digest(struct feed_file *file, char text[DIGEST_TEXT], struct fault *why)
{
    char tmp[PATH_BYTES + 8];
    digest_end(&file->digest, text);
    if (!file->direct)
        return E_OK;
    snprintf(tmp, sizeof tmp, "%s.tmp", file->out.path);
    return digest_of_path(tmp, text, why);
}

static int sync_folder_of(const char *path, struct fault *why)
{
    char folder[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return sync_folder(".", why);
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + (slash == path), path);
    return sync_folder(folder, why);
}

static int date_after(const char *path, time_t former, struct fault *why)
{
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = former + 1 } };
    struct stat st;
    int rc = stat(path, &st);
    if (rc == 0 && st.st_mtim.tv_sec <= former)
        rc = utimensat(AT_FDCWD, path, times, 0);
    return rc < 0 ? fault_errno(why, errno, "%s: cannot set its time", path) : E_OK;
}

static int replace(struct feed_file *file, const char now[DIGEST_TEXT], struct fault *why)
{
    const char *path = file->out.path;
    struct stat former = { .st_mtim = { 0 } };
    if (stat(path, &former) < 0)
        former.st_mtim.tv_sec = 0;
    int rc = outfile_commit(&file->out, why);
    file->is_open = false;
    if (rc == 0)
        rc = date_after(path, former.st_mtim.tv_sec, why);
    if (rc == 0)
        rc = digest_keep(path, now, why);
    return rc ? rc : sync_folder_of(path, why);
}

int feed_file_commit(struct feed_file *file, bool *changed, struct fault *why)
{
    char now[DIGEST_TEXT], before[DIGEST_TEXT];
    int rc = take_digest(file, now, why);
    if (rc == 0 && (digest_of_path(file->out.path, before, NULL) != 0 || strcmp(now, before) != 0)) {
        *changed = true;
        rc = replace(file, now, why);
    }
    feed_file_abandon(file);
    return rc;
}
