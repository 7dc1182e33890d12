#include "input/line_reader.h"

#include "input/lines.h"

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

int line_reader_read(void *state, struct stream *stream, struct message_batch *batch,
                     struct tally *tally, uint64_t *packets, bool *ret_more,
                     char damage[READER_DAMAGE], struct fault *why)
{
    struct line_reader *r = state;
    struct log_sink sink = { r->options, batch, tally };
    (void)damage; /* after a bad line comes another line */
    *ret_more = true;
    while (!message_batch_is_full(batch)) {
        struct slice line;
        switch (lines_next(stream, &line)) {
        case LINES_END:
            *ret_more = false;
            return 0;
        case LINES_TOO_LONG:
            ++*packets;
            tally->n[TALLY_BAD_LINE]++;
            continue;
        case LINES_LINE:
            break;
        }
        ++*packets;
        if (r->on_line(r->parser, line, &sink) != 0)
            return fault_set(why, E_NOMEM, "%s: out of memory", stream_path(stream));
    }
    return 0;
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
