/* scratch: a folder for parsers that take a path, removed when the process ends.
 *
 * On /dev/shm where there is one: a fuzzer writes thousands of files a second. */
#ifndef DNSMON_FUZZ_SCRATCH_H
#define DNSMON_FUZZ_SCRATCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_dir[64];
static char scratch_last[128];

static inline void scratch_remove(void)
{
    if (scratch_last[0] != '\0')
        unlink(scratch_last);
    if (scratch_dir[0] != '\0')
        rmdir(scratch_dir);
}

static inline const char *scratch_folder(void)
{
    if (scratch_dir[0] == '\0') {
        snprintf(scratch_dir, sizeof scratch_dir, "%s/dnsmon-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (mkdtemp(scratch_dir) == NULL || atexit(scratch_remove) != 0)
            abort();
    }
    return scratch_dir;
}

/* The one file of the folder, with these bytes; always the same name for one target. */
static inline const char *scratch_file(const char *name, const void *bytes, size_t len)
{
    snprintf(scratch_last, sizeof scratch_last, "%s/%s", scratch_folder(), name);
    FILE *f = fopen(scratch_last, "wb");
    if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        abort();
    return scratch_last;
}

#endif
