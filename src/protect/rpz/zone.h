/* zone: a response policy zone in memory, with its versions (docs/design/protection.md, A zone in memory).
 *
 * A zone has rules. A rule is a trigger and an action; it is born in one version and dies in a later one, and does not
 * change between: another action is a death and a birth. A host or an address makes a record set at its
 * owner, a domain or a name server one at "*." of it, too. Where a name is listed as a host and as a domain, the host's
 * action is that of the name itself, so that no name ever has two.
 *
 * Versions are made in one go,
 *
 *     zone_begin, zone_add, zone_remove, ..., zone_commit (or zone_abort: all is as before)
 *
 * and nobody sees one before its commit. The first one is where history begins: what it adds
 * is no change. A restart gets the journal back by making the versions anew, oldest first.
 *
 * A walk is a transfer: all of one version, or what differs between two. It stays with its versions while
 * others are made. Dead rules are kept as long as the journal or a walk may ask for them; then others take their memory.
 *
 * Cost: 11 bytes and its name a rule, 8 bytes in an index that is between three and six eighths full, 4 bytes a change in the journal:
 * 47 bytes a rule at 5 M (docs/performance.md). Lookup and change are O(1); no malloc in walks.
 * Handle type. One thread. Serials are numbers of RFC 1982.
 */
#ifndef DNSMON_PROTECT_RPZ_ZONE_H
#define DNSMON_PROTECT_RPZ_ZONE_H

#include "protect/rpz/rules.h"

enum {
    ZONE_JOURNAL_LEAST = 1024, /* changes that the journal may have, however small the zone is */
    ZONE_ACTIONS_MAX = 256,
    ZONE_RECORD_MAX = 10 + 2 * NAME_WIRE_MAX + 20, /* TYPE to RDATA; the SOA's is the longest */
};

struct zone;

struct zone_options {
    const char *origin;
    const char *ns;      /* of the NS record that each zone needs; not below origin. Nobody asks it: "localhost." will do */
    const char *mname;   /* of the SOA */
    const char *rname;   /* as a name: hostmaster.example. */
    uint32_t ttl_s;
    uint32_t refresh_s, retry_s, expire_s, minimum_s;
    uint32_t journal_max; /* changes and versions that are kept; of changes never more than there are rules, or ZONE_JOURNAL_LEAST */
};

/* -1, 0, 1: a is before b, the same, after it (RFC 1982, 3.2); numbers at the distance of 2^31, which
 * have no order there, count as before. */
int serial_compare(uint32_t a, uint32_t b);

int zone_create(struct zone **ret, const struct zone_options *options, struct fault *why) MUST_CHECK;
void zone_destroy(struct zone **zone); /* no walk is open */

/* An action by its text (protect/action.h). The same text is the same number,
 * as long as the zone lives. E_MALFORMED; E_LIMIT with more than ZONE_ACTIONS_MAX. */
int zone_action(struct zone *zone, const char *text, unsigned *ret, struct fault *why) MUST_CHECK;
const char *zone_action_text(const struct zone *zone, unsigned action);

/* Making a version. E_USAGE when `serial` is not after the zone's, or a version is under way. */
int zone_begin(struct zone *zone, uint32_t serial, struct fault *why) MUST_CHECK;

/* Adds a rule, or gives the one there is this action. E_MALFORMED: refused, with a reason, and the version goes on as if nothing had
 * been asked. E_NOMEM, E_LIMIT (16 GiB of rules): the version can only be aborted. */
int zone_add(struct zone *zone, enum trigger trigger, const char *text, unsigned action, struct fault *why) MUST_CHECK;

/* E_ABSENT when there is none: nothing happened. Else as zone_add. */
int zone_remove(struct zone *zone, enum trigger trigger, const char *text, struct fault *why) MUST_CHECK;

/* Publishes it. A version without changes is one, too. On failure it is still under way. */
int zone_commit(struct zone *zone, struct fault *why) MUST_CHECK;
void zone_abort(struct zone *zone);

/* What it is now, without what is under way. */
uint32_t zone_serial(const struct zone *zone);
bool zone_is_empty(const struct zone *zone); /* no version was made; there is nothing to serve */
size_t zone_count(const struct zone *zone);  /* rules */
size_t zone_memory(const struct zone *zone); /* bytes held: rules, index, journal */

struct zone_journal {
    uint32_t oldest;  /* the serial up from which differences are known */
    size_t versions;
    size_t changes;
};
struct zone_journal zone_journal(const struct zone *zone);

/* The action for exactly this trigger, -1 = none; in a version under way: with its changes. */
int zone_find(const struct zone *zone, enum trigger trigger, const char *text);

/* The origin in wire form, lower case. */
struct slice zone_origin(const struct zone *zone);

/* A record: its owner is "*." when `wild`, then `owner`, then the origin. `rest` is its tail (protect/tail.h), uncompressed. Valid until the
 * next call with the same walk; new versions do not touch it. */
struct zone_record {
    struct slice owner;
    bool wild;
    struct slice rest;
};

/* Answers for a name, lower case, relative to the origin, without the root ("": the apex). The rule for the name itself, else of
 * the longest domain that it is below: a policy's match, which unlike RFC 4592 no name between the two hinders. -1 = none. */
int zone_match(const struct zone *zone, const uint8_t *labels, size_t len);

/* The records of an action; `n` from 0; false = no more. Owner is empty. */
bool zone_action_record(const struct zone *zone, unsigned action, unsigned n, struct zone_record *ret);
void zone_soa(const struct zone *zone, uint8_t rest[ZONE_RECORD_MAX], size_t *ret_len);
struct slice zone_ns(const struct zone *zone);

/* A transfer. Part of the zone while open. */
struct zone_walk {
    struct zone *zone;
    struct zone_walk *next;
    uint32_t from, to;    /* numbers of versions; from = 0: all of `to` */
    unsigned phase;
    struct rules_cursor memory; /* all: where it is */
    uint64_t change, end; /* difference: where in the journal it is, and ends */
    const struct rule *rule;
    bool wild;
    unsigned n;           /* of the action's records */
    uint8_t soa[ZONE_RECORD_MAX];
};

/* All of the current version: SOA, NS, rules, SOA (RFC 5936, 2.2). */
void zone_walk_all(struct zone_walk *walk, struct zone *zone);

/* The difference from `serial` to the current version as one sequence (RFC 1995, 4 and 5): SOA now, SOA then, what went, SOA now, what
 * came, SOA now. False when that version is not known; then nothing is open. */
bool zone_walk_since(struct zone_walk *walk, struct zone *zone, uint32_t serial);

bool zone_walk_next(struct zone_walk *walk, struct zone_record *ret);
uint32_t zone_walk_serial(const struct zone_walk *walk); /* of what it leads to */
void zone_walk_close(struct zone_walk *walk);            /* also when it is closed already, or {0} */

#endif
