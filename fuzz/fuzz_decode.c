/* A DNS message. Properties: what libknot takes we take, with the same records, but for what
 * oracle.h says; keys of owners and rdata round-trip; a message that is whole decodes the same
 * with `cut`. */
#include <stdlib.h>

#include "must.h"
#include "record/rr.h"
#include "unit/dns/oracle.h"

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
    for (unsigned turn = 0; turn < rr_turns(rr->type); turn++) {
        n = rr_inverse_put(owner, rr->type, turn, rdata, made);
        if (n == 0) /* too long, no names where there should be, or the first name again */
            continue;
        must(n <= RR_INVERSE_MAX && rr_inverse_get((struct slice){made, n}, scratch, &back));
        must(back.type == rr->type && back.turn == turn &&
             slice_compare(back.owner, owner) == 0 && slice_compare(back.rdata, rdata) == 0);
    }
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
    bool takes;
    const char *differs = size >= 12 ? oracle_differs(d, cause, data, size, &takes) : NULL;
    if (differs != NULL)
        fprintf(stderr, "not as libknot says: %s\n", differs);
    must(differs == NULL);
    dns_decoder_release(d);
    free(d);
    return 0;
}
