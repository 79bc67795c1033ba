/* The chart shares the time axis with the curve. A lane is a thread, greenlet or task, and lanes
 * are grouped by process; with MPROF_BY_FUNCTION each function has a lane. */
#include "flame_chart.h"

#include "call_rows.h"
#include "crowded_boxes.h"
#include "fit_text.h"
#include "format_units.h"
#include "heading.h"
#include "layout.h"
#include "merged_calls.h"
#include "parse/array.h"
#include "peak_ticks.h"
#include "visible_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_PX 20.0 /* a process's name above its lanes */
#define LANE_GAP_PX 7.0
#define SMALL_LANE_GAP_PX 3.0
#define GUTTER_MAX_PX 170.0
#define GUTTER_GAP_PX 9.0
#define EDGE_PX 3.0
#define FINE_PX 2.5
#define NAMED_ROW_PX 13.0 /* lower rows have no captions */
#define PADDING_PX 5.0
#define LEAST_LETTERS 3
#define HEIGHT_MAX_PX 6000.0
#define TOOTH_PX 3.0
#define TICKED_ROW_PX 16.0 /* that has room for a short tick above the caption */
#define TICK_MOST_PX 4.0   /* of a tick at the peak, with the space in front */
#define SLANT_LEAST_PX 3.0 /* an interval below this has upright edges */
#define WING_COVER_PX 2.0  /* of the box, with its round corners */

/* A lane, or the line with the name of a group of lanes. */
struct entry {
    const mprof__figure_input *input;
    uint32_t lane;
    int rows;  /* levels; 0: the name of a group */
    int shown; /* rows that have room */
    double y;  /* px from the top of all lanes; negative: hidden */
    char *name;
};

struct mprof__flame_chart {
    struct entry *entries;
    size_t count, room;
    double row_px;
    double height;
    double gutter;
    size_t hidden_lanes; /* lanes without room */
    size_t hidden_rows;  /* rows without room, of the last shown lane */
    bool small;          /* the page: lanes have no names, there is no line of a group */
};

void mprof__flame_chart_free(mprof__flame_chart *chart)
{
    if (!chart) {
        return;
    }
    for (size_t i = 0; i < chart->count; i++) {
        free(chart->entries[i].name);
    }
    free(chart->entries);
    free(chart);
}

static bool add_entry(mprof__flame_chart *chart, struct entry entry)
{
    if (!entry.name) {
        return false;
    }
    struct entry *entries =
        mprof__array_grow(chart->entries, chart->count, &chart->room, sizeof *entries);
    if (!entries) {
        free(entry.name);
        return false;
    }
    chart->entries = entries;
    entries[chart->count++] = entry;
    return true;
}

static bool has_several_processes(const mprof__figure_input *input)
{
    for (size_t i = 1; i < input->shown_lane_count; i++) {
        if (input->lanes[input->lane_order[i]].process !=
            input->lanes[input->lane_order[0]].process) {
            return true;
        }
    }
    return false;
}

/* The process; of several recordings also which. */
static char *group_name(const mprof__layout *layout, const mprof__figure_input *input,
                        const uint32_t *process)
{
    char text[200] = "", *whole = NULL;
    if (process) {
        mprof__process_text(text, sizeof text, input, *process);
    }
    if (layout->input_count < 2) {
        return strdup(text);
    }
    char name[240];
    mprof__recording_name(name, sizeof name, layout, input);
    if (asprintf(&whole, "%s%s%s", name, process ? "  \xC2\xB7  " : "", text) < 0) {
        whole = NULL;
    }
    return whole;
}

static bool add_group(mprof__layout *layout, mprof__flame_chart *chart,
                      const mprof__figure_input *input, const uint32_t *process)
{
    return add_entry(chart,
                     (struct entry){.input = input, .name = group_name(layout, input, process)});
}

static bool add_lane(mprof__flame_chart *chart, const mprof__figure_input *input, uint32_t lane,
                     const char *name)
{
    return add_entry(chart, (struct entry){.input = input,
                                           .lane = lane,
                                           .rows = input->lane_rows[lane],
                                           .name = strdup(name)});
}

static bool add_lanes(mprof__layout *layout, mprof__flame_chart *chart,
                      const mprof__figure_input *input)
{
    bool grouped = layout->input_count > 1 || has_several_processes(input);
    uint32_t process = UINT32_MAX;
    bool good = true;
    for (size_t i = 0; good && i < input->shown_lane_count; i++) {
        uint32_t index = input->lane_order[i];
        const mprof_lane *lane = &input->lanes[index];
        if (grouped && lane->process != process) {
            good = add_group(layout, chart, input, &lane->process);
        }
        process = lane->process;
        char *name = mprof__visible_text(lane->name, strlen(lane->name), 120);
        if (good) {
            good = name && add_lane(chart, input, index, *name || grouped ? name : "main");
        }
        free(name);
    }
    return good;
}

static bool add_functions(mprof__layout *layout, mprof__flame_chart *chart,
                          const mprof__figure_input *input)
{
    bool good = layout->input_count < 2 || add_group(layout, chart, input, NULL);
    for (size_t i = 0; good && i < input->shown_lane_count; i++) {
        uint32_t function = input->lane_order[i];
        good = add_lane(chart, input, function, input->function_labels[function]);
    }
    return good;
}

static double lane_gap(const mprof__flame_chart *chart)
{
    return chart->small ? SMALL_LANE_GAP_PX : LANE_GAP_PX;
}

static double group_height(const mprof__flame_chart *chart)
{
    return chart->small ? 0 : GROUP_PX;
}

static double height_with(const mprof__flame_chart *chart, double row_px)
{
    double height = 0;
    for (size_t i = 0; i < chart->count; i++) {
        height += chart->entries[i].rows ? chart->entries[i].rows * row_px + lane_gap(chart)
                                         : group_height(chart);
    }
    return height;
}

/* Many rows, or little room, make rows lower; lanes and rows that still do not fit are hidden and
 * counted. */
bool mprof__flame_chart_fit(mprof__flame_chart *chart, double most_px)
{
    static const double heights[] = {20, 16, 14, 10, 6, 4}, small_heights[] = {13, 9, 7, 5, 4, 3};
    const double *steps = chart->small ? small_heights : heights;
    size_t rows = 0, step = 0;
    for (size_t i = 0; i < chart->count; i++) {
        rows += (size_t)chart->entries[i].rows;
    }
    step = rows <= 40 ? 0 : rows <= 80 ? 1 : rows <= 160 ? 3 : 4;
    most_px = fmin(most_px, HEIGHT_MAX_PX);
    while (step + 1 < sizeof heights / sizeof *heights &&
           height_with(chart, steps[step]) > most_px) {
        step++;
    }
    chart->row_px = steps[step];
    chart->hidden_lanes = 0;
    double y = 0;
    chart->hidden_rows = 0;
    for (size_t i = 0; i < chart->count; i++) {
        struct entry *entry = &chart->entries[i];
        double height =
            entry->rows ? entry->rows * chart->row_px + lane_gap(chart) : group_height(chart);
        double room = most_px - y - group_height(chart) * (i + 1 < chart->count);
        entry->shown = entry->rows;
        if (!chart->hidden_lanes && entry->rows && height > room) {
            /* of a lane that is too high, the rows that fit */
            entry->shown =
                (int)fmax(0, floor((room - lane_gap(chart) - group_height(chart)) / chart->row_px));
            height = entry->shown * chart->row_px + lane_gap(chart);
            chart->hidden_rows = (size_t)(entry->rows - entry->shown);
        }
        if (chart->hidden_lanes || height > room || (entry->rows && !entry->shown)) {
            chart->hidden_lanes += entry->rows > 0;
            entry->y = -1;
            continue;
        }
        entry->y = y;
        y += height;
    }

    chart->height = y + (chart->hidden_lanes || chart->hidden_rows ? group_height(chart) : 0);
    return !chart->hidden_lanes && !chart->hidden_rows &&
           (chart->row_px >= NAMED_ROW_PX || rows > 80);
}

mprof__flame_chart *mprof__flame_chart_new(mprof__layout *layout)
{
    mprof__flame_chart *chart = calloc(1, sizeof *chart);
    if (!chart) {
        return NULL;
    }
    chart->small = layout->figure->sizes.small;
    for (size_t i = 0; i < layout->input_count; i++) {
        if (layout->options->order == MPROF_BY_FUNCTION
                ? !add_functions(layout, chart, &layout->inputs[i])
                : !add_lanes(layout, chart, &layout->inputs[i])) {
            mprof__flame_chart_free(chart);
            return NULL;
        }
    }
    mprof__flame_chart_fit(chart, INFINITY);
    if (chart->small) {
        return chart;
    }
    for (size_t i = 0; i < chart->count; i++) {
        if (chart->entries[i].rows) {
            chart->gutter = fmax(chart->gutter, mprof__text_width(layout, MPROF_ROLE_LANE_NAME,
                                                                  chart->entries[i].name,
                                                                  strlen(chart->entries[i].name)));
        }
    }
    chart->gutter = fmin(chart->gutter, GUTTER_MAX_PX) + GUTTER_GAP_PX;
    return chart;
}

double mprof__flame_chart_height(const mprof__flame_chart *chart)
{
    return chart->height;
}

double mprof__flame_chart_gutter(const mprof__flame_chart *chart)
{
    return chart->gutter;
}

struct chart_pen {
    mprof__layout *layout;
    const mprof__figure_input *input;
    const double *lane_y; /* px, per lane; negative: hidden */
    const int *lane_rows; /* shown ones, per lane */
    double row_px;
};

struct caption {
    const char *name; /* empty if the lane is named after the function */
    char duration[64], change[32];
    uint64_t call_count;
};

/* Each further step is shorter. */
static void caption_text(char *text, size_t size, const struct caption *caption, int step)
{
    const char *gap = *caption->name ? "  " : "";
    if (caption->call_count > 1 && step == 0) {
        snprintf(text, size, "%s%s\xC3\x97%llu", caption->name, gap,
                 (unsigned long long)caption->call_count);
    } else if (caption->call_count == 1 && step == 0) {
        snprintf(text, size, "%s%s%s  %s", caption->name, gap, caption->duration, caption->change);
    } else if (caption->call_count == 1 && step == 1) {
        snprintf(text, size, "%s%s%s", caption->name, gap, caption->duration);
    } else {
        snprintf(text, size, "%s", caption->name);
    }
}

/* Where a caption has room in a box: beside the tick of the peak, if that is in the box. */
struct caption_room {
    double left, width; /* all of it */
    double before,
        right; /* up to the tick, and where it goes on; without a tick both are as above */
};

static struct caption_room caption_room(mprof_box box, double tick_end)
{
    double left = box.x + EDGE_PX + PADDING_PX, end = box.x + box.width - PADDING_PX;
    struct caption_room room = {left, end - left, end - left, left};
    if (tick_end > left) {
        room.before = tick_end - TICK_MOST_PX - PADDING_PX - left;
        room.right = tick_end + PADDING_PX;
    }
    return room;
}

static double widest_part(const struct caption_room *room)
{
    return fmax(room->before, room->left + room->width - room->right);
}

/* Name, duration and change of memory; if that is too wide without the change, then the name alone,
 * then cut. Where the tick of the peak leaves no room for name and duration, it becomes short.
 * tick_end: its right edge; NAN: the box has none. */
static void draw_caption(struct chart_pen *pen, const mprof__merged_call *call, mprof_box box,
                         double tick_end)
{
    mprof__layout *layout = pen->layout;
    const mprof_span *span = &pen->input->spans[call->span];
    const char *label = pen->input->function_labels[span->function];
    char text[400];
    struct caption_room place = caption_room(box, tick_end);
    if (pen->row_px < NAMED_ROW_PX || place.width < 8) {
        return;
    }
    bool named = layout->options->order == MPROF_BY_PROCESS; /* else the lane has the name */
    struct caption caption = {.name = named ? label : "", .call_count = call->call_count};
    mprof__unsure_duration_text(caption.duration, sizeof caption.duration,
                                span->exit.time_s - span->enter.time_s,
                                2 * (double)span->sampled_s);
    mprof__change_text_in(caption.change, sizeof caption.change, layout->options->unit,
                          span->exit.mib - span->enter.mib);
    double width = INFINITY, room = widest_part(&place);
    size_t length = 0;
    bool is_over_tick = false;
    /* from the shortest on, because most boxes have room for no more, and a minus sign is not
     * ASCII, which takes a hundred times longer to measure */
    for (int step = 2; step >= 0; step--) {
        char longer[sizeof text];
        caption_text(longer, sizeof longer, &caption, step);
        size_t longer_length = strlen(longer);
        double longer_width = mprof__text_width(layout, MPROF_ROLE_BOX_NAME, longer, longer_length);
        bool needs_all = step == 2 || (step == 1 && longer_width <= place.width);
        if (longer_width > room && needs_all && box.height >= TICKED_ROW_PX) {
            is_over_tick = room < place.width;
            room = place.width;
        }
        if (longer_width > room) {
            break;
        }
        width = longer_width;
        length = longer_length;
        memcpy(text, longer, length + 1);
    }
    if (width > room && !named) {
        return;
    }
    if (width > room) {
        length = mprof__fit_text(layout, MPROF_ROLE_BOX_NAME, text, sizeof text, label, room);
        if (length < LEAST_LETTERS + 3) {
            return; /* too short to be read */
        }
        width = mprof__text_width(layout, MPROF_ROLE_BOX_NAME, text, length);
    }
    if (is_over_tick) {
        mprof__shorten_peak_tick(layout);
    }
    mprof__add_text(
        layout->figure,
        &(mprof__text_item){.role = MPROF_ROLE_BOX_NAME,
                            .colour = MPROF_COLOUR_NONE,
                            .x = is_over_tick || width <= place.before ? place.left : place.right,
                            .y = box.y + box.height / 2 + 4,
                            .width = width,
                            .text = text,
                            .length = length});
}

/* A call that never returned has teeth for its right edge. */
static void draw_open_end(mprof__layout *layout, int colour, mprof_box box)
{
    size_t first = layout->figure->point_count;
    double right = box.x + box.width;
    int teeth = (int)fmax(2, floor(box.height / TOOTH_PX));
    for (int i = 0; i <= teeth; i++) {
        mprof__add_path_point(layout->figure, right - (i % 2 ? TOOTH_PX : 0),
                              box.y + box.height * i / teeth);
    }
    mprof__add_path(layout->figure, MPROF_SHAPE_LINE, MPROF_ROLE_BOX_OPEN, colour, first,
                    MPROF_ABOUT_NONE);
}

/* Half of the interval in which a call of sampled stacks began, and in which it ended, in px; 0: it
 * is exact, or the interval would not be seen. */
static double slant_of(const struct chart_pen *pen, const mprof__merged_call *call)
{
    const mprof__layout *layout = pen->layout;
    double seconds = (double)pen->input->spans[call->span].sampled_s * pen->input->stretch;
    double half_px = seconds / (layout->to_s - layout->from_s) * layout->time.extent;
    return call->call_count > 1 || 2 * half_px < SLANT_LEAST_PX ? 0 : half_px;
}

static void add_quad(mprof_figure *figure, mprof_role role, int colour, const double x[4],
                     mprof_box box)
{
    size_t first = figure->point_count;
    mprof__add_path_point(figure, x[0], box.y);
    mprof__add_path_point(figure, x[1], box.y);
    mprof__add_path_point(figure, x[2], box.y + box.height);
    mprof__add_path_point(figure, x[3], box.y + box.height);
    mprof__add_path(figure, MPROF_SHAPE_AREA, role, colour, first, MPROF_ABOUT_NONE);
}

/* At the top where it certainly ran, at the bottom where it may have run. box: the middle, with
 * upright edges. */
static void draw_slanted(struct chart_pen *pen, const mprof__merged_call *call, mprof_box box,
                         double slant)
{
    const mprof__layout *layout = pen->layout;
    mprof_figure *figure = pen->layout->figure;
    int colour = pen->input->function_colours[pen->input->spans[call->span].function];
    double left = box.x, right = box.x + box.width, cover = fmin(WING_COVER_PX, box.width);
    double first = fmax(left - 2 * slant, layout->lanes.x);
    double last = fmin(right + 2 * slant, layout->lanes.x + layout->lanes.width);
    if (!call->cut_left) {
        const double wing[4] = {left, left + cover, left + cover, first};
        const double edge[4] = {left, left + EDGE_PX, first + EDGE_PX, first};
        add_quad(figure, MPROF_ROLE_BOX_WING, colour, wing, box);
        add_quad(figure, MPROF_ROLE_BOX_EDGE, colour, edge, box);
    }
    if (!call->cut_right) {
        const double wing[4] = {right - cover, right, last, right - cover};
        add_quad(figure, MPROF_ROLE_BOX_WING, colour, wing, box);
    }
}

static void draw_box(void *data, const mprof__merged_call *call)
{
    struct chart_pen *pen = data;
    mprof_figure *figure = pen->layout->figure;
    double y = pen->lane_y[call->lane];
    if (y < 0 || (int64_t)call->row >= pen->lane_rows[call->lane]) {
        return;
    }
    int colour = pen->input->function_colours[pen->input->spans[call->span].function];
    double gap = call->x1 - call->x0 >= 3 ? 1 : 0;
    mprof_box box = {call->x0, y + call->row * pen->row_px, fmax(call->x1 - call->x0 - gap, 0.5),
                     pen->row_px - 1};
    double tick_end = mprof__add_peak_tick(pen->layout, pen->input, call, box);
    double slant = slant_of(pen, call);
    if (slant > 0) { /* the part in which it certainly ran, at least a line in the middle */
        double x0 = call->x0 + (call->cut_left ? 0 : slant);
        double x1 = call->x1 - (call->cut_right ? 0 : slant), middle = (x0 + x1) / 2;
        box.x = fmin(x0, middle - 0.25);
        box.width = fmax(x1 - x0, 0.5);
    }
    bool fine = box.width < FINE_PX && !(slant > 0);
    mprof__add_rect(figure, fine ? MPROF_ROLE_BOX_FINE : MPROF_ROLE_BOX, colour, box,
                    mprof__about_merged_call(pen->layout, pen->input, call));
    if (slant > 0) {
        draw_slanted(pen, call, box, slant);
    }
    if (!fine && !call->cut_left && !(slant > 0)) {
        mprof__add_rect(figure, MPROF_ROLE_BOX_EDGE, colour,
                        (mprof_box){box.x, box.y, fmin(EDGE_PX, box.width / 3), box.height},
                        MPROF_ABOUT_NONE);
    }
    if (call->open && box.width >= 2 * EDGE_PX) {
        draw_open_end(pen->layout, colour, box);
    }
    draw_caption(pen, call, box, tick_end);
}

static void draw_names(mprof__layout *layout, const mprof__flame_chart *chart)
{
    mprof_figure *figure = layout->figure;
    char text[200];
    mprof__begin_group(figure, MPROF_GROUP_LANE_NAMES);
    if (chart->small) {
        return;
    }
    for (size_t i = 0; i < chart->count; i++) {
        const struct entry *entry = &chart->entries[i];
        double y = layout->lanes.y + entry->y;
        if (entry->y < 0) {
            continue;
        }
        if (!entry->rows) {
            size_t length = mprof__fit_text(layout, MPROF_ROLE_LANE_GROUP, text, sizeof text,
                                            entry->name, layout->lanes.width);
            mprof__add_segment(figure, MPROF_ROLE_LANE_RULE, MPROF_COLOUR_NONE,
                               (mprof__segment){layout->lanes.x, y + 1,
                                                layout->lanes.x + layout->lanes.width, y + 1});
            mprof__add_measured_text(layout, (mprof__text_item){.role = MPROF_ROLE_LANE_GROUP,
                                                                .colour = MPROF_COLOUR_NONE,
                                                                .x = layout->lanes.x,
                                                                .y = y + 15,
                                                                .text = text,
                                                                .length = length});
            continue;
        }
        size_t length = mprof__fit_text(layout, MPROF_ROLE_LANE_NAME, text, sizeof text,
                                        entry->name, GUTTER_MAX_PX);
        mprof__add_measured_text(layout,
                                 (mprof__text_item){.role = MPROF_ROLE_LANE_NAME,
                                                    .colour = MPROF_COLOUR_NONE,
                                                    .anchor = MPROF_ANCHOR_END,
                                                    .x = layout->lanes.x - GUTTER_GAP_PX,
                                                    .y = y + fmin(chart->row_px, 20) / 2 + 4,
                                                    .text = text,
                                                    .length = length});
    }
    if (chart->hidden_lanes || chart->hidden_rows) {
        int length = chart->hidden_lanes
                         ? snprintf(text, sizeof text, "+ %zu more lane%s", chart->hidden_lanes,
                                    chart->hidden_lanes == 1 ? "" : "s")
                         : snprintf(text, sizeof text, "+ %zu deeper level%s", chart->hidden_rows,
                                    chart->hidden_rows == 1 ? "" : "s");
        mprof__add_measured_text(layout,
                                 (mprof__text_item){.role = MPROF_ROLE_LEGEND_MORE,
                                                    .colour = MPROF_COLOUR_NONE,
                                                    .x = layout->lanes.x,
                                                    .y = layout->lanes.y + chart->height - 5,
                                                    .text = text,
                                                    .length = (size_t)length});
    }
}

/* Sets y and the number of shown rows of each lane; the caller frees both. False: no memory. */
static bool locate_lanes(const mprof__layout *layout, const mprof__flame_chart *chart,
                         const mprof__figure_input *input, double **lane_y, int **lane_rows)
{
    size_t lanes = mprof__lane_count(layout, input);
    *lane_y = malloc((lanes + 1) * sizeof **lane_y);
    *lane_rows = calloc(lanes + 1, sizeof **lane_rows);
    if (!*lane_y || !*lane_rows) {
        return false;
    }
    for (size_t i = 0; i < lanes; i++) {
        (*lane_y)[i] = -1;
    }
    for (size_t i = 0; i < chart->count; i++) {
        const struct entry *entry = &chart->entries[i];
        if (entry->input != input || !entry->rows || entry->y < 0) {
            continue;
        }
        (*lane_y)[entry->lane] = layout->lanes.y + entry->y;
        (*lane_rows)[entry->lane] = entry->shown;
    }
    return true;
}

/* All boxes of one recording, or all its crowded functions. */
static void draw_calls(mprof__layout *layout, const mprof__flame_chart *chart,
                       const mprof__figure_input *input, bool crowds)
{
    double *lane_y;
    int *lane_rows;
    mprof_status status = MPROF_ENOMEM;
    if (locate_lanes(layout, chart, input, &lane_y, &lane_rows)) {
        struct chart_pen pen = {layout, input, lane_y, lane_rows, chart->row_px};
        mprof__lane_places places = {lane_y, lane_rows, chart->row_px};
        status = MPROF_OK;
        if (crowds) {
            mprof__draw_crowded_boxes(layout, input, &places);
        } else {
            status = mprof__visit_merged_calls(layout, input, 1.0, draw_box, &pen);
        }
    }
    mprof__fail(layout->figure, status);
    free(lane_y);
    free(lane_rows);
}

double mprof__flame_chart_box_px(const mprof__flame_chart *chart)
{
    return chart->row_px - 1;
}

void mprof__draw_flame_chart(mprof__layout *layout, const mprof__flame_chart *chart)
{
    mprof__begin_group(layout->figure, MPROF_GROUP_STRIPS);
    for (size_t r = 0; r < layout->input_count; r++) {
        draw_calls(layout, chart, &layout->inputs[r], true);
    }
    mprof__begin_group(layout->figure, MPROF_GROUP_LANES);
    for (size_t r = 0; r < layout->input_count; r++) {
        draw_calls(layout, chart, &layout->inputs[r], false);
    }
    draw_names(layout, chart);
}
