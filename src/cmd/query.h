/* query: the words of a look-up, as ranges of the store.
 *
 *     rrset NAME [TYPE]      NAME exact | *.name (names below it) | prefix.* (names that begin so)
 *     rdata WHAT [TYPE]      address | network/len | first-last | name | *.name | raw:HEX
 *
 * A query is ranges of keys plus a test. Every record wanted lies in a range; a range may
 * hold others (another type in a subtree, a malformed A record of two bytes, an SOA a second
 * time by its second name), which `query_wants` tells apart. Ranges are in key order and do not overlap. Point look-ups
 * carry the filter key (record/kind.c), so that tables without it are not opened.
 *
 * Two shapes need the store to be known whole: `forward` ranges are of KIND_NAME, each
 * owner found there is then asked for by `query_owner`; `every_type` (raw data, no type)
 * is one `query_raw` for each type that is present.
 *
 * Value type; the slices in `ranges` belong to it. One thread.
 */
#ifndef DNSMON_CMD_QUERY_H
#define DNSMON_CMD_QUERY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "cmd/value.h"
#include "record/rr.h"
#include "store/store.h"

enum query_want {
    WANT_RECORDS = 1,   /* ordinary records */
    WANT_NXDOMAIN = 2,
    WANT_NODATA = 4,
    WANT_OUTSIDE = 8,   /* records outside the bailiwick */
    WANT_COLLAPSED = 16,
};

enum { QUERY_RANGES_MAX = 24, QUERY_ANY = TYPE_ANY };

struct query {
    bool inverse;    /* rdata: ranges of KIND_INVERSE */
    bool forward;
    bool every_type;
    unsigned want;   /* enum query_want */
    uint16_t type;   /* of records and NODATA; QUERY_ANY = all */
    struct value_net net;  /* len 0: not asked by address */
    struct slice raw;      /* ptr NULL: not asked by raw data */
    struct store_range ranges[QUERY_RANGES_MAX];
    size_t n_ranges;
    struct arena memory;
};

void query_init(struct query *q);
void query_release(struct query *q);

/* Parses n words ("rrset", "www.example.com", "A"). `extra` is what is wanted beside the
 * type: enum query_want. E_USAGE with a message when they are not a query. */
int query_parse(struct query *q, char *const *words, size_t n, unsigned extra, struct fault *why) MUST_CHECK;

/* Starts `q` over as the look-up of one owner key, with the type and wants of `like`. */
int query_owner(struct query *q, const struct query *like, struct slice owner, struct fault *why) MUST_CHECK;

/* Sets the one range of an `every_type` query to `type`; no range when the raw data is not of its form. */
int query_raw(struct query *q, uint16_t type, struct fault *why) MUST_CHECK;

bool query_wants(const struct query *q, const struct rr_key *key);

/* "A", "any", "TYPE65" ... to a number; false when there is no such type. */
bool query_type(const char *text, uint16_t *ret);

#endif
