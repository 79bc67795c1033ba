/* The areas are of the samples; the mean and the quantiles are of the members' means in a column,
 * each of the time that it ran. */
#include "rank_band.h"

#include "axes.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "many_figure.h"
#include "member_line.h"
#include "notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INNER_LEAST 10  /* members: 10 % of fewer mean nothing */
#define STRAIGHT_PX 0.2 /* of the band above rows */
#define LABEL_GAP_PX 9.0
#define LABEL_BELOW_PX 13.0 /* of a peak above the plot */
#define DOT_RADIUS_PX 3.5
#define CAPTION_PX 18.0
#define SWATCH_PX 18.0
#define SWATCH_GAP_PX 6.0
#define KEY_GAP_PX 16.0

/* A sample of the role, which is a line or an area, and its words. False: no room. */
static bool add_key(mprof__layout *layout, mprof_role role, const char *text, double *x, double y)
{
    mprof_figure *figure = layout->figure;
    bool is_line = role == MPROF_ROLE_WORST || role == MPROF_ROLE_CURVE;
    double right = figure->width_px - figure->sizes.margin;
    char fitted[200];
    size_t length = mprof__fit_member_name(layout, MPROF_ROLE_LEGEND_MORE, fitted, sizeof fitted,
                                           text, fmax(0, right - *x - SWATCH_PX - SWATCH_GAP_PX));
    if (length < strlen(text) && role != MPROF_ROLE_WORST) {
        return false;
    }
    double middle = floor(y - 4) + 0.5;
    if (is_line) {
        mprof__add_segment(figure, role, MPROF_COLOUR_NONE,
                           (mprof__segment){*x, middle, *x + SWATCH_PX, middle});
    } else {
        mprof_box box = {*x, y - 8, SWATCH_PX, 9};
        mprof__add_rect(figure, MPROF_ROLE_BAND, MPROF_COLOUR_NONE, box, MPROF_ABOUT_NONE);
        if (role == MPROF_ROLE_BAND_INNER) {
            mprof__add_rect(figure, role, MPROF_COLOUR_NONE, box, MPROF_ABOUT_NONE);
        }
    }
    *x += SWATCH_PX + SWATCH_GAP_PX;
    *x += mprof__add_caption(layout, fitted, *x, y, right - *x) + KEY_GAP_PX;
    return true;
}

void mprof__draw_band_key(mprof__layout *layout, const mprof__members *members, double x, double y)
{
    const char *nouns = mprof__member_noun(members->kind, 2);
    char mean[64], inner[64];
    snprintf(mean, sizeof mean, "mean of the %s", nouns);
    snprintf(inner, sizeof inner, "10 %% to 90 %% of them");
    bool has_room = add_key(layout, MPROF_ROLE_WORST, members->items[0].name, &x, y);
    if (members->count < 2) {
        return;
    }
    has_room = has_room && add_key(layout, MPROF_ROLE_CURVE, mean, &x, y);
    if (members->count >= INNER_LEAST) {
        has_room = has_room && add_key(layout, MPROF_ROLE_BAND_INNER, inner, &x, y);
    }
    if (has_room) {
        add_key(layout, MPROF_ROLE_BAND, "lowest to highest", &x, y);
    }
}

/* "rank 317 1.64 GiB", above the dot at its peak, on the page. */
static void label_worst(mprof__layout *layout, const mprof__members *members,
                        const mprof__member_plot *plot)
{
    const mprof__member *worst = &members->items[0];
    char text[400], memory[40], name[300];
    double x = mprof__scale_at(&layout->time, worst->peak_s);
    double y = mprof__member_y(plot, worst->peak_mib);
    bool has_peak = !(layout->options->without & MPROF_PART_PEAK);
    mprof__begin_group(layout->figure, MPROF_GROUP_MARKS);
    bool is_above = y<plot->box.y, is_below = y> plot->box.y + plot->box.height;
    y = fmin(fmax(y, plot->box.y), plot->box.y + plot->box.height);
    if (has_peak && !is_above && !is_below) {
        mprof__add_dot(layout->figure, MPROF_ROLE_PEAK_DOT, MPROF_COLOUR_NONE, x, y, DOT_RADIUS_PX);
    }
    if (layout->occupancy) {
        mprof__draw_notes(layout);
    }
    mprof__begin_group(layout->figure, MPROF_GROUP_NAMES);
    if (!has_peak) {
        return;
    }
    mprof__memory_text_in(memory, sizeof memory, layout->options->unit, worst->peak_mib);
    double room = plot->box.width -
                  mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, memory, strlen(memory)) - 8;
    size_t length = mprof__fit_text_middle(layout, MPROF_ROLE_PEAK_NAME, name, sizeof name,
                                           worst->name, fmax(0, room));
    snprintf(text, sizeof text, "%.*s%s%s", (int)length, name, length ? " " : "", memory);
    double width = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
    double left = plot->box.x, right = plot->box.x + plot->box.width - width;
    x = fmax(left, fmin(x - width / 2, right));
    mprof__add_measured_text(
        layout, (mprof__text_item){.role = MPROF_ROLE_PEAK_NAME,
                                   .colour = MPROF_COLOUR_NONE,
                                   .x = x,
                                   .y = is_above ? y + LABEL_BELOW_PX : fmax(y - LABEL_GAP_PX, 10),
                                   .text = text,
                                   .length = strlen(text)});
}

static uint32_t add_about(mprof__layout *layout, const char *text)
{
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

void mprof__draw_rank_band(mprof__layout *layout, const mprof__members *members)
{
    mprof_figure *figure = layout->figure;
    const mprof__member_plot plot = {layout->plot, layout->memory,
                                     layout->options->form == MPROF_FORM_BAND ? 0 : STRAIGHT_PX,
                                     layout->options->memory_mib[1] > 0};
    mprof__begin_group(figure, MPROF_GROUP_CURVES);
    mprof__draw_column_band(figure, members, &plot, MPROF_ROLE_BAND, mprof__column_low,
                            mprof__column_high, 1);
    if (members->count >= INNER_LEAST) {
        mprof__draw_column_band(figure, members, &plot, MPROF_ROLE_BAND_INNER, mprof__column_tenth,
                                mprof__column_ninetieth, INNER_LEAST);
    }
    mprof__draw_column_line(figure, members, &plot, MPROF_ROLE_BAND_EDGE, mprof__column_low, 1,
                            add_about(layout, "lowest"));
    mprof__draw_column_line(figure, members, &plot, MPROF_ROLE_BAND_EDGE, mprof__column_high, 1,
                            add_about(layout, "highest"));
    size_t first = figure->item_count;
    uint32_t about = add_about(layout, members->items[0].name);
    mprof__draw_member(figure, members, 0, &plot, MPROF_ROLE_WORST, false);
    for (size_t i = first; i < figure->item_count; i++) {
        figure->items[i].about = about;
    }
    if (members->count > 1) {
        mprof__draw_column_line(figure, members, &plot, MPROF_ROLE_CURVE, mprof__column_mean, 1,
                                add_about(layout, "mean"));
    }
    label_worst(layout, members, &plot);
}

static mprof_status draw_page(mprof__layout *layout, const mprof__members *members,
                              double caption_px)
{
    mprof_figure *figure = layout->figure;
    double below = layout->plot.y + layout->plot.height;
    mprof__draw_heading(layout);
    mprof__draw_memory_axis(layout);
    mprof__draw_time_axis(layout, below);
    mprof__draw_rank_band(layout, members);
    if (caption_px > 0) {
        mprof__begin_group(figure, MPROF_GROUP_LEGEND);
        double x = figure->sizes.small ? figure->sizes.margin : layout->plot.x;
        mprof__draw_band_key(layout, members, x, below + figure->sizes.tick_row + caption_px - 5);
    }
    figure->frame.bottom = below;
    return figure->status;
}

mprof_status mprof__draw_band_page(mprof__layout *layout, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    mprof__members members;
    double caption_px = layout->options->without & MPROF_PART_LEGEND ? 0
                        : sizes->small                               ? sizes->key
                                                                     : CAPTION_PX;
    double room = figure->height_px - sizes->head - sizes->tick_row - sizes->foot - caption_px;
    if (room < sizes->plot_least) {
        return mprof__page_is_too_small(layout, error);
    }
    /* the gutter depends on the highest memory, which takes columns to know: a column per px */
    size_t columns = (size_t)fmax(16, figure->width_px - 2 * sizes->margin);
    mprof_status status = mprof__members_init(&members, layout, columns, error);
    if (status == MPROF_OK) {
        status = mprof__describe_many(layout, &members);
    }
    if (status == MPROF_OK) {
        layout->plot.y = sizes->head;
        layout->plot.height = floor(room);
        mprof__scale_many(layout, &members, members.highest_mib, true);
        layout->plot.x = ceil(sizes->margin + mprof__memory_gutter(layout));
        layout->plot.width = figure->width_px - sizes->margin - layout->plot.x;
        layout->time = mprof__time_scale(layout);
        layout->occupancy = mprof__occupancy_new(layout->plot);
        status = layout->occupancy ? draw_page(layout, &members, caption_px) : MPROF_ENOMEM;
        mprof__occupancy_free(layout->occupancy);
        layout->occupancy = NULL;
    }
    mprof__members_dispose(&members);
    return status;
}
