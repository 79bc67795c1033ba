/* From top to bottom: title, facts, the label of the peak, bars, time labels, a row for each
 * function, a row for each process or kind of memory, what the rows mean. Of several recordings
 * each one has bars of its own, on common scales. */
#include "terminal_chart.h"

#include "annotations.h"
#include "bounds.h"
#include "fit_text.h"
#include "format_units.h"
#include "gaps.h"
#include "heading.h"
#include "layout.h"
#include "many_figure.h"
#include "member_line.h"
#include "memory_kind_curves.h"
#include "notes.h"
#include "process_groups.h"
#include "ticks.h"
#include "view.h"

#include "parse/plain_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH_PX 8.0 /* in units of the figure */
#define CELL_HEIGHT_PX 16.0
#define EIGHTHS 8
#define ROWS_WITH_FACTS 12
#define ROWS_WITH_MEANING 14
#define BAND_ROWS_MAX 6   /* of one of several recordings */
#define MEMBER_ROWS_MAX 2 /* of one of many */
#define NAME_SHARE 0.3    /* of the width, for names of rows */
#define BARS_SHARE 0.2    /* of the width: more rows of bars would make the picture steep */

struct pen {
    mprof__terminal_chart *chart;
    const mprof__terminal_room *room;
    mprof__layout *layout;
    int row;    /* the next one */
    int gutter; /* columns left of the bars */
    int width;  /* columns of the bars */
};

/* ---- letters ---- */

static int columns_of(const mprof__terminal_room *room, const char *text, size_t length)
{
    int columns = 0;
    for (size_t at = 0; at < length;) {
        size_t letter = mprof__text_letter(text + at, length - at);
        columns += room->letter_columns(text + at, letter);
        at += letter;
    }
    return columns;
}

static double measure_width(void *data, mprof_font font, const char *text, size_t length)
{
    (void)font;
    return columns_of(data, text, length) * CELL_WIDTH_PX;
}

static size_t measure_fit(void *data, mprof_font font, const char *text, size_t length,
                          double width_px)
{
    const mprof__terminal_room *room = data;
    int left = (int)(width_px / CELL_WIDTH_PX + 1e-9);
    size_t at = 0;
    (void)font;
    while (at < length) {
        size_t letter = mprof__text_letter(text + at, length - at);
        left -= room->letter_columns(text + at, letter);
        if (left < 0) {
            break;
        }
        at += letter;
    }
    return at;
}

static mprof__cell *cell_at(const struct pen *pen, int column, int row)
{
    return &pen->chart->cells[row * pen->chart->columns + column];
}

/* All of a cell: its place, its letter and its colour. */
static void set_cell(const struct pen *pen, int column, int row, const char *letter, size_t length,
                     mprof_role role, int colour)
{
    mprof__cell *cell = cell_at(pen, column, row);
    if (length >= sizeof cell->letter) {
        letter = "?";
        length = 1;
    }
    memcpy(cell->letter, letter, length);
    cell->letter[length] = '\0';
    cell->role = (uint8_t)role;
    cell->colour = (int8_t)colour;
}

/* A terminal without UTF-8 gets "?" for other letters, and the figure's signs in ASCII. */
static const char *plain_letter(const char *letter, size_t length)
{
    static const struct {
        const char *letter, *plain;
    } signs[] = {{"\xC2\xB7", "-"},     {"\xE2\x80\xA6", "~"}, {"\xE2\x88\x92", "-"},
                 {"\xE2\x89\xA5", ">"}, {"\xC2\xB5", "u"},     {"\xC3\x97", "x"},
                 {"\xE2\x80\x93", "-"}, {"\xC2\xB1", "+"},     {"\xE2\x80\xBA", ">"},
                 {"\xE2\x95\x8C", "-"}, {"\xE2\x94\x8A", "|"}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strlen(signs[i].letter) == length && memcmp(signs[i].letter, letter, length) == 0) {
            return signs[i].plain;
        }
    }
    return "?";
}

/* Puts letters as far as there are columns. Returns the column behind. */
static int put_text(const struct pen *pen, int column, int row, const char *text, mprof_role role,
                    int colour)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        size_t bytes = mprof__text_letter(text + at, length - at);
        int wide = pen->room->letter_columns(text + at, bytes);
        const char *letter = text + at;
        at += bytes;
        if (wide <= 0) {
            continue;
        }
        if (!pen->room->utf8 && (unsigned char)*letter >= 0x80) {
            letter = plain_letter(letter, bytes);
            bytes = 1;
            wide = 1;
        }
        if (column < 0 || column + wide > pen->chart->columns) {
            break;
        }
        set_cell(pen, column, row, letter, bytes, role, colour);
        cell_at(pen, column, row)->strong =
            role == MPROF_ROLE_TITLE || role == MPROF_ROLE_PEAK_NAME;
        if (wide == 2) {
            set_cell(pen, column + 1, row, "", 0, role, colour);
        }
        column += wide;
    }
    return column;
}

/* Ends just before `column`, one empty column between. */
static void put_name(const struct pen *pen, int row, const char *name, mprof_role role, int colour)
{
    char text[300];
    size_t length = mprof__fit_text_middle(pen->layout, MPROF_ROLE_LEGEND_NAME, text, sizeof text,
                                           name, (pen->gutter - 1) * CELL_WIDTH_PX);
    text[length] = '\0';
    int column = pen->gutter - 1 - columns_of(pen->room, text, length);
    put_text(pen, column > 0 ? column : 0, row, text, role, colour);
}

/* ---- bars ---- */

static const char *block(const struct pen *pen, int eighths)
{
    static const char *const blocks[] = {" ",
                                         "\xE2\x96\x81",
                                         "\xE2\x96\x82",
                                         "\xE2\x96\x83",
                                         "\xE2\x96\x84",
                                         "\xE2\x96\x85",
                                         "\xE2\x96\x86",
                                         "\xE2\x96\x87",
                                         "\xE2\x96\x88"};
    static const char *const plain[] = {" ", "_", "_", "_", "=", "=", "#", "#", "#"};
    return (pen->room->utf8 ? blocks : plain)[eighths];
}

static double seconds_per_column(const struct pen *pen)
{
    return (pen->layout->to_s - pen->layout->from_s) / pen->width;
}

static void raise_columns(const struct pen *pen, double *highest, const mprof_sample *from,
                          const mprof_sample *to, double start_s)
{
    double step = seconds_per_column(pen);
    double t0 = (from->time_s - start_s - pen->layout->from_s) / step;
    double t1 = (to->time_s - start_s - pen->layout->from_s) / step;
    if (t1 < 0 || t0 > pen->width) {
        return;
    }
    double slope = t1 > t0 ? (to->mib - from->mib) / (t1 - t0) : 0;
    int first = (int)floor(fmax(t0, 0)), last = (int)floor(fmin(t1, pen->width - 1e-9));
    for (int c = first; c <= last && c < pen->width; c++) {
        double left = fmax(t0, c), right = fmin(t1, c + 1);
        double at_left = from->mib + (left - t0) * slope;
        double at_right = right >= t1 ? to->mib : from->mib + (right - t0) * slope;
        highest[c] = fmax(highest[c], fmax(at_left, at_right)); /* fmax() passes over NAN */
    }
}

/* The highest value in each column; NAN where none exists, as in a pause. */
static void read_columns(const struct pen *pen, double *highest, const mprof_series *series,
                         const mprof__figure_input *input)
{
    for (int c = 0; c < pen->width; c++) {
        highest[c] = NAN;
    }
    for (size_t i = 0; i < series->point_count; i++) {
        const mprof_sample *point = &series->points[i];
        bool joined =
            i + 1 < series->point_count &&
            !mprof__is_gap(input, point->time_s, point[1].time_s, seconds_per_column(pen));
        raise_columns(pen, highest, point, joined ? point + 1 : point, input->start_s);
    }
}

/* A value above 0 is at least an eighth. */
static int eighths_of(double share, int rows)
{
    int most = rows * EIGHTHS;
    int eighths = (int)lround(share * most);
    return share > 0 && eighths < 1 ? 1 : eighths > most ? most : eighths < 0 ? 0 : eighths;
}

/* Fills the cells of a column from below; those that are taken stay. */
static void put_bar(const struct pen *pen, int column, int top, int rows, int eighths,
                    mprof_role role, int colour)
{
    for (int i = 0; i < rows && eighths > i * EIGHTHS; i++) {
        int part = eighths - i * EIGHTHS < EIGHTHS ? eighths - i * EIGHTHS : EIGHTHS;
        const char *letter = block(pen, part);
        set_cell(pen, pen->gutter + column, top + rows - 1 - i, letter, strlen(letter), role,
                 colour);
    }
}

/* Above the curve of the main process, what the other processes add. */
static void put_shade(const struct pen *pen, int column, int top, int rows, int from, int eighths)
{
    const char *letter = pen->room->utf8 ? "\xE2\x96\x92" : ":";
    for (int i = (from + EIGHTHS - 1) / EIGHTHS; i < rows && eighths >= i * EIGHTHS + EIGHTHS / 2;
         i++) {
        set_cell(pen, pen->gutter + column, top + rows - 1 - i, letter, strlen(letter),
                 MPROF_ROLE_CHILD, MPROF_COLOUR_NONE);
    }
}

static double share_of_axis(const struct pen *pen, double mib)
{
    return mprof__scale_share(&pen->layout->memory, mib);
}

static int highest_column(const double *values, int count)
{
    int highest = -1;
    for (int c = 0; c < count; c++) {
        if (!isnan(values[c]) && (highest < 0 || values[c] > values[highest])) {
            highest = c;
        }
    }
    return highest;
}

static void put_memory_labels(const struct pen *pen, int top, int rows)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    const mprof__layout *layout = pen->layout;
    size_t count =
        mprof__memory_ticks(ticks, &(mprof__memory_range){.low_mib = layout->memory.from,
                                                          .high_mib = layout->memory.to,
                                                          .highest_mib = layout->highest_mib,
                                                          .height_px = rows * CELL_HEIGHT_PX,
                                                          .unit = layout->options->unit,
                                                          .is_log = layout->memory.is_log});
    int last = -1;
    for (size_t i = 0; i < count; i++) {
        double height = share_of_axis(pen, ticks[i].value) * rows;
        int up = (int)fmax(0, fmin(rows, ceil(height - 1e-9)) - 1);
        if (up == last) {
            continue;
        }
        last = up;
        put_name(pen, top + rows - 1 - up, ticks[i].text, MPROF_ROLE_TICK, MPROF_COLOUR_NONE);
    }
}

static void put_time_labels(struct pen *pen, int row)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    const mprof__layout *layout = pen->layout;
    double origin = layout->input_count == 1 ? layout->inputs[0].start_s : 0;
    size_t count = mprof__time_ticks(ticks, layout->from_s, layout->to_s, origin,
                                     pen->width * CELL_WIDTH_PX, true, layout->measure);
    int free_from = 0;
    for (size_t i = 0; i < count; i++) {
        int wide = columns_of(pen->room, ticks[i].text, strlen(ticks[i].text));
        int column =
            pen->gutter + (int)floor((ticks[i].value - layout->from_s) / seconds_per_column(pen));
        column = column + wide > pen->chart->columns ? pen->chart->columns - wide : column;
        if (column >= free_from) {
            free_from =
                put_text(pen, column, row, ticks[i].text, MPROF_ROLE_TICK, MPROF_COLOUR_NONE) + 2;
        }
    }
}

static void put_peak_label(const struct pen *pen, const mprof__figure_input *input, int column)
{
    char text[240];
    if (!mprof__peak_label(text, sizeof text, pen->layout, input)) {
        return; /* no sample is in the window */
    }
    int wide = columns_of(pen->room, text, strlen(text));
    int left = pen->gutter + column - wide / 2;
    left = left + wide > pen->chart->columns ? pen->chart->columns - wide : left;
    put_text(pen, left < pen->gutter ? pen->gutter : left, pen->row, text, MPROF_ROLE_PEAK_NAME,
             MPROF_COLOUR_NONE);
}

/* ---- lines of the reader ---- */

static bool is_blank(const struct pen *pen, int column, int row)
{
    return strcmp(cell_at(pen, column, row)->letter, " ") == 0;
}

/* Blank cells become a part of a line; bars of a limit, and those above it, have its colour. */
static void put_sign(const struct pen *pen, int column, int row, const char *letter,
                     mprof_role role)
{
    if (is_blank(pen, column, row)) {
        put_text(pen, column, row, letter, role, MPROF_COLOUR_NONE);
    } else if (role == MPROF_ROLE_NOTE_LIMIT) {
        cell_at(pen, column, row)->role = (uint8_t)role;
    }
}

/* A place for text that ends at or before `last`, on blanks if there are some. */
static int place_before(const struct pen *pen, int last, int row, int wide)
{
    for (int end = last, run = 0; end >= pen->gutter; end--) {
        run = is_blank(pen, end, row) ? run + 1 : 0;
        if (run == wide) {
            return end;
        }
    }
    return last - wide + 1 > pen->gutter ? last - wide + 1 : pen->gutter;
}

static void put_level(const struct pen *pen, const mprof_note *note, const char *text, int top,
                      int rows)
{
    mprof_role role = note->kind == MPROF_NOTE_LIMIT ? MPROF_ROLE_NOTE_LIMIT : MPROF_ROLE_NOTE_LINE;
    double share = share_of_axis(pen, note->at);
    int last = pen->gutter + pen->width - 1;
    int wide = columns_of(pen->room, text, strlen(text));
    if (share < 0 || share > 1) {
        return;
    }
    int up = (int)fmin(rows - 1, floor(share * rows));
    int row = top + rows - 1 - up;
    int left = place_before(pen, last, row, wide + 1) + 1;
    for (int r = row; r >= top && (r == row || role == MPROF_ROLE_NOTE_LIMIT); r--) {
        for (int c = pen->gutter; c <= last; c++) {
            if (r == row || !is_blank(pen, c, r)) {
                put_sign(pen, c, r, "\xE2\x95\x8C", role);
            }
        }
    }
    put_text(pen, left, row, text, role, MPROF_COLOUR_NONE);
}

static void put_moment(const struct pen *pen, const mprof_note *note, const char *text, int top,
                       int rows)
{
    double at = (note->at - pen->layout->from_s) / seconds_per_column(pen);
    int column = pen->gutter + (int)floor(at);
    if (at < 0 || at >= pen->width || pen->layout->is_share) {
        return;
    }
    for (int r = top; r < top + rows; r++) {
        put_sign(pen, column, r, "\xE2\x94\x8A", MPROF_ROLE_NOTE_MARK);
    }
    int wide = columns_of(pen->room, text, strlen(text));
    bool fits = column + 1 + wide <= pen->gutter + pen->width;
    put_text(pen, fits ? column + 1 : column - wide, top, text, MPROF_ROLE_NOTE_MARK,
             MPROF_COLOUR_NONE);
}

static void put_notes(const struct pen *pen, int top, int rows)
{
    for (size_t i = 0; i < pen->layout->options->note_count; i++) {
        const mprof_note *note = &pen->layout->options->notes[i];
        char *text = mprof__note_text(pen->layout, note);
        if (!text) {
            mprof__fail(pen->layout->figure, MPROF_ENOMEM);
            return;
        }
        if (note->kind == MPROF_NOTE_MARK) {
            put_moment(pen, note, text, top, rows);
        } else {
            put_level(pen, note, text, top, rows);
        }
        free(text);
    }
}

/* ---- the plot ---- */

static bool is_without(const struct pen *pen, mprof_part part)
{
    return (pen->layout->options->without & part) != 0;
}

/* The curve of the only recording. */
static void put_plot(struct pen *pen, double *values, int rows)
{
    const mprof__figure_input *input = &pen->layout->inputs[0];
    int top = pen->row + !is_without(pen, MPROF_PART_PEAK);
    int *own = calloc((size_t)pen->width, sizeof *own);
    if (!own) {
        mprof__fail(pen->layout->figure, MPROF_ENOMEM);
        return;
    }
    read_columns(pen, values, input->line, input);
    int peak = highest_column(values, pen->width);
    for (int c = 0; c < pen->width; c++) {
        own[c] = isnan(values[c]) ? 0 : eighths_of(share_of_axis(pen, values[c]), rows);
        put_bar(pen, c, top, rows, own[c], MPROF_ROLE_CHILD, MPROF_COLOUR_NONE);
    }
    if (peak >= 0 && !is_without(pen, MPROF_PART_PEAK)) {
        put_peak_label(pen, input, peak);
        int up = (own[peak] - 1) / EIGHTHS;
        cell_at(pen, pen->gutter + peak, top + rows - 1 - (up > 0 ? up : 0))->role =
            MPROF_ROLE_PEAK_NAME;
    }
    if (input->total.point_count) {
        read_columns(pen, values, &input->total, input);
        for (int c = 0; c < pen->width; c++) {
            if (!isnan(values[c])) {
                put_shade(pen, c, top, rows, own[c],
                          eighths_of(share_of_axis(pen, values[c]), rows));
            }
        }
    }
    free(own);
    put_notes(pen, top, rows);
    put_memory_labels(pen, top, rows);
    pen->row = top + rows;
    put_time_labels(pen, pen->row++);
}

/* ---- rows of functions ---- */

struct stretch {
    double from_s, to_s;
};

static int by_start(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;
    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

static void add_stretch(const struct pen *pen, double *busy, struct stretch stretch)
{
    double step = seconds_per_column(pen);
    double t0 = fmax(0, (stretch.from_s - pen->layout->from_s) / step);
    double t1 = fmin(pen->width, (stretch.to_s - pen->layout->from_s) / step);
    for (int c = (int)floor(t0); c < pen->width && c < t1; c++) {
        busy[c] += fmax(0, fmin(t1, c + 1) - fmax(t0, c));
    }
    if (t0 < pen->width && t1 >= 0 && t1 - t0 <= 0) {
        busy[(int)floor(fmin(t0, pen->width - 1))] += 1e-9; /* a moment is seen, too */
    }
}

/* The share of each column in which at least one call of the function ran. */
static bool read_busy(const struct pen *pen, double *busy, uint32_t number)
{
    const mprof__figure_input *input = &pen->layout->inputs[0];
    struct stretch *stretches = malloc((input->shown_count + 1) * sizeof *stretches);
    size_t count = 0;
    memset(busy, 0, (size_t)pen->width * sizeof *busy);
    for (size_t i = 0; stretches && i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        if (input->function_numbers[span->function] == number) {
            stretches[count++] = (struct stretch){span->enter.time_s - input->start_s,
                                                  span->exit.time_s - input->start_s};
        }
    }
    if (count) {
        qsort(stretches, count, sizeof *stretches, by_start);
    }
    for (size_t i = 0; i < count;) {
        struct stretch whole = stretches[i];
        for (i++; i < count && stretches[i].from_s <= whole.to_s; i++) {
            whole.to_s = fmax(whole.to_s, stretches[i].to_s);
        }
        add_stretch(pen, busy, whole);
    }
    free(stretches);
    return stretches != NULL;
}

/* Text of the function and its colour; false: none of its calls is shown. */
static bool function_of(const mprof__layout *layout, uint32_t number, const char **label,
                        int *colour)
{
    const mprof__figure_input *input = &layout->inputs[0];
    for (size_t i = 0; i < input->function_count; i++) {
        if (input->function_colours[i] != MPROF_COLOUR_NONE &&
            input->function_numbers[i] == number) {
            *label = input->function_labels[i];
            *colour = input->function_colours[i];
            return true;
        }
    }
    return false;
}

static void put_function_rows(struct pen *pen, double *values, size_t rows)
{
    for (uint32_t n = 0; n < rows; n++) {
        const char *label = "";
        int colour = MPROF_COLOUR_NONE;
        if (!function_of(pen->layout, n, &label, &colour)) {
            continue;
        }
        put_name(pen, pen->row, label, MPROF_ROLE_RUG, colour);
        if (!read_busy(pen, values, n)) {
            mprof__fail(pen->layout->figure, MPROF_ENOMEM);
            return;
        }
        for (int c = 0; c < pen->width; c++) {
            put_bar(pen, c, pen->row, 1, eighths_of(fmin(values[c], 1), 1), MPROF_ROLE_RUG, colour);
        }
        pen->row++;
    }
}

/* ---- rows of memory ---- */

/* values[pen->width] is memory that all rows share; the other parameters are what a row shows. */
static void put_memory_row(struct pen *pen, double *values, const char *name,
                           const mprof_series *series, double most_mib, mprof_role role, int colour)
{
    const mprof__figure_input *input = &pen->layout->inputs[0];
    put_name(pen, pen->row, name, MPROF_ROLE_TICK, MPROF_COLOUR_NONE);
    read_columns(pen, values, series, input);
    for (int c = 0; c < pen->width; c++) {
        if (!isnan(values[c]) && most_mib > 0) {
            put_bar(pen, c, pen->row, 1, eighths_of(values[c] / most_mib, 1), role, colour);
        }
    }
    pen->row++;
}

static double highest_of_rows(const mprof__layout *layout, size_t rows)
{
    const mprof__figure_input *input = &layout->inputs[0];
    mprof__kind_curve kind = {.series = NULL};
    double most = 0;
    while (mprof__next_kind(layout, input, &kind)) {
        most = fmax(most, kind.series->peak.mib);
    }
    for (size_t i = 0; i < rows && i < input->groups.count; i++) {
        most = fmax(most, input->groups.items[i].peak.mib);
    }
    return most;
}

static void put_memory_rows(struct pen *pen, double *values, size_t rows, double most_mib)
{
    const mprof__figure_input *input = &pen->layout->inputs[0];
    mprof__kind_curve kind = {.series = NULL};
    char name[300];
    while (rows && mprof__next_kind(pen->layout, input, &kind)) {
        mprof__kind_text(name, sizeof name, input, &kind);
        put_memory_row(pen, values, name, kind.series, most_mib, MPROF_ROLE_KIND, kind.colour);
        rows--;
    }
    for (size_t i = 0; i < rows && i < input->groups.count; i++) {
        const mprof__process_group *group = &input->groups.items[i];
        mprof__group_text(name, sizeof name, input, group);
        put_memory_row(pen, values, name, &group->series, most_mib, MPROF_ROLE_CHILD,
                       MPROF_COLOUR_NONE);
    }
}

/* ---- the page ---- */

/* How many rows each part has. */
struct plan {
    int facts, meaning, bars;
    size_t functions, memories;
    size_t all_functions, all_memories; /* if all had room */
};

static size_t count_memories(const mprof__layout *layout)
{
    mprof__kind_curve kind = {.series = NULL};
    size_t count = layout->inputs[0].groups.count;
    while (mprof__next_kind(layout, &layout->inputs[0], &kind)) {
        count++;
    }
    return count;
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The bars get half of the page, and what the rows leave. */
static struct plan plan_rows(const struct pen *pen)
{
    struct plan plan = {.all_functions = pen->layout->figure->function_count,
                        .all_memories = count_memories(pen->layout)};
    int rows = pen->room->rows;
    plan.facts = rows >= ROWS_WITH_FACTS && !is_without(pen, MPROF_PART_FACTS);
    plan.meaning = rows >= ROWS_WITH_MEANING && (plan.all_functions || plan.all_memories) &&
                   !is_without(pen, MPROF_PART_LEGEND);
    int left = rows - 1 - plan.facts - plan.meaning - !is_without(pen, MPROF_PART_TITLE) -
               !is_without(pen, MPROF_PART_PEAK);
    size_t most = (size_t)(left > 3 ? left / 2 : 0);
    plan.functions = least_of(plan.all_functions, plan.all_memories ? (most + 1) / 2 : most);
    plan.memories = least_of(plan.all_memories, most - plan.functions);
    plan.functions = least_of(plan.all_functions, most - plan.memories);
    int bars = left - (int)plan.functions - (int)plan.memories;
    int highest = (int)fmax(6, pen->chart->columns * BARS_SHARE);
    plan.bars = bars < highest ? bars : highest;
    return plan;
}

/* Names and memory labels decide how wide the gutter is. */
static void choose_gutter(struct pen *pen, const struct plan *plan)
{
    const mprof__layout *layout = pen->layout;
    const mprof__figure_input *input = &layout->inputs[0];
    double most = pen->chart->columns * NAME_SHARE, wide = 9;
    char name[300];
    for (uint32_t n = 0; n < plan->functions; n++) {
        const char *label = "";
        int colour;
        function_of(layout, n, &label, &colour);
        wide = fmax(wide, columns_of(pen->room, label, strlen(label)) + 1);
    }
    for (size_t i = 0; i < plan->memories && i < input->groups.count; i++) {
        mprof__group_text(name, sizeof name, input, &input->groups.items[i]);
        wide = fmax(wide, columns_of(pen->room, name, strlen(name)) + 1);
    }
    pen->gutter = (int)fmin(wide, most);
    pen->width = pen->chart->columns - pen->gutter;
}

static void put_head(struct pen *pen, bool facts)
{
    char text[4200];
    const mprof_figure *figure = pen->layout->figure;
    double width = pen->chart->columns * CELL_WIDTH_PX;
    text[mprof__fit_text_middle(pen->layout, MPROF_ROLE_TITLE, text, sizeof text, figure->title,
                                width)] = '\0';
    if (!is_without(pen, MPROF_PART_TITLE)) {
        put_text(pen, 0, pen->row++, text, MPROF_ROLE_TITLE, MPROF_COLOUR_NONE);
    }
    if (facts) {
        text[mprof__fit_text(pen->layout, MPROF_ROLE_FACTS, text, sizeof text, figure->facts,
                             width)] = '\0';
        put_text(pen, 0, pen->row++, text, MPROF_ROLE_FACTS, MPROF_COLOUR_NONE);
    }
}

static void put_meaning(struct pen *pen, const struct plan *plan, double most_mib)
{
    char text[300] = "", memory[40];
    size_t used = 0;
    if (plan->functions) {
        used += (size_t)snprintf(text, sizeof text, "functions: share of the time running");
        if (plan->functions < plan->all_functions) {
            used += (size_t)snprintf(text + used, sizeof text - used, ", %zu more",
                                     plan->all_functions - plan->functions);
        }
    }
    if (plan->memories) {
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%smemory up to %s", used ? "; " : "",
            mprof__memory_text_in(memory, sizeof memory, pen->layout->options->unit, most_mib));
        if (plan->memories < plan->all_memories) {
            snprintf(text + used, sizeof text - used, ", %zu more",
                     plan->all_memories - plan->memories);
        }
    }
    put_text(pen, pen->gutter, pen->row++, text, MPROF_ROLE_FACTS, MPROF_COLOUR_NONE);
}

static void scale_memory(struct pen *pen, int rows)
{
    pen->layout->plot = (mprof_box){0, 0, pen->width * CELL_WIDTH_PX, rows * CELL_HEIGHT_PX};
    mprof__choose_memory_range(pen->layout);
}

static void draw_one(struct pen *pen, double *values)
{
    struct plan plan = plan_rows(pen);
    choose_gutter(pen, &plan);
    scale_memory(pen, plan.bars);
    put_head(pen, plan.facts);
    put_plot(pen, values, plan.bars);
    double most_mib = highest_of_rows(pen->layout, plan.memories);
    put_function_rows(pen, values, plan.functions);
    put_memory_rows(pen, values, plan.memories, most_mib);
    if (plan.meaning) {
        put_meaning(pen, &plan, most_mib);
    }
}

/* Name and peak of a recording, left of its bars. */
static void put_band_name(struct pen *pen, const mprof__figure_input *input, int rows)
{
    char name[240], memory[60], both[320];
    mprof__recording_name(name, sizeof name, pen->layout, input);
    mprof__bound_text(memory, sizeof memory, pen->layout->options->unit, input->peak);
    if (rows > 1) {
        put_name(pen, pen->row, name, MPROF_ROLE_TICK, MPROF_COLOUR_NONE);
        put_name(pen, pen->row + 1, memory, MPROF_ROLE_PEAK_NAME, MPROF_COLOUR_NONE);
    } else {
        snprintf(both, sizeof both, "%s %s", name, memory);
        put_name(pen, pen->row, both, MPROF_ROLE_TICK, MPROF_COLOUR_NONE);
    }
}

static void draw_several(struct pen *pen, double *values)
{
    mprof__layout *layout = pen->layout;
    bool facts = pen->room->rows >= ROWS_WITH_FACTS && !is_without(pen, MPROF_PART_FACTS);
    int left = pen->room->rows - 1 - facts - !is_without(pen, MPROF_PART_TITLE);
    size_t shown = least_of(layout->input_count, (size_t)left);
    shown -= shown < layout->input_count && shown > 1; /* the last row counts the rest */
    int rows = left / (int)shown < BAND_ROWS_MAX ? left / (int)shown : BAND_ROWS_MAX;
    char text[60];
    pen->gutter = (int)(pen->chart->columns * NAME_SHARE);
    pen->width = pen->chart->columns - pen->gutter;
    scale_memory(pen, rows);
    put_head(pen, facts);
    for (size_t r = 0; r < shown; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        read_columns(pen, values, input->line, input);
        for (int c = 0; c < pen->width; c++) {
            if (!isnan(values[c])) {
                put_bar(pen, c, pen->row, rows, eighths_of(share_of_axis(pen, values[c]), rows),
                        MPROF_ROLE_CURVE, input->colour);
            }
        }
        put_band_name(pen, input, rows);
        pen->row += rows;
    }
    if (shown < layout->input_count) {
        snprintf(text, sizeof text, "+ %zu more", layout->input_count - shown);
        put_text(pen, pen->gutter, pen->row++, text, MPROF_ROLE_FACTS, MPROF_COLOUR_NONE);
    }
    put_time_labels(pen, pen->row++);
}

/* ---- many ---- */

/* A row, or several, of bars that share the scale of all. `values`: by column; NAN: nothing ran. */
static void put_member(struct pen *pen, const double *values, int rows, const char *name,
                       const char *memory, bool is_worst)
{
    char both[400];
    mprof_role role = is_worst ? MPROF_ROLE_MEMBER_NAME_WORST : MPROF_ROLE_TICK;
    for (int c = 0; c < pen->width; c++) {
        if (!isnan(values[c])) {
            put_bar(pen, c, pen->row, rows, eighths_of(share_of_axis(pen, values[c]), rows),
                    is_worst ? MPROF_ROLE_WORST : MPROF_ROLE_CURVE, MPROF_COLOUR_NONE);
        }
    }
    if (rows > 1) {
        put_name(pen, pen->row, name, role, MPROF_COLOUR_NONE);
        put_name(pen, pen->row + 1, memory, MPROF_ROLE_PEAK_NAME, MPROF_COLOUR_NONE);
    } else {
        int room = pen->gutter - 2 - columns_of(pen->room, memory, strlen(memory));
        char fitted[300];
        size_t length =
            mprof__fit_member_name(pen->layout, MPROF_ROLE_LEGEND_NAME, fitted, sizeof fitted, name,
                                   (room > 0 ? room : 0) * CELL_WIDTH_PX);
        snprintf(both, sizeof both, "%.*s%s%s", (int)length, fitted, length ? " " : "", memory);
        put_name(pen, pen->row, both, role, MPROF_COLOUR_NONE);
    }
    pen->row += rows;
}

/* A sign where it ended badly, and the reason if there is room behind. */
static void put_bad_end(const struct pen *pen, const double *values, int row,
                        const mprof__member *member)
{
    const mprof__layout *layout = pen->layout;
    double share = (member->end_s - layout->from_s) / (layout->to_s - layout->from_s);
    if (!(share >= 0 && share <= 1)) {
        return;
    }
    int column = (int)fmin(share * pen->width, pen->width - 1);
    int last = pen->width - 1;
    while (last >= 0 && isnan(values[last])) {
        last--;
    }
    put_text(pen, pen->gutter + column, row, "\xC3\x97", MPROF_ROLE_DEATH_NAME, MPROF_COLOUR_NONE);
    /* "killed: out of memory", or what is behind the colon */
    const char *colon = strchr(member->end_text, ':');
    const char *texts[] = {member->end_text, colon ? colon + 2 : ""};
    for (size_t i = 0; i < 2 && last <= column; i++) {
        int wide = columns_of(pen->room, texts[i], strlen(texts[i]));
        if (wide + 2 <= pen->width - column) {
            put_text(pen, pen->gutter + column + 2, row, texts[i], MPROF_ROLE_DEATH_NAME,
                     MPROF_COLOUR_NONE);
            return;
        }
    }
}

static const char *member_memory_text(const struct pen *pen, char *text, size_t size,
                                      const char *before, double mib)
{
    char memory[48];
    snprintf(text, size, "%s%s", before,
             mprof__memory_text_in(memory, sizeof memory, pen->layout->options->unit, mib));
    return text;
}

/* Of a band: lowest, mean and highest of all. */
static void put_column_line(struct pen *pen, double *values, int rows, const char *which,
                            const mprof__members *members, mprof__column_value *value)
{
    char name[80], count[32], memory[60];
    double most = 0;
    snprintf(name, sizeof name, "%s of %s %s", which,
             mprof__count_text(count, sizeof count, members->count),
             mprof__member_noun(members->kind, members->count));
    if (rows < 2 || columns_of(pen->room, name, strlen(name)) > pen->gutter - 1) {
        snprintf(name, sizeof name, "%s", which);
    }
    for (size_t c = 0; c < members->column_count; c++) {
        values[c] = members->columns[c].count ? value(&members->columns[c]) : NAN;
        most = isnan(values[c]) ? most : fmax(most, values[c]);
    }
    put_member(pen, values, rows, name,
               member_memory_text(pen, memory, sizeof memory, "up to ", most), false);
}

static void draw_members(struct pen *pen, double *values, const mprof__members *members)
{
    mprof__layout *layout = pen->layout;
    bool is_band = layout->options->form == MPROF_FORM_BAND;
    bool facts = pen->room->rows >= ROWS_WITH_FACTS && !is_without(pen, MPROF_PART_FACTS);
    size_t left = (size_t)(pen->room->rows - 1 - facts - !is_without(pen, MPROF_PART_TITLE));
    size_t lines = is_band ? (members->count > 1 ? 4 : 1) : members->count;
    size_t shown = least_of(lines, left);
    char text[60];
    shown -= shown < members->count && shown > 1 && !is_band; /* the last row counts the rest */
    int rows = (int)least_of(left / shown, is_band ? BAND_ROWS_MAX : MEMBER_ROWS_MAX);
    layout->plot = (mprof_box){0, 0, pen->width * CELL_WIDTH_PX, rows * CELL_HEIGHT_PX};
    mprof__scale_many(layout, members,
                      is_band || layout->options->log ? members->highest_mib
                                                      : mprof__most_mib(members, 1),
                      false);
    put_head(pen, facts);
    for (size_t i = 0; i < (is_band ? 1 : shown); i++) {
        const float *high = mprof__member_row(members, members->high, i);
        for (size_t c = 0; c < members->column_count; c++) {
            values[c] = (double)high[c];
        }
        const mprof__member *member = &members->items[i];
        int row = pen->row;
        put_member(pen, values, rows, member->name,
                   member_memory_text(pen, text, sizeof text, "", member->peak_mib),
                   i == 0 && members->count > 1);
        put_bad_end(pen, values, row + rows - 1, member);
    }
    if (is_band && shown == 4) {
        put_column_line(pen, values, rows, "highest", members, mprof__column_high);
        put_column_line(pen, values, rows, "mean", members, mprof__column_mean);
        put_column_line(pen, values, rows, "lowest", members, mprof__column_low);
    }
    if (!is_band && shown < members->count) {
        snprintf(text, sizeof text, "+ %zu more", members->count - shown);
        put_text(pen, pen->gutter, pen->row++, text, MPROF_ROLE_FACTS, MPROF_COLOUR_NONE);
    }
    put_time_labels(pen, pen->row++);
}

/* A row for each member, the highest peak first: the terminal's form of all pictures of many. */
static mprof_status draw_many(struct pen *pen, double *values, mprof_error *error)
{
    mprof__members members;
    pen->gutter = (int)(pen->chart->columns * NAME_SHARE);
    pen->width = pen->chart->columns - pen->gutter;
    mprof_status status = mprof__members_init(&members, pen->layout, (size_t)pen->width, error);
    if (status == MPROF_OK) {
        status = mprof__describe_many(pen->layout, &members);
    }
    if (status == MPROF_OK) {
        draw_members(pen, values, &members);
    }
    mprof__members_dispose(&members);
    return status;
}

static mprof_status draw(mprof__terminal_chart *chart, mprof__layout *layout,
                         const mprof__terminal_room *room, mprof_error *error)
{
    struct pen pen = {.chart = chart, .room = room, .layout = layout};
    double *values = malloc((size_t)room->columns * sizeof *values);
    chart->columns = room->columns;
    chart->cells = calloc((size_t)room->columns * (size_t)room->rows, sizeof *chart->cells);
    if (!values || !chart->cells) {
        free(values);
        return MPROF_ENOMEM;
    }
    for (int i = 0; i < room->columns * room->rows; i++) {
        chart->cells[i] =
            (mprof__cell){.letter = " ", .role = MPROF_ROLE_COUNT, .colour = MPROF_COLOUR_NONE};
    }
    mprof_status status = MPROF_OK;
    if (layout->options->form != MPROF_FORM_CURVES) {
        status = draw_many(&pen, values, error);
    } else if (layout->input_count == 1) {
        draw_one(&pen, values);
    } else {
        draw_several(&pen, values);
    }
    chart->rows = pen.row;
    free(values);
    return status == MPROF_OK ? layout->figure->status : status;
}

mprof_status mprof__terminal_chart_new(mprof__terminal_chart *chart,
                                       const mprof_profile *const *profiles, size_t count,
                                       const mprof_figure_options *options,
                                       const mprof__terminal_room *room, mprof_error *error)
{
    mprof_figure_options own = *options;
    mprof__terminal_room own_room = *room; /* mprof_measure has no const */
    const mprof_measure measure = {&own_room, measure_width, measure_fit};
    mprof__layout layout;
    *chart = (mprof__terminal_chart){0, 0, NULL};
    own.flame = 1; /* bars have no brackets, so the axis need not reach them */
    own.stack = 0;
    mprof_status status = mprof__layout_open(&layout, profiles, count, &own, &measure, error);
    if (status == MPROF_OK) {
        layout.figure->sizes.headroom = 0;
        status = draw(chart, &layout, room, error);
    }
    mprof__layout_close(&layout);
    mprof_figure_free(layout.figure);
    if (status != MPROF_OK) {
        mprof__terminal_chart_free(chart);
        return mprof_error_set(error, status, "out of memory");
    }
    return MPROF_OK;
}

void mprof__terminal_chart_free(mprof__terminal_chart *chart)
{
    free(chart->cells);
    chart->cells = NULL;
}

size_t mprof__terminal_chart_row(const mprof__terminal_chart *chart, int row, char *text,
                                 size_t size)
{
    size_t used = 0, end = 0;
    for (int c = 0; c < chart->columns; c++) {
        const char *letter = chart->cells[row * chart->columns + c].letter;
        size_t length = strlen(letter);
        if (used + length >= size) {
            break;
        }
        memcpy(text + used, letter, length);
        used += length;
        end = strcmp(letter, " ") != 0 ? used : end;
    }
    text[end] = '\0';
    return end;
}
