/* The time in which any selection of functions runs, compared with a count step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "render_measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_COUNT 70 /* more than the bits of a mask */
#define STEPS 20000
#define STEP_S 0.001

/* A recording of calls at whole steps, and which functions run in each. */
struct recording {
    char text[200000];
    size_t used;
    unsigned char running[STEPS][FUNCTION_COUNT];
    uint64_t calls[FUNCTION_COUNT];
};

static struct recording recording;

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    recording.used += (size_t)vsnprintf(recording.text + recording.used,
                                        sizeof recording.text - recording.used, format, arguments);
    va_end(arguments);
    assert_true(recording.used < sizeof recording.text);
}

static void add_call(int function, int from, int to, int level)
{
    add("FUNC m.f%02d 1 %.3f 1 %.3f %d\n", function, 1000 + from * STEP_S, 1000 + to * STEP_S,
        level);
    recording.calls[function]++;
    for (int i = from; i < to; i++) {
        recording.running[i][function] = 1;
    }
}

static void make_recording(unsigned seed, int calls)
{
    memset(&recording, 0, sizeof recording);
    srandom(seed);
    add("MEM 1 1000\nMEM 1 %.3f\n", 1000 + STEPS * STEP_S);
    for (int i = 0; i < calls; i++) {
        int from = (int)(random() % STEPS), length = (int)(random() % 60);
        int to = from + length < STEPS ? from + length : STEPS;
        add_call((int)(random() % FUNCTION_COUNT), from, to, (int)(random() % 4));
    }
}

static mprof_figure *lay_out(const mprof_figure_options *options)
{
    mprof_source *source = NULL;
    mprof_profile *profile = NULL;
    mprof_figure *figure = NULL;
    mprof_error error = MPROF_ERROR_INIT;
    assert_int_equal(
        mprof_source_open_memory(&source, recording.text, recording.used, "test", &error),
        MPROF_OK);
    assert_int_equal(mprof_profile_load(&profile, source, NULL, &error), MPROF_OK);
    mprof_source_free(source);
    assert_int_equal(mprof_figure_layout(&figure, (const mprof_profile *const *)&profile, 1,
                                         options, &fixed_measure, &error),
                     MPROF_OK);
    mprof_profile_free(profile);
    return figure;
}

/* By the last digit of its number. */
static int is_selected(int function, int digit)
{
    return function % 10 == digit;
}

static int number_of(const mprof_figure *figure, uint32_t index)
{
    size_t size, count;
    const mprof_figure_function *function = &mprof_figure_functions(figure, &count)[index];
    assert_true(index < count);
    const char *name = mprof_figure_text(figure, &size) + function->name;
    assert_int_equal(function->name_length, 5);
    return atoi(name + 3);
}

static double seconds_of(const mprof_figure *figure, int digit)
{
    size_t count, member_count;
    const mprof_state *states = mprof_figure_states(figure, &count);
    const uint32_t *members = mprof_figure_state_members(figure, &member_count);
    double seconds = 0;
    for (size_t i = 0; i < count; i++) {
        int found = 0;
        assert_true(states[i].first + states[i].count <= member_count);
        for (uint32_t m = 0; m < states[i].count; m++) {
            found |= is_selected(number_of(figure, members[states[i].first + m]), digit);
        }
        seconds += found ? states[i].seconds : 0;
    }
    return seconds;
}

static int steps_of(int digit, int from, int to)
{
    int steps = 0;
    for (int i = from; i < to; i++) {
        int found = 0;
        for (int f = 0; f < FUNCTION_COUNT; f++) {
            found |= recording.running[i][f] && is_selected(f, digit);
        }
        steps += found;
    }
    return steps;
}

static void any_selection_has_its_time(void **state)
{
    (void)state;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.states = 1;
    for (unsigned seed = 0; seed < 20; seed++) {
        make_recording(seed, 30 + (int)seed * 25);
        mprof_figure *figure = lay_out(&options);
        for (int digit = 0; digit < 10; digit++) {
            assert_true(fabs(seconds_of(figure, digit) - steps_of(digit, 0, STEPS) * STEP_S) <
                        STEP_S / 10);
        }
        mprof_figure_free(figure);
    }
}

static void calls_are_counted_by_name(void **state)
{
    (void)state;
    size_t count;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.states = 1;
    make_recording(7, 500);
    mprof_figure *figure = lay_out(&options);
    const mprof_figure_function *functions = mprof_figure_functions(figure, &count);
    assert_int_equal(count, FUNCTION_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(functions[i].calls, recording.calls[number_of(figure, i)]);
    }
    mprof_figure_free(figure);
}

static void only_time_in_the_window_counts(void **state)
{
    (void)state;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.states = 1;
    options.window_s[0] = 5;
    options.window_s[1] = 8;
    make_recording(3, 400);
    mprof_figure *figure = lay_out(&options);
    for (int digit = 0; digit < 10; digit++) {
        assert_true(fabs(seconds_of(figure, digit) - steps_of(digit, 5000, 8000) * STEP_S) <
                    STEP_S / 10);
    }
    mprof_figure_free(figure);
}

static void too_many_states_are_left_out(void **state)
{
    (void)state;
    size_t count;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.states = 1;
    make_recording(1, 4000);
    mprof_figure *figure = lay_out(&options);
    assert_true(mprof_figure_functions(figure, &count) && count == FUNCTION_COUNT);
    mprof_figure_states(figure, &count);
    assert_int_equal(count, 0);
    mprof_figure_free(figure);
}

static void no_states_without_the_option(void **state)
{
    (void)state;
    size_t count;
    make_recording(1, 10);
    mprof_figure *figure = lay_out(NULL);
    mprof_figure_states(figure, &count);
    assert_int_equal(count, 0);
    mprof_figure_free(figure);
}

static void a_merged_box_lists_its_functions(void **state)
{
    (void)state;
    size_t count;
    mprof_figure_options options;
    mprof_figure_options_init(&options, sizeof options);
    options.flame = 1;
    options.states = 1;
    make_recording(0, 0);
    /* three functions within one pixel column, and one far away */
    for (int i = 0; i < 3; i++) {
        add_call(i, 10000 + 3 * i, 10002 + 3 * i, 0);
    }
    add_call(3, 15000, 17000, 0);
    mprof_figure *figure = lay_out(&options);
    const mprof_about *abouts = mprof_figure_abouts(figure, &count);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        int together = abouts[i].calls == 3;
        uint64_t bits = 0;
        for (uint32_t f = 0; f < 4; f++) {
            if (together == (number_of(figure, f) < 3)) {
                bits |= UINT64_C(1) << f;
            }
        }
        assert_true(abouts[i].functions == bits);
        assert_true(fabs(abouts[i].start_s - (together ? 10 : 15)) < 1e-6);
        assert_true(fabs(abouts[i].end_s - (together ? 10.008 : 17)) < 1e-6);
        assert_true(together || number_of(figure, abouts[i].function) == 3);
    }
    mprof_figure_free(figure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_selection_has_its_time),
        cmocka_unit_test(calls_are_counted_by_name),
        cmocka_unit_test(only_time_in_the_window_counts),
        cmocka_unit_test(too_many_states_are_left_out),
        cmocka_unit_test(no_states_without_the_option),
        cmocka_unit_test(a_merged_box_lists_its_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
