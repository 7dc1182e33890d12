/* capture: DNS messages as bytes of a file, in the order they are handed in.
 *
 * Two forms: pcap (nanoseconds, Ethernet, IPv4, UDP without checksums, as RFC 768 allows), and dnstap as a resolver writes it
 * (https://dnstap.info/, CLIENT_QUERY and CLIENT_RESPONSE, in a unidirectional Frame Stream). Times rise strictly: one that does not is
 * moved to a nanosecond after the one before. Value type; one thread.
 */
#ifndef DNSMON_SIMULATE_CAPTURE_H
#define DNSMON_SIMULATE_CAPTURE_H

#include "simulate/simulate.h"

enum { CAPTURE_MESSAGE_MAX = 1280 };

struct capture {
    enum capture_form form;
    const struct sink *sink;
    uint8_t *out;
    size_t out_len;
    uint64_t bytes; /* handed to the sink */
    int64_t last_ns;
    uint16_t ip_id;
    int rc;         /* the first failure; nothing more is written then */
    struct fault *why;
};

int capture_begin(struct capture *c, enum capture_form form, const struct sink *sink, struct fault *why) MUST_CHECK;

/* Room for a message of up to CAPTURE_MESSAGE_MAX bytes; then what it is. `client` is an IPv4 address as a number. */
uint8_t *capture_room(struct capture *c);
void capture_add(struct capture *c, int64_t at_ns, uint32_t client, uint16_t port, bool response, size_t len);

/* The end of the file, and all that is left of it; then c->rc. */
int capture_end(struct capture *c) MUST_CHECK;
void capture_release(struct capture *c);

#endif
