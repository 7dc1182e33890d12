/* dnstap_server: resolvers connect here and send dnstap.
 *
 * Frame Streams over unix sockets and TCP, with the handshake (READY, ACCEPT, START
 * ... STOP, FINISH) or without (START ... STOP). Many clients, one thread, poll:
 *
 *     connected --READY--> accepted --START--> open --STOP--> closed
 *         `------------START------------------^
 *
 * A client that breaks the protocol is disconnected and counted as BAD_RECORD. What
 * one client can cost is bounded: one buffer of at most one frame (256 KiB), one read
 * of 64 KiB a turn, and turns go round, so that nobody waits for a busy or a silent
 * one. A handshake has 10 s. When all places are taken, a newcomer gets the place of
 * the client that was silent longest, if that was more than a minute; else none.
 *
 * A unix socket is made with mode 0660. A socket file that nobody listens on is
 * replaced; a live one, or a file of another kind, is an error. Closing removes the file
 * where the process may still write its folder; where not, the next start replaces it.
 * Handle type. One thread.
 */
#ifndef DNSMON_INPUT_DNSTAP_SERVER_H
#define DNSMON_INPUT_DNSTAP_SERVER_H

#include "input/source.h"

#include <sys/types.h>

enum { DNSTAP_CLIENTS_MAX = 256 };

struct dnstap_server;

struct dnstap_server_stats {
    uint64_t accepted;
    uint64_t refused;  /* no place */
    uint64_t evicted;  /* for a newcomer, or a handshake that took too long */
    uint64_t frames;   /* data frames */
    unsigned clients;  /* connected now */
};

/* `address`: "unix:PATH" or "tcp:ADDR:PORT", ADDR numeric, IPv6 also in brackets.
 * `options` (vantage, sensor, multicast) are lent, and may be filled in until the first read. */
int dnstap_server_open(struct dnstap_server **ret, const char *address,
                       const struct input_options *options, struct fault *why) MUST_CHECK;

/* One more address to listen on (at most 8). */
int dnstap_server_listen(struct dnstap_server *server, const char *address,
                         struct fault *why) MUST_CHECK;

/* Gives the socket files to the user that the process becomes, so that the mode lets in who
 * shares that user's group, not root's. */
int dnstap_server_give(const struct dnstap_server *server, uid_t uid, gid_t gid,
                       struct fault *why) MUST_CHECK;

void dnstap_server_close(struct dnstap_server **server);

/* Waits up to `timeout_ms` for bytes (not at all when some are waiting already),
 * then appends messages until the batch is full or each client had its turn. */
int dnstap_server_read(struct dnstap_server *server, struct message_batch *batch,
                       struct tally *tally, int timeout_ms, struct fault *why) MUST_CHECK;

void dnstap_server_stats(const struct dnstap_server *server, struct dnstap_server_stats *ret);

/* The port that "tcp:ADDR:0" got; 0 for a unix socket. */
uint16_t dnstap_server_port(const struct dnstap_server *server, unsigned listener);

#endif
