/* parts: what detectors read out of names.
 *
 * Pure functions over keys and texts; outside bytes may be anything, what is not well formed gives nothing.
 * Any thread. */
#ifndef DNSMON_DETECT_PARTS_H
#define DNSMON_DETECT_PARTS_H

#include "detect/subject.h"
#include "dns/rdata.h"
#include "dns/suffix.h"

/* An owner key as text without the final dot; "" when it is none. */
void parts_text(struct slice key, char text[NAME_TEXT_MAX]);

/* Text to owner key with its final 00; an empty slice when it is no name. */
struct slice parts_key(const char *text, size_t len, uint8_t to[NAME_KEY_MAX]);

/* The registered domain of a name (owner keys with final 00), written to `to`; empty when it has none. */
struct slice parts_registered(const struct suffix_list *suffixes, struct slice key, uint8_t to[NAME_KEY_MAX]);

/* The owner key of the name inside rdata (CNAME, NS, MX, SRV, ...: the first name), written to `to`; empty
 * when there is none. */
struct slice parts_target(uint16_t type, struct slice rdata, uint8_t to[NAME_KEY_MAX]);

/* Is `name` (an owner key) the domain or below it? */
bool parts_within(struct slice name, struct slice domain);

/* The label that was registered: "example" of example.co.uk, as it stands in the key; empty for a suffix. */
struct slice parts_word(const struct suffix_list *suffixes, struct slice domain);

/* Do two registered words share what an owner's brand would be: the same word, one inside the other, or a common start or end
 * of five or more letters that is two thirds of the shorter? */
bool parts_same_brand(struct slice a, struct slice b);

/* Does a label look made by a machine: letters and digits alternate, or letters run that nobody speaks? */
bool parts_random(const char *label, size_t len);

/* The network part of an address: /16 of IPv4, /32 of IPv6, with the length in the top byte; 0 for other lengths and for
 * addresses that are not global (loopback, private, link-local, unspecified, multicast). */
uint64_t parts_network(struct slice address);

#endif
