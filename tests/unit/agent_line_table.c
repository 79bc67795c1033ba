/* Counters per source line: the table grows in both directions; order and sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/lines/line_table.h"

static mprof__line_part part(bool ended, int64_t change, int64_t now)
{
    return (mprof__line_part){
        .ended = ended, .hit = ended, .change_bytes = change, .now_bytes = now};
}

static void any_line_can_come_first(void **state)
{
    static const int numbers[] = {500, 501, 499, 1, 700, 0, -3};
    mprof__lines lines = {NULL, 0, 0, 0};
    (void)state;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        mprof__line_part one = part(true, numbers[i], 1000);
        mprof__lines_add(&lines, numbers[i], &one);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const mprof__line *line = mprof__lines_at(&lines, numbers[i]);
        assert_non_null(line);
        assert_int_equal(line->change_bytes, numbers[i]);
        assert_int_equal(line->order, i + 1);
        assert_int_equal(line->hits, 1);
    }
    assert_int_equal(mprof__lines_at(&lines, 2)->order, 0);
    mprof__lines_free(&lines);
    assert_null(lines.lines);
}

static void an_interrupted_line_is_not_an_execution(void **state)
{
    mprof__lines lines = {NULL, 0, 0, 0};
    mprof__line_part interrupted = part(false, 5, 90);
    mprof__line_part ended = part(true, -2, 40);
    (void)state;

    mprof__lines_add(&lines, 7, &interrupted);
    assert_int_equal(mprof__lines_at(&lines, 7)->order, 0);
    mprof__lines_add(&lines, 7, &ended);
    mprof__line line = *mprof__lines_at(&lines, 7);
    assert_int_equal(line.change_bytes, 3);
    assert_int_equal(line.highest_bytes, 40);
    assert_int_equal(line.hits, 1);
    assert_int_equal(line.order, 1);
    mprof__lines_free(&lines);
}

static void highest_values_are_kept_and_times_added(void **state)
{
    mprof__lines lines = {NULL, 0, 0, 0};
    static const int64_t values[] = {10, 30, 20};
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        mprof__line_part one = part(true, 0, values[i]);
        one.peak_bytes = 2 * values[i];
        one.time_ns = 100;
        mprof__lines_add(&lines, 1, &one);
    }
    mprof__line line = *mprof__lines_at(&lines, 1);
    assert_int_equal(line.highest_bytes, 30);
    assert_int_equal(line.peak_bytes, 60);
    assert_int_equal(line.time_ns, 300);
    mprof__lines_free(&lines);
}

static void absurd_line_numbers_allocate_nothing(void **state)
{
    mprof__lines lines = {NULL, 0, 0, 0};
    (void)state;

    assert_non_null(mprof__lines_at(&lines, 1));
    assert_null(mprof__lines_at(&lines, INT32_MAX));
    assert_null(mprof__lines_at(&lines, INT32_MIN));
    assert_non_null(mprof__lines_at(&lines, MPROF_LINES_MAX - 100));
    assert_true(lines.count <= MPROF_LINES_MAX);
    mprof__lines_free(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_line_can_come_first),
        cmocka_unit_test(an_interrupted_line_is_not_an_execution),
        cmocka_unit_test(highest_values_are_kept_and_times_added),
        cmocka_unit_test(absurd_line_numbers_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
