/* Builds wire messages from text. Rdata is written by one small recipe a type: a
 * string of letters, one for each field (see `recipe_of`), so that a type is a line
 * of a table and not a function. */
#include "input/wire_builder.h"

#include <arpa/inet.h>
#include <strings.h>

enum { RDATA_MAX = 8192 };

struct out {
    uint8_t *ptr;
    size_t len;
    size_t room;
};

static bool out_put(struct out *o, const void *ptr, size_t len)
{
    if (o->room - o->len < len)
        return false;
    if (len)
        memcpy(o->ptr + o->len, ptr, len);
    o->len += len;
    return true;
}

static bool out_be16(struct out *o, uint16_t v)
{
    uint8_t p[2];
    put_be16(p, v);
    return out_put(o, p, sizeof p);
}

static bool out_be32(struct out *o, uint32_t v)
{
    uint8_t p[4];
    put_be32(p, v);
    return out_put(o, p, sizeof p);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* One escape, with *p behind the backslash. -1: it does not parse. */
static int escape_value(const uint8_t **p, const uint8_t *end)
{
    size_t left = (size_t)(end - *p);
    if (left == 0)
        return -1;
    const uint8_t *c = *p;
    if (c[0] == 'x' && left >= 3 && hex_value(c[1]) >= 0 && hex_value(c[2]) >= 0) {
        *p += 3;
        return hex_value(c[1]) << 4 | hex_value(c[2]);
    }
    if (left >= 3 && is_digit(c[0]) && is_digit(c[1]) && is_digit(c[2])) {
        int v = (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');
        *p += 3;
        return v <= 255 ? v : -1;
    }
    *p += 1;
    return c[0];
}

size_t wire_name(struct slice text, uint8_t ret[WIRE_NAME_MAX])
{
    const uint8_t *p = text.ptr, *end = text.ptr + text.len;
    size_t len = 1, label = 0; /* label: where its length octet stands */
    if (text.len == 0 || (text.len == 1 && *p == '.')) {
        ret[0] = 0;
        return 1;
    }
    while (p < end) {
        int c = *p++;
        if (c == '.') {
            if (len - label == 1)
                return 0; /* an empty label */
            ret[label] = (uint8_t)(len - label - 1);
            label = len++;
            continue;
        }
        if (c == '\\')
            c = escape_value(&p, end);
        /* Leave room for this byte and, after it, for the root. */
        if (c < 0 || len - label > 63 || len + 1 >= WIRE_NAME_MAX)
            return 0;
        ret[len++] = (uint8_t)c;
    }
    ret[label] = (uint8_t)(len - label - 1);
    if (ret[label] == 0)
        return len; /* the text ended with a dot: this is the root */
    ret[len++] = 0;
    return len;
}

void wire_begin(struct wire_builder *w, uint16_t id, uint16_t flags)
{
    memset(w->counts, 0, sizeof w->counts);
    memset(w->bytes, 0, WIRE_HEADER);
    put_be16(w->bytes, id);
    put_be16(w->bytes + 2, flags);
    w->len = WIRE_HEADER;
    w->left_out = 0;
}

static void count_one(struct wire_builder *w, enum wire_section section)
{
    w->counts[section]++;
    put_be16(w->bytes + 4 + 2 * section, w->counts[section]);
}

int wire_question(struct wire_builder *w, struct slice name, uint16_t type, uint16_t class)
{
    uint8_t buffer[WIRE_NAME_MAX];
    size_t len = wire_name(name, buffer);
    if (len == 0)
        return E_MALFORMED;
    struct out o = { w->bytes, w->len, WIRE_MAX };
    if (!out_put(&o, buffer, len) || !out_be16(&o, type) || !out_be16(&o, class))
        return E_LIMIT;
    w->len = (uint32_t)o.len;
    count_one(w, WIRE_QUESTION);
    return 0;
}

int wire_record_bytes(struct wire_builder *w, enum wire_section section, struct slice owner,
                      uint16_t type, uint32_t ttl, struct slice rdata)
{
    uint8_t name[WIRE_NAME_MAX];
    size_t len = wire_name(owner, name);
    struct out o = { w->bytes, w->len, WIRE_MAX };
    if (len == 0 || rdata.len > 65535) {
        w->left_out++;
        return E_MALFORMED;
    }
    if (!out_put(&o, name, len) || !out_be16(&o, type) || !out_be16(&o, 1) ||
        !out_be32(&o, ttl) || !out_be16(&o, (uint16_t)rdata.len) ||
        !out_put(&o, rdata.ptr, rdata.len)) {
        w->left_out++;
        return E_LIMIT;
    }
    w->len = (uint32_t)o.len;
    count_one(w, section);
    return 0;
}

/* The next word of the text; an empty one at the end. */
static struct slice next_word(struct slice *text)
{
    while (text->len && (*text->ptr == ' ' || *text->ptr == '\t')) {
        text->ptr++;
        text->len--;
    }
    struct slice word = { text->ptr, 0 };
    while (word.len < text->len && text->ptr[word.len] != ' ' && text->ptr[word.len] != '\t')
        word.len++;
    text->ptr += word.len;
    text->len -= word.len;
    return word;
}

static bool number_of(struct slice word, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (word.len == 0 || word.len > 10)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!is_digit(word.ptr[i]))
            return false;
        v = v * 10 + (word.ptr[i] - '0');
    }
    *ret = v;
    return v <= max;
}

static bool put_address(struct out *o, int family, struct slice text)
{
    char buffer[INET6_ADDRSTRLEN];
    uint8_t address[16];
    if (text.len == 0 || text.len >= sizeof buffer)
        return false;
    memcpy(buffer, text.ptr, text.len);
    buffer[text.len] = '\0';
    return inet_pton(family, buffer, address) == 1 &&
           out_put(o, address, family == AF_INET ? 4 : 16);
}

static bool put_name(struct out *o, struct slice text)
{
    uint8_t name[WIRE_NAME_MAX];
    size_t len = text.len ? wire_name(text, name) : 0;
    return len && out_put(o, name, len);
}

/* One character-string in quotes; *text stands at the first quote. */
static bool put_quoted(struct out *o, struct slice *text)
{
    uint8_t string[256];
    size_t len = 1;
    const uint8_t *p = text->ptr + 1, *end = text->ptr + text->len;
    while (p < end && *p != '"') {
        int c = *p++;
        if (c == '\\')
            c = escape_value(&p, end);
        if (c < 0 || len == sizeof string)
            return false;
        string[len++] = (uint8_t)c;
    }
    if (p == end)
        return false;
    string[0] = (uint8_t)(len - 1);
    *text = (struct slice){ p + 1, (size_t)(end - p - 1) };
    return out_put(o, string, len);
}

/* Text without quotes is one string, cut where a string cannot go on. */
static bool put_plain(struct out *o, struct slice text)
{
    do {
        uint8_t len = text.len > 255 ? 255 : (uint8_t)text.len;
        if (!out_put(o, &len, 1) || !out_put(o, text.ptr, len))
            return false;
        text.ptr += len;
        text.len -= len;
    } while (text.len);
    return true;
}

static bool put_strings(struct out *o, struct slice text)
{
    if (text.len == 0 || text.ptr[0] != '"')
        return put_plain(o, text);
    while (text.len) {
        if (text.ptr[0] == ' ') {
            text.ptr++;
            text.len--;
        } else if (text.ptr[0] != '"' || !put_quoted(o, &text)) {
            return false;
        }
    }
    return true;
}

/* What follows a comma-separated list item, or nothing. */
static struct slice next_item(struct slice *list)
{
    struct slice item = { list->ptr, 0 };
    while (item.len < list->len && list->ptr[item.len] != ',')
        item.len++;
    size_t step = item.len < list->len ? item.len + 1 : item.len;
    list->ptr += step;
    list->len -= step;
    return item;
}

static bool put_hints(struct out *o, int family, struct slice list)
{
    while (list.len)
        if (!put_address(o, family, next_item(&list)))
            return false;
    return true;
}

static bool put_alpn(struct out *o, struct slice list)
{
    while (list.len) {
        struct slice item = next_item(&list);
        if (item.len == 0 || item.len > 255 || !put_plain(o, item))
            return false;
    }
    return true;
}

/* One SvcParam (RFC 9460) of those met in logs. *last keeps the keys rising. */
static bool put_param(struct out *o, struct slice word, int *last)
{
    static const struct {
        const char *name;
        int key;
    } params[] = { { "alpn=", 1 }, { "port=", 3 }, { "ipv4hint=", 4 }, { "ipv6hint=", 6 } };
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        size_t n = strlen(params[i].name);
        if (word.len <= n || memcmp(word.ptr, params[i].name, n) != 0)
            continue;
        struct slice value = { word.ptr + n, word.len - n };
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = (struct slice){ value.ptr + 1, value.len - 2 };
        int key = params[i].key;
        uint64_t port;
        if (key <= *last || !out_be16(o, (uint16_t)key) || !out_be16(o, 0))
            return false;
        *last = key;
        size_t start = o->len;
        bool good = key == 1   ? put_alpn(o, value)
                    : key == 3 ? number_of(value, 65535, &port) && out_be16(o, (uint16_t)port)
                               : put_hints(o, key == 4 ? AF_INET : AF_INET6, value);
        if (good)
            put_be16(o->ptr + start - 2, (uint16_t)(o->len - start));
        return good && o->len > start;
    }
    return false;
}

static bool put_params(struct out *o, struct slice text)
{
    int last = 0;
    for (struct slice word = next_word(&text); word.len; word = next_word(&text))
        if (!put_param(o, word, &last))
            return false;
    return true;
}

/* 4, 6: address; n: name; s: 16 bits; l: 32 bits; t: the rest as strings; p: the
 * rest as service parameters. */
static const char *recipe_of(uint16_t type)
{
    switch (type) {
    case WIRE_A:
        return "4";
    case WIRE_AAAA:
        return "6";
    case WIRE_NS:
    case WIRE_CNAME:
    case WIRE_PTR:
    case WIRE_DNAME:
        return "n";
    case WIRE_MX:
        return "sn";
    case WIRE_SRV:
        return "sssn";
    case WIRE_SOA:
        return "nnlllll";
    case WIRE_TXT:
    case WIRE_SPF:
        return "t";
    case WIRE_HTTPS:
    case WIRE_SVCB:
        return "snp";
    default:
        return NULL;
    }
}

static bool put_integer(struct out *o, char kind, struct slice word)
{
    uint64_t v;
    if (!number_of(word, kind == 's' ? UINT16_MAX : UINT32_MAX, &v))
        return false;
    return kind == 's' ? out_be16(o, (uint16_t)v) : out_be32(o, (uint32_t)v);
}

static bool put_field(struct out *o, char kind, struct slice *text)
{
    struct slice rest = *text;
    if (kind == 't' || kind == 'p') {
        *text = (struct slice){ rest.ptr + rest.len, 0 };
        return kind == 't' ? put_strings(o, rest) : put_params(o, rest);
    }
    struct slice word = next_word(text);
    switch (kind) {
    case '4':
        return put_address(o, AF_INET, word);
    case '6':
        return put_address(o, AF_INET6, word);
    case 'n':
        return put_name(o, word);
    default:
        return put_integer(o, kind, word);
    }
}

int wire_record(struct wire_builder *w, enum wire_section section, struct slice owner,
                uint16_t type, uint32_t ttl, struct slice text)
{
    uint8_t rdata[RDATA_MAX];
    struct out o = { rdata, 0, sizeof rdata };
    const char *recipe = recipe_of(type);
    if (recipe == NULL) {
        w->left_out++;
        return E_UNSUPPORTED;
    }
    bool good = true;
    for (; good && *recipe; recipe++)
        good = put_field(&o, *recipe, &text);
    if (!good || next_word(&text).len) {
        w->left_out++;
        return E_MALFORMED;
    }
    return wire_record_bytes(w, section, owner, type, ttl, (struct slice){ rdata, o.len });
}

static bool text_is(struct slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.ptr, word, text.len) == 0;
}

/* "TYPE65", "RCODE23". -1 when it is something else. */
static int numbered(struct slice text, const char *prefix, uint64_t max)
{
    size_t n = strlen(prefix);
    uint64_t v;
    if (text.len <= n || strncasecmp((const char *)text.ptr, prefix, n) != 0)
        return -1;
    return number_of((struct slice){ text.ptr + n, text.len - n }, max, &v) ? (int)v : -1;
}

/* "0041/65": the number behind four hexadecimal digits of it, as Suricata wrote it up to
 * version 4. */
static struct slice behind_hex(struct slice text)
{
    if (text.len < 6 || text.ptr[4] != '/')
        return text;
    return (struct slice){text.ptr + 5, text.len - 5};
}

uint16_t wire_type_number(struct slice text)
{
    static const struct {
        const char *name;
        uint16_t number;
    } types[] = {
#define XX(name, number) { #name, number },
        WIRE_TYPE_MAP(XX)
#undef XX
        { "*", WIRE_ANY },
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_is(text, types[i].name))
            return types[i].number;
    int n = numbered(text, "TYPE", UINT16_MAX);
    if (n < 0)
        n = numbered(behind_hex(text), "", UINT16_MAX);
    return n < 0 ? 0 : (uint16_t)n;
}

int wire_rcode_number(struct slice text)
{
    static const char *const rcodes[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                          "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                          "NXRRSET", "NOTAUTH", "NOTZONE" };
    for (size_t i = 0; i < sizeof rcodes / sizeof *rcodes; i++)
        if (text_is(text, rcodes[i]))
            return (int)i;
    int n = numbered(text, "RCODE", 15);
    return n >= 0 ? n : numbered(text, "", 15);
}
