/* tcp: DNS messages out of TCP streams (RFC 1035, 4.2.2; RFC 7766).
 *
 * A flow has two halves, one a direction. Each half knows the next sequence
 * number it waits for, the bytes of a message that is not whole yet, and segments
 * that came too early:
 *
 *     NEW      nothing seen; the first data must look like the start of a message
 *     ALIGNED  next_seq is within or at the start of a message whose framing is known
 *     SEEKING  framing lost (capture began in the middle, or a gap): each segment is
 *              searched for a length and a header that fit together
 *     GARBAGE  not DNS: everything is counted TCP_GARBAGE
 *
 *     NEW -> ALIGNED       a SYN, or data that look like a message    (half_start)
 *     NEW -> SEEKING       other data                                 (half_start)
 *     ALIGNED -> SEEKING   a gap was given up                         (half_jump)
 *     SEEKING -> ALIGNED   a start was found                          (half_seek)
 *     ALIGNED -> GARBAGE   the first message is none, or a length under 12
 *     SEEKING -> GARBAGE   nothing found in TCP_SEEK_MAX bytes
 *     any -> ALIGNED       a SYN with another sequence number
 *
 * A gap is given up when too many bytes or segments wait behind it, after some
 * seconds of data time, and when the flow ends. Flows end with RST, with FIN in
 * both directions, or idle; the least recently used one goes when `limit` bytes
 * are held. Counting: a packet whose bytes end in a message counts nothing; the
 * packets of a message that never came whole are counted under the cause.
 * Handle type.
 */
#ifndef DNSMON_INPUT_TCP_H
#define DNSMON_INPUT_TCP_H

#include "base/buffer.h"
#include "input/packet.h"

struct tcp_table;

struct tcp_table *tcp_table_create(size_t limit);
void tcp_table_destroy(struct tcp_table **table);
void tcp_table_clear(struct tcp_table *table);

/* `segment` stands at the TCP header; p->from and p->to are complete. */
int tcp_segment(struct tcp_table *table, const struct packet *p, struct view segment) MUST_CHECK;

void tcp_save(const struct tcp_table *table, struct buffer *to);
int tcp_load(struct tcp_table *table, struct cursor *from) MUST_CHECK;

#endif
