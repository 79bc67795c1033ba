/* In each row of a lane the crowded functions are stacked: each is as high as the share of time
 * that it ran there. Calls of one row do not overlap, so the height of all is the share of time in
 * which one of them ran. */
#include "crowded_boxes.h"

#include "call_rows.h"
#include "call_slots.h"
#include "density_rows.h"
#include "format_units.h"
#include "layout.h"
#include "merged_calls.h"
#include "parse/array.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_PX 4.0
#define COLUMN_MOST_PX 12.0
#define COLUMNS_MAX 40000 /* of all cells; wider columns make fewer */
#define COARSE_PX 0.5     /* step of heights where columns are wider: so that steps are fewer */
#define LEAST_PX 0.6      /* height of a column whose calls took next to no time */
#define FUNCTIONS_MAX 5   /* in one row; further ones are drawn as one */
#define CELLS_MAX 1000000 /* rows times functions */

/* The calls of one function in one row, or of all functions without a cell of their own. */
struct cell {
    int row;
    uint32_t function; /* the first of them */
    size_t function_count;
    uint64_t calls, functions; /* functions: as in mprof_about */
    double total_s, start_s, end_s, enter_mib, exit_mib;
    double *ran_s;          /* per column */
    const mprof_span *span; /* one of the calls, of the same lane as all */
};

struct lane {
    mprof__layout *layout;
    const mprof__figure_input *input;
    const mprof__lane_places *places;
    mprof__density columns; /* the width of columns and their number */
    struct cell *cells;
    size_t count, room;
    uint32_t *cell_of; /* per row and function: index + 1 */
    size_t rows;       /* of cell_of */
    double *base, *top;
    double height_step_px; /* heights are multiples of this; 0: of any */
};

static const mprof_span *crowded_span(const mprof__figure_input *input, size_t place)
{
    return &input->spans[input->shown[place]];
}

static struct cell *cell_at(struct lane *lane, size_t row, const mprof_span *span)
{
    uint32_t function = span->function;
    uint32_t *index = &lane->cell_of[row * lane->input->function_count + function];
    if (*index) {
        return &lane->cells[*index - 1];
    }
    struct cell *cells = mprof__array_grow(lane->cells, lane->count, &lane->room, sizeof *cells);
    double *ran_s = calloc(lane->columns.column_count, sizeof *ran_s);
    lane->cells = cells ? cells : lane->cells;
    if (!cells || !ran_s) {
        free(ran_s);
        return NULL;
    }
    cells[lane->count] = (struct cell){.row = (int)row,
                                       .function = function,
                                       .function_count = 1,
                                       .start_s = INFINITY,
                                       .ran_s = ran_s,
                                       .span = span};
    *index = (uint32_t)++lane->count;
    return &cells[lane->count - 1];
}

static bool add_call(struct lane *lane, const mprof_span *span, size_t row)
{
    const mprof__layout *layout = lane->layout;
    double start_s = span->enter.time_s - lane->input->start_s;
    double end_s = span->exit.time_s - lane->input->start_s;
    struct cell *cell = cell_at(lane, row, span);
    if (!cell) {
        return false;
    }
    uint32_t number = lane->input->function_numbers[span->function];
    if (start_s < cell->start_s) {
        cell->start_s = start_s;
        cell->enter_mib = span->enter.mib;
    }
    if (end_s >= cell->end_s) {
        cell->end_s = end_s;
        cell->exit_mib = span->exit.mib;
    }
    cell->calls += span->count ? span->count : 1;
    cell->functions |= UINT64_C(1) << (number < 63 ? number : 63);
    cell->total_s += end_s - start_s;
    mprof__density_add(cell->ran_s, &lane->columns, fmax(0, start_s - layout->from_s),
                       fmin(layout->to_s, end_s) - layout->from_s);
    return true;
}

/* By row, the functions with the longest time first. */
static int by_row_and_time(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->row != y->row) {
        return x->row < y->row ? -1 : 1;
    }
    if (x->total_s < y->total_s || x->total_s > y->total_s) {
        return x->total_s < y->total_s ? 1 : -1;
    }
    return x->function < y->function ? -1 : x->function > y->function;
}

/* Adds `other` to the last cell of a row. */
static void merge_cells(struct cell *cell, const struct cell *other, size_t columns)
{
    cell->function_count++;
    cell->calls += other->calls;
    cell->functions |= other->functions;
    if (other->start_s < cell->start_s) {
        cell->start_s = other->start_s;
        cell->enter_mib = other->enter_mib;
    }
    if (other->end_s > cell->end_s) {
        cell->end_s = other->end_s;
        cell->exit_mib = other->exit_mib;
    }
    for (size_t c = 0; c < columns; c++) {
        cell->ran_s[c] += other->ran_s[c];
    }
}

static uint32_t about_cell(mprof__layout *layout, const mprof__figure_input *input,
                           const struct cell *cell)
{
    char text[800], count[32], more[64] = "", where[200] = "";
    if (!layout->options->states) {
        return MPROF_ABOUT_NONE;
    }
    const char *function = input->functions[cell->function].name;
    char *name = mprof__visible_text(function, strlen(function), 240);
    if (!name) {
        return MPROF_ABOUT_NONE;
    }
    if (cell->function_count > 1) {
        snprintf(more, sizeof more, " and %zu more functions", cell->function_count - 1);
    }
    if (layout->options->order == MPROF_BY_PROCESS) {
        mprof__call_place_text(where, sizeof where, input, cell->span);
    }
    snprintf(text, sizeof text, "%s%s: %s calls%s%s", name, more,
             mprof__count_text(count, sizeof count, cell->calls), *where ? " \xC2\xB7 " : "",
             where);
    free(name);
    return mprof__add_about(layout->figure,
                            (mprof_about){.function = input->function_numbers[cell->function],
                                          .calls = cell->calls,
                                          .functions = cell->functions,
                                          .start_s = cell->start_s,
                                          .end_s = cell->end_s,
                                          .enter_mib = cell->enter_mib,
                                          .exit_mib = cell->exit_mib},
                            text);
}

/* Where a column begins, on a whole pixel: edges are sharp, and their numbers in a file short. */
static double column_x(const struct lane *lane, size_t column)
{
    const mprof__layout *layout = lane->layout;
    double time_s = layout->from_s + lane->columns.column_s * (double)column;
    return fmin(round(mprof__scale_at(&layout->time, time_s)), layout->plot.x + layout->plot.width);
}

/* Steps along `heights`, from column `first` to before `end`, or back. */
static void add_steps(const struct lane *lane, const double *heights, size_t first, size_t end,
                      double floor_y, bool back)
{
    mprof_figure *figure = lane->layout->figure;
    for (size_t i = first; i < end; i++) {
        size_t c = back ? first + end - 1 - i : i;
        bool level = i > first && fabs(heights[c] - heights[back ? c + 1 : c - 1]) < 0.001;
        bool last = i + 1 == end;
        double x0 = column_x(lane, c), x1 = column_x(lane, c + 1);
        if (!level) {
            mprof__add_path_point(figure, back ? x1 : x0, floor_y - heights[c]);
        }
        bool ends = last || fabs(heights[c] - heights[back ? c - 1 : c + 1]) >= 0.001;
        if (ends) {
            mprof__add_path_point(figure, back ? x0 : x1, floor_y - heights[c]);
        }
    }
}

/* From the end of one stretch of columns to the beginning of another, or back, along the floor:
 * there and back it has no area, so that one shape holds all stretches. */
static void add_bridge(const struct lane *lane, size_t from, size_t to, double floor_y)
{
    mprof__add_path_point(lane->layout->figure, column_x(lane, from), floor_y);
    mprof__add_path_point(lane->layout->figure, column_x(lane, to), floor_y);
}

/* The next stretch of columns in which the function ran, from *first to before *end. False at the
 * end. */
static bool next_stretch(const struct lane *lane, size_t *first, size_t *end)
{
    size_t count = lane->columns.column_count;
    for (*first = *end; *first < count && !(lane->top[*first] > lane->base[*first]);) {
        ++*first;
    }
    for (*end = *first; *end < count && lane->top[*end] > lane->base[*end];) {
        ++*end;
    }
    return *first < *end;
}

static bool previous_stretch(const struct lane *lane, size_t *first, size_t *end)
{
    for (*end = *first; *end > 0 && !(lane->top[*end - 1] > lane->base[*end - 1]);) {
        --*end;
    }
    for (*first = *end; *first > 0 && lane->top[*first - 1] > lane->base[*first - 1];) {
        --*first;
    }
    return *first < *end;
}

/* One shape, on top of what is below it: the upper edges of all stretches of columns in which the
 * function ran, and back the lower ones. */
static void draw_cell(struct lane *lane, const struct cell *cell)
{
    mprof__layout *layout = lane->layout;
    double height = lane->places->row_px - 1;
    double y = *lane->places->y + (cell->row + 1) * lane->places->row_px - 1;
    uint32_t about = about_cell(layout, lane->input, cell);
    int colour = cell->function_count > 1 ? MPROF_COLOUR_NONE
                                          : lane->input->function_colours[cell->function];
    size_t count = lane->columns.column_count;
    for (size_t c = 0; c < count; c++) {
        double own = cell->ran_s[c] / lane->columns.column_s * height;
        own = cell->ran_s[c] > 0 ? fmax(own, LEAST_PX) : 0;
        if (lane->height_step_px > 0) {
            own = ceil(own / lane->height_step_px - 0.5) * lane->height_step_px;
        }
        lane->top[c] = fmin(height, lane->base[c] + own);
    }
    size_t point = layout->figure->point_count, first = 0, end = 0, last = 0;
    for (bool begun = false; next_stretch(lane, &first, &end); begun = true) {
        if (begun) {
            add_bridge(lane, last, first, y);
        }
        add_steps(lane, lane->top, first, end, y, false);
        last = end;
    }
    first = count;
    for (bool begun = false; previous_stretch(lane, &first, &end); begun = true) {
        if (begun) {
            add_bridge(lane, last, end, y);
        }
        add_steps(lane, lane->base, first, end, y, true);
        last = first;
    }
    if (layout->figure->point_count > point) {
        mprof__add_path(layout->figure, MPROF_SHAPE_AREA, MPROF_ROLE_DENSITY, colour, point, about);
    }
    memcpy(lane->base, lane->top, count * sizeof *lane->base);
}

/* Draws the cells of a lane and forgets them. */
static void end_lane(struct lane *lane)
{
    size_t columns = lane->columns.column_count, in_row = 0, kept = 0;
    for (size_t i = 0; i < lane->count; i++) {
        lane->cell_of[(size_t)lane->cells[i].row * lane->input->function_count +
                      lane->cells[i].function] = 0;
    }
    if (lane->count) {
        qsort(lane->cells, lane->count, sizeof *lane->cells, by_row_and_time);
    }
    for (size_t i = 0; i < lane->count; i++) {
        struct cell cell = lane->cells[i];
        in_row = kept && lane->cells[kept - 1].row == cell.row ? in_row + 1 : 0;
        if (in_row >= FUNCTIONS_MAX) {
            merge_cells(&lane->cells[kept - 1], &cell, columns);
            free(cell.ran_s);
        } else {
            lane->cells[kept++] = cell;
        }
    }
    for (size_t i = 0; i < kept; i++) {
        if (!i || lane->cells[i].row != lane->cells[i - 1].row) {
            memset(lane->base, 0, columns * sizeof *lane->base);
        }
        draw_cell(lane, &lane->cells[i]);
        free(lane->cells[i].ran_s);
    }
    lane->count = 0;
}

static bool draw_lanes(struct lane *lane)
{
    const mprof__figure_input *input = lane->input;
    const double *all_y = lane->places->y;
    mprof__lane_places places = *lane->places;
    uint32_t current = UINT32_MAX;
    bool good = true;
    lane->places = &places;
    for (size_t i = input->barred_count; good && i < input->shown_count; i++) {
        const mprof_span *span = crowded_span(input, i);
        uint32_t own = mprof__lane_of(lane->layout, span);
        if (own != current) {
            end_lane(lane);
            current = own;
            places.y = &all_y[own];
        }
        size_t row = mprof__crowded_row(lane->layout, span);
        if (all_y[own] >= 0 && row < lane->rows && (int64_t)row < places.rows[own]) {
            good = add_call(lane, span, row);
        }
    }
    end_lane(lane);
    return good;
}

/* A thousand rows are a few pixels high each: narrow columns would be megabytes without detail. */
static double column_px(const struct lane *lane)
{
    const mprof__figure_input *input = lane->input;
    size_t cells = 0;
    for (size_t i = 0; i < mprof__lane_count(lane->layout, input); i++) {
        cells += (size_t)(lane->places->rows[i] > 0 ? lane->places->rows[i] : 0);
    }
    cells *= input->function_count < FUNCTIONS_MAX ? input->function_count : FUNCTIONS_MAX;
    double columns = (double)cells * lane->layout->plot.width / COLUMN_PX;
    return COLUMN_PX * fmax(1, fmin(ceil(columns / COLUMNS_MAX), COLUMN_MOST_PX / COLUMN_PX));
}

void mprof__draw_crowded_boxes(mprof__layout *layout, const mprof__figure_input *input,
                               const mprof__lane_places *places)
{
    struct lane lane = {.layout = layout, .input = input, .places = places};
    if (input->shown_count == input->barred_count) {
        return;
    }
    for (size_t i = 0; i < mprof__lane_count(layout, input); i++) {
        size_t rows = (size_t)(places->rows[i] > 0 ? places->rows[i] : 0);
        lane.rows = rows > lane.rows ? rows : lane.rows;
    }
    size_t most = CELLS_MAX / input->function_count + 1;
    lane.rows = lane.rows < most ? lane.rows : most;
    lane.height_step_px = column_px(&lane) > COLUMN_PX ? COARSE_PX : 0;
    lane.columns.column_s = column_px(&lane) / mprof__nominal_px_per_s(layout);
    lane.columns.column_count =
        (size_t)ceil((layout->to_s - layout->from_s) / lane.columns.column_s);
    lane.cell_of = calloc(lane.rows * input->function_count + 1, sizeof *lane.cell_of);
    lane.base = calloc(lane.columns.column_count, sizeof *lane.base);
    lane.top = calloc(lane.columns.column_count, sizeof *lane.top);
    bool good = lane.cell_of && lane.base && lane.top && draw_lanes(&lane);
    mprof__fail(layout->figure, good ? MPROF_OK : MPROF_ENOMEM);
    for (size_t i = 0; i < lane.count; i++) {
        free(lane.cells[i].ran_s);
    }
    free(lane.cells);
    free(lane.cell_of);
    free(lane.base);
    free(lane.top);
}
