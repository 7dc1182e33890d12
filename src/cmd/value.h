/* value: option values from text: sizes, durations, times, networks, ports.
 *
 * Every parser takes the whole text and answers false, with the output untouched, when
 * it is not one of the kind or does not fit. Pure; any thread.
 */
#ifndef DNSMON_CMD_VALUE_H
#define DNSMON_CMD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits only. */
bool value_count(const char *text, uint64_t *ret);

/* Bytes: 512, 64K, 64M, 1G, 2T, with or without iB; powers of 1024. */
bool value_size(const char *text, uint64_t *ret);

/* Seconds: 90, 90s, 15m, 12h, 35d, 2w, 3y (365 days). */
bool value_duration(const char *text, uint64_t *ret_s);

/* Seconds since 1970: an epoch, RFC 3339 (a date alone is its midnight, no offset is
 * UTC, a space may stand for T), or a duration before `now` (-7d). */
bool value_time(const char *text, int64_t now, int64_t *ret);

/* Addresses lo to hi, both included, in network order. */
struct value_net {
    uint8_t len; /* 4 or 16 */
    uint8_t lo[16], hi[16];
};

/* An address, address/length, or address-address. Host bits are cleared. */
bool value_net(const char *text, struct value_net *ret);

/* 1..65535 */
bool value_port(const char *text, uint16_t *ret);

/* Hexadecimal digits, an even number, to bytes. */
bool value_hex(const char *text, uint8_t *to, size_t room, size_t *ret_len);

#endif
