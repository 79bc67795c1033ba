/* Divides the page and lets each module draw its part. */
#include "annotations.h"
#include "axes.h"
#include "bounds.h"
#include "brackets.h"
#include "call_rows.h"
#include "call_tree_figure.h"
#include "control_group_curve.h"
#include "curve.h"
#include "density_rows.h"
#include "flame_chart.h"
#include "heading.h"
#include "key.h"
#include "layout.h"
#include "legend.h"
#include "many_figure.h"
#include "memory_kind_curves.h"
#include "notes.h"
#include "occupancy.h"
#include "peak_parts.h"
#include "peak_ticks.h"
#include "process_curves.h"
#include "process_groups.h"
#include "process_lanes.h"
#include "process_sums.h"
#include "recording_list.h"
#include "recording_looks.h"
#include "running_functions.h"
#include "tick_table.h"
#include "view.h"
#include "visible_text.h"
#include "window_numbers.h"

#include "parse/options.h"
#include "parse/similar_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEGEND_GAP_PX 12.0
#define LEGEND_SHARE 0.3      /* of the page's height */
#define SMALL_LANES_SHARE 0.5 /* of the height of a small page */
#define USUAL_GUTTER_PX 60.0  /* left of the legend, which begins where the plot usually does */
#define USUAL_BARS_PX 38.0
#define LOW_PAGE_PX 320.0

void mprof_figure_options_init(mprof_figure_options *options, size_t size)
{
    static const mprof_figure_options defaults = MPROF_FIGURE_OPTIONS_INIT;
    mprof__options_init(options, size, &defaults, sizeof defaults);
}

/* The tooltip of one of several recordings names it. */
static uint32_t about_file(mprof__layout *layout, const mprof__figure_input *input)
{
    if (layout->input_count == 1) {
        return MPROF_ABOUT_NONE;
    }
    char text[240];
    mprof__recording_name(text, sizeof text, layout, input);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

/* In a stack a process is not drawn at the height of its memory, where its brackets would be. */
static bool is_stacked(const mprof__layout *layout)
{
    bool has_children = false;
    for (size_t r = 0; r < layout->input_count; r++) {
        has_children |= layout->inputs[r].child_count > 0;
    }
    return layout->options->stack && !mprof__is_overlay(layout) && has_children;
}

static void draw_curve(mprof__layout *layout, const mprof__figure_input *input)
{
    bool alone = !mprof__is_overlay(layout);
    bool stacked = is_stacked(layout);
    bool is_total = stacked && !input->main_is_sum && input->total.point_count > 0;
    mprof__stroke stroke = {.line = MPROF_ROLE_CURVE,
                            .area = alone && !stacked ? MPROF_ROLE_AREA : MPROF_ROLE_COUNT,
                            .dot = MPROF_ROLE_SAMPLE,
                            .dots = !layout->crowd,
                            .colour = input->colour,
                            .about = about_file(layout, input),
                            .reserve = true,
                            .bridged_s = is_total ? input->bridged_s : 0};
    if (stacked) { /* labels of layers must keep clear of lines that are drawn later */
        mprof__reserve_kinds(layout, input);
        mprof__reserve_control_group(layout, input);
    }
    if (alone) {
        mprof__draw_processes(layout, input, stacked);
        mprof__draw_control_group(layout, input);
    }
    mprof__draw_series(layout, input, is_total ? &input->total : input->line, &stroke);
    mprof__draw_kinds(layout, input);
    if (layout->options->slope) {
        mprof__draw_slope(layout, input);
    }
}

/* Of a crowd, the median and the highest are on top. */
static void draw_curves(mprof__layout *layout)
{
    size_t count = layout->input_count, median = count / 2;
    mprof__begin_group(layout->figure, MPROF_GROUP_CURVES);
    for (size_t i = 0; i < count; i++) {
        if (!layout->crowd) {
            draw_curve(layout, &layout->inputs[i]);
        } else if (i != 0 && i != median) {
            draw_curve(layout, &layout->inputs[layout->crowd[i]]);
        }
    }
    if (layout->crowd) {
        draw_curve(layout, &layout->inputs[layout->crowd[median]]);
        draw_curve(layout, &layout->inputs[layout->crowd[0]]);
    }
}

/* What shares the page with the plot. */
struct page {
    mprof__legend *legend;
    mprof__flame_chart *chart;   /* NULL: lanes and density in its place */
    mprof__process_lanes *calls; /* NULL: a flame chart was asked for */
    double calls_px;             /* their height */
    double density_px;           /* height of the rows of crowded functions */
    double below_px;             /* y of what follows the plot and the calls */
};

static double legend_most(const mprof__layout *layout)
{
    return fmax(60, layout->options->height_px * LEGEND_SHARE);
}

/* The legend is the first to go where the plot would become too low. */
static double legend_height(const mprof__layout *layout, const mprof__legend *legend,
                            double rest_px)
{
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    bool without =
        layout->without_legend || sizes->small || layout->options->without & MPROF_PART_LEGEND;
    double height = without ? 0 : mprof__legend_height(legend);
    if (height <= 0 ||
        layout->figure->height_px - rest_px - height - LEGEND_GAP_PX < sizes->plot_fair) {
        return 0;
    }
    return height + LEGEND_GAP_PX;
}

/* Width of the names left of calls and rows. */
static double calls_gutter(const mprof__layout *layout, const struct page *page)
{
    return page->calls ? fmax(mprof__density_gutter(layout),
                              mprof__process_lanes_gutter(page->calls, layout))
                       : 0;
}

/* From top to bottom: heading, plot, calls or flame chart, time labels, legend. */
static mprof_status divide_page(mprof__layout *layout, const struct page *page, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    double lanes_px = page->chart ? mprof__flame_chart_height(page->chart) : 0;
    double chart_px = page->chart ? lanes_px + sizes->lanes_gap : 0;
    double calls_px = page->calls_px + page->density_px;
    double rest_px = sizes->head + sizes->tick_row + sizes->foot;
    bool grow = layout->options->grow;
    /* a few rows of bars are part of a page of the usual height */
    bool tall = page->chart || calls_px > USUAL_BARS_PX;
    layout->legend_px =
        legend_height(layout, page->legend, rest_px + (grow && tall ? 0 : chart_px + calls_px));
    layout->key_px = layout->legend_px > 0 ? 0 : mprof__key_height(layout);
    double plot_px =
        figure->height_px - rest_px - layout->legend_px - layout->key_px - chart_px - calls_px;
    double wanted = fmin(220, figure->height_px * 0.4);
    if (tall && plot_px < wanted && grow) {
        figure->height_px += wanted - plot_px;
        plot_px = wanted;
    }
    if (figure->width_px < MPROF__WIDTH_LEAST_PX) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "the page must be at least %.0f pixels wide, not %.0f",
                               MPROF__WIDTH_LEAST_PX, figure->width_px);
    }
    if (plot_px < sizes->plot_least) {
        return mprof_error_set(error, MPROF_EARGUMENT,
                               "a page %.0f pixels high leaves %.0f for the plot, expected at "
                               "least %.0f: make it higher",
                               layout->options->height_px, fmax(0, plot_px), sizes->plot_least);
    }
    layout->plot.y = sizes->head;
    layout->plot.height = floor(plot_px);
    mprof__choose_memory_range(layout);
    double gutter =
        fmax(mprof__memory_gutter(layout),
             page->chart ? mprof__flame_chart_gutter(page->chart) : calls_gutter(layout, page));
    layout->plot.x = ceil(sizes->margin + gutter);
    layout->plot.width = figure->width_px - sizes->margin - layout->plot.x;
    layout->plot.width -= mprof__peak_parts_width(layout) + mprof__recording_list_width(layout);
    layout->time = mprof__time_scale(layout);
    layout->lanes =
        (mprof_box){layout->plot.x, layout->plot.y + layout->plot.height + sizes->lanes_gap,
                    layout->plot.width, lanes_px};
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

/* On a page of fixed height readable lanes come before the legend. */
static void fit_flame_chart(mprof__layout *layout, mprof__flame_chart *chart,
                            const mprof__legend *legend)
{
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    double room = layout->figure->height_px - sizes->head - sizes->tick_row - sizes->foot -
                  sizes->lanes_gap - sizes->plot_fair;
    if (sizes->small) {
        room -= mprof__key_height(layout);
        mprof__flame_chart_fit(chart, fmin(room, layout->figure->height_px * SMALL_LANES_SHARE));
        return;
    }
    if (layout->options->grow ||
        mprof__flame_chart_fit(chart, room - mprof__legend_height(legend) - LEGEND_GAP_PX)) {
        return;
    }
    mprof__flame_chart_fit(chart, room - mprof__key_height(layout));
    layout->without_legend = true;
}

/* On a page of fixed height, calls leave room for the plot, and for a legend if they can. */
static double room_for_calls(const mprof__layout *layout)
{
    const mprof__page_sizes *sizes = &layout->figure->sizes;
    double height = layout->options->height_px;
    if (sizes->small) {
        return sizes->bars_most;
    }
    if (layout->options->grow) {
        return INFINITY;
    }
    bool low = height < LOW_PAGE_PX;
    double plot = low ? sizes->plot_least : sizes->plot_fair;
    double rest = height - sizes->head - sizes->tick_row - sizes->key - sizes->foot - plot;
    return fmax(0, fmax(rest - legend_most(layout), low ? rest : rest / 2));
}

/* Rows of crowded functions first, lanes of calls in what they leave. */
static mprof_status plan_calls(mprof__layout *layout, struct page *page)
{
    page->calls = mprof__process_lanes_new(layout);
    if (!page->calls) {
        return MPROF_ENOMEM;
    }
    page->density_px = mprof__density_rows_height(layout);
    mprof_status status =
        mprof__process_lanes_fit(page->calls, layout, layout->calls_room_px - page->density_px);
    page->calls_px = mprof__process_lanes_height(page->calls);
    return status;
}

/* The page grows for a row of each command, within reason. */
static double legend_room(mprof__layout *layout)
{
    mprof_figure *figure = layout->figure;
    double usual = legend_most(layout);
    double wanted = mprof__legend_rows_height(layout->inputs[0].groups.count + 1);
    if (layout->options->grow && layout->inputs[0].groups.is_by_key && layout->input_count == 1 &&
        wanted > usual) {
        double more = fmin(wanted - usual, usual / 2);
        figure->height_px += more;
        return usual + more;
    }
    return usual;
}

static mprof_status plan_page(mprof__layout *layout, struct page *page, mprof_error *error)
{
    const mprof_figure *figure = layout->figure;
    double room = legend_room(layout);
    page->legend = mprof__legend_new(
        layout, figure->width_px - 2 * figure->sizes.margin - USUAL_GUTTER_PX, room);
    if (!page->legend) {
        return MPROF_ENOMEM;
    }
    if (layout->options->flame && has_calls(layout)) {
        page->chart = mprof__flame_chart_new(layout);
        if (!page->chart) {
            return MPROF_ENOMEM;
        }
        fit_flame_chart(layout, page->chart, page->legend);
    }
    mprof_status status = layout->options->flame ? MPROF_OK : plan_calls(layout, page);
    if (status == MPROF_OK) {
        status = divide_page(layout, page, error);
    }
    if (status != MPROF_OK) {
        return status;
    }
    page->below_px = layout->plot.y + layout->plot.height + page->calls_px + page->density_px +
                     (page->chart ? layout->lanes.height + figure->sizes.lanes_gap : 0);
    layout->occupancy = mprof__occupancy_new(
        (mprof_box){layout->plot.x, layout->plot.y - 2, layout->plot.width, layout->plot.height});
    return layout->occupancy ? MPROF_OK : MPROF_ENOMEM;
}

/* The order decides which labels find room. */
static void draw_plot(mprof__layout *layout, const struct page *page)
{
    mprof__draw_heading(layout);
    mprof__draw_memory_axis(layout);
    mprof__draw_time_axis(layout, page->below_px);
    mprof__reserve_peak_cross(layout);
    draw_curves(layout);
    mprof__place_limit_labels(layout);
    mprof__begin_group(layout->figure, MPROF_GROUP_MARKS);
    mprof__draw_peaks(layout);
    mprof__draw_death(layout);
    mprof__draw_notes(layout);
    bool bare = layout->crowd || !layout->figure->sizes.has_brackets;
    if (!page->chart && !is_stacked(layout) && !bare) {
        mprof__draw_brackets(layout);
    } else {
        mprof__draw_process_peak(layout);
        mprof__begin_group(layout->figure, MPROF_GROUP_NAMES);
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        mprof__label_kinds(layout, &layout->inputs[r]);
    }
    mprof__label_recordings(layout);
    if (layout->input_count == 1) {
        mprof__label_control_group(layout, &layout->inputs[0]);
    }
    for (size_t r = 0; r < layout->input_count && !mprof__is_overlay(layout); r++) {
        mprof__label_processes(layout, &layout->inputs[r]);
    }
}

static void draw_calls(mprof__layout *layout, const struct page *page)
{
    mprof_figure *figure = layout->figure;
    double calls_y = layout->plot.y + layout->plot.height, density_y = calls_y + page->calls_px;
    mprof__begin_group(figure, MPROF_GROUP_STRIPS);
    mprof__draw_strips(layout, page->calls, calls_y);
    mprof__draw_density_rows(layout, density_y);
    mprof__begin_group(figure, MPROF_GROUP_RUG);
    mprof__draw_process_lanes(layout, page->calls, calls_y);
    mprof__begin_group(figure, MPROF_GROUP_LANE_NAMES);
    mprof__draw_process_lane_names(layout, page->calls, calls_y);
    mprof__draw_density_names(layout, density_y);
}

static void draw_below_plot(mprof__layout *layout, const struct page *page)
{
    mprof_figure *figure = layout->figure;
    if (page->calls_px + page->density_px > 0) {
        draw_calls(layout, page);
    }
    if (page->chart) {
        mprof__draw_flame_chart(layout, page->chart);
    }
    mprof__draw_peak_ticks(layout);
    mprof__draw_peak_parts(layout);
    mprof__draw_recording_list(layout);
    if (layout->legend_px > 0) {
        double right = figure->width_px - figure->sizes.margin;
        mprof__draw_legend(layout, page->legend,
                           fmin(layout->plot.x, right - mprof__legend_width(page->legend)),
                           page->below_px + figure->sizes.tick_row + LEGEND_GAP_PX);
    }
    if (layout->key_px > 0) {
        mprof__draw_key(layout, page->below_px + figure->sizes.tick_row);
    }
}

static mprof_status draw_page(mprof__layout *layout, mprof_error *error)
{
    struct page page = {.legend = NULL};
    mprof_status status = plan_page(layout, &page, error);
    if (status == MPROF_OK) {
        draw_plot(layout, &page);
        mprof__peak_ticks ticks;
        mprof__fail(layout->figure, mprof__find_peak_ticks(layout, &ticks));
        draw_below_plot(layout, &page);
        mprof__peak_ticks_dispose(&ticks);
        layout->peak_ticks = NULL;
        if (layout->options->states) {
            mprof__measure_running_functions(layout);
        }
        bool all_ticks = false;
        if (layout->options->states) {
            all_ticks = mprof__add_tick_table(layout);
            mprof__add_window_numbers(layout);
        }
        layout->figure->frame =
            (mprof_frame){.plot = layout->plot,
                          .lanes = layout->lanes,
                          .bottom = page.below_px,
                          .strip_mib = page.calls ? mprof__strip_mib_per_px(page.calls) : 0,
                          .from_s = layout->from_s,
                          .to_s = layout->to_s,
                          .low_mib = layout->memory.from,
                          .high_mib = layout->memory.to,
                          .origin_s = mprof__is_overlay(layout) ? 0 : layout->inputs[0].start_s,
                          .all_ticks = all_ticks,
                          .curve_is_sum = layout->inputs[0].main_is_sum,
                          .log = layout->memory.is_log,
                          .unit = layout->options->unit,
                          .clipped = layout->options->memory_mib[1] > 0,
                          .group = layout->options->group,
                          .share = layout->is_share};
        layout->figure->frame.row_px =
            page.chart ? mprof__flame_chart_box_px(page.chart) : mprof__density_row_px(layout);
        status = layout->figure->status;
    }
    mprof__occupancy_free(layout->occupancy);
    layout->occupancy = NULL;
    mprof__legend_free(page.legend);
    mprof__flame_chart_free(page.chart);
    mprof__process_lanes_free(page.calls);
    return status;
}

static mprof_status prepare_input(mprof__layout *layout, mprof__figure_input *input)
{
    mprof_status status = mprof__assign_call_rows(layout, input);
    if (status == MPROF_OK) {
        status = mprof__rank_processes(input);
    }
    if (status == MPROF_OK) {
        status = mprof__is_overlay(layout) ? MPROF_OK : mprof__sum_processes(layout, input);
    }
    if (status == MPROF_OK && !mprof__is_overlay(layout)) {
        status = mprof__group_processes(layout, input);
    }
    if (status == MPROF_OK) {
        status = mprof__find_bounds(layout, input);
    }
    if (status == MPROF_OK) {
        status = mprof__read_control_group(layout, input);
    }
    return status;
}

/* Puts all recordings on the time axis of the first one that began. */
static void share_start(mprof__layout *layout)
{
    double start_s = INFINITY;
    for (size_t r = 0; r < layout->input_count; r++) {
        start_s = fmin(start_s, layout->inputs[r].start_s);
    }
    if (layout->options->origin_s > 0) {
        start_s = layout->options->origin_s;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        layout->inputs[r].start_s = start_s;
    }
}

/* Ranks and hosts are those of `mprof merge`. */
static mprof_status check_grouping(const mprof__layout *layout, mprof_error *error)
{
    bool is_by_host = layout->options->processes == MPROF_PROCESSES_BY_HOST;
    bool has_ranks = false;
    for (size_t r = 0; r < layout->input_count; r++) {
        has_ranks = has_ranks || mprof__is_merged(&layout->inputs[r]);
    }
    if (has_ranks || (!is_by_host && layout->options->processes != MPROF_PROCESSES_BY_RANK)) {
        return MPROF_OK;
    }
    mprof_error_set(error, MPROF_EARGUMENT,
                    "--group %s is for recordings of `mprof merge': this one has no ranks; "
                    "leave it out, or merge recordings",
                    is_by_host ? "host" : "rank");
    mprof_error_at(error, mprof_profile_file(layout->inputs[0].profile), 0);
    return MPROF_EARGUMENT;
}

static mprof_status refuse_function(const mprof__layout *layout, mprof_error *error)
{
    const char *pattern = layout->options->function;
    mprof__similar_name similar;
    mprof__similar_name_init(&similar, pattern, strlen(pattern));
    for (size_t r = 0; r < layout->input_count; r++) {
        size_t count;
        const mprof_function *functions =
            mprof_profile_functions(layout->inputs[r].profile, &count);
        for (size_t i = 0; i < count; i++) {
            mprof__similar_name_offer(&similar, functions[i].label);
            mprof__similar_name_offer(&similar, functions[i].name);
        }
    }
    return mprof_error_set(error, MPROF_EARGUMENT,
                           "no function in the recording matches '%s'%s%s%s", pattern,
                           similar.nearest ? "; did you mean '" : "",
                           similar.nearest ? similar.nearest : "", similar.nearest ? "'?" : "");
}

static mprof_status read_inputs(mprof__layout *layout, const mprof_profile *const *profiles,
                                mprof_error *error)
{
    for (size_t i = 0; i < layout->input_count; i++) {
        mprof_status status = mprof__figure_input_init(&layout->inputs[i], profiles[i]);
        if (status != MPROF_OK) {
            return status;
        }
    }
    if (layout->options->as_one) {
        share_start(layout);
    }
    mprof_status status = mprof__choose_time_range(layout, error);
    if (layout->options->form != MPROF_FORM_CURVES && layout->options->form != MPROF_FORM_TREE) {
        return status; /* many_figure.c does the rest */
    }
    if (status == MPROF_OK) {
        status = check_grouping(layout, error);
    }
    if (status == MPROF_OK) {
        status = mprof__choose_function_colours(layout);
    }
    if (status == MPROF_ENOTFOUND) {
        return refuse_function(layout, error);
    }
    for (size_t i = 0; status == MPROF_OK && i < layout->input_count; i++) {
        status = prepare_input(layout, &layout->inputs[i]);
    }
    if (status == MPROF_OK) {
        status = mprof__choose_recording_looks(layout);
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

/* The caller's options, complete, and without the parts that their style leaves out. */
static mprof_status copy_options(mprof_figure_options *own, const mprof_figure_options *options,
                                 mprof_error *error)
{
    mprof_style style = MPROF_STYLE_INIT;
    mprof_status status =
        mprof__options_copy(own, sizeof *own, options, "mprof_figure_options", error);
    if (status == MPROF_OK && own->style) {
        status = mprof__options_copy(&style, sizeof style, own->style, "mprof_style", error);
        own->without |= style.without;
    }
    return status;
}

mprof_status mprof__layout_open(mprof__layout *layout, const mprof_profile *const *profiles,
                                size_t count, const mprof_figure_options *options,
                                const mprof_measure *measure, mprof_error *error)
{
    *layout = (mprof__layout){
        .own_options = MPROF_FIGURE_OPTIONS_INIT, .measure = measure, .input_count = count};
    layout->options = &layout->own_options;
    if (count == 0) {
        return mprof_error_set(error, MPROF_EARGUMENT, "there is no recording to draw");
    }
    mprof_status status = options ? copy_options(&layout->own_options, options, error) : MPROF_OK;
    if (status != MPROF_OK) {
        return status;
    }
    layout->figure = calloc(1, sizeof *layout->figure);
    layout->inputs = calloc(count, sizeof *layout->inputs);
    if (!layout->figure || !layout->inputs) {
        return MPROF_ENOMEM;
    }
    layout->figure->width_px = layout->options->width_px;
    layout->figure->height_px = layout->options->height_px;
    layout->figure->sizes = mprof__page_sizes_of(
        layout->options->width_px, layout->options->height_px, layout->options->without);
    layout->calls_room_px = room_for_calls(layout);
    return read_inputs(layout, profiles, error);
}

void mprof__layout_close(mprof__layout *layout)
{
    for (size_t i = 0; layout->inputs && i < layout->input_count; i++) {
        mprof__figure_input_dispose(&layout->inputs[i]);
    }
    free(layout->inputs);
    free(layout->crowd);
    layout->inputs = NULL;
    layout->crowd = NULL;
}

mprof_status mprof_figure_layout(mprof_figure **out, const mprof_profile *const *profiles,
                                 size_t count, const mprof_figure_options *options,
                                 const mprof_measure *measure, mprof_error *error)
{
    mprof__layout layout;
    *out = NULL;
    mprof_status status = mprof__layout_open(&layout, profiles, count, options, measure, error);
    if (status == MPROF_OK) {
        mprof_form form = layout.options->form;
        status = form == MPROF_FORM_CURVES ? draw_page(&layout, error)
                 : form == MPROF_FORM_TREE ? mprof__draw_call_tree(&layout, error)
                                           : mprof__draw_many(&layout, error);
    }
    mprof__layout_close(&layout);
    if (status != MPROF_OK) {
        mprof_figure_free(layout.figure);
        return mprof_error_set(error, status, "%s",
                               status == MPROF_ENOMEM ? "out of memory"
                                                      : "cannot lay out the figure");
    }
    *out = layout.figure;
    return MPROF_OK;
}
