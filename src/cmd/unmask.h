/* unmask: client ids back to addresses, by trying: for the holder of the database's key.
 *
 * An id cannot be turned back. But who has the key can hash the addresses of the own network and compare. Cost: some 25 ns an
 * address, at most UNMASK_ADDRESSES of them. Handle; one thread.
 */
#ifndef DNSMON_CMD_UNMASK_H
#define DNSMON_CMD_UNMASK_H

#include "base/fault.h"
#include "observe/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNMASK_ADDRESSES = 1 << 24, UNMASK_TEXT = 46 /* with its NUL */ };

struct unmask;

/* Reads the key of the database in `dir`. Ids: strictly rising, borrowed. */
int unmask_create(struct unmask **ret, const char *dir, const uint64_t *ids, size_t n, struct fault *why) MUST_CHECK;
void unmask_destroy(struct unmask **u);

/* Tries an address, a network, a range, or a file with one of these a line ('#' begins a comment). E_USAGE: it is none of
 * these; E_LIMIT: too many addresses, in all. */
int unmask_try(struct unmask *u, const char *what, struct fault *why) MUST_CHECK;

/* The address of ids[i] as text; false when it was not among those tried. */
bool unmask_text(const struct unmask *u, size_t i, char text[UNMASK_TEXT]);
size_t unmask_found(const struct unmask *u);
uint64_t unmask_tried(const struct unmask *u);

#endif
