#include "input/sensor.h"

#include "input/dnstap.h"
#include "input/line_reader.h"
#include "input/reader.h"

#include <stdlib.h>

struct sensor {
    uint8_t wire[WIRE_MAX];
};

int sensor_create(struct sensor **ret)
{
    struct sensor *s = malloc(sizeof *s);
    if (s == NULL)
        return E_NOMEM;
    *ret = s;
    return 0;
}

void sensor_destroy(struct sensor **sensor)
{
    free(*sensor);
    *sensor = NULL;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ptrdiff_t sensor_base64(struct slice text, uint8_t *ret, size_t room)
{
    if (text.len % 4 == 0)
        for (int pads = 0; pads < 2 && text.len && text.ptr[text.len - 1] == '='; pads++)
            text.len--;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t n = 0;
    if (text.len % 4 == 1)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        int v = base64_value(text.ptr[i]);
        if (v < 0)
            return -1;
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (n == room)
            return -1;
        ret[n++] = (uint8_t)(bits >> held);
    }
    /* The bits that are left over must be zero, or two texts mean the same. */
    return bits & ((1u << held) - 1) ? -1 : (ptrdiff_t)n;
}

static struct slice next_word(struct slice *text)
{
    while (text->len && *text->ptr == ' ') {
        text->ptr++;
        text->len--;
    }
    struct slice word = { text->ptr, 0 };
    while (word.len < text->len && text->ptr[word.len] != ' ')
        word.len++;
    text->ptr += word.len;
    text->len -= word.len;
    return word;
}

/* Goes behind the first word that is a type and is followed by a digit. */
static unsigned find_type(struct slice *line)
{
    for (struct slice word = next_word(line); word.len; word = next_word(line)) {
        unsigned type = dnstap_type_number(word);
        if (type && line->len >= 2 && line->ptr[1] >= '0' && line->ptr[1] <= '9')
            return type;
    }
    return 0;
}

static bool when(struct slice num, int64_t *ret_ns)
{
    uint64_t v;
    if (log_number(num, INT64_MAX, &v) && v >= UINT64_C(100000000000)) {
        *ret_ns = (int64_t)(v >= UINT64_C(100000000000000000)  ? v
                            : v >= UINT64_C(100000000000000) ? v * 1000
                                                             : v * 1000000);
        return true;
    }
    return log_seconds(num, ret_ns);
}

static bool endpoint_of(struct slice ip, struct slice port, struct endpoint *ret)
{
    uint64_t v;
    if (!log_address(ip, ret->address) || !log_number(port, UINT16_MAX, &v))
        return false;
    ret->port = (uint16_t)v;
    return true;
}

/* The fields behind TYPE, the base64 not yet decoded. */
static bool parse(struct slice line, struct log_record *r, uint64_t *ret_dnslen,
                  struct slice *ret_text)
{
    struct slice w[8];
    uint64_t b64len;
    for (int i = 0; i < 8; i++)
        w[i] = next_word(&line);
    if (w[7].len == 0 || next_word(&line).len)
        return false;
    *ret_text = w[7];
    return when(w[0], &r->ts_ns) && endpoint_of(w[1], w[2], &r->client) &&
           endpoint_of(w[3], w[4], &r->server) && log_number(w[5], WIRE_MAX, ret_dnslen) &&
           log_number(w[6], SIZE_MAX, &b64len) && b64len == w[7].len;
}

int sensor_line(struct sensor *sensor, struct slice line, struct log_sink *sink)
{
    struct log_record r = { .known = KNOWN_ALL, .transport = TRANSPORT_OTHER };
    uint64_t dnslen;
    struct slice text;
    unsigned type = find_type(&line);
    if (type == 0 || dnstap_type(type, &r.vantage, &r.is_response) != DNSTAP_KIND_DNS)
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    if (!parse(line, &r, &dnslen, &text))
        return log_count(sink, TALLY_BAD_LINE);
    ptrdiff_t len = sensor_base64(text, sensor->wire, sizeof sensor->wire);
    if (len < 0 || (uint64_t)len != dnslen)
        return log_count(sink, TALLY_BAD_LINE);
    if (len == 0)
        return log_count(sink, TALLY_NO_MESSAGE);
    return log_add(sink, &r, sensor->wire, (uint32_t)len);
}

/* The first line must have our shape; a head that ends inside it may lack its tail. */
static bool sensor_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    const uint8_t *lf = len ? memchr(head, '\n', len) : NULL;
    struct slice line = { head, lf ? (size_t)(lf - head) : len };
    struct log_record r;
    int64_t ns;
    if (line.len == 0 || find_type(&line) == 0)
        return false;
    struct slice num = next_word(&line), qip = next_word(&line), qport = next_word(&line);
    return when(num, &ns) && endpoint_of(qip, qport, &r.client);
}

static int on_line(void *parser, struct slice line, struct log_sink *sink)
{
    return line.len ? sensor_line(parser, line, sink) : log_count(sink, TALLY_NOT_DNS_RECORD);
}

static int sensor_open(void **ret_state, struct stream *stream,
                       const struct input_options *options, struct transport *transport,
                       struct fault *why)
{
    (void)transport;
    struct sensor *s;
    if (sensor_create(&s) != 0)
        return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    return line_reader_open(ret_state, stream, options, s, free, on_line, why);
}

const struct reader_ops reader_sensor = {
    .name = "sensor",
    .probe = sensor_probe,
    .open = sensor_open,
    .read = line_reader_read,
    .close = line_reader_close,
};
