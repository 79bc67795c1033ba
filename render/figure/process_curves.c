/* Each process of a tree is a line, the largest ones coloured and labelled; or all are stacked.
 * Sums are computed in equal steps of time, because processes are sampled at different moments. */
#include "process_curves.h"

#include "colour_slots.h"
#include "curve.h"
#include "fit_text.h"
#include "gaps.h"
#include "layout.h"
#include "merged_calls.h"
#include "occupancy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLOURED_MAX MPROF__COLOUR_SLOT_COUNT
#define STEPS 1200
#define LAYER_LABEL_PX 15.0
#define SLIT_PX 0.1
#define LABEL_MAX_PX 180.0

struct rank {
    uint32_t process;
    double peak_mib;
};

static int by_peak(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->peak_mib < y->peak_mib || x->peak_mib > y->peak_mib) {
        return x->peak_mib < y->peak_mib ? 1 : -1;
    }
    return x->process < y->process ? -1 : x->process > y->process;
}

mprof_status mprof__rank_processes(mprof__figure_input *input)
{
    struct rank *ranks = malloc((input->process_count + 1) * sizeof *ranks);
    input->children = malloc((input->process_count + 1) * sizeof *input->children);
    if (!ranks || !input->children) {
        free(ranks);
        return MPROF_ENOMEM;
    }
    size_t count = 0;
    for (uint32_t i = 1; i < input->process_count; i++) {
        if (input->processes[i].series.point_count) {
            ranks[count++] = (struct rank){i, input->processes[i].series.peak.mib};
        }
    }
    if (count) {
        qsort(ranks, count, sizeof *ranks, by_peak);
    }
    for (size_t i = 0; i < count; i++) {
        input->children[i] = ranks[i].process;
    }
    input->child_count = count;
    free(ranks);
    return MPROF_OK;
}

/* ---- sums ---- */

/* A series that is read at moments in the order of time. */
struct cursor {
    const mprof__figure_input *input;
    const mprof_series *series;
    double interval_s; /* it rises from 0 and falls to 0 within it at its ends */
    double bridged_s;  /* a shorter pause is no gap */
    size_t next;       /* first point that is not before the moment */
    size_t asked;      /* point in front of which is_gap was found; SIZE_MAX: none */
    bool is_gap;
};

static bool pauses(struct cursor *cursor, mprof_sample before, mprof_sample after)
{
    if (cursor->asked != cursor->next) {
        cursor->asked = cursor->next;
        cursor->is_gap =
            mprof__is_gap(cursor->input, before.time_s, after.time_s, cursor->bridged_s);
    }
    return cursor->is_gap;
}

/* The series at a moment, interpolated. It rises from 0 and falls to 0 within one interval at its
 * ends, as the sum of the tree does. */
static double value_at(struct cursor *cursor, double at)
{
    const mprof_series *series = cursor->series;
    double interval_s = cursor->interval_s;
    while (cursor->next < series->point_count && series->points[cursor->next].time_s < at) {
        cursor->next++;
    }
    size_t next = cursor->next;
    const mprof_sample *points = series->points;
    mprof_sample before, after;
    bool is_inside = next > 0 && next < series->point_count;
    if (next == 0) {
        after = points[0];
        before = (mprof_sample){0, after.time_s - interval_s};
    } else if (next == series->point_count) {
        before = points[next - 1];
        after = (mprof_sample){0, before.time_s + interval_s};
    } else {
        before = points[next - 1];
        after = points[next];
    }
    double pause = after.time_s - before.time_s;
    if (at < before.time_s || at > after.time_s || (is_inside && pauses(cursor, before, after))) {
        return 0;
    }
    return pause > 0 ? before.mib + (after.mib - before.mib) * (at - before.time_s) / pause
                     : after.mib;
}

/* Adds a series to values[STEPS]. */
static void add_series(double *values, const mprof__layout *layout,
                       const mprof__figure_input *input, const mprof_series *series)
{
    double step_s = (layout->to_s - layout->from_s) / (STEPS - 1);
    double from_s = input->start_s + layout->from_s;
    double interval_s = fmax(isfinite(input->interval_s) ? input->interval_s : 0, step_s / 2);
    struct cursor cursor = {.input = input,
                            .series = series,
                            .interval_s = interval_s,
                            .bridged_s = 2 * step_s,
                            .asked = SIZE_MAX};
    for (size_t i = 0; series->point_count && i < STEPS; i++) {
        values[i] += value_at(&cursor, from_s + step_s * (double)i);
    }
}

/* Adds a process to values[STEPS]; false: no memory. A sum in MEM is unknown between its samples,
 * but a process may have values there, measured by its functions: the difference would count for
 * the main process. So only the values at the samples of MEM count. */
static bool add_process(double *values, const mprof__layout *layout,
                        const mprof__figure_input *input, size_t rank)
{
    const mprof_series *series = &input->processes[input->children[rank]].series;
    const mprof_series *moments = input->line;
    if (!input->main_is_sum || !moments->point_count) {
        add_series(values, layout, input, series);
        return true;
    }
    /* mprof gives all samples of a tick one time; upstream samples one process after the other */
    bool one_time = mprof_profile_fact(input->profile, "include-children") != NULL;
    double interval_s = one_time || !isfinite(input->interval_s) ? 0 : input->interval_s;
    /* only its lifetime and the sample on either side: there may be thousands of short processes */
    size_t first = mprof__first_point_from(moments, series->points[0].time_s - interval_s);
    size_t end = mprof__first_point_from(moments, series->points[series->point_count - 1].time_s +
                                                      interval_s) +
                 2;
    first -= first > 0;
    end = end < moments->point_count ? end : moments->point_count;
    mprof_sample *points = malloc((end - first + 1) * sizeof *points);
    if (!points) {
        return false;
    }
    struct cursor cursor = {
        .input = input, .series = series, .interval_s = interval_s, .asked = SIZE_MAX};
    for (size_t i = first; i < end; i++) {
        double at = moments->points[i].time_s;
        points[i - first] = (mprof_sample){value_at(&cursor, at), at};
    }
    mprof_series sampled = {.points = points, .point_count = end - first};
    add_series(values, layout, input, &sampled);
    free(points);
    return true;
}

bool mprof__declares_sum(const mprof_profile *profile)
{
    const char *fact = mprof_profile_fact(profile, "include-children");
    return fact && (strcmp(fact, "yes") == 0 || strcmp(fact, "1") == 0);
}

/* Recordings of mprof state it. Else MEM is the sum if MEM minus the children is smoother than MEM:
 * in the other case each start and end of a child shows in the difference. */
static bool main_is_sum(const mprof__figure_input *input, const double *mem, const double *children)
{
    double with = 0, without = 0;
    if (mprof_profile_fact(input->profile, "include-children")) {
        return mprof__declares_sum(input->profile);
    }
    for (size_t i = 1; i < STEPS; i++) {
        double change = mem[i] - mem[i - 1], child_change = children[i] - children[i - 1];
        with += change * change;
        without += (change - child_change) * (change - child_change);
    }
    return without < with;
}

/* values[STEPS] with their moments. NULL: no memory. */
static mprof_sample *points_of(const double *values, const mprof__layout *layout,
                               const mprof__figure_input *input)
{
    mprof_sample *points = malloc(STEPS * sizeof *points);
    double step_s = (layout->to_s - layout->from_s) / (STEPS - 1);
    for (size_t i = 0; points && i < STEPS; i++) {
        points[i] = (mprof_sample){values[i], input->start_s + layout->from_s + step_s * (double)i};
    }
    return points;
}

static mprof_series series_through(const mprof_sample *points)
{
    mprof_series series = {
        .points = points, .point_count = STEPS, .sample_count = STEPS, .peak = points[0]};
    for (size_t i = 1; i < STEPS; i++) {
        if (points[i].mib > series.peak.mib) {
            series.peak = points[i];
        }
    }
    return series;
}

static mprof_status make_total(mprof__figure_input *input, const mprof__layout *layout,
                               const double *values)
{
    input->total_points = points_of(values, layout, input);
    if (!input->total_points) {
        return MPROF_ENOMEM;
    }
    input->total = series_through(input->total_points);
    return MPROF_OK;
}

mprof_status mprof__sum_processes(const mprof__layout *layout, mprof__figure_input *input)
{
    if (!input->child_count) {
        return MPROF_OK;
    }
    double *mem = calloc(STEPS, 2 * sizeof *mem);
    if (!mem) {
        return MPROF_ENOMEM;
    }
    double *children = mem + STEPS;
    add_series(mem, layout, input, input->line);
    for (size_t i = 0; i < input->child_count; i++) {
        add_series(children, layout, input, &input->processes[input->children[i]].series);
    }
    add_series(children, layout, input, input->others);
    input->main_is_sum = main_is_sum(input, mem, children);
    mprof_status status = MPROF_OK;
    if (!input->main_is_sum || layout->options->stack) {
        for (size_t i = 0; i < STEPS; i++) {
            mem[i] = input->main_is_sum ? fmax(mem[i], children[i]) : mem[i] + children[i];
        }
        status = make_total(input, layout, mem);
    }
    free(mem);
    return status;
}

void mprof__free_process_curves(mprof__figure_input *input)
{
    free(input->children);
    free(input->total_points);
}

/* ---- the stack ---- */

/* Where the layer is thickest and a label fits into it. */
static void label_layer(mprof__layout *layout, const double *low, const double *high,
                        const char *text)
{
    char name[200];
    size_t length = mprof__fit_text(layout, MPROF_ROLE_BOX_NAME, name, sizeof name, text, 180);
    double width = mprof__text_width(layout, MPROF_ROLE_BOX_NAME, name, length);
    double step = layout->plot.width / (STEPS - 1);
    size_t needed = (size_t)(width / step) + 6;
    bool found = false;
    double thickest = LAYER_LABEL_PX;
    mprof_box place = {0, 0, 0, 0};
    for (size_t i = needed / 2; length && i + needed < STEPS; i += needed / 4 + 1) {
        /* the highest band that is inside the layer along the whole label */
        double top = -INFINITY, bottom = INFINITY;
        for (size_t j = i; j < i + needed; j++) {
            top = fmax(top, mprof__scale_at(&layout->memory, high[j]));
            bottom = fmin(bottom, mprof__scale_at(&layout->memory, low[j]));
        }
        mprof_box box = {layout->plot.x + step * ((double)i + 3), (top + bottom) / 2 - 6.5, width,
                         13};
        if (bottom - top > thickest && mprof__occupancy_is_free(layout->occupancy, box)) {
            thickest = bottom - top;
            found = true;
            place = box;
        }
    }
    if (!found) {
        return;
    }
    mprof__occupancy_reserve(layout->occupancy, place);
    mprof__add_text(layout->figure, &(mprof__text_item){.role = MPROF_ROLE_BOX_NAME,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .x = place.x,
                                                        .y = place.y + 10.5,
                                                        .width = width,
                                                        .text = name,
                                                        .length = length});
}

/* Marks the points of an edge that are not on a straight line between others. Seen from the last
 * kept point, all that are left out pass through one slit of +-SLIT_PX. */
static void keep_corners(const mprof__layout *layout, const double *values, bool *kept)
{
    size_t last = 0;
    double last_y = mprof__scale_at(&layout->memory, values[0]);
    double least = -INFINITY, most = INFINITY;
    kept[0] = kept[STEPS - 1] = true;
    for (size_t i = 1; i < STEPS; i++) {
        double y = mprof__scale_at(&layout->memory, values[i]);
        double slope = (y - last_y) / (double)(i - last);
        if (slope < least || slope > most) {
            last = i - 1;
            last_y = mprof__scale_at(&layout->memory, values[last]);
            kept[last] = true;
            least = -INFINITY;
            most = INFINITY;
        }
        double reach = (double)(i - last);
        least = fmax(least, (y - SLIT_PX - last_y) / reach);
        most = fmin(most, (y + SLIT_PX - last_y) / reach);
    }
}

/* Both edges have points at the same moments, so that the script of the picture can read the
 * layer's height there. */
static void draw_layer(mprof__layout *layout, const double *low, const double *high, int colour,
                       const char *name)
{
    mprof_figure *figure = layout->figure;
    size_t first = figure->point_count;
    double step = layout->plot.width / (STEPS - 1);
    bool kept[STEPS] = {false};
    keep_corners(layout, low, kept);
    keep_corners(layout, high, kept);
    size_t begin = 0, end = STEPS; /* one of several recordings is a part of the axis */
    while (begin + 1 < end && !(high[begin + 1] > 0)) {
        begin++;
    }
    while (end > begin + 1 && !(high[end - 2] > 0)) {
        end--;
    }
    kept[begin] = kept[end - 1] = true;
    for (size_t i = begin; i < end; i++) {
        if (kept[i]) {
            mprof__add_path_point(figure, layout->plot.x + step * (double)i,
                                  mprof__scale_at(&layout->memory, high[i]));
        }
    }
    for (size_t i = end; i-- > begin;) {
        if (kept[i]) {
            mprof__add_path_point(figure, layout->plot.x + step * (double)i,
                                  mprof__scale_at(&layout->memory, low[i]));
        }
    }
    mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_LAYER, colour, first,
                    mprof__add_about(figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, name));
    label_layer(layout, low, high, name);
}

/* The main process without its children. */
static bool add_main(double *values, const mprof__layout *layout, const mprof__figure_input *input)
{
    add_series(values, layout, input, input->line);
    if (!input->main_is_sum) {
        return true;
    }
    double *children = calloc(STEPS, sizeof *children);
    bool added = children != NULL;
    for (size_t i = 0; added && i < input->child_count; i++) {
        added = add_process(children, layout, input, i);
    }
    if (added) {
        add_series(children, layout, input, input->others);
    }
    for (size_t i = 0; added && i < STEPS; i++) {
        values[i] = fmax(0, values[i] - children[i]);
    }
    free(children);
    return added;
}

mprof_status mprof__main_without_children(const mprof__layout *layout,
                                          const mprof__figure_input *input, mprof_series *series,
                                          mprof_sample **points)
{
    double *values = calloc(STEPS, sizeof *values);
    bool added = values && add_main(values, layout, input);
    *points = added ? points_of(values, layout, input) : NULL;
    free(values);
    if (!*points) {
        return MPROF_ENOMEM;
    }
    *series = series_through(*points);
    return MPROF_OK;
}

/* The main process at the bottom, then all small ones in one layer, then the largest: their outline
 * is the outline of the whole. */
static void draw_stack(mprof__layout *layout, const mprof__figure_input *input)
{
    double *low = calloc(STEPS, 2 * sizeof *low);
    if (!low) {
        layout->figure->status = MPROF_ENOMEM;
        return;
    }
    double *high = low + STEPS;
    size_t named = input->child_count < COLOURED_MAX ? input->child_count : COLOURED_MAX;
    char name[200];
    bool added = add_main(high, layout, input);
    mprof__process_text(name, sizeof name, input, 0);
    draw_layer(layout, low, high, MPROF_COLOUR_NONE, name);
    memcpy(low, high, STEPS * sizeof *low);
    for (size_t i = named; added && i < input->child_count; i++) {
        added = add_process(high, layout, input, i);
    }
    add_series(high, layout, input, input->others);
    size_t others = input->child_count - named + input->other_count;
    snprintf(name, sizeof name, "%zu others", others);
    if (others) {
        draw_layer(layout, low, high, MPROF_COLOUR_NONE, name);
    }
    for (size_t i = named; added && i-- > 0;) {
        memcpy(low, high, STEPS * sizeof *low);
        added = add_process(high, layout, input, i);
        mprof__process_text(name, sizeof name, input, input->children[i]);
        draw_layer(layout, low, high, mprof__process_colour(layout, input, i), name);
    }
    if (!added) {
        layout->figure->status = MPROF_ENOMEM;
    }
    free(low);
}

/* ---- lines and labels ---- */

/* Kinds and functions come first: where they are shown, processes are grey, except in a stack. */
int mprof__process_colour(const mprof__layout *layout, const mprof__figure_input *input,
                          size_t rank)
{
    bool others = input->shown_count > 0 || layout->options->kinds;
    bool grey = others && !layout->options->stack;
    return grey || rank >= COLOURED_MAX ? MPROF_COLOUR_NONE : (int)rank;
}

bool mprof__has_own_strip(const mprof__figure_input *input, uint32_t process)
{
    return input->stripped && input->stripped[process];
}

static uint32_t about_process(mprof__layout *layout, const mprof__figure_input *input,
                              uint32_t process)
{
    char text[200];
    mprof__process_text(text, sizeof text, input, process);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

void mprof__draw_processes(mprof__layout *layout, const mprof__figure_input *input, bool is_stacked)
{
    if (is_stacked) {
        draw_stack(layout, input);
        return;
    }
    if (input->total.point_count) {
        mprof__stroke stroke = {.line = MPROF_ROLE_COUNT,
                                .area = MPROF_ROLE_TOTAL,
                                .dot = MPROF_ROLE_COUNT,
                                .colour = MPROF_COLOUR_NONE,
                                .about = MPROF_ABOUT_NONE};
        mprof__draw_series(layout, input, &input->total, &stroke);
    }
    for (size_t i = input->child_count; i-- > 0;) {
        if (mprof__has_own_strip(input, input->children[i])) {
            continue;
        }
        mprof__stroke stroke = {.line = MPROF_ROLE_CHILD,
                                .area = MPROF_ROLE_COUNT,
                                .dot = MPROF_ROLE_CHILD_SAMPLE,
                                .colour = mprof__process_colour(layout, input, i),
                                .about = about_process(layout, input, input->children[i]),
                                .reserve = i < COLOURED_MAX};
        mprof__draw_series(layout, input, &input->processes[input->children[i]].series, &stroke);
    }
}

struct label {
    mprof_role role;
    int colour;
    char text[200];
    size_t length;
    double width;
};

static void fit_label(struct label *label, const mprof__layout *layout, const char *text)
{
    label->length =
        mprof__fit_text(layout, label->role, label->text, sizeof label->text, text, LABEL_MAX_PX);
    label->width = mprof__text_width(layout, label->role, label->text, label->length);
}

/* Above or below a point of the curve; false: no room. */
static bool draw_label(mprof__layout *layout, const struct label *label, double x, double y)
{
    for (int side = 0; label->length && side < 6; side++) {
        double left = x - label->width / 2 * (side % 3);
        mprof_box place = {left - 2, side < 3 ? y - 17 : y + 4, label->width + 4, 13};
        if (!mprof__occupancy_is_free(layout->occupancy, place)) {
            continue;
        }
        mprof__occupancy_reserve(layout->occupancy, place);
        mprof__add_text(layout->figure, &(mprof__text_item){.role = label->role,
                                                            .colour = label->colour,
                                                            .x = left,
                                                            .y = place.y + 10,
                                                            .width = label->width,
                                                            .text = label->text,
                                                            .length = label->length});
        return true;
    }
    return false;
}

static bool draw_label_at(mprof__layout *layout, const mprof__figure_input *input,
                          const struct label *label, const mprof_sample *at)
{
    double time_s = at->time_s - input->start_s;
    return time_s >= layout->from_s && time_s <= layout->to_s &&
           draw_label(layout, label, mprof__scale_at(&layout->time, time_s),
                      mprof__scale_at(&layout->memory, at->mib));
}

void mprof__label_series(mprof__layout *layout, const mprof__figure_input *input,
                         const mprof_series *series, mprof_role role, int colour, const char *text)
{
    struct label label = {.role = role, .colour = colour};
    size_t stride = series->point_count / 40 + 1;
    fit_label(&label, layout, text);
    bool done = draw_label_at(layout, input, &label, &series->peak);
    for (size_t i = 0; !done && i < series->point_count; i += stride) {
        done = draw_label_at(layout, input, &label, &series->points[i]);
    }
}

void mprof__label_series_at_end(mprof__layout *layout, const mprof__figure_input *input,
                                const mprof_series *series, mprof_role role, int colour,
                                const char *text)
{
    struct label label = {.role = role, .colour = colour};
    size_t stride = series->point_count / 40 + 1;
    fit_label(&label, layout, text);
    bool done = false;
    for (size_t i = series->point_count; !done && i > 0; i -= i < stride ? i : stride) {
        done = draw_label_at(layout, input, &label, &series->points[i - 1]);
    }
}

void mprof__label_processes(mprof__layout *layout, const mprof__figure_input *input)
{
    if (layout->options->stack) {
        return; /* layers have their labels inside */
    }
    if (input->total.point_count) {
        mprof__label_series(layout, input, &input->total, MPROF_ROLE_CHILD_NAME, MPROF_COLOUR_NONE,
                            "all processes");
    }
    for (size_t i = 0; i < input->child_count && i < COLOURED_MAX; i++) {
        uint32_t process = input->children[i];
        char text[200];
        if (mprof__has_own_strip(input, process)) {
            continue;
        }
        mprof__process_text(text, sizeof text, input, process);
        mprof__label_series(layout, input, &input->processes[process].series, MPROF_ROLE_CHILD_NAME,
                            mprof__process_colour(layout, input, i), text);
    }
}
