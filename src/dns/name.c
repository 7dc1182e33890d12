#include "dns/name.h"

#define ROW(b)                                                                             \
    b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, b + 7, b + 8, b + 9, b + 10, b + 11,      \
        b + 12, b + 13, b + 14, b + 15
const uint8_t name_lower[256] = {
    ROW(0),   ROW(16),  ROW(32), ROW(48), '@', 'a', 'b', 'c',  'd',  'e',  'f',
    'g',      'h',      'i',     'j',     'k', 'l', 'm', 'n',  'o',  'p',  'q',
    'r',      's',      't',     'u',     'v', 'w', 'x', 'y',  'z',  '[',  '\\',
    ']',      '^',      '_',     ROW(96), ROW(112), ROW(128), ROW(144), ROW(160), ROW(176),
    ROW(192), ROW(208), ROW(224), ROW(240),
};

/* Where each label of a wire name starts; returns the count, -1 when it is not one name. */
static int label_starts(const uint8_t *wire, size_t len, uint8_t starts[NAME_LABELS_MAX])
{
    size_t at = 0;
    int n = 0;
    if (len == 0 || len > NAME_WIRE_MAX)
        return -1;
    while (wire[at] != 0) {
        if (wire[at] > 63 || at + 1 + wire[at] >= len || n == NAME_LABELS_MAX)
            return -1;
        starts[n++] = (uint8_t)at;
        at += 1u + wire[at];
    }
    return at + 1 == len ? n : -1;
}

/* Does a byte of the word need escaping, being 00 or 01? */
static bool has_escape(uint64_t x)
{
    return ((x - NAME_EACH_BYTE(2)) & ~x & NAME_EACH_BYTE(0x80)) != 0;
}

static uint8_t *put_label_escaped(uint8_t *to, const uint8_t *label)
{
    const uint8_t *from = label + 1, *end = from + label[0];
    for (; from < end; from++) {
        uint8_t c = name_lower[*from];
        if (c <= 1) {
            *to++ = 1;
            c++;
        }
        *to++ = c;
    }
    *to++ = 0;
    return to;
}

/* `padded`: seven bytes behind the label may be read, and behind what is put be written. */
static inline uint8_t *put_label(uint8_t *to, const uint8_t *label, bool padded)
{
    const uint8_t *from = label + 1;
    uint8_t *start = to;
    size_t n = label[0];
    for (; n >= 8; to += 8, from += 8, n -= 8) {
        uint64_t word = get_le64(from);
        if (__builtin_expect(has_escape(word), 0))
            return put_label_escaped(start, label);
        put_le64(to, name_lower_word(word));
    }
    if (n) {
        uint64_t word = padded ? get_le64(from) : get_le_short(from, n);
        if (__builtin_expect(has_escape(word | UINT64_MAX << 8 * n), 0))
            return put_label_escaped(start, label);
        if (padded)
            put_le64(to, name_lower_word(word));
        else
            put_le_short(to, name_lower_word(word), n);
        to += n;
    }
    *to++ = 0;
    return to;
}

static inline size_t owner_key(const uint8_t *wire, size_t len, uint8_t *key, bool padded)
{
    uint8_t starts[NAME_LABELS_MAX];
    int n = label_starts(wire, len, starts);
    if (n < 0)
        return 0;
    uint8_t *to = key;
    while (n-- > 0)
        to = put_label(to, wire + starts[n], padded);
    *to++ = 0;
    return (size_t)(to - key);
}

size_t name_owner_key(const uint8_t *wire, size_t len, uint8_t *key)
{
    return owner_key(wire, len, key, false);
}

size_t name_owner_key_padded(const uint8_t *wire, size_t len, uint8_t *key)
{
    return owner_key(wire, len, key, true);
}

size_t name_forward_key(const uint8_t *wire, size_t len, uint8_t *key)
{
    uint8_t starts[NAME_LABELS_MAX];
    int n = label_starts(wire, len, starts);
    if (n < 0)
        return 0;
    uint8_t *to = key;
    for (int i = 0; i < n; i++)
        to = put_label(to, wire + starts[i], false);
    *to++ = 0;
    return (size_t)(to - key);
}

/* The first 00 of the key, or `len`. */
static size_t label_end(const uint8_t *key, size_t len)
{
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t word = get_le64(key + at);
        uint64_t zeros = (word - NAME_EACH_BYTE(1)) & ~word & NAME_EACH_BYTE(0x80);
        if (zeros)
            return at + (size_t)__builtin_ctzll(zeros) / 8;
    }
    while (at < len && key[at] != 0)
        at++;
    return at;
}

/* Where each label of a key starts, and behind the last its end; count or -1. */
static int key_label_starts(const uint8_t *key, size_t len, uint16_t starts[NAME_LABELS_MAX + 1])
{
    size_t at = 0;
    int n = 0;
    if (len == 0 || len > NAME_KEY_MAX)
        return -1;
    while (key[at] != 0) {
        if (n == NAME_LABELS_MAX)
            return -1;
        starts[n++] = (uint16_t)at;
        at += label_end(key + at, len - at) + 1;
        if (at >= len)
            return -1;
    }
    starts[n] = (uint16_t)at;
    return at + 1 == len ? n : -1;
}

/* One key label, its 00 excluded, to wire; NULL when it is malformed or too long. */
static uint8_t *unescape_label(const uint8_t *from, size_t len, uint8_t *to, const uint8_t *wire_end)
{
    uint8_t *count = to++;
    for (const uint8_t *end = from + len; from < end; from++) {
        uint8_t c = *from;
        if (c == 1) {
            if (++from == end || *from < 1 || *from > 2)
                return NULL;
            c = (uint8_t)(*from - 1);
        }
        if (to >= wire_end)
            return NULL;
        *to++ = c;
    }
    size_t n = (size_t)(to - count) - 1;
    if (n == 0 || n > 63)
        return NULL;
    *count = (uint8_t)n;
    return to;
}

static size_t key_to_wire(const uint8_t *key, size_t len, uint8_t *wire, bool reversed)
{
    uint16_t starts[NAME_LABELS_MAX + 1];
    int n = key_label_starts(key, len, starts);
    if (n < 0)
        return 0;
    uint8_t *to = wire;
    const uint8_t *end = wire + NAME_WIRE_MAX - 1; /* room for the root label */
    for (int i = 0; i < n; i++) {
        int k = reversed ? n - 1 - i : i;
        if (to >= end)
            return 0;
        to = unescape_label(key + starts[k], (size_t)(starts[k + 1] - starts[k] - 1), to, end);
        if (to == NULL)
            return 0;
    }
    *to++ = 0;
    return (size_t)(to - wire);
}

size_t name_from_owner_key(const uint8_t *key, size_t len, uint8_t *wire)
{
    return key_to_wire(key, len, wire, true);
}

size_t name_from_forward_key(const uint8_t *key, size_t len, uint8_t *wire)
{
    return key_to_wire(key, len, wire, false);
}

size_t name_key_length(const uint8_t *ptr, size_t len)
{
    size_t at = 0;
    if (len > NAME_KEY_MAX)
        len = NAME_KEY_MAX;
    while (at < len && ptr[at] != 0)
        at += label_end(ptr + at, len - at) + 1;
    return at < len ? at + 1 : 0;
}

size_t name_key_reverse(const uint8_t *key, size_t len, uint8_t *reversed)
{
    uint16_t starts[NAME_LABELS_MAX + 1];
    int n = key_label_starts(key, len, starts);
    if (n < 0)
        return 0;
    uint8_t *to = reversed;
    while (n-- > 0) {
        size_t label = (size_t)(starts[n + 1] - starts[n]);
        memcpy(to, key + starts[n], label);
        to += label;
    }
    *to = 0;
    return len;
}

size_t name_key_prefix(const uint8_t *key, size_t len, unsigned labels)
{
    size_t at = 0;
    while (labels-- > 0 && at < len && key[at] != 0) {
        size_t end = at + label_end(key + at, len - at);
        if (end == len)
            break;
        at = end + 1;
    }
    return at;
}

unsigned name_key_labels(const uint8_t *key, size_t len)
{
    unsigned n = 0;
    for (size_t at = 0; at < len && key[at] != 0; n++)
        at += label_end(key + at, len - at) + 1;
    return n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One character of presentation form at text[*at], escapes undone; -1 when broken. */
static int text_byte(const char *text, size_t len, size_t *at)
{
    char c = text[(*at)++];
    if (c != '\\')
        return (uint8_t)c;
    if (*at >= len)
        return -1;
    if (!is_digit(text[*at]))
        return (uint8_t)text[(*at)++];
    if (len - *at < 3 || !is_digit(text[*at + 1]) || !is_digit(text[*at + 2]))
        return -1;
    int v = (text[*at] - '0') * 100 + (text[*at + 1] - '0') * 10 + (text[*at + 2] - '0');
    *at += 3;
    return v <= 255 ? v : -1;
}

size_t name_from_text(const char *text, size_t len, uint8_t *wire)
{
    if (len == 0)
        return 0;
    if (len == 1 && text[0] == '.') {
        wire[0] = 0;
        return 1;
    }
    size_t count = 0, to = 1; /* wire[count] is the open label's length byte */
    for (size_t at = 0; at < len;) {
        if (text[at] == '.') {
            size_t n = to - count - 1;
            if (n == 0 || to >= NAME_WIRE_MAX)
                return 0;
            wire[count] = (uint8_t)n;
            count = to++;
            at++;
            continue;
        }
        int c = text_byte(text, len, &at);
        if (c < 0 || to - count > 63 || to >= NAME_WIRE_MAX)
            return 0;
        wire[to++] = (uint8_t)c;
    }
    size_t n = to - count - 1;
    wire[count] = (uint8_t)n;
    if (n > 0) {
        if (to >= NAME_WIRE_MAX)
            return 0;
        wire[to++] = 0;
    }
    return to;
}

size_t name_to_text(const uint8_t *wire, size_t len, char *text)
{
    static const char special[] = ".\\\"();@$";
    char *to = text;
    size_t at = 0;
    if (len == 1)
        *to++ = '.';
    while (at < len && wire[at] != 0) {
        size_t end = at + 1 + wire[at];
        for (at++; at < end && at < len; at++) {
            uint8_t c = wire[at];
            if (c <= 0x20 || c >= 0x7f) {
                *to++ = '\\';
                *to++ = (char)('0' + c / 100);
                *to++ = (char)('0' + c / 10 % 10);
                *to++ = (char)('0' + c % 10);
                continue;
            }
            if (strchr(special, c) != NULL)
                *to++ = '\\';
            *to++ = (char)c;
        }
        *to++ = '.';
    }
    *to = '\0';
    return (size_t)(to - text);
}

size_t name_wire_length(const uint8_t *ptr, size_t len)
{
    size_t at = 0;
    if (len > NAME_WIRE_MAX)
        len = NAME_WIRE_MAX;
    while (at < len && ptr[at] != 0) {
        if (ptr[at] > 63)
            return 0;
        at += 1u + ptr[at];
    }
    return at < len ? at + 1 : 0;
}
