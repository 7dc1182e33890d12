/* file: one file of a feed, that takes the place of a former one when it says something else, whole, with its digest beside it.
 *
 * Its time of change is a whole second later than the former one's at least, if need be by being some in the future: who looks at the seconds alone,
 * as dnsdist does and HTTP, must not miss the second of two versions.
 *
 * Value type; after feed_file_open one of commit and abandon ends it.
 */
#ifndef DNSMON_PROTECT_FEED_FILE_H
#define DNSMON_PROTECT_FEED_FILE_H

#include "base/outfile.h"
#include "protect/feed/digest.h"

struct feed_file {
    struct outfile out;
    struct digest digest;
    bool is_open;
    bool direct; /* written through out.fd by others: read again for its digest */
};

int feed_file_open(struct feed_file *file, const char *path, struct fault *why) MUST_CHECK;
void feed_file_write(struct feed_file *file, const void *ptr, size_t len);

/* *changed becomes true when it is another than before; else the former one stays, with its time. */
int feed_file_commit(struct feed_file *file, bool *changed, struct fault *why) MUST_CHECK;
void feed_file_abandon(struct feed_file *file); /* harmless when it is not open */

#endif
