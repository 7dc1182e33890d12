#include "observe/client.h"

#include <sodium/crypto_shorthash.h>

#include "base/bytes.h"

_Static_assert(CLIENT_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash-2-4 has keys of 128 bits");
_Static_assert(crypto_shorthash_BYTES == 8, "and gives 64");

/* Without sodium_init: this function draws no random bytes and has one implementation. */
uint64_t client_id(const struct client_key *key, const uint8_t address[16])
{
    uint8_t id[crypto_shorthash_BYTES];
    crypto_shorthash(id, address, 16, key->bytes);
    return get_le64(id);
}
