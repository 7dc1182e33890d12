/* serial: the number of a zone file, which rises when the zone says something else, and only then: a version in which nothing of a view
 * changed leaves its file, and the entity tag, as they are.
 *
 * Whoever writes the folder takes a digest of all that the zone says. It is kept in .serial there with the number it was given, so that no
 * history need be read, and another configuration counts as what it is: a change.
 */
#ifndef DNSMON_PROTECT_FEED_SERIAL_H
#define DNSMON_PROTECT_FEED_SERIAL_H

#include "protect/feed/digest.h"

/* The former number when the digest is the former one; else that of the `version`, or the former one + 1 where that is more (RFC 1982).
 * The folder is there, and nobody else writes it meanwhile. */
int feed_serial(const char *folder, const char digest[DIGEST_TEXT], uint32_t version, uint32_t *ret, struct fault *why) MUST_CHECK;

#endif
