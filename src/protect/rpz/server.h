/* server: the sockets of a responder: UDP and TCP (RFC 7766), transfers over many turns, NOTIFY.
 *
 *     responder_create, ...    keys, zones, who may have them
 *     server_create
 *     server_listen, ...       privileges may go after this
 *     server_notify, ...
 *     server_poll, ...         the caller owns the loop; it makes versions of zones in between, and they are notified
 *     server_destroy           before the responder and its zones
 *
 * One thread, poll. A TCP client costs 72 KiB, all at once: a request of 4 KiB, and what one turn can send of a
 * transfer. One request at a time: the next is read when the answer is sent. Ended are: who is silent for idle_ms or
 * takes that long for a request, a transfer that does not move for idle_ms or takes longer than an hour (it keeps dead rules in memory);
 * after two seconds those whose address no view lists, and these have a fourth of the places at most. When all places are taken, a newcomer gets
 * that of the client which has been silent longest, if for more than a second.
 *
 * Callbacks, the responder's too, may not call back into the server nor change zones. Handle type.
 */
#ifndef DNSMON_PROTECT_RPZ_SERVER_H
#define DNSMON_PROTECT_RPZ_SERVER_H

#include "protect/rpz/responder.h"

enum { SERVER_LISTENERS_MAX = 16, SERVER_CLIENTS_MAX = 256 };

struct server;

struct server_options {
    unsigned clients_max;   /* 0: SERVER_CLIENTS_MAX */
    unsigned idle_ms;       /* 0: 30 s */
    /* What a secondary was given. */
    void (*receive)(void *ctx, const struct delivery *delivery);
    void *ctx;
};

struct server_stats {
    uint64_t udp_messages;
    uint64_t connections;
    uint64_t evicted;       /* connections ended for a newcomer or by a time limit */
    uint64_t transfers;     /* begun, over TCP */
    uint64_t records;       /* of transfers over TCP */
    uint64_t bytes;
    uint64_t notifies;      /* sent */
    uint64_t notified;      /* answered */
    unsigned clients;       /* connected now */
};

int server_create(struct server **ret, struct responder *responder, const struct server_options *options, struct fault *why) MUST_CHECK;
void server_destroy(struct server **server);

/* "ADDRESS:PORT", numeric, IPv6 in brackets; UDP and TCP. Port 0: some free one, the same for both. */
int server_listen(struct server *server, const char *address, struct fault *why) MUST_CHECK;
uint16_t server_port(const struct server *server, unsigned listener);

/* A secondary, "ADDRESS" or "ADDRESS:PORT", is told of the zone's versions, signed with that key or (NULL) not. Sent from a
 * socket that listens, the first of its kind (IPv4, IPv6), so that it comes from an address which the secondary knows. E_USAGE, E_LIMIT. */
int server_notify(struct server *server, struct zone *zone, const char *address, const char *key, struct fault *why) MUST_CHECK;

/* Waits up to `timeout_ms` for something to do, and does it: a turn for each client. E_IO when poll() fails. */
int server_poll(struct server *server, int timeout_ms, struct fault *why) MUST_CHECK;

void server_stats(const struct server *server, struct server_stats *ret);

#endif
