/* Chooses the ticks that a picture gives numbers for: all, or of each pixel column the one with the
 * highest sum, which is what the column shows. Processes that share a line share a number. */
#include "tick_table.h"

#include "gaps.h"
#include "heading.h"
#include "memory_kind_curves.h"
#include "merged_calls.h"
#include "process_curves.h"
#include "process_groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALL_PER_PX 2.0   /* with up to this many ticks per pixel column, all are kept */
#define GAP_LEAST_PX 3.0 /* as in curves */
#define NO_TRACK UINT32_MAX

struct table {
    mprof__layout *layout;
    const mprof__figure_input *input;
    const mprof_ticks *ticks;
    uint32_t *tracks;   /* owned; by process, or by group */
    uint32_t *group_of; /* owned; by process; NULL: each has a track of its own */
    double *sums;       /* owned; by group, of the tick */
    uint32_t *counts;   /* owned; of processes */
    uint32_t others, kinds[MPROF_KIND_COUNT];
    bool is_begun; /* a tick of the recording was added */
};

static uint32_t track_of_process(struct table *table, uint32_t process)
{
    char name[200];
    if (table->tracks[process] == NO_TRACK) {
        mprof__process_text(name, sizeof name, table->input, process);
        table->tracks[process] = mprof__add_track(table->layout->figure, MPROF_TRACK_PROCESS, name);
    }
    return table->tracks[process];
}

static uint32_t track_of_group(struct table *table, uint32_t number)
{
    const mprof__process_group *group = &table->input->groups.items[number];
    char name[200];
    if (table->tracks[number] == NO_TRACK) {
        mprof__group_text(name, sizeof name, table->input, group);
        table->tracks[number] = mprof__add_track(
            table->layout->figure, *group->key ? MPROF_TRACK_COMMAND : MPROF_TRACK_PROCESS, name);
    }
    return table->tracks[number];
}

static uint32_t track_of_others(struct table *table)
{
    if (table->others == NO_TRACK) {
        table->others = mprof__add_track(table->layout->figure, MPROF_TRACK_PROCESS,
                                         "processes without a curve");
    }
    return table->others;
}

/* The kinds that have curves. */
static void add_memory_tracks(struct table *table)
{
    mprof__kind_curve curve = {.series = NULL};
    char name[240];
    while (mprof__next_kind(table->layout, table->input, &curve)) {
        mprof__kind_text(name, sizeof name, table->input, &curve);
        table->kinds[curve.kind] =
            mprof__add_track(table->layout->figure, MPROF_TRACK_MEMORY, name);
    }
}

static mprof_rest rest_of(const struct table *table, const mprof_tick *tick)
{
    if (isnan(tick->mem_mib)) {
        return MPROF_REST_ABSENT;
    }
    return table->input->main_is_sum && tick->children_mib > tick->mem_mib ? MPROF_REST_UNKNOWN
                                                                           : MPROF_REST_MAIN;
}

/* The sums of groups with a process that runs at the tick. */
static void add_groups(struct table *table, const mprof_tick *tick)
{
    const mprof_tick_process *processes = &table->ticks->processes[tick->first];
    for (size_t i = 0; i < tick->count; i++) {
        uint32_t group = table->group_of[processes[i].process];
        if (group != NO_TRACK) {
            table->sums[group] += processes[i].mib;
            table->counts[group]++;
        }
    }
    for (size_t i = 0; i < tick->count; i++) {
        uint32_t group = table->group_of[processes[i].process];
        if (group != NO_TRACK && table->counts[group]) {
            mprof__add_tick_value(table->layout->figure, track_of_group(table, group),
                                  table->sums[group], table->counts[group]);
            table->sums[group] = 0;
            table->counts[group] = 0;
        }
    }
}

/* before: the tick that is added before this one; NULL: none. */
static void add_tick(struct table *table, const mprof_tick *tick, const mprof_tick *before)
{
    mprof__layout *layout = table->layout;
    mprof_figure *figure = layout->figure;
    double least_s = GAP_LEAST_PX * (layout->to_s - layout->from_s) / layout->plot.width;
    mprof__add_tick(
        figure,
        (mprof_figure_tick){.time_s = tick->time_s - table->input->start_s,
                            .total_mib = tick->total_mib,
                            .rest = rest_of(table, tick),
                            .is_first = !table->is_begun,
                            .is_after_gap = before && mprof__is_gap(table->input, before->time_s,
                                                                    tick->time_s, least_s)});
    table->is_begun = true;
    if (table->group_of) {
        add_groups(table, tick);
    }
    for (size_t i = 0; !table->group_of && i < tick->count; i++) {
        const mprof_tick_process *one = &table->ticks->processes[tick->first + i];
        mprof__add_tick_value(figure, track_of_process(table, one->process), one->mib, 1);
    }
    if (tick->others_mib > 0) {
        mprof__add_tick_value(figure, track_of_others(table), tick->others_mib, 1);
    }
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        if (table->kinds[kind] != NO_TRACK && !isnan(tick->kinds_mib[kind])) {
            mprof__add_tick_value(figure, table->kinds[kind], tick->kinds_mib[kind], 1);
        }
    }
}

static double column_of(const struct table *table, const mprof_tick *tick)
{
    return floor(mprof__scale_at(&table->layout->time, tick->time_s - table->input->start_s));
}

static void add_ticks(struct table *table)
{
    const mprof_ticks *ticks = table->ticks;
    const mprof_tick *last = NULL;
    bool all = (double)ticks->count <= ALL_PER_PX * table->layout->plot.width;
    for (size_t i = 0; i < ticks->count;) {
        size_t highest = i, next = i + 1;
        for (; !all && next < ticks->count &&
               column_of(table, &ticks->ticks[next]) == column_of(table, &ticks->ticks[i]);
             next++) {
            if (ticks->ticks[next].total_mib > ticks->ticks[highest].total_mib) {
                highest = next;
            }
        }
        add_tick(table, &ticks->ticks[highest], last);
        last = &ticks->ticks[highest];
        i = next;
    }
}

static int by_track(const void *a, const void *b)
{
    const mprof_tick_value *x = a, *y = b;
    if (x->track != y->track) {
        return x->track < y->track ? -1 : 1;
    }
    return (x->tick > y->tick) - (x->tick < y->tick);
}

/* False: no memory. */
static bool allocate(struct table *table)
{
    const mprof__figure_input *input = table->input;
    const mprof__process_groups *groups = &input->groups;
    size_t count = groups->is_by_key ? groups->count : input->process_count;
    table->tracks = malloc((count + 1) * sizeof *table->tracks);
    if (!table->tracks) {
        return false;
    }
    memset(table->tracks, 0xFF, count * sizeof *table->tracks);
    if (!groups->is_by_key) {
        return true;
    }
    table->group_of = malloc(input->process_count * sizeof *table->group_of);
    table->sums = calloc(count + 1, sizeof *table->sums);
    table->counts = calloc(count + 1, sizeof *table->counts);
    if (!table->group_of || !table->sums || !table->counts) {
        return false;
    }
    memset(table->group_of, 0xFF, input->process_count * sizeof *table->group_of);
    for (uint32_t g = 0; g < groups->count; g++) {
        for (size_t i = 0; i < groups->items[g].count; i++) {
            table->group_of[groups->items[g].members[i]] = g;
        }
    }
    return true;
}

static void fill(struct table *table)
{
    mprof_figure *figure = table->layout->figure;
    char name[200];
    for (int kind = 0; kind < MPROF_KIND_COUNT; kind++) {
        table->kinds[kind] = NO_TRACK;
    }
    mprof__process_text(name, sizeof name, table->input, 0);
    mprof__add_track(figure, MPROF_TRACK_MAIN, name);
    if (table->layout->input_count > 1) {
        mprof__recording_name(name, sizeof name, table->layout, table->input);
        mprof__set_track_recording(figure, name);
    }
    add_memory_tracks(table);
    add_ticks(table);
}

static void add_recording(mprof__layout *layout, const mprof__figure_input *input)
{
    struct table table = {.layout = layout,
                          .input = input,
                          .ticks = mprof_profile_ticks(input->profile, input->main_is_sum),
                          .others = NO_TRACK};
    if (!table.ticks->count) {
        return;
    }
    if (allocate(&table)) {
        fill(&table);
    } else {
        mprof__fail(layout->figure, MPROF_ENOMEM);
    }
    free(table.tracks);
    free(table.group_of);
    free(table.sums);
    free(table.counts);
}

bool mprof__add_tick_table(mprof__layout *layout)
{
    mprof_figure *figure = layout->figure;
    uint64_t sampled = 0;
    for (size_t r = 0; r < layout->input_count && !mprof__is_overlay(layout); r++) {
        const mprof__figure_input *input = &layout->inputs[r];
        sampled += mprof_profile_ticks(input->profile, input->main_is_sum)->total.sample_count;
        add_recording(layout, input);
    }
    if (figure->tick_value_count) {
        qsort(figure->tick_values, figure->tick_value_count, sizeof *figure->tick_values, by_track);
    }
    return figure->tick_count == sampled;
}
