/* Calls made of sampled stacks: slanted edges, how long they took with how much that may be off,
 * and ticks on the calls that ran at the peak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laid_out.h"
#include "render/figure/format_units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    double seconds, doubt;
    const char *text;
} durations[] = {
    {0.52, 0.1, "0.5 s ±0.1"},         {0.52, 0.0998, "0.5 s ±0.1"},
    {0.523, 0.02, "0.52 s ±0.02"},     {12.3, 2, "12 s ±2"},
    {0.0123, 0.004, "0.012 s ±0.004"}, {90, 0.1, "1 min 30 s ±0.10 s"},
    {0.0123, 0.0004, "12 ms ±400 µs"}, {0.5, 0, "0.50 s"},
};

static void durations_with_a_doubt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char text[80];
        mprof__unsure_duration_text(text, sizeof text, durations[i].seconds, durations[i].doubt);
        assert_string_equal(text, durations[i].text);
    }
}

static size_t find_role(const mprof_figure *figure, mprof_role role, mprof_item *last)
{
    size_t count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == role) {
            *last = items[i];
            found++;
        }
    }
    return found;
}

static bool has_text(const mprof_figure *figure, const char *wanted)
{
    size_t count, size;
    const mprof_item *items = mprof_figure_items(figure, &count);
    const char *text = mprof_figure_text(figure, &size);
    for (size_t i = 0; i < count; i++) {
        if (items[i].shape == MPROF_SHAPE_TEXT &&
            memmem(text + items[i].first, items[i].count, wanted, strlen(wanted))) {
            return true;
        }
    }
    return false;
}

/* A call of 10 s within 100 s, uncertain by some seconds. */
static mprof_figure *draw(double sampled_s, int flame)
{
    char text[400];
    mprof_figure_options options;
    snprintf(text, sizeof text,
             "MEM 1 1000\nMEM 5 1045\nMEM 1 1100\nFACT stacks-interval %g\n"
             "FUNC m.f 1 1040 1 1050 0 sampled=%g\n",
             2 * sampled_s, sampled_s);
    mprof_profile *profile = load_text(text, strlen(text), "x", NULL);
    mprof_figure_options_init(&options, sizeof options);
    options.flame = flame;
    options.states = 1;
    mprof_figure *figure = lay_out(profile, &options);
    mprof_profile_free(profile);
    return figure;
}

static void edges_are_slanted(void **state)
{
    (void)state;
    static const struct {
        double sampled_s;
        size_t wings;
    } rows[] = {{0, 0}, {0.1, 0}, {1, 2}, {4, 2}, {8, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof_item box = {.role = 0}, wing = {.role = 0};
        mprof_figure *figure = draw(rows[i].sampled_s, 1);
        const mprof_frame *frame = mprof_figure_frame(figure);
        double per_s = frame->plot.width / 100;
        assert_int_equal(find_role(figure, MPROF_ROLE_BOX, &box), 1);
        assert_int_equal(find_role(figure, MPROF_ROLE_BOX_WING, &wing), rows[i].wings);
        double certain = 10 - (rows[i].wings ? 2 * rows[i].sampled_s : 0);
        assert_true(fabs((double)box.width - fmax(0.5, certain * per_s)) < 1.1);
        if (rows[i].wings) { /* the right one: at its foot where the call may have ended */
            size_t count;
            const mprof_point *points = mprof_figure_points(figure, &count);
            double foot = (double)points[wing.first + 2].x;
            double top = (double)points[wing.first + 1].x;
            double end = frame->plot.x + 50 * per_s;
            assert_true(fabs(foot - top - 2 * rows[i].sampled_s * per_s) < 1.1 || certain < 0);
            assert_true(certain < 0 || fabs(foot - (end + rows[i].sampled_s * per_s)) < 1.1);
        }
        mprof_figure_free(figure);
    }
}

static void texts_say_what_is_not_known(void **state)
{
    (void)state;
    mprof_figure *figure = draw(1, 1);
    assert_true(has_text(figure, "10 s ±2"));
    assert_true(has_text(figure, "1 call of 1 function, sampled each 2.00 s"));
    mprof_figure_free(figure);
    figure = draw(0, 1);
    assert_true(has_text(figure, "1 call of 1 function"));
    assert_false(has_text(figure, "sampled"));
    mprof_figure_free(figure);
}

static void calls_at_the_peak_have_a_tick(void **state)
{
    (void)state;
    static const char text[] = "MEM 1 1000\nMEM 5 1045\nMEM 1 1100\nFUNC m.main 1 1001 1 1099 0\n"
                               "FUNC m.a 1 1040 1 1050 1\nFUNC m.b 1 1050 1 1060 1\n";
    mprof_profile *profile = load_text(text, sizeof text - 1, "x", NULL);
    for (int flame = 0; flame < 2; flame++) {
        for (int i = 0; i < 2; i++) {
            mprof_item tick = {.role = 0};
            mprof_figure_options options;
            mprof_figure_options_init(&options, sizeof options);
            options.flame = flame;
            options.without = i ? MPROF_PART_PEAK : 0;
            mprof_figure *figure = lay_out(profile, &options);
            const mprof_frame *frame = mprof_figure_frame(figure);
            assert_int_equal(find_role(figure, MPROF_ROLE_PEAK_TICK, &tick), i ? 0 : 2);
            if (!i) {
                double x = frame->plot.x + frame->plot.width * 0.45;
                assert_true(fabs((double)tick.x + 1.5 - x) < 1 && (double)tick.width == 3);
            }
            mprof_figure_free(figure);
        }
    }
    mprof_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_with_a_doubt),
        cmocka_unit_test(edges_are_slanted),
        cmocka_unit_test(texts_say_what_is_not_known),
        cmocka_unit_test(calls_at_the_peak_have_a_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
