#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/outfile.h"

enum { HEADER_BYTES = 32 };
static const char MAGIC[8] = "DNSMREC1";

static void manifest_path(const struct manifest *m, char ret[PATH_BYTES])
{
    snprintf(ret, PATH_BYTES, "%s/MANIFEST", m->dir);
}

static void encode_header(uint8_t to[HEADER_BYTES], const char *payload, size_t len, uint32_t sequence)
{
    memcpy(to, MAGIC, sizeof MAGIC);
    put_le32(to + 8, (uint32_t)len);
    put_le32(to + 12, sequence);
    put_le64(to + 16, hash_stable(payload, len));
    put_le64(to + 24, hash_stable(to, 24));
}

static bool all_zero(const uint8_t *p, size_t len)
{
    while (len && *p == 0)
        p++, len--;
    return len == 0;
}

static int damaged(const struct manifest *m, const char *what, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "%s/MANIFEST: offset %" PRIu64 ": %s", m->dir, m->end, what);
}

/* One record at `left` bytes before the end; *ret_len 0 says that the tail is torn. */
static int read_record(const struct manifest *m, const uint8_t *p, size_t left, struct delta *ret,
                       size_t *ret_len, struct fault *why)
{
    *ret_len = 0;
    if (left < HEADER_BYTES || all_zero(p, left))
        return 0;
    if (get_le64(p + 24) != hash_stable(p, 24))
        return damaged(m, "bad record header checksum", why);
    if (memcmp(p, MAGIC, sizeof MAGIC) != 0)
        return damaged(m, "not a manifest record", why);
    if (get_le32(p + 12) != m->next)
        return damaged(m, "a record is missing before this one", why);
    size_t len = get_le32(p + 8);
    if (len > left - HEADER_BYTES)
        return 0;
    if (get_le64(p + 16) != hash_stable(p + HEADER_BYTES, len))
        return damaged(m, "bad payload checksum", why);
    struct fault inner;
    int r = catalog_delta_parse(ret, (const char *)p + HEADER_BYTES, len, &inner);
    if (r < 0)
        return damaged(m, inner.text, why);
    *ret_len = HEADER_BYTES + len;
    return 0;
}

static int read_records(struct manifest *m, struct catalog *catalog, const uint8_t *p, size_t left,
                        struct fault *why)
{
    m->torn = false;
    while (left) {
        struct delta d = { 0 };
        size_t len;
        int r = read_record(m, p, left, &d, &len, why);
        if (r < 0)
            return r;
        if (len == 0) {
            m->torn = true;
            break;
        }
        d.whole = m->next == 0;
        struct fault inner;
        r = catalog_reserve(catalog, &d, &inner);
        if (r == 0)
            catalog_apply(catalog, &d);
        catalog_delta_release(&d);
        if (r < 0)
            return r == E_NOMEM ? fault_set(why, r, "%s", inner.text) : damaged(m, inner.text, why);
        m->next++;
        m->end += len;
        p += len;
        left -= len;
    }
    return m->next ? 0 : damaged(m, "no whole record", why);
}

static int read_bytes(int fd, uint64_t from, uint64_t size, uint8_t **ret)
{
    uint8_t *bytes = malloc(size - from + 1);
    if (bytes == NULL)
        return ENOMEM;
    for (uint64_t at = from; at < size;) {
        ssize_t n = pread(fd, bytes + (at - from), size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int errnum = n < 0 ? errno : EIO;
            free(bytes);
            return errnum;
        }
        at += (uint64_t)n;
    }
    *ret = bytes;
    return 0;
}

static int read_from(struct manifest *m, int fd, const struct stat *st, struct catalog *catalog,
                     struct fault *why)
{
    uint8_t *bytes = NULL;
    uint64_t size = (uint64_t)st->st_size;
    int errnum = read_bytes(fd, m->end, size, &bytes);
    if (errnum)
        return fault_errno(why, errnum, "%s/MANIFEST: cannot read", m->dir);
    int r = read_records(m, catalog, bytes, size - m->end, why);
    free(bytes);
    return r;
}

/* A rewritten file is read into a catalog of its own: a damaged one leaves the reader as it was. */
static int read_anew(struct manifest *m, int fd, const struct stat *st, struct catalog *catalog,
                     struct fault *why)
{
    struct catalog fresh = { 0 };
    struct manifest at = { .dir = m->dir, .fd = m->fd, .inode = st->st_ino };
    int r = read_from(&at, fd, st, &fresh, why);
    if (r < 0) {
        catalog_release(&fresh);
        return r;
    }
    catalog_release(catalog);
    *catalog = fresh;
    *m = at;
    return 0;
}

int manifest_read(struct manifest *m, struct catalog *catalog, struct fault *why)
{
    char path[PATH_BYTES];
    manifest_path(m, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot open", path);
    struct stat st;
    int r;
    if (fstat(fd, &st) < 0)
        r = fault_errno(why, errno, "%s: cannot stat", path);
    else if (st.st_ino == m->inode && (uint64_t)st.st_size >= m->end)
        r = read_from(m, fd, &st, catalog, why);
    else
        r = read_anew(m, fd, &st, catalog, why);
    close(fd);
    return r;
}

static int write_record(struct outfile *o, const struct delta *d, uint32_t *sequence)
{
    char *json = catalog_delta_json(d);
    if (json == NULL)
        return E_NOMEM;
    uint8_t header[HEADER_BYTES];
    encode_header(header, json, strlen(json), (*sequence)++);
    outfile_write(o, header, sizeof header);
    outfile_write(o, json, strlen(json));
    free(json);
    return 0;
}

static int write_all(struct outfile *o, const struct catalog *catalog, uint32_t *sequence)
{
    struct delta d;
    catalog_whole(catalog, &d);
    int r = write_record(o, &d, sequence);
    for (uint8_t bit = 1; bit < SENSOR_OTHERS && r == 0; bit++) {
        if (catalog->sensors[bit][0] == 0)
            continue;
        struct delta s = { .sensor = bit, .next_id = catalog->next_id };
        memcpy(s.sensor_name, catalog->sensors[bit], SENSOR_NAME_BYTES);
        r = write_record(o, &s, sequence);
    }
    return r;
}

static int reopen(struct manifest *m, const char *path, uint64_t bytes, uint32_t next, struct fault *why)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int errnum = errno;
        if (fd >= 0)
            close(fd);
        m->broken = true; /* the old file has no name any more */
        return fault_errno(why, errnum, "%s: cannot open", path);
    }
    manifest_close(m);
    *m = (struct manifest){ .dir = m->dir, .fd = fd, .inode = st.st_ino, .end = bytes, .base = bytes, .next = next };
    return 0;
}

int manifest_rewrite(struct manifest *m, const struct catalog *catalog, struct fault *why)
{
    char path[PATH_BYTES];
    manifest_path(m, path);
    struct outfile out;
    uint32_t next = 0;
    int r = outfile_open(&out, path, why);
    if (r < 0)
        return r;
    r = write_all(&out, catalog, &next);
    uint64_t bytes = out.offset;
    if (r < 0)
        fault_set(why, r, "%s: out of memory", path);
    else
        r = outfile_commit(&out, why);
    outfile_abandon(&out);
    if (r < 0)
        return r;
    r = reopen(m, path, bytes, next, why);
    return r < 0 ? r : sync_folder(m->dir, why);
}

/* The file ends where it ended before, or no more is appended. */
static void undo_append(struct manifest *m)
{
    if (ftruncate(m->fd, (off_t)m->end) < 0 || fdatasync(m->fd) < 0)
        m->broken = true;
}

static int append_bytes(struct manifest *m, const uint8_t *bytes, size_t len, struct fault *why)
{
    int errnum = write_all_at(m->fd, bytes, len, m->end);
    if (errnum == 0 && fdatasync(m->fd) < 0)
        errnum = errno;
    if (errnum == 0) {
        m->end += len;
        m->next++;
        return 0;
    }
    undo_append(m);
    return fault_errno(why, errnum, "%s/MANIFEST: cannot append", m->dir);
}

int manifest_append(struct manifest *m, const struct delta *d, struct fault *why)
{
    if (m->broken)
        return fault_set(why, E_IO, "%s/MANIFEST: an earlier append failed and could not be undone", m->dir);
    char *json = catalog_delta_json(d);
    if (json == NULL)
        return fault_set(why, E_USAGE, "%s/MANIFEST: totals is not a JSON object, or no memory", m->dir);
    size_t len = strlen(json);
    uint8_t *bytes = malloc(HEADER_BYTES + len);
    int r = bytes ? 0 : fault_set(why, E_NOMEM, "out of memory");
    if (r == 0) {
        encode_header(bytes, json, len, m->next);
        memcpy(bytes + HEADER_BYTES, json, len);
        r = append_bytes(m, bytes, HEADER_BYTES + len, why);
    }
    free(bytes);
    free(json);
    return r;
}

void manifest_close(struct manifest *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}
