/* A client is always in one of these:
 *
 *     reading    collects a request: two bytes of length, the message (RFC 1035, 4.2.2)
 *     sending    `out` has bytes; a transfer, if one is open, fills it again when it is empty
 *     leaving    we have said our last word, and read on without listening, so that unread bytes do not reset the connection
 *                before that word is there
 *
 * Clients do not move in memory, since an open transfer is linked to its zone.
 */
#include "protect/rpz/server.h"

#include "protect/rpz/notify.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BACKLOG = 64,
    IDLE_MS = 30000,
    TRANSFER_MS = 3600000,
    FOREIGN_MS = 2000,
    FOREIGN_PART = 4, /* they have a fourth of the places */
    LEAVING_MS = 2000,
    EVICT_MS = 1000,
    ACCEPT_AGAIN_MS = 200,
    FRAME = 2,
    OUT_BYTES = 4 * (FRAME + TRANSFER_MESSAGE_MAX),
    FILLS_A_TURN = 4,
    DATAGRAMS_A_TURN = 64,
    PORT_TRIES = 16,
};

struct client {
    int fd;
    struct sockaddr_storage peer;
    bool is_foreign; /* no view lists it */
    bool ends;       /* after what is to be sent */
    bool is_leaving;
    int64_t moved_ms; /* when it last was given bytes, or said something whole */
    int64_t begun_ms; /* of the transfer */
    struct transfer transfer;
    struct delivery delivery; /* of the transfer */
    uint32_t in_len, out_at, out_len;
    uint8_t in[FRAME + RESPONDER_REQUEST_MAX];
    uint8_t out[OUT_BYTES];
};

struct listener {
    int udp, tcp;
    sa_family_t family;
};

struct server {
    struct responder *responder;
    struct server_options options;
    struct listener listeners[SERVER_LISTENERS_MAX];
    unsigned n_listeners;
    struct client *clients[SERVER_CLIENTS_MAX];
    unsigned n_clients, n_foreign; /* these among those */
    struct notify notify;
    struct server_stats stats;
    int64_t accept_at_ms;   /* not before: the process had no file descriptor left */
    int64_t now_ms, wall_s; /* of this turn */
};

static void see_clocks(struct server *s)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    s->now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    clock_gettime(CLOCK_REALTIME, &t);
    s->wall_s = t.tv_sec;
}

int server_create(struct server **ret, struct responder *responder, const struct server_options *options, struct fault *why)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fault_set(why, E_NOMEM, "server: out of memory");
    s->responder = responder;
    s->options = *options;
    if (s->options.clients_max == 0 || s->options.clients_max > SERVER_CLIENTS_MAX)
        s->options.clients_max = SERVER_CLIENTS_MAX;
    if (s->options.idle_ms == 0)
        s->options.idle_ms = IDLE_MS;
    *ret = s;
    return 0;
}

/* Listening */

static int open_socket(int type, const struct sockaddr_storage *address, const char *name, int *ret, struct fault *why)
{
    int on = 1, fd = socket(address->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fault_errno(why, errno, "%s: socket", name);
    if (type == SOCK_STREAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Replies leave with the address that was asked, also where we listen on all of a machine's. */
    if (address->ss_family == AF_INET) {
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    } else {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
    int e = 0;
    if (bind(fd, (const struct sockaddr *)address, peer_len(address)) != 0)
        e = fault_errno(why, errno, "%s: bind", name);
    else if (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)
        e = fault_errno(why, errno, "%s: listen", name);
    if (e != 0)
        close(fd);
    else
        *ret = fd;
    return e;
}

static int open_both(struct sockaddr_storage address, const char *name, struct listener *ret, struct fault *why)
{
    struct listener l = { .family = address.ss_family };
    socklen_t len = sizeof address;
    int e = open_socket(SOCK_STREAM, &address, name, &l.tcp, why);
    if (e != 0)
        return e;
    if (getsockname(l.tcp, (struct sockaddr *)&address, &len) != 0)
        e = fault_errno(why, errno, "%s: getsockname", name);
    if (e == 0)
        e = open_socket(SOCK_DGRAM, &address, name, &l.udp, why);
    if (e != 0)
        close(l.tcp);
    else
        *ret = l;
    return e;
}

int server_listen(struct server *server, const char *address, struct fault *why)
{
    struct sockaddr_storage at;
    if (server->n_listeners == SERVER_LISTENERS_MAX)
        return fault_set(why, E_LIMIT, "%s: more than %d addresses", address, SERVER_LISTENERS_MAX);
    int e = peer_parse(address, 0, &at, why);
    if (e != 0)
        return e;
    for (int left = peer_port(&at) ? 1 : PORT_TRIES; left > 0; left--) { /* what is free for TCP may be taken for UDP */
        e = open_both(at, address, &server->listeners[server->n_listeners], why);
        if (e == 0)
            break;
    }
    if (e == 0)
        server->n_listeners++;
    return e;
}

uint16_t server_port(const struct server *server, unsigned listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (listener >= server->n_listeners || getsockname(server->listeners[listener].udp, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return peer_port(&address);
}

static const struct listener *listener_of(const struct server *s, sa_family_t family)
{
    for (unsigned i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].family == family)
            return &s->listeners[i];
    return NULL;
}

int server_notify(struct server *server, struct zone *zone, const char *address, const char *key, struct fault *why)
{
    struct sockaddr_storage peer;
    const struct tsig_key *known = key ? responder_key(server->responder, key) : NULL;
    if (key != NULL && known == NULL)
        return fault_set(why, E_USAGE, "%.256s: there is no key %.256s", address, key);
    int e = peer_parse(address, 53, &peer, why);
    if (e == 0 && listener_of(server, peer.ss_family) == NULL)
        e = fault_set(why, E_USAGE, "%.256s: we listen on no address of its kind, so it cannot be told anything", address);
    return e ? e : notify_add(&server->notify, zone, &peer, known, why);
}

/* Receipts */

static void tell_delivery(struct server *s, const struct sockaddr_storage *peer, struct delivery *delivery)
{
    char text[PEER_TEXT_MAX];
    delivery->secondary = peer_text(peer, text);
    if (s->options.receive != NULL)
        s->options.receive(s->options.ctx, delivery);
}

/* UDP */

static void take_notify_answer(struct server *s, const struct sockaddr_storage *peer, const uint8_t *bytes, size_t len)
{
    struct request answer;
    struct delivery delivery;
    if (request_parse(&answer, bytes, len) == E_TRUNCATED || answer.opcode != OPCODE_NOTIFY ||
        !notify_answer(&s->notify, peer, &answer, s->now_ms, &delivery))
        return;
    s->stats.notified++;
    if (delivery.outcome == OUTCOME_UNWANTED)
        responder_refuse(s->responder, peer, REFUSAL_NOTIFY, "");
    tell_delivery(s, peer, &delivery);
}

/* The address that was asked answers; by which interface, routing knows. */
static void forget_interface(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
}

/* The ancillary data, which says where it came to, goes back with the answer. */
static void answer_datagram(struct server *s, int fd, struct msghdr *message, size_t len)
{
    const struct sockaddr_storage *peer = message->msg_name;
    uint8_t *bytes = message->msg_iov->iov_base, answer[RESPONDER_ANSWER_MAX];
    struct asked asked = { .peer = peer, .bytes = bytes, .len = len, .now_s = s->wall_s };
    struct transfer transfer = { 0 };
    struct exchange exchange = { 0 };
    if (message->msg_flags & MSG_TRUNC)
        exchange.len = responder_answer_too_long(s->responder, &asked, answer);
    else if (len >= REQUEST_HEADER && bytes[2] & 0x80)
        take_notify_answer(s, peer, bytes, len);
    else
        responder_answer(s->responder, &asked, answer, &transfer, &exchange);
    if (exchange.len == 0)
        return;
    *message->msg_iov = (struct iovec){ answer, exchange.len };
    message->msg_flags = 0;
    forget_interface(message);
    ssize_t sent = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 && exchange.has_delivery)
        tell_delivery(s, peer, &exchange.delivery);
}

static void serve_datagrams(struct server *s, int fd)
{
    for (unsigned i = 0; i < DATAGRAMS_A_TURN; i++) {
        uint8_t bytes[RESPONDER_REQUEST_MAX];
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        struct sockaddr_storage peer = { 0 };
        struct iovec iov = { bytes, sizeof bytes };
        struct msghdr message = { .msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &iov, .msg_iovlen = 1,
                                  .msg_control = control, .msg_controllen = sizeof control };
        ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
        if (n < 0)
            return;
        s->stats.udp_messages++;
        if (peer_port(&peer) != 0)
            answer_datagram(s, fd, &message, (size_t)n);
    }
}

/* Clients */

static void end_transfer(struct server *s, struct client *c, enum delivery_outcome outcome)
{
    if (c->transfer.walk.zone == NULL)
        return;
    c->delivery.outcome = outcome;
    c->delivery.records = c->transfer.records;
    c->delivery.bytes = c->transfer.bytes;
    c->delivery.ms = s->now_ms - c->begun_ms;
    transfer_end(&c->transfer);
    s->stats.records += c->delivery.records;
    s->stats.bytes += c->delivery.bytes;
    tell_delivery(s, &c->peer, &c->delivery);
}

static void drop(struct server *s, unsigned i, enum delivery_outcome outcome)
{
    struct client *c = s->clients[i];
    end_transfer(s, c, outcome);
    s->n_foreign -= c->is_foreign;
    close(c->fd);
    free(c);
    s->clients[i] = s->clients[--s->n_clients];
}

void server_destroy(struct server **server)
{
    struct server *s = *server;
    if (s == NULL)
        return;
    while (s->n_clients)
        drop(s, 0, OUTCOME_CUT);
    for (unsigned i = 0; i < s->n_listeners; i++) {
        close(s->listeners[i].udp);
        close(s->listeners[i].tcp);
    }
    free(s);
    *server = NULL;
}

static bool is_sending(const struct client *c)
{
    return c->out_at < c->out_len;
}

static void frame(struct client *c, size_t len)
{
    put_be16(c->out + c->out_len, (uint16_t)len);
    c->out_len += (uint32_t)(FRAME + len);
}

/* Messages of the transfer, as many as there is room for. False: one could not be made. */
static bool fill(struct server *s, struct client *c)
{
    c->out_at = c->out_len = 0;
    while (c->transfer.more && sizeof c->out - c->out_len >= FRAME + TRANSFER_MESSAGE_MAX) {
        int len = transfer_message(&c->transfer, c->out + c->out_len + FRAME, TRANSFER_MESSAGE_MAX, s->wall_s);
        if (len < 0)
            return false;
        frame(c, (size_t)len);
    }
    return true;
}

static void begin_transfer(struct server *s, struct client *c, const struct delivery *delivery)
{
    s->stats.transfers++;
    c->delivery = *delivery;
    c->begun_ms = s->now_ms;
}

/* A whole request stands in `in`, or one too long for it has begun there. */
static void answer_request(struct server *s, struct client *c, size_t len)
{
    struct asked asked = { .peer = &c->peer, .over_tcp = true, .bytes = c->in + FRAME, .len = len, .now_s = s->wall_s };
    struct exchange exchange = { 0 };
    c->moved_ms = s->now_ms;
    c->out_at = c->out_len = 0;
    if (len > RESPONDER_REQUEST_MAX) {
        c->ends = true;
        exchange.len = responder_answer_too_long(s->responder, &asked, c->out + FRAME);
    } else {
        responder_answer(s->responder, &asked, c->out + FRAME, &c->transfer, &exchange);
    }
    if (exchange.is_transfer)
        begin_transfer(s, c, &exchange.delivery);
    else if (exchange.len)
        frame(c, exchange.len);
    else
        c->ends = true; /* who does not speak DNS */
    if (exchange.has_delivery && !exchange.is_transfer)
        tell_delivery(s, &c->peer, &exchange.delivery);
}

/* The request at the start of `in`, if it is whole. */
static bool take_request(struct server *s, struct client *c)
{
    size_t len = c->in_len >= FRAME ? get_be16(c->in) : 0;
    bool is_too_long = len > RESPONDER_REQUEST_MAX && c->in_len >= FRAME + REQUEST_HEADER;
    if (c->in_len < FRAME || (c->in_len < FRAME + len && !is_too_long))
        return false;
    answer_request(s, c, len);
    size_t used = is_too_long ? c->in_len : FRAME + len;
    c->in_len -= (uint32_t)used;
    memmove(c->in, c->in + used, c->in_len);
    return true;
}

enum turn { TURN_GOES_ON, TURN_ENDED, TURN_CUT };

/* What the socket takes. TURN_GOES_ON when all was taken. */
static enum turn send_some(struct server *s, struct client *c, bool *ret_full)
{
    while (is_sending(c)) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            *ret_full = errno == EAGAIN || errno == EINTR;
            return *ret_full ? TURN_GOES_ON : TURN_CUT;
        }
        c->out_at += (uint32_t)n;
        c->moved_ms = s->now_ms;
    }
    return TURN_GOES_ON;
}

/* Sends and refills until the socket is full, the turn is over or all is sent. */
static enum turn advance(struct server *s, struct client *c)
{
    bool full = false;
    for (unsigned i = 0; i < FILLS_A_TURN; i++) {
        enum turn turn = send_some(s, c, &full);
        if (turn != TURN_GOES_ON || full)
            return turn;
        if (!c->transfer.more)
            break;
        if (!fill(s, c))
            return TURN_CUT;
    }
    if (!is_sending(c) && !c->transfer.more) {
        end_transfer(s, c, c->delivery.outcome);
        c->is_leaving = c->ends;
        if (c->is_leaving && shutdown(c->fd, SHUT_WR) != 0)
            return TURN_ENDED;
    }
    return TURN_GOES_ON;
}

static bool is_busy(const struct client *c)
{
    return is_sending(c) || c->transfer.walk.zone != NULL;
}

static enum turn read_some(struct client *c)
{
    if (c->is_leaving)
        c->in_len = 0;
    ssize_t n = recv(c->fd, c->in + c->in_len, sizeof c->in - c->in_len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? TURN_GOES_ON : TURN_CUT;
    c->in_len += (uint32_t)n;
    return n == 0 ? TURN_ENDED : TURN_GOES_ON;
}

/* Sends first; reads when nothing is to be sent; requests that came together are answered one after the other. */
static enum turn serve(struct server *s, struct client *c, short events)
{
    enum turn turn = TURN_GOES_ON;
    if (is_busy(c))
        turn = events & (POLLOUT | POLLERR) ? advance(s, c) : events & POLLHUP ? TURN_CUT : TURN_GOES_ON;
    else if (events)
        turn = read_some(c);
    while (turn == TURN_GOES_ON && !is_busy(c) && !c->is_leaving && take_request(s, c))
        turn = advance(s, c);
    return turn;
}

/* Time limits. */
static bool is_late(const struct server *s, const struct client *c)
{
    int64_t silent = s->now_ms - c->moved_ms;
    if ((c->is_foreign && silent > FOREIGN_MS) || (c->is_leaving && silent > LEAVING_MS))
        return true;
    return silent > s->options.idle_ms || (c->transfer.walk.zone && s->now_ms - c->begun_ms > TRANSFER_MS);
}

static void evict(struct server *s, unsigned i)
{
    struct client *c = s->clients[i];
    s->stats.evicted++;
    if (is_busy(c) || (c->in_len && !c->is_leaving))
        responder_refuse(s->responder, &c->peer, REFUSAL_SLOW, "");
    drop(s, i, OUTCOME_SLOW);
}

/* Who is listed by no view competes for a part of the places only, with others of the kind. */
static bool make_place(struct server *s, bool is_foreign)
{
    unsigned oldest = 0;
    if (is_foreign && s->n_foreign >= (s->options.clients_max + FOREIGN_PART - 1) / FOREIGN_PART)
        return false;
    if (s->n_clients < s->options.clients_max)
        return true;
    for (unsigned i = 1; i < s->n_clients; i++)
        if (s->clients[i]->moved_ms < s->clients[oldest]->moved_ms)
            oldest = i;
    if (s->now_ms - s->clients[oldest]->moved_ms <= EVICT_MS)
        return false;
    evict(s, oldest);
    return true;
}

static void accept_all(struct server *s, int listener)
{
    for (int i = 0; i < BACKLOG; i++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t len = sizeof peer;
        int fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                s->accept_at_ms = s->now_ms + ACCEPT_AGAIN_MS;
            return;
        }
        bool is_foreign = !responder_lists(s->responder, &peer);
        struct client *c = make_place(s, is_foreign) ? malloc(sizeof *c) : NULL;
        if (c == NULL) {
            responder_refuse(s->responder, &peer, REFUSAL_PLACE, "");
            close(fd);
            continue;
        }
        c->fd = fd;
        c->peer = peer;
        c->is_foreign = is_foreign;
        s->n_foreign += is_foreign;
        c->ends = c->is_leaving = false;
        c->moved_ms = c->begun_ms = s->now_ms;
        c->transfer.walk.zone = NULL;
        c->transfer.more = false;
        c->in_len = c->out_at = c->out_len = 0;
        s->clients[s->n_clients++] = c;
        s->stats.connections++;
    }
}

/* NOTIFY */

static void notify_all(struct server *s)
{
    uint8_t message[REPLY_LEAST];
    size_t len;
    const struct notify_target *t;
    (void)notify_wait_ms(&s->notify, s->now_ms); /* sees new versions */
    while ((t = notify_next(&s->notify, s->now_ms, s->wall_s, message, &len)) != NULL) {
        const struct listener *l = listener_of(s, t->peer.ss_family);
        assert(l != NULL); /* server_notify asked for one */
        if (sendto(l->udp, message, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&t->peer, peer_len(&t->peer)) >= 0)
            s->stats.notifies++;
    }
}

/* A turn */

struct polled {
    struct pollfd fds[2 * SERVER_LISTENERS_MAX + SERVER_CLIENTS_MAX];
    unsigned n;
};

static void polled_fill(const struct server *s, struct polled *ret)
{
    ret->n = 0;
    for (unsigned i = 0; i < s->n_listeners; i++) {
        ret->fds[ret->n++] = (struct pollfd){ .fd = s->listeners[i].udp, .events = POLLIN };
        ret->fds[ret->n++] = (struct pollfd){ .fd = s->listeners[i].tcp, .events = s->now_ms < s->accept_at_ms ? 0 : POLLIN };
    }
    for (unsigned i = 0; i < s->n_clients; i++)
        ret->fds[ret->n++] = (struct pollfd){ .fd = s->clients[i]->fd, .events = is_busy(s->clients[i]) ? POLLOUT : POLLIN };
}

static int at_most(int timeout_ms, int64_t limit_ms)
{
    return timeout_ms < 0 || timeout_ms > limit_ms ? (int)limit_ms : timeout_ms;
}

/* No longer than until the next thing that time alone brings. */
static int wait_ms(struct server *s, int timeout_ms)
{
    int64_t notify = notify_wait_ms(&s->notify, s->now_ms);
    if (notify >= 0)
        timeout_ms = at_most(timeout_ms, notify);
    if (s->n_clients)
        timeout_ms = at_most(timeout_ms, EVICT_MS);
    return s->now_ms < s->accept_at_ms ? at_most(timeout_ms, ACCEPT_AGAIN_MS) : timeout_ms;
}

/* Backwards, since one that is dropped gives its place to the last. */
static void serve_clients(struct server *s, const struct polled *polled)
{
    const struct pollfd *fds = polled->fds + 2 * s->n_listeners;
    for (unsigned i = s->n_clients; i-- > 0;) {
        enum turn turn = serve(s, s->clients[i], fds[i].revents);
        if (turn != TURN_GOES_ON)
            drop(s, i, OUTCOME_CUT);
        else if (is_late(s, s->clients[i]))
            evict(s, i);
    }
}

int server_poll(struct server *server, int timeout_ms, struct fault *why)
{
    struct polled polled;
    see_clocks(server);
    polled_fill(server, &polled);
    int ready = poll(polled.fds, polled.n, wait_ms(server, timeout_ms));
    if (ready < 0 && errno != EINTR)
        return fault_errno(why, errno, "poll");
    see_clocks(server);
    if (ready >= 0)
        serve_clients(server, &polled);
    for (unsigned i = 0; ready > 0 && i < server->n_listeners; i++) {
        if (polled.fds[2 * i].revents)
            serve_datagrams(server, server->listeners[i].udp);
        if (polled.fds[2 * i + 1].revents)
            accept_all(server, server->listeners[i].tcp);
    }
    notify_all(server);
    return 0;
}

void server_stats(const struct server *server, struct server_stats *ret)
{
    *ret = server->stats;
    ret->clients = server->n_clients;
}
