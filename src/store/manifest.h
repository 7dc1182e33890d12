/* manifest: the append-only file of checksummed deltas; docs/format/manifest.md.
 *
 * A record is a 32-byte header (magic, payload length, sequence number, payload hash,
 * header hash) and a JSON payload. An incomplete record at the end, or zeros up to the end,
 * is the torn tail of a killed writer and ignored; anything else that does not verify is
 * E_CORRUPT. Guarded by the store's mutex.
 */
#ifndef DNSMON_STORE_MANIFEST_H
#define DNSMON_STORE_MANIFEST_H

#include "store/catalog.h"

struct manifest {
    const char *dir;
    int fd;          /* for appending; -1 in readers */
    uint64_t inode;  /* of the file that was read */
    uint64_t end;    /* after the last whole record */
    uint64_t base;   /* bytes when it was last rewritten */
    uint32_t next;   /* sequence number */
    bool torn;       /* bytes follow `end` */
    bool broken;     /* a failed append could not be undone */
};

/* Brings `catalog` up to the file: whole, or what was appended since. E_ABSENT without a file. */
int manifest_read(struct manifest *m, struct catalog *catalog, struct fault *why) MUST_CHECK;

/* Replaces the file by one that says the same in few records, and opens it for appending. */
int manifest_rewrite(struct manifest *m, const struct catalog *catalog, struct fault *why) MUST_CHECK;

/* Durable when it returns 0; else the file is as before. */
int manifest_append(struct manifest *m, const struct delta *d, struct fault *why) MUST_CHECK;
void manifest_close(struct manifest *m);

#endif
