/* records: a walk's records as lines of text, and sets of those, for tests of zones. */
#ifndef DNSMON_TEST_RECORDS_H
#define DNSMON_TEST_RECORDS_H

#include "protect/rpz/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 4096, RECORD_LINE = 160 };

struct records {
    char (*lines)[RECORD_LINE];
    size_t n;
};

static inline void records_init(struct records *r)
{
    r->lines = calloc(RECORDS_MAX, RECORD_LINE);
    r->n = 0;
}

static inline void records_release(struct records *r)
{
    free(r->lines);
}

/* "*.bad.example. 5 00..." : owner, type, RDATA in hex; a SOA is "SOA serial". */
static inline void record_line(const struct zone_record *rr, char line[RECORD_LINE])
{
    uint8_t wire[NAME_WIRE_MAX + 3] = "\1*";
    char owner[NAME_TEXT_MAX];
    size_t star = rr->wild ? 2 : 0, rdata_len = get_be16(rr->rest.ptr + 8);
    unsigned type = get_be16(rr->rest.ptr);
    if (rr->owner.len)
        memcpy(wire + star, rr->owner.ptr, rr->owner.len);
    wire[star + rr->owner.len] = 0;
    name_to_text(wire, star + rr->owner.len + 1, owner);
    if (type == 6) {
        snprintf(line, RECORD_LINE, "SOA %u", get_be32(rr->rest.ptr + rr->rest.len - 20));
        return;
    }
    int at = snprintf(line, RECORD_LINE, "%.100s %u ", owner, type);
    for (size_t i = 0; i < rdata_len && at + 3 < RECORD_LINE; i++)
        at += snprintf(line + at, RECORD_LINE - (size_t)at, "%02x", rr->rest.ptr[10 + i]);
}

static inline long records_find(const struct records *r, const char *line)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->lines[i], line) == 0)
            return (long)i;
    return -1;
}

static inline void records_add(struct records *r, const char *line)
{
    if (r->n == RECORDS_MAX || records_find(r, line) >= 0)
        abort();
    snprintf(r->lines[r->n++], RECORD_LINE, "%s", line);
}

/* False when it is not there: no difference may take what is not. */
static inline bool records_take(struct records *r, const char *line)
{
    long i = records_find(r, line);
    if (i >= 0)
        memmove(r->lines[i], r->lines[--r->n], RECORD_LINE);
    return i >= 0;
}

static inline bool records_equal(const struct records *a, const struct records *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (records_find(b, a->lines[i]) < 0)
            return false;
    return true;
}

static inline void records_copy(struct records *to, const struct records *from)
{
    memcpy(to->lines, from->lines, from->n * RECORD_LINE);
    to->n = from->n;
}

#endif
