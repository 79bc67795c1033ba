/* Cells are few enough to hold: a row for each member, or for several of them, and a column for
 * each pixel of the time axis. */
#include "heat_rows.h"

#include "axes.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "many_figure.h"
#include "member_line.h"
#include "member_table.h"
#include "rank_band.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAMED_ROWS 3
#define NAMED_PX 12.0
#define NAMED_GAP_PX 2.0
#define ALL_NAMED_MOST 40 /* members: so few have names, all of them */
#define ROWS_PX 1000.0    /* others on a page that grows: of more, several share a row */
#define FAIR_PX 320.0     /* few members have higher rows, up to this height of all */
#define BAND_PX 110.0
#define SMALL_BAND_PX 44.0
#define BAND_GAP_PX 12.0
#define BAND_SHARE 0.35 /* of band and rows */
#define BAND_LEAST_PX 36.0
#define BARS_PX 130.0
#define BARS_GAP_PX 24.0
#define KEY_PX 30.0
#define KEY_BAR_PX 220.0
#define KEY_HEIGHT_PX 8.0
#define KEY_ALERT_SHARE 0.09 /* of the key: what is above the ramp */
#define KEY_CELLS 220
#define NAME_MOST_PX 130.0
#define NAME_GAP_PX 8.0
#define TICK_LEAST_PX 36.0
#define TICK_PX 4.0
#define RAMP_SHARE 0.99
#define FIRST_COLUMNS 32 /* until the width is known */
#define END_LEAST_PX 1.2 /* radius of a dot */
#define END_MOST_PX 3.0
#define LOG_DECADES 1e5

/* ---- geometry ---- */

mprof__heat_grid mprof__heat_grid_of(size_t count, double room_px, bool grows)
{
    mprof__heat_grid grid = {.named_px = NAMED_PX, .per_row = 1};
    if (count <= ALL_NAMED_MOST && (double)count * NAMED_PX <= fmax(room_px, grows ? ROWS_PX : 0)) {
        grid.named = count;
        grid.height_px = (double)count * NAMED_PX;
        return grid;
    }
    double named_px = NAMED_ROWS * NAMED_PX + NAMED_GAP_PX;
    grid.named = room_px >= 2 * named_px || grows ? NAMED_ROWS : 0;
    grid.named = grid.named < count ? grid.named : 0;
    grid.gap_px = grid.named ? NAMED_GAP_PX : 0;
    double fixed_px = (double)grid.named * NAMED_PX + grid.gap_px;
    size_t others = count - grid.named;
    double most_px = fmax(1, grows ? ROWS_PX : floor(room_px - fixed_px));
    grid.per_row = (size_t)ceil((double)others / most_px);
    grid.rows = (others + grid.per_row - 1) / grid.per_row;
    double fair_px = grows ? FAIR_PX : most_px;
    grid.row_px = fmax(1, fmin(NAMED_PX, floor(fair_px / (double)grid.rows)));
    grid.height_px = fixed_px + grid.row_px * (double)grid.rows;
    return grid;
}

size_t mprof__heat_row_of(const mprof__heat_grid *grid, size_t item)
{
    return item < grid->named ? item : (item - grid->named) / grid->per_row;
}

double mprof__heat_y(const mprof__heat_grid *grid, size_t item)
{
    double row = (double)mprof__heat_row_of(grid, item);
    return item < grid->named
               ? row * grid->named_px
               : (double)grid->named * grid->named_px + grid->gap_px + row * grid->row_px;
}

double mprof__heat_row_height(const mprof__heat_grid *grid, size_t item)
{
    return item < grid->named ? grid->named_px : grid->row_px;
}

uint8_t mprof__shade_of(const mprof__ramp *ramp, double mib)
{
    if (isnan(mib)) {
        return MPROF_SHADE_NONE;
    }
    if (mib > ramp->high_mib * (1 + 1e-6)) { /* members are kept as floats */
        return MPROF_SHADE_ABOVE;
    }
    double share = ramp->is_log ? log(fmax(mib, ramp->low_mib) / ramp->low_mib) /
                                      log(ramp->high_mib / ramp->low_mib)
                                : (mib - ramp->low_mib) / (ramp->high_mib - ramp->low_mib);
    share = fmin(fmax(share, 0), 1);
    return (uint8_t)(1 + lround(share * (MPROF_SHADE_MAX - 1)));
}

/* ---- the page ---- */

struct page {
    mprof__layout *layout;
    mprof__members *members;
    mprof__heat_grid grid;
    mprof__ramp ramp;
    mprof_box heat;  /* of all rows */
    mprof_box bars;  /* width 0: none */
    double band_px;  /* 0: none */
    double key_px;   /* 0: none */
    double names_px; /* left of the rows */
};

static mprof__ramp choose_ramp(const mprof__layout *layout, const mprof__members *members)
{
    const double *wanted = layout->options->memory_mib;
    mprof__ramp ramp = {0, mprof__most_mib(members, RAMP_SHARE), layout->options->log != 0};
    if (ramp.is_log) {
        double low = isfinite(members->lowest_mib) ? members->lowest_mib : ramp.high_mib / 2;
        ramp.low_mib = fmax(fmin(low, ramp.high_mib / 2), ramp.high_mib / LOG_DECADES);
    }
    if (wanted[1] > wanted[0]) {
        ramp.low_mib = wanted[0];
        ramp.high_mib = wanted[1];
    }
    return ramp;
}

/* Sets the cells of the members [first, end), several of which may share a row: the highest counts.
 */
static void fill_cells(const struct page *page, size_t first, size_t end, uint8_t *shades)
{
    const mprof__members *members = page->members;
    size_t columns = members->column_count;
    for (size_t item = first; shades && item < end; item++) {
        const float *high = mprof__member_row(members, members->high, item);
        uint8_t *row = shades + mprof__heat_row_of(&page->grid, item) * columns;
        for (size_t i = 0; i < columns; i++) {
            uint8_t shade = mprof__shade_of(&page->ramp, (double)high[i]);
            row[i] = shade > row[i] ? shade : row[i];
        }
    }
}

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

static mprof_box row_box(const struct page *page, size_t item)
{
    return (mprof_box){page->heat.x, page->heat.y + mprof__heat_y(&page->grid, item),
                       page->heat.width, mprof__heat_row_height(&page->grid, item)};
}

/* What a screen reader says of the cells. */
static uint32_t about_rows(const struct page *page, size_t first, size_t end)
{
    const mprof__members *members = page->members;
    char text[400], high[48], low[48];
    mprof_unit unit = page->layout->options->unit;
    snprintf(text, sizeof text, "%zu %s, the highest peak first: %s to %s", end - first,
             mprof__member_noun(members->kind, end - first),
             mprof__memory_text_in(high, sizeof high, unit, members->items[first].peak_mib),
             mprof__memory_text_in(low, sizeof low, unit, members->items[end - 1].peak_mib));
    return mprof__add_about(page->layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE},
                            text);
}

static void draw_rows(struct page *page)
{
    const mprof__members *members = page->members;
    mprof_figure *figure = page->layout->figure;
    uint32_t columns = (uint32_t)members->column_count;
    size_t named = page->grid.named;
    mprof__begin_group(figure, MPROF_GROUP_HEAT);
    if (named > 0) {
        mprof_box box = {page->heat.x, page->heat.y, page->heat.width,
                         (double)named * page->grid.named_px};
        fill_cells(
            page, 0, named,
            mprof__add_cells(figure, box, columns, (uint32_t)named, about_rows(page, 0, named)));
    }
    if (members->count > named) {
        mprof_box box = row_box(page, named);
        box.height = (double)page->grid.rows * page->grid.row_px;
        fill_cells(page, named, members->count,
                   mprof__add_cells(figure, box, columns, (uint32_t)page->grid.rows,
                                    about_rows(page, named, members->count)));
    }
}

/* Whether the member ended badly within the time that is shown. */
static bool has_bad_end(const struct page *page, size_t item)
{
    double end_s = page->members->items[item].end_s;
    return end_s >= page->layout->from_s && end_s <= page->layout->to_s;
}

static bool has_bad_ends(const struct page *page)
{
    size_t item = 0;
    while (item < page->members->count && !has_bad_end(page, item)) {
        item++;
    }
    return item < page->members->count;
}

/* Of several members that share a row, the first one. */
static void draw_ends(const struct page *page)
{
    const mprof__layout *layout = page->layout;
    double last_y = -INFINITY;
    for (size_t item = 0; item < page->members->count; item++) {
        mprof_box box = row_box(page, item);
        double y = box.y + box.height / 2;
        if (!has_bad_end(page, item) || y == last_y) {
            continue;
        }
        double share =
            (page->members->items[item].end_s - layout->from_s) / (layout->to_s - layout->from_s);
        mprof__add_dot(layout->figure, MPROF_ROLE_MEMBER_END, MPROF_COLOUR_NONE,
                       box.x + box.width * share, y,
                       fmax(END_LEAST_PX, fmin(box.height / 2 - 1, END_MOST_PX)));
        last_y = y;
    }
}

/* ---- left of the rows ---- */

static size_t fit_row_name(const struct page *page, size_t item, char *text, size_t size)
{
    mprof_role role = item == 0 ? MPROF_ROLE_MEMBER_NAME_WORST : MPROF_ROLE_MEMBER_NAME;
    return mprof__fit_member_name(page->layout, role, text, size, page->members->items[item].name,
                                  NAME_MOST_PX);
}

static double names_width(const struct page *page)
{
    char text[300];
    double width = 0;
    for (size_t i = 0; i < page->grid.named; i++) {
        size_t length = fit_row_name(page, i, text, sizeof text);
        width = fmax(width,
                     mprof__text_width(page->layout, MPROF_ROLE_MEMBER_NAME_WORST, text, length));
    }
    return width;
}

static void draw_names(const struct page *page)
{
    char text[300];
    for (size_t i = 0; i < page->grid.named; i++) {
        bool is_worst = i == 0 && page->members->count > 1;
        size_t length = fit_row_name(page, i, text, sizeof text);
        mprof_box box = row_box(page, i);
        put_text(page->layout, is_worst ? MPROF_ROLE_MEMBER_NAME_WORST : MPROF_ROLE_MEMBER_NAME,
                 MPROF_ANCHOR_END, page->heat.x - NAME_GAP_PX, box.y + box.height - 2.5, text,
                 length);
    }
}

/* Which of the members, from the highest on, a row is. */
static void draw_numbers(const struct page *page)
{
    static const double steps[] = {1, 2, 5, 10};
    mprof_figure *figure = page->layout->figure;
    size_t count = page->members->count, named = page->grid.named;
    if (count <= named) {
        return;
    }
    double px = page->grid.row_px / (double)page->grid.per_row, least = TICK_LEAST_PX / px;
    double power = pow(10, floor(log10(fmax(1, least))));
    size_t step = 0;
    for (size_t i = 0; !step || (double)step < least; i++) {
        step = (size_t)(steps[i] * power);
    }
    for (size_t n = step; n <= count; n += step) {
        char text[32];
        if (n <= named) {
            continue;
        }
        mprof_box box = row_box(page, n - 1);
        double y = floor(box.y + box.height / 2) + 0.5;
        if (y > page->heat.y + page->heat.height - 16 || box.y < row_box(page, named).y + 8) {
            continue;
        }
        mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                           (mprof__segment){page->heat.x - TICK_PX - 1, y, page->heat.x - 1, y});
        mprof__count_text(text, sizeof text, n);
        put_text(page->layout, MPROF_ROLE_TICK, MPROF_ANCHOR_END, page->heat.x - NAME_GAP_PX,
                 y + 3.5, text, strlen(text));
    }
    char last[300];
    size_t length = mprof__fit_member_name(page->layout, MPROF_ROLE_MEMBER_NAME, last, sizeof last,
                                           page->members->items[count - 1].name, page->names_px);
    put_text(page->layout, MPROF_ROLE_MEMBER_NAME, MPROF_ANCHOR_END, page->heat.x - NAME_GAP_PX,
             page->heat.y + page->heat.height, last, length);
}

/* ---- right of the rows ---- */

/* The peak of each row; bars beyond the axis are cut. */
static void draw_bars(const struct page *page)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    const mprof__members *members = page->members;
    const mprof_box *bars = &page->bars;
    double top_mib = fmin(members->highest_mib, mprof__most_mib(members, 1) * 1.02);
    char text[96], memory[48];
    if (!(bars->width > 0)) {
        return;
    }
    double px_per_mib = bars->width / fmax(top_mib, 1e-9);
    mprof__begin_group(figure, MPROF_GROUP_PEAK_PARTS);
    for (size_t part = 0; part < 2; part++) {
        size_t begin = part ? page->grid.named : 0, end = part ? members->count : page->grid.named;
        size_t first = figure->point_count;
        if (begin == end) {
            continue;
        }
        mprof__add_path_point(figure, bars->x, row_box(page, begin).y);
        for (size_t i = begin; i < end; i += part ? page->grid.per_row : 1) {
            mprof_box box = row_box(page, i);
            double x = bars->x + fmin(members->items[i].peak_mib * px_per_mib, bars->width);
            mprof__add_path_point(figure, x, box.y);
            mprof__add_path_point(figure, x, box.y + box.height);
        }
        mprof_box last = row_box(page, end - 1);
        mprof__add_path_point(figure, bars->x, last.y + last.height);
        mprof__add_path(figure, MPROF_SHAPE_AREA, MPROF_ROLE_PEAK_PART, MPROF_COLOUR_NONE, first,
                        MPROF_ABOUT_NONE);
    }
    snprintf(text, sizeof text, "peak of each %s", mprof__member_noun(members->kind, 1));
    mprof__add_caption(layout, text, bars->x, bars->y - 5, bars->width);
    double median = mprof__member_peak_median(members);
    double x = floor(bars->x + median * px_per_mib) + 0.5;
    mprof__add_segment(figure, MPROF_ROLE_LEADER, MPROF_COLOUR_NONE,
                       (mprof__segment){x, bars->y, x, bars->y + bars->height});
    snprintf(text, sizeof text, "median %s",
             mprof__memory_text_in(memory, sizeof memory, layout->options->unit, median));
    double y = bars->y + bars->height + figure->sizes.tick_y;
    mprof__add_caption(layout, text, bars->x, y, bars->width + figure->sizes.margin / 2);
    bool is_cut = members->highest_mib > top_mib * 1.001;
    mprof__memory_text_in(memory, sizeof memory, layout->options->unit, members->highest_mib);
    snprintf(text, sizeof text, "%s%s", is_cut ? "\xE2\x86\x92 " : "", memory);
    mprof_box box = row_box(page, 0);
    if (box.height >= NAMED_PX) {
        put_text(layout, MPROF_ROLE_MEMBER_PEAK_WORST, MPROF_ANCHOR_END, bars->x + bars->width - 3,
                 box.y + box.height - 2.5, text, strlen(text));
    }
}

/* ---- below ---- */

static void key_words(const struct page *page, char *text, size_t size)
{
    const mprof__members *members = page->members;
    const char *noun = mprof__member_noun(members->kind, 1);
    char count[32], column[48];
    int used = snprintf(text, size, "Memory of a %s. ", noun);
    if (members->highest_mib > page->ramp.high_mib * 1.001) {
        used += snprintf(text + used, size - (size_t)used, "Last colour: above that. ");
    }
    if (page->layout->options->memory_mib[1] > 0 && page->ramp.low_mib > 0) {
        used += snprintf(text + used, size - (size_t)used, "First colour: that or less. ");
    }
    if (has_bad_ends(page)) {
        used += snprintf(text + used, size - (size_t)used, "Red dot: an abnormal end. ");
    }
    used += snprintf(text + used, size - (size_t)used, "Blank: not running. ");
    if (page->grid.per_row > 1) {
        used += snprintf(text + used, size - (size_t)used, "A row is the highest of %s %s, ",
                         mprof__count_text(count, sizeof count, page->grid.per_row),
                         mprof__member_noun(members->kind, 2));
    } else {
        used += snprintf(text + used, size - (size_t)used, "A row is one %s, ", noun);
    }
    snprintf(text + used, size - (size_t)used, "a column the highest of %s.",
             page->layout->is_share ? "a part of the time"
                                    : mprof__duration_text(column, sizeof column, members->step_s));
}

static void draw_key(const struct page *page, double y)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    char text[400];
    double right = figure->width_px - figure->sizes.margin;
    double width = fmin(KEY_BAR_PX, (right - page->heat.x) / 3);
    if (!(page->key_px > 0)) {
        return;
    }
    mprof__begin_group(figure, MPROF_GROUP_LEGEND);
    uint8_t *shades = mprof__add_cells(figure, (mprof_box){page->heat.x, y, width, KEY_HEIGHT_PX},
                                       KEY_CELLS, 1, MPROF_ABOUT_NONE);
    bool has_above = page->members->highest_mib > page->ramp.high_mib * 1.001;
    size_t ramp = (size_t)(KEY_CELLS * (1 - (has_above ? KEY_ALERT_SHARE : 0)));
    for (size_t i = 0; shades && i < KEY_CELLS; i++) {
        shades[i] =
            i < ramp ? (uint8_t)(1 + lround((double)i / (double)(ramp - 1) * (MPROF_SHADE_MAX - 1)))
                     : MPROF_SHADE_ABOVE;
    }
    double text_y = y + KEY_HEIGHT_PX + 11;
    double end_x = page->heat.x + width * (double)ramp / KEY_CELLS;
    snprintf(text, sizeof text, "0");
    if (page->ramp.low_mib > 0) {
        mprof__memory_text_in(text, sizeof text, layout->options->unit, page->ramp.low_mib);
    }
    put_text(layout, MPROF_ROLE_MEMBER_PEAK, MPROF_ANCHOR_START, page->heat.x, text_y, text,
             strlen(text));
    mprof__memory_text_in(text, sizeof text, layout->options->unit, page->ramp.high_mib);
    put_text(layout, MPROF_ROLE_MEMBER_PEAK, MPROF_ANCHOR_END, end_x, text_y, text, strlen(text));
    key_words(page, text, sizeof text);
    double x = page->heat.x + width + 12;
    mprof__add_caption(layout, text, x, y + KEY_HEIGHT_PX + 1, right - x);
}

/* ---- all of it ---- */

static void draw_band(const struct page *page)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    double y = floor(layout->plot.y + layout->plot.height) + 0.5;
    if (!(page->band_px > 0)) {
        return;
    }
    mprof__draw_memory_axis(layout);
    mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE,
                       (mprof__segment){layout->plot.x, y, layout->plot.x + layout->plot.width, y});
    mprof__draw_rank_band(layout, page->members);
}

static void draw_time_axis(const struct page *page)
{
    mprof_box plot = page->layout->plot;
    page->layout->plot = page->heat;
    mprof__draw_time_axis(page->layout, page->heat.y + page->heat.height);
    page->layout->plot = plot;
}

static mprof_status draw(struct page *page)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    double below = page->heat.y + page->heat.height;
    mprof__draw_heading(layout);
    draw_band(page);
    draw_rows(page);
    draw_ends(page);
    draw_time_axis(page);
    mprof__begin_group(figure, MPROF_GROUP_LANE_NAMES);
    draw_names(page);
    draw_numbers(page);
    draw_bars(page);
    draw_key(page, below + figure->sizes.tick_row + 6);
    for (size_t i = 0; figure->member_table && i < page->members->count; i++) {
        mprof__add_place(layout, page->members, i, row_box(page, i));
    }
    if (figure->member_table) {
        figure->member_table->low_mib = page->ramp.low_mib;
        figure->member_table->high_mib = page->ramp.high_mib;
        figure->member_table->is_log = page->ramp.is_log;
        figure->member_table->is_heat = true;
    }
    figure->frame.bottom = below;
    return figure->status;
}

/* Heights first: rows, then the band if it leaves enough for them. */
static mprof_status divide_page(struct page *page, mprof_error *error)
{
    mprof__layout *layout = page->layout;
    mprof_figure *figure = layout->figure;
    const mprof__page_sizes *sizes = &figure->sizes;
    bool grows = layout->options->grow;
    page->key_px = layout->options->without & MPROF_PART_LEGEND ? 0 : sizes->small ? 0 : KEY_PX;
    double rest = sizes->head + sizes->tick_row + page->key_px + sizes->foot;
    double both_px = figure->height_px - rest;
    page->band_px = floor(fmin(sizes->small ? SMALL_BAND_PX : BAND_PX, both_px * BAND_SHARE));
    page->band_px = page->band_px < BAND_LEAST_PX ? 0 : page->band_px;
    double band_px = page->band_px > 0 ? page->band_px + BAND_GAP_PX : 0;
    double room = both_px - band_px;
    if (room < sizes->plot_least) {
        return mprof__page_is_too_small(layout, error);
    }
    page->grid = mprof__heat_grid_of(page->members->count, room, grows);
    if (grows) {
        figure->height_px = ceil(rest + band_px + page->grid.height_px);
    } else if (page->band_px > 0) { /* rows have whole pixels: the band takes the rest */
        page->band_px += floor(room - page->grid.height_px);
        band_px = page->band_px + BAND_GAP_PX;
    }
    page->heat.y = sizes->head + band_px;
    page->heat.height = page->grid.height_px;
    page->names_px = sizes->small ? 0 : names_width(page);
    layout->plot.y = sizes->head;
    layout->plot.height = page->band_px > 0 ? page->band_px : 1;
    mprof__scale_many(layout, page->members, page->members->highest_mib, true);
    double names = page->names_px > 0 ? page->names_px + NAME_GAP_PX : 0;
    double gutter = page->band_px > 0 ? mprof__memory_gutter(layout) : 0;
    if (sizes->small && page->grid.named) {
        names = fmin(names_width(page), sizes->gutter_most) + NAME_GAP_PX;
        page->names_px = names - NAME_GAP_PX;
    }
    page->heat.x = ceil(sizes->margin + fmax(names, gutter));
    bool has_bars = !sizes->small && !(layout->options->without & MPROF_PART_LEGEND);
    page->heat.width =
        figure->width_px - sizes->margin - page->heat.x - (has_bars ? BARS_PX + BARS_GAP_PX : 0);
    page->bars = (mprof_box){page->heat.x + page->heat.width + BARS_GAP_PX, page->heat.y,
                             has_bars ? BARS_PX : 0, page->heat.height};
    layout->plot.x = page->heat.x;
    layout->plot.width = page->heat.width;
    layout->time = mprof__time_scale(layout);
    return MPROF_OK;
}

/* Reads the members with a column for each px of the rows, whose width depends on their names. */
static mprof_status read_members(struct page *page, size_t columns, mprof_error *error)
{
    mprof__layout *layout = page->layout;
    mprof_status status = mprof__members_init(page->members, layout, columns, error);
    if (status == MPROF_OK) {
        page->ramp = choose_ramp(layout, page->members);
        status = divide_page(page, error);
    }
    return status;
}

mprof_status mprof__draw_heat_page(mprof__layout *layout, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    mprof__members members;
    struct page page = {.layout = layout, .members = &members};
    double height = figure->height_px;
    mprof_status status = read_members(&page, FIRST_COLUMNS, error);
    if (status == MPROF_OK && page.heat.width >= 16) {
        size_t columns = (size_t)page.heat.width;
        mprof__members_dispose(&members);
        figure->height_px = height;
        page = (struct page){.layout = layout, .members = &members};
        status = read_members(&page, columns, error);
    }
    if (status == MPROF_OK) {
        status = mprof__describe_many(layout, &members);
    }
    if (status == MPROF_OK) {
        status = draw(&page);
    }
    mprof__members_dispose(&members);
    return status;
}
