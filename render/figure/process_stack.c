/* The main process is the lowest layer, then come all groups that are not shown, then the others,
 * the steadiest first. Layers are exact at ticks. */
#include "process_stack.h"

#include "colour_slots.h"
#include "fit_text.h"
#include "format_units.h"
#include "gaps.h"
#include "layout.h"
#include "merged_calls.h"
#include "occupancy.h"
#include "process_groups.h"
#include "process_sums.h"

#include "parse/ranks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_LEAST_PX 15.0
#define LABEL_MAX_PX 180.0
#define LABEL_MARGIN_PX 3.0
#define LABEL_HEIGHT_PX 13.0
#define SLIT_PX 0.1
#define TEXT_BYTES 240

/* Both edges of a layer, in MiB at each of input->moments, and where these are on the page. */
struct layer {
    const mprof__figure_input *input;
    double *low, *high;
    double *x;
    bool *kept;
    bool *gaps;     /* the moment does not follow the one before */
    double *bounds; /* per pixel column: top and bottom */
};

static void free_layer(struct layer *layer)
{
    free(layer->low);
    free(layer->x);
    free(layer->kept);
    free(layer->gaps);
    free(layer->bounds);
}

static bool allocate_layer(struct layer *layer, const mprof__layout *layout)
{
    size_t count = layer->input->moment_count;
    layer->low = calloc(2 * count + 1, sizeof *layer->low);
    layer->x = malloc((count + 1) * sizeof *layer->x);
    layer->kept = malloc(count + 1);
    layer->gaps = calloc(count + 1, sizeof *layer->gaps);
    layer->bounds = malloc(2 * ((size_t)layout->plot.width + 2) * sizeof *layer->bounds);
    if (!layer->low || !layer->x || !layer->kept || !layer->gaps || !layer->bounds) {
        return false;
    }
    layer->high = layer->low + count;
    for (size_t i = 0; i < count; i++) {
        layer->x[i] =
            mprof__scale_at(&layout->time, layer->input->moments[i] - layer->input->start_s);
    }
    return true;
}

/* Index of the moment after the last that is connected with `first`. */
static size_t end_of_piece(const struct layer *layer, size_t first)
{
    size_t end = first + 1;
    while (end < layer->input->moment_count && !layer->gaps[end]) {
        end++;
    }
    return end;
}

/* ---- labels ---- */

static double share_of(double from, double at, double to)
{
    return to > from ? (at - from) / (to - from) : 0;
}

/* The heights of a layer at pixel columns, from its edges at moments. */
static void find_bounds(struct layer *layer, const mprof__layout *layout)
{
    const mprof__scale *memory = &layout->memory;
    size_t columns = (size_t)layout->plot.width, count = layer->input->moment_count, next = 0;
    for (size_t c = 0; c < columns; c++) {
        double x = layout->plot.x + (double)c;
        while (next < count && layer->x[next] < x) {
            next++;
        }
        size_t after = next < count ? next : count - 1, before = next > 0 ? next - 1 : 0;
        double share = share_of(layer->x[before], x, layer->x[after]);
        bool is_known = next > 0 && next < count && !layer->gaps[next];
        double low = layer->low[before] + share * (layer->low[after] - layer->low[before]);
        double high = layer->high[before] + share * (layer->high[after] - layer->high[before]);
        layer->bounds[2 * c] = mprof__scale_at(memory, is_known ? high : low);
        layer->bounds[2 * c + 1] = mprof__scale_at(memory, low);
    }
}

/* Where the layer is thickest along the whole label; false: nowhere is room. */
static bool find_label_place(mprof_box *place, struct layer *layer, const mprof__layout *layout,
                             double width)
{
    size_t columns = (size_t)layout->plot.width;
    size_t needed = (size_t)(width + 2 * LABEL_MARGIN_PX);
    double thickest = LABEL_LEAST_PX;
    bool found = false;
    find_bounds(layer, layout);
    for (size_t i = LABEL_MARGIN_PX; i + needed < columns; i += needed / 4 + 1) {
        double top = -INFINITY, bottom = INFINITY;
        for (size_t c = i; c < i + needed; c++) {
            top = fmax(top, layer->bounds[2 * c]);
            bottom = fmin(bottom, layer->bounds[2 * c + 1]);
        }
        mprof_box box = {layout->plot.x + (double)i + LABEL_MARGIN_PX,
                         (top + bottom) / 2 - LABEL_HEIGHT_PX / 2, width, LABEL_HEIGHT_PX};
        if (bottom - top > thickest && mprof__occupancy_is_free(layout->occupancy, box)) {
            thickest = bottom - top;
            found = true;
            *place = box;
        }
    }
    return found;
}

static void label_layer(mprof__layout *layout, struct layer *layer, const char *text)
{
    char name[TEXT_BYTES];
    mprof_box place;
    size_t length =
        mprof__fit_text_middle(layout, MPROF_ROLE_BOX_NAME, name, sizeof name, text, LABEL_MAX_PX);
    double width = mprof__text_width(layout, MPROF_ROLE_BOX_NAME, name, length);
    if (!length || !find_label_place(&place, layer, layout, width)) {
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

/* ---- shapes ---- */

/* Marks the points of an edge that are not on a straight line between others. Seen from the last
 * kept point, all that are left out pass through one slit of +-SLIT_PX. */
static void keep_corners(const mprof__layout *layout, struct layer *layer, const double *values,
                         size_t first, size_t end)
{
    size_t last = first;
    double last_y = mprof__scale_at(&layout->memory, values[first]);
    double least = -INFINITY, most = INFINITY;
    layer->kept[first] = layer->kept[end - 1] = true;
    for (size_t i = first + 1; i < end; i++) {
        double y = mprof__scale_at(&layout->memory, values[i]);
        double reach = layer->x[i] - layer->x[last];
        double slope = (y - last_y) / reach;
        if (slope < least || slope > most) {
            last = i - 1;
            last_y = mprof__scale_at(&layout->memory, values[last]);
            layer->kept[last] = true;
            least = -INFINITY;
            most = INFINITY;
            reach = layer->x[i] - layer->x[last];
        }
        least = fmax(least, (y - SLIT_PX - last_y) / reach);
        most = fmin(most, (y + SLIT_PX - last_y) / reach);
    }
}

/* A point of an edge. One outside the plot moves along the edge to the plot's side. */
static void add_point(mprof__layout *layout, const struct layer *layer, const double *values,
                      size_t at, size_t first, size_t end)
{
    double left = layout->plot.x, right = layout->plot.x + layout->plot.width;
    double x = layer->x[at], mib = values[at], inside = fmin(fmax(x, left), right);
    size_t next = x < left ? at + 1 : at - 1; /* towards the plot */
    if (x != inside && next >= first && next < end) {
        mib += (values[next] - mib) * (inside - x) / (layer->x[next] - x);
    }
    mprof__add_path_point(layout->figure, inside, mprof__scale_at(&layout->memory, mib));
}

/* Both edges have points at the same moments, so that the script of the picture can read the
 * layer's height there. */
static void draw_piece(mprof__layout *layout, struct layer *layer, size_t first, size_t end,
                       int colour, uint32_t about)
{
    mprof_figure *figure = layout->figure;
    size_t begin = figure->point_count;
    double left = layout->plot.x, right = layout->plot.x + layout->plot.width;
    if (layer->x[end - 1] < left || layer->x[first] > right) {
        return;
    }
    while (first + 1 < end && layer->x[first + 1] < left) {
        first++;
    }
    while (end - 1 > first && layer->x[end - 2] > right) {
        end--;
    }
    memset(layer->kept + first, 0, end - first);
    keep_corners(layout, layer, layer->low, first, end);
    keep_corners(layout, layer, layer->high, first, end);
    for (size_t i = first; i < end; i++) {
        if (layer->kept[i]) {
            add_point(layout, layer, layer->high, i, first, end);
        }
    }
    for (size_t i = end; i-- > first;) {
        if (layer->kept[i]) {
            add_point(layout, layer, layer->low, i, first, end);
        }
    }
    mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_LAYER, colour, begin, about);
}

static void draw_layer(mprof__layout *layout, struct layer *layer, int colour, uint32_t about,
                       const char *text)
{
    size_t count = layer->input->moment_count;
    for (size_t first = 0, end; first < count; first = end) {
        end = end_of_piece(layer, first);
        draw_piece(layout, layer, first, end, colour, about);
    }
    label_layer(layout, layer, text);
    memcpy(layer->low, layer->high, count * sizeof *layer->low);
}

/* ---- layers ---- */

void mprof__others_text(char *text, size_t size, const mprof__figure_input *input)
{
    const mprof__process_groups *groups = &input->groups;
    size_t commands = groups->count - groups->shown;
    char count[32], processes[32];
    mprof__count_text(processes, sizeof processes, groups->others_count);
    if (groups->is_by_key && !input->other_count) {
        bool has_several = groups->others_count > commands;
        snprintf(text, size, "%s other %s%s%s%s", mprof__count_text(count, sizeof count, commands),
                 groups->noun, commands == 1 ? "" : "s", has_several ? " \xC3\x97" : "",
                 has_several ? processes : "");
    } else {
        snprintf(text, size, "%s others", processes);
    }
}

uint32_t mprof__about_group(mprof__layout *layout, const mprof__figure_input *input,
                            const mprof__process_group *group)
{
    char text[TEXT_BYTES];
    mprof__group_text(text, sizeof text, input, group);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

static uint32_t about_text(mprof__layout *layout, const char *text)
{
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

static void draw_main(mprof__layout *layout, struct layer *layer)
{
    const mprof__figure_input *input = layer->input;
    char text[TEXT_BYTES];
    memcpy(layer->high, input->main_mib, input->moment_count * sizeof *layer->high);
    mprof__process_text(text, sizeof text, input, 0);
    draw_layer(layout, layer, mprof__main_colour(layout, input), about_text(layout, text), text);
}

static void draw_others(mprof__layout *layout, struct layer *layer)
{
    const mprof__figure_input *input = layer->input;
    const mprof__process_groups *groups = &input->groups;
    char text[TEXT_BYTES];
    if (!groups->others_count) {
        return;
    }
    for (size_t i = groups->shown; i < groups->count; i++) {
        mprof__add_group(layer->high, input, &groups->items[i]);
    }
    mprof__add_others(layer->high, input);
    mprof__others_text(text, sizeof text, input);
    draw_layer(layout, layer, MPROF__OTHERS_SLOT, about_text(layout, text), text);
}

/* All processes in one layer. */
static void draw_together(mprof__layout *layout, struct layer *layer)
{
    const mprof__figure_input *input = layer->input;
    char text[TEXT_BYTES], count[32];
    for (size_t i = 0; i < input->moment_count; i++) {
        layer->high[i] = input->main_mib[i] + input->children_mib[i];
    }
    snprintf(text, sizeof text, "%s processes",
             mprof__count_text(count, sizeof count,
                               input->process_count - mprof__first_process(input->profile) +
                                   input->other_count));
    draw_layer(layout, layer, mprof__main_colour(layout, input), about_text(layout, text), text);
}

void mprof__draw_process_stack(mprof__layout *layout, const mprof__figure_input *input)
{
    const mprof__process_groups *groups = &input->groups;
    struct layer layer = {.input = input};
    char text[TEXT_BYTES];
    if (!input->moment_count) {
        return;
    }
    if (!allocate_layer(&layer, layout)) {
        mprof__fail(layout->figure, MPROF_ENOMEM);
    } else if (layout->options->processes == MPROF_PROCESSES_TOGETHER) {
        draw_together(layout, &layer);
    } else {
        if (!mprof__is_merged(input)) {
            draw_main(layout, &layer);
        }
        draw_others(layout, &layer);
        for (size_t i = 0; i < groups->shown; i++) {
            const mprof__process_group *group = &groups->items[groups->layers[i]];
            mprof__add_group(layer.high, input, group);
            mprof__group_text(text, sizeof text, input, group);
            draw_layer(layout, &layer, group->colour, mprof__about_group(layout, input, group),
                       text);
        }
    }
    free_layer(&layer);
}
