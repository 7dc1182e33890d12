#include "base/keysort.h"

enum { SHORT_RANGE = 16 };

static void swap(struct keysort_item *a, struct keysort_item *b)
{
    struct keysort_item t = *a;
    *a = *b;
    *b = t;
}

static void insertion_sort(struct keysort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct keysort_item item = items[i];
        size_t k = i;
        for (; k > 0 && keysort_less(&item, &items[k - 1]); k--)
            items[k] = items[k - 1];
        items[k] = item;
    }
}

static void sift_down(struct keysort_item *items, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && keysort_less(&items[child], &items[child + 1]))
            child++;
        if (!keysort_less(&items[root], &items[child]))
            return;
        swap(&items[root], &items[child]);
    }
}

static void heap_sort(struct keysort_item *items, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(items, i, n);
    for (size_t i = n; i-- > 1;) {
        swap(&items[0], &items[i]);
        sift_down(items, 0, i);
    }
}

static struct keysort_item median(struct keysort_item *a, struct keysort_item *b, struct keysort_item *c)
{
    if (keysort_less(b, a))
        swap(a, b);
    if (keysort_less(c, b)) {
        swap(b, c);
        if (keysort_less(b, a))
            swap(a, b);
    }
    return *b;
}

/* Hoare's partition: afterwards items[..split] <= pivot <= items[split..]. */
static size_t partition(struct keysort_item *items, size_t n)
{
    struct keysort_item pivot = median(&items[0], &items[n / 2], &items[n - 1]);
    size_t i = 0, k = n - 1;
    for (;;) {
        while (keysort_less(&items[i], &pivot))
            i++;
        while (keysort_less(&pivot, &items[k]))
            k--;
        if (i >= k)
            return k + 1;
        swap(&items[i++], &items[k--]);
    }
}

static void sort_range(struct keysort_item *items, size_t n, int depth)
{
    while (n > SHORT_RANGE) {
        if (depth-- == 0) {
            heap_sort(items, n);
            return;
        }
        size_t split = partition(items, n);
        if (split == 0 || split >= n)
            break; /* cannot happen with a median pivot; insertion sort finishes */
        sort_range(items, split, depth);
        items += split;
        n -= split;
    }
    insertion_sort(items, n);
}

void keysort(struct keysort_item *items, size_t n)
{
    int depth = 0;
    for (size_t k = n; k > 0; k >>= 1)
        depth += 2;
    sort_range(items, n, depth);
}
