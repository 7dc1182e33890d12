/* sensor: the syslog lines of 360's dnstap sensor.
 *
 *     [<pri>timestamp host tag: ]TYPE num qip qport rip rport dnslen b64len b64wire
 *
 * TYPE is a dnstap message type (CLIENT_RESPONSE) or its initials (CR); what stands
 * in front of it is not looked at. The format is known from its description alone,
 * so we assume: `num` is the time of the message, in seconds with or without a
 * fraction, or an integer in ms, us or ns, told apart by size (from 1e11, 1e14 and
 * 1e17 on: seconds reach 1e11 in the year 5138); `qip` asks and `rip` is asked,
 * whichever of them sent this message; base64 is that of RFC 4648, padded or not.
 * `dnslen` and `b64len` must be the true lengths. The transport is not told: OTHER.
 */
#ifndef DNSMON_INPUT_SENSOR_H
#define DNSMON_INPUT_SENSOR_H

#include "input/log.h"

struct sensor;

int sensor_create(struct sensor **ret) MUST_CHECK;
void sensor_destroy(struct sensor **sensor);

/* 0 or E_NOMEM; what is wrong with the line is counted. */
int sensor_line(struct sensor *sensor, struct slice line, struct log_sink *sink) MUST_CHECK;

/* Decodes at most `room` bytes; -1 for text that is not base64 or does not fit. */
ptrdiff_t sensor_base64(struct slice text, uint8_t *ret, size_t room);

#endif
