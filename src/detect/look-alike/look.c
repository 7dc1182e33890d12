#include "detect/look-alike/look.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/list.h"
#include "detect/look-alike/skeleton.h"

enum {
    WORD_MAX = 63,
    EDIT_MIN = 6,          /* letters of a brand for which one edit is worth a look */
    POPULAR_EDIT_MIN = 9,  /* ... of a popular name: it may be any word */
    POPULAR_MIN = 7,
    POPULAR_LURED_MIN = 5, /* beside a lure, with a hyphen between */
    NAME_MIN = 4,
    LURE_WORDS = 3,        /* in a row */
    PARTS = 4,             /* of a brand with hyphens */
};

#define USED_HERE 0.7 /* of a name that is no brand: it may be any word */

enum tag { TAG_SKELETON = 1, TAG_EDIT };

struct slot {
    uint64_t hash; /* 0: empty */
    uint32_t brand;
};

struct look_index {
    struct brand *brands;
    size_t n_brands;
    struct slot *slots;
    size_t mask, n_slots; /* used */
};

static uint64_t hash_of(enum tag tag, const char *word, size_t len)
{
    uint64_t hash = hash_mix(hash_stable(word, len) + tag);
    return hash ? hash : 1;
}

/* The word without its letter at `at`. */
static uint64_t hash_without(const char *word, size_t len, size_t at)
{
    char less[WORD_MAX];
    memcpy(less, word, at);
    memcpy(less + at, word + at + 1, len - at - 1);
    return hash_of(TAG_EDIT, less, len - 1);
}

static void put(struct look_index *x, uint64_t hash, uint32_t brand)
{
    size_t at = hash & x->mask;
    for (; x->slots[at].hash != 0; at = (at + 1) & x->mask)
        if (x->slots[at].hash == hash && x->slots[at].brand == brand)
            return;
    x->slots[at] = (struct slot){ hash, brand };
}

static void put_brand(struct look_index *x, const struct brand *b)
{
    uint32_t id = (uint32_t)x->n_brands;
    struct skeleton s;
    if (b->len < 2 || b->len > WORD_MAX || !skeleton_of(b->word, b->len, &s))
        return;
    x->brands[x->n_brands++] = *b;
    put(x, hash_of(TAG_SKELETON, s.text, s.len), id);
    size_t least = b->kind == BRAND_POPULAR ? POPULAR_EDIT_MIN : EDIT_MIN;
    if (b->kind == BRAND_WORD || b->kind == BRAND_KNOWN || b->len < least)
        return;
    put(x, hash_of(TAG_EDIT, b->word, b->len), id);
    for (size_t i = 0; i < b->len; i++)
        put(x, hash_without(b->word, b->len, i), id);
}

int look_index_create(struct look_index **ret, const struct brand *popular, size_t n, struct fault *why)
{
    struct look_index *x = calloc(1, sizeof *x);
    size_t all = brands_count() + n, slots = 1024;
    while (slots < all * (WORD_MAX + 2))
        slots *= 2;
    if (x != NULL) {
        x->brands = reallocarray(NULL, all, sizeof *x->brands);
        x->slots = calloc(slots, sizeof *x->slots);
        x->mask = slots - 1;
    }
    if (x == NULL || x->brands == NULL || x->slots == NULL) {
        look_index_destroy(&x);
        return fault_set(why, E_NOMEM, "no memory for an index of %zu brands", all);
    }
    for (size_t i = 0; i < brands_count(); i++) {
        struct brand b = brand_at(i);
        put_brand(x, &b);
    }
    for (size_t i = 0; i < n; i++)
        put_brand(x, &popular[i]);
    *ret = x;
    return E_OK;
}

void look_index_destroy(struct look_index **x)
{
    if (*x == NULL)
        return;
    free((*x)->brands);
    free((*x)->slots);
    free(*x);
    *x = NULL;
}

/* ---- how alike ---- */

static bool beside(char a, char b)
{
    static const char *const rows[] = { "qwertyuiop", "asdfghjkl", "zxcvbnm" };
    for (size_t i = 0; i < 3; i++) {
        const char *x = strchr(rows[i], a), *y = strchr(rows[i], b);
        if (a && b && x != NULL && y != NULL)
            return x - y == 1 || y - x == 1;
    }
    return false;
}

/* One edit of optimal string alignment (Damerau 1964) from the brand to the word: its weight in nats, 0 when it is
 * another number of edits, or one that names of other owners have as well: a digit, an s at the end. */
static double edit_nats(const char *word, size_t len, const char *brand, size_t brand_len, bool *ret_swapped)
{
    size_t start = 0, end = 0, less = len < brand_len ? len : brand_len;
    while (start < less && word[start] == brand[start])
        start++;
    while (end < less - start && word[len - 1 - end] == brand[brand_len - 1 - end])
        end++;
    size_t a = len - start - end, b = brand_len - start - end;
    double first = start == 0 ? 0.7 : 1; /* the eye holds to the beginning */
    *ret_swapped = false;
    if (a == 1 && b == 1) {
        if (isdigit((unsigned char)word[start]) || word[start] == '-' || isdigit((unsigned char)brand[start]))
            return 0;
        return first * (beside(word[start], brand[start]) ? 2.2 : 1.2);
    }
    if (a == 2 && b == 2 && word[start] == brand[start + 1] && word[start + 1] == brand[start]) {
        *ret_swapped = true;
        return first * 2.8;
    }
    if (a == 1 && b == 0) {
        if (isdigit((unsigned char)word[start]) || word[start] == '-' || (end == 0 && word[start] == 's'))
            return 0;
        return first * (start > 0 && word[start] == word[start - 1] ? 2.5 : beside(word[start], start ? word[start - 1] : '\0') ? 2 : 1.2);
    }
    if (a == 0 && b == 1)
        return end == 0 ? 1 : first * 2;
    return 0;
}

/* Not a brand of the list. */
static bool is_used_here(const struct brand *b)
{
    return b->kind == BRAND_POPULAR || b->kind == BRAND_KNOWN;
}

static bool enough(const struct brand *b, size_t popular_min)
{
    return is_used_here(b) ? b->len >= popular_min : b->len >= NAME_MIN;
}

static void better(struct look_match *m, const struct brand *b, enum look how, double nats)
{
    if (is_used_here(b))
        nats *= USED_HERE;
    if (nats > m->nats)
        *m = (struct look_match){ *b, how, nats };
}

/* The whole word has a brand's skeleton. */
static void judge_whole(struct look_match *m, const struct brand *b, const struct skeleton *s, const char *word, size_t len)
{
    bool same = len == b->len && memcmp(word, b->word, len) == 0;
    if (b->kind == BRAND_KNOWN || !enough(b, POPULAR_MIN))
        return;
    if (same)
        better(m, b, LOOK_SUFFIX, b->kind == BRAND_NAME && b->len >= 6 ? 1.5 : 0);
    else if (s->foreign)
        better(m, b, LOOK_SCRIPT, b->len >= 5 ? 6 : 3);
    else if (s->accented)
        better(m, b, LOOK_ACCENTED, b->kind == BRAND_WORD ? 1 : 3);
    else
        better(m, b, LOOK_CHARACTERS, b->kind == BRAND_WORD ? 1.5 : b->len >= 6 ? 4.5 : 3);
}

static void judge_edit(struct look_match *m, const struct brand *b, const char *word, size_t len)
{
    bool swapped;
    double nats = edit_nats(word, len, b->word, b->len, &swapped);
    if (nats > 0)
        better(m, b, swapped ? LOOK_SWAPPED : LOOK_TYPING, b->len >= 8 ? nats + 0.5 : nats);
}

/* Is it words of a lure and nothing else, digits at the end aside? At most `deep` words. */
static bool lure(const char *text, size_t len, unsigned deep)
{
    while (len && isdigit((unsigned char)text[len - 1]))
        len--;
    if (len == 0 || deep == 0)
        return false;
    for (size_t n = 2; n < len; n++)
        if (list_find(&list_lure_words, text, n) != NULL && lure(text + n, len - n, deep - 1))
            return true;
    return list_find(&list_lure_words, text, len) != NULL;
}

static bool lure_beside(const char *word, size_t len, size_t from, size_t to)
{
    for (size_t i = 0, n; i < len; i += n + 1) {
        const char *dash = memchr(word + i, '-', len - i);
        n = dash != NULL ? (size_t)(dash - word) - i : len - i;
        if ((i + n <= from || i >= to) && lure(word + i, n, LURE_WORDS))
            return true;
    }
    return false;
}

/* The brand (or its look) stands in [from, to) of the word, with hyphens or ends around it. */
static void judge_part(struct look_match *m, const struct brand *b, const char *word, size_t len, size_t from, size_t to)
{
    bool lured = lure_beside(word, len, from, to);
    bool same = to - from == b->len && memcmp(word + from, b->word, b->len) == 0;
    double nats = lured ? 4 : 1.5;
    if (b->kind == BRAND_WORD)
        nats = lured && same ? 3 : 0;
    if ((is_used_here(b) && (!lured || !enough(b, POPULAR_LURED_MIN))) || (!lured && b->len < NAME_MIN))
        return;
    better(m, b, same ? (lured ? LOOK_LURE : LOOK_WORDS) : LOOK_CHARACTERS, same ? nats : nats + 1);
}

/* The brand stands at the beginning or end of the word, and the rest is a lure without hyphens. */
static void judge_joined(struct look_match *m, const struct brand *b, const char *rest, size_t len)
{
    if (b->len < 5 || b->kind == BRAND_KNOWN || !enough(b, POPULAR_MIN) || !lure(rest, len, LURE_WORDS))
        return;
    better(m, b, LOOK_LURE, b->kind == BRAND_WORD ? 1 : 3.5);
}

/* ---- looking up ---- */

struct probe {
    const struct look_index *x;
    uint64_t hash;
    size_t at;
};

static struct probe probe_for(const struct look_index *x, uint64_t hash)
{
    return (struct probe){ x, hash, hash & x->mask };
}

static const struct brand *probe_next(struct probe *p)
{
    for (; p->x->slots[p->at].hash != 0; p->at = (p->at + 1) & p->x->mask)
        if (p->x->slots[p->at].hash == p->hash) {
            const struct brand *b = &p->x->brands[p->x->slots[p->at].brand];
            p->at = (p->at + 1) & p->x->mask;
            return b;
        }
    return NULL;
}

static void look_whole(const struct look_index *x, const char *word, size_t len, struct look_match *m)
{
    struct skeleton s;
    if (!skeleton_of(word, len, &s))
        return;
    struct probe p = probe_for(x, hash_of(TAG_SKELETON, s.text, s.len));
    for (const struct brand *b; (b = probe_next(&p)) != NULL;)
        judge_whole(m, b, &s, word, len);
}

static void look_edits(const struct look_index *x, const char *word, size_t len, struct look_match *m)
{
    for (size_t i = 0; i <= len; i++) {
        struct probe p = probe_for(x, i < len ? hash_without(word, len, i) : hash_of(TAG_EDIT, word, len));
        for (const struct brand *b; (b = probe_next(&p)) != NULL;)
            judge_edit(m, b, word, len);
    }
}

static void look_part(const struct look_index *x, const char *word, size_t len, size_t from, size_t to, struct look_match *m)
{
    struct skeleton s;
    if (to - from < 3 || !skeleton_of(word + from, to - from, &s))
        return;
    struct probe p = probe_for(x, hash_of(TAG_SKELETON, s.text, s.len));
    for (const struct brand *b; (b = probe_next(&p)) != NULL;)
        judge_part(m, b, word, len, from, to);
}

/* Parts between hyphens, and several in a row: brands have hyphens, too. With my in front it is still the brand. */
static void look_parts(const struct look_index *x, const char *word, size_t len, struct look_match *m)
{
    size_t ends[WORD_MAX + 1], n = 0;
    for (size_t i = 0; i <= len; i++)
        if (i == len || word[i] == '-')
            ends[n++] = i;
    for (size_t i = 0; i < n && n > 1; i++) {
        size_t from = i == 0 ? 0 : ends[i - 1] + 1;
        bool my = len - from > 2 && memcmp(word + from, "my", 2) == 0;
        for (size_t j = i; j < n && j < i + PARTS; j++) {
            look_part(x, word, len, from, ends[j], m);
            if (my && ends[j] > from + 2)
                look_part(x, word, len, from + 2, ends[j], m);
        }
    }
}

static void look_ends(const struct look_index *x, const char *word, size_t len, struct look_match *m)
{
    for (size_t n = 5; n + 2 <= len; n++) {
        struct skeleton s;
        const char *ends[2][2] = { { word, word + n }, { word + len - n, word } }; /* brand, rest */
        for (size_t k = 0; k < 2; k++) {
            if (!skeleton_of(ends[k][0], n, &s))
                continue;
            struct probe p = probe_for(x, hash_of(TAG_SKELETON, s.text, s.len));
            for (const struct brand *b; (b = probe_next(&p)) != NULL;)
                if (b->len <= n + 1)
                    judge_joined(m, b, ends[k][1], len - n);
        }
    }
}

bool look_at(const struct look_index *x, const char *word, size_t len, struct look_match *ret)
{
    struct look_match m = { .how = LOOK_NONE };
    if (len < 3 || len > WORD_MAX)
        return false;
    look_whole(x, word, len, &m);
    if (len >= EDIT_MIN - 1)
        look_edits(x, word, len, &m);
    look_parts(x, word, len, &m);
    look_ends(x, word, len, &m);
    if (m.how != LOOK_NONE)
        *ret = m;
    return m.how != LOOK_NONE;
}

const char *look_text(enum look how)
{
    static const char *const texts[] = {
        [LOOK_NONE] = "is unlike", [LOOK_SUFFIX] = "is, below another suffix, the word of", [LOOK_TYPING] = "is one edit away from",
        [LOOK_SWAPPED] = "has two letters changed round of", [LOOK_WORDS] = "has other words beside", [LOOK_LURE] = "has words of a lure beside",
        [LOOK_ACCENTED] = "has letters with marks in place of those of", [LOOK_CHARACTERS] = "has characters that look like those of",
        [LOOK_SCRIPT] = "has letters of another script that look like those of",
    };
    return texts[how];
}
