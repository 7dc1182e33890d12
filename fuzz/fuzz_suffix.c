/* A public suffix list. Property: the suffix and the registered domain of any name end where
 * a label ends, the second one label behind the first. Each line of the list is looked up as
 * a name, and below it two labels more. */
#include <stdlib.h>

#include "dns/suffix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const struct suffix_list *list, const char *text, size_t len)
{
    uint8_t wire[NAME_WIRE_MAX], key[NAME_KEY_MAX];
    size_t n = name_from_text(text, len, wire), registered;
    if (n == 0)
        return;
    n = name_owner_key(wire, n, key);
    size_t suffix = suffix_find(list, key, n, &registered);
    if (suffix >= n || registered >= n || (registered != 0 && registered <= suffix))
        abort();
    if ((suffix != 0 && key[suffix - 1] != 0) || (registered != 0 && key[registered - 1] != 0))
        abort();
    if (registered != 0 && name_key_labels(key, registered) != name_key_labels(key, suffix) + 1)
        abort();
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
        char longer[NAME_TEXT_MAX];
        look_up(list, text + at, len);
        if (len < sizeof longer - 8) {
            memcpy(longer, "a.b.", 4);
            memcpy(longer + 4, text + at, len);
            look_up(list, longer, len + 4);
            look_up(list, longer + 2, len + 2);
        }
        at += len + 1;
    }
    suffix_destroy(&list);
    return 0;
}
