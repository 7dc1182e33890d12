/* spark: curves of one number an hour, drawn as a line of blocks on a time axis.
 *
 * An axis has cells of some whole hours each, as many as fit the room. Pure, but for the buffer; any thread.
 */
#ifndef DNSMON_CMD_SPARK_H
#define DNSMON_CMD_SPARK_H

#include "base/buffer.h"

struct spark_point {
    uint64_t value;
    uint32_t hour;
};

struct spark_axis {
    uint64_t from, end;  /* hours; from < end */
    unsigned cell_hours; /* 1, 2, 3, 6, 12, 24, or whole days; `from` lies on its grid */
    unsigned cells;
};

/* Eighths of a block as UTF-8; what is there at all shows, nothing is a middle dot. */
const char *spark_block(uint64_t n, uint64_t most);

/* The finest axis over [from, end) in at most `room` cells (1 or more); `from` is moved down to its grid. */
struct spark_axis spark_axis(uint64_t from, uint64_t end, unsigned room);

/* Adds up points, rising by hour, in each cell, and draws it by its own largest cell, which is returned. */
uint64_t spark_draw(struct buffer *to, const struct spark_axis *axis, const struct spark_point *points, size_t n);

/* Dates under or over the cells, as many as fit; no line end. */
void spark_dates(struct buffer *to, const struct spark_axis *axis);

/* "6 hours", "2 days" */
void spark_cell_text(const struct spark_axis *axis, char text[32]);

/* Columns of the terminal, of $COLUMNS, or 80. */
unsigned spark_columns(void);

#endif
