/* A public suffix list. Properties: the suffix and the registered domain of any name end where
 * a label ends, the second one label behind the first; below one that is `whole` every name has
 * the same registered domain. Each line of the list is looked up as
 * a name, and below it two labels more. */
#include <stdlib.h>

#include "dns/suffix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct suffix_match look_up(const struct suffix_list *list, const char *text, size_t len)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    struct suffix_match match = { 0 };
    size_t n = name_from_text(text, len, wire);
    if (n == 0)
        return match;
    n = name_owner_key(wire, n, key);
    match = suffix_find(list, key, n);
    if (match.suffix >= n || match.registered >= n || (match.registered != 0 && match.registered <= match.suffix))
        abort();
    if ((match.suffix != 0 && key[match.suffix - 1] != 0) || (match.registered != 0 && key[match.registered - 1] != 0))
        abort();
    if (match.registered != 0 && name_key_labels(key, match.registered) != name_key_labels(key, match.suffix) + 1)
        abort();
    return match;
}

static void look_up_below(const struct suffix_list *list, const char *text, size_t len)
{
    char below[NAME_TEXT_MAX] = "a.b.";
    struct suffix_match match = look_up(list, text, len);
    if (len >= sizeof below - 8)
        return;
    memcpy(below + 4, text, len);
    for (size_t skip = 0; skip <= 2; skip += 2) {
        struct suffix_match deeper = look_up(list, below + skip, len + 4 - skip);
        bool fits = deeper.registered != 0;
        if (match.whole && fits && (deeper.registered != match.registered || !deeper.whole))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suffix_list *list;
    const char *text = (const char *)data;
    if (suffix_parse(&list, text, size, NULL) != 0)
        return 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end ? (size_t)(end - text) - at : size - at;
        look_up_below(list, text + at, len);
        at += len + 1;
    }
    suffix_destroy(&list);
    return 0;
}
