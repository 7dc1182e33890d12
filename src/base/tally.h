/* tally: every message and packet is counted somewhere, by cause.
 *
 * One list names all causes for which input is set aside. `skipped` causes are
 * decisions (not DNS, excluded, a duplicate); `malformed` causes are damage. A
 * tally is a plain array: each thread keeps its own, and they are added up.
 *
 *     packets read  == packets that carried DNS + skipped + malformed   (per packet)
 *     messages      == queries + responses + malformed DNS              (per message)
 *
 * but for those that are told of messages which are used (dns_trailing_bytes, record_left_out, policy_answer)
 * and those of connections.
 */
#ifndef DNSMON_BASE_TALLY_H
#define DNSMON_BASE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/*  XX(identifier, class, text shown to people and used as JSON key) */
#define TALLY_CAUSE_MAP(XX)                                                                \
    XX(NOT_IP, SKIPPED, "not_ip")                       /* ARP, LLDP, STP ... */           \
    XX(NOT_TRANSPORT, SKIPPED, "not_udp_tcp")           /* ICMP, ESP, SCTP ... */          \
    XX(ICMP, SKIPPED, "icmp")                           /* may quote DNS: no message */    \
    XX(OTHER_PORT, SKIPPED, "other_port")                                                  \
    XX(TCP_NO_DATA, SKIPPED, "tcp_no_data")             /* handshakes, bare ACKs */        \
    XX(TCP_RETRANSMITTED, SKIPPED, "tcp_retransmitted") /* bytes already delivered */      \
    XX(TCP_GAP, SKIPPED, "tcp_gap")                     /* segments that never came */     \
    XX(TCP_EVICTED, SKIPPED, "tcp_evicted")             /* stream table or bytes full */   \
    XX(FRAGMENT_EXPIRED, SKIPPED, "fragment_expired")                                      \
    XX(FRAGMENT_EVICTED, SKIPPED, "fragment_evicted")                                      \
    XX(DUPLICATE, SKIPPED, "duplicate")                 /* a mirror port's second copy */  \
    XX(MDNS, SKIPPED, "mdns")                                                              \
    XX(LLMNR, SKIPPED, "llmnr")                                                            \
    XX(NOT_QUERY_OPCODE, SKIPPED, "other_opcode")       /* NOTIFY, UPDATE ... */           \
    XX(OTHER_CLASS, SKIPPED, "other_class")             /* CH, HS, ANY */                  \
    XX(EXCLUDED_ZONE, SKIPPED, "excluded_zone")                                            \
    XX(EXCLUDED_CLIENT, SKIPPED, "excluded_client")                                        \
    XX(NOT_DNS_RECORD, SKIPPED, "not_dns_record")       /* log line or frame of another kind */ \
    XX(NO_MESSAGE, SKIPPED, "no_message")               /* a log record of neither query nor response */ \
    XX(RECORD_LEFT_OUT, SKIPPED, "record_left_out")     /* of a log's message, which is used */ \
    XX(UNKNOWN_LINK, SKIPPED, "unknown_link_type")                                         \
    XX(CAPTURE_DROP, SKIPPED, "capture_drop")           /* the kernel's own count */       \
    XX(CONNECTION_REFUSED, SKIPPED, "connection_refused") /* dnstap: no place for a sender */ \
    XX(CONNECTION_DROPPED, SKIPPED, "connection_dropped") /* too slow a handshake, or silent when others came */ \
    XX(POLICY_ANSWER, SKIPPED, "policy_answer")         /* our own blocking made it; the question is used */ \
    XX(BAD_RECORD, MALFORMED, "bad_record")             /* capture file or frame structure */ \
    XX(BAD_LINK, MALFORMED, "bad_link_header")                                             \
    XX(BAD_IP, MALFORMED, "bad_ip_header")                                                 \
    XX(BAD_FRAGMENT, MALFORMED, "bad_fragment")         /* overlaps, beyond 64 KiB */      \
    XX(BAD_UDP, MALFORMED, "bad_udp_header")                                               \
    XX(BAD_TCP, MALFORMED, "bad_tcp_header")                                               \
    XX(BAD_TUNNEL, MALFORMED, "bad_tunnel")             /* or nested too deeply */         \
    XX(TCP_GARBAGE, MALFORMED, "tcp_garbage")           /* a stream that is not DNS */     \
    XX(SNAPPED, MALFORMED, "cut_by_snaplen")                                               \
    XX(BAD_TIME, MALFORMED, "bad_time")                 /* before 1970 or after 2106 */      \
    XX(BAD_LINE, MALFORMED, "bad_line")                 /* log line that does not parse */ \
    XX(DNS_SHORT, MALFORMED, "dns_short_header")                                           \
    XX(DNS_QUESTION, MALFORMED, "dns_bad_question")                                        \
    XX(DNS_NAME, MALFORMED, "dns_bad_name")             /* label type, length over 255 */  \
    XX(DNS_POINTER, MALFORMED, "dns_bad_pointer")       /* forward, looping, outside */    \
    XX(DNS_RR, MALFORMED, "dns_bad_rr")                 /* counts larger than the message */ \
    XX(DNS_RDATA, MALFORMED, "dns_bad_rdata")                                              \
    XX(DNS_TRAILING, MALFORMED, "dns_trailing_bytes")   /* message used, tail counted */

enum tally_cause {
#define XX(name, class, text) TALLY_##name,
    TALLY_CAUSE_MAP(XX)
#undef XX
        TALLY_CAUSES
};

struct tally {
    uint64_t n[TALLY_CAUSES];
};

const char *tally_text(enum tally_cause cause);
bool tally_is_malformed(enum tally_cause cause);
void tally_add(struct tally *to, const struct tally *from);

#endif
