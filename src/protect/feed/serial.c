#include "protect/feed/serial.h"

#include "base/outfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct former {
    char digest[DIGEST_TEXT];
    uint32_t serial;
};

/* What is not as we write it is as good as nothing. */
static bool read_former(const char *path, struct former *ret)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    int n = fscanf(file, "%32s %" SCNu32, ret->digest, &ret->serial);
    fclose(file);
    return n == 2;
}

static int keep(const char *folder, const char *path, const struct former *now, struct fault *why)
{
    struct outfile out;
    char line[DIGEST_TEXT + 16];
    int rc = outfile_open(&out, path, why);
    if (rc != 0)
        return rc;
    outfile_write(&out, line, (size_t)snprintf(line, sizeof line, "%s %" PRIu32 "\n", now->digest, now->serial));
    rc = outfile_commit(&out, why);
    return rc ? rc : sync_folder(folder, why);
}

int feed_serial(const char *folder, const char digest[DIGEST_TEXT], uint32_t version, uint32_t *ret, struct fault *why)
{
    char path[PATH_BYTES];
    struct former former, now = { .serial = version };
    if (snprintf(path, sizeof path, "%s/.serial", folder) >= PATH_BYTES)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", folder);
    memcpy(now.digest, digest, DIGEST_TEXT);
    bool had = read_former(path, &former);
    if (had && strcmp(former.digest, digest) == 0) {
        *ret = former.serial;
        return E_OK;
    }
    if (had && (int32_t)(version - former.serial) <= 0)
        now.serial = former.serial + 1;
    int rc = keep(folder, path, &now, why);
    if (rc == 0)
        *ret = now.serial;
    return rc;
}
