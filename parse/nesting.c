/* Nests calls: sorts the spans, derives levels where the file has none, and sums up each function.
 * Near-linear for any calls: no list is searched. */
#include "buffer.h"
#include "extremes.h"
#include "profile_parts.h"
#include "series.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* By process, lane, entry; enclosing calls first; else in file order. */
static int compare_spans(const void *a, const void *b)
{
    const mprof_span *left = a, *right = b;
    int order = compare_numbers(left->process, right->process);
    order = order ? order : compare_numbers(left->lane, right->lane);
    order = order ? order : compare_doubles(left->enter.time_s, right->enter.time_s);
    order = order ? order : (left->level > right->level) - (left->level < right->level);
    order = order ? order : compare_doubles(right->exit.time_s, left->exit.time_s);
    return order ? order : compare_numbers(mprof__span_order(left), mprof__span_order(right));
}

static void sort_spans(mprof_profile *profile)
{
    for (size_t i = 1; i < profile->span_count; i++) {
        if (compare_spans(&profile->spans[i - 1], &profile->spans[i]) > 0) {
            qsort(profile->spans, profile->span_count, sizeof *profile->spans, compare_spans);
            return;
        }
    }
}

/* ---- levels ---- */

/* The levels of a lane with the end of the latest call of each, as leaves of a binary tree whose
 * nodes hold the earliest and the latest end below them. So each query is a path from the root to a
 * leaf. */
typedef struct level_tree {
    double *earliest; /* owned; node 1 is the root, the children of n are 2n and 2n + 1 */
    double *latest;
    size_t leaf_count; /* a power of two */
} level_tree;

static void clear_levels(level_tree *tree)
{
    for (size_t i = 0; i < 2 * tree->leaf_count; i++) {
        tree->earliest[i] = tree->latest[i] = -INFINITY;
    }
}

static void free_levels(level_tree *tree)
{
    free(tree->earliest);
    free(tree->latest);
}

static void set_level(level_tree *tree, size_t level, double end_s)
{
    size_t node = tree->leaf_count + level;
    tree->earliest[node] = tree->latest[node] = end_s;
    for (node /= 2; node > 0; node /= 2) {
        tree->earliest[node] =
            mprof__smaller(tree->earliest[2 * node], tree->earliest[2 * node + 1]);
        tree->latest[node] = mprof__larger(tree->latest[2 * node], tree->latest[2 * node + 1]);
    }
}

static int grow_levels(level_tree *tree)
{
    level_tree bigger = {NULL, NULL, tree->leaf_count ? tree->leaf_count * 2 : 8};
    bigger.earliest = malloc(2 * bigger.leaf_count * sizeof *bigger.earliest);
    bigger.latest = malloc(2 * bigger.leaf_count * sizeof *bigger.latest);
    if (!bigger.earliest || !bigger.latest) {
        free_levels(&bigger);
        return -1;
    }
    clear_levels(&bigger);
    for (size_t level = 0; level < tree->leaf_count; level++) {
        set_level(&bigger, level, tree->latest[tree->leaf_count + level]);
    }
    free_levels(tree);
    *tree = bigger;
    return 0;
}

/* One above the highest level whose call ends at end_s or later: that call encloses ours. */
static size_t level_inside(const level_tree *tree, double end_s)
{
    if (!(tree->latest[1] >= end_s)) {
        return 0;
    }
    size_t node = 1;
    while (node < tree->leaf_count) {
        node = tree->latest[2 * node + 1] >= end_s ? 2 * node + 1 : 2 * node;
    }
    return node - tree->leaf_count + 1;
}

/* The lowest level from `least` on whose call has ended by start_s; leaf_count if none exists. */
static size_t free_level(const level_tree *tree, size_t least, double start_s)
{
    if (least >= tree->leaf_count) {
        return tree->leaf_count;
    }
    size_t node = tree->leaf_count + least;
    while (!(tree->earliest[node] <= start_s)) {
        /* to the next subtree on the right */
        while (node & 1) {
            node /= 2;
        }
        if (node == 0) {
            return tree->leaf_count;
        }
        node++;
    }
    while (node < tree->leaf_count) {
        node = tree->earliest[2 * node] <= start_s ? 2 * node : 2 * node + 1;
    }
    return node - tree->leaf_count;
}

static int derive_level(level_tree *tree, mprof_span *span)
{
    double start_s = span->enter.time_s, end_s = span->exit.time_s;
    if (tree->leaf_count == 0 && grow_levels(tree) != 0) {
        return -1;
    }
    size_t level = free_level(tree, level_inside(tree, end_s), start_s);
    if (level == tree->leaf_count && grow_levels(tree) != 0) {
        return -1;
    }
    set_level(tree, level, end_s);
    span->level = (int32_t)level;
    return 0;
}

static mprof_status derive_levels(mprof_profile *profile, mprof_error *error)
{
    level_tree tree = {NULL, NULL, 0};
    uint32_t lane = UINT32_MAX;
    mprof_status status = MPROF_OK;
    for (size_t i = 0; i < profile->span_count; i++) {
        mprof_span *span = &profile->spans[i];
        if (!(span->open & MPROF__SPAN_NO_LEVEL)) {
            continue;
        }
        if (span->lane != lane) {
            free_levels(&tree);
            tree = (level_tree){NULL, NULL, 0};
            lane = span->lane;
        }
        if (derive_level(&tree, span) != 0) {
            status = mprof_error_set(error, MPROF_ENOMEM, "out of memory");
            break;
        }
    }
    free_levels(&tree);
    return status;
}

/* ---- sums ---- */

/* State of a function while a lane is processed. */
typedef struct lane_state {
    uint32_t lane;
    double end_s; /* latest exit of its calls so far */
} lane_state;

static bool is_in_window(const mprof_profile *profile, double time_s)
{
    return time_s >= profile->from_s && time_s <= profile->to_s;
}

/* Of the part in the window. */
static double span_duration(const mprof_profile *profile, const mprof_span *span)
{
    double duration = mprof__smaller(span->exit.time_s, profile->to_s) -
                      mprof__larger(span->enter.time_s, profile->from_s);
    return mprof__larger(duration, 0);
}

static void sum_up_span(const mprof_profile *profile, lane_state *state, mprof_span *span)
{
    mprof_function *function = &profile->functions[span->function];
    double duration = span_duration(profile, span);
    function->call_count += span->count > 1 ? span->count : 1;
    function->own_s += duration;
    function->longest_s = mprof__larger(function->longest_s, duration);
    if (is_in_window(profile, span->enter.time_s)) {
        function->peak_mib = mprof__larger(function->peak_mib, span->enter.mib);
    }
    if (is_in_window(profile, span->exit.time_s)) {
        function->peak_mib = mprof__larger(function->peak_mib, span->exit.mib);
    }
    if (state->lane == span->lane && span->exit.time_s <= state->end_s) {
        return; /* recursion: the outer call counts this time */
    }
    function->total_s += duration;
    function->change_mib += span->exit.mib - span->enter.mib;
    span->open |= MPROF__SPAN_OUTERMOST;
    state->lane = span->lane;
    state->end_s = span->exit.time_s;
}

/* Subtracts the time of a call from the call directly around it. The stack holds calls that enclose
 * one another; one that ends before the present call encloses neither it nor any later one. */
static size_t sum_up_parent(mprof_profile *profile, uint32_t *stack, size_t depth, size_t index)
{
    const mprof_span *span = &profile->spans[index];
    while (depth > 0) {
        const mprof_span *top = &profile->spans[stack[depth - 1]];
        bool encloses = top->lane == span->lane && top->exit.time_s >= span->exit.time_s &&
                        (top->exit.time_s > span->enter.time_s || top->level < span->level);
        if (encloses) {
            profile->functions[top->function].own_s -= span_duration(profile, span);
            break;
        }
        depth--;
    }
    stack[depth] = (uint32_t)index;
    return depth + 1;
}

static mprof_status sum_up(mprof_profile *profile, mprof_error *error)
{
    lane_state *states = calloc(profile->function_count + 1, sizeof *states);
    uint32_t *stack = malloc((profile->span_count + 1) * sizeof *stack);
    size_t depth = 0;
    if (!states || !stack) {
        free(states);
        free(stack);
        return mprof_error_set(error, MPROF_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        states[i].lane = UINT32_MAX;
    }
    for (size_t i = 0; i < profile->span_count; i++) {
        mprof_span *span = &profile->spans[i];
        mprof_lane *lane = &profile->lanes[span->lane];
        sum_up_span(profile, &states[span->function], span);
        depth = sum_up_parent(profile, stack, depth, i);
        lane->max_level = span->level > lane->max_level ? span->level : lane->max_level;
    }
    for (size_t i = 0; i < profile->function_count; i++) {
        /* rounded times may leave a negative difference */
        profile->functions[i].own_s = mprof__larger(profile->functions[i].own_s, 0);
    }
    free(states);
    free(stack);
    return MPROF_OK;
}

static bool needs_levels(const mprof_profile *profile)
{
    for (size_t i = 0; i < profile->span_count; i++) {
        if (profile->spans[i].open & MPROF__SPAN_NO_LEVEL) {
            return true;
        }
    }
    return false;
}

mprof_status mprof__profile_nest(mprof_profile *profile, mprof_error *error)
{
    sort_spans(profile);
    if (needs_levels(profile)) {
        mprof_status status = derive_levels(profile, error);
        if (status != MPROF_OK) {
            return status;
        }
        sort_spans(profile);
    }
    return sum_up(profile, error);
}

/* ---- windows ---- */

/* The memory of the call's process at a moment within the call: by its curve, or if that has a gap
 * there, between entry and exit. */
static double memory_at(const mprof_profile *profile, const mprof_span *span, double time_s)
{
    const mprof_series *series = &profile->processes[span->process].series;
    mprof_sample before = span->enter, after = span->exit;
    if (!series->point_count && mprof__span_fits_line(profile, span)) {
        series = &profile->line;
    }
    size_t next = mprof__first_point_from(series, time_s);
    if (next > 0 && series->points[next - 1].time_s > before.time_s) {
        before = series->points[next - 1];
    }
    if (next < series->point_count && series->points[next].time_s < after.time_s) {
        after = series->points[next];
    }
    double pause_s = after.time_s - before.time_s;
    return pause_s > 0 ? before.mib + (after.mib - before.mib) * (time_s - before.time_s) / pause_s
                       : after.mib;
}

void mprof__profile_clip_changes(mprof_profile *profile)
{
    for (size_t i = 0; i < profile->span_count; i++) {
        const mprof_span *span = &profile->spans[i];
        double *change_mib = &profile->functions[span->function].change_mib;
        if (!(span->open & MPROF__SPAN_OUTERMOST)) {
            continue;
        }
        if (span->enter.time_s < profile->from_s) {
            *change_mib += span->enter.mib - memory_at(profile, span, profile->from_s);
        }
        if (span->exit.time_s > profile->to_s) {
            *change_mib += memory_at(profile, span, profile->to_s) - span->exit.mib;
        }
    }
}
