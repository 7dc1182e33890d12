/* A DNS message. Properties: what libknot takes we take, with the same records; keys of
 * owners and rdata round-trip; a message that is whole decodes the same with `cut`.
 * One difference is meant: libknot passes over bytes left behind the name of an rdata, and we
 * call that a damaged rdata. */
#include <libknot/libknot.h>
#include <stdlib.h>

#include "dns/decode.h"
#include "must.h"
#include "record/rr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(const struct dns_decoder *d, const struct dns_rr *rr)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX], made[RR_INVERSE_MAX], scratch[RR_KEY_MAX];
    struct slice owner = {rr->owner, rr->owner_len}, rdata = dns_rr_rdata(d, rr);
    struct rr_key back;
    size_t n = name_from_owner_key(rr->owner, rr->owner_len, wire);
    must(n != 0 && name_owner_key(wire, n, key) == rr->owner_len &&
         memcmp(key, rr->owner, rr->owner_len) == 0);
    if (rr->type == 0)
        return;
    n = rr_key_put(owner, rr->type, rdata, made);
    must(n <= RR_KEY_MAX && rr_key_get((struct slice){made, n}, &back));
    must(back.type == rr->type && slice_compare(back.owner, owner) == 0);
    must(n == RR_KEY_MAX || slice_compare(back.rdata, rdata) == 0);
    for (unsigned turn = 0; turn < rdata_turns(rr->type); turn++) {
        n = rr_inverse_put(owner, rr->type, turn, rdata, made);
        if (n == 0) /* too long, no names where there should be, or the first name again */
            continue;
        must(n <= RR_INVERSE_MAX && rr_inverse_get((struct slice){made, n}, scratch, &back));
        must(back.type == rr->type && back.turn == turn &&
             slice_compare(back.owner, owner) == 0 && slice_compare(back.rdata, rdata) == 0);
    }
}

static const knot_rrset_t *theirs_at(const knot_pkt_t *pkt, unsigned i)
{
    for (int s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++) {
        const knot_pktsection_t *section = knot_pkt_section(pkt, s);
        if (i < section->count)
            return knot_pkt_rr(section, (uint16_t)i);
        i -= section->count;
    }
    return NULL;
}

/* Types whose names libknot undoes or lower-cases and we keep as they are, and those where it
 * is the other way round. */
static bool keeps_names(uint16_t type)
{
    return type == KNOT_RRTYPE_SIG || type == KNOT_RRTYPE_NXT || type == KNOT_RRTYPE_NAPTR ||
           type == KNOT_RRTYPE_RRSIG || type == KNOT_RRTYPE_NSEC || type == KNOT_RRTYPE_SVCB ||
           type == KNOT_RRTYPE_HTTPS;
}

static void check_same(const struct dns_decoder *d, const struct dns_rr *ours,
                       const knot_rrset_t *theirs)
{
    uint8_t key[NAME_KEY_MAX];
    must(theirs != NULL);
    size_t n = name_owner_key(theirs->owner, knot_dname_size(theirs->owner), key);
    must(n == ours->owner_len && memcmp(key, ours->owner, n) == 0);
    must(ours->type == theirs->type && ours->class == theirs->rclass);
    must(ours->type == KNOT_RRTYPE_OPT || ours->ttl == theirs->ttl);
    struct slice rdata = dns_rr_rdata(d, ours);
    knot_rrset_t *copy = knot_rrset_copy(theirs, NULL);
    must(copy != NULL && knot_rrset_rr_to_canonical(copy) == KNOT_EOK);
    if (!keeps_names(ours->type))
        must(slice_compare(rdata,
                           (struct slice){copy->rrs.rdata->data, copy->rrs.rdata->len}) == 0);
    knot_rrset_free(copy, NULL);
}

static void compare(const struct dns_decoder *d, enum tally_cause cause, const uint8_t *data,
                    size_t size)
{
    static uint8_t copy[65535];
    memcpy(copy, data, size);
    knot_pkt_t *pkt = knot_pkt_new(copy, (uint16_t)size, NULL);
    if (pkt == NULL)
        return;
    if (knot_pkt_parse(pkt, KNOT_PF_NOCANON) == KNOT_EOK) {
        if (cause == TALLY_DNS_RDATA) {
            knot_pkt_free(pkt);
            return;
        }
        if (cause != TALLY_CAUSES)
            fprintf(stderr, "libknot takes it, we say %s\n", tally_text(cause));
        must(cause == TALLY_CAUSES);
        for (unsigned i = 0; i < d->n_rrs; i++)
            check_same(d, &d->rrs[i], theirs_at(pkt, i));
        must(theirs_at(pkt, d->n_rrs) == NULL);
    }
    knot_pkt_free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_decoder *d = malloc(sizeof *d);
    if (d == NULL || size > 65535) {
        free(d);
        return 0;
    }
    dns_decoder_init(d);
    bool cut_good = dns_decode(d, data, size, true) == TALLY_CAUSES;
    unsigned records = d->n_rrs;
    for (unsigned i = 0; i < d->n_rrs; i++)
        check_keys(d, &d->rrs[i]);
    enum tally_cause cause = dns_decode(d, data, size, false);
    must(cause != TALLY_CAUSES || (cut_good && records == d->n_rrs));
    if (size >= 12)
        compare(d, cause, data, size);
    dns_decoder_release(d);
    free(d);
    return 0;
}
