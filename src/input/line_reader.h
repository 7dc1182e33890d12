/* line_reader: the reader_ops that all logs of lines share.
 *
 * A format brings a parser (any pointer) and one function for a line; this is the
 * loop around it: lines from the stream, a bound on their length, counting, a full
 * batch. A line is a record: after each the stream stands on a border.
 *
 * A last line without LF is taken when it parses. When it does not, the file was cut
 * there or is still being written: the stream stays in front of the line, the cause is
 * counted as BAD_LINE and told as damage.
 */
#ifndef DNSMON_INPUT_LINE_READER_H
#define DNSMON_INPUT_LINE_READER_H

#include "input/log.h"
#include "input/reader.h"

/* Returns 0 or E_NOMEM. */
typedef int line_fn(void *parser, struct slice line, struct log_sink *sink);

/* Takes over `parser`, also on failure; `release` frees it. */
int line_reader_open(void **ret_state, struct stream *stream,
                     const struct input_options *options, void *parser,
                     void (*release)(void *parser), line_fn *on_line,
                     struct fault *why) MUST_CHECK;

int line_reader_read(void *state, struct stream *stream, struct message_batch *batch,
                     struct tally *tally, uint64_t *packets, bool *ret_more,
                     char damage[READER_DAMAGE], struct fault *why) MUST_CHECK;

void line_reader_close(void *state);

/* The parser inside, for a format's own `skip`. */
void *line_reader_parser(void *state);

#endif
