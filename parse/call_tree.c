/* The tree is made of three sets of paths: `shown` of recorded calls and of samples; `exact` of the
 * recorded calls in processes with samples, for the sums of functions only. */
#include <mprof/call_tree.h>
#include <mprof/record.h>

#include "array.h"
#include "call_paths.h"
#include "extremes.h"
#include "map.h"
#include "profile_parts.h"
#include "seen_growth.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define Z 1.96 /* of a normal distribution, for 95 % */
/* Rows of what no function did, and what they are called. */
enum { NATIVE_ROW, ENDED_ROW, BEFORE_ROW, ROW_COUNT };
static const char *const row_names[ROW_COUNT] = {MPROF_LANE_NATIVE, MPROF_LANE_ENDED,
                                                 "before sampling"};

typedef struct maker {
    const mprof_profile *profile;
    mprof__paths shown, exact;
    bool *has_stacks;         /* owned; by process */
    uint32_t *frame_paths;    /* owned; by frame */
    uint32_t *frame_function; /* owned; by frame */
    const char **names;       /* owned; by function: those of the profile come first */
    const char **labels;      /* owned */
    size_t function_count;
    struct {
        uint32_t function, path;
    } rows[ROW_COUNT]; /* of what no function did; function MPROF__MAP_NONE: not shown */
    mprof__sampled all[MPROF__MEASURE_COUNT]; /* of all samples */
    bool knows_doubt;                         /* whose growth may be that of others */
} maker;

/* The public part comes first. */
typedef struct tree_parts {
    mprof_call_tree tree;
    mprof_call_node *nodes;
    mprof_call_function *functions;
} tree_parts;

/* ---- names ---- */

/* The row of a stack without a frame; ROW_COUNT: none. */
static int row_of(const mprof_sampled_stack *stack)
{
    int row = 0;
    if (stack->frame != MPROF_SAMPLED_FRAME_NONE) {
        return ROW_COUNT;
    }
    while (row < BEFORE_ROW && strcmp(stack->lane, row_names[row]) != 0) {
        row++;
    }
    return row < BEFORE_ROW                                                      ? row
           : strcmp(stack->lane, MPROF_LANE_MEMORY) == 0 && stack->grown_mib > 0 ? BEFORE_ROW
                                                                                 : ROW_COUNT;
}

static bool is_memory(const mprof_sampled_stack *stack)
{
    return stack->frame == MPROF_SAMPLED_FRAME_NONE && strcmp(stack->lane, MPROF_LANE_MEMORY) == 0;
}

static uint32_t add_function(maker *m, const char *name)
{
    m->names[m->function_count] = name;
    return (uint32_t)m->function_count++;
}

static void find_other_rows(maker *m)
{
    for (int row = 0; row < ROW_COUNT; row++) {
        m->rows[row].function = MPROF__MAP_NONE;
    }
    for (size_t i = 0; i < m->profile->stack_count; i++) {
        int row = row_of(&m->profile->stacks[i]);
        if (row < ROW_COUNT && m->rows[row].function == MPROF__MAP_NONE) {
            m->rows[row].function = add_function(m, row_names[row]);
        }
    }
}

/* Functions of the profile, then those that occur in samples only, then other rows. */
static int find_functions(maker *m)
{
    const mprof_profile *profile = m->profile;
    mprof__map known = {0};
    size_t most = profile->function_count + profile->frame_count;
    int status = 0;
    m->names = calloc(most + ROW_COUNT, sizeof *m->names);
    m->labels = calloc(most + ROW_COUNT, sizeof *m->labels);
    m->frame_function = calloc(profile->frame_count + 1, sizeof *m->frame_function);
    if (!m->names || !m->labels || !m->frame_function) {
        return -1;
    }
    for (size_t i = 0; i < most && status == 0; i++) {
        bool is_frame = i >= profile->function_count;
        size_t frame = i - profile->function_count;
        const char *name = is_frame ? profile->frames[frame].name : profile->functions[i].name;
        size_t length = strlen(name);
        uint32_t index = is_frame ? mprof__map_find(&known, name, length) : MPROF__MAP_NONE;
        if (index == MPROF__MAP_NONE) {
            index = add_function(m, name);
            status = mprof__map_set(&known, NULL, name, length, index);
        }
        if (is_frame) {
            m->frame_function[frame] = index;
        }
    }
    find_other_rows(m);
    mprof__map_free(&known);
    return status == 0 ? mprof__label_names(m->labels, m->names, m->function_count) : -1;
}

/* ---- recorded calls ---- */

static int mark_sampled_processes(maker *m)
{
    const mprof_profile *profile = m->profile;
    m->has_stacks = calloc(profile->process_count + 1, sizeof *m->has_stacks);
    for (size_t i = 0; m->has_stacks && i < profile->stack_count; i++) {
        if (profile->stacks[i].process != MPROF_PROCESS_NONE) {
            m->has_stacks[profile->stacks[i].process] = true;
        }
    }
    return m->has_stacks ? 0 : -1;
}

/* Spans are sorted by process. */
static int add_calls(maker *m)
{
    const mprof_profile *profile = m->profile;
    size_t first = 0;
    for (uint32_t i = 0; i < profile->process_count; i++) {
        size_t end = first;
        while (end < profile->span_count && profile->spans[end].process == i) {
            end++;
        }
        mprof__paths *paths = m->has_stacks[i] ? &m->exact : &m->shown;
        if (mprof__paths_add_process(paths, i, first, end, m->has_stacks[i]) != 0) {
            return -1;
        }
        first = end;
    }
    return 0;
}

/* ---- samples ---- */

/* A curve with its integral from the first point to each. */
typedef struct integral {
    mprof__known_memory memory;
    double *sums; /* owned */
} integral;

static int integrate(integral *of, const mprof_profile *profile, uint32_t process)
{
    if (mprof__known_memory_find(&of->memory, profile, process) != 0) {
        return -1;
    }
    const mprof_sample *points = of->memory.points;
    of->sums = malloc((of->memory.count + 1) * sizeof *of->sums);
    if (!of->sums) {
        return -1;
    }
    for (size_t i = 0; i < of->memory.count; i++) {
        of->sums[i] = i == 0 ? 0
                             : of->sums[i - 1] + (points[i].mib + points[i - 1].mib) / 2 *
                                                     (points[i].time_s - points[i - 1].time_s);
    }
    return 0;
}

static size_t last_point_until(const integral *of, double time_s)
{
    size_t low = 0, high = of->memory.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (of->memory.points[middle].time_s <= time_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? low - 1 : 0;
}

/* Samples are as close to each other as needed: whole points will do. */
static double mean_between(const integral *of, double from_s, double to_s, double otherwise)
{
    if (of->memory.count == 0) {
        return otherwise;
    }
    size_t first = last_point_until(of, from_s), last = last_point_until(of, to_s);
    double pause_s = of->memory.points[last].time_s - of->memory.points[first].time_s;
    return pause_s > 0 ? (of->sums[last] - of->sums[first]) / pause_s : of->memory.points[last].mib;
}

static void add_sampled(mprof__sampled *to, double value, double samples)
{
    to->value += value;
    to->squares += samples > 0 ? value * value / samples : 0;
}

/* The part of a period that is in the window. */
static double share_in_window(const mprof_profile *profile, const mprof_sampled_stack *stack)
{
    double whole_s = stack->to_s - stack->from_s;
    double part_s =
        mprof__smaller(stack->to_s, profile->to_s) - mprof__larger(stack->from_s, profile->from_s);
    return whole_s > 0 ? mprof__larger(part_s, 0) / whole_s : 1;
}

static uint32_t path_of(maker *m, const mprof_sampled_stack *stack)
{
    int row = row_of(stack);
    return row < ROW_COUNT                            ? m->rows[row].path
           : stack->frame != MPROF_SAMPLED_FRAME_NONE ? m->frame_paths[stack->frame]
                                                      : 0;
}

/* Stacks that were read because memory grew, each mebibyte, are no samples of time. */
static double samples_of_growth(const mprof_sampled_stack *stack)
{
    return stack->samples > 0 ? (double)stack->samples : mprof__larger(stack->grown_mib, 1);
}

static void add_stack(maker *m, const mprof_sampled_stack *stack, double mean_mib)
{
    double share = share_in_window(m->profile, stack);
    double samples = samples_of_growth(stack) * share;
    double values[MPROF__MEASURE_COUNT] = {stack->grown_mib * share, stack->released_mib * share,
                                           stack->seconds * share};
    mprof__path *path = &m->shown.items[path_of(m, stack)];
    for (int i = 0; i < MPROF__MEASURE_COUNT; i++) {
        add_sampled(&path->sampled[i], values[i], samples);
        add_sampled(&m->all[i], values[i], samples);
    }
    path->seen.value += stack->seen_mib * share;
    path->seen.squares += stack->seen_rms_mib * stack->seen_rms_mib * share;
    path->doubtful += stack->doubtful_mib * share;
    path->shared += stack->shared_mib * share;
    m->knows_doubt |= stack->grown_rms_mib > 0;
    path->growth_squares += stack->grown_rms_mib * stack->grown_rms_mib * share;
    path->memory_time_mib_s += values[MPROF__TIME] * mean_mib;
    path->peak_mib = mprof__larger(path->peak_mib, stack->peak_mib);
    path->is_sampled = true;
}

static void credit_exactly(mprof__path *path, int side, double mib)
{
    path->own[side].value += mib;
    path->own[side].certain += mib;
}

/* Growth before the first sample, and what an exec gave back. */
static void add_memory(maker *m, const mprof_sampled_stack *stack)
{
    double share = share_in_window(m->profile, stack);
    if (stack->grown_mib > 0) {
        mprof__path *path = &m->shown.items[m->rows[BEFORE_ROW].path];
        credit_exactly(path, MPROF__GROWTH, stack->grown_mib * share);
        path->peak_mib = mprof__larger(path->peak_mib, stack->peak_mib);
        path->is_sampled = true;
    }
    credit_exactly(&m->shown.items[0], MPROF__RELEASE, stack->released_mib * share);
}

static int compare_processes(const void *a, const void *b)
{
    const mprof_sampled_stack *x = *(const mprof_sampled_stack *const *)a;
    const mprof_sampled_stack *y = *(const mprof_sampled_stack *const *)b;
    return x->process != y->process ? (x->process < y->process ? -1 : 1) : (x > y) - (x < y);
}

/* Process by process, so that one integral is needed at a time. */
static int add_sorted_stacks(maker *m, const mprof_sampled_stack **sorted)
{
    integral of = {.sums = NULL};
    int status = 0;
    for (size_t i = 0; i < m->profile->stack_count && status == 0; i++) {
        const mprof_sampled_stack *stack = sorted[i];
        if (i == 0 || stack->process != sorted[i - 1]->process) {
            free(of.sums);
            mprof__known_memory_free(&of.memory);
            of = (integral){.sums = NULL};
            status = stack->process == MPROF_PROCESS_NONE
                         ? 0
                         : integrate(&of, m->profile, stack->process);
        }
        if (status == 0 && is_memory(stack)) {
            add_memory(m, stack);
        } else if (status == 0) {
            add_stack(m, stack, mean_between(&of, stack->from_s, stack->to_s, stack->peak_mib));
        }
    }
    free(of.sums);
    mprof__known_memory_free(&of.memory);
    return status;
}

static int add_samples(maker *m)
{
    const mprof_profile *profile = m->profile;
    m->frame_paths = malloc((profile->frame_count + 1) * sizeof *m->frame_paths);
    const mprof_sampled_stack **sorted = malloc((profile->stack_count + 1) * sizeof *sorted);
    int status = m->frame_paths && sorted ? 0 : -1;
    for (size_t i = 0; i < profile->frame_count && status == 0; i++) {
        uint32_t parent = profile->frames[i].parent;
        m->frame_paths[i] = mprof__paths_find(
            &m->shown, parent == MPROF_SAMPLED_FRAME_NONE ? 0 : m->frame_paths[parent],
            m->frame_function[i]);
        status = m->frame_paths[i] == MPROF__PATH_NONE ? -1 : 0;
    }
    for (size_t i = 0; i < profile->stack_count && status == 0; i++) {
        sorted[i] = &profile->stacks[i];
    }
    for (int row = 0; row < ROW_COUNT && status == 0; row++) {
        if (m->rows[row].function != MPROF__MAP_NONE) {
            m->rows[row].path = mprof__paths_find(&m->shown, 0, m->rows[row].function);
            status = m->rows[row].path == MPROF__PATH_NONE ? -1 : 0;
        }
    }
    if (status == 0) {
        qsort(sorted, profile->stack_count, sizeof *sorted, compare_processes);
        status = add_sorted_stacks(m, sorted);
    }
    if (status == 0) {
        status = mprof__spread_seen_growth(&m->shown);
        m->all[MPROF__GROWTH] = (mprof__sampled){0, 0};
        for (size_t i = 0; i < m->shown.count; i++) {
            m->all[MPROF__GROWTH].value += m->shown.items[i].sampled[MPROF__GROWTH].value;
            m->all[MPROF__GROWTH].squares += m->shown.items[i].sampled[MPROF__GROWTH].squares;
        }
    }
    free(sorted);
    return status;
}

/* ---- estimates ---- */

/* Wilson's interval for the share of `part` in `all`, as amounts. */
static void add_interval(mprof_estimate *to, mprof__sampled part, mprof__sampled all)
{
    if (!(part.value > 0) || !(all.squares > 0)) {
        return;
    }
    if (part.value >= all.value * (1 - 1e-12)) { /* all of it, whoever had it */
        to->value += part.value;
        to->low += part.value;
        to->high += part.value;
        return;
    }
    double n = mprof__larger(all.value * all.value / all.squares, 1);
    double p = mprof__smaller(part.value / all.value, 1);
    double middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n);
    double half = Z * mprof__square_root(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n);
    to->value += part.value;
    to->low += mprof__smaller(mprof__larger(middle - half, 0) * all.value, part.value);
    to->high += mprof__larger(mprof__smaller(middle + half, 1) * all.value, part.value);
}

/* What is added up before the bounds are known. */
typedef struct amounts {
    mprof__split change[2];
    double time_s, memory_time_mib_s, edge_variance;
    double doubt[2]; /* of sampled growth: how much less, or more, it may be */
    mprof__sampled sampled[MPROF__MEASURE_COUNT];
} amounts;

static void add_amounts(amounts *to, const amounts *more)
{
    for (int i = 0; i < 2; i++) {
        to->change[i].value += more->change[i].value;
        to->change[i].certain += more->change[i].certain;
        to->change[i].possible += more->change[i].possible;
    }
    to->time_s += more->time_s;
    to->memory_time_mib_s += more->memory_time_mib_s;
    to->edge_variance += more->edge_variance;
    to->doubt[0] += more->doubt[0];
    to->doubt[1] += more->doubt[1];
    for (int i = 0; i < MPROF__MEASURE_COUNT; i++) {
        to->sampled[i].value += more->sampled[i].value;
        to->sampled[i].squares += more->sampled[i].squares;
    }
}

static amounts own_amounts(const mprof__path *path)
{
    amounts a = {.change = {path->own[0], path->own[1]},
                 .time_s = path->time_s,
                 .memory_time_mib_s = path->memory_time_mib_s,
                 .edge_variance = path->edge_variance,
                 .doubt = {path->own_doubt[0], path->own_doubt[1]}};
    memcpy(a.sampled, path->sampled, sizeof a.sampled);
    return a;
}

/* most_mib: growth and release of everything. */
static mprof_estimate change_of(const amounts *a, int side, const mprof__sampled *all,
                                bool knows_doubt, double most_mib)
{
    const mprof__split *split = &a->change[side];
    mprof_estimate estimate = {split->value, split->certain,
                               mprof__smaller(split->certain + split->possible, most_mib)};
    /* sums of parts differ in their last digits */
    estimate.low = mprof__smaller(estimate.low, estimate.value);
    estimate.high = mprof__larger(estimate.high, estimate.value);
    if (split->possible == 0) {
        estimate.low = estimate.high = estimate.value;
    }
    if (side == MPROF__GROWTH && knows_doubt) {
        double mib = a->sampled[side].value;
        estimate.value += mib;
        estimate.low += mprof__larger(mib - a->doubt[0], 0);
        estimate.high += mprof__larger(mprof__smaller(mib + a->doubt[1], all[side].value), mib);
    } else {
        add_interval(&estimate, a->sampled[side], all[side]);
    }
    return estimate;
}

static mprof_call_sum sum_of(const maker *m, const amounts *a, const double most_mib[2])
{
    double doubt_s = Z * mprof__square_root(a->edge_variance);
    mprof_call_sum sum = {
        .growth_mib = change_of(a, MPROF__GROWTH, m->all, m->knows_doubt, most_mib[MPROF__GROWTH]),
        .release_mib =
            change_of(a, MPROF__RELEASE, m->all, m->knows_doubt, most_mib[MPROF__RELEASE]),
        .time_s = {a->time_s, mprof__larger(a->time_s - doubt_s, 0), a->time_s + doubt_s},
        .memory_time_mib_s = a->memory_time_mib_s};
    add_interval(&sum.time_s, a->sampled[MPROF__TIME], m->all[MPROF__TIME]);
    return sum;
}

/* ---- nodes ---- */

/* With all paths below each. NULL without memory. */
static amounts *total_amounts(const mprof__paths *paths)
{
    amounts *totals = malloc(paths->count * sizeof *totals);
    for (size_t i = 0; totals && i < paths->count; i++) {
        totals[i] = own_amounts(&paths->items[i]);
        for (int side = 0; side < 2; side++) {
            totals[i].change[side].possible = 0;
            totals[i].change[side].certain += paths->items[i].below[side].certain;
        }
    }
    for (size_t i = paths->count; totals && i-- > 1;) {
        add_amounts(&totals[paths->items[i].parent], &totals[i]);
    }
    /* the calls around it may have what is shared below them for certain */
    for (size_t i = 0; totals && i < paths->count; i++) {
        for (int side = 0; side < 2; side++) {
            totals[i].change[side].possible = paths->items[i].below[side].possible;
            totals[i].doubt[side] = paths->items[i].total_doubt[side];
        }
    }
    return totals;
}

static void link_nodes(mprof_call_node *nodes, const mprof__paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        const mprof__path *path = &paths->items[i];
        nodes[i] = (mprof_call_node){.function = path->function,
                                     .parent = path->parent,
                                     .first_child = MPROF_CALL_NODE_NONE,
                                     .next = MPROF_CALL_NODE_NONE,
                                     .call_count = path->call_count,
                                     .is_sampled = path->is_sampled,
                                     .peak_mib = path->peak_mib};
    }
    for (size_t i = paths->count; i-- > 1;) {
        mprof_call_node *parent = &nodes[nodes[i].parent];
        nodes[i].next = parent->first_child;
        parent->first_child = (uint32_t)i;
        parent->peak_mib = mprof__larger(parent->peak_mib, nodes[i].peak_mib);
        parent->is_sampled |= nodes[i].is_sampled;
    }
}

static mprof_call_node *make_nodes(const maker *m, const mprof__paths *paths, const amounts *totals,
                                   const double most_mib[2])
{
    mprof_call_node *nodes = malloc(paths->count * sizeof *nodes);
    if (!nodes) {
        return NULL;
    }
    link_nodes(nodes, paths);
    for (size_t i = 0; i < paths->count; i++) {
        amounts own = own_amounts(&paths->items[i]);
        nodes[i].own = sum_of(m, &own, most_mib);
        nodes[i].total = sum_of(m, &totals[i], most_mib);
    }
    return nodes;
}

/* ---- functions ---- */

typedef struct function_state {
    amounts own, total;
    double peak_mib;
    uint64_t call_count;
    uint32_t depth; /* how many of its calls are around the present path */
    bool is_known, is_exact;
} function_state;

static void visit(function_state *state, const mprof__path *path, const amounts *total,
                  double peak_mib, bool is_exact)
{
    amounts own = own_amounts(path), all = *total;
    if (!is_exact && state->is_exact) {
        /* recorded calls say it better; but not what they called themselves */
        memset(all.sampled, 0, sizeof all.sampled);
        memset(all.doubt, 0, sizeof all.doubt);
    }
    if (is_exact) {
        own = (amounts){.time_s = 0};
    }
    add_amounts(&state->own, &own);
    if (state->depth == 0) {
        add_amounts(&state->total, &all);
    }
    state->call_count += path->call_count;
    state->peak_mib = mprof__larger(state->peak_mib, peak_mib);
    state->is_known = true;
    state->depth++;
}

/* In depth-first order, so that recursive calls are counted within their outermost one. */
static void visit_all(function_state *states, const mprof__paths *paths,
                      const mprof_call_node *nodes, const amounts *totals, bool is_exact)
{
    uint32_t at = nodes[0].first_child;
    while (at != MPROF_CALL_NODE_NONE && at != 0) {
        visit(&states[nodes[at].function], &paths->items[at], &totals[at], nodes[at].peak_mib,
              is_exact);
        if (nodes[at].first_child != MPROF_CALL_NODE_NONE) {
            at = nodes[at].first_child;
            continue;
        }
        while (at != 0 && nodes[at].next == MPROF_CALL_NODE_NONE) {
            states[nodes[at].function].depth--;
            at = nodes[at].parent;
        }
        if (at != 0) {
            states[nodes[at].function].depth--;
            at = nodes[at].next;
        }
    }
}

static int visit_exact(const maker *m, function_state *states)
{
    amounts *totals = total_amounts(&m->exact);
    mprof_call_node *nodes = malloc(m->exact.count * sizeof *nodes);
    if (totals && nodes) {
        link_nodes(nodes, &m->exact);
        visit_all(states, &m->exact, nodes, totals, true);
    }
    for (size_t i = 0; i < m->function_count; i++) {
        states[i].is_exact = states[i].is_known;
    }
    free(nodes);
    int status = totals && nodes ? 0 : -1;
    free(totals);
    return status;
}

static void keep_functions(tree_parts *parts, const maker *m, const function_state *states,
                           const double most_mib[2])
{
    for (size_t i = 0; i < m->function_count; i++) {
        const function_state *state = &states[i];
        if (!state->is_known) {
            continue;
        }
        /* those of recorded calls are of all samples, whatever points were kept */
        double peak_mib = state->call_count > 0
                              ? mprof__larger(m->profile->functions[i].peak_mib, state->peak_mib)
                              : state->peak_mib;
        parts->functions[parts->tree.function_count++] =
            (mprof_call_function){.name = m->names[i],
                                  .label = m->labels[i],
                                  .call_count = state->call_count,
                                  .is_sampled = state->total.sampled[MPROF__TIME].value > 0 ||
                                                state->total.sampled[MPROF__GROWTH].value > 0 ||
                                                state->total.edge_variance > 0,
                                  .peak_mib = peak_mib,
                                  .own = sum_of(m, &state->own, most_mib),
                                  .total = sum_of(m, &state->total, most_mib)};
    }
}

/* Nodes name functions by their index in the tree. */
static void number_functions(tree_parts *parts, const function_state *states, size_t count,
                             uint32_t *numbers)
{
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = used;
        used += states[i].is_known;
    }
    for (size_t i = 1; i < parts->tree.node_count; i++) {
        parts->nodes[i].function = numbers[parts->nodes[i].function];
    }
}

/* ---- the tree ---- */

static int make_tree(tree_parts *parts, const maker *m)
{
    amounts *totals = total_amounts(&m->shown);
    function_state *states = calloc(m->function_count + 1, sizeof *states);
    uint32_t *numbers = malloc((m->function_count + 1) * sizeof *numbers);
    int status = -1;
    parts->functions = malloc((m->function_count + 1) * sizeof *parts->functions);
    for (size_t i = 0; states && i < m->function_count; i++) {
        states[i].peak_mib = NAN;
    }
    if (totals && states && numbers && parts->functions && visit_exact(m, states) == 0) {
        const double most_mib[2] = {totals[0].change[0].value, totals[0].change[1].value};
        parts->tree.node_count = m->shown.count;
        parts->nodes = make_nodes(m, &m->shown, totals, most_mib);
        if (parts->nodes) {
            visit_all(states, &m->shown, parts->nodes, totals, false);
            keep_functions(parts, m, states, most_mib);
            number_functions(parts, states, m->function_count, numbers);
            status = 0;
        }
    }
    free(totals);
    free(states);
    free(numbers);
    return status;
}

/* What is known of the memory of a process at both ends of the window. time_s NAN: nothing. */
typedef struct ends {
    mprof_sample first, last;
    bool is_start_known; /* first is at the start of its program: the curve begins later */
} ends;

static bool is_in_window(const mprof_profile *profile, double time_s)
{
    return time_s >= profile->from_s && time_s <= profile->to_s;
}

static int find_ends_of_curve(ends *of, const mprof_profile *profile, uint32_t process)
{
    mprof__known_memory memory;
    *of = (ends){.first = {0, NAN}, .last = {0, NAN}};
    if (mprof__known_memory_find(&memory, profile, process) != 0) {
        return -1;
    }
    for (size_t i = 0; i < memory.count; i++) {
        if (is_in_window(profile, memory.points[i].time_s)) {
            of->first = isnan(of->first.time_s) ? memory.points[i] : of->first;
            of->last = memory.points[i];
        }
    }
    mprof__known_memory_free(&memory);
    return 0;
}

/* Less what had grown before the window began. */
static void note_memory(ends *of, const mprof_profile *profile, const mprof_sampled_stack *stack)
{
    if (!is_in_window(profile, stack->to_s)) {
        return;
    }
    if (stack->to_s > stack->from_s && !of->is_start_known) {
        of->first = (mprof_sample){
            stack->peak_mib - stack->grown_mib * share_in_window(profile, stack), stack->from_s};
        of->is_start_known = true;
    }
    /* what a process gives back at its end is no release */
    if (isnan(of->last.time_s) || stack->to_s > of->last.time_s ||
        profile->processes[stack->process].ended) {
        of->last = (mprof_sample){stack->peak_mib, stack->to_s};
    }
}

/* rest_mib: by process. */
static int find_rest(const maker *m, double *rest_mib)
{
    const mprof_profile *profile = m->profile;
    ends *of = malloc((profile->process_count + 1) * sizeof *of);
    int status = of ? 0 : -1;
    for (uint32_t i = 0; i < profile->process_count && status == 0; i++) {
        status = m->has_stacks[i] ? find_ends_of_curve(&of[i], profile, i) : 0;
    }
    for (size_t i = 0; i < profile->stack_count && status == 0; i++) {
        const mprof_sampled_stack *stack = &profile->stacks[i];
        if (stack->process != MPROF_PROCESS_NONE) {
            rest_mib[stack->process] -=
                (stack->grown_mib - stack->released_mib) * share_in_window(profile, stack);
        }
        if (stack->process != MPROF_PROCESS_NONE && is_memory(stack)) {
            note_memory(&of[stack->process], profile, stack);
        }
    }
    for (uint32_t i = 0; i < profile->process_count && status == 0; i++) {
        if (m->has_stacks[i] && !isnan(of[i].first.time_s)) {
            rest_mib[i] += of[i].last.mib - of[i].first.mib;
        }
    }
    free(of);
    return status;
}

/* What samples do not explain of the change of their process happened before the first or after
 * the last one, or is not seen as faults: it is outside of calls, so that all adds up. */
static int add_rest_of_sampled(maker *m)
{
    size_t count = m->profile->process_count;
    double *rest_mib = calloc(count + 1, sizeof *rest_mib);
    int status = rest_mib ? find_rest(m, rest_mib) : -1;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        if (m->has_stacks[i]) {
            credit_exactly(&m->shown.items[0], rest_mib[i] > 0 ? MPROF__GROWTH : MPROF__RELEASE,
                           rest_mib[i] > 0 ? rest_mib[i] : -rest_mib[i]);
        }
    }
    free(rest_mib);
    return status;
}

static void describe(mprof_call_tree *tree, const maker *m, const tree_parts *parts)
{
    const mprof_profile *profile = m->profile;
    const mprof__path *paths = m->shown.items;
    tree->nodes = parts->nodes;
    tree->functions = parts->functions;
    tree->duration_s = mprof__larger(mprof__smaller(profile->end_s, profile->to_s) -
                                         mprof__larger(profile->start_s, profile->from_s),
                                     0);
    for (size_t i = 0; i < m->shown.count; i++) {
        tree->net_mib += paths[i].own[MPROF__GROWTH].value - paths[i].own[MPROF__RELEASE].value +
                         paths[i].sampled[MPROF__GROWTH].value -
                         paths[i].sampled[MPROF__RELEASE].value;
    }
    tree->has_samples = parts->nodes[0].is_sampled;
    tree->has_concurrency = m->shown.has_concurrency;
    tree->left_out = m->shown.left_out + m->exact.left_out;
}

mprof_status mprof_call_tree_make(mprof_call_tree **out, const mprof_profile *profile,
                                  mprof_error *error)
{
    maker m = {.profile = profile};
    tree_parts *parts = calloc(1, sizeof *parts);
    int status = parts && mprof__paths_init(&m.shown, profile) == 0 &&
                         mprof__paths_init(&m.exact, profile) == 0 && find_functions(&m) == 0 &&
                         mark_sampled_processes(&m) == 0 && add_calls(&m) == 0 &&
                         add_samples(&m) == 0 && add_rest_of_sampled(&m) == 0 &&
                         make_tree(parts, &m) == 0
                     ? 0
                     : -1;
    *out = NULL;
    if (status == 0) {
        describe(&parts->tree, &m, parts);
        *out = &parts->tree;
    } else {
        mprof_call_tree_free(parts ? &parts->tree : NULL);
    }
    mprof__paths_free(&m.shown);
    mprof__paths_free(&m.exact);
    free(m.has_stacks);
    free(m.frame_paths);
    free(m.frame_function);
    free(m.names);
    free(m.labels);
    return status == 0 ? MPROF_OK : mprof_error_set(error, MPROF_ENOMEM, "out of memory");
}

void mprof_call_tree_free(mprof_call_tree *tree)
{
    tree_parts *parts = (tree_parts *)tree;
    if (!parts) {
        return;
    }
    free(parts->nodes);
    free(parts->functions);
    free(parts);
}
