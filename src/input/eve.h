/* eve: Suricata's EVE JSON, event_type dns, in the three forms it has had.
 *
 *     1  type query | answer, one event a record: rrname, rrtype, ttl, rdata are the
 *        record's own, so the message has that one answer and no question
 *     2  type query | answer; rrname and rrtype are the question, the records are in
 *        `answers` and `authorities`, or their data alone in `grouped`
 *     3  type request | response; `queries` instead of rrname and rrtype, also
 *        `additionals`
 *
 * Other events are NOT_DNS_RECORD. Some versions write the addresses of an answer in
 * the direction of the flow and not of the message, so the side with a DNS port is the
 * server, when just one has one. From `grouped` owners are inferred: the CNAMEs make
 * a chain from the question on, the rest belongs to its end; TTLs are not known.
 * SOA and SRV objects are written out; an MX, given without preference, is left out.
 * Sizes are never known, sections other than the answer only in form 3.
 */
#ifndef DNSMON_INPUT_EVE_H
#define DNSMON_INPUT_EVE_H

#include "input/log.h"

struct eve;

int eve_create(struct eve **ret) MUST_CHECK;
void eve_destroy(struct eve **eve);

/* 0 or E_NOMEM; what is wrong with the line is counted. */
int eve_line(struct eve *eve, struct slice line, struct log_sink *sink) MUST_CHECK;

#endif
