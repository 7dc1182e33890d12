/* responder: what is answered to a request, and to whom. Knows no sockets: bytes in, bytes out, or a transfer that the caller sends.
 *
 *     silence     no DNS message, or itself a reply
 *     REFUSED     an address that no view lists; a view that does not list it, or wants another key; a name in no zone of ours
 *     FORMERR     not well formed; AXFR over UDP
 *     NOTAUTH     a signature that does not hold (RFC 8945, 5.2, with its error); a transfer of a zone that is not ours
 *     BADVERS, NOTIMP, SERVFAIL (no version yet, no memory)
 *     answers     SOA, NS, AXFR, IXFR; names below the zone as a policy matches them; TXT of NAME._why.ZONE
 *
 * An address that no view lists gets nothing but REFUSED, before anything else is looked at. Handle type. One thread.
 */
#ifndef DNSMON_PROTECT_RPZ_RESPONDER_H
#define DNSMON_PROTECT_RPZ_RESPONDER_H

#include "protect/rpz/delivery.h"
#include "protect/rpz/refusals.h"
#include "protect/rpz/transfer.h"

enum {
    RESPONDER_KEYS_MAX = 64,
    RESPONDER_VIEWS_MAX = 16,
    RESPONDER_ACCESS_MAX = 256, /* entries a view */
    RESPONDER_REQUEST_MAX = 4096,
    RESPONDER_ANSWER_MAX = 4096,
};

struct responder;

struct responder_options {
    /* Why a trigger is listed in the zone, readable, or NULL when it is not: lent until the next call. NULL: there are no such answers.
     * `text` as knowledge/publication.h says; TRIGGER_HOST stands for a name of whatever scope. */
    const char *(*why)(void *ctx, const struct zone *zone, enum trigger trigger, const char *text);
    /* One line for the operator. */
    void (*say)(void *ctx, const char *line);
    void *ctx;
};

int responder_create(struct responder **ret, const struct responder_options *options, struct fault *why) MUST_CHECK;
void responder_destroy(struct responder **responder);

/* E_USAGE, E_LIMIT. Zones are lent. */
int responder_add_key(struct responder *r, const char *name, const char *algorithm, const char *secret, struct fault *why) MUST_CHECK;
int responder_add_zone(struct responder *r, struct zone *zone, struct fault *why) MUST_CHECK;

/* Who may have the zone: "ADDRESS" or "ADDRESS/LENGTH", signed with that key or (NULL) without one. */
int responder_allow(struct responder *r, const struct zone *zone, const char *network, const char *key, struct fault *why) MUST_CHECK;

/* NULL when there is none of that name. */
const struct tsig_key *responder_key(const struct responder *r, const char *name);

/* Whether any view lists the address. */
bool responder_lists(const struct responder *r, const struct sockaddr_storage *peer);

/* Counts what was not given to `peer`, and tells it once. `what` may be "". */
void responder_refuse(struct responder *r, const struct sockaddr_storage *peer, enum refusal why, const char *what);

/* A request as it came, and from where. */
struct asked {
    const struct sockaddr_storage *peer;
    bool over_tcp;
    const uint8_t *bytes;
    size_t len;
    int64_t now_s; /* wall clock */
};

/* What came of it. */
struct exchange {
    size_t len;              /* of the answer; 0: none, or a transfer */
    bool is_transfer;        /* `transfer` was begun: send its messages, then transfer_end */
    bool has_delivery;        /* something was given of a zone; of a transfer: when it has ended */
    struct delivery delivery;  /* without secondary and times */
};

void responder_answer(struct responder *r, const struct asked *asked, uint8_t answer[RESPONDER_ANSWER_MAX], struct transfer *transfer,
                      struct exchange *ret);

/* An answer for what is longer than RESPONDER_REQUEST_MAX, by its header alone. */
size_t responder_answer_too_long(struct responder *r, const struct asked *asked, uint8_t answer[RESPONDER_ANSWER_MAX]);

const struct refusals *responder_refusals(const struct responder *r);
uint64_t responder_requests(const struct responder *r);

#endif
