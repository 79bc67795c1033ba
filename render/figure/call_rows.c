/* A lane is a thread, greenlet or task, or with MPROF_BY_FUNCTION a function; a call is in the row
 * of its level. If two calls of one row overlap, as calls of one function do, the later one moves
 * down to the next free row, so that no box hides another. */
#include "call_rows.h"

#include "call_slots.h"
#include "density_rows.h"
#include "layout.h"
#include "tangled_lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above Python's usual recursion limit. A level read from a file must not decide how much memory is
 * allocated. */
#define LEVEL_MAX 2000
/* Rows that are searched for a free one. */
#define DETOUR_MAX 64
/* Upstream rounds times to 0.1 ms, and a call may begin where its sibling ended. */
#define TOLERANCE_S 0.00015

static bool is_shown(const mprof__layout *layout, const mprof__figure_input *input,
                     const mprof_span *span)
{
    return input->function_colours[span->function] != MPROF_COLOUR_NONE && span->level >= 0 &&
           span->level < LEVEL_MAX &&
           span->exit.time_s - span->enter.time_s >= layout->options->min_duration_s &&
           span->exit.time_s - input->start_s >= layout->from_s &&
           span->enter.time_s - input->start_s <= layout->to_s;
}

static bool is_by_function(const mprof__layout *layout)
{
    return layout->options->flame && layout->options->order == MPROF_BY_FUNCTION;
}

size_t mprof__lane_count(const mprof__layout *layout, const mprof__figure_input *input)
{
    return is_by_function(layout) ? input->function_count : input->lane_count;
}

uint32_t mprof__lane_of(const mprof__layout *layout, const mprof_span *span)
{
    return is_by_function(layout) ? span->function : span->lane;
}

size_t mprof__crowded_row(const mprof__layout *layout, const mprof_span *span)
{
    return is_by_function(layout) ? 0 : (size_t)span->level;
}

struct sorting {
    const mprof_span *spans;
};

static int by_function(const void *a, const void *b, void *data)
{
    const struct sorting *sorting = data;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const mprof_span *x = &sorting->spans[i], *y = &sorting->spans[j];
    if (x->function != y->function) {
        return x->function < y->function ? -1 : 1;
    }
    if (x->enter.time_s < y->enter.time_s || x->enter.time_s > y->enter.time_s) {
        return x->enter.time_s < y->enter.time_s ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

struct lane_sorting {
    const mprof_lane *lanes;
    const mprof_function *functions;
};

/* By process in order of start; the main lane first, and greenlet 2 before greenlet 10. */
static int by_process_and_name(const void *a, const void *b, void *data)
{
    const struct lane_sorting *sorting = data;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const mprof_lane *x = &sorting->lanes[i], *y = &sorting->lanes[j];
    if (x->process != y->process) {
        return x->process < y->process ? -1 : 1;
    }
    int names = strverscmp(x->name, y->name);
    return names ? names : i < j ? -1 : i > j;
}

/* The longest total time on top. */
static int by_total_time(const void *a, const void *b, void *data)
{
    const struct lane_sorting *sorting = data;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    double x = sorting->functions[i].total_s, y = sorting->functions[j].total_s;
    if (x < y || x > y) {
        return x < y ? 1 : -1;
    }
    return i < j ? -1 : i > j;
}

static mprof_status sort_lanes(const mprof__layout *layout, mprof__figure_input *input,
                               size_t lanes)
{
    bool by_process = !is_by_function(layout);
    struct lane_sorting sorting = {input->lanes, input->functions};
    input->lane_order = malloc((lanes + 1) * sizeof *input->lane_order);
    if (!input->lane_order) {
        return MPROF_ENOMEM;
    }
    for (uint32_t i = 0; i < lanes; i++) {
        if (input->lane_rows[i]) {
            input->lane_order[input->shown_lane_count++] = i;
        }
    }
    qsort_r(input->lane_order, input->shown_lane_count, sizeof *input->lane_order,
            by_process ? by_process_and_name : by_total_time, &sorting);
    return MPROF_OK;
}

static uint16_t free_row(double *free_from_s, int32_t level, const mprof_span *span)
{
    int32_t row = level;
    while (row < level + DETOUR_MAX && free_from_s[row] > span->enter.time_s + TOLERANCE_S) {
        row++;
    }
    if (row == level + DETOUR_MAX) {
        row = level;
    }
    free_from_s[row] = fmax(free_from_s[row], span->exit.time_s);
    return (uint16_t)row;
}

static void fill_rows(const mprof__layout *layout, mprof__figure_input *input,
                      double free_from_s[LEVEL_MAX + DETOUR_MAX])
{
    bool levels = !is_by_function(layout);
    uint32_t lane = UINT32_MAX;
    uint16_t sublane = 0, above = 0;
    for (size_t i = 0; i < input->barred_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        uint32_t own = mprof__lane_of(layout, span);
        if (own != lane) {
            for (size_t r = 0; r < LEVEL_MAX + DETOUR_MAX; r++) {
                free_from_s[r] = -INFINITY;
            }
        }
        lane = own;
        uint16_t row;
        if (levels && input->sublanes && input->sublanes[i]) {
            /* in a flame chart the sublanes of a lane are below each other */
            if (input->sublanes[i] != sublane) {
                above = layout->options->flame ? input->lane_rows[own] : 0;
            }
            row = (uint16_t)(input->rows[i] + above);
        } else {
            row = free_row(free_from_s, levels ? span->level : 0, span);
        }
        sublane = input->sublanes ? input->sublanes[i] : 0;
        input->rows[i] = row;
        if (row >= input->lane_rows[own]) {
            input->lane_rows[own] = (uint16_t)(row + 1);
        }
    }
}

/* Of a flame chart. */
static void make_room_for_crowds(const mprof__layout *layout, mprof__figure_input *input)
{
    for (size_t i = input->barred_count; i < input->shown_count; i++) {
        const mprof_span *span = &input->spans[input->shown[i]];
        uint16_t *rows = &input->lane_rows[mprof__lane_of(layout, span)];
        size_t needed = mprof__crowded_row(layout, span) + 1;
        *rows = needed > *rows ? (uint16_t)needed : *rows;
    }
}

static mprof_status select_calls(const mprof__layout *layout, mprof__figure_input *input)
{
    input->shown = malloc((input->span_count + 1) * sizeof *input->shown);
    if (!input->shown) {
        return MPROF_ENOMEM;
    }
    for (size_t i = 0; i < input->span_count; i++) {
        if (is_shown(layout, input, &input->spans[i])) {
            input->shown[input->shown_count++] = (uint32_t)i;
        }
    }
    input->barred_count = input->shown_count;
    if (is_by_function(layout)) {
        struct sorting sorting = {input->spans};
        qsort_r(input->shown, input->shown_count, sizeof *input->shown, by_function, &sorting);
    }
    return mprof__part_crowded_calls(layout, input);
}

mprof_status mprof__assign_call_rows(mprof__layout *layout, mprof__figure_input *input)
{
    size_t lanes = mprof__lane_count(layout, input);
    mprof_status status = select_calls(layout, input);
    if (status != MPROF_OK) {
        return status;
    }
    input->lane_rows = calloc(lanes + 1, sizeof *input->lane_rows);
    input->rows = malloc((input->barred_count + 1) * sizeof *input->rows);
    double *free_from_s = malloc((LEVEL_MAX + DETOUR_MAX) * sizeof *free_from_s);
    if (!input->lane_rows || !input->rows || !free_from_s) {
        free(free_from_s);
        return MPROF_ENOMEM;
    }
    if (!is_by_function(layout)) {
        status = mprof__untangle_lanes(input);
    }
    if (status == MPROF_OK) {
        fill_rows(layout, input, free_from_s);
        make_room_for_crowds(layout, input);
    }
    free(free_from_s);
    if (status != MPROF_OK) {
        return status;
    }
    return layout->options->flame ? sort_lanes(layout, input, lanes)
                                  : mprof__assign_call_slots(layout, input);
}

void mprof__free_call_rows(mprof__figure_input *input)
{
    free(input->shown);
    mprof__free_densities(input);
    free(input->rows);
    free(input->lane_rows);
    free(input->lane_order);
    free(input->sublanes);
    free(input->span_slots);
    free(input->slots);
    free(input->overlapping);
    free(input->stripped);
}
