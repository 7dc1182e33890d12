/* log: what the readers of logs share: numbers, times and addresses as text, and
 * the way of one log record into a batch.
 *
 * A log reader turns a line into a `struct log_record`, writes the wire message with
 * the builder and calls `log_add`, which leaves out what the options do not want
 * (mDNS, LLMNR, NetBIOS) and counts it. The parsers take bytes with a length, never
 * C strings, and say false for text that is not wholly what they parse.
 *
 * Line parsers return 0 or E_NOMEM; whatever is wrong with a line is counted.
 */
#ifndef DNSMON_INPUT_LOG_H
#define DNSMON_INPUT_LOG_H

#include "input/source.h"
#include "input/wire_builder.h"

/* Where messages go. All lent. */
struct log_sink {
    const struct input_options *options;
    struct message_batch *batch;
    struct tally *tally;
};

/* One exchange as logs tell it: who asks, who is asked. */
struct log_record {
    int64_t ts_ns;
    struct endpoint client;
    struct endpoint server;
    uint16_t known; /* enum message_known */
    uint8_t vantage;
    uint8_t transport;
    bool is_response;
};

/* Appends the message, or counts why not. */
int log_add(struct log_sink *sink, const struct log_record *record, const uint8_t *wire,
            uint32_t wire_len) MUST_CHECK;

/* The same for a message from a builder. A response is one whatever is known of it, but a query without
 * question is NO_MESSAGE. What could not be written is counted, a record each; when there was such an
 * answer and none is left, the rcode is no longer known: else NOERROR with no answer would read as
 * NODATA. */
int log_add_built(struct log_sink *sink, const struct log_record *record,
                  const struct wire_builder *wire) MUST_CHECK;

static inline int log_count(struct log_sink *sink, enum tally_cause cause)
{
    sink->tally->n[cause]++;
    return 0;
}

/* Digits only, at most `max`. */
bool log_number(struct slice text, uint64_t max, uint64_t *ret);

/* "12.345678901" seconds, up to 9.2e9 (the year 2262), to ns. */
bool log_seconds(struct slice text, int64_t *ret_ns);
bool log_seconds_real(double seconds, int64_t *ret_ns); /* to the nearest microsecond */

/* RFC 3339, also with a blank for T, without seconds' colon in the zone (+0200). */
bool log_date(struct slice text, int64_t *ret_ns);

bool log_address(struct slice text, uint8_t ret[16]);

/* 4 or 16 bytes in network order to the IPv6 form. */
bool log_address_bytes(struct slice bytes, uint8_t ret[16]);

bool log_is_dns_port(const struct input_options *options, uint16_t port);

#endif
