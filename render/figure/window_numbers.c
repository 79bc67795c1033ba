#include "window_numbers.h"

#include "colour_slots.h"
#include "heading.h"
#include "legend.h"
#include "merged_calls.h"
#include "process_groups.h"
#include "process_sums.h"

#include "parse/array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More of them would make the file large: they are reduced to bins. */
#define POINTS_MAX 60000
#define CALLS_MAX 30000
#define BINS_MAX 200
#define CALL_BINS_MAX 12000 /* of all functions */
#define BINS_LEAST 5
#define ROWS_MAX 500 /* the most important ones */

struct builder {
    mprof__layout *layout;
    struct mprof__window_numbers *numbers;
    size_t series_room, label_room;
    /* per recording and process: index + 1; 0: no samples. Then those of the curve, and of what the
     * other processes leave of it. */
    uint32_t **series_of;
    size_t member_count;
    mprof__call_bin *table; /* per function and bin; NULL: calls are kept one by one */
};

static double seconds(const mprof__figure_input *input, double time_s)
{
    return time_s - input->start_s;
}

/* ---- samples ---- */

struct edge {
    double time_s, mib;
};

static int by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->time_s < y->time_s || x->time_s > y->time_s) {
        return x->time_s < y->time_s ? -1 : 1;
    }
    return (x->mib > y->mib) - (x->mib < y->mib);
}

/* Spans are sorted by process. */
static size_t first_span_of(const mprof__figure_input *input, uint32_t process)
{
    size_t low = 0, high = input->span_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->spans[middle].process < process) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Ends of calls are points of a curve, unless they are made of sampled stacks. */
static bool is_measured(const mprof_span *span)
{
    return !(span->sampled_s > 0);
}

/* Entry and exit of all calls of a process, sorted. NULL: no memory. */
static struct edge *edges_of(size_t *count, const mprof__figure_input *input, uint32_t process)
{
    size_t first = first_span_of(input, process), end = first_span_of(input, process + 1);
    struct edge *edges = malloc((2 * (end - first) + 1) * sizeof *edges);
    *count = 0;
    for (size_t i = first; edges && i < end; i++) {
        const mprof_span *span = &input->spans[i];
        if (is_measured(span)) {
            edges[(*count)++] = (struct edge){span->enter.time_s, span->enter.mib};
            edges[(*count)++] = (struct edge){span->exit.time_s, span->exit.mib};
        }
    }
    if (edges) {
        qsort(edges, *count, sizeof *edges, by_time);
    }
    return edges;
}

static bool is_edge(const struct edge *edges, size_t count, const mprof_sample *point)
{
    struct edge key = {point->time_s, point->mib};
    return count && bsearch(&key, edges, count, sizeof *edges, by_time);
}

static bool add_point(struct mprof__window_numbers *numbers, double time_s, double mib,
                      bool is_call_end)
{
    mprof__window_point *points = mprof__array_grow(numbers->points, numbers->point_count,
                                                    &numbers->point_room, sizeof *points);
    if (!points) {
        return false;
    }
    numbers->points = points;
    points[numbers->point_count++] = (mprof__window_point){
        .time_s = time_s, .mib = mib, .highest_mib = mib, .count = 1, .is_call_end = is_call_end};
    return true;
}

static int by_time_of_points(const void *a, const void *b)
{
    const mprof__window_point *x = a, *y = b;
    if (x->time_s < y->time_s || x->time_s > y->time_s) {
        return x->time_s < y->time_s ? -1 : 1;
    }
    return (int)x->is_call_end - (int)y->is_call_end;
}

/* The samples of a process at all ticks. */
static bool add_samples_of_ticks(struct mprof__window_numbers *numbers,
                                 const mprof__figure_input *input, uint32_t process)
{
    const mprof_ticks *ticks = mprof_profile_ticks(input->profile, input->main_is_sum);
    bool good = true;
    for (size_t i = 0; good && i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        for (size_t k = 0; good && k < tick->count; k++) {
            const mprof_tick_process *one = &ticks->processes[tick->first + k];
            if (one->process == process) {
                good = add_point(numbers, seconds(input, tick->time_s), one->mib, false);
            }
        }
    }
    return good;
}

static bool add_all(struct mprof__window_numbers *numbers, const mprof__figure_input *input,
                    const mprof_series *series)
{
    bool good = true;
    for (size_t i = 0; good && i < series->point_count; i++) {
        good = add_point(numbers, seconds(input, series->points[i].time_s), series->points[i].mib,
                         false);
    }
    return good;
}

static bool add_ends(struct mprof__window_numbers *numbers, const mprof__figure_input *input,
                     const mprof_span *span)
{
    return !is_measured(span) ||
           (add_point(numbers, seconds(input, span->enter.time_s), span->enter.mib, true) &&
            add_point(numbers, seconds(input, span->exit.time_s), span->exit.mib, true));
}

/* Of very many calls [begin, end), the highest value between any two samples, which are the points
 * from `first` on. */
static bool add_highest_ends(struct mprof__window_numbers *numbers,
                             const mprof__figure_input *input, size_t first, size_t begin,
                             size_t end)
{
    size_t count = numbers->point_count - first;
    struct edge *highest = malloc((count + 1) * sizeof *highest);
    bool good = highest != NULL;
    for (size_t i = 0; good && i <= count; i++) {
        highest[i] = (struct edge){NAN, -INFINITY};
    }
    for (size_t i = begin; good && i < end; i++) {
        const mprof_sample ends[] = {input->spans[i].enter, input->spans[i].exit};
        for (size_t k = 0; k < 2 && is_measured(&input->spans[i]); k++) {
            double time_s = seconds(input, ends[k].time_s);
            size_t low = 0, high = count;
            while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (numbers->points[first + middle].time_s < time_s) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            if (ends[k].mib > highest[low].mib) {
                highest[low] = (struct edge){time_s, ends[k].mib};
            }
        }
    }
    for (size_t i = 0; good && i <= count; i++) {
        good =
            isnan(highest[i].time_s) || add_point(numbers, highest[i].time_s, highest[i].mib, true);
    }
    free(highest);
    return good;
}

/* Adds the samples by themselves, and the values of calls, where both together were too many for
 * the curve. *is_whole: the samples are all there. False: no memory. */
static bool add_apart(bool *is_whole, struct mprof__window_numbers *numbers,
                      const mprof__figure_input *input, const mprof_series *of, uint32_t process)
{
    const mprof_ticks *ticks = mprof_profile_ticks(input->profile, input->main_is_sum);
    const mprof_series *samples = mprof_profile_samples(input->profile);
    size_t first = numbers->point_count;
    bool is_line = of->points == mprof_profile_line(input->profile)->points;
    bool good = true;
    *is_whole = is_line ? samples->point_count >= samples->sample_count
                        : ticks->count >= ticks->total.sample_count;
    if (!*is_whole) {
        return true;
    }
    good =
        is_line ? add_all(numbers, input, samples) : add_samples_of_ticks(numbers, input, process);
    bool has_calls = !is_line || !input->main_is_sum;
    size_t begin = first_span_of(input, process), end = first_span_of(input, process + 1);
    if (good && has_calls && end - begin > CALLS_MAX) {
        good = add_highest_ends(numbers, input, first, begin, end);
    }
    for (size_t i = begin; good && has_calls && end - begin <= CALLS_MAX && i < end; i++) {
        const mprof_span *span = &input->spans[i];
        good = add_ends(numbers, input, span);
    }
    if (good && numbers->point_count > first) {
        qsort(&numbers->points[first], numbers->point_count - first, sizeof *numbers->points,
              by_time_of_points);
    }
    return good;
}

static bool add_points(struct builder *builder, const mprof__figure_input *input,
                       mprof__window_series *series, uint32_t process)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    const mprof_series *of = series->of;
    bool is_whole = of->point_count >= of->sample_count;
    series->first = numbers->point_count;
    if (!is_whole && !add_apart(&is_whole, numbers, input, of, process)) {
        return false;
    }
    if (numbers->point_count == series->first) {
        size_t edge_count;
        struct edge *edges = edges_of(&edge_count, input, process);
        bool good = edges != NULL;
        for (size_t i = 0; good && i < of->point_count; i++) {
            const mprof_sample *point = &of->points[i];
            good = add_point(numbers, seconds(input, point->time_s), point->mib,
                             is_edge(edges, edge_count, point));
        }
        free(edges);
        if (!good) {
            return false;
        }
    }
    numbers->series_are_bins = numbers->series_are_bins || !is_whole;
    series->count = numbers->point_count - series->first;
    return true;
}

/* Index of the series; MPROF__NO_SERIES: no memory. */
static uint32_t add_series(struct builder *builder, const mprof__figure_input *input,
                           const mprof_series *of, uint32_t process)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    for (size_t i = 0; i < numbers->series_count; i++) {
        if (numbers->series[i].of->points == of->points && of->point_count) {
            return (uint32_t)i;
        }
    }
    mprof__window_series *series = mprof__array_grow(numbers->series, numbers->series_count,
                                                     &builder->series_room, sizeof *series);
    if (!series) {
        return MPROF__NO_SERIES;
    }
    numbers->series = series;
    series[numbers->series_count] = (mprof__window_series){.of = of, .held_s = NAN};
    if (!add_points(builder, input, &series[numbers->series_count], process)) {
        return MPROF__NO_SERIES;
    }
    return (uint32_t)numbers->series_count++;
}

/* True if the curve has the values of calls: it measured the same process. */
static bool has_call_ends(const struct mprof__window_numbers *numbers, uint32_t index)
{
    const mprof__window_series *series = &numbers->series[index];
    for (size_t i = series->first; i < series->first + series->count; i++) {
        if (numbers->points[i].is_call_end) {
            return true;
        }
    }
    return false;
}

/* Each tick of MEM, of a recording whose ticks are not all kept. The series of all processes are
 * there. */
static bool add_rests_of_samples(struct mprof__window_numbers *numbers, size_t first, uint32_t line)
{
    size_t begin = numbers->series[line].first, end = begin + numbers->series[line].count;
    for (size_t i = begin; i < end; i++) {
        mprof__window_point point = numbers->points[i];
        if (!point.is_call_end && !add_point(numbers, point.time_s, point.mib, false)) {
            return false;
        }
    }
    for (size_t s = line + 1; s < numbers->series_count; s++) {
        const mprof__window_series *series = &numbers->series[s];
        size_t at = first;
        for (size_t i = series->first; i < series->first + series->count; i++) {
            const mprof__window_point *point = &numbers->points[i];
            while (at < numbers->point_count && numbers->points[at].time_s < point->time_s) {
                at++;
            }
            bool is_tick = at < numbers->point_count && numbers->points[at].time_s == point->time_s;
            numbers->points[at < numbers->point_count ? at : first].mib -=
                is_tick && !point->is_call_end ? point->mib : 0;
        }
    }
    for (size_t i = first; i < numbers->point_count; i++) {
        numbers->points[i].mib = numbers->points[i].highest_mib = fmax(0, numbers->points[i].mib);
    }
    return true;
}

static bool add_rests_of_ticks(struct mprof__window_numbers *numbers,
                               const mprof__figure_input *input, const mprof_ticks *ticks)
{
    bool good = true;
    for (size_t i = 0; good && i < ticks->count; i++) {
        const mprof_tick *tick = &ticks->ticks[i];
        if (!isnan(tick->mem_mib)) {
            good = add_point(numbers, seconds(input, tick->time_s),
                             fmax(0, tick->mem_mib - tick->children_mib), false);
        }
    }
    return good;
}

/* The main process of a tree whose MEM is the sum: what the others leave of each tick, and what its
 * calls measured. *index: of the series; MPROF__NO_SERIES: nothing is known of it. False: no
 * memory.
 */
static bool add_rest_series(uint32_t *index, struct builder *builder,
                            const mprof__figure_input *input, uint32_t line)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    const mprof_ticks *ticks = mprof_profile_ticks(input->profile, 1);
    bool all_ticks = ticks->count >= ticks->total.sample_count;
    *index = MPROF__NO_SERIES;
    if (!input->main_is_sum || !mprof_profile_fact(input->profile, "include-children") ||
        (!all_ticks && input->other_count)) {
        return true;
    }
    size_t first = numbers->point_count;
    bool good = all_ticks ? add_rests_of_ticks(numbers, input, ticks)
                          : add_rests_of_samples(numbers, first, line);
    size_t end = has_call_ends(numbers, line) ? 0 : first_span_of(input, 1);
    for (size_t i = 0; good && i < end; i++) {
        const mprof_span *span = &input->spans[i];
        good = add_ends(numbers, input, span);
    }
    mprof__window_series *series = mprof__array_grow(numbers->series, numbers->series_count,
                                                     &builder->series_room, sizeof *series);
    if (!good || !series) {
        return false;
    }
    numbers->series = series;
    size_t count = numbers->point_count - first;
    series[numbers->series_count] =
        (mprof__window_series){.first = first, .count = count, .of = &ticks->total, .held_s = NAN};
    *index = (uint32_t)numbers->series_count++;
    if (count) {
        qsort(&numbers->points[first], count, sizeof *numbers->points, by_time_of_points);
    }
    return true;
}

static void hold_last_sample(mprof__window_series *series, const mprof__figure_input *input,
                             uint32_t process)
{
    if (mprof__is_merged(input)) {
        series->held_s = seconds(input, mprof__held_until_s(&series->is_before, input, process));
    }
}

static bool add_recording_series(struct builder *builder, size_t recording)
{
    const mprof__figure_input *input = &builder->layout->inputs[recording];
    uint32_t *of = calloc(input->process_count + 2, sizeof *of);
    builder->series_of[recording] = of;
    uint32_t line =
        of ? add_series(builder, input, mprof_profile_line(input->profile), 0) : MPROF__NO_SERIES;
    if (line == MPROF__NO_SERIES) {
        return false;
    }
    for (uint32_t p = 0; p < input->process_count; p++) {
        const mprof_series *own = &input->processes[p].series;
        if (own->point_count) {
            uint32_t index = add_series(builder, input, own, p);
            if (index == MPROF__NO_SERIES) {
                return false;
            }
            of[p] = index + 1;
            hold_last_sample(&builder->numbers->series[index], input, p);
        }
    }
    of[input->process_count] = line + 1;
    uint32_t rest;
    bool good = add_rest_series(&rest, builder, input, line);
    of[input->process_count + 1] = rest == MPROF__NO_SERIES ? 0 : rest + 1;
    return good;
}

/* The highest sample next to a point of a series. */
static double sample_near(const struct mprof__window_numbers *numbers,
                          const mprof__window_series *series, size_t at)
{
    double highest = -INFINITY;
    for (size_t i = at; i-- > series->first;) {
        if (!numbers->points[i].is_call_end) {
            highest = numbers->points[i].mib;
            break;
        }
    }
    for (size_t i = at + 1; i < series->first + series->count; i++) {
        if (!numbers->points[i].is_call_end) {
            return fmax(highest, numbers->points[i].mib);
        }
    }
    return highest;
}

/* Of very many calls, only those values that may be a peak are kept. */
static void drop_low_call_ends(struct mprof__window_numbers *numbers)
{
    size_t kept = 0;
    for (size_t s = 0; s < numbers->series_count; s++) {
        mprof__window_series *series = &numbers->series[s];
        size_t first = kept;
        double near = -INFINITY;
        bool is_known = false;
        for (size_t i = series->first; i < series->first + series->count; i++) {
            mprof__window_point point = numbers->points[i];
            if (!point.is_call_end) {
                is_known = false;
            } else if (!is_known) { /* the same for all up to the next sample */
                near = sample_near(numbers, series, i);
                is_known = true;
            }
            if (point.is_call_end && point.mib <= near) {
                continue;
            }
            near = point.is_call_end ? point.mib : near;
            bool replaces =
                point.is_call_end && kept > first && numbers->points[kept - 1].is_call_end;
            kept -= replaces;
            numbers->points[kept++] = point;
        }
        series->first = first;
        series->count = kept - first;
    }
    numbers->point_count = kept;
}

/* Replaces the points of each series by bins, in place: there are fewer of them. */
static void reduce_series(struct builder *builder)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    const mprof__layout *layout = builder->layout;
    double most =
        fmin(BINS_MAX, fmax(BINS_LEAST, floor(POINTS_MAX / (double)numbers->series_count)));
    double bin_s = (layout->to_s - layout->from_s) / most;
    size_t kept = 0;
    for (size_t s = 0; s < numbers->series_count; s++) {
        mprof__window_series *series = &numbers->series[s];
        size_t first = kept;
        double current = -1;
        for (size_t i = series->first; i < series->first + series->count; i++) {
            mprof__window_point point = numbers->points[i];
            double bin = floor((point.time_s - layout->from_s) / bin_s);
            bin = fmax(0, fmin(bin, most - 1));
            if (kept == first || bin != current) {
                point.time_s = layout->from_s + (bin + 0.5) * bin_s;
                point.is_call_end = false;
                numbers->points[kept++] = point;
                current = bin;
                continue;
            }
            mprof__window_point *into = &numbers->points[kept - 1];
            into->count++;
            into->mib += (point.mib - into->mib) / (double)into->count;
            into->highest_mib = fmax(into->highest_mib, point.mib);
        }
        series->first = first;
        series->count = kept - first;
    }
    numbers->point_count = kept;
    numbers->series_are_bins = true;
}

/* ---- calls ---- */

/* The latest exit of a function's calls in a lane, to tell outer calls from inner ones: the same
 * rule as in the parser's sums. */
struct outer {
    uint32_t lane;
    double end_s;
};

static size_t bin_at(const struct builder *builder, double time_s)
{
    const mprof__layout *layout = builder->layout;
    double share = (time_s - layout->from_s) / (layout->to_s - layout->from_s);
    double last = (double)builder->numbers->bin_count - 1;
    return (size_t)fmax(0, fmin(floor(share * (last + 1)), last));
}

static void add_to_bins(struct builder *builder, mprof__call_bin *table,
                        const mprof__window_call *call)
{
    const mprof__layout *layout = builder->layout;
    size_t count = builder->numbers->bin_count;
    double bin_s = (layout->to_s - layout->from_s) / (double)count;
    mprof__call_bin *row = &table[call->function * count];
    size_t first = bin_at(builder, call->start_s), last = bin_at(builder, call->end_s);
    double length = call->end_s - call->start_s;
    row[first].starts += call->count;
    row[last].ends += call->count;
    for (size_t i = first; i <= last; i++) {
        double begin = layout->from_s + (double)i * bin_s;
        double overlap = fmin(call->end_s, begin + bin_s) - fmax(call->start_s, begin);
        row[i].longest_s = fmax(row[i].longest_s, length);
        row[i].peak_mib = fmax(row[i].peak_mib, fmax(call->enter_mib, call->exit_mib));
        if (call->is_outermost) {
            double share = length > 0 ? fmax(0, overlap) / length : i == first;
            row[i].busy_s += fmax(0, overlap);
            row[i].change_mib += (call->exit_mib - call->enter_mib) * share;
        }
    }
}

static bool add_calls_of(struct builder *builder, size_t recording, uint32_t first_lane)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    const mprof__figure_input *input = &builder->layout->inputs[recording];
    const uint32_t *series_of = builder->series_of[recording];
    struct outer *outers = malloc((input->function_count + 1) * sizeof *outers);
    if (!outers) {
        return false;
    }
    for (size_t i = 0; i < input->function_count; i++) {
        outers[i] = (struct outer){UINT32_MAX, 0};
    }
    uint32_t line = series_of[input->process_count];
    bool line_has_ends = has_call_ends(numbers, line - 1);
    uint32_t rest = series_of[input->process_count + 1];
    uint32_t main_series = rest && input->process_count + input->other_count > 1
                               ? rest
                               : series_of[input->process_count];
    for (size_t i = 0; i < input->span_count; i++) {
        const mprof_span *span = &input->spans[i];
        struct outer *outer = &outers[span->function];
        bool is_inner = outer->lane == span->lane && span->exit.time_s <= outer->end_s;
        if (!is_inner) {
            *outer = (struct outer){span->lane, span->exit.time_s};
        }
        if (input->function_colours[span->function] == MPROF_COLOUR_NONE) {
            continue;
        }
        uint32_t own = series_of[span->process];
        own = own || span->process || !line_has_ends ? own : line;
        mprof__window_call call = {.start_s = seconds(input, span->enter.time_s),
                                   .end_s = seconds(input, span->exit.time_s),
                                   .enter_mib = span->enter.mib,
                                   .exit_mib = span->exit.mib,
                                   .count = span->count > 1 ? span->count : 1,
                                   .function = input->function_numbers[span->function],
                                   .series =
                                       (span->process ? series_of[span->process] : main_series) - 1,
                                   .lane = first_lane + span->lane,
                                   .line = own - 1,
                                   .is_open = span->open != 0,
                                   .is_outermost = !is_inner};
        if (builder->table) {
            add_to_bins(builder, builder->table, &call);
        } else {
            numbers->calls[numbers->call_count++] = call;
        }
    }
    free(outers);
    return true;
}

static bool begin_bins(struct builder *builder)
{
    size_t functions = builder->layout->figure->function_count;
    size_t most = CALL_BINS_MAX / (functions + 1);
    size_t count = most < BINS_LEAST ? BINS_LEAST : most > BINS_MAX ? BINS_MAX : most;
    builder->numbers->bin_count = count;
    builder->table = calloc(functions * count + 1, sizeof *builder->table);
    return builder->table != NULL;
}

/* Keeps those with calls. */
static void end_bins(struct builder *builder)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    mprof__call_bin *table = builder->table;
    size_t cells = builder->layout->figure->function_count * numbers->bin_count;
    for (size_t i = 0; i < cells; i++) {
        if (table[i].starts || table[i].ends || table[i].longest_s > 0) {
            table[numbers->bins_used] = table[i];
            table[numbers->bins_used].function = (uint32_t)(i / numbers->bin_count);
            table[numbers->bins_used++].bin = (uint32_t)(i % numbers->bin_count);
        }
    }
    numbers->bins = table;
}

static bool add_calls(struct builder *builder)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    size_t count = 0;
    uint32_t lanes = 0;
    bool good = true;
    for (size_t r = 0; r < builder->layout->input_count; r++) {
        count += builder->layout->inputs[r].span_count;
    }
    if (count > CALLS_MAX) {
        good = begin_bins(builder);
    } else {
        numbers->calls = malloc((count + 1) * sizeof *numbers->calls);
        good = numbers->calls != NULL;
    }
    for (size_t r = 0; good && r < builder->layout->input_count; r++) {
        good = add_calls_of(builder, r, lanes);
        lanes += (uint32_t)builder->layout->inputs[r].lane_count;
    }
    if (builder->table) {
        end_bins(builder); /* also after a failure: the numbers own it */
    }
    return good;
}

/* ---- rows ---- */

static void describe_end(mprof__window_row *row, const mprof__figure_input *input,
                         const mprof_process *process)
{
    row->end_s = process->ended ? seconds(input, process->end_s) : NAN;
    mprof__exit_text(row->end, sizeof row->end, process);
}

static mprof__window_row *add_row(struct builder *builder, mprof__window_row_kind kind)
{
    mprof__window_row *row = &builder->numbers->rows[builder->numbers->row_count++];
    *row = (mprof__window_row){.kind = kind,
                               .end_s = NAN,
                               .colour = MPROF_COLOUR_NONE,
                               .swatch = MPROF_ROLE_COUNT,
                               .first = builder->member_count};
    return row;
}

static void add_member(struct builder *builder, mprof__window_row *row, uint32_t series,
                       int64_t pid)
{
    if (series) {
        builder->numbers->pids[builder->member_count] = pid;
        builder->numbers->members[builder->member_count++] = series - 1;
        row->count++;
    }
}

static void add_main_row(struct builder *builder, size_t recording)
{
    const mprof__figure_input *input = &builder->layout->inputs[recording];
    mprof__window_row *row = add_row(builder, MPROF__ROW_MAIN);
    const uint32_t *of = builder->series_of[recording];
    mprof__main_row_name(row->name, sizeof row->name, input);
    mprof__main_row_swatch(&row->swatch, &row->colour, builder->layout, input);
    uint32_t own = of[0] ? of[0] : of[input->process_count];
    add_member(builder, row, input->main_is_sum ? of[input->process_count + 1] : own,
               input->processes[0].own_pid);
    describe_end(row, input, &input->processes[0]);
}

/* Of the next member. False: no memory. */
static bool add_label(struct builder *builder, const mprof__figure_input *input, uint32_t process)
{
    struct mprof__window_numbers *numbers = builder->numbers;
    char text[48];
    if (!numbers->is_merged || !input->groups.is_by_key) {
        return true;
    }
    char **labels = mprof__array_grow(numbers->labels, numbers->label_count, &builder->label_room,
                                      sizeof *labels);
    if (!labels) {
        return false;
    }
    numbers->labels = labels;
    mprof__member_of_group_text(text, sizeof text, input, process);
    labels[numbers->label_count] = strdup(text);
    return labels[numbers->label_count++] != NULL;
}

/* False: no memory. */
static bool add_group_rows(struct builder *builder, size_t recording)
{
    const mprof__layout *layout = builder->layout;
    const mprof__figure_input *input = &layout->inputs[recording];
    for (size_t g = 0; g < input->groups.count && builder->numbers->row_count < ROWS_MAX; g++) {
        const mprof__process_group *group = &input->groups.items[g];
        mprof__window_row *row =
            add_row(builder, input->groups.is_by_key ? MPROF__ROW_COMMAND : MPROF__ROW_PROCESS);
        mprof__group_row_name(row->name, sizeof row->name, layout, input, group);
        row->colour = mprof__group_row_colour(layout, input, g);
        row->swatch = MPROF_ROLE_SWATCH;
        for (size_t i = 0; i < group->count; i++) {
            uint32_t process = group->members[i], series = builder->series_of[recording][process];
            if (series && !add_label(builder, input, process)) {
                return false;
            }
            add_member(builder, row, series, input->processes[process].own_pid);
        }
        if (group->count == 1) {
            describe_end(row, input, &input->processes[group->members[0]]);
        }
    }
    return true;
}

static void add_recording_row(struct builder *builder, size_t recording)
{
    const mprof__figure_input *input = &builder->layout->inputs[recording];
    mprof__window_row *row = add_row(builder, MPROF__ROW_RECORDING);
    mprof__recording_name(row->name, sizeof row->name, builder->layout, input);
    row->colour = input->colour;
    row->swatch = MPROF_ROLE_SWATCH_LINE;
    add_member(builder, row, builder->series_of[recording][input->process_count], MPROF_PID_NONE);
}

static bool add_rows(struct builder *builder)
{
    const mprof__layout *layout = builder->layout;
    struct mprof__window_numbers *numbers = builder->numbers;
    size_t rows = 1, members = 1;
    for (size_t r = 0; r < layout->input_count; r++) {
        rows += layout->inputs[r].groups.count + 1;
        members += layout->inputs[r].process_count + 1;
    }
    numbers->rows = malloc(rows * sizeof *numbers->rows);
    numbers->members = malloc((members + rows) * sizeof *numbers->members);
    numbers->pids = malloc((members + rows) * sizeof *numbers->pids);
    if (!numbers->rows || !numbers->members || !numbers->pids) {
        return false;
    }
    if (layout->input_count == 1 && layout->inputs[0].groups.count && !numbers->is_merged) {
        add_main_row(builder, 0);
    }
    for (size_t r = 0; r < layout->input_count; r++) {
        if (!mprof__is_overlay(layout) && !add_group_rows(builder, r)) {
            return false;
        }
        if (layout->input_count > 1) {
            add_recording_row(builder, r);
        }
        for (size_t i = 0; i < layout->inputs[r].child_count; i++) {
            const mprof__figure_input *input = &layout->inputs[r];
            numbers->ends_known = numbers->ends_known || input->processes[input->children[i]].ended;
        }
    }
    return true;
}

/* ---- all ---- */

static bool add_colours(struct builder *builder)
{
    const mprof__layout *layout = builder->layout;
    int *colours = calloc(layout->figure->function_count + 1, sizeof *colours);
    builder->numbers->colours = colours;
    for (size_t r = 0; colours && r < layout->input_count; r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        for (size_t i = 0; i < input->function_count; i++) {
            if (input->function_colours[i] != MPROF_COLOUR_NONE) {
                colours[input->function_numbers[i]] = input->function_colours[i];
            }
        }
    }
    return colours != NULL;
}

static bool build(struct builder *builder)
{
    const mprof__layout *layout = builder->layout;
    struct mprof__window_numbers *numbers = builder->numbers;
    const mprof__figure_input *first = &layout->inputs[0];
    bool good = true;
    numbers->is_sum = first->main_is_sum;
    numbers->is_merged = layout->input_count == 1 && mprof__is_merged(first);
    for (size_t r = 0; good && r < layout->input_count; r++) {
        good = add_recording_series(builder, r);
    }
    good = good && add_colours(builder) && add_rows(builder) && add_calls(builder);
    if (good && numbers->bins) {
        drop_low_call_ends(numbers);
    }
    if (good && (numbers->point_count > POINTS_MAX || numbers->series_are_bins)) {
        reduce_series(builder);
    }
    return good;
}

void mprof__add_window_numbers(mprof__layout *layout)
{
    struct builder builder = {.layout = layout,
                              .numbers = calloc(1, sizeof *builder.numbers),
                              .series_of = calloc(layout->input_count, sizeof *builder.series_of)};
    layout->figure->window_numbers = builder.numbers;
    bool good = builder.numbers && builder.series_of && build(&builder);
    mprof__fail(layout->figure, good ? MPROF_OK : MPROF_ENOMEM);
    for (size_t r = 0; builder.series_of && r < layout->input_count; r++) {
        free(builder.series_of[r]);
    }
    free(builder.series_of);
}

void mprof__free_window_numbers(struct mprof__window_numbers *numbers)
{
    if (numbers) {
        free(numbers->series);
        free(numbers->points);
        free(numbers->calls);
        free(numbers->bins);
        free(numbers->rows);
        free(numbers->colours);
        free(numbers->members);
        free(numbers->pids);
        for (size_t i = 0; i < numbers->label_count; i++) {
            free(numbers->labels[i]);
        }
        free(numbers->labels);
        free(numbers);
    }
}
