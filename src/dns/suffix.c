#include "dns/suffix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

enum rule { RULE_NODE = 1 /* a longer rule passes here */, RULE_SUFFIX = 2, RULE_WILDCARD = 4, RULE_EXCEPTION = 8 };

struct node {
    uint64_t hash; /* 0 = free */
    const uint8_t *prefix;
    uint16_t len;
    uint8_t rules;
};

struct suffix_list {
    struct node *nodes;
    size_t mask;
    size_t used;
    struct arena keys;
    uint64_t digest;
};

static uint64_t prefix_hash(const uint8_t *prefix, size_t len)
{
    return hash_stable(prefix, len) | 1;
}

static struct node *find(const struct suffix_list *list, const uint8_t *prefix, size_t len)
{
    uint64_t hash = prefix_hash(prefix, len);
    for (size_t i = hash >> 20 & list->mask;; i = (i + 1) & list->mask) {
        struct node *node = &list->nodes[i];
        if (node->hash == 0 ||
            (node->hash == hash && node->len == len && memcmp(node->prefix, prefix, len) == 0))
            return node;
    }
}

static int mark(struct suffix_list *list, const uint8_t *prefix, size_t len, uint8_t rule)
{
    struct node *node = find(list, prefix, len);
    if (node->hash == 0) {
        if (list->used * 2 > list->mask)
            return E_LIMIT;
        uint8_t *copy = arena_alloc(&list->keys, len);
        if (copy == NULL)
            return E_NOMEM;
        memcpy(copy, prefix, len);
        *node = (struct node){ prefix_hash(prefix, len), copy, (uint16_t)len, 0 };
        list->used++;
    }
    node->rules |= rule;
    return E_OK;
}

static int add_rule(struct suffix_list *list, const char *text, size_t len)
{
    uint8_t rule = RULE_SUFFIX;
    if (len > 0 && text[0] == '!') {
        rule = RULE_EXCEPTION;
        text++, len--;
    } else if (len > 2 && text[0] == '*' && text[1] == '.') {
        rule = RULE_WILDCARD;
        text += 2, len -= 2;
    }
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t wire_len = name_from_text(text, len, wire);
    size_t key_len = wire_len ? name_owner_key(wire, wire_len, key) : 0;
    if (key_len < 2)
        return E_MALFORMED;
    unsigned labels = name_key_labels(key, key_len);
    for (unsigned i = 1; i < labels; i++) {
        int err = mark(list, key, name_key_prefix(key, key_len, i), RULE_NODE);
        if (err)
            return err;
    }
    return mark(list, key, key_len - 1, rule);
}

/* Rules of the list are in UTF-8; names on the wire are A-labels. libpsl's data has both forms
 * of internationalised rules only in the compiled form, so such lines are converted here
 * (RFC 3492, Punycode: the encoder alone is needed). */
static size_t utf8_decode(const char *text, size_t len, uint32_t *points, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        uint8_t c = (uint8_t)text[i];
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 9;
        if (more == 9 || i + more >= len || n == room)
            return 0;
        uint32_t point = more ? c & (0x3fu >> more) : c;
        for (unsigned k = 1; k <= more; k++)
            point = point << 6 | ((uint8_t)text[i + k] & 0x3f);
        points[n++] = point;
        i += more + 1;
    }
    return n;
}

static uint32_t punycode_adapt(uint32_t delta, uint32_t count, bool first)
{
    delta = first ? delta / 700 : delta / 2;
    delta += delta / count;
    uint32_t k = 0;
    for (; delta > 455; k += 36)
        delta /= 35;
    return k + 36 * delta / (delta + 38);
}

static size_t punycode_number(uint32_t q, uint32_t bias, char *to)
{
    size_t n = 0;
    for (uint32_t k = 36;; k += 36) {
        uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t)
            break;
        uint32_t digit = t + (q - t) % (36 - t);
        to[n++] = (char)(digit < 26 ? 'a' + digit : '0' + digit - 26);
        q = (q - t) / (36 - t);
    }
    to[n++] = (char)(q < 26 ? 'a' + q : '0' + q - 26);
    return n;
}

/* One label to its A-label; `to` has 256 bytes. 0 when it does not fit. */
static size_t label_to_ascii(const char *label, size_t len, char *to)
{
    uint32_t points[63];
    size_t count = utf8_decode(label, len, points, 63), n = 4;
    if (count == 0)
        return 0;
    memcpy(to, "xn--", 4);
    for (size_t i = 0; i < count; i++)
        if (points[i] < 0x80)
            to[n++] = (char)points[i];
    uint32_t basic = (uint32_t)(n - 4), done = basic, code = 128, delta = 0, bias = 72;
    if (basic > 0)
        to[n++] = '-';
    while (done < count) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < count; i++)
            if (points[i] >= code && points[i] < next)
                next = points[i];
        delta += (next - code) * (done + 1);
        code = next;
        for (size_t i = 0; i < count; i++) {
            if (points[i] < code)
                delta++;
            if (points[i] != code)
                continue;
            if (n > 200)
                return 0;
            n += punycode_number(delta, bias, to + n);
            bias = punycode_adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        code++;
    }
    return n;
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)text[i] >= 0x80)
            return false;
    return true;
}

static int add_line(struct suffix_list *list, const char *line, size_t len)
{
    char ascii[1024];
    size_t n = 0;
    for (size_t at = 0; at <= len;) {
        const char *dot = memchr(line + at, '.', len - at);
        size_t label = dot ? (size_t)(dot - line) - at : len - at;
        if (n + 256 > sizeof ascii)
            return E_LIMIT;
        if (is_ascii(line + at, label)) {
            if (label > 255)
                return E_MALFORMED;
            memcpy(ascii + n, line + at, label);
            n += label;
        } else {
            size_t used = label_to_ascii(line + at, label, ascii + n);
            if (used == 0)
                return E_MALFORMED;
            n += used;
        }
        at += label + 1;
        if (dot)
            ascii[n++] = '.';
    }
    return add_rule(list, ascii, n);
}

static size_t rule_count_bound(const char *text, size_t len)
{
    size_t labels = 0;
    for (size_t i = 0; i < len; i++)
        labels += text[i] == '\n' || text[i] == '.';
    return labels + 2;
}

int suffix_parse(struct suffix_list **ret, const char *text, size_t len, struct fault *why)
{
    struct suffix_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return fault_set(why, E_NOMEM, "public suffix list: out of memory");
    size_t size = 16;
    while (size < 3 * rule_count_bound(text, len))
        size *= 2;
    list->mask = size - 1;
    list->nodes = calloc(size, sizeof *list->nodes);
    arena_init(&list->keys, 1 << 16);
    list->digest = hash_stable(text, len);
    int err = list->nodes ? E_OK : E_NOMEM;
    size_t number = 0;
    for (size_t at = 0; at < len && err == E_OK;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_end = end ? (size_t)(end - text) : len, stop = at;
        number++;
        while (stop < line_end && (uint8_t)text[stop] > ' ')
            stop++;
        if (stop > at && (stop - at < 2 || memcmp(text + at, "//", 2) != 0))
            err = add_line(list, text + at, stop - at);
        at = line_end + 1;
    }
    if (err != E_OK) {
        suffix_destroy(&list);
        return fault_set(why, err, "public suffix list: line %zu: %s", number, fault_text(err));
    }
    *ret = list;
    return E_OK;
}

enum { LIST_MAX = 16 << 20 };

int suffix_load(struct suffix_list **ret, const char *path, struct fault *why)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fault_errno(why, errno, "%s: cannot open the public suffix list (Debian package publicsuffix)", path);
    char *text = malloc(LIST_MAX);
    size_t len = text ? fread(text, 1, LIST_MAX, file) : 0;
    bool bad = ferror(file) != 0 || text == NULL;
    fclose(file);
    int err = bad ? fault_set(why, E_IO, "%s: cannot read", path) : suffix_parse(ret, text, len, why);
    free(text);
    return err;
}

void suffix_destroy(struct suffix_list **pointer)
{
    struct suffix_list *list = *pointer;
    if (list == NULL)
        return;
    arena_release(&list->keys);
    free(list->nodes);
    free(list);
    *pointer = NULL;
}

uint64_t suffix_digest(const struct suffix_list *list)
{
    return list->digest;
}

struct suffix_match suffix_find(const struct suffix_list *list, const uint8_t *key, size_t len)
{
    size_t end = 0, suffix = 0, wildcard_parent = SIZE_MAX;
    bool goes_on = true;
    while (end + 1 < len && goes_on) {
        size_t before = end;
        end += name_key_prefix(key + end, len - end, 1);
        const struct node *node = find(list, key, end);
        uint8_t rules = node->hash ? node->rules : 0;
        if (rules & RULE_EXCEPTION) {
            suffix = before;
            goes_on = false;
            break;
        }
        /* A wildcard's parent counts as a suffix too, as in libpsl and browsers. The last case
         * is the default rule "*". */
        if (rules & (RULE_SUFFIX | RULE_WILDCARD) || before == wildcard_parent || before == 0)
            suffix = end;
        if (rules & RULE_WILDCARD)
            wildcard_parent = end;
        goes_on = (rules & (RULE_NODE | RULE_WILDCARD)) != 0;
    }
    size_t more = suffix + 1 < len ? name_key_prefix(key + suffix, len - suffix, 1) : 0;
    return (struct suffix_match){ suffix, more ? suffix + more : 0, more > 0 && !goes_on };
}

bool suffix_tld(const struct suffix_list *list, const uint8_t *key, size_t len)
{
    size_t tld = len > 1 ? name_key_prefix(key, len, 1) : 0;
    return tld > 0 && find(list, key, tld)->hash != 0;
}
