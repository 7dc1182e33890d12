#include "cmd/spark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/present.h"
#include "cmd/value.h"

enum { HOUR_S = 3600, DAY_HOURS = 24, DATE = 10 /* columns */, COLUMNS_DEFAULT = 80, COLUMNS_MAX = 1000 };

const char *spark_block(uint64_t n, uint64_t most)
{
    static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588" };
    double eighths = (double)n * 8 / (double)most;
    unsigned level = (unsigned)eighths;
    return n == 0 ? "\u00b7" : blocks[level < eighths || level == 0 ? level : level - 1];
}

static unsigned cells_of(uint64_t from, uint64_t end, uint64_t cell)
{
    uint64_t n = (end - from / cell * cell + cell - 1) / cell;
    return n > UINT32_MAX ? UINT32_MAX : (unsigned)n;
}

struct spark_axis spark_axis(uint64_t from, uint64_t end, unsigned room)
{
    static const unsigned within_day[] = { 1, 2, 3, 6, 12, 24 };
    unsigned cell = 1;
    for (size_t i = 0; i < sizeof within_day / sizeof within_day[0]; i++) {
        cell = within_day[i];
        if (cells_of(from, end, cell) <= room)
            break;
    }
    while (cells_of(from, end, cell) > room)
        cell += DAY_HOURS;
    return (struct spark_axis){ from / cell * cell, end, cell, cells_of(from, end, cell) };
}

/* The sum of the cell's points, and the first point behind it. */
static uint64_t cell_sum(const struct spark_axis *axis, unsigned cell, const struct spark_point *points, size_t n, size_t *at)
{
    uint64_t begin = axis->from + (uint64_t)cell * axis->cell_hours, sum = 0;
    while (*at < n && points[*at].hour < begin)
        ++*at;
    for (; *at < n && points[*at].hour < begin + axis->cell_hours; ++*at)
        sum = __builtin_add_overflow(sum, points[*at].value, &sum) ? UINT64_MAX : sum;
    return sum;
}

uint64_t spark_draw(struct buffer *to, const struct spark_axis *axis, const struct spark_point *points, size_t n)
{
    uint64_t most = 0;
    size_t at = 0;
    for (unsigned cell = 0; cell < axis->cells; cell++) {
        uint64_t sum = cell_sum(axis, cell, points, n, &at);
        most = sum > most ? sum : most;
    }
    at = 0;
    for (unsigned cell = 0; cell < axis->cells; cell++)
        buffer_printf(to, "%s", spark_block(cell_sum(axis, cell, points, n, &at), most ? most : 1));
    return most;
}

void spark_dates(struct buffer *to, const struct spark_axis *axis)
{
    unsigned column = 0;
    while (column < axis->cells) {
        uint64_t hour = axis->from + (uint64_t)column * axis->cell_hours;
        bool new_day = hour % DAY_HOURS < axis->cell_hours;
        if (!new_day || axis->cells - column < DATE) {
            buffer_u8(to, ' ');
            column++;
            continue;
        }
        char date[32];
        present_time(hour / DAY_HOURS * DAY_HOURS * HOUR_S, date);
        buffer_printf(to, "%.10s%s", date, axis->cells - column > DATE ? " " : "");
        column += DATE + 1;
    }
}

void spark_cell_text(const struct spark_axis *axis, char text[32])
{
    unsigned n = axis->cell_hours % DAY_HOURS ? axis->cell_hours : axis->cell_hours / DAY_HOURS;
    snprintf(text, 32, "%u %s%s", n, axis->cell_hours % DAY_HOURS ? "hour" : "day", n == 1 ? "" : "s");
}

unsigned spark_columns(void)
{
    struct winsize size = { 0 };
    uint64_t columns;
    const char *said = getenv("COLUMNS");
    if (said == NULL || !value_count(said, &columns))
        columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : COLUMNS_DEFAULT;
    return columns > COLUMNS_MAX ? COLUMNS_MAX : (unsigned)columns;
}
