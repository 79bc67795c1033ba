/* Panels are compared at a glance: one time axis, one memory axis, the median in each, the highest
 * peak first. */
#include "small_multiples.h"

#include "axes.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "many_figure.h"
#include "member_line.h"
#include "ticks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACROSS_MAX 10
#define WIDTH_LEAST_PX 96.0
#define SMALL_WIDTH_LEAST_PX 80.0
#define GAP_PX 12.0
#define PANEL_PX 64.0 /* with its name */
#define PANEL_MOST_PX 150.0
#define PANEL_LEAST_PX 40.0 /* on a page of given height */
#define NAME_PX 16.0
#define ROW_GAP_PX 12.0
#define SMALL_ROW_GAP_PX 5.0
#define PAGE_MOST_PX 20000.0
#define USUAL_HEIGHT_PX 420.0 /* of all panels of a page of usual size */
#define TICK_ROOM_PX 30.0     /* between two labels of the memory axis */
#define CAPTION_PX 18.0
#define COLUMNS_PER_PX 2
#define STRAIGHT_PX 0.3        /* in panels few points suffice */
#define MEDIAN_STRAIGHT_PX 0.5 /* it is repeated in each */
#define MEDIAN_LEAST 3         /* members at a moment */
#define COLUMNS_MOST 800
#define DOT_RADIUS_PX 2.5
#define NAME_GAP_PX 6.0
#define HEAD_GAP_PX 8.0 /* below the facts */

mprof__panel_grid mprof__panel_grid_of(size_t count, const mprof__panel_room *room)
{
    double least = room->small ? SMALL_WIDTH_LEAST_PX : WIDTH_LEAST_PX;
    double gap = room->small ? SMALL_ROW_GAP_PX : ROW_GAP_PX;
    bool grows = isinf(room->height_px);
    size_t across =
        (size_t)fmax(1, fmin(ACROSS_MAX, floor((room->width_px + GAP_PX) / (least + GAP_PX))));
    size_t rows = (count + across - 1) / across;
    double step = PANEL_PX + gap;
    double height = grows ? PAGE_MOST_PX : room->height_px;
    size_t fitting =
        (size_t)fmax(0, floor((height + gap) / ((grows ? PANEL_PX : PANEL_LEAST_PX) + gap)));
    rows = rows < fitting ? rows : fitting;
    if (!rows || room->width_px < least) {
        return (mprof__panel_grid){.shown = 0};
    }
    if (rows * across >= count) { /* the last row as long as the others, if possible */
        across = (count + rows - 1) / rows;
    }
    step = fmin(PANEL_MOST_PX + gap,
                fmax(grows ? step : 0, ((grows ? USUAL_HEIGHT_PX : height) + gap) / (double)rows));
    mprof__panel_grid grid = {.columns = across,
                              .rows = rows,
                              .shown = rows * across < count ? rows * across : count,
                              .name_px = NAME_PX,
                              .step_y = floor(step)};
    grid.step_x = (room->width_px + GAP_PX) / (double)across;
    grid.width = floor(grid.step_x - GAP_PX);
    grid.plot_height = grid.step_y - gap - grid.name_px;
    grid.height = grid.step_y * (double)rows - gap;
    return grid;
}

struct page {
    mprof__layout *layout;
    mprof__members *members;
    mprof__panel_grid grid;
    double x, y;       /* of the first panel */
    double caption_px; /* below; 0: none */
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t tick_count;
    double high_mib; /* that the axis has to show */
};

static mprof_box plot_of(const struct page *page, size_t item)
{
    const mprof__panel_grid *grid = &page->grid;
    double column = (double)(item % grid->columns), row = (double)(item / grid->columns);
    return (mprof_box){floor(page->x + column * grid->step_x),
                       page->y + row * grid->step_y + grid->name_px, grid->width,
                       grid->plot_height};
}

static mprof__scale scale_in(const struct page *page, mprof_box box)
{
    mprof__scale scale = page->layout->memory;
    scale.start = box.y + box.height;
    scale.extent = -box.height;
    return scale;
}

/* ---- axes ---- */

/* Few ticks, as labels need room: the floor, and what divides the rest. */
static void choose_ticks(struct page *page)
{
    mprof__layout *layout = page->layout;
    layout->plot.height = page->grid.plot_height;
    page->tick_count =
        mprof__memory_ticks(page->ticks, &(mprof__memory_range){.low_mib = layout->memory.from,
                                                                .high_mib = layout->memory.to,
                                                                .highest_mib = page->high_mib,
                                                                .height_px = layout->plot.height,
                                                                .unit = layout->options->unit,
                                                                .is_log = layout->memory.is_log});
    size_t most = (size_t)fmax(2, floor(page->grid.plot_height / TICK_ROOM_PX) + 1);
    if (page->tick_count > most && !layout->memory.is_log) {
        size_t stride = (page->tick_count - 1 + most - 2) / (most - 1), kept = 0;
        for (size_t i = 0; i < page->tick_count; i += stride) {
            page->ticks[kept++] = page->ticks[i];
        }
        page->tick_count = kept;
    } else if (page->tick_count > most) { /* the first and the last decade */
        page->ticks[1] = page->ticks[page->tick_count - 1];
        page->tick_count = 2;
    }
}

static double gutter_of(const struct page *page)
{
    const mprof__page_sizes *sizes = &page->layout->figure->sizes;
    double width = 0;
    for (size_t i = 0; i < page->tick_count; i++) {
        width = fmax(width, mprof__text_width(page->layout, MPROF_ROLE_TICK, page->ticks[i].text,
                                              strlen(page->ticks[i].text)));
    }
    width += sizes->tick_gap;
    return width <= sizes->gutter_most ? width : 0;
}

static void draw_memory_axis(const struct page *page, bool has_labels)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    mprof__begin_group(figure, MPROF_GROUP_MEMORY_AXIS);
    for (size_t row = 0; row * page->grid.columns < page->grid.shown; row++) {
        size_t first = row * page->grid.columns, end = first + page->grid.columns;
        end = end < page->grid.shown ? end : page->grid.shown;
        mprof_box box = plot_of(page, first), last = plot_of(page, end - 1);
        mprof__scale scale = scale_in(page, box);
        for (size_t i = 0; i < page->tick_count; i++) {
            double y = mprof__scale_at(&scale, page->ticks[i].value);
            double line_y = floor(y) + 0.5;
            if (y < box.y + box.height - 1) {
                mprof__add_segment(figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE,
                                   (mprof__segment){box.x, line_y, last.x + last.width, line_y});
            }
            if (has_labels) {
                mprof__add_measured_text(
                    layout, (mprof__text_item){.role = MPROF_ROLE_TICK,
                                               .colour = MPROF_COLOUR_NONE,
                                               .anchor = MPROF_ANCHOR_END,
                                               .x = box.x - figure->sizes.tick_gap,
                                               .y = y + (figure->sizes.small ? 3.5 : 4),
                                               .text = page->ticks[i].text,
                                               .length = strlen(page->ticks[i].text)});
            }
        }
    }
}

/* Returns the width; 0 without room. */
static double put_time(mprof__layout *layout, double seconds, double x, double y,
                       mprof_anchor anchor, double room)
{
    char text[48];
    if (seconds == 0) {
        snprintf(text, sizeof text, "0");
    } else {
        mprof__duration_text(text, sizeof text, seconds);
    }
    if (layout->is_share) {
        snprintf(text, sizeof text, "%.0f %%", seconds);
    }
    if (mprof__text_width(layout, MPROF_ROLE_TICK, text, strlen(text)) > room) {
        return 0;
    }
    return mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_TICK,
                                                               .colour = MPROF_COLOUR_NONE,
                                                               .anchor = anchor,
                                                               .x = x,
                                                               .y = y,
                                                               .text = text,
                                                               .length = strlen(text)});
}

/* A floor for each panel; both ends of the time below the last one of each column. */
static void draw_time_axis(const struct page *page)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    mprof__begin_group(figure, MPROF_GROUP_TIME_AXIS);
    for (size_t i = 0; i < page->grid.shown; i++) {
        mprof_box box = plot_of(page, i);
        double floor_y = floor(box.y + box.height) + 0.5;
        mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                           (mprof__segment){box.x, floor_y, box.x + box.width, floor_y});
        if (i + page->grid.columns >= page->grid.shown) {
            double y = floor_y + figure->sizes.tick_y - 3;
            double used =
                put_time(layout, layout->from_s, box.x, y, MPROF_ANCHOR_START, box.width / 2);
            put_time(layout, layout->to_s, box.x + box.width, y, MPROF_ANCHOR_END,
                     box.width - used - NAME_GAP_PX);
        }
    }
}

/* ---- panels ---- */

static void put_text(mprof__layout *layout, mprof_role role, mprof_anchor anchor, double x,
                     double y, const char *text, size_t length)
{
    mprof__add_measured_text(layout, (mprof__text_item){.role = role,
                                                        .colour = MPROF_COLOUR_NONE,
                                                        .anchor = anchor,
                                                        .x = x,
                                                        .y = y,
                                                        .text = text,
                                                        .length = length});
}

static void draw_name(const struct page *page, size_t item, mprof_box box)
{
    mprof__layout *layout = page->layout;
    const mprof__member *member = &page->members->items[item];
    bool is_worst = item == 0 && page->members->count > 1;
    mprof_role name_role = is_worst ? MPROF_ROLE_MEMBER_NAME_WORST : MPROF_ROLE_MEMBER_NAME;
    mprof_role peak_role = is_worst ? MPROF_ROLE_MEMBER_PEAK_WORST : MPROF_ROLE_MEMBER_PEAK;
    char peak[48], name[300];
    double y = box.y - 4;
    mprof__memory_text_in(peak, sizeof peak, layout->options->unit, member->peak_mib);
    double peak_px = mprof__text_width(layout, peak_role, peak, strlen(peak));
    double room = fmax(0, box.width - peak_px - NAME_GAP_PX);
    size_t length =
        mprof__fit_member_name(layout, name_role, name, sizeof name, member->name, room);
    if (length > 0) {
        put_text(layout, name_role, MPROF_ANCHOR_START, box.x, y, name, length);
    }
    if (peak_px <= box.width && !(layout->options->without & MPROF_PART_PEAK)) {
        put_text(layout, peak_role, MPROF_ANCHOR_END, box.x + box.width, y, peak, strlen(peak));
    }
}

/* Where it ended badly, on the floor. */
static void draw_end(const struct page *page, size_t item, mprof_box box)
{
    const mprof__layout *layout = page->layout;
    const mprof__member *member = &page->members->items[item];
    if (isnan(member->end_s) || member->end_s < layout->from_s || member->end_s > layout->to_s) {
        return;
    }
    double x =
        box.x + box.width * (member->end_s - layout->from_s) / (layout->to_s - layout->from_s);
    mprof__add_dot(layout->figure, MPROF_ROLE_MEMBER_END, MPROF_COLOUR_NONE, x, box.y + box.height,
                   DOT_RADIUS_PX);
}

static uint32_t about_member(const struct page *page, size_t item)
{
    mprof__layout *layout = page->layout;
    const mprof__member *member = &page->members->items[item];
    char text[500], peak[48], at[48];
    mprof__memory_text_in(peak, sizeof peak, layout->options->unit, member->peak_mib);
    mprof__duration_text(at, sizeof at, member->peak_s);
    snprintf(text, sizeof text, "%s: peak %s at %s%s%s", member->name, peak, at,
             *member->end_text ? ", " : "", member->end_text);
    return mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
}

static void draw_panel(const struct page *page, size_t item)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    mprof_box box = plot_of(page, item);
    mprof__member_plot plot = {box, scale_in(page, box), MEDIAN_STRAIGHT_PX, false};
    bool is_worst = item == 0 && page->members->count > 1;
    mprof__add_rect(
        figure, MPROF_ROLE_MEMBER_FIELD, MPROF_COLOUR_NONE,
        (mprof_box){box.x, box.y - page->grid.name_px, box.width, box.height + page->grid.name_px},
        layout->options->states ? about_member(page, item) : MPROF_ABOUT_NONE);
    if (page->members->count >= MEDIAN_LEAST) {
        mprof__draw_column_line(figure, page->members, &plot, MPROF_ROLE_MEMBER_MEDIAN,
                                mprof__column_median, MEDIAN_LEAST, MPROF_ABOUT_NONE);
    }
    plot.straight_px = STRAIGHT_PX;
    mprof__draw_member(figure, page->members, item, &plot,
                       is_worst ? MPROF_ROLE_MEMBER_WORST : MPROF_ROLE_MEMBER, true);
    draw_end(page, item, box);
    draw_name(page, item, box);
    if (figure->member_table) {
        mprof__add_place(layout, page->members, item, box);
    }
}

static void draw_caption(const struct page *page)
{
    mprof__layout *layout = page->layout;
    const mprof__members *members = page->members;
    const char *nouns = mprof__member_noun(members->kind, 2);
    char text[400], memory[48], count[32];
    int used = snprintf(text, sizeof text, "%sOne scale for all panels.",
                        members->count >= MEDIAN_LEAST ? "Grey line: median at that moment. " : "");
    size_t cut = 0, left = members->count - page->grid.shown;
    while (cut < members->count && members->items[cut].peak_mib > layout->memory.to * 1.001) {
        cut++;
    }
    if (cut > 0) {
        used += snprintf(
            text + used, sizeof text - (size_t)used, " It ends at %s: %s %s above it.",
            mprof__memory_text_in(memory, sizeof memory, layout->options->unit, layout->memory.to),
            mprof__count_text(count, sizeof count, cut), cut == 1 ? "is" : "are");
    }
    if (left > 0) {
        snprintf(text + used, sizeof text - (size_t)used, " No room for %s more %s, up to %s each.",
                 mprof__count_text(count, sizeof count, left),
                 left == 1 ? mprof__member_noun(members->kind, 1) : nouns,
                 mprof__memory_text_in(memory, sizeof memory, layout->options->unit,
                                       members->items[page->grid.shown].peak_mib));
    }
    mprof_box box = plot_of(page, (page->grid.rows - 1) * page->grid.columns);
    double y = box.y + box.height + layout->figure->sizes.tick_row + page->caption_px - 5;
    double x = layout->figure->sizes.small ? layout->figure->sizes.margin : box.x;
    mprof__begin_group(layout->figure, MPROF_GROUP_LEGEND);
    mprof__add_caption(layout, text, x, y,
                       layout->figure->width_px - layout->figure->sizes.margin - x);
}

static mprof_status draw(struct page *page, bool has_labels)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    mprof__draw_heading(layout);
    draw_memory_axis(page, has_labels);
    draw_time_axis(page);
    mprof__begin_group(figure, MPROF_GROUP_PANELS);
    for (size_t i = 0; i < page->grid.shown; i++) {
        draw_panel(page, i);
    }
    if (page->caption_px > 0) {
        draw_caption(page);
    }
    figure->frame.bottom = layout->plot.y + layout->plot.height;
    return figure->status;
}

/* The memory axis: that of the highest, unless this is far above most. */
static void choose_axis(struct page *page)
{
    mprof__layout *layout = page->layout;
    page->high_mib =
        layout->options->log ? page->members->highest_mib : mprof__most_mib(page->members, 1);
    layout->plot.height = page->grid.plot_height;
    mprof__scale_many(layout, page->members, page->high_mib, false);
}

static mprof_status lay_out(struct page *page, mprof_error *error)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    double head = sizes->head + (sizes->has_facts ? HEAD_GAP_PX : 0);
    bool grows = layout->options->grow;
    page->caption_px = layout->options->without & MPROF_PART_LEGEND ? 0
                       : sizes->small                               ? sizes->key
                                                                    : CAPTION_PX;
    double rest = head + sizes->tick_row + page->caption_px + sizes->foot;
    mprof__panel_room room = {.width_px = figure->width_px - 2 * sizes->margin,
                              .height_px = grows ? INFINITY : figure->height_px - rest,
                              .small = sizes->small};
    page->grid = mprof__panel_grid_of(page->members->count, &room);
    if (!page->grid.shown) {
        return mprof__page_is_too_small(layout, error);
    }
    choose_axis(page);
    choose_ticks(page);
    double gutter = gutter_of(page);
    room.width_px -= gutter;
    page->grid = mprof__panel_grid_of(page->members->count, &room);
    if (!page->grid.shown) {
        return mprof__page_is_too_small(layout, error);
    }
    choose_axis(page);
    choose_ticks(page);
    page->x = ceil(sizes->margin + gutter);
    page->y = head;
    if (grows) {
        figure->height_px = ceil(rest + page->grid.height);
    }
    layout->plot =
        (mprof_box){page->x, head, figure->width_px - sizes->margin - page->x, page->grid.height};
    layout->time = mprof__time_scale(layout);
    return draw(page, gutter > 0);
}

mprof_status mprof__draw_panel_page(mprof__layout *layout, mprof_error *error)
{
    mprof__members members;
    struct page page = {.layout = layout, .members = &members};
    /* the number of members decides how wide a panel is */
    size_t count = 0;
    for (size_t i = 0; i < layout->input_count; i++) {
        count += mprof__member_kind(layout) == MPROF_MEMBERS_BY_RECORDING
                     ? 1
                     : layout->inputs[i].process_count;
    }
    double width = layout->figure->width_px / fmin(ACROSS_MAX, fmax(1, (double)count));
    size_t columns = (size_t)fmin(COLUMNS_MOST, fmax(64, ceil(width * COLUMNS_PER_PX)));
    mprof_status status = mprof__members_init(&members, layout, columns, error);
    if (status == MPROF_OK) {
        status = mprof__describe_many(layout, &members);
    }
    if (status == MPROF_OK) {
        status = lay_out(&page, error);
    }
    mprof__members_dispose(&members);
    return status;
}
