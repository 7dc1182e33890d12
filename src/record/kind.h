/* kind: the record kinds that tables hold, and how equal keys merge.
 *
 * Every value merges by sum, min, max or union: commutative and associative, so
 * that chunking, threads and restarts leave the same bytes. The store knows keys
 * as bytes and merges values through this table alone. docs/format/records.md has
 * the byte layouts. New kinds come last.
 */
#ifndef DNSMON_RECORD_KIND_H
#define DNSMON_RECORD_KIND_H

#include "base/buffer.h"
#include "base/fault.h"

enum record_kind_id {
    KIND_RR,      /* owner | type | rdata */
    KIND_INVERSE, /* type | searchable rdata | owner | turn, rdlength */
    KIND_NAME,    /* owner in forward order; never expires: first seen */
    KIND_HOST,    /* owner | hour: how a name was asked for */
    KIND_DOMAIN,  /* registered domain | hour: how names at or below it were */
    KIND_HOST_DAY,   /* owner | day: what is kept of a host's hours for longer */
    KIND_DOMAIN_DAY, /* registered domain | day: likewise */
    KINDS
};

struct record_kind {
    const char *name; /* in file names and the manifest */
    bool forever;     /* retention leaves it alone */

    /* Merges two values of one key into `to` (appended). E_CORRUPT when one does not parse. */
    int (*merge)(struct slice a, struct slice b, struct buffer *to) MUST_CHECK;

    /* The prefixes of a key that point look-ups use and the filter holds: writes at most
     * KIND_FILTER_KEYS prefix lengths and returns how many. */
    unsigned (*filter_keys)(struct slice key, size_t ret_lens[]);

    /* The owner key (reversed, docs/format/records.md) inside a key, for purge and
     * fsck; false when the key does not parse. `scratch` holds it where it must be rebuilt. */
    bool (*owner)(struct slice key, uint8_t scratch[], struct slice *ret_owner);

    /* Checks that key and value parse; for fsck. */
    bool (*valid)(struct slice key, struct slice value);

    /* What is left of an entry when retention drops its table: an entry of kind `rest`, appended. Rising keys make keys that do
     * not fall, and making rests commutes with merging. NULL: nothing is. */
    int (*roll)(struct slice key, struct slice value, struct buffer *to_key, struct buffer *to_value);
    enum record_kind_id rest;
};

enum { KIND_FILTER_KEYS = 2, OWNER_KEY_MAX = 512 };

extern const struct record_kind record_kinds[KINDS];

#endif
