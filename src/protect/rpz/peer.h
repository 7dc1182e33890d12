/* peer: who is at the other end, and networks of those. Values; any thread. */
#ifndef DNSMON_PROTECT_RPZ_PEER_H
#define DNSMON_PROTECT_RPZ_PEER_H

#include "base/fault.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct network {
    sa_family_t family;
    uint8_t bytes[16];
    uint8_t length; /* bits */
};

enum { PEER_TEXT_MAX = INET6_ADDRSTRLEN + 8 };

/* "ADDRESS" (one) or "ADDRESS/LENGTH". E_USAGE. */
int network_parse(const char *text, struct network *ret, struct fault *why) MUST_CHECK;
bool network_has(const struct network *network, const struct sockaddr_storage *peer);

/* "ADDRESS:PORT", an IPv6 address in brackets, the port not required when `port` is one. E_USAGE. */
int peer_parse(const char *text, uint16_t port, struct sockaddr_storage *ret, struct fault *why) MUST_CHECK;

socklen_t peer_len(const struct sockaddr_storage *peer);
uint16_t peer_port(const struct sockaddr_storage *peer);
bool peer_is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b); /* port and all */

/* The bytes of its address, *ret_len of them. */
const uint8_t *peer_address(const struct sockaddr_storage *peer, size_t *ret_len);

/* The address without its port. Returns `text`. */
const char *peer_text(const struct sockaddr_storage *peer, char text[PEER_TEXT_MAX]);

#endif
