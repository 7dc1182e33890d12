#include "detect/look-alike/skeleton.h"

#include <string.h>

/* ---- RFC 3492 ---- */

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
        delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a');
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    return c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 26 : BASE;
}

/* A generalised variable-length integer (3.3), added to *i; false on bad digits and overflow. */
static bool take_delta(const char **at, const char *end, uint32_t bias, uint32_t *i)
{
    uint32_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit = *at < end ? digit_of(*(*at)++) : BASE;
        if (digit >= BASE || digit > (UINT32_MAX - *i) / weight)
            return false;
        *i += digit * weight;
        uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
        if (digit < t)
            return true;
        if (weight > UINT32_MAX / (BASE - t))
            return false;
        weight *= BASE - t;
    }
}

static size_t take_basic(const char **at, const char *end, uint32_t *to, size_t room)
{
    const char *dash = memrchr(*at, '-', (size_t)(end - *at));
    size_t n = 0;
    if (dash == NULL || (size_t)(dash - *at) > room)
        return 0;
    while (*at < dash)
        to[n++] = (unsigned char)*(*at)++;
    (*at)++;
    return n;
}

size_t punycode_decode(const char *text, size_t len, uint32_t *to, size_t room)
{
    const char *at = text, *end = text + len;
    uint32_t n = INITIAL_N, i = 0, bias = INITIAL_BIAS;
    size_t points = take_basic(&at, end, to, room);
    while (at < end) {
        uint32_t before = i;
        if (points == room || !take_delta(&at, end, bias, &i))
            return 0;
        points++;
        bias = adapt(i - before, (uint32_t)points, before == 0);
        if (i / points > 0x10ffff - n)
            return 0;
        n += i / (uint32_t)points;
        if (n >= 0xd800 && n < 0xe000)
            return 0;
        i %= (uint32_t)points;
        memmove(&to[i + 1], &to[i], (points - 1 - i) * sizeof *to);
        to[i++] = n;
    }
    return points;
}

/* ---- what looks like what ---- */

struct like {
    uint32_t from, to; /* code points */
    char ascii;
    bool accented; /* Latin with a mark; else of another script */
};

static const struct like likes[] = {
    { 0xe0, 0xe5, 'a', true }, { 0xe7, 0xe7, 'c', true }, { 0xe8, 0xeb, 'e', true }, { 0xec, 0xef, 'i', true }, { 0xf1, 0xf1, 'n', true },
    { 0xf2, 0xf6, 'o', true }, { 0xf8, 0xf8, 'o', true }, { 0xf9, 0xfc, 'u', true }, { 0xfd, 0xfd, 'y', true }, { 0xff, 0xff, 'y', true },
    { 0x100, 0x105, 'a', true }, { 0x106, 0x10d, 'c', true }, { 0x10e, 0x111, 'd', true }, { 0x112, 0x11b, 'e', true },
    { 0x11c, 0x123, 'g', true }, { 0x124, 0x127, 'h', true }, { 0x128, 0x131, 'i', true }, { 0x134, 0x135, 'j', true }, { 0x136, 0x137, 'k', true },
    { 0x139, 0x142, 'l', true }, { 0x143, 0x148, 'n', true }, { 0x14c, 0x151, 'o', true }, { 0x154, 0x159, 'r', true },
    { 0x15a, 0x161, 's', true }, { 0x162, 0x167, 't', true }, { 0x168, 0x173, 'u', true }, { 0x174, 0x175, 'w', true }, { 0x176, 0x177, 'y', true },
    { 0x179, 0x17e, 'z', true }, { 0x218, 0x219, 's', true }, { 0x21a, 0x21b, 't', true }, { 0x251, 0x251, 'a', false }, { 0x261, 0x261, 'g', false },
    { 0x3b1, 0x3b1, 'a', false }, { 0x3b9, 0x3b9, 'i', false }, { 0x3ba, 0x3ba, 'k', false }, { 0x3bd, 0x3bd, 'v', false }, { 0x3bf, 0x3bf, 'o', false },
    { 0x3c1, 0x3c1, 'p', false }, { 0x3c4, 0x3c4, 't', false }, { 0x3c5, 0x3c5, 'u', false }, { 0x3c7, 0x3c7, 'x', false }, { 0x3f2, 0x3f2, 'c', false },
    { 0x430, 0x430, 'a', false }, { 0x435, 0x435, 'e', false }, { 0x43a, 0x43a, 'k', false }, { 0x43c, 0x43c, 'm', false }, { 0x43e, 0x43e, 'o', false },
    { 0x43f, 0x43f, 'n', false }, { 0x440, 0x440, 'p', false }, { 0x441, 0x441, 'c', false }, { 0x442, 0x442, 't', false }, { 0x443, 0x443, 'y', false },
    { 0x445, 0x445, 'x', false }, { 0x455, 0x455, 's', false }, { 0x456, 0x457, 'i', false }, { 0x458, 0x458, 'j', false }, { 0x475, 0x475, 'v', false },
    { 0x4bb, 0x4bb, 'h', false }, { 0x4cf, 0x4cf, 'l', false }, { 0x501, 0x501, 'd', false }, { 0x51b, 0x51b, 'q', false }, { 0x51d, 0x51d, 'w', false },
    { 0x585, 0x585, 'o', false }, { 0x1ea0, 0x1eb7, 'a', true }, { 0x1eb8, 0x1ec7, 'e', true }, { 0x1ec8, 0x1ecb, 'i', true },
    { 0x1ecc, 0x1ee3, 'o', true }, { 0x1ee4, 0x1ef1, 'u', true }, { 0x1ef2, 0x1ef9, 'y', true },
};

static const struct like *like_of(uint32_t point)
{
    for (size_t i = 0; i < sizeof likes / sizeof likes[0]; i++)
        if (point >= likes[i].from && point <= likes[i].to)
            return &likes[i];
    return NULL;
}

static bool to_ascii(const uint32_t *points, size_t n, struct skeleton *ret)
{
    for (size_t i = 0; i < n; i++) {
        const struct like *like = points[i] < 0x80 ? NULL : like_of(points[i]);
        if (points[i] >= 0x80 && like == NULL)
            return false;
        ret->text[i] = like != NULL ? like->ascii : (char)points[i];
        ret->foreign |= like != NULL && !like->accented;
        ret->accented |= like != NULL && like->accented;
    }
    ret->len = n;
    return true;
}

static char flat(char c)
{
    static const char from[] = "01i34578", to[] = "olleastb";
    const char *at = memchr(from, c, sizeof from - 1);
    return at != NULL ? to[at - from] : c;
}

/* In place: pairs of letters and digits that look like one letter. */
static void flatten(struct skeleton *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->len; i++) {
        bool more = i + 1 < s->len;
        if (more && s->text[i] == 'r' && s->text[i + 1] == 'n')
            s->text[n++] = 'm', i++;
        else if (more && s->text[i] == 'v' && s->text[i + 1] == 'v')
            s->text[n++] = 'w', i++;
        else
            s->text[n++] = flat(s->text[i]);
    }
    s->len = n;
}

bool skeleton_of(const char *label, size_t len, struct skeleton *ret)
{
    struct skeleton s = { .len = len };
    if (len > 4 && memcmp(label, "xn--", 4) == 0) {
        uint32_t points[SKELETON_MAX];
        size_t n = punycode_decode(label + 4, len - 4, points, SKELETON_MAX);
        if (n == 0 || !to_ascii(points, n, &s))
            return false;
    } else if (len > SKELETON_MAX) {
        return false;
    } else {
        memcpy(s.text, label, len);
    }
    flatten(&s);
    *ret = s;
    return true;
}
