/* Composes the figure: takes stock of the recordings, divides the page, lets each module draw its
 * part. */
#include "layout.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_PX 24.0
#define TITLE_Y_PX 33.0
#define FACTS_Y_PX 53.0
#define HEAD_PX 66.0
#define TICK_ROW_PX 22.0 /* labels of the time axis */
#define HEADROOM_PX 40.0 /* above the highest point, for the peak's name and brackets */
#define LEGEND_GAP_PX 12.0
#define FOOT_PX 16.0
#define LEAST_PLOT_PX 50.0
#define FAIR_PLOT_PX 100.0
#define LANE_GAP_PX 10.0
#define TICK_GAP_PX 10.0
#define USUAL_GUTTER_PX 60.0 /* so far the legend stands in, to be in line with the plot */
#define LABEL_BYTES_MAX 160
#define FUNCTION_BYTES_MAX 240

void mprof_figure_options_init(mprof_figure_options *options)
{
    *options = (mprof_figure_options){
        .width_px = MPROF_DEFAULT_WIDTH_PX,
        .height_px = MPROF_DEFAULT_HEIGHT_PX,
        .grow = 1,
        .functions = 1,
    };
}

double mprof__scale_at(const mprof__scale *scale, double value)
{
    return scale->start + (value - scale->from) / (scale->to - scale->from) * scale->extent;
}

/* -- taking stock ------------------------------------------------------------------------------ */

/* A pattern without wildcards is found anywhere in the dotted name. */
static bool name_matches(const char *pattern, const char *name, const char *label)
{
    if (!pattern)
        return true;
    if (!strpbrk(pattern, "*?["))
        return strstr(name, pattern) != NULL;
    return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, label, 0) == 0;
}

struct ranked_name {
    const char *name;
    double total_s;
    mprof__recording *recording;
    size_t function;
    int8_t slot;
    uint32_t number;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ranked_name *)a)->name, ((const struct ranked_name *)b)->name);
}

static int by_total(const void *a, const void *b)
{
    const struct ranked_name *x = a, *y = b;
    if (x->total_s != y->total_s)
        return x->total_s < y->total_s ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Functions of all recordings are one by their name, the longest consumers first. */
static mprof_status add_functions(mprof_figure *figure, const struct ranked_name *functions,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ranked_name *f = &functions[i];
        char *name = mprof__visible(f->name, strlen(f->name), FUNCTION_BYTES_MAX);
        if (!name)
            return MPROF_ENOMEM;
        mprof__add_function(figure, name, f->recording->function_labels[f->function]);
        free(name);
    }
    return figure->status;
}

/* Colours go to names, over all recordings, the longest consumers first. */
static mprof_status colour_functions(mprof__layout *layout)
{
    size_t room = 0, count = 0;
    for (size_t r = 0; r < layout->recording_count; r++)
        room += layout->recordings[r].function_count;
    if (layout->options->function && !room)
        return MPROF_ENOTFOUND;
    if (!room || !layout->options->functions)
        return MPROF_OK;
    struct ranked_name *all = malloc(room * sizeof *all), *unique = malloc(room * sizeof *unique);
    const char **names = malloc(room * sizeof *names);
    int8_t *slots = malloc(room);
    mprof_status status = MPROF_ENOMEM;
    if (!all || !unique || !names || !slots)
        goto out;
    for (size_t r = 0; r < layout->recording_count; r++) {
        mprof__recording *recording = &layout->recordings[r];
        for (size_t i = 0; i < recording->function_count; i++) {
            const mprof_function *f = &recording->functions[i];
            if (name_matches(layout->options->function, f->name, f->label))
                all[count++] = (struct ranked_name){
                    .name = f->name, .total_s = f->total_s, .recording = recording, .function = i};
        }
    }
    status = count ? MPROF_OK : MPROF_ENOTFOUND;
    if (!count)
        goto out;
    qsort(all, count, sizeof *all, by_name);
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        if (!different || strcmp(unique[different - 1].name, all[i].name) != 0)
            unique[different++] = all[i];
        else
            unique[different - 1].total_s += all[i].total_s;
    }
    qsort(unique, different, sizeof *unique, by_total);
    for (size_t i = 0; i < different; i++)
        names[i] = unique[i].name;
    mprof__palette_assign(slots, names, different);
    status = add_functions(layout->figure, unique, different);
    for (uint32_t i = 0; i < different; i++) {
        unique[i].slot = slots[i];
        unique[i].number = i;
    }
    qsort(unique, different, sizeof *unique, by_name);
    for (size_t i = 0, u = 0; i < count; i++) {
        while (strcmp(unique[u].name, all[i].name) != 0)
            u++;
        all[i].recording->function_colours[all[i].function] = unique[u].slot;
        all[i].recording->function_numbers[all[i].function] = unique[u].number;
    }
out:
    free(all);
    free(unique);
    free(names);
    free(slots);
    return status;
}

static mprof_status take_recording(mprof__recording *recording, const mprof_profile *profile)
{
    recording->profile = profile;
    recording->line = mprof_profile_line(profile);
    recording->processes = mprof_profile_processes(profile, &recording->process_count);
    recording->lanes = mprof_profile_lanes(profile, &recording->lane_count);
    recording->functions = mprof_profile_functions(profile, &recording->function_count);
    recording->spans = mprof_profile_spans(profile, &recording->span_count);
    recording->start_s = mprof_profile_start_s(profile);
    recording->pace_s = mprof__pace_s(profile);
    recording->gap_s = recording->pace_s * MPROF__GAP_FACTOR;
    recording->colour = MPROF_COLOUR_NONE;
    recording->function_colours = malloc(recording->function_count + 1);
    recording->function_numbers =
        calloc(recording->function_count + 1, sizeof *recording->function_numbers);
    recording->function_labels =
        calloc(recording->function_count + 1, sizeof *recording->function_labels);
    if (!recording->function_colours || !recording->function_numbers || !recording->function_labels)
        return MPROF_ENOMEM;
    memset(recording->function_colours, MPROF_COLOUR_NONE, recording->function_count + 1);
    for (size_t i = 0; i < recording->function_count; i++) {
        const char *label = recording->functions[i].label;
        recording->function_labels[i] = mprof__visible(label, strlen(label), LABEL_BYTES_MAX);
        if (!recording->function_labels[i])
            return MPROF_ENOMEM;
    }
    return MPROF_OK;
}

static void drop_recording(mprof__recording *recording)
{
    for (size_t i = 0; recording->function_labels && i < recording->function_count; i++)
        free(recording->function_labels[i]);
    free(recording->function_labels);
    free(recording->function_colours);
    free(recording->function_numbers);
    mprof__drop_calls(recording);
    mprof__drop_children(recording);
}

static mprof_status choose_time(mprof__layout *layout, mprof_error *error)
{
    const double *window = layout->options->window_s;
    layout->from_s = 0;
    layout->to_s = 0;
    for (size_t r = 0; r < layout->recording_count; r++)
        layout->to_s = fmax(layout->to_s, mprof_profile_end_s(layout->recordings[r].profile) -
                                              layout->recordings[r].start_s);
    if (window[0] != 0 || window[1] != 0) {
        layout->from_s = window[0];
        layout->to_s = window[1];
        if (!(window[1] > window[0]))
            return mprof_error_set(error, MPROF_EARGUMENT, "the window ends before it begins");
    }
    if (!(layout->to_s > layout->from_s))
        layout->to_s = layout->from_s + 1; /* a single moment */
    return MPROF_OK;
}

struct range {
    double low, high;
};

static void widen(struct range *range, double mib)
{
    range->low = fmin(range->low, mib);
    range->high = fmax(range->high, mib);
}

/* Where the line between two samples crosses the edge of the window, it is drawn up to there. */
static void widen_at_edge(struct range *range, const mprof_sample *before, double edge_s)
{
    const mprof_sample *after = before + 1;
    if (before->time_s < edge_s && after->time_s > edge_s)
        widen(range, before->mib + (after->mib - before->mib) * (edge_s - before->time_s) /
                                       (after->time_s - before->time_s));
}

static void widen_by_series(struct range *range, const mprof__layout *layout,
                            const mprof__recording *recording, const mprof_series *series)
{
    double from = recording->start_s + layout->from_s, to = recording->start_s + layout->to_s;
    for (size_t i = 0; i < series->point_count; i++) {
        if (series->points[i].time_s >= from && series->points[i].time_s <= to)
            widen(range, series->points[i].mib);
        if (i + 1 < series->point_count) {
            widen_at_edge(range, &series->points[i], from);
            widen_at_edge(range, &series->points[i], to);
        }
    }
}

/* Everything that will be drawn against the memory axis and lies in the window. */
static struct range memory_range(const mprof__layout *layout)
{
    struct range range = {INFINITY, 0};
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__recording *recording = &layout->recordings[r];
        widen_by_series(&range, layout, recording, recording->line);
        widen_by_series(&range, layout, recording, &recording->total);
        for (size_t i = 1; i < recording->process_count; i++)
            widen_by_series(&range, layout, recording, &recording->processes[i].series);
        for (size_t i = 0; !layout->options->flame && i < recording->shown_count; i++) {
            const mprof_span *span = &recording->spans[recording->shown[i]];
            if (span->enter.time_s - recording->start_s >= layout->from_s)
                widen(&range, span->enter.mib);
            if (span->exit.time_s - recording->start_s <= layout->to_s)
                widen(&range, span->exit.mib);
        }
    }
    if (!isfinite(range.low))
        range.low = 0;
    if (!(range.high > 0))
        range.high = 1.0 / 1024;
    return range;
}

/* The axis starts at nothing, except in a window that shows a small change of something large; but
 * a stack stands on the ground. */
static void choose_memory(mprof__layout *layout)
{
    bool window = layout->options->window_s[0] != 0 || layout->options->window_s[1] != 0;
    struct range range = memory_range(layout);
    double low = 0;
    double usable = layout->plot.height - HEADROOM_PX;
    double spread = range.high - range.low;
    if (window && !layout->options->stack && spread < range.high / 3 && spread > range.high * 1e-4)
        low = fmax(0, range.low - spread * 0.15);
    double high = low + (range.high - low) * layout->plot.height / usable;
    layout->memory =
        (mprof__scale){low, high, layout->plot.y + layout->plot.height, -layout->plot.height};
}

/* -- title and facts --------------------------------------------------------------------------- */

static char *title_text(const mprof__layout *layout)
{
    char text[64];
    const char *title = layout->options->title;
    if (!title && layout->recording_count > 1) {
        snprintf(text, sizeof text, "%zu recordings", layout->recording_count);
        title = text;
    }
    if (!title)
        title = mprof_profile_command_line(layout->recordings[0].profile);
    if (!*title)
        title = mprof_profile_file(layout->recordings[0].profile);
    return mprof__visible(title, strlen(title), 4000);
}

struct sentence {
    char text[600];
    size_t used;
};

static void add_fact(struct sentence *sentence, const char *fact)
{
    int wrote = snprintf(sentence->text + sentence->used, sizeof sentence->text - sentence->used,
                         "%s%s", sentence->used ? "  \xC2\xB7  " : "", fact);
    if (wrote > 0 && sentence->used + (size_t)wrote < sizeof sentence->text)
        sentence->used += (size_t)wrote;
    else
        sentence->text[sentence->used] = '\0';
}

static void add_count(struct sentence *sentence, uint64_t count, const char *one, const char *many)
{
    char number[32], text[96];
    mprof__count_text(number, sizeof number, count);
    snprintf(text, sizeof text, "%s %s", number, count == 1 ? one : many);
    add_fact(sentence, text);
}

static void add_calls(struct sentence *sentence, const mprof__layout *layout)
{
    uint64_t calls = 0;
    size_t functions = 0;
    for (size_t r = 0; r < layout->recording_count; r++)
        for (size_t i = 0; i < layout->recordings[r].function_count; i++)
            if (layout->recordings[r].function_colours[i] != MPROF_COLOUR_NONE) {
                calls += layout->recordings[r].functions[i].call_count;
                functions++;
            }
    if (!calls)
        return;
    char count[32], text[96];
    snprintf(text, sizeof text, "%s call%s of %zu function%s",
             mprof__count_text(count, sizeof count, calls), calls == 1 ? "" : "s", functions,
             functions == 1 ? "" : "s");
    add_fact(sentence, text);
}

static void death_text(char *text, size_t size, const mprof_process *process)
{
    const char *name =
        process->cause == MPROF_EXIT_SIGNAL && process->exit_value > 0 && process->exit_value < 65
            ? sigabbrev_np((int)process->exit_value)
            : NULL;
    *text = '\0';
    if (!process->ended)
        return;
    if (process->cause == MPROF_EXIT_OOM)
        snprintf(text, size, "killed: out of memory");
    else if (process->cause == MPROF_EXIT_SIGNAL && name)
        snprintf(text, size, "ended by SIG%s", name);
    else if (process->cause == MPROF_EXIT_SIGNAL)
        snprintf(text, size, "ended by signal %lld", (long long)process->exit_value);
    else if (process->cause == MPROF_EXIT_STATUS && process->exit_value != 0)
        snprintf(text, size, "exit status %lld", (long long)process->exit_value);
}

static char *facts_text(const mprof__layout *layout)
{
    struct sentence sentence = {"", 0};
    char text[200];
    const mprof__recording *first = &layout->recordings[0];
    uint64_t samples = 0, skipped = 0;
    double peak = 0;
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof_profile *profile = layout->recordings[r].profile;
        samples += mprof_profile_samples(profile)->sample_count;
        skipped += mprof_profile_lost_calls(profile);
        peak = fmax(peak, layout->recordings[r].line->peak.mib);
    }
    if (layout->recording_count == 1) {
        if (*mprof__date_text(text, sizeof text, first->start_s))
            add_fact(&sentence, text);
        add_fact(&sentence,
                 mprof__duration_text(text, sizeof text,
                                      mprof_profile_end_s(first->profile) - first->start_s));
    }
    if (samples)
        add_count(&sentence, samples, "sample", "samples");
    else
        add_fact(&sentence, "no sample in this window");
    add_calls(&sentence, layout);
    if (layout->recording_count == 1 && first->process_count > 1)
        add_count(&sentence, first->process_count, "process", "processes");
    char memory[40];
    snprintf(text, sizeof text, "peak %s", mprof__memory_text(memory, sizeof memory, peak));
    if (layout->recordings[0].line->sample_count || layout->recording_count > 1)
        add_fact(&sentence, text);
    if (layout->recording_count == 1) {
        death_text(text, sizeof text, &first->processes[0]);
        if (*text)
            add_fact(&sentence, text);
    }
    if (skipped)
        add_count(&sentence, skipped, "call not recorded", "calls not recorded");
    return strdup(sentence.text);
}

/* File names without their directories: a picture goes to other people. */
static char *source_text(const mprof__layout *layout)
{
    char text[2000] = "";
    size_t used = 0;
    for (size_t r = 0; r < layout->recording_count && used < sizeof text; r++) {
        const char *file = mprof_profile_file(layout->recordings[r].profile);
        const char *slash = strrchr(file, '/');
        int wrote = snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                             slash ? slash + 1 : file);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    return mprof__visible(text, strlen(text), sizeof text);
}

static void draw_head(mprof__layout *layout)
{
    mprof_figure *figure = layout->figure;
    char text[4200];
    double room = figure->width_px - layout->plot.x - MARGIN_PX;
    mprof__group(figure, MPROF_GROUP_PAGE);
    size_t length =
        mprof__fit_text(layout, MPROF_ROLE_TITLE, text, sizeof text, figure->title, room);
    mprof__add_text(figure, MPROF_ROLE_TITLE, MPROF_COLOUR_NONE, MPROF_ANCHOR_START, layout->plot.x,
                    TITLE_Y_PX, mprof__text_width(layout, MPROF_ROLE_TITLE, text, length), text,
                    length);
    length = mprof__fit_text(layout, MPROF_ROLE_FACTS, text, sizeof text, figure->facts, room);
    mprof__add_text(figure, MPROF_ROLE_FACTS, MPROF_COLOUR_NONE, MPROF_ANCHOR_START, layout->plot.x,
                    FACTS_Y_PX, mprof__text_width(layout, MPROF_ROLE_FACTS, text, length), text,
                    length);
}

/* -- axes -------------------------------------------------------------------------------------- */

static size_t memory_ticks(const mprof__layout *layout, mprof__tick *ticks)
{
    return mprof__memory_ticks(ticks, layout->memory.from, layout->memory.to, layout->plot.height);
}

static double memory_gutter(const mprof__layout *layout)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
    double width = 0;
    for (size_t i = 0; i < count; i++)
        width = fmax(width, mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text,
                                              strlen(ticks[i].text)));
    return width + TICK_GAP_PX;
}

static void draw_memory_axis(mprof__layout *layout)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    size_t count = memory_ticks(layout, ticks);
    mprof__group(layout->figure, MPROF_GROUP_MEMORY_AXIS);
    for (size_t i = 0; i < count; i++) {
        double y = mprof__scale_at(&layout->memory, ticks[i].value);
        size_t length = strlen(ticks[i].text);
        if (y < layout->plot.y + layout->plot.height - 1)
            mprof__add_segment(layout->figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE, layout->plot.x,
                               floor(y) + 0.5, layout->plot.x + layout->plot.width, floor(y) + 0.5);
        mprof__add_text(layout->figure, MPROF_ROLE_TICK, MPROF_COLOUR_NONE, MPROF_ANCHOR_END,
                        layout->plot.x - TICK_GAP_PX, y + 4,
                        mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text, length),
                        ticks[i].text, length);
    }
}

static void draw_time_axis(mprof__layout *layout, double label_y)
{
    mprof__tick ticks[MPROF__TICK_MAX];
    mprof_figure *figure = layout->figure;
    double origin = layout->recording_count == 1 ? layout->recordings[0].start_s : 0;
    size_t count = mprof__time_ticks(ticks, layout->from_s, layout->to_s, origin,
                                     layout->plot.width, layout->measure);
    double axis_y = layout->plot.y + layout->plot.height + 0.5;
    mprof__group(figure, MPROF_GROUP_TIME_AXIS);
    mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE, layout->plot.x, axis_y,
                       layout->plot.x + layout->plot.width, axis_y);
    for (size_t i = 0; i < count; i++) {
        double x = mprof__scale_at(&layout->time, ticks[i].value);
        size_t length = strlen(ticks[i].text);
        double width = mprof__text_width(layout, MPROF_ROLE_TICK, ticks[i].text, length);
        mprof_anchor anchor =
            x + width / 2 > figure->width_px - 6 ? MPROF_ANCHOR_END : MPROF_ANCHOR_MIDDLE;
        if (anchor == MPROF_ANCHOR_END)
            x = figure->width_px - 6;
        double tick_x = floor(mprof__scale_at(&layout->time, ticks[i].value)) + 0.5;
        if (layout->lanes.height > 0)
            mprof__add_segment(figure, MPROF_ROLE_GRID, MPROF_COLOUR_NONE, tick_x, axis_y + 1,
                               tick_x, layout->lanes.y + layout->lanes.height);
        else
            mprof__add_segment(figure, MPROF_ROLE_AXIS, MPROF_COLOUR_NONE, tick_x, label_y - 14,
                               tick_x, label_y - 10);
        mprof__add_text(figure, MPROF_ROLE_TICK, MPROF_COLOUR_NONE, anchor, x, label_y + 3, width,
                        ticks[i].text, length);
    }
}

/* -- what is said at the curve ----------------------------------------------------------------- */

struct peak {
    const mprof__recording *recording;
    mprof_sample sample;
    char name[120];
    int colour;
};

static bool highest_of(const mprof__layout *layout, const mprof__recording *recording,
                       const mprof_series *series, mprof_sample *highest)
{
    bool found = false;
    for (size_t i = 0; i < series->point_count; i++) {
        double at = series->points[i].time_s - recording->start_s;
        if (at < layout->from_s || at > layout->to_s)
            continue;
        if (!found || series->points[i].mib > highest->mib)
            *highest = series->points[i];
        found = true;
    }
    return found;
}

static void peak_name(char *text, size_t size, const struct peak *peak)
{
    char memory[40], time[40];
    snprintf(
        text, size, "%s%s at %s", peak->name,
        mprof__memory_text(memory, sizeof memory, peak->sample.mib),
        mprof__duration_text(time, sizeof time, peak->sample.time_s - peak->recording->start_s));
}

static void take_box(mprof__layout *layout, double x, double y, double width, double height)
{
    mprof__space_take(layout->space, (mprof_box){x, y, width, height});
}

static void draw_cross(mprof__layout *layout, double x, double y)
{
    double right = layout->plot.x + layout->plot.width;
    mprof__add_segment(layout->figure, MPROF_ROLE_PEAK, MPROF_COLOUR_NONE, layout->plot.x, y, right,
                       y);
    mprof__add_segment(layout->figure, MPROF_ROLE_PEAK, MPROF_COLOUR_NONE, x, layout->plot.y + 14,
                       x, layout->plot.y + layout->plot.height);
}

/* Names must not stand on the cross, which is drawn after the curves. */
static void reserve_cross(mprof__layout *layout)
{
    const mprof__recording *recording = &layout->recordings[0];
    mprof_sample peak = {0, 0};
    if (layout->recording_count != 1 || !highest_of(layout, recording, recording->line, &peak))
        return;
    double x = mprof__scale_at(&layout->time, peak.time_s - recording->start_s);
    double y = mprof__scale_at(&layout->memory, peak.mib);
    take_box(layout, layout->plot.x, y - 1, layout->plot.width, 2);
    take_box(layout, x - 1, layout->plot.y, 2, layout->plot.height);
}

/* The peak of the only curve is named above the plot; others where there is room. */
static bool place_peak_name(mprof__layout *layout, double x, double y, double width, bool above_all,
                            mprof_box *place)
{
    double right = layout->plot.x + layout->plot.width;
    const struct {
        double share, y; /* of the width, left of x */
    } tries[] = {{0.5, y - 23}, {0, y - 23},   {1, y - 23}, {0, y - 8}, {1, y - 8},
                 {0.5, y + 9},  {0.5, y - 40}, {0, y + 9},  {1, y + 9}};
    if (above_all) {
        double left = fmax(layout->plot.x, fmin(x - width / 2, right - width));
        *place = (mprof_box){left, layout->plot.y - 2, width, 16};
        mprof__space_take(layout->space, *place);
        return true;
    }
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        double shift = tries[i].share < 0.25 ? 8 : tries[i].share > 0.75 ? -8 : 0;
        *place = (mprof_box){x - width * tries[i].share + shift, tries[i].y, width, 16};
        if (mprof__space_is_free(layout->space, *place)) {
            mprof__space_take(layout->space, *place);
            return true;
        }
    }
    return false;
}

static void draw_peak(mprof__layout *layout, const struct peak *peak, bool cross)
{
    mprof_figure *figure = layout->figure;
    double x = mprof__scale_at(&layout->time, peak->sample.time_s - peak->recording->start_s);
    double y = mprof__scale_at(&layout->memory, peak->sample.mib);
    char text[240];
    mprof_box place;
    if (cross)
        draw_cross(layout, x, y);
    peak_name(text, sizeof text, peak);
    double width = mprof__text_width(layout, MPROF_ROLE_PEAK_NAME, text, strlen(text));
    bool named = place_peak_name(layout, x, y, width, cross, &place);
    if (named || cross || peak->colour != MPROF_COLOUR_NONE)
        mprof__add_dot(figure, MPROF_ROLE_PEAK_DOT, peak->colour, x, y, cross ? 4 : 3.5);
    if (named)
        mprof__add_text(figure, MPROF_ROLE_PEAK_NAME, peak->colour, MPROF_ANCHOR_START, place.x,
                        place.y + 12, width, text, strlen(text));
    take_box(layout, x - 6, y - 6, 12, 12);
}

static void draw_peaks(mprof__layout *layout)
{
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__recording *recording = &layout->recordings[r];
        struct peak peak = {.recording = recording, .colour = recording->colour};
        bool alone = layout->recording_count == 1;
        snprintf(peak.name, sizeof peak.name, "peak ");
        if (highest_of(layout, recording, recording->line, &peak.sample))
            draw_peak(layout, &peak, alone);
        if (!alone || !recording->child_count || layout->options->stack)
            continue;
        /* upstream marks the highest of the children too */
        uint32_t process = recording->children[0];
        char name[100];
        mprof__process_text(name, sizeof name, recording, process);
        snprintf(peak.name, sizeof peak.name, "%s ", name);
        peak.colour = mprof__child_colour(layout, recording, 0);
        if (highest_of(layout, recording, &recording->processes[process].series, &peak.sample))
            draw_peak(layout, &peak, false);
    }
}

static void draw_death(mprof__layout *layout)
{
    const mprof__recording *recording = &layout->recordings[0];
    char text[80];
    if (layout->recording_count != 1 || !recording->line->point_count)
        return;
    death_text(text, sizeof text, &recording->processes[0]);
    const mprof_sample *last = &recording->line->points[recording->line->point_count - 1];
    double at = last->time_s - recording->start_s;
    if (!*text || at < layout->from_s || at > layout->to_s)
        return;
    double x = mprof__scale_at(&layout->time, at), y = mprof__scale_at(&layout->memory, last->mib);
    double width = mprof__text_width(layout, MPROF_ROLE_DEATH_NAME, text, strlen(text));
    mprof__add_dot(layout->figure, MPROF_ROLE_DEATH, MPROF_COLOUR_NONE, x, y, 3.5);
    take_box(layout, x - 5, y - 5, 10, 10);
    const double tries[][2] = {{x - width - 8, y - 7}, {x - width, y - 24}, {x - width, y + 8}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        mprof_box place = {tries[i][0] - 2, tries[i][1], width + 4, 14};
        if (!mprof__space_is_free(layout->space, place))
            continue;
        mprof__space_take(layout->space, place);
        mprof__add_text(layout->figure, MPROF_ROLE_DEATH_NAME, MPROF_COLOUR_NONE,
                        MPROF_ANCHOR_START, place.x + 2, place.y + 11, width, text, strlen(text));
        return;
    }
}

static void draw_slope(mprof__layout *layout, const mprof__recording *recording)
{
    const mprof_series *samples = mprof_profile_samples(recording->profile);
    double slope = samples->slope_mib_per_s;
    double from = fmax(layout->from_s, samples->first_s - recording->start_s);
    double to = fmin(layout->to_s, samples->last_s - recording->start_s);
    double top = layout->memory.to, bottom = layout->memory.from;
    if (!(to > from))
        return;
    double at_from = samples->slope_offset_mib + slope * from;
    double at_to = samples->slope_offset_mib + slope * to;
    if (at_from == at_to && (at_from < bottom || at_from > top))
        return;
    /* the line may begin or end outside of the plot */
    double share[2] = {0, 1};
    for (int side = 0; side < 2; side++) {
        double limit = side ? top : bottom;
        if (at_to == at_from)
            break;
        double crossing = (limit - at_from) / (at_to - at_from);
        bool rising = at_to > at_from;
        if (side ? rising : !rising)
            share[1] = fmin(share[1], crossing);
        else
            share[0] = fmax(share[0], crossing);
    }
    if (share[1] <= share[0])
        return;
    mprof__add_segment(layout->figure, MPROF_ROLE_SLOPE, recording->colour,
                       mprof__scale_at(&layout->time, from + (to - from) * share[0]),
                       mprof__scale_at(&layout->memory, at_from + (at_to - at_from) * share[0]),
                       mprof__scale_at(&layout->time, from + (to - from) * share[1]),
                       mprof__scale_at(&layout->memory, at_from + (at_to - at_from) * share[1]));
}

/* Of several, each is told by its file. */
static uint32_t about_recording(mprof__layout *layout, const mprof__recording *recording)
{
    if (layout->recording_count == 1)
        return MPROF_ABOUT_NONE;
    const char *file = mprof_profile_file(recording->profile), *slash = strrchr(file, '/');
    file = slash ? slash + 1 : file;
    char *text = mprof__visible(file, strlen(file), FUNCTION_BYTES_MAX);
    if (!text)
        return MPROF_ABOUT_NONE;
    uint32_t about =
        mprof__add_about(layout->figure, (mprof_about){.function = MPROF_FUNCTION_NONE}, text);
    free(text);
    return about;
}

static void draw_curves(mprof__layout *layout)
{
    mprof__group(layout->figure, MPROF_GROUP_CURVES);
    for (size_t r = 0; r < layout->recording_count; r++) {
        const mprof__recording *recording = &layout->recordings[r];
        bool alone = layout->recording_count == 1;
        bool stacked = layout->options->stack && recording->child_count;
        mprof__stroke stroke = {.line = MPROF_ROLE_CURVE,
                                .area = alone && !stacked ? MPROF_ROLE_AREA : MPROF_ROLE_COUNT,
                                .dot = MPROF_ROLE_SAMPLE,
                                .dots = true,
                                .colour = recording->colour,
                                .about = about_recording(layout, recording),
                                .take = true};
        if (alone)
            mprof__draw_children(layout, recording);
        mprof__draw_series(layout, recording,
                           stacked && !recording->main_is_sum ? &recording->total : recording->line,
                           &stroke);
        if (layout->options->slope)
            draw_slope(layout, recording);
    }
}

/* -- the page ---------------------------------------------------------------------------------- */

/* Without room for a plot worth looking at, the legend is what goes first. */
static double legend_height(const mprof__layout *layout, const mprof__legend *legend,
                            double rest_px)
{
    double height = layout->without_legend ? 0 : mprof__legend_height(legend);
    if (height <= 0 || layout->figure->height_px - rest_px - height - LEGEND_GAP_PX < FAIR_PLOT_PX)
        return 0;
    return height + LEGEND_GAP_PX;
}

/* Heights from top to bottom: head, plot, rug or lanes, time labels, legend. */
static mprof_status divide_page(mprof__layout *layout, const mprof__legend *legend,
                                const mprof__lane_plan *lanes, double rug_px, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    double lanes_px = lanes ? mprof__lane_plan_height(lanes) + LANE_GAP_PX : 0;
    double rest_px = HEAD_PX + rug_px + TICK_ROW_PX + FOOT_PX;
    layout->legend_px =
        legend_height(layout, legend, rest_px + (layout->options->grow ? 0 : lanes_px));
    double plot_px = figure->height_px - rest_px - layout->legend_px - lanes_px;
    double wanted = fmin(220, figure->height_px * 0.4);
    if (lanes && plot_px < wanted && layout->options->grow) {
        figure->height_px += wanted - plot_px;
        plot_px = wanted;
    }
    if (plot_px < LEAST_PLOT_PX || figure->width_px < 200)
        return mprof_error_set(error, MPROF_EARGUMENT, "a page of %.0f x %.0f pixels is too small",
                               layout->options->width_px, layout->options->height_px);
    layout->plot.y = HEAD_PX;
    layout->plot.height = floor(plot_px);
    choose_memory(layout);
    double gutter = fmax(memory_gutter(layout), lanes ? mprof__lane_plan_gutter(lanes) : 0);
    layout->plot.x = ceil(MARGIN_PX + gutter);
    layout->plot.width = figure->width_px - MARGIN_PX - layout->plot.x;
    layout->time = (mprof__scale){layout->from_s, layout->to_s, layout->plot.x, layout->plot.width};
    layout->lanes = (mprof_box){layout->plot.x, layout->plot.y + layout->plot.height + LANE_GAP_PX,
                                layout->plot.width, lanes ? mprof__lane_plan_height(lanes) : 0};
    return MPROF_OK;
}

static bool has_calls(const mprof__layout *layout)
{
    for (size_t r = 0; r < layout->recording_count; r++)
        if (layout->recordings[r].shown_count)
            return true;
    return false;
}

/* On a page that must not grow, readable lanes are worth more than the legend. */
static void fit_lanes(mprof__layout *layout, mprof__lane_plan *lanes, const mprof__legend *legend)
{
    double room =
        layout->figure->height_px - HEAD_PX - TICK_ROW_PX - FOOT_PX - LANE_GAP_PX - FAIR_PLOT_PX;
    if (layout->options->grow ||
        mprof__lane_plan_fit(lanes, room - mprof__legend_height(legend) - LEGEND_GAP_PX))
        return;
    mprof__lane_plan_fit(lanes, room);
    layout->without_legend = true;
}

static mprof_status draw_page(mprof__layout *layout, mprof_error *error)
{
    mprof_figure *figure = layout->figure;
    mprof_status status = MPROF_ENOMEM;
    mprof__lane_plan *lanes = NULL;
    double legend_most = fmax(60, figure->height_px * 0.30);
    mprof__legend *legend =
        mprof__legend_new(layout, figure->width_px - 2 * MARGIN_PX - USUAL_GUTTER_PX, legend_most);
    if (!legend)
        goto out;
    if (layout->options->flame && has_calls(layout)) {
        lanes = mprof__lane_plan_new(layout);
        if (!lanes)
            goto out;
        fit_lanes(layout, lanes, legend);
    }
    double rug = lanes ? 0 : mprof__rug_height(layout);
    status = divide_page(layout, legend, lanes, rug, error);
    if (status != MPROF_OK)
        goto out;
    status = MPROF_ENOMEM;
    layout->space = mprof__space_new(
        (mprof_box){layout->plot.x, layout->plot.y - 2, layout->plot.width, layout->plot.height});
    if (!layout->space)
        goto out;
    double below = layout->plot.y + layout->plot.height + rug +
                   (lanes ? layout->lanes.height + LANE_GAP_PX : 0);
    draw_head(layout);
    draw_memory_axis(layout);
    draw_time_axis(layout, below + 14);
    reserve_cross(layout);
    draw_curves(layout);
    mprof__group(figure, MPROF_GROUP_MARKS);
    draw_peaks(layout);
    draw_death(layout);
    if (!lanes)
        mprof__draw_brackets(layout);
    else
        mprof__group(figure, MPROF_GROUP_NAMES);
    if (layout->recording_count == 1)
        mprof__name_children(layout, &layout->recordings[0]);
    if (rug > 0) {
        mprof__group(figure, MPROF_GROUP_RUG);
        mprof__draw_rug(layout, layout->plot.y + layout->plot.height);
    }
    if (lanes)
        mprof__draw_lanes(layout, lanes);
    if (layout->legend_px > 0)
        mprof__draw_legend(
            layout, legend,
            fmin(layout->plot.x, figure->width_px - MARGIN_PX - mprof__legend_width(legend)),
            below + TICK_ROW_PX + LEGEND_GAP_PX);
    if (layout->options->states)
        mprof__gather_states(layout);
    figure->frame = (mprof_frame){.plot = layout->plot,
                                  .lanes = layout->lanes,
                                  .from_s = layout->from_s,
                                  .to_s = layout->to_s,
                                  .low_mib = layout->memory.from,
                                  .high_mib = layout->memory.to,
                                  .origin_s = layout->recordings[0].start_s};
    status = figure->status;
out:
    mprof__space_free(layout->space);
    layout->space = NULL;
    mprof__legend_free(legend);
    mprof__lane_plan_free(lanes);
    return status;
}

static mprof_status prepare_recording(mprof__layout *layout, mprof__recording *recording)
{
    mprof_status status = mprof__place_calls(layout, recording);
    if (status == MPROF_OK)
        status = mprof__rank_children(recording);
    if (status == MPROF_OK && layout->recording_count == 1)
        status = mprof__sum_processes(layout, recording);
    return status;
}

static mprof_status take_stock(mprof__layout *layout, const mprof_profile *const *profiles,
                               mprof_error *error)
{
    for (size_t i = 0; i < layout->recording_count; i++) {
        mprof_status status = take_recording(&layout->recordings[i], profiles[i]);
        if (status != MPROF_OK)
            return status;
        if (layout->recording_count > 1)
            layout->recordings[i].colour = (int)(i % MPROF__PALETTE_SIZE);
    }
    mprof_status status = choose_time(layout, error);
    if (status == MPROF_OK)
        status = colour_functions(layout);
    if (status == MPROF_ENOTFOUND)
        return mprof_error_set(error, MPROF_EARGUMENT, "no function matches: %s",
                               layout->options->function);
    for (size_t i = 0; status == MPROF_OK && i < layout->recording_count; i++)
        status = prepare_recording(layout, &layout->recordings[i]);
    if (status != MPROF_OK)
        return status;
    layout->figure->title = title_text(layout);
    layout->figure->facts = facts_text(layout);
    layout->figure->source = source_text(layout);
    bool good = layout->figure->title && layout->figure->facts && layout->figure->source;
    return good ? MPROF_OK : MPROF_ENOMEM;
}

mprof_status mprof_figure_layout(mprof_figure **out, const mprof_profile *const *profiles,
                                 size_t count, const mprof_figure_options *options,
                                 const mprof_measure *measure, mprof_error *error)
{
    mprof_figure_options defaults;
    mprof_figure_options_init(&defaults);
    mprof__layout layout = {
        .options = options ? options : &defaults, .measure = measure, .recording_count = count};
    mprof_status status = MPROF_ENOMEM;
    *out = NULL;
    layout.figure = calloc(1, sizeof *layout.figure);
    layout.recordings = calloc(count, sizeof *layout.recordings);
    if (layout.figure && layout.recordings) {
        layout.figure->width_px = layout.options->width_px;
        layout.figure->height_px = layout.options->height_px;
        status = take_stock(&layout, profiles, error);
        if (status == MPROF_OK)
            status = draw_page(&layout, error);
    }
    for (size_t i = 0; layout.recordings && i < count; i++)
        drop_recording(&layout.recordings[i]);
    free(layout.recordings);
    if (status != MPROF_OK) {
        mprof_figure_free(layout.figure);
        return mprof_error_set(error, status, "%s",
                               status == MPROF_ENOMEM ? "out of memory"
                                                      : "cannot lay out the figure");
    }
    *out = layout.figure;
    return MPROF_OK;
}
