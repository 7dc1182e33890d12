/* Lines and positions over real files, through `source_open`. */
#include "harness.h"

#include "base/buffer.h"
#include "input/lines.h"
#include "input/source.h"
#include "scratch.h"

static void test_lines(void **state)
{
    (void)state;
    struct fault why;
    struct stream *stream;
    struct slice line;
    struct buffer file;
    buffer_init(&file, 8 << 20);
    buffer_append(&file, "one\n\r\ntwo\r\n", 11);
    uint8_t *big = buffer_reserve(&file, 5 << 20);
    memset(big, 'x', 5 << 20);
    big[LINE_MAX_BYTES] = '\n';     /* the longest line */
    big[2 * LINE_MAX_BYTES + 2] = '\n'; /* one byte longer */
    file.len += 4 << 20;            /* and one beyond the window */
    buffer_append(&file, "\nend", 4);
    const char *path = scratch_file("lines", file.ptr, file.len);

    static const struct {
        enum lines_next next;
        size_t len;
    } rows[] = {
        { LINES_LINE, 3 }, { LINES_LINE, 0 }, { LINES_LINE, 3 }, { LINES_LINE, LINE_MAX_BYTES },
        { LINES_TOO_LONG, 0 }, { LINES_TOO_LONG, 0 }, { LINES_OPEN, 3 }, { LINES_OPEN, 3 },
    };
    assert_int_equal(stream_open(&stream, path, &why), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(lines_next(stream, &line), rows[i].next);
        if (rows[i].next == LINES_LINE || rows[i].next == LINES_OPEN)
            assert_int_equal(line.len, rows[i].len);
    }
    assert_int_equal(stream_offset(stream), file.len - 3);
    stream_close(&stream);
    buffer_release(&file);
}

static const char zeek[] = "#separator \\x09\n#path\tdns\n#fields\tts\tquery\tqtype\ttrans_id\n"
                           "1\ta\t1\t1\n2\tb\t1\t2\n3\tc\t1\t3\n";

/* A grown file goes on where it stopped, and knows its header. */
static void test_position(void **state)
{
    (void)state;
    static struct harness h;
    struct input_options options = { .sensor = 3, .vantage = VANTAGE_UPSTREAM };
    struct transport *transport = transport_create(&options);
    struct source_position half, whole, again;
    struct source *source;
    struct fault why;
    bool more;
    harness_init(&h);
    h.batch.room = 1;
    const char *path = scratch_file("dns.log", zeek, strlen(zeek));

    assert_int_equal(source_open(&source, path, &options, transport, &why), 0);
    assert_string_equal(source_format(source), "zeek");
    assert_int_equal(source_read(source, &h.batch, &h.tally, &more, &why), 0);
    assert_int_equal(h.batch.messages[0].sensor, 3);
    assert_int_equal(h.batch.messages[0].vantage, VANTAGE_UPSTREAM);
    assert_int_equal(h.batch.messages[0].ts_ns, 1000000000);
    source_position(source, &half);
    h.batch.room = 10;
    assert_int_equal(source_read(source, &h.batch, &h.tally, &more, &why), 0);
    assert_false(more);
    source_position(source, &whole);
    source_close(&source);

    harness_clear(&h);
    assert_int_equal(source_open(&source, path, &options, transport, &why), 0);
    assert_int_equal(source_skip(source, half.offset, &why), 0);
    assert_int_equal(source_read(source, &h.batch, &h.tally, &more, &why), 0);
    assert_int_equal(h.batch.count, 2);
    assert_int_equal(h.batch.messages[0].ts_ns, 2000000000);
    source_position(source, &again);
    assert_memory_equal(&again, &whole, sizeof whole);
    source_close(&source);
    transport_destroy(&transport);
    harness_release(&h);
}

/* A file that ends inside a line: what is whole is read, the rest waits. */
static void test_open_line(void **state)
{
    (void)state;
    static struct harness h;
    struct input_options options = { 0 };
    struct transport *transport = transport_create(&options);
    harness_init(&h);
    for (size_t cut = 1; cut <= 7; cut++) {
        struct source_position position;
        struct source *source;
        struct fault why;
        bool more;
        harness_clear(&h);
        const char *path = scratch_file("dns.log", zeek, strlen(zeek) - cut);
        assert_int_equal(source_open(&source, path, &options, transport, &why), 0);
        assert_int_equal(source_read(source, &h.batch, &h.tally, &more, &why), 0);
        assert_false(more);
        source_position(source, &position);
        bool whole = cut == 1; /* only LF is missing */
        assert_int_equal(h.batch.count, whole ? 3 : 2);
        assert_int_equal(h.tally.n[TALLY_BAD_LINE], !whole);
        assert_int_equal(source_damage(source) == NULL, whole);
        assert_int_equal(position.offset, strlen(zeek) - (whole ? 1 : 8));
        source_close(&source);
        }
    transport_destroy(&transport);
    harness_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_position),
                                        cmocka_unit_test(test_open_line) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
