/* client: a client's address as an id that says nothing of it.
 *
 * SipHash-2-4 of the 16 bytes under a key that belongs to the database (docs/design/activity.md). The same
 * client has the same id for as long as the database lives, and another one in every other database.
 * Pure; any thread; some 20 ns.
 */
#ifndef DNSMON_OBSERVE_CLIENT_H
#define DNSMON_OBSERVE_CLIENT_H

#include <stdint.h>

enum { CLIENT_KEY_BYTES = 16 };

struct client_key {
    uint8_t bytes[CLIENT_KEY_BYTES];
};

/* `address` as in struct endpoint: IPv4 mapped. */
uint64_t client_id(const struct client_key *key, const uint8_t address[16]);

#endif
