/* name: domain names as bytes, in wire form and as keys that sort.
 *
 * Three forms. Wire (RFC 1035, 3.1): length-prefixed labels, at most 255 bytes.
 * Owner key (docs/format/records.md): lower-case labels, last first, each ended by 00,
 * then 00. Forward key: the same in reading order. Keys escape bytes 00 and 01 inside
 * labels, so a key is at most NAME_KEY_MAX bytes. Presentation: RFC 1035, 5.1, with
 * \DDD for what is not printable. Pure functions; no allocation; any thread.
 */
#ifndef DNSMON_DNS_NAME_H
#define DNSMON_DNS_NAME_H

#include "base/bytes.h"
#include "base/fault.h"

enum {
    NAME_WIRE_MAX = 255,
    NAME_LABELS_MAX = 127,
    NAME_KEY_MAX = 512,   /* 254 content bytes at worst escaped to two each, plus the end */
    NAME_TEXT_MAX = 1024, /* four characters a byte, plus dots */
};

/* ASCII lower case (RFC 4343); other bytes unchanged. */
extern const uint8_t name_lower[256];

#define NAME_EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Eight characters at once: the high bit of each byte of `upper` says that it is 'A' to 'Z'. */
static inline uint64_t name_lower_word(uint64_t x)
{
    uint64_t low = x & NAME_EACH_BYTE(0x7f);
    uint64_t from_a = low + NAME_EACH_BYTE(0x80 - 'A'), beyond_z = low + NAME_EACH_BYTE(0x7f - 'Z');
    uint64_t upper = (from_a ^ beyond_z) & ~x & NAME_EACH_BYTE(0x80);
    return x | upper >> 2;
}

/* Lower case for `n` bytes; length bytes, being below 'A', may be among them. */
static inline void name_lower_copy(uint8_t *to, const uint8_t *from, size_t n)
{
    for (; n >= 8; to += 8, from += 8, n -= 8)
        put_le64(to, name_lower_word(get_le64(from)));
    if (n)
        put_le_short(to, name_lower_word(get_le_short(from, n)), n);
}

/* An uncompressed name in wire form to keys; lower-cased. Returns the key's length, or 0
 * when `wire` is not one whole name of `len` bytes. `key` has NAME_KEY_MAX bytes. */
size_t name_owner_key(const uint8_t *wire, size_t len, uint8_t *key);
size_t name_forward_key(const uint8_t *wire, size_t len, uint8_t *key);

/* The same, faster, for arrays that have NAME_PADDING bytes more than the name and the key need;
 * what is there afterwards is undefined. */
enum { NAME_PADDING = 8 };
size_t name_owner_key_padded(const uint8_t *wire, size_t len, uint8_t *key);

/* Keys back to wire; 0 when the key is not well formed or does not fill `len` exactly. */
size_t name_from_owner_key(const uint8_t *key, size_t len, uint8_t *wire);
size_t name_from_forward_key(const uint8_t *key, size_t len, uint8_t *wire);

/* The length of the key (00 at the end included) at the start of `ptr`, which may hold more
 * behind it; 0 when none ends within `len`. */
size_t name_key_length(const uint8_t *ptr, size_t len);

/* Owner key to forward key and back (the label order reversed). */
size_t name_key_reverse(const uint8_t *key, size_t len, uint8_t *reversed);

/* How many bytes of an owner key its last `labels` labels take (com, example: 2); the
 * whole but the final 00 when there are fewer. */
size_t name_key_prefix(const uint8_t *key, size_t len, unsigned labels);

/* The number of labels of a key. */
unsigned name_key_labels(const uint8_t *key, size_t len);

/* Presentation to wire and back. Text may lack the final dot; "." is the root. Returns the
 * length, or 0 on bad escapes, empty labels, labels over 63, names over 255. The text form
 * ends with a dot and a NUL; the NUL is not counted. */
size_t name_from_text(const char *text, size_t len, uint8_t *wire);
size_t name_to_text(const uint8_t *wire, size_t len, char *text);

/* The length of the uncompressed name at the start of `ptr`, 0 when there is none. */
size_t name_wire_length(const uint8_t *ptr, size_t len);

#endif
