/* uuid: identities made of names (RFC 4122, 4.3, version 5), so that the same thing has the same one in every run. And a set of them.
 */
#ifndef DNSMON_PROTECT_FEED_UUID_H
#define DNSMON_PROTECT_FEED_UUID_H

#include "base/bytes.h"
#include "base/fault.h"

enum { UUID_TEXT = 37 };

struct uuid {
    uint8_t bytes[16];
};

/* Of a name in a name space. Names of several parts: `kind`, a blank, `name`; kind "" is the name alone. */
struct uuid uuid_of(const struct uuid *space, const char *kind, const char *name);
void uuid_text(const struct uuid *id, char text[UUID_TEXT]);
/* Lower case, in the usual form, at the start of `text`. */
bool uuid_parse(const char *text, struct uuid *ret);

/* The root of all name spaces of DNSMon, and that of STIX 2.1 (2.9) for what is observed. */
extern const struct uuid uuid_dnsmon, uuid_stix;

/* Which have been met, with a number for each, from 0 on. Zeroed is empty. */
struct uuid_set {
    struct uuid *ids;   /* by number */
    uint32_t *slots;    /* number + 1, 0 = free; a power of two, at most half full */
    size_t count, capacity, slot_count;
};

/* *ret_new: it was not there. E_NOMEM. */
int uuid_set_add(struct uuid_set *set, const struct uuid *id, size_t *ret_number, bool *ret_new) MUST_CHECK;
bool uuid_set_has(const struct uuid_set *set, const struct uuid *id);
void uuid_set_release(struct uuid_set *set);

#endif
