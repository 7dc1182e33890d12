/* live: packets from an interface, through libpcap.
 *
 * Immediate mode: packets come as they arrive. Frames go straight from the ring of
 * the kernel through `transport_frame`; nothing is queued here. What the kernel or
 * the card dropped is counted as CAPTURE_DROP. `live_stop` may be called from a
 * signal handler or another thread; everything else by one thread. Handle type.
 */
#ifndef DNSMON_INPUT_LIVE_H
#define DNSMON_INPUT_LIVE_H

#include "input/source.h"

struct live;

struct live_options {
    const char *filter;   /* pcap-filter(7), NULL = everything */
    size_t buffer_bytes;  /* of the kernel's ring; 0 = 64 MiB */
    int snaplen;          /* 0 = 262144 */
    bool no_promiscuous;
};

/* Packets wait in the ring from here on. Only this needs privileges. */
int live_open(struct live **ret, const char *interface, const struct live_options *options,
              struct fault *why) MUST_CHECK;
void live_close(struct live **live); /* of NULL, too */

/* Waits for packets, for `timeout_ms` at most, and appends their messages until
 * the batch is full or nothing waits any more. Returning 0 with no message is a
 * timeout or packets without messages; E_INTERRUPTED after `live_stop`. `transport` is borrowed. */
int live_read(struct live *live, struct transport *transport, struct message_batch *batch,
              struct tally *tally, int timeout_ms, struct fault *why) MUST_CHECK;

uint64_t live_packets(const struct live *live);

/* Safe in a signal handler. */
void live_stop(struct live *live);

#endif
