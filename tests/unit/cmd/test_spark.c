/* Axes fit the room and keep every hour; curves add up in their cells. */
#include "cmd/spark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <string.h>

static void test_axes(void **state)
{
    static const struct {
        uint64_t from, end;
        unsigned room, cell_hours, cells;
        uint64_t moved;
    } cases[] = {
        { 100, 101, 80, 1, 1, 100 },
        { 100, 180, 80, 1, 80, 100 },
        { 100, 181, 80, 2, 41, 100 },
        { 101, 181, 40, 3, 28, 99 },            /* two hours would take 41 cells with the one before */
        { 480, 480 + 24 * 80, 80, 24, 80, 480 },
        { 480, 480 + 24 * 81, 80, 48, 41, 480 },
        { 5, 5 + 24 * 30, 1, 24 * 31, 1, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct spark_axis a = spark_axis(cases[i].from, cases[i].end, cases[i].room);
        assert_int_equal(a.cell_hours, cases[i].cell_hours);
        assert_int_equal(a.cells, cases[i].cells);
        assert_int_equal(a.from, cases[i].moved);
        assert_true(a.from + (uint64_t)a.cells * a.cell_hours >= cases[i].end);
    }
}

static void test_draw(void **state)
{
    static const struct spark_point points[] = { { 9, 90 }, { 4, 100 }, { 4, 101 }, { 1, 103 }, { UINT64_MAX, 200 } };
    struct spark_axis axis = { 100, 108, 2, 4 };
    struct buffer out;
    (void)state;
    buffer_init(&out, 1024);
    assert_int_equal(spark_draw(&out, &axis, points, sizeof points / sizeof points[0]), 8); /* those outside do not count */
    buffer_u8(&out, 0);
    assert_string_equal((char *)out.ptr, "\u2588\u2581\u00b7\u00b7");
    buffer_release(&out);
}

static void test_dates(void **state)
{
    struct spark_axis axis = spark_axis(24 * 19723, 24 * 19725, 24); /* two days from 2024-01-01 */
    struct buffer out;
    char cell[32];
    (void)state;
    buffer_init(&out, 1024);
    spark_dates(&out, &axis);
    buffer_u8(&out, 0);
    assert_string_equal((char *)out.ptr, "2024-01-01  2024-01-02  ");
    spark_cell_text(&axis, cell);
    assert_string_equal(cell, "2 hours");
    buffer_release(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
