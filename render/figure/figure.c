/* Composes the figure: takes stock of the recordings, divides the page, lets each module draw its
 * part. */
#include "annotations.h"
#include "axes.h"
#include "brackets.h"
#include "call_bars.h"
#include "call_rows.h"
#include "colour_slots.h"
#include "control_group_curve.h"
#include "curve.h"
#include "flame_chart.h"
#include "heading.h"
#include "layout.h"
#include "legend.h"
#include "memory_kind_curves.h"
#include "occupancy.h"
#include "process_curves.h"
#include "running_functions.h"
#include "view.h"
#include "visible_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_PX 66.0
#define TICK_ROW_PX 22.0 /* labels of the time axis */
#define LEGEND_GAP_PX 12.0
#define FOOT_PX 16.0
#define LEAST_PLOT_PX 50.0
#define FAIR_PLOT_PX 100.0
#define LANE_GAP_PX 10.0
#define USUAL_GUTTER_PX 60.0 /* so far the legend stands in, to be in line with the plot */
#define FILE_BYTES_MAX 240

void mprof_figure_options_init(mprof_figure_options *options)
{
    *options = (mprof_figure_options)MPROF_FIGURE_OPTIONS_INIT;
}

/* Of several, each is told by its file. */
static uint32_t about_file(mprof__layout *layout, const mprof__figure_input *input)
{
    if (layout->input_count == 1) {
        return MPROF_ABOUT_NONE;
    }
    const char *file = mprof_profile_file(input->profile), *slash = strrchr(file, '/');
    file = slash ? slash + 1 : file;
    char *text = mprof__visible_text(file, strlen(file), FILE_BYTES_MAX);
    if (!text) {
        return MPROF_ABOUT_NONE;
    }
    uint32_t about =
        mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
    free(text);
    return about;
}

static void draw_curves(mprof__layout *layout)
{
    mprof__begin_group(layout->figure, MPROF_GROUP_CURVES);
    for (size_t r = 0; r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        bool alone = layout->input_count == 1;
        bool stacked = layout->options->stack && input->child_count;
        mprof__stroke stroke = {.line = MPROF_ROLE_CURVE,
                                .area = alone && !stacked ? MPROF_ROLE_AREA : MPROF_ROLE_COUNT,
                                .dot = MPROF_ROLE_SAMPLE,
                                .dots = true,
                                .colour = input->colour,
                                .about = about_file(layout, input),
                                .reserve = true};
        if (stacked) { /* the names of layers must not stand on lines that come later */
            mprof__reserve_kinds(layout, input);
            mprof__reserve_control_group(layout, input);
        }
        if (alone) {
            mprof__draw_processes(layout, input);
            mprof__draw_control_group(layout, input);
        }
        mprof__draw_series(layout, input,
                           stacked && !input->main_is_sum ? &input->total : input->line, &stroke);
        mprof__draw_kinds(layout, input);
        if (layout->options->slope) {
            mprof__draw_slope(layout, input);
        }
    }
}

/* -- the page ---------------------------------------------------------------------------------- */

/* Without room for a plot worth looking at, the legend is what goes first. */
static double legend_height(const mprof__layout *layout, const mprof__legend *legend,
                            double rest_px)
{
    double height = layout->without_legend ? 0 : mprof__legend_height(legend);
    if (height <= 0 ||
        layout->figure->height_px - rest_px - height - LEGEND_GAP_PX < FAIR_PLOT_PX) {
        return 0;
    }
    return height + LEGEND_GAP_PX;
}

/* Heights from top to bottom: head, plot, rug or lanes, time labels, legend. */
static mprof_status divide_page(mprof__layout *layout, const mprof__legend *legend,
                                const mprof__flame_chart *lanes, double rug_px, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    double lanes_px = lanes ? mprof__flame_chart_height(lanes) + LANE_GAP_PX : 0;
    double rest_px = HEAD_PX + rug_px + TICK_ROW_PX + FOOT_PX;
    layout->legend_px =
        legend_height(layout, legend, rest_px + (layout->options->grow ? 0 : lanes_px));
    double plot_px = figure->height_px - rest_px - layout->legend_px - lanes_px;
    double wanted = fmin(220, figure->height_px * 0.4);
    if (lanes && plot_px < wanted && layout->options->grow) {
        figure->height_px += wanted - plot_px;
        plot_px = wanted;
    }
    if (plot_px < LEAST_PLOT_PX || figure->width_px < 200) {
        return mprof_error_set(error, MPROF_EARGUMENT, "a page of %.0f x %.0f pixels is too small",
                               layout->options->width_px, layout->options->height_px);
    }
    layout->plot.y = HEAD_PX;
    layout->plot.height = floor(plot_px);
    mprof__choose_memory_range(layout);
    double gutter =
        fmax(mprof__memory_gutter(layout), lanes ? mprof__flame_chart_gutter(lanes) : 0);
    layout->plot.x = ceil(MPROF__MARGIN_PX + gutter);
    layout->plot.width = figure->width_px - MPROF__MARGIN_PX - layout->plot.x;
    layout->time = (mprof__scale){layout->from_s, layout->to_s, layout->plot.x, layout->plot.width};
    layout->lanes = (mprof_box){layout->plot.x, layout->plot.y + layout->plot.height + LANE_GAP_PX,
                                layout->plot.width, lanes ? mprof__flame_chart_height(lanes) : 0};
    return MPROF_OK;
}

static bool has_calls(const mprof__layout *layout)
{
    for (size_t r = 0; r < layout->input_count; r++) {
        if (layout->inputs[r].shown_count) {
            return true;
        }
    }
    return false;
}

/* On a page that must not grow, readable lanes are worth more than the legend. */
static void fit_flame_chart(mprof__layout *layout, mprof__flame_chart *lanes,
                            const mprof__legend *legend)
{
    double room =
        layout->figure->height_px - HEAD_PX - TICK_ROW_PX - FOOT_PX - LANE_GAP_PX - FAIR_PLOT_PX;
    if (layout->options->grow ||
        mprof__flame_chart_fit(lanes, room - mprof__legend_height(legend) - LEGEND_GAP_PX)) {
        return;
    }
    mprof__flame_chart_fit(lanes, room);
    layout->without_legend = true;
}

/* Then the height of a process is not its memory, at which a bracket would stand. */
static bool is_stacked(const mprof__layout *layout)
{
    return layout->options->stack && layout->input_count == 1 && layout->inputs[0].child_count > 0;
}

static mprof_status draw_page(mprof__layout *layout, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    mprof_status status = MPROF_ENOMEM;
    mprof__flame_chart *lanes = NULL;
    double legend_most = fmax(60, figure->height_px * 0.30);
    mprof__legend *legend = mprof__legend_new(
        layout, figure->width_px - 2 * MPROF__MARGIN_PX - USUAL_GUTTER_PX, legend_most);
    if (!legend) {
        goto out;
    }
    if (layout->options->flame && has_calls(layout)) {
        lanes = mprof__flame_chart_new(layout);
        if (!lanes) {
            goto out;
        }
        fit_flame_chart(layout, lanes, legend);
    }
    double bars_px = lanes ? 0 : mprof__call_bars_height(layout);
    status = divide_page(layout, legend, lanes, bars_px, error);
    if (status != MPROF_OK) {
        goto out;
    }
    status = MPROF_ENOMEM;
    layout->occupancy = mprof__occupancy_new(
        (mprof_box){layout->plot.x, layout->plot.y - 2, layout->plot.width, layout->plot.height});
    if (!layout->occupancy) {
        goto out;
    }
    double below = layout->plot.y + layout->plot.height + bars_px +
                   (lanes ? layout->lanes.height + LANE_GAP_PX : 0);
    mprof__draw_heading(layout);
    mprof__draw_memory_axis(layout);
    mprof__draw_time_axis(layout, below + 14);
    mprof__reserve_peak_cross(layout);
    draw_curves(layout);
    mprof__place_limit_labels(layout);
    mprof__begin_group(figure, MPROF_GROUP_MARKS);
    mprof__draw_peaks(layout);
    mprof__draw_death(layout);
    if (!lanes && !is_stacked(layout)) {
        mprof__draw_brackets(layout);
    } else {
        mprof__draw_process_peak(layout);
        mprof__begin_group(figure, MPROF_GROUP_NAMES);
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        mprof__label_kinds(layout, &layout->inputs[r]);
    }
    if (layout->input_count == 1) {
        mprof__label_control_group(layout, &layout->inputs[0]);
        mprof__label_processes(layout, &layout->inputs[0]);
    }
    if (bars_px > 0) {
        mprof__begin_group(figure, MPROF_GROUP_RUG);
        mprof__draw_call_bars(layout, layout->plot.y + layout->plot.height);
    }
    if (lanes) {
        mprof__draw_flame_chart(layout, lanes);
    }
    if (layout->legend_px > 0) {
        mprof__draw_legend(
            layout, legend,
            fmin(layout->plot.x, figure->width_px - MPROF__MARGIN_PX - mprof__legend_width(legend)),
            below + TICK_ROW_PX + LEGEND_GAP_PX);
    }
    if (layout->options->states) {
        mprof__measure_running_functions(layout);
    }
    figure->frame = (mprof_frame){.plot = layout->plot,
                                  .lanes = layout->lanes,
                                  .from_s = layout->from_s,
                                  .to_s = layout->to_s,
                                  .low_mib = layout->memory.from,
                                  .high_mib = layout->memory.to,
                                  .origin_s = layout->inputs[0].start_s,
                                  .group = layout->options->group};
    status = figure->status;
out:
    mprof__occupancy_free(layout->occupancy);
    layout->occupancy = NULL;
    mprof__legend_free(legend);
    mprof__flame_chart_free(lanes);
    return status;
}

static mprof_status prepare_input(mprof__layout *layout, mprof__figure_input *input)
{
    mprof_status status = mprof__assign_call_rows(layout, input);
    if (status == MPROF_OK) {
        status = mprof__rank_processes(input);
    }
    if (status == MPROF_OK && layout->input_count == 1) {
        status = mprof__sum_processes(layout, input);
    }
    if (status == MPROF_OK) {
        status = mprof__read_control_group(layout, input);
    }
    return status;
}

static mprof_status read_inputs(mprof__layout *layout, const mprof_profile *const *profiles,
                                mprof_error *error)
{
    for (size_t i = 0; i < layout->input_count; i++) {
        mprof_status status = mprof__figure_input_init(&layout->inputs[i], profiles[i]);
        if (status != MPROF_OK) {
            return status;
        }
        if (layout->input_count > 1) {
            layout->inputs[i].colour = (int)(i % MPROF__COLOUR_SLOT_COUNT);
        }
    }
    mprof_status status = mprof__choose_time_range(layout, error);
    if (status == MPROF_OK) {
        status = mprof__choose_function_colours(layout);
    }
    if (status == MPROF_ENOTFOUND) {
        return mprof_error_set(error, MPROF_EARGUMENT, "no function matches: %s",
                               layout->options->function);
    }
    for (size_t i = 0; status == MPROF_OK && i < layout->input_count; i++) {
        status = prepare_input(layout, &layout->inputs[i]);
    }
    if (status != MPROF_OK) {
        return status;
    }
    layout->figure->title = mprof__title_text(layout);
    layout->figure->facts = mprof__facts_text(layout);
    layout->figure->source = mprof__source_text(layout);
    bool good = layout->figure->title && layout->figure->facts && layout->figure->source;
    return good ? MPROF_OK : MPROF_ENOMEM;
}

mprof_status mprof_figure_layout(mprof_figure **out, const mprof_profile *const *profiles,
                                 size_t count, const mprof_figure_options *options,
                                 const mprof_measure *measure, mprof_error *error)
{
    const mprof_figure_options defaults = MPROF_FIGURE_OPTIONS_INIT;
    mprof__layout layout = {
        .options = options ? options : &defaults, .measure = measure, .input_count = count};
    mprof_status status = MPROF_ENOMEM;
    *out = NULL;
    if (count == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "there is no recording to draw");
    }
    if (layout.options->size != sizeof defaults) {
        return mprof_error_set(error, MPROF_EARGUMENT, "options of %zu bytes, expected %zu",
                               layout.options->size, sizeof defaults);
    }
    layout.figure = calloc(1, sizeof *layout.figure);
    layout.inputs = calloc(count, sizeof *layout.inputs);
    if (layout.figure && layout.inputs) {
        layout.figure->width_px = layout.options->width_px;
        layout.figure->height_px = layout.options->height_px;
        status = read_inputs(&layout, profiles, error);
        if (status == MPROF_OK) {
            status = draw_page(&layout, error);
        }
    }
    for (size_t i = 0; layout.inputs && i < count; i++) {
        mprof__figure_input_dispose(&layout.inputs[i]);
    }
    free(layout.inputs);
    if (status != MPROF_OK) {
        mprof_figure_free(layout.figure);
        return mprof_error_set(error, status, "%s",
                               status == MPROF_ENOMEM ? "out of memory"
                                                      : "cannot lay out the figure");
    }
    *out = layout.figure;
    return MPROF_OK;
}
