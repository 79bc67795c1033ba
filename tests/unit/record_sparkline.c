/* Slopes, peaks and small graphs of known curves. */
#include "record/terminal/sparkline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000000)
#define MIB (INT64_C(1) << 20)

static void test_slope_of_a_straight_line(void **state)
{
    static const struct {
        const char *name;
        int64_t step_ns;
        double mib_per_s;
    } rows[] = {
        {"flat", S / 10, 0},      {"rising", S / 10, 3}, {"falling", S / 10, -2},
        {"fine", S / 10000, 0.5}, {"coarse", 20 * S, 1}, {"steep", S / 1000, 5000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__sparkline line = {0};
        double want = rows[i].mib_per_s * (double)MIB;

        print_message("%s\n", rows[i].name);
        for (int64_t n = 0; n < 20000; n++) {
            int64_t now_ns = n * rows[i].step_ns;

            mprof__sparkline_add(&line, 200000 * MIB + (int64_t)(want * (double)now_ns / 1e9),
                                 7 * S + now_ns);
        }
        assert_true(fabs(mprof__sparkline_slope(&line) - want) <= 1e-3 * fabs(want) + 1);
    }
}

static void test_old_samples_lose_weight(void **state)
{
    mprof__sparkline line = {0};
    int64_t n;

    (void)state;
    for (n = 0; n < 1000; n++) {
        mprof__sparkline_add(&line, n * MIB, n * S / 10); /* 10 MiB/s */
    }
    assert_true(mprof__sparkline_slope(&line) > 9.9 * (double)MIB);
    for (; n < 3000; n++) {
        mprof__sparkline_add(&line, 1000 * MIB, n * S / 10);
    }
    assert_true(fabs(mprof__sparkline_slope(&line)) < 0.1 * (double)MIB);
    assert_int_equal(line.peak_bytes, 1000 * MIB);
}

static void test_few_samples(void **state)
{
    mprof__sparkline line = {0};

    (void)state;
    assert_true(mprof__sparkline_slope(&line) == 0);
    mprof__sparkline_add(&line, 5, S);
    assert_true(mprof__sparkline_slope(&line) == 0);
    mprof__sparkline_add(&line, 9, S);
    assert_true(mprof__sparkline_slope(&line) == 0); /* all samples of one time */
    mprof__sparkline_add(&line, 9, S - 1);
    assert_true(mprof__sparkline_slope(&line) == 0); /* an earlier time counts as the last */
    mprof__sparkline_add(&line, 107, 2 * S);
    assert_true(mprof__sparkline_slope(&line) > 90);
    assert_int_equal(line.bytes, 107);
}

static void test_graph(void **state)
{
    mprof__sparkline line = {0};
    char text[64];

    (void)state;
    mprof__sparkline_draw(&line, 4, text, sizeof text);
    assert_string_equal(text, "    ");
    for (int64_t second = 0; second < 8; second++) {
        mprof__sparkline_add(&line, second, second * S);
        mprof__sparkline_add(&line, second + 1, second * S + S / 2);
    }
    mprof__sparkline_draw(&line, 8, text, sizeof text);
    assert_string_equal(text, "▁▂▃▄▅▆▇█");
    mprof__sparkline_draw(&line, 10, text, sizeof text);
    assert_string_equal(text, "  ▁▂▃▄▅▆▇█");
    mprof__sparkline_add(&line, 8, 10 * S); /* a gap is blank */
    mprof__sparkline_draw(&line, 4, text, sizeof text);
    assert_string_equal(text, "█  █");
    mprof__sparkline_add(&line, 8, 1000 * S);
    mprof__sparkline_draw(&line, 4, text, sizeof text);
    assert_string_equal(text, "   █");
    mprof__sparkline_draw(&line, 60, text, 8);
    assert_true(strlen(text) < 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slope_of_a_straight_line),
        cmocka_unit_test(test_old_samples_lose_weight),
        cmocka_unit_test(test_few_samples),
        cmocka_unit_test(test_graph),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
