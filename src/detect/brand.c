#include "detect/brand.h"

#include <string.h>

#include "detect/list.h"

static struct brand brand_of(const char *word, size_t len, const char *rest)
{
    const char *flag;
    size_t n = list_word(&rest, &flag);
    bool name = n == 4 && memcmp(flag, "name", 4) == 0;
    return (struct brand){ word, len, name ? BRAND_NAME : BRAND_WORD, rest };
}

size_t brands_count(void)
{
    return list_brands.n;
}

struct brand brand_at(size_t i)
{
    const char *rest = list_brands.lines[i], *word;
    size_t len = list_word(&rest, &word);
    return brand_of(word, len, rest);
}

bool brand_find(const char *word, size_t len, struct brand *ret)
{
    const char *rest = list_find(&list_brands, word, len);
    if (rest == NULL)
        return false;
    *ret = brand_of(rest - len - 1, len, rest);
    return true;
}

bool brand_owns(const struct brand *b, const char *domain, size_t len)
{
    const char *at = b->domains, *word;
    for (size_t n; (n = list_word(&at, &word)) != 0;)
        if (n == len && memcmp(word, domain, n) == 0)
            return true;
    return false;
}

bool brand_owned(const char *domain, size_t len)
{
    for (size_t i = 0; i < brands_count(); i++) {
        struct brand b = brand_at(i);
        if (brand_owns(&b, domain, len))
            return true;
    }
    return false;
}
