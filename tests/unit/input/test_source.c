/* Files: compression, byte orders, clocks, cut and absurd records, positions. */
#include "frames.h"
#include "input/stream.h"
#include "scratch.h"

#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

enum { RECORDS = 50 };

static const char *file;

static const char *write_file(const void *ptr, size_t len)
{
    file = scratch_file("capture", ptr, len);
    return file;
}

static void u32(struct buffer *b, bool big, uint32_t v)
{
    if (big)
        buffer_be32(b, v);
    else
        buffer_le32(b, v);
}

static void u16(struct buffer *b, bool big, uint16_t v)
{
    uint8_t p[2] = { big ? v >> 8 : v & 255, big ? v & 255 : v >> 8 };
    buffer_append(b, p, 2);
}

static void pcap_header(struct buffer *b, bool big, uint32_t magic)
{
    u32(b, big, magic);
    u16(b, big, 2);
    u16(b, big, 4);
    u32(b, big, 0);
    u32(b, big, 0);
    u32(b, big, 65535);
    u32(b, big, 101);
}

static void pcap_record(struct buffer *b, bool big, bool modified, uint32_t s, uint32_t fraction)
{
    struct frame f;
    frame_plain(&f);
    u32(b, big, s);
    u32(b, big, fraction);
    u32(b, big, f.len);
    u32(b, big, f.len);
    if (modified)
        buffer_append(b, "\0\0\0\1\0\0\0\0", 8);
    buffer_append(b, f.bytes, f.len);
}

static void pcap_file(struct buffer *b)
{
    buffer_init(b, 1 << 24);
    pcap_header(b, false, 0xa1b2c3d4);
    for (uint32_t i = 0; i < RECORDS; i++)
        pcap_record(b, false, false, 1000 + i, 5);
}

/* Reads all there is; returns the messages. The batch keeps them. */
static uint32_t read_all(const char *path, struct rig *r, char *ret_damage,
                         struct source_position *ret_position, struct fault *why)
{
    struct source *source = NULL;
    int rc = source_open(&source, path, NULL, r->transport, why);
    ret_damage[0] = '\0';
    if (rc < 0)
        return UINT32_MAX;
    for (bool more = true; more;)
        assert_int_equal(source_read(source, &r->batch, &r->tally, &more, why), 0);
    if (source_damage(source))
        snprintf(ret_damage, 256, "%s", source_damage(source));
    if (ret_position)
        source_position(source, ret_position);
    source_close(&source);
    return r->batch.count;
}

static uint32_t read_bytes(const void *ptr, size_t len, struct rig *r, char *ret_damage)
{
    struct fault why = { 0 };
    return read_all(write_file(ptr, len), r, ret_damage, NULL, &why);
}

/* A time that no record can have is damage: the message does not stay, and is not the newest. */
static void test_times(void **state)
{
    (void)state;
    static const struct {
        int64_t ts_ns;
        bool stays;
        int64_t newest_ns;
    } rows[] = {
        { -1, false, INT64_MIN },
        { 0, true, 0 },
        { 5 * SECOND, true, 5 * SECOND },
        { INT64_MAX, false, 5 * SECOND },
        { (UINT32_MAX + INT64_C(1)) * SECOND, false, 5 * SECOND },
        { INT64_MIN, false, 5 * SECOND },
        { 3 * SECOND, true, 5 * SECOND },
        { (UINT32_MAX + INT64_C(1)) * SECOND - 1, true, (UINT32_MAX + INT64_C(1)) * SECOND - 1 },
    };
    struct message_batch batch;
    struct tally tally = { 0 };
    uint32_t count = 0, refused = 0;
    assert_int_equal(message_batch_init(&batch, 4), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct message m = { .ts_ns = rows[i].ts_ns, .wire = (const uint8_t *)"x", .wire_len = 1 };
        assert_int_equal(message_batch_add(&batch, &m, &tally), 0);
        count += rows[i].stays;
        refused += !rows[i].stays;
        assert_int_equal(batch.count, count);
        assert_true(count == 0 || !rows[i].stays || batch.messages[count - 1].ts_ns == rows[i].ts_ns);
        assert_int_equal(batch.newest_ns, rows[i].newest_ns);
        assert_int_equal(tally.n[TALLY_BAD_TIME], refused);
    }
    message_batch_release(&batch);
}

static void test_pcap_kinds(void **state)
{
    (void)state;
    static const struct { uint32_t magic; int64_t unit; } kinds[] = {
        { 0xa1b2c3d4, 1000 }, { 0xa1b23c4d, 1 }, { 0xa1b2cd34, 1000 },
    };
    for (int i = 0; i < 6; i++) {
        struct rig r;
        struct buffer b;
        char damage[256];
        bool big = i % 2;
        rig_open(&r, NULL);
        buffer_init(&b, 1 << 20);
        pcap_header(&b, big, kinds[i / 2].magic);
        pcap_record(&b, big, i / 2 == 2, 1700000000, 123456);
        pcap_record(&b, big, i / 2 == 2, 4000000000u, 1);
        assert_int_equal(read_bytes(b.ptr, b.len, &r, damage), 2);
        assert_int_equal(r.batch.messages[0].ts_ns, 1700000000 * SECOND + 123456 * kinds[i / 2].unit);
        assert_int_equal(r.batch.messages[1].ts_ns, 4000000000 * SECOND + kinds[i / 2].unit);
        assert_int_equal(r.batch.newest_ns, r.batch.messages[1].ts_ns);
        assert_string_equal(damage, "");
        buffer_release(&b);
        rig_close(&r);
    }
}

static void block(struct buffer *b, bool big, uint32_t type, const struct buffer *body)
{
    uint32_t padded = ((uint32_t)body->len + 3) & ~3u;
    u32(b, big, type);
    u32(b, big, padded + 12);
    buffer_append(b, body->ptr, body->len);
    buffer_append(b, "\0\0\0", padded - body->len);
    u32(b, big, padded + 12);
}

static void section(struct buffer *b, bool big)
{
    struct buffer body;
    buffer_init(&body, 1 << 20);
    u32(&body, big, 0x1a2b3c4d);
    u16(&body, big, 1);
    u16(&body, big, 0);
    buffer_append(&body, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    block(b, big, 0x0a0d0d0a, &body);
    buffer_release(&body);
}

static void interface(struct buffer *b, bool big, uint16_t linktype, int tsresol)
{
    struct buffer body;
    buffer_init(&body, 1 << 20);
    u16(&body, big, linktype);
    u16(&body, big, 0);
    u32(&body, big, 0);
    u16(&body, big, 2); /* a name, of an odd length */
    u16(&body, big, 3);
    buffer_append(&body, "eth\0", 4);
    if (tsresol >= 0) {
        u16(&body, big, 9);
        u16(&body, big, 1);
        buffer_append(&body, &(uint8_t[4]){ (uint8_t)tsresol }, 4);
    }
    u32(&body, big, 0);
    block(b, big, 1, &body);
    buffer_release(&body);
}

static void packet(struct buffer *b, bool big, uint32_t type, uint32_t on, uint64_t ticks)
{
    struct buffer body;
    struct frame f;
    buffer_init(&body, 1 << 20);
    frame_plain(&f);
    if (on % 2)
        frame_ethernet(&f, 0x0800);
    if (type == 6) {
        u32(&body, big, on);
    } else if (type == 2) {
        u16(&body, big, (uint16_t)on);
        u16(&body, big, 0);
    }
    if (type != 3) {
        u32(&body, big, (uint32_t)(ticks >> 32));
        u32(&body, big, (uint32_t)ticks);
        u32(&body, big, f.len);
    }
    u32(&body, big, f.len);
    buffer_append(&body, f.bytes, f.len);
    block(b, big, type, &body);
    buffer_release(&body);
}

static void pcapng_file(struct buffer *b)
{
    struct buffer name;
    buffer_init(b, 1 << 20);
    buffer_init(&name, 1 << 20);
    buffer_append(&name, "anything", 8);
    for (int big = 0; big < 2; big++) {
        section(b, big);
        interface(b, big, 101, -1);
        interface(b, big, 1, 9);
        interface(b, big, 101, 0x80 | 10);
        block(b, big, 4, &name);
        packet(b, big, 6, 0, 1700000000000001);
        packet(b, big, 6, 1, 1700000000000000001);
        packet(b, big, 6, 2, (UINT64_C(1700000000) << 10) + 512);
        packet(b, big, 2, 0, 1700000001000000);
        packet(b, big, 3, 0, 0);
    }
    buffer_release(&name);
}

static void test_pcapng(void **state)
{
    (void)state;
    static const int64_t expected[] = { 1700000000000001000, 1700000000000000001,
                                        1700000000500000000, 1700000001000000000,
                                        1700000001000000000 };
    struct rig r;
    struct buffer b;
    char damage[256];
    rig_open(&r, NULL);
    pcapng_file(&b);
    assert_int_equal(read_bytes(b.ptr, b.len, &r, damage), 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(r.batch.messages[i].ts_ns, expected[i % 5]);
    assert_string_equal(damage, "");
    assert_int_equal(rig_set_aside(&r), 0);
    buffer_release(&b);
    rig_close(&r);
}

/* Cut anywhere, files give what came before, and say where they end. */
static void check_cuts(const struct buffer *b, uint32_t whole)
{
    uint32_t most = 0;
    for (size_t len = 1; len < b->len; len += len > 200 && len + 100 < b->len ? 7 : 1) {
        struct rig r;
        char damage[256];
        rig_open(&r, NULL);
        uint32_t n = read_bytes(b->ptr, len, &r, damage);
        if (n != UINT32_MAX) {
            assert_true(n >= most && n <= whole);
            most = n;
            assert_int_equal(r.tally.n[TALLY_BAD_RECORD], damage[0] != '\0');
            assert_true(damage[0] == '\0' || strstr(damage, "offset") != NULL);
        }
        rig_close(&r);
    }
    assert_true(most + 1 == whole);
}

static void test_cut_files(void **state)
{
    (void)state;
    struct buffer b;
    pcap_file(&b);
    check_cuts(&b, RECORDS);
    buffer_release(&b);
    pcapng_file(&b);
    check_cuts(&b, 10);
    buffer_release(&b);
}

static void test_absurd_lengths(void **state)
{
    (void)state;
    struct rig r;
    struct buffer b;
    char damage[256];
    rig_open(&r, NULL);
    pcap_file(&b);
    put_le32(b.ptr + 24 + 8, 0x7fffffff);
    assert_int_equal(read_bytes(b.ptr, b.len, &r, damage), 0);
    assert_non_null(strstr(damage, "offset 24: absurd packet length"));
    assert_non_null(strstr(damage, file));
    assert_int_equal(r.tally.n[TALLY_BAD_RECORD], 1);
    buffer_release(&b);
    static const uint32_t lengths[] = { 0, 8, 13, 0xfffffff0, 0x7ffffffc };
    for (int i = 0; i < 5; i++) {
        buffer_init(&b, 1 << 20);
        section(&b, false);
        interface(&b, false, 101, -1);
        size_t at = b.len;
        packet(&b, false, 6, 0, 1);
        put_le32(b.ptr + at + 4, lengths[i]);
        assert_int_equal(read_bytes(b.ptr, b.len, &r, damage), 0);
        assert_non_null(strstr(damage, "offset"));
        put_le32(b.ptr + at, 77); /* a block that is skipped */
        assert_int_equal(read_bytes(b.ptr, b.len, &r, damage), 0);
        assert_non_null(strstr(damage, "offset"));
        buffer_release(&b);
    }
    rig_close(&r);
}

typedef size_t pack_fn(uint8_t *to, size_t room, const uint8_t *from, size_t len);

static size_t pack_plain(uint8_t *to, size_t room, const uint8_t *from, size_t len)
{
    assert_true(len <= room);
    memcpy(to, from, len);
    return len;
}

static size_t pack_gzip(uint8_t *to, size_t room, const uint8_t *from, size_t len)
{
    z_stream z = { .next_in = (uint8_t *)from, .avail_in = (uInt)len, .next_out = to,
                   .avail_out = (uInt)room };
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_xz(uint8_t *to, size_t room, const uint8_t *from, size_t len)
{
    size_t at = 0;
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, from, len, to, &at, room),
                     LZMA_OK);
    return at;
}

static size_t pack_zstd(uint8_t *to, size_t room, const uint8_t *from, size_t len)
{
    return ZSTD_compress(to, room, from, len, 3);
}

static size_t pack_lz4(uint8_t *to, size_t room, const uint8_t *from, size_t len)
{
    return LZ4F_compressFrame(to, room, from, len, NULL);
}

static pack_fn *const packs[] = { pack_plain, pack_gzip, pack_xz, pack_zstd, pack_lz4 };

/* In two members or frames; the position does not depend on the compression. */
static void test_compressed(void **state)
{
    (void)state;
    struct buffer b;
    static uint8_t packed[1 << 16];
    struct source_position first = { 0 }, position;
    pcap_file(&b);
    for (int i = 0; i < 5; i++) {
        struct rig r;
        char damage[256];
        struct fault why;
        rig_open(&r, NULL);
        size_t half = b.len / 2;
        size_t n = packs[i](packed, sizeof packed, b.ptr, half);
        n += packs[i](packed + n, sizeof packed - n, b.ptr + half, b.len - half);
        write_file(packed, n);
        assert_int_equal(read_all(file, &r, damage, &position, &why), RECORDS);
        assert_string_equal(damage, "");
        assert_int_equal(position.offset, b.len);
        if (i == 0)
            first = position;
        assert_memory_equal(&position, &first, sizeof first);
        rig_close(&r);
    }
    buffer_release(&b);
}

/* Never more messages than there were; a cut is told, and counted. */
static void check_unpacked(const uint8_t *packed, size_t len, bool cut)
{
    struct rig r;
    char damage[256];
    rig_open(&r, NULL);
    uint32_t got = read_bytes(packed, len, &r, damage);
    assert_true(got == UINT32_MAX || got <= RECORDS);
    if (cut && got != UINT32_MAX) {
        assert_non_null(strstr(damage, "offset"));
        assert_int_equal(r.tally.n[TALLY_BAD_RECORD], 1);
    }
    rig_close(&r);
}

static void test_compressed_and_damaged(void **state)
{
    (void)state;
    struct buffer b;
    static uint8_t packed[1 << 16];
    pcap_file(&b);
    for (int i = 1; i < 5; i++) {
        size_t n = packs[i](packed, sizeof packed, b.ptr, b.len);
        for (size_t cut = 7; cut < n; cut += 9)
            check_unpacked(packed, cut, true);
        for (size_t at = 0; at < n; at += 5) { /* one bit wrong, anywhere */
            packed[at] ^= 0x10;
            check_unpacked(packed, n, false);
            packed[at] ^= 0x10;
        }
    }
    buffer_release(&b);
}

/* Read to a position, then again from there: the rest, and the same last position. */
static void check_skip(const struct buffer *b, uint32_t room)
{
    struct source *source = NULL;
    struct source_position middle, end, again;
    struct fault why;
    struct rig r;
    bool more;
    write_file(b->ptr, b->len);
    rig_open(&r, NULL);
    r.batch.room = room;
    assert_int_equal(source_open(&source, file, NULL, r.transport, &why), 0);
    assert_int_equal(source_read(source, &r.batch, &r.tally, &more, &why), 0);
    assert_int_equal(r.batch.count, room);
    source_position(source, &middle);
    r.batch.room = 1000;
    assert_int_equal(source_read(source, &r.batch, &r.tally, &more, &why), 0);
    assert_false(more);
    source_position(source, &end);
    uint32_t all = r.batch.count;
    source_close(&source);
    message_batch_clear(&r.batch);
    assert_int_equal(source_open(&source, file, NULL, r.transport, &why), 0);
    assert_int_equal(source_skip(source, middle.offset, &why), 0);
    source_position(source, &again);
    assert_memory_equal(&again, &middle, sizeof again);
    assert_int_equal(source_read(source, &r.batch, &r.tally, &more, &why), 0);
    assert_int_equal(r.batch.count, all - room);
    source_position(source, &again);
    assert_memory_equal(&again, &end, sizeof again);
    source_close(&source);
    assert_int_equal(source_open(&source, file, NULL, r.transport, &why), 0);
    assert_int_equal(source_skip(source, b->len + 1, &why), E_ABSENT);
    source_close(&source);
    rig_close(&r);
}

static void test_skip(void **state)
{
    (void)state;
    struct buffer b;
    pcap_file(&b);
    for (uint32_t room = 1; room < RECORDS; room++)
        check_skip(&b, room);
    buffer_release(&b);
    pcapng_file(&b);
    for (uint32_t room = 1; room < 10; room++)
        check_skip(&b, room);
    buffer_release(&b);
}

/* By bytes: any offset can be stood at, and what a reader had to see on the way makes it lost. */
static void check_pass(const struct buffer *b, bool stateful)
{
    struct source *source = NULL;
    struct source_position at, end;
    struct fault why;
    struct rig r;
    bool more;
    write_file(b->ptr, b->len);
    rig_open(&r, NULL);
    r.batch.room = 1000;
    assert_int_equal(source_open(&source, file, NULL, r.transport, &why), 0);
    assert_int_equal(source_read(source, &r.batch, &r.tally, &more, &why), 0);
    source_position(source, &end);
    source_close(&source);
    assert_int_equal(source_open(&source, file, NULL, r.transport, &why), 0);
    source_position(source, &at);
    assert_int_equal(source_pass(source, at.offset, &why), 0);
    assert_false(source_is_lost(source));
    for (uint64_t offset = at.offset + 1; offset <= b->len; offset++) {
        assert_int_equal(source_pass(source, offset, &why), 0);
        source_position(source, &at);
        assert_int_equal(at.offset, offset);
    }
    assert_memory_equal(&at, &end, sizeof at);
    assert_int_equal(source_is_lost(source), stateful);
    assert_int_equal(source_pass(source, 1, &why), E_USAGE);
    assert_int_equal(source_pass(source, b->len + 1, &why), E_ABSENT);
    source_close(&source);
    rig_close(&r);
}

static void test_pass(void **state)
{
    (void)state;
    struct buffer b;
    pcap_file(&b);
    check_pass(&b, false);
    buffer_release(&b);
    pcapng_file(&b);
    check_pass(&b, true);
    buffer_release(&b);
}

/* The window moves, views stay whole, and skipping hashes as reading does. */
static void test_stream_views(void **state)
{
    (void)state;
    struct stream *s = NULL;
    struct fault why;
    size_t len = 9 << 20, have;
    uint8_t *bytes = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * i >> 7);
    write_file(bytes, len);
    uint64_t digests[3][2];
    static const size_t steps[] = { 1000, 3000001, STREAM_PEEK_MAX };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stream_open(&s, file, &why), 0);
        for (size_t at = 0; at < len;) {
            size_t want = steps[i] < len - at ? steps[i] : len - at;
            const uint8_t *p = stream_peek(s, steps[i], &have);
            assert_true(have >= want);
            assert_memory_equal(p, bytes + at, want);
            if (i == 1)
                assert_int_equal(stream_skip(s, want, &why), 0);
            else
                stream_consume(s, want);
            at += want;
            assert_int_equal(stream_offset(s), at);
        }
        stream_peek(s, 1, &have);
        assert_int_equal(have, 0);
        assert_int_equal(stream_error(s, &why), 0);
        stream_digest(s, digests[i]);
        assert_memory_equal(digests[i], digests[0], sizeof digests[0]);
        stream_close(&s);
    }
    free(bytes);
}

static void test_no_file(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct fault why;
    struct transport *transport = transport_create(NULL);
    assert_int_equal(source_open(&source, "/nonexistent/x", NULL, transport, &why), E_ABSENT);
    assert_int_equal(source_open(&source, "/tmp", NULL, transport, &why), E_IO);
    write_file("\1\2\3\4\5\6\7\x8", 8);
    assert_int_equal(source_open(&source, file, NULL, transport, &why), E_UNSUPPORTED);
    transport_destroy(&transport);
}

/* Nothing, however it is wrapped, is a source of any format; a cut wrapping is not nothing. */
static void test_empty(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct transport *transport = transport_create(NULL);
    for (size_t i = 0; i < sizeof packs / sizeof packs[0]; i++) {
        struct rig r;
        char damage[256];
        size_t len = packs[i](packed, sizeof packed, (const uint8_t *)"", 0);
        rig_open(&r, NULL);
        assert_int_equal(read_bytes(packed, len, &r, damage), 0);
        assert_string_equal(damage, "");
        rig_close(&r);
        struct source *source = NULL;
        struct source_position here;
        struct fault why;
        static const struct input_options named = { .format = "zeek" };
        assert_int_equal(source_open(&source, file, &named, transport, &why), 0);
        assert_true(source_is_empty(source));
        assert_int_equal(source_skip(source, 1, NULL), E_ABSENT);
        source_position(source, &here);
        assert_int_equal(here.offset, 0);
        source_close(&source);
        if (len < 2)
            continue;
        write_file(packed, len - 1);
        assert_int_equal(source_open(&source, file, NULL, transport, &why), E_TRUNCATED);
    }
    transport_destroy(&transport);
}

/* Real captures of other projects, with tshark's counts; see the notes there. */
static void test_shared_captures(void **state)
{
    (void)state;
    char path[4096], line[4096];
    const char *shared = getenv("DNSMON_SHARED");
    snprintf(path, sizeof path, "%s/data/captures/EXPECTED.tsv", shared ? shared : "../shared");
    FILE *list = fopen(path, "r");
    if (list == NULL) {
        print_message("# no %s: left out\n", path); /* skip() would be "not ok ... # SKIP", which meson takes for a failure */
        return;
    }
    const struct input_options options = { .keep_multicast = true };
    while (fgets(line, sizeof line, list)) {
        char name[512];
        unsigned packets, queries, responses, q = 0, a = 0;
        if (sscanf(line, "%511[^\t]\t%u\t%u\t%u", name, &packets, &queries, &responses) != 4)
            continue;
        snprintf(path, sizeof path, "%s/data/captures/%s", shared ? shared : "../shared", name);
        struct rig r;
        struct source *source = NULL;
        struct fault why;
        rig_open(&r, &options);
        assert_int_equal(source_open(&source, path, &options, r.transport, &why), 0);
        for (bool more = true; more; message_batch_clear(&r.batch)) {
            assert_int_equal(source_read(source, &r.batch, &r.tally, &more, &why), 0);
            for (uint32_t i = 0; i < r.batch.count; i++)
                *(r.batch.messages[i].wire[2] & 0x80 ? &a : &q) += 1;
        }
        if (source_packets(source) != packets || q != queries || a != responses)
            fail_msg("%s: %u queries, %u responses", name, q, a);
        source_close(&source);
        rig_close(&r);
    }
    fclose(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_kinds),
        cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_cut_files),
        cmocka_unit_test(test_absurd_lengths),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_compressed_and_damaged),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_pass),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_stream_views),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_shared_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
