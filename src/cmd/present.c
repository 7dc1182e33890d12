#include "cmd/present.h"

#include "base/jsontext.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <libknot/descriptor.h>
#include <libknot/rrset-dump.h>
#include <libknot/rrset.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 16, OUT_LIMIT = 16 << 20 };

void present_init(struct present *p, int fd, enum present_style style)
{
    memset(p, 0, offsetof(struct present, rdata));
    p->style = style;
    p->fd = fd;
    buffer_init(&p->out, OUT_LIMIT);
}

void present_release(struct present *p)
{
    buffer_release(&p->out);
}

int present_flush(struct present *p, struct fault *why)
{
    const uint8_t *at = p->out.ptr;
    size_t left = p->out.len;
    while (left > 0 && p->write_errno == 0) {
        ssize_t n = write(p->fd, at, left);
        if (n < 0 && errno != EINTR)
            p->write_errno = errno;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
    }
    if (p->out.failed)
        p->write_errno = ENOMEM;
    buffer_clear(&p->out);
    return p->write_errno ? fault_errno(why, p->write_errno, "standard output") : E_OK;
}

static void flush_when_full(struct present *p)
{
    if (p->out.len >= FLUSH_BYTES && present_flush(p, NULL) != 0)
        return; /* remembered in write_errno */
}

void present_text(struct present *p, const char *text)
{
    buffer_append(&p->out, text, strlen(text));
    flush_when_full(p);
}

/* ---- parts ---- */

void present_number(struct buffer *to, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    buffer_append(to, digits + at, sizeof digits - at);
}

void present_json_string(struct buffer *to, const char *text, size_t len)
{
    jsontext_bytes(to, text, len);
}

void present_json_text(struct buffer *to, const char *text)
{
    jsontext_put(to, text);
}

static void json_dump(struct buffer *to, const json_t *value)
{
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    uint8_t *out = buffer_reserve(to, len);
    if (out != NULL)
        to->len += json_dumpb(value, (char *)out, len, JSON_COMPACT | JSON_ENCODE_ANY);
}

void present_json_value(struct buffer *to, const char *text, const char *otherwise)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (value != NULL)
        json_dump(to, value);
    else
        buffer_append(to, otherwise, strlen(otherwise));
    json_decref(value);
}

void present_plain(struct buffer *to, const char *text)
{
    for (; *text != '\0'; text++) {
        bool control = (uint8_t)*text < 0x20 || *text == 0x7f || ((uint8_t)*text == 0xc2 && (uint8_t)text[1] < 0xa0);
        buffer_u8(to, control ? '?' : (uint8_t)*text);
    }
}

/* A field with a comma, a quote or a line's end stands in quotes, and a quote in it twice. */
void present_csv(struct buffer *to, const char *text, size_t len)
{
    bool quoted = false;
    for (size_t i = 0; i < len; i++)
        quoted |= text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r';
    if (!quoted) {
        buffer_append(to, text, len);
        return;
    }
    buffer_u8(to, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buffer_u8(to, '"');
        buffer_u8(to, (uint8_t)text[i]);
    }
    buffer_u8(to, '"');
}

void present_time(uint64_t seconds, char *text)
{
    struct tm tm;
    time_t at = (time_t)seconds;
    if (seconds > INT64_C(253402300799) || gmtime_r(&at, &tm) == NULL)
        snprintf(text, 32, "%llu", (unsigned long long)seconds);
    else
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

size_t present_type(uint16_t type, char text[PRESENT_TYPE_MAX])
{
    int n = knot_rrtype_to_string(type, text, PRESENT_TYPE_MAX);
    return n > 0 ? (size_t)n : (size_t)snprintf(text, PRESENT_TYPE_MAX, "TYPE%u", type);
}

size_t present_owner(struct slice owner_key, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_owner_key(owner_key.ptr, owner_key.len, wire);
    text[0] = '\0';
    return n ? name_to_text(wire, n, text) : 0;
}

/* RFC 3597, section 5. */
static size_t rdata_generic(struct slice rdata, char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *to = text + snprintf(text, PRESENT_RDATA_MAX, rdata.len ? "\\# %zu " : "\\# %zu", rdata.len);
    for (size_t i = 0; i < rdata.len && to < text + PRESENT_RDATA_MAX - 3; i++) {
        *to++ = hex[rdata.ptr[i] >> 4];
        *to++ = hex[rdata.ptr[i] & 15];
    }
    *to = '\0';
    return (size_t)(to - text);
}

static size_t rdata_ipv4(const uint8_t *ip, char *text)
{
    char *to = text;
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *to++ = '.';
        if (ip[i] >= 100)
            *to++ = (char)('0' + ip[i] / 100);
        if (ip[i] >= 10)
            *to++ = (char)('0' + ip[i] / 10 % 10);
        *to++ = (char)('0' + ip[i] % 10);
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* Types that are no data (RFC 6895, 3.1): none is stored, and libknot 3.2 faults on a
 * malformed TSIG. */
static bool is_meta(uint16_t type)
{
    return type == TYPE_OPT || (type >= 249 && type <= 255);
}

/* NSEC3 (RFC 5155, 3.2): libknot 3.2 trusts the lengths of salt and hash, and reads on. */
static bool nsec3_is_whole(struct slice rdata)
{
    struct cursor c = cursor_over(rdata.ptr, rdata.len);
    cursor_take(&c, 4);
    cursor_take(&c, cursor_u8(&c));
    cursor_take(&c, cursor_u8(&c));
    return !c.failed;
}

/* Behind the data stand zeros: libknot measures a name before it checks the bound, and
 * the zeros end any. */
static size_t rdata_by_knot(uint16_t type, struct slice rdata, char *text)
{
    struct {
        uint16_t len;
        uint8_t data[RR_KEY_MAX + 512];
    } one;
    uint8_t root[1] = { 0 };
    knot_rrset_t rrset;
    if (rdata.len > RR_KEY_MAX || is_meta(type) || (type == KNOT_RRTYPE_NSEC3 && !nsec3_is_whole(rdata)))
        return 0;
    one.len = (uint16_t)rdata.len;
    if (rdata.len)
        memcpy(one.data, rdata.ptr, rdata.len);
    memset(one.data + rdata.len, 0, 512);
    knot_rrset_init(&rrset, root, type, 1, 0);
    rrset.rrs.count = 1;
    rrset.rrs.size = (uint32_t)knot_rdata_size(one.len);
    rrset.rrs.rdata = (knot_rdata_t *)&one;
    int n = knot_rrset_txt_dump_data(&rrset, 0, text, PRESENT_RDATA_MAX, &KNOT_DUMP_STYLE_DEFAULT);
    while (n > 0 && text[n - 1] == ' ') /* libknot ends some fields so */
        n--;
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

size_t present_rdata(uint16_t type, struct slice rdata, char text[PRESENT_RDATA_MAX])
{
    struct rdata_layout layout = rdata_layout(type);
    size_t n = 0;
    if (type == TYPE_A && rdata.len == 4)
        return rdata_ipv4(rdata.ptr, text);
    if (type == TYPE_AAAA && rdata.len == 16)
        return inet_ntop(AF_INET6, rdata.ptr, text, INET6_ADDRSTRLEN) ? strlen(text) : 0;
    if (layout.names == 1 && layout.lead == 0) {
        if (rdata.len > 0 && name_wire_length(rdata.ptr, rdata.len) == rdata.len)
            n = name_to_text(rdata.ptr, rdata.len, text);
    } else if (rdata.len > 0) {
        n = rdata_by_knot(type, rdata, text);
    }
    return n ? n : rdata_generic(rdata, text);
}

/* ---- what a record is called ---- */

struct shown {
    char type[PRESENT_TYPE_MAX];
    size_t type_len;
    const char *rdata; /* NULL: an empty array */
    size_t rdata_len;
    char word[PRESENT_TYPE_MAX];
};

static void show_word(struct shown *s, const char *type, const char *rdata)
{
    s->type_len = (size_t)snprintf(s->type, sizeof s->type, "%s", type);
    s->rdata = rdata;
    s->rdata_len = rdata ? strlen(rdata) : 0;
}

static void show_data(struct present *p, struct shown *s, uint16_t type, struct slice rdata)
{
    s->type_len = present_type(type, s->type);
    s->rdata_len = present_rdata(type, rdata, p->rdata);
    s->rdata = p->rdata;
}

static void show(struct present *p, const struct rr_key *key, struct shown *s)
{
    if (key->type != 0) {
        show_data(p, s, key->type, key->rdata);
        return;
    }
    switch (key->about) {
    case RR_NXDOMAIN:
        show_word(s, "NXDOMAIN", NULL);
        break;
    case RR_NODATA:
        present_type(key->subtype, s->word);
        show_word(s, "NODATA", s->word);
        break;
    case RR_COLLAPSED_NAMES:
        show_word(s, "COLLAPSED", key->subtype == 2 ? "names that do not exist" : "names");
        break;
    case RR_COLLAPSED_RDATA:
        present_type(key->subtype, s->word);
        show_word(s, "COLLAPSED", s->word);
        break;
    default:
        show_data(p, s, key->subtype, key->rdata);
    }
}

/* ---- JSON ---- */

static void literal(struct buffer *to, const char *text)
{
    buffer_append(to, text, strlen(text));
}

static void member(struct buffer *to, const char *name, uint64_t number)
{
    literal(to, ",\"");
    literal(to, name);
    literal(to, "\":");
    present_number(to, number);
}

static void json_flags(struct buffer *to, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } sections[] = { { RR_ANSWER, "answer" }, { RR_AUTHORITY, "authority" }, { RR_ADDITIONAL, "additional" } };
    const char *before = "";
    literal(to, ",\"sections\":[");
    for (size_t i = 0; i < 3; i++)
        if (flags & sections[i].flag) {
            buffer_printf(to, "%s\"%s\"", before, sections[i].name);
            before = ",";
        }
    literal(to, "]");
    if (!(flags & RR_PAIRED))
        literal(to, ",\"unpaired\":true");
    if (flags & RR_TYPE_INFERRED)
        literal(to, ",\"type_inferred\":true");
}

static void json_sensors(struct present *p, uint64_t sensors)
{
    const char *before = "";
    literal(&p->out, ",\"sensors\":[");
    for (unsigned bit = 1; bit < PRESENT_SENSORS; bit++) {
        if (!(sensors >> bit & 1))
            continue;
        const char *name = p->sensors[bit] ? p->sensors[bit] : "?";
        literal(&p->out, before);
        present_json_string(&p->out, name, strlen(name));
        before = ",";
    }
    literal(&p->out, "]");
}

static void json_record(struct present *p, const struct rr_key *key, const struct rr_value *v)
{
    struct buffer *to = &p->out;
    struct shown s;
    char owner[NAME_TEXT_MAX];
    size_t owner_len = present_owner(key->owner, owner);
    show(p, key, &s);
    literal(to, "{\"rrname\":");
    present_json_string(to, owner, owner_len);
    literal(to, ",\"rrtype\":");
    present_json_string(to, s.type, s.type_len);
    literal(to, ",\"rdata\":[");
    if (s.rdata != NULL)
        present_json_string(to, s.rdata, s.rdata_len);
    literal(to, "]");
    member(to, "time_first", v->first);
    member(to, "time_last", v->last);
    member(to, "count", present_count(v));
    if (v->ttl_max != 0) {
        member(to, "ttl_min", v->ttl_min);
        member(to, "ttl_max", v->ttl_max);
    }
    if (key->type == 0 && key->about == RR_OUT_OF_BAILIWICK)
        literal(to, ",\"out_of_bailiwick\":true");
    if (p->verbose) {
        member(to, "count_client", v->count);
        member(to, "count_upstream", v->upstream);
        json_flags(to, v->flags);
        json_sensors(p, v->sensors);
    }
    literal(to, "}\n");
}

/* ---- table ---- */

static void table_record(struct present *p, const struct rr_key *key, const struct rr_value *v)
{
    struct shown s;
    char owner[NAME_TEXT_MAX], first[32], last[32];
    present_owner(key->owner, owner);
    show(p, key, &s);
    present_time(v->first, first);
    present_time(v->last, last);
    if (!p->headed)
        buffer_printf(&p->out, "%-19s  %-19s  %10s  %-32s  %-8s  %s\n", "first seen (UTC)", "last seen", "count",
                      "name", "type", "data");
    p->headed = true;
    buffer_printf(&p->out, "%-19s  %-19s  %10llu  %-32s  %-8s  ", first, last,
                  (unsigned long long)present_count(v), owner, s.type);
    if (s.rdata != NULL)
        buffer_append(&p->out, s.rdata, s.rdata_len);
    if (key->type == 0 && key->about == RR_OUT_OF_BAILIWICK)
        literal(&p->out, "  (out of bailiwick)");
    literal(&p->out, "\n");
}

void present_record(struct present *p, const struct rr_key *key, const struct rr_value *value)
{
    if (p->style == PRESENT_JSON)
        json_record(p, key, value);
    else
        table_record(p, key, value);
    flush_when_full(p);
}
