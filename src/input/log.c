#include "input/log.h"

#include <arpa/inet.h>
#include <math.h>

enum { PORT_DNS = 53, PORT_NETBIOS = 137, PORT_MDNS = 5353, PORT_LLMNR = 5355 };

static const int64_t NS = 1000000000;
static const int64_t SECONDS_MAX = INT64_C(9200000000);

static bool has_port(const struct log_record *r, uint16_t port)
{
    return (r->known & KNOWN_PORTS) && (r->client.port == port || r->server.port == port);
}

/* The cause for which a record is left out, or -1. A client may ask from any port, also from 5353: DNS comes first. */
static int unwanted(const struct log_sink *sink, const struct log_record *r)
{
    if (has_port(r, PORT_DNS))
        return -1;
    if (has_port(r, PORT_NETBIOS))
        return TALLY_OTHER_PORT;
    if (sink->options->keep_multicast)
        return -1;
    if (has_port(r, PORT_MDNS))
        return TALLY_MDNS;
    return has_port(r, PORT_LLMNR) ? TALLY_LLMNR : -1;
}

static int add(struct log_sink *sink, const struct log_record *record, uint16_t known,
               const uint8_t *wire, uint32_t wire_len)
{
    struct message message = {
        .ts_ns = record->ts_ns,
        .wire = wire,
        .wire_len = wire_len,
        .from = record->is_response ? record->server : record->client,
        .to = record->is_response ? record->client : record->server,
        .known = known,
        .vantage = record->vantage ? record->vantage : sink->options->vantage,
        .transport = record->transport,
        .sensor = sink->options->sensor,
        .exclusion = sink->options->exclusion,
    };
    return message_batch_add(sink->batch, &message, sink->tally);
}

int log_add(struct log_sink *sink, const struct log_record *record, const uint8_t *wire,
            uint32_t wire_len)
{
    int cause = unwanted(sink, record);
    if (cause >= 0)
        return log_count(sink, (enum tally_cause)cause);
    return add(sink, record, record->known, wire, wire_len);
}

int log_add_built(struct log_sink *sink, const struct log_record *record,
                  const struct wire_builder *wire)
{
    int cause = unwanted(sink, record);
    if (cause < 0 && wire->len == WIRE_HEADER && !record->is_response)
        cause = TALLY_NO_MESSAGE;
    if (cause >= 0)
        return log_count(sink, (enum tally_cause)cause);
    uint16_t known = record->known;
    if (wire->left_out && wire->counts[WIRE_ANSWER] == 0)
        known &= (uint16_t)~KNOWN_RCODE;
    sink->tally->n[TALLY_RECORD_LEFT_OUT] += wire->left_out;
    return add(sink, record, known, wire->bytes, wire->len);
}

bool log_number(struct slice text, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (text.len == 0 || text.len > 19)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)text.ptr[i] - '0';
        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    if (v > max)
        return false;
    *ret = v;
    return true;
}

/* Digits behind the point, of which nine count. */
static bool fraction_ns(struct slice digits, int64_t *ret)
{
    int64_t ns = 0, unit = NS;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digits.ptr[i] - '0';
        if (digit > 9)
            return false;
        unit /= 10;
        ns += digit * unit;
    }
    *ret = ns;
    return true;
}

bool log_seconds(struct slice text, int64_t *ret_ns)
{
    const uint8_t *point = text.len ? memchr(text.ptr, '.', text.len) : NULL;
    size_t whole = point ? (size_t)(point - text.ptr) : text.len;
    uint64_t seconds;
    int64_t ns = 0;
    if (!log_number((struct slice){ text.ptr, whole }, (uint64_t)SECONDS_MAX, &seconds))
        return false;
    if (point && !fraction_ns((struct slice){ point + 1, text.len - whole - 1 }, &ns))
        return false;
    *ret_ns = (int64_t)seconds * NS + ns;
    return true;
}

bool log_seconds_real(double seconds, int64_t *ret_ns)
{
    if (!(seconds >= 0 && seconds <= (double)SECONDS_MAX))
        return false;
    *ret_ns = (int64_t)llround(seconds * 1e6) * 1000;
    return true;
}

/* Days since 1970 of a Gregorian date. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, year = y - era * 400;
    int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static unsigned digits(struct cursor *c, size_t n, unsigned max)
{
    const uint8_t *p = cursor_take(c, n);
    uint64_t v = 0;
    if (p == NULL || !log_number((struct slice){ p, n }, max, &v))
        c->failed = true;
    return (unsigned)v;
}

static void expect(struct cursor *c, char a, char b)
{
    uint8_t got = cursor_u8(c);
    if (got != a && got != b)
        c->failed = true;
}

static int64_t zone_seconds(struct cursor *c)
{
    if (cursor_left(c) == 0)
        return 0; /* no zone: UTC */
    uint8_t sign = cursor_u8(c);
    if (sign == 'Z' || sign == 'z')
        return 0;
    int64_t s = digits(c, 2, 23) * 3600;
    if (cursor_left(c) && *c->ptr == ':')
        c->ptr++;
    s += digits(c, 2, 59) * 60;
    if (sign != '+' && sign != '-')
        c->failed = true;
    return sign == '-' ? -s : s;
}

static int64_t date_fraction(struct cursor *c)
{
    int64_t ns = 0;
    if (cursor_left(c) == 0 || (*c->ptr != '.' && *c->ptr != ','))
        return 0;
    const uint8_t *start = ++c->ptr;
    while (c->ptr < c->end && *c->ptr >= '0' && *c->ptr <= '9')
        c->ptr++;
    fraction_ns((struct slice){ start, (size_t)(c->ptr - start) }, &ns);
    return ns;
}

bool log_date(struct slice text, int64_t *ret_ns)
{
    if (text.len == 0)
        return false;
    struct cursor c = cursor_over(text.ptr, text.len);
    unsigned year = digits(&c, 4, 2260);
    expect(&c, '-', '-');
    unsigned month = digits(&c, 2, 12);
    expect(&c, '-', '-');
    unsigned day = digits(&c, 2, 31);
    expect(&c, 'T', ' ');
    unsigned hour = digits(&c, 2, 23);
    expect(&c, ':', ':');
    unsigned minute = digits(&c, 2, 59);
    expect(&c, ':', ':');
    unsigned second = digits(&c, 2, 60);
    int64_t ns = date_fraction(&c);
    int64_t zone = zone_seconds(&c);
    if (c.failed || cursor_left(&c) || year < 1970 || month == 0 || day == 0)
        return false;
    int64_t at = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    if (at < 0)
        return false;
    *ret_ns = at * NS + ns;
    return true;
}

bool log_address_bytes(struct slice bytes, uint8_t ret[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    if (bytes.len == 16) {
        memcpy(ret, bytes.ptr, 16);
        return true;
    }
    if (bytes.len != 4)
        return false;
    memcpy(ret, mapped, 12);
    memcpy(ret + 12, bytes.ptr, 4);
    return true;
}

bool log_address(struct slice text, uint8_t ret[16])
{
    char buffer[INET6_ADDRSTRLEN];
    uint8_t v4[4], v6[16];
    if (text.len == 0 || text.len >= sizeof buffer)
        return false;
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    if (inet_pton(AF_INET, buffer, v4) == 1)
        return log_address_bytes((struct slice){ v4, 4 }, ret);
    if (inet_pton(AF_INET6, buffer, v6) != 1)
        return false;
    memcpy(ret, v6, 16);
    return true;
}

bool log_is_dns_port(const struct input_options *options, uint16_t port)
{
    if (options->n_ports == 0)
        return port == 53;
    for (unsigned i = 0; i < options->n_ports; i++)
        if (options->ports[i] == port)
            return true;
    return false;
}
