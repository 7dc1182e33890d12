/* digest: which bytes a file has, for entity tags: 128 bits of BLAKE2b, as hexadecimal text.
 *
 * The digest of FILE is kept beside it in .FILE.digest, with the size and the time of change of the FILE it was taken of. One that
 * does not fit the file counts for nothing, and the file is read. So a crash between the two costs time, and never tells a wrong tag.
 */
#ifndef DNSMON_PROTECT_FEED_DIGEST_H
#define DNSMON_PROTECT_FEED_DIGEST_H

#include "base/fault.h"

#include <sodium.h>
#include <stdbool.h>

enum { DIGEST_TEXT = 33 };

struct digest {
    crypto_generichash_state state;
};

void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *ptr, size_t len);
void digest_end(struct digest *d, char text[DIGEST_TEXT]);

/* Of an open file, as it is kept beside `path`, or else by reading it. */
int digest_of(int fd, const char *path, char text[DIGEST_TEXT], struct fault *why) MUST_CHECK;
/* Of what bears that name; E_ABSENT. */
int digest_of_path(const char *path, char text[DIGEST_TEXT], struct fault *why) MUST_CHECK;

/* Keeps it beside the file that bears the name now. */
int digest_keep(const char *path, const char text[DIGEST_TEXT], struct fault *why) MUST_CHECK;

#endif
