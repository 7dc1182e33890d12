#include "protect/feed/digest.h"

#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 16, KEPT_BYTES = 128, CHUNK_BYTES = 1 << 16 };

void digest_begin(struct digest *d)
{
    crypto_generichash_init(&d->state, NULL, 0, BYTES);
}

void digest_add(struct digest *d, const void *ptr, size_t len)
{
    crypto_generichash_update(&d->state, ptr, len);
}

void digest_end(struct digest *d, char text[DIGEST_TEXT])
{
    uint8_t bytes[BYTES];
    crypto_generichash_final(&d->state, bytes, sizeof bytes);
    sodium_bin2hex(text, DIGEST_TEXT, bytes, sizeof bytes);
}

/* ---- of files ---- */

static int read_digest(int fd, const char *path, char text[DIGEST_TEXT], struct fault *why)
{
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    struct digest d;
    off_t at = 0;
    ssize_t n = 1;
    digest_begin(&d);
    while (n != 0) {
        n = pread(fd, chunk, sizeof chunk, at);
        if (n < 0 && errno != EINTR)
            return fault_errno(why, errno, "%s: cannot read", path);
        if (n > 0) {
            digest_add(&d, chunk, (size_t)n);
            at += n;
        }
    }
    digest_end(&d, text);
    return E_OK;
}

static int kept_path(const char *path, char ret[PATH_BYTES], struct fault *why)
{
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - path) : 0;
    if (snprintf(ret, PATH_BYTES, "%.*s.%s.digest", folder, path, path + folder) >= PATH_BYTES)
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", path);
    return E_OK;
}

/* What is kept of a file that is like this one. */
static int kept_text(const struct stat *st, const char text[DIGEST_TEXT], char ret[KEPT_BYTES])
{
    return snprintf(ret, KEPT_BYTES, "%s %" PRIu64 " %" PRIu64 ".%09ld\n", text, (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                    st->st_mtim.tv_nsec);
}

static bool is_kept(int fd, const char *path, char text[DIGEST_TEXT])
{
    char kept[PATH_BYTES], found[KEPT_BYTES] = "", expected[KEPT_BYTES];
    struct stat st;
    if (kept_path(path, kept, NULL) != 0 || fstat(fd, &st) < 0)
        return false;
    int at = open(kept, O_RDONLY | O_CLOEXEC);
    if (at < 0)
        return false;
    ssize_t n = read(at, found, sizeof found - 1);
    close(at);
    if (n < DIGEST_TEXT)
        return false;
    memcpy(text, found, DIGEST_TEXT - 1);
    text[DIGEST_TEXT - 1] = '\0';
    kept_text(&st, text, expected);
    return strspn(text, "0123456789abcdef") == DIGEST_TEXT - 1 && strcmp(found, expected) == 0;
}

int digest_of(int fd, const char *path, char text[DIGEST_TEXT], struct fault *why)
{
    return is_kept(fd, path, text) ? E_OK : read_digest(fd, path, text, why);
}

int digest_of_path(const char *path, char text[DIGEST_TEXT], struct fault *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? fault_set(why, E_ABSENT, "%s: there is no such file", path)
                               : fault_errno(why, errno, "%s: cannot open", path);
    int rc = digest_of(fd, path, text, why);
    close(fd);
    return rc;
}

int digest_keep(const char *path, const char text[DIGEST_TEXT], struct fault *why)
{
    char kept[PATH_BYTES], line[KEPT_BYTES];
    struct outfile file;
    struct stat st;
    int rc = kept_path(path, kept, why);
    if (rc == 0 && stat(path, &st) < 0)
        rc = fault_errno(why, errno, "%s: cannot stat", path);
    if (rc == 0)
        rc = outfile_open(&file, kept, why);
    if (rc != 0)
        return rc;
    outfile_write(&file, line, (size_t)kept_text(&st, text, line));
    return outfile_commit(&file, why);
}
