#include "protect/feed/http.h"

#include "base/outfile.h"
#include "protect/feed/digest.h"
#include "protect/feed/uuid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 64, CONNECTION_BYTES = 16 << 10, DATE_BYTES = 32, TAG_BYTES = DIGEST_TEXT + 2 };

#define DATE_FORMAT "%a, %d %b %Y %H:%M:%S GMT"

struct mount {
    char *path, *folder;
    const struct feed_format *const *formats;
};

struct feed_http {
    int fd; /* that listens; -1 once the daemon has it */
    uint16_t port;
    struct MHD_Daemon *daemon;
    struct mount mounts[FEED_HTTP_MOUNTS];
    size_t count;
    struct feed_http_counts counts; /* relaxed atomics: each stands for itself */
};

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

/* ---- which file ---- */

struct found {
    char path[PATH_BYTES];
    const char *media;
};

/* One name: what is not a file's cannot be spelled with these. */
static bool find_in(const struct feed_format *const *formats, const struct mount *m, const char *name, struct found *ret)
{
    for (; formats != NULL && *formats != NULL; formats++)
        if ((*formats)->place != FEED_FOLDER && strcmp(name, (*formats)->file) == 0) {
            ret->media = (*formats)->media;
            return snprintf(ret->path, sizeof ret->path, "%s/%s", m->folder, name) < (int)sizeof ret->path;
        }
    return false;
}

static bool find_misp(const struct mount *m, const char *name, struct found *ret)
{
    struct uuid id;
    if (strncmp(name, "misp/", 5) != 0)
        return false;
    const char *file = name + 5;
    bool is_event = uuid_parse(file, &id) && strcmp(file + UUID_TEXT - 1, ".json") == 0;
    if (!is_event && strcmp(file, "manifest.json") != 0 && strcmp(file, "hashes.csv") != 0)
        return false;
    ret->media = strcmp(file, "hashes.csv") == 0 ? "text/csv; charset=utf-8" : "application/json";
    return snprintf(ret->path, sizeof ret->path, "%s/%s", m->folder, name) < (int)sizeof ret->path;
}

/* What the address says behind the mount; NULL when it is another's. */
static const char *below(const struct mount *m, const char *url)
{
    size_t len = strlen(m->path);
    if (url[0] != '/')
        return NULL;
    if (len == 0)
        return url + 1;
    return strncmp(url + 1, m->path, len) == 0 && url[1 + len] == '/' ? url + len + 2 : NULL;
}

static bool find(const struct feed_http *http, const char *url, struct found *ret)
{
    for (size_t i = 0; i < http->count; i++) {
        const struct mount *m = &http->mounts[i];
        const char *name = below(m, url);
        if (name != NULL && (find_in(feed_formats, m, name, ret) || find_in(m->formats, m, name, ret) || find_misp(m, name, ret)))
            return true;
    }
    return false;
}

/* ---- whether the client has it ---- */

/* A list of tags, or "*" (RFC 9110, 13.1.2): compared weakly. */
static bool has_tag(const char *list, const char *tag)
{
    size_t len = strlen(tag);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, tag, len) == 0)
            return true;
        list += *list == '"' ? 1 + strcspn(list + 1, "\"") : 0;
        list += strcspn(list, ",");
    }
    return false;
}

/* A date of another form than the usual one counts as none (13.1.3). */
static bool is_not_modified(const char *since, time_t changed)
{
    struct tm tm = { 0 };
    const char *end = strptime(since, DATE_FORMAT, &tm);
    return end != NULL && *end == '\0' && changed <= timegm(&tm);
}

static bool client_has_it(struct MHD_Connection *c, const char *tag, time_t changed)
{
    const char *tags = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");
    const char *since = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-Modified-Since");
    return tags != NULL ? has_tag(tags, tag) : since != NULL && is_not_modified(since, changed);
}

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
    if (r == NULL)
        return MHD_NO; /* no memory: the connection ends */
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned status, const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (r != NULL)
        MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
    if (r != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    return answer(c, status, r);
}

/* What was made in this very second may become another within it: it gets no date, so that none stands for two versions. */
static void put_headers(struct MHD_Response *r, const char *tag, time_t changed)
{
    char date[DATE_BYTES];
    struct tm tm;
    MHD_add_response_header(r, "ETag", tag);
    MHD_add_response_header(r, "Cache-Control", "no-cache");
    if (changed >= time(NULL))
        return;
    strftime(date, sizeof date, DATE_FORMAT, gmtime_r(&changed, &tm));
    MHD_add_response_header(r, "Last-Modified", date);
}

static enum MHD_Result answer_unchanged(struct feed_http *http, struct MHD_Connection *c, const char *tag, time_t changed)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (r != NULL)
        put_headers(r, tag, changed);
    count(&http->counts.unchanged, 1);
    return answer(c, MHD_HTTP_NOT_MODIFIED, r);
}

/* The response owns `fd` from here on, whatever becomes of it. */
static enum MHD_Result answer_file(struct feed_http *http, struct MHD_Connection *c, int fd, const struct found *found, const char *tag,
                                   const struct stat *st, bool is_head)
{
    struct MHD_Response *r = MHD_create_response_from_fd64((uint64_t)st->st_size, fd);
    if (r == NULL) {
        close(fd);
        return MHD_NO;
    }
    put_headers(r, tag, st->st_mtim.tv_sec);
    MHD_add_response_header(r, "Content-Type", found->media);
    count(&http->counts.sent, 1);
    if (!is_head)
        count(&http->counts.bytes, (uint64_t)st->st_size);
    return answer(c, MHD_HTTP_OK, r);
}

static enum MHD_Result absent(struct feed_http *http, struct MHD_Connection *c)
{
    count(&http->counts.absent, 1);
    return answer_text(c, MHD_HTTP_NOT_FOUND, "there is no such feed\n");
}

static enum MHD_Result refuse(struct feed_http *http, struct MHD_Connection *c, unsigned status, const char *text)
{
    count(&http->counts.refused, 1);
    return answer_text(c, status, text);
}

static enum MHD_Result serve(struct feed_http *http, struct MHD_Connection *c, const struct found *found, bool is_head)
{
    char digest[DIGEST_TEXT], tag[TAG_BYTES];
    struct stat st;
    int fd = open(found->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return absent(http, c);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || digest_of(fd, found->path, digest, NULL) != 0) {
        close(fd);
        return refuse(http, c, MHD_HTTP_INTERNAL_SERVER_ERROR, "the feed cannot be read\n");
    }
    snprintf(tag, sizeof tag, "\"%s\"", digest);
    if (!client_has_it(c, tag, st.st_mtim.tv_sec))
        return answer_file(http, c, fd, found, tag, &st, is_head);
    close(fd);
    return answer_unchanged(http, c, tag, st.st_mtim.tv_sec);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_len, void **request)
{
    static int seen;
    struct feed_http *http = ctx;
    struct found found;
    const bool is_head = strcmp(method, "HEAD") == 0;
    (void)version;
    (void)upload;
    if (!is_head && strcmp(method, "GET") != 0)
        return refuse(http, c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
    if (*request == NULL) { /* of each request the first call has the headers alone */
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_len != 0) { /* a body, which nobody asked for */
        *upload_len = 0;
        return MHD_YES;
    }
    return find(http, url, &found) ? serve(http, c, &found, is_head) : absent(http, c);
}

/* ---- life ---- */

static int parse_address(const char *text, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        *ret_len = sizeof *ipv4;
        return E_OK;
    }
    if (inet_pton(AF_INET6, text, &ipv6->sin6_addr) != 1)
        return E_USAGE;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    *ret_len = sizeof *ipv6;
    return E_OK;
}

static int listen_at(struct feed_http *http, const char *text, uint16_t port, struct fault *why)
{
    struct sockaddr_storage address;
    socklen_t len;
    const int on = 1;
    if (parse_address(text, port, &address, &len) != 0)
        return fault_set(why, E_USAGE, "'%s' is no address", text);
    http->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (http->fd < 0)
        return fault_errno(why, errno, "%s port %u: no socket", text, port);
    setsockopt(http->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(http->fd, (struct sockaddr *)&address, len) < 0 || listen(http->fd, BACKLOG) < 0 ||
        getsockname(http->fd, (struct sockaddr *)&address, &len) < 0)
        return fault_errno(why, errno, "%s port %u: cannot listen", text, port);
    http->port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                    : ((struct sockaddr_in6 *)&address)->sin6_port);
    return E_OK;
}

static int copy_mounts(struct feed_http *http, const struct feed_mount *mounts, size_t n, struct fault *why)
{
    if (n > FEED_HTTP_MOUNTS)
        return fault_set(why, E_LIMIT, "more than %d folders of feeds", FEED_HTTP_MOUNTS);
    for (; http->count < n; http->count++) {
        struct mount *m = &http->mounts[http->count];
        const struct feed_mount *from = &mounts[http->count];
        *m = (struct mount){ strdup(from->path), strdup(from->folder), from->formats };
        if (m->path == NULL || m->folder == NULL)
            return fault_set(why, E_NOMEM, "no memory for feeds by HTTP");
    }
    return E_OK;
}

int feed_http_open(struct feed_http **ret, const char *address, uint16_t port, const struct feed_mount *mounts, size_t n, struct fault *why)
{
    struct feed_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return fault_set(why, E_NOMEM, "no memory for feeds by HTTP");
    http->fd = -1;
    int rc = copy_mounts(http, mounts, n, why);
    if (rc == 0)
        rc = listen_at(http, address != NULL ? address : "127.0.0.1", port, why);
    if (rc != 0)
        feed_http_close(&http);
    else
        *ret = http;
    return rc;
}

uint16_t feed_http_port(const struct feed_http *http)
{
    return http->port;
}

/* Signals are the caller's: its thread must wake from them, not the daemon's. */
int feed_http_start(struct feed_http *http, struct fault *why)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, http->fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)FEED_HTTP_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)FEED_HTTP_PER_CLIENT, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)FEED_HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (http->daemon == NULL)
        return fault_set(why, E_IO, "port %u: HTTP does not start", http->port);
    http->fd = -1;
    return E_OK;
}

void feed_http_close(struct feed_http **ret)
{
    struct feed_http *http = *ret;
    *ret = NULL;
    if (http == NULL)
        return;
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    if (http->fd >= 0)
        close(http->fd);
    for (size_t i = 0; i < http->count + (http->count < FEED_HTTP_MOUNTS); i++) { /* one may be half made */
        free(http->mounts[i].path);
        free(http->mounts[i].folder);
    }
    free(http);
}

struct feed_http_counts feed_http_counts(const struct feed_http *http)
{
    const struct feed_http_counts *c = &http->counts;
    return (struct feed_http_counts){
        .sent = __atomic_load_n(&c->sent, __ATOMIC_RELAXED),
        .unchanged = __atomic_load_n(&c->unchanged, __ATOMIC_RELAXED),
        .absent = __atomic_load_n(&c->absent, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&c->refused, __ATOMIC_RELAXED),
        .bytes = __atomic_load_n(&c->bytes, __ATOMIC_RELAXED),
    };
}
