#include "simulate/naming.h"

#include "simulate/words.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *suffix;
    uint8_t weight;
} suffixes[] = {
    { "com", 120 }, { "net", 16 }, { "org", 16 }, { "de", 16 }, { "co.uk", 10 }, { "ru", 10 }, { "cn", 8 },
    { "nl", 6 },    { "fr", 6 },   { "it", 5 },   { "pl", 5 },  { "info", 5 },   { "com.br", 5 }, { "io", 4 },
    { "com.cn", 3 }, { "jp", 3 },  { "co.jp", 3 }, { "eu", 3 }, { "com.au", 3 }, { "es", 3 },   { "ch", 3 },
    { "biz", 2 },   { "xyz", 4 },  { "top", 3 },  { "online", 2 }, { "site", 2 }, { "shop", 3 }, { "club", 1 },
    { "app", 2 },   { "dev", 2 },  { "me", 2 },   { "tv", 1 },  { "co", 3 },     { "us", 2 },    { "ca", 2 },
    { "cz", 2 },    { "se", 2 },   { "tk", 1 },   { "ml", 1 },  { "cc", 1 },     { "github.io", 3 },
    { "blogspot.com", 3 }, { "netlify.app", 1 }, { "herokuapp.com", 1 }, { "ac.uk", 1 }, { "edu", 1 }, { "gov", 1 },
};
enum { SUFFIXES = sizeof suffixes / sizeof suffixes[0] };

const char *naming_suffix(struct rng *r)
{
    static uint32_t total;
    if (total == 0)
        for (size_t i = 0; i < SUFFIXES; i++)
            total += suffixes[i].weight;
    uint32_t x = rng_below(r, total);
    size_t i = 0;
    while (x >= suffixes[i].weight)
        x -= suffixes[i++].weight;
    return suffixes[i].suffix;
}

const char *naming_cheap_suffix(struct rng *r)
{
    static const char *const cheap[] = { "com", "com", "com", "net", "info", "tk", "ml", "xyz", "top", "online", "site",
                                         "club", "cc", "ru", "biz", "me", "shop" };
    return cheap[rng_below(r, sizeof cheap / sizeof cheap[0])];
}

void naming_random(struct rng *r, char *to, size_t n, bool digits)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < n; i++)
        to[i] = alphabet[rng_below(r, digits && i > 0 ? 36 : 26)];
}

/* n words of a list joined by `join`. */
static void joined(struct rng *r, enum word_list list, unsigned n, const char *join, char *to)
{
    size_t len = 0;
    to[0] = '\0';
    for (unsigned i = 0; i < n && len < 30; i++)
        len += (size_t)snprintf(to + len, NAMING_LABEL_MAX + 1 - len, "%s%s", i ? join : "", words_any(list, r));
}

static void add_number(struct rng *r, char *to)
{
    static const uint16_t liked[] = { 1, 2, 3, 7, 8, 9, 18, 21, 24, 36, 66, 77, 88, 99, 100, 123, 168, 247, 360, 365, 404, 520,
                                      666, 777, 888, 911, 999, 1000, 2000, 2020 };
    uint32_t n = rng_chance(r, 0.6) ? liked[rng_below(r, sizeof liked / sizeof liked[0])] : rng_below(r, 10000);
    size_t len = strlen(to);
    snprintf(to + len, NAMING_LABEL_MAX + 1 - len, "%s%u", rng_chance(r, 0.15) ? "-" : "", n);
}

static void language(struct rng *r, enum word_list list, unsigned most, char *to)
{
    unsigned n = rng_range(r, 2, most);
    joined(r, list, n, rng_chance(r, 0.07) ? "-" : "", to);
    if (rng_chance(r, 0.06))
        add_number(r, to);
    if (rng_chance(r, 0.12)) {
        size_t len = strlen(to);
        const char *hyphen = rng_chance(r, 0.4) ? "-" : "";
        snprintf(to + len, NAMING_LABEL_MAX + 1 - len, "%s%s", hyphen, words_any(WORDS_TRADE, r));
    }
}

static void words(struct rng *r, char *to)
{
    unsigned n = rng_chance(r, 0.2) ? 3 : 2;
    joined(r, WORDS_ENGLISH, n, rng_chance(r, 0.15) ? "-" : "", to);
}

static void trade(struct rng *r, char *to)
{
    static const char *const before[] = { "", "", "", "", "my", "the", "get", "go", "best", "e", "i", "pro" };
    const char *first = before[rng_below(r, sizeof before / sizeof before[0])];
    const char *word = words_any(rng_chance(r, 0.7) ? WORDS_ENGLISH : WORDS_GERMAN, r);
    const char *hyphen = rng_chance(r, 0.15) ? "-" : "";
    snprintf(to, NAMING_LABEL_MAX + 1, "%s%s%s%s", first, word, hyphen, words_any(WORDS_TRADE, r));
}

static void number(struct rng *r, char *to)
{
    if (rng_chance(r, 0.25)) {
        snprintf(to, NAMING_LABEL_MAX + 1, "%u", rng_below(r, rng_chance(r, 0.5) ? 100000 : 10000000));
        return;
    }
    enum word_list list = rng_chance(r, 0.5) ? WORDS_ENGLISH : WORDS_PINYIN;
    joined(r, list, rng_range(r, 1, 2), "", to);
    add_number(r, to);
}

static void abbreviation(struct rng *r, char *to)
{
    size_t n = rng_range(r, 3, 5);
    naming_random(r, to, n, false);
    to[n] = '\0';
    const char *hyphen = rng_chance(r, 0.5) ? "-" : "";
    if (rng_chance(r, 0.35))
        snprintf(to + n, NAMING_LABEL_MAX + 1 - n, "%s%s", hyphen, words_any(WORDS_TRADE, r));
    else if (rng_chance(r, 0.2))
        add_number(r, to);
}

static enum naming_manner any_manner(struct rng *r)
{
    static const struct { uint8_t below, manner; } parts[] = {
        { 20, NAMING_WORDS }, { 38, NAMING_TRADE }, { 56, NAMING_BRAND }, { 64, NAMING_ABBR }, { 69, NAMING_NUMBER },
        { 75, NAMING_PINYIN }, { 82, NAMING_ROMANCE }, { 87, NAMING_GERMAN }, { 92, NAMING_SLAVIC }, { 95, NAMING_JAPANESE },
        { 99, NAMING_PHRASE }, { 100, NAMING_RANDOM },
    };
    uint32_t x = rng_below(r, 100);
    size_t i = 0;
    while (x >= parts[i].below)
        i++;
    return parts[i].manner;
}

void naming_label(struct rng *r, enum naming_manner manner, char ret[NAMING_LABEL_MAX + 1])
{
    size_t n;
    switch (manner == NAMING_ANY ? any_manner(r) : manner) {
    case NAMING_WORDS: words(r, ret); break;
    case NAMING_TRADE: trade(r, ret); break;
    case NAMING_BRAND: language(r, WORDS_BRAND, 4, ret); break;
    case NAMING_ABBR: abbreviation(r, ret); break;
    case NAMING_NUMBER: number(r, ret); break;
    case NAMING_PINYIN: language(r, WORDS_PINYIN, 4, ret); break;
    case NAMING_ROMANCE: language(r, WORDS_ROMANCE, 4, ret); break;
    case NAMING_GERMAN: language(r, WORDS_GERMAN, 3, ret); break;
    case NAMING_SLAVIC: language(r, WORDS_SLAVIC, 3, ret); break;
    case NAMING_JAPANESE: language(r, WORDS_JAPANESE, 4, ret); break;
    case NAMING_PHRASE: joined(r, WORDS_ENGLISH, rng_range(r, 3, 4), "", ret); break;
    default:
        n = rng_range(r, 8, 14);
        naming_random(r, ret, n, rng_chance(r, 0.5));
        ret[n] = '\0';
    }
}

void naming_typo(struct rng *r, const char *label, char ret[NAMING_LABEL_MAX + 1])
{
    size_t n = strlen(label), at = rng_below(r, (uint32_t)n);
    memcpy(ret, label, n + 1);
    switch (n < 3 || n + 1 > NAMING_LABEL_MAX ? 3 : rng_below(r, 4)) {
    case 0: /* dropped */
        memmove(ret + at, ret + at + 1, n - at);
        break;
    case 1: /* doubled */
        memmove(ret + at + 1, ret + at, n - at + 1);
        break;
    case 2: /* swapped */
        at = at + 1 < n ? at : at - 1;
        ret[at] = label[at + 1];
        ret[at + 1] = label[at];
        break;
    default: /* replaced */
        naming_random(r, ret + at, 1, false);
    }
    if (ret[0] == '-')
        ret[0] = 'x';
    n = strlen(ret);
    if (ret[n - 1] == '-')
        ret[n - 1] = 'x';
}
