/* scratch: a folder of the process's own for what must be files, removed with all in it at the end.
 *
 * In TMPDIR, else on /dev/shm where there is one: a fuzzer writes thousands of files a second. */
#ifndef DNSMON_TEST_SCRATCH_H
#define DNSMON_TEST_SCRATCH_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static char scratch_dir[64];
static pid_t scratch_owner; /* not of its children */

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
                                     struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void scratch_remove(void)
{
    if (getpid() == scratch_owner)
        nftw(scratch_dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *scratch_folder(void)
{
    if (scratch_dir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        if (base == NULL)
            base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(scratch_dir, sizeof scratch_dir, "%s/dnsmon-test-XXXXXX", base);
        scratch_owner = getpid();
        if (mkdtemp(scratch_dir) == NULL || atexit(scratch_remove) != 0)
            abort();
    }
    return scratch_dir;
}

/* Of a file or folder in it, which need not be there. Valid until the next call. */
static inline const char *scratch_path(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", scratch_folder(), name);
    return path;
}

/* Such a file with these bytes, in place of a former one of that name. */
static inline const char *scratch_file(const char *name, const void *bytes, size_t len)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || (len != 0 && fwrite(bytes, 1, len, f) != len) || fclose(f) != 0)
        abort();
    return path;
}

#endif
