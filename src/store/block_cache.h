/* block_cache: blocks of tables as they are unpacked, for whoever seeks near where it sought before.
 *
 * A place a hash of table and offset; a newer block takes the place of an older one. BLOCK_CACHE_PLACES blocks at most, which are some
 * 16 MiB. Blocks are copied in and out (0.2 us), for a cursor stands on its block for as long as it likes: a fortieth of
 * checking and unpacking it. Handle; one thread.
 */
#ifndef DNSMON_STORE_BLOCK_CACHE_H
#define DNSMON_STORE_BLOCK_CACHE_H

#include "base/bytes.h"

enum { BLOCK_CACHE_PLACES = 2048 };

struct block_cache;

struct block_cache *block_cache_create(void); /* NULL: no memory */
void block_cache_destroy(struct block_cache **c);

/* Copies the block of that table at that offset to `to`, which has room for `room` bytes; its length, or 0 when it is not there. */
size_t block_cache_get(const struct block_cache *c, uint64_t table, uint64_t at, uint8_t *to, size_t room, uint64_t *ret_end);

/* `end`: where the block ends in the file. Blocks much larger than usual are left out. Without memory nothing is kept. */
void block_cache_put(struct block_cache *c, uint64_t table, uint64_t at, uint64_t end, struct slice block);

#endif
