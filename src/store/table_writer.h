/* table_writer: writes one table and its filter, in key order, at streaming speed.
 *
 * Handle; one owner, one thread. Nothing is visible before `table_writer_finish`,
 * which writes the filter sidecar first, so that a table that exists has one. No
 * allocation an entry: blocks, the compressed form and the output have buffers of
 * their own. Memory: about 2 MiB plus the filter hashes (filter.h).
 */
#ifndef DNSMON_STORE_TABLE_WRITER_H
#define DNSMON_STORE_TABLE_WRITER_H

#include "store/table.h"

struct record_kind;
struct table_writer;

struct table_written {
    uint64_t entries, bytes, filter_bytes, trailer_hash;
};

/* `kind` gives the filter keys. TABLE_NONE, TABLE_LZ4 or TABLE_ZSTD. */
int table_writer_create(struct table_writer **ret, const char *path, const struct record_kind *kind,
                        enum table_compression compression, struct fault *why) MUST_CHECK;

/* Keys strictly rising; else E_CORRUPT, for they come from files. */
int table_writer_add(struct table_writer *w, struct slice key, struct slice value,
                     struct fault *why) MUST_CHECK;

/* Durable and named, but for the folder's fsync. The writer is spent either way. */
int table_writer_finish(struct table_writer *w, struct table_written *ret, struct fault *why) MUST_CHECK;

/* Removes what was not finished. */
void table_writer_destroy(struct table_writer **w);

#endif
