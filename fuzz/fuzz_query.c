/* The words of a look-up, a line each. Properties: ranges rise and do not overlap, and a
 * range's filter key starts its first key. */
#include <stdlib.h>

#include "cmd/query.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 4 };

static void check_ranges(const struct query *q)
{
    must(q->n_ranges <= QUERY_RANGES_MAX);
    for (size_t i = 0; i < q->n_ranges; i++) {
        const struct store_range *r = &q->ranges[i];
        must(r->kind < KINDS && (r->end.len == 0 || slice_compare(r->start, r->end) < 0));
        must(r->exact.len <= r->start.len && memcmp(r->exact.ptr ? r->exact.ptr : r->start.ptr,
                                                    r->start.ptr, r->exact.len) == 0);
        must(i + 1 == q->n_ranges ||
             (r->end.len != 0 && slice_compare(r->end, r[1].start) <= 0));
    }
}

static void parse(char *const *words, size_t n, unsigned extra)
{
    struct query q, owner;
    struct fault why;
    query_init(&q);
    query_init(&owner);
    if (query_parse(&q, words, n, extra, &why) == 0) {
        check_ranges(&q);
        if (q.every_type)
            for (uint16_t type = 1; type < 300; type++)
                if (query_raw(&q, type, &why) == 0)
                    check_ranges(&q);
        if (q.forward &&
            query_owner(&owner, &q, (struct slice){(const uint8_t *)"com\0\0", 5}, &why) == 0)
            check_ranges(&owner);
        struct rr_key key = {.owner = {(const uint8_t *)"", 1},
                             .type = TYPE_A,
                             .rdata = {(const uint8_t *)"abcd", 4}};
        (void)query_wants(&q, &key);
    }
    query_release(&q);
    query_release(&owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *words[WORDS];
    size_t n = 0;
    if (text == NULL)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    for (char *at = text; n < WORDS && at != NULL;) {
        words[n++] = at;
        at = strchr(at, '\n');
        if (at != NULL)
            *at++ = '\0';
    }
    parse(words, n, 0);
    parse(words, n, WANT_NXDOMAIN | WANT_NODATA | WANT_OUTSIDE | WANT_COLLAPSED);
    free(text);
    return 0;
}
