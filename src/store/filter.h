/* filter: the sidecar that tells which tables cannot hold a key; docs/format/table.md.
 *
 * A blocked Bloom filter: a key touches one 64-byte line, one bit in each of its
 * eight words; 16 bits a key, about 0.1 % false positives. Lines lie 63 to a 4 KiB page whose last line
 * is the page's checksum, verified when the page is first touched: a flipped bit is an
 * error, never a wrong answer. Keys are given as hash_stable() of their bytes.
 *
 * Builder: 8 bytes a hash while writing, spilled to a temporary file beyond
 * FILTER_SPILL_HASHES; built at the end in segments of FILTER_SEGMENT_PAGES pages.
 * Filter: immutable; any number of threads.
 */
#ifndef DNSMON_STORE_FILTER_H
#define DNSMON_STORE_FILTER_H

#include "base/bytes.h"
#include "base/fault.h"

enum {
    FILTER_PAGE_BYTES = 4096,
    FILTER_LINE_BYTES = 64,
    FILTER_LINES_PER_PAGE = 63,
    FILTER_BITS_PER_KEY = 16,
    FILTER_SPILL_HASHES = 8 << 20, /* 64 MiB */
    FILTER_SEGMENT_PAGES = 16384,  /* 64 MiB */
};

struct filter_builder;
int filter_builder_create(struct filter_builder **ret, const char *table_path, struct fault *why) MUST_CHECK;
int filter_builder_add(struct filter_builder *b, uint64_t hash, struct fault *why) MUST_CHECK;
/* Writes `<table_path>.filter`, bound to the table by its trailer hash. */
int filter_builder_finish(struct filter_builder *b, uint64_t trailer_hash, uint64_t *ret_bytes,
                          struct fault *why) MUST_CHECK;
void filter_builder_remove(struct filter_builder *b); /* the file, after all */
void filter_builder_destroy(struct filter_builder **b);

struct filter;
int filter_open(struct filter **ret, const char *table_path, uint64_t trailer_hash, struct fault *why) MUST_CHECK;
void filter_close(struct filter **f);

/* Ask for the line early, test it later: many tables then wait for memory together. */
void filter_prefetch(const struct filter *f, uint64_t hash);
int filter_test(struct filter *f, uint64_t hash, bool *ret_maybe, struct fault *why) MUST_CHECK;

/* Verifies all pages; for fsck. Calls `report` for each bad one. */
void filter_verify(struct filter *f, void (*report)(void *ctx, const struct fault *damage), void *ctx);

#endif
