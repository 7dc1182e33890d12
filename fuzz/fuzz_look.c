/* A label, a line each. Properties: a skeleton is no longer than the label, and ASCII when that is xn--; code points are
 * Unicode's and no surrogates; what imitates a brand does so with a positive weight. */
#include <stdlib.h>
#include <string.h>

#include "detect/look-alike/look.h"
#include "detect/look-alike/skeleton.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_points(const char *label, size_t len)
{
    uint32_t points[SKELETON_MAX];
    size_t n = punycode_decode(label, len, points, SKELETON_MAX);
    if (n > SKELETON_MAX)
        abort();
    for (size_t i = 0; i < n; i++)
        if (points[i] > 0x10ffff || (points[i] >= 0xd800 && points[i] < 0xe000))
            abort();
}

static void check_skeleton(const char *label, size_t len)
{
    struct skeleton s;
    if (!skeleton_of(label, len, &s))
        return;
    if (s.len > SKELETON_MAX || s.len > len)
        abort();
    for (size_t i = 0; len > 4 && memcmp(label, "xn--", 4) == 0 && i < s.len; i++)
        if ((uint8_t)s.text[i] >= 0x80)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct look_index *index;
    if (index == NULL && look_index_create(&index, NULL, 0, NULL) != 0)
        return 0;
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((line != NULL ? line : end) - at);
        struct look_match m;
        check_points(at, len);
        check_skeleton(at, len);
        if (look_at(index, at, len, &m) && (m.how == LOOK_NONE || !(m.nats > 0)))
            abort();
        at += len + 1;
    }
    return 0;
}
