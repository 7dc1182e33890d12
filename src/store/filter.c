#include "store/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/outfile.h"

static const char MAGIC[8] = "DNSMBLM1";
enum { PAGE_HASHED = FILTER_PAGE_BYTES - 8 /* the hash comes last */ };

/* Page 0 is the header; a page's checksum is seeded with its number and its table. */
static uint64_t page_hash(const uint8_t *page, uint64_t number, uint64_t trailer_hash)
{
    return XXH3_64bits_withSeed(page, PAGE_HASHED, hash_mix(number + 1) ^ trailer_hash);
}

static inline uint64_t line_of(uint64_t hash, uint64_t lines)
{
    return (uint64_t)(((unsigned __int128)hash * lines) >> 64);
}

/* Six bits for each of the line's eight words. */
static inline uint64_t bits_of(uint64_t hash)
{
    return hash_mix(hash);
}

static uint64_t pages_for(uint64_t hashes)
{
    uint64_t lines = (hashes * FILTER_BITS_PER_KEY + FILTER_LINE_BYTES * 8 - 1) / (FILTER_LINE_BYTES * 8);
    uint64_t pages = (lines + FILTER_LINES_PER_PAGE - 1) / FILTER_LINES_PER_PAGE;
    return pages ? pages : 1;
}

struct filter_builder {
    uint64_t *hashes;
    size_t n, capacity;
    uint64_t spilled;
    int spill_fd;
    char path[PATH_BYTES];
};

int filter_builder_create(struct filter_builder **ret, const char *table_path, struct fault *why)
{
    struct filter_builder *b = calloc(1, sizeof *b);
    if (b == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", table_path);
    b->spill_fd = -1;
    if ((size_t)snprintf(b->path, sizeof b->path, "%s.filter", table_path) >= sizeof b->path) {
        free(b);
        return fault_set(why, E_LIMIT, "path is too long: %.100s...", table_path);
    }
    *ret = b;
    return 0;
}

void filter_builder_destroy(struct filter_builder **builder)
{
    struct filter_builder *b = *builder;
    *builder = NULL;
    if (b == NULL)
        return;
    if (b->spill_fd >= 0)
        close(b->spill_fd);
    free(b->hashes);
    free(b);
}

void filter_builder_remove(struct filter_builder *b)
{
    unlink(b->path);
}

/* The spill file has no name for longer than this: a crash leaves nothing. */
static int open_spill(struct filter_builder *b, struct fault *why)
{
    char path[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s.spill.tmp", b->path);
    b->spill_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (b->spill_fd < 0)
        return fault_errno(why, errno, "%s: cannot create", path);
    unlink(path);
    return 0;
}

static int spill(struct filter_builder *b, struct fault *why)
{
    int r = b->spill_fd < 0 ? open_spill(b, why) : 0;
    if (r < 0)
        return r;
    int errnum = write_all_at(b->spill_fd, b->hashes, b->n * 8, b->spilled * 8);
    if (errnum)
        return fault_errno(why, errnum, "%s: cannot spill", b->path);
    b->spilled += b->n;
    b->n = 0;
    return 0;
}

static int make_room(struct filter_builder *b, struct fault *why)
{
    if (b->n == FILTER_SPILL_HASHES)
        return spill(b, why);
    size_t capacity = b->capacity ? b->capacity * 2 : 4096;
    uint64_t *hashes = realloc(b->hashes, capacity * sizeof *hashes);
    if (hashes == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", b->path);
    b->hashes = hashes;
    b->capacity = capacity;
    return 0;
}

int filter_builder_add(struct filter_builder *b, uint64_t hash, struct fault *why)
{
    if (b->n == b->capacity || b->n == FILTER_SPILL_HASHES) {
        int r = make_room(b, why);
        if (r < 0)
            return r;
    }
    b->hashes[b->n++] = hash;
    return 0;
}

struct segment {
    uint8_t *pages;
    uint64_t first_line, lines; /* held here */
    uint64_t all_lines;
};

static void set_bits(struct segment *s, const uint64_t *hashes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t line = line_of(hashes[i], s->all_lines) - s->first_line;
        if (line >= s->lines)
            continue;
        uint8_t *p = s->pages + line / FILTER_LINES_PER_PAGE * FILTER_PAGE_BYTES +
                     line % FILTER_LINES_PER_PAGE * FILTER_LINE_BYTES;
        uint64_t bits = bits_of(hashes[i]);
        for (unsigned w = 0; w < 8; w++, bits >>= 6)
            put_le64(p + 8 * w, get_le64(p + 8 * w) | UINT64_C(1) << (bits & 63));
    }
}

/* Hashes were spilled: read them back, a piece at a time. */
static int set_spilled(struct filter_builder *b, struct segment *s, struct fault *why)
{
    enum { PIECE = 8192 };
    uint64_t piece[PIECE];
    for (uint64_t at = 0; at < b->spilled;) {
        uint64_t want = b->spilled - at < PIECE ? b->spilled - at : PIECE;
        ssize_t n = pread(b->spill_fd, piece, want * 8, (off_t)(at * 8));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 8)
            return fault_errno(why, n < 0 ? errno : EIO, "%s: cannot read spill", b->path);
        set_bits(s, piece, (size_t)n / 8);
        at += (uint64_t)n / 8;
    }
    return 0;
}

static void write_header(struct outfile *o, uint64_t pages, uint64_t hashes, uint64_t trailer_hash)
{
    uint8_t page[FILTER_PAGE_BYTES] = { 0 };
    memcpy(page, MAGIC, sizeof MAGIC);
    put_le64(page + 8, pages);
    put_le64(page + 16, hashes);
    put_le64(page + 24, trailer_hash);
    put_le64(page + PAGE_HASHED, page_hash(page, 0, trailer_hash));
    outfile_write(o, page, sizeof page);
}

static int write_segments(struct filter_builder *b, struct outfile *o, uint64_t pages,
                          uint64_t trailer_hash, struct fault *why)
{
    uint64_t room = pages < FILTER_SEGMENT_PAGES ? pages : FILTER_SEGMENT_PAGES;
    uint8_t *bytes = malloc(room * FILTER_PAGE_BYTES);
    if (bytes == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", b->path);
    int r = 0;
    for (uint64_t first = 0; first < pages && r == 0; first += room) {
        uint64_t n = pages - first < room ? pages - first : room;
        struct segment s = { bytes, first * FILTER_LINES_PER_PAGE, n * FILTER_LINES_PER_PAGE,
                             pages * FILTER_LINES_PER_PAGE };
        memset(bytes, 0, n * FILTER_PAGE_BYTES);
        r = set_spilled(b, &s, why);
        set_bits(&s, b->hashes, b->n);
        for (uint64_t i = 0; i < n; i++) {
            uint8_t *page = bytes + i * FILTER_PAGE_BYTES;
            put_le64(page + PAGE_HASHED, page_hash(page, first + i + 1, trailer_hash));
        }
        outfile_write(o, bytes, n * FILTER_PAGE_BYTES);
    }
    free(bytes);
    return r;
}

int filter_builder_finish(struct filter_builder *b, uint64_t trailer_hash, uint64_t *ret_bytes,
                          struct fault *why)
{
    struct outfile out;
    int r = outfile_open(&out, b->path, why);
    if (r < 0)
        return r;
    uint64_t hashes = b->spilled + b->n, pages = pages_for(hashes);
    write_header(&out, pages, hashes, trailer_hash);
    r = write_segments(b, &out, pages, trailer_hash, why);
    uint64_t bytes = out.offset;
    if (r == 0)
        r = outfile_commit(&out, why);
    outfile_abandon(&out);
    if (r == 0)
        *ret_bytes = bytes;
    return r;
}

struct filter {
    const uint8_t *map;
    size_t map_len;
    uint64_t pages, lines, trailer_hash;
    _Atomic uint64_t *verified; /* a bit a page; only ever set, and setting twice is harmless */
    char path[PATH_BYTES];
};

static int bad_page(const struct filter *f, uint64_t page, struct fault *why)
{
    return fault_set(why, E_CORRUPT, "%s: offset %" PRIu64 ": bad page checksum", f->path,
                     page * FILTER_PAGE_BYTES);
}

static int map_filter(struct filter *f, struct fault *why)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(why, errno, "%s: cannot open", f->path);
    struct stat st;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = fault_errno(why, errno, "%s: cannot stat", f->path);
    else if (st.st_size < 2 * FILTER_PAGE_BYTES || st.st_size % FILTER_PAGE_BYTES)
        r = fault_set(why, E_CORRUPT, "%s: offset 0: size %lld is not whole pages", f->path,
                      (long long)st.st_size);
    if (r == 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            r = fault_errno(why, errno, "%s: cannot map", f->path);
        else
            f->map = map, f->map_len = (size_t)st.st_size;
    }
    close(fd);
    return r;
}

static int check_header(struct filter *f, struct fault *why)
{
    if (get_le64(f->map + PAGE_HASHED) != page_hash(f->map, 0, f->trailer_hash) ||
        memcmp(f->map, MAGIC, sizeof MAGIC) != 0 || get_le64(f->map + 24) != f->trailer_hash)
        return fault_set(why, E_CORRUPT, "%s: offset 0: bad header, or of another table", f->path);
    f->pages = get_le64(f->map + 8);
    if (f->pages != f->map_len / FILTER_PAGE_BYTES - 1)
        return fault_set(why, E_CORRUPT, "%s: offset 8: page count does not fit the file", f->path);
    f->lines = f->pages * FILTER_LINES_PER_PAGE;
    return 0;
}

int filter_open(struct filter **ret, const char *table_path, uint64_t trailer_hash, struct fault *why)
{
    struct filter *f = calloc(1, sizeof *f);
    if (f == NULL)
        return fault_set(why, E_NOMEM, "%s: out of memory", table_path);
    f->trailer_hash = trailer_hash;
    snprintf(f->path, sizeof f->path, "%s.filter", table_path);
    int r = map_filter(f, why);
    if (r == 0)
        r = check_header(f, why);
    if (r == 0) {
        madvise((void *)f->map, f->map_len, MADV_RANDOM);
        f->verified = calloc(f->pages / 64 + 1, 8);
        if (f->verified == NULL)
            r = fault_set(why, E_NOMEM, "%s: out of memory", f->path);
    }
    if (r < 0)
        filter_close(&f);
    else
        *ret = f;
    return r;
}

void filter_close(struct filter **filter)
{
    struct filter *f = *filter;
    *filter = NULL;
    if (f == NULL)
        return;
    if (f->map != NULL)
        munmap((void *)f->map, f->map_len);
    free(f->verified);
    free(f);
}

static inline const uint8_t *line_at(const struct filter *f, uint64_t line)
{
    return f->map + FILTER_PAGE_BYTES + line / FILTER_LINES_PER_PAGE * FILTER_PAGE_BYTES +
           line % FILTER_LINES_PER_PAGE * FILTER_LINE_BYTES;
}

void filter_prefetch(const struct filter *f, uint64_t hash)
{
    __builtin_prefetch(line_at(f, line_of(hash, f->lines)));
}

static int verify_page(struct filter *f, uint64_t page, struct fault *why)
{
    const uint8_t *p = f->map + page * FILTER_PAGE_BYTES;
    if (get_le64(p + PAGE_HASHED) != page_hash(p, page, f->trailer_hash))
        return bad_page(f, page, why);
    atomic_fetch_or_explicit(&f->verified[page / 64], UINT64_C(1) << page % 64, memory_order_relaxed);
    return 0;
}

int filter_test(struct filter *f, uint64_t hash, bool *ret_maybe, struct fault *why)
{
    uint64_t line = line_of(hash, f->lines), page = line / FILTER_LINES_PER_PAGE + 1;
    if (!(atomic_load_explicit(&f->verified[page / 64], memory_order_relaxed) >> page % 64 & 1)) {
        int r = verify_page(f, page, why);
        if (r < 0)
            return r;
    }
    const uint8_t *p = line_at(f, line);
    uint64_t bits = bits_of(hash);
    bool maybe = true;
    for (unsigned w = 0; w < 8 && maybe; w++, bits >>= 6)
        maybe = get_le64(p + 8 * w) >> (bits & 63) & 1;
    *ret_maybe = maybe;
    return 0;
}

void filter_verify(struct filter *f, void (*report)(void *ctx, const struct fault *damage), void *ctx)
{
    struct fault why;
    for (uint64_t page = 1; page <= f->pages; page++)
        if (verify_page(f, page, &why) < 0)
            report(ctx, &why);
}
