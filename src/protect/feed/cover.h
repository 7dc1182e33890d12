/* cover: the domains that are blocked, so that what lies below one is not listed again; and what is allowed below them, where that ends.
 *
 * That is more than tidiness. In a policy zone the name `inner.bad.example` beside `*.bad.example` takes itself, all below it, and the names
 * between the two out of the wildcard (RFC 4592, 3.3.1: the closest encloser is another), and what was to be blocked twice is free. Filled from all
 * publications before the feeds are opened that share it, then read; 16 to 32 bytes a domain. Value type, zeroed is empty.
 */
#ifndef DNSMON_PROTECT_FEED_COVER_H
#define DNSMON_PROTECT_FEED_COVER_H

#include "base/hashset.h"
#include "protect/feed/feed.h"

struct feed_cover {
    struct hashset names; /* each kind of them hashed otherwise */
};

/* Of a domain or a name server that is blocked; of anything else nothing. The second is of a name in wire form, in lower case. */
int feed_cover_add(struct feed_cover *c, const struct publication *p, enum feed_action action, struct fault *why) MUST_CHECK;
int feed_cover_add_name(struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len, struct fault *why) MUST_CHECK;
/* Of what is allowed, a host or a domain, whether or not it lies below what is blocked. */
int feed_cover_except(struct feed_cover *c, enum trigger trigger, const char *name, struct fault *why) MUST_CHECK;
void feed_cover_release(struct feed_cover *c);

/* Whether a name in wire form, in lower case, is one of these. A name server is another thing than a domain. */
bool feed_cover_has(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len);
/* Whether one of these lies above it, and no domain that is allowed between the two. */
bool feed_cover_has_above(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len);

/* Whether it is allowed as a host, or as a domain; whether a domain above it is. */
bool feed_cover_excepts(const struct feed_cover *c, enum trigger trigger, const uint8_t *wire, size_t len);
bool feed_cover_excepts_above(const struct feed_cover *c, const uint8_t *wire, size_t len);

#endif
