/* note: paragraphs for people, wrapped to a width, with whatever bytes the words hold made harmless for a terminal.
 *
 * Value type; one thread; borrows the buffer.
 */
#ifndef DNSMON_CMD_NOTE_H
#define DNSMON_CMD_NOTE_H

#include "base/buffer.h"

#include <jansson.h>

enum { NOTE_COLUMNS_MAX = 100, NOTE_CURVES = 4, NOTE_CURVE_HOURS = 24 * 400 };

struct note {
    struct buffer *to;
    unsigned columns;
    unsigned indent; /* of lines that begin from now on */
    unsigned at;     /* column; 0 = at a line's begin */
    bool blank;      /* the last line was empty */
};

void note_init(struct note *n, struct buffer *to, unsigned columns);

/* Goes on with the paragraph. */
void note_say(struct note *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ends it or, where nothing was begun, adds an empty line; never two. */
void note_end(struct note *n);
/* A line without indent, after an empty one. */
void note_head(struct note *n, const char *text);

/* Facts of a detector: figures and short lists as words, with commas between. What a name ends with says its unit: _s (a duration, or seconds
 * since 1970), _hour (since 1970, 0 = never), _hours (a number of them), _share. Series are left to note_curve. */
void note_facts(struct note *n, const json_t *facts);

/* Draws the series of hourly values {"from": HOUR, "values": [...]} in `facts`, at most NOTE_CURVES of them, each with its name, on an axis
 * of its own. */
void note_curves(struct note *n, const json_t *facts);

/* "2026-01-31 12:00" of seconds since 1970. */
enum { NOTE_TIME = 32 };
const char *note_time(const json_t *seconds, char text[NOTE_TIME]);

#endif
