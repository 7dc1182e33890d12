/* tsig: signatures of messages with a shared secret (RFC 8945). The HMAC is libdnssec's, the framing ours.
 *
 * A request's signature is parsed by request.h and checked here; what it says goes into a chain, which signs the
 * reply, and all messages of a transfer, each with the MAC of the former one (5.3.1).
 *
 *     tsig_check  ->  chain  ->  tsig_sign, tsig_sign, ...
 *
 * Times are seconds of the wall clock. Signing allocates in the crypto library, once a message. Values; one thread.
 */
#ifndef DNSMON_PROTECT_RPZ_TSIG_H
#define DNSMON_PROTECT_RPZ_TSIG_H

#include "base/fault.h"
#include "dns/name.h"

enum {
    TSIG_MAC_MAX = 64,
    TSIG_SECRET_MAX = 256,
    TSIG_FUDGE_S = 300,
};

enum tsig_error { TSIG_GOOD = 0, TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22 };

struct tsig_key {
    uint8_t name[NAME_WIRE_MAX]; /* lower case */
    size_t name_len;
    int algorithm;               /* of libdnssec */
    uint8_t secret[TSIG_SECRET_MAX];
    size_t secret_len;
};

/* `algorithm` "hmac-sha256", "hmac-sha512" or others of SHA-2 and SHA-1; `secret` in base64. E_USAGE. */
int tsig_key_make(struct tsig_key *ret, const char *name, const char *algorithm, const char *secret, struct fault *why) MUST_CHECK;

/* As it came. Slices are the message's. */
struct tsig_record {
    uint8_t name[NAME_WIRE_MAX];      /* lower case */
    size_t name_len;
    uint8_t algorithm[NAME_WIRE_MAX]; /* lower case */
    size_t algorithm_len;
    uint64_t time_s;
    uint16_t fudge_s;
    uint16_t original_id;
    uint16_t error;
    struct slice mac, other;
    size_t at;                        /* where in the message it begins */
};

struct tsig_chain {
    const struct tsig_key *key; /* NULL: the error is told without a MAC (5.2.1, 5.2.2) */
    uint8_t name[NAME_WIRE_MAX];
    size_t name_len;
    uint8_t algorithm[NAME_WIRE_MAX];
    size_t algorithm_len;
    uint16_t original_id;
    uint16_t error;
    uint64_t request_s; /* the time that BADTIME gives back */
    uint8_t mac[TSIG_MAC_MAX];
    size_t mac_len;
    unsigned signed_n;
};

/* Checks a request's signature against the key of that name (NULL: there is none); *ret_chain is for the reply whatever *ret says.
 * E_MALFORMED when the MAC is of no possible length: FORMERR. E_NOMEM. */
int tsig_check(const struct tsig_record *record, const struct tsig_key *key, const uint8_t *message, int64_t now_s,
               struct tsig_chain *ret_chain, enum tsig_error *ret) MUST_CHECK;

/* A chain that begins with a message of ours: NOTIFY. */
void tsig_begin(struct tsig_chain *chain, const struct tsig_key *key, uint16_t id);

/* How many bytes a signature takes at most. */
size_t tsig_room(const struct tsig_chain *chain);

/* Appends the signature to a whole message of `len` bytes, which has tsig_room() more. Returns the new length, 0 when there is no memory. */
size_t tsig_sign(struct tsig_chain *chain, uint8_t *message, size_t len, int64_t now_s);

#endif
