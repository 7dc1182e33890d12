/* message: one DNS message as it was seen, the unit that every input makes.
 *
 * A borrowed view: `wire` points into the batch that holds the message. Logs have
 * no wire form; their reader writes one from the fields it has and leaves out of
 * `known` what the log did not say, so that nothing absent becomes a zero.
 */
#ifndef DNSMON_INPUT_MESSAGE_H
#define DNSMON_INPUT_MESSAGE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/tally.h"

/* IPv4 stands as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2). */
struct endpoint {
    uint8_t address[16];
    uint16_t port;
};

enum message_vantage {
    VANTAGE_UNKNOWN,       /* told apart by RD: a stub asks for recursion, a resolver does not */
    VANTAGE_CLIENT,        /* between clients and their resolver */
    VANTAGE_UPSTREAM,      /* between a resolver and the servers it asks */
    VANTAGE_AUTHORITATIVE, /* at an authoritative server */
};

enum message_transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_OTHER };

/* What is known of a message. Packets and dnstap know everything. A log's question whose type is not known
 * has type 0, which is reserved (RFC 6895, 3.1) and never asked for. */
enum message_known {
    KNOWN_ADDRESSES = 1 << 0,
    KNOWN_PORTS = 1 << 1,
    KNOWN_ID = 1 << 2,
    KNOWN_HEADER = 1 << 3,   /* AA, TC, RD, RA */
    KNOWN_RCODE = 1 << 4,
    KNOWN_TTL = 1 << 5,
    KNOWN_TYPES = 1 << 6,    /* of answer records; else inferred from their text */
    KNOWN_SECTIONS = 1 << 7, /* authority and additional, not answers alone */
    KNOWN_SIZE = 1 << 8,
    KNOWN_ALL = (1 << 9) - 1,
};

struct message {
    int64_t ts_ns; /* Unix time, from 1970 to 2106 */
    const uint8_t *wire;
    uint32_t wire_len;
    struct endpoint from; /* sender */
    struct endpoint to;
    uint16_t known;    /* enum message_known */
    uint8_t vantage : 4;   /* enum message_vantage */
    uint8_t transport : 4; /* enum message_transport */
    uint8_t exclusion; /* number of what its source leaves out, 0 = what all do */
    uint8_t sensor;    /* index into the source's sensor names, 0 = unnamed */
    bool truncated;    /* the capture cut the packet: wire is a prefix */
    uint16_t ip_id;    /* IPv4 identification, 0 for IPv6: tells a copy from a repetition */
};
_Static_assert(sizeof(struct message) == 64, "a message is one cache line");

/* Multicast DNS proper: queries and responses go from port to port (RFC 6762, sections 5.2 and 6). One
 * from another port is answered like plain DNS (6.7), and is taken as such. */
static inline bool message_is_mdns(const struct message *m)
{
    enum { PORT_MDNS = 5353 };
    return m->known & KNOWN_PORTS && m->from.port == PORT_MDNS && m->to.port == PORT_MDNS;
}

/* A class without the bit that multicast DNS has on top of it: "answer to me alone" in a question,
 * "forget what others said" in a record (RFC 6762, 5.4 and 10.2). */
static inline uint16_t message_class(const struct message *m, uint16_t class)
{
    return message_is_mdns(m) ? class & 0x7fff : class;
}

/* Messages between reading and decoding. The batch owns the bytes they point to;
 * `message_batch_clear` ends their life. `room` says when a reader should stop: a
 * reader may go beyond it by what one packet gives. */
struct message_batch {
    struct message *messages;
    uint32_t count;
    uint32_t capacity;
    uint32_t room;
    struct arena bytes;
    int64_t newest_ns; /* the largest ts_ns in the batch */
};

int message_batch_init(struct message_batch *batch, uint32_t room) MUST_CHECK;
void message_batch_release(struct message_batch *batch);
void message_batch_clear(struct message_batch *batch);

static inline bool message_batch_is_full(const struct message_batch *batch)
{
    return batch->count >= batch->room;
}

/* Appends a message of which only `wire` (copied into the batch) and `wire_len` are
 * set; the caller fills in all the rest at once, and calls `message_batch_dated`: until
 * then it may be taken back. NULL when there is no memory. */
struct message *message_batch_slot(struct message_batch *batch, const uint8_t *wire,
                                   uint32_t wire_len);

/* Ends the adding of a message. Records keep 32-bit seconds: a time outside is damage, and must neither
 * wrap there nor move what follows the newest time. Such a message is taken back and counted. */
static inline void message_batch_dated(struct message_batch *batch, int64_t ts_ns, struct tally *tally)
{
    if (__builtin_expect(ts_ns < 0 || ts_ns / 1000000000 > UINT32_MAX, 0)) {
        batch->count--;
        tally->n[TALLY_BAD_TIME]++;
    } else if (ts_ns > batch->newest_ns) {
        batch->newest_ns = ts_ns;
    }
}

/* Appends a copy of *message with its wire bytes copied into the batch. */
int message_batch_add(struct message_batch *batch, const struct message *message, struct tally *tally) MUST_CHECK;

#endif
