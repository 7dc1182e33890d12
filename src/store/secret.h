/* secret: the key of the client ids, a file of the database that only its owner may read
 * (docs/format/manifest.md, client.key).
 *
 * Made once, read by the writer. A database without the key that its ids were made with can be read, but
 * nothing comparable can be added to it. The store knows it as bytes.
 */
#ifndef DNSMON_STORE_SECRET_H
#define DNSMON_STORE_SECRET_H

#include "base/fault.h"

#include <stdint.h>

enum { SECRET_BYTES = 16 };

/* E_ABSENT without a file, E_CORRUPT when it is damaged. */
int secret_read(const char *dir, uint8_t ret_key[SECRET_BYTES], struct fault *why) MUST_CHECK;

/* A new one from the kernel's random bytes; durable when it returns 0. Replaces what is there. */
int secret_create(const char *dir, uint8_t ret_key[SECRET_BYTES], struct fault *why) MUST_CHECK;

/* Reads it for fsck. Who may not read it need not. */
int secret_check(const char *dir, struct fault *why) MUST_CHECK;

#endif
