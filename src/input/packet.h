/* packet: one packet on its way through the layers, and where its fate goes.
 *
 * `weight` is how many captured packets it stands for: one, or all fragments of a
 * reassembled datagram. Every captured packet either gives (part of) a message or
 * is counted with `packet_count` under one cause. Lives on the stack of
 * `transport_frame`.
 */
#ifndef DNSMON_INPUT_PACKET_H
#define DNSMON_INPUT_PACKET_H

#include "input/link.h"
#include "input/message.h"

struct packet {
    int64_t ts_ns;
    struct message_batch *batch;
    struct tally *tally;
    uint32_t weight;
    uint16_t ip_id;
    uint8_t vantage;
    uint8_t sensor;
    uint8_t exclusion;
    struct endpoint from;
    struct endpoint to;
};

static inline void packet_count(const struct packet *p, enum tally_cause cause)
{
    p->tally->n[cause] += p->weight;
}

static inline int packet_emit(const struct packet *p, enum message_transport transport,
                              const uint8_t *wire, uint32_t wire_len, bool truncated)
{
    struct message *m = message_batch_slot(p->batch, wire, wire_len);
    if (__builtin_expect(m == NULL, 0))
        return E_NOMEM;
    m->ts_ns = p->ts_ns;
    m->from = p->from;
    m->to = p->to;
    m->known = KNOWN_ALL;
    m->vantage = p->vantage & 15;
    m->transport = (uint8_t)transport & 15;
    m->exclusion = p->exclusion;
    m->sensor = p->sensor;
    m->truncated = truncated;
    m->ip_id = p->ip_id;
    message_batch_dated(p->batch, p->ts_ns, p->tally);
    return 0;
}

#endif
