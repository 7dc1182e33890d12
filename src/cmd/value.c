#include "cmd/value.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Leading digits; NULL when there are none or the number does not fit. */
static const char *take_number(const char *text, uint64_t *ret)
{
    uint64_t v = 0;
    const char *p = text;
    for (; digit(*p); p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return NULL;
    *ret = v;
    return p == text ? NULL : p;
}

bool value_count(const char *text, uint64_t *ret)
{
    uint64_t v;
    const char *end = take_number(text, &v);
    if (end == NULL || *end != '\0')
        return false;
    *ret = v;
    return true;
}

static bool scale(uint64_t number, uint64_t unit, uint64_t *ret)
{
    uint64_t v;
    if (__builtin_mul_overflow(number, unit, &v))
        return false;
    *ret = v;
    return true;
}

bool value_size(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGTP";
    uint64_t v;
    const char *end = take_number(text, &v);
    if (end == NULL)
        return false;
    if (*end == '\0')
        return scale(v, 1, ret);
    const char *unit = strchr(units, *end & ~0x20);
    if (unit == NULL || !(end[1] == '\0' || strcmp(end + 1, "iB") == 0 || strcmp(end + 1, "B") == 0))
        return false;
    return scale(v, UINT64_C(1) << (10 * (unit - units + 1)), ret);
}

bool value_duration(const char *text, uint64_t *ret_s)
{
    uint64_t v, unit;
    const char *end = take_number(text, &v);
    if (end == NULL || (*end != '\0' && end[1] != '\0'))
        return false;
    switch (*end) {
    case '\0': case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    case 'w': unit = 7 * 86400; break;
    case 'y': unit = 365 * 86400; break;
    default: return false;
    }
    return scale(v, unit, ret_s);
}

/* "Z", "+02:00", "-0330" or nothing: seconds east of UTC. */
static bool parse_offset(const char *text, long *ret)
{
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret = 0;
        return true;
    }
    const char *p = text + 1;
    if ((*text != '+' && *text != '-') || !digit(p[0]) || !digit(p[1]))
        return false;
    int hours = (p[0] - '0') * 10 + p[1] - '0';
    p += p[2] == ':' ? 3 : 2;
    if (!digit(p[0]) || !digit(p[1]) || p[2] != '\0')
        return false;
    int minutes = (p[0] - '0') * 10 + p[1] - '0';
    long seconds = hours * 3600L + minutes * 60L;
    *ret = *text == '-' ? -seconds : seconds;
    return hours < 24 && minutes < 60;
}

static const char *skip_fraction(const char *p)
{
    if (*p == '.')
        for (p++; digit(*p); p++)
            ;
    return p;
}

static bool parse_rfc3339(const char *text, int64_t *ret)
{
    struct tm tm = { 0 };
    long offset = 0;
    const char *p = strptime(text, "%Y-%m-%d", &tm);
    if (p == NULL)
        return false;
    int month = tm.tm_mon;
    if (*p != '\0') {
        if (*p != 'T' && *p != 't' && *p != ' ')
            return false;
        p = strptime(p + 1, "%H:%M:%S", &tm);
        if (p == NULL || !parse_offset(skip_fraction(p), &offset))
            return false;
    }
    if (tm.tm_sec == 60) /* a leap second: epochs do not have them */
        tm.tm_sec = 59;
    int64_t at = timegm(&tm);
    if (tm.tm_mon != month) /* 30 February became March */
        return false;
    *ret = at - offset;
    return true;
}

bool value_time(const char *text, int64_t now, int64_t *ret)
{
    uint64_t v;
    if (text[0] == '-') {
        if (!value_duration(text + 1, &v) || v > (uint64_t)now)
            return false;
        *ret = now - (int64_t)v;
        return true;
    }
    if (value_count(text, &v)) {
        if (v > INT64_MAX)
            return false;
        *ret = (int64_t)v;
        return true;
    }
    return parse_rfc3339(text, ret);
}

/* Text up to `end` as an address; its length in bytes, or 0. */
static uint8_t parse_address(const char *text, const char *end, uint8_t to[16])
{
    char copy[INET6_ADDRSTRLEN];
    size_t len = (size_t)(end - text);
    if (len >= sizeof copy)
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, to) == 1)
        return 4;
    return inet_pton(AF_INET6, copy, to) == 1 ? 16 : 0;
}

static void net_mask(struct value_net *net, unsigned bits)
{
    for (unsigned i = 0; i < net->len; i++) {
        unsigned fixed = bits > 8 * i ? bits - 8 * i : 0;
        uint8_t host = fixed >= 8 ? 0 : (uint8_t)(0xff >> fixed);
        net->hi[i] = net->lo[i] | host;
        net->lo[i] &= (uint8_t)~host;
    }
}

bool value_net(const char *text, struct value_net *ret)
{
    struct value_net net = { 0 };
    uint64_t bits;
    const char *end = text + strcspn(text, "/-");
    net.len = parse_address(text, end, net.lo);
    if (net.len == 0)
        return false;
    bits = net.len * 8u;
    if (*end == '-') {
        if (parse_address(end + 1, end + strlen(end), net.hi) != net.len)
            return false;
        if (memcmp(net.lo, net.hi, net.len) > 0)
            return false;
    } else {
        if (*end == '/' && (!value_count(end + 1, &bits) || bits > net.len * 8u))
            return false;
        net_mask(&net, (unsigned)bits);
    }
    *ret = net;
    return true;
}

bool value_port(const char *text, uint16_t *ret)
{
    uint64_t v;
    if (!value_count(text, &v) || v == 0 || v > 65535)
        return false;
    *ret = (uint16_t)v;
    return true;
}

static int nibble(char c)
{
    if (digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool value_hex(const char *text, uint8_t *to, size_t room, size_t *ret_len)
{
    size_t n = 0;
    for (; *text != '\0'; text += 2) {
        int high = nibble(text[0]), low = high < 0 ? -1 : nibble(text[1]);
        if (low < 0 || n == room)
            return false;
        to[n++] = (uint8_t)(high << 4 | low);
    }
    *ret_len = n;
    return true;
}
