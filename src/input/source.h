/* source: a file, a stream or a server that yields messages, whatever its kind.
 *
 * `source_open` looks at the first bytes, undoes gzip, xz, zstd or lz4, and picks
 * the reader. `source_read` fills a batch up to its room. A position is an offset
 * in the decompressed stream, on a record border, with a digest of all bytes in
 * front of it: what the store needs to know a source again by its content.
 *
 * Packet sources share one `struct transport` (fragments and TCP streams), which
 * outlives files, since streams do not stop where tcpdump -C starts a new file.
 * Handle type. One thread.
 */
#ifndef DNSMON_INPUT_SOURCE_H
#define DNSMON_INPUT_SOURCE_H

#include "base/buffer.h"
#include "input/message.h"

struct source;
struct transport;

struct input_options {
    const char *format;        /* "auto" or NULL, pcap, dnstap, zeek, eve, sensor */
    uint16_t ports[16];        /* DNS ports; n_ports 0 means 53 alone */
    unsigned n_ports;
    bool keep_multicast;       /* mDNS (5353) and LLMNR (5355) are messages too */
    uint8_t vantage;           /* enum message_vantage, for sources that do not say */
    uint8_t sensor;
    uint8_t exclusion;         /* for messages, see message.h */
    size_t transport_limit;    /* bytes held for fragments and streams; 0 = 64 MiB */
};

struct source_position {
    uint64_t offset;    /* decompressed bytes consumed */
    uint64_t digest[2]; /* XXH3-128 of those bytes, low half first */
    uint64_t head;      /* XXH3-64 of the first min(4096, length) bytes of the stream */
};

struct transport *transport_create(const struct input_options *options);
void transport_destroy(struct transport **transport);

/* What frames from now on are taken for: ports, multicast, vantage, sensor, exclusion. What is open stays:
 * a stream or datagram that goes on in another source is that of the source where it becomes whole. */
void transport_use(struct transport *transport, const struct input_options *options);

/* Open state (RFC 791 fragments, TCP streams with their buffered bytes), in the
 * form of docs/format/state.md, and back. Saving is deterministic. */
void transport_save(const struct transport *transport, struct buffer *to);
int transport_load(struct transport *transport, struct cursor *from, struct fault *why) MUST_CHECK;

/* One link-layer frame: appends the messages in it to `batch`, counts the rest in `tally`. */
int transport_frame(struct transport *transport, int linktype, int64_t ts_ns, const uint8_t *frame,
                    uint32_t caplen, uint32_t len, struct message_batch *batch,
                    struct tally *tally) MUST_CHECK;

/* Whether input_options.format may be this: "auto", "pcap", "dnstap", ... */
bool source_knows_format(const char *format);

/* `path` may be "-" for standard input. `transport` is borrowed. */
int source_open(struct source **ret, const char *path, const struct input_options *options,
                struct transport *transport, struct fault *why) MUST_CHECK;
void source_close(struct source **source);

/* Appends to `batch` until it is full or the source ends. `*ret_more` is false at
 * the end. Damage inside (a record that does not parse) is counted and passed over
 * where the format can resynchronise; where it cannot (a cut file) what came before
 * is kept, the cause counted, and the source ends, with `source_damage` telling what and where. */
int source_read(struct source *source, struct message_batch *batch, struct tally *tally,
                bool *ret_more, struct fault *why) MUST_CHECK;

/* NULL, or a line naming file, offset and reason, for a source that ended early. */
const char *source_damage(const struct source *source);

/* Whether there was not a byte in it, decompressed: of any format, and nothing is wrong. */
bool source_is_empty(const struct source *source);

const char *source_format(const struct source *source); /* "pcap", "pcapng", "dnstap", ... or "empty" */
uint64_t source_packets(const struct source *source);   /* records read so far */
void source_position(const struct source *source, struct source_position *ret);

/* Compressed size and bytes read of it, for a progress bar; size 0 = unknown. */
void source_progress(const struct source *source, uint64_t *ret_done, uint64_t *ret_size);

/* Reads forward to `offset` without making messages, hashing as it goes, so that
 * a later position covers the whole prefix. E_ABSENT when the stream is shorter. */
int source_skip(struct source *source, uint64_t offset, struct fault *why) MUST_CHECK;

/* The same by bytes alone, to compare positions that need not be on a record border of this
 * source. Where the format has more to keep than bytes, the reader is lost afterwards
 * (`source_is_lost`): then only positions, more comparing and closing are left. E_USAGE when
 * `offset` lies behind. */
int source_pass(struct source *source, uint64_t offset, struct fault *why) MUST_CHECK;
bool source_is_lost(const struct source *source);

#endif
