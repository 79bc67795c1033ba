/* Finds the highest sample within the calls of each function.
 *
 * Entries and exits of all calls divide time into slots: each edge itself, and the open interval
 * between two edges. A sample raises one slot; a call asks for the highest of its slots, in
 * logarithmic time however many calls overlap. */
#include "array.h"
#include "extremes.h"
#include "profile_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct slots {
    double *edges; /* owned; sorted, each once */
    size_t edge_count;
    double *highest; /* owned; tree: leaf i is node slot_count + i, node n covers 2n and 2n + 1 */
    size_t slot_count;
    size_t latest; /* slot of the previous sample */
} slots;

typedef struct peaks {
    const mprof_profile *profile;
    const mprof__profile_builder *builder;
    slots memory;      /* MEM samples, all calls */
    slots main;        /* without edges unless MEM is the sum: what the others leave of each tick */
    mprof_sample rest; /* of the last tick, while the file is read again; time_s NAN: none yet */
    slots *children;   /* CHLD samples and calls, per process; without edges where there are none */
    /* process of a pid, while the file is read again */
    mprof__map pids;
    mprof__arena keys;
    uint32_t *successors; /* the next process with the same pid */
    unsigned char *ended;
} peaks;

/* ---- slots ---- */

static bool is_sorted(const double *edges, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (edges[i] < edges[i - 1]) {
            return false;
        }
    }
    return true;
}

static int begin_slots(slots *s)
{
    size_t count = 0;
    if (!is_sorted(s->edges, s->edge_count)) {
        qsort(s->edges, s->edge_count, sizeof *s->edges, mprof__compare_doubles);
    }
    for (size_t i = 0; i < s->edge_count; i++) {
        if (count == 0 || s->edges[i] != s->edges[count - 1]) {
            s->edges[count++] = s->edges[i];
        }
    }
    s->edge_count = count;
    s->slot_count = 2 * count + 1;
    s->highest = malloc(2 * s->slot_count * sizeof *s->highest);
    if (!s->highest) {
        return -1;
    }
    for (size_t i = 0; i < 2 * s->slot_count; i++) {
        s->highest[i] = -INFINITY;
    }
    return 0;
}

static void free_slots(slots *s)
{
    free(s->edges);
    free(s->highest);
}

/* Index of the first edge at or after the time. */
static size_t find_edge(const slots *s, double time_s)
{
    size_t low = 0, high = s->edge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->edges[middle] < time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void raise_slot(slots *s, mprof_sample sample)
{
    size_t edge = s->latest;
    if (s->edge_count == 0) {
        return;
    }
    if ((edge > 0 && s->edges[edge - 1] >= sample.time_s) ||
        (edge < s->edge_count && s->edges[edge] < sample.time_s)) {
        edge = find_edge(s, sample.time_s);
        s->latest = edge;
    }
    bool is_edge = edge < s->edge_count && s->edges[edge] == sample.time_s;
    double *highest = &s->highest[s->slot_count + 2 * edge + (size_t)is_edge];
    *highest = sample.mib > *highest ? sample.mib : *highest;
}

/* Called after the last sample. */
static void build_tree(slots *s)
{
    for (size_t node = s->slot_count; node-- > 1;) {
        s->highest[node] = mprof__larger(s->highest[2 * node], s->highest[2 * node + 1]);
    }
}

/* Highest sample from one edge to another, both included; -INFINITY if none exists. */
static double highest_between(const slots *s, double from_s, double to_s)
{
    double highest = -INFINITY;
    size_t low = find_edge(s, from_s);
    size_t high = find_edge(s, to_s);
    high += high < s->edge_count && s->edges[high] == to_s;
    if (low >= high) {
        return highest;
    }
    low = s->slot_count + 2 * low + 1;
    high = s->slot_count + 2 * high;
    while (low < high) {
        if (low & 1) {
            highest = mprof__larger(highest, s->highest[low++]);
        }
        if (high & 1) {
            highest = mprof__larger(highest, s->highest[--high]);
        }
        low /= 2;
        high /= 2;
    }
    return highest;
}

/* ---- which samples fall where ---- */

/* MEM is the sum of a tree with calls of its main process, whose memory is then not MEM. */
static bool main_is_rest(const peaks *p)
{
    const mprof_profile *profile = p->profile;
    return !profile->mem_is_main && profile->process_count + profile->other_count > 1 &&
           profile->spans[0].process == 0;
}

static bool has_own_slots(const peaks *p, uint32_t process)
{
    return process > 0 && p->builder->curves[process].totals.count > 0;
}

/* Collects the edges of calls [begin, end), which are compared with the samples of this curve. */
static int gather_edges(slots *s, const mprof__curve *curve, const mprof_profile *profile,
                        size_t begin, size_t end)
{
    int from_samples = !mprof__curve_is_thinned(curve);
    size_t most = from_samples ? curve->point_count : 2 * (end - begin);
    s->edges = malloc((most + 1) * sizeof *s->edges);
    if (!s->edges) {
        return -1;
    }
    for (size_t i = 0; i < curve->point_count && from_samples; i++) {
        s->edges[s->edge_count++] = curve->points[i].time_s;
    }
    for (size_t i = begin; i < end && !from_samples; i++) {
        s->edges[s->edge_count++] = profile->spans[i].enter.time_s;
        s->edges[s->edge_count++] = profile->spans[i].exit.time_s;
    }
    return begin_slots(s);
}

/* Spans are sorted by process. */
static int begin_peaks(peaks *p)
{
    const mprof_profile *profile = p->profile;
    p->children = calloc(profile->process_count, sizeof *p->children);
    if (!p->children ||
        gather_edges(&p->memory, &p->builder->samples, profile, 0, profile->span_count) != 0 ||
        (main_is_rest(p) &&
         gather_edges(&p->main, &p->builder->samples, profile, 0, profile->span_count) != 0)) {
        return -1;
    }
    for (size_t begin = 0, end; begin < profile->span_count; begin = end) {
        uint32_t process = profile->spans[begin].process;
        for (end = begin; end < profile->span_count && profile->spans[end].process == process;) {
            end++;
        }
        if (has_own_slots(p, process) &&
            gather_edges(&p->children[process], &p->builder->curves[process], profile, begin,
                         end) != 0) {
            return -1;
        }
    }
    return 0;
}

static void raise_from_curve(slots *s, const mprof__curve *curve)
{
    for (size_t i = 0; i < curve->point_count; i++) {
        raise_slot(s, curve->points[i]);
    }
}

/* The ticks are those of MEM as the sum. */
static void raise_main_from_ticks(peaks *p)
{
    const mprof__tick_list *list = &p->builder->ticks.lists[1];
    for (size_t i = 0; i < list->count; i++) {
        const mprof_tick *tick = &list->ticks[i];
        if (!isnan(tick->mem_mib)) {
            raise_slot(
                &p->main,
                (mprof_sample){mprof__larger(tick->mem_mib - tick->children_mib, 0), tick->time_s});
        }
    }
}

static bool is_thinned(const peaks *p)
{
    int thinned = mprof__curve_is_thinned(&p->builder->samples);
    thinned |= p->main.edge_count > 0 && p->builder->ticks.lists[1].width_s > 0;
    for (size_t i = 0; i < p->profile->process_count; i++) {
        thinned |= p->children[i].edge_count > 0 && mprof__curve_is_thinned(&p->builder->curves[i]);
    }
    return thinned;
}

/* ---- the file once more ---- */

static bool is_within(const peaks *p, double time_s)
{
    return time_s >= p->builder->from_s && time_s <= p->builder->to_s;
}

/* After all samples of its tick. */
static void flush_rest(peaks *p)
{
    if (p->main.edge_count > 0 && is_within(p, p->rest.time_s)) {
        p->rest.mib = mprof__larger(p->rest.mib, 0);
        raise_slot(&p->main, p->rest);
    }
}

static mprof_status add_samples(void *data, const mprof_sample *samples, size_t count)
{
    peaks *p = data;
    for (size_t i = 0; i < count; i++) {
        flush_rest(p);
        p->rest = samples[i];
        if (is_within(p, samples[i].time_s)) {
            raise_slot(&p->memory, samples[i]);
        }
    }
    return MPROF_OK;
}

static mprof_status add_record(void *data, const mprof_record *record)
{
    peaks *p = data;
    int64_t pid = record->pid;
    if (record->kind != MPROF_RECORD_CHLD && record->kind != MPROF_RECORD_PROC &&
        record->kind != MPROF_RECORD_EXIT) {
        return MPROF_OK;
    }
    uint32_t process = mprof__map_find(&p->pids, (const char *)&pid, sizeof pid);
    if (record->kind == MPROF_RECORD_CHLD && process != 0 &&
        record->sample.time_s == p->rest.time_s) {
        p->rest.mib -= record->sample.mib;
    }
    if (process == MPROF__MAP_NONE) {
        return MPROF_OK;
    }
    if (record->kind == MPROF_RECORD_EXIT) {
        p->ended[process] = 1;
    } else if (record->kind == MPROF_RECORD_PROC && p->ended[process] &&
               p->successors[process] != MPROF__MAP_NONE) {
        return mprof__map_set(&p->pids, &p->keys, (const char *)&pid, sizeof pid,
                              p->successors[process]) == 0
                   ? MPROF_OK
                   : MPROF_ENOMEM;
    } else if (record->kind == MPROF_RECORD_CHLD && is_within(p, record->sample.time_s)) {
        raise_slot(&p->children[process], record->sample);
    }
    return MPROF_OK;
}

/* Maps each pid to its first process, and each process to the next one with the same pid. */
static int list_pids(peaks *p)
{
    const mprof_profile *profile = p->profile;
    p->successors = malloc(profile->process_count * sizeof *p->successors);
    p->ended = calloc(profile->process_count, 1);
    if (!p->successors || !p->ended) {
        return -1;
    }
    for (size_t i = profile->process_count; i-- > 0;) {
        int64_t pid = profile->processes[i].pid;
        p->successors[i] = mprof__map_find(&p->pids, (const char *)&pid, sizeof pid);
        if (mprof__map_set(&p->pids, &p->keys, (const char *)&pid, sizeof pid, (uint32_t)i) != 0) {
            return -1;
        }
    }
    return 0;
}

static mprof_status read_again(peaks *p, mprof_source *source, mprof_error *error)
{
    mprof_visitor visitor = {p, add_samples, add_record, NULL};
    if (list_pids(p) != 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    mprof_status status = mprof_source_rewind(source, error);
    status = status == MPROF_OK ? mprof_read(source, &visitor, error) : status;
    flush_rest(p);
    return status == MPROF_ENOMEM ? mprof_error_set(error, status, "out of memory") : status;
}

/* ---- all ---- */

static void find_function_peaks(peaks *p, mprof_profile *profile)
{
    build_tree(&p->memory);
    if (p->main.edge_count > 0) {
        build_tree(&p->main);
    }
    for (size_t i = 0; i < profile->process_count; i++) {
        if (p->children[i].edge_count > 0) {
            build_tree(&p->children[i]);
        }
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        const mprof_span *span = &profile->spans[i];
        mprof_function *function = &profile->functions[span->function];
        double memory = highest_between(&p->memory, span->enter.time_s, span->exit.time_s);
        double own = memory;
        if (span->process > 0 || p->main.edge_count > 0) {
            const slots *child = span->process ? &p->children[span->process] : &p->main;
            own = child->edge_count > 0
                      ? highest_between(child, span->enter.time_s, span->exit.time_s)
                      : -INFINITY;
        }
        if (memory >= 0) {
            function->sample_peak_mib = mprof__larger(function->sample_peak_mib, memory);
        }
        if (own >= 0) {
            function->peak_mib = mprof__larger(function->peak_mib, own);
        }
    }
}

static mprof_status find_peaks(peaks *p, mprof_profile *profile, mprof_source *source,
                               mprof_error *error)
{
    if (begin_peaks(p) != 0) {
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    if (is_thinned(p)) {
        mprof_status status = read_again(p, source, error);
        if (status != MPROF_OK) {
            return status;
        }
    } else {
        raise_from_curve(&p->memory, &p->builder->samples);
        if (p->main.edge_count > 0) {
            raise_main_from_ticks(p);
        }
        for (size_t i = 0; i < profile->process_count; i++) {
            raise_from_curve(&p->children[i], &p->builder->curves[i]);
        }
    }
    find_function_peaks(p, profile);
    return MPROF_OK;
}

mprof_status mprof__profile_find_peaks(mprof_profile *profile, mprof__profile_builder *builder,
                                       mprof_source *source, mprof_error *error)
{
    peaks p;
    if (profile->span_count == 0) {
        return MPROF_OK;
    }
    memset(&p, 0, sizeof p);
    p.profile = profile;
    p.builder = builder;
    p.rest.time_s = NAN;
    mprof_status status = find_peaks(&p, profile, source, error);
    free_slots(&p.memory);
    free_slots(&p.main);
    for (size_t i = 0; p.children && i < profile->process_count; i++) {
        free_slots(&p.children[i]);
    }
    free(p.children);
    mprof__map_free(&p.pids);
    mprof__arena_free(&p.keys);
    free(p.successors);
    free(p.ended);
    return status;
}

/* ---- sampled stacks ---- */

/* The function of each frame; MPROF__MAP_NONE: it has no span. NULL without memory. */
static uint32_t *functions_of_frames(const mprof_profile *profile)
{
    mprof__map known = {0};
    uint32_t *functions = malloc((profile->frame_count + 1) * sizeof *functions);
    bool is_full = functions != NULL;
    for (size_t i = 0; i < profile->function_count && is_full; i++) {
        const char *name = profile->functions[i].name;
        is_full = mprof__map_set(&known, NULL, name, strlen(name), (uint32_t)i) == 0;
    }
    for (size_t i = 0; i < profile->frame_count && is_full; i++) {
        const char *name = profile->frames[i].name;
        functions[i] = mprof__map_find(&known, name, strlen(name));
    }
    mprof__map_free(&known);
    if (!is_full) {
        free(functions);
    }
    return is_full ? functions : NULL;
}

/* Spans of samples have edges between two samples, and the shortest have none: samples of stacks
 * know better. Recorded calls have measured their memory, too. */
mprof_status mprof__profile_use_stack_peaks(mprof_profile *profile, mprof_error *error)
{
    if (profile->stack_count == 0 || profile->function_count == 0) {
        return MPROF_OK;
    }
    uint32_t *functions = functions_of_frames(profile);
    bool *is_recorded = calloc(profile->function_count, sizeof *is_recorded);
    double *peaks_mib = malloc(profile->function_count * sizeof *peaks_mib);
    bool has_room = functions && is_recorded && peaks_mib;
    for (size_t i = 0; i < profile->function_count && has_room; i++) {
        peaks_mib[i] = NAN;
    }
    for (size_t i = 0; i < profile->span_count && has_room; i++) {
        is_recorded[profile->spans[i].function] |= !(profile->spans[i].sampled_s > 0);
    }
    for (size_t i = 0; i < profile->stack_count && has_room; i++) {
        const mprof_sampled_stack *stack = &profile->stacks[i];
        for (uint32_t frame = stack->frame; frame != MPROF_SAMPLED_FRAME_NONE;
             frame = profile->frames[frame].parent) {
            if (functions[frame] != MPROF__MAP_NONE) {
                double *peak_mib = &peaks_mib[functions[frame]];
                *peak_mib = mprof__larger(*peak_mib, stack->peak_mib);
            }
        }
    }
    for (size_t i = 0; i < profile->function_count && has_room; i++) {
        mprof_function *function = &profile->functions[i];
        if (!isnan(peaks_mib[i])) {
            function->peak_mib =
                is_recorded[i] ? mprof__larger(function->peak_mib, peaks_mib[i]) : peaks_mib[i];
        }
    }
    free(functions);
    free(is_recorded);
    free(peaks_mib);
    return has_room ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}
