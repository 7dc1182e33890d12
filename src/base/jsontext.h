/* jsontext: text as JSON strings (RFC 8259, 7), with their quotes, into a buffer.
 *
 * Pure functions; no allocation but the buffer's.
 */
#ifndef DNSMON_BASE_JSONTEXT_H
#define DNSMON_BASE_JSONTEXT_H

#include "base/buffer.h"

/* Any bytes; what is not ASCII is taken for Latin-1. */
void jsontext_bytes(struct buffer *to, const char *text, size_t len);

/* The same of UTF-8, which stays; what is not UTF-8 is taken for Latin-1. */
void jsontext_put(struct buffer *to, const char *text);

#endif
