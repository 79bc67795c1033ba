/* Processes of one command are one group: its sums are true at each tick, and the parts of the peak
 * add up to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "laid_out.h"
#include "render/figure/layout.h"
#include "render/figure/process_curves.h"
#include "render/figure/process_groups.h"
#include "render/figure/process_sums.h"
#include "script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKS_MAX 3000
#define PROCESSES_MAX 400
#define INTERVAL_S 0.1
#define START_S 1.7e9

/* What was recorded, as it is written. */
struct truth {
    size_t ticks, processes;
    double mib[PROCESSES_MAX][TICKS_MAX]; /* NAN: not running */
    double main_mib[TICKS_MAX];
    int command[PROCESSES_MAX];
};

static const char *const commands[] = {"cc1", "as", "ld",     "sh -c",    "make",         "cmake",
                                       "ar",  "cc", "ranlib", "collect2", "python3 x.py", "sed"};
#define COMMANDS (sizeof commands / sizeof *commands)

static struct truth truth;

static void make_truth(uint64_t seed)
{
    random_state = seed * 7919 + 17;
    truth.ticks = 2 + random_below(seed % 5 ? 120 : TICKS_MAX - 2);
    truth.processes = 1 + random_below(seed % 3 ? 40 : PROCESSES_MAX - 1);
    for (size_t p = 0; p < truth.processes; p++) {
        size_t first = random_below((uint32_t)truth.ticks);
        size_t end = first + 1 + random_below((uint32_t)(truth.ticks - first));
        truth.command[p] = (int)random_below(COMMANDS);
        for (size_t i = 0; i < truth.ticks; i++) {
            bool runs = i >= first && i < end;
            truth.mib[p][i] = runs ? (1 + random_below(64000)) / 64.0 : NAN;
        }
    }
    for (size_t i = 0; i < truth.ticks; i++) {
        truth.main_mib[i] = (1 + random_below(640)) / 64.0;
    }
}

static double children_at(size_t tick)
{
    double sum = 0;
    for (size_t p = 0; p < truth.processes; p++) {
        sum += isnan(truth.mib[p][tick]) ? 0 : truth.mib[p][tick];
    }
    return sum;
}

static struct script write_truth(bool is_sum, bool has_names)
{
    struct script script = {NULL, 0, 0};
    add(&script, "CMDLINE make\nFACT pid 7\nFACT include-children %s\n", is_sum ? "yes" : "no");
    add(&script, "PROC 7 1 %.4f make\n", START_S);
    for (size_t p = 0; has_names && p < truth.processes; p++) {
        add(&script, "PROC %zu 7 %.4f %s\n", 100 + p, START_S, commands[truth.command[p]]);
    }
    for (size_t i = 0; i < truth.ticks; i++) {
        double at = START_S + INTERVAL_S * (double)i;
        add(&script, "MEM %.6f %.4f\n", truth.main_mib[i] + (is_sum ? children_at(i) : 0), at);
        for (size_t p = 0; p < truth.processes; p++) {
            if (!isnan(truth.mib[p][i])) {
                add(&script, "CHLD %zu %.6f %.4f\n", 100 + p, truth.mib[p][i], at);
            }
        }
    }
    return script;
}

static mprof_profile *load(const struct script *script)
{
    mprof_load_options options;
    mprof_load_options_init(&options, sizeof options);
    options.max_points = 0;
    return load_text(script->text, script->used, "test", &options);
}

static void prepare(mprof__layout *layout, mprof__figure_input *input, const mprof_profile *profile)
{
    memset(input, 0, sizeof *input);
    layout->inputs = input;
    layout->input_count = 1;
    layout->from_s = 0;
    layout->to_s = INTERVAL_S * (double)(truth.ticks - 1);
    assert_int_equal(mprof__figure_input_init(input, profile), MPROF_OK);
    assert_int_equal(mprof__rank_processes(input), MPROF_OK);
    assert_int_equal(mprof__sum_processes(layout, input), MPROF_OK);
    assert_int_equal(mprof__group_processes(layout, input), MPROF_OK);
}

static size_t tick_of(double time_s)
{
    double tick = (time_s - START_S) / INTERVAL_S;
    assert_true(fabs(tick - round(tick)) < 1e-3); /* a tick, and nothing between two */
    return (size_t)lround(tick);
}

static void check_sums(const mprof__figure_input *input)
{
    size_t count = input->moment_count;
    double *sum = calloc(count + 1, sizeof *sum);
    assert_non_null(sum);
    for (size_t i = 0; i < input->groups.count; i++) {
        mprof__add_group(sum, input, &input->groups.items[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t tick = tick_of(input->moments[i]);
        assert_true(fabs(sum[i] - children_at(tick)) < 1e-6);
        assert_true(fabs(input->children_mib[i] - children_at(tick)) < 1e-6);
        assert_true(fabs(input->main_mib[i] - truth.main_mib[tick]) < 1e-5);
    }
    free(sum);
}

static void check_group(const mprof__figure_input *input, const mprof__process_group *group)
{
    for (size_t i = 0, at = 0; group->running && i < input->moment_count; i++) {
        size_t tick = tick_of(input->moments[i]), running = 0;
        double mib = 0;
        for (size_t m = 0; m < group->count; m++) {
            size_t p = (size_t)input->processes[group->members[m]].pid - 100;
            running += isnan(truth.mib[p][tick]) ? 0 : 1;
            mib += isnan(truth.mib[p][tick]) ? 0 : truth.mib[p][tick];
            assert_string_equal(commands[truth.command[p]],
                                input->processes[group->members[0]].name);
        }
        assert_int_equal(group->running[i], running);
        while (at < group->series.point_count &&
               group->series.points[at].time_s < input->moments[i]) {
            at++;
        }
        if (running) { /* the line has each moment at which one runs */
            assert_true(group->series.points[at].time_s == input->moments[i]);
            assert_true(fabs(group->series.points[at].mib - mib) < 1e-6);
            assert_true(group->peak.mib >= mib - 1e-9);
        }
    }
}

static void check_peak(const mprof__figure_input *input)
{
    const mprof__process_groups *groups = &input->groups;
    double highest = 0, sum = groups->main_at_peak_mib + groups->others_at_peak_mib;
    size_t tick = tick_of(groups->peak.time_s), running = groups->others_at_peak_count;
    size_t expected = 0;
    for (size_t i = 0; i < truth.ticks; i++) {
        highest = fmax(highest, truth.main_mib[i] + children_at(i));
    }
    for (size_t i = 0; i < groups->shown; i++) {
        sum += groups->items[i].at_peak_mib;
        running += groups->items[i].at_peak_count;
    }
    for (size_t p = 0; p < truth.processes; p++) {
        expected += isnan(truth.mib[p][tick]) ? 0 : 1;
    }
    if (input->moment_count == truth.ticks || input->main_is_sum) { /* else ticks were left out */
        assert_true(fabs(groups->peak.mib - highest) < 1e-5);
    }
    assert_true(fabs(sum - groups->peak.mib) < 1e-5);
    assert_true(fabs(groups->main_at_peak_mib - truth.main_mib[tick]) < 1e-5);
    assert_int_equal(running, expected);
}

static void sums_are_those_of_the_processes(void **state)
{
    static const mprof_process_grouping groupings[] = {
        MPROF_PROCESSES_AUTO, MPROF_PROCESSES_BY_COMMAND, MPROF_PROCESSES_BY_PID};
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        make_truth(seed);
        struct script script = write_truth(seed % 2, true);
        mprof_profile *profile = load(&script);
        mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
        mprof__layout layout = {.options = &options, .measure = &fixed_measure};
        mprof__figure_input input;
        options.processes = groupings[seed % 3];
        options.stack = seed % 4 == 0;
        prepare(&layout, &input, profile);
        check_sums(&input);
        check_peak(&input);
        for (size_t i = 0; i < input.groups.count; i++) {
            check_group(&input, &input.groups.items[i]);
        }
        mprof__figure_input_dispose(&input);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- which processes are grouped ---- */

static void many_processes_are_grouped(void **state)
{
    static const struct {
        const char *name;
        size_t processes;
        bool has_names;
        mprof_process_grouping grouping;
        bool by_command;
    } rows[] = {
        {"twelve, with the main process", 11, true, MPROF_PROCESSES_AUTO, false},
        {"thirteen", 12, true, MPROF_PROCESSES_AUTO, true},
        {"without names", 40, false, MPROF_PROCESSES_AUTO, false},
        {"few, on demand", 3, true, MPROF_PROCESSES_BY_COMMAND, true},
        {"many, each by itself", 40, true, MPROF_PROCESSES_BY_PID, false},
    };
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        make_truth(1);
        truth.processes = rows[r].processes;
        for (size_t p = 0; p < truth.processes; p++) {
            truth.command[p] = (int)p % 5;
            memcpy(truth.mib[p], truth.main_mib, sizeof truth.main_mib);
        }
        struct script script = write_truth(true, rows[r].has_names);
        mprof_profile *profile = load(&script);
        mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
        mprof__layout layout = {.options = &options, .measure = &fixed_measure};
        mprof__figure_input input;
        options.processes = rows[r].grouping;
        prepare(&layout, &input, profile);
        print_message("%s\n", rows[r].name);
        assert_int_equal(input.groups.is_by_key, rows[r].by_command);
        assert_int_equal(input.groups.count, rows[r].by_command
                                                 ? (truth.processes < 5 ? truth.processes : 5)
                                                 : truth.processes);
        mprof__figure_input_dispose(&input);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* ---- the picture ---- */

/* The height in px of what `mib` is on the memory axis. */
static double height_of(const mprof_figure *figure, double mib)
{
    const mprof_frame *frame = mprof_figure_frame(figure);
    return frame->plot.height * mib / (frame->high_mib - frame->low_mib);
}

static void the_bar_ends_at_the_peak(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        make_truth(seed);
        struct script script = write_truth(true, true);
        mprof_profile *profile = load(&script);
        mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
        options.stack = 1;
        options.processes = seed % 2 ? MPROF_PROCESSES_BY_COMMAND : MPROF_PROCESSES_BY_PID;
        mprof_figure *figure = lay_out(profile, &options);
        const mprof_frame *frame = mprof_figure_frame(figure);
        size_t count, parts = 0;
        const mprof_item *items = mprof_figure_items(figure, &count);
        double highest = 0, top = 1e9, bottom = 0;
        for (size_t i = 0; i < truth.ticks; i++) {
            highest = fmax(highest, truth.main_mib[i] + children_at(i));
        }
        for (size_t i = 0; i < count; i++) {
            if (items[i].role == MPROF_ROLE_PEAK_PART) {
                double y = (double)items[i].y, height = (double)items[i].height;
                double gap = height > 2 ? 1 : 0;
                assert_true((double)items[i].x > frame->plot.x + frame->plot.width);
                top = fmin(top, y - gap / 2);
                bottom = fmax(bottom, y + height + gap / 2);
                parts++;
            }
        }
        assert_true(parts > 1);
        assert_true(fabs(bottom - (frame->plot.y + frame->plot.height)) < 0.1);
        assert_true(fabs(bottom - top - height_of(figure, highest)) < 1.1);
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* At a pixel column, the layers are what was running. */
static void layers_end_at_the_sum(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        make_truth(seed);
        struct script script = write_truth(true, true);
        mprof_profile *profile = load(&script);
        mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
        options.stack = 1;
        mprof_figure *figure = lay_out(profile, &options);
        const mprof_frame *frame = mprof_figure_frame(figure);
        size_t count, point_count;
        const mprof_item *items = mprof_figure_items(figure, &count), *last = NULL;
        const mprof_point *points = mprof_figure_points(figure, &point_count);
        for (size_t i = 0; i < count; i++) {
            last = items[i].role == MPROF_ROLE_LAYER ? &items[i] : last;
        }
        assert_non_null(last);
        /* the upper edge of the topmost layer is on the sum at each of its moments */
        for (uint32_t i = 0; i < last->count / 2; i++) {
            const mprof_point *point = &points[last->first + i];
            double tick =
                ((double)point->x - frame->plot.x) / frame->plot.width * (double)(truth.ticks - 1);
            size_t at = (size_t)lround(tick);
            double y = frame->plot.y + frame->plot.height -
                       height_of(figure, truth.main_mib[at] + children_at(at));
            assert_true(fabs(tick - round(tick)) < 0.01);
            assert_true(fabs((double)point->y - y) < 0.02);
        }
        mprof_figure_free(figure);
        mprof_profile_free(profile);
        free(script.text);
    }
}

/* Another program samples processes after the sum: they may exceed it. */
static void parts_that_exceed_the_peak_share_it(void **state)
{
    struct script script = {NULL, 0, 0};
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof__layout layout = {.options = &options, .measure = &fixed_measure, .to_s = 99};
    mprof__figure_input input = {.profile = NULL};
    (void)state;
    add(&script, "CMDLINE make\n");
    for (int i = 0; i < 100; i++) {
        double child = i == 50 || i == 51 ? 150 : 20 + 30 * (i / 5 % 2);
        add(&script, "MEM %.1f %d.0\n", i == 51 ? 105.0 : i == 50 ? 60.0 : child + 5, 1000 + i);
        add(&script, "CHLD 7 %.1f %d.1\nCHLD 8 1 %d.1\n", child, 1000 + i, 1000 + i);
    }
    mprof_profile *profile = load(&script);
    options.stack = 1;
    layout.inputs = &input;
    layout.input_count = 1;
    assert_int_equal(mprof__figure_input_init(&input, profile), MPROF_OK);
    assert_int_equal(mprof__rank_processes(&input), MPROF_OK);
    assert_int_equal(mprof__sum_processes(&layout, &input), MPROF_OK);
    assert_int_equal(mprof__group_processes(&layout, &input), MPROF_OK);
    const mprof__process_groups *groups = &input.groups;
    assert_true(input.main_is_sum && groups->is_estimate);
    assert_true(fabs(groups->peak.mib - 105) < 1e-9 && groups->main_at_peak_mib == 0);
    assert_true(fabs(groups->items[0].at_peak_mib + groups->items[1].at_peak_mib - 105) < 1e-9);
    mprof__figure_input_dispose(&input);
    mprof_figure *figure = lay_out(profile, &options);
    size_t size;
    const char *words = mprof_figure_text(figure, &size);
    assert_non_null(memmem(words, size, "\xE2\x89\x88 104.3 MiB", 13));
    mprof_figure_free(figure);
    mprof_profile_free(profile);
    free(script.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_processes),
        cmocka_unit_test(many_processes_are_grouped),
        cmocka_unit_test(the_bar_ends_at_the_peak),
        cmocka_unit_test(layers_end_at_the_sum),
        cmocka_unit_test(parts_that_exceed_the_peak_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
