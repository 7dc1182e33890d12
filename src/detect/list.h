/* list: the shipped word lists (src/detect/lists/NAME.list), checked and made part of the program at build.
 *
 * Immutable; any thread. A line is words with single blanks between them, the first is its key; lines are
 * sorted by key. What the words mean is said at the top of each list. */
#ifndef DNSMON_DETECT_LIST_H
#define DNSMON_DETECT_LIST_H

#include <stddef.h>

struct list {
    const char *const *lines;
    size_t n;
};

extern const struct list list_brands;
extern const struct list list_common_labels;
extern const struct list list_lure_words;
extern const struct list list_parking;
extern const struct list list_services;

/* The words behind the key ("" when there are none), or NULL when no line has it. Binary search. */
const char *list_find(const struct list *list, const char *key, size_t len);

/* The next word at *at, which moves behind it; its length, 0 at the end. */
size_t list_word(const char **at, const char **ret_word);

#endif
