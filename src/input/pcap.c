/* pcap: the classic capture file (draft-ietf-opsawg-pcap), in both byte orders,
 * with microseconds or nanoseconds, and Kuznetzov's variant with longer records. */
#include "input/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PCAP_HEADER = 24,
    PCAP_RECORD = 16,
    PCAP_RECORD_MODIFIED = 24,
    PCAP_CAPLEN_MAX = 256 << 10,
    PCAP_READ_MAX = 1 << 16, /* packets in one call, so that callers can be stopped */
};

struct pcap_state {
    struct transport *transport;
    bool swapped;
    uint32_t record_len;
    uint32_t unit_ns;
    int linktype;
};

static bool parse_magic(uint32_t magic, struct pcap_state *ret)
{
    ret->record_len = PCAP_RECORD;
    ret->unit_ns = 1000;
    switch (magic) {
    case 0xa1b2c3d4:
        return true;
    case 0xa1b23c4d:
        ret->unit_ns = 1;
        return true;
    case 0xa1b2cd34:
        ret->record_len = PCAP_RECORD_MODIFIED;
        return true;
    default:
        return false;
    }
}

static bool pcap_magic(const uint8_t *head, struct pcap_state *ret)
{
    ret->swapped = false;
    if (parse_magic(get_le32(head), ret))
        return true;
    ret->swapped = true;
    return parse_magic(get_be32(head), ret);
}

static bool pcap_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    struct pcap_state ignored;
    return len >= 4 && pcap_magic(head, &ignored);
}

static uint32_t field32(const struct pcap_state *state, const uint8_t *p)
{
    return state->swapped ? get_be32(p) : get_le32(p);
}

static int pcap_open(void **ret_state, struct stream *stream, const struct input_options *options,
                     struct transport *transport, struct fault *why)
{
    (void)options;
    struct pcap_state state = { .transport = transport };
    size_t have;
    const uint8_t *head = stream_peek(stream, PCAP_HEADER, &have);
    if (have < PCAP_HEADER)
        return fault_set(why, E_TRUNCATED, "%s: offset 0: pcap header is cut", stream_path(stream));
    if (!pcap_magic(head, &state))
        return fault_set(why, E_MALFORMED, "%s: offset 0: no pcap magic", stream_path(stream));
    state.linktype = (int)(field32(&state, head + 20) & 0xffff); /* above: length of the FCS */
    struct pcap_state *kept = malloc(sizeof *kept);
    if (kept == NULL)
        return fault_set(why, E_NOMEM, "no memory for a reader");
    *kept = state;
    stream_consume(stream, PCAP_HEADER);
    *ret_state = kept;
    return 0;
}

static void pcap_damage(struct stream *stream, struct tally *tally, bool *ret_more,
                        char damage[READER_DAMAGE], const char *reason, uint64_t number)
{
    tally->n[TALLY_BAD_RECORD]++;
    *ret_more = false;
    snprintf(damage, READER_DAMAGE, "%.120s: offset %" PRIu64 ": %s (%" PRIu64 " bytes)",
             stream_path(stream), stream_offset(stream), reason, number);
}

static int pcap_read(void *ctx, struct stream *stream, struct message_batch *batch,
                     struct tally *tally, uint64_t *packets, bool *ret_more,
                     char damage[READER_DAMAGE], struct fault *why)
{
    const struct pcap_state *state = ctx;
    const uint32_t record_len = state->record_len;
    *ret_more = true;
    for (int n = 0; n < PCAP_READ_MAX && !message_batch_is_full(batch); n++) {
        size_t have;
        const uint8_t *p = stream_peek(stream, record_len, &have);
        if (__builtin_expect(have < record_len, 0)) {
            if (have > 0)
                pcap_damage(stream, tally, ret_more, damage, "file ends inside a record header", have);
            *ret_more = false;
            return 0;
        }
        uint32_t caplen = field32(state, p + 8);
        if (__builtin_expect(caplen > PCAP_CAPLEN_MAX, 0)) {
            pcap_damage(stream, tally, ret_more, damage, "absurd packet length", caplen);
            return 0;
        }
        if (__builtin_expect(have < record_len + caplen, 0)) {
            p = stream_peek(stream, record_len + caplen, &have);
            if (have < record_len + caplen) {
                pcap_damage(stream, tally, ret_more, damage, "file ends inside a packet", have);
                return 0;
            }
        }
        int64_t ts_ns = (int64_t)field32(state, p) * 1000000000 +
                        (int64_t)field32(state, p + 4) * state->unit_ns;
        int rc = transport_frame(state->transport, state->linktype, ts_ns, p + record_len, caplen,
                                 field32(state, p + 12), batch, tally);
        if (__builtin_expect(rc < 0, 0))
            return fault_set(why, rc, "%s: offset %" PRIu64 ": %s", stream_path(stream),
                             stream_offset(stream), fault_text(rc));
        stream_consume(stream, record_len + caplen);
        ++*packets;
    }
    return 0;
}

const struct reader_ops reader_pcap = {
    .name = "pcap",
    .probe = pcap_probe,
    .open = pcap_open,
    .read = pcap_read,
    .close = free,
};
