/* Pictures of many: members are held against what was written, columns against sums by hand; the
 * geometry of panels and rows is a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mprof/figure.h>

#include "laid_out.h"
#include "render/figure/heat_rows.h"
#include "render/figure/many_figure.h"
#include "render/figure/members.h"
#include "render/figure/process_curves.h"
#include "render/figure/process_sums.h"
#include "render/figure/small_multiples.h"
#include "render/figure/visible_text.h"
#include "script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_S 1.7e9
#define TICKS_MAX 200
#define PROCESSES_MAX 60

/* ---- members ---- */

struct opened {
    mprof_profile *profile;
    mprof__layout layout;
    mprof__figure_input input;
    mprof_figure_options options;
    mprof__members members;
};

/* Loads the text and reads its members into columns. */
static void open_text(struct opened *opened, const char *text, size_t size, size_t columns,
                      mprof_member_kind kind, const double window_s[2])
{
    mprof_load_options load;
    mprof_error error = MPROF_ERROR_INIT;
    mprof_load_options_init(&load, sizeof load);
    memset(opened, 0, sizeof *opened);
    mprof_figure_options_init(&opened->options, sizeof opened->options);
    opened->options.members = kind;
    if (window_s) {
        memcpy(load.window_s, window_s, sizeof load.window_s);
        memcpy(opened->options.window_s, window_s, sizeof opened->options.window_s);
    }
    opened->profile = load_text(text, size, "test", &load);
    opened->layout =
        (mprof__layout){.options = &opened->options, .inputs = &opened->input, .input_count = 1};
    assert_int_equal(mprof__figure_input_init(&opened->input, opened->profile), MPROF_OK);
    opened->layout.to_s = mprof_profile_end_s(opened->profile) - opened->input.start_s;
    if (window_s) {
        opened->layout.from_s = window_s[0];
        opened->layout.to_s = window_s[1];
    }
    assert_int_equal(mprof__members_init(&opened->members, &opened->layout, columns, &error),
                     MPROF_OK);
}

static void close_opened(struct opened *opened)
{
    mprof__members_dispose(&opened->members);
    mprof__figure_input_dispose(&opened->input);
    mprof_profile_free(opened->profile);
}

static const mprof__member *find_member(const mprof__members *members, const char *name)
{
    for (size_t i = 0; i < members->count; i++) {
        if (strcmp(members->items[i].name, name) == 0) {
            return &members->items[i];
        }
    }
    fail_msg("no member %s", name);
    return NULL;
}

static double at(const mprof__members *members, const float *table, const char *name, size_t column)
{
    return (double)table[find_member(members, name)->row * members->column_count + column];
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-4 * fmax(1, fabs(expected)))) {
        fail_msg("%.9g is not %.9g", value, expected);
    }
}

/* Ten seconds in five columns: a ramp, a process that is born and ends, one sample only. */
static void columns_are_exact(void **state)
{
    struct script script = {NULL, 0, 0};
    struct opened opened;
    (void)state;
    add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\nPROC 1 0 %.1f main\n", START_S);
    for (int i = 0; i <= 10; i++) {
        add(&script, "MEM %d %.1f\n", 10 * i, START_S + i);
        if (i >= 3 && i <= 6) {
            add(&script, "CHLD 2 %d %.1f\n", i == 4 ? 80 : 20, START_S + i);
        }
        if (i == 9) {
            add(&script, "CHLD 3 5 %.1f\n", START_S + i);
        }
    }
    open_text(&opened, script.text, script.used, 5, MPROF_MEMBERS_AUTO, NULL);
    const mprof__members *members = &opened.members;
    assert_int_equal(members->kind, MPROF_MEMBERS_BY_PROCESS);
    assert_int_equal(members->count, 3);
    assert_string_equal(members->items[0].name, "main");
    assert_near(members->items[0].peak_mib, 100);
    assert_near(members->items[0].peak_s, 10);
    for (size_t i = 0; i < 5; i++) {
        assert_near(at(members, members->low, "main", i), 20 * (double)i);
        assert_near(at(members, members->high, "main", i), 20 * (double)i + 20);
        assert_near(at(members, members->mean, "main", i), 20 * (double)i + 10);
    }
    /* 20 at 3, 80 at 4, 20 at 5, 20 at 6 */
    assert_true(isnan(at(members, members->high, "pid 2", 0)));
    assert_near(at(members, members->low, "pid 2", 1), 20);
    assert_near(at(members, members->high, "pid 2", 1), 80);
    assert_near(at(members, members->mean, "pid 2", 1), 50);
    assert_near(at(members, members->mean, "pid 2", 2), 35);
    assert_near(find_member(members, "pid 2")->peak_s, 4);
    assert_true(isnan(at(members, members->high, "pid 2", 4)));
    assert_near(at(members, members->high, "pid 3", 4), 5);
    assert_true(isnan(at(members, members->high, "pid 3", 3)));
    assert_int_equal(members->columns[0].count, 1);
    assert_int_equal(members->columns[2].count, 2);
    assert_near(members->columns[2].mean_mib, (50 + 35) / 2.0);
    assert_near(members->columns[2].low_mib, 20);
    assert_near(members->columns[2].high_mib, 80);
    close_opened(&opened);
    free(script.text);
}

/* A pause of the recording is neither 0 nor bridged. */
static void a_pause_is_a_gap(void **state)
{
    struct script script = {NULL, 0, 0};
    struct opened opened;
    (void)state;
    add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\n");
    for (int i = 0; i <= 100; i++) {
        if (i <= 30 || i >= 70) {
            add(&script, "MEM 10 %.1f\nCHLD 2 50 %.1f\n", START_S + i, START_S + i);
        }
    }
    open_text(&opened, script.text, script.used, 10, MPROF_MEMBERS_AUTO, NULL);
    for (size_t i = 0; i < 10; i++) {
        bool is_gap = i >= 4 && i <= 6;
        assert_int_equal(isnan(at(&opened.members, opened.members.high, "pid 2", i)), is_gap);
        assert_int_equal(opened.members.columns[i].count, is_gap ? 0 : 2);
    }
    close_opened(&opened);
    free(script.text);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Constant memory in random lives: each column of all is known. */
static void columns_of_all_are_those_of_a_sort(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct script script = {NULL, 0, 0};
        struct opened opened;
        double mib[PROCESSES_MAX];
        size_t first[PROCESSES_MAX], end[PROCESSES_MAX], count, ticks = TICKS_MAX;
        random_state = seed * 104729;
        count = 2 + random_below(PROCESSES_MAX - 2);
        add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\n");
        for (size_t p = 0; p < count; p++) {
            mib[p] = (1 + random_below(64000)) / 64.0;
            first[p] = p ? random_below((uint32_t)ticks) : 0;
            end[p] = p ? first[p] + random_below((uint32_t)(ticks - first[p])) : ticks - 1;
        }
        for (size_t i = 0; i < ticks; i++) {
            add(&script, "MEM %.6f %.4f\n", mib[0], START_S + 0.5 * (double)i);
            for (size_t p = 1; p < count; p++) {
                if (i >= first[p] && i <= end[p]) {
                    add(&script, "CHLD %zu %.6f %.4f\n", 100 + p, mib[p],
                        START_S + 0.5 * (double)i);
                }
            }
        }
        size_t columns = 37;
        open_text(&opened, script.text, script.used, columns, MPROF_MEMBERS_AUTO, NULL);
        assert_int_equal(opened.members.count, count);
        for (size_t i = 0; i + 1 < count; i++) {
            assert_true(opened.members.items[i].peak_mib >= opened.members.items[i + 1].peak_mib);
        }
        double step = (double)(ticks - 1) / (double)columns;
        for (size_t i = 0; i < columns; i++) {
            double running[PROCESSES_MAX], sum = 0;
            size_t n = 0;
            for (size_t p = 0; p < count; p++) {
                if ((double)end[p] >= step * (double)i + 1e-6 &&
                    (double)first[p] <= step * (double)(i + 1) - (i + 1 < columns ? 1e-6 : 0)) {
                    running[n++] = mib[p];
                    sum += mib[p];
                }
            }
            const mprof__member_column *column = &opened.members.columns[i];
            qsort(running, n, sizeof *running, by_value);
            assert_int_equal(column->count, n);
            assert_near(column->low_mib, running[0]);
            assert_near(column->high_mib, running[n - 1]);
            assert_near(column->mean_mib, sum / (double)n);
            assert_near(column->median_mib, (running[(n - 1) / 2] + running[n / 2]) / 2);
            assert_near(column->tenth_mib, running[lround(0.1 * (double)(n - 1))]);
            assert_near(column->ninetieth_mib, running[lround(0.9 * (double)(n - 1))]);
        }
        qsort(mib, count, sizeof *mib, by_value);
        assert_near(mprof__member_peak_median(&opened.members),
                    (mib[(count - 1) / 2] + mib[count / 2]) / 2);
        close_opened(&opened);
        free(script.text);
    }
}

/* A merged recording: two ranks on each of two hosts, of two processes each. */
static struct script merged_job(void)
{
    struct script script = {NULL, 0, 0};
    add(&script, "CMDLINE mpirun ./solver\n");
    for (int i = 0; i <= 20; i++) {
        add(&script, "MEM %d %.1f\n", 4 * 10 + 100 + 200 + 300 + 400, START_S + i);
        for (int r = 0; r < 4; r++) {
            add(&script, "CHLD %d %d %.1f\nCHLD %d 10 %.1f\n", 1000 * r + 500, 100 * (r + 1),
                START_S + i, 1000 * r + 501, START_S + i);
        }
    }
    add(&script, "#FACT|format|2 nan nan\n#FACT|include-children|yes nan nan\n");
    for (int r = 0; r < 4; r++) {
        add(&script,
            "#RANK|%d|%d|%.1f|%.1f|%d|pid=%d|host=node%d|rank=%d nan nan\n"
            "#PROC|%d|1|%.1f|solver nan nan\n#PROC|%d|1|%.1f|helper nan nan\n",
            1000 * r + 1, 1000 * r + 999, START_S, START_S + 20, 100 * (r + 1) + 10, 1000 * r + 500,
            r / 2, r, 1000 * r + 500, START_S, 1000 * r + 501, START_S);
    }
    add(&script, "#EXIT|3500|%.1f|oom|9 nan nan\n", START_S + 20);
    return script;
}

static void sums_are_those_of_their_processes(void **state)
{
    static const struct {
        mprof_member_kind kind;
        size_t count;
        const char *name;
        double peak_mib;
    } rows[] = {
        {MPROF_MEMBERS_AUTO, 4, "rank 3", 410},
        {MPROF_MEMBERS_BY_RANK, 4, "rank 3", 410},
        {MPROF_MEMBERS_BY_HOST, 2, "node1", 720},
        {MPROF_MEMBERS_BY_PROCESS, 8, "node1/3 solver", 400},
        {MPROF_MEMBERS_BY_COMMAND, 2,
         "solver \xC3\x97"
         "4",
         1000},
        {MPROF_MEMBERS_BY_RECORDING, 1, "test", 1040},
    };
    struct script script = merged_job();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct opened opened;
        open_text(&opened, script.text, script.used, 50, rows[i].kind, NULL);
        const mprof__members *members = &opened.members;
        assert_int_equal(members->count, rows[i].count);
        assert_string_equal(members->items[0].name, rows[i].name);
        assert_near(members->items[0].peak_mib, rows[i].peak_mib);
        for (size_t column = 0; column < 50; column++) {
            assert_near(at(members, members->mean, rows[i].name, column), rows[i].peak_mib);
        }
        if (members->kind == MPROF_MEMBERS_BY_RANK) {
            assert_string_equal(members->items[0].host, "node1");
            assert_string_equal(members->items[0].end_text, "killed: out of memory");
            assert_near(members->items[0].end_s, 20);
        }
        close_opened(&opened);
    }
    free(script.text);
}

/* The main process of a sum is what the others leave, also between their last tick and the next. */
static void the_main_process_is_the_rest(void **state)
{
    struct script script = {NULL, 0, 0};
    struct opened opened;
    (void)state;
    add(&script, "CMDLINE x\nFACT pid 7\nFACT include-children yes\nPROC 7 1 %.1f make\n", START_S);
    for (int i = 0; i <= 40; i++) {
        bool runs = i >= 10 && i <= 30;
        add(&script, "MEM %d %.1f\n", 30 + (runs ? 100 : 0), START_S + i);
        if (runs) {
            add(&script, "CHLD 8 100 %.1f\n", START_S + i);
        }
    }
    open_text(&opened, script.text, script.used, 40, MPROF_MEMBERS_AUTO, NULL);
    assert_int_equal(opened.members.count, 2);
    for (size_t i = 0; i < 40; i++) {
        assert_near(at(&opened.members, opened.members.high, "make", i), 30);
        assert_near(at(&opened.members, opened.members.low, "make", i), 30);
    }
    assert_near(find_member(&opened.members, "make")->peak_mib, 30);
    close_opened(&opened);
    for (size_t w = 0; w < 3; w++) {
        const double windows[][2] = {{25, 30.5}, {30.2, 30.8}, {9.2, 9.8}};
        open_text(&opened, script.text, script.used, 10, MPROF_MEMBERS_AUTO, windows[w]);
        for (size_t i = 0; i < 10; i++) {
            assert_near(at(&opened.members, opened.members.high, "make", i), 30);
            assert_near(at(&opened.members, opened.members.low, "make", i), 30);
        }
        close_opened(&opened);
    }
    free(script.text);
}

/* Series of many processes are kept as bins, which are further apart than pauses of the recording
 * would be. */
static void reduced_series_have_no_holes(void **state)
{
    enum { COUNT = 400, TICKS = 2000 };
    struct script script = {NULL, 0, 0};
    mprof_load_options load;
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    mprof__figure_input input = {.profile = NULL};
    mprof__layout layout = {.options = &options, .inputs = &input, .input_count = 1};
    mprof__members members;
    (void)state;
    add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\n");
    for (int i = 0; i < TICKS; i++) {
        add(&script, "MEM 1 %.1f\n", START_S + 0.1 * i);
        for (int p = 0; p < COUNT; p++) {
            add(&script, "CHLD %d 10 %.1f\n", 100 + p, START_S + 0.1 * i);
        }
    }
    mprof_load_options_init(&load, sizeof load);
    load.max_points = 2048; /* MEM has all of its samples */
    mprof_profile *profile = load_text(script.text, script.used, "test", &load);
    options.stack = 1;
    options.members = MPROF_MEMBERS_BY_HOST;
    layout.to_s = 0.1 * (TICKS - 1);
    assert_int_equal(mprof__figure_input_init(&input, profile), MPROF_OK);
    assert_true(input.processes[1].series.point_count < TICKS / 4);
    assert_int_equal(mprof__rank_processes(&input), MPROF_OK);
    assert_int_equal(mprof__sum_processes(&layout, &input), MPROF_OK);
    for (size_t i = 0; i < input.moment_count; i++) {
        assert_near(input.children_mib[i], 10 * COUNT);
    }
    assert_int_equal(mprof__members_init(&members, &layout, 500, NULL), MPROF_OK);
    assert_int_equal(members.count, 1);
    for (size_t i = 0; i < 500; i++) {
        assert_near((double)members.mean[i], 10 * COUNT + 1);
    }
    mprof__members_dispose(&members);
    mprof__figure_input_dispose(&input);
    mprof_profile_free(profile);
    free(script.text);
}

static void a_window_has_those_that_ran_in_it(void **state)
{
    struct script script = {NULL, 0, 0};
    struct opened opened;
    const double window_s[] = {10, 20};
    (void)state;
    add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\n");
    for (int i = 0; i <= 40; i++) {
        add(&script, "MEM %d %.1f\n", i, START_S + i);
        add(&script, "CHLD %d %d %.1f\n", 2 + i / 10, 100 + i, START_S + i);
    }
    open_text(&opened, script.text, script.used, 10, MPROF_MEMBERS_AUTO, window_s);
    assert_int_equal(opened.members.count,
                     3); /* main, 10 to 19, and the first sample of the next */
    assert_near(opened.members.items[0].peak_mib, 120);
    assert_near(find_member(&opened.members, "pid 3")->peak_mib, 119);
    assert_near(find_member(&opened.members, "pid 3")->peak_s, 19);
    close_opened(&opened);
    free(script.text);
}

/* ---- geometry ---- */

static void panels_fill_the_page(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        mprof__panel_room room;
        size_t columns, rows, shown;
    } rows[] = {
        {"ten across", 500, {1164, INFINITY, false}, 10, 50, 500},
        {"as many in each row", 12, {1164, INFINITY, false}, 6, 2, 12},
        {"one", 1, {1164, INFINITY, false}, 1, 1, 1},
        {"a narrow page", 60, {560, INFINITY, false}, 5, 12, 60},
        {"a page of given height", 500, {1164, 400, false}, 10, 7, 70},
        {"a small page", 60, {360, 190, true}, 4, 4, 16},
        {"the highest page", 10000, {1164, INFINITY, false}, 10, 263, 2630},
        {"too low", 4, {1164, 20, false}, 0, 0, 0},
        {"too narrow", 4, {60, 400, false}, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__panel_grid grid = mprof__panel_grid_of(rows[i].count, &rows[i].room);
        if (grid.columns != rows[i].columns || grid.rows != rows[i].rows ||
            grid.shown != rows[i].shown) {
            fail_msg("%s: %zu x %zu, %zu shown", rows[i].name, grid.columns, grid.rows, grid.shown);
        }
        if (!grid.shown) {
            continue;
        }
        assert_true(grid.width + (double)(grid.columns - 1) * grid.step_x <=
                    rows[i].room.width_px + 0.5);
        assert_true(isinf(rows[i].room.height_px) || grid.height <= rows[i].room.height_px);
        assert_true(!isinf(rows[i].room.height_px) || grid.plot_height + grid.name_px >= 64);
        assert_true(grid.plot_height > 10);
    }
}

static void rows_fill_the_page(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        double room_px;
        bool grows;
        size_t named, rows, per_row;
        double height_px;
    } rows[] = {
        {"all named", 30, 300, true, 30, 0, 1, 360},
        {"one", 1, 300, true, 1, 0, 1, 12},
        {"higher rows", 103, 300, true, 3, 100, 1, 38 + 300},
        {"a pixel each", 1000, 300, true, 3, 997, 1, 38 + 997},
        {"shared", 10000, 300, true, 3, 1000, 10, 38 + 1000},
        {"a page of given height", 1000, 300, false, 3, 250, 4, 38 + 250},
        {"a low page", 1000, 60, false, 0, 59, 17, 59},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        mprof__heat_grid grid = mprof__heat_grid_of(rows[i].count, rows[i].room_px, rows[i].grows);
        if (grid.named != rows[i].named || grid.rows != rows[i].rows ||
            grid.per_row != rows[i].per_row || fabs(grid.height_px - rows[i].height_px) > 0.01) {
            fail_msg("%s: %zu named, %zu rows of %zu, %g px", rows[i].name, grid.named, grid.rows,
                     grid.per_row, grid.height_px);
        }
        size_t last = rows[i].count - 1;
        assert_near(mprof__heat_y(&grid, last) + mprof__heat_row_height(&grid, last),
                    grid.height_px);
        assert_true(rows[i].grows || grid.height_px <= rows[i].room_px);
    }
}

static void memory_becomes_a_shade(void **state)
{
    const mprof__ramp linear = {0, 800, false}, logarithmic = {1, 10000, true};
    (void)state;
    assert_int_equal(mprof__shade_of(&linear, NAN), MPROF_SHADE_NONE);
    assert_int_equal(mprof__shade_of(&linear, 0), 1);
    assert_int_equal(mprof__shade_of(&linear, 800), MPROF_SHADE_MAX);
    assert_int_equal(mprof__shade_of(&linear, 801), MPROF_SHADE_ABOVE);
    assert_int_equal(mprof__shade_of(&linear, 400), (1 + MPROF_SHADE_MAX + 1) / 2);
    assert_int_equal(mprof__shade_of(&logarithmic, 0.1), 1);
    assert_int_equal(mprof__shade_of(&logarithmic, 100), (1 + MPROF_SHADE_MAX + 1) / 2);
}

/* ---- figures ---- */

static size_t count_role(const mprof_figure *figure, mprof_role role)
{
    size_t count, found = 0;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        found += items[i].role == role;
    }
    return found;
}

static bool has_words(const mprof_figure *figure, const char *words)
{
    size_t size;
    const char *text = mprof_figure_text(figure, &size);
    return memmem(text, size, words, strlen(words)) != NULL;
}

/* n processes whose peaks are 10, 20, 30 ...; `far`: times that of the last one. */
static struct script staircase(size_t n, double far)
{
    struct script script = {NULL, 0, 0};
    add(&script, "CMDLINE x\nFACT pid 1\nFACT include-children no\n");
    for (size_t i = 0; i <= 20; i++) {
        add(&script, "MEM 1 %.1f\n", START_S + (double)i);
        for (size_t p = 1; p < n; p++) {
            add(&script, "CHLD %zu %.3f %.1f\n", 100 + p,
                10.0 * (double)p * (double)i / 20 * (p == n - 1 ? far : 1), START_S + (double)i);
        }
    }
    return script;
}

static mprof_figure *draw_many(const struct script *script, mprof_form form, bool states)
{
    mprof_profile *profile = load_text(script->text, script->used, "test", NULL);
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    options.form = form;
    options.states = states;
    mprof_figure *figure = lay_out(profile, &options);
    mprof_profile_free(profile);
    return figure;
}

static void each_member_has_a_panel(void **state)
{
    struct script script = staircase(60, 1);
    (void)state;
    mprof_figure *figure = draw_many(&script, MPROF_FORM_PANELS, true);
    assert_int_equal(count_role(figure, MPROF_ROLE_MEMBER), 59);
    assert_int_equal(count_role(figure, MPROF_ROLE_MEMBER_WORST), 1);
    assert_int_equal(count_role(figure, MPROF_ROLE_MEMBER_MEDIAN), 60);
    assert_int_equal(count_role(figure, MPROF_ROLE_MEMBER_PEAK_WORST), 1);
    assert_true(has_words(figure, "pid 159"));
    assert_true(has_words(figure, "590.0 MiB"));
    assert_true(has_words(figure, "60 processes"));
    /* a straight line needs few points */
    size_t count;
    const mprof_item *items = mprof_figure_items(figure, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].role == MPROF_ROLE_MEMBER || items[i].role == MPROF_ROLE_MEMBER_WORST) {
            assert_in_range(items[i].count, 3, 12);
        }
    }
    mprof_figure_free(figure);
    free(script.text);
}

/* One that is far above the others does not flatten them, and the caption says so. */
static void one_far_above_most_is_cut(void **state)
{
    struct script script = staircase(60, 100);
    (void)state;
    mprof_figure *figure = draw_many(&script, MPROF_FORM_PANELS, false);
    assert_true(has_words(figure, "1 is above it"));
    assert_true(mprof_figure_frame(figure)->high_mib < 1000);
    mprof_figure_free(figure);
    figure = draw_many(&script, MPROF_FORM_BAND, false);
    assert_true(mprof_figure_frame(figure)->high_mib > 59000);
    mprof_figure_free(figure);
    free(script.text);
}

static void rows_have_the_shades_of_their_members(void **state)
{
    struct script script = staircase(103, 1);
    size_t count;
    (void)state;
    mprof_figure *figure = draw_many(&script, MPROF_FORM_HEAT, false);
    const mprof_cells *cells = mprof_figure_cells(figure, &count);
    assert_int_equal(count, 3); /* named rows, the others, the key */
    assert_int_equal(cells[0].rows, 3);
    assert_int_equal(cells[1].rows, 100);
    assert_int_equal(cells[1].columns, cells[0].columns);
    for (uint32_t row = 0; row < 3; row++) {
        const uint8_t *shades = cells[0].shades + (size_t)row * cells[0].columns;
        assert_int_equal(shades[0], 1);
        for (uint32_t i = 1; i < cells[0].columns; i++) {
            assert_true(shades[i] >= shades[i - 1]);
        }
        assert_true(shades[cells[0].columns - 1] >= MPROF_SHADE_MAX - 3);
    }
    /* below, each row is at most as dark as the one above it; the main process is the last one */
    for (uint32_t row = 1; row < 100; row++) {
        const uint8_t *shades = cells[1].shades + (size_t)row * cells[1].columns;
        assert_true(shades[cells[1].columns - 1] <= shades[-1]);
    }
    assert_int_equal(cells[2].shades[0], 1);
    mprof_figure_free(figure);
    free(script.text);
}

static void a_band_names_the_worst(void **state)
{
    struct script script = merged_job();
    (void)state;
    mprof_figure *figure = draw_many(&script, MPROF_FORM_BAND, true);
    assert_int_equal(count_role(figure, MPROF_ROLE_BAND), 2); /* and in the key */
    assert_int_equal(count_role(figure, MPROF_ROLE_WORST), 2);
    assert_true(has_words(figure, "rank 3 410.0 MiB"));
    assert_true(strstr(mprof_figure_facts(figure), "4 ranks on 2 hosts") != NULL);
    assert_true(strstr(mprof_figure_facts(figure), "rank 3 on node1, 410.0 MiB") != NULL);
    assert_true(strstr(mprof_figure_facts(figure), "sum of the peaks 1.02 GiB") != NULL);
    mprof_figure_free(figure);
    free(script.text);
}

/* Every page is drawn within its edges, or refused with a reason. */
static void pages_of_all_sizes_hold_what_is_drawn(void **state)
{
    static const double sizes[][2] = {{90, 60},   {200, 100},  {300, 180},  {400, 260},
                                      {640, 300}, {1260, 540}, {2000, 2000}};
    (void)state;
    for (size_t n = 1; n <= 300; n += n < 4 ? 1 : 74) {
        struct script script = staircase(n, 1);
        mprof_profile *profile = load_text(script.text, script.used, "test", NULL);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (int form = MPROF_FORM_BAND; form <= MPROF_FORM_HEAT; form++) {
                for (unsigned without = 0; without <= MPROF_PARTS_ALL; without += MPROF_PARTS_ALL) {
                    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
                    mprof_figure *figure;
                    mprof_error error = MPROF_ERROR_INIT;
                    options.form = (mprof_form)form;
                    options.without = without;
                    options.grow = 0;
                    options.width_px = sizes[s][0];
                    options.height_px = sizes[s][1];
                    if (mprof_figure_layout(&figure, (const mprof_profile *const *)&profile, 1,
                                            &options, &fixed_measure, &error) != MPROF_OK) {
                        assert_int_equal(error.status, MPROF_EARGUMENT);
                        assert_true(sizes[s][0] < 300);
                        continue;
                    }
                    size_t count, point_count;
                    const mprof_item *items = mprof_figure_items(figure, &count);
                    const mprof_point *points = mprof_figure_points(figure, &point_count);
                    for (size_t i = 0; i < count; i++) {
                        const mprof_item *item = &items[i];
                        bool is_path =
                            item->shape == MPROF_SHAPE_LINE || item->shape == MPROF_SHAPE_AREA;
                        for (uint32_t p = 0; is_path && p < item->count; p++) {
                            assert_true(points[item->first + p].x >= -0.5F &&
                                        (double)points[item->first + p].x <= sizes[s][0] + 0.5 &&
                                        points[item->first + p].y >= -0.5F &&
                                        (double)points[item->first + p].y <= sizes[s][1] + 0.5);
                        }
                        assert_true(is_path || ((double)item->y <= sizes[s][1] + 0.5 &&
                                                (double)item->x <= sizes[s][0] + 0.5));
                    }
                    mprof_figure_free(figure);
                }
            }
        }
        mprof_profile_free(profile);
        free(script.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_exact),
        cmocka_unit_test(a_pause_is_a_gap),
        cmocka_unit_test(columns_of_all_are_those_of_a_sort),
        cmocka_unit_test(sums_are_those_of_their_processes),
        cmocka_unit_test(the_main_process_is_the_rest),
        cmocka_unit_test(reduced_series_have_no_holes),
        cmocka_unit_test(a_window_has_those_that_ran_in_it),
        cmocka_unit_test(panels_fill_the_page),
        cmocka_unit_test(rows_fill_the_page),
        cmocka_unit_test(memory_becomes_a_shade),
        cmocka_unit_test(each_member_has_a_panel),
        cmocka_unit_test(one_far_above_most_is_cut),
        cmocka_unit_test(rows_have_the_shades_of_their_members),
        cmocka_unit_test(a_band_names_the_worst),
        cmocka_unit_test(pages_of_all_sizes_hold_what_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
