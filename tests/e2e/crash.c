/* crash: preloaded, ends the process by SIGKILL at one call that changes a file of a folder.
 *
 * CRASH_FOLDER  only files in it count (a prefix of their path, or of the descriptor's)
 * CRASH_AT      the call, counted from 1; 0 only counts
 * CRASH_TORN    set: a write does its first half before the end comes
 * CRASH_LOG     the call and its path are written here before the end
 * CRASH_ERRNO   set: the call and all later ones that need room fail with it; no end
 *
 * What a kill can do is stop between two of these calls; SIGKILL inside a long write cuts it.
 * So the calls of a run, one after another, are all the moments there are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long calls;

static int in_folder(const char *path)
{
    const char *folder = getenv("CRASH_FOLDER");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static const char *path_of(int fd, char *room, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, room, size - 1);
    room[n < 0 ? 0 : n] = 0;
    return room;
}

static void note(unsigned long number, const char *what, const char *path)
{
    const char *log = getenv("CRASH_LOG");
    int fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
    char line[4200];
    int n = snprintf(line, sizeof line, "%lu %s %s\n", number, what, path);
    if (fd >= 0) {
        syscall(SYS_write, fd, line, (size_t)n);
        close(fd);
    }
}

enum { PASS, TORN, FAIL };

/* Tells what shall become of this call; does not return when it is the last. */
static int step(const char *what, const char *path, int is_write)
{
    if (!in_folder(path))
        return PASS;
    unsigned long number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    const char *at = getenv("CRASH_AT"), *error = getenv("CRASH_ERRNO");
    unsigned long wanted = at ? strtoul(at, NULL, 10) : 0;
    if (wanted == 0)
        note(number, what, path);
    if (wanted == 0 || number < wanted)
        return PASS;
    if (error) {
        int needs_room = is_write || strcmp(what, "create") == 0;
        if (number == wanted)
            note(number, what, path);
        errno = atoi(error);
        return needs_room ? FAIL : PASS;
    }
    if (number > wanted)
        return PASS;
    note(number, what, path);
    if (is_write && getenv("CRASH_TORN"))
        return TORN;
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void end(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

#define REAL(name, type) __typeof__(type) real = (__typeof__(type))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t len)
{
    REAL(write, ssize_t (*)(int, const void *, size_t));
    char room[4096];
    int what = step("write", path_of(fd, room, sizeof room), 1);
    if (what == FAIL)
        return -1;
    if (what == TORN) {
        real(fd, bytes, len / 2);
        end();
    }
    return real(fd, bytes, len);
}

#define PWRITE(name)                                                              \
    ssize_t name(int fd, const void *bytes, size_t len, off_t offset)             \
    {                                                                             \
        REAL(name, ssize_t (*)(int, const void *, size_t, off_t));                \
        char room[4096];                                                          \
        int what = step("write", path_of(fd, room, sizeof room), 1);              \
        if (what == FAIL)                                                         \
            return -1;                                                            \
        if (what == TORN) {                                                       \
            real(fd, bytes, len / 2, offset);                                     \
            end();                                                                \
        }                                                                         \
        return real(fd, bytes, len, offset);                                      \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    REAL(writev, ssize_t (*)(int, const struct iovec *, int));
    char room[4096];
    int what = step("write", path_of(fd, room, sizeof room), 1);
    if (what == FAIL)
        return -1;
    if (what == TORN) {
        real(fd, parts, n / 2);
        end();
    }
    return real(fd, parts, n);
}

#define ON_FD(name, what)                                                \
    int name(int fd)                                                     \
    {                                                                    \
        REAL(name, int (*)(int));                                        \
        char room[4096];                                                 \
        return step(what, path_of(fd, room, sizeof room), 0) == FAIL ? -1 : real(fd); \
    }
ON_FD(fsync, "sync")
ON_FD(fdatasync, "sync")

#define TRUNCATE(name)                                                   \
    int name(int fd, off_t len)                                          \
    {                                                                    \
        REAL(name, int (*)(int, off_t));                                 \
        char room[4096];                                                 \
        return step("truncate", path_of(fd, room, sizeof room), 0) == FAIL ? -1 : real(fd, len); \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

static int openat_in(int folder, const char *path, char *room, size_t size)
{
    if (path[0] == '/' || folder == AT_FDCWD)
        return in_folder(path);
    path_of(folder, room, size);
    return in_folder(room);
}

int rename(const char *from, const char *to)
{
    REAL(rename, int (*)(const char *, const char *));
    return step("rename", to, 0) == FAIL ? -1 : real(from, to);
}

int link(const char *from, const char *to)
{
    REAL(link, int (*)(const char *, const char *));
    return step("link", to, 0) == FAIL ? -1 : real(from, to);
}

int renameat(int a, const char *from, int b, const char *to)
{
    REAL(renameat, int (*)(int, const char *, int, const char *));
    char room[4096];
    if (openat_in(b, to, room, sizeof room) && step("rename", to[0] == '/' ? to : room, 0) == FAIL)
        return -1;
    return real(a, from, b, to);
}

int unlink(const char *path)
{
    REAL(unlink, int (*)(const char *));
    return step("unlink", path, 0) == FAIL ? -1 : real(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat, int (*)(int, const char *, int));
    char room[4096];
    if (openat_in(folder, path, room, sizeof room) && step("unlink", path[0] == '/' ? path : room, 0) == FAIL)
        return -1;
    return real(folder, path, flags);
}

#define OPEN(name)                                                       \
    int name(const char *path, int flags, ...)                           \
    {                                                                    \
        REAL(name, int (*)(const char *, int, ...));                     \
        va_list more;                                                    \
        va_start(more, flags);                                           \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;              \
        va_end(more);                                                    \
        if (flags & O_CREAT && step("create", path, 0) == FAIL)          \
            return -1;                                                   \
        return real(path, flags, mode);                                  \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                     \
    int name(int folder, const char *path, int flags, ...)               \
    {                                                                    \
        REAL(name, int (*)(int, const char *, int, ...));                \
        va_list more;                                                    \
        char room[4096];                                                 \
        va_start(more, flags);                                           \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;              \
        va_end(more);                                                    \
        if (flags & O_CREAT && openat_in(folder, path, room, sizeof room) && \
            step("create", path[0] == '/' ? path : room, 0) == FAIL)     \
            return -1;                                                   \
        return real(folder, path, flags, mode);                          \
    }
OPENAT(openat)
OPENAT(openat64)
