/* A picture of letters: bars have the right height, rows the right share, nothing leaves the grid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laid_out.h"
#include "render/figure/terminal_chart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int one_column(const char *letter, size_t length)
{
    (void)letter;
    (void)length;
    return 1;
}

static mprof_profile *load(const char *text)
{
    return load_text(text, strlen(text), "test.dat", NULL);
}

static mprof__terminal_chart draw_with(const mprof_figure_options *given, const char *const *texts,
                                       size_t count, int columns, int rows, bool utf8)
{
    const mprof__terminal_room room = {columns, rows, utf8, one_column};
    mprof_profile *profiles[8];
    mprof__terminal_chart chart;
    mprof_figure_options options = *given;
    for (size_t i = 0; i < count; i++) {
        profiles[i] = load(texts[i]);
    }
    assert_int_equal(mprof__terminal_chart_new(&chart, (const mprof_profile *const *)profiles,
                                               count, &options, &room, NULL),
                     MPROF_OK);
    for (size_t i = 0; i < count; i++) {
        mprof_profile_free(profiles[i]);
    }
    return chart;
}

static mprof__terminal_chart draw(const char *const *texts, size_t count, int columns, int rows,
                                  bool utf8)
{
    const mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    return draw_with(&options, texts, count, columns, rows, utf8);
}

static void assert_rows(const mprof__terminal_chart *chart, const char *const *rows)
{
    char text[2000];
    for (int r = 0; rows[r]; r++) {
        assert_true(r < chart->rows);
        mprof__terminal_chart_row(chart, r, text, sizeof text);
        assert_string_equal(text, rows[r]);
    }
}

/* A step to 100 MiB in the middle of 30 columns, and a function that runs in the second half of the
 * time, another one in every other quarter of a column. */
static const char step[] = "CMDLINE python3 app.py\n"
                           "MEM 50 1000\nMEM 50 1014.999\nMEM 100 1015\nMEM 100 1030\n"
                           "FUNC app.work 100 1015 100 1030 0\n"
                           "FUNC app.half 50 1000 50 1000.5 1\nFUNC app.half 50 1001 50 1001.5 1\n"
                           "FUNC app.half 50 1010 50 1010.25 1\n";

static void bars_and_rows(void **state)
{
    static const char *const utf8[] = {"python3 app.py",
                                       "           peak 100.0 MiB at 15.0 s",
                                       " 100 MiB               ████████████████",
                                       "                       ████████████████",
                                       "                       ████████████████",
                                       "  50 MiB ██████████████████████████████",
                                       "         ██████████████████████████████",
                                       "       0 ██████████████████████████████",
                                       "         0 s       10 s      20 s  30 s",
                                       "    work                ███████████████",
                                       "    half ▄▄        ▂",
                                       NULL};
    static const char *const ascii[] = {"python3 app.py",
                                        "           peak 100.0 MiB at 15.0 s",
                                        " 100 MiB               ################",
                                        "                       ################",
                                        "                       ################",
                                        "  50 MiB ##############################",
                                        "         ##############################",
                                        "       0 ##############################",
                                        "         0 s       10 s      20 s  30 s",
                                        "    work                ###############",
                                        "    half ==        _",
                                        NULL};
    const char *const texts[] = {step};
    (void)state;
    for (int i = 0; i < 2; i++) {
        mprof__terminal_chart chart = draw(texts, 1, 39, 11, !i);
        assert_rows(&chart, i ? ascii : utf8);
        mprof__terminal_chart_free(&chart);
    }
}

/* Each recording has bars on common scales, and its peak as a number. */
static void several_recordings(void **state)
{
    static const char *const rows[] = {"2 recordings",
                                       "   test.dat ████████████████████████████",
                                       "  100.0 MiB ████████████████████████████",
                                       "            ████████████████████████████",
                                       "   test.dat",
                                       "   50.0 MiB ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
                                       "            ███████████████",
                                       "            0 s    2 s    4 s    6 s",
                                       NULL};
    const char *const texts[] = {"MEM 100 1000\nMEM 100 1004\nMEM 100 1008\n",
                                 "MEM 50 500\nMEM 50 502\nMEM 50 504\n"};
    (void)state;
    mprof__terminal_chart chart = draw(texts, 2, 40, 9, true);
    assert_rows(&chart, rows);
    mprof__terminal_chart_free(&chart);
}

/* A pause stays empty; a short peak is not lost, whatever the width. */
static void pauses_and_peaks(void **state)
{
    char *text = malloc(200000), *at = text;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        double pause = i >= 2000 ? 2000 : 0;
        at += sprintf(at, "MEM %d %.1f\n", i == 1234 ? 400 : 100, 1000 + i + pause);
    }
    const char *const texts[] = {text};
    for (int columns = 20; columns < 300; columns += 31) {
        for (int rows = MPROF__TERMINAL_ROWS_LEAST; rows < 60; rows += 5) {
            mprof__terminal_chart chart = draw(texts, 1, columns, rows, false);
            char row[2000];
            int peaks = 0, longest = 0;
            assert_true(chart.rows <= rows);
            for (int r = 0; r < chart.rows; r++) {
                size_t length = mprof__terminal_chart_row(&chart, r, row, sizeof row);
                assert_true(length <= (size_t)columns);
                for (int c = 0; c < chart.columns; c++) {
                    const mprof__cell *cell = &chart.cells[r * chart.columns + c];
                    peaks += cell->role == MPROF_ROLE_PEAK_NAME && *cell->letter == '#';
                }
                char *hole = strstr(row, "#  ");
                longest += hole && strchr(hole + 3, '#');
            }
            assert_int_equal(peaks, 1);
            assert_true(longest > 0 || rows < 8);
            mprof__terminal_chart_free(&chart);
        }
    }
    free(text);
}

/* Rows that have no room are counted. */
static void rows_without_room(void **state)
{
    char text[8000] = "MEM 1 1000\nMEM 2 1100\n", *at = text + strlen(text), row[500];
    (void)state;
    for (int i = 0; i < 30; i++) {
        at += sprintf(at, "FUNC m.f%d 1 1000 2 %d 0\n", i, 1099 - i);
    }
    const char *const texts[] = {text};
    mprof__terminal_chart chart = draw(texts, 1, 80, 21, true);
    mprof__terminal_chart_row(&chart, chart.rows - 1, row, sizeof row);
    assert_non_null(strstr(row, "functions: share of the time running, 22 more"));
    mprof__terminal_chart_free(&chart);
}

/* Lines of the reader, a logarithmic axis, a fixed unit, and parts that are left out. */
static void options_of_pictures(void **state)
{
    static const mprof_note notes[] = {{MPROF_NOTE_LIMIT, 80, "quota"},
                                       {MPROF_NOTE_LINE, 25, NULL},
                                       {MPROF_NOTE_MARK, 10.5, "go"}};
    static const char *const with_notes[] = {
        "           peak 100.0 MiB at 15.0 s",     " 100 MiB           ┊go ████████████████",
        "         ╌╌╌╌╌╌╌╌╌quota████████████████", "                   ┊   ████████████████",
        "  50 MiB ▄▄▄▄▄▄▄▄▄▄▄▄▄▄████████████████", "         ██████████████████████████████",
        "         ██████████████████████25.0 MiB", NULL};
    static const char *const ascii[] = {"           peak 100.0 MiB at 15.0 s",
                                        " 100 MiB           |go ################",
                                        "         ---------quota################", NULL};
    static const char *const bare[] = {" 0.10 GB               ████████████████",
                                       "                       ████████████████", NULL};
    static const char *const decades[] = {
        "  0.1 GB               ████████████████", "                       ████████████████",
        "         ▇▇▇▇▇▇▇▇▇▇▇▇▇▇████████████████", "         ██████████████████████████████",
        "         ██████████████████████████████", "         ██████████████████████████████",
        " 0.01 GB ██████████████████████████████", NULL};
    const char *texts[] = {step};
    mprof_figure_options options = MPROF_FIGURE_OPTIONS_INIT;
    (void)state;
    options.notes = notes;
    options.note_count = 3;
    options.without = MPROF_PART_TITLE | MPROF_PART_FACTS;
    mprof__terminal_chart chart = draw_with(&options, texts, 1, 39, 14, true);
    assert_rows(&chart, with_notes);
    mprof__terminal_chart_free(&chart);
    chart = draw_with(&options, texts, 1, 39, 14, false);
    assert_rows(&chart, ascii);
    mprof__terminal_chart_free(&chart);
    options = (mprof_figure_options)MPROF_FIGURE_OPTIONS_INIT;
    options.without = MPROF_PARTS_ALL;
    options.unit = MPROF_UNIT_GB;
    chart = draw_with(&options, texts, 1, 39, 14, true);
    assert_rows(&chart, bare);
    mprof__terminal_chart_free(&chart);
    options.log = 1;
    chart = draw_with(&options, texts, 1, 39, 14, true);
    assert_rows(&chart, decades);
    mprof__terminal_chart_free(&chart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_pictures), cmocka_unit_test(bars_and_rows),
        cmocka_unit_test(several_recordings),  cmocka_unit_test(pauses_and_peaks),
        cmocka_unit_test(rows_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
