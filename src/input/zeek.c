/* Both forms are brought into `struct fields`, one value a column, and from there on
 * are the same. */
#include "input/zeek.h"

#include "input/json.h"
#include "input/line_reader.h"
#include "input/lines.h"

#include <stdlib.h>

enum {
    COLUMNS_MAX = 256,   /* of a TSV header; those behind are not looked at */
    ANSWERS_MAX = 4096,  /* of one line; a DNS message of 64 KiB has no more */
    TEXT_MAX = 65536,
};

/*  XX(identifier, name in the log) */
#define ZEEK_FIELD_MAP(XX)                                                                 \
    XX(TS, "ts") XX(ORIG_H, "id.orig_h") XX(ORIG_P, "id.orig_p") XX(RESP_H, "id.resp_h")   \
    XX(RESP_P, "id.resp_p") XX(PROTO, "proto") XX(TRANS_ID, "trans_id") XX(RTT, "rtt")     \
    XX(QUERY, "query") XX(QCLASS, "qclass") XX(QTYPE, "qtype") XX(RCODE, "rcode")          \
    XX(AA, "AA") XX(TC, "TC") XX(RD, "RD") XX(RA, "RA") XX(ANSWERS, "answers")             \
    XX(TTLS, "TTLs") XX(OPCODE, "opcode") XX(REJECTED, "rejected")

enum field_id {
#define XX(id, name) F_##id,
    ZEEK_FIELD_MAP(XX)
#undef XX
        FIELDS
};

static const char *const field_names[FIELDS] = {
#define XX(id, name) [F_##id] = name,
    ZEEK_FIELD_MAP(XX)
#undef XX
};

/* A value that is not set has ptr NULL. Numbers of JSON stand in `json`. */
struct value {
    struct slice text;
    const json_t *json;
};

struct zeek {
    struct wire_builder wire;
    /* TSV header */
    bool has_fields;
    bool other_path; /* #path is not dns */
    uint8_t separator;
    uint8_t set_separator;
    char empty[16];
    char unset[16];
    uint16_t n_columns;
    uint8_t columns[COLUMNS_MAX]; /* enum field_id, FIELDS for those we do not need */
    /* the line */
    struct value fields[FIELDS];
    struct slice answers[ANSWERS_MAX];
    uint32_t ttls[ANSWERS_MAX];
    size_t n_answers;
    size_t n_beyond; /* answers that found no room */
    size_t n_ttls;
    uint8_t text[TEXT_MAX];
};

static void header_reset(struct zeek *z)
{
    z->has_fields = false;
    z->other_path = false;
    z->separator = '\t';
    z->set_separator = ',';
    snprintf(z->empty, sizeof z->empty, "(empty)");
    snprintf(z->unset, sizeof z->unset, "-");
    z->n_columns = 0;
}

int zeek_create(struct zeek **ret)
{
    struct zeek *z = calloc(1, sizeof *z);
    if (z == NULL)
        return E_NOMEM;
    header_reset(z);
    *ret = z;
    return 0;
}

void zeek_destroy(struct zeek **zeek)
{
    free(*zeek);
    *zeek = NULL;
}

static bool text_is(struct slice text, const char *word)
{
    return text.ptr != NULL && text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

/* The text up to `separator`; *rest goes behind it. False when nothing is left. */
static bool next_piece(struct slice *rest, uint8_t separator, struct slice *ret)
{
    if (rest->ptr == NULL)
        return false;
    const uint8_t *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    *ret = (struct slice){ rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len };
    if (at)
        *rest = (struct slice){ at + 1, rest->len - ret->len - 1 };
    else
        *rest = (struct slice){ NULL, 0 };
    return true;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes \xHH and \c in place of `to`, which has room for text.len bytes. */
static struct slice unescape(struct slice text, uint8_t *to)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '\\' && i + 3 < text.len && text.ptr[i + 1] == 'x' &&
            hex_value(text.ptr[i + 2]) >= 0 && hex_value(text.ptr[i + 3]) >= 0) {
            c = (uint8_t)(hex_value(text.ptr[i + 2]) << 4 | hex_value(text.ptr[i + 3]));
            i += 3;
        } else if (c == '\\' && i + 1 < text.len) {
            c = text.ptr[++i];
        }
        to[n++] = c;
    }
    return (struct slice){ to, n };
}

/* Header of TSV */

static void header_byte(struct slice text, uint8_t *ret)
{
    uint8_t buffer[8];
    if (text.len == 0 || text.len > sizeof buffer)
        return;
    struct slice plain = unescape(text, buffer);
    if (plain.len == 1)
        *ret = buffer[0];
}

static void header_word(struct slice text, char ret[16])
{
    if (text.len >= 16)
        return;
    memcpy(ret, text.ptr, text.len);
    ret[text.len] = '\0';
}

static void header_columns(struct zeek *z, struct slice names)
{
    struct slice name;
    z->n_columns = 0;
    z->has_fields = true;
    while (z->n_columns < COLUMNS_MAX && next_piece(&names, z->separator, &name)) {
        uint8_t id = 0;
        while (id < FIELDS && !text_is(name, field_names[id]))
            id++;
        z->columns[z->n_columns++] = id;
    }
}

/* "#separator \x09" has a blank whatever the separator is. */
static void header_line(struct zeek *z, struct slice line)
{
    size_t key = 0;
    while (key < line.len && line.ptr[key] != ' ' && line.ptr[key] != z->separator)
        key++;
    struct slice word = { line.ptr, key };
    struct slice rest = { line.ptr + key, line.len - key };
    if (rest.len) {
        rest.ptr++;
        rest.len--;
    }
    if (text_is(word, "#separator")) {
        header_reset(z);
        header_byte(rest, &z->separator);
    } else if (text_is(word, "#set_separator")) {
        header_byte(rest, &z->set_separator);
    } else if (text_is(word, "#empty_field")) {
        header_word(rest, z->empty);
    } else if (text_is(word, "#unset_field")) {
        header_word(rest, z->unset);
    } else if (text_is(word, "#path")) {
        z->other_path = !text_is(rest, "dns");
    } else if (text_is(word, "#fields")) {
        header_columns(z, rest);
    }
}

/* Values */

static void set_answers(struct zeek *z)
{
    struct slice rest = z->fields[F_ANSWERS].text, piece;
    while (z->n_answers < ANSWERS_MAX && next_piece(&rest, z->set_separator, &piece))
        z->answers[z->n_answers++] = piece;
    while (next_piece(&rest, z->set_separator, &piece))
        z->n_beyond++;
    rest = z->fields[F_TTLS].text;
    while (z->n_ttls < ANSWERS_MAX && next_piece(&rest, z->set_separator, &piece)) {
        int64_t ns;
        if (!log_seconds(piece, &ns) || ns / 1000000000 > UINT32_MAX)
            break;
        z->ttls[z->n_ttls++] = (uint32_t)(ns / 1000000000);
    }
}

static void clear_values(struct zeek *z)
{
    memset(z->fields, 0, sizeof z->fields);
    z->n_answers = 0;
    z->n_beyond = 0;
    z->n_ttls = 0;
}

static bool tsv_values(struct zeek *z, struct slice line)
{
    struct slice value;
    unsigned column = 0;
    clear_values(z);
    for (; column < z->n_columns && next_piece(&line, z->separator, &value); column++) {
        if (z->columns[column] == FIELDS || text_is(value, z->unset))
            continue;
        if (text_is(value, z->empty))
            value.len = 0;
        z->fields[z->columns[column]].text = value;
    }
    if (z->fields[F_ANSWERS].text.len)
        set_answers(z);
    /* A line cut short, or of more columns than the header has. */
    return column == z->n_columns && (line.ptr == NULL || z->n_columns == COLUMNS_MAX);
}

/* "id.orig_h" as a flat key, else "orig_h" of the object "id". */
static const json_t *json_field(const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    const char *point = strchr(name, '.');
    if (value == NULL && point != NULL)
        value = json_object_get(json_object_get(root, "id"), point + 1);
    return json_is_null(value) ? NULL : value;
}

static void json_answers(struct zeek *z)
{
    const json_t *list = z->fields[F_ANSWERS].json;
    for (size_t i = 0; i < json_array_size(list) && i < ANSWERS_MAX; i++)
        z->answers[z->n_answers++] = json_text_of(json_array_get(list, i));
    z->n_beyond = json_array_size(list) - z->n_answers;
    list = z->fields[F_TTLS].json;
    for (size_t i = 0; i < json_array_size(list) && i < ANSWERS_MAX; i++) {
        double ttl = json_number_value(json_array_get(list, i));
        if (!(ttl >= 0 && ttl <= UINT32_MAX))
            break;
        z->ttls[z->n_ttls++] = (uint32_t)ttl;
    }
}

static void json_values(struct zeek *z, const json_t *root)
{
    clear_values(z);
    for (int i = 0; i < FIELDS; i++) {
        z->fields[i].json = json_field(root, field_names[i]);
        z->fields[i].text = json_text_of(z->fields[i].json);
    }
    json_answers(z);
}

static bool is_set(const struct zeek *z, enum field_id id)
{
    return z->fields[id].text.ptr != NULL || z->fields[id].json != NULL;
}

static bool count_of(const struct zeek *z, enum field_id id, uint64_t max, uint64_t *ret)
{
    const struct value *v = &z->fields[id];
    return v->text.ptr ? log_number(v->text, max, ret) : json_count(v->json, max, ret);
}

static bool time_of(const struct zeek *z, enum field_id id, int64_t *ret_ns)
{
    const struct value *v = &z->fields[id];
    if (v->text.ptr)
        return log_seconds(v->text, ret_ns) || log_date(v->text, ret_ns);
    return json_is_number(v->json) && log_seconds_real(json_number_value(v->json), ret_ns);
}

static uint16_t flag_of(const struct zeek *z, enum field_id id, uint16_t flag)
{
    const struct value *v = &z->fields[id];
    return text_is(v->text, "T") || json_is_true(v->json) ? flag : 0;
}

/* Values to messages */

/* False for a field that is set and does not parse. */
static bool record_of(const struct zeek *z, struct log_record *r, uint16_t *ret_id)
{
    uint64_t orig_p = 0, resp_p = 0, id = 0;
    if (!time_of(z, F_TS, &r->ts_ns))
        return false;
    if (is_set(z, F_ORIG_H) && is_set(z, F_RESP_H)) {
        if (!log_address(z->fields[F_ORIG_H].text, r->client.address) ||
            !log_address(z->fields[F_RESP_H].text, r->server.address))
            return false;
        r->known |= KNOWN_ADDRESSES;
    }
    if (is_set(z, F_ORIG_P) && is_set(z, F_RESP_P)) {
        if (!count_of(z, F_ORIG_P, UINT16_MAX, &orig_p) ||
            !count_of(z, F_RESP_P, UINT16_MAX, &resp_p))
            return false;
        r->known |= KNOWN_PORTS;
    }
    if (is_set(z, F_TRANS_ID)) {
        if (!count_of(z, F_TRANS_ID, UINT16_MAX, &id))
            return false;
        r->known |= KNOWN_ID;
    }
    if (is_set(z, F_RD) && is_set(z, F_AA) && is_set(z, F_TC) && is_set(z, F_RA))
        r->known |= KNOWN_HEADER;
    r->client.port = (uint16_t)orig_p;
    r->server.port = (uint16_t)resp_p;
    r->transport = text_is(z->fields[F_PROTO].text, "udp")   ? TRANSPORT_UDP
                   : text_is(z->fields[F_PROTO].text, "tcp") ? TRANSPORT_TCP
                                                             : TRANSPORT_OTHER;
    *ret_id = (uint16_t)id;
    return true;
}

/* "TXT 5 hello TXT 2 ab" to character-strings; false when a length does not fit. */
static bool txt_rdata(struct slice text, uint8_t *to, size_t *ret_len)
{
    size_t n = 0;
    while (text.len) {
        uint64_t len = 0;
        size_t i = 4;
        if (text.len < 6 || memcmp(text.ptr, "TXT ", 4) != 0)
            return false;
        while (i < text.len && i < 8 && text.ptr[i] >= '0' && text.ptr[i] <= '9')
            len = len * 10 + (text.ptr[i++] - '0');
        if (i == 4 || i == text.len || text.ptr[i] != ' ' || len > 255 || text.len - i - 1 < len)
            return false;
        to[n++] = (uint8_t)len;
        memmove(to + n, text.ptr + i + 1, len); /* `to` may hold the text itself */
        n += len;
        i += 1 + len;
        if (i < text.len && text.ptr[i++] != ' ')
            return false;
        text.ptr += i;
        text.len -= i;
    }
    *ret_len = n;
    return n > 0;
}

static void add_txt(struct zeek *z, struct slice owner, uint32_t ttl, struct slice text)
{
    size_t len;
    if (text.len > TEXT_MAX || !txt_rdata(unescape(text, z->text), z->text, &len)) {
        z->wire.left_out++;
        return;
    }
    (void)wire_record_bytes(&z->wire, WIRE_ANSWER, owner, WIRE_TXT, ttl,
                            (struct slice){ z->text, len });
}

static bool ends_in_arpa(struct slice name)
{
    return name.len >= 5 && memcmp(name.ptr + name.len - 5, ".arpa", 5) == 0;
}

static bool is_address(struct slice text)
{
    uint8_t address[16];
    return text.ptr != NULL && log_address(text, address);
}

static bool is_word(struct slice text)
{
    return text.len > 0 && memchr(text.ptr, ' ', text.len) == NULL;
}

/* Is answer i one of names that lead up to an address? */
static bool leads_to_address(const struct zeek *z, size_t i)
{
    while (i < z->n_answers && is_word(z->answers[i]) && !is_address(z->answers[i]))
        i++;
    return i < z->n_answers && is_address(z->answers[i]);
}

/* The type of a name among the answers; 0 = cannot be written. */
static uint16_t name_type(const struct zeek *z, size_t i, uint64_t qtype)
{
    switch (qtype) {
    case WIRE_PTR:
        return ends_in_arpa(z->answers[i]) && i + 1 < z->n_answers ? WIRE_CNAME : WIRE_PTR;
    case WIRE_NS:
    case WIRE_DNAME:
        return (uint16_t)qtype;
    case 0:
        return leads_to_address(z, i) ? WIRE_CNAME : 0;
    case WIRE_MX:
    case WIRE_SRV:
    case WIRE_SOA:
    case WIRE_ANY:
        return 0;
    default:
        return WIRE_CNAME;
    }
}

/* One answer; *owner goes along a chain of CNAMEs until an address ends it. */
static void add_answer(struct zeek *z, size_t i, uint64_t qtype, struct slice *owner,
                       bool *chain_ended)
{
    struct slice text = z->answers[i];
    uint32_t ttl = i < z->n_ttls ? z->ttls[i] : 0;
    if (text.ptr == NULL) {
        z->wire.left_out++;
    } else if (is_address(text)) {
        bool v6 = memchr(text.ptr, ':', text.len) != NULL;
        *chain_ended = true;
        (void)wire_record(&z->wire, WIRE_ANSWER, *owner, v6 ? WIRE_AAAA : WIRE_A, ttl, text);
    } else if (text.len > 4 && memcmp(text.ptr, "TXT ", 4) == 0) {
        add_txt(z, *owner, ttl, text);
    } else {
        uint16_t type = name_type(z, i, qtype);
        if (!is_word(text) || type == 0 || (type == WIRE_CNAME && *chain_ended))
            z->wire.left_out++;
        else if (wire_record(&z->wire, WIRE_ANSWER, *owner, type, ttl, text) == 0 &&
                 type == WIRE_CNAME)
            *owner = text;
    }
}

/* Types whose answers Zeek writes, in all versions: for others no answers are no NODATA. */
static bool writes_answers_of(uint64_t qtype)
{
    switch (qtype) {
    case WIRE_A:
    case WIRE_AAAA:
    case WIRE_CNAME:
    case WIRE_MX:
    case WIRE_NS:
    case WIRE_PTR:
    case WIRE_SOA:
    case WIRE_SRV:
    case WIRE_TXT:
        return true;
    default:
        return false;
    }
}

static void add_answers(struct zeek *z, uint64_t qtype)
{
    struct slice owner = z->fields[F_QUERY].text;
    bool chain_ended = false;
    z->wire.left_out += (uint32_t)z->n_beyond;
    if (owner.ptr == NULL) {
        z->wire.left_out += (uint32_t)z->n_answers;
        return;
    }
    for (size_t i = 0; i < z->n_answers; i++)
        add_answer(z, i, qtype, &owner, &chain_ended);
}

/* The header, and the question where there is a name. */
static bool begin(struct zeek *z, uint16_t id, uint16_t flags, uint64_t qtype, uint64_t qclass)
{
    struct slice name = z->fields[F_QUERY].text;
    wire_begin(&z->wire, id, flags);
    return name.ptr == NULL || wire_question(&z->wire, name, (uint16_t)qtype, (uint16_t)qclass) == 0;
}

static int add_response(struct zeek *z, struct log_record *r, uint16_t id, uint16_t flags,
                        uint64_t qtype, uint64_t qclass, struct log_sink *sink)
{
    uint64_t rcode = 0;
    int64_t rtt = 0;
    if (is_set(z, F_RCODE)) {
        if (!count_of(z, F_RCODE, 4095, &rcode))
            return log_count(sink, TALLY_BAD_LINE);
        r->known |= KNOWN_RCODE; /* but extended codes do not fit a header */
        if (rcode > 15 || (rcode == 0 && z->n_answers == 0 && !writes_answers_of(qtype)))
            r->known &= (uint16_t)~KNOWN_RCODE;
    }
    if (is_set(z, F_RTT) && time_of(z, F_RTT, &rtt) && rtt < INT64_C(1000000000000))
        r->ts_ns += rtt;
    flags |= WIRE_QR | flag_of(z, F_AA, WIRE_AA) | flag_of(z, F_TC, WIRE_TC) |
             flag_of(z, F_RA, WIRE_RA) | (rcode & 15);
    if (!begin(z, id, flags, qtype, qclass))
        return log_count(sink, TALLY_BAD_LINE);
    add_answers(z, qtype);
    if (z->n_answers && z->n_ttls == z->n_answers)
        r->known |= KNOWN_TTL;
    r->is_response = true;
    return log_add_built(sink, r, &z->wire);
}

static bool tells_of_response(const struct zeek *z)
{
    return is_set(z, F_RCODE) || z->n_answers > 0 || flag_of(z, F_REJECTED, 1);
}

/* Zeek sets these when it sees the query. */
static bool saw_query(const struct zeek *z)
{
    return is_set(z, F_QTYPE) || is_set(z, F_QCLASS) || is_set(z, F_RTT) || flag_of(z, F_RD, 1);
}

static int emit(struct zeek *z, struct log_sink *sink)
{
    struct log_record r = { 0 };
    uint64_t qtype = 0, qclass = 1, opcode = 0;
    uint16_t id;
    if (!record_of(z, &r, &id) ||
        (is_set(z, F_QTYPE) && !count_of(z, F_QTYPE, UINT16_MAX, &qtype)) ||
        (is_set(z, F_QCLASS) && !count_of(z, F_QCLASS, UINT16_MAX, &qclass)) ||
        (is_set(z, F_OPCODE) && !count_of(z, F_OPCODE, 15, &opcode)))
        return log_count(sink, TALLY_BAD_LINE);
    bool response = tells_of_response(z);
    bool query = z->fields[F_QUERY].text.ptr != NULL && (saw_query(z) || !response);
    if (!query && !response)
        return log_count(sink, TALLY_NO_MESSAGE);
    uint16_t flags = (uint16_t)(opcode << 11) | flag_of(z, F_RD, WIRE_RD);
    if (query) {
        if (!begin(z, id, flags, qtype, qclass))
            return log_count(sink, TALLY_BAD_LINE);
        int e = log_add_built(sink, &r, &z->wire);
        if (e != 0)
            return e;
    }
    if (!response)
        return 0;
    if (!saw_query(z))
        r.known &= (uint16_t)~KNOWN_HEADER;
    return add_response(z, &r, id, flags, qtype, qclass, sink);
}

static int tsv_line(struct zeek *z, struct slice line, struct log_sink *sink)
{
    if (z->other_path)
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    if (!z->has_fields || !tsv_values(z, line))
        return log_count(sink, TALLY_BAD_LINE);
    return emit(z, sink);
}

static bool is_other_log(const struct zeek *z, const json_t *root)
{
    if (json_object_get(root, "_path") != NULL)
        return !json_is(root, "_path", "dns");
    return !is_set(z, F_TRANS_ID) && !is_set(z, F_QUERY) && !is_set(z, F_QTYPE);
}

static int object_line(struct zeek *z, struct slice line, struct log_sink *sink)
{
    bool nomem;
    json_t *root = json_line(line, &nomem);
    if (root == NULL)
        return nomem ? E_NOMEM : log_count(sink, TALLY_BAD_LINE);
    json_values(z, root);
    int e = is_other_log(z, root) ? log_count(sink, TALLY_NOT_DNS_RECORD) : emit(z, sink);
    json_decref(root);
    return e;
}

int zeek_line(struct zeek *zeek, struct slice line, struct log_sink *sink)
{
    if (line.len == 0)
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    if (line.ptr[0] == '{')
        return object_line(zeek, line, sink);
    if (line.ptr[0] != '#')
        return tsv_line(zeek, line, sink);
    header_line(zeek, line);
    return log_count(sink, TALLY_NOT_DNS_RECORD);
}

/* The reader of files. */

static bool head_has(const uint8_t *head, size_t len, const char *text)
{
    return memmem(head, len, text, strlen(text)) != NULL;
}

static bool zeek_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    if (len == 0)
        return false;
    if (head[0] == '#')
        return head_has(head, len, "#fields") && head_has(head, len, "trans_id") &&
               (!head_has(head, len, "#path") || head_has(head, len, "#path\tdns\n") ||
                head_has(head, len, "#path\tdns\r"));
    return head[0] == '{' && head_has(head, len, "orig_h\"") &&
           (head_has(head, len, "\"trans_id\"") || head_has(head, len, "\"qtype\"") ||
            head_has(head, len, "\"_path\":\"dns\""));
}

static int on_line(void *parser, struct slice line, struct log_sink *sink)
{
    return zeek_line(parser, line, sink);
}

static int zeek_open(void **ret_state, struct stream *stream,
                     const struct input_options *options, struct transport *transport,
                     struct fault *why)
{
    (void)transport;
    struct zeek *z;
    if (zeek_create(&z) != 0)
        return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    return line_reader_open(ret_state, stream, options, z, free, on_line, why);
}

/* Whether what is left up to `offset` is a line without its LF, which was taken as a whole one
 * before; *ret_line is that. */
static bool is_open_line(struct stream *stream, uint64_t offset, struct slice *ret_line)
{
    uint64_t left = offset - stream_offset(stream);
    size_t have;
    if (left > LINE_MAX_BYTES)
        return false;
    const uint8_t *p = stream_peek(stream, (size_t)left, &have);
    if (have < left || memchr(p, '\n', (size_t)left) != NULL)
        return false;
    *ret_line = (struct slice){p, (size_t)left};
    return true;
}

/* A file that is continued needs the header in front of where it goes on. */
static int zeek_skip(void *state, struct stream *stream, uint64_t offset, struct fault *why)
{
    struct zeek *z = line_reader_parser(state);
    struct slice line;
    while (stream_offset(stream) < offset) {
        bool open = is_open_line(stream, offset, &line);
        enum lines_next next = open ? LINES_OPEN : lines_next(stream, &line);
        if (next == LINES_END || (next == LINES_OPEN && !open))
            break;
        if (next != LINES_TOO_LONG && line.len && line.ptr[0] == '#')
            header_line(z, line);
        if (open)
            return stream_skip(stream, line.len, why);
    }
    if (stream_offset(stream) != offset)
        return fault_set(why, E_ABSENT, "%s: no line begins at offset %llu", stream_path(stream),
                         (unsigned long long)offset);
    return 0;
}

const struct reader_ops reader_zeek = {
    .name = "zeek",
    .probe = zeek_probe,
    .open = zeek_open,
    .read = line_reader_read,
    .skip = zeek_skip,
    .close = line_reader_close,
};
