#include "detect/labels/weight.h"

#include <ctype.h>
#include <stdbool.h>

#include "detect/list.h"

static bool common(const char *label, size_t len)
{
    return list_find(&list_common_labels, label, len) != NULL;
}

static size_t without_digits(const char *label, size_t len)
{
    while (len && (isdigit((unsigned char)label[len - 1]) || label[len - 1] == '-' || label[len - 1] == '_'))
        len--;
    return len;
}

/* Runs of letters in a label, and how many of them are not among the common. */
struct words {
    unsigned n, own;
    size_t longest_own;
};

static struct words words_of(const char *label, size_t len)
{
    struct words w = { 0 };
    for (size_t i = 0; i < len;) {
        size_t start = i;
        while (i < len && isalpha((unsigned char)label[i]))
            i++;
        size_t n = i - start;
        if (n) {
            bool own = n > 1 && !common(label + start, n);
            w.n++;
            w.own += own;
            w.longest_own = own && n > w.longest_own ? n : w.longest_own;
        } else {
            i++;
        }
    }
    return w;
}

double label_weight(const char *label, size_t len)
{
    static const double by_length[] = { 0, 0, 0.15, 0.35, 0.6, 0.75 };
    size_t bare = without_digits(label, len);
    if (len == 0 || label[0] == '_' || common(label, len) || common(label, bare))
        return 0;
    struct words w = words_of(label, len);
    if (w.own == 0 || (w.n == 1 && bare < len && bare <= 3)) /* cdn-img; em4821, vm12 */
        return 0;
    double weight = by_length[w.longest_own < 5 ? w.longest_own : 5];
    bool compound = w.n > 1 || bare < len;
    return compound && w.longest_own >= 3 ? weight + (1 - weight) * 0.8 : weight;
}

size_t label_stem(const char *label, size_t len)
{
    size_t stem = without_digits(label, len);
    for (size_t i = 0; i < stem; i++)
        if (label[i] == '-' || label[i] == '_')
            stem = i;
    return stem >= 4 && label_weight(label, stem) > 0 ? stem : 0;
}
