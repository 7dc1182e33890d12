#include "cmd/policy_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "dns/name.h"

struct policy_file {
    char *path;
    struct stat seen;   /* of what was read last, whether it parsed or not */
    time_t looked;      /* monotonic seconds */
    struct policy *policy;
};

/* ---- lines ---- */

static int add_address(struct policy *policy, const char *text)
{
    uint8_t address[16] = { [10] = 0xff, [11] = 0xff };
    if (inet_pton(AF_INET, text, address + 12) != 1 && inet_pton(AF_INET6, text, address) != 1)
        return E_MALFORMED;
    return policy_add_address(policy, address);
}

static int add_name(struct policy *policy, const char *text)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    bool subtree = strncmp(text, "*.", 2) == 0;
    const char *name = subtree ? text + 2 : text;
    size_t n = name_from_text(name, strlen(name), wire);
    if (n == 0)
        return E_MALFORMED;
    return policy_add_name(policy, (struct slice){ key, name_owner_key(wire, n, key) }, subtree ? POLICY_SUBTREE : POLICY_HOST);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct slice trim(struct slice line)
{
    while (line.len > 0 && is_blank(line.ptr[0]))
        line = (struct slice){ line.ptr + 1, line.len - 1 };
    while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

static int add_line(struct policy *policy, struct slice line)
{
    char text[NAME_TEXT_MAX];
    line = trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return E_OK;
    if (line.len >= sizeof text || memchr(line.ptr, 0, line.len) != NULL)
        return E_MALFORMED;
    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    return text[0] == '@' ? add_address(policy, text + 1) : add_name(policy, text);
}

static int line_fault(const char *path, unsigned line, int err, struct fault *why)
{
    switch (err) {
    case E_MALFORMED:
        return fault_set(why, err, "%s:%u: neither a name, *.name nor @address", path, line);
    case E_USAGE:
        return fault_set(why, E_MALFORMED, "%s:%u: that would be all names", path, line);
    default:
        return fault_set(why, err, "%s:%u: %s", path, line, fault_text(err));
    }
}

int policy_parse(struct policy **ret, struct slice text, const char *path, struct fault *why)
{
    struct policy *policy;
    int err = policy_create(&policy);
    if (err)
        return fault_set(why, err, "%s: out of memory", path);
    for (unsigned line = 1; text.len > 0; line++) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        err = add_line(policy, (struct slice){ text.ptr, len });
        if (err) {
            policy_destroy(&policy);
            return line_fault(path, line, err, why);
        }
        len += end != NULL;
        text = (struct slice){ text.ptr + len, text.len - len };
    }
    err = policy_seal(policy);
    if (err) {
        policy_destroy(&policy);
        return fault_set(why, err, "%s: out of memory", path);
    }
    *ret = policy;
    return E_OK;
}

/* ---- the file ---- */

static int read_all(int fd, const char *path, size_t size, struct policy **ret, struct fault *why)
{
    uint8_t *text = malloc(size + 1);
    size_t have = 0;
    ssize_t n = 1;
    if (text == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", path);
    while (have < size && n > 0) {
        n = read(fd, text + have, size - have);
        have += n > 0 ? (size_t)n : 0;
        n = n < 0 && errno == EINTR ? 1 : n;
    }
    int err = n < 0 ? fault_errno(why, errno, "%s: cannot read", path)
                    : policy_parse(ret, (struct slice){ text, have }, path, why);
    free(text);
    return err;
}

static int read_policy(struct policy_file *f, struct policy **ret, struct fault *why)
{
    int fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot open", f->path);
    int err = fstat(fd, &f->seen) < 0 ? fault_errno(why, errno, "%s: cannot stat", f->path) : E_OK;
    if (err == E_OK && (!S_ISREG(f->seen.st_mode) || f->seen.st_size > POLICY_FILE_BYTES_MAX))
        err = fault_set(why, E_LIMIT, "%s: no plain file of at most 1 GiB", f->path);
    if (err == E_OK)
        err = read_all(fd, f->path, (size_t)f->seen.st_size, ret, why);
    close(fd);
    return err;
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

int policy_file_open(struct policy_file **ret, const char *path, struct fault *why)
{
    struct policy_file *f = calloc(1, sizeof *f);
    if (f != NULL)
        f->path = strdup(path);
    int err = f && f->path ? read_policy(f, &f->policy, why) : fault_set(why, E_NOMEM, "%s: out of memory", path);
    if (err) {
        policy_file_close(&f);
        return err;
    }
    f->looked = now_s();
    *ret = f;
    return E_OK;
}

void policy_file_close(struct policy_file **file)
{
    struct policy_file *f = *file;
    if (f == NULL)
        return;
    policy_destroy(&f->policy);
    free(f->path);
    free(f);
    *file = NULL;
}

const struct policy *policy_file_policy(const struct policy_file *f)
{
    return f->policy;
}

/* By all that a change changes; a file that is gone is one of no inode. */
static bool is_another(const struct stat *a, const struct stat *b)
{
    return a->st_ino != b->st_ino || a->st_dev != b->st_dev || a->st_size != b->st_size ||
           a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static bool has_changed(struct policy_file *f)
{
    struct stat now = { 0 };
    time_t s = now_s();
    if (s == f->looked)
        return false;
    f->looked = s;
    if (stat(f->path, &now) < 0)
        now = (struct stat){ 0 };
    bool another = is_another(&now, &f->seen);
    f->seen = now;
    return another;
}

bool policy_file_refresh(struct policy_file *f)
{
    struct policy *policy;
    struct fault why;
    if (!has_changed(f))
        return false;
    if (read_policy(f, &policy, &why) != E_OK) {
        command_say("%s; what it said before still holds", why.text);
        return false;
    }
    policy_destroy(&f->policy);
    f->policy = policy;
    command_say("%s: read again, %zu names", f->path, policy_names(policy));
    return true;
}
