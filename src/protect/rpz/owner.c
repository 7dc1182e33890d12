#include "protect/rpz/owner.h"

#include <arpa/inet.h>
#include <stdio.h>

/* Names */

static bool label_is(const uint8_t *label, const char *text)
{
    size_t len = strlen(text);
    return label[0] == len && memcmp(label + 1, text, len) == 0;
}

/* What is wrong with these labels as the name of a trigger, or NULL. */
static const char *name_fault(const uint8_t *wire, size_t len)
{
    const uint8_t *last = NULL;
    if (len <= 1)
        return "the root cannot be listed";
    for (const uint8_t *at = wire; *at; at += *at + 1) {
        if (label_is(at, "*"))
            return "a wildcard is no name";
        last = at;
    }
    if (last[0] >= 4 && memcmp(last + 1, "rpz-", 4) == 0)
        return "a name below rpz-... would be another kind of trigger";
    return label_is(last, OWNER_WHY) ? "a name below " OWNER_WHY " is the zone's own" : NULL;
}

static int put_name(const char *text, size_t room, struct owner *o, struct fault *why)
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_text(text, strlen(text), wire);
    if (len == 0)
        return fault_set(why, E_MALFORMED, "%.256s: not a domain name", text);
    name_lower_copy(wire, wire, len);
    const char *fault = name_fault(wire, len);
    if (fault != NULL)
        return fault_set(why, E_MALFORMED, "%.256s: %s", text, fault);
    if (len - 1 > room)
        return fault_set(why, E_MALFORMED, "%.256s: too long for the zone, by %zu bytes", text, len - 1 - room);
    memcpy(o->labels, wire, len - 1);
    o->len = (uint8_t)(len - 1);
    return 0;
}

/* Addresses */

static void put_label(struct owner *o, const char *text)
{
    size_t len = strlen(text);
    o->labels[o->len] = (uint8_t)len;
    memcpy(o->labels + o->len + 1, text, len);
    o->len = (uint8_t)(o->len + 1 + len);
}

static void put_number(struct owner *o, const char *format, unsigned n)
{
    char text[8];
    snprintf(text, sizeof text, format, n);
    put_label(o, text);
}

/* The longest run of two or more zero words, the first of equals (RFC 5952, 4.2); *ret_len is 0 when there is none. */
static unsigned longest_zeros(const uint16_t words[8], unsigned *ret_len)
{
    unsigned best = 0, best_len = 1;
    for (unsigned i = 0, run = 0; i < 8; i++) {
        run = words[i] ? 0 : run + 1;
        if (run > best_len) {
            best_len = run;
            best = i + 1 - run;
        }
    }
    *ret_len = best_len > 1 ? best_len : 0;
    return best;
}

static void put_v6(struct owner *o, const uint8_t bytes[16])
{
    uint16_t words[8];
    unsigned zeros_len;
    for (unsigned i = 0; i < 8; i++)
        words[i] = get_be16(bytes + 2 * i);
    unsigned zeros = longest_zeros(words, &zeros_len);
    for (unsigned i = 8; i-- > 0;) {
        if (zeros_len == 0 || i < zeros || i >= zeros + zeros_len)
            put_number(o, "%x", words[i]);
        else if (i == zeros)
            put_label(o, "zz");
    }
}

static bool bits_beyond(const uint8_t *bytes, unsigned bits, unsigned length)
{
    for (unsigned i = length; i < bits; i++)
        if (bytes[i / 8] & 0x80 >> i % 8)
            return true;
    return false;
}

/* "ADDRESS" or "ADDRESS/LENGTH". Its bits, 32 or 128, or 0. */
static unsigned parse_network(const char *text, uint8_t bytes[16], unsigned *ret_length)
{
    char address[INET6_ADDRSTRLEN];
    size_t len = strcspn(text, "/");
    if (len >= sizeof address)
        return 0;
    memcpy(address, text, len);
    address[len] = '\0';
    unsigned bits = inet_pton(AF_INET, address, bytes) == 1 ? 32 : inet_pton(AF_INET6, address, bytes) == 1 ? 128 : 0;
    *ret_length = bits;
    if (text[len] == '\0')
        return bits;
    *ret_length = 0;
    for (const char *at = text + len + 1; *at >= '0' && *at <= '9' && *ret_length < 1000; at++) {
        *ret_length = *ret_length * 10 + (unsigned)(*at - '0');
        if (at[1] == '\0')
            return *ret_length >= 1 && *ret_length <= bits ? bits : 0;
    }
    return 0;
}

void owner_of_network(const uint8_t *bytes, unsigned bits, unsigned length, struct owner *ret)
{
    ret->subtree = false;
    ret->len = 0;
    put_number(ret, "%u", length);
    if (bits == 128)
        put_v6(ret, bytes);
    for (unsigned i = 4; bits == 32 && i-- > 0;)
        put_number(ret, "%u", bytes[i]);
    put_label(ret, "rpz-ip");
}

static int put_address(const char *text, struct owner *o, struct fault *why)
{
    uint8_t bytes[16];
    unsigned length, bits = parse_network(text, bytes, &length);
    if (bits == 0)
        return fault_set(why, E_MALFORMED, "%.256s: neither an address nor ADDRESS/LENGTH of some", text);
    if (bits_beyond(bytes, bits, length))
        return fault_set(why, E_MALFORMED, "%.256s: has bits beyond its length", text);
    owner_of_network(bytes, bits, length, o);
    return 0;
}

int owner_make(enum trigger trigger, const char *text, size_t room, struct owner *ret, struct fault *why)
{
    static const char nsdname[] = "rpz-nsdname";
    struct owner o = { .subtree = trigger == TRIGGER_DOMAIN || trigger == TRIGGER_NAMESERVER };
    size_t suffix = trigger == TRIGGER_NAMESERVER ? sizeof nsdname : 0;
    size_t star = o.subtree ? 2 : 0;
    if (room < suffix + star)
        return fault_set(why, E_MALFORMED, "%.256s: the zone's name leaves no room", text);
    int e = trigger == TRIGGER_ADDRESS ? put_address(text, &o, why) : put_name(text, room - suffix - star, &o, why);
    if (e != 0)
        return e;
    if (suffix)
        put_label(&o, nsdname);
    if (o.len + star > room)
        return fault_set(why, E_MALFORMED, "%.256s: too long for the zone", text);
    *ret = o;
    return 0;
}

/* Back */

enum { ADDRESS_LABELS_MAX = 10 }; /* a length, eight words, rpz-ip */

/* Labels as strings; how many, 0 when they are more than an address has or longer than its are. */
static unsigned split_labels(const uint8_t *labels, size_t len, char (*words)[8])
{
    unsigned n = 0;
    for (size_t at = 0; at < len; at += labels[at] + 1u) {
        if (n == ADDRESS_LABELS_MAX || labels[at] >= sizeof words[0])
            return 0;
        memcpy(words[n], labels + at + 1, labels[at]);
        words[n++][labels[at]] = '\0';
    }
    return n;
}

/* "zz.db8.2001" to "2001:db8::", "1.2.0.192" to "192.0.2.1". Whether that is an address is seen later. */
static void join_address(char (*words)[8], unsigned n, bool is_v6, char text[64])
{
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = n; i-- > 0;) {
        bool is_zeros = is_v6 && strcmp(words[i], "zz") == 0;
        const char *before = i + 1 == n ? (is_zeros ? ":" : "") : is_v6 ? ":" : ".";
        at += (size_t)snprintf(text + at, 64 - at, "%s%s", before, is_zeros ? (i == 0 ? ":" : "") : words[i]);
        if (at >= 64)
            return;
    }
}

static bool address_text(const uint8_t *labels, size_t len, char text[NAME_TEXT_MAX])
{
    char words[ADDRESS_LABELS_MAX][8], joined[64];
    uint8_t bytes[16];
    unsigned n = split_labels(labels, len, words);
    if (n < 3 || strcmp(words[n - 1], "rpz-ip") != 0)
        return false;
    join_address(words + 1, n - 2, false, joined);
    bool is_v4 = inet_pton(AF_INET, joined, bytes) == 1;
    if (!is_v4)
        join_address(words + 1, n - 2, true, joined);
    if (!is_v4 && inet_pton(AF_INET6, joined, bytes) != 1)
        return false;
    (void)inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN);
    if (strcmp(words[0], is_v4 ? "32" : "128") != 0)
        snprintf(text + strlen(text), 16, "/%s", words[0]);
    return true;
}

/* Without its last label, where that is `suffix`. */
static bool name_text(const uint8_t *labels, size_t len, const char *suffix, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t end = len, suffix_len = suffix ? strlen(suffix) + 1 : 0;
    if (len >= NAME_WIRE_MAX || len <= suffix_len)
        return false;
    if (suffix_len && !label_is(labels + (end -= suffix_len), suffix))
        return false;
    memcpy(wire, labels, end);
    wire[end] = 0;
    size_t text_len = name_to_text(wire, end + 1, text);
    if (text_len > 1)
        text[text_len - 1] = '\0'; /* the final dot */
    return text_len > 1;
}

/* Whatever was read must make the same labels again: so nothing that is nearly an owner is taken for one. */
bool owner_text(const uint8_t *labels, size_t len, enum trigger *ret_trigger, char ret_text[NAME_TEXT_MAX])
{
    static const enum trigger order[] = { TRIGGER_ADDRESS, TRIGGER_NAMESERVER, TRIGGER_HOST };
    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        char text[NAME_TEXT_MAX];
        struct owner o;
        bool read = order[i] == TRIGGER_ADDRESS ? address_text(labels, len, text)
                                                : name_text(labels, len, order[i] == TRIGGER_HOST ? NULL : "rpz-nsdname", text);
        if (!read || owner_make(order[i], text, NAME_WIRE_MAX, &o, NULL) != 0 || o.len != len || memcmp(o.labels, labels, len) != 0)
            continue;
        *ret_trigger = order[i];
        memcpy(ret_text, text, strlen(text) + 1);
        return true;
    }
    return false;
}
