#include "input/line_reader.h"

#include "input/lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct line_reader {
    const struct input_options *options;
    void *parser;
    void (*release)(void *parser);
    line_fn *on_line;
};

int line_reader_open(void **ret_state, struct stream *stream,
                     const struct input_options *options, void *parser,
                     void (*release)(void *parser), line_fn *on_line, struct fault *why)
{
    struct line_reader *r = malloc(sizeof *r);
    if (r == NULL) {
        release(parser);
        return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    }
    *r = (struct line_reader){ options, parser, release, on_line };
    *ret_state = r;
    return 0;
}

/* The last line, without LF: taken back when it turns out not to be whole. */
static int open_line(struct line_reader *r, struct stream *stream, struct slice line,
                     struct log_sink *sink, char damage[READER_DAMAGE])
{
    uint32_t count = sink->batch->count;
    int64_t newest_ns = sink->batch->newest_ns;
    uint64_t bad = sink->tally->n[TALLY_BAD_LINE];
    size_t len = cursor_left(&(struct cursor){ stream->next, stream->end, false });
    int e = r->on_line(r->parser, line, sink);
    if (e != 0)
        return e;
    if (sink->tally->n[TALLY_BAD_LINE] == bad) {
        stream_consume(stream, len);
        return 0;
    }
    sink->batch->count = count;
    sink->batch->newest_ns = newest_ns;
    snprintf(damage, READER_DAMAGE, "%.150s: offset %" PRIu64 ": ends inside a line",
             stream_path(stream), stream_offset(stream));
    return 0;
}

int line_reader_read(void *state, struct stream *stream, struct message_batch *batch,
                     struct tally *tally, uint64_t *packets, bool *ret_more,
                     char damage[READER_DAMAGE], struct fault *why)
{
    struct line_reader *r = state;
    struct log_sink sink = { r->options, batch, tally };
    int e = 0;
    *ret_more = true;
    while (e == 0 && *ret_more && !message_batch_is_full(batch)) {
        struct slice line;
        enum lines_next next = lines_next(stream, &line);
        *packets += next != LINES_END;
        switch (next) {
        case LINES_END:
            *ret_more = false;
            break;
        case LINES_TOO_LONG:
            tally->n[TALLY_BAD_LINE]++;
            break;
        case LINES_LINE:
            e = r->on_line(r->parser, line, &sink);
            break;
        case LINES_OPEN:
            e = open_line(r, stream, line, &sink, damage);
            *ret_more = false;
            break;
        }
    }
    return e == 0 ? 0 : fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
}

void line_reader_close(void *state)
{
    struct line_reader *r = state;
    if (r == NULL)
        return;
    r->release(r->parser);
    free(r);
}

void *line_reader_parser(void *state)
{
    return ((struct line_reader *)state)->parser;
}
