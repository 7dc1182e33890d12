/* fragment: IPv4 and IPv6 datagrams put together again.
 *
 * A datagram waits for its pieces for 30 s of data time (RFC 8200 says 60, Linux
 * 30). Overlapping pieces refuse the whole datagram (RFC 5722), also for IPv4; an
 * exact copy of a piece is counted as a duplicate. Refused datagrams stay known
 * until they expire, so that later pieces get the same cause. Bytes held are
 * bounded by `limit`; the oldest datagram goes first.
 *
 * Each piece is a captured packet: the causes count pieces. Handle type.
 */
#ifndef DNSMON_INPUT_FRAGMENT_H
#define DNSMON_INPUT_FRAGMENT_H

#include "base/buffer.h"
#include "base/fault.h"
#include "base/tally.h"

struct fragment_table;

struct fragment_key {
    uint8_t from[16];
    uint8_t to[16];
    uint32_t id;
    uint8_t protocol; /* 0 for IPv6, where it is no part of the key */
    uint8_t version;
    uint8_t zero[2];
};

struct fragment_piece {
    const uint8_t *ptr;
    uint32_t len;
    uint32_t offset;
    bool more;
    uint8_t next_protocol; /* what the piece at offset 0 says the datagram holds */
};

struct fragment_whole {
    const uint8_t *ptr; /* lives until the next call */
    uint32_t len;
    uint32_t pieces;
    uint8_t next_protocol;
};

struct fragment_table *fragment_table_create(size_t limit);
void fragment_table_destroy(struct fragment_table **table);
void fragment_table_clear(struct fragment_table *table);

/* 1 when the datagram became whole, 0 when it waits or was counted. */
int fragment_add(struct fragment_table *table, const struct fragment_key *key, int64_t ts_ns,
                 const struct fragment_piece *piece, struct tally *tally,
                 struct fragment_whole *ret) MUST_CHECK;

/* The datagram is of no interest (or damaged): this piece, those held and those
 * to come count as `cause`. */
int fragment_refuse(struct fragment_table *table, const struct fragment_key *key, int64_t ts_ns,
                    enum tally_cause cause, struct tally *tally) MUST_CHECK;

void fragment_save(const struct fragment_table *table, struct buffer *to);
int fragment_load(struct fragment_table *table, struct cursor *from) MUST_CHECK;

#endif
