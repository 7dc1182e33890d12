/* outfile: a new file that appears whole or not at all.
 *
 * Bytes go to `<path>.tmp` through one large buffer; `outfile_commit` makes them
 * durable and gives them their name, `outfile_abandon` removes them. The folder is
 * synced by whoever names the file (sync_folder). Errors are sticky: writes after one do nothing and the
 * first is told by commit. One owner, one thread.
 */
#ifndef DNSMON_BASE_OUTFILE_H
#define DNSMON_BASE_OUTFILE_H

#include "base/bytes.h"
#include "base/fault.h"

enum { PATH_BYTES = 4096, OUTFILE_BUFFER_BYTES = 1 << 20 };

struct outfile {
    int fd;
    int errnum;       /* of the first failure, or 0 */
    uint8_t *buffer;
    size_t len;       /* in the buffer */
    uint64_t offset;  /* of the next byte */
    char path[PATH_BYTES];
};

int outfile_open(struct outfile *ret, const char *path, struct fault *why) MUST_CHECK;
/* Only its owner may read it, whatever was there and whatever the umask is. */
int outfile_open_private(struct outfile *ret, const char *path, struct fault *why) MUST_CHECK;
void outfile_write(struct outfile *o, const void *ptr, size_t len);
int outfile_commit(struct outfile *o, struct fault *why) MUST_CHECK; /* abandons on failure */
void outfile_abandon(struct outfile *o); /* harmless after commit */

/* Makes names in the folder durable. */
int sync_folder(const char *dir, struct fault *why) MUST_CHECK;

/* All of `len` at `offset`, through interrupts; 0 or errno. */
int write_all_at(int fd, const void *ptr, size_t len, uint64_t offset);

#endif
