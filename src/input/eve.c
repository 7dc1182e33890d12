#include "input/eve.h"

#include "input/json.h"
#include "input/line_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct eve {
    struct wire_builder wire;
    bool ttls_known; /* of the message at hand: every record had one */
};

int eve_create(struct eve **ret)
{
    struct eve *e = malloc(sizeof *e);
    if (e == NULL)
        return E_NOMEM;
    *ret = e;
    return 0;
}

void eve_destroy(struct eve **eve)
{
    free(*eve);
    *eve = NULL;
}

static bool endpoint_of(const json_t *root, const char *ip, const char *port,
                        struct endpoint *ret, bool *ret_port)
{
    uint64_t v = 0;
    if (!log_address(json_text(root, ip), ret->address))
        return false;
    *ret_port = json_count(json_object_get(root, port), UINT16_MAX, &v);
    ret->port = (uint16_t)v;
    return true;
}

static uint8_t transport_of(const json_t *root)
{
    if (json_is(root, "proto", "UDP") || json_is(root, "proto", "udp"))
        return TRANSPORT_UDP;
    return json_is(root, "proto", "TCP") || json_is(root, "proto", "tcp") ? TRANSPORT_TCP
                                                                          : TRANSPORT_OTHER;
}

/* Time and endpoints; false for a line that lacks them or has them wrong. */
static bool record_of(const json_t *root, const struct input_options *options,
                      struct log_record *r)
{
    struct endpoint from = { 0 }, to = { 0 };
    bool from_port, to_port;
    if (!log_date(json_text(root, "timestamp"), &r->ts_ns) ||
        !endpoint_of(root, "src_ip", "src_port", &from, &from_port) ||
        !endpoint_of(root, "dest_ip", "dest_port", &to, &to_port))
        return false;
    bool from_server = from_port && log_is_dns_port(options, from.port);
    bool to_server = to_port && log_is_dns_port(options, to.port);
    if (from_server == to_server)
        from_server = r->is_response;
    r->client = from_server ? to : from;
    r->server = from_server ? from : to;
    r->transport = transport_of(root);
    r->known |= KNOWN_ADDRESSES | (from_port && to_port ? KNOWN_PORTS : 0);
    return true;
}

/* "8180", else the bits one by one. *known says whether there was anything. */
static uint16_t flags_of(const json_t *dns, uint16_t *known)
{
    struct slice text = json_text(dns, "flags");
    uint16_t flags = 0;
    if (text.len && text.len <= 4) {
        char buffer[5] = { 0 }, *end;
        memcpy(buffer, text.ptr, text.len);
        flags = (uint16_t)strtoul(buffer, &end, 16);
        if (end == buffer + text.len) {
            *known |= KNOWN_HEADER | KNOWN_RCODE;
            return flags;
        }
    }
    /* Bits that are not set are not written. */
    flags = (json_member_true(dns, "aa") ? WIRE_AA : 0) | (json_member_true(dns, "tc") ? WIRE_TC : 0) |
            (json_member_true(dns, "rd") ? WIRE_RD : 0) | (json_member_true(dns, "ra") ? WIRE_RA : 0);
    if (flags)
        *known |= KNOWN_HEADER;
    return flags;
}

static uint16_t header_of(const json_t *dns, struct log_record *r, uint64_t *ret_id)
{
    uint16_t flags = flags_of(dns, &r->known);
    int rcode = wire_rcode_number(json_text(dns, "rcode"));
    if (rcode >= 0) {
        flags = (uint16_t)((flags & 0xfff0) | rcode);
        r->known |= KNOWN_RCODE;
    }
    if (json_count(json_object_get(dns, "id"), UINT16_MAX, ret_id))
        r->known |= KNOWN_ID;
    return r->is_response ? flags | WIRE_QR : (uint16_t)(flags & ~WIRE_QR);
}

static void print_slice(char **to, char *end, struct slice text)
{
    if (text.len > (size_t)(end - *to))
        text.len = (size_t)(end - *to);
    if (text.len)
        memcpy(*to, text.ptr, text.len);
    *to += text.len;
    if (*to < end)
        *(*to)++ = ' ';
}

/* The members of an object as words, names as text and the rest as numbers. False
 * when one is not there. */
static bool words_of(const json_t *object, const char *const *keys, char *to, size_t room,
                     struct slice *ret)
{
    char *p = to, *end = to + room;
    for (; *keys; keys++) {
        const json_t *value = json_object_get(object, *keys);
        struct slice text = json_text_of(value);
        char number[24];
        uint64_t v;
        if (text.ptr == NULL) {
            if (!json_count(value, UINT32_MAX, &v))
                return false;
            int n = snprintf(number, sizeof number, "%" PRIu64, v);
            text = (struct slice){ (uint8_t *)number, (size_t)n };
        }
        print_slice(&p, end, text);
    }
    *ret = (struct slice){ (uint8_t *)to, (size_t)(p - to) };
    return true;
}

static bool rdata_of(const json_t *record, uint16_t type, char *to, size_t room,
                     struct slice *ret)
{
    static const char *const soa[] = { "mname", "rname", "serial", "refresh",
                                       "retry", "expire", "minimum", NULL };
    static const char *const srv[] = { "priority", "weight", "port", "name", NULL };
    *ret = json_text(record, "rdata");
    if (ret->ptr != NULL)
        return true;
    if (type == WIRE_SOA)
        return words_of(json_object_get(record, "soa"), soa, to, room, ret);
    return type == WIRE_SRV &&
           words_of(json_object_get(record, "srv"), srv, to, room, ret);
}

static bool is_cut(const json_t *object)
{
    return json_member_true(object, "rrname_truncated") || json_member_true(object, "rdata_truncated");
}

static void add_record(struct eve *e, enum wire_section section, const json_t *record)
{
    char words[1024];
    struct slice owner = json_text(record, "rrname"), text;
    uint16_t type = wire_type_number(json_text(record, "rrtype"));
    uint64_t ttl = 0;
    if (!json_count(json_object_get(record, "ttl"), UINT32_MAX, &ttl))
        e->ttls_known = false;
    if (owner.ptr == NULL || type == 0 || is_cut(record) ||
        !rdata_of(record, type, words, sizeof words, &text))
        e->wire.left_out++;
    else
        (void)wire_record(&e->wire, section, owner, type, (uint32_t)ttl, text);
}

static void add_records(struct eve *e, enum wire_section section, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        add_record(e, section, json_array_get(list, i));
}

static struct slice add_chain(struct eve *e, struct slice owner, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct slice name = json_text_of(json_array_get(names, i));
        if (name.ptr == NULL)
            e->wire.left_out++;
        else if (wire_record(&e->wire, WIRE_ANSWER, owner, WIRE_CNAME, 0, name) == 0)
            owner = name;
    }
    return owner;
}

/* Data alone: without a question nobody knows whose. */
static void leave_out_grouped(struct eve *e, json_t *grouped)
{
    const char *key;
    json_t *list;
    json_object_foreach(grouped, key, list)
        e->wire.left_out += (uint32_t)json_array_size(list);
}

static void add_grouped(struct eve *e, struct slice owner, json_t *grouped)
{
    const char *key;
    json_t *list;
    owner = add_chain(e, owner, json_object_get(grouped, "CNAME"));
    json_object_foreach(grouped, key, list) {
        uint16_t type = wire_type_number(slice_of(key));
        if (type == WIRE_CNAME)
            continue;
        for (size_t i = 0; i < json_array_size(list); i++) {
            struct slice text = json_text_of(json_array_get(list, i));
            if (text.ptr == NULL || type == 0)
                e->wire.left_out++;
            else
                (void)wire_record(&e->wire, WIRE_ANSWER, owner, type, 0, text);
        }
    }
    e->ttls_known = false;
}

/* False for a question that does not parse; none at all is fine. A name that was cut is none. A
 * type that is not told or not known leaves the name. */
static bool add_question(struct eve *e, const json_t *from, struct slice *ret_name)
{
    struct slice name = json_text(from, "rrname");
    uint16_t type = wire_type_number(json_text(from, "rrtype"));
    if (name.ptr == NULL || is_cut(from))
        return true;
    *ret_name = name;
    return wire_question(&e->wire, name, type, 1) == 0;
}

/* A record of form 1 is the event itself. */
static bool is_form_1(const json_t *dns)
{
    return json_object_get(dns, "answers") == NULL && json_object_get(dns, "grouped") == NULL &&
           json_object_get(dns, "version") == NULL && json_object_get(dns, "rdata") != NULL;
}

static bool build(struct eve *e, const json_t *dns, bool is_response)
{
    struct slice name = { NULL, 0 };
    json_t *queries = json_object_get(dns, "queries");
    e->ttls_known = true;
    if (is_response && is_form_1(dns)) {
        add_record(e, WIRE_ANSWER, dns);
        return true;
    }
    if (!add_question(e, queries ? json_array_get(queries, 0) : dns, &name))
        return false;
    if (!is_response)
        return true;
    if (json_object_get(dns, "answers") != NULL)
        add_records(e, WIRE_ANSWER, json_object_get(dns, "answers"));
    else if (name.ptr != NULL && json_object_get(dns, "grouped") != NULL)
        add_grouped(e, name, json_object_get(dns, "grouped"));
    else
        leave_out_grouped(e, json_object_get(dns, "grouped"));
    add_records(e, WIRE_AUTHORITY, json_object_get(dns, "authorities"));
    add_records(e, WIRE_ADDITIONAL, json_object_get(dns, "additionals"));
    return true;
}

static int event(struct eve *e, const json_t *root, struct log_sink *sink)
{
    const json_t *dns = json_object_get(root, "dns");
    struct log_record r = { .known = KNOWN_TYPES };
    uint64_t id = 0;
    bool is_query = json_is(dns, "type", "query") || json_is(dns, "type", "request");
    r.is_response = json_is(dns, "type", "answer") || json_is(dns, "type", "response");
    if (!json_is(root, "event_type", "dns") || (!is_query && !r.is_response))
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    if (!record_of(root, sink->options, &r))
        return log_count(sink, TALLY_BAD_LINE);
    uint16_t flags = header_of(dns, &r, &id);
    wire_begin(&e->wire, (uint16_t)id, flags);
    if (!build(e, dns, r.is_response))
        return log_count(sink, TALLY_BAD_LINE);
    if (e->ttls_known)
        r.known |= KNOWN_TTL;
    if (json_object_get(dns, "queries") != NULL && r.is_response)
        r.known |= KNOWN_SECTIONS;
    return log_add_built(sink, &r, &e->wire);
}

int eve_line(struct eve *eve, struct slice line, struct log_sink *sink)
{
    bool nomem;
    if (line.len == 0)
        return log_count(sink, TALLY_NOT_DNS_RECORD);
    json_t *root = json_line(line, &nomem);
    if (root == NULL)
        return nomem ? E_NOMEM : log_count(sink, TALLY_BAD_LINE);
    int result = event(eve, root, sink);
    json_decref(root);
    return result;
}

/* The reader of files. */

static bool eve_probe(const uint8_t *head, size_t len, const char *path)
{
    (void)path;
    return len && head[0] == '{' && memmem(head, len, "\"event_type\"", 12) != NULL;
}

static int on_line(void *parser, struct slice line, struct log_sink *sink)
{
    return eve_line(parser, line, sink);
}

static int eve_open(void **ret_state, struct stream *stream, const struct input_options *options,
                    struct transport *transport, struct fault *why)
{
    (void)transport;
    struct eve *e;
    if (eve_create(&e) != 0)
        return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    return line_reader_open(ret_state, stream, options, e, free, on_line, why);
}

const struct reader_ops reader_eve = {
    .name = "eve",
    .probe = eve_probe,
    .open = eve_open,
    .read = line_reader_read,
    .close = line_reader_close,
};
