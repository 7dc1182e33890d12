/* Why one window and not a ring or mmap: readers get contiguous records of up to
 * 4 MiB from pipes and compressed files too, with one code path. The window is
 * filled in pieces of STREAM_PIECE, so that in the steady state the bytes stay in
 * the second-level cache between decompression, parsing and hashing. */
#include "input/stream.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
    STREAM_PIECE = 128 << 10,
    STREAM_RAW = 128 << 10,
    STREAM_WINDOW = STREAM_PEEK_MAX + STREAM_PIECE,
    STREAM_XZ_MEMORY = 160 << 20, /* a dictionary of 128 MiB and the decoder */
    STREAM_ZSTD_WINDOW_LOG = 27,
};

struct stream_inner;

/* Writes up to `room` bytes to `to`; 0 at the end or after an error. */
typedef size_t decode_fn(struct stream_inner *in, uint8_t *to, size_t room);

struct stream_inner {
    XXH3_state_t hash; /* of everything before `hashed`; 64-byte aligned */
    const uint8_t *hashed;
    uint8_t *window;
    uint64_t window_offset; /* of window[0] in the stream */
    uint64_t head;
    decode_fn *decode;
    bool ended;
    bool in_frame; /* compressed data has begun and not come to its end */

    int fd;
    uint64_t file_size;
    uint64_t file_read;
    bool raw_ended;
    uint8_t *raw;
    size_t raw_at;
    size_t raw_len;

    z_stream zlib;
    lzma_stream lzma;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;

    struct fault error;
    char path[256];
};

static size_t stream_fail(struct stream_inner *in, int code, const char *what, const char *reason)
{
    fault_set(&in->error, code, "%s: offset %" PRIu64 ": %s%s%s", in->path,
              in->file_read - (in->raw_len - in->raw_at), what, *reason ? ": " : "", reason);
    in->ended = true;
    return 0;
}

static size_t read_file(struct stream_inner *in, uint8_t *to, size_t room)
{
    if (in->raw_ended)
        return 0;
    ssize_t n;
    do
        n = read(in->fd, to, room);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        in->raw_ended = true;
        if (n < 0)
            stream_fail(in, E_IO, "cannot read", strerror(errno));
        return 0;
    }
    in->file_read += (uint64_t)n;
    return (size_t)n;
}

/* Makes sure that there is compressed input, if the file has any left. */
static bool raw_refill(struct stream_inner *in)
{
    if (in->raw_at < in->raw_len)
        return true;
    in->raw_at = in->raw_len = 0;
    in->raw_len = read_file(in, in->raw, STREAM_RAW);
    return in->raw_len > 0;
}

static void raw_gather(struct stream_inner *in, size_t want)
{
    memmove(in->raw, in->raw + in->raw_at, in->raw_len - in->raw_at);
    in->raw_len -= in->raw_at;
    in->raw_at = 0;
    while (in->raw_len < want) {
        size_t n = read_file(in, in->raw + in->raw_len, STREAM_RAW - in->raw_len);
        if (n == 0)
            return;
        in->raw_len += n;
    }
}

static size_t ended_in_frame(struct stream_inner *in)
{
    if (in->error.code == 0 && in->in_frame)
        return stream_fail(in, E_TRUNCATED, "compressed data ends early", "");
    in->ended = true;
    return 0;
}

static size_t decode_plain(struct stream_inner *in, uint8_t *to, size_t room)
{
    size_t n = in->raw_len - in->raw_at;
    if (n > 0) {
        n = n < room ? n : room;
        memcpy(to, in->raw + in->raw_at, n);
        in->raw_at += n;
        return n;
    }
    n = read_file(in, to, room);
    if (n == 0)
        in->ended = true;
    return n;
}

/* After a member: another one follows, or zeros (tape padding), or the end. */
static bool gzip_next_member(struct stream_inner *in)
{
    raw_gather(in, 2);
    while (in->raw_at < in->raw_len && in->raw[in->raw_at] == 0) {
        in->raw_at++;
        if (in->raw_at == in->raw_len)
            raw_gather(in, 2);
    }
    if (in->raw_at == in->raw_len)
        return false;
    raw_gather(in, 2);
    if (in->raw_len < 2 || in->raw[0] != 0x1f || in->raw[1] != 0x8b) {
        stream_fail(in, E_MALFORMED, "bytes that are no gzip member after one", "");
        return false;
    }
    return inflateReset(&in->zlib) == Z_OK;
}

static size_t decode_gzip(struct stream_inner *in, uint8_t *to, size_t room)
{
    for (;;) {
        if (!in->in_frame) {
            if (in->zlib.total_in && !gzip_next_member(in)) {
                in->ended = true;
                return 0;
            }
            in->in_frame = true;
        }
        if (!raw_refill(in))
            return ended_in_frame(in);
        in->zlib.next_in = in->raw + in->raw_at;
        in->zlib.avail_in = (uInt)(in->raw_len - in->raw_at);
        in->zlib.next_out = to;
        in->zlib.avail_out = (uInt)room;
        int rc = inflate(&in->zlib, Z_NO_FLUSH);
        in->raw_at = in->raw_len - in->zlib.avail_in;
        size_t made = room - in->zlib.avail_out;
        if (rc == Z_STREAM_END)
            in->in_frame = false;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            stream_fail(in, E_MALFORMED, "damaged gzip data", in->zlib.msg ? in->zlib.msg : "");
        if (made || in->ended)
            return made;
    }
}

static const char *xz_reason(lzma_ret rc)
{
    switch (rc) {
    case LZMA_MEMLIMIT_ERROR:
        return "needs more than 160 MiB of memory";
    case LZMA_OPTIONS_ERROR:
        return "unsupported options";
    case LZMA_MEM_ERROR:
        return "out of memory";
    default:
        return "does not decode";
    }
}

static size_t decode_xz(struct stream_inner *in, uint8_t *to, size_t room)
{
    for (;;) {
        bool more = raw_refill(in);
        if (in->error.code)
            return 0;
        in->lzma.next_in = in->raw + in->raw_at;
        in->lzma.avail_in = in->raw_len - in->raw_at;
        in->lzma.next_out = to;
        in->lzma.avail_out = room;
        lzma_ret rc = lzma_code(&in->lzma, more ? LZMA_RUN : LZMA_FINISH);
        in->raw_at = in->raw_len - in->lzma.avail_in;
        size_t made = room - in->lzma.avail_out;
        if (rc == LZMA_STREAM_END)
            in->ended = true;
        else if (rc == LZMA_BUF_ERROR || (rc != LZMA_OK && !more))
            stream_fail(in, E_TRUNCATED, "compressed data ends early", "");
        else if (rc != LZMA_OK)
            stream_fail(in, E_MALFORMED, "damaged xz data", xz_reason(rc));
        if (made || in->ended)
            return made;
    }
}

static size_t decode_zstd(struct stream_inner *in, uint8_t *to, size_t room)
{
    ZSTD_outBuffer out = { .dst = to, .size = room };
    for (;;) {
        /* Without input the decoder may still hold output of a whole block. */
        bool more = raw_refill(in);
        if (in->error.code)
            return 0;
        ZSTD_inBuffer from = { .src = in->raw, .size = in->raw_len, .pos = in->raw_at };
        if (!more && !in->in_frame)
            return ended_in_frame(in);
        size_t rc = ZSTD_decompressStream(in->zstd, &out, &from);
        in->raw_at = from.pos;
        if (ZSTD_isError(rc))
            stream_fail(in, E_MALFORMED, "damaged zstd data", ZSTD_getErrorName(rc));
        else
            in->in_frame = rc != 0;
        if (out.pos || in->ended)
            return out.pos;
        if (!more)
            return ended_in_frame(in);
    }
}

static size_t decode_lz4(struct stream_inner *in, uint8_t *to, size_t room)
{
    for (;;) {
        bool more = raw_refill(in);
        if (in->error.code)
            return 0;
        if (!more && !in->in_frame)
            return ended_in_frame(in);
        size_t used = in->raw_len - in->raw_at, made = room;
        size_t rc = LZ4F_decompress(in->lz4, to, &made, in->raw + in->raw_at, &used, NULL);
        if (LZ4F_isError(rc)) {
            /* Sizes are not set on an error; what a block gave came out before. */
            stream_fail(in, E_MALFORMED, "damaged lz4 data", LZ4F_getErrorName(rc));
            return 0;
        }
        in->raw_at += used;
        in->in_frame = rc != 0;
        if (made)
            return made;
        if (!more)
            return ended_in_frame(in);
    }
}

static bool begin_gzip(struct stream_inner *in)
{
    in->decode = decode_gzip;
    return inflateInit2(&in->zlib, 15 + 16) == Z_OK;
}

static bool begin_xz(struct stream_inner *in)
{
    in->decode = decode_xz;
    return lzma_stream_decoder(&in->lzma, STREAM_XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
}

static bool begin_zstd(struct stream_inner *in)
{
    in->decode = decode_zstd;
    in->zstd = ZSTD_createDStream();
    return in->zstd != NULL &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax,
                                                STREAM_ZSTD_WINDOW_LOG));
}

static bool begin_lz4(struct stream_inner *in)
{
    in->decode = decode_lz4;
    return !LZ4F_isError(LZ4F_createDecompressionContext(&in->lz4, LZ4F_VERSION));
}

/* pzstd begins with a skippable frame, which lz4 knows too; zstd is likelier. */
static bool begin_decoder(struct stream_inner *in)
{
    raw_gather(in, 6);
    const uint8_t *p = in->raw;
    if (in->raw_len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
        return begin_gzip(in);
    if (in->raw_len >= 6 && memcmp(p, "\xfd" "7zXZ\0", 6) == 0)
        return begin_xz(in);
    if (in->raw_len >= 4 && (get_le32(p) == 0xfd2fb528 || (get_le32(p) & ~15u) == 0x184d2a50))
        return begin_zstd(in);
    if (in->raw_len >= 4 && get_le32(p) == 0x184d2204)
        return begin_lz4(in);
    in->decode = decode_plain;
    return true;
}

static void hash_consumed(struct stream *s)
{
    if (s->next > s->inner->hashed)
        XXH3_128bits_update(&s->inner->hash, s->inner->hashed,
                            (size_t)(s->next - s->inner->hashed));
    s->inner->hashed = s->next;
}

const uint8_t *stream_fill(struct stream *s, size_t want, size_t *ret_have)
{
    struct stream_inner *in = s->inner;
    size_t have = (size_t)(s->end - s->next);
    if (want > STREAM_PEEK_MAX)
        want = STREAM_PEEK_MAX;
    if (have < want && !in->ended) {
        hash_consumed(s);
        in->window_offset += (uint64_t)(s->next - in->window);
        memmove(in->window, s->next, have);
        size_t goal = want > STREAM_PIECE ? want : STREAM_PIECE;
        while (have < want && !in->ended)
            have += in->decode(in, in->window + have, goal - have);
        s->next = in->hashed = in->window;
        s->end = in->window + have;
    }
    *ret_have = have;
    return s->next;
}

static int open_file(struct stream_inner *in, const char *path, struct fault *why)
{
    if (strcmp(path, "-") == 0) {
        snprintf(in->path, sizeof in->path, "standard input");
        in->fd = STDIN_FILENO;
        return 0;
    }
    snprintf(in->path, sizeof in->path, "%s", path);
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return fault_errno(why, errno, "%s", path);
    struct stat st;
    if (fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode))
        in->file_size = (uint64_t)st.st_size;
    return 0;
}

static int allocate(struct stream **ret, struct fault *why)
{
    struct stream *s = calloc(1, sizeof *s);
    struct stream_inner *in = aligned_alloc(64, (sizeof *in + 63) & ~(size_t)63);
    if (s == NULL || in == NULL) {
        free(s);
        free(in);
        return fault_set(why, E_NOMEM, "no memory for an input stream");
    }
    memset(in, 0, sizeof *in);
    in->fd = -1;
    in->lzma = (lzma_stream)LZMA_STREAM_INIT;
    s->inner = in;
    in->window = malloc(STREAM_WINDOW);
    in->raw = malloc(STREAM_RAW);
    if (in->window == NULL || in->raw == NULL) {
        stream_close(&s);
        return fault_set(why, E_NOMEM, "no memory for an input stream");
    }
    XXH3_128bits_reset(&in->hash);
    s->next = s->end = in->hashed = in->window;
    *ret = s;
    return 0;
}

int stream_open(struct stream **ret, const char *path, struct fault *why)
{
    struct stream *s = NULL;
    int rc = allocate(&s, why);
    if (rc < 0)
        return rc;
    rc = open_file(s->inner, path, why);
    if (rc == 0 && !begin_decoder(s->inner))
        rc = fault_set(why, E_NOMEM, "%s: no memory to decompress", path);
    if (rc == 0) {
        size_t have;
        const uint8_t *head = stream_peek(s, STREAM_HEAD, &have);
        s->inner->head = XXH3_64bits(head, have < STREAM_HEAD ? have : STREAM_HEAD);
        if (have == 0)
            rc = stream_error(s, why);
    }
    if (rc < 0)
        stream_close(&s);
    else
        *ret = s;
    return rc;
}

void stream_close(struct stream **stream)
{
    struct stream *s = *stream;
    *stream = NULL;
    if (s == NULL)
        return;
    struct stream_inner *in = s->inner;
    if (in->decode == decode_gzip)
        inflateEnd(&in->zlib);
    lzma_end(&in->lzma);
    ZSTD_freeDStream(in->zstd);
    if (in->lz4)
        LZ4F_freeDecompressionContext(in->lz4);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    free(in->window);
    free(in->raw);
    free(in);
    free(s);
}

int stream_skip(struct stream *s, uint64_t len, struct fault *why)
{
    while (len > 0) {
        size_t have;
        stream_peek(s, 1, &have);
        if (have == 0)
            return fault_set(why, E_ABSENT, "%s: ends at offset %" PRIu64 ", before what was asked for",
                             s->inner->path, stream_offset(s));
        size_t step = have < len ? have : (size_t)len;
        stream_consume(s, step);
        len -= step;
    }
    return 0;
}

const char *stream_path(const struct stream *s)
{
    return s->inner->path;
}

uint64_t stream_offset(const struct stream *s)
{
    return s->inner->window_offset + (uint64_t)(s->next - s->inner->window);
}

void stream_digest(struct stream *s, uint64_t ret_digest[2])
{
    hash_consumed(s);
    XXH128_hash_t h = XXH3_128bits_digest(&s->inner->hash);
    ret_digest[0] = h.low64;
    ret_digest[1] = h.high64;
}

uint64_t stream_head(const struct stream *s)
{
    return s->inner->head;
}

int stream_error(const struct stream *s, struct fault *why)
{
    if (s->inner->error.code != 0 && why != NULL)
        *why = s->inner->error;
    return s->inner->error.code;
}

void stream_progress(const struct stream *s, uint64_t *ret_done, uint64_t *ret_size)
{
    *ret_done = s->inner->file_read;
    *ret_size = s->inner->file_size;
}
