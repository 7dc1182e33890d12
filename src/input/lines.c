/* Looks for LF in what the stream has, and asks it for twice as much when there is
 * none, so that a long line is searched at most twice over. */
#include "input/lines.h"

enum { FIRST_LOOK = 4096 };

/* Consumes up to and with the next LF. */
static void pass_over(struct stream *stream)
{
    size_t have;
    const uint8_t *p;
    while (p = stream_peek(stream, LINE_MAX_BYTES, &have), have > 0) {
        const uint8_t *lf = memchr(p, '\n', have);
        stream_consume(stream, lf ? (size_t)(lf - p) + 1 : have);
        if (lf)
            return;
    }
}

static struct slice without_cr(const uint8_t *p, size_t len)
{
    return (struct slice){ p, len && p[len - 1] == '\r' ? len - 1 : len };
}

enum lines_next lines_next(struct stream *stream, struct slice *ret_line)
{
    size_t searched = 0;
    for (size_t want = FIRST_LOOK;; want *= 2) {
        size_t have;
        const uint8_t *p = stream_peek(stream, want, &have);
        const uint8_t *lf = memchr(p + searched, '\n', have - searched);
        if (lf) {
            size_t len = (size_t)(lf - p);
            stream_consume(stream, len + 1);
            *ret_line = without_cr(p, len);
            return len > LINE_MAX_BYTES ? LINES_TOO_LONG : LINES_LINE;
        }
        if (have == 0)
            return LINES_END;
        if (have > LINE_MAX_BYTES) {
            pass_over(stream);
            return LINES_TOO_LONG;
        }
        if (have < want) {
            *ret_line = without_cr(p, have);
            return LINES_OPEN;
        }
        searched = have;
    }
}
