#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int write_all_at(int fd, const void *ptr, size_t len, uint64_t offset)
{
    const uint8_t *p = ptr;
    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static void tmp_path(const struct outfile *o, char ret[PATH_BYTES + 8])
{
    snprintf(ret, PATH_BYTES + 8, "%s.tmp", o->path);
}

static int open_as(struct outfile *ret, const char *path, mode_t mode, struct fault *why)
{
    struct outfile o = { .fd = -1 };
    if ((size_t)snprintf(o.path, sizeof o.path, "%s", path) >= sizeof o.path)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", path);
    o.buffer = malloc(OUTFILE_BUFFER_BYTES);
    if (o.buffer == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", path);
    char tmp[PATH_BYTES + 8];
    tmp_path(&o, tmp);
    o.fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (o.fd < 0) {
        int errnum = errno;
        free(o.buffer);
        return fault_errno(why, errnum, "%s: cannot create", tmp);
    }
    *ret = o;
    return 0;
}

int outfile_open(struct outfile *ret, const char *path, struct fault *why)
{
    return open_as(ret, path, 0644, why);
}

int outfile_open_private(struct outfile *ret, const char *path, struct fault *why)
{
    int r = open_as(ret, path, 0600, why);
    if (r == 0 && fchmod(ret->fd, 0600) < 0) /* a left-over of that name may have been anybody's */
        ret->errnum = errno;
    return r;
}

static void flush(struct outfile *o)
{
    if (o->errnum == 0)
        o->errnum = write_all_at(o->fd, o->buffer, o->len, o->offset - o->len);
    o->len = 0;
}

void outfile_write(struct outfile *o, const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    while (len) {
        size_t room = OUTFILE_BUFFER_BYTES - o->len;
        size_t n = len < room ? len : room;
        memcpy(o->buffer + o->len, p, n);
        o->len += n;
        o->offset += n;
        p += n;
        len -= n;
        if (o->len == OUTFILE_BUFFER_BYTES)
            flush(o);
    }
}

static int close_file(struct outfile *o)
{
    int r = o->fd >= 0 ? close(o->fd) : 0;
    o->fd = -1;
    free(o->buffer);
    o->buffer = NULL;
    return r;
}

int outfile_commit(struct outfile *o, struct fault *why)
{
    flush(o);
    if (o->errnum == 0 && fdatasync(o->fd) < 0)
        o->errnum = errno;
    char tmp[PATH_BYTES + 8];
    tmp_path(o, tmp);
    if (o->errnum == 0 && rename(tmp, o->path) < 0)
        o->errnum = errno;
    if (o->errnum) {
        int errnum = o->errnum;
        outfile_abandon(o);
        return fault_errno(why, errnum, "%s: cannot write", o->path);
    }
    close_file(o);
    return 0;
}

void outfile_abandon(struct outfile *o)
{
    if (o->fd < 0)
        return;
    char tmp[PATH_BYTES + 8];
    tmp_path(o, tmp);
    unlink(tmp);
    close_file(o);
}

int sync_folder(const char *dir, struct fault *why)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot open folder", dir);
    int errnum = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return errnum ? fault_errno(why, errnum, "%s: cannot sync folder", dir) : 0;
}
