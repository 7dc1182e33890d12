#include "detect/parts.h"

#include <ctype.h>

void parts_text(struct slice key, char text[NAME_TEXT_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t len = name_from_owner_key(key.ptr, key.len, wire);
    text[0] = '\0';
    if (len == 0)
        return;
    size_t n = name_to_text(wire, len, text);
    text[n - 1] = '\0';
}

struct slice parts_key(const char *text, size_t len, uint8_t to[NAME_KEY_MAX])
{
    uint8_t wire[NAME_WIRE_MAX];
    size_t n = name_from_text(text, len, wire);
    return (struct slice){ to, n ? name_owner_key(wire, n, to) : 0 };
}

struct slice parts_registered(const struct suffix_list *suffixes, struct slice key, uint8_t to[NAME_KEY_MAX])
{
    size_t len = key.len ? suffix_find(suffixes, key.ptr, key.len).registered : 0;
    if (len == 0)
        return (struct slice){ to, 0 };
    memcpy(to, key.ptr, len);
    to[len] = 0;
    return (struct slice){ to, len + 1 };
}

struct slice parts_target(uint16_t type, struct slice rdata, uint8_t to[NAME_KEY_MAX])
{
    struct rdata_layout layout = rdata_layout(type);
    if (type == TYPE_SVCB || type == TYPE_HTTPS)
        layout = (struct rdata_layout){ .lead = 2, .names = 1 };
    if (layout.names == 0 || rdata.len <= layout.lead)
        return (struct slice){ to, 0 };
    const uint8_t *name = rdata.ptr + layout.lead;
    size_t len = name_wire_length(name, rdata.len - layout.lead);
    return (struct slice){ to, len ? name_owner_key(name, len, to) : 0 };
}

bool parts_within(struct slice name, struct slice domain)
{
    return domain.len > 1 && name.len >= domain.len && memcmp(name.ptr, domain.ptr, domain.len - 1) == 0;
}

struct slice parts_word(const struct suffix_list *suffixes, struct slice domain)
{
    struct suffix_match match = { 0 };
    if (domain.len)
        match = suffix_find(suffixes, domain.ptr, domain.len);
    if (match.registered <= match.suffix + 1)
        return (struct slice){ domain.ptr, 0 };
    return (struct slice){ domain.ptr + match.suffix, match.registered - match.suffix - 1 };
}

static size_t common_start(struct slice a, struct slice b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

static size_t common_end(struct slice a, struct slice b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[a.len - 1 - n] == b.ptr[b.len - 1 - n])
        n++;
    return n;
}

bool parts_same_brand(struct slice a, struct slice b)
{
    struct slice less = a.len < b.len ? a : b, more = a.len < b.len ? b : a;
    if (slice_compare(a, b) == 0)
        return true;
    if (less.len >= 4 && memmem(more.ptr, more.len, less.ptr, less.len) != NULL)
        return true;
    size_t start = common_start(a, b), end = common_end(a, b), common = start > end ? start : end;
    return common >= 5 && 3 * common >= 2 * less.len;
}

bool parts_random(const char *label, size_t len)
{
    if (len < 6)
        return false;
    unsigned turns = 0, run = 0, longest = 0;
    for (size_t i = 0; i < len; i++) {
        bool digit = isdigit((uint8_t)label[i]), letter = isalpha((uint8_t)label[i]);
        bool before = i > 0 && isdigit((uint8_t)label[i - 1]), letter_before = i > 0 && isalpha((uint8_t)label[i - 1]);
        turns += (digit && letter_before) || (letter && before);
        run = letter && strchr("aeiouy", label[i]) == NULL ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return turns >= 3 || longest >= 5;
}

static bool not_global4(const uint8_t *a)
{
    return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254) ||
           (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64);
}

uint64_t parts_network(struct slice address)
{
    if (address.len == 4 && !not_global4(address.ptr))
        return (uint64_t)4 << 56 | get_be16(address.ptr);
    if (address.len == 16 && (address.ptr[0] & 0xe0) == 0x20) /* 2000::/3, RFC 4291 2.4 */
        return (uint64_t)16 << 56 | get_be32(address.ptr);
    return 0;
}
