#include "detect/list.h"

#include <string.h>

/* As strcmp would compare the key with the line's first word. */
static int compare(const char *key, size_t len, const char *line)
{
    size_t word = strcspn(line, " ");
    int c = memcmp(key, line, len < word ? len : word);
    return c ? c : (len > word) - (len < word);
}

const char *list_find(const struct list *list, const char *key, size_t len)
{
    for (size_t low = 0, high = list->n; low < high;) {
        size_t middle = (low + high) / 2;
        const char *line = list->lines[middle];
        int c = compare(key, len, line);
        if (c == 0) {
            line += strcspn(line, " ");
            return *line ? line + 1 : line;
        }
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

size_t list_word(const char **at, const char **ret_word)
{
    *at += strspn(*at, " ");
    *ret_word = *at;
    size_t len = strcspn(*at, " ");
    *at += len;
    return len;
}
