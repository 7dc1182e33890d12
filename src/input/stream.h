/* stream: the decompressed bytes of a file or of standard input, in order.
 *
 * `stream_open` looks at the first bytes and undoes gzip (with several members),
 * xz, zstd or lz4 (frames, several in a row); anything else is read as it is.
 * Memory is bounded whatever the file says: one window of STREAM_PEEK_MAX and a
 * little, a zstd window of at most 128 MiB, an xz dictionary limit of 128 MiB.
 *
 * Readers look at what comes next with `stream_peek` and say with
 * `stream_consume` that they are done with it. A view lives until the next
 * `stream_peek`. Consumed bytes go into a running XXH3-128, in big pieces and not
 * a record at a time, so consuming costs an addition.
 *
 * An error (a file that cannot be read further, damaged compression) shows as the
 * end of the stream: peek then gives less than wanted, and `stream_error` tells
 * which of the two it was. Handle type. One thread.
 */
#ifndef DNSMON_INPUT_STREAM_H
#define DNSMON_INPUT_STREAM_H

#include "base/bytes.h"
#include "base/fault.h"

enum {
    STREAM_PEEK_MAX = 4 << 20, /* the longest view */
    STREAM_HEAD = 4096,        /* the prefix that `stream_head` hashes */
};

struct stream {
    const uint8_t *next; /* first byte not consumed */
    const uint8_t *end;  /* end of the bytes already decompressed */
    struct stream_inner *inner;
};

/* `path` may be "-" for standard input. */
int stream_open(struct stream **ret, const char *path, struct fault *why) MUST_CHECK;
void stream_close(struct stream **stream);

const uint8_t *stream_fill(struct stream *s, size_t want, size_t *ret_have);

/* A contiguous view of `want` bytes (at most STREAM_PEEK_MAX), or of fewer at the
 * end or on an error. `*ret_have` may also be more than wanted: all of it may be
 * looked at. Never NULL. */
static inline const uint8_t *stream_peek(struct stream *s, size_t want, size_t *ret_have)
{
    size_t have = (size_t)(s->end - s->next);
    if (__builtin_expect(have >= want, 1)) {
        *ret_have = have;
        return s->next;
    }
    return stream_fill(s, want, ret_have);
}

/* Goes past `len` bytes of what the last peek gave. */
static inline void stream_consume(struct stream *s, size_t len)
{
    s->next += len;
}

/* Goes forward by `len` bytes of any number; E_ABSENT when the stream is shorter
 * (it then stands at its end). Skipped bytes are hashed too. */
int stream_skip(struct stream *s, uint64_t len, struct fault *why) MUST_CHECK;

const char *stream_path(const struct stream *s);

/* Decompressed bytes consumed, and the XXH3-128 of them (low half first). */
uint64_t stream_offset(const struct stream *s);
void stream_digest(struct stream *s, uint64_t ret_digest[2]);

/* XXH3-64 of the first min(STREAM_HEAD, length) bytes of the stream. */
uint64_t stream_head(const struct stream *s);

/* 0, or why the stream ended before its end: file, offset and reason. */
int stream_error(const struct stream *s, struct fault *why);

/* Bytes read of the file as it is on disk, and its size (0 = not known). */
void stream_progress(const struct stream *s, uint64_t *ret_done, uint64_t *ret_size);

#endif
