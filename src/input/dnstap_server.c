#include "input/dnstap_server.h"

#include "input/dnstap.h"
#include "input/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    LISTENERS_MAX = 8,
    BUFFER_FIRST = 16 << 10,
    BUFFER_MAX = FRAMES_DATA_MAX + 8, /* one frame: see frames_next */
    READ_MAX = 64 << 10,
    HANDSHAKE_MS = 10000,
    SILENT_MS = 60000,
    BACKLOG = 64,
};

enum client_state { CLIENT_CONNECTED, CLIENT_ACCEPTED, CLIENT_OPEN };

struct client {
    int fd;
    enum client_state state;
    bool two_way;
    bool waiting; /* the buffer holds a whole frame that the batch had no room for */
    uint8_t *bytes;
    uint32_t len;
    uint32_t capacity;
    int64_t born_ms;
    int64_t heard_ms;
};

struct listener {
    int fd;
    char path[sizeof ((struct sockaddr_un *)0)->sun_path]; /* "" for TCP */
};

struct dnstap_server {
    const struct input_options *options;
    struct listener listeners[LISTENERS_MAX];
    unsigned n_listeners;
    struct client clients[DNSTAP_CLIENTS_MAX];
    unsigned n_clients;
    unsigned turn; /* who is first */
    struct dnstap_server_stats stats;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Listening */

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t len,
                           const char *name, struct fault *why)
{
    if (bind(fd, address, len) != 0)
        return fault_errno(why, errno, "%s: bind", name);
    if (listen(fd, BACKLOG) != 0)
        return fault_errno(why, errno, "%s: listen", name);
    return 0;
}

/* Removes a socket file that nobody listens on. */
static int clear_path(const struct sockaddr_un *address, struct fault *why)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : fault_errno(why, errno, "%s", address->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return fault_set(why, E_USAGE, "%s: exists and is not a socket", address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fault_errno(why, errno, "%s: socket", address->sun_path);
    int refused = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                  errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return fault_set(why, E_LOCKED, "%s: another process listens here", address->sun_path);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return fault_errno(why, errno, "%s: unlink", address->sun_path);
    return 0;
}

static int listen_unix(struct listener *l, const char *path, struct fault *why)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path)
        return fault_set(why, E_USAGE, "unix:%s: a path of 1 to %zu bytes is needed", path,
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, len + 1);
    int e = clear_path(&address, why);
    if (e != 0)
        return e;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return fault_errno(why, errno, "%s: socket", path);
    /* The mode of the socket bounds that of the file, so it is never wider. */
    (void)fchmod(l->fd, 0660);
    e = bind_and_listen(l->fd, (struct sockaddr *)&address, sizeof address, path, why);
    if (e == 0 && chmod(path, 0660) != 0)
        e = fault_errno(why, errno, "%s: chmod", path);
    if (e == 0)
        memcpy(l->path, path, len + 1);
    return e;
}

/* "ADDR:PORT", "[ADDR]:PORT". The length of the address, or 0. */
static socklen_t parse_tcp(const char *text, struct sockaddr_storage *ret)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    uint64_t port;
    if (colon == NULL || (size_t)(colon - text) >= sizeof host ||
        !log_number(slice_of(colon + 1), UINT16_MAX, &port))
        return 0;
    size_t len = (size_t)(colon - text), skip = 0;
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
        skip = 1;
    memcpy(host, text + skip, len - 2 * skip);
    host[len - 2 * skip] = '\0';
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
        return 0;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return sizeof *v6;
}

static int listen_tcp(struct listener *l, const char *text, struct fault *why)
{
    struct sockaddr_storage address;
    socklen_t len = parse_tcp(text, &address);
    int on = 1;
    if (len == 0)
        return fault_set(why, E_USAGE, "tcp:%s: an address and a port are needed", text);
    l->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return fault_errno(why, errno, "tcp:%s: socket", text);
    (void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind_and_listen(l->fd, (struct sockaddr *)&address, len, text, why);
}

int dnstap_server_listen(struct dnstap_server *server, const char *address, struct fault *why)
{
    struct listener l = { .fd = -1 };
    int e;
    if (server->n_listeners == LISTENERS_MAX)
        return fault_set(why, E_LIMIT, "%s: more than %d addresses", address, LISTENERS_MAX);
    if (strncmp(address, "unix:", 5) == 0)
        e = listen_unix(&l, address + 5, why);
    else if (strncmp(address, "tcp:", 4) == 0)
        e = listen_tcp(&l, address + 4, why);
    else
        e = fault_set(why, E_USAGE, "%s: neither unix:PATH nor tcp:ADDR:PORT", address);
    if (e == 0)
        server->listeners[server->n_listeners++] = l;
    else if (l.fd >= 0)
        close(l.fd);
    return e;
}

int dnstap_server_open(struct dnstap_server **ret, const char *address,
                       const struct input_options *options, struct fault *why)
{
    struct dnstap_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", address);
    server->options = options;
    int e = dnstap_server_listen(server, address, why);
    if (e != 0)
        dnstap_server_close(&server);
    else
        *ret = server;
    return e;
}

int dnstap_server_give(const struct dnstap_server *server, uid_t uid, gid_t gid, struct fault *why)
{
    for (unsigned i = 0; i < server->n_listeners; i++) {
        const char *path = server->listeners[i].path;
        if (path[0] && lchown(path, uid, gid) != 0)
            return fault_errno(why, errno, "%s: chown", path);
    }
    return 0;
}

/* Clients */

static void drop(struct dnstap_server *server, struct client *c)
{
    close(c->fd);
    free(c->bytes);
    *c = server->clients[--server->n_clients];
}

void dnstap_server_close(struct dnstap_server **server)
{
    struct dnstap_server *s = *server;
    if (s == NULL)
        return;
    while (s->n_clients)
        drop(s, &s->clients[0]);
    for (unsigned i = 0; i < s->n_listeners; i++) {
        close(s->listeners[i].fd);
        if (s->listeners[i].path[0])
            (void)unlink(s->listeners[i].path);
    }
    free(s);
    *server = NULL;
}

static void evict(struct dnstap_server *server, struct client *c, struct tally *tally)
{
    server->stats.evicted++;
    tally->n[TALLY_CONNECTION_DROPPED]++;
    drop(server, c);
}

static bool make_place(struct dnstap_server *server, struct tally *tally, int64_t now)
{
    struct client *oldest = NULL;
    if (server->n_clients < DNSTAP_CLIENTS_MAX)
        return true;
    for (unsigned i = 0; i < server->n_clients; i++)
        if (oldest == NULL || server->clients[i].heard_ms < oldest->heard_ms)
            oldest = &server->clients[i];
    if (now - oldest->heard_ms <= SILENT_MS)
        return false;
    evict(server, oldest, tally);
    return true;
}

static void accept_all(struct dnstap_server *server, int listener, struct tally *tally, int64_t now)
{
    for (int i = 0; i < BACKLOG; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (!make_place(server, tally, now)) {
            server->stats.refused++;
            tally->n[TALLY_CONNECTION_REFUSED]++;
            close(fd);
            continue;
        }
        server->stats.accepted++;
        server->clients[server->n_clients++] =
            (struct client){ .fd = fd, .born_ms = now, .heard_ms = now };
    }
}

static void drop_slow_handshakes(struct dnstap_server *server, struct tally *tally, int64_t now)
{
    for (unsigned i = server->n_clients; i-- > 0;) {
        struct client *c = &server->clients[i];
        if (c->state == CLIENT_OPEN || now - c->born_ms <= HANDSHAKE_MS)
            continue;
        evict(server, c, tally);
    }
}

/* Room in the buffer for one more read. False: no memory. */
static bool make_room(struct client *c)
{
    if (c->len < c->capacity)
        return true;
    uint32_t capacity = c->capacity ? c->capacity * 2 : BUFFER_FIRST;
    if (capacity > BUFFER_MAX)
        capacity = BUFFER_MAX;
    uint8_t *bytes = realloc(c->bytes, capacity);
    if (bytes == NULL)
        return false;
    c->bytes = bytes;
    c->capacity = capacity;
    return true;
}

/* What became of a client in its turn. */
enum turn { TURN_GOES_ON, TURN_ENDED, TURN_BROKE, TURN_NOMEM };

static bool send_control(struct client *c, enum frames_type type, bool names_content)
{
    uint8_t frame[FRAMES_WRITE_MAX];
    size_t len = frames_write(frame, type, names_content);
    return send(c->fd, frame, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static enum turn on_control(struct client *c, struct slice payload)
{
    struct frames_control control = frames_control(payload);
    if (control.malformed)
        return TURN_BROKE;
    if (control.type == FRAMES_READY && c->state == CLIENT_CONNECTED) {
        if (!control.is_dnstap || !send_control(c, FRAMES_ACCEPT, control.names_content))
            return TURN_BROKE;
        c->two_way = true;
        c->state = CLIENT_ACCEPTED;
        return TURN_GOES_ON;
    }
    if (control.type == FRAMES_START && c->state != CLIENT_OPEN) {
        c->state = CLIENT_OPEN;
        return control.is_dnstap ? TURN_GOES_ON : TURN_BROKE;
    }
    if (control.type == FRAMES_STOP && c->state == CLIENT_OPEN) {
        if (c->two_way)
            (void)send_control(c, FRAMES_FINISH, false);
        return TURN_ENDED;
    }
    /* Types to come are to be passed over, those we know are out of place here. */
    return control.type > FRAMES_FINISH && c->state == CLIENT_OPEN ? TURN_GOES_ON : TURN_BROKE;
}

/* Takes the frames out of the buffer until the batch is full. */
static enum turn take_frames(struct dnstap_server *server, struct client *c,
                             struct log_sink *sink)
{
    uint32_t at = 0;
    enum turn turn = TURN_GOES_ON;
    c->waiting = false;
    while (turn == TURN_GOES_ON) {
        struct frame f = frames_next(c->bytes + at, c->len - at);
        if (f.kind == FRAMES_MORE)
            break;
        if (f.kind == FRAMES_DATA && message_batch_is_full(sink->batch)) {
            c->waiting = true;
            break;
        }
        if (f.kind == FRAMES_CONTROL) {
            turn = on_control(c, f.payload);
        } else if (f.kind == FRAMES_DATA && c->state == CLIENT_OPEN) {
            server->stats.frames++;
            turn = dnstap_event(f.payload, sink) == 0 ? TURN_GOES_ON : TURN_NOMEM;
        } else {
            turn = TURN_BROKE;
        }
        at += (uint32_t)f.size;
        if (f.kind == FRAMES_BAD || f.kind == FRAMES_BIG)
            return TURN_BROKE;
    }
    c->len -= at;
    if (c->len && at)
        memmove(c->bytes, c->bytes + at, c->len);
    return turn;
}

static enum turn read_client(struct dnstap_server *server, struct client *c,
                             struct log_sink *sink, int64_t now)
{
    if (!make_room(c))
        return TURN_NOMEM;
    size_t room = c->capacity - c->len;
    ssize_t n = recv(c->fd, c->bytes + c->len, room < READ_MAX ? room : READ_MAX, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? TURN_GOES_ON : TURN_ENDED;
    if (n == 0)
        return c->len ? TURN_BROKE : TURN_ENDED; /* the end of a frame never came */
    c->heard_ms = now;
    c->len += (uint32_t)n;
    return take_frames(server, c, sink);
}

/* Frames that waited for room first, then the socket. */
static enum turn serve(struct dnstap_server *server, struct client *c, bool readable,
                       struct log_sink *sink, int64_t now)
{
    if (c->waiting) {
        enum turn turn = take_frames(server, c, sink);
        if (turn != TURN_GOES_ON || c->waiting)
            return turn;
    }
    return readable && !message_batch_is_full(sink->batch) ? read_client(server, c, sink, now)
                                                           : TURN_GOES_ON;
}

struct polled {
    struct pollfd fds[LISTENERS_MAX + DNSTAP_CLIENTS_MAX];
    bool some_waiting;
};

static void polled_fill(const struct dnstap_server *server, struct polled *ret)
{
    ret->some_waiting = false;
    for (unsigned i = 0; i < server->n_listeners; i++)
        ret->fds[i] = (struct pollfd){ .fd = server->listeners[i].fd, .events = POLLIN };
    for (unsigned i = 0; i < server->n_clients; i++) {
        const struct client *c = &server->clients[i];
        ret->fds[server->n_listeners + i] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
        ret->some_waiting |= c->waiting;
    }
}

/* Each client once, beginning with another one each time. Those that are gone are
 * marked and dropped at the end, since dropping moves clients. */
static int serve_all(struct dnstap_server *server, const struct polled *polled,
                     struct log_sink *sink, int64_t now)
{
    bool gone[DNSTAP_CLIENTS_MAX] = { false };
    unsigned n = server->n_clients;
    bool nomem = false;
    for (unsigned k = 0; k < n; k++) {
        unsigned i = (server->turn + k) % n;
        bool readable = polled->fds[server->n_listeners + i].revents != 0;
        enum turn turn = serve(server, &server->clients[i], readable, sink, now);
        if (turn == TURN_BROKE)
            sink->tally->n[TALLY_BAD_RECORD]++;
        nomem |= turn == TURN_NOMEM;
        gone[i] = turn != TURN_GOES_ON;
    }
    server->turn = n ? (server->turn + 1) % n : 0;
    for (unsigned i = n; i-- > 0;)
        if (gone[i])
            drop(server, &server->clients[i]);
    return nomem ? E_NOMEM : 0;
}

int dnstap_server_read(struct dnstap_server *server, struct message_batch *batch,
                       struct tally *tally, int timeout_ms, struct fault *why)
{
    struct log_sink sink = { server->options, batch, tally };
    struct polled polled;
    polled_fill(server, &polled);
    int ready = poll(polled.fds, server->n_listeners + server->n_clients,
                     polled.some_waiting ? 0 : timeout_ms);
    if (ready < 0 && errno != EINTR)
        return fault_errno(why, errno, "dnstap: poll");
    if (ready < 0)
        return 0;
    int64_t now = now_ms();
    if (serve_all(server, &polled, &sink, now) != 0)
        return fault_set(why, E_NOMEM, "dnstap: out of memory");
    drop_slow_handshakes(server, tally, now);
    for (unsigned i = 0; i < server->n_listeners; i++)
        if (polled.fds[i].revents)
            accept_all(server, server->listeners[i].fd, tally, now);
    return 0;
}

void dnstap_server_stats(const struct dnstap_server *server, struct dnstap_server_stats *ret)
{
    *ret = server->stats;
    ret->clients = server->n_clients;
}

uint16_t dnstap_server_port(const struct dnstap_server *server, unsigned listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (listener >= server->n_listeners ||
        getsockname(server->listeners[listener].fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}
