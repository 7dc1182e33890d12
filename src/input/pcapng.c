/* pcapng (draft-ietf-opsawg-pcapng): sections, each with its byte order and its
 * interfaces, each with its link type and clock. */
#include "input/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,

    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,

    BLOCK_MIN = 12,
    BLOCK_PARSED_MAX = 1 << 20,  /* of blocks that we look into */
    BLOCK_SKIPPED_MAX = 64 << 20, /* of the others */
    CAPLEN_MAX = 256 << 10,
    INTERFACES_MAX = 4096,
    READ_MAX = 1 << 16,
};

struct interface {
    uint16_t linktype;
    uint32_t snaplen;
    bool binary;      /* ticks are 2^-exponent s, else 10^-exponent s */
    uint8_t exponent;
    int64_t offset_s;
};

struct pcapng_state {
    struct transport *transport;
    bool swapped; /* against little-endian */
    struct interface *interfaces;
    uint32_t n_interfaces;
    uint32_t capacity;
    int64_t last_ns; /* for simple packets, which have no time */
};

/* Where packets go; no batch while skipping. */
struct pcapng_sink {
    struct message_batch *batch;
    struct tally *tally;
    uint64_t *packets;
};

struct block {
    uint32_t type;
    uint32_t len;
    const uint8_t *body;
    uint32_t body_len;
};

static uint32_t field32(const struct pcapng_state *state, const uint8_t *p)
{
    return state->swapped ? get_be32(p) : get_le32(p);
}

static uint16_t field16(const struct pcapng_state *state, const uint8_t *p)
{
    return state->swapped ? get_be16(p) : get_le16(p);
}

static bool pcapng_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    return len >= 12 && get_le32(head) == BLOCK_SECTION &&
           (get_le32(head + 8) == 0x1a2b3c4d || get_be32(head + 8) == 0x1a2b3c4d);
}

static int64_t ticks_to_ns(const struct interface *interface, uint64_t ticks)
{
    unsigned __int128 ns = ticks;
    unsigned e = interface->exponent;
    if (interface->binary) {
        ns = e < 64 ? (ns * 1000000000) >> e : 0;
    } else {
        for (; e > 9; e--)
            ns /= 10;
        for (; e < 9; e++)
            ns *= 10;
    }
    if (ns > INT64_MAX / 2)
        ns = INT64_MAX / 2;
    int64_t s = interface->offset_s;
    if (s > 4000000000 || s < -4000000000)
        s = 0;
    return (int64_t)ns + s * 1000000000;
}

static void interface_options(const struct pcapng_state *state, struct interface *ret,
                              const uint8_t *p, uint32_t len)
{
    while (len >= 4) {
        uint16_t code = field16(state, p), n = field16(state, p + 2);
        uint32_t padded = (n + 3u) & ~3u;
        p += 4;
        len -= 4;
        if (code == 0 || n > len)
            return;
        if (code == OPTION_TSRESOL && n >= 1) {
            ret->binary = p[0] & 0x80;
            ret->exponent = p[0] & 0x7f;
        } else if (code == OPTION_TSOFFSET && n >= 8) {
            uint64_t v = state->swapped ? get_be64(p) : get_le64(p);
            ret->offset_s = (int64_t)v;
        }
        if (padded >= len)
            return;
        p += padded;
        len -= padded;
    }
}

static const char *on_interface(struct pcapng_state *state, const struct block *block)
{
    if (block->body_len < 8)
        return "interface block is too short";
    if (state->n_interfaces == INTERFACES_MAX)
        return "more than 4096 interfaces in a section";
    if (state->n_interfaces == state->capacity) {
        uint32_t capacity = state->capacity ? state->capacity * 2 : 8;
        struct interface *grown = realloc(state->interfaces, capacity * sizeof *grown);
        if (grown == NULL)
            return "no memory for interfaces";
        state->interfaces = grown;
        state->capacity = capacity;
    }
    struct interface *interface = &state->interfaces[state->n_interfaces++];
    *interface = (struct interface){
        .linktype = field16(state, block->body),
        .snaplen = field32(state, block->body + 4),
        .exponent = 6,
    };
    interface_options(state, interface, block->body + 8, block->body_len - 8);
    return NULL;
}

struct packet_fields {
    uint32_t interface;
    uint64_t ticks;
    uint32_t caplen;
    uint32_t len;
    uint32_t header;
    bool timeless;
};

static const char *packet_fields(const struct pcapng_state *state, const struct block *block,
                                 struct packet_fields *ret)
{
    const uint8_t *p = block->body;
    if (block->type == BLOCK_SIMPLE) {
        if (block->body_len < 4)
            return "packet block is too short";
        if (state->n_interfaces == 0)
            return "packet of an interface that was not described";
        uint32_t len = field32(state, p), snaplen = state->interfaces[0].snaplen;
        uint32_t caplen = snaplen && snaplen < len ? snaplen : len;
        *ret = (struct packet_fields){ .caplen = caplen, .len = len, .header = 4, .timeless = true };
        return NULL;
    }
    if (block->body_len < 20)
        return "packet block is too short";
    *ret = (struct packet_fields){
        .interface = block->type == BLOCK_PACKET ? field16(state, p) : field32(state, p),
        .ticks = (uint64_t)field32(state, p + 4) << 32 | field32(state, p + 8),
        .caplen = field32(state, p + 12),
        .len = field32(state, p + 16),
        .header = 20,
    };
    return NULL;
}

/* A packet that its block cannot hold stops the file: lengths are not to be trusted. */
static const char *on_packet(struct pcapng_state *state, const struct block *block,
                             const struct pcapng_sink *sink, int *ret_rc)
{
    struct packet_fields f;
    const char *reason = packet_fields(state, block, &f);
    if (reason)
        return reason;
    if (f.caplen > CAPLEN_MAX)
        return "absurd packet length";
    if (f.caplen > block->body_len - f.header)
        return "packet is longer than its block";
    if (f.interface >= state->n_interfaces)
        return "packet of an interface that was not described";
    const struct interface *interface = &state->interfaces[f.interface];
    if (!f.timeless)
        state->last_ns = ticks_to_ns(interface, f.ticks);
    if (sink->batch == NULL)
        return NULL;
    *ret_rc = transport_frame(state->transport, interface->linktype, state->last_ns,
                              block->body + f.header, f.caplen, f.len, sink->batch, sink->tally);
    ++*sink->packets;
    return NULL;
}

/* The byte order of a section is in its body, behind the length that it governs. */
static const char *on_section_start(struct pcapng_state *state, const uint8_t *p, size_t have)
{
    if (have < 12)
        return "file ends inside a section header";
    if (get_le32(p + 8) == 0x1a2b3c4d)
        state->swapped = false;
    else if (get_be32(p + 8) == 0x1a2b3c4d)
        state->swapped = true;
    else
        return "section header without byte order";
    state->n_interfaces = 0;
    return NULL;
}

static bool is_parsed(uint32_t type)
{
    return type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_SIMPLE ||
           type == BLOCK_ENHANCED;
}

static const char *skip_block(struct stream *stream, uint32_t len)
{
    if (len > BLOCK_SKIPPED_MAX)
        return "absurd block length";
    size_t have;
    stream_peek(stream, len < STREAM_PEEK_MAX ? len : STREAM_PEEK_MAX, &have);
    if (have < len && have < STREAM_PEEK_MAX)
        return "file ends inside a block";
    return stream_skip(stream, len, NULL) < 0 ? "file ends inside a block" : NULL;
}

/* Goes past one block. NULL or the reason why the file cannot be read on. */
static const char *next_block(struct pcapng_state *state, struct stream *stream,
                              const struct pcapng_sink *sink, bool *ret_end, int *ret_rc)
{
    size_t have;
    const uint8_t *p = stream_peek(stream, BLOCK_MIN, &have);
    *ret_end = have == 0;
    if (have == 0)
        return NULL;
    if (have < BLOCK_MIN)
        return "file ends inside a block header";
    const char *reason = NULL;
    if (get_le32(p) == BLOCK_SECTION)
        reason = on_section_start(state, p, have);
    if (reason)
        return reason;
    struct block block = { .type = field32(state, p), .len = field32(state, p + 4) };
    if (block.len < BLOCK_MIN || block.len % 4 != 0)
        return "wrong block length";
    if (!is_parsed(block.type))
        return skip_block(stream, block.len);
    if (block.len > BLOCK_PARSED_MAX)
        return "absurd block length";
    p = stream_peek(stream, block.len, &have);
    if (have < block.len)
        return "file ends inside a block";
    if (field32(state, p + block.len - 4) != block.len)
        return "block lengths in front and behind differ";
    block.body = p + 8;
    block.body_len = block.len - BLOCK_MIN;
    reason = block.type == BLOCK_INTERFACE ? on_interface(state, &block)
                                           : on_packet(state, &block, sink, ret_rc);
    if (reason == NULL && *ret_rc == 0)
        stream_consume(stream, block.len);
    return reason;
}

static int pcapng_open(void **ret_state, struct stream *stream, const struct input_options *options,
                       struct transport *transport, struct fault *why)
{
    (void)options;
    size_t have;
    const uint8_t *head = stream_peek(stream, BLOCK_MIN, &have);
    if (have < BLOCK_MIN || !pcapng_probe(head, have, NULL))
        return fault_set(why, E_MALFORMED, "%s: offset 0: no pcapng section header",
                         stream_path(stream));
    struct pcapng_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return fault_set(why, E_NOMEM, "no memory for a reader");
    state->transport = transport;
    *ret_state = state;
    return 0;
}

static int pcapng_read(void *ctx, struct stream *stream, struct message_batch *batch,
                       struct tally *tally, uint64_t *packets, bool *ret_more,
                       char damage[READER_DAMAGE], struct fault *why)
{
    struct pcapng_sink sink = { .batch = batch, .tally = tally, .packets = packets };
    *ret_more = true;
    for (int n = 0; n < READ_MAX && !message_batch_is_full(batch); n++) {
        bool end = false;
        int rc = 0;
        const char *reason = next_block(ctx, stream, &sink, &end, &rc);
        if (rc < 0)
            return fault_set(why, rc, "%s: offset %" PRIu64 ": %s", stream_path(stream),
                             stream_offset(stream), fault_text(rc));
        if (reason) {
            tally->n[TALLY_BAD_RECORD]++;
            snprintf(damage, READER_DAMAGE, "%.120s: offset %" PRIu64 ": %s", stream_path(stream),
                     stream_offset(stream), reason);
        }
        if (reason || end) {
            *ret_more = false;
            return 0;
        }
    }
    return 0;
}

static int pcapng_skip(void *ctx, struct stream *stream, uint64_t offset, struct fault *why)
{
    struct pcapng_sink nowhere = { 0 };
    while (stream_offset(stream) < offset) {
        bool end = false;
        int rc = 0;
        const char *reason = next_block(ctx, stream, &nowhere, &end, &rc);
        if (reason || end)
            return fault_set(why, E_ABSENT, "%s: offset %" PRIu64 ": %s", stream_path(stream),
                             stream_offset(stream), reason ? reason : "file ends");
    }
    return stream_offset(stream) == offset
               ? 0
               : fault_set(why, E_ABSENT, "%s: offset %" PRIu64 " is not on a block border",
                           stream_path(stream), offset);
}

static void pcapng_close(void *ctx)
{
    struct pcapng_state *state = ctx;
    if (state)
        free(state->interfaces);
    free(state);
}

const struct reader_ops reader_pcapng = {
    .name = "pcapng",
    .probe = pcapng_probe,
    .open = pcapng_open,
    .read = pcapng_read,
    .skip = pcapng_skip,
    .close = pcapng_close,
};
