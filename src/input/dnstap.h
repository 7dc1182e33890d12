/* dnstap: one dnstap event to one message.
 *
 * dnstap (dnstap.info) is a Protocol Buffers message in a Frame Streams frame. The
 * fields are read by our own walker and not by generated code: we need fifteen
 * scalar fields of two messages, and a walker reads them in place, bounded and
 * without an allocation, where protobuf-c unpacks every frame into a heap tree.
 *
 *     Dnstap    14 message, 15 type (1 = MESSAGE)
 *     Message   1 type, 2 socket_family, 3 socket_protocol (1 UDP, 2 TCP, others),
 *               4 query_address, 5 response_address, 6 query_port, 7 response_port,
 *               8 query_time_sec, 9 query_time_nsec (fixed32), 10 query_message,
 *               12 response_time_sec, 13 response_time_nsec (fixed32), 14 response_message
 *
 * A *_QUERY gives its query message, a *_RESPONSE its response message alone, though
 * it may hold the query too: the sender tells queries by events of their own.
 * Vantage: CLIENT, STUB and TOOL are the client's side, RESOLVER and FORWARDER
 * upstream, AUTH authoritative. UPDATE and types to come are NOT_DNS_RECORD.
 *
 * Addresses are known when the side that asks is: many servers leave out their own,
 * which then is all zeroes ("::"). The same goes for ports. A response without its
 * own time takes the time of the query.
 */
#ifndef DNSMON_INPUT_DNSTAP_H
#define DNSMON_INPUT_DNSTAP_H

#include "input/log.h"

/* One data frame. 0 or E_NOMEM; damage is counted as BAD_RECORD. */
int dnstap_event(struct slice frame, struct log_sink *sink) MUST_CHECK;

enum dnstap_kind {
    DNSTAP_KIND_BAD,   /* 0 */
    DNSTAP_KIND_OTHER, /* UPDATE, or beyond those we know */
    DNSTAP_KIND_DNS,
};

/* What a Message.Type number means. */
enum dnstap_kind dnstap_type(uint64_t type, uint8_t *ret_vantage, bool *ret_is_response);

/* "CLIENT_RESPONSE" or its initials "CR"; 0 when it is none. */
unsigned dnstap_type_number(struct slice text);

#endif
