/* lines: the lines of a stream, whatever their length.
 *
 * A line is a view into the stream, without its LF or CR LF, and lives until the
 * next call. The stream stands behind the line already when it is given out, so
 * every return is a record border. Lines beyond LINE_MAX_BYTES are passed over in
 * pieces of that size: memory is bounded by the window of the stream. A last line
 * without LF may be one that is still being written: it is given as LINES_OPEN and
 * not consumed, so that a file that grows can go on at its beginning.
 */
#ifndef DNSMON_INPUT_LINES_H
#define DNSMON_INPUT_LINES_H

#include "input/stream.h"

enum { LINE_MAX_BYTES = 1 << 20 };

enum lines_next {
    LINES_END,
    LINES_LINE,
    LINES_OPEN,     /* the last one, without LF: not consumed */
    LINES_TOO_LONG, /* passed over: count it */
};

enum lines_next lines_next(struct stream *stream, struct slice *ret_line);

#endif
