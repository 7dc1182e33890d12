/* owner: the name under which a policy zone holds a trigger (draft-vixie-dnsop-dns-rpz-00, 4).
 *
 *     host, domain   bad.example            bad.example
 *     address        192.0.2.0/24           24.0.2.0.192.rpz-ip
 *                    2001:db8::1            128.1.zz.db8.2001.rpz-ip
 *     nameserver     ns1.bad.example        ns1.bad.example.rpz-nsdname
 *
 * An owner is relative to the zone: its labels in wire form and lower case, without the root. Domains and name servers
 * own "*." in front of it as well. What a zone could not hold, or would read as something else than is
 * meant, is refused here: the root, labels "*", triggers of other kinds written as names (below rpz-...), our own
 * branch `_why`, networks with bits beyond their length, networks of all addresses. Pure functions; any thread.
 */
#ifndef DNSMON_PROTECT_RPZ_OWNER_H
#define DNSMON_PROTECT_RPZ_OWNER_H

#include "base/fault.h"
#include "dns/name.h"
#include "knowledge/publication.h"

/* The branch of a policy zone that tells why a name is listed: NAME._why.ZONE. */
#define OWNER_WHY "_why"

struct owner {
    bool subtree; /* "*." in front of it is owned, too */
    uint8_t len;
    uint8_t labels[NAME_WIRE_MAX];
};

/* `text` as knowledge/publication.h says; `room` is how many bytes the labels may have. E_MALFORMED with a reason. */
int owner_make(enum trigger trigger, const char *text, size_t room, struct owner *ret, struct fault *why) MUST_CHECK;

/* Of a network whose bits beyond its length are 0: IPv4 of 32 bits, IPv6 of 128. */
void owner_of_network(const uint8_t *bytes, unsigned bits, unsigned length, struct owner *ret);

/* The other way: the text of the trigger that such labels are, as resolvers log them and people ask for them. A name is told as TRIGGER_HOST,
 * of whatever scope. False when no trigger has them. */
bool owner_text(const uint8_t *labels, size_t len, enum trigger *ret_trigger, char ret_text[NAME_TEXT_MAX]);

#endif
