/* Points and labels at the curves, where there is room for them. */
#include "annotations.h"

#include "bounds.h"
#include "colour_slots.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "occupancy.h"
#include "process_curves.h"
#include "process_groups.h"
#include "visible_text.h"

#include "parse/plain_text.h"

#include <math.h>
#include <mprof/moment.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LABEL_GAP_PX 5.0
#define NAME_HEIGHT_PX 15.0
#define PEAK_TEXT_SIZE (240 + MPROF_MOMENT_TEXT_SIZE)

struct peak {
    const mprof__figure_input *input;
    mprof_sample sample;
    char name[120];
    const char *brief; /* in place of the name where that has no room; NULL: the same */
    char calls[MPROF_MOMENT_TEXT_SIZE]; /* what ran then: " in main"; "" in an overlay */
    bool is_at_least;
    int colour;
};

static bool is_stack_of_total(const mprof__layout *layout, const mprof__figure_input *input)
{
    return !mprof__is_overlay(layout) && layout->options->stack && input->child_count &&
           !input->main_is_sum;
}

/* The uppermost curve. */
static const mprof_series *main_curve(const mprof__layout *layout, const mprof__figure_input *input)
{
    return is_stack_of_total(layout, input) ? &input->total : input->line;
}

static bool highest_of(const mprof__layout *layout, const mprof__figure_input *input,
                       const mprof_series *series, mprof_sample *highest)
{
    bool found = false;
    for (size_t i = 0; i < series->point_count; i++) {
        double at = mprof__axis_time_s(input, series->points[i].time_s);
        if (at < layout->from_s || at > layout->to_s) {
            continue;
        }
        if (!found || series->points[i].mib > highest->mib) {
            *highest = series->points[i];
        }
        found = true;
    }
    return found;
}

/* How much of the label of a peak is written. */
enum detail { MEMORY, WITH_TIME, WITH_CALLS };

static void peak_name(char *text, size_t size, const mprof__layout *layout, const struct peak *peak,
                      const char *name, enum detail detail)
{
    char memory[60], time[40];
    mprof__bound bound = {.mib = peak->sample.mib, .is_at_least = peak->is_at_least};
    mprof__bound_text(memory, sizeof memory, layout->options->unit, bound);
    if (detail == MEMORY) {
        snprintf(text, size, "%s%s", name, memory);
        return;
    }
    snprintf(text, size, "%s%s at %s%s", name, memory,
             mprof__duration_text(time, sizeof time, peak->sample.time_s - peak->input->start_s),
             detail == WITH_CALLS ? peak->calls : "");
}

/* The longest one that the plot has room for; returns its width. */
static double fit_peak_name(const mprof__layout *layout, char *text, size_t size,
                            const struct peak *peak)
{
    const char *brief = peak->brief ? peak->brief : "";
    const struct {
        const char *name;
        enum detail detail;
    } forms[] = {{peak->name, WITH_CALLS},
                 {peak->name, WITH_TIME},
                 {*brief ? brief : peak->name, *brief ? WITH_TIME : MEMORY},
                 {peak->name, MEMORY},
                 {brief, MEMORY}};
    double width = 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        peak_name(text, size, layout, peak, forms[i].name, forms[i].detail);
        width = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
        if (width <= layout->plot.width) {
            break;
        }
    }
    return width;
}

static void reserve_box(mprof__layout *layout, double x, double y, double width, double height)
{
    mprof__occupancy_reserve(layout->occupancy, (mprof_box){x, y, width, height});
}

static void draw_cross(mprof__layout *layout, double x, double y)
{
    double right = layout->plot.x + layout->plot.width;
    mprof__add_segment(layout->figure, MPROF_ROLE_PEAK, MPROF_COLOUR_NONE,
                       (mprof__segment){layout->plot.x, y, right, y});
    mprof__add_segment(
        layout->figure, MPROF_ROLE_PEAK, MPROF_COLOUR_NONE,
        (mprof__segment){x, layout->plot.y + 14, x, layout->plot.y + layout->plot.height});
}

/* Where an axis was given, the curve may reach the upper edge, or leave it. */
static bool is_curve_below(const mprof__layout *layout, const mprof_box *place)
{
    const mprof__figure_input *input = &layout->inputs[0];
    const mprof_series *series = main_curve(layout, input);
    for (size_t i = 0; i < series->point_count; i++) {
        size_t next = i + 1 < series->point_count ? i + 1 : i;
        double from = mprof__time_x(layout, input, series->points[i].time_s);
        double to = mprof__time_x(layout, input, series->points[next].time_s);
        double highest = fmax(series->points[i].mib, series->points[next].mib);
        if (to >= place->x && from <= place->x + place->width &&
            mprof__scale_at(&layout->memory, highest) < place->y + place->height) {
            return false;
        }
    }
    return true;
}

/* The label of the only curve's peak is above the plot. False: it would hide the curve. */
static bool place_above_all(const mprof__layout *layout, double x, double width, mprof_box *place)
{
    double right = layout->plot.x + layout->plot.width;
    double least = layout->plot.x + (layout->figure->sizes.small ? MEMORY_LABEL_GAP_PX : 0);
    double left = fmax(fmin(least, right - width), fmin(x - width / 2, right - width));
    *place = (mprof_box){left, layout->plot.y - 2, width, 16};
    if (width > layout->plot.width ||
        mprof__headroom(layout->figure, layout->plot.height) < NAME_HEIGHT_PX) {
        return false;
    }
    bool is_free = !(layout->options->memory_mib[1] > 0) || is_curve_below(layout, place);
    for (double shift = 12; !is_free && shift < layout->plot.width; shift += 12) {
        for (int side = -1; side <= 1 && !is_free; side += 2) {
            place->x = left + side * shift;
            is_free =
                place->x >= least && place->x + width <= right && is_curve_below(layout, place);
        }
    }
    return is_free;
}

static void name_peak(struct peak *peak, const mprof__layout *layout);

void mprof__reserve_peak_cross(mprof__layout *layout)
{
    if (layout->options->without & MPROF_PART_PEAK) {
        return;
    }
    const mprof__figure_input *input = &layout->inputs[0];
    struct peak peak = {.input = input, .colour = input->colour};
    char text[PEAK_TEXT_SIZE];
    if (layout->input_count != 1 ||
        !highest_of(layout, input, main_curve(layout, input), &peak.sample)) {
        return;
    }
    name_peak(&peak, layout);
    double x = mprof__scale_at(&layout->time, peak.sample.time_s - input->start_s);
    double y = mprof__scale_at(&layout->memory, peak.sample.mib);
    mprof_box place;
    double width = fit_peak_name(layout, text, sizeof text, &peak);
    if (place_above_all(layout, x, width, &place)) {
        mprof__occupancy_reserve(layout->occupancy, place);
    }
    if (!layout->figure->sizes.small) {
        reserve_box(layout, layout->plot.x, y - 1, layout->plot.width, 2);
        reserve_box(layout, x - 1, layout->plot.y, 2, layout->plot.height);
    }
}

bool mprof__find_peak_time(const mprof__layout *layout, double *time_s)
{
    const mprof__figure_input *input = &layout->inputs[0];
    mprof_sample peak = {0};
    if (layout->input_count != 1 || !highest_of(layout, input, main_curve(layout, input), &peak)) {
        return false;
    }
    *time_s = peak.time_s;
    return true;
}

bool mprof__find_peak(const mprof__layout *layout, double *x)
{
    const mprof__figure_input *input = &layout->inputs[0];
    mprof_sample peak = {0};
    if (layout->input_count != 1 || !highest_of(layout, input, input->line, &peak)) {
        return false;
    }
    *x = mprof__scale_at(&layout->time, peak.time_s - input->start_s);
    return true;
}

/* Other labels go where there is room. */
static bool place_peak_name(mprof__layout *layout, double x, double y, double width, bool above_all,
                            mprof_box *place)
{
    const struct {
        double share, y; /* of the width, left of x */
    } places[] = {{0.5, y - 23}, {0, y - 23},   {1, y - 23}, {0, y - 8}, {1, y - 8},
                  {0.5, y + 9},  {0.5, y - 40}, {0, y + 9},  {1, y + 9}};
    if (above_all) {
        return place_above_all(layout, x, width, place);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        double shift = places[i].share < 0.25 ? 8 : places[i].share > 0.75 ? -8 : 0;
        *place = (mprof_box){x - width * places[i].share + shift, places[i].y, width, 16};
        if (mprof__occupancy_is_free(layout->occupancy, *place)) {
            mprof__occupancy_reserve(layout->occupancy, *place);
            return true;
        }
    }
    return false;
}

/* False: there is no room for its name. */
static bool draw_peak(mprof__layout *layout, const struct peak *peak, bool cross)
{
    mprof_figure *figure = layout->figure;
    double x = mprof__time_x(layout, peak->input, peak->sample.time_s);
    double y = mprof__scale_at(&layout->memory, peak->sample.mib);
    char text[PEAK_TEXT_SIZE];
    mprof_box place;
    if (cross && !layout->figure->sizes.small && mprof__is_in_plot(layout, y)) {
        draw_cross(layout, x, y);
    }
    double width = fit_peak_name(layout, text, sizeof text, peak);
    bool is_seen = mprof__is_in_plot(layout, y);
    bool named = place_peak_name(layout, x, y, width, cross, &place);
    if (is_seen && (named || cross || peak->colour != MPROF_COLOUR_NONE)) {
        mprof__add_dot(figure, MPROF_ROLE_PEAK_DOT, peak->colour, x, y, cross ? 4 : 3.5);
    }
    if (named) {
        mprof__add_text(figure, &(mprof__text_item){.role = MPROF_ROLE_PEAK_NAME,
                                                    .colour = peak->colour,
                                                    .x = place.x,
                                                    .y = place.y + 12,
                                                    .width = width,
                                                    .text = text,
                                                    .length = strlen(text)});
    }
    reserve_box(layout, x - 6, y - 6, 12, 12);
    return named;
}

/* Recordings that differ in weight and dash have their names at the curve, and so has the highest
 * of a crowd, whose others have none. */
static void name_recording(char *name, size_t size, const struct peak *peak,
                           const mprof__layout *layout)
{
    *name = '\0';
    if (peak->colour >= MPROF__LINE_SLOT) {
        mprof__recording_name(name, size, layout, peak->input);
    }
}

/* Of one recording. Where the curve is the main process alone, its own calls. */
static void name_calls(struct peak *peak, const mprof__layout *layout, bool of_total)
{
    const mprof__figure_input *input = peak->input;
    mprof_moment *moment;
    char text[sizeof peak->calls];
    *peak->calls = '\0';
    if (layout->input_count != 1 || !layout->options->functions ||
        mprof_moment_find(&moment, input->profile, peak->sample.time_s, NULL) != MPROF_OK) {
        return;
    }
    size_t length = mprof_moment_phrase(text, sizeof text, moment, input->profile,
                                        input->is_part && !of_total ? 0 : MPROF_PROCESS_ANY);
    char *visible = mprof__visible_text(text, length, sizeof peak->calls - 1);
    mprof__text_format(peak->calls, sizeof peak->calls, "%s", visible ? visible : "");
    free(visible);
    mprof_moment_free(moment);
}

/* It is the peak, unless a higher one is known whose time is not. */
static void name_peak(struct peak *peak, const mprof__layout *layout)
{
    const mprof__figure_input *input = peak->input;
    bool of_total = is_stack_of_total(layout, input);
    mprof__bound bound = of_total ? input->total_peak : input->peak;
    const mprof_series *samples = of_total ? &mprof_profile_ticks(input->profile, 0)->total
                                           : mprof_profile_line(input->profile);
    const char *of = !input->is_part ? "" : of_total ? " of all processes" : " of the main process";
    bool is_sample =
        samples->sample_count && mprof__is_same_memory(samples->peak.mib, peak->sample.mib);
    bool is_peak = mprof__is_same_memory(bound.mib, peak->sample.mib);
    peak->brief = !input->is_part ? "" : of_total ? "all " : "main ";
    peak->is_at_least = is_peak ? bound.is_at_least : !is_sample;
    name_calls(peak, layout, of_total);
    char name[100];
    name_recording(name, sizeof name, peak, layout);
    snprintf(peak->name, sizeof peak->name, "%s%s%s%s ", name, *name ? " " : "",
             is_peak     ? "peak"
             : is_sample ? "highest sample"
                         : "in a call",
             of);
}

bool mprof__peak_label(char *text, size_t size, const mprof__layout *layout,
                       const mprof__figure_input *input)
{
    struct peak peak = {.input = input, .colour = MPROF_COLOUR_NONE};
    if (!highest_of(layout, input, main_curve(layout, input), &peak.sample)) {
        return false;
    }
    name_peak(&peak, layout);
    (void)fit_peak_name(layout, text, size, &peak);
    return true;
}

/* For tooltips. */
static void keep_words(mprof_figure *figure, const struct peak *peak)
{
    free(figure->peak_words);
    figure->peak_s = peak->sample.time_s - peak->input->start_s;
    if (asprintf(&figure->peak_words, "peak%s", peak->calls) < 0) {
        figure->peak_words = NULL;
        mprof__fail(figure, MPROF_ENOMEM);
    }
}

void mprof__draw_peaks(mprof__layout *layout)
{
    if (layout->options->without & MPROF_PART_PEAK) {
        return;
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        mprof__figure_input *input = &layout->inputs[r];
        struct peak peak = {.input = input, .colour = input->colour};
        bool alone = layout->input_count == 1;
        if ((!layout->crowd || r == layout->crowd[0]) &&
            highest_of(layout, input, main_curve(layout, input), &peak.sample)) {
            name_peak(&peak, layout);
            input->is_named = draw_peak(layout, &peak, alone);
            if (alone) {
                keep_words(layout->figure, &peak);
            }
        }
    }
}

void mprof__label_recordings(mprof__layout *layout)
{
    for (size_t r = 0; r < layout->input_count && !layout->crowd; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        char name[240];
        if (input->colour >= MPROF__LINE_SLOT && !input->is_named) {
            mprof__recording_name(name, sizeof name, layout, input);
            mprof__label_series(layout, input, input->line, MPROF_ROLE_CHILD_NAME, input->colour,
                                name);
        }
    }
}

static bool is_higher(const mprof__process_group *a, const mprof__process_group *b)
{
    return a->series.peak.mib > b->series.peak.mib;
}

/* Of the child, or group of children, with the highest peak, as in upstream's pictures. */
void mprof__draw_process_peak(mprof__layout *layout)
{
    const mprof__figure_input *input = &layout->inputs[0];
    const mprof__process_groups *groups = &input->groups;
    mprof__process_group *highest = groups->items;
    if (layout->input_count != 1 || !groups->shown || layout->options->stack ||
        layout->options->without & MPROF_PART_PEAK) {
        return;
    }
    for (size_t i = 1; i < groups->shown; i++) {
        highest = is_higher(&groups->items[i], highest) ? &groups->items[i] : highest;
    }
    if (highest->count == 1 && mprof__has_own_strip(input, highest->members[0])) {
        return;
    }
    struct peak peak = {.input = input, .colour = highest->colour};
    char name[100];
    mprof__group_text(name, sizeof name, input, highest);
    snprintf(peak.name, sizeof peak.name, "%s ", name);
    if (highest_of(layout, input, &highest->series, &peak.sample)) {
        highest->is_named = draw_peak(layout, &peak, false);
    }
}

void mprof__draw_death(mprof__layout *layout)
{
    const mprof__figure_input *input = &layout->inputs[0];
    char text[80];
    if (layout->input_count != 1 || !input->line->point_count) {
        return;
    }
    mprof__death_text(text, sizeof text, &input->processes[0]);
    const mprof_sample *last = &input->line->points[input->line->point_count - 1];
    double at = last->time_s - input->start_s;
    if (!*text || at < layout->from_s || at > layout->to_s) {
        return;
    }
    double x = mprof__scale_at(&layout->time, at), y = mprof__scale_at(&layout->memory, last->mib);
    double width = mprof__text_width(layout, MPROF_ROLE_DEATH_NAME, text, strlen(text));
    if (!mprof__is_in_plot(layout, y)) {
        return;
    }
    mprof__add_dot(layout->figure, MPROF_ROLE_DEATH, MPROF_COLOUR_NONE, x, y, 3.5);
    reserve_box(layout, x - 5, y - 5, 10, 10);
    const double places[][2] = {{x - width - 8, y - 7},
                                {x - width, y - 24},
                                {x - width, y + 8},
                                {x - width - 8, y + 22},
                                {x - width - 8, y + 40}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        mprof_box place = {places[i][0] - 2, places[i][1], width + 4, 14};
        if (!mprof__occupancy_is_free(layout->occupancy, place)) {
            continue;
        }
        mprof__occupancy_reserve(layout->occupancy, place);
        mprof__add_text(layout->figure, &(mprof__text_item){.role = MPROF_ROLE_DEATH_NAME,
                                                            .colour = MPROF_COLOUR_NONE,
                                                            .x = place.x + 2,
                                                            .y = place.y + 11,
                                                            .width = width,
                                                            .text = text,
                                                            .length = strlen(text)});
        return;
    }
}

void mprof__draw_slope(mprof__layout *layout, const mprof__figure_input *input)
{
    const mprof_series *samples = mprof_profile_samples(input->profile);
    double slope = samples->slope_mib_per_s;
    double from = fmax(layout->from_s, samples->first_s - input->start_s);
    double to = fmin(layout->to_s, samples->last_s - input->start_s);
    double top = layout->memory.to, bottom = layout->memory.from;
    if (!(to > from)) {
        return;
    }
    /* on one axis with others a recording does not begin at 0 s */
    double own_s = mprof_profile_start_s(input->profile) - input->start_s;
    double at_from = samples->slope_offset_mib + slope * (from - own_s);
    double at_to = samples->slope_offset_mib + slope * (to - own_s);
    if (at_from == at_to && (at_from < bottom || at_from > top)) {
        return;
    }
    /* the line may begin or end outside the plot */
    double share[2] = {0, 1};
    for (int side = 0; side < 2; side++) {
        double limit = side ? top : bottom;
        if (at_to == at_from) {
            break;
        }
        double crossing = (limit - at_from) / (at_to - at_from);
        bool rising = at_to > at_from;
        if (side ? rising : !rising) {
            share[1] = fmin(share[1], crossing);
        } else {
            share[0] = fmax(share[0], crossing);
        }
    }
    if (share[1] <= share[0]) {
        return;
    }
    mprof__add_segment(
        layout->figure, MPROF_ROLE_SLOPE, input->colour,
        (mprof__segment){mprof__scale_at(&layout->time, from + (to - from) * share[0]),
                         mprof__scale_at(&layout->memory, at_from + (at_to - at_from) * share[0]),
                         mprof__scale_at(&layout->time, from + (to - from) * share[1]),
                         mprof__scale_at(&layout->memory, at_from + (at_to - at_from) * share[1])});
}
