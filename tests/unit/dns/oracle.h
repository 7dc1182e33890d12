/* oracle: libknot reads the same message; what it takes we take, with the same records.
 *
 * We may take more: libknot looks into rdata that we keep as bytes. Where we refuse what it takes, the
 * record in question must break one of these rules, and the cause must be that one:
 *
 * - Pointers go down (RFC 1035, 4.1.4, "a prior occurrence"): to before the name, then to before
 *   where the former one went, as BIND asks. libknot only asks that each goes to before itself.
 * - Nothing is left in rdata behind what its type has. libknot wants that too, but it compares
 *   RDLENGTH with the length after decompression: what a compressed name gains hides what is left.
 */
#ifndef DNSMON_TEST_DNS_ORACLE_H
#define DNSMON_TEST_DNS_ORACLE_H

#include <libknot/libknot.h>
#include <stdlib.h>

#include "dns/decode.h"

struct oracle_record {
    const knot_rrset_t *rr; /* NULL: there are not so many */
    size_t at;              /* in the message */
};

static inline struct oracle_record oracle_record(const knot_pkt_t *pkt, unsigned i)
{
    for (int s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
        const knot_pktsection_t *section = knot_pkt_section(pkt, s);
        if (i < section->count)
            return (struct oracle_record){knot_pkt_rr(section, (uint16_t)i),
                                          knot_pkt_rr_offset(section, (uint16_t)i)};
        i -= section->count;
    }
    return (struct oracle_record){NULL, 0};
}

/* libknot knows names in rdata that we keep as bytes (RRSIG, NSEC, HTTPS, TKEY and the like). */
static inline bool oracle_knows_more_names(uint16_t type)
{
    const knot_rdata_descriptor_t *descriptor = knot_get_rdata_descriptor(type);
    if (descriptor->type_name == NULL)
        descriptor = knot_get_obsolete_rdata_descriptor(type);
    for (const int *block = descriptor->block_types; *block != KNOT_RDATA_WF_END; block++)
        if (*block == KNOT_RDATA_WF_COMPRESSIBLE_DNAME ||
            *block == KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME || *block == KNOT_RDATA_WF_FIXED_DNAME)
            return rdata_layout(type).names == 0;
    return false;
}

static inline bool oracle_same_letters(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name_lower[a[i]] != name_lower[b[i]])
            return false;
    return true;
}

/* Names come from libknot in their case until it is asked for the canonical form, in which it lowers
 * those of RFC 4034, 6.2, alone: not the target of SVCB and HTTPS. Where it undid the
 * compression of a name that is bytes to us, the lengths differ: a pointer has two, no name has. */
static inline bool oracle_same_rdata(struct slice ours, const knot_rrset_t *theirs)
{
    struct rdata_layout layout = rdata_layout(theirs->type);
    if (oracle_knows_more_names(theirs->type) || (layout.names && !layout.compressible)) {
        const knot_rdata_t *rdata = theirs->rrs.rdata;
        return rdata->len != ours.len || oracle_same_letters(rdata->data, ours.ptr, ours.len);
    }
    knot_rrset_t *copy = knot_rrset_copy(theirs, NULL);
    if (copy == NULL || knot_rrset_rr_to_canonical(copy) != KNOT_EOK)
        abort();
    const knot_rdata_t *rdata = copy->rrs.rdata;
    bool same = slice_compare(ours, (struct slice){rdata->data, rdata->len}) == 0;
    knot_rrset_free(copy, NULL);
    return same;
}

static inline const char *oracle_compare(const struct dns_decoder *d, const struct dns_rr *ours,
                                         const knot_rrset_t *theirs)
{
    uint8_t key[NAME_KEY_MAX];
    if (theirs == NULL)
        return "a record that libknot has not";
    size_t n = name_owner_key(theirs->owner, knot_dname_size(theirs->owner), key);
    if (n != ours->owner_len || memcmp(key, ours->owner, n) != 0)
        return "another owner";
    if (ours->type != theirs->type || ours->class != theirs->rclass)
        return "another type or class";
    if (ours->type != KNOT_RRTYPE_OPT && ours->ttl != theirs->ttl)
        return "another TTL";
    if (!oracle_same_rdata(dns_rr_rdata(d, ours), theirs))
        return "other rdata";
    return NULL;
}

/* Steps over a name that libknot took; true when its pointers do not go down. */
static inline bool oracle_name_rises(const uint8_t *wire, size_t *at)
{
    size_t p = *at, bound = *at, end = 0;
    bool rises = false;
    while (wire[p] != 0) {
        if (wire[p] < 0xc0) {
            p += 1u + wire[p];
            continue;
        }
        if (end == 0)
            end = p + 2;
        p = get_be16(wire + p) & 0x3fff;
        rises |= p >= bound;
        bound = p;
    }
    *at = end ? end : p + 1;
    return rises;
}

/* Does the first record that we did not read break the rule that `cause` speaks of? */
static inline bool oracle_explains(const struct oracle_record *record, enum tally_cause cause,
                                   const uint8_t *wire)
{
    size_t at = record->at;
    if (record->rr == NULL)
        return false;
    bool rises = oracle_name_rises(wire, &at);
    size_t start = at + 10, rdlength = get_be16(wire + at + 8);
    struct rdata_layout layout = rdata_layout(record->rr->type);
    at = start + layout.lead;
    for (unsigned i = 0; i < layout.names && rdlength > 0; i++)
        rises |= oracle_name_rises(wire, &at);
    if (record->rr->type == KNOT_RRTYPE_SOA)
        at += 20;
    if (cause == TALLY_DNS_POINTER)
        return rises;
    return cause == TALLY_DNS_RDATA && layout.names > 0 && at < start + rdlength &&
           record->rr->rrs.rdata->len >= rdlength;
}

static inline const char *oracle_judge(const struct dns_decoder *d, enum tally_cause cause,
                                       const knot_pkt_t *pkt)
{
    const char *differs = NULL;
    struct oracle_record next = oracle_record(pkt, d->n_rrs);
    for (unsigned i = 0; i < d->n_rrs && differs == NULL; i++)
        differs = oracle_compare(d, &d->rrs[i], oracle_record(pkt, i).rr);
    if (differs != NULL)
        return differs;
    if (cause == TALLY_CAUSES)
        return next.rr == NULL ? NULL : "a record less than libknot has";
    return oracle_explains(&next, cause, pkt->wire) ? NULL : tally_text(cause);
}

/* What of dns_decode(d, wire, len, false), which returned `cause`, does not fit to what libknot
 * says; NULL when all does. *ret_takes: libknot takes the message. */
static inline const char *oracle_differs(const struct dns_decoder *d, enum tally_cause cause,
                                         const uint8_t *wire, size_t len, bool *ret_takes)
{
    static uint8_t copy[65535]; /* libknot wants it writable */
    memcpy(copy, wire, len);
    knot_pkt_t *pkt = knot_pkt_new(copy, (uint16_t)len, NULL);
    if (pkt == NULL)
        abort();
    *ret_takes = knot_pkt_parse(pkt, KNOT_PF_NOCANON) == KNOT_EOK;
    const char *differs = *ret_takes ? oracle_judge(d, cause, pkt) : NULL;
    knot_pkt_free(pkt);
    return differs;
}

#endif
