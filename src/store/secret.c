#include "store/secret.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/outfile.h"

enum { VERSION = 1, KEY_AT = 8, HASH_AT = KEY_AT + SECRET_BYTES, FILE_BYTES = HASH_AT + 8 };
static const char magic[4] = "DMCK";

static void path_of(const char *dir, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "%s/client.key", dir);
}

static int parse(const uint8_t *bytes, size_t len, const char *path, struct fault *why)
{
    if (len != FILE_BYTES)
        return fault_set(why, E_CORRUPT, "%s: offset 0: is not %d bytes long", path, FILE_BYTES);
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return fault_set(why, E_CORRUPT, "%s: offset 0: is no key of client ids", path);
    if (get_le64(bytes + HASH_AT) != hash_stable(bytes, HASH_AT))
        return fault_set(why, E_CORRUPT, "%s: offset 0: bad checksum; put the right one back, for without it new client "
                         "ids would have nothing to do with those in the database", path);
    if (get_le32(bytes + sizeof magic) != VERSION)
        return fault_set(why, E_VERSION, "%s: unknown version; made by a newer dnsmon?", path);
    return 0;
}

int secret_read(const char *dir, uint8_t ret_key[SECRET_BYTES], struct fault *why)
{
    char path[PATH_BYTES];
    uint8_t bytes[FILE_BYTES + 1];
    path_of(dir, path);
    FILE *f = fopen(path, "rbe");
    if (f == NULL && errno == ENOENT)
        return fault_set(why, E_ABSENT, "%s: is missing", path);
    if (f == NULL)
        return fault_errno(why, errno, "%s: cannot open", path);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    int r = ferror(f) ? fault_set(why, E_IO, "%s: cannot read", path) : parse(bytes, n, path, why);
    fclose(f);
    if (r == 0)
        memcpy(ret_key, bytes + KEY_AT, SECRET_BYTES);
    return r;
}

int secret_create(const char *dir, uint8_t ret_key[SECRET_BYTES], struct fault *why)
{
    char path[PATH_BYTES];
    uint8_t bytes[FILE_BYTES];
    struct outfile out;
    path_of(dir, path);
    memcpy(bytes, magic, sizeof magic);
    put_le32(bytes + sizeof magic, VERSION);
    if (getrandom(bytes + KEY_AT, SECRET_BYTES, 0) != SECRET_BYTES)
        return fault_errno(why, errno, "%s: no random bytes", path);
    put_le64(bytes + HASH_AT, hash_stable(bytes, HASH_AT));
    int r = outfile_open_private(&out, path, why);
    if (r < 0)
        return r;
    outfile_write(&out, bytes, sizeof bytes);
    r = outfile_commit(&out, why);
    if (r == 0)
        r = sync_folder(dir, why);
    if (r == 0)
        memcpy(ret_key, bytes + KEY_AT, SECRET_BYTES);
    return r;
}

int secret_check(const char *dir, struct fault *why)
{
    char path[PATH_BYTES];
    uint8_t key[SECRET_BYTES];
    path_of(dir, path);
    if (access(path, R_OK) != 0 && errno == EACCES)
        return 0;
    return secret_read(dir, key, why);
}
