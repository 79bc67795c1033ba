/* Calls that overlap must not share a row. An outermost call and all that is nested in it, a
 * tree, is one thing: it takes the first slot of its process that is free, that of the tree before
 * it in its lane if possible. So threads keep their slots, and a thousand greenlets of which five
 * run at once need five.
 *
 * A process whose calls nest, as those of a single thread do, has one slot. */
#include "call_slots.h"

#include "parse/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Upstream rounds times to 0.1 ms, and a call may begin where its sibling ended. */
#define TOLERANCE_S 0.00015
/* Calls that overlap for less are drawn as if they did not. */
#define OVERLAP_PX 12.0
#define WIDTH_STEP_PX 100.0
#define USUAL_GUTTER_PX 60.0
#define COLUMNS 1200
#define LEVELS_KEPT 64 /* empty rows of deeper levels stay */

double mprof__nominal_px_per_s(const mprof__layout *layout)
{
    double width = layout->figure->width_px - 2 * layout->figure->sizes.margin - USUAL_GUTTER_PX;
    width = fmax(1, round(width / WIDTH_STEP_PX)) * WIDTH_STEP_PX;
    return width / (layout->to_s - layout->from_s);
}

/* An outermost call with all that is nested in it. */
struct tree {
    double start_s, end_s; /* as shown, from the recording's start */
    size_t first, count;   /* barred calls */
    uint32_t lane;
    uint16_t sublane;
    uint32_t slot; /* of the process */
};

struct packing {
    const mprof__layout *layout;
    mprof__figure_input *input;
    struct tree *trees; /* of one process */
    size_t tree_count, tree_room;
    uint32_t *lane_slots; /* per lane: that of its last tree */
    uint32_t *sorted;     /* calls by slot and time, with their rows */
    uint16_t *sorted_rows;
    size_t slot_room;
    double overlap_s;       /* of the process */
    bool together;          /* calls of all processes share slots */
    uint32_t *column_owner; /* process + 1 whose calls were in a column of the plot */
    bool *column_shared;
};

static const mprof_span *span_at(const struct packing *packing, size_t place)
{
    return &packing->input->spans[packing->input->shown[place]];
}

static bool add_tree(struct packing *packing, struct tree tree)
{
    struct tree *trees =
        mprof__array_grow(packing->trees, packing->tree_count, &packing->tree_room, sizeof *trees);
    if (!trees) {
        return false;
    }
    packing->trees = trees;
    trees[packing->tree_count++] = tree;
    return true;
}

/* Splits the calls [first, end) of one process into trees. */
static bool find_trees(struct packing *packing, size_t first, size_t end)
{
    const mprof__layout *layout = packing->layout;
    const mprof__figure_input *input = packing->input;
    double from_s = input->start_s + layout->from_s, to_s = input->start_s + layout->to_s;
    packing->tree_count = 0;
    packing->overlap_s = 0;
    struct tree *tree = NULL;
    for (size_t i = first; i < end; i++) {
        const mprof_span *span = span_at(packing, i);
        double start_s = fmax(span->enter.time_s, from_s), end_s = fmin(span->exit.time_s, to_s);
        uint16_t sublane = input->sublanes ? input->sublanes[i] : 0;
        if (tree && tree->lane == span->lane && tree->sublane == sublane &&
            start_s >= tree->start_s && start_s < tree->end_s - TOLERANCE_S) {
            tree->end_s = fmax(tree->end_s, end_s);
            tree->count++;
            continue;
        }
        if (!add_tree(packing, (struct tree){.start_s = start_s,
                                             .end_s = end_s,
                                             .first = i,
                                             .count = 1,
                                             .lane = span->lane,
                                             .sublane = sublane})) {
            return false;
        }
        tree = &packing->trees[packing->tree_count - 1];
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct tree *x = a, *y = b;
    if (x->start_s < y->start_s || x->start_s > y->start_s) {
        return x->start_s < y->start_s ? -1 : 1;
    }
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Gives each tree its slot; returns how many slots the process needs. */
static uint32_t pack_trees(struct packing *packing)
{
    double free_from_s[MPROF__SLOT_MAX], busy_until_s = -INFINITY;
    uint32_t count = 0;
    qsort(packing->trees, packing->tree_count, sizeof *packing->trees, by_start);
    for (size_t i = 0; i < packing->tree_count; i++) {
        packing->lane_slots[packing->trees[i].lane] = UINT32_MAX;
    }
    for (size_t i = 0; i < packing->tree_count; i++) {
        struct tree *tree = &packing->trees[i];
        uint32_t slot = tree->sublane ? UINT32_MAX : packing->lane_slots[tree->lane];
        packing->overlap_s += fmax(0, fmin(tree->end_s, busy_until_s) - tree->start_s);
        busy_until_s = fmax(busy_until_s, tree->end_s);
        if (slot == UINT32_MAX || free_from_s[slot] > tree->start_s + TOLERANCE_S) {
            slot = 0;
            while (slot < count && free_from_s[slot] > tree->start_s + TOLERANCE_S) {
                slot++;
            }
        }
        if (slot == MPROF__SLOT_MAX) {
            slot--;
        } else if (slot == count) {
            count++;
        }
        free_from_s[slot] = tree->end_s;
        packing->lane_slots[tree->lane] = slot;
        tree->slot = slot;
    }
    return count;
}

static int by_slot(const void *a, const void *b)
{
    const struct tree *x = a, *y = b;
    return x->slot != y->slot ? (x->slot < y->slot ? -1 : 1) : by_start(a, b);
}

/* Sorts the calls [first, end) by slot and time. Calls of one tree stay in their order. */
static void sort_calls(struct packing *packing, size_t first, size_t end, uint32_t first_slot)
{
    mprof__figure_input *input = packing->input;
    size_t used = first;
    qsort(packing->trees, packing->tree_count, sizeof *packing->trees, by_slot);
    for (size_t t = 0; t < packing->tree_count; t++) {
        const struct tree *tree = &packing->trees[t];
        for (size_t i = 0; i < tree->count; i++, used++) {
            packing->sorted[used] = input->shown[tree->first + i];
            packing->sorted_rows[used] = input->rows[tree->first + i];
            input->span_slots[used] = first_slot + tree->slot;
        }
    }
    memcpy(input->shown + first, packing->sorted + first, (end - first) * sizeof *input->shown);
    memcpy(input->rows + first, packing->sorted_rows + first, (end - first) * sizeof *input->rows);
}

static bool add_slots(struct packing *packing, uint32_t process, size_t count)
{
    mprof__figure_input *input = packing->input;
    for (size_t i = 0; i < count; i++) {
        mprof__call_slot *slots =
            mprof__array_grow(input->slots, input->slot_count, &packing->slot_room, sizeof *slots);
        if (!slots) {
            return false;
        }
        input->slots = slots;
        slots[input->slot_count++] = (mprof__call_slot){.process = process};
    }
    return true;
}

/* Levels whose calls are drawn elsewhere leave no empty rows. The calls [first, end) are sorted by
 * slot. */
static void close_rows(mprof__figure_input *input, size_t first, size_t end)
{
    for (size_t i = first; i < end;) {
        mprof__call_slot *slot = &input->slots[input->span_slots[i]];
        uint64_t used = 0;
        size_t next = i, most = 0;
        for (; next < end && input->span_slots[next] == input->span_slots[i]; next++) {
            most = input->rows[next] > most ? input->rows[next] : most;
            used |= UINT64_C(1) << (input->rows[next] & (LEVELS_KEPT - 1));
        }
        if (most < LEVELS_KEPT) {
            for (; i < next; i++) {
                uint64_t above = (UINT64_C(1) << input->rows[i]) - 1;
                input->rows[i] = (uint16_t)__builtin_popcountll(used & above);
            }
            most = (size_t)__builtin_popcountll(used) - 1;
        }
        slot->rows = (uint16_t)(most + 1);
        i = next;
    }
}

/* Marks the columns in which the calls [first, end) ran. */
static void mark_columns(struct packing *packing, size_t first, size_t end, uint32_t owner)
{
    const mprof__layout *layout = packing->layout;
    double scale = COLUMNS / (layout->to_s - layout->from_s);
    double origin_s = packing->input->start_s + layout->from_s;
    for (size_t i = first; i < end; i++) {
        const mprof_span *span = span_at(packing, i);
        double from = fmax(0, (span->enter.time_s - origin_s) * scale);
        double to = fmin(COLUMNS, (span->exit.time_s - origin_s) * scale);
        for (size_t c = (size_t)from; packing->input->rows[i] == 0 && (double)c < to; c++) {
            uint32_t *column = &packing->column_owner[c];
            packing->column_shared[c] = packing->column_shared[c] || (*column && *column != owner);
            *column = owner;
        }
    }
}

static bool pack_process(struct packing *packing, size_t first, size_t end)
{
    mprof__figure_input *input = packing->input;
    uint32_t process = span_at(packing, first)->process;
    uint32_t first_slot = (uint32_t)input->slot_count;
    if (!find_trees(packing, first, end)) {
        return false;
    }
    bool one_lane = !packing->together &&
                    span_at(packing, first)->lane == span_at(packing, end - 1)->lane &&
                    !(input->sublanes && input->sublanes[first]);
    uint32_t count = one_lane ? 1 : pack_trees(packing);
    if (!add_slots(packing, process, count)) {
        return false;
    }
    for (size_t i = first; one_lane && i < end; i++) {
        input->span_slots[i] = first_slot;
    }
    if (!one_lane) {
        sort_calls(packing, first, end, first_slot);
    }
    close_rows(input, first, end);
    if (packing->together) {
        return true;
    }
    if (input->process_count > 1) {
        mark_columns(packing, first, end, process + 1);
    }
    input->overlapping[process] =
        packing->overlap_s * mprof__nominal_px_per_s(packing->layout) >= OVERLAP_PX;
    return true;
}

static size_t end_of_process(const struct packing *packing, size_t first)
{
    size_t end = first + 1;
    if (packing->together) {
        return packing->input->barred_count;
    }
    uint32_t process = span_at(packing, first)->process;
    while (end < packing->input->barred_count && span_at(packing, end)->process == process) {
        end++;
    }
    return end;
}

static bool pack_all(struct packing *packing)
{
    mprof__figure_input *input = packing->input;
    bool good = true;
    input->slot_count = 0;
    for (size_t first = 0; good && first < input->barred_count;) {
        size_t end = end_of_process(packing, first);
        good = pack_process(packing, first, end);
        first = end;
    }
    size_t shared = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        shared += packing->column_shared[c];
    }
    input->processes_overlap = (double)shared >= OVERLAP_PX;
    return good;
}

/* Processes that take turns, as in a script that runs one program after the other. */
static bool take_turns(const mprof__figure_input *input)
{
    bool overlap = input->processes_overlap;
    for (size_t i = 0; i < input->process_count; i++) {
        overlap = overlap || input->overlapping[i];
    }
    return !overlap && input->slot_count &&
           input->slots[0].process != input->slots[input->slot_count - 1].process;
}

mprof_status mprof__assign_call_slots(const mprof__layout *layout, mprof__figure_input *input)
{
    size_t count = input->barred_count;
    struct packing packing = {.layout = layout, .input = input};
    input->span_slots = malloc((count + 1) * sizeof *input->span_slots);
    input->overlapping = calloc(input->process_count + 1, sizeof *input->overlapping);
    input->stripped = calloc(input->process_count + 1, sizeof *input->stripped);
    if (!input->span_slots || !input->overlapping || !input->stripped) {
        return MPROF_ENOMEM;
    }
    if (!count) {
        return MPROF_OK;
    }
    packing.lane_slots = malloc((input->lane_count + 1) * sizeof *packing.lane_slots);
    packing.sorted = malloc(count * sizeof *packing.sorted);
    packing.sorted_rows = malloc(count * sizeof *packing.sorted_rows);
    packing.column_owner = calloc(COLUMNS, sizeof *packing.column_owner);
    packing.column_shared = calloc(COLUMNS, sizeof *packing.column_shared);
    bool good = packing.lane_slots && packing.sorted && packing.sorted_rows &&
                packing.column_owner && packing.column_shared && pack_all(&packing);
    if (good && take_turns(input)) {
        packing.together = true;
        good = pack_all(&packing);
    }
    free(packing.trees);
    free(packing.lane_slots);
    free(packing.sorted);
    free(packing.sorted_rows);
    free(packing.column_owner);
    free(packing.column_shared);
    return good ? MPROF_OK : MPROF_ENOMEM;
}
