#include "base/keysort.h"

enum { SHORT_RANGE = 24, WINDOW = 8 };

/* The eight bytes behind `depth`, zeros behind the key's end. */
static uint64_t window_at(const struct keysort_item *item, size_t depth)
{
    if (item->len >= depth + WINDOW)
        return get_be64(item->key + depth);
    uint8_t padded[WINDOW] = { 0 };
    if (item->len > depth)
        memcpy(padded, item->key + depth, item->len - depth);
    return get_be64(padded);
}

static void load_windows(struct keysort_item *items, size_t n, size_t depth)
{
    for (size_t i = 0; i < n; i++)
        items[i].window = window_at(&items[i], depth);
}

/* For keys that are the same up to `depth`, windows loaded there. */
static bool less(const struct keysort_item *a, const struct keysort_item *b, size_t depth)
{
    if (a->window != b->window)
        return a->window < b->window;
    return slice_compare((struct slice){ a->key + depth, a->len - depth },
                         (struct slice){ b->key + depth, b->len - depth }) < 0;
}

static void insertion_sort(struct keysort_item *items, size_t n, size_t depth)
{
    for (size_t i = 1; i < n; i++) {
        struct keysort_item item = items[i];
        size_t k = i;
        for (; k > 0 && less(&item, &items[k - 1], depth); k--)
            items[k] = items[k - 1];
        items[k] = item;
    }
}

/* One pass: `from` to `to` by the byte of the window that begins at bit `shift`. */
static void radix_pass(const struct keysort_item *from, struct keysort_item *to, size_t n, unsigned shift)
{
    size_t starts[256] = { 0 };
    for (size_t i = 0; i < n; i++)
        starts[from[i].window >> shift & 0xff]++;
    for (size_t i = 0, sum = 0; i < 256; i++) {
        size_t count = starts[i];
        starts[i] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[starts[from[i].window >> shift & 0xff]++] = from[i];
}

static void sort_windows(struct keysort_item *items, struct keysort_item *spare, size_t n)
{
    uint64_t differ = 0;
    for (size_t i = 1; i < n; i++)
        differ |= items[i].window ^ items[0].window;
    struct keysort_item *from = items, *to = spare;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift & 0xff) == 0)
            continue;
        radix_pass(from, to, n, shift);
        struct keysort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, n * sizeof *items);
}

static void swap(struct keysort_item *a, struct keysort_item *b)
{
    struct keysort_item t = *a;
    *a = *b;
    *b = t;
}

/* Of keys whose windows at `depth` are equal, those that end inside come first, by length: they
 * begin all that are longer. Returns how many. */
static size_t ended_first(struct keysort_item *items, size_t n, size_t depth)
{
    size_t ended = 0, sorted = 0;
    for (size_t i = 0; i < n; i++)
        if (items[i].len <= depth + WINDOW)
            swap(&items[i], &items[ended++]);
    for (size_t len = depth; len <= depth + WINDOW && sorted < ended; len++)
        for (size_t i = sorted; i < ended; i++)
            if (items[i].len == len)
                swap(&items[i], &items[sorted++]);
    return ended;
}

static void sort_range(struct keysort_item *items, struct keysort_item *spare, size_t n, size_t depth)
{
    load_windows(items, n, depth);
    if (n <= SHORT_RANGE) {
        insertion_sort(items, n, depth);
        return;
    }
    sort_windows(items, spare, n);
    for (size_t at = 0, end; at < n; at = end) {
        for (end = at + 1; end < n && items[end].window == items[at].window; end++)
            ;
        if (end - at == 1)
            continue;
        size_t ended = ended_first(items + at, end - at, depth);
        if (end - at - ended > 1)
            sort_range(items + at + ended, spare, end - at - ended, depth + WINDOW);
    }
}

void keysort(struct keysort_item *items, struct keysort_item *spare, size_t n)
{
    if (n > 1)
        sort_range(items, spare, n, 0);
}
