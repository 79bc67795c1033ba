/* Writes the numbers that the script of an SVG works with: samples of the curves, calls of the
 * boxes, sets of running functions for the search, and what was sampled together at each tick.
 * script/data.js and script/items.js read them.
 *
 * Names come from recordings and can contain anything. They are escaped text in the <metadata>
 * element, never part of the script.
 */
#include "svg_data.h"
#include "interactive_assets.h"
#include "number_stream.h"
#include "render/figure/format_units.h"
#include "render/figure/layout.h"
#include "render/figure/member_table.h"
#include "render/figure/window_numbers.h"
#include "tree_data.h"
#include "window_data.h"
#include "xml.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define COLUMN_PX 4.0
#define STATE_STEPS 1e9 /* the unit of durations: this part of the time shown */

/* The units of times and of memory. */
struct quantum {
    double time_s, memory_mib;
};

struct stream {
    mprof_output *output;
    const mprof_figure *figure;
    const mprof_frame *frame;
    const mprof_point *points;
    struct quantum quantum;
    long long time, memory; /* of the last anchor, in units */
    uint32_t about;         /* of the last item that has one */
};

static void put_count(const struct stream *stream, uint64_t value)
{
    mprof__put_count(stream->output, value);
}

static void put_signed(const struct stream *stream, long long value)
{
    mprof__put_signed(stream->output, value);
}

/* A power of ten, as recorded times are decimal; about 1e-7 of the time shown. */
static double time_quantum(const mprof_frame *frame)
{
    return pow(10, ceil(log10(frame->to_s - frame->from_s)) - 7);
}

/* A power of two, as memory comes in pages; about 1e-6 of the memory axis. */
static double memory_quantum(const mprof_frame *frame)
{
    return exp2(ceil(log2(frame->high_mib - frame->low_mib)) - 20);
}

static long long time_steps(const struct stream *stream, double time_s)
{
    return llround((time_s - stream->frame->from_s) / stream->quantum.time_s);
}

static long long memory_steps(const struct stream *stream, double mib)
{
    return llround((mib - stream->frame->low_mib) / stream->quantum.memory_mib);
}

/* Pixels are floats, exact to 1e-7 of the axis, so values from them are as good as the samples. */
static double time_at(const mprof_frame *frame, float x)
{
    return frame->from_s +
           ((double)x - frame->plot.x) / frame->plot.width * (frame->to_s - frame->from_s);
}

/* On a linear axis; of a logarithmic one its place, which the script turns into memory. */
static double memory_at(const mprof_frame *frame, float y)
{
    return frame->low_mib + (frame->plot.y + frame->plot.height - (double)y) / frame->plot.height *
                                (frame->high_mib - frame->low_mib);
}

static void put_anchor(struct stream *stream, float x, float y)
{
    long long time = time_steps(stream, time_at(stream->frame, x));
    long long memory = memory_steps(stream, memory_at(stream->frame, y));
    put_signed(stream, time - stream->time);
    put_signed(stream, memory - stream->memory);
    stream->time = time;
    stream->memory = memory;
}

/* True for the area below the next line: it has the same points, and two more on the axis. */
static bool is_area_below(const struct stream *stream, const mprof_item *item,
                          const mprof_item *next)
{
    return item->shape == MPROF_SHAPE_AREA && next && next->shape == MPROF_SHAPE_LINE &&
           item->count == next->count + 2 &&
           memcmp(&stream->points[item->first], &stream->points[next->first],
                  next->count * sizeof *stream->points) == 0;
}

/* True if the path itself is as exact as the script needs it: tooltips of processes take their
 * values from the ticks, and the many shapes of crowded calls in a flame chart have no more detail
 * when they are enlarged; their tooltips round shares of time. */
static bool is_drawn_exactly(const struct stream *stream, const mprof_item *item)
{
    bool is_dense = item->count > stream->frame->plot.width && !item->anchor;
    bool is_crowd = item->role == MPROF_ROLE_DENSITY && stream->frame->lanes.height > 0;
    return is_crowd || (is_dense && item->role == MPROF_ROLE_CHILD);
}

static void put_points(struct stream *stream, const mprof_item *item, const mprof_item *next)
{
    if (is_area_below(stream, item, next)) {
        put_count(stream, 0);
        return;
    }
    if (is_drawn_exactly(stream, item)) {
        put_count(stream, 1);
        return;
    }
    put_count(stream, item->count);
    put_count(stream, item->shape == MPROF_SHAPE_LINE ? item->anchor : 0);
    for (uint32_t i = 0; i < item->count; i++) {
        put_anchor(stream, stream->points[item->first + i].x, stream->points[item->first + i].y);
    }
}

static void put_about_step(struct stream *stream, const mprof_item *item)
{
    if (item->about == MPROF_ABOUT_NONE) {
        put_count(stream, 0);
        return;
    }
    long long step = (long long)item->about - (long long)stream->about;
    put_count(stream, step < 0 ? 2 * (uint64_t)-step : 2 * (uint64_t)step + 1);
    stream->about = item->about;
}

/* For each element of the groups on the time axis: 0 for no about, 1 + 2n or 2n for the about n
 * places later or earlier; then its place, if it is on the memory axis too, or of a line the number
 * of its points, mprof_cut, and the points. 0 points: those of the next line; 1: those of the path.
 */
static void put_items(struct stream *stream)
{
    size_t group_count, item_count;
    const mprof_group *groups = mprof_figure_groups(stream->figure, &group_count);
    const mprof_item *items = mprof_figure_items(stream->figure, &item_count);
    for (size_t g = 0; g < group_count; g++) {
        mprof_group_kind kind = groups[g].kind;
        if (kind < MPROF_GROUP_CURVES || kind > MPROF_GROUP_LANES) {
            continue;
        }
        for (uint32_t i = 0; i < groups[g].count; i++) {
            const mprof_item *item = &items[groups[g].first + i];
            const mprof_item *next = i + 1 < groups[g].count ? item + 1 : NULL;
            put_about_step(stream, item);
            if ((kind == MPROF_GROUP_CURVES || kind == MPROF_GROUP_STRIPS) &&
                (item->shape == MPROF_SHAPE_LINE || item->shape == MPROF_SHAPE_AREA)) {
                put_points(stream, item, next);
            } else if (kind == MPROF_GROUP_CURVES || kind == MPROF_GROUP_MARKS) {
                put_anchor(stream, item->x, item->y);
            }
        }
    }
}

/* Function + 1, or 0 if it is not about calls; then number of calls, open, start, duration, memory
 * at entry, change; for several calls also the set of their functions, as two words of bits. */
static void put_abouts(struct stream *stream)
{
    size_t count;
    const mprof_about *abouts = mprof_figure_abouts(stream->figure, &count);
    long long last = 0;
    for (size_t i = 0; i < count; i++) {
        const mprof_about *about = &abouts[i];
        if (about->function == MPROF_FUNCTION_NONE) {
            put_count(stream, 0);
            continue;
        }
        long long start = time_steps(stream, about->start_s);
        long long enter = memory_steps(stream, about->enter_mib);
        put_count(stream, (uint64_t)about->function + 1);
        put_count(stream, about->calls);
        put_count(stream, about->open != 0);
        put_signed(stream, start - last);
        put_signed(stream, time_steps(stream, about->end_s) - start);
        put_signed(stream, enter);
        put_signed(stream, memory_steps(stream, about->exit_mib) - enter);
        if (about->calls > 1) {
            put_count(stream, about->functions & 0xFFFFFFFFu);
            put_count(stream, about->functions >> 32);
        }
        last = start;
    }
}

/* How uncertain start and end of each about are, in microseconds; nothing if all are exact. */
static void put_sampled(const struct stream *stream)
{
    size_t count, sampled = 0;
    const mprof_about *abouts = mprof_figure_abouts(stream->figure, &count);
    for (size_t i = 0; i < count; i++) {
        sampled += abouts[i].sampled_s > 0;
    }
    if (sampled == 0) {
        return;
    }
    mprof__put(stream->output, "\",\n\"sampled\":\"");
    for (size_t i = 0; i < count; i++) {
        put_count(stream,
                  abouts[i].sampled_s > 0 ? (uint64_t)llround(abouts[i].sampled_s * 1e6) : 0);
    }
}

/* For each set of functions that ran together: duration, number of functions, their indexes. */
static void put_states(struct stream *stream)
{
    size_t count, member_count;
    const mprof_state *states = mprof_figure_states(stream->figure, &count);
    const uint32_t *members = mprof_figure_state_members(stream->figure, &member_count);
    double whole = stream->frame->to_s - stream->frame->from_s;
    for (size_t i = 0; i < count; i++) {
        put_count(stream, (uint64_t)llround(states[i].seconds / whole * STATE_STEPS));
        put_count(stream, states[i].count);
        for (uint32_t m = 0; m < states[i].count; m++) {
            put_count(stream, members[states[i].first + m]);
        }
    }
}

/* From value *at on, which is the first of the track. */
static void put_track(struct stream *stream, const mprof_tick_value *values, size_t count,
                      bool are_counted, size_t *at)
{
    size_t first = *at, end = first, runs = 0;
    long long last = 0;
    uint32_t next_tick = 0;
    for (; end < count && values[end].track == values[first].track; end++) {
        runs += end == first || values[end].tick != values[end - 1].tick + 1;
    }
    put_count(stream, runs);
    for (size_t i = first; i < end;) {
        size_t length = 1;
        while (i + length < end && values[i + length].tick == values[i].tick + length) {
            length++;
        }
        put_count(stream, values[i].tick - next_tick);
        put_count(stream, length);
        next_tick = values[i].tick + (uint32_t)length;
        for (; length > 0; length--, i++) {
            long long value = memory_steps(stream, values[i].mib);
            put_signed(stream, value - last);
            if (are_counted) {
                put_count(stream, values[i].count);
            }
            last = value;
        }
    }
    *at = end;
}

/* Number of ticks; for each: twelve times the distance from the last one, plus mprof_rest, plus 3
 * after a gap, plus 6 for the first one of a recording, and the sum as a difference to the last
 * one. Then for each track but those of main processes: number of runs of ticks that have a value;
 * for each run: ticks left out before it, its length, and the values as differences to the last one
 * of the track, each of a command with the number of its processes. */
static void put_ticks(struct stream *stream)
{
    size_t count, value_count, track_count;
    const mprof_figure_tick *ticks = mprof_figure_ticks(stream->figure, &count);
    const mprof_tick_value *values = mprof_figure_tick_values(stream->figure, &value_count);
    const mprof_track *tracks = mprof_figure_tracks(stream->figure, &track_count);
    long long time = 0, total = 0;
    put_count(stream, count);
    for (size_t i = 0; i < count; i++) {
        long long at = time_steps(stream, ticks[i].time_s);
        long long sum = memory_steps(stream, ticks[i].total_mib);
        at = at < time ? time : at;
        put_count(stream, (uint64_t)(at - time) * 12 + (uint64_t)ticks[i].rest +
                              (ticks[i].is_after_gap ? 3 : 0) + (ticks[i].is_first ? 6 : 0));
        put_signed(stream, sum - total);
        time = at;
        total = sum;
    }
    for (size_t track = 0, i = 0; track < track_count; track++) {
        if (tracks[track].kind != MPROF_TRACK_MAIN) {
            put_track(stream, values, value_count, tracks[track].kind == MPROF_TRACK_COMMAND, &i);
        }
    }
}

static void put_tracks(const struct stream *stream)
{
    size_t count, size;
    const mprof_track *tracks = mprof_figure_tracks(stream->figure, &count);
    const char *text = mprof_figure_text(stream->figure, &size);
    for (size_t i = 0; i < count; i++) {
        mprof__putf(stream->output, "%s[%d,", i ? ",\n" : "\n", tracks[i].kind);
        mprof__put_json(stream->output, text + tracks[i].name, tracks[i].name_length);
        if (tracks[i].recording_length) {
            mprof__put(stream->output, ",");
            mprof__put_json(stream->output, text + tracks[i].recording, tracks[i].recording_length);
        }
        mprof__put(stream->output, "]");
    }
}

static void put_functions(const struct stream *stream)
{
    size_t count, size;
    const mprof_figure_function *functions = mprof_figure_functions(stream->figure, &count);
    const char *text = mprof_figure_text(stream->figure, &size);
    const struct mprof__window_numbers *numbers = stream->figure->window_numbers;
    for (size_t i = 0; i < count; i++) {
        mprof__put(stream->output, i ? ",\n[" : "\n[");
        mprof__put_json(stream->output, text + functions[i].name, functions[i].name_length);
        mprof__put(stream->output, ",");
        mprof__put_json(stream->output, text + functions[i].label, functions[i].label_length);
        mprof__putf(stream->output, ",%llu,%d]", (unsigned long long)functions[i].calls,
                    numbers ? numbers->colours[i] : MPROF_COLOUR_NONE);
    }
}

/* Seconds that local time is ahead of UTC on the machine that draws. */
static long utc_offset_s(double unix_s)
{
    struct tm parts;
    time_t whole = (time_t)fmax(-1e11, fmin(unix_s, 1e11));
    return localtime_r(&whole, &parts) ? parts.tm_gmtoff : 0;
}

static void put_tick_data(struct stream *stream)
{
    size_t count;
    (void)mprof_figure_ticks(stream->figure, &count);
    if (!count) {
        return;
    }
    mprof__put(stream->output, "\",\n");
    mprof__put(stream->output, stream->frame->all_ticks ? "\"all\":true," : "");
    mprof__putf(stream->output, "\"sum\":%s,\"tracks\":[",
                stream->frame->curve_is_sum ? "true" : "false");
    put_tracks(stream);
    mprof__put(stream->output, "],\n\"ticks\":\"");
    put_ticks(stream);
}

static bool has_memory_labels(const mprof_figure *figure)
{
    return figure->frame.plot.x > figure->sizes.margin + 1;
}

/* The command that draws the picture, up to and from the window. */
static void put_command(mprof_output *output, const mprof_draw_options *options)
{
    const char *files = options->command_files ? options->command_files : "";
    if (options->command) {
        mprof__put(output, "\"command\":[");
        mprof__put_json(output, options->command, strlen(options->command));
        mprof__put(output, ",");
        mprof__put_json(output, files, strlen(files));
        mprof__put(output, "],\n");
    }
}

/* What ran at the only peak, and when that was. */
static void put_peak(mprof_output *output, const mprof_figure *figure)
{
    if (figure->peak_words) {
        mprof__putf(output, "\"peak\":[%.9g,", figure->peak_s);
        mprof__put_json(output, figure->peak_words, strlen(figure->peak_words));
        mprof__put(output, "],\n");
    }
}

/* Where they differ from the usual ones: a logarithmic axis, a fixed unit. */
static void put_memory_form(mprof_output *output, const mprof_frame *frame)
{
    const mprof__memory_unit *unit = mprof__unit_of(frame->unit);
    if (frame->log) {
        mprof__put(output, "\"log\":true,");
    }
    if (frame->unit != MPROF_UNIT_AUTO) {
        mprof__putf(output, "\"unit\":[%.17g,\"%s\",%d],", unit->mib, unit->name, unit->places);
    }
}

/* Of each member: name, how it ended, peak and its time, life, upper edge and height of its box; of
 * a panel also the left edge and the width. */
static void put_members(mprof_output *output, const mprof_figure *figure)
{
    const struct mprof__member_table *table = figure->member_table;
    if (!table) {
        return;
    }
    mprof__putf(output,
                ",\n\"members\":{\"nouns\":[\"%s\",\"%s\"],\"heat\":%s,\"scale\":[%.9g,%.9g,%d],"
                "\"rows\":[",
                table->noun, table->nouns, table->is_heat ? "true" : "false", table->low_mib,
                table->high_mib, table->is_log);
    for (size_t i = 0; i < table->count; i++) {
        const mprof__member_place *place = &table->places[i];
        mprof__put(output, i ? ",\n[" : "\n[");
        mprof__put_json(output, figure->text + place->text, place->text_length);
        mprof__put(output, ",");
        mprof__put_json(output, figure->text + place->end_text, place->end_length);
        mprof__putf(output, ",%.6g,%.6g,%.6g,%.6g,%g,%g", place->peak_mib, place->peak_s,
                    place->first_s, place->last_s, place->box.y, place->box.height);
        if (!table->is_heat) {
            mprof__putf(output, ",%g,%g", place->box.x, place->box.width);
        }
        mprof__put(output, "]");
    }
    mprof__put(output, "]}");
}

static void put_data(mprof_output *output, const mprof_figure *figure,
                     const mprof_draw_options *options)
{
    size_t count;
    const mprof_frame *frame = mprof_figure_frame(figure);
    struct stream stream = {
        .output = output,
        .figure = figure,
        .frame = frame,
        .points = mprof_figure_points(figure, &count),
        .quantum = {time_quantum(frame), memory_quantum(frame)},
    };
    mprof__put(output, "<metadata>{");
    mprof__putf(output, "\"plot\":[%g,%g,%g,%g],\"lanes\":[%g,%g],\n", frame->plot.x, frame->plot.y,
                frame->plot.width, frame->plot.height, frame->lanes.y, frame->lanes.height);
    mprof__putf(output, "\"below\":%g,\"strip\":%.9g,\"row\":%g,\n", frame->bottom,
                frame->strip_mib, frame->row_px);
    mprof__putf(output, "\"time\":[%.17g,%.17g,%.17g],\"origin\":[%.17g,%ld],\n", frame->from_s,
                frame->to_s, stream.quantum.time_s, frame->origin_s, utc_offset_s(frame->origin_s));
    put_command(output, options);
    mprof__putf(output, "\"page\":[%g,%d,%g,%g,%d],\n", mprof__headroom(figure, frame->plot.height),
                figure->sizes.small, figure->sizes.tick_y,
                has_memory_labels(figure) ? figure->sizes.tick_gap : 0, frame->clipped);
    mprof__putf(output, "\"memory\":[%.17g,%.17g,%.17g],\n%s%s", frame->low_mib, frame->high_mib,
                stream.quantum.memory_mib, frame->group ? "\"group\":true," : "",
                frame->share ? "\"share\":true," : "");
    put_memory_form(output, frame);
    put_peak(output, figure);
    mprof__put(output, "\"functions\":[");
    put_functions(&stream);
    mprof__put(output, "],\n\"abouts\":\"");
    put_abouts(&stream);
    put_sampled(&stream);
    mprof__put(output, "\",\n\"items\":\"");
    put_items(&stream);
    mprof__put(output, "\",\n\"states\":\"");
    put_states(&stream);
    put_tick_data(&stream);
    mprof__put(output, "\"");
    mprof__put_window_data(output, figure);
    put_members(output, figure);
    mprof__put_tree_data(output, figure);
    mprof__put(output, "}</metadata>\n");
}

const char *mprof_svg_script(size_t *size)
{
    *size = sizeof mprof__script - 1;
    return (const char *)mprof__script;
}

/* Parts of the script that only some pictures need are a sixth of all, and pictures of a million
 * samples have to be small. */
static void put_script(mprof_output *output, bool has_tree, bool has_members)
{
    enum {
        AFTER_MEMBERS = MPROF__MEMBERS_BEGIN + MPROF__MEMBERS_SIZE,
        AFTER_TREE = MPROF__TREE_BEGIN + MPROF__TREE_SIZE
    };
    mprof_output_write(output, mprof__script, has_members ? AFTER_MEMBERS : MPROF__MEMBERS_BEGIN);
    mprof_output_write(output, mprof__script + AFTER_MEMBERS,
                       (has_tree ? AFTER_TREE : MPROF__TREE_BEGIN) - AFTER_MEMBERS);
    mprof__put(output, has_tree ? "" : "const tree=null;\n");
    mprof_output_write(output, mprof__script + AFTER_TREE, sizeof mprof__script - 1 - AFTER_TREE);
}

void mprof__put_data_and_script(mprof_output *output, const mprof_figure *figure,
                                const mprof_draw_options *options)
{
    put_data(output, figure, options);
    if (!options->shares_script) {
        mprof__put(output, "<script><![CDATA[\n");
        put_script(output, figure->tree_table != NULL, figure->member_table != NULL);
        mprof__put(output, "]]></script>\n");
    }
}

void mprof__put_interactive_style(mprof_output *output, const char *scope, const mprof_frame *frame)
{
    mprof__putf(output, ".%s .columns rect{y:%gpx;width:%gpx;height:%gpx}\n", scope, frame->plot.y,
                COLUMN_PX, frame->plot.height);
    mprof_output_write(output, mprof__interactive_css, sizeof mprof__interactive_css - 1);
}

/* ---- columns ---- */

/* A column of the plot, and the range of the curve's points in it. */
struct column {
    double from_px, to_px;
    double time_s, low_mib, high_mib;
};

/* Writes "12.5 MiB", or "12.5 - 14.0 MiB" with an en dash. */
static void put_column(mprof_output *output, const mprof_frame *frame, const struct column *column)
{
    char time[40] = "0 s", range[96];
    mprof__put_number(output, "<rect x=\"", column->from_px, "\"");
    if (mprof__tenths(column->to_px - column->from_px) != mprof__tenths(COLUMN_PX)) {
        mprof__put_number(output, " width=\"", column->to_px - column->from_px, "\"");
    }
    if (column->time_s > 0) {
        mprof__duration_text(time, sizeof time, column->time_s);
    }
    mprof__put(output, "><title>");
    mprof__put(output, time);
    mprof__put(output, ": ");
    mprof__put(output, mprof__memory_range_text(range, sizeof range, frame->unit, column->low_mib,
                                                column->high_mib));
    mprof__put(output, "</title></rect>\n");
}

static void put_curve_columns(mprof_output *output, const mprof_frame *frame,
                              const mprof_point *points, uint32_t count)
{
    uint32_t i = 0;
    double from_px = (double)points[0].x;
    while (i < count) {
        struct column column = {.from_px = from_px,
                                .time_s = time_at(frame, points[i].x),
                                .low_mib = mprof__frame_mib_at(frame, (double)points[i].y)};
        column.high_mib = column.low_mib;
        for (i++; i < count && (double)points[i].x < from_px + COLUMN_PX; i++) {
            double mib = mprof__frame_mib_at(frame, (double)points[i].y);
            column.low_mib = fmin(column.low_mib, mib);
            column.high_mib = fmax(column.high_mib, mib);
        }
        /* the column ends half-way to the next point */
        column.to_px = fmax(from_px + COLUMN_PX,
                            i < count ? ((double)points[i - 1].x + (double)points[i].x) / 2 : 0);
        column.to_px = fmin(column.to_px, frame->plot.x + frame->plot.width);
        if (column.to_px <= from_px) {
            break;
        }
        put_column(output, frame, &column);
        from_px = column.to_px;
    }
}

void mprof__put_columns(mprof_output *output, const mprof_figure *figure)
{
    size_t count, item_count;
    const mprof_item *items = mprof_figure_items(figure, &item_count);
    const mprof_point *points = mprof_figure_points(figure, &count);
    const mprof_frame *frame = mprof_figure_frame(figure);
    mprof__put(output, "<g class=\"columns\">\n");
    for (size_t i = 0; i < item_count; i++) {
        if (items[i].shape == MPROF_SHAPE_LINE &&
            (items[i].role == MPROF_ROLE_CURVE || items[i].role == MPROF_ROLE_CURVE_FINE)) {
            bool begin = items[i].anchor & MPROF_CUT_FIRST, end = items[i].anchor & MPROF_CUT_LAST;
            if (items[i].count > (uint32_t)begin + end) {
                put_curve_columns(output, frame, &points[items[i].first + begin],
                                  items[i].count - begin - end);
            }
        }
    }
    mprof__put(output, "</g>\n");
}
